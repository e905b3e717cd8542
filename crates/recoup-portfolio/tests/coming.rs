//! Blocks of Parquet, decoded by whoever takes them.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test fails by panicking")]

mod common;

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::thread;

use arrow_array::StructArray;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::file::reader::{FileReader, SerializedFileReader};
use recoup_core::record::{RESOURCE_FIELDS, ResourceRecord};
use recoup_core::time::Zone;
use recoup_portfolio::coming::Coming;
use recoup_portfolio::read::{Block, CHUNK, Content, Opened, ReadError, Rows, open};
use recoup_portfolio::rows::record;
use recoup_portfolio::write::{FactNames, Form, Writer};
use serde_json::Value;

use crate::common::{records, zone_of};

const ROWS: usize = 2 * CHUNK + 100;

/// A file of the records of the fixtures, again and again, and its rows as they stand in it.
struct Written {
    folder: tempfile::TempDir,
    rows: Vec<(u64, Value)>,
}

static WRITTEN: LazyLock<Written> = LazyLock::new(|| {
    let folder = tempfile::tempdir().unwrap();
    let read = records().into_iter().filter_map(|json| ResourceRecord::from_json(&json, &zone_of).ok());
    let records: Vec<ResourceRecord> = read.map(|read| read.record).collect();
    let path = folder.path().join("portfolio.parquet");
    let mut writer = Writer::new(Form::Parquet, File::create(&path).unwrap(), &FactNames::all()).unwrap();
    records.iter().cycle().take(ROWS).for_each(|record| writer.add(record, Zone::UTC).unwrap());
    writer.finish().unwrap();
    Written { rows: as_it_stands(&path), folder }
});

impl Written {
    fn path(&self) -> PathBuf {
        self.folder.path().join("portfolio.parquet")
    }
}

fn blocks(path: &Path) -> Vec<Coming> {
    let Ok(Opened::Portfolio(mut portfolio)) = open(path.to_str().unwrap()) else { panic!("not a portfolio") };
    let mut blocks = Vec::new();
    while let Some(block) = portfolio.next_block().unwrap() {
        let Block::Rows(coming) = block else { panic!("{block:?}") };
        blocks.push(coming);
    }
    blocks
}

fn records_of(rows: &Rows) -> Vec<(u64, Value)> {
    let item = |index| match rows.item(index) {
        item if item.line == 0 => panic!("lines are counted from 1"),
        item => match item.content {
            Content::Json(json) => (item.line, json),
            other => panic!("{other:?}"),
        },
    };
    (0..rows.len()).map(item).collect()
}

/// Every column of the file as it stands, without what no rule and no answer speaks of.
fn as_it_stands(path: &Path) -> Vec<(u64, Value)> {
    let reader = ParquetRecordBatchReaderBuilder::try_new(File::open(path).unwrap()).unwrap().build().unwrap();
    let mut all = Vec::new();
    for batch in reader {
        let rows: StructArray = batch.unwrap().into();
        for row in 0..arrow_array::Array::len(&rows) {
            let mut json = record(&rows, row).unwrap();
            let fields = json.as_object_mut().unwrap();
            fields.retain(|name, _| RESOURCE_FIELDS.contains(&name.as_str()) && name != "tags" && name != "project");
            all.push((all.len() as u64 + 1, json));
        }
    }
    all
}

#[test]
fn rows_are_those_of_the_file_whoever_decodes_them_and_whatever_is_left_out() {
    let blocks = blocks(&WRITTEN.path());
    assert_eq!(blocks.len(), 3);
    // The last one begins, and waits for those before it.
    let read = thread::scope(|scope| {
        let decode = |coming: Coming| scope.spawn(move || records_of(&coming.read().unwrap().unwrap()));
        let mut threads: Vec<_> = blocks.into_iter().rev().map(decode).collect();
        threads.reverse();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect::<Vec<_>>()
    });
    assert_eq!(read.len(), ROWS);
    for (read, expected) in read.iter().zip(&WRITTEN.rows) {
        assert_eq!(read, expected);
    }
}

#[test]
fn a_block_that_nobody_reads_does_not_move_the_others() {
    let mut blocks = blocks(&WRITTEN.path()).into_iter();
    drop(blocks.next());
    let rows = blocks.next().unwrap().read().unwrap().unwrap();
    assert_eq!((rows.first, rows.len()), (CHUNK as u64 + 1, CHUNK));
    assert_eq!(records_of(&rows), WRITTEN.rows[CHUNK..2 * CHUNK]);
}

#[test]
fn what_cannot_be_decoded_is_said_once_and_ends_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("portfolio.parquet");
    let reader = SerializedFileReader::new(File::open(WRITTEN.path()).unwrap()).unwrap();
    let group = reader.metadata().row_group(0);
    let column = group.columns().iter().find(|column| column.column_path().string() == "product").unwrap();
    let page = usize::try_from(column.data_page_offset()).unwrap();
    let mut bytes = fs::read(WRITTEN.path()).unwrap();
    bytes[page..page + 16].fill(0xFF);
    fs::write(&path, bytes).unwrap();
    let read: Vec<Result<Option<Rows>, ReadError>> = blocks(&path).into_iter().map(Coming::read).collect();
    let said: Vec<String> = read.iter().filter_map(|read| read.as_ref().err()).map(ToString::to_string).collect();
    assert!(said.len() == 1 && said[0].contains("portfolio.parquet:1: "), "{said:?}");
    assert!(read.iter().skip(1).all(|read| matches!(read, Ok(None))), "{read:?}");
}
