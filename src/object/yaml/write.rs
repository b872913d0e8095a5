//! Lays a tree out as YAML that reads as if somebody had written it: keys in the order given,
//! what fits on a line on a line, text of several lines as a block.

use super::text::{is_printable, scalar};
use crate::object::{Text, Value};

/// Columns that a line may take.
const WIDTH: usize = 100;

/// Something to write.
#[derive(Clone, Debug, PartialEq)]
pub enum Yaml {
    /// Text, a number, a boolean or null.
    Scalar(Value),
    /// Items.
    List(Vec<Yaml>),
    /// Pairs in the order that they are to be written in.
    Map(Vec<(String, Yaml)>),
}

/// A value as a document: as [`Yaml::document`], keys in the order that the value has them in.
#[must_use]
pub fn to_string(value: &Value) -> String {
    Yaml::from_json(value).document()
}

impl Yaml {
    /// A text.
    pub fn text(text: impl Into<Text>) -> Self {
        Yaml::Scalar(Value::String(text.into()))
    }

    /// A value; the keys of its maps stay in their order.
    #[must_use]
    pub fn from_json(value: &Value) -> Self {
        match value {
            Value::Array(items) => Yaml::List(items.iter().map(Yaml::from_json).collect()),
            Value::Object(map) => {
                Yaml::Map(map.iter().map(|(k, v)| (k.to_string(), Yaml::from_json(v))).collect())
            }
            scalar => Yaml::Scalar(scalar.clone()),
        }
    }

    /// This as a document, which ends in a newline. Every YAML reader takes it for the same
    /// value: text that a dialect could take for something else is quoted.
    #[must_use]
    pub fn document(&self) -> String {
        let mut lines = Vec::new();
        self.block(0, &mut lines);
        lines.join("\n") + "\n"
    }

    /// The lines of this as a block, each moved in by `indent`.
    fn block(&self, indent: usize, lines: &mut Vec<String>) {
        let margin = " ".repeat(indent);
        match self {
            Yaml::Map(pairs) if !pairs.is_empty() => {
                for (key, value) in pairs {
                    value.below(&format!("{margin}{}:", scalar(key)), indent + 2, lines);
                }
            }
            Yaml::List(items) if !items.is_empty() => {
                for item in items {
                    let start = lines.len();
                    item.below(&format!("{margin}-"), indent + 2, lines);
                    // The first key of a map stands beside the dash.
                    if lines.len() > start + 1 && lines[start] == format!("{margin}-") {
                        let first = lines.remove(start + 1);
                        lines[start] = format!("{margin}- {}", first.trim_start());
                    }
                }
            }
            _ => lines.push(format!("{margin}{}", self.flow())),
        }
    }

    /// This after `start`, on its line or below it.
    fn below(&self, start: &str, indent: usize, lines: &mut Vec<String>) {
        if let Some(block) = self.literal() {
            lines.push(format!("{start} {}", if block.ends_with('\n') { "|" } else { "|-" }));
            let margin = " ".repeat(indent);
            let moved = block.lines().map(|line| format!("{margin}{line}"));
            lines.extend(moved.map(|line| line.trim_end().to_owned()));
            return;
        }
        let line = format!("{start} {}", self.flow());
        if (!self.has_literal() && line.chars().count() <= WIDTH) || self.is_scalar() {
            lines.push(line);
        } else {
            lines.push(start.to_owned());
            self.block(indent, lines);
        }
    }

    const fn is_scalar(&self) -> bool {
        matches!(self, Yaml::Scalar(_))
    }

    fn has_literal(&self) -> bool {
        match self {
            Yaml::Scalar(_) => self.literal().is_some(),
            Yaml::List(items) => items.iter().any(Yaml::has_literal),
            Yaml::Map(pairs) => pairs.iter().any(|(_, value)| value.has_literal()),
        }
    }

    /// The text of several lines that can be written as a block and read back byte for byte.
    fn literal(&self) -> Option<&str> {
        let Yaml::Scalar(Value::String(text)) = self else { return None };
        let plain = |c: char| c == '\n' || is_printable(c);
        let fits = text.trim_end_matches('\n').contains('\n') || text.ends_with('\n');
        let ends = !text.ends_with("\n\n") && text != "\n";
        let starts = !text.starts_with([' ', '\n']);
        let lines = text.lines().all(|line| !line.ends_with(' '));
        (fits && ends && starts && lines && text.chars().all(plain)).then_some(text)
    }

    /// This on one line.
    fn flow(&self) -> String {
        match self {
            Yaml::Scalar(Value::String(text)) => scalar(text),
            Yaml::Scalar(value) => value.to_string(),
            Yaml::List(items) => {
                format!("[{}]", items.iter().map(Yaml::flow).collect::<Vec<_>>().join(", "))
            }
            Yaml::Map(pairs) if pairs.is_empty() => "{}".to_owned(),
            Yaml::Map(pairs) => {
                let pair =
                    |(key, value): &(String, Yaml)| format!("{}: {}", scalar(key), value.flow());
                format!("{{ {} }}", pairs.iter().map(pair).collect::<Vec<_>>().join(", "))
            }
        }
    }
}
