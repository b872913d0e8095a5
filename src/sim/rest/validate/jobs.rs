//! Jobs and CronJobs.

use super::errors::{Errors, Path};
use super::read::{given, int, list, text};
use super::{job_policies, pods, selectors};
use crate::object::{Object, Value, json};

const SPEC: Path = Path::Printed("spec");

/// A Job as it is made.
pub(super) fn job(object: &Object, errors: &mut Errors) {
    judged(object, true, errors);
}

/// The spec of a Job by itself.
pub(super) fn respecified(object: &Object, errors: &mut Errors) {
    judged(object, false, errors);
}

fn judged(object: &Object, is_made: bool, errors: &mut Errors) {
    let spec = object.at(&["spec"]).unwrap_or(&Value::Null);
    job_spec(spec, &SPEC, errors);
    match given(spec, "selector") {
        None => errors.required(&SPEC.field("selector"), ""),
        Some(selector) => {
            selectors::selector(selector, &SPEC.field("selector"), errors);
            if is_made {
                generated_selector(object, spec, selector, errors);
            }
        }
    }
    selectors::matches_template(spec, &SPEC, errors);
}

/// A selector that the server makes is just what it makes.
fn generated_selector(job: &Object, spec: &Value, selector: &Value, errors: &mut Errors) {
    if spec["manualSelector"] == true {
        return;
    }
    let own = json!({ "matchLabels": { "batch.kubernetes.io/controller-uid": job.uid() } });
    let old = json!({ "matchLabels": { "controller-uid": job.uid() } });
    if *selector != own && *selector != old {
        let text = "`selector` not auto-generated";
        errors.invalid(&SPEC.field("selector"), selector.clone(), text);
    }
}

fn job_spec(spec: &Value, path: &Path, errors: &mut Errors) {
    errors.nonnegative(
        spec,
        path,
        &[
            "parallelism",
            "completions",
            "activeDeadlineSeconds",
            "backoffLimit",
            "ttlSecondsAfterFinished",
            "backoffLimitPerIndex",
            "maxFailedIndexes",
        ],
    );
    let mode = text(spec, "completionMode");
    match mode {
        "NonIndexed" => {
            for field in ["backoffLimitPerIndex", "maxFailedIndexes"] {
                if let Some(value) = given(spec, field) {
                    let text = "requires indexed completion mode";
                    errors.invalid(&path.field(field), value.clone(), text);
                }
            }
        }
        "Indexed" => {
            if given(spec, "completions").is_none() {
                let text = "when completion mode is Indexed";
                errors.required(&path.field("completions"), text);
            }
        }
        // A CronJob's template has no mode until a Job is made of it.
        "" => {}
        other => {
            let supported = ["NonIndexed", "Indexed"];
            errors.unsupported(&path.field("completionMode"), other, &supported);
        }
    }
    job_policies::check(spec, path, errors);
    let template = path.field("template");
    pods::template(&spec["template"], &template, errors);
    restart_policy(spec, &template, errors);
}

fn restart_policy(spec: &Value, template: &Path, errors: &mut Errors) {
    let at = template.field("spec");
    let path = at.field("restartPolicy");
    match text(&spec["template"]["spec"], "restartPolicy") {
        "" | "Always" => {
            errors.required(&path, "valid values: \"OnFailure\", \"Never\"");
        }
        "OnFailure" if given(spec, "podFailurePolicy").is_some() => {
            let text = "only \"Never\" is supported when podFailurePolicy is specified";
            errors.invalid(&path, "OnFailure", text);
        }
        "OnFailure" | "Never" => {}
        other => errors.unsupported(&path, other, &["OnFailure", "Never"]),
    }
}

/// What of a Job may not change (R-VAL-05).
pub(super) fn job_changed(live: &Object, job: &Object, errors: &mut Errors) {
    let empty = Value::Null;
    let (before, now) = (live.at(&["spec"]).unwrap_or(&empty), job.at(&["spec"]).unwrap_or(&empty));
    let indexed = text(now, "completionMode") == "Indexed";
    if given(before, "completions") != given(now, "completions") {
        if !indexed {
            errors.immutable(&SPEC, before, now, "completions");
        } else if given(now, "completions") != given(now, "parallelism") {
            let value = now["completions"].clone();
            let text = "can only be modified in tandem with spec.parallelism";
            errors.invalid(&SPEC.field("completions"), value, text);
        }
    }
    errors.immutable(&SPEC, before, now, "selector");
    template_changed(before, now, errors);
    for field in ["completionMode", "backoffLimitPerIndex", "managedBy"] {
        errors.immutable(&SPEC, before, now, field);
    }
    job_policies::changed(before, now, errors);
}

/// Where pods of a suspended Job that never ran go may still change.
fn template_changed(before: &Value, now: &Value, errors: &mut Errors) {
    let suspended = before.get("suspend") == Some(&Value::Bool(true));
    let fixed = |spec: &Value| {
        let mut template = spec["template"].clone();
        if suspended {
            if let Some(metadata) = template.get_mut("metadata").and_then(Value::as_object_mut) {
                metadata.remove("annotations");
                metadata.remove("labels");
            }
            if let Some(spec) = template.get_mut("spec").and_then(Value::as_object_mut) {
                for field in ["nodeSelector", "tolerations", "affinity", "schedulingGates"] {
                    spec.remove(field);
                }
            }
        }
        template
    };
    if fixed(before) != fixed(now) {
        let value = now["template"].clone();
        errors.invalid(&SPEC.field("template"), value, "field is immutable");
    }
}

pub(super) fn cron_job(object: &Object, is_new: bool, errors: &mut Errors) {
    let spec = object.at(&["spec"]).unwrap_or(&Value::Null);
    let schedule = text(spec, "schedule");
    if schedule.is_empty() {
        errors.required(&SPEC.field("schedule"), "");
    } else {
        schedule_form(schedule, errors);
        if schedule.contains("TZ") {
            let text = "cannot use TZ or CRON_TZ in schedule, use timeZone field instead";
            errors.invalid(&SPEC.field("schedule"), schedule, text);
        }
    }
    errors.nonnegative(spec, &SPEC, &["startingDeadlineSeconds"]);
    let policy = text(spec, "concurrencyPolicy");
    if !matches!(policy, "Allow" | "Forbid" | "Replace") {
        let supported = ["Allow", "Forbid", "Replace"];
        errors.unsupported(&SPEC.field("concurrencyPolicy"), policy, &supported);
    }
    let template = SPEC.field("jobTemplate");
    job_spec(&spec["jobTemplate"]["spec"], &template.field("spec"), errors);
    let limits = ["successfulJobsHistoryLimit", "failedJobsHistoryLimit"];
    errors.nonnegative(spec, &SPEC, &limits);
    if is_new && object.name().len() > 52 {
        let path = Path::Printed("metadata");
        let text = "must be no more than 52 characters";
        errors.invalid(&path.field("name"), object.name(), text);
    }
    if let Some(zone) = given(spec, "timeZone").and_then(Value::as_str) {
        let path = SPEC.field("timeZone");
        if zone.is_empty() {
            errors.invalid(&path, zone, "timeZone must be nil or non-empty string");
        } else if jiff::tz::TimeZone::get(zone).is_err() {
            errors.invalid(&path, zone, &format!("unknown time zone {zone}"));
        }
    }
}

/// A descriptor, or five fields whose parts are numbers within their bounds.
fn schedule_form(schedule: &str, errors: &mut Errors) {
    if schedule.starts_with('@') {
        let known =
            ["@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly"];
        if !known.contains(&schedule) && !schedule.starts_with("@every ") {
            let text = format!("unrecognized descriptor: {schedule}");
            errors.invalid(&SPEC.field("schedule"), schedule, &text);
        }
        return;
    }
    let fields = schedule.split_whitespace().filter(|f| !f.contains("TZ="));
    let count = fields.clone().count();
    let fault = if count == BOUNDS.len() {
        fields.zip(BOUNDS).find_map(|(field, bounds)| {
            field
                .split(',')
                .filter(|part| !part.is_empty())
                .find_map(|part| part_fault(part, bounds))
        })
    } else {
        let shown: Vec<&str> = schedule.split_whitespace().collect();
        let shown = shown.join(" ");
        Some(format!("expected exactly 5 fields, found {count}: [{shown}]"))
    };
    if let Some(fault) = fault {
        errors.invalid(&SPEC.field("schedule"), schedule, &fault);
    }
}

/// The numbers that the fields of a schedule hold, and the words for some of them.
const BOUNDS: [(u32, u32, &[&str]); 5] = [
    (0, 59, &[]),
    (0, 23, &[]),
    (1, 31, &[]),
    (1, 12, &["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]),
    (0, 6, &["sun", "mon", "tue", "wed", "thu", "fri", "sat"]),
];

/// What is wrong with `*`, a number or a range, which may have a step.
fn part_fault(part: &str, (low, high, words): (u32, u32, &[&str])) -> Option<String> {
    let number = |text: &str| -> Result<u32, String> {
        let lower = text.to_lowercase();
        if let Some(at) = words.iter().position(|word| *word == lower) {
            return Ok(low + u32::try_from(at).unwrap_or(0));
        }
        let parsed = text.parse::<i64>().map_err(|_| {
            format!(
                "failed to parse int from {text}: strconv.Atoi: parsing {text:?}: invalid syntax"
            )
        })?;
        u32::try_from(parsed).map_err(|_| format!("negative number ({parsed}) not allowed: {text}"))
    };
    let steps: Vec<&str> = part.split('/').collect();
    let ends: Vec<&str> = steps[0].split('-').collect();
    let (start, mut end) = if matches!(ends[0], "*" | "?") {
        (low, high)
    } else {
        let start = match number(ends[0]) {
            Ok(start) => start,
            Err(fault) => return Some(fault),
        };
        match ends.as_slice() {
            [_] => (start, start),
            [_, end] => match number(end) {
                Ok(end) => (start, end),
                Err(fault) => return Some(fault),
            },
            _ => return Some(format!("too many hyphens: {part}")),
        }
    };
    let step = match steps.as_slice() {
        [_] => 1,
        [_, step] => match number(step) {
            Ok(step) => step,
            Err(fault) => return Some(fault),
        },
        _ => return Some(format!("too many slashes: {part}")),
    };
    if steps.len() == 2 && ends.len() == 1 {
        end = high;
    }
    if start < low {
        Some(format!("beginning of range ({start}) below minimum ({low}): {part}"))
    } else if end > high {
        Some(format!("end of range ({end}) above maximum ({high}): {part}"))
    } else if start > end {
        Some(format!("beginning of range ({start}) beyond end of range ({end}): {part}"))
    } else {
        (step == 0).then(|| format!("step of range should be a positive number: {part}"))
    }
}

/// What a writer of a status may not say.
pub(super) fn status(job: &Object, errors: &mut Errors) {
    let nothing = Value::Null;
    let status = job.at(&["status"]).unwrap_or(&nothing);
    let root = Path::Printed("status");
    let is_complete = list(status, "conditions")
        .iter()
        .any(|c| text(c, "type") == "Complete" && text(c, "status") == "True");
    let ended = text(status, "completionTime");
    if !ended.is_empty() && !is_complete {
        let fault = "cannot set completionTime when there is no Complete=True condition";
        errors.invalid(&root.field("completionTime"), ended, fault);
    }
    let failed = given(status, "failedIndexes");
    if let (Some(failed), None) = (failed, job.at(&["spec", "backoffLimitPerIndex"])) {
        let fault = "cannot set non-null failedIndexes when backoffLimitPerIndex is null";
        errors.invalid(&root.field("failedIndexes"), failed.clone(), fault);
    }
    let ready = int(status, "ready").unwrap_or(0);
    if ready > int(status, "active").unwrap_or(0) {
        errors.invalid(&root.field("ready"), ready, "cannot set more ready pods than active");
    }
    let uncounted = &status["uncountedTerminatedPods"];
    let place = root.field("uncountedTerminatedPods");
    let place = place.field("failed");
    for (i, uid) in list(uncounted, "failed").iter().enumerate() {
        if list(uncounted, "succeeded").contains(uid) {
            errors.duplicate(&place.index(i), uid.clone());
        }
    }
}
