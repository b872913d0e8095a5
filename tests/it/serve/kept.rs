//! State that outlives the process: stops, kills in the middle of writes, damaged logs.

#![expect(clippy::unwrap_used, reason = "a test ends at the first thing that is not there")]

use std::fs::{self, OpenOptions};
use std::io::{Seek as _, SeekFrom, Write as _};
use std::time::Duration;

use k8s_openapi::api::core::v1::ConfigMap;
use kube::api::{Api, ListParams, PostParams};

use super::process::{Process, command};

const NONE: &[&str] = &["--controllers", "none"];

fn config_map(name: &str) -> ConfigMap {
    let value = serde_json::json!({ "metadata": { "name": name }, "data": { "name": name } });
    serde_json::from_value(value).unwrap()
}

async fn names(client: &kube::Client) -> Vec<String> {
    let maps: Api<ConfigMap> = Api::default_namespaced(client.clone());
    let list = maps.list(&ListParams::default()).await.unwrap();
    list.items.into_iter().filter_map(|map| map.metadata.name).collect()
}

#[tokio::test]
async fn what_was_written_is_there_after_a_stop_and_versions_go_on() {
    let folder = tempfile::tempdir().unwrap();
    let mut process = Process::start_in(folder.path(), NONE);
    let client = process.client().await;
    let maps: Api<ConfigMap> = Api::default_namespaced(client.clone());
    let made = maps.create(&PostParams::default(), &config_map("a")).await.unwrap();
    maps.create(&PostParams::default(), &config_map("b")).await.unwrap();
    maps.delete("b", &Default::default()).await.unwrap();
    drop(client);
    assert!(process.terminate());

    let process = Process::start_in(folder.path(), NONE);
    let client = process.client().await;
    assert_eq!(names(&client).await, ["a"]);
    let maps: Api<ConfigMap> = Api::default_namespaced(client);
    let read = maps.get("a").await.unwrap();
    assert_eq!(read, made);
    let next = maps.create(&PostParams::default(), &config_map("c")).await.unwrap();
    let version = |map: &ConfigMap| map.metadata.resource_version.clone().unwrap().parse::<u64>();
    assert_eq!(version(&next).unwrap(), version(&made).unwrap() + 3);
}

#[tokio::test]
async fn no_acknowledged_write_is_lost_when_the_process_is_killed() {
    let folder = tempfile::tempdir().unwrap();
    let mut acknowledged: Vec<String> = Vec::new();
    for round in 0..3 {
        let mut process = Process::start_in(folder.path(), NONE);
        let client = process.client().await;
        let there = names(&client).await;
        assert!(acknowledged.iter().all(|name| there.contains(name)), "round {round}");
        let (told, mut heard) = tokio::sync::mpsc::unbounded_channel();
        let mut writers = Vec::new();
        for writer in 0..4 {
            let (client, told) = (client.clone(), told.clone());
            writers.push(tokio::spawn(async move {
                let maps: Api<ConfigMap> = Api::default_namespaced(client);
                for n in 0.. {
                    let name = format!("r{round}-w{writer}-{n}");
                    if maps.create(&PostParams::default(), &config_map(&name)).await.is_err() {
                        return;
                    }
                    told.send(name).unwrap();
                }
            }));
        }
        tokio::time::timeout(Duration::from_millis(400), std::future::pending::<()>())
            .await
            .unwrap_err();
        process.kill();
        drop(told);
        for writer in writers {
            writer.await.unwrap();
        }
        while let Some(name) = heard.recv().await {
            acknowledged.push(name);
        }
    }
    assert!(acknowledged.len() > 10, "{}", acknowledged.len());
    let process = Process::start_in(folder.path(), NONE);
    let there = names(&process.client().await).await;
    assert!(acknowledged.iter().all(|name| there.contains(name)));
}

#[tokio::test]
async fn a_watch_from_before_a_crash_is_told_to_begin_anew() {
    let folder = tempfile::tempdir().unwrap();
    let mut process = Process::start_in(folder.path(), NONE);
    let client = process.client().await;
    let maps: Api<ConfigMap> = Api::default_namespaced(client);
    let made = maps.create(&PostParams::default(), &config_map("a")).await.unwrap();
    process.kill();
    let process = Process::start_in(folder.path(), NONE);
    let version = made.metadata.resource_version.unwrap();
    let output = command("curl")
        .args(["-sk", "-H"])
        .arg(format!(
            "Authorization: Bearer {}",
            fs::read_to_string(folder.path().join("token")).unwrap().trim()
        ))
        .arg(format!(
            "https://{}/api/v1/configmaps?watch=1&timeoutSeconds=2&resourceVersion={version}",
            process.address()
        ))
        .output();
    let Ok(output) = output else { return eprintln!("skipped: curl is not here") };
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("\"code\":410"), "{text}");
}

#[tokio::test]
async fn a_torn_end_is_dropped_and_damage_before_it_stops_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let mut process = Process::start_in(folder.path(), NONE);
    let maps: Api<ConfigMap> = Api::default_namespaced(process.client().await);
    for name in ["a", "b"] {
        maps.create(&PostParams::default(), &config_map(name)).await.unwrap();
    }
    process.kill();
    let log = folder.path().join("state/log");
    let mut file = OpenOptions::new().append(true).open(&log).unwrap();
    file.write_all(&[200, 0, 0, 0, 1, 2, 3, 4, b'C', b'\n', b'{']).unwrap();
    drop(file);
    let mut process = Process::start_in(folder.path(), NONE);
    assert_eq!(names(&process.client().await).await, ["a", "b"]);
    process.kill();

    let mut file = OpenOptions::new().write(true).open(&log).unwrap();
    file.seek(SeekFrom::Start(40)).unwrap();
    file.write_all(b"#").unwrap();
    let mut command = command(env!("CARGO_BIN_EXE_towtank"));
    let output = command.args(["apiserver", "--data-dir"]).arg(folder.path()).output().unwrap();
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(4), "{text}");
    assert!(text.contains("damaged at byte 14: a wrong checksum"), "{text}");
}

#[tokio::test]
async fn a_disk_that_takes_nothing_refuses_writes_and_loses_none_that_it_took() {
    let folder = tempfile::tempdir().unwrap();
    // What a full disk is to a program: a write that does not come through. The signal that comes
    // with a limit on the size of files is not what is tried.
    let script = "trap '' XFSZ; ulimit -f 2000; exec \"$0\" \"$@\"";
    let mut process = Process::start_by(&["sh", "-c", script], folder.path(), NONE);
    let client = process.client().await;
    let maps: Api<ConfigMap> = Api::default_namespaced(client.clone());
    let large = |name: &str| {
        let text = "x".repeat(100_000);
        let value = serde_json::json!({ "metadata": { "name": name }, "data": { "text": text } });
        serde_json::from_value::<ConfigMap>(value).unwrap()
    };
    let mut acknowledged = Vec::new();
    let refused = loop {
        let name = format!("m{}", acknowledged.len());
        match maps.create(&PostParams::default(), &large(&name)).await {
            Ok(_) => acknowledged.push(name),
            Err(kube::Error::Api(status)) => break status,
            Err(other) => panic!("{other}"),
        }
        assert!(acknowledged.len() < 1_000);
    };
    assert_eq!(refused.code, 500);
    assert!(refused.message.contains("the data folder cannot be written"), "{}", refused.message);
    assert!(maps.create(&PostParams::default(), &large("later")).await.is_err());
    assert!(names(&client).await.len() >= acknowledged.len());
    process.kill();
    let process = Process::start_in(folder.path(), NONE);
    let there = names(&process.client().await).await;
    assert!(!acknowledged.is_empty() && acknowledged.iter().all(|name| there.contains(name)));
}

#[tokio::test]
async fn a_folder_that_is_in_use_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let _process = Process::start_in(folder.path(), NONE);
    let mut command = command(env!("CARGO_BIN_EXE_towtank"));
    let output = command.args(["apiserver", "--data-dir"]).arg(folder.path()).output().unwrap();
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(4), "{text}");
    assert!(text.contains("another towtank uses this folder"), "{text}");
}
