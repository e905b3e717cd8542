//! Assessments as columns and as Parquet: one row a ruling, flat, with typed amounts and instants.

use std::io::Write;
use std::sync::Arc;

use arrow_array::builder::{BooleanBuilder, Decimal128Builder, StringBuilder, TimestampMicrosecondBuilder};
use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::{ArrowError, DataType, Field, Schema, TimeUnit};
use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use recoup_core::assessment::Answered;
use recoup_core::money::Amount;
use recoup_core::refund::{Refund, RefundQuote};
use recoup_core::ruling::RulingData;
use recoup_core::stated::{Compared, Statement};
use recoup_core::time::Instant;

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

/// Rulings as columns, gathered from one assessment after the other.
#[derive(Debug)]
pub struct Rulings {
    schema: Arc<Schema>,
    texts: Vec<StringBuilder>,
    amounts: Vec<Decimal128Builder>,
    times: Vec<TimestampMicrosecondBuilder>,
    is_best: BooleanBuilder,
    stated_allowed: BooleanBuilder,
    rows: usize,
}

/// Writes assessments as Parquet.
pub struct Writer<W: Write + Send> {
    writer: ArrowWriter<W>,
    rulings: Rulings,
}

impl<W: Write + Send> std::fmt::Debug for Writer<W> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Writer").field("rows", &self.rulings.rows).finish_non_exhaustive()
    }
}

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

impl Default for Rulings {
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

impl Rulings {
    /// Adds an assessment: a row for each of its rulings.
    pub fn add(&mut self, answered: &Answered) {
        let Answered { subject, assessment, policy, .. } = answered;
        for ruling in assessment.rulings() {
            let join = |words: Vec<String>| (!words.is_empty()).then(|| words.join("; "));
            let refund = ruling.refund.as_ref();
            let clause = |id| policy.clause(id).map_or_else(|| "recoup.no-rule".to_owned(), |clause| clause.id.clone());
            let returned = refund.map(|quote| {
                quote.items().iter().map(|item| format!("{} {} to {}", item.amount, item.instrument, item.to)).collect()
            });
            let texts = [
                Some(subject.provider.clone()),
                Some(subject.site.clone()),
                subject.edition.clone(),
                subject.account.clone(),
                Some(subject.resource.clone()),
                subject.name.clone(),
                Some(subject.product.clone()),
                Some(assessment.outcome().to_string()),
                assessment.best().map(|exit| exit.to_string()),
                Some(ruling.exit.to_string()),
                Some(ruling.outcome().to_string()),
                refund.map(|quote| quote.currency().to_string()),
                join(ruling.refusals.iter().map(|refusal| refusal.reason.to_string()).collect()),
                join(ruling.refusals.iter().map(|refusal| clause(refusal.clause)).collect()),
                join(ruling.unknowns.iter().map(|unknown| unknown.reason.to_string()).collect()),
                join(ruling.unknowns.iter().filter_map(|unknown| unknown.fact.as_deref().map(str::to_owned)).collect()),
                returned.and_then(join),
                join(ruling.effects.iter().map(|effect| effect.to_string()).collect()),
                ruling.channel.map(|channel| channel.to_string()),
                ruling.review.as_ref().map(|review| review.by.to_string()),
                join(answered.overlaid(ruling).into_iter().map(str::to_owned).collect()),
                join(answered.stated_of(ruling.exit).map(|one| one.statement.by.clone()).collect()),
                first_stated(answered, ruling, |statement| statement.currency).map(|currency| currency.to_string()),
                join(answered.stated_of(ruling.exit).filter(|one| one.differs()).map(difference).collect()),
            ];
            for (builder, text) in self.texts.iter_mut().zip(texts) {
                builder.append_option(text);
            }
            let amounts: [Option<Amount>; 13] = [
                refund.map(RefundQuote::paid),
                refund.and_then(RefundQuote::consumed),
                refund.map(RefundQuote::fee),
                refund.and_then(RefundQuote::forfeited),
                refund.map(RefundQuote::refund),
                refund.and_then(RefundQuote::released),
                refund.and_then(RefundQuote::carried_over),
                refund.and_then(RefundQuote::charge),
                refund.and_then(RefundQuote::proceeds),
                first_stated(answered, ruling, |statement| statement.refund),
                first_stated(answered, ruling, |statement| statement.fee),
                first_stated(answered, ruling, |statement| statement.carry_over),
                first_stated(answered, ruling, |statement| statement.charge),
            ];
            for (builder, amount) in self.amounts.iter_mut().zip(amounts) {
                builder.append_option(amount.map(Amount::units));
            }
            let stated_until = first_stated(answered, ruling, |statement| statement.until);
            let times = [Some(subject.at), ruling.until, ruling.effective_at, stated_until];
            for (builder, time) in self.times.iter_mut().zip(times) {
                builder.append_option(time.map(Instant::micros));
            }
            self.is_best.append_value(assessment.best() == Some(ruling.exit));
            self.stated_allowed.append_option(first_stated(answered, ruling, |statement| statement.allowed));
            self.rows += 1;
        }
    }

    /// The rows so far as a batch; what is added next begins another.
    ///
    /// # Errors
    /// Where Arrow refuses the columns, which would be a mistake of this crate.
    pub fn finish(&mut self) -> Result<RecordBatch, ArrowError> {
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

impl<W: Write + Send> Writer<W> {
    /// Begins a file.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn new(out: W) -> Result<Self, ParquetError> {
        let rulings = Rulings::default();
        let properties = WriterProperties::builder().set_compression(Compression::SNAPPY).build();
        let writer = ArrowWriter::try_new(out, Arc::clone(&rulings.schema), Some(properties))?;
        Ok(Self { writer, rulings })
    }

    /// Adds an assessment.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn add(&mut self, answered: &Answered) -> Result<(), ParquetError> {
        self.rulings.add(answered);
        if self.rulings.rows >= 65_536 {
            self.flush()?;
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<(), ParquetError> {
        let batch = self.rulings.finish().map_err(|error| ParquetError::General(error.to_string()))?;
        self.writer.write(&batch)
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
