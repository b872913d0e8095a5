//! What a step does, out of the tree.

use super::images;
use crate::lab::scenario::field;
use crate::lab::scenario::model::{
    Action, Commit, Drift, DriftKind, Edit, EngineAction, FieldEdit, FieldPath, Placed, Push,
    PushKind, Rev,
};
use crate::lab::scenario::view::View;
use crate::lab::scenario::words;

/// The field manager of a drift that names none: what kubectl is called.
const MANAGER: &str = "kubectl";

/// The action of a step, if it has one.
pub(super) fn action(step: View<'_>, is_label: &dyn Fn(&str) -> bool) -> Option<Action> {
    let (word, view) = step.one_of(&["push", "drift", "image", "wait", "engine"])?;
    Some(match word {
        "push" => Action::Push(push(view, is_label)),
        "drift" => Action::Drift(drift(view)?),
        "image" => Action::Image(images(view)),
        "wait" => Action::Wait(view.duration().unwrap_or_default()),
        _ => Action::Engine(engine(view)),
    })
}

/// The commit that a text names; `HEAD` where it names none.
pub(super) fn rev(view: View<'_>, is_label: &dyn Fn(&str) -> bool) -> Placed<Rev> {
    let value = words::rev(view.str(), is_label).unwrap_or(Rev::Head { back: 0 });
    Placed { value, at: view.at }
}

fn push(view: View<'_>, is_label: &dyn Fn(&str) -> bool) -> Push {
    let message = view.get("message").some_text();
    let kind = match view.one_of(&["revert", "force-push", "merge", "tag"]) {
        Some(("revert", it)) => PushKind::Revert { rev: rev(it, is_label), message },
        Some(("force-push", it)) => PushKind::ForcePush { rev: rev(it, is_label) },
        Some(("merge", it)) => PushKind::Merge { branch: it.get("branch").placed(), message },
        Some((_, it)) => PushKind::Tag { name: it.placed() },
        None => PushKind::Commit(Commit { edits: edits(view), message }),
    };
    Push { kind, label: view.get("label").there().map(View::placed) }
}

/// The edits of a commit, in the order of the file.
fn edits(push: View<'_>) -> Vec<Edit> {
    let mut edits = Vec::new();
    for (key, view) in push.entries() {
        match key.value.as_str() {
            "set-image" => edits.extend(
                view.entries()
                    .map(|(image, tag)| Edit::SetImage { image: image.clone(), tag: tag.text() }),
            ),
            "write" => edits.extend(view.entries().map(|(path, text)| Edit::Write {
                path: Placed { value: words::clean_path(&path.value), at: path.at },
                text: text.text(),
            })),
            "edit" => edits.extend(view.items().into_iter().map(|edit| Edit::Set {
                file: edit.get("file").path(),
                object: edit.get("object").there().map(View::object_ref),
                fields: fields(edit.get("set")),
            })),
            "delete" => edits
                .extend(view.items().into_iter().map(|path| Edit::Delete { path: path.path() })),
            _ => {}
        }
    }
    edits
}

fn fields(view: View<'_>) -> Vec<FieldEdit> {
    let field = |(key, value): (&Placed<String>, View<'_>)| {
        let path = field::parse(&key.value).unwrap_or(FieldPath(Vec::new()));
        FieldEdit { path: Placed { value: path, at: key.at }, value: value.json() }
    };
    view.entries().map(field).collect()
}

fn drift(view: View<'_>) -> Option<Drift> {
    let (word, it) = view.one_of(&["patch", "scale", "delete", "create", "apply"])?;
    let kind = match word {
        "patch" => DriftKind::Patch { object: it.object_ref(), fields: fields(view.get("set")) },
        "scale" => DriftKind::Scale {
            object: it.object_ref(),
            replicas: view.get("replicas").count().unwrap_or_default(),
        },
        "delete" => DriftKind::Delete { object: it.object_ref() },
        "create" => DriftKind::Create { object: it.object() },
        _ => DriftKind::Apply {
            object: it.object(),
            force: view.get("force").flag().unwrap_or(false),
        },
    };
    let manager = view.get("as").some_text().unwrap_or_else(|| MANAGER.to_owned());
    Some(Drift { kind, manager })
}

fn engine(view: View<'_>) -> EngineAction {
    match view.str() {
        "restart" => EngineAction::Restart,
        "stop" => EngineAction::Stop,
        "start" => EngineAction::Start,
        _ => {
            let writes = view.get("restart").get("after-writes").count();
            EngineAction::RestartAfterWrites(writes.unwrap_or(1))
        }
    }
}
