//! The kinds that are served: the built-in ones, which all servers share, and those that the
//! CustomResourceDefinitions of one server add.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use super::strategy::{self, Strategy};
use crate::fields;
use crate::object::fieldset::Set;
use crate::object::schema::{self, KindInfo, Schema, TypeId};
use crate::object::{Gvr, Name, Object, Value};
use crate::sim::crd;
use crate::sim::store::Resource;

/// A kind with all that a request for it needs to know.
#[derive(Debug)]
pub(super) struct Kind {
    /// What behaviour goes by: the group and the kind if it is a built-in one. Both are empty for
    /// a custom one, so that one called Service is treated as no Service. For texts there are
    /// [`Kind::name`], [`Kind::group_name`] and [`Kind::plural`].
    pub(super) group: &'static str,
    /// See `group`.
    pub(super) kind: &'static str,
    pub(super) api_version: String,
    pub(super) info: KindInfo,
    pub(super) ty: TypeId,
    pub(super) strategy: Strategy,
    /// The status of an object whose status nobody wrote; `None` where there is no `/status`.
    pub(super) empty_status: Option<Value>,
    /// What its definition says; `None` for a built-in kind.
    pub(super) custom: Option<Arc<crd::Version>>,
    /// What writers of the object, and of its status, do not own.
    reset: [&'static Set; 2],
}

impl Kind {
    fn builtin(info: &'static KindInfo) -> Self {
        let (group, kind) = (&*info.gvk.group, &*info.gvk.kind);
        let mut empty = schema::form::empty(schema::builtin(), info.ty);
        let has_status = info.has_subresource("status");
        let empty_status = empty.0.remove("status");
        Self {
            group,
            kind,
            api_version: info.gvk.api_version(),
            info: info.clone(),
            ty: info.ty,
            strategy: strategy::of(group, kind),
            empty_status: empty_status.filter(|_| has_status),
            custom: None,
            reset: [fields::reset(kind, ""), fields::reset(kind, "status")],
        }
    }

    fn custom(version: Arc<crd::Version>) -> Self {
        let has_status = version.has_status;
        Self {
            group: "",
            kind: "",
            api_version: version.info.gvk.api_version(),
            info: version.info.clone(),
            ty: version.ty,
            strategy: strategy::CUSTOM,
            empty_status: None,
            reset: ["", "status"].map(|part| fields::reset_custom(part, has_status)),
            custom: Some(version),
        }
    }

    /// The kind's name, for texts and objects.
    pub(super) fn name(&self) -> &str {
        &self.info.gvk.kind
    }

    /// The group's name, for texts.
    pub(super) fn group_name(&self) -> &str {
        &self.info.gvk.group
    }

    /// The resource's name, for texts.
    pub(super) fn plural(&self) -> &str {
        &self.info.gvr.plural
    }

    /// The kind of its lists.
    pub(super) fn list_kind(&self) -> Name {
        self.info.list_kind.clone()
    }

    fn is_of(&self, definition: &str) -> bool {
        self.custom.as_ref().is_some_and(|custom| custom.definition == definition)
    }

    pub(super) fn namespaced(&self) -> bool {
        self.info.namespaced
    }

    pub(super) fn schema(&self) -> &Schema {
        self.custom.as_ref().map_or_else(|| schema::builtin(), |custom| &custom.types)
    }

    pub(super) fn reset(&self, subresource: &str) -> &'static Set {
        self.reset[usize::from(subresource == "status")]
    }
}

type Kinds = BTreeMap<Gvr, Arc<Kind>>;

/// Every built-in kind of a resource that can be read, or only created (reviews), by resource.
fn builtin() -> &'static Kinds {
    static SERVED: LazyLock<Kinds> = LazyLock::new(|| {
        let is_served = |kind: &&KindInfo| kind.verbs.iter().any(|v| v == "get" || v == "create");
        let kinds = schema::builtin().kinds().filter(is_served);
        kinds.map(|info| (info.gvr.clone(), Arc::new(Kind::builtin(info)))).collect()
    });
    &SERVED
}

/// A kind that is served, as discovery, OpenAPI and tables want it.
#[derive(Clone, Copy, Debug)]
pub struct Served<'s> {
    /// Names, scope, verbs, subresources.
    pub info: &'s KindInfo,
    /// What the definition says of this version; `None` for a built-in kind.
    pub custom: Option<&'s crd::Version>,
}

/// The kinds of one server.
#[derive(Debug, Default)]
pub(super) struct Registry {
    custom: Kinds,
    generation: u64,
    /// The definitions as they were when last looked at, by name.
    seen: BTreeMap<String, Arc<Object>>,
}

impl Registry {
    /// The kind of a resource.
    pub(super) fn of(&self, gvr: &Gvr) -> Option<Arc<Kind>> {
        builtin().get(gvr).or_else(|| self.custom.get(gvr)).cloned()
    }

    /// Whether a group has built-in kinds. Of others what is not served is no page at all.
    pub(super) fn is_builtin_group(&self, group: &str) -> bool {
        builtin().keys().any(|gvr| gvr.group == group)
    }

    /// Whether anything but built-in kinds is served.
    pub(super) fn has_custom(&self) -> bool {
        !self.custom.is_empty()
    }

    /// Whether a custom kind of a group is served.
    pub(super) fn is_custom_group(&self, group: &str) -> bool {
        self.custom.keys().any(|gvr| gvr.group == group)
    }

    /// The custom kind of a version and a name.
    pub(super) fn of_kind(&self, api_version: &str, kind: &str) -> Option<&Kind> {
        let mut all = self.custom.values();
        all.find(|k| k.api_version == api_version && k.name() == kind).map(AsRef::as_ref)
    }

    /// Whether a resource is a built-in one.
    pub(super) fn is_builtin(&self, resource: &Resource) -> bool {
        let mut known = builtin().keys();
        known.any(|gvr| gvr.group == resource.group && gvr.plural == resource.plural)
    }

    /// Whether a definition is on its way out.
    pub(super) fn is_ending(&self, definition: &str) -> bool {
        self.seen.get(definition).is_some_and(|crd| crd.is_deleting())
    }

    /// A resource that a definition serves.
    pub(super) fn any_of(&self, definition: &str) -> Option<Gvr> {
        let mut all = self.custom.iter();
        all.find(|(_, kind)| kind.is_of(definition)).map(|(gvr, _)| gvr.clone())
    }

    /// Everything that is served: built-in kinds in the order of discovery, then custom ones by
    /// group, version and plural.
    pub(super) fn all(&self) -> impl Iterator<Item = Served<'_>> {
        let builtin = schema::builtin().kinds().map(|info| Served { info, custom: None });
        let custom = self.custom.values();
        builtin
            .chain(custom.map(|kind| Served { info: &kind.info, custom: kind.custom.as_deref() }))
    }

    /// Grows with each change of what is served.
    pub(super) fn generation(&self) -> u64 {
        self.generation
    }

    /// Serves from now on what these definitions, which are all there are, say. What they say is
    /// new is so since `revision`.
    pub(super) fn define(&mut self, crds: &[Arc<Object>], revision: u64) {
        let gone: Vec<String> = self
            .seen
            .keys()
            .filter(|name| !crds.iter().any(|crd| crd.name() == **name))
            .cloned()
            .collect();
        for name in gone {
            self.seen.remove(&name);
            self.serve(&name, Vec::new());
        }
        for crd in crds {
            let before = self.seen.insert(crd.name().to_owned(), Arc::clone(crd));
            if before.is_none_or(|before| !serves_the_same(&before, crd)) {
                self.serve(crd.name(), crd::served(crd, revision));
            }
        }
    }

    /// Serves the versions of a definition in place of what it had served before.
    fn serve(&mut self, definition: &str, versions: Vec<crd::Version>) {
        let before = self.custom.len();
        self.custom.retain(|_, kind| !kind.is_of(definition));
        if before == self.custom.len() && versions.is_empty() {
            return;
        }
        self.generation += 1;
        for version in versions.into_iter().filter(|v| !builtin().contains_key(&v.info.gvr)) {
            let kind = Kind::custom(Arc::new(version));
            self.custom.insert(kind.info.gvr.clone(), Arc::new(kind));
        }
    }
}

/// Whether two states of a definition make the same kinds.
fn serves_the_same(before: &Arc<Object>, after: &Arc<Object>) -> bool {
    let names = ["status", "acceptedNames"];
    Arc::ptr_eq(before, after)
        || (before.uid() == after.uid()
            && before.at(&names) == after.at(&names)
            && crd::is_served(before) == crd::is_served(after)
            && before.at(&["spec"]) == after.at(&["spec"]))
}
