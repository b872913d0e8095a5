//! A scenario as plain values, complete: defaults are filled in, references are checked.
//!
//! What is named in the file keeps its place there, for verdicts and messages that point at a
//! line. Reading (`decode`), checking (`check`) and finding files (`find`) are elsewhere; so is
//! doing what is said here (`lab::run`) and judging it (`lab::check`).

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

pub use super::action::{
    Action, Commit, Drift, DriftKind, Edit, EngineAction, FieldEdit, Push, PushKind,
};
pub use super::expectation::{
    Expectation, Expected, Moment, ObjectState, State, StateExpectation, Target,
};
pub use super::field::{FieldPath, FieldStep};
pub use super::image::ImageRule;
use crate::base::Profile;
use crate::engine::model::App;
pub use crate::sim::pods::{Behaviour, Crash, Exit, Live, Pull, Ready, Stop};

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
    /// The cluster it runs in.
    pub world: World,
    /// The seed to take where the command line gives none.
    pub seed: Option<u64>,
    /// The Apps to keep in sync. Empty: they are in the repository, as Flux or Argo CD objects.
    pub apps: Vec<GivenApp>,
    /// What images do, in the order of the file.
    pub images: Vec<ImageRule>,
    /// What is done and expected, in order; at least one.
    pub steps: Vec<Step>,
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

/// The cluster a scenario runs in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct World {
    /// How long things take.
    pub profile: Profile,
    /// Nodes, at least one.
    pub nodes: u32,
}

impl Default for World {
    fn default() -> Self {
        Self { profile: Profile::warm(), nodes: 3 }
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
