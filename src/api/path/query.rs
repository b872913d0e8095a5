//! The query string: parameters of each verb, read and printed.

use crate::api::{
    Cause, DeleteOptions, FieldValidation, Options, PatchKind, Propagation, Request, Status, Verb,
};
use crate::object::{Name, Value};

/// Parameters in the order in which they were given; of one given twice the first counts.
pub(super) struct Query(Vec<(String, String)>);

impl Query {
    pub(super) fn read(text: &str) -> Self {
        let pairs = text.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decode(key), decode(value))
        });
        Self(pairs.collect())
    }

    fn get(&self, key: &str) -> Option<&str> {
        self.0.iter().find(|(k, _)| k == key).map(|(_, value)| value.as_str())
    }

    fn text(&self, key: &str) -> Option<String> {
        self.get(key).filter(|value| !value.is_empty()).map(ToOwned::to_owned)
    }

    /// Whether a parameter is there and is none of `false` and `0`.
    pub(super) fn flag(&self, key: &str) -> bool {
        self.get(key).is_some_and(|v| !v.eq_ignore_ascii_case("false") && v != "0")
    }

    fn number(&self, key: &str) -> Result<Option<i64>, Status> {
        let Some(text) = self.get(key) else { return Ok(None) };
        let parsed = text.parse().map(Some);
        parsed.map_err(|_| {
            Status::bad_request(format!("strconv.ParseInt: parsing {text:?}: invalid syntax"))
        })
    }
}

/// Reads the parameters that belong to a verb. `from_query` says whether a delete has no body,
/// because then its options are parameters.
pub(super) fn options(verb: Verb, query: &Query, from_query: bool) -> Result<Options, Status> {
    let positive = |n: Option<i64>| n.and_then(|n| u64::try_from(n).ok());
    let mut options = Options::default();
    match verb {
        Verb::Get => options.resource_version = query.text("resourceVersion"),
        Verb::List | Verb::Watch | Verb::DeleteCollection => {
            options.label_selector = query.text("labelSelector");
            options.field_selector = query.text("fieldSelector");
            options.limit = positive(query.number("limit")?).unwrap_or(0);
            options.continue_token = query.text("continue");
            options.resource_version = query.text("resourceVersion");
            options.resource_version_match = query.text("resourceVersionMatch");
            options.bookmarks = query.flag("allowWatchBookmarks");
            let initial = query.get("sendInitialEvents");
            options.send_initial_events = initial.map(|_| query.flag("sendInitialEvents"));
            options.timeout_seconds = positive(query.number("timeoutSeconds")?);
        }
        Verb::Create | Verb::Update | Verb::Patch(_) | Verb::Delete => {}
    }
    if !matches!(verb, Verb::Get | Verb::List | Verb::Watch) {
        write_options(verb, query, from_query, &mut options)?;
    }
    Ok(options)
}

fn write_options(
    verb: Verb,
    query: &Query,
    from_query: bool,
    options: &mut Options,
) -> Result<(), Status> {
    let mut causes = Vec::new();
    options.field_manager = query.text("fieldManager").map(Name::Owned);
    options.force = query.flag("force");
    let plain_patch = matches!(verb, Verb::Patch(kind) if kind != PatchKind::Apply);
    if plain_patch && query.get("force").is_some() {
        let detail = "may not be specified for non-apply patch";
        causes.push(cause("force", "FieldValueForbidden", format!("Forbidden: {detail}")));
    }
    let manager = options.field_manager.as_deref();
    causes.extend(field_manager_fault(manager, verb == Verb::Patch(PatchKind::Apply)));
    let deletes = matches!(verb, Verb::Delete | Verb::DeleteCollection);
    if deletes && from_query {
        delete_options(query, &mut options.delete, &mut causes)?;
    }
    // A delete with a body is asked for by that alone (R-HTTP-39).
    let counts = !deletes || from_query;
    let dry_runs = query.0.iter().filter(|(key, _)| counts && key == "dryRun");
    let dry_runs: Vec<Value> = dry_runs.map(|(_, value)| value.as_str().into()).collect();
    options.dry_run = !dry_runs.is_empty();
    causes.extend(dry_run_fault(&dry_runs));
    if !deletes {
        options.field_validation = match query.get("fieldValidation").unwrap_or_default() {
            "Ignore" => FieldValidation::Ignore,
            "" | "Warn" => FieldValidation::Warn,
            "Strict" => FieldValidation::Strict,
            other => {
                let text = format!(
                    "Unsupported value: {other:?}: supported values: \"\", \"Ignore\", \"Strict\", \"Warn\""
                );
                causes.push(cause("fieldValidation", "FieldValueNotSupported", text));
                FieldValidation::Warn
            }
        };
    }
    if causes.is_empty() { Ok(()) } else { Err(invalid_options(verb, &causes)) }
}

/// What is wrong with the stages of a dry run, of which there is only `All`.
pub(super) fn dry_run_fault(given: &[Value]) -> Option<Cause> {
    if given.iter().all(|value| value == "All") {
        return None;
    }
    let given = serde_json::to_string(given).unwrap_or_default();
    let text = format!("Unsupported value: {given}: supported values: \"All\"");
    Some(cause("dryRun", "FieldValueNotSupported", text))
}

/// What is wrong with a field manager, if anything (R-HTTP-31, R-SSA-01).
pub(crate) fn field_manager_fault(manager: Option<&str>, required: bool) -> Option<Cause> {
    let manager = manager.unwrap_or_default();
    let (reason, text) = if required && manager.is_empty() {
        ("FieldValueRequired", "Required value: is required for apply patch".to_owned())
    } else if manager.len() > 128 {
        ("FieldValueTooLong", "Too long: may not be more than 128 bytes".to_owned())
    } else if let Some((at, found)) = manager.char_indices().find(|(_, c)| c.is_control()) {
        let why = format!("invalid character U+{:04X} (at position {at})", u32::from(found));
        ("FieldValueInvalid", format!("Invalid value: {manager:?}: {why}"))
    } else {
        return None;
    };
    Some(cause("fieldManager", reason, text))
}

/// 422 about the parameters of a write.
pub(crate) fn invalid_options(verb: Verb, causes: &[Cause]) -> Status {
    let kind = match verb {
        Verb::Create => "CreateOptions",
        Verb::Update => "UpdateOptions",
        Verb::Patch(_) => "PatchOptions",
        _ => "DeleteOptions",
    };
    Status::invalid("meta.k8s.io", kind, "", causes)
}

fn cause(field: &str, reason: &str, message: String) -> Cause {
    Cause { reason: reason.to_owned(), message, field: field.to_owned() }
}

fn delete_options(
    query: &Query,
    delete: &mut DeleteOptions,
    causes: &mut Vec<Cause>,
) -> Result<(), Status> {
    delete.grace_seconds = query.number("gracePeriodSeconds")?;
    let orphan = query.get("orphanDependents").map(|_| query.flag("orphanDependents"));
    let policy = query.get("propagationPolicy");
    delete.in_cascade = orphan == Some(false);
    delete.propagation = propagation(policy, orphan, causes);
    Ok(())
}

/// `propagationPolicy` and its older form as one.
pub(super) fn propagation(
    policy: Option<&str>,
    orphan: Option<bool>,
    causes: &mut Vec<Cause>,
) -> Option<Propagation> {
    if policy.is_some() && orphan.is_some() {
        let text = "Invalid value: {}: orphanDependents and deletionPropagation cannot be both set";
        let value = format!("{:?}", policy.unwrap_or_default());
        causes.push(cause("propagationPolicy", "FieldValueInvalid", text.replace("{}", &value)));
        return None;
    }
    match (policy, orphan) {
        (Some("Orphan"), _) | (None, Some(true)) => Some(Propagation::Orphan),
        (Some("Background"), _) | (None, Some(false)) => Some(Propagation::Background),
        (Some("Foreground"), _) => Some(Propagation::Foreground),
        (None, None) => None,
        (Some(other), _) => {
            let text = format!(
                "Unsupported value: {other:?}: supported values: \"Foreground\", \"Background\", \"Orphan\", \"nil\""
            );
            causes.push(cause("propagationPolicy", "FieldValueNotSupported", text));
            None
        }
    }
}

/// Prints the parameters of a request behind its path.
pub(super) fn print(request: &Request, target: &mut String) {
    let options = &request.options;
    let mut pairs: Vec<(&str, String)> = Vec::new();
    let mut text = |key: &'static str, value: Option<&str>| {
        if let Some(value) = value {
            pairs.push((key, value.to_owned()));
        }
    };
    if request.verb == Verb::Watch {
        text("watch", Some("true"));
    }
    if !request.is_write() || request.verb == Verb::DeleteCollection {
        text("labelSelector", options.label_selector.as_deref());
        text("fieldSelector", options.field_selector.as_deref());
        let limit = (options.limit > 0).then(|| options.limit.to_string());
        text("limit", limit.as_deref());
        text("continue", options.continue_token.as_deref());
        text("resourceVersion", options.resource_version.as_deref());
        text("resourceVersionMatch", options.resource_version_match.as_deref());
        text("allowWatchBookmarks", options.bookmarks.then_some("true"));
        let initial = options.send_initial_events.map(|on| on.to_string());
        text("sendInitialEvents", initial.as_deref());
        let seconds = options.timeout_seconds.map(|s| s.to_string());
        text("timeoutSeconds", seconds.as_deref());
    }
    if request.is_write() {
        text("dryRun", options.dry_run.then_some("All"));
        text("fieldManager", options.field_manager.as_deref());
        let apply = request.verb == Verb::Patch(PatchKind::Apply);
        text("force", (apply && options.force).then_some("true"));
        text(
            "fieldValidation",
            match options.field_validation {
                FieldValidation::Ignore => Some("Ignore"),
                FieldValidation::Warn => None,
                FieldValidation::Strict => Some("Strict"),
            },
        );
    }
    for (i, (key, value)) in pairs.iter().enumerate() {
        target.push(if i == 0 { '?' } else { '&' });
        target.push_str(key);
        target.push('=');
        target.push_str(&encode(value));
    }
}

/// Percent-decodes; `+` is a blank. What is no valid escape stays as it is.
#[must_use]
pub fn decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut i = 0;
    while i < bytes.len() {
        let hex = |at: usize| bytes.get(at).and_then(|b| char::from(*b).to_digit(16));
        match (bytes[i], hex(i + 1), hex(i + 2)) {
            (b'%', Some(high), Some(low)) => {
                out.push(u8::try_from(high * 16 + low).unwrap_or(b'?'));
                i += 2;
            }
            (b'+', ..) => out.push(b' '),
            (byte, ..) => out.push(byte),
        }
        i += 1;
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// Percent-encodes all but letters, digits and `-._~`.
#[must_use]
pub fn encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}
