//! The record of a run as plain values, serialised as they stand here to `record.json`.
//!
//! Nothing is computed in this file; each part is built from events by the file of its name.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Quantiles;

/// Whose time a run is in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Clock {
    /// Simulated: figures are exact for a seed, and rest on the profile.
    #[default]
    Virtual,
    /// The machine's own: figures are measured.
    Real,
}

impl Clock {
    /// As `--clock` spells it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Clock::Virtual => "virtual",
            Clock::Real => "real",
        }
    }
}

/// What is known of a run before it starts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Heading {
    /// The scenario's name.
    pub name: String,
    /// What it is about, in a sentence or two.
    pub description: String,
    /// Its file, or the folder that was tried, as the user named it. Empty where there is none.
    pub file: String,
    /// The command that runs the same again. Empty where it was not run by a command.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub command: String,
    /// The seed that everything random follows from.
    pub seed: u64,
    /// The latency profile.
    pub profile: String,
    /// Whose time it runs in.
    pub clock: Clock,
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "kebab-case")]
pub enum Verdict {
    /// Every expectation met, nothing found by an oracle.
    Passed,
    /// An expectation was not met, or an oracle found something.
    Failed,
    /// It was not run.
    Skipped {
        /// What was missing.
        why: String,
    },
    /// It did not come to rest within its bound.
    NotConverged {
        /// What was still pending.
        why: String,
    },
}

/// What is known of one run at its end.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunRecord {
    /// What was known before.
    #[serde(flatten)]
    pub heading: Heading,
    /// How it ended.
    #[serde(flatten)]
    pub verdict: Verdict,
    /// From start to end.
    pub duration_us: u64,
    /// Steps that were begun.
    pub steps: usize,
    /// When each of them began, since the run's start.
    #[serde(default)]
    pub began_us: Vec<u64>,
    /// Expectations that were met.
    pub expectations_met: usize,
    /// What was not as expected, in order.
    pub failures: Vec<Failure>,
    /// One for each (App, commit) that the App took up, in the order they were taken up.
    pub pushes: Vec<Push>,
    /// Commits that were pushed and that no App took up: overtaken by a newer one, or never heard
    /// of.
    pub unnoticed: Vec<String>,
    /// Every way back from a failed revision.
    pub returns: Vec<Return>,
    /// Every foreign write and what became of it.
    pub drifts: Vec<Drift>,
    /// Everything the engine sent.
    pub requests: Requests,
    /// Writes of the engine while nothing was under way, Leases excepted.
    pub writes_at_rest: usize,
    /// Over the pushes that became ready, from intended push to ready.
    pub push_to_ready: Option<Quantiles>,
}

/// Something that was not as expected.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// Who says so.
    pub kind: FailureKind,
    /// The step whose expectation it is, as the run counts them; `None` for an oracle.
    pub step: Option<usize>,
    /// The expectation in words, or the oracle's name.
    pub what: String,
    /// What was found instead.
    pub detail: String,
    /// When it was decided, since the run's start.
    pub at_us: u64,
    /// What happened last before it, oldest first.
    pub tail: Vec<Moment>,
}

/// Who found a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FailureKind {
    /// The scenario said what should be.
    Expectation,
    /// A check that is always on.
    Oracle,
}

/// An event in words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moment {
    /// Since the run's start.
    pub at_us: u64,
    /// What happened.
    pub text: String,
}

/// One commit on its way through one App.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Push {
    /// The App.
    pub app: String,
    /// The full commit id.
    pub commit: String,
    /// What the pusher said it was.
    pub summary: String,
    /// How it came out.
    pub end: PushEnd,
    /// Why it failed, or by which commit it was pre-empted.
    pub why: Option<String>,
    /// When somebody meant to push, since the run's start: the code, where a pipeline pushed what
    /// it had built. Where nobody did (a commit that was
    /// there before), when the engine heard of it.
    pub start_us: u64,
    /// From there to the end, or to the run's end where there was none.
    pub total_us: u64,
    /// Where the time went, in order; adds up to `total_us` exactly.
    pub phases: Vec<Phase>,
    /// The waves of the apply, in order.
    pub waves: Vec<Wave>,
    /// Objects rendered.
    pub objects: usize,
    /// Objects written, by what was done to them (`created`, `configured`, ...).
    pub changed: BTreeMap<String, usize>,
    /// What was sent for it.
    pub requests: Requests,
}

/// How a push came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PushEnd {
    /// Applied and healthy.
    Ready,
    /// It failed and was left.
    Failed,
    /// It failed and an earlier commit is applied and healthy again.
    RolledBack,
    /// A newer commit took over.
    Preempted,
    /// It changed nothing that the App reads.
    Unchanged,
    /// The run ended first.
    Pending,
}

/// A share of a push's time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Phase {
    /// Which.
    pub phase: PhaseName,
    /// How long.
    pub us: u64,
}

/// What the time between two marks was spent on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PhaseName {
    /// Of a pipeline's push: from the push of the code until what it builds to is there.
    Build,
    /// From meaning to push until the repository has the commit.
    Push,
    /// Until the engine hears of it.
    Notice,
    /// Until it has the tree, and, where it has just begun, knows what it left in the cluster.
    Fetch,
    /// Until the objects are known.
    Render,
    /// Until it is known what to send.
    Plan,
    /// Until the first request leaves: dependencies first.
    Wait,
    /// Until the last answer is there, prune included.
    Apply,
    /// Until every object has reported itself once.
    Observe,
    /// Until every object is healthy.
    Health,
    /// Of a way back: from the failure to the decision.
    Decide,
    /// Between marks of which one in the middle is missing.
    Unattributed,
}

impl PhaseName {
    /// All of them, in the order of a push.
    pub const ALL: [Self; 12] = [
        Self::Build,
        Self::Push,
        Self::Notice,
        Self::Fetch,
        Self::Render,
        Self::Plan,
        Self::Wait,
        Self::Apply,
        Self::Observe,
        Self::Health,
        Self::Decide,
        Self::Unattributed,
    ];

    /// As it is spelled in JSON.
    #[must_use]
    pub const fn key(self) -> &'static str {
        match self {
            PhaseName::Build => "build",
            PhaseName::Push => "push",
            PhaseName::Notice => "notice",
            PhaseName::Fetch => "fetch",
            PhaseName::Render => "render",
            PhaseName::Plan => "plan",
            PhaseName::Wait => "wait",
            PhaseName::Apply => "apply",
            PhaseName::Observe => "observe",
            PhaseName::Health => "health",
            PhaseName::Decide => "decide",
            PhaseName::Unattributed => "unattributed",
        }
    }
}

/// A batch of requests that left together. Instants count from the push's start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wave {
    /// Its number, as the engine counts.
    pub wave: usize,
    /// How many requests.
    pub requests: usize,
    /// When it left.
    pub sent_us: u64,
    /// When its last answer was there.
    pub acknowledged_us: Option<u64>,
}

/// A way back from a failed revision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Return {
    /// How.
    pub kind: ReturnKind,
    /// The App.
    pub app: String,
    /// The commit that failed.
    pub from: String,
    /// The commit that was gone back to, or that takes the bad one back.
    pub to: String,
    /// Whether `to` became healthy.
    pub healthy: bool,
    /// When `from` failed, since the run's start.
    pub start_us: u64,
    /// From there until healthy again, or until it failed or the run ended.
    pub total_us: u64,
    /// Where the time went: decide, apply, health; adds up to `total_us` exactly.
    pub phases: Vec<Phase>,
}

/// The two ways back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ReturnKind {
    /// The last good commit was applied again.
    Rollback,
    /// A commit was pushed that takes the bad one back.
    Revert,
}

/// A foreign write. Durations count from the write, or from its being seen where nobody wrote it
/// on the scenario's behalf.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Drift {
    /// The object.
    pub object: String,
    /// What was done; empty where the scenario did not do it.
    pub what: String,
    /// The App that manages the object, once it saw.
    pub app: Option<String>,
    /// The fields that differed.
    pub fields: Vec<String>,
    /// The field manager that wrote, where known.
    pub by: Option<String>,
    /// What became of it.
    pub end: DriftEnd,
    /// When it was written, since the run's start.
    pub start_us: u64,
    /// Until the engine saw it.
    pub seen_us: Option<u64>,
    /// Until it was corrected, or reported.
    pub ended_us: Option<u64>,
}

/// What became of a foreign write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DriftEnd {
    /// Written back.
    Corrected,
    /// Told, and left.
    Reported,
    /// The API server did not take it.
    Refused,
    /// Seen, and not ended when the run did.
    Seen,
    /// Not seen by the engine: ignored, or nothing that it manages.
    Unseen,
}

/// How often the API server was asked.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Requests {
    /// In all.
    pub total: usize,
    /// Of them, dry-runs.
    pub dry_runs: usize,
    /// Of them, answered with 400 or more.
    pub refused: usize,
    /// By verb.
    pub by_verb: BTreeMap<String, usize>,
}

/// Where a run took place. The caller says; nothing of it is in the other two files, so that
/// these are the same wherever the same seed runs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Environment {
    /// towtank's own version.
    pub towtank: String,
    /// Whose time it ran in.
    pub clock: Clock,
    /// Operating system.
    pub os: String,
    /// Processor architecture.
    pub arch: String,
    /// Processors that the process may use.
    pub cores: usize,
}

impl RunRecord {
    /// The record of a run that was not started, with the reason.
    #[must_use]
    pub fn skipped(heading: Heading, why: &str) -> Self {
        Self {
            heading,
            verdict: Verdict::Skipped { why: why.to_owned() },
            duration_us: 0,
            steps: 0,
            began_us: Vec::new(),
            expectations_met: 0,
            failures: Vec::new(),
            pushes: Vec::new(),
            unnoticed: Vec::new(),
            returns: Vec::new(),
            drifts: Vec::new(),
            requests: Requests::default(),
            writes_at_rest: 0,
            push_to_ready: None,
        }
    }

    /// The content of `record.json`, ending in a line feed.
    #[must_use]
    pub fn json(&self) -> String {
        pretty(self)
    }
}

impl Environment {
    /// The content of `environment.json`, ending in a line feed.
    #[must_use]
    pub fn json(&self) -> String {
        pretty(self)
    }
}

/// Keys come in the order of the fields above, and sorted in maps: the same value, the same text.
fn pretty(value: &impl Serialize) -> String {
    #[expect(clippy::expect_used, reason = "states an invariant")]
    let mut text = serde_json::to_string_pretty(value)
        .expect("because every key is text and no value can refuse to be serialised");
    text.push('\n');
    text
}
