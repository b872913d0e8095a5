//! Stages as they stand in files: YAML, or what a scenario's reader made of it.
//!
//! ```yaml
//! - kind: Certificate.cert-manager.io   # Kind.group, the kind alone of the core group
//!   when: { namespace: shop, name: "web-*", labels: {}, annotations: {}, has: {}, conditions: {} }
//!   after: 2s..5s                       # evenly spread, or one for each profile
//!   weight: 1
//!   condition: Ready                    # or a map, or a list of maps
//!   outcome: ready                      # failed: the condition is False; never: nothing comes
//!   reason: Issued
//!   message: Certificate is up to date and has not expired
//!   set: { status.notAfter: "{now+2160h}" }
//!   secret: { name: "{spec.secretName}", type: kubernetes.io/tls, keys: [tls.crt, tls.key] }
//!   create: []
//! ```

use std::collections::BTreeMap;

use super::stage::{After, Becomes, Condition, Next, Secret, Stage, State, Who};
use crate::base::duration;
use crate::base::profile::Spread;
use crate::object::field_path::{self, FieldPath};
use crate::object::{Key, Map, Value, yaml};

/// Why something is no stage, with the key that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NotAStage(String);

const KEYS: [&str; 12] = [
    "name",
    "kind",
    "when",
    "after",
    "weight",
    "condition",
    "outcome",
    "reason",
    "message",
    "set",
    "secret",
    "create",
];

fn wrong<T>(what: impl Into<String>) -> Result<T, NotAStage> {
    Err(NotAStage(what.into()))
}

/// The stages of a YAML text: a list of them.
///
/// # Errors
/// It is no YAML, no list, or one of the items is no stage.
pub fn list(text: &str) -> Result<Vec<Stage>, NotAStage> {
    let value = yaml::body(text).map_err(|error| NotAStage(error.to_string()))?;
    let Some(items) = value.as_array() else { return wrong("expected a list of stages") };
    items.iter().map(stage).collect()
}

/// One stage.
///
/// # Errors
/// What keeps it from being one.
pub fn stage(value: &Value) -> Result<Stage, NotAStage> {
    let Some(map) = value.as_object() else { return wrong("expected a stage: a map with kind") };
    if let Some((key, _)) = map.iter().find(|(key, _)| !KEYS.contains(&key.as_str())) {
        return wrong(format!("unknown key {key:?} in a stage; expected {}", KEYS.join(", ")));
    }
    let Some(kind) = text(value, "kind")? else { return wrong("a stage needs a kind") };
    let (kind, group) = kind.split_once('.').unwrap_or((&kind, ""));
    let when = value.get("when").unwrap_or(&Value::Null);
    let after = value.get("after").map(after).transpose()?;
    Ok(Stage {
        kind: kind.to_owned(),
        group: group.to_owned(),
        who: Who {
            namespace: text(when, "namespace")?,
            name: text(when, "name")?,
            labels: texts(when, "labels")?,
            annotations: texts(when, "annotations")?,
        },
        state: State { has: when.get("has").cloned(), conditions: texts(when, "conditions")? },
        after: after.unwrap_or(After::Always(Spread::ZERO)),
        weight: match value.get("weight") {
            None => 1,
            Some(weight) => match weight.as_i64().and_then(|weight| u32::try_from(weight).ok()) {
                Some(weight) => weight,
                None => return wrong("weight: expected a whole number"),
            },
        },
        next: next(value)?,
    })
}

fn next(value: &Value) -> Result<Next, NotAStage> {
    let outcome = text(value, "outcome")?;
    let is_met = match outcome.as_deref() {
        None | Some("ready") => true,
        Some("failed") => false,
        Some("never") => return Ok(Next::Never),
        Some(other) => {
            return wrong(format!("outcome: expected ready, failed or never, found {other:?}"));
        }
    };
    let status = if is_met { "True" } else { "False" };
    let unsaid = if is_met { "Ready" } else { "Failed" };
    let reason = text(value, "reason")?.unwrap_or_else(|| unsaid.to_owned());
    let message = text(value, "message")?.unwrap_or_default();
    let one = |item: &Value| match item {
        Value::String(kind) => Ok(Condition {
            kind: kind.to_string(),
            status: status.to_owned(),
            reason: reason.clone(),
            message: message.clone(),
        }),
        Value::Object(_) => Ok(Condition {
            kind: text(item, "type")?.ok_or(NotAStage("a condition needs a type".to_owned()))?,
            status: text(item, "status")?.unwrap_or_else(|| status.to_owned()),
            reason: text(item, "reason")?.unwrap_or_else(|| reason.clone()),
            message: text(item, "message")?.unwrap_or_else(|| message.clone()),
        }),
        _ => wrong("condition: expected a type, a map, or a list of them"),
    };
    let conditions = match value.get("condition") {
        None => Vec::new(),
        Some(Value::Array(items)) => items.iter().map(one).collect::<Result<_, _>>()?,
        Some(item) => vec![one(item)?],
    };
    let set = value.get("set").and_then(Value::as_object);
    let set =
        set.into_iter().flatten().map(|(path, value)| Ok((status_path(path)?, value.clone())));
    let becomes = Becomes {
        conditions,
        set: set.collect::<Result<_, NotAStage>>()?,
        secret: value.get("secret").map(secret).transpose()?,
        create: value.get("create").and_then(Value::as_array).cloned().unwrap_or_default(),
    };
    if becomes == Becomes::default() {
        return wrong("a stage needs condition, set, secret, create or outcome: never");
    }
    Ok(Next::Becomes(Box::new(becomes)))
}

fn status_path(written: &str) -> Result<FieldPath, NotAStage> {
    let path = path(written)?;
    if written == "status" || written.starts_with("status.") {
        return Ok(path);
    }
    wrong(format!("set: expected a path below status, found {written:?}"))
}

fn path(written: &str) -> Result<FieldPath, NotAStage> {
    field_path::parse(written)
        .ok_or_else(|| NotAStage(format!("expected {}, found {written:?}", field_path::EXPECTED)))
}

fn secret(value: &Value) -> Result<Secret, NotAStage> {
    let Some(name) = text(value, "name")? else { return wrong("a secret needs a name") };
    let keys = value.get("keys").and_then(Value::as_array);
    let keys = keys.into_iter().flatten().filter_map(|key| key.as_str().map(ToOwned::to_owned));
    let key_of_each = text(value, "key-of-each")?;
    let key_of_each = key_of_each.map(|written| match written.rsplit_once("[].") {
        Some((list, field)) => Ok((path(list)?, field.to_owned())),
        None => wrong("key-of-each: expected a list and a field, as in spec.data[].secretKey"),
    });
    Ok(Secret {
        name,
        kind: text(value, "type")?.unwrap_or_else(|| "Opaque".to_owned()),
        keys: keys.collect(),
        keys_of: text(value, "keys-of")?.map(|written| path(&written)).transpose()?,
        key_of_each: key_of_each.transpose()?,
        owned: value.get("owned").and_then(Value::as_bool).unwrap_or(false),
    })
}

/// `2s`, `2s..5s`, or one of these for each profile.
fn after(value: &Value) -> Result<After, NotAStage> {
    let one = |value: &Value| value.as_str().and_then(spread);
    let by_profile = |map: &Map| -> Option<BTreeMap<String, Spread>> {
        map.iter().map(|(name, value)| Some((name.to_string(), one(value)?))).collect()
    };
    let found = match value {
        Value::Object(map) => by_profile(map).map(After::ByProfile),
        other => one(other).map(After::Always),
    };
    found.ok_or_else(|| {
        let expected = duration::EXPECTED;
        NotAStage(format!(
            "after: expected {expected}, two of them with .. between, or a map by profile"
        ))
    })
}

/// `2s` or `2s..5s`.
pub(super) fn spread(text: &str) -> Option<Spread> {
    let (from, to) = text.split_once("..").unwrap_or((text, text));
    let (from, to) = (duration::parse(from)?, duration::parse(to)?);
    (from <= to).then_some(Spread { from, to })
}

fn text(value: &Value, key: &str) -> Result<Option<String>, NotAStage> {
    match value.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.to_string())),
        Some(other) => wrong(format!("{key}: expected text, found {other}")),
    }
}

fn texts(value: &Value, key: &str) -> Result<BTreeMap<String, String>, NotAStage> {
    let map = value.get(key).and_then(Value::as_object);
    let pair = |(name, value): (&Key, &Value)| match value {
        Value::String(text) => Ok((name.to_string(), text.to_string())),
        Value::Bool(flag) => {
            Ok((name.to_string(), if *flag { "True" } else { "False" }.to_owned()))
        }
        other => wrong(format!("{key}.{name}: expected text, found {other}")),
    };
    map.into_iter().flatten().map(pair).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, want: &str) {
        let got = list(text).map(|stages| stages.len().to_string());
        let got = got.unwrap_or_else(|error| error.to_string());
        assert!(got.contains(want), "{text}: {got}");
    }

    #[test]
    fn a_stage_is_read_or_it_is_said_why_not() {
        check("- { kind: Certificate.cert-manager.io, after: 1s..2s, condition: Ready }", "1");
        check("- { kind: Pod, outcome: never }", "1");
        check("- { kind: Pod }", "a stage needs condition");
        check("- { condition: Ready }", "needs a kind");
        check("- { kind: Pod, contidion: Ready }", "unknown key \"contidion\"");
        check("- { kind: Pod, after: soon, condition: Ready }", "after: expected a duration");
        check("- { kind: Pod, after: 5s..2s, condition: Ready }", "after: expected a duration");
        check("- { kind: Pod, set: { spec.x: 1 } }", "below status");
        check("{}", "a list of stages");
    }
}
