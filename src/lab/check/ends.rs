//! What came of each App: at the end it is ready at the newest commit, or somebody who looks at
//! its events and its state can tell why not; and the cluster holds what its commit renders to.
//!
//! What an expectation asks for is no matter here: these hold in every run.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::engine::apps::given::{self, State};
use crate::engine::model::{App, DriftPolicy};
use crate::engine::plan::desired::{Desired, DesiredSet, settle};
use crate::lab::run::Run;
use crate::object::ObjectId;

use super::oracles::differs;
use super::{Apps, End};

/// A finding: the oracle and what it found.
type Finding = (&'static str, String);

/// What is wrong with the end of a run. An engine that is not running owes nothing.
pub(super) fn at_end(run: &mut Run<'_>) -> Vec<Finding> {
    if !run.has_engine() {
        return Vec::new();
    }
    let apps: Vec<App> = run.scenario().apps.iter().map(|given| given.app.clone()).collect();
    let head = run.head();
    let mut found = Vec::new();
    for app in &apps {
        let state = state(run, app);
        let is_bad = is_known_bad(run, app, &head, &state);
        match end_of(run.checks().apps(), &head, is_bad, app) {
            Err(detail) => found.push(("converges", format!("{}: {detail}", app.name))),
            Ok(Some(End::Ready)) => {
                found.extend(not_as_told(app, &state, "ready"));
                found.extend(not_as_rendered(run, app, &head, &state));
            }
            Ok(Some(End::RolledBack)) => {
                found.extend(not_as_told(app, &state, "rolled-back"));
                let commit = state.revision.clone();
                found.extend(not_as_rendered(run, app, &commit, &state));
            }
            Ok(Some(End::Held)) => found.extend(not_as_told(app, &state, "failed")),
            // The commit before it may have been rolled back from since.
            Ok(Some(End::Refused)) if state.phase == "rolled-back" => {}
            Ok(Some(End::Refused)) => found.extend(not_as_told(app, &state, "failed")),
            Ok(None) => {}
        }
    }
    found
}

/// The state that the engine left in the cluster.
fn state(run: &Run<'_>, app: &App) -> State {
    let part = |number: usize| {
        let name = given::config_map_name(&app.name, number);
        run.cluster().peek(&given::CONFIG_MAPS, given::NAMESPACE, &name)
    };
    let parts = part(0).and_then(|map| map.text(&["data", "parts"])?.parse().ok()).unwrap_or(1);
    let own = (0..parts).filter_map(part).map(AsRef::as_ref);
    given::from_config_maps(&app.name, own)
}

/// What the App came to; `None` where it rightly waits for another.
///
/// # Errors
/// It came to nothing that it could stay at.
fn end_of(apps: &Apps, head: &str, is_bad: bool, app: &App) -> Result<Option<End>, String> {
    let known = apps.get(&app.name).ok_or("the engine never looked at it")?;
    if known.seen != head {
        return Err(format!(
            "the engine last looked at {:?}, not at the newest commit",
            known.seen
        ));
    }
    if known.end.is_some() {
        return Ok(known.end);
    }
    let is_ready = |name: &String| {
        apps.get(name).is_some_and(|known| known.end == Some(End::Ready) && known.seen == head)
    };
    if !app.depends_on.iter().all(is_ready) {
        return Ok(None);
    }
    // Told before the engine was started anew, and so not again.
    if is_bad {
        return Ok(Some(End::RolledBack));
    }
    Err(format!("nothing came of {}: it is neither ready nor failed", known.target))
}

/// Whether the state says that the App was rolled back from just what is at `head`.
fn is_known_bad(run: &mut Run<'_>, app: &App, head: &str, state: &State) -> bool {
    let Some(bad) = state.bad.as_ref().filter(|_| state.phase == "rolled-back") else {
        return false;
    };
    desired(run, app, head).is_some_and(|desired| desired.rendered.digest() == bad.digest)
}

fn not_as_told(app: &App, state: &State, phase: &str) -> Option<Finding> {
    let is_told = state.phase == phase && (phase == "ready" || !state.message.is_empty());
    (!is_told).then(|| {
        let detail = format!("{} is {phase}, and its state says {:?}", app.name, state.phase);
        ("converges", detail)
    })
}

/// What should be in the cluster for an App that is at `commit`, and is not.
fn not_as_rendered(run: &mut Run<'_>, app: &App, commit: &str, state: &State) -> Vec<Finding> {
    let Some(desired) = desired(run, app, commit) else {
        return vec![("as rendered", format!("{} is at {commit}, which cannot be had", app.name))];
    };
    let mut found = Vec::new();
    let mut wanted: BTreeSet<&ObjectId> = desired.objects.keys().collect();
    let mut kept: BTreeSet<&ObjectId> = state.inventory.iter().map(|entry| &entry.id).collect();
    // What somebody else had made stays, and is remembered.
    kept.retain(|id| wanted.contains(id) || !state.found.contains(id));
    if wanted != kept && state.phase == "rolled-back" {
        // What went to another App since is left to it; what came from another is not deleted.
        let lost = inventories_of_others(run, app);
        wanted.retain(|id| !lost.contains(id));
        kept.retain(|id| wanted.contains(id) || !state.moved.contains(id));
    }
    if wanted != kept {
        let odd: Vec<String> =
            wanted.symmetric_difference(&kept).map(ToString::to_string).collect();
        found.push(format!("the inventory of {} is wrong about {}", app.name, odd.join(", ")));
    }
    if app.drift == DriftPolicy::Correct {
        let told = run.checks().apps().get(&app.name).map(|known| known.told.clone());
        let is_told =
            |want: &&Desired| told.as_ref().is_some_and(|told| told.contains(&want.id.to_string()));
        let own = desired.objects.values().filter(|want| wanted.contains(&want.id));
        for want in own.filter(|want| !is_told(want)) {
            match run.cluster().peek(&want.gvr, &want.id.namespace, &want.id.name) {
                None => found.push(format!("{} is not in the cluster", want.id)),
                Some(live) => {
                    let differs = differs(&want.body, live);
                    let owned = "other fields are applied than those rendered";
                    let owned = (!want.is_all_ours_in(live)).then(|| owned.to_owned());
                    found.extend(differs.or(owned).map(|what| format!("{}: {what}", want.id)));
                }
            }
        }
    }
    found.into_iter().map(|detail| ("as rendered", detail)).collect()
}

fn inventories_of_others(run: &Run<'_>, app: &App) -> BTreeSet<ObjectId> {
    let apps = run.scenario().apps.iter().map(|given| &given.app);
    let others = apps.filter(|other| other.name != app.name);
    others.flat_map(|other| state(run, other).inventory).map(|entry| entry.id).collect()
}

fn desired(run: &mut Run<'_>, app: &App, commit: &str) -> Option<DesiredSet> {
    let tree = run.artifact(commit)?.tree;
    let rendered = Arc::new(run.render(&tree, &app.path).ok()?);
    settle(app, &rendered, run.schema()).ok()
}
