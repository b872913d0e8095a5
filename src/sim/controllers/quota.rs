//! ResourceQuotas: what is used of each, counted anew when something goes or ends.
//!
//! What is made is charged by the server as it admits it; what that count cannot know is a
//! deletion, a pod that ended and a quota that is new or changed.

use super::caches::Caches;
use super::kinds::{POD, QUOTA, SERVICE, Slot, gvr};
use super::plan::{Call, Controller, Cx, Key, Plan};
use super::pod;
use crate::api::{Change, Request};
use crate::object::quantity::Quantity;
use crate::object::quota::{self, Amounts, Counted};
use crate::object::{Object, json};

/// Whether a change to an object may free something that was charged.
pub(crate) fn frees(slot: Slot, change: &Change) -> bool {
    let Some(new) = &change.new else { return true };
    let was = |is: &dyn Fn(&Object) -> bool| change.old.as_ref().is_some_and(|old| is(old));
    match slot {
        POD => pod::is_finished(new) && !was(&|old| pod::is_finished(old)),
        SERVICE => was(&|old| old.at(&["spec", "type"]) != new.at(&["spec", "type"])),
        _ => false,
    }
}

/// Counts what is used of one quota.
pub(crate) fn sync(cx: &Cx) -> Plan {
    let found = cx.caches.get(QUOTA, cx.key.namespace(), cx.key.name());
    let Some(quota) = found.filter(|_| cx.failure.is_none()) else { return Plan::nothing() };
    let hard = Amounts::read(quota.at(&["spec", "hard"]));
    let used = counted(cx, quota, &hard);
    let amounts = |field: &str| Amounts::read(quota.at(&["status", field]));
    let is_said = ["hard", "used"].iter().all(|f| quota.at(&["status", f]).is_some());
    let spec = quota.at(&["spec", "hard"]).cloned().unwrap_or_else(|| json!({}));
    if is_said && quota.at(&["status", "hard"]) == Some(&spec) && amounts("used") == used {
        return Plan::nothing();
    }
    let status = json!({"hard": spec, "used": used.to_value()});
    let object = pod::with_status(quota, status);
    let put = Request::update(gvr(QUOTA), quota.namespace(), quota.name(), object);
    Plan::nothing().then(vec![Call::new(put.subresource("status"))])
}

/// What the objects of the namespace use of it.
fn counted(cx: &Cx, quota: &Object, hard: &Amounts) -> Amounts {
    let zero = |name: &String| {
        let none = Quantity::count(0);
        (name.clone(), hard.get(name).map_or(none, |hard| hard.with_millis(0)))
    };
    let mut sum = Amounts(hard.0.keys().map(zero).collect());
    for (slot, served) in cx.caches.served().iter().enumerate().filter(|(_, s)| s.namespaced) {
        let (group, plural) = (&*served.resource.group, &*served.resource.plural);
        let kind = Counted { group, plural, kind: &served.kind };
        if !hard.0.keys().any(|name| quota::counts(kind, name)) {
            continue;
        }
        for object in cx.caches.in_namespace(slot, quota.namespace()) {
            if quota::in_scope(quota, kind, object) {
                sum.add(&quota::of(kind, object).only(|name| hard.get(name).is_some()));
            }
        }
    }
    sum
}

/// Whether a quota is there to be looked at, in the namespace of what changed.
pub(crate) fn keys(caches: &Caches, namespace: &str) -> Vec<Key> {
    let quotas = caches.in_namespace(QUOTA, namespace);
    quotas.map(|quota| Key::new(Controller::Quota, quota.namespace(), quota.name())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Time;
    use crate::object::Value;
    use crate::sim::controllers::trial;

    fn pod(name: &str, phase: &str) -> Value {
        json!({"apiVersion": "v1", "kind": "Pod", "status": {"phase": phase},
            "metadata": {"name": name, "namespace": "n", "uid": name},
            "spec": {"containers": [{"name": "c", "resources": {"requests": {"cpu": "300m"}}}]}})
    }

    fn check(hard: Value, objects: &[Value], used: Value) {
        let quota = json!({"apiVersion": "v1", "kind": "ResourceQuota", "spec": {"hard": hard},
            "metadata": {"name": "w", "namespace": "n", "uid": "q"}});
        let mut objects = objects.to_vec();
        objects.push(quota.clone());
        let plan = trial::plan(sync, &objects, Time::VIRTUAL_START, &[]);
        let status = trial::status(&plan);
        assert_eq!(status["used"], used, "{hard}");
        let mut quota = quota;
        quota["status"] = status;
        objects.pop();
        objects.push(quota);
        assert!(trial::plan(sync, &objects, Time::VIRTUAL_START, &[]).is_nothing());
    }

    #[test]
    fn what_is_there_is_counted_and_what_has_ended_is_not() {
        let pods = [pod("a", "Running"), pod("b", "Running"), pod("c", "Succeeded")];
        let hard = json!({"pods": "5", "requests.cpu": "2", "count/pods": "9", "secrets": "1"});
        let used = json!({"pods": "2", "requests.cpu": "600m", "count/pods": "3", "secrets": "0"});
        check(hard, &pods, used);
        check(json!({"limits.memory": "1Gi"}), &[], json!({"limits.memory": "0"}));
    }
}
