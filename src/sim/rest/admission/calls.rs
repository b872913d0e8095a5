//! A request that must call out: it is suspended as data, and starts again from its beginning
//! when the answer is there, with all answers so far at hand.
//!
//! Nothing is written before the last answer is in, and a request draws its random numbers from a
//! stream of its own, so starting again comes to the same point. If what it is about was changed
//! meanwhile, the question is another one and is asked anew.

use std::time::Duration;

use crate::api::{Reason, Request, Response, Status};
use crate::base::{Rng, Time, limits};
use crate::object::Value;
use crate::sim::rest::{Handled, Server};

/// How webhooks are called.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Webhooks {
    /// Nobody calls them: each is as one that cannot be reached.
    #[default]
    Unreachable,
    /// Whoever hands requests in calls them: see [`Handled::call_out`].
    CalledOut,
}

/// A call that a suspended request waits for.
#[derive(Clone, Debug, PartialEq)]
pub struct WebhookCall {
    /// The webhook's name, for logs.
    pub webhook: String,
    /// Where to: an https URL with the `timeout` parameter.
    pub url: String,
    /// The Service behind the URL's host, if it is one; its name is what the certificate is for.
    pub service: Option<WebhookService>,
    /// The CA that signs the server's certificate, PEM in base64; empty for those of the system.
    pub ca_bundle: String,
    /// How long the answer may take.
    pub timeout: Duration,
    /// The AdmissionReview to POST as JSON.
    pub body: Value,
}

/// See [`WebhookCall::service`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the words are Kubernetes' own")]
pub struct WebhookService {
    pub namespace: String,
    pub name: String,
    pub port: u16,
}

/// What came of a call.
#[derive(Clone, Debug, PartialEq)]
pub enum WebhookAnswer {
    /// The body that was answered with 200, as JSON.
    Review(Value),
    /// Why there is none: `dial tcp 10.0.0.1:443: connect: connection refused`, `context deadline
    /// exceeded`, ...
    Failed(String),
}

/// A request that waits for a webhook.
#[derive(Clone, Debug)]
pub struct CallOut {
    /// What to call.
    pub call: WebhookCall,
    suspended: Suspended,
}

#[derive(Clone, Debug)]
struct Suspended {
    /// When the request came.
    now: Time,
    client: u32,
    id: u64,
    request: Request,
    rng: Rng,
    answers: Vec<(WebhookCall, WebhookAnswer)>,
}

/// The calls of the request that is being answered.
#[derive(Debug, Default)]
pub(in crate::sim::rest) struct Calls {
    pub(in crate::sim::rest) mode: Webhooks,
    answers: Vec<(WebhookCall, WebhookAnswer)>,
    /// The call that stopped the request.
    wanted: Option<WebhookCall>,
}

impl Calls {
    /// The answer to a call; `None` if the request has to stop for it.
    pub(super) fn answer(&mut self, call: WebhookCall) -> Option<WebhookAnswer> {
        if self.mode == Webhooks::Unreachable {
            let why = "this server calls no webhooks".to_owned();
            return Some(WebhookAnswer::Failed(why));
        }
        if let Some((_, answer)) = self.answers.iter().find(|(asked, _)| *asked == call) {
            return Some(answer.clone());
        }
        if self.answers.len() >= limits::WEBHOOK_CALLS {
            return Some(WebhookAnswer::Failed("too many calls for one request".to_owned()));
        }
        self.wanted = Some(call);
        None
    }

    /// What stops a request that has to wait; nobody gets to see it.
    pub(super) fn stop() -> Status {
        Status::new(500, Reason::InternalError, "suspended")
    }
}

impl Server {
    /// The same server, but webhooks are called.
    #[must_use]
    pub fn with_webhooks(mut self, webhooks: Webhooks) -> Self {
        self.calls.mode = webhooks;
        self
    }

    /// Goes on with a request whose webhook has answered.
    pub fn resume(&mut self, call_out: CallOut, answer: WebhookAnswer) -> Handled {
        let CallOut { call, mut suspended } = call_out;
        suspended.answers.push((call, answer));
        self.run(suspended)
    }

    /// Answers a write that webhooks may want to see.
    pub(in crate::sim::rest) fn run_with_webhooks(
        &mut self,
        now: Time,
        client: u32,
        id: u64,
        request: &Request,
    ) -> Handled {
        let rng = Rng::new(self.rng.next_u64());
        let request = request.clone();
        self.run(Suspended { now, client, id, request, rng, answers: Vec::new() })
    }

    fn run(&mut self, suspended: Suspended) -> Handled {
        let outer = std::mem::replace(&mut self.rng, suspended.rng.clone());
        self.calls.answers.clone_from(&suspended.answers);
        let Suspended { now, client, id, ref request, .. } = suspended;
        let mut handled = self.run_once(now, client, id, request);
        self.rng = outer;
        self.calls.answers.clear();
        if let Some(call) = self.calls.wanted.take() {
            handled.response = Response::from(Calls::stop());
            handled.call_out = Some(Box::new(CallOut { call, suspended }));
        }
        handled
    }
}
