//! `towtank schema scenario`: the JSON Schema of a scenario file.

use super::{Exit, tell};
use crate::lab::scenario;

pub(super) fn scenario() -> Exit {
    tell(Exit::Ok, &format!("{:#}\n", scenario::schema()))
}
