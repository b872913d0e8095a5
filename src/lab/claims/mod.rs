//! `towtank claims`: what is said for GitOps, held against figures.
//!
//! Each claim is measured by scenarios on a repository as guides lay it out (`guide`), played from
//! many seeds; `lab::run` plays them, wherever it is told to. A verdict follows from the figures
//! and a bound that the claim itself names. In virtual time the figures follow from the latency
//! profile: they are *modelled*. What people take is assumed, and each assumption is named beside
//! the figure that rests on it.
//!
//! - `figures`: a row of figures, a claim with its verdict, the report
//! - `stage`: plays a scenario from many seeds and picks durations from the records
//! - `measured`: the claims that are measured, one function each; `teams`: the one about ten teams;
//!   `lint`: the one about linting
//! - `page`: the report as text
//!
//! Not here: judging a single run, which is `lab::check`.

mod figures;
mod guide;
mod lint;
mod measured;
pub mod page;
mod stage;
mod teams;

pub use figures::{Claim, Report, Row, Verdict};
pub use lint::Lint;
pub use stage::{Play, Terms};

use crate::lab::scenario::Scenario;

/// Measures every claim; `lint` is held to the one about linting.
///
/// # Errors
/// Where a run could not be made, or not begun: why, in words.
pub fn measure(terms: &Terms, play: &Play<'_>, lint: &Lint<'_>) -> Result<Report, String> {
    let stage = stage::Stage { terms, play };
    let claims = vec![
        measured::a_change_propagates(&stage)?,
        measured::a_failed_rollout_goes_back(&stage)?,
        measured::a_push_is_built_and_deployed(&stage)?,
        measured::drift_is_seen(&stage)?,
        measured::a_revert_is_a_rollback(&stage)?,
        figures::not_measured(
            6,
            "Nothing but Git is needed: secrets are kept as references and resolved at apply time.",
            "the engine resolves no references yet (SOPS, Sealed Secrets, Vault)",
        ),
        figures::not_measured(
            7,
            "Sync status, health and drift can be watched and alerted on through Prometheus metrics.",
            "the engine exports no metrics yet",
        ),
        lint::manifests_are_linted(lint)?,
        teams::ten_teams(&stage)?,
    ];
    Ok(Report { terms: terms.clone(), claims })
}

/// The scenarios that the claims are measured by, as they are played: on the embedded repository.
///
/// # Errors
/// Where one of them is none: a mistake in this program.
pub fn scenarios() -> Result<Vec<Scenario>, String> {
    measured::ALL.iter().map(stage::scenario).collect()
}
