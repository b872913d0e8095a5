//! Pushes: tags, fields, files that come and go, the branch set back. It is kept in mind which
//! files there are, so that every push can be made.

use std::collections::BTreeMap;

use super::generate::Sampler;
use super::ground::placed;
use crate::lab::scenario::model::{Action, Commit, Edit, Push, PushKind, Rev};

/// The tag that never becomes ready.
pub(super) const BAD: &str = "bad";
/// The tag of the last commit, which no commit before has.
const LAST: &str = "last";

/// The optional files that are there, each with the number of its text.
type Files = BTreeMap<usize, usize>;

/// What is known of the repository: the optional files at each commit of the branch, oldest
/// first, and whether the commit changed anything.
#[derive(Debug)]
pub(super) struct Repository {
    commits: Vec<(Files, bool)>,
}

impl Default for Repository {
    fn default() -> Self {
        Self { commits: vec![(Files::new(), false)] }
    }
}

impl Repository {
    fn files(&self) -> Files {
        self.commits.last().map(|(files, _)| files.clone()).unwrap_or_default()
    }

    fn committed(&mut self, files: Files, is_change: bool) {
        self.commits.push((files, is_change));
    }
}

/// A push; `None` where there is nothing that could be.
pub(super) fn push(sampler: &mut Sampler<'_>) -> Option<Action> {
    match sampler.rng.below(20) {
        0..6 => tag(sampler),
        6..11 => field(sampler),
        11..15 => file(sampler),
        15..17 => revert(sampler),
        17 => force_push(sampler),
        18 => Some(empty(sampler)),
        _ => both(sampler),
    }
}

/// The commit that everything is to be ready at.
pub(super) fn last(sampler: &mut Sampler<'_>) -> Option<Action> {
    let ground = sampler.ground;
    let tags = ground.images.iter().map(|image| set_image(image, LAST));
    let mut edits: Vec<Edit> = tags.chain(ground.last.iter().cloned()).collect();
    for n in sampler.repository.files().into_keys() {
        let file = ground.files.get(n).filter(|file| file.is_broken);
        edits.extend(file.map(|file| Edit::Delete { path: placed(file.path.clone()) }));
    }
    (!edits.is_empty()).then(|| commit(edits))
}

/// Whether these are the edits of that commit.
pub(super) fn is_last(edits: &[Edit]) -> bool {
    edits.iter().any(|edit| matches!(edit, Edit::SetImage { tag, .. } if tag == LAST))
}

fn commit(edits: Vec<Edit>) -> Action {
    let kind = PushKind::Commit(Commit { edits, message: None });
    Action::Push(Push { kind, label: None })
}

fn set_image(image: &str, tag: &str) -> Edit {
    Edit::SetImage { image: placed(image.to_owned()), tag: tag.to_owned() }
}

/// Another tag: mostly a new one, sometimes one that was there before, sometimes the bad one.
fn tag_edit(sampler: &mut Sampler<'_>) -> Option<Edit> {
    let n = sampler.one_of(sampler.ground.images.len());
    let image = sampler.ground.images.get(n)?;
    let tag = match sampler.rng.below(10) {
        0..3 => BAD.to_owned(),
        3..5 => format!("v{}", 1 + sampler.rng.below(2)),
        _ => format!("t{}", sampler.next_number()),
    };
    Some(set_image(image, &tag))
}

fn tag(sampler: &mut Sampler<'_>) -> Option<Action> {
    let edit = tag_edit(sampler)?;
    let files = sampler.repository.files();
    // The same tag again is a commit that changes nothing, and cannot be reverted.
    sampler.repository.committed(files, false);
    Some(commit(vec![edit]))
}

fn field_edit(sampler: &mut Sampler<'_>) -> Option<Edit> {
    let n = sampler.one_of(sampler.ground.edits.len());
    let edits = sampler.ground.edits.get(n)?;
    let n = sampler.one_of(edits.len());
    edits.get(n).cloned()
}

fn field(sampler: &mut Sampler<'_>) -> Option<Action> {
    let edit = field_edit(sampler)?;
    let files = sampler.repository.files();
    sampler.repository.committed(files, false);
    Some(commit(vec![edit]))
}

/// A file comes, changes, goes, or takes the place of another.
fn file_edits(sampler: &mut Sampler<'_>) -> Option<Vec<Edit>> {
    let n = sampler.one_of(sampler.ground.files.len());
    let file = sampler.ground.files.get(n)?;
    let before = sampler.repository.files();
    let mut files = before.clone();
    let mut edits = Vec::new();
    if files.contains_key(&n) && sampler.chance(60) {
        files.remove(&n);
        edits.push(Edit::Delete { path: placed(file.path.clone()) });
    } else {
        let which = sampler.one_of(file.texts.len());
        let text = file.texts.get(which)?;
        let other = file
            .instead_of
            .and_then(|path| sampler.ground.files.iter().position(|file| file.path == path));
        if let Some(other) = other.filter(|other| files.remove(other).is_some()) {
            let path = sampler.ground.files.get(other)?.path.clone();
            edits.push(Edit::Delete { path: placed(path) });
        }
        files.insert(n, which);
        edits.push(Edit::Write { path: placed(file.path.clone()), text: text.clone() });
    }
    // The text that is there already, once more, changes nothing.
    let is_change = files != before;
    sampler.repository.committed(files, is_change);
    Some(edits)
}

fn file(sampler: &mut Sampler<'_>) -> Option<Action> {
    file_edits(sampler).map(commit)
}

/// A file that is not there comes, and goes again.
pub(super) fn there_and_gone(sampler: &mut Sampler<'_>) -> Option<(Action, Action)> {
    let before = sampler.repository.files();
    let absent: Vec<usize> = (0..sampler.ground.files.len())
        .filter(|n| !before.contains_key(n))
        .filter(|n| {
            let file = &sampler.ground.files[*n];
            !file.is_broken && file.instead_of.is_none()
        })
        .collect();
    let n = *absent.get(sampler.one_of(absent.len()))?;
    let file = sampler.ground.files.get(n)?;
    let path = || placed(file.path.clone());
    let there = Edit::Write { path: path(), text: file.texts.first()?.clone() };
    let mut with = before.clone();
    with.insert(n, 0);
    sampler.repository.committed(with, true);
    sampler.repository.committed(before, true);
    Some((commit(vec![there]), commit(vec![Edit::Delete { path: path() }])))
}

/// A file and a tag in one commit.
fn both(sampler: &mut Sampler<'_>) -> Option<Action> {
    let tag = tag_edit(sampler)?;
    let mut edits = file_edits(sampler)?;
    edits.push(tag);
    Some(commit(edits))
}

fn empty(sampler: &mut Sampler<'_>) -> Action {
    let files = sampler.repository.files();
    sampler.repository.committed(files, false);
    let message = Some("nothing changes".to_owned());
    let kind = PushKind::Commit(Commit { edits: Vec::new(), message });
    Action::Push(Push { kind, label: None })
}

/// The newest commit is taken back, if it can be told that it changed something.
fn revert(sampler: &mut Sampler<'_>) -> Option<Action> {
    let commits = &sampler.repository.commits;
    let (_, is_change) = commits.last()?;
    let before = commits.len().checked_sub(2).and_then(|n| commits.get(n));
    let Some((before, _)) = before.filter(|_| *is_change) else { return file(sampler) };
    let before = before.clone();
    sampler.repository.committed(before, true);
    let kind = PushKind::Revert { rev: placed(Rev::Head { back: 0 }), message: None };
    Some(Action::Push(Push { kind, label: None }))
}

/// The newest commit is gone.
fn force_push(sampler: &mut Sampler<'_>) -> Option<Action> {
    if sampler.repository.commits.len() < 2 {
        return tag(sampler);
    }
    sampler.repository.commits.pop();
    let kind = PushKind::ForcePush { rev: placed(Rev::Head { back: 1 }) };
    Some(Action::Push(Push { kind, label: None }))
}
