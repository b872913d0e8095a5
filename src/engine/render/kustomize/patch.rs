//! `patches` and its older forms `patchesStrategicMerge` and `patchesJson6902`: reading a patch,
//! finding what it is for, and applying it.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::decode::{Decoder, Place, Text};
use super::json6902::{self, Operation};
use super::kustomization::Patch;
use super::merge;
use super::resource::{Resource, Resources};
use super::schema::View;
use super::select::Selector;
use super::selectors::Target;
use super::shared::Shared;
use crate::engine::model::RenderError;
use crate::engine::render::cache::Parsed;
use crate::engine::render::reader;
use crate::object::yaml::{Dialect, YamlError, spanned};
use crate::object::{Map, Object, Value};

/// The text of a patch and where it came from.
pub(super) struct Source<'t> {
    pub(super) text: &'t str,
    /// The file that messages name.
    pub(super) file: &'t str,
    /// Where the text stands in that file, if it is written inline.
    pub(super) inline: Option<Place>,
    /// How lists are merged.
    pub(super) view: &'t View,
}

/// A patch that was read.
pub(super) enum Read {
    Strategic(Vec<Parsed>),
    Json(Vec<Operation>),
}

impl Source<'_> {
    /// An error at a line of the patch.
    pub(super) fn error(&self, line: usize, column: usize, message: String) -> RenderError {
        let (line, column) = match self.inline {
            None => (line, column),
            Some(place) if place.block => {
                (place.line + line.saturating_sub(1), place.column + column.saturating_sub(1))
            }
            Some(place) => (place.line, place.column),
        };
        RenderError { file: self.file.to_owned(), line, column, message }
    }

    fn yaml_error(&self, error: YamlError) -> RenderError {
        self.error(error.line, error.column, error.message)
    }

    /// Reads a patch of either kind: a list is a JSON patch, a map a strategic merge.
    ///
    /// # Errors
    /// Where it is neither, or nothing at all.
    pub(super) fn read(&self) -> Result<Read, RenderError> {
        let documents = spanned::documents(self.text).map_err(|error| self.yaml_error(error))?;
        match documents.first() {
            // A file with nothing but comments is a patch that does nothing.
            None => Ok(Read::Strategic(Vec::new())),
            Some(first) if matches!(first.content, spanned::Content::Seq(_)) => {
                // What starts as JSON has to be JSON, even where it would do as YAML.
                let text = if self.inline.is_some() { self.text.trim() } else { self.text };
                if text.starts_with('[') {
                    serde_json::from_str::<Value>(text).map_err(|error| {
                        self.error(error.line(), error.column(), format!("no JSON: {error}"))
                    })?;
                }
                let operations = json6902::read(first);
                operations.map(Read::Json).map_err(|(line, why)| self.error(line, 1, why))
            }
            Some(_) => self.read_strategic().map(Read::Strategic),
        }
    }

    /// Reads a strategic merge patch, of one or more documents.
    pub(super) fn read_strategic(&self) -> Result<Vec<Parsed>, RenderError> {
        let parsed = reader::parse_objects(self.text, Dialect::Kustomize)
            .map_err(|error| self.yaml_error(error))?;
        for patch in &parsed {
            let missing = match (patch.object.kind(), patch.object.name()) {
                ("", _) => "kind",
                (_, "") => "metadata.name",
                _ => continue,
            };
            return Err(self.error(patch.line, 1, format!("the patch lacks {missing}")));
        }
        Ok(parsed)
    }
}

/// Applies an entry of `patches` that was read from `source`.
pub(super) fn apply(
    resources: &mut Resources,
    patch: &Patch,
    read: &Read,
    decoder: Decoder<'_>,
    source: &Source<'_>,
) -> Result<(), RenderError> {
    match (read, &patch.target) {
        (Read::Strategic(parsed), _) if parsed.is_empty() => Ok(()),
        (Read::Json(_), None) => {
            let message = "a JSON patch needs a target".to_owned();
            Err(decoder.error(patch.place, message))
        }
        (Read::Json(operations), Some(target)) => {
            apply_json(resources, target, operations, decoder, source, true)
        }
        (Read::Strategic(parsed), Some(target)) => {
            let [parsed] = parsed.as_slice() else {
                let message = "with a target, a patch has one document".to_owned();
                return Err(decoder.error(patch.place, message));
            };
            let selector = selector(target, decoder)?;
            let chosen = |resource: &Resource| selector.matches(resource);
            apply_to(resources, chosen, parsed, patch, source)
        }
        (Read::Strategic(parsed), None) => parsed.iter().try_for_each(|parsed| {
            let at = only_match(resources, parsed, source)?;
            merge_into(&mut resources.list[at], &parsed.object, parsed, patch, source)
        }),
    }
    .map(|()| resources.list.retain(|resource| !resource.object.0.is_empty()))
}

fn selector(target: &Target, decoder: Decoder<'_>) -> Result<Selector, RenderError> {
    Selector::new(target).map_err(|why| decoder.error(target.place, why))
}

/// Applies the patches of an entry of `patchesStrategicMerge`.
pub(super) fn apply_strategic(
    resources: &mut Resources,
    parsed: &[Parsed],
    source: &Source<'_>,
) -> Result<(), RenderError> {
    for parsed in parsed {
        let at = only_match(resources, parsed, source)?;
        let id = resources.list[at].id();
        apply_to(resources, |resource| resource.id() == id, parsed, &Patch::default(), source)?;
        resources.list.retain(|resource| !resource.object.0.is_empty());
    }
    Ok(())
}

/// Applies a JSON patch to what `target` selects. `stores_id`: what it renames is still known by
/// its old name.
pub(super) fn apply_json(
    resources: &mut Resources,
    target: &Target,
    operations: &[Operation],
    decoder: Decoder<'_>,
    source: &Source<'_>,
    stores_id: bool,
) -> Result<(), RenderError> {
    let selector = selector(target, decoder)?;
    for resource in resources.list.iter_mut().filter(|resource| selector.matches(resource)) {
        if stores_id {
            resource.store_id();
        }
        let what = resource.object.id();
        // Upstream keeps former names in annotations, so that these are there to be patched.
        let is_noted = resource.was_renamed();
        let object = resource.object_mut();
        if is_noted && object.at(&["metadata", "annotations"]).is_none_or(Value::is_null) {
            object.set(&["metadata", "annotations"], Value::Object(Map::new()));
        }
        json6902::apply(object, operations)
            .map_err(|why| source.error(1, 1, format!("the patch does not fit {what}: {why}")))?;
        // The object went through JSON, which has one null and no text besides values.
        resource.bare_nulls = Arc::default();
        resource.raw = Arc::default();
        resource.spelled = Arc::default();
        resource.shared = Shared::default();
    }
    Ok(())
}

/// The one resource that a patch without a target names, now or before.
fn only_match(
    resources: &Resources,
    parsed: &Parsed,
    source: &Source<'_>,
) -> Result<usize, RenderError> {
    let patch = Resource::new(parsed, crate::engine::model::Origin::default())?;
    let id = patch.id();
    let mut found = resources
        .list
        .iter()
        .enumerate()
        .filter(|(_, r)| r.any_id_named(&id.name, |other| *other == id));
    let what = patch.object.id();
    match (found.next(), found.next()) {
        (Some((at, _)), None) => Ok(at),
        (None, _) => {
            let kinds = near(resources, &patch.object);
            Err(source.error(
                parsed.line,
                1,
                format!("nothing matches the patch for {what}{kinds}"),
            ))
        }
        (Some((_, a)), Some((_, b))) => {
            let message = format!(
                "the patch for {what} matches two objects, at {} and {}",
                a.origin, b.origin
            );
            Err(source.error(parsed.line, 1, message))
        }
    }
}

/// What of the patch's name or kind is there, to help a reader see what is off.
fn near(resources: &Resources, patch: &Object) -> String {
    let same_kind = |r: &&Resource| r.object.kind() == patch.kind();
    let names: Vec<&str> =
        resources.list.iter().filter(same_kind).map(|r| r.object.name()).collect();
    let same_name = resources
        .list
        .iter()
        .find(|r| r.object.name() == patch.name() && r.object.kind() == patch.kind());
    if let Some(found) = same_name {
        let namespace = found.object.namespace();
        return format!("; there is one in {} {namespace:?}", found.object.api_version());
    }
    let nearest = names.iter().min_by_key(|n| strsim::damerau_levenshtein(n, patch.name()));
    nearest.map(|name| format!("; there is {} {name}", patch.kind())).unwrap_or_default()
}

/// Merges a patch into every resource that is chosen. Labels and annotations of the patch are
/// taken as text here, null too, as kustomize does on this way and not on the other.
fn apply_to(
    resources: &mut Resources,
    chosen: impl Fn(&Resource) -> bool,
    parsed: &Parsed,
    options: &Patch,
    source: &Source<'_>,
) -> Result<(), RenderError> {
    let origin = crate::engine::model::Origin::default();
    let mut patch = Resource::new(parsed, origin)?;
    for field in ["labels", "annotations"] {
        let texts = patch.texts(field);
        patch.set_texts(field, texts);
    }
    let chosen: Vec<usize> =
        (0..resources.list.len()).filter(|at| chosen(&resources.list[*at])).collect();
    for at in chosen {
        let resource = &mut resources.list[at];
        let mut object = (*patch.object).clone();
        object.set(&["apiVersion"], Value::from(resource.object.api_version()));
        merge_into(resource, &object, parsed, options, source)?;
    }
    match resources.first_twins().filter(|(first, _)| !first.object.0.is_empty()) {
        None => Ok(()),
        Some((first, second)) => {
            let message = format!("the patch makes {} of two objects", first.object.id());
            let message = format!("{message}, at {} and {}", first.origin, second.origin);
            Err(source.error(parsed.line, 1, message))
        }
    }
}

/// Merges a patch into one resource; what is deleted stays as an empty object until the list is
/// swept.
fn merge_into(
    resource: &mut Resource,
    patch: &Object,
    parsed: &Parsed,
    options: &Patch,
    source: &Source<'_>,
) -> Result<(), RenderError> {
    let [name, namespace, kind] = [
        resource.object.name().to_owned(),
        resource.object.namespace().to_owned(),
        resource.object.kind().to_owned(),
    ];
    if options.allow_name_change || options.allow_kind_change {
        resource.store_id();
    }
    // At the very top the directive does nothing: what it makes is not taken over.
    if patch.text(&["$patch"]) == Some("replace") {
        return Ok(());
    }
    let bare_nulls = std::mem::take(&mut resource.bare_nulls);
    let mut object = Arc::unwrap_or_clone(std::mem::take(&mut resource.object));
    merge::drop_bare_nulls(&mut object, &bare_nulls, source.view);
    let what = object.id();
    let merged = merge::merge(object, patch, source.view).map_err(|why| {
        source.error(parsed.line, 1, format!("the patch does not fit {what}: {why}"))
    })?;
    let Some(mut merged) = merged else { return Ok(()) };
    if !options.allow_kind_change {
        merged.set(&["kind"], Value::String(kind.into()));
    }
    if !options.allow_name_change {
        merged.set(&["metadata", "name"], Value::String(name.into()));
    }
    if namespace.is_empty() {
        merged.remove(&["metadata", "namespace"]);
    } else {
        merged.set(&["metadata", "namespace"], Value::String(namespace.into()));
    }
    resource.object = Arc::new(merged);
    resource.settle();
    if !parsed.raw.is_empty() {
        let mut raw: BTreeMap<_, _> = (*resource.raw).clone();
        raw.extend(parsed.raw.iter().map(|(key, value)| (key.clone(), value.clone())));
        resource.raw = Arc::new(raw);
    }
    Ok(())
}

/// Where an inline text stands.
pub(super) fn inline(text: &Text) -> Option<Place> {
    Some(text.place)
}
