//! How a kustomization file speaks of objects: targets of patches, sources and targets of
//! replacements, vars. Only reading; what they select is decided in `select`.

use super::decode::{Decoder, Place, Text, place};
use crate::engine::model::RenderError;
use crate::object::yaml::spanned::Node;

/// Which objects are meant; what is empty matches all.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Target {
    pub(super) group: String,
    pub(super) version: String,
    pub(super) kind: String,
    pub(super) name: String,
    pub(super) namespace: String,
    pub(super) label_selector: String,
    pub(super) annotation_selector: String,
    pub(super) place: Place,
}

/// A field of an object, or a part of its text.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct FieldOptions {
    pub(super) delimiter: String,
    pub(super) index: i64,
    pub(super) create: bool,
}

/// Where the value of a replacement comes from.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Source {
    Value(String),
    Field(Box<FieldSource>),
}

/// A field of an object.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct FieldSource {
    pub(super) of: Target,
    pub(super) path: String,
    pub(super) options: Option<FieldOptions>,
}

/// Where the value of a replacement goes.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Destination {
    pub(super) select: Option<Target>,
    pub(super) reject: Vec<Target>,
    pub(super) paths: Vec<String>,
    pub(super) options: Option<FieldOptions>,
}

/// A replacement; without a source or a destination it is refused where it is used.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Replacement {
    pub(super) source: Option<Source>,
    /// Whether both a value and a field are given as the source.
    pub(super) has_two_sources: bool,
    pub(super) destinations: Vec<Destination>,
    pub(super) place: Place,
}

/// An entry of `replacements`: one, or a file with some.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum ReplacementEntry {
    Inline(Box<Replacement>),
    File(Text),
}

/// An entry of `vars`.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Var {
    pub(super) name: String,
    pub(super) object: Target,
    pub(super) field_path: String,
    pub(super) place: Place,
}

const TARGET: [&str; 7] =
    ["group", "version", "kind", "name", "namespace", "labelSelector", "annotationSelector"];

impl Target {
    /// Whether it says nothing about ids.
    pub(super) fn names_nothing(&self) -> bool {
        [&self.group, &self.version, &self.kind, &self.name, &self.namespace]
            .iter()
            .all(|part| part.is_empty())
    }

    fn set(&mut self, name: &str, text: String) {
        match name {
            "group" => self.group = text,
            "version" => self.version = text,
            "kind" => self.kind = text,
            "name" => self.name = text,
            "namespace" => self.namespace = text,
            "labelSelector" => self.label_selector = text,
            _ => self.annotation_selector = text,
        }
    }
}

pub(super) fn target(decoder: Decoder<'_>, node: &Node) -> Result<Target, RenderError> {
    let mut target = Target { place: place(node), ..Target::default() };
    for (name, value, _) in decoder.fields(node, "target", &TARGET)? {
        target.set(name, decoder.text(value)?.text);
    }
    Ok(target)
}

pub(super) fn replacement_entry(
    decoder: Decoder<'_>,
    node: &Node,
) -> Result<ReplacementEntry, RenderError> {
    let known = ["path", "source", "sourceValue", "targets"];
    let fields = decoder.fields(node, "replacement", &known)?;
    let path = fields.iter().find(|(name, ..)| *name == "path");
    let path = path.map(|(_, value, _)| decoder.text(value)).transpose()?;
    let Some(path) = path.filter(|path| !path.text.is_empty()) else {
        return replacement(decoder, node).map(Box::new).map(ReplacementEntry::Inline);
    };
    if fields.iter().any(|(name, ..)| matches!(*name, "source" | "targets")) {
        let message = "a replacement is either in a file (path) or written here".to_owned();
        return Err(decoder.error(place(node), message));
    }
    Ok(ReplacementEntry::File(path))
}

pub(super) fn replacement(decoder: Decoder<'_>, node: &Node) -> Result<Replacement, RenderError> {
    let known = ["path", "source", "sourceValue", "targets"];
    let mut read = Replacement { place: place(node), ..Replacement::default() };
    let (mut value_given, mut field_given) = (None, None);
    for (name, value, _) in decoder.fields(node, "replacement", &known)? {
        match name {
            "source" => field_given = Some(source(decoder, value)?),
            "sourceValue" => value_given = Some(Source::Value(decoder.text(value)?.text)),
            "targets" => {
                read.destinations = decoder.list(value, |item| destination(decoder, item))?;
            }
            _ => {}
        }
    }
    read.has_two_sources = value_given.is_some() && field_given.is_some();
    read.source = value_given.or(field_given);
    Ok(read)
}

fn source(decoder: Decoder<'_>, node: &Node) -> Result<Source, RenderError> {
    let known = ["group", "version", "kind", "name", "namespace", "fieldPath", "options"];
    let mut of = Target { place: place(node), ..Target::default() };
    let (mut path, mut options) = (String::new(), None);
    for (name, value, _) in decoder.fields(node, "replacement source", &known)? {
        match name {
            "fieldPath" => path = decoder.text(value)?.text,
            "options" => options = Some(field_options(decoder, value)?),
            _ => of.set(name, decoder.text(value)?.text),
        }
    }
    Ok(Source::Field(Box::new(FieldSource { of, path, options })))
}

fn destination(decoder: Decoder<'_>, node: &Node) -> Result<Destination, RenderError> {
    let known = ["select", "reject", "fieldPaths", "options"];
    let mut read = Destination::default();
    for (name, value, _) in decoder.fields(node, "replacement target", &known)? {
        match name {
            "select" => read.select = Some(target(decoder, value)?),
            "reject" => read.reject = decoder.list(value, |item| target(decoder, item))?,
            "fieldPaths" => {
                let texts = decoder.texts(value)?;
                read.paths = texts.into_iter().map(|text| text.text).collect();
            }
            _ => read.options = Some(field_options(decoder, value)?),
        }
    }
    Ok(read)
}

fn field_options(decoder: Decoder<'_>, node: &Node) -> Result<FieldOptions, RenderError> {
    let known = ["delimiter", "index", "encoding", "create"];
    let mut options = FieldOptions::default();
    for (name, value, _) in decoder.fields(node, "field option", &known)? {
        match name {
            "delimiter" => options.delimiter = decoder.text(value)?.text,
            "index" => options.index = decoder.integer(value)?,
            "create" => options.create = decoder.flag(value)?,
            // Known, and without effect upstream too.
            _ => drop(decoder.text(value)?),
        }
    }
    Ok(options)
}

pub(super) fn var(decoder: Decoder<'_>, node: &Node) -> Result<Var, RenderError> {
    let mut var = Var { place: place(node), ..Var::default() };
    for (name, value, _) in decoder.fields(node, "var", &["name", "objref", "fieldref"])? {
        match name {
            "name" => var.name = decoder.text(value)?.text,
            "objref" => var.object = object_reference(decoder, value)?,
            _ => {
                for (_, value, _) in decoder.fields(value, "fieldref", &["fieldPath"])? {
                    var.field_path = decoder.text(value)?.text;
                }
            }
        }
    }
    if var.field_path.is_empty() {
        "metadata.name".clone_into(&mut var.field_path);
    }
    Ok(var)
}

fn object_reference(decoder: Decoder<'_>, node: &Node) -> Result<Target, RenderError> {
    let known = ["apiVersion", "group", "version", "kind", "name", "namespace"];
    let mut target = Target { place: place(node), ..Target::default() };
    let mut api_version = String::new();
    for (name, value, _) in decoder.fields(node, "objref", &known)? {
        let text = decoder.text(value)?.text;
        if name == "apiVersion" {
            api_version = text;
        } else {
            target.set(name, text);
        }
    }
    // An apiVersion of more than two parts says nothing.
    match api_version.split('/').collect::<Vec<_>>().as_slice() {
        [version] if !version.is_empty() => target.version = (*version).to_owned(),
        [group, version] => {
            target.group = (*group).to_owned();
            target.version = (*version).to_owned();
        }
        _ => {}
    }
    Ok(target)
}
