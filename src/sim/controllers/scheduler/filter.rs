//! Whether a pod may run on a node, and the text that says why on none (R-CTL-29).
//!
//! Known: unschedulable nodes, taints, node selector and required node affinity, CPU, memory,
//! number of pods, host ports. By the pods that are there: `peers`; by its claims: `claims`.

use std::collections::BTreeMap;

use super::demand::{Amount, Demand};
use super::nodes::Load;
use super::preempt::Refused;
use crate::object::selector::LabelSelector;
use crate::object::{Object, Value, json};

/// Why a node is out of the question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    /// In the words of the real scheduler.
    pub(super) reasons: Vec<&'static str>,
    /// Whether room on the node would help.
    pub(super) is_for_lack_of_room: bool,
}

impl Refusal {
    pub(super) fn outright(reason: &'static str) -> Self {
        Self { reasons: vec![reason], is_for_lack_of_room: false }
    }
}

/// Whether `node`, which carries `load`, can take the pod. The first filter that refuses decides.
pub(super) fn check(
    pod: &Object,
    demand: &Demand,
    node: &Object,
    load: &Load,
) -> Result<(), Refusal> {
    admits(pod, node)?;
    fits(demand, load)
}

/// Whether the pod asks for some nodes rather than others: by name, label or affinity.
pub(super) fn is_choosy(pod: &Object) -> bool {
    let asks = |part: &str| pod.at(&["spec", part]).is_some();
    asks("nodeSelector") || asks("affinity")
}

/// Whether there is room under this load.
pub(super) fn fits(demand: &Demand, load: &Load) -> Result<(), Refusal> {
    if !demand.ports.is_disjoint(&load.ports) {
        let reason = "node(s) didn't have free ports for the requested pod ports";
        return Err(Refusal { reasons: vec![reason], is_for_lack_of_room: true });
    }
    room(demand, load.has, load.asked)
}

/// Whether `node` would take the pod if it were empty and endless.
pub(super) fn admits(pod: &Object, node: &Object) -> Result<(), Refusal> {
    if node.flag(&["spec", "unschedulable"]) {
        let taint = json!({"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"});
        if !is_tolerated(pod, &taint) {
            return Err(Refusal::outright("node(s) were unschedulable"));
        }
    }
    if is_kept_out(pod, node) {
        return Err(Refusal::outright("node(s) had untolerated taint(s)"));
    }
    if !is_wanted(pod, node) {
        return Err(Refusal::outright("node(s) didn't match Pod's node affinity/selector"));
    }
    Ok(())
}

/// Whether the node has a taint that keeps the pod out.
pub(super) fn is_kept_out(pod: &Object, node: &Object) -> bool {
    node.list(&["spec", "taints"]).iter().any(|taint| {
        matches!(taint["effect"].as_str(), Some("NoSchedule" | "NoExecute"))
            && !is_tolerated(pod, taint)
    })
}

fn room(demand: &Demand, has: Amount, used: Amount) -> Result<(), Refusal> {
    let (asked, free) = (demand.asked, has.minus(used));
    let mut reasons = Vec::new();
    let mut would_fit_when_empty = true;
    let mut compare = |asked: i64, free: i64, has: i64, reason| {
        if asked > 0 && asked > free {
            reasons.push(reason);
            would_fit_when_empty &= asked <= has;
        }
    };
    compare(asked.pods, free.pods, has.pods, "Too many pods");
    compare(asked.cpu_millis, free.cpu_millis, has.cpu_millis, "Insufficient cpu");
    compare(asked.memory_bytes, free.memory_bytes, has.memory_bytes, "Insufficient memory");
    if reasons.is_empty() {
        return Ok(());
    }
    Err(Refusal { reasons, is_for_lack_of_room: would_fit_when_empty })
}

/// Whether a toleration of the pod is for `taint`.
pub(super) fn is_tolerated(pod: &Object, taint: &Value) -> bool {
    pod.list(&["spec", "tolerations"]).iter().any(|toleration| tolerates(toleration, taint))
}

/// Whether a toleration is for `taint`.
pub(crate) fn tolerates(toleration: &Value, taint: &Value) -> bool {
    fn text<'a>(of: &'a Value, key: &str) -> &'a str {
        of.get(key).and_then(Value::as_str).unwrap_or_default()
    }
    let (effect, key) = (text(toleration, "effect"), text(toleration, "key"));
    let is_for_any_value = text(toleration, "operator") == "Exists";
    (effect.is_empty() || effect == text(taint, "effect"))
        && (key.is_empty() || key == text(taint, "key"))
        && (is_for_any_value || text(toleration, "value") == text(taint, "value"))
}

/// Whether a pod that is on the node may stay: only taints that evict matter.
pub(super) fn keeps(pod: &Object, node: &Object) -> bool {
    let taints = node.list(&["spec", "taints"]).iter();
    let mut evicting = taints.filter(|taint| taint["effect"] == "NoExecute");
    evicting.all(|taint| is_tolerated(pod, taint)) && is_wanted(pod, node)
}

/// `nodeSelector` and the required terms of node affinity, of which one has to hold.
pub(super) fn is_wanted(pod: &Object, node: &Object) -> bool {
    let pairs = pod.at(&["spec", "nodeSelector"]).and_then(Value::as_object);
    let has_pairs =
        pairs.into_iter().flatten().all(|(key, value)| node.label(key) == value.as_str());
    let required = pod.at(&[
        "spec",
        "affinity",
        "nodeAffinity",
        "requiredDuringSchedulingIgnoredDuringExecution",
    ]);
    let terms = required.and_then(|r| r.get("nodeSelectorTerms")).and_then(Value::as_array);
    has_pairs && terms.is_none_or(|terms| terms.iter().any(|term| holds(term, node)))
}

pub(super) fn holds(term: &Value, node: &Object) -> bool {
    let fields = json!({"metadata.name": node.name()});
    let matches = |part: &str, labels| {
        let Some(expressions) = term.get(part) else { return true };
        LabelSelector::from_value(&json!({"matchExpressions": expressions})).matches(labels)
    };
    let is_empty =
        |part: &str| term.get(part).is_none_or(|v| v.as_array().is_none_or(Vec::is_empty));
    // A term that says nothing selects nothing.
    !(is_empty("matchExpressions") && is_empty("matchFields"))
        && matches("matchExpressions", node.labels())
        && matches("matchFields", fields.as_object())
}

/// The same where no node was looked at, because of the pod itself.
pub(super) fn message_of_pod(nodes: usize, why: &str) -> String {
    // What follows the full stop is what 1.36 makes of a search for victims that did not begin.
    format!("0/{nodes} nodes are available: {why}. not found")
}

/// `0/2 nodes are available: ...`, as the real scheduler puts it; `preemption` is what came of
/// looking for pods that could go.
pub(super) fn message(refused: &[Refused], preemption: &str) -> String {
    if refused.is_empty() {
        return "no nodes available to schedule pods".to_owned();
    }
    let reasons = refused.iter().flat_map(|refused| &refused.refusal.reasons);
    let reasons = counted(reasons.copied());
    let tail = match preemption {
        "" => String::new(),
        tail => format!(" no new claims to deallocate, {tail}"),
    };
    format!("0/{} nodes are available: {reasons}.{tail}", refused.len())
}

/// That nobody could go, with the reason of each node.
pub(super) fn no_victims(nodes: usize, reasons: &[String]) -> String {
    let reasons = counted(reasons.iter().map(String::as_str));
    format!("preemption: 0/{nodes} nodes are available: {reasons}.")
}

/// `1 this, 2 that`, in the order of the texts.
fn counted<'a>(reasons: impl Iterator<Item = &'a str>) -> String {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for reason in reasons {
        *counts.entry(reason).or_default() += 1;
    }
    let mut reasons: Vec<String> =
        counts.iter().map(|(reason, count)| format!("{count} {reason}")).collect();
    reasons.sort();
    reasons.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_reasons(pod: &Value, node: Value, expected: &[&str]) {
        let mut node = Object::from_value(node).unwrap();
        if node.at(&["status"]).is_none() {
            let has = json!({"cpu": "1", "memory": "1Gi", "pods": "2"});
            node.set(&["status", "allocatable"], has);
        }
        let pod = Object::from_value(json!({ "spec": pod })).unwrap();
        let load = Load { has: Amount::of_node(&node), ..Load::default() };
        let found = check(&pod, &Demand::of(&pod), &node, &load);
        let reasons = found.map_or_else(|refusal| refusal.reasons, |()| Vec::new());
        assert_eq!(reasons, expected, "{pod:?} on {node:?}");
    }

    #[test]
    fn each_filter_has_the_words_of_the_real_one() {
        let node =
            |spec: Value| json!({"metadata": {"name": "a", "labels": {"z": "1"}}, "spec": spec});
        check_reasons(&json!({}), node(json!({})), &[]);
        let cordoned = json!({"unschedulable": true});
        check_reasons(&json!({}), node(cordoned), &["node(s) were unschedulable"]);
        let tainted = json!({"taints": [{"key": "k", "value": "v", "effect": "NoSchedule"}]});
        check_reasons(&json!({}), node(tainted.clone()), &["node(s) had untolerated taint(s)"]);
        let tolerant = json!({"tolerations": [{"key": "k", "operator": "Exists"}]});
        check_reasons(&tolerant, node(tainted), &[]);
        let elsewhere = "node(s) didn't match Pod's node affinity/selector";
        check_reasons(&json!({"nodeSelector": {"z": "2"}}), node(json!({})), &[elsewhere]);
        let affine = |operator: &str, value: &str| {
            json!({"affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution":
                {"nodeSelectorTerms": [{"matchExpressions":
                    [{"key": "z", "operator": operator, "values": [value]}]}]}}}})
        };
        check_reasons(&affine("Gt", "0"), node(json!({})), &[]);
        check_reasons(&affine("NotIn", "1"), node(json!({})), &[elsewhere]);
        let big =
            json!({"containers": [{"resources": {"requests": {"cpu": "2", "memory": "9Gi"}}}]});
        check_reasons(&big, node(json!({})), &["Insufficient cpu", "Insufficient memory"]);
    }

    #[test]
    fn the_message_counts_nodes_by_reason() {
        let refused = |reason: &'static str| Refused {
            node: String::new(),
            refusal: Refusal { reasons: vec![reason], is_for_lack_of_room: true },
        };
        let short = "Insufficient cpu";
        let refused = ["node(s) were unschedulable", short, short].map(refused);
        let expected = "0/3 nodes are available: 1 node(s) were unschedulable, 2 Insufficient cpu. \
            no new claims to deallocate, preemption: 0/3 nodes are available: 1 a, 2 b.";
        let reasons = ["b", "a", "b"].map(ToOwned::to_owned);
        assert_eq!(message(&refused, &no_victims(3, &reasons)), expected);
    }
}
