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
use arrow_buffer::NullBuffer;
use arrow_buffer::bit_chunk_iterator::BitChunks;
use arrow_schema::DataType;
use recoup_core::fact::{Figure, Flag, FlagSet, Moment, Text};
use recoup_core::money::{Amount, Currency, Number};
use recoup_core::resource::{Commitment, Order, Payment, PriceTerms, Resource, Term};
use recoup_core::time::Instant;
use recoup_core::vocab::{
    Billing, Class, Instrument, InstrumentSet, OrderKind, OrderStatus, PaymentOption, Recurrence, Relation, Seller,
    Status, TermUnit,
};

use crate::names::Names;
use crate::prices::PriceColumns;
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

    /// Decimals of which none is below zero.
    pub(crate) fn positive(&self, name: &str) -> Result<&'a Decimal128Array, SchemaError> {
        let array = self.decimal(name)?;
        let is_negative = |row: &usize| array.is_valid(*row) && array.value(*row) < 0;
        // What stands in a null's place may be anything, and mostly nothing is negative there either.
        let suspicious = array.values().iter().any(|units| *units < 0);
        match suspicious.then(|| (0..array.len()).find(is_negative)).flatten() {
            Some(row) => Err(SchemaError::WrongValue {
                column: self.name(name),
                row,
                what: "is negative, which a price may not be".to_owned(),
            }),
            None => Ok(array),
        }
    }

    pub(crate) fn required_positive(&self, name: &str) -> Result<&'a Decimal128Array, SchemaError> {
        let array = self.positive(name)?;
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

/// A column of which only some rows are read: its values and which of them are there, without the checks that
/// [`Array`] makes at every step.
struct Cells<'a, T> {
    values: &'a [T],
    nulls: Option<&'a NullBuffer>,
}

impl<'a, T: arrow_buffer::ArrowNativeType> Cells<'a, T> {
    fn new<A: arrow_array::types::ArrowPrimitiveType<Native = T>>(array: &'a PrimitiveArray<A>) -> Self {
        Self { values: array.values(), nulls: array.nulls().filter(|nulls| nulls.null_count() > 0) }
    }

    #[inline]
    fn get(&self, row: usize) -> Option<T> {
        let value = self.values.get(row).copied()?;
        self.nulls.is_none_or(|nulls| nulls.is_valid(row)).then_some(value)
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

/// A column that rules ask about in nearly every row, made what they ask for once a batch: a short loop over 64
/// cells and the word of bits that says which of them are there.
fn made<A, T>(array: &PrimitiveArray<A>, missing: T, make: impl Fn(A::Native) -> T) -> Vec<T>
where
    A: arrow_array::types::ArrowPrimitiveType,
    T: Copy,
{
    let values: &[A::Native] = array.values();
    if array.null_count() == array.len() {
        return vec![missing; array.len()];
    }
    let Some(nulls) = array.nulls().filter(|nulls| nulls.null_count() > 0) else {
        return values.iter().map(|value| make(*value)).collect();
    };
    let mut cells = Vec::with_capacity(values.len());
    for (block, there) in values.chunks(64).zip(nulls.inner().bit_chunks().iter_padded()) {
        match there {
            u64::MAX => cells.extend(block.iter().map(|value| make(*value))),
            0 => cells.resize(cells.len() + block.len(), missing),
            mut there => cells.extend(block.iter().map(|value| {
                let is_there = there & 1 == 1;
                there >>= 1;
                if is_there { make(*value) } else { missing }
            })),
        }
    }
    cells
}

fn times(array: &TimestampMicrosecondArray) -> Vec<Option<Instant>> {
    made(array, None, |micros| Some(Instant::from_micros(micros)))
}

/// Where the elements of each row lie in a column of lists.
pub(crate) struct Lists<'a> {
    offsets: &'a [i32],
    nulls: Option<&'a NullBuffer>,
}

impl<'a> Lists<'a> {
    pub(crate) fn new(array: &'a ListArray) -> Self {
        Self { offsets: array.value_offsets(), nulls: array.nulls().filter(|nulls| nulls.null_count() > 0) }
    }

    /// The elements of a row; none where the list is unknown.
    #[inline]
    pub(crate) fn get(&self, row: usize) -> Option<Range<usize>> {
        // Arrow's offsets are never negative.
        let place = |offset: i32| usize::try_from(offset.cast_unsigned()).unwrap_or(usize::MAX);
        let range = match self.offsets.get(row..row + 2)? {
            [start, end] => place(*start)..place(*end),
            _ => return None,
        };
        self.nulls.is_none_or(|nulls| nulls.is_valid(row)).then_some(range)
    }
}

/// The facts of a batch: flags gathered into two bit sets a row, everything else by column. A fact's code
/// is its place among the columns.
struct FactColumns<'a> {
    /// Empty where no flag is stated at all.
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
        if !stated.is_empty() {
            facts.flags = flags_by_row(array.len(), &stated);
        }
        Ok(facts)
    }

    #[inline]
    fn flags(&self, row: usize) -> FlagSet {
        self.flags.get(row).copied().unwrap_or(FlagSet::EMPTY)
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
        let mut flags = vec![FlagSet::EMPTY; rows];
        stated.iter().for_each(|(flag, column)| spread_flag(&mut flags, *flag, column));
        return flags;
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

/// Notes one flag in the rows that state it, which are often few.
fn spread_flag(flags: &mut [FlagSet], flag: Flag, column: &BooleanArray) {
    let truth = column.values().bit_chunks();
    let known = column.nulls().map(|nulls| nulls.inner().bit_chunks());
    let mut known = known.as_ref().map(BitChunks::iter_padded);
    for (block, truth) in flags.chunks_mut(64).zip(truth.iter_padded()) {
        let mut known = known.as_mut().map_or(u64::MAX, |known| known.next().unwrap_or(0));
        while known != 0 {
            let place = known.trailing_zeros();
            if let Some(flags) = usize::try_from(place).ok().and_then(|place| block.get_mut(place)) {
                flags.set(flag, truth >> place & 1 == 1);
            }
            known &= known - 1;
        }
    }
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

/// The payments of all orders, which rules look through again and again.
struct Payments<'a> {
    lists: Lists<'a>,
    all: Vec<Payment>,
}

impl<'a> Payments<'a> {
    fn new(parent: &Columns<'a>) -> Result<Self, SchemaError> {
        let (lists, columns) = parent.list("payments")?;
        let instruments = columns.code("instrument", Instrument::from_code, false)?.values().iter();
        let amounts = columns.required_decimal("amount")?.values();
        let ends = times(columns.time("expires_at")?);
        let cells = instruments.zip(amounts).zip(ends);
        let all = cells.map(|((code, units), expires_at)| Payment {
            instrument: Instrument::from_code(*code).unwrap_or(Instrument::Cash),
            amount: Amount::from_units(*units),
            expires_at,
        });
        Ok(Self { lists: Lists::new(lists), all: all.collect() })
    }

    /// Those of an order; none where they are unknown.
    #[inline]
    fn of(&self, order: usize) -> Option<&[Payment]> {
        self.lists.get(order).map(|own| self.all.get(own).unwrap_or_default())
    }

    /// What paid anything of each order.
    fn instruments(&self, orders: usize) -> Vec<InstrumentSet> {
        let paid = |order: usize| {
            let positive = self.of(order).unwrap_or_default().iter().filter(|payment| payment.amount.is_positive());
            positive.fold(InstrumentSet::NONE, |all, payment| all.with(payment.instrument))
        };
        (0..orders).map(paid).collect()
    }
}

struct OrderColumns<'a> {
    lists: Lists<'a>,
    id: &'a StringArray,
    kind: Vec<OrderKind>,
    status: Vec<OrderStatus>,
    placed_at: Cells<'a, i64>,
    paid_at: Cells<'a, i64>,
    starts_at: Vec<Option<Instant>>,
    ends_at: Vec<Option<Instant>>,
    term_unit: Cells<'a, u8>,
    term_count: Cells<'a, u32>,
    quantity: Cells<'a, i128>,
    currency: Vec<Option<Currency>>,
    list_price: Cells<'a, i128>,
    due: Cells<'a, i128>,
    payments: Payments<'a>,
    paid_with: Vec<InstrumentSet>,
    facts: FactColumns<'a>,
}

impl<'a> OrderColumns<'a> {
    fn new(parent: &Columns<'a>) -> Result<Self, SchemaError> {
        let (lists, columns) = parent.list("orders")?;
        let kind = columns.code("kind", OrderKind::from_code, false)?;
        let status = columns.code("status", OrderStatus::from_code, false)?;
        let payments = Payments::new(&columns)?;
        Ok(Self {
            lists: Lists::new(lists),
            id: columns.text("id")?,
            kind: made(kind, NO_KIND, |code| OrderKind::from_code(code).unwrap_or(NO_KIND)),
            status: made(status, NO_ORDER_STATUS, |code| OrderStatus::from_code(code).unwrap_or(NO_ORDER_STATUS)),
            placed_at: Cells::new(columns.time("placed_at")?),
            paid_at: Cells::new(columns.time("paid_at")?),
            starts_at: times(columns.time("starts_at")?),
            ends_at: times(columns.time("ends_at")?),
            term_unit: Cells::new(columns.code("term_unit", TermUnit::from_code, true)?),
            term_count: Cells::new(columns.primitive::<UInt32Type>("term_count")?),
            quantity: Cells::new(columns.decimal("quantity")?),
            currency: currencies(&columns, "currency")?,
            list_price: Cells::new(columns.decimal("list_price")?),
            due: Cells::new(columns.decimal("due")?),
            paid_with: payments.instruments(kind.len()),
            payments,
            facts: FactColumns::new(&columns)?,
        })
    }
}

/// What stands where a required code is missing, which is only in rows that are not there.
const NO_KIND: OrderKind = OrderKind::Purchase;
const NO_ORDER_STATUS: OrderStatus = OrderStatus::Paid;
const NO_BILLING: Billing = Billing::Subscription;
const NO_STATUS: Status = Status::Active;
/// Who sold what does not say so.
const USUAL_SELLER: Seller = Seller::Provider;

/// A column of currency codes. There are few different ones, so each is looked up once.
pub(crate) fn currencies(columns: &Columns<'_>, name: &str) -> Result<Vec<Option<Currency>>, SchemaError> {
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

/// A batch of resources, its columns resolved.
pub struct Rows<'a> {
    len: usize,
    pub(crate) sites: Names<'a>,
    pub(crate) accounts: Names<'a>,
    id: &'a StringArray,
    pub(crate) products: Names<'a>,
    region: &'a StringArray,
    billing: Vec<Billing>,
    seller: Vec<Seller>,
    status: Vec<Status>,
    purchased_at: Cells<'a, i64>,
    starts_at: Vec<Option<Instant>>,
    ends_at: Vec<Option<Instant>>,
    primary: &'a StringArray,
    relation: Cells<'a, u8>,
    bundle: &'a StringArray,
    quantity: Cells<'a, i128>,
    commitment: CommitmentColumns<'a>,
    prices: PriceColumns<'a>,
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
        let billing = columns.code("billing", Billing::from_code, false)?;
        let seller = columns.code("seller", Seller::from_code, true)?;
        let status = columns.code("status", Status::from_code, false)?;
        Ok(Self {
            len: array.len(),
            sites: Names::of(columns.text("site")?),
            accounts: Names::of(columns.text("account")?),
            id: columns.required_text("id")?,
            products: Names::of(columns.required_text("product")?),
            region: columns.text("region")?,
            billing: made(billing, NO_BILLING, |code| Billing::from_code(code).unwrap_or(NO_BILLING)),
            seller: made(seller, USUAL_SELLER, |code| Seller::from_code(code).unwrap_or(USUAL_SELLER)),
            status: made(status, NO_STATUS, |code| Status::from_code(code).unwrap_or(NO_STATUS)),
            purchased_at: Cells::new(columns.time("purchased_at")?),
            starts_at: times(columns.time("starts_at")?),
            ends_at: times(columns.time("ends_at")?),
            primary: columns.text("primary")?,
            relation: Cells::new(columns.code("relation", Relation::from_code, true)?),
            bundle: columns.text("bundle")?,
            quantity: Cells::new(columns.decimal("quantity")?),
            commitment: CommitmentColumns::new(&columns)?,
            prices: PriceColumns::new(&columns)?,
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
        Row { rows: self, index }
    }

    /// The instant at which a resource is to be assessed, where the batch gives each its own.
    #[must_use]
    #[inline]
    pub fn at(&self, index: usize) -> Option<Instant> {
        self.at.and_then(|column| time_at(column, index))
    }
}

/// A resource of a batch.
#[derive(Debug, Clone, Copy)]
pub struct Row<'a> {
    rows: &'a Rows<'a>,
    index: usize,
}

impl<'a> Row<'a> {
    #[inline]
    fn order_rows(&self, range: Range<usize>) -> impl ExactSizeIterator<Item = OrderRow<'a>> + 'a {
        let columns = &self.rows.orders;
        range.map(move |index| OrderRow { columns, index })
    }
}

/// An order of a batch.
#[derive(Clone, Copy)]
pub struct OrderRow<'a> {
    columns: &'a OrderColumns<'a>,
    index: usize,
}

/// What stands in a row of a column that was made for every row.
#[inline]
fn at<T: Copy>(column: &[T], row: usize, otherwise: T) -> T {
    column.get(row).copied().unwrap_or(otherwise)
}

impl std::fmt::Debug for OrderRow<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OrderRow").field("index", &self.index).finish_non_exhaustive()
    }
}

impl Order for OrderRow<'_> {
    #[inline]
    fn id(&self) -> Option<&str> {
        text_at(self.columns.id, self.index)
    }
    #[inline]
    fn kind(&self) -> OrderKind {
        at(&self.columns.kind, self.index, NO_KIND)
    }
    #[inline]
    fn status(&self) -> OrderStatus {
        at(&self.columns.status, self.index, NO_ORDER_STATUS)
    }
    #[inline]
    fn placed_at(&self) -> Option<Instant> {
        self.columns.placed_at.time(self.index)
    }
    #[inline]
    fn paid_at(&self) -> Option<Instant> {
        self.columns.paid_at.time(self.index)
    }
    #[inline]
    fn starts_at(&self) -> Option<Instant> {
        at(&self.columns.starts_at, self.index, None)
    }
    #[inline]
    fn ends_at(&self) -> Option<Instant> {
        at(&self.columns.ends_at, self.index, None)
    }
    #[inline]
    fn term(&self) -> Option<Term> {
        let unit = self.columns.term_unit.code(self.index, TermUnit::from_code)?;
        self.columns.term_count.get(self.index).map(|count| Term { unit, count })
    }
    #[inline]
    fn quantity(&self) -> Option<Number> {
        self.columns.quantity.number(self.index)
    }
    #[inline]
    fn currency(&self) -> Option<Currency> {
        at(&self.columns.currency, self.index, None)
    }
    #[inline]
    fn list_price(&self) -> Option<Amount> {
        self.columns.list_price.amount(self.index)
    }
    #[inline]
    fn due(&self) -> Option<Amount> {
        self.columns.due.amount(self.index)
    }
    #[inline]
    fn payments(&self) -> Option<impl Iterator<Item = Payment> + '_> {
        self.columns.payments.of(self.index).map(|own| own.iter().copied())
    }
    #[inline]
    fn paid_with(&self) -> InstrumentSet {
        at(&self.columns.paid_with, self.index, InstrumentSet::NONE)
    }
    #[inline]
    fn flags(&self) -> FlagSet {
        self.columns.facts.flags(self.index)
    }
    #[inline]
    fn figure(&self, figure: Figure) -> Option<Number> {
        self.columns.facts.figure(self.index, figure)
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
        at(&self.rows.billing, self.index, NO_BILLING)
    }
    #[inline]
    fn seller(&self) -> Seller {
        at(&self.rows.seller, self.index, USUAL_SELLER)
    }
    #[inline]
    fn status(&self) -> Status {
        at(&self.rows.status, self.index, NO_STATUS)
    }
    #[inline]
    fn purchased_at(&self) -> Option<Instant> {
        self.rows.purchased_at.time(self.index)
    }
    #[inline]
    fn starts_at(&self) -> Option<Instant> {
        at(&self.rows.starts_at, self.index, None)
    }
    #[inline]
    fn ends_at(&self) -> Option<Instant> {
        at(&self.rows.ends_at, self.index, None)
    }
    #[inline]
    fn primary(&self) -> Option<&str> {
        text_at(self.rows.primary, self.index)
    }
    #[inline]
    fn relation(&self) -> Option<Relation> {
        self.rows.relation.code(self.index, Relation::from_code)
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
        self.rows.prices.get(self.index)
    }
    #[inline]
    fn orders(&self) -> Option<impl ExactSizeIterator<Item = Self::Order<'_>> + '_> {
        self.rows.orders.lists.get(self.index).map(|own| self.order_rows(own))
    }
    #[inline]
    fn known_orders(&self) -> impl Iterator<Item = Self::Order<'_>> + '_ {
        self.order_rows(self.rows.orders.lists.get(self.index).unwrap_or_default())
    }
    #[inline]
    fn flags(&self) -> FlagSet {
        self.rows.facts.flags(self.index)
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

    proptest! {
        #[test]
        fn flags_of_a_row_are_those_of_its_columns(
            rows in prop::collection::vec(prop::collection::vec(prop::option::of(any::<bool>()), 9), 0..200),
            skip in 0_usize..70,
            stated in prop::sample::select(vec![1_usize, 5, 9]),
        ) {
            let flags = [0, 1, 31, 32, Flag::ALL.len() - 1, 33, 40, 45, 50].map(|place| Flag::ALL[place]);
            let flags = &flags[..stated];
            let skip = skip.min(rows.len());
            let columns: Vec<BooleanArray> = (0..flags.len())
                .map(|flag| BooleanArray::from(rows.iter().map(|row| row[flag]).collect::<Vec<_>>()).slice(skip, rows.len() - skip))
                .collect();
            let stated: Vec<(Flag, &BooleanArray)> = flags.iter().copied().zip(&columns).collect();
            let gathered = flags_by_row(rows.len() - skip, &stated);
            prop_assert_eq!(gathered.len(), rows.len() - skip);
            for (row, found) in rows.iter().skip(skip).zip(gathered) {
                let mut expected = FlagSet::EMPTY;
                for (flag, value) in flags.iter().copied().zip(row) {
                    if let Some(value) = value {
                        expected.set(flag, *value);
                    }
                }
                prop_assert_eq!(found, expected);
            }
        }
    }
}
