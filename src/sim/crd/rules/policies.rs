//! What is wrong with an expression of an admission policy, before it is ever evaluated: names
//! that nothing stands for, and literals of the wrong type.
//!
//! Objects have no type here, so nothing is said of their fields; what is wrong with how a text
//! is written is `compile`'s to say.

use kube_cel::cel::common::ast::{EntryExpr, Expr, IdedExpr, StructExpr};

use super::Program;
use super::compile::shown;
use super::names::{GLOBALS, literal_type, undeclared};
use super::program::is_made;

/// What an expression may name.
#[derive(Clone, Debug, Default)]
pub(in crate::sim) struct Scope<'a> {
    /// `object`, `request` and their like.
    pub(in crate::sim) names: &'a [&'a str],
    /// The fields of `variables`; `None` where there is no such name.
    pub(in crate::sim) variables: Option<&'a [&'a str]>,
    /// Whether objects and patches can be written down.
    pub(in crate::sim) makes: bool,
}

struct Fault {
    text: String,
    at: usize,
}

/// What is wrong with the names in an expression that can be read.
pub(in crate::sim) fn fault(source: &str, scope: &Scope) -> Option<String> {
    let program = Program::compile(source).ok()?;
    let mut walk = Walk { source, scope, bound: Vec::new(), fault: None };
    walk.see(program.expression());
    let Fault { text, at } = walk.fault?;
    let before = &source[..at];
    let line = before.matches('\n').count() + 1;
    let column = at - before.rfind('\n').map_or(0, |end| end + 1) + 1;
    let place = |number: usize| isize::try_from(number).unwrap_or(1);
    Some(shown(source, place(line), place(column), &text))
}

/// The type that an expression comes to, where its form says so.
pub(in crate::sim) fn type_of(source: &str) -> Option<String> {
    known(Program::compile(source).ok()?.expression())
}

fn known(expression: &IdedExpr) -> Option<String> {
    Some(match &expression.expr {
        Expr::Struct(of) => of.type_name.clone(),
        Expr::Literal(literal) => literal_type(literal).to_owned(),
        Expr::List(list) => match list.elements.first() {
            None => "list(dyn)".to_owned(),
            Some(first) => format!("list({})", known(first)?),
        },
        Expr::Map(map) => match map.entries.first().map(|entry| &entry.expr) {
            Some(EntryExpr::MapEntry(entry)) => {
                format!("map({}, {})", known(&entry.key)?, known(&entry.value)?)
            }
            _ => "map(dyn, dyn)".to_owned(),
        },
        _ => return None,
    })
}

struct Walk<'w> {
    source: &'w str,
    scope: &'w Scope<'w>,
    bound: Vec<String>,
    fault: Option<Fault>,
}

impl Walk<'_> {
    fn say(&mut self, text: String, at: Option<usize>) {
        if self.fault.is_none() {
            self.fault = Some(Fault { text, at: at.unwrap_or(0) });
        }
    }

    fn see(&mut self, expression: &IdedExpr) {
        match &expression.expr {
            Expr::Ident(name) => self.ident(name),
            Expr::Select(select) => {
                if let (Expr::Ident(of), Some(variables)) =
                    (&select.operand.expr, self.scope.variables)
                    && of == "variables"
                {
                    if !variables.contains(&select.field.as_str()) {
                        let place = format!("variables.{}", select.field);
                        let at = word(self.source, &place).map(|at| at + "variables".len());
                        self.say(format!("undefined field '{}'", select.field), at);
                    }
                    return;
                }
                self.see(&select.operand);
            }
            Expr::Call(call) => {
                for part in call.target.as_deref().into_iter().chain(&call.args) {
                    self.see(part);
                }
            }
            Expr::Comprehension(c) => {
                self.see(&c.iter_range);
                self.see(&c.accu_init);
                let before = self.bound.len();
                self.bound.extend([c.iter_var.clone(), c.accu_var.clone()]);
                self.bound.extend(c.iter_var2.clone());
                for part in [&c.loop_cond, &c.loop_step, &c.result] {
                    self.see(part);
                }
                self.bound.truncate(before);
            }
            Expr::List(list) => list.elements.iter().for_each(|element| self.see(element)),
            Expr::Map(map) => map.entries.iter().for_each(|entry| self.entry(&entry.expr)),
            Expr::Struct(of) => self.made(of),
            Expr::Literal(_) | Expr::Unspecified => {}
        }
    }

    fn entry(&mut self, entry: &EntryExpr) {
        match entry {
            EntryExpr::StructField(field) => self.see(&field.value),
            EntryExpr::MapEntry(entry) => {
                self.see(&entry.key);
                self.see(&entry.value);
            }
        }
    }

    fn ident(&mut self, name: &str) {
        let is_known = self.scope.names.contains(&name)
            || (name == "variables" && self.scope.variables.is_some())
            || GLOBALS.contains(&name)
            || matches!(name, "jsonpatch" | "authorizer")
            || name.starts_with(['@', '#'])
            || self.bound.iter().any(|bound| bound == name);
        if !is_known {
            self.say(undeclared(name), word(self.source, name));
        }
    }

    /// A literal of an object or of a patch.
    fn made(&mut self, of: &StructExpr) {
        let name = of.type_name.as_str();
        if !(is_made(name) && self.scope.makes) {
            let at = word(self.source, name).map(|at| at + name.len());
            return self.say(undeclared(name), at);
        }
        for entry in &of.entries {
            if let (EntryExpr::StructField(field), "JSONPatch") = (&entry.expr, name) {
                let wanted = match field.field.as_str() {
                    "op" | "path" | "from" => "string",
                    "value" => "dyn",
                    _ => "",
                };
                let found = known(&field.value).filter(|found| found != wanted && wanted != "dyn");
                if let Some(found) = found {
                    let at = word(self.source, &field.field).map(|at| at + field.field.len());
                    let text = format!(
                        "expected type of field '{}' is '{wanted}' but provided type is '{found}'",
                        field.field
                    );
                    self.say(text, at);
                }
            }
            self.entry(&entry.expr);
        }
    }
}

/// Where a name stands by itself.
fn word(source: &str, name: &str) -> Option<usize> {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    source.match_indices(name).map(|(at, _)| at).find(|at| {
        let (before, after) = (&source[..*at], &source[at + name.len()..]);
        !before.ends_with(|c| is_word(c) || c == '.') && !after.starts_with(is_word)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(source: &str, expected: Option<&str>) {
        let scope = Scope { names: &["object"], variables: Some(&["v"]), makes: true };
        let found = fault(source, &scope);
        let first = found.as_deref().map(|text| text.lines().next().unwrap_or_default());
        assert_eq!(first, expected, "{source}");
    }

    #[test]
    fn names_that_nothing_stands_for_are_told_with_their_place() {
        check("object.a == variables.v && [1].all(x, x > 0)", None);
        check("Object{a: [JSONPatch{op: 'add'}]}", None);
        let unknown = "ERROR: <input>:1:1: undeclared reference to 'truex' (in container '')";
        check("truex", Some(unknown));
        check("1 == variables.w", Some("ERROR: <input>:1:15: undefined field 'w'"));
        let of_type = "ERROR: <input>:1:6: undeclared reference to 'Thing' (in container '')";
        check("Thing{}", Some(of_type));
        assert_eq!(type_of("{'a': 1}").as_deref(), Some("map(string, int)"));
        assert_eq!(type_of("object.a"), None);
    }
}
