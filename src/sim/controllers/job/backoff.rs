//! How long failed pods of a Job hold new ones up (R-CTL-17): ten seconds after the first failure
//! since the last success, twice as long after each further one, at most ten minutes.
//!
//! Upstream keeps the count of failures in memory, since pods that failed may be gone; here it is
//! the memory of the Job's key.

use std::sync::Arc;
use std::time::Duration;

use crate::base::Time;
use crate::object::{Object, Value, json};

/// First and longest pause.
const PAUSE: (Duration, Duration) = (Duration::from_secs(10), Duration::from_secs(600));

/// Failures since the last success.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Backoff {
    failures: u32,
    last: Option<Time>,
}

impl Backoff {
    /// As it was kept.
    pub(super) fn read(memory: Option<&Value>) -> Self {
        let Some(memory) = memory else { return Self::default() };
        let failures = memory["failures"].as_u64().and_then(|n| u32::try_from(n).ok());
        let last = memory["last"].as_u64().map(Time::from_micros);
        Self { failures: failures.unwrap_or(0), last }
    }

    /// To be kept; null where there is nothing to remember.
    pub(super) fn written(self) -> Value {
        if self == Self::default() {
            return Value::Null;
        }
        json!({"failures": self.failures, "last": self.last.map(Time::as_micros)})
    }

    /// The same with pods that have ended since.
    pub(super) fn with(mut self, succeeded: &[&Arc<Object>], failed: &[&Arc<Object>]) -> Self {
        let success = succeeded.iter().map(|pod| ended_at(pod)).max();
        if success.is_some() {
            self = Self::default();
        }
        for at in failed.iter().map(|pod| ended_at(pod)) {
            if success.is_none_or(|success| at > success) {
                self.failures = self.failures.saturating_add(1);
                self.last = self.last.max(Some(at));
            }
        }
        self
    }

    /// Until when no pod is made; `None` where nothing failed.
    pub(super) fn until(self) -> Option<Time> {
        until(self.failures, self.last?)
    }
}

/// Until when the index of a failed pod waits, that failed `failures` times.
pub(super) fn until(failures: u32, last: Time) -> Option<Time> {
    let doublings = failures.checked_sub(1)?.min(16);
    let pause = PAUSE.0.saturating_mul(1 << doublings).min(PAUSE.1);
    Some(last + pause)
}

/// When a pod ended: by its containers, else when it became unready, else when it was to be gone,
/// else when it was made.
pub(super) fn ended_at(pod: &Object) -> Time {
    let time = |text: &Value| text.as_str().and_then(Time::parse_rfc3339);
    let statuses = pod.list(&["status", "containerStatuses"]).iter();
    let ends: Option<Vec<Time>> =
        statuses.map(|s| time(&s["state"]["terminated"]["finishedAt"])).collect();
    let unready = || {
        let ready = pod.condition("Ready").filter(|c| c["status"] == "False")?;
        time(ready.get("lastTransitionTime")?)
    };
    let asked = || {
        let until = time(pod.at(&["metadata", "deletionTimestamp"])?)?;
        let grace = pod.int(&["metadata", "deletionGracePeriodSeconds"]).unwrap_or(0);
        let grace = Duration::from_secs(u64::try_from(grace).unwrap_or(0));
        Some(until - grace)
    };
    let made = || time(pod.at(&["metadata", "creationTimestamp"])?);
    let by_containers = ends.and_then(|ends| ends.into_iter().max());
    by_containers.or_else(unready).or_else(asked).or_else(made).unwrap_or_default()
}
