//! The passing of time, for the shells alone: virtual time jumps, real time is slept through.
//! Everything below the shells is handed instants and cannot tell the two apart.

use std::time::{Duration, Instant};

use super::Time;

/// A run's clock.
#[derive(Clone, Copy, Debug)]
pub enum Clock {
    /// What is due next is now.
    Virtual,
    /// What is due next is waited for.
    Real {
        /// The machine's monotonic clock at the run's start.
        started: Instant,
        /// What the run's start is called.
        at: Time,
    },
}

impl Clock {
    /// The machine's clock from now on.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the machine's clock")]
    pub fn real() -> Self {
        let since_epoch = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .unwrap_or(Duration::ZERO);
        let micros = u64::try_from(since_epoch.as_micros()).unwrap_or(u64::MAX);
        Clock::Real { started: Instant::now(), at: Time::from_micros(micros) }
    }

    /// Where the run begins.
    #[must_use]
    pub fn start(&self) -> Time {
        match self {
            Clock::Virtual => Time::VIRTUAL_START,
            Clock::Real { at, .. } => *at,
        }
    }

    /// What time it is on the machine's clock; virtual time does not pass by itself.
    #[must_use]
    pub fn now(&self) -> Time {
        match self {
            Clock::Virtual => Time::VIRTUAL_START,
            Clock::Real { started, at } => *at + started.elapsed(),
        }
    }

    /// Lets time pass until `due` and says what time it is then: `due` itself in virtual time,
    /// in real time that or a little later.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "the one place that waits")]
    pub fn wait_until(&self, due: Time) -> Time {
        let Clock::Real { started, at } = self else { return due };
        let elapsed = started.elapsed();
        let wanted = due.since(*at);
        if wanted > elapsed {
            std::thread::sleep(wanted - elapsed);
        }
        due.max(*at + started.elapsed())
    }
}
