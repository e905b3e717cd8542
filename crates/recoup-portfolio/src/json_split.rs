//! The elements of a JSON array, one by one, without reading the array whole.

use std::io::{self, BufRead};

/// Gives the text of each element of a top-level array. A malformed element is given as it stands, up
/// to the comma or bracket that closes it, so that what follows can still be read.
pub(crate) struct Elements<R> {
    input: R,
    line: u64,
    state: State,
    limit: usize,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Before,
    Between,
    After,
}

/// An element: the line on which it begins, and its text or what is wrong with it.
pub(crate) struct Element {
    pub(crate) line: u64,
    pub(crate) text: Result<Vec<u8>, String>,
}

impl<R: BufRead> Elements<R> {
    pub(crate) fn new(input: R, limit: usize) -> Self {
        Self { input, line: 1, state: State::Before, limit }
    }

    fn byte(&mut self) -> io::Result<Option<u8>> {
        let Some(byte) = self.input.fill_buf()?.first().copied() else { return Ok(None) };
        self.input.consume(1);
        if byte == b'\n' {
            self.line += 1;
        }
        Ok(Some(byte))
    }

    fn broken(&mut self, what: &str) -> Option<Element> {
        self.state = State::After;
        Some(Element { line: self.line, text: Err(what.to_owned()) })
    }

    pub(crate) fn next_element(&mut self) -> io::Result<Option<Element>> {
        if self.state == State::After {
            return Ok(None);
        }
        let mut text = Vec::new();
        let (mut depth, mut in_text, mut escaped, mut begun, mut too_long) = (0_u32, false, false, self.line, false);
        loop {
            let Some(byte) = self.byte()? else {
                return Ok(self.broken("the array ends before its closing bracket"));
            };
            if self.state == State::Before {
                match byte {
                    b'[' => self.state = State::Between,
                    b if b.is_ascii_whitespace() || matches!(b, 0xEF | 0xBB | 0xBF) => {}
                    _ => return Ok(self.broken("expected an array")),
                }
                begun = self.line;
                continue;
            }
            if text.is_empty() && !in_text && byte.is_ascii_whitespace() {
                begun = self.line;
                continue;
            }
            let ends = !in_text && depth == 0 && matches!(byte, b',' | b']');
            if ends {
                if byte == b']' {
                    self.state = State::After;
                    if text.is_empty() {
                        return Ok(None);
                    }
                }
                let text =
                    if too_long { Err(format!("the record is longer than {} bytes", self.limit)) } else { Ok(text) };
                return Ok(Some(Element { line: begun, text }));
            }
            if text.len() < self.limit {
                text.push(byte);
            } else {
                too_long = true;
            }
            match byte {
                _ if escaped => escaped = false,
                b'\\' if in_text => escaped = true,
                b'"' => in_text = !in_text,
                b'{' | b'[' if !in_text => depth += 1,
                b'}' | b']' if !in_text => depth = depth.saturating_sub(1),
                _ => {}
            }
        }
    }
}
