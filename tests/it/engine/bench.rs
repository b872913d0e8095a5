//! An engine on a bench: a store of objects that takes what is applied, a clock, and ways to have
//! requests refused or left unanswered. It merges nothing and knows no rules: an apply puts its
//! body in place of what was there.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use towtank::api::{
    self, EventKind, List, Payload, Reason, Request, Response, Status, Verb, WatchEvent,
};
use towtank::base::{Event, Rng, Time};
use towtank::engine::model::{App, Artifact, Blob, MANAGER, Node, Tree};
use towtank::engine::{Action, Engine, Input};
use towtank::object::{Gvr, Object, json, yaml};

type Rule = fn(&Request) -> Option<Response>;

pub(super) struct Bench {
    pub(super) engine: Engine,
    pub(super) actions: Vec<Action>,
    now: Time,
    events: Vec<Event>,
    objects: BTreeMap<String, Arc<Object>>,
    revision: u64,
    /// What happened, by revision.
    history: BTreeMap<u64, (String, WatchEvent)>,
    /// The open watches: their ids, and the revision that each has heard of.
    watches: BTreeMap<Gvr, (u64, u64)>,
    timers: Vec<(Time, u64)>,
    under_way: Vec<(u64, Request)>,
    log: Vec<(Time, String)>,
    refused: Option<(&'static str, Rule)>,
    held: Option<&'static str>,
    /// Who says what happens first, and what fails; without it everything is in order.
    chance: Option<Rng>,
    /// Whether some requests fail.
    pub(super) is_faulty: bool,
}

/// A ConfigMap with one text.
pub(super) fn config_map(name: &str, text: &str) -> String {
    format!(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {{ name: {name}, namespace: default }}\ndata: {{ text: {text:?} }}\n"
    )
}

/// A commit with these files.
pub(super) fn artifact(commit: &str, files: &[(&str, &str)]) -> Arc<Artifact> {
    let blob = |text: &str| Blob { id: text.into(), bytes: text.as_bytes().into() };
    let entry = |(name, text): &(&str, &str)| ((*name).into(), Node::File(Arc::new(blob(text))));
    let tree = Tree { id: commit.into(), entries: files.iter().map(entry).collect() };
    Arc::new(Artifact { commit: commit.into(), subject: commit.to_owned(), tree: Arc::new(tree) })
}

/// `configmaps/default/config`.
fn place(resource: &Gvr, namespace: Option<&str>, name: Option<&str>) -> String {
    let parts = [namespace.unwrap_or_default(), name.unwrap_or_default()];
    format!("{}/{}/{}", resource.plural, parts[0], parts[1])
}

fn place_of(request: &Request) -> String {
    place(&request.resource, request.namespace.as_deref(), request.name.as_deref())
}

impl Bench {
    pub(super) fn new(apps: &[App]) -> Self {
        Self {
            engine: Engine::new(apps),
            actions: Vec::new(),
            now: Time::VIRTUAL_START,
            events: Vec::new(),
            objects: BTreeMap::new(),
            revision: 1,
            history: BTreeMap::new(),
            watches: BTreeMap::new(),
            timers: Vec::new(),
            under_way: Vec::new(),
            log: Vec::new(),
            refused: None,
            held: None,
            chance: None,
            is_faulty: false,
        }
    }

    /// Answers and watch events come in any order from now on.
    pub(super) fn shuffle(&mut self, seed: u64) {
        self.chance = Some(Rng::new(seed));
    }

    /// A number below `bound`, 0 where everything is in order.
    pub(super) fn draw(&mut self, bound: usize) -> usize {
        self.chance.as_mut().map_or(0, |rng| rng.below(bound as u64) as usize)
    }

    /// Starts the engine on a first commit.
    pub(super) fn start(&mut self, head: &Arc<Artifact>) {
        self.step(Input::Start);
        self.push(head);
    }

    /// Another engine in the same cluster; the one before is lost.
    pub(super) fn restart(&mut self, apps: &[App]) {
        self.engine = Engine::new(apps);
        self.watches.clear();
        self.timers.clear();
        self.under_way.clear();
        self.actions.clear();
    }

    /// The engine hears of a new head and has it in the same instant.
    pub(super) fn push(&mut self, head: &Arc<Artifact>) {
        self.step(Input::Pushed);
        self.step(Input::Fetched { asked: None, artifact: Arc::clone(head) });
    }

    /// Answers from now on what `rule` says to requests for places that begin like this.
    pub(super) fn refuse(&mut self, place: &'static str, rule: Rule) {
        self.refused = Some((place, rule));
    }

    pub(super) fn refuse_nothing(&mut self) {
        self.refused = None;
    }

    /// Leaves requests for places that begin like this unanswered from now on.
    pub(super) fn hold(&mut self, place: &'static str) {
        self.held = Some(place);
    }

    pub(super) fn hold_nothing(&mut self) {
        self.held = None;
    }

    /// Somebody else writes an object.
    pub(super) fn change(&mut self, manifest: &str) {
        let document = yaml::documents(manifest, yaml::Dialect::Kubectl).expect("it is YAML");
        let object = Object::from_value(document[0].value.clone()).expect("it is an object");
        let gvr = Gvr::new("", "v1", "configmaps");
        let place = place(&gvr, Some(object.namespace()), Some(object.name()));
        let mut changed = self.objects.get(&place).map_or(object.clone(), |was| Object::clone(was));
        changed.set(&["data"], object.at(&["data"]).cloned().unwrap_or_default());
        self.store(&place, changed);
    }

    /// Gives the engine an input and takes what it wants.
    pub(super) fn step(&mut self, input: Input) {
        let out = self.engine.step(self.now, input);
        self.events.extend(out.events);
        self.actions.extend(out.actions);
        self.timers.extend(out.api.timers);
        for (id, request) in out.api.requests {
            self.log.push((self.now, place_of(&request)));
            self.under_way.push((id, request));
        }
    }

    /// Lets time pass; every request is answered in the instant in which it is sent.
    pub(super) fn pass(&mut self, time: Duration) {
        let until = self.now + time;
        loop {
            self.answer();
            let due = self.timers.iter().enumerate().min_by_key(|(_, timer)| **timer);
            let Some((n, (at, key))) = due.map(|(n, timer)| (n, *timer)) else { break };
            if at > until {
                break;
            }
            self.timers.remove(n);
            self.now = self.now.max(at);
            self.step(Input::Api(api::Input::Timer { key }));
        }
        self.now = until;
    }

    /// Gives every answer and every watch event that is due.
    fn answer(&mut self) {
        loop {
            let is_held = |request: &Request| {
                let place = place_of(request);
                self.held.is_some_and(|held| place.starts_with(held))
            };
            let due: Vec<u64> = self
                .under_way
                .iter()
                .filter(|(_, request)| !is_held(request))
                .map(|(id, _)| *id)
                .collect();
            let news: Vec<Gvr> =
                self.watches.keys().filter(|gvr| self.next_event(gvr).is_some()).cloned().collect();
            if due.is_empty() && news.is_empty() {
                return;
            }
            let n = self.draw(due.len() + news.len());
            let pause = Duration::from_millis(self.draw(20) as u64);
            self.now += pause;
            match due.get(n) {
                Some(id) => self.answer_one(*id),
                None => self.tell(&news[n - due.len()]),
            }
        }
    }

    fn answer_one(&mut self, id: u64) {
        let Some(n) = self.under_way.iter().position(|(other, _)| *other == id) else { return };
        let (_, request) = self.under_way.remove(n);
        let response = self.response(id, &request);
        self.step(Input::Api(api::Input::Answer { id, response: response.into() }));
    }

    fn next_event(&self, gvr: &Gvr) -> Option<(u64, WatchEvent)> {
        let (_, heard) = self.watches.get(gvr)?;
        let prefix = format!("{}/", gvr.plural);
        let mut later = self.history.range(heard + 1..);
        let (revision, (_, event)) = later.find(|(_, (place, _))| place.starts_with(&prefix))?;
        Some((*revision, event.clone()))
    }

    fn tell(&mut self, gvr: &Gvr) {
        let Some((revision, event)) = self.next_event(gvr) else { return };
        let Some((id, heard)) = self.watches.get_mut(gvr) else { return };
        *heard = revision;
        let id = *id;
        self.step(Input::Api(api::Input::Event { id, event }));
    }

    fn response(&mut self, id: u64, request: &Request) -> Response {
        let place = place_of(request);
        if self.is_faulty
            && let Some(response) = self.fault()
        {
            return response;
        }
        let refused = self.refused.filter(|(prefix, _)| place.starts_with(prefix));
        if let Some(response) = refused.and_then(|(_, rule)| rule(request)) {
            return response;
        }
        match request.verb {
            Verb::Watch => {
                let from = request.options.resource_version.as_deref();
                let from = from.and_then(|text| text.parse().ok()).unwrap_or(0);
                self.watches.insert(request.resource.clone(), (id, from));
                Response { code: 200, payload: Payload::Watching, warnings: Vec::new() }
            }
            Verb::List => self.list(request),
            Verb::Delete => {
                let Some(object) = self.objects.remove(&place) else {
                    return Status::not_found(&request.resource, &place).into();
                };
                self.happened(&place, EventKind::Deleted, Object::clone(&object));
                Status::new(200, Reason::Unknown, "").into()
            }
            Verb::Patch(_) => {
                let body = request.body.as_deref().cloned().expect("an apply has a body");
                let mut object = Object::from_value(body).expect("the body is an object");
                object.set(
                    &["metadata", "managedFields"],
                    json!([{"manager": MANAGER, "operation": "Apply", "fieldsV1": {}}]),
                );
                let answer = if request.options.dry_run {
                    Arc::new(object)
                } else {
                    self.store(&place, object)
                };
                Response::object(200, answer)
            }
            _ => Response::object(200, Arc::new(Object::default())),
        }
    }

    fn list(&self, request: &Request) -> Response {
        let prefix = place(&request.resource, request.namespace.as_deref(), None);
        let prefix = prefix.trim_end_matches('/');
        let items = self.objects.iter().filter(|(place, _)| place.starts_with(prefix));
        Response::list(List {
            kind: "List".into(),
            api_version: "v1".to_owned(),
            revision: self.revision,
            continue_token: None,
            remaining: None,
            items: items.map(|(_, object)| Arc::clone(object)).collect(),
        })
    }

    fn store(&mut self, place: &str, mut object: Object) -> Arc<Object> {
        object.set(&["metadata", "uid"], place.into());
        let is_there = self.objects.contains_key(place);
        let kind = if is_there { EventKind::Modified } else { EventKind::Added };
        let object = self.happened(place, kind, object);
        self.objects.insert(place.to_owned(), Arc::clone(&object));
        object
    }

    fn happened(&mut self, place: &str, kind: EventKind, mut object: Object) -> Arc<Object> {
        self.revision += 1;
        object.set(&["metadata", "resourceVersion"], self.revision.to_string().into());
        let object = Arc::new(object);
        let event = WatchEvent { kind, object: Arc::clone(&object) };
        self.history.insert(self.revision, (place.to_owned(), event));
        object
    }

    /// One request in four fails, each in some way that a real server has.
    fn fault(&mut self) -> Option<Response> {
        let (code, reason) = match self.draw(28) {
            0 => (500, Reason::InternalError),
            1 | 2 => (503, Reason::ServiceUnavailable),
            3 => (429, Reason::TooManyRequests),
            4 => (409, Reason::Conflict),
            5 => (403, Reason::Forbidden),
            6 => (422, Reason::Invalid),
            _ => return None,
        };
        Some(Status::new(code, reason, "by chance").into())
    }

    /// What there is in `default`, by name.
    pub(super) fn texts(&self) -> BTreeMap<&str, &str> {
        let own = self.objects.values().filter(|object| object.namespace() == "default");
        own.filter_map(|object| Some((object.name(), object.text(&["data", "text"])?))).collect()
    }

    /// How many events of a kind there were.
    pub(super) fn count(&self, is: impl Fn(&Event) -> bool) -> usize {
        self.events.iter().filter(|event| is(event)).count()
    }

    /// When requests for places that begin like this were sent.
    pub(super) fn sent(&self, place: &str) -> Vec<Time> {
        let sent = self.log.iter().filter(|(_, sent)| sent.starts_with(place));
        sent.map(|(at, _)| *at).collect()
    }

    /// The text of a ConfigMap in `default`.
    pub(super) fn text_of(&self, name: &str) -> &str {
        self.objects[&format!("configmaps/default/{name}")].text(&["data", "text"]).expect("text")
    }
}
