//! Pushes followed through the events of runs, written down by hand.

use super::*;
use crate::record::RunRecord;
use crate::record::sample::{self, BAD, FIRST, GOOD, applied, pushed, ready, record, shop};

/// Every push as `app commit end total: phase us, ...`; that the phases add up is checked on
/// the way.
fn shown(record: &RunRecord) -> String {
    let mut text = String::new();
    for push in &record.pushes {
        let sum: u64 = push.phases.iter().map(|phase| phase.us).sum();
        assert_eq!(sum, push.total_us, "the phases of {} add up", push.commit);
        let phases: Vec<String> =
            push.phases.iter().map(|p| format!("{} {}", p.phase.key(), p.us)).collect();
        let (commit, end) = (short(&push.commit), format!("{:?}", push.end).to_lowercase());
        let phases = phases.join(", ");
        text += &format!("{} {commit} {end} {}: {phases}\n", push.app, push.total_us);
    }
    text
}

#[track_caller]
fn check(events: Vec<(u64, Event)>, expected: &str) {
    assert_eq!(shown(&record("a", events)), expected);
}

fn join(parts: Vec<Vec<(u64, Event)>>) -> Vec<(u64, Event)> {
    parts.into_iter().flatten().collect()
}

fn apply_requests(push: &Push) -> usize {
    push.requests.by_verb.get("apply").copied().unwrap_or(0)
}

#[test]
fn a_push_is_split_from_intended_to_ready() {
    check(
        join(vec![pushed(100, GOOD, "x"), applied(40_000, GOOD), vec![ready(90_000, GOOD)]]),
        "shop 3f2a9c1 ready 89900: push 2000, notice 12400, fetch 25500, render 1200, \
         plan 300, wait 0, apply 11000, observe 2500, health 35000\n",
    );
}

#[test]
fn what_a_pipeline_pushed_counts_from_the_push_of_the_code() {
    let mut events = pushed(12_000, GOOD, "x");
    events.insert(1, (12_000, Event::Built { commit: GOOD.to_owned(), took_us: 11_000 }));
    let events = join(vec![events, applied(50_000, GOOD), vec![ready(90_000, GOOD)]]);
    assert_eq!(record("a", events.clone()).pushes[0].start_us, 1_000);
    check(
        events,
        "shop 3f2a9c1 ready 89000: build 11000, push 2000, notice 12400, fetch 23600, \
         render 1200, plan 300, wait 0, apply 11000, observe 2500, health 25000\n",
    );
}

#[test]
fn a_commit_that_was_there_before_counts_from_being_noticed() {
    let noticed = vec![(7, Event::Noticed { app: shop(), ago_us: 0 })];
    check(
        join(vec![noticed, applied(1_000, FIRST), vec![ready(20_000, FIRST)]]),
        "shop 11d2e0f ready 19993: fetch 993, render 1200, plan 300, wait 0, apply 11000, \
         observe 2500, health 4000\n",
    );
}

#[test]
fn an_early_notice_that_a_running_fetch_outlived_leaves_no_hole() {
    let mut events = vec![(0, Event::Noticed { app: shop(), ago_us: 0 })];
    events.push((500, Event::Pushed { commit: GOOD.to_owned() }));
    events.push((900, Event::Fetched { app: shop(), commit: GOOD.to_owned() }));
    events.push((1_000, Event::Unchanged { app: shop(), commit: GOOD.to_owned() }));
    check(events, "shop 3f2a9c1 unchanged 500: notice 0, fetch 400, render 100\n");
}

#[test]
fn a_commit_that_is_heard_of_twice_is_one_push() {
    let again = (60_000, Event::Unchanged { app: shop(), commit: GOOD.to_owned() });
    let events = vec![again, ready(90_000, GOOD)];
    let record = record("a", join(vec![pushed(0, GOOD, "x"), applied(40_000, GOOD), events]));
    assert_eq!((record.pushes[0].end, record.pushes[0].total_us), (PushEnd::Ready, 90_000));
}

#[test]
fn a_stage_that_did_not_say_when_it_ended_is_not_attributed() {
    let mut events = join(vec![pushed(0, GOOD, "x"), applied(40_000, GOOD)]);
    events.retain(|(_, event)| !matches!(event, Event::Rendered { .. }));
    events.push(ready(60_000, GOOD));
    check(
        events,
        "shop 3f2a9c1 ready 60000: push 2000, notice 12400, fetch 25600, \
         unattributed 1500, wait 0, apply 11000, observe 2500, health 5000\n",
    );
}

#[test]
fn a_push_that_is_overtaken_ends_in_the_phase_under_way() {
    let overtaken = Event::Preempted { app: shop(), commit: GOOD.into(), by: BAD.into() };
    let events = join(vec![pushed(0, GOOD, "x"), applied(40_000, GOOD), vec![(70_000, overtaken)]]);
    let record = record("a", events.clone());
    assert_eq!(record.pushes[0].why.as_deref(), Some("by 9d0e1f2"));
    check(
        events,
        "shop 3f2a9c1 preempted 70000: push 2000, notice 12400, fetch 25600, render 1200, \
         plan 300, wait 0, apply 11000, observe 2500, health 15000\n",
    );
}

#[test]
fn the_way_back_is_no_push_of_the_commit_gone_back_to() {
    let record = record("a", sample::story(true));
    let ends: Vec<_> = record.pushes.iter().map(|p| (p.commit.as_str(), p.end)).collect();
    assert_eq!(ends, [(GOOD, PushEnd::Ready), (BAD, PushEnd::RolledBack)]);
    assert_eq!(record.pushes[1].total_us, 30_073_500);
    let [back] = record.returns.as_slice() else { panic!("one way back") };
    let phases: Vec<_> = back.phases.iter().map(|p| (p.phase, p.us)).collect();
    assert_eq!(back.total_us, 1_250_000);
    let (decide, apply) = ((PhaseName::Decide, 0), (PhaseName::Apply, 8_000));
    assert_eq!(phases, [decide, apply, (PhaseName::Health, 1_242_000)]);
}

#[test]
fn a_failure_without_a_way_back_stays_a_failure() {
    let record = record("a", sample::story(false));
    assert_eq!(record.pushes[1].end, PushEnd::Failed);
    assert_eq!((record.returns[0].healthy, record.returns[0].total_us), (false, 10_000_000));
}

#[test]
fn a_commit_brought_back_by_a_force_push_is_a_push_of_its_own() {
    let once = |t| {
        join(vec![pushed(t, GOOD, "x"), applied(t + 40_000, GOOD), vec![ready(t + 90_000, GOOD)]])
    };
    let record = record("a", join(vec![once(0), once(1_000_000)]));
    assert_eq!(record.pushes.len(), 2);
    assert_eq!(record.pushes[1].start_us, 1_000_000);
    assert_eq!(record.push_to_ready.map(|q| q.count), Some(2));
}

#[test]
fn a_commit_that_no_app_took_up_is_told() {
    let record = record("a", pushed(0, GOOD, "x"));
    assert_eq!(record.unnoticed, [GOOD]);
    assert!(record.pushes.is_empty());
}

#[test]
fn requests_count_for_the_app_they_name_or_the_only_one_that_is_busy() {
    let named = join(vec![pushed(0, GOOD, "x"), applied(40_000, GOOD), vec![ready(90_000, GOOD)]]);
    let unnamed = |events: &[(u64, Event)]| -> Vec<(u64, Event)> {
        let mut events = events.to_vec();
        for (_, event) in &mut events {
            if let Event::Request { app, .. } = event {
                *app = None;
            }
        }
        events
    };
    assert_eq!(apply_requests(&record("a", named.clone()).pushes[0]), 2);
    assert_eq!(apply_requests(&record("a", unnamed(&named)).pushes[0]), 2);

    let other = (30_000, Event::Fetched { app: "web".to_owned(), commit: GOOD.to_owned() });
    let mut two = unnamed(&named);
    two.insert(3, other);
    let record = record("a", two);
    assert!(record.pushes.iter().all(|push| push.requests.total == 0));
    assert_eq!(record.requests.total, 2);
}
