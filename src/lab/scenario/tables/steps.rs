//! The grammar of a step and of what it does.

use super::expectations::EXPECTATION;
use super::{FILES, IMAGES};
use crate::lab::scenario::grammar::{Form, Key, KeyShape, Map, Shape, Variants};

pub(super) static STEP: Variants = Variants {
    name: "step",
    what: "a step",
    forms: &[
        ("push", Form::Map(&STEP_PUSH)),
        ("drift", Form::Map(&STEP_DRIFT)),
        ("image", Form::Map(&STEP_IMAGE)),
        ("wait", Form::Map(&STEP_WAIT)),
        ("engine", Form::Map(&STEP_ENGINE)),
    ],
    otherwise: Some(&STEP_EXPECT),
};

const STEP_NAME: &[Key] = &[Key::may("name", Shape::Text, "What the step is called in a report.")];

const EXPECTATIONS: Shape = Shape::OneOrList(&Shape::Variants(&EXPECTATION));

const STEP_OUTCOME: &[Key] = &[Key::may("expect", EXPECTATIONS, "What is to come of it.")];

static STEP_PUSH: Map = Map {
    name: "step-push",
    what: "a push step",
    keys: &[
        STEP_NAME,
        &[Key::must("push", Shape::Variants(&PUSH), "The repository changes.")],
        STEP_OUTCOME,
    ],
};

static STEP_DRIFT: Map = Map {
    name: "step-drift",
    what: "a drift step",
    keys: &[
        STEP_NAME,
        &[Key::must(
            "drift",
            Shape::Variants(&DRIFT),
            "Somebody other than the engine writes to the cluster.",
        )],
        STEP_OUTCOME,
    ],
};

static STEP_IMAGE: Map = Map {
    name: "step-image",
    what: "an image step",
    keys: &[
        STEP_NAME,
        &[Key::must("image", IMAGES, "From now on these images do this.")],
        STEP_OUTCOME,
    ],
};

static STEP_WAIT: Map = Map {
    name: "step-wait",
    what: "a wait step",
    keys: &[STEP_NAME, &[Key::must("wait", Shape::Duration, "Time passes.")], STEP_OUTCOME],
};

static STEP_ENGINE: Map = Map {
    name: "step-engine",
    what: "an engine step",
    keys: &[
        STEP_NAME,
        &[Key::must(
            "engine",
            Shape::Either(
                &Shape::Word(&["restart", "stop", "start"]),
                &Shape::Map(&ENGINE_RESTART),
            ),
            "The engine is ended without warning, or started.",
        )],
        STEP_OUTCOME,
    ],
};

static STEP_EXPECT: Map = Map {
    name: "step-expect",
    what: "a step without an action",
    keys: &[STEP_NAME, &[Key::must("expect", EXPECTATIONS, "What is to be seen.")]],
};

static ENGINE_RESTART: Map = Map {
    name: "engine-restart",
    what: "an engine action",
    keys: &[&[Key::must("restart", Shape::Map(&RESTART), "Ended, then started anew.")]],
};

static RESTART: Map = Map {
    name: "restart",
    what: "a restart",
    keys: &[&[Key::must(
        "after-writes",
        Shape::Whole(1, 100_000),
        "Right after the engine's n-th write of the deployment under way, or of the next one.",
    )]],
};

static PUSH: Variants = Variants {
    name: "push",
    what: "a push",
    forms: &[
        ("revert", Form::Map(&PUSH_REVERT)),
        ("force-push", Form::Map(&PUSH_FORCE)),
        ("merge", Form::Map(&PUSH_MERGE)),
        ("tag", Form::Map(&PUSH_TAG)),
    ],
    otherwise: Some(&PUSH_COMMIT),
};

const MESSAGE: &[Key] =
    &[Key::may("message", Shape::Text, "The commit's message. Default: made from what it does.")];

const LABEL: &[Key] = &[Key::may(
    "label",
    Shape::Label,
    "What the scenario calls the commit that is the newest one after it.",
)];

static PUSH_COMMIT: Map = Map {
    name: "push-commit",
    what: "a commit",
    keys: &[
        &[
            Key::may(
                "set-image",
                Shape::Each(KeyShape::Image, &Shape::Text),
                "Every place in the repository that names the image gets this tag.",
            ),
            Key::may("write", FILES, "Files, new or replaced as a whole: text by path."),
            Key::may("edit", Shape::OneOrList(&Shape::Map(&EDIT)), "Fields of YAML files."),
            Key::may("delete", Shape::List(&Shape::Path), "Files and folders that go away."),
        ],
        MESSAGE,
        LABEL,
    ],
};

static EDIT: Map = Map {
    name: "edit",
    what: "an edit",
    keys: &[&[
        Key::must("file", Shape::Path, "A YAML file."),
        Key::may("object", Shape::ObjectRef, "Which of its objects. Default: the only one."),
        Key::must("set", SET, "Its fields: value by path. null takes a field out."),
    ]],
};

const SET: Shape = Shape::Each(KeyShape::Field, &Shape::Any);

static PUSH_REVERT: Map = Map {
    name: "push-revert",
    what: "a revert",
    keys: &[&[Key::must("revert", Shape::Rev, "The commit to take back.")], MESSAGE, LABEL],
};

static PUSH_FORCE: Map = Map {
    name: "push-force",
    what: "a force-push",
    keys: &[&[Key::must("force-push", Shape::Rev, "What the branch is set to.")], LABEL],
};

static PUSH_MERGE: Map = Map {
    name: "push-merge",
    what: "a merge",
    keys: &[
        &[Key::must("merge", Shape::Map(&MERGE), "A merge commit of another branch.")],
        MESSAGE,
        LABEL,
    ],
};

static MERGE: Map = Map {
    name: "merge",
    what: "a merge",
    keys: &[&[Key::must("branch", Shape::Text, "The branch, of a repository with history.")]],
};

static PUSH_TAG: Map = Map {
    name: "push-tag",
    what: "a tag",
    keys: &[&[Key::must("tag", Shape::Label, "The tag's name; it is put at the newest commit.")]],
};

static DRIFT: Variants = Variants {
    name: "drift",
    what: "a drift",
    forms: &[
        ("patch", Form::Map(&DRIFT_PATCH)),
        ("scale", Form::Map(&DRIFT_SCALE)),
        ("delete", Form::Map(&DRIFT_DELETE)),
        ("create", Form::Map(&DRIFT_CREATE)),
        ("apply", Form::Map(&DRIFT_APPLY)),
    ],
    otherwise: None,
};

const MANAGER: &[Key] =
    &[Key::may("as", Shape::Text, "The writer's field manager. Default: kubectl.")];

static DRIFT_PATCH: Map = Map {
    name: "drift-patch",
    what: "a patch",
    keys: &[
        &[
            Key::must("patch", Shape::ObjectRef, "The object."),
            Key::must("set", SET, "Its fields: value by path. null takes a field out."),
        ],
        MANAGER,
    ],
};

static DRIFT_SCALE: Map = Map {
    name: "drift-scale",
    what: "a scale",
    keys: &[
        &[
            Key::must("scale", Shape::ObjectRef, "The object."),
            Key::must("replicas", Shape::Whole(0, 100_000), "How many replicas it is to have."),
        ],
        MANAGER,
    ],
};

static DRIFT_DELETE: Map = Map {
    name: "drift-delete",
    what: "a delete",
    keys: &[&[Key::must("delete", Shape::ObjectRef, "The object.")], MANAGER],
};

static DRIFT_CREATE: Map = Map {
    name: "drift-create",
    what: "a create",
    keys: &[&[Key::must("create", Shape::Object, "The whole object.")], MANAGER],
};

static DRIFT_APPLY: Map = Map {
    name: "drift-apply",
    what: "an apply",
    keys: &[
        &[
            Key::must("apply", Shape::Object, "The part of the object that is applied."),
            Key::may("force", Shape::Flag, "Take fields of other managers. Default: false."),
        ],
        MANAGER,
    ],
};
