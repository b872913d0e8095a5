//! What evaluating a rule may cost at the most, before it ever runs: from the form of the
//! expression and from what the schema says of how large values are.
//!
//! The units are those of cel-go, where an access costs one; the figures are part of the API, since
//! a definition whose rules may cost too much is refused. What a rule may really use while it
//! runs is `bound`'s; which costs are too much is for `check` to say.

mod calls;
mod declared;
mod expand;
mod path;
mod range;
mod types;
mod walk;

use kube_cel::cel::common::ast::IdedExpr;

pub(in crate::sim::crd) use declared::Declared;

/// The most that an expression about values of a type may cost. `optional_old` says whether
/// `oldSelf` may be absent.
pub(super) fn most(expression: &IdedExpr, root: &Declared, optional_old: bool) -> u64 {
    let expression = expand::expanded(expression);
    let types = types::Types::of(&expression, root, optional_old);
    walk::Walk::new(root, &types).cost(&expression).max
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::object::json;
    use crate::object::schema::node::Node;
    use crate::sim::crd::rules::Program;

    /// A few of the costs that recorded answers tell (`costs.jsonl.gz`).
    fn check(schema: &crate::object::Value, rule: &str, expected: u64) {
        let node = Node::read(schema);
        let root = Declared::of(&node, false).unwrap();
        let program = Program::compile(rule).unwrap();
        assert_eq!(most(program.expression(), &root, false), expected, "{rule}");
    }

    #[test]
    fn the_most_that_rules_may_cost_follows_from_their_form_and_the_schema() {
        let list = |items: crate::object::Value| json!({"type": "array", "items": items});
        let text = json!({"type": "string"});
        check(&list(json!({"type": "number"})), "self.all(x, true)", 4_718_591);
        check(&text, "self.size() == 5", 3);
        check(&text, "true", 0);
        check(&json!({"type": "string", "maxLength": 10}), "self.matches('abc')", 6);
        check(&json!({"type": "boolean"}), "self == true", 1);
    }
}
