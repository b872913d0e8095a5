//! The GitOps engine.

pub mod model;
