//! The house rules as a test: one pass over the tree, every finding with its path, its line and
//! what to do about it.
//!
//! Each rule is a pure function from a [`Tree`] to findings, and each has an example beside it
//! that it refuses and one that it takes. What rustfmt and clippy can check is not checked here.

#[path = "tidy/imports.rs"]
mod imports;
#[path = "tidy/layout.rs"]
mod layout;
#[path = "tidy/lexer.rs"]
mod lexer;
#[path = "tidy/text.rs"]
mod text;
#[path = "tidy/tree.rs"]
mod tree;

use tree::{Finding, Tree};

/// A rule: its name, and what it finds.
type Rule = (&'static str, fn(&Tree) -> Vec<Finding>);

const RULES: &[Rule] = &[
    ("the import table", imports::layers),
    ("stages and controllers stand alone", imports::siblings),
    ("crates with one place", imports::crates),
    ("a file says what it is", layout::headers),
    ("files are short", layout::lengths),
    ("every test module is run", layout::modules),
    ("three test binaries", layout::binaries),
    ("a scenario says what it is about", text::descriptions),
    ("what is left to do has a condition", text::conditions),
    ("nothing of one machine", text::machines),
    ("a cited behaviour is listed", text::behaviours),
];

#[test]
fn the_tree_is_tidy() {
    let tree = Tree::read();
    let mut report = String::new();
    for (name, rule) in RULES {
        for Finding { path, line, what } in rule(&tree) {
            report += &format!("{path}:{line}: {what} [{name}]\n");
        }
    }
    println!("{}", layout::median_note(&tree));
    assert!(report.is_empty(), "\n{} findings\n{report}", report.lines().count());
}
