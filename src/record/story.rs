//! Events in words, for the reader of a failure. One line each, no colours, no times.

use crate::base::Event;

/// The first seven digits of a commit id, as Git shows it.
#[must_use]
pub fn short(commit: &str) -> &str {
    commit.get(..7).unwrap_or(commit)
}

/// What happened, on one line.
#[must_use]
pub fn sentence(event: &Event) -> String {
    let line = stage(event).or_else(|| end(event)).or_else(|| drift(event));
    line.unwrap_or_else(|| around(event)).replace('\n', " ")
}

/// A commit on its way.
fn stage(event: &Event) -> Option<String> {
    Some(match event {
        Event::Noticed { app, .. } => format!("{app} hears of a push"),
        Event::Fetched { app, commit } => format!("{app} fetches {}", short(commit)),
        Event::Rendered { app, commit, objects } => {
            format!("{app} renders {} to {}", short(commit), counted(*objects, "object"))
        }
        Event::Unchanged { app, commit } => {
            format!("{app} reads nothing that {} changes", short(commit))
        }
        Event::Planned { app, commit, apply, prune } => {
            format!("{app} plans {}: {apply} to apply, {prune} to delete", short(commit))
        }
        Event::WaveSent { app, wave, requests, .. } => {
            format!("{app} sends wave {wave}: {}", counted(*requests, "request"))
        }
        Event::Changed { app, object, action, .. } => format!("{app}: {object} {action}"),
        Event::WaveApplied { app, wave, .. } => format!("{app} has every answer to wave {wave}"),
        Event::Applied { app, commit } => format!("{app} has applied {}", short(commit)),
        Event::Observed { app, .. } => format!("{app} has heard from every object"),
        _ => return None,
    })
}

/// How a revision came out, and the way back.
fn end(event: &Event) -> Option<String> {
    Some(match event {
        Event::Ready { app, commit } => format!("{app} is ready at {}", short(commit)),
        Event::Failed { app, commit, step, reason, object } => {
            let why = of_object(object.as_deref(), reason);
            format!("{app} fails at {} ({step}): {why}", short(commit))
        }
        Event::Preempted { app, commit, by } => {
            format!("{app} drops {} for {}", short(commit), short(by))
        }
        Event::RollingBack { app, from, to } => {
            format!("{app} goes back from {} to {}", short(from), short(to))
        }
        Event::RolledBack { app, to, .. } => format!("{app} is healthy again at {}", short(to)),
        Event::RevertPushed { app, from, commit } => {
            format!("{app} pushes {}, which reverts {}", short(commit), short(from))
        }
        Event::Held { app, commit } => format!("{app} is left at {}", short(commit)),
        Event::Degraded { app, object, reason } => {
            format!("{app} is not healthy any more: {}", of_object(Some(object.as_str()), reason))
        }
        Event::Recovered { app } => format!("{app} is healthy again"),
        Event::Noted { app, commit, text } => format!("{app} notes at {}: {text}", short(commit)),
        _ => return None,
    })
}

/// Foreign writes.
fn drift(event: &Event) -> Option<String> {
    let by = |by: &Option<String>| by.as_deref().map(|by| format!(" by {by}")).unwrap_or_default();
    Some(match event {
        Event::Drifted { object, what } => format!("{object} is changed from outside: {what}"),
        Event::DriftRefused { object, message } => {
            format!("a foreign write of {object} is refused: {message}")
        }
        Event::Faulted { object, what } if object.is_empty() => format!("a fault: {what}"),
        Event::Faulted { object, what } => format!("a fault: {object}: {what}"),
        Event::DriftSeen { app, object, fields, by: who } => {
            let fields = if fields.is_empty() {
                String::new()
            } else {
                format!(" at {}", fields.join(", "))
            };
            format!("{app} sees that {object} differs{fields}{}", by(who))
        }
        Event::DriftCorrected { app, object } => format!("{app} has corrected {object}"),
        Event::DriftReported { app, object } => format!("{app} reports {object} and leaves it"),
        Event::DriftFight { app, object, by: who } => {
            format!("{app} backs off: {object} is written over and over{}", by(who))
        }
        _ => return None,
    })
}

/// What happens around the engine.
fn around(event: &Event) -> String {
    match event {
        Event::Step { step, what } => format!("step {step}: {what}"),
        Event::BuildStarted { what } => format!("a pipeline builds, to {what}"),
        Event::Built { commit, .. } => {
            format!("a pipeline has built what {} deploys", short(commit))
        }
        Event::PushIntended { commit, summary } => {
            format!("somebody pushes {}: {summary}", short(commit))
        }
        Event::Pushed { commit } => format!("the repository has {}", short(commit)),
        Event::EngineStarted { round } => format!("the engine starts (round {round})"),
        Event::EngineStopped { round } => format!("the engine is stopped (round {round})"),
        Event::Request { verb, object, code, dry_run, .. } => {
            format!("{verb} {object}{}: {code}", if *dry_run { " (dry-run)" } else { "" })
        }
        Event::Expected { what, met, detail, .. } => {
            format!("{}: {what}: {detail}", if *met { "as expected" } else { "not as expected" })
        }
        Event::OracleFailed { oracle, detail } => format!("{oracle}: {detail}"),
        // `sentence` asks the three above first.
        _ => String::new(),
    }
}

/// A reason with the object that it is about, which it may name itself.
pub(super) fn of_object(object: Option<&str>, reason: &str) -> String {
    match object {
        Some(object) if !reason.contains(object) => format!("{object}: {reason}"),
        _ => reason.to_owned(),
    }
}

fn counted(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}
