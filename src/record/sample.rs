//! A run to test with: a good push, drift, and a bad tag that is rolled back. Written down as
//! events, so that records and reports are tested on what a run really gives.

use super::{Ending, Heading, Recorder, RunRecord};
use crate::base::{Event, Time};
use std::time::Duration;

pub(crate) const FIRST: &str = "11d2e0f3a4b5c6d7e8f90123456789abcdef0001";
pub(crate) const GOOD: &str = "3f2a9c1b7d80e4f5a6b7c8d9e0f1a2b3c4d5e6f7";
pub(crate) const BAD: &str = "9d0e1f2a3b4c5d6e7f8091a2b3c4d5e6f7a8b9c0";
pub(crate) const CART: &str = "apps/Deployment/shop/cart";

pub(crate) fn heading(name: &str) -> Heading {
    Heading {
        name: name.to_owned(),
        description: "A tag whose pods never become ready is rolled back to the last good commit."
            .to_owned(),
        file: format!("scenarios/rollback/{name}.scenario.yaml"),
        command: String::new(),
        seed: 42,
        profile: "warm".to_owned(),
        clock: super::Clock::Virtual,
    }
}

/// A recorder with `events`, each at its microseconds since the start.
pub(crate) fn recorded(name: &str, events: Vec<(u64, Event)>) -> Recorder {
    let start = Time::VIRTUAL_START;
    let mut recorder = Recorder::new(heading(name), start);
    for (us, event) in events {
        recorder.add(start + Duration::from_micros(us), event);
    }
    recorder
}

/// What `events` come to, ended at the last of them.
pub(crate) fn record(name: &str, events: Vec<(u64, Event)>) -> RunRecord {
    recorded(name, events).finish(Time::VIRTUAL_START, Ending::Done)
}

/// The same ended in some other way.
pub(crate) fn record_ended(name: &str, events: Vec<(u64, Event)>, ending: Ending) -> RunRecord {
    recorded(name, events).finish(Time::VIRTUAL_START, ending)
}

pub(crate) fn shop() -> String {
    "shop".to_owned()
}

pub(crate) fn pushed(t: u64, commit: &str, summary: &str) -> Vec<(u64, Event)> {
    let (commit, summary) = (commit.to_owned(), summary.to_owned());
    vec![
        (t, Event::PushIntended { commit: commit.clone(), summary }),
        (t + 2_000, Event::Pushed { commit }),
        (t + 14_400, Event::Noticed { app: shop(), ago_us: 0 }),
    ]
}

/// From fetch to all answers: two waves, of which each object takes one request.
pub(crate) fn applied(t: u64, commit: &str) -> Vec<(u64, Event)> {
    let (app, commit) = (shop(), commit.to_owned());
    let request = |object: &str| Event::Request {
        verb: "apply".to_owned(),
        object: object.to_owned(),
        code: 200,
        dry_run: false,
        app: Some(shop()),
    };
    let changed = |object: &str, action: &str| Event::Changed {
        app: shop(),
        commit: commit.clone(),
        object: object.to_owned(),
        action: action.to_owned(),
    };
    let (sent, answered) = (
        |wave, requests| Event::WaveSent { app: shop(), commit: commit.clone(), wave, requests },
        |wave| Event::WaveApplied { app: shop(), commit: commit.clone(), wave },
    );
    vec![
        (t, Event::Fetched { app: app.clone(), commit: commit.clone() }),
        (t + 1_200, Event::Rendered { app: app.clone(), commit: commit.clone(), objects: 2 }),
        (
            t + 1_500,
            Event::Planned { app: app.clone(), commit: commit.clone(), apply: 2, prune: 0 },
        ),
        (t + 1_500, sent(1, 1)),
        (t + 4_000, request("Namespace/shop")),
        (t + 6_000, changed("Namespace/shop", "unchanged")),
        (t + 6_000, answered(1)),
        (t + 6_000, sent(2, 1)),
        (t + 9_000, request(CART)),
        (t + 12_500, changed(CART, "configured")),
        (t + 12_500, answered(2)),
        (t + 12_500, Event::Applied { app: app.clone(), commit: commit.clone() }),
        (t + 15_000, Event::Observed { app, commit }),
    ]
}

pub(crate) fn ready(t: u64, commit: &str) -> (u64, Event) {
    (t, Event::Ready { app: shop(), commit: commit.to_owned() })
}

/// The whole story. With `met`, its last expectation is met.
pub(crate) fn story(met: bool) -> Vec<(u64, Event)> {
    let (app, cart) = (shop(), CART.to_owned());
    let step = |step, what: &str| Event::Step { step, what: what.to_owned() };
    let mut events = vec![(0, Event::EngineStarted { round: 1 }), (0, step(1, "push a good tag"))];
    events.extend(pushed(0, GOOD, "set image shop/cart: good"));
    events.extend(applied(55_400, GOOD));
    events.push(ready(2_411_000, GOOD));
    events.extend([
        (10_000_000, step(2, "drift: deployment/shop/cart")),
        (10_000_000, Event::Drifted { object: cart.clone(), what: "spec.replicas: 9".to_owned() }),
        (
            10_003_100,
            Event::DriftSeen {
                app: app.clone(),
                object: cart.clone(),
                fields: vec!["spec.replicas".to_owned()],
                by: Some("kubectl-edit".to_owned()),
            },
        ),
        (10_011_700, Event::DriftCorrected { app: app.clone(), object: cart.clone() }),
        (20_000_000, step(3, "push a bad tag")),
    ]);
    events.extend(pushed(20_000_000, BAD, "set image shop/cart: bad"));
    events.extend(applied(20_061_000, BAD));
    let failed_at = 50_073_500;
    events.extend([
        (
            failed_at,
            Event::Failed {
                app: app.clone(),
                commit: BAD.to_owned(),
                step: "health".to_owned(),
                reason: "0 of 3 replicas ready 30 s after the apply".to_owned(),
                object: Some(cart.clone()),
            },
        ),
        (
            failed_at,
            Event::RollingBack { app: app.clone(), from: BAD.to_owned(), to: GOOD.to_owned() },
        ),
        (failed_at + 8_000, Event::Applied { app: app.clone(), commit: GOOD.to_owned() }),
    ]);
    if met {
        let (from, to) = (BAD.to_owned(), GOOD.to_owned());
        events.push((failed_at + 1_250_000, Event::RolledBack { app, from, to }));
    }
    events.push((failed_at + 10_000_000, Event::Expected {
        step: 3,
        what: "app shop rolled back to the previous commit within 10 s after it failed".to_owned(),
        met,
        detail: if met {
            "after 1.25 s".to_owned()
        } else {
            "10 s after the failure shop was still on its way back to 3f2a9c1: apps/Deployment/shop/cart has 2 of 3 replicas ready".to_owned()
        },
    }));
    events
}
