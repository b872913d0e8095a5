//! Series of pushes that the real git was given: the same ids must come out.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;
use towtank::base::Time;
use towtank::engine::model::GitId;
use towtank::engine::source::{Signature, SourceError, Trees, git_id};
use towtank::lab::world::git::{Commit, Edit, GitError, GitWorld, scenario_author};

const RECORDED: &str = include_str!("../../baseline/git/series.jsonl");

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_else(|| panic!("no {key} in {value}"))
}

fn edits(step: &Value) -> Vec<Edit> {
    let deleted = step["delete"].as_array().unwrap().iter();
    let deleted = deleted.map(|path| Edit::Delete { path: path.as_str().unwrap().to_owned() });
    let written = step["write"].as_object().unwrap().iter().map(|(path, text)| Edit::Write {
        path: path.clone(),
        bytes: text.as_str().unwrap().as_bytes().to_vec(),
    });
    deleted.chain(written).collect()
}

/// What came of a step: `id` and `tree`, `conflict`, or nothing.
fn do_step(world: &mut GitWorld, step: &Value, by: &Signature) -> Value {
    let commit = match text(step, "op") {
        "commit" => {
            let (edits, message) = (edits(step), text(step, "message"));
            match step["on"].as_str() {
                Some(branch) => world.commit_on(branch, &edits, message, by),
                None => world.commit(&edits, message, by),
            }
        }
        "branch" => {
            world.branch(text(step, "name"), text(step, "rev")).unwrap();
            return serde_json::json!({});
        }
        "merge" => world.merge(text(step, "rev"), None, by),
        "revert" => world.revert(text(step, "rev"), None, by),
        "note" => {
            let about = world.resolve(text(step, "rev")).unwrap();
            let tip = world.note(&about, text(step, "line"), by).unwrap();
            return serde_json::json!({ "tree": tree_of(world, &tip) });
        }
        other => panic!("a step that is not known: {other}"),
    };
    came(commit)
}

fn came(commit: Result<Commit, GitError>) -> Value {
    match commit {
        Ok(commit) => serde_json::json!({ "id": &*commit.id, "tree": &*commit.tree }),
        Err(GitError::Source(SourceError::Conflict { paths, .. })) => {
            serde_json::json!({ "conflict": paths })
        }
        Err(other) => panic!("{other}"),
    }
}

fn tree_of(world: &GitWorld, commit: &str) -> String {
    Trees::new().artifact(world.objects(), commit).unwrap().tree.id.to_string()
}

#[test]
fn the_same_pushes_give_the_ids_that_git_gives() {
    let mut series = 0;
    for line in RECORDED.lines().skip(1) {
        let record: Value = serde_json::from_str(line).unwrap();
        let name = text(&record, "series");
        let start = Time::from_micros(record["start"].as_u64().unwrap() * 1_000_000);
        let bytes = |(path, text): (&String, &Value)| {
            (path.clone(), text.as_str().unwrap().as_bytes().to_vec())
        };
        let files = record["files"].as_object().unwrap().iter().map(bytes).collect();
        let mut world = GitWorld::from_files(&files, start).unwrap();
        assert_eq!(&*world.head(), text(&record["first"], "id"), "{name}: the first commit");
        for (number, step) in (1..).zip(record["steps"].as_array().unwrap()) {
            let by = scenario_author(start + Duration::from_secs(60 * number));
            let got = do_step(&mut world, step, &by);
            assert_eq!(got, step["came"], "{name}: step {number}: {step}");
        }
        series += 1;
    }
    assert_eq!(series, 7);
}

#[test]
fn what_cannot_be_reverted_is_told() {
    let files = BTreeMap::from([("a".to_owned(), b"1\n".to_vec())]);
    let mut world = GitWorld::from_files(&files, Time::VIRTUAL_START).unwrap();
    let first = world.head();
    let by = scenario_author(Time::VIRTUAL_START);
    let write = Edit::Write { path: "a".to_owned(), bytes: b"2\n".to_vec() };
    let second = world.commit(&[write], "m", &by).unwrap().id;
    world.revert("HEAD", None, &by).unwrap();
    let refused = |world: &mut GitWorld, bad: &GitId| {
        world.revert_for_engine(bad, "it failed", &by).unwrap_err().to_string()
    };
    assert_eq!(
        refused(&mut world, &first),
        format!(
            "reverting {first}: it is the first commit of its history, there is nothing to go back to"
        )
    );
    let head = world.head();
    assert_eq!(
        refused(&mut world, &second),
        format!("reverting {second}: at {head} nothing of it is left to take back")
    );
    let gone = git_id(&gix::ObjectId::null(gix::hash::Kind::Sha1));
    assert!(refused(&mut world, &gone).contains("is not there; if this is a shallow"));
    assert_eq!(world.head(), head);
}
