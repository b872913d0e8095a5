//! Fills in what the API server fills in by itself (R-DEF), from the table beside this file and
//! the functions of `computed`.
//!
//! An object comes here in printed form (`object::schema::form`), so that a zero value that Go
//! takes for unset is absent. Allocations (cluster IPs, node ports) are not defaults: see
//! `services`.

mod computed;

use std::sync::LazyLock;

use crate::object::schema::{self, Schema, TypeId};
use crate::object::{Key, Map, Object, Value};

const TABLE: &str = include_str!("table.txt");

/// Fills in an object of the built-in type `ty`. If it is written over `live`, there is nothing left
/// to fill in below what is as it is there.
pub(super) fn fill(ty: TypeId, object: &mut Object, live: Option<&Object>) {
    static PLAN: LazyLock<Plan> = LazyLock::new(|| Plan::new(schema::builtin()));
    PLAN.run(ty, &mut object.0, live.map(|live| &live.0));
}

type Fields = Map;

enum Rule {
    /// Sets a field, by its path from the type.
    Field {
        path: Vec<&'static str>,
        value: Value,
        condition: Option<Condition>,
        /// Whether Go has a pointer there, for which empty is not unset.
        is_pointer: bool,
    },
    Computed(fn(&mut Fields)),
}

struct Condition {
    path: Vec<&'static str>,
    value: &'static str,
    holds_if_equal: bool,
}

/// How the value of a field leads to further types.
#[derive(Clone, Copy)]
enum Shape {
    Struct,
    List,
}

/// What is to be done with a value of a type, and where below it more is.
#[derive(Default)]
struct Step {
    rules: Vec<Rule>,
    below: Vec<(Key, Shape, TypeId)>,
}

/// A step for each type; `None` where neither it nor anything below it has a default.
struct Plan {
    steps: Vec<Option<Step>>,
}

impl Plan {
    fn new(schema: &Schema) -> Self {
        let mut rules = rules();
        let mut plan = Self { steps: Vec::new() };
        let mut state = Vec::new();
        for kind in schema.kinds() {
            plan.add(schema, kind.ty, &mut rules, &mut state);
        }
        plan
    }

    /// Adds a type and all below it; says whether there is anything to do.
    fn add(
        &mut self,
        schema: &Schema,
        ty: TypeId,
        rules: &mut Vec<(&'static str, Vec<Rule>)>,
        seen: &mut Vec<bool>,
    ) -> bool {
        let at = ty.0 as usize;
        if seen.len() <= at {
            seen.resize(at + 1, false);
            self.steps.resize_with(at + 1, || None);
        }
        if seen[at] {
            return self.steps[at].is_some();
        }
        seen[at] = true;
        let form = schema.ty(ty);
        let mut step = Step::default();
        if let Some(found) = rules.iter_mut().find(|(name, _)| is_named(&form.name, name)) {
            step.rules = std::mem::take(&mut found.1);
        }
        for field in form.map.iter().flat_map(|map| &map.fields) {
            let below = schema.ty(field.ty);
            let (shape, inner) = match &below.list {
                Some(list) => (Shape::List, list.item),
                None => (Shape::Struct, field.ty),
            };
            if self.add(schema, inner, rules, seen) {
                step.below.push((Key::from(&*field.name), shape, inner));
            }
        }
        let useful = !step.rules.is_empty() || !step.below.is_empty();
        if useful {
            self.steps[at] = Some(step);
        }
        useful
    }

    fn run(&self, ty: TypeId, fields: &mut Fields, live: Option<&Fields>) {
        let Some(Some(step)) = self.steps.get(ty.0 as usize) else { return };
        for rule in &step.rules {
            rule.run(fields);
        }
        for (name, shape, inner) in &step.below {
            let live = live.and_then(|live| live.get_key(name));
            let filled = match (shape, fields.get_key(name)) {
                (_, value) if value.is_none() || live == value => None,
                (Shape::Struct, Some(value)) => self.filled(*inner, value, live),
                (Shape::List, Some(value)) => self.filled_items(*inner, value, live),
                (_, None) => None,
            };
            if let Some(filled) = filled {
                fields.insert(name, filled);
            }
        }
    }

    /// A struct with what was left to fill in; `None` where nothing was. What is filled in already
    /// stays shared with whoever else has it, such as a template with its pods.
    fn filled(&self, ty: TypeId, value: &Value, live: Option<&Value>) -> Option<Value> {
        let Value::Object(before) = value else { return None };
        let mut fields = before.clone();
        self.run(ty, &mut fields, live.and_then(Value::as_object));
        (!fields.is_same(before)).then_some(Value::Object(fields))
    }

    /// The same of a list of structs.
    fn filled_items(&self, ty: TypeId, value: &Value, live: Option<&Value>) -> Option<Value> {
        let Value::Array(before) = value else { return None };
        let mut items = None;
        for (at, item) in before.iter().enumerate() {
            let live = live.and_then(|live| live.get(at));
            if live == Some(item) {
                continue;
            }
            if let Some(item) = self.filled(ty, item, live) {
                items.get_or_insert_with(|| before.clone())[at] = item;
            }
        }
        items.map(Value::Array)
    }
}

/// Whether an OpenAPI name ends in a type of the table.
fn is_named(full: &str, name: &str) -> bool {
    full.strip_suffix(name).is_some_and(|before| before.ends_with('.'))
}

impl Rule {
    fn run(&self, fields: &mut Fields) {
        match self {
            Rule::Computed(function) => function(fields),
            Rule::Field { path, value, condition, is_pointer } => {
                if condition.as_ref().is_none_or(|c| c.holds(fields)) {
                    set_if_absent(fields, path, value, *is_pointer);
                }
            }
        }
    }
}

impl Condition {
    fn holds(&self, fields: &Fields) -> bool {
        let mut found = None;
        let mut map = Some(fields);
        for key in &self.path {
            found = map.and_then(|m| m.get(key));
            map = found.and_then(Value::as_object);
        }
        (found.and_then(Value::as_str).unwrap_or_default() == self.value) == self.holds_if_equal
    }
}

fn set_if_absent(fields: &mut Fields, path: &[&str], value: &Value, is_pointer: bool) {
    let Some((last, way)) = path.split_last() else { return };
    let is_unset = |found: &Value| found.is_null() || (!is_pointer && found == "");
    let there = way.iter().try_fold(&*fields, |map, key| map.get(key)?.as_object());
    // Only what is to be changed is no longer shared.
    if there.is_none_or(|map| map.get(last).is_some_and(|found| !is_unset(found))) {
        return;
    }
    let mut map = fields;
    for key in way {
        match map.get_mut(key) {
            Some(Value::Object(next)) => map = next,
            _ => return,
        }
    }
    map.insert(*last, value.clone());
}

/// The table by type.
fn rules() -> Vec<(&'static str, Vec<Rule>)> {
    let mut all: Vec<(&'static str, Vec<Rule>)> = Vec::new();
    for line in TABLE.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let Some((name, rule)) = rule(line) else { continue };
        match all.iter_mut().find(|(known, _)| *known == name) {
            Some((_, rules)) => rules.push(rule),
            None => all.push((name, vec![rule])),
        }
    }
    all
}

fn rule(line: &'static str) -> Option<(&'static str, Rule)> {
    let mut words = line.split_whitespace();
    let (name, field, value) = (words.next()?, words.next()?, words.next()?);
    if let Some(function) = value.strip_prefix('@') {
        return Some((name, Rule::Computed(computed::named(function)?)));
    }
    let condition = match (words.next(), words.next().and_then(|c| c.split_once('='))) {
        (Some(word), Some((path, value))) => {
            Some(Condition { path: path.split('.').collect(), value, holds_if_equal: word == "if" })
        }
        _ => None,
    };
    let value = serde_json::from_str(value).ok()?;
    let (field, is_pointer) = field.strip_prefix('*').map_or((field, false), |field| (field, true));
    Some((name, Rule::Field { path: field.split('.').collect(), value, condition, is_pointer }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::object::json;

    #[test]
    fn every_line_of_the_table_is_read_and_names_a_type() {
        let lines = TABLE.lines().filter(|l| !l.is_empty() && !l.starts_with('#')).count();
        assert_eq!(rules().iter().map(|(_, rules)| rules.len()).sum::<usize>(), lines);
        let schema = schema::builtin();
        let mut left = rules();
        let (mut plan, mut seen) = (Plan { steps: Vec::new() }, Vec::new());
        for kind in schema.kinds() {
            plan.add(schema, kind.ty, &mut left, &mut seen);
        }
        let unused: Vec<_> = left.iter().filter(|(_, r)| !r.is_empty()).map(|(n, _)| n).collect();
        assert!(unused.is_empty(), "{unused:?}");
    }

    #[test]
    fn a_deployment_is_filled_down_to_its_probes() {
        let schema = schema::builtin();
        let ty = schema.kind("apps", "v1", "Deployment").unwrap().ty;
        let mut value = json!({"spec": {"template": {"spec": {"containers": [
            {"name": "c", "image": "c", "livenessProbe": {"httpGet": {"port": 80}}}]}}}});
        schema::form::print(schema, ty, &mut value);
        let mut object = Object::from_value(value).unwrap();
        fill(ty, &mut object, None);
        assert_eq!(
            object.at(&["spec", "strategy"]),
            Some(&json!({"type": "RollingUpdate",
            "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "25%"}}))
        );
        let container = &object.list(&["spec", "template", "spec", "containers"])[0];
        assert_eq!(container["imagePullPolicy"], json!("Always"));
        assert_eq!(
            container["livenessProbe"]["httpGet"],
            json!({"path": "/", "port": 80, "scheme": "HTTP"})
        );
        assert_eq!(container["livenessProbe"]["periodSeconds"], json!(10));
    }
}
