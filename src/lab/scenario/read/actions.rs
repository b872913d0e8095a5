//! What a step does, out of the tree.

use super::{images, metrics, stages};
use crate::lab::scenario::field;
use crate::lab::scenario::model::{
    Action, Answer, Answers, Ci, Commit, Drift, DriftKind, Edit, EngineAction, Fault, FieldEdit,
    FieldPath, NodeStep, NodeStepKind, Placed, Push, PushKind, Rev, VerbWord,
};
use crate::lab::scenario::view::View;
use crate::lab::scenario::words;

/// The field manager of a drift that names none: what kubectl is called.
const MANAGER: &str = "kubectl";

/// The action of a step, if it has one.
pub(super) fn action(step: View<'_>, is_label: &dyn Fn(&str) -> bool) -> Option<Action> {
    const WORDS: [&str; 10] =
        ["push", "ci", "drift", "image", "metrics", "wait", "fault", "engine", "node", "foreign"];
    let (word, view) = step.one_of(&WORDS)?;
    Some(match word {
        "push" => Action::Push(push(view, is_label)),
        "ci" => Action::Ci(ci(view)),
        "drift" => Action::Drift(drift(view)?),
        "image" => Action::Image(images(view)),
        "metrics" => Action::Metrics(metrics(view)),
        "wait" => wait(view),
        "node" => Action::Node(node(view)?),
        "fault" => Action::Fault(fault(view)),
        "foreign" => Action::Foreign(stages(view)),
        _ => Action::Engine(engine(view)),
    })
}

fn node(view: View<'_>) -> Option<NodeStep> {
    let words = NodeStepKind::WORDS.map(|(word, _)| word);
    let (word, _) = view.one_of(&words)?;
    let (_, kind) = NodeStepKind::WORDS.into_iter().find(|(other, _)| *other == word)?;
    Some(NodeStep { name: view.get("name").placed(), kind })
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
        None => return commit(view),
    };
    Push { kind, label: label(view) }
}

fn commit(view: View<'_>) -> Push {
    let commit = Commit { edits: edits(view), message: view.get("message").some_text() };
    Push { kind: PushKind::Commit(commit), label: label(view) }
}

fn label(view: View<'_>) -> Option<Placed<String>> {
    view.get("label").there().map(View::placed)
}

fn ci(view: View<'_>) -> Ci {
    Ci { build: view.get("build").duration().unwrap_or_default(), push: commit(view) }
}

fn wait(view: View<'_>) -> Action {
    match view.key("until") {
        Some(until) => Action::WaitUntil(until.duration().unwrap_or_default()),
        None => Action::Wait(view.duration().unwrap_or_default()),
    }
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
    let may_fail = view.get("may-fail").flag().unwrap_or(false);
    Some(Drift { kind, manager, may_fail })
}

fn fault(view: View<'_>) -> Fault {
    match view.str() {
        "watch-drop" => Fault::WatchDrop,
        "compact" => Fault::Compact,
        "end" => Fault::End,
        _ => Fault::Answers(answers(view)),
    }
}

fn answers(view: View<'_>) -> Answers {
    // A code is a number in YAML, and a word like the others here.
    let code = view.get("answer").whole().map(|code| code.to_string());
    let word = code.unwrap_or_else(|| view.get("answer").text());
    let verb = view.get("verb").str();
    let answer = Answer::ALL.into_iter().find(|answer| answer.word() == word);
    Answers {
        answer: answer.unwrap_or(Answer::InternalError),
        verb: VerbWord::ALL.into_iter().find(|known| known.word() == verb),
        kind: view.get("kind").there().map(View::placed),
        skip: view.get("skip").count().unwrap_or(0),
        count: view.get("count").count().unwrap_or(1),
    }
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
