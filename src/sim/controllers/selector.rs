//! `spec.selector` of a workload.

use crate::object::selector::{LabelSelector, Labels};
use crate::object::{Object, Value};

/// The selector of a workload.
#[derive(Clone, Debug)]
pub(crate) struct Selector<'a>(Read<'a>);

#[derive(Clone, Debug)]
enum Read<'a> {
    /// There is none.
    Missing,
    /// Labels and nothing else, as nearly all workloads have it: compared where they stand.
    Labels(&'a Labels),
    Any(LabelSelector),
}

impl<'a> Selector<'a> {
    /// Of a workload. One that is missing matches nothing.
    pub(crate) fn of(workload: &'a Object) -> Self {
        let Some(selector) = workload.at(&["spec", "selector"]).filter(|s| s.is_object()) else {
            return Self(Read::Missing);
        };
        let labels = selector.get("matchLabels").and_then(Value::as_object);
        Self(match labels.filter(|_| selector.get("matchExpressions").is_none()) {
            Some(labels) => Read::Labels(labels),
            None => Read::Any(LabelSelector::from_value(selector)),
        })
    }

    /// Whether it matches every object.
    pub(crate) fn is_everything(&self) -> bool {
        match &self.0 {
            Read::Missing => false,
            Read::Labels(labels) => labels.is_empty(),
            Read::Any(selector) => selector.is_empty(),
        }
    }

    /// Whether the labels of `object` match.
    pub(crate) fn matches(&self, object: &Object) -> bool {
        match &self.0 {
            Read::Missing => false,
            Read::Labels(wanted) => {
                let has = |key: &str| object.labels()?.get(key)?.as_str();
                wanted.iter().all(|(key, value)| has(key) == Some(value.as_str().unwrap_or("")))
            }
            Read::Any(selector) => selector.matches(object.labels()),
        }
    }
}
