//! The controllers and the scheduler on our API server, with nodes and pods played in the test:
//! what they do, step by step, and that it is what the real ones did.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a test may fail, and tells counts")]

mod behaviour;
mod custom;
mod housekeeping;
mod nodes;
mod player;
mod proofs;
mod record;
mod scheduler;
mod shuffle;
mod tracks;
mod world;
