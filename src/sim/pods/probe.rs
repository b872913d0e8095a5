//! Probes on the clock (R-CTL-35): when a probe looks, what it sees, when its verdict changes.
//!
//! What a probe would see is known in advance (`Answers`), so only looks that can change the
//! verdict are put on the clock: a probe whose verdict stands and whose answers stay costs no
//! timer. A look takes no time and fails at once, so `timeoutSeconds` has no effect; exec, HTTP,
//! TCP and gRPC probes are all alike.
//!
//! A real worker looks at its own ticks and, for readiness, once more whenever the pod's status
//! is written while the container is not ready. Here ticks count from the start of the container
//! (for readiness behind a startup probe: from that one's success), which is where that extra
//! look puts them.

use std::time::Duration;

use super::spec::seconds;
use crate::base::Time;
use crate::object::Value;

/// The figures of a probe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ProbeSpec {
    pub(super) initial_delay: Duration,
    pub(super) period: Duration,
    pub(super) failures: u32,
    pub(super) successes: u32,
}

impl ProbeSpec {
    pub(super) fn read(probe: &Value) -> Self {
        let int = |key: &str, default| match probe.get(key).and_then(Value::as_i64) {
            None | Some(0) => default,
            Some(n) => n,
        };
        Self {
            initial_delay: seconds(int("initialDelaySeconds", 0)),
            period: seconds(int("periodSeconds", 10)).max(Duration::from_secs(1)),
            failures: u32::try_from(int("failureThreshold", 3)).unwrap_or(3),
            successes: u32::try_from(int("successThreshold", 1)).unwrap_or(1),
        }
    }
}

/// What looks at a container see over time: good from one instant on, until another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Answers {
    /// `None`: never good.
    pub(super) from: Option<Time>,
    /// `None`: for ever.
    pub(super) until: Option<Time>,
}

impl Answers {
    pub(super) fn good(self, at: Time) -> bool {
        self.from.is_some_and(|from| from <= at) && self.until.is_none_or(|until| at < until)
    }

    /// When the answer differs from that at `at`, if ever.
    fn next_change(self, at: Time) -> Option<Time> {
        let from = self.from?;
        if self.until.is_some_and(|until| until <= from) {
            return None;
        }
        if at < from { Some(from) } else { self.until.filter(|until| at < *until) }
    }
}

/// What a look found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Look {
    pub(super) good: bool,
    /// The verdict, where this look changed it.
    pub(super) verdict: Option<bool>,
}

/// One probe of one running container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Prober {
    spec: ProbeSpec,
    ticks_from: Time,
    /// The verdict so far; a startup probe has none to begin with.
    verdict: Option<bool>,
    /// Equal answers in a row, of which kind.
    run: (bool, u32),
    /// The last look and the next one that can matter.
    looked: Option<Time>,
    next: Option<Time>,
}

impl Prober {
    /// A probe that looks from `first` on, at ticks that count from `ticks_from`. The first look
    /// is always made, so that a failing one is told of.
    pub(super) fn new(
        spec: ProbeSpec,
        verdict: Option<bool>,
        first: Time,
        ticks_from: Time,
    ) -> Self {
        let mut prober =
            Self { spec, ticks_from, verdict, run: (false, 0), looked: None, next: None };
        prober.next = Some(prober.tick_at_or_after(first));
        prober
    }

    /// When the next look that can matter is due.
    pub(super) fn next(&self) -> Option<Time> {
        self.next
    }

    /// Looks, if a look is due.
    pub(super) fn look(&mut self, now: Time, answers: Answers) -> Option<Look> {
        self.next.filter(|next| *next <= now)?;
        let good = answers.good(now);
        self.run = if self.run.0 == good { (good, self.run.1 + 1) } else { (good, 1) };
        let enough = if good { self.spec.successes } else { self.spec.failures };
        let verdict = (self.run.1 >= enough && self.verdict != Some(good)).then_some(good);
        self.verdict = verdict.or(self.verdict);
        self.looked = Some(now);
        self.plan(now, answers);
        Some(Look { good, verdict })
    }

    /// Finds the next look that can matter, from `now` on. To be called when answers change.
    pub(super) fn plan(&mut self, now: Time, answers: Answers) {
        let Some(looked) = self.looked else { return };
        let mut tick = self.tick_at_or_after(now);
        if tick <= looked {
            tick = self.tick_at_or_after(looked + Duration::from_micros(1));
        }
        self.next = Some(tick);
        if let Some(verdict) = self.verdict.filter(|verdict| answers.good(tick) == *verdict) {
            // Looks until the answer changes only confirm the verdict.
            self.run = (verdict, 0);
            self.next = answers.next_change(tick).map(|change| self.tick_at_or_after(change));
        }
    }

    fn tick_at_or_after(&self, at: Time) -> Time {
        let period = u64::try_from(self.spec.period.as_micros()).unwrap_or(u64::MAX).max(1);
        let past = u64::try_from(at.since(self.ticks_from).as_micros()).unwrap_or(u64::MAX);
        self.ticks_from + Duration::from_micros(past.div_ceil(period).saturating_mul(period))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const T0: Time = Time::VIRTUAL_START;

    fn at(seconds: f64) -> Time {
        T0 + Duration::from_secs_f64(seconds)
    }

    /// Runs a probe until it wants no more looks (or 50 were made): (second, good, verdict).
    fn looks(
        (delay, period, failures, successes): (u64, u64, u32, u32),
        verdict: Option<bool>,
        (from, until): (Option<f64>, Option<f64>),
    ) -> Vec<(u64, bool, Option<bool>)> {
        let spec = ProbeSpec {
            initial_delay: Duration::from_secs(delay),
            period: Duration::from_secs(period),
            failures,
            successes,
        };
        let answers = Answers { from: from.map(at), until: until.map(at) };
        let mut prober = Prober::new(spec, verdict, T0 + spec.initial_delay, T0);
        let mut seen = Vec::new();
        while let Some(next) = prober.next().filter(|_| seen.len() < 50) {
            let look = prober.look(next, answers).unwrap();
            seen.push((next.since(T0).as_secs(), look.good, look.verdict));
        }
        seen
    }

    #[test]
    fn a_probe_that_keeps_its_verdict_looks_once() {
        assert_eq!(looks((0, 10, 3, 1), Some(true), (Some(0.0), None)), [(0, true, None)]);
        assert_eq!(looks((5, 10, 3, 1), Some(false), (None, None)), [(10, false, None)]);
    }

    #[test]
    fn readiness_comes_at_the_first_tick_after_the_container_answers() {
        let want = [(0, false, None), (10, true, Some(true))];
        assert_eq!(looks((0, 10, 3, 1), Some(false), (Some(1.5), None)), want);
        let want = [(4, true, None), (6, true, None), (8, true, Some(true))];
        assert_eq!(looks((3, 2, 3, 3), Some(false), (Some(1.5), None)), want);
    }

    #[test]
    fn a_liveness_probe_fails_after_its_threshold_and_not_before() {
        let got = looks((0, 10, 3, 1), Some(true), (Some(0.0), Some(25.0)));
        let want =
            [(0, true, None), (30, false, None), (40, false, None), (50, false, Some(false))];
        assert_eq!(got, want);
    }

    #[test]
    fn a_startup_probe_has_no_verdict_until_its_threshold() {
        let got = looks((0, 5, 3, 1), None, (None, None));
        assert_eq!(got, [(0, false, None), (5, false, None), (10, false, Some(false))]);
        let got = looks((0, 5, 3, 1), None, (Some(7.0), None));
        assert_eq!(got, [(0, false, None), (5, false, None), (10, true, Some(true))]);
    }

    #[test]
    fn a_probe_that_was_settled_looks_again_when_its_answers_change() {
        let spec = ProbeSpec::read(&crate::object::json!({"periodSeconds": 2}));
        let ever = Answers { from: Some(T0), until: None };
        let mut prober = Prober::new(spec, Some(false), T0, T0);
        assert_eq!(prober.look(T0, ever), Some(Look { good: true, verdict: Some(true) }));
        assert_eq!(prober.next(), None);
        let never = Answers { from: None, until: None };
        prober.plan(at(101.0), never);
        assert_eq!(prober.next(), Some(at(102.0)));
        let verdicts: Vec<_> = [102.0, 104.0, 106.0]
            .map(|t| prober.look(at(t), never).unwrap().verdict)
            .into_iter()
            .collect();
        assert_eq!(verdicts, [None, None, Some(false)]);
        assert_eq!(prober.next(), None);
    }
}
