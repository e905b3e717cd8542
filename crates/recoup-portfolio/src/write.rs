//! Writing portfolios: NDJSON, JSON, CSV or Parquet, one record after another, so that a file of any size takes
//! no more memory than a small one.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::sync::Arc;

use arrow_json::reader::{Decoder, ReaderBuilder};
use arrow_schema::{DataType, Field, Fields, Schema, TimeUnit};
use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::file::properties::WriterProperties;
use recoup_core::fact::{Figure, Flag, Moment};
use recoup_core::record::{RESOURCE_FIELDS, ResourceRecord};
use recoup_core::time::Zone;
use serde_json::Value;

/// Rows of Parquet that are gathered before they are encoded.
const BATCH: usize = 4_096;

/// How a portfolio is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// One JSON object a line.
    Ndjson,
    /// A JSON array.
    Json,
    /// Flat columns; what has a structure is JSON text.
    Csv,
    /// The columns of the format, nested.
    Parquet,
}

/// The facts that a portfolio may state, by name. Parquet has a column for each, so a writer must know them
/// before the first record.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FactNames {
    /// Of resources.
    pub resources: BTreeSet<&'static str>,
    /// Of orders.
    pub orders: BTreeSet<&'static str>,
}

impl FactNames {
    /// Every fact that there is.
    #[must_use]
    pub fn all() -> Self {
        let names: BTreeSet<&'static str> = Flag::WORDS
            .iter()
            .chain(Figure::WORDS)
            .chain(Moment::WORDS)
            .chain(recoup_core::fact::Text::WORDS)
            .copied()
            .collect();
        Self { resources: names.clone(), orders: names }
    }
}

/// Writes a portfolio.
pub struct Writer<W: Write + Send> {
    sink: Sink<W>,
    count: u64,
}

enum Sink<W: Write + Send> {
    Ndjson(W),
    Json(W),
    Csv(Box<csv::Writer<W>>),
    Parquet(Box<Rows<W>>),
}

impl<W: Write + Send> std::fmt::Debug for Writer<W> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Writer").field("count", &self.count).finish_non_exhaustive()
    }
}

impl<W: Write + Send> Writer<W> {
    /// Begins a portfolio that states no other facts than these.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn new(form: Form, mut out: W, facts: &FactNames) -> io::Result<Self> {
        let sink = match form {
            Form::Ndjson => Sink::Ndjson(out),
            Form::Json => {
                out.write_all(b"[")?;
                Sink::Json(out)
            }
            Form::Csv => {
                let mut writer = csv::Writer::from_writer(out);
                writer.write_record(RESOURCE_FIELDS)?;
                Sink::Csv(Box::new(writer))
            }
            Form::Parquet => Sink::Parquet(Box::new(Rows::new(out, facts)?)),
        };
        Ok(Self { sink, count: 0 })
    }

    /// Adds a record, with its instants in a zone.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn add(&mut self, record: &ResourceRecord, zone: Zone) -> io::Result<()> {
        let json = record.to_json(zone);
        match &mut self.sink {
            Sink::Ndjson(out) => writeln!(out, "{json}")?,
            Sink::Json(out) => write!(out, "{}{json}", if self.count == 0 { "\n" } else { ",\n" })?,
            Sink::Csv(writer) => writer.write_record(RESOURCE_FIELDS.iter().map(|name| cell(json.get(*name))))?,
            Sink::Parquet(rows) => rows.add(json)?,
        }
        self.count += 1;
        Ok(())
    }

    /// Ends the portfolio.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn finish(self) -> io::Result<()> {
        match self.sink {
            Sink::Ndjson(mut out) => out.flush(),
            Sink::Json(mut out) => {
                out.write_all(b"\n]\n")?;
                out.flush()
            }
            Sink::Csv(mut writer) => writer.flush(),
            Sink::Parquet(rows) => rows.finish(),
        }
    }
}

/// A cell of CSV: text as it is, a structure as JSON.
fn cell(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}

/// Rows on their way into Parquet.
struct Rows<W: Write + Send> {
    decoder: Decoder,
    writer: ArrowWriter<W>,
    /// Records as lines of JSON: the decoder reads numbers from text digit by digit.
    waiting: Vec<u8>,
    count: usize,
}

fn failed(error: impl std::fmt::Display) -> io::Error {
    io::Error::other(error.to_string())
}

impl<W: Write + Send> Rows<W> {
    fn new(out: W, facts: &FactNames) -> io::Result<Self> {
        let schema = Arc::new(schema(facts));
        let properties = WriterProperties::builder().set_compression(Compression::SNAPPY).build();
        let writer = ArrowWriter::try_new(out, Arc::clone(&schema), Some(properties)).map_err(failed)?;
        // A fact without a column is a fault of the caller and must not be lost.
        let decoder =
            ReaderBuilder::new(schema).with_batch_size(BATCH).with_strict_mode(true).build_decoder().map_err(failed)?;
        Ok(Self { decoder, writer, waiting: Vec::new(), count: 0 })
    }

    fn add(&mut self, mut json: Value) -> io::Result<()> {
        for name in TEXTS_OF_JSON {
            if let Some(part) = json.get_mut(*name) {
                *part = Value::String(part.to_string());
            }
        }
        writeln!(self.waiting, "{json}")?;
        self.count += 1;
        if self.count == BATCH { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> io::Result<()> {
        let read = self.decoder.decode(&self.waiting).map_err(failed)?;
        if read < self.waiting.len() {
            return Err(failed("a batch was not read whole"));
        }
        self.waiting.clear();
        self.count = 0;
        match self.decoder.flush().map_err(failed)? {
            Some(batch) => self.writer.write(&batch).map_err(failed),
            None => Ok(()),
        }
    }

    fn finish(mut self) -> io::Result<()> {
        self.flush()?;
        self.writer.close().map(|_| ()).map_err(failed)
    }
}

/// What is JSON text in a Parquet file too: names are open, or the structure is too deep for columns.
const TEXTS_OF_JSON: &[&str] = &["tags", "price_terms", "stated"];

fn text(name: &str) -> Field {
    Field::new(name, DataType::Utf8, true)
}

fn decimal(name: &str) -> Field {
    Field::new(name, DataType::Decimal128(38, 18), true)
}

fn instant(name: &str) -> Field {
    Field::new(name, DataType::Timestamp(TimeUnit::Microsecond, Some("+00:00".into())), true)
}

fn count(name: &str) -> Field {
    Field::new(name, DataType::UInt32, true)
}

fn structure(name: &str, fields: Fields) -> Field {
    Field::new(name, DataType::Struct(fields), true)
}

fn list(name: &str, fields: Fields) -> Field {
    Field::new(name, DataType::List(Arc::new(structure("item", fields))), true)
}

fn fact(name: &str) -> Field {
    if Flag::parse(name).is_ok() {
        Field::new(name, DataType::Boolean, true)
    } else if Figure::parse(name).is_ok() {
        decimal(name)
    } else if Moment::parse(name).is_ok() {
        instant(name)
    } else {
        text(name)
    }
}

/// The facts of a place; none at all where it states none, since Parquet has no structure without columns.
fn facts(names: &BTreeSet<&'static str>) -> Option<Field> {
    let fields: Fields = names.iter().map(|name| fact(name)).collect();
    (!fields.is_empty()).then(|| structure("facts", fields))
}

/// The columns of a portfolio.
fn schema(names: &FactNames) -> Schema {
    let payment: Fields = vec![text("instrument"), decimal("amount"), instant("expires_at")].into();
    let mut order = vec![text("id"), text("kind"), text("status")];
    order.extend(["placed_at", "paid_at", "starts_at", "ends_at"].map(instant));
    order.extend([count("term_months"), text("term_unit"), count("term_count"), decimal("quantity"), text("currency")]);
    order.extend([decimal("list_price"), decimal("due"), list("payments", payment)]);
    order.extend(facts(&names.orders));
    let commitment = vec![
        count("term_months"),
        text("payment_option"),
        decimal("hourly"),
        text("currency"),
        decimal("upfront"),
        decimal("recurring"),
        text("recurring_every"),
        text("class"),
        text("unit"),
        decimal("total_units"),
        decimal("used_units"),
        decimal("used_fraction"),
    ];
    let columns = RESOURCE_FIELDS.iter().filter_map(|name| match *name {
        "purchased_at" | "starts_at" | "ends_at" => Some(instant(name)),
        "quantity" => Some(decimal(name)),
        "commitment" => Some(structure(name, commitment.clone().into())),
        "orders" => Some(list(name, order.clone().into())),
        "facts" => facts(&names.resources),
        _ => Some(text(name)),
    });
    Schema::new(columns.collect::<Vec<_>>())
}
