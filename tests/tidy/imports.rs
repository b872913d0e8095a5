//! Who may import whom. The table is the design: a new arrow is a design change, in a commit of
//! its own.

use crate::lexer::{Named, module_of, named};
use crate::tree::{Finding, Tree};

/// A module of the root and those it may import besides itself.
const TABLE: &[(&str, &[&str])] = &[
    ("base", &[]),
    ("object", &["base"]),
    ("fields", &["object", "base"]),
    ("api", &["object", "base"]),
    ("record", &["base"]),
    ("engine", &["api", "object", "base"]),
    ("sim", &["api", "fields", "object", "base"]),
    ("serve", &["sim", "api", "object", "base"]),
    ("lab", &["engine", "sim", "serve", "record", "api", "object", "base"]),
    ("report", &["record", "base"]),
    (
        "cli",
        &["lab", "report", "serve", "engine", "sim", "record", "fields", "api", "object", "base"],
    ),
];

/// Where the network, processes and an async runtime may be.
const SHELLS: &[&str] =
    &["src/api/http.rs", "src/api/http/", "src/serve/", "src/lab/backend", "src/cli/"];

/// Outside crates that have a place of their own; a path is allowed by its beginning.
const PLACES: &[(&str, &[&str])] = &[
    ("tokio", SHELLS),
    ("tokio_rustls", SHELLS),
    ("rustls", SHELLS),
    ("hyper", SHELLS),
    ("hyper_util", SHELLS),
    ("tower", SHELLS),
    ("kube", SHELLS),
    ("k8s_openapi", SHELLS),
    ("gix", &["src/engine/source", "src/lab/world", "src/lab/backend"]),
    ("granit_parser", &["src/object/yaml/"]),
    ("clap", &["src/cli/"]),
    ("minijinja", &["src/report/"]),
    ("quick_junit", &["src/report/"]),
    ("rand_chacha", &["src/base/rng.rs"]),
];

/// The layers.
pub(crate) fn layers(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in tree.sources() {
        let own = module_of(path);
        let own = own.first().map(String::as_str);
        let allowed = own.and_then(|own| TABLE.iter().find(|(module, _)| *module == own));
        match (own, allowed) {
            (Some(own), None) if path.contains('/') && path != "src/main.rs" => {
                findings.push(Finding::new(
                    path,
                    1,
                    format!("`{own}` is not in the import table: add it to the design first"),
                ));
            }
            (Some(own), Some((_, allowed))) => {
                findings
                    .extend(named(path, text).iter().filter_map(|n| layer(path, own, allowed, n)));
            }
            // The root names every module and imports none.
            _ if path == "src/main.rs" => {
                findings.extend(named(path, text).iter().filter_map(|n| main(path, n)));
            }
            _ => {}
        }
    }
    findings
}

fn layer(path: &str, own: &str, allowed: &[&str], named: &Named) -> Option<Finding> {
    let target = crate_path(named)?.first()?.as_str();
    if target == own || allowed.contains(&target) {
        return None;
    }
    let what = if TABLE.iter().any(|(module, _)| *module == target) {
        format!(
            "`{own}` may not import `{target}`: move what is shared down to {}, or pass it as a value",
            if allowed.is_empty() { "where it is used".to_owned() } else { allowed.join(", ") }
        )
    } else {
        format!("`crate::{target}`: the root re-exports nothing for us, name the module")
    };
    Some(Finding::new(path, named.line, what))
}

fn main(path: &str, named: &Named) -> Option<Finding> {
    let [first, second, ..] = named.path.as_slice() else { return None };
    let wrong = first == "towtank" && second != "cli";
    let what = format!("`towtank::{second}`: main calls cli and maps its outcome, nothing else");
    wrong.then(|| Finding::new(path, named.line, what))
}

/// What is named in this crate, from its root.
fn crate_path(named: &Named) -> Option<&[String]> {
    let (first, rest) = named.path.split_first()?;
    (first == "crate").then_some(rest)
}

/// Stages of the engine know only the model; controllers and pods know nothing of `sim`; the
/// store knows neither its neighbours nor schemas. What only tests look at is not counted.
pub(crate) fn siblings(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in tree.sources() {
        let own = module_of(path);
        let [area, part, ..] = own.as_slice() else { continue };
        let rule = match (area.as_str(), part.as_str()) {
            ("engine", "reconcile") => continue,
            ("engine", _) => stage,
            ("sim", "controllers" | "pods" | "store") => part_of_sim,
            _ => continue,
        };
        for named in named(path, text).iter().filter(|named| !named.test) {
            let Some(target) = crate_path(named) else { continue };
            if let Some(what) = rule(part, target) {
                findings.push(Finding::new(path, named.line, what));
            }
        }
    }
    findings
}

fn stage(own: &str, target: &[String]) -> Option<String> {
    let [area, part, ..] = target else { return None };
    if area != "engine" || part == own || part == "model" {
        return None;
    }
    let what =
        "stages know `engine::model` and never each other, reconcile.rs alone knows the order";
    Some(format!("`engine::{part}` in `engine::{own}`: {what}"))
}

fn part_of_sim(own: &str, target: &[String]) -> Option<String> {
    let [area, part, ..] = target else { return None };
    match (own, area.as_str(), part.as_str()) {
        ("store", "object", "schema") => {
            Some("the store knows no schemas: take what it needs as a value".to_owned())
        }
        (_, "sim", part) if part != own => Some(format!(
            "`sim::{part}` in `sim::{own}`: it knows nothing else of `sim`; world.rs puts them together"
        )),
        _ => None,
    }
}

/// Outside crates stay in their place.
pub(crate) fn crates(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in tree.sources() {
        for named in named(path, text) {
            let place = PLACES
                .iter()
                .find(|(name, _)| Some(*name) == named.path.first().map(String::as_str));
            let Some((name, places)) = place else { continue };
            if !places.iter().any(|place| path.starts_with(place)) {
                let what = format!("`{name}` belongs in {}", places.join(", "));
                findings.push(Finding::new(path, named.line, what));
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::check;

    #[test]
    fn an_import_that_points_up_is_refused() {
        check(
            layers,
            &[
                ("src/lib.rs", "pub mod base;\npub mod cli;"),
                ("src/main.rs", "fn main() { towtank::cli::run() }"),
                (
                    "src/engine/plan/mod.rs",
                    "use crate::{api::Request, base::Time};\nuse super::model;",
                ),
            ],
            &[
                ("src/api/mod.rs", "//! x\nuse crate::fields::Set;"),
                (
                    "src/engine/plan/mod.rs",
                    "use crate::api::Verb;\nfn f() { super::super::sim::go() }",
                ),
                ("src/main.rs", "use towtank::lab;"),
                ("src/object/gvk.rs", "#[cfg(test)]\nmod tests {\n use crate::api::Verb; }"),
                ("src/record/a.rs", "use crate::Thing;"),
                ("src/utils/mod.rs", "fn f() {}"),
            ],
            &[
                ("src/api/mod.rs", 2),
                ("src/engine/plan/mod.rs", 2),
                ("src/main.rs", 1),
                ("src/object/gvk.rs", 3),
                ("src/record/a.rs", 1),
                ("src/utils/mod.rs", 1),
            ],
        );
    }

    #[test]
    fn a_stage_that_knows_another_is_refused() {
        check(
            siblings,
            &[
                ("src/engine/reconcile.rs", "use super::{plan, apply};"),
                ("src/engine/reconcile/drift.rs", "use crate::engine::plan;"),
                ("src/engine/plan/a.rs", "use super::b; use crate::engine::model::App;"),
                ("src/engine/mod.rs", "pub use plan::Plan;"),
                ("src/sim/world.rs", "use super::store::Store;"),
                ("src/sim/pods/a.rs", "#[cfg(test)] mod tests { use crate::sim::store; }"),
            ],
            &[
                ("src/engine/apply.rs", "use super::plan::Plan;"),
                ("src/engine/health/a.rs", "use crate::engine::App;"),
                ("src/sim/controllers/job.rs", "use crate::sim::pods::Pod;"),
                ("src/sim/store/mod.rs", "use crate::object::schema;\nuse super::rest;"),
            ],
            &[
                ("src/engine/apply.rs", 1),
                ("src/engine/health/a.rs", 1),
                ("src/sim/controllers/job.rs", 1),
                ("src/sim/store/mod.rs", 1),
                ("src/sim/store/mod.rs", 2),
            ],
        );
    }

    #[test]
    fn an_outside_crate_out_of_its_place_is_refused() {
        check(
            crates,
            &[
                ("src/serve/mod.rs", "use tokio::net;"),
                ("src/lab/backend/kind.rs", "fn f() { kube::Client::new() }"),
                ("src/engine/source/mod.rs", "use gix::Repository;"),
                ("src/sim/a.rs", "fn f(x: X) { x.tokio::<u8>() }"),
            ],
            &[
                ("src/engine/plan.rs", "use granit_parser::Parser;"),
                ("src/lab/run.rs", "fn f() {\n tokio::spawn(g()) }"),
            ],
            &[("src/engine/plan.rs", 1), ("src/lab/run.rs", 2)],
        );
    }
}
