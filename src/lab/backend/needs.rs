//! What a scenario needs of the place that it is run in, as it says and as follows from what it
//! does; and whether a place gives that.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::base::limits;
use crate::engine::apps::given;
use crate::lab::scenario::Scenario;
use crate::lab::scenario::model::{
    Action, Behaviour, Expected, Hook, ImageRule, Need, NodeStepKind, Pull, Ready, Stop,
};

/// What a place gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gives {
    /// Images do what a scenario says.
    pub scripted_images: bool,
    /// The world is ours: nodes fall silent, stages say what becomes of objects, measures are given.
    pub scripted_nodes: bool,
    /// Time jumps to what is due next.
    pub virtual_time: bool,
}

impl Gives {
    fn gives(self, need: Need) -> bool {
        match need {
            Need::ScriptedImages => self.scripted_images,
            Need::ScriptedNodes => self.scripted_nodes,
            Need::VirtualTime => self.virtual_time,
            // They come between the engine and a cluster in memory, where there is no site.
            Need::Faults => false,
        }
    }

    /// What a scenario needs and does not get here, in words; `None` where it can be run.
    #[must_use]
    pub fn lacking(self, scenario: &Scenario) -> Option<String> {
        let lacking = of(scenario).into_iter().filter(|need| !self.gives(*need));
        let words: Vec<&str> = lacking.map(Need::word).collect();
        (!words.is_empty()).then(|| words.join(", "))
    }
}

/// What a scenario needs: what it names, images that fail or end, and long waits.
#[must_use]
pub fn of(scenario: &Scenario) -> BTreeSet<Need> {
    let mut needs: BTreeSet<Need> = scenario.needs.iter().map(|need| need.value).collect();
    let actions = || scenario.steps.iter().filter_map(|step| step.action.as_ref());
    let changes = actions().filter_map(|action| match action {
        Action::Image(rules) => Some(rules),
        _ => None,
    });
    if scenario.images.iter().chain(changes.flatten()).any(is_scripted) {
        needs.insert(Need::ScriptedImages);
    }
    let is_played = |action: &Action| match action {
        Action::Metrics(_) | Action::Foreign(_) => true,
        Action::Node(step) => matches!(step.kind, NodeStepKind::Stop | NodeStepKind::Start),
        _ => false,
    };
    let is_staged = !scenario.metrics.is_empty()
        || !scenario.foreign.is_empty()
        || scenario.world.stages.is_some();
    if is_staged || actions().any(is_played) {
        needs.insert(Need::ScriptedNodes);
    } else if acts_on_nodes(scenario) {
        // Nodes that a scenario knows are there where pods are played, and are nobody else's.
        needs.insert(Need::ScriptedImages);
    }
    if actions().any(|action| matches!(action, Action::Fault(_))) {
        needs.insert(Need::Faults);
    }
    if waits(scenario) > limits::REAL_WAIT {
        needs.insert(Need::VirtualTime);
    }
    needs
}

/// Whether something happens to nodes that the scenario names.
#[must_use]
pub(super) fn acts_on_nodes(scenario: &Scenario) -> bool {
    let mut actions = scenario.steps.iter().filter_map(|step| step.action.as_ref());
    actions.any(|action| matches!(action, Action::Node(_)))
}

/// Whether an image does what no real image does by itself. How long it takes is left to a real
/// cluster.
fn is_scripted(rule: &ImageRule) -> bool {
    let Behaviour { pull, start: _, ready, crash, live, exit, stop, post_start, pre_stop } =
        &rule.script;
    let is_odd = |hook: &Option<Hook>| matches!(hook, Some(Hook::Fails(_) | Hook::Never));
    matches!(pull, Some(Pull::Fails | Pull::Never))
        || matches!(ready, Some(Ready::Never))
        || matches!(stop, Some(Stop::Ignored | Stop::Hangs))
        || is_odd(post_start)
        || is_odd(pre_stop)
        || crash.is_some()
        || live.is_some()
        || exit.is_some()
}

/// How long a run waits whatever happens.
fn waits(scenario: &Scenario) -> Duration {
    let step = |step: &crate::lab::scenario::model::Step| {
        let wait = match step.action {
            Some(Action::Wait(time)) => time,
            _ => Duration::ZERO,
        };
        let holds = step.expect.iter().filter_map(|one| match &one.expected {
            Expected::State(state) => state.hold,
            Expected::Object { hold, .. } => *hold,
            _ => None,
        });
        wait.max(holds.max().unwrap_or_default())
    };
    scenario.steps.iter().map(step).sum()
}

/// Namespaces that have to be there before a run begins: the engine's, and those of the Apps.
#[must_use]
pub(super) fn namespaces(scenario: &Scenario) -> BTreeSet<String> {
    let of_apps = scenario.apps.iter().map(|given| given.app.namespace.clone());
    of_apps.chain([given::NAMESPACE.to_owned()]).collect()
}
