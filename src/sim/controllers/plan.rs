//! What a controller sees and what it decides, as plain values.
//!
//! A controller is one pure function from a [`Cx`] to a [`Plan`]. It sends nothing: the work
//! queue (`work`) sends the plan's calls batch by batch, stops at the first that fails, and does
//! not ask the controller again before the caches show what was written.

use std::cmp::Ordering;
use std::sync::Arc;

use super::caches::Caches;
use super::settings::Settings;
use crate::api::{Request, Response, Status};
use crate::base::Time;
use crate::object::word::{mix, print};
use crate::object::{Object, Value};

/// Which controller a key belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "each is the controller of the objects named")]
pub enum Controller {
    Deployment,
    ReplicaSet,
    StatefulSet,
    DaemonSet,
    Job,
    Node,
    TaintEviction,
    PodGc,
    Namespace,
    Garbage,
    ServiceAccount,
    RootCa,
    ClusterRole,
    Budget,
    Volume,
    ClaimProtection,
    VolumeProtection,
    ServiceAddress,
    IngressAddress,
    EndpointSlice,
    Endpoints,
    CronJob,
    Expiry,
    OrphanPod,
    Autoscaler,
    Quota,
}

impl Controller {
    /// All of them.
    pub const ALL: [Self; 26] = [
        Self::Deployment,
        Self::ReplicaSet,
        Self::StatefulSet,
        Self::DaemonSet,
        Self::Job,
        Self::Node,
        Self::TaintEviction,
        Self::PodGc,
        Self::Namespace,
        Self::Garbage,
        Self::ServiceAccount,
        Self::RootCa,
        Self::ClusterRole,
        Self::Budget,
        Self::Volume,
        Self::ClaimProtection,
        Self::VolumeProtection,
        Self::ServiceAddress,
        Self::IngressAddress,
        Self::EndpointSlice,
        Self::Endpoints,
        Self::CronJob,
        Self::Expiry,
        Self::OrphanPod,
        Self::Autoscaler,
        Self::Quota,
    ];

    /// What its Events name as their source.
    #[must_use]
    pub fn component(self) -> &'static str {
        match self {
            Controller::Budget => "controllermanager",
            Controller::Volume => "persistentvolume-controller",
            Controller::Node => "node-controller",
            Controller::Autoscaler => "horizontal-pod-autoscaler",
            other => other.name(),
        }
    }

    /// Its name, as `--controllers` has it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Controller::Deployment => "deployment-controller",
            Controller::ReplicaSet => "replicaset-controller",
            Controller::StatefulSet => "statefulset-controller",
            Controller::DaemonSet => "daemonset-controller",
            // Pods that a Job lets go are a queue of their own of the same controller.
            Controller::Job | Controller::OrphanPod => "job-controller",
            Controller::Node => "node-lifecycle-controller",
            Controller::TaintEviction => "taint-eviction-controller",
            Controller::PodGc => "pod-garbage-collector-controller",
            Controller::Namespace => "namespace-controller",
            Controller::Garbage => "garbage-collector-controller",
            Controller::ServiceAccount => "serviceaccount-controller",
            Controller::RootCa => "root-ca-certificate-publisher-controller",
            Controller::ClusterRole => "clusterrole-aggregation-controller",
            Controller::Budget => "disruption-controller",
            Controller::Volume => "persistentvolume-binder-controller",
            Controller::ClaimProtection => "persistentvolumeclaim-protection-controller",
            Controller::VolumeProtection => "persistentvolume-protection-controller",
            Controller::ServiceAddress => "service-lb-controller",
            Controller::IngressAddress => "ingress-address-controller",
            Controller::EndpointSlice => "endpointslice-controller",
            Controller::Endpoints => "endpoints-controller",
            Controller::CronJob => "cronjob-controller",
            Controller::Expiry => "ttl-after-finished-controller",
            Controller::Autoscaler => "horizontal-pod-autoscaler-controller",
            Controller::Quota => "resourcequota-controller",
        }
    }
}

/// One thing to keep in order. For the garbage collector the name is a uid.
///
/// Many of them are looked up in maps, and few things happen to each: they are ordered by a number
/// made of their text, which stands in place, and that order means nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    print: u64,
    /// By whom.
    pub controller: Controller,
    /// How long the namespace is.
    split: u32,
    /// Namespace and name.
    text: Arc<str>,
}

impl Ord for Key {
    fn cmp(&self, other: &Self) -> Ordering {
        let rest = |key: &Self| (key.controller, key.split);
        self.print
            .cmp(&other.print)
            .then_with(|| rest(self).cmp(&rest(other)))
            .then_with(|| self.text.cmp(&other.text))
    }
}

impl PartialOrd for Key {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Key {
    /// A key from borrowed parts; `namespace` is empty for cluster scope.
    #[must_use]
    pub fn new(controller: Controller, namespace: &str, name: &str) -> Self {
        let text = [namespace, name].concat();
        // No namespace is longer than 63 letters.
        let split = u32::try_from(namespace.len()).unwrap_or(u32::MAX);
        let print = mix(print(&text), u64::from(split) << 8 | controller as u64);
        Self { print, controller, split, text: text.into() }
    }

    /// Empty for cluster scope.
    #[must_use]
    pub fn namespace(&self) -> &str {
        self.text.get(..self.split as usize).unwrap_or_default()
    }

    /// The object's name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.text.get(self.split as usize..).unwrap_or_default()
    }
}

/// What a controller decides from.
#[derive(Clone, Copy, Debug)]
pub struct Cx<'a> {
    /// Now.
    pub now: Time,
    /// What to look at.
    pub key: &'a Key,
    /// The world as far as it was heard of.
    pub caches: &'a Caches,
    /// What the controllers are told of the cluster.
    pub settings: &'a Settings,
    /// The last batch of a plan that ended with [`Again::WithAnswers`]: what was asked, what came.
    pub asked: &'a [Asked],
    /// The call that stopped the previous plan, once, directly after it happened. Retrying is
    /// not decided here: the queue asks again after a back-off.
    pub failure: Option<&'a Asked>,
    /// What the controller wanted remembered of this key when last it was done with it. Lost with
    /// the process, as upstream: what has to last stands in the cluster.
    pub memory: Option<&'a Value>,
}

/// A request and its answer.
#[derive(Clone, Debug)]
pub struct Asked {
    /// What was asked.
    pub request: Request,
    /// What came back.
    pub response: Arc<Response>,
}

impl Asked {
    /// The answer as a failure; `None` where it is none.
    #[must_use]
    pub fn failure(&self) -> Option<&Status> {
        self.response.as_status().filter(|status| !status.is_success())
    }
}

/// An Event to be written about an object.
#[derive(Clone, Debug, PartialEq)]
pub struct Note {
    /// What it is about.
    pub about: Arc<Object>,
    /// `Warning` rather than `Normal`.
    pub warning: bool,
    /// One word.
    pub reason: &'static str,
    /// Its text. `{}` stands for the name in the answer or, of a failed call, its error.
    pub message: String,
}

/// A request of a plan, and the Events that go with its outcome.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    /// What is sent.
    pub request: Request,
    /// Written when it succeeded.
    pub done: Option<Note>,
    /// Written when it failed.
    pub failed: Option<Note>,
    /// A create that is refused because the namespace is going counts as done. Without this the
    /// rest of the plan is dropped and nothing is retried.
    pub forgives_ending_namespace: bool,
}

impl Call {
    /// A request without Events.
    #[must_use]
    pub fn new(request: Request) -> Self {
        Self { request, done: None, failed: None, forgives_ending_namespace: false }
    }
}

/// When a controller wants to look again, besides when something changes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Again {
    /// Only when something changes.
    #[default]
    OnChange,
    /// At an instant.
    At(Time),
    /// As soon as the last batch is answered, with the answers.
    WithAnswers,
    /// After the key's back-off: it could not finish, although nothing was refused.
    Backoff,
}

/// What a controller wants done.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Plan {
    /// Calls of one batch go out together, the next batch when all of them succeeded.
    pub batches: Vec<Vec<Call>>,
    /// Events that do not hang on a call.
    pub notes: Vec<Note>,
    /// When to look again.
    pub again: Again,
    /// What to remember of the key once all is done; null forgets, `None` leaves it as it is.
    pub memory: Option<Value>,
}

impl Plan {
    /// Nothing to do.
    #[must_use]
    pub fn nothing() -> Self {
        Self::default()
    }

    /// Whether there is nothing to do, now or at some time.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        self.batches.is_empty()
            && self.notes.is_empty()
            && self.again == Again::OnChange
            && self.memory.is_none()
    }

    /// One request.
    #[must_use]
    pub fn one(request: Request) -> Self {
        Self::default().then(vec![Call::new(request)])
    }

    /// The same plan with another batch at its end; an empty one adds nothing.
    #[must_use]
    pub fn then(mut self, batch: Vec<Call>) -> Self {
        if !batch.is_empty() {
            self.batches.push(batch);
        }
        self
    }

    /// The same plan with something to remember of the key.
    #[must_use]
    pub fn remember(mut self, memory: Value) -> Self {
        self.memory = Some(memory);
        self
    }

    /// The same plan with another time to look again.
    #[must_use]
    pub fn again(mut self, again: Again) -> Self {
        self.again = again;
        self
    }
}
