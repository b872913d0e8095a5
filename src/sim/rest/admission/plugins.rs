//! The plugins of a few lines each.

use super::resource;
use crate::api::{Cause, Status, Verb};
use crate::object::{Gvr, Object, Value, json, quantity::Quantity};
use crate::sim::rest::Server;
use crate::sim::rest::auth::{self, Attributes};
use crate::sim::rest::call::Call;
use crate::sim::store::{Key, Resource};

/// What the small plugins set in a new object.
pub(super) fn set(server: &Server, call: &Call, object: &mut Object) -> Result<(), Status> {
    match call.kind.kind {
        "Pod" => {
            priority(server, call, object)?;
            tolerations(object);
        }
        "PersistentVolumeClaim" => {
            default_storage_class(server, object);
            protect(object, "kubernetes.io/pvc-protection");
        }
        "PersistentVolume" => protect(object, "kubernetes.io/pv-protection"),
        "VolumeAttributesClass" => protect(object, "kubernetes.io/vac-protection"),
        "Ingress" => default_ingress_class(server, object),
        "Node" => not_ready_taint(object),
        "CertificateSigningRequest" => requester(call, object),
        _ => {}
    }
    Ok(())
}

/// What the small plugins refuse of a new object.
pub(super) fn check_create(server: &Server, call: &Call, object: &Object) -> Result<(), Status> {
    match call.kind.kind {
        "PriorityClass" => one_default(server, call, object),
        _ => Ok(()),
    }
}

/// CertificateApproval and CertificateSigning: who decides about a request, or signs it, must be
/// allowed to for its signer.
fn may_decide(
    server: &mut Server,
    call: &Call,
    live: &Object,
    object: &Object,
) -> Result<(), Status> {
    let signs = live.at(&["status", "certificate"]) != object.at(&["status", "certificate"]);
    let verb = match call.subresource {
        "approval" => "approve",
        "status" if signs => "sign",
        _ => return Ok(()),
    };
    let signer = live.text(&["spec", "signerName"]).unwrap_or_default();
    let domain = format!("{}/*", signer.split('/').next().unwrap_or_default());
    let may = [signer, domain.as_str()].into_iter().any(|name| {
        let asked = Attributes {
            verb,
            group: "certificates.k8s.io",
            resource: "signers",
            name: name.into(),
            ..Attributes::default()
        };
        auth::is_permitted(server, call.request, &asked)
    });
    if may {
        return Ok(());
    }
    let why = format!("user not permitted to {verb} requests with signerName {signer:?}");
    Err(call.forbidden(call.name, &why))
}

/// There is one default class at most.
fn one_default(server: &Server, call: &Call, object: &Object) -> Result<(), Status> {
    if !object.flag(&["globalDefault"]) {
        return Ok(());
    }
    let classes = resource("scheduling.k8s.io", "priorityclasses");
    let mut others = server.store.all_of(&classes).filter(|class| class.name() != object.name());
    others.find(|class| class.flag(&["globalDefault"])).map_or(Ok(()), |other| {
        let why = format!(
            "PriorityClass {} is already marked as default. Only one default can exist",
            other.name()
        );
        Err(call.forbidden(object.name(), &why))
    })
}

/// A request for a certificate says who sent it, whatever it says itself.
fn requester(call: &Call, object: &mut Object) {
    let Some(user) = &call.request.user else { return };
    for field in ["username", "uid", "groups", "extra"] {
        object.remove(&["spec", field]);
    }
    object.set(&["spec", "username"], user.name.clone().into());
    if !user.uid.is_empty() {
        object.set(&["spec", "uid"], user.uid.clone().into());
    }
    if !user.groups.is_empty() {
        object.set(&["spec", "groups"], json!(user.groups));
    }
    if !user.extra.is_empty() {
        object.set(&["spec", "extra"], json!(user.extra));
    }
}

/// PersistentVolumeClaimResize: a claim grows only where its class lets it.
pub(super) fn check_update(
    server: &mut Server,
    call: &Call,
    live: &Object,
    object: &Object,
) -> Result<(), Status> {
    if call.kind.kind == "CertificateSigningRequest" {
        return may_decide(server, call, live, object);
    }
    if call.kind.kind != "PersistentVolumeClaim" || !call.is_whole() {
        return Ok(());
    }
    let path = ["spec", "resources", "requests", "storage"];
    let size = |object: &Object| object.text(&path).and_then(|text| Quantity::parse(text).ok());
    if size(object) <= size(live) {
        return Ok(());
    }
    if live.text(&["status", "phase"]) != Some("Bound") {
        let why = "Only bound persistent volume claims can be expanded";
        return Err(call.forbidden(call.name, why));
    }
    let class = live.text(&["spec", "storageClassName"]).unwrap_or_default();
    let classes = resource("storage.k8s.io", "storageclasses");
    let class = server.store.get(&classes, &Key::new("", class));
    if class.is_some_and(|class| class.flag(&["allowVolumeExpansion"])) {
        return Ok(());
    }
    let why = "only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize";
    Err(call.forbidden(call.name, why))
}

/// Owners that are named twice are named once, with a warning (R-STO-26).
pub(in crate::sim::rest) fn single_owners(call: &mut Call, object: &mut Object) {
    let owners = object.list(&["metadata", "ownerReferences"]);
    let mut kept: Vec<&Value> = Vec::new();
    let mut twice: Vec<&str> = Vec::new();
    for owner in owners {
        if kept.contains(&owner) {
            twice.push(owner["uid"].as_str().unwrap_or_default());
        } else {
            kept.push(owner);
        }
    }
    if twice.is_empty() {
        return;
    }
    let kept = kept.into_iter().cloned().collect();
    // What a patch makes is looked at after admission alone.
    let after = match call.request.verb {
        Verb::Patch(_) => " after mutating admission happens",
        _ => "",
    };
    call.warnings.push(format!(
        ".metadata.ownerReferences contains duplicate entries{after}; API server dedups owner references in 1.20+, and may reject such requests as early as 1.24; please fix your requests; duplicate UID(s) observed: {}",
        twice.join(", ")
    ));
    object.set(&["metadata", "ownerReferences"], Value::Array(kept));
}

/// NamespaceLifecycle: the namespace must be there and not on its way out (R-STO-16, R-STO-17).
pub(super) fn namespace_takes_content(
    server: &Server,
    call: &Call,
    object: &Object,
) -> Result<(), Status> {
    if !call.kind.namespaced() {
        return Ok(());
    }
    let key = Key::new("", call.namespace);
    let Some(namespace) = server.store.get(&resource("", "namespaces"), &key) else {
        return Err(Status::not_found(&Gvr::new("", "v1", "namespaces"), call.namespace));
    };
    if !namespace.is_deleting() {
        return Ok(());
    }
    let why = format!(
        "unable to create new content in namespace {} because it is being terminated",
        call.namespace
    );
    let mut status = call.forbidden(object.name(), &why);
    if let Some(details) = &mut status.details {
        details.causes.push(Cause {
            reason: "NamespaceTerminating".to_owned(),
            message: format!("namespace {} is being terminated", call.namespace),
            field: "metadata.namespace".to_owned(),
        });
    }
    Err(status)
}

/// Priority: the number and the policy of the pod's class, or of the default class.
fn priority(server: &Server, call: &Call, pod: &mut Object) -> Result<(), Status> {
    let classes = resource("scheduling.k8s.io", "priorityclasses");
    let wanted = pod.text(&["spec", "priorityClassName"]).unwrap_or_default().to_owned();
    let class = if wanted.is_empty() {
        server.store.all_of(&classes).find(|class| class.flag(&["globalDefault"]))
    } else {
        server.store.get(&classes, &Key::new("", &wanted))
    };
    if !wanted.is_empty() && class.is_none() {
        let why = format!("no PriorityClass with name {wanted} was found");
        return Err(call.forbidden(pod.name(), &why));
    }
    let given = pod.int(&["spec", "priority"]);
    let (mut value, mut policy) = (0, "PreemptLowerPriority");
    if let Some(class) = class {
        value = class.int(&["value"]).unwrap_or(0);
        policy = class.text(&["preemptionPolicy"]).unwrap_or(policy);
        pod.set(&["spec", "priorityClassName"], class.name().into());
    }
    if let Some(given) = given.filter(|given| *given != value) {
        let why = format!(
            "the integer value of priority ({given}) must not be provided in pod spec; priority admission controller computed {value} from the given PriorityClass name"
        );
        return Err(call.forbidden(pod.name(), &why));
    }
    pod.set(&["spec", "priority"], value.into());
    match pod.text(&["spec", "preemptionPolicy"]) {
        None => pod.set(&["spec", "preemptionPolicy"], policy.into()),
        Some(own) if own != policy => {
            let why = format!(
                "the string value of PreemptionPolicy ({own}) must not be provided in pod spec; priority admission controller computed {policy} from the given PriorityClass name"
            );
            return Err(call.forbidden(pod.name(), &why));
        }
        Some(_) => {}
    }
    Ok(())
}

/// Priority: what it set of a pod stays where a writer leaves it out.
pub(super) fn keep_priority(call: &Call, live: &Object, object: &mut Object) {
    if call.kind.kind != "Pod" || !call.subresource.is_empty() {
        return;
    }
    for field in ["priority", "preemptionPolicy"] {
        let path = ["spec", field];
        if let (None, Some(value)) = (object.at(&path), live.at(&path)) {
            object.set(&path, value.clone());
        }
    }
}

/// DefaultTolerationSeconds: five minutes on a node that is not ready or cannot be reached.
fn tolerations(pod: &mut Object) {
    let mut tolerations = pod.list(&["spec", "tolerations"]).to_vec();
    for key in ["node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"] {
        let tolerated = tolerations.iter().any(|t| {
            let text = |field: &str| t.get(field).and_then(Value::as_str).unwrap_or_default();
            (text("key") == key || text("key").is_empty())
                && (text("effect") == "NoExecute" || text("effect").is_empty())
        });
        if !tolerated {
            tolerations.push(json!({
                "key": key, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300,
            }));
        }
    }
    pod.set(&["spec", "tolerations"], Value::Array(tolerations));
}

/// StorageObjectInUseProtection.
fn protect(object: &mut Object, finalizer: &str) {
    if object.finalizers().any(|f| f == finalizer) {
        return;
    }
    let mut finalizers = object.list(&["metadata", "finalizers"]).to_vec();
    finalizers.push(finalizer.into());
    object.set(&["metadata", "finalizers"], Value::Array(finalizers));
}

/// The newest class with an annotation that makes it the default.
fn default_class(server: &Server, classes: &Resource, annotation: &str) -> Option<String> {
    let marked = server.store.all_of(classes).filter(|c| c.annotation(annotation) == Some("true"));
    let created =
        |c: &Object| c.text(&["metadata", "creationTimestamp"]).unwrap_or_default().to_owned();
    let newest = marked.max_by(|a, b| created(a).cmp(&created(b)).then(b.name().cmp(a.name())));
    newest.map(|class| class.name().to_owned())
}

fn default_storage_class(server: &Server, claim: &mut Object) {
    let annotation = "storageclass.kubernetes.io/is-default-class";
    if claim.at(&["spec", "storageClassName"]).is_none()
        && let Some(class) =
            default_class(server, &resource("storage.k8s.io", "storageclasses"), annotation)
    {
        claim.set(&["spec", "storageClassName"], class.into());
    }
}

fn default_ingress_class(server: &Server, ingress: &mut Object) {
    let annotation = "ingressclass.kubernetes.io/is-default-class";
    if ingress.at(&["spec", "ingressClassName"]).is_none()
        && ingress.annotation("kubernetes.io/ingress.class").is_none()
        && let Some(class) =
            default_class(server, &resource("networking.k8s.io", "ingressclasses"), annotation)
    {
        ingress.set(&["spec", "ingressClassName"], class.into());
    }
}

/// TaintNodesByCondition: a new node takes no pods until it is known to be ready.
fn not_ready_taint(node: &mut Object) {
    let key = "node.kubernetes.io/not-ready";
    let mut taints = node.list(&["spec", "taints"]).to_vec();
    let is_same = |t: &Value| t["key"] == *key && t["effect"] == *"NoSchedule";
    if !taints.iter().any(is_same) {
        taints.push(json!({ "key": key, "effect": "NoSchedule" }));
        node.set(&["spec", "taints"], Value::Array(taints));
    }
}
