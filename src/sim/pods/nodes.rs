//! The nodes as objects, and what all of them share: latencies, scripts, images, addresses.
//!
//! A node says that it is ready and holds a Lease; how these are kept up is `beats`.

use std::collections::BTreeSet;

use super::behaviour::Images;
use super::references::Sources;
use super::usual::Usual;
use crate::base::Time;
use crate::object::{Object, Value, event, json};

/// What every node and pod stands on.
#[derive(Debug)]
pub(super) struct Fleet {
    /// How long things take that nobody scripted.
    pub(super) usual: Usual,
    /// What pods refer to.
    pub(super) sources: Sources,
    pub(super) images: Images,
    /// Images present, as (node, image): one that was pulled stays.
    pub(super) present: BTreeSet<(String, String)>,
    pub(super) addresses: Addresses,
    pub(super) nodes: usize,
}

impl Fleet {
    /// The number of the node called `name`, from 0.
    pub(super) fn node(&self, name: &str) -> Option<usize> {
        let number: usize = name.strip_prefix("node-")?.parse().ok()?;
        let index = number.checked_sub(1).filter(|index| *index < self.nodes)?;
        (node_name(index) == name).then_some(index)
    }
}

/// `node-1` for 0.
pub(super) fn node_name(index: usize) -> String {
    format!("node-{}", index + 1)
}

/// The address of a node.
pub(super) fn node_ip(index: usize) -> String {
    format!("172.18.{}.{}", (index + 2) / 256, (index + 2) % 256)
}

/// Addresses of pods: 10.244.0.0/16, none given twice at a time while there are free ones.
#[derive(Debug, Default)]
pub(super) struct Addresses {
    used: BTreeSet<u16>,
    last: u16,
}

impl Addresses {
    /// A free address.
    pub(super) fn take(&mut self) -> String {
        let after = |n: u16| n.checked_add(1).unwrap_or(1);
        let mut next = after(self.last);
        while self.used.contains(&next) && next != self.last {
            next = after(next);
        }
        self.used.insert(next);
        self.last = next;
        format!("10.244.{}.{}", next / 256, next % 256)
    }

    /// Gives an address back; others than its own are ignored.
    pub(super) fn release(&mut self, address: &str) {
        let Some((high, low)) =
            address.strip_prefix("10.244.").and_then(|rest| rest.split_once('.'))
        else {
            return;
        };
        if let (Ok(high), Ok(low)) = (high.parse::<u8>(), low.parse::<u8>()) {
            self.used.remove(&u16::from_be_bytes([high, low]));
        }
    }
}

/// The Node as its kubelet registers it (R-CTL-30).
pub(super) fn node(index: usize, now: Time) -> Object {
    let name = node_name(index);
    object(json!({
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "labels": {
            "beta.kubernetes.io/arch": "amd64",
            "beta.kubernetes.io/os": "linux",
            "kubernetes.io/arch": "amd64",
            "kubernetes.io/hostname": name,
            "kubernetes.io/os": "linux",
        }},
        "spec": {},
        "status": node_status(index, now),
    }))
}

/// The status of a node that is well.
pub(super) fn node_status(index: usize, now: Time) -> Value {
    let room = json!({"cpu": "8", "memory": "32Gi", "pods": "110", "ephemeral-storage": "100Gi"});
    json!({
        "addresses": [
            {"type": "InternalIP", "address": node_ip(index)},
            {"type": "Hostname", "address": node_name(index)},
        ],
        "allocatable": room,
        "capacity": room,
        "conditions": conditions(now),
        "daemonEndpoints": {"kubeletEndpoint": {"Port": 10250}},
        "nodeInfo": {
            "architecture": "amd64",
            "bootID": "",
            "containerRuntimeVersion": "containerd://2.2.0",
            "kernelVersion": "6.12.0",
            "kubeProxyVersion": "",
            "kubeletVersion": "v1.36.3",
            "machineID": "",
            "operatingSystem": "linux",
            "osImage": "towtank",
            "systemUUID": "",
        },
    })
}

/// What a node that is well says of itself.
pub(super) fn conditions(now: Time) -> Value {
    let said = [
        (
            "MemoryPressure",
            "False",
            "KubeletHasSufficientMemory",
            "kubelet has sufficient memory available",
        ),
        ("DiskPressure", "False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
        ("PIDPressure", "False", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
        ("Ready", "True", "KubeletReady", "kubelet is posting ready status"),
    ];
    let condition = |(kind, status, reason, message): (&str, &str, &str, &str)| {
        json!({
            "type": kind,
            "status": status,
            "reason": reason,
            "message": message,
            "lastHeartbeatTime": now.rfc3339(),
            "lastTransitionTime": now.rfc3339(),
        })
    };
    said.into_iter().map(condition).collect()
}

/// What a kubelet tells of its node when it starts (R-CTL-30, R-CTL-39), in its words and order.
/// As a real one it takes the name of its node for its uid. `number` keeps the names of Events
/// apart that are told at the same instant.
pub(super) fn start_events(index: usize, now: Time, number: u64) -> Vec<Object> {
    let name = node_name(index);
    let now_is = |state: &str| format!("Node {name} status is now: {state}");
    let enforced = "Updated Node Allocatable limit across pods".to_owned();
    let told = [
        ("Starting", "Starting kubelet.".to_owned()),
        ("NodeHasSufficientMemory", now_is("NodeHasSufficientMemory")),
        ("NodeHasNoDiskPressure", now_is("NodeHasNoDiskPressure")),
        ("NodeHasSufficientPID", now_is("NodeHasSufficientPID")),
        ("NodeAllocatableEnforced", enforced),
        ("NodeReady", now_is("NodeReady")),
    ];
    let nanos = now.as_micros().saturating_mul(1_000).saturating_add(number % 100 * 8);
    let mut names = (nanos..).map(|nanos| format!("{name}.{nanos:x}"));
    told.iter()
        .map(|(reason, message)| {
            let told = event::Told {
                name: &names.next().unwrap_or_default(),
                about: json!({"apiVersion": "v1", "kind": "Node", "name": name, "uid": name}),
                warning: false,
                reason,
                message,
                component: "kubelet",
                host: &name,
                at: now,
            };
            told.into_object()
        })
        .collect()
}

/// The Lease that goes with a node (R-CTL-30).
pub(super) fn lease(node: &Object, now: Time) -> Object {
    let name = node.name();
    object(json!({
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": {"name": name, "namespace": "kube-node-lease", "ownerReferences": [
            {"apiVersion": "v1", "kind": "Node", "name": name, "uid": node.uid()}]},
        "spec": {
            "holderIdentity": name,
            "leaseDurationSeconds": 40,
            "renewTime": now.rfc3339_micro(),
        },
    }))
}

fn object(value: Value) -> Object {
    Object::from_value(value).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_not_given_twice_at_a_time() {
        let mut addresses = Addresses::default();
        let first = addresses.take();
        assert_eq!(first, "10.244.0.1");
        let all: BTreeSet<String> = (1..65_535).map(|_| addresses.take()).collect();
        assert_eq!(all.len(), 65_534);
        addresses.release(&first);
        assert_eq!(addresses.take(), first);
        addresses.take();
    }

    #[test]
    fn only_names_of_its_own_nodes_are_known() {
        let fleet = Fleet {
            usual: Usual::of("instant"),
            sources: Sources::default(),
            images: Images::new(),
            present: BTreeSet::new(),
            addresses: Addresses::default(),
            nodes: 2,
        };
        let got = ["node-1", "node-2", "node-3", "node-0", "node-01", ""].map(|n| fleet.node(n));
        assert_eq!(got, [Some(0), Some(1), None, None, None, None]);
    }
}
