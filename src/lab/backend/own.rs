//! Our own API server over HTTPS in this process, with simulated controllers and nodes behind it:
//! the whole way over the wire, without any other program.

use tokio::net::TcpListener;
use tokio::sync::oneshot;

use super::error::SiteError;
use super::shell::Shell;
use crate::base::Profile;
use crate::serve::tls::{Authority, Tls};
use crate::serve::{self, Cluster, MASTERS, Settings, kubeconfig};
use crate::sim::pods::Images;
use crate::sim::rest::Endpoint;
use crate::sim::stages::Stage;
use crate::sim::world::Parts;

/// A server that runs. It ends when this is dropped.
#[derive(Debug)]
pub(super) struct Server {
    cluster: Cluster,
    /// How clients find it.
    pub(super) kubeconfig: String,
    _stop: oneshot::Sender<()>,
}

impl Server {
    /// Starts a fresh cluster of so many nodes on any free port.
    ///
    /// # Errors
    /// `System`.
    pub(super) fn start(
        shell: &Shell,
        seed: u64,
        profile: &Profile,
        nodes: usize,
        images: Images,
        stages: Vec<Stage>,
    ) -> Result<Self, SiteError> {
        let what = "our API server cannot be started";
        let tls = |error: serve::tls::TlsError| SiteError::system(what, &error);
        let authority = Authority::new().map_err(tls)?;
        let admin = authority.client("admin", &[MASTERS]).map_err(tls)?;
        let names = ["127.0.0.1".to_owned(), "localhost".to_owned()];
        let serving = authority.serving(&names).map_err(tls)?;
        let own = authority.pair().certificate.clone();
        let socket_tls = Tls::new(&serving, &own).map_err(tls)?;
        let bind = TcpListener::bind(("127.0.0.1", 0));
        let listener = shell.handle().block_on(bind);
        let listener = listener.map_err(|error| SiteError::system(what, &error))?;
        let port = listener.local_addr().map_err(|error| SiteError::system(what, &error))?.port();
        let kubeconfig = kubeconfig::print(&format!("https://127.0.0.1:{port}"), &own, &admin);
        let endpoint = Endpoint {
            address: "127.0.0.1".to_owned(),
            port,
            client_ca: own,
            front_proxy_ca: String::new(),
        };
        let settings = Settings {
            parts: Parts::staged(nodes, stages),
            images,
            profile: profile.clone(),
            seed,
            endpoint: Some(endpoint),
            ..Settings::default()
        };
        let (stop, stopped) = oneshot::channel::<()>();
        let _inside = shell.handle().enter();
        let cluster = Cluster::start(settings);
        shell.handle().spawn(serve::serve(cluster.clone(), listener, socket_tls, stopped));
        Ok(Self { cluster, kubeconfig, _stop: stop })
    }

    /// The cluster behind it, whose world a scenario may change.
    pub(super) fn cluster(&self) -> Cluster {
        self.cluster.clone()
    }
}
