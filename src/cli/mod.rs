//! The command line: what was typed, what is meant by it, and one file for each subcommand.
//!
//! A shell: it reads files, writes to the terminal and knows exit codes. It decides nothing about
//! clusters, engines or scenarios.

mod apiserver;
mod bench;
mod chaos;
mod claims;
pub mod conformance;
mod diff;
mod disk;
mod dropin;
mod exit;
mod fetch;
mod guard;
mod meant;
mod memory;
mod out;
mod place;
mod render;
mod roots;
mod run;
mod schema;
mod sources;
mod stage;
mod r#try;
mod typed;
mod validate;

use std::ffi::OsString;
use std::io::{self, Write};

use clap::Parser;

pub use exit::Exit;
use meant::Meant;
use typed::Typed;

/// Does what a command line says: `args` begin with the program's name. Results go to standard
/// output, everything about mistakes to standard error.
#[must_use]
pub fn main(args: impl IntoIterator<Item = OsString>) -> Exit {
    memory::in_small_pages();
    let args: Vec<OsString> = args.into_iter().collect();
    let command = guard::command_line(&args);
    guard::guard(&command, &mut io::stderr(), || match dropin::Role::called(&args) {
        Some(role) => dropin::run(role, &args),
        None => dispatch(&args),
    })
}

fn dispatch(args: &[OsString]) -> Exit {
    let typed = match Typed::try_parse_from(args) {
        Ok(typed) => typed,
        Err(message) => {
            let exit = if message.use_stderr() { Exit::BadInput } else { Exit::Ok };
            return exit.or_unwritten(message.print());
        }
    };
    let meant = Meant::from_typed(typed);
    if meant.as_ref().is_ok_and(Meant::simulates) {
        memory::in_large_pages();
    }
    match meant {
        Ok(Meant::Run(run)) => run::run(&run),
        Ok(Meant::Try(run)) => r#try::run(&run),
        Ok(Meant::Bench(args)) => bench::run_bench(&args),
        Ok(Meant::Claims(args)) => claims::run_claims(&args),
        Ok(Meant::Chaos(chaos)) => chaos::run(*chaos),
        Ok(Meant::Apiserver(server)) => apiserver::run(*server),
        Ok(Meant::Render(args)) => render::run(&args),
        Ok(Meant::Diff(args)) => diff::run(&args),
        Ok(Meant::Validate(args)) => validate::run(&args),
        Ok(Meant::Conformance(args)) => conformance::run(&args),
        Ok(Meant::SchemaScenario) => schema::scenario(),
        Err(problems) => complain(Exit::BadInput, &problems.to_string()),
    }
}

/// Writes results to standard output.
fn tell(exit: Exit, text: &str) -> Exit {
    let mut stdout = io::stdout().lock();
    let written = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush());
    if let Err(error) = &written
        && error.kind() != io::ErrorKind::BrokenPipe
    {
        complain(exit, &format!("standard output: cannot be written: {error}"));
    }
    exit.or_unwritten(written)
}

/// Writes what went wrong to standard error: a line each, as they are, for editors to jump to.
fn complain(exit: Exit, text: &str) -> Exit {
    // Where nothing can be said the exit code has to say it.
    drop(writeln!(io::stderr().lock(), "{text}"));
    exit
}
