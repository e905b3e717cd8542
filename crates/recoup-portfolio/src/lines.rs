//! Whole lines of a text, many at a time, in memory that is used again.

use std::io::{self, BufRead};
use std::sync::{Arc, Mutex, PoisonError};

use crate::read::{Content, Item, Lines, limits};

/// Reads a line of at most `limit` bytes; of a longer one the rest is passed over and `false` given.
fn read_line(input: &mut dyn BufRead, line: &mut Vec<u8>, limit: usize) -> io::Result<Option<bool>> {
    line.clear();
    let (mut any, mut whole) = (false, true);
    loop {
        let buffer = input.fill_buf()?;
        if buffer.is_empty() {
            return Ok(any.then_some(whole));
        }
        any = true;
        let end = memchr::memchr(b'\n', buffer);
        let part = buffer.get(..end.unwrap_or(buffer.len())).unwrap_or_default();
        let room = limit.saturating_sub(line.len());
        whole &= part.len() <= room;
        line.extend_from_slice(part.get(..part.len().min(room)).unwrap_or_default());
        let used = end.map_or(buffer.len(), |end| end + 1);
        input.consume(used);
        if end.is_some() {
            return Ok(Some(whole));
        }
    }
}

/// Memory of blocks that are done with, for those that follow: fresh memory costs the system more than reading into it.
#[derive(Debug, Clone, Default)]
struct Spare(Arc<Mutex<Vec<Vec<u8>>>>);

impl Spare {
    fn with<T>(&self, of: impl FnOnce(&mut Vec<Vec<u8>>) -> T) -> T {
        of(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The text of a block.
#[derive(Debug, Clone)]
pub struct Text {
    /// What is behind `length` is of no meaning.
    memory: Vec<u8>,
    length: usize,
    spare: Spare,
}

impl Text {
    fn begin(spare: &Spare, with: &[u8]) -> Self {
        let memory = spare.with(Vec::pop).unwrap_or_default();
        let mut text = Self { memory, length: 0, spare: spare.clone() };
        text.append(with);
        text
    }

    /// The text.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        self.memory.get(..self.length).unwrap_or_default()
    }

    fn append(&mut self, bytes: &[u8]) {
        let end = self.length + bytes.len();
        if self.memory.len() < end {
            self.memory.resize(end, 0);
        }
        if let Some(room) = self.memory.get_mut(self.length..end) {
            room.copy_from_slice(bytes);
        }
        self.length = end;
    }

    /// Where the last whole line ends.
    fn end_of_lines(&self) -> Option<usize> {
        memchr::memrchr(b'\n', self.bytes()).map(|last| last + 1)
    }

    /// Reads until there are `size` bytes, or to the end; says whether that was reached.
    fn fill(&mut self, input: &mut dyn BufRead, size: usize) -> io::Result<bool> {
        if self.memory.len() < size {
            self.memory.resize(size, 0);
        }
        while let Some(room) = self.memory.get_mut(self.length..size).filter(|room| !room.is_empty()) {
            match input.read(room) {
                Ok(0) => return Ok(true),
                Ok(read) => self.length += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(false)
    }
}

impl Drop for Text {
    fn drop(&mut self) {
        let memory = std::mem::take(&mut self.memory);
        self.spare.with(|spare| spare.push(memory));
    }
}

/// Gives whole lines, many at a time.
pub(crate) struct LineReader {
    input: Box<dyn BufRead + Send>,
    /// The line that the next block begins with.
    line: u64,
    /// The beginning of a line whose end was not read yet.
    begun: Vec<u8>,
    /// Why it cannot be read on, to be said once the whole lines before were given.
    broken: Option<io::Error>,
    spare: Spare,
}

impl LineReader {
    pub(crate) fn new(input: Box<dyn BufRead + Send>) -> Self {
        Self { input, line: 1, begun: Vec::new(), broken: None, spare: Spare::default() }
    }

    /// The next lines of about `size` bytes together; none at the end. A line that is longer than any record
    /// may be is given as what is wrong with it.
    pub(crate) fn next(&mut self, size: usize) -> io::Result<Option<Result<Lines, Item>>> {
        if let Some(error) = self.broken.take() {
            return Err(error);
        }
        let first = self.line;
        let mut text = Text::begin(&self.spare, &self.begun);
        self.begun.clear();
        let is_end = match text.fill(self.input.as_mut(), size) {
            Ok(is_end) => is_end,
            Err(error) => {
                // The line in which it broke off is no record.
                text.length = text.end_of_lines().unwrap_or(0);
                if text.bytes().is_empty() {
                    return Err(error);
                }
                self.broken = Some(error);
                true
            }
        };
        if text.bytes().is_empty() {
            return Ok(None);
        }
        match text.end_of_lines() {
            _ if is_end => {}
            Some(end) => {
                self.begun.extend_from_slice(text.bytes().get(end..).unwrap_or_default());
                text.length = end;
            }
            None => {
                let mut rest = Vec::new();
                let room = limits::RECORD.saturating_sub(text.length);
                if read_line(self.input.as_mut(), &mut rest, room)? == Some(false) {
                    self.line += 1;
                    let what = format!(
                        "the line is longer than {} bytes, the most that is read of one record",
                        limits::RECORD
                    );
                    return Ok(Some(Err(Item { line: first, content: Content::Bad(what) })));
                }
                text.append(&rest);
                text.append(b"\n");
            }
        }
        self.line += memchr::memchr_iter(b'\n', text.bytes()).count() as u64;
        Ok(Some(Ok(Lines { first, text })))
    }
}
