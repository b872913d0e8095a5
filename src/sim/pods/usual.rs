//! What containers do that nobody scripted, as data (R-CTL-38): how long pull, start, readiness
//! and stop take by profile (`stages.yaml`), and stages that a scenario gives for containers.
//!
//! A stage names a moment of a container's life, the containers that it is for, and what happens:
//!
//! ```yaml
//! - at: run                       # or pull, start, post-start, ready, live, pre-stop, stop
//!   image: "shop/*"               # as patterns of images are; also namespace, container,
//!   labels: { app: cart }         # labels and annotations of the pod
//!   weight: 1                     # how often, compared with others for the moment
//!   after: 5s..20s                # evenly spread
//!   exit-code: 137                # what then happens: see `Effect`
//! ```
//!
//! Of all stages for a moment one is drawn by weight; a script of the image (`behaviour`) comes
//! before all of them.

use std::collections::BTreeMap;
use std::time::Duration;

use super::behaviour::{Behaviour, Crash, Hook, Live, Pull, Ready, Stop, glob, matches};
use crate::base::profile::Spread;
use crate::base::{Rng, duration};
use crate::object::{Map, Value, yaml};

/// How long things take that nobody scripted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Usual {
    /// Pulling an image that the node lacks.
    pub(super) pull: Spread,
    /// From image present to container running (sandbox, network, volumes).
    pub(super) start: Spread,
    /// A command that runs in a container as its hook, beside what it sleeps.
    pub(super) exec: Spread,
    /// A request to a container as its hook.
    pub(super) http: Spread,
    /// From running to ready.
    pub(super) ready: Spread,
    /// From the signal to a container having ended by itself.
    pub(super) stop: Spread,
}

impl Usual {
    /// Those of the profile called `name`; of one that is not listed everything takes no time.
    pub(super) fn of(name: &str) -> Self {
        // The file is part of the program, and a test reads it.
        let file = yaml::body(include_str!("stages.yaml")).unwrap_or_default();
        let stages = file.as_array().map_or(&[][..], Vec::as_slice);
        let spread = |moment: &str| {
            let mut found = stages.iter().filter(|stage| stage["at"] == moment);
            let after = found.next().and_then(|stage| stage["after"][name].as_str());
            after.and_then(spread).unwrap_or(Spread::ZERO)
        };
        Self {
            pull: spread("pull"),
            start: spread("start"),
            exec: spread("exec"),
            http: spread("http"),
            ready: spread("ready"),
            stop: spread("stop"),
        }
    }
}

/// `2s` or `2s..5s`.
fn spread(text: &str) -> Option<Spread> {
    let (from, to) = text.split_once("..").unwrap_or((text, text));
    let (from, to) = (duration::parse(from)?, duration::parse(to)?);
    (from <= to).then_some(Spread { from, to })
}

/// A moment of a container's life at which something is decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Moment {
    Pull,
    Start,
    /// Its postStart hook runs, if it has one.
    PostStart,
    Ready,
    /// It runs: whether it ends by itself.
    Run,
    Live,
    /// Its preStop hook runs, if it has one.
    PreStop,
    Stop,
}

const MOMENTS: [(&str, Moment); 8] = [
    ("pull", Moment::Pull),
    ("start", Moment::Start),
    ("post-start", Moment::PostStart),
    ("ready", Moment::Ready),
    ("run", Moment::Run),
    ("live", Moment::Live),
    ("pre-stop", Moment::PreStop),
    ("stop", Moment::Stop),
];

/// What happens at the moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Effect {
    /// It comes to pass after that long: pulled, started, ready; at `live` it lasts that long.
    After,
    /// `fails: true`, of a pull; of a hook, after that long.
    Fails,
    /// `never: true`: the pull or the hook never ends, readiness never comes.
    Never,
    /// `exit-code: N`, of a run; `times` as in [`Crash`].
    Ends { code: i32, times: Option<u32> },
    /// `ignored: true`, of a stop.
    Ignored,
    /// `hangs: true`, of a stop.
    Hangs,
    /// A run that goes on: for its weight.
    GoesOn,
}

/// A stage of a container.
#[derive(Clone, Debug, PartialEq)]
pub struct ContainerStage {
    on: Moment,
    image: Option<String>,
    namespace: Option<String>,
    container: Option<String>,
    labels: BTreeMap<String, String>,
    annotations: BTreeMap<String, String>,
    weight: u32,
    after: Spread,
    effect: Effect,
}

/// What a stage is chosen by.
#[derive(Clone, Copy, Debug)]
pub(super) struct Facts<'a> {
    pub(super) image: &'a str,
    pub(super) container: &'a str,
    pub(super) who: &'a Who,
}

/// What is kept of a pod for its stages.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Who {
    pub(super) namespace: String,
    pub(super) labels: Map,
    pub(super) annotations: Map,
}

/// Why something is no stage of a container.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NotAContainerStage(String);

const KEYS: [&str; 15] = [
    "name",
    "at",
    "image",
    "namespace",
    "container",
    "labels",
    "annotations",
    "weight",
    "after",
    "fails",
    "never",
    "exit-code",
    "times",
    "ignored",
    "hangs",
];

impl ContainerStage {
    /// Whether a stage of a file is one of containers: it says at which moment.
    #[must_use]
    pub fn is_one(value: &Value) -> bool {
        value.get("at").is_some()
    }

    /// Reads one.
    ///
    /// # Errors
    /// What keeps it from being one.
    pub fn read(value: &Value) -> Result<Self, NotAContainerStage> {
        let wrong = |what: String| Err(NotAContainerStage(what));
        let mut keys = value.as_object().into_iter().flatten().map(|(key, _)| key.as_str());
        if let Some(key) = keys.find(|key| !KEYS.contains(key)) {
            return wrong(format!("unknown key {key:?}; expected {}", KEYS.join(", ")));
        }
        let word = value["at"].as_str().unwrap_or_default();
        let Some((_, on)) = MOMENTS.iter().find(|(other, _)| *other == word) else {
            let words = MOMENTS.map(|(word, _)| word).join(", ");
            return wrong(format!("at: expected one of {words}, found {word:?}"));
        };
        let text = |key: &str| value.get(key).and_then(Value::as_str).map(ToOwned::to_owned);
        let flag = |key: &str| value.get(key).and_then(Value::as_bool) == Some(true);
        let number = |key: &str| value.get(key).and_then(Value::as_i64);
        let texts = |key: &str| -> BTreeMap<String, String> {
            let map = value.get(key).and_then(Value::as_object).into_iter().flatten();
            map.filter_map(|(key, value)| Some((key.to_string(), value.as_str()?.to_owned())))
                .collect()
        };
        let after = text("after").map(|text| spread(&text).ok_or(text)).transpose();
        let after = match after {
            Ok(after) => after,
            Err(text) => {
                return wrong(format!("after: expected {}, found {text:?}", duration::EXPECTED));
            }
        };
        let times = number("times").and_then(|times| u32::try_from(times).ok());
        let code = number("exit-code").and_then(|code| i32::try_from(code).ok());
        let effect = match (on, code) {
            (Moment::Run, Some(code)) => Effect::Ends { code, times },
            (Moment::Run, None) => Effect::GoesOn,
            (_, Some(_)) => return wrong("exit-code: only of run".to_owned()),
            (Moment::Pull | Moment::PostStart | Moment::PreStop, None) if flag("fails") => {
                Effect::Fails
            }
            (Moment::Pull | Moment::PostStart | Moment::PreStop | Moment::Ready, None)
                if flag("never") =>
            {
                Effect::Never
            }
            (Moment::Stop, None) if flag("ignored") => Effect::Ignored,
            (Moment::Stop, None) if flag("hangs") => Effect::Hangs,
            (_, None) if after.is_none() => return wrong(format!("{word}: expected after")),
            (_, None) => Effect::After,
        };
        Ok(Self {
            on: *on,
            image: text("image"),
            namespace: text("namespace"),
            container: text("container"),
            labels: texts("labels"),
            annotations: texts("annotations"),
            weight: number("weight").and_then(|w| u32::try_from(w).ok()).unwrap_or(1),
            after: after.unwrap_or(Spread::ZERO),
            effect,
        })
    }

    fn is_for(&self, on: Moment, facts: Facts<'_>) -> bool {
        let fits = |pattern: &Option<String>, text: &str| {
            pattern.as_ref().is_none_or(|pattern| glob(pattern, text))
        };
        let all = |wanted: &BTreeMap<String, String>, have: &Map| {
            wanted.iter().all(|(key, pattern)| {
                have.get(key).and_then(Value::as_str).is_some_and(|text| glob(pattern, text))
            })
        };
        self.on == on
            && self.image.as_ref().is_none_or(|pattern| matches(pattern, facts.image))
            && fits(&self.namespace, &facts.who.namespace)
            && fits(&self.container, facts.container)
            && all(&self.labels, &facts.who.labels)
            && all(&self.annotations, &facts.who.annotations)
    }
}

/// What the stages say of a container at some moments; nothing where none is for it.
pub(super) fn staged(
    stages: &[ContainerStage],
    moments: &[Moment],
    facts: Facts<'_>,
    rng: &mut Rng,
) -> Behaviour {
    let mut behaviour = Behaviour::default();
    for moment in moments {
        let fitting: Vec<_> = stages.iter().filter(|s| s.is_for(*moment, facts)).collect();
        let total: u64 = fitting.iter().map(|stage| u64::from(stage.weight)).sum();
        // Without a choice nothing is drawn, so that stages for others change nothing here.
        let mut lot = if total > 1 && fitting.len() > 1 { rng.below(total) } else { 0 };
        let drawn = fitting.into_iter().find(|stage| {
            let is_it = lot < u64::from(stage.weight);
            lot = lot.saturating_sub(u64::from(stage.weight));
            is_it
        });
        if let Some(stage) = drawn {
            let after = stage.after.draw(rng);
            put(&mut behaviour, stage, after);
        }
    }
    behaviour
}

fn put(behaviour: &mut Behaviour, stage: &ContainerStage, after: Duration) {
    match (stage.on, stage.effect) {
        (Moment::Pull, Effect::After) => behaviour.pull = Some(Pull::Takes(after)),
        (Moment::Pull, Effect::Fails) => behaviour.pull = Some(Pull::Fails),
        (Moment::Pull, Effect::Never) => behaviour.pull = Some(Pull::Never),
        (Moment::Start, Effect::After) => behaviour.start = Some(after),
        (Moment::Ready, Effect::After) => behaviour.ready = Some(Ready::After(after)),
        (Moment::Ready, Effect::Never) => behaviour.ready = Some(Ready::Never),
        (Moment::Run, Effect::Ends { code: exit_code, times }) => {
            behaviour.crash = Some(Crash { after, exit_code, times });
        }
        (Moment::Live, Effect::After) => behaviour.live = Some(Live::Until(after)),
        (Moment::PostStart, effect) => behaviour.post_start = hook(effect, after),
        (Moment::PreStop, effect) => behaviour.pre_stop = hook(effect, after),
        (Moment::Stop, Effect::After) => behaviour.stop = Some(Stop::Takes(after)),
        (Moment::Stop, Effect::Ignored) => behaviour.stop = Some(Stop::Ignored),
        (Moment::Stop, Effect::Hangs) => behaviour.stop = Some(Stop::Hangs),
        _ => {}
    }
}

fn hook(effect: Effect, after: Duration) -> Option<Hook> {
    match effect {
        Effect::After => Some(Hook::Takes(after)),
        Effect::Fails => Some(Hook::Fails(after)),
        Effect::Never => Some(Hook::Never),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Profile;

    #[test]
    fn every_profile_has_its_times() {
        let ms =
            |from, to| Spread { from: Duration::from_millis(from), to: Duration::from_millis(to) };
        assert_eq!(Usual::of(Profile::instant().name).pull, Spread::ZERO);
        assert_eq!(Usual::of(Profile::warm().name).start, ms(300, 700));
        assert_eq!(Usual::of(Profile::cold().name).pull, ms(4_000, 12_000));
        assert_eq!(Usual::of(Profile::cold().name).stop, ms(100, 400));
    }

    /// R-CTL-38.
    #[test]
    fn containers_do_what_the_stages_for_them_say() {
        let file = yaml::body(include_str!("stages.cases.yaml")).unwrap();
        for case in file.as_array().unwrap() {
            let stages = case.get("stages").and_then(Value::as_array).cloned().unwrap_or_default();
            let stages: Result<Vec<_>, _> = stages.iter().map(ContainerStage::read).collect();
            let got = match stages {
                _ if case.get("profile").is_some() => {
                    format!("{:?}", Usual::of(case["profile"].as_str().unwrap()))
                }
                Err(error) => error.to_string(),
                Ok(stages) => {
                    let given = &case["given"];
                    let text = |key: &str| given[key].as_str().unwrap_or_default().to_owned();
                    let map = |key: &str| given[key].as_object().cloned().unwrap_or_default();
                    let who = Who {
                        namespace: text("namespace"),
                        labels: map("labels"),
                        annotations: map("annotations"),
                    };
                    let (image, container) = (text("image"), text("container"));
                    let facts = Facts { image: &image, container: &container, who: &who };
                    let moments = MOMENTS.map(|(_, moment)| moment);
                    let got = staged(&stages, &moments, facts, &mut Rng::new(1));
                    format!("{got:?}")
                }
            };
            for part in case["has"].as_array().unwrap() {
                let part = part.as_str().unwrap();
                assert!(got.contains(part), "{}: {part} is not in {got}", case["name"]);
            }
        }
    }

    #[test]
    fn weights_are_kept_over_many_draws() {
        let stage = |text: &str| ContainerStage::read(&yaml::body(text).unwrap()).unwrap();
        let stages = [
            stage("{ at: run, weight: 1, after: 1s, exit-code: 1 }"),
            stage("{ at: run, weight: 9 }"),
        ];
        let (who, mut rng) = (Who::default(), Rng::new(7));
        let facts = Facts { image: "a:1", container: "c", who: &who };
        let crashes = (0..1_000)
            .filter(|_| staged(&stages, &[Moment::Run], facts, &mut rng).crash.is_some())
            .count();
        assert!((60..140).contains(&crashes), "{crashes}");
    }
}
