//! The renderer against what the real kustomize refuses: every case of
//! `tests/baseline/render/bad.txt` fails here where it fails there, is built to the same bytes where
//! it is built there, and what kustomize names (a file, a field, an object) is named here too, with
//! the line and the column besides. The words are ours.
//!
//! `scripts/baseline-render-bad` records the answers.

#![expect(clippy::unwrap_used, reason = "a test fails by panic")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use towtank::engine::model::RenderError;
use towtank::engine::render::ParseCache;
use towtank::engine::render::kustomize::{self, Files, Options, Order};
use towtank::object::Value;

use crate::trees;

/// Cases that come out otherwise here, and why.
const EXCEPTIONS: [(&str, &str); 3] = [
    ("objects/name-as-number", "no server takes a name that is a number, and quotes mend it"),
    ("openapi/not-json", "upstream looks into the schema when a patch needs it, and then panics"),
    ("patches/json-copies-from-what-is-missing", "upstream copies nothing; the RFC wants an error"),
];

/// Words of kustomize's messages and of the cases that name nothing.
const PLAIN_WORDS: &str = "add remove replace move builtin components vars a an and are as at be but by can cannot could did document error expected \
    exists field file find for from in into is it key kind line list load missing must name no not \
    of on one only or path patch resource resources source target text that the to type unable \
    unknown value with found map merge nothing number object v1 metadata spec data image \
    configuration delete matches test";

struct Case {
    name: String,
    options: Options,
    files: BTreeMap<String, String>,
    /// Words of its own files.
    words: BTreeSet<String>,
}

/// The cases, as the head of the file says.
fn cases(text: &str) -> Vec<Case> {
    let mut common = BTreeMap::new();
    let mut cases = Vec::new();
    for part in format!("\n{text}").split("\n== ").skip(1) {
        let (head, rest) = part.split_once('\n').unwrap();
        let mut files = BTreeMap::new();
        for piece in format!("\n{rest}\n").split("\n-- ").skip(1) {
            let (path, text) = piece.split_once(" --\n").unwrap();
            files.insert(path.to_owned(), text.to_owned());
        }
        let mut words = head.split(' ');
        let name = words.next().unwrap().to_owned();
        if name == "common" {
            common = files;
            continue;
        }
        let options = options(words);
        let words = files.iter().flat_map(|(path, text)| {
            std::iter::once(path.clone()).chain(words_of(text).map(str::to_owned))
        });
        let words = words.chain(["web", "settings", "from-base"].map(str::to_owned)).collect();
        for (path, text) in &common {
            files.entry(path.clone()).or_insert_with(|| text.clone());
        }
        cases.push(Case { name, options, files, words });
    }
    cases
}

fn options<'a>(mut words: impl Iterator<Item = &'a str>) -> Options {
    let mut options = Options::default();
    while let Some(word) = words.next() {
        match (word, words.next()) {
            ("--load-restrictor", Some("LoadRestrictionsNone")) => options.files = Files::Anywhere,
            ("--reorder", Some("none")) => options.order = Order::Listed,
            other => panic!("{other:?}"),
        }
    }
    options
}

fn words_of(text: &str) -> impl Iterator<Item = &str> {
    let is_word = |c: char| c.is_alphanumeric() || "_./-()*$".contains(c);
    let trimmed =
        text.split(move |c: char| !is_word(c)).map(|word| word.trim_matches(['.', '/', '-']));
    trimmed.filter(|word| word.len() > 1)
}

/// What kustomize names in a message: words of it that are words of the case.
fn named(case: &Case, message: &str) -> BTreeSet<String> {
    let plain: BTreeSet<&str> = PLAIN_WORDS.split_whitespace().collect();
    let message = message.split_once("Error: ").map_or(message, |(_, message)| message);
    // Configurations and objects are quoted at length: what is wrong stands before or behind.
    let message = match (message.find(" with config: `"), message.find("`: ")) {
        (Some(start), Some(end)) => format!("{} {}", &message[..start], &message[end..]),
        _ => message.to_owned(),
    };
    // So is what was read.
    let message = message.split("node contents").next().unwrap_or_default();
    let message = message.split(" in\n").next().unwrap_or_default();
    let message = message.split("[patch: ").next().unwrap_or_default();
    // `Image.images.newTag` is a field of Go's, then ours.
    let words = words_of(message.split('{').next().unwrap_or_default());
    words
        .flat_map(|word| [Some(word), word.rsplit_once('.').map(|(_, last)| last)])
        .flatten()
        .filter(|word| case.words.contains(*word) && !plain.contains(word))
        .map(str::to_owned)
        .collect()
}

/// What comes out otherwise than recorded.
fn difference(case: &Case, answer: &Value, cache: &mut ParseCache) -> Option<String> {
    let mut tree = trees::empty();
    for (path, text) in &case.files {
        trees::insert(&mut tree, path, text.as_bytes());
    }
    let top = if tree.entries.contains_key("top") { "top" } else { "" };
    let found = kustomize::build(&tree, top, &case.options, cache);
    let stderr = answer["stderr"].as_str().unwrap();
    match (found.map(|rendered| kustomize::to_yaml(&rendered)), answer["status"] == 0) {
        (Ok(found), true) if found == answer["stdout"].as_str().unwrap() => None,
        (Ok(found), true) => Some(format!("built otherwise:\n{found}\n{}", answer["stdout"])),
        (Ok(_), false) => Some(format!("only kustomize refuses it: {stderr}")),
        (Err(error), true) => Some(format!("only towtank refuses it: {error}")),
        (Err(error), false) => silent(case, stderr, &error),
    }
}

/// What a message leaves out.
fn silent(case: &Case, stderr: &str, error: &RenderError) -> Option<String> {
    let message = error.to_string();
    let left_out: Vec<String> =
        named(case, stderr).into_iter().filter(|word| !message.contains(word.as_str())).collect();
    if !left_out.is_empty() {
        return Some(format!("{left_out:?} is not named: {message}\n   {stderr}"));
    }
    // Only what is missing, empty or too many as a whole has no line.
    let says_nothing =
        |text: &String| text.lines().all(|line| line.starts_with('#') || line.is_empty());
    let is_whole = case.files.get(&error.file).is_none_or(says_nothing)
        || case.name == "kustomization/two-of-them";
    let lacks_place = (error.line == 0 || error.column == 0) && !is_whole;
    lacks_place.then(|| format!("no line or column: {message}\n   {stderr}"))
}

#[test]
fn what_kustomize_refuses_is_refused_with_the_same_names() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/baseline/render");
    let cases = cases(&fs::read_to_string(folder.join("bad.txt")).unwrap());
    let answers = fs::read_to_string(folder.join("bad.jsonl")).unwrap();
    let answers: Vec<Value> = answers.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    assert_eq!(cases.len(), answers.len(), "scripts/baseline-render-bad records all");
    let mut cache = ParseCache::new();
    let mut classes: BTreeMap<String, [usize; 3]> = BTreeMap::new();
    let mut wrong = Vec::new();
    for (case, answer) in cases.iter().zip(&answers) {
        assert_eq!(case.name, answer["case"], "scripts/baseline-render-bad records all");
        let class = case.name.split('/').next().unwrap().to_owned();
        let counts = classes.entry(class).or_default();
        let is_exception = EXCEPTIONS.iter().any(|(name, _)| *name == case.name);
        match difference(case, answer, &mut cache) {
            Some(why) if !is_exception => {
                counts[2] += 1;
                wrong.push(format!("== {}\n{why}", case.name));
            }
            None if is_exception => wrong.push(format!("== {} is no exception", case.name)),
            _ if answer["status"] == 0 => counts[1] += 1,
            _ => counts[0] += 1,
        }
    }
    println!("{:<16}{:>8}{:>8}{:>8}", "class", "refused", "built", "differ");
    for (class, [refused, built, differ]) in &classes {
        println!("{class:<16}{refused:>8}{built:>8}{differ:>8}");
    }
    assert!(wrong.is_empty(), "{} of {} differ\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}
