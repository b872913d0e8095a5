//! `json!`: values written as JSON.

/// A [`Value`](crate::object::Value) written as JSON; a value in it may be any expression whose
/// type has [`ToValue`](crate::object::value::ToValue), a key one that is a text.
#[doc(hidden)]
#[macro_export]
macro_rules! __json {
    (null) => { $crate::object::Value::Null };
    ([ $($items:tt)* ]) => { $crate::object::json!(@list [] $($items)*) };
    ({ $($fields:tt)* }) => {{
        #[allow(unused_mut, reason = "an empty map")]
        let mut map = $crate::object::Map::new();
        $crate::object::json!(@map map $($fields)*);
        $crate::object::Value::Object(map)
    }};
    (@list [ $($done:expr,)* ]) => {
        $crate::object::Value::Array(::std::vec![ $($done,)* ])
    };
    (@list [ $($done:expr,)* ] null $(, $($rest:tt)*)?) => {
        $crate::object::json!(@list [ $($done,)* $crate::object::json!(null), ] $($($rest)*)?)
    };
    (@list [ $($done:expr,)* ] [ $($items:tt)* ] $(, $($rest:tt)*)?) => {
        $crate::object::json!(@list [ $($done,)* $crate::object::json!([ $($items)* ]), ] $($($rest)*)?)
    };
    (@list [ $($done:expr,)* ] { $($fields:tt)* } $(, $($rest:tt)*)?) => {
        $crate::object::json!(@list [ $($done,)* $crate::object::json!({ $($fields)* }), ] $($($rest)*)?)
    };
    (@list [ $($done:expr,)* ] $value:expr $(, $($rest:tt)*)?) => {
        $crate::object::json!(@list [ $($done,)* $crate::object::json!($value), ] $($($rest)*)?)
    };
    (@map $map:ident) => {};
    (@map $map:ident $key:tt : null $(, $($rest:tt)*)?) => {
        $map.insert($key, $crate::object::json!(null));
        $($crate::object::json!(@map $map $($rest)*);)?
    };
    (@map $map:ident $key:tt : [ $($items:tt)* ] $(, $($rest:tt)*)?) => {
        $map.insert($key, $crate::object::json!([ $($items)* ]));
        $($crate::object::json!(@map $map $($rest)*);)?
    };
    (@map $map:ident $key:tt : { $($fields:tt)* } $(, $($rest:tt)*)?) => {
        $map.insert($key, $crate::object::json!({ $($fields)* }));
        $($crate::object::json!(@map $map $($rest)*);)?
    };
    (@map $map:ident $key:tt : $value:expr $(, $($rest:tt)*)?) => {
        $map.insert($key, $crate::object::json!($value));
        $($crate::object::json!(@map $map $($rest)*);)?
    };
    ($value:expr) => { $crate::object::value::ToValue::to_value(&$value) };
}

pub use __json as json;
