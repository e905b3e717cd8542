//! The table functions: what is asked, and where the portfolio is.

use std::fmt;
use std::sync::Arc;

use arrow_schema::{DataType, Field, Schema, SchemaRef, TimeUnit};
use async_trait::async_trait;
use datafusion::catalog::{Session, TableFunctionArgs, TableFunctionImpl, TableProvider};
use datafusion::common::{Result, ScalarValue, TableReference, plan_datafusion_err, plan_err};
use datafusion::datasource::file_format::parquet::ParquetFormat;
use datafusion::datasource::listing::{ListingOptions, ListingTable, ListingTableConfig, ListingTableUrl};
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::logical_expr::{Expr, TableType};
use datafusion::object_store::ObjectStoreExt;
use datafusion::physical_plan::ExecutionPlan;
use recoup_core::context::Run;
use recoup_core::time::Instant;
use recoup_engine::{Assessor, Engine, question};
use recoup_tables::{check_columns, is_read, portfolio_schema, schema_of_rulings};

use crate::exec::AssessExec;

/// What a table function gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Gives {
    /// The rulings; `of_all` fails where a row cannot be assessed, otherwise such rows are left out.
    Rulings {
        /// Whether every row must have an answer.
        of_all: bool,
    },
    /// The rows that cannot be assessed.
    Problems,
}

impl Gives {
    /// Its columns.
    #[must_use]
    pub fn columns(self) -> Schema {
        match self {
            Self::Rulings { .. } => schema_of_rulings(),
            Self::Problems => {
                Schema::new(["provider", "id", "problem"].map(|name| Field::new(name, DataType::Utf8, true)).to_vec())
            }
        }
    }
}

/// A table function.
#[derive(Clone)]
pub struct Assess {
    name: &'static str,
    engine: Arc<Engine>,
    run: Run,
    gives: Gives,
}

impl fmt::Debug for Assess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Assess").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Assess {
    /// A function over the adapters of an engine.
    #[must_use]
    pub fn new(name: &'static str, engine: Arc<Engine>, run: Run, gives: Gives) -> Self {
        Self { name, engine, run, gives }
    }
}

/// Where a portfolio is.
#[derive(Debug, Clone)]
enum Place {
    /// A file, a folder of files, or one in an object store that the session knows.
    File(String),
    /// A table of the session.
    Table(TableReference),
}

fn text(name: &str, what: &str, expr: &Expr) -> Result<String> {
    match expr {
        Expr::Literal(value, _) => match value.try_as_str().flatten() {
            Some(text) => Ok(text.to_owned()),
            None => plan_err!("{name}: {what} is a text, found {value:?}"),
        },
        other => plan_err!("{name}: {what} is a text, found {other}"),
    }
}

/// The instant asked about: a text, as the program takes it, a timestamp or a date.
fn set_at(name: &str, run: &mut Run, expr: &Expr) -> Result<()> {
    let Expr::Literal(value, _) = expr else {
        return plan_err!("{name}: the instant is a literal, found {expr}");
    };
    match value {
        ScalarValue::Null => Ok(()),
        ScalarValue::Date32(_) => {
            let date = value.cast_to(&DataType::Utf8)?;
            set_at(name, run, &Expr::Literal(date, None))
        }
        ScalarValue::Utf8(Some(text)) => {
            question::set_at(run, text).map_err(|what| plan_datafusion_err!("{name}: {what}"))
        }
        _ => match value.cast_to(&DataType::Timestamp(TimeUnit::Microsecond, None))? {
            ScalarValue::TimestampMicrosecond(Some(micros), _) => {
                (run.at, run.day) = (Some(Instant::from_micros(micros)), None);
                Ok(())
            }
            _ => plan_err!("{name}: {value} is no instant"),
        },
    }
}

impl TableFunctionImpl for Assess {
    fn call_with_args(&self, args: TableFunctionArgs<'_, '_>) -> Result<Arc<dyn TableProvider>> {
        let name = self.name;
        let (place, rest) = match args.exprs() {
            [first, rest @ ..] if rest.len() <= 2 => (first, rest),
            _ => return plan_err!("{name} takes a file or a table, and may take an instant and an accounts file"),
        };
        let place = match place {
            Expr::Column(column) => Place::Table(TableReference::parse_str(&column.flat_name())),
            other => Place::File(text(name, "the portfolio", other)?),
        };
        let mut run = self.run.clone();
        if let Some(at) = rest.first() {
            set_at(name, &mut run, at)?;
        }
        let accounts = rest.get(1).map(|expr| text(name, "the accounts file", expr)).transpose()?;
        let columns = Arc::new(self.gives.columns());
        Ok(Arc::new(Assessed { function: Self { run, ..self.clone() }, place, accounts, columns }))
    }
}

/// A portfolio of which the rulings are asked.
#[derive(Debug)]
struct Assessed {
    function: Assess,
    place: Place,
    accounts: Option<String>,
    columns: SchemaRef,
}

/// The files of a place, as a table. Only Parquet says what its columns are without guessing.
async fn files(state: &dyn Session, place: &str) -> Result<Arc<dyn TableProvider>> {
    let url = ListingTableUrl::parse(place)?;
    if let Some(other) = url.file_extension().filter(|extension| *extension != "parquet") {
        return plan_err!(
            "{place}: a portfolio in SQL is Parquet, found .{other}; `recoup` itself reads NDJSON, JSON and CSV"
        );
    }
    // Views of texts would have to be copied.
    let format = ParquetFormat::default().with_force_view_types(false);
    let extension = if url.is_folder() { ".parquet" } else { "" };
    let options = ListingOptions::new(Arc::new(format)).with_file_extension(extension);
    let config = ListingTableConfig::new(url).with_listing_options(options).infer_schema(state).await?;
    Ok(Arc::new(ListingTable::try_new(config)?))
}

/// A table of the session.
async fn named(state: &dyn Session, name: &TableReference) -> Result<Arc<dyn TableProvider>> {
    let defaults = &state.config_options().catalog;
    let full = name.clone().resolve(&defaults.default_catalog, &defaults.default_schema);
    let schema = state.catalog_list().catalog(&full.catalog).and_then(|catalog| catalog.schema(&full.schema));
    let table = match schema {
        Some(schema) => schema.table(&full.table).await?,
        None => None,
    };
    table.ok_or_else(|| plan_datafusion_err!("no table is called {name}; a file stands in quotes: assess('{name}')"))
}

async fn whole_text(state: &dyn Session, place: &str) -> Result<String> {
    let url = ListingTableUrl::parse(place)?;
    let store: ObjectStoreUrl = url.object_store();
    let bytes = state.runtime_env().object_store(store)?.get(url.prefix()).await?.bytes().await?;
    String::from_utf8(bytes.to_vec()).map_err(|_| plan_datafusion_err!("{place}: the text is not UTF-8"))
}

impl Assessed {
    async fn portfolio(&self, state: &dyn Session) -> Result<Arc<dyn TableProvider>> {
        match &self.place {
            Place::File(place) => files(state, place).await,
            Place::Table(name) => named(state, name).await,
        }
    }

    /// The run of a query: its instant is the query's beginning where none is asked for.
    async fn run(&self, state: &dyn Session) -> Result<Run> {
        let mut run = self.function.run.clone();
        if run.at.is_none() && run.day.is_none() {
            let began = state.execution_props().query_execution_start_time.unwrap_or_else(chrono::Utc::now);
            run.at = Some(Instant::from_micros(began.timestamp_micros()));
        }
        if let Some(place) = &self.accounts {
            let text = whole_text(state, place).await?;
            let engine = &self.function.engine;
            let zone_of = |provider: &str, site: Option<&str>| engine.zone_of(provider, site);
            let accounts = recoup_portfolio::accounts::from_text(place, &text, &zone_of)
                .map_err(|error| plan_datafusion_err!("{error}"))?;
            if let Some(fault) = accounts.faults.first() {
                return plan_err!("{fault}");
            }
            run = run.with_more_accounts(accounts.records);
        }
        Ok(run)
    }
}

#[async_trait]
impl TableProvider for Assessed {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.columns)
    }

    fn table_type(&self) -> TableType {
        TableType::Temporary
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        _filters: &[Expr],
        _limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let portfolio = self.portfolio(state).await?;
        let columns = portfolio.schema();
        check_columns(&columns).map_err(|error| plan_datafusion_err!("{error}"))?;
        let known = portfolio_schema();
        let needed = columns
            .fields()
            .iter()
            .enumerate()
            .filter(|(_, field)| is_read(field.name()) && known.column_with_name(field.name()).is_some());
        let needed: Vec<usize> = needed.map(|(index, _)| index).collect();
        let input = portfolio.scan(state, Some(&needed), &[], None).await?;
        let assessor = Assessor::shared(Arc::clone(&self.function.engine), self.run(state).await?);
        let exec = AssessExec::try_new(input, Arc::new(assessor), self.function.gives, projection.cloned())?;
        Ok(Arc::new(exec))
    }
}
