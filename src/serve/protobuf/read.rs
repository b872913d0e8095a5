//! Bytes of a message to the JSON value that Go prints after reading them.
//!
//! A field may come more than once and in any order: a message goes into the one that is there, a
//! list grows, anything else is replaced. What is printed though it is unset is filled in last.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::error::Error;
use super::forms;
use super::table::{Field, Form, Message, MessageId, Shape, Table, Type, table};
use super::table::{MOST_FIELDS, Presence};
use super::wire::{BYTES, FIXED64, Reader, VARINT, text};
use super::{MAGIC, Map, Value};
use crate::base::limits;

/// What stands around an object.
pub(super) struct Envelope<'a> {
    pub(super) api_version: String,
    pub(super) kind: String,
    pub(super) raw: &'a [u8],
}

/// Takes a body apart.
pub(super) fn envelope(body: &[u8]) -> Result<Envelope<'_>, Error> {
    let data = match body.strip_prefix(&MAGIC) {
        None if body.is_empty() => return Err(Error::EmptyData),
        None => return Err(Error::NoMagic),
        Some([]) => return Err(Error::EmptyBody),
        Some(data) => data,
    };
    let mut envelope = Envelope { api_version: String::new(), kind: String::new(), raw: &[] };
    let name = "Unknown";
    forms::each(
        data,
        name,
        &["TypeMeta", "Raw", "ContentEncoding", "ContentType"],
        |at, bytes| {
            match at {
                0 => type_meta(&mut envelope, bytes)?,
                1 => envelope.raw = bytes,
                _ => {}
            }
            Ok(())
        },
    )?;
    Ok(envelope)
}

fn type_meta(envelope: &mut Envelope<'_>, data: &[u8]) -> Result<(), Error> {
    forms::each(data, "TypeMeta", &["APIVersion", "Kind"], |at, bytes| {
        *(if at == 0 { &mut envelope.api_version } else { &mut envelope.kind }) = text(bytes);
        Ok(())
    })
}

/// The reading of one object, with what it may still make.
pub(super) struct Reading {
    table: &'static Table,
    /// Maps with something in them.
    maps: usize,
    depth: usize,
    /// What is wrong with the value of a field whose bytes are right.
    late: Option<Error>,
}

/// Maps that any object may have, however short it is.
const FEW_MAPS: usize = 1024;
/// Bytes for each map beyond: as many as the shortest in JSON takes.
const BYTES_FOR_A_MAP: usize = 8;

impl Reading {
    pub(super) fn of(data: &[u8]) -> Self {
        let maps = FEW_MAPS + data.len() / BYTES_FOR_A_MAP;
        Self { table: table(), maps, depth: 0, late: None }
    }

    /// Reads an object into a map.
    pub(super) fn object(
        mut self,
        id: MessageId,
        data: &[u8],
        into: &mut Map,
    ) -> Result<(), Error> {
        self.message(id, data, into)?;
        self.late.map_or(Ok(()), Err)
    }

    /// Reads the fields of a message into a map.
    fn message(&mut self, id: MessageId, data: &[u8], into: &mut Map) -> Result<(), Error> {
        self.depth += 1;
        if self.depth > limits::DOCUMENT_DEPTH {
            return Err(Error::TooDeep);
        }
        let was_empty = into.is_empty();
        let message = self.table.message(id);
        let mut reader = Reader::new(data);
        let mut given = [false; MOST_FIELDS];
        loop {
            let start = reader.at();
            let Some((number, wire)) = reader.field(message.name)? else { break };
            match message.place(number) {
                Some(place) => {
                    let is_new = was_empty && !given[place];
                    given[place] = true;
                    self.field(&message.fields[place], wire, &mut reader, into, is_new)?;
                }
                None => reader.skip(start, reader.whole())?,
            }
        }
        self.fill(message, &given, into)?;
        if was_empty && !into.is_empty() {
            self.maps = self.maps.checked_sub(1).ok_or(Error::TooMany)?;
        }
        self.depth -= 1;
        Ok(())
    }

    /// Puts in what is printed though it was not given.
    fn fill(
        &mut self,
        message: &Message,
        given: &[bool; MOST_FIELDS],
        into: &mut Map,
    ) -> Result<(), Error> {
        for place in &message.always {
            let field = &message.fields[*place];
            match field.ty {
                _ if given[*place] => {}
                Type::Message(id) if field.is_inline() => self.message(id, &[], into)?,
                _ if into.contains_key(field.json) => {}
                _ => {
                    let zero = self.zero(field)?;
                    into.insert(field.json.to_owned(), zero);
                }
            }
        }
        Ok(())
    }

    fn zero(&mut self, field: &Field) -> Result<Value, Error> {
        Ok(match field.ty {
            _ if field.presence == Presence::Nullable => Value::Null,
            Type::Text | Type::Bytes => "".into(),
            Type::Bool => false.into(),
            Type::Int32 | Type::Int64 | Type::Double => 0.into(),
            Type::Message(id) => self.value(id, &[], Value::Null)?,
        })
    }

    /// Reads the value of a field into the map of its message; `is_new` if it is surely not there.
    fn field(
        &mut self,
        field: &Field,
        wire: u8,
        reader: &mut Reader<'_>,
        into: &mut Map,
        is_new: bool,
    ) -> Result<(), Error> {
        let is_packed = field.shape == Shape::List && wire == BYTES && !is_delimited(field.ty);
        if wire != wire_of(field) && !is_packed {
            return Err(Error::WrongWire { wire, field: field.go_name() });
        }
        match (field.shape, field.ty) {
            (Shape::One, Type::Message(id)) if field.is_inline() => {
                self.message(id, reader.bytes()?, into)?;
            }
            (Shape::One, ty) => {
                let old = if is_new { None } else { into.remove(field.json) };
                let value = self.single(ty, reader, old.unwrap_or_default())?;
                if field.presence != Presence::Value || !value.is_zero() {
                    into.insert(field.json.to_owned(), value);
                }
            }
            (Shape::List, ty) => {
                let end = if is_packed { reader.end()? } else { reader.at() + 1 };
                while reader.at() < end {
                    let item = self.single(ty, reader, Value::Null)?;
                    list_at(into, field.json).push(item);
                }
            }
            (Shape::Map, ty) => {
                let (key, value) = self.entry(ty, reader)?;
                map_at(into, field.json).insert(key, value);
            }
        }
        Ok(())
    }

    /// Key and value of an entry of a map. Upstream looks neither at wire types here, nor whether
    /// key and value stay inside the entry.
    fn entry(&mut self, ty: Type, reader: &mut Reader<'_>) -> Result<(String, Value), Error> {
        let end = reader.end()?;
        let (mut key, mut value) = (String::new(), None);
        while reader.at() < end {
            let start = reader.at();
            match reader.tag()?.0 {
                1 => key = text(reader.bytes()?),
                2 => value = Some(self.single(ty, reader, Value::Null)?),
                _ => reader.skip(start, end)?,
            }
        }
        reader.seek(end);
        let value = match (value, ty) {
            (Some(value), _) => value,
            (None, Type::Message(id)) => self.value(id, &[], Value::Null)?,
            (None, _) => "".into(),
        };
        Ok((key, value))
    }

    /// One value, which for a message continues `old`.
    #[expect(clippy::cast_possible_truncation, reason = "Go cuts to the width of the field")]
    #[expect(clippy::cast_possible_wrap, reason = "negative numbers are two's complement")]
    fn single(&mut self, ty: Type, reader: &mut Reader<'_>, old: Value) -> Result<Value, Error> {
        Ok(match ty {
            Type::Text => text(reader.bytes()?).into(),
            Type::Bool => (reader.varint()? != 0).into(),
            Type::Int32 => (reader.varint()? as i32).into(),
            Type::Int64 => (reader.varint()? as i64).into(),
            Type::Double => {
                let number = forms::number(f64::from_bits(reader.fixed64()?));
                self.later(number)?
            }
            Type::Bytes => STANDARD.encode(reader.bytes()?).into(),
            Type::Message(id) => {
                let data = reader.bytes()?;
                self.value(id, data, old)?
            }
        })
    }

    /// Keeps an error that is only told where there is no other.
    fn later(&mut self, value: Result<Value, Error>) -> Result<Value, Error> {
        value.or_else(|error| {
            if !error.is_late() {
                return Err(error);
            }
            self.late.get_or_insert(error);
            Ok(Value::Null)
        })
    }

    /// A message as what JSON shows it as.
    fn value(&mut self, id: MessageId, data: &[u8], old: Value) -> Result<Value, Error> {
        let value = match self.table.message(id).form {
            Form::Quantity => forms::quantity(data),
            Form::Time => forms::time(data),
            Form::MicroTime => forms::micro_time(data),
            Form::IntOrString => forms::int_or_string(data),
            Form::Raw => forms::raw(self.table.message(id).name, data),
            Form::List => forms::list(self.table.message(id).name, data, old),
            form => {
                let mut map = match old {
                    Value::Object(map) => map,
                    _ => Map::new(),
                };
                self.message(id, data, &mut map)?;
                Ok(if form == Form::Map { Value::Object(map) } else { forms::either(form, map) })
            }
        };
        self.later(value)
    }
}

fn is_delimited(ty: Type) -> bool {
    matches!(ty, Type::Text | Type::Bytes | Type::Message(_))
}

fn wire_of(field: &Field) -> u8 {
    match field.ty {
        _ if field.shape == Shape::Map || is_delimited(field.ty) => BYTES,
        Type::Double => FIXED64,
        _ => VARINT,
    }
}

/// The list under a key, made where there is none.
fn list_at<'a>(into: &'a mut Map, key: &str) -> &'a mut Vec<Value> {
    if !into.get(key).is_some_and(Value::is_array) {
        into.insert(key.to_owned(), Value::Array(Vec::new()));
    }
    match into.get_mut(key) {
        Some(Value::Array(list)) => list,
        _ => unreachable!("it was made a list above"),
    }
}

/// The map under a key, made where there is none.
fn map_at<'a>(into: &'a mut Map, key: &str) -> &'a mut Map {
    if !into.get(key).is_some_and(Value::is_object) {
        into.insert(key.to_owned(), Value::Object(Map::new()));
    }
    match into.get_mut(key) {
        Some(Value::Object(map)) => map,
        _ => unreachable!("it was made a map above"),
    }
}
