//! What a Job is given when it is created: labels on its pods by which it finds them (R-DEF-04).

use crate::object::{Object, Value, json};

pub(super) fn prepare_for_create(job: &mut Object, is_labelled: bool) {
    if job.flag(&["spec", "manualSelector"]) {
        return;
    }
    // Labels that the job has from its template are the template's, and get what it gets.
    let template = ["spec", "template", "metadata", "labels"];
    let labels = job.labels();
    let shared =
        !is_labelled && labels.is_some() && labels == job.at(&template).and_then(Value::as_object);
    let (uid, name) = (job.uid().to_owned(), job.name().to_owned());
    for prefix in ["batch.kubernetes.io/", ""] {
        for (label, value) in [("controller-uid", &uid), ("job-name", &name)] {
            let key = format!("{prefix}{label}");
            let path = ["spec", "template", "metadata", "labels", key.as_str()];
            if job.at(&path).is_none() {
                job.set(&path, value.as_str().into());
            }
        }
    }
    if job.at(&["spec", "selector"]).is_none() {
        job.set(&["spec", "selector"], json!({}));
    }
    let path = ["spec", "selector", "matchLabels", "batch.kubernetes.io/controller-uid"];
    job.set(&path, uid.into());
    if shared && let Some(labels) = job.at(&template).cloned() {
        job.set(&["metadata", "labels"], labels);
    }
}

/// A job without labels is read back from storage with those of its template.
pub(super) fn read_back(job: &mut Object) {
    let labels = job.at(&["spec", "template", "metadata", "labels"]).cloned();
    if let Some(labels) = labels.filter(|_| job.labels().is_none()) {
        job.set(&["metadata", "labels"], labels);
    }
}
