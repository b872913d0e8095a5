//! Which policies and webhooks a request concerns: by rule, by the labels of its namespace and of
//! its object.

use crate::api::Verb;
use crate::object::schema;
use crate::object::{Gvk, Gvr, LabelSelector, Object, Value, json};
use crate::sim::rest::Server;
use crate::sim::rest::call::Call;
use crate::sim::rest::subresources::is_part;
use crate::sim::store::Key;

/// A write that admission is asked about.
pub(super) struct Asked<'a> {
    pub(super) call: &'a Call<'a>,
    /// `CREATE`, `UPDATE`, `DELETE` or `CONNECT`.
    pub(super) operation: &'static str,
    /// The new state; `None` for a delete.
    pub(super) object: Option<&'a Object>,
    /// The state before; `None` for a create.
    pub(super) old: Option<&'a Object>,
}

impl Asked<'_> {
    /// The object's name, which a create's URL does not have; none for a whole collection.
    pub(super) fn name(&self) -> &str {
        if self.call.request.verb == Verb::DeleteCollection {
            return "";
        }
        let named = self.object.or(self.old).map(Object::name).unwrap_or_default();
        if self.call.name.is_empty() { named } else { self.call.name }
    }

    /// The namespace that counts: a Namespace lies in itself.
    pub(super) fn namespace(&self) -> &str {
        if self.is_namespace() { self.name() } else { self.call.namespace }
    }

    pub(super) fn is_namespace(&self) -> bool {
        self.call.kind.kind == "Namespace" && self.call.kind.group.is_empty()
    }

    /// The kind of what is sent, which is not the resource's for `scale` and some others.
    pub(super) fn gvk(&self) -> Gvk {
        match self.object.or(self.old) {
            Some(object) if !is_part(self.call.subresource) => object.gvk(),
            _ => Gvk::from_api_version(&self.call.kind.api_version, self.call.kind.kind),
        }
    }

    /// The options of the request, as a review shows them.
    pub(super) fn options(&self) -> Value {
        let kind = match self.operation {
            "CREATE" => "CreateOptions",
            "DELETE" => "DeleteOptions",
            "UPDATE" => "UpdateOptions",
            _ => return Value::Null,
        };
        let mut options = json!({ "kind": kind, "apiVersion": "meta.k8s.io/v1" });
        let given = &self.call.request.options;
        if self.call.dry_run() {
            options["dryRun"] = json!(["All"]);
        }
        if self.operation != "DELETE" {
            if let Some(manager) = &given.field_manager {
                options["fieldManager"] = manager.as_ref().into();
            }
            return options;
        }
        if let Some(seconds) = given.delete.grace_seconds {
            options["gracePeriodSeconds"] = seconds.into();
        }
        if let Some(propagation) = given.delete.propagation {
            options["propagationPolicy"] = format!("{propagation:?}").into();
        }
        for (key, value) in
            [("uid", &given.delete.uid), ("resourceVersion", &given.delete.resource_version)]
        {
            if let Some(value) = value {
                options["preconditions"][key] = value.clone().into();
            }
        }
        options
    }
}

/// Whether `asked` is about one of the objects that govern admission, which nothing may govern.
pub(super) fn is_exempt(asked: &Asked) -> bool {
    asked.call.kind.group == "admissionregistration.k8s.io"
        && matches!(
            asked.call.kind.plural(),
            "validatingwebhookconfigurations"
                | "mutatingwebhookconfigurations"
                | "validatingadmissionpolicies"
                | "validatingadmissionpolicybindings"
                | "mutatingadmissionpolicies"
                | "mutatingadmissionpolicybindings"
        )
}

/// The resource that a list of rules names for `asked`: its own, or, with `Equivalent`, another
/// version of it.
pub(super) fn by_rules(asked: &Asked, rules: &Value, equivalent: bool) -> Option<Gvr> {
    let rules = rules.as_array()?;
    let own = &asked.call.request.resource;
    if rules.iter().any(|rule| rule_takes(asked, rule, own)) {
        return Some(own.clone());
    }
    if !equivalent {
        return None;
    }
    let others = schema::builtin().kinds().filter(|kind| {
        kind.gvr.group == own.group
            && kind.gvr.plural == own.plural
            && kind.gvr.version != own.version
    });
    let mut others = others.map(|kind| &kind.gvr);
    others.find(|gvr| rules.iter().any(|rule| rule_takes(asked, rule, gvr))).cloned()
}

fn rule_takes(asked: &Asked, rule: &Value, gvr: &Gvr) -> bool {
    let lists = |key: &str, wanted: &str| {
        let mut list = rule[key].as_array().into_iter().flatten().filter_map(Value::as_str);
        list.any(|own| own == "*" || own == wanted)
    };
    let call = asked.call;
    let scope = match rule["scope"].as_str() {
        Some("Cluster") => call.namespace.is_empty(),
        Some("Namespaced") => !call.namespace.is_empty(),
        _ => true,
    };
    let names = rule["resourceNames"].as_array().map_or(&[][..], Vec::as_slice);
    let named = names.is_empty() || names.iter().any(|name| *name == *asked.name());
    scope
        && named
        && lists("operations", asked.operation)
        && lists("apiGroups", &gvr.group)
        && lists("apiVersions", &gvr.version)
        && rule["resources"].as_array().into_iter().flatten().filter_map(Value::as_str).any(|own| {
            let (resource, subresource) = own.split_once('/').unwrap_or((own, ""));
            let whole = own == "*/*" || (own == "*" && call.subresource.is_empty());
            whole
                || ((resource == "*" || resource == gvr.plural)
                    && (subresource == call.subresource
                        || (subresource == "*" && !call.subresource.is_empty())))
        })
}

/// Whether the selectors of a webhook or of match constraints take the request.
pub(super) fn by_labels(server: &Server, asked: &Asked, matcher: &Value) -> bool {
    by_namespace(server, asked, &matcher["namespaceSelector"])
        && by_object(asked, &matcher["objectSelector"])
}

fn by_namespace(server: &Server, asked: &Asked, selector: &Value) -> bool {
    let selector = LabelSelector::from_value(selector);
    if selector.is_empty() {
        return true;
    }
    if asked.is_namespace() && asked.operation != "DELETE" {
        return selector.matches(asked.object.and_then(Object::labels));
    }
    let name = asked.namespace();
    if name.is_empty() {
        // What lies in no namespace cannot be left out by one.
        return true;
    }
    let namespace = server.store.get(&super::resource("", "namespaces"), &Key::new("", name));
    namespace.is_some_and(|namespace| selector.matches(namespace.labels()))
}

fn by_object(asked: &Asked, selector: &Value) -> bool {
    let selector = LabelSelector::from_value(selector);
    let takes = |object: Option<&Object>| object.is_some_and(|o| selector.matches(o.labels()));
    selector.is_empty() || takes(asked.object) || takes(asked.old)
}
