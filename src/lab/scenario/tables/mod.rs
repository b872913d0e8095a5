//! The grammar of the scenario language: every map, its keys, their shapes and what they are for.
//!
//! The one place where a key is added. What a key then means is read in `read`. The file as a
//! whole, Apps and images stand here, steps and expectations in files of their own.

mod expectations;
mod steps;

use super::grammar::{Key, KeyShape, Map, Shape};

/// A scenario file.
pub(super) static SCENARIO: Map = Map {
    name: "scenario",
    what: "a scenario",
    keys: &[&[
        Key::must("name", Shape::Name, "Its name, in kebab case."),
        Key::must("description", Shape::Text, "What it shows, in a sentence."),
        Key::must(
            "repo",
            Shape::Either(&Shape::Text, &Shape::Map(&INLINE_REPO)),
            "What the repository holds at the start: a folder relative to this file, or files.",
        ),
        Key::may(
            "remotes",
            Shape::Each(KeyShape::Url, &Shape::Text),
            "What stands for the things that kustomizations name by URL: a folder relative to this \
             file, by URL or by repository.",
        ),
        Key::may("world", Shape::Map(&WORLD), "The cluster."),
        Key::may("seed", Shape::Whole(0, u64::MAX), "The seed, where the command line gives none."),
        Key::may(
            "needs",
            Shape::List(&Shape::Word(&[
                "scripted-images",
                "scripted-nodes",
                "virtual-time",
                "faults",
            ])),
            "What the place must give that it is run in; where it does not, it is skipped.",
        ),
        Key::may(
            "notice",
            Shape::Either(&Shape::Word(&["webhook"]), &Shape::Map(&NOTICE)),
            "How the engine hears of pushes. Default: webhook.",
        ),
        Key::may("apps", Shape::List(&Shape::Map(&APP)), "The Apps to keep in sync."),
        Key::may("images", IMAGES, "What images do."),
        Key::may("metrics", METRICS, "What is measured of workloads, for autoscalers."),
        Key::may(
            "foreign",
            FOREIGN,
            "What becomes of objects whose controllers are not there, before what is built in.",
        ),
        Key::must(
            "steps",
            Shape::List(&Shape::Variants(&steps::STEP)),
            "What is done and expected.",
        ),
    ]],
};

static INLINE_REPO: Map = Map {
    name: "repo",
    what: "a repo",
    keys: &[&[Key::must("files", FILES, "The files of commit one: text by path.")]],
};

const FILES: Shape = Shape::Each(KeyShape::Path, &Shape::Content);

static NOTICE: Map = Map {
    name: "notice",
    what: "a notice",
    keys: &[&[Key::must("poll", Shape::Duration, "How often the engine looks itself.")]],
};

static WORLD: Map = Map {
    name: "world",
    what: "a world",
    keys: &[&[
        Key::may("profile", Shape::Word(&PROFILES), "How long things take. Default: warm."),
        Key::may("nodes", Shape::Whole(1, 1_000), "How many nodes there are. Default: 3."),
        Key::may("stages", Shape::Text, "A file of stages, relative to this one."),
    ]],
};

/// The latency profiles (`base::profile`).
static PROFILES: [&str; 3] = ["instant", "warm", "cold"];

static APP: Map = Map {
    name: "app",
    what: "an App",
    keys: &[&[
        Key::must("name", Shape::Name, "Its name, unique in the scenario."),
        Key::may("path", Shape::Path, "Its folder in the repository. Default: all of it."),
        Key::may(
            "namespace",
            Shape::Name,
            "Namespace of namespaced objects that name none. Default: default.",
        ),
        Key::may(
            "depends-on",
            Shape::List(&Shape::Name),
            "Apps that are ready, at the same commit, before this one starts.",
        ),
        Key::may(
            "on-failure",
            Shape::Word(&["hold", "rollback", "revert"]),
            "What is done about a failed revision. Default: hold.",
        ),
        Key::may(
            "drift",
            Shape::Word(&["correct", "report", "ignore"]),
            "What is done about drift. Default: correct.",
        ),
        Key::may(
            "health-timeout",
            Shape::Duration,
            "How long after the apply a revision may take to become healthy. Default: 5m.",
        ),
        Key::may(
            "prune",
            Shape::Flag,
            "Whether objects that left the repository are deleted. Default: true.",
        ),
    ]],
};

/// Stages of objects; what they may say beyond their form is read in `sim::stages`.
const FOREIGN: Shape = Shape::OneOrList(&Shape::Map(&STAGE));

static STAGE: Map = Map {
    name: "stage",
    what: "a stage",
    keys: &[&[
        Key::may("name", Shape::Text, "What it is called."),
        Key::must(
            "kind",
            Shape::Text,
            "Kind.group, as in Certificate.cert-manager.io; the kind alone of the core group.",
        ),
        Key::may("when", Shape::Map(&WHEN), "Of which objects, in which state. Default: all."),
        Key::may(
            "after",
            Shape::Either(&Shape::Text, &Shape::Part),
            "How long after that state was seen: 2s, 2s..5s, or a map of these by profile.",
        ),
        Key::may(
            "weight",
            Shape::Whole(0, 1_000_000),
            "How often, compared with others that fit. Default: 1.",
        ),
        Key::may(
            "outcome",
            Shape::Word(&["ready", "failed", "never"]),
            "Whether its conditions are True or False, or nothing comes. Default: ready.",
        ),
        Key::may(
            "condition",
            Shape::Any,
            "A type, a map with type, status, reason, message, or a list.",
        ),
        Key::may("reason", Shape::Text, "The reason of its conditions."),
        Key::may("message", Shape::Text, "Their message."),
        Key::may("set", Shape::Part, "Fields below status: value by path."),
        Key::may("secret", Shape::Map(&SECRET), "The Secret that the controller would write."),
        Key::may("create", Shape::List(&Shape::Object), "Objects that are created with it."),
    ]],
};

static WHEN: Map = Map {
    name: "when",
    what: "a selector of objects",
    keys: &[&[
        Key::may("namespace", Shape::Text, "* stands for any text."),
        Key::may("name", Shape::Text, "* stands for any text."),
        Key::may("labels", Shape::Part, "Labels, * standing for any text."),
        Key::may("annotations", Shape::Part, "Annotations, * standing for any text."),
        Key::may("has", Shape::Part, "Fields that the object has."),
        Key::may("conditions", Shape::Part, "Status by type; absent for one that is not there."),
    ]],
};

static SECRET: Map = Map {
    name: "secret",
    what: "a secret",
    keys: &[&[
        Key::must("name", Shape::Text, "Its name, with fields of the object in braces."),
        Key::may("type", Shape::Text, "Its type. Default: Opaque."),
        Key::may("keys", Shape::List(&Shape::Text), "Its keys."),
        Key::may("keys-of", Shape::Text, "A map of the object whose keys it has."),
        Key::may("key-of-each", Shape::Text, "A field of a list's items: spec.data[].secretKey."),
        Key::may("owned", Shape::Flag, "Whether it goes with the object. Default: false."),
    ]],
};

const IMAGES: Shape = Shape::Each(KeyShape::ImagePattern, &Shape::Map(&IMAGE));

const METRICS: Shape =
    Shape::Each(KeyShape::Object, &Shape::Each(KeyShape::Metric, &Shape::Reading));

static IMAGE: Map = Map {
    name: "image",
    what: "an image",
    keys: &[&[
        Key::may("pull", Shape::DurationOr(&["fails", "never"]), "How a pull goes."),
        Key::may("start", Shape::Duration, "From image present to container running."),
        Key::may(
            "post-start",
            Shape::DurationOr(&["fails", "never"]),
            "How its postStart hook goes, where the container has one.",
        ),
        Key::may("ready", Shape::DurationOr(&["never"]), "From running to readiness."),
        Key::may(
            "crash",
            Shape::Either(&Shape::Phrase("after"), &Shape::Map(&CRASH)),
            "The container ends by itself, with an error.",
        ),
        Key::may(
            "live",
            Shape::Phrase("until"),
            "Liveness probes succeed for this long after the start, then fail.",
        ),
        Key::may("exit", Shape::Map(&EXIT), "The container ends by itself, as a job does."),
        Key::may(
            "pre-stop",
            Shape::DurationOr(&["fails", "never"]),
            "How its preStop hook goes, where the container has one.",
        ),
        Key::may(
            "stop",
            Shape::DurationOr(&["ignored", "hangs"]),
            "What the container does when it is told to stop.",
        ),
    ]],
};

static CRASH: Map = Map {
    name: "crash",
    what: "a crash",
    keys: &[&[
        Key::must("after", Shape::Duration, "How long after the container's start."),
        Key::may("exit-code", Shape::Whole(1, 255), "The exit code. Default: 1."),
        Key::may(
            "times",
            Shape::Whole(1, 1_000),
            "How often in one pod. Default: each time the container starts.",
        ),
    ]],
};

static EXIT: Map = Map {
    name: "exit",
    what: "an exit",
    keys: &[&[
        Key::must("after", Shape::Duration, "How long after the container's start."),
        Key::may("code", Shape::Whole(0, 255), "The exit code. Default: 0."),
    ]],
};
