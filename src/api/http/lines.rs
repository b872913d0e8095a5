//! Lines of a stream that comes in pieces.

use bytes::{Buf, Bytes, BytesMut};

use crate::base::limits;

/// What came and is not a whole line yet.
#[derive(Debug, Default)]
pub(super) struct Lines {
    buffer: BytesMut,
    /// So many bytes of the buffer hold no end of a line.
    searched: usize,
}

impl Lines {
    /// Takes the next piece.
    pub(super) fn add(&mut self, piece: &[u8]) {
        self.buffer.extend_from_slice(piece);
    }

    /// The next line, without its end; `None` until more came. Empty lines are passed over.
    pub(super) fn next(&mut self) -> Option<Bytes> {
        loop {
            let rest = self.buffer.get(self.searched..)?;
            let Some(end) = rest.iter().position(|byte| *byte == b'\n') else {
                self.searched = self.buffer.len();
                return None;
            };
            let line = self.buffer.split_to(self.searched + end).freeze();
            self.buffer.advance(1);
            self.searched = 0;
            if !line.iter().all(u8::is_ascii_whitespace) {
                return Some(line);
            }
        }
    }

    /// Whether more has come without an end of a line than any object is long.
    pub(super) fn is_too_long(&self) -> bool {
        self.buffer.len() > limits::WATCH_LINE_BYTES
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_put_together_from_pieces() {
        let mut lines = Lines::default();
        let mut found = Vec::new();
        for piece in ["{\"a\"", ":1}\n{", "}\n\n", "x", "\n"] {
            lines.add(piece.as_bytes());
            while let Some(line) = lines.next() {
                found.push(String::from_utf8_lossy(&line).into_owned());
            }
        }
        assert_eq!(found, ["{\"a\":1}", "{}", "x"]);
    }
}
