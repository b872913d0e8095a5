//! *no acknowledged write lost*: what somebody else wrote, and the API server took, is still there
//! at the end, unless the engine rendered that field, somebody wrote it again, or the object is
//! gone.
//!
//! So a field that nobody renders is left alone, whoever owns it; and a write that was answered
//! with success was stored. Lists are looked at whole.

use std::collections::BTreeMap;

use crate::api::Verb;
use crate::object::{Gvr, Object, Value};
use crate::sim::world::Handled;

/// Where an object is: its resource without a version, namespace and name.
type Place = (String, String, String, String);

/// What others wrote, by object.
#[derive(Debug, Default)]
pub(in crate::lab) struct Kept {
    writes: BTreeMap<Place, Written>,
}

#[derive(Debug)]
struct Written {
    gvr: Gvr,
    uid: String,
    /// Value by path.
    fields: BTreeMap<Vec<String>, Value>,
}

impl Kept {
    /// Somebody other than the engine wrote, and was told that it is done.
    pub(in crate::lab) fn written(&mut self, handled: &Handled) {
        let Some(place) = place(handled) else { return };
        if handled.request.verb == Verb::Delete {
            self.writes.remove(&place);
            return;
        }
        let (Some(body), Some(object)) = (&handled.request.body, handled.response.as_object())
        else {
            return;
        };
        // What is answered to a subresource may be another kind.
        if handled.request.subresource.is_some() {
            return;
        }
        let mut paths = Vec::new();
        leaves(body, &mut Vec::new(), &mut paths);
        let written = self.writes.entry(place).or_insert_with(|| Written {
            gvr: handled.request.resource.clone(),
            uid: object.uid().to_owned(),
            fields: BTreeMap::new(),
        });
        if written.uid != object.uid() {
            object.uid().clone_into(&mut written.uid);
            written.fields.clear();
        }
        // What the same writer, or another, does not say any more it may have taken back.
        written.fields.retain(|path, value| at(object, path) == Some(value));
        for path in paths.into_iter().filter(|path| is_content(path)) {
            match at(object, &path) {
                Some(value) => written.fields.insert(path, value.clone()),
                None => written.fields.remove(&path),
            };
        }
    }

    /// The engine wrote: what it renders is its own.
    pub(in crate::lab) fn engine_wrote(&mut self, handled: &Handled) {
        if self.writes.is_empty() || handled.request.options.dry_run {
            return;
        }
        let Some(place) = place(handled) else { return };
        if handled.request.verb == Verb::Delete {
            self.writes.remove(&place);
            return;
        }
        let (Some(written), Some(body)) = (self.writes.get_mut(&place), &handled.request.body)
        else {
            return;
        };
        written.fields.retain(|path, _| !says(body, path));
    }

    /// Somebody in the cluster, a controller say, wrote: what it changed is its own from now on.
    pub(in crate::lab) fn cluster_wrote(&mut self, handled: &Handled) {
        if self.writes.is_empty() {
            return;
        }
        let Some(place) = place(handled) else { return };
        if let (Some(written), Some(object)) =
            (self.writes.get_mut(&place), handled.response.as_object())
            && handled.wrote
            && object.uid() == written.uid
        {
            written.fields.retain(|path, value| at(object, path) == Some(value));
        }
    }

    /// What is not there any more; `peek` reads an object.
    pub(in crate::lab) fn lost<'o>(
        &self,
        peek: impl Fn(&Gvr, &str, &str) -> Option<&'o Object>,
    ) -> Vec<String> {
        let mut lost = Vec::new();
        for ((_, plural, namespace, name), written) in &self.writes {
            let live = peek(&written.gvr, namespace, name);
            // Gone, or another of its name: that is no field lost.
            let Some(live) = live.filter(|live| live.uid() == written.uid) else { continue };
            for (path, value) in &written.fields {
                let is = at(live, path);
                if is != Some(value) {
                    let is = is.map_or_else(|| "not there".to_owned(), Value::to_string);
                    let path = path.join(".");
                    lost.push(format!("{plural} {namespace}/{name}: {path} was written as {value} from outside, is rendered by nobody and is {is}"));
                }
            }
        }
        lost
    }
}

fn place(handled: &Handled) -> Option<Place> {
    let request = &handled.request;
    let named = request.body.as_ref().and_then(|body| body["metadata"]["name"].as_str());
    let name = request.name.as_deref().or(named)?;
    Some((
        request.resource.group.to_string(),
        request.resource.plural.to_string(),
        request.namespace.clone().unwrap_or_default(),
        name.to_owned(),
    ))
}

/// Fields that say something about the object itself. Status is the cluster's.
fn is_content(path: &[String]) -> bool {
    match path.first().map(String::as_str) {
        Some("apiVersion" | "kind" | "status" | "stringData") | None => false,
        Some("metadata") => {
            matches!(path.get(1).map(String::as_str), Some("labels" | "annotations"))
        }
        Some(_) => true,
    }
}

/// The paths of all that is no map.
fn leaves(value: &Value, path: &mut Vec<String>, found: &mut Vec<Vec<String>>) {
    match value.as_object() {
        Some(map) => {
            for (key, below) in map {
                path.push(key.to_string());
                leaves(below, path, found);
                path.pop();
            }
        }
        None => found.push(path.clone()),
    }
}

fn at<'o>(object: &'o Object, path: &[String]) -> Option<&'o Value> {
    let keys: Vec<&str> = path.iter().map(String::as_str).collect();
    object.at(&keys)
}

/// Whether a body says anything at or above a path.
fn says(body: &Value, path: &[String]) -> bool {
    let mut here = body;
    for key in path {
        match here.as_object() {
            Some(map) => match map.get(key) {
                Some(below) => here = below,
                None => return false,
            },
            None => return true,
        }
    }
    true
}

#[cfg(test)]
mod tests;
