//! Rows of Arrow arrays as JSON, for records that come from Parquet.

use arrow_array::Array;
use arrow_array::cast::AsArray;
use arrow_array::types::{
    Date32Type, Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
    TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType, UInt8Type,
    UInt16Type, UInt32Type, UInt64Type,
};
use arrow_schema::{DataType, TimeUnit};
use recoup_core::time::{Instant, Span, Zone};
use serde_json::{Map, Value};

fn instant(micros: i64) -> Value {
    Value::String(Instant::from_micros(micros).display(Zone::UTC).to_string())
}

fn decimal(value: i128, scale: i8) -> Value {
    let places = usize::from(scale.unsigned_abs());
    if scale <= 0 {
        return Value::String(format!("{value}{}", "0".repeat(places)));
    }
    let digits = format!("{:0width$}", value.unsigned_abs(), width = places + 1);
    let (whole, fraction) = digits.split_at(digits.len() - places);
    Value::String(format!("{}{whole}.{fraction}", if value < 0 { "-" } else { "" }))
}

/// The whole number that a float is, by its shortest text: what pandas makes of whole numbers where some are
/// missing. Beyond 2^53 a float may have been another number.
#[must_use]
pub fn whole(float: &str) -> Option<i64> {
    float.parse::<i64>().ok().filter(|whole| whole.unsigned_abs() <= 1 << 53)
}

fn float(shown: &str) -> Result<Value, Wrong> {
    let refused = || {
        Wrong::of(format!(
            "{shown} is in floating point, in which amounts are not exact: give it as a decimal or a text"
        ))
    };
    whole(shown).map(Value::from).ok_or_else(refused)
}

/// What is wrong with a value, and the way to it from where it was looked for.
struct Wrong {
    path: Vec<String>,
    what: String,
}

impl Wrong {
    fn of(what: String) -> Self {
        Self { path: Vec::new(), what }
    }

    fn within(mut self, name: &str) -> Self {
        self.path.insert(0, name.to_owned());
        self
    }

    fn said(self) -> String {
        if self.path.is_empty() { self.what } else { format!("\"{}\": {}", self.path.join("."), self.what) }
    }
}

/// The value of a row as JSON.
///
/// # Errors
/// Where the column has a type that no field of a portfolio has. Floats are refused, since no amount
/// passes through one unharmed, but for those that are whole numbers.
pub fn value(array: &dyn Array, row: usize) -> Result<Value, String> {
    cell(array, row).map_err(Wrong::said)
}

fn cell(array: &dyn Array, row: usize) -> Result<Value, Wrong> {
    if array.is_null(row) {
        return Ok(Value::Null);
    }
    let text = |text: &str| Value::String(text.to_owned());
    Ok(match array.data_type() {
        DataType::Null => Value::Null,
        DataType::Utf8 => text(array.as_string::<i32>().value(row)),
        DataType::LargeUtf8 => text(array.as_string::<i64>().value(row)),
        DataType::Utf8View => text(array.as_string_view().value(row)),
        DataType::Boolean => Value::Bool(array.as_boolean().value(row)),
        DataType::Int8 => array.as_primitive::<Int8Type>().value(row).into(),
        DataType::Int16 => array.as_primitive::<Int16Type>().value(row).into(),
        DataType::Int32 => array.as_primitive::<Int32Type>().value(row).into(),
        DataType::Int64 => array.as_primitive::<Int64Type>().value(row).into(),
        DataType::UInt8 => array.as_primitive::<UInt8Type>().value(row).into(),
        DataType::UInt16 => array.as_primitive::<UInt16Type>().value(row).into(),
        DataType::UInt32 => array.as_primitive::<UInt32Type>().value(row).into(),
        DataType::UInt64 => array.as_primitive::<UInt64Type>().value(row).into(),
        DataType::Decimal128(_, scale) => decimal(array.as_primitive::<Decimal128Type>().value(row), *scale),
        DataType::Date32 => {
            let days = i64::from(array.as_primitive::<Date32Type>().value(row));
            let date = Zone::UTC.date(Instant::from_micros(0) + Span::days(days));
            Value::String(date.to_string())
        }
        DataType::Timestamp(unit, _) => instant(match unit {
            TimeUnit::Second => array.as_primitive::<TimestampSecondType>().value(row).saturating_mul(1_000_000),
            TimeUnit::Millisecond => array.as_primitive::<TimestampMillisecondType>().value(row).saturating_mul(1_000),
            TimeUnit::Microsecond => array.as_primitive::<TimestampMicrosecondType>().value(row),
            TimeUnit::Nanosecond => array.as_primitive::<TimestampNanosecondType>().value(row).div_euclid(1_000),
        }),
        DataType::Struct(fields) => {
            let array = array.as_struct();
            let mut map = Map::new();
            for (field, column) in fields.iter().zip(array.columns()) {
                let value = cell(column.as_ref(), row).map_err(|wrong| wrong.within(field.name()))?;
                if !value.is_null() {
                    map.insert(field.name().clone(), value);
                }
            }
            Value::Object(map)
        }
        DataType::List(_) => items(array.as_list::<i32>().value(row).as_ref())?,
        DataType::LargeList(_) => items(array.as_list::<i64>().value(row).as_ref())?,
        DataType::Map(_, _) => {
            let entries = array.as_map().value(row);
            let (names, values) = (entries.column(0), entries.column(1));
            let mut map = Map::new();
            for index in 0..entries.len() {
                if let Value::String(name) = cell(names.as_ref(), index)? {
                    let value = cell(values.as_ref(), index).map_err(|wrong| wrong.within(&name))?;
                    map.insert(name, value);
                }
            }
            Value::Object(map)
        }
        DataType::Dictionary(_, _) => {
            let array = array.as_any_dictionary();
            let key = array.normalized_keys().get(row).copied().unwrap_or_default();
            cell(array.values().as_ref(), key)?
        }
        DataType::Float64 => float(&array.as_primitive::<Float64Type>().value(row).to_string())?,
        DataType::Float32 => float(&array.as_primitive::<Float32Type>().value(row).to_string())?,
        other => return Err(Wrong::of(format!("the type {other} is not one of a portfolio's columns"))),
    })
}

/// A row of a portfolio as JSON: what stands for a structure may also be JSON text, as in CSV.
///
/// # Errors
/// As [`value`], and where such text is no JSON.
pub fn record(array: &dyn Array, row: usize) -> Result<Value, String> {
    let mut record = value(array, row)?;
    for name in ["orders", "facts", "tags", "commitment", "price_terms", "stated"] {
        if let Some(field) = record.get_mut(name)
            && let Value::String(text) = field
        {
            *field = serde_json::from_str(text).map_err(|error| format!("\"{name}\": expected JSON, {error}"))?;
        }
    }
    Ok(record)
}

fn items(array: &dyn Array) -> Result<Value, Wrong> {
    (0..array.len()).map(|index| cell(array, index)).collect::<Result<Vec<_>, _>>().map(Value::Array)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use std::sync::Arc;

    use arrow_array::{ArrayRef, Float64Array, StructArray};
    use serde_json::json;

    use super::*;

    fn with_term(months: f64) -> StructArray {
        let column = |values: Vec<f64>| Arc::new(Float64Array::from(values)) as ArrayRef;
        let commitment = StructArray::try_from(vec![("term_months", column(vec![months]))]).unwrap();
        StructArray::try_from(vec![("commitment", Arc::new(commitment) as ArrayRef)]).unwrap()
    }

    #[test]
    fn a_whole_number_in_a_float_is_that_number_and_another_is_refused_with_its_place() {
        assert_eq!(record(&with_term(12.0), 0).unwrap(), json!({"commitment": {"term_months": 12}}));
        for (months, shown) in [(12.5, "12.5"), (f64::NAN, "NaN"), (1e16, "10000000000000000")] {
            let said = record(&with_term(months), 0).unwrap_err();
            assert!(said.starts_with(&format!("\"commitment.term_months\": {shown} is in floating point")), "{said}");
        }
    }
}
