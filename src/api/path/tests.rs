//! Requests that are read from HTTP and printed back.

use super::*;
use crate::api::{FieldValidation, Propagation};

fn read(method: &str, target: &str, body: &str) -> Result<Request, Status> {
    let incoming = Incoming {
        method,
        target,
        content_type: if method == "PATCH" { "application/merge-patch+json" } else { "" },
        user_agent: "test/1",
        body: Bytes::copy_from_slice(body.as_bytes()),
    };
    parse(&incoming, |_| Some("Thing".into()))
}

#[test]
fn a_request_that_is_printed_reads_back_as_it_was() {
    for (method, target, body) in [
        ("GET", "/api/v1/namespaces/a/configmaps/b", ""),
        ("GET", "/api/v1/namespaces/a", ""),
        ("GET", "/api/v1/namespaces/a/status", ""),
        ("GET", "/api/v1/pods?labelSelector=a%3Db%2Cc&limit=5", ""),
        (
            "GET",
            "/apis/apps/v1/deployments?watch=true&resourceVersion=7&allowWatchBookmarks=true",
            "",
        ),
        ("POST", "/apis/apps/v1/namespaces/a/deployments?dryRun=All&fieldManager=me", "{\"a\":1}"),
        ("PUT", "/api/v1/nodes/n/status?fieldValidation=Strict", "{\"a\":1}"),
        ("PATCH", "/api/v1/nodes/n", "{\"a\":1}"),
        (
            "DELETE",
            "/api/v1/nodes/n",
            "{\"apiVersion\":\"v1\",\"kind\":\"DeleteOptions\",\"propagationPolicy\":\"Orphan\"}",
        ),
        ("DELETE", "/api/v1/namespaces/a/pods?labelSelector=a", ""),
    ] {
        let request = read(method, target, body).unwrap();
        let printed = print(&request);
        assert_eq!((printed.method, printed.target.as_str()), (method, target));
        assert_eq!(String::from_utf8(printed.body).unwrap(), body);
    }
}

#[test]
fn parameters_are_read_as_the_verb_has_them() {
    let request = read(
        "DELETE",
        "/api/v1/namespaces/a/pods/p?gracePeriodSeconds=0&propagationPolicy=Foreground",
        "",
    )
    .unwrap();
    assert_eq!(request.options.delete.grace_seconds, Some(0));
    assert_eq!(request.options.delete.propagation, Some(Propagation::Foreground));
    let request =
        read("POST", "/api/v1/nodes?fieldValidation=Strict&pretty=1", "{\"a\":{\"b\":1,\"b\":2}}")
            .unwrap();
    assert_eq!(request.options.field_validation, FieldValidation::Strict);
    assert_eq!(request.options.duplicate_fields, ["a.b"]);
}

#[test]
fn bad_parameters_are_told_as_a_real_server_tells_them() {
    for (method, target, code, message) in [
        (
            "GET",
            "/api/v1/nodes?limit=abc",
            400,
            "strconv.ParseInt: parsing \"abc\": invalid syntax",
        ),
        (
            "POST",
            "/api/v1/nodes?dryRun=Some",
            422,
            "CreateOptions.meta.k8s.io \"\" is invalid: dryRun: Unsupported value: [\"Some\"]: supported values: \"All\"",
        ),
        (
            "PATCH",
            "/api/v1/nodes/n?force=true",
            422,
            "PatchOptions.meta.k8s.io \"\" is invalid: force: Forbidden: may not be specified for non-apply patch",
        ),
        ("GET", "/nothing", 404, "404 page not found"),
        (
            "OPTIONS",
            "/api/v1/nodes",
            405,
            "the server does not allow this method on the requested resource",
        ),
    ] {
        let status = read(method, target, "{}").unwrap_err();
        assert_eq!((status.code, status.message.as_str()), (code, message));
    }
}
