//! Opening a portfolio, recognising its form, and reading it in chunks.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Cursor, Read, Seek, SeekFrom};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arrow_array::StructArray;
use bytes::Bytes;
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder};
use parquet::errors::ParquetError;
use parquet::file::reader::ChunkReader;
use recoup_core::record::{Faults, RESOURCE_FIELDS, Read as ReadRecord, ResourceRecord, ZoneOf, unknown_field};
use serde_json::Value;

use crate::coming::{Coming, Lanes, Shared};
use crate::focus;
use crate::json_split::Elements;
use crate::lines::{LineReader, Text};
use crate::{csv_rows, packed, rows};

/// Limits, far above anything real, that keep one bad file from taking the machine.
pub mod limits {
    /// Bytes of one record: a longer line is reported and passed over.
    pub const RECORD: usize = 16 * 1024 * 1024;
    /// Bytes of a file that must be read whole, such as an answer of an API.
    pub const WHOLE_FILE: u64 = 1024 * 1024 * 1024;
    /// Bytes looked at to recognise a form.
    pub const HEAD: usize = 256 * 1024;
}

/// Records in a chunk.
pub const CHUNK: usize = 4096;

/// A file that cannot be read at all.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The file cannot be opened or read.
    #[error("{file}: {source}")]
    Io {
        /// The file.
        file: String,
        /// Why.
        source: io::Error,
    },
    /// The file is not what its beginning promises.
    #[error("{file}:{line}: {what}")]
    Form {
        /// The file.
        file: String,
        /// The line, counted from 1.
        line: u64,
        /// What is wrong and what was expected.
        what: String,
    },
    /// The file is empty.
    #[error(
        "{file}: the file is empty, expected a portfolio (NDJSON, JSON, CSV or Parquet) or what a provider's API printed"
    )]
    Empty {
        /// The file.
        file: String,
    },
}

/// What one record is made of before it is read.
#[derive(Debug, Clone)]
pub enum Content {
    /// JSON text.
    Text(Vec<u8>),
    /// A JSON value.
    Json(Value),
    /// Something that could not be read.
    Bad(String),
}

/// Bytes of a block of lines.
pub const BLOCK: usize = 4 * 1024 * 1024;

/// Some whole lines of NDJSON, not yet read.
#[derive(Debug, Clone)]
pub struct Lines {
    /// The number of the first line, counted from 1.
    pub first: u64,
    /// Their text.
    pub text: Text,
}

impl Lines {
    /// Every line that is not blank, with its number, where all of them are UTF-8.
    #[must_use]
    pub fn texts(&self) -> Option<impl Iterator<Item = (u64, &str)>> {
        let lines = (self.first..).zip(std::str::from_utf8(self.text.bytes()).ok()?.split('\n'));
        Some(lines.filter(|(_, line)| !line.trim_ascii().is_empty()))
    }

    /// Every line that is not blank, with its number.
    pub fn each(&self) -> impl Iterator<Item = (u64, &[u8])> {
        let lines = (self.first..).zip(self.text.bytes().split(|byte| *byte == b'\n'));
        lines.filter(|(_, line)| !line.trim_ascii().is_empty())
    }
}

/// Some rows of CSV, not yet read.
#[derive(Debug, Clone)]
pub struct Table {
    /// The names of the columns.
    pub header: Arc<csv::StringRecord>,
    /// Rows with their lines, counted from 1, or what is wrong with one.
    pub rows: Vec<(u64, Result<csv::StringRecord, String>)>,
}

impl Table {
    /// A row as a record.
    #[must_use]
    pub fn item(&self, line: u64, row: &Result<csv::StringRecord, String>) -> Item {
        let object = row.as_ref().map_err(String::clone).and_then(|row| csv_rows::object(&self.header, row));
        Item { line, content: object.map_or_else(Content::Bad, Content::Json) }
    }
}

/// Some rows of Parquet, decoded and not yet read.
#[derive(Debug, Clone)]
pub struct Rows {
    /// The number of the first row, counted from 1.
    pub first: u64,
    /// The rows.
    pub rows: StructArray,
}

impl Rows {
    /// How many rows there are.
    #[must_use]
    pub fn len(&self) -> usize {
        arrow_array::Array::len(&self.rows)
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// One of the rows as a record, and its number.
    #[must_use]
    pub fn item(&self, index: usize) -> Item {
        let content = rows::record(&self.rows, index).map_or_else(Content::Bad, Content::Json);
        Item { line: self.first + index as u64, content }
    }
}

/// A part of a portfolio, as large as one thread takes at a time.
#[derive(Debug)]
pub enum Block {
    /// Rows of CSV.
    Table(Table),
    /// Rows of Parquet.
    Rows(Coming),
    /// Lines of NDJSON.
    Lines(Lines),
    /// Records, each by itself.
    Items(Vec<Item>),
}

impl Block {
    /// Its records, each by itself.
    ///
    /// # Errors
    /// Where the file cannot be read on.
    pub fn items(self) -> Result<Vec<Item>, ReadError> {
        Ok(match self {
            Self::Items(items) => items,
            Self::Table(table) => table.rows.iter().map(|(line, row)| table.item(*line, row)).collect(),
            Self::Rows(coming) => {
                let rows = coming.read()?;
                rows.iter().flat_map(|rows| (0..rows.len()).map(|index| rows.item(index))).collect()
            }
            Self::Lines(lines) => lines.each().map(|(line, text)| Item::of_text(line, text)).collect(),
        })
    }
}

/// A record on its way, and where it came from.
#[derive(Debug, Clone)]
pub struct Item {
    /// Line (or row, for Parquet), counted from 1.
    pub line: u64,
    /// What it is made of.
    pub content: Content,
}

impl Item {
    /// A record by its JSON text.
    #[must_use]
    pub fn of_text(line: u64, text: &[u8]) -> Self {
        Self { line, content: Content::Text(text.to_vec()) }
    }

    /// Reads the record.
    ///
    /// # Errors
    /// What is wrong, and what was expected.
    pub fn read(self, zone_of: &ZoneOf<'_>) -> Result<ReadRecord<ResourceRecord>, String> {
        let json = match self.content {
            Content::Bad(what) => return Err(what),
            Content::Json(json) => json,
            Content::Text(text) => serde_json::from_slice(&text).map_err(|error| json_error(&error))?,
        };
        ResourceRecord::from_json(&json, zone_of).map_err(|faults: Faults| faults.to_string())
    }
}

/// A JSON error without the line, which is the record's own.
fn json_error(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let what = text.split(" at line ").next().unwrap_or_default().to_owned();
    format!("not JSON: {what} (column {})", error.column())
}

enum Form {
    Lines(LineReader),
    Elements(Elements<Box<dyn BufRead + Send>>),
    Csv { reader: Box<csv::Reader<Box<dyn BufRead + Send>>>, header: Arc<csv::StringRecord> },
    Parquet { lanes: Arc<Lanes>, blocks: u64, given: u64 },
    One(Option<Value>),
}

/// A portfolio that is being read.
pub struct Portfolio {
    file: Arc<str>,
    form: Form,
    progress: Progress,
    not_understood: Vec<String>,
    /// Why it cannot be read on, to be said once what was read before was given.
    broken: Option<ReadError>,
}

impl std::fmt::Debug for Portfolio {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Portfolio").field("file", &self.file).finish_non_exhaustive()
    }
}

/// A file that has been opened.
#[derive(Debug)]
pub enum Opened {
    /// A portfolio.
    Portfolio(Portfolio),
    /// A file of FOCUS: rows of cost, out of which what was bought is gathered.
    Focus(focus::Source),
    /// JSON of another kind, or CSV with other columns: perhaps what a provider's API printed or a
    /// billing export.
    Foreign {
        /// Its text.
        text: String,
    },
}

fn looks_like_record(value: &Value) -> bool {
    // Either of these is in no provider's payload together with the other.
    value.get("provider").is_some_and(Value::is_string)
        && (value.get("billing").is_some() || value.get("product").is_some())
}

/// How far a file was read.
#[derive(Debug, Clone, Default)]
pub struct Progress {
    /// Bytes that were read so far.
    pub read: Arc<AtomicU64>,
    /// Bytes that there are, where that is known.
    pub size: Option<u64>,
}

/// A file that counts what was read of it.
struct Counted {
    file: File,
    read: Arc<AtomicU64>,
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read(buffer)?;
        self.read.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}

/// Opens a file by its name; `-` is standard input. What is packed with gzip or zstd is unpacked.
///
/// # Errors
/// Where it cannot be read, is empty, or is not what its beginning promises.
pub fn open(name: &str) -> Result<Opened, ReadError> {
    let io_error = |source| ReadError::Io { file: name.to_owned(), source };
    if name == "-" {
        return from_reader("-", Box::new(BufReader::with_capacity(1 << 20, io::stdin())));
    }
    let mut file = File::open(Path::new(name)).map_err(io_error)?;
    let metadata = file.metadata().map_err(io_error)?;
    if metadata.is_dir() {
        return Err(io_error(io::Error::other("is a folder, expected a file")));
    }
    let progress = Progress { size: metadata.is_file().then_some(metadata.len()), ..Progress::default() };
    let mut magic = [0_u8; 4];
    let is_parquet = file.read_exact(&mut magic).is_ok() && &magic == b"PAR1";
    file.seek(SeekFrom::Start(0)).map_err(io_error)?;
    if is_parquet {
        return parquet(name, &Shared::new(file).map_err(io_error)?, progress);
    }
    let counted = Counted { file, read: Arc::clone(&progress.read) };
    opened(name, Box::new(BufReader::with_capacity(1 << 20, counted)), progress)
}

/// Columns of which neither a rule nor an answer speaks; they are not decoded.
const UNREAD: &[&str] = &["project", "tags"];

fn parquet<R: ChunkReader + Clone + 'static>(name: &str, input: &R, progress: Progress) -> Result<Opened, ReadError> {
    let form = |what: String| ReadError::Form { file: name.to_owned(), line: 1, what };
    let broken = |error: ParquetError| form(format!("not whole Parquet: {error}"));
    let metadata = ArrowReaderMetadata::load(input, ArrowReaderOptions::default()).map_err(broken)?;
    let schema = Arc::clone(metadata.schema());
    let has = |column: &str| schema.column_with_name(column).is_some();
    let columns = schema.fields().iter().map(|field| field.name().as_str());
    if has("provider") && has("id") {
        let rows = u64::try_from(metadata.metadata().file_metadata().num_rows()).unwrap_or(0);
        let is_read = |column: &str| RESOURCE_FIELDS.contains(&column) && !UNREAD.contains(&column);
        let roots = columns.clone().enumerate().filter(|(_, column)| is_read(column)).map(|(place, _)| place);
        let file: Arc<str> = name.into();
        let lanes = Lanes::new(&file, input, &metadata, &roots.collect::<Vec<_>>()).map_err(broken)?;
        let not_understood = columns.filter(|column| !RESOURCE_FIELDS.contains(column)).map(unknown_field).collect();
        let form = Form::Parquet { lanes: Arc::new(lanes), blocks: rows.div_ceil(CHUNK as u64), given: 0 };
        return Ok(Opened::Portfolio(Portfolio { file, form, progress, not_understood, broken: None }));
    }
    if focus::Source::is_parquet(&schema) {
        let builder = ParquetRecordBatchReaderBuilder::new_with_metadata(input.clone(), metadata);
        return focus::Source::from_parquet(name, builder).map(Opened::Focus).map_err(broken);
    }
    Err(form(format!(
        "Parquet with other columns than a portfolio's (\"provider\", \"id\" ...) or those of FOCUS; its first are {}",
        columns.take(8).collect::<Vec<_>>().join(", ")
    )))
}

/// Opens something that is being read, such as standard input.
///
/// # Errors
/// As [`open`].
pub fn from_reader(name: &str, input: Box<dyn BufRead + Send>) -> Result<Opened, ReadError> {
    opened(name, input, Progress::default())
}

/// The end of an input that cannot be read on.
struct BrokenOff(io::Error);

impl Read for BrokenOff {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        Err(io::Error::new(self.0.kind(), self.0.to_string()))
    }
}

fn opened(name: &str, input: Box<dyn BufRead + Send>, progress: Progress) -> Result<Opened, ReadError> {
    let io_error = |source| ReadError::Io { file: name.to_owned(), source };
    let mut input = packed::unpacked(input).map_err(io_error)?;
    // Enough of the beginning to see the form, put back in front of the rest.
    let mut head = Vec::with_capacity(8192);
    if let Err(error) = input.by_ref().take(limits::HEAD as u64).read_to_end(&mut head) {
        if head.is_empty() {
            return Err(io_error(error));
        }
        // What stands before the break is read as always.
        input = Box::new(BufReader::new(BrokenOff(error)));
    }
    let whole = head.len() < limits::HEAD;
    let body = head.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(&head).to_vec();
    let Some(first) = body.iter().copied().find(|byte| !byte.is_ascii_whitespace()) else {
        return Err(ReadError::Empty { file: name.to_owned() });
    };
    let rest: Box<dyn BufRead + Send> = Box::new(Cursor::new(body.clone()).chain(input));
    if body.starts_with(b"PAR1") {
        let bytes = read_whole(name, rest)?;
        return parquet(name, &Bytes::from(bytes), progress);
    }
    let portfolio = |form| {
        Ok(Opened::Portfolio(Portfolio {
            file: name.into(),
            form,
            progress: progress.clone(),
            not_understood: Vec::new(),
            broken: None,
        }))
    };
    match first {
        b'{' if is_lines(&body, whole) => portfolio(Form::Lines(LineReader::new(rest))),
        b'{' => {
            let text = read_text(name, rest)?;
            match serde_json::from_str::<Value>(&text) {
                Ok(json) if looks_like_record(&json) => portfolio(Form::One(Some(json))),
                Ok(_) => Ok(Opened::Foreign { text }),
                Err(error) => Err(broken_json(name, &text, &error)),
            }
        }
        b'[' if first_element(&body).is_none_or(|element| looks_like_record(&element)) => {
            portfolio(Form::Elements(Elements::new(rest, limits::RECORD)))
        }
        b'[' => {
            let text = read_text(name, rest)?;
            match serde_json::from_str::<Value>(&text) {
                Ok(_) => Ok(Opened::Foreign { text }),
                Err(error) => Err(broken_json(name, &text, &error)),
            }
        }
        _ => csv_or_foreign(name, &body, rest, progress),
    }
}

fn broken_json(name: &str, text: &str, error: &serde_json::Error) -> ReadError {
    let what = if error.is_eof() {
        "the JSON ends before it should; the file is cut off".to_owned()
    } else {
        json_error(error)
    };
    let line = if error.line() == 0 { 1 } else { error.line() as u64 };
    let _ = text;
    ReadError::Form { file: name.to_owned(), line, what }
}

/// Whether text that begins with an object is one object a line.
fn is_lines(body: &[u8], whole: bool) -> bool {
    let mut lines = body.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii).filter(|line| !line.is_empty());
    let Some(first) = lines.next() else { return false };
    let record = |line: &[u8]| serde_json::from_slice::<Value>(line).is_ok_and(|json| looks_like_record(&json));
    match serde_json::from_slice::<Value>(first) {
        // A whole object on the first line: a record, or the first of several objects.
        Ok(json) => looks_like_record(&json) || lines.next().is_some(),
        // One document over several lines may begin with a line that looks cut off.
        Err(_) if whole && serde_json::from_slice::<serde::de::IgnoredAny>(body).is_ok() => false,
        // A broken or very long first line: what follows decides.
        Err(_) => {
            let names_itself = first.windows(10).any(|part| part == b"\"provider\"");
            lines.take(10).any(record) || (names_itself && (first.ends_with(b"}") || !whole))
        }
    }
}

fn first_element(body: &[u8]) -> Option<Value> {
    let mut elements = Elements::new(body, limits::RECORD);
    let element = elements.next_element().ok()??;
    serde_json::from_slice(&element.text.ok()?).ok()
}

fn read_whole(name: &str, input: Box<dyn BufRead + Send>) -> Result<Vec<u8>, ReadError> {
    let mut bytes = Vec::new();
    input
        .take(limits::WHOLE_FILE + 1)
        .read_to_end(&mut bytes)
        .map_err(|source| ReadError::Io { file: name.to_owned(), source })?;
    if bytes.len() as u64 > limits::WHOLE_FILE {
        let what =
            format!("the file is larger than {} bytes and not a portfolio that can be streamed", limits::WHOLE_FILE);
        return Err(ReadError::Form { file: name.to_owned(), line: 1, what });
    }
    Ok(bytes)
}

fn read_text(name: &str, input: Box<dyn BufRead + Send>) -> Result<String, ReadError> {
    let bytes = read_whole(name, input)?;
    String::from_utf8(bytes).map_err(|error| {
        let line = error.as_bytes().iter().take(error.utf8_error().valid_up_to()).filter(|byte| **byte == b'\n').count()
            as u64
            + 1;
        ReadError::Form { file: name.to_owned(), line, what: "the text is not UTF-8".to_owned() }
    })
}

fn csv_or_foreign(
    name: &str,
    body: &[u8],
    rest: Box<dyn BufRead + Send>,
    progress: Progress,
) -> Result<Opened, ReadError> {
    let form = |line, what: String| ReadError::Form { file: name.to_owned(), line, what };
    let first_line = body.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let mut header_reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(first_line);
    let mut header = csv::StringRecord::new();
    let read = header_reader.read_record(&mut header).unwrap_or(false);
    let has = |column: &str| header.iter().any(|name| name.trim() == column);
    if read && has("provider") && has("id") {
        let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(rest);
        let header = reader.headers().map_err(|error| form(1, error.to_string()))?.clone();
        return Ok(Opened::Portfolio(Portfolio {
            file: name.into(),
            form: Form::Csv { reader: Box::new(reader), header: Arc::new(header) },
            progress,
            not_understood: Vec::new(),
            broken: None,
        }));
    }
    if let Some(found) = focus::Source::csv(name, &header).filter(|_| read) {
        return focus::Source::from_csv(found, rest).map(Opened::Focus).map_err(|error| form(1, error.to_string()));
    }
    if read && header.len() > 3 {
        return Ok(Opened::Foreign { text: read_text(name, rest)? });
    }
    Err(form(1, "neither JSON, nor CSV with the columns \"provider\" and \"id\", nor Parquet".to_owned()))
}

impl Portfolio {
    /// The file's name.
    #[must_use]
    pub fn file(&self) -> &Arc<str> {
        &self.file
    }

    /// What the file has that no portfolio has, and that is left out of account.
    #[must_use]
    pub fn not_understood(&self) -> &[String] {
        &self.not_understood
    }

    /// How far it was read.
    #[must_use]
    pub fn progress(&self) -> &Progress {
        &self.progress
    }

    /// The next records; none at the end.
    ///
    /// # Errors
    /// Where the file cannot be read on.
    pub fn next_chunk(&mut self) -> Result<Option<Vec<Item>>, ReadError> {
        self.next_block()?.map(Block::items).transpose()
    }

    /// The next block; none at the end. It may turn out to be empty.
    ///
    /// # Errors
    /// Where the file cannot be read on.
    pub fn next_block(&mut self) -> Result<Option<Block>, ReadError> {
        if let Some(error) = self.broken.take() {
            return Err(error);
        }
        let file = Arc::clone(&self.file);
        let io_error = |source| ReadError::Io { file: file.to_string(), source };
        let mut chunk = Vec::new();
        match &mut self.form {
            Form::One(json) => chunk.extend(json.take().map(|json| Item { line: 1, content: Content::Json(json) })),
            Form::Lines(lines) => match lines.next(BLOCK).map_err(io_error)? {
                Some(Ok(lines)) => return Ok(Some(Block::Lines(lines))),
                Some(Err(too_long)) => chunk.push(too_long),
                None => {}
            },
            Form::Elements(elements) => {
                let mut bytes = 0;
                while chunk.len() < CHUNK && bytes < 4 * limits::RECORD {
                    let element = match elements.next_element().map_err(io_error) {
                        Ok(Some(element)) => element,
                        Ok(None) => break,
                        Err(error) if chunk.is_empty() => return Err(error),
                        Err(error) => {
                            self.broken = Some(error);
                            break;
                        }
                    };
                    bytes += element.text.as_ref().map_or(0, Vec::len);
                    chunk.push(Item {
                        line: element.line,
                        content: element.text.map_or_else(Content::Bad, Content::Text),
                    });
                }
            }
            Form::Csv { reader, header } => {
                let mut table = Table { header: Arc::clone(header), rows: Vec::new() };
                let (mut bytes, mut row) = (0, csv::StringRecord::new());
                while table.rows.len() < CHUNK && bytes < BLOCK {
                    match reader.read_record(&mut row) {
                        Ok(false) => break,
                        Ok(true) => {
                            bytes += row.as_slice().len();
                            let line = row.position().map_or(0, csv::Position::line);
                            let is_whole = row.len() == header.len();
                            let wrong = || format!("has {} cells, the header has {}", row.len(), header.len());
                            table.rows.push((line, if is_whole { Ok(row.clone()) } else { Err(wrong()) }));
                        }
                        Err(error) if matches!(error.kind(), csv::ErrorKind::Io(_)) => {
                            let error = io_error(io::Error::other(error.to_string()));
                            if table.rows.is_empty() {
                                return Err(error);
                            }
                            self.broken = Some(error);
                            break;
                        }
                        Err(error) => {
                            let line = error.position().map_or(0, csv::Position::line);
                            table.rows.push((line, Err(error.to_string())));
                        }
                    }
                }
                return Ok((!table.rows.is_empty()).then_some(Block::Table(table)));
            }
            Form::Parquet { lanes, blocks, given } if *given < *blocks => {
                let coming = Coming::new(lanes, *given);
                *given += 1;
                let size = self.progress.size.unwrap_or(0);
                let share = u128::from(size) * u128::from(*given) / u128::from(*blocks);
                self.progress.read.store(u64::try_from(share).unwrap_or(size), Ordering::Relaxed);
                return Ok(Some(Block::Rows(coming)));
            }
            Form::Parquet { .. } => {}
        }
        Ok((!chunk.is_empty()).then_some(Block::Items(chunk)))
    }
}
