//! `towtank diff A B`: renders two commits of a repository and tells how they differ, object by
//! object.
//!
//! Reads the repository alone: the working copy is not looked at, nothing is fetched but what a
//! kustomization names by URL. Comparing is `compare`, the printed page `page`.

mod compare;
mod page;

use std::collections::BTreeSet;

use super::disk::Unreadable;
use super::roots::{self, Roots};
use super::sources::Sources;
use super::typed::{DiffArgs, PageWord};
use super::{Exit, complain, tell};
use crate::engine::model::{Manifest, RenderError, Tree};
use crate::engine::render::{self, join, kustomize};
use crate::lab::world::git::elsewhere;
use compare::{Folder, Side};

pub(super) fn run(args: &DiffArgs) -> Exit {
    let folders = match folders(args) {
        Ok(folders) => folders,
        Err(Unreadable(message)) => return complain(Exit::BadInput, &message),
    };
    let exit = if folders.iter().any(|folder| folder.right_error.is_some()) {
        Exit::BadInput
    } else if args.exit_code && folders.iter().any(Folder::differs) {
        Exit::Failed
    } else {
        Exit::Ok
    };
    match args.report {
        PageWord::Terminal => tell(exit, &page::terminal(&folders)),
        PageWord::Json => tell(exit, &page::json(&args.left, &args.right, &folders)),
    }
}

fn folders(args: &DiffArgs) -> Result<Vec<Folder>, Unreadable> {
    let shown = args.repo.display();
    let read = elsewhere::artifacts(&args.repo, &[&args.left, &args.right]);
    let read = read.map_err(|why| Unreadable(format!("{shown}: {why}")))?;
    let [left, right] = read.as_slice() else { return Ok(Vec::new()) };
    let (left, right) = (&left.tree, &right.tree);
    let mut sources = Sources::new(&args.sources)?;
    if let Some(path) = &args.path {
        let path = join("", path).unwrap_or_else(|| path.clone());
        if left.id_at(&path).is_none() && right.id_at(&path).is_none() {
            let message = format!("{path}: neither {} nor {} has it", args.left, args.right);
            return Err(Unreadable(message));
        }
        let side = |tree: &Tree, sources: &mut Sources| {
            tree.id_at(&path).map(|_| folder(tree, &path, sources))
        };
        let sides = (side(left, &mut sources), side(right, &mut sources));
        return Ok(vec![Folder::compared(path.clone(), sides.0, sides.1)]);
    }
    Ok(everything(left, right, &mut sources))
}

/// All that is rendered by itself at either commit, and that is not read from the same files.
fn everything(left: &Tree, right: &Tree, sources: &mut Sources) -> Vec<Folder> {
    let (left_roots, right_roots) = (roots::find(left), roots::find(right));
    let mut folders = Vec::new();
    let both = left_roots.kustomizations.union(&right_roots.kustomizations);
    for path in both.collect::<BTreeSet<_>>() {
        let mut side =
            |tree: &Tree| is_kustomization(tree, path).then(|| folder(tree, path, sources));
        folders.push(Folder::compared(path.clone(), side(left), side(right)));
    }
    let both = left_roots.plain.keys().chain(right_roots.plain.keys());
    for path in both.collect::<BTreeSet<_>>() {
        let mut side = |tree: &Tree, roots: &Roots| {
            roots.plain.get(path).map(|files| plain(tree, files, sources))
        };
        let (left, right) = (side(left, &left_roots), side(right, &right_roots));
        folders.push(Folder::compared(path.clone(), left, right));
    }
    folders.sort_by(|a, b| a.path.cmp(&b.path));
    folders
}

/// What a folder comes to: a kustomization, or manifests as they are.
fn folder(tree: &Tree, path: &str, sources: &mut Sources) -> Side {
    if is_kustomization(tree, path) {
        return sources.build(tree, path).map(|rendered| rendered.manifests);
    }
    render::render(tree, path, &mut sources.cache).map(|rendered| rendered.manifests)
}

fn is_kustomization(tree: &Tree, path: &str) -> bool {
    let file = |name: &&str| tree.file(&join(path, name).unwrap_or_default()).is_some();
    kustomize::FILE_NAMES.iter().any(file)
}

fn plain(
    tree: &Tree,
    files: &[String],
    sources: &mut Sources,
) -> Result<Vec<Manifest>, RenderError> {
    let mut all = Vec::new();
    for file in files {
        all.extend(render::render(tree, file, &mut sources.cache)?.manifests);
    }
    Ok(all)
}
