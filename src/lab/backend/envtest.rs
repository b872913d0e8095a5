//! etcd and kube-apiserver of `KUBEBUILDER_ASSETS`, started for a run and stopped after it, as
//! envtest does. Controllers, scheduler and nodes are ours, as clients of that server (`inside`).

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::Duration;

use super::error::SiteError;
use super::folder::Folder;
use super::process::program;
use super::site::Interrupt;
use crate::base::{Clock, limits};
use crate::serve::tls::{Authority, Pair};
use crate::serve::{MASTERS, kubeconfig};

/// A control plane that runs. It is stopped when this is dropped.
#[derive(Debug)]
pub(super) struct ControlPlane {
    /// Stopped in this order.
    children: Vec<Running>,
    /// How clients find it.
    pub(super) kubeconfig: String,
    /// Where its certificates, logs and state are.
    _folder: Folder,
}

/// A program that runs, and its log.
#[derive(Debug)]
struct Running {
    name: &'static str,
    child: Child,
    log: PathBuf,
}

impl Drop for ControlPlane {
    fn drop(&mut self) {
        for running in &mut self.children {
            // Its state is thrown away: nothing is lost by not asking first.
            let _ = running.child.kill();
            let _ = running.child.wait();
        }
    }
}

/// A program of the assets.
fn asset(name: &str) -> Result<PathBuf, SiteError> {
    let folder = std::env::var_os("KUBEBUILDER_ASSETS").filter(|folder| !folder.is_empty());
    let folder = PathBuf::from(folder.ok_or(SiteError::NoAssets)?);
    let path = folder.join(name);
    if path.is_file() {
        return Ok(path);
    }
    Err(SiteError::NoProgram {
        program: name.to_owned(),
        looked: folder.display().to_string(),
        help: "KUBEBUILDER_ASSETS names a folder with etcd and kube-apiserver, as setup-envtest \
               fetches them",
    })
}

/// Ports that are free now. Nobody holds them until they are used, as with any tool that has to
/// name a port beforehand.
fn ports<const N: usize>() -> Result<[u16; N], SiteError> {
    let failed = |error: std::io::Error| SiteError::system("no free port", &error);
    let mut held = Vec::new();
    let mut ports = [0; N];
    for port in &mut ports {
        let listener = TcpListener::bind(("127.0.0.1", 0)).map_err(failed)?;
        *port = listener.local_addr().map_err(failed)?.port();
        held.push(listener);
    }
    Ok(ports)
}

impl ControlPlane {
    /// Starts etcd and kube-apiserver and waits until they answer.
    ///
    /// # Errors
    /// `NoAssets`, `NoProgram`, `Ended` with the end of the log, `Interrupted`.
    pub(super) fn start(interrupt: &Interrupt) -> Result<Self, SiteError> {
        let (etcd, apiserver) = (asset("etcd")?, asset("kube-apiserver")?);
        let folder = Folder::new("envtest")?;
        let path = folder.0.clone();
        let [client, peer, secure] = ports::<3>()?;
        let pki = Pki::make(&path)?;
        let url = format!("https://127.0.0.1:{secure}");
        let kubeconfig = kubeconfig::print(&url, &pki.authority, &pki.admin);
        write(&path.join("kubeconfig"), &kubeconfig)?;
        let mut plane = Self { children: Vec::new(), kubeconfig, _folder: folder };
        let (own, of_peer) =
            (format!("http://127.0.0.1:{client}"), format!("http://127.0.0.1:{peer}"));
        plane.spawn(
            "etcd",
            &etcd,
            &path,
            &[
                format!("--data-dir={}", path.join("etcd").display()),
                "--unsafe-no-fsync".to_owned(),
                format!("--listen-client-urls={own}"),
                format!("--advertise-client-urls={own}"),
                format!("--listen-peer-urls={of_peer}"),
                format!("--initial-advertise-peer-urls={of_peer}"),
                format!("--initial-cluster=default={of_peer}"),
                "--log-level=warn".to_owned(),
            ],
        )?;
        plane.spawn("kube-apiserver", &apiserver, &path, &pki.flags(&own, secure))?;
        plane.wait(secure, interrupt)?;
        // The API server is stopped before its store.
        plane.children.reverse();
        Ok(plane)
    }

    fn spawn(
        &mut self,
        name: &'static str,
        path: &Path,
        folder: &Path,
        flags: &[String],
    ) -> Result<(), SiteError> {
        let log = folder.join(format!("{name}.log"));
        let failed = |error: std::io::Error| SiteError::Command {
            command: path.display().to_string(),
            why: error.to_string(),
        };
        let file = fs::File::create(&log).map_err(failed)?;
        let same = file.try_clone().map_err(failed)?;
        let mut command = program(path);
        command.args(flags).stdout(Stdio::from(file)).stderr(Stdio::from(same));
        let child = command.spawn().map_err(failed)?;
        self.children.push(Running { name, child, log });
        Ok(())
    }

    /// Whether all of it still runs.
    ///
    /// # Errors
    /// `Ended`, with the end of the log.
    pub(super) fn look(&mut self) -> Result<(), SiteError> {
        let ended = |running: &mut Running| !matches!(running.child.try_wait(), Ok(None));
        self.children.iter_mut().find_map(|one| ended(one).then(|| one.ended())).map_or(Ok(()), Err)
    }

    /// Waits until the API server listens.
    fn wait(&mut self, port: u16, interrupt: &Interrupt) -> Result<(), SiteError> {
        let clock = Clock::real();
        let start = clock.now();
        loop {
            if interrupt.is_set() {
                return Err(SiteError::Interrupted);
            }
            self.look()?;
            if std::net::TcpStream::connect(("127.0.0.1", port)).is_ok() {
                return Ok(());
            }
            if clock.now().since(start) > limits::CONTROL_PLANE_START {
                return Err(SiteError::Ended {
                    program: "kube-apiserver".to_owned(),
                    why: "it does not answer in time".to_owned(),
                });
            }
            let _ = clock.wait_until(clock.now() + Duration::from_millis(20));
        }
    }
}

impl Running {
    fn ended(&self) -> SiteError {
        let log = fs::read_to_string(&self.log).unwrap_or_default();
        let tail: Vec<&str> = log.lines().rev().take(3).collect();
        let tail: Vec<&str> = tail.into_iter().rev().collect();
        SiteError::Ended { program: self.name.to_owned(), why: tail.join(" / ") }
    }
}

fn write(path: &Path, text: &str) -> Result<(), SiteError> {
    let failed =
        |error: std::io::Error| SiteError::File { path: path.to_owned(), why: error.to_string() };
    fs::write(path, text).map_err(failed)
}

/// Certificates and keys of one control plane, in a folder.
struct Pki {
    folder: PathBuf,
    authority: String,
    admin: Pair,
}

impl Pki {
    fn make(folder: &Path) -> Result<Self, SiteError> {
        let failed = |error: crate::serve::tls::TlsError| {
            SiteError::system("certificates cannot be made", &error)
        };
        let authority = Authority::new().map_err(failed)?;
        let names = ["127.0.0.1", "localhost", "kubernetes", "kubernetes.default", "10.0.0.1"];
        let serving = authority.serving(&names.map(str::to_owned)).map_err(failed)?;
        let admin = authority.client("admin", &[MASTERS]).map_err(failed)?;
        // Tokens of service accounts are signed with a key of their own; any pair does.
        let accounts = authority.serving(&["accounts".to_owned()]).map_err(failed)?;
        for (name, text) in [
            ("ca.crt", &authority.pair().certificate),
            ("apiserver.crt", &serving.certificate),
            ("apiserver.key", &serving.key),
            ("accounts.crt", &accounts.certificate),
            ("accounts.key", &accounts.key),
        ] {
            write(&folder.join(name), text)?;
        }
        let authority = authority.pair().certificate.clone();
        Ok(Self { folder: folder.to_owned(), authority, admin })
    }

    fn flags(&self, etcd: &str, port: u16) -> Vec<String> {
        let file = |name: &str| self.folder.join(name).display().to_string();
        vec![
            format!("--etcd-servers={etcd}"),
            "--bind-address=127.0.0.1".to_owned(),
            format!("--secure-port={port}"),
            // A loopback address is refused in Endpoints; this one is nobody's.
            "--advertise-address=192.0.2.1".to_owned(),
            "--service-cluster-ip-range=10.0.0.0/16".to_owned(),
            "--authorization-mode=RBAC".to_owned(),
            "--allow-privileged=true".to_owned(),
            format!("--tls-cert-file={}", file("apiserver.crt")),
            format!("--tls-private-key-file={}", file("apiserver.key")),
            format!("--client-ca-file={}", file("ca.crt")),
            "--service-account-issuer=https://kubernetes.default.svc.cluster.local".to_owned(),
            format!("--service-account-key-file={}", file("accounts.crt")),
            format!("--service-account-signing-key-file={}", file("accounts.key")),
        ]
    }
}
