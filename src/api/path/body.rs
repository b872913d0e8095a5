//! Bodies: objects and patches from JSON or YAML, with the fields that were given twice.

use bytes::Bytes;
use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

use super::{Incoming, gojson, query};
use crate::api::{Options, PatchKind, Reason, Request, Status, Verb};
use crate::base::limits;
use crate::object::{Map, Value, go, json, yaml};

/// A body as read.
#[derive(Debug, Default)]
pub(super) struct Read {
    pub(super) value: Value,
    /// Paths of fields that were given twice; the last one counts.
    pub(super) duplicates: Vec<String>,
    /// The same of YAML: `line 3: key "a" already set in map`.
    pub(super) duplicate_keys: Vec<String>,
}

const ACCEPTED: &str = "application/json, application/yaml, application/vnd.kubernetes.protobuf";

/// The object of a POST or PUT.
pub(super) fn object(incoming: &Incoming, kind: &str) -> Result<Read, Status> {
    let mut read = decoded(incoming, kind)?;
    if read.value.is_null() {
        // Go reads nothing as an object without fields.
        read.value = Value::Object(Map::new());
    }
    if read.value.is_object() {
        return Ok(read);
    }
    let found = go::json_name(&read.value);
    let head = &incoming.body[..incoming.body.len().min(30)];
    let shown: String = head.iter().map(|byte| format!("{byte:02x}")).collect();
    Err(Status::bad_request(format!(
        "the object provided is unrecognized (must be of type {kind}): couldn't get version/kind; json parse error: json: cannot unmarshal {found} into Go value of type struct {{ APIVersion string \"json:\\\"apiVersion,omitempty\\\"\"; Kind string \"json:\\\"kind,omitempty\\\"\" }} ({shown})"
    )))
}

/// The text of a body in JSON, unless it is large.
pub(super) fn source(incoming: &Incoming) -> Option<Bytes> {
    let is_json = matches!(media_of(incoming.content_type).as_str(), "" | "application/json");
    (is_json && incoming.body.len() <= limits::ORDERED_BODY_BYTES).then(|| incoming.body.clone())
}

/// The paths of all fields of a text in JSON, in its order; empty if it is none.
pub(crate) fn field_order(text: &[u8]) -> Vec<String> {
    let (mut path, mut duplicates, mut order) = (Vec::new(), Vec::new(), Vec::new());
    let mut reader = serde_json::Deserializer::from_slice(text);
    let spot = Spot { path: &mut path, duplicates: &mut duplicates, order: Some(&mut order) };
    match spot.deserialize(&mut reader) {
        Ok(_) => order,
        Err(_) => Vec::new(),
    }
}

/// The type of a body without its parameters; upper case is the same to readers.
pub(crate) fn media_of(content_type: &str) -> String {
    content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

fn decoded(incoming: &Incoming, kind: &str) -> Result<Read, Status> {
    match media_of(incoming.content_type).as_str() {
        "" | "application/json" => json_body(&incoming.body).map_err(|e| {
            let what = "couldn't get version/kind; json parse error";
            unrecognized(kind, &format!("{what}: {e}"), &incoming.body)
        }),
        "application/yaml" => yaml_body(&incoming.body)
            .map_err(|e| unrecognized(kind, &format!("yaml: {e}"), &incoming.body)),
        _ => {
            let text = format!(
                "the body of the request was in an unknown format - accepted media types include: {ACCEPTED}"
            );
            Err(Status::new(415, Reason::UnsupportedMediaType, text))
        }
    }
}

fn unrecognized(kind: &str, why: &str, body: &[u8]) -> Status {
    let shown = summary(body);
    Status::bad_request(format!(
        "the object provided is unrecognized (must be of type {kind}): {why} ({shown})"
    ))
}

/// The first bytes of a body, as the message shows them.
pub(crate) fn summary(body: &[u8]) -> String {
    const SHOWN: usize = 30;
    let head = &body[..body.len().min(SHOWN)];
    let text = match body {
        [] => "<empty>".to_owned(),
        [b'{', ..] => String::from_utf8_lossy(head).into_owned(),
        _ => head.iter().map(|byte| format!("{byte:02x}")).collect(),
    };
    if body.len() > SHOWN { text + " ..." } else { text }
}

/// The document of a PATCH.
pub(super) fn patch(body: &[u8], kind: PatchKind) -> Result<Read, Status> {
    if kind == PatchKind::Apply {
        return apply(body);
    }
    // A strategic patch is read by another decoder, which does not say what it does.
    let doing = if kind == PatchKind::Strategic { "" } else { "error decoding patch: " };
    let mut read = json_body(body).map_err(|e| Status::bad_request(format!("{doing}{e}")))?;
    if read.value.is_null() {
        match kind {
            PatchKind::Json => read.value = Value::Array(Vec::new()),
            PatchKind::Strategic => read.value = Value::Object(Map::new()),
            _ => return Err(Status::bad_request("Invalid JSON Patch")),
        }
    }
    let wanted = match (kind, &read.value) {
        (PatchKind::Json, Value::Array(_)) | (_, Value::Object(_))
            if kind != PatchKind::Json || read.value.is_array() =>
        {
            return Ok(read);
        }
        (PatchKind::Json, _) => "[]handlers.jsonPatchOp",
        _ => "map[string]interface {}",
    };
    let found = go::json_name(&read.value);
    let text = format!("{doing}json: cannot unmarshal {found} into Go value of type {wanted}");
    Err(Status::bad_request(text))
}

/// The document of an apply.
fn apply(body: &[u8]) -> Result<Read, Status> {
    let refused = |why: String| Err(Status::bad_request(format!("error decoding YAML: {why}")));
    let read = match yaml_body(body) {
        Ok(read) => read,
        Err(e) => return refused(format!("error converting YAML to JSON: yaml: {e}")),
    };
    if read.value.is_null() || read.value.is_object() {
        return Ok(read);
    }
    let found = go::json_name(&read.value);
    refused(format!(
        "error unmarshaling JSON: while decoding JSON: json: cannot unmarshal {found} into Go value of type map[string]interface {{}}"
    ))
}

/// The options that a DELETE carries in its body (R-HTTP-39).
pub(super) fn delete_options(incoming: &Incoming, options: &mut Options) -> Result<(), Status> {
    let read = object(incoming, "DeleteOptions")?;
    let body = &read.value;
    options_are_typed(body)?;
    let text = |value: Option<&Value>| value.and_then(Value::as_str).map(ToOwned::to_owned);
    let delete = &mut options.delete;
    delete.grace_seconds = body.get("gracePeriodSeconds").and_then(Value::as_i64);
    let policy = body.get("propagationPolicy").and_then(Value::as_str);
    let orphan = body.get("orphanDependents").and_then(Value::as_bool);
    let mut causes = Vec::new();
    delete.in_cascade = orphan == Some(false);
    delete.propagation = query::propagation(policy, orphan, &mut causes);
    let preconditions = body.get("preconditions");
    delete.uid = text(preconditions.and_then(|p| p.get("uid")));
    delete.resource_version = text(preconditions.and_then(|p| p.get("resourceVersion")));
    let dry_runs = body.get("dryRun").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    options.dry_run |= !dry_runs.is_empty();
    causes.extend(query::dry_run_fault(dry_runs));
    if causes.is_empty() { Ok(()) } else { Err(query::invalid_options(Verb::Delete, &causes)) }
}

type IsOfType = fn(&Value) -> bool;

/// Whether a body is of the kind that a DELETE takes, and its fields of their types.
fn options_are_typed(body: &Value) -> Result<(), Status> {
    let text = |key: &str| body.get(key).and_then(Value::as_str).unwrap_or_default();
    let (version, kind) = (text("apiVersion"), text("kind"));
    if !matches!(kind, "" | "DeleteOptions") {
        return Err(Status::bad_request(format!(
            "no kind {kind:?} is registered for version {version:?} in scheme \"pkg/runtime/scheme.go:111\""
        )));
    }
    let typed: [(&str, &str, IsOfType); 4] = [
        ("gracePeriodSeconds", "int64", |value| value.is_i64()),
        ("orphanDependents", "bool", Value::is_boolean),
        ("propagationPolicy", "v1.DeletionPropagation", Value::is_string),
        ("dryRun", "[]string", Value::is_array),
    ];
    for (field, ty, is_of_it) in typed {
        let value = body.get(field).filter(|value| !value.is_null() && !is_of_it(value));
        if let Some(value) = value {
            let found = go::json_name(value);
            return Err(Status::bad_request(format!(
                "json: cannot unmarshal {found} into Go struct field DeleteOptions.{field} of type {ty}"
            )));
        }
    }
    Ok(())
}

/// The body of a delete; empty where nothing is asked for.
pub(super) fn print_delete_options(request: &Request) -> Vec<u8> {
    let delete = &request.options.delete;
    let mut body = Map::new();
    if let Some(seconds) = delete.grace_seconds {
        body.insert("gracePeriodSeconds".to_owned(), seconds.into());
    }
    if let Some(propagation) = delete.propagation {
        body.insert("propagationPolicy".to_owned(), format!("{propagation:?}").into());
    }
    let mut preconditions = Map::new();
    for (key, value) in [("uid", &delete.uid), ("resourceVersion", &delete.resource_version)] {
        if let Some(value) = value {
            preconditions.insert(key.to_owned(), value.clone().into());
        }
    }
    if !preconditions.is_empty() {
        body.insert("preconditions".to_owned(), Value::Object(preconditions));
    }
    if body.is_empty() {
        return Vec::new();
    }
    body.insert("kind".to_owned(), json!("DeleteOptions"));
    body.insert("apiVersion".to_owned(), json!("v1"));
    Value::Object(body).to_string().into_bytes()
}

fn json_body(bytes: &[u8]) -> Result<Read, String> {
    let mut duplicates = Vec::new();
    let mut path = Vec::new();
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let seed = Spot { path: &mut path, duplicates: &mut duplicates, order: None };
    let value = seed.deserialize(&mut reader).and_then(|value| reader.end().map(|()| value));
    match value {
        Ok(value) => Ok(Read { value, duplicates, ..Read::default() }),
        Err(error) => Err(gojson::error(bytes).unwrap_or_else(|| error.to_string())),
    }
}

fn yaml_body(bytes: &[u8]) -> Result<Read, String> {
    if bytes.iter().find(|b| !b.is_ascii_whitespace()) == Some(&b'{')
        && let Ok(read) = json_body(bytes)
        && read.duplicates.is_empty()
    {
        return Ok(read);
    }
    let text = std::str::from_utf8(bytes).map_err(|e| e.to_string())?;
    let (value, twins) =
        yaml::body_and_twins(text).map_err(|e| bound_in_gos_words(&e.to_string()))?;
    let told =
        |(line, key): (usize, String)| format!("line {line}: key {key:?} already set in map");
    Ok(Read { value, duplicate_keys: twins.into_iter().map(told).collect(), ..Read::default() })
}

/// Text that goes past a bound, as Go's reader says it; its bounds are not all ours.
fn bound_in_gos_words(text: &str) -> String {
    if text.contains("aliases expand to over") {
        return "document contains excessive aliasing".to_owned();
    }
    if text.contains("nested deeper than") {
        return "exceeded max depth of 10000".to_owned();
    }
    text.to_owned()
}

/// Reads one value and notes keys that are there twice.
struct Spot<'a> {
    path: &'a mut Vec<String>,
    duplicates: &'a mut Vec<String>,
    /// Every path, where that is asked for.
    order: Option<&'a mut Vec<String>>,
}

impl<'de> DeserializeSeed<'de> for Spot<'_> {
    type Value = Value;
    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<Value, D::Error> {
        reader.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Spot<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        f.write_str("JSON")
    }
    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }
    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }
    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }
    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }
    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }
    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }
    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut seq: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        loop {
            self.path.push(format!("[{}]", items.len()));
            let order = self.order.as_deref_mut();
            let spot = Spot { path: &mut *self.path, duplicates: &mut *self.duplicates, order };
            let item = seq.next_element_seed(spot)?;
            self.path.pop();
            match item {
                Some(item) => items.push(item),
                None => return Ok(Value::Array(items)),
            }
        }
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<Value, A::Error> {
        let mut fields = Map::new();
        while let Some(key) = map.next_key::<String>()? {
            self.path.push(key.clone());
            if fields.contains_key(&key) {
                self.duplicates.push(joined(self.path));
            }
            if let Some(order) = self.order.as_deref_mut() {
                order.push(joined(self.path));
            }
            let order = self.order.as_deref_mut();
            let spot = Spot { path: &mut *self.path, duplicates: &mut *self.duplicates, order };
            let value = map.next_value_seed(spot)?;
            self.path.pop();
            fields.insert(key, value);
        }
        Ok(Value::Object(fields))
    }
}

fn joined(path: &[String]) -> String {
    let mut out = String::new();
    for part in path {
        if !out.is_empty() && !part.starts_with('[') {
            out.push('.');
        }
        out.push_str(part);
    }
    out
}
