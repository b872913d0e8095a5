//! The file of stages that a scenario names: what becomes of objects and containers in its world.
//!
//! Not here: what a stage may say (`sim::stages`, `sim::pods`), and stages that stand in the
//! scenario itself (`actions`).

use super::RunError;
use crate::lab::scenario::model::Scenario;
use crate::object::yaml;
use crate::sim::pods::ContainerStage;
use crate::sim::stages::{self, Stage};

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

/// A file of stages: those that name a moment are of containers, all others of objects.
fn read_stages(text: &str) -> Result<(Vec<Stage>, Vec<ContainerStage>), String> {
    let value = yaml::body(text).map_err(|error| error.to_string())?;
    let items = value.as_array().ok_or("expected a list of stages")?;
    let (of_containers, of_objects): (Vec<_>, Vec<_>) =
        items.iter().partition(|item| ContainerStage::is_one(item));
    let of_objects: Result<_, _> = of_objects.into_iter().map(stages::stage).collect();
    let of_containers: Result<_, _> = of_containers.into_iter().map(ContainerStage::read).collect();
    let of_objects = of_objects.map_err(|error: stages::NotAStage| error.to_string())?;
    let of_containers =
        of_containers.map_err(|error: crate::sim::pods::NotAContainerStage| error.to_string())?;
    Ok((of_objects, of_containers))
}
