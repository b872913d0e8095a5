//! Steps and expectations as trees to write.

use super::{Pairs, image, metrics, number};
use crate::lab::scenario::duration::show;
use crate::lab::scenario::model::{
    Action, Answers, Ci, Drift, DriftKind, Edit, EngineAction, Expected, Fault, FieldEdit,
    ObjectRef, ObjectState, Push, PushKind, StateExpectation, Step,
};
use crate::object::yaml::Yaml;

/// The field manager that need not be written.
const MANAGER: &str = "kubectl";

pub(super) fn step(step: &Step) -> Yaml {
    let pairs = Pairs::default().with_some("name", step.name.as_ref().map(Yaml::text));
    let pairs = match &step.action {
        None => pairs,
        Some(Action::Push(it)) => pairs.with("push", push(it).map()),
        Some(Action::Ci(it)) => pairs.with("ci", ci(it)),
        Some(Action::Drift(it)) => pairs.with("drift", drift(it)),
        Some(Action::Image(rules)) => {
            pairs.with("image", Pairs(rules.iter().map(image).collect()).map())
        }
        Some(Action::Metrics(rules)) => pairs.with("metrics", metrics(rules).map()),
        Some(Action::Wait(time)) => pairs.with("wait", Yaml::text(show(*time))),
        Some(Action::WaitUntil(time)) => {
            let until = Pairs::default().with("until", Yaml::text(show(*time)));
            pairs.with("wait", until.map())
        }
        Some(Action::Fault(it)) => pairs.with("fault", fault(it)),
        Some(Action::Engine(it)) => pairs.with("engine", engine(*it)),
        Some(Action::Foreign(stages)) => {
            let stages = stages.iter().map(|stage| Yaml::from_json(&stage.value)).collect();
            pairs.with("foreign", Yaml::List(stages))
        }
        Some(Action::Node(it)) => {
            let yes = Yaml::Scalar(true.into());
            let node = Pairs::default().with("name", Yaml::text(&it.name.value));
            pairs.with("node", node.with(it.kind.word(), yes).map())
        }
    };
    let mut expect: Vec<Yaml> = step.expect.iter().map(|e| expected(&e.expected)).collect();
    match (expect.len(), expect.pop()) {
        (1, Some(only)) => pairs.with("expect", only).map(),
        (_, Some(last)) => {
            expect.push(last);
            pairs.with("expect", Yaml::List(expect)).map()
        }
        (_, None) => pairs.map(),
    }
}

fn ci(ci: &Ci) -> Yaml {
    let build = Pairs::default().with("build", Yaml::text(show(ci.build)));
    Pairs([build.0, push(&ci.push).0].concat()).map()
}

fn push(push: &Push) -> Pairs {
    let text = |text: &Option<String>| text.as_ref().map(Yaml::text);
    let pairs = match &push.kind {
        PushKind::Commit(commit) => {
            let pairs = edits(&commit.edits);
            pairs.with_some("message", text(&commit.message))
        }
        PushKind::Revert { rev, message } => Pairs::default()
            .with("revert", Yaml::text(rev.to_string()))
            .with_some("message", text(message)),
        PushKind::ForcePush { rev } => {
            Pairs::default().with("force-push", Yaml::text(rev.to_string()))
        }
        PushKind::Merge { branch, message } => Pairs::default()
            .with("merge", Pairs::default().with("branch", Yaml::text(&branch.value)).map())
            .with_some("message", text(message)),
        PushKind::Tag { name } => Pairs::default().with("tag", Yaml::text(&name.value)),
    };
    pairs.with_some("label", push.label.as_ref().map(|label| Yaml::text(&label.value)))
}

/// Edits of one kind stand under one key, so those that follow each other in another order than
/// by kind are not kept in theirs: a file says the same of them.
fn edits(edits: &[Edit]) -> Pairs {
    let mut images = Pairs::default();
    let mut files = Pairs::default();
    let mut fields_of = Vec::new();
    let mut gone = Vec::new();
    let mut order: Vec<&str> = Vec::new();
    for edit in edits {
        let key = match edit {
            Edit::SetImage { image, tag } => {
                images = images.with(&image.value, Yaml::text(tag));
                "set-image"
            }
            Edit::Write { path, text } => {
                files = files.with(&path.value, Yaml::text(text));
                "write"
            }
            Edit::Set { file, object, fields: edits } => {
                let edit = Pairs::default()
                    .with("file", Yaml::text(&file.value))
                    .with_some("object", object.as_ref().map(reference))
                    .with("set", fields(edits));
                fields_of.push(edit.map());
                "edit"
            }
            Edit::Delete { path } => {
                gone.push(Yaml::text(&path.value));
                "delete"
            }
        };
        if !order.contains(&key) {
            order.push(key);
        }
    }
    let mut pairs = Pairs::default();
    for key in order {
        pairs = match key {
            "set-image" => pairs.with_map(key, std::mem::take(&mut images)),
            "write" => pairs.with_map(key, std::mem::take(&mut files)),
            "edit" => pairs.with_list(key, std::mem::take(&mut fields_of)),
            _ => pairs.with_list(key, std::mem::take(&mut gone)),
        };
    }
    pairs
}

fn fields(fields: &[FieldEdit]) -> Yaml {
    let pair = |f: &FieldEdit| (f.path.to_string(), Yaml::from_json(&f.value));
    Yaml::Map(fields.iter().map(pair).collect())
}

fn reference(object: &ObjectRef) -> Yaml {
    Yaml::text(object.to_string())
}

fn drift(drift: &Drift) -> Yaml {
    let object = |object: &crate::object::Object| Yaml::from_json(&object.clone().into_value());
    let pairs = Pairs::default();
    let pairs = match &drift.kind {
        DriftKind::Patch { object, fields: edits } => {
            pairs.with("patch", reference(object)).with("set", fields(edits))
        }
        DriftKind::Scale { object, replicas } => {
            pairs.with("scale", reference(object)).with("replicas", number(*replicas))
        }
        DriftKind::Delete { object } => pairs.with("delete", reference(object)),
        DriftKind::Create { object: it } => pairs.with("create", object(&it.value)),
        DriftKind::Apply { object: it, force } => pairs
            .with("apply", object(&it.value))
            .with_some("force", force.then(|| Yaml::Scalar(true.into()))),
    };
    let manager = Some(&drift.manager).filter(|name| *name != MANAGER);
    let may_fail = drift.may_fail.then(|| Yaml::Scalar(true.into()));
    pairs.with_some("as", manager.map(Yaml::text)).with_some("may-fail", may_fail).map()
}

fn fault(fault: &Fault) -> Yaml {
    let Fault::Answers(Answers { answer, verb, kind, skip, count }) = fault else {
        return Yaml::text(fault.to_string());
    };
    let word = answer.word();
    let answer = word.parse::<u64>().map_or_else(|_| Yaml::text(word), number);
    Pairs::default()
        .with("answer", answer)
        .with_some("verb", verb.map(|verb| Yaml::text(verb.word())))
        .with_some("kind", kind.as_ref().map(|kind| Yaml::text(&kind.value)))
        .with_some("skip", (*skip > 0).then(|| number(*skip)))
        .with_some("count", (*count != 1).then(|| number(*count)))
        .map()
}

fn engine(action: EngineAction) -> Yaml {
    match action {
        EngineAction::Restart => Yaml::text("restart"),
        EngineAction::Stop => Yaml::text("stop"),
        EngineAction::Start => Yaml::text("start"),
        EngineAction::RestartAfterWrites(n) => {
            let writes = Pairs::default().with("after-writes", number(n)).map();
            Pairs::default().with("restart", writes).map()
        }
    }
}

fn expected(expected: &Expected) -> Yaml {
    let pairs = Pairs::default();
    match expected {
        Expected::State(it) => state(it),
        Expected::NeverState { app, state } => {
            pairs.with("app", Yaml::text(&app.value)).with("never", Yaml::text(state.word())).map()
        }
        Expected::Object { object, state, within, hold } => {
            object_state(pairs.with("object", reference(object)), state)
                .with_time("within", *within)
                .with_time("for", *hold)
                .map()
        }
        Expected::NeverObject { object, state } => pairs
            .with("object", reference(object))
            .with("never", object_state(Pairs::default(), state).map())
            .map(),
        Expected::Requests { app, at_most } => {
            let requests = Pairs::default()
                .with_some("app", app.as_ref().map(|app| Yaml::text(&app.value)))
                .with("at-most", number(*at_most));
            pairs.with("requests", requests.map()).map()
        }
        Expected::Note { on, contains, within } => {
            let note = Pairs::default()
                .with("on", Yaml::text(on.to_string()))
                .with("contains", Yaml::text(contains))
                .with_time("within", *within);
            pairs.with("note", note.map()).map()
        }
        Expected::Event { app, reason, within } => {
            let event = Pairs::default()
                .with("app", Yaml::text(&app.value))
                .with("reason", Yaml::text(reason))
                .with_time("within", *within);
            pairs.with("event", event.map()).map()
        }
    }
}

fn state(it: &StateExpectation) -> Yaml {
    let conditions = Pairs::default()
        .with_some("to", it.to.as_ref().map(|to| Yaml::text(to.to_string())))
        .with_time("within", it.within)
        .with_some("after", it.after.map(|moment| Yaml::text(moment.to_string())))
        .with_time("for", it.hold)
        .with_some("because", it.because.as_ref().map(Yaml::text));
    Pairs::default()
        .with("app", Yaml::text(&it.app.value))
        .with(it.state.word(), conditions.map())
        .map()
}

fn object_state(pairs: Pairs, state: &ObjectState) -> Pairs {
    match state {
        ObjectState::Has(part) => pairs.with("has", Yaml::from_json(part)),
        ObjectState::Absent => pairs.with("absent", Yaml::Scalar(true.into())),
    }
}
