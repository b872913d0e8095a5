//! Panics are bugs in towtank: they end in exit code 70 and the command that shows them again.

use std::ffi::OsString;
use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::Exit;

/// Does `work`. If it panics, tells on `stderr` that this is a bug, and that `command` shows it
/// again; what panicked and where is told by Rust's own hook.
pub(super) fn guard(command: &str, stderr: &mut dyn Write, work: impl FnOnce() -> Exit) -> Exit {
    // What `work` may leave half done is not looked at again.
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| {
        let text = "This is a bug in towtank, not in what it was given. To see it again:";
        // Where nothing can be said the exit code has to say it.
        drop(writeln!(stderr, "{text}\n    {command}"));
        Exit::Bug
    })
}

/// The command line as it can be typed again.
pub(super) fn command_line(args: &[OsString]) -> String {
    let mut words = vec!["towtank".to_owned()];
    words.extend(args.iter().skip(1).map(|word| quoted(&word.to_string_lossy())));
    words.join(" ")
}

/// A word as a shell takes it.
pub(super) fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+@%:,=".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_told_as_a_bug_with_the_command_that_shows_it() {
        let args = ["x/towtank", "run", "my file.yaml", "--seed", "7"].map(OsString::from);
        let mut told = Vec::new();
        let exit = guard(&command_line(&args), &mut told, || panic!("of this test"));
        assert_eq!(exit, Exit::Bug);
        assert_eq!(
            String::from_utf8(told).unwrap(),
            "This is a bug in towtank, not in what it was given. To see it again:\n    \
             towtank run 'my file.yaml' --seed 7\n"
        );
    }

    #[test]
    fn what_does_not_panic_keeps_its_outcome() {
        let mut told = Vec::new();
        assert_eq!(guard("towtank", &mut told, || Exit::Failed), Exit::Failed);
        assert!(told.is_empty());
    }
}
