//! The program as it is called: what it prints where, and what it ends with.
#![expect(clippy::unwrap_used, reason = "a test ends at the first thing that is not there")]

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

const GOOD: &str = "\
name: a
description: It is a test.
repo: { files: {} }
apps: [{ name: shop }]
steps: [wait: 1s]
";

/// The program in a folder with a good and a bad scenario.
fn towtank(folder: &Path, args: &[&str]) -> Output {
    command(folder, args).output().unwrap()
}

#[expect(clippy::disallowed_methods, reason = "the program itself is what is tried here")]
fn command(folder: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_towtank"));
    command.current_dir(folder).args(args).env_remove("COLUMNS").env_remove("RUST_BACKTRACE");
    command
}

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("good.scenario.yaml"), GOOD).unwrap();
    fs::create_dir(folder.path().join("bad")).unwrap();
    let bad = GOOD.replace("1s", "1").replace("name: shop", "nam: shop");
    fs::write(folder.path().join("bad/scenario.yaml"), bad).unwrap();
    folder
}

#[track_caller]
fn check(args: &[&str], code: i32, stdout: &str, stderr: &str) {
    let folder = folder();
    let output = towtank(folder.path(), args);
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    let (out, err) = (text(output.stdout), text(output.stderr));
    assert_eq!(output.status.code(), Some(code), "{out}{err}");
    assert!(out.contains(stdout), "{out}");
    assert!(err.contains(stderr), "{err}");
    assert!(!stdout.is_empty() || out.is_empty(), "{out}");
    assert!(!stderr.is_empty() || err.is_empty(), "{err}");
}

#[test]
fn bad_scenarios_are_told_line_by_line_with_exit_code_2() {
    check(
        &["run", "bad"],
        2,
        "",
        "bad/scenario.yaml:4:10: unknown key \"nam\" in an App; did you mean \"name\"?\n",
    );
    check(&["run", "."], 2, "", "bad/scenario.yaml:5:15: expected a duration");
    check(
        &["run", "god.scenario.yaml"],
        2,
        "",
        "god.scenario.yaml: no such file or folder; did you mean \"good.scenario.yaml\"?\n",
    );
}

#[test]
fn a_file_of_stages_that_is_none_is_told_before_anything_is_served() {
    let serve = |file: &'static str| ["apiserver", "--stages", file];
    check(&serve("bad/scenario.yaml"), 2, "", "bad/scenario.yaml: expected a list of stages");
    check(&serve("no.yaml"), 2, "", "no.yaml: ");
}

#[test]
fn a_step_that_names_what_is_not_there_is_told_and_nothing_else_is() {
    let folder = folder();
    fs::remove_dir_all(folder.path().join("bad")).unwrap();
    let late = GOOD
        .replace("name: a", "name: b")
        .replace("wait: 1s", "{ push: { set-image: { shop/cart: \"2\" } } }");
    fs::write(folder.path().join("late.scenario.yaml"), late).unwrap();
    let output = towtank(folder.path(), &["run", ".", "--out", "kept"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(output.stdout.is_empty());
    assert_eq!(
        String::from_utf8(output.stderr).unwrap(),
        "./late.scenario.yaml:5:9: no file of the repository names the image shop/cart; no file names \
         any image\n"
    );
    assert!(!folder.path().join("kept").exists());
}

#[test]
fn what_a_folder_is_to_be_tried_for_is_there() {
    let folder = tempfile::tempdir().unwrap();
    let write = |path: &str, text: &str| {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    let map = "apiVersion: v1\nkind: ConfigMap\nmetadata: { name: a }\n";
    write("base/a.yaml", map);
    write("base/kustomization.yaml", "resources: [a.yaml]\n");
    write("over/kustomization.yaml", "resources: [../base]\n");
    write(
        "part/kustomization.yaml",
        "kind: Component\napiVersion: kustomize.config.k8s.io/v1alpha1\nnamePrefix: a-\n",
    );
    let flux = "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: { name: a }\n";
    write("flux/a/h.yaml", flux);
    write("argo/a.yaml", &flux.replace("helm.toolkit.fluxcd.io/v2", "argoproj.io/v1alpha1"));
    write("none/values.txt", "");
    write("far/a.yaml", &map.replace("name: a", "name: a, namespace: b"));
    for (args, code, told) in [
        (
            &["over"][..],
            2,
            "over/kustomization.yaml:1:13: resources: \"../base\" leads out of the repository; try the folder above: towtank try . --path over\n",
        ),
        (&[".", "--path", "over"], 0, ""),
        (
            &["part"],
            2,
            "part: nothing to deploy: this kustomization builds to no objects; it is a Component",
        ),
        (
            &["flux"],
            2,
            "flux/a/h.yaml:1:1: this is a repository for Flux, whose HelmRelease is not supported yet",
        ),
        (&["argo"], 2, "argo/a.yaml:1:1: this is a repository for Argo CD"),
        (
            &["none"],
            2,
            "none: nothing to deploy: this folder has no objects; expected Kubernetes manifests",
        ),
        (&["far"], 0, ""),
        (&["."], 2, "this is a repository for Argo CD"),
    ] {
        let output = towtank(folder.path(), &[&["try"], args].concat());
        let err = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(code), "{args:?}: {err}");
        assert!(err.contains(told) && err.is_empty() == told.is_empty(), "{args:?}: {err}");
    }
}

#[test]
fn a_try_is_shown_again_by_a_try() {
    let folder = folder();
    let map = "apiVersion: v1\nkind: ConfigMap\nmetadata: { name: a }\n";
    fs::write(folder.path().join("a.yaml"), map).unwrap();
    let args = ["try", ".", "--seed", "5", "--report", "json"];
    let output = towtank(folder.path(), &args);
    let report: towtank::object::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["scenarios"][0]["reproduce"], "towtank try . --seed 5");
}

#[test]
fn wrong_flags_are_told_with_exit_code_2() {
    check(&["run"], 2, "", "required arguments were not provided");
    check(&["run", ".", "--sed", "3"], 2, "", "--seed");
    check(&["run", ".", "--profile", "hot"], 2, "", "possible values: instant, warm, cold");
    check(&["run", ".", "--jobs", "0"], 2, "", "0 is not in 1..");
    check(&["rnu"], 2, "", "unrecognized subcommand 'rnu'");
    check(&[], 2, "", "Usage: towtank <COMMAND>");
}

#[test]
fn help_and_version_are_no_mistakes() {
    check(&["--help"], 0, "Exit codes:", "");
    check(&["run", "--help"], 0, "--clock <CLOCK>", "");
    check(&["--version"], 0, concat!("towtank ", env!("CARGO_PKG_VERSION")), "");
}

#[test]
fn a_good_scenario_is_reported_in_each_format() {
    check(&["run", "good.scenario.yaml", "--seed", "5"], 0, "seed 5", "");
    check(&["run", "good.scenario.yaml", "--report", "json"], 0, "\"name\": \"a\"", "");
    check(&["run", "good.scenario.yaml", "--report", "junit"], 0, "<testsuites", "");
}

#[test]
fn records_are_kept_where_they_are_wanted() {
    let folder = folder();
    let args = ["run", "good.scenario.yaml", "--out", "kept"];
    assert_eq!(towtank(folder.path(), &args).status.code(), Some(0));
    for file in ["raw.jsonl", "record.json", "environment.json"] {
        assert!(folder.path().join("kept/a").join(file).is_file(), "{file}");
    }
    fs::write(folder.path().join("file"), "").unwrap();
    let args = ["run", "good.scenario.yaml", "--out", "file"];
    let output = towtank(folder.path(), &args);
    assert_eq!(output.status.code(), Some(4));
    assert!(String::from_utf8_lossy(&output.stderr).contains("file: cannot be written"));
}

#[test]
fn a_folder_to_try_is_there() {
    check(&["try", "bda"], 2, "", "bda: no such file or folder; did you mean \"bad\"?\n");
    check(&["try", "bad", "--path", "x"], 2, "", "bad/x: no such file or folder\n");
    check(&["try", "bad", "--path", "../x"], 2, "", "expected a path below the folder\n");
    check(&["try", "good.scenario.yaml"], 2, "", "this is a file; expected a folder\n");
}

#[test]
fn the_schema_is_json() {
    let folder = folder();
    let output = towtank(folder.path(), &["schema", "scenario"]);
    let schema: towtank::object::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(schema["title"], "towtank scenario");
}

#[test]
fn a_reader_that_has_seen_enough_is_no_failure() {
    let folder = folder();
    let mut child = command(folder.path(), &["schema", "scenario"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(output.stderr.is_empty());
}

#[test]
fn the_report_in_the_readme_is_what_the_program_prints() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let output = towtank(root, &["run", "scenarios/failure/crash-loop.scenario.yaml"]);
    let printed = String::from_utf8(output.stdout).unwrap();
    let readme = fs::read_to_string(root.join("README.md")).unwrap();
    assert!(readme.contains(&printed), "the README shows another report than this:\n{printed}");
}
