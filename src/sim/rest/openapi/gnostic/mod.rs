//! The v2 document in gnostic's protocol buffers, the one form in which client-go and Argo CD ask
//! for it (R-HTTP-09).
//!
//! Messages and numbers are those of gnostic's `OpenAPIv2.proto`; fields are written in the order
//! of their numbers, items in the order of the JSON document. Fields that no Kubernetes document
//! has are not known here.

mod json;
mod wire;
mod yaml;

use super::document::Parts;
use super::table::Table;
use json::Json;
use wire::Message;

/// A field of a message: its name in JSON, its number, and how its value is written.
type Field = (&'static str, u32, fn(&mut Message, u32, &Json));

const OPERATION: [Field; 11] = [
    ("tags", 1, texts),
    ("summary", 2, text),
    ("description", 3, text),
    ("operationId", 5, text),
    ("produces", 6, texts),
    ("consumes", 7, texts),
    ("parameters", 8, parameters),
    ("responses", 9, responses),
    ("schemes", 10, texts),
    ("deprecated", 11, flag),
    ("x-", 13, extensions),
];

const PATH_ITEM: [Field; 9] = [
    ("get", 2, operation),
    ("put", 3, operation),
    ("post", 4, operation),
    ("delete", 5, operation),
    ("options", 6, operation),
    ("head", 7, operation),
    ("patch", 8, operation),
    ("parameters", 9, parameters),
    ("x-", 10, extensions),
];

const BODY_PARAMETER: [Field; 6] = [
    ("description", 1, text),
    ("name", 2, text),
    ("in", 3, text),
    ("required", 4, flag),
    ("schema", 5, schema),
    ("x-", 6, extensions),
];

const QUERY_PARAMETER: [Field; 7] = [
    ("required", 1, flag),
    ("in", 2, text),
    ("description", 3, text),
    ("name", 4, text),
    ("type", 6, text),
    ("format", 7, text),
    ("uniqueItems", 20, flag),
];

/// Of parameters in the path and in headers.
const OTHER_PARAMETER: [Field; 7] = [
    ("required", 1, flag),
    ("in", 2, text),
    ("description", 3, text),
    ("name", 4, text),
    ("type", 5, text),
    ("format", 6, text),
    ("uniqueItems", 19, flag),
];

const RESPONSE: [Field; 2] = [("description", 1, text), ("schema", 2, schema_item)];

const SCHEMA: [Field; 29] = [
    ("$ref", 1, text),
    ("format", 2, text),
    ("title", 3, text),
    ("description", 4, text),
    ("default", 5, any),
    ("multipleOf", 6, double),
    ("maximum", 7, double),
    ("exclusiveMaximum", 8, flag),
    ("minimum", 9, double),
    ("exclusiveMinimum", 10, flag),
    ("maxLength", 11, whole),
    ("minLength", 12, whole),
    ("pattern", 13, text),
    ("maxItems", 14, whole),
    ("minItems", 15, whole),
    ("uniqueItems", 16, flag),
    ("maxProperties", 17, whole),
    ("minProperties", 18, whole),
    ("required", 19, texts),
    ("enum", 20, anys),
    ("additionalProperties", 21, additional),
    ("type", 22, types),
    ("items", 23, items),
    ("allOf", 24, schemas),
    ("properties", 25, named_schemas),
    ("discriminator", 26, text),
    ("readOnly", 27, flag),
    ("example", 30, any),
    ("x-", 31, extensions),
];

const API_KEY: [Field; 4] =
    [("type", 1, text), ("name", 2, text), ("in", 3, text), ("description", 4, text)];

const INFO: [Field; 2] = [("title", 1, text), ("version", 2, text)];

/// The whole document.
pub(super) fn document(table: &Table, parts: &Parts) -> Vec<u8> {
    let (head, tail) = (Json::read(table.head_v2), Json::read(table.tail_v2));
    let part = |name: &str| tail.get(name).unwrap_or(&Json::Null);
    let mut out = Message::default();
    text(&mut out, 1, head.get("swagger").unwrap_or(&Json::Null));
    out.nested(2, |out| fields(out, &INFO, head.get("info").unwrap_or(&Json::Null)));
    out.nested(8, |out| {
        for (path, item) in &parts.paths {
            named(out, 2, path, |out| fields(out, &PATH_ITEM, &Json::read(item)));
        }
    });
    out.nested(9, |out| {
        for (name, definition) in &parts.definitions {
            named(out, 1, name, |out| fields(out, &SCHEMA, &Json::read(definition)));
        }
    });
    out.nested(10, |out| {
        for (name, value) in part("parameters").members() {
            named(out, 1, name, |out| parameter(out, value));
        }
    });
    for requirement in part("security").elements() {
        out.nested(12, |out| {
            for (name, scopes) in requirement.members() {
                named(out, 1, name, |out| texts(out, 1, scopes));
            }
        });
    }
    out.nested(13, |out| {
        for (name, value) in part("securityDefinitions").members() {
            named(out, 1, name, |out| out.nested(2, |out| fields(out, &API_KEY, value)));
        }
    });
    out.into_bytes()
}

/// A name with a message.
fn named(out: &mut Message, number: u32, name: &str, write: impl FnOnce(&mut Message)) {
    out.nested(number, |out| {
        out.text(1, name);
        out.nested(2, write);
    });
}

/// The fields of a message that a value has. `x-` stands for all of them that begin so.
fn fields(out: &mut Message, known: &[Field], value: &Json) {
    for (name, number, write) in known {
        match (*name, value.get(name)) {
            ("x-", _) => write(out, *number, value),
            (_, Some(found)) => write(out, *number, found),
            (_, None) => {}
        }
    }
}

fn text(out: &mut Message, number: u32, value: &Json) {
    out.text(number, value.text());
}

fn texts(out: &mut Message, number: u32, value: &Json) {
    value.elements().iter().for_each(|value| out.item(number, value.text()));
}

fn flag(out: &mut Message, number: u32, value: &Json) {
    out.flag(number, *value == Json::Bool(true));
}

fn whole(out: &mut Message, number: u32, value: &Json) {
    if let Json::Whole(value) = value {
        out.whole(number, *value);
    }
}

fn double(out: &mut Message, number: u32, value: &Json) {
    match value {
        Json::Double(value) => out.double(number, *value),
        Json::Whole(value) => out.double(number, *value as f64),
        _ => {}
    }
}

fn any(out: &mut Message, number: u32, value: &Json) {
    out.nested(number, |out| out.text(2, &yaml::document(value)));
}

fn anys(out: &mut Message, number: u32, value: &Json) {
    value.elements().iter().for_each(|value| any(out, number, value));
}

/// Every member whose name begins with `x-`.
fn extensions(out: &mut Message, number: u32, value: &Json) {
    for (name, value) in value.members().iter().filter(|(name, _)| name.starts_with("x-")) {
        out.nested(number, |out| {
            out.text(1, name);
            any(out, 2, value);
        });
    }
}

fn operation(out: &mut Message, number: u32, value: &Json) {
    out.nested(number, |out| fields(out, &OPERATION, value));
}

fn parameters(out: &mut Message, number: u32, value: &Json) {
    for value in value.elements() {
        out.nested(number, |out| match value.get("$ref") {
            Some(reference) => out.nested(2, |out| text(out, 1, reference)),
            None => out.nested(1, |out| parameter(out, value)),
        });
    }
}

/// A parameter by where it is.
fn parameter(out: &mut Message, value: &Json) {
    let other = |number: u32, known: &'static [Field]| {
        move |out: &mut Message, value: &Json| {
            out.nested(number, |out| fields(out, known, value));
        }
    };
    match value.get("in").map(Json::text) {
        Some("body") => out.nested(1, |out| fields(out, &BODY_PARAMETER, value)),
        Some("header") => out.nested(2, |out| other(1, &OTHER_PARAMETER)(out, value)),
        Some("path") => out.nested(2, |out| other(4, &OTHER_PARAMETER)(out, value)),
        _ => out.nested(2, |out| other(3, &QUERY_PARAMETER)(out, value)),
    }
}

fn responses(out: &mut Message, number: u32, value: &Json) {
    out.nested(number, |out| {
        for (code, response) in value.members() {
            named(out, 1, code, |out| out.nested(1, |out| fields(out, &RESPONSE, response)));
        }
    });
}

fn schema(out: &mut Message, number: u32, value: &Json) {
    out.nested(number, |out| fields(out, &SCHEMA, value));
}

fn schema_item(out: &mut Message, number: u32, value: &Json) {
    out.nested(number, |out| schema(out, 1, value));
}

fn schemas(out: &mut Message, number: u32, value: &Json) {
    value.elements().iter().for_each(|value| schema(out, number, value));
}

fn named_schemas(out: &mut Message, number: u32, value: &Json) {
    out.nested(number, |out| {
        for (name, property) in value.members() {
            named(out, 1, name, |out| fields(out, &SCHEMA, property));
        }
    });
}

fn additional(out: &mut Message, number: u32, value: &Json) {
    out.nested(number, |out| match value {
        Json::Bool(allowed) => out.flag(2, *allowed),
        value => schema(out, 1, value),
    });
}

fn types(out: &mut Message, number: u32, value: &Json) {
    out.nested(number, |out| match value {
        Json::Text(_) => text(out, 1, value),
        value => texts(out, 1, value),
    });
}

fn items(out: &mut Message, number: u32, value: &Json) {
    out.nested(number, |out| match value {
        Json::List(_) => schemas(out, 1, value),
        value => schema(out, 1, value),
    });
}
