//! Adoption and release: a controller takes what its selector matches and nobody controls, and
//! lets go what it controls but no longer matches (R-CTL-12).
//!
//! Upstream asks the server once more whether the owner is being deleted before it adopts; here
//! the cache answers, and the garbage collector takes care of the rest.

use std::sync::Arc;

use super::caches::Caches;
use super::kinds::{Slot, gvr};
use super::plan::Call;
use super::pod;
use super::selector::Selector;
use crate::api::{PatchKind, Request};
use crate::object::{Object, Value, json};

/// The patches by which `owner` claims objects of `slot`. None while it is being deleted.
pub(crate) fn claims(caches: &Caches, slot: Slot, owner: &Object) -> Vec<Call> {
    claims_of(caches, slot, owner, |_| true)
}

/// The same for an owner that takes only some of what it selects.
pub(crate) fn claims_of(
    caches: &Caches,
    slot: Slot,
    owner: &Object,
    is_member: impl Fn(&Object) -> bool,
) -> Vec<Call> {
    if owner.is_deleting() {
        return Vec::new();
    }
    let selector = Selector::of(owner);
    let released = caches
        .controlled(slot, owner.uid())
        .filter(|object| !selector.matches(object) && is_claimable(object))
        .map(|object| (object, json!({"$patch": "delete", "uid": owner.uid()})));
    let adopted = caches
        .orphans(slot, owner.namespace())
        .filter(|object| is_claimable(object) && !object.is_deleting())
        .filter(|object| selector.matches(object) && is_member(object))
        .map(|object| (object, pod::controller_reference(owner)));
    released.chain(adopted).map(|(object, reference)| patch(slot, object, &reference)).collect()
}

fn is_claimable(object: &Arc<Object>) -> bool {
    object.kind() != "Pod" || pod::is_active(object)
}

fn patch(slot: Slot, object: &Object, reference: &Value) -> Call {
    let body = json!({"metadata": {"ownerReferences": [reference], "uid": object.uid()}});
    let (namespace, name) = (object.namespace(), object.name());
    Call::new(Request::patch(gvr(slot), namespace, name, PatchKind::Strategic, body))
}
