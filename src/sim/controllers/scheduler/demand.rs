//! What pods ask for and nodes have: CPU, memory, pods, host ports.

use std::collections::BTreeSet;

use crate::object::quantity::Quantity;
use crate::object::{Object, Value, json};

/// An amount of what a node has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Amount {
    /// Thousandths of a CPU.
    pub(super) cpu_millis: i64,
    pub(super) memory_bytes: i64,
    pub(super) pods: i64,
}

/// What a container that asks for nothing is taken to need when nodes are compared (upstream's
/// figures: 100m and 200 MiB).
const UNSAID: Amount = Amount { cpu_millis: 100, memory_bytes: 200 << 20, pods: 0 };

impl Amount {
    /// What a node gives to pods.
    pub(super) fn of_node(node: &Object) -> Self {
        let number = |name: &str, read: fn(&Quantity) -> i64| {
            quantity(node.at(&["status", "allocatable", name])).map_or(0, |q| read(&q))
        };
        Self {
            cpu_millis: number("cpu", Quantity::millis),
            memory_bytes: number("memory", Quantity::whole),
            pods: number("pods", Quantity::whole),
        }
    }

    fn of_container(container: &Value) -> Self {
        let requests = container.get("resources").and_then(|r| r.get("requests"));
        let amount = |name: &str| quantity(requests.and_then(|r| r.get(name)));
        Self {
            cpu_millis: amount("cpu").map_or(0, |q| q.millis()),
            memory_bytes: amount("memory").map_or(0, |q| q.whole()),
            pods: 0,
        }
    }

    /// The sum, taking no more than can be counted.
    pub(super) fn plus(self, other: Self) -> Self {
        Self {
            cpu_millis: self.cpu_millis.saturating_add(other.cpu_millis),
            memory_bytes: self.memory_bytes.saturating_add(other.memory_bytes),
            pods: self.pods.saturating_add(other.pods),
        }
    }

    /// The difference.
    pub(super) fn minus(self, other: Self) -> Self {
        Self {
            cpu_millis: self.cpu_millis - other.cpu_millis,
            memory_bytes: self.memory_bytes - other.memory_bytes,
            pods: self.pods - other.pods,
        }
    }

    fn most(self, other: Self) -> Self {
        Self {
            cpu_millis: self.cpu_millis.max(other.cpu_millis),
            memory_bytes: self.memory_bytes.max(other.memory_bytes),
            pods: self.pods.max(other.pods),
        }
    }

    /// With [`UNSAID`] in the place of nothing.
    fn or_unsaid(self) -> Self {
        let or = |said: i64, unsaid: i64| if said == 0 { unsaid } else { said };
        Self {
            cpu_millis: or(self.cpu_millis, UNSAID.cpu_millis),
            memory_bytes: or(self.memory_bytes, UNSAID.memory_bytes),
            pods: self.pods,
        }
    }
}

fn quantity(value: Option<&Value>) -> Option<Quantity> {
    match value? {
        Value::String(text) => Quantity::parse(text).ok(),
        Value::Number(number) => Quantity::parse(&number.to_string()).ok(),
        _ => None,
    }
}

/// What a pod asks of a node.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Demand {
    /// What has to be free.
    pub(super) asked: Amount,
    /// The same with a guess for what is not said: by this, nodes are compared.
    pub(super) weight: Amount,
    /// Host ports, with the protocol.
    pub(super) ports: BTreeSet<(String, i64)>,
    /// How important the pod is.
    pub(super) priority: i64,
}

impl Demand {
    /// Of a pod: its containers together, or the largest of its init containers with the
    /// sidecars before it, whichever is more.
    pub(super) fn of(pod: &Object) -> Self {
        let containers = pod.list(&["spec", "containers"]);
        let inits = pod.list(&["spec", "initContainers"]);
        let total = |read: fn(&Value) -> Amount| {
            let mut sidecars = Amount::default();
            let mut peak = Amount::default();
            for init in inits {
                let amount = read(init);
                if init.get("restartPolicy").and_then(Value::as_str) == Some("Always") {
                    sidecars = sidecars.plus(amount);
                    peak = peak.most(sidecars);
                } else {
                    peak = peak.most(sidecars.plus(amount));
                }
            }
            let running = containers.iter().map(read).fold(sidecars, Amount::plus);
            let mut total = running.most(peak);
            let overhead = pod.at(&["spec", "overhead"]).cloned().unwrap_or_default();
            let overhead = json!({"resources": {"requests": overhead}});
            total = total.plus(Amount::of_container(&overhead));
            Amount { pods: 1, ..total }
        };
        let ports = containers.iter().filter_map(|c| c.get("ports")?.as_array()).flatten();
        let ports = ports.filter_map(|port| {
            let number = port.get("hostPort")?.as_i64().filter(|number| *number != 0)?;
            let protocol = port.get("protocol").and_then(Value::as_str).unwrap_or("TCP");
            Some((protocol.to_owned(), number))
        });
        Self {
            asked: total(Amount::of_container),
            weight: total(|container| Amount::of_container(container).or_unsaid()),
            ports: ports.collect(),
            priority: pod.int(&["spec", "priority"]).unwrap_or(0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::object::json;

    #[test]
    fn init_containers_count_by_their_peak_and_sidecars_all_along() {
        let cpu = |millis: &str| json!({"resources": {"requests": {"cpu": millis}}});
        let mut sidecar = cpu("50m");
        sidecar["restartPolicy"] = "Always".into();
        let check = |inits: Value, expected| {
            let pod = json!({"spec": {"containers": [cpu("100m"), cpu("1")],
                "initContainers": inits}});
            let demand = Demand::of(&Object::from_value(pod).unwrap());
            assert_eq!(demand.asked.cpu_millis, expected);
        };
        check(json!([]), 1100);
        check(json!([cpu("2")]), 2000);
        check(json!([sidecar, cpu("500m")]), 1150);
    }
}
