//! Portfolios as Arrow tables in memory, for engines that have their data there already.
//!
//! A table has the columns of a portfolio in any Arrow types that say what they mean: words as texts or
//! dictionaries, instants as timestamps or texts, decimals as decimals, integers or texts. Columns that
//! have the boundary's own type cross it as they are, without a copy: texts as `Utf8`, instants as
//! `Timestamp(us)`, decimals with 18 places, and all nested columns made of these. A row that needs more
//! than that is read as a record, as from a file, and so means the same and is refused with the same words.
//!
//! | module | subject |
//! |---|---|
//! | `cells` | columns as the boundary has them |
//! | `plain` | a table's columns as the boundary's |
//! | `odd` | which rows are read as records |
//! | `portfolio` | the columns of a portfolio, for whoever builds a table |
//! | `records` | records as a table |
//! | `side_by_side` | the parts of a table on several threads |

mod cells;
mod odd;
mod plain;
mod portfolio;
mod records;
mod side_by_side;

pub use portfolio::portfolio_schema;
pub use records::from_records;
pub use side_by_side::{Part, assess_in_parts};

use arrow_array::cast::AsArray;
use arrow_array::types::TimestampMicrosecondType;
use arrow_array::{
    Array, ArrayRef, BooleanArray, RecordBatch, StringArray, StructArray, TimestampMicrosecondArray, UInt32Array,
};
use arrow_schema::{ArrowError, Schema};
use arrow_select::filter::filter_record_batch;
use arrow_select::take::take;
use recoup_core::assessment::Answered;
use recoup_core::record::ResourceRecord;
use recoup_core::time::Instant;
use recoup_engine::{AssessError, Assessor, Named};
use recoup_plugin::schema;
use recoup_portfolio::parquet::Rows;
use recoup_portfolio::read::{Content, Item};
use recoup_portfolio::rows;

use crate::plain::Plain;

/// A table that cannot be assessed at all.
#[derive(Debug, thiserror::Error)]
pub enum TableError {
    /// It has other columns.
    #[error(
        "not a portfolio: the columns \"provider\" and \"id\" are missing; the first of the table's own are {}",
        .0.join(", ")
    )]
    NoPortfolio(Vec<String>),
    /// Arrow refuses what was made of it, which would be a mistake of this crate.
    #[error("{0}")]
    Arrow(#[from] ArrowError),
}

/// Something about a row of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// The row, counted from 0.
    pub row: usize,
    /// What is wrong, or what was left out of account.
    pub what: String,
}

/// What became of a table.
#[derive(Debug)]
pub struct Assessed {
    /// An answer for each row, in the order of the rows; what is wrong where there is none.
    pub answers: Vec<Result<Answered, String>>,
    /// Names that were not understood and left out of account, each once.
    pub remarks: Vec<Said>,
}

impl Assessed {
    /// The rulings as a table, one row for each exit of each resource.
    ///
    /// # Errors
    /// Where texts are longer together than a column of Arrow may be.
    pub fn rulings(&self) -> Result<RecordBatch, ArrowError> {
        let mut rulings = Rows::default();
        self.answers.iter().flatten().for_each(|answered| rulings.add(answered));
        rulings.take()
    }

    /// What is wrong with the rows that have no answer.
    pub fn problems(&self) -> impl Iterator<Item = Said> + '_ {
        let answers = self.answers.iter().enumerate();
        answers.filter_map(|(row, answer)| Some(Said { row, what: answer.as_ref().err()?.clone() }))
    }
}

/// The columns of the rulings that come out of a table.
#[must_use]
pub fn schema_of_rulings() -> Schema {
    Schema::new(recoup_portfolio::parquet::columns())
}

/// Whether a portfolio's column of this name says anything that rules read; others need not be decoded.
#[must_use]
pub fn is_read(column: &str) -> bool {
    !["project", "tags"].contains(&column)
}

/// Checks that a table's columns may be those of a portfolio.
///
/// # Errors
/// Where they are not.
pub fn check_columns(columns: &Schema) -> Result<(), TableError> {
    if ["provider", "id"].iter().all(|name| columns.column_with_name(name).is_some()) {
        return Ok(());
    }
    Err(TableError::NoPortfolio(columns.fields().iter().take(8).map(|field| field.name().clone()).collect()))
}

/// Assesses the rows of a table; where `at` is given, each at its own instant, whatever the run's.
///
/// # Errors
/// Where the table is no portfolio.
pub fn assess(
    assessor: &Assessor<'_>,
    table: &RecordBatch,
    at: Option<&TimestampMicrosecondArray>,
) -> Result<Assessed, TableError> {
    check_columns(table.schema_ref())?;
    let table = StructArray::from(table.clone());
    let mut work = Work { assessor, table: &table, at, answers: Vec::new(), remarks: Vec::new() };
    work.answers.resize_with(table.len(), || None);
    let zone_of = |provider: &str, site: Option<&str>| assessor.engine().zone_of(provider, site);
    match plain::read(&table, &zone_of) {
        Ok(plain) => work.plainly(&plain)?,
        Err(odd::Unplain) => work.one_by_one((0..table.len()).collect()),
    }
    let answers = work.answers.into_iter();
    Ok(Assessed {
        answers: answers.map(|answer| answer.unwrap_or_else(|| Err("was not answered".to_owned()))).collect(),
        remarks: work.remarks,
    })
}

/// The boundary's columns of a table, as far as they could be taken as they are: for tests that hold this
/// to account, and for measuring.
#[must_use]
pub fn boundary_columns(assessor: &Assessor<'_>, table: &RecordBatch) -> Option<StructArray> {
    let zone_of = |provider: &str, site: Option<&str>| assessor.engine().zone_of(provider, site);
    let plain = plain::read(&StructArray::from(table.clone()), &zone_of).ok()?;
    plain.marks.none_is_odd().then_some(plain.columns)
}

/// A table on its way.
struct Work<'a> {
    assessor: &'a Assessor<'a>,
    table: &'a StructArray,
    at: Option<&'a TimestampMicrosecondArray>,
    answers: Vec<Option<Result<Answered, String>>>,
    remarks: Vec<Said>,
}

impl Work<'_> {
    fn answer(&mut self, row: usize, answer: Result<Answered, String>) {
        if let Some(slot) = self.answers.get_mut(row) {
            *slot = Some(answer);
        }
    }

    /// Rows as they are, a batch for each provider; those that are marked as records.
    fn plainly(&mut self, plain: &Plain) -> Result<(), TableError> {
        for (provider, rows) in by_provider(plain) {
            self.batch(plain, provider, &rows)?;
        }
        let odd = (0..self.table.len()).filter(|row| plain.marks.is_odd(*row));
        self.one_by_one(odd.collect());
        self.remark_on(plain.marks.curious_rows());
        Ok(())
    }

    fn batch(&mut self, plain: &Plain, provider: &str, rows: &[usize]) -> Result<(), TableError> {
        let columns = picked(&plain.columns, rows)?;
        let columns = match self.at {
            Some(at) => with_instants(columns, &picked_instants(at, rows)?)?,
            None => columns,
        };
        let cell = |name: &str| columns_text(&plain.columns, name);
        let (account, id, product) = (cell("account"), cell("id"), cell("product"));
        let name = self.table.column_by_name("name").and_then(|column| cells::long_texts(column).ok());
        let owned = |texts: Option<&StringArray>, row: usize| {
            texts.filter(|texts| texts.is_valid(row)).map(|texts| texts.value(row).to_owned())
        };
        let named = |index: usize| {
            let row = rows.get(index).copied().unwrap_or(index);
            Named {
                account: owned(account, row),
                resource: owned(id, row).unwrap_or_default(),
                name: owned(name.as_ref(), row),
                product: owned(product, row).unwrap_or_default(),
            }
        };
        let answers = match self.assessor.assess_columns(provider, columns, &named) {
            Ok(answers) => answers,
            Err(error) => rows.iter().map(|_| Err(error.clone())).collect(),
        };
        let id_of = |row: usize| owned(id, row).unwrap_or_default();
        let said = rows.iter().zip(answers).map(|(row, answer)| (*row, said_of(answer, &id_of(*row))));
        let said: Vec<_> = said.collect();
        said.into_iter().for_each(|(row, answer)| self.answer(row, answer));
        Ok(())
    }

    /// Rows as records, as from a file.
    fn one_by_one(&mut self, rows: Vec<usize>) {
        let mut records: Vec<(usize, ResourceRecord)> = Vec::new();
        for row in rows {
            match self.record(row) {
                Ok(record) => records.push((row, record)),
                Err(what) => self.answer(row, Err(what)),
            }
        }
        let (rows, records): (Vec<usize>, Vec<ResourceRecord>) = records.into_iter().unzip();
        let ids: Vec<String> = records.iter().map(|record| record.id.clone()).collect();
        let answers = match self.at {
            None => self.assessor.assess(records),
            Some(at) => {
                let instant = |row: &usize| Instant::from_micros(at.value(*row));
                let rows: Vec<_> = records.iter().zip(rows.iter().map(instant)).collect();
                self.assessor.assess_at(&rows)
            }
        };
        for ((row, answer), id) in rows.into_iter().zip(answers).zip(ids) {
            self.answer(row, said_of(answer, &id));
        }
    }

    fn record(&mut self, row: usize) -> Result<ResourceRecord, String> {
        let engine = self.assessor.engine();
        let zone_of = |provider: &str, site: Option<&str>| engine.zone_of(provider, site);
        let content = rows::record(self.table, row).map_or_else(Content::Bad, Content::Json);
        let read = Item { line: row as u64 + 1, content }.read(&zone_of);
        // Rows are counted by batch on a cluster, and not at all in SQL: the id is what a user finds.
        let read = read.map_err(|what| self.id(row).map_or_else(|| what.clone(), |id| format!("{id}: {what}")))?;
        for remark in read.remarks {
            let place = if remark.path.is_empty() { String::new() } else { format!("\"{}\": ", remark.path) };
            let what = format!("{place}{}", remark.what);
            match self.remarks.iter_mut().find(|said| said.what == what) {
                // The rows are not read in their order.
                Some(said) => said.row = said.row.min(row),
                None => self.remarks.push(Said { row, what }),
            }
        }
        Ok(read.record)
    }

    fn id(&self, row: usize) -> Option<String> {
        let ids = cells::long_texts(&self.table.column_by_name("id")?.slice(row, 1)).ok()?;
        ids.iter().next().flatten().filter(|id| !id.is_empty()).map(str::to_owned)
    }

    fn remark_on(&mut self, rows: &[usize]) {
        for row in rows {
            // What is wrong with the row beside that has been said in its answer.
            let _ = self.record(*row);
        }
    }
}

fn said_of(answer: Result<Answered, AssessError>, id: &str) -> Result<Answered, String> {
    answer.map_err(|error| format!("{id}: {error}"))
}

/// The unmarked rows of each provider.
fn by_provider(plain: &Plain) -> Vec<(&str, Vec<usize>)> {
    let mut groups: Vec<(&str, Vec<usize>)> = Vec::new();
    for (row, provider) in plain.provider.iter().enumerate().filter(|(row, _)| !plain.marks.is_odd(*row)) {
        let provider = provider.unwrap_or_default();
        match groups.iter_mut().find(|(name, _)| *name == provider) {
            Some((_, rows)) => rows.push(row),
            None => groups.push((provider, vec![row])),
        }
    }
    groups
}

/// Some rows of a column. Rows that stand together need no copy.
fn picked_column(column: &ArrayRef, rows: &[usize]) -> Result<ArrayRef, ArrowError> {
    let (first, last) = (rows.first().copied().unwrap_or(0), rows.last().copied().unwrap_or(0));
    // They are in ascending order and stand in it once each.
    if last - first + 1 == rows.len() {
        return Ok(column.slice(first, rows.len()));
    }
    let rows: UInt32Array = rows.iter().map(|row| u32::try_from(*row).ok()).collect();
    take(column.as_ref(), &rows, None)
}

fn picked(columns: &StructArray, rows: &[usize]) -> Result<StructArray, ArrowError> {
    if rows.len() == columns.len() {
        return Ok(columns.clone());
    }
    let picked: Result<Vec<ArrayRef>, ArrowError> =
        columns.columns().iter().map(|column| picked_column(column, rows)).collect();
    StructArray::try_new_with_length(columns.fields().clone(), picked?, None, rows.len())
}

fn picked_instants(at: &TimestampMicrosecondArray, rows: &[usize]) -> Result<ArrayRef, ArrowError> {
    let at: ArrayRef = std::sync::Arc::new(at.clone().with_timezone("UTC"));
    picked_column(&at, rows)
}

/// The columns with the instant at which each row is assessed.
fn with_instants(columns: StructArray, at: &ArrayRef) -> Result<StructArray, ArrowError> {
    let rows = columns.len();
    let (fields, mut columns, nulls) = columns.into_parts();
    let mut fields: Vec<_> = fields.iter().cloned().collect();
    fields.push(std::sync::Arc::new(schema::optional("at", schema::timestamp())));
    columns.push(std::sync::Arc::new(at.as_primitive::<TimestampMicrosecondType>().clone()));
    StructArray::try_new_with_length(fields.into(), columns, nulls, rows)
}

fn columns_text<'a>(columns: &'a StructArray, name: &str) -> Option<&'a StringArray> {
    columns.column_by_name(name)?.as_string_opt()
}

/// The rows of a table whose resource has an id.
#[must_use]
pub fn with_id(batches: &[RecordBatch], id: &str) -> Vec<RecordBatch> {
    let rows = |batch: &RecordBatch| {
        let ids = cells::long_texts(batch.column_by_name("id")?).ok()?;
        let is_it: BooleanArray = ids.iter().map(|found| Some(found == Some(id))).collect();
        filter_record_batch(batch, &is_it).ok().filter(|found| found.num_rows() > 0)
    };
    batches.iter().filter_map(rows).collect()
}
