//! The annotation that client-side `kubectl apply` leaves behind, and the way over to
//! server-side apply that the server paves for the manager `kubectl` (R-SSA-30).

use super::compare::compare;
use super::conflict::Conflicts;
use crate::object::fieldset::{Set, of_object};
use crate::object::schema::{Schema, TypeId};
use crate::object::{Key, Object, Value};

/// The one manager that this is for.
pub(super) const MANAGER: &str = "kubectl";

const ANNOTATION: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// What all annotations of an object may come to.
const ANNOTATION_BYTES: usize = 256 * 1024;

/// Whether the annotation is there.
pub(super) fn is_on(object: &Object) -> bool {
    object.annotation(ANNOTATION).is_some_and(|text| !text.is_empty())
}

/// Rewrites the annotation with what was applied; it goes if it became too large.
pub(super) fn set(object: &mut Object, config: &Object) {
    let mut config = config.clone();
    config.remove(&["metadata", "annotations", ANNOTATION]);
    let text = format!("{}\n", as_go_writes(&config));
    object.set(&["metadata", "annotations", ANNOTATION], text.into());
    let annotations = object.at(&["metadata", "annotations"]).and_then(Value::as_object);
    let size = |(key, value): (&Key, &Value)| key.len() + value.as_str().map_or(0, str::len);
    if annotations.into_iter().flatten().map(size).sum::<usize>() > ANNOTATION_BYTES {
        object.remove(&["metadata", "annotations", ANNOTATION]);
    }
}

/// JSON with the escapes that Go's encoder adds for HTML.
fn as_go_writes(object: &Object) -> String {
    let text = serde_json::to_string(object).unwrap_or_default();
    text.replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026")
}

/// The conflicts that remain when those are forgiven on which client-side apply set the value that
/// is live; `None` if all are forgiven.
pub(super) fn not_forgiven(
    schema: &Schema,
    ty: TypeId,
    live: &Object,
    conflicts: &Conflicts,
    api_version: &str,
) -> Option<Conflicts> {
    let allowed = allowed(schema, ty, live, api_version).unwrap_or_default();
    if conflicts.fields().difference(&allowed).is_empty() {
        return None;
    }
    let left = conflicts.0.iter().filter(|c| !allowed.has(&c.path)).cloned().collect();
    Some(Conflicts(left))
}

fn allowed(schema: &Schema, ty: TypeId, live: &Object, api_version: &str) -> Option<Set> {
    let text = live.annotation(ANNOTATION).filter(|text| !text.is_empty())?;
    let last: Object = serde_json::from_str(text).ok()?;
    if last.api_version() != api_version || super::typed::problems(schema, ty, &last).is_some() {
        return None;
    }
    let changes = compare(schema, ty, &last.0, &live.0);
    let set = of_object(schema, ty, &last);
    Some(set.difference(&changes.modified).difference(&changes.added).difference(&changes.removed))
}
