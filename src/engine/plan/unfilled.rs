//! Variables that somebody's pipeline was to fill in before it committed, and did not:
//! `tag: ${IMAGE_TAG}`. The API server takes such a text, and no image is ever called so.
//!
//! Only places that name an image or a version are looked at: elsewhere a dollar and a brace are
//! as good a text as any. Variables that the engine itself fills in are filled in by now (`render`).

use crate::object::{Object, Value};

/// Keys whose value names an image or a part of its name, or a chart's version.
const KEYS: [&str; 6] = ["image", "repository", "tag", "newTag", "digest", "version"];

/// The first such place in the object's `spec`: its path, and the variable as it is written.
pub(super) fn first(object: &Object) -> Option<(String, String)> {
    // A definition has schemas under these keys, whose texts are patterns and examples.
    if object.kind() == "CustomResourceDefinition" {
        return None;
    }
    let (rest, name) = find("spec", object.at(&["spec"])?)?;
    Some((format!("spec{rest}"), name))
}

/// The path to it from `value`, which stands under `key`, and the variable.
fn find(key: &str, value: &Value) -> Option<(String, String)> {
    match value {
        Value::Object(map) => map.iter().find_map(|(key, value)| {
            let (rest, name) = find(key, value)?;
            Some((format!(".{key}{rest}"), name))
        }),
        Value::Array(items) => items.iter().enumerate().find_map(|(n, value)| {
            let (rest, name) = find(key, value)?;
            Some((format!("[{n}]{rest}"), name))
        }),
        Value::String(text) if KEYS.contains(&key) => {
            Some((String::new(), variable(text)?.to_owned()))
        }
        _ => None,
    }
}

/// The first `${NAME}` of a text.
fn variable(text: &str) -> Option<&str> {
    let start = text.find("${")?;
    let rest = &text[start..];
    let end = rest.find('}')?;
    let name = &rest[2..end];
    let is_name = name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    if is_name && !name.is_empty() { Some(&rest[..=end]) } else { variable(&rest[2..]) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::object::json;

    #[track_caller]
    fn check(kind: &str, spec: Value, expected: Option<(&str, &str)>) {
        let object = Object::from_value(json!({"kind": kind, "spec": spec})).expect("an object");
        let found = first(&object);
        let found = found.as_ref().map(|(path, name)| (path.as_str(), name.as_str()));
        assert_eq!(found, expected);
    }

    #[test]
    fn a_variable_in_the_name_of_an_image_is_found() {
        let containers = json!([{"name": "a", "image": "b:1"}, {"image": "c:${IMAGE_TAG}"}]);
        check(
            "Deployment",
            json!({"template": {"spec": {"containers": containers}}}),
            Some(("spec.template.spec.containers[1].image", "${IMAGE_TAG}")),
        );
        check(
            "HelmRelease",
            json!({"values": {"image": {"tag": "${TAG}"}}}),
            Some(("spec.values.image.tag", "${TAG}")),
        );
    }

    #[test]
    fn a_dollar_elsewhere_is_a_text_like_any() {
        check("Deployment", json!({"args": ["${HOME}"], "image": "a:$TAG"}), None);
        check("HelmRelease", json!({"values": {"dashboard": "${DS}", "tag": "${}"}}), None);
        check("CustomResourceDefinition", json!({"version": "${A}"}), None);
    }
}
