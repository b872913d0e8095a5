//! Conditions of workloads, read and written.
//!
//! The rules are those of the workload controllers upstream: a condition whose status and reason
//! stay as they are is left alone, message included; `lastTransitionTime` moves with the status
//! only; what is set anew goes to the end of the list (R-CTL-10).

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::base::Time;
use crate::object::value::ToValue;
use crate::object::{Map, Value};

/// One condition, whose texts are those of the object that it was read from as long as they
/// stay. Fields that a kind does not have are left out.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Condition<'a> {
    #[serde(rename = "type")]
    pub(crate) kind: Cow<'a, str>,
    pub(crate) status: Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) last_probe_time: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) last_update_time: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) last_transition_time: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reason: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) message: Option<Cow<'a, str>>,
    #[serde(flatten)]
    pub(crate) rest: Map,
}

impl ToValue for Condition<'_> {
    fn to_value(&self) -> Value {
        let text = |text: &Option<Cow<'_, str>>| text.as_deref().map(Value::from);
        let fields = [
            ("lastProbeTime", text(&self.last_probe_time)),
            ("lastTransitionTime", text(&self.last_transition_time)),
            ("lastUpdateTime", text(&self.last_update_time)),
            ("message", text(&self.message)),
            ("reason", text(&self.reason)),
            ("status", Some(Value::from(&*self.status))),
            ("type", Some(Value::from(&*self.kind))),
        ];
        let mut map: Map =
            fields.into_iter().filter_map(|(name, value)| Some((name, value?))).collect();
        map.extend(self.rest.iter().map(|(key, value)| (key, value.clone())));
        Value::Object(map)
    }
}

impl<'a> Condition<'a> {
    /// A condition that became so now.
    pub(crate) fn new(
        kind: &'a str,
        status: &'a str,
        reason: &'a str,
        message: impl Into<Cow<'a, str>>,
        now: Time,
    ) -> Self {
        Self {
            kind: kind.into(),
            status: status.into(),
            last_transition_time: Some(now.rfc3339().into()),
            reason: Some(reason.into()),
            message: Some(message.into()),
            ..Self::default()
        }
    }

    /// As an object carries it; `None` where a text is none. No text is copied: workloads are read
    /// at each sync.
    pub(crate) fn read(value: &'a Value) -> Option<Self> {
        let mut condition = Self::default();
        for (key, value) in value.as_object()? {
            let text = || value.as_str().map(Cow::Borrowed);
            let optional = || if value.is_null() { Some(None) } else { text().map(Some) };
            match key.as_str() {
                "type" => condition.kind = text()?,
                "status" => condition.status = text()?,
                "lastProbeTime" => condition.last_probe_time = optional()?,
                "lastUpdateTime" => condition.last_update_time = optional()?,
                "lastTransitionTime" => condition.last_transition_time = optional()?,
                "reason" => condition.reason = optional()?,
                "message" => condition.message = optional()?,
                _ => {
                    condition.rest.insert(key.clone(), value.clone());
                }
            }
        }
        Some(condition)
    }

    /// The same with `lastUpdateTime`, which Deployments have.
    pub(crate) fn updated(mut self) -> Self {
        self.last_update_time.clone_from(&self.last_transition_time);
        self
    }

    /// The same with `lastProbeTime`, which Jobs have.
    pub(crate) fn probed(mut self) -> Self {
        self.last_probe_time.clone_from(&self.last_transition_time);
        self
    }

    /// Its reason, empty if it has none.
    pub(crate) fn reason(&self) -> &str {
        self.reason.as_deref().unwrap_or_default()
    }

    /// When it was last confirmed by progress.
    pub(crate) fn updated_at(&self) -> Option<Time> {
        Time::parse_rfc3339(self.last_update_time.as_deref()?)
    }
}

/// All conditions of a status; `None` where one is malformed.
pub(crate) fn read_all(status: &Map) -> Option<Vec<Condition<'_>>> {
    match status.get("conditions") {
        Some(conditions) => conditions.as_array()?.iter().map(Condition::read).collect(),
        None => Some(Vec::new()),
    }
}

/// A number of a status, 0 where it is not there; `None` where it is no integer.
pub(crate) fn count(status: &Map, name: &str) -> Option<i64> {
    status.get(name).map_or(Some(0), Value::as_i64)
}

/// A number of a status that may be missing or null; `None` where it is something else.
pub(crate) fn optional_count(status: &Map, name: &str) -> Option<Option<i64>> {
    match status.get(name) {
        None | Some(Value::Null) => Some(None),
        Some(value) => value.as_i64().map(Some),
    }
}

/// The condition of a type.
pub(crate) fn find<'c, 'a>(
    conditions: &'c [Condition<'a>],
    kind: &str,
) -> Option<&'c Condition<'a>> {
    conditions.iter().find(|c| c.kind == kind)
}

/// Whether [`set`] would leave the condition of this type alone.
pub(crate) fn stays(conditions: &[Condition], kind: &str, status: &str, reason: &str) -> bool {
    find(conditions, kind)
        .is_some_and(|c| c.status == status && c.reason.as_deref() == Some(reason))
}

/// Sets a condition by the rules above.
pub(crate) fn set<'a>(conditions: &mut Vec<Condition<'a>>, mut condition: Condition<'a>) {
    if let Some(current) = find(conditions, &condition.kind)
        && current.status == condition.status
    {
        if current.reason == condition.reason {
            return;
        }
        condition.last_transition_time.clone_from(&current.last_transition_time);
    }
    remove(conditions, &condition.kind);
    conditions.push(condition);
}

/// Takes the condition of a type out.
pub(crate) fn remove(conditions: &mut Vec<Condition>, kind: &str) {
    conditions.retain(|c| c.kind != kind);
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_condition_moves_its_times_only_with_status_and_reason() {
        let t0 = Time::VIRTUAL_START;
        let t1 = t0 + Duration::from_secs(9);
        let mut all = vec![Condition::new("B", "True", "x", "", t0)];
        set(&mut all, Condition::new("A", "True", "x", "one", t0));
        set(&mut all, Condition::new("A", "True", "x", "two", t1));
        assert_eq!(find(&all, "A").unwrap().message.as_deref(), Some("one"));
        set(&mut all, Condition::new("B", "True", "y", "", t1));
        assert_eq!(all[1].kind, "B", "what is set anew goes to the end");
        assert_eq!(all[1].last_transition_time, Some(t0.rfc3339().into()));
        set(&mut all, Condition::new("B", "False", "y", "", t1));
        assert_eq!(all[1].last_transition_time, Some(t1.rfc3339().into()));
    }
}
