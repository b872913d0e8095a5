//! What a world is made of, and how a request that it handled is named.

use super::Handled;
use crate::api::Payload;
use crate::object::schema::KindInfo;
use crate::object::{Name, ObjectId};
use crate::sim::controllers::{Served, Settings};
use crate::sim::stages::Stage;

/// What there is in a cluster besides the API server.
#[derive(Clone, Debug)]
pub struct Parts {
    /// kube-controller-manager and what it is told; `None` where there is none.
    pub controllers: Option<Settings>,
    /// kube-scheduler.
    pub scheduler: bool,
    /// Nodes; with none nothing plays pods.
    pub nodes: usize,
    /// What becomes of objects whose controllers are not there, before what is built in; `None`
    /// where nothing does.
    pub stages: Option<Vec<Stage>>,
}

impl Parts {
    /// The API server alone, as in envtest.
    pub const NONE: Parts = Parts { controllers: None, scheduler: false, nodes: 0, stages: None };

    /// Everything that a cluster comes with, with so many nodes.
    #[must_use]
    pub fn all(nodes: usize) -> Self {
        Self { controllers: Some(Settings::default()), scheduler: true, nodes, stages: None }
    }

    /// The same, and what becomes of objects whose controllers are not there.
    #[must_use]
    pub fn staged(nodes: usize, stages: Vec<Stage>) -> Self {
        Self { stages: Some(stages), ..Self::all(nodes) }
    }
}

impl Handled {
    /// What the request was about, as reports write it.
    #[must_use]
    pub fn object(&self) -> String {
        let request = &self.request;
        let kind = crate::object::schema::builtin().resource(&request.resource);
        let named = request.body.as_ref().and_then(|body| body["metadata"]["name"].as_str());
        let id = ObjectId::new(
            request.resource.group.clone(),
            kind.map_or_else(|| self.custom_kind(), |k| k.gvk.kind.clone()),
            request.namespace.clone().unwrap_or_default(),
            request.name.as_deref().or(named).unwrap_or("*"),
        );
        match &request.subresource {
            Some(subresource) => format!("{id}/{subresource}"),
            None => id.to_string(),
        }
    }

    /// The kind of a custom resource, as far as what was sent or answered says it.
    fn custom_kind(&self) -> Name {
        let answered = match &self.response.payload {
            Payload::Object(object) => object.kind(),
            _ => "",
        };
        let sent = self.request.body.as_ref().and_then(|body| body["kind"].as_str());
        match Some(answered).filter(|kind| !kind.is_empty()).or(sent) {
            Some(kind) => kind.to_owned().into(),
            None => self.request.resource.plural.clone(),
        }
    }
}

/// What the server serves, as the controllers that go through all kinds want it.
#[must_use]
pub fn served() -> Vec<Served> {
    let kinds = crate::object::schema::builtin().kinds();
    let can = |kind: &&KindInfo, wanted: &str| kind.verbs.iter().any(|verb| verb == wanted);
    let followed = kinds.filter(|kind| can(kind, "list") && can(kind, "watch"));
    followed
        .map(|kind| Served {
            resource: kind.gvr.clone(),
            kind: kind.gvk.kind.clone(),
            namespaced: kind.namespaced,
        })
        .collect()
}
