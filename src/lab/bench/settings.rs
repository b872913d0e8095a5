//! What a benchmark is asked to do: all that its figures depend on.

use serde::{Deserialize, Serialize};

/// How pushes come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Arrivals {
    /// At random, each independent of the others, to random Apps: many people.
    #[default]
    Poisson,
    /// Evenly, to one App after the other: a machine.
    Fixed,
}

/// The load, and where it runs. Two runs with equal settings on one version of towtank in virtual
/// time give the same samples, on every machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// Apps, each of four objects.
    pub apps: usize,
    /// Pushes of one repeat.
    pub pushes: usize,
    /// Between two pushes, on average.
    pub interval_us: u64,
    /// How they come.
    pub arrivals: Arrivals,
    /// Runs, each in a world of its own.
    pub repeat: usize,
    /// The seed of the first run; each further one has the next.
    pub seed: u64,
    /// The latency profile.
    pub profile: String,
    /// The kind of cluster.
    pub cluster: String,
}

impl Settings {
    /// The seed of a repeat, counted from 0.
    #[must_use]
    pub const fn seed_of(&self, repeat: usize) -> u64 {
        self.seed.wrapping_add(repeat as u64)
    }

    /// The settings that make the pushes what they are, as (name, value): pushes can be paired
    /// where these are the same.
    #[must_use]
    pub fn load(&self) -> [(&'static str, String); 6] {
        let arrivals = match self.arrivals {
            Arrivals::Poisson => "poisson",
            Arrivals::Fixed => "fixed",
        };
        [
            ("apps", self.apps.to_string()),
            ("pushes", self.pushes.to_string()),
            ("interval_us", self.interval_us.to_string()),
            ("arrivals", arrivals.to_owned()),
            ("repeat", self.repeat.to_string()),
            ("seed", self.seed.to_string()),
        ]
    }

    /// The command that does the same.
    #[must_use]
    pub fn command(&self) -> String {
        let [apps, pushes, _, (_, arrivals), repeat, seed] = self.load();
        let mut command = format!(
            "towtank bench push-to-ready --apps {} --pushes {} --rate {}",
            apps.1,
            pushes.1,
            self.rate()
        );
        if self.arrivals != Arrivals::default() {
            command += &format!(" --arrivals {arrivals}");
        }
        command + &format!(" --repeat {} --seed {} --profile {}", repeat.1, seed.1, self.profile)
    }

    /// Pushes a second, as it is typed.
    #[must_use]
    pub fn rate(&self) -> String {
        let millionths = 1_000_000_000_000_u64.checked_div(self.interval_us).unwrap_or(0);
        let (whole, part) = (millionths / 1_000_000, millionths % 1_000_000);
        let text = format!("{whole}.{part:06}");
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    }
}

#[cfg(test)]
pub(super) fn sample() -> Settings {
    Settings {
        apps: 3,
        pushes: 8,
        interval_us: 500_000,
        arrivals: Arrivals::Poisson,
        repeat: 1,
        seed: 1,
        profile: "warm".to_owned(),
        cluster: "memory".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_names_the_load() {
        let settings = Settings { interval_us: 400_000, ..sample() };
        assert_eq!(
            settings.command(),
            "towtank bench push-to-ready --apps 3 --pushes 8 --rate 2.5 --repeat 1 --seed 1 \
             --profile warm"
        );
    }
}
