//! The program: calls `cli` and maps the outcome to an exit code; nothing else.

use std::process::ExitCode;

/// Runs make and drop very many small maps and strings: a fifth to a quarter of their time goes
/// with this allocator.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    towtank::cli::main(std::env::args_os()).into()
}
