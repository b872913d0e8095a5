//! What a cloud does for Services of type LoadBalancer and for Ingresses: after a while they have
//! an address (R-CTL-21). The addresses are from the range that is set aside for documentation.

use super::kinds::{INGRESS, SERVICE, Slot, gvr};
use super::plan::{Again, Call, Cx, Plan};
use super::{pod, template};
use crate::api::Request;
use crate::base::Time;
use crate::object::{Object, Value, json};

/// Whether a Service is to have an address from outside.
pub(crate) fn is_balanced(service: &Object) -> bool {
    service.text(&["spec", "type"]) == Some("LoadBalancer")
        && service.at(&["spec", "loadBalancerClass"]).is_none_or(Value::is_null)
}

/// Decides the address of one Service.
pub(crate) fn sync_service(cx: &Cx) -> Plan {
    let service = cx.caches.get(SERVICE, cx.key.namespace(), cx.key.name());
    match service.filter(|service| cx.failure.is_none() && !service.is_deleting()) {
        Some(service) if is_balanced(service) => {
            let address = json!({"ip": address(service), "ipMode": "VIP"});
            give(cx, SERVICE, service, address)
        }
        // It was a load balancer before.
        Some(service) if has_address(service) => put(SERVICE, service, &json!({})),
        _ => Plan::nothing(),
    }
}

/// Decides the address of one Ingress.
pub(crate) fn sync_ingress(cx: &Cx) -> Plan {
    let ingress = cx.caches.get(INGRESS, cx.key.namespace(), cx.key.name());
    match ingress.filter(|ingress| cx.failure.is_none() && !ingress.is_deleting()) {
        Some(ingress) => give(cx, INGRESS, ingress, json!({"ip": address(ingress)})),
        None => Plan::nothing(),
    }
}

fn has_address(object: &Object) -> bool {
    !object.list(&["status", "loadBalancer", "ingress"]).is_empty()
}

fn give(cx: &Cx, slot: Slot, object: &Object, address: Value) -> Plan {
    let Some(delay) = cx.settings.exposed_after else { return Plan::nothing() };
    if has_address(object) {
        return Plan::nothing();
    }
    let at = made_at(object) + delay;
    if at > cx.now {
        return Plan::nothing().again(Again::At(at));
    }
    put(slot, object, &json!({"ingress": [address]}))
}

fn put(slot: Slot, object: &Object, balancer: &Value) -> Plan {
    let mut status = object.at(&["status"]).cloned().unwrap_or_else(|| json!({}));
    status["loadBalancer"] = balancer.clone();
    let written = pod::with_status(object, status);
    let request = Request::update(gvr(slot), object.namespace(), object.name(), written);
    Plan::nothing().then(vec![Call::new(request.subresource("status"))])
}

fn made_at(object: &Object) -> Time {
    let text = object.text(&["metadata", "creationTimestamp"]);
    text.and_then(Time::parse_rfc3339).unwrap_or_default()
}

/// The same for the same object in every run.
fn address(object: &Object) -> String {
    let name = json!([object.kind(), object.namespace(), object.name()]);
    let sum =
        template::hash(&name, None).bytes().fold(7_u32, |sum, b| sum * 31 % 65_521 + u32::from(b));
    format!("203.0.113.{}", sum % 254 + 1)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::sim::controllers::trial;

    #[test]
    fn a_load_balancer_waits_gets_an_address_and_loses_it_with_its_type() {
        let made = Time::VIRTUAL_START;
        let service = |kind: &str, status: Value| {
            json!({"apiVersion": "v1", "kind": "Service", "spec": {"type": kind}, "status": status,
                "metadata": {"name": "w", "namespace": "n", "uid": "s",
                    "creationTimestamp": made.rfc3339()}})
        };
        let plan = |kind: &str, status: Value, seconds| {
            let now = made + Duration::from_secs(seconds);
            trial::plan(sync_service, &[service(kind, status)], now, &[])
        };
        let nothing = json!({"loadBalancer": {}});
        let waiting = plan("LoadBalancer", nothing.clone(), 0);
        assert_eq!(waiting.again, Again::At(made + Duration::from_secs(2)));
        let given = trial::status(&plan("LoadBalancer", nothing.clone(), 2));
        let ip = given["loadBalancer"]["ingress"][0]["ip"].as_str().unwrap();
        assert!(ip.starts_with("203.0.113."), "{ip}");
        assert!(plan("LoadBalancer", given.clone(), 9).is_nothing());
        assert!(plan("ClusterIP", nothing.clone(), 9).is_nothing());
        assert_eq!(trial::status(&plan("ClusterIP", given, 9)), nothing);
    }
}
