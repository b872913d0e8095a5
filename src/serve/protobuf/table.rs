//! Reads the generated table of messages and kinds.
//!
//! The table is text, a line a thing, columns parted by tabs. Messages are numbered from 0 in
//! their order:
//!
//! ```text
//! M  name  form?                        a message, its fields follow in the order of numbers
//!  number  json-name  type  go-name?    json-name `-`: its fields are those of the map around it
//! K  group  version  kind=message ...   `*`: of every group and version; group `-`: core
//! ```
//!
//! A type is `[` for a list or `{` for a map of it, then `s` string, `b` bool, `i` int32,
//! `l` int64, `d` double, `x` bytes or the number of a message, then how it is printed: `p` a
//! pointer, absent if unset; `v` absent if zero; `a` always; `n` always, null if unset.
//!
//! Not here: the generator (`scripts/schema-protobuf`).

use std::borrow::Cow;
use std::sync::LazyLock;

/// Fields of one message; their values are gathered in an array of this length.
pub(super) const MOST_FIELDS: usize = 64;

/// The table of the Kubernetes release that it was generated from.
pub(super) fn table() -> &'static Table {
    static TABLE: LazyLock<Table> = LazyLock::new(|| parse(include_str!("table.txt")));
    &TABLE
}

/// The place of a message in its table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct MessageId(u16);

#[derive(Debug)]
pub(super) struct Table {
    messages: Vec<Message>,
    /// Sorted; group, version, kind.
    kinds: Vec<([&'static str; 3], MessageId)>,
}

/// What JSON shows a message as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// The map of its fields.
    Map,
    Quantity,
    Time,
    MicroTime,
    IntOrString,
    /// The JSON in its only field.
    Raw,
    /// The list of strings in its only field.
    List,
    /// A boolean, or the message in its second field.
    OrBool,
    /// The message in its first field, or the list in its second.
    OrList,
}

#[derive(Debug)]
pub(super) struct Message {
    pub(super) name: &'static str,
    pub(super) form: Form,
    /// By number.
    pub(super) fields: Vec<Field>,
    /// Places in `fields` by JSON name, without those that have none.
    pub(super) by_name: Vec<usize>,
    /// Places in `fields` of what is printed even where it is unset.
    pub(super) always: Vec<usize>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Type {
    Text,
    Bool,
    Int32,
    Int64,
    Double,
    Bytes,
    Message(MessageId),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    One,
    List,
    Map,
}

/// When a field is printed; `object::schema::Presence` has the same words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Presence {
    Pointer,
    Value,
    Always,
    Nullable,
}

#[derive(Debug)]
pub(super) struct Field {
    pub(super) number: i32,
    /// Empty for a message whose fields are those of the map around it.
    pub(super) json: &'static str,
    pub(super) ty: Type,
    pub(super) shape: Shape,
    pub(super) presence: Presence,
    go: &'static str,
}

impl Field {
    /// The name that error texts use.
    pub(super) fn go_name(&self) -> Cow<'static, str> {
        if !self.go.is_empty() {
            return Cow::Borrowed(self.go);
        }
        let mut letters = self.json.chars();
        let first = letters.next().map(|c| c.to_ascii_uppercase());
        first.into_iter().chain(letters).collect::<String>().into()
    }

    pub(super) fn is_inline(&self) -> bool {
        self.json.is_empty()
    }

    /// Whether it is unset, rather than zero, where it is not given.
    pub(super) fn is_pointer(&self) -> bool {
        matches!(self.presence, Presence::Pointer | Presence::Nullable)
    }
}

impl Message {
    /// The place of the field of that number. Numbers have few gaps.
    pub(super) fn place(&self, number: i32) -> Option<usize> {
        let guess = usize::try_from(number).ok()?.wrapping_sub(1);
        match self.fields.get(guess) {
            Some(field) if field.number == number => Some(guess),
            _ => self.fields.binary_search_by_key(&number, |f| f.number).ok(),
        }
    }
}

#[cfg(test)]
impl MessageId {
    pub(super) fn place(self) -> usize {
        self.0.into()
    }
}

impl Table {
    /// Every field, with its message and the place of that.
    #[cfg(test)]
    pub(super) fn fields(&self) -> impl Iterator<Item = (usize, &Message, &Field)> {
        let all = self.messages.iter().enumerate();
        all.flat_map(|(at, message)| message.fields.iter().map(move |f| (at, message, f)))
    }

    pub(super) fn message(&self, id: MessageId) -> &Message {
        &self.messages[usize::from(id.0)]
    }

    /// The message of a kind. Those of every group and version are found where there is another.
    pub(super) fn kind(&self, group: &str, version: &str, kind: &str) -> Option<MessageId> {
        let find =
            |gvk: [&str; 3]| self.kinds.binary_search_by(|(found, _)| found[..].cmp(&gvk[..]));
        let at = find([group, version, kind]).or_else(|at| {
            let beside = self.kinds.get(at.saturating_sub(1)..(at + 1).min(self.kinds.len()));
            let is_there = |(gvk, _): &([&str; 3], _)| gvk[..2] == [group, version];
            let is_served = beside.is_some_and(|kinds| kinds.iter().any(is_there));
            if is_served { find(["*", "*", kind]) } else { Err(at) }
        });
        at.ok().map(|at| self.kinds[at].1)
    }

    /// Group, version and kind of everything in it; `*` for every group and version.
    pub(super) fn kinds(&self) -> impl Iterator<Item = &[&'static str; 3]> {
        self.kinds.iter().map(|(gvk, _)| gvk)
    }
}

fn parse(text: &'static str) -> Table {
    let mut table = Table { messages: Vec::new(), kinds: Vec::new() };
    for line in text.lines() {
        let (head, rest) = line.split_once('\t').unwrap_or((line, ""));
        match head {
            "M" => table.messages.push(message(rest)),
            "K" => table.kinds.extend(kinds(rest)),
            _ => {
                let field = head.strip_prefix(' ').and_then(|number| field(number, rest));
                if let (Some(field), Some(message)) = (field, table.messages.last_mut()) {
                    message.fields.push(field);
                }
            }
        }
    }
    table.kinds.sort_by_key(|(gvk, _)| *gvk);
    table.messages.iter_mut().for_each(index);
    table
}

fn index(message: &mut Message) {
    let fields = &message.fields;
    let all = 0..fields.len();
    message.by_name = all.clone().filter(|i| !fields[*i].is_inline()).collect();
    message.by_name.sort_by_key(|i| fields[*i].json);
    let is_always =
        |i: &usize| matches!(fields[*i].presence, Presence::Always | Presence::Nullable);
    message.always = all.filter(is_always).collect();
}

fn message(line: &'static str) -> Message {
    let (name, form) = line.split_once('\t').unwrap_or((line, ""));
    let form = match form {
        "quantity" => Form::Quantity,
        "time" => Form::Time,
        "micro-time" => Form::MicroTime,
        "int-or-string" => Form::IntOrString,
        "raw" => Form::Raw,
        "list" => Form::List,
        "or-bool" => Form::OrBool,
        "or-list" => Form::OrList,
        _ => Form::Map,
    };
    Message { name, form, fields: vec![], by_name: vec![], always: vec![] }
}

fn field(number: &'static str, line: &'static str) -> Option<Field> {
    let mut columns = line.split('\t');
    let json = columns.next().filter(|name| *name != "-").unwrap_or("");
    let (word, presence) = columns.next().and_then(|ty| ty.split_at_checked(ty.len() - 1))?;
    let (shape, word) = match (word.strip_prefix('['), word.strip_prefix('{')) {
        (Some(word), _) => (Shape::List, word),
        (_, Some(word)) => (Shape::Map, word),
        _ => (Shape::One, word),
    };
    let ty = match word {
        "s" => Type::Text,
        "b" => Type::Bool,
        "i" => Type::Int32,
        "l" => Type::Int64,
        "d" => Type::Double,
        "x" => Type::Bytes,
        id => Type::Message(MessageId(id.parse().ok()?)),
    };
    let presence = match presence {
        "v" => Presence::Value,
        "a" => Presence::Always,
        "n" => Presence::Nullable,
        _ => Presence::Pointer,
    };
    let go = columns.next().unwrap_or("");
    Some(Field { number: number.parse().ok()?, json, ty, shape, presence, go })
}

fn kinds(line: &'static str) -> Vec<([&'static str; 3], MessageId)> {
    let mut columns = line.splitn(3, '\t');
    let group = columns.next().filter(|g| *g != "-").unwrap_or("");
    let version = columns.next().unwrap_or("");
    let pairs = columns.next().unwrap_or("").split(' ').filter_map(|pair| pair.split_once('='));
    let read = |(kind, id): (_, &str)| Some(([group, version, kind], MessageId(id.parse().ok()?)));
    pairs.filter_map(read).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_table_is_whole_and_in_order() {
        let table = table();
        assert_eq!((table.messages.len(), table.kinds.len()), (619, 160));
        for (_, message, field) in table.fields() {
            let name = message.name;
            assert!(message.fields.len() <= MOST_FIELDS, "{name}");
            assert!(message.fields.windows(2).all(|w| w[0].number < w[1].number), "{name}");
            if let Type::Message(id) = field.ty {
                assert!(id.place() < table.messages.len(), "{name}.{}", field.json);
            }
        }
        assert!(table.kinds.windows(2).all(|w| w[0].0 < w[1].0));
        assert!(table.kinds.iter().all(|(_, id)| id.place() < table.messages.len()));
    }

    #[test]
    fn options_are_of_every_version_that_is_served() {
        let is_there = |group, version| table().kind(group, version, "PatchOptions").is_some();
        assert!(is_there("", "v1") && is_there("storage.k8s.io", "v1") && is_there("apps", "v1"));
        assert!(!is_there("apps", "v9") && !is_there("example.com", "v1"));
    }
}
