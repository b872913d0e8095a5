//! `/metrics`: a few of a kube-apiserver's families, in the text that Prometheus reads, so that
//! who scrapes a server finds what it counts its requests by.
//!
//! Durations and sizes are not measured.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Mutex;

use super::reply::Reply;
use crate::api::{Request, Verb};
use crate::base::limits::METRIC_SERIES;

/// Requests by what they asked for and how they were answered.
#[derive(Debug, Default)]
pub(super) struct Metrics(Mutex<BTreeMap<Series, u64>>);

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Series {
    code: u16,
    dry_run: bool,
    group: String,
    resource: String,
    scope: &'static str,
    subresource: String,
    verb: &'static str,
    version: String,
}

impl Metrics {
    /// Counts an answer.
    pub(super) fn count(&self, request: &Request, code: u16) {
        let gvr = &request.resource;
        let scope = match (&request.name, &request.namespace) {
            (Some(_), _) => "resource",
            (None, Some(_)) => "namespace",
            (None, None) => "cluster",
        };
        let verb = match request.verb {
            Verb::Get => "GET",
            Verb::List => "LIST",
            Verb::Watch => "WATCH",
            Verb::Create => "POST",
            Verb::Update => "PUT",
            Verb::Patch(crate::api::PatchKind::Apply) => "APPLY",
            Verb::Patch(_) => "PATCH",
            Verb::Delete => "DELETE",
            Verb::DeleteCollection => "DELETECOLLECTION",
        };
        let series = Series {
            code,
            dry_run: request.options.dry_run,
            group: gvr.group.to_string(),
            resource: gvr.plural.to_string(),
            scope,
            subresource: request.subresource.as_deref().unwrap_or_default().to_owned(),
            verb,
            version: gvr.version.to_string(),
        };
        let Ok(mut all) = self.0.lock() else { return };
        // Paths of nothing could be made up without end.
        if all.len() < METRIC_SERIES || all.contains_key(&series) {
            *all.entry(series).or_default() += 1;
        }
    }

    /// The page, with the number of objects of each resource and of open watches.
    pub(super) fn page(&self, objects: &[(String, usize)], watches: usize) -> Reply {
        let mut text = String::new();
        family(
            &mut text,
            "apiserver_request_total",
            "counter",
            "[STABLE] Counter of apiserver requests broken out for each verb, dry run value, group, version, resource, scope, component, and HTTP response code.",
        );
        if let Ok(all) = self.0.lock() {
            for (of, count) in all.iter() {
                let dry_run = if of.dry_run { "All" } else { "" };
                let _ = writeln!(
                    text,
                    "apiserver_request_total{{code=\"{}\",component=\"apiserver\",dry_run=\"{dry_run}\",group=\"{}\",resource=\"{}\",scope=\"{}\",subresource=\"{}\",verb=\"{}\",version=\"{}\"}} {count}",
                    of.code, of.group, of.resource, of.scope, of.subresource, of.verb, of.version
                );
            }
        }
        family(
            &mut text,
            "apiserver_storage_objects",
            "gauge",
            "[STABLE] Number of stored objects at the time of last check split by kind.",
        );
        for (resource, count) in objects {
            let _ = writeln!(text, "apiserver_storage_objects{{resource=\"{resource}\"}} {count}");
        }
        family(
            &mut text,
            "apiserver_longrunning_requests",
            "gauge",
            "[STABLE] Gauge of all active long-running apiserver requests.",
        );
        let _ = writeln!(
            text,
            "apiserver_longrunning_requests{{component=\"apiserver\",verb=\"WATCH\"}} {watches}"
        );
        family(
            &mut text,
            "kubernetes_build_info",
            "gauge",
            "[ALPHA] A metric with a constant '1' value labeled by the version that is served.",
        );
        let _ = writeln!(
            text,
            "kubernetes_build_info{{git_version=\"v1.36.3\",major=\"1\",minor=\"36\"}} 1"
        );
        Reply::new(
            200,
            "text/plain; version=0.0.4; charset=utf-8; escaping=underscores",
            text.into(),
        )
    }
}

fn family(text: &mut String, name: &str, kind: &str, help: &str) {
    let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::object::Gvr;

    #[test]
    fn answers_are_counted_by_what_was_asked() {
        let metrics = Metrics::default();
        let request = Request::get(Gvr::new("apps", "v1", "deployments"), "default", "a");
        metrics.count(&request, 200);
        metrics.count(&request, 200);
        let page = metrics.page(&[("pods".to_owned(), 3)], 1);
        let text = String::from_utf8(page.body.bytes().unwrap().to_vec()).unwrap();
        let line = "apiserver_request_total{code=\"200\",component=\"apiserver\",dry_run=\"\",group=\"apps\",resource=\"deployments\",scope=\"resource\",subresource=\"\",verb=\"GET\",version=\"v1\"} 2\n";
        assert!(text.contains(line), "{text}");
        assert!(text.contains("apiserver_storage_objects{resource=\"pods\"} 3\n"), "{text}");
    }
}
