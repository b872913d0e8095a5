//! Objects as they are to be, with everything known of them without a server: resource,
//! namespace, the fields that an apply will own.
//!
//! It refuses what the API could not take (unknown kind, unknown or mistyped field, no name),
//! naming the file, so that nothing of a bad commit is applied.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::unfilled;
use crate::base::Digest;
use crate::engine::model::{App, InventoryEntry, MANAGER, Manifest, Mark, Origin, Rendered};
use crate::object::diff::differences;
use crate::object::fieldset::{self, Set};
use crate::object::schema::{KindInfo, Mode, Schema, TypeId, check};
use crate::object::{Gvr, Object, ObjectId, Value};

/// One object as it is to be.
#[derive(Clone, Debug)]
pub struct Desired {
    /// Which object.
    pub id: ObjectId,
    /// Where it is written to.
    pub gvr: Gvr,
    /// The body of the apply.
    pub body: Arc<Value>,
    /// The fields that the apply owns.
    pub fields: Arc<Set>,
    /// Its type in the schema.
    pub ty: TypeId,
    /// Where it came from.
    pub origin: Origin,
}

/// What an App comes to at one commit.
#[derive(Clone, Debug, Default)]
pub struct DesiredSet {
    /// The objects.
    pub objects: BTreeMap<ObjectId, Desired>,
    /// What was read to render them, see [`Rendered::inputs`].
    pub rendered: Arc<Rendered>,
}

/// Why an object cannot be planned; the commit has to change.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// The cluster has no such kind.
    #[error("{origin}: no kind {kind:?} in {api_version:?}{hint}")]
    UnknownKind {
        /// Where.
        origin: Origin,
        /// As the manifest says.
        api_version: String,
        /// As the manifest says.
        kind: String,
        /// The nearest right word, as a clause, or nothing.
        hint: String,
    },
    /// No `metadata.name`.
    #[error("{origin}: {kind} has no metadata.name")]
    NoName {
        /// Where.
        origin: Origin,
        /// Its kind.
        kind: String,
    },
    /// A field is unknown, missing or of the wrong type.
    #[error("{origin}: {id}: {message}")]
    BadField {
        /// Where.
        origin: Origin,
        /// Which object.
        id: String,
        /// The field's path.
        path: String,
        /// What is wrong with it.
        message: String,
    },
    /// Two manifests are the same object once the App's namespace is filled in.
    #[error("{second}: {id} is already defined at {first}")]
    Twice {
        /// Which object.
        id: ObjectId,
        /// Where first.
        first: Origin,
        /// Where again.
        second: Origin,
    },
}

impl Desired {
    /// Its inventory entry.
    #[must_use]
    pub fn entry(&self) -> InventoryEntry {
        InventoryEntry {
            id: self.id.clone(),
            version: self.gvr.version.clone().into_owned(),
            bare: self.fields.is_empty(),
        }
    }

    /// What is to be remembered of an apply to the object with this uid.
    #[must_use]
    pub fn mark(&self, uid: &str) -> Mark {
        let mut digest = Digest::default();
        digest.add(self.body.to_string().as_bytes());
        let mut digest = digest.to_hex();
        // Half of it keeps two bodies of one object apart as well, and is kept for each object.
        digest.truncate(16);
        Mark { digest, uid: uid.to_owned() }
    }

    /// Whether `live` shows that we applied just these fields with just these values before.
    #[must_use]
    pub fn is_held_by(&self, schema: &Schema, live: &Object) -> bool {
        if !self.is_all_ours_in(live) {
            return false;
        }
        let live = fieldset::project(schema, self.ty, &live.clone().into_value(), &self.fields);
        let want = fieldset::project(schema, self.ty, &self.body, &self.fields);
        // Keys of list items that the server filled in (a port's protocol) are on its side alone.
        differences(&want, &live).iter().all(|difference| difference.left.is_none())
    }

    /// Whether `live` says that just these fields were applied by us, no more and no fewer.
    #[must_use]
    pub fn is_all_ours_in(&self, live: &Object) -> bool {
        owned_by_us(live) == *self.fields
    }
}

/// The fields that `live` says were applied by [`MANAGER`]. An apply of nothing but a name
/// leaves no entry.
fn owned_by_us(live: &Object) -> Set {
    let entry = live.list(&["metadata", "managedFields"]).iter().find(|entry| {
        let text = |key: &str| entry.get(key).and_then(Value::as_str).unwrap_or_default();
        text("manager") == MANAGER && text("operation") == "Apply" && text("subresource").is_empty()
    });
    let fields = entry.and_then(|entry| entry.get("fieldsV1"));
    fields.and_then(|fields| Set::from_fields_v1(fields).ok()).unwrap_or_default()
}

/// Settles every manifest of `rendered` for `app`.
///
/// # Errors
/// The first manifest, in the renderer's order, that the API could not take.
pub fn settle(
    app: &App,
    rendered: &Arc<Rendered>,
    schema: &Schema,
) -> Result<DesiredSet, PlanError> {
    let mut objects: BTreeMap<ObjectId, Desired> = BTreeMap::new();
    for manifest in &rendered.manifests {
        let want = settle_one(app, manifest, schema)?;
        if let Some(first) = objects.get(&want.id) {
            let (first, second) = (first.origin.clone(), want.origin);
            return Err(PlanError::Twice { id: want.id, first, second });
        }
        objects.insert(want.id.clone(), want);
    }
    Ok(DesiredSet { objects, rendered: Arc::clone(rendered) })
}

fn settle_one(app: &App, manifest: &Manifest, schema: &Schema) -> Result<Desired, PlanError> {
    let origin = manifest.origin.clone();
    let gvk = manifest.object.gvk();
    if let Some((path, variable)) = unfilled::first(&manifest.object) {
        let message = format!("{path}: {variable} was not filled in");
        let id = manifest.object.id().to_string();
        return Err(PlanError::BadField { origin, id, path, message });
    }
    let Some(kind) = schema.kind(&gvk.group, &gvk.version, &gvk.kind) else {
        let (api_version, kind) = (gvk.api_version(), gvk.kind.into_owned());
        let hint = hint(schema, &gvk.group, &kind);
        return Err(PlanError::UnknownKind { origin, api_version, kind, hint });
    };
    let body = body(app, &manifest.object, kind);
    if body.name().is_empty() {
        return Err(PlanError::NoName { origin, kind: gvk.kind.into_owned() });
    }
    let id = body.id();
    let body = body.into_value();
    if let Some(problem) = check(schema, kind.ty, &body, Mode::Manifest).into_iter().next() {
        let (path, message) = (problem.path, problem.message);
        return Err(PlanError::BadField { origin, id: id.to_string(), path, message });
    }
    let fields = fieldset::of(schema, kind.ty, &body);
    let fields = Arc::new(fields.difference(fieldset::never_recorded()));
    Ok(Desired { id, gvr: kind.gvr.clone(), body: Arc::new(body), fields, ty: kind.ty, origin })
}

/// The manifest without what an apply must not carry, and with its namespace.
fn body(app: &App, object: &Object, kind: &KindInfo) -> Object {
    let mut body = object.clone();
    // Status is the cluster's (R-SSA-05), and the server refuses managedFields (R-SSA-01).
    body.remove(&["status"]);
    for key in ["managedFields", "creationTimestamp", "resourceVersion", "uid"] {
        body.remove(&["metadata", key]);
    }
    // The rules of a role that is made of others are the control plane's (R-CTL-28).
    if kind.gvk.kind == "ClusterRole" && body.at(&["aggregationRule"]).is_some_and(Value::is_object)
    {
        body.remove(&["rules"]);
    }
    if !kind.namespaced {
        body.remove(&["metadata", "namespace"]);
    } else if body.namespace().is_empty() {
        body.set(&["metadata", "namespace"], app.namespace.clone().into());
    }
    body
}

/// What the author may have meant, as the end of a sentence.
fn hint(schema: &Schema, group: &str, kind: &str) -> String {
    let exact = schema.kinds().find(|info| info.gvk.kind == kind);
    if let Some(info) = exact {
        return format!("; {kind} is in {:?}", info.gvk.api_version());
    }
    if group.contains('.') && schema.kinds().all(|info| info.gvk.group != group) {
        let what = match group {
            flux if flux.ends_with("fluxcd.io") => "Flux objects are",
            argo if argo.ends_with("argoproj.io") => "Argo CD objects are",
            _ => return "; neither the repository nor the cluster has a CustomResourceDefinition for it".to_owned(),
        };
        return format!("; {what} not supported yet");
    }
    let near = schema
        .kinds()
        .map(|info| (strsim::damerau_levenshtein(&info.gvk.kind, kind), &info.gvk.kind))
        .min();
    match near {
        Some((distance, word)) if distance <= 3 => format!("; did you mean {word:?}?"),
        _ => String::new(),
    }
}
