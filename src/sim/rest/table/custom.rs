//! The columns of a custom resource: the name, and what the definition adds by JSONPath
//! (`additionalPrinterColumns`); the age where it adds nothing.

use std::borrow::Cow;

use super::age;
use super::columns::{Columns, Writer, age_description, name_definition};
use super::jsonpath::Path;
use super::row::{Row, text_of};
use crate::object::{Object, Value, json};
use crate::sim::rest::discovery::bytes;

/// A column that a definition adds.
pub(super) struct Column {
    path: Option<Path>,
    ty: Type,
}

#[derive(Clone, Copy, PartialEq)]
enum Type {
    String,
    Integer,
    Number,
    Boolean,
    Date,
}

/// The columns of a version of a definition.
pub(super) fn columns(definition: &Object, version: &str) -> Columns {
    let versions = definition.list(&["spec", "versions"]).iter();
    let own = versions.filter(|v| v["name"] == version);
    let listed: Vec<&Value> =
        own.flat_map(|v| v["additionalPrinterColumns"].as_array().into_iter().flatten()).collect();
    let mut definitions = vec![name_definition()];
    let mut columns = Vec::new();
    if listed.is_empty() {
        let creation = ".metadata.creationTimestamp";
        definitions.push(header("Age", "date", "", &age_description(), 0));
        columns.push(Column { path: Path::parse(creation), ty: Type::Date });
    }
    for column in listed {
        let path = text_of(column, "jsonPath");
        let description = match text_of(column, "description") {
            "" => format!("Custom resource definition column (in JSONPath format): {path}"),
            own => own.to_owned(),
        };
        let [name, ty, format] = ["name", "type", "format"].map(|key| text_of(column, key));
        let priority = column["priority"].as_i64().unwrap_or(0);
        definitions.push(header(name, ty, format, &description.into(), priority));
        columns.push(Column { path: Path::parse(path), ty: type_of(ty) });
    }
    Columns {
        definitions: Cow::Owned(Value::Array(definitions)),
        writer: Writer::Custom(columns),
        order: None,
        is_default: false,
    }
}

fn header(name: &str, ty: &str, format: &str, description: &Value, priority: i64) -> Value {
    json!({
        "name": name,
        "type": ty,
        "format": format,
        "description": description,
        "priority": priority,
    })
}

fn type_of(word: &str) -> Type {
    match word {
        "integer" => Type::Integer,
        "number" => Type::Number,
        "boolean" => Type::Boolean,
        "date" => Type::Date,
        _ => Type::String,
    }
}

impl Column {
    /// The first value at the path, if it is of the column's type.
    pub(super) fn cell(&self, row: &Row) -> Value {
        let found = self.path.as_ref().and_then(|path| path.first(&row.object.0));
        let Some(value) = found else { return Value::Null };
        match (self.ty, value) {
            (Type::String, value) => text(value),
            (_, Value::Null) => Value::Null,
            (Type::Integer, Value::Number(number)) => {
                let whole = number.as_i64().or_else(|| number.as_f64().map(|f| f as i64));
                whole.map_or(Value::Null, Value::from)
            }
            (Type::Number, Value::Number(_)) => whole_as_integer(value),
            (Type::Boolean, Value::Bool(_)) => value.clone(),
            (Type::Date, Value::String(time)) => date(row, time).into(),
            _ => Value::Null,
        }
    }
}

/// Go prints a floating number that is whole without a fraction.
fn whole_as_integer(value: &Value) -> Value {
    let float = value.as_f64().unwrap_or(0.0);
    let whole = float as i64;
    if (whole as f64) == float { whole.into() } else { value.clone() }
}

/// A value as text: lists and maps as JSON.
fn text(value: &Value) -> Value {
    match value {
        Value::Null => "<no value>".into(),
        Value::String(text) => text.as_str().into(),
        Value::Number(number) if number.is_f64() => go_float(number.as_f64().unwrap_or(0.0)).into(),
        other => String::from_utf8(bytes::compact(other)).unwrap_or_default().into(),
    }
}

/// A floating number as Go prints it: the fewest digits that tell it from others, with an
/// exponent of at least two digits where it is small or large.
fn go_float(number: f64) -> String {
    let scientific = format!("{number:e}");
    let (digits, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-4..6).contains(&exponent) {
        return number.to_string();
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{digits}e{sign}{:02}", exponent.abs())
}

fn date(row: &Row, time: &str) -> String {
    if time.is_empty() || time == "null" {
        return "<unknown>".to_owned();
    }
    match crate::base::Time::parse_rfc3339(time) {
        Some(_) => age::since(row.now, Some(time)),
        None => "<invalid>".to_owned(),
    }
}
