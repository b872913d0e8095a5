//! What every namespace gets: the ServiceAccount `default` and the ConfigMap with the cluster's
//! root certificate, both made again when they go (R-CTL-27). Tokens are issued by the server.

use super::kinds::{CONFIG_MAP, NAMESPACE, SERVICE_ACCOUNT, gvr};
use super::plan::{Call, Cx, Plan};
use crate::api::Request;
use crate::object::{Object, Value, json};

/// The account that pods use that name none.
pub(crate) const ACCOUNT: &str = "default";

/// The ConfigMap's name.
pub(crate) const ROOT_CA: &str = "kube-root-ca.crt";

const DESCRIPTION: &str = "kubernetes.io/description";

const ABOUT: &str = "Contains a CA bundle that can be used to verify the kube-apiserver when using \
    internal endpoints such as the internal service IP or kubernetes.default.svc. No other usage \
    is guaranteed across distributions of Kubernetes clusters.";

/// Makes the account of one namespace, if it is missing.
pub(crate) fn sync(cx: &Cx) -> Plan {
    let namespace = cx.key.name();
    if !is_active(cx) || cx.caches.get(SERVICE_ACCOUNT, namespace, ACCOUNT).is_some() {
        return Plan::nothing();
    }
    let account = json!({"apiVersion": "v1", "kind": "ServiceAccount",
        "metadata": {"name": ACCOUNT, "namespace": namespace}});
    create(SERVICE_ACCOUNT, namespace, account)
}

/// Makes the ConfigMap of one namespace, or puts it right.
pub(crate) fn sync_root_ca(cx: &Cx) -> Plan {
    let namespace = cx.key.name();
    if !is_active(cx) {
        return Plan::nothing();
    }
    let data = json!({"ca.crt": &*cx.settings.root_ca});
    let Some(map) = cx.caches.get(CONFIG_MAP, namespace, ROOT_CA) else {
        let map = json!({"apiVersion": "v1", "kind": "ConfigMap", "data": data, "metadata":
            {"name": ROOT_CA, "namespace": namespace, "annotations": {DESCRIPTION: ABOUT}}});
        return create(CONFIG_MAP, namespace, map);
    };
    if map.at(&["data"]) == Some(&data) && map.annotation(DESCRIPTION).is_some() {
        return Plan::nothing();
    }
    let mut object = Object::clone(map);
    object.set(&["data"], data);
    if object.annotation(DESCRIPTION).is_none() {
        object.set(&["metadata", "annotations", DESCRIPTION], ABOUT.into());
    }
    Plan::one(Request::update(gvr(CONFIG_MAP), namespace, ROOT_CA, object))
}

/// Whether the key's namespace is there to stay, and the last attempt did not just fail.
fn is_active(cx: &Cx) -> bool {
    let namespace = cx.caches.get(NAMESPACE, "", cx.key.name());
    cx.failure.is_none() && namespace.is_some_and(|namespace| !namespace.is_deleting())
}

fn create(slot: usize, namespace: &str, value: Value) -> Plan {
    let object = Object::from_value(value).unwrap_or_default();
    let request = Request::create(gvr(slot), namespace, object);
    Plan::nothing().then(vec![Call { forgives_ending_namespace: true, ..Call::new(request) }])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Time;
    use crate::sim::controllers::trial;

    const T0: Time = Time::VIRTUAL_START;

    fn namespace(is_going: bool) -> Value {
        let mut namespace = json!({"apiVersion": "v1", "kind": "Namespace",
            "metadata": {"name": "w", "uid": "w"}});
        if is_going {
            namespace["metadata"]["deletionTimestamp"] = T0.rfc3339().into();
        }
        namespace
    }

    #[test]
    fn a_namespace_gets_both_once_and_none_while_it_goes() {
        let text = |sync, objects: &[Value]| trial::text(&trial::plan(sync, objects, T0, &[]));
        assert_eq!(text(sync, &[namespace(false)]), "create serviceaccounts default");
        assert_eq!(text(sync_root_ca, &[namespace(false)]), "create configmaps kube-root-ca.crt");
        assert_eq!(text(sync, &[namespace(true)]), "");
        let map = |data: Value| {
            json!({"apiVersion": "v1", "kind": "ConfigMap", "data": data, "metadata":
                {"name": ROOT_CA, "namespace": "w", "uid": "m", "annotations": {DESCRIPTION: "x"}}})
        };
        let right = json!({"ca.crt": ""});
        assert_eq!(text(sync_root_ca, &[namespace(false), map(right)]), "");
        let wrong = json!({"other": "x"});
        let put = text(sync_root_ca, &[namespace(false), map(wrong)]);
        assert_eq!(put, "update configmaps kube-root-ca.crt");
    }
}
