//! Where answers go: standard output or a file, in a format that is named or follows from the place.

use std::fs::{self, File};
use std::io::{self, BufWriter, IsTerminal, Write};
use std::path::{Path, PathBuf};

use recoup_portfolio::parquet;
use recoup_report::{Answered, Look, Report};

use crate::cli::{Answer, Format, TimeAnswer, TimeFormat};
use crate::host::{Failure, look};

/// The format that was asked for, or that follows from where the answer goes.
pub(crate) fn format(answer: &Answer) -> Format {
    let by_name = |path: &PathBuf| match packed_as(path).1.extension()?.to_str()? {
        "json" => Some(Format::Json),
        "ndjson" | "jsonl" => Some(Format::Ndjson),
        "csv" => Some(Format::Csv),
        "parquet" => Some(Format::Parquet),
        "md" => Some(Format::Markdown),
        "html" | "htm" => Some(Format::Html),
        "txt" => Some(Format::Table),
        _ => None,
    };
    answer
        .format
        .or_else(|| answer.output.as_ref().and_then(by_name))
        .unwrap_or(if answer.output.is_none() && io::stdout().is_terminal() { Format::Table } else { Format::Ndjson })
}

/// The same of an answer about time.
pub(crate) fn time_format(answer: &TimeAnswer) -> TimeFormat {
    let by_name = |path: &PathBuf| match packed_as(path).1.extension()?.to_str()? {
        "json" => Some(TimeFormat::Json),
        "ndjson" | "jsonl" => Some(TimeFormat::Ndjson),
        "csv" => Some(TimeFormat::Csv),
        "md" => Some(TimeFormat::Markdown),
        "html" | "htm" => Some(TimeFormat::Html),
        "ics" => Some(TimeFormat::Ics),
        "txt" => Some(TimeFormat::Table),
        _ => None,
    };
    let by_place =
        if answer.output.is_none() && io::stdout().is_terminal() { TimeFormat::Table } else { TimeFormat::Ndjson };
    answer.format.or_else(|| answer.output.as_ref().and_then(by_name)).unwrap_or(by_place)
}

/// What became of an output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Written {
    /// All of it was written.
    Whole,
    /// Its beginning was written, in whole records.
    Part,
}

/// The name that a file has of which only the beginning was written.
pub(crate) fn part_of(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".part");
    path.with_file_name(name)
}

/// A file as its name says: packed with gzip or zstd, or plain.
enum Packer {
    Plain(BufWriter<File>),
    Gzip(flate2::write::GzEncoder<BufWriter<File>>),
    Zstd(zstd::stream::write::Encoder<'static, BufWriter<File>>),
}

/// How a file of this name is packed, and its name without that.
fn packed_as(path: &Path) -> (Option<&'static str>, PathBuf) {
    let packed = match path.extension().and_then(|extension| extension.to_str()) {
        Some("gz") => Some("gz"),
        Some("zst") => Some("zst"),
        _ => None,
    };
    (packed, if packed.is_some() { path.with_extension("") } else { path.to_path_buf() })
}

impl Packer {
    fn new(path: &Path, file: File) -> io::Result<Self> {
        let file = BufWriter::with_capacity(1 << 18, file);
        Ok(match packed_as(path).0 {
            Some("gz") => Self::Gzip(flate2::write::GzEncoder::new(file, flate2::Compression::default())),
            Some(_) => Self::Zstd(zstd::stream::write::Encoder::new(file, zstd::DEFAULT_COMPRESSION_LEVEL)?),
            None => Self::Plain(file),
        })
    }

    fn writer(&mut self) -> &mut dyn Write {
        match self {
            Self::Plain(file) => file,
            Self::Gzip(encoder) => encoder,
            Self::Zstd(encoder) => encoder,
        }
    }

    fn finish(self) -> io::Result<()> {
        match self {
            Self::Plain(mut file) => file.flush(),
            Self::Gzip(encoder) => encoder.finish()?.flush(),
            Self::Zstd(encoder) => encoder.finish()?.flush(),
        }
    }
}

/// A file that takes its name only when it is whole.
pub(crate) struct Whole {
    /// Nothing once it was closed.
    packer: Option<Packer>,
    temporary: PathBuf,
    path: PathBuf,
}

impl Whole {
    pub(crate) fn create(path: &Path) -> io::Result<Self> {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let temporary = path.with_file_name(format!(".{name}.{}.part", std::process::id()));
        let packer = Packer::new(path, File::create(&temporary)?)?;
        Ok(Self { packer: Some(packer), temporary, path: path.to_path_buf() })
    }

    pub(crate) fn keep(mut self, written: Written) -> io::Result<()> {
        self.packer.take().map_or(Ok(()), Packer::finish)?;
        let path = match written {
            Written::Whole => self.path.clone(),
            Written::Part => part_of(&self.path),
        };
        fs::rename(&self.temporary, path)
    }
}

impl Drop for Whole {
    fn drop(&mut self) {
        // Where it was kept, there is nothing left under this name.
        let _ = fs::remove_file(&self.temporary);
    }
}

impl Write for Whole {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.packer.as_mut().map_or(Ok(0), |packer| packer.writer().write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.packer.as_mut().map_or(Ok(()), |packer| packer.writer().flush())
    }
}

enum Sink<'a> {
    Report(Box<dyn Report + 'a>),
    Parquet(Option<Box<parquet::Writer<&'a mut (dyn Write + Send)>>>),
}

/// What answers are written to.
pub(crate) struct Writer<'a> {
    sink: Sink<'a>,
}

fn parquet_error(error: impl std::fmt::Display) -> io::Error {
    io::Error::other(error.to_string())
}

impl Writer<'_> {
    pub(crate) fn add(&mut self, answered: &Answered) -> Result<(), Failure> {
        let added = match &mut self.sink {
            Sink::Report(report) => report.add(answered),
            Sink::Parquet(Some(writer)) => writer.add(answered).map_err(parquet_error),
            Sink::Parquet(None) => Ok(()),
        };
        added.map_err(|error| Failure::output(&error))
    }
}

fn write_to<'a>(
    out: &'a mut (dyn Write + Send + 'a),
    format: Format,
    look: &Look,
    body: impl FnOnce(&mut Writer<'_>) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let failed = |error: io::Error| Failure::output(&error);
    let format = match format {
        Format::Parquet => {
            // Parquet needs a writer of its own; it borrows the same place.
            let writer = parquet::Writer::new(out, 1).map_err(parquet_error).map_err(failed)?;
            let mut writer = Writer { sink: Sink::Parquet(Some(Box::new(writer))) };
            body(&mut writer)?;
            if let Sink::Parquet(inner) = &mut writer.sink
                && let Some(inner) = inner.take()
            {
                inner.finish().map_err(parquet_error).map_err(failed)?;
            }
            return Ok(());
        }
        Format::Table => recoup_report::Format::Table,
        Format::Json => recoup_report::Format::Json,
        Format::Ndjson => recoup_report::Format::Ndjson,
        Format::Csv => recoup_report::Format::Csv,
        Format::Markdown => recoup_report::Format::Markdown,
        Format::Html => recoup_report::Format::Html,
        Format::Focus => recoup_report::Format::Focus,
    };
    let mut report = recoup_report::report(format, out, look);
    report.begin().map_err(failed)?;
    let mut writer = Writer { sink: Sink::Report(report) };
    body(&mut writer)?;
    match &mut writer.sink {
        Sink::Report(report) => report.finish().map_err(failed),
        Sink::Parquet(_) => Ok(()),
    }
}

/// Opens the place for an answer, has `body` write bytes to it, and closes it. What is not whole takes no name
/// of a file, unless `body` says that it is to be kept as a part.
pub(crate) fn place(
    answer: &Answer,
    body: impl FnOnce(&mut (dyn Write + Send)) -> Result<Written, Failure>,
) -> Result<(), Failure> {
    match &answer.output {
        Some(path) => {
            let named = |error: io::Error| Failure::input(format_args!("{}: {error}", path.display()));
            let mut file = Whole::create(path).map_err(named)?;
            let written = body(&mut file)?;
            file.keep(written).map_err(named)
        }
        None => {
            let mut out = BufWriter::with_capacity(1 << 18, io::stdout());
            body(&mut out)?;
            out.flush().map_err(|error| Failure::output(&error))
        }
    }
}

/// Opens the place for an answer, has `body` write assessments to it, and closes it.
pub(crate) fn write(
    answer: &Answer,
    title: &str,
    body: impl FnOnce(&mut Writer<'_>) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let format = format(answer);
    let look = look(title, answer.output.is_some());
    not_to_a_terminal(answer)?;
    place(answer, |out| write_to(out, format, &look, body).map(|()| Written::Whole))
}

/// Refuses to write to a terminal what is not for one.
pub(crate) fn not_to_a_terminal(answer: &Answer) -> Result<(), Failure> {
    if answer.output.is_none() && format(answer) == Format::Parquet && io::stdout().is_terminal() {
        return Err(Failure::usage("Parquet is not for a terminal; name a file with -o"));
    }
    Ok(())
}

/// Writes text to the place for an answer.
pub(crate) fn write_text(answer: &Answer, text: &str) -> Result<(), Failure> {
    if answer.output.is_none() {
        return crate::host::print(text);
    }
    place(answer, |out| {
        out.write_all(text.as_bytes()).map(|()| Written::Whole).map_err(|error| Failure::output(&error))
    })
}
