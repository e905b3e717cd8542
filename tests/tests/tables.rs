//! Tables in memory: a table is answered as the file with the same records is, and crosses without a copy
//! where its columns are the boundary's.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::sync::Arc;

use arrow_array::builder::{Decimal128Builder, StringDictionaryBuilder, TimestampMicrosecondBuilder};
use arrow_array::cast::AsArray;
use arrow_array::types::{Int32Type, TimestampMicrosecondType};
use arrow_array::{
    Array, ArrayRef, BooleanArray, LargeListArray, LargeStringArray, ListArray, RecordBatch, StringArray,
    StringViewArray, StructArray, UInt32Array,
};
use arrow_buffer::{BooleanBuffer, NullBuffer, OffsetBuffer};
use arrow_schema::{DataType, Field, Fields, Schema, TimeUnit};
use recoup_core::context::Run;
use recoup_core::money::Number;
use recoup_core::record::ResourceRecord;
use recoup_core::time::{Instant, Zone};
use recoup_engine::{Assessor, Engine};
use recoup_tables::{Assessed, assess, assess_in_parts, boundary_columns, from_records, portfolio_schema, with_id};
use recoup_tests::{cases, linked};
use serde_json::{Value, json};

/// How a table's columns stand for what JSON says.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Typing {
    /// The boundary's own types.
    Exact,
    /// Everything but yes and no is text, as Python reads NDJSON.
    Texts,
    /// Dictionaries, views, large texts, other units and scales, as engines hand them out.
    Other,
}

fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}

/// A column of a type out of values; panics where a value does not fit, which the test data does not hold.
fn column(values: &[Value], data_type: &DataType) -> ArrayRef {
    let texts = || values.iter().map(text_of);
    match data_type {
        DataType::Utf8 => Arc::new(texts().collect::<StringArray>()),
        DataType::LargeUtf8 => Arc::new(texts().collect::<LargeStringArray>()),
        DataType::Utf8View => Arc::new(texts().collect::<StringViewArray>()),
        DataType::Dictionary(_, _) => {
            let mut builder = StringDictionaryBuilder::<Int32Type>::new();
            texts().for_each(|text| builder.append_option(text));
            Arc::new(builder.finish())
        }
        DataType::Boolean => Arc::new(values.iter().map(Value::as_bool).collect::<BooleanArray>()),
        DataType::UInt32 => {
            let count = |text: String| text.parse::<u32>().unwrap();
            Arc::new(texts().map(|text| text.map(count)).collect::<UInt32Array>())
        }
        DataType::Decimal128(precision, scale) => {
            let mut builder = Decimal128Builder::new().with_precision_and_scale(*precision, *scale).unwrap();
            let less = 10_i128.pow(18 - u32::try_from(*scale).unwrap());
            for text in texts() {
                builder.append_option(text.map(|text| text.parse::<Number>().unwrap().units() / less));
            }
            Arc::new(builder.finish())
        }
        DataType::Timestamp(_, _) => {
            let mut builder = TimestampMicrosecondBuilder::new().with_data_type(data_type.clone());
            for text in texts() {
                builder.append_option(text.map(|text| Instant::parse(&text, Zone::UTC).unwrap().micros()));
            }
            Arc::new(builder.finish())
        }
        DataType::Struct(fields) => {
            let children = fields.iter().map(|field| {
                let values: Vec<Value> =
                    values.iter().map(|value| value.get(field.name()).cloned().unwrap_or(Value::Null)).collect();
                column(&values, field.data_type())
            });
            let nulls: BooleanBuffer = values.iter().map(|value| !value.is_null()).collect();
            let children: Vec<ArrayRef> = children.collect();
            let nulls = Some(NullBuffer::new(nulls)).filter(|nulls| nulls.null_count() > 0);
            Arc::new(StructArray::try_new_with_length(fields.clone(), children, nulls, values.len()).unwrap())
        }
        DataType::LargeList(item) => {
            let short = column(values, &DataType::List(Arc::clone(item)));
            let (field, offsets, items, nulls) = short.as_list::<i32>().clone().into_parts();
            let offsets = OffsetBuffer::from_lengths(offsets.lengths());
            Arc::new(LargeListArray::new(field, offsets, items, nulls))
        }
        DataType::List(item) => {
            let items: Vec<Value> = values.iter().filter_map(Value::as_array).flatten().cloned().collect();
            let lengths = values.iter().map(|value| value.as_array().map_or(0, Vec::len));
            let nulls: BooleanBuffer = values.iter().map(|value| !value.is_null()).collect();
            let items = column(&items, item.data_type());
            Arc::new(ListArray::new(
                Arc::clone(item),
                OffsetBuffer::from_lengths(lengths),
                items,
                Some(NullBuffer::new(nulls)),
            ))
        }
        other => panic!("{other}"),
    }
}

fn retyped(field: &Field, typing: Typing) -> Field {
    let dictionary = || DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8));
    let words = ["billing", "status", "kind", "instrument", "provider", "seller", "relation"];
    let data_type = match (field.data_type(), typing) {
        (DataType::Struct(fields), _) => DataType::Struct(all_retyped(fields, typing)),
        (DataType::List(item), Typing::Other) => DataType::LargeList(Arc::new(retyped(item, typing))),
        (DataType::List(item), _) => DataType::List(Arc::new(retyped(item, typing))),
        (data_type, Typing::Exact) => data_type.clone(),
        (DataType::Boolean, _) => DataType::Boolean,
        (_, Typing::Texts) => DataType::Utf8,
        (DataType::Utf8, Typing::Other) if words.contains(&field.name().as_str()) => dictionary(),
        (DataType::Utf8, Typing::Other) if field.name() == "id" => DataType::LargeUtf8,
        (DataType::Utf8, Typing::Other) => DataType::Utf8View,
        (DataType::Timestamp(_, _), Typing::Other) => DataType::Timestamp(TimeUnit::Microsecond, Some("+08:00".into())),
        (DataType::Decimal128(_, _), Typing::Other) => DataType::Decimal128(30, 9),
        (other, Typing::Other) => other.clone(),
    };
    Field::new(field.name(), data_type, true)
}

fn all_retyped(fields: &Fields, typing: Typing) -> Fields {
    fields.iter().map(|field| Arc::new(retyped(field, typing))).collect()
}

fn table_of(records: &[Value], schema: Schema) -> RecordBatch {
    let columns = schema.fields().iter().map(|field| {
        let values: Vec<Value> =
            records.iter().map(|record| record.get(field.name()).cloned().unwrap_or(Value::Null)).collect();
        column(&values, field.data_type())
    });
    let columns = columns.collect();
    RecordBatch::try_new(Arc::new(schema), columns).unwrap()
}

fn table(records: &[Value], typing: Typing) -> RecordBatch {
    table_of(records, Schema::new(all_retyped(portfolio_schema().fields(), typing)))
}

fn run() -> Run {
    Run::at(Instant::parse("2026-03-05T12:34:56Z", Zone::UTC).unwrap())
}

/// Every third resource of the cases, as any table can hold it: instants in UTC with their offset.
fn resources(engine: &Engine) -> Vec<Value> {
    let mut all = Vec::new();
    for provider in engine.providers() {
        let adapter = engine.adapter(&provider).unwrap();
        for case in cases(&provider).into_iter().step_by(3) {
            let zone_of = |_: &str, site: Option<&str>| adapter.zone_of(site);
            let Ok(read) = ResourceRecord::from_json(case.resource(), &zone_of) else { continue };
            let mut json = read.record.to_json(Zone::UTC);
            json["id"] = format!("{}-{}", read.record.id, all.len()).into();
            all.push(json);
        }
    }
    all
}

/// What the same records say as from a file: an answer's JSON, or what is wrong.
fn as_records(assessor: &Assessor<'_>, records: &[Value]) -> Vec<String> {
    let zone_of = |provider: &str, site: Option<&str>| assessor.engine().zone_of(provider, site);
    let one = |json: &Value| match ResourceRecord::from_json(json, &zone_of) {
        Err(faults) => match json["id"].as_str().filter(|id| !id.is_empty()) {
            Some(id) => format!("{id}: {faults}"),
            None => faults.to_string(),
        },
        Ok(read) => {
            let id = read.record.id.clone();
            let answer = assessor.assess(vec![read.record]).remove(0);
            answer.map_or_else(|error| format!("{id}: {error}"), |answered| answered.to_json().to_string())
        }
    };
    records.iter().map(one).collect()
}

fn texts(assessed: &Assessed) -> Vec<String> {
    let text = |answer: &Result<recoup_engine::Answered, String>| match answer {
        Ok(answered) => answered.to_json().to_string(),
        Err(what) => what.clone(),
    };
    assessed.answers.iter().map(text).collect()
}

fn assert_same(records: &[Value], table: &[String], expected: &[String]) {
    assert_eq!(table.len(), expected.len());
    for ((record, table), expected) in records.iter().zip(table).zip(expected) {
        assert_eq!(table, expected, "{record}");
    }
}

#[test]
fn a_table_is_answered_as_its_records_are() {
    let engine = Engine::from_adapters(linked());
    let assessor = Assessor::new(&engine, run());
    let records = resources(&engine);
    assert!(records.len() > 500, "{}", records.len());
    let expected = as_records(&assessor, &records);
    for typing in [Typing::Exact, Typing::Texts, Typing::Other] {
        let table = table(&records, typing);
        let whole = assess(&assessor, &table, None).unwrap();
        assert_same(&records, &texts(&whole), &expected);
        assert!(whole.remarks.is_empty(), "{:?}", whole.remarks);
        // Slices begin in the middle of every buffer and list.
        let (first, second) = (records.len() / 3, records.len() - records.len() / 3);
        let slice = assess(&assessor, &table.slice(first, second), None).unwrap();
        assert_same(&records[first..], &texts(&slice), &expected[first..]);
    }
}

#[test]
fn records_become_a_table_that_says_the_same() {
    let engine = Engine::from_adapters(linked());
    let assessor = Assessor::new(&engine, run());
    let zone_of = |provider: &str, site: Option<&str>| engine.zone_of(provider, site);
    let records = resources(&engine);
    let read = records.iter().map(|json| ResourceRecord::from_json(json, &zone_of).unwrap().record);
    let table = from_records(&read.collect::<Vec<_>>()).unwrap();
    assert_same(&records, &texts(&assess(&assessor, &table, None).unwrap()), &as_records(&assessor, &records));
}

#[test]
fn rulings_come_in_the_order_of_the_rows_on_any_number_of_threads() {
    let engine = Engine::from_adapters(linked());
    let assessor = Assessor::new(&engine, run());
    let table = table(&resources(&engine), Typing::Exact);
    let many: Vec<RecordBatch> = (0..12).map(|_| table.clone()).collect();
    let rulings = |threads: usize| {
        let parts = assess_in_parts(&assessor, &many, threads).unwrap();
        assert!(parts.len() > 8);
        parts.into_iter().map(|part| part.rulings).collect::<Vec<_>>()
    };
    assert_eq!(rulings(1), rulings(3));
}

/// What may be wrong with a record, and what is only strange.
fn spoilt(record: &Value) -> Vec<Value> {
    let change = |path: &str, value: Value| {
        let mut changed = record.clone();
        *changed.pointer_mut(path)? = value;
        Some(changed)
    };
    let changes = [
        ("/provider", json!("nobody")),
        ("/provider", json!("")),
        ("/id", json!("")),
        ("/id", json!(null)),
        ("/product", json!("x".repeat(10_001))),
        ("/billing", json!("subscripton")),
        ("/status", json!(null)),
        ("/ends_at", json!("2001-01-01T00:00:00Z")),
        ("/starts_at", json!("2999-12-31T23:59:59Z")),
        ("/quantity", json!("-1")),
        ("/quantity", json!("12345678901.123456789")),
        ("/orders", json!(null)),
        ("/orders", json!([])),
        ("/orders/0", json!(null)),
        ("/orders/0/kind", json!("present")),
        ("/orders/0/due", json!("0.01")),
        ("/orders/0/due", json!(null)),
        ("/orders/0/list_price", json!("-5")),
        ("/orders/0/currency", json!("ABC")),
        ("/orders/0/term_unit", json!("fortnight")),
        ("/orders/0/term_count", json!("13000")),
        ("/orders/0/ends_at", json!("2001-01-01T00:00:00Z")),
        ("/orders/0/payments", json!(null)),
        ("/orders/0/payments", json!([])),
        ("/orders/0/payments/0/instrument", json!("gold")),
        ("/orders/0/payments/0/amount", json!(null)),
        ("/orders/0/facts", json!({"promotion": true})),
        ("/facts", json!(null)),
        ("/facts", json!({"current_price": "-3", "exists": true})),
        ("/facts", json!({"returnable_until": "2026-05-01T00:00:00Z", "plan": "gold"})),
        ("/commitment", json!(null)),
        ("/commitment/used_fraction", json!("1.5")),
        ("/commitment/currency", json!("XYZ")),
        ("/commitment/term_months", json!("12")),
    ];
    changes.into_iter().filter_map(|(path, value)| change(path, value)).collect()
}

#[test]
fn what_is_wrong_with_a_row_is_said_as_of_a_record() {
    let engine = Engine::from_adapters(linked());
    let assessor = Assessor::new(&engine, run());
    let all = resources(&engine);
    let full = |record: &&Value| record.pointer("/orders/0/payments/0/amount").is_some();
    let committed = |record: &&Value| record.pointer("/commitment/used_fraction").is_some();
    let picked = all.iter().filter(full).step_by(11).take(12).chain(all.iter().filter(committed).take(3));
    let records: Vec<Value> = picked.flat_map(spoilt).collect();
    assert!(records.len() > 250, "{}", records.len());
    let expected = as_records(&assessor, &records);
    let wrong = expected.iter().filter(|text| !text.starts_with('{')).count();
    assert!(wrong > 100 && wrong < expected.len() - 50, "{wrong} of {}", expected.len());
    for typing in [Typing::Texts, Typing::Other, Typing::Exact] {
        // Months as text would be a count that no column of counts can hold otherwise.
        let fits =
            |record: &&Value| typing == Typing::Texts || record.pointer("/orders/0").is_none_or(|o| !o.is_null());
        let rows: Vec<Value> = records.iter().filter(fits).cloned().collect();
        let expected = as_records(&assessor, &rows);
        let answers = assess(&assessor, &table(&rows, typing), None).unwrap();
        assert_same(&rows, &texts(&answers), &expected);
    }
}

#[test]
fn a_term_in_months_is_read_as_one() {
    let engine = Engine::from_adapters(linked());
    let assessor = Assessor::new(&engine, run());
    let mut records: Vec<Value> = resources(&engine);
    records.retain(|record| record.pointer("/orders/0/term_count").is_some());
    records.truncate(40);
    for (index, record) in records.iter_mut().enumerate() {
        let order = record.pointer_mut("/orders/0").unwrap();
        order["term_months"] = json!("12");
        if index % 2 == 0 {
            order["term_unit"] = Value::Null;
        }
    }
    let expected = as_records(&assessor, &records);
    for typing in [Typing::Exact, Typing::Texts] {
        let answers = assess(&assessor, &table(&records, typing), None).unwrap();
        assert_same(&records, &texts(&answers), &expected);
    }
}

#[test]
fn bare_dates_are_midnight_at_the_site() {
    let engine = Engine::from_adapters(linked());
    let assessor = Assessor::new(&engine, run());
    let mut records: Vec<Value> = resources(&engine);
    records.retain(|record| record["starts_at"].is_string() && record["ends_at"].is_string());
    for record in &mut records {
        record["starts_at"] = "2026-03-01".into();
        record["ends_at"] = "2027-03-01".into();
        if let Some(order) = record.pointer_mut("/orders/0") {
            order["starts_at"] = "2026-03-01".into();
            order["ends_at"] = "2027-03-01".into();
        }
    }
    let expected = as_records(&assessor, &records);
    let answers = assess(&assessor, &table(&records, Typing::Texts), None).unwrap();
    assert_same(&records, &texts(&answers), &expected);
}

#[test]
fn a_column_that_is_not_understood_is_remarked_upon_once() {
    let engine = Engine::from_adapters(linked());
    let assessor = Assessor::new(&engine, run());
    let mut records: Vec<Value> = resources(&engine);
    records.truncate(20);
    for record in &mut records[5..] {
        record["colour"] = "blue".into();
        record["facts"]["promotoin"] = "no".into();
    }
    let mut fields: Vec<Field> = portfolio_schema().fields().iter().map(|field| field.as_ref().clone()).collect();
    for field in &mut fields {
        if let ("facts", DataType::Struct(facts)) = (field.name().as_str(), field.data_type()) {
            let mut facts: Vec<_> = facts.iter().cloned().collect();
            facts.push(Arc::new(Field::new("promotoin", DataType::Utf8, true)));
            *field = field.clone().with_data_type(DataType::Struct(facts.into()));
        }
    }
    fields.push(Field::new("colour", DataType::Utf8, true));
    let answers = assess(&assessor, &table_of(&records, Schema::new(fields)), None).unwrap();
    let remarks: Vec<(usize, &str)> = answers.remarks.iter().map(|said| (said.row, said.what.as_str())).collect();
    assert_eq!(
        remarks,
        [
            (5, "field \"colour\" is not understood and was left out of account"),
            (5, "\"facts\": fact \"promotoin\" is not known and was left out of account, did you mean \"promotion\"?"),
        ]
    );
    assert_same(&records, &texts(&answers), &as_records(&assessor, &records));
}

#[test]
fn columns_of_the_boundarys_types_cross_without_a_copy() {
    let engine = Engine::from_adapters(linked());
    let assessor = Assessor::new(&engine, run());
    let mut records = resources(&engine);
    // What is read as a record, and what is counted in months, is made anew.
    records.retain(|record| ["price_terms", "stated"].iter().all(|name| record[*name].is_null()));
    let table = table(&records, Typing::Exact);
    let crossed = boundary_columns(&assessor, &table).expect("every row is plain");
    let address =
        |array: &dyn Array| array.to_data().buffers().iter().map(arrow_buffer::Buffer::as_ptr).collect::<Vec<_>>();
    let same = |name: &str, ours: &dyn Array, theirs: &dyn Array| assert_eq!(address(ours), address(theirs), "{name}");
    for name in ["site", "account", "id", "product", "region", "starts_at", "ends_at", "quantity", "orders"] {
        let theirs = table.column_by_name(name).unwrap();
        same(name, crossed.column_by_name(name).unwrap(), theirs);
    }
    let orders = |array: &ArrayRef| array.as_list::<i32>().values().as_struct().clone();
    let (ours, theirs) =
        (orders(crossed.column_by_name("orders").unwrap()), orders(table.column_by_name("orders").unwrap()));
    for name in ["id", "currency", "due", "list_price", "starts_at", "payments"] {
        same(name, ours.column_by_name(name).unwrap(), theirs.column_by_name(name).unwrap());
    }
}

#[test]
fn each_row_may_have_its_own_instant() {
    let engine = Engine::from_adapters(linked());
    let assessor = Assessor::new(&engine, run());
    let records = resources(&engine);
    let instants: Vec<i64> =
        (0..records.len()).map(|row| run().at.unwrap().micros() - row as i64 * 86_400_000_000).collect();
    let at = instants.iter().copied().map(Some).collect::<arrow_array::PrimitiveArray<TimestampMicrosecondType>>();
    let answers = assess(&assessor, &table(&records, Typing::Exact), Some(&at)).unwrap();
    let expected: Vec<String> = records
        .iter()
        .zip(&instants)
        .flat_map(|(record, at)| {
            let then = Assessor::new(&engine, Run::at(Instant::from_micros(*at)));
            as_records(&then, std::slice::from_ref(record))
        })
        .collect();
    assert_same(&records, &texts(&answers), &expected);
}

#[test]
fn a_table_of_something_else_is_refused() {
    let engine = Engine::from_adapters(linked());
    let assessor = Assessor::new(&engine, run());
    let names: ArrayRef = Arc::new(StringArray::from(vec!["a"]));
    let table = RecordBatch::try_from_iter([("name", Arc::clone(&names)), ("cost", names)]).unwrap();
    let error = assess(&assessor, &table, None).unwrap_err().to_string();
    assert_eq!(
        error,
        "not a portfolio: the columns \"provider\" and \"id\" are missing; the first of the table's own are name, cost"
    );
}

#[test]
fn one_resource_is_found_by_its_id() {
    let engine = Engine::from_adapters(linked());
    let records = resources(&engine);
    let table = table(&records, Typing::Other);
    let found = with_id(&[table.clone(), table], records[7]["id"].as_str().unwrap());
    assert_eq!(found.iter().map(RecordBatch::num_rows).collect::<Vec<_>>(), [1, 1]);
}
