//! The laboratory: reads scenarios, plays them in a world, judges and measures them.
//!
//! Reading order: `scenario` (what is said), `run` (how it is done), `check` (what is found),
//! `world` (the repository), `explore` (runs that a seed makes up). Nothing below this layer knows what a scenario is.
//! `backend` (where it is done), `world` (the repository). Nothing below this layer knows what a scenario is.

pub mod backend;
pub mod bench;
pub mod check;
pub mod claims;
pub mod explore;
pub mod load;
pub mod run;
pub mod scenario;
pub mod trial;
pub mod world;
