//! From a seed to a scenario of about thirty steps: pushes, drifts, faults and ends of the engine;
//! then a last good commit, and the same without pushes, so that no later deployment mends what
//! went wrong; then the end of all faults, and what is expected.
//!
//! Which pushes there can be is `pushes`', which drifts `drifts`', which faults `faults`'. Every
//! scenario that comes out can be run: what a step names is there when its turn comes, or may be
//! missing.

use std::collections::VecDeque;
use std::time::Duration;

use super::ground::{Ground, NOWHERE, placed};
use super::pushes::Repository;
use super::{drifts, faults};
use crate::base::Rng;
use crate::engine::model::FailurePolicy;
use crate::lab::scenario::Scenario;
use crate::lab::scenario::model::{
    Action, Behaviour, Crash, EngineAction, Expectation, Expected, Fault, GivenApp, ImageRule,
    Pull, Ready, State, StateExpectation, Step,
};

/// Steps before the last commit: from, and up to so many more.
const BEFORE: (u64, u64) = (14, 9);
/// Steps after it, likewise.
const AFTER: (u64, u64) = (6, 7);

/// How long that may take: every retry and every pause of the engine fits.
const LIVELY: Duration = Duration::from_secs(1_200);

/// Where the rest of a run is decided, step by step.
pub(super) struct Sampler<'g> {
    pub(super) ground: &'g Ground,
    pub(super) rng: Rng,
    pub(super) repository: Repository,
    /// Counts what has to differ each time.
    pub(super) number: u64,
    engine_runs: bool,
    /// What comes next, because it only does something together with what came before.
    pub(super) next: VecDeque<Action>,
}

/// The scenario of a seed.
pub(super) fn scenario(ground: &Ground, seed: u64) -> Scenario {
    let rng = Rng::new(seed).fork("chaos");
    let mut sampler = Sampler {
        ground,
        rng,
        repository: Repository::default(),
        number: 0,
        engine_runs: true,
        next: VecDeque::new(),
    };
    let mut scenario = ground.start.clone();
    scenario.name = placed(format!("chaos-{seed}"));
    scenario.seed = Some(seed);
    if ground.varies_apps {
        sampler.vary(&mut scenario.apps);
    }
    scenario.images.extend(sampler.images());
    for _ in 0..BEFORE.0 + sampler.rng.below(BEFORE.1) {
        let action = sampler.action();
        scenario.steps.push(step(action));
    }
    let rest = std::mem::take(&mut sampler.next);
    scenario.steps.extend(rest.into_iter().map(step));
    scenario.steps.extend(super::pushes::last(&mut sampler).map(step));
    for _ in 0..AFTER.0 + sampler.rng.below(AFTER.1) {
        let action = sampler.disturbance();
        scenario.steps.push(step(action));
    }
    sampler.end(&mut scenario);
    scenario
}

pub(super) fn step(action: Action) -> Step {
    Step { at: NOWHERE, name: None, action: Some(action), expect: Vec::new() }
}

impl Sampler<'_> {
    /// One of so many.
    pub(super) fn one_of(&mut self, many: usize) -> usize {
        let many = u64::try_from(many).unwrap_or(u64::MAX);
        usize::try_from(self.rng.below(many)).unwrap_or(0)
    }

    /// True so often of a hundred times.
    pub(super) fn chance(&mut self, percent: u64) -> bool {
        self.rng.below(100) < percent
    }

    /// A number that was not given before.
    pub(super) fn next_number(&mut self) -> u64 {
        self.number += 1;
        self.number
    }

    fn vary(&mut self, apps: &mut [GivenApp]) {
        for given in apps {
            if self.chance(40) {
                given.app.on_failure = FailurePolicy::Hold;
            }
            if self.chance(50) {
                given.app.depends_on.clear();
                given.depends_on_at.clear();
            }
        }
    }

    /// Images of every tag start in a while; those of the bad one do not, each in its way.
    fn images(&mut self) -> Vec<ImageRule> {
        let mut rules = Vec::new();
        for image in &self.ground.images {
            let ready = Duration::from_millis(100 + 100 * self.rng.below(15));
            let pull = Some(Pull::Takes(Duration::from_millis(200)));
            let good = Behaviour { pull, ready: Some(Ready::After(ready)), ..Behaviour::default() };
            rules.push(rule(image.clone(), good));
            let crash = Crash { after: Duration::from_millis(500), exit_code: 1, times: None };
            let bad = match self.rng.below(3) {
                0 => Behaviour { ready: Some(Ready::Never), ..Behaviour::default() },
                1 => Behaviour { pull: Some(Pull::Fails), ..Behaviour::default() },
                _ => Behaviour { crash: Some(crash), ..Behaviour::default() },
            };
            rules.push(rule(format!("{image}:{}", super::pushes::BAD), bad));
        }
        rules
    }

    fn action(&mut self) -> Action {
        if let Some(next) = self.next.pop_front() {
            return next;
        }
        match self.rng.below(100) {
            0..24 => self.push(),
            24..30 => self.interrupted(),
            _ => self.disturbance(),
        }
    }

    /// Anything but a push.
    fn disturbance(&mut self) -> Action {
        if let Some(next) = self.next.pop_front() {
            return next;
        }
        match self.rng.below(70) {
            0..30 => self.drift(),
            30..47 => faults::fault(self),
            47..56 => self.engine(),
            _ => self.wait(),
        }
    }

    /// A file comes; while it is being deployed the engine is ended, and starts when the file is
    /// gone again.
    fn interrupted(&mut self) -> Action {
        if !self.engine_runs {
            return self.push();
        }
        let Some((there, gone)) = super::pushes::there_and_gone(self) else { return self.push() };
        let in_the_middle = Duration::from_millis(30 + self.rng.below(120));
        self.next.extend([
            Action::Wait(in_the_middle),
            Action::Engine(EngineAction::Stop),
            gone,
            Action::Engine(EngineAction::Start),
        ]);
        there
    }

    fn drift(&mut self) -> Action {
        drifts::drift(self).unwrap_or_else(|| self.wait())
    }

    fn push(&mut self) -> Action {
        super::pushes::push(self).unwrap_or_else(|| self.wait())
    }

    fn engine(&mut self) -> Action {
        let action = match (self.engine_runs, self.rng.below(6)) {
            (false, _) => EngineAction::Start,
            (true, 0) => EngineAction::Stop,
            (true, 1 | 2) => EngineAction::Restart,
            (true, _) => {
                let writes = u32::try_from(1 + self.rng.below(8)).unwrap_or(1);
                EngineAction::RestartAfterWrites(writes)
            }
        };
        self.engine_runs = action != EngineAction::Stop;
        Action::Engine(action)
    }

    /// Mostly no longer than a deployment takes, so that what comes next comes in its middle.
    fn wait(&mut self) -> Action {
        let ms = match self.rng.below(10) {
            0..3 => 1 + self.rng.below(40),
            3..7 => 50 * (1 + self.rng.below(40)),
            7..9 => 1_000 * (2 + self.rng.below(10)),
            _ => 1_000 * (20 + self.rng.below(60)),
        };
        Action::Wait(Duration::from_millis(ms))
    }

    /// The second phase.
    fn end(&mut self, scenario: &mut Scenario) {
        scenario.steps.push(step(Action::Fault(Fault::End)));
        if !self.engine_runs {
            scenario.steps.push(step(Action::Engine(EngineAction::Start)));
        }
        let expect = scenario.apps.iter().map(|given| ready(&given.app.name)).collect();
        let name = Some("all is over".to_owned());
        scenario.steps.push(Step { at: NOWHERE, name, action: None, expect });
    }
}

fn rule(pattern: String, script: Behaviour) -> ImageRule {
    ImageRule { pattern: placed(pattern), script }
}

fn ready(app: &str) -> Expectation {
    let expected = Expected::State(StateExpectation {
        app: placed(app.to_owned()),
        state: State::Ready,
        within: Some(LIVELY),
        after: None,
        hold: None,
        to: None,
        because: None,
    });
    Expectation { at: NOWHERE, expected }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::*;
    use crate::lab::explore::shop;
    use crate::lab::scenario::{parse, write};

    /// Every seed's scenario reads back from its text as itself, text for text.
    #[test]
    fn what_a_seed_makes_can_be_written_and_read_again() {
        let ground = shop();
        for seed in 0..200 {
            let text = write(&scenario(&ground, seed));
            let again = parse(Path::new("chaos.scenario.yaml"), &text);
            let again = again.unwrap_or_else(|problems| panic!("seed {seed}: {problems}\n{text}"));
            assert_eq!(write(&again), text, "seed {seed}");
        }
    }

    #[test]
    fn a_seed_makes_the_same_scenario_each_time_and_another_one_another() {
        let ground = shop();
        assert_eq!(scenario(&ground, 7), scenario(&ground, 7));
        assert_ne!(scenario(&ground, 7).steps, scenario(&ground, 8).steps);
    }

    #[test]
    fn every_kind_of_step_comes_up() {
        let ground = shop();
        let mut words = BTreeSet::new();
        for seed in 0..100 {
            for step in scenario(&ground, seed).steps {
                let text = step.action.map(|action| action.to_string()).unwrap_or_default();
                words.insert(text.split(' ').take(2).collect::<Vec<_>>().join(" "));
            }
        }
        for wanted in [
            "push set-image",
            "push write",
            "push edit",
            "push delete",
            "push revert",
            "push force-push",
            "push nothing",
            "drift patch",
            "drift scale",
            "drift delete",
            "drift create",
            "drift apply",
            "fault watch-drop",
            "fault compact",
            "fault 500",
            "fault conflict",
            "fault timeout-after-commit",
            "fault end",
            "engine restart",
            "engine stop",
            "engine start",
        ] {
            assert!(words.contains(wanted), "{wanted}: {words:?}");
        }
    }
}
