//! What stood where before an update, so that what did not change passes (R-CRD-12, R-CRD-14).

use crate::object::schema::node::{ListKind, Node};
use crate::object::{Key, Map, Value};

/// The value that stood at a place before, and the schema of the place.
#[derive(Clone, Copy, Debug)]
pub(in crate::sim::crd) struct Before<'v> {
    pub(in crate::sim::crd) value: &'v Value,
    pub(in crate::sim::crd) node: &'v Node,
}

impl<'v> Before<'v> {
    pub(in crate::sim::crd) fn new(value: &'v Value, node: &'v Node) -> Self {
        Self { value, node }
    }

    /// What stood in a field.
    pub(in crate::sim::crd) fn field(self, key: &str) -> Option<Self> {
        let value = self.value.as_object()?.get(key)?;
        Some(Self { value, node: self.node.below(key)? })
    }

    /// What stood for an item of a list that has keys.
    pub(in crate::sim::crd) fn item(self, item: &Value) -> Option<Self> {
        let node = self.node.items.as_deref()?;
        let value = item_before(self.node, self.value.as_array()?, item)?;
        Some(Self { value, node })
    }

    /// Whether a value is as it was, as far as the schema lets its parts be compared.
    pub(in crate::sim::crd) fn is_same(self, now: &Value) -> bool {
        match (self.value, now) {
            (Value::Array(old), Value::Array(new)) => {
                let keyed = self.node.list_type == Some(ListKind::Map);
                old.len() == new.len()
                    && if keyed {
                        new.iter().all(|item| self.item(item).is_some_and(|b| b.is_same(item)))
                    } else {
                        old == new
                    }
            }
            (Value::Object(old), Value::Object(new)) => {
                let same = |(key, value): (&Key, &Value)| {
                    self.field(key).is_some_and(|before| before.is_same(value))
                };
                old.len() == new.len() && new.iter().all(same)
            }
            (old, new) => old == new,
        }
    }
}

/// The item of an old list that has the keys of `item`.
pub(in crate::sim::crd) fn item_before<'v>(
    node: &Node,
    old: &'v [Value],
    item: &Value,
) -> Option<&'v Value> {
    if node.list_type != Some(ListKind::Map) || node.list_keys.is_empty() {
        return None;
    }
    let keys = keys_of(node, item.as_object()?)?;
    old.iter()
        .find(|old| old.as_object().and_then(|old| keys_of(node, old)).as_ref() == Some(&keys))
}

fn keys_of<'v>(node: &Node, item: &'v Map) -> Option<Vec<&'v Value>> {
    let scalar =
        |value: &&Value| !matches!(value, Value::Null | Value::Array(_) | Value::Object(_));
    node.list_keys.iter().map(|key| item.get(key).filter(scalar)).collect()
}
