//! A stage as a plain value, and whether it is for an object.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::base::profile::Spread;
use crate::object::field_path::FieldPath;
use crate::object::{Object, Value};

/// What becomes of some objects after a while.
#[derive(Clone, Debug, PartialEq)]
pub struct Stage {
    /// The kind; `*` for any.
    pub(super) kind: String,
    /// Its group, in which `*` stands for any text; empty for the core group.
    pub(super) group: String,
    pub(super) who: Who,
    pub(super) state: State,
    pub(super) after: After,
    /// How often it is drawn, compared with others that fit.
    pub(super) weight: u32,
    pub(super) next: Next,
}

/// Which objects it is for. What is not said holds for all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Who {
    /// `*` stands for any text.
    pub(super) namespace: Option<String>,
    pub(super) name: Option<String>,
    pub(super) labels: BTreeMap<String, String>,
    pub(super) annotations: BTreeMap<String, String>,
}

/// In which state they have to be.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct State {
    /// Fields that they have.
    pub(super) has: Option<Value>,
    /// Conditions by type, and their status; `absent` for one that is not there.
    pub(super) conditions: BTreeMap<String, String>,
}

/// How long after the state was seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum After {
    /// In every world.
    Always(Spread),
    /// By the name of the profile.
    ByProfile(BTreeMap<String, Spread>),
}

/// What comes of it.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Next {
    /// Nothing, ever.
    Never,
    Becomes(Box<Becomes>),
}

/// See [`Next`].
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Becomes {
    pub(super) conditions: Vec<Condition>,
    /// Fields, all below `status`. Text may name fields of the object in braces.
    pub(super) set: Vec<(FieldPath, Value)>,
    pub(super) secret: Option<Secret>,
    /// Objects that are created with it.
    pub(super) create: Vec<Value>,
}

/// A condition as a stage puts it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Condition {
    pub(super) kind: String,
    pub(super) status: String,
    pub(super) reason: String,
    pub(super) message: String,
}

/// The Secret that the real controller would write.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Secret {
    /// With fields of the object in braces.
    pub(super) name: String,
    pub(super) kind: String,
    pub(super) keys: Vec<String>,
    /// The map of the object whose keys it has, too.
    pub(super) keys_of: Option<FieldPath>,
    /// The list of the object, and the field of its items that names a key.
    pub(super) key_of_each: Option<(FieldPath, String)>,
    /// Whether it goes with the object.
    pub(super) owned: bool,
}

impl After {
    /// The spread in a world of this profile.
    pub(super) fn of(&self, profile: &str) -> Spread {
        match self {
            After::Always(spread) => *spread,
            After::ByProfile(spreads) => spreads
                .get(profile)
                .copied()
                .unwrap_or(Spread { from: Duration::ZERO, to: Duration::ZERO }),
        }
    }
}

impl Stage {
    /// Whether it is for objects of a kind.
    pub(super) fn is_for_kind(&self, group: &str, kind: &str) -> bool {
        (self.kind == "*" || self.kind == kind) && fits(&self.group, group)
    }

    /// Whether it is for this object of its kind, in whatever state that is.
    pub(super) fn is_for(&self, object: &Object) -> bool {
        let all = |wanted: &BTreeMap<String, String>, get: &dyn Fn(&str) -> Option<String>| {
            wanted.iter().all(|(key, value)| get(key).is_some_and(|found| fits(value, &found)))
        };
        let label = |key: &str| object.label(key).map(ToOwned::to_owned);
        let annotation = |key: &str| object.annotation(key).map(ToOwned::to_owned);
        self.who.namespace.as_ref().is_none_or(|wanted| fits(wanted, object.namespace()))
            && self.who.name.as_ref().is_none_or(|wanted| fits(wanted, object.name()))
            && all(&self.who.labels, &label)
            && all(&self.who.annotations, &annotation)
    }

    /// Whether the object is in its state.
    pub(super) fn is_in_state(&self, object: &Object) -> bool {
        let condition = |(kind, wanted): (&String, &String)| {
            let status = object.condition(kind).and_then(|c| c.get("status")?.as_str());
            status.unwrap_or("absent") == wanted
        };
        let value = || Value::Object(object.0.clone());
        self.state.conditions.iter().all(condition)
            && self.state.has.as_ref().is_none_or(|wanted| contains(wanted, &value()))
    }
}

/// Whether `pattern`, in which `*` stands for any text, fits all of `text`.
pub(super) fn fits(pattern: &str, text: &str) -> bool {
    let Some((head, rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(left) = text.strip_prefix(head) else { return false };
    (0..=left.len()).any(|at| left.get(at..).is_some_and(|left| fits(rest, left)))
}

/// Whether `have` has everything that `want` has; null stands for what is not there.
fn contains(want: &Value, have: &Value) -> bool {
    match (want, have) {
        (Value::Object(want), Value::Object(have)) => {
            want.iter().all(|(key, want)| contains(want, have.get(key).unwrap_or(&Value::Null)))
        }
        (Value::Array(want), Value::Array(have)) => {
            want.iter().all(|want| have.iter().any(|have| contains(want, have)))
        }
        _ => want == have,
    }
}

#[cfg(test)]
mod tests {
    use super::fits;

    #[test]
    fn a_star_stands_for_any_text() {
        for (pattern, text) in [("*", ""), ("a*", "ab"), ("*.io", "x.y.io"), ("a*c*e", "abcde")] {
            assert!(fits(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in [("", "a"), ("a*", "ba"), ("*.io", "io"), ("a*c", "abd")] {
            assert!(!fits(pattern, text), "{pattern} {text}");
        }
    }
}
