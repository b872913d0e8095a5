//! The pause before something that failed is tried again, as kubelets keep it for crashed
//! containers and for image pulls (R-CTL-33, R-CTL-34).

use std::time::Duration;

use crate::base::Time;

/// First pause.
const START: Duration = Duration::from_secs(10);

/// Longest pause.
const MAX: Duration = Duration::from_secs(300);

/// Once this long after the last try nothing bad has happened, the pause starts from the first
/// one again.
const FORGET: Duration = Duration::from_secs(600);

/// The back-off of one container, or of one image for one pod.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Backoff {
    /// The pause after the next failure, and when it was set; `None` before the first try.
    kept: Option<(Duration, Time)>,
}

impl Backoff {
    /// How long to wait after a failure at `failed_at`; zero for the first one.
    pub(super) fn pause(self, failed_at: Time) -> Duration {
        match self.kept {
            Some((pause, set)) if failed_at.since(set) <= FORGET => pause,
            _ => Duration::ZERO,
        }
    }

    /// A try is made at `now` because of a failure at `failed_at`: the next pause is longer.
    pub(super) fn advance(&mut self, failed_at: Time, now: Time) {
        let next = match self.kept {
            Some((pause, set)) if failed_at.since(set) <= FORGET => (pause * 2).min(MAX),
            _ => START,
        };
        self.kept = Some((next, now));
    }
}

/// A duration as Go prints whole seconds: `10s`, `1m20s`, `5m0s`.
pub(super) fn go_duration(duration: Duration) -> String {
    let seconds = duration.as_secs();
    if seconds < 60 { format!("{seconds}s") } else { format!("{}m{}s", seconds / 60, seconds % 60) }
}

/// A duration as Go prints it to the millisecond: `800ms`, `1.5s`.
pub(super) fn go_millis(duration: Duration) -> String {
    let millis = duration.as_millis();
    if millis < 1000 { format!("{millis}ms") } else { format!("{}s", millis as f64 / 1000.0) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Fails `runs.len()` times, each after having run for that many seconds; gives the pauses.
    fn pauses(runs: &[u64]) -> Vec<String> {
        let (mut backoff, mut now) = (Backoff::default(), Time::VIRTUAL_START);
        runs.iter()
            .map(|run| {
                let failed_at = now + Duration::from_secs(*run);
                let pause = backoff.pause(failed_at);
                now = failed_at + pause;
                backoff.advance(failed_at, now);
                go_duration(pause)
            })
            .collect()
    }

    #[test]
    fn the_first_restart_is_at_once_then_ten_seconds_doubling_to_five_minutes() {
        let want = ["0s", "10s", "20s", "40s", "1m20s", "2m40s", "5m0s", "5m0s"];
        assert_eq!(pauses(&[1; 8]), want);
    }

    #[test]
    fn ten_minutes_of_running_start_it_again() {
        assert_eq!(pauses(&[1, 1, 1, 600, 601, 1]), ["0s", "10s", "20s", "40s", "0s", "10s"]);
    }
}
