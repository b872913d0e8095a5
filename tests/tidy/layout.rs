//! Files: that each says what it is, that none grows without end, that every test is run.

use crate::lexer::code;
use crate::tree::{Finding, Tree};

/// No hand-written file has more lines.
const LINES_MAX: usize = 800;
/// A file with more lines has to be in [`LONG`].
const LINES: usize = 500;
/// Files that are longer than they should be, and how long they may be. A number may only fall.
const LONG: &[(&str, usize)] = &[];
/// What a generated file carries in its first lines.
const GENERATED: &str = "@generated";
/// Our test binaries.
const BINARIES: &[&str] = &["it", "scenarios", "tidy"];

/// Every Rust file opens by saying what it is.
pub(crate) fn headers(tree: &Tree) -> Vec<Finding> {
    let files = ["src/", "tests/", "benches/"].into_iter().flat_map(|f| tree.under(f, ".rs"));
    files
        .filter(|(_, text)| {
            let first = text.lines().next().unwrap_or_default();
            first.strip_prefix("//!").is_none_or(|says| says.trim().len() <= 2)
        })
        .map(|(path, _)| {
            let what = "open with `//!`: what it is, then what it does not do and who does";
            Finding::new(path, 1, what)
        })
        .collect()
}

/// No file is too long.
pub(crate) fn lengths(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    let files = ["src/", "tests/", "benches/"].into_iter().flat_map(|f| tree.under(f, ".rs"));
    for (path, text) in files.filter(|(_, text)| !is_generated(text)) {
        let lines = text.lines().count();
        let listed = LONG.iter().find(|(long, _)| *long == path).map(|(_, lines)| *lines);
        let what = match listed {
            _ if lines > LINES_MAX => format!("{lines} lines, over {LINES_MAX}: split it"),
            Some(bound) if lines > bound => {
                format!("{lines} lines; it may shrink from {bound}, not grow: split it")
            }
            Some(bound) if lines < bound => {
                format!("shrunk to {lines} lines: lower its number in tests/tidy/layout.rs")
            }
            None if lines > LINES => format!("{lines} lines, over {LINES}: split it"),
            _ => continue,
        };
        findings.push(Finding::new(path, lines, what));
    }
    findings
}

fn is_generated(text: &str) -> bool {
    text.lines().take(5).any(|line| line.contains(GENERATED))
}

/// How long files are, test modules not counted; told, not judged.
pub(crate) fn median_note(tree: &Tree) -> String {
    let hand = tree.sources().filter(|(_, text)| !is_generated(text));
    let mut lines: Vec<usize> = hand.map(|(_, text)| lines_before_tests(text)).collect();
    lines.sort_unstable();
    let over = lines.iter().filter(|lines| **lines > 250).count();
    let median = lines.get(lines.len() / 2).copied().unwrap_or(0);
    format!("{} files under src, {median} lines in the median, {over} over 250", lines.len())
}

/// Lines up to the first `#[cfg(test)] mod ... {`, which by custom is a file's last item.
fn lines_before_tests(text: &str) -> usize {
    let code = code(text);
    let lines: Vec<&str> = code.lines().collect();
    let tests = lines.windows(2).position(|pair| {
        pair[0].trim() == "#[cfg(test)]" && pair[1].starts_with("mod ") && pair[1].ends_with('{')
    });
    tests.unwrap_or(lines.len())
}

/// Every module in tests/it is named in its list, or it would never be compiled.
pub(crate) fn modules(tree: &Tree) -> Vec<Finding> {
    let list = tree.files.get("tests/it/main.rs").map(|text| code(text)).unwrap_or_default();
    let is_named = |module: &str| list.lines().any(|line| line.trim() == format!("mod {module};"));
    let mut findings = Vec::new();
    for (path, _) in tree.under("tests/it/", ".rs") {
        let inner = path.trim_start_matches("tests/it/");
        let module = match inner.split_once('/') {
            None => inner.trim_end_matches(".rs"),
            Some((folder, "mod.rs")) => folder,
            Some((folder, _)) if tree.files.contains_key(&format!("tests/it/{folder}.rs")) => {
                continue;
            }
            // Named by the folder's own mod.rs, which the compiler looks after.
            Some(_) => continue,
        };
        if module != "main" && !is_named(module) {
            let what = format!("never run: add `mod {module};` to tests/it/main.rs");
            findings.push(Finding::new(path, 1, what));
        }
    }
    findings
}

/// Each test binary links the whole crate: three, no more.
pub(crate) fn binaries(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, _) in tree.under("tests/", ".rs") {
        let inner = path.trim_start_matches("tests/");
        let binary = match inner.split_once('/') {
            None => inner.trim_end_matches(".rs"),
            Some((folder, "main.rs")) => folder,
            Some(_) => continue,
        };
        if !BINARIES.contains(&binary) {
            let what =
                format!("`{binary}` is a test binary of its own: make it a module of tests/it");
            findings.push(Finding::new(path, 1, what));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::check;

    #[test]
    fn a_file_that_does_not_say_what_it_is_is_refused() {
        check(
            headers,
            &[("src/a.rs", "//! What it is.\n"), ("src/a.txt", "no")],
            &[("src/a.rs", "use b::c;\n"), ("tests/it/main.rs", "//!\n"), ("tests/tidy.rs", "")],
            &[("src/a.rs", 1), ("tests/it/main.rs", 1), ("tests/tidy.rs", 1)],
        );
    }

    #[test]
    fn a_long_file_is_refused() {
        let (fits, long, longest) = ("x\n".repeat(500), "x\n".repeat(501), "x\n".repeat(801));
        let generated = format!("//! A table. @generated by a script.\n{longest}");
        check(
            lengths,
            &[("src/a.rs", &fits), ("src/b.rs", &generated), ("README.md", &longest)],
            &[("src/a.rs", &long), ("tests/it/a.rs", &longest)],
            &[("src/a.rs", 501), ("tests/it/a.rs", 801)],
        );
    }

    #[test]
    fn a_test_module_that_nobody_names_is_refused() {
        let list = "//! List.\nmod a;\n// mod c;\nmod b;";
        check(
            modules,
            &[("tests/it/a.rs", ""), ("tests/it/b/mod.rs", ""), ("tests/it/main.rs", list)],
            &[("tests/it/c.rs", ""), ("tests/it/d/mod.rs", ""), ("tests/it/main.rs", list)],
            &[("tests/it/c.rs", 1), ("tests/it/d/mod.rs", 1)],
        );
    }

    #[test]
    fn a_fourth_test_binary_is_refused() {
        check(
            binaries,
            &[("tests/it/main.rs", ""), ("tests/tidy.rs", ""), ("tests/tidy/tree.rs", "")],
            &[("tests/extra/main.rs", ""), ("tests/more.rs", "")],
            &[("tests/extra/main.rs", 1), ("tests/more.rs", 1)],
        );
    }

    #[test]
    fn test_modules_do_not_count_in_the_median() {
        assert_eq!(lines_before_tests("a\nb\n#[cfg(test)]\nmod tests {\n}\n"), 2);
        assert_eq!(lines_before_tests("a\n#[cfg(test)]\nmod sample;\nb\n"), 4);
    }
}
