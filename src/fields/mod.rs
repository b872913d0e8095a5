//! Server-side apply as pure functions: who owns which field, what an apply changes, whom it
//! conflicts with. Equal to structured-merge-diff and apimachinery's field manager in result,
//! ownership, conflicts and encoding (R-SSA-06 to R-SSA-33).
//!
//! # The order of a write
//!
//! | | create, update, patch | apply |
//! |---|---|---|
//! | 1 | decode (or patch the live object and decode), [`form::print_object`], defaults | check that apiVersion and kind are the endpoint's |
//! | 2 | [`update`] on the defaulted object | [`apply`] on the live object and the configuration as sent |
//! | 3 | mutating admission | on [`Applied::Changed`]: [`form::print_object`], defaults (what appears is nobody's, R-SSA-20), mutating admission |
//! | 4 | the kind's own preparation: what the endpoint resets is put back, generation, allocations | the same |
//! | 5 | validation, [`keep_times`], [`form::store_object`], and no write if nothing changed | the same |
//!
//! What step 4 changes is nobody's either. A custom resource has no printed form: the two `form`
//! calls are for built-in kinds.
//!
//! Not here: defaults, admission, statuses (`sim::rest`); conversion of ownership between the
//! versions of a built-in kind (an entry of another served version is compared as if it were of this
//! one; the versions of custom kinds are told apart, R-SSA-32).
//!
//! [`form::print_object`]: crate::object::schema::form::print_object
//! [`form::store_object`]: crate::object::schema::form::store_object

mod apply;
mod compare;
mod conflict;
mod entry;
mod last_applied;
mod managers;
mod merge;
mod policy;
mod prune;
mod reconcile;
mod reset;
pub mod scale;
mod track;
mod typed;
mod unchanged;
mod update;
mod versions;
mod walk;

use crate::base::Time;
use crate::object::Object;
use crate::object::fieldset::Set;

pub use apply::apply;
pub use conflict::{Conflict, Conflicts};
pub use managers::NotManaged;
pub use policy::merge_unowned;
pub use reset::{reset, reset_custom, status_keeps_metadata};
pub use update::{keep_times, update};

/// Who writes, and how.
#[derive(Clone, Copy, Debug)]
pub struct Write<'a> {
    /// `fieldManager`, or what stands in for it (R-HTTP-31). Empty counts as `unknown`.
    pub manager: &'a str,
    /// The version that was written through: `apps/v1`.
    pub api_version: &'a str,
    /// `status`, `scale`, ...; empty for the resource itself.
    pub subresource: &'a str,
    /// When.
    pub now: Time,
    /// What this endpoint does not let a client set (R-SSA-05): see [`reset`].
    pub reset: &'a Set,
}

/// What an apply comes to.
#[derive(Clone, Debug, PartialEq)]
pub enum Applied {
    /// The live object is as it should be and is owned as it should be.
    Unchanged,
    /// The merged object with its managed fields; neither in printed form nor defaulted.
    Changed(Object),
}

/// Why an apply was refused. Nothing is to be written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ApplyError {
    /// 409: others own what would change (R-SSA-15).
    #[error("{}", .0.message())]
    Conflicts(Conflicts),
    /// 400: the configuration carries what it must not.
    #[error("{0}")]
    BadRequest(String),
    /// 500 without a reason: the configuration does not fit the schema (R-SSA-03), the stored managed
    /// fields cannot be read, or the object does not fit a version that somebody wrote through.
    #[error("{0}")]
    Typed(String),
}
