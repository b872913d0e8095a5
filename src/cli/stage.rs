//! Where benchmarks and claims are played: a place that is open for as long as they take.

use super::place::Open;
use super::typed::ClusterArgs;
use super::{Exit, complain};
use crate::base::Profile;
use crate::lab::backend::{Place, Terms};
use crate::lab::run::{Finished, Options, run};
use crate::lab::scenario::Scenario;
use crate::record::Clock;

/// An open place, and how things go there.
pub(super) struct Stage {
    open: Open,
    clock: Clock,
    profile: Profile,
    cluster: String,
}

impl Stage {
    /// In memory and in virtual time.
    ///
    /// # Errors
    /// None in fact.
    pub(super) fn memory(profile: Profile) -> Result<Self, Exit> {
        Self::at(&Place::Memory, &Terms::default(), profile)
    }

    /// Opens what `--cluster` names.
    ///
    /// # Errors
    /// What is wrong with the flags, or what the place said, is told, with this exit code.
    pub(super) fn open(args: &ClusterArgs, profile: Profile) -> Result<Self, Exit> {
        let (place, terms) = super::meant::place(args.clone())
            .map_err(|problems| complain(Exit::BadInput, &problems.to_string()))?;
        Self::at(&place, &terms, profile)
    }

    fn at(place: &Place, terms: &Terms, profile: Profile) -> Result<Self, Exit> {
        let open = Open::new(place, terms)
            .map_err(|error| complain(Exit::Environment, &error.to_string()))?;
        let clock = if *place == Place::Memory { Clock::Virtual } else { Clock::Real };
        Ok(Self { open, clock, profile, cluster: place.to_string() })
    }

    /// The place as `--cluster` spells it.
    pub(super) fn cluster(&self) -> &str {
        &self.cluster
    }

    /// Whose time passes there.
    pub(super) const fn clock(&self) -> Clock {
        self.clock
    }

    /// Plays a scenario from a seed.
    ///
    /// # Errors
    /// Why it cannot be played there, in words.
    pub(super) fn play(&self, scenario: &Scenario, seed: u64) -> Result<Finished, String> {
        let options = Options {
            seed,
            clock: self.clock,
            profile: Some(self.profile.clone()),
            site: self.open.site.clone(),
        };
        run(scenario, &options).map_err(|error| error.to_string())
    }

    /// Closes the place; what could not be closed is told and makes `exit` worse.
    pub(super) fn close(self, exit: Exit) -> Exit {
        match self.open.close() {
            Ok(()) => exit,
            Err(error) => exit.max(complain(Exit::Environment, &error.to_string())),
        }
    }
}
