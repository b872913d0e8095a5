//! What checks look at on a cluster over the wire: a cache kept by watches, beside the engine's
//! own, of every kind that somebody in the run has to do with.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::api::{Ids, Informer, Input, Outbox, Request, Response, Verb};
use crate::base::Time;
use crate::object::{Gvr, Object};

use super::guard::Key;

/// The user agent of what the lab itself sends.
pub(super) const AGENT: &str = "towtank-lab";

/// The cache.
#[derive(Debug, Default)]
pub(super) struct Seen {
    informers: BTreeMap<Gvr, Informer>,
    ids: Ids,
}

impl Seen {
    /// Makes sure that a kind is watched.
    pub(super) fn want(&mut self, gvr: &Gvr, out: &mut Outbox) {
        if !self.informers.contains_key(gvr) {
            let mut informer = Informer::new(gvr.clone(), "", AGENT);
            informer.start(&mut self.ids, out);
            self.informers.insert(gvr.clone(), informer);
        }
    }

    /// Takes what came back; whether something changed.
    pub(super) fn take(&mut self, now: Time, input: &Input, out: &mut Outbox) -> bool {
        let mut changed = false;
        for informer in self.informers.values_mut() {
            let was_synced = informer.is_synced();
            changed |= !informer.take(now, input, &mut self.ids, out).is_empty();
            changed |= informer.is_synced() != was_synced;
        }
        changed
    }

    /// Whether a kind is seen up to a revision; one that nobody wants is.
    fn is_up_to(&self, gvr: &Gvr, revision: u64) -> bool {
        self.informers.get(gvr).is_none_or(|informer| informer.revision() >= revision)
    }

    pub(super) fn get(&self, gvr: &Gvr, namespace: &str, name: &str) -> Option<&Arc<Object>> {
        self.informers.get(gvr)?.get(namespace, name)
    }

    pub(super) fn all_of<'s>(
        &'s self,
        gvr: &Gvr,
    ) -> impl Iterator<Item = &'s Arc<Object>> + use<'s> {
        self.informers.get(gvr).into_iter().flat_map(Informer::iter)
    }

    /// Every object with its resource.
    pub(super) fn all(&self) -> impl Iterator<Item = (&Gvr, &Arc<Object>)> {
        self.informers.iter().flat_map(|(gvr, kind)| kind.iter().map(move |object| (gvr, object)))
    }
}

/// What the run has written, as far as the cache has to catch up with it.
#[derive(Debug, Default)]
pub(super) struct Written {
    /// The newest revision of each kind.
    revisions: BTreeMap<Gvr, u64>,
    /// What was deleted, by its uid.
    deleted: BTreeMap<Key, String>,
}

impl Written {
    /// Takes note of a write.
    pub(super) fn learn(&mut self, request: &Request, response: &Response) {
        if !request.is_write() || request.options.dry_run || !response.is_ok() {
            return;
        }
        if let Some(object) = response.as_object() {
            let newest = self.revisions.entry(request.resource.clone()).or_default();
            *newest = object.revision().max(*newest);
        }
        let uid = response.as_status().and_then(|status| status.details.as_ref());
        if request.verb == Verb::Delete
            && let (Some(key), Some(details)) = (Key::of(request), uid)
        {
            self.deleted.insert(key, details.uid.clone());
        }
    }

    /// Whether all of it is in the cache.
    pub(super) fn is_in(&self, seen: &Seen) -> bool {
        let is_gone = |(key, uid): (&Key, &String)| {
            let there = seen.get(&key.gvr, &key.namespace, &key.name);
            there.is_none_or(|there| there.uid() != uid || there.is_deleting())
        };
        self.revisions.iter().all(|(gvr, revision)| seen.is_up_to(gvr, *revision))
            && self.deleted.iter().all(is_gone)
    }
}
