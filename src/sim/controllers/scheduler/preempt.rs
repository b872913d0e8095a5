//! Who has to go so that a more important pod finds room (R-CTL-29): on each node as few as
//! possible, the least important first, and of the nodes the one where it hurts least.
//!
//! It decides and sends nothing. Whether room that was made is still kept for a pod: `mod`.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::demand::Demand;
use super::filter::{self, Refusal};
use super::nodes::{Loads, PodName};
use super::others::Others;
use super::peers::Peers;
use crate::api::Informer;
use crate::object::{LabelSelector, Object};

/// What is known of the cluster. The loads are tried out on, and are as before in the end.
pub(super) struct View<'a> {
    pub(super) pods: &'a Informer,
    pub(super) nodes: &'a Informer,
    pub(super) budgets: &'a Informer,
    pub(super) social: &'a [PodName],
    pub(super) loads: &'a mut Loads,
}

/// What came of looking for victims.
pub(super) enum Found {
    /// These go, from this node.
    Victims { node: String, pods: Vec<PodName> },
    /// Why none would help, node by node.
    Nobody(Vec<String>),
}

const NO_VICTIMS: &str = "No preemption victims found for incoming pod";
const NO_HELP: &str = "Preemption is not helpful for scheduling";

/// The victims on one node, and how much it hurts: the least is taken.
struct Candidate {
    node: String,
    victims: Vec<PodName>,
    cost: Cost,
}

/// Budgets that are broken, the greatest priority, the sum of all, how many, and how long the
/// most important one has run: the order in which upstream compares nodes.
type Cost = (usize, i64, i128, usize, Reverse<String>);

/// A pod that might go.
struct Victim {
    name: PodName,
    demand: Demand,
    started: String,
    is_protected: bool,
}

/// Looks for victims on every node that refused the pod for what is there now.
pub(super) fn find(pod: &Object, demand: &Demand, refusals: &[Refused], view: View<'_>) -> Found {
    let mut view = view;
    let mut best: Option<Candidate> = None;
    let mut reasons = Vec::new();
    let mut by_node = view.loads.less_important(demand.priority);
    for Refused { node, refusal } in refusals {
        if !refusal.is_for_lack_of_room {
            reasons.push(NO_HELP.to_owned());
            continue;
        }
        let there = by_node.remove(node.as_str()).unwrap_or_default();
        match on_node(pod, demand, node, there, &mut view) {
            Ok(candidate) => {
                if best.as_ref().is_none_or(|best| candidate.cost < best.cost) {
                    best = Some(candidate);
                }
            }
            Err(why) => reasons.extend(why.iter().map(|reason| (*reason).to_owned())),
        }
    }
    match best {
        Some(Candidate { node, victims, .. }) => Found::Victims { node, pods: victims },
        None => Found::Nobody(reasons),
    }
}

/// A node, and why it is out of the question.
pub(super) struct Refused {
    pub(super) node: String,
    pub(super) refusal: Refusal,
}

/// Takes all that are less important from the node, then gives back who may stay.
fn on_node(
    pod: &Object,
    demand: &Demand,
    node: &str,
    there: Vec<PodName>,
    view: &mut View<'_>,
) -> Result<Candidate, Vec<&'static str>> {
    if there.is_empty() {
        return Err(vec![NO_VICTIMS]);
    }
    let mut all = victims(there, view);
    for victim in &all {
        view.loads.remove(&victim.name);
    }
    if let Err(refusal) = fits(pod, demand, node, view) {
        put_back(&all, node, view);
        return Err(refusal.reasons);
    }
    // Those whose budget would be broken are spared first, then the more important ones.
    all.sort_by_key(|victim| !victim.is_protected);
    let (mut gone, mut broken) = (Vec::new(), 0);
    for victim in all {
        view.loads.add(victim.name.clone(), node, victim.demand.clone());
        if fits(pod, demand, node, view).is_err() {
            view.loads.remove(&victim.name);
            broken += usize::from(victim.is_protected);
            gone.push(victim);
        }
    }
    put_back(&gone, node, view);
    gone.sort_by(by_importance);
    let first = gone.first().map(|victim| (victim.demand.priority, victim.started.clone()));
    let (first, started) = first.unwrap_or((i64::MIN, String::new()));
    // Upstream lifts each above zero, so that many small ones weigh more than few.
    let sum = gone.iter().map(|v| i128::from(v.demand.priority) + (1 << 31)).sum();
    let cost = (broken, first, sum, gone.len(), Reverse(started));
    let victims = gone.into_iter().map(|victim| victim.name).collect();
    Ok(Candidate { node: node.to_owned(), victims, cost })
}

fn put_back(victims: &[Victim], node: &str, view: &mut View<'_>) {
    for victim in victims {
        view.loads.add(victim.name.clone(), node, victim.demand.clone());
    }
}

fn fits(pod: &Object, demand: &Demand, node: &str, view: &View<'_>) -> Result<(), Refusal> {
    let Some(node) = view.nodes.get("", node) else {
        return Err(Refusal::outright(NO_HELP));
    };
    filter::check(pod, demand, node, view.loads.of(node.name()))?;
    let View { pods, nodes, social, .. } = *view;
    Peers::of(pod, Others { pods, nodes, loads: view.loads, social }).admit(node)
}

/// The more important first: by priority, then who has run longer.
fn by_importance(one: &Victim, other: &Victim) -> std::cmp::Ordering {
    let by_priority = other.demand.priority.cmp(&one.demand.priority);
    by_priority.then_with(|| (&one.started, &one.name).cmp(&(&other.started, &other.name)))
}

/// What is to be known of those who might go, the most important first.
fn victims(there: Vec<PodName>, view: &View<'_>) -> Vec<Victim> {
    let known = |name: PodName| {
        let demand = view.loads.demand_of(&name)?.clone();
        let pod = view.pods.get(&name.0, &name.1);
        let started = pod.and_then(|pod| pod.text(&["status", "startTime"]));
        // One that has not started counts as starting now, later than all others.
        let started = started.unwrap_or("~").to_owned();
        Some(Victim { name, demand, started, is_protected: false })
    };
    let mut all: Vec<Victim> = there.into_iter().filter_map(known).collect();
    all.sort_by(by_importance);
    let mut left: BTreeMap<(&str, &str), i64> = BTreeMap::new();
    for victim in &mut all {
        let Some(pod) = view.pods.get(&victim.name.0, &victim.name.1) else { continue };
        for budget in view.budgets.iter().filter(|budget| covers(budget, pod)) {
            let allowed = || budget.int(&["status", "disruptionsAllowed"]).unwrap_or(0);
            let key = (budget.namespace(), budget.name());
            let allowed = left.entry(key).or_insert_with(allowed);
            *allowed -= 1;
            victim.is_protected |= *allowed < 0;
        }
    }
    all
}

/// Whether a budget is about a pod. One that is going by the budget's leave is counted already.
fn covers(budget: &Object, pod: &Object) -> bool {
    let Some(selector) = budget.at(&["spec", "selector"]) else { return false };
    let is_empty = ["matchLabels", "matchExpressions"].iter().all(|part| selector[*part].is_null());
    budget.namespace() == pod.namespace()
        && !is_empty
        && LabelSelector::from_value(selector).matches(pod.labels())
        && budget.at(&["status", "disruptedPods", pod.name()]).is_none()
}
