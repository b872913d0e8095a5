//! Makes a program of a rule, or says why it is none.

use super::names::Scope;
use super::{Declared, Program, Rule, bound, cost};
use crate::object::schema::node::{Node, RuleText};

/// What there is to say of a rule: what is wrong with it and with its message expression, and
/// whether it looks at the old value.
#[derive(Debug, Default, PartialEq, Eq)]
pub(in crate::sim::crd) struct Verdict {
    pub(in crate::sim::crd) rule: Option<String>,
    pub(in crate::sim::crd) message: Option<String>,
    pub(in crate::sim::crd) uses_old: bool,
    /// The most that one evaluation of the rule may cost; 0 of what is wrong.
    pub(in crate::sim::crd) cost: u64,
    /// The same of its message expression.
    pub(in crate::sim::crd) message_cost: Option<u64>,
}

/// Judges a rule about values of a schema, which is of this type where rules can look.
pub(in crate::sim::crd) fn judge(
    text: &RuleText,
    node: &Node,
    is_resource: bool,
    declared: Option<&Declared>,
) -> Verdict {
    let failed = |why: String| format!("compilation failed: {why}");
    let program = match program(&text.rule, node, is_resource) {
        Ok(program) => program,
        Err(why) => return Verdict { rule: Some(failed(why)), ..Verdict::default() },
    };
    let uses_old = program.references().has_variable("oldSelf");
    let mut verdict = Verdict { uses_old, ..Verdict::default() };
    let scope = Scope { root: node, is_resource };
    if scope.type_of(program.expression()).is_some_and(|ty| ty != "bool") {
        verdict.rule = Some("cel expression must evaluate to a bool".to_owned());
    }
    let optional = text.optional_old_self == Some(true);
    let most = |program: &Program| {
        declared.map_or(0, |root| cost::most(program.expression(), root, optional))
    };
    if verdict.rule.is_none() {
        verdict.cost = most(&program);
    }
    if !text.message_expression.is_empty() {
        verdict.message = match self::program(&text.message_expression, node, is_resource) {
            Err(why) => Some(format!("messageExpression {}", failed(why))),
            Ok(program) => {
                let ty = scope.type_of(program.expression());
                let is_other = ty.is_some_and(|ty| ty != "string");
                if !is_other {
                    verdict.message_cost = Some(most(&program));
                }
                is_other.then(|| "messageExpression must evaluate to a string".to_owned())
            }
        };
    }
    verdict
}

/// Compiles a rule about values of a schema; `None` if it is empty or is no rule.
pub(super) fn compile(text: &RuleText, node: &Node, is_resource: bool) -> Option<Rule> {
    if text.rule.trim().is_empty() {
        return None;
    }
    let program = program(&text.rule, node, is_resource).ok()?;
    let message = Some(&text.message_expression).filter(|m| !m.is_empty());
    let message = message.and_then(|m| self::program(m, node, is_resource).ok());
    let uses_old = program.references().has_variable("oldSelf");
    let depth = bound::depth(program.expression());
    Some(Rule { text: text.clone(), program, message, uses_old, depth })
}

/// What keeps an expression from being read, whatever it is about.
pub(in crate::sim) fn syntax_fault(source: &str) -> Option<String> {
    parse(source).err()
}

fn parse(source: &str) -> Result<Program, String> {
    Program::compile(source).map_err(|errors| {
        let texts = errors.errors.iter().map(|error| {
            let (line, column) = error.pos;
            let text = error.msg.strip_prefix("Syntax error: ").unwrap_or(&error.msg);
            let ended = expected_end(text);
            let end = if ended.len() < text.len() { "<EOF>" } else { "" };
            shown(source, line, column, &format!("Syntax error: {ended}{end}"))
        });
        texts.collect::<Vec<_>>().join("\n")
    })
}

/// Where an expression could end, cel-go says no more than that.
fn expected_end(text: &str) -> &str {
    match text.find(" expecting {<EOF>, ") {
        Some(at) if text.starts_with("mismatched input") => &text[..at + " expecting ".len()],
        _ => text,
    }
}

fn program(source: &str, node: &Node, is_resource: bool) -> Result<Program, String> {
    let program = parse(source)?;
    let scope = Scope { root: node, is_resource };
    match scope.fault(source, program.expression()) {
        Some(fault) => Err(fault),
        None => Ok(program),
    }
}

/// An error as cel-go shows it: the place, the line, a caret under the place.
pub(super) fn shown(source: &str, line: isize, column: isize, text: &str) -> String {
    let row =
        usize::try_from(line - 1).ok().and_then(|at| source.lines().nth(at)).unwrap_or(source);
    let dots = ".".repeat(usize::try_from(column - 1).unwrap_or(0));
    format!("ERROR: <input>:{line}:{column}: {text}\n | {row}\n | {dots}^")
}
