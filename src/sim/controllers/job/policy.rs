//! What a failed pod means for its Job, and which succeeded indexes are enough: the policies of a
//! Job, rule by rule, the first that matches (R-CTL-18).

use super::indexes::Indexes;
use crate::object::{Object, Value};

/// What the failure policy makes of one failed pod.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Action {
    /// It counts towards the limit, as without a policy.
    Count,
    /// It does not count.
    Ignore,
    /// Its index has failed.
    FailIndex,
    /// The Job has failed, with this message.
    FailJob(String),
}

/// The action for a failed pod.
pub(super) fn of_failure(job: &Object, pod: &Object) -> Action {
    for (at, rule) in job.list(&["spec", "podFailurePolicy", "rules"]).iter().enumerate() {
        let codes = rule.get("onExitCodes").filter(|codes| codes.is_object());
        let found = match codes {
            Some(codes) => of_exit_codes(pod, codes),
            None => of_conditions(pod, rule),
        };
        let Some(what) = found else { continue };
        return match rule["action"].as_str() {
            Some("Ignore") => Action::Ignore,
            Some("FailIndex") => Action::FailIndex,
            Some("FailJob") => {
                Action::FailJob(format!("{what} matching FailJob rule at index {at}"))
            }
            _ => Action::Count,
        };
    }
    Action::Count
}

/// The container whose exit code a rule names, as messages tell it.
fn of_exit_codes(pod: &Object, codes: &Value) -> Option<String> {
    let listed =
        |code: i64| codes["values"].as_array().is_some_and(|values| values.contains(&code.into()));
    let is_in = codes["operator"] == "In";
    let all = ["containerStatuses", "initContainerStatuses"];
    all.into_iter().flat_map(|field| pod.list(&["status", field])).find_map(|status| {
        let name = status["name"].as_str()?;
        let is_meant = codes.get("containerName").and_then(Value::as_str).is_none_or(|n| n == name);
        let code = status["state"]["terminated"]["exitCode"].as_i64()?;
        let place = format!("{}/{}", pod.namespace(), pod.name());
        (is_meant && code != 0 && listed(code) == is_in)
            .then(|| format!("Container {name} for pod {place} failed with exit code {code}"))
    })
}

fn of_conditions(pod: &Object, rule: &Value) -> Option<String> {
    rule["onPodConditions"].as_array().into_iter().flatten().find_map(|pattern| {
        let kind = pattern["type"].as_str()?;
        let wanted = pattern.get("status").and_then(Value::as_str).unwrap_or("True");
        let is_so = pod.condition(kind).is_some_and(|c| c["status"] == *wanted);
        is_so.then(|| format!("Pod {}/{} has condition {kind}", pod.namespace(), pod.name()))
    })
}

/// The message of the first rule of the success policy that the succeeded indexes meet.
pub(super) fn of_success(job: &Object, succeeded: &Indexes, end: i64) -> Option<String> {
    let rules = job.list(&["spec", "successPolicy", "rules"]);
    let is_met = |rule: &Value| {
        let count = rule.get("succeededCount").and_then(Value::as_i64);
        match rule.get("succeededIndexes").and_then(Value::as_str) {
            None => count.is_some_and(|count| succeeded.total() >= count),
            Some(text) => {
                let wanted = Indexes::parse(text, end);
                let met = wanted.0.intersection(&succeeded.0).count();
                let met = i64::try_from(met).unwrap_or(i64::MAX);
                met >= count.unwrap_or_else(|| wanted.total())
            }
        }
    };
    let at = rules.iter().position(is_met)?;
    Some(format!("Matched rules at index {at}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::object::json;

    fn job(spec: Value) -> Object {
        Object::from_value(json!({"kind": "Job", "spec": spec})).unwrap()
    }

    #[test]
    fn the_first_rule_that_matches_a_failed_pod_decides() {
        let rules = json!([
            {"action": "FailIndex", "onExitCodes":
                {"containerName": "other", "operator": "In", "values": [3]}},
            {"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget"}]},
            {"action": "Count", "onExitCodes": {"operator": "In", "values": [3]}},
            {"action": "FailJob", "onExitCodes": {"operator": "NotIn", "values": [4]}}]);
        let job = job(json!({"podFailurePolicy": {"rules": rules}}));
        let check = |code: i64, disrupted: &str, expected: Action| {
            let status = json!({"conditions": [{"type": "DisruptionTarget", "status": disrupted}],
                "containerStatuses": [{"name": "c", "state": {"terminated": {"exitCode": code}}}]});
            let pod = json!({"kind": "Pod", "metadata": {"name": "p", "namespace": "n"},
                "status": status});
            let pod = Object::from_value(pod).unwrap();
            assert_eq!(of_failure(&job, &pod), expected, "{code} {disrupted}");
        };
        let text =
            "Container c for pod n/p failed with exit code 9 matching FailJob rule at index 3";
        check(3, "False", Action::Count);
        check(3, "True", Action::Ignore);
        check(4, "False", Action::Count);
        check(9, "False", Action::FailJob(text.to_owned()));
        check(0, "False", Action::Count);
    }

    #[test]
    fn indexes_or_their_number_or_both_are_enough() {
        let met = |rule: Value, succeeded: &str| {
            let job = job(json!({"successPolicy": {"rules": [rule]}}));
            of_success(&job, &Indexes::parse(succeeded, 9), 9).is_some()
        };
        assert!(met(json!({"succeededCount": 2}), "1,5"));
        assert!(!met(json!({"succeededIndexes": "1,2"}), "1,5"));
        assert!(met(json!({"succeededIndexes": "1,2", "succeededCount": 1}), "1,5"));
    }
}
