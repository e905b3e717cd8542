//! Fenced blocks of the documents under `docs/`, so that tests can hold them to what is true.

use std::fs;

/// A fenced block: the words behind the fence, and the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// The language.
    pub language: String,
    /// What stands behind the language: a path, where the block quotes a file.
    pub tag: String,
    /// The text, every line with its end.
    pub text: String,
    /// The line of the fence.
    pub line: usize,
}

/// The fenced blocks of a document under `docs/`.
///
/// # Panics
/// Where it cannot be read.
#[must_use]
#[allow(clippy::panic, reason = "a test fails by panicking")]
pub fn blocks(document: &str) -> Vec<Block> {
    let path = crate::root().join("docs").join(document);
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut blocks = Vec::new();
    let mut open: Option<Block> = None;
    for (index, line) in text.lines().enumerate() {
        match (&mut open, line.strip_prefix("```")) {
            (None, Some(info)) => {
                let (language, tag) = info.split_once(' ').unwrap_or((info, ""));
                let (language, tag) = (language.to_owned(), tag.trim().to_owned());
                open = Some(Block { language, tag, text: String::new(), line: index + 1 });
            }
            (Some(_), Some("")) => blocks.extend(open.take()),
            (Some(block), _) => {
                block.text.push_str(line);
                block.text.push('\n');
            }
            (None, None) => {}
        }
    }
    assert!(open.is_none(), "{}: a block is not closed", path.display());
    blocks
}

/// The part of `expected` that is not found in `text`, where its lines, in order, do not make up the text: a line
/// `...` stands for any number of lines. Spaces at the ends of lines do not count.
#[must_use]
pub fn missing<'e>(text: &str, expected: &'e str) -> Option<&'e str> {
    let mut rest: Vec<&str> = text.lines().map(str::trim_end).collect();
    let mut skips = false;
    for wanted in expected.lines().map(str::trim_end) {
        if wanted == "..." {
            skips = true;
            continue;
        }
        let found = if skips {
            rest.iter().position(|line| *line == wanted)
        } else {
            rest.first().filter(|line| **line == wanted).map(|_| 0)
        };
        let Some(found) = found else { return Some(wanted) };
        rest.drain(..=found);
        skips = false;
    }
    (!skips && !rest.is_empty()).then_some("(the text goes on)")
}
