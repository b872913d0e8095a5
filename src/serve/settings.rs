//! How a cluster is to be: its parts, its latencies, who may do what.

use std::sync::Arc;

use crate::api::User;
use crate::base::{Profile, Rng, Time};
use crate::sim::Server;
use crate::sim::controllers::Controller;
use crate::sim::pods::Images;
use crate::sim::rest::{Admission, Authorization, Bootstrap, Endpoint, TokenKey, Webhooks};
use crate::sim::store::Store;
use crate::sim::world::Parts;

/// How a cluster is to be. The default is an API server with all controllers, a scheduler and
/// three nodes on which pods are ready at once.
#[derive(Clone, Debug)]
pub struct Settings {
    /// What there is besides the API server.
    pub parts: Parts,
    /// What containers on the nodes do.
    pub images: Images,
    /// How long things take in the cluster; requests from outside take no time of their own.
    pub profile: Profile,
    /// Who may do what.
    pub authorization: Authorization,
    /// What uids, generated names, and delays follow from.
    pub seed: u64,
    /// Bearer tokens that are given out by hand.
    pub tokens: Vec<(String, User)>,
    /// Where the server is reached; without it the cluster begins with no roles and flow schemas,
    /// for which a client in this process has no use.
    pub endpoint: Option<Endpoint>,
    /// Who the server says that it is in the tokens of service accounts, and the key that these
    /// are signed with; a secret that follows from `seed` where there is none.
    pub token_issuer: Option<(String, Arc<dyn TokenKey>)>,
}

/// The issuer of tokens where nobody says another.
pub const ISSUER: &str = "https://kubernetes.default.svc.cluster.local";

/// Nodes of a cluster where nobody says how many.
pub const NODES: usize = 3;

impl Default for Settings {
    fn default() -> Self {
        Self {
            parts: Parts::all(NODES),
            images: Images::new(),
            profile: Profile::instant(),
            authorization: Authorization::Rbac,
            seed: 1,
            tokens: Vec::new(),
            endpoint: None,
            token_issuer: None,
        }
    }
}

impl Settings {
    /// A server as these settings want it, which goes on from `kept` where there is something.
    pub(super) fn server(&self, kept: Option<Store>, now: Time) -> Server {
        let seed = Rng::new(self.seed);
        let bootstrap = match &self.endpoint {
            Some(endpoint) => Bootstrap::Full(endpoint.clone()),
            None => Bootstrap::Minimal,
        };
        let server = match kept {
            Some(store) => {
                let mut server = Server::restored(&seed, store);
                server.learn_kinds(now);
                server.bootstrap(now, &bootstrap);
                server
            }
            None => Server::with_bootstrap(&seed, now, &bootstrap),
        };
        let mut server =
            server.with_authorization(self.authorization).with_webhooks(Webhooks::CalledOut);
        // Accounts are there where somebody makes them.
        let service_accounts = self.parts.controllers.is_some();
        let told = self.parts.controllers.as_ref();
        let quota_is_counted = told.is_some_and(|t| t.controllers.contains(&Controller::Quota));
        server = server.with_admission(Admission { service_accounts, quota_is_counted });
        if let Some((issuer, key)) = &self.token_issuer {
            server = server.with_token_issuer(issuer.clone(), Arc::clone(key));
        }
        for (token, user) in &self.tokens {
            server = server.with_token(token.clone(), user.clone());
        }
        server
    }
}
