//! What is wrong with a scenario file: one line a problem, all of them at once.

use std::fmt;
use std::path::{Path, PathBuf};

use super::model::Position;
pub(crate) use crate::base::nearest;

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// The file or folder, as it was named.
    pub file: PathBuf,
    /// Where in it; `None`: all of it.
    pub at: Option<Position>,
    /// What is wrong, what was expected, and the nearest right word where there is one.
    pub message: String,
}

/// `file:line:column: message`.
impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.file.display())?;
        if let Some(at) = self.at {
            write!(f, "{at}:")?;
        }
        write!(f, " {}", self.message)
    }
}

/// All that is wrong, in the order of the files; never empty where it is an error.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", lines(.0))]
pub struct Problems(pub Vec<Problem>);

fn lines(problems: &[Problem]) -> String {
    problems.iter().map(Problem::to_string).collect::<Vec<_>>().join("\n")
}

/// Problems of one file while they are being found.
#[derive(Debug, Default)]
pub(super) struct Findings(Vec<(Position, String)>);

impl Findings {
    pub(super) fn add(&mut self, at: Position, message: impl Into<String>) {
        self.0.push((at, message.into()));
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The problems in the order of the file, each once.
    pub(super) fn into_problems(mut self, file: &Path) -> Problems {
        self.0.sort();
        self.0.dedup();
        let problem = |(at, message)| Problem { file: file.to_owned(), at: Some(at), message };
        Problems(self.0.into_iter().map(problem).collect())
    }
}

/// `; did you mean "…"?`, or nothing.
pub(crate) fn did_you_mean<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    nearest(word, known).map(|near| format!("; did you mean \"{near}\"?")).unwrap_or_default()
}

/// `a, b or c`.
pub(crate) fn either<S: AsRef<str>>(words: &[S], joiner: &str) -> String {
    let words: Vec<&str> = words.iter().map(AsRef::as_ref).collect();
    match words.split_last() {
        None => String::new(),
        Some((last, [])) => (*last).to_owned(),
        Some((last, rest)) => format!("{} {joiner} {last}", rest.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_word_is_one_that_can_be_meant() {
        let known = ["depends-on", "drift", "name"];
        assert_eq!(nearest("depend-on", known), Some("depends-on"));
        assert_eq!(nearest("nmae", known), Some("name"));
        assert_eq!(nearest("x", known), None);
        assert_eq!(nearest("replicas", known), None);
    }

    #[test]
    fn words_are_joined_as_a_sentence_has_them() {
        assert_eq!(either(&["a", "b", "c"], "or"), "a, b or c");
        assert_eq!(either(&["a"], "or"), "a");
    }
}
