//! Plugins: objects that configure one of the generators and transformers that are built in.
//! Programs and containers are not run.

use super::accumulate::{Build, Target};
use super::decode::{Decoder, Text};
use super::fieldspec::FieldSpec;
use super::generate;
use super::kustomization::{self, Image, Replica, field_spec};
use super::namespace::{Setting, Subjects};
use super::resource::Resource;
use super::selectors::{self, replacement_entry};
use super::transform::{Transformer, ValueAdd};
use crate::engine::model::{Origin, RenderError};
use crate::engine::render::error_at;
use crate::object::yaml::go_string;
use crate::object::yaml::spanned::{self, Node};
use crate::object::{Object, json};

/// The version that says that a plugin is built in.
const BUILTIN: &str = "builtin";

/// Makes what a generator is configured to make.
///
/// # Errors
/// Where there is no such generator, or it is configured wrong.
pub(super) fn generate(
    build: &mut Build<'_, '_>,
    target: &Target,
    plugin: &Resource,
) -> Result<Vec<Resource>, RenderError> {
    let node = configuration(plugin)?;
    generator(build, target, plugin, &node).map_err(|error| named(plugin, &node, target, error))
}

/// An error in a plugin's configuration, with the plugin's place and name and the field. What was
/// read is a text that is nowhere to be seen: places in it help nobody.
fn named(plugin: &Resource, node: &Node, target: &Target, error: RenderError) -> RenderError {
    let is_own = error.file == plugin.origin.file || error.file == target.file;
    if !is_own {
        return error;
    }
    let field = super::decode::field_at(node, error.line, error.column);
    let field = field.filter(|field| !error.message.contains(field.as_str()));
    let field = field.map(|field| format!("{field}: ")).unwrap_or_default();
    // What is `patch` in a kustomization is called otherwise in this one.
    let message = match plugin.object.kind() {
        "PatchJson6902Transformer" => error.message.replace("either patch", "either jsonOp"),
        _ => error.message,
    };
    plugin.error(&format!("{field}{message}"))
}

fn generator(
    build: &mut Build<'_, '_>,
    target: &Target,
    plugin: &Resource,
    node: &Node,
) -> Result<Vec<Resource>, RenderError> {
    let decoder = Decoder::lenient(&plugin.origin.file);
    let kind = plugin.object.kind();
    match kind {
        "ConfigMapGenerator" | "SecretGenerator" => {
            let generator = generate::generator(decoder, node, kind == "SecretGenerator")?;
            Ok(vec![build.generate_one(target, &generator, None, decoder)?])
        }
        "IAMPolicyGenerator" => iam_policy(decoder, node, &plugin.origin).map(|made| vec![made]),
        "HelmChartInflationGenerator" => {
            let message = "is not supported yet".to_owned();
            Err(error_at(&plugin.origin, message))
        }
        kind if transformer_kinds().contains(&kind) => {
            Err(error_at(&plugin.origin, "is not a generator".to_owned()))
        }
        kind => Err(error_at(&plugin.origin, format!("unable to load builtin {kind}"))),
    }
}

const fn transformer_kinds() -> [&'static str; 14] {
    [
        "AnnotationsTransformer",
        "HashTransformer",
        "ImageTagTransformer",
        "LabelTransformer",
        "NamespaceTransformer",
        "PatchJson6902Transformer",
        "PatchStrategicMergeTransformer",
        "PatchTransformer",
        "PrefixSuffixTransformer",
        "PrefixTransformer",
        "SuffixTransformer",
        "ReplacementTransformer",
        "ReplicaCountTransformer",
        "ValueAddTransformer",
    ]
}

/// The configuration as text that is read again, so that it can be read as any file is.
fn configuration(plugin: &Resource) -> Result<Node, RenderError> {
    if plugin.object.api_version() != BUILTIN {
        let kind = plugin.object.kind();
        let message = format!(
            "external plugins disabled; unable to load external plugin '{kind}': only the built-in ones are run"
        );
        return Err(error_at(&plugin.origin, message));
    }
    let text = go_string(&json!(plugin.object.0));
    let documents =
        spanned::documents(&text).map_err(|error| error_at(&plugin.origin, error.message))?;
    documents
        .into_iter()
        .next()
        .ok_or_else(|| error_at(&plugin.origin, "the plugin says nothing".to_owned()))
}

/// Makes a transformer ready.
///
/// # Errors
/// Where there is no such transformer, or it is configured wrong.
pub(super) fn transformer(
    build: &mut Build<'_, '_>,
    target: &Target,
    plugin: &Resource,
) -> Result<Transformer, RenderError> {
    let node = configuration(plugin)?;
    made(build, target, plugin, &node).map_err(|error| named(plugin, &node, target, error))
}

fn made(
    build: &mut Build<'_, '_>,
    target: &Target,
    plugin: &Resource,
    node: &Node,
) -> Result<Transformer, RenderError> {
    let decoder = Decoder::lenient(&plugin.origin.file);
    match plugin.object.kind() {
        "AnnotationsTransformer" => texts(decoder, node, "annotations"),
        "LabelTransformer" => texts(decoder, node, "labels"),
        "PrefixTransformer" => affix(decoder, node, "prefix", Transformer::Prefix),
        "SuffixTransformer" => affix(decoder, node, "suffix", Transformer::Suffix),
        "PrefixSuffixTransformer" => prefix_and_suffix(decoder, node),
        "NamespaceTransformer" => namespace(decoder, node),
        "ImageTagTransformer" => image(decoder, node),
        "ReplicaCountTransformer" => replicas(decoder, node),
        "ReplacementTransformer" => {
            let mut entries = Vec::new();
            for (_, value, _) in decoder.fields(node, "replacements", &["replacements"])? {
                entries = decoder.list(value, |item| replacement_entry(decoder, item))?;
            }
            build.replacements(target, &entries).map(Transformer::Replacements)
        }
        "PatchTransformer" => {
            let patch = kustomization::patch(decoder, node)?;
            build.patch(target, &patch)
        }
        "PatchJson6902Transformer" => {
            let mut patch = kustomization::patch(decoder, node)?;
            for (_, value, _) in decoder.fields(node, "patch", &["jsonOp"])? {
                patch.patch = Some(decoder.text(value)?);
            }
            let (loaded, read) = build.read_patch(target, &patch)?;
            Ok(Transformer::Json { patch, read, loaded })
        }
        "PatchStrategicMergeTransformer" => strategic(build, target, decoder, node, plugin),
        "ValueAddTransformer" => values(build, target, decoder, node),
        "HashTransformer" => Ok(Transformer::Hash),
        kind if kind.ends_with("Generator") => {
            Err(error_at(&plugin.origin, "is not a transformer".to_owned()))
        }
        kind => Err(error_at(&plugin.origin, format!("unable to load builtin {kind}"))),
    }
}

fn specs(decoder: Decoder<'_>, node: &Node) -> Result<Vec<FieldSpec>, RenderError> {
    let mut specs = Vec::new();
    for (_, value, _) in decoder.fields(node, "plugin", &["fieldSpecs"])? {
        specs = decoder.list(value, |item| field_spec(decoder, item))?;
    }
    Ok(specs)
}

fn texts(
    decoder: Decoder<'_>,
    node: &Node,
    field: &'static str,
) -> Result<Transformer, RenderError> {
    let mut pairs = std::collections::BTreeMap::new();
    for (_, value, _) in decoder.fields(node, "plugin", &[field])? {
        pairs = decoder.text_map(value)?;
    }
    Ok(Transformer::Texts(pairs, specs(decoder, node)?))
}

fn affix(
    decoder: Decoder<'_>,
    node: &Node,
    field: &'static str,
    made: fn(String, Vec<FieldSpec>) -> Transformer,
) -> Result<Transformer, RenderError> {
    let mut text = String::new();
    for (_, value, _) in decoder.fields(node, "plugin", &[field])? {
        text = decoder.text(value)?.text;
    }
    let specs = specs(decoder, node)?;
    if specs.is_empty() {
        let message = "fieldSpecs is not expected to be nil".to_owned();
        return Err(decoder.error(super::decode::place(node), message));
    }
    Ok(made(text, specs))
}

fn prefix_and_suffix(decoder: Decoder<'_>, node: &Node) -> Result<Transformer, RenderError> {
    let prefix = affix(decoder, node, "prefix", Transformer::Prefix)?;
    let suffix = affix(decoder, node, "suffix", Transformer::Suffix)?;
    Ok(Transformer::Both(Box::new(prefix), Box::new(suffix)))
}

fn namespace(decoder: Decoder<'_>, node: &Node) -> Result<Transformer, RenderError> {
    let mut setting = Setting { fields: specs(decoder, node)?, ..Setting::default() };
    let known = ["metadata", "unsetOnly", "setRoleBindingSubjects"];
    for (name, value, place) in decoder.fields(node, "plugin", &known)? {
        match name {
            "metadata" => {
                for (_, value, _) in decoder.fields(value, "metadata", &["namespace"])? {
                    setting.namespace = decoder.text(value)?.text;
                }
            }
            "unsetOnly" => setting.unset_only = decoder.flag(value)?,
            _ => {
                setting.subjects = match decoder.text(value)?.text.as_str() {
                    "" | "defaultOnly" => Subjects::Default,
                    "allServiceAccounts" => Subjects::ServiceAccounts,
                    "none" => Subjects::None,
                    other => {
                        let message = format!(
                            "invalid value {other:?} for setRoleBindingSubjects: must be one of \"defaultOnly\", \"none\" or \"allServiceAccounts\""
                        );
                        return Err(decoder.error(place, message));
                    }
                };
            }
        }
    }
    Ok(Transformer::Namespace(setting))
}

fn image(decoder: Decoder<'_>, node: &Node) -> Result<Transformer, RenderError> {
    let mut image = Image::default();
    for (_, value, _) in decoder.fields(node, "plugin", &["imageTag"])? {
        image = kustomization::image(decoder, value)?;
    }
    Ok(Transformer::Image(image, specs(decoder, node)?))
}

fn replicas(decoder: Decoder<'_>, node: &Node) -> Result<Transformer, RenderError> {
    let mut replica = Replica::default();
    for (_, value, _) in decoder.fields(node, "plugin", &["replica"])? {
        replica = kustomization::replica(decoder, value)?;
    }
    Ok(Transformer::Replicas(replica, specs(decoder, node)?))
}

fn strategic(
    build: &mut Build<'_, '_>,
    target: &Target,
    decoder: Decoder<'_>,
    node: &Node,
    plugin: &Resource,
) -> Result<Transformer, RenderError> {
    let mut entries: Vec<Text> = Vec::new();
    for (name, value, _) in decoder.fields(node, "plugin", &["paths", "patches"])? {
        match name {
            "paths" => entries.extend(decoder.texts(value)?),
            _ => {
                let mut patches = decoder.text(value)?;
                // A patch on one line is still a patch here.
                patches.text.push('\n');
                entries.push(patches);
            }
        }
    }
    if entries.is_empty() {
        let message = "empty file path and empty patch content".to_owned();
        return Err(error_at(&plugin.origin, message));
    }
    build.strategic(target, &entries)
}

fn values(
    build: &mut Build<'_, '_>,
    target: &Target,
    decoder: Decoder<'_>,
    node: &Node,
) -> Result<Transformer, RenderError> {
    let (mut value, mut targets) = (String::new(), Vec::new());
    let known = ["value", "targets", "targetFilePath"];
    for (name, field, _) in decoder.fields(node, "plugin", &known)? {
        match name {
            "value" => decoder.text(field)?.text.trim().clone_into(&mut value),
            "targets" => targets.extend(decoder.list(field, |item| value_target(decoder, item))?),
            _ => {
                let path = decoder.text(field)?;
                let (file, documents) = build.nodes(target, &path)?;
                let decoder = Decoder::lenient(&file);
                let Some(node) = documents.first() else { continue };
                for (_, field, _) in decoder.fields(node, "targets", &["targets"])? {
                    targets.extend(decoder.list(field, |item| value_target(decoder, item))?);
                }
            }
        }
    }
    let place = super::decode::place(node);
    if targets.is_empty() {
        return Err(decoder.error(place, "must specify at least one target".to_owned()));
    }
    if value.is_empty() {
        target.folder.rsplit('/').next().unwrap_or_default().clone_into(&mut value);
    }
    for add in &mut targets {
        add.value.clone_from(&value);
        if add.path.is_empty() {
            return Err(decoder.error(place, "fieldPath cannot be empty".to_owned()));
        }
        if add.position < 0 {
            let message =
                format!("value of FilePathPosition ({}) cannot be negative", add.position);
            return Err(decoder.error(place, message));
        }
    }
    Ok(Transformer::Values(targets))
}

fn value_target(decoder: Decoder<'_>, node: &Node) -> Result<ValueAdd, RenderError> {
    let mut add = ValueAdd::default();
    let known = ["selector", "fieldPath", "filePathPosition"];
    for (name, value, _) in decoder.fields(node, "target", &known)? {
        match name {
            "selector" => add.target = Some(selectors::target(decoder, value)?),
            "fieldPath" => add.path = decoder.text(value)?.text,
            _ => add.position = decoder.integer(value)?,
        }
    }
    Ok(add)
}

/// A service account of Google's Kubernetes that stands for one of Google's cloud.
fn iam_policy(decoder: Decoder<'_>, node: &Node, origin: &Origin) -> Result<Resource, RenderError> {
    let (mut cloud, mut account) = (String::new(), String::new());
    let (mut project, mut name, mut namespace) = (String::new(), String::new(), String::new());
    let known = ["cloud", "kubernetesService", "serviceAccount"];
    for (field, value, _) in decoder.fields(node, "plugin", &known)? {
        match field {
            "cloud" => cloud = decoder.text(value)?.text,
            "kubernetesService" => {
                for (field, value, _) in decoder.fields(value, "service", &["name", "namespace"])? {
                    let text = decoder.text(value)?.text;
                    if field == "name" { name = text } else { namespace = text }
                }
            }
            _ => {
                let known = ["name", "projectId"];
                for (field, value, _) in decoder.fields(value, "account", &known)? {
                    let text = decoder.text(value)?.text;
                    if field == "name" { account = text } else { project = text }
                }
            }
        }
    }
    if cloud != "gke" {
        return Err(error_at(origin, format!("cloud provider {cloud} not supported yet")));
    }
    let service = format!("{account}@{project}.iam.gserviceaccount.com");
    let mut object = json!({
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": {"annotations": {"iam.gke.io/gcp-service-account": service}, "name": name},
    });
    if !namespace.is_empty() {
        object["metadata"]["namespace"] = json!(namespace);
    }
    let object = Object::from_value(object).unwrap_or_default();
    Ok(Resource::generated(object, origin.clone(), false, generate::Behavior::Create))
}
