//! What a container stands on while it does what is due, and what it tells of on the way.

use std::collections::BTreeSet;
use std::time::Duration;

use super::behaviour::Images;
use crate::base::{Profile, Rng};

/// What a node does that a kubelet tells of as an Event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Note {
    /// `spec.containers{name}`.
    pub(super) field: String,
    pub(super) warning: bool,
    pub(super) reason: &'static str,
    pub(super) message: String,
}

/// What a container stands on: the world's latencies and scripts, its node's images, its pod.
pub(super) struct Ground<'a> {
    pub(super) profile: &'a Profile,
    pub(super) images: &'a Images,
    /// Images present, as (node, image).
    pub(super) present: &'a mut BTreeSet<(String, String)>,
    pub(super) node: &'a str,
    /// The pod as messages name it: `name_namespace(uid)`.
    pub(super) pod: &'a str,
    /// `terminationGracePeriodSeconds` of the pod.
    pub(super) grace: Duration,
    pub(super) rng: &'a mut Rng,
    pub(super) notes: &'a mut Vec<Note>,
}
