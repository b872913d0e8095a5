//! The renderer against the real kustomize, live: small random overlays that combine features are
//! built by both and have to come out byte for byte alike, or be refused by both.
//!
//! Runs where there is a kustomize 5.8 (`KUSTOMIZE`, else on the PATH). `TOWTANK_OVERLAYS` says how
//! many overlays (default 60), `TOWTANK_SEED` from which seed. A failing one is made smaller and
//! printed.

#![expect(clippy::unwrap_used, reason = "a test fails by panic")]
#![expect(clippy::disallowed_methods, reason = "the real tool is asked, in a test only")]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use towtank::base::Rng;
use towtank::engine::render::ParseCache;
use towtank::engine::render::kustomize::{self, Options};
use towtank::object::yaml::go_string;
use towtank::object::{Value, json};

use crate::trees;

/// Documents by path.
type Files = BTreeMap<String, Vec<Value>>;

#[test]
fn random_overlays_come_out_as_the_real_one_builds_them() {
    let tool = std::env::var("KUSTOMIZE").unwrap_or_else(|_| "kustomize".to_owned());
    let version = Command::new(&tool).arg("version").output();
    let is_there = version.is_ok_and(|out| out.stdout.starts_with(b"v5.8"));
    if !is_there {
        eprintln!("skipped: there is no kustomize 5.8");
        return;
    }
    let number = |name: &str, default: u64| {
        std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
    };
    let first = number("TOWTANK_SEED", 1);
    let (mut built, mut refused) = (0, 0);
    for seed in first..first + number("TOWTANK_OVERLAYS", 60) {
        let files = Maker { rng: Rng::new(seed) }.overlay();
        match judge(&files, &tool) {
            Ok(true) => built += 1,
            Ok(false) => refused += 1,
            Err(_) => {
                let small = shrunk(files, &tool);
                let why = judge(&small, &tool).unwrap_err();
                panic!("seed {seed}\n{}\n{why}", shown(&small));
            }
        }
    }
    println!("{built} alike, {refused} refused by both");
    assert!(built > 0);
}

/// Whether both build it; an error where they do not agree.
fn judge(files: &Files, tool: &str) -> Result<bool, String> {
    let folder = tempfile::tempdir().unwrap();
    let mut tree = trees::empty();
    for (path, documents) in files {
        let text: Vec<String> = documents.iter().map(go_string).collect();
        let text = text.join("---\n");
        let full = folder.path().join(path);
        fs::create_dir_all(full.parent().unwrap()).unwrap();
        fs::write(full, &text).unwrap();
        trees::insert(&mut tree, path, text.as_bytes());
    }
    let real = run(tool, &folder.path().join("top"));
    let options = Options::default();
    let ours = kustomize::build(&tree, "top", &options, &mut ParseCache::new());
    match (real, ours.map(|rendered| kustomize::to_yaml(&rendered))) {
        (Ok(real), Ok(ours)) if real == ours => Ok(true),
        (Err(_), Err(_)) => Ok(false),
        (Ok(real), Ok(ours)) => {
            let diff = similar::TextDiff::from_lines(&real, &ours);
            Err(diff.unified_diff().header("kustomize", "towtank").to_string())
        }
        (Ok(_), Err(error)) => Err(format!("only towtank refuses it: {error}")),
        (Err(error), Ok(_)) => Err(format!("only kustomize refuses it: {error}")),
    }
}

fn run(tool: &str, folder: &Path) -> Result<String, String> {
    let output = Command::new(tool).arg("build").arg(folder).output().unwrap();
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    Err(String::from_utf8_lossy(&output.stderr).into_owned())
}

/// Takes documents and fields away as long as both still disagree.
fn shrunk(mut files: Files, tool: &str) -> Files {
    loop {
        let smaller = candidates(&files).into_iter().find(|files| judge(files, tool).is_err());
        match smaller {
            Some(smaller) => files = smaller,
            None => return files,
        }
    }
}

fn candidates(files: &Files) -> Vec<Files> {
    let mut all = Vec::new();
    for (path, documents) in files {
        for at in 0..documents.len() {
            let mut less = files.clone();
            let Some(rest) = less.get_mut(path).filter(|rest| rest.len() > 1) else { continue };
            rest.remove(at);
            all.push(less);
        }
        for (at, document) in documents.iter().enumerate() {
            for key in document.as_object().into_iter().flat_map(|map| map.keys()) {
                let mut less = files.clone();
                less.get_mut(path).unwrap()[at].as_object_mut().unwrap().remove(key);
                all.push(less);
            }
        }
    }
    all
}

fn shown(files: &Files) -> String {
    let file = |(path, documents): (&String, &Vec<Value>)| {
        let text: Vec<String> = documents.iter().map(go_string).collect();
        format!("# {path}\n{}", text.join("---\n"))
    };
    files.iter().map(file).collect::<Vec<_>>().join("\n")
}

/// Makes overlays.
struct Maker {
    rng: Rng,
}

const NAMES: [&str; 8] = ["app", "web", "db", "x-1", "n1", "n2", "n3", "n4"];
const TEXTS: [&str; 16] = [
    "a",
    "1",
    "true",
    "x: y",
    "two\nlines\n",
    "trail \nx",
    "0755",
    "~",
    "2001-12-14",
    "é",
    "# c",
    "",
    "  lead",
    "tab\tx",
    "on",
    "a long text that goes on and on until a line of it is broken, as long lines are",
];

impl Maker {
    fn one<'a, T: ?Sized>(&mut self, of: &[&'a T]) -> &'a T {
        of[usize::try_from(self.rng.below(u64::try_from(of.len()).unwrap())).unwrap()]
    }

    fn chance(&mut self, percent: u64) -> bool {
        self.rng.below(100) < percent
    }

    fn overlay(&mut self) -> Files {
        let mut files = Files::new();
        let bases = self.rng.below(3);
        let mut names = Vec::new();
        for base in 0..bases {
            let folder = format!("b{base}");
            self.layer(&mut files, &folder, &[], false);
            names.push(format!("../{folder}"));
        }
        if self.chance(25) {
            self.layer(&mut files, "component", &[], true);
        }
        self.layer(&mut files, "top", &names, false);
        if files.contains_key("component/kustomization.yaml") {
            let top = files.get_mut("top/kustomization.yaml").unwrap();
            top[0]["components"] = json!(["../component"]);
        }
        files
    }

    fn layer(&mut self, files: &mut Files, folder: &str, bases: &[String], is_component: bool) {
        let mut file = json!({});
        if is_component {
            file = json!({"apiVersion": "kustomize.config.k8s.io/v1alpha1", "kind": "Component"});
        }
        let mut resources: Vec<Value> = bases.iter().map(|base| json!(base)).collect();
        let mut own = Vec::new();
        for at in 0..=self.rng.below(2) {
            let documents: Vec<Value> = (0..=self.rng.below(2)).map(|_| self.object()).collect();
            own.extend(documents.clone());
            files.insert(format!("{folder}/r{at}.yaml"), documents);
            resources.push(json!(format!("r{at}.yaml")));
        }
        file["resources"] = json!(resources);
        self.names(&mut file);
        self.pairs(&mut file);
        self.generators(&mut file);
        if self.chance(30) {
            let patch = self.patch(&own);
            file["patches"] = json!([patch]);
        }
        if self.chance(15) {
            let replacement = self.replacement(&own);
            file["replacements"] = json!([replacement]);
        }
        files.insert(format!("{folder}/kustomization.yaml"), vec![file]);
    }

    fn names(&mut self, file: &mut Value) {
        for (field, text, percent) in
            [("namespace", "team", 25), ("namePrefix", "p-", 25), ("nameSuffix", "-s", 15)]
        {
            if self.chance(percent) {
                file[field] = json!(text);
            }
        }
        if self.chance(20) {
            let name = self.one(&["nginx", "reg.io:5000/a/b", "app"]);
            let change = self.one(&["newTag", "newName", "tagSuffix"]);
            file["images"] = json!([{"name": name, change: "v9"}]);
        }
        if self.chance(8) {
            let option = self.one(&["originAnnotations", "transformerAnnotations"]);
            file["buildMetadata"] = json!([option]);
        }
    }

    fn pairs(&mut self, file: &mut Value) {
        let key = self.one(&["app", "l", "env"]);
        if self.chance(25) {
            let (selectors, templates) = (self.chance(30), self.chance(30));
            file["labels"] = json!([{
                "pairs": {key: "v"}, "includeSelectors": selectors, "includeTemplates": templates}]);
        }
        if self.chance(15) {
            file["commonLabels"] = json!({key: "c"});
        }
        if self.chance(15) {
            file["commonAnnotations"] = json!({"note": self.one(&TEXTS)});
        }
    }

    fn generators(&mut self, file: &mut Value) {
        for (field, percent) in [("configMapGenerator", 25), ("secretGenerator", 15)] {
            if self.chance(percent) {
                let name = self.one(&NAMES);
                let literal = format!("k={}", self.one(&TEXTS));
                let mut generator = json!({"name": name, "literals": [literal]});
                if self.chance(15) {
                    generator["behavior"] = json!("merge");
                }
                if self.chance(20) {
                    let flag = self.one(&["disableNameSuffixHash", "immutable"]);
                    generator["options"] = json!({flag: true});
                }
                file[field] = json!([generator]);
            }
        }
    }

    fn patch(&mut self, own: &[Value]) -> Value {
        let at = usize::try_from(self.rng.below(u64::try_from(own.len()).unwrap())).unwrap();
        let object = &own[at];
        if self.chance(40) {
            let operations = [
                json!({"op": "add", "path": "/metadata/labels", "value": {"j": "1"}}),
                json!({"op": "replace", "path": "/metadata/name", "value": "renamed"}),
                json!({"op": "add", "path": "/spec", "value": {"made": [1, null]}}),
            ];
            let chosen = usize::try_from(self.rng.below(3)).unwrap();
            let text = json!([operations[chosen]]).to_string();
            return json!({"patch": text, "target": {"kind": object["kind"]}});
        }
        let mut patch = json!({
            "apiVersion": object["apiVersion"], "kind": object["kind"],
            "metadata": {"name": object["metadata"]["name"]}});
        if let Some(namespace) = object["metadata"].get("namespace") {
            patch["metadata"]["namespace"] = namespace.clone();
        }
        match self.rng.below(6) {
            0 => patch["metadata"]["labels"] = json!({"app": "z", "env": null}),
            1 => patch["$patch"] = json!("delete"),
            2 => patch["data"] = json!({"k": self.one(&TEXTS)}),
            3 => {
                let container = self.container();
                patch["spec"] = json!({"template": {"spec": {"containers": [container]}}});
            }
            4 => {
                patch["spec"] = json!({"template": {"spec": {"containers": [{"name": "c", "$patch": "delete"}]}}})
            }
            _ => patch["spec"] = json!({"ports": [{"port": 80, "targetPort": 9}], "list": [1]}),
        }
        json!({"patch": go_string(&patch)})
    }

    fn replacement(&mut self, own: &[Value]) -> Value {
        let at = usize::try_from(self.rng.below(u64::try_from(own.len()).unwrap())).unwrap();
        let object = &own[at];
        let target = self.one(&["metadata.labels.r", "metadata.annotations.[x.y/z]", "data.k"]);
        json!({
            "source": {"kind": object["kind"], "name": object["metadata"]["name"]},
            "targets": [{"select": {"kind": "ConfigMap|Deployment|Service"},
                         "fieldPaths": [target], "options": {"create": true}}]})
    }

    fn object(&mut self) -> Value {
        let mut metadata = json!({"name": self.one(&NAMES)});
        if self.chance(25) {
            metadata["namespace"] = json!(self.one(&["ns1", "default", "team"]));
        }
        if self.chance(40) {
            metadata["labels"] = json!({(self.one(&["app", "env", "x10", "x9"])): "a"});
        }
        if self.chance(25) {
            metadata["annotations"] = json!({"note": self.one(&TEXTS)});
        }
        let other = self.one(&NAMES);
        let (api_version, kind, rest) = match self.rng.below(8) {
            0 | 1 => ("apps/v1", "Deployment", self.workload()),
            2 => ("apps/v1", "StatefulSet", self.workload()),
            3 => (
                "v1",
                "Service",
                json!({"spec": {"selector": {"app": "a"}, "ports": [{"port": 80}]}}),
            ),
            4 => ("v1", "ConfigMap", json!({"data": {"k": self.one(&TEXTS)}})),
            5 => ("v1", "ServiceAccount", json!({})),
            6 => (
                "rbac.authorization.k8s.io/v1",
                "RoleBinding",
                json!({
                    "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": other},
                    "subjects": [{"kind": "ServiceAccount", "name": other, "namespace": "ns1"}]}),
            ),
            _ => (
                "shop.example/v1",
                "Stall",
                json!({"spec": {"list": [{"name": "a"}], "none": null, "number": 1.5, "text": self.one(&TEXTS)}}),
            ),
        };
        let mut object = rest;
        object["apiVersion"] = json!(api_version);
        object["kind"] = json!(kind);
        object["metadata"] = metadata;
        object
    }

    fn workload(&mut self) -> Value {
        let container = self.container();
        let other = self.one(&NAMES);
        json!({"spec": {
            "selector": {"matchLabels": {"app": "a"}},
            "template": {
                "metadata": {"labels": {"app": "a"}},
                "spec": {
                    "containers": [container],
                    "serviceAccountName": other,
                    "volumes": [{"name": "v", "configMap": {"name": other}}]}}}})
    }

    fn container(&mut self) -> Value {
        let image = self.one(&["nginx", "nginx:1.2", "reg.io:5000/a/b:v1@sha256:abc", "app"]);
        let other = self.one(&NAMES);
        let name = self.one(&["c", "main"]);
        json!({
            "name": name, "image": image, "ports": [{"containerPort": 80, "protocol": "TCP"}],
            "env": [
                {"name": "A", "value": self.one(&TEXTS)},
                {"name": "R", "valueFrom": {"secretKeyRef": {"name": other, "key": "k"}}}],
            "envFrom": [{"configMapRef": {"name": other}}]})
    }
}
