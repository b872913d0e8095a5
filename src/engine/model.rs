//! The words of the engine as plain values: App, revision, tree, rendered, plan, change set.
//!
//! Every stage imports this file and no other stage. Nothing here does anything but answer
//! questions about itself.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::base::limits;
use crate::object::fieldset::Set;
use crate::object::schema::TypeId;
use crate::object::{Gvr, Object, ObjectId, Value};

/// The engine's field manager and user agent.
pub const MANAGER: &str = "towtank";

/// The namespace of the engine's own objects.
pub const NAMESPACE: &str = "towtank-system";

/// The label that names the App on the ConfigMaps of its state and on Events.
pub const LABEL: &str = "towtank.dev/app";

/// A Git object id in hexadecimal: a commit, a tree or a blob.
pub type GitId = Arc<str>;

/// What to do when an object is not as rendered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DriftPolicy {
    /// Write it back.
    #[default]
    Correct,
    /// Tell, and leave it.
    Report,
    /// Not even tell.
    Ignore,
}

/// What to do when a revision fails.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FailurePolicy {
    /// Leave it and wait for the next commit.
    #[default]
    Hold,
    /// Apply the last successful commit again.
    Rollback,
    /// Push a commit that takes the bad one back.
    Revert,
}

/// What is kept in sync: a source, a path in it, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct App {
    /// Its name, unique in a run.
    pub name: String,
    /// The folder in the repository, without leading or trailing slash; empty for the root.
    pub path: String,
    /// Namespace of namespaced objects that name none.
    pub namespace: String,
    /// Apps that must be ready, at the same commit, before this one starts.
    pub depends_on: Vec<String>,
    /// What to do about drift.
    pub drift: DriftPolicy,
    /// What to do about a failed revision.
    pub on_failure: FailurePolicy,
    /// How long after the apply a revision may take to become healthy.
    pub health_timeout: Duration,
    /// Whether objects that left the repository are deleted.
    pub prune: bool,
}

impl App {
    /// An App with the defaults of the scenario language.
    #[must_use]
    pub fn new(name: &str, path: &str) -> Self {
        Self {
            name: name.to_owned(),
            path: path.trim_matches('/').to_owned(),
            namespace: "default".to_owned(),
            depends_on: Vec::new(),
            drift: DriftPolicy::default(),
            on_failure: FailurePolicy::default(),
            health_timeout: limits::HEALTH_TIMEOUT,
            prune: true,
        }
    }
}

/// The name of the App's ConfigMap number `part`; part 0 holds everything but the overflow of the
/// inventory.
#[must_use]
pub fn config_map_name(app: &str, part: usize) -> String {
    if part == 0 { format!("app-{app}") } else { format!("app-{app}-inventory-{part}") }
}

/// A file of a commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Blob {
    /// Its Git id: equal ids, equal bytes.
    pub id: GitId,
    /// Its bytes.
    pub bytes: Arc<[u8]>,
}

/// An entry of a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Node {
    /// A folder.
    Dir(Arc<Tree>),
    /// A file.
    File(Arc<Blob>),
}

/// A folder of a commit. Folders and files are shared between commits that have them in common,
/// so that holding many commits costs only their differences.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tree {
    /// Its Git id: equal ids, equal content all the way down.
    pub id: GitId,
    /// Its entries by name.
    pub entries: BTreeMap<Arc<str>, Node>,
}

impl Tree {
    /// What is at `path` (slash-separated, relative to this folder; `.` and empty segments are
    /// skipped, `..` is not understood and finds nothing). `None` where there is nothing; the
    /// empty path is not an entry: ask the tree itself.
    #[must_use]
    pub fn find(&self, path: &str) -> Option<&Node> {
        let mut found: Option<&Node> = None;
        for segment in path.split('/').filter(|s| !s.is_empty() && *s != ".") {
            let dir = match found {
                None => self,
                Some(Node::Dir(dir)) => dir,
                Some(Node::File(_)) => return None,
            };
            found = Some(dir.entries.get(segment)?);
        }
        found
    }

    /// The file at `path`.
    #[must_use]
    pub fn file(&self, path: &str) -> Option<&Arc<Blob>> {
        match self.find(path)? {
            Node::File(blob) => Some(blob),
            Node::Dir(_) => None,
        }
    }

    /// The Git id of what is at `path`; the tree's own for the empty path.
    #[must_use]
    pub fn id_at(&self, path: &str) -> Option<&GitId> {
        if path.split('/').all(|s| s.is_empty() || s == ".") {
            return Some(&self.id);
        }
        Some(match self.find(path)? {
            Node::Dir(dir) => &dir.id,
            Node::File(blob) => &blob.id,
        })
    }
}

/// A commit and what is in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Artifact {
    /// The commit's id.
    pub commit: GitId,
    /// First line of its message.
    pub subject: String,
    /// Its root folder.
    pub tree: Arc<Tree>,
}

/// Where in the repository a rendered object came from.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Origin {
    /// The file, from the repository's root.
    pub file: String,
    /// The line its document starts at, from 1; 0 where no line can be named.
    pub line: usize,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if self.line > 0 { write!(f, ":{}", self.line) } else { Ok(()) }
    }
}

/// One object as it is to be.
#[derive(Clone, Debug, PartialEq)]
pub struct Manifest {
    /// The object.
    pub object: Arc<Object>,
    /// Where it came from.
    pub origin: Origin,
}

/// What an App's folder comes to at one commit.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rendered {
    /// The objects, in the renderer's order.
    pub manifests: Vec<Manifest>,
    /// Everything that was looked at, by path from the repository's root, with its Git id then
    /// (`None`: looked for and not there). A commit that has the same ids at all of these paths
    /// renders to the same objects.
    pub inputs: BTreeMap<String, Option<GitId>>,
}

impl Rendered {
    /// Whether rendering `tree` would read just what was read here.
    #[must_use]
    pub fn holds_for(&self, tree: &Tree) -> bool {
        self.inputs.iter().all(|(path, id)| tree.id_at(path) == id.as_ref())
    }

    /// A digest of what was read: the same digest, the same objects.
    #[must_use]
    pub fn digest(&self) -> String {
        let mut hash = crate::base::Digest::default();
        for (path, id) in &self.inputs {
            hash.add(path.as_bytes());
            hash.add(id.as_deref().unwrap_or("-").as_bytes());
        }
        hash.to_hex()
    }
}

/// Why a folder could not be rendered: one message and the place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RenderError {
    /// The file, from the repository's root.
    pub file: String,
    /// Line, from 1; 0 where none can be named.
    pub line: usize,
    /// Column, from 1; 0 where none can be named.
    pub column: usize,
    /// What is wrong and what was expected, with the nearest right word where there is one.
    pub message: String,
}

impl fmt::Display for RenderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if self.line > 0 {
            write!(f, ":{}", self.line)?;
            if self.column > 0 {
                write!(f, ":{}", self.column)?;
            }
        }
        write!(f, ": {}", self.message)
    }
}

impl std::error::Error for RenderError {}

/// What was applied, and what the server made of it.
#[derive(Clone, Debug)]
pub struct Applied {
    /// The body of the apply.
    pub body: Arc<Value>,
    /// The fields that it owns.
    pub fields: Arc<Set>,
    /// Its type in the schema.
    pub ty: TypeId,
    /// Where it is written to.
    pub gvr: Gvr,
    /// The object as the server answered.
    pub answer: Arc<Object>,
}

/// An object that is under management, and at which version it is written.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub struct InventoryEntry {
    /// The object.
    #[serde(flatten)]
    pub id: ObjectId,
    /// The version of its group that it was last applied at.
    pub version: String,
    /// It was rendered with nothing but a name, so the live object does not say that it is ours.
    #[serde(default, skip_serializing_if = "is_false")]
    pub bare: bool,
}

/// What an apply left behind: enough to tell, after a restart, drift from a change of the
/// repository, and one's own object from another of its name.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Mark {
    /// Digest of the body that was applied.
    pub digest: String,
    /// The uid of the object that it was applied to.
    pub uid: String,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
fn is_false(flag: &bool) -> bool {
    !flag
}
