//! The work queue: which keys are due, whose calls are under way, and who waits for the caches.
//!
//! One key is synced by one plan at a time. After a write a key is not synced again before the
//! caches have seen the revision that it wrote (or, of a deletion, that the object goes): that is
//! what expectations are upstream, and what 1.36 does with resourceVersions. Since revisions of a
//! resource only grow, an object that came and went in between holds nobody up. After a refusal
//! the controller is asked once what it makes of it, then again after a back-off that doubles.
//!
//! It decides nothing about objects. The order is that in which keys became due.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use super::caches::{Caches, Place};
use super::kinds::Slot;
use super::plan::{Again, Asked, Call, Cx, Key, Note, Plan};
use super::recorder::Recorder;
use super::settings::Settings;
use crate::api::{Change, Ids, Outbox, Payload, Response, Status, Verb};
use crate::base::{Rng, Time, limits};
use crate::object::{Object, Value};

/// What a queue calls to have a key decided.
pub(crate) type Sync = fn(&Cx) -> Plan;

/// The queue.
#[derive(Debug, Default)]
pub(crate) struct Work {
    items: BTreeMap<Key, Item>,
    due: VecDeque<Key>,
    calls: BTreeMap<u64, (Key, usize)>,
    timers: BTreeMap<u64, Key>,
    events: BTreeSet<u64>,
    waits_for_revision: BTreeMap<Slot, BTreeSet<(u64, Key)>>,
    waits_for_end: BTreeMap<Place, BTreeSet<Key>>,
    /// Of objects that are gone on the server: the caches have to show that too.
    waits_for_loss: BTreeMap<Place, BTreeSet<Key>>,
    recorder: Recorder,
    /// What controllers remember of their keys.
    memory: BTreeMap<Key, Value>,
    shuffle: Option<Rng>,
}

#[derive(Debug, Default)]
struct Item {
    running: Option<Running>,
    /// How many things the caches have to show first.
    waits: usize,
    /// Woken since it was last synced.
    is_due: bool,
    /// In `due`.
    is_queued: bool,
    failures: u32,
    failure: Option<Asked>,
    asked: Vec<Asked>,
    timer: Option<(Time, u64)>,
}

#[derive(Debug)]
struct Running {
    rest: VecDeque<Vec<Call>>,
    batch: Vec<Call>,
    answers: Vec<Option<Arc<Response>>>,
    again: Again,
    memory: Option<Value>,
    /// The plan is what the controller made of a failure: the back-off follows in any case.
    is_after_failure: bool,
}

/// What the queue needs from its client while it works.
#[derive(Debug)]
pub(crate) struct Desk<'a> {
    pub(crate) now: Time,
    pub(crate) caches: &'a Caches,
    pub(crate) settings: &'a Settings,
    pub(crate) ids: &'a mut Ids,
    pub(crate) out: &'a mut Outbox,
    pub(crate) user_agent: &'static str,
}

impl Work {
    /// Has `key` synced as soon as it may be.
    pub(crate) fn wake(&mut self, key: Key) {
        let item = self.items.entry(key.clone()).or_default();
        item.is_due = true;
        if item.running.is_none() && item.waits == 0 && !item.is_queued {
            item.is_queued = true;
            self.due.push_back(key);
        }
    }

    /// Has `key` synced at `at`, or earlier if something else asks for that.
    pub(crate) fn wake_at(&mut self, key: Key, at: Time, desk: &mut Desk) {
        if at <= desk.now {
            return self.wake(key);
        }
        let item = self.items.entry(key.clone()).or_default();
        if item.timer.is_some_and(|(earlier, _)| earlier <= at) {
            return;
        }
        let id = desk.ids.draw();
        item.timer = Some((at, id));
        self.timers.insert(id, key);
        desk.out.timers.push((at, id));
    }

    /// Takes a timer; false where it is not the queue's.
    pub(crate) fn timer(&mut self, id: u64) -> bool {
        let Some(key) = self.timers.remove(&id) else { return false };
        if let Some(item) = self.items.get_mut(&key)
            && item.timer.is_some_and(|(_, current)| current == id)
        {
            item.timer = None;
            self.wake(key);
        }
        true
    }

    /// Lets go whoever waited for what `change` shows, or for the revision that `slot` is at.
    pub(crate) fn seen(&mut self, slot: Slot, revision: u64, change: Option<&Change>) {
        let mut free: Vec<Key> = Vec::new();
        if let Some(waits) = self.waits_for_revision.get_mut(&slot) {
            while waits.first().is_some_and(|(wanted, _)| *wanted <= revision) {
                free.extend(waits.pop_first().map(|(_, key)| key));
            }
        }
        if let Some(change) = change
            && change.new.as_ref().is_none_or(|new| new.is_deleting())
            && let Some(object) = change.object()
        {
            let place = (slot, Arc::from(object.namespace()), Arc::from(object.name()));
            free.extend(self.waits_for_end.remove(&place).into_iter().flatten());
            if change.new.is_none() {
                free.extend(self.waits_for_loss.remove(&place).into_iter().flatten());
            }
        }
        for key in free {
            let Some(item) = self.items.get_mut(&key) else { continue };
            item.waits = item.waits.saturating_sub(1);
            if item.waits == 0 && item.is_due {
                self.wake(key);
            }
        }
    }

    /// Syncs what is due until nothing is.
    pub(crate) fn drain(&mut self, sync: Sync, desk: &mut Desk) {
        while let Some(key) = self.next_due() {
            let Some(item) = self.items.get_mut(&key) else { continue };
            item.is_queued = false;
            let is_answered = item.failure.is_some() || !item.asked.is_empty();
            if item.running.is_some() || (item.waits > 0 && !is_answered) {
                continue;
            }
            item.is_due = false;
            let asked = std::mem::take(&mut item.asked);
            let failure = item.failure.take();
            let cx = Cx {
                now: desk.now,
                key: &key,
                caches: desk.caches,
                settings: desk.settings,
                asked: &asked,
                failure: failure.as_ref(),
                memory: self.memory.get(&key),
            };
            let plan = sync(&cx);
            self.begin(&key, plan, failure.is_some(), desk);
        }
    }

    /// The key that is looked at next: the one that waited longest, unless the order is shuffled.
    fn next_due(&mut self) -> Option<Key> {
        match &mut self.shuffle {
            Some(rng) if self.due.len() > 1 => {
                let below = u64::try_from(self.due.len()).unwrap_or(u64::MAX);
                let at = usize::try_from(rng.next_u64() % below).unwrap_or(0);
                self.due.remove(at)
            }
            _ => self.due.pop_front(),
        }
    }

    /// From now on keys that are due together are looked at in an order that follows from `rng`.
    pub(crate) fn shuffle(&mut self, rng: Rng) {
        self.shuffle = Some(rng);
    }

    fn begin(&mut self, key: &Key, plan: Plan, is_after_failure: bool, desk: &mut Desk) {
        if plan.is_nothing() && !is_after_failure {
            return self.rest(key);
        }
        for note in &plan.notes {
            self.record(key, note, desk);
        }
        let mut rest: VecDeque<_> = plan.batches.into();
        let batch = rest.pop_front().unwrap_or_default();
        let Some(item) = self.items.get_mut(key) else { return };
        let (again, memory) = (plan.again, plan.memory);
        let (calls, answers) = (Vec::new(), Vec::new());
        item.running =
            Some(Running { rest, batch: calls, answers, again, memory, is_after_failure });
        if batch.is_empty() {
            self.remember(key);
            self.finish(key, desk);
        } else {
            self.send(key, batch, desk);
        }
    }

    /// What most syncs come to: [`Work::finish`] of a plan that is empty, without the detour.
    fn rest(&mut self, key: &Key) {
        let Some(item) = self.items.get_mut(key) else { return };
        item.failures = 0;
        if item.is_idle() {
            self.items.remove(key);
        }
    }

    fn send(&mut self, key: &Key, mut batch: Vec<Call>, desk: &mut Desk) {
        for (index, call) in batch.iter_mut().enumerate() {
            let id = desk.ids.draw();
            self.calls.insert(id, (key.clone(), index));
            desk.out.requests.push((id, call.request.clone().by(desk.user_agent)));
            // Of a refused creation it is asked what was to be created; other bodies are not
            // kept until the answer comes.
            if call.request.verb != Verb::Create {
                call.request.body = None;
            }
        }
        if let Some(running) = self.items.get_mut(key).and_then(|item| item.running.as_mut()) {
            running.answers = vec![None; batch.len()];
            running.batch = batch;
        }
    }

    /// Takes an answer; false where it is not the queue's.
    pub(crate) fn answer(&mut self, id: u64, response: &Arc<Response>, desk: &mut Desk) -> bool {
        if self.events.remove(&id) {
            return true;
        }
        let Some((key, index)) = self.calls.remove(&id) else { return false };
        let Some(running) = self.items.get_mut(&key).and_then(|item| item.running.as_mut()) else {
            return true;
        };
        let Some(answer) = running.answers.get_mut(index) else { return true };
        *answer = Some(Arc::clone(response));
        let is_complete = running.answers.iter().all(Option::is_some);
        // Lent for as long as the queue looks at it.
        let batch = std::mem::take(&mut running.batch);
        if let Some(call) = batch.get(index) {
            self.one_answered(&key, call, response, desk);
        }
        if let Some(running) = self.items.get_mut(&key).and_then(|item| item.running.as_mut()) {
            running.batch = batch;
        }
        if is_complete {
            self.batch_answered(&key, desk);
        }
        true
    }

    fn one_answered(&mut self, key: &Key, call: &Call, response: &Response, desk: &mut Desk) {
        let note = match Outcome::of(call, response) {
            Outcome::Done => call.done.as_ref(),
            Outcome::Failed => call.failed.as_ref(),
            Outcome::Forgiven | Outcome::Dropped => None,
        };
        if let Some(note) = note {
            let message = note.message.replace("{}", &subject(call, response));
            let about = Arc::clone(&note.about);
            self.record(key, &Note { message, about, ..*note }, desk);
        }
        self.wait_for_write(key, call, response, desk);
    }

    fn batch_answered(&mut self, key: &Key, desk: &mut Desk) {
        let Some(item) = self.items.get_mut(key) else { return };
        let Some(running) = item.running.as_mut() else { return };
        let calls = std::mem::take(&mut running.batch);
        let answers = std::mem::take(&mut running.answers);
        let mut worst = Outcome::Done;
        let mut failure = None;
        let mut asked = Vec::new();
        for (call, response) in calls.into_iter().zip(answers.into_iter().flatten()) {
            let outcome = Outcome::of(&call, &response);
            let one = Asked { request: call.request, response };
            if outcome > worst {
                worst = outcome;
                failure = Some(one.clone());
            }
            asked.push(one);
        }
        match (worst, running.rest.pop_front()) {
            (Outcome::Done | Outcome::Forgiven, Some(next)) => self.send(key, next, desk),
            (Outcome::Done | Outcome::Forgiven, None) => {
                item.asked = asked;
                self.remember(key);
                self.finish(key, desk);
            }
            (Outcome::Dropped, _) => {
                running.again = Again::OnChange;
                self.finish(key, desk);
            }
            (Outcome::Failed, _) if running.is_after_failure => self.finish(key, desk),
            (Outcome::Failed, _) => {
                item.running = None;
                item.failure = failure;
                item.is_queued = true;
                self.due.push_front(key.clone());
            }
        }
    }

    /// Keeps what the plan that is done wants remembered.
    fn remember(&mut self, key: &Key) {
        let running = self.items.get_mut(key).and_then(|item| item.running.as_mut());
        match running.and_then(|running| running.memory.take()) {
            Some(Value::Null) => {
                self.memory.remove(key);
            }
            Some(memory) => {
                self.memory.insert(key.clone(), memory);
            }
            None => {}
        }
    }

    fn finish(&mut self, key: &Key, desk: &mut Desk) {
        let Some(item) = self.items.get_mut(key) else { return };
        let Some(running) = item.running.take() else { return };
        let is_backoff = running.is_after_failure || running.again == Again::Backoff;
        if running.again != Again::WithAnswers {
            item.asked.clear();
        }
        if is_backoff {
            let delay = limits::CONTROLLER_RETRY_START.saturating_mul(1 << item.failures.min(24));
            item.failures += 1;
            let at = desk.now + delay.min(limits::CONTROLLER_RETRY_MAX);
            self.wake_at(key.clone(), at, desk);
        } else {
            item.failures = 0;
            match running.again {
                Again::At(at) => self.wake_at(key.clone(), at, desk),
                Again::WithAnswers if !item.asked.is_empty() => {
                    item.is_queued = true;
                    self.due.push_front(key.clone());
                }
                _ => {}
            }
        }
        let Some(item) = self.items.get_mut(key) else { return };
        if item.is_due && item.waits == 0 && !item.is_queued {
            self.wake(key.clone());
        } else if item.is_idle() {
            self.items.remove(key);
        }
    }

    fn wait_for_write(&mut self, key: &Key, call: &Call, response: &Response, desk: &Desk) {
        let request = &call.request;
        let resource = &request.resource;
        let Some(slot) = desk.caches.slot_of(&resource.group, &resource.plural) else { return };
        let is_new = match (request.verb, &response.payload) {
            // The last finalizer of an object that was to go: it went.
            (Verb::Patch(_), Payload::Object(object)) if is_last(object) => {
                let (namespace, name) = (object.namespace(), object.name());
                let cached = desk.caches.get(slot, namespace, name);
                cached.is_some_and(|cached| cached.uid() == object.uid())
                    && self
                        .waits_for_loss
                        .entry((slot, namespace.into(), name.into()))
                        .or_default()
                        .insert(key.clone())
            }
            (Verb::Create | Verb::Update | Verb::Patch(_), Payload::Object(object)) => {
                let revision = object.revision();
                revision > desk.caches.revision(slot)
                    && self
                        .waits_for_revision
                        .entry(slot)
                        .or_default()
                        .insert((revision, key.clone()))
            }
            (Verb::Delete, _) if response.is_ok() || response.code == 404 => {
                let namespace = request.namespace.as_deref().unwrap_or_default();
                let name = request.name.as_deref().unwrap_or_default();
                let cached = desk.caches.get(slot, namespace, name);
                let wanted = request.options.delete.uid.as_deref();
                cached.is_some_and(|o| !o.is_deleting() && wanted.is_none_or(|uid| uid == o.uid()))
                    && self
                        .waits_for_end
                        .entry((slot, namespace.into(), name.into()))
                        .or_default()
                        .insert(key.clone())
            }
            _ => false,
        };
        if is_new && let Some(item) = self.items.get_mut(key) {
            item.waits += 1;
        }
    }

    fn record(&mut self, key: &Key, note: &Note, desk: &mut Desk) {
        let component = key.controller.component();
        let Some(request) = self.recorder.record(desk.now, component, note) else { return };
        let id = desk.ids.draw();
        self.events.insert(id);
        desk.out.requests.push((id, request.by(desk.user_agent)));
    }
}

impl Item {
    fn is_idle(&self) -> bool {
        self.running.is_none()
            && self.waits == 0
            && !self.is_due
            && !self.is_queued
            && self.failures == 0
            && self.timer.is_none()
    }
}

/// How a call came out, the worst last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Outcome {
    Done,
    /// Refused in a way that makes no difference: the object is gone already, or its namespace
    /// is going and the controller does not mind.
    Forgiven,
    /// Refused for good, and nobody is to be told: its namespace is going.
    Dropped,
    Failed,
}

impl Outcome {
    fn of(call: &Call, response: &Response) -> Self {
        if response.is_ok() {
            return Outcome::Done;
        }
        let is_ending = response.as_status().is_some_and(is_namespace_ending);
        match call.request.verb {
            Verb::Create if is_ending && call.forgives_ending_namespace => Outcome::Forgiven,
            Verb::Create if is_ending => Outcome::Dropped,
            Verb::Create => Outcome::Failed,
            Verb::DeleteCollection if matches!(response.code, 404 | 405) => Outcome::Forgiven,
            _ if response.code == 404 => Outcome::Forgiven,
            _ => Outcome::Failed,
        }
    }
}

fn is_namespace_ending(status: &Status) -> bool {
    let causes = status.details.iter().flat_map(|details| &details.causes);
    causes.into_iter().any(|cause| cause.reason == "NamespaceTerminating")
}

/// Whether an answer shows an object for the last time: nothing holds it any more.
fn is_last(object: &Object) -> bool {
    let grace = object.int(&["metadata", "deletionGracePeriodSeconds"]).unwrap_or(0);
    let is_held = object.finalizers().next().is_some() || grace > 0;
    object.is_deleting() && !is_held && object.kind() != "Namespace"
}

/// What `{}` in a note stands for.
fn subject(call: &Call, response: &Response) -> String {
    match response.as_status() {
        Some(status) if !response.is_ok() => status.message.clone(),
        _ => match (&call.request.name, response.as_object()) {
            (Some(name), _) => name.clone(),
            (None, Some(object)) => object.name().to_owned(),
            (None, None) => String::new(),
        },
    }
}

#[cfg(test)]
mod tests;
