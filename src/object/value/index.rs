//! Values by key and by place: `value["spec"]["containers"][0]`.

use super::{Key, Map, Value};

static NULL: Value = Value::Null;

/// What a value can be asked by: a key, or a place in a list.
pub trait Index {
    /// What stands there.
    fn of<'v>(&self, value: &'v Value) -> Option<&'v Value>;
    /// The same, to be changed.
    fn of_mut<'v>(&self, value: &'v mut Value) -> Option<&'v mut Value>;
    /// The same, made if it is not there.
    ///
    /// # Panics
    /// If the value has no such things: a key is asked of a list, a place is past its end.
    fn made<'v>(&self, value: &'v mut Value) -> &'v mut Value;
}

impl Index for str {
    fn of<'v>(&self, value: &'v Value) -> Option<&'v Value> {
        value.as_object()?.get(self)
    }

    fn of_mut<'v>(&self, value: &'v mut Value) -> Option<&'v mut Value> {
        value.as_object_mut()?.get_mut(self)
    }

    fn made<'v>(&self, value: &'v mut Value) -> &'v mut Value {
        if value.is_null() {
            *value = Value::Object(Map::new());
        }
        match value {
            Value::Object(map) => map.entry(self).or_insert(Value::Null),
            other => panic!("there is no key {self:?} in {other}"),
        }
    }
}

impl Index for usize {
    fn of<'v>(&self, value: &'v Value) -> Option<&'v Value> {
        value.as_array()?.get(*self)
    }

    fn of_mut<'v>(&self, value: &'v mut Value) -> Option<&'v mut Value> {
        value.as_array_mut()?.get_mut(*self)
    }

    fn made<'v>(&self, value: &'v mut Value) -> &'v mut Value {
        match value {
            Value::Array(list) => &mut list[*self],
            other => panic!("there is no place {self} in {other}"),
        }
    }
}

/// Texts of other types.
macro_rules! text {
    ($($ty:ty),*) => {$(
        impl Index for $ty {
            fn of<'v>(&self, value: &'v Value) -> Option<&'v Value> {
                self.as_str().of(value)
            }

            fn of_mut<'v>(&self, value: &'v mut Value) -> Option<&'v mut Value> {
                self.as_str().of_mut(value)
            }

            fn made<'v>(&self, value: &'v mut Value) -> &'v mut Value {
                self.as_str().made(value)
            }
        }
    )*};
}

text!(String, Key);

impl<I: Index + ?Sized> Index for &I {
    fn of<'v>(&self, value: &'v Value) -> Option<&'v Value> {
        (**self).of(value)
    }

    fn of_mut<'v>(&self, value: &'v mut Value) -> Option<&'v mut Value> {
        (**self).of_mut(value)
    }

    fn made<'v>(&self, value: &'v mut Value) -> &'v mut Value {
        (**self).made(value)
    }
}

impl<I: Index> std::ops::Index<I> for Value {
    type Output = Value;

    /// Null where there is nothing.
    fn index(&self, index: I) -> &Value {
        index.of(self).unwrap_or(&NULL)
    }
}

impl<I: Index> std::ops::IndexMut<I> for Value {
    fn index_mut(&mut self, index: I) -> &mut Value {
        index.made(self)
    }
}

impl std::ops::Index<&str> for Map {
    type Output = Value;

    /// Null where there is nothing.
    fn index(&self, key: &str) -> &Value {
        self.get(key).unwrap_or(&NULL)
    }
}
