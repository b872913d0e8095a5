//! The laboratory: reads scenarios, plays them in a world, judges and measures them.
//!
//! Reading order: `scenario` (what is said), `run` (how it is done), `check` (what is found),
//! `world` (the repository). Nothing below this layer knows what a scenario is.

pub mod check;
pub mod load;
pub mod run;
pub mod scenario;
pub mod trial;
pub mod world;
