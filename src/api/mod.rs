//! The Kubernetes API as plain data: requests, answers, statuses, watch events, and what a client
//! of it looks like as a state machine. Who carries a request is a *transport*, elsewhere.
//!
//! Nothing here but `http`, which carries requests to a real server, does I/O or knows whether one
//! answers.

pub mod client;
pub mod http;
pub mod informer;
pub mod path;
pub mod place;
pub mod request;
pub mod response;
pub mod status;
pub mod user;

pub use client::{Client, Input, Outbox};
pub use informer::{Change, Ids, Informer};
pub use place::Place;
pub use request::{
    Body, DeleteOptions, FieldValidation, Options, PatchKind, Propagation, Request, Verb,
};
pub use response::{EventKind, List, Payload, Response, WatchEvent};
pub use status::{Cause, Details, Reason, Status};
pub use user::User;
