//! A write as the other versions see it in which somebody owns something (R-SSA-32).
//!
//! An owner's set is of the version that he wrote through, so what a write changes is compared once
//! a version, in that version's types. Conversion between the versions of a custom kind changes
//! nothing but the name of the version; an object that has a field which a version lacks cannot be
//! taken there, and then nothing can be said of that version's owners.

use super::Write;
use super::compare::{Comparison, compare};
use super::entry::Entry;
use super::managers::Managed;
use super::{reconcile::reconcile, typed};
use crate::object::Object;
use crate::object::fieldset::Set;
use crate::object::schema::{Schema, TypeId, builtin};

/// The types of one version.
#[derive(Clone, Copy)]
pub(super) struct Types<'a> {
    pub(super) schema: &'a Schema,
    pub(super) ty: TypeId,
}

impl<'a> Types<'a> {
    /// Takes an object to another version of its kind: nothing of it changes.
    ///
    /// # Errors
    /// What the version lacks.
    pub(super) fn convert(
        self,
        object: &Object,
        api_version: &str,
        write: &Write<'_>,
    ) -> Result<Types<'a>, String> {
        if api_version == write.api_version || !is_custom(self.schema) {
            return Ok(self);
        }
        let mut others = self.schema.other_versions().iter();
        let Some(other) = others.find(|other| other.api_version == api_version) else {
            return Err(format!(
                "request to convert CR to an invalid group/version: {api_version}"
            ));
        };
        let types = Types { schema: &other.types, ty: other.ty };
        typed::problems(types.schema, types.ty, object).map_or(Ok(types), Err)
    }
}

/// Whether a schema is one version of a custom kind, so that an entry may be of another; all
/// built-in kinds share one.
pub(super) fn is_custom(schema: &Schema) -> bool {
    schema.kinds().next().is_none()
}

/// Drops entries of versions that are gone, and brings sets in line with the schema (R-SSA-33).
///
/// The built-in schema does not change in a server's life, and what is stored of one version was
/// brought in line with it when it was written.
///
/// # Errors
/// The live object cannot be taken to a version that somebody owns something in.
pub(super) fn refresh(
    types: Types<'_>,
    live: &Object,
    managed: &mut Managed,
    write: &Write<'_>,
) -> Result<(), String> {
    if !is_custom(types.schema) {
        managed.entries.retain(|e| is_served(types.schema, live.kind(), e.api_version(), write));
    }
    let one_version = managed.entries.iter().all(|e| e.api_version() == write.api_version);
    let settled = one_version && std::ptr::eq(types.schema, builtin());
    for entry in &mut managed.entries {
        if settled && entry.fields().is_some() {
            continue;
        }
        let own = types.convert(live, entry.api_version(), write)?;
        if let Some(set) = reconcile(own.schema, own.ty, &entry.set()) {
            *entry.set_mut() = set;
        }
    }
    Ok(())
}

/// Whether entries of a version are still of use: it is the one written, or it is served.
fn is_served(schema: &Schema, kind: &str, version: &str, write: &Write<'_>) -> bool {
    let (group, number) = version.split_once('/').unwrap_or(("", version));
    version == write.api_version || schema.kind(group, number, kind).is_some()
}

/// What a write sets and what it removes.
pub(super) struct Changed {
    pub(super) set: Set,
    pub(super) removed: Set,
}

impl Changed {
    fn of(mut changes: Comparison) -> Self {
        let removed = std::mem::take(&mut changes.removed);
        Self { set: changes.set(), removed }
    }
}

/// The same in each version in which somebody owns something.
pub(super) struct Changes {
    /// In the version that is written.
    pub(super) own: Changed,
    others: Vec<(String, Changed)>,
}

impl Changes {
    /// Compares the old object and the new one in each version that `managed` names.
    ///
    /// # Errors
    /// One of the two cannot be taken to such a version.
    pub(super) fn between(
        types: Types<'_>,
        (old, new): (&Object, &Object),
        managed: &Managed,
        write: &Write<'_>,
    ) -> Result<Self, String> {
        let in_version = |types: Types<'_>| {
            let changes = compare(types.schema, types.ty, &old.0, &new.0);
            Changed::of(changes.without(write.reset))
        };
        let mut all = Self { own: in_version(types), others: Vec::new() };
        if !is_custom(types.schema) {
            return Ok(all);
        }
        for entry in &managed.entries {
            let version = entry.api_version();
            let known = version == write.api_version || all.others.iter().any(|o| o.0 == version);
            if !known {
                let convert = |object, which| {
                    let converted = types.convert(object, version, write);
                    converted.map_err(|e| format!("failed to convert {which} object: {e}"))
                };
                convert(old, "old")?;
                let there = convert(new, "new")?;
                all.others.push((version.to_owned(), in_version(there)));
            }
        }
        Ok(all)
    }

    /// What changes for an owner.
    pub(super) fn for_entry(&self, entry: &Entry) -> &Changed {
        let other = self.others.iter().find(|(version, _)| version == entry.api_version());
        other.map_or(&self.own, |(_, changed)| changed)
    }
}
