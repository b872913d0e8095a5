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

    fn becomes(object: &Object) -> (Value, Vec<Object>) {
        let gvk = object.gvk();
        let layers = [known(), usual()];
        let mut stages = layers.iter().flatten();
        let stage =
            stages.find(|stage| stage.is_for_kind(&gvk.group, &gvk.kind) && stage.is_for(object));
        let Some(Next::Becomes(to)) = stage.map(|stage| &stage.next) else {
            panic!("no stage for {gvk:?}")
        };
        let now = Time::VIRTUAL_START;
        let shape = Shape { observed: true, conditions_observed: false };
        let status = next::status(object, to, shape, now).unwrap();
        let mut after = object.clone();
        after.set(&["status"], status.clone());
        assert_eq!(next::status(&after, to, shape, now), None, "{gvk:?} never comes to rest");
        (status, next::created(object, to, now))
    }

    #[test]
    fn objects_of_known_kinds_become_what_their_controllers_make_of_them() {
        let cases = yaml::body(include_str!("known.cases.yaml")).unwrap();
        for case in cases.as_array().unwrap() {
            let object = Object::from_value(case["given"].clone()).unwrap();
            let (status, made) = becomes(&object);
            assert_eq!(status, case["status"], "{}", case["name"]);
            let made: Vec<Value> = made.into_iter().map(Object::into_value).collect();
            let wanted = case.get("creates").and_then(Value::as_array).cloned();
            assert_eq!(made, wanted.unwrap_or_default(), "{}", case["name"]);
        }
    }
}
