//! Repairs references: where an object was renamed or moved, the fields that name it follow.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::fieldspec::{Create, FieldSpec, scalar_text};
use super::nameref_table::{ByKind, References};
use super::resource::{Id, Resource, Resources};
use crate::engine::model::RenderError;
use crate::object::{Gvk, Map, Object, Value};

/// Makes every known reference in `resources` follow its target.
///
/// # Errors
/// Where a reference could mean several objects that are called differently now.
pub(super) fn fix(resources: &mut Resources, table: &[References]) -> Result<(), RenderError> {
    let targets: Vec<Target> = resources.list.iter().map(Target::new).collect();
    if targets.iter().all(|target| target.previous.is_empty()) {
        // Nothing was renamed, but a blank namespace in a binding is an error all the same.
        return resources.list.iter().try_for_each(|resource| {
            let namespaces = account_namespaces(&resource.object);
            namespaces.map(drop).map_err(|why| resource.error(&why))
        });
    }
    let by_kind = ByKind::new(table);
    for (at, resource) in resources.list.iter_mut().enumerate() {
        let fields = by_kind.of(&resource.original_id().gvk);
        if fields.is_empty() {
            continue;
        }
        let fail = |why: String| resource.error(&why);
        let referrer = Referrer::new(&resource.object, &targets[at], &targets).map_err(fail)?;
        let object = Arc::make_mut(&mut resource.object);
        for (references, field) in fields {
            let mut set = |value: &mut Value| referrer.set(value, references, field);
            let result = field.apply_always(object, Create::Nothing, &mut set);
            if let Err(why) = result {
                return Err(resource.error(&why));
            }
        }
    }
    Ok(())
}

/// What is to be known of an object that others may refer to.
struct Target {
    id: Id,
    original: Id,
    previous: Vec<Id>,
    /// As it stands in the object; empty where it names none.
    namespace: String,
    prefixes: Vec<String>,
    suffixes: Vec<String>,
}

impl Target {
    fn new(resource: &Resource) -> Self {
        Self {
            id: resource.id(),
            original: resource.original_id(),
            previous: resource.previous_ids(),
            namespace: resource.object.namespace().to_owned(),
            prefixes: resource.prefixes.clone(),
            suffixes: resource.suffixes.clone(),
        }
    }

    /// Whether the prefixes and suffixes of both end the same way. `lenient`: one without any
    /// fits all.
    fn is_named_alike(&self, other: &Target, lenient: bool) -> bool {
        let alike = |a: &[String], b: &[String]| {
            (lenient && (a.is_empty() || b.is_empty())) || end_alike(a, b)
        };
        alike(&self.prefixes, &other.prefixes) && alike(&self.suffixes, &other.suffixes)
    }
}

/// Whether the shorter is the end of the longer; an empty one is the end of an empty one only.
fn end_alike(a: &[String], b: &[String]) -> bool {
    let (short, long) = if a.len() <= b.len() { (a, b) } else { (b, a) };
    if short.is_empty() { long.is_empty() } else { long.ends_with(short) }
}

/// An object whose references are being repaired.
struct Referrer<'t> {
    me: &'t Target,
    /// What it can refer to at all.
    candidates: Vec<&'t Target>,
    /// Group and kind of its `roleRef`, where it has one that says both.
    role: Option<Gvk>,
}

impl<'t> Referrer<'t> {
    fn new(object: &Object, me: &'t Target, targets: &'t [Target]) -> Result<Self, String> {
        let account_namespaces = account_namespaces(object)?;
        let reaches = |target: &&Target| {
            me.id.is_cluster_scoped
                || target.id.is_cluster_scoped
                || target.id.namespace == me.id.namespace
                || account_namespaces.contains(target.namespace.as_str())
        };
        let role_ref = |field| object.text(&["roleRef", field]).map(str::to_owned);
        let role = role_ref("apiGroup").zip(role_ref("kind")).map(|(group, kind)| Gvk {
            group: group.into(),
            version: "".into(),
            kind: kind.into(),
        });
        Ok(Self { me, candidates: targets.iter().filter(reaches).collect(), role })
    }

    fn set(&self, value: &mut Value, to: &References, field: &FieldSpec) -> Result<(), String> {
        match value {
            Value::Null => Ok(()),
            Value::Object(map) => self.set_map(map, to, field),
            Value::Array(items) => items.iter_mut().try_for_each(|item| match item {
                Value::Null => Ok(()),
                Value::Object(map) => self.set_map(map, to, field),
                Value::Array(_) => Err("expected text or a map".to_owned()),
                scalar => self.set_scalar(scalar, to, field),
            }),
            scalar => self.set_scalar(scalar, to, field),
        }
    }

    fn set_scalar(
        &self,
        value: &mut Value,
        to: &References,
        field: &FieldSpec,
    ) -> Result<(), String> {
        let old = scalar_text(value).unwrap_or_default();
        let same = |a: &Target, b: &Target| a.id.name == b.id.name;
        let found = self.referral(&old, self.candidates.clone(), to, field, same)?;
        if let Some(found) = found.filter(|found| found.id.name != old) {
            *value = Value::from(found.id.name.as_str());
        }
        Ok(())
    }

    /// A map with `name` and perhaps `namespace`, both of which follow.
    fn set_map(&self, map: &mut Map, to: &References, field: &FieldSpec) -> Result<(), String> {
        let old =
            map.get("name").and_then(scalar_text).ok_or("there is no name in the reference")?;
        let candidates = match map.get("namespace") {
            None => self.candidates.clone(),
            Some(namespace) => self.in_namespace(&scalar_text(namespace).unwrap_or_default()),
        };
        let same = |a: &Target, b: &Target| a.id.name == b.id.name && a.namespace == b.namespace;
        let Some(found) = self.referral(&old, candidates, to, field, same)? else { return Ok(()) };
        if found.id.name != old {
            map.insert("name".to_owned(), Value::from(found.id.name.as_str()));
        }
        if !found.namespace.is_empty() {
            map.insert("namespace".to_owned(), Value::from(found.namespace.as_str()));
        }
        Ok(())
    }

    /// The candidates that were in a namespace at first, or else are in it now.
    fn in_namespace(&self, namespace: &str) -> Vec<&'t Target> {
        let filter = |id: fn(&Target) -> &Id| -> Vec<&'t Target> {
            let fits = |t: &&Target| id(t).is_namespaced_at_all() && id(t).namespace == namespace;
            self.candidates.iter().copied().filter(fits).collect()
        };
        let first = filter(|target| &target.original);
        if first.is_empty() { filter(|target| &target.id) } else { first }
    }

    /// The object that the name means.
    fn referral(
        &self,
        old: &str,
        mut candidates: Vec<&'t Target>,
        to: &References,
        field: &FieldSpec,
        same: impl Fn(&Target, &Target) -> bool,
    ) -> Result<Option<&'t Target>, String> {
        candidates.retain(|t| t.previous.iter().any(|id| id.name == old));
        candidates.retain(|t| t.previous.iter().any(|id| to.targets(&id.gvk)));
        if let Some(role) = self.role.as_ref().filter(|_| field.path().ends_with("roleRef/name")) {
            let is_role = |id: &Id| id.gvk.kind == role.kind && id.gvk.group == role.group;
            candidates.retain(|t| t.previous.iter().any(is_role));
        }
        // An account may be bound from another namespace.
        let is_near = |t: &Target| {
            self.me.id.is_cluster_scoped
                || t.id.is_cluster_scoped
                || t.id.gvk.kind == "ServiceAccount"
                || t.id.namespace == self.me.id.namespace
        };
        candidates.retain(|t| is_near(t));
        if candidates.len() == 1 {
            return Ok(candidates.pop());
        }
        candidates.retain(|t| t.is_named_alike(self.me, true));
        if candidates.len() > 1 {
            candidates.retain(|t| t.is_named_alike(self.me, false));
        }
        match candidates.first() {
            None => Ok(None),
            Some(first) if candidates.iter().all(|t| same(first, t)) => Ok(Some(first)),
            Some(_) => {
                let names: Vec<String> = candidates.iter().map(|t| t.id.to_string()).collect();
                Err(format!("{old} could refer to any of {}", names.join(", ")))
            }
        }
    }
}

/// The namespaces of the service accounts that a RoleBinding binds.
fn account_namespaces(object: &Object) -> Result<BTreeSet<&str>, String> {
    let mut found = BTreeSet::new();
    if object.kind() != "RoleBinding" {
        return Ok(found);
    }
    for subject in object.list(&["subjects"]) {
        let is_account = subject.get("kind").and_then(Value::as_str) == Some("ServiceAccount");
        match subject.get("namespace") {
            Some(Value::String(namespace)) if is_account => {
                found.insert(namespace.as_str());
            }
            Some(_) if is_account => return Err("the namespace of a subject is blank".to_owned()),
            _ => {}
        }
    }
    Ok(found)
}
