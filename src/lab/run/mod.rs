//! Runs one scenario: the loop in which everything happens, with its one queue.
//!
//! `Run` owns the cluster, the repository and the engine, and moves between them what is due:
//! requests, answers, watch events, fetches, notices. Steps are done by `actions`, judged by
//! `lab::check`; the engine's wishes that are not requests are granted by `shell`.
//!
//! The run begins with the repository's newest commit being pushed. If the first step has an
//! action, it starts when the Apps have come to rest on that commit; a first step without action
//! is that deploy itself. Every further step starts when the one before is decided.

mod actions;
mod asked;
mod counts;
mod drift;
mod fault;
mod nodes;
mod remotes;
mod shell;
mod staged;
mod steps;
mod wire;
mod within;

pub(in crate::lab) use actions::named;
pub use counts::Counts;
pub(in crate::lab) use within::Within;

use std::sync::Arc;
use std::sync::mpsc::Receiver;
use std::time::Duration;

use crate::base::{Clock, Event, Profile, Queue, Rng, Time, limits};
use crate::engine::model::App;
use crate::engine::{self, Engine};
use crate::lab::backend::{Cluster, Heard, Interrupt, Repository, Site, SiteError};
use crate::lab::check::{Checks, Kept, footprint, oracles};
use crate::lab::scenario::model::{ImageRule, Push, Repo, Scenario};
use crate::lab::world::git::{GitError, GitWorld};
use crate::record::{self, Ending, Heading, Recorder, RunRecord};
use crate::sim::faults::Faults;
use crate::sim::world::{FIRST_FOREIGN, Signal, What, World};

/// How to run.
#[derive(Clone, Debug)]
pub struct Options {
    /// What everything random follows from.
    pub seed: u64,
    /// Whose time.
    pub clock: record::Clock,
    /// The latency profile; the scenario's own where there is none.
    pub profile: Option<Profile>,
    /// Where, if not in memory; there time is always real.
    pub site: Option<Arc<Site>>,
}

impl Default for Options {
    /// In memory and virtual time, from seed 1, with the scenario's own profile.
    fn default() -> Self {
        Self { seed: 1, clock: record::Clock::Virtual, profile: None, site: None }
    }
}

/// What a run comes to.
#[derive(Debug)]
pub struct Finished {
    /// Figures and verdict.
    pub record: RunRecord,
    /// The events, one a line: `raw.jsonl`.
    pub raw: String,
    /// What was done.
    pub counts: Counts,
}

/// Why a scenario could not be run at all: bad input, nothing was done.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The repository cannot be read.
    #[error("{file}: the repository cannot be read: {source}")]
    Repository {
        /// The scenario's file, with line and column where it names the repository.
        file: String,
        /// Why.
        #[source]
        source: GitError,
    },
    /// The file of stages cannot be read.
    #[error("{file}:{at}: {message}")]
    Stages {
        /// The scenario's file.
        file: String,
        /// Line and column where it names the stages.
        at: String,
        /// What is wrong.
        message: String,
    },
    /// A step cannot be done: a file, image, commit or object that it names is not there.
    #[error("{file}:{at}: {message}")]
    Step {
        /// The scenario's file.
        file: String,
        /// Line and column of the step.
        at: String,
        /// What is missing.
        message: String,
    },
    /// The place that it was to be run in does not allow it.
    #[error("{file}: {source}")]
    Site {
        /// The scenario's file.
        file: String,
        /// Why.
        #[source]
        source: SiteError,
    },
}

impl RunError {
    /// This, and what is left behind after it.
    fn and(self, then: Self) -> Self {
        match (self, then) {
            (Self::Site { file, source }, Self::Site { source: left, .. }) => {
                Self::Site { file, source: source.and(left) }
            }
            // A mistake in a step; what is left behind weighs more.
            (_, left) => left,
        }
    }
}

/// What is due at some time.
#[derive(Debug)]
enum Item {
    /// Something in or from the cluster.
    Signal(Signal),
    /// A push notice reaches the engine of this round.
    Notice { round: u32 },
    /// A fetch of the engine of this round ends.
    Fetch { round: u32, commit: Option<engine::model::GitId> },
    /// A revert that the engine of this round asked for is pushed.
    Revert { round: u32, app: String, commit: engine::model::GitId },
    /// A pipeline's build that began then ends.
    Built { push: Box<Push>, started: Time },
    /// Time to look at the expectations.
    Look,
    /// An eviction that was refused is tried again.
    Evict { namespace: String, pod: String },
}

/// One run under way.
pub(in crate::lab) struct Run<'a> {
    scenario: &'a Scenario,
    profile: Profile,
    now: Time,
    clock: Clock,
    queue: Queue<Item>,
    rng: Rng,
    cluster: Cluster,
    repo: Repository,
    trees: engine::source::Trees,
    remotes: engine::render::kustomize::Remotes,
    engine: Option<Engine>,
    /// Counts engines: the client number of each, so that what was meant for an earlier one is
    /// known as lost.
    round: u32,
    /// Foreign writes that the cluster has not answered.
    drifts_under_way: usize,
    /// Whether a pipeline builds.
    is_building: bool,
    /// When the build began that what is pushed now came of.
    built_from: Option<Time>,
    /// What came of the push of a build that has just ended.
    built: Option<Result<(), String>>,
    /// Why one that had to be taken was refused.
    refused: Option<String>,
    /// What goes wrong yet between the engine and the cluster.
    faults: Faults,
    /// What others wrote.
    kept: Kept,
    within: &'a mut Within,
    /// Ends the engine after so many more writes.
    writes_left: Option<u32>,
    recorder: Recorder,
    checks: Checks,
    counts: Counts,
    /// When the engine last wanted or heard something that matters.
    active_at: Time,
    labels: std::collections::BTreeMap<String, String>,
    error: Option<RunError>,
    /// What is heard from outside, where something is.
    outside: Option<Outside>,
    /// Push notices that are on their way to the engine.
    notices_due: usize,
    /// Notes and reverts that are on their way to the Git server.
    errands_due: usize,
    /// The newest commit, while the Git server has not said it.
    unheard: Option<String>,
    /// The commit that the Git server said last.
    heard_of: Option<String>,
    /// Reverts that the engine is pushing; what the Git server says meanwhile waits for them.
    reverts_due: usize,
    held_notice: Option<String>,
}

/// The way to a cluster and a repository that are not in this thread.
struct Outside {
    heard: Receiver<Heard>,
    interrupt: Interrupt,
    /// Whether what the run made stays.
    keep: bool,
    /// Holds what runs for this run alone.
    _alive: Box<dyn std::any::Any>,
}

/// The client number of the scenario's foreign writer.
const SCRIPT: u32 = FIRST_FOREIGN;

/// Runs a scenario to its end.
///
/// # Errors
/// [`RunError`]: the repository or a step is not as the scenario says. What a run *finds* is in
/// the record, never an error.
pub fn run(scenario: &Scenario, options: &Options) -> Result<Finished, RunError> {
    run_within(scenario, options, &mut Within::default())
}

/// The same, with what the lab asks besides.
///
/// # Errors
/// As [`run`].
pub(in crate::lab) fn run_within(
    scenario: &Scenario,
    options: &Options,
    within: &mut Within,
) -> Result<Finished, RunError> {
    if let Some(lacking) = options.site.as_ref().and_then(|site| site.lacking(scenario)) {
        return Ok(skipped(scenario, options, &lacking));
    }
    let clock = match options.clock {
        record::Clock::Virtual if options.site.is_none() => Clock::Virtual,
        _ => Clock::real(),
    };
    let mut run = Run::new(scenario, options, within, clock)?;
    run.begin();
    let ending = run.play(&clock);
    let result = match run.error.take() {
        Some(error) => Err(run.or_interrupted(error)),
        None => Ok(run.finish(ending)),
    };
    // Whatever came of it: what the run made goes.
    match (result, run.leave(&clock)) {
        (Ok(finished), Ok(())) => Ok(finished),
        (Ok(_), Err(left)) => Err(left),
        (Err(error), Ok(())) => Err(error),
        (Err(error), Err(left)) => Err(error.and(left)),
    }
}

/// What a run comes to that cannot take place here.
fn skipped(scenario: &Scenario, options: &Options, lacking: &str) -> Finished {
    let place = options.site.as_ref().map_or_else(String::new, |site| site.place().to_string());
    let profile = options.profile.as_ref().unwrap_or(&scenario.world.profile);
    let why = format!("{place} does not give {lacking}");
    let record = RunRecord::skipped(heading(scenario, options, profile), &why);
    Finished { record, raw: String::new(), counts: Counts::default() }
}

/// What is known of a run beforehand.
fn heading(scenario: &Scenario, options: &Options, profile: &Profile) -> Heading {
    Heading {
        name: scenario.name.value.clone(),
        description: scenario.description.clone(),
        file: scenario.file.display().to_string(),
        command: String::new(),
        seed: options.seed,
        profile: profile.name.to_owned(),
        clock: if options.site.is_some() { record::Clock::Real } else { options.clock },
    }
}

impl<'a> Run<'a> {
    fn new(
        scenario: &'a Scenario,
        options: &Options,
        within: &'a mut Within,
        clock: Clock,
    ) -> Result<Self, RunError> {
        let now = clock.start();
        let seed = Rng::new(options.seed);
        let profile = options.profile.clone().unwrap_or_else(|| scenario.world.profile.clone());
        let git = open(scenario, now).map_err(|source| RunError::Repository {
            file: match &scenario.repo {
                Repo::Folder { written, .. } => {
                    format!("{}:{}", scenario.file.display(), written.at)
                }
                Repo::Files(_) => scenario.file.display().to_string(),
            },
            source,
        })?;
        let remotes = remotes::read(scenario, now)?;
        let heading = heading(scenario, options, &profile);
        let mut stages = actions::stages(&scenario.foreign);
        let (of_objects, of_containers) = staged::given(scenario)?;
        stages.extend(of_objects);
        let (cluster, repo, outside) = match &options.site {
            None => {
                let images = ImageRule::all(&scenario.images).with_stages(of_containers);
                let nodes = scenario.world.nodes as usize;
                let world = World::with_stages(&seed, &profile, nodes, images, stages, now);
                let cluster = Cluster::Memory(Box::new(world));
                (cluster, Repository::Memory(Box::new(git)), None)
            }
            Some(site) => {
                let staged = (stages, of_containers);
                wire::open(site, scenario, options.seed, &profile, git, staged)?
            }
        };
        let mut run = Self {
            scenario,
            now,
            clock,
            queue: Queue::new(Some(seed.fork("order"))),
            rng: seed.fork("lab"),
            cluster,
            repo,
            trees: engine::source::Trees::new(),
            remotes,
            engine: None,
            round: 0,
            drifts_under_way: 0,
            is_building: false,
            built_from: None,
            built: None,
            refused: None,
            faults: Faults::with_bug(within.bug),
            kept: Kept::default(),
            within,
            writes_left: None,
            recorder: Recorder::new(heading, now),
            checks: Checks::new(now),
            counts: Counts::default(),
            active_at: now,
            labels: std::collections::BTreeMap::new(),
            error: None,
            outside,
            notices_due: 0,
            errands_due: 0,
            unheard: None,
            heard_of: None,
            reverts_due: 0,
            held_notice: None,
            profile,
        };
        run.measure(&scenario.metrics);
        Ok(run)
    }

    fn apps(&self) -> Vec<App> {
        self.scenario.apps.iter().map(|given| given.app.clone()).collect()
    }

    /// Starts the world and the engine; the commit that is there counts as pushed now.
    fn begin(&mut self) {
        let apps = self.scenario.apps.iter().map(|given| given.app.namespace.as_str());
        for namespace in apps.collect::<std::collections::BTreeSet<_>>() {
            self.cluster.ensure_namespace(self.now, namespace);
        }
        let out = self.cluster.start(self.now);
        self.take_world(out);
        self.watch_what_is_named();
        let commit = self.repo.head().to_string();
        let summary = "first deploy".to_owned();
        self.event(Event::PushIntended { commit: commit.clone(), summary });
        self.event(Event::Pushed { commit });
        self.start_engine();
    }

    /// The loop. Ends when all steps are done and the oracles have seen the end, or when it takes
    /// too long.
    fn play(&mut self, clock: &Clock) -> Ending {
        let mut steps = steps::Steps::new(self);
        for _ in 0..limits::RUN_EVENTS {
            if let Some(ending) = steps.turn(self) {
                return ending;
            }
            if self.error.is_some() {
                return Ending::Done;
            }
            if self.outside.is_some() {
                self.wait_and_take(clock);
                continue;
            }
            let Some((due, item)) = self.queue.pop() else {
                // Nothing is under way at all: only time can decide what is open.
                self.now = clock.wait_until(self.now + Duration::from_secs(1));
                self.checks.at_time(self.now);
                continue;
            };
            self.now = clock.wait_until(due).max(self.now);
            self.take(item);
        }
        Ending::NotConverged { why: "the run's bound of steps is used up".to_owned() }
    }

    fn take(&mut self, item: Item) {
        match item {
            Item::Signal(signal) => self.take_signal(signal),
            Item::Notice { round } => {
                self.notices_due = self.notices_due.saturating_sub(1);
                if round == self.round {
                    self.step_engine(engine::Input::Pushed);
                }
            }
            Item::Fetch { round, commit } if round == self.round => self.fetch(commit),
            Item::Revert { round, app, commit } if round == self.round => {
                self.push_revert(app, commit);
            }
            Item::Fetch { .. } | Item::Revert { .. } => {}
            Item::Built { push, started } => {
                self.built = Some(self.end_build(&push, started));
            }
            Item::Look => self.checks.at_time(self.now),
            Item::Evict { namespace, pod } => self.evict(&namespace, &pod),
        }
    }

    fn take_signal(&mut self, signal: Signal) {
        let to_world =
            matches!(signal.what, What::Arrive { .. }) || World::is_inside(signal.client);
        if to_world {
            return self.step_world(signal);
        }
        if signal.client == self.engine_client()
            && let What::Hear(input) = signal.what
        {
            self.step_engine(engine::Input::Api(input));
        }
    }

    fn take_world(&mut self, out: crate::sim::world::Outbox) {
        for (at, signal) in out.later {
            self.queue.push(at, Item::Signal(signal));
        }
        if let Some(handled) = out.handled {
            self.handled(&handled);
        }
    }

    /// Real time goes on while something is waited for; virtual time does not.
    fn tell_time(&mut self) {
        if let Clock::Real { .. } = self.clock {
            self.now = self.clock.now().max(self.now);
        }
    }

    /// Records an event and lets the checks see it.
    fn event(&mut self, event: Event) {
        self.counts.count(&event);
        self.checks.on_event(self.now, &event);
        self.arm_deadlines();
        self.recorder.add(self.now, event);
    }

    /// Asks for a look at the expectations at `at`.
    fn look_at(&mut self, at: Time) {
        self.queue.push(at, Item::Look);
    }

    fn finish(&mut self, ending: Ending) -> Finished {
        if ending == Ending::Done {
            for (oracle, detail) in oracles::at_end(self) {
                self.event(Event::OracleFailed { oracle: oracle.to_owned(), detail });
            }
        }
        if self.within.is_reference && ending == Ending::Done {
            self.within.footprint = Some(footprint(self));
        }
        let record = self.recorder.finish(self.now, ending);
        let raw = if self.within.without_raw { String::new() } else { self.recorder.raw_jsonl() };
        Finished { record, raw, counts: self.counts }
    }
}

fn open(scenario: &Scenario, now: Time) -> Result<GitWorld, GitError> {
    match &scenario.repo {
        Repo::Folder { path, .. } => GitWorld::from_path(path, now),
        Repo::Files(files) => {
            let bytes =
                |(path, text): (&String, &String)| (path.clone(), text.clone().into_bytes());
            GitWorld::from_files(&files.iter().map(bytes).collect(), now)
        }
    }
}
