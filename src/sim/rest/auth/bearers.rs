//! The user that a service account's token shows, for as long as its account, and what the token
//! is bound to, are there.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::identity::Bearer;
use super::{account_groups, account_user, token};
use crate::api::User;
use crate::base::Time;
use crate::object::Value;
use crate::sim::rest::Server;
use crate::sim::store::{Key, Resource};

/// How far clocks may differ.
const LEEWAY_SECONDS: i64 = 60;

/// Why a token shows nobody.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Refused {
    /// It is no token of a service account, or not one that we signed.
    NotOurs,
    /// It was good, or would be elsewhere.
    Because(String),
}

/// The account that a token shows, if it is good for one of `audiences`.
pub(super) fn bearer_of(
    server: &Server,
    now: Time,
    token: &str,
    audiences: &[String],
) -> Result<Bearer, Refused> {
    let claims = token::read(&*server.auth.key, token).ok_or(Refused::NotOurs)?;
    if claims["iss"] != *server.auth.issuer {
        return Err(Refused::NotOurs);
    }
    let because = |why: String| Refused::Because(why);
    let own: Vec<String> = match &claims["aud"] {
        Value::Array(list) => {
            list.iter().filter_map(Value::as_str).map(ToOwned::to_owned).collect()
        }
        other => other.as_str().map(ToOwned::to_owned).into_iter().collect(),
    };
    let common: Vec<String> = audiences.iter().filter(|a| own.contains(a)).cloned().collect();
    if common.is_empty() {
        return Err(because(format!(
            "token audiences {} is invalid for the target audiences {}",
            super::rule::quoted_list(&own),
            super::rule::quoted_list(audiences)
        )));
    }
    in_time(&claims, now).map_err(because)?;
    let user = still_there(server, &claims).map_err(because)?;
    Ok(Bearer { user: Arc::new(user), audiences: common })
}

fn in_time(claims: &Value, now: Time) -> Result<(), String> {
    let now = super::accounts::seconds(now);
    let at = |key: &str| claims[key].as_i64();
    if at("nbf").is_some_and(|from| now + LEEWAY_SECONDS < from) {
        return Err("service account token is not valid yet".to_owned());
    }
    if at("exp").is_none_or(|until| now - LEEWAY_SECONDS > until) {
        return Err("service account token has expired".to_owned());
    }
    if at("iat").is_some_and(|from| now + LEEWAY_SECONDS < from) {
        return Err("service account token is issued in the future".to_owned());
    }
    Ok(())
}

/// The user of a token whose account, and what it is bound to, are those of the claims.
fn still_there(server: &Server, claims: &Value) -> Result<User, String> {
    let own = &claims["kubernetes.io"];
    let text = |value: &Value, key: &str| value[key].as_str().unwrap_or_default().to_owned();
    let namespace = text(own, "namespace");
    let account = &own["serviceaccount"];
    let name = text(account, "name");
    let find = |plural: &'static str, namespace: &str, name: &str| {
        let resource = Resource { group: "".into(), plural: plural.into() };
        server
            .store
            .get(&resource, &Key::new(namespace, name))
            .map(|object| object.uid().to_owned())
    };
    let uid = find("serviceaccounts", &namespace, &name);
    let uid = uid.ok_or_else(|| format!("serviceaccounts {name:?} not found"))?;
    if account["uid"] != *uid {
        let claimed = text(account, "uid");
        return Err(format!("service account UID ({uid}) does not match claim ({claimed})"));
    }
    let node_is_bound = own.get("pod").is_none();
    for (claim, plural, kind) in
        [("secret", "secrets", "secret"), ("pod", "pods", "pod"), ("node", "nodes", "node")]
    {
        let Some(reference) = own.get(claim) else { continue };
        if claim == "node" && !node_is_bound {
            continue;
        }
        let place = if claim == "node" { "" } else { namespace.as_str() };
        let found = find(plural, place, &text(reference, "name"));
        let found = found.ok_or("service account token has been invalidated")?;
        if reference["uid"] != *found {
            let claimed = text(reference, "uid");
            return Err(format!(
                "{kind} UID ({found}) does not match service account {kind} ref claim ({claimed})"
            ));
        }
    }
    let mut extra = BTreeMap::new();
    let mut say = |key: &str, value: String| {
        if !value.is_empty() {
            extra.insert(format!("authentication.kubernetes.io/{key}"), vec![value]);
        }
    };
    say("credential-id", format!("JTI={}", text(claims, "jti")));
    for (claim, name, uid) in [("pod", "pod-name", "pod-uid"), ("node", "node-name", "node-uid")] {
        say(name, text(&own[claim], "name"));
        say(uid, text(&own[claim], "uid"));
    }
    let mut groups = account_groups(&namespace);
    groups.push("system:authenticated".to_owned());
    Ok(User { name: account_user(&namespace, &name), uid, groups, extra })
}
