//! What can go wrong in a run's repository, in words for the author of a scenario.

use crate::engine::source::SourceError;

/// A push, a look-up or an opening that failed. Nothing changed then: each of these is found
/// before a reference moves.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GitError {
    /// Reading or writing objects.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The folder or repository that a world was to begin with.
    #[error("opening {path}: {what}")]
    Open {
        /// The folder or file.
        path: String,
        /// What is wrong with it, and what to do.
        what: String,
    },
    /// A name that stands for no commit, or for several.
    #[error("`{rev}` names no commit: {why}")]
    Revision {
        /// The name as given.
        rev: String,
        /// Why not, with the nearest name there is.
        why: String,
    },
    /// A branch or tag that cannot be made.
    #[error("{name}: {why}")]
    Name {
        /// The branch or tag.
        name: String,
        /// Why not.
        why: String,
    },
    /// A path that no file can have.
    #[error("`{path}` cannot be a file's path: {why}")]
    BadPath {
        /// The path as given.
        path: String,
        /// Why not.
        why: &'static str,
    },
    /// A file that is not there.
    #[error("there is no file {path}{nearest}")]
    NoFile {
        /// The path as given.
        path: String,
        /// `; the nearest is …`, or empty.
        nearest: String,
    },
    /// A file where a folder is needed, or the other way round.
    #[error("{path} cannot be written: {what} is in the way")]
    InTheWay {
        /// The path as given.
        path: String,
        /// What stands there.
        what: String,
    },
    /// No file pins the image.
    #[error("no file of the repository names the image {image}{there}")]
    NoImage {
        /// The image as given.
        image: String,
        /// `; the images there are: …`, nearest first, or empty.
        there: String,
    },
    /// A tag that no image can have.
    #[error(
        "`{tag}` cannot be an image's tag: letters, digits, `_`, `.` and `-`, at most 128, not \
         starting with `.` or `-`; or a digest as sha256: and 64 hexadecimal digits"
    )]
    BadTag {
        /// The tag as given.
        tag: String,
    },
    /// A field of a YAML file that cannot be set.
    #[error("{file}: {what}")]
    Field {
        /// The file.
        file: String,
        /// What is wrong, with the nearest field there is.
        what: String,
    },
}

/// `; the nearest is X`, or nothing where nothing is near.
pub(super) fn nearest_is<'a>(word: &str, there: impl Iterator<Item = &'a str>) -> String {
    nearest(word, there).map_or_else(String::new, |near| format!("; the nearest is {near}"))
}

/// The candidate most like `word`, if any is like it at all; the first of several.
pub(super) fn nearest<'a>(word: &str, there: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    by_likeness(word, there).into_iter().next().filter(|(like, _)| *like >= 0.4).map(|(_, c)| c)
}

/// The candidates, most like `word` first, with how like they are (0 to 1).
pub(super) fn by_likeness<'a>(
    word: &str,
    there: impl Iterator<Item = &'a str>,
) -> Vec<(f64, &'a str)> {
    let like = |c: &'a str| (strsim::normalized_damerau_levenshtein(word, c), c);
    let mut all: Vec<(f64, &str)> = there.map(like).collect();
    all.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(b.1)));
    all
}
