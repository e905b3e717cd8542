//! Assessments for programs, written by several threads: each writes parts, which are put one behind the other.
//!
//! ```
//! use recoup_report::machine::Json;
//! use recoup_report::parts::{Joined, PartFormat};
//! use recoup_report::write_all;
//!
//! let answers = recoup_report::sample::answers()?;
//! let mut whole = Vec::new();
//! write_all(&mut Json::new(&mut whole), &answers)?;
//! let (mut out, mut writer) = (Vec::new(), PartFormat::Json.writer());
//! let mut joined = Joined::begin(PartFormat::Json, &mut out)?;
//! for answered in &answers {
//!     writer.add(answered)?;
//!     joined.add(&writer.part()?)?;
//! }
//! joined.finish()?;
//! assert_eq!(out, whole);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::io;

use crate::json::JsonText;
use crate::machine::{CSV_COLUMNS, Csv};
use crate::{Answered, Report};

/// A format whose parts can be put one behind the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PartFormat {
    /// One JSON array.
    Json,
    /// One JSON object a line.
    Ndjson,
    /// One row for every exit.
    Csv,
}

impl PartFormat {
    /// A writer of parts, for one thread.
    #[must_use]
    pub fn writer(self) -> PartWriter {
        let (separator, end) = if self == Self::Json { (",\n", "") } else { ("", "\n") };
        match self {
            Self::Json | Self::Ndjson => {
                PartWriter { form: Form::Json { json: JsonText::default(), text: String::new(), separator, end } }
            }
            Self::Csv => PartWriter { form: Form::Csv(Box::new(Csv::new(Vec::new()))) },
        }
    }
}

#[derive(Debug)]
enum Form {
    Json { json: JsonText, text: String, separator: &'static str, end: &'static str },
    Csv(Box<Csv<Vec<u8>>>),
}

/// Writes parts.
#[derive(Debug)]
pub struct PartWriter {
    form: Form,
}

impl PartWriter {
    /// Adds an assessment to the part.
    ///
    /// # Errors
    /// Where it cannot be written in this format.
    pub fn add(&mut self, answered: &Answered) -> io::Result<()> {
        match &mut self.form {
            Form::Json { json, text, separator, end } => {
                if !text.is_empty() {
                    text.push_str(separator);
                }
                json.put(text, answered);
                text.push_str(end);
                Ok(())
            }
            Form::Csv(csv) => csv.add(answered),
        }
    }

    /// The part that was written since the last one.
    ///
    /// # Errors
    /// As [`add`](Self::add).
    pub fn part(&mut self) -> io::Result<Vec<u8>> {
        match &mut self.form {
            Form::Json { text, .. } => {
                // The next part is likely as long.
                let next = String::with_capacity(text.len());
                Ok(std::mem::replace(text, next).into_bytes())
            }
            Form::Csv(csv) => std::mem::replace(csv.as_mut(), Csv::new(Vec::new())).into_inner(),
        }
    }
}

/// Parts that become one output.
#[derive(Debug)]
pub struct Joined<W> {
    format: PartFormat,
    out: W,
    any: bool,
}

impl<W: io::Write> Joined<W> {
    /// Begins an output.
    ///
    /// # Errors
    /// Where the writer fails.
    pub fn begin(format: PartFormat, mut out: W) -> io::Result<Self> {
        match format {
            PartFormat::Json => out.write_all(b"[")?,
            PartFormat::Ndjson => {}
            PartFormat::Csv => csv::Writer::from_writer(&mut out).write_record(CSV_COLUMNS)?,
        }
        Ok(Self { format, out, any: false })
    }

    /// Adds the next part.
    ///
    /// # Errors
    /// Where the writer fails.
    pub fn add(&mut self, part: &[u8]) -> io::Result<()> {
        if part.is_empty() {
            return Ok(());
        }
        if self.format == PartFormat::Json {
            self.out.write_all(if self.any { b",\n" } else { b"\n" })?;
        }
        self.any = true;
        self.out.write_all(part)
    }

    /// Ends the output.
    ///
    /// # Errors
    /// Where the writer fails.
    pub fn finish(mut self) -> io::Result<()> {
        if self.format == PartFormat::Json {
            self.out.write_all(if self.any { b"\n]\n" } else { b"]\n" })?;
        }
        self.out.flush()
    }
}
