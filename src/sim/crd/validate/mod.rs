//! Whether an object is what its schema asks for (R-CRD-10 to R-CRD-16).
//!
//! Not here: metadata of the object itself, which is every kind's (`rest::validate`); rules
//! (`rules`), which are evaluated where nothing more basic is wrong.

mod embedded;
pub(super) mod format;
mod lists;
mod number;
pub(super) mod ratchet;
mod result;
mod scale;
mod text;
mod value;

use super::definition::Version;
use super::fault::{self, Path};
use super::rules;
use crate::api::Cause;
use crate::object::schema::node::Node;
use crate::object::{Object, Value};
pub use embedded::Metadata;
use ratchet::Before;
pub use scale::keys as path_keys;

/// What is wrong, and what the writer is warned of instead of being refused.
#[derive(Debug, Default)]
pub struct Verdict {
    /// The errors.
    pub causes: Vec<Cause>,
    /// Texts for `Warning` headers.
    pub warnings: Vec<String>,
}

/// What is wrong with a new object, its metadata apart; `is_invalid` says whether that is wrong
/// in a way that keeps rules from being evaluated.
#[must_use]
pub fn create(version: &Version, object: &Object, metadata: Metadata, is_invalid: bool) -> Verdict {
    let whole = Value::Object(object.0.clone());
    let mut causes = value::check(&version.root, "", &whole, None).into_causes("");
    causes.extend(scale::spec(version, object));
    causes.extend(scale::status(version, object));
    embedded::check(&Path::Nil, &version.root, &object.0, metadata, &mut causes);
    lists::check(&Path::Nil, &version.root, &object.0, &mut causes);
    with_rules(version, causes, is_invalid, &whole, None)
}

/// What is wrong with a new state of `live`.
#[must_use]
pub fn update(
    version: &Version,
    live: &Object,
    object: &Object,
    metadata: Metadata,
    is_invalid: bool,
) -> Verdict {
    let whole = Value::Object(object.0.clone());
    let old = Value::Object(live.0.clone());
    let before = Before::new(&old, &version.root);
    let mut causes = value::check(&version.root, "", &whole, Some(before)).into_causes("");
    causes.extend(scale::spec(version, object));
    causes.extend(scale::status(version, object));
    embedded::check(&Path::Nil, &version.root, &object.0, metadata, &mut causes);
    causes.extend(new_duplicates(&version.root, live, object));
    with_rules(version, causes, is_invalid, &whole, Some(&old))
}

/// What is wrong with a new state of `live` whose status was written.
#[must_use]
pub fn status(version: &Version, live: &Object, object: &Object, is_invalid: bool) -> Verdict {
    let whole = Value::Object(object.0.clone());
    let old = Value::Object(live.0.clone());
    let mut causes = Vec::new();
    if let (Some(status), Some(node)) =
        (object.0.get("status"), version.root.properties.get("status"))
    {
        let before = live.0.get("status").map(|status| Before::new(status, node));
        causes.extend(value::check(node, "", status, before).into_causes("status"));
    }
    causes.extend(scale::status(version, object));
    causes.extend(new_duplicates(&version.root, live, object));
    with_rules(version, causes, is_invalid, &whole, Some(&old))
}

/// Items that are there twice now, unless some were before.
fn new_duplicates(root: &Node, live: &Object, object: &Object) -> Vec<Cause> {
    let (mut old, mut new) = (Vec::new(), Vec::new());
    lists::check(&Path::Nil, root, &live.0, &mut old);
    if old.is_empty() {
        lists::check(&Path::Nil, root, &object.0, &mut new);
    }
    new
}

/// What is wrong with the embedded objects in a value that stands by itself.
pub(super) fn embedded_in(path: &str, node: &Node, value: &Value) -> Vec<Cause> {
    let mut causes = Vec::new();
    embedded::check_value(&Path::Printed(path), node, value, |_, _| Vec::new(), &mut causes);
    causes
}

/// What is wrong with a default, or another value that stands by itself.
pub(super) fn lone(node: &Node, path: &str, value: &Value) -> Vec<Cause> {
    value::check(node, "", value, None).into_causes(path)
}

fn with_rules(
    version: &Version,
    mut causes: Vec<Cause>,
    is_invalid: bool,
    object: &Value,
    old: Option<&Value>,
) -> Verdict {
    let mut warnings = Vec::new();
    let Some(program) = &version.rules else { return Verdict { causes, warnings } };
    if is_invalid || causes.iter().any(fault::blocks_rules) {
        let text = "some validation rules were not checked because the object was invalid; correct the existing errors to complete validation";
        causes.push(fault::invalid(&Path::Nil, &Value::Null, text));
    } else {
        rules::run((program, &version.root), object, old, &mut causes, &mut warnings);
    }
    Verdict { causes, warnings }
}
