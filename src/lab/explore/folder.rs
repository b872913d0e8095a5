//! The ground that a user's own folder is: deployed as `towtank try` would deploy it, drifted and
//! pushed to as far as it allows.
//!
//! Only what the folder's build reads is taken along, as files written out: a scenario that comes
//! of it stands alone. Where that cannot be (files that are no text) the folder itself is named.

use std::collections::BTreeMap;
use std::path::Path;

use super::ground::{File, Ground, placed};
use super::pushes::BAD;
use super::things::Thing;
use crate::engine::model::{Node, Tree};
use crate::engine::plan::DesiredSet;
use crate::engine::render;
use crate::lab::scenario::model::{Edit, FieldEdit, GivenApp, Notice, Repo, World};
use crate::lab::scenario::{Problems, Scenario, field};
use crate::lab::trial::{NOWHERE, Trial, rolls_out, starts_in_order, without_tag};
use crate::lab::world::git::Document;

/// Numbers of a manifest that a push may change.
const NUMBERS: [&str; 3] = ["replicas", "minReadySeconds", "revisionHistoryLimit"];

/// What `path` in `folder` is as a ground, for an App called `name`.
///
/// # Errors
/// Why the folder cannot be deployed at all, as `lab::trial` tells it.
pub fn folder(folder: &Path, path: &str, name: &str) -> Result<Ground, Problems> {
    let mut trial = Trial::open(folder, path, name)?;
    let desired = trial.desired()?;
    trial.make_namespace(&desired)?;
    // The namespace may be the App's own by now.
    let desired = trial.desired()?;
    let written = placed(folder.display().to_string());
    let whole = || Repo::Folder { written: written.clone(), path: folder.to_owned() };
    let repo = read_files(&trial).map_or_else(whole, Repo::Files);
    let images = images(&trial, &desired);
    let edits = edits(&trial, &desired);
    let last = last(&images, &edits);
    Ok(Ground {
        start: Scenario {
            file: folder.to_owned(),
            name: placed(name.to_owned()),
            description: "Made up from a seed.".to_owned(),
            repo,
            world: World::default(),
            seed: None,
            needs: Vec::new(),
            remotes: Vec::new(),
            metrics: Vec::new(),
            foreign: Vec::new(),
            notice: Notice::default(),
            apps: vec![GivenApp { app: trial.app.clone(), at: NOWHERE, depends_on_at: Vec::new() }],
            images: Vec::new(),
            steps: Vec::new(),
        },
        images,
        edits,
        files: files(&trial),
        things: desired.objects.values().filter_map(Thing::of).collect(),
        varies_apps: false,
        last,
    })
}

/// The files that the build reads, where all of them are text.
fn read_files(trial: &Trial<'_>) -> Option<BTreeMap<String, String>> {
    let mut cache = render::ParseCache::default();
    let rendered = render::render(&trial.tree, &trial.app.path, &mut cache).ok()?;
    let mut files = BTreeMap::new();
    for path in rendered.inputs.keys() {
        match trial.tree.find(path) {
            Some(Node::File(blob)) => {
                files.insert(path.clone(), String::from_utf8(blob.bytes.to_vec()).ok()?);
            }
            // A folder that was listed: what is in it decides what is deployed.
            Some(Node::Dir(below)) => all(below, path, &mut files)?,
            None if path.is_empty() => all(&trial.tree, "", &mut files)?,
            None => {}
        }
    }
    Some(files)
}

fn all(tree: &Tree, prefix: &str, files: &mut BTreeMap<String, String>) -> Option<()> {
    for (name, node) in &tree.entries {
        let path = if prefix.is_empty() { name.to_string() } else { format!("{prefix}/{name}") };
        match node {
            Node::Dir(below) => all(below, &path, files)?,
            Node::File(blob) => {
                files.insert(path, String::from_utf8(blob.bytes.to_vec()).ok()?);
            }
        }
    }
    Some(())
}

/// The images of workloads whose tag the repository can change, each once. One that pods start
/// with in order is left out: its first bad pod stays, also when the template is back.
fn images(trial: &Trial<'_>, desired: &DesiredSet) -> Vec<String> {
    let mut images: Vec<String> = Vec::new();
    for want in desired.objects.values().filter(|want| rolls_out(want)) {
        let containers = want.body["spec"]["template"]["spec"]["containers"].as_array();
        for image in containers.into_iter().flatten().filter_map(|c| c["image"].as_str()) {
            let image = without_tag(image).to_owned();
            let changed = trial.git.draft().and_then(|mut draft| draft.set_image(&image, BAD));
            let can = changed.is_ok_and(|changed| !changed.is_empty());
            if can && !images.contains(&image) && starts_in_order(desired, &image).is_none() {
                images.push(image);
            }
        }
    }
    images
}

/// Numbers of manifests that an edit of their file changes, to what they are and to one more.
fn edits(trial: &Trial<'_>, desired: &DesiredSet) -> Vec<Vec<Edit>> {
    let mut edits = Vec::new();
    for want in desired.objects.values() {
        for name in NUMBERS {
            let Some(number) = want.body["spec"][name].as_i64().filter(|number| *number > 0) else {
                continue;
            };
            let (path, file) = (format!("spec.{name}"), &want.origin.file);
            let edited = trial.git.draft().and_then(|mut draft| {
                draft.edit_field(file, &Document::Any, &path, &(number + 1).into())
            });
            if edited.is_ok() {
                let numbers = [number, number + 1].into_iter();
                edits.push(numbers.filter_map(|number| set(file, &path, number)).collect());
            }
        }
    }
    edits
}

fn set(file: &str, path: &str, value: i64) -> Option<Edit> {
    let path = placed(field::parse(path)?);
    let fields = vec![FieldEdit { path, value: value.into() }];
    Some(Edit::Set { file: placed(file.to_owned()), object: None, fields })
}

/// A folder of plain manifests can have one more; a kustomization would have to name it.
fn files(trial: &Trial<'_>) -> Vec<File> {
    let is_folder = matches!(trial.node(), Some(Node::Dir(_)));
    if trial.is_built() || !is_folder {
        return Vec::new();
    }
    let below = |name: &str| match trial.app.path.as_str() {
        "" => name.to_owned(),
        path => format!("{path}/{name}"),
    };
    let text = |value: &str| {
        format!(
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {{ name: chaos-extra }}\ndata: {{ is: {value} }}\n"
        )
    };
    let file = |name: &str, texts: Vec<String>, is_broken: bool| File {
        path: below(name),
        texts,
        is_broken,
        instead_of: None,
    };
    vec![
        file("chaos-extra.yaml", vec![text("one"), text("two")], false),
        file("chaos-broken.yaml", vec!["a: [\n".to_owned()], true),
    ]
}

/// Where no tag makes the last commit another one, a number does that no commit had before.
fn last(images: &[String], edits: &[Vec<Edit>]) -> Vec<Edit> {
    if !images.is_empty() {
        return Vec::new();
    }
    let mut last: Vec<Edit> = edits.iter().take(1).filter_map(|one| one.last().cloned()).collect();
    for edit in &mut last {
        if let Edit::Set { fields, .. } = edit {
            for field in fields {
                field.value = field.value.as_i64().map_or(field.value.clone(), |n| (n + 1).into());
            }
        }
    }
    last
}
