//! Which owners of an object are there, which are gone, and which wait for their dependents.

use super::{FOREGROUND, has_finalizer};
use crate::api::Request;
use crate::object::{Object, meta::OwnerRef};
use crate::sim::controllers::kinds::Served;
use crate::sim::controllers::plan::{Asked, Call, Cx};

/// What is known of an object's owners.
#[derive(Debug)]
pub(super) enum Owners<'a> {
    /// Of one nothing can be known: its kind is not served, or it cannot own this object. The
    /// object is left alone.
    Unknown,
    /// The server has to say whether these are there.
    Ask(Vec<Call>),
    /// How many are there, and the uids of those that are gone or wait for their dependents.
    Known {
        /// There, and not waiting.
        solid: usize,
        /// Gone.
        absent: Vec<&'a str>,
        /// In foreground deletion.
        waiting: Vec<&'a str>,
    },
}

enum One {
    Solid,
    Absent,
    Waiting,
    Ask(Box<Call>),
    Unknown,
}

/// Looks at all owners of `object`, which lives in a namespace or does not.
pub(super) fn classify<'a>(cx: &Cx, is_namespaced: bool, object: &'a Object) -> Owners<'a> {
    let (mut solid, mut absent, mut waiting) = (0, Vec::new(), Vec::new());
    let mut questions = Vec::new();
    for owner in object.owners() {
        match classify_one(cx, is_namespaced, object, owner) {
            One::Solid => solid += 1,
            One::Absent => absent.push(owner.uid),
            One::Waiting => waiting.push(owner.uid),
            One::Ask(call) => questions.push(*call),
            One::Unknown => return Owners::Unknown,
        }
    }
    if questions.is_empty() {
        Owners::Known { solid, absent, waiting }
    } else {
        Owners::Ask(questions)
    }
}

fn classify_one(cx: &Cx, is_namespaced: bool, object: &Object, owner: OwnerRef) -> One {
    let group = owner.api_version.split_once('/').map_or("", |(group, _)| group);
    let Some(slot) = cx.caches.slot_of_kind(group, owner.kind) else { return One::Unknown };
    let served = &cx.caches.served()[slot];
    if !is_namespaced && served.namespaced {
        return One::Unknown;
    }
    let namespace = if served.namespaced { object.namespace() } else { "" };
    let cached = cx.caches.get(slot, namespace, owner.name);
    if let Some(cached) = cached.filter(|cached| cached.uid() == owner.uid) {
        return there(cached);
    }
    // Seen to go, or seen to be somewhere where it cannot own this object.
    if cx.caches.was_seen_to_go(owner.uid) || cx.caches.by_uid(owner.uid).is_some() {
        return One::Absent;
    }
    match cx.asked.iter().find(|asked| is_about(asked, served, namespace, owner.name)) {
        Some(asked) => match asked.response.as_object().filter(|live| live.uid() == owner.uid) {
            Some(live) => there(live),
            None => One::Absent,
        },
        None => {
            let get = Request::get(served.resource.clone(), namespace, owner.name);
            One::Ask(Box::new(Call::new(get)))
        }
    }
}

fn there(owner: &Object) -> One {
    let waits = owner.is_deleting() && has_finalizer(owner, FOREGROUND);
    if waits { One::Waiting } else { One::Solid }
}

fn is_about(asked: &Asked, served: &Served, namespace: &str, name: &str) -> bool {
    let request = &asked.request;
    request.resource == served.resource
        && request.namespace.as_deref().unwrap_or_default() == namespace
        && request.name.as_deref() == Some(name)
}
