//! Records for a reader at a terminal: one line a scenario, everything about the ones that failed
//! or that were run alone, totals, and the tally as the last line.

use super::digest::{gist, tally, totals, why, word};
use super::duration::duration;
use super::page::{Ink, Look, Page, columns, cut};
use super::{failure, scenario};
use crate::record::{RunRecord, Verdict};

/// The records as text, in their order. The last line is `N passed, N failed, N skipped`.
#[must_use]
pub fn terminal(records: &[RunRecord], look: Look) -> String {
    let mut page = Page::new(look);
    let names = records.iter().map(|r| columns(&r.heading.name)).max().unwrap_or(0);
    for record in records {
        if records.len() == 1 {
            scenario::write(&mut page, record);
            failure::write(&mut page, record);
        } else {
            line(&mut page, record, names.min(look.width / 2));
        }
    }
    if records.len() > 1 {
        for record in records.iter().filter(|r| word(&r.verdict) == "failed") {
            page.blank();
            scenario::write(&mut page, record);
            failure::write(&mut page, record);
        }
    }
    page.blank();
    page.paragraph(Ink::Faint, 0, &totals(records));
    let failed = records.iter().any(|r| word(&r.verdict) == "failed");
    let ink = if failed { Ink::Bad } else { Ink::Good };
    page.line(&[(ink, tally(records).as_str())]);
    page.finish()
}

/// What one scenario came to, on a line of its own: for who waits while others still run.
#[must_use]
pub fn ended(record: &RunRecord, look: Look) -> String {
    let mut page = Page::new(look);
    line(&mut page, record, columns(&record.heading.name).min(look.width / 2));
    page.finish()
}

/// Verdict, name, what it came to and how long it took.
fn line(page: &mut Page, record: &RunRecord, names: usize) {
    let (ink, mark) = verdict(&record.verdict);
    let time = match record.verdict {
        Verdict::Skipped { .. } => String::new(),
        _ => duration(record.duration_us),
    };
    let why = why(&record.verdict);
    let name = format!("{:names$}", record.heading.name);
    let room = page.look.width.saturating_sub(6 + columns(&name) + 2 + 2 + columns(&time));
    let about = why.map_or_else(|| fitting(&gist(record), room), |why| cut(&why, room));
    let left = [(ink, mark), (Ink::Plain, name.as_str()), (Ink::Plain, "  "), (Ink::Faint, &about)];
    page.line_to_edge(&left, (Ink::Plain, &time));
}

/// As many of a list's parts as have room: half a figure tells nothing.
fn fitting(list: &str, room: usize) -> String {
    let mut kept = list;
    while columns(kept) > room {
        match kept.rsplit_once(", ") {
            Some((before, _)) => kept = before,
            None => return cut(kept, room),
        }
    }
    kept.to_owned()
}

/// The verdict in six columns.
pub(super) const fn verdict(verdict: &Verdict) -> (Ink, &'static str) {
    match verdict {
        Verdict::Passed => (Ink::Good, "pass  "),
        Verdict::Failed | Verdict::NotConverged { .. } => (Ink::Bad, "FAIL  "),
        Verdict::Skipped { .. } => (Ink::Warn, "skip  "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::sample::{self, record, record_ended};
    use crate::record::{Ending, RunRecord};
    use expect_test::{Expect, expect};

    #[track_caller]
    fn check(records: &[RunRecord], look: Look, expected: &Expect) {
        let text = terminal(records, look);
        for line in text.lines() {
            assert!(look.color || !line.ends_with(' '), "no space at the end of {line:?}");
        }
        expected.assert_eq(&text);
    }

    #[test]
    fn a_scenario_run_alone_is_shown_in_full() {
        let record = record("bad-tag-rolls-back", sample::story(true));
        check(
            &[record],
            Look::text(100),
            &expect![[r#"
                pass  bad-tag-rolls-back                                            1 min 0 s virtual, warm, seed 42
                      A tag whose pods never become ready is rolled back to the last good commit.

                  shop 3f2a9c1  set image shop/cart: good                                            ready in 2.41 s
                    reach the repository           2.0 ms  ▏
                    be noticed                    12.4 ms  ▎
                    fetch                         41.0 ms  █▎
                    render                         1.2 ms   ▎
                    plan                           0.3 ms   ▎
                    apply                         11.0 ms   ▌
                      wave 1, 1 request            4.5 ms   ▍
                      wave 2, 1 request            6.5 ms   ▌
                    hear from every object         2.5 ms   ▋
                    become healthy              2340.6 ms   ████████████████████████████████████████████████████████
                    together                    2411.0 ms  2 objects, 1 configured, 1 unchanged, 2 requests

                  shop 9d0e1f2  set image shop/cart: bad                            failed after 30.1 s, rolled back
                    health: apps/Deployment/shop/cart: 0 of 3 replicas ready 30 s after the apply
                    reach the repository           2.0 ms  ▏
                    be noticed                    12.4 ms  ▏
                    fetch                         46.6 ms  ▏
                    render                         1.2 ms  ▏
                    plan                           0.3 ms  ▏
                    apply                         11.0 ms  ▏
                      wave 1, 1 request            4.5 ms  ▏
                      wave 2, 1 request            6.5 ms  ▏
                    hear from every object         2.5 ms  ▏
                    become healthy             29997.5 ms  █████████████████████████████████████████████████████████
                    together                   30073.5 ms  2 objects, 1 configured, 1 unchanged, 2 requests

                  rollback   shop 9d0e1f2 → 3f2a9c1: healthy again 1.25 s after the failure (decide 0 ms, apply 8.00
                             ms, become healthy 1.24 s)
                  drift      apps/Deployment/shop/cart spec.replicas: 9 by kubectl-edit: corrected in 11.7 ms
                  requests   4 (4 apply), 0 dry-runs
                  checked    1 expectation met

                1 scenario, 2 pushes (1 ready, 1 rolled back), 4 requests, 1 min 0 s of virtual time
                1 passed, 0 failed, 0 skipped
            "#]],
        );
    }

    #[test]
    fn a_failure_tells_its_story_and_how_to_see_it_again() {
        let record = record("bad-tag-rolls-back", sample::story(false));
        check(
            &[record],
            Look::plain(80),
            &expect![[r#"
                FAIL  bad-tag-rolls-back                        1 min 0 s virtual, warm, seed 42
                      A tag whose pods never become ready is rolled back to the last good
                      commit.

                  shop 3f2a9c1  set image shop/cart: good                        ready in 2.41 s
                    reach the repository           2.0 ms  |
                    be noticed                    12.4 ms  |
                    fetch                         41.0 ms  =
                    render                         1.2 ms  =
                    plan                           0.3 ms  =
                    apply                         11.0 ms  =
                      wave 1, 1 request            4.5 ms  =
                      wave 2, 1 request            6.5 ms  =
                    hear from every object         2.5 ms   |
                    become healthy              2340.6 ms   ====================================
                    together                    2411.0 ms
                    2 objects, 1 configured, 1 unchanged, 2 requests

                  shop 9d0e1f2  set image shop/cart: bad                     failed after 30.1 s
                    health: apps/Deployment/shop/cart: 0 of 3 replicas ready 30 s after the
                    apply
                    reach the repository           2.0 ms  |
                    be noticed                    12.4 ms  |
                    fetch                         46.6 ms  |
                    render                         1.2 ms  |
                    plan                           0.3 ms  |
                    apply                         11.0 ms  |
                      wave 1, 1 request            4.5 ms  |
                      wave 2, 1 request            6.5 ms  |
                    hear from every object         2.5 ms  |
                    become healthy             29997.5 ms  =====================================
                    together                   30073.5 ms
                    2 objects, 1 configured, 1 unchanged, 2 requests

                  rollback   shop 9d0e1f2 -> 3f2a9c1: not healthy again 10.0 s after the failure
                             (decide 0 ms, apply 8.00 ms, become healthy 9.99 s)
                  drift      apps/Deployment/shop/cart spec.replicas: 9 by kubectl-edit:
                             corrected in 11.7 ms
                  requests   4 (4 apply), 0 dry-runs
                  checked    0 of 1 expectation met

                  not as expected at step 3
                    expected   app shop rolled back to the previous commit within 10 s after it
                               failed
                    found      10 s after the failure shop was still on its way back to 3f2a9c1:
                               apps/Deployment/shop/cart has 2 of 3 replicas ready
                    what led there
                       +20.067 s  shop: Namespace/shop unchanged
                       +20.067 s  shop has every answer to wave 1
                       +20.067 s  shop sends wave 2: 1 request
                       +20.074 s  shop: apps/Deployment/shop/cart configured
                       +20.074 s  shop has every answer to wave 2
                       +20.074 s  shop has applied 9d0e1f2
                       +20.076 s  shop has heard from every object
                       +50.074 s  shop fails at 9d0e1f2 (health): apps/Deployment/shop/cart: 0
                                  of 3 replicas ready 30 s after the apply
                       +50.074 s  shop goes back from 9d0e1f2 to 3f2a9c1
                       +50.082 s  shop has applied 3f2a9c1
                       +60.074 s  this was found

                  to see it again:
                    towtank run scenarios/rollback/bad-tag-rolls-back.scenario.yaml --seed 42

                1 scenario, 2 pushes (1 ready, 1 failed), 4 requests, 1 min 0 s of virtual time
                0 passed, 1 failed, 0 skipped
            "#]],
        );
    }

    #[test]
    fn many_scenarios_take_a_line_each_and_failures_all_they_need() {
        let pending = Ending::NotConverged { why: "app shop waits for CART".to_owned() };
        let records = [
            record("bad-tag-rolls-back", sample::story(true)),
            RunRecord::skipped(sample::heading("on-kind"), "kind is not installed"),
            record_ended("never-ends", sample::story(true), pending),
        ];
        let text = terminal(&records, Look::text(100));
        let lines: Vec<&str> = text.lines().collect();
        expect![[r#"
            pass  bad-tag-rolls-back  2 pushes, ready in 2.41 s, back in 1.25 s                        1 min 0 s
            skip  on-kind             kind is not installed
            FAIL  never-ends          did not come to rest: app shop waits for CART                    1 min 0 s
        "#]].assert_eq(&(lines[..3].join("\n") + "\n"));
        expect![[r#"
            skip  on-kind  kind is not installed
        "#]]
        .assert_eq(&ended(&records[1], Look::text(100)));
        expect![[r#"
              to see it again:
                towtank run scenarios/rollback/never-ends.scenario.yaml --seed 42

            3 scenarios, 4 pushes (2 ready, 2 rolled back), 8 requests, 2 min 0 s of virtual time
            1 passed, 1 failed, 1 skipped
        "#]]
        .assert_eq(&(lines[lines.len() - 5..].join("\n") + "\n"));
    }

    #[test]
    fn many_pushes_take_a_line_each_and_percentiles_tell_the_rest() {
        let once = |n: u64| {
            let (t, commit) = (n * 10_000_000, format!("{n:040}"));
            let mut events = sample::pushed(t, &commit, "change");
            events.extend(sample::applied(t + 40_000, &commit));
            events.push(sample::ready(t + 1_000_000 + n * 1_000, &commit));
            events
        };
        let record = record("many", (0..100).flat_map(once).collect());
        let text = terminal(&[record], Look::text(80));
        let lines: Vec<&str> = text.lines().collect();
        expect![[r#"
            pass  many                                    16 min 31 s virtual, warm, seed 42
                  A tag whose pods never become ready is rolled back to the last good
                  commit.

              shop 0000000  change                                           ready in 1.00 s
              shop 0000000  change                                           ready in 1.00 s
        "#]]
        .assert_eq(&(lines[..6].join("\n") + "\n"));
        expect![[r#"
              shop 0000000  change                                           ready in 1.02 s
                and 76 more
              ready: median 1.05 s, 90% in 1.09 s, 99% in 1.10 s, slowest 1.10 s

              requests   200 (200 apply), 0 dry-runs

            1 scenario, 100 pushes (100 ready), 200 requests, 16 min 31 s of virtual time
            1 passed, 0 failed, 0 skipped
        "#]]
        .assert_eq(&(lines[27..].join("\n") + "\n"));
    }
}
