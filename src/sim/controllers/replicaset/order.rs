//! Which pods go first when there are too many (R-CTL-12).

use std::cmp::{Ordering, Reverse};
use std::collections::BTreeMap;
use std::sync::Arc;

use crate::base::Time;
use crate::object::{Object, Value};
use crate::sim::controllers::caches::Caches;
use crate::sim::controllers::kinds::{POD, REPLICA_SET};
use crate::sim::controllers::pod;

/// How many active pods each node has, of `set` and of all sets with the same controller.
pub(super) fn related<'a>(caches: &'a Caches, set: &'a Object) -> BTreeMap<&'a str, usize> {
    let mut by_node = BTreeMap::new();
    let siblings: Vec<&str> = match set.controller() {
        Some(owner) => {
            caches.controlled(REPLICA_SET, owner.uid).map(|sibling| sibling.uid()).collect()
        }
        None => Vec::new(),
    };
    for uid in siblings {
        for pod in caches.controlled(POD, uid).filter(|pod| pod::is_active(pod)) {
            *by_node.entry(node(pod)).or_default() += 1;
        }
    }
    by_node
}

fn node(pod: &Object) -> &str {
    pod.text(&["spec", "nodeName"]).unwrap_or_default()
}

/// The `count` pods to be deleted.
pub(super) fn first_to_go<'a>(
    now: Time,
    active: &[&'a Arc<Object>],
    related: &BTreeMap<&str, usize>,
    count: usize,
) -> Vec<&'a Arc<Object>> {
    let mut pods = active.to_vec();
    if count < pods.len() {
        pods.sort_by(|one, other| compare(now, one, other, related));
    }
    pods.truncate(count);
    pods
}

/// Less means: goes first. Ages are compared by their order of magnitude (a power of two) and
/// then by uid, so that it is not always the newest that goes.
fn compare(now: Time, a: &Object, b: &Object, related: &BTreeMap<&str, usize>) -> Ordering {
    let rank = |pod: &Object| related.get(node(pod)).copied().unwrap_or(0);
    let early = (!node(a).is_empty())
        .cmp(&!node(b).is_empty())
        .then_with(|| phase_rank(a).cmp(&phase_rank(b)))
        .then_with(|| pod::is_ready(a).cmp(&pod::is_ready(b)))
        .then_with(|| cost(a).cmp(&cost(b)))
        .then_with(|| Reverse(rank(a)).cmp(&Reverse(rank(b))));
    if early != Ordering::Equal {
        return early;
    }
    if let (Some(ready_a), Some(ready_b)) = (pod::ready_since(a), pod::ready_since(b))
        && ready_a != ready_b
    {
        return by_age(now, ready_a, ready_b).then_with(|| a.uid().cmp(b.uid()));
    }
    let restarts = Reverse(restarts(a)).cmp(&Reverse(restarts(b)));
    restarts.then_with(|| {
        let (made_a, made_b) = (made(a), made(b));
        if made_a == made_b {
            return Ordering::Equal;
        }
        by_age(now, made_a, made_b).then_with(|| a.uid().cmp(b.uid()))
    })
}

fn by_age(now: Time, a: Time, b: Time) -> Ordering {
    let magnitude = |since: Time| {
        let nanos = now.since(since).as_nanos();
        nanos.checked_ilog2().map_or(-1, i64::from)
    };
    magnitude(a).cmp(&magnitude(b))
}

fn phase_rank(pod: &Object) -> u8 {
    match pod::phase(pod) {
        "Pending" => 0,
        "Unknown" => 1,
        _ => 2,
    }
}

fn cost(pod: &Object) -> i64 {
    let text = pod.annotation("controller.kubernetes.io/pod-deletion-cost");
    text.and_then(|text| text.parse().ok()).unwrap_or(0)
}

fn restarts(pod: &Object) -> i64 {
    let statuses = pod.list(&["status", "containerStatuses"]).iter();
    statuses.filter_map(|s| s.get("restartCount").and_then(Value::as_i64)).max().unwrap_or(0)
}

fn made(pod: &Object) -> Time {
    let text = pod.text(&["metadata", "creationTimestamp"]);
    text.and_then(Time::parse_rfc3339).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::object::json;
    use std::time::Duration;

    fn pod(name: &str, node: &str, ready_for: Option<u64>, more: Value) -> Arc<Object> {
        let now = Time::VIRTUAL_START;
        let mut pod = json!({"kind": "Pod", "metadata": {"name": name, "uid": name},
            "spec": {"nodeName": node}, "status": {"phase": "Running"}});
        if let Some(seconds) = ready_for {
            pod["status"]["conditions"] = json!([{"type": "Ready", "status": "True",
                "lastTransitionTime": (now - Duration::from_secs(seconds)).rfc3339()}]);
        }
        let mut object = Object::from_value(pod).unwrap();
        if let Value::Object(map) = more {
            for (key, value) in map {
                object.set(&["status", &key], value);
            }
        }
        Arc::new(object)
    }

    fn order(pods: &[Arc<Object>], related: &[(&str, usize)]) -> String {
        let related = related.iter().copied().collect();
        let active: Vec<_> = pods.iter().collect();
        let mut all = active.clone();
        all.sort_by(|a, b| compare(Time::VIRTUAL_START, a, b, &related));
        all.iter().map(|pod| pod.name()).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn what_serves_least_goes_first() {
        let none = Value::Null;
        let pods = [
            pod("old", "x", Some(5000), none.clone()),
            pod("young", "x", Some(2), none.clone()),
            pod("unready", "x", None, none.clone()),
            pod("restarted", "x", None, json!({"containerStatuses": [{"restartCount": 3}]})),
            pod("pending", "x", None, json!({"phase": "Pending"})),
            pod("unassigned", "", None, json!({"phase": "Pending"})),
        ];
        assert_eq!(order(&pods, &[]), "unassigned pending restarted unready young old");
    }

    #[test]
    fn the_pod_on_the_fuller_node_goes_first() {
        let pods = [pod("a", "x", Some(9), Value::Null), pod("b", "y", Some(9), Value::Null)];
        assert_eq!(order(&pods, &[("x", 1), ("y", 2)]), "b a");
    }
}
