//! The command line as it is typed. What is meant by it, and whether it can be, is `meant`.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use super::bench::BenchArgs;
use super::claims::ClaimsArgs;
use crate::base::nearest;
use crate::lab::backend::Place;
use crate::sim::controllers::{Controller, Settings};
use crate::sim::world::Parts;

/// Tries GitOps before it meets production
///
/// Runs a full reconcile engine against an in-memory Kubernetes API server, replays scripted
/// commits, drift and failed health checks in virtual time, and measures push to ready, phase by
/// phase.
#[derive(Debug, Parser)]
#[command(name = "towtank", version, after_help = EXIT_CODES)]
pub(super) struct Typed {
    #[command(subcommand)]
    pub command: Command,
}

const EXIT_CODES: &str = "\
Exit codes:
  0   all is as expected
  1   an expectation or a safety oracle failed
  2   bad input: the command line, a scenario, a repository
  3   a threshold was exceeded
  4   the environment did not allow it, such as a file that cannot be written
  5   a run did not come to rest in its bound
  70  a bug in towtank";

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Run scenarios and judge them
    ///
    /// A folder stands for every scenario.yaml and *.scenario.yaml in it and below. All of them
    /// are read and checked before the first one runs.
    Run(RunArgs),
    /// Deploy a folder once, without a scenario
    ///
    /// Takes a folder of manifests, a kustomization or a Git repository, deploys it to an empty
    /// simulated cluster and tells whether and when it becomes ready.
    Try(TryArgs),
    /// Measure push to ready under load, compare such runs, hold one against a baseline
    Bench(BenchArgs),
    /// Measure what is said for GitOps, claim by claim
    ///
    /// Each claim is measured by scenarios on a repository as guides lay it out, which is part of
    /// this program. In virtual time the figures follow from the profile and are called modelled.
    Claims(ClaimsArgs),
    /// Look for what goes wrong: pushes, drifts and faults in an order that seeds make up
    ///
    /// Each seed makes up a run of about thirty steps: commits, writes of others, answers of the
    /// API that fail, ends of the engine. Then the faults stop, and every App has to become as it
    /// would be had nothing happened. What is found is shortened to a scenario that towtank run
    /// shows again.
    Chaos(ChaosArgs),
    /// Serve a Kubernetes API with a simulated cluster behind it
    ///
    /// Starts in milliseconds, writes a kubeconfig, and serves until it is stopped. Clients find
    /// what a kube-apiserver 1.36 gives them; controllers, a scheduler and nodes are simulated.
    Apiserver(ApiserverArgs),
    /// Print what a kustomization comes to, as kustomize build does
    ///
    /// Programs and containers that a kustomization names are not run. What it names by URL is
    /// fetched into a cache, a commit or tag once, unless it is mapped to a folder.
    Render(RenderArgs),
    /// Tell how two commits of a repository differ, object by object
    ///
    /// Renders both. Without --path, every kustomization that no other one is based on is
    /// rendered, and every folder of manifests. What Secrets hold is masked.
    Diff(DiffArgs),
    /// Check every manifest of a repository against the schemas of Kubernetes
    ///
    /// Renders every kustomization that no other one is based on, and reads every folder of
    /// manifests. Each object is held against the kinds of Kubernetes 1.36 and the
    /// CustomResourceDefinitions found in the repository, as a server does that is asked to be
    /// strict: unknown fields, wrong types, missing fields, values that it would refuse.
    Validate(ValidateArgs),
    /// Hold an API server against recorded answers of a real one
    ///
    /// Sends the recorded requests, a file of them after the other, and prints for each whether
    /// the answers agree: status code, reason, message, warnings, body and managed fields. Ends
    /// with 1 where an answer differs that is not known to differ.
    Conformance(ConformanceArgs),
    /// Print the schema of a file format
    Schema(SchemaArgs),
}

#[derive(Debug, Args)]
pub(super) struct ConformanceArgs {
    /// The server to ask, one without controllers that nothing was written to yet [default: a new
    /// one of towtank's own for each file]
    #[arg(long, value_name = "KUBECONFIG")]
    pub against: Option<PathBuf>,
    /// The folder with the records of each part
    #[arg(long, value_name = "DIR", default_value = "tests/baseline")]
    pub records: PathBuf,
    /// Which parts are asked about; those besides kinds want a new server for each file
    #[arg(long, value_name = "PART", default_value = "kinds")]
    pub part: Vec<String>,
    /// Only files whose names begin so
    #[arg(long, value_name = "NAME")]
    pub only: Vec<String>,
    /// Print differences that are known, too
    #[arg(long)]
    pub known: bool,
}

#[derive(Debug, Args)]
pub(super) struct RunArgs {
    /// Scenario files, and folders of them
    #[arg(required = true, value_name = "FILE|DIR")]
    pub paths: Vec<PathBuf>,
    /// Whose time: virtual jumps to what is due next, real waits for it [default: virtual in
    /// memory, real elsewhere]
    #[arg(long, value_enum, value_name = "CLOCK")]
    pub clock: Option<ClockWord>,
    #[command(flatten)]
    pub cluster: ClusterArgs,
    /// What everything random follows from [default: the scenario's own, else 1]
    #[arg(long, value_name = "N", value_parser = seed, allow_hyphen_values = true)]
    pub seed: Option<u64>,
    /// How long the world's own doings take [default: the scenario's own, else warm]
    #[arg(long, value_enum, value_name = "PROFILE")]
    pub profile: Option<ProfileWord>,
    /// How many scenarios run at once [default: one a core, in real time four; always one on a
    /// cluster that they share]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub jobs: Option<u16>,
    #[command(flatten)]
    pub output: OutputArgs,
}

#[derive(Clone, Debug, Args)]
pub(super) struct ClusterArgs {
    /// Where to run: memory, apiserver (our own over HTTPS), kubeconfig[:CONTEXT], kind[:NAME],
    /// k3d[:NAME], or envtest (etcd and kube-apiserver of KUBEBUILDER_ASSETS)
    #[arg(long, value_name = "WHERE", default_value = "memory")]
    pub cluster: Place,
    /// Allow a run in this context of the kubeconfig, which is not kind, k3d or on this machine
    #[arg(long, value_name = "CONTEXT")]
    pub yes_on: Vec<String>,
    /// Who runs pods: the cluster's own nodes (real images), or nodes that towtank plays, with
    /// images as scripted [default: real with a kubeconfig whose context is not kind's or k3d's,
    /// else played]
    #[arg(long, value_enum, value_name = "WHO")]
    pub pods: Option<PodsWord>,
    /// Leave what the run made in the cluster, and a cluster that was made for it
    #[arg(long)]
    pub keep: bool,
    /// The Kubernetes version of a kind or k3d cluster that is made for this, such as v1.36.3
    #[arg(long, value_name = "VERSION")]
    pub k8s_version: Option<String>,
    /// How many nodes a kind or k3d cluster has that is made for this
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=50))]
    pub nodes: Option<u16>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum PodsWord {
    /// The cluster's own nodes
    Real,
    /// Nodes that towtank plays
    Played,
}

#[derive(Debug, Args)]
pub(super) struct TryArgs {
    /// The folder; with its history if it is itself a Git repository
    #[arg(value_name = "DIR")]
    pub folder: PathBuf,
    /// What to deploy in it
    #[arg(long, value_name = "PATH", default_value = ".")]
    pub path: String,
    /// What everything random follows from
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = seed)]
    #[arg(allow_hyphen_values = true)]
    pub seed: u64,
    #[command(flatten)]
    pub output: OutputArgs,
}

#[derive(Debug, Args)]
pub(super) struct ChaosArgs {
    /// A folder to deploy, as towtank try does [default: a small shop]
    #[arg(long, value_name = "DIR")]
    pub repo: Option<PathBuf>,
    /// What to deploy in it
    #[arg(long, value_name = "PATH", default_value = ".", requires = "repo")]
    pub path: String,
    /// How many runs
    #[arg(long, value_name = "N", default_value_t = 100)]
    #[arg(value_parser = clap::value_parser!(u64).range(1..=10_000_000))]
    pub seeds: u64,
    /// The seed of the first run; the next ones follow
    #[arg(long, value_name = "S", default_value_t = 1, value_parser = seed)]
    #[arg(allow_hyphen_values = true)]
    pub seed: u64,
    /// How many runs at once [default: one a core]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub jobs: Option<u16>,
    /// Write the scenario of each finding to DIR
    #[arg(long, value_name = "DIR")]
    pub save: Option<PathBuf>,
    /// Hunt bugs that are made on purpose, to see how many runs each takes
    #[arg(long, hide = true)]
    pub mutants: bool,
}

#[derive(Debug, Args)]
pub(super) struct OutputArgs {
    /// What is printed
    #[arg(long, value_enum, value_name = "FORMAT", default_value = "terminal")]
    pub report: ReportWord,
    /// Keep raw.jsonl, record.json and environment.json in DIR/<scenario>/
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(super) struct ApiserverArgs {
    /// The port to serve on; 0 takes any that is free
    #[arg(long, value_name = "P", default_value_t = 0)]
    pub port: u16,
    /// The address to serve on
    #[arg(long, value_name = "IP", default_value = "127.0.0.1")]
    pub address: std::net::IpAddr,
    /// Keep the state, certificates, kubeconfig and token here [default: memory, and a folder that
    /// is removed at the end]
    #[arg(long, value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
    /// Write the kubeconfig here too
    #[arg(long, value_name = "FILE")]
    pub kubeconfig: Option<PathBuf>,
    /// What runs besides the API server: all, none, or some of manager, scheduler, nodes and stages;
    /// for some of the manager's controllers their names, such as deployment-controller
    #[arg(long, value_name = "all|none|LIST", default_value = "all", value_parser = controllers)]
    pub controllers: ControllersWord,
    /// How many nodes there are, whatever else runs [default: 3, or none where `--controllers`
    /// leaves nodes out]
    #[arg(long, value_name = "N")]
    pub nodes: Option<usize>,
    /// What becomes of custom resources whose controllers are not there, of other objects, and of
    /// containers: a file of stages, before those that are built in [default: these alone, or none
    /// where `--controllers` leaves stages out]
    #[arg(long, value_name = "FILE")]
    pub stages: Option<PathBuf>,
    /// How long the cluster's own doings take
    #[arg(long, value_enum, value_name = "PROFILE", default_value = "instant")]
    pub profile: ProfileWord,
    /// Who may do what
    #[arg(long, value_enum, value_name = "MODE", default_value = "RBAC")]
    pub authorization_mode: AuthorizationWord,
}

/// What `--controllers` names.
#[derive(Clone, Debug, Default)]
pub(super) struct ControllersWord {
    manager: Option<Settings>,
    scheduler: bool,
    nodes: bool,
    stages: bool,
}

impl ControllersWord {
    /// The parts of a cluster: with so many nodes, or as many as usual if it has nodes.
    pub(super) fn with_nodes(self, nodes: Option<usize>) -> Parts {
        let nodes = nodes.unwrap_or(if self.nodes { crate::serve::NODES } else { 0 });
        let stages = self.stages.then(Vec::new);
        Parts { controllers: self.manager, scheduler: self.scheduler, nodes, stages }
    }
}

/// Reads what `--controllers` names.
pub(super) fn controllers(text: &str) -> Result<ControllersWord, String> {
    let mut word = ControllersWord::default();
    match text {
        "none" => return Ok(word),
        "all" => {
            let manager = Some(Settings::default());
            return Ok(ControllersWord { manager, scheduler: true, nodes: true, stages: true });
        }
        _ => {}
    }
    let mut named = Vec::new();
    for part in text.split(',').map(str::trim) {
        match part {
            "manager" => named.push("*"),
            "scheduler" => word.scheduler = true,
            "nodes" => word.nodes = true,
            "stages" => word.stages = true,
            name => named.push(name),
        }
    }
    if !named.is_empty() {
        let settings = Settings::default().only(named).map_err(|name| {
            let known = Controller::ALL.map(Controller::name);
            let words = ["all", "none", "manager", "scheduler", "nodes", "stages"];
            let near = nearest(name, words.into_iter().chain(known));
            let near = near.map_or_else(String::new, |near| format!(" (did you mean {near}?)"));
            format!("{name:?} is not all, none, or some of manager, scheduler, nodes, stages and controllers' names{near}")
        })?;
        word.manager = Some(settings);
    }
    Ok(word)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum AuthorizationWord {
    /// What roles and bindings say
    #[value(name = "RBAC")]
    Rbac,
    /// Everybody everything
    #[value(name = "AlwaysAllow")]
    AlwaysAllow,
}

#[derive(Debug, Args)]
pub(super) struct RenderArgs {
    /// The folder with the kustomization
    #[arg(value_name = "DIR", default_value = ".")]
    pub folder: PathBuf,
    /// The order of the objects, where the kustomization has no say on it
    /// [default: legacy; none with --flux]
    #[arg(long, value_enum, value_name = "ORDER")]
    pub reorder: Option<ReorderWord>,
    /// Render as Flux does for the Kustomization object in FILE; DIR is the repository's root
    ///
    /// ConfigMaps and Secrets that variables come from stand in the same file.
    #[arg(long, value_name = "FILE")]
    pub flux: Option<PathBuf>,
    #[command(flatten)]
    pub sources: SourceArgs,
}

#[derive(Debug, Args)]
pub(super) struct SourceArgs {
    /// Which files a kustomization may name
    #[arg(long, value_enum, value_name = "WHICH", default_value = "LoadRestrictionsRootOnly")]
    pub load_restrictor: RestrictorWord,
    /// A folder or file to take for what a kustomization names by URL, or for a repository
    #[arg(long, value_name = "URL=PATH", value_parser = mapping)]
    pub map: Vec<(String, PathBuf)>,
    /// Fetch nothing: what a kustomization names by URL has to be mapped, or fetched before
    #[arg(long)]
    pub offline: bool,
    /// Where what is fetched is kept [default: towtank in the user's cache folder]
    #[arg(long, value_name = "DIR")]
    pub cache_dir: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(super) struct DiffArgs {
    /// The commit on the left: a branch, a tag, an id, HEAD~1, ...
    #[arg(value_name = "A")]
    pub left: String,
    /// The commit on the right
    #[arg(value_name = "B", default_value = "HEAD")]
    pub right: String,
    /// The folder to render, from the repository's root
    #[arg(long, value_name = "P")]
    pub path: Option<String>,
    /// The repository, or a folder in it
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub repo: PathBuf,
    /// End with 1 where there are differences
    #[arg(long)]
    pub exit_code: bool,
    /// What is printed
    #[arg(long, value_enum, value_name = "FORMAT", default_value = "terminal")]
    pub report: PageWord,
    #[command(flatten)]
    pub sources: SourceArgs,
}

#[derive(Debug, Args)]
pub(super) struct ValidateArgs {
    /// The repository, or a part of it
    #[arg(value_name = "DIR", default_value = ".")]
    pub folder: PathBuf,
    /// What is printed
    #[arg(long, value_enum, value_name = "FORMAT", default_value = "terminal")]
    pub report: PageWord,
    #[command(flatten)]
    pub sources: SourceArgs,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum PageWord {
    /// For a reader
    Terminal,
    /// For a program: one object
    Json,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum RestrictorWord {
    /// Those in or below its own folder
    #[value(name = "LoadRestrictionsRootOnly", alias = "rootOnly")]
    RootOnly,
    /// Any
    #[value(name = "LoadRestrictionsNone", alias = "none")]
    None,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum ReorderWord {
    /// By kind: what others need comes first
    Legacy,
    /// As the resources are listed
    None,
}

/// A URL may hold equals signs (`?ref=v1`), a path here not.
fn mapping(text: &str) -> Result<(String, PathBuf), String> {
    match text.rsplit_once('=') {
        Some((url, path)) if !url.is_empty() && !path.is_empty() => {
            Ok((url.to_owned(), PathBuf::from(path)))
        }
        _ => Err("expected URL=PATH".to_owned()),
    }
}

#[derive(Debug, Args)]
pub(super) struct SchemaArgs {
    /// Of what
    #[arg(value_enum)]
    pub of: SchemaWord,
}

pub(super) fn seed(text: &str) -> Result<u64, String> {
    text.parse().map_err(|_| format!("expected a whole number from 0 to {}", u64::MAX))
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum ClockWord {
    Virtual,
    Real,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum ProfileWord {
    /// Nothing takes time
    Instant,
    /// A small cluster, base layers present
    Warm,
    /// Empty nodes, a registry across the internet
    Cold,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum ReportWord {
    /// For a reader
    Terminal,
    /// For a program: one object with a list of scenarios
    Json,
    /// For a CI system
    Junit,
    /// For a browser: one page; with --out it is DIR/index.html
    Html,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum SchemaWord {
    /// A scenario file, as JSON Schema
    Scenario,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Typed::command().debug_assert();
    }
}
