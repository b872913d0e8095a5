//! Whom a connection shows: a certificate's subject, the bearer of a token, or nobody.

use std::sync::Arc;

use super::Impersonate;
use super::bearers;
use crate::api::{Reason, Status, User};
use crate::base::Time;
use crate::sim::rest::Server;

/// The subject of a client certificate that was checked already.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Subject {
    /// `CN`: the user's name.
    pub common_name: String,
    /// Each `O`: the user's groups.
    pub organizations: Vec<String>,
    /// SHA-256 of the certificate in lower hexadecimal digits, by which the user's `extra` tells it
    /// from others; empty where there is none.
    pub fingerprint: String,
}

/// What a request shows of its sender.
#[derive(Clone, Copy, Debug, Default)]
pub struct Credentials<'a> {
    /// Whom a proxy names whose word is taken.
    pub proxied: Option<&'a User>,
    /// Of the connection's certificate.
    pub certificate: Option<&'a Subject>,
    /// The `Authorization` header, as sent.
    pub authorization: Option<&'a str>,
    /// The `Impersonate-` headers, if there are any.
    pub impersonate: Option<&'a Impersonate>,
}

/// The sender, before he becomes somebody else.
pub(super) fn identify(
    server: &Server,
    now: Time,
    credentials: &Credentials,
) -> Result<Arc<User>, Status> {
    if let Some(named) = credentials.proxied {
        return Ok(authenticated(named));
    }
    if let Some(subject) = credentials.certificate.filter(|s| !s.common_name.is_empty()) {
        let mut user = User {
            name: subject.common_name.clone(),
            groups: subject.organizations.clone(),
            ..User::default()
        };
        user.groups.push("system:authenticated".to_owned());
        if !subject.fingerprint.is_empty() {
            let id = format!("X509SHA256={}", subject.fingerprint);
            user.extra.insert("authentication.kubernetes.io/credential-id".to_owned(), vec![id]);
        }
        return Ok(Arc::new(user));
    }
    let Some(token) = credentials.authorization.and_then(bearer) else {
        return Ok(Arc::new(User {
            name: "system:anonymous".to_owned(),
            groups: vec!["system:unauthenticated".to_owned()],
            ..User::default()
        }));
    };
    let audiences = [server.auth.issuer.clone()];
    let found = of_token(server, now, token, &audiences);
    found.map(|bearer| bearer.user).map_err(|_| unauthorized())
}

/// A user of whom it is known who he is.
fn authenticated(user: &User) -> Arc<User> {
    let mut user = user.clone();
    if !user.groups.iter().any(|group| group == "system:authenticated") {
        user.groups.push("system:authenticated".to_owned());
    }
    Arc::new(user)
}

/// 401.
fn unauthorized() -> Status {
    Status::new(401, Reason::Unauthorized, "Unauthorized")
}

/// The bearer of a token, and for whom it is good.
#[derive(Debug)]
pub(super) struct Bearer {
    pub(super) user: Arc<User>,
    pub(super) audiences: Vec<String>,
}

/// The bearer of a token that is to be good for one of `audiences`.
///
/// # Errors
/// Why it is not, in the words of a TokenReview.
pub(super) fn of_token(
    server: &Server,
    now: Time,
    token: &str,
    audiences: &[String],
) -> Result<Bearer, String> {
    const INVALID: &str = "invalid bearer token";
    if let Some(user) = server.auth.tokens.get(token) {
        return Ok(Bearer { user: authenticated(user), audiences: audiences.to_vec() });
    }
    match bearers::bearer_of(server, now, token, audiences) {
        Ok(bearer) => Ok(bearer),
        Err(bearers::Refused::NotOurs) => Err(INVALID.to_owned()),
        Err(bearers::Refused::Because(why)) => Err(format!("[{INVALID}, {why}]")),
    }
}

/// The token in an `Authorization` header; `None` for another scheme, and for none.
fn bearer(header: &str) -> Option<&str> {
    let (scheme, token) = header.trim().split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}
