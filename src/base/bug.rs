//! Deliberate bugs, to try whether chaos finds bugs at all: `towtank chaos --mutants`.
//!
//! A part that can have one holds an `Option<Bug>` that is `None` in every run but those; it is
//! looked at where the bug would sit. Nothing else may set it, and no scenario can.

/// One wrong thing to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Bug {
    /// The engine takes an apply that failed for a passing reason for done.
    ForgetsRetry,
    /// The engine takes a deletion that failed for a passing reason for done.
    ForgetsPrune,
    /// The engine applies what a commit adds before the inventory names it.
    InventoryLate,
    /// The engine does not look for drift of an object that is gone.
    BlindToDeletion,
    /// The engine takes an object made anew by somebody for its own.
    TakesReplacement,
    /// The engine corrects drift by what was ready last, not by what was applied last.
    CorrectsStale,
    /// The engine applies without force: a field that somebody else applied stays theirs.
    Timid,
    /// The engine applies what it finds in the labels of a live object as its own.
    Greedy,
    /// A cache resumes from the newest revision when its watch ended, not from the last it saw.
    SkipsGap,
    /// A cache takes a 410 for the end of a watch and does not list anew.
    NoRelist,
    /// The API server acknowledges every fifth write of a client and does not store it.
    LosesWrite,
    /// The API server leaves out the first event of a watch that resumes.
    LosesEvent,
}

impl Bug {
    /// All of them.
    pub const ALL: [Bug; 12] = [
        Bug::ForgetsRetry,
        Bug::ForgetsPrune,
        Bug::InventoryLate,
        Bug::BlindToDeletion,
        Bug::TakesReplacement,
        Bug::CorrectsStale,
        Bug::Timid,
        Bug::Greedy,
        Bug::SkipsGap,
        Bug::NoRelist,
        Bug::LosesWrite,
        Bug::LosesEvent,
    ];

    /// What is wrong, in a table.
    #[must_use]
    pub const fn what(self) -> &'static str {
        match self {
            Bug::ForgetsRetry => "engine: an apply that failed in passing counts as done",
            Bug::ForgetsPrune => "engine: a deletion that failed in passing counts as done",
            Bug::InventoryLate => "engine: objects are applied before the inventory names them",
            Bug::BlindToDeletion => "engine: a deleted object is not drift",
            Bug::TakesReplacement => "engine: an object made anew by somebody is not drift",
            Bug::CorrectsStale => {
                "engine: drift is corrected by what was ready last, not applied last"
            }
            Bug::Timid => "engine: applies do not force",
            Bug::Greedy => "engine: labels of others are applied as its own",
            Bug::SkipsGap => "watch: resumed from the newest revision, not from the last one seen",
            Bug::NoRelist => "watch: 410 is not answered by a new list",
            Bug::LosesWrite => "server: every fifth write from outside is acknowledged and lost",
            Bug::LosesEvent => "server: a resumed watch lacks its first event",
        }
    }
}
