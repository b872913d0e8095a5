//! The namespace controller: empties a namespace that is being deleted, pods first, tells in its
//! conditions what remains, and lets it go when nothing does (R-CTL-25).
//!
//! It goes by live answers, not by caches: what is in a namespace when it is let go stays for
//! ever. A step is decided by what was asked last: nothing, the list of pods, or all other lists.

use std::collections::BTreeMap;
use std::time::Duration;

use super::condition::Condition;
use super::kinds::{EVENTS, NAMESPACE, POD, Served, gvr};
use super::plan::{Again, Asked, Call, Cx, Plan};
use super::pod;
use crate::api::{Payload, Propagation, Request, Verb};
use crate::base::Time;
use crate::object::{Object, Value, json, value};

/// How long after a change to a namespace it is looked at, so that caches of a server in several
/// parts know of its end (upstream's figure).
pub(crate) const PAUSE: Duration = Duration::from_secs(5);

/// How long finalizers are expected to take, where they keep objects.
const FINALIZERS_SECONDS: u64 = 15;

/// The conditions in their order, with what they say when all is well.
const GOOD: [(&str, &str, &str); 5] = [
    (
        "NamespaceDeletionDiscoveryFailure",
        "ResourcesDiscovered",
        "All resources successfully discovered",
    ),
    (
        "NamespaceDeletionGroupVersionParsingFailure",
        "ParsedGroupVersions",
        "All legacy kube types successfully parsed",
    ),
    (
        "NamespaceDeletionContentFailure",
        "ContentDeleted",
        "All content successfully deleted, may be waiting on finalization",
    ),
    ("NamespaceContentRemaining", "ContentRemoved", "All content successfully removed"),
    (
        "NamespaceFinalizersRemaining",
        "ContentHasNoFinalizers",
        "All content-preserving finalizers finished",
    ),
];

/// Decides the next step for one namespace.
pub(crate) fn sync(cx: &Cx) -> Plan {
    let namespace = cx.caches.get(NAMESPACE, "", cx.key.name()).filter(|n| n.is_deleting());
    let Some(namespace) = namespace else { return Plan::nothing() };
    if cx.failure.is_some() || namespace.list(&["spec", "finalizers"]).is_empty() {
        return Plan::nothing();
    }
    if namespace.text(&["status", "phase"]) != Some("Terminating") {
        let mut object = Object::clone(namespace);
        object.set(&["status", "phase"], "Terminating".into());
        return Plan::nothing().then(vec![put(object, "status")]);
    }
    match cx.asked {
        [] => empty(cx.key.name(), &[gvr(POD)]),
        [only] if only.request.resource == gvr(POD) => {
            let rest = Remaining::of(cx.now, namespace, cx.asked);
            if rest.objects.is_empty() {
                empty_others(cx)
            } else {
                wait(cx.now, namespace, &rest, true)
            }
        }
        answers => {
            let rest = Remaining::of(cx.now, namespace, answers);
            if rest.objects.is_empty() {
                finish(cx.now, namespace)
            } else {
                wait(cx.now, namespace, &rest, false)
            }
        }
    }
}

fn put(object: Object, subresource: &'static str) -> Call {
    let name = object.name().to_owned();
    Call::new(Request::update(gvr(NAMESPACE), "", &name, object).subresource(subresource))
}

/// Deletes all objects of some resources and lists what is left.
fn empty(namespace: &str, resources: &[crate::object::Gvr]) -> Plan {
    let delete = |gvr: &crate::object::Gvr| {
        let mut request = Request::list(gvr.clone(), namespace);
        request.verb = Verb::DeleteCollection;
        request.options.delete.propagation = Some(Propagation::Background);
        Call::new(request)
    };
    let list = |gvr: &crate::object::Gvr| Call::new(Request::list(gvr.clone(), namespace));
    Plan::nothing()
        .then(resources.iter().map(delete).collect())
        .then(resources.iter().map(list).collect())
        .again(Again::WithAnswers)
}

fn empty_others(cx: &Cx) -> Plan {
    let served = cx.caches.served().iter();
    let mut resources: Vec<_> = served
        .filter(|s: &&Served| s.namespaced && s.resource != gvr(POD))
        .map(|s| s.resource.clone())
        .collect();
    if !resources.contains(&EVENTS.resource) {
        resources.push(EVENTS.resource.clone());
    }
    empty(cx.key.name(), &resources)
}

/// What lists said is left.
#[derive(Debug, Default)]
struct Remaining {
    /// How many, by `resource.group`.
    objects: BTreeMap<String, usize>,
    finalizers: BTreeMap<String, usize>,
    /// How long it is expected to take; `None` where something should be gone and is not.
    seconds: Option<u64>,
}

impl Remaining {
    fn of(now: Time, namespace: &Object, answers: &[Asked]) -> Self {
        let mut rest = Self { seconds: Some(0), ..Self::default() };
        for asked in answers {
            let Payload::List(list) = &asked.response.payload else { continue };
            if list.items.is_empty() {
                continue;
            }
            let resource = &asked.request.resource;
            // A core resource ends in a dot, as upstream prints it.
            let name = format!("{}.{}", resource.plural, resource.group);
            rest.objects.insert(name, list.items.len());
            let mut has_finalizers = false;
            for finalizer in list.items.iter().flat_map(|item| item.finalizers()) {
                has_finalizers = true;
                *rest.finalizers.entry(finalizer.to_owned()).or_default() += 1;
            }
            let grace = if *resource == gvr(POD) { grace(now, namespace, &list.items) } else { 0 };
            let seconds = match (grace, has_finalizers) {
                (0, true) => Some(FINALIZERS_SECONDS),
                (0, false) => None,
                (grace, _) => Some(grace),
            };
            rest.seconds = rest.seconds.zip(seconds).map(|(a, b)| a.max(b));
        }
        rest
    }
}

/// The longest grace of pods that have not ended, unless that time has passed.
fn grace(now: Time, namespace: &Object, pods: &[std::sync::Arc<Object>]) -> u64 {
    let seconds = |pod: &Object| pod.int(&["spec", "terminationGracePeriodSeconds"]).unwrap_or(0);
    let running = pods.iter().filter(|pod| !pod::is_finished(pod));
    let longest = running.map(|pod| seconds(pod)).max().unwrap_or(0);
    let longest = u64::try_from(longest).unwrap_or(0);
    let since = namespace.text(&["metadata", "deletionTimestamp"]).and_then(Time::parse_rfc3339);
    let passed = now.since(since.unwrap_or(now));
    if passed >= Duration::from_secs(longest) { 0 } else { longest }
}

fn finish(now: Time, namespace: &Object) -> Plan {
    let plan = with_conditions(now, namespace, &[]);
    let finalizers = namespace.list(&["spec", "finalizers"]).iter();
    let left: Vec<Value> = finalizers.filter(|f| **f != "kubernetes").cloned().collect();
    let mut object = Object::clone(namespace);
    object.set(&["spec", "finalizers"], left.into());
    // The status written just before moved the revision.
    object.remove(&["metadata", "resourceVersion"]);
    plan.then(vec![put(object, "finalize")])
}

/// Tells what is left and looks again when half of the time it should take has passed.
fn wait(now: Time, namespace: &Object, rest: &Remaining, is_pods_only: bool) -> Plan {
    let list = |counts: &BTreeMap<String, usize>, word: &str| {
        let texts =
            counts.iter().map(|(name, count)| format!("{name} {word} {count} resource instances"));
        texts.collect::<Vec<_>>().join(", ")
    };
    let mut bad = Vec::new();
    // While pods remain upstream writes the other conditions and says nothing of the pods.
    if !is_pods_only {
        let text = format!("Some resources are remaining: {}", list(&rest.objects, "has"));
        bad.push(("NamespaceContentRemaining", "SomeResourcesRemain", text));
        if !rest.finalizers.is_empty() {
            let names = list(&rest.finalizers, "in");
            let text = format!("Some content in the namespace has finalizers remaining: {names}");
            bad.push(("NamespaceFinalizersRemaining", "SomeFinalizersRemain", text));
        }
    }
    if rest.seconds.is_none() {
        let errors: Vec<String> =
            rest.objects.keys().map(|name| unexpected(namespace, name)).collect();
        let (count, errors) = (errors.len(), errors.join(", "));
        let text = format!("Failed to delete all resource types, {count} remaining: {errors}");
        bad.push(("NamespaceDeletionContentFailure", "ContentDeletionFailed", text));
    }
    let again = match rest.seconds {
        Some(seconds) => Again::At(now + Duration::from_secs(seconds / 2 + 1)),
        None => Again::Backoff,
    };
    with_conditions(now, namespace, &bad).again(again)
}

fn unexpected(namespace: &Object, resource: &str) -> String {
    let (plural, group) = resource.split_once('.').unwrap_or((resource, ""));
    let namespace = namespace.name();
    format!(
        "unexpected items still remain in namespace: {namespace} for gvr: {group}/v1, Resource={plural}"
    )
}

/// Writes the conditions, if that changes any.
fn with_conditions(now: Time, namespace: &Object, bad: &[(&str, &str, String)]) -> Plan {
    let before = namespace.list(&["status", "conditions"]);
    let mut after: Vec<Value> = before.to_vec();
    for (kind, reason, message) in GOOD {
        let found = bad.iter().find(|(k, ..)| *k == kind);
        let condition = match found {
            Some((_, reason, message)) => {
                Condition::new(kind, "True", reason, message.as_str(), now)
            }
            None => Condition::new(kind, "False", reason, message, now),
        };
        let mut value = value::to_value(condition).unwrap_or_default();
        match after.iter_mut().find(|c| c["type"] == *kind) {
            None => after.push(value),
            Some(old) => {
                if old["status"] == value["status"] {
                    value["lastTransitionTime"] = old["lastTransitionTime"].clone();
                }
                *old = value;
            }
        }
    }
    if after == before {
        return Plan::nothing();
    }
    let mut object = Object::clone(namespace);
    object.set(&["status", "conditions"], json!(after));
    Plan::nothing().then(vec![put(object, "status")])
}

#[cfg(test)]
mod tests;
