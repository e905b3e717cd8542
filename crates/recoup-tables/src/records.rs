//! Records as a table, for whoever has read them from something else.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::UInt8Type;
use arrow_array::{Array, ArrayRef, ListArray, RecordBatch, StringArray, StructArray};
use arrow_schema::{ArrowError, DataType, Field, Schema};
use recoup_core::record::ResourceRecord;
use recoup_core::time::Zone;
use recoup_core::vocab::{
    Billing, Class, Instrument, OrderKind, OrderStatus, PaymentOption, Recurrence, Relation, Seller, Status, TermUnit,
};

/// The word of a code, by the place and name of its column.
fn word(place: &str, column: &str, code: u8) -> Option<&'static str> {
    match (place, column) {
        ("", "billing") => Billing::from_code(code).map(Billing::as_str),
        ("", "seller") => Seller::from_code(code).map(Seller::as_str),
        ("", "status") => Status::from_code(code).map(Status::as_str),
        ("", "relation") => Relation::from_code(code).map(Relation::as_str),
        ("orders", "kind") => OrderKind::from_code(code).map(OrderKind::as_str),
        ("orders", "status") => OrderStatus::from_code(code).map(OrderStatus::as_str),
        ("orders", "term_unit") => TermUnit::from_code(code).map(TermUnit::as_str),
        ("payments", "instrument") => Instrument::from_code(code).map(Instrument::as_str),
        ("commitment", "payment_option") => PaymentOption::from_code(code).map(PaymentOption::as_str),
        ("commitment", "recurring_every") => Recurrence::from_code(code).map(Recurrence::as_str),
        ("commitment", "class") => Class::from_code(code).map(Class::as_str),
        _ => None,
    }
}

/// A column of the boundary as a portfolio has it: words for codes.
fn worded(place: &str, name: &str, column: &ArrayRef) -> Result<ArrayRef, ArrowError> {
    Ok(match column.data_type() {
        DataType::UInt8 => {
            let codes = column.as_primitive::<UInt8Type>().iter();
            Arc::new(codes.map(|code| code.and_then(|code| word(place, name, code))).collect::<StringArray>())
        }
        DataType::Struct(_) => Arc::new(all_worded(name, column.as_struct())?),
        DataType::List(_) => {
            let list = column.as_list::<i32>();
            let items = worded(place, name, list.values())?;
            let field = Arc::new(Field::new("item", items.data_type().clone(), true));
            Arc::new(ListArray::try_new(field, list.offsets().clone(), items, list.nulls().cloned())?)
        }
        _ => Arc::clone(column),
    })
}

fn all_worded(place: &str, array: &StructArray) -> Result<StructArray, ArrowError> {
    let (mut fields, mut columns) = (Vec::new(), Vec::new());
    for (field, column) in array.fields().iter().zip(array.columns()) {
        // Facts that nobody states are a structure without columns, which Parquet cannot hold.
        if !matches!(field.data_type(), DataType::Struct(inner) if inner.is_empty()) {
            let column = worded(place, field.name(), column)?;
            fields.push(Field::new(field.name(), column.data_type().clone(), true));
            columns.push(column);
        }
    }
    StructArray::try_new_with_length(fields.into(), columns, array.nulls().cloned(), array.len())
}

/// A table of records, with the columns of the facts that they state.
///
/// # Errors
/// Where texts are longer together than a column of Arrow may be.
pub fn from_records(records: &[ResourceRecord]) -> Result<RecordBatch, ArrowError> {
    let crossed = all_worded("", &recoup_plugin::batch::resources(records, None)?)?;
    let texts = |of: &dyn Fn(&ResourceRecord) -> Option<String>| -> ArrayRef {
        Arc::new(records.iter().map(of).collect::<StringArray>())
    };
    let json = |record: &ResourceRecord, name: &str| {
        record.to_json(Zone::UTC).get(name).filter(|value| !value.is_null()).map(ToString::to_string)
    };
    let own: [(&str, ArrayRef); 5] = [
        ("provider", texts(&|record| Some(record.provider.clone()))),
        ("name", texts(&|record| record.name.clone())),
        ("project", texts(&|record| record.project.clone())),
        ("tags", texts(&|record| json(record, "tags").filter(|_| !record.tags.is_empty()))),
        ("stated", texts(&|record| json(record, "stated").filter(|_| !record.stated.is_empty()))),
    ];
    let mut fields: Vec<Field> =
        own.iter().map(|(name, column)| Field::new(*name, column.data_type().clone(), true)).collect();
    let mut columns: Vec<ArrayRef> = own.into_iter().map(|(_, column)| column).collect();
    fields.extend(crossed.fields().iter().map(|field| field.as_ref().clone()));
    columns.extend(crossed.columns().iter().cloned());
    RecordBatch::try_new(Arc::new(Schema::new(fields)), columns)
}
