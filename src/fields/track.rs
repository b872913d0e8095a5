//! What a change of the object does to who owns it; the part that applying and updating share.

use super::Write;
use super::conflict::Conflicts;
use super::entry::{Entry, ManagerId, Operation};
use super::managers::Managed;
use super::versions::{Changes, Types, refresh};
use crate::base::limits;
use crate::object::Object;
use crate::object::fieldset::{Set, never_recorded};

/// The name under which old updaters' entries are kept together (R-SSA-27).
const ANCIENT: &str = "ancient-changes";

/// Takes from everybody but `own` what changed hands, and from everybody what went. Without
/// `force`, nothing changes hands: that is a conflict.
pub(super) fn hand_over(
    managed: &mut Managed,
    own: Option<&ManagerId>,
    changes: &Changes,
    force: bool,
) -> Result<(), Conflicts> {
    let is_other = |entry: &Entry| own.is_none_or(|own| !entry.is(own));
    if !force {
        let set = |e| &changes.for_entry(e).set;
        let holders = managed.entries.iter().filter(|e| is_other(e) && e.touches(set(e)));
        let conflicts: Vec<(ManagerId, Set)> =
            holders.map(|e| (e.id(), e.set().intersection(set(e)))).collect();
        if !conflicts.is_empty() {
            return Err(Conflicts::of(conflicts));
        }
    }
    for entry in &mut managed.entries {
        let changed = changes.for_entry(entry);
        if is_other(entry) {
            entry.give_up(&changed.set);
        }
        entry.give_up(&changed.removed);
    }
    managed.entries.retain(|e| !e.is_empty());
    Ok(())
}

/// Records a write without apply (R-SSA-19): what it set is its manager's too, what it removed is
/// nobody's.
///
/// # Errors
/// An object cannot be taken to a version that somebody owns something in.
pub(super) fn record(
    types: Types<'_>,
    states: (&Object, &Object),
    managed: &mut Managed,
    manager: &str,
    write: &Write<'_>,
) -> Result<(), String> {
    refresh(types, states.0, managed, write)?;
    let changes = Changes::between(types, states, managed, write)?;
    let id = ManagerId::new(manager, Operation::Update, write.api_version, write.subresource);
    // With force there are no conflicts to return.
    let _ = hand_over(managed, Some(&id), &changes, true);
    let mut set = changes.own.set;
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
    Ok(())
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
