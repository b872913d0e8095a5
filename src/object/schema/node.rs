//! A version's schema as a tree: what a CustomResourceDefinition says of a value and of what lies
//! below it.
//!
//! One type serves structure and the value validations nested in `allOf`, `anyOf`, `oneOf` and
//! `not`, which use fewer of its fields. Reading never fails: what is no schema was refused when
//! the definition was written (`sim::crd::check`), and what slipped through counts as unset.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use regex::Regex;

use crate::object::Value;

/// What a schema says of a value.
#[derive(Clone, Debug, Default, PartialEq)]
#[expect(missing_docs, reason = "the words are OpenAPI's own")]
pub struct Node {
    /// Empty where any type is fine.
    pub ty: String,
    pub format: String,
    pub nullable: bool,
    pub default: Option<Value>,
    pub items: Option<Box<Node>>,
    pub properties: BTreeMap<String, Node>,
    pub additional: Additional,
    pub preserve: bool,
    pub embedded: bool,
    pub int_or_string: bool,
    pub list_type: Option<ListKind>,
    pub list_keys: Vec<String>,
    pub atomic_map: bool,
    pub rules: Vec<RuleText>,
    pub checks: Checks,
}

/// `additionalProperties`.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Additional {
    /// Not said.
    #[default]
    Unset,
    /// Whether there may be any.
    Allowed(bool),
    /// What they are.
    Schema(Box<Node>),
}

/// `x-kubernetes-list-type`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the words are Kubernetes' own")]
pub enum ListKind {
    Atomic,
    Set,
    Map,
}

/// What a schema asks of a value beside its structure.
#[derive(Clone, Debug, Default, PartialEq)]
#[expect(missing_docs, reason = "the words are OpenAPI's own")]
pub struct Checks {
    pub maximum: Option<f64>,
    pub exclusive_maximum: bool,
    pub minimum: Option<f64>,
    pub exclusive_minimum: bool,
    pub max_length: Option<i64>,
    pub min_length: Option<i64>,
    pub pattern: Pattern,
    pub max_items: Option<i64>,
    pub min_items: Option<i64>,
    pub unique_items: bool,
    pub multiple_of: Option<f64>,
    pub max_properties: Option<i64>,
    pub min_properties: Option<i64>,
    pub required: Vec<String>,
    pub one_of_values: Vec<Value>,
    pub all_of: Vec<Node>,
    pub any_of: Vec<Node>,
    pub one_of: Vec<Node>,
    pub not: Option<Box<Node>>,
}

/// A pattern that texts must match; compiled when it is first needed.
#[derive(Clone, Debug, Default)]
pub struct Pattern {
    /// As it is written; empty where there is none.
    pub text: String,
    compiled: OnceLock<Option<Regex>>,
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Pattern {
    /// Whether a text has a part that matches. None does if the pattern is none.
    #[must_use]
    pub fn fits(&self, content: &str) -> bool {
        let regex = self.compiled.get_or_init(|| Regex::new(&self.text).ok());
        regex.as_ref().is_some_and(|regex| regex.is_match(content))
    }
}

/// One of `x-kubernetes-validations`, as it is written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "the words are Kubernetes' own")]
pub struct RuleText {
    pub rule: String,
    pub message: String,
    pub message_expression: String,
    /// Empty for `FieldValueInvalid`.
    pub reason: String,
    pub field_path: String,
    pub optional_old_self: Option<bool>,
}

impl Node {
    /// Reads an `openAPIV3Schema` or a part of one.
    #[must_use]
    pub fn read(value: &Value) -> Self {
        let text = |key: &str| text(value, key);
        let flag = |key: &str| value.get(key).and_then(Value::as_bool).unwrap_or(false);
        let read_box = |key: &str| value.get(key).filter(|v| v.is_object()).map(Self::read);
        let properties = value.get("properties").and_then(Value::as_object);
        Self {
            ty: text("type"),
            format: text("format"),
            nullable: flag("nullable"),
            default: value.get("default").filter(|v| !v.is_null()).cloned(),
            items: read_box("items").map(Box::new),
            properties: properties
                .map(|map| map.iter().map(|(k, v)| (k.to_string(), Self::read(v))).collect())
                .unwrap_or_default(),
            additional: match value.get("additionalProperties") {
                Some(Value::Bool(allowed)) => Additional::Allowed(*allowed),
                Some(schema @ Value::Object(_)) => Additional::Schema(Box::new(Self::read(schema))),
                _ => Additional::Unset,
            },
            preserve: flag("x-kubernetes-preserve-unknown-fields"),
            embedded: flag("x-kubernetes-embedded-resource"),
            int_or_string: flag("x-kubernetes-int-or-string"),
            list_type: match text("x-kubernetes-list-type").as_str() {
                "atomic" => Some(ListKind::Atomic),
                "set" => Some(ListKind::Set),
                "map" => Some(ListKind::Map),
                _ => None,
            },
            list_keys: texts(value, "x-kubernetes-list-map-keys"),
            atomic_map: text("x-kubernetes-map-type") == "atomic",
            rules: list(value, "x-kubernetes-validations").iter().map(RuleText::read).collect(),
            checks: Checks::read(value),
        }
    }

    /// The schema of what stands under a key, property or not.
    #[must_use]
    pub fn below(&self, key: &str) -> Option<&Self> {
        match (self.properties.get(key), &self.additional) {
            (Some(property), _) => Some(property),
            (None, Additional::Schema(schema)) => Some(schema),
            _ => None,
        }
    }

    /// Whether a value without a schema of its own may stand under a key.
    #[must_use]
    pub fn takes_any(&self) -> bool {
        self.additional == Additional::Allowed(true)
    }
}

impl Checks {
    fn read(value: &Value) -> Self {
        let number = |key: &str| value.get(key).and_then(Value::as_f64);
        let count = |key: &str| value.get(key).and_then(Value::as_i64);
        let flag = |key: &str| value.get(key).and_then(Value::as_bool).unwrap_or(false);
        let nodes = |key: &str| list(value, key).iter().map(Node::read).collect();
        Self {
            maximum: number("maximum"),
            exclusive_maximum: flag("exclusiveMaximum"),
            minimum: number("minimum"),
            exclusive_minimum: flag("exclusiveMinimum"),
            max_length: count("maxLength"),
            min_length: count("minLength"),
            pattern: Pattern { text: text(value, "pattern"), compiled: OnceLock::new() },
            max_items: count("maxItems"),
            min_items: count("minItems"),
            unique_items: flag("uniqueItems"),
            multiple_of: number("multipleOf"),
            max_properties: count("maxProperties"),
            min_properties: count("minProperties"),
            required: texts(value, "required"),
            one_of_values: list(value, "enum").to_vec(),
            all_of: nodes("allOf"),
            any_of: nodes("anyOf"),
            one_of: nodes("oneOf"),
            not: value.get("not").filter(|v| v.is_object()).map(|v| Box::new(Node::read(v))),
        }
    }
}

impl RuleText {
    fn read(value: &Value) -> Self {
        Self {
            rule: text(value, "rule"),
            message: text(value, "message"),
            message_expression: text(value, "messageExpression"),
            reason: text(value, "reason"),
            field_path: text(value, "fieldPath"),
            optional_old_self: value.get("optionalOldSelf").and_then(Value::as_bool),
        }
    }
}

/// The text under a key; empty where there is none.
#[must_use]
pub fn text(value: &Value, key: &str) -> String {
    value.get(key).and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// The list under a key; empty where there is none.
#[must_use]
pub fn list<'v>(value: &'v Value, key: &str) -> &'v [Value] {
    value.get(key).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// The texts of the list under a key.
#[must_use]
pub fn texts(value: &Value, key: &str) -> Vec<String> {
    list(value, key).iter().filter_map(Value::as_str).map(str::to_owned).collect()
}
