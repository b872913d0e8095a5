//! The simulated cluster: an API server's store and REST layer (and, elsewhere in this folder,
//! the controllers, nodes and faults that make a cluster of it).
//!
//! Everything here is a state machine without I/O; `serve` puts it on the wire.

pub mod controllers;
pub mod crd;
pub mod faults;
pub mod pods;
pub mod rest;
pub mod stages;
pub mod store;
pub mod world;

pub use rest::{Handled, Server};
pub use store::Delivery;
