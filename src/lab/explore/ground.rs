//! What is explored: where runs begin, and what may happen to the repository and the objects.
//!
//! Made once and shared by all seeds. What of it happens in a run, and when, is `generate`'s.

use super::things::Thing;
use crate::lab::scenario::Scenario;
use crate::lab::scenario::model::{Edit, Placed, Position};

/// A place for what stands in no file.
pub(super) const NOWHERE: Position = Position { line: 1, column: 1 };

/// What is explored.
#[derive(Debug)]
pub struct Ground {
    /// Repository, Apps, images and world; no steps.
    pub(super) start: Scenario,
    /// Images that can get another tag.
    pub(super) images: Vec<String>,
    /// Edits of files that are always there, by what they change: each list is one field, or one
    /// file, and what it can be.
    pub(super) edits: Vec<Vec<Edit>>,
    /// Files that come and go.
    pub(super) files: Vec<File>,
    /// Objects that others can write to.
    pub(super) things: Vec<Thing>,
    /// Whether Apps may be given other policies than they have.
    pub(super) varies_apps: bool,
    /// What the last commit brings besides tags, so that none of it has failed before.
    pub(super) last: Vec<Edit>,
}

/// A file that comes and goes.
#[derive(Debug)]
pub(super) struct File {
    pub(super) path: String,
    /// What it can hold.
    pub(super) texts: Vec<String>,
    /// Whether no commit that has it can be deployed: it is gone at the end.
    pub(super) is_broken: bool,
    /// A file that must not be there together with it.
    pub(super) instead_of: Option<&'static str>,
}

impl Ground {
    /// How many Apps there are, objects that are drifted, and images that are bumped.
    #[must_use]
    pub fn extent(&self) -> (usize, usize, usize) {
        (self.start.apps.len(), self.things.len(), self.images.len())
    }
}

pub(super) fn placed<T>(value: T) -> Placed<T> {
    Placed { value, at: NOWHERE }
}
