//! What evaluating rules may cost.
//!
//! Upstream counts each step of the evaluation. Here the cost of a rule is taken to be the width of
//! the value that it is about, to the power of how deep it iterates; the limits are upstream's. What
//! passes them would pass upstream's, too; what is near them may be judged otherwise.

use kube_cel::cel::common::ast::{EntryExpr, Expr, IdedExpr};

use crate::object::Value;

/// The most that one rule may cost.
const RULE_LIMIT: u64 = 1_000_000;
/// The most that all rules of an object may cost.
const OBJECT_LIMIT: u64 = 10_000_000;

/// What is left for the rules of one object.
#[derive(Debug)]
pub(super) struct Budget(u64);

impl Default for Budget {
    fn default() -> Self {
        Self(OBJECT_LIMIT)
    }
}

/// A limit that was passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Passed {
    Rule,
    Object,
}

impl Budget {
    /// Takes the cost of one evaluation.
    pub(super) fn take(&mut self, width: u64, depth: u32) -> Result<(), Passed> {
        let cost = width.saturating_pow(depth).max(1);
        if cost > RULE_LIMIT {
            return Err(Passed::Rule);
        }
        self.0 = self.0.checked_sub(cost).ok_or(Passed::Object)?;
        Ok(())
    }
}

/// How many items the widest list or map in a value has: more than that no single iteration takes.
pub(super) fn width(value: &Value) -> u64 {
    match value {
        Value::Array(list) => list.iter().map(width).max().unwrap_or(0).max(list.len() as u64),
        Value::Object(map) => map.values().map(width).max().unwrap_or(0).max(map.len() as u64),
        _ => 1,
    }
}

/// How deep comprehensions stand within each other.
pub(super) fn depth(expression: &IdedExpr) -> u32 {
    let deepest = |all: &[&IdedExpr]| all.iter().map(|e| depth(e)).max().unwrap_or(0);
    match &expression.expr {
        Expr::Call(call) => {
            let all: Vec<&IdedExpr> =
                call.target.as_deref().into_iter().chain(&call.args).collect();
            deepest(&all)
        }
        Expr::Comprehension(c) => {
            let inner = deepest(&[&c.accu_init, &c.loop_cond, &c.loop_step, &c.result]);
            depth(&c.iter_range).max(1 + inner)
        }
        Expr::List(list) => deepest(&list.elements.iter().collect::<Vec<_>>()),
        Expr::Map(map) => entries(&map.entries.iter().map(|e| &e.expr).collect::<Vec<_>>()),
        Expr::Struct(of) => entries(&of.entries.iter().map(|e| &e.expr).collect::<Vec<_>>()),
        Expr::Select(select) => depth(&select.operand),
        Expr::Ident(_) | Expr::Literal(_) | Expr::Unspecified => 0,
    }
}

fn entries(all: &[&EntryExpr]) -> u32 {
    let one = |entry: &&EntryExpr| match entry {
        EntryExpr::StructField(field) => depth(&field.value),
        EntryExpr::MapEntry(entry) => depth(&entry.key).max(depth(&entry.value)),
    };
    all.iter().map(one).max().unwrap_or(0)
}
