//! What the lab itself asks of a run, beside what a scenario says and a user chooses: nothing,
//! unless a run is one of many (`lab::explore`) or stands for what nobody disturbed
//! (`lab::check::undisturbed`).

use crate::base::Bug;
use crate::lab::check::{Footprint, References};

/// What is asked, and what is handed back.
#[derive(Debug, Default)]
pub(in crate::lab) struct Within {
    /// The engine or the server is wrong on purpose.
    pub(in crate::lab) bug: Option<Bug>,
    /// What undisturbed runs came to; grows.
    pub(in crate::lab) references: References,
    /// The run is itself such a run: it is held against none, and leaves its footprint.
    pub(in crate::lab) is_reference: bool,
    /// What the run left in the cluster, of a reference that came to its end.
    pub(in crate::lab) footprint: Option<Footprint>,
    /// Whether nobody reads the events: `raw` of the finished run stays empty.
    pub(in crate::lab) without_raw: bool,
}
