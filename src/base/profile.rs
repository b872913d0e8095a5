//! How long the world's own doings take: one documented profile, jittered by the seed.
//!
//! It models, it does not measure: in virtual time a figure that rests on it is *modelled*. What
//! containers take is data of the same name: `src/sim/pods/stages.yaml`.

use std::time::Duration;

use super::Rng;

/// A span that a draw falls into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spread {
    /// Shortest.
    pub from: Duration,
    /// Longest.
    pub to: Duration,
}

impl Spread {
    const fn ms(from: u64, to: u64) -> Self {
        Self { from: Duration::from_millis(from), to: Duration::from_millis(to) }
    }

    /// Nothing at all.
    pub const ZERO: Spread = Spread::ms(0, 0);

    /// One duration of the spread.
    pub fn draw(self, rng: &mut Rng) -> Duration {
        if self.from == self.to { self.from } else { rng.between(self.from, self.to) }
    }
}

/// The latencies of a world.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    /// `instant`, `warm` or `cold`: what a report calls a figure that rests on it.
    pub name: &'static str,
    /// One way of an API request; the answer takes as long again.
    pub api: Spread,
    /// From a committed write to the event at a watch.
    pub watch: Spread,
    /// From a push being accepted to the engine hearing of it.
    pub push_notice: Spread,
    /// What a fetch of a new commit takes.
    pub fetch: Spread,
    /// The scheduler's time for one pod.
    pub schedule: Spread,
}

impl Profile {
    /// Nothing takes time: what remains is timers and probes.
    #[must_use]
    pub const fn instant() -> Self {
        Self {
            name: "instant",
            api: Spread::ZERO,
            watch: Spread::ZERO,
            push_notice: Spread::ZERO,
            fetch: Spread::ZERO,
            schedule: Spread::ZERO,
        }
    }

    /// A small cluster whose nodes are up and whose registry is near. API: a real
    /// kube-apiserver 1.36 on two cores answers an apply in 3 to 6 ms and shows it to a watch
    /// after 3 ms.
    #[must_use]
    pub const fn warm() -> Self {
        Self {
            name: "warm",
            api: Spread::ms(1, 3),
            watch: Spread::ms(1, 4),
            push_notice: Spread::ms(5, 20),
            fetch: Spread::ms(20, 60),
            schedule: Spread::ms(2, 10),
        }
    }

    /// The same cluster with empty nodes and a registry across the internet.
    #[must_use]
    pub const fn cold() -> Self {
        Self { name: "cold", ..Self::warm() }
    }

    /// The profile called `name`.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "instant" => Some(Self::instant()),
            "warm" => Some(Self::warm()),
            "cold" => Some(Self::cold()),
            _ => None,
        }
    }
}
