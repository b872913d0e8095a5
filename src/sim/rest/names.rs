//! Names that the server makes, and the rules that names must keep (R-VAL-01, R-STO-13).

use crate::base::Rng;
use crate::sim::crd;

/// A version 4 UUID.
pub(super) fn uid(rng: &mut Rng) -> String {
    let high = rng.next_u64() & !0xf000 | 0x4000;
    let low = rng.next_u64() & !(0b11 << 62) | (0b10 << 62);
    let mut text = String::with_capacity(36);
    for (at, byte) in high.to_be_bytes().into_iter().chain(low.to_be_bytes()).enumerate() {
        if matches!(at, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        for half in [byte >> 4, byte & 0xf] {
            text.push(char::from(b"0123456789abcdef"[usize::from(half)]));
        }
    }
    text
}

/// Letters that upstream appends: none that could spell a word or be taken for another.
const LETTERS: &[u8; 27] = b"bcdfghjklmnpqrstvwxz2456789";

/// A name that begins with `prefix`.
pub(super) fn generated(rng: &mut Rng, prefix: &str) -> String {
    let mut name: String = prefix.chars().take(63 - 5).collect();
    for _ in 0..5 {
        let letter = usize::try_from(rng.below(LETTERS.len() as u64)).unwrap_or(0);
        name.push(char::from(LETTERS[letter]));
    }
    name
}

const LABEL_FORM: &str = "[a-z0-9]([-a-z0-9]*[a-z0-9])?";
const SUBDOMAIN_FORM: &str = "[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*";

fn is_alphanumeric(byte: u8) -> bool {
    byte.is_ascii_lowercase() || byte.is_ascii_digit()
}

fn is_label(text: &str) -> bool {
    let bytes = text.as_bytes();
    let ends = bytes.first().zip(bytes.last());
    ends.is_some_and(|(first, last)| is_alphanumeric(*first) && is_alphanumeric(*last))
        && bytes.iter().all(|b| is_alphanumeric(*b) || *b == b'-')
}

/// What is wrong with a DNS-1123 label.
pub(super) fn label_1123(text: &str) -> Vec<String> {
    let mut faults = too_many_characters(text, 63);
    if !is_label(text) {
        // Upstream tells those who came within a dot of it the rule for subdomains instead.
        if subdomain_1123(text).is_empty() {
            faults.push("must not contain dots".to_owned());
        } else {
            faults.push(format!(
                "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '{LABEL_FORM}')"
            ));
        }
    }
    faults
}

/// What is wrong with a DNS-1123 subdomain.
pub(super) fn subdomain_1123(text: &str) -> Vec<String> {
    let mut faults = too_many_characters(text, 253);
    if !text.split('.').all(is_label) {
        faults.push(format!(
            "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '{SUBDOMAIN_FORM}')"
        ));
    }
    faults
}

/// What is wrong with a name that only has to fit into a path.
pub(super) fn path_segment(text: &str) -> Vec<String> {
    if matches!(text, "." | "..") {
        return vec![format!("may not be '{text}'")];
    }
    let bad = ["/", "%"].into_iter().filter(|bad| text.contains(bad));
    bad.map(|bad| format!("may not contain '{bad}'")).collect()
}

/// What is wrong with a DNS-1035 label.
pub(super) fn label_1035(text: &str) -> Vec<String> {
    crd::label_1035(text)
}

/// What is wrong with a domain and a path, such as the name of a controller.
pub(super) fn domain_path(text: &str) -> Vec<String> {
    let parts = text.split_once('/');
    let sound =
        |(domain, path): (&str, &str)| subdomain_1123(domain).is_empty() && !path.is_empty();
    if parts.is_some_and(sound) {
        return Vec::new();
    }
    vec!["must be a domain-prefixed path (such as \"acme.io/foo\")".to_owned()]
}

/// What is wrong with the name of a variable in CEL.
pub(super) fn cel_identifier(text: &str) -> Vec<String> {
    let mut bytes = text.bytes();
    let starts = bytes.next().is_none_or(|b| b.is_ascii_alphabetic() || b == b'_');
    if starts && bytes.all(|b| b.is_ascii_alphanumeric() || b == b'_') {
        return Vec::new();
    }
    vec!["must be a valid CEL identifier".to_owned()]
}

/// Upstream counts bytes here too, and says characters.
fn too_many_characters(text: &str, most: usize) -> Vec<String> {
    if text.len() > most {
        vec![format!("must be no more than {most} characters")]
    } else {
        Vec::new()
    }
}

fn too_long(text: &str, bytes: usize) -> Vec<String> {
    if text.len() > bytes {
        vec![format!("must be no more than {bytes} bytes")]
    } else {
        Vec::new()
    }
}

fn is_qualified_part(text: &str) -> bool {
    let bytes = text.as_bytes();
    let ends = bytes.first().zip(bytes.last());
    ends.is_some_and(|(first, last)| first.is_ascii_alphanumeric() && last.is_ascii_alphanumeric())
        && bytes.iter().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(b))
}

const QUALIFIED_FORM: &str = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]";

/// What is wrong with the key of a label, annotation or resource.
pub(super) fn qualified(text: &str) -> Vec<String> {
    let mut faults = Vec::new();
    let mut name = text;
    if let Some((prefix, rest)) = text.split_once('/') {
        if rest.contains('/') {
            return vec![format!(
                "a valid label key must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '{QUALIFIED_FORM}') with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"
            )];
        }
        if prefix.is_empty() {
            faults.push("prefix part must be non-empty".to_owned());
        } else {
            faults.extend(subdomain_1123(prefix).into_iter().map(|f| format!("prefix part {f}")));
        }
        name = rest;
    }
    if name.is_empty() {
        faults.push("name part must be non-empty".to_owned());
    } else if name.len() > 63 {
        faults.push("name part must be no more than 63 bytes".to_owned());
    }
    if !is_qualified_part(name) {
        faults.push(format!(
            "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '{QUALIFIED_FORM}')"
        ));
    }
    faults
}

/// What is wrong with the value of a label.
pub(super) fn label_value(text: &str) -> Vec<String> {
    let mut faults = too_long(text, 63);
    if !text.is_empty() && !is_qualified_part(text) {
        faults.push("a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')".to_owned());
    }
    faults
}

/// What is wrong with the name of a port.
pub(super) fn port_name(text: &str) -> Vec<String> {
    let mut faults = Vec::new();
    if text.len() > 15 {
        faults.push("must be no more than 15 characters".to_owned());
    }
    if !text.bytes().all(|b| is_alphanumeric(b) || b == b'-') {
        faults.push(
            "must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)".to_owned(),
        );
    }
    if !text.bytes().any(|b| b.is_ascii_lowercase()) {
        faults.push("must contain at least one letter (a-z)".to_owned());
    }
    if text.contains("--") {
        faults.push("must not contain consecutive hyphens".to_owned());
    }
    if text.starts_with('-') || text.ends_with('-') {
        faults.push("must not begin or end with a hyphen".to_owned());
    }
    faults
}

/// What is wrong with the name of an environment variable.
pub(super) fn variable(text: &str) -> Vec<String> {
    let printable = |c: char| (' '..='~').contains(&c) && c != '=';
    if text.chars().all(printable) {
        return Vec::new();
    }
    vec!["a valid environment variable name must consist only of printable ASCII characters other than '='".to_owned()]
}

/// What is wrong with the key of a ConfigMap or Secret.
pub(super) fn config_key(text: &str) -> Vec<String> {
    let mut faults = too_long(text, 253);
    if text.is_empty() || !text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._".contains(&b)) {
        faults.push("a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')".to_owned());
    } else if text == "." || text == ".." {
        faults.push(format!("must not be '{text}'"));
    } else if text.starts_with("..") {
        faults.push("must not start with '..'".to_owned());
    }
    faults
}
