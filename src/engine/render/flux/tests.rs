//! Variables in their forms, and folders built as Flux builds them.

use super::*;
use crate::engine::model::{Blob, GitId, Node};
use crate::object::json;

fn tree(files: &[(&str, &str)]) -> Tree {
    let mut root = Tree { id: GitId::from("root"), entries: BTreeMap::new() };
    for (path, text) in files {
        insert(&mut root, path, text);
    }
    root
}

fn insert(tree: &mut Tree, path: &str, text: &str) {
    match path.split_once('/') {
        None => {
            let blob = Blob { id: GitId::from(text), bytes: text.as_bytes().into() };
            tree.entries.insert(path.into(), Node::File(Arc::new(blob)));
        }
        Some((name, rest)) => {
            let empty = Tree { id: GitId::from(name), entries: BTreeMap::new() };
            let folder = tree.entries.entry(name.into()).or_insert(Node::Dir(Arc::new(empty)));
            if let Node::Dir(folder) = folder {
                insert(Arc::make_mut(folder), rest, text);
            }
        }
    }
}

#[track_caller]
fn check(text: &str, expected: Result<&str, &str>) {
    let variables: BTreeMap<String, String> =
        [("a", "Hello"), ("p", "x/y/z"), ("e", "")].map(|(k, v)| (k.into(), v.into())).into();
    let found = substitute(text, &variables, true);
    assert_eq!(found.as_deref().map_err(String::as_str), expected, "{text}");
}

#[test]
fn variables_are_put_in_in_the_forms_of_bash() {
    for (text, expected) in [
        ("${a}, $a $${a}", "Hello, $a ${a}"),
        ("${e:-x${a}y}", "xHelloy"),
        ("${n:=d} ${e:=} ${a:+x}", "d  Hello"),
        ("${#a} ${a,} ${a,,} ${a^^}", "5 hello hello HELLO"),
        ("${a:1} ${a:1:2} ${a: -2}", "ello el Hello"),
        ("${a/l/L} ${a//l/L} ${a/#He/Y} ${a/%lo/p} ${a//l/}", "HeLlo HeLLo Yllo Help Heo"),
        ("${p#*/} ${p##*/} ${p%/*} ${p%%/*}", "y/z z x/y x"),
        ("${n:-${a}}", "Hello"),
    ] {
        check(text, Ok(expected));
    }
    check("${n}", Err("variable not set (strict mode): \"n\""));
    check("${", Err("unable to parse variable name"));
    check("${a", Err("missing closing brace"));
    check("${a.b}", Err("missing closing brace"));
}

#[test]
fn a_folder_without_a_kustomization_is_built_of_all_its_manifests() {
    let map = |name: &str| {
        format!(
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}}}\ndata: {{a: \"${{v}}\"}}\n"
        )
    };
    let (b, c) = (map("b"), map("c"));
    let files = [
        ("apps/b.yaml", b.as_str()),
        ("apps/sub/kustomization.yaml", "resources: [c.yaml]\nnamePrefix: p-\n"),
        ("apps/sub/c.yaml", &c),
        ("apps/.github/x.yaml", "on: push"),
    ];
    let object = json!({"spec": {
        "targetNamespace": "team",
        "patches": [{"patch": "- {op: add, path: /data/k, value: v}", "target": {"kind": "ConfigMap"}}],
        "commonMetadata": {"labels": {"l": "1"}},
        "postBuild": {"substitute": {"v": "x"}, "substituteFrom": [
            {"kind": "ConfigMap", "name": "m", "optional": true}]},
    }});
    let settings = Settings::read(&Object::from_value(object).unwrap()).unwrap();
    let tree = tree(&files);
    let none = BTreeMap::new();
    let options = Options::default();
    let rendered =
        build(&tree, "apps", &settings, &none, &options, &mut ParseCache::new()).unwrap();
    let expected = "apiVersion: v1\ndata:\n  a: x\n  k: v\nkind: ConfigMap\nmetadata:\n  labels:\n    l: \"1\"\n  name: b\n  namespace: team\n---\napiVersion: v1\ndata:\n  a: x\n  k: v\nkind: ConfigMap\nmetadata:\n  labels:\n    l: \"1\"\n  name: p-c\n  namespace: team\n";
    assert_eq!(kustomize::to_yaml(&rendered), expected);
    assert!(rendered.holds_for(&tree));
}

#[test]
fn images_of_the_flux_object_change_those_of_the_file() {
    let pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {containers: [{name: c, image: app}]}\n";
    let file = "resources: [a.yaml]\nimages: [{name: app, newName: other, digest: sha256:0}]\n";
    let object = json!({"spec": {"images": [{"name": "app", "newTag": "v2"}]}});
    let settings = Settings::read(&Object::from_value(object).unwrap()).unwrap();
    let tree = tree(&[("kustomization.yaml", file), ("a.yaml", pod)]);
    let rendered =
        build(&tree, "", &settings, &BTreeMap::new(), &Options::default(), &mut ParseCache::new())
            .unwrap();
    let image = &rendered.manifests[0].object.list(&["spec", "containers"])[0]["image"];
    assert_eq!(image, "other:v2");
}
