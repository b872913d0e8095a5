//! `status` of a ReplicaSet.

use std::sync::Arc;

use serde::Serialize;

use crate::api::Status;
use crate::base::Time;
use crate::object::{Map, Object, Value, value};
use crate::sim::controllers::condition::{self, Condition};
use crate::sim::controllers::pod;

const FAILURE: &str = "ReplicaFailure";

/// The counts, as they are written.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Counts<'a> {
    replicas: i64,
    #[serde(skip_serializing_if = "is_zero")]
    fully_labeled_replicas: i64,
    #[serde(skip_serializing_if = "is_zero")]
    ready_replicas: i64,
    #[serde(skip_serializing_if = "is_zero")]
    available_replicas: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    terminating_replicas: Option<i64>,
    #[serde(skip_serializing_if = "is_zero")]
    observed_generation: i64,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    conditions: Vec<Condition<'a>>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
fn is_zero(n: &i64) -> bool {
    *n == 0
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
    (after != before).then(|| value::to_value(after).unwrap_or_default())
}

fn number(pods: &[&Arc<Object>], wanted: &dyn Fn(&Object) -> bool) -> i64 {
    i64::try_from(pods.iter().filter(|pod| wanted(pod)).count()).unwrap_or(i64::MAX)
}

fn has_template_labels(set: &Object, pod: &Object) -> bool {
    let labels = set.at(&["spec", "template", "metadata", "labels"]).and_then(Value::as_object);
    labels.into_iter().flat_map(Map::iter).all(|(key, value)| pod.label(key) == value.as_str())
}
