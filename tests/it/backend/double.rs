//! kind and k3d by a double that answers as they do and writes down how it was called: no machine
//! of tests has a container engine. The words of its answers are those of kind 0.33 and k3d 5.8.
#![expect(clippy::unwrap_used, reason = "a test ends at the first thing that is not there")]

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Output;

use super::places::{SMALL, Served, folder, told, towtank};

/// Puts a program into a folder that stands in for `name`: it writes its arguments to `calls`.
fn double(bin: &Path, name: &str, body: &str) {
    fs::create_dir_all(bin).unwrap();
    let text = format!("#!/bin/sh\necho \"$*\" >> \"{}\"\n{body}\n", bin.join("calls").display());
    let file = bin.join(name);
    fs::write(&file, text).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
}

/// A double whose clusters are these, and whose cluster is the one of `kubeconfig`.
fn working(there: &str, kubeconfig: &Path) -> String {
    let config = kubeconfig.display();
    format!(
        "case \"$*\" in\n'get clusters'*|'cluster list'*) printf '{there}' ;;\n\
         'get kubeconfig'*|'kubeconfig get'*) cat '{config}' ;;\nesac"
    )
}

fn run(bin: &Path, args: &[&str]) -> (Output, String) {
    let folder = folder(SMALL);
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
    let args: Vec<&str> = ["run", "."].into_iter().chain(args.iter().copied()).collect();
    let output = towtank(folder.path(), &args).env("PATH", path).output().unwrap();
    (output, fs::read_to_string(bin.join("calls")).unwrap_or_default())
}

#[test]
fn a_kind_cluster_is_made_used_and_removed() {
    let served = Served::start();
    let bin = tempfile::tempdir().unwrap();
    double(bin.path(), "kind", &working("", &served.kubeconfig));
    let flags = ["--cluster", "kind:try", "--k8s-version", "1.36.3", "--nodes", "2"];
    let (output, calls) = run(bin.path(), &flags);
    assert_eq!(output.status.code(), Some(0), "{}", told(&output));
    let calls: Vec<&str> = calls.lines().collect();
    assert_eq!(calls[0], "get clusters --quiet");
    assert!(calls[1].starts_with("create cluster --name try --wait 120s --config "), "{calls:?}");
    assert!(calls[1].ends_with("--image kindest/node:v1.36.3"), "{calls:?}");
    assert_eq!(calls[2..], ["get kubeconfig --name try", "delete cluster --name try"]);
}

#[test]
fn a_cluster_that_is_there_is_used_and_stays() {
    let served = Served::start();
    for (tool, there, get) in [
        ("kind", "other\\ntry\\n", "get kubeconfig --name try"),
        ("k3d", "try   1/1   0/0   true\\n", "kubeconfig get try"),
    ] {
        let bin = tempfile::tempdir().unwrap();
        double(bin.path(), tool, &working(there, &served.kubeconfig));
        let (output, calls) = run(bin.path(), &["--cluster", &format!("{tool}:try")]);
        assert_eq!(output.status.code(), Some(0), "{}", told(&output));
        let calls: Vec<&str> = calls.lines().collect();
        assert_eq!(calls[1..], [get], "{calls:?}");
    }
}

#[test]
fn a_cluster_that_cannot_be_made_is_told_and_cleared_away() {
    let bin = tempfile::tempdir().unwrap();
    let body = "case \"$*\" in create*) echo 'ERROR: failed to create cluster: failed to list \
                nodes: command \"docker ps\" failed with error: exit status 1' >&2; exit 1 ;; esac";
    double(bin.path(), "kind", body);
    let (output, calls) = run(bin.path(), &["--cluster", "kind:try"]);
    let told = told(&output);
    assert_eq!(output.status.code(), Some(4), "{told}");
    assert!(told.contains("failed to create cluster"), "{told}");
    assert!(told.contains("it needs a container engine"), "{told}");
    assert!(calls.ends_with("delete cluster --name try\n"), "{calls}");
}

#[test]
fn a_tool_that_is_not_installed_is_one_message() {
    for tool in ["kind", "k3d"] {
        let folder = folder(SMALL);
        let mut command = towtank(folder.path(), &["run", ".", "--cluster", tool]);
        let output = command.env("PATH", folder.path()).output().unwrap();
        let told = told(&output);
        assert_eq!(output.status.code(), Some(4), "{told}");
        assert!(told.starts_with(&format!("{tool} is not installed")), "{told}");
        assert_eq!(told.lines().count(), 1, "{told}");
    }
}

/// Docker as far as kind gets with it before it needs a container that runs.
const DOCKER: &str = "case \"$*\" in
info*) echo '{\"MemoryLimit\":true,\"CPUShares\":true,\"PidsLimit\":true,\"CgroupDriver\":\"systemd\",\
\"CgroupVersion\":\"2\",\"OSType\":\"linux\",\"Driver\":\"overlay2\"}' ;;
'network ls'*) echo 1 ;;
run*) echo 2 ;;
esac";

#[test]
fn the_real_kind_makes_the_nodes_that_are_wished_for() {
    let path = std::env::var("PATH").unwrap();
    if !path.split(':').any(|folder| Path::new(folder).join("kind").is_file()) {
        eprintln!("skipped: no kind here (go install sigs.k8s.io/kind)");
        return;
    }
    for (nodes, roles) in [("1", 1), ("2", 2)] {
        let bin = tempfile::tempdir().unwrap();
        double(bin.path(), "docker", DOCKER);
        let flags = ["--cluster", "kind:try", "--k8s-version", "1.36.3", "--nodes", nodes];
        let (output, calls) = run(bin.path(), &flags);
        let told = told(&output);
        assert_eq!(output.status.code(), Some(4), "{told}");
        assert!(told.contains("kind create cluster --name try"), "{told}");
        assert!(told.contains("failed to create cluster"), "{told}");
        assert_eq!(told.trim_end().lines().count(), 1, "{told}");
        let made: Vec<&str> = calls.lines().filter(|call| call.starts_with("run ")).collect();
        assert_eq!(made.len(), roles, "{calls}");
        assert!(made.iter().all(|call| call.contains("kindest/node:v1.36.3")), "{calls}");
        let of = |role: &str| calls.matches(&format!("kind.role={role} ")).count();
        assert_eq!((of("control-plane"), of("worker")), (1, roles - 1), "{calls}");
    }
}
