//! Assessments as columns and as Parquet: one row a ruling, flat, with typed amounts and instants.

use std::fmt::Write as _;
use std::io::Write;
use std::sync::Arc;

use arrow_array::builder::{BooleanBuilder, Decimal128Builder, StringBuilder, TimestampMicrosecondBuilder};
use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::{ArrowError, DataType, Field, Schema, TimeUnit};
use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::errors::ParquetError;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use recoup_core::assessment::{Answered, clause_text};
use recoup_core::money::Amount;
use recoup_core::refund::{Refund, RefundQuote};
use recoup_core::ruling::RulingData;
use recoup_core::stated::{Compared, Statement};
use recoup_core::time::Instant;
use recoup_core::vocab::Exit;

const DECIMAL: DataType = DataType::Decimal128(38, 18);
const TEXTS: &[&str] = &[
    "provider",
    "site",
    "edition",
    "account",
    "resource",
    "name",
    "product",
    "outcome",
    "best",
    "exit",
    "exit_outcome",
    "currency",
    "refusals",
    "refusal_clauses",
    "unknowns",
    "unknown_facts",
    "returned",
    "effects",
    "channel",
    "review",
    "overlay",
    "stated_by",
    "stated_currency",
    "stated_difference",
];
const AMOUNTS: &[&str] = &[
    "paid",
    "consumed",
    "fee",
    "forfeited",
    "refund",
    "released",
    "carry_over",
    "charge",
    "proceeds",
    "stated_refund",
    "stated_fee",
    "stated_carry_over",
    "stated_charge",
];
const TIMES: &[&str] = &["at", "until", "effective_at", "stated_until"];

/// The columns of rulings.
#[must_use]
pub fn columns() -> Vec<Field> {
    let utc = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
    let texts = TEXTS.iter().map(|name| Field::new(*name, DataType::Utf8, true));
    let amounts = AMOUNTS.iter().map(|name| Field::new(*name, DECIMAL, true));
    let times = TIMES.iter().map(|name| Field::new(*name, utc.clone(), true));
    let truths =
        [Field::new("is_best", DataType::Boolean, false), Field::new("stated_allowed", DataType::Boolean, true)];
    texts.chain(amounts).chain(times).chain(truths).collect()
}

/// The first that the provider states of an exit.
fn first_stated<T>(answered: &Answered, ruling: &RulingData, of: impl Fn(&Statement) -> Option<T>) -> Option<T> {
    answered.stated_of(ruling.exit).find_map(|one| of(&one.statement))
}

fn difference(compared: &Compared) -> String {
    serde_json::Value::Object(compared.difference_json()).to_string()
}

/// Words and texts that follow each other in one cell, `"; "` between them; nothing where there is none.
struct Cell<'b> {
    builder: &'b mut StringBuilder,
    any: bool,
}

impl Cell<'_> {
    fn put(&mut self, item: impl std::fmt::Display) {
        // Writing to memory does not fail.
        let _ = write!(self.builder, "{}{item}", if self.any { "; " } else { "" });
        self.any = true;
    }

    fn end(self) {
        if self.any {
            // Closes the cell with what was written into it.
            self.builder.append_value("");
        } else {
            self.builder.append_null();
        }
    }
}

/// Rulings as columns, gathered from one assessment after the other.
pub struct Rows {
    schema: Arc<Schema>,
    texts: Vec<StringBuilder>,
    amounts: Vec<Decimal128Builder>,
    times: Vec<TimestampMicrosecondBuilder>,
    is_best: BooleanBuilder,
    stated_allowed: BooleanBuilder,
    rows: usize,
}

impl std::fmt::Debug for Rows {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Rows").field("rows", &self.rows).finish_non_exhaustive()
    }
}

impl Default for Rows {
    fn default() -> Self {
        Self {
            schema: Arc::new(Schema::new(columns())),
            texts: TEXTS.iter().map(|_| StringBuilder::new()).collect(),
            amounts: AMOUNTS.iter().map(|_| Decimal128Builder::new().with_data_type(DECIMAL)).collect(),
            times: TIMES.iter().map(|_| TimestampMicrosecondBuilder::new().with_timezone("UTC")).collect(),
            is_best: BooleanBuilder::new(),
            stated_allowed: BooleanBuilder::new(),
            rows: 0,
        }
    }
}

impl Rows {
    /// How many rows were added.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows
    }

    /// Whether none was added.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// Adds an assessment, a row for each of its rulings.
    pub fn add(&mut self, answered: &Answered) {
        for ruling in answered.assessment.rulings() {
            self.texts(answered, ruling);
            self.figures(answered, ruling);
            self.rows += 1;
        }
    }

    fn texts(&mut self, answered: &Answered, ruling: &RulingData) {
        let Answered { subject, assessment, policy, .. } = answered;
        let refund = ruling.refund.as_ref();
        let mut builders = self.texts.iter_mut();
        let mut one = |text: Option<&str>| {
            if let Some(builder) = builders.next() {
                builder.append_option(text);
            }
        };
        one(Some(&subject.provider));
        one(Some(&subject.site));
        one(subject.edition.as_deref());
        one(subject.account.as_deref());
        one(Some(&subject.resource));
        one(subject.name.as_deref());
        one(Some(&subject.product));
        one(Some(assessment.outcome().as_str()));
        one(assessment.best().map(Exit::as_str));
        one(Some(ruling.exit.as_str()));
        one(Some(ruling.outcome().as_str()));
        one(refund.map(|quote| quote.currency().as_str()));
        let mut many = |fill: &mut dyn FnMut(&mut Cell<'_>)| {
            if let Some(builder) = builders.next() {
                let mut cell = Cell { builder, any: false };
                fill(&mut cell);
                cell.end();
            }
        };
        let stated = || answered.stated_of(ruling.exit);
        many(&mut |cell| ruling.refusals.iter().for_each(|refusal| cell.put(refusal.reason)));
        many(&mut |cell| ruling.refusals.iter().for_each(|refusal| cell.put(clause_text(policy, refusal.clause).0)));
        many(&mut |cell| ruling.unknowns.iter().for_each(|unknown| cell.put(unknown.reason)));
        many(&mut |cell| {
            ruling.unknowns.iter().filter_map(|unknown| unknown.fact.as_deref()).for_each(|fact| cell.put(fact));
        });
        many(&mut |cell| {
            let items = refund.into_iter().flat_map(RefundQuote::items);
            items.for_each(|item| cell.put(format_args!("{} {} to {}", item.amount, item.instrument, item.to)));
        });
        many(&mut |cell| ruling.effects.iter().for_each(|effect| cell.put(effect)));
        many(&mut |cell| ruling.channel.iter().for_each(|channel| cell.put(channel)));
        many(&mut |cell| ruling.review.iter().for_each(|review| cell.put(&review.by)));
        many(&mut |cell| answered.overlaid(ruling).into_iter().for_each(|clause| cell.put(clause)));
        many(&mut |cell| stated().for_each(|one| cell.put(&one.statement.by)));
        many(&mut |cell| {
            first_stated(answered, ruling, |statement| statement.currency)
                .iter()
                .for_each(|currency| cell.put(currency));
        });
        many(&mut |cell| stated().filter(|one| one.differs()).for_each(|one| cell.put(difference(one))));
    }

    fn figures(&mut self, answered: &Answered, ruling: &RulingData) {
        let refund = ruling.refund.as_ref();
        let stated_amount = |of: fn(&Statement) -> Option<Amount>| first_stated(answered, ruling, of);
        let amounts: [Option<Amount>; AMOUNTS.len()] = [
            refund.map(RefundQuote::paid),
            refund.and_then(RefundQuote::consumed),
            refund.map(RefundQuote::fee),
            refund.and_then(RefundQuote::forfeited),
            refund.map(RefundQuote::refund),
            refund.and_then(RefundQuote::released),
            refund.and_then(RefundQuote::carried_over),
            refund.and_then(RefundQuote::charge),
            refund.and_then(RefundQuote::proceeds),
            stated_amount(|statement| statement.refund),
            stated_amount(|statement| statement.fee),
            stated_amount(|statement| statement.carry_over),
            stated_amount(|statement| statement.charge),
        ];
        for (builder, amount) in self.amounts.iter_mut().zip(amounts) {
            builder.append_option(amount.map(Amount::units));
        }
        let stated_until = first_stated(answered, ruling, |statement| statement.until);
        let times = [Some(answered.subject.at), ruling.until, ruling.effective_at, stated_until];
        for (builder, time) in self.times.iter_mut().zip(times) {
            builder.append_option(time.map(Instant::micros));
        }
        self.is_best.append_value(answered.assessment.best() == Some(ruling.exit));
        self.stated_allowed.append_option(first_stated(answered, ruling, |statement| statement.allowed));
    }

    /// The rows that were added since the last time.
    ///
    /// # Errors
    /// Where Arrow refuses the columns, which would be a mistake of this crate.
    pub fn take(&mut self) -> Result<RecordBatch, ArrowError> {
        let mut arrays: Vec<ArrayRef> = Vec::new();
        arrays.extend(self.texts.iter_mut().map(|builder| Arc::new(builder.finish()) as ArrayRef));
        arrays.extend(self.amounts.iter_mut().map(|builder| Arc::new(builder.finish()) as ArrayRef));
        arrays.extend(self.times.iter_mut().map(|builder| Arc::new(builder.finish()) as ArrayRef));
        arrays.push(Arc::new(self.is_best.finish()));
        arrays.push(Arc::new(self.stated_allowed.finish()));
        self.rows = 0;
        RecordBatch::try_new(Arc::clone(&self.schema), arrays)
    }
}

/// Rulings in a row group: few enough to be held, many enough to be packed well.
const ROW_GROUP: usize = 128 * 1024;

/// Writes assessments as Parquet.
pub struct Writer<W: Write + Send> {
    rows: Rows,
    writer: ArrowWriter<W>,
}

impl<W: Write + Send> std::fmt::Debug for Writer<W> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Writer").field("rows", &self.rows).finish_non_exhaustive()
    }
}

impl<W: Write + Send> Writer<W> {
    /// Begins a file.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn new(out: W) -> Result<Self, ParquetError> {
        let mut properties = WriterProperties::builder()
            .set_compression(Compression::SNAPPY)
            .set_statistics_enabled(EnabledStatistics::Chunk)
            .set_max_row_group_row_count(Some(ROW_GROUP));
        // Nearly every one is another: a dictionary of them would be given up after much work.
        for unique in ["resource", "name"] {
            properties = properties.set_column_dictionary_enabled(unique.into(), false);
        }
        let rows = Rows::default();
        let writer = ArrowWriter::try_new(out, Arc::clone(&rows.schema), Some(properties.build()))?;
        Ok(Self { rows, writer })
    }

    /// Adds an assessment.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn add(&mut self, answered: &Answered) -> Result<(), ParquetError> {
        self.rows.add(answered);
        if self.rows.len() >= 16_384 { self.flush() } else { Ok(()) }
    }

    /// Adds rows that were made elsewhere.
    ///
    /// # Errors
    /// Where they cannot be written.
    pub fn add_rows(&mut self, rows: &RecordBatch) -> Result<(), ParquetError> {
        self.writer.write(rows)
    }

    fn flush(&mut self) -> Result<(), ParquetError> {
        let rows = self.rows.take().map_err(|error| ParquetError::General(error.to_string()))?;
        self.writer.write(&rows)
    }

    /// Closes the file.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn finish(mut self) -> Result<(), ParquetError> {
        self.flush()?;
        self.writer.close().map(|_| ())
    }
}
