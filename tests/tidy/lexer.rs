//! As much of Rust's grammar as is needed to know which paths a file names: comments and literals
//! taken out, paths resolved to the crate's root, `use` trees spread out.
//!
//! It reads what compiles; it does not find mistakes in what does not.

/// A path that a file names, from the crate's root or from an outside crate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Named {
    /// From 1.
    pub(crate) line: usize,
    /// `["crate", "base", "Event"]` or `["tokio", "time", "sleep"]`.
    pub(crate) path: Vec<String>,
    /// Whether it is in a `#[cfg(test)]` module.
    pub(crate) test: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    Word(String),
    /// `::`
    Colons,
    Mark(char),
}

/// `text` with comments, strings and character literals blanked out; every line stays where it is.
pub(crate) fn code(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    while at < chars.len() {
        let end = literal_end(&chars, at);
        if end > at {
            out.extend(chars[at..end].iter().map(|c| if *c == '\n' { '\n' } else { ' ' }));
            at = end;
        } else {
            out.push(chars[at]);
            at += 1;
        }
    }
    out
}

/// Where the comment or literal that begins at `at` ends; `at` where none begins.
fn literal_end(chars: &[char], at: usize) -> usize {
    let peek = |n: usize| chars.get(at + n).copied().unwrap_or('\0');
    let after_word = at > 0 && (chars[at - 1].is_alphanumeric() || chars[at - 1] == '_');
    match (peek(0), peek(1)) {
        ('/', '/') => find(chars, at, |c| c == '\n'),
        ('/', '*') => comment_end(chars, at),
        ('"', _) => string_end(chars, at + 1),
        ('r', '"' | '#') if !after_word || peek_prefix(chars, at) => raw_end(chars, at),
        ('\'', '\\') => find(chars, at + 3, |c| c == '\'') + 1,
        ('\'', _) if peek(2) == '\'' => at + 3,
        _ => at,
    }
}

/// Whether the `r` at `at` follows the `b` or `c` of a byte or C string.
fn peek_prefix(chars: &[char], at: usize) -> bool {
    let word = |n: usize| at >= n && (chars[at - n].is_alphanumeric() || chars[at - n] == '_');
    matches!(chars[at - 1], 'b' | 'c') && !word(2)
}

fn find(chars: &[char], from: usize, which: impl Fn(char) -> bool) -> usize {
    (from..chars.len()).find(|at| which(chars[*at])).unwrap_or(chars.len())
}

fn comment_end(chars: &[char], at: usize) -> usize {
    let mut depth = 0;
    let mut at = at;
    while at + 1 < chars.len() {
        match (chars[at], chars[at + 1]) {
            ('/', '*') => (depth, at) = (depth + 1, at + 2),
            ('*', '/') if depth == 1 => return at + 2,
            ('*', '/') => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
    }
    chars.len()
}

fn string_end(chars: &[char], at: usize) -> usize {
    let mut at = at;
    while at < chars.len() {
        match chars[at] {
            '"' => return at + 1,
            '\\' => at += 2,
            _ => at += 1,
        }
    }
    chars.len()
}

fn raw_end(chars: &[char], at: usize) -> usize {
    let open = find(chars, at + 1, |c| c != '#');
    let hashes = open - at - 1;
    if chars.get(open) != Some(&'"') {
        return at;
    }
    let closes = |quote: usize| {
        chars[quote] == '"'
            && chars[quote + 1..].iter().take_while(|c| **c == '#').count() >= hashes
    };
    (open + 1..chars.len()).find(|at| closes(*at)).map_or(chars.len(), |at| at + 1 + hashes)
}

/// Every path of a file at `path` that begins at the crate's root, at a parent, or at a word that
/// may be an outside crate.
pub(crate) fn named(path: &str, text: &str) -> Vec<Named> {
    let tokens = tokens(&code(text));
    let mut reader = Reader {
        tokens: &tokens,
        at: 0,
        modules: module_of(path),
        braces: Vec::new(),
        test: false,
        named: Vec::new(),
    };
    reader.read();
    reader.named
}

/// The module that a file is: `src/a/b.rs` is `a::b`, `src/a/mod.rs` is `a`.
pub(crate) fn module_of(path: &str) -> Vec<String> {
    let inner = path.strip_prefix("src/").unwrap_or(path).trim_end_matches(".rs");
    let mut segments: Vec<String> = inner.split('/').map(ToOwned::to_owned).collect();
    if matches!(segments.last().map(String::as_str), Some("mod" | "lib" | "main")) {
        segments.pop();
    }
    segments
}

fn tokens(code: &str) -> Vec<(usize, Token)> {
    let mut tokens = Vec::new();
    for (number, line) in code.lines().enumerate() {
        let mut rest = line;
        while let Some(first) = rest.chars().next() {
            let word = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
            let (token, used) = if word > 0 {
                (Token::Word(rest[..word].to_owned()), word)
            } else if rest.starts_with("::") {
                (Token::Colons, 2)
            } else {
                (Token::Mark(first), first.len_utf8())
            };
            rest = &rest[used..];
            if token != Token::Mark(' ') {
                tokens.push((number + 1, token));
            }
        }
    }
    tokens
}

struct Reader<'a> {
    tokens: &'a [(usize, Token)],
    at: usize,
    modules: Vec<String>,
    /// For each open brace whether it opened a module, and whether tests were on around it.
    braces: Vec<(bool, bool)>,
    test: bool,
    named: Vec<Named>,
}

impl Reader<'_> {
    fn token(&self, n: usize) -> Option<&Token> {
        self.tokens.get(self.at + n).map(|(_, token)| token)
    }

    fn word(&self, n: usize) -> Option<&str> {
        match self.token(n)? {
            Token::Word(word) => Some(word),
            _ => None,
        }
    }

    fn mark(&self, n: usize, mark: char) -> bool {
        self.token(n) == Some(&Token::Mark(mark))
    }

    fn read(&mut self) {
        while self.at < self.tokens.len() {
            match self.token(0) {
                Some(Token::Mark('{')) => {
                    self.braces.push((false, self.test));
                    self.at += 1;
                }
                Some(Token::Mark('}')) => self.close(),
                Some(Token::Word(_)) => self.item(),
                _ => self.at += 1,
            }
        }
    }

    fn close(&mut self) {
        if let Some((module, test)) = self.braces.pop() {
            if module {
                self.modules.pop();
            }
            self.test = test;
        }
        self.at += 1;
    }

    fn item(&mut self) {
        match self.word(0) {
            Some("mod") if self.mark(2, '{') => {
                self.braces.push((true, self.test));
                self.test |= self.after_cfg_test();
                self.modules.extend(self.word(1).map(ToOwned::to_owned));
                self.at += 3;
            }
            Some("use") => {
                self.at += 1;
                self.tree(&[]);
            }
            Some(_) if self.token(1) == Some(&Token::Colons) && !self.continues() => self.path(),
            _ => self.at += 1,
        }
    }

    /// Whether the word here stands behind `::`, `.` or `$` and so begins nothing.
    fn continues(&self) -> bool {
        let before = self.at.checked_sub(1).map(|at| &self.tokens[at].1);
        matches!(before, Some(Token::Colons | Token::Mark('.')))
    }

    /// Whether `#[cfg(test)]` stands right before the item here.
    fn after_cfg_test(&self) -> bool {
        let before: Vec<String> = self.tokens[self.at.saturating_sub(8)..self.at]
            .iter()
            .map(|(_, token)| match token {
                Token::Word(word) => word.clone(),
                Token::Colons => "::".to_owned(),
                Token::Mark(mark) => mark.to_string(),
            })
            .collect();
        before.concat().contains("#[cfg(test)]")
    }

    fn path(&mut self) {
        let line = self.tokens[self.at].0;
        let mut path = Vec::new();
        while let Some(word) = self.word(0) {
            path.push(word.to_owned());
            self.at += 1;
            if self.token(0) != Some(&Token::Colons) {
                break;
            }
            self.at += 1;
        }
        self.name(line, &path);
    }

    /// A `use` tree from here to its end, below `before`.
    fn tree(&mut self, before: &[String]) {
        let mut path = before.to_vec();
        loop {
            let line = self.tokens.get(self.at).map_or(0, |(line, _)| *line);
            match self.token(0) {
                Some(Token::Word(word)) if word == "as" => self.at += 2,
                Some(Token::Word(word)) => {
                    path.push(word.clone());
                    self.at += 1;
                    if self.token(0) != Some(&Token::Colons) {
                        self.name(line, &path);
                    }
                }
                Some(Token::Colons) => self.at += 1,
                Some(Token::Mark('*')) => {
                    self.name(line, &path);
                    self.at += 1;
                }
                Some(Token::Mark('{')) => self.group(&path),
                // The end, which is the caller's to step over.
                _ => return,
            }
        }
    }

    fn group(&mut self, before: &[String]) {
        self.at += 1;
        while self.at < self.tokens.len() && !self.mark(0, '}') {
            if self.mark(0, ',') {
                self.at += 1;
            } else {
                let start = self.at;
                self.tree(before);
                // A token that no `use` has would never be stepped over.
                self.at = self.at.max(start + usize::from(self.at == start));
            }
        }
        self.at += 1;
    }

    fn name(&mut self, line: usize, path: &[String]) {
        let supers = path.iter().take_while(|word| *word == "super").count();
        let (base, rest) = match path.first().map(String::as_str) {
            Some("super") => {
                (&self.modules[..self.modules.len().saturating_sub(supers)], &path[supers..])
            }
            Some("self") => {
                let supers = path[1..].iter().take_while(|word| *word == "super").count();
                let kept = self.modules.len().saturating_sub(supers);
                (&self.modules[..kept], &path[1 + supers..])
            }
            Some("crate") => (&self.modules[..0], &path[1..]),
            Some(_) => {
                self.named.push(Named { line, path: path.to_vec(), test: self.test });
                return;
            }
            None => return,
        };
        let root = std::iter::once("crate".to_owned());
        let path = root.chain(base.iter().cloned()).chain(rest.iter().cloned()).collect();
        self.named.push(Named { line, path, test: self.test });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &[(usize, &str)]) {
        let found = named("src/a/b.rs", text);
        let found: Vec<_> = found.iter().map(|n| (n.line, n.path.join("::"))).collect();
        let found: Vec<_> = found.iter().map(|(line, path)| (*line, path.as_str())).collect();
        assert_eq!(found, expected, "in {text}");
    }

    #[test]
    fn a_use_tree_is_spread_out() {
        check(
            "use crate::{base::{Event, Time as T}, object::*};\nuse serde::Serialize;",
            &[
                (1, "crate::base::Event"),
                (1, "crate::base::Time"),
                (1, "crate::object"),
                (2, "serde::Serialize"),
            ],
        );
    }

    #[test]
    fn parents_are_resolved_also_from_inner_modules() {
        check("use super::c::D;", &[(1, "crate::a::c::D")]);
        check("use super::super::x;", &[(1, "crate::x")]);
        check(
            "mod tests {\n use super::*;\n}\nfn f() { self::g::h() }",
            &[(2, "crate::a::b"), (4, "crate::a::b::g::h")],
        );
    }

    #[test]
    fn paths_in_code_count_and_those_in_comments_and_text_do_not() {
        check("fn f() { crate::sim::go() }", &[(1, "crate::sim::go")]);
        check("// crate::sim::a\n/* crate::sim::b /* */ */\nlet a = 'x';", &[]);
        check("let a = \"crate::sim \\\" crate::b::c\"; let b = r#\"crate::x \" y::z\"#;", &[]);
        check(
            "let c = '\"'; crate::a::x(); let d: &'static str = \"q::r\";",
            &[(1, "crate::a::x")],
        );
        check("let e = '\\''; tokio::spawn(b\"x::y\")", &[(1, "tokio::spawn")]);
    }

    #[test]
    fn what_stands_in_a_test_module_is_marked() {
        let text = "use a::b;\n#[cfg(test)]\nmod tests { use c::d; }\nuse e::f;";
        let tests: Vec<bool> = named("src/a.rs", text).iter().map(|n| n.test).collect();
        assert_eq!(tests, [false, true, false]);
    }
}
