//! One request of Git's smart protocol, handed to git.

use std::io::{self, Write};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc;

use rustix::process::{Pid, Signal, kill_process_group};

use crate::base::limits;

/// The two services of a Git server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Service {
    UploadPack,
    ReceivePack,
}

impl Service {
    /// The service of this name.
    pub(super) fn named(name: &str) -> Option<Self> {
        match name {
            "git-upload-pack" => Some(Self::UploadPack),
            "git-receive-pack" => Some(Self::ReceivePack),
            _ => None,
        }
    }

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::UploadPack => "git-upload-pack",
            Self::ReceivePack => "git-receive-pack",
        }
    }
}

/// What git is asked.
#[derive(Clone, Debug)]
pub(super) struct Ask {
    pub(super) service: Service,
    /// Only what there is, not a conversation.
    pub(super) advertise: bool,
    /// The `Git-Protocol` header: the version that a client speaks.
    pub(super) protocol: Option<String>,
    /// What the client sent.
    pub(super) body: Vec<u8>,
}

/// Asks git about a repository; what it says.
///
/// # Errors
/// It cannot be started, or ended with an error before it said anything.
pub(super) fn run(repository: &Path, ask: &Ask) -> io::Result<Vec<u8>> {
    let mut command = command();
    command.args(["-c", "receive.autogc=false", "-c", "uploadpack.allowAnySHA1InWant=true"]);
    command.arg(ask.service.name().trim_start_matches("git-")).arg("--stateless-rpc");
    if ask.advertise {
        command.arg("--http-backend-info-refs");
    }
    command.arg(repository);
    if let Some(protocol) = &ask.protocol {
        command.env("GIT_PROTOCOL", protocol);
    }
    let mut child = command.spawn()?;
    let mut stdin = child.stdin.take();
    let (body, group) = (&ask.body, Pid::from_child(&child));
    // Git may talk before it has read all: both at once, or the two wait for each other.
    let output = std::thread::scope(|scope| {
        // Dropped when git has ended.
        let (_ended, is_ended) = mpsc::channel::<()>();
        scope.spawn(move || {
            if is_ended.recv_timeout(limits::GIT) == Err(mpsc::RecvTimeoutError::Timeout) {
                // With what it has started; ended meanwhile it needs no signal.
                let _ = kill_process_group(group, Signal::KILL);
            }
        });
        scope.spawn(move || {
            if let Some(stdin) = &mut stdin {
                // One that ends early says itself why.
                let _ = stdin.write_all(body);
            }
            drop(stdin);
        });
        child.wait_with_output()
    })?;
    if output.stdout.is_empty() && !output.status.success() {
        return Err(io::Error::other(String::from_utf8_lossy(&output.stderr).trim().to_owned()));
    }
    Ok(output.stdout)
}

/// Git without anything of whoever runs this: no configuration, no prompts.
#[expect(clippy::disallowed_methods, reason = "the Git server is a shell around git")]
fn command() -> Command {
    let mut command = Command::new("git");
    command
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_TERMINAL_PROMPT", "0")
        .env_remove("GIT_DIR")
        .env_remove("GIT_WORK_TREE")
        // Ctrl-C is for this program; a push that is under way is carried through.
        .process_group(0)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}
