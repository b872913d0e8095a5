//! `images`: gives images another name, tag or digest.
//!
//! Images are found in every list called `containers` or `initContainers`, however deep and in
//! whatever kind (but CRDs), whose items have an `image`, and in volumes that mount an image.

use super::fieldspec::{Create, FieldSpec};
use super::image_name::Pattern;
use super::kustomization::Image;
use super::resource::Resources;
use crate::engine::model::RenderError;
use crate::object::{Map, Object, Value};

/// Where images are named, besides lists of containers anywhere.
pub(super) fn default_fields() -> Vec<FieldSpec> {
    [
        "spec/containers[]/image",
        "spec/initContainers[]/image",
        "spec/volumes[]/image/reference",
        "spec/template/spec/containers[]/image",
        "spec/template/spec/initContainers[]/image",
        "spec/template/spec/volumes[]/image/reference",
        "spec/jobTemplate/spec/template/spec/volumes[]/image/reference",
    ]
    .iter()
    .map(|path| FieldSpec::any(path, true))
    .collect()
}

/// Rewrites the images that `image` names. A name is a regular expression, for kustomize; one
/// that is none matches nothing, as it does there.
///
/// # Errors
/// Where an image is no text.
pub(super) fn apply(
    resources: &mut Resources,
    image: &Image,
    fields: &[FieldSpec],
) -> Result<(), RenderError> {
    let Some(pattern) = Pattern::new(&image.name.text) else { return Ok(()) };
    for resource in &mut resources.list {
        if resource.object.kind() == "CustomResourceDefinition" {
            continue;
        }
        let is_there = resource.object.0.values().any(|value| has_match(value, &pattern));
        if !is_there {
            check(&resource.object, fields).map_err(|why| resource.error(&why))?;
            continue;
        }
        let object = resource.object_mut();
        let mut set = || -> Result<(), String> {
            walk_map(&mut object.0, image, &pattern)?;
            let mut set = |value: &mut Value| rewrite(value, image, &pattern);
            fields.iter().try_for_each(|spec| spec.apply(object, Create::Nothing, &mut set))
        };
        let result = set();
        result.map_err(|why| resource.error(&why))?;
    }
    Ok(())
}

/// What is wrong with the images of an object in which none is to be rewritten.
fn check(object: &Object, fields: &[FieldSpec]) -> Result<(), String> {
    check_containers(&object.0)?;
    fields.iter().try_for_each(|spec| spec.check(object, &check_image))
}

fn check_containers(map: &Map) -> Result<(), String> {
    for (key, value) in map {
        match value {
            Value::Object(map) => check_containers(map)?,
            Value::Array(items) => {
                items.iter().filter_map(Value::as_object).try_for_each(check_containers)?;
                if is_containers(key) {
                    items.iter().filter_map(|item| item.get("image")).try_for_each(check_image)?;
                }
            }
            _ => {}
        }
    }
    Ok(())
}

fn check_image(value: &Value) -> Result<(), String> {
    match value {
        Value::Object(_) | Value::Array(_) => Err("image must be text".to_owned()),
        _ => Ok(()),
    }
}

/// Whether there may be something to rewrite: a text anywhere below that is such an image.
fn has_match(value: &Value, pattern: &Pattern<'_>) -> bool {
    match value {
        Value::Object(map) => map.values().any(|value| has_match(value, pattern)),
        Value::Array(items) => items.iter().any(|item| has_match(item, pattern)),
        Value::String(text) => pattern.is_match(text),
        _ => false,
    }
}

fn is_containers(key: &str) -> bool {
    matches!(key, "containers" | "initContainers")
}

fn walk(value: &mut Value, image: &Image, pattern: &Pattern<'_>) -> Result<(), String> {
    match value {
        Value::Object(map) => walk_map(map, image, pattern),
        Value::Array(items) => items.iter_mut().try_for_each(|item| walk(item, image, pattern)),
        _ => Ok(()),
    }
}

fn walk_map(map: &mut Map, image: &Image, pattern: &Pattern<'_>) -> Result<(), String> {
    for (key, value) in map.iter_mut() {
        walk(value, image, pattern)?;
        let Value::Array(items) = value else { continue };
        if !is_containers(key) {
            continue;
        }
        for found in items.iter_mut().filter_map(|item| item.get_mut("image")) {
            rewrite(found, image, pattern)?;
        }
    }
    Ok(())
}

fn rewrite(found: &mut Value, image: &Image, pattern: &Pattern<'_>) -> Result<(), String> {
    match found {
        Value::String(text) if pattern.is_match(text) => {
            *text = rewritten(text, image).into();
            Ok(())
        }
        other => check_image(other),
    }
}

fn rewritten(text: &str, image: &Image) -> String {
    let (name, tag, digest) = split(text);
    let name = if image.new_name.is_empty() { name } else { &image.new_name };
    let (tag, digest) = match (image.new_tag.as_str(), image.digest.as_str()) {
        ("", "") if image.tag_suffix.is_empty() => (tag.to_owned(), digest),
        ("", "") => (format!("{tag}{}", image.tag_suffix), ""),
        (new_tag, digest) => (new_tag.to_owned(), digest),
    };
    let mut text = name.to_owned();
    for (sign, part) in [(':', tag.as_str()), ('@', digest)] {
        if !part.is_empty() {
            text.push(sign);
            text.push_str(part);
        }
    }
    text
}

/// Name, tag and digest of an image; a registry's port is part of the name.
fn split(image: &str) -> (&str, &str, &str) {
    let slash = image.find('/').unwrap_or(0);
    let at = |sign| image[slash..].find(sign).map(|at| at + slash);
    match (at('@'), at(':')) {
        (None, None) => (image, "", ""),
        (None, Some(colon)) => (&image[..colon], &image[colon + 1..], ""),
        (Some(at), Some(colon)) if colon < at => {
            (&image[..colon], &image[colon + 1..at], &image[at + 1..])
        }
        (Some(at), _) => (&image[..at], "", &image[at + 1..]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_is_split_at_tag_and_digest() {
        for (image, expected) in [
            ("nginx", ("nginx", "", "")),
            ("nginx:1.2", ("nginx", "1.2", "")),
            ("a.b:443/nginx", ("a.b:443/nginx", "", "")),
            ("a.b:443/nginx:1@sha256:ab", ("a.b:443/nginx", "1", "sha256:ab")),
            ("nginx@sha256:ab", ("nginx", "", "sha256:ab")),
        ] {
            assert_eq!(split(image), expected);
        }
    }
}
