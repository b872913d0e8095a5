//! Files of records, and the divergences that are known.
//!
//! A folder of `tests/baseline` holds `NAME.jsonl` or `NAME.jsonl.gz`, a record a line, and
//! `exceptions.txt`: file, name and reason, with tabs between, a line each. Recording is
//! `scripts/baseline`.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use crate::object::Value;

/// Why records cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum RecordsError {
    /// A file or folder is not there, or cannot be read.
    #[error("{path}: {source}", path = .path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A line is no record.
    #[error("{path}:{line}: {why}", path = .path.display())]
    Line {
        /// Of which file.
        path: PathBuf,
        /// Which, from 1.
        line: usize,
        /// What is wrong.
        why: String,
    },
}

/// The records of a file, packed or not.
///
/// # Errors
/// [`RecordsError`]: the file, or the line that is no JSON.
pub fn read(path: &Path) -> Result<Vec<Value>, RecordsError> {
    let failed = |source| RecordsError::File { path: path.to_owned(), source };
    let mut text = String::new();
    let file = fs::File::open(path).map_err(failed)?;
    if path.extension().is_some_and(|e| e == "gz") {
        flate2::read::GzDecoder::new(file).read_to_string(&mut text).map_err(failed)?;
    } else {
        std::io::BufReader::new(file).read_to_string(&mut text).map_err(failed)?;
    }
    let lines = text.lines().enumerate().map(|(i, line)| {
        let read = serde_json::from_str(line).map(|record| with_text(record, line));
        read.map_err(|e| RecordsError::Line {
            path: path.to_owned(),
            line: i + 1,
            why: e.to_string(),
        })
    });
    lines.collect()
}

/// A record with its request's body as text too, whose fields are in the order of the record.
fn with_text(mut record: Value, line: &str) -> Value {
    let is_object = record["request"]["body"].is_object();
    let at = line.find("\"agent\":").and_then(|at| Some(at + line[at..].find("\"body\":")? + 7));
    if let Some(at) = at.filter(|_| is_object) {
        let mut texts = serde_json::Deserializer::from_str(&line[at..]).into_iter::<Value>();
        if let Some(Ok(_)) = texts.next() {
            record["request"]["text"] = line[at..at + texts.byte_offset()].trim().into();
        }
    }
    record
}

/// The files of records in a folder, by name.
///
/// # Errors
/// [`RecordsError::File`]: the folder.
pub fn files(folder: &Path) -> Result<Vec<PathBuf>, RecordsError> {
    let failed = |source| RecordsError::File { path: folder.to_owned(), source };
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.ends_with(".jsonl") || name.ends_with(".jsonl.gz") {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

/// The known divergences of a file of records: name and reason.
///
/// # Errors
/// [`RecordsError`]: `exceptions.txt` of the folder, or a line of it.
pub fn exceptions(file: &Path) -> Result<BTreeMap<String, String>, RecordsError> {
    let path = file.with_file_name("exceptions.txt");
    let failed = |source| RecordsError::File { path: path.clone(), source };
    let text = fs::read_to_string(&path).map_err(failed)?;
    let own = file.file_name().unwrap_or_default().to_string_lossy();
    let mut found = BTreeMap::new();
    for (i, line) in text.lines().enumerate() {
        let Some(rest) = line.strip_prefix(own.as_ref()).and_then(|l| l.strip_prefix('\t')) else {
            continue;
        };
        let Some((name, reason)) = rest.split_once('\t') else {
            let why = "expected file, name and reason with tabs between".to_owned();
            return Err(RecordsError::Line { path, line: i + 1, why });
        };
        found.insert(name.to_owned(), reason.to_owned());
    }
    Ok(found)
}
