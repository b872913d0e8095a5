//! What a CustomResourceDefinition makes the server serve: reads the object, a version a value.
//!
//! Not here: whether the definition is right (`check`), what its conditions say (`conditions`).

use std::borrow::Cow;
use std::sync::Arc;

use super::conditions::is_true;
use super::rules::Rules;
use crate::object::schema::node::{Node, list, text, texts};
use crate::object::schema::{KindInfo, OtherVersion, Schema, Subresource, TypeId, typed};
use crate::object::{Gvk, Gvr, Name, Object, Value};

/// One version of a definition, with all that requests for its objects need.
#[derive(Debug)]
pub struct Version {
    /// The name of the definition.
    pub definition: String,
    /// Names, scope, verbs, subresources.
    pub info: KindInfo,
    /// The types as server-side apply sees them, and that of the whole object.
    pub types: Schema,
    /// See `types`.
    pub ty: TypeId,
    /// The schema.
    pub root: Node,
    /// The rules of the schema; `None` where it has none.
    pub rules: Option<Rules>,
    /// The same as it was written, for OpenAPI.
    pub open_api: Value,
    /// What `kubectl get` shows besides the name.
    pub columns: Vec<Column>,
    /// Whether `/status` is on.
    pub has_status: bool,
    /// Where the parts of a Scale stand; `None` where `/scale` is off.
    pub scale: Option<ScalePaths>,
    /// Fields by which objects can be selected, without the dot in front.
    pub selectable: Vec<String>,
    /// What a caller is warned of; empty where the version is not deprecated.
    pub deprecation: String,
    /// What is stored, where that is another version.
    pub stored: Option<Arc<Stored>>,
    /// Whether a webhook converts between the versions.
    pub has_converter: bool,
    /// The revision since which this is so: what was written before may not fit the schema.
    pub since: u64,
}

/// The version in which objects are stored.
#[derive(Debug)]
pub struct Stored {
    /// `<group>/<version>`.
    pub api_version: String,
    /// Its schema.
    pub root: Node,
}

/// A column of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the words are Kubernetes' own")]
pub struct Column {
    pub name: String,
    pub ty: String,
    pub format: String,
    pub description: String,
    pub priority: i64,
    /// `.spec.replicas`.
    pub json_path: String,
}

/// JSON paths with a dot in front.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the words are Kubernetes' own")]
pub struct ScalePaths {
    pub spec_replicas: String,
    pub status_replicas: String,
    pub label_selector: Option<String>,
}

/// Whether a definition is served: its names are accepted, or were once (R-CRD-04).
#[must_use]
pub fn is_served(crd: &Object) -> bool {
    is_true(crd, "NamesAccepted") || is_true(crd, "Established")
}

/// The versions that a definition serves since `revision`, in its order. None while its names
/// were not accepted.
#[must_use]
pub fn served(crd: &Object, revision: u64) -> Vec<Version> {
    if !is_served(crd) {
        return Vec::new();
    }
    let versions = crd.list(&["spec", "versions"]);
    let is_on =
        |version: &Value, key: &str| version.get(key).and_then(Value::as_bool) == Some(true);
    let group = crd.text(&["spec", "group"]).unwrap_or_default();
    let storage = versions.iter().find(|version| is_on(version, "storage")).map(|version| {
        let name = text(version, "name");
        let schema = version.pointer("/schema/openAPIV3Schema").unwrap_or(&Value::Null);
        (
            name.clone(),
            Arc::new(Stored { api_version: format!("{group}/{name}"), root: Node::read(schema) }),
        )
    });
    let others = if versions.len() > 1 { all_types(group, versions) } else { Vec::new() };
    let served = versions.iter().filter(|version| is_on(version, "served"));
    let made = served.map(|version| {
        let own = text(version, "name");
        let stored = storage.as_ref().filter(|(name, _)| *name != own);
        let mut made = read(crd, version, stored.map(|(_, stored)| Arc::clone(stored)), revision);
        let own = made.info.gvk.api_version();
        let beside = others.iter().filter(|other| other.api_version != own).cloned().collect();
        made.types = made.types.beside(beside);
        made
    });
    made.collect()
}

/// The types of all versions, be they served or not.
fn all_types(group: &str, versions: &[Value]) -> Vec<OtherVersion> {
    let types = versions.iter().map(|version| {
        let schema = version.pointer("/schema/openAPIV3Schema").unwrap_or(&Value::Null);
        let (types, ty) = typed::types(&Node::read(schema));
        let api_version = format!("{group}/{}", text(version, "name"));
        OtherVersion { api_version, types: Arc::new(types), ty }
    });
    types.collect()
}

fn read(crd: &Object, version: &Value, stored: Option<Arc<Stored>>, since: u64) -> Version {
    let group = crd.text(&["spec", "group"]).unwrap_or_default();
    let name = text(version, "name");
    let kind = crd.text(&["status", "acceptedNames", "kind"]).unwrap_or_default();
    let nothing = Value::Null;
    let open_api = version.pointer("/schema/openAPIV3Schema").unwrap_or(&nothing);
    let root = Node::read(open_api);
    let (types, ty) = typed::types(&root);
    let scale = version.pointer("/subresources/scale").filter(|v| v.is_object());
    let has_status = version.pointer("/subresources/status").is_some_and(Value::is_object);
    let paths = list(version, "selectableFields").iter().map(|f| text(f, "jsonPath"));
    Version {
        definition: crd.name().to_owned(),
        info: info(crd, group, &name, kind, ty, [has_status, scale.is_some()]),
        types,
        ty,
        rules: Rules::of(&root, true),
        root,
        open_api: open_api.clone(),
        columns: columns(version),
        has_status,
        scale: scale.map(|scale| ScalePaths {
            spec_replicas: text(scale, "specReplicasPath"),
            status_replicas: text(scale, "statusReplicasPath"),
            label_selector: scale
                .get("labelSelectorPath")
                .and_then(Value::as_str)
                .map(str::to_owned),
        }),
        selectable: paths.map(|path| path.trim_start_matches('.').to_owned()).collect(),
        deprecation: deprecation(crd, version, group, &name),
        stored,
        has_converter: crd.text(&["spec", "conversion", "strategy"]) == Some("Webhook"),
        since,
    }
}

const VERBS: [&str; 8] =
    ["delete", "deletecollection", "get", "list", "patch", "create", "update", "watch"];

fn info(
    crd: &Object,
    group: &str,
    version: &str,
    kind: &str,
    ty: TypeId,
    [status, scale]: [bool; 2],
) -> KindInfo {
    let owned = |text: &str| -> Name { Cow::Owned(text.to_owned()) };
    let name = |key: &str| -> Name {
        owned(crd.text(&["status", "acceptedNames", key]).unwrap_or_default())
    };
    let names = |key: &str| -> Vec<Name> {
        let accepted = crd.at(&["status", "acceptedNames"]).unwrap_or(&Value::Null);
        texts(accepted, key).into_iter().map(Cow::Owned).collect()
    };
    let own = Gvk { group: owned(group), version: owned(version), kind: owned(kind) };
    let part = |name: &'static str, gvk: Gvk| Subresource {
        name: Cow::Borrowed(name),
        verbs: ["get", "patch", "update"].map(Cow::Borrowed).to_vec(),
        gvk: Some(gvk),
    };
    let status = status.then(|| part("status", own.clone()));
    let scale = scale.then(|| part("scale", Gvk::new("autoscaling", "v1", "Scale")));
    let details: Vec<Subresource> = status.into_iter().chain(scale).collect();
    KindInfo {
        gvr: Gvr { group: owned(group), version: owned(version), plural: name("plural") },
        gvk: own,
        singular: name("singular"),
        list_kind: name("listKind"),
        namespaced: crd.text(&["spec", "scope"]) == Some("Namespaced"),
        short_names: names("shortNames"),
        categories: names("categories"),
        verbs: VERBS.map(Cow::Borrowed).to_vec(),
        subresources: details.iter().map(|d| d.name.clone()).collect(),
        subresource_details: details,
        ty,
    }
}

/// The columns of a version; `Age` where it names none (R-CRD-19).
fn columns(version: &Value) -> Vec<Column> {
    let given = list(version, "additionalPrinterColumns");
    if given.is_empty() {
        let description = "CreationTimestamp is a timestamp representing the server time when this object was created. It is not guaranteed to be set in happens-before order across separate operations. Clients may not set this value. It is represented in RFC3339 form and is in UTC.\n\nPopulated by the system. Read-only. Null for lists. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#metadata";
        return vec![Column {
            name: "Age".to_owned(),
            ty: "date".to_owned(),
            format: String::new(),
            description: description.to_owned(),
            priority: 0,
            json_path: ".metadata.creationTimestamp".to_owned(),
        }];
    }
    let column = |value: &Value| Column {
        name: text(value, "name"),
        ty: text(value, "type"),
        format: text(value, "format"),
        description: text(value, "description"),
        priority: value.get("priority").and_then(Value::as_i64).unwrap_or(0),
        json_path: text(value, "jsonPath"),
    };
    given.iter().map(column).collect()
}

/// What a caller of a deprecated version is told (R-CRD-06).
fn deprecation(crd: &Object, version: &Value, group: &str, name: &str) -> String {
    let is_on =
        |version: &Value, key: &str| version.get(key).and_then(Value::as_bool) == Some(true);
    if !is_on(version, "deprecated") {
        return String::new();
    }
    if let Some(own) = version.get("deprecationWarning").and_then(Value::as_str) {
        return own.to_owned();
    }
    let kind = crd.text(&["spec", "names", "kind"]).unwrap_or_default();
    let newer = crd
        .list(&["spec", "versions"])
        .iter()
        .filter(|v| is_on(v, "served") && !is_on(v, "deprecated"))
        .map(|v| text(v, "name"))
        .filter(|other| rank(other) > rank(name))
        .max_by(|a, b| rank(a).cmp(&rank(b)));
    match newer {
        Some(newer) => format!("{group}/{name} {kind} is deprecated; use {group}/{newer} {kind}"),
        None => format!("{group}/{name} {kind} is deprecated"),
    }
}

/// The place of a version among others: `v2` before `v1` before `v1beta1` before `v1alpha1`
/// before what is named otherwise; greater is preferred.
#[must_use]
pub fn rank(version: &str) -> (u8, u64, u64, std::cmp::Reverse<String>) {
    let other = || (0, 0, 0, std::cmp::Reverse(version.to_owned()));
    let Some(rest) = version.strip_prefix('v') else { return other() };
    let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    let (major, rest) = rest.split_at(digits);
    let Ok(major) = major.parse::<u64>() else { return other() };
    let stage = [("alpha", 1), ("beta", 2)].into_iter().find_map(|(word, level)| {
        let minor = rest.strip_prefix(word)?.parse::<u64>().ok()?;
        Some((level, minor))
    });
    match (rest, stage) {
        ("", _) => (3, major, 0, std::cmp::Reverse(String::new())),
        (_, Some((level, minor))) => (level, major, minor, std::cmp::Reverse(String::new())),
        _ => other(),
    }
}
