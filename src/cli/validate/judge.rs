//! Whether an object is right: first its form, by the schema of its kind, then what a server says
//! that is asked to apply it strictly, without keeping it.
//!
//! The server is the simulated one, with the repository's CustomResourceDefinitions in it, so that
//! an object is refused here for the reasons, and in the words, of a real one.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::api::{FieldValidation, Payload, Request, Response, Status};
use crate::base::{Digest, Rng, Time};
use crate::object::schema::{self, KindInfo, Mode, check};
use crate::object::{Gvr, Object, json};
use crate::sim::Server;
use crate::sim::crd::coerce;

/// Something that is wrong with an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Problem {
    /// The field; empty where the whole object is meant.
    pub field: String,
    pub message: String,
}

/// What can be said of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// All that is wrong with it.
    Checked(Vec<Problem>),
    /// Nobody knows its kind, which may come from elsewhere.
    NoSchema,
}

/// Says what is wrong with objects.
pub(super) struct Judge {
    server: Server,
    namespaces: BTreeSet<String>,
    /// Verdicts by digest of the object: overlays have most of their objects in common.
    known: BTreeMap<String, Verdict>,
}

const CLIENT: u32 = 1;
const NOW: Time = Time::VIRTUAL_START;

impl Judge {
    /// One that knows these definitions besides the kinds of Kubernetes. Of several with one name
    /// the first that is right counts; those that are wrong are told when they are judged.
    pub(super) fn new(definitions: &[Object]) -> Self {
        let server = Server::new(&Rng::new(1));
        let mut judge = Self { server, namespaces: BTreeSet::new(), known: BTreeMap::new() };
        let definition = Gvr::new("apiextensions.k8s.io", "v1", "customresourcedefinitions");
        for one in definitions {
            let mut one = one.clone();
            one.remove(&["status"]);
            // Converting takes a webhook, which nobody serves here; versions are judged one by one.
            one.remove(&["spec", "conversion"]);
            judge.ask(&Request::create(definition.clone(), "", one));
        }
        judge.server.learn_kinds(NOW);
        judge
    }

    fn ask(&mut self, request: &Request) -> Response {
        self.server.handle(NOW, CLIENT, 0, request).response
    }

    /// What is wrong with an object.
    pub(super) fn verdict(&mut self, object: &Object) -> Verdict {
        let mut digest = Digest::default();
        digest.add(object.clone().into_value().to_string().as_bytes());
        let digest = digest.to_hex();
        if let Some(known) = self.known.get(&digest) {
            return known.clone();
        }
        let verdict = self.judged(object);
        self.known.insert(digest, verdict.clone());
        verdict
    }

    fn judged(&mut self, object: &Object) -> Verdict {
        let gvk = object.gvk();
        let mut served = self.server.kinds();
        let Some(kind) = served.find(|served| served.info.gvk == gvk) else {
            return self.unknown(object);
        };
        let info = kind.info.clone();
        let unknown = kind
            .custom
            .map(|version| coerce::decode(&version.root, &mut object.clone()).unwrap_or_default());
        drop(served);
        let problems: Vec<Problem> = match unknown {
            None => check(schema::builtin(), info.ty, &object.clone().into_value(), Mode::Manifest)
                .into_iter()
                .map(|problem| Problem { field: problem.path, message: problem.message })
                .collect(),
            Some(fields) => fields
                .into_iter()
                .map(|field| Problem { message: format!("unknown field {field:?}"), field })
                .collect(),
        };
        // A server that cannot read an object says no more of it.
        if problems.is_empty() {
            return Verdict::Checked(self.asked(&info, object));
        }
        Verdict::Checked(problems)
    }

    /// A kind that is not served: of a group that is known, it is wrong.
    fn unknown(&self, object: &Object) -> Verdict {
        let gvk = object.gvk();
        let versions: BTreeSet<String> = (self.server.kinds())
            .filter(|served| served.info.gvk.group == gvk.group)
            .filter(|served| served.info.gvk.kind == gvk.kind)
            .map(|served| served.info.gvk.api_version())
            .collect();
        let is_known = self.server.kinds().any(|served| served.info.gvk.group == gvk.group);
        let former = ["extensions"].contains(&gvk.group.as_ref());
        if (!is_known && !former) || object.name().is_empty() {
            return Verdict::NoSchema;
        }
        let mut message = format!("no kind {:?} in {:?}", gvk.kind, gvk.api_version());
        if versions.is_empty() {
            let others = self.server.kinds().filter(|served| served.info.gvk.kind == gvk.kind);
            let others: BTreeSet<String> = others.map(|s| s.info.gvk.api_version()).collect();
            let kinds = self.server.kinds().filter(|served| served.info.gvk.group == gvk.group);
            let kinds: Vec<String> = kinds.map(|s| s.info.gvk.kind.to_string()).collect();
            let near = crate::base::nearest(&gvk.kind, kinds.iter().map(String::as_str));
            match (others.into_iter().next(), near) {
                (Some(other), _) => message.push_str(&format!("; {} is in {other:?}", gvk.kind)),
                (None, Some(near)) => message.push_str(&format!("; did you mean {near:?}?")),
                (None, None) => {}
            }
        } else {
            let versions: Vec<String> = versions.into_iter().collect();
            message.push_str(&format!("; {} is in {}", gvk.kind, versions.join(", ")));
        }
        Verdict::Checked(vec![Problem { field: "kind".to_owned(), message }])
    }

    /// What the server says to an apply that is not kept.
    fn asked(&mut self, info: &KindInfo, object: &Object) -> Vec<Problem> {
        let mut body = object.clone();
        body.remove(&["status"]);
        if info.gvk.kind == "CustomResourceDefinition" {
            body.remove(&["spec", "conversion"]);
        }
        for key in ["managedFields", "creationTimestamp", "resourceVersion", "uid", "generation"] {
            body.remove(&["metadata", key]);
        }
        let namespace = match (info.namespaced, body.namespace()) {
            (false, _) => String::new(),
            (true, "") => "default".to_owned(),
            (true, namespace) => namespace.to_owned(),
        };
        if info.namespaced {
            body.set(&["metadata", "namespace"], namespace.as_str().into());
            self.ensure(&namespace);
        } else {
            // A server passes over it.
            body.remove(&["metadata", "namespace"]);
        }
        let is_generated =
            body.name().is_empty() && body.text(&["metadata", "generateName"]).is_some();
        let mut request = if is_generated {
            Request::create(info.gvr.clone(), &namespace, body)
        } else if body.name().is_empty() {
            let message = "metadata.name: Required value".to_owned();
            return vec![Problem { field: "metadata.name".to_owned(), message }];
        } else {
            let name = body.name().to_owned();
            let body = Arc::new(body.into_value());
            Request::apply(info.gvr.clone(), &namespace, &name, "towtank".into(), body)
        };
        request.options.dry_run = true;
        request.options.force = true;
        request.options.field_validation = FieldValidation::Strict;
        match self.ask(&request).payload {
            Payload::Status(status) if status.code >= 400 => problems(&status),
            _ => Vec::new(),
        }
    }

    /// Sees to it that a namespace is there.
    fn ensure(&mut self, namespace: &str) {
        if self.namespaces.insert(namespace.to_owned()) {
            let object = json!({ "metadata": { "name": namespace } });
            if let Ok(object) = Object::from_value(object) {
                self.ask(&Request::create(Gvr::new("", "v1", "namespaces"), "", object));
            }
        }
    }
}

/// The causes of a refusal, or the refusal.
fn problems(status: &Status) -> Vec<Problem> {
    let causes = status.details.iter().flat_map(|details| &details.causes);
    let found: Vec<Problem> = causes
        .map(|cause| {
            let message = if cause.field.is_empty() {
                cause.message.clone()
            } else {
                format!("{}: {}", cause.field, cause.message)
            };
            Problem { field: cause.field.clone(), message }
        })
        .collect();
    if found.is_empty() {
        return vec![Problem { field: String::new(), message: status.message.clone() }];
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::object::Value;

    fn definition() -> Object {
        let schema = json!({"type": "object", "properties": {"spec": {"type": "object",
            "required": ["size"], "properties": {"size": {"type": "integer", "maximum": 3}}}}});
        Object::from_value(json!({"apiVersion": "apiextensions.k8s.io/v1",
            "kind": "CustomResourceDefinition", "metadata": {"name": "ships.x.example"},
            "spec": {"group": "x.example", "scope": "Namespaced",
                "names": {"kind": "Ship", "plural": "ships"},
                "versions": [{"name": "v1", "served": true, "storage": true,
                    "schema": {"openAPIV3Schema": schema}}]}}))
        .unwrap()
    }

    #[track_caller]
    fn check(value: Value, expected: &[&str]) {
        let object = Object::from_value(value).unwrap();
        let Verdict::Checked(found) = Judge::new(&[definition()]).verdict(&object) else {
            panic!("no schema");
        };
        assert_eq!(found.into_iter().map(|p| p.message).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn objects_are_refused_in_the_words_of_a_server() {
        let deployment = |spec: Value| json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "a"}, "spec": spec});
        let container = json!({"name": "a", "image": "b"});
        check(
            deployment(json!({"replica": 1, "selector": {}, "template": {}})),
            &["unknown field \"spec.replica\""],
        );
        check(
            deployment(json!({"selector": {"matchLabels": {"a": "b"}}, "template": {
                "metadata": {"labels": {"a": "c"}}, "spec": {"containers": [container]}}})),
            &[
                "spec.template.metadata.labels: Invalid value: {\"a\":\"c\"}: `selector` does not match template `labels`",
            ],
        );
        check(
            json!({"apiVersion": "apps/v1beta1", "kind": "Deployment", "metadata": {"name": "a"}}),
            &["no kind \"Deployment\" in \"apps/v1beta1\"; Deployment is in apps/v1"],
        );
        check(
            json!({"apiVersion": "extensions/v1beta1", "kind": "Ingress", "metadata": {"name": "a"}}),
            &[
                "no kind \"Ingress\" in \"extensions/v1beta1\"; Ingress is in \"networking.k8s.io/v1\"",
            ],
        );
    }

    #[test]
    fn custom_resources_are_held_against_their_definition() {
        let ship = |spec: Value| json!({"apiVersion": "x.example/v1", "kind": "Ship", "metadata": {"name": "a"}, "spec": spec});
        check(ship(json!({"size": 2})), &[]);
        check(ship(json!({"size": 2, "sail": 1})), &["unknown field \"spec.sail\""]);
        check(
            ship(json!({"size": 4})),
            &["spec.size: Invalid value: 4: spec.size in body should be less than or equal to 3"],
        );
        let stranger =
            json!({"apiVersion": "y.example/v1", "kind": "Ship", "metadata": {"name": "a"}});
        let stranger = Object::from_value(stranger).unwrap();
        assert_eq!(Judge::new(&[definition()]).verdict(&stranger), Verdict::NoSchema);
    }
}
