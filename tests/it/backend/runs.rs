//! Scenarios that are run over the wire, and what they leave behind.
#![expect(clippy::unwrap_used, reason = "a test ends at the first thing that is not there")]

use super::places::{SMALL, Served, folder, signal, told, towtank, waiting};

/// A repository with a Deployment, up to the spec of its pods.
const WEB: &str = "\
repo:
  files:
    web.yaml: |
      apiVersion: apps/v1
      kind: Deployment
      metadata: { name: web, namespace: shop }
      spec:
        selector: { matchLabels: { app: web } }
        template:
          metadata: { labels: { app: web } }
";

/// Runs a scenario in a place; what was printed.
#[track_caller]
fn check(scenario: &str, args: &[&str], want: &[&str]) {
    let folder = folder(scenario);
    let args: Vec<&str> = ["run", "."].into_iter().chain(args.iter().copied()).collect();
    let output = towtank(folder.path(), &args).output().unwrap();
    let told = told(&output);
    assert_eq!(output.status.code(), Some(0), "{told}");
    for want in want {
        assert!(told.contains(want), "{want}: {told}");
    }
}

#[test]
fn a_scenario_runs_on_our_own_server_over_https() {
    check(SMALL, &["--cluster", "apiserver"], &["pass  small", "real,"]);
}

#[test]
fn a_push_is_heard_of_by_looking_too() {
    let polled = SMALL.replace("apps:", "notice: { poll: 500ms }\napps:");
    check(&polled, &["--cluster", "apiserver"], &["pass  small"]);
}

#[test]
fn a_bad_image_is_reverted_in_the_repository_on_the_server() {
    let scenario = ["\
name: revert
description: A bad image is taken back by a commit of the engine.
", WEB, "          spec: { containers: [{ name: web, image: \"shop/web:1\" }] }
apps: [{ name: web, path: ., namespace: shop, on-failure: revert }]
images: { \"shop/web:bad\": { pull: fails } }
steps:
  - push: { set-image: { shop/web: bad } }
    expect:
      - { app: web, reverted: { within: 60s } }
      - { note: { on: HEAD~1, contains: web }, within: 60s }
      - { object: deployment/shop/web, has: { spec: { template: { spec: { containers: [{ image: \"shop/web:1\" }] } } } }, within: 60s }
"].concat();
    let noted = scenario
        .replace("}, within: 60s }\n      - { object", ", within: 60s } }\n      - { object");
    check(&noted, &["--cluster", "apiserver", "--profile", "instant"], &["pass  revert"]);
}

/// R-CTL-38.
#[test]
fn stages_of_a_scenario_and_of_its_steps_count_on_our_own_server() {
    let scenario = [
        "\
name: gate
description: A gate is met by nobody, then by a stage.
",
        WEB,
        "          spec:
            readinessGates: [{ conditionType: example.com/gate }]
            containers: [{ name: web, image: \"shop/web:1\" }]
apps: [{ name: web, path: ., namespace: shop }]
foreign: [{ kind: Pod, when: { labels: { app: web } }, outcome: never }]
steps:
  - expect:
      object: deployment/shop/web
      has: { status: { unavailableReplicas: 1 } }
      within: 20s
      for: 2s
  - foreign: [{ kind: Pod, when: { labels: { app: web } }, condition: example.com/gate }]
    expect: { app: web, ready: { within: 60s } }
",
    ]
    .concat();
    check(&scenario, &["--cluster", "apiserver", "--profile", "instant"], &["pass  gate"]);
}

/// R-CTL-30.
#[test]
fn a_node_that_falls_silent_starts_no_pod_until_it_is_back() {
    let scenario = [
        "\
name: silent
description: The only node falls silent, and a rollout waits for it.
world: { nodes: 1 }
",
        WEB,
        "          spec: { containers: [{ name: web, image: \"shop/web:1\" }] }
apps: [{ name: web, path: ., namespace: shop }]
steps:
  - node: { name: node-1, stop: true }
  - push: { set-image: { shop/web: \"2\" } }
    expect:
      object: deployment/shop/web
      has: { status: { updatedReplicas: 1, unavailableReplicas: 1, availableReplicas: 1 } }
      within: 20s
      for: 3s
  - node: { name: node-1, start: true }
    expect: { app: web, ready: { within: 60s } }
",
    ]
    .concat();
    check(&scenario, &["--cluster", "apiserver", "--profile", "instant"], &["pass  silent"]);
}

#[test]
fn what_a_place_does_not_give_is_skipped_by_name() {
    let long = format!("{SMALL}  - wait: 1h\n");
    let why = "apiserver does not give virtual-time";
    check(&long, &["--cluster", "apiserver"], &[why, "1 skipped"]);
    let served = Served::start();
    let folder = folder(&SMALL.replace("apps:", "needs: [scripted-images]\napps:"));
    let mut command = towtank(folder.path(), &["run", ".", "--cluster", "kubeconfig"]);
    let output = command.env("KUBECONFIG", &served.kubeconfig).output().unwrap();
    let told = told(&output);
    assert!(told.contains("kubeconfig does not give scripted-images"), "{told}");
    assert_eq!(output.status.code(), Some(0), "{told}");
}

#[test]
fn a_run_on_a_kubeconfig_leaves_the_cluster_as_it_was() {
    let served = Served::start();
    let before = served.names("/api/v1/namespaces");
    let folder = folder(SMALL);
    let run = |args: &[&str]| {
        let args: Vec<&str> = ["run", ".", "--cluster", "kubeconfig"]
            .into_iter()
            .chain(args.iter().copied())
            .collect();
        let mut command = towtank(folder.path(), &args);
        command.env("KUBECONFIG", &served.kubeconfig).output().unwrap()
    };
    let output = run(&[]);
    assert_eq!(output.status.code(), Some(0), "{}", told(&output));
    assert_eq!(served.names("/api/v1/namespaces"), before);
    // What is kept is in the way of the next run, which says so and changes nothing.
    assert_eq!(run(&["--keep"]).status.code(), Some(0));
    let kept = served.names("/api/v1/namespaces");
    assert!(kept.contains(&"shop".to_owned()), "{kept:?}");
    let refused = run(&[]);
    assert_eq!(refused.status.code(), Some(4));
    let refused = told(&refused);
    assert!(refused.contains("namespace shop is there already"), "{refused}");
    assert!(refused.contains("kubectl delete namespace -l towtank.dev/run="), "{refused}");
    assert_eq!(served.names("/api/v1/namespaces"), kept);
}

#[test]
fn an_interrupted_run_leaves_nothing_behind() {
    let served = Served::start();
    let before = served.names("/api/v1/namespaces");
    let folder = folder(&waiting());
    let mut command = towtank(folder.path(), &["run", ".", "--cluster", "kubeconfig"]);
    let child = command.env("KUBECONFIG", &served.kubeconfig).spawn().unwrap();
    let mut tries = 0;
    while !served.names("/api/v1/namespaces/shop/configmaps").contains(&"settings".to_owned()) {
        tries += 1;
        assert!(tries < 600, "nothing was deployed");
        served.pause();
    }
    signal(&child, "-INT");
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(4), "{}", told(&output));
    assert!(told(&output).contains("interrupted"), "{}", told(&output));
    assert_eq!(told(&output).lines().count(), 1, "{}", told(&output));
    assert_eq!(served.names("/api/v1/namespaces"), before);
}

#[test]
fn a_scenario_runs_on_etcd_and_kube_apiserver_with_our_own_controllers() {
    if std::env::var_os("KUBEBUILDER_ASSETS").is_none() {
        eprintln!("skipped: KUBEBUILDER_ASSETS names no folder with etcd and kube-apiserver");
        return;
    }
    check(SMALL, &["--cluster", "envtest"], &["pass  small"]);
}
