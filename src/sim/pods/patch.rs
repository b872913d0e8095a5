//! The write of a pod's status: a strategic merge patch of what changed, as a kubelet sends it.
//!
//! Conditions are merged by type on the server, so a condition that somebody else owns is never
//! overwritten, however old our copy of the pod is. Lists of containers are replaced whole.

use crate::object::{Map, Object, Value};

/// What turns the status of `pod` into `desired` where that says something; `None` where it is
/// so already.
pub(super) fn status_patch(pod: &Object, desired: &Map) -> Option<Value> {
    let mut changed = Map::new();
    for (key, value) in desired {
        if key != "conditions" && pod.at(&["status", key]) != Some(value) {
            changed.insert(key.clone(), value.clone());
        }
    }
    let ours = desired.get("conditions").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let conditions: Vec<Value> =
        ours.iter().filter_map(|condition| condition_patch(pod, condition)).collect();
    if !conditions.is_empty() {
        changed.insert("$setElementOrder/conditions", order(pod, ours));
        changed.insert("conditions", conditions.into());
    }
    if changed.is_empty() {
        return None;
    }
    let metadata = Value::from_iter([("uid", pod.uid())]);
    Some(Value::from_iter([("metadata", metadata), ("status", changed.into())]))
}

/// The condition with a null for each field that it no longer has; `None` where it is so already.
fn condition_patch(pod: &Object, condition: &Value) -> Option<Value> {
    let before = pod.condition(kind(condition)).and_then(Value::as_object);
    let before = || before.into_iter().flatten().filter(|(_, value)| !value.is_null());
    let after = condition.as_object().into_iter().flatten();
    if before().eq(after) {
        return None;
    }
    let mut patch = condition.clone();
    for (key, _) in before() {
        if condition.get(key).is_none() {
            patch[key] = Value::Null;
        }
    }
    Some(patch)
}

/// Conditions of others first, then ours, as kubelets order them.
fn order(pod: &Object, ours: &[Value]) -> Value {
    let others = pod.list(&["status", "conditions"]).iter();
    let others = others.filter(|c| !ours.iter().any(|own| kind(own) == kind(c)));
    others.chain(ours).map(|c| Value::from_iter([("type", kind(c))])).collect()
}

fn kind(condition: &Value) -> &str {
    condition.get("type").and_then(Value::as_str).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::object::json;

    fn check(status: Value, desired: Value, want: Option<Value>) {
        let pod = json!({"metadata": {"uid": "u"}, "status": status});
        let pod = Object::from_value(pod).unwrap();
        let got = status_patch(&pod, desired.as_object().unwrap());
        assert_eq!(got.map(|patch| patch["status"].clone()), want);
    }

    #[test]
    fn only_what_differs_is_sent() {
        check(json!({"phase": "Running"}), json!({"phase": "Running"}), None);
        let want = Some(json!({"phase": "Running"}));
        let now = json!({"phase": "Running", "podIP": "1"});
        check(json!({"phase": "Pending", "podIP": "1"}), now, want);
    }

    #[test]
    fn a_condition_is_sent_alone_and_loses_what_it_no_longer_says() {
        let before = json!({"conditions": [
            {"type": "Ready", "status": "False", "reason": "ContainersNotReady", "lastProbeTime": null},
            {"type": "example.com/gate", "status": "True"},
            {"type": "PodScheduled", "status": "True", "lastProbeTime": null}]});
        let now = json!({"conditions": [
            {"type": "Ready", "status": "True"}, {"type": "PodScheduled", "status": "True"}]});
        let want = json!({
            "$setElementOrder/conditions":
                [{"type": "example.com/gate"}, {"type": "Ready"}, {"type": "PodScheduled"}],
            "conditions": [{"type": "Ready", "status": "True", "reason": null}]});
        check(before, now, Some(want));
    }
}
