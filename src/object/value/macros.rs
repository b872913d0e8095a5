//! `json!`: values written as JSON.

/// A [`Value`](crate::object::Value) written as JSON; a value in it may be any expression whose
/// type has [`ToValue`](crate::object::value::ToValue), a key one that is a text.
#[doc(hidden)]
#[macro_export]
macro_rules! __json {
    (null) => { $crate::object::Value::Null };
    ([ $($items:tt)* ]) => { $crate::object::json!(@list [] $($items)*) };
    ({}) => { $crate::object::Value::Object($crate::object::Map::new()) };
    ({ $($fields:tt)* }) => { $crate::object::json!(@map [] $($fields)*) };
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
    (@map [ $($done:expr,)* ]) => {
        $crate::object::Value::Object(::std::iter::FromIterator::from_iter([ $($done,)* ]))
    };
    (@map [ $($done:expr,)* ] $key:tt : null $(, $($rest:tt)*)?) => {
        $crate::object::json!(@map [ $($done,)*
            ($crate::object::Key::from($key), $crate::object::json!(null)), ] $($($rest)*)?)
    };
    (@map [ $($done:expr,)* ] $key:tt : [ $($items:tt)* ] $(, $($rest:tt)*)?) => {
        $crate::object::json!(@map [ $($done,)*
            ($crate::object::Key::from($key), $crate::object::json!([ $($items)* ])), ] $($($rest)*)?)
    };
    (@map [ $($done:expr,)* ] $key:tt : { $($fields:tt)* } $(, $($rest:tt)*)?) => {
        $crate::object::json!(@map [ $($done,)*
            ($crate::object::Key::from($key), $crate::object::json!({ $($fields)* })), ] $($($rest)*)?)
    };
    (@map [ $($done:expr,)* ] $key:tt : $value:expr $(, $($rest:tt)*)?) => {
        $crate::object::json!(@map [ $($done,)*
            ($crate::object::Key::from($key), $crate::object::json!($value)), ] $($($rest)*)?)
    };
    ($value:expr) => { $crate::object::value::ToValue::to_value(&$value) };
}

pub use __json as json;
