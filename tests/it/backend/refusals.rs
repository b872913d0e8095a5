//! Places that cannot be had: one clear message each, exit code 4, and nothing is left behind.
#![expect(clippy::unwrap_used, reason = "a test ends at the first thing that is not there")]

use std::fs;
use std::path::Path;

use towtank::object::json;
use towtank::serve::tls::Pair;

use super::places::{SMALL, Served, folder, signal, told, towtank};

/// Runs the small scenario with a kubeconfig; it must end in exit code 4 and this one line.
#[track_caller]
fn refused(cluster: &str, kubeconfig: Option<&Path>, want: &[&str]) {
    let folder = folder(SMALL);
    let mut command = towtank(folder.path(), &["run", ".", "--cluster", cluster]);
    if let Some(kubeconfig) = kubeconfig {
        command.env("KUBECONFIG", kubeconfig);
    }
    command.env_remove("KUBEBUILDER_ASSETS");
    let output = command.output().unwrap();
    let told = told(&output);
    assert_eq!(output.status.code(), Some(4), "{told}");
    let own = String::from_utf8_lossy(&output.stderr);
    assert_eq!(own.trim_end().lines().count(), 1, "{told}");
    for want in want {
        assert!(told.contains(want), "{want}: {told}");
    }
}

/// A kubeconfig with one context.
fn kubeconfig(server: &str) -> (tempfile::TempDir, std::path::PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("config");
    let text = format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: dev\n\
         contexts: [{{ name: dev, context: {{ cluster: c, user: u }} }}]\n\
         clusters: [{{ name: c, cluster: {{ server: \"{server}\" }} }}]\n\
         users: [{{ name: u, user: {{}} }}]\n"
    );
    fs::write(&file, text).unwrap();
    (folder, file)
}

#[test]
fn a_server_that_is_not_there() {
    let (_folder, file) = kubeconfig("https://127.0.0.1:1");
    refused("kubeconfig", Some(&file), &["https://127.0.0.1:1", "cannot be used", "refused"]);
}

/// A server that takes connections and never says a word.
fn silent() -> (std::net::TcpListener, tempfile::TempDir, std::path::PathBuf) {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let (folder, file) = kubeconfig(&format!("https://127.0.0.1:{port}"));
    (listener, folder, file)
}

#[test]
fn a_server_that_never_answers() {
    let (_listener, _folder, file) = silent();
    refused("kubeconfig", Some(&file), &["cannot be used", "no answer in 10 s"]);
}

#[test]
fn an_interrupt_while_the_server_is_waited_for() {
    let (listener, _folder, file) = silent();
    let folder = folder(SMALL);
    let mut command = towtank(folder.path(), &["run", ".", "--cluster", "kubeconfig"]);
    let child = command.env("KUBECONFIG", &file).spawn().unwrap();
    let (_held, _) = listener.accept().unwrap();
    signal(&child, "-INT");
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(4), "{}", told(&output));
    assert_eq!(told(&output), "interrupted\n");
}

#[test]
fn a_context_that_is_not_there_or_not_allowed() {
    let (_folder, file) = kubeconfig("https://10.0.0.1:6443");
    refused("kubeconfig:prod", Some(&file), &["no context \"prod\"; it has dev"]);
    refused("kubeconfig", Some(&file), &["https://10.0.0.1:6443", "--yes-on dev"]);
}

#[test]
fn no_kubeconfig_at_all() {
    refused("kubeconfig", None, &["no kubeconfig"]);
}

#[test]
fn no_assets_for_envtest() {
    refused("envtest", None, &["KUBEBUILDER_ASSETS is not set"]);
}

#[test]
fn a_certificate_that_is_over() {
    let over = |authority: &towtank::serve::tls::Authority, names: &[String]| -> Pair {
        let key = rcgen::KeyPair::from_pem(&authority.pair().key).unwrap();
        let mut own = rcgen::CertificateParams::default();
        own.distinguished_name.push(rcgen::DnType::CommonName, "towtank");
        own.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        own.distinguished_name = rcgen::DistinguishedName::new();
        own.distinguished_name.push(rcgen::DnType::CommonName, "towtank");
        let issuer = rcgen::Issuer::new(own, key);
        let mut params = rcgen::CertificateParams::new(names.to_vec()).unwrap();
        params.not_before = rcgen::date_time_ymd(2020, 1, 1);
        params.not_after = rcgen::date_time_ymd(2020, 2, 1);
        let key = rcgen::KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &issuer).unwrap().pem();
        Pair { certificate, key: key.serialize_pem() }
    };
    let served =
        Served::with(&over, &|authority| authority.client("admin", &["system:masters"]).unwrap());
    refused("kubeconfig", Some(&served.kubeconfig), &["cannot be used", "expired"]);
}

#[test]
fn rights_that_are_missing_for_one_kind() {
    let served =
        Served::with(&|authority, names| authority.serving(names).unwrap(), &|authority| {
            authority.client("dev", &[]).unwrap()
        });
    let before = served.names("/api/v1/namespaces");
    let role = json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole",
        "metadata": {"name": "most"}, "rules": [
            {"apiGroups": [""], "resources": ["namespaces", "events", "pods"], "verbs": ["*"]},
            {"apiGroups": ["events.k8s.io", "apps"], "resources": ["*"], "verbs": ["*"]},
            {"apiGroups": [""], "resources": ["configmaps"], "verbs": ["get", "create", "patch"]}]});
    let binding = json!({"apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRoleBinding", "metadata": {"name": "most"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "most"},
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "dev"}]});
    let rbac = "/apis/rbac.authorization.k8s.io/v1";
    assert_eq!(served.post(&format!("{rbac}/clusterroles"), &role), 201);
    assert_eq!(served.post(&format!("{rbac}/clusterrolebindings"), &binding), 201);
    refused("kubeconfig", Some(&served.kubeconfig), &["the rights to list configmaps are missing"]);
    assert_eq!(served.names("/api/v1/namespaces"), before);
}

#[test]
fn something_of_somebody_elses_that_the_run_would_change() {
    let served = Served::start();
    let before = served.names("/api/v1/namespaces");
    let map = json!({"apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"name": "settings", "namespace": "default"}, "data": {"key": "mine"}});
    assert_eq!(served.post("/api/v1/namespaces/default/configmaps", &map), 201);
    let scenario = SMALL.replace("namespace: shop", "namespace: default");
    let folder = folder(&scenario.replace("configmap/shop/", "configmap/default/"));
    let mut command = towtank(folder.path(), &["run", ".", "--cluster", "kubeconfig"]);
    let output = command.env("KUBECONFIG", &served.kubeconfig).output().unwrap();
    let told = told(&output);
    assert_eq!(output.status.code(), Some(4), "{told}");
    assert!(told.contains("configmaps/default/settings was in the cluster before"), "{told}");
    assert_eq!(served.names("/api/v1/namespaces"), before);
}

#[test]
fn a_quota_that_leaves_no_room() {
    let served = Served::start();
    let before = served.names("/api/v1/namespaces");
    let quota = json!({"apiVersion": "v1", "kind": "ResourceQuota",
        "metadata": {"name": "team", "namespace": "default"},
        "spec": {"hard": {"count/secrets": "1"}}});
    assert_eq!(served.post("/api/v1/namespaces/default/resourcequotas", &quota), 201);
    let secret = |name: &str| {
        let secret = json!({"apiVersion": "v1", "kind": "Secret",
            "metadata": {"name": name, "namespace": "default"}});
        served.post("/api/v1/namespaces/default/secrets", &secret)
    };
    // The quota counts what is there some time after it was made.
    let mut tries = 0;
    while secret(&format!("taken-{tries}")) != 403 {
        tries += 1;
        assert!(tries < 200, "the quota is never full");
        served.pause();
    }
    let scenario = "\
name: full
description: There is no room for a Secret.
repo:
  files:
    secret.yaml: |
      apiVersion: v1
      kind: Secret
      metadata: { name: mine }
apps: [{ name: web, path: . }]
steps:
  - expect: { app: web, ready: { within: 20s } }
";
    let folder = folder(scenario);
    let mut command = towtank(folder.path(), &["run", ".", "--cluster", "kubeconfig"]);
    let output = command.env("KUBECONFIG", &served.kubeconfig).output().unwrap();
    let told = told(&output);
    assert_eq!(output.status.code(), Some(4), "{told}");
    assert!(told.contains("quota"), "{told}");
    assert_eq!(served.names("/api/v1/namespaces"), before);
}

#[test]
fn a_flag_that_means_nothing_in_a_place_is_refused() {
    let check = |args: &[&str], want: &[&str]| {
        let folder = folder(SMALL);
        let args: Vec<&str> = ["run", ".", "--out", "kept"].iter().chain(args).copied().collect();
        let output = towtank(folder.path(), &args).output().unwrap();
        let told = told(&output);
        assert_eq!(output.status.code(), Some(2), "{told}");
        assert_eq!(told.lines().count(), want.len(), "{told}");
        for want in want {
            assert!(told.contains(want), "{want}: {told}");
        }
        assert!(!folder.path().join("kept").exists(), "{args:?}");
    };
    let made = "is for --cluster kind and k3d, not for --cluster memory";
    check(&["--nodes", "2"], &[&format!("--nodes: {made}")]);
    check(&["--nodes", "2", "--k8s-version", "1.36.3"], &["--k8s-version: ", "--nodes: "]);
    check(&["--cluster", "apiserver", "--keep"], &["not for --cluster apiserver"]);
    check(&["--cluster", "envtest", "--pods", "real"], &["--pods: "]);
    check(&["--cluster", "kind", "--yes-on", "prod"], &["--yes-on: is for --cluster kubeconfig,"]);
}
