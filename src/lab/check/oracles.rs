//! What must hold in every run, whatever its scenario expects.
//!
//! - *converges*: past its bound a run has not converged, which the loop itself judges; and at
//!   the end each App is ready at the newest commit or has told why not (`ends`);
//! - *as rendered*: what is in the cluster for an App is what its commit renders to (`ends`);
//! - *quiet at rest*: at the end the engine writes nothing;
//! - *no orphans*: what the engine applied is in an inventory, or gone;
//! - *no acknowledged write lost*: what somebody else wrote and nobody renders is there (`kept`);
//! - *as undisturbed*: the end is that of the same commit deployed undisturbed (`undisturbed`);
//! - *inventory-only deletion*: the engine deletes nothing that no inventory names.

use std::collections::BTreeSet;
use std::fmt;

use crate::api::Verb;
use crate::base::{Event, Time};
use crate::engine::apps::given;
use crate::engine::live;
use crate::engine::model::App;
use crate::lab::backend::Cluster;
use crate::lab::run::Run;
use crate::object::quantity::Quantity;
use crate::object::{Key, Object, ObjectId, Value};
use crate::sim::world::Handled;

use super::{ends, undisturbed};

/// What is found at the end of a run: (oracle, detail).
pub(in crate::lab) fn at_end(run: &mut Run<'_>) -> Vec<(&'static str, String)> {
    let mut found = orphans(run);
    found.extend(ends::at_end(run));
    found.extend(lost(run));
    if found.is_empty() {
        found.extend(undisturbed::at_end(run));
    }
    found
}

/// Writes of others that are not there any more.
fn lost(run: &Run<'_>) -> Vec<(&'static str, String)> {
    let cluster = run.cluster();
    // Over the wire it is not seen what others in the cluster write.
    if !matches!(cluster, Cluster::Memory(_)) {
        return Vec::new();
    }
    let lost = run
        .kept()
        .lost(|gvr, namespace, name| cluster.peek(gvr, namespace, name).map(AsRef::as_ref));
    lost.into_iter().map(|detail| ("no acknowledged write lost", detail)).collect()
}

/// Objects that the engine applied and that no App's inventory names any more.
fn orphans(run: &Run<'_>) -> Vec<(&'static str, String)> {
    let keeps = |app: &App| !app.prune;
    if run.scenario().apps.iter().any(|given| keeps(&given.app)) {
        return Vec::new();
    }
    let known = inventory(run);
    let is_own = |object: &Object| {
        object.namespace() == given::NAMESPACE || object.name() == given::NAMESPACE
    };
    run.cluster()
        .all()
        .filter(|object| live::is_ours(object) && !is_own(object) && live::may_prune(object))
        .filter(|object| !object.is_deleting() && !known.contains(&object.id()))
        .map(|object| ("no orphans", format!("{} is in no inventory", object.id())))
        .collect()
}

/// Every inventory entry that stands in the cluster.
fn inventory(run: &Run<'_>) -> BTreeSet<ObjectId> {
    let maps = run.cluster().all_of(&given::CONFIG_MAPS).map(AsRef::as_ref);
    let states = maps.filter_map(|map| {
        Some(given::from_config_maps(map.label(given::LABEL)?, std::iter::once(map)))
    });
    states.flat_map(|state| state.inventory).map(|entry| entry.id).collect()
}

/// A deletion by the engine of something that no inventory names.
pub(in crate::lab) fn on_delete(run: &Run<'_>, handled: &Handled) -> Option<String> {
    if handled.request.verb != Verb::Delete || handled.request.options.dry_run {
        return None;
    }
    let kind = run.schema().resource(&handled.request.resource)?;
    let id = ObjectId::new(
        kind.gvk.group.clone(),
        kind.gvk.kind.clone(),
        handled.request.namespace.clone().unwrap_or_default(),
        handled.request.name.clone().unwrap_or_default(),
    );
    (!inventory(run).contains(&id)).then(|| format!("{id} was deleted and is in no inventory"))
}

/// Writes of the engine so far.
pub(in crate::lab) fn engine_writes(events: &[(Time, Event)]) -> usize {
    events.iter().filter(|(_, event)| is_write(event)).count()
}

/// What the engine wrote after it came to rest.
pub(in crate::lab) fn not_quiet(events: &[(Time, Event)], before: usize) -> Option<String> {
    let (_, event) = events.iter().filter(|(_, event)| is_write(event)).nth(before)?;
    let Event::Request { verb, object, .. } = event else { return None };
    Some(format!("at rest the engine sent {verb} {object}"))
}

fn is_write(event: &Event) -> bool {
    matches!(event, Event::Request { verb, dry_run: false, .. }
        if !matches!(verb.as_str(), "get" | "list" | "watch"))
}

/// The first field that is rendered and not live. Quantities are compared as numbers, and
/// `stringData` by what it is stored as is left to the API server.
pub(super) fn differs(want: &Value, live: &Object) -> Option<String> {
    let mut want = want.clone();
    if let Some(map) = want.as_object_mut() {
        map.remove("stringData");
    }
    let live = live.clone().into_value();
    let (way, lack) = lacks(&want, &live)?;
    let path: String = way.iter().rev().map(ToString::to_string).collect();
    Some(match lack {
        Lack::Item => format!("{path} is not there"),
        Lack::Other(have, want) => format!("{path} is {have}, not {want}"),
    })
}

/// A step to a field.
enum Step<'v> {
    Key(&'v Key),
    Place(usize),
}

impl fmt::Display for Step<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key(key) => write!(f, ".{key}"),
            Self::Place(n) => write!(f, "[{n}]"),
        }
    }
}

/// What is not as wanted.
enum Lack<'v> {
    /// No item of the list is like this one.
    Item,
    /// What is there, and what is wanted.
    Other(&'v Value, &'v Value),
}

/// The steps to it, the last one first.
fn lacks<'v>(want: &'v Value, have: &'v Value) -> Option<(Vec<Step<'v>>, Lack<'v>)> {
    match (want, have) {
        (Value::Object(want), Value::Object(have)) => want.iter().find_map(|(key, want)| {
            let (mut way, lack) = lacks(want, have.get_key(key).unwrap_or(&Value::Null))?;
            way.push(Step::Key(key));
            Some((way, lack))
        }),
        (Value::Array(want), Value::Array(have)) => {
            want.iter().enumerate().find_map(|(n, want)| {
                let same = have.iter().any(|have| lacks(want, have).is_none());
                (!same).then(|| (vec![Step::Place(n)], Lack::Item))
            })
        }
        (Value::Null, _) => None,
        // An empty map and none are the same to most kinds; nor is what means nothing kept.
        (Value::Object(map), Value::Null) if map.is_empty() => None,
        (want, Value::Null) if want.is_zero() => None,
        _ if want == have || same_quantity(want, have) => None,
        _ => Some((Vec::new(), Lack::Other(have, want))),
    }
}

fn same_quantity(want: &Value, have: &Value) -> bool {
    let read = |value: &Value| match value {
        Value::String(text) => Quantity::parse(text).ok(),
        Value::Number(number) => Quantity::parse(&number.to_string()).ok(),
        _ => None,
    };
    matches!((read(want), read(have)), (Some(a), Some(b)) if a == b)
}
