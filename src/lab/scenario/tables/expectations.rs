//! The grammar of what a step expects.

use crate::engine::notify::REASONS;
use crate::lab::scenario::grammar::{Form, Key, Map, Shape, Variants};

pub(super) static EXPECTATION: Variants = Variants {
    name: "expectation",
    what: "an expectation",
    forms: &[
        ("app", Form::Variants(&EXPECT_APP)),
        ("object", Form::Variants(&EXPECT_OBJECT)),
        ("requests", Form::Map(&EXPECT_REQUESTS)),
        ("note", Form::Map(&EXPECT_NOTE)),
        ("event", Form::Map(&EXPECT_EVENT)),
    ],
    otherwise: None,
};

/// The states of an App, in the order of `State::ALL`.
static STATES: [&str; 8] =
    ["ready", "failed", "rolled-back", "reverted", "held", "corrected", "reported", "preempted"];

/// What a time can be counted from: the states, then the moments that are none.
static MOMENTS: [&str; 10] = [
    "ready",
    "failed",
    "rolled-back",
    "reverted",
    "held",
    "corrected",
    "reported",
    "preempted",
    "noticed",
    "applied",
];

static EXPECT_APP: Variants = Variants {
    name: "expect-app",
    what: "an expectation of an App",
    forms: &[
        ("ready", Form::Map(&EXPECT_READY)),
        ("failed", Form::Map(&EXPECT_FAILED)),
        ("rolled-back", Form::Map(&EXPECT_ROLLED_BACK)),
        ("reverted", Form::Map(&EXPECT_REVERTED)),
        ("held", Form::Map(&EXPECT_HELD)),
        ("corrected", Form::Map(&EXPECT_CORRECTED)),
        ("reported", Form::Map(&EXPECT_REPORTED)),
        ("preempted", Form::Map(&EXPECT_PREEMPTED)),
        ("never", Form::Map(&EXPECT_NEVER_STATE)),
    ],
    otherwise: None,
};

const OF_APP: &[Key] = &[Key::must("app", Shape::Name, "The App.")];

const TIMES: &[Key] = &[
    Key::may("within", Shape::Duration, "By when. Default: at the end of the step."),
    Key::may(
        "after",
        Shape::Word(&MOMENTS),
        "The event that within counts from. Default: the start of the step.",
    ),
    Key::may("for", Shape::Duration, "How long it then lasts."),
];

static STATE: Map = Map { name: "state", what: "a state", keys: &[TIMES] };

static STATE_FAILED: Map = Map {
    name: "state-failed",
    what: "a failed state",
    keys: &[TIMES, &[Key::may("because", Shape::Text, "Text that the reason contains.")]],
};

static STATE_BACK: Map = Map {
    name: "state-back",
    what: "a rolled-back or reverted state",
    keys: &[
        &[Key::may(
            "to",
            Shape::Rev,
            "What the App is back at: previous, or a commit with that tree.",
        )],
        TIMES,
    ],
};

/// The expectation of one state: `{ app: …, <state>: { … } }`.
macro_rules! expect_state {
    ($table:ident, $name:literal, $word:literal, $state:ident, $doc:literal) => {
        static $table: Map = Map {
            name: $name,
            what: concat!("an expectation of ", $word),
            keys: &[OF_APP, &[Key::must($word, Shape::Map(&$state), $doc)]],
        };
    };
}

expect_state!(EXPECT_READY, "expect-ready", "ready", STATE, "A revision is applied and healthy.");
expect_state!(EXPECT_FAILED, "expect-failed", "failed", STATE_FAILED, "A revision failed.");
expect_state!(
    EXPECT_ROLLED_BACK,
    "expect-rolled-back",
    "rolled-back",
    STATE_BACK,
    "The last good revision is applied and healthy again."
);
expect_state!(
    EXPECT_REVERTED,
    "expect-reverted",
    "reverted",
    STATE_BACK,
    "The engine pushed a commit that takes the failed one back."
);
expect_state!(EXPECT_HELD, "expect-held", "held", STATE, "A failed revision is left as it is.");
expect_state!(EXPECT_CORRECTED, "expect-corrected", "corrected", STATE, "Drift is written back.");
expect_state!(EXPECT_REPORTED, "expect-reported", "reported", STATE, "Drift is told and left.");
expect_state!(
    EXPECT_PREEMPTED,
    "expect-preempted",
    "preempted",
    STATE,
    "A newer revision takes over from one that is still waiting."
);

static EXPECT_NEVER_STATE: Map = Map {
    name: "expect-never-state",
    what: "an expectation of never",
    keys: &[
        OF_APP,
        &[Key::must("never", Shape::Word(&STATES), "The state, until the end of the step.")],
    ],
};

static EXPECT_OBJECT: Variants = Variants {
    name: "expect-object",
    what: "an expectation of an object",
    forms: &[
        ("has", Form::Map(&EXPECT_HAS)),
        ("absent", Form::Map(&EXPECT_ABSENT)),
        ("never", Form::Map(&EXPECT_NEVER_OBJECT)),
    ],
    otherwise: None,
};

const OF_OBJECT: &[Key] = &[Key::must("object", Shape::ObjectRef, "The object.")];

const WITHIN: &[Key] = &[Key::may(
    "within",
    Shape::Duration,
    "By when, from the start of the step. Default: at its end.",
)];

const FOR: &[Key] = &[Key::may("for", Shape::Duration, "How long it then stays so.")];

const HAS: &[Key] = &[Key::must(
    "has",
    Shape::Part,
    "A part of the object; items of lists are found by name, else by place.",
)];

const ABSENT: &[Key] = &[Key::must("absent", Shape::Yes, "There is no such object.")];

static EXPECT_HAS: Map =
    Map { name: "expect-has", what: "an expectation of has", keys: &[OF_OBJECT, HAS, WITHIN, FOR] };

static EXPECT_ABSENT: Map = Map {
    name: "expect-absent",
    what: "an expectation of absent",
    keys: &[OF_OBJECT, ABSENT, WITHIN, FOR],
};

static EXPECT_NEVER_OBJECT: Map = Map {
    name: "expect-never-object",
    what: "an expectation of never",
    keys: &[
        OF_OBJECT,
        &[Key::must(
            "never",
            Shape::Variants(&NEVER_OBJECT),
            "How it is not, until the end of the step.",
        )],
    ],
};

static NEVER_OBJECT: Variants = Variants {
    name: "never-object",
    what: "a state of an object",
    forms: &[("has", Form::Map(&NEVER_HAS)), ("absent", Form::Map(&NEVER_ABSENT))],
    otherwise: None,
};

static NEVER_HAS: Map = Map { name: "never-has", what: "a state of an object", keys: &[HAS] };

static NEVER_ABSENT: Map =
    Map { name: "never-absent", what: "a state of an object", keys: &[ABSENT] };

static EXPECT_REQUESTS: Map = Map {
    name: "expect-requests",
    what: "an expectation of requests",
    keys: &[&[Key::must("requests", Shape::Map(&REQUESTS), "The engine's API requests.")]],
};

static REQUESTS: Map = Map {
    name: "requests",
    what: "a count of requests",
    keys: &[&[
        Key::may("app", Shape::Name, "Only those made for this App. Default: all."),
        Key::must("at-most", Shape::Whole(0, u64::MAX), "The most there may be in this step."),
    ]],
};

static EXPECT_NOTE: Map = Map {
    name: "expect-note",
    what: "an expectation of a note",
    keys: &[&[Key::must("note", Shape::Map(&NOTE), "A Git note of the engine.")]],
};

static NOTE: Map = Map {
    name: "note",
    what: "a note",
    keys: &[
        &[
            Key::must("on", Shape::Rev, "The commit that it is attached to."),
            Key::must("contains", Shape::Text, "Text that it contains."),
        ],
        WITHIN,
    ],
};

static EXPECT_EVENT: Map = Map {
    name: "expect-event",
    what: "an expectation of an event",
    keys: &[&[Key::must("event", Shape::Map(&EVENT), "A Kubernetes Event of the engine.")]],
};

static EVENT: Map = Map {
    name: "event",
    what: "an event",
    keys: &[
        &[
            Key::must("app", Shape::Name, "The App that it is about."),
            Key::must("reason", Shape::Word(&REASONS), "Its reason."),
        ],
        WITHIN,
    ],
};
