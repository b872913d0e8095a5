//! `towtank try` on manifests of public projects as they were published. They are not part of the
//! repository: `TOWTANK_SHARED`, else `../shared`, holds them, and without it the test is skipped.

use std::path::{Path, PathBuf};

use towtank::lab::run::{Options, run};
use towtank::lab::trial;
use towtank::record::{Clock, PushEnd, ReturnKind, Verdict};

/// What trying a folder comes to.
enum Want {
    /// Deployed, bumped, drifted, broken and rolled back.
    All,
    /// Deployed; the description says that this could not be tried.
    Part(&'static str),
    /// Refused, with this in the message.
    Missing(&'static str),
}

use Want::{All, Missing, Part};

const FOLDERS: &[(&str, &str, Want)] = &[
    ("podinfo", "kustomize", All),
    ("podinfo", "deploy/webapp", All),
    ("podinfo", "deploy/secure/backend", All),
    ("podinfo", "deploy/secure/common", Missing("\"ClusterIssuer\" in \"cert-manager.io/v1\"")),
    ("microservices-demo", "kustomize", All),
    ("microservices-demo", "kustomize/base", All),
    ("microservices-demo", "kubernetes-manifests", All),
    ("microservices-demo", "release", Missing("\"VirtualService\" in \"networking.istio.io")),
    ("microservices-demo", "kustomize/components/network-policies", Part("image bump")),
    ("flux2-kustomize-helm-example", "apps/staging", Missing("Flux")),
    ("flux2-kustomize-helm-example", "clusters/production", Missing("Flux")),
    ("flux2-multi-tenancy", "tenants/base/dev-team", Missing("Flux")),
];

#[test]
fn published_folders_are_tried_without_a_change_to_them() {
    let Some(data) = data() else {
        println!("skipped: no shared/data beside the repository (TOWTANK_SHARED)");
        return;
    };
    for (repository, path, want) in FOLDERS {
        check(&data.join(repository), path, want);
    }
}

fn data() -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared");
    let shared = std::env::var_os("TOWTANK_SHARED").map_or(beside, PathBuf::from);
    Some(shared.join("data")).filter(|data| data.is_dir())
}

fn check(folder: &Path, path: &str, want: &Want) {
    let name = folder.join(path).display().to_string();
    let scenario = trial::scenario(folder, path, "tried");
    let scenario = match (scenario, want) {
        (Err(problems), Missing(text)) => {
            assert!(problems.to_string().contains(text), "{name}: {problems}");
            return;
        }
        (Ok(_), Missing(text)) => panic!("{name}: deployed, though it needs {text}"),
        (Err(problems), _) => panic!("{name}: {problems}"),
        (Ok(scenario), _) => scenario,
    };
    let not_tried = scenario.description.split_once("Not tried: ").map(|(_, what)| what.to_owned());
    match want {
        Part(text) => assert!(not_tried.is_some_and(|what| what.contains(text)), "{name}"),
        _ => assert_eq!(not_tried, None, "{name}"),
    }
    let options = Options { seed: 1, clock: Clock::Virtual, ..Options::default() };
    let record = run(&scenario, &options).unwrap_or_else(|error| panic!("{name}: {error}")).record;
    assert_eq!(record.verdict, Verdict::Passed, "{name}: {:#?}", record.failures);
    if matches!(want, All) {
        let ends: Vec<PushEnd> = record.pushes.iter().map(|push| push.end).collect();
        assert_eq!(ends, [PushEnd::Ready, PushEnd::Ready, PushEnd::RolledBack], "{name}");
        let back = record.returns.first().expect("it was rolled back");
        assert!(back.kind == ReturnKind::Rollback && back.healthy, "{name}: {back:?}");
    }
}
