//! The one binary of tests that need more than one module, or recorded answers of the real tools:
//! a list.

mod admission;
mod auth;
mod backend;
mod bench;
mod chaos;
mod claims;
mod cli;
mod controllers;
mod costs;
mod crd;
mod decoders;
mod discovery;
mod engine;
mod fields;
mod git;
mod health;
mod kinds;
mod merge;
mod nodes_and_stages;
mod pods;
mod protobuf;
mod real_input;
mod render;
mod render_bad;
mod render_commands;
mod render_live;
mod render_pairs;
mod render_refused;
mod rest;
mod scenario_language;
mod senders;
mod serve;
mod table;
mod trees;
mod webhooks;
