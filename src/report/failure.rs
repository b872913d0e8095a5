//! The story of a run that did not go well: what was expected, what happened, and how to see it
//! again.

use super::digest::word;
use super::duration::seconds;
use super::page::{Ink, Page};
use crate::record::{Clock, Failure, FailureKind, RunRecord, Verdict};

/// The command that runs the same again: as the record has it, else `towtank run FILE --seed N`.
#[must_use]
pub fn reproduction(record: &RunRecord) -> String {
    let heading = &record.heading;
    if !heading.command.is_empty() {
        return heading.command.clone();
    }
    let file = if heading.file.is_empty() { "FILE" } else { &heading.file };
    let mut command = format!("towtank run {} --seed {}", quoted(file), heading.seed);
    if !heading.profile.is_empty() && heading.profile != "warm" {
        command.push_str(&format!(" --profile {}", heading.profile));
    }
    if heading.clock == Clock::Real {
        command.push_str(" --clock real");
    }
    command
}

/// Everything that was not as expected, then the command that shows it again.
pub(super) fn write(page: &mut Page, record: &RunRecord) {
    for failure in &record.failures {
        page.blank();
        page.line(&[(Ink::Bad, headline(failure).as_str())]);
        if failure.kind == FailureKind::Expectation {
            page.labelled("    expected   ", Ink::Plain, &failure.what);
        }
        page.labelled("    found      ", Ink::Plain, &failure.detail);
        if !failure.tail.is_empty() {
            page.line(&[(Ink::Faint, "    what led there")]);
        }
        for moment in &failure.tail {
            let at = format!("{:>16}  ", seconds(moment.at_us));
            page.labelled(&at, Ink::Plain, &moment.text);
        }
        let at = format!("{:>16}  ", seconds(failure.at_us));
        page.labelled(&at, Ink::Bad, "this was found");
    }
    if let Verdict::NotConverged { why } = &record.verdict {
        page.blank();
        page.line(&[(Ink::Bad, "  did not come to rest")]);
        page.paragraph(Ink::Plain, 4, why);
    }
    if word(&record.verdict) == "failed" {
        page.blank();
        page.line(&[(Ink::Plain, "  to see it again:")]);
        page.line(&[(Ink::Strong, &format!("    {}", reproduction(record)))]);
    }
}

/// The same without a page: what a CI system shows.
pub(super) fn plain(record: &RunRecord) -> String {
    let mut page = Page::new(super::Look::text(100));
    write(&mut page, record);
    page.finish().trim_start_matches('\n').to_owned()
}

/// Who is not content.
fn headline(failure: &Failure) -> String {
    match (failure.kind, failure.step) {
        (FailureKind::Expectation, Some(step)) => format!("  not as expected at step {step}"),
        (FailureKind::Expectation, None) => "  not as expected".to_owned(),
        (FailureKind::Oracle, _) => format!("  refused by the oracle \"{}\"", failure.what),
    }
}

/// A file name as a shell takes it.
fn quoted(file: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+@%:,=".contains(c);
    if file.chars().all(plain) {
        file.to_owned()
    } else {
        format!("'{}'", file.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_name_is_quoted_where_a_shell_needs_it() {
        assert_eq!(quoted("scenarios/a-b.scenario.yaml"), "scenarios/a-b.scenario.yaml");
        assert_eq!(quoted("my file's.yaml"), r"'my file'\''s.yaml'");
    }
}
