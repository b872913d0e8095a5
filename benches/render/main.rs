//! Builds folders in this process, and says how long each build took and what it allocated: a line
//! of JSON a build, as `tests/clients/kustomize` does for kustomize's own Go API.
//!
//!     render SAMPLES NAME=FOLDER...
//!
//! Each folder is built with nothing parsed before (`towtank`: files are read from the disk in the
//! time that is measured) and with its files parsed (`towtank-parsed`). Of a folder named `tree`
//! every folder in it is built, after a change of one line in one of them (`rebuild`).
//!
//! A binary of its own because it counts allocations, which the benchmarks of `all` must not pay
//! for. `scripts/bench-kustomize` makes the inputs and runs both. Without arguments it does
//! nothing.

#![expect(clippy::print_stdout, reason = "a benchmark talks to a terminal")]
#![expect(clippy::unwrap_used, reason = "a benchmark ends at the first thing that is not there")]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use cap::Cap;
use mimalloc::MiMalloc;
use towtank::base::Digest;
use towtank::engine::model::{Blob, GitId, Node, Tree};
use towtank::engine::render::kustomize::{Options, build, to_yaml};
use towtank::engine::render::{ParseCache, Renderer};

/// The program's own, counted.
#[global_allocator]
static ALLOCATOR: Cap<MiMalloc> = Cap::new(MiMalloc, usize::MAX);

fn main() {
    let args: Vec<String> = std::env::args().skip(1).filter(|arg| arg != "--bench").collect();
    let Some((samples, folders)) = args.split_first() else {
        println!("render: nothing to build; scripts/bench-kustomize names what");
        return;
    };
    let samples: usize = samples.parse().unwrap();
    for folder in folders {
        let (name, folder) = folder.split_once('=').unwrap();
        let folder = Path::new(folder);
        if name == "tree" {
            rebuild(folder, samples);
            continue;
        }
        let (root, path) = (folder.parent().unwrap(), folder.file_name().unwrap());
        let path = path.to_str().unwrap();
        let mut parsed = ParseCache::new();
        built(&tree(root), path, &mut parsed);
        for run in 0..=samples {
            // The first is not counted: it fills the allocator's pages.
            let cold = || built(&tree(root), path, &mut ParseCache::new());
            measured("towtank", name, run, cold);
            let tree = tree(root);
            measured("towtank-parsed", name, run, || built(&tree, path, &mut parsed));
        }
    }
}

/// Objects and bytes of a build.
fn built(tree: &Tree, path: &str, cache: &mut ParseCache) -> (usize, usize) {
    let rendered = build(tree, path, &Options::default(), cache).unwrap();
    (rendered.manifests.len(), to_yaml(&rendered).len())
}

fn measured(who: &str, input: &str, run: usize, work: impl FnOnce() -> (usize, usize)) {
    let before = ALLOCATOR.total_allocated();
    #[expect(clippy::disallowed_methods, reason = "real time is what a benchmark is about")]
    let start = Instant::now();
    let (objects, bytes) = work();
    let elapsed_ns = start.elapsed().as_nanos() as u64;
    let allocated = ALLOCATOR.total_allocated() - before;
    if run > 0 {
        let line = serde_json::json!({
            "who": who, "input": input, "run": run - 1, "elapsed_ns": elapsed_ns,
            "allocated_bytes": allocated, "objects": objects, "bytes": bytes,
        });
        println!("{line}");
    }
}

/// A line of one of the overlays changes, and all of them are asked for.
fn rebuild(folder: &Path, samples: usize) {
    let before = tree(folder);
    let overlays: Vec<String> =
        before.entries.keys().map(|name| name.to_string()).filter(|name| name != "base").collect();
    let mut renderer = Renderer::new(Options::default());
    let all = |renderer: &mut Renderer, tree: &Tree| -> (usize, usize) {
        let built = overlays.iter().map(|path| renderer.build(tree, path).unwrap());
        (built.map(|rendered| rendered.manifests.len()).sum(), 0)
    };
    all(&mut renderer, &before);
    for run in 0..=samples {
        let after = with_change(&before, &overlays[0], run);
        let builds = renderer.builds();
        measured("towtank-rebuild", "tree", run, || all(&mut renderer, &after));
        assert_eq!(renderer.builds() - builds, 1, "only what changed is built");
    }
}

/// The tree with another line in one overlay.
fn with_change(tree: &Tree, overlay: &str, run: usize) -> Tree {
    let mut tree = tree.clone();
    let Some(Node::Dir(folder)) = tree.entries.get_mut(overlay) else { panic!("{overlay}") };
    let folder = Arc::make_mut(folder);
    let old = folder.file("kustomization.yaml").unwrap();
    let text =
        format!("{}commonAnnotations: {{run: 'r{run}'}}\n", String::from_utf8_lossy(&old.bytes));
    let blob = Node::File(Arc::new(blob(text.into_bytes())));
    folder.entries.insert("kustomization.yaml".into(), blob);
    folder.id = id(&folder.entries);
    tree.id = id(&tree.entries);
    tree
}

fn blob(bytes: Vec<u8>) -> Blob {
    let mut digest = Digest::default();
    digest.add(&bytes);
    Blob { id: digest.to_hex().into(), bytes: bytes.into() }
}

fn id(entries: &BTreeMap<Arc<str>, Node>) -> GitId {
    let mut digest = Digest::default();
    for (name, node) in entries {
        digest.add(name.as_bytes());
        digest.add(match node {
            Node::Dir(tree) => tree.id.as_bytes(),
            Node::File(blob) => blob.id.as_bytes(),
        });
    }
    digest.to_hex().into()
}

/// A folder of the disk.
fn tree(folder: &Path) -> Tree {
    let mut entries: BTreeMap<Arc<str>, Node> = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name: Arc<str> = path.file_name().unwrap().to_string_lossy().into();
        let node = if path.is_dir() {
            Node::Dir(Arc::new(tree(&path)))
        } else {
            Node::File(Arc::new(blob(fs::read(&path).unwrap())))
        };
        entries.insert(name, node);
    }
    Tree { id: id(&entries), entries }
}
