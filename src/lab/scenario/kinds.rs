//! Holds the kinds that a scenario names against those that the cluster has.
//!
//! An object in a file of the repository, which an `edit` names, is not looked at: a file may hold
//! kinds that no cluster has, such as a kustomization.

use super::model::{Action, Answers, DriftKind, Expected, Fault, ObjectRef, Placed, Scenario};
use super::problem::{Findings, Problems, did_you_mean};
use crate::engine::kinds::is_foreign;
use crate::object::Object;
use crate::object::schema::{KindInfo, Schema};

/// Looks at every object that a scenario names for the cluster.
///
/// # Errors
/// Each kind that `schema` does not have, with the nearest that it has, and each namespace of an
/// object that lives in none.
pub fn kinds(scenario: &Scenario, schema: &Schema) -> Result<(), Problems> {
    let mut found = Findings::default();
    let actions = scenario.steps.iter().filter_map(|step| step.action.as_ref());
    for action in actions {
        if let Action::Fault(Fault::Answers(Answers { kind: Some(kind), .. })) = action
            && schema.called(&kind.value.to_lowercase()).is_none()
        {
            found.add(kind.at, unknown(&kind.value, schema));
        }
        let Action::Drift(drift) = action else { continue };
        match &drift.kind {
            DriftKind::Patch { object, .. }
            | DriftKind::Scale { object, .. }
            | DriftKind::Delete { object } => named(object, schema, &mut found),
            DriftKind::Create { object } | DriftKind::Apply { object, .. } => {
                written(object, schema, &mut found);
            }
        }
    }
    for expectation in scenario.steps.iter().flat_map(|step| &step.expect) {
        if let Expected::Object { object, .. } | Expected::NeverObject { object, .. } =
            &expectation.expected
        {
            named(object, schema, &mut found);
        }
    }
    if found.is_empty() { Ok(()) } else { Err(found.into_problems(&scenario.file)) }
}

/// An object that is named as `kind/namespace/name`.
fn named(object: &ObjectRef, schema: &Schema, found: &mut Findings) {
    let Some(info) = schema.called(&object.kind) else {
        // A kind with a group that no built-in one has may come with a definition.
        if object.kind.split_once('.').is_some_and(|(_, group)| is_foreign(group)) {
            return;
        }
        return found.add(object.at, unknown(&object.kind, schema));
    };
    if let (false, Some(namespace)) = (info.namespaced, &object.namespace) {
        let (kind, name) = (&object.kind, &object.name);
        found.add(
            object.at,
            format!(
                "a {kind} has no namespace, found \"{namespace}\"; did you mean \"{kind}/{name}\"?"
            ),
        );
    }
}

fn unknown(kind: &str, schema: &Schema) -> String {
    let (name, group) = kind.split_once('.').map_or((kind, None), |(n, g)| (n, Some(g)));
    if let Some(there) = schema.called(name).filter(|_| group.is_some()) {
        let near = format!("{name}.{}", there.gvk.group);
        let near = near.trim_end_matches('.');
        return format!("unknown kind \"{kind}\"; did you mean \"{near}\"?");
    }
    // Words of all forms, so that a plural that is misspelt is answered with a plural.
    let singular: Vec<String> = schema.kinds().map(|kind| kind.gvk.kind.to_lowercase()).collect();
    let plural = schema.kinds().map(|kind| &*kind.gvr.plural);
    let near =
        did_you_mean(&name.to_lowercase(), singular.iter().map(String::as_str).chain(plural));
    format!("unknown kind \"{kind}\"{near}")
}

/// An object that is written out, with `apiVersion` and `kind`.
fn written(object: &Placed<Object>, schema: &Schema, found: &mut Findings) {
    let gvk = object.value.gvk();
    if schema.kind(&gvk.group, &gvk.version, &gvk.kind).is_some() || is_foreign(&gvk.group) {
        return;
    }
    let version = gvk.api_version();
    let same_kind = schema.kinds().find(|info| info.gvk.kind == gvk.kind);
    let near = same_kind.map_or_else(
        || near_kind(&gvk.kind, schema.kinds().filter(|info| info.gvk.api_version() == version)),
        |info| format!("; did you mean \"apiVersion: {}\"?", info.gvk.api_version()),
    );
    found.add(object.at, format!("unknown kind \"{}\" in \"{version}\"{near}", gvk.kind));
}

fn near_kind<'a>(kind: &str, known: impl Iterator<Item = &'a KindInfo>) -> String {
    did_you_mean(kind, known.map(|info| &*info.gvk.kind))
}
