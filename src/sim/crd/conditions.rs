//! What a definition's status says: which names it got, whether it is established, how far its
//! end has come (R-CRD-03, R-CRD-07). What the controllers inside a kube-apiserver write, step by
//! step, each step a write of the status.

use crate::base::Time;
use crate::object::schema::node::{text, texts};
use crate::object::{Map, Object, Value, json};

/// Holds a definition until its objects are gone.
pub const FINALIZER: &str = "customresourcecleanup.apiextensions.k8s.io";

/// Whether a condition is there and `True`.
#[must_use]
pub fn is_true(crd: &Object, kind: &str) -> bool {
    crd.condition(kind).and_then(|c| c.get("status")).and_then(Value::as_str) == Some("True")
}

/// What is left of the objects of a definition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Left {
    /// Nothing.
    None,
    /// Some.
    Some,
    /// They are those of a built-in kind, which no definition deletes.
    BuiltIn,
}

/// The definition after the next step that is due; `None` where none is. `all` are the
/// definitions of the cluster, `left` says what is left of its objects.
#[must_use]
pub fn next(now: Time, crd: &Object, all: &[&Object], left: &dyn Fn() -> Left) -> Option<Object> {
    approved(now, crd)
        .or_else(|| named(now, crd, all))
        .or_else(|| established(now, crd))
        .or_else(|| ending(now, crd, left))
}

/// Sets a condition as upstream does: the time changes with the status.
fn set(crd: &mut Object, now: Time, [kind, status, reason, message]: [&str; 4]) {
    let mut conditions = crd.list(&["status", "conditions"]).to_vec();
    let mut condition = json!({ "type": kind, "status": status, "lastTransitionTime": now.rfc3339(),
        "reason": reason, "message": message });
    match conditions.iter_mut().find(|c| c["type"] == kind) {
        Some(old) => {
            if old["status"] == status {
                condition["lastTransitionTime"] = old["lastTransitionTime"].clone();
            }
            if let Some(seen) = old.get("observedGeneration") {
                condition["observedGeneration"] = seen.clone();
            }
            *old = condition;
        }
        None => conditions.push(condition),
    }
    crd.set(&["status", "conditions"], Value::Array(conditions));
}

/// The names that definitions of one group hold.
#[derive(Default)]
struct Taken {
    resources: Vec<String>,
    kinds: Vec<String>,
}

impl Taken {
    fn of(group: &str, all: &[&Object]) -> Self {
        let mut taken = Self::default();
        for crd in all.iter().filter(|crd| crd.text(&["spec", "group"]) == Some(group)) {
            let names = crd.at(&["status", "acceptedNames"]).unwrap_or(&Value::Null);
            taken.resources.extend([text(names, "plural"), text(names, "singular")]);
            taken.resources.extend(texts(names, "shortNames"));
            taken.kinds.extend([text(names, "kind"), text(names, "listKind")]);
        }
        taken
    }
}

const SINGLE: [(&str, &str); 4] = [
    ("plural", "PluralConflict"),
    ("singular", "SingularConflict"),
    ("kind", "KindConflict"),
    ("listKind", "ListKindConflict"),
];

/// Accepts the names that nobody else of the group holds.
fn named(now: Time, crd: &Object, all: &[&Object]) -> Option<Object> {
    let wanted = crd.at(&["spec", "names"])?;
    let nothing = json!({});
    let held = crd.at(&["status", "acceptedNames"]).unwrap_or(&nothing);
    if wanted == held {
        return None;
    }
    let taken = Taken::of(crd.text(&["spec", "group"])?, all);
    let (names, conflict) = accepted(wanted, held, &taken);
    let condition = match &conflict {
        Some((reason, message)) => ["NamesAccepted", "False", reason, message],
        None => ["NamesAccepted", "True", "NoConflicts", "no conflicts found"],
    };
    let is_same = crd.condition("NamesAccepted").is_some_and(|old| {
        ["status", "reason", "message"].iter().zip(&condition[1..]).all(|(k, v)| old[*k] == **v)
    });
    if is_same && names == *held {
        return None;
    }
    let mut after = crd.clone();
    after.set(&["status", "acceptedNames"], names);
    set(&mut after, now, condition);
    if !is_true(crd, "Established") {
        if conflict.is_none() {
            let text = "the initial names have been accepted";
            set(&mut after, now, ["Established", "False", "Installing", text]);
        } else if crd.condition("Established").is_none() {
            let text = "not all names are accepted";
            set(&mut after, now, ["Established", "False", "NotAccepted", text]);
        }
    }
    Some(after)
}

/// The names that are held from now on, and the reason and text of the last conflict.
fn accepted(
    wanted: &Value,
    held: &Value,
    taken: &Taken,
) -> (Value, Option<(&'static str, String)>) {
    let mut names = held.as_object().cloned().unwrap_or_default();
    let mut conflict = None;
    let is_free = |name: &str, held: &str, taken: &[String]| {
        name == held || !taken.iter().any(|taken| taken == name)
    };
    for (key, reason) in SINGLE {
        if key == "kind" {
            let faults = short_names(wanted, held, taken, &mut names);
            conflict = faults.map(|text| ("ShortNamesConflict", text)).or(conflict);
        }
        let pool = if key.ends_with("ind") { &taken.kinds } else { &taken.resources };
        let name = text(wanted, key);
        if is_free(&name, &text(held, key), pool) {
            names.insert(key.to_owned(), name.into());
        } else {
            conflict = Some((reason, format!("{name:?} is already in use")));
        }
    }
    copy(wanted, "categories", &mut names);
    let order = ["plural", "singular", "shortNames", "kind", "listKind", "categories"];
    let sorted: Map =
        order.iter().filter_map(|key| Some(((*key).to_owned(), names.get(key)?.clone()))).collect();
    (Value::Object(sorted), conflict)
}

/// Takes the short names over unless one is another's, which is told.
fn short_names(wanted: &Value, held: &Value, taken: &Taken, names: &mut Map) -> Option<String> {
    if wanted.get("shortNames") == held.get("shortNames") {
        return None;
    }
    let own = texts(held, "shortNames");
    let mut faults: Vec<String> = Vec::new();
    for name in texts(wanted, "shortNames") {
        let fault = format!("{name:?} is already in use");
        if !own.contains(&name) && taken.resources.contains(&name) && !faults.contains(&fault) {
            faults.push(fault);
        }
    }
    match faults.as_slice() {
        [] => {
            copy(wanted, "shortNames", names);
            None
        }
        [one] => Some(one.clone()),
        many => Some(format!("[{}]", many.join(", "))),
    }
}

fn copy(from: &Value, key: &str, to: &mut Map) {
    match from.get(key) {
        Some(value) => to.insert(key.to_owned(), value.clone()),
        None => to.remove(key),
    };
}

const APPROVAL: &str = "api-approved.kubernetes.io";

/// Whether a group belongs to the Kubernetes community, whose definitions need an approval.
#[must_use]
pub fn is_protected(group: &str) -> bool {
    ["k8s.io", "kubernetes.io"].iter().any(|own| {
        group.strip_suffix(own).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    })
}

/// How a definition of a protected group stands: the status of its condition, the reason and the
/// text.
#[must_use]
pub fn approval(crd: &Object) -> (&'static str, &'static str, String) {
    let see = "see https://github.com/kubernetes/enhancements/pull/1111";
    let annotation = crd.annotation(APPROVAL).unwrap_or_default();
    let is_url = annotation.split_once("://").is_some_and(|(scheme, rest)| {
        let host = rest.split('/').next().unwrap_or_default();
        !scheme.is_empty() && !host.is_empty() && !annotation.contains(' ')
    });
    if annotation.is_empty() {
        let text = format!("protected groups must have approval annotation {APPROVAL:?}, {see}");
        ("False", "MissingAnnotation", text)
    } else if annotation.starts_with("unapproved") {
        ("False", "UnapprovedAnnotation", format!("not approved: {annotation:?}"))
    } else if is_url {
        ("True", "ApprovedAnnotation", format!("approved in {annotation}"))
    } else {
        let text = format!(
            "protected groups must have approval annotation {APPROVAL:?} with either a URL or a reason starting with \"unapproved\", {see}"
        );
        ("False", "InvalidAnnotation", text)
    }
}

fn approved(now: Time, crd: &Object) -> Option<Object> {
    if !is_protected(crd.text(&["spec", "group"])?) {
        return None;
    }
    let kind = "KubernetesAPIApprovalPolicyConformant";
    let (status, reason, message) = approval(crd);
    let is_same = crd.condition(kind).is_some_and(|old| {
        old["status"] == status && old["reason"] == reason && old["message"] == message
    });
    if is_same {
        return None;
    }
    let mut after = crd.clone();
    set(&mut after, now, [kind, status, reason, &message]);
    Some(after)
}

fn established(now: Time, crd: &Object) -> Option<Object> {
    if !is_true(crd, "NamesAccepted") || is_true(crd, "Established") {
        return None;
    }
    let mut after = crd.clone();
    let text = "the initial names have been accepted";
    set(&mut after, now, ["Established", "True", "InitialNamesAccepted", text]);
    Some(after)
}

/// Marks a definition that somebody deletes.
pub fn mark_ending(crd: &mut Object, now: Time) {
    let text =
        "CustomResourceDefinition marked for deletion; CustomResource deletion will begin soon";
    set(crd, now, ["Terminating", "True", "InstanceDeletionPending", text]);
}

/// The steps of an end: it begins, and when nothing is left the definition is let go.
fn ending(now: Time, crd: &Object, left: &dyn Fn() -> Left) -> Option<Object> {
    if !crd.is_deleting() || !crd.finalizers().any(|f| f == FINALIZER) {
        return None;
    }
    let mut after = crd.clone();
    let reason = crd.condition("Terminating").map_or(&Value::Null, |c| &c["reason"]);
    if *reason != "InstanceDeletionInProgress" {
        let text = "CustomResource deletion is in progress";
        set(&mut after, now, ["Terminating", "True", "InstanceDeletionInProgress", text]);
        return Some(after);
    }
    let objects = left();
    let [reason, text] = if objects == Left::BuiltIn {
        ["OverlappingBuiltInResource", "instances overlap with built-in resources in storage"]
    } else if !is_true(crd, "Established") {
        ["NeverEstablished", "resource was never established"]
    } else if objects == Left::None {
        ["InstanceDeletionCompleted", "removed all instances"]
    } else {
        return None;
    };
    set(&mut after, now, ["Terminating", "False", reason, text]);
    let others: Vec<Value> =
        crd.finalizers().filter(|f| *f != FINALIZER).map(Value::from).collect();
    if others.is_empty() {
        after.remove(&["metadata", "finalizers"]);
    } else {
        after.set(&["metadata", "finalizers"], Value::Array(others));
    }
    Some(after)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn crd(names: Value) -> Object {
        let value = json!({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
            "metadata": {"name": "things.g.io"}, "spec": {"group": "g.io", "names": names}});
        Object::from_value(value).unwrap()
    }

    fn settled(mut crd: Object, others: &[&Object]) -> Object {
        for _ in 0..9 {
            let before = crd.clone();
            let all: Vec<&Object> = others.iter().copied().chain([&before]).collect();
            let Some(after) = next(Time::VIRTUAL_START, &before, &all, &|| Left::None) else {
                break;
            };
            crd = after;
        }
        crd
    }

    #[test]
    fn names_are_accepted_and_then_it_is_established() {
        let names = json!({"plural": "things", "singular": "thing", "kind": "Thing", "listKind": "ThingList"});
        let first = settled(crd(names.clone()), &[]);
        assert_eq!(first.at(&["status", "acceptedNames"]), Some(&names));
        assert!(is_true(&first, "NamesAccepted") && is_true(&first, "Established"));
    }

    #[test]
    fn a_name_of_another_is_not_accepted() {
        let names = json!({"plural": "things", "singular": "thing", "kind": "Thing", "listKind": "ThingList"});
        let first = settled(crd(names), &[]);
        let names = json!({"plural": "others", "singular": "thing", "kind": "Thing", "listKind": "OtherList"});
        let second = settled(crd(names), &[&first]);
        let expect = json!({"plural": "others", "listKind": "OtherList"});
        assert_eq!(second.at(&["status", "acceptedNames"]), Some(&expect));
        let condition = second.condition("NamesAccepted").unwrap();
        assert_eq!(condition["reason"], "KindConflict");
        assert_eq!(condition["message"], "\"Thing\" is already in use");
        assert!(!is_true(&second, "Established"));
    }

    #[test]
    fn a_group_of_the_community_is_known_by_its_end() {
        for (group, expect) in
            [("k8s.io", true), ("x.k8s.io", true), ("xk8s.io", false), ("kubernetes.io", true)]
        {
            assert_eq!(is_protected(group), expect, "{group}");
        }
    }
}
