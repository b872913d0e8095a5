//! The benchmarks: named bodies over a size, each of which counts what it did right.
//!
//! Without arguments each runs once at a tiny size, in the time of a unit test, so that none can
//! rot. `--keep DIR` runs them at full size, many times, and writes `raw.jsonl` with every sample
//! and `summary.md` to DIR; `scripts/bench` calls it so, and adds `SETUP.md`. A word besides
//! selects the benchmarks that have it in their name, `--size N` gives them another size.

#![expect(clippy::print_stdout, reason = "a benchmark talks to a terminal")]

mod base;
mod inside;
mod kept;
mod lab;
mod measure;
mod render;
mod serve;
mod sim;
mod world;

use std::path::PathBuf;
use std::process::ExitCode;

use measure::{Bench, Sample};

/// The program's own.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Every benchmark, in the order of the summary.
const BENCHES: &[Bench] = &[
    Bench { name: "base/rng", size: 20_000_000, body: base::rng },
    Bench { name: "base/queue", size: 1_000_000, body: base::queue },
    Bench { name: "lab/commit-to-ready", size: 20, body: lab::commit_to_ready },
    Bench { name: "lab/first-deploy", size: 20, body: lab::first_deploys },
    Bench { name: "lab/first-deploy-of-100", size: 100, body: lab::first_deploy },
    Bench { name: "lab/first-deploy-of-1000", size: 1_000, body: lab::first_deploy },
    Bench { name: "lab/push-one-of-100", size: 100, body: lab::push_one },
    Bench { name: "render/overlay", size: 200, body: render::overlay },
    Bench { name: "render/overlay-parsed", size: 200, body: render::overlay_parsed },
    Bench { name: "render/one-of-100-overlays", size: 100, body: render::one_of_many },
    Bench { name: "lab/process", size: 10, body: lab::process },
    Bench { name: "world/deployment-of-3", size: 1_000, body: world::deployments },
    Bench { name: "world/roll-1000", size: 1_000, body: world::rollout },
    Bench { name: "world/cron-day", size: 1_440, body: world::schedule },
    Bench { name: "world/idle-day-of-500", size: 24, body: world::idle },
    Bench { name: "sim/store", size: 200_000, body: sim::store },
    Bench { name: "sim/apply-same", size: 20_000, body: sim::apply_same },
    Bench { name: "sim/write-to-event", size: 20_000, body: sim::write_to_event },
    Bench { name: "sim/update-to-event", size: 20_000, body: sim::update_to_event },
    Bench { name: "sim/watched-by-1000", size: 2_000, body: sim::watched },
    Bench { name: "inside/start", size: 100, body: inside::start },
    Bench { name: "inside/watched-by-1000", size: 3_000, body: inside::watches },
    Bench { name: "serve/start", size: 10, body: serve::start },
    Bench { name: "serve/get", size: 2_000, body: serve::get },
    Bench { name: "serve/apply-new", size: 1_000, body: serve::apply_new },
    Bench { name: "serve/apply-same", size: 2_000, body: serve::apply_same },
    Bench { name: "serve/dry-run", size: 1_000, body: serve::dry_run },
    Bench { name: "serve/write-to-event", size: 1_000, body: serve::write_to_event },
    Bench { name: "serve/list-50000", size: 50_000, body: serve::list },
];

/// One part in this many of the full size is run when nothing is kept.
const TINY: usize = 10_000;

fn main() -> ExitCode {
    let (mut keep, mut word, mut samples, mut given) = (None, String::new(), 20, None);
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        match arg.as_str() {
            // Cargo says so of itself.
            "--bench" => {}
            "--keep" => keep = args.next().map(PathBuf::from),
            "--samples" => {
                samples = args.next().and_then(|n| n.parse().ok()).unwrap_or(samples);
            }
            "--size" => given = args.next().and_then(|n| n.parse().ok()),
            flag if flag.starts_with('-') => {
                println!(
                    "{flag}: not known; --keep DIR, --samples N, --size N or a word of a name"
                );
                return ExitCode::from(2);
            }
            _ => word = arg,
        }
    }
    let chosen: Vec<&Bench> = BENCHES.iter().filter(|bench| bench.name.contains(&word)).collect();
    let mut taken: Vec<Sample> = Vec::new();
    for bench in &chosen {
        let (size, samples) = match keep {
            Some(_) => (bench.size, samples),
            None => ((bench.size / TINY).max(3), 1),
        };
        let size = given.unwrap_or(size);
        taken.extend(measure::run(bench, size, samples));
    }
    let summary = kept::summary(&taken);
    print!("{summary}");
    if let Some(folder) = keep
        && let Err(error) = kept::write(&folder, &taken, &summary)
    {
        println!("{}: {error}", folder.display());
        return ExitCode::from(4);
    }
    let wrong: usize = taken.iter().map(|sample| sample.operations - sample.correct).sum();
    println!("{} benchmarks, {} samples, {wrong} operations wrong", chosen.len(), taken.len());
    ExitCode::from(u8::from(wrong > 0))
}
