//! Where an object comes from and what changed it, as `buildMetadata` asks for it: notes in
//! annotations.

use super::resource::{ORIGIN, Resource, TRANSFORMATIONS};
use crate::object::{Object, Value, json};

/// Where a kustomization, a file or a plugin stands, as seen from the folder that is built.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Provenance {
    pub(super) path: String,
    pub(super) repo: String,
    pub(super) reference: String,
    pub(super) configured_in: String,
    pub(super) configured_by: Option<Plugin>,
}

/// What made or changed an object.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Plugin {
    pub(super) api_version: String,
    pub(super) kind: String,
    pub(super) name: String,
    pub(super) namespace: String,
}

impl Provenance {
    /// That of a path seen from here.
    pub(super) fn join(&self, path: &str) -> Self {
        Self { path: clean(&format!("{}/{path}", self.path)), ..self.clone() }
    }

    /// That of what a built-in plugin does that is asked for in the kustomization file `file`.
    pub(super) fn of_builtin(&self, file: &str, kind: &str) -> Self {
        Self {
            path: String::new(),
            configured_in: self.join(file).path,
            configured_by: Some(Plugin {
                api_version: "builtin".to_owned(),
                kind: kind.to_owned(),
                ..Plugin::default()
            }),
            ..self.clone()
        }
    }

    /// That of what a plugin does that has a file of its own; `None` where the plugin does not
    /// say where it comes from.
    pub(super) fn of_plugin(plugin: &Resource) -> Option<Self> {
        let note = plugin.annotation(ORIGIN)?;
        let documents =
            crate::object::yaml::documents(&note, crate::object::yaml::Dialect::Kubectl).ok()?;
        let value = documents.into_iter().next()?.value;
        let text =
            |key: &str| value.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        let object: &Object = &plugin.object;
        Some(Self {
            path: String::new(),
            repo: text("repo"),
            reference: text("ref"),
            configured_in: text("path"),
            configured_by: Some(Plugin {
                api_version: object.api_version().to_owned(),
                kind: object.kind().to_owned(),
                name: object.name().to_owned(),
                namespace: object.namespace().to_owned(),
            }),
        })
    }

    /// The lines of the note, in upstream's order.
    pub(super) fn note(&self) -> String {
        let mut lines = String::new();
        for (key, text) in [
            ("path", &self.path),
            ("repo", &self.repo),
            ("ref", &self.reference),
            ("configuredIn", &self.configured_in),
        ] {
            push(&mut lines, "", key, text);
        }
        if let Some(plugin) = &self.configured_by {
            lines.push_str("configuredBy:\n");
            for (key, text) in [
                ("apiVersion", &plugin.api_version),
                ("kind", &plugin.kind),
                ("name", &plugin.name),
                ("namespace", &plugin.namespace),
            ] {
                push(&mut lines, "  ", key, text);
            }
        }
        lines
    }
}

fn push(lines: &mut String, margin: &str, key: &str, text: &str) {
    if !text.is_empty() {
        let line = crate::object::yaml::go_string(&json!({key: text}));
        lines.push_str(margin);
        lines.push_str(&line);
    }
}

/// Notes a change; where nothing says where an object comes from, that the change made it.
pub(super) fn note_change(resource: &mut Resource, change: &Provenance) {
    if resource.annotation(ORIGIN).is_none() {
        resource.annotate(ORIGIN, change.note());
        return;
    }
    let mut notes = resource.annotation(TRANSFORMATIONS).unwrap_or_default();
    for (at, line) in change.note().lines().enumerate() {
        notes.push_str(if at == 0 { "- " } else { "  " });
        notes.push_str(line);
        notes.push('\n');
    }
    resource.annotate(TRANSFORMATIONS, notes);
}

/// A path without `.`, empty parts and `..` that can be taken back; those at its start stay.
fn clean(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_says_where_and_by_what() {
        let root = Provenance::default();
        assert_eq!(root.join("../base").join("a.yaml").note(), "path: ../base/a.yaml\n");
        assert_eq!(
            root.join("base").of_builtin("kustomization.yaml", "ConfigMapGenerator").note(),
            "configuredIn: base/kustomization.yaml\nconfiguredBy:\n  apiVersion: builtin\n  kind: ConfigMapGenerator\n",
        );
    }
}
