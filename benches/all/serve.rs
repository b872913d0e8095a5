//! The API server as a process over HTTPS, one client, HTTP/2 through kube: what a request takes.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::Client;
use kube::api::{Api, ListParams, Patch, PatchParams, PostParams, WatchEvent, WatchParams};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use super::measure::{Each, Work, now, ns};

/// From the program's start to the first `/readyz` that is 200, `size` times.
pub(crate) fn start(size: usize, _seed: u64) -> Work {
    Box::new(move || {
        let started = |_: &usize| Served::start().runtime.is_some();
        (0..size).filter(started).count()
    })
}

/// GET of a Deployment of 1 kB.
pub(crate) fn get(size: usize, _seed: u64) -> Work {
    let served = Served::start();
    served.apply("d", false);
    work(size, served, async |api: &Api<Deployment>, _| api.get("d").await.is_ok())
}

/// Apply of a Deployment that is not there.
pub(crate) fn apply_new(size: usize, _seed: u64) -> Work {
    work(size, Served::start(), async |api: &Api<Deployment>, n| {
        let name = format!("d{n}");
        let params = PatchParams::apply("bench");
        api.patch(&name, &params, &Patch::Apply(&deployment(&name))).await.is_ok()
    })
}

/// Apply of what is there already, in the same words.
pub(crate) fn apply_same(size: usize, _seed: u64) -> Work {
    let served = Served::start();
    served.apply("d", false);
    let same = deployment("d");
    work(size, served, async move |api: &Api<Deployment>, _| {
        api.patch("d", &PatchParams::apply("bench"), &Patch::Apply(&same)).await.is_ok()
    })
}

/// Dry run of an apply that changes something.
pub(crate) fn dry_run(size: usize, _seed: u64) -> Work {
    let served = Served::start();
    served.apply("d", false);
    let mut other = deployment("d");
    other["spec"]["replicas"] = json!(7);
    work(size, served, async move |api: &Api<Deployment>, _| {
        let params = PatchParams::apply("bench").dry_run();
        api.patch("d", &params, &Patch::Apply(&other)).await.is_ok()
    })
}

/// From a create being sent to its event at a watch, one after the other.
pub(crate) fn write_to_event(size: usize, _seed: u64) -> Work {
    let served = Served::start();
    let Some(runtime) = &served.runtime else { return Box::new(|| 0) };
    let maps: Api<ConfigMap> = Api::default_namespaced(served.client.clone());
    let opened = runtime.block_on(async { maps.watch(&WatchParams::default(), "0").await });
    let Ok(events) = opened else { return Box::new(|| 0) };
    let mut events = Box::pin(events);
    Box::new(Each(move |laps: &mut Vec<u64>| {
        let Some(runtime) = &served.runtime else { return 0 };
        runtime.block_on(async {
            let mut right = 0;
            for n in 0..size {
                let begun = now();
                let wanted = format!("m{n}");
                let (params, map) = (PostParams::default(), config_map(&wanted));
                let made = maps.create(&params, &map);
                let heard = async {
                    loop {
                        let next = std::future::poll_fn(|cx| {
                            futures_core::Stream::poll_next(events.as_mut(), cx)
                        });
                        match next.await {
                            Some(Ok(WatchEvent::Added(map))) => {
                                if map.metadata.name.as_deref() == Some(&wanted) {
                                    return true;
                                }
                            }
                            Some(Ok(_)) => {}
                            _ => return false,
                        }
                    }
                };
                let heard = async {
                    let is_heard = heard.await;
                    laps.push(ns(begun.elapsed()));
                    is_heard
                };
                let (made, heard) = tokio::join!(made, heard);
                right += usize::from(made.is_ok() && heard);
            }
            right
        })
    }))
}

/// `size` ConfigMaps of 1 kB, listed in pages of 500; right is each that was listed.
pub(crate) fn list(size: usize, _seed: u64) -> Work {
    let served = Served::start();
    let maps: Api<ConfigMap> = Api::default_namespaced(served.client.clone());
    if let Some(runtime) = &served.runtime {
        runtime.block_on(async {
            for n in 0..size {
                // One that is not made is missed in the list.
                drop(maps.create(&PostParams::default(), &config_map(&format!("m{n:06}"))).await);
            }
        });
    }
    Box::new(move || {
        let Some(runtime) = &served.runtime else { return 0 };
        runtime.block_on(async {
            let mut params = ListParams::default().limit(500);
            let mut listed = 0;
            while let Ok(page) = maps.list(&params).await {
                listed += page.items.len();
                match page.metadata.continue_.filter(|token| !token.is_empty()) {
                    Some(token) => params = params.continue_token(&token),
                    None => break,
                }
            }
            listed
        })
    })
}

fn work(
    size: usize,
    served: Served,
    one: impl AsyncFn(&Api<Deployment>, usize) -> bool + 'static,
) -> Work {
    let api: Api<Deployment> = Api::default_namespaced(served.client.clone());
    Box::new(move || {
        let Some(runtime) = &served.runtime else { return 0 };
        runtime.block_on(async {
            let mut right = 0;
            for n in 0..size {
                right += usize::from(one(&api, n).await);
            }
            right
        })
    })
}

fn deployment(name: &str) -> Value {
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": { "name": name, "labels": { "app": name } },
        "spec": {
            "replicas": 0,
            "selector": { "matchLabels": { "app": name } },
            "template": {
                "metadata": { "labels": { "app": name } },
                "spec": { "containers": [{
                    "name": "c", "image": "registry.example/c:1",
                    "ports": [{ "containerPort": 80 }],
                    "env": [{ "name": "A", "value": "1" }],
                    "resources": { "requests": { "cpu": "10m" } },
                }] },
            },
        },
    })
}

fn config_map(name: &str) -> ConfigMap {
    ConfigMap {
        metadata: kube::api::ObjectMeta { name: Some(name.to_owned()), ..Default::default() },
        data: Some([("text".to_owned(), "x".repeat(700))].into()),
        ..Default::default()
    }
}

/// A running server and a client for it.
struct Served {
    child: Child,
    client: Client,
    /// `None` once it has answered wrongly.
    runtime: Option<Runtime>,
}

impl Served {
    fn start() -> Self {
        #[expect(clippy::disallowed_methods, reason = "the process is what is measured")]
        let mut command = Command::new(env!("CARGO_BIN_EXE_towtank"));
        let mut child = command
            .args(["apiserver", "--port", "0", "--controllers", "none"])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("the program does not start: {error}"));
        let stdout = child.stdout.take().map(BufReader::new);
        let kubeconfig = stdout.and_then(|told| {
            let mut lines = told.lines().map_while(Result::ok);
            lines.find_map(|line| Some(line.strip_prefix("kubeconfig")?.trim().to_owned()))
        });
        let kubeconfig = kubeconfig.unwrap_or_else(|| panic!("the program says where it serves"));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.unwrap_or_else(|error| panic!("{error}"));
        let client = runtime
            .block_on(client(Path::new(&kubeconfig)))
            .unwrap_or_else(|error| panic!("{kubeconfig}: {error}"));
        let ready = runtime.block_on(async {
            let request = hyper::Request::get("/readyz").body(Vec::new());
            match request {
                Ok(request) => client.request_text(request).await.is_ok_and(|text| text == "ok"),
                Err(_) => false,
            }
        });
        Self { child, client, runtime: ready.then_some(runtime) }
    }

    fn apply(&self, name: &str, dry_run: bool) {
        let api: Api<Deployment> = Api::default_namespaced(self.client.clone());
        let mut params = PatchParams::apply("bench");
        params.dry_run = dry_run;
        if let Some(runtime) = &self.runtime {
            // What is not there is read in vain, and counted.
            drop(runtime.block_on(api.patch(name, &params, &Patch::Apply(&deployment(name)))));
        }
    }
}

async fn client(kubeconfig: &Path) -> Result<Client, Box<dyn std::error::Error>> {
    let file = kube::config::Kubeconfig::read_from(kubeconfig)?;
    let config = kube::Config::from_custom_kubeconfig(file, &Default::default()).await?;
    Ok(Client::try_from(config)?)
}

impl Drop for Served {
    fn drop(&mut self) {
        // SIGTERM would be kinder; its folder for temporary files is all that it leaves.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
