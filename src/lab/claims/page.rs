//! The claims as text, for a terminal.

use std::fmt::Write as _;

use super::{Claim, Report, Row, Verdict};
use crate::record::{Clock, in_words};

/// Columns of the name of a row.
const NAME: usize = 42;

/// Columns of a line of words.
const WIDTH: usize = 100;

/// The report on a page.
#[must_use]
pub fn terminal(report: &Report) -> String {
    let terms = &report.terms;
    let last = terms.seed.saturating_add(terms.runs.saturating_sub(1));
    let how = match terms.clock {
        Clock::Virtual => format!("virtual time, modelled by the profile {}", terms.profile),
        Clock::Real => "real time, measured".to_owned(),
    };
    let mut text = format!("claims  on {}, {how}; seeds {} to {last}\n", terms.cluster, terms.seed);
    for claim in &report.claims {
        text.push('\n');
        one(claim, terms.clock, &mut text);
    }
    let count = |which: fn(&Verdict) -> bool| {
        report.claims.iter().filter(|claim| which(&claim.verdict)).count()
    };
    let holds = count(|verdict| *verdict == Verdict::Holds);
    let refuted = count(|verdict| matches!(verdict, Verdict::Refuted { .. }));
    let missing = report.claims.len() - holds - refuted;
    let _ = writeln!(text, "\n{holds} hold, {refuted} refuted, {missing} not yet measured");
    text
}

fn one(claim: &Claim, clock: Clock, text: &mut String) {
    words(&format!("{}  ", claim.number), &claim.claim, text);
    let is_timed = claim.rows.iter().any(|row| row.p50_us.is_some());
    let how = match clock {
        // Time has no part in it, nor has the profile.
        _ if !is_timed => "counted",
        Clock::Virtual => "modelled",
        Clock::Real => "measured",
    };
    let verdict = match &claim.verdict {
        Verdict::Holds => format!("holds ({how})"),
        Verdict::Refuted { why } => format!("refuted ({how}): {why}"),
        Verdict::NotMeasured { missing } => format!("not yet measured: {missing}"),
    };
    words("   → ", &verdict, text);
    if !claim.rows.is_empty() {
        let _ = writeln!(text, "   {:<NAME$}{:>5}{:>13}{:>13}{:>13}", "", "n", "p50", "p99", "max");
    }
    for row in &claim.rows {
        let _ = writeln!(text, "   {}", figures(row));
    }
    for (word, lines) in [
        ("on        ", &claim.conditions),
        ("assumed   ", &claim.assumptions),
        ("so        ", &claim.findings),
    ] {
        for line in lines {
            words(&format!("   {word}"), line, text);
        }
    }
}

fn figures(row: &Row) -> String {
    let show = |us: Option<u64>| us.map_or_else(|| "-".to_owned(), in_words);
    let (p50, p99, max) = (show(row.p50_us), show(row.p99_us), show(row.max_us));
    let mut line = format!("{:<NAME$}{:>5}{p50:>13}{p99:>13}{max:>13}", row.what, row.n);
    if let Some(bound) = row.bound_us {
        let _ = write!(line, "  of {} s", bound / 1_000_000);
    }
    if row.failed > 0 {
        let _ = write!(line, "  {} failed", row.failed);
    }
    line
}

/// A line of words behind `start`, broken where it is too long.
fn words(start: &str, line: &str, text: &mut String) {
    let indent = start.chars().count();
    let mut column = indent;
    text.push_str(start);
    for (n, word) in line.split_whitespace().enumerate() {
        let length = word.chars().count();
        if n > 0 && column + 1 + length > WIDTH {
            text.push('\n');
            text.push_str(&" ".repeat(indent));
            column = indent;
        } else if n > 0 {
            text.push(' ');
            column += 1;
        }
        text.push_str(word);
        column += length;
    }
    text.push('\n');
}
