//! Health of live objects: what kstatus says of one, and whether a rollout has failed already.
//!
//! Pure functions over objects; who watches them, and when they are asked again, is
//! `reconcile`'s. Argo CD's own rules (R-HLT-13 and on) are not here.

pub mod before;
pub mod failfast;
pub mod kstatus;
mod workloads;

pub use failfast::{PodVerdict, pod_failure};
pub use kstatus::{Health, State, status};
