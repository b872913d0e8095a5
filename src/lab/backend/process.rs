//! Other programs: git, kind, k3d, etcd and kube-apiserver. The one place that starts them.

use std::ffi::OsStr;
use std::io;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};

use super::error::SiteError;
use super::site::Interrupt;
use crate::base::limits;

/// A program that is to be started, without anything to read. Ctrl-C is for this program, which then
/// ends the other one itself and takes away what it left.
#[expect(clippy::disallowed_methods, reason = "the one place that starts programs for the lab")]
pub(super) fn program(name: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(name);
    command.stdin(Stdio::null()).process_group(0);
    command
}

/// Why a program has no output.
#[derive(Debug)]
pub(super) enum Ended {
    /// Somebody wants the run to end.
    Interrupted,
    /// It took longer than this.
    Late(Duration),
    /// It could not be started, or not be waited for.
    System(io::Error),
}

impl Ended {
    /// In words.
    pub(super) fn why(&self) -> String {
        match self {
            Self::Interrupted => "interrupted".to_owned(),
            Self::Late(bound) => format!("it did not end in {} s, and was ended", bound.as_secs()),
            Self::System(error) => error.to_string(),
        }
    }
}

/// How long nobody looks whether a program is to be ended.
const GLANCE: Duration = Duration::from_millis(100);

/// Runs a program to its end, but no longer than `bound`; where somebody wants the run to end it is
/// ended as well.
///
/// # Errors
/// [`Ended`]; the program does not run any more then.
pub(super) fn output(
    command: &mut Command,
    bound: Duration,
    interrupt: Option<&Interrupt>,
) -> Result<Output, Ended> {
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = command.spawn().map_err(Ended::System)?;
    // It leads a group of its own (`program`).
    let group = Pid::from_child(&child);
    let (tell, told) = mpsc::channel();
    std::thread::scope(|scope| {
        scope.spawn(move || tell.send(child.wait_with_output()));
        let mut waited = Duration::ZERO;
        let ended = loop {
            match told.recv_timeout(GLANCE) {
                Ok(output) => return output.map_err(Ended::System),
                Err(mpsc::RecvTimeoutError::Timeout) => waited += GLANCE,
                Err(mpsc::RecvTimeoutError::Disconnected) => {
                    return Err(Ended::System(io::Error::other("the wait for it broke off")));
                }
            }
            if interrupt.is_some_and(Interrupt::is_set) {
                break Ended::Interrupted;
            }
            if waited >= bound {
                break Ended::Late(bound);
            }
        };
        // The whole group: a tool has programs of its own under way. One that has ended meanwhile
        // needs no signal.
        let _ = kill_process_group(group, Signal::TERM);
        if told.recv_timeout(limits::TERMINATION).is_err() {
            let _ = kill_process_group(group, Signal::KILL);
        }
        Err(ended)
    })
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
    match output(&mut command, limits::GIT, None) {
        Err(Ended::System(error)) if error.kind() == io::ErrorKind::NotFound => {
            Err(SiteError::NoProgram {
                program: "git".to_owned(),
                looked: "PATH".to_owned(),
                help: "install git",
            })
        }
        Err(ended) => Err(SiteError::Git { why: format!("git: {}", ended.why()) }),
        Ok(output) if output.status.success() => {
            Ok(String::from_utf8_lossy(&output.stdout).into_owned())
        }
        Ok(output) => {
            let why = String::from_utf8_lossy(&output.stderr);
            Err(SiteError::Git { why: why.trim().to_owned() })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_does_not_end_is_ended() {
        let run = |text: &str, bound: u64, interrupt: &Interrupt| {
            let mut command = program("sh");
            command.args(["-c", text]);
            match output(&mut command, Duration::from_millis(bound), Some(interrupt)) {
                Ok(output) => String::from_utf8_lossy(&output.stdout).into_owned(),
                Err(ended) => ended.why(),
            }
        };
        let none = Interrupt::default();
        assert_eq!(run("echo done", 60_000, &none), "done\n");
        let late = "it did not end in 0 s, and was ended";
        assert_eq!(run("sleep 60 & wait", 200, &none), late);
        assert_eq!(run("trap '' TERM; while :; do sleep 0.1; done", 200, &none), late);
        let set = Interrupt::default();
        set.set();
        assert_eq!(run("sleep 60", 60_000, &set), "interrupted");
    }
}
