//! From a text to a scenario: the tree is held against the grammar, then read, then its
//! references are checked. All problems of all three are told at once.
//!
//! Files and folders are not touched here (`find`, `load`).

mod actions;
mod expectations;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::check;
use super::conform::conform;
use super::grammar::Shape;
use super::metric;
use super::model::{
    Behaviour, Crash, Exit, GivenApp, Hook, ImageRule, Live, Mapped, MetricRule, Need, Notice,
    Placed, Position, Pull, Ready, Repo, Scenario, Step, Stop, World,
};
use super::problem::{Findings, Problems};
use super::tables;
use super::tree::Node;
use super::view::View;
use super::words;
use crate::base::Profile;
use crate::engine::model::{App, DriftPolicy, FailurePolicy};
use crate::object::Value;

/// Reads a scenario from the text of `file`, which is named in messages and is what `repo` is
/// relative to.
///
/// # Errors
/// All that is wrong with the text, in the order of its lines.
pub fn parse(file: &Path, text: &str) -> Result<Scenario, Problems> {
    let mut found = Findings::default();
    let start = Position { line: 1, column: 1 };
    match Node::read(text) {
        Err(error) => {
            found.add(Position { line: error.line, column: error.column }, error.message);
        }
        Ok(None) => found.add(start, "expected a scenario, found nothing"),
        Ok(Some(node)) => {
            conform(&node, &Shape::Map(&tables::SCENARIO), &mut found);
            let scenario = scenario(file, View::of(&node));
            check::references(&scenario, &mut found);
            if found.is_empty() {
                return Ok(scenario);
            }
        }
    }
    Err(found.into_problems(file))
}

fn scenario(file: &Path, root: View<'_>) -> Scenario {
    let labels = labels(root);
    let is_label = |text: &str| labels.contains(text);
    let step = |view: View<'_>| Step {
        at: view.at,
        name: view.get("name").some_text(),
        action: actions::action(view, &is_label),
        expect: view
            .get("expect")
            .items()
            .into_iter()
            .filter_map(|view| expectations::expectation(view, &is_label))
            .collect(),
    };
    Scenario {
        file: file.to_owned(),
        name: root.get("name").placed(),
        description: root.get("description").str().trim().to_owned(),
        repo: repo(file, root.get("repo")),
        remotes: remotes(file, root.get("remotes")),
        world: world(file, root.get("world")),
        seed: root.get("seed").whole(),
        needs: root.get("needs").items().into_iter().filter_map(need).collect(),
        notice: notice(root.get("notice")),
        apps: root.get("apps").items().into_iter().map(app).collect(),
        images: images(root.get("images")),
        metrics: metrics(root.get("metrics")),
        foreign: stages(root.get("foreign")),
        steps: root.get("steps").items().into_iter().map(step).collect(),
    }
}

/// Every label and tag that a push of the file gives, be it a pipeline's.
fn labels(root: View<'_>) -> BTreeSet<String> {
    let steps = root.get("steps").items().into_iter();
    let pushes = steps.flat_map(|step| [step.get("push"), step.get("ci")]);
    let names = pushes.flat_map(|push| [push.get("label").text(), push.get("tag").text()]);
    names.filter(|name| words::is_label(name)).collect()
}

fn repo(file: &Path, view: View<'_>) -> Repo {
    if view.is_map() {
        let files = view.get("files");
        let text =
            |(key, text): (&Placed<String>, View<'_>)| (words::clean_path(&key.value), text.text());
        return Repo::Files(files.entries().map(text).collect());
    }
    let written = view.placed();
    let path = beside(file, &written.value);
    Repo::Folder { written, path }
}

/// A path as seen from the working directory.
fn beside(file: &Path, written: &str) -> PathBuf {
    let folder = file.parent().unwrap_or(Path::new(""));
    // Components, so that `./shop` beside `a/b.scenario.yaml` is `a/shop`.
    folder.join(written).components().collect()
}

fn remotes(file: &Path, view: View<'_>) -> Vec<Mapped> {
    let mapped = |(url, view): (&Placed<String>, View<'_>)| {
        let written = view.placed();
        let path = beside(file, &written.value);
        Mapped { url: url.value.clone(), written, path }
    };
    view.entries().map(mapped).collect()
}

fn need(view: View<'_>) -> Option<Placed<Need>> {
    let value = Need::ALL.into_iter().find(|need| need.word() == view.str())?;
    Some(Placed { value, at: view.at })
}

fn notice(view: View<'_>) -> Notice {
    view.get("poll").duration().map_or(Notice::Webhook, Notice::Poll)
}

fn world(file: &Path, view: View<'_>) -> World {
    let default = World::default();
    World {
        profile: Profile::named(view.get("profile").str()).unwrap_or(default.profile),
        nodes: view.get("nodes").count().unwrap_or(default.nodes),
        stages: view.get("stages").there().map(|stages| {
            let folder = file.parent().unwrap_or(Path::new(""));
            let written = stages.placed();
            let path = folder.join(&written.value).components().collect();
            (written, path)
        }),
    }
}

fn app(view: View<'_>) -> GivenApp {
    let default = App::new(view.get("name").str(), &view.get("path").path().value);
    let app = App {
        namespace: view.get("namespace").some_text().unwrap_or(default.namespace),
        depends_on: view.get("depends-on").items().into_iter().map(View::text).collect(),
        drift: match view.get("drift").str() {
            "correct" => DriftPolicy::Correct,
            "report" => DriftPolicy::Report,
            "ignore" => DriftPolicy::Ignore,
            _ => default.drift,
        },
        on_failure: match view.get("on-failure").str() {
            "hold" => FailurePolicy::Hold,
            "rollback" => FailurePolicy::Rollback,
            "revert" => FailurePolicy::Revert,
            _ => default.on_failure,
        },
        health_timeout: view.get("health-timeout").duration().unwrap_or(default.health_timeout),
        prune: view.get("prune").flag().unwrap_or(default.prune),
        ..default
    };
    let depends_on_at = view.get("depends-on").items().into_iter().map(|item| item.at).collect();
    GivenApp { app, at: view.get("name").at, depends_on_at }
}

fn stages(view: View<'_>) -> Vec<Placed<Value>> {
    let items = view.items().into_iter();
    items.map(|item| Placed { value: item.json(), at: item.at }).collect()
}

fn images(view: View<'_>) -> Vec<ImageRule> {
    let rule = |(key, view): (&Placed<String>, View<'_>)| ImageRule {
        pattern: key.clone(),
        script: script(view),
    };
    view.entries().map(rule).collect()
}

fn metrics(view: View<'_>) -> Vec<MetricRule> {
    let mut rules = Vec::new();
    for (key, readings) in view.entries() {
        let Some(object) = words::object_ref(&key.value, key.at) else { continue };
        for (name, reading) in readings.entries() {
            let text = match reading.json() {
                Value::String(text) => text.into(),
                other => other.to_string(),
            };
            let reading = metric::reading(&text).flatten();
            rules.push(MetricRule { object: object.clone(), metric: name.value.clone(), reading });
        }
    }
    rules
}

fn script(view: View<'_>) -> Behaviour {
    let pull = view.get("pull").there().map(|pull| match pull.str() {
        "fails" => Pull::Fails,
        "never" => Pull::Never,
        _ => Pull::Takes(pull.duration().unwrap_or_default()),
    });
    let ready = view.get("ready").there().map(|ready| match ready.str() {
        "never" => Ready::Never,
        _ => Ready::After(ready.duration().unwrap_or_default()),
    });
    let crash = view.get("crash").there().map(|crash| Crash {
        after: crash.phrase("after").unwrap_or_else(|| after(crash)),
        exit_code: crash.get("exit-code").code().unwrap_or(1),
        times: crash.get("times").count(),
    });
    let stop = view.get("stop").there().map(|stop| match stop.str() {
        "ignored" => Stop::Ignored,
        "hangs" => Stop::Hangs,
        _ => Stop::Takes(stop.duration().unwrap_or_default()),
    });
    let exit = view.get("exit").there();
    Behaviour {
        pull,
        start: view.get("start").duration(),
        ready,
        crash,
        live: view.get("live").phrase("until").map(Live::Until),
        exit: exit
            .map(|exit| Exit { after: after(exit), code: exit.get("code").code().unwrap_or(0) }),
        post_start: view.get("post-start").there().map(hook),
        pre_stop: view.get("pre-stop").there().map(hook),
        stop,
    }
}

fn hook(view: View<'_>) -> Hook {
    match view.str() {
        "fails" => Hook::Fails(Duration::ZERO),
        "never" => Hook::Never,
        _ => Hook::Takes(view.duration().unwrap_or_default()),
    }
}

fn after(view: View<'_>) -> Duration {
    view.get("after").duration().unwrap_or_default()
}
