//! An object as a run of bytes: what history keeps of states that nobody reads any more.
//!
//! An object as a tree takes some ten times the memory of its text, and of the objects of a busy
//! cluster most are states that were left behind. Packing is exact: what comes out equals what
//! went in. The bytes are for this process alone; what is written to files is `record`'s.

use crate::object::{Map, Object, Value};

/// A packed object.
#[derive(Clone, Debug)]
pub(super) struct Packed(Box<[u8]>);

const NULL: u8 = 0;
const FALSE: u8 = 1;
const TRUE: u8 = 2;
const WHOLE: u8 = 3;
const NEGATIVE: u8 = 4;
const FLOAT: u8 = 5;
const TEXT: u8 = 6;
const LIST: u8 = 7;
const MAP: u8 = 8;

impl Packed {
    pub(super) fn of(object: &Object) -> Self {
        let mut out = Vec::with_capacity(4096);
        put_map(&object.0, &mut out);
        Self(out.into_boxed_slice())
    }

    pub(super) fn object(&self) -> Object {
        Object(Reader(&self.0).map())
    }
}

fn put(value: &Value, out: &mut Vec<u8>) {
    match value {
        Value::Null => out.push(NULL),
        Value::Bool(false) => out.push(FALSE),
        Value::Bool(true) => out.push(TRUE),
        Value::Number(number) => match (number.as_u64(), number.as_i64()) {
            (Some(whole), _) => {
                out.push(WHOLE);
                put_number(whole, out);
            }
            (None, Some(negative)) => {
                out.push(NEGATIVE);
                put_number(negative.unsigned_abs(), out);
            }
            (None, None) => {
                out.push(FLOAT);
                let bits = number.as_f64().unwrap_or_default().to_bits();
                out.extend_from_slice(&bits.to_le_bytes());
            }
        },
        Value::String(text) => {
            out.push(TEXT);
            put_text(text, out);
        }
        Value::Array(list) => {
            out.push(LIST);
            put_number(list.len() as u64, out);
            list.iter().for_each(|item| put(item, out));
        }
        Value::Object(map) => {
            out.push(MAP);
            put_map(map, out);
        }
    }
}

fn put_map(map: &Map<String, Value>, out: &mut Vec<u8>) {
    put_number(map.len() as u64, out);
    for (key, value) in map {
        put_text(key, out);
        put(value, out);
    }
}

fn put_text(text: &str, out: &mut Vec<u8>) {
    put_number(text.len() as u64, out);
    out.extend_from_slice(text.as_bytes());
}

/// Seven bits a byte, the low ones first; a set eighth says that more follow.
fn put_number(mut number: u64, out: &mut Vec<u8>) {
    while number >= 0x80 {
        out.push(number.to_le_bytes()[0] | 0x80);
        number >>= 7;
    }
    out.push(number.to_le_bytes()[0]);
}

/// What is left to read. Past the end all reads as zero, which `put` never leads to.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn bytes(&mut self, count: usize) -> &'a [u8] {
        let (head, rest) = self.0.split_at_checked(count).unwrap_or((self.0, &[]));
        self.0 = rest;
        head
    }

    fn byte(&mut self) -> u8 {
        self.bytes(1).first().copied().unwrap_or(0)
    }

    fn number(&mut self) -> u64 {
        let (mut number, mut shift) = (0, 0);
        loop {
            let byte = self.byte();
            number |= u64::from(byte & 0x7f) << shift;
            shift += 7;
            if byte < 0x80 || shift > 63 {
                return number;
            }
        }
    }

    /// A length; never more than there are bytes left.
    fn count(&mut self) -> usize {
        usize::try_from(self.number()).unwrap_or(usize::MAX).min(self.0.len())
    }

    fn text(&mut self) -> String {
        let count = self.count();
        String::from_utf8_lossy(self.bytes(count)).into_owned()
    }

    fn map(&mut self) -> Map<String, Value> {
        let count = self.count();
        (0..count).map(|_| (self.text(), self.value())).collect()
    }

    fn value(&mut self) -> Value {
        match self.byte() {
            FALSE => Value::Bool(false),
            TRUE => Value::Bool(true),
            WHOLE => self.number().into(),
            NEGATIVE => 0_i64.wrapping_sub_unsigned(self.number()).into(),
            FLOAT => {
                let bits = self.bytes(8).try_into().map_or(0, u64::from_le_bytes);
                f64::from_bits(bits).into()
            }
            TEXT => Value::String(self.text()),
            LIST => {
                let count = self.count();
                Value::Array((0..count).map(|_| self.value()).collect())
            }
            MAP => Value::Object(self.map()),
            _ => Value::Null,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::object::json;

    #[test]
    fn what_comes_out_is_what_went_in() {
        let value = json!({
            "": {}, "a": [null, true, false, [], {"ü": "x\u{0}y"}], "n": [0, 127, 128, u64::MAX],
            "m": [-1, -128, i64::MIN], "f": [0.1, -0.0, 1.0, f64::MAX], "t": "z".repeat(300),
        });
        let object = Object::from_value(value).unwrap();
        let again = Packed::of(&object).object();
        assert_eq!(again, object);
        assert_eq!(serde_json::to_string(&again).unwrap(), serde_json::to_string(&object).unwrap());
    }
}
