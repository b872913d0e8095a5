//! Records as one page for a browser: a summary, percentiles, and for each scenario what happened
//! when, with a waterfall of phases for each push and the story of each failure.
//!
//! The page is whole in itself: no script, no font, no picture from elsewhere, light or dark as
//! the reader's system is. What is shown is decided in `view`, `scenario` and `scale`; how it
//! looks, in `page.html` and `style.css`. Every text is escaped by the template engine.

mod scale;
mod scenario;
mod view;

use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use minijinja::{Environment, context};

use crate::record::RunRecord;

/// The records as one HTML page. The same records give the same bytes.
#[must_use]
pub fn html(records: &[RunRecord]) -> String {
    let mut syntax = SyntaxConfig::builder();
    syntax.trim_blocks(true).lstrip_blocks(true).keep_trailing_newline(true);
    let mut environment = Environment::new();
    #[expect(clippy::expect_used, reason = "states an invariant")]
    environment.set_syntax(syntax.build().expect("because the delimiters are the usual ones"));
    #[expect(clippy::expect_used, reason = "states an invariant")]
    environment
        .add_template("page.html", include_str!("html/page.html"))
        .expect("because the template is part of the program and the tests render it");
    #[expect(clippy::expect_used, reason = "states an invariant")]
    let page = environment.get_template("page.html").expect("because it was added just now");
    let style = include_str!("html/style.css");
    #[expect(clippy::expect_used, reason = "states an invariant")]
    page.render(context! { style, report => Serde(view::report(records)) })
        .expect("because the view has what the template names, and the tests render every part")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{Ending, sample};

    fn page(met: bool) -> String {
        html(&[sample::record("bad-tag", sample::story(met))])
    }

    #[test]
    fn a_page_needs_nothing_from_elsewhere() {
        let page = page(true);
        for outside in ["http://", "https://", "<script", "<link", "@import", "url("] {
            assert!(!page.contains(outside), "{outside}");
        }
        assert!(page.starts_with("<!doctype html>") && page.ends_with("</html>\n"));
    }

    #[test]
    fn every_push_has_its_phases_and_its_end() {
        let page = page(true);
        for text in ["ready in 2.41 s", "rolled back", "become healthy", "drift", "kubectl-edit"] {
            assert!(page.contains(text), "{text}");
        }
    }

    #[test]
    fn a_failure_tells_what_was_expected_found_and_how_to_see_it_again() {
        let page = page(false);
        for text in ["within 10 s after it failed", "still on its way back", "--seed 42"] {
            assert!(page.contains(text), "{text}");
        }
    }

    #[test]
    fn what_a_scenario_says_cannot_become_markup() {
        let mut record = sample::record("a", sample::story(true));
        record.heading.description = "<u>&\"under\"".to_owned();
        record.pushes[0].summary = "</style><i>".to_owned();
        let page = html(&[record]);
        assert!(!page.contains("<u>") && !page.contains("</style><i>"), "{page}");
        assert!(page.contains("&lt;u&gt;&amp;&quot;under"));
    }

    #[test]
    fn no_record_one_that_was_skipped_and_one_that_never_rested_are_pages_too() {
        assert!(html(&[]).contains("0 scenarios"));
        let skipped = RunRecord::skipped(sample::heading("a"), "kind is not installed");
        assert!(html(&[skipped]).contains("kind is not installed"));
        let ending = Ending::NotConverged { why: "shop is pending".to_owned() };
        let record = sample::record_ended("a", sample::story(true), ending);
        assert!(html(&[record]).contains("shop is pending"));
    }
}
