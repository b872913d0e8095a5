//! Which parts of a repository are rendered by themselves: kustomizations that no other one is
//! based on, and manifests that stand in no kustomization's folder.
//!
//! Pure: a tree goes in. Whether what is found can be rendered, and to what, is the renderer's.

use std::collections::{BTreeMap, BTreeSet};

use crate::engine::model::{Blob, Node, Tree};
use crate::engine::render::{join, kustomize};
use crate::object::yaml::spanned;

/// Fields of a kustomization whose entries may be folders.
const BASED_ON: [&str; 6] =
    ["resources", "bases", "components", "generators", "transformers", "validators"];

/// What there is to be rendered.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Roots {
    /// The folders of kustomizations that no other is based on. Components are not among them:
    /// they come to nothing without a kustomization that they are part of.
    pub kustomizations: BTreeSet<String>,
    /// Files with manifests outside of all kustomizations, by folder.
    pub plain: BTreeMap<String, Vec<String>>,
}

/// Looks through a tree. Hidden folders and Helm charts are passed over.
pub(super) fn find(tree: &Tree) -> Roots {
    let mut search = Search::default();
    search.folder(tree, "", false);
    let Search { mut roots, based_on } = search;
    roots.kustomizations.retain(|folder| !based_on.contains(folder));
    roots
}

#[derive(Default)]
struct Search {
    roots: Roots,
    based_on: BTreeSet<String>,
}

impl Search {
    fn folder(&mut self, tree: &Tree, path: &str, is_below: bool) {
        if tree.entries.contains_key("Chart.yaml") {
            return;
        }
        let mut is_below = is_below;
        for name in kustomize::FILE_NAMES {
            if let Some(blob) = tree.file(name)
                && self.kustomization(path, blob)
            {
                is_below = true;
            }
        }
        for (name, node) in &tree.entries {
            if name.starts_with('.') {
                continue;
            }
            let child = join(path, name).unwrap_or_default();
            match node {
                Node::Dir(folder) => self.folder(folder, &child, is_below),
                Node::File(blob) if !is_below && is_manifest(name, blob) => {
                    self.roots.plain.entry(path.to_owned()).or_default().push(child);
                }
                Node::File(_) => {}
            }
        }
    }

    /// Reads a file with the name of a kustomization. Whether it is one.
    fn kustomization(&mut self, path: &str, blob: &Blob) -> bool {
        let text = String::from_utf8_lossy(&blob.bytes);
        let Ok(documents) = spanned::documents_last_wins(&text) else {
            // What cannot be read is rendered, so that it is told.
            self.roots.kustomizations.insert(path.to_owned());
            return true;
        };
        let Some(document) = documents.first() else { return false };
        let word = |key: &str| document.get(key).and_then(spanned::Node::text).unwrap_or_default();
        let group = word("apiVersion");
        if !group.is_empty() && !group.starts_with("kustomize.config.k8s.io/") {
            return false;
        }
        for entry in BASED_ON.iter().filter_map(|field| document.get(field)) {
            let texts = entry.items().iter().filter_map(spanned::Node::text);
            self.based_on.extend(texts.filter_map(|text| join(path, text)));
        }
        if word("kind") != "Component" {
            self.roots.kustomizations.insert(path.to_owned());
        }
        true
    }
}

/// Whether a file holds something like a manifest, by its name and by the words in it.
pub(super) fn is_manifest(name: &str, blob: &Blob) -> bool {
    let has = |word: &[u8]| blob.bytes.windows(word.len()).any(|part| part == word);
    let is_own = name == "scenario.yaml" || name.ends_with(".scenario.yaml");
    let ending = [".yaml", ".yml", ".json"].iter().any(|ending| name.ends_with(ending));
    ending && !is_own && has(b"apiVersion") && has(b"kind")
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn tree(files: &[(&str, &str)]) -> Tree {
        let mut root = Tree { id: "root".into(), entries: BTreeMap::new() };
        for (path, text) in files {
            let mut folder = &mut root;
            let (folders, name) = path.rsplit_once('/').unwrap_or(("", path));
            for part in folders.split('/').filter(|part| !part.is_empty()) {
                let empty = Tree { id: part.into(), entries: BTreeMap::new() };
                let entry = folder.entries.entry(part.into());
                let Node::Dir(next) = entry.or_insert_with(|| Node::Dir(Arc::new(empty))) else {
                    panic!("{path}: a file is in the way");
                };
                folder = Arc::make_mut(next);
            }
            let blob = Blob { id: (*text).into(), bytes: text.as_bytes().into() };
            folder.entries.insert(name.into(), Node::File(Arc::new(blob)));
        }
        root
    }

    #[test]
    fn what_others_are_based_on_is_not_rendered_by_itself() {
        let manifest = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n";
        let found = find(&tree(&[
            ("base/kustomization.yaml", "resources: [a.yaml]\n"),
            ("base/a.yaml", manifest),
            ("base/unused/b.yaml", manifest),
            ("part/kustomization.yaml", "kind: Component\n"),
            ("prod/kustomization.yaml", "resources: [../base]\ncomponents: [../part]\n"),
            ("broken/kustomization.yaml", "a: [\n"),
            ("plain/c.yaml", manifest),
            ("plain/values.yaml", "a: 1\n"),
            ("plain/.hidden/d.yaml", manifest),
            ("plain/x.scenario.yaml", manifest),
            ("chart/Chart.yaml", "name: c\n"),
            ("chart/templates/d.yaml", manifest),
            (
                "flux/kustomization.yaml",
                "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\n",
            ),
        ]));
        let kustomizations = ["broken", "prod"].map(str::to_owned).into();
        let plain = [("flux", "flux/kustomization.yaml"), ("plain", "plain/c.yaml")];
        let plain = plain.map(|(folder, file)| (folder.to_owned(), vec![file.to_owned()])).into();
        assert_eq!(found, Roots { kustomizations, plain });
    }
}
