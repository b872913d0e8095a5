//! Faults as a scenario says them, as plain values. Bringing them about is `sim::faults` and
//! `lab::run`.

use std::fmt;

use super::model::Placed;
use crate::sim::faults::{Answer, VerbWord};

/// What goes wrong between the engine and the API server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Every watch of the engine ends; it may open them anew at once.
    WatchDrop,
    /// The server forgets its history and every watch of the engine ends: one that is resumed
    /// where it ended is told 410.
    Compact,
    /// Requests of the engine are answered in the server's place, or in spite of it.
    Answers(Answers),
    /// Faults that have not come true yet do not come any more, nor does a restart of the engine
    /// that waits for its writes.
    End,
}

/// Some of the engine's requests are answered otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answers {
    /// How.
    pub answer: Answer,
    /// What they ask for; `None` for whatever writes.
    pub verb: Option<VerbWord>,
    /// The kind that they are about, in any of its words; `None` for any.
    pub kind: Option<Placed<String>>,
    /// So many of them pass first.
    pub skip: u32,
    /// So many of them are answered.
    pub count: u32,
}

/// What goes wrong, on one line.
impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fault::WatchDrop => f.write_str("watch-drop"),
            Fault::Compact => f.write_str("compact"),
            Fault::End => f.write_str("end"),
            Fault::Answers(answers) => answers.fmt(f),
        }
    }
}

impl fmt::Display for Answers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verb = self.verb.map_or("write", VerbWord::word);
        write!(f, "{} to {} {verb}", self.answer.word(), self.count)?;
        if let Some(kind) = &self.kind {
            write!(f, " of {kind}")?;
        }
        if self.skip > 0 { write!(f, " after {}", self.skip) } else { Ok(()) }
    }
}
