//! What a step of a scenario does, as plain values. Doing it is `lab::run`.

use std::fmt;
use std::time::Duration;

use super::duration;
use super::fault::Fault;
use super::model::{FieldPath, ImageRule, MetricRule, ObjectRef, Placed, Rev};
use crate::object::{Object, Value};

/// What a step does.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// The repository changes.
    Push(Push),
    /// A pipeline builds, then pushes what it has built.
    Ci(Ci),
    /// Somebody other than the engine writes to the cluster.
    Drift(Drift),
    /// From now on these images do this.
    Image(Vec<ImageRule>),
    /// From now on this is measured of workloads.
    Metrics(Vec<MetricRule>),
    /// Time passes.
    Wait(Duration),
    /// Time passes until so long after the first step's beginning.
    WaitUntil(Duration),
    /// Something goes wrong between the engine and the API server.
    Fault(Fault),
    /// The engine itself is ended or started.
    Engine(EngineAction),
    /// Something happens to a node.
    Node(NodeStep),
    /// From now on this becomes of objects whose controllers are not there: stages, as written.
    Foreign(Vec<Placed<Value>>),
}

impl Action {
    /// What it pushes, if it does.
    #[must_use]
    pub fn push(&self) -> Option<&Push> {
        match self {
            Action::Push(push) | Action::Ci(Ci { push, .. }) => Some(push),
            _ => None,
        }
    }

    /// Whether it does nothing but wait.
    #[must_use]
    pub const fn is_wait(&self) -> bool {
        matches!(self, Action::Wait(_) | Action::WaitUntil(_))
    }
}

/// One run of a pipeline, from the push of the code on.
#[derive(Clone, Debug, PartialEq)]
pub struct Ci {
    /// How long it builds.
    pub build: Duration,
    /// What it then pushes: always a commit.
    pub push: Push,
}

/// One push.
#[derive(Clone, Debug, PartialEq)]
pub struct Push {
    /// What is pushed.
    pub kind: PushKind,
    /// What the scenario calls the commit that is the newest one after it.
    pub label: Option<Placed<String>>,
}

/// What is pushed.
#[derive(Clone, Debug, PartialEq)]
pub enum PushKind {
    /// A commit on top of the newest one.
    Commit(Commit),
    /// A commit that takes another one back.
    Revert {
        /// The commit to take back.
        rev: Placed<Rev>,
        /// The commit's message; `None`: Git's own (`Revert "…"`).
        message: Option<String>,
    },
    /// The branch is set to a commit, whatever it was.
    ForcePush {
        /// The commit.
        rev: Placed<Rev>,
    },
    /// A merge commit of another branch of the repository.
    Merge {
        /// The branch's name.
        branch: Placed<String>,
        /// The commit's message; `None`: Git's own (`Merge branch '…'`).
        message: Option<String>,
    },
    /// A tag at the newest commit.
    Tag {
        /// The tag's name.
        name: Placed<String>,
    },
}

/// One commit: its edits are made in order.
#[derive(Clone, Debug, PartialEq)]
pub struct Commit {
    /// What changes; empty for a commit that changes nothing.
    pub edits: Vec<Edit>,
    /// Its message; `None`: made from the edits.
    pub message: Option<String>,
}

/// One change of files.
#[derive(Clone, Debug, PartialEq)]
pub enum Edit {
    /// Every place in the repository that names the image gets this tag: `image:` of manifests,
    /// and entries of `images:` in a kustomization.
    SetImage {
        /// The image without tag or digest.
        image: Placed<String>,
        /// The tag, or a digest as `sha256:…`.
        tag: String,
    },
    /// A file, new or replaced as a whole.
    Write {
        /// Its path from the repository's root.
        path: Placed<String>,
        /// Its text.
        text: String,
    },
    /// Fields of a YAML file.
    Set {
        /// Its path from the repository's root.
        file: Placed<String>,
        /// Which of the file's objects; `None`: the only one.
        object: Option<ObjectRef>,
        /// The fields.
        fields: Vec<FieldEdit>,
    },
    /// A file or folder goes away.
    Delete {
        /// Its path from the repository's root.
        path: Placed<String>,
    },
}

/// One field gets a value.
#[derive(Clone, Debug, PartialEq)]
pub struct FieldEdit {
    /// The field.
    pub path: Placed<FieldPath>,
    /// Its value; null takes the field out.
    pub value: Value,
}

/// A write to the cluster by somebody other than the engine.
#[derive(Clone, Debug, PartialEq)]
pub struct Drift {
    /// What is written.
    pub kind: DriftKind,
    /// The writer's field manager; `kubectl` where the scenario names none.
    pub manager: String,
    /// Whether the API server may refuse it; else a refusal ends the run.
    pub may_fail: bool,
}

/// What is written.
#[derive(Clone, Debug, PartialEq)]
pub enum DriftKind {
    /// Fields of an object are set.
    Patch {
        /// The object.
        object: ObjectRef,
        /// The fields.
        fields: Vec<FieldEdit>,
    },
    /// Replicas are set through the scale subresource.
    Scale {
        /// The object.
        object: ObjectRef,
        /// How many.
        replicas: u32,
    },
    /// An object is deleted.
    Delete {
        /// The object.
        object: ObjectRef,
    },
    /// A whole object is created.
    Create {
        /// The object.
        object: Placed<Object>,
    },
    /// A part of an object is applied, server-side.
    Apply {
        /// The part.
        object: Placed<Object>,
        /// Whether fields of other managers are taken.
        force: bool,
    },
}

/// What happens to the engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EngineAction {
    /// Ended without warning, and started anew at once.
    Restart,
    /// Ended without warning.
    Stop,
    /// Started anew, after a stop.
    Start,
    /// Ended right after its n-th write of the deployment under way, or of the next one; then
    /// started anew.
    RestartAfterWrites(u32),
}

/// What happens to a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeStep {
    /// Its name: `node-1`, ...
    pub name: Placed<String>,
    /// What.
    pub kind: NodeStepKind,
}

/// See [`NodeStep`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum NodeStepKind {
    /// It falls silent; its pods go on, and nobody hears of them.
    Stop,
    /// It comes back, also from its deletion.
    Start,
    /// It takes no new pods.
    Cordon,
    /// It takes pods again.
    Uncordon,
    /// It takes no new pods, and those it has are evicted, as `kubectl drain` does.
    Drain,
    /// Its object is deleted.
    Delete,
    /// It is told to be out of service for good, as an operator does who knows that it is off.
    OutOfService,
}

impl NodeStepKind {
    /// All of them, and the words of the language.
    pub const WORDS: [(&'static str, Self); 7] = [
        ("stop", Self::Stop),
        ("start", Self::Start),
        ("cordon", Self::Cordon),
        ("uncordon", Self::Uncordon),
        ("drain", Self::Drain),
        ("delete", Self::Delete),
        ("out-of-service", Self::OutOfService),
    ];

    /// Its word in the language.
    #[must_use]
    pub fn word(self) -> &'static str {
        Self::WORDS.iter().find(|(_, kind)| *kind == self).map_or("", |(word, _)| *word)
    }
}

/// What is done, on one line.
impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Action::Push(push) => write!(f, "push {push}"),
            Action::Ci(ci) => {
                write!(f, "ci {} after a build of {}", ci.push, duration::show(ci.build))
            }
            Action::Drift(drift) => write!(f, "drift {drift}"),
            Action::Image(rules) => {
                let rules: Vec<_> = rules.iter().map(ImageRule::summary).collect();
                write!(f, "image {}", rules.join("; "))
            }
            Action::Metrics(rules) => {
                let rules: Vec<_> = rules.iter().map(MetricRule::summary).collect();
                write!(f, "metrics {}", rules.join("; "))
            }
            Action::Wait(time) => write!(f, "wait {}", duration::show(*time)),
            Action::WaitUntil(time) => write!(f, "wait until {}", duration::show(*time)),
            Action::Fault(fault) => write!(f, "fault {fault}"),
            Action::Engine(action) => write!(f, "engine {action}"),
            Action::Foreign(stages) => {
                let kinds: Vec<_> =
                    stages.iter().filter_map(|s| s.value["kind"].as_str()).collect();
                write!(f, "foreign {}", kinds.join(", "))
            }
            Action::Node(step) => write!(f, "node {} {}", step.kind.word(), step.name),
        }
    }
}

impl fmt::Display for Push {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            PushKind::Commit(commit) => match &commit.message {
                Some(message) => f.write_str(message.lines().next().unwrap_or_default()),
                None => f.write_str(&commit.summary()),
            },
            PushKind::Revert { rev, .. } => write!(f, "revert {rev}"),
            PushKind::ForcePush { rev } => write!(f, "force-push {rev}"),
            PushKind::Merge { branch, .. } => write!(f, "merge {branch}"),
            PushKind::Tag { name } => write!(f, "tag {name}"),
        }
    }
}

impl Commit {
    /// The edits on one line: the message of a commit that is given none.
    #[must_use]
    pub fn summary(&self) -> String {
        if self.edits.is_empty() {
            return "empty commit".to_owned();
        }
        self.edits.iter().map(Edit::to_string).collect::<Vec<_>>().join(", ")
    }
}

impl fmt::Display for Edit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Edit::SetImage { image, tag } => write!(f, "set-image {image}:{tag}"),
            Edit::Write { path, .. } => write!(f, "write {path}"),
            Edit::Set { file, fields, .. } => write!(f, "edit {file} {}", show_fields(fields)),
            Edit::Delete { path } => write!(f, "delete {path}"),
        }
    }
}

impl fmt::Display for Drift {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            DriftKind::Patch { object, fields } => {
                write!(f, "patch {object} {}", show_fields(fields))?;
            }
            DriftKind::Scale { object, replicas } => write!(f, "scale {object} to {replicas}")?,
            DriftKind::Delete { object } => write!(f, "delete {object}")?,
            DriftKind::Create { object } => write!(f, "create {}", show_object(&object.value))?,
            DriftKind::Apply { object, force } => {
                let force = if *force { ", with force" } else { "" };
                write!(f, "apply {}{force}", show_object(&object.value))?;
            }
        }
        write!(f, " as {}", self.manager)
    }
}

impl fmt::Display for EngineAction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            EngineAction::Restart => f.write_str("restart"),
            EngineAction::Stop => f.write_str("stop"),
            EngineAction::Start => f.write_str("start"),
            EngineAction::RestartAfterWrites(1) => f.write_str("restart after 1 write"),
            EngineAction::RestartAfterWrites(n) => write!(f, "restart after {n} writes"),
        }
    }
}

fn show_fields(fields: &[FieldEdit]) -> String {
    fields.iter().map(|f| format!("{}={}", f.path, f.value)).collect::<Vec<_>>().join(" ")
}

fn show_object(object: &Object) -> String {
    let part = |path: &[&str]| object.text(path).unwrap_or_default().to_owned();
    let (kind, name) = (part(&["kind"]).to_lowercase(), part(&["metadata", "name"]));
    match object.text(&["metadata", "namespace"]) {
        Some(namespace) => format!("{kind}/{namespace}/{name}"),
        None => format!("{kind}/{name}"),
    }
}
