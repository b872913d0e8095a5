//! The three patches that change an object without owning it: JSON patch (RFC 6902), merge patch
//! (RFC 7386) and strategic merge patch (R-PAT-03 to R-PAT-08).
//!
//! Not here: server-side apply (`fields`), what a patched object must pass afterwards (`sim::rest`).

mod lists;
mod strategic;

use json_patch::{AddOperation, PatchOperation, ReplaceOperation};

use super::{Map, Value, value};
use crate::base::limits;

pub use strategic::strategic;

/// Why a patch was not applied. The caller answers with the status that each names; no patch is
/// worth sending again unchanged.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PatchError {
    /// 400: the document is no patch.
    #[error("{0}")]
    Malformed(String),
    /// 413: too many operations.
    #[error("The allowed maximum operations in a JSON patch is {allowed}, got {got}")]
    TooLong {
        /// The limit.
        allowed: usize,
        /// How many there were.
        got: usize,
    },
    /// 422 with the generic text: a patch that does not fit the object.
    #[error("{0}")]
    Rejected(String),
    /// 500 with this text: what upstream does not classify.
    #[error("{0}")]
    Failed(String),
}

/// Applies a JSON patch (R-PAT-03).
///
/// # Errors
/// `Malformed` if the document is no list of operations, `TooLong`, or `Rejected` if an operation
/// cannot be carried out; the object is not given back half patched.
pub fn json(live: Value, patch: &Value) -> Result<Value, PatchError> {
    if let Value::Array(operations) = patch
        && operations.len() > limits::JSON_PATCH_OPERATIONS
    {
        let (allowed, got) = (limits::JSON_PATCH_OPERATIONS, operations.len());
        return Err(PatchError::TooLong { allowed, got });
    }
    let Value::Array(operations) = patch else {
        let text = "json: cannot unmarshal object into Go value of type []handlers.jsonPatchOp";
        return Err(PatchError::Malformed(format!("error decoding patch: {text}")));
    };
    let read: Result<json_patch::Patch, _> = operations
        .iter()
        .map(|o| value::from_value(o.clone()))
        .collect::<Result<Vec<_>, _>>()
        .map(json_patch::Patch);
    // An unknown operation is read upstream and fails when it is carried out.
    let operations = read.map_err(|e| PatchError::Rejected(e.to_string()))?;
    let mut value = serde_json::Value::from(live);
    for operation in operations.0 {
        let operation = [as_upstream(&value, operation)];
        json_patch::patch(&mut value, &operation)
            .map_err(|e| PatchError::Rejected(e.to_string()))?;
    }
    Ok(value.into())
}

/// Upstream's library lets `replace` add a key that a map lacks, against the RFC.
fn as_upstream(value: &serde_json::Value, operation: PatchOperation) -> PatchOperation {
    match operation {
        PatchOperation::Replace(ReplaceOperation { path, value: new }) => {
            let parent = path.parent().and_then(|parent| value.pointer(parent.as_str()));
            if parent.is_some_and(serde_json::Value::is_object)
                && value.pointer(path.as_str()).is_none()
            {
                PatchOperation::Add(AddOperation { path, value: new })
            } else {
                PatchOperation::Replace(ReplaceOperation { path, value: new })
            }
        }
        other => other,
    }
}

/// Applies a merge patch: null deletes, maps merge, everything else replaces (R-PAT-04).
///
/// # Errors
/// `Malformed` if the patch is no map.
pub fn merge(live: Value, patch: &Value) -> Result<Value, PatchError> {
    if !patch.is_object() {
        return Err(PatchError::Malformed("Invalid JSON Patch".to_owned()));
    }
    let mut value = live;
    merge_into(&mut value, patch);
    Ok(value)
}

fn merge_into(value: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        *value = patch.clone();
        return;
    };
    if !value.is_object() {
        *value = Value::Object(Map::new());
    }
    let Value::Object(map) = value else { return };
    for (key, patch) in patch {
        if patch.is_null() {
            map.remove(key);
        } else {
            merge_into(map.entry(key.clone()).or_insert(Value::Null), patch);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::object::json as value;

    #[test]
    fn a_merge_patch_deletes_nulls_and_replaces_lists() {
        let live = value!({"a": {"b": 1, "c": 2}, "d": [1, 2]});
        let patch = value!({"a": {"b": null, "e": {"f": null}}, "d": [3]});
        assert_eq!(merge(live.clone(), &patch), Ok(value!({"a": {"c": 2, "e": {}}, "d": [3]})));
        assert!(matches!(merge(live.clone(), &value!([])), Err(PatchError::Malformed(_))));
    }

    #[test]
    fn a_json_patch_is_applied_whole_or_not_at_all() {
        let live = value!({"a": [1, 2]});
        let patch = value!([{"op": "test", "path": "/a/0", "value": 1}, {"op": "add", "path": "/a/-", "value": 3}]);
        assert_eq!(json(live.clone(), &patch), Ok(value!({"a": [1, 2, 3]})));
        let patch = value!([{"op": "replace", "path": "/b", "value": 1}]);
        assert_eq!(json(live.clone(), &patch), Ok(value!({"a": [1, 2], "b": 1})));
        for bad in [
            value!([{"op": "test", "path": "/a/0", "value": 2}]),
            value!([{"op": "remove", "path": "/b"}]),
            value!([{"op": "grow", "path": "/a"}]),
        ] {
            assert!(matches!(json(live.clone(), &bad), Err(PatchError::Rejected(_))), "{bad}");
        }
        assert!(matches!(json(live.clone(), &value!({})), Err(PatchError::Malformed(_))));
    }
}
