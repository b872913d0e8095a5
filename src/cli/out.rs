//! Where records go: a report to standard output, files to the folder of `--out`.

use std::fs;
use std::io::{IsTerminal, Write};
use std::path::Path;

use super::typed::ReportWord;
use super::{Exit, complain, meant, tell};
use crate::lab::run::Finished;
use crate::record::{Clock, Environment, RunRecord};
use crate::report::{self, Look};

/// Columns of a page where nobody says how many there are.
const WIDTH: usize = 100;

/// Prints the records.
pub(super) fn report(exit: Exit, records: &[RunRecord], format: ReportWord) -> Exit {
    let text = match format {
        ReportWord::Terminal => report::terminal(records, look()),
        ReportWord::Json => report::json(records),
        ReportWord::Junit => report::junit(records),
        ReportWord::Html => report::html(records),
    };
    tell(exit, &text)
}

/// Says that a scenario has ended while others still run. Not on standard output: what is there is
/// the report alone.
pub(super) fn ended(record: &RunRecord) {
    let to = std::io::stderr();
    let look = Look { color: to.is_terminal() && look().color, ..look() };
    // Who does not listen misses nothing that the report will not say.
    _ = to.lock().write_all(report::ended(record, look).as_bytes());
}

/// Writes the records as a page beside what is kept of them, and prints them for a reader.
pub(super) fn page(exit: Exit, records: &[RunRecord], folder: &Path) -> Exit {
    let file = folder.join("index.html");
    let text = report::terminal(records, look()) + &format!("{}\n", file.display());
    match fs::write(&file, report::html(records)) {
        Ok(()) => tell(exit, &text),
        Err(error) => exit.max(complain(Exit::Environment, &unwritten(&file, &error))),
    }
}

/// What the reader's screen can show, as far as the environment tells.
fn look() -> Look {
    let set = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let screen = std::io::stdout().is_terminal();
    let color = screen && set("NO_COLOR").is_none() && set("TERM").is_none_or(|t| t != "dumb");
    let locale = set("LC_ALL").or_else(|| set("LC_CTYPE")).or_else(|| set("LANG"));
    let utf8 = |locale: String| locale.to_lowercase().replace('-', "").contains("utf8");
    let width = set("COLUMNS").and_then(|columns| columns.parse().ok());
    let width = width.or_else(|| screen.then(columns).flatten()).unwrap_or(WIDTH);
    // What is not for a screen is for a file or a program, and these are UTF-8.
    Look { color, unicode: !screen || locale.is_none_or(utf8), width: width.clamp(40, 200) }
}

/// Makes the folder that records are to be kept in.
///
/// # Errors
/// That it cannot be, and why.
pub(super) fn prepare(folder: &Path) -> Result<(), String> {
    fs::create_dir_all(folder).map_err(|error| unwritten(folder, &error))
}

/// Takes the folder away again where nothing was kept in it.
pub(super) fn leave(folder: &Path) {
    // One that holds something is not removed, and that is no failure.
    drop(fs::remove_dir(folder));
}

/// Columns of the terminal, as it says itself.
fn columns() -> Option<usize> {
    terminal_size::terminal_size().map(|(columns, _)| columns.0.into())
}

/// Writes `raw.jsonl`, `record.json` and `environment.json` of each run to a folder of the
/// scenario's name.
///
/// # Errors
/// The first file that could not be written, and why.
pub(super) fn keep(folder: &Path, finished: &[Finished], clock: Clock) -> Result<(), String> {
    for one in finished {
        let folder = folder.join(&one.record.heading.name);
        let files = [
            ("raw.jsonl", one.raw.as_str()),
            ("record.json", &one.record.json()),
            ("environment.json", &environment(clock).json()),
        ];
        write_files(&folder, &files)?;
    }
    Ok(())
}

/// The machine, as far as a figure depends on it.
pub(super) fn environment(clock: Clock) -> Environment {
    Environment {
        towtank: env!("CARGO_PKG_VERSION").to_owned(),
        clock,
        os: std::env::consts::OS.to_owned(),
        arch: std::env::consts::ARCH.to_owned(),
        cores: meant::cores(),
    }
}

/// Writes files of these names and texts to a folder, which is made where it is not there.
///
/// # Errors
/// The first that could not be written, and why.
pub(super) fn write_files<T: AsRef<str>>(folder: &Path, files: &[(&str, T)]) -> Result<(), String> {
    fs::create_dir_all(folder).map_err(|error| unwritten(folder, &error))?;
    for (name, text) in files {
        let file = folder.join(name);
        fs::write(&file, text.as_ref()).map_err(|error| unwritten(&file, &error))?;
    }
    Ok(())
}

fn unwritten(path: &Path, error: &std::io::Error) -> String {
    format!("{}: cannot be written: {error}", path.display())
}
