//! Whether a failure that an object tells of is that of what it was before: a controller that has
//! seen a new revision writes so down before it has anything to say of it, and leaves the old
//! condition beside it.
//!
//! A Deployment that goes back to a ReplicaSet that it still has is written once with the new
//! `observedGeneration` and the `ProgressDeadlineExceeded` of the revision before (R-HLT-02); the
//! condition turns when the pods of that are gone.

use crate::object::Object;

/// Whether the deadline that `object` says was exceeded is that of an earlier revision: it was said
/// already when `answer`, the answer to what was applied, was given, and the controller had not
/// seen then what was applied.
#[must_use]
pub fn is_of_before(object: &Object, answer: &Object) -> bool {
    let observed = answer.int(&["status", "observedGeneration"]);
    let is_news = observed.is_some() && observed != answer.int(&["metadata", "generation"]);
    let (said, before) = (exceeded(object), exceeded(answer));
    is_news && said.is_some() && said == before
}

/// When a Deployment's controller last said that its deadline was exceeded.
fn exceeded(object: &Object) -> Option<&str> {
    let said = object.condition("Progressing")?;
    let said = Some(said).filter(|said| said["reason"] == "ProgressDeadlineExceeded")?;
    said["lastUpdateTime"].as_str()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::object::{Value, json};

    fn deployment(generation: i64, observed: i64, exceeded_at: Option<&str>) -> Object {
        let condition = exceeded_at.map(|at| {
            json!({"type": "Progressing", "status": "False",
                "reason": "ProgressDeadlineExceeded", "lastUpdateTime": at})
        });
        let conditions: Vec<Value> = condition.into_iter().collect();
        let status = json!({"observedGeneration": observed, "conditions": conditions});
        Object::from_value(json!({"metadata": {"generation": generation}, "status": status}))
            .unwrap()
    }

    #[test]
    fn a_deadline_counts_unless_it_was_that_of_the_revision_before() {
        let check = |now: &Object, answer: &Object, before: bool| {
            assert_eq!(is_of_before(now, answer), before, "{now:?} {answer:?}");
        };
        let (old, new) = (Some("2026-01-01T00:00:00Z"), Some("2026-01-01T00:00:02Z"));
        check(&deployment(3, 3, old), &deployment(3, 2, old), true);
        check(&deployment(3, 3, new), &deployment(3, 2, old), false);
        check(&deployment(3, 3, new), &deployment(3, 2, None), false);
        check(&deployment(3, 3, None), &deployment(3, 2, old), false);
        // What was applied was there already: nothing new comes of it.
        check(&deployment(3, 3, old), &deployment(3, 3, old), false);
    }
}
