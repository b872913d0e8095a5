//! `configMapGenerator` and `secretGenerator`: objects made of literals and files, and how one is
//! merged into an object that is there.
//!
//! The hash in their names is `hash`; it is added at the end of the build, over what the
//! transformers made of the object.

use std::collections::BTreeMap;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;

use super::decode::{Decoder, Place, Text, place};
use super::resource::{Resource, Resources};
use crate::engine::model::{Origin, RenderError};
use crate::object::yaml::spanned::Node;
use crate::object::{Key, Map, Object, Value, json};

/// Longest line of an env file that is read; from a longer one on, upstream reads nothing more.
const LINE_BYTES: usize = 64 * 1024;

/// An entry of `configMapGenerator` or `secretGenerator`.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Generator {
    pub(super) is_secret: bool,
    pub(super) name: String,
    pub(super) namespace: String,
    pub(super) behavior: Behavior,
    pub(super) literals: Vec<Text>,
    pub(super) files: Vec<Text>,
    pub(super) envs: Vec<Text>,
    pub(super) options: Option<GeneratorOptions>,
    /// Of a secret; empty for `Opaque`.
    pub(super) secret_type: String,
    pub(super) place: Place,
}

/// What becomes of an object that is there already.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Behavior {
    /// It is an error.
    #[default]
    Create,
    Replace,
    Merge,
}

/// The field `generatorOptions`, or the options of one generator.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct GeneratorOptions {
    labels: BTreeMap<String, String>,
    annotations: BTreeMap<String, String>,
    disable_hash: bool,
    immutable: bool,
}

impl GeneratorOptions {
    /// One's own options over those of all; a flag that all set cannot be taken back.
    fn over(own: Option<&Self>, all: Option<&Self>) -> Self {
        let mut options = own.cloned().unwrap_or_default();
        if let Some(all) = all {
            for (key, text) in &all.labels {
                options.labels.entry(key.clone()).or_insert_with(|| text.clone());
            }
            for (key, text) in &all.annotations {
                options.annotations.entry(key.clone()).or_insert_with(|| text.clone());
            }
            options.disable_hash |= all.disable_hash;
            options.immutable |= all.immutable;
        }
        options
    }
}

pub(super) fn generator(
    decoder: Decoder<'_>,
    node: &Node,
    is_secret: bool,
) -> Result<Generator, RenderError> {
    let mut known =
        vec!["name", "namespace", "behavior", "literals", "files", "envs", "env", "options"];
    if is_secret {
        known.push("type");
    }
    if decoder.lenient {
        known.push("metadata");
    }
    let mut read = Generator { is_secret, place: place(node), ..Generator::default() };
    let (mut last_env, mut metadata) = (None, BTreeMap::new());
    for (name, value, _) in decoder.fields(node, "generator", &known)? {
        match name {
            "name" => read.name = decoder.text(value)?.text,
            "namespace" => read.namespace = decoder.text(value)?.text,
            "behavior" => {
                read.behavior = match decoder.text(value)?.text.as_str() {
                    "merge" => Behavior::Merge,
                    "replace" => Behavior::Replace,
                    // Whatever else is written is not looked at upstream either.
                    _ => Behavior::Create,
                };
            }
            "literals" => read.literals = decoder.texts(value)?,
            "files" => read.files = decoder.texts(value)?,
            "envs" => read.envs = decoder.texts(value)?,
            "env" => last_env = Some(decoder.text(value)?),
            "options" => read.options = Some(generator_options(decoder, value)?),
            "type" => read.secret_type = decoder.text(value)?.text,
            _ => {
                for (name, value, _) in decoder.fields(value, "metadata", &["name", "namespace"])? {
                    metadata.insert(name, decoder.text(value)?.text);
                }
            }
        }
    }
    read.envs.extend(last_env.filter(|env| !env.text.is_empty()));
    for (field, name) in [(&mut read.name, "name"), (&mut read.namespace, "namespace")] {
        if field.is_empty() {
            *field = metadata.remove(name).unwrap_or_default();
        }
    }
    Ok(read)
}

pub(super) fn generator_options(
    decoder: Decoder<'_>,
    node: &Node,
) -> Result<GeneratorOptions, RenderError> {
    let known = ["labels", "annotations", "disableNameSuffixHash", "immutable"];
    let mut options = GeneratorOptions::default();
    for (name, value, _) in decoder.fields(node, "generator option", &known)? {
        match name {
            "labels" => options.labels = decoder.text_map(value)?,
            "annotations" => options.annotations = decoder.text_map(value)?,
            "disableNameSuffixHash" => options.disable_hash = decoder.flag(value)?,
            _ => options.immutable = decoder.flag(value)?,
        }
    }
    Ok(options)
}

/// Gives the bytes of a file that a generator names.
pub(super) type Load<'l> = &'l mut dyn FnMut(&Text) -> Result<Arc<[u8]>, RenderError>;

/// Makes the object of a generator; `load` gives the bytes of a file that it names.
///
/// # Errors
/// Where it has no name, names a file that cannot be had, or gives a key twice.
pub(super) fn generate(
    generator: &Generator,
    all: Option<&GeneratorOptions>,
    decoder: Decoder<'_>,
    load: Load<'_>,
) -> Result<Resource, RenderError> {
    let options = GeneratorOptions::over(generator.options.as_ref(), all);
    if generator.name.is_empty() {
        return Err(decoder.error(generator.place, "a generator needs a name".to_owned()));
    }
    let mut metadata = json!({"name": generator.name});
    if !generator.namespace.is_empty() {
        metadata["namespace"] = Value::from(generator.namespace.as_str());
    }
    for (field, texts) in [("labels", &options.labels), ("annotations", &options.annotations)] {
        if !texts.is_empty() {
            metadata[field] = json!(texts);
        }
    }
    let kind = if generator.is_secret { "Secret" } else { "ConfigMap" };
    let mut object = Map::new();
    object.insert("apiVersion".to_owned(), Value::from("v1"));
    object.insert("kind".to_owned(), Value::from(kind));
    object.insert("metadata".to_owned(), metadata);
    let pairs = pairs(generator, decoder, load)?;
    if generator.is_secret {
        let of = if generator.secret_type.is_empty() { "Opaque" } else { &generator.secret_type };
        object.insert("type".to_owned(), Value::from(of));
        let data = pairs.into_iter().map(|(key, bytes)| (key, Value::from(base64(&bytes))));
        object.insert("data".to_owned(), Value::Object(data.collect()));
    } else {
        insert_data(&mut object, pairs);
    }
    if options.immutable {
        object.insert("immutable".to_owned(), Value::Bool(true));
    }
    let origin = Origin { file: decoder.file.to_owned(), line: generator.place.line };
    Ok(Resource::generated(Object(object), origin, !options.disable_hash, generator.behavior))
}

fn insert_data(object: &mut Map, pairs: BTreeMap<String, Vec<u8>>) {
    for (key, bytes) in pairs {
        let (field, text) = match String::from_utf8(bytes) {
            Ok(text) => ("data", text),
            Err(error) => ("binaryData", base64(error.as_bytes())),
        };
        let data = object.entry(field).or_insert_with(|| Value::Object(Map::new()));
        if let Value::Object(data) = data {
            data.insert(key, Value::String(text.into()));
        }
    }
}

/// Base64 in lines of 70, as kustomize writes what does not fit on one.
fn base64(bytes: &[u8]) -> String {
    const LINE: usize = 70;
    let text = BASE64.encode(bytes);
    if text.len() < LINE {
        return text;
    }
    let mut lines = String::with_capacity(text.len() + text.len() / LINE + 1);
    for (at, c) in text.char_indices() {
        lines.push(c);
        if (at + 1) % LINE == 0 {
            lines.push('\n');
        }
    }
    if !lines.ends_with('\n') {
        lines.push('\n');
    }
    lines
}

/// The keys and values of a generator: of env files, literals, then files.
fn pairs(
    generator: &Generator,
    decoder: Decoder<'_>,
    load: Load<'_>,
) -> Result<BTreeMap<String, Vec<u8>>, RenderError> {
    let mut pairs = BTreeMap::new();
    let mut add = |key: String, value: Vec<u8>, at: &Text| {
        if pairs.contains_key(&key) {
            let message = format!("{} repeats the key {key:?}", generator.name);
            return Err(decoder.error(at.place, message));
        }
        pairs.insert(key, value);
        Ok(())
    };
    for env in &generator.envs {
        let bytes = load(env)?;
        for (key, value) in env_lines(&bytes).map_err(|why| decoder.error(env.place, why))? {
            add(key, value, env)?;
        }
    }
    for literal in &generator.literals {
        let Some((key, value)) = literal.text.split_once('=').filter(|(key, _)| !key.is_empty())
        else {
            let message = format!("invalid literal source {:?}, expected key=value", literal.text);
            return Err(decoder.error(literal.place, message));
        };
        add(key.to_owned(), unquoted(value).as_bytes().to_vec(), literal)?;
    }
    for file in &generator.files {
        let (key, path) = file_source(&file.text).map_err(|why| decoder.error(file.place, why))?;
        let bytes = load(&Text { text: path, place: file.place })?;
        add(key, bytes.to_vec(), file)?;
    }
    Ok(pairs)
}

/// The lines `KEY=value` of an env file; blank ones and comments say nothing.
fn env_lines(bytes: &[u8]) -> Result<Vec<(String, Vec<u8>)>, String> {
    let mut pairs = Vec::new();
    let body = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    if bytes.is_empty() {
        return Ok(pairs);
    }
    for (at, line) in body.split(|b| *b == b'\n').enumerate() {
        if line.len() >= LINE_BYTES {
            break;
        }
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let line = std::str::from_utf8(line)
            .map_err(|_| format!("line {} of the env file is no UTF-8 text", at + 1))?;
        let line = if at == 0 { line.trim_start_matches('\u{feff}') } else { line };
        let line = line.trim_start();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let (key, value) = line.split_once('=').unwrap_or((line, ""));
        if !key.is_empty() {
            pairs.push((key.to_owned(), value.as_bytes().to_vec()));
        }
    }
    Ok(pairs)
}

/// A text without the quotes around it, if it has a pair of them.
fn unquoted(text: &str) -> &str {
    for quote in ['"', '\''] {
        if text.len() >= 2
            && let Some(inner) = text.strip_prefix(quote).and_then(|t| t.strip_suffix(quote))
        {
            return inner;
        }
    }
    text
}

/// Key and path of `key=path`, or of a path whose last part is the key.
fn file_source(source: &str) -> Result<(String, String), String> {
    match source.matches('=').count() {
        0 => {
            let trimmed = source.trim_end_matches('/');
            let key = trimmed.rsplit('/').next().unwrap_or_default();
            let key = match (key, source) {
                ("", "") => ".",
                ("", _) => "/",
                (key, _) => key,
            };
            Ok((key.to_owned(), source.to_owned()))
        }
        1 => match source.split_once('=') {
            Some(("", path)) => {
                Err(format!("missing key name for file path {path:?} in source {source:?}"))
            }
            Some((key, "")) => {
                Err(format!("missing file path for key name {key:?} in source {source:?}"))
            }
            Some((key, path)) => Ok((key.to_owned(), path.to_owned())),
            None => Ok((source.to_owned(), source.to_owned())),
        },
        _ => Err(format!("source {source:?} key name or file path contains '='")),
    }
}

/// Adds a generated object, or merges it into the one that it is meant for.
///
/// # Errors
/// Where there is one and the behavior is to create, or none and it is not, or several.
pub(super) fn absorb(resources: &mut Resources, new: Resource) -> Result<(), String> {
    let id = new.id();
    let matches: Vec<usize> = (0..resources.list.len())
        .filter(|at| resources.list[*at].any_id_named(&id.name, |other| *other == id))
        .collect();
    let what = new.object.id();
    match (matches.as_slice(), new.behavior) {
        ([], Behavior::Create) => resources.append(new),
        ([], _) => Err(format!("{what} does not exist; cannot merge or replace")),
        ([_], Behavior::Create) => Err(format!("{what} exists; behavior must be merge or replace")),
        ([at], behavior) => {
            let merged = merged(new, &resources.list[*at], behavior)?;
            let id = merged.id();
            let twins = resources.list.iter().filter(|other| other.id() == id).count();
            if twins != 1 {
                return Err(format!("{what} would take the place of {twins} objects"));
            }
            resources.list[*at] = merged;
            Ok(())
        }
        _ => Err(format!("several objects could accept merge of {what}")),
    }
}

/// A generated object with what it takes over from the one that is there.
fn merged(mut new: Resource, old: &Resource, behavior: Behavior) -> Result<Resource, String> {
    for field in ["labels", "annotations"] {
        let mut texts = old.texts(field);
        texts.extend(new.texts(field));
        new.set_texts(field, texts);
    }
    new.take_identity(old);
    if behavior == Behavior::Merge {
        let mut data = data_texts(old, "data");
        if new.object.kind() == "Secret" && new.object.api_version() == "v1" {
            for (key, text) in string_data(old)? {
                data.insert(key, base64(text.as_bytes()));
            }
        }
        let mut binary = data_texts(old, "binaryData");
        data.extend(data_texts(&new, "data"));
        binary.extend(data_texts(&new, "binaryData"));
        for (field, texts) in [("data", data), ("binaryData", binary)] {
            if texts.is_empty() {
                new.object_mut().remove(&[field]);
            } else {
                new.object_mut().set(&[field], json!(texts));
            }
        }
        new.keep_origin_of(old);
    }
    Ok(new)
}

fn data_texts(resource: &Resource, field: &str) -> BTreeMap<String, String> {
    let map = resource.object.at(&[field]).and_then(Value::as_object);
    let text = |(key, value): (&Key, &Value)| {
        (key.to_string(), super::fieldspec::scalar_text(value).unwrap_or_default())
    };
    map.map(|map| map.iter().map(text).collect()).unwrap_or_default()
}

/// What stands in `stringData`, which comes before `data`.
fn string_data(resource: &Resource) -> Result<BTreeMap<String, String>, String> {
    let Some(map) = resource.object.at(&["stringData"]).and_then(Value::as_object) else {
        return Ok(BTreeMap::new());
    };
    map.iter()
        .map(|(key, value)| {
            let text = super::fieldspec::scalar_text(value)
                .ok_or_else(|| format!("stringData value for key {key:?} must be a scalar"))?;
            Ok((key.to_string(), text))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn env_files_are_read_line_by_line() {
        let text = "\u{feff}A=1\r\n# no\n\n  B = x=y \nC\n=D\n";
        let pairs = env_lines(text.as_bytes()).unwrap();
        let pairs: Vec<(&str, &str)> = pairs
            .iter()
            .map(|(key, value)| (key.as_str(), std::str::from_utf8(value).unwrap()))
            .collect();
        assert_eq!(pairs, [("A", "1"), ("B ", " x=y "), ("C", "")]);
    }

    #[test]
    fn long_base64_is_broken_into_lines() {
        assert_eq!(base64(b"ab"), "YWI=");
        let text = base64(&[0; 60]);
        assert_eq!(text.lines().map(str::len).collect::<Vec<_>>(), [70, 10]);
        assert!(text.ends_with('\n'));
    }

    #[test]
    fn a_file_source_is_a_path_or_a_key_and_a_path() {
        assert_eq!(file_source("a/b.txt").unwrap(), ("b.txt".to_owned(), "a/b.txt".to_owned()));
        assert_eq!(file_source("k=a/b").unwrap(), ("k".to_owned(), "a/b".to_owned()));
        for bad in ["=a", "a=", "a=b=c"] {
            assert!(file_source(bad).is_err(), "{bad}");
        }
    }
}
