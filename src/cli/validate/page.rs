//! What `towtank validate` prints: pure functions from a report to text.

use std::fmt::Write as _;
use std::path::Path;

use super::{Finding, Report};
use crate::object::{Value, json};

/// For a reader, and for editors: a line a finding.
pub(super) fn terminal(report: &Report, folder: &Path) -> String {
    let mut text = String::new();
    for finding in &report.findings {
        let Finding { file, line, column, object, message, .. } = finding;
        let mut place = folder.join(file).to_string_lossy().into_owned();
        if *line > 0 {
            _ = write!(place, ":{line}");
            if *column > 0 {
                _ = write!(place, ":{column}");
            }
        }
        let object = if object.is_empty() { String::new() } else { format!("{object}: ") };
        _ = writeln!(text, "{place}: {object}{message}");
    }
    for ((api_version, kind), count) in &report.unchecked {
        _ = writeln!(text, "not checked: {count} of {kind} {api_version}: no schema is here");
    }
    let objects: usize = report.folders.iter().map(|folder| folder.objects).sum();
    let (folders, findings) = (report.folders.len(), report.findings.len());
    let (f, o) = (plural(folders, "folder"), plural(objects, "object"));
    _ = writeln!(text, "{f}, {o}, {}", plural(findings, "finding"));
    text
}

fn plural(count: usize, word: &str) -> String {
    if count == 1 { format!("1 {word}") } else { format!("{count} {word}s") }
}

/// For a program.
pub(super) fn json(report: &Report) -> String {
    let folders = report.folders.iter().map(|folder| {
        let kind = if folder.is_kustomization { "kustomization" } else { "plain" };
        json!({ "path": folder.path, "kind": kind, "objects": folder.objects })
    });
    let findings = report.findings.iter().map(|finding| {
        let Finding { file, line, column, object, field, message } = finding;
        json!({ "file": file, "line": line, "column": column, "object": object, "field": field,
            "message": message })
    });
    let unchecked = report.unchecked.iter().map(|((api_version, kind), count)| {
        json!({ "apiVersion": api_version, "kind": kind, "objects": count })
    });
    let page = json!({
        "ok": report.findings.is_empty(),
        "folders": folders.collect::<Vec<Value>>(),
        "findings": findings.collect::<Vec<Value>>(),
        "unchecked": unchecked.collect::<Vec<Value>>(),
    });
    format!("{page:#}\n")
}
