//! Which App each object is of. Asked for every watch event, and so by words that lie in place
//! (`object::word`): a thousand Apps have thousands of objects, whose names lie anywhere.

use std::collections::BTreeMap;

use crate::object::word::Word;
use crate::object::{Name, ObjectId};

/// Namespace and name.
type Place = (Word, Word);

/// The App of each object, by name.
#[derive(Debug, Default)]
pub(super) struct Owners {
    kinds: BTreeMap<(Name, Name), BTreeMap<Place, String>>,
}

impl Owners {
    /// The App that an object is of.
    pub(super) fn get(&self, id: &ObjectId) -> Option<&String> {
        let of_kind = self.kinds.iter().find(|((group, kind), _)| is_kind(group, kind, id));
        of_kind?.1.get(&place(id))
    }

    /// An object is an App's from now on.
    pub(super) fn insert(&mut self, id: &ObjectId, app: &str) {
        let of_kind = self.kinds.entry((id.group.clone(), id.kind.clone())).or_default();
        of_kind.insert(place(id), app.to_owned());
    }

    /// An object is no App's any more.
    pub(super) fn remove(&mut self, id: &ObjectId) {
        let mut kinds = self.kinds.iter_mut();
        if let Some((_, of_kind)) = kinds.find(|((group, kind), _)| is_kind(group, kind, id)) {
            of_kind.remove(&place(id));
        }
    }
}

fn is_kind(group: &str, kind: &str, id: &ObjectId) -> bool {
    kind == id.kind && group == id.group
}

fn place(id: &ObjectId) -> Place {
    (id.namespace.as_str().into(), id.name.as_str().into())
}
