//! One request with what is known of it: its kind, where its object lies, what it carries.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::kinds::{Kind, Registry};
use super::{custom, secrets, views};
use crate::api::path::field_order;
use crate::api::{Cause, FieldValidation, PatchKind, Request, Status, Verb};
use crate::base::Time;
use crate::fields::Write;
use crate::object::schema;
use crate::object::schema::check::{self, Mode, ProblemKind};
use crate::object::{Gvr, Map, Object, Value};
use crate::sim::store::{Key, Resource};

pub(super) struct Call<'a> {
    pub(super) now: Time,
    pub(super) request: &'a Request,
    pub(super) kind: Arc<Kind>,
    pub(super) resource: Resource,
    /// Empty at cluster scope.
    pub(super) namespace: &'a str,
    /// Empty for a collection.
    pub(super) name: &'a str,
    /// Empty for the object itself.
    pub(super) subresource: &'a str,
    /// Texts for the answer's `Warning` headers.
    pub(super) warnings: Vec<String>,
}

impl<'a> Call<'a> {
    pub(super) fn new(kinds: &Registry, now: Time, request: &'a Request) -> Result<Self, Status> {
        let gvr = &request.resource;
        let Some(kind) = kinds.of(gvr) else {
            return Err(no_such_resource(kinds.is_builtin_group(&gvr.group)));
        };
        let subresource = request.subresource.as_deref().unwrap_or_default();
        let namespace = request.namespace.as_deref().unwrap_or_default();
        let unknown = !subresource.is_empty() && !kind.info.has_subresource(subresource);
        if kind.custom.is_some() {
            custom::path_fits(&kind, request, unknown)?;
        }
        let is_elsewhere = kind.namespaced() && namespace.is_empty() && request.name.is_some();
        if unknown || is_elsewhere || (!kind.namespaced() && !namespace.is_empty()) {
            return Err(no_such_resource(true));
        }
        let plural = kind.info.gvr.plural.clone();
        let group = views::stored_group(&kind).unwrap_or_else(|| kind.info.gvr.group.clone());
        let resource = Resource { group, plural };
        let name = request.name.as_deref().unwrap_or_default();
        let mut warnings = Vec::new();
        if kind.kind == "Endpoints" {
            let text =
                "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice";
            warnings.push(text.to_owned());
        }
        if kind.kind == "ComponentStatus" {
            warnings.push("v1 ComponentStatus is deprecated in v1.19+".to_owned());
        }
        warnings
            .extend(kind.custom.iter().map(|c| c.deprecation.clone()).filter(|w| !w.is_empty()));
        Ok(Self { now, request, kind, resource, namespace, name, subresource, warnings })
    }

    /// Whether the object itself is meant, and not a part of it.
    pub(super) fn is_whole(&self) -> bool {
        self.subresource.is_empty()
    }

    pub(super) fn key(&self) -> Key {
        Key::new(self.namespace, self.name)
    }

    pub(super) fn key_of(&self, name: &str) -> Key {
        Key::new(self.namespace, name)
    }

    pub(super) fn dry_run(&self) -> bool {
        self.request.options.dry_run
    }

    /// Who writes, for managed fields (R-HTTP-31).
    pub(super) fn write(&self) -> Write<'_> {
        const LONGEST_BYTES: usize = 128;
        let agent = self.request.user_agent.split('/').next().unwrap_or_default();
        let agent = &agent[..agent.floor_char_boundary(LONGEST_BYTES)];
        Write {
            manager: self.request.options.field_manager.as_deref().unwrap_or(agent),
            api_version: &self.kind.api_version,
            subresource: self.subresource,
            now: self.now,
            reset: self.kind.reset(self.subresource),
        }
    }

    /// A change of a whole collection, which there is none of.
    pub(super) fn no_such_method(&self) -> Status {
        match self.kind.custom {
            Some(_) => Status::bad_request("name must be provided"),
            None => Status::method_not_allowed(),
        }
    }

    pub(super) fn not_found(&self) -> Status {
        if self.kind.kind == "ComponentStatus" {
            // The one resource whose storage names itself in the singular.
            let gvr = Gvr { plural: "componentstatus".into(), ..self.request.resource.clone() };
            return Status::not_found(&gvr, self.name);
        }
        Status::not_found(&self.request.resource, self.name)
    }

    pub(super) fn conflict(&self, why: &str) -> Status {
        Status::conflict(&self.request.resource, self.name, why)
    }

    pub(super) fn forbidden(&self, name: &str, why: &str) -> Status {
        Status::forbidden(&self.request.resource, name, why)
    }

    pub(super) fn invalid(&self, name: &str, causes: &[Cause]) -> Status {
        Status::invalid(self.kind.group_name(), self.kind.name(), name, causes)
    }

    /// The same of the object that was given.
    pub(super) fn invalid_object(&self, object: &Object, causes: &[Cause]) -> Status {
        // An object of a wrong kind comes this far where it is a custom one.
        let kind = if self.kind.custom.is_some() { object.kind() } else { self.kind.name() };
        let name = if self.name.is_empty() { object.name() } else { self.name };
        // Events have one name for both of their groups.
        let group = if self.kind.kind == "Event" { "" } else { self.kind.group_name() };
        Status::invalid(group, kind, name, causes)
    }

    /// The object that the request carries, of the kind that the URL says.
    pub(super) fn body(&mut self) -> Result<Object, Status> {
        self.body_over(None)
    }

    /// The same of an object that is to be written over `live`.
    pub(super) fn body_over(&mut self, live: Option<&Object>) -> Result<Object, Status> {
        let own = Arc::clone(&self.kind);
        let (kind, wanted) = (own.name(), own.api_version.as_str());
        let Some(Value::Object(body)) = self.request.body.as_deref() else {
            let text = format!("the object provided is unrecognized (must be of type {kind})");
            return Err(Status::bad_request(text));
        };
        let text = |key: &str| body.get(key).and_then(Value::as_str).unwrap_or_default();
        let (version, found) = (text("apiVersion"), text("kind"));
        if own.custom.is_some() {
            custom::types_fit(&own, body, self.request.options.source.as_deref())?;
        } else if !found.is_empty() && found != kind {
            return Err(self.wrong_kind(version, found));
        }
        if was_served(version, kind) && version != wanted {
            return Err(Status::bad_request(format!(
                "the API version in the data ({version}) does not match the expected API version ({wanted})"
            )));
        }
        if own.custom.is_none() && !version.is_empty() && version != wanted {
            return Err(self.unreadable(&format!("no kind {kind:?} is registered for version {version:?} in scheme \"pkg/runtime/scheme.go:111\""), version));
        }
        let problems = self.decode(self.request.body.as_deref().unwrap_or(&Value::Null), live);
        let problems = problems.map_err(|e| self.unreadable(&e, wanted))?;
        self.tell_or_refuse(problems).map_err(|e| self.unreadable(&e, wanted))?;
        let mut object = Object(body.clone());
        if own.custom.is_none() && (found.is_empty() || version.is_empty()) {
            object.set(&["kind"], self.kind.name().into());
            object.set(&["apiVersion"], self.kind.api_version.as_str().into());
        }
        Ok(object)
    }

    fn unreadable(&self, why: &str, version: &str) -> Status {
        let kind = self.kind.name();
        let version = version.rsplit('/').next().unwrap_or_default();
        Status::bad_request(format!(
            "{kind} in version {version:?} cannot be handled as a {kind}: {why}"
        ))
    }

    /// Unknown fields of a value of this kind; the first wrong type fails it. What is as in `live`
    /// was in order when it was written.
    pub(super) fn decode(
        &self,
        value: &Value,
        live: Option<&Object>,
    ) -> Result<Vec<String>, String> {
        if let Some(version) = &self.kind.custom {
            return custom::decode(version, value);
        }
        let mode = match self.request.options.field_validation {
            FieldValidation::Ignore => Mode::Types,
            FieldValidation::Warn | FieldValidation::Strict => Mode::Decode,
        };
        let (schema, ty) = (self.kind.schema(), self.kind.ty);
        let problems = check::check_over(schema, ty, value, live, mode);
        if let Some(wrong) = problems.iter().find(|p| p.kind == ProblemKind::WrongType) {
            return Err(wrong.message.clone());
        }
        if let Some(fault) = secrets::bytes_fault(self.kind.kind, value) {
            return Err(fault);
        }
        Ok(problems.into_iter().map(|problem| problem.message).collect())
    }

    /// What a strict reader of YAML says of keys that it finds twice in a map.
    pub(super) fn refused_twins(&self) -> Option<String> {
        let options = &self.request.options;
        let keys = &options.duplicate_keys;
        let is_refused = options.field_validation == FieldValidation::Strict && !keys.is_empty();
        is_refused.then(|| format!("yaml: unmarshal errors:\n  {}", keys.join("\n  ")))
    }

    /// What a reader of fields has to say becomes warnings, or an error where it is to be strict
    /// (R-HTTP-32).
    pub(super) fn tell_or_refuse(&mut self, unknown: Vec<String>) -> Result<(), String> {
        let options = &self.request.options;
        let is_json_patch = matches!(self.request.verb, Verb::Patch(PatchKind::Json));
        let mark = if is_json_patch { "json patch " } else { "" };
        let mut problems = unknown_of_patch(self.request);
        let twice = options.duplicate_fields.iter();
        problems.extend(twice.map(|path| format!("{mark}duplicate field {path:?}")));
        // What is not known is not also told to be there twice.
        let known = |problem: &String| match problem.strip_prefix("duplicate field ") {
            Some(path) => !unknown.iter().any(|u| u.strip_prefix("unknown field ") == Some(path)),
            None => true,
        };
        problems.retain(known);
        problems.extend(unknown);
        let mut told = BTreeSet::new();
        problems.retain(|problem| told.insert(problem.clone()));
        if problems.len() > 1
            && self.kind.custom.is_none()
            && let Some(source) = &options.source
        {
            in_order_of(source, &mut problems);
        }
        problems.splice(0..0, self.refused_twins());
        match options.field_validation {
            FieldValidation::Strict if !problems.is_empty() => {
                Err(format!("strict decoding error: {}", problems.join(", ")))
            }
            FieldValidation::Ignore => Ok(()),
            _ => {
                self.warnings.extend(options.duplicate_keys.iter().cloned());
                self.warnings.extend(problems);
                Ok(())
            }
        }
    }

    fn wrong_kind(&self, version: &str, found: &str) -> Status {
        let wanted = self.kind.name();
        let is_known =
            |kind: &schema::KindInfo| kind.gvk.api_version() == version && kind.gvk.kind == *found;
        if !schema::builtin().kinds().any(is_known) {
            let why = format!(
                "no kind {found:?} is registered for version {version:?} in scheme \"pkg/runtime/scheme.go:111\""
            );
            let short = version.rsplit('/').next().unwrap_or_default();
            return Status::bad_request(format!(
                "{found} in version {short:?} cannot be handled as a {wanted}: {why}"
            ));
        }
        let short = version.rsplit('/').next().unwrap_or_default();
        let package = match self.kind.group {
            "" => "core",
            group => group.split('.').next().unwrap_or_default(),
        };
        Status::bad_request(format!(
            "{found} in version {short:?} cannot be handled as a {wanted}: converting ({short}.{found}) to ({package}.{wanted}): unknown conversion"
        ))
    }

    /// Puts the URL's namespace into the object, or refuses one that differs (R-HTTP-26).
    pub(super) fn place(&self, object: &mut Object) -> Result<(), Status> {
        let found = object.namespace();
        if found == self.namespace {
            return Ok(());
        }
        if !self.kind.namespaced() {
            object.remove(&["metadata", "namespace"]);
            return Ok(());
        }
        if !found.is_empty() {
            return Err(Status::bad_request(
                "the namespace of the provided object does not match the namespace sent on the request",
            ));
        }
        object.set(&["metadata", "namespace"], self.namespace.into());
        Ok(())
    }

    /// Puts the URL's name into the object, or refuses one that differs.
    pub(super) fn name_as_in_url(&self, object: &mut Object) -> Result<(), Status> {
        let found = object.name();
        if found.is_empty() {
            object.set(&["metadata", "name"], self.name.into());
        } else if found != self.name {
            return Err(Status::bad_request(format!(
                "the name of the object ({found}) does not match the name on the URL ({})",
                self.name
            )));
        }
        Ok(())
    }
}

/// Sorts what is said of fields as the fields stand in a text.
fn in_order_of(source: &[u8], problems: &mut [String]) {
    let order = field_order(source);
    problems.sort_by_key(|problem| {
        let path = problem.split('"').nth(1).unwrap_or_default();
        let mut places = order.iter().enumerate().filter(|(_, field)| *field == path);
        // What stands twice is seen when it comes again.
        let place =
            if problem.starts_with("duplicate") { places.next_back() } else { places.next() };
        place.map_or(usize::MAX, |(place, _)| place)
    });
}

/// 404 for a resource that is not served, in a group that is or is not.
pub(super) fn no_such_resource(group_is_served: bool) -> Status {
    if group_is_served { Status::no_such_resource() } else { Status::page_not_found() }
}

/// Whether a kind could once be had in a version that is served no more, and is still read.
fn was_served(version: &str, kind: &str) -> bool {
    let kinds: &[&str] = match version {
        "apps/v1beta1" => &["Deployment", "StatefulSet", "ControllerRevision"],
        "apps/v1beta2" => {
            &["Deployment", "StatefulSet", "ControllerRevision", "DaemonSet", "ReplicaSet"]
        }
        "extensions/v1beta1" => {
            &["Deployment", "DaemonSet", "ReplicaSet", "Ingress", "NetworkPolicy"]
        }
        "batch/v1beta1" => &["CronJob"],
        "networking.k8s.io/v1beta1" => &["Ingress", "IngressClass"],
        "policy/v1beta1" => &["PodDisruptionBudget"],
        "rbac.authorization.k8s.io/v1beta1" | "rbac.authorization.k8s.io/v1alpha1" => {
            &["Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding"]
        }
        _ => &[],
    };
    kinds.contains(&kind)
}

/// What operations of a JSON patch say that no operation has.
fn unknown_of_patch(request: &Request) -> Vec<String> {
    let operations = match (request.verb, request.body.as_deref()) {
        (Verb::Patch(PatchKind::Json), Some(Value::Array(operations))) => operations.as_slice(),
        _ => &[],
    };
    let of = |(i, operation): (usize, &Value)| {
        let fields = operation.as_object().into_iter().flat_map(Map::keys);
        let unknown =
            fields.filter(|key| !matches!(key.as_str(), "op" | "path" | "from" | "value"));
        unknown
            .map(|key| format!("json patch unknown field {:?}", format!("[{i}].{key}")))
            .collect::<Vec<_>>()
    };
    operations.iter().enumerate().flat_map(of).collect()
}
