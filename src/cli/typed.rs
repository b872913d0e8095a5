//! The command line as it is typed. What is meant by it, and whether it can be, is `meant`.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::base::nearest;
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
    /// Serve a Kubernetes API with a simulated cluster behind it
    ///
    /// Starts in milliseconds, writes a kubeconfig, and serves until it is stopped. Clients find
    /// what a kube-apiserver 1.36 gives them; controllers, a scheduler and nodes are simulated.
    Apiserver(ApiserverArgs),
    /// Print what a kustomization comes to, as kustomize build does
    ///
    /// Programs and containers that a kustomization names are not run, and nothing is fetched:
    /// a URL has to be mapped to a folder.
    Render(RenderArgs),
    /// Print the schema of a file format
    Schema(SchemaArgs),
}

#[derive(Debug, Args)]
pub(super) struct RunArgs {
    /// Scenario files, and folders of them
    #[arg(required = true, value_name = "FILE|DIR")]
    pub paths: Vec<PathBuf>,
    /// Whose time: virtual jumps to what is due next, real waits for it
    #[arg(long, value_enum, value_name = "CLOCK", default_value = "virtual")]
    pub clock: ClockWord,
    /// What everything random follows from [default: the scenario's own, else 1]
    #[arg(long, value_name = "N", value_parser = seed, allow_hyphen_values = true)]
    pub seed: Option<u64>,
    /// How long the world's own doings take [default: the scenario's own, else warm]
    #[arg(long, value_enum, value_name = "PROFILE")]
    pub profile: Option<ProfileWord>,
    /// How many scenarios run at once [default: one a core]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub jobs: Option<u16>,
    #[command(flatten)]
    pub output: OutputArgs,
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
    /// What runs besides the API server: all, none, or some of manager, scheduler and nodes; for
    /// some of the manager's controllers their names, such as deployment-controller
    #[arg(long, value_name = "all|none|LIST", default_value = "all", value_parser = controllers)]
    pub controllers: ControllersWord,
    /// How many nodes there are
    #[arg(long, value_name = "N", default_value_t = crate::serve::NODES)]
    pub nodes: usize,
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
}

impl ControllersWord {
    /// The parts of a cluster, with so many nodes if it has nodes.
    pub(super) fn with_nodes(self, nodes: usize) -> Parts {
        let nodes = if self.nodes { nodes } else { 0 };
        Parts { controllers: self.manager, scheduler: self.scheduler, nodes }
    }
}

/// Reads what `--controllers` names.
pub(super) fn controllers(text: &str) -> Result<ControllersWord, String> {
    let mut word = ControllersWord::default();
    match text {
        "none" => return Ok(word),
        "all" => {
            let manager = Some(Settings::default());
            return Ok(ControllersWord { manager, scheduler: true, nodes: true });
        }
        _ => {}
    }
    let mut named = Vec::new();
    for part in text.split(',').map(str::trim) {
        match part {
            "manager" => named.push("*"),
            "scheduler" => word.scheduler = true,
            "nodes" => word.nodes = true,
            name => named.push(name),
        }
    }
    if !named.is_empty() {
        let settings = Settings::default().only(named).map_err(|name| {
            let known = Controller::ALL.map(Controller::name);
            let words = ["all", "none", "manager", "scheduler", "nodes"];
            let near = nearest(name, words.into_iter().chain(known));
            let near = near.map_or_else(String::new, |near| format!(" (did you mean {near}?)"));
            format!("{name:?} is not all, none, or some of manager, scheduler, nodes and controllers' names{near}")
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
    /// Which files a kustomization may name
    #[arg(long, value_enum, value_name = "WHICH", default_value = "LoadRestrictionsRootOnly")]
    pub load_restrictor: RestrictorWord,
    /// The order of the objects, where the kustomization has no say on it
    #[arg(long, value_enum, value_name = "ORDER", default_value = "legacy")]
    pub reorder: ReorderWord,
    /// A folder or file to take for what a kustomization names by URL, or for a repository
    #[arg(long, value_name = "URL=PATH", value_parser = mapping)]
    pub map: Vec<(String, PathBuf)>,
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

fn seed(text: &str) -> Result<u64, String> {
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
