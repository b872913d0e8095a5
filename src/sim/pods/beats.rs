//! The heartbeats of nodes (R-CTL-30): a Lease renewed every 10 s, a status posted every 5 min.
//!
//! They are written only where somebody could see it. A world at rest would otherwise be busy
//! with nothing else: what is due is made up for in one write when a client reads or watches
//! Leases or nodes, and when a node stops. Who reads sees what he would have seen; what nobody
//! could see is not there. Whether somebody looks is known to the world, which asks.

use std::collections::BTreeMap;
use std::time::Duration;

use super::nodes::node_name;
use super::{LEASES, NODES};
use crate::api::{PatchKind, Request};
use crate::base::Time;
use crate::object::{Value, json};

/// How often a Lease is renewed: a quarter of its 40 s.
const RENEW: Duration = Duration::from_secs(10);

/// How often a status is posted that did not change (`nodeStatusReportFrequency`).
const POST: Duration = Duration::from_secs(300);

/// The heartbeats of all nodes, by their number.
#[derive(Debug, Default)]
pub(super) struct Beats {
    nodes: BTreeMap<usize, Beat>,
}

#[derive(Clone, Copy, Debug)]
struct Beat {
    since: Time,
    silent_since: Option<Time>,
    /// How many renewals and posts were written.
    renewed: u32,
    posted: u32,
}

impl Beat {
    /// The number of the last beat at `now`, and when it was.
    fn last(&self, every: Duration, now: Time) -> (u32, Time) {
        let until = self.silent_since.map_or(now, |silent| silent.min(now));
        let micros = |span: Duration| u64::try_from(span.as_micros()).unwrap_or(u64::MAX);
        let number = micros(until.since(self.since)) / micros(every);
        let number = u32::try_from(number).unwrap_or(u32::MAX);
        (number, self.since + every * number)
    }
}

impl Beats {
    /// The node is registered, or is back: its Lease was written just now.
    pub(super) fn begin(&mut self, node: usize, now: Time) {
        let beat = Beat { since: now, silent_since: None, renewed: 0, posted: 0 };
        self.nodes.insert(node, beat);
    }

    /// The node falls silent; gives the time of its last beat.
    pub(super) fn stop(&mut self, node: usize, now: Time) -> Time {
        let beat = self.nodes.entry(node).or_insert(Beat {
            since: now,
            silent_since: None,
            renewed: 0,
            posted: 0,
        });
        beat.silent_since = Some(beat.silent_since.unwrap_or(now));
        beat.last(RENEW, now).1
    }

    /// Whether it stopped.
    pub(super) fn is_silent(&self, node: usize) -> bool {
        self.nodes.get(&node).is_some_and(|beat| beat.silent_since.is_some())
    }

    /// What is due and was not written, with the time at which it is due.
    pub(super) fn take_overdue(&mut self, now: Time) -> Vec<(Time, Request)> {
        let mut overdue = Vec::new();
        for (index, beat) in &mut self.nodes {
            let name = node_name(*index);
            let (number, at) = beat.last(RENEW, now);
            if number > beat.renewed {
                beat.renewed = number;
                let body = json!({"spec": {"renewTime": at.rfc3339_micro()}});
                let lease = "kube-node-lease";
                overdue.push((at, Request::patch(LEASES, lease, &name, PatchKind::Merge, body)));
            }
            let (number, at) = beat.last(POST, now);
            if number > beat.posted {
                beat.posted = number;
                let body = json!({"status": {"conditions": heartbeats(at)}});
                let patch = Request::patch(NODES, "", &name, PatchKind::Strategic, body);
                overdue.push((at, patch.subresource("status")));
            }
        }
        overdue.sort_by_key(|(at, _)| *at);
        overdue
    }

    /// When the next beat is due.
    pub(super) fn next(&self, now: Time) -> Option<Time> {
        let alive = self.nodes.values().filter(|beat| beat.silent_since.is_none());
        alive.map(|beat| beat.last(RENEW, now).1 + RENEW).min()
    }
}

fn heartbeats(at: Time) -> Value {
    let kinds = ["MemoryPressure", "DiskPressure", "PIDPressure", "Ready"];
    kinds.iter().map(|kind| json!({"type": kind, "lastHeartbeatTime": at.rfc3339()})).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Time {
        Time::VIRTUAL_START + Duration::from_secs(seconds)
    }

    /// What is written at these seconds, as `resource at second`.
    fn check(beats: &mut Beats, now: u64, want: &[&str]) {
        let overdue = beats.take_overdue(at(now));
        let told: Vec<String> = overdue
            .iter()
            .map(|(time, request)| {
                let second = time.since(Time::VIRTUAL_START).as_secs();
                format!("{} {second}", request.resource.plural)
            })
            .collect();
        assert_eq!(told, want, "at {now}");
    }

    #[test]
    fn only_the_last_of_each_kind_is_made_up_for_and_silence_ends_them() {
        let mut beats = Beats::default();
        beats.begin(0, at(0));
        check(&mut beats, 9, &[]);
        check(&mut beats, 95, &["leases 90"]);
        check(&mut beats, 99, &[]);
        check(&mut beats, 905, &["leases 900", "nodes 900"]);
        assert_eq!(beats.next(at(905)), Some(at(910)));
        assert_eq!(beats.stop(0, at(929)), at(920));
        check(&mut beats, 2_000, &["leases 920"]);
        assert_eq!(beats.next(at(2_000)), None);
        beats.begin(0, at(3_000));
        assert!(!beats.is_silent(0));
        check(&mut beats, 3_010, &["leases 3010"]);
    }
}
