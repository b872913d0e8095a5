//! From the record of a run to a sample of each intended push: none is left out.

use std::collections::BTreeMap;

use super::load::name;
use super::{End, Intended, Sample, Share};
use crate::record::{PhaseName, Push, PushEnd, RunRecord};

/// The phase from the intended push of a change until that of the commit that brought it live.
pub(super) const OVERTAKEN: &str = "overtaken";

/// The samples of one repeat.
pub(super) fn samples(repeat: usize, intended: &[Intended], record: &RunRecord) -> Vec<Sample> {
    let commits = Commits::of(intended.len(), record);
    let pushes = intended.iter().enumerate();
    pushes.map(|(push, to)| sample(repeat, push, *to, &commits, record)).collect()
}

/// What the record knows of the commits of a load.
struct Commits<'a> {
    /// When the load began, since the run's start.
    began_us: u64,
    /// What each App took up, with the number of the commit, in the order of commits.
    taken: BTreeMap<&'a str, Vec<(usize, &'a Push)>>,
}

impl<'a> Commits<'a> {
    fn of(pushes: usize, record: &'a RunRecord) -> Self {
        let numbers: BTreeMap<String, usize> = (0..pushes).map(|n| (name(n), n)).collect();
        let mut taken: BTreeMap<&str, Vec<(usize, &Push)>> = BTreeMap::new();
        for push in record.pushes.iter().filter(|push| push.end != PushEnd::Unchanged) {
            if let Some(number) = numbers.get(&push.summary) {
                taken.entry(&push.app).or_default().push((*number, push));
            }
        }
        taken.values_mut().for_each(|pushes| pushes.sort_by_key(|(number, _)| *number));
        Self { began_us: record.began_us.first().copied().unwrap_or(0), taken }
    }

    /// What an App took up from push `number` on.
    fn from(&self, app: &str, number: usize) -> &[(usize, &'a Push)] {
        let taken = self.taken.get(app).map_or(&[][..], Vec::as_slice);
        &taken[taken.partition_point(|(n, _)| *n < number)..]
    }
}

fn sample(
    repeat: usize,
    push: usize,
    to: Intended,
    commits: &Commits<'_>,
    record: &RunRecord,
) -> Sample {
    let taken = commits.from(&format!("app-{}", to.app), push);
    let live = taken.iter().find(|(_, taken)| taken.end == PushEnd::Ready);
    let empty = Sample {
        repeat,
        push,
        app: to.app,
        intended_us: to.at_us,
        end: End::Failed,
        live_by: None,
        latency_us: None,
        phases: Vec::new(),
        why: None,
    };
    let Some((number, live)) = live else {
        return Sample {
            why: Some(why_not(taken.first().map(|(_, push)| *push), record)),
            ..empty
        };
    };
    let intended_us = commits.began_us + to.at_us;
    let end = if *number == push { End::Ready } else { End::Superseded };
    let phases = phases(live, intended_us, end);
    Sample {
        end,
        live_by: Some(*number),
        latency_us: Some(phases.iter().map(|share| share.us).sum()),
        phases,
        ..empty
    }
}

/// The phases of the commit that brought a change live. In real time a push may be made later
/// than it was meant to be: that is part of reaching the repository.
fn phases(live: &Push, intended_us: u64, end: End) -> Vec<Share> {
    let mut phases: Vec<Share> = live
        .phases
        .iter()
        .map(|phase| Share { phase: phase.phase.key().to_owned(), us: phase.us })
        .collect();
    let before = live.start_us.saturating_sub(intended_us);
    if end == End::Superseded {
        phases.insert(0, Share { phase: OVERTAKEN.to_owned(), us: before });
    } else if let Some(push) = phases.iter_mut().find(|p| p.phase == PhaseName::Push.key()) {
        push.us += before;
    }
    phases
}

fn why_not(push: Option<&Push>, record: &RunRecord) -> String {
    match push {
        Some(Push { why: Some(why), .. }) => why.clone(),
        Some(_) => "it was not ready when the run ended".to_owned(),
        None => match &record.verdict {
            crate::record::Verdict::NotConverged { why } => why.clone(),
            _ => "no App took it up".to_owned(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{Event, Time};
    use crate::record::{Ending, Heading, Recorder};
    use std::time::Duration;

    /// A run whose load begins at 1 s and in which pushes 0, 1 and 2 are made at 1.0, 1.1 and
    /// 1.2 s, with `more` events at their milliseconds.
    fn record(more: Vec<(u64, Event)>) -> RunRecord {
        let mut events = vec![(1_000, Event::Step { step: 1, what: "wait".to_owned() })];
        for n in 0..3_u64 {
            let number = usize::try_from(n).expect("small");
            let (commit, summary) = (format!("c{n}"), name(number));
            events.push((1_000 + 100 * n, Event::PushIntended { commit: commit.clone(), summary }));
            events.push((1_001 + 100 * n, Event::Pushed { commit }));
        }
        events.extend(more);
        events.sort_by_key(|(at, _)| *at);
        let mut recorder = Recorder::new(Heading::default(), Time::VIRTUAL_START);
        for (at, event) in events {
            recorder.add(Time::VIRTUAL_START + Duration::from_millis(at), event);
        }
        recorder.finish(Time::VIRTUAL_START, Ending::Done)
    }

    fn of(app: usize, commit: u64) -> (String, String) {
        (format!("app-{app}"), format!("c{commit}"))
    }

    fn fetched(at: u64, app: usize, commit: u64) -> (u64, Event) {
        let (app, commit) = of(app, commit);
        (at, Event::Fetched { app, commit })
    }

    fn ready(at: u64, app: usize, commit: u64) -> (u64, Event) {
        let (app, commit) = of(app, commit);
        (at, Event::Ready { app, commit })
    }

    type Row = (End, Option<usize>, Option<u64>);

    #[track_caller]
    fn check(apps: [usize; 3], more: Vec<(u64, Event)>, expected: [Row; 3]) -> Vec<Sample> {
        let at = [0, 100_000, 200_000];
        let pushes: Vec<Intended> =
            std::iter::zip(at, apps).map(|(at_us, app)| Intended { at_us, app }).collect();
        let found = samples(0, &pushes, &record(more));
        let rows: Vec<Row> = found.iter().map(|s| (s.end, s.live_by, s.latency_us)).collect();
        assert_eq!(rows, expected);
        for sample in found.iter().filter(|sample| sample.latency_us.is_some()) {
            let sum = sample.phases.iter().map(|share| share.us).sum::<u64>();
            assert_eq!(Some(sum), sample.latency_us, "adds up");
        }
        found
    }

    #[test]
    fn a_push_counts_from_when_it_was_meant_to_be_made() {
        let events = vec![
            fetched(1_050, 0, 0),
            ready(2_000, 0, 0),
            fetched(1_150, 1, 1),
            ready(2_100, 1, 1),
            fetched(1_250, 2, 2),
            ready(1_900, 2, 2),
        ];
        let expected = [1_000_000, 1_000_000, 700_000];
        let row = |n: usize| (End::Ready, Some(n), Some(expected[n]));
        check([0, 1, 2], events, [row(0), row(1), row(2)]);
    }

    #[test]
    fn a_change_that_was_overtaken_is_live_with_the_commit_that_overtook_it() {
        let (app, commit) = of(0, 0);
        let events = vec![
            fetched(1_050, 0, 0),
            (1_210, Event::Preempted { app, commit, by: "c2".to_owned() }),
            // Pushes 1 and 2 were fetched as one.
            fetched(1_210, 0, 2),
            fetched(1_210, 1, 2),
            ready(2_000, 0, 2),
            ready(2_200, 1, 2),
        ];
        let found = check(
            [0, 1, 0],
            events,
            [
                (End::Superseded, Some(2), Some(1_000_000)),
                (End::Superseded, Some(2), Some(1_100_000)),
                (End::Ready, Some(2), Some(800_000)),
            ],
        );
        assert_eq!(found[0].phases[0], Share { phase: OVERTAKEN.to_owned(), us: 200_000 });
    }

    #[test]
    fn what_never_became_ready_is_counted_with_its_reason() {
        let (app, commit) = of(0, 0);
        let failed = Event::Failed {
            app,
            commit,
            step: "health".to_owned(),
            reason: "never ready".to_owned(),
            object: None,
        };
        let events = vec![fetched(1_050, 0, 0), (1_500, failed), fetched(1_150, 1, 1)];
        let nothing = (End::Failed, None, None);
        let found = check([0, 1, 2], events, [nothing, nothing, nothing]);
        let why: Vec<&str> = found.iter().filter_map(|sample| sample.why.as_deref()).collect();
        let late = "it was not ready when the run ended";
        assert_eq!(why, ["health: never ready", late, "no App took it up"]);
    }
}
