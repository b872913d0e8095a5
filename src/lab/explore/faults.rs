//! Simple faults of the API between the engine and the server.

use super::generate::Sampler;
use super::ground::placed;
use crate::lab::scenario::model::{Action, Answer, Answers, Fault, VerbWord};

/// What engines do most, each as often as it stands here; `None` is whatever writes.
const VERBS: [Option<VerbWord>; 8] = [
    None,
    None,
    Some(VerbWord::Apply),
    Some(VerbWord::Apply),
    Some(VerbWord::Delete),
    Some(VerbWord::List),
    Some(VerbWord::Watch),
    Some(VerbWord::Get),
];

/// What a read can be answered.
const OF_READS: [Answer; 4] =
    [Answer::InternalError, Answer::Unavailable, Answer::TooManyRequests, Answer::Timeout];

/// A fault.
pub(super) fn fault(sampler: &mut Sampler<'_>) -> Action {
    Action::Fault(match sampler.rng.below(10) {
        0..2 => Fault::WatchDrop,
        2..4 => Fault::Compact,
        _ => Fault::Answers(answers(sampler)),
    })
}

fn answers(sampler: &mut Sampler<'_>) -> Answers {
    let verb = VERBS[sampler.one_of(VERBS.len())];
    let is_read = matches!(verb, Some(VerbWord::List | VerbWord::Watch | VerbWord::Get));
    let known: &[Answer] = if is_read { &OF_READS } else { &Answer::ALL };
    let answer = known[sampler.one_of(known.len())];
    let things = &sampler.ground.things;
    let kind = (!is_read && sampler.chance(40))
        .then(|| things.get(sampler.one_of(things.len())).map(|thing| thing.object.kind.clone()))
        .flatten();
    let few = |n: u64| u32::try_from(n).unwrap_or(1);
    Answers {
        answer,
        verb,
        kind: kind.map(placed),
        skip: few(sampler.rng.below(4)),
        count: few(1 + sampler.rng.below(3)),
    }
}
