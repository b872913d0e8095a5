//! Whether a rollout has failed already, seen from the pods of its new revision, long before a
//! progress deadline or a health timeout says so.
//!
//! Three things count: an image that cannot be had for [`limits::FAIL_FAST_PULL_GRACE`], a
//! container that cannot be configured for [`limits::FAIL_FAST_CONFIG_GRACE`], and a container
//! that crashed [`limits::FAIL_FAST_CRASHES`] times. Which pods are of the new revision is `live`'s to say; who asks, and what follows, is
//! `reconcile`'s.

use std::time::Duration;

use crate::base::{Time, limits};
use crate::object::{Object, Value};

/// What one pod says about its rollout.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PodVerdict {
    /// Nothing bad (yet).
    Fine,
    /// It will have failed at `fails_at` unless it gets better.
    Failing {
        /// One word: the container's waiting reason.
        reason: String,
        /// A sentence that names the container.
        message: String,
        /// Since when it is known; to be given back at the next call for the same pod.
        since: Time,
        /// When it counts as failed: when to ask again.
        fails_at: Time,
    },
    /// The rollout has failed.
    Failed {
        /// One word: the container's waiting reason, or `CrashLoop`.
        reason: String,
        /// A sentence that names the container.
        message: String,
    },
}

/// What keeps a container from being started but may pass.
const PASSING: [&str; 4] = ["ErrImagePull", "ImagePullBackOff", "ErrImageNeverPull", UNCONFIGURED];

const UNCONFIGURED: &str = "CreateContainerConfigError";

/// What `pod`, which is of the new revision, says about its rollout at `now`.
///
/// No status tells since when an image cannot be pulled, so the caller keeps it: `since` is that
/// of the last verdict on this pod if that was [`PodVerdict::Failing`], else `None`.
#[must_use]
pub fn pod_failure(pod: &Object, since: Option<Time>, now: Time) -> PodVerdict {
    if pod.is_deleting() {
        return PodVerdict::Fine;
    }
    let failed = containers(pod).find_map(|c| refused(c).or_else(|| crashed(c)));
    if let Some((reason, message)) = failed {
        return PodVerdict::Failed { reason, message };
    }
    let Some((reason, message)) = containers(pod).find_map(held_up) else {
        return PodVerdict::Fine;
    };
    let since = since.unwrap_or(now);
    let fails_at = since + grace(&reason);
    if fails_at <= now {
        PodVerdict::Failed { reason, message }
    } else {
        PodVerdict::Failing { reason, message, since, fails_at }
    }
}

/// How long what may pass is given.
fn grace(reason: &str) -> Duration {
    match reason {
        UNCONFIGURED => limits::FAIL_FAST_CONFIG_GRACE,
        _ => limits::FAIL_FAST_PULL_GRACE,
    }
}

/// Whether a container of `pod` is kept from running just now, not only was some time ago.
#[must_use]
pub fn is_stuck(pod: &Object) -> bool {
    containers(pod).any(|container| {
        waiting(container).is_some_and(|reason| {
            PASSING.contains(&reason) || matches!(reason, "CrashLoopBackOff" | "InvalidImageName")
        })
    })
}

fn containers(pod: &Object) -> impl Iterator<Item = &Value> {
    let init = pod.list(&["status", "initContainerStatuses"]).iter();
    init.chain(pod.list(&["status", "containerStatuses"]))
}

fn waiting(container: &Value) -> Option<&str> {
    container.pointer("/state/waiting/reason").and_then(Value::as_str)
}

fn name(container: &Value) -> &str {
    container.get("name").and_then(Value::as_str).unwrap_or_default()
}

/// The container's own words, after its name.
fn told(container: &Value) -> String {
    let message = container.pointer("/state/waiting/message").and_then(Value::as_str);
    let words = message.or_else(|| waiting(container)).unwrap_or_default();
    format!("container {}: {words}", name(container))
}

/// A name that no registry can have: waiting will not help.
fn refused(container: &Value) -> Option<(String, String)> {
    let reason = waiting(container).filter(|reason| *reason == "InvalidImageName")?;
    Some((reason.to_owned(), told(container)))
}

fn held_up(container: &Value) -> Option<(String, String)> {
    let reason = waiting(container).filter(|reason| PASSING.contains(reason))?;
    Some((reason.to_owned(), told(container)))
}

fn crashed(container: &Value) -> Option<(String, String)> {
    let restarts = container.get("restartCount").and_then(Value::as_u64).unwrap_or(0);
    let exit_code = |path: &str| container.pointer(path).and_then(Value::as_i64);
    let ended = exit_code("/state/terminated/exitCode");
    let down =
        waiting(container) == Some("CrashLoopBackOff") || ended.is_some_and(|code| code != 0);
    let crashes = restarts + u64::from(down);
    let last = ended.or_else(|| exit_code("/lastState/terminated/exitCode"));
    let code = last.map_or_else(String::new, |code| format!(", last with exit code {code}"));
    let message = format!("container {} crashed {crashes} times{code}", name(container));
    (crashes >= limits::FAIL_FAST_CRASHES).then(|| ("CrashLoop".to_owned(), message))
}

#[cfg(test)]
#[path = "failfast_tests.rs"]
mod tests;
