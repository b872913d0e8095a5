//! The ground that needs no folder: a small shop of three Apps, with files that come and go, one
//! that moves from App to App, and one that cannot be deployed.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::ground::{File, Ground, NOWHERE, placed};
use super::things::Thing;
use crate::base::Time;
use crate::engine::model::{App, FailurePolicy};
use crate::engine::{plan, render};
use crate::lab::scenario::Scenario;
use crate::lab::scenario::field;
use crate::lab::scenario::model::{Edit, FieldEdit, GivenApp, Notice, ObjectRef, Repo, World};
use crate::lab::world::git::GitWorld;
use crate::object::{Value, schema};

/// How long a revision may take: many times what one takes that is not disturbed.
const HEALTH_TIMEOUT: Duration = Duration::from_secs(60);

const CART: &str = "\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: cart
  labels: { app: cart, tier: front }
spec:
  replicas: 2
  selector: { matchLabels: { app: cart } }
  template:
    metadata: { labels: { app: cart } }
    spec:
      containers: [{ name: cart, image: shop/cart:1 }]
---
apiVersion: v1
kind: Service
metadata: { name: cart }
spec:
  selector: { app: cart }
  ports: [{ port: 80 }]
";
const CART_CONFIG: &str = "\
apiVersion: v1
kind: ConfigMap
metadata: { name: cart }
data: { level: info, region: eu }
";
const CART_DATA: &str = "{ level: info, region: eu }";
const WEB: &str = "\
apiVersion: apps/v1
kind: Deployment
metadata: { name: web }
spec:
  replicas: 1
  selector: { matchLabels: { app: web } }
  template:
    metadata: { labels: { app: web } }
    spec:
      containers: [{ name: web, image: shop/web:1 }]
";
const SETTINGS: &str = "\
apiVersion: v1
kind: ConfigMap
metadata: { name: settings, labels: { of: base } }
data: { mode: normal }
---
apiVersion: v1
kind: ServiceAccount
metadata: { name: runner }
";
const BROKEN: &str = "a: [\n";

/// The built-in ground.
#[must_use]
pub fn shop() -> Ground {
    let files: BTreeMap<String, String> = [
        ("base/settings.yaml", SETTINGS),
        ("cart/cart.yaml", CART),
        ("cart/config.yaml", CART_CONFIG),
        ("web/web.yaml", WEB),
    ]
    .into_iter()
    .map(|(path, text)| (path.to_owned(), text.to_owned()))
    .collect();
    let apps = vec![app("base", &[]), app("cart", &[]), app("web", &["base"])];
    let optional = optional();
    let things = things(&apps, &files, &optional);
    Ground {
        start: Scenario {
            file: PathBuf::from("chaos.scenario.yaml"),
            name: placed("chaos".to_owned()),
            description: "Made up from a seed.".to_owned(),
            repo: Repo::Files(files),
            world: World { nodes: 2, ..World::default() },
            seed: None,
            needs: Vec::new(),
            remotes: Vec::new(),
            metrics: Vec::new(),
            foreign: Vec::new(),
            notice: Notice::default(),
            apps,
            images: Vec::new(),
            steps: Vec::new(),
        },
        images: vec!["shop/cart".to_owned(), "shop/web".to_owned()],
        edits: edits(),
        files: optional,
        things,
        varies_apps: true,
        last: vec![set("base/settings.yaml", "data.mode", "last".into())],
    }
}

fn app(name: &str, depends_on: &[&str]) -> GivenApp {
    let mut app = App::new(name, name);
    "shop".clone_into(&mut app.namespace);
    app.depends_on = depends_on.iter().map(ToString::to_string).collect();
    app.on_failure = FailurePolicy::Rollback;
    app.health_timeout = HEALTH_TIMEOUT;
    GivenApp { app, at: NOWHERE, depends_on_at: depends_on.iter().map(|_| NOWHERE).collect() }
}

fn config_map(name: &str, value: &str) -> String {
    format!(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {{ name: {name} }}\ndata: {{ is: {value} }}\n"
    )
}

fn optional() -> Vec<File> {
    let file = |path: &str, texts: Vec<String>| File {
        path: path.to_owned(),
        texts,
        is_broken: false,
        instead_of: None,
    };
    let variants = |name: &str| vec![config_map(name, "one"), config_map(name, "two")];
    vec![
        file("cart/extra.yaml", variants("extra")),
        file("base/more.yaml", variants("more")),
        File {
            instead_of: Some("web/shared.yaml"),
            ..file("cart/shared.yaml", variants("shared"))
        },
        File {
            instead_of: Some("cart/shared.yaml"),
            ..file("web/shared.yaml", variants("shared"))
        },
        File { is_broken: true, ..file("cart/broken.yaml", vec![BROKEN.to_owned()]) },
    ]
}

fn set(file: &str, path: &str, value: Value) -> Edit {
    let path = placed(field::parse(path).unwrap_or(field::FieldPath(Vec::new())));
    let fields = vec![FieldEdit { path, value }];
    Edit::Set { file: placed(file.to_owned()), object: None, fields }
}

fn edits() -> Vec<Vec<Edit>> {
    let all = |file: &str, path: &str, values: &[Value]| -> Vec<Edit> {
        values.iter().map(|value| set(file, path, value.clone())).collect()
    };
    let of_cart = |path: &str, values: &[Value]| {
        let mut edits = all("cart/cart.yaml", path, values);
        for edit in &mut edits {
            if let Edit::Set { object, .. } = edit {
                *object = Some(ObjectRef {
                    kind: "deployment".to_owned(),
                    namespace: None,
                    name: "cart".to_owned(),
                    at: NOWHERE,
                });
            }
        }
        edits
    };
    let config = |data: &str| Edit::Write {
        path: placed("cart/config.yaml".to_owned()),
        text: CART_CONFIG.replace(CART_DATA, data),
    };
    vec![
        of_cart("spec.replicas", &[1.into(), 2.into(), 3.into()]),
        of_cart("metadata.labels.tier", &["front".into(), "back".into()]),
        vec![
            config(CART_DATA),
            config("{ level: warn, region: eu }"),
            config("{ level: info }"),
            config("{ region: us, more: \"yes\" }"),
        ],
        all("web/web.yaml", "spec.replicas", &[1.into(), 2.into()]),
    ]
}

/// What all files together render to.
fn things(apps: &[GivenApp], files: &BTreeMap<String, String>, optional: &[File]) -> Vec<Thing> {
    let optional = optional.iter().filter(|file| !file.is_broken);
    let optional = optional.filter(|file| file.path != "web/shared.yaml");
    let optional = optional.filter_map(|file| Some((file.path.clone(), file.texts.first()?)));
    let all = files.iter().map(|(path, text)| (path.clone(), text)).chain(optional);
    let all = all.map(|(path, text)| (path, text.clone().into_bytes())).collect();
    let git = GitWorld::from_files(&all, Time::VIRTUAL_START);
    let Ok(artifact) = git.and_then(|git| git.artifact()) else { return Vec::new() };
    let mut cache = render::ParseCache::default();
    let mut things = Vec::new();
    for GivenApp { app, .. } in apps {
        let rendered = render::render(&artifact.tree, &app.path, &mut cache).map(Arc::new);
        let desired = rendered
            .ok()
            .and_then(|rendered| plan::desired::settle(app, &rendered, schema::builtin()).ok());
        let objects = desired.iter().flat_map(|desired| desired.objects.values());
        things.extend(objects.filter_map(Thing::of));
    }
    things
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shop_has_what_is_to_be_drifted() {
        let ground = shop();
        let names: Vec<String> = ground.things.iter().map(|t| t.object.to_string()).collect();
        assert_eq!(ground.extent(), (3, 9, 2), "{names:?}");
        assert!(ground.things.iter().all(|thing| !thing.changes.is_empty() || thing.is_deletable));
    }
}
