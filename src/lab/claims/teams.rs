//! Ten teams that push at the same moment: each to a service of its own, made after the one of the
//! guide. Nobody waits for anybody, and what that saves against doing it by hand is computed.

use std::fmt::Write as _;
use std::path::Path;

use super::figures::{Claim, Row};
use super::guide;
use super::measured::{BY_HAND, PEOPLE, by_hand, settled};
use super::stage::{Stage, is_pushed};
use crate::lab::scenario::model::Repo;
use crate::lab::scenario::{self, Scenario};
use crate::record::in_words;

/// How many teams there are.
const TEAMS: u64 = 10;

/// How often each deploys, for the hours of a week.
const DEPLOYMENTS_A_WEEK: u64 = 10;

/// How much slower the median of ten at once may be than that of one alone, in thousandths: as
/// much as two samples of the same differ.
const SLACK_PER_MILLE: u64 = 100;

/// The tag that each team pushes.
const TAG: &str = "d4a7b9c02e5f61838b5d0f9c1a2e7b6d3f4c8a05";

pub(super) fn ten_teams(stage: &Stage<'_>) -> Result<Claim, String> {
    let command = "towtank claims";
    let together = stage.runs(&scenario(TEAMS)?, command)?;
    let alone = stage.runs(&scenario(1)?, command)?;
    let hand = stage.embedded(&BY_HAND)?;
    let (ten, ten_failed) = together.ready(is_pushed);
    let (one, one_failed) = alone.ready(is_pushed);
    let [whole, _] = by_hand(&hand);
    let ten = Row::of("ten at once: pushed → ready", ten, ten_failed).within(12);
    let one = Row::of("one alone: pushed → ready", one, one_failed);
    let mut claim = Claim {
        number: 9,
        claim: "Ten teams push at once, and nobody waits for anybody.".to_owned(),
        conditions: vec![
            "ten Apps of four objects and three replicas in one repository, ten commits at the \
             same moment"
                .to_owned(),
            "modelled time charges each request and each pod, not the processor that they share"
                .to_owned(),
        ],
        assumptions: vec![
            PEOPLE.to_owned(),
            format!("each team deploys {DEPLOYMENTS_A_WEEK} times a week"),
            "with either way somebody waits until the change is live".to_owned(),
        ],
        ..Claim::default()
    };
    if stage.terms.clock == crate::record::Clock::Real {
        claim.conditions.pop();
    }
    let mut found = Vec::new();
    if let (Some(ten), Some(one)) = (ten.p50_us, one.p50_us) {
        if ten * 1_000 > one * (1_000 + SLACK_PER_MILLE) {
            let (ten, one) = (in_words(ten), in_words(one));
            found.push(format!("half of ten at once took over {ten}, half of one alone {one}"));
        }
        claim.findings.extend(whole.p50_us.map(|hand| saved(hand, ten)));
    }
    claim.rows = vec![ten, one, whole];
    let judged = settled(claim, &[&together, &alone, &hand]);
    Ok(if found.is_empty() || judged.verdict != super::Verdict::Holds {
        judged
    } else {
        judged.judged(&found)
    })
}

/// The hours of a week that the difference comes to.
fn saved(hand_us: u64, push_us: u64) -> String {
    let each = hand_us.saturating_sub(push_us);
    let week = each * TEAMS * DEPLOYMENTS_A_WEEK;
    format!("saves {} a deployment, {} a week for {TEAMS} teams", in_words(each), in_words(week))
}

/// The guide's repository with a service for each team, of which the first `pushers` push.
fn scenario(pushers: u64) -> Result<Scenario, String> {
    let mut text = String::from(
        "name: claim-ten-teams\ndescription: Teams push at the same moment, each to its own service.\n\
         repo: { files: {} }\napps:\n  - { name: infra, path: infra }\n",
    );
    for team in teams() {
        let path = format!("apps/{team}/overlays/production");
        let _ = writeln!(text, "  - {{ name: {team}, path: {path}, depends-on: [infra] }}");
    }
    text.push_str("steps:\n");
    for team in teams().take(usize::try_from(pushers).unwrap_or(0)) {
        let file = format!("apps/{team}/overlays/production/kustomization.yaml");
        let tag = format!("\"images[name=registry.example.com/shop/{team}].newTag\": {TAG}");
        let _ = writeln!(text, "  - push: {{ edit: {{ file: {file}, set: {{ {tag} }} }} }}");
    }
    text.push_str("  - expect:\n");
    for team in teams() {
        let _ = writeln!(text, "      - {{ app: {team}, ready: {{ within: 10m }} }}");
    }
    let read = scenario::parse(Path::new("ten-teams.scenario.yaml"), &text);
    let read = read.map_err(|problems| problems.to_string())?;
    Ok(Scenario { repo: Repo::Files(files()), ..read })
}

fn teams() -> impl Iterator<Item = String> {
    (1..=TEAMS).map(|n| format!("team-{n:02}"))
}

/// The guide's files, and those of its service `cart` once more under the name of each team.
fn files() -> std::collections::BTreeMap<String, String> {
    let guide = guide::files();
    let mut files = guide.clone();
    for team in teams() {
        let cart = guide.iter().filter(|(path, _)| path.starts_with("apps/cart/"));
        files.extend(cart.map(|(path, text)| {
            (path.replacen("/cart/", &format!("/{team}/"), 1), text.replace("cart", &team))
        }));
    }
    files
}
