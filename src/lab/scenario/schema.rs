//! The JSON Schema of a scenario file, for editors: printed from the grammar that `conform`
//! refuses by.
//!
//! It says what can be said of form. References, and the limits of names' lengths, are only told
//! when a scenario is read.

use super::duration;
use super::field;
use super::grammar::{Form, Key, KeyShape, Map as Known, Shape, Variants};
use super::tables;
use super::words::{LABEL_PATTERN, NAME_PATTERN};
use crate::object::{Map, Value, json};

/// The JSON Schema (draft 2020-12) of a scenario file.
#[must_use]
pub fn schema() -> Value {
    let mut definitions = Map::new();
    let root = map(&tables::SCENARIO, &mut definitions);
    let Value::Object(mut schema) = root else { return root };
    schema.insert("$schema", json!("https://json-schema.org/draft/2020-12/schema"));
    schema.insert("title", json!("towtank scenario"));
    schema.insert("$defs", Value::Object(definitions));
    Value::Object(schema)
}

fn map(known: &'static Known, definitions: &mut Map) -> Value {
    let mut properties = Map::new();
    for key in known.keys() {
        properties.insert(key.word.to_owned(), property(key, definitions));
    }
    let required: Vec<_> = known.keys().filter(|key| key.required).map(|key| key.word).collect();
    let mut schema = json!({
        "type": "object",
        "additionalProperties": false,
        "properties": properties,
    });
    if required.is_empty() {
        schema["type"] = json!(["object", "null"]);
    } else {
        schema["required"] = json!(required);
    }
    schema
}

fn property(key: &'static Key, definitions: &mut Map) -> Value {
    let mut schema = shape(&key.shape, definitions);
    schema["description"] = json!(key.doc);
    schema
}

/// The schema of a map under its name, and a reference to it.
fn defined(name: &str, definitions: &mut Map, make: impl FnOnce(&mut Map) -> Value) -> Value {
    if !definitions.contains_key(name) {
        // The name is taken first, so that a map may contain itself.
        definitions.insert(name.to_owned(), Value::Null);
        let schema = make(definitions);
        definitions.insert(name.to_owned(), schema);
    }
    json!({ "$ref": format!("#/$defs/{name}") })
}

fn variants(variants: &'static Variants, definitions: &mut Map) -> Value {
    defined(variants.name, definitions, |definitions| {
        let mut forms: Vec<Value> =
            variants.forms.iter().map(|(_, one)| form(one, definitions)).collect();
        if let Some(otherwise) = variants.otherwise {
            let mut schema = defined(otherwise.name, definitions, |d| map(otherwise, d));
            // An empty map would do nothing.
            schema["minProperties"] = json!(1);
            schema["type"] = json!("object");
            forms.push(schema);
        }
        json!({ "oneOf": forms })
    })
}

fn form(form: &'static Form, definitions: &mut Map) -> Value {
    match form {
        Form::Map(known) => defined(known.name, definitions, |d| map(known, d)),
        Form::Variants(inner) => variants(inner, definitions),
    }
}

fn shape(of: &'static Shape, definitions: &mut Map) -> Value {
    match of {
        Shape::Text => json!({ "type": "string", "pattern": "\\S" }),
        Shape::Content => json!({ "type": "string" }),
        Shape::Name => json!({ "type": "string", "pattern": NAME_PATTERN }),
        Shape::Label => json!({ "type": "string", "pattern": LABEL_PATTERN }),
        Shape::Path => json!({ "type": "string", "pattern": "^[^/]" }),
        Shape::Rev => {
            let label = LABEL_PATTERN.trim_start_matches('^').trim_end_matches('$');
            json!({ "type": "string", "pattern": format!("^(HEAD(~[0-9]+)?|refs/\\S+|{label})$") })
        }
        Shape::ObjectRef => json!({ "type": "string", "pattern": "^[a-z0-9.-]+(/[^/]+){1,2}$" }),
        Shape::Whole(from, u64::MAX) => json!({ "type": "integer", "minimum": from }),
        Shape::Whole(from, to) => json!({ "type": "integer", "minimum": from, "maximum": to }),
        Shape::Flag => json!({ "type": "boolean" }),
        Shape::Yes => json!({ "const": true }),
        Shape::Duration => json!({ "type": "string", "pattern": duration::PATTERN }),
        Shape::DurationOr(words) => json!({ "anyOf": [
            { "type": "string", "pattern": duration::PATTERN },
            { "enum": words },
        ] }),
        Shape::Phrase(word) => {
            let time = duration::PATTERN.trim_start_matches('^');
            json!({ "type": "string", "pattern": format!("^{word} +{time}") })
        }
        Shape::Reading => json!({ "anyOf": [
            { "type": "number" },
            { "type": "string", "pattern": "^([0-9]+%|[0-9.]+[A-Za-z]*( in all)?|none)$" },
        ] }),
        Shape::Word(words) => {
            // A code that stands among words may be written as the number that it is.
            let codes = words.iter().filter_map(|word| word.parse::<u64>().ok()).map(Value::from);
            let words: Vec<Value> = words.iter().map(|word| json!(word)).chain(codes).collect();
            json!({ "enum": words })
        }
        Shape::Any => json!({}),
        Shape::Part => json!({ "type": "object", "minProperties": 1 }),
        Shape::Object => json!({
            "type": "object",
            "required": ["apiVersion", "kind", "metadata"],
            "properties": {
                "apiVersion": { "type": "string", "minLength": 1 },
                "kind": { "type": "string", "minLength": 1 },
                "metadata": {
                    "type": "object",
                    "required": ["name"],
                    "properties": { "name": { "type": "string", "minLength": 1 } },
                },
            },
        }),
        Shape::Each(keys, values) => {
            let values = shape(values, definitions);
            json!({ "type": "object", "additionalProperties": values, "propertyNames": names(*keys) })
        }
        Shape::List(item) => {
            json!({ "type": "array", "minItems": 1, "items": shape(item, definitions) })
        }
        Shape::OneOrList(item) => {
            let one = shape(item, definitions);
            json!({ "anyOf": [one, { "type": "array", "minItems": 1, "items": one }] })
        }
        Shape::Map(known) => defined(known.name, definitions, |d| map(known, d)),
        Shape::Variants(of) => variants(of, definitions),
        Shape::Either(one, other) => {
            json!({ "anyOf": [shape(one, definitions), shape(other, definitions)] })
        }
    }
}

fn names(keys: KeyShape) -> Value {
    match keys {
        KeyShape::Path => json!({ "pattern": "^[^/]", "description": "a path in the repository" }),
        KeyShape::Image => json!({ "pattern": "^\\S+$", "description": "an image without a tag" }),
        KeyShape::ImagePattern => json!({ "pattern": "^\\S+$", "description": "an image" }),
        KeyShape::Field => json!({ "minLength": 1, "description": field::EXPECTED }),
        KeyShape::Object => json!({ "pattern": "^[a-z0-9.-]+(/[^/]+){1,2}$" }),
        KeyShape::Metric => json!({ "minLength": 1, "description": "a metric" }),
        KeyShape::Url => json!({ "pattern": "^\\S+$", "description": "a URL" }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reference_of_the_schema_leads_somewhere() {
        fn walk(value: &Value, seen: &mut Vec<String>) {
            match value {
                Value::Object(map) => {
                    seen.extend(map.get("$ref").and_then(Value::as_str).map(str::to_owned));
                    map.values().for_each(|value| walk(value, seen));
                }
                Value::Array(items) => items.iter().for_each(|item| walk(item, seen)),
                _ => {}
            }
        }
        let schema = schema();
        let mut references = Vec::new();
        walk(&schema, &mut references);
        assert!(references.len() > 30);
        for reference in references {
            let found = schema.pointer(reference.trim_start_matches('#'));
            assert!(found.is_some_and(Value::is_object), "{reference}");
        }
    }

    #[test]
    fn the_schema_names_the_keys_of_a_scenario() {
        let schema = schema();
        assert_eq!(schema["required"], json!(["name", "description", "repo", "steps"]));
        assert_eq!(schema["additionalProperties"], json!(false));
        assert_eq!(schema["$defs"]["app"]["properties"]["prune"]["type"], json!("boolean"));
    }
}
