//! Whether a configuration fits the schema, in structured-merge-diff's words (R-SSA-03).
//!
//! Not here: the decoder's words for the same (`object::schema::check`).

use super::walk::{Form, form};
use crate::object::fieldset::items;
use crate::object::schema::{ListType, MapType, Relation, Scalar, Schema, TypeId};
use crate::object::{Map, Object, Value, go};

/// All that is wrong, as one text; `None` if nothing is.
pub(super) fn problems(schema: &Schema, ty: TypeId, object: &Object) -> Option<String> {
    let mut typed = Typed { schema, errors: Vec::new() };
    if let Some(form) = &schema.ty(ty).map {
        typed.map(form, &object.0, &Way { up: None, step: Step::Root });
    }
    match typed.errors.as_slice() {
        [] => None,
        [one] => Some(one.clone()),
        many => Some(format!("errors:\n  {}", many.join("\n  "))),
    }
}

/// The way to a value, written out only where something is wrong.
struct Way<'a> {
    up: Option<&'a Way<'a>>,
    step: Step<'a>,
}

enum Step<'a> {
    Root,
    Field(&'a str),
    Item(usize, &'a Value, &'a ListType),
}

struct Typed<'s> {
    schema: &'s Schema,
    errors: Vec<String>,
}

impl Typed<'_> {
    fn at(&mut self, ty: TypeId, value: &Value, way: &Way<'_>) {
        if value.is_null() {
            return;
        }
        let ty = self.schema.ty(ty);
        match (form(ty, Some(value)).0, value) {
            (Some(Form::Map(form)), Value::Object(map)) => self.map(form, map, way),
            (Some(Form::List(form)), Value::Array(list)) => self.list(form, list, way),
            (Some(Form::Map(_)), other) => {
                self.say(way, &format!("expected map, got {}", go::boxed(other)))
            }
            (Some(Form::List(_)), other) => {
                self.say(way, &format!("expected list, got {}", go::boxed(other)))
            }
            (Some(Form::Scalar), value) => {
                if let Some(text) = ty.scalar.and_then(|form| misfit(form, value)) {
                    self.say(way, &text);
                }
            }
            (None, _) => {}
        }
    }

    fn map(&mut self, form: &MapType, map: &Map, way: &Way<'_>) {
        for (key, value) in map {
            let step = Way { up: Some(way), step: Step::Field(key) };
            match form.type_of(key) {
                Some(ty) => self.at(ty, value, &step),
                None => {
                    self.say(&step, "field not declared in schema");
                    return;
                }
            }
        }
    }

    fn list(&mut self, form: &ListType, list: &[Value], way: &Way<'_>) {
        let mut seen = Vec::with_capacity(list.len());
        for (at, item) in list.iter().enumerate() {
            if form.relation != Relation::Atomic {
                match items::element(self.schema, form, item) {
                    Ok(element) => {
                        if seen.contains(&element) {
                            self.say(way, &format!("duplicate entries for key {element}"));
                        }
                        seen.push(element);
                    }
                    Err(text) => {
                        self.say(way, &format!("element {at}: {text}"));
                        return;
                    }
                }
            }
            self.at(form.item, item, &Way { up: Some(way), step: Step::Item(at, item, form) });
        }
    }

    fn say(&mut self, way: &Way<'_>, text: &str) {
        let path = self.path(way);
        self.errors.push(if path.is_empty() { text.to_owned() } else { format!("{path}: {text}") });
    }

    fn path(&self, way: &Way<'_>) -> String {
        let before = way.up.map(|up| self.path(up)).unwrap_or_default();
        match &way.step {
            Step::Root => before,
            Step::Field(name) => format!("{before}.{name}"),
            Step::Item(at, item, form) => match items::element(self.schema, form, item) {
                Ok(element) => format!("{before}{element}"),
                Err(_) => format!("{before}[{at}]"),
            },
        }
    }
}

fn misfit(form: Scalar, value: &Value) -> Option<String> {
    match (form, value) {
        (Scalar::Number, Value::Number(_))
        | (Scalar::String, Value::String(_))
        | (Scalar::Boolean, Value::Bool(_))
        | (Scalar::Untyped, Value::Number(_) | Value::String(_) | Value::Bool(_)) => None,
        (Scalar::Number, _) => {
            Some(format!("expected numeric (int or float), got {}", go::type_name(value)))
        }
        (Scalar::String, _) => {
            let shown = go::syntax(value);
            Some(format!("expected string, got &value.valueUnstructured{{Value:{shown}}}"))
        }
        (Scalar::Boolean, _) => Some(format!("expected boolean, got {}", go::boxed(value))),
        (Scalar::Untyped, _) => Some(format!("expected any scalar, got {}", go::boxed(value))),
    }
}
