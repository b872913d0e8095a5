//! What a good scenario comes to, and that it can be written and read again.
#![expect(clippy::unwrap_used, reason = "a test ends at the first thing that is not there")]

use std::fs;
use std::path::Path;
use std::time::Duration;

use towtank::engine::model::{DriftPolicy, FailurePolicy};
use towtank::lab::scenario::model::{
    Action, Crash, DriftKind, Edit, EngineAction, Expected, FieldStep, Live, Moment, ObjectState,
    Pull, PushKind, Ready, Repo, Rev, State, Stop, Target,
};
use towtank::lab::scenario::{Scenario, parse, schema, write};
use towtank::object::json;

use super::good;

/// Every key of the language once.
pub(super) const FULL: &str = r#"
name: everything
description: Every key of the language.
repo: ./shop
world: { profile: cold, nodes: 5, stages: stages.yaml }
seed: 7
apps:
  - { name: infra, path: ./infra/ }
  - name: shop
    path: overlays/prod
    namespace: shop
    depends-on: [infra]
    on-failure: rollback
    drift: report
    health-timeout: 30s
    prune: false
images:
  "shop/*": { pull: 800ms, start: 1500us, ready: 1500ms, stop: ignored }
  "shop/cart:bad": { pull: fails, ready: never, crash: after 5s, live: until 10s }
  "shop/job": { crash: { after: 5s, exit-code: 3, times: 2 }, exit: { after: 2s, code: 1 }, stop: 1s }
  "shop/slow": { pull: never, stop: hangs }
foreign:
  - name: certificates
    kind: Certificate.cert-manager.io
    when: { namespace: shop, name: "web-*", labels: { a: b }, annotations: { c: d }, has: { spec: { x: 1 } }, conditions: { Ready: absent } }
    after: 1s..3s
    weight: 2
    outcome: failed
    condition: Ready
    reason: Pending
    message: waits
    set: { status.phase: Waiting }
    secret: { name: "{spec.secretName}", type: Opaque, keys: [a], keys-of: spec.a, key-of-each: "spec.b[].c", owned: true }
    create: [{ apiVersion: v1, kind: ConfigMap, metadata: { name: x } }]
steps:
  - name: first deploy
    expect: { app: shop, ready: { within: 12s } }
  - push:
      set-image: { shop/cart: "1.10" }
      write:
        a.yaml: |
          a: 1
           - b
        empty: ""
        odd: "  x

"
      edit: { file: b.yaml, object: deployment/cart, set: { spec.replicas: 3, "a[0].b[name=c]": null } }
      delete: [c.yaml, d]
      message: several
      label: good
    expect:
      - { app: shop, ready: { within: 60s, after: noticed, for: 30s } }
      - { app: shop, failed: { because: "text, with: {signs}" } }
      - { app: shop, never: preempted }
      - { object: deployment/shop/cart, has: { spec: { replicas: 3, a: [{ name: x }] } }, within: 5s, for: 10s }
      - { object: configmap/x, absent: true }
      - { object: configmap/x, never: { has: { data: { a: "yes" } } } }
      - { object: configmap/x, never: { absent: true } }
      - { requests: { app: shop, at-most: 3 } }
      - { requests: { at-most: 0 } }
      - { note: { on: good, contains: text, within: 1s } }
      - { event: { app: shop, reason: RolledBack, within: 1s } }
  - push: { edit: [{ file: b.yaml, set: { a: [1, two, null] } }], write: { b: x } }
  - push: { revert: HEAD, message: back, label: back }
  - push: { force-push: good, label: forced }
  - push: { merge: { branch: next/one }, message: merge }
  - push: { tag: v1 }
  - drift: { patch: deployment/shop/cart, set: { "metadata.labels[a.b/c]": x }, as: somebody }
    expect: { app: shop, rolled-back: { to: previous, within: 10s, after: failed } }
  - drift: { scale: deployment/shop/cart, replicas: 0 }
    expect: { app: shop, reverted: { to: v1 } }
  - drift: { delete: service/shop/cart, may-fail: true }
  - drift: { create: { apiVersion: v1, kind: ConfigMap, metadata: { name: x, namespace: shop } } }
  - drift: { apply: { apiVersion: v1, kind: ConfigMap, metadata: { name: x } }, as: me, force: true }
  - image: { "shop/cart:bad": { ready: 1s } }
  - wait: 90s
  - engine: stop
  - engine: start
  - engine: restart
  - fault: watch-drop
  - fault: compact
  - fault: { answer: 500, verb: patch, kind: Deployment, skip: 1, count: 2 }
  - fault: { answer: timeout-after-commit }
  - fault: end
  - node: { name: node-1, stop: true }
  - node: { name: node-1, start: true }
  - node: { name: node-2, cordon: true }
  - node: { name: node-2, uncordon: true }
  - node: { name: node-2, drain: true }
  - node: { name: node-2, delete: true }
  - node: { name: node-1, out-of-service: true }
  - foreign: [{ kind: Pod, outcome: never }]
  - engine: { restart: { after-writes: 2 } }
    expect: [{ app: shop, held: {} }, { app: shop, corrected: {} }, { app: infra, reported: }]
  - ci:
      build: 12s
      edit: { file: kustomization.yaml, set: { "images[name=shop/cart].newTag": 0a1b2c3 } }
      message: deploy 0a1b2c3
      label: built
    expect: { app: shop, ready: { within: 30s } }
  - ci: { build: 1500ms, set-image: { shop/cart: "1.11" } }
    expect: { note: { on: built, contains: x } }
  - wait: { until: 20m }
"#;

fn full() -> Scenario {
    parse(Path::new("dir/full.scenario.yaml"), FULL).unwrap_or_else(|problems| panic!("{problems}"))
}

#[test]
fn a_file_becomes_what_it_says() {
    let scenario = full();
    let Repo::Folder { written, path } = &scenario.repo else { panic!("{:?}", scenario.repo) };
    assert_eq!((written.value.as_str(), path.as_path()), ("./shop", Path::new("dir/shop")));
    assert_eq!((scenario.world.profile.name, scenario.world.nodes), ("cold", 5));
    let app = &scenario.apps[1].app;
    assert_eq!((app.path.as_str(), app.namespace.as_str()), ("overlays/prod", "shop"));
    assert_eq!((app.on_failure, app.drift), (FailurePolicy::Rollback, DriftPolicy::Report));
    assert_eq!((app.health_timeout, app.prune), (Duration::from_secs(30), false));
    assert_eq!(scenario.apps[0].app.path, "infra");
    let job = &scenario.images[2].script;
    assert_eq!(
        job.crash,
        Some(Crash { after: Duration::from_secs(5), exit_code: 3, times: Some(2) })
    );
    let bad = &scenario.images[1].script;
    assert_eq!((bad.pull, bad.ready), (Some(Pull::Fails), Some(Ready::Never)));
    assert_eq!(bad.live, Some(Live::Until(Duration::from_secs(10))));
    assert_eq!(scenario.images[3].script.stop, Some(Stop::Hangs));
}

#[test]
fn a_push_becomes_its_edits_in_the_order_of_the_file() {
    let scenario = full();
    let Some(Action::Push(push)) = &scenario.steps[1].action else { panic!("no push") };
    let PushKind::Commit(commit) = &push.kind else { panic!("no commit") };
    let shown: Vec<_> = commit.edits.iter().map(ToString::to_string).collect();
    assert_eq!(
        shown,
        [
            "set-image shop/cart:1.10",
            "write a.yaml",
            "write empty",
            "write odd",
            "edit b.yaml spec.replicas=3 a[0].b[name=c]=null",
            "delete c.yaml",
            "delete d"
        ]
    );
    let Edit::Set { fields, .. } = &commit.edits[4] else { panic!("no edit") };
    let item = FieldStep::Item { key: "name".into(), value: "c".into() };
    assert_eq!(fields[1].path.value.0[3], item);
    let Some(Action::Push(second)) = &scenario.steps[2].action else { panic!("no push") };
    assert_eq!(second.to_string(), "edit b.yaml a=[1,\"two\",null], write b");
}

#[test]
fn expectations_become_what_is_to_be_seen() {
    let scenario = full();
    let shown: Vec<_> = scenario.steps[1].expect.iter().map(|e| e.expected.to_string()).collect();
    assert_eq!(
        shown,
        [
            "shop ready within 1m after noticed for 30s",
            "shop failed because \"text, with: {signs}\"",
            "shop is never preempted",
            "deployment/shop/cart has {\"spec\":{\"a\":[{\"name\":\"x\"}],\"replicas\":3}} within 5s for 10s",
            "configmap/x is absent",
            "never: configmap/x has {\"data\":{\"a\":\"yes\"}}",
            "never: configmap/x is absent",
            "at most 3 requests for shop",
            "at most 0 requests",
            "note on good contains \"text\" within 1s",
            "event RolledBack of shop within 1s"
        ]
    );
    let Expected::State(back) = &scenario.steps[7].expect[0].expected else { panic!("no state") };
    assert_eq!(back.state, State::RolledBack);
    assert_eq!(back.after, Some(Moment::State(State::Failed)));
    assert_eq!(back.to.as_ref().map(|to| &to.value), Some(&Target::Previous));
    let Expected::State(back) = &scenario.steps[8].expect[0].expected else { panic!("no state") };
    assert_eq!(back.to.as_ref().map(|to| &to.value), Some(&Target::Rev(Rev::Label("v1".into()))));
    let Expected::Object { state, .. } = &scenario.steps[1].expect[3].expected else {
        panic!("no object")
    };
    let part = json!({ "spec": { "replicas": 3, "a": [{ "name": "x" }] } });
    assert_eq!(*state, ObjectState::Has(part));
}

#[test]
fn steps_are_told_on_one_line() {
    let scenario = full();
    let shown: Vec<_> = scenario.steps[3..].iter().map(ToString::to_string).collect();
    assert_eq!(
        shown,
        [
            "push revert HEAD",
            "push force-push good",
            "push merge next/one",
            "push tag v1",
            "drift patch deployment/shop/cart metadata.labels[a.b/c]=\"x\" as somebody",
            "drift scale deployment/shop/cart to 0 as kubectl",
            "drift delete service/shop/cart as kubectl",
            "drift create configmap/shop/x as kubectl",
            "drift apply configmap/x, with force as me",
            "image shop/cart:bad: ready 1s",
            "wait 90s",
            "engine stop",
            "engine start",
            "engine restart",
            "fault watch-drop",
            "fault compact",
            "fault 500 to 2 patch of Deployment after 1",
            "fault timeout-after-commit to 1 write",
            "fault end",
            "node stop node-1",
            "node start node-1",
            "node cordon node-2",
            "node uncordon node-2",
            "node drain node-2",
            "node delete node-2",
            "node out-of-service node-1",
            "foreign Pod",
            "engine restart after 2 writes",
            "ci deploy 0a1b2c3 after a build of 12s",
            "ci set-image shop/cart:1.11 after a build of 1500ms",
            "wait until 20m"
        ]
    );
    let Some(Action::Engine(action)) = &scenario.steps[30].action else { panic!("no engine") };
    assert_eq!(*action, EngineAction::RestartAfterWrites(2));
    let Some(Action::Drift(drift)) = &scenario.steps[11].action else { panic!("no drift") };
    assert!(matches!(drift.kind, DriftKind::Apply { force: true, .. }));
}

/// A model without the places of its parts.
fn without_places(scenario: &Scenario) -> String {
    let text = format!("{scenario:#?}");
    let lines = text.lines().filter(|line| {
        let line = line.trim_start();
        !line.starts_with("line: ") && !line.starts_with("column: ")
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[track_caller]
pub(super) fn check_round_trip(scenario: &Scenario) {
    let text = write(scenario);
    let again = parse(&scenario.file, &text).unwrap_or_else(|p| panic!("{p}\nof\n{text}"));
    assert_eq!(without_places(&again), without_places(scenario), "by way of\n{text}");
    assert_eq!(write(&again), text);
}

#[test]
fn what_is_written_reads_back_as_the_same_scenario() {
    check_round_trip(&full());
    check_round_trip(&good("- wait: 1s\n"));
    check_round_trip(&example());
}

/// The example of the language's page.
fn example() -> Scenario {
    let page =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/README.md"));
    let page = page.unwrap();
    let text = page.split("```yaml\n").nth(1).unwrap().split("```").next().unwrap();
    parse(Path::new("example.scenario.yaml"), text).unwrap_or_else(|problems| panic!("{problems}"))
}

#[test]
fn the_page_of_the_language_names_every_key() {
    let page =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/README.md"));
    let page = page.unwrap();
    let schema = schema();
    let mut maps: Vec<_> = schema["$defs"].as_object().unwrap().values().collect();
    maps.push(&schema);
    for key in maps.iter().filter_map(|map| map["properties"].as_object()).flat_map(|p| p.keys()) {
        let named = ["`KEY`", "`KEY:", " KEY:", "{ KEY:"].map(|form| form.replace("KEY", key));
        assert!(named.iter().any(|form| page.contains(form)), "{key}");
    }
}
