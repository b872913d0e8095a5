//! What a check of a value against a schema found, before it is told (R-CRD-10).

use crate::api::Cause;
use crate::object::Value;
use crate::sim::crd::fault::{self, Path};

/// One thing that is wrong, with the text by which upstream tells it from others.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Finding {
    /// The path; empty for the value itself.
    pub(super) path: String,
    pub(super) what: What,
    pub(super) text: String,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum What {
    /// A wrong type, and what was found.
    Type(String),
    Required,
    Enum {
        value: Value,
        supported: Vec<String>,
    },
    TooLong(i64),
    TooMany {
        count: usize,
        most: i64,
    },
    /// Anything else, with the value that is shown.
    Other(Value),
    /// What is not told at its path.
    Anywhere,
}

/// What was found, and how much was looked at: of several alternatives upstream tells what is
/// wrong with the one that got furthest.
#[derive(Clone, Debug, Default)]
pub(super) struct Outcome {
    pub(super) findings: Vec<Finding>,
    pub(super) matches: usize,
}

impl Outcome {
    pub(super) fn is_fine(&self) -> bool {
        self.findings.is_empty()
    }

    pub(super) fn add(&mut self, finding: Finding) {
        if !self.findings.iter().any(|known| known.text == finding.text) {
            self.findings.push(finding);
        }
    }

    pub(super) fn merge(&mut self, other: Outcome) {
        self.matches += other.matches;
        other.findings.into_iter().for_each(|finding| self.add(finding));
    }

    pub(super) fn find(&mut self, path: &str, what: What, text: String) {
        self.add(Finding { path: path.to_owned(), what, text });
    }

    /// What is told of it; `under` is the field that was checked, empty for a whole object.
    pub(super) fn into_causes(self, under: &str) -> Vec<Cause> {
        self.findings.into_iter().map(|finding| finding.into_cause(under)).collect()
    }
}

impl Finding {
    fn into_cause(self, under: &str) -> Cause {
        let own = self.path.strip_prefix('.').unwrap_or(&self.path);
        let place = match (under, own) {
            ("", own) => own.to_owned(),
            (under, "") => under.to_owned(),
            (under, own) => format!("{under}.{own}"),
        };
        let path = if place.is_empty() { Path::Nil } else { Path::Printed(&place) };
        match self.what {
            What::Type(found) => fault::wrong_type(&path, &found, &self.text),
            What::Required => fault::required(&path, ""),
            What::Enum { value, supported } => fault::unsupported(&path, &value, &supported),
            What::TooLong(most) => fault::too_long(&path, most),
            What::TooMany { count, most } => fault::too_many(&path, count, most),
            What::Other(value) => fault::invalid(&path, &value, &self.text),
            What::Anywhere => {
                let path = if under.is_empty() { Path::Nil } else { Path::Printed(under) };
                fault::invalid(&path, &Value::from(""), &self.text)
            }
        }
    }
}
