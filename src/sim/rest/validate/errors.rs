//! Field errors in the words of apimachinery (R-HTTP-23).

use super::read::{given, int};
use super::selectors;
use crate::api::Cause;
pub(super) use crate::api::Place as Path;
use crate::object::Value;

/// The errors found so far.
#[derive(Default)]
pub(super) struct Errors(Vec<Cause>);

impl Errors {
    pub(super) fn into_causes(self) -> Vec<Cause> {
        self.0
    }

    pub(super) fn count(&self) -> usize {
        self.0.len()
    }

    /// Adds what was found elsewhere.
    pub(super) fn extend(&mut self, causes: Vec<Cause>) {
        self.0.extend(causes);
    }

    fn push(&mut self, path: &Path, reason: &str, message: String) {
        self.0.push(Cause { reason: reason.to_owned(), message, field: path.to_string() });
    }

    pub(super) fn invalid(&mut self, path: &Path, value: impl Into<Value>, detail: &str) {
        let value = value.into();
        let value = if value.get("matchExpressions").is_some() {
            selectors::shown(&value)
        } else {
            value.to_string()
        };
        let colon = if detail.is_empty() { "" } else { ": " };
        self.push(path, "FieldValueInvalid", format!("Invalid value: {value}{colon}{detail}"));
    }

    /// An error about a struct, which upstream shows as its Go type prints.
    pub(super) fn invalid_as(&mut self, path: &Path, shown: &str, detail: &str) {
        self.push(path, "FieldValueInvalid", format!("Invalid value: {shown}: {detail}"));
    }

    /// An error of a value that is not shown.
    pub(super) fn invalid_as_bare(&mut self, path: &Path, detail: &str) {
        self.push(path, "FieldValueInvalid", format!("Invalid value: {detail}"));
    }

    /// The same for a duplicate.
    pub(super) fn duplicate_as(&mut self, path: &Path, shown: &str) {
        self.push(path, "FieldValueDuplicate", format!("Duplicate value: {shown}"));
    }

    /// The same for an unsupported value.
    pub(super) fn unsupported_as(&mut self, path: &Path, shown: &str, supported: &[&str]) {
        let supported: Vec<String> = supported.iter().map(|s| format!("{s:?}")).collect();
        let list = supported.join(", ");
        let text = format!("Unsupported value: {shown}: supported values: {list}");
        self.push(path, "FieldValueNotSupported", text);
    }

    /// An error for each fault of a text.
    pub(super) fn faults(&mut self, path: &Path, value: &str, faults: Vec<String>) {
        for fault in faults {
            self.invalid(path, value, &fault);
        }
    }

    pub(super) fn required(&mut self, path: &Path, detail: &str) {
        let colon = if detail.is_empty() { "" } else { ": " };
        self.push(path, "FieldValueRequired", format!("Required value{colon}{detail}"));
    }

    pub(super) fn forbidden(&mut self, path: &Path, detail: &str) {
        self.push(path, "FieldValueForbidden", format!("Forbidden: {detail}"));
    }

    pub(super) fn duplicate(&mut self, path: &Path, value: impl Into<Value>) {
        self.push(path, "FieldValueDuplicate", format!("Duplicate value: {}", value.into()));
    }

    pub(super) fn not_found(&mut self, path: &Path, value: impl Into<Value>) {
        self.push(path, "FieldValueNotFound", format!("Not found: {}", value.into()));
    }

    /// The same with a text after the value.
    pub(super) fn not_found_as(&mut self, path: &Path, shown: &str) {
        self.push(path, "FieldValueNotFound", format!("Not found: {shown}"));
    }

    pub(super) fn too_long(&mut self, path: &Path, bytes: usize) {
        let text = format!("Too long: may not be more than {bytes} bytes");
        self.push(path, "FieldValueTooLong", text);
    }

    /// `supported` in the order in which upstream shows them.
    pub(super) fn unsupported(&mut self, path: &Path, value: impl Into<Value>, supported: &[&str]) {
        self.unsupported_as(path, &value.into().to_string(), supported);
    }

    /// Each named field, where it is given, is zero or more.
    pub(super) fn nonnegative(&mut self, value: &Value, path: &Path, fields: &[&str]) {
        for field in fields {
            if let Some(number) = int(value, field).filter(|number| *number < 0) {
                let text = "must be greater than or equal to 0";
                self.invalid(&path.field(field), number, text);
            }
        }
    }

    /// A field that is not as it was.
    pub(super) fn immutable(&mut self, path: &Path, before: &Value, now: &Value, field: &str) {
        if given(before, field) != given(now, field) {
            let value = now.get(field).cloned().unwrap_or_default();
            self.invalid(&path.field(field), value, "field is immutable");
        }
    }
}
