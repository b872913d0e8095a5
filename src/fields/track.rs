//! What a change of the object does to who owns it; the part that applying and updating share.

use super::compare::compare;
use super::conflict::Conflicts;
use super::entry::{Entry, ManagerId, Operation};
use super::managers::Managed;
use super::{Write, reconcile::reconcile};
use crate::base::limits;
use crate::object::Object;
use crate::object::fieldset::{Set, never_recorded};
use crate::object::schema::{Schema, TypeId, builtin};

/// The name under which old updaters' entries are kept together (R-SSA-27).
const ANCIENT: &str = "ancient-changes";

/// Whether entries of a version are still of use: it is the one written, or it is served.
fn is_served(schema: &Schema, kind: &str, version: &str, write: &Write<'_>) -> bool {
    let (group, number) = version.split_once('/').unwrap_or(("", version));
    version == write.api_version || schema.kind(group, number, kind).is_some()
}

/// Drops entries of versions that are gone (R-SSA-32) and brings sets in line with the schema.
///
/// The built-in schema does not change in a server's life, and what is stored of one version was
/// brought in line with it when it was written.
pub(super) fn refresh(
    schema: &Schema,
    ty: TypeId,
    kind: &str,
    managed: &mut Managed,
    write: &Write<'_>,
) {
    managed.entries.retain(|e| is_served(schema, kind, e.api_version(), write));
    let one_version = managed.entries.iter().all(|e| e.api_version() == write.api_version);
    let settled = one_version && std::ptr::eq(schema, builtin());
    for entry in &mut managed.entries {
        if settled && entry.fields().is_some() {
            continue;
        }
        if let Some(set) = reconcile(schema, ty, &entry.set()) {
            *entry.set_mut() = set;
        }
    }
}

/// Takes from everybody but `own` what changed hands, and from everybody what went. Without
/// `force`, nothing changes hands: that is a conflict.
pub(super) fn hand_over(
    managed: &mut Managed,
    own: Option<&ManagerId>,
    changed: &Set,
    removed: &Set,
    force: bool,
) -> Result<(), Conflicts> {
    let is_other = |entry: &Entry| own.is_none_or(|own| !entry.is(own));
    if !force {
        let holders = managed.entries.iter().filter(|e| is_other(e) && e.touches(changed));
        let conflicts: Vec<(ManagerId, Set)> =
            holders.map(|e| (e.id(), e.set().intersection(changed))).collect();
        if !conflicts.is_empty() {
            return Err(Conflicts::of(conflicts));
        }
    }
    for entry in &mut managed.entries {
        if is_other(entry) {
            entry.give_up(changed);
        }
        entry.give_up(removed);
    }
    managed.entries.retain(|e| !e.is_empty());
    Ok(())
}

/// Records a write without apply (R-SSA-19): what it set is its manager's too, what it removed is
/// nobody's.
pub(super) fn record(
    schema: &Schema,
    ty: TypeId,
    versions: (&Object, &Object),
    managed: &mut Managed,
    manager: &str,
    write: &Write<'_>,
) {
    refresh(schema, ty, versions.1.kind(), managed, write);
    let mut changes = compare(schema, ty, &versions.0.0, &versions.1.0).without(write.reset);
    let removed = std::mem::take(&mut changes.removed);
    let mut set = changes.set();
    let id = ManagerId::new(manager, Operation::Update, write.api_version, write.subresource);
    // With force there are no conflicts to return.
    let _ = hand_over(managed, Some(&id), &set, &removed, true);
    let hidden = set.intersection(never_recorded());
    set.subtract(&hidden);
    if let Some(entry) = managed.get_mut(&id) {
        entry.give_up(&hidden);
        if !set.is_empty() {
            entry.own(&set);
            entry.set_time(Some(write.now.rfc3339()));
        }
    } else {
        let time = Some(write.now.rfc3339());
        managed.entries.push(Entry::new(&id, write.api_version, set, time));
    }
    managed.entries.retain(|e| !e.is_empty());
    cap(managed);
}

/// Keeps the number of updaters down (R-SSA-27): the oldest of each version become one.
fn cap(managed: &mut Managed) {
    let updaters = managed.entries.iter().filter(|e| e.operation() == Operation::Update);
    let mut count = updaters.clone().count();
    if count <= limits::MANAGED_FIELDS_UPDATES {
        return;
    }
    let mut updaters: Vec<(Option<String>, ManagerId)> =
        updaters.map(|e| (e.time().map(str::to_owned), e.id())).collect();
    updaters.sort();
    let mut first: Vec<ManagerId> = Vec::new();
    for (time, id) in updaters {
        if count <= limits::MANAGED_FIELDS_UPDATES {
            break;
        }
        let version = id.api_version.clone();
        let Some(kept) = first.iter().position(|f| f.api_version == version) else {
            first.push(id);
            continue;
        };
        let bucket = ManagerId::new(ANCIENT, Operation::Update, &version, "");
        if managed.get(&bucket).is_none()
            && let Some(mut entry) = managed.take(&first[kept])
        {
            // Upstream leaves the time of the first one behind; the one below replaces it.
            entry.give_to(ANCIENT);
            managed.put(entry);
        }
        if let (Some(old), Some(into)) = (managed.take(&id), managed.get_mut(&bucket)) {
            *into.set_mut() = old.set().union(&into.set());
            into.set_time(time);
            count -= 1;
        }
    }
}
