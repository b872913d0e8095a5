//! Protocol buffers' wire format, as far as documents need it. What is zero is left out.

/// A message being written.
#[derive(Debug, Default)]
pub(super) struct Message(Vec<u8>);

/// How the bytes behind a field's number are to be read.
const VARINT: u32 = 0;
const FIXED_64: u32 = 1;
const LENGTH: u32 = 2;

impl Message {
    fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.0.push((value & 0x7f) as u8 | 0x80);
            value >>= 7;
        }
        self.0.push(value as u8);
    }

    fn key(&mut self, number: u32, wire: u32) {
        self.varint(u64::from(number << 3 | wire));
    }

    /// A text, which is left out where it is empty.
    pub(super) fn text(&mut self, number: u32, text: &str) {
        if !text.is_empty() {
            self.item(number, text);
        }
    }

    /// A text of a list.
    pub(super) fn item(&mut self, number: u32, text: &str) {
        self.bytes(number, text.as_bytes());
    }

    /// A boolean.
    pub(super) fn flag(&mut self, number: u32, flag: bool) {
        if flag {
            self.key(number, VARINT);
            self.varint(1);
        }
    }

    /// An integer.
    pub(super) fn whole(&mut self, number: u32, value: i64) {
        if value != 0 {
            self.key(number, VARINT);
            self.varint(value.cast_unsigned());
        }
    }

    /// A floating number.
    pub(super) fn double(&mut self, number: u32, value: f64) {
        if value != 0.0 {
            self.key(number, FIXED_64);
            self.0.extend_from_slice(&value.to_le_bytes());
        }
    }

    /// A message within, which is there even if nothing is in it.
    pub(super) fn nested(&mut self, number: u32, write: impl FnOnce(&mut Self)) {
        let mut inner = Self::default();
        write(&mut inner);
        self.bytes(number, &inner.0);
    }

    fn bytes(&mut self, number: u32, bytes: &[u8]) {
        self.key(number, LENGTH);
        self.varint(bytes.len() as u64);
        self.0.extend_from_slice(bytes);
    }

    /// The bytes.
    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_written_as_protocol_buffers_say() {
        let mut message = Message::default();
        message.text(1, "");
        message.text(1, "ab");
        message.flag(2, true);
        message.whole(3, 300);
        message.double(4, 1.0);
        message.nested(20, |inner| inner.item(1, ""));
        let expect = [
            0x0a, 2, b'a', b'b', 0x10, 1, 0x18, 0xac, 2, 0x21, 0, 0, 0, 0, 0, 0, 0xf0, 0x3f, 0xa2,
            1, 2, 0x0a, 0,
        ];
        assert_eq!(message.into_bytes(), expect);
    }
}
