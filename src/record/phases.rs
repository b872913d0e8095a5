//! Splits the time between a start and an end at marks. The shares add up exactly, whatever marks
//! are missing: what lies around a missing one is a share of its own, `unattributed`.

use super::recorder::micros;
use super::{Phase, PhaseName};
use crate::base::Time;

/// The end of a phase.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mark {
    /// The phase that ends here.
    pub(super) phase: PhaseName,
    /// When, if it is known.
    pub(super) at: Option<Time>,
    /// Whether there may be no such phase, so that its time belongs to the next.
    pub(super) optional: bool,
}

impl Mark {
    /// A mark that every chain has.
    pub(super) const fn new(phase: PhaseName, at: Option<Time>) -> Self {
        Self { phase, at, optional: false }
    }

    /// A mark that a chain may lack.
    pub(super) const fn optional(phase: PhaseName, at: Option<Time>) -> Self {
        Self { phase, at, optional: true }
    }
}

/// Phases from `start` to `end`, in order. Time after the last known mark belongs to the phase
/// that was under way then. A mark outside of its neighbours is moved to the nearer one.
pub(super) fn split(start: Time, marks: &[Mark], end: Time) -> Vec<Phase> {
    let known = marks.iter().rposition(|mark| mark.at.is_some()).map_or(0, |last| last + 1);
    let mut phases = Vec::new();
    let mut last = start;
    let mut gap = false;
    for mark in &marks[..known] {
        let Some(at) = mark.at else {
            gap |= !mark.optional;
            continue;
        };
        let at = at.clamp(last, end.max(last));
        let phase = if gap { PhaseName::Unattributed } else { mark.phase };
        phases.push(Phase { phase, us: micros(last, at) });
        last = at;
        gap = false;
    }
    if last < end {
        let phase = marks.get(known).map_or(PhaseName::Unattributed, |mark| mark.phase);
        phases.push(Phase { phase, us: micros(last, end) });
    }
    phases
}

#[cfg(test)]
mod tests {
    use super::*;
    use PhaseName::{Apply, Fetch, Plan, Render, Unattributed, Wait};

    fn at(us: u64) -> Time {
        Time::from_micros(us)
    }

    /// The chain fetch, render, plan, (wait), apply with marks at `marks`, split over 100..=`end`.
    #[track_caller]
    fn check(marks: [Option<u64>; 5], end: u64, expected: &[(PhaseName, u64)]) {
        let names = [Fetch, Render, Plan, Wait, Apply];
        let chain: Vec<Mark> = std::iter::zip(names, marks)
            .map(|(phase, us)| Mark { phase, at: us.map(at), optional: phase == Wait })
            .collect();
        let phases = split(at(100), &chain, at(end));
        let found: Vec<_> = phases.iter().map(|p| (p.phase, p.us)).collect();
        assert_eq!(found, expected);
        assert_eq!(phases.iter().map(|p| p.us).sum::<u64>(), end - 100, "adds up");
    }

    #[test]
    fn each_phase_ends_at_its_mark() {
        check(
            [Some(110), Some(130), Some(131), Some(140), Some(200)],
            200,
            &[(Fetch, 10), (Render, 20), (Plan, 1), (Wait, 9), (Apply, 60)],
        );
    }

    #[test]
    fn time_around_a_missing_mark_is_not_attributed() {
        let rest = [(Wait, 9), (Apply, 60)];
        let marks = [Some(110), None, Some(131), Some(140), Some(200)];
        check(marks, 200, &[(Fetch, 10), (Unattributed, 21), rest[0], rest[1]]);
    }

    #[test]
    fn an_optional_mark_that_is_missing_leaves_its_time_to_the_next() {
        check(
            [Some(110), Some(130), Some(131), None, Some(200)],
            200,
            &[(Fetch, 10), (Render, 20), (Plan, 1), (Apply, 69)],
        );
    }

    #[test]
    fn what_ended_early_ended_in_the_phase_under_way() {
        check([Some(110), None, None, None, None], 115, &[(Fetch, 10), (Render, 5)]);
    }

    #[test]
    fn a_mark_before_the_start_or_after_the_end_is_moved_to_it() {
        let marks = [Some(50), Some(130), Some(131), None, Some(300)];
        check(marks, 200, &[(Fetch, 0), (Render, 30), (Plan, 1), (Apply, 69)]);
    }
}
