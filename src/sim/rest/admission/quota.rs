//! ResourceQuota: what a namespace may use in all.
//!
//! Where a controller counts, its figures in the quota's status are believed, and each write adds
//! to them, as upstream. Where there is none, the server counts the objects of the namespace
//! itself and keeps the status.

use std::collections::BTreeMap;

use super::{objects_in, write_own_status};
use crate::api::Status;
use crate::base::Time;
use crate::object::quantity::Quantity;
use crate::object::quota::{self as usage, Amounts, Counted, of_container};
use crate::object::{Gvr, Object, schema};
use crate::sim::rest::Server;
use crate::sim::rest::call::Call;
use crate::sim::rest::kinds::Kind;
use crate::sim::store::Key;

/// Quotas with what is used of them after a write.
pub(in crate::sim::rest) type Charges = Vec<(Key, Amounts)>;

/// Refuses what is over a quota, and gives back what the others have to be charged.
pub(super) fn check(
    server: &Server,
    call: &Call,
    live: Option<&Object>,
    object: &Object,
) -> Result<Charges, Status> {
    let is_handled = match call.subresource {
        "" => live.is_none() || matches!(call.kind.kind, "Service" | "PersistentVolumeClaim"),
        "resize" => true,
        _ => false,
    };
    if !call.kind.namespaced() || !is_handled {
        return Ok(Vec::new());
    }
    let quotas = objects_in(server, "", "resourcequotas", call.namespace);
    let mut charges = Vec::new();
    for quota in quotas {
        let hard = hard_of(server, &quota);
        let named: Vec<&str> = hard
            .0
            .keys()
            .map(String::as_str)
            .filter(|name| usage::counts(counted_as(&call.kind), name))
            .collect();
        if named.is_empty() || !usage::in_scope(&quota, counted_as(&call.kind), object) {
            continue;
        }
        if call.kind.kind == "Pod" {
            all_is_said(call, &quota, &named, object)?;
        }
        let used = match server.admission.quota_is_counted {
            true => Amounts::read(quota.at(&["status", "used"])),
            false => counted(server, call.namespace, &quota, &hard),
        };
        if named.iter().any(|name| used.get(name).is_none()) {
            let text = format!(
                "status unknown for quota: {}, resources: {}",
                quota.name(),
                named.join(",")
            );
            return Err(call.forbidden(object.name(), &text));
        }
        let mut asked = usage::of(counted_as(&call.kind), object);
        if let Some(live) =
            live.filter(|live| usage::in_scope(&quota, counted_as(&call.kind), live))
        {
            asked = asked.beyond(&usage::of(counted_as(&call.kind), live));
        }
        let asked = asked.only(|name| hard.get(name).is_some());
        if asked.0.values().all(|amount| amount.is_zero()) {
            continue;
        }
        charges.push((
            Key::new(quota.namespace(), quota.name()),
            fits(call, &quota, object, &hard, used, asked)?,
        ));
    }
    Ok(charges)
}

fn counted_as(kind: &Kind) -> Counted<'_> {
    Counted { group: kind.group_name(), plural: kind.plural(), kind: kind.kind }
}

fn hard_of(server: &Server, quota: &Object) -> Amounts {
    let whose = if server.admission.quota_is_counted { "status" } else { "spec" };
    Amounts::read(quota.at(&[whose, "hard"]))
}

/// What is used after `asked` is, if the quota has room for it.
fn fits(
    call: &Call,
    quota: &Object,
    object: &Object,
    hard: &Amounts,
    mut used: Amounts,
    asked: Amounts,
) -> Result<Amounts, Status> {
    let asked_for = |name: &str| asked.get(name).is_some_and(|amount| !amount.is_zero());
    let before = used.clone();
    used.add(&asked);
    let is_over = |name: &str| {
        asked_for(name)
            && used.get(name).zip(hard.get(name)).is_some_and(|(used, hard)| used > hard)
    };
    let over = asked.clone().only(is_over);
    if over.0.is_empty() {
        return Ok(used);
    }
    let text = format!(
        "exceeded quota: {}, requested: {}, used: {}, limited: {}",
        quota.name(),
        over.shown(),
        before.only(is_over).shown(),
        hard.clone().only(is_over).shown()
    );
    Err(call.forbidden(object.name(), &text))
}

/// A container must say what a quota counts of it.
fn all_is_said(call: &Call, quota: &Object, named: &[&str], pod: &Object) -> Result<(), Status> {
    let mut missing: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for field in ["containers", "initContainers"] {
        for container in pod.list(&["spec", field]) {
            let said = usage::compute(
                &of_container(container, "requests"),
                &of_container(container, "limits"),
            );
            let unsaid = named.iter().filter(|name| {
                let is_compute = !name.starts_with("count/") && !name.contains('/');
                is_compute && said.get(name).is_none()
            });
            for name in unsaid {
                let container = container["name"].as_str().unwrap_or_default().to_owned();
                missing.entry(name).or_default().push(container);
            }
        }
    }
    if missing.is_empty() {
        return Ok(());
    }
    let parts: Vec<String> = missing
        .iter_mut()
        .map(|(name, containers)| {
            containers.sort();
            format!("{name} for: {}", containers.join(","))
        })
        .collect();
    let text = format!("failed quota: {}: must specify {}", quota.name(), parts.join("; "));
    Err(call.forbidden(pod.name(), &text))
}

/// What the objects of a namespace use of a quota.
fn counted(server: &Server, namespace: &str, quota: &Object, hard: &Amounts) -> Amounts {
    let mut sum = Amounts(hard.0.keys().map(|name| (name.clone(), zero_of(hard, name))).collect());
    for info in schema::builtin().kinds().filter(|info| info.namespaced) {
        let Some(kind) = server.kinds.of(&info.gvr) else { continue };
        if !hard.0.keys().any(|name| usage::counts(counted_as(&kind), name)) {
            continue;
        }
        for object in objects_in(server, kind.group_name(), kind.plural(), namespace) {
            if usage::in_scope(quota, counted_as(&kind), &object) {
                sum.add(
                    &usage::of(counted_as(&kind), &object).only(|name| hard.get(name).is_some()),
                );
            }
        }
    }
    sum
}

fn zero_of(hard: &Amounts, name: &str) -> Quantity {
    let zero = Quantity::count(0);
    hard.get(name).map_or(zero, |hard| hard.minus(hard))
}

/// Writes down what is used after a write.
pub(super) fn charge(server: &mut Server, call: &Call, charges: Charges) {
    for (key, used) in charges {
        keep(server, call.now, &key, None, &used);
    }
    let is_quota = call.kind.kind == "ResourceQuota" && call.subresource.is_empty();
    if is_quota && !server.admission.quota_is_counted {
        recount(server, call.now, call.namespace);
    }
}

/// Counts a namespace's quotas anew, where nobody else does.
pub(in crate::sim::rest) fn recount(server: &mut Server, now: Time, namespace: &str) {
    if server.admission.quota_is_counted {
        return;
    }
    for quota in objects_in(server, "", "resourcequotas", namespace) {
        let hard = Amounts::read(quota.at(&["spec", "hard"]));
        let used = counted(server, namespace, &quota, &hard);
        keep(server, now, &Key::new(namespace, quota.name()), Some(&hard), &used);
    }
}

/// Writes the status of a quota.
fn keep(server: &mut Server, now: Time, key: &Key, hard: Option<&Amounts>, used: &Amounts) {
    let gvr = Gvr::new("", "v1", "resourcequotas");
    write_own_status(server, now, &gvr, key, |quota| {
        for (field, amounts) in [("hard", hard), ("used", Some(used))] {
            let Some(amounts) = amounts.map(Amounts::to_value) else { continue };
            // Where nothing is limited nothing is printed.
            if amounts.as_object().is_some_and(crate::object::Map::is_empty) {
                quota.remove(&["status", field]);
            } else {
                quota.set(&["status", field], amounts);
            }
        }
    });
}
