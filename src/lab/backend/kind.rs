//! Clusters of kind and k3d, through their command lines: made where none of the name is there,
//! used where one is, and removed again if it was made for this.

use std::ffi::OsString;
use std::time::Duration;

use super::error::SiteError;
use super::folder::Folder;
use super::process::{Ended, output, program};
use super::site::{Interrupt, Terms};
use crate::base::limits;

/// The two tools.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tool {
    Kind,
    K3d,
}

/// A cluster of one of them.
#[derive(Debug)]
pub(super) struct Made {
    tool: Tool,
    name: String,
    /// Whether it was made for this, and is removed.
    is_ours: bool,
    /// Its kubeconfig.
    pub(super) kubeconfig: String,
}

/// What a tool printed.
struct Printed {
    is_ok: bool,
    out: String,
    /// The last lines of what it said about itself.
    said: String,
}

impl Tool {
    const fn name(self) -> &'static str {
        match self {
            Self::Kind => "kind",
            Self::K3d => "k3d",
        }
    }

    const fn help(self) -> &'static str {
        match self {
            Self::Kind => "see https://kind.sigs.k8s.io, or go install sigs.k8s.io/kind",
            Self::K3d => "see https://k3d.io",
        }
    }

    /// The names of the clusters that there are.
    fn list(self) -> Vec<OsString> {
        words(match self {
            Self::Kind => &["get", "clusters", "--quiet"],
            Self::K3d => &["cluster", "list", "--no-headers"],
        })
    }

    fn kubeconfig(self, name: &str) -> Vec<OsString> {
        match self {
            Self::Kind => words(&["get", "kubeconfig", "--name", name]),
            Self::K3d => words(&["kubeconfig", "get", name]),
        }
    }

    fn delete(self, name: &str) -> Vec<OsString> {
        match self {
            Self::Kind => words(&["delete", "cluster", "--name", name]),
            Self::K3d => words(&["cluster", "delete", name]),
        }
    }

    /// The command that makes a cluster. `file` is a folder's file that it may need, with its text.
    fn create(self, name: &str, terms: &Terms, folder: &Folder) -> Creation {
        let nodes = terms.nodes.unwrap_or(1);
        match self {
            Self::Kind => {
                let config = folder.0.join("kind.yaml");
                let own = folder.0.join("kubeconfig");
                let mut args = words(&["create", "cluster", "--name", name, "--wait", "120s"]);
                args.extend(["--config".into(), config.clone().into_os_string()]);
                // The user's own kubeconfig is left as it is.
                args.extend(["--kubeconfig".into(), own.into_os_string()]);
                if let Some(version) = &terms.version {
                    args.extend(words(&["--image", &format!("kindest/node:{}", v(version))]));
                }
                Creation { args, file: Some((config, kind_config(nodes))) }
            }
            Self::K3d => {
                let agents = nodes.saturating_sub(1).to_string();
                let mut args = words(&["cluster", "create", name, "--agents", &agents, "--wait"]);
                args.extend(words(&["--timeout", "120s", "--kubeconfig-update-default=false"]));
                if let Some(version) = &terms.version {
                    let version = v(version);
                    let image = match version.contains("-k3s") {
                        true => format!("rancher/k3s:{version}"),
                        false => format!("rancher/k3s:{version}-k3s1"),
                    };
                    args.extend(words(&["--image", &image]));
                }
                Creation { args, file: None }
            }
        }
    }

    /// Runs the tool.
    ///
    /// # Errors
    /// `NoProgram`; `Interrupted`, and the tool is ended then.
    fn run(
        self,
        args: &[OsString],
        bound: Duration,
        interrupt: Option<&Interrupt>,
    ) -> Result<Printed, SiteError> {
        let mut command = program(self.name());
        command.args(args);
        let output = output(&mut command, bound, interrupt).map_err(|error| match error {
            Ended::Interrupted => SiteError::Interrupted,
            Ended::System(error) if error.kind() == std::io::ErrorKind::NotFound => {
                SiteError::NoProgram {
                    program: self.name().to_owned(),
                    looked: "PATH".to_owned(),
                    help: self.help(),
                }
            }
            ended => self.failed(args, &ended.why()),
        })?;
        let said = String::from_utf8_lossy(&output.stderr);
        let lines: Vec<&str> = said.lines().map(str::trim).filter(|l| !l.is_empty()).collect();
        let said = lines[lines.len().saturating_sub(3)..].join(" / ");
        let out = String::from_utf8_lossy(&output.stdout).into_owned();
        Ok(Printed { is_ok: output.status.success(), out, said })
    }

    fn failed(self, args: &[OsString], why: &str) -> SiteError {
        let shown: Vec<_> = args.iter().map(|arg| arg.to_string_lossy()).collect();
        let engine = ["docker", "podman", "nerdctl", "Cannot connect"];
        let hint = match engine.iter().any(|word| why.contains(word)) {
            true => "; it needs a container engine that runs, such as Docker",
            false => "",
        };
        let command = format!("{} {}", self.name(), shown.join(" "));
        SiteError::Command { command, why: format!("{why}{hint}") }
    }

    /// Runs the tool for a moment; what it printed.
    fn told(self, args: &[OsString], interrupt: Option<&Interrupt>) -> Result<String, SiteError> {
        self.told_within(args, limits::TOOL, interrupt)
    }

    /// Runs the tool; what it printed.
    fn told_within(
        self,
        args: &[OsString],
        bound: Duration,
        interrupt: Option<&Interrupt>,
    ) -> Result<String, SiteError> {
        let printed = self.run(args, bound, interrupt)?;
        if printed.is_ok { Ok(printed.out) } else { Err(self.failed(args, &printed.said)) }
    }
}

/// A command that makes a cluster, and the file that it reads.
struct Creation {
    args: Vec<OsString>,
    file: Option<(std::path::PathBuf, String)>,
}

impl Made {
    /// A cluster of this name, made if it is not there.
    ///
    /// # Errors
    /// `NoProgram`, `Command`, `Interrupted`; what was half made is removed then.
    pub(super) fn open(tool: Tool, name: &str, terms: &Terms) -> Result<Self, SiteError> {
        let listed = tool.told(&tool.list(), Some(&terms.interrupt))?;
        // k3d prints further columns behind the name.
        let mut names = listed.lines().filter_map(|line| line.split_whitespace().next());
        let is_there = names.any(|known| known == name);
        if !is_there {
            let folder = Folder::new(tool.name())?;
            let creation = tool.create(name, terms, &folder);
            if let Some((path, text)) = &creation.file {
                std::fs::write(path, text).map_err(|error| SiteError::File {
                    path: path.clone(),
                    why: error.to_string(),
                })?;
            }
            let bound = limits::CLUSTER_CREATION;
            if let Err(error) = tool.told_within(&creation.args, bound, Some(&terms.interrupt)) {
                // What there is of it goes; that it cannot be made is what is told.
                let _ = tool.run(&tool.delete(name), limits::TOOL, None);
                return Err(error);
            }
        }
        let is_ours = !is_there && !terms.keep;
        let name = name.to_owned();
        let mut made = Self { tool, name, is_ours, kubeconfig: String::new() };
        match tool.told(&tool.kubeconfig(&made.name), Some(&terms.interrupt)) {
            Ok(kubeconfig) => {
                made.kubeconfig = kubeconfig;
                Ok(made)
            }
            Err(error) => {
                let _ = made.close();
                Err(error)
            }
        }
    }

    /// Whether it was made for this, and goes with it.
    pub(super) fn is_ours(&self) -> bool {
        self.is_ours
    }

    /// Removes it, if it was made for this.
    ///
    /// # Errors
    /// `Left`.
    pub(super) fn close(&mut self) -> Result<(), SiteError> {
        if !std::mem::take(&mut self.is_ours) {
            return Ok(());
        }
        let deleted = self.tool.told(&self.tool.delete(&self.name), None);
        deleted.map(drop).map_err(|error| SiteError::Left {
            what: format!("the {} cluster {}", self.tool.name(), self.name),
            why: error.to_string(),
        })
    }
}

impl Drop for Made {
    fn drop(&mut self) {
        // Whoever wants to hear of it closes it before.
        let _ = self.close();
    }
}

fn words(words: &[&str]) -> Vec<OsString> {
    words.iter().map(OsString::from).collect()
}

/// A version as image tags have it.
fn v(version: &str) -> String {
    if version.starts_with('v') { version.to_owned() } else { format!("v{version}") }
}

/// kind's configuration for so many nodes.
fn kind_config(nodes: u16) -> String {
    let mut text =
        "kind: Cluster\napiVersion: kind.x-k8s.io/v1alpha4\nnodes:\n- role: control-plane\n"
            .to_owned();
    for _ in 1..nodes {
        text.push_str("- role: worker\n");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cluster_is_made_as_it_is_wished_for() {
        let folder = Folder::new("test").unwrap();
        let check = |tool: Tool, version: Option<&str>, nodes: u16, want: &[&str]| {
            let version = version.map(str::to_owned);
            let terms = Terms { version, nodes: Some(nodes), ..Terms::default() };
            let creation = tool.create("x", &terms, &folder);
            let args: Vec<_> = creation.args.iter().map(|arg| arg.to_string_lossy()).collect();
            let args = args.join(" ");
            for want in want {
                let text = creation.file.as_ref().map_or("", |(_, text)| text.as_str());
                assert!(args.contains(want) || text.contains(want), "{args}\n{text}: {want}");
            }
        };
        check(Tool::Kind, None, 1, &["create cluster --name x", "- role: control-plane\n"]);
        check(Tool::Kind, Some("v1.36.3"), 2, &["kindest/node:v1.36.3", "- role: worker\n"]);
        check(
            Tool::K3d,
            Some("1.36.3"),
            2,
            &["cluster create x", "--agents 1", "k3s:v1.36.3-k3s1"],
        );
        check(Tool::K3d, None, 1, &["--agents 0", "--kubeconfig-update-default=false"]);
    }
}
