//! What a pod is given when it is created: its phase and its quality of service.

use crate::base::Time;
use crate::object::{Object, Value, json, quantity::Quantity};

pub(super) fn prepare_for_create(now: Time, pod: &mut Object) {
    let grace = ["spec", "terminationGracePeriodSeconds"];
    if pod.int(&grace).is_some_and(|seconds| seconds < 0) {
        pod.set(&grace, 1.into());
    }
    let class = quality(pod);
    pod.set(&["status", "phase"], "Pending".into());
    pod.set(&["status", "qosClass"], class.into());
    if !pod.list(&["spec", "schedulingGates"]).is_empty() {
        let gated = json!({ "type": "PodScheduled", "status": "False", "lastProbeTime": null,
            "lastTransitionTime": now.rfc3339(), "reason": "SchedulingGated",
            "message": "Scheduling is blocked due to non-empty scheduling gates" });
        pod.set(&["status", "conditions"], json!([gated]));
    }
}

/// Guaranteed if every container has limits of CPU and memory and requests equal to them,
/// BestEffort if none has either, Burstable in between.
fn quality(pod: &Object) -> &'static str {
    let (mut any, mut all) = (false, true);
    let containers = pod.list(&["spec", "containers"]).iter();
    for container in containers.chain(pod.list(&["spec", "initContainers"])) {
        let resources = &container["resources"];
        for name in ["cpu", "memory"] {
            let limit = amount(&resources["limits"][name]);
            let request = amount(&resources["requests"][name]);
            any |= limit.is_some() || request.is_some();
            all &= limit.is_some() && (request.is_none() || request == limit);
        }
    }
    match (any, all) {
        (false, _) => "BestEffort",
        (true, true) => "Guaranteed",
        (true, false) => "Burstable",
    }
}

/// An amount that is given and not zero.
fn amount(value: &Value) -> Option<Quantity> {
    let amount = Quantity::parse(value.as_str()?).ok()?;
    (amount != Quantity::parse("0").ok()?).then_some(amount)
}
