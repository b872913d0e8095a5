//! The canonical load: so many Apps of four objects each (ServiceAccount, ConfigMap, Service,
//! Deployment of one replica), every App in a folder and a namespace-wide name of its own.
//!
//! Benchmarks and cost tests all take it from here, so that their figures can be compared. The
//! four objects are those of `measured` figures of other engines.

use std::fmt::Write as _;
use std::path::Path;

use crate::lab::scenario::{self, Problems, Scenario};

/// A scenario that deploys `apps` Apps and then takes the steps written in `steps` (a YAML list;
/// the image of App 0 is `load/app-0`).
///
/// # Errors
/// Where `steps` is not what the scenario language allows.
pub fn scenario(apps: usize, steps: &str) -> Result<Scenario, Problems> {
    let mut text = String::from(
        "name: load\ndescription: The canonical load.\nimages: { \"load/*\": { ready: 0ms } }\n",
    );
    // A node takes 110 pods, and a rolling update needs room for one more of each.
    let _ = writeln!(text, "world: {{ nodes: {} }}\nrepo:\n  files:", 3 + apps / 50);
    for app in 0..apps {
        let _ = write!(text, "    apps/app-{app}/all.yaml: |\n{}", indented(&manifests(app)));
    }
    text.push_str("apps:\n");
    for app in 0..apps {
        let _ = writeln!(text, "  - {{ name: app-{app}, path: apps/app-{app} }}");
    }
    let _ = write!(text, "steps:\n{steps}");
    scenario::parse(Path::new("load.scenario.yaml"), &text)
}

/// Steps that wait until every one of `apps` Apps is ready for the first time.
#[must_use]
pub fn first_deploy(apps: usize) -> String {
    let mut steps = String::from("  - expect:\n");
    for app in 0..apps {
        let _ = writeln!(steps, "      - {{ app: app-{app}, ready: {{ within: 10m }} }}");
    }
    steps
}

/// A step that gives App `app` the tag `tag` and waits until it is ready.
#[must_use]
pub fn push(app: usize, tag: &str) -> String {
    format!(
        "  - push: {{ set-image: {{ load/app-{app}: \"{tag}\" }} }}\n    expect: {{ app: app-{app}, ready: {{ within: 10m }} }}\n"
    )
}

fn manifests(app: usize) -> String {
    format!(
        "apiVersion: v1
kind: ServiceAccount
metadata: {{ name: app-{app} }}
---
apiVersion: v1
kind: ConfigMap
metadata: {{ name: app-{app} }}
data: {{ LEVEL: info, REGION: eu }}
---
apiVersion: v1
kind: Service
metadata: {{ name: app-{app} }}
spec:
  selector: {{ app: app-{app} }}
  ports: [{{ name: http, port: 80, targetPort: 8080 }}]
---
apiVersion: apps/v1
kind: Deployment
metadata: {{ name: app-{app}, labels: {{ app: app-{app} }} }}
spec:
  replicas: 1
  selector: {{ matchLabels: {{ app: app-{app} }} }}
  template:
    metadata: {{ labels: {{ app: app-{app} }} }}
    spec:
      serviceAccountName: app-{app}
      containers:
        - name: app
          image: load/app-{app}:1
          ports: [{{ containerPort: 8080 }}]
          envFrom: [{{ configMapRef: {{ name: app-{app} }} }}]
"
    )
}

fn indented(text: &str) -> String {
    text.lines().map(|line| format!("      {line}\n")).collect()
}
