//! `towtank run`: scenarios that are read and checked are run, several at once, and reported in
//! their order.

use std::io;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use super::meant::{self, Seeded};
use super::place::Open;
use super::typed::ReportWord;
use super::{Exit, complain, guard, out};
use crate::lab;
use crate::lab::backend::Site;
use crate::lab::run::{Finished, Options, RunError};
use crate::record::{Clock, RunRecord};

pub(super) fn run(meant: &meant::Run) -> Exit {
    // Before anything runs: a run can take long, and its record is what was asked for.
    if let Some(Err(message)) = meant.out.as_ref().map(|folder| out::prepare(folder)) {
        return complain(Exit::Environment, &message);
    }
    let mut exit = Exit::Ok;
    let open = match Open::new(&meant.place, &meant.terms) {
        Ok(open) => open,
        Err(error) => {
            meant.out.iter().for_each(|folder| out::leave(folder));
            return complain(Exit::Environment, &error.to_string());
        }
    };
    let mut finished = Vec::new();
    let mut mistakes = Vec::new();
    for result in run_all(meant, open.site.as_ref()) {
        match result {
            Ok(one) => finished.push(one),
            Err(Unfinished::Mistake(message)) => mistakes.push(message),
            Err(Unfinished::Place(message)) => {
                exit = exit.max(complain(Exit::Environment, &message));
            }
            Err(Unfinished::NotBegun) => {}
            Err(Unfinished::Bug) => exit = Exit::Bug,
        }
    }
    if open.is_interrupted() && exit != Exit::Environment {
        // While the last run took away what it had made: that is done.
        exit = exit.max(complain(Exit::Environment, "interrupted"));
    }
    if let Err(error) = open.close() {
        exit = exit.max(complain(Exit::Environment, &error.to_string()));
    }
    if !mistakes.is_empty() {
        // As with a file that cannot be read: nothing counts until all of it can be run.
        meant.out.iter().for_each(|folder| out::leave(folder));
        return complain(exit.max(Exit::BadInput), &mistakes.join("\n"));
    }
    let kept = meant.out.as_ref().map(|folder| out::keep(folder, &finished, meant.clock));
    if let Some(Err(message)) = kept {
        exit = exit.max(complain(Exit::Environment, &message));
    }
    let records: Vec<RunRecord> = finished.into_iter().map(|one| one.record).collect();
    if records.is_empty() && exit != Exit::Ok {
        meant.out.iter().for_each(|folder| out::leave(folder));
        // All that there is to say has been said.
        return exit;
    }
    exit = exit.max(Exit::of_records(&records));
    match (&meant.out, meant.report) {
        (Some(folder), ReportWord::Html) => out::page(exit, &records, folder),
        _ => out::report(exit, &records, meant.report),
    }
}

/// Why a scenario has no record.
enum Unfinished {
    /// It asks for what is not there.
    Mistake(String),
    /// The place that it is run in does not allow it.
    Place(String),
    /// Another one was stopped by the place.
    NotBegun,
    /// Towtank panicked, and said so.
    Bug,
}

/// Runs every scenario, as many at once as is meant; the results in the order of the scenarios.
fn run_all(meant: &meant::Run, site: Option<&Arc<Site>>) -> Vec<Result<Finished, Unfinished>> {
    let next = AtomicUsize::new(0);
    let is_stopped = AtomicBool::new(false);
    let slots: Vec<Mutex<Option<Result<Finished, Unfinished>>>> =
        meant.runs.iter().map(|_| Mutex::new(None)).collect();
    let work = || {
        loop {
            let n = next.fetch_add(1, Ordering::Relaxed);
            let (Some(seeded), Some(slot)) = (meant.runs.get(n), slots.get(n)) else { break };
            let result = match is_stopped.load(Ordering::Relaxed) {
                false => run_guarded(seeded, meant, site),
                true => Err(Unfinished::NotBegun),
            };
            if matches!(result, Err(Unfinished::Place(_))) {
                is_stopped.store(true, Ordering::Relaxed);
            }
            if let Ok(mut slot) = slot.lock() {
                *slot = Some(result);
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..meant.jobs.min(meant.runs.len()) {
            scope.spawn(work);
        }
        work();
    });
    let taken = |slot: Mutex<Option<_>>| slot.into_inner().ok().flatten();
    slots.into_iter().map(|slot| taken(slot).unwrap_or(Err(Unfinished::Bug))).collect()
}

/// Runs one scenario; a panic in it is told with the command that shows it again, and the other
/// scenarios go on.
fn run_guarded(
    seeded: &Seeded,
    meant: &meant::Run,
    site: Option<&Arc<Site>>,
) -> Result<Finished, Unfinished> {
    let mut result = Err(Unfinished::Bug);
    guard::guard(&seeded.command, &mut io::stderr(), || {
        result = run_one(seeded, meant, site);
        Exit::Ok
    });
    result
}

fn run_one(
    seeded: &Seeded,
    meant: &meant::Run,
    site: Option<&Arc<Site>>,
) -> Result<Finished, Unfinished> {
    let (clock, profile) = (meant.clock, meant.profile.clone());
    let options = Options { seed: seeded.seed, clock, profile, site: site.cloned() };
    let mut finished = lab::run::run(&seeded.scenario, &options).map_err(|error| match error {
        RunError::Site { .. } => Unfinished::Place(error.to_string()),
        other => Unfinished::Mistake(other.to_string()),
    })?;
    finished.record.heading.command.clone_from(&seeded.command);
    // What runs in real time takes minutes, and a run that is cut short would have said nothing.
    if clock == Clock::Real && meant.runs.len() > 1 {
        out::ended(&finished.record);
    }
    Ok(finished)
}
