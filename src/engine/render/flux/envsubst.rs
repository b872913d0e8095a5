//! Variables in the forms of bash, as Flux's envsubst has them: `${a}`, `${a:=b}`, `${a:-b}`,
//! `${#a}`, `${a^^}`, `${a,,}`, `${a:1:2}`, `${a/b/c}`, `${a//b/c}`, `${a#b}`, `${a%%b}`, `$${a}`.
//!
//! Its oddities are kept: `${a:+b}` and `${a:?b}` are defaults like the others, and `$a` is text.

use std::collections::BTreeMap;

use super::glob;

/// Puts the values of variables into a text. `strict`: one that has no value, and whose form
/// gives no default, is an error; else it is empty.
///
/// # Errors
/// A form that cannot be read, or a variable without value in strict mode.
pub fn substitute(
    text: &str,
    variables: &BTreeMap<String, String>,
    strict: bool,
) -> Result<String, String> {
    let mut scanner = Scanner { text: text.chars().collect(), at: 0 };
    let run = Run { variables, strict };
    let mut out = String::with_capacity(text.len());
    while let Some(c) = scanner.next() {
        match (c, scanner.peek()) {
            ('$', Some('{')) => {
                scanner.at += 1;
                out.push_str(&run.expression(&mut scanner, 0)?);
            }
            // Two dollars are one, that starts nothing.
            ('$', Some('$')) => {
                out.push('$');
                scanner.at += 1;
            }
            _ => out.push(c),
        }
    }
    Ok(out)
}

struct Scanner {
    text: Vec<char>,
    at: usize,
}

impl Scanner {
    fn peek(&self) -> Option<char> {
        self.text.get(self.at).copied()
    }

    fn next(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.at += 1;
        Some(c)
    }

    /// Takes the next character if it is this one.
    fn take(&mut self, c: char) -> bool {
        let is_next = self.peek() == Some(c);
        self.at += usize::from(is_next);
        is_next
    }

    fn while_in(&mut self, accept: impl Fn(char) -> bool) -> String {
        let start = self.at;
        while self.peek().is_some_and(&accept) {
            self.at += 1;
        }
        self.text[start..self.at].iter().collect()
    }

    fn close(&mut self) -> Result<(), String> {
        if self.take('}') { Ok(()) } else { Err("bad substitution".to_owned()) }
    }
}

/// Expressions within expressions; deeper ones are refused.
const DEPTH: usize = 64;

struct Run<'v> {
    variables: &'v BTreeMap<String, String>,
    strict: bool,
}

impl Run<'_> {
    /// What stands behind `${`, up to its `}`.
    fn expression(&self, scanner: &mut Scanner, depth: usize) -> Result<String, String> {
        if depth > DEPTH {
            return Err("substitutions are nested too deeply".to_owned());
        }
        if scanner.take('#') {
            let name = name(scanner)?;
            scanner.close()?;
            return Ok(self.value(&name)?.len().to_string());
        }
        let name = name(scanner)?;
        match scanner.peek() {
            Some(':') => match scanner.text.get(scanner.at + 1) {
                Some('=' | '-' | '?' | '+') => {
                    scanner.at += 2;
                    self.default(scanner, &name, depth)
                }
                _ => self.substring(scanner, &name, depth),
            },
            Some('=') => {
                scanner.at += 1;
                self.default(scanner, &name, depth)
            }
            Some(',' | '^') => self.casing(scanner, &name),
            Some('/') => self.replace(scanner, &name, depth),
            Some(sign @ ('#' | '%')) => self.remove(scanner, &name, sign, depth),
            Some('}') => {
                scanner.at += 1;
                self.value(&name)
            }
            _ => Err("missing closing brace".to_owned()),
        }
    }

    fn value(&self, name: &str) -> Result<String, String> {
        match self.variables.get(name) {
            Some(value) => Ok(value.clone()),
            None if self.strict => Err(format!("variable not set (strict mode): {name:?}")),
            None => Ok(String::new()),
        }
    }

    /// A parameter: text up to what `accept` refuses, or an expression.
    fn parameter(
        &self,
        scanner: &mut Scanner,
        accept: impl Fn(char) -> bool,
        escapes: bool,
        depth: usize,
    ) -> Result<String, String> {
        if scanner.peek() == Some('$') && scanner.text.get(scanner.at + 1) == Some(&'{') {
            scanner.at += 2;
            return self.expression(scanner, depth + 1);
        }
        let mut out = String::new();
        let mut is_first = true;
        while let Some(c) = scanner.peek() {
            let after = scanner.text.get(scanner.at + 1).copied();
            if c == '$' && after == Some('{') {
                break;
            }
            let is_escape = escapes
                && ((c == '$' && after == Some('$'))
                    || (c == '\\' && matches!(after, Some('/' | '\\'))));
            if is_escape {
                scanner.at += 1;
                out.extend(scanner.next());
                is_first = false;
                continue;
            }
            if !accept(c) {
                break;
            }
            out.push(c);
            scanner.at += 1;
            is_first = false;
        }
        if is_first {
            return Err("unable to parse substitution within function".to_owned());
        }
        Ok(out)
    }

    fn default(&self, scanner: &mut Scanner, name: &str, depth: usize) -> Result<String, String> {
        let mut default = String::new();
        while scanner.peek() != Some('}') {
            default.push_str(&self.parameter(scanner, |c| c != '}', false, depth)?);
        }
        scanner.close()?;
        let value = self.variables.get(name).filter(|value| !value.is_empty());
        Ok(value.cloned().unwrap_or(default))
    }

    fn casing(&self, scanner: &mut Scanner, name: &str) -> Result<String, String> {
        const LONGEST: usize = 2;
        let mut form = String::new();
        while form.len() < LONGEST
            && let Some(c @ (',' | '^')) = scanner.peek()
        {
            form.push(c);
            scanner.at += 1;
        }
        scanner.close()?;
        let value = self.value(name)?;
        let first = |change: fn(char) -> String| {
            let mut chars = value.chars();
            chars.next().map(|c| change(c) + chars.as_str()).unwrap_or_default()
        };
        Ok(match form.as_str() {
            "," => first(|c| c.to_lowercase().collect()),
            ",," => value.to_lowercase(),
            "^" => first(|c| c.to_uppercase().collect()),
            "^^" => value.to_uppercase(),
            _ => value,
        })
    }

    fn substring(&self, scanner: &mut Scanner, name: &str, depth: usize) -> Result<String, String> {
        scanner.at += 1;
        let position = self.parameter(scanner, |c| c != ':' && c != '}', false, depth)?;
        let mut length = None;
        if scanner.take('}') {
            // Only where it starts is given.
        } else if !scanner.while_in(|c| c == ':').is_empty() {
            length = Some(self.parameter(scanner, |c| c != '}', false, depth)?);
            scanner.close()?;
        } else {
            return Err("bad substitution".to_owned());
        }
        let value = self.value(name)?;
        Ok(substring(&value, &position, length.as_deref()))
    }

    fn replace(&self, scanner: &mut Scanner, name: &str, depth: usize) -> Result<String, String> {
        scanner.at += 1;
        let form = match scanner.peek() {
            Some(form @ ('/' | '#' | '%')) => {
                scanner.at += 1;
                form
            }
            _ => ' ',
        };
        let old = self.parameter(scanner, |c| c != '/', true, depth)?;
        if scanner.while_in(|c| c == '/').is_empty() {
            return Err("bad substitution".to_owned());
        }
        let new = match scanner.peek() {
            Some('}') => None,
            _ => Some(self.parameter(scanner, |c| c != '}', true, depth)?),
        };
        scanner.close()?;
        let value = self.value(name)?;
        let text = new.clone().unwrap_or_default();
        Ok(match form {
            '/' => value.replace(&old, &text),
            // Without a new text these two do nothing.
            '#' | '%' if new.is_none() => value,
            '#' => match value.strip_prefix(&old) {
                Some(rest) => format!("{text}{rest}"),
                None => value,
            },
            '%' => match value.strip_suffix(&old) {
                Some(rest) => format!("{rest}{text}"),
                None => value,
            },
            _ => value.replacen(&old, &text, 1),
        })
    }

    fn remove(
        &self,
        scanner: &mut Scanner,
        name: &str,
        sign: char,
        depth: usize,
    ) -> Result<String, String> {
        scanner.at += 1;
        let longest = scanner.take(sign);
        let pattern = self.parameter(scanner, |c| c != '}', false, depth)?;
        scanner.close()?;
        let value = self.value(name)?;
        if sign == '#' {
            return Ok(glob::without_start(&value, &pattern, longest));
        }
        let back = |text: &str| text.chars().rev().collect::<String>();
        Ok(back(&glob::without_start(&back(&value), &back(&pattern), longest)))
    }
}

fn name(scanner: &mut Scanner) -> Result<String, String> {
    let name = scanner.while_in(|c| c == '_' || c.is_alphanumeric());
    if name.is_empty() { Err("unable to parse variable name".to_owned()) } else { Ok(name) }
}

/// A part of a text, counted in bytes as in Go; a position that is no number leaves it whole.
fn substring(value: &str, position: &str, length: Option<&str>) -> String {
    let Ok(position) = position.parse::<i64>() else { return value.to_owned() };
    let bytes = value.as_bytes();
    let len = i64::try_from(bytes.len()).unwrap_or(i64::MAX);
    let start = if position < 0 { (len + position).max(0) } else { position };
    let end = match length {
        None => len,
        Some(length) => {
            let Ok(length) = length.parse::<i64>() else { return value.to_owned() };
            start.saturating_add(length).min(len)
        }
    };
    let at = |at: i64| usize::try_from(at).unwrap_or(0);
    let part = bytes.get(at(start)..at(end.max(start))).unwrap_or_default();
    String::from_utf8_lossy(part).into_owned()
}
