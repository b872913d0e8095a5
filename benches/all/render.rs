//! Kustomizations built in the process: a base of Deployments and Services under an overlay with
//! the usual changes, and one change in a tree of many overlays.

use std::collections::BTreeMap;
use std::sync::Arc;

use towtank::base::Digest;
use towtank::engine::model::{Blob, Node, Tree};
use towtank::engine::render::kustomize::{Options, build};
use towtank::engine::render::{ParseCache, Renderer};

use super::measure::Work;

/// A folder from paths and texts.
fn tree(files: &BTreeMap<String, String>) -> Tree {
    let mut entries: BTreeMap<Arc<str>, Node> = BTreeMap::new();
    let mut folders: BTreeMap<&str, BTreeMap<String, String>> = BTreeMap::new();
    let mut digest = Digest::default();
    for (path, text) in files {
        digest.add(path.as_bytes());
        digest.add(text.as_bytes());
        match path.split_once('/') {
            Some((folder, rest)) => {
                folders.entry(folder).or_default().insert(rest.to_owned(), text.clone());
            }
            None => {
                let mut id = Digest::default();
                id.add(text.as_bytes());
                let blob = Blob { id: id.to_hex().into(), bytes: text.as_bytes().into() };
                entries.insert(path.as_str().into(), Node::File(Arc::new(blob)));
            }
        }
    }
    for (name, files) in folders {
        entries.insert(name.into(), Node::Dir(Arc::new(tree(&files))));
    }
    Tree { id: digest.to_hex().into(), entries }
}

fn deployment(name: usize) -> String {
    format!(
        "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: app-{name}\nspec:\n  replicas: 2\n  \
         selector:\n    matchLabels:\n      app: app-{name}\n  template:\n    metadata:\n      labels:\n        \
         app: app-{name}\n    spec:\n      containers:\n      - name: main\n        image: shop/app:1.0\n        \
         env:\n        - name: LEVEL\n          value: info\n        envFrom:\n        - configMapRef:\n            \
         name: settings\n        ports:\n        - containerPort: 8080\n---\napiVersion: v1\nkind: Service\n\
         metadata:\n  name: app-{name}\nspec:\n  selector:\n    app: app-{name}\n  ports:\n  - port: 80\n    \
         targetPort: 8080\n"
    )
}

/// A base of `objects` objects and an overlay that changes all of them.
fn files(objects: usize) -> BTreeMap<String, String> {
    let mut files = BTreeMap::new();
    let mut resources = String::from("resources:\n");
    for name in 0..objects.div_ceil(2) {
        resources.push_str(&format!("- app-{name}.yaml\n"));
        files.insert(format!("base/app-{name}.yaml"), deployment(name));
    }
    files.insert("base/kustomization.yaml".to_owned(), resources);
    let overlay = "resources: [../base]\nnamePrefix: prod-\nnamespace: shop\nlabels:\n- pairs: {env: prod}\n  \
                   includeSelectors: true\nimages:\n- {name: shop/app, newTag: v2}\nconfigMapGenerator:\n- \
                   {name: settings, literals: [LEVEL=warn]}\npatches:\n- target: {kind: Deployment}\n  patch: \
                   '[{\"op\": \"replace\", \"path\": \"/spec/replicas\", \"value\": 5}]'\n";
    files.insert("prod/kustomization.yaml".to_owned(), overlay.to_owned());
    files
}

fn built(tree: &Tree, cache: &mut ParseCache) -> usize {
    let Ok(rendered) = build(tree, "prod", &Options::default(), cache) else { return 0 };
    let is_right = |name: &str| name.starts_with("prod-");
    rendered.manifests.iter().filter(|manifest| is_right(manifest.object.name())).count()
}

/// An operation is an object of an overlay that is built with nothing parsed before. Right is
/// each that has the overlay's name.
pub(crate) fn overlay(size: usize, _seed: u64) -> Work {
    let tree = tree(&files(size));
    Box::new(move || built(&tree, &mut ParseCache::new()).min(size))
}

/// The same where every file was parsed before.
pub(crate) fn overlay_parsed(size: usize, _seed: u64) -> Work {
    let tree = tree(&files(size));
    let mut cache = ParseCache::new();
    built(&tree, &mut cache);
    Box::new(move || built(&tree, &mut cache).min(size))
}

/// An operation is an overlay that is asked for after a commit that changed one of them. Right is
/// each that comes out, if only the changed one was built.
pub(crate) fn one_of_many(size: usize, _seed: u64) -> Work {
    let mut files = files(20);
    for overlay in 0..size {
        let text = format!("resources: [../prod]\nnameSuffix: \"-{overlay}\"\n");
        files.insert(format!("o{overlay}/kustomization.yaml"), text);
    }
    let mut renderer = Renderer::new(Options::default());
    let before = tree(&files);
    for overlay in 0..size {
        drop(renderer.build(&before, &format!("o{overlay}")));
    }
    files.insert("o0/kustomization.yaml".to_owned(), "resources: [../prod]\n".to_owned());
    let after = tree(&files);
    let builds = renderer.builds();
    Box::new(move || {
        let ok = (0..size).filter(|n| renderer.build(&after, &format!("o{n}")).is_ok()).count();
        if renderer.builds() - builds == 1 { ok } else { 0 }
    })
}
