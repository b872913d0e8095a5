//! Folders written inline, rendered, and what is said when they cannot be.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::*;
use crate::engine::model::{Blob, GitId};

/// A tree from paths and texts; the id of a file is its text, that of a folder its listing.
fn tree(files: &[(&str, &str)]) -> Tree {
    let mut texts: BTreeMap<&str, &str> = BTreeMap::new();
    let mut folders: BTreeMap<&str, Vec<(&str, &str)>> = BTreeMap::new();
    for (path, text) in files {
        match path.split_once('/') {
            None => drop(texts.insert(path, text)),
            Some((folder, rest)) => folders.entry(folder).or_default().push((rest, text)),
        }
    }
    let mut entries: BTreeMap<Arc<str>, Node> = BTreeMap::new();
    for (name, text) in texts {
        let blob = Blob { id: GitId::from(text), bytes: text.as_bytes().into() };
        entries.insert(name.into(), Node::File(Arc::new(blob)));
    }
    for (name, files) in folders {
        entries.insert(name.into(), Node::Dir(Arc::new(tree(&files))));
    }
    let id = |(name, node): (&Arc<str>, &Node)| match node {
        Node::Dir(tree) => format!("{name}:({})", tree.id),
        Node::File(blob) => format!("{name}:{}", blob.id),
    };
    let all: Vec<String> = entries.iter().map(id).collect();
    Tree { id: all.join(",").into(), entries }
}

fn map(name: &str) -> String {
    format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}}}\n")
}

#[track_caller]
fn check(files: &[(&str, &str)], path: &str, expected: &[&str]) {
    let rendered = render(&tree(files), path, &mut ParseCache::new()).unwrap();
    let found: Vec<String> =
        rendered.manifests.iter().map(|m| format!("{} {}", m.object.id(), m.origin)).collect();
    assert_eq!(found, expected);
}

#[track_caller]
fn check_error(files: &[(&str, &str)], path: &str, expected: &str) {
    let error = render(&tree(files), path, &mut ParseCache::new()).unwrap_err();
    assert_eq!(error.to_string(), expected);
}

#[test]
fn a_plain_folder_is_every_manifest_below_it_in_path_order() {
    let (a, b, c, d) = (map("a"), map("b"), map("c"), map("d"));
    let two = format!("# two\n---\n{b}---\n{c}");
    let list = "{apiVersion: v1, kind: List, items: [{apiVersion: v1, kind: Secret, metadata: {name: s}}]}";
    let files = [
        ("apps/z.yaml", a.as_str()),
        ("apps/b/two.yml", &two),
        ("apps/c/kustomization.yaml", "resources: [d.yaml]\nnamePrefix: p-\n"),
        ("apps/c/d.yaml", &d),
        ("apps/list.json", list),
        ("apps/README.md", "# not a manifest"),
        ("apps/scenario.yaml", "name: x"),
        ("apps/x.scenario.yaml", "name: x"),
        ("apps/.github/workflows/ci.yaml", "on: push"),
    ];
    let expected = [
        "ConfigMap/b apps/b/two.yml:3",
        "ConfigMap/c apps/b/two.yml:7",
        "ConfigMap/p-d apps/c/d.yaml:1",
        "Secret/s apps/list.json:1",
        "ConfigMap/a apps/z.yaml:1",
    ];
    check(&files, "apps", &expected);
    check(&files, "/apps/", &expected);
    check(&files, "apps/z.yaml", &["ConfigMap/a apps/z.yaml:1"]);
}

#[test]
fn plain_manifests_are_read_as_kubectl_reads_them() {
    let text = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {on: yes}\n";
    let rendered = render(&tree(&[("a.yaml", text)]), "", &mut ParseCache::new()).unwrap();
    assert!(rendered.manifests[0].object.flag(&["data", "true"]));
}

#[test]
fn what_is_wrong_is_named_with_its_place() {
    let (a, b) = (map("a"), map("b"));
    check_error(
        &[("apps/web/a.yaml", &a), ("apps/api/a.yaml", &b)],
        "apps/wbe",
        "apps/wbe: there is no such file or folder; did you mean apps/web?",
    );
    check_error(
        &[("apps/a.yaml", &a)],
        "production",
        "production: there is no such file or folder; the repository has apps",
    );
    check_error(
        &[("values.yaml", "# chart\nreplicas: 1\n")],
        "",
        "values.yaml:2:1: no Kubernetes manifest: apiVersion, kind, metadata.name are missing",
    );
    check_error(&[("a.yaml", "apiVersion: v1\nkind: [\n")], "", "a.yaml:2:7: unclosed bracket '['");
    check_error(
        &[("a.yaml", &a), ("b.yaml", &format!("{b}---\n{a}"))],
        "",
        "b.yaml:5:1: ConfigMap/a is already defined at a.yaml:1",
    );
    check_error(
        &[("x/Chart.yaml", "name: x"), ("x/templates/a.yaml", &a)],
        "",
        "x/Chart.yaml: this folder is a Helm chart, not plain manifests",
    );
    check_error(
        &[("a.yaml", "- 1\n")],
        "",
        "a.yaml:1:1: expected a map with apiVersion, kind and metadata",
    );
}

#[test]
fn a_kustomization_that_cannot_be_built_says_where_and_why() {
    let a = map("a");
    for (kustomization, expected) in [
        (
            "resource: [a.yaml]\n",
            "1:1: unknown kustomization field \"resource\"; did you mean \"resources\"?",
        ),
        (
            "resources: [a.yaml]\nhelmCharts:\n- name: x\n",
            "2:1: kustomization field \"helmCharts\" is not supported yet",
        ),
        (
            "resources: [b.yaml]\n",
            "1:13: resources: there is no file or folder \"b.yaml\"; did you mean a.yaml?",
        ),
        (
            "resources:\n- a.yaml\n- https://x.example/y\n",
            "3:3: resources: \"https://x.example/y\" is elsewhere and not at hand: it has to be fetched, or mapped to a folder",
        ),
        (
            "resources: [a.yaml]\nnamespace: [x]\n",
            "2:12: namespace: expected text (quote it), found a list",
        ),
        (
            "resources: [a.yaml]\nnamePrefix: 1\n",
            "2:13: namePrefix: expected text (quote it), found \"1\"",
        ),
        (
            "resources: [a.yaml]\nimages: [{name: x, newtagg: v1}]\n",
            "2:20: images: unknown image field \"newtagg\"; did you mean \"newTag\"?",
        ),
        (
            "resources: [a.yaml]\npatches:\n- patch: |-\n    kind: ConfigMap\n    apiVersion: v1\n    metadata: {name: b}\n",
            "4:5: nothing matches the patch for ConfigMap/b; there is ConfigMap a",
        ),
        (
            "resources: [a.yaml]\npatches:\n- patch: |-\n    kind: ConfigMap\n    metadata: {name: a\n    data: {}\n",
            "6:9: patches.patch: while parsing a flow mapping, did not find expected ',' or '}'",
        ),
        (
            "resources: [a.yaml]\npatches: [{path: p.yaml, target: {name: \"(\"}}]\n",
            "2:18: patches.path: there is no file \"p.yaml\"; did you mean a.yaml?",
        ),
        (
            "resources: [a.yaml]\npatches: [{patch: '[]', target: {name: \"(\"}}]\n",
            "2:33: patches.target: \"(\" is no regular expression: unclosed group",
        ),
        ("resources: [.]\n", "1:13: resources: cycle: \"\" holds \"\", which is being built"),
        ("resources: [../x]\n", "1:13: resources: \"../x\" leads out of the repository"),
        (
            "replicas: [{name: a, count: 2}]\nresources: [a.yaml]\n",
            "1:19: replicas.name: no Deployment, StatefulSet, ReplicaSet, ReplicationController with replicas is called \"a\"",
        ),
        ("kind: Kustomisation\n", "1:7: kind should be Kustomization or Component"),
        ("# nothing\n", " the kustomization file is empty"),
    ] {
        let expected = format!("kustomization.yaml:{expected}");
        check_error(&[("kustomization.yaml", kustomization), ("a.yaml", &a)], "", &expected);
    }
}

#[test]
fn what_was_looked_at_says_whether_a_commit_needs_rendering() {
    let (a, b) = (map("a"), map("b"));
    let base = [
        ("base/kustomization.yaml", "resources: [a.yaml]\n"),
        ("base/a.yaml", &a),
        ("top/kustomization.yaml", "resources: [../base]\npatches: [{path: p.yaml}]\n"),
        ("top/p.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {x: \"1\"}\n"),
        ("top/README.md", "one"),
        ("other/x.yaml", &b),
    ];
    let rendered = render(&tree(&base), "top", &mut ParseCache::new()).unwrap();
    let with = |path, text| {
        let mut files: Vec<(&str, &str)> =
            base.iter().copied().filter(|(p, _)| *p != path).collect();
        files.push((path, text));
        rendered.holds_for(&tree(&files))
    };
    assert!(rendered.holds_for(&tree(&base)));
    assert!(with("top/README.md", "two"));
    assert!(with("other/x.yaml", &a));
    assert!(!with("base/a.yaml", "x"));
    assert!(!with("top/p.yaml", "x"));
    // A second kustomization file would be an error, so its absence was an input.
    assert!(!with("base/Kustomization", "x"));
    assert!(!with("top/kustomization.yml", "x"));
}

#[test]
fn a_plain_folder_is_an_input_as_a_whole() {
    let (a, b) = (map("a"), map("b"));
    let rendered = render(&tree(&[("x/a.yaml", &a)]), "x", &mut ParseCache::new()).unwrap();
    assert!(rendered.holds_for(&tree(&[("x/a.yaml", &a), ("y/b.yaml", &b)])));
    assert!(!rendered.holds_for(&tree(&[("x/a.yaml", &a), ("x/b.yaml", &b)])));
}

#[test]
fn a_warm_cache_gives_the_same_objects_without_parsing() {
    let a = map("a");
    let files = [("a.yaml", a.as_str())];
    let mut cache = ParseCache::new();
    let first = render(&tree(&files), "", &mut cache).unwrap();
    let second = render(&tree(&files), "", &mut cache).unwrap();
    assert_eq!(first, second);
    assert!(Arc::ptr_eq(&first.manifests[0].object, &second.manifests[0].object));
}

#[test]
fn a_renderer_builds_and_parses_only_what_a_commit_changed() {
    let a = map("a");
    let mut files: Vec<(String, String)> =
        vec![("base/kustomization.yaml".into(), "resources: [a.yaml]\n".into())];
    files.push(("base/a.yaml".into(), a));
    for overlay in 0..100 {
        let at = format!("o{overlay}");
        let text = format!("resources: [../base, own.yaml]\nnamePrefix: {at}-\n");
        files.push((format!("{at}/kustomization.yaml"), text));
        files.push((format!("{at}/own.yaml"), map(&format!("own{overlay}"))));
    }
    let commit = |files: &[(String, String)]| {
        let files: Vec<(&str, &str)> =
            files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
        tree(&files)
    };
    let mut renderer = Renderer::new(kustomize::Options::default());
    let all = |renderer: &mut Renderer, files: &[(String, String)]| {
        let (builds, parsed) = (renderer.builds(), renderer.parsed());
        let tree = commit(files);
        for overlay in 0..100 {
            let rendered = renderer.build(&tree, &format!("o{overlay}")).unwrap();
            assert_eq!(rendered.manifests.len(), 2);
        }
        (renderer.builds() - builds, renderer.parsed() - parsed)
    };
    assert_eq!(all(&mut renderer, &files), (100, 202));
    assert_eq!(all(&mut renderer, &files), (0, 0));
    files.push(("README.md".into(), "new".into()));
    assert_eq!(all(&mut renderer, &files), (0, 0));
    files.retain(|(path, _)| path != "o7/own.yaml");
    files.push(("o7/own.yaml".into(), map("changed")));
    assert_eq!(all(&mut renderer, &files), (1, 1));
}
