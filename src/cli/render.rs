//! `towtank render DIR`: prints what `kustomize build DIR` prints, or what Flux would apply.

mod flux;

use std::path::Path;

use super::disk::{Disk, Unreadable};
use super::sources::Sources;
use super::typed::{RenderArgs, ReorderWord};
use super::{Exit, complain, tell};
use crate::engine::model::{RenderError, Rendered};
use crate::engine::render::kustomize::{self, Files, Order};

pub(super) fn run(args: &RenderArgs) -> Exit {
    match rendered(args) {
        Ok(rendered) => {
            let exit = tell(Exit::Ok, &kustomize::to_yaml(&rendered));
            // The program ends here: its memory goes as a whole, sooner than object by object.
            std::mem::forget(rendered);
            exit
        }
        Err(Unreadable(message)) => complain(Exit::BadInput, &message),
    }
}

fn rendered(args: &RenderArgs) -> Result<Rendered, Unreadable> {
    let folder = &args.folder;
    let real = folder
        .canonicalize()
        .map_err(|error| Unreadable(format!("{}: {error}", folder.display())))?;
    if !real.is_dir() {
        return Err(Unreadable(format!("{}: expected a folder", folder.display())));
    }
    let mut sources = Sources::new(&args.sources)?;
    sources.options.order = match (args.reorder, &args.flux) {
        (Some(ReorderWord::Legacy), _) | (None, None) => Order::ByKind,
        (Some(ReorderWord::None), _) | (None, Some(_)) => Order::Listed,
    };
    if let Some(file) = &args.flux {
        return flux::rendered(folder, file, &mut sources);
    }
    let path = real.to_string_lossy().trim_start_matches('/').to_owned();
    let follow = sources.options.files == Files::Anywhere;
    let mut disk = Disk::default();
    disk.read([path.clone()], follow)?;
    loop {
        let tree = disk.tree();
        let attempt = kustomize::attempt(&tree, &path, &sources.options, &mut sources.cache);
        let error = match attempt.result {
            Ok(rendered) => return Ok(rendered),
            Err(error) => error,
        };
        if disk.read(attempt.absent, follow)? {
            continue;
        }
        let is_more = sources.fetch(&tree, &path, &error);
        if !is_more.map_err(|error| Unreadable(shown(&error, &real, folder)))? {
            let message = shown(&error, &real, folder) + &left_out(&disk, &error);
            return Err(Unreadable(message));
        }
    }
}

/// An error with its files as seen from where the command was given.
fn shown(error: &RenderError, real: &Path, typed: &Path) -> String {
    let seen = |path: &str| {
        let file = Path::new("/").join(path);
        let file = match file.strip_prefix(real) {
            Ok(below) if below.as_os_str().is_empty() => typed.to_owned(),
            Ok(below) => typed.join(below),
            Err(_) => file,
        };
        file.to_string_lossy().into_owned()
    };
    // What the renderer takes for the repository's root is that of the file system.
    let root =
        real.components().nth(1).map_or("", |first| first.as_os_str().to_str().unwrap_or(""));
    let mut message = String::new();
    for word in error.message.split_inclusive([' ', '"']) {
        let is_path =
            !root.is_empty() && word.starts_with(root) && word[root.len()..].starts_with('/');
        let end = word.find([' ', '"', ':', ',', '?', ';']).unwrap_or(word.len());
        let (path, rest) = word.split_at(end);
        message.push_str(&if is_path { seen(path) + rest } else { word.to_owned() });
    }
    let RenderError { line, column, .. } = *error;
    RenderError { file: seen(&error.file), line, column, message }.to_string()
}

/// What was left out of the tree and may be why something is not there, as a clause.
fn left_out(disk: &Disk, error: &RenderError) -> String {
    let is_named =
        |path: &&String| path.rsplit('/').next().is_some_and(|name| error.message.contains(name));
    disk.left_out().iter().find(is_named).map_or_else(String::new, |path| {
        format!("; /{path} is a symbolic link that leads out of its folder")
    })
}
