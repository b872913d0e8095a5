//! The world that a scenario runs in, besides the cluster: its Git repository.

pub mod git;
