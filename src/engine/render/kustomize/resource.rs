//! A resource on its way through the transformers, its names before and now, and the list of
//! them.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::fieldspec::scalar_text;
use super::schema;
use crate::engine::model::{Manifest, Origin, RenderError};
use crate::engine::render::cache::{Parsed, RawTexts};
use crate::engine::render::error_at;
use crate::object::{Gvk, Object, Value};

/// What stands for the namespace of a cluster-scoped object in an id.
const NO_NAMESPACE: &str = "_non_namespaceable_";

/// Kept out of the result: notes that kustomize and its plugins leave on objects.
const BUILD_ANNOTATIONS: [&str; 20] = [
    "internal.config.kubernetes.io/previousKinds",
    "internal.config.kubernetes.io/previousNames",
    "internal.config.kubernetes.io/prefixes",
    "internal.config.kubernetes.io/suffixes",
    "internal.config.kubernetes.io/previousNamespaces",
    "internal.config.kubernetes.io/allowNameChange",
    "internal.config.kubernetes.io/allowKindChange",
    "internal.config.kubernetes.io/refBy",
    "internal.config.kubernetes.io/generatorBehavior",
    "internal.config.kubernetes.io/needsHashSuffix",
    "internal.config.kubernetes.io/path",
    "internal.config.kubernetes.io/index",
    "internal.config.kubernetes.io/seqindent",
    "internal.config.kubernetes.io/id",
    "internal.config.kubernetes.io/annotations-migration-resource-id",
    "config.kubernetes.io/path",
    "config.kubernetes.io/index",
    "config.k8s.io/id",
    "config.kubernetes.io/origin",
    "alpha.config.kubernetes.io/transformations",
];

/// Objects with this annotation are for the build only, unless it says `false`.
const LOCAL_CONFIG: &str = "config.kubernetes.io/local-config";

/// A resource on its way through the transformers.
#[derive(Clone, Debug)]
pub(super) struct Resource {
    pub(super) object: Arc<Object>,
    pub(super) origin: Origin,
    /// Its ids before each change of name, namespace or kind, the first first.
    previous: Vec<Previous>,
    pub(super) prefixes: Vec<String>,
    pub(super) suffixes: Vec<String>,
    /// Paths of fields that hold nothing, not even `null`: a strategic merge drops them.
    pub(super) bare_nulls: Arc<Vec<Vec<String>>>,
    /// Labels and annotations whose text is not what their value prints as (`0644`).
    pub(super) raw: Arc<RawTexts>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Previous {
    kind: String,
    namespace: String,
    name: String,
}

/// What a resource is known by: equal ids, one resource.
#[derive(Clone, Debug)]
pub(super) struct Id {
    pub(super) gvk: Gvk,
    /// `default` where it names none, [`NO_NAMESPACE`] for what is cluster-scoped.
    pub(super) namespace: String,
    pub(super) name: String,
    pub(super) is_cluster_scoped: bool,
}

impl Id {
    /// What two ids of one resource have in common.
    fn key(&self) -> (&Gvk, &str, &str) {
        (&self.gvk, &self.namespace, &self.name)
    }
}

impl PartialEq for Id {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Id {
    pub(super) fn is_namespaced_at_all(&self) -> bool {
        self.namespace != NO_NAMESPACE
    }
}

/// `Deployment.v1.apps/name.namespace`, kustomize's own form.
impl std::fmt::Display for Id {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let group = if self.gvk.group.is_empty() { "[noGrp]" } else { &self.gvk.group };
        write!(f, "{}.{}.{group}/{}", self.gvk.kind, self.gvk.version, self.name)
    }
}

impl Resource {
    /// From a parsed document.
    ///
    /// # Errors
    /// Where it has no kind or no name.
    pub(super) fn new(parsed: &Parsed, origin: Origin) -> Result<Self, RenderError> {
        let object = &parsed.object;
        let missing = if object.kind().is_empty() {
            "kind"
        } else if object.name().is_empty() && !object.kind().ends_with("List") {
            "metadata.name"
        } else {
            ""
        };
        if !missing.is_empty() {
            return Err(error_at(&origin, format!("no Kubernetes manifest: {missing} is missing")));
        }
        Ok(Self {
            object: object.clone(),
            origin,
            previous: Vec::new(),
            prefixes: Vec::new(),
            suffixes: Vec::new(),
            bare_nulls: parsed.bare_nulls.clone(),
            raw: parsed.raw.clone(),
        })
    }

    pub(super) fn object_mut(&mut self) -> &mut Object {
        Arc::make_mut(&mut self.object)
    }

    /// Its id as it is now.
    pub(super) fn id(&self) -> Id {
        let gvk = self.object.gvk();
        let is_cluster_scoped = schema::is_cluster_scoped(self.object.api_version(), &gvk.kind);
        let namespace = match self.object.namespace() {
            _ if is_cluster_scoped => NO_NAMESPACE,
            "" => "default",
            namespace => namespace,
        };
        let (namespace, name) = (namespace.to_owned(), self.object.name().to_owned());
        Id { gvk, namespace, name, is_cluster_scoped }
    }

    /// The ids it had before, the first first. Their group and version are those of now.
    pub(super) fn previous_ids(&self) -> Vec<Id> {
        let gvk = self.object.gvk();
        let id = |previous: &Previous| Id {
            gvk: Gvk { kind: previous.kind.clone().into(), ..gvk.clone() },
            namespace: previous.namespace.clone(),
            name: previous.name.clone(),
            is_cluster_scoped: false,
        };
        self.previous.iter().map(id).collect()
    }

    /// The id that it was read with.
    pub(super) fn original_id(&self) -> Id {
        self.previous_ids().into_iter().next().unwrap_or_else(|| self.id())
    }

    /// Whether one of the ids that it has or had, all with this name, is the one looked for.
    pub(super) fn any_id_named(&self, name: &str, matches: impl Fn(&Id) -> bool) -> bool {
        let had = self.previous.iter().any(|previous| previous.name == name);
        (had && self.previous_ids().iter().any(|id| id.name == name && matches(id)))
            || (self.object.name() == name && matches(&self.id()))
    }

    /// Keeps its id of now as one it had.
    pub(super) fn store_id(&mut self) {
        let id = self.id();
        let kind = id.gvk.kind.into_owned();
        self.previous.push(Previous { kind, namespace: id.namespace, name: id.name });
    }

    /// The labels or annotations as text, as written.
    pub(super) fn texts(&self, field: &'static str) -> BTreeMap<String, String> {
        let map = self.object.at(&["metadata", field]).and_then(Value::as_object);
        let text = |(key, value): (&String, &Value)| {
            let raw = self.raw.get(&(field, key.clone())).filter(|(read, _)| read == value);
            let text = raw.map(|(_, text)| text.clone()).or_else(|| scalar_text(value));
            (key.clone(), text.unwrap_or_default())
        };
        map.map(|map| map.iter().map(text).collect()).unwrap_or_default()
    }

    /// Sets labels or annotations; none at all takes the field away.
    pub(super) fn set_texts(&mut self, field: &'static str, texts: BTreeMap<String, String>) {
        if texts.is_empty() {
            if self.object.at(&["metadata", field]).is_some() {
                self.object_mut().remove(&["metadata", field]);
            }
            return;
        }
        let map = texts.into_iter().map(|(key, text)| (key, Value::String(text))).collect();
        let value = Value::Object(map);
        if self.object.at(&["metadata", field]) != Some(&value) {
            self.object_mut().set(&["metadata", field], value);
        }
    }

    fn is_local(&self) -> bool {
        self.object
            .at(&["metadata", "annotations", LOCAL_CONFIG])
            .is_some_and(|value| scalar_text(value).as_deref() != Some("false"))
    }

    fn into_manifest(mut self) -> Manifest {
        // Annotations leave as text, whatever they were written as, and not as an empty map.
        let mut annotations = self.texts("annotations");
        annotations.retain(|key, _| !BUILD_ANNOTATIONS.contains(&key.as_str()));
        self.set_texts("annotations", annotations);
        Manifest { object: self.object, origin: self.origin }
    }
}

/// Resources in the order in which they were listed; current ids are distinct.
#[derive(Clone, Debug, Default)]
pub(super) struct Resources {
    pub(super) list: Vec<Resource>,
}

impl Resources {
    /// Refuses two resources with one id.
    ///
    /// # Errors
    /// Where there are two: names both places.
    pub(super) fn refuse_twins(&self) -> Result<(), RenderError> {
        let Some((first, second)) = self.first_twins() else { return Ok(()) };
        let id = second.object.id();
        let message = if first.origin == second.origin {
            format!("{id} comes in twice: what holds it is listed more than once")
        } else {
            format!("{id} is already defined at {}", first.origin)
        };
        Err(error_at(&second.origin, message))
    }

    /// The first pair of resources with one id.
    pub(super) fn first_twins(&self) -> Option<(&Resource, &Resource)> {
        let ids: Vec<Id> = self.list.iter().map(Resource::id).collect();
        let mut seen = BTreeMap::new();
        for (at, id) in ids.iter().enumerate() {
            if let Some(first) = seen.insert(id.key(), at) {
                return Some((&self.list[first], &self.list[at]));
            }
        }
        None
    }

    /// Takes out what is for the build only.
    pub(super) fn drop_local(&mut self) {
        self.list.retain(|resource| !resource.is_local());
    }

    pub(super) fn into_manifests(self) -> Vec<Manifest> {
        self.list.into_iter().map(Resource::into_manifest).collect()
    }
}
