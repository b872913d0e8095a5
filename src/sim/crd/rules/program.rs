//! An expression that was read, with the syntax that Kubernetes turns on: optional fields, and for
//! policies that change objects the literals of objects.
//!
//! Not here: whether the names in it mean anything (`names`), and what evaluating it may cost
//! (`bound`).

use kube_cel::cel::common::ast::{EntryExpr, Expr, IdedEntryExpr, IdedExpr, LiteralValue};
use kube_cel::cel::common::ast::{MapEntryExpr, MapExpr};
use kube_cel::cel::parser::{ExpressionReferences, Parser};
use kube_cel::cel::{Context, ParseErrors, ResolveResult, Value};

/// An expression that can be evaluated.
#[derive(Debug)]
pub(in crate::sim) struct Program(IdedExpr);

impl Program {
    /// Reads an expression.
    pub(in crate::sim) fn compile(source: &str) -> Result<Self, ParseErrors> {
        Parser::new().enable_optional_syntax(true).parse(source).map(Self)
    }

    pub(in crate::sim) fn execute(&self, context: &Context) -> ResolveResult {
        Value::resolve(&self.0, context)
    }

    pub(in crate::sim) fn references(&self) -> ExpressionReferences<'_> {
        self.0.references()
    }

    pub(in crate::sim) fn expression(&self) -> &IdedExpr {
        &self.0
    }

    /// The same with maps in place of `Object{…}`, `Object.spec{…}` and `JSONPatch{…}`.
    ///
    /// # Errors
    /// The name of a type that is none of these; nothing evaluates a literal of it.
    pub(in crate::sim) fn with_maps(mut self) -> Result<Self, String> {
        replace(&mut self.0)?;
        Ok(self)
    }
}

/// Whether a policy may make values of a type.
pub(super) fn is_made(name: &str) -> bool {
    matches!(name, "Object" | "JSONPatch") || name.starts_with("Object.")
}

fn replace(expression: &mut IdedExpr) -> Result<(), String> {
    match &mut expression.expr {
        Expr::Call(call) => {
            for part in call.target.as_deref_mut().into_iter().chain(&mut call.args) {
                replace(part)?;
            }
        }
        Expr::Comprehension(c) => {
            let c = &mut **c;
            let head = [&mut c.iter_range, &mut c.accu_init, &mut c.loop_cond];
            for part in head.into_iter().chain([&mut c.loop_step, &mut c.result]) {
                replace(part)?;
            }
        }
        Expr::List(list) => {
            for part in &mut list.elements {
                replace(part)?;
            }
        }
        Expr::Map(map) => entries(&mut map.entries)?,
        Expr::Select(select) => replace(&mut select.operand)?,
        Expr::Struct(of) => {
            if !is_made(&of.type_name) {
                return Err(of.type_name.clone());
            }
            entries(&mut of.entries)?;
            let map = std::mem::take(&mut of.entries).into_iter().map(keyed).collect();
            expression.expr = Expr::Map(MapExpr { entries: map });
        }
        Expr::Ident(_) | Expr::Literal(_) | Expr::Unspecified => {}
    }
    Ok(())
}

fn entries(all: &mut [IdedEntryExpr]) -> Result<(), String> {
    for entry in all {
        match &mut entry.expr {
            EntryExpr::StructField(field) => replace(&mut field.value)?,
            EntryExpr::MapEntry(entry) => {
                replace(&mut entry.key)?;
                replace(&mut entry.value)?;
            }
        }
    }
    Ok(())
}

/// A field as an entry of a map.
fn keyed(entry: IdedEntryExpr) -> IdedEntryExpr {
    let IdedEntryExpr { id, expr } = entry;
    let EntryExpr::StructField(field) = expr else { return IdedEntryExpr { id, expr } };
    let name = unescaped(&field.field);
    let key = IdedExpr { id, expr: Expr::Literal(LiteralValue::String(name.into())) };
    let entry = MapEntryExpr { key, value: field.value, optional: field.optional };
    IdedEntryExpr { id, expr: EntryExpr::MapEntry(entry) }
}

/// A field whose name is a word of the language is written with underscores around it.
fn unescaped(name: &str) -> String {
    let inner = name.strip_prefix("__").and_then(|name| name.strip_suffix("__"));
    let reserved = inner.filter(|inner| super::CEL_RESERVED.contains(inner));
    reserved.unwrap_or(name).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(source: &str, expected: &str) {
        let program = Program::compile(source).unwrap().with_maps();
        let shown = program.map(|program| format!("{:?}", program.execute(&Context::default())));
        assert_eq!(shown.unwrap_or_else(|name| format!("no type {name}")), expected, "{source}");
    }

    #[test]
    fn literals_of_objects_become_maps_and_others_are_refused() {
        check(
            "Object{spec: Object.spec{replicas: 3}} == {'spec': {'replicas': 3}}",
            "Ok(Bool(true))",
        );
        check("[JSONPatch{op: 'add'}][0].op", "Ok(String(\"add\"))");
        check("Object{__in__: 1} == {'in': 1}", "Ok(Bool(true))");
        check("{'a': Thing{}}", "no type Thing");
        check("{?'a': optional.none()} == {}", "Ok(Bool(true))");
    }
}
