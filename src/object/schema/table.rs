//! Reads the generated table of built-in kinds and types.
//!
//! The table is text, a line a thing, columns parted by tabs, `-` for what is not there. Types
//! come first and are numbered from 0 in their order:
//!
//! ```text
//! S  s|n|b|u        format                      a scalar: string, number, boolean, untyped
//! L  a|s|m          item    keys                a list: atomic, set, map with its keys
//! M  a|g            item    name                a map, atomic or granular; its fields follow:
//!  name  type  flags  merge-key  default  embedded  go-type
//!                                               (flags: presence p v a n, r required,
//!                                               m merge, k retainKeys, x replace)
//! D  format                                     anything; maps granular, lists atomic
//! U  raw                                        anything, as one
//! K  group version kind plural singular list N|C type short-names categories verbs subresources
//! X  group version kind type                    a type that is no resource
//! ```
//!
//! A broken table gives a smaller schema, never a panic; the test below holds the shipped one to
//! what it must contain. Not here: the generator (`scripts/schema`).

use std::borrow::Cow;

use super::{
    Field, Fields, Format, GoNames, KindInfo, ListType, MapType, PatchRule, Presence, Relation,
    Scalar, Schema, Subresource, Type, TypeId,
};
use crate::object::{Gvk, Gvr, Name};

/// Reads a table.
pub(super) fn parse(text: &'static str) -> Schema {
    let mut schema = Schema::new();
    schema.types.clear();
    for line in text.lines() {
        let (head, rest) = line.split_once('\t').unwrap_or((line, ""));
        match head {
            "S" => schema.types.push(scalar(rest)),
            "L" => schema.types.push(list(rest)),
            "M" => schema.types.push(map(rest)),
            "D" => schema.types.push(any(format(rest))),
            "U" => schema.types.push(raw()),
            "K" => schema.kinds.extend(kind(rest)),
            "X" => schema.extras.extend(extra(rest)),
            _ => {
                if let (Some(name), Some(Type { map: Some(map), .. })) =
                    (head.strip_prefix(' '), schema.types.last_mut())
                {
                    map.fields.add(field(name, rest));
                }
            }
        }
    }
    schema.index();
    schema
}

/// The names of all fields that a table has.
#[cfg(test)]
pub(super) fn field_names(text: &'static str) -> impl Iterator<Item = &'static str> {
    let fields = text.lines().filter_map(|line| line.strip_prefix(' '));
    fields.filter_map(|field| field.split('\t').next())
}

/// Anything, without a schema.
pub(super) fn any(format: Format) -> Type {
    let list = ListType { item: TypeId::UNTYPED_ATOMIC, relation: Relation::Atomic, keys: vec![] };
    let map = MapType { fields: Fields::default(), item: Some(TypeId::DEDUCED), atomic: false };
    let name = Cow::Borrowed("");
    Type { name, scalar: Some(Scalar::Untyped), list: Some(list), map: Some(map), format }
}

/// Anything, as one value.
pub(super) fn raw() -> Type {
    let mut ty = any(Format::None);
    ty.map = Some(MapType {
        fields: Fields::default(),
        item: Some(TypeId::UNTYPED_ATOMIC),
        atomic: true,
    });
    ty
}

fn of_form(name: &'static str) -> Type {
    Type { name: Cow::Borrowed(name), scalar: None, list: None, map: None, format: Format::None }
}

fn format(word: &str) -> Format {
    match word {
        "int32" => Format::Int32,
        "int64" => Format::Int64,
        "double" => Format::Double,
        "byte" => Format::Byte,
        "date-time" => Format::DateTime,
        "micro-time" => Format::MicroTime,
        "quantity" => Format::Quantity,
        "int-or-string" => Format::IntOrString,
        _ => Format::None,
    }
}

fn scalar(line: &'static str) -> Type {
    let (form, word) = line.split_once('\t').unwrap_or((line, ""));
    let scalar = match form {
        "s" => Scalar::String,
        "n" => Scalar::Number,
        "b" => Scalar::Boolean,
        _ => Scalar::Untyped,
    };
    Type { scalar: Some(scalar), format: format(word), ..of_form("") }
}

fn id(column: Option<&str>) -> Option<TypeId> {
    column.and_then(|c| c.parse().ok()).map(TypeId)
}

fn names(column: Option<&'static str>) -> Vec<Name> {
    let listed = column.filter(|c| *c != "-" && !c.is_empty()).map(|c| c.split(','));
    listed.into_iter().flatten().map(Cow::Borrowed).collect()
}

fn text(column: Option<&'static str>) -> Name {
    Cow::Borrowed(column.filter(|c| *c != "-").unwrap_or(""))
}

fn list(line: &'static str) -> Type {
    let mut columns = line.split('\t');
    let relation = match columns.next() {
        Some("s") => Relation::Set,
        Some("m") => Relation::Map,
        _ => Relation::Atomic,
    };
    let item = id(columns.next()).unwrap_or(TypeId::DEDUCED);
    Type { list: Some(ListType { item, relation, keys: names(columns.next()) }), ..of_form("") }
}

fn map(line: &'static str) -> Type {
    let mut columns = line.split('\t');
    let atomic = columns.next() == Some("a");
    let item = id(columns.next());
    let name = columns.next().filter(|c| *c != "-").unwrap_or("");
    Type { map: Some(MapType { fields: Fields::default(), item, atomic }), ..of_form(name) }
}

fn field(name: &'static str, line: &'static str) -> Field {
    let mut columns = line.split('\t');
    let ty = id(columns.next()).unwrap_or(TypeId::DEDUCED);
    let flags = columns.next().unwrap_or("p");
    let key = columns.next().filter(|c| *c != "-").map(Cow::Borrowed);
    let default = columns.next().and_then(|c| serde_json::from_str(c).ok());
    let go = GoNames { embedded: text(columns.next()), ty: text(columns.next()) };
    let presence = match flags.as_bytes().first() {
        Some(b'v') => Presence::Value,
        Some(b'a') => Presence::Always,
        Some(b'n') => Presence::Nullable,
        _ => Presence::Pointer,
    };
    let has = |flag: char| flags.get(1..).is_some_and(|f| f.contains(flag));
    let patch = PatchRule { merge: has('m'), retain_keys: has('k'), replace: has('x'), key };
    Field { name: Cow::Borrowed(name), ty, required: has('r'), presence, patch, default, go }
}

fn kind(line: &'static str) -> Option<KindInfo> {
    let mut columns = line.split('\t');
    let group = text(columns.next());
    let version = text(columns.next());
    let gvk = Gvk { group: group.clone(), version: version.clone(), kind: text(columns.next()) };
    let gvr = Gvr { group, version, plural: text(columns.next()) };
    let singular = text(columns.next());
    let list_kind = text(columns.next());
    let namespaced = columns.next()? == "N";
    let ty = id(columns.next())?;
    let short_names = names(columns.next());
    let categories = names(columns.next());
    let verbs = names(columns.next());
    let listed = columns.next().filter(|c| *c != "-");
    let subresource_details: Vec<Subresource> =
        listed.map(|c| c.split(';')).into_iter().flatten().map(subresource).collect();
    let subresources = subresource_details.iter().map(|s| s.name.clone()).collect();
    Some(KindInfo {
        gvk,
        gvr,
        singular,
        list_kind,
        namespaced,
        short_names,
        categories,
        verbs,
        subresources,
        subresource_details,
        ty,
    })
}

fn subresource(text: &'static str) -> Subresource {
    let mut parts = text.split('=');
    let name = Cow::Borrowed(parts.next().unwrap_or(""));
    let verbs = names(parts.next());
    let gvk = parts.next().and_then(|gvk| {
        let mut words = gvk.split('/');
        let (group, version, kind) = (words.next()?, words.next()?, words.next()?);
        (!kind.is_empty()).then(|| Gvk::new(group, version, kind))
    });
    Subresource { name, verbs, gvk }
}

fn extra(line: &'static str) -> Option<(Gvk, TypeId)> {
    let mut columns = line.split('\t');
    let group = text(columns.next());
    let version = text(columns.next());
    let kind = text(columns.next());
    Some((Gvk { group, version, kind }, id(columns.next())?))
}

#[cfg(test)]
mod tests {
    use super::super::builtin;
    use super::*;

    #[test]
    fn the_shipped_table_holds_the_kinds_and_types_of_the_release() {
        let schema = builtin();
        assert_eq!(schema.kinds().count(), 68);
        let deployment = schema.kind("apps", "v1", "Deployment").unwrap();
        assert_eq!(schema.resource(&deployment.gvr), Some(deployment));
        assert_eq!(deployment.list_kind, "DeploymentList");
        assert_eq!(deployment.short_names, ["deploy"]);
        assert_eq!(deployment.subresources, ["scale", "status"]);
        assert!(schema.type_of(&Gvk::new("autoscaling", "v1", "Scale")).is_some());
        let field = |ty: TypeId, name: &str| {
            schema.ty(ty).map.as_ref().unwrap().field(name).unwrap().clone()
        };
        let spec = field(deployment.ty, "spec");
        let template = field(spec.ty, "template");
        let containers = field(field(template.ty, "spec").ty, "containers");
        assert_eq!(containers.presence, Presence::Nullable);
        let list = schema.ty(containers.ty).list.clone().unwrap();
        assert_eq!((list.relation, list.keys.as_slice()), (Relation::Map, &["name".into()][..]));
        let ports = schema.ty(field(list.item, "ports").ty).list.clone().unwrap();
        assert_eq!(ports.keys, ["containerPort", "protocol"]);
        assert_eq!(field(ports.item, "protocol").default, Some("TCP".into()));
    }

    #[test]
    fn every_type_that_is_named_is_there_and_fields_are_sorted() {
        let schema = builtin();
        for ty in &schema.types {
            let map = ty.map.iter();
            for field in map.clone().flat_map(|m| &m.fields) {
                assert!((field.ty.0 as usize) < schema.types.len(), "{}.{}", ty.name, field.name);
            }
            assert!(map.flat_map(|m| m.fields.windows(2)).all(|w| w[0].name < w[1].name));
        }
    }
}
