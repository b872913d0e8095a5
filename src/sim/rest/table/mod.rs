//! Objects as rows of a table, and as their metadata alone: the forms in which `kubectl get` and
//! caches of metadata ask for what there is (R-HTTP-17, R-HTTP-20).
//!
//! The columns of built-in kinds are a generated table (`columns`), their cells one function a
//! kind (`cells` and the files it names), after k8s.io/kubernetes' printers; those of custom
//! resources are in their definition (`custom`).
//!
//! Not here: the answer's own code and headers, and how it is written (`serve`).

mod age;
mod cells;
mod cluster;
mod columns;
mod custom;
mod jsonpath;
mod network;
mod pods;
mod row;
mod scaling;
mod storage;
mod transform;
mod workloads;

use std::cmp::Ordering;
use std::sync::Arc;

use super::Server;
use super::discovery::custom::{GROUP, PLURAL};
use crate::api::{EventKind, List, Payload, Status, WatchEvent};
use crate::base::Time;
use crate::object::{Gvr, Map, Object, Value, json, schema};
use crate::sim::store::{Key, Resource};
use columns::Columns;
use row::Row;

pub use transform::{Form, Include, Transform};

impl Server {
    /// An answer as a `meta.k8s.io/v1` Table. A status stays one.
    #[must_use]
    pub fn as_table(&self, gvr: &Gvr, payload: &Payload, include: Include, now: Time) -> Value {
        let printer = Printer { columns: self.columns(gvr, payload), include, now };
        match payload {
            Payload::Object(object) => {
                printer.table(object_meta(object), &[Arc::clone(object)], true)
            }
            Payload::List(list) => printer.table(list_meta(list), &list.items, true),
            Payload::Status(status) => status.to_object().into_value(),
            Payload::Watching => Value::Null,
        }
    }

    /// The object of a watch event as a Table. Only that of the `first` event of a watch says
    /// what the columns are. An error stays a status.
    #[must_use]
    pub fn as_table_event(
        &self,
        gvr: &Gvr,
        event: &WatchEvent,
        include: Include,
        now: Time,
        first: bool,
    ) -> Value {
        if event.kind == EventKind::Error {
            return event.object.as_ref().clone().into_value();
        }
        let object = &event.object;
        let payload = Payload::Object(Arc::clone(object));
        // The end of a list that is streamed is told by an annotation, which is never left out.
        let ends = object.annotation("k8s.io/initial-events-end").is_some();
        let include = match include {
            Include::None if ends => Include::Metadata,
            include => include,
        };
        let printer = Printer { columns: self.columns(gvr, &payload), include, now };
        printer.table(object_meta(object), &[Arc::clone(object)], first)
    }

    /// An answer as `meta.k8s.io/v1` PartialObjectMetadata, or a list of them. A status stays one.
    #[must_use]
    pub fn as_partial(&self, payload: &Payload) -> Value {
        match payload {
            Payload::Object(object) => partial(object),
            Payload::List(list) => json!({
                "kind": "PartialObjectMetadataList",
                "apiVersion": "meta.k8s.io/v1",
                "metadata": list_meta(list),
                "items": match list.items.as_slice() {
                    [] => Value::Null,
                    items => items.iter().map(|item| partial(item)).collect(),
                },
            }),
            Payload::Status(status) => status.to_object().into_value(),
            Payload::Watching => Value::Null,
        }
    }

    /// The object of a watch event as PartialObjectMetadata. An error stays a status.
    #[must_use]
    pub fn as_partial_event(&self, event: &WatchEvent) -> Value {
        match event.kind {
            EventKind::Error => event.object.as_ref().clone().into_value(),
            _ => partial(&event.object),
        }
    }

    /// An answer in the form that a client asked for.
    ///
    /// # Errors
    /// 406 where the metadata of one object is asked for and a list came, or the other way round.
    pub fn transformed(
        &self,
        gvr: &Gvr,
        payload: &Payload,
        transform: &Transform,
        now: Time,
    ) -> Result<Value, Status> {
        let is_custom = schema::builtin().resource(gvr).is_none();
        transform.fits(payload, is_custom)?;
        let value = match transform.form {
            Form::Table => self.as_table(gvr, payload, transform.include, now),
            Form::Partial | Form::PartialList => self.as_partial(payload),
        };
        Ok(transform.in_version(value))
    }

    /// The object of a watch event in the form that a client asked for.
    #[must_use]
    pub fn transformed_event(
        &self,
        gvr: &Gvr,
        event: &WatchEvent,
        transform: &Transform,
        now: Time,
        first: bool,
    ) -> Value {
        let value = match transform.form {
            Form::Table => self.as_table_event(gvr, event, transform.include, now, first),
            Form::Partial | Form::PartialList => self.as_partial_event(event),
        };
        transform.in_version(value)
    }

    fn columns(&self, gvr: &Gvr, payload: &Payload) -> Columns {
        if let Payload::Object(object) = payload
            && object.kind() == "Scale"
            && object.api_version() == "autoscaling/v1"
        {
            return Columns::builtin("autoscaling", "Scale");
        }
        let resource = Resource { group: GROUP.into(), plural: PLURAL.into() };
        let name = format!("{}.{}", gvr.plural, gvr.group);
        match self.store.get(&resource, &Key::new("", &name)) {
            Some(definition) => custom::columns(definition, &gvr.version),
            None => {
                let kind = crate::object::schema::builtin().resource(gvr);
                Columns::builtin(&gvr.group, kind.map_or("", |kind| &kind.gvk.kind))
            }
        }
    }
}

/// What a table is made with.
struct Printer {
    columns: Columns,
    include: Include,
    now: Time,
}

impl Printer {
    fn table(&self, metadata: Value, items: &[Arc<Object>], headed: bool) -> Value {
        let mut items: Vec<&Arc<Object>> = items.iter().collect();
        if let Some(order) = self.columns.order {
            items.sort_by(|a, b| order(a, b));
        }
        let rows = match items.as_slice() {
            [] if self.columns.is_default => Value::Null,
            items => items.iter().map(|object| self.row(object)).collect(),
        };
        json!({
            "kind": "Table",
            "apiVersion": "meta.k8s.io/v1",
            "metadata": metadata,
            "columnDefinitions": headed.then(|| &*self.columns.definitions),
            "rows": rows,
        })
    }

    fn row(&self, object: &Arc<Object>) -> Value {
        let row = Row { object, now: self.now };
        let mut printed = Map::new();
        printed.insert("cells".to_owned(), Value::Array(self.columns.cells(&row)));
        if let Some(conditions) = pods::conditions(&row) {
            printed.insert("conditions".to_owned(), conditions);
        }
        let shown = match self.include {
            Include::None => Value::Null,
            Include::Metadata => partial(object),
            Include::Object => object.as_ref().clone().into_value(),
        };
        printed.insert("object".to_owned(), shown);
        Value::Object(printed)
    }
}

/// How the rows of a list stand where that is not by namespace and name.
type Order = fn(&Object, &Object) -> Ordering;

fn partial(object: &Object) -> Value {
    let metadata = object.at(&["metadata"]).cloned().unwrap_or_else(|| json!({}));
    json!({
        "kind": "PartialObjectMetadata",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": metadata,
    })
}

fn object_meta(object: &Object) -> Value {
    match object.resource_version() {
        "" => json!({}),
        version => json!({ "resourceVersion": version }),
    }
}

fn list_meta(list: &List) -> Value {
    let mut metadata = Map::new();
    metadata.insert("resourceVersion".to_owned(), list.revision.to_string().into());
    if let Some(token) = list.continue_token.as_ref().filter(|token| !token.is_empty()) {
        metadata.insert("continue".to_owned(), token.as_str().into());
    }
    if let Some(remaining) = list.remaining {
        metadata.insert("remainingItemCount".to_owned(), remaining.into());
    }
    Value::Object(metadata)
}
