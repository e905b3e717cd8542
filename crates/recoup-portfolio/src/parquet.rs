//! Assessments as columns and as Parquet: one row a ruling, flat, with typed amounts and instants.

use std::fmt::Write as _;
use std::io::Write;
use std::sync::Arc;

use arrow_array::builder::{
    ArrayBuilder as _, BooleanBuilder, Decimal128Builder, StringBuilder, TimestampMicrosecondBuilder,
};
use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::{ArrowError, DataType, Field, Schema, TimeUnit};
use parquet::basic::Compression;
use parquet::errors::ParquetError;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use recoup_core::assessment::{Answered, clause_text};
use recoup_core::money::Amount;
use recoup_core::refund::{Refund, RefundQuote};
use recoup_core::ruling::RulingData;
use recoup_core::stated::{Compared, Statement};
use recoup_core::vocab::Exit;

use crate::encoders::RowGroups;

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

/// Fills a column with empty cells up to a row.
macro_rules! fill {
    ($builder:expr, $row:expr) => {
        if $builder.len() < $row {
            $builder.append_nulls($row - $builder.len());
        }
    };
}

/// Puts a value into a row. Many columns are empty in most rows, so nothing is done for empty cells until one is not.
macro_rules! put {
    ($builder:expr, $row:expr, $value:expr) => {{
        fill!($builder, $row);
        $builder.append_value($value);
    }};
}

/// Words and texts that follow each other in one cell, `"; "` between them; nothing where there is none.
struct Cell<'b> {
    builder: &'b mut StringBuilder,
    row: usize,
    any: bool,
}

impl Cell<'_> {
    fn next(&mut self) -> &mut StringBuilder {
        if self.any {
            // Writing to memory does not fail.
            let _ = self.builder.write_str("; ");
        } else {
            fill!(self.builder, self.row);
        }
        self.any = true;
        self.builder
    }

    fn put(&mut self, text: &str) {
        let _ = self.next().write_str(text);
    }

    fn show(&mut self, item: impl std::fmt::Display) {
        let _ = write!(self.next(), "{item}");
    }

    fn end(self) {
        if self.any {
            // Closes the cell with what was written into it.
            self.builder.append_value("");
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
        let row = self.rows;
        let mut builders = self.texts.iter_mut();
        let mut one = |text: Option<&str>| {
            if let (Some(builder), Some(text)) = (builders.next(), text) {
                put!(builder, row, text);
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
                let mut cell = Cell { builder, row, any: false };
                fill(&mut cell);
                cell.end();
            }
        };
        let stated = || answered.stated_of(ruling.exit);
        many(&mut |cell| ruling.refusals.iter().for_each(|refusal| cell.put(refusal.reason.as_str())));
        many(&mut |cell| ruling.refusals.iter().for_each(|refusal| cell.put(clause_text(policy, refusal.clause).0)));
        many(&mut |cell| ruling.unknowns.iter().for_each(|unknown| cell.put(unknown.reason.as_str())));
        many(&mut |cell| {
            ruling.unknowns.iter().filter_map(|unknown| unknown.fact.as_deref()).for_each(|fact| cell.put(fact));
        });
        many(&mut |cell| {
            let items = refund.into_iter().flat_map(RefundQuote::items);
            items.for_each(|item| cell.show(format_args!("{} {} to {}", item.amount, item.instrument, item.to)));
        });
        many(&mut |cell| ruling.effects.iter().for_each(|effect| cell.put(effect.as_str())));
        many(&mut |cell| ruling.channel.iter().for_each(|channel| cell.put(channel.as_str())));
        many(&mut |cell| ruling.review.iter().for_each(|review| cell.put(&review.by)));
        many(&mut |cell| answered.overlaid(ruling).into_iter().for_each(|clause| cell.put(clause)));
        many(&mut |cell| stated().for_each(|one| cell.put(&one.statement.by)));
        many(&mut |cell| {
            first_stated(answered, ruling, |statement| statement.currency)
                .iter()
                .for_each(|currency| cell.put(currency.as_str()));
        });
        many(&mut |cell| stated().filter(|one| one.differs()).for_each(|one| cell.put(&difference(one))));
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
        let row = self.rows;
        for (builder, amount) in self.amounts.iter_mut().zip(amounts) {
            if let Some(amount) = amount {
                put!(builder, row, amount.units());
            }
        }
        let stated_until = first_stated(answered, ruling, |statement| statement.until);
        let times = [Some(answered.subject.at), ruling.until, ruling.effective_at, stated_until];
        for (builder, time) in self.times.iter_mut().zip(times) {
            if let Some(time) = time {
                put!(builder, row, time.micros());
            }
        }
        self.is_best.append_value(answered.assessment.best() == Some(ruling.exit));
        self.stated_allowed.append_option(first_stated(answered, ruling, |statement| statement.allowed));
    }

    /// The rows that were added since the last time.
    ///
    /// # Errors
    /// Where Arrow refuses the columns, which would be a mistake of this crate.
    pub fn take(&mut self) -> Result<RecordBatch, ArrowError> {
        macro_rules! finish {
            ($builders:expr) => {
                $builders.iter_mut().map(|builder| {
                    fill!(builder, self.rows);
                    Arc::new(builder.finish()) as ArrayRef
                })
            };
        }
        let mut arrays: Vec<ArrayRef> = Vec::new();
        arrays.extend(finish!(self.texts));
        arrays.extend(finish!(self.amounts));
        arrays.extend(finish!(self.times));
        arrays.push(Arc::new(self.is_best.finish()));
        arrays.push(Arc::new(self.stated_allowed.finish()));
        self.rows = 0;
        RecordBatch::try_new(Arc::clone(&self.schema), arrays)
    }
}

/// Rulings in a row group: few enough to be held, many enough to be packed well.
const ROW_GROUP: usize = 128 * 1024;

/// Columns of which nearly every cell is another: a dictionary of them would be given up after much work.
const UNIQUE: &[&str] = &["resource", "name", "returned", "paid", "consumed", "refund"];

/// Writes assessments as Parquet.
pub struct Writer<W: Write + Send> {
    rows: Rows,
    writer: RowGroups<W>,
}

impl<W: Write + Send> std::fmt::Debug for Writer<W> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Writer").field("rows", &self.rows).finish_non_exhaustive()
    }
}

impl<W: Write + Send> Writer<W> {
    /// Begins a file, whose columns `threads` threads encode.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn new(out: W, threads: usize) -> Result<Self, ParquetError> {
        let mut properties = WriterProperties::builder()
            .set_compression(Compression::SNAPPY)
            .set_statistics_enabled(EnabledStatistics::Chunk)
            .set_max_row_group_row_count(Some(ROW_GROUP));
        for unique in UNIQUE {
            properties = properties.set_column_dictionary_enabled((*unique).into(), false);
        }
        let rows = Rows::default();
        let writer = RowGroups::new(out, &rows.schema, properties.build(), threads)?;
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
        self.writer.finish()
    }
}
