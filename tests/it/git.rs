//! The Git repository of a run, held against what the real git did with the same pushes
//! (`scripts/baseline-git`), and against the real git itself where it is installed.

#![expect(clippy::unwrap_used, reason = "a test ends at the first thing that is not there")]

mod recorded;
mod repository;
mod speed;

use std::collections::BTreeMap;
use std::time::Duration;

use proptest::prelude::*;
use towtank::base::Time;
use towtank::engine::source::{ChangeKind, Signature, Trees, changed};
use towtank::lab::world::git::{Document, Edit, GitWorld, scenario_author};
use towtank::object::json;

fn at(minute: u64) -> Signature {
    scenario_author(Time::VIRTUAL_START + Duration::from_secs(60 * minute))
}

fn world(files: &[(&str, &str)]) -> GitWorld {
    let bytes = |(path, text): &(&str, &str)| ((*path).to_owned(), text.as_bytes().to_vec());
    GitWorld::from_files(&files.iter().map(bytes).collect(), Time::VIRTUAL_START).unwrap()
}

fn write(path: &str, text: &str) -> Edit {
    Edit::Write { path: path.to_owned(), bytes: text.as_bytes().to_vec() }
}

fn text(world: &GitWorld, path: &str) -> String {
    String::from_utf8(world.read_file(path).unwrap().to_vec()).unwrap()
}

#[test]
fn an_edit_that_cannot_be_made_changes_nothing_and_says_why() {
    let mut world = world(&[("app/cart.yaml", ""), ("top", "")]);
    let head = world.head();
    let delete = |path: &str| Edit::Delete { path: path.to_owned() };
    for (edit, want) in [
        (write("top/x", ""), "top/x cannot be written: the file top is in the way"),
        (write("app", ""), "app cannot be written: a folder of that name is in the way"),
        (write("", ""), "`` cannot be a file's path: it is empty"),
        (
            write("/x", ""),
            "`/x` cannot be a file's path: it starts with a slash; paths are from the repository's root",
        ),
        (write("a/../x", ""), "`a/../x` cannot be a file's path: a segment is `.` or `..`"),
        (write(".git/x", ""), "`.git/x` cannot be a file's path: a segment is `.git`"),
        (write("a//x", ""), "`a//x` cannot be a file's path: a segment is empty"),
        (delete("app/car.yaml"), "there is no file app/car.yaml; the nearest is app/cart.yaml"),
        (delete("nothing-like-it-at-all"), "there is no file nothing-like-it-at-all"),
    ] {
        let got = world.commit(&[write("other", "x"), edit], "m", &at(1));
        assert_eq!(got.map_err(|e| e.to_string()), Err(want.to_owned()));
        assert_eq!(world.head(), head);
    }
}

#[test]
fn a_folder_is_gone_with_its_last_file() {
    let mut world = world(&[("d/e/a", ""), ("b", "")]);
    let delete = |path: &str| Edit::Delete { path: path.to_owned() };
    let twice = world.commit(&[delete("d/e/a"), delete("d")], "m", &at(1));
    assert_eq!(twice.unwrap_err().to_string(), "there is no file d");
    world.commit(&[delete("d/e/a"), write("d", "now a file")], "m", &at(1)).unwrap();
    assert_eq!(world.list("**").unwrap(), ["b", "d"]);
}

#[test]
fn a_commit_is_named_by_branch_tag_id_and_steps_back() {
    let mut world = world(&[("a", "1")]);
    let first = world.head();
    let second = world.commit(&[write("a", "2")], "second", &at(1)).unwrap().id;
    world.tag("v1").unwrap();
    world.branch("next", "HEAD~1").unwrap();
    world.commit_on("next", &[write("b", "1")], "on next", &at(2)).unwrap();
    let merge = world.merge("next", None, &at(3)).unwrap();
    assert_eq!(merge.subject, "Merge branch 'next'");
    for (rev, want) in [
        ("HEAD", &merge.id),
        ("@", &merge.id),
        ("main", &merge.id),
        ("refs/heads/main", &merge.id),
        ("HEAD^", &second),
        ("HEAD~1", &second),
        ("HEAD~2", &first),
        ("HEAD^1~", &first),
        ("HEAD^2~", &first),
        ("HEAD~0", &merge.id),
        ("v1", &second),
        ("tags/v1", &second),
        ("next~1", &first),
        (&*second.clone(), &second),
        (&second[..7], &second),
    ] {
        assert_eq!(world.resolve(rev).as_ref(), Ok(want), "{rev}");
    }
    let log: Vec<_> = world.log("HEAD", 9).unwrap().into_iter().map(|c| c.id).collect();
    assert_eq!(log, [merge.id, second, first]);
}

#[test]
fn a_name_of_no_commit_is_refused_with_the_nearest_one() {
    let mut world = world(&[("a", "1")]);
    world.tag("release-1").unwrap();
    let first = world.head();
    for (rev, want) in [
        ("relase-1", "there is no branch, tag or commit id `relase-1`; the nearest is release-1"),
        ("HEAD~3", &format!("history ends 0 commits back, at {first}")),
        ("HEAD^2", &format!("{first} has 0 parents")),
        ("HEAD@{1}", "there is no branch, tag or commit id `HEAD@{1}`; the nearest is HEAD"),
        ("HEAD^{tree}", "`{` is not understood"),
        ("abcdef1", "there is no branch or tag of that name, nor a commit whose id starts so"),
        ("", "there is no branch, tag or commit id ``"),
        (&"0".repeat(40), &format!("there is no object {}", "0".repeat(40))),
        (&"é".repeat(20), &format!("there is no branch, tag or commit id `{}`", "é".repeat(20))),
        ("HEAD~é", "`é` is not understood"),
    ] {
        let got = world.resolve(rev).map_err(|e| e.to_string());
        assert_eq!(got, Err(format!("`{rev}` names no commit: {want}")));
    }
}

#[test]
fn files_are_listed_by_pattern() {
    let world = world(&[("a.yaml", ""), ("a/b.yaml", ""), ("a/b/c.yaml", ""), ("a/b/c.txt", "")]);
    for (pattern, want) in [
        ("*.yaml", "a.yaml"),
        ("**/*.yaml", "a.yaml a/b.yaml a/b/c.yaml"),
        ("a/?.yaml", "a/b.yaml"),
        ("a/**", "a/b.yaml a/b/c.txt a/b/c.yaml"),
        ("x", ""),
    ] {
        assert_eq!(world.list(pattern).unwrap().join(" "), want, "{pattern}");
    }
}

const KUSTOMIZATION: &str = "images:\n- name: shop/cart\n  newTag: v1 # now\n";

#[test]
fn an_image_gets_its_tag_where_it_is_pinned() {
    let mut world = world(&[
        ("base/cart.yaml", "image: shop/cart\n"),
        ("base/chart/t.yaml", "{{ if }}\nimage: shop/cart:{{ tag }}\n"),
        ("job.yaml", "image: shop/cart:v1\n"),
        ("prod/kustomization.yaml", KUSTOMIZATION),
        ("notes.txt", "image: shop/cart:v1\n"),
    ]);
    let mut draft = world.draft().unwrap();
    let changed = draft.set_image("shop/cart", "v2").unwrap();
    assert_eq!(changed, ["job.yaml", "prod/kustomization.yaml"]);
    assert_eq!(draft.set_image("shop/cart", "v2"), Ok(vec![]));
    let staged = draft.finish().unwrap();
    world.commit_staged(staged, "set shop/cart to v2", &at(1)).unwrap();
    assert_eq!(text(&world, "prod/kustomization.yaml"), KUSTOMIZATION.replace("v1", "v2"));
    assert_eq!(text(&world, "job.yaml"), "image: shop/cart:v2\n");
    assert_eq!(text(&world, "base/cart.yaml"), "image: shop/cart\n");
}

#[test]
fn an_image_that_nothing_pins_gets_its_tag_where_it_is_named() {
    let world = world(&[("a.yaml", "image: shop/cart\n"), ("b.yaml", "image: shop/cat\n")]);
    let mut draft = world.draft().unwrap();
    assert_eq!(draft.set_image("shop/cart", "v2"), Ok(vec!["a.yaml".to_owned()]));
    assert_eq!(&*draft.read("a.yaml").unwrap(), b"image: shop/cart:v2\n");
}

#[test]
fn an_image_that_is_not_there_is_refused_with_those_that_are() {
    let world = world(&[
        ("a.yaml", "image: redis:7\nx:\n  image: shop/cart:1\n"),
        ("kustomization.yaml", "images:\n- name: x\n  newName: shop/front\n"),
    ]);
    let got = |image, tag| world.draft().unwrap().set_image(image, tag).unwrap_err().to_string();
    let want = "no file of the repository names the image shop/card; the images there are: \
                shop/cart, shop/front, redis";
    assert_eq!(got("shop/card", "1"), want);
    assert!(got("shop/cart", "a b").starts_with("`a b` cannot be an image's tag: "));
}

#[test]
fn fields_are_edited_one_after_the_other_in_one_push() {
    let mut world = world(&[("d.yaml", "spec:\n  replicas: 2 # two\n  x: 1\n")]);
    let mut draft = world.draft().unwrap();
    draft.edit_field("d.yaml", &Document::Any, "spec.replicas", &json!(3)).unwrap();
    draft.edit_field("d.yaml", &Document::Any, "spec.x", &json!("z")).unwrap();
    let wrong = draft.edit_field("d.yaml", &Document::Any, "spec.replica", &json!(3));
    let want = "d.yaml: there is no field replica in spec; the nearest is replicas";
    assert_eq!(wrong.unwrap_err().to_string(), want);
    let wrong = draft.edit_field("e.yaml", &Document::Any, "spec.replicas", &json!(3));
    assert_eq!(wrong.unwrap_err().to_string(), "there is no file e.yaml; the nearest is d.yaml");
    let staged = draft.finish().unwrap();
    world.commit_staged(staged, "m", &at(1)).unwrap();
    assert_eq!(text(&world, "d.yaml"), "spec:\n  replicas: 3 # two\n  x: z\n");
}

#[test]
fn what_two_commits_have_in_common_is_read_once() {
    let mut world = world(&[("a/x", "1"), ("b/y", "2")]);
    let mut trees = Trees::new();
    let before = trees.artifact(world.objects(), &world.head()).unwrap();
    world.commit(&[write("a/x", "3")], "m", &at(1)).unwrap();
    let after = trees.artifact(world.objects(), &world.head()).unwrap();
    let same = |path| match (before.tree.find(path), after.tree.find(path)) {
        (Some(one), Some(two)) => std::ptr::eq(dir(one), dir(two)),
        _ => false,
    };
    assert!(same("b") && !same("a"));
    let changes = changed(Some(&before.tree), Some(&after.tree));
    let told: Vec<_> = changes.iter().map(|c| (c.path.as_str(), c.kind)).collect();
    assert_eq!(told, [("a/x", ChangeKind::Modified)]);
}

fn dir(node: &towtank::engine::model::Node) -> *const towtank::engine::model::Tree {
    match node {
        towtank::engine::model::Node::Dir(tree) => std::sync::Arc::as_ptr(tree),
        towtank::engine::model::Node::File(_) => std::ptr::null(),
    }
}

/// All files of an artifact, by path.
fn files_of(
    tree: &towtank::engine::model::Tree,
    prefix: &str,
    found: &mut BTreeMap<String, Vec<u8>>,
) {
    for (name, node) in &tree.entries {
        match node {
            towtank::engine::model::Node::Dir(dir) => {
                files_of(dir, &format!("{prefix}{name}/"), found);
            }
            towtank::engine::model::Node::File(blob) => {
                found.insert(format!("{prefix}{name}"), blob.bytes.to_vec());
            }
        }
    }
}

/// What an edit does to a map of files; `None` where it cannot be made.
fn model(files: &BTreeMap<String, Vec<u8>>, edit: &Edit) -> Option<BTreeMap<String, Vec<u8>>> {
    let mut files = files.clone();
    let below = |path: &str, other: &str| other.starts_with(&format!("{path}/"));
    match edit {
        Edit::Write { path, bytes } => {
            if files.keys().any(|other| below(path, other) || below(other, path)) {
                return None;
            }
            files.insert(path.clone(), bytes.clone());
        }
        Edit::Delete { path } => {
            let before = files.len();
            files.retain(|other, _| other != path && !below(path, other));
            if files.len() == before {
                return None;
            }
        }
    }
    Some(files)
}

fn any_edit() -> impl Strategy<Value = Edit> {
    let path = "[ab.-]{1,2}(/[ab]{1,2}){0,2}".prop_filter("a name", |path| {
        path.split('/').all(|segment| segment != "." && segment != "..")
    });
    let bytes = proptest::collection::vec(any::<u8>(), 0..4);
    (path, proptest::option::weighted(0.7, bytes)).prop_map(|(path, bytes)| match bytes {
        Some(bytes) => Edit::Write { path, bytes },
        None => Edit::Delete { path },
    })
}

proptest! {
    #[test]
    fn any_edits_come_to_the_files_that_a_map_comes_to(
        pushes in proptest::collection::vec(proptest::collection::vec(any_edit(), 1..4), 1..12),
    ) {
        let mut files = BTreeMap::new();
        let mut world = GitWorld::from_files(&files, Time::VIRTUAL_START).unwrap();
        let mut trees = Trees::new();
        for (minute, edits) in (1..).zip(&pushes) {
            let wanted = edits.iter().try_fold(files.clone(), |files, edit| model(&files, edit));
            let got = world.commit(edits, "m", &at(minute));
            prop_assert_eq!(got.is_ok(), wanted.is_some());
            files = wanted.unwrap_or(files);
            let artifact = trees.artifact(world.objects(), &world.head()).unwrap();
            let mut found = BTreeMap::new();
            files_of(&artifact.tree, "", &mut found);
            prop_assert_eq!(&found, &files);
            // The tree does not depend on how it came about.
            let anew = GitWorld::from_files(&files, Time::VIRTUAL_START).unwrap();
            let anew = trees.artifact(anew.objects(), &anew.head()).unwrap();
            prop_assert_eq!(&anew.tree.id, &artifact.tree.id);
        }
    }
}
