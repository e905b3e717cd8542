//! Columns as the boundary has them: those that have its type already are taken as they are, buffers and
//! all; others are converted. A cell that does not fit marks its row.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowPrimitiveType, Date32Type, Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type,
    Int64Type, TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType,
    UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{
    Array, ArrayRef, BooleanArray, Decimal128Array, StringArray, TimestampMicrosecondArray, UInt8Array, UInt32Array,
    new_null_array,
};
use arrow_schema::{DataType, TimeUnit};
use recoup_core::money::Number;
use recoup_core::record::limits;
use recoup_core::time::{Instant, Zone};
use recoup_plugin::schema;
use recoup_portfolio::rows;

use crate::odd::{Marks, Unplain};

type Cells<T> = Result<T, Unplain>;

/// Decimals from here on are left to the record's own reading, which knows which of them are too large or
/// too fine.
const SURE: i128 = 1 << 95;

/// Instants that every reading understands: 1970 to 2999.
const SURE_MICROS: std::ops::Range<i64> = 0..32_503_680_000_000_000;

/// The largest count of months and the like.
const MOST: u32 = 12_000;

/// The texts of a column, whatever their length.
fn any_texts(column: &dyn Array) -> Cells<StringArray> {
    Ok(match column.data_type() {
        DataType::Null => StringArray::new_null(column.len()),
        DataType::Utf8 => column.as_string::<i32>().clone(),
        DataType::LargeUtf8 => column.as_string::<i64>().iter().collect(),
        DataType::Utf8View => column.as_string_view().iter().collect(),
        DataType::Dictionary(_, _) => {
            let dictionary = column.as_any_dictionary();
            let words = any_texts(dictionary.values().as_ref())?;
            let words: Vec<Option<&str>> = words.iter().collect();
            keys(column).into_iter().map(|key| key.and_then(|key| words.get(key).copied().flatten())).collect()
        }
        _ => return Err(Unplain),
    })
}

/// For each row of a dictionary the place of its word.
fn keys(column: &dyn Array) -> Vec<Option<usize>> {
    let dictionary = column.as_any_dictionary();
    if dictionary.values().is_empty() {
        return vec![None; column.len()];
    }
    let places = dictionary.normalized_keys().into_iter().enumerate();
    places.map(|(row, place)| column.is_valid(row).then_some(place)).collect()
}

/// The texts of facts, which may be of any length.
pub(crate) fn long_texts(column: &ArrayRef) -> Cells<StringArray> {
    any_texts(column)
}

/// The texts of a column.
pub(crate) fn texts(column: &ArrayRef, marks: &mut Marks) -> Cells<StringArray> {
    let texts = any_texts(column)?;
    for (row, bounds) in texts.value_offsets().windows(2).enumerate() {
        if let [start, end] = bounds
            && usize::try_from(end.saturating_sub(*start)).is_ok_and(|length| length > limits::TEXT)
        {
            marks.odd(row);
        }
    }
    Ok(texts)
}

/// The texts of a column in which none may be missing or empty.
pub(crate) fn required_texts(column: &ArrayRef, marks: &mut Marks) -> Cells<StringArray> {
    let texts = texts(column, marks)?;
    let missing = texts.iter().enumerate().filter(|(_, text)| text.is_none_or(str::is_empty));
    missing.for_each(|(row, _)| marks.odd(row));
    Ok(texts)
}

/// The words of a closed vocabulary as their codes.
pub(crate) fn codes(column: &ArrayRef, parse: impl Fn(&str) -> Option<u8>, marks: &mut Marks) -> Cells<UInt8Array> {
    let mut code_of = |row: usize, word: Option<&str>| {
        let code = word.and_then(&parse);
        if word.is_some() && code.is_none() {
            marks.odd(row);
        }
        code
    };
    if let DataType::Dictionary(_, _) = column.data_type() {
        let words = any_texts(column.as_any_dictionary().values().as_ref())?;
        let words: Vec<Option<&str>> = words.iter().collect();
        let rows = keys(column).into_iter().enumerate();
        return Ok(rows
            .map(|(row, key)| code_of(row, key.and_then(|key| words.get(key).copied().flatten())))
            .collect());
    }
    let texts = any_texts(column)?;
    Ok(texts.iter().enumerate().map(|(row, word)| code_of(row, word)).collect())
}

/// The words of a closed vocabulary, none of which may be missing.
pub(crate) fn required_codes(
    column: &ArrayRef,
    parse: impl Fn(&str) -> Option<u8>,
    marks: &mut Marks,
) -> Cells<UInt8Array> {
    let codes = codes(column, parse, marks)?;
    for row in (0..codes.len()).filter(|row| codes.is_null(*row)) {
        marks.odd(row);
    }
    Ok(codes)
}

/// Currencies, by their codes.
pub(crate) fn currencies(column: &ArrayRef, marks: &mut Marks) -> Cells<StringArray> {
    let texts = any_texts(column)?;
    let mut last = "";
    for (row, code) in texts.iter().enumerate() {
        match code {
            Some(code) if code != last && code.parse::<recoup_core::money::Currency>().is_err() => marks.odd(row),
            Some(code) => last = code,
            None => {}
        }
    }
    Ok(texts)
}

/// Yes and no.
pub(crate) fn truths(column: &ArrayRef) -> Cells<BooleanArray> {
    match column.data_type() {
        DataType::Boolean => Ok(column.as_boolean().clone()),
        DataType::Null => Ok(BooleanArray::new_null(column.len())),
        _ => Err(Unplain),
    }
}

fn integers<T: ArrowPrimitiveType>(column: &ArrayRef) -> impl Iterator<Item = Option<i128>>
where
    i128: From<T::Native>,
{
    column.as_primitive::<T>().iter().map(|value| value.map(i128::from))
}

/// Values of another scale, as counts of 10^-18 units. What does not fit is the largest value there is,
/// which no reading takes for sure.
fn scaled(values: impl Iterator<Item = Option<i128>>, scale: i8) -> Decimal128Array {
    let factor = 18_u32.checked_add_signed(-i32::from(scale)).and_then(|power| 10_i128.checked_pow(power));
    let values = values.map(|value| value.map(|value| factor.and_then(|f| value.checked_mul(f)).unwrap_or(i128::MAX)));
    values.collect::<Decimal128Array>().with_data_type(schema::DECIMAL)
}

/// Floats as far as they are whole numbers; the record's own reading says what is wrong with others.
fn whole<T: ArrowPrimitiveType>(column: &ArrayRef) -> Decimal128Array
where
    T::Native: ToString,
{
    let units =
        |float: T::Native| rows::whole(&float.to_string()).map_or(i128::MAX, |whole| Number::whole(whole).units());
    let values: Decimal128Array = column.as_primitive::<T>().iter().map(|float| float.map(units)).collect();
    values.with_data_type(schema::DECIMAL)
}

/// Decimals that may not be negative: amounts and numbers.
pub(crate) fn decimals(column: &ArrayRef, marks: &mut Marks) -> Cells<Decimal128Array> {
    let decimals = match column.data_type() {
        DataType::Null => new_null_array(&schema::DECIMAL, column.len()).as_primitive::<Decimal128Type>().clone(),
        // The same values under the boundary's type.
        DataType::Decimal128(_, 18) => column.as_primitive::<Decimal128Type>().clone().with_data_type(schema::DECIMAL),
        DataType::Decimal128(_, scale) => scaled(integers::<Decimal128Type>(column), *scale),
        DataType::Int8 => scaled(integers::<Int8Type>(column), 0),
        DataType::Int16 => scaled(integers::<Int16Type>(column), 0),
        DataType::Int32 => scaled(integers::<Int32Type>(column), 0),
        DataType::Int64 => scaled(integers::<Int64Type>(column), 0),
        DataType::UInt8 => scaled(integers::<UInt8Type>(column), 0),
        DataType::UInt16 => scaled(integers::<UInt16Type>(column), 0),
        DataType::UInt32 => scaled(integers::<UInt32Type>(column), 0),
        DataType::UInt64 => scaled(integers::<UInt64Type>(column), 0),
        DataType::Float32 => whole::<Float32Type>(column),
        DataType::Float64 => whole::<Float64Type>(column),
        _ => {
            let texts = any_texts(column)?;
            let value = |text: &str| text.parse::<Number>().map_or(i128::MAX, Number::units);
            let values: Decimal128Array = texts.iter().map(|text| text.map(value)).collect();
            values.with_data_type(schema::DECIMAL)
        }
    };
    let sure = 0..SURE;
    for (row, value) in decimals.values().iter().enumerate() {
        if !sure.contains(value) && decimals.is_valid(row) {
            marks.odd(row);
        }
    }
    Ok(decimals)
}

/// Decimals none of which may be missing.
pub(crate) fn required_decimals(column: &ArrayRef, marks: &mut Marks) -> Cells<Decimal128Array> {
    let decimals = decimals(column, marks)?;
    for row in (0..decimals.len()).filter(|row| decimals.is_null(*row)) {
        marks.odd(row);
    }
    Ok(decimals)
}

/// Whole numbers of months and the like.
pub(crate) fn counts(column: &ArrayRef, marks: &mut Marks) -> Cells<UInt32Array> {
    let decimals = decimals(column, marks)?;
    let counts = decimals.iter().enumerate().map(|(row, value)| {
        let whole = Number::from_units(value?).as_whole().and_then(|whole| u32::try_from(whole).ok());
        let count = whole.filter(|count| *count <= MOST);
        if count.is_none() {
            marks.odd(row);
        }
        count
    });
    Ok(counts.collect())
}

/// Instants. A bare date is midnight in the zone of its row.
pub(crate) fn instants(
    column: &ArrayRef,
    zone_of: &dyn Fn(usize) -> Zone,
    marks: &mut Marks,
) -> Cells<TimestampMicrosecondArray> {
    fn times<T: ArrowPrimitiveType<Native = i64>>(
        column: &ArrayRef,
        to_micros: impl Fn(i64) -> i64,
    ) -> TimestampMicrosecondArray {
        column.as_primitive::<T>().unary(to_micros)
    }
    let read = |row: usize, text: &str| Instant::parse(text, zone_of(row)).map_or(i64::MIN, Instant::micros);
    let instants = match column.data_type() {
        DataType::Null => TimestampMicrosecondArray::new_null(column.len()),
        DataType::Timestamp(TimeUnit::Microsecond, _) => column.as_primitive::<TimestampMicrosecondType>().clone(),
        DataType::Timestamp(TimeUnit::Second, _) => {
            times::<TimestampSecondType>(column, |seconds| seconds.saturating_mul(1_000_000))
        }
        DataType::Timestamp(TimeUnit::Millisecond, _) => {
            times::<TimestampMillisecondType>(column, |millis| millis.saturating_mul(1_000))
        }
        DataType::Timestamp(TimeUnit::Nanosecond, _) => {
            times::<TimestampNanosecondType>(column, |nanos| nanos.div_euclid(1_000))
        }
        DataType::Date32 => {
            let dates = column.as_primitive::<Date32Type>();
            let midnight = |row: usize, days: i32| {
                let date = Zone::UTC.date(Instant::from_micros(i64::from(days).saturating_mul(86_400_000_000)));
                read(row, &date.to_string())
            };
            dates.iter().enumerate().map(|(row, days)| days.map(|days| midnight(row, days))).collect()
        }
        _ => {
            let texts = any_texts(column)?;
            texts.iter().enumerate().map(|(row, text)| text.map(|text| read(row, text))).collect()
        }
    };
    for (row, micros) in instants.values().iter().enumerate() {
        if !SURE_MICROS.contains(micros) && instants.is_valid(row) {
            marks.odd(row);
        }
    }
    Ok(instants.with_timezone("UTC"))
}

/// A column of nothing but nulls, for one that a table does not have.
pub(crate) fn missing(rows: usize) -> ArrayRef {
    Arc::new(arrow_array::NullArray::new(rows))
}
