//! The view that server-side apply has of a version's schema: which maps and lists merge how
//! (R-SSA-06, R-SSA-07).
//!
//! `metadata`, of the object and of embedded ones, has the types of the built-in kinds.

use std::borrow::Cow;

use super::node::{Additional, ListKind, Node};
use super::{
    Field, Format, GoNames, ListType, MapType, PatchRule, Presence, Relation, Scalar, Schema, Type,
    TypeId, builtin,
};

/// The types of a version and the one of its objects.
#[must_use]
pub fn types(root: &Node) -> (Schema, TypeId) {
    let mut schema = Schema::new();
    let metadata = metadata_of(builtin())
        .map_or(TypeId::DEDUCED, |metadata| schema.add_copy(builtin(), metadata));
    let ty = Build { schema: &mut schema, metadata }.object(root, true, root.preserve);
    (schema, ty)
}

/// Adds the types of a version to a schema that has the built-in kinds; gives the type of its
/// objects.
pub fn add(schema: &mut Schema, root: &Node) -> TypeId {
    let metadata = metadata_of(schema).unwrap_or(TypeId::DEDUCED);
    Build { schema, metadata }.object(root, true, root.preserve)
}

/// The type of `metadata` of a built-in kind.
fn metadata_of(schema: &Schema) -> Option<TypeId> {
    let kind = schema.kind("", "v1", "ConfigMap")?;
    schema.ty(kind.ty).map.as_ref()?.field("metadata").map(|field| field.ty)
}

struct Build<'s> {
    schema: &'s mut Schema,
    metadata: TypeId,
}

impl Build<'_> {
    /// The type of a node; `open` where unknown fields are kept, here or further up.
    fn node(&mut self, node: &Node, open: bool) -> TypeId {
        let open = open || node.preserve;
        let ty = match node.ty.as_str() {
            "object" => return self.object(node, node.embedded, open),
            "array" => Type { list: Some(self.list(node, open)), ..of_form() },
            "integer" | "number" => Type { scalar: Some(Scalar::Number), ..of_form() },
            "boolean" => Type { scalar: Some(Scalar::Boolean), ..of_form() },
            "string" => {
                let plain = matches!(node.format.as_str(), "" | "byte");
                let scalar = if plain { Scalar::String } else { Scalar::Untyped };
                Type { scalar: Some(scalar), ..of_form() }
            }
            _ => Type {
                scalar: Some(Scalar::Untyped),
                list: Some(self.list(node, open)),
                map: Some(self.map(node, open)),
                ..of_form()
            },
        };
        self.schema.add_type(ty)
    }

    fn object(&mut self, node: &Node, is_resource: bool, open: bool) -> TypeId {
        let mut map = self.map(node, open);
        if is_resource {
            let text = Type { scalar: Some(Scalar::String), ..of_form() };
            let text = self.schema.add_type(text);
            let mut fields = map.fields.to_vec();
            fields.retain(|f| !matches!(&*f.name, "apiVersion" | "kind" | "metadata"));
            let own = [("apiVersion", text), ("kind", text), ("metadata", self.metadata)];
            fields.extend(own.map(|(name, ty)| field(name, ty, None)));
            map.fields = fields.into();
        }
        self.schema.add_type(Type { map: Some(map), ..of_form() })
    }

    fn map(&mut self, node: &Node, open: bool) -> MapType {
        let mut fields = Vec::with_capacity(node.properties.len());
        for (name, property) in &node.properties {
            let ty = self.node(property, open);
            fields.push(field(name, ty, property.default.clone()));
        }
        let item = match &node.additional {
            Additional::Schema(schema) => Some(self.node(schema, open)),
            Additional::Allowed(allowed) => allowed.then_some(TypeId::DEDUCED),
            Additional::Unset => (open || fields.is_empty()).then_some(TypeId::DEDUCED),
        };
        MapType { fields: fields.into(), item, atomic: node.atomic_map }
    }

    fn list(&mut self, node: &Node, open: bool) -> ListType {
        let item = match &node.items {
            Some(items) => self.node(items, open),
            None => TypeId::UNTYPED_ATOMIC,
        };
        let relation = match node.list_type {
            Some(ListKind::Map) => Relation::Map,
            Some(ListKind::Set) => Relation::Set,
            Some(ListKind::Atomic) | None => Relation::Atomic,
        };
        let is_map = relation == Relation::Map;
        let keys = node.list_keys.iter().filter(|_| is_map).cloned().map(Cow::Owned).collect();
        ListType { item, relation, keys }
    }
}

fn of_form() -> Type {
    Type { name: Cow::Borrowed(""), scalar: None, list: None, map: None, format: Format::None }
}

fn field(name: &str, ty: TypeId, default: Option<super::Value>) -> Field {
    Field {
        name: Cow::Owned(name.to_owned()),
        ty,
        required: false,
        presence: Presence::Pointer,
        patch: PatchRule::default(),
        default,
        go: GoNames::default(),
    }
}
