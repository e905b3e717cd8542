//! The quick way of reading rows of CSV and the full reader, held to each other: on the records of the fixtures, with
//! their facts in one cell and in a column each, and on thousands with another text in one of their cells.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod common;

use std::collections::BTreeSet;
use std::sync::Arc;

use csv::StringRecord;
use recoup_core::lent::LentResource;
use recoup_core::record::{RESOURCE_FIELDS, ResourceRecord};
use recoup_portfolio::quick::Quick;
use recoup_portfolio::quick_csv::QuickCsv;
use recoup_portfolio::read::{Content, Table};
use serde_json::Value;

use crate::common::{records, zone_of};

fn cell(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}

/// Records as a table; facts in one cell, or a column each.
fn table(records: &[Value], facts_apart: bool) -> Table {
    let mut names: Vec<String> = RESOURCE_FIELDS.iter().map(|name| (*name).to_owned()).collect();
    if facts_apart {
        let facts = records.iter().filter_map(|record| record["facts"].as_object()).flat_map(|facts| facts.keys());
        let facts: BTreeSet<&String> = facts.collect();
        names.retain(|name| name != "facts");
        names.extend(facts.into_iter().map(|fact| format!("facts.{fact}")));
    }
    let row = |record: &Value| -> StringRecord {
        let value = |name: &String| match name.strip_prefix("facts.") {
            Some(fact) => cell(record["facts"].get(fact)),
            None => cell(record.get(name.as_str())),
        };
        names.iter().map(value).collect()
    };
    let rows = (1..).zip(records.iter().map(|record| Ok(row(record)))).collect();
    Table { header: Arc::new(names.iter().collect()), rows }
}

/// Where the quick way reads a row, the full reader reads the same and has nothing to say. Gives how many it read.
fn agree(table: &Table) -> usize {
    let (columns, mut quick) = (QuickCsv::new(&table.header).unwrap(), Quick::default());
    let mut read = 0;
    for (line, row) in &table.rows {
        let full = match table.item(*line, row).content {
            Content::Json(json) => ResourceRecord::from_json(&json, &zone_of).map_err(|faults| faults.to_string()),
            other => Err(format!("{other:?}")),
        };
        let mut lent = LentResource::default();
        let cells = row.as_ref().unwrap();
        if columns.read(&mut quick, cells, &zone_of, &mut lent).is_none() {
            continue;
        }
        read += 1;
        let full = full.as_ref().unwrap_or_else(|faults| panic!("{faults}: {cells:?}"));
        assert!(full.remarks.is_empty(), "{:?}: {cells:?}", full.remarks);
        assert_eq!(sorted(lent), sorted(full.record.lend()), "{cells:?}");
    }
    read
}

/// The same record, its facts in one order: those of a table stand in the order of its columns.
fn sorted(mut record: LentResource<'_>) -> LentResource<'_> {
    record.facts.figures.sort_by_key(|(figure, _)| *figure);
    record.facts.texts.sort_by_key(|(text, _)| *text);
    record.facts.moments.sort_by_key(|(moment, _)| *moment);
    record
}

#[test]
fn rows_of_the_fixtures_are_read_alike() {
    let records = records();
    for facts_apart in [false, true] {
        let read = agree(&table(&records, facts_apart));
        assert!(read * 10 > records.len() * 7, "{read} of {} were read quickly", records.len());
    }
}

#[test]
fn rows_with_another_text_in_a_cell_are_read_alike() {
    const TEXTS: &[&str] = &[
        "",
        " ",
        "null",
        "true",
        "TRUE",
        "false",
        "0",
        "-1",
        "1e2",
        "01",
        "5.5",
        "12001",
        "x",
        "usd",
        "USD",
        "cn",
        "eu",
        "2024-02-30",
        "2024-02-29",
        "2024-02-29T10:00:00Z",
        "[]",
        "{}",
        "[null]",
        "{\"a\":1}",
        "{\"promotion\":true}",
        "\u{e4}",
        "\"x\"",
        "[{\"kind\":\"purchase\",\"status\":\"paid\",\"starts_at\":\"2024-01-01\"}]",
    ];
    let records = records();
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    let mut below = |limit: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state % limit as u64).unwrap()
    };
    for facts_apart in [false, true] {
        let whole = table(&records, facts_apart);
        let mut read = 0;
        for _ in 0..3 {
            let mut bent = whole.clone();
            for (_, row) in &mut bent.rows {
                let (place, text) = (below(whole.header.len()), TEXTS.get(below(TEXTS.len())).unwrap());
                let cells = row.as_ref().unwrap();
                *row = Ok(cells.iter().enumerate().map(|(at, cell)| if at == place { text } else { cell }).collect());
            }
            read += agree(&bent);
        }
        assert!(read > 500, "{read} were still read quickly");
    }
}
