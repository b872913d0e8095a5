//! How a deployment begins: what a commit comes to for an App, and what has to end or be known
//! before it can be worked on.
//!
//! Not here: which Apps a new head concerns (`heads`), and the stages that follow (`deploy`).

use std::sync::Arc;

use crate::base::{Event, Time};
use crate::engine::apps::given::Content;
use crate::engine::model::{Artifact, FailurePolicy, GitId, Rendered};
use crate::engine::plan::{self, DesiredSet, PlanError};
use crate::engine::{Action, kinds, live};
use crate::object::{ObjectId, yaml};

use super::Core;
use super::after::Aftercare;
use super::app::{AppState, Awaited, Next, Run, Unknown, Version, Why};

impl Core {
    /// Renders the App at a new head. `None` where there is nothing to start: its files are the
    /// same, or cannot be rendered.
    pub(super) fn look(
        &mut self,
        now: Time,
        app: &mut AppState,
        head: &Artifact,
        noticed: Option<Time>,
    ) -> Option<Next> {
        let name = app.spec.name.clone();
        let commit = head.commit.to_string();
        app.target = Some(Arc::clone(&head.commit));
        if app.tip.as_ref().is_some_and(|tip| tip.holds_for(&head.tree)) {
            self.event(Event::Unchanged { app: name, commit });
            if let Some(run) = &mut app.run
                && std::mem::take(&mut run.taken_back)
            {
                let bad = Arc::clone(&run.version.commit);
                self.hold(now, app, &bad, "what was taken back was not what brought it");
            }
            return None;
        }
        // From here on nobody may start for its sake, whichever App is looked at first.
        app.is_ready = false;
        if let Some(heard) = noticed {
            let ago_us = u64::try_from(now.since(heard).as_micros()).unwrap_or(u64::MAX);
            self.event(Event::Noticed { app: name.clone(), ago_us });
        }
        self.event(Event::Fetched { app: name.clone(), commit: commit.clone() });
        app.tip = None;
        app.unknown = None;
        let rendered = match self.renderer.build(&head.tree, &app.spec.path) {
            Ok(rendered) => rendered,
            Err(error) => {
                self.not_deployable(now, app, &head.commit, "render", &error.to_string());
                return None;
            }
        };
        app.tip = Some(Arc::clone(&rendered));
        self.event(Event::Rendered { app: name, commit, objects: rendered.manifests.len() });
        self.kinds.learn_rendered(&rendered);
        self.settle(now, app, head, &rendered).unwrap_or_else(|_| {
            // Its definition may come with another App, or be in the cluster.
            app.unknown = Some(Unknown::Asking);
            None
        })
    }

    /// What the App rendered at the head comes to. `Ok(None)` where nothing is to be started.
    ///
    /// # Errors
    /// A kind that no built-in group can have is not known (yet); nothing was done about it.
    pub(super) fn settle(
        &mut self,
        now: Time,
        app: &mut AppState,
        head: &Artifact,
        rendered: &Arc<Rendered>,
    ) -> Result<Option<Next>, PlanError> {
        let desired = match plan::desired::settle(&app.spec, rendered, self.kinds.schema()) {
            Ok(desired) => Arc::new(desired),
            Err(error) => {
                if matches!(&error, PlanError::UnknownKind { api_version, .. }
                    if kinds::is_foreign(api_version.split_once('/').map_or("", |(group, _)| group)))
                {
                    return Err(error);
                }
                let text = place(&error, head);
                self.not_deployable(now, app, &head.commit, "plan", &text);
                return Ok(None);
            }
        };
        let version = Version { commit: Arc::clone(&head.commit), desired };
        app.claims = version.desired.objects.keys().cloned().collect();
        Ok(self.way_for(app, version, rendered))
    }

    /// A revision that was rolled back from is not tried again, whatever the commit is called
    /// now: the App goes (or stays) where it was rolled back to.
    fn way_for(
        &mut self,
        app: &mut AppState,
        version: Version,
        rendered: &Rendered,
    ) -> Option<Next> {
        let is_bad = app.state.bad.as_ref().is_some_and(|bad| bad.digest == rendered.digest());
        let last_good = app.state.last_good.as_deref().filter(|good| **good != *version.commit);
        let (true, FailurePolicy::Rollback, Some(to)) = (is_bad, app.spec.on_failure, last_good)
        else {
            return Some(Next { version, why: Why::Commit });
        };
        let (from, to) = (version.commit, GitId::from(to));
        if let Some(good) = app.good.clone().filter(|good| good.commit == to) {
            return Some(Next { version: good, why: Why::Rollback { from } });
        }
        self.await_tree(app, from, to);
        None
    }

    /// After a restart the tree of the last good commit is not in memory: it is asked for.
    pub(super) fn await_tree(&mut self, app: &mut AppState, from: GitId, to: GitId) {
        self.out.actions.push(Action::Fetch { commit: Some(Arc::clone(&to)) });
        app.awaited = Some(Awaited { to, from });
    }

    /// The App waits for a dependency; what ran before goes on until then.
    pub(super) fn block(&mut self, app: &mut AppState, version: Version) {
        app.is_ready = false;
        app.blocked = Some(version);
        self.waiting.insert(app.spec.name.clone());
    }

    /// Starts a deployment, taking over from one under way.
    pub(super) fn begin(&mut self, now: Time, app: &mut AppState, next: Next) {
        app.is_ready = false;
        if next.why == Why::Commit {
            // What waits for a dependency or a tree is of an older commit. A rollback forgets
            // neither: the commit that waits is newer than the one that failed.
            app.blocked = None;
            app.awaited = None;
        }
        if let Some(run) = &app.run {
            let by = next.version.commit.to_string();
            if !run.held && next.why == Why::Commit {
                let commit = run.version.commit.to_string();
                self.event(Event::Preempted { app: app.spec.name.clone(), commit, by });
            }
            self.forget_put_off(app);
            if app.is_busy() {
                app.next = Some(next);
                return;
            }
        }
        self.begin_now(now, app, next);
    }

    pub(super) fn begin_now(&mut self, now: Time, app: &mut AppState, mut next: Next) {
        app.runs += 1;
        app.aftercare = Aftercare::default();
        app.state.degraded = None;
        if next.why != Why::Commit {
            next.version = self.without_lost(&app.spec.name, next.version);
            self.own(&app.spec.name, &next.version.desired);
        }
        let desired = Arc::clone(&next.version.desired);
        for want in desired.objects.values() {
            self.want(&want.gvr);
        }
        for entry in &app.state.inventory {
            match self.resource_of(&entry.id.group, &entry.version, &entry.id.kind) {
                Some(gvr) => self.want(&gvr),
                // An engine before this one knew it.
                None => self.want_definitions(),
            }
        }
        if desired.objects.keys().any(live::runs_pods) {
            self.live.want_pods(&mut self.ids, &mut self.out.api);
        }
        let content = next.version.desired.rendered.digest();
        if app.state.since.as_ref().is_none_or(|since| since.digest != content) {
            let commit = next.version.commit.to_string();
            app.state.since = Some(Content { commit, digest: content });
            app.is_news = true;
        }
        app.desired = Some(next.version.clone());
        app.run = Some(Run::new(app.runs, now, next.version, next.why));
        self.advance(now, app);
    }

    /// Everything that is rendered for an App is its own, and no longer another's.
    pub(super) fn own(&mut self, app: &str, desired: &DesiredSet) {
        for id in desired.objects.keys() {
            self.owner.insert(id, app);
        }
    }

    /// A version to go back to, without what has become another App's since: the other one keeps
    /// it, and two must not write it.
    fn without_lost(&self, app: &str, version: Version) -> Version {
        let is_lost = |id: &ObjectId| self.owner.get(id).is_some_and(|owner| owner != app);
        if !version.desired.objects.keys().any(is_lost) {
            return version;
        }
        let mut desired = DesiredSet::clone(&version.desired);
        desired.objects.retain(|id, _| !is_lost(id));
        Version { desired: Arc::new(desired), ..version }
    }
}

/// The error with the line and column of the field itself, where the file shows it.
fn place(error: &PlanError, head: &Artifact) -> String {
    let PlanError::BadField { origin, id, path, message } = error else {
        return error.to_string();
    };
    let text = head.tree.file(&origin.file).map(|blob| String::from_utf8_lossy(&blob.bytes));
    let position = text.and_then(|text| {
        let documents = yaml::documents(&text, yaml::Dialect::Kubectl).ok()?;
        let document = documents.iter().position(|document| document.line == origin.line)?;
        yaml::position_of(&text, document, path)
    });
    match position {
        Some((line, column)) => format!("{}:{line}:{column}: {id}: {message}", origin.file),
        None => error.to_string(),
    }
}
