//! What the engine tells: Kubernetes Events and Git notes, as texts and objects. Sending is the
//! reconciler's; webhooks and chat come to stand beside these.

use crate::base::Time;
use crate::engine::model::{LABEL, MANAGER, NAMESPACE, config_map_name};
use crate::object::{Gvr, Object, ObjectId, event, json};

/// The resource that Events are written to.
pub const EVENTS: Gvr = Gvr::new("", "v1", "events");

/// Every reason there is.
pub const REASONS: [&str; 11] = [
    "Ready",
    "Failed",
    "RolledBack",
    "RevertPushed",
    "Held",
    "Degraded",
    "Recovered",
    "DriftCorrected",
    "DriftReported",
    "DriftFight",
    "FetchFailed",
];

/// Something told about an App.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice<'a> {
    /// The App.
    pub app: &'a str,
    /// One of [`REASONS`].
    pub reason: &'static str,
    /// For people.
    pub message: String,
    /// What it is about, where that is one object and not the App.
    pub about: Option<&'a ObjectId>,
}

impl Notice<'_> {
    /// Whether it is bad news.
    #[must_use]
    pub fn is_warning(&self) -> bool {
        matches!(
            self.reason,
            "Failed" | "Held" | "Degraded" | "DriftReported" | "DriftFight" | "FetchFailed"
        )
    }

    /// The Event that tells it. `number` makes the name unique within the engine's life.
    #[must_use]
    pub fn to_event(&self, now: Time, number: u64) -> Object {
        let involved = match self.about {
            Some(id) => json!({"kind": id.kind, "namespace": id.namespace, "name": id.name}),
            None => json!({
                "apiVersion": "v1",
                "kind": "ConfigMap",
                "namespace": NAMESPACE,
                "name": config_map_name(self.app, 0),
            }),
        };
        let told = event::Told {
            name: &format!("{}.{:x}.{number}", self.app, now.as_micros()),
            about: involved,
            warning: self.is_warning(),
            reason: self.reason,
            message: &self.message,
            component: MANAGER,
            host: "",
            at: now,
        };
        let mut object = told.into_object();
        object.set(&["metadata", "labels", LABEL], self.app.into());
        object
    }
}

/// One line of the audit trail in `refs/notes/towtank`.
#[must_use]
pub fn note_line(now: Time, app: &str, what: &str) -> String {
    format!("{} {app}: {what}", now.rfc3339())
}

/// The first seven characters of a commit id, as people write it.
#[must_use]
pub fn short(commit: &str) -> &str {
    commit.get(..7).unwrap_or(commit)
}
