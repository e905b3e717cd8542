//! Walking JSON text in place. Only what is plain is read: texts without escapes, numbers without sign and
//! exponent. What is not is no error here but somebody else's to read.

/// A place in a text of JSON. Every reading steps over the blanks behind what it read, and gives nothing where
/// something else stands there; the place then means nothing any more.
#[derive(Debug)]
pub(crate) struct Cursor<'a> {
    text: &'a str,
    at: usize,
}

const ONES: u64 = u64::from_ne_bytes([1; 8]);
const HIGHS: u64 = ONES << 7;

/// Marks the high bit of every byte of a word that ends a plain text: a quote, a backslash, a control character.
/// Bytes above the lowest one marked may be marked wrongly.
#[inline]
fn ends(word: u64) -> u64 {
    let is_zero = |word: u64| word.wrapping_sub(ONES) & !word;
    let quote = is_zero(word ^ (ONES * b'"' as u64));
    let backslash = is_zero(word ^ (ONES * b'\\' as u64));
    let control = word.wrapping_sub(ONES * 0x20) & !word;
    (quote | backslash | control) & HIGHS
}

/// How many bytes stand before the quote that closes a plain text; nothing where it is not plain.
#[inline]
fn plain_length(bytes: &[u8]) -> Option<usize> {
    let (words, rest) = bytes.as_chunks::<8>();
    let mut length = 0;
    for word in words {
        let ends = ends(u64::from_le_bytes(*word));
        if ends != 0 {
            length += ends.trailing_zeros() as usize / 8;
            return (bytes.get(length) == Some(&b'"')).then_some(length);
        }
        length += 8;
    }
    let place = rest.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..0x20))?;
    (rest.get(place) == Some(&b'"')).then_some(length + place)
}

impl<'a> Cursor<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        let mut cursor = Self { text, at: 0 };
        cursor.blanks();
        cursor
    }

    #[inline]
    fn byte(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    #[inline]
    fn blanks(&mut self) {
        while matches!(self.byte(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    #[inline]
    fn sign(&mut self, sign: u8) -> Option<()> {
        if self.byte() != Some(sign) {
            return None;
        }
        self.at += 1;
        self.blanks();
        Some(())
    }

    /// Whether a text comes next.
    #[inline]
    pub(crate) fn is_text(&self) -> bool {
        self.byte() == Some(b'"')
    }

    /// The text ends here.
    pub(crate) fn end(&self) -> Option<()> {
        (self.at == self.text.len()).then_some(())
    }

    /// A plain text.
    #[inline]
    pub(crate) fn text(&mut self) -> Option<&'a str> {
        if !self.is_text() {
            return None;
        }
        let start = self.at + 1;
        let end = start + plain_length(self.text.as_bytes().get(start..)?)?;
        let text = self.text.get(start..end)?;
        self.at = end + 1;
        self.blanks();
        Some(text)
    }

    /// A plain number, as it is written.
    #[inline]
    pub(crate) fn number(&mut self) -> Option<&'a str> {
        let rest = self.text.as_bytes().get(self.at..)?;
        let digits = |from: usize| rest.iter().skip(from).take_while(|byte| byte.is_ascii_digit()).count();
        let mut length = digits(0);
        // JSON knows no number that begins with a needless zero.
        if length == 0 || (length > 1 && rest.first() == Some(&b'0')) {
            return None;
        }
        if rest.get(length) == Some(&b'.') {
            let fraction = digits(length + 1);
            if fraction == 0 {
                return None;
            }
            length += 1 + fraction;
        }
        if matches!(rest.get(length), Some(b'e' | b'E')) {
            return None;
        }
        let number = self.text.get(self.at..self.at + length)?;
        self.at += length;
        self.blanks();
        Some(number)
    }

    #[inline]
    fn literal(&mut self, literal: &str) -> bool {
        let rest = self.text.as_bytes().get(self.at..).unwrap_or_default();
        let is_next = rest.starts_with(literal.as_bytes());
        if is_next {
            self.at += literal.len();
            self.blanks();
        }
        is_next
    }

    /// Whether `null` came next; it is stepped over.
    #[inline]
    pub(crate) fn null(&mut self) -> bool {
        self.byte() == Some(b'n') && self.literal("null")
    }

    /// Yes or no.
    #[inline]
    pub(crate) fn truth(&mut self) -> Option<bool> {
        match self.byte()? {
            b't' => self.literal("true").then_some(true),
            b'f' => self.literal("false").then_some(false),
            _ => None,
        }
    }

    /// An object: `each` is given the name of every member and reads its value.
    #[inline]
    pub(crate) fn object(&mut self, mut each: impl FnMut(&mut Self, &'a str) -> Option<()>) -> Option<()> {
        self.sign(b'{')?;
        if self.sign(b'}').is_some() {
            return Some(());
        }
        loop {
            let name = self.text()?;
            self.sign(b':')?;
            each(self, name)?;
            if self.sign(b',').is_none() {
                return self.sign(b'}');
            }
        }
    }

    /// An array: `each` reads every element.
    #[inline]
    pub(crate) fn array(&mut self, mut each: impl FnMut(&mut Self) -> Option<()>) -> Option<()> {
        self.sign(b'[')?;
        if self.sign(b']').is_some() {
            return Some(());
        }
        loop {
            each(self)?;
            if self.sign(b',').is_none() {
                return self.sign(b']');
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// What a word of eight bytes says of the end of a text is what a look at each byte says.
        #[test]
        fn a_plain_text_ends_at_its_quote(text in "[\\x00-\\x7f\u{80}äß漢\"\\\\]{0,40}") {
            let quoted = format!("{text}\"");
            let place = quoted.bytes().position(|byte| byte == b'"' || byte == b'\\' || byte < 0x20);
            let expected = place.filter(|place| quoted.as_bytes()[*place] == b'"');
            prop_assert_eq!(plain_length(quoted.as_bytes()), expected);
        }

        #[test]
        fn numbers_are_those_of_json(text in "-?[0-9]{0,3}(\\.[0-9]{0,3})?([eE][+-]?[0-9])?") {
            let mut cursor = Cursor::new(&text);
            if let Some(number) = cursor.number().filter(|_| cursor.end().is_some()) {
                prop_assert_eq!(serde_json::from_str::<serde_json::Number>(&text).unwrap().to_string(), number);
            }
        }
    }
}
