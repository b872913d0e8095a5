//! Kubernetes Events (core/v1) as objects: something told of an object, by a component.
//!
//! Not here: which are told, how often, and what they are named (R-CTL-39): that is the recorder's
//! of each component.

use super::{Object, Value, json};
use crate::base::Time;

/// An Event that is told for the first time.
#[derive(Clone, Debug)]
pub struct Told<'a> {
    /// Its own name.
    pub name: &'a str,
    /// What it is about: an `involvedObject`. The Event lives in its namespace, or in `default`.
    pub about: Value,
    /// Whether it is bad news.
    pub warning: bool,
    /// One word.
    pub reason: &'a str,
    /// For people.
    pub message: &'a str,
    /// Who tells it.
    pub component: &'a str,
    /// On which node, where it is told by one.
    pub host: &'a str,
    /// When.
    pub at: Time,
}

impl Told<'_> {
    /// The object to create.
    #[must_use]
    pub fn into_object(self) -> Object {
        let namespace = match self.about.get("namespace").and_then(Value::as_str) {
            None | Some("") => "default",
            Some(namespace) => namespace,
        };
        let stamp = self.at.rfc3339();
        let mut value = json!({
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {"name": self.name, "namespace": namespace},
            "type": if self.warning { "Warning" } else { "Normal" },
            "reason": self.reason,
            "message": self.message,
            "count": 1,
            "firstTimestamp": stamp,
            "lastTimestamp": stamp,
            "source": {"component": self.component},
            "reportingComponent": self.component,
            "reportingInstance": self.host,
        });
        if !self.host.is_empty() {
            value["source"]["host"] = self.host.into();
        }
        value["involvedObject"] = self.about;
        Object::from_value(value).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_lives_with_what_it_is_about_and_else_in_default() {
        for (about, expected) in [
            (json!({"kind": "Pod", "namespace": "n", "name": "p"}), "n"),
            (json!({"kind": "Node", "name": "a"}), "default"),
            (json!({"kind": "Node", "namespace": "", "name": "a"}), "default"),
        ] {
            let told = Told {
                name: "x.1",
                about,
                warning: true,
                reason: "R",
                message: "m",
                component: "c",
                host: "",
                at: Time::VIRTUAL_START,
            };
            assert_eq!(told.into_object().namespace(), expected);
        }
    }
}
