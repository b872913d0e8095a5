//! ServiceAccount: every pod runs as an account of its namespace, and gets a token of it.

use super::resource;
use crate::api::Status;
use crate::object::{Object, Value, json};
use crate::sim::rest::call::Call;
use crate::sim::rest::{Server, names};
use crate::sim::store::Key;

const MOUNT: &str = "/var/run/secrets/kubernetes.io/serviceaccount";
const VOLUME: &str = "kube-api-access-";
const MIRROR: &str = "kubernetes.io/config.mirror";
const ENFORCE: &str = "kubernetes.io/enforce-mountable-secrets";

/// Gives a new pod its account, the token's volume and the account's pull secrets.
pub(super) fn set(server: &mut Server, call: &Call, pod: &mut Object) -> Result<(), Status> {
    if pod.annotation(MIRROR).is_some() {
        return mirror(call, pod);
    }
    let name = pod.text(&["spec", "serviceAccountName"]).filter(|name| !name.is_empty());
    let name = name.unwrap_or("default").to_owned();
    let key = Key::new(call.namespace, &name);
    let account = server.store.get(&resource("", "serviceaccounts"), &key).cloned();
    let Some(account) = account else {
        let why = format!(
            "error looking up service account {}/{name}: serviceaccount {name:?} not found",
            call.namespace
        );
        return Err(call.forbidden(pod.name(), &why));
    };
    pod.set(&["spec", "serviceAccountName"], name.clone().into());
    pod.set(&["spec", "serviceAccount"], name.into());
    let wish = |object: &Object, path: &[&str]| object.at(path).and_then(Value::as_bool);
    let mounts = wish(pod, &["spec", "automountServiceAccountToken"])
        .or_else(|| wish(&account, &["automountServiceAccountToken"]));
    if mounts.unwrap_or(true) {
        mount(server, pod);
    }
    let pulls = account.list(&["imagePullSecrets"]);
    if pod.list(&["spec", "imagePullSecrets"]).is_empty() && !pulls.is_empty() {
        pod.set(&["spec", "imagePullSecrets"], Value::Array(pulls.to_vec()));
    }
    if account.annotation(ENFORCE) == Some("true")
        && let Some(why) = secret_of_another(&account, pod)
    {
        return Err(call.forbidden(pod.name(), &why));
    }
    Ok(())
}

/// A mirror pod is the node's own and has no account.
fn mirror(call: &Call, pod: &Object) -> Result<(), Status> {
    let account = pod.text(&["spec", "serviceAccountName"]).unwrap_or_default();
    if account.is_empty() {
        return Ok(());
    }
    Err(call.forbidden(pod.name(), "a mirror pod may not reference service accounts"))
}

/// Mounts a token into every container that has nothing in its place.
fn mount(server: &mut Server, pod: &mut Object) {
    let volumes = pod.list(&["spec", "volumes"]).iter().filter_map(|v| v["name"].as_str());
    let own = volumes.filter(|name| name.starts_with(VOLUME)).map(ToOwned::to_owned).next();
    let has_volume = own.is_some();
    let name = own.unwrap_or_else(|| names::generated(&mut server.rng, VOLUME));
    let mut is_needed = false;
    let Some(Value::Object(spec)) = pod.0.get_mut("spec") else { return };
    for field in ["initContainers", "containers"] {
        let Some(Value::Array(containers)) = spec.get_mut(field) else { continue };
        for container in containers.iter_mut().filter_map(Value::as_object_mut) {
            let mounts = container.entry("volumeMounts").or_insert_with(|| json!([]));
            let Some(mounts) = mounts.as_array_mut() else { continue };
            if !mounts.iter().any(|mount| mount["mountPath"] == MOUNT) {
                mounts.push(json!({ "name": name, "readOnly": true, "mountPath": MOUNT }));
                is_needed = true;
            }
        }
    }
    if has_volume || !is_needed {
        return;
    }
    let volume = json!({ "name": name, "projected": { "sources": [
        { "serviceAccountToken": { "expirationSeconds": 3607, "path": "token" } },
        { "configMap": { "name": "kube-root-ca.crt",
            "items": [{ "key": "ca.crt", "path": "ca.crt" }] } },
        { "downwardAPI": { "items": [{ "path": "namespace",
            "fieldRef": { "apiVersion": "v1", "fieldPath": "metadata.namespace" } }] } },
    ], "defaultMode": 420 } });
    let volumes = spec.entry("volumes").or_insert_with(|| json!([]));
    if let Some(volumes) = volumes.as_array_mut() {
        volumes.push(volume);
    }
}

/// The first use of a secret that the account does not list.
fn secret_of_another(account: &Object, pod: &Object) -> Option<String> {
    let listed =
        |field: &str, name: &str| account.list(&[field]).iter().any(|s| s["name"] == *name);
    let who = account.name();
    for volume in pod.list(&["spec", "volumes"]) {
        if let Some(name) = volume["secret"]["secretName"].as_str()
            && !listed("secrets", name)
        {
            return Some(format!(
                "volume with secret.secretName=\"{name}\" is not allowed because service account {who} does not reference that secret"
            ));
        }
    }
    for (field, what) in [("initContainers", "init container"), ("containers", "container")] {
        for container in pod.list(&["spec", field]) {
            let own = container["name"].as_str().unwrap_or_default();
            let list = |key: &str| container[key].as_array().cloned().unwrap_or_default();
            for env in list("env") {
                let name = env["valueFrom"]["secretKeyRef"]["name"].as_str();
                if let Some(name) = name.filter(|name| !listed("secrets", name)) {
                    let variable = env["name"].as_str().unwrap_or_default();
                    return Some(format!(
                        "{what} {own} with envVar {variable} referencing secret.secretName=\"{name}\" is not allowed because service account {who} does not reference that secret"
                    ));
                }
            }
            for from in list("envFrom") {
                let name = from["secretRef"]["name"].as_str();
                if let Some(name) = name.filter(|name| !listed("secrets", name)) {
                    return Some(format!(
                        "{what} {own} with envFrom referencing secret.secretName=\"{name}\" is not allowed because service account {who} does not reference that secret"
                    ));
                }
            }
        }
    }
    let pulls = pod.list(&["spec", "imagePullSecrets"]).iter().enumerate();
    let mut pulls = pulls.map(|(i, pull)| (i, pull["name"].as_str().unwrap_or_default()));
    let (i, name) = pulls.find(|(_, name)| !listed("imagePullSecrets", name))?;
    Some(format!(
        "imagePullSecrets[{i}].name=\"{name}\" is not allowed because service account {who} does not reference that imagePullSecret"
    ))
}
