//! `status` of a ReplicaSet.

use std::sync::Arc;

use crate::api::Status;
use crate::base::Time;
use crate::object::value::ToValue;
use crate::object::{Map, Object, Value};
use crate::sim::controllers::condition::{self, Condition};
use crate::sim::controllers::pod;

const FAILURE: &str = "ReplicaFailure";

/// The counts, as they are written: but for the first, what is zero or was never counted is left
/// out.
#[derive(Clone, Debug, Default, PartialEq)]
struct Counts<'a> {
    replicas: i64,
    fully_labeled_replicas: i64,
    ready_replicas: i64,
    available_replicas: i64,
    terminating_replicas: Option<i64>,
    observed_generation: i64,
    conditions: Vec<Condition<'a>>,
}

impl<'a> Counts<'a> {
    /// As the set has them; `None` where they are malformed.
    fn read(status: &'a Map) -> Option<Self> {
        Some(Self {
            replicas: condition::count(status, "replicas")?,
            fully_labeled_replicas: condition::count(status, "fullyLabeledReplicas")?,
            ready_replicas: condition::count(status, "readyReplicas")?,
            available_replicas: condition::count(status, "availableReplicas")?,
            terminating_replicas: condition::optional_count(status, "terminatingReplicas")?,
            observed_generation: condition::count(status, "observedGeneration")?,
            conditions: condition::read_all(status)?,
        })
    }
}

impl ToValue for Counts<'_> {
    fn to_value(&self) -> Value {
        let count = |count: i64| Some(count).filter(|count| *count != 0).map(Value::from);
        let conditions = (!self.conditions.is_empty()).then(|| self.conditions.to_value());
        let fields = [
            ("availableReplicas", count(self.available_replicas)),
            ("conditions", conditions),
            ("fullyLabeledReplicas", count(self.fully_labeled_replicas)),
            ("observedGeneration", count(self.observed_generation)),
            ("readyReplicas", count(self.ready_replicas)),
            ("replicas", Some(self.replicas.into())),
            ("terminatingReplicas", self.terminating_replicas.map(Value::from)),
        ];
        fields.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
    }
}

/// `spec.minReadySeconds`.
pub(super) fn min_ready_seconds(set: &Object) -> i64 {
    set.int(&["spec", "minReadySeconds"]).unwrap_or(0)
}

/// The status that the set should have; `None` if it has it.
pub(super) fn after(
    now: Time,
    set: &Object,
    active: &[&Arc<Object>],
    terminating: usize,
    failure: Option<&Status>,
) -> Option<Value> {
    let before = set.0.get("status").and_then(Value::as_object).and_then(Counts::read);
    let before = before.unwrap_or_default();
    let min_ready = min_ready_seconds(set);
    let count = |wanted: &dyn Fn(&Object) -> bool| number(active, wanted);
    let mut after = Counts {
        replicas: count(&|_| true),
        fully_labeled_replicas: count(&|pod| has_template_labels(set, pod)),
        ready_replicas: count(&pod::is_ready),
        available_replicas: count(&|pod| pod::is_available(pod, min_ready, now)),
        terminating_replicas: Some(i64::try_from(terminating).unwrap_or(i64::MAX)),
        observed_generation: set.generation(),
        conditions: before.conditions.clone(),
    };
    match (failure, condition::find(&before.conditions, FAILURE)) {
        (Some(failure), None) => {
            let too_few = after.replicas < super::wanted(set);
            let reason = if too_few { "FailedCreate" } else { "FailedDelete" };
            let condition = Condition::new(FAILURE, "True", reason, failure.message.as_str(), now);
            condition::set(&mut after.conditions, condition);
        }
        (None, Some(_)) => condition::remove(&mut after.conditions, FAILURE),
        _ => {}
    }
    (after != before).then(|| after.to_value())
}

fn number(pods: &[&Arc<Object>], wanted: &dyn Fn(&Object) -> bool) -> i64 {
    i64::try_from(pods.iter().filter(|pod| wanted(pod)).count()).unwrap_or(i64::MAX)
}

fn has_template_labels(set: &Object, pod: &Object) -> bool {
    let labels = set.at(&["spec", "template", "metadata", "labels"]).and_then(Value::as_object);
    labels.into_iter().flat_map(Map::iter).all(|(key, value)| pod.label(key) == value.as_str())
}
