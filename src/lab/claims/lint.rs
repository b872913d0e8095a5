//! The claim about linting: commits to the guide's repository, each with one mistake that people
//! make, and commits that are right, are linted before anything has to do with a cluster.
//!
//! Not here: the lint itself, which is whoever's is handed in (`towtank validate`).

use super::figures::{Claim, Row};
use super::guide;
use crate::base::Time;
use crate::engine::model::Tree;
use crate::lab::world::git::GitWorld;

/// Lints the files of a commit: each finding with its place, in words.
pub type Lint<'a> = dyn Fn(&Tree) -> Result<Vec<String>, String> + 'a;

/// A change of the guide: in which file, what is taken out, what is put there; and where a mistake
/// has to be found.
struct Edit {
    file: &'static str,
    from: &'static str,
    to: &'static str,
    place: &'static str,
}

const fn edit(
    file: &'static str,
    from: &'static str,
    to: &'static str,
    place: &'static str,
) -> Edit {
    Edit { file, from, to, place }
}

const DEPLOYMENT: &str = "apps/cart/base/deployment.yaml";
const OVERLAY: &str = "apps/cart/overlays/production/kustomization.yaml";
const SERVICE: &str = "apps/cart/base/service.yaml";

/// Mistakes, each with where it is.
const MISTAKES: [Edit; 10] = [
    edit(DEPLOYMENT, "progressDeadlineSeconds:", "progressDeadlineSecond:", DEPLOYMENT),
    edit(DEPLOYMENT, "containerPort: 8080", "containerPort: http", DEPLOYMENT),
    edit(DEPLOYMENT, "memory: 64Mi", "memory: 64 MB", DEPLOYMENT),
    edit(DEPLOYMENT, "name: cart\n          image", "name: Cart_1\n          image", DEPLOYMENT),
    edit(DEPLOYMENT, "      containers:\n", "     containers:\n", DEPLOYMENT),
    edit(SERVICE, "port: 80,", "port: 80800,", SERVICE),
    edit(OVERLAY, "../../base", "../../bases", OVERLAY),
    // As a pipeline does that takes the kustomization for the Deployment.
    edit(OVERLAY, "images:", "spec: { template: {} }\nimages:", OVERLAY),
    edit("infra/rbac.yaml", "kind: Role, name", "kind: Rolle, name", "infra/rbac.yaml"),
    edit(
        "infra/cert-manager/certificate.yaml",
        "  secretName: shop-tls\n",
        "",
        "infra/cert-manager/certificate.yaml",
    ),
];

/// Changes that are right.
const SOUND: [Edit; 4] = [
    edit(OVERLAY, "newTag: 6c1f0b7d", "newTag: 7d2e4a98", ""),
    edit(OVERLAY, "count: 3", "count: 5", ""),
    edit(SERVICE, "port: 80,", "port: 8081,", ""),
    edit("infra/rbac.yaml", "[get, list, watch]", "[get, list]", ""),
];

/// Measures the claim.
///
/// # Errors
/// The repository cannot be made or linted: a mistake in this program.
pub(super) fn manifests_are_linted(lint: &Lint<'_>) -> Result<Claim, String> {
    let mut found = Vec::new();
    let mut told = 0;
    for one in &MISTAKES {
        let tree = committed(one)?;
        let findings = lint(&tree)?;
        if findings.iter().any(|finding| finding.contains(one.place)) {
            told += 1;
        } else {
            found.push(format!("{}: {:?} was not told", one.file, one.to.trim()));
        }
    }
    let mut clean = 0;
    for one in &SOUND {
        let tree = committed(one)?;
        match lint(&tree)?.first() {
            None => clean += 1,
            Some(finding) => found.push(format!("nothing is wrong, but it was told: {finding}")),
        }
    }
    let row = |what: &str, all: usize, n: usize| {
        let (what, failed) = (what.to_owned(), all - n);
        Row { what, n, failed, ..Row::default() }
    };
    let claim = Claim {
        number: 8,
        claim: "Manifests are linted at commit time, before they touch a cluster.".to_owned(),
        conditions: vec![
            "commits to the repository of the guide: unknown and missing fields, wrong types, \
             values that a server refuses, YAML that is none, what a kustomization names and is \
             not there, a custom resource against its definition"
                .to_owned(),
            "towtank validate on the files of the commit; no cluster is asked".to_owned(),
        ],
        rows: vec![
            row("one mistake: told with its file", MISTAKES.len(), told),
            row("no mistake: nothing told", SOUND.len(), clean),
        ],
        ..Claim::default()
    };
    Ok(claim.judged(&found))
}

/// The files of the guide after a commit of this change.
fn committed(edit: &Edit) -> Result<std::sync::Arc<Tree>, String> {
    let mut files = guide::files();
    let text = files.get_mut(edit.file).filter(|text| text.contains(edit.from));
    let text = text.ok_or_else(|| format!("{}: there is no {:?}", edit.file, edit.from))?;
    *text = text.replacen(edit.from, edit.to, 1);
    let files = files.into_iter().map(|(path, text)| (path, text.into_bytes())).collect();
    let world = GitWorld::from_files(&files, Time::VIRTUAL_START);
    let artifact = world.and_then(|world| world.artifact()).map_err(|e| e.to_string())?;
    Ok(artifact.tree)
}
