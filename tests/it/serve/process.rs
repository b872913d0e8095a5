//! The program as a process: started on a free port, stopped at the end of the test.

#![expect(clippy::unwrap_used, reason = "a test ends at the first thing that is not there")]
#![expect(clippy::print_stderr, reason = "what is passed over is told")]

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

/// A running `towtank apiserver`.
pub(super) struct Process {
    child: Child,
    pub(super) folder: PathBuf,
    /// What keeps the folder there.
    _temporary: Option<tempfile::TempDir>,
}

impl Process {
    /// Starts one in a folder of its own.
    pub(super) fn start(args: &[&str]) -> Self {
        let temporary = tempfile::tempdir().unwrap();
        let mut process = Self::start_in(temporary.path(), args);
        process._temporary = Some(temporary);
        process
    }

    /// Starts one whose state is in `folder`, and waits until it says where it is.
    pub(super) fn start_in(folder: &Path, args: &[&str]) -> Self {
        Self::start_by(&[], folder, args)
    }

    /// The same, started by another program, which is given the command line as arguments.
    pub(super) fn start_by(by: &[&str], folder: &Path, args: &[&str]) -> Self {
        let program = env!("CARGO_BIN_EXE_towtank");
        let mut command = match by {
            [] => command(program),
            [first, rest @ ..] => {
                let mut command = command(first);
                command.args(rest).arg(program);
                command
            }
        };
        command.args(["apiserver", "--port", "0", "--data-dir"]).arg(folder).args(args);
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut told = BufReader::new(child.stdout.take().unwrap()).lines();
        let first = told.next().expect("the program says where it serves").unwrap();
        assert!(first.contains("https://127.0.0.1:"), "{first}");
        Self { child, folder: folder.to_owned(), _temporary: None }
    }

    pub(super) fn kubeconfig(&self) -> PathBuf {
        self.folder.join("kubeconfig")
    }

    /// Where it serves: `127.0.0.1:41234`.
    pub(super) fn address(&self) -> String {
        let text = std::fs::read_to_string(self.kubeconfig()).unwrap();
        let line = text.lines().find_map(|line| line.trim().strip_prefix("server: "));
        line.unwrap().trim_matches('"').trim_start_matches("https://").to_owned()
    }

    pub(super) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// SIGTERM; gives back whether it ended well.
    pub(super) fn terminate(&mut self) -> bool {
        command("kill").arg(self.child.id().to_string()).status().unwrap();
        self.child.wait().unwrap().success()
    }

    /// A client for it.
    pub(super) async fn client(&self) -> kube::Client {
        let file = kube::config::Kubeconfig::read_from(self.kubeconfig()).unwrap();
        let options = kube::config::KubeConfigOptions::default();
        let config = kube::Config::from_custom_kubeconfig(file, &options).await.unwrap();
        kube::Client::try_from(config).unwrap()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // One that has ended already is well.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[expect(clippy::disallowed_methods, reason = "programs are what is tried here")]
pub(super) fn command(program: &str) -> Command {
    Command::new(program)
}

/// Whether a program is there; says so where it is not.
pub(super) fn is_there(program: &str, args: &[&str]) -> bool {
    let run = command(program).args(args).stdout(Stdio::null()).stderr(Stdio::null()).status();
    let there = run.is_ok_and(|status| status.success());
    if !there {
        eprintln!("skipped: {program} is not here");
    }
    there
}

/// Runs a program to its end.
#[track_caller]
pub(super) fn run(command: &mut Command) -> Output {
    let output = command.output().unwrap();
    assert!(
        output.status.success(),
        "{command:?}\n{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    output
}
