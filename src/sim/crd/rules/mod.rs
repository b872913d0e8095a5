//! `x-kubernetes-validations` (R-CRD-13 to R-CRD-15): compiled once for a version, evaluated for
//! each object that nothing more basic is wrong with.
//!
//! The language and the functions that Kubernetes adds to it are `kube_cel`. It does not check
//! types before a rule runs and does not count costs: a rule that names a field which the schema
//! lacks is refused here (`names`), what it may cost at the most is estimated when it is written
//! (`cost`), and what a run may cost is bounded by how large the value is and how deep the rule
//! iterates (`bound`). Its maps keep no order, so a rule that makes a list of a map's
//! keys may see them in any; upstream's does too.

mod bound;
mod compile;
mod cost;
mod names;
mod policies;
mod program;
mod run;
mod values;

use std::collections::BTreeMap;

use crate::object::schema::node::{Additional, Node, RuleText};
use bound::Budget;
use compile::compile;
pub(super) use compile::judge;
pub(in crate::sim) use compile::syntax_fault;
pub(super) use cost::Declared;
pub(in crate::sim) use names::undeclared;
pub(in crate::sim) use policies::{
    Scope as PolicyScope, fault as policy_fault, type_of as policy_type,
};
pub(in crate::sim) use program::Program;
pub(super) use run::{run, run_at};
pub(in crate::sim) use values::CEL_RESERVED;

/// The rules of a schema and of what lies below it; `None` where there are none.
#[derive(Debug)]
pub struct Rules {
    here: Vec<Rule>,
    properties: BTreeMap<String, Rules>,
    additional: Option<Box<Rules>>,
    items: Option<Box<Rules>>,
    /// Whether it is the schema of an object of its own, whose type and name rules may use.
    is_resource: bool,
}

/// A rule that can be evaluated.
#[derive(Debug)]
struct Rule {
    text: RuleText,
    program: Program,
    message: Option<Program>,
    /// Whether it looks at the old value.
    uses_old: bool,
    /// How deep it iterates.
    depth: u32,
}

impl Rules {
    /// The rules of a schema. What does not compile was refused when the definition was written.
    #[must_use]
    pub fn of(node: &Node, is_resource: bool) -> Option<Self> {
        let texts = node.rules.iter();
        let here: Vec<Rule> = texts.filter_map(|text| compile(text, node, is_resource)).collect();
        let properties: BTreeMap<String, Rules> = node
            .properties
            .iter()
            .filter_map(|(key, below)| Some((key.clone(), Self::of(below, below.embedded)?)))
            .collect();
        let boxed = |below: &Node| Self::of(below, below.embedded).map(Box::new);
        let additional = match &node.additional {
            Additional::Schema(schema) => boxed(schema),
            _ => None,
        };
        let items = node.items.as_deref().and_then(boxed);
        let none =
            here.is_empty() && properties.is_empty() && additional.is_none() && items.is_none();
        (!none).then_some(Self { here, properties, additional, items, is_resource })
    }
}
