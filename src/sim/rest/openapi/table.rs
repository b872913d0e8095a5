//! Reads the generated table of OpenAPI: schemas, path items as templates, and which path has
//! which.
//!
//! The table is compressed text, a line a thing, columns parted by tabs, `-` for what is not there:
//!
//! ```text
//! I  K  i         json                          the head of a v3 document, of one of custom
//!                                               resources, and of a v2 document
//! k  j            json                          the rest of v3's components and of a v2 document
//! S  s            name  json                    a schema as v3 has it, and as a document of custom
//!                                               resources has it where that differs
//! Q  json                                       a parameter of v3, numbered from 0
//! T  t            json                          a path item of v3 and of v2, numbered from 0
//! D  name  tag  id  group  version              a v3 document; its paths follow:
//! P  path  T  t  kind  schema...                a path, its path items, words that are put in
//! C  N|C  path  T  t  schema...                 a path of a namespaced or cluster-wide custom
//!                                               resource (`*`); L and T are its list and itself
//! ```
//!
//! In a path item `{q7}` stands for parameter 7, `{0}` for the kind, `{1}` to `{4}` for tag, id,
//! group and version, `{5}` and so on for names of schemas.
//!
//! A broken table gives fewer documents, never a panic. Not here: the generator
//! (`scripts/openapi`).

use std::collections::BTreeMap;
use std::io::Read as _;
use std::sync::LazyLock;

/// What the table says.
#[derive(Debug, Default)]
pub(super) struct Table {
    pub(super) head_v3: &'static str,
    pub(super) head_custom: &'static str,
    pub(super) head_v2: &'static str,
    pub(super) tail_v3: &'static str,
    pub(super) tail_v2: &'static str,
    /// By name.
    pub(super) schemas: BTreeMap<&'static str, &'static str>,
    /// Those that differ in documents of custom resources, by name.
    pub(super) schemas_custom: BTreeMap<&'static str, &'static str>,
    parameters: Vec<&'static str>,
    items_v3: Vec<&'static str>,
    items_v2: Vec<&'static str>,
    pub(super) documents: Vec<Listed>,
    pub(super) custom: Vec<CustomRow>,
}

/// A document of built-in kinds.
#[derive(Debug)]
pub(super) struct Listed {
    /// `apis/apps/v1`.
    pub(super) name: &'static str,
    /// Tag, id, group and version.
    words: [&'static str; 4],
    pub(super) rows: Vec<Row>,
}

/// A path.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) path: &'static str,
    items: Items,
    kind: &'static str,
    schemas: Vec<&'static str>,
}

/// Where the path items stand.
#[derive(Clone, Copy, Debug, Default)]
struct Items {
    v3: usize,
    v2: usize,
}

/// A path of a custom resource.
#[derive(Debug)]
pub(super) struct CustomRow {
    pub(super) namespaced: bool,
    /// Below the version, `*` for the resource.
    pub(super) path: &'static str,
    items: Items,
    schemas: Vec<&'static str>,
}

/// Which of the two kinds of document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Edition {
    V2,
    V3,
}

/// The table; read when it is first asked for.
pub(super) fn table() -> &'static Table {
    static TEXT: LazyLock<String> = LazyLock::new(|| {
        let mut text = String::new();
        let bytes: &[u8] = include_bytes!("table.txt.gz");
        // What cannot be read is an empty table.
        let _ = flate2::read::GzDecoder::new(bytes).read_to_string(&mut text);
        text
    });
    static TABLE: LazyLock<Table> = LazyLock::new(|| parse(&TEXT));
    &TABLE
}

fn parse(text: &'static str) -> Table {
    let mut table = Table::default();
    for line in text.lines() {
        let (head, rest) = line.split_once('\t').unwrap_or((line, ""));
        match head {
            "I" => table.head_v3 = rest,
            "K" => table.head_custom = rest,
            "i" => table.head_v2 = rest,
            "j" => table.tail_v2 = rest,
            "k" => table.tail_v3 = rest,
            "S" => table.schemas.extend(rest.split_once('\t')),
            "s" => table.schemas_custom.extend(rest.split_once('\t')),
            "Q" => table.parameters.push(rest),
            "T" => table.items_v3.push(rest),
            "t" => table.items_v2.push(rest),
            "D" => table.documents.extend(listed(rest)),
            "P" => {
                if let (Some(document), Some(row)) = (table.documents.last_mut(), row(rest)) {
                    document.rows.push(row);
                }
            }
            "C" => table.custom.extend(custom_row(rest)),
            _ => {}
        }
    }
    table
}

fn listed(line: &'static str) -> Option<Listed> {
    let [name, tag, id, group, version] = line.split('\t').collect::<Vec<_>>().try_into().ok()?;
    let words = [tag, id, if group == "-" { "" } else { group }, version];
    Some(Listed { name, words, rows: Vec::new() })
}

fn items<'a>(columns: &mut impl Iterator<Item = &'a str>) -> Option<Items> {
    let mut number = || columns.next()?.parse().ok();
    Some(Items { v3: number()?, v2: number()? })
}

fn row(line: &'static str) -> Option<Row> {
    let mut columns = line.split('\t');
    let path = columns.next()?;
    let items = items(&mut columns)?;
    Some(Row { path, items, kind: columns.next()?, schemas: columns.collect() })
}

fn custom_row(line: &'static str) -> Option<CustomRow> {
    let mut columns = line.split('\t');
    let namespaced = columns.next()? == "N";
    let path = columns.next()?;
    let items = items(&mut columns)?;
    Some(CustomRow { namespaced, path, items, schemas: columns.collect() })
}

impl Listed {
    /// Group and version that the document is of; empty for one of none.
    pub(super) fn group_version(&self) -> (&'static str, &'static str) {
        (self.words[2], self.words[3])
    }
}

impl Table {
    /// Adds the path item of a built-in path.
    pub(super) fn item(&self, edition: Edition, listed: &Listed, row: &Row, out: &mut String) {
        let [tag, id, group, version] = listed.words;
        let mut words = vec![row.kind, tag, id, group, version];
        words.extend(&row.schemas);
        self.fill(self.template(edition, row.items), &words, out);
    }

    /// Adds the path item of a custom resource's path. `words` are kind, tag, id, group, version,
    /// the name of its schema and that of its list.
    pub(super) fn custom_item(
        &self,
        edition: Edition,
        row: &CustomRow,
        words: [&str; 7],
        out: &mut String,
    ) {
        let [kind, tag, id, group, version, own, list] = words;
        let mut words = vec![kind, tag, id, group, version];
        words.extend(row.schemas.iter().map(|schema| match *schema {
            "T" => own,
            "L" => list,
            other => other,
        }));
        let template = self.template(edition, row.items);
        self.fill(&template.replace(" a {0}\"", &with_article(kind)), &words, out);
    }

    fn template(&self, edition: Edition, items: Items) -> &'static str {
        let found = match edition {
            Edition::V3 => self.items_v3.get(items.v3),
            Edition::V2 => self.items_v2.get(items.v2),
        };
        found.copied().unwrap_or("{}")
    }

    /// A template with parameters and words put in.
    fn fill(&self, template: &str, words: &[&str], out: &mut String) {
        let mut rest = template;
        while let Some(open) = rest.find('{') {
            let (before, after) = rest.split_at(open);
            out.push_str(before);
            let inner = after[1..].split_once('}').map_or("", |(inner, _)| inner);
            let parameter = inner.strip_prefix('q').and_then(|n| n.parse::<usize>().ok());
            let word = inner.parse::<usize>().ok();
            rest = match (parameter, word) {
                (Some(number), _) => {
                    self.fill(self.parameters.get(number).unwrap_or(&"{}"), words, out);
                    &after[inner.len() + 2..]
                }
                (None, Some(number)) => {
                    out.push_str(words.get(number).unwrap_or(&""));
                    &after[inner.len() + 2..]
                }
                (None, None) => {
                    out.push('{');
                    &after[1..]
                }
            };
        }
        out.push_str(rest);
    }
}

/// A kind in a sentence, with the article that upstream gives it.
fn with_article(kind: &str) -> String {
    let article = match kind.chars().next() {
        _ if kind.ends_with('s') && !kind.ends_with("ss") => "",
        Some('a' | 'e' | 'i' | 'o' | 'u' | 'A' | 'E' | 'I' | 'O' | 'U') => "an ",
        _ => "a ",
    };
    // Where there is no article, the blanks on its two sides are one.
    format!(" {article}{{0}}\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_table_holds_the_documents_of_the_release() {
        let table = table();
        assert_eq!((table.documents.len(), table.schemas.len()), (47, 584));
        assert_eq!(table.custom.len(), 9);
        assert!(table.schemas.values().all(|schema| schema.starts_with('{')));
    }

    #[test]
    fn words_and_parameters_are_put_in() {
        let table = Table { parameters: vec!["[{0}]"], ..Table::default() };
        let mut out = String::new();
        table.fill("{\"a\":\"{1}\",\"{name}\":{q0},\"x\":{}}", &["K", "t"], &mut out);
        assert_eq!(out, "{\"a\":\"t\",\"{name}\":[K],\"x\":{}}");
    }
}
