//! What stands in files: descriptions, open ends, traces of one machine, cited behaviours.

use std::collections::BTreeSet;

use crate::tree::{Finding, Tree};

/// Where recorded answers are, and which behaviour each is for.
const BEHAVIOURS: &str = "tests/baseline/README.md";
/// Words for what is left to do, written so that this file has none.
const OPEN: &[&str] = &[concat!("TO", "DO"), concat!("FIX", "ME")];
/// Folders that only one machine has.
const MACHINE: &[&str] = &[concat!("/wo", "rk/")];
/// Folders that every machine has and whose content is one's own. Containers have them too, so
/// that manifests may name them.
const OWN: &[&str] = &[concat!("/ro", "ot/"), concat!("/ho", "me/"), concat!("/tm", "p/")];
/// Ends of the names of files that are manifests or answers of a server.
const DATA: &[&str] = &[".yaml", ".yml", ".json", ".jsonl", ".csv"];
/// The only places that dependencies are taken from: a mirror is a matter of one machine.
const SOURCES: &[&str] = &[concat!("registry+https://github.com/rust-lang/crates", ".io-index")];

/// Every scenario says what it is about.
pub(crate) fn descriptions(tree: &Tree) -> Vec<Finding> {
    let files = tree.under("scenarios/", "scenario.yaml");
    files
        .filter(|(_, text)| !has_description(text))
        .map(|(path, _)| {
            Finding::new(path, 1, "add `description:`, a sentence on what is tried and why")
        })
        .collect()
}

/// Whether `description` stands at the top with a text, beside it or below it.
fn has_description(text: &str) -> bool {
    let mut lines = text.lines();
    let Some(value) = lines.find_map(|line| line.strip_prefix("description:")) else {
        return false;
    };
    let value = value.split(" #").next().unwrap_or_default().trim();
    let block = value.is_empty() || value.starts_with(['>', '|']);
    let below = || lines.clone().find(|line| !line.trim().is_empty());
    if block {
        below().is_some_and(|line| line.starts_with(' '))
    } else {
        value.trim_matches(['"', '\'']).len() > 2
    }
}

/// What is left to do says when: an issue, or a condition that can be looked up.
pub(crate) fn conditions(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in code_files(tree) {
        for (number, line) in text.lines().enumerate() {
            let open = OPEN.iter().find(|word| has_word(line, word));
            if let Some(word) = open.filter(|word| !has_condition(line, word)) {
                let what = format!(
                    "`{word}` without a condition: write `{word}(when ...):` or `{word}(#12):`"
                );
                findings.push(Finding::new(path, number + 1, what));
            }
        }
    }
    findings
}

fn has_word(line: &str, word: &str) -> bool {
    line.match_indices(word).any(|(at, _)| {
        let letter = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
        !letter(line[..at].chars().next_back()) && !letter(line[at + word.len()..].chars().next())
    })
}

fn has_condition(line: &str, word: &str) -> bool {
    line.split_once(&format!("{word}(")).is_some_and(|(_, rest)| {
        rest.split_once(')').is_some_and(|(condition, _)| condition.trim().len() > 1)
    })
}

/// Nothing that is true on one machine only: its folders, its package mirrors.
pub(crate) fn machines(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in &tree.files {
        let own = if DATA.iter().any(|end| path.ends_with(end)) { &[] } else { OWN };
        for (number, line) in text.lines().enumerate() {
            if let Some(folder) = MACHINE.iter().chain(own).find(|folder| begins_path(line, folder))
            {
                let what = format!(
                    "`{folder}` is a folder of one machine: take it from an argument or a variable"
                );
                findings.push(Finding::new(path, number + 1, what));
            }
            if let Some(source) = foreign_source(path, line) {
                let what = format!(
                    "`{source}` is a mirror of one machine: lock against the public registry"
                );
                findings.push(Finding::new(path, number + 1, what));
            }
        }
    }
    findings
}

/// Whether `folder` stands in `line` at the beginning of a path, not inside of one.
fn begins_path(line: &str, folder: &str) -> bool {
    line.match_indices(folder).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        !before.is_some_and(|c| c.is_alphanumeric() || "._-}/)~*".contains(c))
    })
}

/// Where a lock file takes a package from, if that is no public registry.
fn foreign_source<'a>(path: &str, line: &'a str) -> Option<&'a str> {
    let key = match path.rsplit('/').next()? {
        "Cargo.lock" => "source = ",
        "package-lock.json" => "\"resolved\": ",
        _ => return None,
    };
    let source = line.trim().strip_prefix(key)?.trim_end_matches(',').trim_matches('"');
    (!SOURCES.iter().any(|known| source.starts_with(known))).then_some(source)
}

/// A behaviour that code cites can be looked up.
pub(crate) fn behaviours(tree: &Tree) -> Vec<Finding> {
    let listed: BTreeSet<&str> =
        tree.files.get(BEHAVIOURS).map(|text| numbers(text).collect()).unwrap_or_default();
    let mut findings = Vec::new();
    for (path, text) in code_files(tree).filter(|(path, _)| *path != BEHAVIOURS) {
        for (number, line) in text.lines().enumerate() {
            for behaviour in numbers(line).filter(|behaviour| !listed.contains(behaviour)) {
                let what = format!("{behaviour} is not listed in {BEHAVIOURS}: add what it says");
                findings.push(Finding::new(path, number + 1, what));
            }
        }
    }
    findings
}

/// The numbers of behaviours in a text: `R-`, capitals, `-`, two digits.
fn numbers(text: &str) -> impl Iterator<Item = &str> {
    text.match_indices("R-").filter_map(move |(at, _)| {
        let rest = &text[at + 2..];
        let letters = rest.find(|c: char| !c.is_ascii_uppercase())?;
        let digits = rest[letters..].strip_prefix('-')?;
        let count = digits.chars().take_while(char::is_ascii_digit).count();
        (letters >= 2 && count == 2).then(|| &text[at..at + 2 + letters + 1 + count])
    })
}

/// What people write by hand and machines run.
fn code_files(tree: &Tree) -> impl Iterator<Item = (&str, &str)> {
    let files = tree.files.iter().map(|(path, text)| (path.as_str(), text.as_str()));
    files.filter(|(path, _)| {
        let baseline = path.starts_with("tests/baseline/") && !path.ends_with(".rs");
        let folder = ["src/", "tests/", "benches/", "scripts/", "scenarios/", ".ci/"];
        !baseline && folder.iter().any(|folder| path.starts_with(folder))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::check;

    #[test]
    fn a_scenario_that_does_not_say_what_it_is_about_is_refused() {
        check(
            descriptions,
            &[
                ("scenarios/a/a.scenario.yaml", "name: a\ndescription: What is tried.\n"),
                ("scenarios/a/b/scenario.yaml", "description: >\n  What is tried.\n"),
                ("scenarios/a/repo/x.yaml", "kind: ConfigMap\n"),
            ],
            &[
                ("scenarios/a/a.scenario.yaml", "name: a\nsteps: []\n"),
                ("scenarios/a/b.scenario.yaml", "description: \"\"\n"),
                ("scenarios/a/c/scenario.yaml", "description: |\nsteps: []\n"),
            ],
            &[
                ("scenarios/a/a.scenario.yaml", 1),
                ("scenarios/a/b.scenario.yaml", 1),
                ("scenarios/a/c/scenario.yaml", 1),
            ],
        );
    }

    #[test]
    fn an_open_end_without_a_condition_is_refused() {
        let [todo, fixme] = [OPEN[0], OPEN[1]];
        let good =
            format!("// {todo}(#12): more\n// {fixme}(when kube 5 is out): less\nlet {todo}S = 1;");
        let bad = format!("// fine\n// {todo}: more\n// {fixme}() less\n");
        check(
            conditions,
            &[("src/a.rs", &good)],
            &[("src/a.rs", &bad)],
            &[("src/a.rs", 2), ("src/a.rs", 3)],
        );
    }

    #[test]
    fn a_trace_of_one_machine_is_refused() {
        let folder = format!("fn f() {{}}\nlet a = \"{}x\";\nlet b = \"{}y\";", MACHINE[0], OWN[2]);
        let lock = |host: &str| format!("name = \"a\"\nsource = \"{host}\"\n");
        check(
            machines,
            &[("README.md", "see net/work/x and $DIR/work/y\n"), ("Cargo.lock", &lock(SOURCES[0]))],
            &[
                ("Cargo.lock", &lock("registry+https://mirror.example/index")),
                ("src/a.rs", &folder),
            ],
            &[("Cargo.lock", 2), ("src/a.rs", 2), ("src/a.rs", 3)],
        );
    }

    #[test]
    fn a_behaviour_that_cannot_be_looked_up_is_refused() {
        let (one, two) = (concat!("R", "-SSA-14"), concat!("R", "-HTTP-22"));
        let source = format!("//! See {one}.\n// {one}, {two}\n");
        let both = format!("- {one} a\n- {two} b\n");
        check(
            behaviours,
            &[("src/a.rs", &source), (BEHAVIOURS, &both), ("src/b.rs", "// R-X, FOR-1")],
            &[("src/a.rs", &source), (BEHAVIOURS, &format!("- {one} a\n"))],
            &[("src/a.rs", 2)],
        );
    }
}
