//! When each push is meant to be made, and to which App: from the seed alone, before anything runs.

use serde::{Deserialize, Serialize};

use super::{Arrivals, Settings};
use crate::base::Rng;

/// One push that is meant to be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Intended {
    /// When, since the load began.
    pub at_us: u64,
    /// The App's number.
    pub app: usize,
}

/// The pushes of one repeat, in order.
///
/// A Poisson process of which the number of arrivals in a span is known has them spread over the
/// span evenly at random. Drawing them so needs whole numbers only, and is the same everywhere.
#[must_use]
pub fn schedule(settings: &Settings, repeat: usize) -> Vec<Intended> {
    let Settings { apps, pushes, interval_us, arrivals, .. } = *settings;
    let mut rng = Rng::new(settings.seed_of(repeat)).fork("bench schedule");
    let span = interval_us.saturating_mul(pushes as u64);
    let mut times: Vec<u64> = match arrivals {
        Arrivals::Fixed => (0..pushes as u64).map(|n| n.saturating_mul(interval_us)).collect(),
        Arrivals::Poisson => (0..pushes).map(|_| rng.below(span)).collect(),
    };
    times.sort_unstable();
    let number = |draw: u64| usize::try_from(draw).unwrap_or(0);
    let app = |n: usize, rng: &mut Rng| match arrivals {
        Arrivals::Fixed => n % apps.max(1),
        Arrivals::Poisson => number(rng.below(apps as u64)),
    };
    let intended = |(n, at_us)| Intended { at_us, app: app(n, &mut rng) };
    times.into_iter().enumerate().map(intended).collect()
}

#[cfg(test)]
mod tests {
    use super::super::settings::sample;
    use super::*;

    #[test]
    fn a_fixed_load_comes_evenly_to_one_app_after_the_other() {
        let settings = Settings { arrivals: Arrivals::Fixed, pushes: 4, ..sample() };
        let found: Vec<(u64, usize)> =
            schedule(&settings, 0).iter().map(|push| (push.at_us, push.app)).collect();
        assert_eq!(found, [(0, 0), (500_000, 1), (1_000_000, 2), (1_500_000, 0)]);
    }

    #[test]
    fn a_random_load_has_the_rate_it_is_asked_for_and_is_another_in_each_repeat() {
        let settings = Settings { pushes: 1_000, ..sample() };
        let first = schedule(&settings, 0);
        assert_eq!(first, schedule(&settings, 0));
        assert_ne!(first, schedule(&settings, 1));
        assert!(first.windows(2).all(|pair| pair[0].at_us <= pair[1].at_us));
        let last = first[first.len() - 1].at_us;
        assert!((480_000_000..500_000_000).contains(&last), "{last}");
        for app in 0..settings.apps {
            let count = first.iter().filter(|push| push.app == app).count();
            assert!((280..390).contains(&count), "App {app}: {count}");
        }
    }
}
