//! SQL over files, object stores and tables gives the program's own answers.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Decimal128Type, Int64Type};
use arrow_array::{Array, RecordBatch};
use datafusion::arrow::compute::concat_batches;
use datafusion::arrow::util::pretty::pretty_format_batches;
use datafusion::datasource::MemTable;
use datafusion::object_store::ObjectStoreExt;
use datafusion::object_store::memory::InMemory;
use datafusion::parquet::arrow::ArrowWriter;
use datafusion::parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use datafusion::prelude::{SessionConfig, SessionContext};
use recoup_core::context::Run;
use recoup_core::record::{AccountRecord, ResourceRecord};
use recoup_core::time::Zone;
use recoup_core::vocab::Billing;
use recoup_engine::Engine;
use recoup_plugin::host::PluginDir;
use recoup_tables::from_records;
use serde_json::Value;
use url::Url;

const AT: &str = "2026-03-05T12:34:56Z";
const COPIES: usize = 12;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The program and its adapters: `cargo xtask datafusion` builds them.
fn dist() -> PathBuf {
    PathBuf::from(std::env::var_os("RECOUP_DIST").expect("run these tests by `cargo xtask datafusion`"))
}

fn engine() -> Arc<Engine> {
    Arc::new(Engine::from_plugins(PluginDir::open(&dist().join("plugins")).unwrap()))
}

/// A session with recoup's functions, several partitions and small batches.
fn session() -> SessionContext {
    let config = SessionConfig::new().with_target_partitions(3).with_batch_size(500);
    let session = SessionContext::new_with_config(config);
    recoup_datafusion::register(&session, &engine(), &Run::default());
    session
}

/// The cases of all providers.
fn cases() -> Vec<Value> {
    let mut all = Vec::new();
    for provider in fs::read_dir(root().join("fixtures")).unwrap() {
        let Ok(files) = fs::read_dir(provider.unwrap().path().join("cases")) else { continue };
        let mut files: Vec<PathBuf> = files.map(|file| file.unwrap().path()).collect();
        files.sort();
        for file in files.iter().filter(|file| file.extension().is_some_and(|extension| extension == "json")) {
            let json: Value = serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap();
            all.extend(json.as_array().unwrap().iter().cloned());
        }
    }
    assert!(all.len() > 500, "{}", all.len());
    all
}

/// The resources of the cases, several times over, each with an id of its own.
fn resources() -> Vec<ResourceRecord> {
    let engine = engine();
    let zone_of = |provider: &str, site: Option<&str>| engine.zone_of(provider, site);
    let read = cases().into_iter().filter_map(|case| ResourceRecord::from_json(&case["resource"], &zone_of).ok());
    let once: Vec<ResourceRecord> = read.map(|read| read.record).collect();
    let mut all: Vec<ResourceRecord> = (0..COPIES).flat_map(|_| once.iter().cloned()).collect();
    for (number, resource) in all.iter_mut().enumerate() {
        resource.id = format!("{number}-{}", resource.id);
    }
    all
}

fn write(path: &Path, table: &RecordBatch) {
    let mut writer = ArrowWriter::try_new(File::create(path).unwrap(), table.schema(), None).unwrap();
    writer.write(table).unwrap();
    writer.close().unwrap();
}

/// The program's own answer to a file.
fn program(folder: &Path, portfolio: &Path, more: &[&str]) -> RecordBatch {
    let out = folder.join("rulings.parquet");
    let mut command = Command::new(dist().join("recoup"));
    command.args(["assess", "--at", AT, "--format", "parquet", "-o"]).arg(&out).arg(portfolio).args(more);
    let done = command.output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let reader = ParquetRecordBatchReaderBuilder::try_new(File::open(&out).unwrap()).unwrap().build().unwrap();
    let batches: Vec<RecordBatch> = reader.map(Result::unwrap).collect();
    concat_batches(&batches[0].schema(), &batches).unwrap()
}

async fn rows(session: &SessionContext, query: &str) -> RecordBatch {
    let frame = session.sql(query).await.unwrap();
    let schema = frame.schema().inner().clone();
    concat_batches(&schema, &frame.collect().await.unwrap()).unwrap()
}

async fn error(session: &SessionContext, query: &str) -> String {
    match session.sql(query).await {
        Err(error) => error.to_string(),
        Ok(frame) => frame.collect().await.unwrap_err().to_string(),
    }
}

/// Rulings in an order that partitions do not change, the columns as SQL names them.
const IN_ORDER: &str = "ORDER BY provider, resource, account, exit";

/// The same order for the program's rulings.
async fn in_order(rulings: RecordBatch) -> RecordBatch {
    let session = SessionContext::new();
    session.register_batch("rulings", rulings).unwrap();
    rows(&session, &format!("SELECT * FROM rulings {IN_ORDER}")).await
}

fn assert_same(ours: &RecordBatch, theirs: &RecordBatch) {
    assert_eq!(ours.num_rows(), theirs.num_rows());
    for (index, field) in theirs.schema().fields().iter().enumerate() {
        assert_eq!(ours.column_by_name(field.name()).unwrap(), theirs.column(index), "{}", field.name());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_a_folder_and_an_object_store_are_answered_as_by_the_program() {
    let folder = tempfile::tempdir().unwrap();
    let table = from_records(&resources()).unwrap();
    let file = folder.path().join("portfolio.parquet");
    write(&file, &table);
    let parts = folder.path().join("parts");
    fs::create_dir(&parts).unwrap();
    let third = table.num_rows() / 3 + 1;
    for number in 0..3 {
        let length = third.min(table.num_rows() - number * third);
        write(&parts.join(format!("{number}.parquet")), &table.slice(number * third, length));
    }
    let store = InMemory::new();
    store.put(&"year/portfolio.parquet".into(), fs::read(&file).unwrap().into()).await.unwrap();
    let session = session();
    session.register_object_store(&Url::parse("mem://bucket").unwrap(), Arc::new(store));
    session.register_table("things", Arc::new(MemTable::try_new(table.schema(), vec![vec![table]]).unwrap())).unwrap();

    let theirs = in_order(program(folder.path(), &file, &[])).await;
    let places = [
        format!("'{}'", file.display()),
        format!("'{}/'", parts.display()),
        "'mem://bucket/year/portfolio.parquet'".to_owned(),
        "things".to_owned(),
    ];
    for place in places {
        let ours = rows(&session, &format!("SELECT * FROM assess({place}, '{AT}') {IN_ORDER}")).await;
        assert_same(&ours, &theirs);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sums_by_provider_are_those_of_the_programs_rulings() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("portfolio.parquet");
    write(&file, &from_records(&resources()).unwrap());
    let session = session();
    let sums = "SELECT provider, currency, sum(refund) AS refund, count(*) AS things FROM";
    let by = "WHERE is_best AND refund IS NOT NULL GROUP BY provider, currency ORDER BY provider, currency";
    let ours =
        rows(&session, &format!("{sums} assess('{}', TIMESTAMP '2026-03-05 12:34:56') {by}", file.display())).await;
    session.register_batch("rulings", program(folder.path(), &file, &[])).unwrap();
    assert_eq!(ours, rows(&session, &format!("{sums} rulings {by}")).await);
    assert!(ours.num_rows() > 15);
    // A column alone is all that is asked for, and all that comes.
    let count = rows(&session, &format!("SELECT count(*) FROM assess('{}', '{AT}')", file.display())).await;
    let all = session.table("rulings").await.unwrap().count().await.unwrap();
    assert_eq!(count.column(0).as_primitive::<Int64Type>().value(0), i64::try_from(all).unwrap());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn accounts_come_from_the_same_places() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("portfolio.parquet");
    write(&file, &from_records(&resources()).unwrap());
    let mut accounts: BTreeMap<String, Value> = BTreeMap::new();
    for account in cases().into_iter().filter_map(|case| case.get("account").cloned()) {
        if AccountRecord::from_json(&account, &|_, _| Some(Zone::UTC)).is_ok() {
            accounts.insert(format!("{}{}{}", account["provider"], account["site"], account["account"]), account);
        }
    }
    let path = folder.path().join("accounts.json");
    let text = Value::from(accounts.into_values().collect::<Vec<_>>()).to_string();
    fs::write(&path, &text).unwrap();
    let theirs = in_order(program(folder.path(), &file, &["--accounts", path.to_str().unwrap()])).await;
    let without = in_order(program(folder.path(), &file, &[])).await;
    assert_ne!(theirs, without);
    let session = session();
    let store = InMemory::new();
    store.put(&"accounts.json".into(), text.into()).await.unwrap();
    session.register_object_store(&Url::parse("mem://bucket").unwrap(), Arc::new(store));
    for place in [path.display().to_string(), "mem://bucket/accounts.json".to_owned()] {
        let query = format!("SELECT * FROM assess('{}', '{AT}', '{place}') {IN_ORDER}", file.display());
        assert_same(&rows(&session, &query).await, &theirs);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_resource_is_asked_at_many_instants() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("portfolio.parquet");
    let mut resources = resources();
    resources.truncate(resources.len() / COPIES);
    resources.retain(|resource| resource.billing == Billing::Subscription);
    write(&file, &from_records(&resources).unwrap());
    let session = session();
    session.register_parquet("portfolio", file.to_str().unwrap(), Default::default()).await.unwrap();
    let resource = [
        "provider",
        "site",
        "account",
        "id",
        "product",
        "region",
        "billing",
        "seller",
        "status",
        "purchased_at",
        "starts_at",
        "ends_at",
        "primary",
        "relation",
        "bundle",
        "quantity",
        "commitment",
        "price_terms",
        "orders",
        "facts",
        "stated",
    ];
    let resource = resource.map(|name| format!("'{name}', \"{name}\"")).join(", ");
    let query = format!(
        "SELECT day, sum(recoup_best(named_struct({resource}), day)['refund']) AS refund FROM portfolio, \
         generate_series(TIMESTAMP '2026-03-01', TIMESTAMP '2026-03-04', INTERVAL '1 day') AS days(day) GROUP BY day ORDER BY day"
    );
    let ours = rows(&session, &query).await;
    assert_eq!(ours.num_rows(), 4);
    for (row, day) in ["2026-03-01T00:00:00Z", "2026-03-02T00:00:00Z", "2026-03-03T00:00:00Z", "2026-03-04T00:00:00Z"]
        .iter()
        .enumerate()
    {
        let query = format!("SELECT sum(refund) FROM assess('{}', '{day}') WHERE is_best", file.display());
        let sum = rows(&session, &query).await;
        let [ours, theirs] = [ours.column(1), sum.column(0)].map(AsArray::as_primitive::<Decimal128Type>);
        assert!(theirs.is_valid(0));
        assert_eq!(ours.value(row), theirs.value(0), "{day}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_assessed_fails_or_is_listed() {
    let mut resources = resources();
    resources.truncate(50);
    resources[7].provider = "nobody".to_owned();
    let table = from_records(&resources).unwrap();
    let session = session();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("portfolio.parquet");
    write(&file, &table);
    // Files that a session knows by name have texts as views.
    session.register_parquet("known", file.to_str().unwrap(), Default::default()).await.unwrap();
    session.register_batch("things", table).unwrap();
    let id = &resources[7].id;
    let said = error(&session, &format!("SELECT * FROM assess(things, '{AT}')")).await;
    assert!(said.contains(&format!("{id}: \"provider\": no adapter serves the provider \"nobody\"")), "{said}");
    assert!(said.contains("`assess_problems` lists them"), "{said}");
    for place in ["things", "known"] {
        let query = format!("SELECT provider, id, problem FROM assess_problems({place}, '{AT}')");
        let problems = rows(&session, &query).await;
        assert_eq!(problems.num_rows(), 1);
        assert_eq!(problems.column(0).as_string::<i32>().value(0), "nobody");
        assert_eq!(problems.column(1).as_string::<i32>().value(0), id);
    }
    let left = rows(&session, &format!("SELECT count(DISTINCT resource) FROM try_assess(things, '{AT}')")).await;
    assert_eq!(left.column(0).as_primitive::<Int64Type>().value(0), 49);
}

#[tokio::test]
async fn a_question_that_is_wrong_says_so() {
    let session = session();
    session
        .register_batch(
            "costs",
            RecordBatch::try_from_iter([("day", Arc::new(arrow_array::StringArray::from(vec!["x"])) as _)]).unwrap(),
        )
        .unwrap();
    session.register_batch("things", from_records(&resources()[..3]).unwrap()).unwrap();
    for (query, words) in [
        ("SELECT * FROM assess()", "assess takes a file or a table"),
        ("SELECT * FROM assess(7)", "the portfolio is a text"),
        ("SELECT * FROM assess('portfolio.ndjson')", "a portfolio in SQL is Parquet, found .ndjson"),
        ("SELECT * FROM assess(nothing)", "no table is called nothing; a file stands in quotes"),
        ("SELECT * FROM assess(costs)", "the first of the table's own are day"),
        ("SELECT * FROM assess(costs, 'yesterday')", "yesterday"),
        ("SELECT * FROM assess(things, '2026-01-01', 'no-such.json')", "no-such.json"),
        ("SELECT recoup_best(day, now()) FROM costs", "the resource is a struct of a portfolio's columns"),
    ] {
        let said = error(&session, query).await;
        assert!(said.contains(words), "{query}: {said}");
    }
}

#[tokio::test]
async fn the_plan_says_what_is_asked() {
    let session = session();
    session.register_batch("things", from_records(&resources()[..3]).unwrap()).unwrap();
    let plan = rows(&session, &format!("EXPLAIN SELECT sum(refund) FROM assess(things, '{AT}')")).await;
    let plan = pretty_format_batches(&[plan]).unwrap().to_string();
    assert!(plan.contains(&format!("AssessExec: at={AT}")), "{plan}");
}

#[test]
fn the_example_prints_a_table() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("portfolio.parquet");
    write(&file, &from_records(&resources()).unwrap());
    let query = format!(
        "SELECT outcome, count(*) AS things FROM assess('{}', '2026-03-05') WHERE is_best GROUP BY outcome ORDER BY outcome",
        file.display()
    );
    let done = Command::new(env!("CARGO_BIN_EXE_recoup-sql"))
        .args(["--plugins", dist().join("plugins").to_str().unwrap(), &query])
        .output()
        .unwrap();
    let text = String::from_utf8(done.stdout).unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    assert!(text.contains("| allowed ") && text.contains("| conditional "), "{text}");
}
