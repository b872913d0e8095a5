//! Classes, drivers, priority levels and single addresses, as far as it takes more than a rule
//! about one field.

use super::errors::{Errors, Path};
use super::read::{given, int, list, text};
use super::{resources, selectors};
use crate::object::{Object, Value, json};
use crate::sim::rest::names;

const SPEC: Path = Path::Printed("spec");

fn spec(object: &Object) -> &Value {
    object.at(&["spec"]).unwrap_or(&Value::Null)
}

pub(super) fn flow_schema(object: &Object, errors: &mut Errors) {
    if let Some(method) = given(spec(object), "distinguisherMethod") {
        let kind = text(method, "type");
        if !matches!(kind, "ByNamespace" | "ByUser") {
            let path = SPEC.field("distinguisherMethod");
            let shown = json!({ "Type": kind }).to_string();
            errors.unsupported_as(&path.field("type"), &shown, &["ByNamespace", "ByUser"]);
        }
    }
    let rules = SPEC.field("rules");
    for (i, rule) in list(spec(object), "rules").iter().enumerate() {
        let at = rules.index(i);
        let subjects = at.field("subjects");
        for (j, subject) in list(rule, "subjects").iter().enumerate() {
            let kind = text(subject, "kind");
            let own = [("User", "user"), ("Group", "group"), ("ServiceAccount", "serviceAccount")];
            let Some((_, field)) = own.iter().find(|(name, _)| *name == kind) else { continue };
            if given(subject, field).is_none() {
                let text = format!("{field} is required when subject kind is '{kind}'");
                errors.required(&subjects.index(j).field(field), &text);
            }
        }
    }
}

/// Bits of a hand of cards that can be told apart.
const MOST_ENTROPY_BITS: f64 = 60.0;

pub(super) fn priority_level(object: &Object, errors: &mut Errors) {
    let spec = spec(object);
    let (kind, limited) = (text(spec, "type"), given(spec, "limited"));
    let path = SPEC.field("limited");
    if kind == "Limited" && limited.is_none() {
        errors.required(&path, "must not be empty when type is Limited");
    }
    let Some(response) = limited.map(|limited| &limited["limitResponse"]) else { return };
    let at = path.field("limitResponse");
    let queuing = given(response, "queuing");
    match text(response, "type") {
        "Reject" if queuing.is_some() => {
            let text = "must be nil if limited.limitResponse.type is not Limited";
            errors.forbidden(&at.field("queuing"), text);
        }
        "Queue" if queuing.is_none() => {
            let text = "must not be empty if limited.limitResponse.type is Limited";
            errors.required(&at.field("queuing"), text);
        }
        _ => {}
    }
    let Some(queuing) = queuing else { return };
    let at = at.field("queuing");
    let (queues, hand) =
        (int(queuing, "queues").unwrap_or(0), int(queuing, "handSize").unwrap_or(0));
    if queues <= 0 {
        errors.invalid(&at.field("queues"), queues, "must be positive");
    } else if queues > 10_000_000 {
        let text = "must not be greater than 10000000";
        errors.invalid(&at.field("queues"), queues, text);
    }
    let place = at.field("handSize");
    if hand <= 0 {
        errors.invalid(&place, hand, "must be positive");
    } else if hand > queues {
        errors.invalid(&place, hand, &format!("should not be greater than queues ({queues})"));
    } else if entropy_bits(queues, hand) > MOST_ENTROPY_BITS {
        let text = format!(
            "required entropy bits of deckSize {queues} and handSize {hand} should not be greater than 60"
        );
        errors.invalid(&place, hand, &text);
    }
}

/// Bits that it takes to deal a hand from a deck.
#[expect(clippy::cast_precision_loss, reason = "queues are ten millions at most")]
fn entropy_bits(deck: i64, hand: i64) -> f64 {
    (0..hand).map(|dealt| ((deck - dealt) as f64).log2()).sum::<f64>().ceil()
}

pub(super) fn csi_driver_changed(live: &Object, object: &Object, errors: &mut Errors) {
    let before = live.at(&["spec", "attachRequired"]);
    let now = object.at(&["spec", "attachRequired"]);
    if before != now {
        let value = now.cloned().unwrap_or_default();
        errors.invalid(&SPEC.field("attachedRequired"), value, "field is immutable");
    }
}

/// A driver that is there may get an amount, and nothing else of it changes.
pub(super) fn csi_node_changed(live: &Object, object: &Object, errors: &mut Errors) {
    let kept = list(spec(live), "drivers");
    for driver in list(spec(object), "drivers") {
        let Some(before) = kept.iter().find(|old| old["name"] == driver["name"]) else { continue };
        // How many volumes there is room for may change.
        let fields = ["nodeID", "topologyKeys"];
        let same = fields.iter().all(|f| given(before, f) == given(driver, f));
        if !same {
            let keys = given(driver, "topologyKeys").cloned().unwrap_or_default();
            let shown = format!(
                "{{\"Name\":{},\"NodeID\":{},\"TopologyKeys\":{keys},\"Allocatable\":null}}",
                driver["name"],
                json!(text(driver, "nodeID"))
            );
            errors.invalid_as(&SPEC.field("drivers"), &shown, "field is immutable");
        }
    }
}

pub(super) fn storage_class(object: &Object, errors: &mut Errors) {
    let path = Path::Printed("allowedTopologies");
    let mut seen: Vec<&Value> = Vec::new();
    for (i, term) in object.list(&["allowedTopologies"]).iter().enumerate() {
        if list(term, "matchLabelExpressions").is_empty() || seen.contains(&term) {
            errors.duplicate(&path.index(i).field("matchLabelExpressions"), "");
        }
        seen.push(term);
    }
}

/// The attachment as upstream's struct prints.
fn shown_attachment(spec: &Value) -> String {
    let source = &spec["source"];
    let inline = if given(source, "inlineVolumeSpec").is_some() { "{}" } else { "null" };
    format!(
        "{{\"Attacher\":{},\"Source\":{{\"PersistentVolumeName\":{},\"InlineVolumeSpec\":{inline}}},\"NodeName\":{}}}",
        json!(text(spec, "attacher")),
        source["persistentVolumeName"],
        json!(text(spec, "nodeName"))
    )
}

pub(super) fn attachment(object: &Object, errors: &mut Errors) {
    let source = &spec(object)["source"];
    let fields = ["persistentVolumeName", "inlineVolumeSpec"];
    if fields.iter().filter(|field| given(source, field).is_some()).count() != 1 {
        let text = "must specify exactly one of inlineVolumeSpec and persistentVolumeName";
        errors.required(&SPEC.field("source"), text);
    }
}

pub(super) fn attachment_changed(live: &Object, object: &Object, errors: &mut Errors) {
    let (before, now) = (shown_attachment(spec(live)), shown_attachment(spec(object)));
    if before != now {
        errors.invalid_as(&SPEC, &now, "field is immutable");
    }
}

pub(super) fn ingress_class(object: &Object, errors: &mut Errors) {
    let Some(parameters) = given(spec(object), "parameters") else { return };
    let at = SPEC.field("parameters");
    let namespace = given(parameters, "namespace").map(|n| n.as_str().unwrap_or_default());
    match (text(parameters, "scope"), namespace) {
        ("Namespace", None) => {
            errors.required(&at.field("namespace"), "`parameters.scope` is set to 'Namespace'");
        }
        ("Namespace", Some(namespace)) => {
            errors.faults(&at.field("namespace"), namespace, names::label_1123(namespace));
        }
        ("Cluster", Some(_)) => {
            errors.forbidden(&at.field("namespace"), "`parameters.scope` is set to 'Cluster'");
        }
        _ => {}
    }
}

pub(super) fn runtime_class(object: &Object, errors: &mut Errors) {
    let root = Path::Printed("");
    if let Some(amounts) = object.at(&["overhead", "podFixed"]) {
        let limits = json!({ "limits": amounts.clone() });
        resources::check(&limits, &root.field("overhead"), errors);
    }
    let path = root.field("scheduling");
    let at = path.field("tolerations");
    let tolerations = object.list(&["scheduling", "tolerations"]);
    selectors::tolerations(tolerations, &at, errors);
    let mut seen: Vec<&Value> = Vec::new();
    for (i, toleration) in tolerations.iter().enumerate() {
        if seen.contains(&toleration) {
            let shown = format!(
                "{{\"Key\":{},\"Operator\":{},\"Value\":{},\"Effect\":{},\"TolerationSeconds\":{}}}",
                json!(text(toleration, "key")),
                json!(text(toleration, "operator")),
                json!(text(toleration, "value")),
                json!(text(toleration, "effect")),
                toleration["tolerationSeconds"]
            );
            errors.duplicate_as(&at.index(i), &shown);
        }
        seen.push(toleration);
    }
}

const NO_ADDRESS: &str = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)";

pub(super) fn address(object: &Object, errors: &mut Errors) {
    let metadata = Path::Printed("metadata");
    let prefix = object.text(&["metadata", "generateName"]).unwrap_or_default();
    let is_address = |text: &str| text.parse::<std::net::IpAddr>().is_ok();
    if !prefix.is_empty() && !is_address(prefix) {
        errors.invalid(&metadata.field("generateName"), prefix, NO_ADDRESS);
    }
    if !object.name().is_empty() && !is_address(object.name()) {
        errors.invalid(&metadata.field("name"), object.name(), NO_ADDRESS);
    }
}

/// The parent of an address is for good.
pub(super) fn address_changed(live: &Object, object: &Object, errors: &mut Errors) {
    let (before, now) = (&spec(live)["parentRef"], &spec(object)["parentRef"]);
    if before == now {
        return;
    }
    let shown = match now {
        Value::Object(_) => {
            let part = |key: &str| json!(text(now, key));
            format!(
                "{{\"Group\":{},\"Resource\":{},\"Namespace\":{},\"Name\":{}}}",
                part("group"),
                part("resource"),
                part("namespace"),
                part("name")
            )
        }
        _ => "null".to_owned(),
    };
    errors.invalid_as(&SPEC.field("parentRef"), &shown, "field is immutable");
}

pub(super) fn address_range(object: &Object, errors: &mut Errors) {
    let ranges = list(spec(object), "cidrs");
    let is_v6 = |range: &Value| range.as_str().is_some_and(|range| range.contains(':'));
    let twice = ranges.len() > 1 && ranges.iter().all(is_v6) == ranges.iter().any(is_v6);
    if twice || ranges.len() > 2 {
        let text = "may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and 2001:db8::/64";
        errors.invalid(&SPEC.field("cidrs"), Value::Array(ranges.to_vec()), text);
    }
}

pub(super) fn address_range_changed(live: &Object, object: &Object, errors: &mut Errors) {
    errors.immutable(&SPEC, spec(live), spec(object), "cidrs");
}

pub(super) fn cluster_role(object: &Object, errors: &mut Errors) {
    let root = Path::Printed("aggregationRule");
    let path = root.field("clusterRoleSelectors");
    let chosen = object.list(&["aggregationRule", "clusterRoleSelectors"]);
    for (i, selector) in chosen.iter().enumerate() {
        let before = errors.count();
        selectors::selector(selector, &path.index(i), errors);
        if errors.count() > before {
            errors.invalid(&path.index(i), Value::Null, "invalid label selector.");
        }
    }
}

/// An Event is about something in its own namespace.
pub(super) fn event(group: &str, object: &Object, errors: &mut Errors) {
    let about = if group.is_empty() { "involvedObject" } else { "regarding" };
    let namespace = object.text(&[about, "namespace"]).unwrap_or_default();
    let own = object.namespace();
    let fits = namespace == own || (namespace.is_empty() && own == "default");
    if !fits {
        let path = Path::Printed("involvedObject");
        errors.invalid(&path.field("namespace"), namespace, "does not match event.namespace");
    }
    if group.is_empty() {
        return;
    }
    let kind = object.text(&["type"]).unwrap_or_default();
    if !matches!(kind, "Normal" | "Warning") {
        errors.invalid(&Path::Printed("type"), "", &format!("has invalid value: {kind}"));
    }
}

/// What an Event says is for good.
pub(super) fn event_changed(live: &Object, object: &Object, errors: &mut Errors) {
    let text_of = |object: &Object, key: &str| object.text(&[key]).unwrap_or_default().to_owned();
    if text_of(live, "note") != text_of(object, "note") {
        errors.invalid(&Path::Printed("message"), text_of(object, "note"), "field is immutable");
    }
    if live.at(&["regarding"]) != object.at(&["regarding"]) {
        let empty = Value::Null;
        let about = object.at(&["regarding"]).unwrap_or(&empty);
        let part = |key: &str| json!(text(about, key));
        let shown = format!(
            "{{\"Kind\":{},\"Namespace\":{},\"Name\":{},\"UID\":{},\"APIVersion\":{},\"ResourceVersion\":{},\"FieldPath\":{}}}",
            part("kind"),
            part("namespace"),
            part("name"),
            part("uid"),
            part("apiVersion"),
            part("resourceVersion"),
            part("fieldPath")
        );
        errors.invalid_as(&Path::Printed("involvedObject"), &shown, "field is immutable");
    }
}

/// Taints that a node has, in the words of its metadata, where they once stood.
pub(super) fn node(object: &Object, errors: &mut Errors) {
    let metadata = Path::Printed("metadata");
    let at = metadata.field("taints");
    let mut seen: Vec<(&str, &str)> = Vec::new();
    for (i, taint) in list(spec(object), "taints").iter().enumerate() {
        let path = at.index(i);
        let (key, effect) = (text(taint, "key"), text(taint, "effect"));
        errors.faults(&path.field("key"), key, names::qualified(key));
        let value = text(taint, "value");
        errors.faults(&path.field("value"), value, names::label_value(value));
        let effects = ["NoSchedule", "PreferNoSchedule", "NoExecute"];
        if effect.is_empty() {
            errors.required(&path.field("effect"), "");
        } else if !effects.contains(&effect) {
            errors.unsupported(&path.field("effect"), effect, &effects);
        }
        if !effect.is_empty() && seen.contains(&(key, effect)) {
            let shown = format!(
                "{{\"Key\":{},\"Value\":{},\"Effect\":{},\"TimeAdded\":{}}}: taints must be unique by key and effect pair",
                json!(key),
                json!(value),
                json!(effect),
                taint["timeAdded"]
            );
            errors.duplicate_as(&path, &shown);
        }
        seen.push((key, effect));
    }
    let ranges = list(spec(object), "podCIDRs");
    if ranges.len() > 1 {
        let is_v6 = |range: &Value| range.as_str().is_some_and(|range| range.contains(':'));
        if ranges.len() > 2 || ranges.iter().all(is_v6) == ranges.iter().any(is_v6) {
            let text = "may specify no more than one CIDR for each IP family";
            errors.invalid(&SPEC.field("podCIDRs"), Value::Array(ranges.to_vec()), text);
        }
    }
    for kind in ["capacity", "allocatable"] {
        let root = Path::Printed("status");
        let amounts = object.at(&["status", kind]).and_then(Value::as_object);
        for (name, amount) in amounts.into_iter().flatten() {
            let at = root.field(kind);
            resources::not_negative(amount, &at.field(name), errors);
        }
    }
}

pub(super) fn node_changed(live: &Object, object: &Object, errors: &mut Errors) {
    for (field, what) in [("podCIDRs", "podCIDR"), ("providerID", "providerID")] {
        let (before, now) = (given(spec(live), field), given(spec(object), field));
        if before.is_some() && before != now {
            let text = format!("node updates may not change {what} except from \"\" to valid");
            errors.forbidden(&SPEC.field(field), &text);
        }
    }
}
