//! Follows each foreign write: written, seen by the engine, corrected or reported.

use super::recorder::{Log, micros};
use super::{Drift, DriftEnd};
use crate::base::{Event, Time};

/// The foreign writes of a run, in the order they were made or, where the scenario did not make
/// them, seen.
pub(super) fn build(log: &Log<'_>) -> Vec<Drift> {
    let mut drifts: Vec<(Time, Drift)> = Vec::new();
    for (at, event) in log.events {
        match event {
            Event::Drifted { object, what } => drifts.push((*at, begin(log, *at, object, what))),
            Event::DriftRefused { object, .. } => {
                if let Some((_, drift)) = last(&mut drifts, object, DriftEnd::Unseen) {
                    drift.end = DriftEnd::Refused;
                } else {
                    let refused = begin(log, *at, object, "");
                    drifts.push((*at, Drift { end: DriftEnd::Refused, ..refused }));
                }
            }
            Event::DriftSeen { app, object, fields, by } => {
                if last(&mut drifts, object, DriftEnd::Unseen).is_none()
                    && last(&mut drifts, object, DriftEnd::Seen).is_none()
                {
                    drifts.push((*at, begin(log, *at, object, "")));
                }
                for (start, drift) in of(&mut drifts, object, DriftEnd::Unseen) {
                    drift.end = DriftEnd::Seen;
                    drift.seen_us = Some(micros(*start, *at));
                    drift.app = Some(app.clone());
                    drift.fields.clone_from(fields);
                    drift.by.clone_from(by);
                }
            }
            Event::DriftCorrected { app, object } => {
                end(&mut drifts, *at, app, object, DriftEnd::Corrected);
            }
            Event::DriftReported { app, object } => {
                end(&mut drifts, *at, app, object, DriftEnd::Reported);
            }
            _ => {}
        }
    }
    drifts.into_iter().map(|(_, drift)| drift).collect()
}

fn begin(log: &Log<'_>, at: Time, object: &str, what: &str) -> Drift {
    Drift {
        object: object.to_owned(),
        what: what.to_owned(),
        app: None,
        fields: Vec::new(),
        by: None,
        end: DriftEnd::Unseen,
        start_us: log.since_start(at),
        seen_us: None,
        ended_us: None,
    }
}

fn of<'a>(
    drifts: &'a mut [(Time, Drift)],
    object: &'a str,
    end: DriftEnd,
) -> impl DoubleEndedIterator<Item = &'a mut (Time, Drift)> {
    // Scaling is written to `Deployment/shop/cart/scale`, and seen in `Deployment/shop/cart`.
    let is_it = move |written: &str| {
        written.strip_prefix(object).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    drifts.iter_mut().filter(move |(_, drift)| drift.end == end && is_it(&drift.object))
}

fn last<'a>(
    drifts: &'a mut [(Time, Drift)],
    object: &'a str,
    end: DriftEnd,
) -> Option<&'a mut (Time, Drift)> {
    of(drifts, object, end).next_back()
}

/// Everything seen of an object ends together: it is as rendered again, or was told as it is.
/// What was corrected without having been told as seen (one read showed both) ends too.
fn end(drifts: &mut [(Time, Drift)], at: Time, app: &str, object: &str, how: DriftEnd) {
    let seen = last(drifts, object, DriftEnd::Seen).is_some();
    let which = if seen { DriftEnd::Seen } else { DriftEnd::Unseen };
    for (start, drift) in of(drifts, object, which) {
        drift.end = how;
        drift.app = Some(app.to_owned());
        drift.ended_us = Some(micros(*start, at));
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::{CART, record, shop};
    use super::*;

    fn drifted(t: u64) -> (u64, Event) {
        (t, Event::Drifted { object: CART.to_owned(), what: "spec.replicas: 9".to_owned() })
    }

    fn seen(t: u64) -> (u64, Event) {
        let fields = vec!["spec.replicas".to_owned()];
        (t, Event::DriftSeen { app: shop(), object: CART.to_owned(), fields, by: None })
    }

    fn corrected(t: u64) -> (u64, Event) {
        (t, Event::DriftCorrected { app: shop(), object: CART.to_owned() })
    }

    type Row = (DriftEnd, u64, Option<u64>, Option<u64>);

    #[track_caller]
    fn check(events: Vec<(u64, Event)>, expected: &[Row]) {
        let record = record("a", events);
        let rows: Vec<Row> =
            record.drifts.iter().map(|d| (d.end, d.start_us, d.seen_us, d.ended_us)).collect();
        assert_eq!(rows, expected);
    }

    #[test]
    fn drift_counts_from_the_foreign_write() {
        check(
            vec![drifted(10), seen(15), corrected(30)],
            &[(DriftEnd::Corrected, 10, Some(5), Some(20))],
        );
    }

    #[test]
    fn drift_that_the_scenario_did_not_make_counts_from_being_seen() {
        check(vec![seen(15), corrected(30)], &[(DriftEnd::Corrected, 15, Some(0), Some(15))]);
    }

    #[test]
    fn two_writes_before_one_correction_are_both_corrected_by_it() {
        check(
            vec![drifted(10), drifted(12), seen(15), corrected(30)],
            &[
                (DriftEnd::Corrected, 10, Some(5), Some(20)),
                (DriftEnd::Corrected, 12, Some(3), Some(18)),
            ],
        );
    }

    #[test]
    fn what_came_of_nothing_is_told() {
        let (object, message) = (CART.to_owned(), "denied".to_owned());
        check(
            vec![drifted(1), (2, Event::DriftRefused { object, message }), drifted(3)],
            &[(DriftEnd::Refused, 1, None, None), (DriftEnd::Unseen, 3, None, None)],
        );
        check(vec![drifted(1), seen(2)], &[(DriftEnd::Seen, 1, Some(1), None)]);
    }
}
