//! Field selectors: conditions on single fields of an object.

use super::SelectorError;
use crate::object::{Object, Value};

/// A field, by the label under which it is selected, that must or must not have a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldTerm {
    /// `metadata.name`, `status.phase`, ...
    pub field: String,
    /// Whether the value must be equal.
    pub equal: bool,
    /// The value as text.
    pub value: String,
}

/// Conditions on fields that must all hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FieldSelector {
    /// The conditions, as written.
    pub terms: Vec<FieldTerm>,
}

impl FieldSelector {
    /// From a query string: `metadata.name=a,status.phase!=Running`.
    ///
    /// # Errors
    /// With the text of apimachinery's parser.
    pub fn parse(text: &str) -> Result<Self, SelectorError> {
        let mut terms = Vec::new();
        for part in unescaped_parts(text).filter(|part| !part.is_empty()) {
            let split = ["!=", "==", "="].into_iter().filter_map(|op| Some((part.find(op)?, op)));
            let Some((at, op)) = split.min_by_key(|(at, op)| (*at, std::cmp::Reverse(op.len())))
            else {
                let text = format!("invalid selector: '{text}'; can't understand '{part}'");
                return Err(SelectorError(text));
            };
            terms.push(FieldTerm {
                field: part[..at].to_owned(),
                equal: op != "!=",
                value: unescaped(&part[at + op.len()..])?,
            });
        }
        Ok(Self { terms })
    }

    /// Whether it matches everything.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }

    /// Whether `object` is selected: a field is read at its own path, a missing one is "", a
    /// number or boolean is its text.
    #[must_use]
    pub fn matches(&self, object: &Object) -> bool {
        self.terms.iter().all(|term| {
            let path: Vec<&str> = term.field.split('.').collect();
            let equal = match object.at(&path) {
                Some(Value::String(text)) => *text == term.value,
                Some(Value::Null) | None => absent_as(&term.field) == term.value,
                Some(Value::Bool(flag)) => term.value == if *flag { "true" } else { "false" },
                Some(other) => other.to_string().as_str() == term.value.as_str(),
            };
            equal == term.equal
        })
    }
}

/// The parts between commas that no backslash stands before.
fn unescaped_parts(text: &str) -> impl Iterator<Item = &str> {
    let mut escaped = false;
    text.split(move |c| {
        let parts = c == ',' && !escaped;
        escaped = c == '\\' && !escaped;
        parts
    })
}

/// A value as it is meant: a backslash stands before another one, a comma and an equals sign.
fn unescaped(text: &str) -> Result<String, SelectorError> {
    let mut value = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some(c @ ('\\' | ',' | '=')) => value.push(c),
                other => {
                    let sequence: String = std::iter::once('\\').chain(other).collect();
                    let text =
                        format!("invalid field selector: invalid escape sequence: {sequence}");
                    return Err(SelectorError(text));
                }
            },
            ',' | '=' => {
                let text = format!(
                    "invalid field selector: unescaped character in value: {}",
                    u32::from(c)
                );
                return Err(SelectorError(text));
            }
            c => value.push(c),
        }
    }
    Ok(value)
}

/// What a field that is not there counts as: booleans and numbers have Go's zero value.
fn absent_as(field: &str) -> &'static str {
    match field {
        "spec.unschedulable" | "spec.hostNetwork" => "false",
        "status.successful" | "status.replicas" => "0",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::object::json;

    #[test]
    fn a_field_selector_reads_fields_by_path_and_takes_absent_ones_as_zero() {
        let pod = Object::from_value(json!({"metadata": {"name": "p"}, "spec": {}})).unwrap();
        for (selector, expected) in [
            ("metadata.name=p", true),
            ("metadata.name!=p", false),
            ("spec.nodeName=", true),
            ("spec.nodeName==n", false),
            ("spec.unschedulable=false,metadata.name=p", true),
        ] {
            assert_eq!(
                FieldSelector::parse(selector).unwrap().matches(&pod),
                expected,
                "{selector}"
            );
        }
    }
}
