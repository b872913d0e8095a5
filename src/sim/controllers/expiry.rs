//! Finished Jobs that say how long they want to be kept (R-CTL-18, R-CTL-28).

use std::time::Duration;

use super::kinds::{JOB, gvr};
use super::plan::{Again, Cx, Plan};
use crate::api::{Propagation, Request};
use crate::base::Time;
use crate::object::{Object, Value};

/// When a Job is to go; `None` while it runs and where it does not say.
pub(crate) fn due(job: &Object) -> Option<Time> {
    let seconds = u64::try_from(job.int(&["spec", "ttlSecondsAfterFinished"])?).ok()?;
    let ended = ["Complete", "Failed"].iter().find_map(|kind| {
        job.condition(kind).filter(|c| c["status"] == "True")?["lastTransitionTime"].as_str()
    })?;
    Some(Time::parse_rfc3339(ended)? + Duration::from_secs(seconds))
}

/// Deletes one Job when its time has come.
pub(crate) fn sync(cx: &Cx) -> Plan {
    let job = cx.caches.get(JOB, cx.key.namespace(), cx.key.name());
    let Some(job) = job.filter(|job| cx.failure.is_none() && !job.is_deleting()) else {
        return Plan::nothing();
    };
    match due(job) {
        Some(at) if at > cx.now => Plan::nothing().again(Again::At(at)),
        Some(_) => {
            let mut request = Request::delete(gvr(JOB), job.namespace(), job.name());
            request.options.delete.propagation = Some(Propagation::Foreground);
            request.options.delete.uid = Some(job.uid().to_owned());
            Plan::one(request)
        }
        None => Plan::nothing(),
    }
}

/// Whether a change to a Job can matter here.
pub(crate) fn concerns(job: &Object) -> bool {
    job.at(&["spec", "ttlSecondsAfterFinished"]).is_some_and(Value::is_number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::object::json;
    use crate::sim::controllers::trial;

    #[test]
    fn a_finished_job_goes_after_its_time_and_not_before() {
        let ended = Time::VIRTUAL_START;
        let job = |spec: Value| {
            json!({"apiVersion": "batch/v1", "kind": "Job", "spec": spec,
                "metadata": {"name": "w", "namespace": "n", "uid": "j"}, "status": {"conditions":
                [{"type": "Failed", "status": "True", "lastTransitionTime": ended.rfc3339()}]}})
        };
        let plan = |spec, seconds| {
            let now = ended + Duration::from_secs(seconds);
            trial::plan(sync, &[job(spec)], now, &[])
        };
        let five = json!({"ttlSecondsAfterFinished": 5});
        assert_eq!(plan(five.clone(), 4).again, Again::At(ended + Duration::from_secs(5)));
        assert_eq!(trial::text(&plan(five, 5)), "delete jobs w");
        assert!(plan(json!({}), 9).is_nothing());
    }
}
