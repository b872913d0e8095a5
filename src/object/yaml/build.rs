//! Builds the tree of a YAML text from the events of the parser: puts aliases in their place,
//! merges `<<`, refuses duplicate keys, and keeps the budgets.

use std::collections::{BTreeMap, BTreeSet};

use granit_parser::{Event, Options, Parser, ScalarStyle, Span, StructureStyle, Tag};

use super::YamlError;
use super::spanned::{Content, Entry, Node, Scalar, Style};
use crate::base::limits;

/// Reads every document of `text` that holds anything.
///
/// # Errors
/// As [`super::documents`], but for what depends on the dialect.
pub fn documents(text: &str) -> Result<Vec<Node>, YamlError> {
    Ok(documents_with(text, Twins::Refused)?.0)
}

/// As [`documents`], but the last of a key's values counts that is given twice, as for the Go
/// decoders that are not strict.
///
/// # Errors
/// As [`documents`], repeated keys aside.
pub fn documents_last_wins(text: &str) -> Result<Vec<Node>, YamlError> {
    Ok(documents_with(text, Twins::LastWins)?.0)
}

/// Documents, and the line and text of each key that stood in its map before.
type Found = (Vec<Node>, Vec<(usize, String)>);

/// As [`documents`], with a say on keys that stand twice.
pub(super) fn documents_with(text: &str, twins: Twins) -> Result<Found, YamlError> {
    let mut options = Options::default();
    options.set_emit_comments(false);
    // A block at the end of a file without a last line end has none either, as in Go.
    options.block_scalar_eof_without_line_feed = true;
    // A byte order mark is no part of the first key.
    let marked = text.strip_prefix('\u{feff}');
    let mut builder =
        Builder { twins, bytes_before: marked.map_or(0, |_| BOM_BYTES), ..Builder::default() };
    for event in Parser::new_from_str_with_options(marked.unwrap_or(text), options) {
        let (event, span) = event.map_err(|error| YamlError {
            line: error.marker().line(),
            column: error.marker().col() + 1,
            message: match error.info() {
                // The parser's own bound, which is wider, met before a node is built.
                info if info.contains("recursion limit") => too_deep(),
                info => info,
            },
        })?;
        builder.event(event, span)?;
    }
    let documents = builder.documents.into_iter().filter(|node| !node.is_null()).collect();
    Ok((documents, builder.repeated))
}

const BOM_BYTES: usize = '\u{feff}'.len_utf8();

/// A map or list that is still being read.
struct Open {
    node: Node,
    anchor: usize,
    /// The key that waits for its value.
    key: Option<Node>,
}

#[derive(Default)]
struct Builder {
    documents: Vec<Node>,
    open: Vec<Open>,
    anchors: BTreeMap<usize, Node>,
    aliased_nodes: usize,
    /// Bytes of the text that the parser is not given.
    bytes_before: usize,
    twins: Twins,
    /// The line and the text of each key that stood in its map before, where the last counts.
    repeated: Vec<(usize, String)>,
}

/// What becomes of a key that stands twice in a map.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Twins {
    /// The text is refused.
    #[default]
    Refused,
    /// The last of them counts, as for the API server.
    LastWins,
}

fn too_deep() -> String {
    format!("nested deeper than {}", limits::DOCUMENT_DEPTH)
}

impl Builder {
    fn node(&self, content: Content, span: Span) -> Node {
        let bytes = span.byte_range().unwrap_or_default();
        Node {
            content,
            line: span.start.line(),
            column: span.start.col() + 1,
            span: bytes.start + self.bytes_before..bytes.end + self.bytes_before,
            flow: false,
            aliased: false,
        }
    }

    fn event(&mut self, event: Event<'_>, span: Span) -> Result<(), YamlError> {
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                // The parser says `~` where nothing is written.
                let is_bare = style == ScalarStyle::Plain && span.is_empty();
                let scalar = Scalar {
                    text: if is_bare { String::new() } else { text.into_owned() },
                    style: style_of(style),
                    folded: style == ScalarStyle::Folded,
                    tag: tag.map(|tag| tag_name(&tag)),
                };
                self.place(self.node(Content::Scalar(scalar), span), anchor)
            }
            Event::SequenceStart(style, anchor, _) => {
                self.start(self.node(Content::Seq(Vec::new()), span), style, anchor)
            }
            Event::MappingStart(style, anchor, _) => {
                self.start(self.node(Content::Map(Vec::new()), span), style, anchor)
            }
            Event::SequenceEnd | Event::MappingEnd => match self.open.pop() {
                Some(open) => self.close(open, span),
                None => Ok(()),
            },
            Event::Alias(anchor) => {
                let node = self.alias(anchor, span)?;
                self.place(node, 0)
            }
            Event::DocumentEnd => {
                self.anchors.clear();
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn start(
        &mut self,
        mut node: Node,
        style: StructureStyle,
        anchor: usize,
    ) -> Result<(), YamlError> {
        node.flow = style == StructureStyle::Flow;
        if self.open.len() >= limits::DOCUMENT_DEPTH {
            return Err(node.error(too_deep()));
        }
        self.open.push(Open { node, anchor, key: None });
        Ok(())
    }

    fn close(&mut self, mut open: Open, end: Span) -> Result<(), YamlError> {
        // In block style nothing is written at the end; what it ends with is known already.
        if let Some(end) = end.byte_range().filter(|_| open.node.flow) {
            open.node.span.end = (end.end + self.bytes_before).max(open.node.span.start);
        }
        if let Content::Map(entries) = &mut open.node.content {
            match self.twins {
                Twins::Refused => refuse_twins(entries)?,
                Twins::LastWins => keep_last(entries, &mut self.repeated),
            }
            *entries = merged(std::mem::take(entries))?;
        }
        self.place(open.node, open.anchor)
    }

    /// Puts a finished node where it belongs: under the open map or list, or as a document.
    fn place(&mut self, node: Node, anchor: usize) -> Result<(), YamlError> {
        if anchor > 0 {
            self.anchors.insert(anchor, node.clone());
        }
        let Some(open) = self.open.last_mut() else {
            self.documents.push(node);
            return Ok(());
        };
        if !node.span.is_empty() {
            open.node.span.end = open.node.span.end.max(node.span.end);
        }
        match &mut open.node.content {
            Content::Seq(items) => items.push(node),
            Content::Map(entries) => match open.key.take() {
                None => open.key = Some(node),
                Some(key) => entries.push(Entry { key, value: node }),
            },
            Content::Scalar(_) => {}
        }
        Ok(())
    }

    fn alias(&mut self, anchor: usize, span: Span) -> Result<Node, YamlError> {
        let here = self.node(Content::Seq(Vec::new()), span);
        let Some(target) = self.anchors.get(&anchor) else {
            return Err(here.error("alias inside of what it stands for".to_owned()));
        };
        self.aliased_nodes += target.size();
        if self.aliased_nodes > limits::ALIAS_NODES {
            return Err(here.error(format!("aliases expand to over {} nodes", limits::ALIAS_NODES)));
        }
        let mut node = target.clone();
        node.mark_aliased();
        node.span = here.span;
        Ok(node)
    }
}

/// Refuses a key that stands twice in a map; `<<` too: one can merge several maps.
fn refuse_twins(entries: &[Entry]) -> Result<(), YamlError> {
    // Most maps are so small that comparing all keys is less work than a set of them.
    const SMALL: usize = 12;
    let twin = |entry: &Entry, text: &str, line: usize| {
        Err(entry.key.error(format!("key {text:?} is already set at line {line}")))
    };
    if entries.len() <= SMALL {
        for (place, entry) in entries.iter().enumerate() {
            let Some(text) = entry.key.text() else { continue };
            let same = entries[..place].iter().rev().find(|other| other.key.text() == Some(text));
            if let Some(same) = same {
                return twin(entry, text, same.key.line);
            }
        }
        return Ok(());
    }
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    for entry in entries {
        let Some(text) = entry.key.text() else { continue };
        if let Some(line) = seen.insert(text, entry.key.line) {
            return twin(entry, text, line);
        }
    }
    Ok(())
}

/// Takes the entries out whose key stands again further down.
fn keep_last(entries: &mut Vec<Entry>, repeated: &mut Vec<(usize, String)>) {
    let mut last: BTreeMap<String, usize> = BTreeMap::new();
    for (place, entry) in entries.iter().enumerate() {
        if let Some(text) = entry.key.text().filter(|_| !is_merge(&entry.key))
            && last.insert(text.to_owned(), place).is_some()
        {
            repeated.push((entry.key.line, text.to_owned()));
        }
    }
    let mut place = 0;
    entries.retain(|entry| {
        place += 1;
        entry.key.text().and_then(|text| last.get(text)).is_none_or(|last| *last == place - 1)
    });
}

fn is_merge(key: &Node) -> bool {
    matches!(&key.content, Content::Scalar(s) if s.text == "<<" && s.style == Style::Plain)
}

/// The entries of a map with its merge keys resolved: keys that the map has itself win, then
/// those of the first merged map.
fn merged(entries: Vec<Entry>) -> Result<Vec<Entry>, YamlError> {
    if !entries.iter().any(|entry| is_merge(&entry.key)) {
        return Ok(entries);
    }
    let (merges, mut own): (Vec<_>, Vec<_>) = entries.into_iter().partition(|e| is_merge(&e.key));
    let text = |entry: &Entry| entry.key.text().map(str::to_owned);
    let mut seen: BTreeSet<Option<String>> = own.iter().map(text).collect();
    for merge in merges {
        let place =
            merge.value.error("what is merged by << must be a map or a list of maps".to_owned());
        let maps = match merge.value.content {
            Content::Seq(items) => items,
            _ => vec![merge.value],
        };
        for map in maps {
            let Content::Map(more) = map.content else { return Err(place) };
            for mut entry in more {
                if seen.insert(text(&entry)) {
                    entry.key.mark_aliased();
                    entry.value.mark_aliased();
                    own.push(entry);
                }
            }
        }
    }
    Ok(own)
}

fn style_of(style: ScalarStyle) -> Style {
    match style {
        ScalarStyle::Plain => Style::Plain,
        ScalarStyle::SingleQuoted => Style::Single,
        ScalarStyle::DoubleQuoted => Style::Double,
        ScalarStyle::Literal | ScalarStyle::Folded => Style::Block,
    }
}

fn tag_name(tag: &Tag) -> String {
    let full = format!("{}{}", tag.handle(), tag.suffix());
    full.strip_prefix("tag:yaml.org,2002:").map_or(full.clone(), str::to_owned)
}
