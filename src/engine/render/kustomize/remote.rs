//! Bases and files that are elsewhere: what their URLs say, and where their content is if the
//! caller has it. Nothing is fetched here; what is not at hand is given back as data.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::engine::model::{Node, Tree};

/// Something that a kustomization names by URL.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Remote {
    /// As it is written.
    pub url: String,
    /// What `git clone` is given; empty for a file that is had by HTTP.
    pub repository: String,
    /// The branch, tag or commit; empty for the default branch.
    pub reference: String,
    /// The folder in the repository; empty for its root.
    pub path: String,
}

impl Remote {
    /// Reads a URL: of a repository (`https://host/org/repo//path?ref=v1`,
    /// `git@host:org/repo.git`, `github.com/org/repo/path`), or of a file
    /// (`https://host/path/file.yaml`). `None` where it is neither, but a path.
    #[must_use]
    pub fn parse(url: &str) -> Option<Self> {
        let repository = Self::repository(url);
        if let Some(mut remote) = repository {
            url.clone_into(&mut remote.url);
            return Some(remote);
        }
        is_http(url).then(|| Self {
            url: url.to_owned(),
            repository: String::new(),
            reference: String::new(),
            path: String::new(),
        })
    }

    fn repository(url: &str) -> Option<Self> {
        if url.starts_with('/') {
            return None;
        }
        let (rest, query) = url.split_once('?').unwrap_or((url, ""));
        let (host, rest) = host(rest)?;
        let (repository, path) = parts(rest, host == "file://")?;
        let leaves = path.trim_start_matches('/').split('/').next() == Some("..");
        if repository.is_empty() || leaves {
            return None;
        }
        Some(Self {
            url: String::new(),
            repository: format!("{host}{repository}"),
            reference: reference(query),
            path: path.strip_prefix('/').unwrap_or(path).to_owned(),
        })
    }

    /// The repository with its reference, as a name for what is fetched.
    #[must_use]
    pub fn pinned(&self) -> String {
        if self.reference.is_empty() {
            return self.repository.clone();
        }
        format!("{}?ref={}", self.repository, self.reference)
    }
}

fn is_http(url: &str) -> bool {
    ["http://", "https://"].iter().any(|scheme| {
        url.strip_prefix(scheme).is_some_and(|rest| !rest.is_empty() && !rest.starts_with('/'))
    })
}

fn strip_ignoring_case<'u>(text: &'u str, prefix: &str) -> Option<&'u str> {
    let (head, rest) = text.split_at_checked(prefix.len())?;
    head.eq_ignore_ascii_case(prefix).then_some(rest)
}

/// The host with its scheme and user, and what follows.
fn host(url: &str) -> Option<(String, &str)> {
    let url = strip_ignoring_case(url, "git::").unwrap_or(url);
    let mut scheme = "";
    let mut rest = url;
    for known in ["ssh://", "https://", "http://", "file://"] {
        if let Some(after) = strip_ignoring_case(url, known) {
            (scheme, rest) = (known, after);
            break;
        }
    }
    let (user, rest) = user(rest);
    if scheme == "file://" {
        return Some((scheme.to_owned(), rest)).filter(|_| user.is_empty());
    }
    let lower = rest.to_ascii_lowercase();
    let is_github = lower.starts_with("github.com/") || lower.starts_with("github.com:");
    let short = scheme.is_empty() && (!user.is_empty() || is_github);
    if scheme.is_empty() && !short {
        return None;
    }
    let slash = rest.find('/');
    let colon = rest.find(':').filter(|_| short);
    let end = match (slash, colon) {
        (Some(slash), Some(colon)) if colon > 0 && colon < slash => Some(colon),
        (None, colon) => colon,
        (slash, _) => slash,
    };
    let (host, rest) = end.map_or((rest, ""), |end| rest.split_at(end + 1));
    if is_github {
        let by_ssh = scheme == "ssh://" || !user.is_empty();
        let host =
            if by_ssh { format!("{user}github.com:") } else { "https://github.com/".to_owned() };
        return Some((host, rest));
    }
    (!host.is_empty()).then(|| (format!("{scheme}{user}{host}"), rest))
}

/// `user@` and what follows.
fn user(text: &str) -> (&str, &str) {
    let Some(at) = text.find('@') else { return ("", text) };
    let name = &text[..at];
    let fits = name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    if fits { text.split_at(at + 1) } else { ("", text) }
}

/// The repository and the path in it: parted by `_git/`, `//` or `.git`, or after two segments.
fn parts(rest: &str, is_file: bool) -> Option<(&str, &str)> {
    if let Some(at) = rest.find("_git/") {
        let name = at + "_git/".len();
        let end = rest[name..].find('/').map_or(rest.len(), |slash| name + slash);
        return Some((&rest[..end], rest.get(end + 1..).unwrap_or_default()));
    }
    if let Some((repository, path)) = rest.split_once("//") {
        return Some((repository, path));
    }
    if let Some(at) = rest.find(".git") {
        return Some(rest.split_at(at + ".git".len()));
    }
    if is_file {
        return Some((rest, ""));
    }
    let first = rest.find('/')?;
    match rest[first + 1..].find('/') {
        None => Some((rest, "")),
        Some(second) => {
            let end = first + 1 + second;
            Some((&rest[..end], &rest[end + 1..]))
        }
    }
}

fn reference(query: &str) -> String {
    let value = |key: &str| {
        let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        pairs.filter(|(name, _)| *name == key).map(|(_, value)| value).find(|v| !v.is_empty())
    };
    value("ref").or_else(|| value("version")).unwrap_or_default().to_owned()
}

/// What is at hand of what is elsewhere. A key is a URL as a kustomization writes it, for the
/// folder or file itself, or a repository as `git clone` is given it, with or without `?ref=`, for
/// its root folder.
pub type Remotes = BTreeMap<String, Node>;

/// The first part of the paths under which remote content is mounted.
const MOUNT: &str = "@remote";

/// A tree with the remotes beside its entries, each under a name that no repository has.
pub(super) fn mounted(tree: &Tree, remotes: &Remotes) -> Tree {
    let mut entries = BTreeMap::new();
    for (at, node) in remotes.values().enumerate() {
        let name: Arc<str> = at.to_string().into();
        entries.insert(name, node.clone());
    }
    let mounts = Tree { id: "remotes".into(), entries };
    let mut whole = tree.clone();
    whole.entries.insert(MOUNT.into(), Node::Dir(Arc::new(mounts)));
    whole
}

/// Where a remote is mounted, if it is at hand.
pub(super) fn mount_of(remote: &Remote, remotes: &Remotes) -> Option<String> {
    let at = |key: &str| remotes.keys().position(|name| name == key);
    if let Some(at) = at(&remote.url) {
        return Some(format!("{MOUNT}/{at}"));
    }
    let root = at(&remote.pinned()).or_else(|| at(&remote.repository))?;
    let path = remote.path.trim_matches('/');
    Some(if path.is_empty() { format!("{MOUNT}/{root}") } else { format!("{MOUNT}/{root}/{path}") })
}

/// The mount that a path is in, as `@remote/0`.
pub(super) fn mount(path: &str) -> Option<&str> {
    let rest = path.strip_prefix(MOUNT)?.strip_prefix('/')?;
    let end = rest.find('/').unwrap_or(rest.len());
    path.get(..MOUNT.len() + 1 + end)
}

/// The URL of a mounted path, as `https://host/org/repo?ref=v1: path/file.yaml`.
pub(super) fn url_of(path: &str, remotes: &Remotes) -> Option<String> {
    let mount = mount(path)?;
    let at: usize = mount.rsplit('/').next()?.parse().ok()?;
    let url = remotes.keys().nth(at)?;
    let rest = path.get(mount.len()..)?.trim_start_matches('/');
    Some(if rest.is_empty() { url.clone() } else { format!("{url}: {rest}") })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_read_as_upstream_reads_them() {
        for (url, repository, path, reference) in [
            ("https://github.com/a/b//c/d?ref=v1", "https://github.com/a/b", "c/d", "v1"),
            ("github.com/a/b/c?ref=x", "https://github.com/a/b", "c", "x"),
            ("git@github.com:a/b.git", "git@github.com:a/b.git", "", ""),
            ("ssh://git@h.example/a/b.git/c", "ssh://git@h.example/a/b.git", "c", ""),
            ("https://h.example/a/b.git?version=2", "https://h.example/a/b.git", "", "2"),
            ("https://x@dev.example/o/p/_git/r/k", "https://x@dev.example/o/p/_git/r", "k", ""),
            ("git::https://gitlab.com/a/b", "https://gitlab.com/a/b", "", ""),
        ] {
            let remote = Remote::parse(url).unwrap();
            assert_eq!(
                (remote.repository.as_str(), remote.path.as_str(), remote.reference.as_str()),
                (repository, path, reference),
                "{url}"
            );
        }
        for path in ["../base", "a.yaml", "base?ref=x", "/abs", "a/b:c", "./github.com/a/b"] {
            assert_eq!(Remote::parse(path), None, "{path}");
        }
        assert_eq!(Remote::parse("https://h.example/x").unwrap().repository, "");
    }
}
