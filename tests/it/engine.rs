//! The engine alone, its answers given by the test: what a scenario cannot bring about, because
//! the simulated cluster never does it (answers that fail for ever) or because it hangs on which
//! of two answers comes first.

mod bench;

use std::time::Duration;

use bench::{Bench, artifact, config_map};
use towtank::api::{Reason, Request, Response, Status};
use towtank::base::{Event, limits};
use towtank::engine::model::{App, FailurePolicy};
use towtank::engine::{Action, Input};

const MINUTE: Duration = Duration::from_secs(60);

fn webhook_is_down(_: &Request) -> Option<Response> {
    Some(Status::new(500, Reason::InternalError, "failed calling webhook").into())
}

fn is_away(_: &Request) -> Option<Response> {
    Some(Status::new(503, Reason::ServiceUnavailable, "etcd has no leader").into())
}

/// A bench whose only App is ready at a commit with this one ConfigMap.
fn with_config_map() -> Bench {
    let mut bench = Bench::new(&[App::new("app", "")]);
    bench.start(&artifact("one", &[("config.yaml", &config_map("config", "one"))]));
    bench.pass(MINUTE);
    assert_eq!(bench.count(|event| matches!(event, Event::Ready { .. })), 1);
    bench
}

#[test]
fn an_apply_that_fails_for_a_passing_reason_is_given_up_when_its_time_is_over() {
    let mut bench = with_config_map();
    bench.refuse("configmaps/default", webhook_is_down);
    let before = bench.sent("configmaps/default").len();
    bench.push(&artifact("two", &[("config.yaml", &config_map("config", "two"))]));
    bench.pass(limits::HEALTH_TIMEOUT - MINUTE);
    assert_eq!(bench.count(|event| matches!(event, Event::Failed { .. })), 0);
    bench.pass(2 * MINUTE);
    assert_eq!(bench.count(|event| matches!(event, Event::Failed { .. })), 1, "told once");
    assert_eq!(bench.count(|event| matches!(event, Event::Held { .. })), 1);
    let tries = bench.sent("configmaps/default").len() - before;
    assert!(tries < 25, "{tries} tries in five minutes");
    bench.refuse_nothing();
    bench.pass(60 * MINUTE);
    assert_eq!(bench.sent("configmaps/default").len() - before, tries, "it is left as it is");
}

#[test]
fn a_deployment_waits_as_long_as_the_api_server_is_away() {
    let mut bench = with_config_map();
    bench.refuse("", is_away);
    bench.push(&artifact("two", &[("config.yaml", &config_map("config", "two"))]));
    bench.pass(60 * MINUTE);
    assert_eq!(bench.count(|event| matches!(event, Event::Failed { .. })), 0);
    bench.refuse_nothing();
    bench.pass(MINUTE);
    assert_eq!(bench.count(|event| matches!(event, Event::Ready { .. })), 2);
}

#[test]
fn a_correction_that_cannot_be_taken_is_sent_less_and_less_and_told_once() {
    let mut bench = with_config_map();
    bench.refuse("configmaps/default", webhook_is_down);
    let before = bench.sent("configmaps/default").len();
    bench.change(&config_map("config", "drifted"));
    bench.pass(5 * MINUTE);
    let times = bench.sent("configmaps/default");
    let pauses: Vec<u64> =
        times[before..].windows(2).map(|pair| pair[1].since(pair[0]).as_secs()).collect();
    assert_eq!(pauses, [1, 2, 4, 8, 16, 30, 30, 30, 30, 30, 30, 30, 30]);
    let is_told = |event: &Event| matches!(event, Event::DriftReported { .. });
    assert_eq!(bench.count(is_told), 1);
    bench.refuse_nothing();
    bench.pass(MINUTE);
    assert_eq!(bench.count(|event| matches!(event, Event::DriftCorrected { .. })), 1);
}

#[test]
fn a_fix_that_comes_before_the_tree_to_go_back_to_is_not_rolled_back() {
    let mut app = App::new("app", "");
    app.on_failure = FailurePolicy::Rollback;
    let mut bench = Bench::new(std::slice::from_ref(&app));
    let good = artifact("good", &[("config.yaml", &config_map("config", "one"))]);
    let more = config_map("more", "one");
    let bad =
        artifact("bad", &[("config.yaml", &config_map("config", "bad")), ("more.yaml", &more)]);
    bench.start(&good);
    bench.pass(MINUTE);
    // Half of it is refused once it is sent in earnest.
    bench.refuse("configmaps/default/more", |request| {
        let refused = Status::new(403, Reason::Forbidden, "exceeded quota");
        (!request.options.dry_run).then(|| refused.into())
    });
    bench.push(&bad);
    bench.pass(MINUTE);
    assert_eq!(bench.count(|event| matches!(event, Event::RolledBack { .. })), 1);
    bench.refuse_nothing();
    // Started anew, the engine asks for the tree to go back to; the fix is there first.
    bench.restart(&[app]);
    bench.step(Input::Start);
    bench.pass(Duration::from_secs(1));
    bench.push(&bad);
    bench.pass(Duration::from_secs(1));
    assert!(bench.actions.contains(&Action::Fetch { commit: Some("good".into()) }));
    let fixed = artifact("fixed", &[("config.yaml", &config_map("config", "fixed"))]);
    bench.push(&fixed);
    bench.step(Input::Fetched { asked: Some("good".into()), artifact: good });
    bench.pass(MINUTE);
    assert_eq!(bench.text_of("config"), "fixed");
}

#[test]
fn no_correction_is_sent_of_what_is_about_to_be_deleted() {
    let mut bench = Bench::new(&[App::new("app", "")]);
    let kept = |text: &str| config_map("kept", text);
    let gone = config_map("gone", "one");
    bench.start(&artifact("one", &[("kept.yaml", &kept("one")), ("gone.yaml", &gone)]));
    bench.pass(MINUTE);
    bench.hold("configmaps/default/kept");
    bench.push(&artifact("two", &[("kept.yaml", &kept("two"))]));
    bench.pass(Duration::from_secs(1));
    let before = bench.sent("configmaps/default/gone").len();
    // The apply of the other object is not answered yet: the deletion is still to come.
    bench.change(&config_map("gone", "drifted"));
    bench.pass(Duration::from_secs(1));
    assert_eq!(bench.sent("configmaps/default/gone").len(), before);
    bench.hold_nothing();
    bench.pass(MINUTE);
    assert_eq!(bench.sent("configmaps/default/gone").len(), before + 1, "the deletion alone");
}

#[test]
fn a_head_that_cannot_be_fetched_is_asked_for_again_less_and_less() {
    let mut bench = with_config_map();
    bench.actions.clear();
    let told = bench.sent("events/").len();
    let is_fetch = |action: &&Action| matches!(action, Action::Fetch { commit: None });
    for _ in 0..3 {
        bench.step(Input::Pushed);
    }
    let mut all = 0;
    for _ in 0..1_000 {
        let fetches = bench.actions.iter().filter(is_fetch).count();
        bench.actions.clear();
        all += fetches;
        for _ in 0..fetches {
            bench.step(Input::FetchFailed { asked: None, message: "no route to host".to_owned() });
        }
        bench.pass(Duration::from_secs(1));
    }
    assert!((30..60).contains(&all), "{all} fetches in a thousand seconds");
    assert_eq!(bench.sent("events/").len() - told, 1, "told once");
    assert!(bench.engine.pending().is_some(), "it is not at rest until it has the head");
    bench.step(Input::Fetched {
        asked: None,
        artifact: artifact("two", &[("config.yaml", &config_map("config", "two"))]),
    });
    bench.pass(MINUTE);
    assert_eq!(bench.text_of("config"), "two");
    assert!(bench.engine.pending().is_none());
}

#[test]
fn nothing_is_applied_before_its_name_is_in_the_inventory() {
    let mut bench = with_config_map();
    let one = config_map("config", "one");
    bench.refuse("configmaps/towtank-system", webhook_is_down);
    bench.push(&artifact("two", &[("a.yaml", &one), ("b.yaml", &config_map("new", "two"))]));
    bench.pass(Duration::from_secs(1));
    bench.push(&artifact("three", &[("a.yaml", &one), ("b.yaml", &config_map("new", "three"))]));
    bench.pass(MINUTE);
    assert!(bench.sent("configmaps/default/new").is_empty());
    bench.refuse_nothing();
    bench.pass(MINUTE);
    assert_eq!(bench.text_of("new"), "three");
}

/// The commits that are pushed in a run of chances.
fn commits() -> Vec<std::sync::Arc<towtank::engine::model::Artifact>> {
    let commit = |name: &str, objects: &[&str]| {
        let files: Vec<(String, String)> = objects
            .iter()
            .map(|object| {
                (format!("{object}.yaml"), config_map(object, &format!("{name}{object}")))
            })
            .collect();
        let files: Vec<(&str, &str)> =
            files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
        artifact(name, &files)
    };
    vec![
        commit("1", &["a", "b"]),
        commit("2", &["a", "b", "c"]),
        commit("3", &["b"]),
        artifact("4", &[("a.yaml", "{")]),
        commit("5", &["a", "c", "d", "e"]),
        commit("6", &["a", "e"]),
    ]
}

/// Does one thing, by chance, and lets some time pass.
fn disturb(
    bench: &mut Bench,
    app: &App,
    commits: &[std::sync::Arc<towtank::engine::model::Artifact>],
) {
    match bench.draw(8) {
        0..3 => {
            let n = bench.draw(commits.len());
            bench.push(&commits[n]);
        }
        3 => {
            bench.restart(std::slice::from_ref(app));
            bench.step(Input::Start);
            let n = bench.draw(commits.len());
            bench.push(&commits[n]);
        }
        _ => {
            let names: Vec<String> = bench.texts().keys().map(ToString::to_string).collect();
            if !names.is_empty() {
                let n = bench.draw(names.len());
                bench.change(&config_map(&names[n], "drifted"));
            }
        }
    }
    // What a policy asks for of the repository.
    for action in std::mem::take(&mut bench.actions) {
        match action {
            Action::Fetch { commit: Some(asked) } => {
                let found = commits.iter().find(|commit| commit.commit == asked);
                let artifact = std::sync::Arc::clone(found.expect("it was pushed"));
                bench.step(Input::Fetched { asked: Some(asked), artifact });
            }
            Action::Revert { app, commit } => {
                let result = Err("it is protected".to_owned());
                bench.step(Input::Reverted { app, bad: commit, result });
            }
            _ => {}
        }
    }
    let pause = [1, 50, 500, 40_000][bench.draw(4)];
    bench.pass(Duration::from_millis(pause));
}

#[test]
fn whatever_fails_and_in_whatever_order_it_comes_to_rest_at_the_last_commit() {
    let commits = commits();
    for seed in 0..300 {
        let mut app = App::new("app", "");
        app.on_failure = [FailurePolicy::Hold, FailurePolicy::Rollback, FailurePolicy::Revert]
            [seed as usize % 3];
        let mut bench = Bench::new(std::slice::from_ref(&app));
        bench.start(&commits[0]);
        bench.pass(MINUTE);
        bench.shuffle(seed);
        bench.is_faulty = true;
        for _ in 0..12 {
            disturb(&mut bench, &app, &commits);
        }
        bench.is_faulty = false;
        bench.pass(30 * MINUTE);
        let last = [("a", "last a"), ("e", "last e"), ("f", "last f")];
        let files = last.map(|(name, text)| (format!("{name}.yaml"), config_map(name, text)));
        let files: Vec<(&str, &str)> =
            files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
        bench.push(&artifact("last", &files));
        bench.pass(30 * MINUTE);
        assert_eq!(bench.texts(), last.into(), "seed {seed}");
        assert_eq!(bench.engine.pending(), None, "seed {seed}");
    }
}
