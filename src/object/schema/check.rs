//! Whether a value has the form that its type asks for: unknown fields, wrong types, missing
//! required fields.
//!
//! The texts are those of the API server's decoder (R-HTTP-33). Not here: validation of what the
//! values say (names, ranges), which takes a server; duplicate keys, which a parsed value no
//! longer has.

use std::fmt;

use super::form::is_plain_time;
use super::{Field, Format, ListType, MapType, Scalar, Schema, Type, TypeId};
use crate::base::Time;
use crate::object::{Map, Object, Value, go, quantity};

/// What to look for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Unknown fields, wrong types, missing required fields: all that can be said of a manifest.
    Manifest,
    /// Unknown fields and wrong types: what a decoder notices.
    Decode,
    /// Wrong types alone: what a decoder refuses in every mode.
    Types,
}

/// What is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ProblemKind {
    /// A field that the type does not have.
    Unknown,
    /// A value that does not fit its type.
    WrongType,
    /// A required field is missing or null.
    Required,
}

/// One thing that is wrong with a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// `spec.containers[0].image`.
    pub path: String,
    /// Of what sort it is.
    pub kind: ProblemKind,
    /// In the words of the API server, without the path of the object.
    pub message: String,
}

/// Everything that is wrong with a value, in the order of its fields.
#[must_use]
pub fn check(schema: &Schema, ty: TypeId, value: &Value, mode: Mode) -> Vec<Problem> {
    check_over(schema, ty, value, None, mode)
}

/// The same of an object that is written over `live`, which was found to be in order before: so
/// is whatever is as it is there, required fields apart.
#[must_use]
pub fn check_over(
    schema: &Schema,
    ty: TypeId,
    value: &Value,
    live: Option<&Object>,
    mode: Mode,
) -> Vec<Problem> {
    let mut check = Check { schema, mode, problems: Vec::new() };
    let live = live.map(|live| &live.0);
    match (value, &schema.ty(ty).map) {
        (Value::Object(map), Some(form)) => {
            check.map(schema.ty(ty), form, None, &Way::Root, (map, live));
        }
        _ => check.value(schema.ty(ty), None, &Way::Root, (value, None)),
    }
    check.problems
}

struct Check<'a> {
    schema: &'a Schema,
    mode: Mode,
    problems: Vec<Problem>,
}

/// The steps to a value, written out only where something is wrong.
#[derive(Clone, Copy)]
enum Way<'w> {
    Root,
    Key(&'w Way<'w>, &'w str),
    Index(&'w Way<'w>, usize),
}

impl fmt::Display for Way<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Way::Root => Ok(()),
            Way::Key(Way::Root, key) => f.write_str(key),
            Way::Key(up, key) => write!(f, "{up}.{key}"),
            Way::Index(up, index) => write!(f, "{up}[{index}]"),
        }
    }
}

/// The struct and the fields without positions that lead to a value, as Go's decoder names them.
#[derive(Clone, Copy)]
struct Place<'p> {
    up: Option<&'p Place<'p>>,
    owner: &'p Type,
    field: &'p Field,
    /// The Go type as the table has it; empty where OpenAPI tells it.
    go: &'p str,
}

impl Place<'_> {
    fn owner(&self) -> &str {
        self.owner.name.rsplit('.').next().unwrap_or("")
    }

    fn fields(&self) -> String {
        let before = self.up.map(Place::fields).unwrap_or_default();
        let words = [before.as_str(), &self.field.go.embedded, &self.field.name];
        let fields: Vec<&str> = words.into_iter().filter(|word| !word.is_empty()).collect();
        fields.join(".")
    }
}

impl Check<'_> {
    /// Looks at a value beside the one that stands in its place in the live object.
    fn value(
        &mut self,
        ty: &Type,
        place: Option<&Place<'_>>,
        way: &Way<'_>,
        (value, live): (&Value, Option<&Value>),
    ) {
        match value {
            Value::Null => {}
            Value::Object(_) | Value::Array(_) if ty.format == Format::IntOrString => {
                self.wrong(ty, place, way, go::json_name(value));
            }
            Value::Object(map) => match &ty.map {
                Some(form) => {
                    self.map(ty, form, place, way, (map, live.and_then(Value::as_object)));
                }
                None => self.wrong(ty, place, way, "object"),
            },
            Value::Array(list) => match &ty.list {
                Some(form) => {
                    let live = live.and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
                    self.list(form, place, way, (list, live));
                }
                None => self.wrong(ty, place, way, "array"),
            },
            scalar => match ty.scalar {
                Some(form) => self.scalar(ty, form, place, way, scalar),
                None => self.wrong(ty, place, way, go::json_name(scalar)),
            },
        }
    }

    fn map(
        &mut self,
        ty: &Type,
        form: &MapType,
        place: Option<&Place<'_>>,
        way: &Way<'_>,
        (map, live): (&Map, Option<&Map>),
    ) {
        let schema = self.schema;
        for (key, value) in map {
            let live = live.and_then(|live| live.get_key(key));
            if live == Some(value) {
                continue;
            }
            let way = Way::Key(way, key);
            match (form.fields.of_key(key), form.item) {
                (Some(field), _) => {
                    let inner = Place { up: place, owner: ty, field, go: &field.go.ty };
                    self.value(schema.ty(field.ty), Some(&inner), &way, (value, live));
                }
                (None, Some(item)) => {
                    let inner = place.map(|place| Place { go: "", ..*place });
                    self.value(schema.ty(item), inner.as_ref(), &way, (value, live));
                }
                (None, None) => {
                    self.report(ProblemKind::Unknown, &way, || {
                        format!("unknown field {:?}", way.to_string())
                    });
                }
            }
        }
        if self.mode == Mode::Manifest {
            form.fields.iter().for_each(|field| self.required(field, way, map));
        }
    }

    fn required(&mut self, field: &Field, way: &Way<'_>, map: &Map) {
        if field.required && map.get(&field.name).is_none_or(Value::is_null) {
            let path = Way::Key(way, &field.name).to_string();
            let message = format!("{path}: Required value");
            self.problems.push(Problem { path, kind: ProblemKind::Required, message });
        }
    }

    fn list(
        &mut self,
        form: &ListType,
        place: Option<&Place<'_>>,
        way: &Way<'_>,
        (list, live): (&[Value], &[Value]),
    ) {
        let ty = self.schema.ty(form.item);
        let place =
            place.map(|place| Place { go: place.go.strip_prefix("[]").unwrap_or(""), ..*place });
        for (at, item) in list.iter().enumerate() {
            let live = live.get(at);
            if live != Some(item) {
                self.value(ty, place.as_ref(), &Way::Index(way, at), (item, live));
            }
        }
    }

    fn scalar(
        &mut self,
        ty: &Type,
        form: Scalar,
        place: Option<&Place<'_>>,
        way: &Way<'_>,
        value: &Value,
    ) {
        match (form, value) {
            (Scalar::String, Value::String(_)) | (Scalar::Boolean, Value::Bool(_)) => {}
            (Scalar::Number, Value::Number(n)) => {
                let whole = match ty.format {
                    Format::Double | Format::None => true,
                    Format::Int32 => n.as_i64().is_some_and(|n| i32::try_from(n).is_ok()),
                    _ => n.as_i64().is_some(),
                };
                if !whole {
                    self.wrong(ty, place, way, &format!("number {n}"));
                }
            }
            (Scalar::Untyped, value) => self.untyped(ty, place, way, value),
            _ => self.wrong(ty, place, way, go::json_name(value)),
        }
    }

    fn untyped(&mut self, ty: &Type, place: Option<&Place<'_>>, way: &Way<'_>, value: &Value) {
        let report = match (ty.format, value) {
            (Format::Quantity, Value::String(text)) => {
                quantity::Quantity::parse(text).err().map(|error| error.to_string())
            }
            (Format::Quantity, Value::Bool(_)) => Some(quantity::NotQuantity::Form.to_string()),
            (Format::DateTime, Value::String(text)) => {
                (!is_time(text)).then(|| bad_time(text, "2006-01-02T15:04:05Z07:00"))
            }
            (Format::MicroTime, Value::String(text)) => {
                (!is_time(text)).then(|| bad_time(text, "2006-01-02T15:04:05.000000Z07:00"))
            }
            (Format::IntOrString, Value::Bool(_))
            | (Format::DateTime | Format::MicroTime, Value::Bool(_) | Value::Number(_)) => {
                return self.wrong(ty, place, way, go::json_name(value));
            }
            _ => None,
        };
        if let Some(message) = report {
            self.report(ProblemKind::WrongType, way, || message);
        }
    }

    fn wrong(&mut self, ty: &Type, place: Option<&Place<'_>>, way: &Way<'_>, value: &str) {
        let go = match place {
            Some(Place { go, .. }) if !go.is_empty() => (*go).to_owned(),
            _ => go_type(self.schema, ty),
        };
        let message = match place {
            Some(place) => format!(
                "json: cannot unmarshal {value} into Go struct field {}.{} of type {go}",
                place.owner(),
                place.fields()
            ),
            None => format!("json: cannot unmarshal {value} into Go value of type {go}"),
        };
        self.report(ProblemKind::WrongType, way, || message);
    }

    fn report(&mut self, kind: ProblemKind, way: &Way<'_>, message: impl FnOnce() -> String) {
        if kind == ProblemKind::WrongType || self.mode != Mode::Types {
            self.problems.push(Problem { path: way.to_string(), kind, message: message() });
        }
    }
}

fn is_time(text: &str) -> bool {
    is_plain_time(text) || Time::parse_rfc3339(text).is_some()
}

fn bad_time(text: &str, layout: &str) -> String {
    format!("parsing time {text:?} as {layout:?}: cannot parse {text:?} as \"2006\"")
}

/// The Go type as its decoder prints it, as far as OpenAPI tells: a named string shows as `string`.
fn go_type(schema: &Schema, ty: &Type) -> String {
    if ty.format == Format::IntOrString {
        return "int32".to_owned();
    }
    if let (Some(list), None) = (&ty.list, ty.scalar) {
        return format!("[]{}", go_type(schema, schema.ty(list.item)));
    }
    if let (Some(map), None) = (&ty.map, ty.scalar) {
        let mut words = ty.name.rsplit('.');
        return match (words.next(), words.next()) {
            (Some(kind), Some(version)) => format!("{version}.{kind}"),
            _ => {
                let item = map.item.map_or_else(String::new, |i| go_type(schema, schema.ty(i)));
                format!("map[string]{item}")
            }
        };
    }
    let name = match (ty.scalar, ty.format) {
        (Some(Scalar::Boolean), _) => "bool",
        (Some(Scalar::Number), Format::Int32) => "int32",
        (Some(Scalar::Number), Format::Double) => "float64",
        (Some(Scalar::Number), _) => "int64",
        (_, Format::Quantity) => "resource.Quantity",
        (_, Format::Byte) => "[]uint8",
        _ => "string",
    };
    name.to_owned()
}

#[cfg(test)]
mod tests {
    use super::super::builtin;
    use super::*;
    use crate::object::json;

    fn check_kind(group: &str, kind: &str, value: &Value, mode: Mode, expect: &[&str]) {
        let ty = builtin().kind(group, "v1", kind).unwrap().ty;
        let found = check(builtin(), ty, value, mode);
        assert_eq!(found.iter().map(|p| p.message.as_str()).collect::<Vec<_>>(), expect);
    }

    #[test]
    fn unknown_fields_and_wrong_types_are_named_as_the_server_names_them() {
        check_kind(
            "apps",
            "Deployment",
            &json!({"spec": {"replicas": "3", "foo": 1, "template": {"spec": {"containers": [
                {"name": "a", "bar": 1, "ports": {}, "resources": {"limits": {"cpu": "x"}}}]}}}}),
            Mode::Decode,
            &[
                "unknown field \"spec.foo\"",
                "json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32",
                "unknown field \"spec.template.spec.containers[0].bar\"",
                "json: cannot unmarshal object into Go struct field Container.spec.template.spec.containers.ports of type []v1.ContainerPort",
                "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
            ],
        );
        check_kind(
            "",
            "ConfigMap",
            &json!({"data": {"a": 1}}),
            Mode::Types,
            &["json: cannot unmarshal number into Go struct field ConfigMap.data of type string"],
        );
    }

    #[test]
    fn a_manifest_lacks_what_is_required() {
        check_kind(
            "",
            "Service",
            &json!({"spec": {"ports": [{"targetPort": "http"}]}}),
            Mode::Manifest,
            &["spec.ports[0].port: Required value"],
        );
        check_kind("", "ConfigMap", &json!({"data": null, "x": null}), Mode::Types, &[]);
    }
}
