//! What images do in a scenario: patterns, and the behaviour that pods play (`sim::pods`).

use super::duration::show;
use super::model::Placed;
use crate::sim::pods::{Behaviour, Hook, Images, Live, Pull, Ready, Stop};

/// What the images that fit a pattern do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageRule {
    /// The pattern, as [`Images`](crate::sim::pods::Images) takes it.
    pub pattern: Placed<String>,
    /// What they do. In a step it replaces all that was said for this pattern before.
    pub script: Behaviour,
}

impl ImageRule {
    /// What all rules say, for the nodes.
    #[must_use]
    pub fn all(rules: &[Self]) -> Images {
        let mut images = Images::new();
        for rule in rules {
            images.set(&rule.pattern.value, rule.script.clone());
        }
        images
    }

    /// What is said of the images, on one line.
    pub(super) fn summary(&self) -> String {
        let script = &self.script;
        let mut parts = Vec::new();
        parts.extend(script.pull.map(|pull| match pull {
            Pull::Takes(time) => format!("pull {}", show(time)),
            Pull::Fails => "pull fails".to_owned(),
            Pull::Never => "pull never".to_owned(),
        }));
        parts.extend(script.start.map(|time| format!("start {}", show(time))));
        parts.extend(script.ready.map(|ready| match ready {
            Ready::After(time) => format!("ready {}", show(time)),
            Ready::Never => "ready never".to_owned(),
        }));
        parts.extend(script.crash.map(|crash| format!("crash after {}", show(crash.after))));
        parts.extend(script.live.map(|Live::Until(time)| format!("live until {}", show(time))));
        parts.extend(script.exit.map(|e| format!("exit {} after {}", e.code, show(e.after))));
        parts.extend(script.post_start.map(|hook| format!("postStart {}", said(hook))));
        parts.extend(script.pre_stop.map(|hook| format!("preStop {}", said(hook))));
        parts.extend(script.stop.map(|stop| match stop {
            Stop::Takes(time) => format!("stop {}", show(time)),
            Stop::Ignored => "stop ignored".to_owned(),
            Stop::Hangs => "stop hangs".to_owned(),
        }));
        if parts.is_empty() {
            parts.push("as the profile says".to_owned());
        }
        format!("{}: {}", self.pattern, parts.join(", "))
    }
}

/// A hook as a scenario writes it.
pub(super) fn said(hook: Hook) -> String {
    match hook {
        Hook::Takes(time) => show(time),
        Hook::Fails(_) => "fails".to_owned(),
        Hook::Never => "never".to_owned(),
    }
}
