//! The client that plays stages: it watches the kinds that have any, and writes statuses when
//! their time has come.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::known;
use super::next::{self, Shape};
use super::stage::{Becomes, Next, Stage};
use crate::api::{Change, Client, Ids, Informer, Input, Outbox, PatchKind, Request};
use crate::base::{Rng, Time};
use crate::object::{Gvr, Object, Value, json, schema};
use crate::sim::controllers::Served;

const AGENT: &str = "stages";
const DEFINITIONS: Gvr = Gvr::new("apiextensions.k8s.io", "v1", "customresourcedefinitions");

/// Group and kind.
type Kind = (String, String);

/// A kind that is watched.
#[derive(Debug)]
struct Watched {
    informer: Informer,
    is_custom: bool,
    /// Whether the status is written by itself.
    has_subresource: bool,
    /// Whether the definition says that the status has conditions.
    has_conditions: bool,
    shape: Shape,
}

/// The stage that was drawn for an object in its present state.
#[derive(Debug)]
struct Drawn {
    generation: i64,
    stage: (usize, usize),
    /// `None` for one that never comes, or has come.
    timer: Option<u64>,
}

/// Plays stages.
#[derive(Debug)]
pub struct Stages {
    /// What a scenario says, what is known, what is usual.
    layers: [Vec<Stage>; 3],
    profile: &'static str,
    rng: Rng,
    ids: Ids,
    definitions: Informer,
    kinds: BTreeMap<Kind, Watched>,
    /// By uid.
    drawn: BTreeMap<String, Drawn>,
    timers: BTreeMap<u64, (Kind, String, String)>,
}

/// The number of the layer that says what is usual.
const USUAL: usize = 2;

impl Stages {
    /// Plays `own` stages before those that are built in, in a world of this profile.
    #[must_use]
    pub fn new(own: Vec<Stage>, profile: &'static str, rng: Rng) -> Self {
        Self {
            layers: [own, known::known(), known::usual()],
            profile,
            rng,
            ids: Ids::default(),
            definitions: Informer::new(DEFINITIONS, "", AGENT),
            kinds: BTreeMap::new(),
            drawn: BTreeMap::new(),
            timers: BTreeMap::new(),
        }
    }

    /// From now on these stages stand beside those that were given, in the place of those for the
    /// same kind and the same objects. What waits for a stage is drawn anew.
    pub fn add(&mut self, now: Time, stages: Vec<Stage>, out: &mut Outbox) {
        let is_for_the_same = |old: &Stage, new: &Stage| {
            new.kind == old.kind && new.group == old.group && new.who == old.who
        };
        self.layers[0].retain(|old| !stages.iter().any(|new| is_for_the_same(old, new)));
        self.layers[0].splice(0..0, stages);
        self.drawn.clear();
        self.timers.clear();
        self.watch_builtin(out);
        let definitions: Vec<_> = self.definitions.iter().cloned().collect();
        definitions.iter().for_each(|definition| self.follow(definition, out));
        let kinds: Vec<Kind> = self.kinds.keys().cloned().collect();
        for kind in kinds {
            let objects: Vec<_> = self.kinds[&kind].informer.iter().cloned().collect();
            objects.iter().for_each(|object| self.consider(now, &kind, object, out));
        }
    }

    /// Watches the built-in kinds that a scenario has stages for.
    fn watch_builtin(&mut self, out: &mut Outbox) {
        let kinds = schema::builtin().kinds();
        let named = |stage: &Stage| stage.kind != "*";
        let wanted = |group: &str, kind: &str| {
            self.layers[0].iter().any(|stage| named(stage) && stage.is_for_kind(group, kind))
        };
        let found: Vec<_> = kinds
            .filter(|kind| kind.verbs.iter().any(|verb| verb == "watch"))
            .filter(|kind| wanted(&kind.gvk.group, &kind.gvk.kind))
            .map(|kind| (kind.gvk.group.to_string(), kind.gvk.kind.to_string(), kind.gvr.clone()))
            .collect();
        for (group, kind, gvr) in found {
            let watched = |gvr| Watched {
                informer: Informer::new(gvr, "", AGENT),
                is_custom: false,
                has_subresource: true,
                has_conditions: true,
                shape: Shape::default(),
            };
            self.watch((group, kind), watched(gvr), out);
        }
    }

    fn watch(&mut self, kind: Kind, mut watched: Watched, out: &mut Outbox) {
        if let std::collections::btree_map::Entry::Vacant(free) = self.kinds.entry(kind) {
            watched.informer.start(&mut self.ids, out);
            free.insert(watched);
        }
    }

    /// Watches what a definition defines, if there are stages for it.
    fn follow(&mut self, definition: &Object, out: &mut Outbox) {
        let Some(served) = Served::of_crd(definition) else { return };
        let group = served.resource.group.to_string();
        let kind = served.kind.to_string();
        if known::is_looked_after(&group, &kind) && !has_stage(&self.layers[0], &group, &kind) {
            return;
        }
        let mut versions = definition.list(&["spec", "versions"]).iter();
        let version = versions.find(|version| version["name"] == *served.resource.version);
        let version = version.cloned().unwrap_or_default();
        let status = &version["schema"]["openAPIV3Schema"]["properties"]["status"];
        let is_open = status["x-kubernetes-preserve-unknown-fields"] == true;
        let conditions = &status["properties"]["conditions"]["items"]["properties"];
        if status.is_null() && !has_stage(&self.layers[0], &group, &kind) {
            return;
        }
        let watched = Watched {
            informer: Informer::new(served.resource, "", AGENT),
            is_custom: true,
            has_subresource: version["subresources"]["status"].is_object(),
            has_conditions: is_open || conditions["type"].is_object(),
            shape: Shape {
                observed: status["properties"]["observedGeneration"]["type"] == "integer",
                conditions_observed: conditions["observedGeneration"].is_object(),
            },
        };
        self.watch((group, kind), watched, out);
    }

    /// Draws the stage that comes next for an object, unless one that still fits was drawn.
    fn consider(&mut self, now: Time, kind: &Kind, object: &Arc<Object>, out: &mut Outbox) {
        let Some(watched) = self.kinds.get(kind) else { return };
        if object.is_deleting() {
            self.drawn.remove(object.uid());
            return;
        }
        let fits = |(layer, index): (usize, usize)| {
            let stage = self.layers.get(layer)?.get(index)?;
            let may = layer != USUAL || !is_spoken_for(object);
            (may && would_change(stage, object, watched.shape, now)).then_some(stage)
        };
        if let Some(drawn) = self.drawn.get(object.uid())
            && drawn.generation == object.generation()
            && fits(drawn.stage).is_some()
        {
            return;
        }
        self.drawn.remove(object.uid());
        let candidates = self.candidates(kind, object, now);
        let total: u64 = candidates.iter().map(|(_, weight)| u64::from(*weight)).sum();
        if total == 0 {
            return;
        }
        let id = format!("{}/{}/{}", kind.1, object.namespace(), object.name());
        let mut rng = self.rng.fork(&format!("{id}/{}", object.generation())).fork(&id);
        let mut lot = rng.below(total);
        let Some((stage, _)) = candidates.into_iter().find(|(_, weight)| {
            let is_it = lot < u64::from(*weight);
            lot = lot.saturating_sub(u64::from(*weight));
            is_it
        }) else {
            return;
        };
        let picked = &self.layers[stage.0][stage.1];
        let timer = match picked.next {
            Next::Never => None,
            Next::Becomes(_) => {
                let at = now + picked.after.of(self.profile).draw(&mut rng);
                let timer = self.ids.draw();
                out.timers.push((at, timer));
                let names = (object.namespace().to_owned(), object.name().to_owned());
                self.timers.insert(timer, (kind.clone(), names.0, names.1));
                Some(timer)
            }
        };
        let drawn = Drawn { generation: object.generation(), stage, timer };
        self.drawn.insert(object.uid().to_owned(), drawn);
    }

    /// The stages of the layer that decides about an object that fit now, with their weights.
    fn candidates(&self, kind: &Kind, object: &Object, now: Time) -> Vec<((usize, usize), u32)> {
        let Some(watched) = self.kinds.get(kind) else { return Vec::new() };
        for (number, layer) in self.layers.iter().enumerate() {
            let is_for =
                |stage: &&Stage| stage.is_for_kind(&kind.0, &kind.1) && stage.is_for(object);
            if !layer.iter().any(|stage| is_for(&stage)) {
                continue;
            }
            // What is built in is for custom resources, and the first that is for one counts.
            if number > 0 && !(watched.is_custom && watched.has_conditions) {
                return Vec::new();
            }
            // Where nothing is known, whoever has a word on the status knows better.
            if number == USUAL && is_spoken_for(object) {
                return Vec::new();
            }
            let mine = layer.iter().enumerate().filter(|(_, stage)| is_for(stage));
            let mine = mine.take(if number == 0 { usize::MAX } else { 1 });
            return mine
                .filter(|(_, stage)| would_change(stage, object, watched.shape, now))
                .map(|(index, stage)| ((number, index), stage.weight))
                .collect();
        }
        Vec::new()
    }

    /// The time of a stage has come.
    fn ring(&mut self, now: Time, timer: u64, out: &mut Outbox) {
        let Some((kind, namespace, name)) = self.timers.remove(&timer) else { return };
        let Some(watched) = self.kinds.get(&kind) else { return };
        let Some(object) = watched.informer.get(&namespace, &name).cloned() else { return };
        let Some(drawn) = self.drawn.get_mut(object.uid()) else { return };
        if drawn.timer != Some(timer) {
            return;
        }
        drawn.timer = None;
        let stage = &self.layers[drawn.stage.0][drawn.stage.1];
        let Next::Becomes(to) = &stage.next else { return };
        if !would_change(stage, &object, watched.shape, now) {
            return;
        }
        for request in requests(&object, to, watched, now) {
            out.requests.push((self.ids.draw(), request));
        }
    }
}

fn has_stage(layer: &[Stage], group: &str, kind: &str) -> bool {
    layer.iter().any(|stage| stage.is_for_kind(group, kind))
}

/// Whether somebody else than the player has written to the status.
fn is_spoken_for(object: &Object) -> bool {
    let group = object.gvk().group;
    object
        .list(&["metadata", "managedFields"])
        .iter()
        .any(|entry| entry["subresource"] == "status" && entry["manager"].as_str() != Some(&*group))
}

/// Whether a stage fits the state of an object and is not what the object is already.
fn would_change(stage: &Stage, object: &Object, shape: Shape, now: Time) -> bool {
    stage.is_in_state(object)
        && match &stage.next {
            Next::Never => true,
            Next::Becomes(to) => next::status(object, to, shape, now).is_some(),
        }
}

/// The writes of a stage: what it creates, then the status.
fn requests(object: &Object, to: &Becomes, watched: &Watched, now: Time) -> Vec<Request> {
    let gvr = watched.informer.resource().clone();
    let (namespace, name) = (object.namespace(), object.name());
    let manager = if gvr.group.is_empty() { "stages".into() } else { gvr.group.clone() };
    let mut requests = Vec::new();
    for made in next::created(object, to, now) {
        let gvk = made.gvk();
        let Some(kind) = schema::builtin().kind(&gvk.group, &gvk.version, &gvk.kind) else {
            continue;
        };
        let namespace = if kind.namespaced { made.namespace().to_owned() } else { String::new() };
        requests.push(Request::create(kind.gvr.clone(), &namespace, made));
    }
    if let Some(status) = next::status(object, to, watched.shape, now) {
        let (kind, status) = if watched.is_custom {
            (PatchKind::Merge, status)
        } else {
            (PatchKind::Strategic, changed(object, status))
        };
        let body = json!({"metadata": {"uid": object.uid()}, "status": status});
        let patch = Request::patch(gvr, namespace, name, kind, body);
        let whole = !watched.has_subresource;
        requests.push(if whole { patch } else { patch.subresource("status") });
    }
    for request in &mut requests {
        request.options.field_manager = Some(manager.clone());
    }
    requests.into_iter().map(|request| request.by(AGENT)).collect()
}

/// Of a built-in kind only what differs is sent: others write to the same status.
fn changed(object: &Object, status: Value) -> Value {
    let Value::Object(status) = status else { return status };
    let mut changed: Value = json!({});
    for (key, value) in status {
        let before = object.at(&["status", key.as_str()]);
        if before == Some(&value) {
            continue;
        }
        let old = before.and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        changed[key.as_str()] = match (key.as_str(), value) {
            ("conditions", Value::Array(list)) => {
                list.into_iter().filter(|condition| !old.contains(condition)).collect()
            }
            (_, value) => value,
        };
    }
    changed
}

impl Client for Stages {
    fn name(&self) -> &'static str {
        AGENT
    }

    fn step(&mut self, now: Time, input: Input, out: &mut Outbox) {
        if matches!(input, Input::Start) {
            self.definitions.start(&mut self.ids, out);
            self.watch_builtin(out);
            return;
        }
        for change in self.definitions.take(now, &input, &mut self.ids, out) {
            match (&change.new, &change.old) {
                (Some(definition), _) => self.follow(definition, out),
                (None, Some(old)) => {
                    if let Some(served) = Served::of_crd(old) {
                        let kind = (served.resource.group.to_string(), served.kind.to_string());
                        self.kinds.remove(&kind);
                    }
                }
                (None, None) => {}
            }
        }
        let mut changes: Vec<(Kind, Change)> = Vec::new();
        for (kind, watched) in &mut self.kinds {
            let heard = watched.informer.take(now, &input, &mut self.ids, out);
            changes.extend(heard.into_iter().map(|change| (kind.clone(), change)));
        }
        for (kind, change) in changes {
            match (&change.new, &change.old) {
                (Some(object), _) => self.consider(now, &kind, object, out),
                (None, Some(old)) => {
                    self.drawn.remove(old.uid());
                }
                (None, None) => {}
            }
        }
        if let Input::Timer { key } = input {
            self.ring(now, key, out);
        }
    }
}
