//! Who sends a request: what the connection's certificate says, the `Authorization` header, and
//! whom the sender wants to be. What these show is for the server to say
//! ([`Server::authenticate`]).

use std::sync::Arc;

use hyper::header::{self, HeaderMap};

use crate::api::path::percent_decode;
use crate::api::{Reason, Status, User};
use crate::base::Time;
use crate::sim::Server;
use crate::sim::rest::{Asked, Credentials, Impersonate, Subject};

/// The group that may do everything.
pub const MASTERS: &str = "system:masters";

/// Who is at the other end of a connection, as far as the connection shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Peer {
    /// The program that the cluster runs in: it may do everything.
    Inside,
    /// Nobody known.
    Unknown,
    /// The holder of a client certificate that our authority signed.
    Certificate(Subject),
    /// A proxy in front of the server, which says who sends a request (`X-Remote-User`); with what
    /// its certificate says, where our authority signed that, too.
    FrontProxy(Option<Subject>),
    /// The holder of a client certificate that it did not sign, or that is not valid now.
    Forged,
}

/// Reads a token file: lines of `token,user,uid[,"group1,group2"]`. Lines that are none are passed
/// over.
#[must_use]
pub fn token_file(text: &str) -> Vec<(String, User)> {
    let line = |line: &str| {
        let mut fields = line.splitn(4, ',').map(|field| field.trim().trim_matches('"').to_owned());
        let (token, name) = (fields.next()?, fields.next()?);
        let uid = fields.next().unwrap_or_default();
        let groups = fields.next().unwrap_or_default();
        let groups = groups.split(',').map(str::trim).filter(|group| !group.is_empty());
        let groups = groups.map(ToOwned::to_owned).collect();
        Some((token, User { name, uid, groups, ..User::default() }))
    };
    text.lines().filter_map(line).collect()
}

/// Says who sends a request; `None` is the program itself.
///
/// # Errors
/// 401 for credentials that prove nothing, 403 where the sender may not be whom he wants to be.
pub(super) fn of_request(
    server: &mut Server,
    now: Time,
    peer: &Peer,
    headers: &HeaderMap,
    asked: &Asked,
) -> Result<Option<Arc<User>>, Status> {
    let authorization = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let proxied = match peer {
        Peer::FrontProxy(_) => proxied(headers),
        _ => None,
    };
    let certificate = match peer {
        Peer::Inside => return Ok(None),
        Peer::Certificate(subject) | Peer::FrontProxy(Some(subject)) => Some(subject),
        Peer::FrontProxy(None) if proxied.is_some() => None,
        Peer::Forged | Peer::FrontProxy(None) if authorization.is_none() => {
            return Err(Status::new(401, Reason::Unauthorized, "Unauthorized"));
        }
        Peer::Forged | Peer::FrontProxy(None) | Peer::Unknown => None,
    };
    let wanted = impersonate(headers);
    let (proxied, impersonate) = (proxied.as_ref(), wanted.as_ref());
    let credentials = Credentials { proxied, certificate, authorization, impersonate };
    server.authenticate(now, &credentials, asked).map(Some)
}

/// The user whom a proxy names.
fn proxied(headers: &HeaderMap) -> Option<User> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let name = text("x-remote-user").filter(|name| !name.is_empty())?;
    let mut user = User { name: name.to_owned(), ..User::default() };
    for (what, value) in after(headers, "x-remote-") {
        if what == "group" {
            user.groups.push(value.to_owned());
        } else if let Some(key) = extra(what) {
            user.extra.entry(key).or_default().push(value.to_owned());
        }
    }
    Some(user)
}

/// What the headers are called after a prefix that they share, and what they say.
fn after<'h>(
    headers: &'h HeaderMap,
    prefix: &'static str,
) -> impl Iterator<Item = (&'h str, &'h str)> {
    headers.iter().filter_map(move |(name, value)| {
        Some((name.as_str().strip_prefix(prefix)?, value.to_str().ok()?))
    })
}

/// What a header tells of a user besides.
fn extra(what: &str) -> Option<String> {
    what.strip_prefix("extra-").map(percent_decode)
}

/// The `Impersonate-` headers, if there are any.
fn impersonate(headers: &HeaderMap) -> Option<Impersonate> {
    let mut wanted = Impersonate::default();
    let mut is_there = false;
    for (what, value) in after(headers, "impersonate-") {
        match what {
            "user" => value.clone_into(&mut wanted.user),
            "uid" => value.clone_into(&mut wanted.uid),
            "group" => wanted.groups.push(value.to_owned()),
            _ => match extra(what) {
                Some(key) => wanted.extra.entry(key).or_default().push(value.to_owned()),
                None => continue,
            },
        }
        is_there = true;
    }
    is_there.then_some(wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_file_names_user_uid_and_groups() {
        let tokens = token_file("abc,admin,1,\"system:masters, dev\"\nnothing\nx,eve\n");
        let [(first, admin), (second, eve)] = tokens.as_slice() else { panic!("{tokens:?}") };
        assert_eq!([first, second], ["abc", "x"]);
        assert_eq!((admin.name.as_str(), admin.uid.as_str()), ("admin", "1"));
        assert_eq!(admin.groups, ["system:masters", "dev"]);
        assert_eq!((eve.name.as_str(), eve.groups.len()), ("eve", 0));
    }

    #[test]
    fn impersonation_is_read_from_all_its_headers() {
        let mut headers = HeaderMap::new();
        assert_eq!(impersonate(&headers), None);
        for (name, value) in [
            ("impersonate-user", "eve"),
            ("impersonate-group", "a"),
            ("impersonate-group", "b"),
            ("impersonate-extra-example.org%2fx", "1"),
        ] {
            headers.append(name, value.parse().unwrap());
        }
        let wanted = impersonate(&headers).unwrap();
        assert_eq!(wanted.user, "eve");
        assert_eq!(wanted.groups, ["a", "b"]);
        assert_eq!(wanted.extra["example.org/x"], ["1"]);
    }
}
