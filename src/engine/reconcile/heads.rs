//! A new head of the repository: which Apps it concerns, which of them may start now, and which
//! have to wait for others.
//!
//! Not here: what a commit comes to for one App (`begin`), and how it is deployed (`deploy`).

use crate::base::Time;
use crate::engine::Engine;
use crate::engine::model::{InventoryEntry, Mark};
use crate::object::ObjectId;

use super::app::{Next, Version, Why};

impl Engine {
    /// The head moved: renders every App whose files changed, then starts them. All are rendered
    /// before one is started, so that an object that moves from one App to another has its new
    /// owner before its old one prunes.
    pub(super) fn retarget(&mut self, now: Time) {
        let Some(head) = self.core.head.clone() else { return };
        if !self.core.boot.is_done() {
            return;
        }
        let noticed = self.core.noticed.take();
        let mut changed = Vec::new();
        for (name, app) in &mut self.apps {
            if let Some(next) = self.core.look(now, app, &head, noticed) {
                changed.push((name.clone(), next));
            }
        }
        self.admit(now, changed);
        self.settle_unknown(now);
    }

    /// Starts what has come to something, unless an object of it is another App's.
    pub(super) fn admit(&mut self, now: Time, changed: Vec<(String, Next)>) {
        let mut free = Vec::new();
        for (name, next) in changed {
            match self.taken(&name, &next) {
                Some((id, other)) => self.refuse_taken(now, &name, &next.version, &id, &other),
                None => {
                    self.take_over(&name, &next.version);
                    self.core.own(&name, &next.version.desired);
                    free.push((name, next));
                }
            }
        }
        for (name, next) in free {
            self.start_or_block(now, &name, next);
        }
    }

    fn start_or_block(&mut self, now: Time, name: &str, next: Next) {
        let is_blocked = next.why == Why::Commit && self.is_blocked(name);
        let Some(app) = self.apps.get_mut(name) else { return };
        // What an engine before this one deployed waits for nobody: it is only looked after.
        if is_blocked && !app.is_resumed(&next.version) {
            self.core.block(app, next.version);
        } else {
            self.core.begin(now, app, next);
        }
    }

    /// An object of a commit that is of another App, which renders it still, and that App: both
    /// would write it, for ever. Of two Apps that come to an object with the same commit the one
    /// that is first by name has it.
    fn taken(&self, name: &str, next: &Next) -> Option<(ObjectId, String)> {
        if next.why != Why::Commit {
            return None;
        }
        next.version.desired.objects.keys().find_map(|id| {
            let other = self.core.owner.get(id).filter(|other| *other != name)?;
            let is_claimed = self.apps.get(other).is_some_and(|other| other.claims.contains(id));
            is_claimed.then(|| (id.clone(), other.clone()))
        })
    }

    /// What another App lets go of comes with its place in the inventory, even if it is long until
    /// it is applied: the other one forgets it, and somebody has to know of it.
    fn take_over(&mut self, name: &str, version: &Version) {
        let mut taken: Vec<(InventoryEntry, Option<Mark>)> = Vec::new();
        for id in version.desired.objects.keys() {
            let Some(other) = self.core.owner.get(id).filter(|other| *other != name) else {
                continue;
            };
            let Some(other) = self.apps.get(other) else { continue };
            let entries = other.state.inventory.iter().filter(|entry| entry.id == *id);
            taken.extend(entries.map(|entry| (entry.clone(), other.state.marks.get(id).cloned())));
        }
        if taken.is_empty() {
            return;
        }
        let Some(app) = self.apps.get_mut(name) else { return };
        for (entry, mark) in taken {
            app.state.marks.extend(mark.map(|mark| (entry.id.clone(), mark)));
            app.state.moved.insert(entry.id.clone());
            app.state.inventory.insert(entry);
        }
        app.is_unwritten = true;
        self.core.write_state(app);
    }

    /// Nothing of a version is applied that has an object of another App. It is looked at again
    /// at every commit: the other may let go of the object.
    fn refuse_taken(
        &mut self,
        now: Time,
        name: &str,
        version: &Version,
        id: &ObjectId,
        other: &str,
    ) {
        let origin = version.desired.objects.get(id).map(|want| want.origin.to_string());
        let reason = format!("{}: {id} is of App {other} already", origin.unwrap_or_default());
        let Some(app) = self.apps.get_mut(name) else { return };
        app.tip = None;
        let running = app.desired.iter().flat_map(|version| version.desired.objects.keys());
        app.claims = running.cloned().collect();
        self.core.not_deployable(now, app, &version.commit, "plan", &reason);
    }

    /// Whether a dependency of the App is not ready at the head yet.
    fn is_blocked(&self, name: &str) -> bool {
        let Some(app) = self.apps.get(name) else { return false };
        app.spec.depends_on.iter().any(|on| !self.apps.get(on).is_some_and(|on| on.is_ready))
    }

    /// Starts what waited for a dependency that has become ready.
    pub(super) fn unblock(&mut self, now: Time) {
        if !std::mem::take(&mut self.core.boot.became_ready) {
            return;
        }
        for name in std::mem::take(&mut self.core.waiting) {
            if self.is_blocked(&name) {
                self.core.waiting.insert(name);
                continue;
            }
            let Some(app) = self.apps.get_mut(&name) else { continue };
            if let Some(version) = app.blocked.take() {
                self.core.begin(now, app, Next { version, why: Why::Commit });
            }
        }
        // A start may end at once (nothing to do), which may free the next in the chain.
        if self.core.boot.became_ready {
            self.unblock(now);
        }
    }
}
