//! What a push costs, as exact counts: requests and virtual time, never seconds. A change of one
//! of these numbers is a change of what users pay, and is to be argued for.

use towtank::base::Profile;
use towtank::lab::load;
use towtank::lab::run::{Options, run};
use towtank::record::{PhaseName, Push, PushEnd, RunRecord, Verdict};

/// Plays `steps` on the canonical load.
fn play(apps: usize, steps: &str, profile: Profile) -> RunRecord {
    let scenario = load::scenario(apps, steps).unwrap_or_else(|problems| panic!("{problems}"));
    let options = Options { seed: 1, profile: Some(profile), ..Options::default() };
    let record = run(&scenario, &options).unwrap_or_else(|error| panic!("{error}")).record;
    assert_eq!(record.verdict, Verdict::Passed, "{:#?}", record.failures);
    record
}

fn last_push<'a>(record: &'a RunRecord, app: &str) -> &'a Push {
    record.pushes.iter().rfind(|push| push.app == app).expect("the App was pushed to")
}

fn verbs(push: &Push) -> String {
    let verbs: Vec<String> =
        push.requests.by_verb.iter().map(|(verb, count)| format!("{verb} {count}")).collect();
    verbs.join(", ")
}

#[test]
fn a_tag_bump_costs_one_apply_one_record_and_one_event() {
    let record = play(3, &load::push(1, "2"), Profile::warm());
    let push = last_push(&record, "app-1");
    assert_eq!(push.end, PushEnd::Ready);
    // The Deployment and the App's state are applied, the Event is created; no read, no dry run.
    assert_eq!(verbs(push), "apply 2, create 1");
    assert_eq!(push.requests.dry_runs, 0);
}

#[test]
fn a_first_deploy_asks_about_each_object_once_and_writes_it_once() {
    let record = play(1, &load::first_deploy(1), Profile::warm());
    let push = last_push(&record, "app-0");
    // Four dry runs, four objects, the inventory before and the state after; one Event; and once
    // in the engine's life each kind is listed and watched, pods and ReplicaSets too.
    assert_eq!(verbs(push), "apply 10, create 1, list 6, watch 6");
    assert_eq!(push.requests.dry_runs, 4);
}

#[test]
fn a_push_to_one_of_many_costs_nothing_for_the_others() {
    let one = play(1, &load::push(0, "2"), Profile::warm());
    let many = play(50, &load::push(0, "2"), Profile::warm());
    let cost = |record: &RunRecord| last_push(record, "app-0").requests.clone();
    assert_eq!(cost(&one), cost(&many));
    // Every other request was made for the first deploys: the same for each App.
    let first: usize = many.pushes[..50].iter().map(|push| push.requests.total).sum();
    assert_eq!(first, 50 * many.pushes[0].requests.total);
}

#[test]
fn no_timer_is_on_the_way_of_a_push() {
    let record = play(1, &load::push(0, "2"), Profile::instant());
    let push = last_push(&record, "app-0");
    let own_us: u64 = push
        .phases
        .iter()
        .filter(|phase| phase.phase != PhaseName::Health)
        .map(|phase| phase.us)
        .sum();
    // In a world in which nothing takes time, what is left is what keeps the events of one watch
    // apart: a microsecond each. The smallest timer of the engine is 100 ms.
    assert!(own_us < 100, "{:?}", push.phases);
    assert!(push.total_us < 1_000, "{:?}", push.phases);
}

#[test]
fn a_rollback_leaves_in_the_instant_in_which_the_failure_is_seen() {
    let steps = "  - push: { set-image: { load/app-0: bad } }\n    expect: { app: app-0, failed: { within: 1m } }\n";
    let mut scenario = load::scenario(1, steps).unwrap_or_else(|problems| panic!("{problems}"));
    scenario.apps[0].app.on_failure = towtank::engine::model::FailurePolicy::Rollback;
    let rule = towtank::sim::pods::Behaviour {
        pull: Some(towtank::sim::pods::Pull::Fails),
        ..Default::default()
    };
    scenario.images[0].pattern.value = "load/*:bad".to_owned();
    scenario.images[0].script = rule;
    let options = Options { seed: 1, profile: Some(Profile::warm()), ..Options::default() };
    let finished = run(&scenario, &options).unwrap_or_else(|error| panic!("{error}"));
    let back = finished.record.returns.first().expect("it was rolled back");
    assert!(back.healthy, "{back:?}");
    let time_of = |event: &str| {
        let line = finished.raw.lines().find(|line| line.contains(event)).expect("it happened");
        line[5..line.find(',').expect("a field follows")].parse::<u64>().expect("microseconds")
    };
    let (failed, back, sent) = (
        time_of("\"event\":\"failed\""),
        time_of("\"event\":\"rolling-back\""),
        finished
            .raw
            .lines()
            .filter(|line| line.contains("\"event\":\"wave-sent\""))
            .filter_map(|line| line[5..line.find(',')?].parse::<u64>().ok())
            .next_back()
            .expect("the rollback was sent"),
    );
    assert_eq!((failed, failed), (back, sent), "one round of API calls, and no timer before it");
}
