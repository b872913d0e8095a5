//! A Git server over HTTP for one repository, as far as a push and a fetch need one, with the two
//! sides of a webhook: [`Host`] calls it when a push changed a branch or tag, [`Receiver`] takes
//! such calls.
//!
//! The repository is a bare one on the disk. What a push or fetch does is git's own: each request
//! is handed to `git upload-pack` or `git receive-pack` in their stateless form, and the handler
//! knows the moment a push has ended. Not here: authentication (it is served on this machine
//! alone), and what is in the repository.

mod commands;
mod hook;
mod host;
mod receiver;
mod rpc;

pub use hook::{Hook, signature};
pub use host::{Host, HostError};
pub use receiver::{Pushed, Receiver};
