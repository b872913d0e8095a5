//! What can happen in a run: one closed list, from which records and verdicts are built.
//!
//! Objects, commits and Apps are named by plain text. An event says what happened, never what
//! it means: phases are computed in `record`, verdicts in `lab/check`.

use serde::Serialize;

/// How an App came out of a revision.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// Everything applied and healthy.
    Ready,
    /// Could not be rendered, was refused by the API server, or never became healthy.
    Failed,
}

/// One thing that happened. `app` is the App's name, `commit` a full commit id, `object` an id
/// as `[group/]Kind/[namespace/]name`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
#[expect(missing_docs, reason = "field names are the vocabulary given above")]
pub enum Event {
    /// A step of the scenario begins.
    Step { step: usize, what: String },
    /// A pipeline began to build what its push will deploy.
    BuildStarted { what: String },
    /// A pipeline built what this commit deploys: so long before the commit was meant to be
    /// pushed, somebody pushed the code that is in it.
    Built { commit: String, took_us: u64 },
    /// Somebody meant to push (open load model: latency counts from here).
    PushIntended { commit: String, summary: String },
    /// The repository has the commit.
    Pushed { commit: String },
    /// The engine heard that there may be a new commit, so long before. It tells so once it has the
    /// commit, which says whom it concerns.
    Noticed { app: String, ago_us: u64 },
    /// The engine has the commit's tree.
    Fetched { app: String, commit: String },
    /// Rendered to this many objects.
    Rendered { app: String, commit: String, objects: usize },
    /// None of the files that the App reads changed: nothing to do, nothing sent.
    Unchanged { app: String, commit: String },
    /// What will be sent: objects to apply and to delete.
    Planned { app: String, commit: String, apply: usize, prune: usize },
    /// A wave of requests left.
    WaveSent { app: String, commit: String, wave: usize, requests: usize },
    /// One object was written (`created`, `configured`, `unchanged`, `deleted`).
    Changed { app: String, commit: String, object: String, action: String },
    /// All answers of a wave are there.
    WaveApplied { app: String, commit: String, wave: usize },
    /// The change set is done, prune included.
    Applied { app: String, commit: String },
    /// Every object of the App reported itself at least once since the apply.
    Observed { app: String, commit: String },
    /// The revision ended well.
    Ready { app: String, commit: String },
    /// The revision ended badly. `step` is render, plan, apply or health.
    Failed { app: String, commit: String, step: String, reason: String, object: Option<String> },
    /// A newer commit took over from one that was still waiting.
    Preempted { app: String, commit: String, by: String },
    /// The engine decided to go back to an earlier commit.
    RollingBack { app: String, from: String, to: String },
    /// The earlier commit is applied and healthy again.
    RolledBack { app: String, from: String, to: String },
    /// The engine pushed a commit that takes `from` back.
    RevertPushed { app: String, from: String, commit: String },
    /// A failed revision is left as it is.
    Held { app: String, commit: String },
    /// What was ready is not healthy any more.
    Degraded { app: String, object: String, reason: String },
    /// It is healthy again.
    Recovered { app: String },
    /// An object under management is not as rendered. `by` is the field manager, where known.
    DriftSeen { app: String, object: String, fields: Vec<String>, by: Option<String> },
    /// It is as rendered again.
    DriftCorrected { app: String, object: String },
    /// It was told and left alone.
    DriftReported { app: String, object: String },
    /// Somebody else keeps writing the same fields.
    DriftFight { app: String, object: String, by: Option<String> },
    /// The engine wrote a Git note.
    Noted { app: String, commit: String, text: String },
    /// The engine started; `round` counts from 1.
    EngineStarted { round: u32 },
    /// The engine was ended from outside.
    EngineStopped { round: u32 },
    /// A request of the engine reached the API server. `app` where whoever records it knows for
    /// which App it was sent; `verb` as Kubernetes spells it, with `apply` for server-side apply.
    Request {
        verb: String,
        object: String,
        code: u16,
        dry_run: bool,
        #[serde(skip_serializing_if = "Option::is_none")]
        app: Option<String>,
    },
    /// A write from outside the engine that the scenario asked for.
    Drifted { object: String, what: String },
    /// A foreign write was refused.
    DriftRefused { object: String, message: String },
    /// A fault came true: what was asked and how it was answered, or what befell all watches.
    Faulted { object: String, what: String },
    /// An expectation of a step was decided.
    Expected { step: usize, what: String, met: bool, detail: String },
    /// An oracle that is always on found something.
    OracleFailed { oracle: String, detail: String },
}

impl Event {
    /// The App that this is about, if one.
    #[must_use]
    pub fn app(&self) -> Option<&str> {
        match self {
            Event::Noticed { app, .. }
            | Event::Fetched { app, .. }
            | Event::Rendered { app, .. }
            | Event::Unchanged { app, .. }
            | Event::Planned { app, .. }
            | Event::WaveSent { app, .. }
            | Event::Changed { app, .. }
            | Event::WaveApplied { app, .. }
            | Event::Applied { app, .. }
            | Event::Observed { app, .. }
            | Event::Ready { app, .. }
            | Event::Failed { app, .. }
            | Event::Preempted { app, .. }
            | Event::RollingBack { app, .. }
            | Event::RolledBack { app, .. }
            | Event::RevertPushed { app, .. }
            | Event::Held { app, .. }
            | Event::Degraded { app, .. }
            | Event::Recovered { app }
            | Event::DriftSeen { app, .. }
            | Event::DriftCorrected { app, .. }
            | Event::DriftReported { app, .. }
            | Event::DriftFight { app, .. }
            | Event::Noted { app, .. } => Some(app),
            Event::Request { app, .. } => app.as_deref(),
            _ => None,
        }
    }
}
