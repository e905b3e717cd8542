//! Resources as rows of an Arrow batch: borrowed, nothing copied but the flags.
//!
//! A [`Rows`] resolves every column once a batch; a [`Row`] is a batch and an index, and implements
//! the same traits as an owned record, so a rule cannot tell the two apart.

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
    Billing, Class, Instrument, OrderKind, OrderStatus, PaymentOption, Recurrence, Relation, Seller, Status, TermUnit,
};

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
pub(crate) fn range_at(array: &ListArray, row: usize) -> Option<std::ops::Range<usize>> {
    if array.is_null(row) {
        return None;
    }
    let offsets = array.value_offsets();
    let start = usize::try_from(*offsets.get(row)?).ok()?;
    let end = usize::try_from(*offsets.get(row + 1)?).ok()?;
    Some(start..end)
}

/// The facts of a batch: flags gathered into two bit sets a row, everything else by column.
struct FactColumns<'a> {
    flags: Vec<FlagSet>,
    figures: Vec<(Figure, &'a Decimal128Array)>,
    texts: Vec<(Text, &'a StringArray)>,
    moments: Vec<(Moment, &'a TimestampMicrosecondArray)>,
}

impl<'a> FactColumns<'a> {
    fn new(parent: &Columns<'a>) -> Result<Self, SchemaError> {
        let (array, columns) = parent.inner("facts")?;
        let mut facts = Self { flags: Vec::new(), figures: Vec::new(), texts: Vec::new(), moments: Vec::new() };
        let mut stated: Vec<(Flag, &BooleanArray)> = Vec::new();
        for name in array.column_names() {
            if let Ok(flag) = Flag::parse(name) {
                stated.push((flag, columns.boolean(name)?));
            } else if let Ok(figure) = Figure::parse(name) {
                facts.figures.push((figure, columns.decimal(name)?));
            } else if let Ok(text) = Text::parse(name) {
                facts.texts.push((text, columns.text(name)?));
            } else if let Ok(moment) = Moment::parse(name) {
                facts.moments.push((moment, columns.time(name)?));
            } else {
                // A host of a later version may state facts that this adapter has no rule for.
            }
        }
        facts.flags = flags_by_row(array.len(), &stated);
        Ok(facts)
    }

    #[inline]
    fn flags(&self, row: usize) -> FlagSet {
        self.flags.get(row).copied().unwrap_or_default()
    }

    #[inline]
    fn figure(&self, row: usize, figure: Figure) -> Option<Number> {
        self.figures.iter().find(|(name, _)| *name == figure).and_then(|(_, column)| number_at(column, row))
    }
}

/// The flags of each row, out of a column for each flag. A block of 64 rows of 64 flags is a square of
/// bits, and turning it over costs a few operations a row, however many flags are stated.
fn flags_by_row(rows: usize, stated: &[(Flag, &BooleanArray)]) -> Vec<FlagSet> {
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
        for (known, truth) in &mut halves {
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
fn transpose(square: &mut [u64; 64]) {
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
    instrument: &'a UInt8Array,
    amount: &'a Decimal128Array,
    expires_at: &'a TimestampMicrosecondArray,
}

struct OrderColumns<'a> {
    lists: &'a ListArray,
    id: &'a StringArray,
    kind: &'a UInt8Array,
    status: &'a UInt8Array,
    placed_at: &'a TimestampMicrosecondArray,
    paid_at: &'a TimestampMicrosecondArray,
    starts_at: &'a TimestampMicrosecondArray,
    ends_at: &'a TimestampMicrosecondArray,
    term_unit: &'a UInt8Array,
    term_count: &'a UInt32Array,
    quantity: &'a Decimal128Array,
    currency: Vec<Option<Currency>>,
    list_price: &'a Decimal128Array,
    due: &'a Decimal128Array,
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
            kind: columns.code("kind", OrderKind::from_code, false)?,
            status: columns.code("status", OrderStatus::from_code, false)?,
            placed_at: columns.time("placed_at")?,
            paid_at: columns.time("paid_at")?,
            starts_at: columns.time("starts_at")?,
            ends_at: columns.time("ends_at")?,
            term_unit: columns.code("term_unit", TermUnit::from_code, true)?,
            term_count: columns.primitive::<UInt32Type>("term_count")?,
            quantity: columns.decimal("quantity")?,
            currency: currencies(&columns, "currency")?,
            list_price: columns.decimal("list_price")?,
            due: columns.decimal("due")?,
            payments: PaymentColumns {
                lists: payments,
                instrument: payment.code("instrument", Instrument::from_code, false)?,
                amount: payment.required_decimal("amount")?,
                expires_at: payment.time("expires_at")?,
            },
            facts: FactColumns::new(&columns)?,
        })
    }
}

/// A column of currency codes; there are few different ones, so the last one is kept at hand.
fn currencies(columns: &Columns<'_>, name: &str) -> Result<Vec<Option<Currency>>, SchemaError> {
    let array = columns.text(name)?;
    let mut last: Option<(&str, Currency)> = None;
    let mut out = Vec::with_capacity(array.len());
    for row in 0..array.len() {
        let Some(code) = text_at(array, row) else {
            out.push(None);
            continue;
        };
        let currency = match last {
            Some((known, currency)) if known == code => currency,
            _ => code.parse().map_err(|error: recoup_core::money::UnknownCurrency| SchemaError::WrongValue {
                column: columns.name(name),
                row,
                what: error.to_string(),
            })?,
        };
        last = Some((code, currency));
        out.push(Some(currency));
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
    site: &'a StringArray,
    account: &'a StringArray,
    id: &'a StringArray,
    product: &'a StringArray,
    region: &'a StringArray,
    billing: &'a UInt8Array,
    seller: &'a UInt8Array,
    status: &'a UInt8Array,
    purchased_at: &'a TimestampMicrosecondArray,
    starts_at: &'a TimestampMicrosecondArray,
    ends_at: &'a TimestampMicrosecondArray,
    primary: &'a StringArray,
    relation: &'a UInt8Array,
    bundle: &'a StringArray,
    quantity: &'a Decimal128Array,
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
        let terms = columns.text("price_terms")?;
        let mut price_terms = Vec::new();
        // Few resources state prices; these are read here, once.
        for row in 0..terms.len() {
            if let Some(text) = text_at(terms, row) {
                let wrong = |what: String| SchemaError::WrongValue { column: "price_terms".to_owned(), row, what };
                let json: serde_json::Value = serde_json::from_str(text).map_err(|error| wrong(error.to_string()))?;
                let stub = serde_json::json!({"provider": "-", "id": "-", "product": "-", "billing": "subscription", "status": "active", "price_terms": json});
                let read = ResourceRecord::from_json(&stub, &|_, _| Some(Zone::UTC))
                    .map_err(|error| wrong(error.to_string()))?;
                if let Some(terms) = read.record.price_terms {
                    price_terms.push((row, terms));
                }
            }
        }
        Ok(Self {
            len: array.len(),
            site: columns.text("site")?,
            account: columns.text("account")?,
            id: columns.required_text("id")?,
            product: columns.required_text("product")?,
            region: columns.text("region")?,
            billing: columns.code("billing", Billing::from_code, false)?,
            seller: columns.code("seller", Seller::from_code, true)?,
            status: columns.code("status", Status::from_code, false)?,
            purchased_at: columns.time("purchased_at")?,
            starts_at: columns.time("starts_at")?,
            ends_at: columns.time("ends_at")?,
            primary: columns.text("primary")?,
            relation: columns.code("relation", Relation::from_code, true)?,
            bundle: columns.text("bundle")?,
            quantity: columns.decimal("quantity")?,
            commitment: CommitmentColumns::new(&columns)?,
            price_terms,
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
    pub fn row(&self, index: usize) -> Row<'_> {
        Row { rows: self, index }
    }

    /// The instant at which a resource is to be assessed, where the batch gives each its own.
    #[must_use]
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

/// An order of a batch.
#[derive(Clone, Copy)]
pub struct OrderRow<'a> {
    columns: &'a OrderColumns<'a>,
    index: usize,
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
        code_at(self.columns.kind, self.index, OrderKind::from_code).unwrap_or(OrderKind::Purchase)
    }
    #[inline]
    fn status(&self) -> OrderStatus {
        code_at(self.columns.status, self.index, OrderStatus::from_code).unwrap_or(OrderStatus::Paid)
    }
    #[inline]
    fn placed_at(&self) -> Option<Instant> {
        time_at(self.columns.placed_at, self.index)
    }
    #[inline]
    fn paid_at(&self) -> Option<Instant> {
        time_at(self.columns.paid_at, self.index)
    }
    #[inline]
    fn starts_at(&self) -> Option<Instant> {
        time_at(self.columns.starts_at, self.index)
    }
    #[inline]
    fn ends_at(&self) -> Option<Instant> {
        time_at(self.columns.ends_at, self.index)
    }
    #[inline]
    fn term(&self) -> Option<Term> {
        let unit = code_at(self.columns.term_unit, self.index, TermUnit::from_code)?;
        let count = self.columns.term_count;
        count.is_valid(self.index).then(|| Term { unit, count: count.value(self.index) })
    }
    #[inline]
    fn quantity(&self) -> Option<Number> {
        number_at(self.columns.quantity, self.index)
    }
    #[inline]
    fn currency(&self) -> Option<Currency> {
        self.columns.currency.get(self.index).copied().flatten()
    }
    #[inline]
    fn list_price(&self) -> Option<Amount> {
        amount_at(self.columns.list_price, self.index)
    }
    #[inline]
    fn due(&self) -> Option<Amount> {
        amount_at(self.columns.due, self.index)
    }
    #[inline]
    fn payments(&self) -> Option<impl Iterator<Item = Payment> + '_> {
        let columns = &self.columns.payments;
        range_at(columns.lists, self.index).map(|range| {
            range.filter_map(|index| {
                Some(Payment {
                    instrument: code_at(columns.instrument, index, Instrument::from_code)?,
                    amount: amount_at(columns.amount, index)?,
                    expires_at: time_at(columns.expires_at, index),
                })
            })
        })
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

impl<'b> Resource for Row<'b> {
    type Order<'a>
        = OrderRow<'b>
    where
        Self: 'a;

    #[inline]
    fn site(&self) -> Option<&str> {
        text_at(self.rows.site, self.index)
    }
    #[inline]
    fn account(&self) -> Option<&str> {
        text_at(self.rows.account, self.index)
    }
    #[inline]
    fn id(&self) -> &str {
        text_at(self.rows.id, self.index).unwrap_or_default()
    }
    #[inline]
    fn product(&self) -> &str {
        text_at(self.rows.product, self.index).unwrap_or_default()
    }
    #[inline]
    fn region(&self) -> Option<&str> {
        text_at(self.rows.region, self.index)
    }
    #[inline]
    fn billing(&self) -> Billing {
        code_at(self.rows.billing, self.index, Billing::from_code).unwrap_or(Billing::Subscription)
    }
    #[inline]
    fn seller(&self) -> Seller {
        code_at(self.rows.seller, self.index, Seller::from_code).unwrap_or(Seller::Provider)
    }
    #[inline]
    fn status(&self) -> Status {
        code_at(self.rows.status, self.index, Status::from_code).unwrap_or(Status::Active)
    }
    #[inline]
    fn purchased_at(&self) -> Option<Instant> {
        time_at(self.rows.purchased_at, self.index)
    }
    #[inline]
    fn starts_at(&self) -> Option<Instant> {
        time_at(self.rows.starts_at, self.index)
    }
    #[inline]
    fn ends_at(&self) -> Option<Instant> {
        time_at(self.rows.ends_at, self.index)
    }
    #[inline]
    fn primary(&self) -> Option<&str> {
        text_at(self.rows.primary, self.index)
    }
    #[inline]
    fn relation(&self) -> Option<Relation> {
        code_at(self.rows.relation, self.index, Relation::from_code)
    }
    #[inline]
    fn bundle(&self) -> Option<&str> {
        text_at(self.rows.bundle, self.index)
    }
    #[inline]
    fn quantity(&self) -> Number {
        number_at(self.rows.quantity, self.index).unwrap_or(Number::ONE)
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
        let columns = &self.rows.orders;
        range_at(columns.lists, self.index).map(|range| range.map(|index| OrderRow { columns, index }))
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
        self.rows.facts.texts.iter().find(|(name, _)| *name == text).and_then(|(_, column)| text_at(column, self.index))
    }
    #[inline]
    fn moment(&self, moment: Moment) -> Option<Instant> {
        self.rows
            .facts
            .moments
            .iter()
            .find(|(name, _)| *name == moment)
            .and_then(|(_, column)| time_at(column, self.index))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

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
