//! `towtank try`: makes a scenario for a folder that nobody wrote one for. It deploys the folder,
//! bumps an image, drifts a rendered field, breaks the image and expects the way back.
//!
//! What the folder does not allow (no workload to bump, nothing to drift) is left out and named;
//! why a folder cannot be tried at all is told by `refused`, what is drifted is chosen by `drift`.
//! Running the scenario is `lab::run`'s, as for any other.

mod drift;
mod refused;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use crate::base::{Time, limits};
use crate::engine::kinds::Kinds;
use crate::engine::model::{App, FailurePolicy, Node, Tree};
use crate::engine::plan::{self, Desired, DesiredSet};
use crate::engine::{live, render};
use crate::lab::scenario::model::{
    Action, Commit, Edit, Expectation, Expected, GivenApp, ImageRule, Moment, Notice, Placed,
    Position, Push, PushKind, Repo, Scenario, State, StateExpectation, Step, Target, World,
};
use crate::lab::scenario::{Problem, Problems};
use crate::lab::world::git::{GitError, GitWorld, is_repository};
use crate::sim::pods::{Behaviour, Pull};

/// The tag of the bump.
const BUMPED: &str = "towtank-bumped";
/// The tag that is not in the registry.
const BROKEN: &str = "towtank-broken";
/// How long a trial waits for health: long enough for slow probes, short enough to be told.
const HEALTH_TIMEOUT: Duration = Duration::from_secs(120);

/// The namespaces that every cluster has.
const BUILT_IN: [&str; 4] = ["default", "kube-system", "kube-public", "kube-node-lease"];

/// A place for what stands in no file.
pub(in crate::lab) const NOWHERE: Position = Position { line: 1, column: 1 };

/// A folder that is tried.
pub(in crate::lab) struct Trial<'a> {
    folder: &'a Path,
    pub(in crate::lab) app: App,
    pub(in crate::lab) git: GitWorld,
    pub(in crate::lab) tree: Arc<Tree>,
}

/// The scenario of trying `path` in `folder`, for an App called `name`.
///
/// # Errors
/// Why the folder cannot be deployed at all: the file and what is missing, by name.
pub fn scenario(folder: &Path, path: &str, name: &str) -> Result<Scenario, Problems> {
    let mut trial = Trial::open(folder, path, name)?;
    let desired = trial.desired()?;
    let made = trial.make_namespace(&desired)?;
    let mut tried = vec![format!("Deploys {}", deployed(desired.objects.len(), folder, path))];
    if is_repository(folder) {
        // A reader who has just edited a file wonders why nothing changed.
        let commit = trial.git.head().to_string();
        tried.push(format!("as committed at {}", &commit[..7.min(commit.len())]));
    }
    if let Some(namespace) = made {
        tried.push(format!("to the namespace {namespace}, which is made beforehand"));
    }
    let mut missing = Vec::new();
    let mut steps = vec![first_deploy(&trial.app)];
    let mut images = Vec::new();
    let image = trial.bumpable(&desired);
    match &image {
        Ok(image) => {
            steps.push(bump(&trial.app, image));
            tried.push(format!("sets another tag of {image}"));
        }
        Err(why) => missing.push(format!("image bump and rollback ({why})")),
    }
    match drift::step(&trial.app, &desired) {
        Some((step, what)) => {
            steps.push(step);
            tried.push(what);
        }
        None => missing.push("drift (nothing rendered can be changed)".to_owned()),
    }
    let stuck = image.as_ref().ok().and_then(|image| starts_in_order(&desired, image));
    if let Some(id) = &stuck {
        let why =
            "Kubernetes keeps its first pod that cannot start, also when the template is back";
        missing.push(format!("failure and rollback ({id} starts its pods in order: {why})"));
    }
    if let Some(image) = image.as_ref().ok().filter(|_| stuck.is_none()) {
        steps.push(break_it(&trial.app, image));
        let script = Behaviour { pull: Some(Pull::Fails), ..Behaviour::default() };
        images.push(ImageRule { pattern: placed(format!("{image}:{BROKEN}")), script });
        tried.push("pushes a tag that cannot be pulled and expects the way back".to_owned());
    }
    let written = placed(folder.display().to_string());
    Ok(Scenario {
        remotes: Vec::new(),
        file: folder.to_owned(),
        name: placed(name.to_owned()),
        description: describe(&tried, &missing),
        repo: Repo::Folder { written, path: folder.to_owned() },
        world: World::default(),
        seed: None,
        needs: Vec::new(),
        notice: Notice::default(),
        apps: vec![GivenApp { app: trial.app, at: NOWHERE, depends_on_at: Vec::new() }],
        images,
        metrics: Vec::new(),
        foreign: Vec::new(),
        steps,
    })
}

fn deployed(objects: usize, folder: &Path, path: &str) -> String {
    let place: PathBuf = folder.join(path).components().collect();
    let place = if place.as_os_str().is_empty() { Path::new(".") } else { &place };
    let plural = if objects == 1 { "" } else { "s" };
    format!("the {objects} object{plural} of {}", place.display())
}

fn describe(tried: &[String], missing: &[String]) -> String {
    let tried = tried.join(", ");
    if missing.is_empty() {
        format!("{tried}.")
    } else {
        format!("{tried}. Not tried: {}.", missing.join("; "))
    }
}

impl<'a> Trial<'a> {
    pub(in crate::lab) fn open(folder: &'a Path, path: &str, name: &str) -> Result<Self, Problems> {
        let refused = |message: String| {
            Problems(vec![Problem { file: folder.to_owned(), at: None, message }])
        };
        let mut app = App::new(name, path);
        app.on_failure = FailurePolicy::Rollback;
        app.health_timeout = HEALTH_TIMEOUT;
        let git = GitWorld::from_path(folder, Time::VIRTUAL_START).map_err(|error| {
            refused(match error {
                GitError::Open { what, .. } => what,
                other => other.to_string(),
            })
        })?;
        let artifact = git.artifact().map_err(|error| refused(error.to_string()))?;
        Ok(Self { folder, app, git, tree: artifact.tree })
    }

    /// What is tried: a folder, or one file.
    pub(in crate::lab) fn node(&self) -> Option<Node> {
        match self.app.path.as_str() {
            "" => Some(Node::Dir(Arc::clone(&self.tree))),
            path => self.tree.find(path).cloned(),
        }
    }

    /// The text of the folder's kustomization file.
    fn kustomization(&self) -> Option<String> {
        let Node::Dir(folder) = self.node()? else { return None };
        let names = ["kustomization.yaml", "kustomization.yml", "Kustomization"];
        let blob = names.iter().find_map(|name| folder.file(name).cloned())?;
        Some(String::from_utf8_lossy(&blob.bytes).into_owned())
    }

    /// Whether the folder is built by kustomize; else its files are taken as they are.
    pub(in crate::lab) fn is_built(&self) -> bool {
        self.kustomization().is_some()
    }

    pub(in crate::lab) fn desired(&self) -> Result<DesiredSet, Problems> {
        let mut cache = render::ParseCache::default();
        let rendered = render::render(&self.tree, &self.app.path, &mut cache)
            .map_err(|error| refused::render(self, &error))?;
        if rendered.manifests.is_empty() {
            return Err(refused::nothing(self));
        }
        let mut kinds = Kinds::default();
        kinds.learn_rendered(&rendered);
        plan::desired::settle(&self.app, &Arc::new(rendered), kinds.schema())
            .map_err(|error| refused::plan(self, &error))
    }

    /// Objects may be in a namespace that comes from elsewhere. Where it is one, it is made for
    /// them, by making it the App's own.
    pub(in crate::lab) fn make_namespace(
        &mut self,
        desired: &DesiredSet,
    ) -> Result<Option<String>, Problems> {
        let is_there = |name: &str| {
            BUILT_IN.contains(&name)
                || desired.objects.keys().any(|id| id.kind == "Namespace" && id.name == name)
        };
        let mut missing: Vec<(&str, &Desired)> = Vec::new();
        for want in desired.objects.values() {
            let name: &str = &want.id.namespace;
            if !name.is_empty() && !is_there(name) && missing.iter().all(|(n, _)| *n != name) {
                missing.push((name, want));
            }
        }
        let Some((name, first)) = missing.first() else { return Ok(None) };
        // Those that name no namespace are in `default`, and are to stay there.
        let in_default = desired.objects.keys().any(|id| id.namespace == "default");
        if missing.len() > 1 || in_default {
            let names: Vec<&str> = missing.iter().map(|(name, _)| *name).collect();
            return Err(refused::namespaces(self, &names, &first.origin));
        }
        self.app.namespace = (*name).to_owned();
        Ok(Some(self.app.namespace.clone()))
    }

    /// The image of the first workload whose tag the repository can change.
    fn bumpable(&self, desired: &DesiredSet) -> Result<String, String> {
        let mut why = "no workload that keeps running".to_owned();
        for want in desired.objects.values().filter(|want| rolls_out(want)) {
            let containers = &want.body["spec"]["template"]["spec"]["containers"];
            let Some(image) = containers[0]["image"].as_str() else { continue };
            let image = without_tag(image);
            let tried = self.git.draft().and_then(|mut draft| draft.set_image(image, BUMPED));
            match tried {
                Ok(changed) if !changed.is_empty() => return Ok(image.to_owned()),
                Ok(_) => {}
                Err(error) => why = error.to_string(),
            }
        }
        Err(why)
    }
}

/// Whether a new image in the object's template means new pods that have to become ready.
pub(in crate::lab) fn rolls_out(want: &Desired) -> bool {
    let spec = &want.body["spec"];
    live::runs_pods(&want.id)
        && !matches!(want.id.kind.as_ref(), "Job" | "ReplicaSet")
        && spec["replicas"] != 0
        && spec["paused"] != true
        && spec["updateStrategy"]["type"] != "OnDelete"
}

/// A StatefulSet with this image that waits for each of its pods before it makes the next.
pub(in crate::lab) fn starts_in_order(desired: &DesiredSet, image: &str) -> Option<String> {
    let has_image = |want: &&Desired| {
        let containers = want.body["spec"]["template"]["spec"]["containers"].as_array();
        let mut images = containers.into_iter().flatten().filter_map(|c| c["image"].as_str());
        images.any(|named| without_tag(named) == image)
    };
    let is_ordered = |want: &&Desired| {
        want.id.kind == "StatefulSet" && want.body["spec"]["podManagementPolicy"] != "Parallel"
    };
    desired.objects.values().filter(is_ordered).find(has_image).map(|want| want.id.to_string())
}

pub(in crate::lab) fn without_tag(image: &str) -> &str {
    let image = image.split_once('@').map_or(image, |(name, _)| name);
    match image.rsplit_once(':') {
        // A colon before the last slash is a registry's port.
        Some((name, tag)) if !tag.contains('/') => name,
        _ => image,
    }
}

fn first_deploy(app: &App) -> Step {
    step("first deploy", None, vec![expect(app, State::Ready, None, None)])
}

fn bump(app: &App, image: &str) -> Step {
    let expected = vec![expect(app, State::Ready, None, None), never(app, State::Failed)];
    step(&format!("bump {image}"), Some(set_image(image, BUMPED)), expected)
}

fn break_it(app: &App, image: &str) -> Step {
    let previous = Placed { value: Target::Previous, at: NOWHERE };
    let within = Some(Duration::from_secs(60));
    let back = StateExpectation {
        within,
        after: Some(Moment::State(State::Failed)),
        to: Some(previous),
        ..state(app, State::RolledBack)
    };
    let expected = vec![
        expect(app, State::Failed, Some(HEALTH_TIMEOUT), None),
        Expectation { at: NOWHERE, expected: Expected::State(back) },
    ];
    step(&format!("break {image}"), Some(set_image(image, BROKEN)), expected)
}

fn set_image(image: &str, tag: &str) -> Action {
    let edit = Edit::SetImage { image: placed(image.to_owned()), tag: tag.to_owned() };
    let commit = Commit { edits: vec![edit], message: None };
    Action::Push(Push { kind: PushKind::Commit(commit), label: None })
}

fn step(name: &str, action: Option<Action>, expect: Vec<Expectation>) -> Step {
    Step { at: NOWHERE, name: Some(name.to_owned()), action, expect }
}

fn state(app: &App, state: State) -> StateExpectation {
    StateExpectation {
        app: placed(app.name.clone()),
        state,
        within: None,
        after: None,
        hold: None,
        to: None,
        because: None,
    }
}

fn expect(app: &App, word: State, within: Option<Duration>, hold: Option<Duration>) -> Expectation {
    // Everything before the apply comes on top of the health timeout.
    let within = within.or(Some(HEALTH_TIMEOUT + limits::RETRY_MAX));
    let expected = Expected::State(StateExpectation { within, hold, ..state(app, word) });
    Expectation { at: NOWHERE, expected }
}

fn never(app: &App, state: State) -> Expectation {
    let expected = Expected::NeverState { app: placed(app.name.clone()), state };
    Expectation { at: NOWHERE, expected }
}

fn placed(value: String) -> Placed<String> {
    Placed { value, at: NOWHERE }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_or_digest_is_told_from_a_port() {
        for (image, name) in [
            ("nginx", "nginx"),
            ("nginx:1.2", "nginx"),
            ("host:5000/a/b", "host:5000/a/b"),
            ("host:5000/a/b:v1", "host:5000/a/b"),
            ("a/b:v1@sha256:00", "a/b"),
        ] {
            assert_eq!(without_tag(image), name);
        }
    }
}
