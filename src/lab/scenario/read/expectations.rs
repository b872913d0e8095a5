//! What a step expects, out of the tree.

use super::actions::rev;
use crate::lab::scenario::model::{
    Expectation, Expected, Moment, ObjectState, Placed, State, StateExpectation, Target,
};
use crate::lab::scenario::view::View;

/// One expectation; `None` where it is none.
pub(super) fn expectation(view: View<'_>, is_label: &dyn Fn(&str) -> bool) -> Option<Expectation> {
    let (word, it) = view.one_of(&["app", "object", "requests", "note", "event"])?;
    let expected = match word {
        "app" => of_app(view, is_label)?,
        "object" => of_object(view)?,
        "requests" => Expected::Requests {
            app: it.get("app").there().map(View::placed),
            at_most: it.get("at-most").whole().unwrap_or_default(),
        },
        "note" => Expected::Note {
            on: rev(it.get("on"), is_label),
            contains: it.get("contains").text(),
            within: it.get("within").duration(),
        },
        _ => Expected::Event {
            app: it.get("app").placed(),
            reason: it.get("reason").text(),
            within: it.get("within").duration(),
        },
    };
    Some(Expectation { at: view.at, expected })
}

fn of_app(view: View<'_>, is_label: &dyn Fn(&str) -> bool) -> Option<Expected> {
    let app = view.get("app").placed();
    if let Some(never) = view.key("never") {
        return Some(Expected::NeverState { app, state: state(never.str())? });
    }
    let named = State::ALL.iter().find_map(|state| Some((*state, view.key(state.word())?)));
    // A state that is none has been refused; its App is still looked at.
    let (state, it) = named.unwrap_or((State::Ready, view.get("")));
    Some(Expected::State(StateExpectation {
        app,
        state,
        within: it.get("within").duration(),
        after: it.get("after").there().and_then(|after| moment(after.str())),
        hold: it.get("for").duration(),
        to: it.get("to").there().map(|to| target(to, is_label)),
        because: it.get("because").some_text(),
    }))
}

fn target(view: View<'_>, is_label: &dyn Fn(&str) -> bool) -> Placed<Target> {
    let value = match view.str() {
        "previous" => Target::Previous,
        _ => Target::Rev(rev(view, is_label).value),
    };
    Placed { value, at: view.at }
}

fn state(word: &str) -> Option<State> {
    State::ALL.into_iter().find(|state| state.word() == word)
}

fn moment(word: &str) -> Option<Moment> {
    match word {
        "noticed" => Some(Moment::Noticed),
        "applied" => Some(Moment::Applied),
        _ => state(word).map(Moment::State),
    }
}

fn of_object(view: View<'_>) -> Option<Expected> {
    let object = view.get("object").object_ref();
    if let Some(never) = view.key("never") {
        return Some(Expected::NeverObject { object, state: object_state(never)? });
    }
    Some(Expected::Object {
        object,
        state: object_state(view)?,
        within: view.get("within").duration(),
        hold: view.get("for").duration(),
    })
}

fn object_state(view: View<'_>) -> Option<ObjectState> {
    match view.one_of(&["has", "absent"])? {
        ("has", part) => Some(ObjectState::Has(part.json())),
        _ => Some(ObjectState::Absent),
    }
}
