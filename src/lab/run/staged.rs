//! The file of stages that a scenario names: what becomes of objects and containers in its world.
//!
//! Not here: what such a file may say (`sim::world`), and stages that stand in the scenario
//! itself (`actions`).

use super::RunError;
use crate::lab::scenario::model::Scenario;
use crate::sim::pods::ContainerStage;
use crate::sim::stages::Stage;
use crate::sim::world::read_stages;

/// The stages of the file that a scenario names.
pub(super) fn given(scenario: &Scenario) -> Result<(Vec<Stage>, Vec<ContainerStage>), RunError> {
    let Some((written, path)) = &scenario.world.stages else { return Ok(Default::default()) };
    let text = std::fs::read_to_string(path).map_err(|error| error.to_string());
    text.and_then(|text| read_stages(&text)).map_err(|message| RunError::Stages {
        file: scenario.file.display().to_string(),
        at: written.at.to_string(),
        message: format!("stages {:?}: {message}", written.value),
    })
}
