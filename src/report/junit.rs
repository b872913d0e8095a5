//! Records for a CI system: JUnit XML with one test case a scenario.
//!
//! Times are those of the run's own clock; no date and no random id is in it, so that the same
//! records give the same bytes.

use std::time::Duration;

use quick_junit::{NonSuccessKind, Property, Report, TestCase, TestCaseStatus, TestSuite};

use super::digest::{gist, why};
use super::failure;
use crate::record::{RunRecord, Verdict};

/// The records as JUnit XML.
#[must_use]
pub fn junit(records: &[RunRecord]) -> String {
    let total = Duration::from_micros(records.iter().map(|r| r.duration_us).sum());
    let mut suite = TestSuite::new("scenarios");
    suite.set_time(total);
    suite.add_test_cases(records.iter().map(case));
    let mut report = Report::new("towtank");
    report.set_time(total);
    report.add_test_suite(suite);
    #[expect(clippy::expect_used, reason = "states an invariant")]
    report.to_string().expect("because writing to memory does not fail")
}

fn case(record: &RunRecord) -> TestCase {
    let heading = &record.heading;
    let status = match &record.verdict {
        Verdict::Passed => TestCaseStatus::success(),
        Verdict::Skipped { why } => {
            let mut status = TestCaseStatus::skipped();
            status.set_message(why.as_str());
            status
        }
        Verdict::Failed => failed(record, NonSuccessKind::Failure, "expectation"),
        Verdict::NotConverged { .. } => failed(record, NonSuccessKind::Error, "convergence"),
    };
    let mut case = TestCase::new(heading.name.as_str(), status);
    case.set_classname(if heading.file.is_empty() { "scenario" } else { &heading.file });
    case.set_time(Duration::from_micros(record.duration_us));
    case.add_property(Property::new("seed", heading.seed.to_string()));
    case.add_property(Property::new("profile", heading.profile.as_str()));
    case.add_property(Property::new("clock", heading.clock.word()));
    let gist = gist(record);
    if !gist.is_empty() {
        case.set_system_out(gist);
    }
    case
}

fn failed(record: &RunRecord, kind: NonSuccessKind, what: &str) -> TestCaseStatus {
    let mut status = TestCaseStatus::non_success(kind);
    let message = record.failures.first().map(|f| format!("{}: {}", f.what, f.detail));
    status.set_message(message.or_else(|| why(&record.verdict)).unwrap_or_default());
    status.set_type(what);
    status.set_description(failure::plain(record));
    status
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{Ending, sample};
    use expect_test::expect;

    #[test]
    fn each_scenario_is_a_test_case_and_the_same_records_give_the_same_bytes() {
        let pending = Ending::NotConverged { why: "app shop".to_owned() };
        let records = [
            sample::record("good", sample::story(true)),
            sample::record_ended("endless", Vec::new(), pending),
            RunRecord::skipped(sample::heading("on-kind"), "kind is not installed"),
        ];
        assert_eq!(junit(&records), junit(&records));
        expect![[r#"
            <?xml version="1.0" encoding="UTF-8"?>
            <testsuites name="towtank" tests="3" skipped="1" failures="0" errors="1" time="60.074">
                <testsuite name="scenarios" tests="3" skipped="1" errors="1" failures="0" time="60.074">
                    <testcase name="good" classname="scenarios/rollback/good.scenario.yaml" time="60.074">
                        <properties>
                            <property name="seed" value="42"/>
                            <property name="profile" value="warm"/>
                            <property name="clock" value="virtual"/>
                        </properties>
                        <system-out>2 pushes, ready in 2.41 s, back in 1.25 s, drift corrected in 11.7 ms</system-out>
                    </testcase>
                    <testcase name="endless" classname="scenarios/rollback/endless.scenario.yaml" time="0.000">
                        <properties>
                            <property name="seed" value="42"/>
                            <property name="profile" value="warm"/>
                            <property name="clock" value="virtual"/>
                        </properties>
                        <error message="did not come to rest: app shop" type="convergence">  did not come to rest
                app shop

              to see it again:
                towtank run scenarios/rollback/endless.scenario.yaml --seed 42
            </error>
                    </testcase>
                    <testcase name="on-kind" classname="scenarios/rollback/on-kind.scenario.yaml" time="0.000">
                        <properties>
                            <property name="seed" value="42"/>
                            <property name="profile" value="warm"/>
                            <property name="clock" value="virtual"/>
                        </properties>
                        <skipped message="kind is not installed"/>
                    </testcase>
                </testsuite>
            </testsuites>
        "#]].assert_eq(&junit(&records));
    }
}
