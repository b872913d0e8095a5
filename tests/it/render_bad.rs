//! The renderer against damaged input: whatever is in a repository, a build ends with a result or
//! an error that says where, and never with a panic.

#![expect(clippy::unwrap_used, reason = "a test fails by panic")]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use towtank::base::Rng;
use towtank::engine::model::{Blob, Node, Tree};
use towtank::engine::render::ParseCache;
use towtank::engine::render::kustomize::{self, Options};

use crate::trees;

/// A folder's files by path.
fn files(folder: &Path, prefix: &str, found: &mut BTreeMap<String, Vec<u8>>) {
    let mut entries: Vec<_> = fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let name = if prefix.is_empty() { name } else { format!("{prefix}/{name}") };
        if path.is_dir() {
            files(&path, &name, found);
        } else {
            found.insert(name, fs::read(&path).unwrap());
        }
    }
}

/// Changes some bytes, lines or words of a text.
fn damage(bytes: &mut Vec<u8>, rng: &mut Rng) {
    const PIECES: [&str; 16] = [
        "null",
        "[]",
        "{}",
        "- ",
        ": ",
        "'",
        "\"",
        "*a",
        "&a ",
        "\n",
        "  ",
        "$patch: delete\n",
        "..",
        "99999999999999999999",
        "\u{0}",
        "<<: ",
    ];
    for _ in 0..=rng.below(3) {
        let len = u64::try_from(bytes.len()).unwrap();
        let at = usize::try_from(rng.below(len + 1)).unwrap();
        let piece = PIECES[usize::try_from(rng.below(16)).unwrap()];
        match rng.below(4) {
            0 if at < bytes.len() => {
                bytes.remove(at);
            }
            1 => bytes.truncate(at),
            2 => {
                // A line goes elsewhere.
                let text = String::from_utf8_lossy(bytes).into_owned();
                let mut lines: Vec<&str> = text.lines().collect();
                if lines.len() > 1 {
                    let count = u64::try_from(lines.len()).unwrap();
                    let line = lines.remove(usize::try_from(rng.below(count)).unwrap());
                    lines.insert(usize::try_from(rng.below(count)).unwrap(), line);
                }
                *bytes = lines.join("\n").into_bytes();
            }
            _ => drop(bytes.splice(at..at, piece.bytes())),
        }
    }
}

#[test]
fn damaged_kustomizations_end_in_a_result_or_an_error() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/baseline/render");
    let mut rng = Rng::new(7);
    let mut cases: Vec<_> =
        fs::read_dir(&root).unwrap().map(|e| e.unwrap().path()).filter(|p| p.is_dir()).collect();
    cases.sort();
    let (mut errors, mut results) = (0, 0);
    for case in cases {
        let mut originals = BTreeMap::new();
        files(&case.join("in"), "", &mut originals);
        let top = if originals.keys().any(|path| path.starts_with("top/")) { "top" } else { "" };
        for _ in 0..20 {
            let mut tree = trees::empty();
            let count = u64::try_from(originals.len()).unwrap();
            let chosen = usize::try_from(rng.below(count)).unwrap();
            for (at, (path, bytes)) in originals.iter().enumerate() {
                let mut bytes = bytes.clone();
                if at == chosen {
                    damage(&mut bytes, &mut rng);
                }
                trees::insert(&mut tree, path, &bytes);
            }
            let options = Options::default();
            match kustomize::build(&tree, top, &options, &mut ParseCache::new()) {
                Ok(rendered) => {
                    results += 1;
                    drop(kustomize::to_yaml(&rendered));
                }
                Err(error) => {
                    errors += 1;
                    assert!(!error.message.is_empty());
                }
            }
        }
    }
    println!("{results} results, {errors} errors");
    assert!(errors > 100 && results > 100, "{results} results, {errors} errors");
}

#[test]
fn what_would_not_end_is_refused() {
    let check = |texts: &[(&str, &str)], expected: &str| {
        let mut tree = trees::empty();
        for (path, text) in texts {
            trees::insert(&mut tree, path, text.as_bytes());
        }
        let options = Options::default();
        let error = kustomize::build(&tree, "a", &options, &mut ParseCache::new()).unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
    };
    check(
        &[
            ("a/kustomization.yaml", "resources: [../b]"),
            ("b/kustomization.yaml", "resources: [../a]"),
        ],
        "cycle",
    );
    let bomb = "a: &a [x,x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]\n\
                c: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c,*c]\n\
                e: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d,*d]\nf: [*e,*e,*e,*e,*e,*e,*e,*e,*e,*e]\n";
    check(&[("a/kustomization.yaml", "resources: [x.yaml]"), ("a/x.yaml", bomb)], "aliases expand");
    let secret = "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\n";
    check(
        &[("a/kustomization.yaml", "resources: [../x.yaml]"), ("x.yaml", secret)],
        "not in or below",
    );
    // Each layer takes the next one twice, by two paths: 2^40 folders, and no object in any.
    let mut layers =
        vec![("a/kustomization.yaml".to_owned(), "resources: [../l0x, ../l0y]".to_owned())];
    for layer in 0..40 {
        for side in ["x", "y"] {
            let next = layer + 1;
            let text = format!("resources: [../l{next}x, ../l{next}y]\nnameSuffix: -{side}\n");
            layers.push((format!("l{layer}{side}/kustomization.yaml"), text));
        }
    }
    let leaf = "configMapGenerator: []\n";
    layers.push(("l40x/kustomization.yaml".to_owned(), leaf.to_owned()));
    layers.push(("l40y/kustomization.yaml".to_owned(), leaf.to_owned()));
    let layers: Vec<(&str, &str)> = layers.iter().map(|(p, t)| (p.as_str(), t.as_str())).collect();
    check(&layers, "goes into more than");
    let copies: String = (0..40)
        .map(|_| {
            "- source: {kind: ConfigMap, fieldPath: data.a}\n  targets:\n  - select: {kind: ConfigMap}\n    \
             fieldPaths: [data.a]\n    options: {delimiter: ':', index: 99}\n"
        })
        .collect();
    let map = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {a: 'x:y'}\n";
    let text = format!("resources: [x.yaml]\nreplacements:\n{copies}");
    check(&[("a/kustomization.yaml", &text), ("a/x.yaml", map)], "the value is larger than");
}

#[test]
fn a_file_that_was_too_large_to_be_read_is_not_taken_for_an_empty_one() {
    let mut tree = trees::empty();
    let text = "resources: [x.yaml]\nconfigMapGenerator: [{name: a, files: [big]}]\n";
    trees::insert(&mut tree, "kustomization.yaml", text.as_bytes());
    let map = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: b}\n";
    trees::insert(&mut tree, "x.yaml", map.as_bytes());
    let unread = Blob { id: "0123456789012345678901234567890123456789".into(), bytes: [].into() };
    let unread = Node::File(Arc::new(unread));
    for name in ["big", "x.yaml"] {
        tree.entries.insert(name.into(), unread.clone());
        let error = kustomize::build(&tree, "", &Options::default(), &mut ParseCache::new());
        assert_eq!(error.unwrap_err().to_string(), format!("{name}: is larger than 8388608 bytes"));
    }
}

/// A kustomization of so many ConfigMaps, in one file.
fn many(objects: usize) -> Tree {
    let mut tree = trees::empty();
    let map = |n| {
        format!("---\napiVersion: v1\nkind: ConfigMap\nmetadata: {{name: m{n}}}\ndata: {{a: b}}\n")
    };
    let all: String = (0..objects).map(map).collect();
    trees::insert(&mut tree, "all.yaml", all.as_bytes());
    let text = "resources: [all.yaml]\nnamespace: x\nnamePrefix: p-\ncommonLabels: {a: b}\n";
    trees::insert(&mut tree, "kustomization.yaml", text.as_bytes());
    tree
}

/// How many times longer a build may take whose input is ten times as long.
const GROWTH: f64 = 30.0;

#[test]
fn the_time_of_a_build_grows_with_the_objects_and_not_with_their_square() {
    // `TOWTANK_OBJECTS=100000` in the release profile is what is kept in benches/runs.
    let objects = std::env::var("TOWTANK_OBJECTS").ok().and_then(|text| text.parse().ok());
    let objects: usize = objects.unwrap_or(3_000);
    let time = |objects: usize| {
        let tree = many(objects);
        #[expect(clippy::disallowed_methods, reason = "real time is what this is about")]
        let start = std::time::Instant::now();
        let built = kustomize::build(&tree, "", &Options::default(), &mut ParseCache::new());
        assert_eq!(built.unwrap().manifests.len(), objects);
        start.elapsed().as_secs_f64()
    };
    let (small, large) = (time(objects / 10), time(objects));
    println!("{} objects {small:.3} s, {objects} objects {large:.3} s", objects / 10);
    assert!(
        large < small * GROWTH,
        "{small} s for a tenth of {objects} objects, {large} s for all"
    );
}
