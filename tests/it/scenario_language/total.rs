//! Whatever is written, it is a scenario or is told why not; nothing makes the reader panic.
#![expect(clippy::unwrap_used, reason = "a test ends at the first thing that is not there")]

use std::path::Path;

use proptest::prelude::*;
use towtank::lab::scenario::parse;

use super::good::{FULL, check_round_trip};

/// A good text with some of its bytes changed, lines swapped or taken out.
fn mutated() -> impl Strategy<Value = String> {
    let signs = "[ \\n:{}\\[\\],\"'#&*|>~!%a-z0-9-]{0,6}";
    let change = (any::<prop::sample::Index>(), 0_usize..12, signs);
    prop::collection::vec(change, 1..6).prop_map(|changes| {
        changes.into_iter().fold(FULL.to_owned(), |text, (place, length, new)| {
            let characters: Vec<char> = text.chars().collect();
            let start = place.index(characters.len() + 1);
            let end = (start + length).min(characters.len());
            let (before, after) = (&characters[..start], &characters[end..]);
            before.iter().copied().chain(new.chars()).chain(after.iter().copied()).collect()
        })
    })
}

fn swapped() -> impl Strategy<Value = String> {
    let lines: Vec<&str> = FULL.lines().collect();
    let count = lines.len();
    (0..count, 0..count, any::<bool>()).prop_map(move |(one, other, out)| {
        let mut lines = lines.clone();
        lines.swap(one, other);
        if out {
            lines.remove(one);
        }
        lines.join("\n")
    })
}

/// Reads a text: it is a scenario that can be written and read again, or there is something wrong
/// with it that stands in one of its lines.
fn check_total(text: &str) {
    let file = Path::new("a.scenario.yaml");
    match parse(file, text) {
        Ok(scenario) => check_round_trip(&scenario),
        Err(problems) => {
            assert!(!problems.0.is_empty());
            let lines = text.lines().count() + 1;
            for problem in problems.0 {
                let at = problem.at.unwrap();
                assert!((1..=lines).contains(&at.line) && at.column >= 1, "{problem}");
                assert!(!problem.message.is_empty() && !problem.message.contains('\n'));
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(512)
    })]

    #[test]
    fn whatever_is_changed_it_is_a_scenario_or_told_why_not(text in mutated()) {
        check_total(&text);
    }

    #[test]
    fn whatever_lines_are_swapped_it_is_a_scenario_or_told_why_not(text in swapped()) {
        check_total(&text);
    }

    #[test]
    fn whatever_is_written_it_is_a_scenario_or_told_why_not(text in "\\PC{0,60}") {
        check_total(&text);
    }
}
