//! Conflicts as values and as the API words them (R-SSA-15).

use std::fmt::Write as _;

use super::entry::ManagerId;
use crate::object::fieldset::{Path, Set};

/// A field that another manager holds and that an apply would change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conflict {
    /// The manager as messages show it: `"helm"`, or `"kubectl" using apps/v1`.
    pub manager: String,
    /// Which field.
    pub path: Path,
}

/// All conflicts of one apply, by manager, each manager's in the order of its set. (Upstream lists
/// the managers in no order in the causes, and sorted in the message.)
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Conflicts(pub Vec<Conflict>);

impl Conflicts {
    pub(super) fn of(mut sets: Vec<(ManagerId, Set)>) -> Self {
        sets.sort_by(|a, b| a.0.cmp(&b.0));
        let mut all = Vec::new();
        for (id, set) in sets {
            set.each(|path| all.push(Conflict { manager: id.shown(), path: path.clone() }));
        }
        Self(all)
    }

    /// The fields in conflict, whoever holds them.
    pub(super) fn fields(&self) -> Set {
        self.0.iter().map(|c| c.path.clone()).collect()
    }

    /// The message of the 409.
    #[must_use]
    pub fn message(&self) -> String {
        if let [one] = self.0.as_slice() {
            let Conflict { manager, path } = one;
            return format!("Apply failed with 1 conflict: conflict with {manager}: {path}");
        }
        let mut text = format!("Apply failed with {} conflicts: ", self.0.len());
        let mut last = "";
        for (at, Conflict { manager, path }) in self.0.iter().enumerate() {
            let line = if at == 0 { "" } else { "\n" };
            // Writing to a String does not fail.
            if manager != last {
                let _ = write!(text, "{line}conflicts with {manager}:\n- {path}");
            } else {
                let _ = write!(text, "{line}- {path}");
            }
            last = manager;
        }
        text
    }

    /// The causes of the 409, all of reason `FieldManagerConflict`: field and message.
    pub fn causes(&self) -> impl Iterator<Item = (String, String)> {
        self.0.iter().map(|c| (c.path.to_string(), format!("conflict with {}", c.manager)))
    }
}
