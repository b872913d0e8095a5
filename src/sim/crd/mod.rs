//! Custom resources: what a CustomResourceDefinition says, as functions over values. Whether a
//! definition is right, what is served because of it, and how the schema of a version prunes,
//! fills in and judges an object (R-CRD).
//!
//! Not here: requests, storage, and when any of this is called (`rest`); merging and ownership
//! (`fields`). Webhooks that convert are not called:
//! where one would be, the request is refused.

pub mod check;
pub mod coerce;
pub mod conditions;
pub mod definition;
mod fault;
mod names;
mod rules;
pub mod validate;

pub use definition::{Column, ScalePaths, Version, is_served, served};
pub(in crate::sim) use names::label_1035;
pub use rules::Rules;
pub(in crate::sim) use rules::{
    CEL_RESERVED, PolicyScope, Program, policy_fault, policy_type, syntax_fault, undeclared,
};
pub use validate::path_keys;
