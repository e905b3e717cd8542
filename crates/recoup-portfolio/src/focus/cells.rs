//! Cells of a row, whatever the file is made of, and the values in them.

use std::borrow::Cow;

use arrow_array::cast::AsArray;
use arrow_array::types::{Decimal256Type, Float32Type, Float64Type};
use arrow_array::{Array, RecordBatch};
use arrow_schema::DataType;
use recoup_core::money::{Amount, Currency, Number, SCALE};
use recoup_core::time::{Instant, Zone};
use serde_json::Value;

use super::columns::{Column, Layout};
use crate::rows;

/// A row.
pub(crate) enum Row<'r> {
    Csv(&'r csv::StringRecord),
    Parquet(&'r RecordBatch, usize),
}

/// A row with its layout.
pub(crate) struct Cells<'r> {
    pub(crate) layout: &'r Layout,
    pub(crate) row: Row<'r>,
}

/// What exporters write for a cell without a value.
fn is_null(text: &str) -> bool {
    text.is_empty() || text.eq_ignore_ascii_case("null") || text == "\\N"
}

impl Cells<'_> {
    /// The text of a cell; none where the column or the value is missing.
    pub(crate) fn text(&self, column: Column) -> Result<Option<Cow<'_, str>>, String> {
        let Some(place) = self.layout.place(column) else { return Ok(None) };
        let text = match &self.row {
            Row::Csv(record) => record.get(place).map(Cow::Borrowed),
            Row::Parquet(batch, row) => match batch.columns().get(place) {
                Some(array) => text_of(array.as_ref(), *row).map_err(|what| format!("\"{}\": {what}", column.id()))?,
                None => None,
            },
        };
        Ok(text
            .map(|text| match text {
                Cow::Borrowed(text) => Cow::Borrowed(text.trim()),
                Cow::Owned(text) => Cow::Owned(text.trim().to_owned()),
            })
            .filter(|text| !is_null(text)))
    }

    /// The text of a cell, to keep.
    pub(crate) fn owned(&self, column: Column) -> Result<Option<String>, String> {
        Ok(self.text(column)?.map(Cow::into_owned))
    }

    fn parsed<T>(&self, column: Column, parse: impl FnOnce(&str) -> Result<T, String>) -> Result<Option<T>, String> {
        let Some(text) = self.text(column)? else { return Ok(None) };
        parse(&text).map(Some).map_err(|what| format!("\"{}\": {what}", column.id()))
    }

    pub(crate) fn amount(&self, column: Column) -> Result<Option<Amount>, String> {
        self.parsed(column, |text| without_tail(text).parse().map_err(|_| no_decimal(text)))
    }

    pub(crate) fn number(&self, column: Column) -> Result<Option<Number>, String> {
        self.parsed(column, |text| without_tail(text).parse().map_err(|_| no_decimal(text)))
    }

    pub(crate) fn currency(&self, column: Column) -> Result<Option<Currency>, String> {
        self.parsed(column, |text| text.to_ascii_uppercase().parse::<Currency>().map_err(|error| error.to_string()))
    }

    pub(crate) fn instant(&self, column: Column) -> Result<Option<Instant>, String> {
        self.parsed(column, instant)
    }
}

fn no_decimal(text: &str) -> String {
    let shown: String = text.chars().take(60).collect();
    format!("{shown:?} is not a decimal such as \"80.00\" (at most 10^15, at most {SCALE} decimal places)")
}

/// A decimal without the zeros at its end, of which exporters write more than any amount has.
fn without_tail(text: &str) -> &str {
    if !text.contains('.') || text.contains(['e', 'E']) {
        return text;
    }
    text.trim_end_matches('0').trim_end_matches('.')
}

/// An instant as exporters write it. FOCUS has all instants in UTC, so one without an offset is.
fn instant(text: &str) -> Result<Instant, String> {
    let plain = text.strip_suffix(" UTC").unwrap_or(text);
    // `2024-09-04T05:00Z`, without seconds, is what ISO 8601 allows and some exporters write.
    let longer = plain.strip_suffix('Z').filter(|rest| rest.len() == 16).map(|rest| format!("{rest}:00Z"));
    let plain = longer.as_deref().unwrap_or(plain);
    Instant::parse(plain, Zone::UTC)
        .or_else(|error| Instant::parse_local(plain.trim_end_matches('Z'), Zone::UTC).map_err(|_| error))
        .map_err(|error| error.to_string())
}

/// The shortest decimal that a float stands for; digits finer than amounts carry are noise of the
/// float and cut.
fn shortest(text: &str) -> Result<Option<Cow<'static, str>>, String> {
    if text.bytes().any(|byte| byte.is_ascii_alphabetic()) {
        return Err(format!("{text} is not a decimal"));
    }
    let whole = text.find('.').map_or(text.len(), |point| point + 1 + SCALE as usize);
    Ok(Some(Cow::Owned(text.get(..whole).unwrap_or(text).to_owned())))
}

fn text_of(array: &dyn Array, row: usize) -> Result<Option<Cow<'_, str>>, String> {
    if array.is_null(row) {
        return Ok(None);
    }
    match array.data_type() {
        DataType::Utf8 => Ok(Some(Cow::Borrowed(array.as_string::<i32>().value(row)))),
        DataType::LargeUtf8 => Ok(Some(Cow::Borrowed(array.as_string::<i64>().value(row)))),
        DataType::Utf8View => Ok(Some(Cow::Borrowed(array.as_string_view().value(row)))),
        DataType::Float64 => shortest(&array.as_primitive::<Float64Type>().value(row).to_string()),
        DataType::Float32 => shortest(&array.as_primitive::<Float32Type>().value(row).to_string()),
        DataType::Decimal256(_, _) => Ok(Some(Cow::Owned(array.as_primitive::<Decimal256Type>().value_as_string(row)))),
        DataType::Dictionary(_, _) => {
            let array = array.as_any_dictionary();
            let key = array.normalized_keys().get(row).copied().unwrap_or_default();
            text_of(array.values().as_ref(), key)
        }
        _ => Ok(match rows::value(array, row)? {
            Value::Null => None,
            Value::String(text) => Some(Cow::Owned(text)),
            other => Some(Cow::Owned(other.to_string())),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_as_exporters_write_them() {
        for text in [
            "2024-09-04T05:00:00Z",
            "2024-09-04T05:00:00.000Z",
            "2024-09-04T05:00Z",
            "2024-09-04 05:00:00",
            "2024-09-04 05:00:00 UTC",
            "2024-09-04 05:00:00.000",
            "2024-09-04T05:00:00",
            "2024-09-04T07:00:00+02:00",
        ] {
            assert_eq!(instant(text).unwrap().display(Zone::UTC).to_string(), "2024-09-04T05:00:00Z", "{text}");
        }
        assert_eq!(instant("2024-09-04").unwrap().display(Zone::UTC).to_string(), "2024-09-04T00:00:00Z");
        assert!(instant("9/4/2024").is_err());
    }

    #[test]
    fn amounts_lose_nothing_but_zeros_at_their_end() {
        for (text, expected) in [
            ("1234567890123.000000000000000000", "1234567890123"),
            ("-0.50000", "-0.5"),
            ("100", "100"),
            ("1E-7", "1E-7"),
            ("0.000", "0"),
        ] {
            assert_eq!(without_tail(text), expected);
        }
    }

    #[test]
    fn a_float_is_its_shortest_decimal() {
        assert_eq!(shortest(&0.1_f64.to_string()).unwrap().unwrap(), "0.1");
        assert_eq!(shortest(&1.234_567_890_123_456_7e-5_f64.to_string()).unwrap().unwrap(), "0.000012345678901234");
        assert_eq!(shortest(&1e15_f64.to_string()).unwrap().unwrap(), "1000000000000000");
        assert!(shortest(&f64::NAN.to_string()).is_err());
    }
}
