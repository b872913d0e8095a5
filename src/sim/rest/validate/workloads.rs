//! Deployments, ReplicaSets, StatefulSets, DaemonSets.

use super::errors::{Errors, Path};
use super::read::{given, int, list, text};
use super::{pods, selectors, storage};
use crate::object::{Key, Object, Value};
use crate::sim::rest::names;

const SPEC: Path = Path::Printed("spec");

fn spec_of(object: &Object) -> &Value {
    object.at(&["spec"]).unwrap_or(&Value::Null)
}

/// A new object, or a new state of one.
pub(super) fn check(kind: &str, object: &Object, is_new: bool, errors: &mut Errors) {
    let spec = spec_of(object);
    match kind {
        "Deployment" => deployment(spec, errors),
        "ReplicaSet" => replica_set(spec, errors),
        "StatefulSet" => stateful_set(spec, is_new, errors),
        _ => daemon_set(spec, errors),
    }
}

/// What may not change.
pub(super) fn changed(kind: &str, live: &Object, object: &Object, errors: &mut Errors) {
    let (before, now) = (spec_of(live), spec_of(object));
    if kind == "StatefulSet" {
        stateful_set_changed(before, now, errors);
    } else {
        errors.immutable(&SPEC, before, now, "selector");
    }
}

fn template(spec: &Value, errors: &mut Errors) {
    let path = SPEC.field("template");
    selectors::matches_template(spec, &SPEC, errors);
    pods::template(&spec["template"], &path, errors);
}

/// Selector and template of what is, or makes, a ReplicaSet.
fn replicated_pods(spec: &Value, errors: &mut Errors) {
    if selectors::of_workload(spec, &SPEC, "deployment", errors) {
        template(spec, errors);
        pods::always_restarts(&spec["template"], &SPEC.field("template"), "ReplicaSet", errors);
    } else {
        let value = spec["selector"].clone();
        errors.invalid(&SPEC.field("selector"), value, "invalid label selector");
    }
}

fn deployment(spec: &Value, errors: &mut Errors) {
    errors.nonnegative(spec, &SPEC, &["replicas"]);
    replicated_pods(spec, errors);
    deployment_strategy(&spec["strategy"], &SPEC.field("strategy"), errors);
    let numbers = ["minReadySeconds", "revisionHistoryLimit", "progressDeadlineSeconds"];
    errors.nonnegative(spec, &SPEC, &numbers);
    let deadline = int(spec, "progressDeadlineSeconds");
    if let Some(deadline) = deadline
        && deadline <= int(spec, "minReadySeconds").unwrap_or(0)
    {
        let text = "must be greater than minReadySeconds";
        errors.invalid(&SPEC.field("progressDeadlineSeconds"), deadline, text);
    }
}

fn deployment_strategy(strategy: &Value, path: &Path, errors: &mut Errors) {
    let at = path.field("rollingUpdate");
    let rolling = given(strategy, "rollingUpdate");
    match text(strategy, "type") {
        "Recreate" => {
            if rolling.is_some() {
                let text = "may not be specified when strategy `type` is 'Recreate'";
                errors.forbidden(&at, text);
            }
        }
        "RollingUpdate" => {
            let Some(rolling) = rolling else { return };
            selectors::int_or_percent(rolling, &at, "maxUnavailable", errors);
            selectors::int_or_percent(rolling, &at, "maxSurge", errors);
            let amount = |field: &str| selectors::amount(&rolling[field]);
            if amount("maxUnavailable") == 0 && amount("maxSurge") == 0 {
                let value = rolling["maxUnavailable"].clone();
                let text = "may not be 0 when `maxSurge` is 0";
                errors.invalid(&at.field("maxUnavailable"), value, text);
            }
            selectors::at_most_all(rolling, &at, "maxUnavailable", errors);
        }
        other => {
            let shown = strategy_shown(other, rolling);
            errors.unsupported_as(path, &shown, &["Recreate", "RollingUpdate"]);
        }
    }
}

/// A strategy of an unknown type as its Go struct prints.
fn strategy_shown(kind: &str, rolling: Option<&Value>) -> String {
    let rolling = rolling.map_or("null".to_owned(), |rolling| {
        let part = |key: &str| given(rolling, key).cloned().unwrap_or(0.into());
        format!(
            "{{\"MaxUnavailable\":{},\"MaxSurge\":{}}}",
            part("maxUnavailable"),
            part("maxSurge")
        )
    });
    format!("{{\"Type\":{},\"RollingUpdate\":{rolling}}}", Value::from(kind))
}

/// A ReplicationController, whose selector is a plain map.
pub(super) fn replication(object: &Object, errors: &mut Errors) {
    let spec = spec_of(object);
    errors.nonnegative(spec, &SPEC, &["replicas", "minReadySeconds"]);
    let chosen = given(spec, "selector").and_then(Value::as_object).filter(|map| !map.is_empty());
    if chosen.is_none() {
        errors.required(&SPEC.field("selector"), "");
    }
    let path = SPEC.field("template");
    let Some(template) = given(spec, "template") else {
        errors.required(&path, "");
        return;
    };
    let labels = &template["metadata"]["labels"];
    let is_chosen = |(key, value): (&Key, &Value)| labels.get(key) == Some(value);
    if let Some(chosen) = chosen
        && !chosen.iter().all(is_chosen)
    {
        let metadata = path.field("metadata");
        let text = "`selector` does not match template `labels`";
        errors.invalid(&metadata.field("labels"), labels.clone(), text);
    }
    pods::template(template, &path, errors);
    pods::always_restarts(template, &path, "ReplicationController", errors);
}

pub(super) fn pod_template(object: &Object, errors: &mut Errors) {
    let template = object.at(&["template"]).unwrap_or(&Value::Null);
    pods::template(template, &Path::Printed("template"), errors);
}

fn replica_set(spec: &Value, errors: &mut Errors) {
    errors.nonnegative(spec, &SPEC, &["replicas", "minReadySeconds"]);
    replicated_pods(spec, errors);
}

fn stateful_set(spec: &Value, is_new: bool, errors: &mut Errors) {
    let management = text(spec, "podManagementPolicy");
    if !matches!(management, "OrderedReady" | "Parallel") {
        let text = "must be 'OrderedReady' or 'Parallel'";
        errors.invalid(&SPEC.field("podManagementPolicy"), management, text);
    }
    stateful_set_update(&spec["updateStrategy"], errors);
    let retention = SPEC.field("persistentVolumeClaimRetentionPolicy");
    for field in ["whenDeleted", "whenScaled"] {
        let policy = text(&spec["persistentVolumeClaimRetentionPolicy"], field);
        if !matches!(policy, "Retain" | "Delete") {
            errors.unsupported(&retention.field(field), policy, &["Retain", "Delete"]);
        }
    }
    if is_new {
        let path = SPEC.field("volumeClaimTemplates");
        for (i, claim) in list(spec, "volumeClaimTemplates").iter().enumerate() {
            let at = path.index(i);
            storage::claim_spec(&claim["spec"], &at.field("spec"), errors);
        }
    }
    errors.nonnegative(spec, &SPEC, &["replicas", "minReadySeconds"]);
    errors.nonnegative(&spec["ordinals"], &SPEC.field("ordinals"), &["start"]);
    let service = text(spec, "serviceName");
    if is_new && !service.is_empty() {
        errors.faults(&SPEC.field("serviceName"), service, names::label_1123(service));
    }
    if selectors::of_workload(spec, &SPEC, "statefulset", errors) {
        let mut with_claims = spec.clone();
        mount_claims(&mut with_claims);
        template(&with_claims, errors);
    } else {
        errors.invalid(&SPEC.field("selector"), spec["selector"].clone(), "");
    }
    pods::always_restarts(&spec["template"], &SPEC.field("template"), "StatefulSet", errors);
}

/// A claim template is a volume that the pods can mount.
fn mount_claims(spec: &mut Value) {
    let mut claims: Vec<Value> = Vec::new();
    for claim in list(spec, "volumeClaimTemplates") {
        let name = &claim["metadata"]["name"];
        if !claims.contains(name) {
            claims.push(name.clone());
        }
    }
    if claims.is_empty() {
        return;
    }
    let volumes = &mut spec["template"]["spec"]["volumes"];
    let mut all: Vec<Value> =
        claims.iter().map(|name| crate::object::json!({ "name": name, "emptyDir": {} })).collect();
    let own = volumes.as_array().into_iter().flatten();
    all.extend(own.filter(|volume| !claims.contains(&volume["name"])).cloned());
    *volumes = Value::Array(all);
}

fn stateful_set_update(strategy: &Value, errors: &mut Errors) {
    let path = SPEC.field("updateStrategy");
    let at = path.field("rollingUpdate");
    let rolling = given(strategy, "rollingUpdate");
    match (text(strategy, "type"), rolling) {
        ("OnDelete", Some(rolling)) => {
            let text = "only allowed for updateStrategy 'RollingUpdate'";
            let partition = int(rolling, "partition").unwrap_or(0);
            let shown = format!("{{\"Partition\":{partition},\"MaxUnavailable\":null}}");
            errors.invalid_as(&at, &shown, text);
        }
        ("RollingUpdate", Some(rolling)) => {
            errors.nonnegative(rolling, &at, &["partition"]);
            selectors::int_or_percent(rolling, &at, "maxUnavailable", errors);
        }
        ("OnDelete" | "RollingUpdate", None) => {}
        (other, rolling) => {
            let text = "must be 'RollingUpdate' or 'OnDelete'";
            let rolling = rolling.map_or("null".to_owned(), |rolling| {
                let partition = int(rolling, "partition").unwrap_or(0);
                format!("{{\"Partition\":{partition},\"MaxUnavailable\":null}}")
            });
            let shown = format!("{{\"Type\":{},\"RollingUpdate\":{rolling}}}", Value::from(other));
            errors.invalid_as(&path, &shown, text);
        }
    }
}

const STATEFUL_SET_MUTABLE: [&str; 7] = [
    "replicas",
    "template",
    "updateStrategy",
    "minReadySeconds",
    "ordinals",
    "revisionHistoryLimit",
    "persistentVolumeClaimRetentionPolicy",
];

fn stateful_set_changed(before: &Value, now: &Value, errors: &mut Errors) {
    let fixed = |spec: &Value| {
        let mut fields = spec.as_object().cloned().unwrap_or_default();
        fields.retain(|key, _| !STATEFUL_SET_MUTABLE.contains(&key.as_str()));
        fields
    };
    if fixed(before) != fixed(now) {
        let text = "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden";
        errors.forbidden(&SPEC, text);
    }
}

fn daemon_set(spec: &Value, errors: &mut Errors) {
    if let Some(selector) = given(spec, "selector") {
        selectors::selector(selector, &SPEC.field("selector"), errors);
    }
    selectors::matches_template(spec, &SPEC, errors);
    if let Some(selector) = given(spec, "selector")
        && crate::object::LabelSelector::from_value(selector).is_empty()
    {
        let text = "empty selector is invalid for daemonset";
        errors.invalid(&SPEC.field("selector"), selector.clone(), text);
    }
    let path = SPEC.field("template");
    pods::template(&spec["template"], &path, errors);
    pods::always_restarts(&spec["template"], &path, "DaemonSet", errors);
    errors.nonnegative(spec, &SPEC, &["minReadySeconds"]);
    daemon_set_update(&spec["updateStrategy"], errors);
    errors.nonnegative(spec, &SPEC, &["revisionHistoryLimit"]);
}

fn daemon_set_update(strategy: &Value, errors: &mut Errors) {
    let path = SPEC.field("updateStrategy");
    match (text(strategy, "type"), given(strategy, "rollingUpdate")) {
        ("OnDelete", _) => {}
        ("RollingUpdate", Some(rolling)) => {
            let at = path.field("rollingUpdate");
            for field in ["maxUnavailable", "maxSurge"] {
                selectors::int_or_percent(rolling, &at, field, errors);
            }
            for field in ["maxUnavailable", "maxSurge"] {
                selectors::at_most_all(rolling, &at, field, errors);
            }
            let amount = |field: &str| selectors::amount(&rolling[field]) != 0;
            match (amount("maxUnavailable"), amount("maxSurge")) {
                (true, true) => {
                    let text = "may not be set when maxUnavailable is non-zero";
                    errors.invalid(&at.field("maxSurge"), rolling["maxSurge"].clone(), text);
                }
                (false, false) => {
                    let text = "cannot be 0 when maxSurge is 0";
                    errors.required(&at.field("maxUnavailable"), text);
                }
                _ => {}
            }
        }
        ("RollingUpdate", None) => errors.required(&path.field("rollingUpdate"), ""),
        (other, rolling) => {
            let shown = strategy_shown(other, rolling);
            errors.unsupported_as(&path, &shown, &["RollingUpdate", "OnDelete"]);
        }
    }
}
