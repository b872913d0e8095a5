//! Chooses what a trial changes from outside: a rendered field where its change shows best, else
//! a whole object.

use std::time::Duration;

use super::{NOWHERE, expect};
use crate::engine::live;
use crate::engine::model::App;
use crate::engine::plan::{Desired, DesiredSet};
use crate::lab::scenario::field;
use crate::lab::scenario::model::{
    Action, Drift, DriftKind, FieldEdit, ObjectRef, Placed, State, Step,
};
use crate::object::Value;

/// How long the engine may take to write it back.
const WITHIN: Duration = Duration::from_secs(10);

/// The step, and what it does in words.
pub(super) fn step(app: &App, desired: &DesiredSet) -> Option<(Step, String)> {
    let wants = || desired.objects.values();
    let field = wants()
        .filter(|want| live::runs_pods(&want.id))
        .find_map(|want| Some((want, raised(want)?)))
        .or_else(|| wants().find_map(|want| Some((want, raised(want)?))))
        .or_else(|| wants().find_map(|want| Some((want, worded(want)?))));
    let (want, what, kind) = match field {
        Some((want, (path, value))) => {
            let path = Placed { value: field::parse(&path)?, at: NOWHERE };
            let what = format!("changes {} of {} from outside", path.value, want.id);
            let fields = vec![FieldEdit { path, value }];
            (want, what, DriftKind::Patch { object: named(want), fields })
        }
        None => {
            let want = wants().find(|want| !KEPT.contains(&want.id.kind.as_ref()))?;
            let what = format!("deletes {} from outside", want.id);
            (want, what, DriftKind::Delete { object: named(want) })
        }
    };
    let drift = Drift { kind, manager: "somebody".to_owned(), may_fail: false };
    let action = Action::Drift(drift);
    let expected = vec![expect(app, State::Corrected, Some(WITHIN), None)];
    Some((super::step(&format!("drift of {}", want.id), Some(action), expected), what))
}

/// Kinds whose deletion takes more with it, or runs something again.
const KEPT: [&str; 5] =
    ["Namespace", "Job", "PersistentVolume", "PersistentVolumeClaim", "CustomResourceDefinition"];

/// Numbers that anybody may raise by one without making the object invalid.
const RAISABLE: [&str; 5] = [
    "replicas",
    "maxReplicas",
    "minReadySeconds",
    "revisionHistoryLimit",
    "terminationGracePeriodSeconds",
];

/// A rendered number, raised by one.
fn raised(want: &Desired) -> Option<(String, Value)> {
    let number = |field: &'static str| Some((field, want.body["spec"][field].as_i64()?));
    let (field, number) = RAISABLE.into_iter().find_map(number)?;
    Some((format!("spec.{field}"), (number + 1).into()))
}

/// A rendered text that anybody may change: an entry of a ConfigMap, or a label.
fn worded(want: &Desired) -> Option<(String, Value)> {
    let key = |map: &Value| map.as_object().and_then(|map| map.keys().next().cloned());
    if want.id.kind == "ConfigMap"
        && want.body["immutable"] != true
        && let Some(key) = key(&want.body["data"])
    {
        return Some((format!("data[{key}]"), "drifted".into()));
    }
    let label = key(&want.body["metadata"]["labels"])?;
    Some((format!("metadata.labels[{label}]"), "drifted".into()))
}

fn named(want: &Desired) -> ObjectRef {
    ObjectRef {
        kind: format!("{}.{}", want.gvr.plural, want.gvr.group).trim_end_matches('.').to_owned(),
        namespace: (!want.id.namespace.is_empty()).then(|| want.id.namespace.clone()),
        name: want.id.name.clone(),
        at: NOWHERE,
    }
}
