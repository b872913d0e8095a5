//! The expressions of admission policies: what they may name, and what they must come to.
//!
//! How an expression is written is looked at by the rule `cel` of `rules.txt`.

use super::errors::{Errors, Path};
use super::read::{given, list, text};
use crate::object::Value;
use crate::sim::crd::{PolicyScope, policy_fault, policy_type};
use crate::sim::rest::names;

const SPEC: Path = Path::Printed("spec");

/// Every expression of a policy.
pub(super) fn check(spec: &Value, is_mutating: bool, errors: &mut Errors) {
    let mut roots = vec!["object", "oldObject", "request", "namespaceObject"];
    if given(spec, "paramKind").is_some() {
        roots.push("params");
    }
    let mut judge = Judge { roots: &roots, is_mutating, errors };
    let conditions = SPEC.field("matchConditions");
    for (i, condition) in list(spec, "matchConditions").iter().enumerate() {
        judge.names(condition, "expression", &conditions.index(i), None);
    }
    let at = SPEC.field("variables");
    let mut variables: Vec<&str> = Vec::new();
    for (i, variable) in list(spec, "variables").iter().enumerate() {
        judge.names(variable, "expression", &at.index(i), Some(&variables));
        let (name, expression) = (text(variable, "name"), text(variable, "expression"));
        let is_one = !name.is_empty() && names::cel_identifier(name).is_empty();
        if is_one && !expression.trim().is_empty() {
            variables.push(name);
        }
    }
    // A policy that judges has no such name where it has no variables.
    let has_any = is_mutating || !list(spec, "variables").is_empty();
    let own = has_any.then_some(variables.as_slice());
    for (field, parts) in [
        ("validations", &["expression", "messageExpression"][..]),
        ("auditAnnotations", &["valueExpression"]),
    ] {
        let at = SPEC.field(field);
        for (i, item) in list(spec, field).iter().enumerate() {
            for part in parts {
                judge.names(item, part, &at.index(i), own);
            }
        }
    }
    let at = SPEC.field("mutations");
    for (i, mutation) in list(spec, "mutations").iter().enumerate() {
        let at = at.index(i);
        for (kind, part, wanted) in [
            ("ApplyConfiguration", "applyConfiguration", "Object"),
            ("JSONPatch", "jsonPatch", "list(JSONPatch)"),
        ] {
            if text(mutation, "patchType") != kind {
                continue;
            }
            let below = at.field(part);
            if judge.names(&mutation[part], "expression", &below, own) {
                judge.comes_to(&mutation[part], &below, wanted);
            }
        }
    }
}

struct Judge<'j> {
    roots: &'j [&'j str],
    is_mutating: bool,
    errors: &'j mut Errors,
}

impl Judge<'_> {
    /// Whether everything that an expression names is there.
    fn names(&mut self, of: &Value, field: &str, at: &Path, variables: Option<&[&str]>) -> bool {
        let source = text(of, field);
        let scope = PolicyScope { names: self.roots, variables, makes: self.is_mutating };
        let Some(fault) = policy_fault(source.trim(), &scope) else { return true };
        self.errors.invalid(&at.field(field), source, &format!("compilation failed: {fault}"));
        false
    }

    fn comes_to(&mut self, of: &Value, at: &Path, wanted: &str) {
        let source = text(of, "expression");
        if let Some(found) = policy_type(source.trim()).filter(|found| found != wanted) {
            let why = format!("must evaluate to {wanted} but got {found}");
            self.errors.invalid(&at.field("expression"), source, &why);
        }
    }
}
