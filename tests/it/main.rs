//! The one binary of tests that need more than one module, or recorded answers of the real tools:
//! a list.

mod admission;
mod auth;
mod cli;
mod controllers;
mod costs;
mod crd;
mod discovery;
mod engine;
mod fields;
mod git;
mod merge;
mod pods;
mod protobuf;
mod real_input;
mod render;
mod render_bad;
mod render_live;
mod rest;
mod scenario_language;
mod senders;
mod serve;
mod table;
mod webhooks;
