//! Managed fields on their way between an object and its `/scale` (R-SSA-34).
//!
//! A write through `/scale` is tracked on the Scale: give it [`to_scale`] of the object's entries,
//! call [`update`](super::update) or [`apply`](super::apply) on it, and put [`to_parent`] of the
//! outcome into the object.

use super::entry::{Entry, Operation};
use super::managers::{Managed, NotManaged};
use crate::object::Object;
use crate::object::fieldset::{Path, Set};

const SCALE_VERSION: &str = "autoscaling/v1";

fn replicas() -> Path {
    ["spec", "replicas"].into_iter().collect()
}

/// Puts into a Scale the entries of the object that own its replicas, which it keeps under `path`.
///
/// # Errors
/// If the object's managed fields cannot be read.
pub fn to_scale(parent: &Object, scale: &mut Object, path: &[&str]) -> Result<(), NotManaged> {
    let path: Path = path.iter().copied().collect();
    let mut managed = Managed::of(parent)?;
    managed.entries.retain(|e| e.has(&path));
    for entry in &mut managed.entries {
        *entry.set_mut() = [replicas()].into_iter().collect();
        entry.set_api_version(SCALE_VERSION);
    }
    managed.write_to(scale);
    Ok(())
}

/// Puts into an object of version `api_version` what a write of its Scale did to the owners of
/// its replicas. An updater's entry comes back under the Scale's version and thus as a new one, and
/// a new entry has no time; both as upstream. The object keeps its replicas under `path`.
///
/// # Errors
/// If either's managed fields cannot be read.
pub fn to_parent(
    scale: &Object,
    parent: &mut Object,
    api_version: &str,
    path: &[&str],
) -> Result<(), NotManaged> {
    let path: Path = path.iter().copied().collect();
    let only: Set = [path.clone()].into_iter().collect();
    let mut of_scale = Managed::of(scale)?;
    let mut out = Managed::default();
    for mut entry in Managed::of(parent)?.entries {
        if entry.has(&path) && of_scale.take(&entry.id()).is_none() {
            entry.set_mut().subtract(&only);
        }
        if !entry.is_empty() {
            out.put(entry);
        }
    }
    let own = replicas();
    for entry in of_scale.entries.into_iter().filter(|e| e.has(&own)) {
        let entry = Entry::new(&entry.id(), api_version, only.clone(), None);
        match entry.operation() {
            Operation::Apply => out.put(entry),
            Operation::Update => out.entries.push(entry),
        }
    }
    out.write_to(parent);
    Ok(())
}
