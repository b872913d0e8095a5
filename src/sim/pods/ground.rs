//! What a container stands on while it does what is due, and what it tells of on the way.

use std::collections::BTreeSet;
use std::time::Duration;

use super::behaviour::{Behaviour, Images};
use super::references::Sources;
use super::spec::ContainerSpec;
use super::usual::{self, Facts, Moment, Usual, Who};
use crate::base::Rng;

/// What a node does that a kubelet tells of as an Event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Note {
    /// `spec.containers{name}`; empty for the pod as a whole.
    pub(super) field: String,
    pub(super) warning: bool,
    pub(super) reason: &'static str,
    pub(super) message: String,
}

impl Ground<'_> {
    /// What the script of an image says, else what stages say of these moments.
    pub(super) fn scripted(&mut self, spec: &ContainerSpec, moments: &[Moment]) -> Behaviour {
        match self.images.find(&spec.image) {
            Some(script) => script.clone(),
            None => {
                let facts = Facts { image: &spec.image, container: &spec.name, who: self.who };
                usual::staged(self.images.stages(), moments, facts, self.rng)
            }
        }
    }
}

/// What a container stands on: the world's latencies and scripts, its node's images, its pod.
pub(super) struct Ground<'a> {
    pub(super) usual: &'a Usual,
    pub(super) sources: &'a Sources,
    /// Of its pod, for stages.
    pub(super) who: &'a Who,
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
