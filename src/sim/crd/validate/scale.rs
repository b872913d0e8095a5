//! The numbers that `/scale` shows, where an object holds them (R-CRD-18).

use crate::api::Cause;
use crate::object::{Object, Value};
use crate::sim::crd::definition::Version;
use crate::sim::crd::fault::{self, Path};

/// The keys of a path such as `.spec.replicas`.
#[must_use]
pub fn keys(path: &str) -> Vec<&str> {
    path.strip_prefix('.').unwrap_or(path).split('.').collect()
}

pub(super) fn spec(version: &Version, object: &Object) -> Option<Cause> {
    replicas(object, &version.scale.as_ref()?.spec_replicas)
}

pub(super) fn status(version: &Version, object: &Object) -> Vec<Cause> {
    let Some(scale) = &version.scale else { return Vec::new() };
    let selector = scale.label_selector.as_deref().and_then(|path| {
        let why = of_type(object, path, "string", Value::is_string).err()?;
        Some(fault::invalid(&Path::Printed(path), &"".into(), &why))
    });
    replicas(object, &scale.status_replicas).into_iter().chain(selector).collect()
}

fn replicas(object: &Object, path: &str) -> Option<Cause> {
    let place = Path::Printed(path);
    match of_type(object, path, "int64", Value::is_i64) {
        Err(why) => Some(fault::invalid(&place, &0.into(), &why)),
        Ok(value) => match value.and_then(Value::as_i64) {
            Some(number) if number < 0 => {
                Some(fault::invalid(&place, &number.into(), "should be a non-negative integer"))
            }
            Some(number) if number > i64::from(i32::MAX) => {
                let text = "should be less than or equal to 2147483647";
                Some(fault::invalid(&place, &number.into(), text))
            }
            _ => None,
        },
    }
}

/// The value at a path, which must be of a type if it is there.
fn of_type<'o>(
    object: &'o Object,
    path: &str,
    name: &str,
    is_it: fn(&Value) -> bool,
) -> Result<Option<&'o Value>, String> {
    use crate::object::go;
    let keys = keys(path);
    let mut value: Option<&Value> = None;
    for (at, key) in keys.iter().enumerate() {
        let map = match value {
            None => Some(&object.0),
            Some(value) => value.as_object(),
        };
        let Some(map) = map else {
            let value = value.unwrap_or(&Value::Null);
            let found = go::type_name(value);
            return Err(format!(
                ".{} accessor error: {} is of the type {found}, expected map[string]interface{{}}",
                keys[..at].join("."),
                go::plain(value)
            ));
        };
        match map.get(key) {
            None => return Ok(None),
            found => value = found,
        }
    }
    match value {
        Some(value) if !is_it(value) => Err(format!(
            ".{} accessor error: {} is of the type {}, expected {name}",
            keys.join("."),
            go::plain(value),
            go::type_name(value)
        )),
        value => Ok(value),
    }
}
