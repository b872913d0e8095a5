//! A kustomization file as it is written: its fields, and which of them are refused.

use std::collections::BTreeMap;

use super::decode::{Decoder, Place, Text, place};
use super::fieldspec::FieldSpec;
use super::generate::{Generator, GeneratorOptions, generator, generator_options};
use super::selectors::{ReplacementEntry, Target, Var, replacement_entry, target, var};
use crate::engine::model::RenderError;
use crate::object::yaml::spanned::{Content, Node};

/// Fields that are read. `bases` and `imageTags` are old words for `resources` and `images`.
const SUPPORTED: [&str; 31] = [
    "apiVersion",
    "kind",
    "metadata",
    "resources",
    "bases",
    "components",
    "namespace",
    "namePrefix",
    "nameSuffix",
    "labels",
    "commonLabels",
    "commonAnnotations",
    "patches",
    "patchesStrategicMerge",
    "patchesJson6902",
    "images",
    "imageTags",
    "replicas",
    "configMapGenerator",
    "secretGenerator",
    "generatorOptions",
    "replacements",
    "vars",
    "configurations",
    "crds",
    "openapi",
    "buildMetadata",
    "sortOptions",
    "generators",
    "transformers",
    "validators",
];

/// Fields that kustomize has and this renderer does not, yet: refused unless empty.
const UNSUPPORTED: [&str; 3] = ["helmGlobals", "helmCharts", "helmChartInflationGenerator"];

/// Whether a field of that name is known, refused or not.
pub(super) fn is_known(name: &str) -> bool {
    let mut known = SUPPORTED.iter().chain(&UNSUPPORTED);
    known.any(|field| field.eq_ignore_ascii_case(name))
}

/// A kustomization file.
#[derive(Clone, Debug, Default)]
pub(super) struct Kustomization {
    /// Whether it is a `Component`.
    pub(super) is_component: bool,
    /// Where `kind` stands; the file's start where it does not.
    pub(super) kind_place: Place,
    pub(super) resources: Vec<Text>,
    pub(super) components: Vec<Text>,
    pub(super) namespace: Text,
    pub(super) name_prefix: String,
    pub(super) name_suffix: String,
    pub(super) labels: Vec<Label>,
    pub(super) common_labels: BTreeMap<String, String>,
    pub(super) common_annotations: BTreeMap<String, String>,
    pub(super) patches_strategic_merge: Vec<Text>,
    pub(super) patches: Vec<Patch>,
    pub(super) patches_json6902: Vec<Patch>,
    pub(super) images: Vec<Image>,
    pub(super) replicas: Vec<Replica>,
    pub(super) config_maps: Vec<Generator>,
    pub(super) secrets: Vec<Generator>,
    pub(super) generator_options: Option<GeneratorOptions>,
    pub(super) replacements: Vec<ReplacementEntry>,
    pub(super) vars: Vec<Var>,
    pub(super) configurations: Vec<Text>,
    pub(super) crds: Vec<Text>,
    pub(super) openapi: OpenApi,
    pub(super) build_metadata: Vec<Text>,
    pub(super) sort: Option<SortOptions>,
    pub(super) generators: Vec<Text>,
    pub(super) transformers: Vec<Text>,
    pub(super) validators: Vec<Text>,
}

/// The field `openapi`: a schema that is built in, or a file with one.
#[derive(Clone, Debug, Default)]
pub(super) struct OpenApi {
    pub(super) version: Option<Text>,
    pub(super) path: Option<Text>,
}

/// The field `sortOptions`.
#[derive(Clone, Debug, Default)]
pub(super) struct SortOptions {
    pub(super) order: Text,
    /// Kinds that come first and last, where they are given.
    pub(super) legacy: Option<(Vec<String>, Vec<String>)>,
}

/// An entry of `labels`.
#[derive(Clone, Debug, Default)]
pub(super) struct Label {
    pub(super) pairs: BTreeMap<String, String>,
    pub(super) include_selectors: bool,
    pub(super) include_templates: bool,
    pub(super) include_volume_claim_templates: bool,
    pub(super) fields: Vec<FieldSpec>,
    pub(super) place: Place,
}

/// An entry of `patches` or `patchesJson6902`.
#[derive(Clone, Debug, Default)]
pub(super) struct Patch {
    pub(super) path: Option<Text>,
    pub(super) patch: Option<Text>,
    pub(super) target: Option<Target>,
    pub(super) allow_name_change: bool,
    pub(super) allow_kind_change: bool,
    pub(super) place: Place,
}

/// An entry of `images`.
#[derive(Clone, Debug, Default)]
pub(super) struct Image {
    pub(super) name: Text,
    pub(super) new_name: String,
    pub(super) new_tag: String,
    pub(super) tag_suffix: String,
    pub(super) digest: String,
}

/// An entry of `replicas`.
#[derive(Clone, Debug, Default)]
pub(super) struct Replica {
    pub(super) name: Text,
    pub(super) count: i64,
}

/// Reads a kustomization file; `documents` is what it holds. Only the first counts, as upstream.
///
/// # Errors
/// The first field that is unknown, not supported, or of another type; a file that says nothing.
pub(super) fn read(file: &str, documents: &[Node]) -> Result<Kustomization, RenderError> {
    let decoder = Decoder::strict(file);
    let Some(node) = documents.first() else {
        return Err(decoder.error(Place::default(), "the kustomization file is empty".to_owned()));
    };
    let known: Vec<&'static str> = SUPPORTED.iter().chain(&UNSUPPORTED).copied().collect();
    let fields = decoder.fields(node, "kustomization", &known)?;
    let mut read = Kustomization { kind_place: place(node), ..Kustomization::default() };
    let mut bases = Vec::new();
    let mut image_tags = Vec::new();
    let mut says_nothing = true;
    for (name, value, at) in fields {
        if UNSUPPORTED.contains(&name) && !is_empty(value) {
            return Err(
                decoder.error(at, format!("kustomization field {name:?} is not supported yet"))
            );
        }
        says_nothing &= matches!(name, "apiVersion" | "kind") || value.text() == Some("");
        match name {
            "kind" => read.kind_place = at,
            "bases" => bases = decoder.texts(value)?,
            "imageTags" => image_tags = decoder.list(value, |item| image(decoder, item))?,
            _ => field(decoder, &mut read, name, value)?,
        }
    }
    read.is_component = check_kind(decoder, node)?;
    if says_nothing {
        return Err(decoder.error(place(node), "the kustomization file is empty".to_owned()));
    }
    read.resources.append(&mut bases);
    read.images.append(&mut image_tags);
    Ok(read)
}

fn field(
    decoder: Decoder<'_>,
    read: &mut Kustomization,
    name: &str,
    value: &Node,
) -> Result<(), RenderError> {
    match name {
        "resources" => read.resources = decoder.texts(value)?,
        "components" => read.components = decoder.texts(value)?,
        "namespace" => read.namespace = decoder.text(value)?,
        "namePrefix" => read.name_prefix = decoder.text(value)?.text,
        "nameSuffix" => read.name_suffix = decoder.text(value)?.text,
        "labels" => read.labels = decoder.list(value, |item| label(decoder, item))?,
        "commonLabels" => read.common_labels = decoder.text_map(value)?,
        "commonAnnotations" => read.common_annotations = decoder.text_map(value)?,
        "patches" => read.patches = decoder.list(value, |item| patch(decoder, item))?,
        "patchesStrategicMerge" => read.patches_strategic_merge = decoder.texts(value)?,
        "patchesJson6902" => {
            read.patches_json6902 = decoder.list(value, |item| patch(decoder, item))?;
        }
        "images" => read.images = decoder.list(value, |item| image(decoder, item))?,
        "replicas" => read.replicas = decoder.list(value, |item| replica(decoder, item))?,
        _ => return operator(decoder, read, name, value),
    }
    Ok(())
}

/// The fields that are not about plain lists of resources and changes.
fn operator(
    decoder: Decoder<'_>,
    read: &mut Kustomization,
    name: &str,
    value: &Node,
) -> Result<(), RenderError> {
    match name {
        "configMapGenerator" => {
            read.config_maps = decoder.list(value, |item| generator(decoder, item, false))?;
        }
        "secretGenerator" => {
            read.secrets = decoder.list(value, |item| generator(decoder, item, true))?;
        }
        "generatorOptions" => read.generator_options = Some(generator_options(decoder, value)?),
        "replacements" => {
            read.replacements = decoder.list(value, |item| replacement_entry(decoder, item))?;
        }
        "vars" => read.vars = decoder.list(value, |item| var(decoder, item))?,
        "configurations" => read.configurations = decoder.texts(value)?,
        "crds" => read.crds = decoder.texts(value)?,
        "openapi" => read.openapi = openapi(decoder, value)?,
        "buildMetadata" => read.build_metadata = decoder.texts(value)?,
        "sortOptions" => read.sort = Some(sort_options(decoder, value)?),
        "generators" => read.generators = decoder.texts(value)?,
        "transformers" => read.transformers = decoder.texts(value)?,
        "validators" => read.validators = decoder.texts(value)?,
        "metadata" => {
            let known = ["name", "namespace", "labels", "annotations"];
            drop(decoder.fields(value, "metadata", &known)?);
        }
        _ => {}
    }
    Ok(())
}

fn openapi(decoder: Decoder<'_>, node: &Node) -> Result<OpenApi, RenderError> {
    let mut read = OpenApi::default();
    // A map of texts, of which only two are looked at.
    decoder.text_map(node)?;
    for entry in node.entries() {
        match entry.key.text() {
            Some("version") => read.version = Some(decoder.text(&entry.value)?),
            Some("path") => read.path = Some(decoder.text(&entry.value)?),
            _ => {}
        }
    }
    Ok(read)
}

fn sort_options(decoder: Decoder<'_>, node: &Node) -> Result<SortOptions, RenderError> {
    let mut read = SortOptions::default();
    read.order.place = place(node);
    let known = ["order", "legacySortOptions"];
    for (name, value, _) in decoder.fields(node, "sort option", &known)? {
        if name == "order" {
            read.order = decoder.text(value)?;
            continue;
        }
        let (mut first, mut last) = (Vec::new(), Vec::new());
        let known = ["orderFirst", "orderLast"];
        for (name, value, _) in decoder.fields(value, "legacy sort option", &known)? {
            let kinds = decoder.texts(value)?.into_iter().map(|kind| kind.text).collect();
            if name == "orderFirst" { first = kinds } else { last = kinds }
        }
        read.legacy = Some((first, last));
    }
    Ok(read)
}

/// Whether a field that is refused says nothing.
fn is_empty(node: &Node) -> bool {
    match &node.content {
        Content::Seq(items) => items.is_empty(),
        Content::Map(entries) => entries.is_empty(),
        Content::Scalar(scalar) => scalar.text.is_empty(),
    }
}

/// Whether it is a component; `apiVersion` and `kind` may be left out, but not be wrong.
fn check_kind(decoder: Decoder<'_>, node: &Node) -> Result<bool, RenderError> {
    let text = |field| node.get(field).and_then(Node::text).unwrap_or_default();
    let (is_component, version) = match text("kind") {
        "" | "Kustomization" => (false, "kustomize.config.k8s.io/v1beta1"),
        "Component" => (true, "kustomize.config.k8s.io/v1alpha1"),
        _ => {
            let at = node.get("kind").map(place).unwrap_or_default();
            return Err(decoder.error(at, "kind should be Kustomization or Component".to_owned()));
        }
    };
    let found = text("apiVersion");
    if found.is_empty() || found == version {
        return Ok(is_component);
    }
    let kind = if is_component { "Component" } else { "Kustomization" };
    let at = node.get("apiVersion").map(place).unwrap_or_default();
    Err(decoder.error(at, format!("apiVersion for {kind} should be {version}")))
}

fn label(decoder: Decoder<'_>, node: &Node) -> Result<Label, RenderError> {
    let known =
        ["pairs", "includeSelectors", "includeTemplates", "includeVolumeClaimTemplates", "fields"];
    let mut label = Label { place: place(node), ..Label::default() };
    for (name, value, _) in decoder.fields(node, "label", &known)? {
        match name {
            "pairs" => label.pairs = decoder.text_map(value)?,
            "includeSelectors" => label.include_selectors = decoder.flag(value)?,
            "includeTemplates" => label.include_templates = decoder.flag(value)?,
            "includeVolumeClaimTemplates" => {
                label.include_volume_claim_templates = decoder.flag(value)?;
            }
            _ => label.fields = decoder.list(value, |item| field_spec(decoder, item))?,
        }
    }
    Ok(label)
}

pub(super) fn field_spec(decoder: Decoder<'_>, node: &Node) -> Result<FieldSpec, RenderError> {
    let known = ["group", "version", "kind", "path", "create"];
    let (mut group, mut version, mut kind) = (String::new(), String::new(), String::new());
    let (mut path, mut create) = (String::new(), false);
    for (name, value, _) in decoder.fields(node, "field spec", &known)? {
        match name {
            "create" => create = decoder.flag(value)?,
            "group" => group = decoder.text(value)?.text,
            "version" => version = decoder.text(value)?.text,
            "kind" => kind = decoder.text(value)?.text,
            _ => path = decoder.text(value)?.text,
        }
    }
    Ok(FieldSpec::new(&group, &version, &kind, &path, create))
}

pub(super) fn patch(decoder: Decoder<'_>, node: &Node) -> Result<Patch, RenderError> {
    let known = ["path", "patch", "target", "options"];
    let mut patch = Patch { place: place(node), ..Patch::default() };
    for (name, value, _) in decoder.fields(node, "patch", &known)? {
        match name {
            "path" => patch.path = Some(decoder.text(value)?).filter(|t| !t.text.is_empty()),
            "patch" => {
                patch.patch = Some(decoder.text(value)?).filter(|t| !t.text.trim().is_empty())
            }
            "target" => patch.target = Some(target(decoder, value)?),
            _ => {
                let options = ["allowNameChange", "allowKindChange"];
                for (name, value, _) in decoder.fields(value, "patch option", &options)? {
                    match name {
                        "allowNameChange" => patch.allow_name_change = decoder.flag(value)?,
                        _ => patch.allow_kind_change = decoder.flag(value)?,
                    }
                }
            }
        }
    }
    Ok(patch)
}

pub(super) fn image(decoder: Decoder<'_>, node: &Node) -> Result<Image, RenderError> {
    let known = ["name", "newName", "newTag", "tagSuffix", "digest"];
    let mut image = Image::default();
    image.name.place = place(node);
    for (name, value, _) in decoder.fields(node, "image", &known)? {
        let text = decoder.text(value)?;
        match name {
            "name" => image.name = text,
            "newName" => image.new_name = text.text,
            "newTag" => image.new_tag = text.text,
            "tagSuffix" => image.tag_suffix = text.text,
            _ => image.digest = text.text,
        }
    }
    Ok(image)
}

pub(super) fn replica(decoder: Decoder<'_>, node: &Node) -> Result<Replica, RenderError> {
    let mut replica = Replica::default();
    replica.name.place = place(node);
    for (name, value, _) in decoder.fields(node, "replica", &["name", "count"])? {
        match name {
            "name" => replica.name = decoder.text(value)?,
            _ => replica.count = decoder.integer(value)?,
        }
    }
    Ok(replica)
}
