//! `towtank render DIR`: prints what `kustomize build DIR` prints.

use std::collections::BTreeMap;
use std::path::Path;

use super::disk::{Disk, Unreadable, whole};
use super::typed::{RenderArgs, ReorderWord, RestrictorWord};
use super::{Exit, complain, tell};
use crate::engine::model::{RenderError, Rendered};
use crate::engine::render::ParseCache;
use crate::engine::render::kustomize::{self, Files, Options, Order};

pub(super) fn run(args: &RenderArgs) -> Exit {
    match rendered(args) {
        Ok(rendered) => tell(Exit::Ok, &kustomize::to_yaml(&rendered)),
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
    let mut options = options(args);
    for mapping in &args.map {
        let (url, to) = mapping;
        options.remotes.insert(url.clone(), whole(to)?);
    }
    let path = real.to_string_lossy().trim_start_matches('/').to_owned();
    let follow = options.files == Files::Anywhere;
    let mut disk = Disk::default();
    let mut cache = ParseCache::new();
    disk.read([path.clone()], follow)?;
    loop {
        let attempt = kustomize::attempt(&disk.tree(), &path, &options, &mut cache);
        match attempt.result {
            Ok(rendered) => return Ok(rendered),
            Err(error) if !disk.read(attempt.absent, follow)? => {
                return Err(Unreadable(shown(&error, &real, folder)));
            }
            Err(_) => {}
        }
    }
}

fn options(args: &RenderArgs) -> Options {
    Options {
        order: match args.reorder {
            ReorderWord::Legacy => Order::ByKind,
            ReorderWord::None => Order::Listed,
        },
        files: match args.load_restrictor {
            RestrictorWord::RootOnly => Files::Below,
            RestrictorWord::None => Files::Anywhere,
        },
        remotes: BTreeMap::new(),
    }
}

/// An error with its file as seen from where the command was given.
fn shown(error: &RenderError, real: &Path, typed: &Path) -> String {
    let file = Path::new("/").join(&error.file);
    let file = match file.strip_prefix(real) {
        Ok(below) if below.as_os_str().is_empty() => typed.to_owned(),
        Ok(below) => typed.join(below),
        Err(_) => file,
    };
    let error = RenderError { file: file.to_string_lossy().into_owned(), ..error.clone() };
    error.to_string()
}
