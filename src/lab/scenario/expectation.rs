//! What a step of a scenario expects, as plain values. Judging it is `lab::check`.

use std::fmt;
use std::time::Duration;

use super::duration;
use super::model::{ObjectRef, Placed, Position, Rev};
use crate::object::Value;

/// One expectation and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Expectation {
    /// Where it stands.
    pub at: Position,
    /// What is expected.
    pub expected: Expected,
}

/// What is expected. Where `within` is `None`, it is to hold at the end of the step.
#[derive(Clone, Debug, PartialEq)]
pub enum Expected {
    /// An App comes to a state.
    State(StateExpectation),
    /// An App does not come to a state before the step ends.
    NeverState {
        /// The App.
        app: Placed<String>,
        /// The state.
        state: State,
    },
    /// An object comes to look like this.
    Object {
        /// The object.
        object: ObjectRef,
        /// How it is to be.
        state: ObjectState,
        /// By when, from the step's start.
        within: Option<Duration>,
        /// How long it then stays so, from when it first is.
        hold: Option<Duration>,
    },
    /// An object does not come to look like this before the step ends.
    NeverObject {
        /// The object.
        object: ObjectRef,
        /// How it is never to be.
        state: ObjectState,
    },
    /// The engine gets along with few API requests in this step.
    Requests {
        /// Count only those that were made for this App.
        app: Option<Placed<String>>,
        /// The most that there may be.
        at_most: u64,
    },
    /// The engine wrote a Git note.
    Note {
        /// The commit that it is attached to.
        on: Placed<Rev>,
        /// Text that it contains.
        contains: String,
        /// By when, from the step's start.
        within: Option<Duration>,
    },
    /// The engine wrote a Kubernetes Event.
    Event {
        /// The App that it is about.
        app: Placed<String>,
        /// Its `reason`.
        reason: String,
        /// By when, from the step's start.
        within: Option<Duration>,
    },
}

/// An App comes to a state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StateExpectation {
    /// The App.
    pub app: Placed<String>,
    /// The state.
    pub state: State,
    /// By when.
    pub within: Option<Duration>,
    /// What `within` counts from; `None`: the step's start.
    pub after: Option<Moment>,
    /// How long the state then lasts, from when it is first reached.
    pub hold: Option<Duration>,
    /// For `rolled-back` and `reverted`: what the App is back at.
    pub to: Option<Placed<Target>>,
    /// For `failed`: text that the reason contains.
    pub because: Option<String>,
}

/// How an object is to be.
#[derive(Clone, Debug, PartialEq)]
pub enum ObjectState {
    /// It has these fields, whatever else it has. An item of a list stands for the item with the
    /// same `name` if it has one, else for the one at its place.
    Has(Value),
    /// There is none.
    Absent,
}

/// What an App is back at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// The commit that was last ready before the one that failed.
    Previous,
    /// This commit, or one with the same tree.
    Rev(Rev),
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Target::Previous => f.write_str("previous"),
            Target::Rev(rev) => rev.fmt(f),
        }
    }
}

/// What can become of an App.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// A revision is applied and healthy.
    Ready,
    /// A revision failed.
    Failed,
    /// The last good revision is applied and healthy again.
    RolledBack,
    /// A commit that takes the failed one back was pushed by the engine.
    Reverted,
    /// A failed revision was left as it is.
    Held,
    /// Drift was written back.
    Corrected,
    /// Drift was told and left.
    Reported,
    /// A newer revision took over from one that was still waiting.
    Preempted,
}

impl State {
    /// All of them, in the order of documentation.
    pub const ALL: [State; 8] = [
        State::Ready,
        State::Failed,
        State::RolledBack,
        State::Reverted,
        State::Held,
        State::Corrected,
        State::Reported,
        State::Preempted,
    ];

    /// Its word in a scenario.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            State::Ready => "ready",
            State::Failed => "failed",
            State::RolledBack => "rolled-back",
            State::Reverted => "reverted",
            State::Held => "held",
            State::Corrected => "corrected",
            State::Reported => "reported",
            State::Preempted => "preempted",
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// An event of an App in the step that a time can be counted from: its first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Moment {
    /// The App came to a state.
    State(State),
    /// The engine heard of the commit.
    Noticed,
    /// All of the commit's objects are written.
    Applied,
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Moment::State(state) => state.fmt(f),
            Moment::Noticed => f.write_str("noticed"),
            Moment::Applied => f.write_str("applied"),
        }
    }
}

/// What is expected, on one line.
impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Expected::State(expected) => expected.fmt(f),
            Expected::NeverState { app, state } => write!(f, "{app} is never {state}"),
            Expected::Object { object, state, within, hold } => {
                write!(f, "{object} {state}{}", Times { within, after: &None, hold })
            }
            Expected::NeverObject { object, state } => write!(f, "never: {object} {state}"),
            Expected::Requests { app, at_most } => {
                let app = app.as_ref().map(|a| format!(" for {a}")).unwrap_or_default();
                write!(f, "at most {at_most} requests{app}")
            }
            Expected::Note { on, contains, within } => {
                write!(f, "note on {on} contains {contains:?}")?;
                write!(f, "{}", Times { within, after: &None, hold: &None })
            }
            Expected::Event { app, reason, within } => {
                write!(f, "event {reason} of {app}")?;
                write!(f, "{}", Times { within, after: &None, hold: &None })
            }
        }
    }
}

impl fmt::Display for StateExpectation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.app, self.state)?;
        if let Some(to) = &self.to {
            write!(f, " to {to}")?;
        }
        if let Some(text) = &self.because {
            write!(f, " because {text:?}")?;
        }
        write!(f, "{}", Times { within: &self.within, after: &self.after, hold: &self.hold })
    }
}

impl fmt::Display for ObjectState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ObjectState::Has(value) => write!(f, "has {value}"),
            ObjectState::Absent => f.write_str("is absent"),
        }
    }
}

/// The times of an expectation, with a blank before each.
struct Times<'a> {
    within: &'a Option<Duration>,
    after: &'a Option<Moment>,
    hold: &'a Option<Duration>,
}

impl fmt::Display for Times<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(time) = self.within {
            write!(f, " within {}", duration::show(*time))?;
        }
        if let Some(moment) = self.after {
            write!(f, " after {moment}")?;
        }
        if let Some(time) = self.hold {
            write!(f, " for {}", duration::show(*time))?;
        }
        Ok(())
    }
}
