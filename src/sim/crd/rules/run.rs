//! Evaluates the rules for an object, from the outside in.

use std::sync::LazyLock;

use kube_cel::KubeCelExt;
use kube_cel::cel::objects::OptionalValue;
use kube_cel::cel::{self, Context, ExecutionError};

use super::super::fault::{self, Path};
use super::super::validate::ratchet::{Before, item_before};
use super::bound::{self, Passed};
use super::{Budget, Rule, Rules, values};
use crate::api::Cause;
use crate::object::schema::node::{Additional, Node, RuleText};
use crate::object::{Map, Value};

/// The functions that every rule may call.
static FUNCTIONS: LazyLock<Context<'static>> = LazyLock::new(|| {
    let mut context = Context::default().with_all();
    context.add_function("type", |value: cel::Value| type_name(&value).to_owned());
    for name in TYPES {
        context.add_variable_from_value(name, name);
    }
    context
});

/// Types as rules name them. One is compared with another by its name.
const TYPES: [&str; 9] =
    ["int", "uint", "double", "bool", "string", "bytes", "list", "map", "null_type"];

fn type_name(value: &cel::Value) -> &'static str {
    match value {
        cel::Value::Int(_) => "int",
        cel::Value::UInt(_) => "uint",
        cel::Value::Float(_) => "double",
        cel::Value::Bool(_) => "bool",
        cel::Value::String(_) => "string",
        cel::Value::Bytes(_) => "bytes",
        cel::Value::List(_) => "list",
        cel::Value::Map(_) => "map",
        cel::Value::Null => "null_type",
        _ => "object",
    }
}

/// Adds what the rules find wrong; what did not change since `old` is a warning instead.
pub(in crate::sim::crd) fn run(
    (rules, node): (&Rules, &Node),
    object: &Value,
    old: Option<&Value>,
    causes: &mut Vec<Cause>,
    warnings: &mut Vec<String>,
) {
    let before = old.map(|old| Before::new(old, node));
    let ratchet = Ratchet { here: before, parent: None };
    let mut run = Run { budget: Budget::default(), causes, warnings };
    // A limit that was passed is told where it was.
    let _ = run.value(At { rules, node }, &Path::Nil, object, old, ratchet);
}

/// Adds what the rules find wrong with a value that stands at a place by itself.
pub(in crate::sim::crd) fn run_at(
    (rules, node): (&Rules, &Node),
    path: &Path,
    value: &Value,
    old: Option<&Value>,
    causes: &mut Vec<Cause>,
) {
    let ratchet = Ratchet { here: None, parent: None };
    let mut run = Run { budget: Budget::default(), causes, warnings: &mut Vec::new() };
    // A limit that was passed is told where it was.
    let _ = run.value(At { rules, node }, path, value, old, ratchet);
}

/// What stood here before, or at the nearest place further out where that can be told.
#[derive(Clone, Copy)]
struct Ratchet<'v> {
    here: Option<Before<'v>>,
    parent: Option<(Before<'v>, &'v Value)>,
}

impl<'v> Ratchet<'v> {
    fn below(self, value: &'v Value, below: impl FnOnce(Before<'v>) -> Option<Before<'v>>) -> Self {
        match self.here {
            None => self,
            Some(before) => Self { here: below(before), parent: Some((before, value)) },
        }
    }

    fn is_same(self, value: &Value) -> bool {
        match (self.here, self.parent) {
            (Some(before), _) => before.is_same(value),
            (None, Some((before, parent))) => before.is_same(parent),
            (None, None) => false,
        }
    }
}

/// Rules with the schema that they are of.
#[derive(Clone, Copy)]
struct At<'v> {
    rules: &'v Rules,
    node: &'v Node,
}

impl<'v> At<'v> {
    fn items(self) -> Option<Self> {
        Some(Self { rules: self.rules.items.as_deref()?, node: self.node.items.as_deref()? })
    }

    fn additional(self) -> Option<Self> {
        let rules = self.rules.additional.as_deref()?;
        match &self.node.additional {
            Additional::Schema(node) => Some(Self { rules, node }),
            _ => None,
        }
    }

    fn property(self, key: &str) -> Option<Self> {
        let rules = self.rules.properties.get(key)?;
        Some(Self { rules, node: self.node.properties.get(key)? })
    }
}

/// The budget is used up.
struct Over;

struct Run<'r> {
    budget: Budget,
    causes: &'r mut Vec<Cause>,
    warnings: &'r mut Vec<String>,
}

impl Run<'_> {
    fn value<'v>(
        &mut self,
        at: At<'v>,
        path: &Path,
        value: &'v Value,
        old: Option<&'v Value>,
        ratchet: Ratchet<'v>,
    ) -> Result<(), Over> {
        if value.is_null() {
            return Ok(());
        }
        let old = old.filter(|old| !old.is_null());
        self.here(at, path, value, old, ratchet)?;
        match value {
            Value::Object(map) => self.map(at, path, (value, map), old, ratchet),
            Value::Array(list) => {
                let Some(items) = at.items() else { return Ok(()) };
                let before = old.and_then(Value::as_array);
                for (i, item) in list.iter().enumerate() {
                    let old = before.and_then(|list| item_before(at.node, list, item));
                    let below = ratchet.below(value, |before| before.item(item));
                    self.value(items, &path.index(i), item, old, below)?;
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn map<'v>(
        &mut self,
        at: At<'v>,
        path: &Path,
        (value, map): (&'v Value, &'v Map),
        old: Option<&'v Value>,
        ratchet: Ratchet<'v>,
    ) -> Result<(), Over> {
        let is_type = |key: &str| ratchet.parent.is_none() && matches!(key, "kind" | "apiVersion");
        for (key, item) in map {
            let before = old.and_then(|old| old.get(key));
            let below = if is_type(key) {
                Ratchet { here: None, parent: None }
            } else {
                ratchet.below(value, |before| before.field(key))
            };
            if let Some(additional) = at.additional() {
                self.value(additional, &path.key(key), item, before, below)?;
            }
            if let Some(property) = at.property(key) {
                self.value(property, &path.field(key), item, before, below)?;
            }
        }
        Ok(())
    }

    /// The rules of one place.
    fn here(
        &mut self,
        at: At<'_>,
        path: &Path,
        value: &Value,
        old: Option<&Value>,
        ratchet: Ratchet<'_>,
    ) -> Result<(), Over> {
        let At { rules, node } = at;
        if rules.here.is_empty() {
            return Ok(());
        }
        let shown_type = Value::from(node.ty.as_str());
        let width = bound::width(value).max(old.map_or(0, bound::width));
        let current = values::convert(node, rules.is_resource, value);
        let before = old.map(|old| values::convert(node, rules.is_resource, old));
        for rule in &rules.here {
            let optional = rule.text.optional_old_self == Some(true);
            if rule.uses_old && before.is_none() && !optional {
                continue;
            }
            if let Err(passed) = self.budget.take(width, rule.depth) {
                let text = match passed {
                    Passed::Object => "validation failed due to running out of cost budget, no further validation rules will be run".to_owned(),
                    Passed::Rule => format!("'operation cancelled: actual cost limit exceeded': no further validation rules will be run due to call cost exceeds limit for rule: {}", name(&rule.text)),
                };
                self.causes.push(fault::invalid(path, &shown_type, &text));
                return Err(Over);
            }
            let context = context(&current, before.as_ref(), optional);
            match rule.program.execute(&context) {
                Ok(cel::Value::Bool(true)) => {}
                Ok(_) => {
                    let cause = broken(rule, &context, path, &node.ty, value);
                    if !rule.uses_old && ratchet.is_same(value) {
                        self.warnings.push(format!("{}: {}", cause.field, cause.message));
                    } else {
                        self.causes.push(cause);
                    }
                }
                Err(error) => {
                    let text = told(&error, &rule.text);
                    self.causes.push(fault::invalid(path, &shown_type, &text));
                }
            }
        }
        Ok(())
    }
}

fn context<'c>(current: &cel::Value, before: Option<&cel::Value>, optional: bool) -> Context<'c> {
    let mut context = FUNCTIONS.new_inner_scope();
    context.add_variable_from_value("self", current.clone());
    match (before, optional) {
        (before, true) => {
            let old = before.map_or_else(OptionalValue::none, |b| OptionalValue::of(b.clone()));
            let old = cel::Value::Opaque(std::sync::Arc::new(old));
            context.add_variable_from_value("oldSelf", old);
        }
        (Some(before), false) => context.add_variable_from_value("oldSelf", before.clone()),
        (None, false) => {}
    }
    context
}

/// The error of a rule that is not held to.
fn broken(rule: &Rule, context: &Context<'_>, path: &Path, ty: &str, value: &Value) -> Cause {
    let message = rule.message.as_ref().and_then(|message| own_words(message, context));
    let detail = message.unwrap_or_else(|| match rule.text.message.trim() {
        "" => format!("failed rule: {}", rule.text.rule.trim()),
        message => message.to_owned(),
    });
    let own = rule.text.field_path.strip_prefix('.').unwrap_or(&rule.text.field_path);
    let own = normal(own);
    let field = path.field(&own);
    let path = if own.is_empty() { path } else { &field };
    let is_large = matches!(ty, "object" | "array");
    match rule.text.reason.as_str() {
        "FieldValueForbidden" => fault::forbidden(path, &detail),
        "FieldValueRequired" => fault::required(path, &detail),
        "FieldValueDuplicate" => fault::duplicate(path, (!is_large).then_some(value)),
        _ if is_large => fault::invalid_as(path, None, &detail),
        _ => fault::invalid(path, value, &detail),
    }
}

/// `a['b']` as an error shows it: `a[b]`, or `a.b` for a named field.
fn normal(path: &str) -> String {
    path.replace("['", ".").replace("']", "").trim_start_matches('.').to_owned()
}

/// What a message expression says, unless that is no message.
fn own_words(message: &super::Program, context: &Context<'_>) -> Option<String> {
    let Ok(cel::Value::String(text)) = message.execute(context) else { return None };
    let text = text.trim();
    let is_one = !text.is_empty() && text.len() <= 5 * 1024 && !text.contains('\n');
    is_one.then(|| text.to_owned())
}

/// The type to which a function converts a text.
fn converted_to(function: &str) -> Option<&'static str> {
    Some(match function {
        "int" => "int",
        "uint" => "uint",
        "double" => "double",
        "duration" => "google.protobuf.Duration",
        "timestamp" => "google.protobuf.Timestamp",
        _ => return None,
    })
}

fn name(rule: &RuleText) -> &str {
    let message = rule.message.trim();
    if rule.message.is_empty() { rule.rule.trim() } else { message }
}

/// An error of an evaluation in the words of cel-go.
fn told(error: &ExecutionError, rule: &RuleText) -> String {
    let text = match error {
        ExecutionError::NoSuchKey(key) => format!("no such key: {key}"),
        ExecutionError::IndexOutOfBounds(cel::Value::Int(index)) => {
            format!("index out of bounds: {index}")
        }
        ExecutionError::DivisionByZero(_) => "division by zero".to_owned(),
        ExecutionError::RemainderByZero(_) => "modulus by zero".to_owned(),
        ExecutionError::Overflow(..) => "integer overflow".to_owned(),
        ExecutionError::NoSuchOverload
        | ExecutionError::ValuesNotComparable(..)
        | ExecutionError::UnsupportedBinaryOperator(..)
        | ExecutionError::UnsupportedUnaryOperator(..)
        | ExecutionError::UnexpectedType { .. }
        | ExecutionError::NotSupportedAsMethod { .. } => {
            let name = name(rule);
            return format!(
                "'no such overload': call arguments did not match a supported operator, function or macro signature for rule: {name}"
            );
        }
        ExecutionError::FunctionError { function, .. } if function == "quantity" => {
            crate::object::quantity::NotQuantity::Form.to_string()
        }
        ExecutionError::FunctionError { function, .. } if function == "semver" => {
            "No Major.Minor.Patch elements found".to_owned()
        }
        ExecutionError::FunctionError { function, message } => converted_to(function).map_or_else(
            || message.clone(),
            |ty| format!("type conversion error from 'string' to '{ty}'"),
        ),
        other => other.to_string(),
    };
    format!("{text} evaluating rule: {}", name(rule))
}
