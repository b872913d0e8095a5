//! `towtank conformance`: requests that were recorded with a real kube-apiserver, sent to a server,
//! and its answers held against the recorded ones.
//!
//! The same records and the same comparison are the project's own tests, where they are sent to
//! the API server without a wire. Recording is `scripts/baseline`.

mod blur;
mod compare;
mod live;
pub mod records;
mod table;

use std::path::{Path, PathBuf};

pub use compare::{Answer, Comparison};
use table::Row;

use super::typed::ConformanceArgs;
use super::{Exit, complain, tell};
use crate::base::Profile;
use crate::object::Value;
use crate::serve::{Cluster, Settings};
use crate::sim::world::Parts;

pub(super) fn run(args: &ConformanceArgs) -> Exit {
    let files = match files(args) {
        Ok(files) if files.is_empty() => {
            let folder = args.records.display();
            return complain(Exit::BadInput, &format!("{folder}: no records of that name"));
        }
        Ok(files) => files,
        Err(why) => return complain(Exit::BadInput, &why),
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let rows = match runtime {
        Ok(runtime) => runtime.block_on(rows(args, &files)),
        Err(why) => return complain(Exit::Environment, &format!("the runtime: {why}")),
    };
    let rows = match rows {
        Ok(rows) => rows,
        Err(why) => return complain(Exit::Environment, &why),
    };
    let diverges = rows.iter().any(|row| !row.new.is_empty());
    let exit = if diverges { Exit::Failed } else { Exit::Ok };
    let differences = table::differences(&rows, args.known);
    tell(exit, &format!("{}{differences}", table::table(&rows)))
}

/// The files of records that are meant.
fn files(args: &ConformanceArgs) -> Result<Vec<PathBuf>, String> {
    let mut found = Vec::new();
    for part in &args.part {
        let folder = args.records.join(part);
        let files = records::files(&folder).map_err(|e| e.to_string())?;
        let named = |file: &PathBuf| {
            let name = file.file_name().unwrap_or_default().to_string_lossy();
            args.only.is_empty() || args.only.iter().any(|only| name.starts_with(only.as_str()))
        };
        found.extend(files.into_iter().filter(named));
    }
    Ok(found)
}

async fn rows(args: &ConformanceArgs, files: &[PathBuf]) -> Result<Vec<Row>, String> {
    let mut rows = Vec::new();
    for file in files {
        let records = records::read(file).map_err(|e| e.to_string())?;
        rows.push(row(args, file, &records).await?);
    }
    Ok(rows)
}

async fn row(args: &ConformanceArgs, file: &Path, records: &[Value]) -> Result<Row, String> {
    let client = match &args.against {
        Some(kubeconfig) => live::client(kubeconfig).await?,
        None => own(),
    };
    let (asked, divergences) = live::replay(&client, records).await?;
    let known = records::exceptions(file).map_err(|e| e.to_string())?;
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let name = name.trim_end_matches(".gz").trim_end_matches(".jsonl").to_owned();
    let mut row = Row { file: name, asked, known: Vec::new(), new: Vec::new() };
    for divergence in divergences {
        match known.get(&divergence.name) {
            Some(reason) => row.known.push((divergence, reason.clone())),
            None => row.new.push(divergence),
        }
    }
    Ok(row)
}

/// A client of a new server in this process, which has nothing behind it, as the recorded one.
fn own() -> kube::Client {
    let parts = Parts::NONE;
    let settings = Settings { parts, profile: Profile::instant(), ..Settings::default() };
    kube::Client::new(Cluster::start(settings).service(), "default")
}
