//! Pod templates: when two are the same, and the hash that names one (R-CTL-01, R-CTL-02).

use crate::object::{Key, Map, Object, Value};

/// The label that tells the pods of one template from those of another.
pub(crate) const HASH_LABEL: &str = "pod-template-hash";

/// The letters of hashes and generated names: no vowels and nothing that looks like another, so
/// that no word comes out.
const LETTERS: &[u8; 27] = b"bcdfghjklmnpqrstvwxz2456789";

/// Whether two workloads have the same pod template, the hash label aside.
pub(crate) fn is_same(one: &Object, other: &Object) -> bool {
    let metadata = |object| metadata(object).into_iter().flatten();
    let is_left = |entry: &(&Key, &Value)| !is_nothing(entry.0, entry.1);
    one.at(&["spec", "template", "spec"]) == other.at(&["spec", "template", "spec"])
        && same(metadata(one).filter(is_left), metadata(other).filter(is_left), |key, a, b| match (
            a, b,
        ) {
            (Value::Object(a), Value::Object(b)) if key == "labels" => {
                same(without_hash(a), without_hash(b), |_, a, b| a == b)
            }
            _ => a == b,
        })
}

fn metadata(object: &Object) -> Option<&Map> {
    object.at(&["spec", "template", "metadata"])?.as_object()
}

fn without_hash(labels: &Map) -> impl Iterator<Item = (&Key, &Value)> {
    labels.iter().filter(|(key, _)| *key != HASH_LABEL)
}

/// Whether two sorted rows of fields have the same keys, and values that `is_same` says are.
fn same<'a>(
    mut one: impl Iterator<Item = (&'a Key, &'a Value)>,
    mut other: impl Iterator<Item = (&'a Key, &'a Value)>,
    is_same: impl Fn(&str, &Value, &Value) -> bool,
) -> bool {
    loop {
        match (one.next(), other.next()) {
            (None, None) => return true,
            (Some((key, a)), Some((other_key, b))) if key == other_key && is_same(key, a, b) => {}
            _ => return false,
        }
    }
}

/// Whether a field of the metadata says nothing, the hash label aside.
fn is_nothing(key: &str, value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Object(labels) if key == "labels" => without_hash(labels).next().is_none(),
        Value::Object(map) => map.is_empty(),
        _ => false,
    }
}

/// The hash of a value and the number of collisions so far. Upstream hashes a dump of its own
/// structs; the value differs, its look does not.
pub(crate) fn hash(value: &Value, collisions: Option<i64>) -> String {
    let mut text = value.to_string();
    if let Some(collisions) = collisions {
        text.push_str(&collisions.to_string());
    }
    let mut hash: u32 = 0x811c_9dc5;
    for byte in text.bytes() {
        hash = (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193);
    }
    let letter = |digit: u8| char::from(LETTERS[usize::from(digit) % LETTERS.len()]);
    hash.to_string().bytes().map(letter).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::object::json;

    fn workload(template: Value) -> Object {
        Object::from_value(json!({"spec": {"template": template}})).unwrap()
    }

    #[test]
    fn the_hash_label_and_empty_maps_do_not_tell_templates_apart() {
        let spec = json!({"containers": [{"image": "a:1"}]});
        let bare = workload(json!({"metadata": {"labels": {"app": "a"}}, "spec": spec}));
        let hashed = workload(json!({"spec": spec, "metadata":
            {"labels": {"app": "a", HASH_LABEL: "x"}, "annotations": {}}}));
        assert!(is_same(&bare, &hashed));
        let other = workload(json!({"metadata": {"labels": {"app": "b"}}, "spec": spec}));
        assert!(!is_same(&bare, &other));
    }

    #[test]
    fn a_hash_depends_on_the_collision_count_and_uses_the_safe_letters() {
        let value = json!({"spec": {}});
        assert_eq!(hash(&value, None), hash(&value, None));
        assert_ne!(hash(&value, None), hash(&value, Some(1)));
        assert!(hash(&value, Some(7)).bytes().all(|b| LETTERS.contains(&b)));
    }
}
