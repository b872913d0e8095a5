//! `replacements`: copies a field of one object, or a part of it, to fields of others.

use std::sync::Arc;

use super::decode::Decoder;
use super::fieldspec::scalar_text;
use super::path::{self, Found, Kind};
use super::resource::{Id, Resource, Resources};
use super::select::Selector;
use super::selectors::{Destination, FieldOptions, Replacement, Source, Target};
use super::structured;
use crate::base::limits;
use crate::engine::model::RenderError;
use crate::object::{Object, Value};

/// Carries out replacements one after the other.
///
/// # Errors
/// Where a source is not there or is not the only one, or a target has no such field.
pub(super) fn apply(
    resources: &mut Resources,
    replacements: &[Replacement],
    decoder: Decoder<'_>,
) -> Result<(), RenderError> {
    replacements.iter().try_for_each(|replacement| {
        one(resources, replacement).map_err(|why| decoder.error(replacement.place, why))
    })
}

fn one(resources: &mut Resources, replacement: &Replacement) -> Result<(), String> {
    let Some(source) = replacement.source.as_ref().filter(|_| !replacement.destinations.is_empty())
    else {
        return Err("replacements must specify a source and at least one target".to_owned());
    };
    if replacement.has_two_sources {
        return Err("value and resource selectors are mutually exclusive".to_owned());
    }
    let value = value_of(resources, source)?;
    replacement.destinations.iter().try_for_each(|to| write(resources, &value, to))
}

/// What is copied: a value, and whether it is bare text that is read where it is written.
struct Copied {
    value: Value,
    is_bare: bool,
    /// The text of a number that is not what it prints as.
    spelled: Option<String>,
}

impl Copied {
    fn text(&self) -> String {
        self.spelled.clone().or_else(|| scalar_text(&self.value)).unwrap_or_default()
    }
}

fn value_of(resources: &Resources, source: &Source) -> Result<Copied, String> {
    let (of, field, options) = match source {
        Source::Value(text) => {
            return Ok(Copied { value: Value::from(text.as_str()), is_bare: true, spelled: None });
        }
        Source::Field(field) => (&field.of, &field.path, &field.options),
    };
    let field = if field.is_empty() { "metadata.name" } else { field };
    let mut chosen = resources.list.iter().filter(|r| ids(r).iter().any(|id| is_source(id, of)));
    let shown = shown(of, field);
    let resource = chosen.next().ok_or_else(|| format!("nothing selected by {shown}"))?;
    if chosen.next().is_some() {
        return Err(format!("multiple matches for selector {shown}"));
    }
    let root = Value::Object(resource.object.0.clone());
    let found = path::lookup(&root, &path::split(field))
        .map_err(|why| format!("error looking up replacement source: {why}"))?;
    let is_nothing = |value: &&Value| match value {
        Value::Null => true,
        Value::Object(map) => map.is_empty(),
        Value::Array(items) => items.is_empty(),
        _ => false,
    };
    let Some(value) = found.filter(|value| !is_nothing(value)) else {
        return Err(format!("fieldPath `{field}` is missing for replacement source {shown}"));
    };
    let spelled = spelled(resource, value, field);
    let Some(options) = options.as_ref().filter(|options| !options.delimiter.is_empty()) else {
        return Ok(Copied { value: value.clone(), is_bare: false, spelled });
    };
    part_of(value, spelled, options)
}

/// The text that a number was written with, where it says more than the number.
fn spelled(resource: &Resource, value: &Value, field: &str) -> Option<String> {
    if !value.is_number() || resource.spelled.is_empty() {
        return None;
    }
    let mut root = Value::Object(resource.object.0.clone());
    let found = path::matches(&mut root, &path::split(field), None).ok()?;
    let step = |step: &path::Step| match step {
        path::Step::Key(key) => key.clone(),
        path::Step::Index(index) => index.to_string(),
    };
    let at: Vec<String> = found.first()?.steps.iter().map(step).collect();
    let (read, text) = resource.spelled.get(&at)?;
    (read == value).then(|| text.clone())
}

fn part_of(
    value: &Value,
    spelled: Option<String>,
    options: &FieldOptions,
) -> Result<Copied, String> {
    let text = spelled
        .or_else(|| scalar_text(value))
        .ok_or("delimiter option can only be used with scalar nodes")?;
    let part = usize::try_from(options.index).ok();
    let part = part.and_then(|index| text.split(&options.delimiter).nth(index));
    let part = part.ok_or_else(|| {
        format!("options.index {} is out of bounds for value {text}", options.index)
    })?;
    // A part keeps the type of the whole.
    let value = if value.is_string() { Value::from(part) } else { path::plain(part) };
    Ok(Copied { value, is_bare: false, spelled: None })
}

fn shown(of: &Target, field: &str) -> String {
    let or =
        |text: &str, none: &str| if text.is_empty() { none.to_owned() } else { text.to_owned() };
    format!(
        "{}.{}.{}/{}.{}:{field}",
        or(&of.kind, "[noKind]"),
        or(&of.version, "[noVer]"),
        or(&of.group, "[noGrp]"),
        or(&of.name, "[noName]"),
        or(&of.namespace, "[noNs]"),
    )
}

/// The ids that a resource has and had; the namespace of now is as it stands in the object.
fn ids(resource: &Resource) -> Vec<Id> {
    let mut now = resource.id();
    resource.object.namespace().clone_into(&mut now.namespace);
    now.is_cluster_scoped = false;
    let mut ids = vec![now];
    ids.extend(resource.previous_ids());
    ids
}

fn is_source(id: &Id, of: &Target) -> bool {
    let effective = |namespace: &str| {
        if namespace.is_empty() { "default".to_owned() } else { namespace.to_owned() }
    };
    let fits = |wanted: &str, found: &str| wanted.is_empty() || wanted == found;
    fits(&of.name, &id.name)
        && (of.namespace.is_empty() || effective(&of.namespace) == effective(&id.namespace))
        && fits(&of.group, &id.gvk.group)
        && fits(&of.version, &id.gvk.version)
        && fits(&of.kind, &id.gvk.kind)
}

fn write(resources: &mut Resources, value: &Copied, to: &Destination) -> Result<(), String> {
    if size(&value.value) > limits::RENDER_VALUE_BYTES {
        let limit = limits::RENDER_VALUE_BYTES;
        return Err(format!("the value is larger than {limit} bytes"));
    }
    let select = to.select.as_ref().ok_or("target must specify resources to select")?;
    let selector = Selector::new(select)?;
    let rejects: Vec<(&Target, Selector)> = to
        .reject
        .iter()
        .map(|target| Ok((target, Selector::new(target)?)))
        .collect::<Result<_, String>>()?;
    let default = ["metadata.name".to_owned()];
    let paths = if to.paths.is_empty() { default.as_slice() } else { &to.paths };
    for resource in &mut resources.list {
        let ids = ids(resource);
        let is_rejected = rejects.iter().any(|(target, reject)| {
            let by_text = !(target.label_selector.is_empty()
                && target.annotation_selector.is_empty())
                && reject.matches_texts(resource);
            let by_id = !target.names_nothing() && ids.iter().any(|id| reject.matches_id(id));
            by_text || by_id
        });
        if is_rejected
            || !selector.matches_texts(resource)
            || !ids.iter().any(|id| selector.matches_id(id))
        {
            continue;
        }
        let mut root = Value::Object(std::mem::take(&mut Arc::make_mut(&mut resource.object).0));
        let result =
            paths.iter().try_for_each(|path| set_at(&mut root, path, value, to.options.as_ref()));
        if let Value::Object(map) = root {
            resource.object = Arc::new(Object(map));
        }
        result.map_err(|why| format!("{}: {why}", resource.object.id()))?;
        resource.settle();
    }
    Ok(())
}

/// About how many bytes a value takes as text.
fn size(value: &Value) -> usize {
    match value {
        Value::String(text) => text.len(),
        Value::Array(items) => items.iter().map(size).sum::<usize>() + 1,
        Value::Object(map) => map.iter().map(|(key, value)| key.len() + size(value)).sum(),
        _ => 1,
    }
}

fn set_at(
    root: &mut Value,
    field: &str,
    value: &Copied,
    options: Option<&FieldOptions>,
) -> Result<(), String> {
    let parts = path::split(field);
    let create = options.filter(|options| options.create).map(|_| Kind::of(&value.value));
    let mut set = |target: &mut Value, found: &Found| set_field(target, found, value, options);
    if structured::set(root, &parts, create, &mut set)? {
        return Ok(());
    }
    let missing = |why: String| {
        let verb = if create.is_some() { "find or create" } else { "find" };
        let why = if why.is_empty() { why } else { format!(": {why}") };
        format!("unable to {verb} field {field:?} in replacement target{why}")
    };
    let found = path::matches(root, &parts, create).map_err(&missing)?;
    if found.is_empty() {
        return Err(missing(String::new()));
    }
    for found in found.iter().filter(|found| !found.is_lost) {
        if let Some(target) = path::at_mut(root, &found.steps) {
            set(target, found)?;
        }
    }
    Ok(())
}

/// Writes the value, or puts it among the parts of the text that is there. A scalar keeps its
/// type.
fn set_field(
    target: &mut Value,
    found: &Found,
    value: &Copied,
    options: Option<&FieldOptions>,
) -> Result<(), String> {
    let is_scalar = !target.is_object() && !target.is_array();
    let options = options.filter(|options| !options.delimiter.is_empty());
    let Some(options) = options else {
        if !is_scalar || value.value.is_object() || value.value.is_array() {
            *target = match value {
                Copied { value, is_bare: true, .. } if !is_scalar => {
                    path::plain(&scalar_text(value).unwrap_or_default())
                }
                // A scalar takes the text of a map or list, which has none.
                _ if is_scalar => return retype(target, found, ""),
                Copied { value, .. } => value.clone(),
            };
            return Ok(());
        }
        return retype(target, found, &value.text());
    };
    if !is_scalar {
        return Err("delimiter option can only be used with scalar nodes".to_owned());
    }
    let text = if found.is_made { String::new() } else { scalar_text(target).unwrap_or_default() };
    let mut parts: Vec<String> = text.split(&options.delimiter).map(str::to_owned).collect();
    let part = value.text();
    match usize::try_from(options.index) {
        Err(_) => parts.insert(0, part),
        Ok(index) if index >= parts.len() => parts.push(part),
        Ok(index) => parts[index] = part,
    }
    retype(target, found, &parts.join(&options.delimiter))
}

/// Gives a scalar another text and leaves it its type.
fn retype(target: &mut Value, found: &Found, text: &str) -> Result<(), String> {
    if !found.is_made && target.is_string() {
        *target = Value::from(text);
        return Ok(());
    }
    let new = path::plain(text);
    let fits = found.is_made
        || match target {
            Value::Bool(_) => new.is_boolean(),
            Value::Number(old) if old.is_f64() => new.is_number(),
            Value::Number(_) => new.is_i64() || new.is_u64(),
            _ => new.is_null(),
        };
    if !fits {
        return Err(format!("{text:?} is no value of the type of {target}"));
    }
    *target = new;
    Ok(())
}
