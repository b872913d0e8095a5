//! Drifts: what others write to the objects that are managed, and beside them.
//!
//! Any of them may come when its object is not there, or when the API server would not take it:
//! each may fail.

use super::generate::Sampler;
use super::ground::placed;
use super::things::{MARK, Thing, edit};
use crate::lab::scenario::model::{Action, Drift, DriftKind, FieldEdit, FieldPath, FieldStep};
use crate::object::{Object, Value};

/// Who writes.
const MANAGERS: [&str; 3] = ["kubectl", "somebody", "autoscaler"];

/// A drift; `None` where there is nothing to drift.
pub(super) fn drift(sampler: &mut Sampler<'_>) -> Option<Action> {
    let n = sampler.one_of(sampler.ground.things.len());
    let thing = sampler.ground.things.get(n)?;
    let kind = match sampler.rng.below(20) {
        0..5 => changed(sampler, thing),
        5..7 => removed(sampler, thing),
        7..9 => marked(sampler, thing),
        9..11 if thing.is_scaled => {
            let replicas = u32::try_from(sampler.rng.below(4)).unwrap_or(1);
            Some(DriftKind::Scale { object: thing.object.clone(), replicas })
        }
        11..15 if thing.is_deletable => {
            if sampler.chance(60) {
                let again = made_anew(sampler, thing);
                sampler.next.push_back(again);
            }
            Some(DriftKind::Delete { object: thing.object.clone() })
        }
        15..18 => applied(sampler, thing),
        18 => Some(DriftKind::Create { object: placed(bystander(sampler, thing)) }),
        _ => changed(sampler, thing),
    };
    let kind = kind.or_else(|| marked(sampler, thing))?;
    Some(by_somebody(sampler, kind))
}

fn by_somebody(sampler: &mut Sampler<'_>, kind: DriftKind) -> Action {
    let manager = MANAGERS[sampler.one_of(MANAGERS.len())].to_owned();
    Action::Drift(Drift { kind, manager, may_fail: true })
}

/// The object that was just deleted is made anew by somebody, with another uid.
fn made_anew(sampler: &mut Sampler<'_>, thing: &Thing) -> Action {
    let kind = DriftKind::Create { object: placed(thing.whole.clone()) };
    by_somebody(sampler, kind)
}

fn patch(thing: &Thing, field: FieldEdit) -> DriftKind {
    DriftKind::Patch { object: thing.object.clone(), fields: vec![field] }
}

/// A rendered field has another value.
fn changed(sampler: &mut Sampler<'_>, thing: &Thing) -> Option<DriftKind> {
    let field = thing.changes.get(sampler.one_of(thing.changes.len()))?;
    Some(patch(thing, field.clone()))
}

/// A rendered field is taken out.
fn removed(sampler: &mut Sampler<'_>, thing: &Thing) -> Option<DriftKind> {
    let field = thing.removals.get(sampler.one_of(thing.removals.len()))?;
    Some(patch(thing, field.clone()))
}

/// A field that nobody renders has a value: it is to be left alone.
fn marked(sampler: &mut Sampler<'_>, thing: &Thing) -> Option<DriftKind> {
    let value = format!("m{}", sampler.next_number());
    let place = if sampler.chance(50) { "annotations" } else { "labels" };
    Some(patch(thing, edit(&format!("metadata.{place}[{MARK}]"), value.into())?))
}

/// A part of the object is applied by somebody who takes what he wants, or only adds.
fn applied(sampler: &mut Sampler<'_>, thing: &Thing) -> Option<DriftKind> {
    let mut part = thing.bare();
    let plain: Vec<(Vec<&str>, &Value)> = thing
        .changes
        .iter()
        .filter_map(|field| Some((keys(&field.path.value)?, &field.value)))
        .collect();
    let change = plain.get(sampler.one_of(plain.len()));
    let force = change.is_some() && sampler.chance(70);
    match change.filter(|_| force) {
        Some((path, value)) => part.set(path, (*value).clone()),
        None => {
            let value = format!("a{}", sampler.next_number());
            part.set(&["metadata", "annotations", MARK], value.into());
        }
    }
    Some(DriftKind::Apply { object: placed(part), force })
}

/// The keys of a path that leads into no list.
fn keys(path: &FieldPath) -> Option<Vec<&str>> {
    let steps = path.0.iter();
    steps
        .map(|step| if let FieldStep::Key(key) = step { Some(key.as_str()) } else { None })
        .collect()
}

/// An object beside the managed ones that the engine has nothing to do with.
fn bystander(sampler: &mut Sampler<'_>, thing: &Thing) -> Object {
    let mut object = Object::default();
    object.set(&["apiVersion"], "v1".into());
    object.set(&["kind"], "ConfigMap".into());
    object.set(&["metadata", "name"], format!("bystander-{}", sampler.next_number()).into());
    let namespace = thing.object.namespace.clone().unwrap_or_else(|| "default".to_owned());
    object.set(&["metadata", "namespace"], namespace.into());
    object.set(&["data", "stands"], "by".into());
    object
}
