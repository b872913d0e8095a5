//! The rules of a schema: their texts, and whether they compile.

use super::costs::Costs;
use super::{go, paths};
use crate::api::Cause;
use crate::object::Value;
use crate::object::schema::node::{Node, RuleText};
use crate::sim::crd::fault::{self, Path};
use crate::sim::crd::rules;

const REASONS: [&str; 4] =
    ["FieldValueDuplicate", "FieldValueForbidden", "FieldValueInvalid", "FieldValueRequired"];

fn has_line_break(text: &str) -> bool {
    text.contains(['\n', '\r'])
}

/// What is wrong with what is written.
pub(super) fn texts(path: &Path, node: &Node, out: &mut Vec<Cause>) {
    let all = path.field("x-kubernetes-validations");
    for (at, rule) in node.rules.iter().enumerate() {
        let place = all.index(at);
        let message = rule.message.trim();
        let shown = Value::from(rule.message.as_str());
        if rule.rule.trim().is_empty() {
            out.push(fault::required(&place.field("rule"), "rule is not specified"));
        } else if !rule.message.is_empty() && message.is_empty() {
            let why = "must be non-empty if specified";
            out.push(fault::invalid(&place.field("message"), &shown, why));
        } else if has_line_break(message) {
            let why = "must not contain line breaks";
            out.push(fault::invalid(&place.field("message"), &shown, why));
        } else if has_line_break(rule.rule.trim()) && message.is_empty() {
            let why = "message must be specified if rule contains line breaks";
            out.push(fault::required(&place.field("message"), why));
        }
        if !rule.message_expression.is_empty() && rule.message_expression.trim().is_empty() {
            let why = "messageExpression must be non-empty if specified";
            out.push(fault::required(&place.field("messageExpression"), why));
        }
        if !rule.reason.is_empty() && !REASONS.contains(&rule.reason.as_str()) {
            let known = REASONS.map(str::to_owned);
            let reason = rule.reason.as_str().into();
            out.push(fault::unsupported(&place.field("reason"), &reason, &known));
        }
        field_path(&place, node, rule, out);
    }
}

fn field_path(place: &Path, node: &Node, rule: &RuleText, out: &mut Vec<Cause>) {
    let path = rule.field_path.as_str();
    if path.is_empty() {
        return;
    }
    let shown = Value::from(path);
    let place = place.field("fieldPath");
    if path.trim().is_empty() {
        out.push(fault::invalid(&place, &shown, "must be non-empty if specified"));
    }
    if has_line_break(path) {
        out.push(fault::invalid(&place, &shown, "must not contain line breaks"));
    }
    if paths::follow(path, node, true).is_err() {
        out.push(fault::invalid(&place, &shown, "must be a valid path"));
    }
}

/// Where rules stand, beside their schema.
pub(super) struct Around<'p> {
    pub(super) is_resource: bool,
    /// The place within which an old value cannot be found.
    pub(super) no_old: Option<&'p Path<'p>>,
    /// How often a value of the schema can be there; `None` where nothing bounds it.
    pub(super) count_max: Option<u64>,
    /// Whether a single rule may cost anything.
    pub(super) is_unchanged: bool,
}

/// What is wrong with the rules as programs; what they may cost goes to `costs`.
pub(super) fn compiled(
    path: &Path,
    node: &Node,
    around: &Around,
    costs: &mut Costs,
    out: &mut Vec<Cause>,
) {
    let Around { is_resource, no_old, .. } = *around;
    let all = path.field("x-kubernetes-validations");
    if node.rules.is_empty() {
        return;
    }
    let declared = rules::Declared::of(node, is_resource);
    let declared = declared.as_ref();
    let in_a_request = || declared.map_or(1, rules::Declared::in_a_request);
    let count_max = around.count_max.unwrap_or_else(in_a_request);
    for (at, text) in node.rules.iter().enumerate() {
        let place = all.index(at);
        let verdict = rules::judge(text, node, is_resource, declared);
        let cost = verdict.cost.saturating_mul(count_max);
        out.extend(costs.observe(&place.field("rule"), "rule", cost, around.is_unchanged));
        for (key, why) in [("rule", &verdict.rule), ("messageExpression", &verdict.message)] {
            if let Some(why) = why {
                out.push(fault::invalid_as(&place.field(key), Some(&go::rule(text)), why));
            }
        }
        if let Some(cost) = verdict.message_cost {
            let place = place.field("messageExpression");
            out.extend(costs.observe(&place, "messageExpression", cost, around.is_unchanged));
        }
        if verdict.uses_old {
            if let Some(outer) = no_old {
                let why = format!(
                    "oldSelf cannot be used on the uncorrelatable portion of the schema within {outer}"
                );
                let rule = text.rule.as_str().into();
                out.push(fault::invalid(&place.field("rule"), &rule, &why));
            }
        } else if let Some(optional) = text.optional_old_self {
            let why = "may not be set if oldSelf is not used in rule";
            out.push(fault::invalid(&place.field("optionalOldSelf"), &optional.into(), why));
        }
    }
}
