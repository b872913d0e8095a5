//! Called `kube-apiserver` or `etcd` (by a link or a copy), the program stands in for them under
//! controller-runtime's envtest and its like (R-SUI-01): it takes their flags, and does what the
//! suites need of them.
//!
//! Flags that mean nothing here are accepted, whatever they are: suites of all versions give them.
//! The cluster has no controllers then, as in envtest; `--towtank-controllers=all`, or the
//! environment variable `TOWTANK_CONTROLLERS`, gives it some.

use std::ffi::OsString;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::net::TcpListener;

use super::apiserver::{self, NotServed};
use super::typed::{self, ControllersWord};
use super::{Exit, complain, tell};
use crate::serve::tls::{Authority, Pair, Tls};
use crate::serve::{self, AccountKey, Cluster, ISSUER, Settings};
use crate::sim::rest::{Authorization, Endpoint, SharedKey, TokenKey};

/// The other programs that this one can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    KubeApiserver,
    Etcd,
}

impl Role {
    /// The role that the program was called by.
    pub(super) fn called(args: &[OsString]) -> Option<Role> {
        let name = Path::new(args.first()?).file_stem()?;
        match name.to_str()? {
            "kube-apiserver" => Some(Role::KubeApiserver),
            "etcd" => Some(Role::Etcd),
            _ => None,
        }
    }
}

const KUBE_APISERVER_HELP: &str = "\
towtank in the place of kube-apiserver 1.36: a simulated API server with its own store.

Flags that are heeded (others are accepted and mean nothing):
      --authorization-mode strings        RBAC or AlwaysAllow
      --bind-address ip                   where to serve [0.0.0.0]
      --cert-dir string                   where apiserver.crt and apiserver.key are, or go
      --client-ca-file string             authorities of client certificates
      --secure-port int                   the port [6443]
      --tls-cert-file string              the server's certificate
      --tls-private-key-file string       its key
      --token-auth-file string            bearer tokens: token,user,uid,\"groups\"
      --towtank-controllers string        all, none, or some of manager,scheduler,nodes,stages [none]
";

const ETCD_HELP: &str = "\
towtank in the place of etcd: it says that it is well. The API server has its own store.

Flags that are heeded (others are accepted and mean nothing):
      --listen-client-urls string         where to answer [http://localhost:2379]
      --unsafe-no-fsync                   accepted
";

/// Plays a role until SIGTERM or SIGINT.
pub(super) fn run(role: Role, args: &[OsString]) -> Exit {
    let flags = Flags::read(args);
    if flags.get("help").is_some() || flags.get("h").is_some() {
        let help = if role == Role::Etcd { ETCD_HELP } else { KUBE_APISERVER_HELP };
        return tell(Exit::Ok, help);
    }
    if flags.get("version").is_some() {
        let version =
            if role == Role::Etcd { "etcd Version: 3.6.5\n" } else { "Kubernetes v1.36.3\n" };
        return tell(Exit::Ok, version);
    }
    let done = match role {
        Role::KubeApiserver => apiserver::block_on(kube_apiserver(&flags)),
        Role::Etcd => apiserver::block_on(etcd(&flags)),
    };
    match done {
        Ok(()) => Exit::Ok,
        Err(error) => complain(Exit::Environment, &error.to_string()),
    }
}

async fn kube_apiserver(flags: &Flags) -> Result<(), NotServed> {
    let given = |name: &str| flags.get(name).map(PathBuf::from);
    let any = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
    let ip: IpAddr = flags.get("bind-address").and_then(|ip| ip.parse().ok()).unwrap_or(any);
    let port = flags.get("secure-port").and_then(|port| port.parse().ok()).unwrap_or(6443);
    let address = SocketAddr::new(ip, port);
    let unserved = |source| NotServed::Address { address, source };
    let listener = TcpListener::bind(address).await.map_err(unserved)?;
    let authority = Authority::new()?;
    let serving = serving(flags, ip, &authority)?;
    let clients = match given("client-ca-file") {
        Some(file) => apiserver::read(&file)?,
        None => authority.pair().certificate.clone(),
    };
    let proxy_ca = given("requestheader-client-ca-file").map(|file| apiserver::read(&file));
    let proxy_ca = proxy_ca.transpose()?.unwrap_or_default();
    let names = flags.get("requestheader-allowed-names").unwrap_or_default();
    let names = names.split(',').filter(|name| !name.is_empty()).map(str::to_owned).collect();
    let proxies = Some((proxy_ca.as_str(), names)).filter(|(ca, _)| !ca.is_empty());
    let tls = Tls::with_proxies(&serving, &clients, proxies)?;
    let mut settings = settings(flags)?;
    settings.seed = apiserver::random_u64()?;
    if let Some(file) = given("service-account-signing-key-file") {
        let issuer = flags.get("service-account-issuer").unwrap_or(ISSUER).to_owned();
        let pem = apiserver::read(&file)?;
        let key: Arc<dyn TokenKey> = match AccountKey::from_pem(&pem) {
            Some(key) => Arc::new(key),
            // A key of a form that is not known still tells this server's tokens from others'.
            None => Arc::new(SharedKey::new(pem.as_bytes())),
        };
        settings.token_issuer = Some((issuer, key));
    }
    settings.endpoint = Some(Endpoint {
        address: ip.to_string(),
        port,
        client_ca: clients.clone(),
        front_proxy_ca: proxy_ca,
    });
    if let Some(file) = given("token-auth-file") {
        settings.tokens = serve::token_file(&apiserver::read(&file)?);
    }
    let cluster = Cluster::start(settings);
    serve::serve(cluster, listener, tls, apiserver::stop()).await;
    Ok(())
}

/// The server's certificate: a given one, that of the folder, or a new one that goes there.
fn serving(flags: &Flags, ip: IpAddr, authority: &Authority) -> Result<Pair, NotServed> {
    let folder = flags.get("cert-dir").map(PathBuf::from);
    let inside = |name: &str| folder.as_ref().map(|folder| folder.join(name));
    let certificate =
        flags.get("tls-cert-file").map(PathBuf::from).or_else(|| inside("apiserver.crt"));
    let key =
        flags.get("tls-private-key-file").map(PathBuf::from).or_else(|| inside("apiserver.key"));
    let (Some(certificate), Some(key)) = (certificate, key) else {
        return Ok(authority.serving(&apiserver::names(ip))?);
    };
    if certificate.exists() || flags.get("tls-cert-file").is_some() {
        let (certificate, key) = (apiserver::read(&certificate)?, apiserver::read(&key)?);
        return Ok(Pair { certificate, key });
    }
    let made = authority.serving(&apiserver::names(ip))?;
    let chain = format!("{}{}", made.certificate, authority.pair().certificate);
    apiserver::write(&certificate, &chain)?;
    apiserver::write(&key, &made.key)?;
    Ok(Pair { certificate: chain, key: made.key })
}

fn settings(flags: &Flags) -> Result<Settings, NotServed> {
    let word = flags.get("towtank-controllers").map(ToOwned::to_owned);
    let word = word.or_else(|| std::env::var("TOWTANK_CONTROLLERS").ok());
    let word = word.filter(|word| !word.is_empty());
    let parts = word.as_deref().map_or(Ok(ControllersWord::default()), typed::controllers);
    let modes = flags.get("authorization-mode").unwrap_or("AlwaysAllow");
    let always = modes.split(',').any(|mode| mode == "AlwaysAllow");
    Ok(Settings {
        parts: parts.map_err(NotServed::Flag)?.with_nodes(None),
        authorization: if always { Authorization::AlwaysAllow } else { Authorization::Rbac },
        ..Settings::default()
    })
}

async fn etcd(flags: &Flags) -> Result<(), NotServed> {
    let urls = flags.get("listen-client-urls").unwrap_or("http://localhost:2379");
    let mut listeners = Vec::new();
    for url in urls.split(',') {
        let host = url.split_once("://").map_or(url, |(_, rest)| rest).trim_end_matches('/');
        let listener = TcpListener::bind(host).await;
        listeners
            .push(listener.map_err(|source| NotServed::Host { host: host.to_owned(), source })?);
    }
    let (stopping, stopped) = tokio::sync::watch::channel(false);
    for listener in listeners {
        let mut stopped = stopped.clone();
        tokio::spawn(serve::etcd::serve(listener, async move {
            // That nobody can stop it any more is a stop, too.
            drop(stopped.wait_for(|stopped| *stopped).await);
        }));
    }
    apiserver::stop().await;
    stopping.send_replace(true);
    Ok(())
}

/// Flags as Go's programs take them: `--name=value`, `--name value`, `--name`.
struct Flags(Vec<(String, String)>);

impl Flags {
    fn read(args: &[OsString]) -> Self {
        let mut words = args.iter().skip(1).map(|word| word.to_string_lossy()).peekable();
        let mut flags = Vec::new();
        while let Some(word) = words.next() {
            let Some(flag) = word.strip_prefix('-') else { continue };
            let flag = flag.strip_prefix('-').unwrap_or(flag);
            let (name, value) = match flag.split_once('=') {
                Some((name, value)) => (name, value.to_owned()),
                None => {
                    let next = words.next_if(|next| !next.starts_with('-'));
                    (flag, next.map(|next| next.into_owned()).unwrap_or_default())
                }
            };
            flags.push((name.to_owned(), value));
        }
        Self(flags)
    }

    /// The value that was given last.
    fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().rev().find(|(flag, _)| flag == name).map(|(_, value)| value.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(words: &[&str]) -> Vec<OsString> {
        words.iter().map(OsString::from).collect()
    }

    /// R-SUI-01.
    #[test]
    fn the_program_plays_the_role_that_it_is_called_by() {
        let called = |name| Role::called(&words(&[name]));
        assert_eq!(called("/assets/kube-apiserver"), Some(Role::KubeApiserver));
        assert_eq!(called("etcd"), Some(Role::Etcd));
        assert_eq!(called("target/debug/towtank"), None);
    }

    #[test]
    fn flags_are_read_as_gos_programs_read_them() {
        let flags = Flags::read(&words(&[
            "kube-apiserver",
            "--secure-port=1",
            "--bind-address",
            "::1",
            "--allow-privileged",
            "--secure-port=2",
            "-h",
        ]));
        assert_eq!(flags.get("secure-port"), Some("2"));
        assert_eq!(flags.get("bind-address"), Some("::1"));
        assert_eq!(flags.get("allow-privileged"), Some(""));
        assert_eq!(flags.get("h"), Some(""));
        assert_eq!(flags.get("none"), None);
    }

    /// R-SUI-01.
    #[test]
    fn help_does_not_offer_the_port_that_is_gone() {
        assert!(
            KUBE_APISERVER_HELP.lines().all(|l| !l.trim_start().starts_with("--insecure-port"))
        );
    }
}
