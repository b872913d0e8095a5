//! Defaults that follow from other fields. Each function gets the fields of the type that the
//! table names it for.

use super::Fields;
use crate::object::{Map, Value, json};

/// The function that the table calls `name`.
pub(super) fn named(name: &str) -> Option<fn(&mut Fields)> {
    Some(match name {
        "addresses" => addresses,
        "allocatable" => allocatable,
        "balancer_mode" => balancer_mode,
        "claim_templates" => claim_templates,
        "definition_names" => definition_names,
        "device_request" => device_request,
        "empty_volume" => empty_volume,
        "external_traffic" => external_traffic,
        "image_pull_policy" => image_pull_policy,
        "job" => job,
        "limited" => limited,
        "limits" => limits,
        "name_label" => name_label,
        "pod" => pod,
        "pod_ranges" => pod_ranges,
        "policy_types" => policy_types,
        "precedence" => precedence,
        "queuing" => queuing,
        "replication_controller" => replication_controller,
        "scaling_rules" => scaling_rules,
        "service_account" => service_account,
        "session_affinity" => session_affinity,
        "stateful_set_update" => stateful_set_update,
        "target_port" => target_port,
        "template_generation" => template_generation,
        "volume_pull_policy" => volume_pull_policy,
        _ => return None,
    })
}

/// The singular is the kind in lower case, the kind of lists ends in `List`.
fn definition_names(spec: &mut Fields) {
    let Some(names) = struct_at(spec, "names") else { return };
    let kind = text(names, "kind").to_owned();
    if text(names, "singular").is_empty() {
        names.insert("singular".to_owned(), kind.to_lowercase().into());
    }
    if text(names, "listKind").is_empty() && !kind.is_empty() {
        names.insert("listKind".to_owned(), format!("{kind}List").into());
    }
}

fn struct_at<'a>(fields: &'a mut Fields, key: &str) -> Option<&'a mut Fields> {
    fields.get_mut(key)?.as_object_mut()
}

fn text<'a>(fields: &'a Fields, key: &str) -> &'a str {
    fields.get(key).and_then(Value::as_str).unwrap_or_default()
}

fn set_default(fields: &mut Fields, key: &str, value: Value) {
    fields.entry(key.to_owned()).or_insert(value);
}

fn labels_of_template(spec: &Fields) -> Option<Map> {
    let labels = spec.get("template")?.get("metadata")?.get("labels")?.as_object()?;
    (!labels.is_empty()).then(|| labels.clone())
}

/// Gives an object without labels those of its template.
fn label_as_template(fields: &mut Fields) {
    let labels = fields.get("spec").and_then(Value::as_object).and_then(labels_of_template);
    if let (Some(labels), Some(metadata)) = (labels, struct_at(fields, "metadata")) {
        set_default(metadata, "labels", Value::Object(labels));
    }
}

fn replication_controller(fields: &mut Fields) {
    label_as_template(fields);
    if let Some(spec) = struct_at(fields, "spec")
        && let Some(labels) = labels_of_template(spec)
    {
        set_default(spec, "selector", Value::Object(labels));
    }
}

fn job(fields: &mut Fields) {
    label_as_template(fields);
    let Some(spec) = struct_at(fields, "spec") else { return };
    if !spec.contains_key("completions") && !spec.contains_key("parallelism") {
        spec.insert("completions".to_owned(), 1.into());
    }
    set_default(spec, "parallelism", 1.into());
    let per_index = spec.contains_key("backoffLimitPerIndex");
    set_default(spec, "backoffLimit", if per_index { i32::MAX } else { 6 }.into());
    let failed = spec.contains_key("podFailurePolicy");
    let policy = if failed { "Failed" } else { "TerminatingOrFailed" };
    set_default(spec, "podReplacementPolicy", policy.into());
    set_default(spec, "manualSelector", false.into());
}

/// `rollingUpdate` is filled in only where the type was not given either.
fn stateful_set_update(fields: &mut Fields) {
    let Some(strategy) =
        struct_at(fields, "spec").and_then(|spec| struct_at(spec, "updateStrategy"))
    else {
        return;
    };
    if text(strategy, "type").is_empty() {
        strategy.insert("type".to_owned(), "RollingUpdate".into());
        set_default(strategy, "rollingUpdate", json!({}));
    }
    if text(strategy, "type") == "RollingUpdate"
        && let Some(rolling) = struct_at(strategy, "rollingUpdate")
    {
        set_default(rolling, "partition", 0.into());
    }
}

fn claim_templates(fields: &mut Fields) {
    let Some(Value::Array(templates)) =
        struct_at(fields, "spec").and_then(|spec| spec.get_mut("volumeClaimTemplates"))
    else {
        return;
    };
    for template in templates.iter_mut().filter_map(Value::as_object_mut) {
        set_default(template, "apiVersion", "v1".into());
        set_default(template, "kind", "PersistentVolumeClaim".into());
    }
}

/// Requests that are not given are the limits; a host's network makes ports the host's.
fn pod(fields: &mut Fields) {
    let Some(spec) = struct_at(fields, "spec") else { return };
    let host_network = spec.get("hostNetwork") == Some(&Value::Bool(true));
    for key in ["containers", "initContainers"] {
        let Some(Value::Array(containers)) = spec.get_mut(key) else { continue };
        for container in containers.iter_mut().filter_map(Value::as_object_mut) {
            if let Some(resources) = struct_at(container, "resources") {
                requests_from_limits(resources);
            }
            if let (true, Some(Value::Array(ports))) = (host_network, container.get_mut("ports")) {
                for port in ports.iter_mut().filter_map(Value::as_object_mut) {
                    let own = port.get("containerPort").cloned().unwrap_or(0.into());
                    set_default(port, "hostPort", own);
                }
            }
        }
    }
    set_default(spec, "enableServiceLinks", true.into());
}

fn requests_from_limits(resources: &mut Fields) {
    let Some(limits) = resources.get("limits").and_then(Value::as_object).cloned() else { return };
    let requests = resources.entry("requests").or_insert_with(|| json!({}));
    let Some(requests) = requests.as_object_mut() else { return };
    for (name, limit) in limits {
        requests.entry(name).or_insert(limit);
    }
}

/// The old and the new field always say the same.
fn service_account(spec: &mut Fields) {
    let name = match (text(spec, "serviceAccountName"), text(spec, "serviceAccount")) {
        ("", "") => return,
        ("", old) => old.to_owned(),
        (new, _) => new.to_owned(),
    };
    spec.insert("serviceAccount".to_owned(), name.clone().into());
    spec.insert("serviceAccountName".to_owned(), name.into());
}

/// Whether an image has no tag and no digest, or the tag `latest`.
fn is_latest(image: &str) -> bool {
    let last = image.rsplit('/').next().unwrap_or_default();
    if image.starts_with(' ') {
        return false;
    }
    if last.contains('@') {
        return false;
    }
    last.split_once(':').is_none_or(|(_, tag)| tag == "latest")
}

fn pull_policy(image: &str) -> Value {
    // An image that is missing cannot be parsed and so has no tag; it fails validation.
    if !image.is_empty() && is_latest(image) { "Always" } else { "IfNotPresent" }.into()
}

fn image_pull_policy(container: &mut Fields) {
    let policy = pull_policy(text(container, "image"));
    set_default(container, "imagePullPolicy", policy);
}

fn volume_pull_policy(image: &mut Fields) {
    let policy = pull_policy(text(image, "reference"));
    set_default(image, "pullPolicy", policy);
}

fn empty_volume(volume: &mut Fields) {
    if volume.keys().all(|key| key == "name") {
        volume.insert("emptyDir".to_owned(), json!({}));
    }
}

fn session_affinity(service: &mut Fields) {
    let Some(spec) = struct_at(service, "spec") else { return };
    match text(spec, "sessionAffinity") {
        "None" => {
            spec.remove("sessionAffinityConfig");
        }
        "ClientIP" => {
            let given = spec
                .get("sessionAffinityConfig")
                .and_then(|config| config.get("clientIP")?.get("timeoutSeconds"));
            if given.is_none() {
                let config = json!({ "clientIP": { "timeoutSeconds": 10_800 } });
                spec.insert("sessionAffinityConfig".to_owned(), config);
            }
        }
        _ => {}
    }
}

/// What can be reached from outside says how its traffic goes.
fn external_traffic(service: &mut Fields) {
    let Some(spec) = struct_at(service, "spec") else { return };
    let kind = text(spec, "type");
    let by_ip = kind == "ClusterIP"
        && spec.get("externalIPs").and_then(Value::as_array).is_some_and(|ips| !ips.is_empty());
    if matches!(kind, "NodePort" | "LoadBalancer") || by_ip {
        set_default(spec, "externalTrafficPolicy", "Cluster".into());
    }
}

fn target_port(port: &mut Fields) {
    let unset = match port.get("targetPort") {
        None | Some(Value::Null) => true,
        Some(Value::String(name)) => name.is_empty(),
        Some(number) => number.as_i64() == Some(0),
    };
    if unset {
        let own = port.get("port").cloned().unwrap_or(0.into());
        port.insert("targetPort".to_owned(), own);
    }
}

/// A number that is unset where it is zero.
fn set_unless_zero(fields: &mut Fields, key: &str, value: i64) {
    if fields.get(key).is_none_or(|found| found.is_null() || found.as_i64() == Some(0)) {
        fields.insert(key.to_owned(), value.into());
    }
}

fn precedence(schema: &mut Fields) {
    set_unless_zero(schema, "matchingPrecedence", 1_000);
}

fn queuing(config: &mut Fields) {
    set_unless_zero(config, "queues", 64);
    set_unless_zero(config, "handSize", 8);
    set_unless_zero(config, "queueLengthLimit", 50);
}

fn limited(level: &mut Fields) {
    if level.get("nominalConcurrencyShares").is_none_or(Value::is_null) {
        level.insert("nominalConcurrencyShares".to_owned(), 30.into());
    }
    set_default(level, "lendablePercent", 0.into());
}

fn device_request(request: &mut Fields) {
    if text(request, "allocationMode").is_empty() {
        request.insert("allocationMode".to_owned(), "ExactCount".into());
    }
    if text(request, "allocationMode") == "ExactCount" {
        set_unless_zero(request, "count", 1);
    }
}

fn name_label(namespace: &mut Fields) {
    let Some(metadata) = struct_at(namespace, "metadata") else { return };
    let name = text(metadata, "name").to_owned();
    if name.is_empty() {
        return;
    }
    let labels = metadata.entry("labels").or_insert_with(|| json!({}));
    if let Some(labels) = labels.as_object_mut() {
        labels.insert("kubernetes.io/metadata.name".to_owned(), name.into());
    }
}

/// The first of the ranges, and the field that there was before there were more.
fn pod_ranges(node: &mut Fields) {
    let Some(spec) = struct_at(node, "spec") else { return };
    let listed = spec.get("podCIDRs").and_then(|ranges| ranges.get(0)?.as_str()).map(Value::from);
    first_of_several(spec, ("podCIDR", listed), "podCIDRs", |first| json!([first]));
}

/// The address of a pod is the first of several.
fn addresses(pod: &mut Fields) {
    let Some(status) = struct_at(pod, "status") else { return };
    let listed = status.get("podIPs").and_then(|list| list.get(0)?.get("ip")?.as_str());
    let listed = listed.map(Value::from);
    first_of_several(status, ("podIP", listed), "podIPs", |first| json!([{ "ip": first }]));
}

/// Brings a field that holds one and the list of several in line: where the one is unset it is what
/// is `listed` first, else it is all of the list.
fn first_of_several(
    fields: &mut Fields,
    (one, listed): (&str, Option<Value>),
    several: &str,
    list: fn(&str) -> Value,
) {
    let first = text(fields, one).to_owned();
    match listed {
        Some(listed) if first.is_empty() => drop(fields.insert(one, listed)),
        Some(listed) if listed == *first => {}
        _ if first.is_empty() => {}
        _ => drop(fields.insert(several, list(&first))),
    }
}

/// An address of a load balancer is one that traffic is sent to.
fn balancer_mode(service: &mut Fields) {
    let balanced = service.get("spec").is_some_and(|spec| spec["type"] == *"LoadBalancer");
    let ingress =
        service.get_mut("status").and_then(|s| s.get_mut("loadBalancer")?.get_mut("ingress"));
    let Some(Value::Array(points)) = ingress.filter(|_| balanced) else { return };
    for point in points.iter_mut().filter_map(Value::as_object_mut) {
        if !text(point, "ip").is_empty() {
            set_default(point, "ipMode", "VIP".into());
        }
    }
}

/// apps/v1 keeps a field of its beginnings in an annotation.
fn template_generation(set: &mut Fields) {
    let Some(metadata) = struct_at(set, "metadata") else { return };
    let annotations = metadata.entry("annotations").or_insert_with(|| json!({}));
    if let Some(annotations) = annotations.as_object_mut() {
        set_default(annotations, "deprecated.daemonset.template.generation", "0".into());
    }
}

fn allocatable(node: &mut Fields) {
    if let Some(status) = struct_at(node, "status")
        && let Some(capacity) = status.get("capacity").cloned()
    {
        set_default(status, "allocatable", capacity);
    }
}

fn limits(item: &mut Fields) {
    if text(item, "type") != "Container" {
        return;
    }
    for (to, from) in [("default", "max"), ("defaultRequest", "default"), ("defaultRequest", "min")]
    {
        let Some(values) = item.get(from).and_then(Value::as_object).cloned() else { continue };
        let target = item.entry(to).or_insert_with(|| json!({}));
        let Some(target) = target.as_object_mut() else { continue };
        for (name, value) in values {
            target.entry(name).or_insert(value);
        }
    }
}

fn policy_types(policy: &mut Fields) {
    let Some(spec) = struct_at(policy, "spec") else { return };
    let egress = spec.get("egress").and_then(Value::as_array).is_some_and(|e| !e.is_empty());
    let types = if egress { json!(["Ingress", "Egress"]) } else { json!(["Ingress"]) };
    set_default(spec, "policyTypes", types);
}

fn scaling_rules(behavior: &mut Fields) {
    let percent = json!({ "type": "Percent", "value": 100, "periodSeconds": 15 });
    let pods = json!({ "type": "Pods", "value": 4, "periodSeconds": 15 });
    let up = json!({ "stabilizationWindowSeconds": 0, "selectPolicy": "Max",
        "policies": [pods, percent.clone()] });
    let down = json!({ "selectPolicy": "Max", "policies": [percent] });
    for (key, defaults) in [("scaleUp", up), ("scaleDown", down)] {
        let rules = behavior.entry(key).or_insert_with(|| json!({}));
        if let (Some(rules), Value::Object(defaults)) = (rules.as_object_mut(), defaults) {
            for (name, value) in defaults {
                rules.entry(name).or_insert(value);
            }
        }
    }
}
