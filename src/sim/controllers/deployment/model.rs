//! A Deployment and its ReplicaSets, read once from their objects.

use std::sync::Arc;
use std::time::Duration;

use crate::object::value::ToValue;
use crate::object::{Map, Object, Value};
use crate::sim::controllers::caches::Caches;
use crate::sim::controllers::condition::{self, Condition};
use crate::sim::controllers::kinds::REPLICA_SET;
use crate::sim::controllers::selector::Selector;
use crate::sim::controllers::template;

/// Where a revision number is kept.
pub(super) const REVISION: &str = "deployment.kubernetes.io/revision";
/// Revisions that a set had before.
pub(super) const HISTORY: &str = "deployment.kubernetes.io/revision-history";
/// `spec.replicas` of the Deployment when the set was last scaled.
pub(super) const DESIRED: &str = "deployment.kubernetes.io/desired-replicas";
/// The same with the surge.
pub(super) const MAX: &str = "deployment.kubernetes.io/max-replicas";

/// "Without bound", where a number of seconds or revisions is expected.
const UNBOUNDED: i64 = i32::MAX as i64;

/// What a Deployment wants.
#[derive(Debug)]
pub(super) struct Deployment<'a> {
    pub(super) object: &'a Arc<Object>,
    pub(super) replicas: i64,
    pub(super) is_rolling: bool,
    pub(super) is_paused: bool,
    /// `maxSurge` in pods, rounded up; 0 for Recreate.
    pub(super) surge: i64,
    /// `maxUnavailable` in pods, rounded down; 0 for Recreate.
    pub(super) unavailable: i64,
    pub(super) min_ready_seconds: i64,
    /// `progressDeadlineSeconds`, unless without bound.
    pub(super) deadline: Option<Duration>,
    /// `revisionHistoryLimit`, unless without bound.
    pub(super) history_limit: Option<usize>,
    pub(super) status: Status<'a>,
}

/// `status` of a Deployment, as it is written: what is zero or was never counted is left out.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Status<'a> {
    pub(super) observed_generation: i64,
    pub(super) replicas: i64,
    pub(super) updated_replicas: i64,
    pub(super) ready_replicas: i64,
    pub(super) available_replicas: i64,
    pub(super) unavailable_replicas: i64,
    pub(super) terminating_replicas: Option<i64>,
    pub(super) conditions: Vec<Condition<'a>>,
    pub(super) collision_count: Option<i64>,
}

impl<'a> Status<'a> {
    /// As the Deployment has it; `None` where it is malformed.
    fn read(status: &'a Map) -> Option<Self> {
        Some(Self {
            observed_generation: condition::count(status, "observedGeneration")?,
            replicas: condition::count(status, "replicas")?,
            updated_replicas: condition::count(status, "updatedReplicas")?,
            ready_replicas: condition::count(status, "readyReplicas")?,
            available_replicas: condition::count(status, "availableReplicas")?,
            unavailable_replicas: condition::count(status, "unavailableReplicas")?,
            terminating_replicas: condition::optional_count(status, "terminatingReplicas")?,
            conditions: condition::read_all(status)?,
            collision_count: condition::optional_count(status, "collisionCount")?,
        })
    }
}

impl ToValue for Status<'_> {
    fn to_value(&self) -> Value {
        let count = |count: i64| Some(count).filter(|count| *count != 0).map(Value::from);
        let conditions = (!self.conditions.is_empty()).then(|| self.conditions.to_value());
        let fields = [
            ("availableReplicas", count(self.available_replicas)),
            ("collisionCount", self.collision_count.map(Value::from)),
            ("conditions", conditions),
            ("observedGeneration", count(self.observed_generation)),
            ("readyReplicas", count(self.ready_replicas)),
            ("replicas", count(self.replicas)),
            ("terminatingReplicas", self.terminating_replicas.map(Value::from)),
            ("unavailableReplicas", count(self.unavailable_replicas)),
            ("updatedReplicas", count(self.updated_replicas)),
        ];
        fields.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
    }
}

impl<'a> Deployment<'a> {
    pub(super) fn of(object: &'a Arc<Object>) -> Self {
        let bounded = |path: &[&str]| object.int(path).filter(|n| *n != UNBOUNDED);
        let replicas = object.int(&["spec", "replicas"]).unwrap_or(1);
        let is_rolling = object.text(&["spec", "strategy", "type"]) != Some("Recreate");
        let (surge, unavailable) = if is_rolling { bounds(object, replicas) } else { (0, 0) };
        let deadline = bounded(&["spec", "progressDeadlineSeconds"]);
        let status = object.0.get("status").and_then(Value::as_object).and_then(Status::read);
        Self {
            object,
            replicas,
            is_rolling,
            is_paused: object.flag(&["spec", "paused"]),
            surge,
            unavailable,
            min_ready_seconds: object.int(&["spec", "minReadySeconds"]).unwrap_or(0),
            deadline: deadline.and_then(|s| u64::try_from(s).ok()).map(Duration::from_secs),
            history_limit: bounded(&["spec", "revisionHistoryLimit"])
                .and_then(|n| usize::try_from(n).ok()),
            status: status.unwrap_or_default(),
        }
    }
}

/// Surge and unavailable in pods. Both zero would never move, so one may be unavailable then;
/// never more than there are (R-CTL-04).
fn bounds(object: &Object, replicas: i64) -> (i64, i64) {
    let value = |key| object.at(&["spec", "strategy", "rollingUpdate", key]);
    let surge = pods(value("maxSurge"), replicas, true);
    let unavailable = match (surge, pods(value("maxUnavailable"), replicas, false)) {
        (0, 0) => 1,
        (_, unavailable) => unavailable,
    };
    (surge, unavailable.min(replicas))
}

/// A number, or a percentage of `total`.
pub(in crate::sim::controllers) fn pods(value: Option<&Value>, total: i64, rounds_up: bool) -> i64 {
    let Some(value) = value else { return 0 };
    if let Some(number) = value.as_i64() {
        return number;
    }
    let percent = value.as_str().and_then(|text| text.strip_suffix('%')?.parse::<i64>().ok());
    let hundredths = percent.unwrap_or(0).saturating_mul(total);
    if rounds_up {
        hundredths.saturating_add(99).div_euclid(100)
    } else {
        hundredths.div_euclid(100)
    }
}

/// A ReplicaSet of the Deployment.
#[derive(Clone, Debug)]
pub(super) struct Set {
    pub(super) object: Arc<Object>,
    pub(super) replicas: i64,
    pub(super) revision: i64,
}

impl Set {
    fn of(object: &Arc<Object>) -> Self {
        let revision = object.annotation(REVISION).and_then(|text| text.parse().ok());
        Self {
            object: Arc::clone(object),
            replicas: object.int(&["spec", "replicas"]).unwrap_or(1),
            revision: revision.unwrap_or(0),
        }
    }

    /// A number of its status, 0 where it has none.
    pub(super) fn count(&self, field: &str) -> i64 {
        self.object.int(&["status", field]).unwrap_or(0)
    }

    pub(super) fn available(&self) -> i64 {
        self.count("availableReplicas")
    }

    /// A number among its annotations.
    pub(super) fn number(&self, annotation: &str) -> Option<i64> {
        self.object.annotation(annotation)?.parse().ok().filter(|n| (0..=UNBOUNDED).contains(n))
    }

    /// Whether nothing is left of it and its controller knows.
    pub(super) fn is_at_rest_with_nothing(&self) -> bool {
        self.replicas == 0
            && self.count("replicas") == 0
            && self.object.generation() <= self.count("observedGeneration")
    }
}

/// The ReplicaSets of a Deployment: the one of its template, and the others.
#[derive(Debug)]
pub(super) struct Sets {
    pub(super) new: Option<Set>,
    /// Oldest first.
    pub(super) old: Vec<Set>,
}

impl Sets {
    /// Those that `d` controls and selects. If several have its template the oldest is the new
    /// one, so that it stays the same one.
    pub(super) fn of(caches: &Caches, d: &Deployment) -> Self {
        let selector = Selector::of(d.object);
        let mut old: Vec<Set> = caches
            .controlled(REPLICA_SET, d.object.uid())
            .filter(|object| selector.matches(object))
            .map(Set::of)
            .collect();
        // Names are in order already, which decides among equals.
        old.sort_by(|a, b| made(&a.object).cmp(made(&b.object)));
        let new = old.iter().position(|set| template::is_same(&set.object, d.object));
        let new = new.map(|index| old.remove(index));
        Self { new, old }
    }

    /// All of them, the old ones first.
    pub(super) fn all(&self) -> impl Iterator<Item = &Set> {
        self.old.iter().chain(&self.new)
    }

    /// The sum of what they are to have.
    pub(super) fn replicas(&self) -> i64 {
        self.all().map(|set| set.replicas).sum()
    }
}

fn made(object: &Object) -> &str {
    object.text(&["metadata", "creationTimestamp"]).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::object::json;

    fn check(replicas: i64, surge: Value, unavailable: Value, expected: (i64, i64)) {
        let object = json!({"spec": {"replicas": replicas, "strategy": {"rollingUpdate":
            {"maxSurge": surge, "maxUnavailable": unavailable}}}});
        let object = Arc::new(Object::from_value(object).unwrap());
        let d = Deployment::of(&object);
        assert_eq!((d.surge, d.unavailable), expected, "{object:?}");
    }

    #[test]
    fn surge_rounds_up_unavailable_down_and_both_are_never_zero() {
        check(3, json!("25%"), json!("25%"), (1, 0));
        check(10, json!("25%"), json!("25%"), (3, 2));
        check(10, json!(0), json!("1%"), (0, 1));
        check(2, json!(1), json!(5), (1, 2));
        check(0, json!("25%"), json!("25%"), (0, 0));
    }
}
