//! towtank.

pub mod api;
pub mod base;
pub mod engine;
pub mod object;
