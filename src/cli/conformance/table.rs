//! How a server came out, as text: a line a file of records, then what differs.

use std::fmt::Write as _;

use super::live::Divergence;

/// How one file of records came out.
pub(super) struct Row {
    pub(super) file: String,
    pub(super) asked: usize,
    /// Divergences that are listed with a reason: ours, known.
    pub(super) known: Vec<(Divergence, String)>,
    /// Divergences that are not.
    pub(super) new: Vec<Divergence>,
}

impl Row {
    /// In a word: all of it is as recorded (SHIPPED), most of it (PARTIAL), what differs is refused
    /// on purpose (REFUSED), or hardly anything is there (ABSENT).
    pub(super) fn state(&self) -> &'static str {
        let differ = self.known.len() + self.new.len();
        let refused = |(_, reason): &(Divergence, String)| reason.starts_with("REFUSED");
        match differ {
            0 => "SHIPPED",
            _ if differ * 2 > self.asked => "ABSENT",
            _ if self.new.is_empty() && self.known.iter().all(refused) => "REFUSED",
            _ => "PARTIAL",
        }
    }
}

/// The table.
pub(super) fn table(rows: &[Row]) -> String {
    let width = rows.iter().map(|row| row.file.len()).max().unwrap_or(0).max(5);
    let mut out = String::new();
    let _ = writeln!(out, "{:width$}  asked  agree  known    new  state", "what");
    let (mut asked, mut known, mut new) = (0, 0, 0);
    for row in rows {
        let (k, n) = (row.known.len(), row.new.len());
        let agree = row.asked - k - n;
        let (file, all, state) = (&row.file, row.asked, row.state());
        let _ = writeln!(out, "{file:width$}  {all:5}  {agree:5}  {k:5}  {n:5}  {state}");
        (asked, known, new) = (asked + all, known + k, new + n);
    }
    let agree = asked - known - new;
    let _ = writeln!(out, "{:width$}  {asked:5}  {agree:5}  {known:5}  {new:5}", "all");
    out
}

/// What differs, with `reasons` where they are known.
pub(super) fn differences(rows: &[Row], with_known: bool) -> String {
    let mut out = String::new();
    for row in rows {
        for divergence in &row.new {
            let _ = writeln!(out, "\n{}: {}", row.file, divergence.name);
            for difference in &divergence.differences {
                let _ = writeln!(out, "    {difference}");
            }
        }
        for (divergence, reason) in row.known.iter().filter(|_| with_known) {
            let _ = writeln!(out, "\n{}: {} (known: {reason})", row.file, divergence.name);
            for difference in &divergence.differences {
                let _ = writeln!(out, "    {difference}");
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(asked: usize, known: &[&str], new: usize) -> Row {
        let divergence = || Divergence { name: "x".to_owned(), differences: Vec::new() };
        Row {
            file: "pod".to_owned(),
            asked,
            known: known.iter().map(|reason| (divergence(), (*reason).to_owned())).collect(),
            new: (0..new).map(|_| divergence()).collect(),
        }
    }

    #[test]
    fn a_file_is_shipped_partial_refused_or_absent() {
        let cases = [
            (row(5, &[], 0), "SHIPPED"),
            (row(5, &["words differ"], 0), "PARTIAL"),
            (row(5, &["REFUSED: conversion webhooks"], 0), "REFUSED"),
            (row(5, &[], 1), "PARTIAL"),
            (row(5, &[], 4), "ABSENT"),
        ];
        for (row, expected) in cases {
            assert_eq!(row.state(), expected);
        }
        assert!(table(&[row(5, &["a"], 1)]).contains("pod"));
    }
}
