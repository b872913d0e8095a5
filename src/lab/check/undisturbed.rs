//! *as undisturbed*: where somebody drifted, requests failed or the engine was ended, a run ends
//! as the same commit does that is deployed to an empty cluster while nothing happens.
//!
//! What is compared is what the engine answers for: every object that it applied, the fields that
//! it owns of it and their values. The undisturbed run is a real one, by the same engine on
//! another cluster, made when it is needed and kept for the next run with the same files.
//!
//! It is left out where there is nothing to compare: an App that is not ready at the newest
//! commit, or leaves drift alone; an undisturbed run that does not end well itself; many Apps; a
//! cluster over the wire, which is not the one that the undisturbed run has.

use std::collections::BTreeMap;

use crate::base::limits;
use crate::engine::live;
use crate::engine::model::{App, DriftPolicy, MANAGER, NAMESPACE, Node, Tree};
use crate::lab::backend::Cluster;
use crate::lab::run::{Options, Run, Within, run_within};
use crate::lab::scenario::Scenario;
use crate::lab::scenario::model::{Action, ImageRule, Repo, Step};
use crate::object::fieldset::{self, Set};
use crate::object::{Object, ObjectId, Value, schema};
use crate::record::Clock;

use super::End;

/// What undisturbed runs came to, by what was deployed; `None` where one did not end well.
#[derive(Debug, Default)]
pub(in crate::lab) struct References(BTreeMap<String, Option<Footprint>>);

/// What an engine left in a cluster.
#[derive(Clone, Debug, Default, PartialEq)]
pub(in crate::lab) struct Footprint(BTreeMap<ObjectId, Owned>);

#[derive(Clone, Debug, PartialEq)]
struct Owned {
    fields: Set,
    values: Value,
}

/// What a run left.
pub(in crate::lab) fn footprint(run: &Run<'_>) -> Footprint {
    let is_own = |object: &Object| object.namespace() == NAMESPACE || object.name() == NAMESPACE;
    let ours = run.cluster().all().filter(|object| live::is_ours(object) && !is_own(object));
    Footprint(ours.filter_map(|object| Some((object.id(), owned(object)?))).collect())
}

/// What is other than undisturbed at the end of a run.
pub(super) fn at_end(run: &mut Run<'_>) -> Vec<(&'static str, String)> {
    let apps: Vec<App> = run.scenario().apps.iter().map(|given| given.app.clone()).collect();
    let is_small = apps.len() <= limits::UNDISTURBED_APPS;
    let is_here = matches!(run.cluster(), Cluster::Memory(_));
    let is_judged = is_here && is_small && run.has_engine() && !run.is_reference();
    if !is_judged || !is_disturbed(run.scenario()) {
        return Vec::new();
    }
    let head = run.head();
    let corrects = apps.iter().all(|app| app.drift == DriftPolicy::Correct);
    let is_ready = |app: &App| {
        let known = run.checks().apps().get(&app.name);
        known.is_some_and(|k| k.end == Some(End::Ready) && k.seen == head && k.told.is_empty())
    };
    if !corrects || !apps.iter().all(is_ready) {
        return Vec::new();
    }
    let Some(artifact) = run.artifact(&head) else { return Vec::new() };
    let Some(reference) = reference(run, &artifact.tree) else { return Vec::new() };
    let found = differences(&reference, &footprint(run));
    found.into_iter().map(|detail| ("as undisturbed", detail)).collect()
}

fn is_disturbed(scenario: &Scenario) -> bool {
    scenario.steps.iter().any(|step| {
        matches!(step.action, Some(Action::Drift(_) | Action::Fault(_) | Action::Engine(_)))
    })
}

/// What is left by deploying a tree undisturbed.
fn reference(run: &mut Run<'_>, tree: &Tree) -> Option<Footprint> {
    let scenario = undisturbed(run.scenario(), tree)?;
    let key = format!("{}\n{:?}\n{:?}", tree.id, scenario.apps, scenario.images);
    let mut references = std::mem::take(run.references());
    let footprint = references.0.entry(key).or_insert_with(|| {
        // The same for every run that asks, whichever asks first.
        let options = Options {
            seed: 1,
            clock: Clock::Virtual,
            profile: Some(scenario.world.profile.clone()),
            site: None,
        };
        let mut within = Within { is_reference: true, without_raw: true, ..Within::default() };
        run_within(&scenario, &options, &mut within).ok()?;
        within.footprint
    });
    let footprint = footprint.clone();
    *run.references() = references;
    footprint
}

/// A scenario that does nothing but deploy this tree; `None` where it holds what is no text.
fn undisturbed(disturbed: &Scenario, tree: &Tree) -> Option<Scenario> {
    let mut files = BTreeMap::new();
    read(tree, "", &mut files)?;
    let later = disturbed.steps.iter().filter_map(|step| match &step.action {
        Some(Action::Image(rules)) => Some(rules),
        _ => None,
    });
    let images: Vec<ImageRule> = disturbed.images.iter().chain(later.flatten()).cloned().collect();
    let step = Step { at: Default::default(), name: None, action: None, expect: Vec::new() };
    Some(Scenario {
        repo: Repo::Files(files),
        images,
        steps: vec![step],
        apps: disturbed.apps.clone(),
        world: disturbed.world.clone(),
        seed: None,
        needs: Vec::new(),
        remotes: disturbed.remotes.clone(),
        metrics: disturbed.metrics.clone(),
        foreign: disturbed.foreign.clone(),
        notice: disturbed.notice,
        name: disturbed.name.clone(),
        description: String::new(),
        file: disturbed.file.clone(),
    })
}

fn read(tree: &Tree, prefix: &str, files: &mut BTreeMap<String, String>) -> Option<()> {
    for (name, node) in &tree.entries {
        let path = if prefix.is_empty() { name.to_string() } else { format!("{prefix}/{name}") };
        match node {
            Node::Dir(below) => read(below, &path, files)?,
            Node::File(blob) => {
                files.insert(path, String::from_utf8(blob.bytes.to_vec()).ok()?);
            }
        }
    }
    Some(())
}

/// What we own of an object, and how it reads.
fn owned(object: &Object) -> Option<Owned> {
    let entry = object.list(&["metadata", "managedFields"]).iter().find(|entry| {
        let text = |key: &str| entry.get(key).and_then(Value::as_str).unwrap_or_default();
        text("manager") == MANAGER && text("operation") == "Apply" && text("subresource").is_empty()
    })?;
    let fields = Set::from_fields_v1(entry.get("fieldsV1")?).ok()?;
    let schema = schema::builtin();
    let gvk = object.gvk();
    let ty = schema.kind(&gvk.group, &gvk.version, &gvk.kind)?.ty;
    let values = fieldset::project(schema, ty, &object.clone().into_value(), &fields);
    Some(Owned { fields, values })
}

/// What `is` lacks or has otherwise. What it has besides is judged as an orphan or not.
fn differences(want: &Footprint, is: &Footprint) -> Vec<String> {
    let mut found = Vec::new();
    for (id, want) in &want.0 {
        match is.0.get(id) {
            None => found.push(format!("{id} is not there, or none of it is ours")),
            Some(is) if is.fields != want.fields => {
                let more = is.fields.difference(&want.fields).len();
                let fewer = want.fields.difference(&is.fields).len();
                found.push(format!(
                    "{id}: {more} more and {fewer} fewer fields are owned than undisturbed"
                ));
            }
            Some(is) if is.values != want.values => {
                let differ = crate::object::diff::differences(&want.values, &is.values);
                let first = differ.first().map(|one| one.path.clone()).unwrap_or_default();
                found.push(format!("{id}: {first} is other than undisturbed"));
            }
            Some(_) => {}
        }
    }
    found
}
