//! **towtank** tries GitOps before it meets production: a full reconcile engine runs against an
//! in-memory Kubernetes API server with simulated controllers and pods, replays scripted commits,
//! drift and failed health checks, and says phase by phase how long a push takes to be ready.
//!
//! This page is the map. Each folder's first file says what the folder holds and what it does not.
//!
//! # A synchronous core, thin shells
//!
//! Everything that decides is a state machine without I/O, `step(now, input) → outputs`: the API
//! server ([`sim::rest`]), each controller and node ([`sim::controllers`], [`sim::pods`]), the
//! engine ([`engine::Engine`]). Time and randomness are arguments. A run ([`lab::run`]) is one
//! thread, one loop and one queue ordered by (time, seeded tie-break, sequence); in virtual time
//! hours pass in milliseconds, in real time the same loop waits.
//!
//! A request is plain data ([`api::Request`]), and so is an answer. Who carries it is a
//! *transport*: [`sim::world`], which hands it to the server in memory after the latency that the
//! profile says, or [`api::http`], which carries it to a real server. Faults come between
//! ([`sim::faults`]), and what becomes of objects whose controllers are not there is
//! [`sim::stages`]'.
//!
//! # Layers
//!
//! | layer | module | holds | may import |
//! |---|---|---|---|
//! | 0 | [`base`] | time, randomness, queue, limits, profile, the list of events | – |
//! | 1 | [`object`] | Kubernetes objects as values: names, selectors, schema, patches, YAML | `base` |
//! | 1 | [`fields`] | server-side apply as pure functions; for `sim` alone | `object`, `base` |
//! | 2 | [`api`] | requests, answers, statuses, clients as data | `object`, `base` |
//! | 2 | [`record`] | the record of a run, built from `base::event` alone | `base` |
//! | 3 | [`engine`] | the GitOps engine | `api`, `object`, `base` |
//! | 3 | [`sim`] | the simulated cluster | `api`, `fields`, `object`, `base` |
//! | 4 | [`serve`] | the simulated cluster on the wire, in real time | `sim`, `api`, `object`, `base` |
//! | 4 | [`lab`] | scenarios, runs, checks, the repository of a run; clusters to run on, benches, claims, exploration | `engine`, `sim`, `record` and below |
//! | 4 | [`report`] | a record as a page for a terminal or a browser, JSON or JUnit | `record`, `base` |
//! | 5 | [`cli`] | arguments, exit codes, one file a subcommand | all of the above |
//!
//! `tests/tidy.rs` reads every import and refuses one that this table does not have. Inside
//! `engine` the stages import [`engine::model`] and never each other; inside `sim`, controllers
//! and pods import nothing of `sim`.
//!
//! # The way of the data
//!
//! ```text
//! commit → Artifact → Rendered → DesiredSet → Plan → answers → Health → Outcome → notify
//!          source     render     plan                apply     health   rollback
//!                                                      │ api::Request, by whatever transport
//!                                                      ▼
//!    sim: rest → schema → fields → store → watch → controllers → pods → (status, through rest)
//!                                                      │ base::Event
//!                                                      ▼
//!    record: events → RunRecord → report: terminal | json | junit
//! ```
//!
//! # Invariants
//!
//! 1. `engine` cannot tell the simulated cluster from a real one; there is no `if simulated`.
//! 2. `engine` does not use `fields`: it learns merge results from the server, so a bug in our
//!    merge code cannot hide by being on both sides.
//! 3. `plan` sends nothing; `apply` decides nothing.
//! 4. Nothing below `lab` knows what a scenario is; only `lab::check` judges one.
//! 5. Only `base::clock` and the shells touch the operating system's time and randomness; the
//!    same seed and scenario give the same bytes of `raw.jsonl`.
//! 6. The store is the only owner of revisions; an object read from it is a value (`Arc`), never
//!    a reference into it.
//! 7. What a client can see goes wrong as a `Status`; what only we could have got wrong is an
//!    assertion.
//! 8. Types in `object`, `api`, `engine::model` and `record` are plain; wire and file formats are
//!    converted at the rim.
//!
//! # What is deliberately absent
//!
//! No async runtime, no spawned task and no lock below the shells; no hash map anywhere, because
//! an order that depends on a hash is no order; no YAML reader but [`object::yaml`].
//!
//! # Reading order
//!
//! [`base::event`] (what can happen) → [`engine::model`] and [`engine::reconcile`] (the order of
//! things) → [`sim::world`] (a cluster and its latencies) → [`lab::run`] (the loop) →
//! [`record`] (what comes of it). To change what the API server does start at [`sim::rest`], what
//! a pod does at [`sim::pods`], what a scenario may say at [`lab::scenario`].

pub mod api;
pub mod base;
pub mod cli;
pub mod engine;
pub mod fields;
pub mod lab;
pub mod object;
pub mod record;
pub mod report;
pub mod serve;
pub mod sim;
