//! From a scenario to its text, which reads back as the same scenario: for scenarios that a
//! program made, by shrinking or from a seed. Comments are not kept, defaults are left out.

mod steps;

use std::time::Duration;

use super::duration::show;
use super::image::said;
use super::metric;
use super::model::{
    Behaviour, GivenApp, ImageRule, Live, Mapped, MetricRule, Notice, Pull, Ready, Repo, Scenario,
    Stop, World,
};
use crate::engine::model::{App, DriftPolicy, FailurePolicy};
use crate::object::yaml::Yaml;

/// The text of a scenario.
#[must_use]
pub fn write(scenario: &Scenario) -> String {
    let repo = match &scenario.repo {
        Repo::Folder { written, .. } => Yaml::text(&written.value),
        Repo::Files(files) => {
            let files = files.iter().map(|(path, text)| (path.clone(), Yaml::text(text)));
            Yaml::Map(vec![("files".to_owned(), Yaml::Map(files.collect()))])
        }
    };
    let steps = scenario.steps.iter().map(steps::step).collect();
    Pairs::default()
        .with("name", Yaml::text(&scenario.name.value))
        .with("description", Yaml::text(&scenario.description))
        .with("repo", repo)
        .with_map("remotes", Pairs(scenario.remotes.iter().map(remote).collect()))
        .with_map("world", world(&scenario.world))
        .with_some("seed", scenario.seed.map(number))
        .with_list(
            "needs",
            scenario.needs.iter().map(|need| Yaml::text(need.value.word())).collect(),
        )
        .with_some("notice", notice(scenario.notice))
        .with_list("apps", scenario.apps.iter().map(app).collect())
        .with_map("images", Pairs(scenario.images.iter().map(image).collect()))
        .with_map("metrics", metrics(&scenario.metrics))
        .with_list("foreign", scenario.foreign.iter().map(|s| Yaml::from_json(&s.value)).collect())
        .with("steps", Yaml::List(steps))
        .map()
        .document()
}

/// A map that grows; what is as it is by itself is left out.
#[derive(Default)]
struct Pairs(Vec<(String, Yaml)>);

impl Pairs {
    fn with(mut self, key: &str, value: Yaml) -> Self {
        self.0.push((key.to_owned(), value));
        self
    }

    fn with_some(self, key: &str, value: Option<Yaml>) -> Self {
        match value {
            Some(value) => self.with(key, value),
            None => self,
        }
    }

    fn with_map(self, key: &str, pairs: Pairs) -> Self {
        if pairs.0.is_empty() { self } else { self.with(key, pairs.map()) }
    }

    fn with_list(self, key: &str, items: Vec<Yaml>) -> Self {
        if items.is_empty() { self } else { self.with(key, Yaml::List(items)) }
    }

    fn with_time(self, key: &str, time: Option<Duration>) -> Self {
        self.with_some(key, time.map(|time| Yaml::text(show(time))))
    }

    fn map(self) -> Yaml {
        Yaml::Map(self.0)
    }
}

fn number(n: impl Into<u64>) -> Yaml {
    Yaml::Scalar(n.into().into())
}

fn notice(notice: Notice) -> Option<Yaml> {
    match notice {
        Notice::Webhook => None,
        Notice::Poll(every) => Some(Pairs::default().with_time("poll", Some(every)).map()),
    }
}

fn remote(mapped: &Mapped) -> (String, Yaml) {
    (mapped.url.clone(), Yaml::text(&mapped.written.value))
}

fn world(world: &World) -> Pairs {
    let default = World::default();
    let profile = (world.profile != default.profile).then(|| Yaml::text(world.profile.name));
    let nodes = (world.nodes != default.nodes).then(|| number(world.nodes));
    let stages = world.stages.as_ref().map(|(written, _)| Yaml::text(&written.value));
    Pairs::default()
        .with_some("profile", profile)
        .with_some("nodes", nodes)
        .with_some("stages", stages)
}

fn app(given: &GivenApp) -> Yaml {
    let app = &given.app;
    let default = App::new(&app.name, "");
    let depends_on = app.depends_on.iter().map(Yaml::text).collect();
    let on_failure = match app.on_failure {
        FailurePolicy::Hold => "hold",
        FailurePolicy::Rollback => "rollback",
        FailurePolicy::Revert => "revert",
    };
    let drift = match app.drift {
        DriftPolicy::Correct => "correct",
        DriftPolicy::Report => "report",
        DriftPolicy::Ignore => "ignore",
    };
    let timeout = Some(app.health_timeout).filter(|time| *time != default.health_timeout);
    let text = |text: &str, differs: bool| differs.then(|| Yaml::text(text));
    Pairs::default()
        .with("name", Yaml::text(&app.name))
        .with_some("path", text(&app.path, !app.path.is_empty()))
        .with_some("namespace", text(&app.namespace, app.namespace != default.namespace))
        .with_list("depends-on", depends_on)
        .with_some("on-failure", text(on_failure, app.on_failure != default.on_failure))
        .with_some("drift", text(drift, app.drift != default.drift))
        .with_time("health-timeout", timeout)
        .with_some("prune", (!app.prune).then(|| Yaml::Scalar(false.into())))
        .map()
}

fn image(rule: &ImageRule) -> (String, Yaml) {
    (rule.pattern.value.clone(), behaviour(&rule.script).map())
}

/// Rules of one workload, which follow each other, stand under one key.
fn metrics(rules: &[MetricRule]) -> Pairs {
    let mut objects: Vec<(String, Pairs)> = Vec::new();
    for rule in rules {
        let object = rule.object.to_string();
        let reading = Yaml::text(metric::written(rule.reading.as_ref()));
        match objects.iter_mut().find(|(known, _)| *known == object) {
            Some((_, pairs)) => pairs.0.push((rule.metric.clone(), reading)),
            None => objects.push((object, Pairs::default().with(&rule.metric, reading))),
        }
    }
    Pairs(objects.into_iter().map(|(object, pairs)| (object, pairs.map())).collect())
}

fn behaviour(script: &Behaviour) -> Pairs {
    let pull = script.pull.map(|pull| match pull {
        Pull::Takes(time) => show(time),
        Pull::Fails => "fails".to_owned(),
        Pull::Never => "never".to_owned(),
    });
    let ready = script.ready.map(|ready| match ready {
        Ready::After(time) => show(time),
        Ready::Never => "never".to_owned(),
    });
    let crash = script.crash.map(|crash| {
        if crash.exit_code == 1 && crash.times.is_none() {
            return Yaml::text(format!("after {}", show(crash.after)));
        }
        Pairs::default()
            .with_time("after", Some(crash.after))
            .with("exit-code", Yaml::Scalar(crash.exit_code.into()))
            .with_some("times", crash.times.map(number))
            .map()
    });
    let live = script.live.map(|Live::Until(time)| format!("until {}", show(time)));
    let exit = script.exit.map(|exit| {
        Pairs::default()
            .with_time("after", Some(exit.after))
            .with("code", Yaml::Scalar(exit.code.into()))
            .map()
    });
    let stop = script.stop.map(|stop| match stop {
        Stop::Takes(time) => show(time),
        Stop::Ignored => "ignored".to_owned(),
        Stop::Hangs => "hangs".to_owned(),
    });
    Pairs::default()
        .with_some("pull", pull.map(Yaml::text))
        .with_time("start", script.start)
        .with_some("post-start", script.post_start.map(said).map(Yaml::text))
        .with_some("ready", ready.map(Yaml::text))
        .with_some("crash", crash)
        .with_some("live", live.map(Yaml::text))
        .with_some("exit", exit)
        .with_some("pre-stop", script.pre_stop.map(said).map(Yaml::text))
        .with_some("stop", stop.map(Yaml::text))
}
