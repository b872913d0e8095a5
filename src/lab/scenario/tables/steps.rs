//! The grammar of a step and of what it does.

use super::expectations::EXPECTATION;
use super::{FILES, FOREIGN, IMAGES, METRICS};
use crate::lab::scenario::grammar::{Form, Key, KeyShape, Map, Shape, Variants};

pub(super) static STEP: Variants = Variants {
    name: "step",
    what: "a step",
    forms: &[
        ("push", Form::Map(&STEP_PUSH)),
        ("ci", Form::Map(&STEP_CI)),
        ("drift", Form::Map(&STEP_DRIFT)),
        ("image", Form::Map(&STEP_IMAGE)),
        ("metrics", Form::Map(&STEP_METRICS)),
        ("wait", Form::Map(&STEP_WAIT)),
        ("fault", Form::Map(&STEP_FAULT)),
        ("engine", Form::Map(&STEP_ENGINE)),
        ("node", Form::Map(&STEP_NODE)),
        ("foreign", Form::Map(&STEP_FOREIGN)),
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

static STEP_CI: Map = Map {
    name: "step-ci",
    what: "a ci step",
    keys: &[
        STEP_NAME,
        &[Key::must("ci", Shape::Map(&CI), "A pipeline builds, then pushes what it has built.")],
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

static STEP_METRICS: Map = Map {
    name: "step-metrics",
    what: "a metrics step",
    keys: &[
        STEP_NAME,
        &[Key::must("metrics", METRICS, "From now on this is measured of workloads.")],
        STEP_OUTCOME,
    ],
};

static STEP_WAIT: Map = Map {
    name: "step-wait",
    what: "a wait step",
    keys: &[STEP_NAME, &[Key::must("wait", WAIT, "Time passes.")], STEP_OUTCOME],
};

const WAIT: Shape = Shape::Either(&Shape::Duration, &Shape::Map(&WAIT_UNTIL));

static WAIT_UNTIL: Map = Map {
    name: "wait-until",
    what: "a wait",
    keys: &[&[Key::must(
        "until",
        Shape::Duration,
        "Until so long after the first step began; no time where that is past.",
    )]],
};

static STEP_FAULT: Map = Map {
    name: "step-fault",
    what: "a fault step",
    keys: &[
        STEP_NAME,
        &[Key::must(
            "fault",
            Shape::Either(&Shape::Word(&["watch-drop", "compact", "end"]), &Shape::Map(&FAULT)),
            "Something goes wrong between the engine and the API server, or does no longer.",
        )],
        STEP_OUTCOME,
    ],
};

static FAULT: Map = Map {
    name: "fault",
    what: "a fault",
    keys: &[&[
        Key::must(
            "answer",
            Shape::Word(&["500", "503", "429", "conflict", "timeout", "timeout-after-commit"]),
            "What requests of the engine are answered. Only after timeout-after-commit they are carried out.",
        ),
        Key::may(
            "verb",
            Shape::Word(&["get", "list", "watch", "create", "update", "patch", "apply", "delete"]),
            "What they ask for; patch is of any format. Default: whatever writes.",
        ),
        Key::may("kind", Shape::Text, "The kind that they are about. Default: any."),
        Key::may("skip", Shape::Whole(0, 100_000), "So many of them pass first. Default: 0."),
        Key::may("count", Shape::Whole(1, 100_000), "So many of them are answered. Default: 1."),
    ]],
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

static STEP_FOREIGN: Map = Map {
    name: "step-foreign",
    what: "a foreign step",
    keys: &[
        STEP_NAME,
        &[Key::must(
            "foreign",
            FOREIGN,
            "From now on this becomes of objects whose controllers are not there.",
        )],
        STEP_OUTCOME,
    ],
};

static STEP_NODE: Map = Map {
    name: "step-node",
    what: "a node step",
    keys: &[
        STEP_NAME,
        &[Key::must("node", Shape::Variants(&NODE), "Something happens to a node.")],
        STEP_OUTCOME,
    ],
};

static NODE: Variants = Variants {
    name: "node",
    what: "a node action",
    forms: &[
        ("stop", Form::Map(&NODE_STOP)),
        ("start", Form::Map(&NODE_START)),
        ("cordon", Form::Map(&NODE_CORDON)),
        ("uncordon", Form::Map(&NODE_UNCORDON)),
        ("drain", Form::Map(&NODE_DRAIN)),
        ("delete", Form::Map(&NODE_DELETE)),
        ("out-of-service", Form::Map(&NODE_OUT)),
    ],
    otherwise: None,
};

const NODE_NAME: &[Key] = &[Key::must("name", Shape::Name, "The node: node-1, node-2, ...")];

static NODE_STOP: Map = Map {
    name: "node-stop",
    what: "a node's stop",
    keys: &[NODE_NAME, &[Key::must("stop", Shape::Yes, "It falls silent; its pods go on.")]],
};

static NODE_START: Map = Map {
    name: "node-start",
    what: "a node's start",
    keys: &[NODE_NAME, &[Key::must("start", Shape::Yes, "It comes back.")]],
};

static NODE_CORDON: Map = Map {
    name: "node-cordon",
    what: "a cordon",
    keys: &[NODE_NAME, &[Key::must("cordon", Shape::Yes, "It takes no new pods.")]],
};

static NODE_UNCORDON: Map = Map {
    name: "node-uncordon",
    what: "an uncordon",
    keys: &[NODE_NAME, &[Key::must("uncordon", Shape::Yes, "It takes pods again.")]],
};

static NODE_DRAIN: Map = Map {
    name: "node-drain",
    what: "a drain",
    keys: &[
        NODE_NAME,
        &[Key::must("drain", Shape::Yes, "It takes no new pods, and those it has are evicted.")],
    ],
};

static NODE_DELETE: Map = Map {
    name: "node-delete",
    what: "a node's deletion",
    keys: &[NODE_NAME, &[Key::must("delete", Shape::Yes, "Its object is deleted.")]],
};

static NODE_OUT: Map = Map {
    name: "node-out-of-service",
    what: "a node's end",
    keys: &[
        NODE_NAME,
        &[Key::must("out-of-service", Shape::Yes, "It is told to be out of service for good.")],
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

static PUSH_COMMIT: Map =
    Map { name: "push-commit", what: "a commit", keys: &[EDITS, MESSAGE, LABEL] };

const FIELDS: Shape = Shape::Map(&EDIT);

const EDITS: &[Key] = &[
    Key::may(
        "set-image",
        Shape::Each(KeyShape::Image, &Shape::Text),
        "Every place in the repository that names the image gets this tag.",
    ),
    Key::may("write", FILES, "Files, new or replaced as a whole: text by path."),
    Key::may("edit", Shape::OneOrList(&FIELDS), "Fields of YAML files."),
    Key::may("delete", Shape::List(&Shape::Path), "Files and folders that go away."),
];

static CI: Map = Map {
    name: "ci",
    what: "a ci",
    keys: &[
        &[Key::must("build", Shape::Duration, "How long the pipeline builds before it commits.")],
        EDITS,
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

const MANAGER: &[Key] = &[
    Key::may("as", Shape::Text, "The writer's field manager. Default: kubectl."),
    Key::may("may-fail", Shape::Flag, "Whether the API server may refuse it. Default: false."),
];

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
