//! LIST: pages of one revision (R-HTTP-34 to R-HTTP-36).

use super::call::Call;
use super::{Server, custom, selection, views};
use crate::api::{Cause, Details, List, Reason, Response, Status};
use crate::object::Value;
use crate::sim::store::Key;

pub(super) fn answer(server: &Server, call: &Call) -> Result<Response, Status> {
    let filter = selection::of(call)?;
    let options = &call.request.options;
    options_agree(call)?;
    let asked = options.resource_version.as_deref().unwrap_or_default();
    let exact = options.resource_version_match.as_deref() == Some("Exact");
    let cached = asked == "0";
    let (mut at, mut after) = (None, None);
    if let Some(token) = options.continue_token.as_deref().filter(|token| !token.is_empty()) {
        let (revision, start) = read_token(token)?;
        if !matches!(asked, "" | "0") {
            let text = "specifying resource version is not allowed when using continue";
            return Err(Status::bad_request(text));
        }
        at = (revision > 0).then_some(revision);
        let namespace = call.namespace;
        let start = start.trim_start_matches('/').trim_end_matches('\0');
        after = Some(Key::new(namespace, start));
    } else if !asked.is_empty() && !cached {
        let revision = parse_list_revision(asked)?;
        revision_not_ahead(server, revision)?;
        let paged = options.limit > 0 && options.resource_version_match.is_none();
        at = (exact || paged).then_some(revision);
    }
    // A list at version 0 comes from the cache as a whole, whatever its limit.
    let limit = if cached { 0 } else { usize::try_from(options.limit).unwrap_or(usize::MAX) };
    let continued = after.is_some();
    let revision = at.unwrap_or_else(|| server.revision());
    let page = server
        .store
        .list(&call.resource, &filter, at, after.as_ref(), limit)
        .map_err(|_| too_old(continued))?;
    let items = page.items.into_iter();
    let items = if call.kind.kind == "ComponentStatus" {
        views::components()
    } else if call.kind.custom.is_some() || views::has_forms(call.kind.kind) {
        items.map(|item| custom::read(&call.kind, &item)).collect()
    } else {
        items.collect()
    };
    let start_of = |key: &Key| -> String {
        let text = key.as_str();
        let own = text.strip_prefix(call.namespace).and_then(|t| t.strip_prefix('/'));
        own.filter(|_| !call.namespace.is_empty()).unwrap_or(text).to_owned()
    };
    let continue_token = page.next.as_ref().map(|key| write_token(revision, &start_of(key)));
    // A list without a Go type has the field even where it is empty.
    let continue_token = continue_token.or_else(|| call.kind.custom.is_some().then(String::new));
    let counted = !filter.looks_inside() && filter.name.is_none();
    let remaining = (page.next.is_some() && counted).then_some(page.remaining as u64);
    let api_version = call.request.resource.api_version();
    let kind = call.kind.list_kind();
    Ok(Response::list(List { kind, api_version, revision, continue_token, remaining, items }))
}

fn options_agree(call: &Call) -> Result<(), Status> {
    let options = &call.request.options;
    let asked = options.resource_version.as_deref().unwrap_or_default();
    let cause = |field: &str, reason: &str, message: String| Cause {
        reason: reason.to_owned(),
        message,
        field: field.to_owned(),
    };
    let forbidden = |field: &str, detail: &str| {
        cause(field, "FieldValueForbidden", format!("Forbidden: {detail}"))
    };
    let mut causes = Vec::new();
    if let Some(found) = options.resource_version_match.as_deref() {
        let field = "resourceVersionMatch";
        let mut forbid = |detail: &str| {
            causes.push(forbidden(field, &format!("resourceVersionMatch {detail}")));
        };
        if asked.is_empty() {
            forbid("is forbidden unless resourceVersion is provided");
        }
        if options.continue_token.as_deref().is_some_and(|t| !t.is_empty()) {
            forbid("is forbidden when continue is provided");
        }
        if found == "Exact" && asked == "0" {
            forbid("\"exact\" is forbidden for resourceVersion \"0\"");
        }
        if !matches!(found, "Exact" | "NotOlderThan") {
            let known = "supported values: \"Exact\", \"NotOlderThan\", \"\"";
            let message = format!("Unsupported value: {found:?}: {known}");
            causes.push(cause(field, "FieldValueNotSupported", message));
        }
    }
    if options.send_initial_events.is_some() {
        causes.push(forbidden("sendInitialEvents", "sendInitialEvents is forbidden for list"));
    }
    if causes.is_empty() {
        return Ok(());
    }
    Err(Status::invalid("meta.k8s.io", "ListOptions", "", &causes))
}

fn parse_list_revision(text: &str) -> Result<u64, Status> {
    text.parse().map_err(|_| {
        Status::bad_request(format!(
            "invalid resource version: resourceVersion: Invalid value: {text:?}: strconv.ParseUint: parsing {text:?}: invalid syntax"
        ))
    })
}

/// The revision that a get or a watch asks for; what is no number is a bare 500.
pub(super) fn parse_revision(text: &str) -> Result<u64, Status> {
    if text.is_empty() {
        return Ok(0);
    }
    text.parse().map_err(|_| {
        let text = format!("resourceVersion: Invalid value: {text:?}: strconv.ParseUint: parsing {text:?}: invalid syntax");
        Status::new(500, Reason::Unknown, text)
    })
}

/// A revision of the future is not waited for: the answer is what comes after the wait
/// (R-HTTP-36).
pub(super) fn revision_not_ahead(server: &Server, asked: u64) -> Result<(), Status> {
    let current = server.revision();
    if asked <= current {
        return Ok(());
    }
    let text = format!("Timeout: Too large resource version: {asked}, current: {current}");
    let mut status = Status::new(504, Reason::Timeout, text);
    status.details = Some(Details {
        causes: vec![Cause {
            reason: "ResourceVersionTooLarge".to_owned(),
            message: "Too large resource version".to_owned(),
            field: String::new(),
        }],
        retry_after_seconds: 1,
        ..Details::default()
    });
    Err(status)
}

fn too_old(continued: bool) -> Status {
    if continued {
        return Status::expired(
            "The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided token results in an inconsistent list - objects that were created, modified, or deleted between the time the first chunk was returned and now may show up in the list.",
        );
    }
    Status::expired("The resourceVersion for the provided list is too old.")
}

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

fn write_token(revision: u64, key: &str) -> String {
    let start = Value::String(format!("{key}\0").into()).to_string();
    let text = format!("{{\"v\":\"meta.k8s.io/v1\",\"rv\":{revision},\"start\":{start}}}");
    let mut out = String::with_capacity(text.len() * 4 / 3 + 4);
    for chunk in text.as_bytes().chunks(3) {
        let at = |i: usize| u32::from(chunk.get(i).copied().unwrap_or(0));
        let bits = at(0) << 16 | at(1) << 8 | at(2);
        for i in 0..=chunk.len() {
            let six = (bits >> (18 - 6 * i)) & 63;
            out.push(char::from(ALPHABET[six as usize]));
        }
    }
    out
}

const TOKEN_VERSION: &str = "meta.k8s.io/v1";

fn read_token(token: &str) -> Result<(u64, String), Status> {
    let bad = |why: &str| {
        Status::bad_request(format!("invalid continue token: continue key is not valid: {why}"))
    };
    let mut bytes = Vec::with_capacity(token.len());
    let (mut bits, mut count) = (0_u32, 0);
    for (i, c) in token.bytes().enumerate() {
        let Some(six) = ALPHABET.iter().position(|a| *a == c) else {
            return Err(bad(&format!("illegal base64 data at input byte {i}")));
        };
        bits = bits << 6 | six as u32;
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push((bits >> count & 0xff) as u8);
        }
    }
    if token.len() % 4 == 1 {
        return Err(bad(&format!("illegal base64 data at input byte {}", token.len() - 1)));
    }
    let parsed: Value = serde_json::from_slice(&bytes).map_err(|_| {
        let first = char::from(bytes.first().copied().unwrap_or(b' '));
        let first = match first {
            // What cannot be printed is told by its number.
            '\u{7f}'..='\u{9f}' | '\u{ad}' => format!("\\u{:04x}", u32::from(first)),
            first => first.to_string(),
        };
        bad(&format!("invalid character '{first}' looking for beginning of value"))
    })?;
    let text = |key: &str| parsed.get(key).and_then(Value::as_str).unwrap_or_default();
    let version = text("v");
    if version != TOKEN_VERSION {
        return Err(bad(&format!("server does not recognize this encoded version {version}")));
    }
    let revision = parsed.get("rv").and_then(Value::as_i64).unwrap_or(0);
    if revision == 0 {
        let what = "incorrect encoded start resourceVersion";
        return Err(bad(&format!("{what} (version {TOKEN_VERSION})")));
    }
    let start = text("start");
    if start.is_empty() {
        return Err(bad(&format!("encoded start key empty (version {TOKEN_VERSION})")));
    }
    // A key with steps that lead elsewhere is none that a server gave.
    let steps = start.strip_prefix('/').unwrap_or(start).split('/');
    if steps.enumerate().any(|(i, step)| matches!(step, "." | "..") || (step.is_empty() && i == 0))
    {
        return Err(bad(start));
    }
    // Less than none is the newest there is.
    Ok((u64::try_from(revision).unwrap_or(0), start.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_continue_token_is_what_a_real_server_gives_and_reads_back() {
        let token = write_token(231, "/l0");
        assert_eq!(token, "eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6MjMxLCJzdGFydCI6Ii9sMFx1MDAwMCJ9");
        assert_eq!(read_token(&token).unwrap(), (231, "/l0\0".to_owned()));
    }
}
