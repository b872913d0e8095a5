//! The taints that move pods off a node that is not ready (R-CTL-30), and how fast: one node of a
//! zone in ten seconds, none in a small zone that is mostly lost, none where every node of the
//! cluster is lost, because then it is rather the control plane that cannot see.

use std::sync::Arc;
use std::time::Duration;

use super::{is_not_ready, taints};
use crate::base::Time;
use crate::object::{Object, Value, json};
use crate::sim::controllers::kinds::NODE;
use crate::sim::controllers::plan::{Cx, Plan};

const NOT_READY: &str = "node.kubernetes.io/not-ready";
const UNREACHABLE: &str = "node.kubernetes.io/unreachable";

/// The pause between two nodes of a zone (`--node-eviction-rate`, 0.1 a second).
const PACE: Duration = Duration::from_secs(10);

/// From so many nodes on that are not ready a zone can be disrupted, and from this part of them
/// in percent (`--unhealthy-zone-threshold`).
const DISRUPTED: (usize, usize) = (3, 55);

/// The next step for the `NoExecute` taints of one node, and when to look again.
pub(super) fn no_execute(cx: &Cx, node: &Arc<Object>) -> (Plan, Option<Time>) {
    let before = node.list(&["spec", "taints"]);
    let Some(ready) = node.condition("Ready") else { return (Plan::nothing(), None) };
    let wanted = match ready["status"].as_str() {
        Some("False") => Some(NOT_READY),
        Some("Unknown") => Some(UNREACHABLE),
        _ => None,
    };
    let wanted = wanted.filter(|_| cx.caches.all(NODE).any(|node| !is_not_ready(node)));
    let is_ours = |taint: &Value| {
        taint["effect"] == "NoExecute" && (taint["key"] == NOT_READY || taint["key"] == UNREACHABLE)
    };
    let has = |key: &str| before.iter().any(|taint| is_ours(taint) && taint["key"] == key);
    let tainted = before.iter().any(is_ours);
    let mut after: Vec<Value> = before.iter().filter(|taint| !is_ours(taint)).cloned().collect();
    match wanted {
        None if !tainted => return (Plan::nothing(), None),
        None => {}
        Some(key) if has(key) => return (Plan::nothing(), None),
        // A node that changes from one to the other is tainted already and waits for nobody.
        Some(_) if !tainted => match may_be_tainted(cx, node) {
            Turn::Now => {}
            Turn::At(at) => return (Plan::nothing(), Some(at)),
            Turn::Never => return (Plan::nothing(), None),
        },
        Some(_) => {}
    }
    if let Some(key) = wanted {
        let taint = json!({"key": key, "effect": "NoExecute", "timeAdded": cx.now.rfc3339()});
        after.push(taint);
    }
    (taints::write(node, after), None)
}

enum Turn {
    Now,
    At(Time),
    Never,
}

/// Whether it is the node's turn in its zone.
fn may_be_tainted(cx: &Cx, node: &Object) -> Turn {
    let zone = zone_of(node);
    let peers: Vec<_> = cx.caches.all(NODE).filter(|peer| zone_of(peer) == zone).collect();
    let lost: Vec<_> = peers.iter().filter(|peer| is_not_ready(peer)).collect();
    let is_full = lost.len() == peers.len();
    if !is_full && lost.len() >= DISRUPTED.0 && lost.len() * 100 >= peers.len() * DISRUPTED.1 {
        return Turn::Never;
    }
    let last = lost.iter().filter_map(|peer| tainted_at(peer)).max();
    let free = last.map_or(cx.now, |at| at + PACE).max(cx.now);
    let waiting = lost.iter().filter(|peer| tainted_at(peer).is_none());
    let first = waiting.min_by_key(|peer| (lost_since(peer), peer.name()));
    let is_first = first.is_none_or(|first| first.name() == node.name());
    if is_first && free <= cx.now {
        Turn::Now
    } else {
        Turn::At(free.max(cx.now + Duration::from_secs(1)))
    }
}

fn zone_of(node: &Object) -> (Option<&str>, Option<&str>) {
    let label = |name: &str| node.label(name);
    (label("topology.kubernetes.io/region"), label("topology.kubernetes.io/zone"))
}

fn lost_since(node: &Object) -> Option<&str> {
    node.condition("Ready").and_then(|ready| ready["lastTransitionTime"].as_str())
}

/// When the controller tainted a node last.
fn tainted_at(node: &Object) -> Option<Time> {
    let taints = node.list(&["spec", "taints"]).iter();
    let ours = taints.filter(|taint| {
        taint["effect"] == "NoExecute" && (taint["key"] == NOT_READY || taint["key"] == UNREACHABLE)
    });
    ours.filter_map(|taint| Time::parse_rfc3339(taint["timeAdded"].as_str()?)).max()
}
