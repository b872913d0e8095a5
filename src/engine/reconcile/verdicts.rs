//! What was found of each object of an App when it was last looked at, so that a change in the
//! cluster costs as much as what it changed, not as much as the App is large.
//!
//! It only remembers; how an object is found is `judge`'s.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::base::Time;
use crate::engine::plan::DesiredSet;
use crate::object::ObjectId;

/// How one object of an App was found.
#[derive(Debug, Default)]
pub(super) struct Verdict {
    /// Not current yet: what is waited for.
    pub(super) waiting: Option<String>,
    /// Its status is older than its spec, or it is not there.
    pub(super) is_unobserved: bool,
    /// It has failed.
    pub(super) failed: Option<String>,
    /// Pods that have not failed yet but will, by uid, and since when.
    pub(super) failing: BTreeMap<String, Time>,
    /// When to look again even if nothing changes.
    pub(super) again: Option<Time>,
    /// The watch has not shown it: what is found may change without it being told of.
    pub(super) is_unseen: bool,
}

/// All that is known of an App's objects.
#[derive(Debug, Default)]
pub(super) struct Verdicts {
    /// What they are about; `None` where nothing is known.
    about: Option<About>,
    /// What is not simply well. What is, is not kept.
    open: BTreeMap<ObjectId, Verdict>,
    /// What changed since it was looked at.
    changed: BTreeSet<ObjectId>,
}

/// What verdicts are about: other objects, another run or the time after it make them void.
#[derive(Clone, Debug)]
pub(super) struct About {
    pub(super) desired: Arc<DesiredSet>,
    pub(super) run: u64,
    pub(super) is_under_way: bool,
}

impl About {
    fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.desired, &other.desired)
            && (self.run, self.is_under_way) == (other.run, other.is_under_way)
    }
}

impl Verdict {
    fn is_settled(&self) -> bool {
        let Self { waiting, is_unobserved, failed, failing, again, is_unseen } = self;
        waiting.is_none()
            && failed.is_none()
            && failing.is_empty()
            && again.is_none()
            && !is_unobserved
            && !is_unseen
    }

    fn is_due(&self, now: Time) -> bool {
        self.is_unseen || self.again.is_some_and(|at| at <= now)
    }
}

impl Verdicts {
    /// Everything has to be looked at again.
    pub(super) fn forget(&mut self) {
        *self = Self::default();
    }

    /// An object, or a pod below it, has changed.
    pub(super) fn changed(&mut self, id: ObjectId) {
        if self.about.is_some() {
            self.changed.insert(id);
        }
    }

    /// What has to be looked at now; it is to be given back to [`Verdicts::found`].
    pub(super) fn due(&mut self, now: Time, about: About) -> Vec<ObjectId> {
        if self.about.as_ref().is_some_and(|known| known.is(&about)) {
            let mut due = std::mem::take(&mut self.changed);
            let open = self.open.iter().filter(|(_, verdict)| verdict.is_due(now));
            due.extend(open.map(|(id, _)| id.clone()));
            return due.into_iter().collect();
        }
        let due = about.desired.objects.keys().cloned().collect();
        *self = Self { about: Some(about), ..Self::default() };
        due
    }

    /// How an object was found.
    pub(super) fn found(&mut self, id: ObjectId, verdict: Verdict) {
        if verdict.is_settled() {
            self.open.remove(&id);
        } else {
            self.open.insert(id, verdict);
        }
    }

    /// What is not simply well, in the order of the ids.
    pub(super) fn open(&self) -> impl Iterator<Item = (&ObjectId, &Verdict)> {
        self.open.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(name: &str) -> ObjectId {
        ObjectId::new("", "Pod", "n", name)
    }

    #[test]
    fn only_what_changed_or_is_due_is_looked_at() {
        let desired = Arc::new(DesiredSet::default());
        let about = |run| About { desired: Arc::clone(&desired), run, is_under_way: true };
        let at = |ms| Time::VIRTUAL_START + std::time::Duration::from_millis(ms);
        let mut verdicts = Verdicts::default();
        verdicts.changed(id("a"));
        assert!(verdicts.due(at(0), about(1)).is_empty(), "nothing is desired");
        verdicts.found(id("a"), Verdict { waiting: Some("x".into()), ..Verdict::default() });
        verdicts.found(id("b"), Verdict { again: Some(at(5)), ..Verdict::default() });
        verdicts.found(id("c"), Verdict::default());
        assert_eq!(verdicts.open().count(), 2);
        verdicts.changed(id("c"));
        assert_eq!(verdicts.due(at(4), about(1)), [id("c")]);
        assert_eq!(verdicts.due(at(5), about(1)), [id("b")]);
        verdicts.found(id("b"), Verdict { is_unseen: true, ..Verdict::default() });
        assert_eq!(verdicts.due(at(5), about(1)), [id("b")]);
        assert!(verdicts.due(at(6), about(2)).is_empty());
        assert_eq!(verdicts.open().count(), 0, "another run knows nothing");
    }
}
