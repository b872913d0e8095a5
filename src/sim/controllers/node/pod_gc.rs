//! The pod garbage collector (R-CTL-28): ends pods whose node cannot do it any more: it is gone,
//! it is out of service, or there never was one.
//!
//! Not here: the limit on pods that have ended (12,500 upstream).

use std::time::Duration;

use super::{end_and_delete, is_not_ready};
use crate::api::Request;
use crate::base::Time;
use crate::object::Object;
use crate::sim::controllers::kinds::{NODE, POD, gvr};
use crate::sim::controllers::plan::{Again, Call, Cx, Plan};
use crate::sim::controllers::pod;

/// How long a node has to be gone before its pods are.
const QUARANTINE: Duration = Duration::from_secs(40);

/// How often the real one looks.
const ROUND: Duration = Duration::from_secs(20);

const OUT_OF_SERVICE: &str = "node.kubernetes.io/out-of-service";

/// Decides for one pod.
pub(crate) fn sync(cx: &Cx) -> Plan {
    let pod = cx.caches.get(POD, cx.key.namespace(), cx.key.name());
    let Some(pod) = pod.filter(|_| cx.failure.is_none()) else { return Plan::nothing() };
    let name = pod.text(&["spec", "nodeName"]).unwrap_or_default();
    let node = cx.caches.get(NODE, "", name);
    let noticed = cx.caches.noticed();
    let why = match node {
        None if name.is_empty() => pod.is_deleting().then_some(Why::NeverBound),
        None => noticed.gone_since(name).map(Why::Gone),
        Some(node) if pod.is_deleting() && is_out_of_service(node) => Some(Why::OutOfService),
        Some(_) => None,
    };
    let Some(why) = why else { return Plan::nothing() };
    let at = round(why.from(pod, cx.now));
    if at > cx.now {
        return Plan::nothing().again(Again::At(at));
    }
    let batches = match why {
        Why::Gone(_) => {
            // What the caches do not know is asked for before somebody's pods are deleted.
            let answered = cx.asked.first().map(|asked| asked.response.code);
            match answered {
                None => {
                    let get = Call::new(Request::get(gvr(NODE), "", name));
                    return Plan::nothing().then(vec![get]).again(Again::WithAnswers);
                }
                Some(404) => {}
                Some(_) => return Plan::nothing(),
            }
            let message = "PodGC: node no longer exists";
            let condition = pod::disruption(pod, "DeletionByPodGC", message, cx.now);
            end_and_delete(pod, Some(condition))
        }
        // Once: what still holds it is not the collector's.
        Why::NeverBound if pod::is_finished(pod) => Vec::new(),
        Why::NeverBound | Why::OutOfService => end_and_delete(pod, None),
    };
    batches.into_iter().fold(Plan::nothing(), Plan::then)
}

/// Why a pod is to be ended.
enum Why {
    NeverBound,
    OutOfService,
    /// Since then its node is.
    Gone(Time),
}

impl Why {
    fn from(&self, pod: &Object, now: Time) -> Time {
        match self {
            Why::Gone(since) => *since + QUARANTINE,
            // From its deletion on, which the grace period put into the future.
            Why::NeverBound | Why::OutOfService => {
                let deleted = pod.text(&["metadata", "deletionTimestamp"]);
                let at = deleted.and_then(Time::parse_rfc3339).unwrap_or(now);
                let grace = pod.int(&["metadata", "deletionGracePeriodSeconds"]).unwrap_or(0);
                let grace = Duration::from_secs(u64::try_from(grace).unwrap_or(0));
                Time::from_micros(at.as_micros().saturating_sub(micros(grace)))
            }
        }
    }
}

pub(crate) fn is_out_of_service(node: &Object) -> bool {
    let taints = node.list(&["spec", "taints"]);
    is_not_ready(node) && taints.iter().any(|taint| taint["key"] == OUT_OF_SERVICE)
}

/// The round of the collector at `from` or after.
fn round(from: Time) -> Time {
    let round = micros(ROUND);
    Time::from_micros(from.as_micros().div_ceil(round) * round)
}

fn micros(span: Duration) -> u64 {
    u64::try_from(span.as_micros()).unwrap_or(u64::MAX)
}
