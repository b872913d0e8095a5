//! Which pods of a workload are of the revision that it asks for.
//!
//! Not here: what a pod says about its rollout (`health`).

use crate::object::{Key, Object, Value};

/// The ReplicaSet of the revision that `deployment` asks for; `None` while the controller has
/// not acted on the newest spec, or its ReplicaSet is not among `replica_sets` yet.
#[must_use]
pub(super) fn newest_replica_set<'a>(
    deployment: &Object,
    replica_sets: impl IntoIterator<Item = &'a Object>,
) -> Option<&'a Object> {
    if !is_observed(deployment) {
        return None;
    }
    let owned = replica_sets.into_iter().filter(|set| is_controlled_by(set, deployment));
    let newest = owned.max_by_key(|set| revision(set))?;
    // The Deployment is told its revision together with the generation that was acted on: a
    // lower one here means that the news of the ReplicaSet is still on its way. One that is scaled
    // with the change is scaled first, and counts as seen before its ReplicaSet is made.
    let is_told = revision(newest) >= revision(deployment);
    (is_told && is_made_from(newest, deployment)).then_some(newest)
}

/// Whether a ReplicaSet has the template that its Deployment has now, but for the label that tells
/// ReplicaSets apart.
fn is_made_from(set: &Object, deployment: &Object) -> bool {
    let spec = ["spec", "template", "spec"];
    set.at(&spec) == deployment.at(&spec)
        && template_texts(set, "labels").eq(template_texts(deployment, "labels"))
        && template_texts(set, "annotations").eq(template_texts(deployment, "annotations"))
}

/// Labels or annotations of a template.
fn template_texts<'o>(
    object: &'o Object,
    field: &str,
) -> impl Iterator<Item = (&'o Key, &'o Value)> + use<'o> {
    let texts = object.at(&["spec", "template", "metadata", field]).and_then(Value::as_object);
    texts.into_iter().flatten().filter(|(key, _)| key.as_str() != "pod-template-hash")
}

/// Which pods are of the revision that `workload` asks for; none while the controller has not
/// acted on the newest spec. What depends on the workload alone is looked up once. `replica_sets`
/// are needed for a Deployment; of other owners they are ignored.
pub(super) fn is_of_new_revision<'a>(
    workload: &'a Object,
    replica_sets: &[&'a Object],
) -> impl Fn(&Object) -> bool + use<'a> {
    let kind = workload.kind();
    let is_deployment = kind == "Deployment";
    let owner = if is_deployment {
        newest_replica_set(workload, replica_sets.iter().copied())
    } else {
        Some(workload)
            .filter(|_| !matches!(kind, "StatefulSet" | "DaemonSet") || is_observed(workload))
    };
    move |pod| {
        let Some(owner) = owner else { return false };
        match kind {
            "Pod" => pod.uid() == owner.uid(),
            "StatefulSet" => {
                let update = workload.text(&["status", "updateRevision"]);
                is_controlled_by(pod, owner)
                    && update.is_some()
                    && pod.label("controller-revision-hash") == update
            }
            "DaemonSet" => is_controlled_by(pod, owner) && is_of_template(workload, pod),
            _ => is_controlled_by(pod, owner),
        }
    }
}

/// A DaemonSet does not name its newest ControllerRevision, but it counts its templates; where
/// that count is missing the images decide.
fn is_of_template(workload: &Object, pod: &Object) -> bool {
    let counted = workload.annotation("deprecated.daemonset.template.generation");
    match (counted, pod.label("pod-template-generation")) {
        (Some(wanted), Some(has)) => wanted == has,
        _ => {
            let template = workload.list(&["spec", "template", "spec", "containers"]);
            images(template) == images(pod.list(&["spec", "containers"]))
        }
    }
}

fn images(containers: &[Value]) -> Vec<(Option<&Value>, Option<&Value>)> {
    containers.iter().map(|c| (c.get("name"), c.get("image"))).collect()
}

fn is_observed(workload: &Object) -> bool {
    workload
        .int(&["status", "observedGeneration"])
        .is_some_and(|seen| seen >= workload.generation())
}

fn is_controlled_by(object: &Object, owner: &Object) -> bool {
    object.controller().is_some_and(|controller| controller.uid == owner.uid())
}

fn revision(object: &Object) -> i64 {
    let text = object.annotation("deployment.kubernetes.io/revision");
    text.and_then(|text| text.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::object::json;

    fn object(value: Value) -> Object {
        Object::from_value(value).unwrap()
    }

    fn owned(kind: &str, uid: &str, owner: &str) -> Value {
        json!({"kind": kind, "metadata": {"uid": uid, "name": uid,
            "ownerReferences": [{"kind": "X", "name": "x", "uid": owner, "controller": true}]}})
    }

    fn replica_set(uid: &str, owner: &str, revision: &str) -> Object {
        let mut set = object(owned("ReplicaSet", uid, owner));
        set.set(&["metadata", "annotations", "deployment.kubernetes.io/revision"], revision.into());
        set
    }

    fn workload(kind: &str, generation: i64, observed: i64) -> Object {
        object(json!({"kind": kind, "metadata": {"uid": "w", "generation": generation},
            "status": {"observedGeneration": observed}}))
    }

    #[test]
    fn the_newest_replica_set_is_that_of_the_observed_generation() {
        let sets = [
            replica_set("a", "w", "9"),
            replica_set("b", "w", "10"),
            replica_set("c", "other", "99"),
        ];
        let newest = |deployment: &Object| newest_replica_set(deployment, &sets).map(Object::uid);
        assert_eq!(newest(&workload("Deployment", 2, 2)), Some("b"));
        assert_eq!(newest(&workload("Deployment", 3, 2)), None, "the controller is behind");
        let mut ahead = workload("Deployment", 2, 2);
        ahead.set(&["metadata", "annotations", "deployment.kubernetes.io/revision"], "11".into());
        assert_eq!(newest(&ahead), None, "the news of the ReplicaSet is behind");
        let mut scaled = workload("Deployment", 2, 2);
        scaled.set(&["spec", "template", "spec", "hostname"], "new".into());
        assert_eq!(newest(&scaled), None, "it was scaled, and its ReplicaSet is still to be made");
        let mut labelled = sets[1].clone();
        labelled.set(&["spec", "template", "metadata", "labels", "pod-template-hash"], "x".into());
        assert!(is_made_from(&labelled, &workload("Deployment", 2, 2)));
    }

    #[test]
    fn pods_of_the_new_revision_are_told_from_the_others() {
        let sets = [replica_set("a", "w", "1"), replica_set("b", "w", "2")];
        let belongs = |workload: &Object, pod: Value| {
            is_of_new_revision(workload, &[&sets[0], &sets[1]])(&object(pod))
        };
        let deployment = workload("Deployment", 1, 1);
        assert!(belongs(&deployment, owned("Pod", "p", "b")));
        assert!(!belongs(&deployment, owned("Pod", "p", "a")));

        let labelled = |key: &str, value: &str| {
            let mut pod = owned("Pod", "p", "w");
            pod["metadata"]["labels"] = json!({key: value});
            pod
        };
        let mut stateful = workload("StatefulSet", 1, 1);
        stateful.set(&["status", "updateRevision"], "r2".into());
        assert!(belongs(&stateful, labelled("controller-revision-hash", "r2")));
        assert!(!belongs(&stateful, labelled("controller-revision-hash", "r1")));
        assert!(!belongs(&stateful, owned("Pod", "p", "w")));

        let mut daemon = workload("DaemonSet", 4, 4);
        let template = json!([{"name": "c", "image": "a:2"}]);
        daemon.set(&["spec", "template", "spec", "containers"], template.clone());
        let with_image = |image: &str| {
            let mut pod = owned("Pod", "p", "w");
            pod["spec"] = json!({"containers": [{"name": "c", "image": image}]});
            pod
        };
        assert!(belongs(&daemon, with_image("a:2")));
        assert!(!belongs(&daemon, with_image("a:1")));
        let key = "deprecated.daemonset.template.generation";
        daemon.set(&["metadata", "annotations", key], "3".into());
        assert!(belongs(&daemon, labelled("pod-template-generation", "3")));
        assert!(!belongs(&daemon, labelled("pod-template-generation", "2")));

        assert!(belongs(&workload("Job", 1, 0), owned("Pod", "p", "w")));
        assert!(!belongs(&workload("Job", 1, 0), owned("Pod", "p", "v")));
    }
}
