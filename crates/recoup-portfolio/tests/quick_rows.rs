//! The quick way of reading rows of Parquet and the full reader, held to each other on the records of the fixtures,
//! in typed columns and in columns of text.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test fails by panicking")]

mod common;

use std::sync::Arc;

use arrow_array::builder::{BooleanBuilder, StringBuilder, UInt32Builder};
use arrow_array::{Array, ArrayRef, Decimal128Array, ListArray, StructArray, TimestampMicrosecondArray};
use arrow_buffer::{NullBuffer, OffsetBuffer};
use arrow_schema::{DataType, Field, Fields, TimeUnit};
use recoup_core::fact::{Figure, Flag, Moment, Text};
use recoup_core::lent::LentResource;
use recoup_core::money::Number;
use recoup_core::record::ResourceRecord;
use recoup_core::time::{Instant, Zone};
use recoup_portfolio::quick::Quick;
use recoup_portfolio::quick_rows::QuickRows;
use recoup_portfolio::rows::record;
use serde_json::Value;

use crate::common::{records, zone_of};

fn text(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}

/// Values as a column; what does not fit its type is missing.
fn column(values: &[&Value], data_type: &DataType) -> ArrayRef {
    let texts = || values.iter().map(|value| text(value));
    match data_type {
        DataType::Boolean => {
            let mut column = BooleanBuilder::new();
            values.iter().for_each(|value| column.append_option(value.as_bool()));
            Arc::new(column.finish())
        }
        DataType::UInt32 => {
            let mut column = UInt32Builder::new();
            texts().for_each(|text| column.append_option(text.and_then(|text| text.parse().ok())));
            Arc::new(column.finish())
        }
        DataType::Decimal128(..) => {
            let units = texts().map(|text| text?.parse::<Number>().ok().map(Number::units));
            Arc::new(units.collect::<Decimal128Array>().with_data_type(data_type.clone()))
        }
        DataType::Timestamp(..) => {
            let micros = texts().map(|text| Instant::parse(&text?, Zone::fixed_hours(8)).ok().map(Instant::micros));
            Arc::new(micros.collect::<TimestampMicrosecondArray>().with_timezone("UTC"))
        }
        DataType::Struct(fields) => {
            let column_of = |field: &Arc<Field>| {
                let inner: Vec<&Value> = values.iter().map(|value| &value[field.name().as_str()]).collect();
                column(&inner, field.data_type())
            };
            let nulls = NullBuffer::from_iter(values.iter().map(|value| value.is_object()));
            Arc::new(StructArray::new(fields.clone(), fields.iter().map(column_of).collect(), Some(nulls)))
        }
        DataType::List(field) => {
            let items: Vec<&Value> = values.iter().flat_map(|value| value.as_array().into_iter().flatten()).collect();
            let lengths = values.iter().map(|value| value.as_array().map_or(0, Vec::len));
            let nulls = NullBuffer::from_iter(values.iter().map(|value| value.is_array()));
            let items = column(&items, field.data_type());
            Arc::new(ListArray::new(Arc::clone(field), OffsetBuffer::from_lengths(lengths), items, Some(nulls)))
        }
        _ => {
            let mut column = StringBuilder::new();
            texts().for_each(|text| column.append_option(text));
            Arc::new(column.finish())
        }
    }
}

/// The columns of a portfolio. Where `typed` is not asked for, amounts and instants are texts.
fn fields(typed: bool) -> Fields {
    let optional = |name: &str, data_type: DataType| Field::new(name, data_type, true);
    let word = |name: &str| optional(name, DataType::Utf8);
    let decimal = |name: &str| optional(name, if typed { DataType::Decimal128(38, 18) } else { DataType::Utf8 });
    let utc = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
    let time = |name: &str| optional(name, if typed { utc.clone() } else { DataType::Utf8 });
    let count = |name: &str| optional(name, if typed { DataType::UInt32 } else { DataType::Utf8 });
    let list = |name: &str, fields: Vec<Field>| {
        let item = Arc::new(optional("item", DataType::Struct(fields.into())));
        optional(name, DataType::List(item))
    };
    let facts = || {
        let flags = Flag::WORDS.iter().map(|name| optional(name, DataType::Boolean));
        let figures = Figure::WORDS.iter().map(|name| decimal(name));
        let texts = Text::WORDS.iter().map(|name| word(name));
        let moments = Moment::WORDS.iter().map(|name| time(name));
        let all: Vec<Field> = flags.chain(figures).chain(texts).chain(moments).collect();
        optional("facts", DataType::Struct(all.into()))
    };
    let mut order: Vec<Field> = ["id", "kind", "status", "term_unit", "currency"].map(word).into();
    order.extend(["placed_at", "paid_at", "starts_at", "ends_at"].map(time));
    order.extend([
        count("term_months"),
        count("term_count"),
        decimal("quantity"),
        decimal("list_price"),
        decimal("due"),
    ]);
    order.extend([list("payments", vec![word("instrument"), decimal("amount"), time("expires_at")]), facts()]);
    let mut commitment: Vec<Field> =
        ["payment_option", "currency", "recurring_every", "class", "unit"].map(word).into();
    commitment.extend(["hourly", "upfront", "recurring", "total_units", "used_units", "used_fraction"].map(decimal));
    commitment.push(count("term_months"));
    let mut all: Vec<Field> =
        ["provider", "site", "account", "id", "name", "product", "region", "billing", "seller", "status"]
            .map(word)
            .into();
    all.extend(["primary", "relation", "bundle", "price_terms", "stated"].map(word));
    all.extend(["purchased_at", "starts_at", "ends_at"].map(time));
    all.extend([
        decimal("quantity"),
        optional("commitment", DataType::Struct(commitment.into())),
        list("orders", order),
        facts(),
    ]);
    all.into()
}

#[test]
fn the_records_of_the_fixtures_are_read_alike() {
    let records = records();
    let values: Vec<&Value> = records.iter().collect();
    for typed in [true, false] {
        let batch = column(&values, &DataType::Struct(fields(typed)));
        let batch = batch.as_any().downcast_ref::<StructArray>().unwrap();
        let full: Vec<_> = (0..batch.len())
            .map(|row| record(batch, row).map(|json| ResourceRecord::from_json(&json, &zone_of)))
            .collect();
        let (columns, mut quick) = (QuickRows::new(batch).unwrap(), Quick::default());
        let mut read = 0;
        for (row, full) in full.iter().enumerate() {
            let mut lent = LentResource::default();
            if columns.read(&mut quick, row, &zone_of, &mut lent).is_none() {
                continue;
            }
            read += 1;
            let Ok(Ok(full)) = full else { panic!("{full:?}: {}", records[row]) };
            assert!(full.remarks.is_empty(), "{:?}: {}", full.remarks, records[row]);
            assert_eq!(lent, full.record.lend(), "{}", records[row]);
        }
        assert!(records.len() > 1_000 && read * 10 > records.len() * 9, "{read} of {}, typed: {typed}", records.len());
    }
}

#[test]
fn columns_that_no_portfolio_has_are_not_for_the_quick_way() {
    let mut fields: Vec<Field> = fields(true).iter().map(|field| field.as_ref().clone()).collect();
    fields.push(Field::new("colour", DataType::Utf8, true));
    let batch = column(&[], &DataType::Struct(fields.into()));
    assert!(QuickRows::new(batch.as_any().downcast_ref::<StructArray>().unwrap()).is_none());
}
