//! Owned sets after the schema changed under them: what became atomic is owned as a whole
//! (R-SSA-33). What became granular is taken for having been granular always.

use crate::object::fieldset::{PathElement, Set};
use crate::object::schema::{MapType, Relation, Schema, TypeId};

/// The set as it has to be under the schema; `None` if it is so already.
pub(super) fn reconcile(schema: &Schema, ty: TypeId, set: &Set) -> Option<Set> {
    let mut roots = Set::new();
    let root = Way { up: None, element: None };
    Reconcile { schema, roots: &mut roots }.at(ty, set, false, &root);
    if roots.is_empty() {
        return None;
    }
    Some(set.recursive_difference(&roots).union(&roots))
}

/// The way to a place, written out only where something is found.
struct Way<'a> {
    up: Option<&'a Way<'a>>,
    element: Option<&'a PathElement>,
}

impl Way<'_> {
    fn path(&self) -> Vec<PathElement> {
        let mut path = self.up.map(Way::path).unwrap_or_default();
        path.extend(self.element.cloned());
        path
    }
}

struct Reconcile<'a> {
    schema: &'a Schema,
    /// What is to be owned as a whole.
    roots: &'a mut Set,
}

impl Reconcile<'_> {
    fn at(&mut self, ty: TypeId, set: &Set, leaf: bool, way: &Way<'_>) {
        let ty = self.schema.ty(ty);
        if let Some(map) = &ty.map {
            if is_deduced(map) {
                return;
            }
            if !map.atomic {
                self.below(set, way, |element| match element {
                    PathElement::Field(name) => map.type_of(name),
                    _ => map.item,
                });
            } else if !leaf && !set.is_empty() {
                self.roots.insert(&way.path());
            }
        } else if let (Some(list), None) = (&ty.list, ty.scalar) {
            if list.relation != Relation::Atomic {
                self.below(set, way, |_| Some(list.item));
            } else if !leaf {
                self.roots.insert(&way.path());
            }
        }
    }

    fn below(&mut self, set: &Set, way: &Way<'_>, ty: impl Fn(&PathElement) -> Option<TypeId>) {
        for node in set.nodes() {
            let Some(ty) = ty(&node.element) else { continue };
            let leaf = node.member && node.below.is_empty();
            let inner = Way { up: Some(way), element: Some(&node.element) };
            self.at(ty, &node.below, leaf, &inner);
        }
    }
}

/// A map of which the schema says nothing; it has no form that could have changed.
fn is_deduced(map: &MapType) -> bool {
    map.item == Some(TypeId::DEDUCED) && map.fields.is_empty()
}
