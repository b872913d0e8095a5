//! The one binary of tests that need more than one module, or recorded answers of the real tools:
//! a list.

mod cli;
mod controllers;
mod costs;
mod fields;
mod git;
mod merge;
mod pods;
mod real_input;
mod render;
mod rest;
mod scenario_language;
