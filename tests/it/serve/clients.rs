//! Real clients against the program as a process.

#![expect(clippy::unwrap_used, reason = "a test ends at the first thing that is not there")]
#![expect(clippy::print_stderr, reason = "what is passed over is told")]

use std::path::{Path, PathBuf};

use k8s_openapi::api::apps::v1::Deployment;
use kube::api::{Api, Patch, PatchParams};
use serde_json::json;

use super::process::{Process, command, is_there, run};

fn folder(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/clients").join(name)
}

#[tokio::test]
async fn kube_applies_a_deployment_over_https_and_sees_it_become_ready() {
    let mut process = Process::start(&[]);
    let client = process.client().await;
    assert_eq!(client.apiserver_version().await.unwrap().minor, "36");
    let deployments: Api<Deployment> = Api::default_namespaced(client);
    let object = json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": { "name": "d" },
        "spec": { "replicas": 3, "selector": { "matchLabels": { "app": "d" } },
            "template": { "metadata": { "labels": { "app": "d" } },
                "spec": { "containers": [{ "name": "c", "image": "registry.example/c:1" }] } } },
    });
    let params = PatchParams::apply("test");
    deployments.patch("d", &params, &Patch::Apply(&object)).await.unwrap();
    let ready = async {
        loop {
            let found = deployments.get("d").await.unwrap();
            if found.status.and_then(|status| status.ready_replicas) == Some(3) {
                return;
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(10), ready).await.unwrap();
    assert!(process.terminate());
}

/// What is typed, and a part of what is printed.
const KUBECTL: &[(&str, &str)] = &[
    ("version", "Server Version: v1.36"),
    ("get nodes -o wide", "node-3"),
    ("get all -A", "service/kubernetes"),
    ("api-resources --namespaced=false", "customresourcedefinitions"),
    ("api-versions", "autoscaling/v2"),
    ("explain deployment.spec.replicas", "FIELD: replicas <integer>"),
    ("auth can-i delete nodes", "yes"),
    ("auth can-i delete nodes --as eve", "no"),
    ("auth whoami", "system:masters"),
    ("create namespace shop", "namespace/shop created"),
    ("-n shop apply -f IN/shop.yaml", "deployment.apps/web created"),
    ("-n shop rollout status deployment/web --timeout=20s", "successfully rolled out"),
    ("-n shop apply -f IN/shop.yaml", "deployment.apps/web unchanged"),
    ("-n shop get deployment web -o wide", "registry.example/web:1"),
    ("-n shop get pods -l app=web -o yaml", "kind: List"),
    ("-n shop describe deployment web", "Replicas:"),
    ("-n shop set image deployment/web web=registry.example/web:2", "image updated"),
    ("-n shop rollout status deployment/web --timeout=20s", "successfully rolled out"),
    ("-n shop rollout history deployment/web", "2         <none>"),
    ("-n shop rollout undo deployment/web", "rolled back"),
    ("-n shop rollout status deployment/web --timeout=20s", "successfully rolled out"),
    ("-n shop get deployment web -o jsonpath={..image}", "registry.example/web:1"),
    ("-n shop scale deployment web --replicas=1", "scaled"),
    ("-n shop wait deployment/web --for=condition=Available --timeout=20s", "condition met"),
    ("-n shop label configmap settings a=b", "labeled"),
    ("-n shop get configmap -l a=b -o name", "configmap/settings"),
    ("-n shop patch configmap settings --type=merge -p {\"data\":{\"m\":\"1\"}}", "patched"),
    ("-n shop patch deployment web -p {\"spec\":{\"minReadySeconds\":0}}", "patched"),
    (
        "-n shop patch configmap settings --type=json -p [{\"op\":\"add\",\"path\":\"/data/j\",\"value\":\"1\"}]",
        "patched",
    ),
    ("-n shop get configmap settings -o jsonpath={.data}", "\"j\":\"1\",\"m\":\"1\""),
    ("-n shop apply --server-side --force-conflicts -f IN/shop.yaml", "serverside-applied"),
    ("-n shop diff -f IN/shop.yaml", ""),
    ("-n shop delete deployment web --cascade=orphan", "deleted"),
    ("-n shop get replicasets -o name", "replicaset.apps/web-"),
    ("-n shop delete replicaset --all --cascade=foreground --timeout=20s", "deleted"),
    ("-n shop create deployment other --image=registry.example/o:1", "created"),
    ("-n shop delete deployment other --cascade=background --timeout=20s", "deleted"),
    ("-n shop create configmap made --from-literal=a=b --dry-run=server -o yaml", "a: b"),
    ("-n shop run one --image=registry.example/one:1", "pod/one created"),
    ("-n shop wait pod/one --for=condition=Ready --timeout=20s", "condition met"),
    ("-n shop delete pod one --timeout=40s", "deleted"),
    ("delete namespace shop --timeout=60s", "deleted"),
];

/// R-SUI-02: all that it is given is a kubeconfig.
#[test]
fn kubectl_does_what_people_do_with_it() {
    if !is_there("kubectl", &["version", "--client"]) {
        return;
    }
    let process = Process::start(&[]);
    let home = tempfile::tempdir().unwrap();
    for (line, expected) in KUBECTL {
        let line = line.replace("IN", &folder("kubectl").to_string_lossy());
        let mut kubectl = command("kubectl");
        kubectl.env("KUBECONFIG", process.kubeconfig()).env("HOME", home.path());
        kubectl.args(line.split(' '));
        // `can-i` ends with 1 where one cannot.
        let refuses = *expected == "no";
        let output = if refuses { kubectl.output().unwrap() } else { run(&mut kubectl) };
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(text.contains(expected), "kubectl {line}\n{text}");
    }
}

/// Builds a Go program of `tests/clients`; `None` where that cannot be done here, which is told.
fn go_program(name: &str, into: &Path) -> Option<PathBuf> {
    if !is_there("go", &["version"]) {
        return None;
    }
    let mut fetch = command("go");
    fetch.args(["mod", "download"]).current_dir(folder(name));
    if !fetch.output().unwrap().status.success() {
        // Modules that are not to be had are no fault of the program.
        eprintln!("skipped: the modules of tests/clients/{name} are not here");
        return None;
    }
    let program = into.join("clients");
    let mut build = command("go");
    build.args(["build", "-o"]).arg(&program).arg(".").current_dir(folder(name));
    run(&mut build);
    Some(program)
}

#[test]
fn go_clients_and_a_controller_runtime_manager_find_what_they_expect() {
    let folder = tempfile::tempdir().unwrap();
    let Some(program) = go_program("go", folder.path()) else { return };
    let process = Process::start(&[]);
    let output = run(command(&program.to_string_lossy()).arg(process.kubeconfig()));
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(text.lines().count(), 6, "{text}");
}

#[test]
fn helms_sdk_installs_upgrades_rolls_back_and_uninstalls_a_chart() {
    let folder = tempfile::tempdir().unwrap();
    let Some(program) = go_program("helm", folder.path()) else { return };
    let process = Process::start(&[]);
    let home = tempfile::tempdir().unwrap();
    let mut helm = command(&program.to_string_lossy());
    let output = run(helm.arg(process.kubeconfig()).env("HOME", home.path()));
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(text.lines().last(), Some("uninstalled"), "{text}");
}

/// R-SUI-01.
#[test]
fn envtest_starts_the_program_in_the_place_of_kube_apiserver_and_etcd() {
    let folder = tempfile::tempdir().unwrap();
    let Some(program) = go_program("go", folder.path()) else { return };
    for name in ["kube-apiserver", "etcd", "kubectl"] {
        let link = folder.path().join(name);
        std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_towtank"), link).unwrap();
    }
    let mut suite = command(&program.to_string_lossy());
    run(suite.arg("envtest").env("KUBEBUILDER_ASSETS", folder.path()));
}

#[test]
fn pythons_client_finds_what_it_expects() {
    if !is_there("python3", &["-c", "import kubernetes"]) {
        return;
    }
    let process = Process::start(&[]);
    let mut python = command("python3");
    let output = run(python.arg(folder("python").join("client.py")).arg(process.kubeconfig()));
    assert_eq!(String::from_utf8(output.stdout).unwrap().lines().count(), 4);
}
