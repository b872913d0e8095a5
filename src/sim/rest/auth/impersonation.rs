//! `Impersonate-User` and its like: a user becomes another one, if he may.
//!
//! There are the old way, which asks for the verb `impersonate` on the user and whatever else is
//! named, and since 1.36 constrained ways, which also ask for `impersonate-on:WAY:VERB` on what
//! the request is about. The ways are tried in a fixed order, but first the one that the user
//! went last; the refusal is that of the first.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use super::attributes::Attributes;
use super::{account_groups, account_of, permit};
use crate::api::path::percent_decode;
use crate::api::{Status, User};
use crate::base::limits;
use crate::sim::rest::{Server, names};

/// Whom a request wants to be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Impersonate {
    /// `Impersonate-User`; empty if missing.
    pub user: String,
    /// `Impersonate-Uid`; empty if missing.
    pub uid: String,
    /// Each `Impersonate-Group`.
    pub groups: Vec<String>,
    /// Each `Impersonate-Extra-KEY`, the key in lower case and percent-decoded.
    pub extra: BTreeMap<String, Vec<String>>,
}

impl Impersonate {
    /// Reads the headers of a request, each value by itself; `None` if there is no such header.
    pub fn of_headers<'h>(headers: impl IntoIterator<Item = (&'h str, &'h str)>) -> Option<Self> {
        let mut wanted = Self::default();
        for (name, value) in headers {
            let name = name.to_ascii_lowercase();
            let Some(name) = name.strip_prefix("impersonate-") else { continue };
            match name {
                "user" => wanted.user = value.to_owned(),
                "uid" => wanted.uid = value.to_owned(),
                "group" => wanted.groups.push(value.to_owned()),
                _ => {
                    if let Some(key) = name.strip_prefix("extra-") {
                        let key = percent_decode(key);
                        wanted.extra.entry(key).or_default().push(value.to_owned());
                    }
                }
            }
        }
        (wanted != Self::default()).then_some(wanted)
    }
}

/// The ways, in the order in which they are tried.
const WAYS: [Way; 5] =
    [Way::AssociatedNode, Way::ArbitraryNode, Way::ServiceAccount, Way::UserInfo, Way::Legacy];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    AssociatedNode,
    ArbitraryNode,
    ServiceAccount,
    UserInfo,
    Legacy,
}

impl Way {
    fn word(self) -> &'static str {
        match self {
            Way::AssociatedNode => "associated-node",
            Way::ArbitraryNode => "arbitrary-node",
            Way::ServiceAccount => "serviceaccount",
            Way::UserInfo => "user-info",
            Way::Legacy => "",
        }
    }

    /// Whether one can become `wanted` this way at all.
    fn leads_to(self, wanted: &Impersonate, from: &User) -> bool {
        let alone = wanted.uid.is_empty() && wanted.groups.is_empty() && wanted.extra.is_empty();
        let node = node_of(&wanted.user);
        match self {
            Way::AssociatedNode => {
                let own = from.extra.get("authentication.kubernetes.io/node-name");
                alone
                    && node.is_some_and(|node| own.is_some_and(|own| *own == [node]))
                    && account_of(&from.name).is_some()
            }
            Way::ArbitraryNode => alone && node.is_some(),
            Way::ServiceAccount => alone && account_of(&wanted.user).is_some(),
            Way::UserInfo => node.is_none() && account_of(&wanted.user).is_none(),
            Way::Legacy => true,
        }
    }
}

fn node_of(user: &str) -> Option<&str> {
    user.strip_prefix("system:node:").filter(|name| names::subdomain_1123(name).is_empty())
}

/// Lets `from` become whom he wants to be, for what is `asked`.
pub(super) fn become_user(
    server: &mut Server,
    from: &Arc<User>,
    wanted: &Impersonate,
    asked: &Attributes,
) -> Result<Arc<User>, Status> {
    if wanted.user.is_empty() {
        if *wanted == Impersonate::default() {
            return Ok(Arc::clone(from));
        }
        return Err(Status::bad_request(format!(
            "requested {} without impersonating a user name",
            in_go_syntax(wanted)
        )));
    }
    let last = server.auth.ways.get(&from.name).copied();
    let others = (0..WAYS.len()).filter(|way| Some(*way) != last);
    let order: Vec<usize> = last.into_iter().chain(others).collect();
    let mut first = None;
    for place in order {
        let way = WAYS[place];
        if !way.leads_to(wanted, from) {
            continue;
        }
        match go(server, way, from, wanted, asked) {
            Ok(user) => {
                if server.auth.ways.len() >= limits::IMPERSONATORS {
                    server.auth.ways.clear();
                }
                server.auth.ways.insert(from.name.clone(), place);
                return Ok(Arc::new(user));
            }
            Err(refused) => first = first.or(Some(refused)),
        }
    }
    Err(first.unwrap_or_else(|| asked.forbidden(from, "")))
}

fn go(
    server: &mut Server,
    way: Way,
    from: &User,
    wanted: &Impersonate,
    asked: &Attributes,
) -> Result<User, Status> {
    let mut verb = "impersonate".to_owned();
    let mut group = "";
    if way != Way::Legacy {
        let on = format!("impersonate-on:{}:{}", way.word(), asked.verb);
        permit(server, from, &Attributes { verb: &on, ..asked.clone() })?;
        verb = format!("impersonate:{}", way.word());
        group = "authentication.k8s.io";
    }
    let ask = Attributes { verb: &verb, group, ..Attributes::default() };
    let groups = named_user(server, way, from, wanted, &ask)?;
    let authentication = Attributes { group: "authentication.k8s.io", ..ask.clone() };
    if !wanted.uid.is_empty() {
        let uid = wanted.uid.as_str().into();
        permit(
            server,
            from,
            &Attributes { resource: "uids", name: uid, ..authentication.clone() },
        )?;
    }
    for name in &wanted.groups {
        let asked = Attributes { resource: "groups", name: name.into(), ..ask.clone() };
        if way != Way::Legacy && name == "system:masters" {
            let why = "impersonating the system:masters group is not allowed";
            return Err(asked.forbidden(from, why));
        }
        permit(server, from, &asked)?;
    }
    for (key, value) in wanted.extra.iter().flat_map(|(k, all)| all.iter().map(move |v| (k, v))) {
        let asked = Attributes {
            resource: "userextras",
            subresource: key,
            name: value.into(),
            ..authentication.clone()
        };
        permit(server, from, &asked)?;
    }
    Ok(User {
        name: wanted.user.clone(),
        uid: wanted.uid.clone(),
        groups: with_group_of_all(&wanted.user, groups),
        extra: wanted.extra.clone(),
    })
}

/// Whether the name itself may be taken, and the groups that come with it.
fn named_user(
    server: &mut Server,
    way: Way,
    from: &User,
    wanted: &Impersonate,
    ask: &Attributes,
) -> Result<Vec<String>, Status> {
    let name = wanted.user.as_str();
    let mut asked = Attributes { resource: "users", name: name.into(), ..ask.clone() };
    let mut groups = wanted.groups.clone();
    if let Some(node) = node_of(name).filter(|_| way != Way::Legacy) {
        asked.resource = "nodes";
        // A node of one's own is asked for as any: who reaches this point has just one.
        asked.name = if way == Way::AssociatedNode { "*".into() } else { node.into() };
        groups = vec!["system:nodes".to_owned()];
    }
    if let Some((namespace, account)) = account_of(name) {
        asked.resource = "serviceaccounts";
        asked.namespace = namespace;
        asked.name = account.into();
        if groups.is_empty() {
            groups = account_groups(namespace);
        }
    }
    permit(server, from, &asked)?;
    Ok(groups)
}

/// Everybody is in the group of those who are known, or in that of those who are not.
fn with_group_of_all(name: &str, mut groups: Vec<String>) -> Vec<String> {
    let unknown = "system:unauthenticated";
    let group = if name == "system:anonymous" { unknown } else { "system:authenticated" };
    let has = |group: &str| groups.iter().any(|own| own == group);
    if !has(group) && !has(unknown) {
        groups.push(group.to_owned());
    }
    groups
}

/// As Go's `%#v` prints it.
fn in_go_syntax(wanted: &Impersonate) -> String {
    let list = |list: &[String]| {
        let quoted: Vec<String> = list.iter().map(|text| format!("{text:?}")).collect();
        format!("[]string{{{}}}", quoted.join(", "))
    };
    let mut out = format!("&user.DefaultInfo{{Name:\"\", UID:{:?}, Groups:", wanted.uid);
    out +=
        &if wanted.groups.is_empty() { "[]string(nil)".to_owned() } else { list(&wanted.groups) };
    out += ", Extra:map[string][]string";
    if wanted.extra.is_empty() {
        out += "(nil)";
    } else {
        let pairs: Vec<String> =
            wanted.extra.iter().map(|(key, values)| format!("{key:?}:{}", list(values))).collect();
        let _ = write!(out, "{{{}}}", pairs.join(", "));
    }
    out + "}"
}
