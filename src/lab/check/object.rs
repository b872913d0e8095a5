//! Looks into the cluster and the repository for what an expectation names.

use crate::engine::kinds::{DEFINITIONS, Kinds};
use crate::lab::backend::Cluster;
use crate::lab::scenario::model::{ObjectRef, ObjectState, Rev};
use crate::object::schema::{self, KindInfo};
use crate::object::{Gvr, Object, Value};

use super::View;

/// The kind and namespace that a reference means: a lower-case kind, plural or short name, with
/// the group behind it where needed; namespace `default` where a namespaced kind names none.
///
/// # Errors
/// No kind, or more than one, is called that.
pub fn resolve(cluster: &Cluster, object: &ObjectRef) -> Result<(KindInfo, String), String> {
    let kind = kind_called(cluster, &object.kind)?;
    let namespace = match (&object.namespace, kind.namespaced) {
        (Some(namespace), true) => namespace.clone(),
        (None, true) => "default".to_owned(),
        (_, false) => String::new(),
    };
    Ok((kind, namespace))
}

/// The kind that a word means.
///
/// # Errors
/// No kind is called that.
pub fn kind_called(cluster: &Cluster, word: &str) -> Result<KindInfo, String> {
    let found = schema::builtin().called(word).cloned();
    let found = found.or_else(|| kinds(cluster).schema().called(word).cloned());
    found.ok_or_else(|| format!("the cluster has no kind called {word:?}"))
}

/// The kinds of the cluster, with those that definitions bring. To be asked for where the
/// built-in ones do not do.
pub fn kinds(cluster: &Cluster) -> Kinds {
    let mut kinds = Kinds::default();
    cluster.all_of(&DEFINITIONS).for_each(|definition| kinds.learn(definition));
    kinds
}

/// Whether the object is as it is to be; what is found instead, if not.
///
/// # Errors
/// What is found instead.
pub fn look(cluster: &Cluster, object: &ObjectRef, state: &ObjectState) -> Result<(), String> {
    let (kind, namespace) = resolve(cluster, object)?;
    let live = cluster.peek(&kind.gvr, &namespace, &object.name);
    match (state, live) {
        (ObjectState::Absent, None) => Ok(()),
        (ObjectState::Absent, Some(_)) => Err("it is there".to_owned()),
        (ObjectState::Has(_), None) => Err("it is not there".to_owned()),
        (ObjectState::Has(want), Some(live)) => {
            contains("", want, &live.as_ref().clone().into_value())
        }
    }
}

/// Whether `have` has everything that `want` has. Items of a list are found by their `name` if
/// they have one, else by their place.
///
/// # Errors
/// The first path that differs, with both values.
pub fn contains(path: &str, want: &Value, have: &Value) -> Result<(), String> {
    match (want, have) {
        (Value::Object(want), Value::Object(have)) => want.iter().try_for_each(|(key, want)| {
            let path = if path.is_empty() { key.to_string() } else { format!("{path}.{key}") };
            contains(&path, want, have.get(key).unwrap_or(&Value::Null))
        }),
        (Value::Array(want), Value::Array(have)) => {
            want.iter().enumerate().try_for_each(|(place, want)| {
                let name = want.get("name").and_then(Value::as_str);
                let named = name.map(|name| {
                    have.iter().find(|item| item.get("name").and_then(Value::as_str) == Some(name))
                });
                let label = name.map_or_else(|| place.to_string(), ToOwned::to_owned);
                let path = format!("{path}[{label}]");
                match named.unwrap_or_else(|| have.get(place)) {
                    Some(found) => contains(&path, want, found),
                    None => Err(format!("{path} is not there")),
                }
            })
        }
        _ if want == have => Ok(()),
        _ => Err(format!("{path} is {have}, not {want}")),
    }
}

/// Whether the engine's note of a commit contains a text.
///
/// # Errors
/// What is found instead.
pub fn note(view: &View<'_>, on: &Rev, text: &str) -> Result<(), String> {
    let rev = crate::lab::run::named(view.labels, on);
    let commit = view.repo.resolve(&rev).map_err(|error| error.to_string())?;
    match view.repo.note_of(&commit) {
        Ok(Some(note)) if note.contains(text) => Ok(()),
        Ok(Some(note)) => Err(format!("the note says {note:?}")),
        Ok(None) => Err("there is no note".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

/// Whether the engine told something of an App by a Kubernetes Event.
#[must_use]
pub fn has_event(cluster: &Cluster, app: &str, reason: &str) -> bool {
    events(cluster).any(|event| {
        event.label(crate::engine::apps::given::LABEL) == Some(app)
            && event.text(&["reason"]) == Some(reason)
    })
}

fn events(cluster: &Cluster) -> impl Iterator<Item = &Object> {
    let events: Gvr = crate::engine::notify::EVENTS;
    cluster.all_of(&events).map(AsRef::as_ref)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::object::json;

    #[test]
    fn a_partial_object_is_found_in_a_whole_one() {
        let have = json!({"spec": {"replicas": 2, "c": [{"name": "a", "x": 1}, {"name": "b"}]}});
        let check = |want: Value, result: Result<(), &str>| {
            assert_eq!(contains("", &want, &have), result.map_err(ToOwned::to_owned));
        };
        check(json!({"spec": {"replicas": 2}}), Ok(()));
        check(json!({"spec": {"c": [{"name": "b"}]}}), Ok(()));
        check(json!({"spec": {"c": [{"x": 1}]}}), Ok(()));
        check(json!({"spec": {"replicas": 3}}), Err("spec.replicas is 2, not 3"));
        check(json!({"spec": {"c": [{"name": "z"}]}}), Err("spec.c[z] is not there"));
    }
}
