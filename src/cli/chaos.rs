//! `towtank chaos`: runs that seeds make up, several at once; what they find is printed in the
//! order of the seeds, each as a scenario that shows it, and the command that shows it again last.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::guard::quoted;
use super::{Exit, complain, guard, tell};
use crate::base::Bug;
use crate::lab::explore::{Explored, Explorer, Finding, Ground, Hunted, hunt};
use crate::lab::run::Counts;
use crate::lab::scenario::{self, Scenario};

/// What to explore.
#[derive(Debug)]
pub(super) struct Chaos {
    pub ground: Ground,
    /// The command's words that say which ground it is, with a blank before each.
    pub words: String,
    pub first: u64,
    pub seeds: u64,
    pub jobs: usize,
    pub save: Option<PathBuf>,
    /// Deliberate bugs are hunted, and nothing else is done.
    pub mutants: bool,
}

pub(super) fn run(chaos: Chaos) -> Exit {
    let Chaos { ground, words, first, seeds, jobs, save, mutants } = chaos;
    if let Some(folder) = &save
        && let Err(error) = fs::create_dir_all(folder)
    {
        let text = format!("{}: cannot be written: {error}", folder.display());
        return complain(Exit::Environment, &text);
    }
    let ground = Arc::new(ground);
    if mutants {
        return hunt_all(&ground, first, seeds, jobs);
    }
    let (apps, objects, images) = ground.extent();
    let mut page = format!(
        "chaos of {apps} App{}, {objects} object{} and {images} image{}\n",
        plural(apps),
        plural(objects),
        plural(images),
    );
    let count = usize::try_from(seeds).unwrap_or(usize::MAX);
    let explorers = || Explorer::new(Arc::clone(&ground));
    let results = at_once(jobs, count, explorers, |explorer, n| {
        let seed = first.saturating_add(u64::try_from(n).unwrap_or(0));
        explore(explorer, seed, &again(&words, seed, 1))
    });
    let mut exit = Exit::Ok;
    let mut done = Done::default();
    let mut last = again(&words, first, seeds);
    for result in results {
        let Some(explored) = result else {
            // A panic outside of any run: it has been told.
            exit = exit.max(Exit::Bug);
            continue;
        };
        done.add(&explored);
        let Some(finding) = &explored.found else { continue };
        exit = exit.max(if finding.is_unrest { Exit::NotConverged } else { Exit::Failed });
        last = again(&words, explored.seed, 1);
        match kept(&explored, finding, save.as_deref(), &mut page) {
            Ok(Some(file)) => {
                last = format!("towtank run {}", quoted(&file.to_string_lossy()));
            }
            Ok(None) => {}
            Err(message) => exit = exit.max(complain(Exit::Environment, &message)),
        }
    }
    let _ = writeln!(page, "{}{last}", done.summary());
    tell(exit, &page)
}

fn explore(explorer: &mut Explorer, seed: u64, command: &str) -> Option<Explored> {
    let mut explored = None;
    guard::guard(command, &mut std::io::stderr(), || {
        explored = Some(explorer.explore(seed));
        Exit::Ok
    });
    explored
}

/// The command that explores these seeds.
fn again(words: &str, first: u64, seeds: u64) -> String {
    format!("towtank chaos{words} --seed {first} --seeds {seeds}")
}

/// Tells a finding, and writes its scenario to a file or to the page.
fn kept(
    explored: &Explored,
    finding: &Finding,
    save: Option<&Path>,
    page: &mut String,
) -> Result<Option<PathBuf>, String> {
    let Finding { what, detail, scenario, runs, .. } = finding;
    let steps = scenario.steps.len();
    let _ = write!(
        page,
        "\nseed {}: {what}\n  {detail}\n  {steps} of {} steps are left after {runs} runs",
        explored.seed, explored.steps,
    );
    let text = scenario::write(scenario);
    let Some(folder) = save else {
        let _ = write!(page, ":\n\n{text}");
        return Ok(None);
    };
    let file = folder.join(format!("{}.scenario.yaml", scenario.name.value));
    let _ = writeln!(page, ": {}", file.display());
    match fs::write(&file, text) {
        Ok(()) => Ok(Some(file)),
        Err(error) => Err(format!("{}: cannot be written: {error}", file.display())),
    }
}

/// What was done in all runs together.
#[derive(Default)]
struct Done {
    seeds: usize,
    steps: usize,
    failed: usize,
    counts: Counts,
    time: Duration,
}

impl Done {
    fn add(&mut self, explored: &Explored) {
        self.seeds += 1;
        self.steps += explored.steps;
        self.failed += usize::from(explored.found.is_some());
        self.counts.add(explored.counts);
        self.time += explored.time;
    }

    fn summary(&self) -> String {
        let Done { seeds, steps, failed, counts, time } = self;
        let Counts { pushes, drifts, refused, faults, restarts } = counts;
        let hours = time.as_secs_f64() / 3_600.0;
        format!(
            "\n{seeds} run{}, {steps} steps: {pushes} pushes, {drifts} drifts ({refused} more were \
             refused), {faults} faults, {restarts} ends of the engine, {hours:.1} h of virtual time\n\
             {} passed, {failed} failed\n",
            plural(*seeds),
            seeds - failed,
        )
    }
}

fn plural(n: usize) -> &'static str {
    if n == 1 { "" } else { "s" }
}

/// Hunts every deliberate bug and prints the table of what it took.
fn hunt_all(ground: &Arc<Ground>, first: u64, seeds: u64, jobs: usize) -> Exit {
    let results =
        at_once(jobs, Bug::ALL.len(), || (), |(), n| hunt(ground, Bug::ALL[n], first, seeds));
    let mut page = format!("{:<68} {:>5} {:>5}  found by\n", "deliberate bug", "seeds", "steps");
    let mut exit = Exit::Ok;
    for Hunted { bug, seeds: took, what, scenario } in results {
        let steps = scenario.as_ref().map(|s: &Scenario| s.steps.len().to_string());
        let took = took.map(|n| n.to_string());
        if took.is_none() {
            exit = Exit::Failed;
        }
        let _ = writeln!(
            page,
            "{:<68} {:>5} {:>5}  {}",
            bug.what(),
            took.as_deref().unwrap_or("-"),
            steps.as_deref().unwrap_or("-"),
            if what.is_empty() { "nothing" } else { &what },
        );
    }
    let _ = writeln!(page, "towtank chaos --mutants --seed {first} --seeds {seeds}");
    tell(exit, &page)
}

/// Does `0..count`, as many at once as is meant; the results in their order. Each thread has what
/// `start` makes.
fn at_once<S, R: Send>(
    jobs: usize,
    count: usize,
    start: impl Fn() -> S + Sync,
    work: impl Fn(&mut S, usize) -> R + Sync,
) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let done: Mutex<Vec<(usize, R)>> = Mutex::new(Vec::new());
    let worker = || {
        let mut own = start();
        loop {
            let n = next.fetch_add(1, Ordering::Relaxed);
            if n >= count {
                break;
            }
            let result = work(&mut own, n);
            if let Ok(mut done) = done.lock() {
                done.push((n, result));
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..jobs.min(count) {
            scope.spawn(worker);
        }
        worker();
    });
    let mut done = done.into_inner().unwrap_or_default();
    done.sort_by_key(|(n, _)| *n);
    done.into_iter().map(|(_, result)| result).collect()
}
