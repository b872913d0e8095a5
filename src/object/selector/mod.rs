//! Label and field selectors: read from a query string or a manifest, and asked whether they
//! match (R-HTTP-37).
//!
//! Which fields a kind may be selected by is not known here; the REST layer says.

mod field;
mod parse;

use std::fmt;

use super::{Map, Value};

pub use field::{FieldSelector, FieldTerm};

/// A selector that cannot be read. The text is apimachinery's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct SelectorError(pub String);

/// How a label is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the words are Kubernetes' own")]
pub enum Operator {
    In,
    NotIn,
    Exists,
    DoesNotExist,
    GreaterThan,
    LessThan,
}

/// One condition on one label.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the words are Kubernetes' own")]
pub struct Requirement {
    pub key: String,
    pub operator: Operator,
    pub values: Vec<String>,
}

/// Conditions on labels that must all hold; none of them: everything matches.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LabelSelector {
    /// The conditions, by key.
    pub requirements: Vec<Requirement>,
}

/// Labels as an object carries them.
pub type Labels = Map;

impl Requirement {
    fn matches(&self, labels: Option<&Labels>) -> bool {
        let found = labels.and_then(|l| l.get(&self.key)).and_then(Value::as_str);
        match (self.operator, found) {
            (Operator::In, Some(value)) => self.values.iter().any(|v| v == value),
            (Operator::NotIn, Some(value)) => self.values.iter().all(|v| v != value),
            (Operator::Exists, found) => found.is_some(),
            (Operator::NotIn | Operator::DoesNotExist, None) => true,
            (Operator::DoesNotExist, Some(_)) | (_, None) => false,
            (Operator::GreaterThan, Some(value)) => self.compare(value, |a, b| a > b),
            (Operator::LessThan, Some(value)) => self.compare(value, |a, b| a < b),
        }
    }

    fn compare(&self, value: &str, holds: fn(i64, i64) -> bool) -> bool {
        let bound = self.values.first().and_then(|v| v.parse().ok());
        matches!((value.parse(), bound), (Ok(value), Some(bound)) if holds(value, bound))
    }
}

impl LabelSelector {
    /// Whether it matches everything.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.requirements.is_empty()
    }

    /// Whether an object with these labels is selected.
    #[must_use]
    pub fn matches(&self, labels: Option<&Labels>) -> bool {
        self.requirements.iter().all(|r| r.matches(labels))
    }

    /// From `matchLabels` and `matchExpressions` of a manifest. Unknown operators select nothing.
    #[must_use]
    pub fn from_value(selector: &Value) -> Self {
        let mut requirements = Vec::new();
        for (key, value) in
            selector.get("matchLabels").and_then(Value::as_object).into_iter().flatten()
        {
            let values = vec![value.as_str().unwrap_or_default().to_owned()];
            requirements.push(Requirement { key: key.to_string(), operator: Operator::In, values });
        }
        let expressions = selector.get("matchExpressions").and_then(Value::as_array);
        for expression in expressions.into_iter().flatten() {
            let text = |key: &str| expression.get(key).and_then(Value::as_str).unwrap_or_default();
            let operator = match text("operator") {
                "NotIn" => Operator::NotIn,
                "Exists" => Operator::Exists,
                "DoesNotExist" => Operator::DoesNotExist,
                "Gt" => Operator::GreaterThan,
                "Lt" => Operator::LessThan,
                _ => Operator::In,
            };
            let values = expression.get("values").and_then(Value::as_array).into_iter().flatten();
            let values = values.filter_map(Value::as_str).map(ToOwned::to_owned).collect();
            requirements.push(Requirement { key: text("key").to_owned(), operator, values });
        }
        requirements.sort_by(|a, b| a.key.cmp(&b.key));
        Self { requirements }
    }

    /// From a plain map of labels, as Service and ReplicationController have it.
    #[must_use]
    pub fn from_map(labels: &Labels) -> Self {
        let requirements = labels.iter().map(|(key, value)| Requirement {
            key: key.to_string(),
            operator: Operator::In,
            values: vec![value.as_str().unwrap_or_default().to_owned()],
        });
        Self { requirements: requirements.collect() }
    }

    /// From a query string: `a=b,c!=d,e in (f,g),h,!i`.
    ///
    /// # Errors
    /// With the text of apimachinery's parser.
    pub fn parse(text: &str) -> Result<Self, SelectorError> {
        let mut requirements = parse::requirements(text)?;
        requirements.sort_by(|a, b| a.key.cmp(&b.key));
        Ok(Self { requirements })
    }
}

/// As a query string, conditions by key: `a=b,c in (d,e)`.
impl fmt::Display for LabelSelector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, r) in self.requirements.iter().enumerate() {
            if i > 0 {
                f.write_str(",")?;
            }
            let set = || {
                let mut values = r.values.clone();
                values.sort();
                values.join(",")
            };
            match (r.operator, r.values.as_slice()) {
                (Operator::In, [one]) => write!(f, "{}={one}", r.key)?,
                (Operator::In, _) => write!(f, "{} in ({})", r.key, set())?,
                (Operator::NotIn, [one]) => write!(f, "{}!={one}", r.key)?,
                (Operator::NotIn, _) => write!(f, "{} notin ({})", r.key, set())?,
                (Operator::Exists, _) => f.write_str(&r.key)?,
                (Operator::DoesNotExist, _) => write!(f, "!{}", r.key)?,
                (Operator::GreaterThan, values) => write!(f, "{}>{}", r.key, values.join(""))?,
                (Operator::LessThan, values) => write!(f, "{}<{}", r.key, values.join(""))?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::object::json;

    fn check(selector: &str, labels: &Value, expected: bool) {
        let parsed = LabelSelector::parse(selector).unwrap();
        assert_eq!(parsed.matches(labels.as_object()), expected, "{selector} on {labels}");
        let again = LabelSelector::parse(&parsed.to_string()).unwrap();
        assert_eq!(again, parsed, "{selector} prints as {parsed}");
    }

    #[test]
    fn label_selectors_match_as_upstream_matches() {
        let labels = json!({"a": "b", "n": "5"});
        for (selector, expected) in [
            ("", true),
            ("a", true),
            ("!a", false),
            ("a=b", true),
            ("a==b,n", true),
            ("a!=b", false),
            ("c!=b", true),
            ("a in (x,b)", true),
            ("a notin (x,b)", false),
            ("c notin (x)", true),
            ("n>4,n<6", true),
            ("in in (in)", false),
            ("a=", false),
        ] {
            check(selector, &labels, expected);
        }
    }

    #[test]
    fn a_bad_selector_is_told_as_upstream_tells_it() {
        for (selector, message) in [
            ("a===b", "unable to parse requirement: found '=', expected: identifier"),
            ("a,", "found '', expected: identifier after ','"),
            ("a in b", "unable to parse requirement: found 'b' expected: '('"),
        ] {
            assert_eq!(LabelSelector::parse(selector).unwrap_err().0, message, "{selector}");
        }
    }
}
