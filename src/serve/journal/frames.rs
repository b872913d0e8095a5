//! What a log looks like: a first line, then batches, each with its length and its checksum.
//!
//! A batch is what went to the disk at one time: a letter, then lines of JSON. The state (`S`,
//! several) comes first and has an end (`E`); commits (`C`) follow; a stop that was no crash (`Z`)
//! is the last. `E` and `Z` hold a revision.

use std::io::{self, Read};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::object::{Name, Object};
use crate::sim::store::{Commit, Key, Resource};

/// The first line of every log.
pub(super) const HEAD: &[u8] = b"towtank log 1\n";

/// Bytes of a batch's length and checksum.
const FRONT: usize = 8;

/// What a batch holds.
#[derive(Debug, PartialEq)]
pub(super) enum Batch {
    State(Vec<Commit>),
    EndOfState(u64),
    Commits(Vec<Commit>),
    Stopped(u64),
}

#[derive(Serialize)]
struct Line<'a> {
    r: u64,
    g: &'a str,
    p: &'a str,
    k: &'a str,
    o: Option<&'a Object>,
}

#[derive(Deserialize)]
struct OwnedLine {
    r: u64,
    g: String,
    p: String,
    k: String,
    o: Option<Object>,
}

/// A batch of the whole state, or of commits.
pub(super) fn of_commits(letter: u8, commits: &[Commit]) -> io::Result<Vec<u8>> {
    let mut body = Vec::with_capacity(commits.len() * 1024 + 16);
    body.extend([letter, b'\n']);
    for commit in commits {
        let line = Line {
            r: commit.revision,
            g: &commit.resource.group,
            p: &commit.resource.plural,
            k: commit.key.as_str(),
            o: commit.object.as_deref(),
        };
        serde_json::to_writer(&mut body, &line)?;
        body.push(b'\n');
    }
    framed(&body)
}

/// A batch of a revision.
pub(super) fn of_revision(letter: u8, revision: u64) -> io::Result<Vec<u8>> {
    framed(format!("{}\n{revision}\n", char::from(letter)).as_bytes())
}

fn framed(body: &[u8]) -> io::Result<Vec<u8>> {
    let length = u32::try_from(body.len()).map_err(io::Error::other)?;
    let mut out = Vec::with_capacity(FRONT + body.len());
    out.extend(length.to_le_bytes());
    out.extend(checksum(body).to_le_bytes());
    out.extend(body);
    Ok(out)
}

fn checksum(body: &[u8]) -> u32 {
    let mut sum = flate2::Crc::new();
    sum.update(body);
    sum.sum()
}

/// What comes next in a log.
#[derive(Debug, PartialEq)]
pub(super) enum Next {
    /// A batch, of so many bytes.
    Batch(Batch, u64),
    /// Nothing.
    End,
    /// A batch that was not written to its end.
    Torn,
    /// A batch that is all there and is not what was written.
    Damaged(String),
}

/// Reads the next batch; `left` are the bytes that the log has from here on.
pub(super) fn next(log: &mut impl Read, left: u64) -> io::Result<Next> {
    if left == 0 {
        return Ok(Next::End);
    }
    let mut front = [0; FRONT];
    if left < FRONT as u64 {
        return Ok(Next::Torn);
    }
    log.read_exact(&mut front)?;
    let number =
        |at: usize| u32::from_le_bytes([front[at], front[at + 1], front[at + 2], front[at + 3]]);
    let (length, sum) = (number(0), number(4));
    let whole = FRONT as u64 + u64::from(length);
    if left < whole || length == 0 {
        return Ok(Next::Torn);
    }
    let mut body = vec![0; length as usize];
    log.read_exact(&mut body)?;
    if checksum(&body) != sum {
        // At the very end it is what a crash of the machine leaves.
        let torn = left == whole;
        return Ok(if torn { Next::Torn } else { Next::Damaged("a wrong checksum".to_owned()) });
    }
    Ok(match read(&body) {
        Ok(batch) => Next::Batch(batch, whole),
        Err(why) => Next::Damaged(why),
    })
}

fn read(body: &[u8]) -> Result<Batch, String> {
    let [letter, b'\n', lines @ ..] = body else {
        return Err("a batch without a letter".to_owned());
    };
    let revision = || {
        let text = std::str::from_utf8(lines).map_err(|e| e.to_string())?;
        text.trim().parse::<u64>().map_err(|e| e.to_string())
    };
    let commits = || {
        let lines = lines.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        lines.map(commit).collect::<Result<Vec<Commit>, String>>()
    };
    match letter {
        b'S' => commits().map(Batch::State),
        b'E' => revision().map(Batch::EndOfState),
        b'C' => commits().map(Batch::Commits),
        b'Z' => revision().map(Batch::Stopped),
        other => Err(format!("a batch of the unknown kind {:?}", char::from(*other))),
    }
}

fn commit(line: &[u8]) -> Result<Commit, String> {
    let line: OwnedLine = serde_json::from_slice(line).map_err(|e| e.to_string())?;
    let resource = Resource { group: Name::Owned(line.g), plural: Name::Owned(line.p) };
    Ok(Commit {
        revision: line.r,
        resource,
        key: Key::from_text(&line.k),
        object: line.o.map(Arc::new),
    })
}
