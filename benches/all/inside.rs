//! The API server in this process, as its service: how soon it is there, and how late its watches
//! hear. Its parts by themselves are `sim`'s, the process over HTTPS is `serve`'s.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::pin::Pin;
use std::rc::Rc;
use std::time::Duration;

use hdrhistogram::Histogram;
use hyper::body::Body as _;
use hyper::{Method, Request, Response};
use tokio::runtime::Runtime;
use tokio::task::LocalSet;
use tower_service::Service as _;
use towtank::serve::{Body, Cluster, Service, Settings};

use super::measure::{Each, Work, lap, now, ns};

/// Watches of one resource.
const WATCHES: usize = 1_000;
/// From one write to the next.
const EVERY: Duration = Duration::from_millis(1);
/// By how much memory may grow under the watches: ten thousand changes of 1 kB are kept for who
/// comes late, with what keeps them, and one second of events may lie at the readers.
const GROWTH_MIB: f64 = 64.0;
const MAPS: &str = "/api/v1/namespaces/default/configmaps";

/// `size` times a cluster with all its controllers and three nodes, from nothing to the first
/// `/readyz` that is 200.
pub(crate) fn start(size: usize, _seed: u64) -> Work {
    let runtime = runtime();
    Box::new(Each(move |laps: &mut Vec<u64>| {
        let mut right = 0;
        for _ in 0..size {
            let (took, ready) = lap(|| {
                runtime.block_on(async {
                    let cluster = Cluster::start(Settings::default());
                    ask(&mut cluster.service(), Method::GET, "/readyz", "").await.is_some()
                })
            });
            laps.push(took);
            right += usize::from(ready);
        }
        right
    }))
}

/// A thousand watches of one resource while it is written `size` times, a thousand times a second;
/// timed is each event at each watch, from when the write was due. Right is each write that all
/// watches heard of, none if memory grew by more than [`GROWTH_MIB`].
pub(crate) fn watches(size: usize, _seed: u64) -> Work {
    let runtime = runtime();
    Box::new(Each(move |laps: &mut Vec<u64>| {
        let lags = Histogram::<u64>::new(3).unwrap_or_else(|error| panic!("{error}"));
        let lags = Rc::new(RefCell::new(lags));
        let heard = runtime.block_on(LocalSet::new().run_until(watched(size, Rc::clone(&lags))));
        let lags = lags.borrow();
        laps.extend((1..=1_000).map(|n| lags.value_at_quantile(f64::from(n) / 1_000.0)));
        heard
    }))
}

/// See [`watches`].
async fn watched(size: usize, lags: Rc<RefCell<Histogram<u64>>>) -> usize {
    let cluster = Cluster::start(Settings::default());
    let mut service = cluster.service();
    let first = ask(&mut service, Method::POST, MAPS, &config_map(0)).await;
    assert!(first.is_some(), "the map is made");
    let begun = Rc::new(Cell::new(now()));
    let mut readers = Vec::new();
    for _ in 0..WATCHES {
        let path = format!("{MAPS}?watch=1&resourceVersion=0");
        let opened = ask(&mut service, Method::GET, &path, "").await;
        let stream = opened.unwrap_or_else(|| panic!("the watch is open")).into_body();
        let (begun, lags) = (Rc::clone(&begun), Rc::clone(&lags));
        readers.push(tokio::task::spawn_local(async move {
            read(stream, size, |heard| {
                // The n-th write is due n times `EVERY` after the first.
                let due = begun.get() + EVERY * u32::try_from(heard).unwrap_or(u32::MAX);
                // Longer than its bounds there is nothing to record.
                _ = lags.borrow_mut().record(ns(now().saturating_duration_since(due)));
            })
            .await
        }));
    }
    tokio::time::sleep(Duration::from_millis(50)).await;
    let before = resident_mib();
    begun.set(now() + EVERY);
    for n in 0..size {
        let due = begun.get() + EVERY * u32::try_from(n).unwrap_or(u32::MAX);
        // The runtime's timers are no finer than a millisecond, so the rest of one is yielded.
        while now() < due {
            tokio::task::yield_now().await;
        }
        let path = format!("{MAPS}/m");
        let written = ask(&mut service, Method::PUT, &path, &config_map(n + 1)).await;
        assert!(written.is_some(), "the map is written");
    }
    let mut least = size;
    for reader in readers {
        least = least.min(reader.await.unwrap_or(0));
    }
    if resident_mib() - before > GROWTH_MIB { 0 } else { least }
}

/// Reads a watch till it has told of `wanted` changes; `heard` is called with the number of each.
async fn read(mut stream: Body, wanted: usize, heard: impl Fn(usize)) -> usize {
    // The first is the object as it was when the watch was opened.
    let mut lines = 0;
    while lines <= wanted {
        let next = poll_fn(|cx| Pin::new(&mut stream).poll_frame(cx)).await;
        let Some(Ok(frame)) = next else { break };
        let Some(piece) = frame.data_ref() else { continue };
        // An event is a line, whose text has none. They are counted first, which takes a hundredth
        // of what looking at each byte in turn would.
        let told = piece.iter().filter(|byte| **byte == b'\n').count();
        for n in lines..lines + told {
            if n > 0 {
                heard(n - 1);
            }
        }
        lines += told;
    }
    lines.saturating_sub(1)
}

/// An answer that is a success.
async fn ask(
    service: &mut Service,
    method: Method,
    path: &str,
    body: &str,
) -> Option<Response<Body>> {
    let request = Request::builder().method(method).uri(path);
    let request = request.header("content-type", "application/json").body(body.to_owned()).ok()?;
    let answer = service.call(request).await.ok()?;
    answer.status().is_success().then_some(answer)
}

fn config_map(n: usize) -> String {
    format!(
        r#"{{"apiVersion":"v1","kind":"ConfigMap","metadata":{{"name":"m"}},"data":{{"n":"{n}","text":"{}"}}}}"#,
        "x".repeat(900)
    )
}

fn runtime() -> Runtime {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.unwrap_or_else(|error| panic!("{error}"))
}

/// What of this process is in memory; 0 where the system does not say.
fn resident_mib() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|rest| rest.split_whitespace().next()?.parse::<f64>().ok());
    kib.unwrap_or(0.0) / 1024.0
}
