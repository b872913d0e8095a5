//! What stands over the columns of each kind, and what writes their cells.
//!
//! The generated table is text, columns parted by tabs, `-` for what is empty:
//!
//! ```text
//! D  "text"                                     a description, numbered from 0
//! K  group kind                                 a kind; its columns follow:
//!  name  type  format  priority  description
//! ```
//!
//! Not here: the generator (`scripts/columns`).

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::LazyLock;

use super::cells::{self, Cells};
use super::custom::Column;
use super::row::Row;
use super::{Order, cluster};
use crate::object::{Value, json};

/// The columns of a table.
pub(super) struct Columns {
    /// `columnDefinitions`.
    pub(super) definitions: Cow<'static, Value>,
    pub(super) writer: Writer,
    /// Set where rows stand in an order of their own.
    pub(super) order: Option<Order>,
    /// Whether the kind has no columns of its own; then a table without rows has `null` for them.
    pub(super) is_default: bool,
}

/// What writes the cells of a row.
pub(super) enum Writer {
    Builtin(Cells),
    Custom(Vec<Column>),
}

impl Columns {
    /// Those of a built-in kind; name and time of creation for a kind that is not known.
    pub(super) fn builtin(group: &str, kind: &str) -> Self {
        let known = DEFINITIONS.iter().find(|(key, _)| **key == (group, kind));
        let known = known.map(|(_, definitions)| definitions);
        let writer = cells::of(group, kind);
        let own = known.filter(|_| writer.is_some());
        let default = || DEFINITIONS.get(&("", "LimitRange"));
        Self {
            definitions: own.or_else(default).map_or_else(Cow::default, Cow::Borrowed),
            writer: Writer::Builtin(writer.unwrap_or(cells::name_and_creation)),
            order: (kind == "FlowSchema").then_some(cluster::by_precedence as Order),
            is_default: own.is_none(),
        }
    }

    pub(super) fn cells(&self, row: &Row) -> Vec<Value> {
        match &self.writer {
            Writer::Builtin(cells) => cells(row),
            Writer::Custom(columns) => {
                let name = std::iter::once(row.name());
                name.chain(columns.iter().map(|column| column.cell(row))).collect()
            }
        }
    }
}

type Definitions = BTreeMap<(&'static str, &'static str), Value>;

static DEFINITIONS: LazyLock<Definitions> = LazyLock::new(|| parse(include_str!("columns.txt")));

fn parse(text: &'static str) -> Definitions {
    let mut descriptions: Vec<Value> = Vec::new();
    let mut definitions = Definitions::new();
    let mut kind = ("", "");
    for line in text.lines() {
        let columns: Vec<&'static str> = line.split('\t').collect();
        match columns.as_slice() {
            ["D", text] => descriptions.push(serde_json::from_str(text).unwrap_or_default()),
            ["K", group, name] => kind = (plain(group), name),
            [name, ty, format, priority, description] => {
                let description = description.parse().ok().and_then(|i: usize| descriptions.get(i));
                let definition = json!({
                    "name": name.trim_start(),
                    "type": ty,
                    "format": plain(format),
                    "description": description,
                    "priority": priority.parse::<u8>().unwrap_or(0),
                });
                let own = definitions.entry(kind).or_insert_with(|| json!([]));
                own.as_array_mut().into_iter().for_each(|own| own.push(definition.clone()));
            }
            _ => {}
        }
    }
    definitions
}

fn plain(column: &'static str) -> &'static str {
    if column == "-" { "" } else { column }
}

/// The description of the column that every table begins with.
pub(super) fn name_definition() -> Value {
    DEFINITIONS.get(&("", "ConfigMap")).map_or(Value::Null, |columns| columns[0].clone())
}

/// The description of the column that tells when an object was made.
pub(super) fn age_description() -> Value {
    let columns = DEFINITIONS.get(&("", "ConfigMap"));
    columns.map_or(Value::Null, |columns| columns[2]["description"].clone())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Time;
    use crate::object::{Object, schema};

    #[test]
    fn an_empty_object_of_each_kind_fills_every_column() {
        for kind in schema::builtin().kinds().filter(|kind| !kind.list_kind.is_empty()) {
            let columns = Columns::builtin(&kind.gvk.group, &kind.gvk.kind);
            let object = Object::default();
            let cells = columns.cells(&Row { object: &object, now: Time::VIRTUAL_START }).len();
            let defined = columns.definitions.as_array().map_or(0, Vec::len);
            // Upstream gives an IPAddress its age without a column for it.
            let extra = usize::from(kind.gvk.kind == "IPAddress");
            assert_eq!(cells, defined + extra, "{}", kind.gvk);
        }
    }
}
