//! Replays requests of several users that were recorded with a real kube-apiserver: who may what,
//! reviews, tokens, and what the server has made by itself.

use towtank::api::User;
use towtank::base::{Rng, Time};
use towtank::sim::Server;
use towtank::sim::rest::{Bootstrap, Endpoint};

use crate::rest::{Replay, check_part};

/// A server as the recorded one was started.
pub(crate) fn server() -> Server {
    let endpoint = Endpoint {
        address: "192.0.2.1".to_owned(),
        port: 21300,
        client_ca: String::new(),
        front_proxy_ca: String::new(),
    };
    let admin = User {
        name: "kubernetes-admin".to_owned(),
        uid: "kubernetes-admin".to_owned(),
        groups: vec!["system:masters".to_owned()],
        ..User::default()
    };
    let bootstrap = Bootstrap::Full(endpoint);
    Server::with_bootstrap(&Rng::new(1), Time::VIRTUAL_START, &bootstrap).with_token("admin", admin)
}

#[test]
fn users_may_what_their_roles_say_as_recorded() {
    check_part("auth", "auth.jsonl", Replay::new(server()).sent_by("admin"));
}
