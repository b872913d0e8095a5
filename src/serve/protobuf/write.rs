//! A JSON value to the bytes that Go writes for it: fields by number, maps by key, and everything
//! that is no pointer even where it is zero.
//!
//! A value that is not of the type of its field ends the writing with `None`. Keys that are no
//! field are left out, as Go has no place for them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::forms;
use super::table::{Field, Form, MOST_FIELDS, Message, MessageId, Shape, Table, Type, table};
use super::wire::{BYTES, FIXED64, VARINT};
use super::{MAGIC, Map, Value};

/// A body: the magic bytes and the envelope with the object.
pub(super) fn body(
    api_version: &str,
    kind: &str,
    id: MessageId,
    object: &Value,
) -> Option<Vec<u8>> {
    let mut out = Writer { table: table(), out: MAGIC.to_vec() };
    let at = out.begin(1);
    out.bytes(1, api_version.as_bytes());
    out.bytes(2, kind.as_bytes());
    out.end(at);
    let at = out.begin(2);
    out.message(id, Some(object))?;
    out.end(at);
    out.bytes(3, b"");
    out.bytes(4, b"");
    Some(out.out)
}

/// An event of a watch around an encoded object, with its length in front.
pub(super) fn frame(event: &str, object: &[u8]) -> Vec<u8> {
    // What is around the object: the word and at most five lengths.
    let mut out =
        Writer { table: table(), out: Vec::with_capacity(object.len() + event.len() + 24) };
    out.out.extend([0; 4]);
    out.bytes(1, event.as_bytes());
    out.tag(2, BYTES);
    out.varint((1 + length_of(object.len()) + object.len()) as u64);
    out.bytes(1, object);
    let length = u32::try_from(out.out.len() - 4).unwrap_or(u32::MAX);
    out.out[..4].copy_from_slice(&length.to_be_bytes());
    out.out
}

/// Bytes that a length takes.
fn length_of(length: usize) -> usize {
    (64 - (length as u64 | 1).leading_zeros() as usize).div_ceil(7)
}

/// Bytes as they grow.
pub(super) struct Writer {
    table: &'static Table,
    out: Vec<u8>,
}

impl Writer {
    fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.out.push(value.to_le_bytes()[0] | 0x80);
            value >>= 7;
        }
        self.out.push(value.to_le_bytes()[0]);
    }

    fn tag(&mut self, number: i32, wire: u8) {
        self.varint(u64::from(number.unsigned_abs()) << 3 | u64::from(wire));
    }

    #[expect(clippy::cast_sign_loss, reason = "negative numbers are two's complement")]
    pub(super) fn integer(&mut self, number: i32, value: i64) {
        self.tag(number, VARINT);
        self.varint(value as u64);
    }

    pub(super) fn bytes(&mut self, number: i32, bytes: &[u8]) {
        self.tag(number, BYTES);
        self.varint(bytes.len() as u64);
        self.out.extend_from_slice(bytes);
    }

    /// Begins a field whose length is not known yet: one byte is kept for it.
    fn begin(&mut self, number: i32) -> usize {
        self.tag(number, BYTES);
        self.out.push(0);
        self.out.len()
    }

    /// Ends the field that began there, and moves it on where its length takes more than a byte.
    fn end(&mut self, at: usize) {
        let length = self.out.len() - at;
        let more = length_of(length) - 1;
        if more > 0 {
            self.out.resize(at + length + more, 0);
            self.out.copy_within(at..at + length, at + more);
        }
        let mut rest = length;
        for place in at - 1..at + more {
            let continues = if place < at + more - 1 { 0x80 } else { 0 };
            self.out[place] = rest.to_le_bytes()[0] & 0x7f | continues;
            rest >>= 7;
        }
    }

    /// The fields of a message; `None` stands for its zero.
    fn message(&mut self, id: MessageId, value: Option<&Value>) -> Option<()> {
        let message = self.table.message(id);
        match message.form {
            Form::Map => {
                let empty = Map::new();
                self.fields(message, value.map_or(Some(&empty), Value::as_object)?)
            }
            Form::Quantity => forms::write_quantity(value, self),
            Form::Time => forms::write_time(value, false, self),
            Form::MicroTime => forms::write_time(value, true, self),
            Form::IntOrString => forms::write_int_or_string(value, self),
            Form::Raw => forms::write_raw(value, self),
            Form::List => forms::write_list(value, self),
            form @ (Form::OrBool | Form::OrList) => {
                let given = forms::fields(form, value)?;
                let mut pairs = message.fields.iter().zip(given);
                pairs.try_for_each(|(field, value)| self.field(field, value))
            }
        }
    }

    fn fields(&mut self, message: &Message, map: &Map) -> Option<()> {
        let given = gather(message, map);
        for (field, value) in message.fields.iter().zip(given) {
            match field.ty {
                Type::Message(id) if field.is_inline() => {
                    let at = self.begin(field.number);
                    self.fields(self.table.message(id), map)?;
                    self.end(at);
                }
                _ => self.field(field, value)?,
            }
        }
        Some(())
    }

    fn field(&mut self, field: &Field, value: Option<&Value>) -> Option<()> {
        match (field.shape, value) {
            (Shape::One, None) if field.is_pointer() || field.ty == Type::Bytes => {}
            (Shape::One, None) if is_list(self.table, field.ty) => {}
            (Shape::One, value) => self.single(field.number, field.ty, value)?,
            (_, None) => {}
            (Shape::List, Some(list)) => {
                for item in list.as_array()? {
                    self.single(field.number, field.ty, Some(item).filter(|i| !i.is_null()))?;
                }
            }
            (Shape::Map, Some(map)) => {
                for (key, value) in map.as_object()? {
                    let at = self.begin(field.number);
                    self.bytes(1, key.as_bytes());
                    if !(field.ty == Type::Bytes && value.is_null()) {
                        self.single(2, field.ty, Some(value).filter(|v| !v.is_null()))?;
                    }
                    self.end(at);
                }
            }
        }
        Some(())
    }

    /// One value, or the zero of its type.
    fn single(&mut self, number: i32, ty: Type, value: Option<&Value>) -> Option<()> {
        match ty {
            Type::Text => self.bytes(number, value.map_or(Some(""), Value::as_str)?.as_bytes()),
            Type::Bool => self.integer(number, value.map_or(Some(false), Value::as_bool)?.into()),
            Type::Int32 => {
                let value = i32::try_from(value.map_or(Some(0), Value::as_i64)?).ok()?;
                self.integer(number, value.into());
            }
            Type::Int64 => self.integer(number, value.map_or(Some(0), Value::as_i64)?),
            Type::Double => {
                self.tag(number, FIXED64);
                let bits = value.map_or(Some(0.0), Value::as_f64)?.to_bits();
                self.out.extend(bits.to_le_bytes());
            }
            Type::Bytes => {
                let bytes = STANDARD.decode(value.map_or(Some(""), Value::as_str)?).ok()?;
                self.bytes(number, &bytes);
            }
            Type::Message(id) => {
                let at = self.begin(number);
                self.message(id, value)?;
                self.end(at);
            }
        }
        Some(())
    }
}

fn is_list(table: &Table, ty: Type) -> bool {
    matches!(ty, Type::Message(id) if table.message(id).form == Form::List)
}

/// The values of a message's fields, in their order, nulls left out. Both the map and the list of
/// names are sorted, so one walk over both finds all.
fn gather<'a>(message: &Message, map: &'a Map) -> [Option<&'a Value>; MOST_FIELDS] {
    let mut given = [None; MOST_FIELDS];
    let mut names = message.by_name.iter().map(|at| (*at, message.fields[*at].json)).peekable();
    for (key, value) in map {
        while names.next_if(|(_, name)| *name < key.as_str()).is_some() {}
        if let Some((at, _)) = names.next_if(|(_, name)| *name == key)
            && !value.is_null()
        {
            given[at] = Some(value);
        }
    }
    given
}
