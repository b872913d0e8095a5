//! What in two answers may differ by chance: names and addresses that a server draws, times and
//! ids within a text, and the order of what comes from Go's maps.

use crate::base::Time;
use crate::object::Value;

/// Names that the server finished are drawn at random.
pub(super) fn is_generated(a: &str, b: &str) -> bool {
    let stem = |text: &str| text.rfind('-').map(|at| text[..at].to_owned());
    let is_after_a_dash = stem(a) == stem(b) && stem(a).is_some_and(|s| s.len() + 6 == a.len());
    // A prefix that had to be cut need not end in one; then they are as long as a name may be.
    let is_cut = a.len() == 63 && a.get(..58).is_some_and(|prefix| b.starts_with(prefix));
    a.len() == b.len() && (is_after_a_dash || is_cut)
}

/// So are node ports; a dry run's are past the range.
pub(super) fn is_node_port(value: &Value) -> bool {
    value.as_i64().is_some_and(|port| (30_000..32_800).contains(&port))
}

/// Addresses are drawn at random.
pub(super) fn is_service_address(text: &str) -> bool {
    text != "10.96.0.1" && text.starts_with("10.") && text.split('.').count() == 4
}

/// A text without what differs from run to run.
pub(super) fn blurred(text: &str, masks: &[&str]) -> String {
    let mut words: Vec<&str> = Vec::new();
    let mut before = "";
    for word in text.split_inclusive([' ', '"', '(', ')', ',', '\\']) {
        let core = word.trim_end_matches([' ', '"', '(', ')', ',', ':', '\\']);
        let is_mask = masks.iter().any(|m| core.starts_with(m));
        let is_uid = core.len() == 36 && core.bytes().filter(|b| *b == b'-').count() == 4;
        let is_version = matches!(words.as_slice(), [.., "current: " | "("])
            || (before == "resourceVersion" && core.bytes().all(|b| b.is_ascii_digit()));
        if core.is_empty() {
            words.push(word);
            continue;
        }
        before = core;
        if is_mask || is_uid || is_version || Time::parse_rfc3339(core).is_some() {
            words.push("#");
        } else if is_drawn(core) {
            words.push("#-");
        } else {
            words.push(word);
        }
    }
    words.concat()
}

/// Whether a word is a prefix and five letters that a server drew.
fn is_drawn(word: &str) -> bool {
    let drawn = |b: u8| b"bcdfghjklmnpqrstvwxz2456789".contains(&b);
    let Some((prefix, tail)) = word.rsplit_once(['-', '_']) else { return false };
    tail.len() == 5 && matches!(prefix, "gen" | "Gen") && tail.bytes().all(drawn)
}

/// Entries that one second parts from another stand in the order of their times in a record,
/// which is chance; by name they can be compared.
pub(super) fn sort_managers(value: &mut Value) {
    match value {
        Value::Object(map) => {
            if let Some(Value::Array(entries)) = map.get_mut("managedFields") {
                entries.sort_by_key(|e| {
                    let text = |key: &str| e[key].as_str().unwrap_or_default().to_owned();
                    [text("operation"), text("manager"), text("subresource"), text("apiVersion")]
                });
            }
            for rules in ["resourceRules", "nonResourceRules"] {
                if let Some(Value::Array(rules)) = map.get_mut(rules) {
                    rules.sort_by_key(ToString::to_string);
                }
            }
            map.values_mut().for_each(sort_managers);
        }
        Value::Array(items) => items.iter_mut().for_each(sort_managers),
        _ => {}
    }
}

/// Causes that come from fields of a map stand in the order of Go's maps, which is chance; so do
/// the words for them in the message, which are what the causes say.
pub(super) fn sort_causes(body: &mut Value) {
    let Some(causes) = body.pointer_mut("/details/causes").and_then(Value::as_array_mut) else {
        return;
    };
    causes.sort_by_key(Value::to_string);
    let is_list = causes.len() > 1;
    let message = body["message"].as_str().unwrap_or_default();
    if let Some((head, _)) = message.split_once(" is invalid: [").filter(|_| is_list) {
        body["message"] = format!("{head} is invalid: [...]").into();
    }
}
