//! The ConfigMaps and Secrets that a pod cannot start without (R-CTL-34), and what a kubelet says
//! of one that is missing.

use std::time::Duration;

use super::AGENT;
use crate::api::{Ids, Informer, Input, Outbox};
use crate::base::Time;
use crate::object::{Gvr, Object, Value};

/// First and longest pause before a volume is tried again, twice as long each time (upstream's
/// figures).
const MOUNT_AGAIN: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(122));

/// The pause before a container whose environment is not there is tried again.
pub(super) const CONFIGURE_AGAIN: Duration = Duration::from_secs(10);

/// Volumes of tokens are there whatever is in them: no process reads them here.
const TOKENS: &str = "kube-api-access-";

/// The ConfigMaps and Secrets of the cluster.
#[derive(Debug)]
pub(super) struct Sources {
    config_maps: Informer,
    secrets: Informer,
}

impl Default for Sources {
    fn default() -> Self {
        let informer = |plural| Informer::new(Gvr::new("", "v1", plural), "", AGENT);
        Self { config_maps: informer("configmaps"), secrets: informer("secrets") }
    }
}

impl Sources {
    pub(super) fn start(&mut self, ids: &mut Ids, out: &mut Outbox) {
        self.config_maps.start(ids, out);
        self.secrets.start(ids, out);
    }

    pub(super) fn take(&mut self, now: Time, input: &Input, ids: &mut Ids, out: &mut Outbox) {
        self.config_maps.take(now, input, ids, out);
        self.secrets.take(now, input, ids, out);
    }

    /// What is missing of a reference, in a kubelet's words; `None` where it is there.
    fn missing(&self, namespace: &str, reference: &Reference, of_volume: bool) -> Option<String> {
        let (informer, word, kind) = match reference.kind {
            Kind::ConfigMap => (&self.config_maps, "configmap", "ConfigMap"),
            Kind::Secret => (&self.secrets, "secret", "Secret"),
        };
        let name = &reference.name;
        let Some(object) = informer.get(namespace, name) else {
            return Some(format!("{word} {name:?} not found"));
        };
        let has = |key: &&String| {
            ["data", "binaryData"].iter().any(|part| object.at(&[part, key.as_str()]).is_some())
        };
        let key = reference.keys.iter().find(|key| !has(key))?;
        let config = if reference.kind == Kind::ConfigMap { "config" } else { "secret" };
        Some(if of_volume {
            format!("references non-existent {config} key: {key}")
        } else {
            format!("couldn't find key {key} in {kind} {namespace}/{name}")
        })
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    ConfigMap,
    Secret,
}

/// A ConfigMap or Secret that has to be there, with these keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Reference {
    kind: Kind,
    name: String,
    keys: Vec<String>,
}

impl Reference {
    fn read(kind: Kind, value: &Value, name: &str) -> Option<Self> {
        if value["optional"] == true {
            return None;
        }
        let name = value[name].as_str()?.to_owned();
        let items = value["items"].as_array().map_or(&[][..], Vec::as_slice).iter();
        let own = value["key"].as_str().into_iter();
        let keys = items.filter_map(|item| item["key"].as_str()).chain(own);
        Some(Self { kind, name, keys: keys.map(ToOwned::to_owned).collect() })
    }
}

/// The volumes of a pod that need something, with their names.
pub(super) fn of_volumes(pod: &Object) -> Vec<(String, Reference)> {
    let mut found = Vec::new();
    for volume in pod.list(&["spec", "volumes"]) {
        let name = volume["name"].as_str().unwrap_or_default();
        if name.starts_with(TOKENS) {
            continue;
        }
        let projected = volume["projected"]["sources"].as_array().map_or(&[][..], Vec::as_slice);
        let references = [
            Reference::read(Kind::ConfigMap, &volume["configMap"], "name"),
            Reference::read(Kind::Secret, &volume["secret"], "secretName"),
        ];
        let projected = projected.iter().flat_map(|source| {
            [
                Reference::read(Kind::ConfigMap, &source["configMap"], "name"),
                Reference::read(Kind::Secret, &source["secret"], "name"),
            ]
        });
        let all = references.into_iter().chain(projected).flatten();
        found.extend(all.map(|reference| (name.to_owned(), reference)));
    }
    found
}

/// What the environment of a container needs.
pub(super) fn of_environment(container: &Value) -> Vec<Reference> {
    let list = |key: &str| container[key].as_array().cloned().unwrap_or_default();
    let whole = list("envFrom");
    let whole = whole.iter().flat_map(|from| {
        [
            Reference::read(Kind::ConfigMap, &from["configMapRef"], "name"),
            Reference::read(Kind::Secret, &from["secretRef"], "name"),
        ]
    });
    let single = list("env");
    let single = single.iter().flat_map(|variable| {
        let from = &variable["valueFrom"];
        [
            Reference::read(Kind::ConfigMap, &from["configMapKeyRef"], "name"),
            Reference::read(Kind::Secret, &from["secretKeyRef"], "name"),
        ]
    });
    whole.chain(single).flatten().collect()
}

/// What the first reference of an environment that is missing makes a kubelet say.
pub(super) fn missing_of_environment(
    sources: &Sources,
    namespace: &str,
    references: &[Reference],
) -> Option<String> {
    references.iter().find_map(|reference| sources.missing(namespace, reference, false))
}

/// The volumes of a pod on their way to being mounted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Mounts {
    volumes: Vec<(String, Reference)>,
    failures: u32,
    /// When it is tried again.
    pub(super) retry_at: Option<Time>,
}

impl Mounts {
    pub(super) fn of(pod: &Object) -> Self {
        Self { volumes: of_volumes(pod), ..Self::default() }
    }

    pub(super) fn is_done(&self) -> bool {
        self.volumes.is_empty()
    }

    /// Tries to mount what is not; what a kubelet says of the first that it cannot.
    pub(super) fn mount(
        &mut self,
        now: Time,
        namespace: &str,
        sources: &Sources,
    ) -> Option<String> {
        if self.retry_at.is_some_and(|at| at > now) {
            return None;
        }
        let first = self.volumes.iter().find_map(|(volume, reference)| {
            let missing = sources.missing(namespace, reference, true)?;
            Some(format!("MountVolume.SetUp failed for volume {volume:?} : {missing}"))
        });
        self.volumes.retain(|(_, reference)| sources.missing(namespace, reference, true).is_some());
        self.retry_at = first.as_ref().map(|_| {
            let pause = MOUNT_AGAIN.0.saturating_mul(1 << self.failures.min(10));
            self.failures += 1;
            now + pause.min(MOUNT_AGAIN.1)
        });
        first
    }
}
