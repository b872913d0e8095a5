//! Sends recorded requests to a server that runs, and compares its answers.

use std::time::Duration;

use http_body_util::BodyExt as _;
use hyper::{Request, header};
use kube::Client;
use kube::client::Body;
use kube::config::{KubeConfigOptions, Kubeconfig};

use super::compare::{Answer, Comparison};
use crate::object::{Value, json};

/// A request that is not answered in this time is given up: a recorded watch ends by itself after
/// a few seconds, and a read of a future revision takes three.
const PATIENCE: Duration = Duration::from_secs(70);

/// A record whose answer differs.
pub(super) struct Divergence {
    pub(super) name: String,
    pub(super) differences: Vec<String>,
}

/// A client for the cluster of a kubeconfig.
pub(super) async fn client(file: &std::path::Path) -> Result<Client, String> {
    let shown = file.display();
    let config = Kubeconfig::read_from(file).map_err(|e| format!("{shown}: {e}"))?;
    let options = KubeConfigOptions::default();
    let config = kube::Config::from_custom_kubeconfig(config, &options).await;
    let config = config.map_err(|e| format!("{shown}: {e}"))?;
    Client::try_from(config).map_err(|e| format!("{shown}: {e}"))
}

/// Sends the records of a file in their order; gives back how many were compared, and what differs.
pub(super) async fn replay(
    client: &Client,
    records: &[Value],
) -> Result<(usize, Vec<Divergence>), String> {
    let mut comparison = Comparison::default();
    comparison.has_objects_of_its_own = true;
    let (mut asked, mut found) = (0, Vec::new());
    for record in records {
        let name = record["name"].as_str().unwrap_or_default();
        let answer = send(client, &comparison, record).await.map_err(|e| format!("{name}: {e}"))?;
        let differences = comparison.differences(record, &answer);
        if record.get("setup").is_some() {
            // What was set up may take a moment to be served, and may be there already.
            tokio::time::sleep(Duration::from_millis(200)).await;
            continue;
        }
        asked += 1;
        if !differences.is_empty() {
            found.push(Divergence { name: name.to_owned(), differences });
        }
    }
    Ok((asked, found))
}

async fn send(client: &Client, comparison: &Comparison, record: &Value) -> Result<Answer, String> {
    let request = &record["request"];
    let text = |key: &str| request[key].as_str().unwrap_or_default();
    let body = match &request["body"] {
        Value::Null => String::new(),
        Value::String(body) => comparison.translate(body),
        // As it was written: an answer may go by the order of its fields.
        other => comparison.translate(request["text"].as_str().unwrap_or(&other.to_string())),
    };
    let target = comparison.translate(text("path"));
    let mut built = Request::builder()
        .method(text("method"))
        .uri(&target)
        .header(header::ACCEPT, "application/json")
        .header(header::USER_AGENT, text("agent"));
    if !text("type").is_empty() {
        built = built.header(header::CONTENT_TYPE, text("type"));
    }
    let built = built.body(Body::from(body.into_bytes())).map_err(|e| e.to_string())?;
    let answering = async {
        let response = client.send(built).await.map_err(|e| e.to_string())?;
        let (head, body) = response.into_parts();
        let bytes = body.collect().await.map_err(|e| e.to_string())?.to_bytes();
        Ok::<_, String>((head, bytes))
    };
    let answered = tokio::time::timeout(PATIENCE, answering).await;
    let (head, bytes) = answered.map_err(|_| "is not answered".to_owned())??;
    let warnings = head.headers.get_all(header::WARNING).iter();
    let warnings = warnings.map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
    let is_watch = target.contains("watch=") && head.status.as_u16() == 200;
    let text = String::from_utf8_lossy(&bytes);
    Ok(Answer {
        status: head.status.as_u16(),
        warnings: warnings.collect(),
        body: body_of(&text, is_watch),
    })
}

fn body_of(text: &str, is_watch: bool) -> Value {
    let read = |text: &str| serde_json::from_str::<Value>(text).ok();
    let events = || text.lines().map(read).collect::<Option<Vec<Value>>>().map(Value::Array);
    let found = if is_watch { events() } else { read(text) };
    found.unwrap_or_else(|| json!(text))
}
