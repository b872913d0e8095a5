//! The changes that a kustomization asks for, made ready, and carrying them out.

use std::collections::BTreeMap;

use super::decode::{Decoder, Place, Text};
use super::fieldspec::{Create, FieldSpec};
use super::kustomization::{Image, Patch, Replica};
use super::namespace::Setting;
use super::patch::{self, Read, Source};
use super::resource::{Resource, Resources};
use super::schema::View;
use super::select::Selector;
use super::selectors::{Replacement, Target};
use super::{hash, images, labels, names, namespace, origin, replace, replicas};
use crate::engine::model::RenderError;
use crate::engine::render::cache::Parsed;
use crate::object::Value;

/// A change, with all that it needs at hand.
pub(super) enum Transformer {
    Strategic(Vec<(Loaded, Vec<Parsed>)>),
    Patch {
        patch: Patch,
        read: Read,
        loaded: Loaded,
    },
    Json {
        patch: Patch,
        read: Read,
        loaded: Loaded,
    },
    Namespace(Setting),
    Prefix(String, Vec<FieldSpec>),
    Suffix(String, Vec<FieldSpec>),
    /// Labels or annotations.
    Texts(BTreeMap<String, String>, Vec<FieldSpec>),
    Replicas(Replica, Vec<FieldSpec>),
    Image(Image, Vec<FieldSpec>),
    Replacements(Vec<Replacement>),
    Values(Vec<ValueAdd>),
    /// One after the other.
    Both(Box<Transformer>, Box<Transformer>),
    Hash,
}

/// A text that was read, and where it stands.
pub(super) struct Loaded {
    pub(super) file: String,
    pub(super) text: String,
    pub(super) inline: Option<Place>,
    pub(super) view: View,
}

impl Loaded {
    pub(super) fn source(&self) -> Source<'_> {
        Source { text: &self.text, file: &self.file, inline: self.inline, view: &self.view }
    }
}

/// A value that is added to a field of some objects.
#[derive(Clone, Debug, Default)]
pub(super) struct ValueAdd {
    pub(super) value: String,
    pub(super) target: Option<Target>,
    pub(super) path: String,
    /// Where in a path of a file system it goes; 0: it takes the place of the whole.
    pub(super) position: i64,
}

impl Transformer {
    /// Changes the resources; `decoder` stands for the file that asks for it.
    ///
    /// # Errors
    /// As the change says.
    pub(super) fn run(
        &self,
        resources: &mut Resources,
        decoder: Decoder<'_>,
    ) -> Result<(), RenderError> {
        match self {
            Self::Strategic(loaded) => loaded.iter().try_for_each(|(loaded, parsed)| {
                patch::apply_strategic(resources, parsed, &loaded.source())
            }),
            Self::Patch { patch, read, loaded } => {
                patch::apply(resources, patch, read, decoder, &loaded.source())
            }
            Self::Json { patch, read, loaded } => {
                json_patch(resources, patch, read, decoder, loaded)
            }
            Self::Namespace(setting) => namespace::apply(resources, setting),
            Self::Prefix(prefix, fields) => names::apply_prefix(resources, prefix, fields),
            Self::Suffix(suffix, fields) => names::apply_suffix(resources, suffix, fields),
            Self::Texts(pairs, fields) => labels::apply(resources, pairs, fields),
            Self::Replicas(replica, fields) => {
                if replicas::apply(resources, replica, fields)? {
                    return Ok(());
                }
                let name: &Text = &replica.name;
                let kinds: Vec<&str> = fields.iter().map(FieldSpec::kind).collect();
                let kinds = kinds.join(", ");
                let message = format!("no {kinds} with replicas is called {:?}", name.text);
                Err(decoder.error(name.place, message))
            }
            Self::Image(image, fields) => images::apply(resources, image, fields),
            Self::Replacements(replacements) => replace::apply(resources, replacements, decoder),
            Self::Values(values) => {
                values.iter().try_for_each(|value| add_value(resources, value, decoder))
            }
            Self::Both(first, second) => {
                first.run(resources, decoder)?;
                second.run(resources, decoder)
            }
            Self::Hash => {
                hash::add_to_names(resources);
                Ok(())
            }
        }
    }

    /// As [`run`](Self::run), and notes on every object that this was done.
    pub(super) fn run_noted(
        &self,
        resources: &mut Resources,
        decoder: Decoder<'_>,
        note: Option<&origin::Provenance>,
    ) -> Result<(), RenderError> {
        self.run(resources, decoder)?;
        if let Some(note) = note {
            resources.list.iter_mut().for_each(|resource| origin::note_change(resource, note));
        }
        resources.list.retain(|resource| !resource.object.0.is_empty());
        Ok(())
    }
}

fn json_patch(
    resources: &mut Resources,
    patch: &Patch,
    read: &Read,
    decoder: Decoder<'_>,
    loaded: &Loaded,
) -> Result<(), RenderError> {
    let wrong = |message: &str| Err(decoder.error(patch.place, message.to_owned()));
    let Some(aim) = patch.target.as_ref().filter(|aim| !aim.name.is_empty()) else {
        return wrong("the target of a JSON patch needs a name");
    };
    match read {
        Read::Json(operations) if !operations.is_empty() => {
            patch::apply_json(resources, aim, operations, decoder, &loaded.source(), false)
        }
        _ => {
            let message = match &patch.path {
                Some(path) => format!("{:?} holds no JSON patch, a list of operations", path.text),
                None => "this is no JSON patch, a list of operations".to_owned(),
            };
            wrong(&message)
        }
    }
}

fn add_value(
    resources: &mut Resources,
    add: &ValueAdd,
    decoder: Decoder<'_>,
) -> Result<(), RenderError> {
    let selector = match &add.target {
        Some(target) => {
            Some(Selector::new(target).map_err(|why| decoder.error(target.place, why))?)
        }
        None => None,
    };
    let chosen = |resource: &&mut Resource| {
        selector.as_ref().is_none_or(|selector| selector.matches(resource))
    };
    for resource in resources.list.iter_mut().filter(chosen) {
        let result = if add.path == "metadata/namespace" {
            let setting = Setting { namespace: add.value.clone(), ..Setting::default() };
            namespace::set(resource, &setting)
        } else {
            let mut set = |value: &mut Value| set_value(value, add);
            FieldSpec::any(&add.path, true).apply_always(
                resource.object_mut(),
                Create::Scalar,
                &mut set,
            )
        };
        result.map_err(|why| resource.error(&why))?;
    }
    Ok(())
}

fn set_value(value: &mut Value, add: &ValueAdd) -> Result<(), String> {
    let old = super::fieldspec::scalar_text(value).ok_or("expected a scalar")?;
    let old = if value.is_null() { String::new() } else { old };
    let Ok(position @ 1..) = usize::try_from(add.position) else {
        *value = Value::from(add.value.as_str());
        return Ok(());
    };
    let (root, rest) = match old.strip_prefix('/') {
        Some(rest) => ("/", rest),
        None => ("", old.as_str()),
    };
    let mut parts: Vec<&str> = rest.split('/').filter(|part| !part.is_empty()).collect();
    parts.insert((position - 1).min(parts.len()), &add.value);
    *value = Value::from(format!("{root}{}", parts.join("/")));
    Ok(())
}
