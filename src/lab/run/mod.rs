//! Runs one scenario: the loop in which everything happens, with its one queue.
//!
//! `Run` owns the world, the repository and the engine, and moves between them what is due:
//! requests, answers, watch events, fetches, notices. Steps are done by `actions`, judged by
//! `lab::check`; the engine's wishes that are not requests are granted by `shell`.
//!
//! The run begins with the repository's newest commit being pushed. If the first step has an
//! action, it starts when the Apps have come to rest on that commit; a first step without action
//! is that deploy itself. Every further step starts when the one before is decided.

mod actions;
mod drift;
mod shell;
mod steps;

pub(in crate::lab) use actions::named;

use std::time::Duration;

use crate::base::{Clock, Event, Profile, Queue, Rng, Time, limits};
use crate::engine::model::App;
use crate::engine::{self, Engine};
use crate::lab::check::{Checks, oracles};
use crate::lab::scenario::model::{Repo, Scenario};
use crate::lab::world::git::{GitError, GitWorld};
use crate::record::{self, Ending, Heading, Recorder, RunRecord};
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
}

/// What a run comes to.
#[derive(Debug)]
pub struct Finished {
    /// Figures and verdict.
    pub record: RunRecord,
    /// The events, one a line: `raw.jsonl`.
    pub raw: String,
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
    /// Time to look at the expectations.
    Look,
}

/// One run under way.
pub(in crate::lab) struct Run<'a> {
    scenario: &'a Scenario,
    profile: Profile,
    now: Time,
    queue: Queue<Item>,
    rng: Rng,
    world: World,
    git: GitWorld,
    trees: engine::source::Trees,
    engine: Option<Engine>,
    /// Counts engines: the client number of each, so that what was meant for an earlier one is
    /// known as lost.
    round: u32,
    /// Foreign writes that the cluster has not answered.
    drifts_under_way: usize,
    /// Ends the engine after so many more writes.
    writes_left: Option<u32>,
    recorder: Recorder,
    checks: Checks,
    /// When the engine last wanted or heard something that matters.
    active_at: Time,
    labels: std::collections::BTreeMap<String, String>,
    error: Option<RunError>,
}

/// The client number of the scenario's foreign writer.
const SCRIPT: u32 = FIRST_FOREIGN;

/// Runs a scenario to its end.
///
/// # Errors
/// [`RunError`]: the repository or a step is not as the scenario says. What a run *finds* is in
/// the record, never an error.
pub fn run(scenario: &Scenario, options: &Options) -> Result<Finished, RunError> {
    let clock = match options.clock {
        record::Clock::Virtual => Clock::Virtual,
        record::Clock::Real => Clock::real(),
    };
    let mut run = Run::new(scenario, options, clock.start())?;
    run.begin();
    let ending = run.play(&clock);
    match run.error.take() {
        Some(error) => Err(error),
        None => Ok(run.finish(ending)),
    }
}

impl<'a> Run<'a> {
    fn new(scenario: &'a Scenario, options: &Options, now: Time) -> Result<Self, RunError> {
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
        let images = actions::images(&scenario.images);
        let nodes = scenario.world.nodes as usize;
        let heading = Heading {
            name: scenario.name.value.clone(),
            description: scenario.description.clone(),
            file: scenario.file.display().to_string(),
            command: String::new(),
            seed: options.seed,
            profile: profile.name.to_owned(),
            clock: options.clock,
        };
        Ok(Self {
            scenario,
            now,
            queue: Queue::new(Some(seed.fork("order"))),
            rng: seed.fork("lab"),
            world: World::new(&seed, &profile, nodes, images, now),
            git,
            trees: engine::source::Trees::new(),
            engine: None,
            round: 0,
            drifts_under_way: 0,
            writes_left: None,
            recorder: Recorder::new(heading, now),
            checks: Checks::new(now),
            active_at: now,
            labels: std::collections::BTreeMap::new(),
            error: None,
            profile,
        })
    }

    fn apps(&self) -> Vec<App> {
        self.scenario.apps.iter().map(|given| given.app.clone()).collect()
    }

    /// Starts the world and the engine; the commit that is there counts as pushed now.
    fn begin(&mut self) {
        for app in self.apps() {
            self.world.ensure_namespace(self.now, &app.namespace);
        }
        let out = self.world.start(self.now);
        self.take_world(out);
        let commit = self.git.head().to_string();
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
            Item::Notice { round } if round == self.round => {
                self.step_engine(engine::Input::Pushed);
            }
            Item::Fetch { round, commit } if round == self.round => self.fetch(commit),
            Item::Revert { round, app, commit } if round == self.round => {
                self.push_revert(app, commit);
            }
            Item::Notice { .. } | Item::Fetch { .. } | Item::Revert { .. } => {}
            Item::Look => self.checks.at_time(self.now),
        }
    }

    fn take_signal(&mut self, signal: Signal) {
        let to_world =
            matches!(signal.what, What::Arrive { .. }) || World::is_inside(signal.client);
        if to_world {
            let out = self.world.step(self.now, signal);
            return self.take_world(out);
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

    /// Records an event and lets the checks see it.
    fn event(&mut self, event: Event) {
        self.checks.on_event(self.now, &event);
        self.arm_deadlines();
        self.recorder.add(self.now, event);
    }

    /// Asks for a look at the expectations at `at`.
    fn look_at(&mut self, at: Time) {
        self.queue.push(at, Item::Look);
    }

    fn finish(mut self, ending: Ending) -> Finished {
        if ending == Ending::Done {
            for (oracle, detail) in oracles::at_end(&mut self) {
                self.event(Event::OracleFailed { oracle: oracle.to_owned(), detail });
            }
        }
        let record = self.recorder.finish(self.now, ending);
        Finished { record, raw: self.recorder.raw_jsonl() }
    }

    /// The cluster, for checks.
    pub(in crate::lab) fn world(&self) -> &World {
        &self.world
    }

    /// The scenario, for checks.
    pub(in crate::lab) fn scenario(&self) -> &Scenario {
        self.scenario
    }

    /// What is known so far of the Apps, for checks.
    pub(in crate::lab) fn checks(&self) -> &Checks {
        &self.checks
    }

    /// The newest commit, for checks.
    pub(in crate::lab) fn head(&self) -> String {
        self.git.head().to_string()
    }

    /// Whether an engine runs, for checks.
    pub(in crate::lab) fn has_engine(&self) -> bool {
        self.engine.is_some()
    }

    /// A commit's tree, for checks.
    pub(in crate::lab) fn artifact(&mut self, commit: &str) -> Option<engine::model::Artifact> {
        let commit = engine::model::GitId::from(commit);
        self.trees.artifact(self.git.objects(), &commit).ok()
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
