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
        Key::may("world", Shape::Map(&WORLD), "The cluster."),
        Key::may("seed", Shape::Whole(0, u64::MAX), "The seed, where the command line gives none."),
        Key::may("apps", Shape::List(&Shape::Map(&APP)), "The Apps to keep in sync."),
        Key::may("images", IMAGES, "What images do."),
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

static WORLD: Map = Map {
    name: "world",
    what: "a world",
    keys: &[&[
        Key::may("profile", Shape::Word(&PROFILES), "How long things take. Default: warm."),
        Key::may("nodes", Shape::Whole(1, 1_000), "How many nodes there are. Default: 3."),
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

const IMAGES: Shape = Shape::Each(KeyShape::ImagePattern, &Shape::Map(&IMAGE));

static IMAGE: Map = Map {
    name: "image",
    what: "an image",
    keys: &[&[
        Key::may("pull", Shape::DurationOr(&["fails", "never"]), "How a pull goes."),
        Key::may("start", Shape::Duration, "From image present to container running."),
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
