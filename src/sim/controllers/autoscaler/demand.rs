//! How many replicas the metrics of an autoscaler ask for, and what its status tells of them
//! (R-CTL-23).
//!
//! A metric asks for the replicas that would bring usage to its target. Pods that are not ready
//! are left out or count as idle, so that a start does not scale; a ratio near enough to one asks
//! for what there is.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::calm::float;
use crate::base::Time;
use crate::object::quantity::Quantity;
use crate::object::{LabelSelector, Object, Value, json};
use crate::sim::controllers::kinds::POD;
use crate::sim::controllers::metrics::Reading;
use crate::sim::controllers::plan::Cx;
use crate::sim::controllers::pod;

/// What all metrics come to.
#[derive(Debug)]
pub(super) struct Demand {
    /// `currentMetrics`, one for each metric.
    pub(super) statuses: Vec<Value>,
    /// Replicas and by which metric.
    wanted: Vec<(i64, String)>,
    pub(super) refused: Vec<Refused>,
}

/// A metric that cannot be had.
#[derive(Debug)]
pub(super) struct Refused {
    pub(super) reason: &'static str,
    /// Of what, as the sum of all tells it.
    pub(super) what: String,
    pub(super) why: String,
}

/// One pod, as far as it is measured.
struct Sample {
    /// In thousandths.
    value: i64,
    request: i64,
}

/// The pods of a target, told apart.
struct Pods<'a> {
    /// With a value each, and ready for it.
    measured: Vec<&'a Arc<Object>>,
    /// Not ready: idle where usage is high, left out where it is low.
    unready: usize,
}

struct Metric<'a> {
    cx: &'a Cx<'a>,
    scaler: &'a Object,
    readings: Option<&'a BTreeMap<String, Reading>>,
    pods: Vec<&'a Arc<Object>>,
    /// Replicas that the scale asks for, and those that there are.
    current: i64,
    present: i64,
}

impl Demand {
    pub(super) fn of(cx: &Cx, scaler: &Object, scale: &Object) -> Self {
        let text =
            |field: &str| scaler.text(&["spec", "scaleTargetRef", field]).unwrap_or_default();
        let namespace = scaler.namespace();
        let readings = cx.settings.metrics.of(text("kind"), namespace, text("name"));
        let selected = scale.text(&["status", "selector"]).unwrap_or_default();
        let selected = LabelSelector::parse(selected).ok();
        let pods = cx.caches.in_namespace(POD, namespace);
        let pods = pods.filter(|pod| selected.as_ref().is_some_and(|s| s.matches(pod.labels())));
        let metric = Metric {
            cx,
            scaler,
            readings,
            pods: pods.collect(),
            current: scale.int(&["spec", "replicas"]).unwrap_or(0),
            present: scale.int(&["status", "replicas"]).unwrap_or(0),
        };
        let mut demand = Self { statuses: Vec::new(), wanted: Vec::new(), refused: Vec::new() };
        for spec in scaler.list(&["spec", "metrics"]) {
            match metric.look(spec) {
                Ok((wanted, by, status)) => {
                    demand.statuses.push(status);
                    demand.wanted.push((wanted, by));
                }
                Err(refused) => {
                    demand.statuses.push(json!({"type": ""}));
                    demand.refused.push(refused);
                }
            }
        }
        demand
    }

    /// The greatest demand, the first of equals.
    pub(super) fn greatest(&self) -> Option<&(i64, String)> {
        self.wanted.iter().reduce(|best, one| if one.0 > best.0 { one } else { best })
    }
}

impl<'a> Metric<'a> {
    /// Replicas, the metric's name and its status.
    fn look(&self, spec: &Value) -> Result<(i64, String, Value), Refused> {
        match spec["type"].as_str().unwrap_or_default() {
            "Resource" => self.resource(spec, "resource"),
            "ContainerResource" => self.resource(spec, "containerResource"),
            "Pods" => self.of_pods(spec),
            "Object" => self.of_one(spec, "object"),
            "External" => self.of_one(spec, "external"),
            other => Err(Refused {
                reason: "InvalidMetricSourceType",
                what: other.to_owned(),
                why: format!("unknown metric source type \"{other}\""),
            }),
        }
    }

    fn resource(&self, spec: &Value, field: &str) -> Result<(i64, String, Value), Refused> {
        let (source, is_whole) = (&spec[field], field == "resource");
        let name = source["name"].as_str().unwrap_or_default();
        let container = source.get("container").and_then(Value::as_str);
        let target = &source["target"];
        let percent = target["averageUtilization"].as_i64();
        let kind = if percent.is_some() { "utilization" } else { "usage" };
        let refuse = |why: String| Refused {
            reason: if is_whole {
                "FailedGetResourceMetric"
            } else {
                "FailedGetContainerResourceMetric"
            },
            what: format!("{name} {}", if is_whole { "resource" } else { "container" }),
            why: format!("failed to get {name} {kind}: {why}"),
        };
        let pods = self.grouped(name);
        let samples = self.samples(&pods, name, container, percent.is_some()).map_err(refuse)?;
        let total: i64 = samples.iter().map(|sample| sample.value).sum();
        let count = i64::try_from(samples.len()).unwrap_or(i64::MAX).max(1);
        let mut current = json!({"averageValue": self.spelled(name, total / count)});
        let (ratio, idle) = match percent {
            Some(target) => {
                let requested: i64 = samples.iter().map(|sample| sample.request).sum();
                let used = total * 100 / requested.max(1);
                current["averageUtilization"] = used.into();
                let each = requested / count;
                let idle = requested + each * i64::try_from(pods.unready).unwrap_or(0);
                (float(used) / float(target), float(total * 100 / idle.max(1)) / float(target))
            }
            None => {
                let wanted = amount(&target["averageValue"]);
                let idle = count + i64::try_from(pods.unready).unwrap_or(0);
                (float(total / count) / float(wanted), float(total / idle) / float(wanted))
            }
        };
        let wanted = self.of_ratio(&pods, ratio, idle);
        let told = if percent.is_some() {
            format!("{name} resource utilization (percentage of request)")
        } else {
            format!("{name} resource")
        };
        let mut status = json!({"type": spec["type"], (field): {"name": name, "current": current}});
        if let Some(container) = container {
            status[field]["container"] = container.into();
        }
        Ok((wanted, told, status))
    }

    fn of_pods(&self, spec: &Value) -> Result<(i64, String, Value), Refused> {
        let source = &spec["pods"];
        let name = source["metric"]["name"].as_str().unwrap_or_default();
        let refuse = |why: String| Refused {
            reason: "FailedGetPodsMetric",
            what: "pods".to_owned(),
            why: format!("unable to get metric {name}: {why}"),
        };
        let pods = self.grouped(name);
        let samples = self.samples(&pods, name, None, false).map_err(refuse)?;
        let total: i64 = samples.iter().map(|sample| sample.value).sum();
        let count = i64::try_from(samples.len()).unwrap_or(i64::MAX).max(1);
        let wanted = amount(&source["target"]["averageValue"]);
        let idle = count + i64::try_from(pods.unready).unwrap_or(0);
        let ratios = (float(total / count) / float(wanted), float(total / idle) / float(wanted));
        let replicas = self.of_ratio(&pods, ratios.0, ratios.1);
        let current = json!({"averageValue": self.spelled(name, total / count)});
        let status = json!({"type": "Pods",
            "pods": {"metric": source["metric"], "current": current}});
        Ok((replicas, format!("pods metric {name}"), status))
    }

    /// A metric of one object, or of something outside.
    fn of_one(&self, spec: &Value, field: &str) -> Result<(i64, String, Value), Refused> {
        let source = &spec[field];
        let name = source["metric"]["name"].as_str().unwrap_or_default();
        let is_object = field == "object";
        let reading = self.readings.and_then(|readings| readings.get(name));
        let value = match reading {
            Some(Reading::Each(value) | Reading::Together(value)) => value.millis(),
            _ => {
                return Err(Refused {
                    reason: if is_object {
                        "FailedGetObjectMetric"
                    } else {
                        "FailedGetExternalMetric"
                    },
                    what: if is_object { field.to_owned() } else { format!("{name} {field}") },
                    why: format!("unable to get metric {name}: no metrics returned"),
                });
            }
        };
        let target = &source["target"];
        let (wanted, current) = if let Some(each) = target.get("averageValue") {
            let each = amount(each);
            let ratio = float(value) / (float(each) * float(self.present.max(1)));
            let near = self.is_near(ratio);
            let wanted = if near { self.current } else { round_up(float(value) / float(each)) };
            let share = value / self.present.max(1);
            (wanted, json!({"averageValue": self.spelled(name, share)}))
        } else {
            let ratio = float(value) / float(amount(&target["value"]));
            let ready = self.pods.iter().filter(|pod| pod::is_ready(pod)).count();
            let ready = i64::try_from(ready).unwrap_or(i64::MAX);
            let wanted = match self.current {
                0 => round_up(ratio),
                _ if self.is_near(ratio) => self.current,
                _ => round_up(ratio * float(ready)),
            };
            (wanted, json!({"value": self.spelled(name, value)}))
        };
        let mut status = json!({"type": spec["type"],
            (field): {"metric": source["metric"], "current": current}});
        let told = if is_object {
            status[field]["describedObject"] = source["describedObject"].clone();
            let kind = source["describedObject"]["kind"].as_str().unwrap_or_default();
            format!("{kind} metric {name}")
        } else {
            format!("external metric {name}(nil)")
        };
        Ok((wanted, told, status))
    }

    /// Pods that count: neither on their way out nor failed nor pending, and for CPU not in the
    /// middle of their start.
    fn grouped(&self, metric: &str) -> Pods<'a> {
        let mut pods = Pods { measured: Vec::new(), unready: 0 };
        for pod in &self.pods {
            if pod.is_deleting() || pod::phase(pod) == "Failed" {
                continue;
            }
            let is_pending = pod::phase(pod) == "Pending";
            if is_pending || metric == "cpu" && self.is_starting(pod) {
                pods.unready += 1;
            } else {
                pods.measured.push(pod);
            }
        }
        pods
    }

    fn is_starting(&self, pod: &Object) -> bool {
        let settings = &self.cx.settings.autoscaling;
        let time = |text: Option<&str>| text.and_then(Time::parse_rfc3339);
        let start = time(pod.text(&["status", "startTime"]));
        let Some((start, ready)) = start.zip(pod.condition("Ready")) else { return true };
        let is_unready = ready["status"] == "False";
        let turned = time(ready["lastTransitionTime"].as_str()).unwrap_or_default();
        if start + settings.cpu_initialization > self.cx.now {
            return is_unready || self.cx.now < turned + settings.window;
        }
        is_unready && start + settings.initial_readiness > turned
    }

    /// What is measured of each pod that counts.
    fn samples(
        &self,
        pods: &Pods,
        metric: &str,
        container: Option<&str>,
        needs_request: bool,
    ) -> Result<Vec<Sample>, String> {
        let none = || {
            format!(
                "unable to get metrics for resource {metric}: no metrics returned from resource metrics API"
            )
        };
        let reading = self.readings.and_then(|all| all.get(metric)).ok_or_else(none)?;
        if self.pods.is_empty() {
            return Err("no pods returned by selector while calculating replica count".to_owned());
        }
        if pods.measured.is_empty() {
            let text = "did not receive metrics for targeted pods (pods might be unready)";
            return Err(text.to_owned());
        }
        let share = i64::try_from(pods.measured.len()).unwrap_or(i64::MAX);
        let one = |pod: &&Arc<Object>| {
            let request = match requested(pod, metric, container) {
                Ok(request) => request,
                Err(why) if needs_request || matches!(reading, Reading::Percent(_)) => {
                    return Err(why);
                }
                Err(_) => 0,
            };
            let value = match reading {
                Reading::Percent(percent) => request * percent / 100,
                Reading::Each(value) => value.millis(),
                Reading::Together(value) => value.millis() / share,
            };
            Ok(Sample { value, request })
        };
        pods.measured.iter().map(one).collect()
    }

    /// Replicas from how usage stands to its target; `idle` is that with pods that are not ready
    /// taken for idle, which counts where usage is high.
    fn of_ratio(&self, pods: &Pods, ratio: f64, idle: f64) -> i64 {
        let count = i64::try_from(pods.measured.len()).unwrap_or(i64::MAX);
        if pods.unready == 0 || ratio <= 1.0 {
            return if self.is_near(ratio) { self.current } else { round_up(ratio * float(count)) };
        }
        if self.is_near(idle) || idle < 1.0 {
            return self.current;
        }
        let all = count + i64::try_from(pods.unready).unwrap_or(0);
        round_up(idle * float(all)).max(self.current)
    }

    fn is_near(&self, ratio: f64) -> bool {
        let usual = self.cx.settings.autoscaling.tolerance;
        let own = |rules: &str| {
            let text = self.scaler.at(&["spec", "behavior", rules, "tolerance"])?;
            Some(float(amount(text)) / 1000.0)
        };
        let (down, up) = (own("scaleDown").unwrap_or(usual), own("scaleUp").unwrap_or(usual));
        (1.0 - down..=1.0 + up).contains(&ratio)
    }

    /// So many thousandths as a metric is usually written.
    fn spelled(&self, metric: &str, millis: i64) -> Value {
        let like = match self.readings.and_then(|all| all.get(metric)) {
            Some(Reading::Each(value) | Reading::Together(value)) => value.clone(),
            _ if metric == "memory" => {
                Quantity::parse("1Mi").unwrap_or_else(|_| Quantity::count(1))
            }
            _ => Quantity::count(1),
        };
        like.with_millis(millis).to_string().into()
    }
}

/// What a pod requests of a resource, in thousandths.
fn requested(pod: &Object, resource: &str, container: Option<&str>) -> Result<i64, String> {
    let mut sum = 0;
    let sidecars = pod.list(&["spec", "initContainers"]).iter();
    let sidecars = sidecars.filter(|c| c["restartPolicy"] == "Always");
    for one in pod.list(&["spec", "containers"]).iter().chain(sidecars) {
        let name = one["name"].as_str().unwrap_or_default();
        if container.is_some_and(|container| container != name) {
            continue;
        }
        let request = one["resources"]["requests"].get(resource).ok_or_else(|| {
            format!("missing request for {resource} in container {name} of Pod {}", pod.name())
        })?;
        sum += amount(request);
    }
    Ok(sum)
}

/// A quantity in thousandths.
fn amount(value: &Value) -> i64 {
    let text = value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned);
    Quantity::parse(&text).map_or(0, |quantity| quantity.millis())
}

#[expect(clippy::cast_possible_truncation, reason = "a ratio of replicas; too great ones saturate")]
fn round_up(replicas: f64) -> i64 {
    replicas.ceil() as i64
}
