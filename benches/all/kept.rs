//! Samples as files and as a table. What the machine is like is written down by `scripts/bench`.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::Path;

use towtank::record::percentile;

use super::measure::Sample;

/// Writes `raw.jsonl` (a line a sample) and `summary.md` to `folder`.
pub(crate) fn write(folder: &Path, samples: &[Sample], summary: &str) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    let mut raw = String::new();
    for Sample { name, run, operations, correct, elapsed_ns, laps_ns } in samples {
        let mut line = serde_json::json!({
            "bench": name, "run": run, "operations": operations, "correct": correct,
            "elapsed_ns": elapsed_ns,
        });
        if let Some([p50, p99, most]) = laps_ns {
            line["one_by_one_ns"] = serde_json::json!({"p50": p50, "p99": p99, "most": most});
        }
        raw.push_str(&format!("{line}\n"));
    }
    fs::write(folder.join("raw.jsonl"), raw)?;
    fs::write(folder.join("summary.md"), summary)
}

/// A line a benchmark: time of one run (median, least, most), time of one operation in the median
/// run, the percentiles of operations that were timed one by one (of each run, the median of them),
/// and how many operations of all runs came out right.
pub(crate) fn summary(samples: &[Sample]) -> String {
    let mut by_name: BTreeMap<&str, Vec<&Sample>> = BTreeMap::new();
    for sample in samples {
        by_name.entry(sample.name).or_default().push(sample);
    }
    let mut text = String::from(
        "| benchmark | samples | operations | median ms | least ms | most ms | ns an operation | p50 us | p99 us | correct |\n\
         |---|--:|--:|--:|--:|--:|--:|--:|--:|--:|\n",
    );
    for (name, samples) in by_name {
        let mut ns: Vec<u64> = samples.iter().map(|sample| sample.elapsed_ns).collect();
        ns.sort_unstable();
        let at = |per_mille| percentile(&ns, per_mille).unwrap_or(0);
        let operations = samples.first().map_or(0, |sample| sample.operations);
        let all: usize = samples.iter().map(|sample| sample.operations).sum();
        let correct: usize = samples.iter().map(|sample| sample.correct).sum();
        _ = writeln!(
            text,
            "| {name} | {} | {operations} | {} | {} | {} | {:.1} | {} | {} | {correct} of {all} |",
            samples.len(),
            ms(at(500)),
            ms(at(0)),
            ms(at(1_000)),
            at(500) as f64 / operations.max(1) as f64,
            lap_us(&samples, 0),
            lap_us(&samples, 1),
        );
    }
    text
}

/// The median over all runs of one of their percentiles, or nothing.
fn lap_us(samples: &[&Sample], which: usize) -> String {
    let laps = samples.iter().filter_map(|sample| sample.laps_ns?.get(which).copied());
    let mut laps: Vec<u64> = laps.collect();
    laps.sort_unstable();
    percentile(&laps, 500).map_or(String::new(), |ns| format!("{:.2}", ns as f64 / 1e3))
}

fn ms(ns: u64) -> String {
    format!("{:.3}", ns as f64 / 1e6)
}
