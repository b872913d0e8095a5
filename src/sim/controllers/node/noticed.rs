//! What the controllers notice of nodes as time passes and no object says: when a node was last
//! heard of, since when it has a taint, since when it is gone.
//!
//! The nodes that the same world plays are *kept*: they need not renew their Leases to be known
//! as alive, because the world says when one of them falls silent. Of all others only what they
//! write counts.

use std::collections::BTreeMap;

use crate::api::Change;
use crate::base::Time;
use crate::object::{Object, Value};

/// See the file.
#[derive(Debug, Default)]
pub(crate) struct Noticed {
    /// The nodes that are kept, and since when they are silent.
    kept: BTreeMap<String, Option<Time>>,
    heard: BTreeMap<String, Heard>,
    tainted: BTreeMap<String, Vec<Taint>>,
    /// The taints before the last change of them.
    former: BTreeMap<String, (Time, Vec<Value>)>,
    gone: BTreeMap<String, Time>,
}

/// A `NoExecute` taint, and since when it is there.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Taint {
    pub(crate) taint: Value,
    pub(crate) since: Time,
}

#[derive(Debug, Default)]
struct Heard {
    renewed: String,
    posted: String,
    at: Time,
}

impl Noticed {
    /// The world plays a node: alive, or silent since then.
    pub(crate) fn keep(&mut self, node: &str, silent_since: Option<Time>) {
        self.kept.insert(node.to_owned(), silent_since);
    }

    /// When something was last heard of a node; `None` where it is known to be alive.
    pub(crate) fn heard(&self, node: &Object) -> Option<Time> {
        match self.kept.get(node.name()) {
            Some(silent_since) => *silent_since,
            None => self.heard.get(node.name()).map(|heard| heard.at),
        }
    }

    /// The `NoExecute` taints of a node.
    pub(crate) fn taints(&self, node: &str) -> &[Taint] {
        self.tainted.get(node).map_or(&[], Vec::as_slice)
    }

    /// The `NoExecute` taints that a node had before they changed, if that was just now.
    pub(crate) fn former(&self, node: &str, now: Time) -> &[Value] {
        let former = self.former.get(node).filter(|(at, _)| *at == now);
        former.map_or(&[], |(_, taints)| taints.as_slice())
    }

    /// Since when a node that pods are bound to is not there.
    pub(crate) fn gone_since(&self, node: &str) -> Option<Time> {
        self.gone.get(node).copied()
    }

    /// A Lease of the namespace of nodes changed.
    pub(crate) fn see_lease(&mut self, change: &Change, now: Time) {
        let Some(lease) = &change.new else { return };
        let renewed = lease.text(&["spec", "renewTime"]).unwrap_or_default();
        let heard = self.heard.entry(lease.name().to_owned()).or_default();
        if heard.renewed.as_str() < renewed {
            renewed.clone_into(&mut heard.renewed);
            heard.at = now;
        }
    }

    /// A node changed.
    pub(crate) fn see_node(&mut self, change: &Change, now: Time) {
        let Some(node) = &change.new else {
            if let Some(old) = &change.old {
                self.gone.insert(old.name().to_owned(), now);
                self.heard.remove(old.name());
                self.tainted.remove(old.name());
            }
            return;
        };
        self.gone.remove(node.name());
        let ready = node.condition("Ready");
        let posted = ready.and_then(|ready| ready["lastHeartbeatTime"].as_str());
        let is_new = change.old.as_ref().is_none_or(|old| old.uid() != node.uid());
        let heard = self.heard.entry(node.name().to_owned()).or_default();
        if is_new || posted.is_some_and(|posted| posted != heard.posted) {
            heard.posted = posted.unwrap_or_default().to_owned();
            heard.at = now;
        }
        self.see_taints(node, now);
    }

    fn see_taints(&mut self, node: &Object, now: Time) {
        let evicting = node.list(&["spec", "taints"]).iter();
        let evicting = evicting.filter(|taint| taint["effect"] == "NoExecute");
        let before = self.tainted.remove(node.name()).unwrap_or_default();
        let since = |taint: &Value| {
            let known = before.iter().find(|known| known.taint == *taint);
            Taint { taint: taint.clone(), since: known.map_or(now, |known| known.since) }
        };
        let after: Vec<Taint> = evicting.map(since).collect();
        if after != before {
            let former = before.into_iter().map(|taint| taint.taint).collect();
            self.former.insert(node.name().to_owned(), (now, former));
        }
        if !after.is_empty() {
            self.tainted.insert(node.name().to_owned(), after);
        }
    }

    /// A pod is bound to a node that is not there.
    pub(crate) fn miss(&mut self, node: &str, now: Time) {
        self.gone.entry(node.to_owned()).or_insert(now);
    }
}
