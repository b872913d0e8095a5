//! The HorizontalPodAutoscaler controller: every so often the scale of a workload is read, the
//! replicas that its metrics ask for are worked out, held back by windows and policies, and
//! written through `/scale` (R-CTL-23).
//!
//! Reading order: this file (one look, in upstream's order), `demand` (replicas from metrics),
//! `calm` (windows, policies and bounds), `history` (what is remembered between looks). What is
//! measured comes from the script of the world (`metrics`).

mod calm;
mod demand;
mod history;

use std::sync::Arc;
use std::time::Duration;

use super::condition::Condition;
use super::kinds::{AUTOSCALER, gvr};
use super::plan::{Again, Asked, Call, Cx, Note, Plan};
use super::pod;
use crate::api::{Request, Verb};
use crate::object::{Gvr, Object, Value, json, value};
use calm::Calm;
use demand::{Demand, Refused};
use history::History;

/// How the autoscalers of a cluster work; the defaults are upstream's.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Autoscaling {
    /// How often each is looked at.
    pub period: Duration,
    /// For how long the greatest recommendation counts before a workload is made smaller.
    pub downscale_window: Duration,
    /// By how much usage may be off the target, as a part of it.
    pub tolerance: f64,
    /// How long a pod's CPU may be that of its start.
    pub cpu_initialization: Duration,
    /// How long after its start a pod that is not ready may never have been.
    pub initial_readiness: Duration,
    /// The span that one measurement is of.
    pub window: Duration,
}

impl Default for Autoscaling {
    fn default() -> Self {
        Self {
            period: Duration::from_secs(15),
            downscale_window: Duration::from_secs(300),
            tolerance: 0.1,
            cpu_initialization: Duration::from_secs(300),
            initial_readiness: Duration::from_secs(30),
            window: Duration::from_secs(15),
        }
    }
}

/// Looks at one autoscaler.
pub(crate) fn sync(cx: &Cx) -> Plan {
    let (namespace, name) = (cx.key.namespace(), cx.key.name());
    let Some(scaler) = cx.caches.get(AUTOSCALER, namespace, name) else {
        return Plan::nothing().remember(Value::Null);
    };
    let again = Again::At(cx.now + cx.settings.autoscaling.period);
    let Some(target) = target(cx, scaler) else {
        let kind = scaler.text(&["spec", "scaleTargetRef", "kind"]).unwrap_or_default();
        let group = group_of(scaler);
        let why = format!("no matches for kind \"{kind}\" in group \"{group}\"");
        return Scene::of(cx, scaler).no_scale(&why).again(again);
    };
    if let Some(failure) = cx.failure {
        return Scene::of(cx, scaler).after_failure(failure, &target).again(again);
    }
    match cx.asked.iter().find(|asked| asked.request.verb == Verb::Get) {
        None => {
            let get = Request::get(target, scaler.namespace(), target_name(scaler));
            Plan::one(get.subresource("scale")).again(Again::WithAnswers)
        }
        Some(asked) => match (asked.failure(), asked.response.as_object()) {
            (None, Some(scale)) => Scene::of(cx, scaler).look(scale, &target).again(again),
            (failure, _) => {
                let why = failure.map_or("no scale", |status| &status.message);
                Scene::of(cx, scaler).no_scale(why).again(again)
            }
        },
    }
}

fn group_of(scaler: &Object) -> &str {
    let version = scaler.text(&["spec", "scaleTargetRef", "apiVersion"]).unwrap_or_default();
    version.split_once('/').map_or("", |(group, _)| group)
}

fn target_name(scaler: &Object) -> &str {
    scaler.text(&["spec", "scaleTargetRef", "name"]).unwrap_or_default()
}

/// The resource whose scale is read and written.
fn target(cx: &Cx, scaler: &Object) -> Option<Gvr> {
    let kind = scaler.text(&["spec", "scaleTargetRef", "kind"])?;
    let slot = cx.caches.slot_of_kind(group_of(scaler), kind)?;
    Some(cx.caches.served()[slot].resource.clone())
}

/// One look at one autoscaler.
struct Scene<'a> {
    cx: &'a Cx<'a>,
    scaler: &'a Arc<Object>,
    conditions: Vec<Condition<'static>>,
    notes: Vec<Note>,
    history: History,
}

/// What a look has come to: the replicas wanted, what was measured, and why it is to be written,
/// if it is.
struct Outcome {
    desired: i64,
    metrics: Option<Vec<Value>>,
    reason: Option<String>,
}

impl<'a> Scene<'a> {
    fn of(cx: &'a Cx<'a>, scaler: &'a Arc<Object>) -> Self {
        let conditions = scaler.at(&["status", "conditions"]);
        let conditions = conditions.and_then(|c| value::from_value(c.clone()).ok());
        let history = History::read(cx.memory);
        let conditions = conditions.unwrap_or_default();
        Self { cx, scaler, conditions, notes: Vec::new(), history }
    }

    fn number(&self, field: &str) -> Option<i64> {
        self.scaler.int(&["spec", field])
    }

    /// Sets a condition where it stands in the list; its time moves with the status.
    fn set(&mut self, kind: &'static str, status: &'static str, reason: &str, message: String) {
        let mut next = Condition::new(kind, status, "", message, self.cx.now);
        next.reason = Some(reason.to_owned().into());
        match self.conditions.iter_mut().find(|c| c.kind == kind) {
            Some(current) => {
                if current.status == next.status {
                    next.last_transition_time.clone_from(&current.last_transition_time);
                }
                *current = next;
            }
            None => self.conditions.push(next),
        }
    }

    fn tell(&mut self, reason: &'static str, message: String) {
        let about = Arc::clone(self.scaler);
        self.notes.push(Note { about, warning: true, reason, message });
    }

    /// The scale of the target cannot be read.
    fn no_scale(mut self, why: &str) -> Plan {
        self.tell("FailedGetScale", why.to_owned());
        let text =
            format!("the HPA controller was unable to get the target's current scale: {why}");
        self.set("AbleToScale", "False", "FailedGetScale", text);
        let status = self.status_before();
        self.finish(status, None)
    }

    /// The read or the write of the scale was refused.
    fn after_failure(mut self, failure: &Asked, target: &Gvr) -> Plan {
        let why = failure.failure().map_or(String::new(), |status| status.message.clone());
        if failure.request.verb == Verb::Get {
            return self.no_scale(&why);
        }
        if failure.request.resource != *target {
            return Plan::nothing();
        }
        let size = failure.request.body.as_ref().and_then(|b| b["spec"]["replicas"].as_i64());
        let size = size.unwrap_or(0);
        self.tell("FailedRescale", format!("New size: {size}; error: {why}"));
        let text = format!("the HPA controller was unable to update the target scale: {why}");
        self.set("AbleToScale", "False", "FailedUpdateScale", text);
        let status = self.status_before();
        self.finish(status, None)
    }

    fn look(mut self, scale: &Object, target: &Gvr) -> Plan {
        let text = "the HPA controller was able to get the target's current scale".to_owned();
        self.set("AbleToScale", "True", "SucceededGetScale", text);
        let current = scale.int(&["spec", "replicas"]).unwrap_or(0);
        self.history.begin(self.cx.now, current);
        let outcome = match self.decide(scale, current) {
            Ok(outcome) => outcome,
            Err(metrics) => {
                let desired = self.scaler.int(&["status", "desiredReplicas"]).unwrap_or(0);
                let status = self.status(current, desired, Some(metrics), false);
                return self.finish(status, None);
            }
        };
        let Outcome { desired, metrics, reason } = outcome;
        let Some(reason) = reason else {
            let status = self.status(current, current, metrics, false);
            return self.finish(status, None);
        };
        let text = format!("the HPA controller was able to update the target scale to {desired}");
        self.set("AbleToScale", "True", "SucceededRescale", text);
        let mut wanted = scale.clone();
        wanted.set(&["spec", "replicas"], desired.into());
        let name = target_name(self.scaler).to_owned();
        let put = Request::update(target.clone(), self.scaler.namespace(), &name, wanted);
        let message = format!("New size: {desired}; reason: {reason}");
        let about = Arc::clone(self.scaler);
        let done = Note { about, warning: false, reason: "SuccessfulRescale", message };
        let call = Call { done: Some(done), ..Call::new(put.subresource("scale")) };
        self.history.scaled(self.cx.now, self.scaler, current, desired);
        let status = self.status(current, desired, metrics, true);
        self.finish(status, Some(call))
    }

    /// How many replicas there are to be; what was measured where that cannot be told.
    fn decide(&mut self, scale: &Object, current: i64) -> Result<Outcome, Vec<Value>> {
        let least = self.number("minReplicas").unwrap_or(1);
        let most = self.number("maxReplicas").unwrap_or(1);
        let told = |desired, reason: Option<&str>| Outcome {
            desired,
            metrics: None,
            reason: reason.map(ToOwned::to_owned),
        };
        if current == 0 && least != 0 {
            let text = "scaling is disabled since the replica count of the target is zero";
            self.set("ScalingActive", "False", "ScalingDisabled", text.to_owned());
            return Ok(told(0, None));
        }
        if current > most {
            return Ok(told(most, Some("Current number of replicas above Spec.MaxReplicas")));
        }
        if current < least {
            return Ok(told(least, Some("Current number of replicas below Spec.MinReplicas")));
        }
        let demand = Demand::of(self.cx, self.scaler, scale);
        let wanted = self.heard(&demand, current);
        let Some((wanted, by)) = wanted else { return Err(demand.statuses) };
        let reason = match wanted.cmp(&current) {
            std::cmp::Ordering::Greater => format!("{by} above target"),
            std::cmp::Ordering::Less => "All metrics below target".to_owned(),
            std::cmp::Ordering::Equal => String::new(),
        };
        let calm = Calm { now: self.cx.now, scaler: self.scaler, current, least, most };
        let settings = self.cx.settings.autoscaling;
        let held = calm.hold(&settings, &mut self.history, wanted);
        for (kind, status, reason, message) in held.conditions {
            self.set(kind, status, reason, message.to_owned());
        }
        let desired = held.replicas;
        let reason = (desired != current).then_some(reason);
        Ok(Outcome { desired, metrics: Some(demand.statuses), reason })
    }

    /// Tells of metrics that cannot be had; the greatest demand, unless it is not to be trusted.
    fn heard(&mut self, demand: &Demand, current: i64) -> Option<(i64, String)> {
        for refused in &demand.refused {
            self.tell(refused.reason, refused.event());
        }
        let greatest = demand.greatest();
        let all = demand.statuses.len();
        if let Some(first) = demand.refused.first() {
            let would_shrink = greatest.is_none_or(|(replicas, _)| *replicas < current);
            if would_shrink {
                let text =
                    format!("the HPA was unable to compute the replica count: {}", first.event());
                self.set("ScalingActive", "False", first.reason, text);
                let count = demand.refused.len();
                let text = format!(
                    "invalid metrics ({count} invalid out of {all}), first error is: {}",
                    first.message()
                );
                self.tell("FailedComputeMetricsReplicas", text);
                return None;
            }
        }
        let (replicas, by) = greatest?;
        let text = format!("the HPA was able to successfully calculate a replica count from {by}");
        self.set("ScalingActive", "True", "ValidMetricFound", text);
        Some((*replicas, by.clone()))
    }

    /// The status with nothing but other conditions.
    fn status_before(&self) -> Value {
        let mut status = self.scaler.at(&["status"]).cloned().unwrap_or_else(|| json!({}));
        status["conditions"] = json!(self.conditions);
        status
    }

    fn status(
        &self,
        current: i64,
        desired: i64,
        metrics: Option<Vec<Value>>,
        is_scaled: bool,
    ) -> Value {
        let mut status = json!({"conditions": self.conditions, "desiredReplicas": desired,
            "currentMetrics": metrics});
        if current > 0 {
            status["currentReplicas"] = current.into();
        }
        let before = self.scaler.text(&["status", "lastScaleTime"]);
        let now = self.cx.now.rfc3339();
        let last = if is_scaled { Some(now.as_str()) } else { before };
        if let Some(last) = last {
            status["lastScaleTime"] = last.into();
        }
        if let Some(generation) = self.scaler.at(&["status", "observedGeneration"]) {
            status["observedGeneration"] = generation.clone();
        }
        status
    }

    fn finish(self, status: Value, scale: Option<Call>) -> Plan {
        let mut plan = Plan::nothing().then(scale.into_iter().collect());
        if Some(&status) != self.scaler.at(&["status"]) {
            let object = pod::with_status(self.scaler, status);
            let (namespace, name) = (self.scaler.namespace(), self.scaler.name());
            let put = Request::update(gvr(AUTOSCALER), namespace, name, object);
            plan = plan.then(vec![Call::new(put.subresource("status"))]);
        }
        plan.notes = self.notes;
        plan.remember(self.history.written())
    }
}

impl Refused {
    /// As an Event and a condition tell it.
    fn event(&self) -> String {
        self.why.clone()
    }

    /// As the sum of all tells it.
    fn message(&self) -> String {
        format!("failed to get {} metric value: {}", self.what, self.why)
    }
}

#[cfg(test)]
mod tests;
