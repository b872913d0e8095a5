//! The claims that are measured on the repository of the guide, one function each: which scenario,
//! which durations, which bound.

use super::figures::{Claim, Row, not_measured};
use super::stage::{Runs, Stage, is_pushed};
use crate::record::{DriftEnd, PhaseName, PushEnd, ReturnKind};

macro_rules! scenario {
    ($name:literal) => {
        (
            concat!("scenarios/claims/", $name, ".scenario.yaml"),
            include_str!(concat!("../../../scenarios/claims/", $name, ".scenario.yaml")),
        )
    };
}

/// A scenario's file, and its text.
type Text = (&'static str, &'static str);

const PROPAGATES: Text = scenario!("a-change-propagates");
pub(super) const BY_HAND: Text = scenario!("by-hand");
const GOES_BACK: Text = scenario!("a-failed-rollout-goes-back");
const BUILT: Text = scenario!("a-push-is-built-and-deployed");
const DRIFT: Text = scenario!("drift-is-seen");
const REVERT: Text = scenario!("a-revert-is-a-rollback");

/// All of them.
pub(super) const ALL: [Text; 6] = [PROPAGATES, BY_HAND, GOES_BACK, BUILT, DRIFT, REVERT];

/// The repository and what runs from it.
const GUIDE: &str = "four Apps of one repository: three services of four objects and two or three \
                     replicas, rolled out by Kubernetes' defaults, and the infrastructure";

/// What people take, by hand.
pub(super) const PEOPLE: &str = "a person takes 90 s to change the tag, look where the context \
                                 points and type the command, and 60 s to look whether it works";

/// The step of the scenario by hand in which somebody begins, those in which the rollout begins
/// and is over, and the one in which it is known to work.
const HAND: [usize; 4] = [3, 4, 5, 6];

fn claim(number: u32, text: &str) -> Claim {
    let conditions = vec![GUIDE.to_owned()];
    Claim { number, claim: text.to_owned(), conditions, ..Claim::default() }
}

/// The claim where it can be measured here, else what is missing.
pub(super) fn settled(claim: Claim, runs: &[&Runs]) -> Claim {
    if let Some(lacks) = runs.iter().find_map(|runs| runs.lacks.as_deref()) {
        return not_measured(claim.number, &claim.claim, &format!("this cluster gives no {lacks}"));
    }
    let found: Vec<String> = runs.iter().flat_map(|runs| runs.found.iter().cloned()).collect();
    claim.judged(&found)
}

/// From the wish by hand until it is known to work, and of it the rollout.
pub(super) fn by_hand(runs: &Runs) -> [Row; 2] {
    let [begins, rollout, over, known] = HAND;
    let row = |what, from, to| {
        let samples = runs.between(from, to);
        let failed = runs.records.len() - samples.len();
        Row::of(what, samples, failed)
    };
    [
        row("by hand: begun → known to work", begins, known),
        row("  of it kubectl apply → rolled out", rollout, over),
    ]
}

pub(super) fn a_change_propagates(stage: &Stage<'_>) -> Result<Claim, String> {
    let (runs, hand) = (stage.embedded(&PROPAGATES)?, stage.embedded(&BY_HAND)?);
    let (samples, failed) = runs.ready(is_pushed);
    let [whole, rollout] = by_hand(&hand);
    let rows = vec![Row::of("pushed → ready", samples, failed).within(12), whole, rollout];
    let text = "A change propagates within 12 s, where kubectl apply by hand takes about 2 min and \
                another minute to verify.";
    let mut claim = Claim { rows, ..claim(1, text) };
    claim.assumptions.push(PEOPLE.to_owned());
    Ok(settled(claim, &[&runs, &hand]))
}

pub(super) fn a_failed_rollout_goes_back(stage: &Stage<'_>) -> Result<Claim, String> {
    let runs = stage.embedded(&GOES_BACK)?;
    let returns = || runs.records.iter().flat_map(|record| &record.returns);
    let back = returns().filter(|back| back.healthy && back.kind == ReturnKind::Rollback);
    let samples: Vec<u64> = back.map(|back| back.total_us).collect();
    let failed = returns().count() - samples.len();
    let mut rows = vec![Row::of("failure seen → last good healthy", samples, failed).within(10)];
    for (push, what) in [
        ("never ready", "  before: never ready, pushed → seen"),
        ("crashes", "  before: crashes, pushed → seen"),
        ("no such image", "  before: no such image, pushed → seen"),
    ] {
        let is_bad = |end| matches!(end, PushEnd::Failed | PushEnd::RolledBack);
        let (samples, failed) = runs.ended(is_bad, |one| one.summary == push);
        rows.push(Row::of(what, samples, failed));
    }
    let text = "When a rollout fails its health checks, the engine returns to the last good commit \
                by itself in under 10 s, and the story can be read in Git.";
    let mut claim = Claim { rows, ..claim(2, text) };
    claim.conditions.push("a health timeout of 30 s".to_owned());
    claim.findings.push(
        "the notes of each bad commit say what failed, that it was gone back, and to which commit"
            .to_owned(),
    );
    Ok(settled(claim, &[&runs]))
}

pub(super) fn a_push_is_built_and_deployed(stage: &Stage<'_>) -> Result<Claim, String> {
    let runs = stage.embedded(&BUILT)?;
    let (samples, failed) = runs.ready(is_pushed);
    let all = runs.records.iter().flat_map(|record| &record.pushes);
    let pushes = all.filter(|push| push.end == PushEnd::Ready);
    let is_build = |phase: &&crate::record::Phase| phase.phase == PhaseName::Build;
    let builds = pushes.filter_map(|push| Some(push.phases.iter().find(is_build)?.us)).collect();
    let rows = vec![
        Row::of("code pushed → deployed and ready", samples, failed).within(30),
        Row::of("  of it the build", builds, 0),
    ];
    let text = "Push, image build, manifest update, deployed: under 30 s.";
    let mut claim = Claim { rows, ..claim(3, text) };
    claim.assumptions.push(
        "the pipeline takes 12 s from the push of the code to the commit of the tag".to_owned(),
    );
    Ok(settled(claim, &[&runs]))
}

pub(super) fn drift_is_seen(stage: &Stage<'_>) -> Result<Claim, String> {
    let runs = stage.embedded(&DRIFT)?;
    let drifts = || runs.records.iter().flat_map(|record| &record.drifts);
    let ended = |how| drifts().filter(move |drift| drift.end == how);
    let row = |what, how| {
        let samples: Vec<u64> = ended(how).filter_map(|drift| drift.ended_us).collect();
        Row::of(what, samples, 0)
    };
    let (corrected, reported) = (DriftEnd::Corrected, DriftEnd::Reported);
    let lost = drifts().filter(|drift| drift.end != corrected && drift.end != reported).count();
    let mut first = row("written → corrected", corrected);
    first.failed = lost;
    let rows = vec![first, row("written → flagged, left as it is", reported)];
    let text = "Drift is corrected or flagged continuously.";
    let mut claim = Claim { rows, ..claim(4, text) };
    claim.conditions.push(
        "fields patched, replicas scaled, an object deleted, a field taken by another applier"
            .to_owned(),
    );
    Ok(settled(claim, &[&runs]))
}

pub(super) fn a_revert_is_a_rollback(stage: &Stage<'_>) -> Result<Claim, String> {
    let runs = stage.embedded(&REVERT)?;
    let (samples, failed) = runs.ready(|push| push.summary.starts_with("revert"));
    let rows = vec![Row::of("revert pushed → ready as before", samples, failed)];
    let mut claim = Claim { rows, ..claim(5, "A revert in Git is a rollback.") };
    claim.conditions.push("a commit that changed a tag, a count and a setting".to_owned());
    Ok(settled(claim, &[&runs]))
}
