//! Says what is wrong with a JSON text in the words of Go's `encoding/json`, which clients of
//! Kubernetes see.
//!
//! Only asked about a text that could not be read; the reading itself is `serde_json`'s.

/// How deep Go's decoder goes.
const MAX_DEPTH: usize = 10_000;

/// The first fault of `text`; `None` if there is none that Go would see.
pub(crate) fn error(text: &[u8]) -> Option<String> {
    let mut scan = Scan { text, at: 0 };
    let result = scan.value().and_then(|()| {
        scan.blanks();
        match scan.peek() {
            None => Ok(()),
            Some(_) => Err(scan.unexpected("after top-level value")),
        }
    });
    result.err()
}

struct Scan<'a> {
    text: &'a [u8],
    at: usize,
}

impl Scan<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn blanks(&mut self) {
        while self.peek().is_some_and(|b| b.is_ascii_whitespace()) {
            self.at += 1;
        }
    }

    fn unexpected(&self, context: &str) -> String {
        let Some(byte) = self.peek() else { return "unexpected end of JSON input".to_owned() };
        let shown = match byte {
            b'\'' => "\\'".to_owned(),
            b'\n' => "\\n".to_owned(),
            b'\t' => "\\t".to_owned(),
            b'\r' => "\\r".to_owned(),
            byte if byte.is_ascii_graphic() || byte == b' ' => char::from(byte).to_string(),
            byte if byte < 128 => format!("\\x{byte:02x}"),
            byte => char::from(byte).to_string(),
        };
        format!("invalid character '{shown}' {context}")
    }

    /// One value, however deep: what is open is a list and no recursion.
    fn value(&mut self) -> Result<(), String> {
        let mut open: Vec<u8> = Vec::new();
        loop {
            self.blanks();
            let opened = match self.peek() {
                Some(byte @ (b'{' | b'[')) => {
                    if open.len() == MAX_DEPTH {
                        return Err(self.unexpected("exceeded max depth"));
                    }
                    open.push(byte);
                    self.at += 1;
                    self.blanks();
                    !matches!((byte, self.peek()), (b'{', Some(b'}')) | (b'[', Some(b']')))
                }
                _ => {
                    self.scalar()?;
                    false
                }
            };
            if opened {
                if open.last() == Some(&b'{') {
                    self.key()?;
                }
            } else if self.close(&mut open)? {
                return Ok(());
            }
        }
    }

    fn scalar(&mut self) -> Result<(), String> {
        match self.peek() {
            Some(b'"') => self.string(),
            Some(b't') => self.literal("true"),
            Some(b'f') => self.literal("false"),
            Some(b'n') => self.literal("null"),
            Some(b'-' | b'0'..=b'9') => self.number(),
            _ => Err(self.unexpected("looking for beginning of value")),
        }
    }

    /// A key and its colon.
    fn key(&mut self) -> Result<(), String> {
        self.blanks();
        if self.peek() != Some(b'"') {
            return Err(self.unexpected("looking for beginning of object key string"));
        }
        self.string()?;
        self.blanks();
        if self.peek() != Some(b':') {
            return Err(self.unexpected("after object key"));
        }
        self.at += 1;
        Ok(())
    }

    /// What comes after a value, up to where the next one starts; true where there is none.
    fn close(&mut self, open: &mut Vec<u8>) -> Result<bool, String> {
        while let Some(byte) = open.last() {
            self.blanks();
            match (byte, self.peek()) {
                (b'{', Some(b'}')) | (b'[', Some(b']')) => {
                    open.pop();
                    self.at += 1;
                }
                (b'{', Some(b',')) => {
                    self.at += 1;
                    self.key()?;
                    return Ok(false);
                }
                (_, Some(b',')) => {
                    self.at += 1;
                    return Ok(false);
                }
                (b'{', _) => return Err(self.unexpected("after object key:value pair")),
                _ => return Err(self.unexpected("after array element")),
            }
        }
        Ok(true)
    }

    fn string(&mut self) -> Result<(), String> {
        self.at += 1;
        loop {
            match self.peek() {
                Some(b'"') => break,
                Some(b'\\') => {
                    self.at += 1;
                    if !self.peek().is_some_and(|b| b"\"\\/bfnrtu".contains(&b)) {
                        return Err(self.unexpected("in string escape code"));
                    }
                }
                Some(0x20..) => {}
                _ => return Err(self.unexpected("in string literal")),
            }
            self.at += 1;
        }
        self.at += 1;
        Ok(())
    }

    fn literal(&mut self, word: &str) -> Result<(), String> {
        for (i, expected) in word.bytes().enumerate() {
            if self.peek() != Some(expected) {
                let context = format!("in literal {word} (expecting '{}')", char::from(expected));
                debug_assert!(i > 0);
                return Err(self.unexpected(&context));
            }
            self.at += 1;
        }
        Ok(())
    }

    fn number(&mut self) -> Result<(), String> {
        while self.peek().is_some_and(|b| b.is_ascii_digit() || b"+-.eE".contains(&b)) {
            self.at += 1;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::error;

    #[test]
    fn faults_are_told_in_gos_words() {
        for (text, expected) in [
            ("{nonsense", "invalid character 'n' looking for beginning of object key string"),
            ("", "unexpected end of JSON input"),
            ("[1 2]", "invalid character '2' after array element"),
            ("{\"a\":1 \"b\"}", "invalid character '\"' after object key:value pair"),
            ("tru", "unexpected end of JSON input"),
            (
                "{\"a\":[{},[],1,{\"b\":[true,]}]}",
                "invalid character ']' looking for beginning of value",
            ),
            ("{\"a\":1,}", "invalid character '}' looking for beginning of object key string"),
            ("{} x", "invalid character 'x' after top-level value"),
        ] {
            assert_eq!(error(text.as_bytes()).as_deref(), Some(expected), "{text}");
        }
        assert_eq!(error(br#" {"a":[{},[],-1.5e3,{"b":[true,null]}],"c":"\u00e9"} "#), None);
        let deep = "[".repeat(1_000_000);
        let expected = "invalid character '[' exceeded max depth";
        assert_eq!(error(deep.as_bytes()).as_deref(), Some(expected));
    }
}
