//! What the rules of a schema may cost together, and what is said of those that may cost too much.
//!
//! What one evaluation may cost is `rules::cost`'s; it counts as often as a value of the schema
//! can stand in an object.

use crate::api::Cause;
use crate::sim::crd::fault::{self, Path};

/// The most that a single rule may cost.
const RULE_LIMIT: u64 = 10_000_000;
/// The most that all rules of a schema may cost.
const SCHEMA_LIMIT: u64 = 100_000_000;
/// How many of the dearest rules are told.
const TOLD: usize = 4;

/// The costs of the rules of one schema, by their places.
#[derive(Debug, Default)]
pub(super) struct Costs(Vec<(String, u64)>);

impl Costs {
    /// Takes note of a cost, and says whether it is too much for one rule. That of a schema which
    /// was there before is not told.
    pub(super) fn observe(
        &mut self,
        path: &Path,
        what: &str,
        cost: u64,
        is_unchanged: bool,
    ) -> Option<Cause> {
        self.0.push((path.to_string(), cost));
        let is_over = cost > RULE_LIMIT && !is_unchanged;
        is_over.then(|| {
            fault::forbidden(path, &over(&format!("estimated {what} cost"), cost, RULE_LIMIT))
        })
    }

    pub(super) fn append(&mut self, other: &mut Self) {
        self.0.append(&mut other.0);
    }

    /// What is said of all rules together.
    pub(super) fn total(mut self, root: &Path) -> Vec<Cause> {
        let total = self.0.iter().fold(0, |sum: u64, (_, cost)| sum.saturating_add(*cost));
        if total <= SCHEMA_LIMIT {
            return Vec::new();
        }
        self.0.retain(|(_, cost)| *cost >= SCHEMA_LIMIT / 100);
        self.0.sort_by_key(|(_, cost)| std::cmp::Reverse(*cost));
        let told = self.0.iter().take(TOLD).map(|(path, _)| {
            let why = "contributed to estimated rule cost total exceeding cost limit for entire OpenAPIv3 schema";
            fault::forbidden(&Path::Printed(path), why)
        });
        let what = "x-kubernetes-validations estimated rule cost total for entire OpenAPIv3 schema";
        let whole = fault::forbidden(root, &over(what, total, SCHEMA_LIMIT));
        told.chain([whole]).collect()
    }
}

/// By how much a cost is over its limit.
fn over(what: &str, cost: u64, limit: u64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "it is told with a digit or six")]
    let factor = cost as f64 / limit as f64;
    let factor = match factor {
        factor if factor > 100.0 => "more than 100x".to_owned(),
        factor if factor < 1.5 => format!("{factor:.6}x"),
        factor => format!("{factor:.1}x"),
    };
    format!(
        "{what} exceeds budget by factor of {factor} (try simplifying the rule, or adding maxItems, maxProperties, and maxLength where arrays, maps, and strings are declared)"
    )
}
