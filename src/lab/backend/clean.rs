//! Before and after a run on a cluster over the wire: the namespaces that it needs are made, and
//! what it made is removed, uid by uid.
//!
//! Whatever somebody else has put in the place of what was made stays.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::api::{PatchKind, Propagation, Request, Response};
use crate::base::{Clock, limits};
use crate::engine::apps::given;
use crate::object::{Gvr, Object, json};

use super::error::SiteError;
use super::guard::{Key, NAMESPACES, RUN_LABEL};
use super::home::{Home, Kept};
use super::seen::AGENT;
use super::site::Interrupt;
use super::trouble::is_out_of_reach;
use super::wire::Wire;

/// The one namespace that is used though it is not the run's own.
const DEFAULT: &str = "default";
/// How often somebody looks whether it is gone.
const GLANCE: Duration = Duration::from_millis(100);
/// What quotas count of pods.
const POD_QUOTAS: [&str; 8] = [
    "pods",
    "count/pods",
    "cpu",
    "memory",
    "requests.cpu",
    "requests.memory",
    "limits.cpu",
    "limits.memory",
];
const QUOTAS: Gvr = Gvr::new("", "v1", "resourcequotas");

/// What a run has left in its cluster.
#[derive(Debug)]
pub(in crate::lab) struct Left {
    /// Objects with their uids.
    pub(in crate::lab) what: Vec<(Key, String)>,
    /// Why it is not known whether they are there.
    pub(in crate::lab) why: Option<String>,
}

impl Wire {
    /// Makes the namespaces that are needed, with the label of the run.
    ///
    /// # Errors
    /// One is there already, or cannot be made; a quota of `default` is used up; somebody wants
    /// the run to end.
    pub(super) fn prepare(
        &mut self,
        namespaces: &BTreeSet<String>,
        interrupt: &Interrupt,
    ) -> Result<(), SiteError> {
        for name in namespaces {
            if interrupt.is_set() {
                return Err(SiteError::Interrupted);
            }
            if name == DEFAULT {
                self.has_room()?;
                continue;
            }
            if name == given::NAMESPACE
                && self.home.as_ref().is_some_and(|home| home.get().is_some())
            {
                self.guard.lodge(name);
                continue;
            }
            let value = json!({"apiVersion": "v1", "kind": "Namespace",
                "metadata": {"name": name.as_str(), "labels": {RUN_LABEL: self.run.as_str()}}});
            let object = Object::from_value(value).unwrap_or_default();
            let create = Request::create(NAMESPACES, "", object).by(AGENT);
            let answer = self.ask(&create);
            match answer.as_object() {
                Some(made) => match &self.home {
                    Some(home) if name == given::NAMESPACE => {
                        home.keep(Kept { name: name.clone(), uid: made.uid().to_owned() });
                        self.guard.lodge(name);
                    }
                    _ => self.guard.made(&NAMESPACES, made),
                },
                None => return Err(self.refused(name, &answer)),
            }
        }
        Ok(())
    }

    fn refused(&self, name: &str, answer: &Response) -> SiteError {
        let namespace = name.to_owned();
        if answer.code != 409 {
            let why = answer.as_status().map_or_else(String::new, |s| s.message.clone());
            return SiteError::NamespaceRefused { namespace, why };
        }
        let there = self.ask(&Request::get(NAMESPACES, "", name).by(AGENT));
        let of_run = there.as_object().and_then(|there| there.label(RUN_LABEL));
        let hint = of_run.map_or_else(String::new, |run| {
            format!(" (it is of run {run}: kubectl delete namespace -l {RUN_LABEL}={run})")
        });
        SiteError::NamespaceTaken { namespace, hint }
    }

    /// Whether the quotas of `default` leave room for anything.
    fn has_room(&self) -> Result<(), SiteError> {
        let answer = self.ask(&Request::list(QUOTAS, DEFAULT).by(AGENT));
        let crate::api::Payload::List(quotas) = &answer.payload else { return Ok(()) };
        let full = quotas.items.iter().find_map(|quota| {
            let hard = quota.at(&["status", "hard"])?.as_object()?;
            // Pods are made by controllers, whose refusals the run does not hear; of what it
            // writes itself it hears.
            let hard = hard.iter().filter(|(what, _)| POD_QUOTAS.contains(&what.as_str()));
            hard.into_iter().find_map(|(what, hard)| {
                let used = quota.text(&["status", "used", what])?;
                (Some(used) == hard.as_str()).then(|| (quota.name().to_owned(), what.clone()))
            })
        });
        match full {
            None => Ok(()),
            Some((quota, what)) => Err(SiteError::NoRoom {
                namespace: DEFAULT.to_owned(),
                why: format!("its quota {quota} leaves none for {what}"),
            }),
        }
    }

    /// Asks for the removal of all that was made.
    pub(in crate::lab) fn remove(&mut self) {
        for (key, uid) in self.guard.leavings() {
            let mut request = Request::delete(key.gvr, &key.namespace, &key.name).by(AGENT);
            request.options.delete.propagation = Some(Propagation::Background);
            request.options.delete.uid = Some(uid);
            // Whether it went is looked at afterwards.
            if is_out_of_reach(&self.ask(&request)) {
                return;
            }
        }
    }

    /// No run comes after this one: the namespace of all runs here goes along, so that nobody waits
    /// for one removal after the other.
    pub(in crate::lab) fn remove_home(&self) {
        if let Some(kept) = self.home.as_ref().and_then(Home::get) {
            let _ = self.ask(&kept.delete());
        }
    }

    /// What was made and is still there, or may be.
    pub(in crate::lab) fn left(&self) -> Left {
        let mut left = Left { what: self.guard.leavings(), why: None };
        let Left { what, why } = &mut left;
        what.retain(|(key, uid)| {
            if why.is_some() {
                // It would be waited for in vain once more.
                return true;
            }
            let get = Request::get(key.gvr.clone(), &key.namespace, &key.name).by(AGENT);
            let answer = self.ask(&get);
            if is_out_of_reach(&answer) {
                *why = answer.as_status().map(|status| status.message.clone());
                return true;
            }
            match answer.as_object() {
                Some(object) => object.uid() == uid,
                None => answer.code != 404,
            }
        });
        left
    }

    /// Takes finalizers from what the run made and nobody finishes: nobody else has any there.
    pub(in crate::lab) fn force(&mut self) {
        let within: Vec<Key> = self.guard.within().cloned().collect();
        let single = self.guard.leavings().into_iter().map(|(key, _)| key);
        for key in within.into_iter().chain(single) {
            let get = Request::get(key.gvr.clone(), &key.namespace, &key.name).by(AGENT);
            let answer = self.ask(&get);
            let Some(object) = answer.as_object().filter(|object| object.is_deleting()) else {
                continue;
            };
            if object.finalizers().next().is_some() {
                let body = json!({"metadata": {"finalizers": null, "uid": object.uid()}});
                let gvr = key.gvr.clone();
                let patch = Request::patch(gvr, &key.namespace, &key.name, PatchKind::Merge, body);
                let _ = self.ask(&patch.by(AGENT));
            }
        }
    }

    /// What is left behind for good, the namespace of all runs here with it: nobody tries again.
    pub(in crate::lab) fn give_up(&mut self, what: Vec<(Key, String)>) -> Vec<Key> {
        let home = self.home.take().and_then(|home| home.take());
        self.forget();
        what.into_iter().map(|(key, _)| key).chain(home.map(|kept| kept.key())).collect()
    }

    /// Everything is removed.
    pub(in crate::lab) fn forget(&mut self) {
        self.guard.clear();
    }

    /// Removes what was made before a run could begin, and waits until it is gone where somebody
    /// else in the cluster sees to that.
    ///
    /// # Errors
    /// `Left`.
    pub(super) fn abandon(&mut self, is_waited_for: bool) -> Result<(), SiteError> {
        self.remove();
        self.remove_home();
        let clock = Clock::real();
        let start = clock.now();
        while is_waited_for && !self.keeps {
            let Left { what, why } = self.left();
            if what.is_empty() {
                break;
            }
            let waited = clock.now().since(start);
            if waited > if why.is_some() { limits::UNREACHABLE } else { limits::REMOVAL } {
                let late = || format!("still there {} s after it was deleted", waited.as_secs());
                let what: Vec<String> = self.give_up(what).iter().map(Key::to_string).collect();
                let (what, why) = (what.join(", "), why.unwrap_or_else(late));
                return Err(SiteError::Left { what, why });
            }
            let _ = clock.wait_until(clock.now() + GLANCE);
        }
        self.guard.clear();
        Ok(())
    }
}
