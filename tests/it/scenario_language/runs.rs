//! Whatever a scenario or a folder of manifests says, it is run, or told why not; nothing panics.
//!
//! A few cases at every run; `TOWTANK_FUZZ=N` asks for N of each.
#![expect(clippy::unwrap_used, reason = "a test ends at the first thing that is not there")]

use std::collections::BTreeMap;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use towtank::base::{Rng, Time};
use towtank::engine::{render, source};
use towtank::lab::run::{Options, run};
use towtank::lab::scenario::{find, parse};
use towtank::lab::world::git::GitWorld;
use towtank::record::{Clock, Verdict};

/// Cases of each kind.
fn cases(usual: u64) -> u64 {
    std::env::var("TOWTANK_FUZZ").ok().and_then(|n| n.parse().ok()).unwrap_or(usual)
}

fn scenarios() -> Vec<(PathBuf, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    let files = find(&[folder]).unwrap();
    files.into_iter().map(|file| (file.clone(), fs::read_to_string(&file).unwrap())).collect()
}

/// Words that stand somewhere in `texts`, and some that stand nowhere.
fn words<'a>(texts: impl Iterator<Item = &'a str>) -> Vec<String> {
    let is_sign = |c: char| c.is_whitespace() || "{}[],\"'|>".contains(c);
    let mut words: Vec<String> =
        texts.flat_map(|text| text.split(is_sign)).map(ToOwned::to_owned).collect();
    let odd = [
        "", "0", "-1", "3", "50", "null", "true", "[]", "{}", "~", "*", "&a", "*a", "é", "..",
        "a/b", "$(X)", "1e3", "0x1",
    ];
    words.extend(odd.map(ToOwned::to_owned));
    words.sort();
    words.dedup();
    words
}

fn place(rng: &mut Rng, length: usize) -> usize {
    usize::try_from(rng.below(length as u64)).unwrap()
}

fn pick<'a, T>(rng: &mut Rng, of: &'a [T]) -> &'a T {
    &of[place(rng, of.len())]
}

/// A text with a few of its lines and words changed.
fn mutated(rng: &mut Rng, text: &str, words: &[String]) -> String {
    let mut lines: Vec<String> = text.lines().map(ToOwned::to_owned).collect();
    for _ in 0..=rng.below(2) {
        if lines.is_empty() {
            break;
        }
        let at = place(rng, lines.len());
        match rng.below(12) {
            0 => drop(lines.remove(at)),
            1 => lines.insert(at, lines[at].clone()),
            2 => {
                let other = place(rng, lines.len());
                lines.swap(at, other);
            }
            3 => lines[at] = format!("  {}", lines[at]),
            _ => lines[at] = with_another_word(rng, &lines[at], words),
        }
    }
    lines.join("\n")
}

fn with_another_word(rng: &mut Rng, line: &str, words: &[String]) -> String {
    let mut parts: Vec<String> =
        line.split_inclusive([' ', ',', '/']).map(ToOwned::to_owned).collect();
    if !parts.is_empty() {
        let at = place(rng, parts.len());
        let sign = parts[at].chars().last().filter(|c| " ,/".contains(*c));
        parts[at] = pick(rng, words).chars().chain(sign).collect();
    }
    parts.concat()
}

#[test]
fn whatever_a_scenario_says_it_is_run_or_told_why_not() {
    let scenarios = scenarios();
    let words = words(scenarios.iter().map(|(_, text)| text.as_str()));
    for case in 0..cases(60) {
        let mut rng = Rng::new(case);
        let (file, text) = pick(&mut rng, &scenarios);
        let text = mutated(&mut rng, text, &words);
        let Ok(scenario) = parse(file, &text) else { continue };
        let options = Options { seed: case, clock: Clock::Virtual, ..Options::default() };
        let result = catch_unwind(AssertUnwindSafe(|| run(&scenario, &options).map(drop)));
        assert!(result.is_ok(), "case {case} of {} panics:\n{text}", file.display());
    }
}

const CART: &str = "name: a
description: d
repo:
  files:
    cart.yaml: |
      apiVersion: v1
      kind: ConfigMap
      metadata: { name: cart }
      data: { a: b }
apps: [{ name: shop }]
steps:
";

/// What a run of these steps comes to: a mistake, or its verdict and the first failure's detail.
fn outcome(steps: &str) -> Result<(Verdict, String), String> {
    let scenario = parse(Path::new("x.scenario.yaml"), &format!("{CART}{steps}")).unwrap();
    let finished = run(&scenario, &Options::default()).map_err(|error| error.to_string())?;
    let first = finished.record.failures.first().map(|failure| failure.detail.clone());
    Ok((finished.record.verdict, first.unwrap_or_default()))
}

#[test]
fn a_foreign_write_that_is_refused_ends_the_run_unless_it_may_fail() {
    let write = "patch: configmap/crt, set: { data.a: c }";
    let mistake = outcome(&format!("  - drift: {{ {write} }}\n")).unwrap_err();
    assert!(mistake.starts_with("x.scenario.yaml:12:5: patch of ConfigMap/default/crt is refused"));
    let (verdict, _) = outcome(&format!("  - drift: {{ {write}, may-fail: true }}\n")).unwrap();
    assert_eq!(verdict, Verdict::Passed);
}

#[test]
fn a_time_that_counts_from_what_never_comes_is_not_met() {
    let step = "  - push: { edit: { file: cart.yaml, set: { data.a: c } } }\n    \
                expect: { app: shop, rolled-back: { within: 10s, after: failed } }\n";
    let (verdict, detail) = outcome(step).unwrap();
    assert_eq!(verdict, Verdict::Failed);
    assert_eq!(detail, "failed, which its time is counted from, did not come");
}

#[test]
fn what_is_never_to_be_ready_is_not_so_at_any_time_of_the_step() {
    let (verdict, detail) =
        outcome("  - wait: 5s\n    expect: { app: shop, never: ready }\n").unwrap();
    assert_eq!((verdict, detail.as_str()), (Verdict::Failed, "it was ready at 0.000 s"));
}

/// A kustomization with most of what one can say.
const BUILT: [(&str, &str); 5] = [
    (
        "base/kustomization.yaml",
        r#"apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
namespace: shop
namePrefix: a-
nameSuffix: -b
labels:
  - pairs: { team: x }
    includeSelectors: true
commonAnnotations: { note: word }
resources:
  - deployment.yaml
  - service.yaml
images:
  - { name: shop/cart, newTag: "2" }
replicas:
  - { name: cart, count: 3 }
patches:
  - target: { kind: Deployment, name: cart }
    patch: |
      - op: replace
        path: /spec/replicas
        value: 4
  - patch: |
      apiVersion: apps/v1
      kind: Deployment
      metadata: { name: cart }
      spec:
        template:
          spec:
            containers: [{ name: c, env: [{ name: A, value: b }] }]
"#,
    ),
    (
        "base/deployment.yaml",
        r"apiVersion: apps/v1
kind: Deployment
metadata:
  name: cart
  labels: { app: cart }
spec:
  replicas: 1
  selector: { matchLabels: { app: cart } }
  template:
    metadata: { labels: { app: cart } }
    spec:
      containers:
        - name: c
          image: shop/cart:1
          envFrom: [{ configMapRef: { name: settings } }]
",
    ),
    (
        "base/service.yaml",
        r"apiVersion: v1
kind: Service
metadata: { name: cart }
spec:
  selector: { app: cart }
  ports: [{ port: 80 }]
",
    ),
    (
        "over/kustomization.yaml",
        r"resources: [../base]
nameSuffix: -x
patches:
  - path: p.yaml
    target: { kind: Deployment }
",
    ),
    ("over/p.yaml", "- { op: add, path: /metadata/labels/z, value: q }\n"),
];

#[test]
fn whatever_a_kustomization_says_it_is_built_or_told_why_not() {
    let files = BUILT;
    let words = words(files.iter().map(|(_, text)| *text));
    for case in 0..cases(200) {
        let mut rng = Rng::new(case);
        let mut tree: BTreeMap<String, Vec<u8>> = BTreeMap::new();
        let (chosen, _) = *pick(&mut rng, &files);
        for (path, text) in &files {
            let text =
                if *path == chosen { mutated(&mut rng, text, &words) } else { (*text).to_owned() };
            tree.insert((*path).to_owned(), text.into_bytes());
        }
        let text = String::from_utf8_lossy(&tree[chosen]).into_owned();
        let result = catch_unwind(AssertUnwindSafe(|| {
            let git = GitWorld::from_files(&tree, Time::VIRTUAL_START).unwrap();
            let artifact = source::Trees::new().artifact(git.objects(), &git.head()).unwrap();
            render::render(&artifact.tree, "over", &mut render::ParseCache::default()).map(drop)
        }));
        let Ok(result) = result else { panic!("case {case}: {chosen} panics:\n{text}") };
        if let Err(error) = result {
            let told = error.to_string();
            let is_one_line = !error.message.is_empty() && !told.contains('\n');
            assert!(is_one_line, "case {case}: {chosen}: {told}\n{text}");
        }
    }
}
