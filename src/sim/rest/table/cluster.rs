//! What concerns the cluster as a whole: nodes, events, quotas, bindings, flow control.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use super::age;
use super::row::{Row, joined, printed, text_of};
use crate::object::{Object, Value};

/// A Node.
pub(super) fn node(row: &Row) -> Vec<Value> {
    let mut status = match row.condition("Ready") {
        Some(condition) if condition["status"] == "True" => "Ready".to_owned(),
        Some(_) => "NotReady".to_owned(),
        None => "Unknown".to_owned(),
    };
    if row.at("spec.unschedulable") == Some(&Value::Bool(true)) {
        status.push_str(",SchedulingDisabled");
    }
    let info = |field: &str| row.filled_or(&format!("status.nodeInfo.{field}"), "<unknown>");
    let architecture = row.str("status.nodeInfo.architecture");
    let mut kernel = printed(&info("kernelVersion"));
    if !architecture.is_empty() {
        kernel = format!("{kernel} ({architecture})");
    }
    vec![
        row.name(),
        status.into(),
        roles(row).into(),
        row.age(),
        row.text("status.nodeInfo.kubeletVersion"),
        address(row, "InternalIP"),
        address(row, "ExternalIP"),
        info("osImage"),
        kernel.into(),
        info("containerRuntimeVersion"),
    ]
}

fn roles(row: &Row) -> String {
    let labels = row.object.labels().into_iter().flatten();
    let roles = labels.filter_map(|(key, value)| match key.as_str() {
        "kubernetes.io/role" => value.as_str(),
        key => key.strip_prefix("node-role.kubernetes.io/"),
    });
    let roles: BTreeSet<&str> = roles.filter(|role| !role.is_empty()).collect();
    if roles.is_empty() { "<none>".to_owned() } else { joined(roles.into_iter(), ",") }
}

fn address(row: &Row, kind: &str) -> Value {
    let found = row.list("status.addresses").iter().find(|address| address["type"] == kind);
    found.map_or("<none>", |address| text_of(address, "address")).into()
}

/// An Event of either group: the fields of `events.k8s.io` have other names.
pub(super) fn event(row: &Row) -> Vec<Value> {
    let either = |old: &str, new: &str| row.at(old).or_else(|| row.at(new));
    let since = |time: Option<&Value>| age::since(row.now, time.and_then(Value::as_str));
    let set = |time: Option<&Value>| time.is_some_and(Value::is_string);
    let first = either("firstTimestamp", "deprecatedFirstTimestamp");
    let first = since(if set(first) { first } else { row.at("eventTime") });
    let last = either("lastTimestamp", "deprecatedLastTimestamp");
    let mut last = if set(last) { since(last) } else { first.clone() };
    let count = either("count", "deprecatedCount").and_then(Value::as_i64).unwrap_or(0);
    let mut count = count.max(1);
    if row.map("series").is_some() {
        last = since(row.at("series.lastObservedTime"));
        count = row.int("series.count");
    }
    let object = either("involvedObject", "regarding").unwrap_or(&Value::Null);
    let kind = text_of(object, "kind").to_lowercase();
    let target = match text_of(object, "name") {
        "" => kind,
        name => format!("{kind}/{name}"),
    };
    let message = either("message", "note").and_then(Value::as_str).unwrap_or_default();
    vec![
        last.into(),
        row.text("type"),
        row.text("reason"),
        target.into(),
        text_of(object, "fieldPath").into(),
        source(row).into(),
        message.trim().into(),
        first.into(),
        count.into(),
        row.name(),
    ]
}

/// Who tells of an event, and where that one runs.
fn source(row: &Row) -> String {
    let first_of = |paths: &[&str]| {
        paths.iter().map(|path| row.str(path)).find(|text| !text.is_empty()).unwrap_or_default()
    };
    let component = first_of(&[
        "source.component",
        "deprecatedSource.component",
        "reportingComponent",
        "reportingController",
    ]);
    match first_of(&["source.host", "deprecatedSource.host", "reportingInstance"]) {
        "" => component.to_owned(),
        instance => format!("{component}, {instance}"),
    }
}

/// A ComponentStatus.
pub(super) fn component_status(row: &Row) -> Vec<Value> {
    let healthy = row.list("conditions").iter().find(|c| c["type"] == "Healthy");
    let (status, message, error) = match healthy {
        Some(condition) => (
            if condition["status"] == "True" { "Healthy" } else { "Unhealthy" },
            text_of(condition, "message"),
            text_of(condition, "error"),
        ),
        None => ("Unknown", "", ""),
    };
    vec![row.name(), status.into(), message.into(), error.into()]
}

/// A ResourceQuota: what is used of what there is, requests apart from limits.
pub(super) fn quota(row: &Row) -> Vec<Value> {
    let (mut requests, mut limits) = (Vec::new(), Vec::new());
    for (resource, hard) in row.map("status.hard").into_iter().flatten() {
        let used = row.map("status.used").and_then(|used| used.get(resource));
        let used = used.map_or_else(|| "0".to_owned(), printed);
        let list = if resource.starts_with("limits.") { &mut limits } else { &mut requests };
        list.push(format!("{resource}: {used}/{}", printed(hard)));
    }
    vec![row.name(), requests.join(", ").into(), limits.join(", ").into(), row.age()]
}

/// A RoleBinding or ClusterRoleBinding.
pub(super) fn binding(row: &Row) -> Vec<Value> {
    let role = format!("{}/{}", row.str("roleRef.kind"), row.str("roleRef.name"));
    let subjects = |kind: &str, text: fn(&Value) -> String| -> Value {
        let own = row.list("subjects").iter().filter(|subject| subject["kind"] == kind);
        joined(own.map(text), ", ").into()
    };
    let name = |subject: &Value| text_of(subject, "name").to_owned();
    let account =
        |subject: &Value| format!("{}/{}", text_of(subject, "namespace"), text_of(subject, "name"));
    let (users, groups) = (subjects("User", name), subjects("Group", name));
    let accounts = subjects("ServiceAccount", account);
    vec![row.name(), role.into(), row.age(), users, groups, accounts]
}

/// An APIService.
pub(super) fn api_service(row: &Row) -> Vec<Value> {
    let service = row.at("spec.service").filter(|service| service.is_object());
    let service = service.map_or_else(
        || "Local".to_owned(),
        |service| format!("{}/{}", text_of(service, "namespace"), text_of(service, "name")),
    );
    let available = row.condition("Available").map_or_else(
        || "Unknown".to_owned(),
        |condition| match (text_of(condition, "status"), text_of(condition, "reason")) {
            (status @ "True", _) | (status, "") => status.to_owned(),
            (status, reason) => format!("{status} ({reason})"),
        },
    );
    vec![row.name(), service.into(), available.into(), row.age()]
}

/// A CertificateSigningRequest.
pub(super) fn signing_request(row: &Row) -> Vec<Value> {
    let signer = row.filled_or("spec.signerName", "<none>");
    let seconds = row.at("spec.expirationSeconds").and_then(Value::as_i64);
    let lifetime = seconds.map_or_else(|| "<none>".to_owned(), age::human);
    let has = |kind: &str| row.condition(kind).is_some();
    let mut status = match () {
        () if has("Denied") => "Denied",
        () if has("Approved") => "Approved",
        () => "Pending",
    }
    .to_owned();
    if has("Failed") {
        status.push_str(",Failed");
    }
    if !row.str("status.certificate").is_empty() {
        status.push_str(",Issued");
    }
    let user = row.text("spec.username");
    vec![row.name(), row.age(), signer, user, lifetime.into(), status.into()]
}

/// A PriorityClass.
pub(super) fn priority_class(row: &Row) -> Vec<Value> {
    let (value, default) = (row.number("value"), row.flag_or("globalDefault", false));
    vec![row.name(), value, default, row.age(), row.text("preemptionPolicy")]
}

/// A FlowSchema.
pub(super) fn flow_schema(row: &Row) -> Vec<Value> {
    vec![
        row.name(),
        row.text("spec.priorityLevelConfiguration.name"),
        row.number("spec.matchingPrecedence"),
        row.text_or("spec.distinguisherMethod.type", "<none>"),
        row.age(),
        row.condition("Dangling").map_or("?", |condition| text_of(condition, "status")).into(),
    ]
}

/// FlowSchemas are listed by precedence, then by name.
pub(super) fn by_precedence(a: &Object, b: &Object) -> Ordering {
    let key = |object: &Object| object.int(&["spec", "matchingPrecedence"]).unwrap_or(0);
    key(a).cmp(&key(b)).then_with(|| a.name().cmp(b.name()))
}

/// A PriorityLevelConfiguration.
pub(super) fn priority_level(row: &Row) -> Vec<Value> {
    let limited = |path: &str| {
        row.at(&format!("spec.limited.{path}")).cloned().unwrap_or_else(|| "<none>".into())
    };
    vec![
        row.name(),
        row.text("spec.type"),
        limited("nominalConcurrencyShares"),
        limited("limitResponse.queuing.queues"),
        limited("limitResponse.queuing.handSize"),
        limited("limitResponse.queuing.queueLengthLimit"),
        row.age(),
    ]
}

/// A ResourceClaim.
pub(super) fn resource_claim(row: &Row) -> Vec<Value> {
    let deleted = row.object.is_deleting();
    let allocated = row.map("status.allocation").is_some();
    let reserved = allocated && !row.list("status.reservedFor").is_empty();
    let states = [
        (deleted, "deleted"),
        (!allocated && !deleted, "pending"),
        (allocated, "allocated"),
        (reserved, "reserved"),
    ];
    let state = joined(states.iter().filter(|(is, _)| *is).map(|(_, word)| word), ",");
    vec![row.name(), state.into(), row.age()]
}
