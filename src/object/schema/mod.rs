//! What a server knows of its kinds: names, scope, verbs, and the types of their fields with the
//! merge rules that OpenAPI states.
//!
//! A [`Type`] says what forms a value may take (scalar, list, map; a type without a schema takes
//! all three) and how each merges, which is the view that server-side apply has of OpenAPI
//! (R-SSA-06, R-SSA-07). The built-in kinds are a generated table; a [`Schema`] for custom
//! resources is put together with [`Schema::add_type`] and [`Schema::add_kind`], as [`custom`] does
//! for the kinds of a CustomResourceDefinition.
//!
//! Not here: defaulting and validation of values beyond their form (`sim::rest`, `sim::crd`).

pub mod check;
pub mod custom;
mod fields;
pub mod form;
pub mod node;
pub mod order;
mod table;
pub mod typed;

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use super::path::PathElement;
use super::{Gvk, Gvr, Key, Name, Value};

pub use check::{Mode, Problem, ProblemKind, check};
pub use fields::Fields;

const TABLE: &str = include_str!("table.txt");

/// The built-in kinds of the Kubernetes release that the table was generated from.
#[must_use]
pub fn builtin() -> &'static Schema {
    static BUILTIN: LazyLock<Schema> = LazyLock::new(|| table::parse(TABLE));
    &BUILTIN
}

/// The name of every field of the built-in types; one that several types have comes as often.
#[cfg(test)]
pub(super) fn field_names() -> impl Iterator<Item = &'static str> {
    table::field_names(TABLE)
}

/// The place of a [`Type`] in its [`Schema`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TypeId(pub u32);

impl TypeId {
    /// The type of a value that has no schema: maps are granular, lists atomic (R-SSA-07).
    pub const DEDUCED: TypeId = TypeId(0);
    /// The type of a value that has no schema and merges as one.
    pub const UNTYPED_ATOMIC: TypeId = TypeId(1);
}

/// What a scalar may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the words are JSON's own")]
pub enum Scalar {
    String,
    Number,
    Boolean,
    /// Any of the three.
    Untyped,
}

/// What OpenAPI's `format` adds to a type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the words are OpenAPI's own")]
pub enum Format {
    None,
    Int32,
    Int64,
    Double,
    Byte,
    DateTime,
    MicroTime,
    Quantity,
    IntOrString,
}

/// How two versions of a list merge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Relation {
    /// As one value.
    Atomic,
    /// Item by item; an item is its own key.
    Set,
    /// Item by item; some fields of an item are its key.
    Map,
}

/// A value's possible forms. At least one of `scalar`, `list` and `map` is there.
#[derive(Clone, Debug, PartialEq)]
pub struct Type {
    /// OpenAPI's name of it; empty for a type that stands inside another.
    pub name: Name,
    /// Set if a scalar is fine.
    pub scalar: Option<Scalar>,
    /// Set if a list is fine.
    pub list: Option<ListType>,
    /// Set if a map is fine.
    pub map: Option<MapType>,
    /// What the scalar is more exactly.
    pub format: Format,
}

/// A list's items and how they merge.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "said by the type")]
pub struct ListType {
    pub item: TypeId,
    pub relation: Relation,
    /// The fields of an item that are its key; empty unless the relation is `Map`.
    pub keys: Vec<Name>,
}

/// A map's fields and what other keys hold.
#[derive(Clone, Debug, PartialEq)]
pub struct MapType {
    /// Sorted by name.
    pub fields: Fields,
    /// The type of keys that are no field; `None` where there may be none.
    pub item: Option<TypeId>,
    /// Whether the map merges as one value.
    pub atomic: bool,
}

/// When a field of a built-in kind is printed, which follows its Go type and decides who owns it
/// when an object is written without apply (R-SSA-25).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presence {
    /// Absent if unset; any value that is set, zero too, stays.
    Pointer,
    /// Absent if zero: `false`, `0`, `""`, an empty list or map.
    Value,
    /// Always there: a struct as `{}`, a scalar as its zero.
    Always,
    /// Always there; `null` if unset.
    Nullable,
}

/// How a strategic merge patch treats a field (R-PAT-06).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PatchRule {
    /// Lists merge item by item.
    pub merge: bool,
    /// A `$retainKeys` directive may clear what it does not name.
    pub retain_keys: bool,
    /// A map is replaced whole.
    pub replace: bool,
    /// The field of an item that is its key; `None` for lists of scalars.
    pub key: Option<Name>,
}

/// A named field of a map.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "said by the type")]
pub struct Field {
    pub name: Name,
    pub ty: TypeId,
    pub required: bool,
    pub presence: Presence,
    pub patch: PatchRule,
    /// OpenAPI's default; it counts where the field is part of a list key (R-SSA-10).
    pub default: Option<Value>,
    /// How Go's decoder names the field and its type, for its messages.
    pub go: GoNames,
}

/// Names in the Go type of a built-in kind that OpenAPI does not show.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GoNames {
    /// The embedded struct that the field is of, empty if of none.
    pub embedded: Name,
    /// The field's type where it is a named one and no struct, such as `v1.PullPolicy`.
    pub ty: Name,
}

/// A subresource.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the words are Kubernetes' own")]
pub struct Subresource {
    pub name: Name,
    pub verbs: Vec<Name>,
    /// What its requests and answers are; `None` for streams such as a pod's log.
    pub gvk: Option<Gvk>,
}

/// A kind that has a resource.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the words are Kubernetes' own")]
pub struct KindInfo {
    pub gvk: Gvk,
    pub gvr: Gvr,
    pub singular: Name,
    /// The kind of a list of them; empty for what cannot be listed.
    pub list_kind: Name,
    pub namespaced: bool,
    pub short_names: Vec<Name>,
    pub categories: Vec<Name>,
    pub verbs: Vec<Name>,
    /// The names of the subresources, in the order of `subresource_details`.
    pub subresources: Vec<Name>,
    pub subresource_details: Vec<Subresource>,
    pub ty: TypeId,
}

impl KindInfo {
    /// Whether there is a subresource of that name.
    #[must_use]
    pub fn has_subresource(&self, name: &str) -> bool {
        self.subresources.iter().any(|s| s == name)
    }
}

/// Kinds and types.
#[derive(Clone, Debug)]
pub struct Schema {
    types: Vec<Type>,
    /// In the order of discovery.
    kinds: Vec<KindInfo>,
    /// Types that are no resource, such as `Scale` or `DeleteOptions`.
    extras: Vec<(Gvk, TypeId)>,
    by_gvk: Vec<u32>,
    by_gvr: Vec<u32>,
    others: Vec<OtherVersion>,
}

/// Another version of the kind that a schema is of, which a definition names beside it.
#[derive(Clone, Debug)]
pub struct OtherVersion {
    /// `<group>/<version>`.
    pub api_version: String,
    /// Its types.
    pub types: Arc<Schema>,
    /// The type of its objects.
    pub ty: TypeId,
}

impl Default for Schema {
    fn default() -> Self {
        Self::new()
    }
}

impl Schema {
    /// A schema with no kinds and the two types that every schema has, [`TypeId::DEDUCED`] and
    /// [`TypeId::UNTYPED_ATOMIC`].
    #[must_use]
    pub fn new() -> Self {
        let types = vec![table::any(Format::None), table::raw()];
        Self {
            types,
            kinds: Vec::new(),
            extras: Vec::new(),
            by_gvk: Vec::new(),
            by_gvr: Vec::new(),
            others: Vec::new(),
        }
    }

    /// The versions that the definition of a custom kind names beside the one that this is of.
    #[must_use]
    pub fn other_versions(&self) -> &[OtherVersion] {
        &self.others
    }

    /// The same schema beside other versions.
    #[must_use]
    pub fn beside(mut self, others: Vec<OtherVersion>) -> Self {
        self.others = others;
        self
    }

    /// Adds a type and says where it is.
    pub fn add_type(&mut self, ty: Type) -> TypeId {
        self.types.push(ty);
        TypeId(u32::try_from(self.types.len() - 1).unwrap_or(u32::MAX))
    }

    /// Adds a copy of a type of another schema with all that it leads to, and says where it is.
    pub fn add_copy(&mut self, other: &Schema, id: TypeId) -> TypeId {
        let mut places = BTreeMap::new();
        places.insert(TypeId::DEDUCED, TypeId::DEDUCED);
        places.insert(TypeId::UNTYPED_ATOMIC, TypeId::UNTYPED_ATOMIC);
        self.copy(other, id, &mut places)
    }

    fn copy(
        &mut self,
        other: &Schema,
        id: TypeId,
        places: &mut BTreeMap<TypeId, TypeId>,
    ) -> TypeId {
        if let Some(known) = places.get(&id) {
            return *known;
        }
        let mut ty = other.ty(id).clone();
        let place = self.add_type(ty.clone());
        places.insert(id, place);
        if let Some(list) = &mut ty.list {
            list.item = self.copy(other, list.item, places);
        }
        if let Some(map) = &mut ty.map {
            map.item = map.item.map(|item| self.copy(other, item, places));
            let mut fields = map.fields.to_vec();
            for field in &mut fields {
                field.ty = self.copy(other, field.ty, places);
            }
            map.fields = fields.into();
        }
        self.types[place.0 as usize] = ty;
        place
    }

    /// Adds a kind; one of the same group, version and kind is replaced.
    pub fn add_kind(&mut self, info: KindInfo) {
        self.kinds.retain(|k| k.gvk != info.gvk);
        self.kinds.push(info);
        self.index();
    }

    /// Takes a kind out; its types stay.
    pub fn remove_kind(&mut self, gvk: &Gvk) {
        self.kinds.retain(|k| &k.gvk != gvk);
        self.index();
    }

    fn index(&mut self) {
        let all = 0..u32::try_from(self.kinds.len()).unwrap_or(u32::MAX);
        self.by_gvk = all.clone().collect();
        self.by_gvr = all.collect();
        let kinds = &self.kinds;
        self.by_gvk.sort_by(|a, b| kinds[*a as usize].gvk.cmp(&kinds[*b as usize].gvk));
        self.by_gvr.sort_by(|a, b| kinds[*a as usize].gvr.cmp(&kinds[*b as usize].gvr));
    }

    /// The kind of that group, version and kind.
    #[must_use]
    pub fn kind(&self, group: &str, version: &str, kind: &str) -> Option<&KindInfo> {
        let at = self
            .by_gvk
            .binary_search_by(|i| {
                let gvk = &self.kinds[*i as usize].gvk;
                (&*gvk.group, &*gvk.version, &*gvk.kind).cmp(&(group, version, kind))
            })
            .ok()?;
        self.kinds.get(self.by_gvk[at] as usize)
    }

    /// The kind that a URL names.
    #[must_use]
    pub fn resource(&self, gvr: &Gvr) -> Option<&KindInfo> {
        let found = self.by_gvr.binary_search_by(|i| self.kinds[*i as usize].gvr.cmp(gvr));
        self.kinds.get(self.by_gvr[found.ok()?] as usize)
    }

    /// The kind that a word means, as kubectl takes one: a kind in any case, a plural or a short
    /// name, with `.group` behind it where two groups have one of that name. The core group comes
    /// first (`events`, not `events.events.k8s.io`).
    #[must_use]
    pub fn called(&self, word: &str) -> Option<&KindInfo> {
        let (name, group) = word.split_once('.').map_or((word, None), |(n, g)| (n, Some(g)));
        let fits = |kind: &&KindInfo| {
            let is_called = kind.gvr.plural == name
                || kind.gvk.kind.eq_ignore_ascii_case(name)
                || kind.short_names.iter().any(|short| short == name);
            is_called && group.is_none_or(|group| kind.gvk.group == group)
        };
        self.kinds().filter(fits).min_by_key(|kind| kind.gvk.group.len())
    }

    /// All kinds, in the order of discovery.
    pub fn kinds(&self) -> impl Iterator<Item = &KindInfo> {
        self.kinds.iter()
    }

    /// The type of a kind, resource or not (`Scale`, `Eviction`, `DeleteOptions`).
    #[must_use]
    pub fn type_of(&self, gvk: &Gvk) -> Option<TypeId> {
        let kind = self.kind(&gvk.group, &gvk.version, &gvk.kind).map(|k| k.ty);
        kind.or_else(|| self.extras.iter().find(|(g, _)| g == gvk).map(|(_, ty)| *ty))
    }

    /// Every type with its id.
    pub fn types(&self) -> impl Iterator<Item = (TypeId, &Type)> {
        (0..).map(TypeId).zip(&self.types)
    }

    /// A type; the deduced one if the id is of another schema.
    #[must_use]
    pub fn ty(&self, id: TypeId) -> &Type {
        self.types.get(id.0 as usize).unwrap_or(&self.types[0])
    }
}

impl Field {
    /// The step from the map to the field.
    #[must_use]
    pub fn element(&self) -> PathElement {
        PathElement::field(&*self.name)
    }
}

impl MapType {
    /// The named field.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&Field> {
        self.fields.named(name)
    }

    /// The type of what stands under a key, field or not.
    #[must_use]
    pub fn type_at(&self, name: &str) -> Option<TypeId> {
        self.field(name).map(|f| f.ty).or(self.item)
    }

    /// The same of the value under a key of a map.
    #[must_use]
    pub fn type_of(&self, key: &Key) -> Option<TypeId> {
        self.fields.of_key(key).map(|f| f.ty).or(self.item)
    }
}
