//! Rows of Parquet, read quickly: columns of the types that a portfolio has, straight into lent records.
//!
//! As with [`quick`](crate::quick), what is not plain is left to the full reader ([`rows`](crate::rows)): a batch
//! whose columns have other types or names, and any row in which something is missing, wrong or rare.

use arrow_array::cast::AsArray;
use arrow_array::types::{
    Decimal128Type, Int32Type, Int64Type, TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType,
    TimestampSecondType, UInt32Type, UInt64Type,
};
use arrow_array::{
    Array, BooleanArray, LargeStringArray, ListArray, PrimitiveArray, StringArray, StringViewArray, StructArray,
};
use arrow_schema::{DataType, TimeUnit};
use recoup_core::fact::{Figure, Flag, Moment, Text};
use recoup_core::lent::{LentFacts, LentOrder, LentResource};
use recoup_core::money::{Amount, Currency, Number};
use recoup_core::record::limits;
use recoup_core::resource::{Commitment, Payment};
use recoup_core::time::Instant;
use recoup_core::vocab::{
    Billing, Class, Instrument, OrderKind, OrderStatus, PaymentOption, Recurrence, Relation, Seller, Status, TermUnit,
};
use smallvec::SmallVec;

use crate::json_text::Cursor;
use crate::quick::{Clock, CommitmentField, Field, OrderField, PaymentField, Quick, adds_up, in_order, term};

/// A column of texts.
enum Texts<'a> {
    Absent,
    Short(&'a StringArray),
    Long(&'a LargeStringArray),
    View(&'a StringViewArray),
}

impl<'a> Texts<'a> {
    fn of(array: &'a dyn Array) -> Option<Self> {
        Some(match array.data_type() {
            DataType::Null => Self::Absent,
            DataType::Utf8 => Self::Short(array.as_string()),
            DataType::LargeUtf8 => Self::Long(array.as_string()),
            DataType::Utf8View => Self::View(array.as_string_view()),
            _ => return None,
        })
    }

    #[inline]
    fn get(&self, row: usize) -> Option<&'a str> {
        match self {
            Self::Absent => None,
            Self::Short(array) => array.is_valid(row).then(|| array.value(row)),
            Self::Long(array) => array.is_valid(row).then(|| array.value(row)),
            Self::View(array) => array.is_valid(row).then(|| array.value(row)),
        }
    }
}

/// What a cell says: nothing, a value, or something that is not for the quick way.
type Cell<T> = Option<Option<T>>;

/// A cell that is read from a text.
#[inline]
fn parsed<T, E>(text: Option<&str>, parse: impl FnOnce(&str) -> Result<T, E>) -> Cell<T> {
    text.map(parse).transpose().ok()
}

/// A column of decimals that are not below zero.
enum Decimals<'a> {
    Texts(Texts<'a>),
    /// With the factor to the scale of amounts.
    Fixed(&'a PrimitiveArray<Decimal128Type>, i128),
    Word(&'a PrimitiveArray<Int64Type>),
    Half(&'a PrimitiveArray<Int32Type>),
    Count(&'a PrimitiveArray<UInt32Type>),
    Large(&'a PrimitiveArray<UInt64Type>),
}

impl<'a> Decimals<'a> {
    fn of(array: &'a dyn Array) -> Option<Self> {
        Some(match array.data_type() {
            DataType::Decimal128(_, scale) => {
                let missing = recoup_core::money::SCALE.checked_sub(u32::try_from(*scale).ok()?)?;
                Self::Fixed(array.as_primitive(), 10_i128.checked_pow(missing)?)
            }
            DataType::Int64 => Self::Word(array.as_primitive()),
            DataType::Int32 => Self::Half(array.as_primitive()),
            DataType::UInt32 => Self::Count(array.as_primitive()),
            DataType::UInt64 => Self::Large(array.as_primitive()),
            _ => Self::Texts(Texts::of(array)?),
        })
    }

    #[inline]
    fn number(&self, row: usize) -> Cell<Number> {
        let whole = |value: i128| Number::whole(i64::try_from(value).unwrap_or(i64::MAX)).units();
        let units = match self {
            Self::Texts(texts) => return parsed(texts.get(row), str::parse).and_then(Self::plausible),
            Self::Fixed(array, factor) => match array.is_valid(row) {
                true => Some(array.value(row).checked_mul(*factor)?),
                false => None,
            },
            Self::Word(array) => array.is_valid(row).then(|| whole(array.value(row).into())),
            Self::Half(array) => array.is_valid(row).then(|| whole(array.value(row).into())),
            Self::Count(array) => array.is_valid(row).then(|| whole(array.value(row).into())),
            Self::Large(array) => array.is_valid(row).then(|| whole(array.value(row).into())),
        };
        Self::plausible(units.map(Number::from_units))
    }

    fn plausible(number: Option<Number>) -> Cell<Number> {
        let is_plausible = number.is_none_or(|number| !number.is_negative() && number <= Number::LARGEST);
        is_plausible.then_some(number)
    }

    #[inline]
    fn amount(&self, row: usize) -> Cell<Amount> {
        self.number(row).map(|number| number.map(Number::as_amount))
    }

    #[inline]
    fn count(&self, row: usize) -> Cell<u32> {
        let Some(number) = self.number(row)? else { return Some(None) };
        let count = u32::try_from(number.as_whole()?).ok().filter(|count| *count <= limits::COUNT)?;
        Some(Some(count))
    }
}

/// A column of instants.
enum Times<'a> {
    Texts(Texts<'a>),
    Seconds(&'a PrimitiveArray<TimestampSecondType>),
    Millis(&'a PrimitiveArray<TimestampMillisecondType>),
    Micros(&'a PrimitiveArray<TimestampMicrosecondType>),
    Nanos(&'a PrimitiveArray<TimestampNanosecondType>),
}

impl<'a> Times<'a> {
    fn of(array: &'a dyn Array) -> Option<Self> {
        Some(match array.data_type() {
            DataType::Timestamp(TimeUnit::Second, _) => Self::Seconds(array.as_primitive()),
            DataType::Timestamp(TimeUnit::Millisecond, _) => Self::Millis(array.as_primitive()),
            DataType::Timestamp(TimeUnit::Microsecond, _) => Self::Micros(array.as_primitive()),
            DataType::Timestamp(TimeUnit::Nanosecond, _) => Self::Nanos(array.as_primitive()),
            _ => Self::Texts(Texts::of(array)?),
        })
    }

    #[inline]
    fn get(&self, row: usize, clock: &mut Clock<'_>, provider: &str, site: Option<&str>) -> Cell<Instant> {
        let micros = match self {
            Self::Texts(texts) => {
                return match texts.get(row) {
                    Some(text) => clock.instant(text, provider, site).map(Some),
                    None => Some(None),
                };
            }
            Self::Seconds(array) => array.is_valid(row).then(|| array.value(row).saturating_mul(1_000_000)),
            Self::Millis(array) => array.is_valid(row).then(|| array.value(row).saturating_mul(1_000)),
            Self::Micros(array) => array.is_valid(row).then(|| array.value(row)),
            Self::Nanos(array) => array.is_valid(row).then(|| array.value(row).div_euclid(1_000)),
        };
        let Some(micros) = micros else { return Some(None) };
        Instant::from_micros(micros).in_range().map(Some)
    }
}

/// The columns of a structure, by name.
struct Columns<'a> {
    array: &'a StructArray,
}

impl<'a> Columns<'a> {
    fn texts(&self, name: &str) -> Option<Texts<'a>> {
        self.array.column_by_name(name).map_or(Some(Texts::Absent), |array| Texts::of(array.as_ref()))
    }

    fn decimals(&self, name: &str) -> Option<Decimals<'a>> {
        let absent = Decimals::Texts(Texts::Absent);
        self.array.column_by_name(name).map_or(Some(absent), |array| Decimals::of(array.as_ref()))
    }

    fn times(&self, name: &str) -> Option<Times<'a>> {
        let absent = Times::Texts(Texts::Absent);
        self.array.column_by_name(name).map_or(Some(absent), |array| Times::of(array.as_ref()))
    }

    /// A structure inside; nothing at all where the column is there and is none.
    fn inner(&self, name: &str) -> Option<Option<&'a StructArray>> {
        match self.array.column_by_name(name) {
            None => Some(None),
            Some(array) => array.as_struct_opt().map(Some),
        }
    }

    fn lists(&self, name: &str) -> Option<Option<(&'a ListArray, Columns<'a>)>> {
        let Some(array) = self.array.column_by_name(name) else { return Some(None) };
        let list = array.as_list_opt::<i32>()?;
        Some(Some((list, Columns { array: list.values().as_struct_opt()? })))
    }

    /// Whether every column is one of these.
    fn are_among(&self, known: &[&str]) -> bool {
        self.array.column_names().iter().all(|name| known.contains(name))
    }
}

enum Fact<'a> {
    Flag(Flag, &'a BooleanArray),
    Figure(Figure, Decimals<'a>),
    Text(Text, Texts<'a>),
    Moment(Moment, Times<'a>),
}

struct Facts<'a> {
    array: Option<&'a StructArray>,
    columns: Vec<Fact<'a>>,
}

impl<'a> Facts<'a> {
    fn of(parent: &Columns<'a>) -> Option<Self> {
        let Some(array) = parent.inner("facts")? else { return Some(Self { array: None, columns: Vec::new() }) };
        let fact = |(name, column): (&str, &'a dyn Array)| {
            Some(if let Ok(flag) = Flag::parse(name) {
                Fact::Flag(flag, column.as_boolean_opt()?)
            } else if let Ok(figure) = Figure::parse(name) {
                Fact::Figure(figure, Decimals::of(column)?)
            } else if let Ok(text) = Text::parse(name) {
                Fact::Text(text, Texts::of(column)?)
            } else {
                Fact::Moment(Moment::parse(name).ok()?, Times::of(column)?)
            })
        };
        let columns = array.columns().iter().map(AsRef::as_ref);
        let columns = array.column_names().into_iter().zip(columns).map(fact).collect::<Option<Vec<_>>>()?;
        Some(Self { array: Some(array), columns })
    }

    #[inline]
    fn read(
        &self,
        row: usize,
        clock: &mut Clock<'_>,
        (provider, site): (&str, Option<&str>),
        into: &mut LentFacts<'a>,
    ) -> Option<()> {
        if self.array.is_none_or(|array| array.is_null(row)) {
            return Some(());
        }
        for column in &self.columns {
            match column {
                Fact::Flag(flag, array) => {
                    if array.is_valid(row) {
                        into.flags.set(*flag, array.value(row));
                    }
                }
                Fact::Figure(figure, decimals) => {
                    into.figures.extend(decimals.number(row)?.map(|value| (*figure, value)));
                }
                Fact::Text(text, texts) => into.texts.extend(texts.get(row).map(|value| (*text, value))),
                Fact::Moment(moment, times) => {
                    into.moments.extend(times.get(row, clock, provider, site)?.map(|value| (*moment, value)));
                }
            }
        }
        Some(())
    }
}

struct Payments<'a> {
    lists: &'a ListArray,
    items: &'a StructArray,
    instrument: Texts<'a>,
    amount: Decimals<'a>,
    expires_at: Times<'a>,
}

struct Orders<'a> {
    lists: &'a ListArray,
    items: &'a StructArray,
    id: Texts<'a>,
    kind: Texts<'a>,
    status: Texts<'a>,
    placed_at: Times<'a>,
    paid_at: Times<'a>,
    starts_at: Times<'a>,
    ends_at: Times<'a>,
    term_months: Decimals<'a>,
    term_unit: Texts<'a>,
    term_count: Decimals<'a>,
    quantity: Decimals<'a>,
    currency: Texts<'a>,
    list_price: Decimals<'a>,
    due: Decimals<'a>,
    payments: Option<Payments<'a>>,
    facts: Facts<'a>,
}

/// The elements of a list.
fn range(lists: &ListArray, row: usize) -> Option<std::ops::Range<usize>> {
    let offsets = lists.value_offsets();
    Some(usize::try_from(*offsets.get(row)?).ok()?..usize::try_from(*offsets.get(row + 1)?).ok()?)
}

impl<'a> Payments<'a> {
    fn of(parent: &Columns<'a>) -> Option<Option<Self>> {
        let Some((lists, columns)) = parent.lists("payments")? else { return Some(None) };
        let known = columns.are_among(PaymentField::WORDS);
        let payments = Self {
            lists,
            items: columns.array,
            instrument: columns.texts("instrument")?,
            amount: columns.decimals("amount")?,
            expires_at: columns.times("expires_at")?,
        };
        known.then_some(Some(payments))
    }

    fn read(
        &self,
        row: usize,
        clock: &mut Clock<'_>,
        (provider, site): (&str, Option<&str>),
    ) -> Cell<SmallVec<[Payment; 3]>> {
        if self.lists.is_null(row) {
            return Some(None);
        }
        let items = range(self.lists, row)?;
        let mut payments = SmallVec::new();
        for item in Some(items).filter(|items| items.len() <= limits::PAYMENTS)? {
            payments.push(Payment {
                instrument: Instrument::parse(self.instrument.get(item)?).ok()?,
                amount: self.amount.amount(item)??,
                expires_at: self.expires_at.get(item, clock, provider, site)?,
            });
            if self.items.is_null(item) {
                return None;
            }
        }
        Some(Some(payments))
    }
}

impl<'a> Orders<'a> {
    fn of(parent: &Columns<'a>) -> Option<Option<Self>> {
        let Some((lists, columns)) = parent.lists("orders")? else { return Some(None) };
        let orders = Self {
            lists,
            items: columns.array,
            id: columns.texts("id")?,
            kind: columns.texts("kind")?,
            status: columns.texts("status")?,
            placed_at: columns.times("placed_at")?,
            paid_at: columns.times("paid_at")?,
            starts_at: columns.times("starts_at")?,
            ends_at: columns.times("ends_at")?,
            term_months: columns.decimals("term_months")?,
            term_unit: columns.texts("term_unit")?,
            term_count: columns.decimals("term_count")?,
            quantity: columns.decimals("quantity")?,
            currency: columns.texts("currency")?,
            list_price: columns.decimals("list_price")?,
            due: columns.decimals("due")?,
            payments: Payments::of(&columns)?,
            facts: Facts::of(&columns)?,
        };
        columns.are_among(OrderField::WORDS).then_some(Some(orders))
    }

    fn read(&self, item: usize, clock: &mut Clock<'_>, of: (&str, Option<&str>)) -> Option<LentOrder<'a>> {
        let (provider, site) = of;
        if self.items.is_null(item) {
            return None;
        }
        let mut order = LentOrder::new(
            OrderKind::parse(self.kind.get(item)?).ok()?,
            OrderStatus::parse(self.status.get(item)?).ok()?,
        );
        order.id = plain(self.id.get(item))?;
        order.placed_at = self.placed_at.get(item, clock, provider, site)?;
        order.paid_at = self.paid_at.get(item, clock, provider, site)?;
        order.starts_at = self.starts_at.get(item, clock, provider, site)?;
        order.ends_at = self.ends_at.get(item, clock, provider, site)?;
        let unit = parsed(self.term_unit.get(item), TermUnit::parse)?;
        order.term = term(self.term_months.count(item)?, unit, self.term_count.count(item)?);
        order.quantity = self.quantity.number(item)?;
        order.currency = parsed(self.currency.get(item), str::parse::<Currency>)?;
        order.list_price = self.list_price.amount(item)?;
        order.due = self.due.amount(item)?;
        if let Some(payments) = &self.payments {
            order.payments = payments.read(item, clock, of)?;
        }
        self.facts.read(item, clock, of, &mut order.facts)?;
        (adds_up(&order) && in_order(order.starts_at, order.ends_at)).then_some(order)
    }
}

/// A text that is no longer than the full reader takes.
#[inline]
fn plain(text: Option<&str>) -> Cell<&str> {
    text.is_none_or(|text| text.len() <= limits::TEXT).then_some(text)
}

struct Commitments<'a> {
    array: &'a StructArray,
    term_months: Decimals<'a>,
    payment_option: Texts<'a>,
    hourly: Decimals<'a>,
    currency: Texts<'a>,
    upfront: Decimals<'a>,
    recurring: Decimals<'a>,
    recurring_every: Texts<'a>,
    class: Texts<'a>,
    unit: Texts<'a>,
    total_units: Decimals<'a>,
    used_units: Decimals<'a>,
    used_fraction: Decimals<'a>,
}

impl<'a> Commitments<'a> {
    fn of(parent: &Columns<'a>) -> Option<Option<Self>> {
        let Some(array) = parent.inner("commitment")? else { return Some(None) };
        let columns = Columns { array };
        let commitments = Self {
            array,
            term_months: columns.decimals("term_months")?,
            payment_option: columns.texts("payment_option")?,
            hourly: columns.decimals("hourly")?,
            currency: columns.texts("currency")?,
            upfront: columns.decimals("upfront")?,
            recurring: columns.decimals("recurring")?,
            recurring_every: columns.texts("recurring_every")?,
            class: columns.texts("class")?,
            unit: columns.texts("unit")?,
            total_units: columns.decimals("total_units")?,
            used_units: columns.decimals("used_units")?,
            used_fraction: columns.decimals("used_fraction")?,
        };
        columns.are_among(CommitmentField::WORDS).then_some(Some(commitments))
    }

    fn read(&self, row: usize) -> Cell<Commitment<'a>> {
        if self.array.is_null(row) {
            return Some(None);
        }
        let commitment = Commitment {
            term_months: self.term_months.count(row)?,
            payment_option: parsed(self.payment_option.get(row), PaymentOption::parse)?,
            hourly: self.hourly.number(row)?,
            currency: parsed(self.currency.get(row), str::parse::<Currency>)?,
            upfront: self.upfront.amount(row)?,
            recurring: self.recurring.amount(row)?,
            recurring_every: parsed(self.recurring_every.get(row), Recurrence::parse)?,
            class: parsed(self.class.get(row), Class::parse)?,
            unit: plain(self.unit.get(row))?,
            total_units: self.total_units.number(row)?,
            used_units: self.used_units.number(row)?,
            used_fraction: self.used_fraction.number(row)?,
        };
        commitment.used_fraction.is_none_or(|share| share <= Number::ONE).then_some(Some(commitment))
    }
}

/// The columns of a batch that can be read quickly.
pub struct QuickRows<'a> {
    provider: Texts<'a>,
    site: Texts<'a>,
    account: Texts<'a>,
    id: Texts<'a>,
    name: Texts<'a>,
    product: Texts<'a>,
    region: Texts<'a>,
    billing: Texts<'a>,
    seller: Texts<'a>,
    status: Texts<'a>,
    purchased_at: Times<'a>,
    starts_at: Times<'a>,
    ends_at: Times<'a>,
    primary: Texts<'a>,
    relation: Texts<'a>,
    bundle: Texts<'a>,
    quantity: Decimals<'a>,
    commitments: Option<Commitments<'a>>,
    orders: Option<Orders<'a>>,
    facts: Facts<'a>,
    price_terms: Texts<'a>,
    /// What is rare; where a row says anything, it is read in full.
    stated: Texts<'a>,
}

impl std::fmt::Debug for QuickRows<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("QuickRows").finish_non_exhaustive()
    }
}

impl<'a> QuickRows<'a> {
    /// Resolves the columns of a batch; nothing where one is not for the quick way.
    #[must_use]
    pub fn new(batch: &'a StructArray) -> Option<Self> {
        let columns = Columns { array: batch };
        if !columns.are_among(Field::WORDS) {
            return None;
        }
        Some(Self {
            provider: columns.texts("provider")?,
            site: columns.texts("site")?,
            account: columns.texts("account")?,
            id: columns.texts("id")?,
            name: columns.texts("name")?,
            product: columns.texts("product")?,
            region: columns.texts("region")?,
            billing: columns.texts("billing")?,
            seller: columns.texts("seller")?,
            status: columns.texts("status")?,
            purchased_at: columns.times("purchased_at")?,
            starts_at: columns.times("starts_at")?,
            ends_at: columns.times("ends_at")?,
            primary: columns.texts("primary")?,
            relation: columns.texts("relation")?,
            bundle: columns.texts("bundle")?,
            quantity: columns.decimals("quantity")?,
            commitments: Commitments::of(&columns)?,
            orders: Orders::of(&columns)?,
            facts: Facts::of(&columns)?,
            price_terms: columns.texts("price_terms")?,
            stated: columns.texts("stated")?,
        })
    }

    /// Reads a row, where it is one of those that can be read quickly. Otherwise what `into` holds means nothing.
    pub fn read(
        &self,
        quick: &mut Quick,
        row: usize,
        zone_of: &recoup_core::record::ZoneOf<'_>,
        into: &mut LentResource<'a>,
    ) -> Option<()> {
        into.clear();
        let clock = &mut Clock { zone_of, known: None };
        let required = |texts: &Texts<'a>| plain(texts.get(row))?.filter(|text| !text.is_empty());
        into.provider = required(&self.provider)?;
        into.id = required(&self.id)?;
        into.product = required(&self.product)?;
        into.site = plain(self.site.get(row))?;
        let (provider, site) = (into.provider, into.site);
        into.account = plain(self.account.get(row))?;
        into.name = plain(self.name.get(row))?;
        into.region = plain(self.region.get(row))?;
        into.billing = Billing::parse(self.billing.get(row)?).ok()?;
        into.status = Status::parse(self.status.get(row)?).ok()?;
        into.seller = parsed(self.seller.get(row), Seller::parse)?;
        into.purchased_at = self.purchased_at.get(row, clock, provider, site)?;
        into.starts_at = self.starts_at.get(row, clock, provider, site)?;
        into.ends_at = self.ends_at.get(row, clock, provider, site)?;
        into.primary = plain(self.primary.get(row))?;
        into.relation = parsed(self.relation.get(row), Relation::parse)?;
        into.bundle = plain(self.bundle.get(row))?;
        into.quantity = self.quantity.number(row)?;
        if let Some(commitments) = &self.commitments {
            into.commitment = commitments.read(row)?;
        }
        if let Some(orders) = self.orders.as_ref().filter(|orders| orders.lists.is_valid(row)) {
            into.orders_known = true;
            let items = range(orders.lists, row)?;
            for item in Some(items).filter(|items| items.len() <= limits::ORDERS)? {
                into.orders.push(orders.read(item, clock, (provider, site))?);
            }
        }
        self.facts.read(row, clock, (provider, site), &mut into.facts)?;
        if let Some(text) = self.price_terms.get(row) {
            let mut cursor = Cursor::new(text);
            if !cursor.null() {
                quick.structure(Field::PriceTerms, &mut cursor, clock, into)?;
            }
            cursor.end()?;
        }
        (self.stated.get(row).is_none() && in_order(into.starts_at, into.ends_at)).then_some(())
    }
}
