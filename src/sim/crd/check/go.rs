//! Parts of a definition as upstream's own structs print in JSON, which is how some errors show
//! them.

use crate::object::schema::node::{RuleText, text};
use crate::object::{Value, json};

/// Text as Go's JSON encoder writes it in a page: without characters that HTML knows.
fn escaped(json: &str) -> String {
    json.replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026")
}

/// A rule.
pub(super) fn rule(rule: &RuleText) -> String {
    let reason = if rule.reason.is_empty() { Value::Null } else { rule.reason.as_str().into() };
    let optional = rule.optional_old_self.map_or(Value::Null, Value::Bool);
    let parts = [
        ("Rule", Value::from(rule.rule.as_str())),
        ("Message", rule.message.as_str().into()),
        ("MessageExpression", rule.message_expression.as_str().into()),
        ("Reason", reason),
        ("FieldPath", rule.field_path.as_str().into()),
        ("OptionalOldSelf", optional),
    ];
    object(&parts)
}

/// The versions, with what they have in common taken out.
pub(super) fn versions(versions: &[Value]) -> String {
    let flag = |version: &Value, key: &str| Value::from(version.get(key) == Some(&json!(true)));
    let one = |version: &Value| {
        object(&[
            ("Name", text(version, "name").into()),
            ("Served", flag(version, "served")),
            ("Storage", flag(version, "storage")),
            ("Deprecated", flag(version, "deprecated")),
            ("DeprecationWarning", version.get("deprecationWarning").cloned().unwrap_or_default()),
            ("Schema", Value::Null),
            ("Subresources", Value::Null),
            ("AdditionalPrinterColumns", Value::Null),
            ("SelectableFields", Value::Null),
        ])
    };
    format!("[{}]", versions.iter().map(one).collect::<Vec<_>>().join(","))
}

fn object(parts: &[(&str, Value)]) -> String {
    let one = |(key, value): &(&str, Value)| format!("{key:?}:{}", escaped(&value.to_string()));
    format!("{{{}}}", parts.iter().map(one).collect::<Vec<_>>().join(","))
}
