//! Who sends a request, as the server knows it after authentication.
//!
//! Not here: how somebody is recognised and what he may do (`sim::rest`).

use std::collections::BTreeMap;

/// A user.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct User {
    /// `system:serviceaccount:default:builder`, or a name of any form.
    pub name: String,
    /// Empty where there is none.
    pub uid: String,
    /// Groups, in the order in which they were given.
    pub groups: Vec<String>,
    /// What else was said of the user.
    pub extra: BTreeMap<String, Vec<String>>,
}
