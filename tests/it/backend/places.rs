//! The program, and servers for it to run on, for the tests beside this.
#![expect(clippy::unwrap_used, reason = "a test ends at the first thing that is not there")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use towtank::api::User;
use towtank::lab::backend::Shell;
use towtank::object::{Object, Value};
use towtank::serve::tls::{Authority, Pair, Tls};
use towtank::serve::{Cluster, MASTERS, Settings, kubeconfig, serve};
use towtank::sim::rest::Endpoint;

/// One ConfigMap, deployed and changed once.
pub(super) const SMALL: &str = "\
name: small
description: One object is deployed and changed.
repo:
  files:
    map.yaml: |
      apiVersion: v1
      kind: ConfigMap
      metadata: { name: settings, namespace: shop }
      data: { key: one }
apps: [{ name: web, path: ., namespace: shop }]
steps:
  - push: { edit: { file: map.yaml, set: { data.key: two } } }
    expect:
      - { app: web, ready: { within: 20s } }
      - { object: configmap/shop/settings, has: { data: { key: two } }, within: 20s }
";

/// The same, and then a wait in which it can be interrupted.
pub(super) fn waiting() -> String {
    format!("{SMALL}  - wait: 60s\n")
}

/// The program.
#[expect(clippy::disallowed_methods, reason = "the program itself is what is tried here")]
pub(super) fn towtank(folder: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_towtank"));
    command.current_dir(folder).args(args).env_remove("COLUMNS").env_remove("KUBECONFIG");
    command.env("HOME", folder).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// A folder with a scenario.
pub(super) fn folder(scenario: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("one.scenario.yaml"), scenario).unwrap();
    folder
}

pub(super) fn told(output: &Output) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    format!("{}{}", text(&output.stdout), text(&output.stderr))
}

/// Sends a signal to a program that runs.
#[expect(clippy::disallowed_methods, reason = "the one way to send a signal without unsafe code")]
pub(super) fn signal(child: &Child, name: &str) {
    let status = Command::new("kill").args([name, &child.id().to_string()]).status();
    assert!(status.unwrap().success());
}

/// A cluster of this process on a socket, as somebody's that a kubeconfig names.
pub(super) struct Served {
    pub(super) cluster: Cluster,
    pub(super) kubeconfig: PathBuf,
    _folder: tempfile::TempDir,
    shell: Shell,
}

impl Served {
    /// One that its administrator uses.
    pub(super) fn start() -> Self {
        Self::with(&|authority, names| authority.serving(names).unwrap(), &|authority| {
            authority.client("admin", &[MASTERS]).unwrap()
        })
    }

    /// One with such a certificate, for such a client.
    pub(super) fn with(
        serving: &dyn Fn(&Authority, &[String]) -> Pair,
        client: &dyn Fn(&Authority) -> Pair,
    ) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let shell = Shell::start("served").unwrap();
        let authority = Authority::new().unwrap();
        let names = ["127.0.0.1".to_owned()];
        let own = authority.pair().certificate.clone();
        let tls = Tls::new(&serving(&authority, &names), &own).unwrap();
        let runtime = shell.handle().clone();
        let _inside = runtime.enter();
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
        let port = listener.local_addr().unwrap().port();
        let endpoint = Endpoint {
            address: "127.0.0.1".to_owned(),
            port,
            client_ca: own.clone(),
            front_proxy_ca: String::new(),
        };
        let dev = User { name: "dev".to_owned(), ..User::default() };
        let settings = Settings {
            endpoint: Some(endpoint),
            tokens: vec![("unused".to_owned(), dev)],
            ..Settings::default()
        };
        let cluster = Cluster::start(settings);
        runtime.spawn(serve(cluster.clone(), listener, tls, std::future::pending::<()>()));
        let config =
            kubeconfig::print(&format!("https://127.0.0.1:{port}"), &own, &client(&authority));
        let kubeconfig = folder.path().join("kubeconfig");
        fs::write(&kubeconfig, config).unwrap();
        Self { cluster, kubeconfig, _folder: folder, shell }
    }

    /// Writes an object as an administrator.
    pub(super) fn post(&self, path: &str, body: &Value) -> u16 {
        self.ask("POST", path, Some(body)).0
    }

    /// The names of a collection.
    pub(super) fn names(&self, path: &str) -> Vec<String> {
        let (_, list) = self.ask("GET", path, None);
        let items = list["items"].as_array().cloned().unwrap_or_default();
        let name = |item: Value| Object::from_value(item).map(|o| o.name().to_owned());
        items.into_iter().filter_map(|item| name(item).ok()).collect()
    }

    /// Waits a moment.
    pub(super) fn pause(&self) {
        let moment = std::time::Duration::from_millis(50);
        self.shell.handle().block_on(async { tokio::time::sleep(moment).await });
    }

    fn ask(&self, method: &str, path: &str, body: Option<&Value>) -> (u16, Value) {
        use http_body_util::BodyExt as _;
        let text = body.map(ToString::to_string).unwrap_or_default();
        let request = http::Request::builder()
            .method(method)
            .uri(path)
            .header("Content-Type", "application/json")
            .body(http_body_util::Full::new(bytes::Bytes::from(text)))
            .unwrap();
        let service = self.cluster.service();
        let answer = self.shell.handle().block_on(async move {
            let response = tower_service::Service::call(&mut { service }, request).await.unwrap();
            let code = response.status().as_u16();
            (code, response.into_body().collect().await.unwrap().to_bytes())
        });
        (answer.0, serde_json::from_slice(&answer.1).unwrap_or_default())
    }
}
