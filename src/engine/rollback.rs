//! What to do about a failed revision: a pure decision from the policy and what is known.

use crate::engine::model::{FailurePolicy, GitId};

/// What is decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Leave it; the reason is for people.
    Hold(&'static str),
    /// Apply this commit again.
    Rollback(GitId),
    /// Push a commit that takes the bad one back.
    Revert,
}

/// What the decision rests on.
#[derive(Clone, Debug)]
pub struct Case<'a> {
    /// The App's policy.
    pub policy: FailurePolicy,
    /// The revision that failed.
    pub bad: &'a str,
    /// The last revision that became ready.
    pub last_good: Option<&'a GitId>,
    /// Whether anything of the bad revision may have reached the cluster.
    pub touched: bool,
    /// Whether just the same was ready before, be it under the name of another commit.
    pub is_good: bool,
    /// Whether what failed was itself a rollback.
    pub is_rollback: bool,
    /// Whether the commit to blame is itself one that the engine pushed to take another back.
    pub is_own: bool,
    /// Whether the commit was taken back already, for another App.
    pub is_reverted: bool,
}

/// Decides.
#[must_use]
pub fn decide(case: &Case<'_>) -> Decision {
    if case.is_rollback {
        return Decision::Hold("the commit that was rolled back to fails as well");
    }
    if case.policy == FailurePolicy::Hold {
        return Decision::Hold("on-failure is hold");
    }
    if !case.touched {
        return Decision::Hold("nothing of it was applied");
    }
    match (case.policy, case.last_good) {
        (_, None) => Decision::Hold("no earlier commit became ready"),
        (_, Some(good)) if case.is_good || good.as_ref() == case.bad => {
            Decision::Hold("this commit was ready before: there is no other to go back to")
        }
        (FailurePolicy::Revert, _) if case.is_own => {
            // Taking it back would bring the other bad commit again, and so on for ever.
            Decision::Hold("this commit takes another one back and fails as well")
        }
        (FailurePolicy::Revert, _) if case.is_reverted => {
            Decision::Hold("the commit is taken back already")
        }
        (FailurePolicy::Revert, _) => Decision::Revert,
        (_, Some(good)) => Decision::Rollback(GitId::clone(good)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_case_has_one_decision() {
        let good: GitId = "good".into();
        let case = |policy, touched, is_rollback, last_good| Case {
            policy,
            bad: "bad",
            last_good,
            touched,
            is_good: false,
            is_rollback,
            is_own: false,
            is_reverted: false,
        };
        let check = |case: Case<'_>, want: Decision| assert_eq!(decide(&case), want, "{case:?}");
        use FailurePolicy::{Hold, Revert, Rollback};
        check(case(Hold, true, false, Some(&good)), Decision::Hold("on-failure is hold"));
        check(case(Rollback, true, false, Some(&good)), Decision::Rollback(good.clone()));
        check(case(Revert, true, false, Some(&good)), Decision::Revert);
        check(
            case(Rollback, true, true, Some(&good)),
            Decision::Hold("the commit that was rolled back to fails as well"),
        );
        check(case(Rollback, true, false, None), Decision::Hold("no earlier commit became ready"));
        check(
            case(Rollback, false, false, Some(&good)),
            Decision::Hold("nothing of it was applied"),
        );
        let same = Case { is_good: true, ..case(Rollback, true, false, Some(&good)) };
        check(
            same,
            Decision::Hold("this commit was ready before: there is no other to go back to"),
        );
        let own = Case { is_own: true, ..case(Revert, true, false, Some(&good)) };
        check(own, Decision::Hold("this commit takes another one back and fails as well"));
        let again = Case { is_reverted: true, ..case(Revert, true, false, Some(&good)) };
        check(again, Decision::Hold("the commit is taken back already"));
    }
}
