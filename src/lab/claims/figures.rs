//! What is known of a claim: rows of figures, and the verdict that follows from them.

use serde::Serialize;

use super::Terms;
use crate::record::Quantiles;

/// Everything that was measured.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// Where, and how often.
    #[serde(flatten)]
    pub terms: Terms,
    /// The claims, in the order of their numbers.
    pub claims: Vec<Claim>,
}

/// One claim.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Claim {
    /// Its number.
    pub number: u32,
    /// What is claimed.
    pub claim: String,
    /// What the figures were measured on.
    pub conditions: Vec<String>,
    /// The figures.
    pub rows: Vec<Row>,
    /// What was assumed and not measured.
    pub assumptions: Vec<String>,
    /// What follows from the figures besides the verdict.
    pub findings: Vec<String>,
    /// What it comes to.
    pub verdict: Verdict,
}

/// What a claim comes to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(tag = "verdict", rename_all = "kebab-case")]
pub enum Verdict {
    /// Every figure is within its bound, and nothing failed.
    #[default]
    Holds,
    /// Some figure is not, or something failed.
    Refuted {
        /// Which, and how.
        why: String,
    },
    /// There are no figures.
    NotMeasured {
        /// What is missing.
        missing: String,
    },
}

/// One row of figures.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Row {
    /// What is counted, from where to where.
    pub what: String,
    /// How many were measured; those that failed are not among them.
    pub n: usize,
    /// How many never came to an end.
    pub failed: usize,
    /// Half of them took no longer.
    pub p50_us: Option<u64>,
    /// Ninety-nine of a hundred took no longer.
    pub p99_us: Option<u64>,
    /// None took longer.
    pub max_us: Option<u64>,
    /// What the claim allows each of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bound_us: Option<u64>,
}

impl Row {
    /// A row of these durations, and so many that never came to an end.
    pub(super) fn of(what: &str, samples_us: Vec<u64>, failed: usize) -> Self {
        let quantiles = Quantiles::of(samples_us);
        Self {
            what: what.to_owned(),
            n: quantiles.map_or(0, |q| q.count),
            failed,
            p50_us: quantiles.map(|q| q.p50_us),
            p99_us: quantiles.map(|q| q.p99_us),
            max_us: quantiles.map(|q| q.max_us),
            bound_us: None,
        }
    }

    /// The same, of which none may take longer than so many seconds.
    pub(super) fn within(self, seconds: u64) -> Self {
        Self { bound_us: Some(seconds * 1_000_000), ..self }
    }

    /// What keeps the claim from holding, if this row does.
    fn refutes(&self) -> Option<String> {
        let Self { what, n, failed, max_us, bound_us, .. } = self;
        let all = n + failed;
        if *failed > 0 {
            return Some(format!("{what}: {failed} of {all} never came to an end"));
        }
        if *n == 0 {
            return Some(format!("{what}: there was none"));
        }
        let (max, bound) = max_us.zip(*bound_us)?;
        let (took, may) = (crate::record::in_words(max), crate::record::in_words(bound));
        (max > bound).then(|| format!("{what}: the slowest took {took}, the claim allows {may}"))
    }
}

impl Claim {
    /// The claim with the verdict that its rows come to; `found` are runs that went wrong.
    pub(super) fn judged(self, found: &[String]) -> Self {
        let rows = self.rows.iter().filter_map(Row::refutes);
        let verdict = match found.iter().cloned().chain(rows).next() {
            Some(why) => Verdict::Refuted { why },
            None => Verdict::Holds,
        };
        Self { verdict, ..self }
    }
}

/// A claim of which there are no figures.
pub(super) fn not_measured(number: u32, claim: &str, missing: &str) -> Claim {
    let verdict = Verdict::NotMeasured { missing: missing.to_owned() };
    Claim { number, claim: claim.to_owned(), verdict, ..Claim::default() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(row: Row, found: &[String], expected: Option<&str>) {
        let claim = Claim { rows: vec![row], ..Claim::default() }.judged(found);
        let why = match &claim.verdict {
            Verdict::Refuted { why } => Some(why.as_str()),
            _ => None,
        };
        assert_eq!(why, expected);
    }

    #[test]
    fn a_claim_holds_where_every_figure_is_within_its_bound() {
        let row = || Row::of("push to ready", vec![2_000_000, 12_000_000], 0);
        check(row(), &[], None);
        check(row().within(12), &[], None);
        let why = "push to ready: the slowest took 12.0 s, the claim allows 11.0 s";
        check(row().within(11), &[], Some(why));
    }

    #[test]
    fn what_failed_refutes() {
        let row = Row::of("push to ready", vec![1], 1);
        check(row, &[], Some("push to ready: 1 of 2 never came to an end"));
        check(Row::of("push to ready", vec![], 0), &[], Some("push to ready: there was none"));
        check(Row::of("x", vec![1], 0), &["seed 3: no".to_owned()], Some("seed 3: no"));
    }
}
