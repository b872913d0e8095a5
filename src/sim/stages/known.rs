//! The built-in stages: what is known of well-known kinds, and what is usual of all others.
//!
//! The data is `known.yaml`; what comes of it for an object of each kind is `known.cases.yaml`.

use super::read;
use super::stage::Stage;

/// What is known of kinds, in one layer.
pub(super) fn known() -> Vec<Stage> {
    stages(include_str!("known.yaml"))
}

/// What is usual: a custom resource whose status has conditions becomes Ready.
pub(super) fn usual() -> Vec<Stage> {
    stages(include_str!("usual.yaml"))
}

/// Groups whose objects are looked after in every world that has them.
pub(super) fn is_looked_after(group: &str, kind: &str) -> bool {
    group.ends_with(".toolkit.fluxcd.io")
        || (group == "argoproj.io"
            && matches!(kind, "Application" | "AppProject" | "ApplicationSet"))
}

fn stages(text: &str) -> Vec<Stage> {
    // The files are part of the program, and a test reads them.
    read::list(text).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Time;
    use crate::object::{Object, Value, yaml};
    use crate::sim::stages::next::{self, Shape};
    use crate::sim::stages::stage::Next;

    #[test]
    fn the_lists_can_be_read() {
        read::list(include_str!("known.yaml")).unwrap();
        read::list(include_str!("usual.yaml")).unwrap();
    }

    /// Of the built-in stages, the one that an object gets.
    fn stage_of<'a>(stages: &'a [Stage], object: &Object) -> &'a Stage {
        let gvk = object.gvk();
        let is_it =
            |stage: &&Stage| stage.is_for_kind(&gvk.group, &gvk.kind) && stage.is_for(object);
        stages.iter().find(is_it).unwrap()
    }

    /// The status that an object gets, null where it gets none, and what is made with it.
    fn becomes(stages: &[Stage], object: &Object) -> (Value, Vec<Object>) {
        let Next::Becomes(to) = &stage_of(stages, object).next else {
            return (Value::Null, Vec::new());
        };
        let now = Time::VIRTUAL_START;
        let shape = Shape { observed: true, conditions_observed: false };
        let status = next::status(object, to, shape, now).unwrap();
        let mut after = object.clone();
        after.set(&["status"], status.clone());
        let rests = next::status(&after, to, shape, now).is_none();
        assert!(rests, "{:?} never comes to rest", object.gvk());
        (status, next::created(object, to, now))
    }

    #[test]
    fn objects_of_known_kinds_become_what_their_controllers_make_of_them() {
        let cases = yaml::body(include_str!("known.cases.yaml")).unwrap();
        let stages = [known(), usual()].concat();
        let mut shown = vec![false; stages.len()];
        for case in cases.as_array().unwrap() {
            let object = Object::from_value(case["given"].clone()).unwrap();
            let stage = stage_of(&stages, &object);
            let index = stages.iter().position(|other| std::ptr::eq(other, stage));
            shown[index.unwrap()] = true;
            let (status, made) = becomes(&stages, &object);
            assert_eq!(status, case["status"], "{}", case["name"]);
            let made: Vec<Value> = made.into_iter().map(Object::into_value).collect();
            let wanted = case.get("creates").and_then(Value::as_array).cloned();
            assert_eq!(made, wanted.unwrap_or_default(), "{}", case["name"]);
        }
        let without = shown.iter().position(|shown| !shown).map(|index| &stages[index]);
        assert!(without.is_none(), "a stage without a case: {without:?}");
    }
}
