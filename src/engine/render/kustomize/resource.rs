//! A resource on its way through the transformers, its names before and now, and the list of
//! them.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::fieldspec::scalar_text;
use super::generate::Behavior;
use super::schema;
use super::shared::Shared;
use crate::engine::model::{Manifest, Origin, RenderError};
use crate::engine::render::cache::{Parsed, RawTexts, Spelled};
use crate::engine::render::error_at;
use crate::object::{Gvk, Key, Map, Object, Value};

/// What stands for the namespace of a cluster-scoped object in an id.
const NO_NAMESPACE: &str = "_non_namespaceable_";

/// Kept out of the result: notes that kustomize and its plugins leave on objects.
const BUILD_ANNOTATIONS: [&str; 18] = [
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
];

/// Says where an object comes from; kept if asked for (`buildMetadata`).
pub(super) const ORIGIN: &str = "config.kubernetes.io/origin";

/// Says what changed an object; kept if asked for (`buildMetadata`).
pub(super) const TRANSFORMATIONS: &str = "alpha.config.kubernetes.io/transformations";

/// Which notes on where objects come from stay in the result.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Keep {
    pub(super) origins: bool,
    pub(super) transformations: bool,
}

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
    /// Numbers whose text is not what they print as (`1.10`).
    pub(super) spelled: Arc<Spelled>,
    /// Whether its name gets a hash of its content at the end.
    pub(super) needs_hash: bool,
    /// What a generated object does to one that is there.
    pub(super) behavior: Behavior,
    /// The vars that take their value from it.
    pub(super) vars: Vec<String>,
    /// Kinds that a schema of the user's own makes cluster-scoped.
    pub(super) scopes: Option<Arc<Scopes>>,
    /// Fields that change together.
    pub(super) shared: Shared,
}

/// Whether kinds, by `apiVersion` and `kind`, are namespaced, as a schema of the user's own says.
pub(super) type Scopes = BTreeMap<(String, String), bool>;

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
            spelled: parsed.spelled.clone(),
            needs_hash: false,
            behavior: Behavior::default(),
            vars: Vec::new(),
            scopes: None,
            shared: Shared::default(),
        })
    }

    /// An error about it as a whole, which names it.
    pub(super) fn error(&self, why: &str) -> RenderError {
        error_at(&self.origin, format!("{}: {why}", self.object.id()))
    }

    /// One that a generator made.
    pub(super) fn generated(
        object: Object,
        origin: Origin,
        needs_hash: bool,
        behavior: Behavior,
    ) -> Self {
        Self {
            object: Arc::new(object),
            origin,
            previous: Vec::new(),
            prefixes: Vec::new(),
            suffixes: Vec::new(),
            bare_nulls: Arc::default(),
            raw: Arc::default(),
            spelled: Arc::default(),
            needs_hash,
            behavior,
            vars: Vec::new(),
            scopes: None,
            shared: Shared::default(),
        }
    }

    /// Takes the place of another: its names before and now, and what was to be done with it.
    pub(super) fn take_identity(&mut self, old: &Resource) {
        let (name, namespace) = (old.object.name().to_owned(), old.object.namespace().to_owned());
        let object = self.object_mut();
        object.set(&["metadata", "name"], Value::String(name.into()));
        if namespace.is_empty() {
            object.remove(&["metadata", "namespace"]);
        } else {
            object.set(&["metadata", "namespace"], Value::String(namespace.into()));
        }
        self.previous.clone_from(&old.previous);
        self.prefixes.clone_from(&old.prefixes);
        self.suffixes.clone_from(&old.suffixes);
        self.vars.clone_from(&old.vars);
        self.needs_hash &= old.needs_hash;
        self.behavior = old.behavior;
    }

    /// An annotation's text.
    pub(super) fn annotation(&self, key: &str) -> Option<String> {
        self.texts("annotations").remove(key)
    }

    /// Sets an annotation; all of them are text then.
    pub(super) fn annotate(&mut self, key: &str, text: String) {
        let mut texts = self.texts("annotations");
        texts.insert(key.to_owned(), text);
        self.set_texts("annotations", texts);
        self.shared.forget_below(&["metadata", "annotations"]);
    }

    /// Brings what was written to a field to those that are one with it.
    pub(super) fn settle(&mut self) {
        if self.shared != Shared::default() {
            let object = Arc::make_mut(&mut self.object);
            self.shared.settle(object);
        }
    }

    /// Says that it comes from where another comes from.
    pub(super) fn keep_origin_of(&mut self, old: &Resource) {
        if let Some(origin) = old.annotation(ORIGIN) {
            self.annotate(ORIGIN, origin);
        }
    }

    pub(super) fn object_mut(&mut self) -> &mut Object {
        Arc::make_mut(&mut self.object)
    }

    /// Its id as it is now.
    pub(super) fn id(&self) -> Id {
        let gvk = self.object.gvk();
        let is_cluster_scoped = self.is_cluster_scoped(&gvk.kind);
        let namespace = match self.object.namespace() {
            _ if is_cluster_scoped => NO_NAMESPACE,
            "" => "default",
            namespace => namespace,
        };
        let (namespace, name) = (namespace.to_owned(), self.object.name().to_owned());
        Id { gvk, namespace, name, is_cluster_scoped }
    }

    fn is_cluster_scoped(&self, kind: &str) -> bool {
        let api_version = self.object.api_version();
        if let Some(scopes) = &self.scopes
            && !schema::is_known(api_version, kind)
            && let Some(namespaced) = scopes.get(&(api_version.to_owned(), kind.to_owned()))
        {
            return !namespaced;
        }
        schema::is_cluster_scoped(api_version, kind)
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

    /// Whether it had an id before that of now.
    pub(super) fn was_renamed(&self) -> bool {
        !self.previous.is_empty()
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
        let text = |(key, value): (&Key, &Value)| {
            let raw = self.raw.get(&(field, key.to_string())).filter(|(read, _)| read == value);
            let text = raw.map(|(_, text)| text.clone()).or_else(|| scalar_text(value));
            (key.to_string(), text.unwrap_or_default())
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
        let map = texts.into_iter().map(|(key, text)| (key, Value::String(text.into()))).collect();
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

    fn into_manifest(mut self, keep: Keep) -> Manifest {
        // A list without items may come without metadata, and leaves with some.
        if self.object.0.get("metadata").is_none() {
            self.object_mut().0.insert("metadata", Value::Object(Map::new()));
        }
        // Annotations leave as text, whatever they were written as, and not as an empty map.
        let mut annotations = self.texts("annotations");
        annotations.retain(|key, _| match key.as_str() {
            ORIGIN => keep.origins,
            TRANSFORMATIONS => keep.transformations,
            key => !BUILD_ANNOTATIONS.contains(&key),
        });
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
    ///
    /// # Errors
    /// Where the build left an object without a name or a kind.
    pub(super) fn drop_local(&mut self) -> Result<(), RenderError> {
        for resource in &self.list {
            let object = &resource.object;
            let is_list = object.kind().ends_with("List");
            if object.kind().is_empty() || (object.name().is_empty() && !is_list) {
                let message = "what this comes to has no kind or no metadata.name".to_owned();
                return Err(error_at(&resource.origin, message));
            }
        }
        self.list.retain(|resource| !resource.is_local());
        Ok(())
    }

    pub(super) fn into_manifests(self, keep: Keep) -> Vec<Manifest> {
        self.list.into_iter().map(|resource| resource.into_manifest(keep)).collect()
    }

    /// Adds one.
    ///
    /// # Errors
    /// Where one with its id is there.
    pub(super) fn append(&mut self, resource: Resource) -> Result<(), String> {
        let id = resource.id();
        if let Some(other) = self.list.iter().find(|other| other.id() == id) {
            return Err(format!("{} is already defined at {}", resource.object.id(), other.origin));
        }
        self.list.push(resource);
        Ok(())
    }
}
