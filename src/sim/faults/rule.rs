//! Which requests a fault is for, and what they are answered instead.

use crate::api::{Details, PatchKind, Reason, Request, Response, Status, Verb};
use crate::base::Bug;
use crate::object::Gvr;

/// Which requests are meant, by what they ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the words are Kubernetes' own")]
pub enum VerbWord {
    Get,
    List,
    Watch,
    Create,
    Update,
    /// Of any format, server-side apply included.
    Patch,
    /// Server-side apply alone.
    Apply,
    Delete,
}

impl VerbWord {
    /// All of them, in the order of documentation.
    pub const ALL: [VerbWord; 8] = [
        VerbWord::Get,
        VerbWord::List,
        VerbWord::Watch,
        VerbWord::Create,
        VerbWord::Update,
        VerbWord::Patch,
        VerbWord::Apply,
        VerbWord::Delete,
    ];

    /// Its word.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            VerbWord::Get => "get",
            VerbWord::List => "list",
            VerbWord::Watch => "watch",
            VerbWord::Create => "create",
            VerbWord::Update => "update",
            VerbWord::Patch => "patch",
            VerbWord::Apply => "apply",
            VerbWord::Delete => "delete",
        }
    }

    fn is_of(self, verb: Verb) -> bool {
        match self {
            VerbWord::Get => verb == Verb::Get,
            VerbWord::List => verb == Verb::List,
            VerbWord::Watch => verb == Verb::Watch,
            VerbWord::Create => verb == Verb::Create,
            VerbWord::Update => verb == Verb::Update,
            VerbWord::Patch => matches!(verb, Verb::Patch(_)),
            VerbWord::Apply => verb == Verb::Patch(PatchKind::Apply),
            VerbWord::Delete => matches!(verb, Verb::Delete | Verb::DeleteCollection),
        }
    }
}

/// What a request is answered instead (R-FLT-01 to R-FLT-05).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// 500 `InternalError`; it was not carried out.
    InternalError,
    /// 503; it was not carried out.
    Unavailable,
    /// 429; it was not carried out.
    TooManyRequests,
    /// 409, as if somebody had written in between; it was not carried out.
    Conflict,
    /// 504; it was not carried out.
    Timeout,
    /// 504; it was carried out all the same.
    TimeoutAfterCommit,
}

impl Answer {
    /// All of them, in the order of documentation.
    pub const ALL: [Answer; 6] = [
        Answer::InternalError,
        Answer::Unavailable,
        Answer::TooManyRequests,
        Answer::Conflict,
        Answer::Timeout,
        Answer::TimeoutAfterCommit,
    ];

    /// Its word: the code where that says it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Answer::InternalError => "500",
            Answer::Unavailable => "503",
            Answer::TooManyRequests => "429",
            Answer::Conflict => "conflict",
            Answer::Timeout => "timeout",
            Answer::TimeoutAfterCommit => "timeout-after-commit",
        }
    }

    fn response(self, request: &Request) -> Response {
        let failed = |code, reason, message: &str| Status::new(code, reason, message);
        Response::status(match self {
            Answer::InternalError => failed(
                500,
                Reason::InternalError,
                "Internal error occurred: etcdserver: leader changed",
            ),
            Answer::Unavailable => failed(
                503,
                Reason::ServiceUnavailable,
                "the server is currently unable to handle the request",
            ),
            Answer::TooManyRequests => {
                let text = "Too many requests, please try again later.";
                let mut status = failed(429, Reason::TooManyRequests, text);
                status.details = Some(Details { retry_after_seconds: 1, ..Details::default() });
                status
            }
            Answer::Conflict => Status::conflict(
                &request.resource,
                request.name.as_deref().unwrap_or_default(),
                "the object has been modified; please apply your changes to the latest version and try again",
            ),
            Answer::Timeout | Answer::TimeoutAfterCommit => failed(
                504,
                Reason::Timeout,
                "Timeout: request did not complete within requested timeout",
            ),
        })
    }
}

/// One fault: requests of this kind are answered so, from one on and for so many of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// What they ask for; `None` for whatever writes, dry runs among it.
    pub verb: Option<VerbWord>,
    /// Of which resource; its version does not matter. `None` for any.
    pub resource: Option<Gvr>,
    /// So many of them pass first.
    pub skip: u32,
    /// So many of them are answered.
    pub count: u32,
    /// How.
    pub answer: Answer,
}

impl Rule {
    fn is_for(&self, request: &Request) -> bool {
        let verb = match self.verb {
            Some(word) => word.is_of(request.verb),
            None => request.is_write(),
        };
        verb && self.resource.as_ref().is_none_or(|resource| {
            resource.group == request.resource.group && resource.plural == request.resource.plural
        })
    }
}

/// What befalls a request.
#[derive(Clone, Debug, PartialEq)]
pub struct Fate {
    /// By which answer.
    pub answer: Answer,
    /// What its client hears.
    pub response: Response,
    /// Whether the server carries it out.
    pub reaches: bool,
}

/// The faults that are to come.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Faults {
    rules: Vec<Rule>,
    /// The server is wrong on purpose (see [`Bug`]).
    pub(super) bug: Option<Bug>,
    /// Writes that it was asked for from outside.
    pub(super) writes: u32,
}

impl Faults {
    /// No faults, of a server that has this bug.
    #[must_use]
    pub fn with_bug(bug: Option<Bug>) -> Self {
        Self { bug, ..Self::default() }
    }

    /// Adds one.
    pub fn add(&mut self, rule: Rule) {
        if rule.count > 0 {
            self.rules.push(rule);
        }
    }

    /// No more of them.
    pub fn clear(&mut self) {
        self.rules.clear();
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// What befalls a request, by the first rule that is for it and has nothing more to let pass;
    /// `None` where it goes its way. Every rule that it fits counts it.
    pub fn meet(&mut self, request: &Request) -> Option<Fate> {
        let mut fate = None;
        for rule in self.rules.iter_mut().filter(|rule| rule.is_for(request)) {
            if rule.skip > 0 {
                rule.skip -= 1;
            } else if fate.is_none() {
                rule.count -= 1;
                let answer = rule.answer;
                let reaches = answer == Answer::TimeoutAfterCommit && request.is_write();
                fate = Some(Fate { answer, response: answer.response(request), reaches });
            }
        }
        self.rules.retain(|rule| rule.count > 0);
        fate
    }
}
