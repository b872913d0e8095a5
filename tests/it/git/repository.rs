//! Worlds that begin with a folder or a repository on disk, and objects handed to the real git.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use tempfile::TempDir;
use towtank::base::{Time, limits};
use towtank::engine::source::{NOTES_REF, Signature, Trees};
use towtank::lab::world::git::{Edit, GitWorld};

use super::{at, text, write};

fn put(folder: &TempDir, path: &str, bytes: &[u8]) {
    let full = folder.path().join(path);
    fs::create_dir_all(full.parent().unwrap()).unwrap();
    fs::write(full, bytes).unwrap();
}

fn open(path: &Path) -> Result<GitWorld, String> {
    GitWorld::from_path(path, Time::VIRTUAL_START)
        .map_err(|e| e.to_string().replace(&path.display().to_string(), "REPO"))
}

/// A repository on disk with two commits on `main` and an annotated tag, written by gix.
fn repository() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let repo = gix::init(folder.path()).unwrap();
    let mut parents: Vec<gix::ObjectId> = Vec::new();
    for (second, bytes) in [(0, "1\n"), (60, "2\n")] {
        let blob = repo.write_blob(bytes).unwrap().detach();
        let kind = gix::objs::tree::EntryKind::Blob;
        let entry = gix::objs::tree::Entry { mode: kind.into(), filename: "a".into(), oid: blob };
        let tree = repo.write_object(gix::objs::Tree { entries: vec![entry] }).unwrap().detach();
        let who = format!("A <a@b> {second} +0000");
        let who = gix::actor::SignatureRef::from_bytes(who.as_bytes()).unwrap();
        let id = repo.commit_as(who, who, "refs/heads/main", "m", tree, parents).unwrap();
        parents = vec![id.detach()];
    }
    let reference = gix::refs::transaction::PreviousValue::Any;
    repo.tag("v1", parents[0], gix::objs::Kind::Commit, None, "m", reference).unwrap();
    folder
}

/// Every file of a folder, by path.
fn snapshot(folder: &Path, found: &mut BTreeMap<String, Vec<u8>>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            snapshot(&path, found);
        } else {
            found.insert(path.display().to_string(), fs::read(&path).unwrap());
        }
    }
}

#[test]
fn a_folder_becomes_commit_one_without_a_look_at_its_parents() {
    let outer = repository();
    put(&outer, "inner/b", b"2");
    put(&outer, "inner/x/.git/config", b"no");
    put(&outer, "inner/.gitignore", b"b\n");
    let inner = outer.path().join("inner");
    let world = open(&inner).unwrap();
    assert_eq!(world.list("**").unwrap(), [".gitignore", "b"]);
    assert_eq!(world.log("HEAD", 9).unwrap().len(), 1);
    assert_eq!(open(&inner).unwrap().head(), world.head());
}

#[test]
#[cfg(unix)]
fn links_and_large_files_are_told_and_not_followed() {
    let folder = tempfile::tempdir().unwrap();
    put(&folder, "a", b"1");
    let size = usize::try_from(limits::BLOB_BYTES).unwrap() + 1;
    put(&folder, "d/large", &vec![b'x'; size]);
    std::os::unix::fs::symlink("../a", folder.path().join("d/link")).unwrap();
    let world = open(folder.path()).unwrap();
    assert_eq!(world.notices(), ["d/link: a symbolic link to ../a"]);
    let mut trees = Trees::new();
    let artifact = trees.artifact(world.objects(), &world.head()).unwrap();
    assert_eq!(artifact.tree.file("d/large").map(|blob| blob.bytes.len()), Some(0));
    assert_eq!(artifact.tree.find("d/link"), None);
    let told: Vec<_> =
        trees.left_out(&artifact).into_iter().map(|l| format!("{}: {}", l.path, l.why)).collect();
    assert_eq!(told, ["d/large: it is too large to be read", "d/link: it is a symbolic link"]);
}

#[test]
fn a_repository_is_taken_with_its_history_and_never_written_to() {
    let folder = repository();
    let mut before = BTreeMap::new();
    snapshot(folder.path(), &mut before);
    let mut world = open(folder.path()).unwrap();
    assert_eq!((world.branch_name(), text(&world, "a").as_str()), ("main", "2\n"));
    assert_eq!(world.resolve("v1"), Ok(world.head()));
    let short = world.head()[..8].to_owned();
    assert_eq!(world.resolve(&short), Ok(world.head()));
    world.revert("HEAD", None, &at(2)).unwrap();
    assert_eq!(text(&world, "a"), "1\n");
    world.commit(&[write("b", "x")], "m", &at(3)).unwrap();
    world.note(&world.head(), "ready", &at(3)).unwrap();
    world.tag("v2").unwrap();
    let head = world.head();
    assert_eq!(world.force_to("v1~1").unwrap().parents, []);
    assert_eq!(world.resolve(&head), Ok(head));
    let mut after = BTreeMap::new();
    snapshot(folder.path(), &mut after);
    assert!(before == after);
}

#[test]
fn a_head_at_no_branch_becomes_one() {
    let folder = repository();
    let tip = open(folder.path()).unwrap().head();
    fs::write(folder.path().join(".git/HEAD"), format!("{tip}\n")).unwrap();
    assert_eq!(open(folder.path()).unwrap().branch_name(), "main");
    let first = open(folder.path()).unwrap().resolve("HEAD~1").unwrap();
    fs::write(folder.path().join(".git/HEAD"), format!("{first}\n")).unwrap();
    let world = open(folder.path()).unwrap();
    assert_eq!((world.branch_name(), world.head()), ("towtank-detached", first));
    assert_eq!(world.resolve("main"), Ok(tip));
}

/// Breaks a repository and expects an error with these words.
#[track_caller]
fn broken(how: impl Fn(&Path), words: &[&str]) {
    let folder = repository();
    how(&folder.path().join(".git"));
    let error = open(folder.path()).unwrap_err();
    for word in words {
        assert!(error.contains(word), "no `{word}` in: {error}");
    }
}

fn object(git: &Path, id: &str) -> std::path::PathBuf {
    git.join("objects").join(&id[..2]).join(&id[2..])
}

#[test]
fn a_broken_repository_is_told_by_what_is_broken() {
    let tip = open(repository().path()).unwrap().log("HEAD", 1).unwrap().remove(0);
    broken(|git| fs::remove_file(git.join("HEAD")).unwrap(), &["REPO/.git/HEAD is missing"]);
    broken(|git| fs::write(git.join("HEAD"), "nonsense\n").unwrap(), &["opening REPO", "HEAD"]);
    broken(|git| fs::write(git.join("config"), "[core\n").unwrap(), &["opening REPO", "config"]);
    broken(
        |git| fs::remove_dir_all(git.join("objects")).unwrap(),
        &["REPO/.git/objects is missing"],
    );
    broken(
        |git| fs::write(git.join("HEAD"), "ref: refs/heads/none\n").unwrap(),
        &["its branch refs/heads/none has no commit yet"],
    );
    broken(
        |git| fs::remove_file(object(git, &tip.id)).unwrap(),
        &["commit", &tip.id, "is not there"],
    );
    broken(
        |git| fs::remove_file(object(git, &tip.tree)).unwrap(),
        &["root folder", &tip.tree, "is not there"],
    );
    let garble = |git: &Path| {
        fs::remove_file(object(git, &tip.id)).unwrap();
        fs::write(object(git, &tip.id), "garbage").unwrap();
    };
    broken(garble, &["commit", &tip.id, "cannot be read"]);
    broken(
        |git| {
            fs::remove_dir_all(git).unwrap();
            fs::write(git, "gitdir: elsewhere\n").unwrap();
        },
        &["opening REPO: not a readable Git repository"],
    );
    assert!(
        open(Path::new("does/not/exist")).unwrap_err().starts_with("opening REPO: No such file")
    );
}

#[test]
fn a_missing_file_of_a_commit_is_named_when_it_is_read() {
    let folder = repository();
    let world = open(folder.path()).unwrap();
    let blob = "0cfbf08886fca9a91cb753ec8734c84fcbe52c9f";
    fs::remove_file(object(&folder.path().join(".git"), blob)).unwrap();
    let error = Trees::new().artifact(world.objects(), &world.head()).unwrap_err().to_string();
    assert!(
        error.contains(&format!(
            "file a in / of commit {}, object {blob} is not there",
            world.head()
        )),
        "{error}"
    );
}

#[expect(clippy::disallowed_methods, reason = "the real git is what the test asks")]
fn git(folder: &Path, args: &[&str], input: &[u8]) -> Option<String> {
    let mut command = Command::new("git");
    command.args(args).current_dir(folder).stdin(Stdio::piped()).stdout(Stdio::piped());
    command.env("GIT_CONFIG_NOSYSTEM", "1").env("GIT_CONFIG_GLOBAL", "/dev/null");
    let mut child = command.spawn().ok()?;
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), input).unwrap();
    let done = child.wait_with_output().unwrap();
    assert!(done.status.success(), "git {args:?}");
    Some(String::from_utf8(done.stdout).unwrap())
}

#[test]
fn a_packed_repository_and_a_shallow_bare_clone_are_read() {
    let folder = repository();
    if git(folder.path(), &["gc", "-q"], b"").is_none() {
        eprintln!("skipped: there is no git program");
        return;
    }
    let mut packed = open(folder.path()).unwrap();
    let head = packed.head();
    assert_eq!(packed.log("v1", 9).unwrap().len(), 2);
    assert_eq!(packed.resolve(&head[..6]), Ok(head.clone()));
    packed.revert("HEAD", None, &at(2)).unwrap();
    assert_eq!(text(&packed, "a"), "1\n");
    let from = format!("file://{}", folder.path().display());
    git(folder.path(), &["clone", "-q", "--bare", "--depth=1", &from, "clone"], b"");
    let clone = folder.path().join("clone");
    let mut shallow = open(&clone).unwrap();
    assert!(shallow.notices()[0].contains("a shallow clone"), "{:?}", shallow.notices());
    assert_eq!((shallow.head(), text(&shallow, "a").as_str()), (head, "2\n"));
    let error = shallow.revert("HEAD", None, &at(2)).unwrap_err().to_string();
    assert!(error.contains("fetch its full history"), "{error}");
}

#[test]
fn the_real_git_reads_the_notes_and_finds_nothing_wrong() {
    let folder = tempfile::tempdir().unwrap();
    if git(folder.path(), &["init", "-q", "-b", "main"], b"").is_none() {
        eprintln!("skipped: there is no git program");
        return;
    }
    let mut world = super::world(&[("a", "1\n"), ("d/b", "2\n")]);
    let engine = Signature::engine(at(1).at);
    let mut heads = vec![world.head()];
    for number in 0..300 {
        let path = "a".to_owned();
        let edit = Edit::Write { path, bytes: format!("{number}\n").into_bytes() };
        heads.push(world.commit(&[edit], "m", &at(number)).unwrap().id);
    }
    for head in &heads {
        world.note(head, &format!("about {head}"), &engine).unwrap();
    }
    world.note(&heads[0], "and more", &engine).unwrap();
    let repo = gix::open(folder.path()).unwrap();
    for (kind, bytes) in world.objects().written() {
        gix::objs::Write::write_buf(&repo, kind, &bytes).unwrap();
    }
    let set = |name: &str, id: &str| git(folder.path(), &["update-ref", name, id], b"");
    set("refs/heads/main", &world.head());
    set(NOTES_REF, &world.notes_tip().unwrap());
    let shown = |id: &str| git(folder.path(), &["notes", "--ref=towtank", "show", id], b"");
    assert_eq!(shown(&heads[0]), Some(format!("about {}\nand more\n", heads[0])));
    assert_eq!(shown(&heads[7]), Some(format!("about {}\n", heads[7])));
    assert_eq!(world.note_of(&heads[0]), Ok(shown(&heads[0])));
    git(folder.path(), &["fsck", "--strict", "--no-dangling"], b"");
}
