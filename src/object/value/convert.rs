//! Rust values as JSON values, and comparisons with them.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use super::{Key, Map, Number, Text, Value};

/// What may stand in `json!`.
pub trait ToValue {
    /// As JSON.
    fn to_value(&self) -> Value;
}

impl ToValue for Value {
    fn to_value(&self) -> Value {
        self.clone()
    }
}

impl ToValue for Map {
    fn to_value(&self) -> Value {
        Value::Object(self.clone())
    }
}

impl ToValue for str {
    fn to_value(&self) -> Value {
        Value::String(self.into())
    }
}

impl<T: ToValue + ?Sized> ToValue for &T {
    fn to_value(&self) -> Value {
        (**self).to_value()
    }
}

impl<T: ToValue> ToValue for Option<T> {
    fn to_value(&self) -> Value {
        self.as_ref().map_or(Value::Null, T::to_value)
    }
}

impl<T: ToValue> ToValue for [T] {
    fn to_value(&self) -> Value {
        Value::Array(self.iter().map(T::to_value).collect())
    }
}

impl<T: ToValue, const N: usize> ToValue for [T; N] {
    fn to_value(&self) -> Value {
        self.as_slice().to_value()
    }
}

impl<T: ToValue> ToValue for Vec<T> {
    fn to_value(&self) -> Value {
        self.as_slice().to_value()
    }
}

impl<T: ToValue> ToValue for BTreeSet<T> {
    fn to_value(&self) -> Value {
        Value::Array(self.iter().map(T::to_value).collect())
    }
}

impl<K: AsRef<str>, T: ToValue> ToValue for BTreeMap<K, T> {
    fn to_value(&self) -> Value {
        let entries = self.iter();
        entries.map(|(key, value)| (key.as_ref(), value.to_value())).collect()
    }
}

/// Types whose values are copied into JSON or taken into it, which comes to the same.
macro_rules! plain {
    ($($ty:ty: $from:expr;)*) => {$(
        impl From<$ty> for Value {
            fn from(plain: $ty) -> Self {
                let from: fn($ty) -> Value = $from;
                from(plain)
            }
        }

        impl ToValue for $ty {
            fn to_value(&self) -> Value {
                self.clone().into()
            }
        }
    )*};
}

plain! {
    bool: Value::Bool;
    String: |text| Value::String(text.into());
    Text: Value::String;
    Cow<'_, str>: |text| Value::String(text.into());
    i32: |number| Value::Number(number.into());
    i64: |number| Value::Number(number.into());
    u8: |number| Value::Number(number.into());
    u16: |number| Value::Number(number.into());
    u32: |number| Value::Number(number.into());
    u64: |number| Value::Number(number.into());
    usize: |number| Value::Number(number.into());
    f64: |number| Number::from_f64(number).map_or(Value::Null, Value::Number);
    Number: Value::Number;
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Value::String(text.into())
    }
}

impl From<Map> for Value {
    fn from(map: Map) -> Self {
        Value::Object(map)
    }
}

impl From<()> for Value {
    fn from((): ()) -> Self {
        Value::Null
    }
}

impl<T: Into<Value>> From<Vec<T>> for Value {
    fn from(list: Vec<T>) -> Self {
        list.into_iter().collect()
    }
}

impl<T: Into<Value>, const N: usize> From<[T; N]> for Value {
    fn from(list: [T; N]) -> Self {
        list.into_iter().collect()
    }
}

impl<T: Clone + Into<Value>> From<&[T]> for Value {
    fn from(list: &[T]) -> Self {
        list.iter().cloned().collect()
    }
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(some: Option<T>) -> Self {
        some.map_or(Value::Null, T::into)
    }
}

impl<T: Into<Value>> FromIterator<T> for Value {
    fn from_iter<I: IntoIterator<Item = T>>(items: I) -> Self {
        Value::Array(items.into_iter().map(T::into).collect())
    }
}

impl<K: Into<Key>, V: Into<Value>> FromIterator<(K, V)> for Value {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(entries: I) -> Self {
        let entries = entries.into_iter();
        Value::Object(entries.map(|(key, value)| (key.into(), value.into())).collect::<Map>())
    }
}

impl From<serde_json::Value> for Value {
    fn from(value: serde_json::Value) -> Self {
        match value {
            serde_json::Value::Null => Value::Null,
            serde_json::Value::Bool(flag) => Value::Bool(flag),
            serde_json::Value::Number(number) => Value::Number(number),
            serde_json::Value::String(text) => Value::String(text.into()),
            serde_json::Value::Array(list) => list.into_iter().collect(),
            serde_json::Value::Object(map) => map.into_iter().collect(),
        }
    }
}

impl From<Value> for serde_json::Value {
    fn from(value: Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(flag) => Self::Bool(flag),
            Value::Number(number) => Self::Number(number),
            Value::String(text) => Self::String(text.into()),
            Value::Array(list) => list.into_iter().map(Self::from).collect(),
            Value::Object(map) => {
                map.into_iter().map(|(k, v)| (String::from(k), Self::from(v))).collect()
            }
        }
    }
}

/// Comparisons of a value with what it may hold.
macro_rules! equal {
    ($($ty:ty: $as:ident;)*) => {$(
        impl PartialEq<$ty> for Value {
            fn eq(&self, other: &$ty) -> bool {
                self.$as().is_some_and(|own| own == *other)
            }
        }

        impl PartialEq<Value> for $ty {
            fn eq(&self, other: &Value) -> bool {
                other == self
            }
        }
    )*};
}

equal! {
    bool: as_bool;
    i64: as_i64;
    u64: as_u64;
    f64: as_f64;
    &str: as_str;
    String: as_str;
}

/// The same of what is written without a type, which may be another than what it is held as.
macro_rules! equal_as {
    ($($ty:ty: $into:ty;)*) => {$(
        impl PartialEq<$ty> for Value {
            fn eq(&self, other: &$ty) -> bool {
                <$into>::try_from(*other).is_ok_and(|other| *self == other)
            }
        }

        impl PartialEq<$ty> for &Value {
            fn eq(&self, other: &$ty) -> bool {
                **self == *other
            }
        }
    )*};
}

equal_as! {
    i32: i64;
    u32: u64;
    usize: u64;
}

impl PartialEq<str> for Value {
    fn eq(&self, other: &str) -> bool {
        self.as_str() == Some(other)
    }
}
