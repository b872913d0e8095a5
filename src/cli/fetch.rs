//! Fetches what a kustomization names by URL into a cache: a repository at a reference, without
//! its history, or a file.
//!
//! A commit or a tag is fetched once; a branch, or a reference that is left out, is asked for each
//! time, and what was last fetched of it serves offline. Which of them a build needs, the renderer
//! says ([`kustomize::missing`](crate::engine::render::kustomize::missing)).

use std::fs;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use crate::base::{Digest, limits};
use crate::engine::model::{Blob, Node};
use crate::engine::render::kustomize::Remote;
use crate::lab::world::git::elsewhere;

/// How long a file may take.
const FILE_TIMEOUT: Duration = Duration::from_secs(60);

/// Fetches into a folder.
#[derive(Debug)]
pub(super) struct Fetcher {
    cache: PathBuf,
    is_offline: bool,
}

/// A commit in the cache.
struct Cached {
    commit: String,
    /// Whether it is for good: a branch moves.
    is_fixed: bool,
}

impl Fetcher {
    /// One that keeps what it fetches in `cache`, and only looks there where it `is_offline`.
    pub(super) fn new(cache: PathBuf, is_offline: bool) -> Self {
        Self { cache, is_offline }
    }

    /// What stands at a URL, and the name under which the renderer looks for it.
    ///
    /// # Errors
    /// Why it cannot be had, in words.
    pub(super) fn fetch(&self, remote: &Remote) -> Result<(String, Node), String> {
        if !is_file(remote) {
            return self.repository(remote);
        }
        match self.file(&remote.url) {
            Ok(node) => Ok((remote.url.clone(), node)),
            Err(why) if remote.repository.is_empty() => Err(why),
            Err(why) => self.repository(remote).map_err(|other| format!("{why}; {other}")),
        }
    }

    fn file(&self, url: &str) -> Result<Node, String> {
        let path = self.cache.join("files").join(digest(&[url]));
        if let Ok(bytes) = fs::read(&path) {
            return Ok(blob(bytes));
        }
        if self.is_offline {
            return Err(format!("{url} is not in {} and --offline is given", self.cache.display()));
        }
        let bytes = download(url).map_err(|why| format!("{url} cannot be fetched: {why}"))?;
        keep(&path, &bytes).map_err(|error| format!("{}: {error}", path.display()))?;
        Ok(blob(bytes))
    }

    fn repository(&self, remote: &Remote) -> Result<(String, Node), String> {
        let folder = self.cache.join("git").join(digest(&[&remote.repository]));
        let name = folder.join("refs").join(digest(&[&remote.reference]));
        let cached = cached(&name).filter(|cached| folder.join(&cached.commit).is_dir());
        let commit = match cached {
            Some(cached) if cached.is_fixed || self.is_offline => cached.commit,
            _ if self.is_offline => {
                let cache = self.cache.display();
                return Err(format!(
                    "{} is not in {cache} and --offline is given",
                    remote.pinned()
                ));
            }
            _ => fetch_commit(remote, &folder, &name)
                .map_err(|why| format!("{} cannot be fetched: {why}", remote.pinned()))?,
        };
        let read = elsewhere::artifacts(&folder.join(&commit), &[&commit]);
        let read = read.map_err(|why| format!("{}: {why}", folder.display()))?;
        let tree = read.into_iter().next().map(|artifact| artifact.tree);
        let node = Node::Dir(tree.ok_or("the commit is gone")?);
        Ok((remote.pinned(), node))
    }
}

/// Whether a URL is tried as one of a file first, as kustomize does with all of them: it takes
/// one request less for what is plainly a repository.
fn is_file(remote: &Remote) -> bool {
    let path = remote.url.split('?').next().unwrap_or_default();
    let ending = [".yaml", ".yml", ".json"].iter().any(|ending| path.ends_with(ending));
    let is_web = remote.url.starts_with("http://") || remote.url.starts_with("https://");
    is_web && (ending || remote.repository.is_empty())
}

/// Fetches the commit of a reference to a folder of its name.
fn fetch_commit(
    remote: &Remote,
    folder: &Path,
    name: &Path,
) -> Result<String, Box<dyn std::error::Error>> {
    let reference = remote.reference.as_str();
    let is_commit = reference.len() == 40 && reference.bytes().all(|b| b.is_ascii_hexdigit());
    let revisions = match reference {
        "" => vec![("HEAD".to_owned(), false)],
        commit if is_commit => vec![(commit.to_owned(), true)],
        full if full.starts_with("refs/") => vec![(full.to_owned(), false)],
        name => vec![(format!("refs/tags/{name}"), true), (format!("refs/heads/{name}"), false)],
    };
    fs::create_dir_all(folder)?;
    let mut failed: Option<Box<dyn std::error::Error>> = None;
    for (revision, is_fixed) in revisions {
        let fresh = folder.join(format!("fetching-{}", std::process::id()));
        drop(fs::remove_dir_all(&fresh));
        match elsewhere::fetch_commit(&remote.repository, &revision, &fresh) {
            Ok(commit) => {
                let whole = folder.join(&commit);
                if whole.is_dir() {
                    fs::remove_dir_all(&fresh)?;
                } else {
                    fs::rename(&fresh, &whole)?;
                }
                let word = if is_fixed { "fixed" } else { "moves" };
                keep(name, format!("{commit} {word}\n").as_bytes())?;
                return Ok(commit);
            }
            Err(error) => {
                drop(fs::remove_dir_all(&fresh));
                failed = Some(error);
            }
        }
    }
    Err(failed.unwrap_or_else(|| "there is nothing to ask for".into()))
}

fn cached(name: &Path) -> Option<Cached> {
    let text = fs::read_to_string(name).ok()?;
    let (commit, word) = text.trim_end().split_once(' ')?;
    let is_id = commit.bytes().all(|b| b.is_ascii_hexdigit());
    is_id.then(|| Cached { commit: commit.to_owned(), is_fixed: word == "fixed" })
}

fn download(url: &str) -> Result<Vec<u8>, Box<dyn std::error::Error>> {
    let client = reqwest::blocking::Client::builder().timeout(FILE_TIMEOUT).build()?;
    let response = client.get(url).send()?.error_for_status()?;
    let mut bytes = Vec::new();
    response.take(limits::BLOB_BYTES + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limits::BLOB_BYTES {
        return Err(format!("it is larger than {} bytes", limits::BLOB_BYTES).into());
    }
    Ok(bytes)
}

/// Writes a file whole or not at all.
fn keep(path: &Path, bytes: &[u8]) -> io::Result<()> {
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent)?;
    }
    let fresh = path.with_extension(format!("{}", std::process::id()));
    fs::write(&fresh, bytes)?;
    fs::rename(fresh, path)
}

fn blob(bytes: Vec<u8>) -> Node {
    let mut digest = Digest::default();
    digest.add(&bytes);
    Node::File(Arc::new(Blob { id: digest.to_hex().into(), bytes: bytes.into() }))
}

fn digest(parts: &[&str]) -> String {
    let mut digest = Digest::default();
    parts.iter().for_each(|part| digest.add(part.as_bytes()));
    digest.to_hex()
}

/// Where fetched things are kept unless the command line says otherwise.
pub(super) fn default_cache() -> PathBuf {
    let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    let home = || set("HOME").map(|home| PathBuf::from(home).join(".cache"));
    let cache = set("XDG_CACHE_HOME").map(PathBuf::from).or_else(home);
    cache.unwrap_or_else(std::env::temp_dir).join("towtank")
}
