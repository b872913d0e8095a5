//! What a scenario can be made simpler by: one thing at a time, in a fixed order.

use std::time::Duration;

use crate::engine::model::App;
use crate::lab::scenario::Scenario;
use crate::lab::scenario::model::{
    Action, Answers, DriftKind, EngineAction, Expected, Fault, PushKind, Repo, World,
};

/// The `n`th simpler scenario, if there are so many.
pub(super) fn nth(scenario: &Scenario, n: usize) -> Option<Scenario> {
    let parts: [fn(&Scenario, &mut Vec<Scenario>); 6] =
        [fewer_apps, fewer_files, fewer_images, plainer_apps, plainer_steps, plainer_world];
    let mut all = Vec::new();
    for part in parts {
        part(scenario, &mut all);
        if all.len() > n {
            break;
        }
    }
    all.into_iter().nth(n)
}

fn with(scenario: &Scenario, change: impl FnOnce(&mut Scenario), all: &mut Vec<Scenario>) {
    let mut candidate = scenario.clone();
    change(&mut candidate);
    if candidate != *scenario {
        all.push(candidate);
    }
}

/// Without an App and all that is expected of it.
fn fewer_apps(scenario: &Scenario, all: &mut Vec<Scenario>) {
    for n in 0..scenario.apps.len() {
        if scenario.apps.len() == 1 {
            return;
        }
        with(
            scenario,
            |candidate| {
                let gone = candidate.apps.remove(n).app.name;
                for given in &mut candidate.apps {
                    if given.app.depends_on.contains(&gone) {
                        given.app.depends_on.retain(|on| *on != gone);
                        given.depends_on_at.truncate(given.app.depends_on.len());
                    }
                }
                for step in &mut candidate.steps {
                    step.expect.retain(|one| app_of(&one.expected) != Some(gone.as_str()));
                }
                // A step has to do or to expect something.
                candidate.steps.retain(|step| step.action.is_some() || !step.expect.is_empty());
            },
            all,
        );
    }
}

fn app_of(expected: &Expected) -> Option<&str> {
    match expected {
        Expected::State(state) => Some(&state.app.value),
        Expected::NeverState { app, .. } | Expected::Event { app, .. } => Some(&app.value),
        Expected::Requests { app, .. } => app.as_ref().map(|app| app.value.as_str()),
        _ => None,
    }
}

fn fewer_files(scenario: &Scenario, all: &mut Vec<Scenario>) {
    let Repo::Files(files) = &scenario.repo else { return };
    for path in files.keys() {
        with(
            scenario,
            |candidate| {
                if let Repo::Files(files) = &mut candidate.repo {
                    files.remove(path);
                }
            },
            all,
        );
    }
    // A file of several objects without one of them.
    for (path, text) in files {
        let documents: Vec<&str> = text.split("\n---\n").collect();
        for n in 0..documents.len() {
            if documents.len() < 2 {
                break;
            }
            let mut fewer = documents.clone();
            fewer.remove(n);
            let mut fewer = fewer.join("\n---\n");
            if !fewer.ends_with('\n') {
                fewer.push('\n');
            }
            with(
                scenario,
                |candidate| {
                    if let Repo::Files(files) = &mut candidate.repo {
                        files.insert(path.clone(), fewer);
                    }
                },
                all,
            );
        }
    }
}

fn fewer_images(scenario: &Scenario, all: &mut Vec<Scenario>) {
    with(scenario, |candidate| candidate.images.clear(), all);
    for n in 0..scenario.images.len() {
        with(
            scenario,
            |candidate| {
                candidate.images.remove(n);
            },
            all,
        );
    }
}

/// Apps as they are by themselves.
fn plainer_apps(scenario: &Scenario, all: &mut Vec<Scenario>) {
    for n in 0..scenario.apps.len() {
        let default = App::new("", "");
        with(
            scenario,
            |candidate| {
                candidate.apps[n].app.depends_on.clear();
                candidate.apps[n].depends_on_at.clear();
            },
            all,
        );
        with(scenario, |candidate| candidate.apps[n].app.on_failure = default.on_failure, all);
        let timeout = default.health_timeout;
        with(scenario, |candidate| candidate.apps[n].app.health_timeout = timeout, all);
    }
}

fn plainer_steps(scenario: &Scenario, all: &mut Vec<Scenario>) {
    for n in 0..scenario.steps.len() {
        let step = &scenario.steps[n];
        let expects = step.expect.len();
        if step.action.is_some() || expects > 1 {
            for m in 0..expects {
                with(
                    scenario,
                    |candidate| {
                        candidate.steps[n].expect.remove(m);
                    },
                    all,
                );
            }
        }
        for action in step.action.iter().flat_map(plainer) {
            with(scenario, |candidate| candidate.steps[n].action = Some(action), all);
        }
    }
}

fn plainer_world(scenario: &Scenario, all: &mut Vec<Scenario>) {
    with(scenario, |candidate| candidate.world = World::default(), all);
}

/// What an action can be instead.
fn plainer(action: &Action) -> Vec<Action> {
    let mut all = Vec::new();
    match action {
        Action::Push(push) => {
            if let PushKind::Commit(commit) = &push.kind {
                for n in 0..commit.edits.len() {
                    let (mut push, mut commit) = (push.clone(), commit.clone());
                    commit.edits.remove(n);
                    push.kind = PushKind::Commit(commit);
                    all.push(Action::Push(push));
                }
            }
        }
        Action::Drift(drift) => {
            let mut plain = drift.clone();
            plain.may_fail = false;
            all.push(Action::Drift(plain.clone()));
            "kubectl".clone_into(&mut plain.manager);
            all.push(Action::Drift(plain));
            let mut plain = drift.clone();
            "kubectl".clone_into(&mut plain.manager);
            if let DriftKind::Apply { force, .. } = &mut plain.kind {
                *force = true;
            }
            all.push(Action::Drift(plain));
        }
        Action::Wait(time) => {
            for shorter in [time.as_secs(), time.as_secs() / 2] {
                all.push(Action::Wait(Duration::from_secs(shorter)));
            }
        }
        Action::Fault(Fault::Answers(answers)) => {
            let plain = |answers: Answers| Action::Fault(Fault::Answers(answers));
            all.push(plain(Answers { skip: 0, ..answers.clone() }));
            all.push(plain(Answers { count: 1, ..answers.clone() }));
            all.push(plain(Answers { kind: None, ..answers.clone() }));
        }
        Action::Engine(EngineAction::RestartAfterWrites(writes)) => {
            all.push(Action::Engine(EngineAction::Restart));
            if *writes > 1 {
                all.push(Action::Engine(EngineAction::RestartAfterWrites(1)));
                all.push(Action::Engine(EngineAction::RestartAfterWrites(writes - 1)));
            }
        }
        _ => {}
    }
    all
}
