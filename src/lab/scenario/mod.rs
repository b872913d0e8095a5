//! The scenario language: one readable YAML file is a test, a benchmark and the end product of a
//! seed that found something.
//!
//! `tables` is the grammar, written in the terms of `grammar`: `conform` refuses what does not
//! fit, `schema` prints it as a JSON Schema. `read` makes a [`Scenario`] (`model`, plain values)
//! of a text, `check` and `kinds` look at what it refers to, `load` and `find` are where files and
//! folders are read, `write` is the way back to text. Nothing here runs a scenario.

mod action;
mod check;
mod conform;
mod expectation;
mod fault;
mod find;
mod grammar;
mod image;
mod kinds;
mod load;
mod metric;
pub mod model;
mod problem;
mod read;
mod schema;
mod tables;
mod tree;
mod view;
mod words;
mod write;

pub use crate::base::duration;
pub use crate::object::field_path as field;
pub use find::{find, not_there};
pub use kinds::kinds;
pub use load::{load, load_all};
pub use model::Scenario;
pub use problem::{Problem, Problems};
pub use read::parse;
pub use schema::schema;
pub use words::{as_name, clean_path, is_path as is_repository_path};
pub use write::write;
