//! How the program ends: the same codes for every subcommand.

use std::io;
use std::process::ExitCode;

use crate::record::{RunRecord, Verdict};

/// The outcome of a command. Of several the greatest counts: what keeps the others from being
/// trusted comes after them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Exit {
    /// All is as expected (0).
    Ok,
    /// A threshold was exceeded (3).
    Threshold,
    /// A run did not come to rest in its bound (5).
    NotConverged,
    /// An expectation or an oracle failed (1).
    Failed,
    /// The machine did not let the command do its work: a file could not be written (4).
    Environment,
    /// What was typed, or a file that was named, is wrong (2).
    BadInput,
    /// A bug in towtank itself (70).
    Bug,
}

impl Exit {
    /// The code that the process ends with.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Exit::Ok => 0,
            Exit::Failed => 1,
            Exit::BadInput => 2,
            Exit::Threshold => 3,
            Exit::Environment => 4,
            Exit::NotConverged => 5,
            Exit::Bug => 70,
        }
    }

    /// What the records of runs come to.
    #[must_use]
    pub fn of_records(records: &[RunRecord]) -> Self {
        let exits = records.iter().map(|record| match record.verdict {
            Verdict::Passed | Verdict::Skipped { .. } => Exit::Ok,
            Verdict::Failed => Exit::Failed,
            Verdict::NotConverged { .. } => Exit::NotConverged,
        });
        exits.max().unwrap_or(Exit::Ok)
    }

    /// This outcome, or that of its not having been written: a reader that has seen enough
    /// (`| head`) is no failure.
    pub(super) fn or_unwritten(self, written: io::Result<()>) -> Self {
        match written {
            Ok(()) => self,
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Exit::Ok,
            Err(_) => self.max(Exit::Environment),
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        ExitCode::from(exit.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Heading;

    #[test]
    fn the_worst_of_several_records_counts() {
        let record = |verdict| RunRecord {
            verdict,
            ..RunRecord::skipped(Heading::default(), "not started")
        };
        let skipped = || record(Verdict::Skipped { why: String::new() });
        let late = || record(Verdict::NotConverged { why: String::new() });
        assert_eq!(Exit::of_records(&[skipped(), record(Verdict::Passed)]), Exit::Ok);
        assert_eq!(Exit::of_records(&[late(), record(Verdict::Passed)]), Exit::NotConverged);
        assert_eq!(Exit::of_records(&[record(Verdict::Failed), late()]), Exit::Failed);
    }

    #[test]
    fn a_reader_that_has_seen_enough_is_no_failure() {
        let broken = || Err(io::Error::from(io::ErrorKind::BrokenPipe));
        assert_eq!(Exit::Ok.or_unwritten(broken()), Exit::Ok);
        let full = || Err(io::Error::from(io::ErrorKind::StorageFull));
        assert_eq!(Exit::Ok.or_unwritten(full()), Exit::Environment);
        assert_eq!(Exit::Failed.or_unwritten(Ok(())), Exit::Failed);
    }
}
