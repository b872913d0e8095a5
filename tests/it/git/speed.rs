//! How long the repository of a large run takes. Not a gate: run it by hand, in release, with
//! `cargo test --release --test it git::speed -- --ignored --nocapture`.

use std::collections::BTreeMap;
use std::time::Instant;

use towtank::base::Time;
use towtank::engine::source::Trees;
use towtank::lab::world::git::{Edit, GitWorld};

use super::at;

#[expect(clippy::disallowed_methods, reason = "a measurement of the machine's own time")]
fn now() -> Instant {
    Instant::now()
}

#[expect(clippy::print_stdout, reason = "the figures are what the test is for")]
fn tell(what: &str, since: Instant, times: u32) {
    println!("{what}: {} µs", (since.elapsed() / times).as_micros());
}

fn measure(apps: usize) {
    let mut files = BTreeMap::new();
    for app in 0..apps {
        for name in ["deployment", "service", "config", "kustomization"] {
            let text = format!(
                "kind: {name}\nname: app-{app}\nimage: shop/app-{app}:v1\n{}",
                "line: value\n".repeat(30)
            );
            files.insert(format!("apps/app-{app}/{name}.yaml"), text.into_bytes());
        }
    }
    let since = now();
    let mut world = GitWorld::from_files(&files, Time::VIRTUAL_START).unwrap();
    tell(&format!("{apps} apps: create"), since, 1);
    let mut trees = Trees::new();
    let since = now();
    trees.artifact(world.objects(), &world.head()).unwrap();
    tell("  first artifact", since, 1);
    let edit = |number: u64| Edit::Write {
        path: format!("apps/app-{}/config.yaml", number % 100),
        bytes: format!("x: {number}\n").into_bytes(),
    };
    let since = now();
    for number in 0..100 {
        world.commit(&[edit(number)], "m", &at(number)).unwrap();
    }
    tell("  commit of one file", since, 100);
    let since = now();
    for number in 100..200 {
        world.commit(&[edit(number)], "m", &at(number)).unwrap();
        trees.artifact(world.objects(), &world.head()).unwrap();
    }
    tell("  commit of one file and artifact", since, 100);
    let since = now();
    for number in 0..10 {
        let mut draft = world.draft().unwrap();
        draft.set_image("shop/app-7", &format!("v{number}")).unwrap();
        draft.finish().unwrap();
    }
    tell("  set-image", since, 10);
    let since = now();
    for number in 0..10 {
        let head = world.head();
        world.revert("HEAD", None, &at(number)).unwrap();
        world.note(&head, "taken back", &at(number)).unwrap();
    }
    tell("  revert and note", since, 10);
    let since = now();
    let copy = world.clone();
    tell("  clone of the world", since, 1);
    assert_eq!(copy.head(), world.head());
}

#[test]
#[ignore = "a measurement, to be run in release"]
fn a_large_run() {
    measure(250);
    measure(1_000);
}
