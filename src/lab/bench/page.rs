//! The figures of a benchmark, of a comparison and of a gate as text: for a terminal, and as
//! Markdown for a file that is kept.

use std::fmt::Write as _;

use super::compare::{Change, Comparison, Row};
use super::gate::{Moved, Unit};
use super::histogram::millis;
use super::{Figures, Measured, Settings, Summary};
use crate::record::in_words;

/// What is shown for a percentile that is "never".
const NEVER: &str = "failed";

/// The figures for a terminal.
#[must_use]
pub fn terminal(summary: &Summary) -> String {
    let mut text = format!("bench push-to-ready  {}\n\n", conditions(&summary.settings));
    let _ = writeln!(text, "  {}\n", counts(summary));
    let heads = Figures::HEADS.map(|head| format!("{head:>9}")).concat();
    let _ = writeln!(text, "  {:<18}{heads}", "");
    for (name, figures) in rows(summary) {
        let cells = figures.cells().map(|cell| format!("{cell:>9}")).concat();
        let _ = writeln!(text, "  {name:<18}{cells}");
    }
    let _ = writeln!(text, "\n  {}", requests(summary));
    text
}

/// The figures as Markdown, with the command that gives them.
#[must_use]
pub fn markdown(measured: &Measured) -> String {
    let summary = &measured.summary;
    let mut text = format!("# Push to ready\n\n{}.\n\n", conditions(&summary.settings));
    let _ = writeln!(text, "```sh\n{}\n```\n", summary.settings.command());
    let _ = writeln!(text, "{}. {}.\n", counts(summary), requests(summary));
    let _ = writeln!(text, "| | {} |", Figures::HEADS.join(" | "));
    let _ = writeln!(text, "|---|{}", "--:|".repeat(Figures::HEADS.len()));
    for (name, figures) in rows(summary) {
        let _ = writeln!(text, "| {} | {} |", name.trim_start(), figures.cells().join(" | "));
    }
    text.push_str(
        "\nLatency counts from when a push was meant to be made. One that a newer push overtook \
         counts until that was ready. Percentiles are over all intended pushes, failed ones as \
         the slowest; phases and max over those that became ready, so the phases of no single \
         push add up to a row of them.\n",
    );
    text
}

impl Figures {
    const HEADS: [&'static str; 5] = ["p50", "p90", "p99", "p99.9", "max"];

    fn cells(&self) -> [String; 5] {
        let times = [self.p50_us, self.p90_us, self.p99_us, self.p999_us, self.max_us];
        times.map(|us| us.map_or_else(|| NEVER.to_owned(), in_words))
    }
}

fn rows(summary: &Summary) -> Vec<(String, Figures)> {
    let total = ("push to ready".to_owned(), summary.latency);
    let phases = summary.phases.iter().map(|row| (format!("  {}", row.phase), row.figures));
    std::iter::once(total).chain(phases).collect()
}

fn conditions(settings: &Settings) -> String {
    let Settings { apps, pushes, arrivals, repeat, seed, profile, cluster, .. } = settings;
    let arrivals = match arrivals {
        super::Arrivals::Poisson => "at random times",
        super::Arrivals::Fixed => "evenly",
    };
    let times = match repeat {
        1 => String::new(),
        n => format!(", {n} times"),
    };
    let (pushes, rate) = (grouped(*pushes), settings.rate());
    let plural = if *apps == 1 { "" } else { "s" };
    let time = match cluster.as_str() {
        "memory" => format!("virtual time, modelled by the profile {profile}"),
        other => format!("on {other}, measured"),
    };
    format!(
        "{pushes} pushes to {apps} App{plural}, {rate} a second {arrivals}{times}; {time}, seed {seed}"
    )
}

fn counts(summary: &Summary) -> String {
    let counts = &summary.counts;
    format!(
        "{} ready, {} superseded, {} failed",
        grouped(counts.ready),
        grouped(counts.superseded),
        grouped(counts.failed)
    )
}

fn requests(summary: &Summary) -> String {
    let total: usize = summary.requests.values().sum();
    let verbs: Vec<String> =
        summary.requests.iter().map(|(verb, n)| format!("{} {verb}", grouped(*n))).collect();
    format!("{} requests from start to end: {}", grouped(total), verbs.join(", "))
}

/// A count with its thousands apart.
fn grouped(count: usize) -> String {
    let digits = count.to_string();
    let mut text = String::new();
    for (n, digit) in digits.chars().enumerate() {
        if n > 0 && (digits.len() - n).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A comparison for a terminal.
#[must_use]
pub fn comparison(found: &Comparison, before: &str, now: &str) -> String {
    let (pairs, repeats) = (grouped(found.pairs), found.repeats);
    let plural = if repeats == 1 { "" } else { "s" };
    let mut text = format!("bench compare  {before} → {now}\n\n");
    let _ = writeln!(
        text,
        "  {pairs} pushes that became ready in both, of {repeats} repeat{plural}, held against \
         each other\n"
    );
    let head = ["before", "now", "difference", "95 % between"];
    let head = format!("{:>11}{:>11}{:>13}  {}", head[0], head[1], head[2], head[3]);
    let _ = writeln!(text, "  {:<18}{head}", "");
    for row in &found.rows {
        let _ = writeln!(text, "  {}", row_text(row, true));
    }
    for row in &found.phases {
        let _ = writeln!(text, "    {}", row_text(row, false));
    }
    let (was, is) = found.failed;
    let _ = writeln!(text, "\n  failed {was} → {is}");
    let _ = writeln!(text, "  {}", verdict(found));
    text
}

fn row_text(row: &Row, decides: bool) -> String {
    let (low, high) = row.interval_us;
    let change = match row.change {
        Change::Slower => "  slower",
        Change::Faster => "  faster",
        Change::None => "",
    };
    let width = if decides { 18 } else { 16 };
    let interval = format!("{} and {}", signed(low), signed(high));
    format!(
        "{:<width$}{:>11}{:>11}{:>13}  {interval}{change}",
        row.what,
        in_words(row.before_us),
        in_words(row.now_us),
        signed(row.by_us),
    )
}

fn signed(us: i64) -> String {
    let sign = match us {
        0 => "",
        1.. => "+",
        _ => "-",
    };
    format!("{sign}{}", in_words(us.unsigned_abs()))
}

fn verdict(found: &Comparison) -> &'static str {
    match found.verdict {
        Change::Slower if found.failed.1 > found.failed.0 => "regression: more pushes failed",
        Change::Slower => "regression: slower, and not by chance",
        Change::Faster => "improvement: faster, and not by chance",
        Change::None => "no real difference",
    }
}

/// What moved since a baseline, for a terminal.
#[must_use]
pub fn moved(found: &[Moved], baseline: &str) -> String {
    if found.is_empty() {
        return format!("bench gate  every sample is as in {baseline}\n");
    }
    let plural = if found.len() == 1 { "" } else { "s" };
    let mut text = format!("bench gate  {} figure{plural} not as in {baseline}\n\n", found.len());
    for Moved { what, unit, before, now } in found {
        let show = |value: &Option<u64>| match (value, unit) {
            (None, _) => "-".to_owned(),
            (Some(us), Unit::Time) => exact(*us),
            (Some(count), Unit::Count) => grouped(usize::try_from(*count).unwrap_or(usize::MAX)),
        };
        let by = before.zip(*now).map(|(before, now)| {
            let by = i128::from(now) - i128::from(before);
            match unit {
                Unit::Time if by < 0 => format!("-{}", exact(before - now)),
                Unit::Time => format!("+{}", exact(now - before)),
                Unit::Count => format!("{by:+}"),
            }
        });
        let (before, now) = (show(before), show(now));
        let line = format!("  {what:<28}{before:>16} → {now:<16}{}", by.unwrap_or_default());
        let _ = writeln!(text, "{}", line.trim_end());
    }
    text
}

/// A duration of which no digit is left out: what is gated is exact.
fn exact(us: u64) -> String {
    format!("{} ms", millis(us))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_stand_apart() {
        let shown: Vec<String> = [0, 999, 1_000, 1_234_567].into_iter().map(grouped).collect();
        assert_eq!(shown, ["0", "999", "1,000", "1,234,567"]);
    }

    #[test]
    fn what_moved_is_told_to_the_microsecond() {
        let time = |what: &str, before, now| Moved {
            what: what.to_owned(),
            unit: Unit::Time,
            before,
            now,
        };
        let found = [
            time("health p99", Some(2_000_000), Some(1_999_999)),
            time("observe max", None, Some(7)),
            Moved {
                what: "requests apply".to_owned(),
                unit: Unit::Count,
                before: Some(1_200),
                now: Some(1_300),
            },
        ];
        expect_test::expect![[r#"
            bench gate  3 figures not as in base.json

              health p99                       2000.000 ms → 1999.999 ms     -0.001 ms
              observe max                                - → 0.007 ms
              requests apply                         1,200 → 1,300           +100
        "#]]
        .assert_eq(&moved(&found, "base.json"));
    }
}
