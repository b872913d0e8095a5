//! Who sends a request, and whether he may: authentication, RBAC and the reviews that answer
//! questions about both.
//!
//! A client in this process sends no user with its requests and may do everything; so a virtual
//! run asks nothing here. A shell on the wire turns what a connection shows into a user with
//! [`Server::authenticate`] and puts it into the request, and the server asks RBAC (R-HTTP-29).
//!
//! Not here: TLS and the checking of certificates (`serve`), aggregation of roles (a controller's),
//! the Node authorizer.

mod accounts;
mod attributes;
mod bearers;
mod escalation;
mod grants;
mod identity;
mod impersonation;
mod questions;
mod reviews;
mod rule;
mod token;

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Server;
use crate::api::{Request, Status, User};
use crate::base::Time;
use crate::object::Value;
use crate::sim::store::Store;
pub(super) use accounts::request_token;
pub(crate) use attributes::Attributes;
pub(super) use escalation::check as check_escalation;
pub(super) use grants::joined as joined_errors;
use grants::{Decision, Grants};
pub use identity::{Credentials, Subject};
pub use impersonation::Impersonate;
pub(super) use reviews::answer as answer_review;
pub(super) use reviews::user_info;
pub use token::{SharedKey, TokenKey};

/// How requests are authorized.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Authorization {
    /// Everybody may do everything.
    AlwaysAllow,
    /// By the roles and bindings in the store.
    #[default]
    Rbac,
}

/// What the server knows about users.
#[derive(Debug)]
pub(super) struct Auth {
    mode: Authorization,
    /// Users by the bearer token that they were given.
    tokens: BTreeMap<String, Arc<User>>,
    key: Arc<dyn TokenKey>,
    issuer: String,
    /// Where the server can be reached, `https://10.0.0.1:6443`; empty if nobody said.
    url: String,
    /// `None` since a role or binding was written.
    grants: Option<Grants>,
    /// The way in which somebody impersonated last, by his name: it is tried first.
    ways: BTreeMap<String, usize>,
}

impl Auth {
    /// RBAC, and tokens signed with a key that follows from `seed`.
    pub(super) fn new(seed: &crate::base::Rng) -> Self {
        Self {
            mode: Authorization::Rbac,
            tokens: BTreeMap::new(),
            key: Arc::new(SharedKey::from_seed(seed)),
            issuer: "https://kubernetes.default.svc.cluster.local".to_owned(),
            url: String::new(),
            grants: None,
            ways: BTreeMap::new(),
        }
    }

    fn enforces(&self) -> bool {
        self.mode == Authorization::Rbac
    }

    fn grants(&mut self, store: &Store) -> &Grants {
        self.grants.get_or_insert_with(|| Grants::read(store))
    }

    /// Whether a user may do what is asked for.
    fn decide(&mut self, store: &Store, user: &User, asked: &Attributes) -> Decision {
        if !self.enforces() || is_master(user) {
            return Decision { allowed: true, reason: String::new() };
        }
        self.grants(store).decide(user, asked)
    }

    /// To be told where the server can be reached.
    pub(super) fn is_at(&mut self, address: &str, port: u16) {
        self.url = format!("https://{address}:{port}");
    }

    /// To be told of every write: what is known of roles may be out of date after it.
    pub(super) fn after_write(&mut self, request: &Request) {
        if request.resource.group == grants::GROUP {
            self.grants = None;
        }
    }
}

/// Members of this group may do everything, whatever the roles say.
fn is_master(user: &User) -> bool {
    user.groups.iter().any(|group| group == "system:masters")
}

/// The name of a service account as a user.
fn account_user(namespace: &str, name: &str) -> String {
    format!("system:serviceaccount:{namespace}:{name}")
}

/// Namespace and name of the service account that a user is.
fn account_of(user: &str) -> Option<(&str, &str)> {
    let (namespace, name) = user.strip_prefix("system:serviceaccount:")?.split_once(':')?;
    let is_whole = super::names::label_1123(namespace).is_empty()
        && super::names::subdomain_1123(name).is_empty();
    is_whole.then_some((namespace, name))
}

/// The groups of a service account.
fn account_groups(namespace: &str) -> Vec<String> {
    vec!["system:serviceaccounts".to_owned(), format!("system:serviceaccounts:{namespace}")]
}

/// Whether the sender of a request may do what it asks for.
pub(super) fn authorize(server: &mut Server, request: &Request) -> Result<(), Status> {
    let Some(user) = &request.user else { return Ok(()) };
    permit(server, user, &Attributes::of(request))
}

/// Whether he may also create: an apply or a PUT of what is not there makes it.
pub(super) fn authorize_create(server: &mut Server, request: &Request) -> Result<(), Status> {
    let Some(user) = &request.user else { return Ok(()) };
    permit(server, user, &Attributes::of(request).with_verb("create"))
}

/// Whether the sender of a request may do something else.
pub(super) fn is_permitted(server: &mut Server, request: &Request, asked: &Attributes) -> bool {
    let Some(user) = &request.user else { return true };
    server.auth.decide(&server.store, user, asked).allowed
}

fn permit(server: &mut Server, user: &User, asked: &Attributes) -> Result<(), Status> {
    let decision = server.auth.decide(&server.store, user, asked);
    if decision.allowed { Ok(()) } else { Err(asked.forbidden(user, &decision.reason)) }
}

impl Server {
    /// The same server with another way to authorize; [`Authorization::Rbac`] is the default.
    #[must_use]
    pub fn with_authorization(mut self, mode: Authorization) -> Self {
        self.auth.mode = mode;
        self
    }

    /// The same server, which knows the bearer of `token` as `user`.
    #[must_use]
    pub fn with_token(mut self, token: impl Into<String>, user: User) -> Self {
        self.auth.tokens.insert(token.into(), Arc::new(user));
        self
    }

    /// The same server, which signs the tokens of service accounts with `key` and names itself
    /// `issuer` in them, which is also the audience that it wants.
    #[must_use]
    pub fn with_token_issuer(mut self, issuer: impl Into<String>, key: Arc<dyn TokenKey>) -> Self {
        self.auth.issuer = issuer.into();
        self.auth.key = key;
        self
    }

    /// The user whom credentials show. Nobody's are `system:anonymous`.
    ///
    /// # Errors
    /// 401 for a bearer token that is none of ours; 400 and 403 for an impersonation that makes
    /// no sense, or that is not allowed for `asked`, the request that it comes with.
    pub fn authenticate(
        &mut self,
        now: Time,
        credentials: &Credentials,
        asked: &Asked,
    ) -> Result<Arc<User>, Status> {
        let user = identity::identify(self, now, credentials)?;
        match &credentials.impersonate {
            Some(wanted) => impersonation::become_user(self, &user, wanted, &asked.attributes()),
            None => Ok(user),
        }
    }

    /// Whether a user may do something with a path that is no resource's: `verb` is the method in
    /// lower case. The health of the server is nobody's secret.
    ///
    /// # Errors
    /// 403 in the words of a kube-apiserver.
    pub fn authorize_path(&mut self, user: &User, verb: &str, path: &str) -> Result<(), Status> {
        if matches!(path, "/healthz" | "/livez" | "/readyz") {
            return Ok(());
        }
        permit(self, user, &Attributes::of_path(verb, path))
    }

    /// What `/.well-known/openid-configuration` says.
    #[must_use]
    pub fn openid_configuration(&self) -> Value {
        let at = if self.auth.url.is_empty() { &self.auth.issuer } else { &self.auth.url };
        token::configuration(&self.auth.issuer, at, &*self.auth.key)
    }

    /// What `/openid/v1/jwks` says: the public keys by which tokens can be checked.
    #[must_use]
    pub fn openid_keys(&self) -> Value {
        token::keys(&*self.auth.key)
    }
}

/// What an impersonated request asks for.
#[derive(Clone, Copy, Debug)]
pub enum Asked<'a> {
    /// A resource.
    Request(&'a Request),
    /// A path that is no resource's, with the method in lower case.
    Path(&'a str, &'a str),
}

impl<'a> Asked<'a> {
    fn attributes(&self) -> Attributes<'a> {
        match *self {
            Asked::Request(request) => Attributes::of(request),
            Asked::Path(verb, path) => Attributes::of_path(verb, path),
        }
    }
}

#[cfg(test)]
mod tests;
