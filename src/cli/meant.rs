//! The command line as it is meant: files found and read, defaults filled in, all of it checked.
//!
//! From here on nothing can turn out to be mistyped. Doing it is each subcommand's own file.

use std::net::SocketAddr;
use std::path::PathBuf;

use super::bench::BenchArgs;
use super::chaos::Chaos;
use super::claims::ClaimsArgs;
use super::guard::quoted;
use super::r#try;
use super::typed::{
    ApiserverArgs, AuthorizationWord, ChaosArgs, ClockWord, ClusterArgs, Command, ConformanceArgs,
    DiffArgs, OutputArgs, PodsWord, ProfileWord, RenderArgs, ReportWord, RunArgs, Typed,
    ValidateArgs,
};
use crate::base::Profile;
use crate::lab::backend::{Place, Pods, Terms};
use crate::lab::explore;
use crate::lab::scenario::{self, Problems, Scenario};
use crate::record::Clock;
use crate::serve::Settings;
use crate::sim::rest::Authorization;

/// The seed where neither command line nor scenario gives one.
const SEED: u64 = 1;

/// A command that can be carried out.
#[derive(Debug)]
pub(super) enum Meant {
    Run(Run),
    Try(Run),
    Bench(BenchArgs),
    Claims(Box<ClaimsArgs>),
    Chaos(Box<Chaos>),
    Apiserver(Box<ApiServer>),
    Render(RenderArgs),
    Diff(DiffArgs),
    Validate(ValidateArgs),
    Conformance(ConformanceArgs),
    SchemaScenario,
}

impl Meant {
    /// Whether worlds are simulated, which takes much memory for a short time.
    pub(super) const fn simulates(&self) -> bool {
        matches!(
            self,
            Self::Run(_) | Self::Try(_) | Self::Bench(_) | Self::Claims(_) | Self::Chaos(_)
        )
    }
}

/// An API server to start.
#[derive(Debug)]
pub(super) struct ApiServer {
    pub address: SocketAddr,
    pub data: Option<PathBuf>,
    pub kubeconfig: Option<PathBuf>,
    /// A file of stages.
    pub stages: Option<PathBuf>,
    pub settings: Settings,
}

/// Scenarios to run, and how.
#[derive(Debug)]
pub(super) struct Run {
    pub runs: Vec<Seeded>,
    pub clock: Clock,
    pub place: Place,
    pub terms: Terms,
    /// The profile of all; `None`: each scenario's own.
    pub profile: Option<Profile>,
    /// How many at once, at least one.
    pub jobs: usize,
    pub report: ReportWord,
    pub out: Option<PathBuf>,
}

/// A scenario and its seed.
#[derive(Debug)]
pub(super) struct Seeded {
    pub scenario: Scenario,
    pub seed: u64,
    /// The command that runs it alone.
    pub command: String,
}

impl Meant {
    /// Finds out what is meant.
    ///
    /// # Errors
    /// All that is wrong with the files that are named.
    pub(super) fn from_typed(typed: Typed) -> Result<Meant, Problems> {
        match typed.command {
            Command::Run(args) => run(args).map(Meant::Run),
            Command::Try(args) => {
                let scenario = r#try::scenario(&args.folder, &args.path)?;
                let folder = quoted(&args.folder.to_string_lossy());
                let seed = args.seed;
                let path = match args.path.as_str() {
                    "." => String::new(),
                    path => format!(" --path {}", quoted(path)),
                };
                let command = format!("towtank try {folder}{path} --seed {seed}");
                let runs = vec![Seeded { scenario, seed, command }];
                Ok(Meant::Try(virtual_run(runs, args.output)))
            }
            Command::Bench(args) => Ok(Meant::Bench(args)),
            Command::Claims(args) => Ok(Meant::Claims(Box::new(args))),
            Command::Chaos(args) => Ok(Meant::Chaos(Box::new(chaos(args)?))),
            Command::Apiserver(args) => Ok(Meant::Apiserver(Box::new(apiserver(args)))),
            Command::Render(args) => Ok(Meant::Render(args)),
            Command::Diff(args) => Ok(Meant::Diff(args)),
            Command::Validate(args) => Ok(Meant::Validate(args)),
            Command::Conformance(args) => Ok(Meant::Conformance(args)),
            Command::Schema(_) => Ok(Meant::SchemaScenario),
        }
    }
}

fn chaos(args: ChaosArgs) -> Result<Chaos, Problems> {
    let mut words = String::new();
    let ground = match &args.repo {
        Some(folder) => {
            words = format!(" --repo {}", quoted(&folder.to_string_lossy()));
            if args.path != "." {
                words.push_str(&format!(" --path {}", quoted(&args.path)));
            }
            r#try::ground(folder, &args.path)?
        }
        None => explore::shop(),
    };
    Ok(Chaos {
        ground,
        words,
        first: args.seed,
        seeds: args.seeds,
        jobs: args.jobs.map_or_else(cores, usize::from),
        save: args.save,
        mutants: args.mutants,
    })
}

fn apiserver(args: ApiserverArgs) -> ApiServer {
    let settings = Settings {
        parts: args.controllers.with_nodes(args.nodes),
        profile: profile(args.profile),
        authorization: match args.authorization_mode {
            AuthorizationWord::Rbac => Authorization::Rbac,
            AuthorizationWord::AlwaysAllow => Authorization::AlwaysAllow,
        },
        ..Settings::default()
    };
    let address = SocketAddr::new(args.address, args.port);
    let ApiserverArgs { data_dir: data, kubeconfig, stages, .. } = args;
    ApiServer { address, data, kubeconfig, stages, settings }
}

fn run(args: RunArgs) -> Result<Run, Problems> {
    let profile = args.profile.map(profile);
    let (place, terms) = place(args.cluster)?;
    if args.clock == Some(ClockWord::Virtual) && place != Place::Memory {
        let message = format!("time is real with --cluster {place}");
        let (file, at) = (PathBuf::from("--clock virtual"), None);
        return Err(Problems(vec![scenario::Problem { file, at, message }]));
    }
    let clock = match (args.clock, &place) {
        (Some(ClockWord::Virtual) | None, Place::Memory) => Clock::Virtual,
        (Some(ClockWord::Real), Place::Memory) | (_, _) => Clock::Real,
    };
    let seeded = |scenario: Scenario| {
        let seed = args.seed.or(scenario.seed).unwrap_or(SEED);
        let file = quoted(&scenario.file.to_string_lossy());
        let mut command = format!("towtank run {file} --seed {seed}");
        if let Some(profile) = &profile {
            command.push_str(&format!(" --profile {}", profile.name));
        }
        match &place {
            Place::Memory if clock == Clock::Real => command.push_str(" --clock real"),
            Place::Memory => {}
            place => command.push_str(&format!(" --cluster {}", quoted(&place.to_string()))),
        }
        Seeded { scenario, seed, command }
    };
    let runs = scenario::load_all(&args.paths)?.into_iter().map(seeded).collect();
    // What share a cluster share its namespaces: one after the other.
    let jobs = match (place.is_shared(), args.jobs) {
        (true, _) => 1,
        (false, Some(jobs)) => jobs.into(),
        // In real time a run does little but wait.
        (false, None) if clock == Clock::Real => 4 * cores(),
        (false, None) => cores(),
    };
    Ok(Run { clock, place, terms, profile, jobs, ..virtual_run(runs, args.output) })
}

fn virtual_run(runs: Vec<Seeded>, output: OutputArgs) -> Run {
    let OutputArgs { report, out } = output;
    let (place, terms) = (Place::Memory, Terms::default());
    Run { runs, clock: Clock::Virtual, place, terms, profile: None, jobs: 1, report, out }
}

/// Where to run, and on which terms.
///
/// # Errors
/// A flag that means nothing there.
pub(super) fn place(args: ClusterArgs) -> Result<(Place, Terms), Problems> {
    meaningless(&args)?;
    let ClusterArgs { cluster, yes_on, pods, keep, k8s_version, nodes } = args;
    let pods = pods.map(|pods| match pods {
        PodsWord::Real => Pods::Real,
        PodsWord::Played => Pods::Played,
    });
    let terms = Terms { yes_on, keep, version: k8s_version, nodes, pods, ..Terms::default() };
    Ok((cluster, terms))
}

/// Refuses flags that would be ignored: whoever typed one counts on it.
fn meaningless(args: &ClusterArgs) -> Result<(), Problems> {
    let is_made = matches!(args.cluster, Place::Kind { .. } | Place::K3d { .. });
    let is_named = matches!(args.cluster, Place::Kubeconfig { .. });
    let (kubeconfig, made) = ("--cluster kubeconfig", "--cluster kind and k3d");
    let both = "--cluster kubeconfig, kind and k3d";
    let flags = [
        ("--k8s-version", args.k8s_version.is_some(), is_made, made),
        ("--nodes", args.nodes.is_some(), is_made, made),
        ("--yes-on", !args.yes_on.is_empty(), is_named, kubeconfig),
        ("--pods", args.pods.is_some(), is_made || is_named, both),
        ("--keep", args.keep, is_made || is_named, both),
    ];
    let wrong = flags.into_iter().filter(|(_, is_typed, is_right, _)| *is_typed && !is_right);
    let problems = wrong.map(|(flag, _, _, of)| {
        let message = format!("is for {of}, not for --cluster {}", args.cluster);
        scenario::Problem { file: PathBuf::from(flag), at: None, message }
    });
    let problems: Vec<scenario::Problem> = problems.collect();
    if problems.is_empty() { Ok(()) } else { Err(Problems(problems)) }
}

pub(super) const fn profile(word: ProfileWord) -> Profile {
    match word {
        ProfileWord::Instant => Profile::instant(),
        ProfileWord::Warm => Profile::warm(),
        ProfileWord::Cold => Profile::cold(),
    }
}

/// Processors that the process may use.
pub(super) fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}
