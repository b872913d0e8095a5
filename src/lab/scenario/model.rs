//! A scenario as plain values, complete: defaults are filled in, references are checked.
//!
//! What is named in the file keeps its place there, for verdicts and messages that point at a
//! line. Reading (`decode`), checking (`check`) and finding files (`find`) are elsewhere; so is
//! doing what is said here (`lab::run`) and judging it (`lab::check`).

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

pub use super::action::{
    Action, Ci, Commit, Drift, DriftKind, Edit, EngineAction, FieldEdit, NodeStep, NodeStepKind,
    Push, PushKind,
};
pub use super::expectation::{
    Expectation, Expected, Moment, ObjectState, State, StateExpectation, Target,
};
pub use super::fault::{Answers, Fault};
pub use super::field::{FieldPath, FieldStep};
pub use super::image::ImageRule;
pub use super::metric::MetricRule;
use crate::base::Profile;
use crate::engine::model::App;
use crate::object::Value;
pub use crate::sim::faults::{Answer, VerbWord};
pub use crate::sim::pods::{Behaviour, Crash, Exit, Hook, Live, Pull, Ready, Stop};

/// A place in a scenario file, both counted from 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// The line.
    pub line: usize,
    /// The column, in characters.
    pub column: usize,
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}

/// A value and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placed<T> {
    /// The value.
    pub value: T,
    /// Where it stands.
    pub at: Position,
}

impl<T: fmt::Display> fmt::Display for Placed<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.value.fmt(f)
    }
}

/// One scenario.
#[derive(Clone, Debug, PartialEq)]
pub struct Scenario {
    /// The file it was read from, as it was named.
    pub file: PathBuf,
    /// Its name, in kebab case, unique among the scenarios of a run.
    pub name: Placed<String>,
    /// What it shows, in a sentence.
    pub description: String,
    /// What the repository holds at the start.
    pub repo: Repo,
    /// Folders that stand for what kustomizations name by URL.
    pub remotes: Vec<Mapped>,
    /// The cluster it runs in.
    pub world: World,
    /// The seed to take where the command line gives none.
    pub seed: Option<u64>,
    /// What it says that it needs of the place it is run in.
    pub needs: Vec<Placed<Need>>,
    /// How the engine hears of pushes.
    pub notice: Notice,
    /// The Apps to keep in sync. Empty: they are in the repository, as Flux or Argo CD objects.
    pub apps: Vec<GivenApp>,
    /// What images do, in the order of the file.
    pub images: Vec<ImageRule>,
    /// What is measured of workloads.
    pub metrics: Vec<MetricRule>,
    /// What becomes of objects whose controllers are not there: stages (`sim::stages`), as
    /// written.
    pub foreign: Vec<Placed<Value>>,
    /// What is done and expected, in order; at least one.
    pub steps: Vec<Step>,
}

/// What a scenario can need of the place that it is run in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Need {
    /// Images do what the scenario says.
    ScriptedImages,
    /// Nodes fall silent, and what is not run is played, as the scenario says.
    ScriptedNodes,
    /// Time jumps to what is due next.
    VirtualTime,
    /// Requests of the engine can be made to fail.
    Faults,
}

impl Need {
    /// All of them.
    pub const ALL: [Need; 4] =
        [Need::ScriptedImages, Need::ScriptedNodes, Need::VirtualTime, Need::Faults];

    /// As a scenario spells it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Need::ScriptedImages => "scripted-images",
            Need::ScriptedNodes => "scripted-nodes",
            Need::VirtualTime => "virtual-time",
            Need::Faults => "faults",
        }
    }
}

/// How the engine hears of pushes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Notice {
    /// The Git server calls it at each push.
    #[default]
    Webhook,
    /// It looks itself, each time this has passed.
    Poll(Duration),
}

/// What the repository holds at the start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Repo {
    /// A folder: with its history if it is itself a Git repository, else as commit one.
    Folder {
        /// As written, relative to the scenario's file.
        written: Placed<String>,
        /// The same, seen from the working directory.
        path: PathBuf,
    },
    /// The files of commit one: text by path.
    Files(BTreeMap<String, String>),
}

/// A folder that stands for what kustomizations name by a URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mapped {
    /// The URL as a kustomization has it, or that of a repository.
    pub url: String,
    /// The folder as written, relative to the scenario's file.
    pub written: Placed<String>,
    /// The same, seen from the working directory.
    pub path: PathBuf,
}

/// The cluster a scenario runs in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct World {
    /// How long things take.
    pub profile: Profile,
    /// Nodes, at least one.
    pub nodes: u32,
    /// A file of stages: as written, and seen from the working directory.
    pub stages: Option<(Placed<String>, PathBuf)>,
}

impl Default for World {
    fn default() -> Self {
        Self { profile: Profile::warm(), nodes: 3, stages: None }
    }
}

/// An App that the scenario declares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GivenApp {
    /// The App, as the engine takes it.
    pub app: App,
    /// Where it is declared: its name.
    pub at: Position,
    /// Where each of its `depends_on` is named.
    pub depends_on_at: Vec<Position>,
}

/// One step: something is done, something is expected.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// Where it begins.
    pub at: Position,
    /// What its author calls it.
    pub name: Option<String>,
    /// What is done. `None`: nothing, or in the first step the first deploy.
    pub action: Option<Action>,
    /// What is to come of it.
    pub expect: Vec<Expectation>,
}

/// Its name, else what it does, on one line.
impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.name, &self.action) {
            (Some(name), _) => f.write_str(name),
            (None, Some(action)) => action.fmt(f),
            (None, None) => f.write_str("expect"),
        }
    }
}

/// A commit, as a scenario names one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rev {
    /// The newest commit of the branch, or the one so many before it (first parents).
    Head {
        /// 0 for `HEAD`, 1 for `HEAD~1`.
        back: usize,
    },
    /// The commit that an earlier step made under this label, or tagged with this name.
    Label(String),
    /// A commit id in hexadecimal, 7 to 40 digits: of a repository with history.
    Commit(String),
    /// A full reference name (`refs/heads/next`, `refs/tags/v1`): of a repository with history.
    Ref(String),
}

impl fmt::Display for Rev {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Rev::Head { back: 0 } => f.write_str("HEAD"),
            Rev::Head { back } => write!(f, "HEAD~{back}"),
            Rev::Label(text) | Rev::Commit(text) | Rev::Ref(text) => f.write_str(text),
        }
    }
}

/// An object of the cluster, as a scenario names one: `kind/namespace/name` or `kind/name`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectRef {
    /// The kind as written: lower-case kind, plural or short name, with `.group` behind it where
    /// two groups have one of that name.
    pub kind: String,
    /// The namespace as written. `None`: the object is cluster-scoped, or in `default`.
    pub namespace: Option<String>,
    /// The name.
    pub name: String,
    /// Where it is named.
    pub at: Position,
}

impl fmt::Display for ObjectRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/", self.kind)?;
        if let Some(namespace) = &self.namespace {
            write!(f, "{namespace}/")?;
        }
        f.write_str(&self.name)
    }
}
