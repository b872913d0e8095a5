//! How the engine begins: its own namespace, and what is known of each App from before.

use crate::api::{Payload, Request, Response};
use crate::base::{Time, limits};
use crate::engine::apply::{self, Verdict};
use crate::engine::apps::given::{self, NAMESPACE};
use crate::engine::{Action, Engine};
use crate::object::{Gvr, Object, json};

use super::requests::Pending;
use super::{Core, Wake};

pub(super) const NAMESPACES: Gvr = Gvr::new("", "v1", "namespaces");

/// What has to be known before the first deployment.
#[derive(Debug, Default)]
pub(super) struct Boot {
    states: bool,
    namespace: bool,
    failures: u32,
    /// An App became ready since it was last asked: dependents may start.
    pub(super) became_ready: bool,
}

impl Boot {
    pub(super) fn is_done(&self) -> bool {
        self.states && self.namespace
    }
}

impl Core {
    /// Asks for everything at once: states, namespace, head.
    pub(super) fn start(&mut self, now: Time) {
        // The head that is found now is news like any other.
        self.noticed.get_or_insert(now);
        self.ask_states();
        self.ask_namespace();
        self.out.actions.push(Action::Fetch { commit: None });
    }

    pub(super) fn ask_states(&mut self) {
        let mut list = Request::list(given::CONFIG_MAPS, NAMESPACE);
        list.options.label_selector = Some(given::LABEL.to_owned());
        self.send(list, Pending::States);
    }

    pub(super) fn ask_namespace(&mut self) {
        self.send(Request::get(NAMESPACES, "", NAMESPACE), Pending::Namespace);
    }

    /// When to ask again.
    fn next_try(&mut self, now: Time) -> Time {
        let pause = limits::RETRY_START * 2_u32.saturating_pow(self.boot.failures.min(16));
        self.boot.failures += 1;
        now + pause.min(limits::RETRY_MAX)
    }
}

impl Engine {
    /// The states that an earlier engine left.
    pub(super) fn states_listed(&mut self, now: Time, response: &Response) {
        // Without the states of before nothing may be done: they would be written over, and with
        // them the inventory.
        let Payload::List(list) = &response.payload else {
            let at = self.core.next_try(now);
            return self.core.wake_at(at, Wake::States);
        };
        for (name, app) in &mut self.apps {
            let of_app = |object: &&Object| object.label(given::LABEL) == Some(name.as_str());
            let maps = list.items.iter().map(AsRef::as_ref).filter(of_app);
            app.state = given::from_config_maps(name, maps);
            self.core.own_reverts.extend(app.state.revert.as_deref().map(Into::into));
            for entry in &app.state.inventory {
                self.core.owner.insert(&entry.id, name);
            }
        }
        self.core.boot.states = true;
        self.booted(now);
    }

    /// The answer about the engine's own namespace: there, made, or to be made.
    pub(super) fn namespace_answered(&mut self, now: Time, response: &Response) {
        if response.code == 404 {
            let value = json!({
                "apiVersion": "v1",
                "kind": "Namespace",
                "metadata": {"name": NAMESPACE},
            });
            let object = Object::from_value(value).unwrap_or_default();
            self.core.send(Request::create(NAMESPACES, "", object), Pending::Namespace);
            return;
        }
        let is_there = response.code == 409;
        if !is_there && matches!(apply::read(response), Verdict::Again(_)) {
            let at = self.core.next_try(now);
            return self.core.wake_at(at, Wake::Namespace);
        }
        self.core.boot.namespace = true;
        self.booted(now);
    }

    fn booted(&mut self, now: Time) {
        if self.core.boot.is_done() {
            self.retarget(now);
        }
    }
}
