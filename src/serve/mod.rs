//! A cluster on the wire: the API server of [`sim`](crate::sim) over HTTPS, as a kube-apiserver
//! would be met there, and as a `tower::Service` in this process.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), kube::Error> {
//! use towtank::serve::{Cluster, Settings};
//!
//! let cluster = Cluster::start(Settings::default());
//! let client = kube::Client::new(cluster.service(), "default");
//! let version = client.apiserver_version().await?;
//! assert_eq!(version.minor, "36");
//! # Ok(())
//! # }
//! ```
//!
//! A shell around a state machine: `cluster` owns the world, its queue and its clock; `answer`
//! takes a request of HTTP apart and puts the answer together with `negotiate` (in which form),
//! `encode` and `write` (as which bytes), `reply` (under which headers) and `stream` (events of a
//! watch); `listener`, `wire` and `tls` are sockets. What a request does is decided in
//! [`sim`](crate::sim) alone, what it says in [`api::path`](crate::api::path).

mod answer;
mod audit;
mod body;
mod cluster;
mod encode;
pub mod etcd;
pub mod git;
mod health;
mod identity;
mod journal;
pub mod kubeconfig;
mod listener;
mod metrics;
mod negotiate;
mod order;
mod pages;
pub mod protobuf;
mod reply;
mod service;
mod settings;
mod stream;
pub mod tls;
mod token_key;
mod webhook;
mod wire;
mod write;
mod write_yaml;

pub use body::Body;
pub use cluster::Cluster;
pub use identity::{MASTERS, Peer, token_file};
pub use journal::JournalError;
pub use listener::serve;
pub use service::Service;
pub use settings::{ISSUER, NODES, Settings};
pub use token_key::{AccountKey, LaterKey};
