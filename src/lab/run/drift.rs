//! Writes to the cluster by somebody other than the engine.

use crate::api::{self, PatchKind, Propagation, Request};
use crate::base::Event;
use crate::lab::check::object::{kinds, resolve};
use crate::lab::scenario::model::{Drift, DriftKind, FieldEdit, FieldPath, FieldStep, ObjectRef};
use crate::object::schema::{self, KindInfo, Schema};
use crate::object::{Map, Object, Value, json};
use crate::sim::world::{Handled, Outbox};

use super::{Run, SCRIPT};

/// The id of a write that the API server may not refuse; that of others is 1.
const MUST_BE_TAKEN: u64 = 0;

impl Run<'_> {
    /// Sends the write; it reaches the cluster like any other request.
    ///
    /// # Errors
    /// The object is not there, or its kind is unknown.
    pub(super) fn drift(&mut self, drift: &Drift) -> Result<(), String> {
        let mut request = match self.request(&drift.kind) {
            Ok(request) => request,
            Err(message) if drift.may_fail => {
                let object = drift.to_string();
                self.event(Event::DriftRefused { object, message });
                return Ok(());
            }
            Err(message) => return Err(message),
        };
        request.options.field_manager = Some(drift.manager.clone().into());
        self.send_as_script(request, drift.may_fail);
        Ok(())
    }

    /// Sends a write of the script's; the step is not decided before it is answered, and cannot be
    /// done if the write is refused that may not fail.
    pub(super) fn send_as_script(&mut self, request: Request, may_fail: bool) {
        self.active_at = self.now;
        self.drifts_under_way += 1;
        let wants =
            api::Outbox { requests: vec![(u64::from(may_fail), request)], timers: Vec::new() };
        let mut out = Outbox::default();
        self.cluster.send(self.now, SCRIPT, wants, &mut out);
        self.take_world(out);
    }

    fn request(&self, kind: &DriftKind) -> Result<Request, String> {
        match kind {
            DriftKind::Patch { object, fields } => self.patch(object, fields),
            DriftKind::Scale { object, replicas } => {
                let (kind, namespace) = resolve(&self.cluster, object)?;
                let body = json!({"spec": {"replicas": replicas}});
                let gvr = kind.gvr.clone();
                let patch = Request::patch(gvr, &namespace, &object.name, PatchKind::Merge, body);
                Ok(patch.subresource("scale"))
            }
            DriftKind::Delete { object } => {
                let (kind, namespace) = resolve(&self.cluster, object)?;
                let mut request = Request::delete(kind.gvr.clone(), &namespace, &object.name);
                request.options.delete.propagation = Some(Propagation::Background);
                Ok(request)
            }
            DriftKind::Create { object } => {
                let (kind, object) = self.placed(&object.value)?;
                let namespace = object.namespace().to_owned();
                Ok(Request::create(kind.gvr.clone(), &namespace, object))
            }
            DriftKind::Apply { object, force } => {
                let (kind, object) = self.placed(&object.value)?;
                let (namespace, name) = (object.namespace().to_owned(), object.name().to_owned());
                let body = std::sync::Arc::new(object.into_value());
                let manager = "".into();
                let gvr = kind.gvr.clone();
                let mut request = Request::apply(gvr, &namespace, &name, manager, body);
                request.options.force = *force;
                Ok(request)
            }
        }
    }

    /// A merge patch that sets the fields. A list has no merge in that format, so one that a path
    /// leads into is sent as it is now with the one field changed.
    fn patch(&self, object: &ObjectRef, fields: &[FieldEdit]) -> Result<Request, String> {
        let (kind, namespace) = resolve(&self.cluster, object)?;
        let live = self.cluster.peek(&kind.gvr, &namespace, &object.name);
        let mut body = Value::Object(Map::new());
        // What is not there is patched all the same: the API server says so, and the record.
        for field in fields.iter().filter(|_| live.is_some()) {
            put(&mut body, live.map(|live| &live.0), &field.path.value, &field.value)
                .map_err(|what| format!("{}: {what} in {object}", field.path.value))?;
        }
        let gvr = kind.gvr.clone();
        Ok(Request::patch(gvr, &namespace, &object.name, PatchKind::Merge, body))
    }

    /// The object with its namespace, and its kind.
    fn placed(&self, object: &Object) -> Result<(KindInfo, Object), String> {
        let gvk = object.gvk();
        let named = |schema: &Schema| schema.kind(&gvk.group, &gvk.version, &gvk.kind).cloned();
        let kind = named(schema::builtin()).or_else(|| named(kinds(&self.cluster).schema()));
        let kind = kind.ok_or_else(|| {
            format!("the cluster has no kind {} in {}", gvk.kind, gvk.api_version())
        })?;
        let mut object = object.clone();
        if kind.namespaced && object.namespace().is_empty() {
            object.set(&["metadata", "namespace"], "default".into());
        }
        Ok((kind, object))
    }

    /// The answer to a foreign write.
    pub(super) fn drift_answered(&mut self, handled: &Handled) {
        self.drifts_under_way = self.drifts_under_way.saturating_sub(1);
        self.evict_again(handled);
        let object = handled.object();
        let what = handled.request.verb_name().to_owned();
        match handled.response.as_status().filter(|status| !status.is_success()) {
            Some(status) => {
                let message = status.message.clone();
                if handled.id == MUST_BE_TAKEN {
                    self.refused = Some(format!("{what} of {object} is refused: {message}"));
                }
                self.event(Event::DriftRefused { object, message });
            }
            None => {
                self.kept.written(handled);
                self.event(Event::Drifted { object, what });
            }
        }
    }
}

/// Puts `value` at `path` of the merge patch `body`; what lies on the way in `live` tells lists
/// from maps.
fn put(
    body: &mut Value,
    live: Option<&Map>,
    path: &FieldPath,
    value: &Value,
) -> Result<(), String> {
    let mut slot = body;
    let mut seen: Option<Value> = live.map(|map| Value::Object(map.clone()));
    let mut in_list = false;
    for step in &path.0 {
        let (next, below) = match step {
            FieldStep::Key(key) => {
                if !slot.is_object() {
                    *slot = Value::Object(Map::new());
                }
                let below = seen.as_ref().and_then(|seen| seen.get(key)).cloned();
                let Value::Object(map) = slot else { return Err("no map".to_owned()) };
                (map.entry(key.clone()).or_insert(Value::Null), below)
            }
            FieldStep::Index(_) | FieldStep::Item { .. } => {
                if !in_list && !slot.is_array() {
                    *slot = seen.clone().filter(Value::is_array).ok_or("there is no list")?;
                }
                in_list = true;
                let place = position(slot, step).ok_or("there is no such item")?;
                let below = slot.get(place).cloned();
                (slot.get_mut(place).ok_or("there is no such item")?, below)
            }
        };
        slot = next;
        seen = below;
    }
    *slot = value.clone();
    Ok(())
}

fn position(list: &Value, step: &FieldStep) -> Option<usize> {
    let items = list.as_array()?;
    match step {
        FieldStep::Index(index) => (*index < items.len()).then_some(*index),
        FieldStep::Item { key, value } => items.iter().position(|item| {
            let found = item.get(key);
            found.and_then(Value::as_str) == Some(value)
                || found.map(Value::to_string).as_ref() == Some(value)
        }),
        FieldStep::Key(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lab::scenario::field::parse;

    #[test]
    fn a_patch_sends_lists_whole_and_maps_in_part() {
        let live = json!({"spec": {
            "replicas": 1,
            "containers": [{"name": "a", "image": "x"}, {"name": "b", "image": "y"}],
        }});
        let check = |path: &str, value: Value, want: Value| {
            let mut body = json!({});
            let path = parse(path).expect("a path");
            put(&mut body, live.as_object(), &path, &value).expect("fits");
            assert_eq!(body, want);
        };
        check("spec.replicas", json!(9), json!({"spec": {"replicas": 9}}));
        check(
            "metadata.labels[a.b/c]",
            json!("d"),
            json!({"metadata": {"labels": {"a.b/c": "d"}}}),
        );
        check(
            "spec.containers[name=b].image",
            json!("z"),
            json!({"spec": {"containers": [{"name": "a", "image": "x"}, {"name": "b", "image": "z"}]}}),
        );
    }
}
