//! Other programs: git, kind, k3d, etcd and kube-apiserver. The one place that starts them.

use std::ffi::OsStr;
use std::path::Path;
use std::process::{Command, Stdio};

use super::error::SiteError;

/// A program that is to be started, without anything to read.
#[expect(clippy::disallowed_methods, reason = "the one place that starts programs for the lab")]
pub(super) fn program(name: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(name);
    command.stdin(Stdio::null());
    command
}

/// Runs git in a folder, without anything of whoever runs this: no configuration, no prompts.
///
/// # Errors
/// `Git`, with git's own words.
pub(super) fn git<I, S>(folder: &Path, args: I) -> Result<String, SiteError>
where
    I: IntoIterator<Item = S>,
    S: AsRef<OsStr>,
{
    let mut command = program("git");
    command
        .arg("-C")
        .arg(folder)
        .args(args)
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_TERMINAL_PROMPT", "0")
        .env_remove("GIT_DIR")
        .env_remove("GIT_WORK_TREE");
    match command.output() {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Err(SiteError::NoProgram {
            program: "git".to_owned(),
            looked: "PATH".to_owned(),
            help: "install git",
        }),
        Err(error) => Err(SiteError::Git { why: error.to_string() }),
        Ok(output) if output.status.success() => {
            Ok(String::from_utf8_lossy(&output.stdout).into_owned())
        }
        Ok(output) => {
            let why = String::from_utf8_lossy(&output.stderr);
            Err(SiteError::Git { why: why.trim().to_owned() })
        }
    }
}
