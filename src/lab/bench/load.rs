//! The load as a scenario: the canonical Apps come to rest, then the pushes are made, each at its
//! own time. What a push is called leads back from the record to the intended push.

use std::fmt::Write as _;
use std::time::Duration;

use super::{Intended, Settings};
use crate::base::Profile;
use crate::lab::scenario::duration::show;
use crate::lab::scenario::{Problems, Scenario};

/// What push `number` is called.
pub(super) fn name(number: usize) -> String {
    format!("push {number}")
}

/// The scenario of one repeat.
///
/// # Errors
/// Where the language has no words for it: more nodes than a world may have.
pub(super) fn scenario(settings: &Settings, pushes: &[Intended]) -> Result<Scenario, Problems> {
    // The first step is where the times of all others count from.
    let mut steps = "  - wait: { until: 0s }\n".to_owned();
    for (number, Intended { at_us, app }) in pushes.iter().enumerate() {
        let until = show(Duration::from_micros(*at_us));
        let name = name(number);
        let _ = writeln!(steps, "  - wait: {{ until: {until} }}");
        let _ = writeln!(
            steps,
            "  - push: {{ set-image: {{ load/app-{app}: p{number} }}, message: {name} }}"
        );
    }
    let mut scenario = crate::lab::load::scenario(settings.apps, &steps)?;
    if let Some(profile) = Profile::named(&settings.profile) {
        scenario.world.profile = profile;
    }
    Ok(scenario)
}
