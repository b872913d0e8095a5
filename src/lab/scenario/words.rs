//! The small texts of the language: names, paths, commits, objects, images.

use super::model::{ObjectRef, Position, Rev};

/// Longest name: that of a Kubernetes label value, which names end up in.
const NAME_LENGTH: usize = 63;

/// The pattern of a name, for the JSON Schema.
pub(super) const NAME_PATTERN: &str = "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$";

/// Whether `text` is a name in kebab case.
pub(super) fn is_name(text: &str) -> bool {
    let inner = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    (1..=NAME_LENGTH).contains(&text.len())
        && text.bytes().all(inner)
        && !text.starts_with('-')
        && !text.ends_with('-')
}

/// The pattern of a label, for the JSON Schema.
pub(super) const LABEL_PATTERN: &str = "^[A-Za-z0-9]([-A-Za-z0-9._]*[A-Za-z0-9])?$";

/// Whether a commit can be called `text` in a scenario.
pub(super) fn is_label(text: &str) -> bool {
    let inner = |b: u8| b.is_ascii_alphanumeric() || b"-._".contains(&b);
    let end = |b: Option<u8>| b.is_some_and(|b| b.is_ascii_alphanumeric());
    (1..=NAME_LENGTH).contains(&text.len())
        && text != "HEAD"
        && text.bytes().all(inner)
        && end(text.bytes().next())
        && end(text.bytes().next_back())
}

/// `text` as a name, for a suggestion; `None` where nothing is left.
#[must_use]
pub fn as_name(text: &str) -> Option<String> {
    let dashed: String = text
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' })
        .collect();
    let parts: Vec<&str> = dashed.split('-').filter(|part| !part.is_empty()).collect();
    let name = parts.join("-");
    is_name(&name).then_some(name)
}

/// Whether `text` is a path that stays below a repository's root.
#[must_use]
pub fn is_path(text: &str) -> bool {
    let plain = !text.is_empty() && !text.starts_with('/') && !text.contains(['\\', '\0']);
    plain && text.split('/').all(|part| part != ".." && part != ".git")
}

/// Whether `text` may be what a kustomization names something elsewhere by.
#[must_use]
pub(super) fn is_url(text: &str) -> bool {
    crate::engine::render::kustomize::Remote::parse(text).is_some()
}

/// `text` without `.` and empty segments: how paths of a repository are compared.
#[must_use]
pub fn clean_path(text: &str) -> String {
    let parts: Vec<&str> = text.split('/').filter(|s| !s.is_empty() && *s != ".").collect();
    parts.join("/")
}

/// Reads a commit; a text that is given as a label is that label whatever it looks like. `None`
/// where no commit can be called so.
pub(super) fn rev(text: &str, is_given: impl Fn(&str) -> bool) -> Option<Rev> {
    if is_given(text) {
        return Some(Rev::Label(text.to_owned()));
    }
    if text == "HEAD" {
        return Some(Rev::Head { back: 0 });
    }
    if let Some(back) = text.strip_prefix("HEAD~") {
        let digits = !back.is_empty() && back.bytes().all(|b| b.is_ascii_digit());
        return if digits { back.parse().ok().map(|back| Rev::Head { back }) } else { None };
    }
    if text.starts_with("refs/") {
        let plain = !text.contains(|c: char| c.is_whitespace() || c.is_control());
        return plain.then(|| Rev::Ref(text.to_owned()));
    }
    let hex = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
    if (7..=40).contains(&text.len()) && text.bytes().all(hex) {
        return Some(Rev::Commit(text.to_owned()));
    }
    is_label(text).then(|| Rev::Label(text.to_owned()))
}

/// Reads `kind/namespace/name` or `kind/name`; `None` where the text is neither.
pub(super) fn object_ref(text: &str, at: Position) -> Option<ObjectRef> {
    let parts: Vec<&str> = text.split('/').collect();
    let (kind, namespace, name) = match parts[..] {
        [kind, name] => (kind, None, name),
        [kind, namespace, name] => (kind, Some(namespace), name),
        _ => return None,
    };
    let lower = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'.';
    let is_kind = !kind.is_empty() && kind.bytes().all(lower);
    if !is_kind || namespace.is_some_and(|n| !is_name(n)) || name.is_empty() {
        return None;
    }
    Some(ObjectRef {
        kind: kind.to_owned(),
        namespace: namespace.map(str::to_owned),
        name: name.to_owned(),
        at,
    })
}

/// Whether `text` is an image without tag and digest.
pub(super) fn is_image(text: &str) -> bool {
    let last = text.rsplit('/').next().unwrap_or_default();
    is_image_pattern(text) && !last.contains([':', '@']) && !text.contains('*')
}

/// Whether `text` can stand for images.
pub(super) fn is_image_pattern(text: &str) -> bool {
    !text.is_empty() && !text.contains(char::is_whitespace)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_commit_is_told_by_its_looks() {
        let read = |text: &str| rev(text, |label| label == "deadbee");
        assert_eq!(read("HEAD"), Some(Rev::Head { back: 0 }));
        assert_eq!(read("HEAD~2"), Some(Rev::Head { back: 2 }));
        assert_eq!(read("good-one"), Some(Rev::Label("good-one".into())));
        assert_eq!(read("v1.0"), Some(Rev::Label("v1.0".into())));
        assert_eq!(read("0123abc"), Some(Rev::Commit("0123abc".into())));
        assert_eq!(read("deadbee"), Some(Rev::Label("deadbee".into())));
        assert_eq!(read("refs/heads/next"), Some(Rev::Ref("refs/heads/next".into())));
        for text in ["", "HEAD~", "HEAD~x", "HEAD^", "a b", "HEAD~99999999999999999999"] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn an_object_is_named_by_two_or_three_parts() {
        let show = |text| object_ref(text, Position::default()).map(|o| o.to_string());
        for text in ["deployment/shop/cart", "ns/shop", "deploy.apps/shop/cart"] {
            assert_eq!(show(text).as_deref(), Some(text));
        }
        for text in ["cart", "a/b/c/d", "Deployment/x/y", "a//b", "/b", "a/"] {
            assert_eq!(show(text), None, "{text}");
        }
    }

    #[test]
    fn a_path_stays_below_the_root() {
        assert!(is_path("overlays/prod") && is_path(".") && is_path("a..b"));
        assert!(
            !is_path("../x") && !is_path("/x") && !is_path("a/../b") && !is_path(".git/config")
        );
        assert_eq!(clean_path("./a//b/"), "a/b");
    }

    #[test]
    fn an_image_to_set_has_no_tag() {
        assert!(is_image("shop/cart") && is_image("localhost:5000/cart"));
        assert!(!is_image("shop/cart:1") && !is_image("cart@sha256:00") && !is_image("shop/*"));
    }

    #[test]
    fn a_name_is_suggested_from_what_was_written() {
        assert_eq!(as_name("Bad Tag_rolls back").as_deref(), Some("bad-tag-rolls-back"));
        assert_eq!(as_name("--"), None);
    }
}
