//! Which pods of a Job are made and which are deleted (R-CTL-17, R-CTL-18): as many as the
//! parallelism and what is left to do allow, of an indexed Job one for each index.

use std::cmp::Reverse;
use std::sync::Arc;

use super::count::{FAILURES, IGNORED, failures};
use super::policy::{self, Action};
use super::{
    Managed, Scene, TRACKING, backoff, indexes, is_indexed, is_tracked, replaces_only_failed,
    untrack,
};
use crate::base::Time;
use crate::object::{Object, Value, json};
use crate::sim::controllers::plan::Call;
use crate::sim::controllers::pod;

impl<'a> Scene<'a> {
    /// Deletes pods.
    pub(super) fn delete(&self, pods: &[&'a Arc<Object>]) -> Managed {
        Managed {
            batches: vec![pods.iter().map(|gone| pod::delete(self.job, gone)).collect()],
            gone: pods.len(),
            gone_ready: pods.iter().filter(|pod| pod::is_ready(pod)).count(),
            ..Managed::default()
        }
    }

    /// Deletes pods that are not to be counted: they lose the finalizer first.
    fn dismiss(&self, pods: &[&'a Arc<Object>]) -> Managed {
        let mut managed = self.delete(pods);
        let tracked = pods.iter().filter(|pod| is_tracked(pod));
        managed.batches.insert(0, tracked.map(|pod| untrack(pod)).collect());
        managed
    }

    /// Makes or deletes pods, but never both in one sync.
    pub(super) fn manage(&self) -> Managed {
        if self.job.flag(&["spec", "suspend"]) {
            return self.dismiss(&self.active);
        }
        let active = i64::try_from(self.active.len()).unwrap_or(i64::MAX);
        let wanted = self.wanted(active);
        let surplus = self.surplus(usize::try_from(active - wanted).unwrap_or(0));
        if !surplus.is_empty() {
            return self.dismiss(&surplus);
        }
        let is_held = replaces_only_failed(self.job);
        let terminating = self.pods.iter().filter(|pod| is_held && pod::is_terminating(pod));
        let terminating = i64::try_from(terminating.count()).unwrap_or(i64::MAX);
        let missing = usize::try_from(wanted - terminating - active).unwrap_or(0);
        if missing == 0 {
            return Managed::default();
        }
        let is_alone = self.count.failed_indexes.is_some();
        if let Some(at) = self.backoff.until().filter(|at| !is_alone && *at > self.now) {
            return Managed { again: Some(at), ..Managed::default() };
        }
        if !is_indexed(self.job) {
            let calls = (0..missing).map(|_| self.create(None)).collect();
            return Managed { batches: vec![calls], made: missing, ..Managed::default() };
        }
        let (ready, again) = self.pending(missing);
        let made = ready.len();
        let calls = ready.into_iter().map(|index| self.create(Some(index))).collect();
        let again = again.filter(|_| made == 0);
        Managed { batches: vec![calls], made, again, ..Managed::default() }
    }

    /// How many pods are to be active.
    fn wanted(&self, active: i64) -> i64 {
        let parallel = self.number("parallelism").unwrap_or(1);
        let succeeded = self.count.total_succeeded(&self.pods);
        match self.number("completions") {
            Some(completions) => (completions - succeeded).min(parallel).max(0),
            // A queue of work: after the first success no more are begun.
            None if succeeded > 0 => active,
            None => parallel,
        }
    }

    /// At least so many pods that are to go; of an index only one stays.
    fn surplus(&self, least: usize) -> Vec<&'a Arc<Object>> {
        let (mut gone, mut left) = (Vec::new(), Vec::new());
        let mut seen = Vec::new();
        for pod in self.by_worth() {
            let index = indexes::of(pod, self.count.end);
            let is_double = index.is_none() || seen.contains(&index);
            if is_indexed(self.job) && is_double {
                gone.push(pod)
            } else {
                left.push(pod)
            }
            seen.push(index);
        }
        left.reverse();
        let more = least.saturating_sub(gone.len());
        gone.extend(left.into_iter().take(more));
        gone
    }

    /// Active pods, the one that does most good first: bound, running, ready, old.
    fn by_worth(&self) -> Vec<&'a Arc<Object>> {
        // Turned round, so that of equals the first by name goes.
        let mut pods: Vec<_> = self.active.iter().rev().copied().collect();
        pods.sort_by_key(|pod| {
            let is_bound = pod.text(&["spec", "nodeName"]).is_some_and(|node| !node.is_empty());
            let made = pod.text(&["metadata", "creationTimestamp"]);
            let made = made.and_then(Time::parse_rfc3339).unwrap_or_default();
            let is_running = pod::phase(pod) == "Running";
            let since = pod::ready_since(pod);
            (Reverse((is_bound, is_running, since.is_some())), since, made)
        });
        pods
    }

    /// The lowest indexes that want a pod, at most `count`: those of which one may be made now,
    /// and when the first of the others may.
    fn pending(&self, count: usize) -> (Vec<i64>, Option<Time>) {
        let is_held = replaces_only_failed(self.job);
        let busy = |pod: &Object| pod::is_active(pod) || is_held && pod::is_terminating(pod);
        let busy: Vec<_> = self.pods.iter().filter(|pod| busy(pod)).collect();
        let is_free = |index: &i64| {
            !busy.iter().any(|pod| indexes::any(pod) == Some(*index))
                && !self.count.succeeded_indexes.has(*index)
                && !self.count.failed_indexes.as_ref().is_some_and(|failed| failed.has(*index))
        };
        let (mut ready, mut again) = (Vec::new(), None::<Time>);
        for index in (0..self.count.end).filter(is_free).take(count) {
            match self.index_waits(index).filter(|at| *at > self.now) {
                Some(at) => again = Some(again.map_or(at, |before| before.min(at))),
                None => ready.push(index),
            }
        }
        (ready, again)
    }

    fn index_waits(&self, index: i64) -> Option<Time> {
        let last = self.count.delayed.get(&index)?;
        let times = u32::try_from(failures(last, true) + 1).unwrap_or(u32::MAX);
        backoff::until(times, backoff::ended_at(last))
    }

    fn create(&self, index: Option<i64>) -> Call {
        let mut new = pod::from_template(self.job);
        let mut finalizers: Vec<Value> = new.list(&["metadata", "finalizers"]).to_vec();
        if !finalizers.iter().any(|f| f == TRACKING) {
            finalizers.push(TRACKING.into());
        }
        new.set(&["metadata", "finalizers"], finalizers.into());
        if let Some(index) = index {
            self.give_index(&mut new, index);
        }
        pod::create(self.job, new)
    }

    /// Tells a pod its index: by name, host name, label, annotation and variable.
    fn give_index(&self, new: &mut Object, index: i64) {
        let text = index.to_string();
        let name = format!("{}-{index}", self.job.name());
        new.set(&["metadata", "generateName"], format!("{name}-").into());
        new.set(&["metadata", "annotations", indexes::NAME], text.as_str().into());
        new.set(&["metadata", "labels", indexes::NAME], text.into());
        new.set(&["spec", "hostname"], name.into());
        if self.count.failed_indexes.is_some() {
            let last = self.count.delayed.get(&index);
            let is_ignored =
                last.is_some_and(|last| policy::of_failure(self.job, last) == Action::Ignore);
            let counted = last.map_or(0, |last| failures(last, false));
            let ignored = last.map_or(0, |last| failures(last, true)) - counted;
            let counted = counted + i64::from(last.is_some() && !is_ignored);
            let ignored = ignored + i64::from(is_ignored);
            new.set(&["metadata", "annotations", FAILURES], counted.to_string().into());
            if ignored > 0 {
                new.set(&["metadata", "annotations", IGNORED], ignored.to_string().into());
            }
        }
        let path = format!("metadata.labels['{}']", indexes::NAME);
        let variable = json!({"name": "JOB_COMPLETION_INDEX",
            "valueFrom": {"fieldRef": {"fieldPath": path}}});
        for field in ["initContainers", "containers"] {
            let mut containers = new.list(&["spec", field]).to_vec();
            for container in &mut containers {
                let mut all = container["env"].as_array().cloned().unwrap_or_default();
                if all.iter().all(|one| one["name"] != variable["name"]) {
                    all.push(variable.clone());
                    container["env"] = all.into();
                }
            }
            if !containers.is_empty() {
                new.set(&["spec", field], containers.into());
            }
        }
    }
}
