//! Resources as rows of an Arrow batch: borrowed, nothing copied but the flags.
//!
//! A [`Rows`] resolves every column once a batch; a [`Row`] is a batch and an index, and implements
//! the same traits as an owned record, so a rule cannot tell the two apart.

use std::ops::Range;

use arrow_array::cast::AsArray;
use arrow_array::types::{Decimal128Type, TimestampMicrosecondType, UInt8Type, UInt32Type};
use arrow_array::{
    Array, BooleanArray, Decimal128Array, ListArray, PrimitiveArray, StringArray, StructArray,
    TimestampMicrosecondArray, UInt8Array, UInt32Array,
};
use arrow_buffer::bit_chunk_iterator::BitChunks;
use arrow_schema::DataType;
use recoup_core::fact::{Figure, Flag, FlagSet, Moment, Text};
use recoup_core::money::{Amount, Currency, Number};
use recoup_core::record::ResourceRecord;
use recoup_core::resource::{Commitment, Order, Payment, PriceTerms, Resource, Term};
use recoup_core::time::{Instant, Zone};
use recoup_core::vocab::{
    Billing, Class, Instrument, InstrumentSet, OrderKind, OrderStatus, PaymentOption, Recurrence, Relation, Seller,
    Status, TermUnit,
};

use crate::names::Names;
use crate::schema::{DECIMAL, timestamp};

/// A batch that does not have the columns that the boundary asks for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SchemaError {
    /// A column is missing.
    #[error("the column {0:?} is missing")]
    Missing(String),
    /// A column has another type.
    #[error("the column {column:?} has the type {found}, expected {expected}")]
    WrongType {
        /// The column.
        column: String,
        /// Its type.
        found: String,
        /// What it should be.
        expected: String,
    },
    /// A column holds something that its vocabulary does not know, or nulls where none may be.
    #[error("the column {column:?}, row {row}: {what}")]
    WrongValue {
        /// The column.
        column: String,
        /// The row.
        row: usize,
        /// What is wrong.
        what: String,
    },
}

/// A struct array whose columns are looked up by name and checked by type.
pub(crate) struct Columns<'a> {
    array: &'a StructArray,
    path: String,
}

impl<'a> Columns<'a> {
    pub(crate) fn new(array: &'a StructArray, path: &str) -> Self {
        Self { array, path: path.to_owned() }
    }

    fn name(&self, column: &str) -> String {
        if self.path.is_empty() { column.to_owned() } else { format!("{}.{column}", self.path) }
    }

    fn column(&self, name: &str, expected: &DataType) -> Result<&'a dyn Array, SchemaError> {
        let array = self.array.column_by_name(name).ok_or_else(|| SchemaError::Missing(self.name(name)))?;
        let same = match (array.data_type(), expected) {
            (DataType::List(_), DataType::List(_)) | (DataType::Struct(_), DataType::Struct(_)) => true,
            (found, expected) => found == expected,
        };
        if same {
            Ok(array.as_ref())
        } else {
            Err(SchemaError::WrongType {
                column: self.name(name),
                found: array.data_type().to_string(),
                expected: expected.to_string(),
            })
        }
    }

    fn no_nulls(&self, name: &str, array: &dyn Array) -> Result<(), SchemaError> {
        // A row that is itself null (an absent struct) says nothing of its children.
        let rows = 0..array.len();
        match array.null_count() {
            0 => Ok(()),
            _ => match rows.into_iter().find(|row| array.is_null(*row) && self.array.is_valid(*row)) {
                Some(row) => Err(SchemaError::WrongValue {
                    column: self.name(name),
                    row,
                    what: "is null, which it may not be".to_owned(),
                }),
                None => Ok(()),
            },
        }
    }

    pub(crate) fn text(&self, name: &str) -> Result<&'a StringArray, SchemaError> {
        Ok(self.column(name, &DataType::Utf8)?.as_string())
    }

    pub(crate) fn required_text(&self, name: &str) -> Result<&'a StringArray, SchemaError> {
        let array = self.text(name)?;
        self.no_nulls(name, array)?;
        Ok(array)
    }

    pub(crate) fn boolean(&self, name: &str) -> Result<&'a BooleanArray, SchemaError> {
        Ok(self.column(name, &DataType::Boolean)?.as_boolean())
    }

    pub(crate) fn primitive<T: arrow_array::types::ArrowPrimitiveType>(
        &self,
        name: &str,
    ) -> Result<&'a PrimitiveArray<T>, SchemaError> {
        Ok(self.column(name, &T::DATA_TYPE)?.as_primitive())
    }

    pub(crate) fn required_primitive<T: arrow_array::types::ArrowPrimitiveType>(
        &self,
        name: &str,
    ) -> Result<&'a PrimitiveArray<T>, SchemaError> {
        let array = self.primitive(name)?;
        self.no_nulls(name, array)?;
        Ok(array)
    }

    pub(crate) fn decimal(&self, name: &str) -> Result<&'a Decimal128Array, SchemaError> {
        Ok(self.column(name, &DECIMAL)?.as_primitive::<Decimal128Type>())
    }

    pub(crate) fn required_decimal(&self, name: &str) -> Result<&'a Decimal128Array, SchemaError> {
        let array = self.decimal(name)?;
        self.no_nulls(name, array)?;
        Ok(array)
    }

    pub(crate) fn time(&self, name: &str) -> Result<&'a TimestampMicrosecondArray, SchemaError> {
        Ok(self.column(name, &timestamp())?.as_primitive::<TimestampMicrosecondType>())
    }

    pub(crate) fn required_time(&self, name: &str) -> Result<&'a TimestampMicrosecondArray, SchemaError> {
        let array = self.time(name)?;
        self.no_nulls(name, array)?;
        Ok(array)
    }

    /// A column of codes, every one of which the vocabulary knows.
    pub(crate) fn code<T>(
        &self,
        name: &str,
        from_code: impl Fn(u8) -> Option<T>,
        nullable: bool,
    ) -> Result<&'a UInt8Array, SchemaError> {
        let array = self.column(name, &DataType::UInt8)?.as_primitive::<UInt8Type>();
        if !nullable {
            self.no_nulls(name, array)?;
        }
        // Codes are numbered without gaps: where the largest is known, all are. A null's own value may
        // be anything, so only a valid one is a fault.
        let unknown = |code: &u8| from_code(*code).is_none();
        let largest = array.values().iter().max();
        if largest.is_some_and(unknown)
            && let Some((row, code)) =
                array.iter().enumerate().find_map(|(row, code)| code.filter(unknown).map(|code| (row, code)))
        {
            return Err(SchemaError::WrongValue {
                column: self.name(name),
                row,
                what: format!("{code} is not a known code"),
            });
        }
        Ok(array)
    }

    pub(crate) fn list(&self, name: &str) -> Result<(&'a ListArray, Columns<'a>), SchemaError> {
        let expected = DataType::List(std::sync::Arc::new(arrow_schema::Field::new(
            "item",
            DataType::Struct(arrow_schema::Fields::empty()),
            false,
        )));
        let array = self.column(name, &expected)?.as_list::<i32>();
        match array.values().as_struct_opt() {
            Some(values) => Ok((array, Columns::new(values, &format!("{}[]", self.name(name))))),
            None => Err(SchemaError::WrongType {
                column: self.name(name),
                found: array.data_type().to_string(),
                expected: "a list of structs".to_owned(),
            }),
        }
    }

    pub(crate) fn inner(&self, name: &str) -> Result<(&'a StructArray, Columns<'a>), SchemaError> {
        let array = self.column(name, &DataType::Struct(arrow_schema::Fields::empty()))?.as_struct();
        Ok((array, Columns::new(array, &self.name(name))))
    }
}

#[inline]
pub(crate) fn text_at(array: &StringArray, row: usize) -> Option<&str> {
    array.is_valid(row).then(|| array.value(row))
}

#[inline]
pub(crate) fn time_at(array: &TimestampMicrosecondArray, row: usize) -> Option<Instant> {
    array.is_valid(row).then(|| Instant::from_micros(array.value(row)))
}

#[inline]
pub(crate) fn amount_at(array: &Decimal128Array, row: usize) -> Option<Amount> {
    array.is_valid(row).then(|| Amount::from_units(array.value(row)))
}

#[inline]
pub(crate) fn number_at(array: &Decimal128Array, row: usize) -> Option<Number> {
    array.is_valid(row).then(|| Number::from_units(array.value(row)))
}

#[inline]
pub(crate) fn code_at<T>(array: &UInt8Array, row: usize, from_code: impl Fn(u8) -> Option<T>) -> Option<T> {
    if array.is_valid(row) { from_code(array.value(row)) } else { None }
}

/// The elements of a list, as a range of its values.
#[inline]
pub(crate) fn range_at(array: &ListArray, row: usize) -> Option<Range<usize>> {
    if array.is_null(row) {
        return None;
    }
    let offsets = array.value_offsets();
    let start = usize::try_from(*offsets.get(row)?).ok()?;
    let end = usize::try_from(*offsets.get(row + 1)?).ok()?;
    Some(start..end)
}

/// A column that is read for every row: its values and which of them are there, without the checks that
/// [`Array`] makes at every step.
struct Cells<'a, T> {
    values: &'a [T],
    nulls: Option<(&'a [u8], usize)>,
}

impl<'a, T: arrow_buffer::ArrowNativeType> Cells<'a, T> {
    fn new<A: arrow_array::types::ArrowPrimitiveType<Native = T>>(array: &'a PrimitiveArray<A>) -> Self {
        let nulls = array.nulls().filter(|nulls| nulls.null_count() > 0);
        Self { values: array.values(), nulls: nulls.map(|nulls| (nulls.validity(), nulls.offset())) }
    }

    #[inline]
    fn get(&self, row: usize) -> Option<T> {
        let value = self.values.get(row).copied();
        match self.nulls {
            None => value,
            Some((bits, offset)) => {
                let place = row + offset;
                value.filter(|_| bits.get(place / 8).is_some_and(|byte| byte >> (place % 8) & 1 == 1))
            }
        }
    }
}

impl<T: arrow_buffer::ArrowNativeType> Cells<'_, T> {
    /// Puts the cells of a range of rows where they belong, one after the other: a short loop a column.
    #[inline]
    fn spread<U>(&self, rows: Range<usize>, into: &mut [U], put: impl Fn(&mut U, Option<T>)) {
        match self.nulls {
            None => {
                let values = self.values.get(rows).unwrap_or_default();
                into.iter_mut().zip(values).for_each(|(place, value)| put(place, Some(*value)));
            }
            Some(_) => into.iter_mut().zip(rows).for_each(|(place, row)| put(place, self.get(row))),
        }
    }
}

impl Cells<'_, i64> {
    #[inline]
    fn time(&self, row: usize) -> Option<Instant> {
        self.get(row).map(Instant::from_micros)
    }
}

impl Cells<'_, i128> {
    #[inline]
    fn amount(&self, row: usize) -> Option<Amount> {
        self.get(row).map(Amount::from_units)
    }

    #[inline]
    fn number(&self, row: usize) -> Option<Number> {
        self.get(row).map(Number::from_units)
    }
}

impl Cells<'_, u8> {
    #[inline]
    fn code<T>(&self, row: usize, from_code: impl Fn(u8) -> Option<T>) -> Option<T> {
        self.get(row).and_then(from_code)
    }
}

/// The facts of a batch: flags gathered into two bit sets a row, everything else by column. A fact's code
/// is its place among the columns.
struct FactColumns<'a> {
    flags: Vec<FlagSet>,
    figures: Vec<Option<&'a Decimal128Array>>,
    texts: Vec<Option<&'a StringArray>>,
    moments: Vec<Option<&'a TimestampMicrosecondArray>>,
}

impl<'a> FactColumns<'a> {
    fn new(parent: &Columns<'a>) -> Result<Self, SchemaError> {
        fn put<T>(columns: &mut Vec<Option<T>>, code: u8, column: T) {
            let place = usize::from(code);
            if columns.len() <= place {
                columns.resize_with(place + 1, || None);
            }
            if let Some(slot) = columns.get_mut(place) {
                *slot = Some(column);
            }
        }
        let (array, columns) = parent.inner("facts")?;
        let mut facts = Self { flags: Vec::new(), figures: Vec::new(), texts: Vec::new(), moments: Vec::new() };
        let mut stated: Vec<(Flag, &BooleanArray)> = Vec::new();
        for name in array.column_names() {
            if let Ok(flag) = Flag::parse(name) {
                stated.push((flag, columns.boolean(name)?));
            } else if let Ok(figure) = Figure::parse(name) {
                put(&mut facts.figures, figure.code(), columns.decimal(name)?);
            } else if let Ok(text) = Text::parse(name) {
                put(&mut facts.texts, text.code(), columns.text(name)?);
            } else if let Ok(moment) = Moment::parse(name) {
                put(&mut facts.moments, moment.code(), columns.time(name)?);
            } else {
                // A host of a later version may state facts that this adapter has no rule for.
            }
        }
        facts.flags = flags_by_row(array.len(), &stated);
        Ok(facts)
    }

    #[inline]
    fn figure(&self, row: usize, figure: Figure) -> Option<Number> {
        let column = self.figures.get(usize::from(figure.code())).copied().flatten()?;
        number_at(column, row)
    }

    #[inline]
    fn text(&self, row: usize, text: Text) -> Option<&'a str> {
        let column = self.texts.get(usize::from(text.code())).copied().flatten()?;
        text_at(column, row)
    }

    #[inline]
    fn moment(&self, row: usize, moment: Moment) -> Option<Instant> {
        let column = self.moments.get(usize::from(moment.code())).copied().flatten()?;
        time_at(column, row)
    }
}

/// The flags of each row, out of a column for each flag. A block of 64 rows of 64 flags is a square of
/// bits, and turning it over costs a few operations a row, however many flags are stated.
fn flags_by_row(rows: usize, stated: &[(Flag, &BooleanArray)]) -> Vec<FlagSet> {
    const FEW: usize = 6;
    if stated.len() <= FEW {
        let mut bits = vec![(0_u128, 0_u128); rows];
        for (flag, column) in stated {
            for ((known, truth), value) in bits.iter_mut().zip(column.values()) {
                *known |= 1 << flag.code();
                *truth |= u128::from(value) << flag.code();
            }
            if let Some(nulls) = column.nulls() {
                for ((known, _), stated) in bits.iter_mut().zip(nulls) {
                    *known &= !(u128::from(!stated) << flag.code());
                }
            }
        }
        return bits.into_iter().map(|(known, truth)| FlagSet::from_bits(known, truth)).collect();
    }
    let chunks: Vec<_> = stated
        .iter()
        .map(|(flag, column)| {
            let known = column.nulls().map(|nulls| nulls.inner().bit_chunks());
            (usize::from(flag.code()), column.values().bit_chunks(), known)
        })
        .collect();
    let mut columns: Vec<_> = chunks
        .iter()
        .map(|(flag, truth, known)| (*flag, truth.iter_padded(), known.as_ref().map(BitChunks::iter_padded)))
        .collect();
    let stated_halves = [false, true].map(|high| stated.iter().any(|(flag, _)| (flag.code() >= 64) == high));
    let mut flags = Vec::with_capacity(rows);
    while flags.len() < rows {
        // For each half of the 128 flags: which are stated, and which are true.
        let mut halves = [([0_u64; 64], [0_u64; 64]), ([0_u64; 64], [0_u64; 64])];
        for (flag, truth, known) in &mut columns {
            let truth = truth.next().unwrap_or(0);
            let known = known.as_mut().map_or(u64::MAX, |known| known.next().unwrap_or(0));
            let (known_bits, truth_bits) = if *flag < 64 { &mut halves[0] } else { &mut halves[1] };
            if let (Some(known_word), Some(truth_word)) =
                (known_bits.get_mut(*flag % 64), truth_bits.get_mut(*flag % 64))
            {
                *known_word = known;
                *truth_word = truth;
            }
        }
        for (known, truth) in halves.iter_mut().zip(stated_halves).filter_map(|(half, stated)| stated.then_some(half)) {
            transpose(known);
            transpose(truth);
        }
        let [low, high] = &halves;
        let wide = |low: &u64, high: &u64| u128::from(*low) | u128::from(*high) << 64;
        let known = low.0.iter().zip(&high.0).map(|(low, high)| wide(low, high));
        let truth = low.1.iter().zip(&high.1).map(|(low, high)| wide(low, high));
        let left = rows - flags.len();
        flags.extend(known.zip(truth).take(left).map(|(known, truth)| FlagSet::from_bits(known, truth)));
    }
    flags
}

/// Turns a square of bits over: bit `column` of word `row` becomes bit `row` of word `column`.
pub(crate) fn transpose(square: &mut [u64; 64]) {
    // After Hacker's Delight, 7-3: swaps ever smaller blocks across the diagonal.
    let (mut width, mut mask) = (32, 0x0000_0000_FFFF_FFFF_u64);
    while width > 0 {
        for pair in square.chunks_exact_mut(2 * width) {
            let (upper, lower) = pair.split_at_mut(width);
            for (upper, lower) in upper.iter_mut().zip(lower) {
                let swapped = ((*upper >> width) ^ *lower) & mask;
                *lower ^= swapped;
                *upper ^= swapped << width;
            }
        }
        width /= 2;
        mask ^= mask << width;
    }
}

struct PaymentColumns<'a> {
    lists: &'a ListArray,
    instrument: Cells<'a, u8>,
    amount: Cells<'a, i128>,
    expires_at: Cells<'a, i64>,
}

struct OrderColumns<'a> {
    lists: &'a ListArray,
    id: &'a StringArray,
    kind: Cells<'a, u8>,
    status: Cells<'a, u8>,
    placed_at: Cells<'a, i64>,
    paid_at: Cells<'a, i64>,
    starts_at: Cells<'a, i64>,
    ends_at: Cells<'a, i64>,
    term_unit: Cells<'a, u8>,
    term_count: Cells<'a, u32>,
    quantity: Cells<'a, i128>,
    currency: Vec<Option<Currency>>,
    list_price: Cells<'a, i128>,
    due: Cells<'a, i128>,
    payments: PaymentColumns<'a>,
    facts: FactColumns<'a>,
}

impl<'a> OrderColumns<'a> {
    fn new(parent: &Columns<'a>) -> Result<Self, SchemaError> {
        let (lists, columns) = parent.list("orders")?;
        let (payments, payment) = columns.list("payments")?;
        Ok(Self {
            lists,
            id: columns.text("id")?,
            kind: Cells::new(columns.code("kind", OrderKind::from_code, false)?),
            status: Cells::new(columns.code("status", OrderStatus::from_code, false)?),
            placed_at: Cells::new(columns.time("placed_at")?),
            paid_at: Cells::new(columns.time("paid_at")?),
            starts_at: Cells::new(columns.time("starts_at")?),
            ends_at: Cells::new(columns.time("ends_at")?),
            term_unit: Cells::new(columns.code("term_unit", TermUnit::from_code, true)?),
            term_count: Cells::new(columns.primitive::<UInt32Type>("term_count")?),
            quantity: Cells::new(columns.decimal("quantity")?),
            currency: currencies(&columns, "currency")?,
            list_price: Cells::new(columns.decimal("list_price")?),
            due: Cells::new(columns.decimal("due")?),
            payments: PaymentColumns {
                lists: payments,
                instrument: Cells::new(payment.code("instrument", Instrument::from_code, false)?),
                amount: Cells::new(payment.required_decimal("amount")?),
                expires_at: Cells::new(payment.time("expires_at")?),
            },
            facts: FactColumns::new(&columns)?,
        })
    }
}

/// A column of currency codes. There are few different ones, so each is looked up once.
fn currencies(columns: &Columns<'_>, name: &str) -> Result<Vec<Option<Currency>>, SchemaError> {
    let array = columns.text(name)?;
    if array.null_count() == array.len() {
        return Ok(vec![None; array.len()]);
    }
    let all_there = array.null_count() == 0;
    let mut seen: Vec<([u8; 3], Currency)> = Vec::new();
    let mut out = Vec::with_capacity(array.len());
    for row in 0..array.len() {
        if !all_there && array.is_null(row) {
            out.push(None);
            continue;
        }
        let text = array.value(row);
        let code: Option<[u8; 3]> = text.as_bytes().try_into().ok();
        let known = code.and_then(|code| seen.iter().find(|(known, _)| *known == code));
        out.push(Some(match known {
            Some((_, currency)) => *currency,
            None => {
                let currency: Currency = text.parse().map_err(|error: recoup_core::money::UnknownCurrency| {
                    SchemaError::WrongValue { column: columns.name(name), row, what: error.to_string() }
                })?;
                seen.extend(code.map(|code| (code, currency)));
                currency
            }
        }));
    }
    Ok(out)
}

struct CommitmentColumns<'a> {
    array: &'a StructArray,
    term_months: &'a UInt32Array,
    payment_option: &'a UInt8Array,
    hourly: &'a Decimal128Array,
    currency: Vec<Option<Currency>>,
    upfront: &'a Decimal128Array,
    recurring: &'a Decimal128Array,
    recurring_every: &'a UInt8Array,
    class: &'a UInt8Array,
    unit: &'a StringArray,
    total_units: &'a Decimal128Array,
    used_units: &'a Decimal128Array,
    used_fraction: &'a Decimal128Array,
}

impl<'a> CommitmentColumns<'a> {
    fn new(parent: &Columns<'a>) -> Result<Self, SchemaError> {
        let (array, columns) = parent.inner("commitment")?;
        Ok(Self {
            array,
            term_months: columns.primitive::<UInt32Type>("term_months")?,
            payment_option: columns.code("payment_option", PaymentOption::from_code, true)?,
            hourly: columns.decimal("hourly")?,
            currency: currencies(&columns, "currency")?,
            upfront: columns.decimal("upfront")?,
            recurring: columns.decimal("recurring")?,
            recurring_every: columns.code("recurring_every", Recurrence::from_code, true)?,
            class: columns.code("class", Class::from_code, true)?,
            unit: columns.text("unit")?,
            total_units: columns.decimal("total_units")?,
            used_units: columns.decimal("used_units")?,
            used_fraction: columns.decimal("used_fraction")?,
        })
    }
}

/// The prices that resources state, with their rows: few do, so these are read once.
fn price_terms(column: &StringArray) -> Result<Vec<(usize, PriceTerms)>, SchemaError> {
    let mut stated = Vec::new();
    if column.null_count() == column.len() {
        return Ok(stated);
    }
    for (row, text) in column.iter().enumerate() {
        let Some(text) = text else { continue };
        match serde_json::from_str::<PriceTerms>(text) {
            Ok(terms) if !terms.has_negative() => stated.push((row, terms)),
            // Not as hosts write them: with numbers for decimals, say. The reader of records understands more, and
            // says what is wrong.
            _ => stated.extend(price_terms_of_a_record(text, row)?.map(|terms| (row, terms))),
        }
    }
    Ok(stated)
}

#[cold]
fn price_terms_of_a_record(text: &str, row: usize) -> Result<Option<PriceTerms>, SchemaError> {
    let wrong = |what: String| SchemaError::WrongValue { column: "price_terms".to_owned(), row, what };
    let json: serde_json::Value = serde_json::from_str(text).map_err(|error| wrong(error.to_string()))?;
    let stub = serde_json::json!({"provider": "-", "id": "-", "product": "-", "billing": "subscription", "status": "active", "price_terms": json});
    let read = ResourceRecord::from_json(&stub, &|_, _| Some(Zone::UTC)).map_err(|error| wrong(error.to_string()))?;
    Ok(read.record.price_terms)
}

/// A batch of resources, its columns resolved.
pub struct Rows<'a> {
    len: usize,
    pub(crate) sites: Names<'a>,
    pub(crate) accounts: Names<'a>,
    id: &'a StringArray,
    pub(crate) products: Names<'a>,
    region: &'a StringArray,
    billing: Cells<'a, u8>,
    seller: Cells<'a, u8>,
    status: Cells<'a, u8>,
    purchased_at: Cells<'a, i64>,
    starts_at: Cells<'a, i64>,
    ends_at: Cells<'a, i64>,
    primary: &'a StringArray,
    relation: Cells<'a, u8>,
    bundle: &'a StringArray,
    quantity: Cells<'a, i128>,
    commitment: CommitmentColumns<'a>,
    price_terms: Vec<(usize, PriceTerms)>,
    orders: OrderColumns<'a>,
    facts: FactColumns<'a>,
    at: Option<&'a TimestampMicrosecondArray>,
}

impl std::fmt::Debug for Rows<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Rows").field("len", &self.len).finish_non_exhaustive()
    }
}

impl<'a> Rows<'a> {
    /// Resolves a batch's columns.
    ///
    /// # Errors
    /// Where a column is missing, has another type, or holds a code that its vocabulary does not know.
    pub fn new(array: &'a StructArray) -> Result<Self, SchemaError> {
        let columns = Columns::new(array, "");
        Ok(Self {
            len: array.len(),
            sites: Names::of(columns.text("site")?),
            accounts: Names::of(columns.text("account")?),
            id: columns.required_text("id")?,
            products: Names::of(columns.required_text("product")?),
            region: columns.text("region")?,
            billing: Cells::new(columns.code("billing", Billing::from_code, false)?),
            seller: Cells::new(columns.code("seller", Seller::from_code, true)?),
            status: Cells::new(columns.code("status", Status::from_code, false)?),
            purchased_at: Cells::new(columns.time("purchased_at")?),
            starts_at: Cells::new(columns.time("starts_at")?),
            ends_at: Cells::new(columns.time("ends_at")?),
            primary: columns.text("primary")?,
            relation: Cells::new(columns.code("relation", Relation::from_code, true)?),
            bundle: columns.text("bundle")?,
            quantity: Cells::new(columns.decimal("quantity")?),
            commitment: CommitmentColumns::new(&columns)?,
            price_terms: price_terms(columns.text("price_terms")?)?,
            orders: OrderColumns::new(&columns)?,
            facts: FactColumns::new(&columns)?,
            at: match array.column_by_name("at") {
                Some(_) => Some(columns.time("at")?),
                None => None,
            },
        })
    }

    /// How many resources there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// A resource. The index must be below [`len`](Self::len).
    #[must_use]
    #[inline]
    pub fn row(&self, index: usize) -> Row<'_> {
        let mut row = Row { block: 1, ..self.scratch() };
        row.load(index);
        row
    }

    /// Memory for one resource after the other.
    pub(crate) fn scratch(&self) -> Row<'_> {
        Row { rows: self, index: 0, head: Head::NONE, block: BLOCK, gathered: Gathered::default() }
    }

    /// The instant at which a resource is to be assessed, where the batch gives each its own.
    #[must_use]
    #[inline]
    pub fn at(&self, index: usize) -> Option<Instant> {
        self.at.and_then(|column| time_at(column, index))
    }
}

/// How many resources are gathered at a time: few enough that they stay near the processor.
const BLOCK: usize = 256;

/// A resource of a batch. Rules ask most things many times, so what they always ask is gathered out of the
/// columns once; the rest stays where it is until somebody asks.
#[derive(Debug, Clone)]
pub struct Row<'a> {
    rows: &'a Rows<'a>,
    index: usize,
    head: Head,
    /// How many resources are gathered at a time.
    block: usize,
    gathered: Gathered,
}

/// What every rule asks of a resource itself.
#[derive(Debug, Clone, Copy)]
struct Head {
    billing: Billing,
    seller: Seller,
    status: Status,
    relation: Option<Relation>,
    starts_at: Option<Instant>,
    ends_at: Option<Instant>,
    flags: FlagSet,
    /// Its orders among those gathered; none where they are unknown.
    orders: Option<(usize, usize)>,
}

impl Head {
    const NONE: Self = Self {
        billing: Billing::Subscription,
        seller: Seller::Provider,
        status: Status::Active,
        relation: None,
        starts_at: None,
        ends_at: None,
        flags: FlagSet::EMPTY,
        orders: None,
    };
}

/// What every rule asks of an order.
#[derive(Debug, Clone, Copy)]
struct OrderHead {
    /// Its place among the orders of the batch.
    index: usize,
    kind: OrderKind,
    status: OrderStatus,
    currency: Option<Currency>,
    starts_at: Option<Instant>,
    ends_at: Option<Instant>,
    flags: FlagSet,
    /// Its payments among those gathered; none where they are unknown.
    payments: Option<(usize, usize)>,
    paid_with: InstrumentSet,
}

/// A block of resources, with their orders and payments.
#[derive(Debug, Clone, Default)]
struct Gathered {
    /// The place of the first resource.
    from: usize,
    heads: Vec<Head>,
    orders: Vec<OrderHead>,
    payments: Vec<Payment>,
}

impl Gathered {
    #[inline]
    fn head(&self, index: usize) -> Option<Head> {
        self.heads.get(index.checked_sub(self.from)?).copied()
    }

    fn gather(&mut self, rows: &Rows<'_>, from: usize, to: usize) {
        let columns = &rows.orders;
        let orders = bounds(columns.lists, from, to);
        let payments = bounds(columns.payments.lists, orders.start, orders.end);
        self.from = from;
        self.gather_heads(rows, from..to, orders.start);
        self.gather_payments(&columns.payments, payments.clone());
        self.gather_orders(columns, orders, payments.start);
    }

    fn gather_heads(&mut self, rows: &Rows<'_>, range: Range<usize>, first_order: usize) {
        let flags = rows.facts.flags.get(range.clone()).unwrap_or_default();
        let lists = rows.orders.lists;
        self.heads.clear();
        self.heads.extend(range.clone().zip(flags).map(|(index, flags)| Head {
            flags: *flags,
            orders: range_at(lists, index).map(|own| (own.start - first_order, own.end - first_order)),
            ..Head::NONE
        }));
        let heads = self.heads.as_mut_slice();
        rows.billing.spread(range.clone(), heads, |head, code| {
            head.billing = code.and_then(Billing::from_code).unwrap_or(Billing::Subscription);
        });
        rows.seller.spread(range.clone(), heads, |head, code| {
            head.seller = code.and_then(Seller::from_code).unwrap_or(Seller::Provider);
        });
        rows.status.spread(range.clone(), heads, |head, code| {
            head.status = code.and_then(Status::from_code).unwrap_or(Status::Active);
        });
        rows.relation.spread(range.clone(), heads, |head, code| head.relation = code.and_then(Relation::from_code));
        rows.starts_at.spread(range.clone(), heads, |head, time| head.starts_at = time.map(Instant::from_micros));
        rows.ends_at.spread(range, heads, |head, time| head.ends_at = time.map(Instant::from_micros));
    }

    /// The payments must have been gathered before.
    fn gather_orders(&mut self, columns: &OrderColumns<'_>, range: Range<usize>, first_payment: usize) {
        let flags = columns.facts.flags.get(range.clone()).unwrap_or_default();
        let currencies = columns.currency.get(range.clone()).unwrap_or_default();
        let (lists, all) = (columns.payments.lists, self.payments.as_slice());
        self.orders.clear();
        self.orders.extend(range.clone().zip(flags).zip(currencies).map(|((index, flags), currency)| {
            let payments = range_at(lists, index).map(|own| (own.start - first_payment, own.end - first_payment));
            let own = payments.and_then(|(begin, end)| all.get(begin..end)).unwrap_or_default();
            let positive = own.iter().filter(|payment| payment.amount.is_positive());
            OrderHead {
                index,
                kind: OrderKind::Purchase,
                status: OrderStatus::Paid,
                currency: *currency,
                starts_at: None,
                ends_at: None,
                flags: *flags,
                payments,
                paid_with: positive.fold(InstrumentSet::NONE, |all, payment| all.with(payment.instrument)),
            }
        }));
        let orders = self.orders.as_mut_slice();
        columns.kind.spread(range.clone(), orders, |order, code| {
            order.kind = code.and_then(OrderKind::from_code).unwrap_or(OrderKind::Purchase);
        });
        columns.status.spread(range.clone(), orders, |order, code| {
            order.status = code.and_then(OrderStatus::from_code).unwrap_or(OrderStatus::Paid);
        });
        columns.starts_at.spread(range.clone(), orders, |order, time| order.starts_at = time.map(Instant::from_micros));
        columns.ends_at.spread(range, orders, |order, time| order.ends_at = time.map(Instant::from_micros));
    }

    fn gather_payments(&mut self, columns: &PaymentColumns<'_>, range: Range<usize>) {
        let nothing = Payment { instrument: Instrument::Cash, amount: Amount::ZERO, expires_at: None };
        self.payments.clear();
        self.payments.resize(range.len(), nothing);
        let payments = self.payments.as_mut_slice();
        columns.instrument.spread(range.clone(), payments, |payment, code| {
            payment.instrument = code.and_then(Instrument::from_code).unwrap_or(Instrument::Cash);
        });
        columns.amount.spread(range.clone(), payments, |payment, units| {
            payment.amount = units.map_or(Amount::ZERO, Amount::from_units);
        });
        columns.expires_at.spread(range, payments, |payment, time| payment.expires_at = time.map(Instant::from_micros));
    }
}

/// Where the elements of all lists of some rows lie.
fn bounds(lists: &ListArray, from: usize, to: usize) -> Range<usize> {
    let place = |row: usize| lists.value_offsets().get(row).and_then(|offset| usize::try_from(*offset).ok());
    place(from).unwrap_or(0)..place(to).unwrap_or(0)
}

impl Row<'_> {
    /// Turns to another resource.
    #[inline]
    pub(crate) fn load(&mut self, index: usize) {
        self.index = index;
        if self.gathered.head(index).is_none() {
            let to = index.saturating_add(self.block).min(self.rows.len);
            self.gathered.gather(self.rows, index.min(to), to);
        }
        self.head = self.gathered.head(index).unwrap_or(Head::NONE);
    }
}

impl Row<'_> {
    #[inline]
    fn order_rows(&self, (begin, end): (usize, usize)) -> impl ExactSizeIterator<Item = OrderRow<'_>> + '_ {
        let (columns, payments) = (&self.rows.orders, self.gathered.payments.as_slice());
        let own = self.gathered.orders.get(begin..end).unwrap_or_default();
        own.iter().map(move |order| OrderRow { columns, order, payments })
    }
}

/// An order of a batch.
#[derive(Clone, Copy)]
pub struct OrderRow<'a> {
    columns: &'a OrderColumns<'a>,
    order: &'a OrderHead,
    /// The payments gathered, its own among them.
    payments: &'a [Payment],
}

impl std::fmt::Debug for OrderRow<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OrderRow").field("index", &self.order.index).finish_non_exhaustive()
    }
}

impl Order for OrderRow<'_> {
    #[inline]
    fn id(&self) -> Option<&str> {
        text_at(self.columns.id, self.order.index)
    }
    #[inline]
    fn kind(&self) -> OrderKind {
        self.order.kind
    }
    #[inline]
    fn status(&self) -> OrderStatus {
        self.order.status
    }
    #[inline]
    fn placed_at(&self) -> Option<Instant> {
        self.columns.placed_at.time(self.order.index)
    }
    #[inline]
    fn paid_at(&self) -> Option<Instant> {
        self.columns.paid_at.time(self.order.index)
    }
    #[inline]
    fn starts_at(&self) -> Option<Instant> {
        self.order.starts_at
    }
    #[inline]
    fn ends_at(&self) -> Option<Instant> {
        self.order.ends_at
    }
    #[inline]
    fn term(&self) -> Option<Term> {
        let unit = self.columns.term_unit.code(self.order.index, TermUnit::from_code)?;
        self.columns.term_count.get(self.order.index).map(|count| Term { unit, count })
    }
    #[inline]
    fn quantity(&self) -> Option<Number> {
        self.columns.quantity.number(self.order.index)
    }
    #[inline]
    fn currency(&self) -> Option<Currency> {
        self.order.currency
    }
    #[inline]
    fn list_price(&self) -> Option<Amount> {
        self.columns.list_price.amount(self.order.index)
    }
    #[inline]
    fn due(&self) -> Option<Amount> {
        self.columns.due.amount(self.order.index)
    }
    #[inline]
    fn payments(&self) -> Option<impl Iterator<Item = Payment> + '_> {
        let (begin, end) = self.order.payments?;
        Some(self.payments.get(begin..end).unwrap_or_default().iter().copied())
    }
    #[inline]
    fn paid_with(&self) -> InstrumentSet {
        self.order.paid_with
    }
    #[inline]
    fn flags(&self) -> FlagSet {
        self.order.flags
    }
    #[inline]
    fn figure(&self, figure: Figure) -> Option<Number> {
        self.columns.facts.figure(self.order.index, figure)
    }
}

impl Resource for Row<'_> {
    type Order<'a>
        = OrderRow<'a>
    where
        Self: 'a;

    #[inline]
    fn site(&self) -> Option<&str> {
        self.rows.sites.get(self.index)
    }
    #[inline]
    fn account(&self) -> Option<&str> {
        self.rows.accounts.get(self.index)
    }
    #[inline]
    fn id(&self) -> &str {
        text_at(self.rows.id, self.index).unwrap_or_default()
    }
    #[inline]
    fn product(&self) -> &str {
        self.rows.products.get(self.index).unwrap_or_default()
    }
    #[inline]
    fn region(&self) -> Option<&str> {
        text_at(self.rows.region, self.index)
    }
    #[inline]
    fn billing(&self) -> Billing {
        self.head.billing
    }
    #[inline]
    fn seller(&self) -> Seller {
        self.head.seller
    }
    #[inline]
    fn status(&self) -> Status {
        self.head.status
    }
    #[inline]
    fn purchased_at(&self) -> Option<Instant> {
        self.rows.purchased_at.time(self.index)
    }
    #[inline]
    fn starts_at(&self) -> Option<Instant> {
        self.head.starts_at
    }
    #[inline]
    fn ends_at(&self) -> Option<Instant> {
        self.head.ends_at
    }
    #[inline]
    fn primary(&self) -> Option<&str> {
        text_at(self.rows.primary, self.index)
    }
    #[inline]
    fn relation(&self) -> Option<Relation> {
        self.head.relation
    }
    #[inline]
    fn bundle(&self) -> Option<&str> {
        text_at(self.rows.bundle, self.index)
    }
    #[inline]
    fn quantity(&self) -> Number {
        self.rows.quantity.number(self.index).unwrap_or(Number::ONE)
    }
    #[inline]
    fn commitment(&self) -> Option<Commitment<'_>> {
        let (columns, row) = (&self.rows.commitment, self.index);
        columns.array.is_valid(row).then(|| Commitment {
            term_months: columns.term_months.is_valid(row).then(|| columns.term_months.value(row)),
            payment_option: code_at(columns.payment_option, row, PaymentOption::from_code),
            hourly: number_at(columns.hourly, row),
            currency: columns.currency.get(row).copied().flatten(),
            upfront: amount_at(columns.upfront, row),
            recurring: amount_at(columns.recurring, row),
            recurring_every: code_at(columns.recurring_every, row, Recurrence::from_code),
            class: code_at(columns.class, row, Class::from_code),
            unit: text_at(columns.unit, row),
            total_units: number_at(columns.total_units, row),
            used_units: number_at(columns.used_units, row),
            used_fraction: number_at(columns.used_fraction, row),
        })
    }
    #[inline]
    fn price_terms(&self) -> Option<&PriceTerms> {
        let terms = &self.rows.price_terms;
        let place = terms.binary_search_by_key(&self.index, |(row, _)| *row).ok()?;
        terms.get(place).map(|(_, terms)| terms)
    }
    #[inline]
    fn orders(&self) -> Option<impl ExactSizeIterator<Item = Self::Order<'_>> + '_> {
        self.head.orders.map(|range| self.order_rows(range))
    }
    #[inline]
    fn known_orders(&self) -> impl Iterator<Item = Self::Order<'_>> + '_ {
        self.order_rows(self.head.orders.unwrap_or((0, 0)))
    }
    #[inline]
    fn flags(&self) -> FlagSet {
        self.head.flags
    }
    #[inline]
    fn figure(&self, figure: Figure) -> Option<Number> {
        self.rows.facts.figure(self.index, figure)
    }
    #[inline]
    fn text(&self, text: Text) -> Option<&str> {
        self.rows.facts.text(self.index, text)
    }
    #[inline]
    fn moment(&self, moment: Moment) -> Option<Instant> {
        self.rows.facts.moment(self.index, moment)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn prices_are_read_as_hosts_write_them_and_as_records_state_them() {
        let texts = [
            Some(r#"{"currency":"USD","unit_price":"0.5","components":[{"hourly":[{"price":"1"}]}]}"#),
            None,
            Some(
                r#"{"currency":"USD","unit_price":0.5,"components":[{"name":null,"hourly":[{"price":1}]}],"rate":null}"#,
            ),
        ];
        let stated = price_terms(&StringArray::from(texts.to_vec())).unwrap();
        let [(0, own), (2, other)] = stated.as_slice() else { panic!("{stated:?}") };
        assert_eq!(own, other);
        for wrong in [
            r#"{"unit_price":"much"}"#,
            r#"{"daily":"-1"}"#,
            r#"{"components":[{"hourly":[{"price":"-1"}]}]}"#,
            r#"{"discounts":[{"from_months":"12","rate":"-0.9"}]}"#,
        ] {
            let wrong = price_terms(&StringArray::from(vec![None, Some(wrong)])).unwrap_err();
            assert!(wrong.to_string().starts_with("the column \"price_terms\", row 1: "), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn flags_of_a_row_are_those_of_its_columns(
            rows in prop::collection::vec(prop::collection::vec(prop::option::of(any::<bool>()), 5), 0..200),
            skip in 0_usize..70,
        ) {
            let flags = [0, 1, 31, 32, Flag::ALL.len() - 1].map(|place| Flag::ALL[place]);
            let skip = skip.min(rows.len());
            let columns: Vec<BooleanArray> = (0..flags.len())
                .map(|flag| BooleanArray::from(rows.iter().map(|row| row[flag]).collect::<Vec<_>>()).slice(skip, rows.len() - skip))
                .collect();
            let stated: Vec<(Flag, &BooleanArray)> = flags.into_iter().zip(&columns).collect();
            let gathered = flags_by_row(rows.len() - skip, &stated);
            prop_assert_eq!(gathered.len(), rows.len() - skip);
            for (row, found) in rows.iter().skip(skip).zip(gathered) {
                let mut expected = FlagSet::EMPTY;
                for (flag, value) in flags.into_iter().zip(row) {
                    if let Some(value) = value {
                        expected.set(flag, *value);
                    }
                }
                prop_assert_eq!(found, expected);
            }
        }
    }
}
