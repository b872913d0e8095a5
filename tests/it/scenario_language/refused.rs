//! What is refused, and how it is told: place, what is wrong, what was expected.

use std::path::Path;

use towtank::lab::scenario::{kinds, parse};
use towtank::object::schema::builtin;

use super::{HEAD, good};

const TIME: &str = "a duration (a whole number and us, ms, s, m or h, as in 800ms or 12s)";

/// Holds the messages about `text` against `expected`, one a line, without the file's name.
#[track_caller]
fn check(text: &str, expected: &[&str]) {
    let problems = match parse(Path::new("a.scenario.yaml"), text) {
        Ok(_) => Vec::new(),
        Err(problems) => problems.0,
    };
    let told: Vec<String> = problems
        .iter()
        .map(|problem| problem.to_string().replace("a.scenario.yaml:", "").replace(TIME, "TIME"))
        .collect();
    assert_eq!(told, expected, "of\n{text}");
}

/// The same of a line 5 after [`HEAD`], with steps where the line has none.
#[track_caller]
fn check_line(line: &str, expected: &[&str]) {
    let steps = if line.starts_with("steps") { "" } else { "steps: [wait: 1s]\n" };
    check(&format!("{HEAD}{line}\n{steps}"), expected);
}

/// The same of steps, in line 5.
#[track_caller]
fn check_steps(steps: &str, expected: &[&str]) {
    check_line(&format!("steps: [{steps}]"), expected);
}

/// The same of one expectation, in line 5, column 29.
#[track_caller]
fn check_expect(expect: &str, expected: &[&str]) {
    check_steps(&format!("{{ wait: 1s, expect: {expect} }}"), expected);
}

#[test]
fn what_is_no_scenario_is_told_what_one_has() {
    check("", &["1:1: expected a scenario, found nothing"]);
    check("# only a comment\n", &["1:1: expected a scenario, found nothing"]);
    check(
        "- a",
        &[
            "1:1: expected a map with name, description, repo, remotes, world, seed, needs, notice, apps, images, metrics, foreign and steps, found a list",
        ],
    );
    check(
        "{}",
        &[
            "1:1: a scenario needs \"description\": text",
            "1:1: a scenario needs \"name\": a name of lower-case letters, digits and dashes",
            "1:1: a scenario needs \"repo\": text, or a map with files",
            "1:1: a scenario needs \"steps\": a list (a map with one of push, ci, drift, image, metrics, \
              wait, fault, engine, node, foreign)",
        ],
    );
    let good = format!("{HEAD}steps: [wait: 1s]\n");
    check(&good, &[]);
    check(&format!("{good}---\n{good}"), &["7:1: a second document; expected one scenario a file"]);
    check(&format!("{good}name: b\n"), &["6:1: key \"name\" is already set at line 1"]);
}

#[test]
fn text_that_is_no_yaml_is_told_where_it_stops_being_yaml() {
    for (text, place) in
        [("name: [a\n", "1:7: "), ("name: a\n\tb: c\n", "1:7: "), ("a: *b", "1:4: ")]
    {
        let problems = parse(Path::new("a.scenario.yaml"), text).unwrap_err();
        let told = problems.to_string();
        assert!(told.starts_with(&format!("a.scenario.yaml:{place}")), "{told}");
    }
}

#[test]
fn a_key_that_is_unknown_is_told_with_the_nearest_that_is_known() {
    check_line("step: []", &["5:1: unknown key \"step\" in a scenario; did you mean \"steps\"?"]);
    check_line(
        "colour: red",
        &["5:1: unknown key \"colour\" in a scenario; expected name, description, repo, \
           remotes, world, seed, needs, notice, apps, images, metrics, foreign or steps"],
    );
    check_line(
        "world: { profil: warm }",
        &["5:10: unknown key \"profil\" in a world; did you mean \"profile\"?"],
    );
    check_expect(
        "{ app: shop, redy: {} }",
        &["5:42: unknown key \"redy\" in an expectation of an App; did you mean \"ready\"?"],
    );
    check_expect(
        "{ app: shop, ready: {}, within: 3s }",
        &["5:53: unknown key \"within\" in an expectation of ready; it belongs inside \"ready\""],
    );
}

#[test]
fn a_value_of_the_wrong_kind_is_told_with_what_was_expected() {
    check_line(
        "world: { profile: hot, nodes: 0 }",
        &[
            "5:19: expected instant, warm or cold, found \"hot\"",
            "5:31: expected a whole number from 1 to 1000, found the number 0",
        ],
    );
    check_line("seed: -1", &["5:7: expected a whole number from 0 on, found the number -1"]);
    check_line(
        "images: { a: { pull: 800, ready: nver, start: 5sec, crash: 5s, live: true } }",
        &[
            "5:22: expected fails, never or TIME, found the number 800; did you mean \"800s\"?",
            "5:34: expected never or TIME, found \"nver\"; did you mean \"never\"?",
            "5:47: expected TIME, found \"5sec\"; did you mean \"5s\"?",
            "5:60: expected after and a duration, as in \"after 5s\", found \"5s\"; did you mean \
             \"after 5s\"?",
            "5:70: expected until and a duration, as in \"until 5s\", found true",
        ],
    );
    check_line(
        "images: { a: { crash: { after: 1d, times: 0 }, exit: 3 } }",
        &[
            "5:32: expected TIME, found \"1d\"",
            "5:43: expected a whole number from 1 to 1000, found the number 0",
            "5:54: expected a map with after and code, found the number 3",
        ],
    );
    check_steps("{ wait: 1.5s }", &["5:17: expected TIME, found \"1.5s\""]);
    check_steps(
        "{ name: 5, wait: 1s }",
        &["5:17: expected text, found the number 5; put it in quotes: \"5\""],
    );
    check_line(
        "steps: []",
        &[
            "5:8: expected a list (a map with one of push, ci, drift, image, metrics, wait, fault, engine, node, foreign), found an empty \
         list",
        ],
    );
}

#[test]
fn names_are_in_kebab_case() {
    check(
        "name: Bad Tag\ndescription: ' '\nrepo: x\nsteps: [wait: 1s]\n",
        &[
            "1:7: expected a name of lower-case letters, digits and dashes, found \"Bad Tag\"; did \
             you mean \"bad-tag\"?",
            "2:14: expected text, found \" \"",
        ],
    );
}

#[test]
fn apps_are_distinct_and_their_dependencies_are_there_and_no_circle() {
    let apps = |apps: &str, expected: &[&str]| {
        check(
            &format!("name: a\ndescription: d\nrepo: x\napps:\n{apps}steps: [wait: 1s]\n"),
            expected,
        );
    };
    apps(
        "- name: a\n- name: b\n- name: a\n",
        &["7:9: App \"a\" is declared twice; first in line 5"],
    );
    apps(
        "- { name: shop, depends-on: [shpo, x] }\n",
        &[
            "5:30: unknown App \"shpo\"; did you mean \"shop\"?",
            "5:36: unknown App \"x\"; expected shop",
        ],
    );
    apps(
        "- { name: a, depends-on: [a] }\n",
        &["5:27: Apps depend on each other in a circle: a → a"],
    );
    apps(
        "- { name: a, depends-on: [b] }\n- { name: b, depends-on: [c] }\n\
         - { name: c, depends-on: [a] }\n- { name: d, depends-on: [a] }\n",
        &["5:27: Apps depend on each other in a circle: a → b → c → a"],
    );
    apps(
        "- { name: a, path: ../x, on-failure: rolback }\n",
        &[
            "5:20: expected a path below the repository's root, found \"../x\"",
            "5:38: expected hold, rollback or revert, found \"rolback\"; did you mean \"rollback\"?",
        ],
    );
    check_expect("{ app: shp, ready: {} }", &["5:36: unknown App \"shp\"; did you mean \"shop\"?"]);
    check_expect(
        "{ requests: { app: shp, at-most: 3 } }",
        &["5:48: unknown App \"shp\"; did you mean \"shop\"?"],
    );
}

#[test]
fn a_step_has_one_action_or_an_expectation() {
    check_steps(
        "{ wait: 1s, engine: stop }",
        &[
            "5:21: \"engine\" cannot stand beside \"wait\": a step has one of push, ci, drift, image, \
         metrics, wait, fault, engine, node, foreign",
        ],
    );
    check_steps(
        "{}",
        &[
            "5:9: a step needs one of push, ci, drift, image, metrics, wait, fault, engine, node, foreign, expect",
        ],
    );
    check_steps(
        "{ name: x }",
        &[
            "5:9: a step without an action needs \"expect\": a map with one of app, object, requests, \
         note, event, or a list of such",
        ],
    );
}

#[test]
fn a_pipeline_builds_for_a_while_and_then_commits() {
    check_steps("{ ci: { set-image: { a: b } } }", &["5:15: a ci needs \"build\": TIME"]);
    check_steps(
        "{ ci: { build: 12s, revert: HEAD } }",
        &["5:29: unknown key \"revert\" in a ci; expected build, set-image, write, edit, delete, \
           message or label"],
    );
    check_steps(
        "{ wait: { untill: 12s } }",
        &["5:19: unknown key \"untill\" in a wait; did you mean \"until\"?"],
    );
}

#[test]
fn a_push_is_a_commit_or_one_other_thing() {
    check_steps(
        "{ push: {} }",
        &[
            "5:17: a push needs one of revert, force-push, merge, tag, set-image, write, edit, delete, \
         message, label",
        ],
    );
    check_steps(
        "{ push: { revert: HEAD, delete: [x] } }",
        &["5:33: \"delete\" does not go with \"revert\"; expected revert, message or label"],
    );
    check_steps(
        "{ push: { tag: v1, force-push: HEAD } }",
        &[
            "5:28: \"force-push\" cannot stand beside \"tag\": a push has one of revert, force-push, \
         merge, tag",
        ],
    );
    check_steps(
        "{ push: { set-image: { shop/cart:1: 2 }, write: { ../x: 5 }, delete: x } }",
        &[
            "5:32: expected an image without tag and digest, as in shop/cart, found \"shop/cart:1\"",
            "5:45: expected text, found the number 2; put it in quotes: \"2\"",
            "5:59: expected a path below the repository's root, found \"../x\"",
            "5:65: expected text, found the number 5; put it in quotes: \"5\"",
            "5:78: expected a list (a path below the repository's root), found \"x\"",
        ],
    );
    check_steps(
        "{ push: { edit: { file: a.yaml, set: { 'a..b': 1 } } } }",
        &[
            "5:48: expected a path of keys, as in spec.replicas, containers[0], containers[name=web] or \
         labels[a.b/c], found \"a..b\"",
        ],
    );
}

#[test]
fn commits_are_there_when_they_are_named() {
    check_steps(
        "{ push: { revert: HEAD~1 } }",
        &["5:27: there is no HEAD~1 at this step: the branch has 1 commit"],
    );
    check_steps("{ push: { message: m } }, { push: { revert: HEAD~1 } }", &[]);
    check_steps(
        "{ push: { revert: godo } }, { push: { message: m, label: good } }",
        &["5:27: unknown label \"godo\"; expected HEAD, HEAD~1 or a commit id"],
    );
    check_steps(
        "{ push: { message: m, label: good } }, { push: { revert: godo } }",
        &["5:66: unknown label \"godo\"; did you mean \"good\"?"],
    );
    check_steps(
        "{ push: { force-push: good } }, { push: { message: m, label: good } }",
        &["5:31: label \"good\" is given only later, in line 5"],
    );
    check_steps(
        "{ push: { message: m, label: a } }, { push: { tag: a } }",
        &["5:60: label \"a\" is given twice; first in line 5"],
    );
    check_steps(
        "{ push: { message: m, label: previous } }",
        &["5:38: \"previous\" has a meaning of its own; expected another label"],
    );
    check_steps(
        "{ push: { revert: 0123abc } }",
        &["5:27: there is no commit \"0123abc\": the repository is files, without history"],
    );
    check_steps(
        "{ push: { merge: { branch: next } } }",
        &["5:36: there is no branch \"next\": the repository is files, without history"],
    );
    check_expect(
        "{ app: shop, rolled-back: { to: previos } }",
        &["5:61: unknown label \"previos\"; did you mean \"previous\"?"],
    );
    check_expect(
        "{ note: { on: 'HEAD^', contains: x } }",
        &["5:43: expected HEAD, HEAD~1, a label, a tag or a commit id, found \"HEAD^\""],
    );
}

#[test]
fn a_drift_is_one_write() {
    check_steps(
        "{ drift: { ptch: a/b } }",
        &["5:20: unknown key \"ptch\" in a drift; did you mean \"patch\"?"],
    );
    check_steps(
        "{ drift: { as: me } }",
        &["5:18: a drift needs one of patch, scale, delete, create, apply"],
    );
    check_steps(
        "{ drift: { patch: Deployment/shop/cart, replicas: 4 } }",
        &[
            "5:18: a patch needs \"set\": a map by path of fields",
            "5:27: expected an object as kind/namespace/name or kind/name, found \
         \"Deployment/shop/cart\"; did you mean \"deployment/shop/cart\"?",
            "5:49: \"replicas\" does not go with \"patch\"; expected patch, set, as or may-fail",
        ],
    );
    check_steps(
        "{ drift: { create: { kind: Pod, metadata: {} } } }",
        &[
            "5:28: an object needs \"apiVersion\": text",
            "5:28: an object needs \"metadata.name\": text",
        ],
    );
    check_steps(
        "{ drift: { scale: deployment/a, replicas: -1 } }",
        &["5:51: expected a whole number from 0 to 100000, found the number -1"],
    );
}

#[test]
fn the_engine_is_started_when_it_is_stopped() {
    check_steps("{ engine: start }", &["5:9: the engine runs already at this step"]);
    check_steps(
        "{ engine: stop }, { engine: restart }",
        &["5:27: the engine is stopped at this step; expected start"],
    );
    check_steps("{ engine: stop }, { engine: start }, { engine: restart }", &[]);
    check_steps(
        "{ engine: strat }",
        &["5:19: expected restart, stop or start, found \"strat\"; did you mean \"start\"?"],
    );
    check_steps(
        "{ engine: { restart: {} } }",
        &["5:30: a restart needs \"after-writes\": a whole number from 1 to 100000"],
    );
}

#[test]
fn an_expectation_is_of_one_thing() {
    check_expect("{}", &["5:29: an expectation needs one of app, object, requests, note, event"]);
    check_expect(
        "{ app: shop }",
        &[
            "5:29: an expectation of an App needs one of ready, failed, rolled-back, reverted, held, \
         corrected, reported, preempted, never",
        ],
    );
    check_expect(
        "{ ready: {} }",
        &["5:29: an expectation needs one of app, object, requests, note, event"],
    );
    check_expect(
        "{ app: shop, ready: {}, failed: {} }",
        &[
            "5:53: \"failed\" cannot stand beside \"ready\": an expectation of an App has one of ready, \
         failed, rolled-back, reverted, held, corrected, reported, preempted, never",
        ],
    );
    check_expect(
        "{ app: shop, ready: { to: HEAD, within: 12 } }",
        &[
            "5:51: unknown key \"to\" in a state; expected within, after or for",
            "5:69: expected TIME, found the number 12; did you mean \"12s\"?",
        ],
    );
    check_expect(
        "{ app: shop, ready: { after: notised } }",
        &[
            "5:58: expected ready, failed, rolled-back, reverted, held, corrected, reported, preempted, \
         noticed or applied, found \"notised\"; did you mean \"noticed\"?",
        ],
    );
    check_expect(
        "{ object: deployment/a/b, absent: false }",
        &["5:63: expected true, found false"],
    );
    check_expect(
        "{ object: cart, has: {} }",
        &[
            "5:39: expected an object as kind/namespace/name or kind/name, found \"cart\"",
            "5:50: expected a map of fields, found an empty map",
        ],
    );
    check_expect(
        "{ object: deployment/b, never: { has: { a: 1 } }, within: 3s }",
        &["5:79: \"within\" does not go with \"never\"; expected object or never"],
    );
}

#[test]
fn problems_of_all_kinds_are_told_at_once_in_the_order_of_lines() {
    check(
        "name: a\nrepo: { files: {} }\napps: [{ name: shop, drift: fix }]\nsteps:\n\
         - wait: soon\n- push: { revert: nothing }\n- expect: { app: shp, ready: { wthin: 1s } }\n",
        &[
            "1:1: a scenario needs \"description\": text",
            "3:29: expected correct, report or ignore, found \"fix\"",
            "5:9: expected TIME, found \"soon\"",
            "6:19: unknown label \"nothing\"; expected HEAD, HEAD~1 or a commit id",
            "7:18: unknown App \"shp\"; did you mean \"shop\"?",
            "7:32: unknown key \"wthin\" in a state; did you mean \"within\"?",
        ],
    );
}

#[test]
fn kinds_are_held_against_those_that_there_are() {
    let scenario = good(
        "- drift: { delete: deploymnt/shop/cart }\n\
         - drift: { scale: deploy/shop/cart, replicas: 1 }\n\
         - expect: { object: namespace/a/b, absent: true }\n\
         - expect: { object: deployments.ap/cart, absent: true }\n\
         - drift: { create: { apiVersion: v1, kind: Deployment, metadata: { name: a } } }\n\
         - drift: { apply: { apiVersion: v1, kind: ConfigMpa, metadata: { name: a } } }\n",
    );
    let told = kinds(&scenario, builtin()).unwrap_err();
    assert_eq!(
        told.to_string(),
        "dir/a.scenario.yaml:6:20: unknown kind \"deploymnt\"; did you mean \"deployment\"?\n\
         dir/a.scenario.yaml:8:21: a namespace has no namespace, found \"a\"; did you mean \
         \"namespace/b\"?\n\
         dir/a.scenario.yaml:9:21: unknown kind \"deployments.ap\"; did you mean \
         \"deployments.apps\"?\n\
         dir/a.scenario.yaml:10:20: unknown kind \"Deployment\" in \"v1\"; did you mean \
         \"apiVersion: apps/v1\"?\n\
         dir/a.scenario.yaml:11:19: unknown kind \"ConfigMpa\" in \"v1\"; did you mean \"ConfigMap\"?"
    );
}

#[test]
fn a_run_in_which_no_engine_is_left_could_judge_nothing() {
    check_steps(
        "{ engine: stop }, { wait: 1s }",
        &[
            "5:9: the engine is stopped here and not started again, so that nothing could be judged; \
           expected a step with \"engine: start\" after it",
        ],
    );
}

#[test]
fn a_reason_that_the_engine_never_gives_is_told_with_the_nearest() {
    check_expect(
        "{ event: { app: shop, reason: Redy } }",
        &["5:59: expected Ready, Failed, RolledBack, RevertPushed, Held, Degraded, Recovered, \
           DriftCorrected, DriftReported, DriftFight or FetchFailed, found \"Redy\"; did you mean \
           \"Ready\"?"],
    );
}

#[test]
fn a_fault_says_what_is_answered() {
    check_steps(
        "{ fault: watch-dop }",
        &["5:18: expected watch-drop, compact or end, found \"watch-dop\"; did you mean \
           \"watch-drop\"?"],
    );
    check_steps(
        "{ fault: { verb: patch } }",
        &["5:18: a fault needs \"answer\": 500, 503, 429, \
         conflict, timeout or timeout-after-commit"],
    );
    check_steps("{ fault: { answer: 500, kind: Deployment, count: 2 } }", &[]);
    check_steps("{ fault: { answer: \"500\" } }", &[]);
}
