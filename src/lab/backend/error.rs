//! Why there is no place to run in, or why one could not be left as it was found: always one
//! message that says what was wanted, what is in the way, and what helps.

use std::path::PathBuf;

/// See the module. The caller can do nothing but tell it; it ends in exit code 4.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the messages say what the fields are")]
pub enum SiteError {
    #[error("{what}: {why}")]
    System { what: &'static str, why: String },
    #[error("no kubeconfig: {why}")]
    Kubeconfig { why: String },
    #[error("the kubeconfig has no context {context:?}; it has {known}")]
    NoContext { context: String, known: String },
    #[error(
        "context {context} is at {server}, which is neither kind, k3d nor this machine: nothing was \
         sent; to run there say --yes-on {context}"
    )]
    NotAllowed { context: String, server: String },
    #[error(
        "context {context} is neither kind, k3d nor this machine: pods cannot be played there, that \
         would take its nodes out of use for the run"
    )]
    NotPlayed { context: String },
    #[error("{server}: the API server cannot be used: {why}")]
    Unusable { server: String, why: String },
    #[error(
        "namespace {namespace} is there already and is not of this run: nothing was changed; remove \
         it, or run in another cluster{hint}"
    )]
    NamespaceTaken { namespace: String, hint: String },
    #[error("namespace {namespace} cannot be made: {why}")]
    NamespaceRefused { namespace: String, why: String },
    #[error("namespace {namespace} has no room: {why}")]
    NoRoom { namespace: String, why: String },
    #[error("{program} is not installed (looked for it in {looked}); {help}")]
    NoProgram { program: String, looked: String, help: &'static str },
    #[error("{command}: {why}")]
    Command { command: String, why: String },
    #[error("{program} ended before it was ready: {why}")]
    Ended { program: String, why: String },
    #[error("KUBEBUILDER_ASSETS is not set; it names a folder with etcd and kube-apiserver")]
    NoAssets,
    #[error("{path}: {why}", path = .path.display())]
    File { path: PathBuf, why: String },
    #[error("{why}")]
    Stopped { why: String },
    #[error("interrupted")]
    Interrupted,
    #[error("left behind: {what} ({why})")]
    Left { what: String, why: String },
    #[error("{first}; {then}")]
    Both { first: Box<SiteError>, then: Box<SiteError> },
    #[error("the repository cannot be served: {why}")]
    Git { why: String },
}

impl SiteError {
    /// Something that the system did not give.
    pub(super) fn system(what: &'static str, why: &dyn std::fmt::Display) -> Self {
        Self::System { what, why: why.to_string() }
    }

    /// This, and what came of it at the end: a reader has to know of both.
    pub(in crate::lab) fn and(self, then: Self) -> Self {
        Self::Both { first: Box::new(self), then: Box::new(then) }
    }
}
