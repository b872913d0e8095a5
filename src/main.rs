//! The program: calls `cli` and maps the outcome to an exit code; nothing else.

fn main() {}
