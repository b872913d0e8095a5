//! Which objects a list, a watch or a deletion of a collection is about (R-HTTP-37).

use std::borrow::Cow;

use super::call::Call;
use super::{custom, names, views};
use crate::api::Status;
use crate::object::{FieldSelector, LabelSelector, Operator};
use crate::sim::store::Filter;

/// Fields besides `metadata.name` and `metadata.namespace` by which a kind can be selected.
const FIELDS: &[(&str, &str, &[&str])] = &[
    (
        "",
        "Pod",
        &[
            "spec.nodeName",
            "spec.restartPolicy",
            "spec.schedulerName",
            "spec.serviceAccountName",
            "spec.hostNetwork",
            "status.phase",
            "status.podIP",
            "status.podIPs",
            "status.nominatedNodeName",
        ],
    ),
    ("", "Node", &["spec.unschedulable"]),
    ("", "Namespace", &["status.phase"]),
    ("", "Secret", &["type"]),
    ("", "Service", &["spec.clusterIP", "spec.type"]),
    ("", "ReplicationController", &["status.replicas"]),
    ("batch", "Job", &["status.successful"]),
    ("certificates.k8s.io", "CertificateSigningRequest", &["spec.signerName"]),
    (
        "",
        "Event",
        &[
            "involvedObject.kind",
            "involvedObject.namespace",
            "involvedObject.name",
            "involvedObject.uid",
            "involvedObject.apiVersion",
            "involvedObject.resourceVersion",
            "involvedObject.fieldPath",
            "reason",
            "reportingComponent",
            "source",
            "type",
        ],
    ),
    (
        "events.k8s.io",
        "Event",
        &[
            "regarding.kind",
            "regarding.namespace",
            "regarding.name",
            "regarding.uid",
            "regarding.apiVersion",
            "regarding.resourceVersion",
            "regarding.fieldPath",
            "reason",
            "reportingController",
            "type",
        ],
    ),
    ("resource.k8s.io", "ResourceSlice", &["spec.nodeName", "spec.driver"]),
];

pub(super) fn of(call: &Call) -> Result<Filter, Status> {
    let options = &call.request.options;
    let labels = match options.label_selector.as_deref() {
        Some(text) => LabelSelector::parse(text).map_err(|e| Status::bad_request(e.0))?,
        None => LabelSelector::default(),
    };
    requirements_hold(&labels)?;
    let mut fields = match options.field_selector.as_deref() {
        Some(text) => FieldSelector::parse(text).map_err(|e| Status::bad_request(e.0))?,
        None => FieldSelector::default(),
    };
    known_fields(call, &fields)?;
    for term in &mut fields.terms {
        term.field = views::stored_field(&call.kind, &term.field).into_owned();
        if call.kind.kind == "Event" && term.field == "source" {
            "source.component".clone_into(&mut term.field);
        }
    }
    let mut name = (!call.name.is_empty()).then(|| call.name.to_owned());
    fields.terms.retain(|term| {
        let is_name = term.field == "metadata.name" && term.equal && name.is_none();
        if is_name {
            name = Some(term.value.clone());
        }
        !is_name
    });
    let namespace = (!call.namespace.is_empty()).then(|| call.namespace.to_owned());
    Ok(Filter { namespace, name, labels, fields })
}

/// Refuses keys and values that no label can have.
fn requirements_hold(selector: &LabelSelector) -> Result<(), Status> {
    for requirement in &selector.requirements {
        let key = &requirement.key;
        let mut faults: Vec<String> = Vec::new();
        let keyed = names::qualified(key);
        if !keyed.is_empty() {
            faults.push(format!("<nil>: Invalid value: {key:?}: {}", keyed.join("; ")));
        }
        let compares = matches!(requirement.operator, Operator::GreaterThan | Operator::LessThan);
        for (i, value) in requirement.values.iter().enumerate() {
            if compares && value.parse::<i64>().is_err() {
                let why = "for 'Gt', 'Lt' operators, the value must be an integer";
                faults.push(format!("values[{i}]: Invalid value: {value:?}: {why}"));
            }
        }
        for (i, value) in requirement.values.iter().enumerate() {
            let why = names::label_value(value);
            if !why.is_empty() {
                let why = why.join("; ");
                faults.push(format!("values[{i}][{key}]: Invalid value: {value:?}: {why}"));
            }
        }
        let text = match faults.as_slice() {
            [] => continue,
            [one] => one.clone(),
            many => format!("[{}]", many.join(", ")),
        };
        return Err(Status::bad_request(format!("unable to parse requirement: {text}")));
    }
    Ok(())
}

fn known_fields(call: &Call, fields: &FieldSelector) -> Result<(), Status> {
    let builtin = FIELDS
        .iter()
        .find(|(group, kind, _)| *group == call.kind.group && *kind == call.kind.kind)
        .map_or(&[][..], |(_, _, fields)| fields);
    let of_kind = custom::selectable(&call.kind)
        .unwrap_or_else(|| builtin.iter().map(|field| Cow::Borrowed(*field)).collect());
    for term in &fields.terms {
        let field = term.field.as_str();
        let general = matches!(field, "metadata.name" | "metadata.namespace");
        if general || of_kind.iter().any(|known| known == field) {
            continue;
        }
        let text = if of_kind.is_empty() && call.kind.custom.is_none() {
            format!(
                "{field:?} is not a known field selector: only \"metadata.name\", \"metadata.namespace\""
            )
        } else if call.kind.kind == "Job" {
            format!("field label {field:?} not supported for Job")
        } else {
            format!("field label not supported: {field}")
        };
        return Err(Status::bad_request(text));
    }
    Ok(())
}
