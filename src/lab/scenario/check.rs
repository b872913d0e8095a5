//! Whether what a scenario refers to is there: Apps, labels, commits, the engine's coming and
//! going.
//!
//! Kinds of objects are `kinds`. Whether the repository has a file or the cluster an object is
//! seen when the scenario runs.

use std::collections::BTreeMap;

use super::model::{
    Action, EngineAction, Expected, GivenApp, NodeStep, Placed, Position, PushKind, Repo, Rev,
    Scenario, Step, Target,
};
use super::problem::{Findings, did_you_mean, either};
use super::tree::quote;
use super::words::{is_label, is_name};
use crate::engine::model::{App, FailurePolicy};

/// Adds to `found` every reference that leads nowhere. `scenario` may be what could be read of a
/// file that has other problems: names that are none have been refused and are passed over.
pub(super) fn references(scenario: &Scenario, found: &mut Findings) {
    apps_are_distinct(&scenario.apps, found);
    dependencies(&scenario.apps, found);
    expected_apps(scenario, found);
    commits(scenario, found);
    engine_comes_and_goes(&scenario.steps, found);
    nodes_are_there(scenario, found);
    stages_are_readable(scenario, found);
}

fn stages_are_readable(scenario: &Scenario, found: &mut Findings) {
    // What does not even have the form was told already.
    if !found.is_empty() {
        return;
    }
    let steps = scenario.steps.iter().filter_map(|step| match &step.action {
        Some(Action::Foreign(stages)) => Some(stages),
        _ => None,
    });
    for stage in steps.flatten().chain(&scenario.foreign) {
        if let Err(error) = crate::sim::stages::stage(&stage.value) {
            found.add(stage.at, error.to_string());
        }
    }
}

fn nodes_are_there(scenario: &Scenario, found: &mut Findings) {
    let count = scenario.world.nodes;
    for step in &scenario.steps {
        let Some(Action::Node(NodeStep { name, .. })) = &step.action else { continue };
        let number = name.value.strip_prefix("node-").and_then(|text| text.parse::<u32>().ok());
        let is_there = number.is_some_and(|number| (1..=count).contains(&number));
        if is_name(&name.value) && !is_there {
            let what = format!("there is no node \"{}\"", name.value);
            found.add(name.at, format!("{what}; expected node-1 to node-{count}"));
        }
    }
}

fn apps_are_distinct(apps: &[GivenApp], found: &mut Findings) {
    for (n, GivenApp { app, at, .. }) in apps.iter().enumerate() {
        let first = apps[..n].iter().find(|a| a.app.name == app.name && is_name(&app.name));
        if let Some(first) = first {
            let line = first.at.line;
            found.add(*at, format!("App \"{}\" is declared twice; first in line {line}", app.name));
        }
    }
}

fn dependencies(apps: &[GivenApp], found: &mut Findings) {
    for GivenApp { app, depends_on_at, .. } in apps {
        for (name, at) in app.depends_on.iter().zip(depends_on_at) {
            app_is_known(name, *at, apps, found);
            if let Some(way) = way_back(app, name, apps).filter(|_| is_name(name)) {
                found.add(*at, format!("Apps depend on each other in a circle: {way}"));
            }
        }
    }
}

/// The circle that starts with `app` depending on `first`, told once: from the member of it that
/// is declared first.
fn way_back(app: &App, first: &str, apps: &[GivenApp]) -> Option<String> {
    let find = |name: &str| apps.iter().position(|a| a.app.name == name);
    let start = find(&app.name)?;
    let mut seen = vec![false; apps.len()];
    let mut ways = vec![vec![start, find(first)?]];
    while let Some(way) = ways.pop() {
        let last = way[way.len() - 1];
        if last == start {
            let names: Vec<_> = way.iter().map(|n| apps[*n].app.name.as_str()).collect();
            return Some(names.join(" → "));
        }
        if last < start || std::mem::replace(&mut seen[last], true) {
            continue;
        }
        for next in apps[last].app.depends_on.iter().filter_map(|name| find(name)) {
            ways.push([way.clone(), vec![next]].concat());
        }
    }
    None
}

fn app_is_known(name: &str, at: Position, apps: &[GivenApp], found: &mut Findings) {
    // Without declared Apps they are objects of the repository, and seen when they are there.
    if apps.is_empty() || !is_name(name) || apps.iter().any(|a| a.app.name == name) {
        return;
    }
    let names = apps.iter().map(|a| a.app.name.as_str());
    let known: Vec<&str> = names.filter(|name| is_name(name)).collect();
    let mut near = did_you_mean(name, known.iter().copied());
    if near.is_empty() {
        near = format!("; expected {}", either(&known, "or"));
    }
    found.add(at, format!("unknown App \"{name}\"{near}"));
}

fn expected_apps(scenario: &Scenario, found: &mut Findings) {
    for expectation in scenario.steps.iter().flat_map(|step| &step.expect) {
        let app = match &expectation.expected {
            Expected::State(state) => Some(&state.app),
            Expected::NeverState { app, .. } | Expected::Event { app, .. } => Some(app),
            Expected::Requests { app, .. } => app.as_ref(),
            Expected::Object { .. } | Expected::NeverObject { .. } | Expected::Note { .. } => None,
        };
        if let Some(app) = app {
            app_is_known(&app.value, app.at, &scenario.apps, found);
        }
    }
}

/// What the steps so far have made of the repository, as far as the file tells.
struct History<'a> {
    repo: &'a Repo,
    /// Labels and tags, with the line that gave each.
    labels: BTreeMap<&'a str, Position>,
    /// Labels and tags of the whole file.
    all: BTreeMap<&'a str, Position>,
    /// Commits on the branch, where it can be told: commit one, then one a push.
    commits: Option<usize>,
}

fn commits(scenario: &Scenario, found: &mut Findings) {
    let names = scenario.steps.iter().filter_map(given_name);
    let mut all = BTreeMap::new();
    for name in names.filter(|name| is_label(&name.value)) {
        let first: Position = *all.entry(name.value.as_str()).or_insert(name.at);
        if first != name.at {
            let line = first.line;
            found.add(
                name.at,
                format!("label \"{}\" is given twice; first in line {line}", name.value),
            );
        }
        if name.value == "previous" {
            found.add(name.at, "\"previous\" has a meaning of its own; expected another label");
        }
    }
    let engine_pushes = scenario.apps.iter().any(|a| a.app.on_failure == FailurePolicy::Revert);
    let countable = matches!(scenario.repo, Repo::Files(_)) && !engine_pushes;
    let commits = countable.then_some(1);
    let mut history = History { repo: &scenario.repo, labels: BTreeMap::new(), all, commits };
    for step in &scenario.steps {
        if let Some(push) = step.action.as_ref().and_then(Action::push) {
            history.before(&push.kind, found);
            history.after(&push.kind);
        }
        if let Some(name) = given_name(step) {
            history.labels.insert(&name.value, name.at);
        }
        step.expect.iter().for_each(|e| history.expected(&e.expected, found));
    }
}

/// The label or tag that a step gives.
fn given_name(step: &Step) -> Option<&Placed<String>> {
    let push = step.action.as_ref()?.push()?;
    match &push.kind {
        PushKind::Tag { name } => Some(name),
        _ => push.label.as_ref(),
    }
}

impl History<'_> {
    /// Whether what is pushed is there to be pushed.
    fn before(&self, push: &PushKind, found: &mut Findings) {
        match push {
            PushKind::Revert { rev, .. } | PushKind::ForcePush { rev } => {
                self.is_known(&rev.value, rev.at, &["HEAD"], found);
            }
            PushKind::Merge { branch, .. } if matches!(self.repo, Repo::Files(_)) => found.add(
                branch.at,
                format!(
                    "there is no branch {}: the repository is files, without history",
                    quote(&branch.value)
                ),
            ),
            PushKind::Merge { .. } | PushKind::Commit(_) | PushKind::Tag { .. } => {}
        }
    }

    fn after(&mut self, push: &PushKind) {
        self.commits = match push {
            PushKind::Commit(_) | PushKind::Revert { .. } => self.commits.map(|n| n + 1),
            PushKind::Tag { .. } => self.commits,
            PushKind::ForcePush { .. } | PushKind::Merge { .. } => None,
        };
    }

    fn expected(&self, expected: &Expected, found: &mut Findings) {
        match expected {
            Expected::Note { on, .. } => self.is_known(&on.value, on.at, &["HEAD"], found),
            Expected::State(state) => {
                if let Some(Placed { value: Target::Rev(rev), at }) = &state.to {
                    self.is_known(rev, *at, &["previous", "HEAD"], found);
                }
            }
            _ => {}
        }
    }

    fn is_known(&self, rev: &Rev, at: Position, words: &[&str], found: &mut Findings) {
        let files = matches!(self.repo, Repo::Files(_));
        match rev {
            Rev::Head { back } => {
                if let Some(commits) = self.commits.filter(|commits| back >= commits) {
                    let plural = if commits == 1 { "" } else { "s" };
                    let has = format!("the branch has {commits} commit{plural}");
                    found.add(at, format!("there is no {rev} at this step: {has}"));
                }
            }
            Rev::Label(name) if !self.labels.contains_key(name.as_str()) => {
                found.add(at, self.unknown_label(name, words));
            }
            Rev::Commit(id) | Rev::Ref(id) if files => found.add(
                at,
                format!("there is no commit \"{id}\": the repository is files, without history"),
            ),
            Rev::Label(_) | Rev::Commit(_) | Rev::Ref(_) => {}
        }
    }

    fn unknown_label(&self, name: &str, words: &[&str]) -> String {
        if let Some(later) = self.all.get(name) {
            return format!("label \"{name}\" is given only later, in line {}", later.line);
        }
        let labels = self.labels.keys().copied();
        let near = did_you_mean(name, labels.clone().chain(words.iter().copied()));
        if !near.is_empty() {
            return format!("unknown label \"{name}\"{near}");
        }
        let mut known: Vec<&str> = words.iter().copied().chain(["HEAD~1"]).collect();
        known.extend(labels);
        known.push("a commit id");
        format!("unknown label \"{name}\"; expected {}", either(&known, "or"))
    }
}

fn engine_comes_and_goes(steps: &[Step], found: &mut Findings) {
    let mut runs = true;
    let mut stopped_at = None;
    for step in steps {
        let Some(Action::Engine(action)) = step.action else { continue };
        let wrong = match (action, runs) {
            (EngineAction::Start, true) => Some("the engine runs already at this step"),
            (EngineAction::Start, false) | (_, true) => None,
            (_, false) => Some("the engine is stopped at this step; expected start"),
        };
        if let Some(wrong) = wrong {
            found.add(step.at, wrong);
        }
        runs = action != EngineAction::Stop;
        stopped_at = (!runs).then_some(step.at);
    }
    // What is done by hand is judged by the objects that come of it.
    let is_object =
        |expect: &super::model::Expectation| matches!(expect.expected, Expected::Object { .. });
    let judged = |at: &Position| {
        let later = steps.iter().filter(|step| step.at > *at);
        later.flat_map(|step| &step.expect).any(is_object)
    };
    let stopped_at = stopped_at.filter(|at| !judged(at));
    if let Some(at) = stopped_at {
        let wrong = "the engine is stopped here and not started again, so that nothing could be judged; expected a step with \"engine: start\" after it";
        found.add(at, wrong);
    }
}
