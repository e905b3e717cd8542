//! Mutated batches of resources into rules, and mutated batches of answers into the host's checks.
#![no_main]

use std::sync::{Arc, LazyLock};

use arbitrary::Arbitrary;
use arrow_array::cast::AsArray;
use arrow_array::types::{Decimal128Type, TimestampMicrosecondType, UInt8Type, UInt16Type, UInt32Type};
use arrow_array::{
    Array, ArrayRef, ArrowPrimitiveType, BooleanArray, ListArray, NullArray, PrimitiveArray, StringArray, StructArray,
};
use arrow_schema::{DataType, Field};
use libfuzzer_sys::fuzz_target;
use recoup_core::context::Run;
use recoup_core::record::ResourceRecord;
use recoup_core::time::{Instant, Zone};
use recoup_plugin::session::check_answers;
use recoup_plugin::{Adapter, Linked, Session, batch};

/// One value changed, or a whole column.
#[derive(Debug, Clone, Arbitrary)]
struct Mutation<'a> {
    /// Which child at each level.
    path: [u8; 5],
    row: u8,
    change: Change<'a>,
}

#[derive(Debug, Clone, Arbitrary)]
enum Change<'a> {
    Value(i128),
    Text(&'a str),
    Null,
    DropColumn,
    OtherType,
}

#[derive(Debug, Arbitrary)]
struct Input<'a> {
    at: i64,
    resources: Vec<Mutation<'a>>,
    answers: Vec<Mutation<'a>>,
}

fn primitive<T: ArrowPrimitiveType>(array: &ArrayRef, row: usize, value: Option<T::Native>) -> ArrayRef {
    let mut values: Vec<Option<T::Native>> = array.as_primitive::<T>().iter().collect();
    if let Some(place) = values.get_mut(row) {
        *place = value;
    }
    Arc::new(values.into_iter().collect::<PrimitiveArray<T>>().with_data_type(array.data_type().clone()))
}

fn mutate(array: &ArrayRef, path: &[u8], mutation: &Mutation<'_>) -> ArrayRef {
    let row = usize::from(mutation.row) % array.len().max(1);
    let number = match mutation.change {
        Change::Value(number) => Some(number),
        _ => None,
    };
    if matches!(mutation.change, Change::OtherType) && (path.len() < 4 || !array.data_type().is_nested()) {
        return Arc::new(NullArray::new(array.len()));
    }
    let (first, rest) = path.split_first().map_or((0, path), |(first, rest)| (usize::from(*first), rest));
    match array.data_type() {
        DataType::Struct(fields) => {
            let array = array.as_struct();
            let place = first % fields.len().max(1);
            let mut children: Vec<(Arc<Field>, ArrayRef)> =
                fields.iter().cloned().zip(array.columns().iter().cloned()).collect();
            if matches!(mutation.change, Change::DropColumn) && rest.len() < 4 {
                children.remove(place);
            } else if let Some((field, child)) = children.get_mut(place) {
                *child = mutate(child, rest, mutation);
                *field = Arc::new(Field::new(field.name(), child.data_type().clone(), true));
            }
            let (fields, columns): (Vec<_>, Vec<_>) = children.into_iter().unzip();
            let nulls = array.nulls().cloned();
            StructArray::try_new_with_length(fields.into(), columns, nulls, array.len())
                .map_or_else(|_| Arc::new(array.clone()) as ArrayRef, |made| Arc::new(made))
        }
        DataType::List(_) => {
            let list = array.as_list::<i32>();
            let values = mutate(list.values(), path, mutation);
            let field = Arc::new(Field::new("item", values.data_type().clone(), true));
            ListArray::try_new(field, list.offsets().clone(), values, list.nulls().cloned())
                .map_or_else(|_| Arc::clone(array), |made| Arc::new(made))
        }
        DataType::UInt8 => primitive::<UInt8Type>(array, row, number.map(|number| number as u8)),
        DataType::UInt16 => primitive::<UInt16Type>(array, row, number.map(|number| number as u16)),
        DataType::UInt32 => primitive::<UInt32Type>(array, row, number.map(|number| number as u32)),
        DataType::Decimal128(_, _) => primitive::<Decimal128Type>(array, row, number),
        DataType::Timestamp(_, _) => {
            primitive::<TimestampMicrosecondType>(array, row, number.map(|number| number as i64))
        }
        DataType::Boolean => {
            let mut values: Vec<Option<bool>> = array.as_boolean().iter().collect();
            if let Some(place) = values.get_mut(row) {
                *place = number.map(|number| number & 1 == 1);
            }
            Arc::new(BooleanArray::from(values))
        }
        DataType::Utf8 => {
            let text = match mutation.change {
                Change::Text(text) => Some(text.to_owned()),
                _ => number.map(|number| number.to_string()),
            };
            let mut values: Vec<Option<String>> =
                array.as_string::<i32>().iter().map(|value| value.map(str::to_owned)).collect();
            if let Some(place) = values.get_mut(row) {
                *place = text;
            }
            Arc::new(StringArray::from(values))
        }
        _ => Arc::clone(array),
    }
}

fn mutated(batch: &StructArray, mutations: &[Mutation<'_>]) -> StructArray {
    let mut array: ArrayRef = Arc::new(batch.clone());
    for mutation in mutations.iter().take(8) {
        let next = mutate(&array, &mutation.path, mutation);
        if next.data_type().is_nested() {
            array = next;
        }
    }
    array.as_struct().clone()
}

fn valid() -> StructArray {
    let case = |text: &str| -> Vec<ResourceRecord> {
        let cases: serde_json::Value = serde_json::from_str(text).expect("a case file");
        let resources = cases.as_array().into_iter().flatten().filter_map(|case| case.get("resource"));
        let zone_of = |_: &str, _: Option<&str>| Some(Zone::fixed_hours(8));
        resources
            .filter_map(|json| ResourceRecord::from_json(json, &zone_of).ok())
            .map(|read| read.record)
            .step_by(9)
            .take(12)
            .collect()
    };
    let mut records = case(include_str!("../../fixtures/huawei/cases/shared.json"));
    records.extend(case(include_str!("../../fixtures/alibaba/cases/shared.json")));
    batch::resources(&records, None).expect("a batch")
}

static VALID: LazyLock<StructArray> = LazyLock::new(valid);
static ADAPTERS: LazyLock<[Box<dyn Adapter>; 2]> = LazyLock::new(|| {
    let huawei = Linked::<recoup_huawei::Huawei>::new().expect("its policy");
    let alibaba = Linked::<recoup_alibaba::Alibaba>::new().expect("its policy");
    [Box::new(huawei), Box::new(alibaba)]
});

fuzz_target!(|input: Input<'_>| {
    let at = Instant::from_micros(input.at.rem_euclid(4_000_000_000_000_000));
    let resources = mutated(&VALID, &input.resources);
    for adapter in ADAPTERS.iter() {
        let session = adapter.open(&Run::at(at), None).expect("a session");
        let Ok(answers) = session.assess(resources.clone()) else { continue };
        read(adapter.provider(), session.as_ref(), resources.len(), &answers, true);
        read(adapter.provider(), session.as_ref(), resources.len(), &mutated(&answers, &input.answers), false);
    }
});

/// Reads answers. What an adapter made itself must hold together; what was tampered with may not.
fn read(provider: &str, session: &dyn Session, rows: usize, answers: &StructArray, own: bool) {
    match check_answers(provider, rows, session.clauses(), answers) {
        Ok(read) => {
            for row in 0..read.len() {
                let answer = read.get(row);
                assert!(!own || answer.is_ok(), "{answer:?}");
            }
        }
        Err(error) => assert!(!own, "{error}"),
    }
}
