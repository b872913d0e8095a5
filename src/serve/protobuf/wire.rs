//! The wire format: integers of seven bits a byte, fields with number and wire type, lengths.
//!
//! It takes and refuses what the readers that gogo generates take and refuse, in the same order.
//! Not here: what a field means.

use super::error::Error;

/// Wire types of fields that are known.
pub(super) const VARINT: u8 = 0;
pub(super) const FIXED64: u8 = 1;
pub(super) const BYTES: u8 = 2;

/// A place in the bytes of a message.
#[derive(Clone, Copy)]
pub(super) struct Reader<'a> {
    data: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    pub(super) fn new(data: &'a [u8]) -> Self {
        Self { data, at: 0 }
    }

    pub(super) fn at(&self) -> usize {
        self.at
    }

    pub(super) fn seek(&mut self, at: usize) {
        self.at = at;
    }

    /// Number and wire type of the next field of the named message; `None` at its end.
    pub(super) fn field(&mut self, message: &'static str) -> Result<Option<(i32, u8)>, Error> {
        if self.at >= self.data.len() {
            return Ok(None);
        }
        let (number, wire, whole) = self.tag()?;
        if wire == 4 {
            return Err(Error::EndGroup(message));
        }
        if number <= 0 {
            return Err(Error::IllegalTag { message, number, wire: whole });
        }
        Ok(Some((number, wire)))
    }

    /// A field's number and wire type, unchecked, and the integer that holds both.
    #[expect(clippy::cast_possible_truncation, reason = "the number is cut to 32 bits, as in Go")]
    pub(super) fn tag(&mut self) -> Result<(i32, u8, u64), Error> {
        let whole = self.varint()?;
        Ok(((whole >> 3) as i32, (whole & 7) as u8, whole))
    }

    pub(super) fn varint(&mut self) -> Result<u64, Error> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = *self.data.get(self.at).ok_or(Error::Truncated)?;
            self.at += 1;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(Error::Overflow)
    }

    pub(super) fn fixed64(&mut self) -> Result<u64, Error> {
        let bytes = self.data.get(self.at..).and_then(|rest| rest.first_chunk::<8>());
        self.at += 8;
        bytes.map(|bytes| u64::from_le_bytes(*bytes)).ok_or(Error::Truncated)
    }

    /// A length, as the place that it points to.
    pub(super) fn end(&mut self) -> Result<usize, Error> {
        let length = i64::try_from(self.varint()?).map_err(|_| Error::NegativeLength)?;
        let at = i64::try_from(self.at).map_err(|_| Error::NegativeLength)?;
        let end = at.checked_add(length).ok_or(Error::NegativeLength)?;
        let end = usize::try_from(end).map_err(|_| Error::NegativeLength)?;
        if end > self.data.len() { Err(Error::Truncated) } else { Ok(end) }
    }

    /// Bytes with their length in front.
    pub(super) fn bytes(&mut self) -> Result<&'a [u8], Error> {
        let end = self.end()?;
        let bytes = &self.data[self.at..end];
        self.at = end;
        Ok(bytes)
    }

    /// Passes over an unknown field whose tag begins at `from`, which may not go beyond `end`.
    pub(super) fn skip(&mut self, from: usize, end: usize) -> Result<(), Error> {
        self.at = from;
        let mut depth = 0_usize;
        while self.at < self.data.len() {
            let (_, wire, _) = self.tag()?;
            match wire {
                VARINT => {
                    self.varint()?;
                }
                FIXED64 => self.at += 8,
                BYTES => self.at = self.end()?,
                3 => depth += 1,
                4 => depth = depth.checked_sub(1).ok_or(Error::EndOfGroup)?,
                5 => self.at += 4,
                other => return Err(Error::IllegalWire(other)),
            }
            if depth == 0 {
                return if self.at > end { Err(Error::Truncated) } else { Ok(()) };
            }
        }
        Err(Error::Truncated)
    }

    /// The length of the message.
    pub(super) fn whole(&self) -> usize {
        self.data.len()
    }
}

/// Bytes as text. Those that are no UTF-8 become U+FFFD one by one, as Go prints them.
pub(super) fn text(bytes: &[u8]) -> String {
    if let Ok(text) = std::str::from_utf8(bytes) {
        return text.to_owned();
    }
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(chunk.invalid().iter().map(|_| char::REPLACEMENT_CHARACTER));
    }
    text
}
