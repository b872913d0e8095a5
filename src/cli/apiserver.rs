//! `towtank apiserver`: a cluster on a socket until it is told to stop, and the files that clients
//! find it by.

use std::fs;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

use super::meant::ApiServer;
use super::{Exit, complain, tell};
use crate::api::User;
use crate::base::Clock;
use crate::serve::tls::{Authority, Pair, Tls, TlsError};
use crate::serve::{self, Cluster, ISSUER, JournalError, LaterKey, MASTERS, Settings, kubeconfig};
use crate::sim::pods::Images;
use crate::sim::rest::Endpoint;
use crate::sim::world::read_stages;

/// Why nothing is served. The message says what was to be done and why it was not.
#[derive(Debug, thiserror::Error)]
pub(super) enum NotServed {
    #[error("{0}")]
    Tls(#[from] TlsError),
    #[error("{0}")]
    Journal(#[from] JournalError),
    #[error("{path}: {source}", path = .path.display())]
    File {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("{address}: cannot be served on: {source}")]
    Address {
        address: SocketAddr,
        #[source]
        source: io::Error,
    },
    #[error("{host}: cannot be served on: {source}")]
    Host {
        host: String,
        #[source]
        source: io::Error,
    },
    #[error("--towtank-controllers: {0}")]
    Flag(String),
    #[error("{path}: {message}", path = .path.display())]
    Stages { path: PathBuf, message: String },
    #[error("the runtime cannot be started: {0}")]
    Runtime(io::Error),
    #[error("no randomness is to be had from the machine")]
    Random,
}

/// Serves until SIGTERM or SIGINT.
pub(super) fn run(meant: ApiServer) -> Exit {
    let started = Clock::real();
    match block_on(serve(meant, started)) {
        Ok(()) => Exit::Ok,
        Err(error @ NotServed::Stages { .. }) => complain(Exit::BadInput, &error.to_string()),
        Err(error) => complain(Exit::Environment, &error.to_string()),
    }
}

/// Does all work on this thread.
pub(super) fn block_on(work: impl Future<Output = Result<(), NotServed>>) -> Result<(), NotServed> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(NotServed::Runtime)?.block_on(work)
}

/// The name of a proxy in front that may name users.
const FRONT_PROXY: &str = "front-proxy-client";

async fn serve(meant: ApiServer, started: Clock) -> Result<(), NotServed> {
    let ApiServer { address, data, kubeconfig, stages, mut settings } = meant;
    if let Some(path) = stages {
        stage(&mut settings, path)?;
    }
    let unserved = |source| NotServed::Address { address, source };
    let listener = TcpListener::bind(address).await.map_err(unserved)?;
    let address = listener.local_addr().map_err(unserved)?;
    let folder = Folder::open(data, address.port())?;
    let authority = folder.authority("ca")?;
    let proxies = folder.authority("front-proxy-ca")?;
    folder.front_proxy(&proxies)?;
    let admin = folder.admin(&authority, &mut settings)?;
    let names = names(address.ip());
    let proxy_ca = proxies.pair().certificate.clone();
    let of_proxies = Some((proxy_ca.as_str(), vec![FRONT_PROXY.to_owned()]));
    let clients = &authority.pair().certificate;
    let tls = Tls::with_proxies(&authority.serving(&names)?, clients, of_proxies)?;
    let url = format!("https://{}", SocketAddr::new(reachable(address.ip()), address.port()));
    let config = kubeconfig::print(&url, &authority.pair().certificate, &admin);
    settings.seed = random_u64()?;
    if let Some(controllers) = &mut settings.parts.controllers {
        controllers.root_ca = authority.pair().certificate.as_str().into();
    }
    // Tokens outlive a restart where the folder does.
    let key = LaterKey::new(folder.is_kept.then(|| folder.path.join("pki/accounts.key")));
    settings.token_issuer = Some((ISSUER.to_owned(), Arc::new(key)));
    settings.endpoint = Some(Endpoint {
        address: address.ip().to_string(),
        port: address.port(),
        client_ca: authority.pair().certificate.clone(),
        front_proxy_ca: proxy_ca,
    });
    let cluster = match folder.is_kept {
        true => Cluster::open(settings, &folder.path)?,
        false => Cluster::start(settings),
    };
    // Not before the folder is known to be ours: another server's clients go by these.
    folder.write("kubeconfig", &config)?;
    if let Some(file) = &kubeconfig {
        write(file, &config)?;
    }
    let shown = kubeconfig.unwrap_or_else(|| folder.path.join("kubeconfig"));
    announce(&url, &shown, &started);
    serve::serve(cluster.clone(), listener, tls, stop()).await;
    cluster.close().await;
    folder.leave();
    Ok(())
}

/// Puts the stages of a file before those that are built in.
fn stage(settings: &mut Settings, path: PathBuf) -> Result<(), NotServed> {
    let text = fs::read_to_string(&path).map_err(|error| error.to_string());
    match text.and_then(|text| read_stages(&text)) {
        Ok((of_objects, of_containers)) => {
            settings.parts.stages = Some(of_objects);
            settings.images = Images::new().with_stages(of_containers);
            Ok(())
        }
        Err(message) => Err(NotServed::Stages { path, message }),
    }
}

/// Says where the server is, in one block.
fn announce(url: &str, kubeconfig: &Path, started: &Clock) {
    let took_ms = started.now().since(started.start()).as_millis();
    let file = kubeconfig.display();
    let text = format!(
        "\
Kubernetes API  {url}  (1.36, started in {took_ms} ms)
kubeconfig      {file}
                export KUBECONFIG={file}
Ctrl-C stops it.
"
    );
    // Who does not read this has the kubeconfig.
    let _ = tell(Exit::Ok, &text);
}

/// Waits for SIGTERM or SIGINT.
pub(super) async fn stop() {
    let both =
        signal(SignalKind::terminate()).and_then(|t| Ok((t, signal(SignalKind::interrupt())?)));
    match both {
        Ok((mut terminate, mut interrupt)) => tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        },
        // Without handlers the signals end the process by themselves.
        Err(_) => std::future::pending().await,
    }
}

/// The names and addresses that a server's certificate is good for.
pub(super) fn names(address: IpAddr) -> Vec<String> {
    let usual = [
        "localhost",
        "kubernetes",
        "kubernetes.default",
        "kubernetes.default.svc",
        "kubernetes.default.svc.cluster.local",
        "10.96.0.1",
        "127.0.0.1",
        "::1",
    ];
    let mut names: Vec<String> = usual.iter().map(|name| (*name).to_owned()).collect();
    let address = address.to_string();
    if !names.contains(&address) {
        names.push(address);
    }
    names
}

/// An address that a client on this machine can use.
fn reachable(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(v4) if v4.is_unspecified() => IpAddr::from([127, 0, 0, 1]),
        IpAddr::V6(v6) if v6.is_unspecified() => IpAddr::from([0, 0, 0, 0, 0, 0, 0, 1]),
        address => address,
    }
}

pub(super) fn random_u64() -> Result<u64, NotServed> {
    let mut bytes = [0; 8];
    aws_lc_rs::rand::fill(&mut bytes).map_err(|_| NotServed::Random)?;
    Ok(u64::from_le_bytes(bytes))
}

/// The folder with a server's files.
struct Folder {
    path: PathBuf,
    /// Whether it is the user's own, and stays.
    is_kept: bool,
}

impl Folder {
    fn open(given: Option<PathBuf>, port: u16) -> Result<Self, NotServed> {
        let is_kept = given.is_some();
        let path = given.unwrap_or_else(|| {
            std::env::temp_dir().join(format!("towtank-{}-{port}", std::process::id()))
        });
        let folder = Self { path, is_kept };
        let pki = folder.path.join("pki");
        fs::create_dir_all(&pki).map_err(|source| NotServed::File { path: pki, source })?;
        Ok(folder)
    }

    /// An authority of the folder, so that a kubeconfig outlives a restart; a new one where
    /// there is none.
    fn authority(&self, name: &str) -> Result<Authority, NotServed> {
        let (crt, key) = (format!("pki/{name}.crt"), format!("pki/{name}.key"));
        let read = |name: &str| fs::read_to_string(self.path.join(name));
        if let (Ok(certificate), Ok(key)) = (read(&crt), read(&key)) {
            return Ok(Authority::again(Pair { certificate, key })?);
        }
        let authority = Authority::new()?;
        self.write(&crt, &authority.pair().certificate)?;
        self.write(&key, &authority.pair().key)?;
        Ok(authority)
    }

    /// A certificate for a proxy in front, which then says who sends a request.
    fn front_proxy(&self, authority: &Authority) -> Result<(), NotServed> {
        let pair = authority.client(FRONT_PROXY, &[])?;
        self.write("pki/front-proxy-client.crt", &pair.certificate)?;
        self.write("pki/front-proxy-client.key", &pair.key)
    }

    /// An administrator's certificate, and a token for those who cannot show one.
    fn admin(&self, authority: &Authority, settings: &mut Settings) -> Result<Pair, NotServed> {
        let token = match fs::read_to_string(self.path.join("token")) {
            Ok(token) if !token.trim().is_empty() => token.trim().to_owned(),
            _ => format!("{:016x}{:016x}", random_u64()?, random_u64()?),
        };
        self.write("token", &format!("{token}\n"))?;
        let groups = vec![MASTERS.to_owned()];
        let user = User { name: "admin".to_owned(), groups, ..User::default() };
        settings.tokens.push((token, user));
        Ok(authority.client("admin", &[MASTERS])?)
    }

    fn write(&self, name: &str, text: &str) -> Result<(), NotServed> {
        write(&self.path.join(name), text)
    }

    /// Takes the folder away again where nobody asked for it.
    fn leave(&self) {
        if !self.is_kept {
            // What is left in a folder for temporary files harms nobody.
            let _ = fs::remove_dir_all(&self.path);
        }
    }
}

/// Reads a file that was named.
pub(super) fn read(path: &Path) -> Result<String, NotServed> {
    fs::read_to_string(path).map_err(|source| NotServed::File { path: path.to_owned(), source })
}

/// Writes a file that its owner alone can read, whole or not at all.
pub(super) fn write(path: &Path, text: &str) -> Result<(), NotServed> {
    let failed = |source| NotServed::File { path: path.to_owned(), source };
    serve::tls::write_secret(path, text).map_err(failed)
}
