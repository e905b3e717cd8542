//! FOCUS, the FinOps cost and usage specification, as a source of what was bought.
//!
//! Files of FOCUS 1.0 to 1.4 (Cost and Usage) and 1.3 to 1.4 (Contract Commitment) are recognised by
//! their columns, whatever the letter case, and read row by row; what is kept is one thing for every
//! resource or commitment that was bought, over all files of a run. What FOCUS does not say stays
//! unknown: the instruments that paid, the site, the facts.
//!
//! ```
//! use recoup_portfolio::focus::Focus;
//! use recoup_portfolio::read::{Opened, from_reader};
//!
//! let file = "ChargeCategory,BilledCost,BillingCurrency,ChargePeriodStart,ChargePeriodEnd,ChargeFrequency,ResourceId,ServiceName,ProviderName\n\
//!     Purchase,120.00,USD,2025-01-01,2026-01-01,One-Time,vm-1,Virtual Machines,Example Cloud\n";
//! let provider_of = |name: &str| (name == "Example Cloud").then(|| "example".to_owned());
//! let mut focus = Focus::new(&provider_of, None);
//! if let Opened::Focus(source) = from_reader("cost.csv", Box::new(file.as_bytes()))? {
//!     focus.read(source, &mut |_, what| panic!("{what}"))?;
//! }
//! let read = focus.finish();
//! assert_eq!(read.records[0].id, "vm-1");
//! assert_eq!(read.counts.to_string(), "FOCUS rows: 1; used: 1 (purchases 1); not used: 0");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod cells;
mod charges;
mod columns;
mod commitments;
mod counts;
mod things;

use std::collections::HashMap;
use std::io::BufRead;
use std::sync::Arc;

use arrow_schema::{DataType, Schema};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};
use parquet::errors::ParquetError;
use parquet::file::reader::ChunkReader;
use recoup_core::record::{ResourceRecord, limits};

use crate::read::{CHUNK, ReadError};
use cells::{Cells, Row};
pub use columns::DataSet;
use columns::{Column, Layout};
pub use counts::{Counts, Left, Use};
use things::Thing;
pub use things::{FocusRefund, RefundForm};

/// Gives the adapter's name for a provider as FOCUS names it.
pub type ProviderOf<'a> = dyn Fn(&str) -> Option<String> + 'a;

enum Form {
    Csv { reader: Box<csv::Reader<Box<dyn BufRead + Send>>>, columns: usize },
    Parquet { reader: Box<ParquetRecordBatchReader>, floats: Vec<&'static str> },
}

/// A file of FOCUS that is about to be read.
pub struct Source {
    file: Arc<str>,
    layout: Layout,
    form: Form,
}

impl std::fmt::Debug for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Source").field("file", &self.file).field("layout", &self.layout).finish_non_exhaustive()
    }
}

impl Source {
    /// A CSV with this header, read from its beginning; none where it is no FOCUS.
    pub(crate) fn csv(name: &str, header: &csv::StringRecord) -> Option<(Arc<str>, Layout)> {
        Layout::of(header.iter()).map(|layout| (name.into(), layout))
    }

    pub(crate) fn from_csv(
        (file, layout): (Arc<str>, Layout),
        input: Box<dyn BufRead + Send>,
    ) -> Result<Self, csv::Error> {
        let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(input);
        let columns = reader.headers()?.len();
        Ok(Self { file, layout, form: Form::Csv { reader: Box::new(reader), columns } })
    }

    /// Whether Parquet with these columns is FOCUS.
    pub(crate) fn is_parquet(schema: &Schema) -> bool {
        Layout::of(schema.fields().iter().map(|field| field.name().as_str())).is_some()
    }

    pub(crate) fn from_parquet<R: ChunkReader + 'static>(
        name: &str,
        builder: ParquetRecordBatchReaderBuilder<R>,
    ) -> Result<Self, ParquetError> {
        let no_focus = || ParquetError::General("no columns of FOCUS".to_owned());
        let fields = |schema: &Schema| schema.fields().iter().map(|field| field.name().clone()).collect::<Vec<_>>();
        let all = fields(builder.schema());
        let whole = Layout::of(all.iter().map(String::as_str)).ok_or_else(no_focus)?;
        let is_float = |column: &&Column| {
            whole.place(**column).and_then(|place| builder.schema().fields().get(place)).is_some_and(|field| {
                matches!(field.data_type(), DataType::Float16 | DataType::Float32 | DataType::Float64)
            })
        };
        let floats =
            Column::ALL.iter().filter(|column| column.is_figure()).filter(is_float).map(|column| column.id()).collect();
        let mask = ProjectionMask::roots(builder.parquet_schema(), whole.used());
        let reader = builder.with_projection(mask).with_batch_size(CHUNK).build()?;
        // The rows that come have only the columns that are read, in the file's order.
        let kept: Vec<String> = whole.used().into_iter().filter_map(|place| all.get(place).cloned()).collect();
        let layout = Layout::over(whole.data_set, kept.iter().map(String::as_str));
        Ok(Self { file: name.into(), layout, form: Form::Parquet { reader: Box::new(reader), floats } })
    }

    /// The file's name.
    #[must_use]
    pub fn file(&self) -> &Arc<str> {
        &self.file
    }

    /// Which data set it holds.
    #[must_use]
    pub fn data_set(&self) -> DataSet {
        self.layout.data_set
    }
}

/// What became of a row.
enum Fate {
    Used(Use),
    Left(Left),
}

/// What was bought, gathered over files of FOCUS.
pub struct Focus<'a> {
    provider_of: &'a ProviderOf<'a>,
    only: Option<&'a str>,
    names: HashMap<String, Option<String>>,
    places: HashMap<(String, String), usize>,
    things: Vec<Option<Thing>>,
    spare: Option<Thing>,
    counts: Counts,
    remarks: Vec<String>,
}

impl std::fmt::Debug for Focus<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Focus").field("counts", &self.counts).finish_non_exhaustive()
    }
}

/// What was read of files of FOCUS.
#[derive(Debug, Clone, Default)]
pub struct FocusRead {
    /// What was bought, in the order in which it was first met.
    pub records: Vec<ResourceRecord>,
    /// For each record every name by which its row speaks of the product, the most telling first.
    pub services: Vec<Vec<String>>,
    /// What came back for it.
    pub refunds: Vec<FocusRefund>,
    /// How many rows were used, and why the others were not.
    pub counts: Counts,
    /// What a reader should know.
    pub remarks: Vec<String>,
}

impl<'a> Focus<'a> {
    /// Nothing read yet. `provider_of` gives the adapter for a provider's name; `only` is the provider
    /// of rows that name none.
    #[must_use]
    pub fn new(provider_of: &'a ProviderOf<'a>, only: Option<&'a str>) -> Self {
        Self {
            provider_of,
            only,
            names: HashMap::new(),
            places: HashMap::new(),
            things: Vec::new(),
            spare: None,
            counts: Counts::default(),
            remarks: Vec::new(),
        }
    }

    /// Reads a file. Every row that cannot be read is given to `bad` with its line (its row, for
    /// Parquet); the others are read all the same.
    ///
    /// # Errors
    /// Where the file cannot be read on.
    pub fn read(&mut self, source: Source, bad: &mut dyn FnMut(u64, String)) -> Result<(), ReadError> {
        let Source { file, layout, form } = source;
        match form {
            Form::Csv { mut reader, columns } => {
                let mut record = csv::StringRecord::new();
                loop {
                    let line = |position: Option<&csv::Position>| position.map_or(0, csv::Position::line);
                    match reader.read_record(&mut record) {
                        Ok(false) => return Ok(()),
                        Ok(true) if record.len() == columns => {
                            let cells = Cells { layout: &layout, row: Row::Csv(&record) };
                            self.row(&cells, line(record.position()), bad);
                        }
                        Ok(true) => {
                            self.bad();
                            let what = format!("has {} cells, the header has {columns}", record.len());
                            bad(line(record.position()), what);
                        }
                        Err(error) => match error.into_kind() {
                            csv::ErrorKind::Io(source) => {
                                return Err(ReadError::Io { file: file.to_string(), source });
                            }
                            csv::ErrorKind::Utf8 { pos, err } => {
                                self.bad();
                                bad(line(pos.as_ref()), format!("the text is not UTF-8: {err}"));
                            }
                            other => {
                                self.bad();
                                bad(0, format!("not CSV: {other:?}"));
                            }
                        },
                    }
                }
            }
            Form::Parquet { reader, floats } => {
                if !floats.is_empty() {
                    self.remarks.push(format!(
                        "{file}: floats, not decimals, in the columns {}: taken by their shortest decimals",
                        floats.join(", ")
                    ));
                }
                let mut row = 0;
                for batch in reader {
                    let batch = batch.map_err(|error| ReadError::Form {
                        file: file.to_string(),
                        line: row + 1,
                        what: error.to_string(),
                    })?;
                    for index in 0..batch.num_rows() {
                        row += 1;
                        let cells = Cells { layout: &layout, row: Row::Parquet(&batch, index) };
                        self.row(&cells, row, bad);
                    }
                }
                Ok(())
            }
        }
    }

    fn bad(&mut self) {
        *self.counts.left.entry(Left::Bad).or_default() += 1;
    }

    fn row(&mut self, cells: &Cells<'_>, line: u64, bad: &mut dyn FnMut(u64, String)) {
        let fate = match cells.layout.data_set {
            DataSet::CostAndUsage => self.charge(cells),
            DataSet::ContractCommitment => self.contract_commitment(cells),
        };
        match fate {
            Ok(Fate::Used(reason)) => *self.counts.used.entry(reason).or_default() += 1,
            Ok(Fate::Left(reason)) => *self.counts.left.entry(reason).or_default() += 1,
            Err(what) => {
                self.bad();
                bad(line, what);
            }
        }
    }

    /// The adapter for a provider's name.
    fn provider_named(&mut self, name: &str) -> Option<String> {
        if let Some(known) = self.names.get(name) {
            return known.clone();
        }
        let found = (self.provider_of)(name);
        self.names.insert(name.to_owned(), found.clone());
        found
    }

    /// The provider of a row: who made the thing available, by whichever column its version has.
    fn provider(&mut self, cells: &Cells<'_>) -> Result<Result<String, Left>, String> {
        for column in [Column::ServiceProviderName, Column::ProviderName, Column::PublisherName] {
            if let Some(name) = cells.text(column)? {
                return Ok(self.provider_named(&name).ok_or_else(|| {
                    let shown: String = name.chars().take(60).collect();
                    *self.counts.unknown_providers.entry(shown).or_default() += 1;
                    Left::UnknownProvider
                }));
            }
        }
        Ok(self.only.map(str::to_owned).ok_or(Left::NoProvider))
    }

    /// What was bought, now that all is read.
    #[must_use]
    pub fn finish(self) -> FocusRead {
        let mut read = FocusRead { counts: self.counts, remarks: self.remarks, ..FocusRead::default() };
        for mut thing in self.things.into_iter().flatten() {
            let id = thing.id.clone();
            let services = std::mem::take(&mut thing.services);
            read.refunds.extend(thing.refunds.iter().cloned());
            let (record, open) = thing.record();
            for refund in &open {
                let currency = refund.currency.map_or_else(String::new, |currency| format!(" {currency}"));
                let why = if record.is_some() {
                    "matches no purchase of it, so its orders are left as they are"
                } else {
                    "what it was paid for stands in none of these files"
                };
                read.remarks.push(format!(
                    "{id}: a refund of {}{currency} ({}) {why}",
                    refund.amount,
                    refund.form.word()
                ));
            }
            match record {
                Some(record) if record.orders.as_ref().is_some_and(|orders| orders.len() > limits::ORDERS) => {
                    read.remarks.push(format!("{id}: more than {} orders, left out", limits::ORDERS));
                }
                Some(record) => {
                    read.records.push(record);
                    read.services.push(services);
                }
                None => {}
            }
        }
        read
    }
}
