//! Behaviour as data, from outside (R-CTL-38): what becomes of an object without the controller
//! that looks after it. A list of stages says of which objects, after how long, with what weight
//! and what their status is then. One client of the API plays them.
//!
//! This is how custom resources of cert-manager, Crossplane and their like become ready in a
//! world that has none of these (`known.yaml`), and how a scenario lets them fail. It works for
//! built-in kinds as well: a pod's readiness gate, a node's pressure.
//!
//! Stages are in layers: what a scenario says, what is known of a kind, what is usual. The first
//! layer that has a stage *for* an object decides, whatever state the object is in. Of the stages
//! of that layer whose state fits and which would change something, one is drawn by weight.
//!
//! Reading order: `stage` (the words), `read` (from YAML), `next` (what an object becomes),
//! `known` (the built-in list), then here.
//!
//! Not here: what happens inside a pod, which is `sim::pods`' own.

mod client;
mod known;
mod next;
mod read;
mod stage;

pub use client::Stages;
pub use read::{NotAStage, list, stage};
pub use stage::Stage;
