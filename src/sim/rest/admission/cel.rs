//! CEL over objects: the variables that expressions of policies and match conditions see.
//!
//! Not here: rules of custom resources (`crd`), which are about schemas. There is no `authorizer`.

use std::collections::BTreeMap;
use std::sync::Arc;

use kube_cel::KubeCelExt as _;
use kube_cel::cel::extractors::This;
use kube_cel::cel::objects::{Key, Map as CelMap};
use kube_cel::cel::{Context, FunctionContext, ResolveResult, Value as Cel, functions};

use crate::base::limits;
use crate::object::Value;
use crate::sim::crd::{CEL_RESERVED, Program, undeclared};

/// Expressions that were compiled already, by their text.
#[derive(Default)]
pub(in crate::sim::rest) struct Programs(BTreeMap<String, Arc<Result<Program, String>>>);

impl std::fmt::Debug for Programs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} programs", self.0.len())
    }
}

impl Programs {
    fn of(&mut self, text: &str) -> Arc<Result<Program, String>> {
        if let Some(program) = self.0.get(text) {
            return Arc::clone(program);
        }
        if self.0.len() >= limits::CEL_PROGRAMS {
            self.0.clear();
        }
        let program = Arc::new(
            Program::compile(text)
                .map_err(|error| error.to_string())
                .and_then(|program| program.with_maps().map_err(|name| undeclared(&name))),
        );
        self.0.insert(text.to_owned(), Arc::clone(&program));
        program
    }
}

/// Values by name, for one evaluation.
#[derive(Clone, Debug, Default)]
pub(super) struct Variables {
    values: Vec<(&'static str, Cel)>,
    /// `variables.NAME`.
    own: Vec<(String, Cel)>,
}

impl Variables {
    pub(super) fn set(&mut self, name: &'static str, value: &Value) {
        self.values.push((name, of_json(value)));
    }

    pub(super) fn set_own(&mut self, name: &str, value: Cel) {
        self.own.push((name.to_owned(), value));
    }
}

/// What an expression comes to.
///
/// # Errors
/// Why it does not compile, or what went wrong in it.
pub(super) fn evaluate(
    programs: &mut Programs,
    text: &str,
    variables: &Variables,
) -> Result<Cel, String> {
    let program = programs.of(text);
    let program =
        program.as_ref().as_ref().map_err(|error| format!("compilation error: {error}"))?;
    let mut context = Context::default().with_all();
    context.add_function("string", as_text);
    for (name, value) in &variables.values {
        context.add_variable_from_value(*name, value.clone());
    }
    let own = variables.own.iter();
    let own = own.map(|(name, value)| (Key::String(Arc::new(name.clone())), value.clone()));
    let own = Cel::Map(CelMap { map: Arc::new(own.collect()) });
    context.add_variable_from_value("variables", own);
    program.execute(&context).map_err(|error| {
        format!("expression '{text}' resulted in error: {}", lowered(&error.to_string()))
    })
}

/// `string` of a boolean too, which the library leaves out.
fn as_text(context: &FunctionContext, This(value): This<Cel>) -> ResolveResult {
    match value {
        Cel::Bool(value) => Ok(Cel::String(Arc::new(value.to_string()))),
        other => functions::string(context, This(other)),
    }
}

/// What an expression came to as JSON; `None` for what has no form there.
pub(super) fn to_json(value: &Cel) -> Option<Value> {
    Some(match value {
        Cel::Null => Value::Null,
        Cel::Bool(value) => (*value).into(),
        Cel::Int(value) => (*value).into(),
        Cel::UInt(value) => (*value).into(),
        Cel::Float(value) => (*value).into(),
        Cel::String(text) => text.as_str().into(),
        Cel::List(list) => Value::Array(list.iter().map(to_json).collect::<Option<_>>()?),
        Cel::Map(map) => {
            let pairs = map.map.iter().map(|(key, value)| {
                let Key::String(key) = key else { return None };
                Some((key.to_string(), to_json(value)?))
            });
            Value::Object(pairs.collect::<Option<_>>()?)
        }
        _ => return None,
    })
}

/// Upstream's errors begin with a small letter.
fn lowered(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_lowercase().chain(letters).collect()).unwrap_or_default()
}

/// A text that an expression came to.
pub(super) fn text(value: &Cel) -> Option<&str> {
    match value {
        Cel::String(text) => Some(text),
        _ => None,
    }
}

fn of_json(value: &Value) -> Cel {
    match value {
        Value::Null => Cel::Null,
        Value::Bool(value) => Cel::Bool(*value),
        Value::Number(number) => match (number.as_i64(), number.as_u64()) {
            (Some(number), _) => Cel::Int(number),
            (_, Some(number)) => Cel::UInt(number),
            _ => Cel::Float(number.as_f64().unwrap_or(f64::NAN)),
        },
        Value::String(text) => Cel::String(Arc::new(text.to_string())),
        Value::Array(list) => Cel::List(Arc::new(list.iter().map(of_json).collect())),
        Value::Object(map) => {
            let pairs = map.iter().flat_map(|(key, value)| {
                // A field that is called as a word of the language has another name besides.
                let reserved = CEL_RESERVED.contains(&key.as_str());
                let escaped = reserved.then(|| (format!("__{key}__"), of_json(value)));
                [Some((key.to_string(), of_json(value))), escaped].into_iter().flatten()
            });
            let pairs = pairs.map(|(key, value)| (Key::String(Arc::new(key)), value));
            Cel::Map(CelMap { map: Arc::new(pairs.collect()) })
        }
    }
}
