//! What a kubelet reads of a pod's spec, and nothing more of it.
//!
//! Defaults are those of the API server, so that a pod that skipped defaulting is read alike.

use std::time::Duration;

use super::hooks::HookSpec;
use super::probe::ProbeSpec;
use super::references::{self, Reference};
use crate::object::{Object, Value};

/// Whether and when a container that ended is started again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Restart {
    Always,
    OnFailure,
    Never,
}

/// What a container is to its pod (R-CTL-36).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// Runs to its end before the next one starts.
    Init,
    /// An init container that keeps running.
    Sidecar,
    /// One of `spec.containers`.
    Main,
}

/// `imagePullPolicy`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PullPolicy {
    Always,
    IfNotPresent,
    Never,
}

/// One container as a kubelet sees it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct ContainerSpec {
    pub(super) name: String,
    pub(super) image: String,
    pub(super) role: Role,
    pub(super) restart: Restart,
    pub(super) pull_policy: PullPolicy,
    pub(super) startup: Option<ProbeSpec>,
    pub(super) readiness: Option<ProbeSpec>,
    pub(super) liveness: Option<ProbeSpec>,
    /// How long its command says that it sleeps; `Duration::MAX` where that has no end.
    pub(super) sleeps: Option<Duration>,
    pub(super) post_start: Option<HookSpec>,
    pub(super) pre_stop: Option<HookSpec>,
    /// What its environment is made of.
    pub(super) references: Vec<Reference>,
}

/// One pod as a kubelet sees it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct PodSpec {
    /// Init containers and sidecars in their order, then the others.
    pub(super) containers: Vec<ContainerSpec>,
    pub(super) host_network: bool,
    /// `terminationGracePeriodSeconds`.
    pub(super) grace: Duration,
    /// `activeDeadlineSeconds`.
    pub(super) deadline: Option<Duration>,
}

impl PodSpec {
    pub(super) fn read(pod: &Object) -> Self {
        let policy = restart(pod.text(&["spec", "restartPolicy"])).unwrap_or(Restart::Always);
        let init = pod.list(&["spec", "initContainers"]).iter();
        let main = pod.list(&["spec", "containers"]).iter();
        let containers = init
            .map(|c| ContainerSpec::read_init(c, policy))
            .chain(main.map(|c| ContainerSpec::read(c, Role::Main, policy)))
            .collect();
        let grace = pod.int(&["spec", "terminationGracePeriodSeconds"]).unwrap_or(30);
        Self {
            containers,
            host_network: pod.flag(&["spec", "hostNetwork"]),
            grace: seconds(grace),
            deadline: pod.int(&["spec", "activeDeadlineSeconds"]).map(seconds),
        }
    }
}

impl ContainerSpec {
    fn read_init(container: &Value, policy: Restart) -> Self {
        if text(container, "restartPolicy") == Some("Always") {
            return Self::read(container, Role::Sidecar, Restart::Always);
        }
        // An init container that succeeded is done, whatever the pod says of its others.
        let policy = if policy == Restart::Always { Restart::OnFailure } else { policy };
        Self::read(container, Role::Init, policy)
    }

    fn read(container: &Value, role: Role, policy: Restart) -> Self {
        let image = text(container, "image").unwrap_or_default().to_owned();
        let pull_policy = match text(container, "imagePullPolicy") {
            Some("Always") => PullPolicy::Always,
            Some("Never") => PullPolicy::Never,
            Some(_) => PullPolicy::IfNotPresent,
            None if is_latest(&image) => PullPolicy::Always,
            None => PullPolicy::IfNotPresent,
        };
        Self {
            name: text(container, "name").unwrap_or_default().to_owned(),
            image,
            role,
            restart: restart(text(container, "restartPolicy")).unwrap_or(policy),
            pull_policy,
            startup: container.get("startupProbe").map(ProbeSpec::read),
            readiness: container.get("readinessProbe").map(ProbeSpec::read),
            liveness: container.get("livenessProbe").map(ProbeSpec::read),
            sleeps: sleep(container),
            post_start: HookSpec::read(container, "postStart"),
            pre_stop: HookSpec::read(container, "preStop"),
            references: references::of_environment(container),
        }
    }
}

impl Restart {
    /// Whether a container that ended with `exit_code` is started again.
    pub(super) fn applies(self, exit_code: i32) -> bool {
        match self {
            Restart::Always => true,
            Restart::OnFailure => exit_code != 0,
            Restart::Never => false,
        }
    }
}

fn restart(word: Option<&str>) -> Option<Restart> {
    match word? {
        "Always" => Some(Restart::Always),
        "OnFailure" => Some(Restart::OnFailure),
        "Never" => Some(Restart::Never),
        _ => None,
    }
}

/// The time after the first `sleep` of a command: suites that need a pod to stay for a while make
/// one that sleeps.
pub(super) fn sleep(container: &Value) -> Option<Duration> {
    let parts = |key: &str| container.get(key).and_then(Value::as_array).into_iter().flatten();
    let words = parts("command").chain(parts("args")).filter_map(Value::as_str);
    let words =
        words.flat_map(|part| part.split([' ', ';', '\n', '\t', '&', '|'])).collect::<Vec<_>>();
    let at = words.iter().position(|word| *word == "sleep" || word.ends_with("/sleep"))?;
    let word = words[at + 1..].iter().find(|word| !word.is_empty())?;
    if matches!(*word, "infinity" | "inf") {
        return Some(Duration::MAX);
    }
    let digits = word.trim_end_matches(['s', 'm', 'h', 'd']);
    let unit = match &word[digits.len()..] {
        "" | "s" => 1.0,
        "m" => 60.0,
        "h" => 3_600.0,
        "d" => 86_400.0,
        _ => return None,
    };
    Duration::try_from_secs_f64(digits.parse::<f64>().ok()? * unit).ok()
}

fn is_latest(image: &str) -> bool {
    let name = image.rsplit('/').next().unwrap_or(image);
    !image.contains('@') && name.split_once(':').is_none_or(|(_, tag)| tag == "latest")
}

/// Whether an image name can be parsed (R-CTL-34): path components in lower case, an optional
/// registry before the first slash, an optional tag, an optional digest.
pub(super) fn is_image_name(image: &str) -> bool {
    let (name, digest) = image.split_once('@').map_or((image, None), |(n, d)| (n, Some(d)));
    let slash = name.rfind('/').map_or(0, |at| at + 1);
    let colon = name[slash..].find(':').map(|at| at + slash);
    let (path, tag) = colon.map_or((name, None), |at| (&name[..at], Some(&name[at + 1..])));
    let path = match path.split_once('/') {
        Some((host, rest)) if host.contains(['.', ':']) || host == "localhost" => rest,
        _ => path,
    };
    let word = |c: char| c.is_ascii_alphanumeric() || "_.-".contains(c);
    path.split('/').all(is_path_component)
        && tag.is_none_or(|t| (1..=128).contains(&t.len()) && t.chars().all(word))
        && digest.is_none_or(|d| d.split_once(':').is_some_and(|(_, hex)| !hex.is_empty()))
}

fn is_path_component(part: &str) -> bool {
    let edge = |c: Option<char>| c.is_some_and(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
    let inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "_.-".contains(c);
    edge(part.chars().next()) && edge(part.chars().last()) && part.chars().all(inner)
}

fn text<'a>(value: &'a Value, key: &str) -> Option<&'a str> {
    value.get(key).and_then(Value::as_str)
}

/// A number of seconds from a spec; negative ones count as none.
pub(super) fn seconds(count: i64) -> Duration {
    Duration::from_secs(u64::try_from(count).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::object::json;

    #[test]
    fn image_names_are_taken_or_refused_as_the_reference_grammar_says() {
        let good = ["nginx", "shop/cart:good", "ghcr.io/a/b-c_d.e:v1.2", "a@sha256:00ff"];
        for image in good.into_iter().chain(["localhost:5000/cart:1@sha256:0a", "My.Host/cart"]) {
            assert!(is_image_name(image), "{image}");
        }
        for image in ["", "Shop/cart", "shop/cart:", "shop//cart", "shop/cart:a b", "-x", "a@b"] {
            assert!(!is_image_name(image), "{image}");
        }
    }

    #[test]
    fn a_pod_without_defaults_is_read_as_the_server_would_have_defaulted_it() {
        let pod = Object::from_value(json!({"spec": {
            "initContainers": [
                {"name": "i", "image": "a:1"},
                {"name": "s", "image": "a:1", "restartPolicy": "Always"}],
            "containers": [{"name": "c", "image": "b"}]}}))
        .unwrap();
        let spec = PodSpec::read(&pod);
        let got: Vec<_> =
            spec.containers.iter().map(|c| (c.role, c.restart, c.pull_policy)).collect();
        let want = [
            (Role::Init, Restart::OnFailure, PullPolicy::IfNotPresent),
            (Role::Sidecar, Restart::Always, PullPolicy::IfNotPresent),
            (Role::Main, Restart::Always, PullPolicy::Always),
        ];
        assert_eq!(got, want);
        assert_eq!(spec.grace, Duration::from_secs(30));
    }
}
