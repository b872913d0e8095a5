//! Length and pattern of a text. Of several faults the first is told.

use super::result::{Outcome, What};
use super::value::count;
use crate::object::schema::node::Checks;

pub(super) fn check(checks: &Checks, path: &str, content: &str) -> Outcome {
    let mut outcome = Outcome::default();
    let length = count(content.chars().count());
    if let Some(most) = checks.max_length.filter(|most| length > *most) {
        let text = format!("{path} in body should be at most {most} chars long");
        outcome.find(path, What::TooLong(most), text);
    } else if let Some(least) = checks.min_length.filter(|least| length < *least) {
        let text = format!("{path} in body should be at least {least} chars long");
        outcome.find(path, What::Other(content.into()), text);
    } else if !checks.pattern.text.is_empty() && !checks.pattern.fits(content) {
        let text = format!("{path} in body should match '{}'", checks.pattern.text);
        outcome.find(path, What::Other(content.into()), text);
    }
    outcome
}
