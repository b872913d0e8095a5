//! What is kept of one pod on one of the nodes: its object, its life, and what the server was
//! told of it. Decides which write is to be sent next; `Kubelets` sends it.

use std::sync::Arc;

use super::PODS;
use super::life::{Life, Stage};
use super::nodes::Fleet;
use super::{patch, status};
use crate::api::{PatchKind, Request, Response};
use crate::base::{Time, limits};
use crate::object::{Map, Object, Uid, Value};

/// A pod on one of the nodes.
#[derive(Debug)]
pub(super) struct Slot {
    pub(super) pod: Arc<Object>,
    /// `None` for a pod that had ended before it was first seen.
    pub(super) life: Option<Life>,
    writing: bool,
    /// The status that was last made.
    made: Option<Made>,
    /// The status that was last sent, and the pod as the server's answer then had it.
    sent: Option<Arc<Map>>,
    taken: Option<Arc<Object>>,
    /// The final delete was sent.
    released: bool,
    /// Writes that failed in a row, and when the next is tried.
    failures: u32,
    pub(super) retry_at: Option<Time>,
}

/// A status, and what it was made from.
#[derive(Debug)]
struct Made {
    life: u64,
    generation: i64,
    status: Arc<Map>,
}

/// A request under way whose answer matters.
#[derive(Debug)]
pub(super) enum Sent {
    Node(usize),
    /// A look at a node that is back.
    Back(usize),
    Status(Uid),
    Release(Uid),
}

impl Slot {
    /// A pod that was just seen.
    pub(super) fn new(pod: Arc<Object>, life: Option<Life>) -> Self {
        Self {
            pod,
            life,
            writing: false,
            made: None,
            sent: None,
            taken: None,
            released: false,
            failures: 0,
            retry_at: None,
        }
    }

    /// The write that is to be sent now, if any: the status, or the final delete (R-CTL-37).
    pub(super) fn write(&mut self, uid: &Uid, now: Time) -> Option<(Request, Sent)> {
        if self.writing || self.retry_at.is_some_and(|at| at > now) {
            return None;
        }
        if let Some(patch) = self.status_patch(now) {
            let (namespace, name) = (self.pod.namespace(), self.pod.name());
            let request = Request::patch(PODS, namespace, name, PatchKind::Strategic, patch);
            self.sent = self.made.as_ref().map(|made| Arc::clone(&made.status));
            self.writing = true;
            return Some((request.subresource("status"), Sent::Status(uid.clone())));
        }
        let over = self.life.as_ref().is_none_or(|life| life.stage == Stage::Over);
        if !over || !self.pod.is_deleting() || self.released {
            return None;
        }
        let mut request = Request::delete(PODS, self.pod.namespace(), self.pod.name());
        request.options.delete.grace_seconds = Some(0);
        request.options.delete.uid = Some(self.pod.uid().to_owned());
        self.released = true;
        self.writing = true;
        Some((request, Sent::Release(uid.clone())))
    }

    /// What the server is to be told of the status; `None` where it knows or will not listen.
    fn status_patch(&mut self, now: Time) -> Option<Value> {
        let life = self.life.as_ref()?;
        let (version, generation) = (life.version(), self.pod.generation());
        let is_current = |made: &&Made| {
            made.life == version
                && made.generation == generation
                && !life.shows_time()
                // Gates are conditions of others, which come and go.
                && self.pod.list(&["spec", "readinessGates"]).is_empty()
        };
        // The times of conditions are those that the pod has: if it has all of them, the status
        // would be made the same again.
        if let Some(made) = self.made.as_ref().filter(is_current)
            && patch::status_patch(&self.pod, &made.status).is_none()
        {
            return None;
        }
        let status = Arc::new(status::status(life, &self.pod, now));
        let patch = patch::status_patch(&self.pod, &status);
        let patch = patch.filter(|_| !self.is_taken(&status));
        self.made = Some(Made { life: version, generation, status });
        patch
    }

    /// Whether the server was told this already and nobody changed it since: what it then made
    /// of it is not argued with.
    fn is_taken(&self, desired: &Map) -> bool {
        let taken = self.taken.as_ref().and_then(|taken| taken.at(&["status"]));
        self.sent.as_deref() == Some(desired)
            && taken.is_some()
            && taken == self.pod.at(&["status"])
    }

    /// Takes a newer version of the pod.
    pub(super) fn see(&mut self, pod: &Arc<Object>, now: Time, fleet: &mut Fleet) {
        self.pod = Arc::clone(pod);
        if let Some(life) = &mut self.life {
            life.see(pod, now, fleet);
        }
    }

    pub(super) fn answered(&mut self, response: &Response, now: Time, fleet: &mut Fleet) {
        self.writing = false;
        self.retry_at = None;
        if response.is_ok() {
            self.failures = 0;
            if let Some(object) = response.as_object().filter(|o| o.uid() == self.pod.uid()) {
                self.taken = Some(Arc::clone(object));
                if object.revision() > self.pod.revision() {
                    self.see(object, now, fleet);
                }
            }
            return;
        }
        // The pod is gone: the watch will say so. A conflict may be another pod of that name, of
        // which the watch will tell too, or a write that came in between, after which ours is
        // still to be made.
        if response.code == 404 {
            self.released = true;
            self.taken = Some(Arc::clone(&self.pod));
            return;
        }
        self.released = false;
        // What was refused was not told.
        self.sent = None;
        let pause = limits::RETRY_START.saturating_mul(1 << self.failures.min(16));
        self.failures += 1;
        self.retry_at = Some(now + pause.min(limits::RETRY_MAX));
    }
}
