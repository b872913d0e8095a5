//! A file of stages: what becomes of objects whose controllers are not there, and what containers
//! do, in one list (R-CTL-38). Read the same for a scenario's world and for a server on the wire.
//!
//! Not here: what a stage may say (`sim::stages`, `sim::pods`), and the reading of the file.

use crate::object::yaml;
use crate::sim::pods::ContainerStage;
use crate::sim::stages::{self, Stage};

/// The stages of a text: those that name a moment are of containers, all others of objects.
///
/// # Errors
/// The first stage that is none, and why.
pub fn read_stages(text: &str) -> Result<(Vec<Stage>, Vec<ContainerStage>), String> {
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
