//! What tells these values from `serde_json`'s, and what must not.

use super::*;
use crate::object::json;

#[test]
fn a_clone_shares_its_maps_until_one_is_written_to() {
    let mut one = json!({"a": {"x": 1}, "b": {"y": 2}});
    let other = one.clone();
    one["a"]["x"] = 3.into();
    assert_eq!(other, json!({"a": {"x": 1}, "b": {"y": 2}}));
    assert_eq!(one, json!({"a": {"x": 3}, "b": {"y": 2}}));
    let map = |value: &Value, key| value[key].as_object().cloned().unwrap();
    assert!(map(&one, "b").is_same(&map(&other, "b")));
    assert!(!map(&one, "a").is_same(&map(&other, "a")));
}

#[test]
fn keys_are_sorted_however_they_come_and_the_last_value_of_a_key_stays() {
    let sorted = json!({"a": 3, "b": 2, "c": null});
    let mut inserted = Map::new();
    for (key, value) in [("c", json!(null)), ("a", json!(1)), ("b", json!(2)), ("a", json!(3))] {
        inserted.insert(key.to_owned(), value);
    }
    let read: Value = r#"{"c": null, "a": 1, "b": 2, "a": 3}"#.parse().unwrap();
    assert_eq!(Value::Object(inserted), sorted);
    assert_eq!(read, sorted);
    assert_eq!(read.to_string(), r#"{"a":3,"b":2,"c":null}"#);
}

#[test]
fn a_map_of_many_keys_is_searched_as_one_of_few() {
    let keys = (0..100).map(|n| format!("k{:02}", (n * 37) % 100));
    let mut map: Map = keys.map(|key| (key.clone(), key.into())).collect();
    assert_eq!(map.get("k42"), Some(&json!("k42")));
    assert_eq!(map.get("k4"), None);
    map.entry("k4").or_insert(json!(4));
    assert_eq!(map.remove("k42"), Some(json!("k42")));
    assert_eq!((map.len(), map.get("k4")), (100, Some(&json!(4))));
    assert!(map.keys().is_sorted());
}

#[test]
fn text_and_pointers_are_as_serde_json_has_them() {
    for text in [
        r#"{"a":[1,-1,1.5,1e300,18446744073709551615,true,false,null,"ü\n"],"":{"/":{"~":[[]]}}}"#,
        "[]",
        "\"x\"",
        "0",
    ] {
        let own: Value = text.parse().unwrap();
        let theirs: serde_json::Value = text.parse().unwrap();
        assert_eq!(own.to_string(), theirs.to_string());
        assert_eq!(format!("{own:#}"), format!("{theirs:#}"));
        assert_eq!(Value::from(theirs.clone()), own);
        assert_eq!(serde_json::Value::from(own.clone()), theirs);
        for pointer in ["", "/a", "/a/0", "/a/00", "/a/-", "/a/+1", "//~1/~0/0", "a", "/a/9"] {
            let theirs = theirs.pointer(pointer).cloned().map(Value::from);
            assert_eq!(own.pointer(pointer).cloned(), theirs, "{pointer}");
        }
    }
}

#[test]
fn a_value_is_three_words_and_a_short_text_owns_no_memory() {
    assert_eq!(size_of::<Value>(), 3 * size_of::<usize>());
    assert!(matches!(json!("PodScheduled"), Value::String(text) if text.is_inline()));
}
