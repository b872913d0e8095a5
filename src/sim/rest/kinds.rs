//! The kinds that are served: what the schema says of each, and what its strategy is.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use super::strategy::{self, Strategy};
use crate::fields;
use crate::object::fieldset::Set;
use crate::object::schema::{self, KindInfo, Presence, Schema, TypeId};
use crate::object::{Gvr, Value};

/// A kind with all that a request for it needs to know.
#[derive(Debug)]
pub(super) struct Kind {
    pub(super) group: &'static str,
    pub(super) kind: &'static str,
    pub(super) plural: &'static str,
    pub(super) api_version: String,
    pub(super) info: &'static KindInfo,
    pub(super) ty: TypeId,
    pub(super) strategy: Strategy,
    /// The status of an object whose status nobody wrote; `None` where there is no `/status`.
    pub(super) empty_status: Option<Value>,
    /// Lists at the top that are always printed.
    pub(super) nullable: Vec<&'static str>,
    /// What writers of the object, and of its status, do not own.
    reset: [&'static Set; 2],
}

impl Kind {
    fn new(info: &'static KindInfo) -> Self {
        let (group, kind) = (&*info.gvk.group, &*info.gvk.kind);
        let mut empty = schema::form::empty(schema::builtin(), info.ty);
        let has_status = info.has_subresource("status");
        let empty_status = empty.0.remove("status");
        Self {
            group,
            kind,
            plural: &info.gvr.plural,
            api_version: info.gvk.api_version(),
            info,
            ty: info.ty,
            strategy: strategy::of(group, kind),
            nullable: nullable(info.ty),
            empty_status: empty_status.filter(|_| has_status),
            reset: [fields::reset(kind, ""), fields::reset(kind, "status")],
        }
    }

    pub(super) fn namespaced(&self) -> bool {
        self.info.namespaced
    }

    pub(super) fn schema(&self) -> &'static Schema {
        schema::builtin()
    }

    pub(super) fn reset(&self, subresource: &str) -> &'static Set {
        self.reset[usize::from(subresource == "status")]
    }
}

fn nullable(ty: TypeId) -> Vec<&'static str> {
    let schema = schema::builtin();
    let fields = schema.ty(ty).map.iter().flat_map(|map| &map.fields);
    let lists =
        fields.filter(|f| f.presence == Presence::Nullable && schema.ty(f.ty).list.is_some());
    lists.map(|field| &*field.name).collect()
}

/// Every kind of a resource that can be read, by resource.
fn served() -> &'static BTreeMap<Gvr, Arc<Kind>> {
    static SERVED: LazyLock<BTreeMap<Gvr, Arc<Kind>>> = LazyLock::new(|| {
        let kinds = schema::builtin().kinds().filter(|kind| kind.verbs.iter().any(|v| v == "get"));
        kinds.map(|info| (info.gvr.clone(), Arc::new(Kind::new(info)))).collect()
    });
    &SERVED
}

/// The kind of a resource.
pub(super) fn of(gvr: &Gvr) -> Option<Arc<Kind>> {
    served().get(gvr).cloned()
}

/// Whether anything of a group and version is served, or of a group (`version` empty).
pub(super) fn is_served(group: &str, version: &str) -> bool {
    served().keys().any(|gvr| gvr.group == group && (version.is_empty() || gvr.version == version))
}
