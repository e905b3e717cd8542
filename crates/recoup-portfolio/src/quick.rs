//! The quick way of reading a record: straight from its text into a lent one, without a tree of JSON between.
//!
//! It reads what nearly every record looks like and gives up on everything else, without saying why: an escaped
//! text, a name that is not known, a value of another type, a date that does not exist, payments that do not add
//! up. Such a record is read again by [`ResourceRecord::from_json`](recoup_core::record::ResourceRecord::from_json),
//! which says what is wrong or finds that nothing is. So the quick way may be strict, and must never read a record
//! otherwise than the full reader does; tests hold the two to each other.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::LazyLock;

use recoup_core::fact::{Figure, Flag, FlagSet, Moment, Text};
use recoup_core::lent::{LentFacts, LentOrder, LentResource};
use recoup_core::money::{Amount, Currency, Number};
use recoup_core::record::{ZoneOf, limits};
use recoup_core::resource::{Commitment, Payment, Term};
use recoup_core::time::{Instant, Zone};
use recoup_core::vocab::{
    Billing, Class, Instrument, OrderKind, OrderStatus, PaymentOption, Recurrence, Relation, Seller, Status, TermUnit,
};
use smallvec::SmallVec;

use crate::json_text::Cursor;
use crate::quick_prices::Prices;

/// The names that an object may have, each with its place.
macro_rules! fields {
    ($name:ident { $($variant:ident = $word:literal),+ $(,)? }) => {
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum $name { $($variant),+ }

        impl $name {
            pub(crate) const ALL: &'static [Self] = &[$(Self::$variant),+];
            pub(crate) const WORDS: &'static [&'static str] = &[$($word),+];
        }
    };
}
pub(crate) use fields;

fields!(Field {
    Provider = "provider",
    Site = "site",
    Account = "account",
    Id = "id",
    Name = "name",
    Product = "product",
    Region = "region",
    Project = "project",
    Tags = "tags",
    Billing = "billing",
    Seller = "seller",
    Status = "status",
    PurchasedAt = "purchased_at",
    StartsAt = "starts_at",
    EndsAt = "ends_at",
    Primary = "primary",
    Relation = "relation",
    Bundle = "bundle",
    Quantity = "quantity",
    Commitment = "commitment",
    PriceTerms = "price_terms",
    Orders = "orders",
    Facts = "facts",
    Stated = "stated",
});

fields!(OrderField {
    Id = "id",
    Kind = "kind",
    Status = "status",
    PlacedAt = "placed_at",
    PaidAt = "paid_at",
    StartsAt = "starts_at",
    EndsAt = "ends_at",
    TermMonths = "term_months",
    TermUnit = "term_unit",
    TermCount = "term_count",
    Quantity = "quantity",
    Currency = "currency",
    ListPrice = "list_price",
    Due = "due",
    Payments = "payments",
    Facts = "facts",
});

fields!(PaymentField { Instrument = "instrument", Amount = "amount", ExpiresAt = "expires_at" });

fields!(CommitmentField {
    TermMonths = "term_months",
    PaymentOption = "payment_option",
    Hourly = "hourly",
    Currency = "currency",
    Upfront = "upfront",
    Recurring = "recurring",
    RecurringEvery = "recurring_every",
    Class = "class",
    Unit = "unit",
    TotalUnits = "total_units",
    UsedUnits = "used_units",
    UsedFraction = "used_fraction",
});

/// What a fact's name stands for.
#[derive(Debug, Clone, Copy)]
enum Fact {
    Flag(Flag),
    Figure(Figure),
    Text(Text),
    Moment(Moment),
}

static FACTS: LazyLock<(Vec<&'static str>, Vec<Fact>)> = LazyLock::new(|| {
    let flags = Flag::ALL.iter().map(|flag| (flag.as_str(), Fact::Flag(*flag)));
    let figures = Figure::ALL.iter().map(|figure| (figure.as_str(), Fact::Figure(*figure)));
    let texts = Text::ALL.iter().map(|text| (text.as_str(), Fact::Text(*text)));
    let moments = Moment::ALL.iter().map(|moment| (moment.as_str(), Fact::Moment(*moment)));
    flags.chain(figures).chain(texts).chain(moments).unzip()
});

const _: () = assert!(
    Flag::ALL.len() + Figure::ALL.len() + Text::ALL.len() + Moment::ALL.len() <= 128,
    "the facts that were seen are kept in 128 bits"
);

/// The names of one kind of object, and which of them followed which: a file's records have their names in
/// one order, so the guess is nearly always right.
#[derive(Debug)]
pub(crate) struct Names {
    words: &'static [&'static str],
    places: HashMap<&'static str, usize, foldhash::fast::FixedState>,
    /// The name that last followed each name; the last entry is that of an object's beginning.
    after: Vec<usize>,
}

impl Names {
    pub(crate) fn new(words: &'static [&'static str]) -> Self {
        let places = words.iter().enumerate().map(|(place, word)| (*word, place)).collect();
        Self { words, places, after: (1..=words.len()).chain([0]).collect() }
    }

    /// The place of a name that stands after the one at `last`.
    #[inline]
    fn find(&mut self, name: &str, last: usize) -> Option<usize> {
        let guess = self.after.get(last).copied().unwrap_or(0);
        if self.words.get(guess) == Some(&name) {
            return Some(guess);
        }
        let place = *self.places.get(name)?;
        if let Some(after) = self.after.get_mut(last) {
            *after = place;
        }
        Some(place)
    }

    fn begin(&self) -> usize {
        self.words.len()
    }
}

/// Walks an object whose names are known, each at most once: `each` is given the place of a name and reads its
/// value. `null` says nothing, and is passed over.
#[inline]
pub(crate) fn object<'a>(
    cursor: &mut Cursor<'a>,
    names: &mut Names,
    mut each: impl FnMut(&mut Cursor<'a>, usize) -> Option<()>,
) -> Option<()> {
    let (mut seen, mut last) = (0_u128, names.begin());
    cursor.object(|cursor, name| {
        last = names.find(name, last)?;
        let bit = 1_u128 << last;
        if seen & bit != 0 {
            return None;
        }
        seen |= bit;
        if cursor.null() { Some(()) } else { each(cursor, last) }
    })
}

/// A text of a record, no longer than the full reader takes.
#[inline]
pub(crate) fn text<'a>(cursor: &mut Cursor<'a>) -> Option<&'a str> {
    cursor.text().filter(|text| text.len() <= limits::TEXT)
}

/// A word of a vocabulary.
#[inline]
pub(crate) fn word<T, E>(cursor: &mut Cursor<'_>, parse: impl FnOnce(&str) -> Result<T, E>) -> Option<T> {
    parse(cursor.text()?).ok()
}

/// A decimal that is not below zero, as a text or a number.
#[inline]
fn decimal<T: std::str::FromStr>(cursor: &mut Cursor<'_>, is_negative: impl FnOnce(&T) -> bool) -> Option<T> {
    let text = if cursor.is_text() { cursor.text()? } else { cursor.number()? };
    text.parse().ok().filter(|value| !is_negative(value))
}

#[inline]
fn amount(cursor: &mut Cursor<'_>) -> Option<Amount> {
    decimal(cursor, |amount: &Amount| amount.is_negative())
}

#[inline]
pub(crate) fn number(cursor: &mut Cursor<'_>) -> Option<Number> {
    decimal(cursor, |number: &Number| number.is_negative())
}

/// A whole number as terms have it.
#[inline]
fn count(cursor: &mut Cursor<'_>) -> Option<u32> {
    let whole = number(cursor)?.as_whole()?;
    u32::try_from(whole).ok().filter(|count| *count <= limits::COUNT)
}

/// The clock by which bare dates are meant: that of the provider's site, asked for when the first one is met.
pub(crate) struct Clock<'z> {
    pub(crate) zone_of: &'z ZoneOf<'z>,
    pub(crate) known: Option<Zone>,
}

impl Clock<'_> {
    #[inline]
    pub(crate) fn instant(&mut self, text: &str, provider: &str, site: Option<&str>) -> Option<Instant> {
        let zone = match self.known {
            Some(zone) => zone,
            None if text.len() != 10 => Zone::UTC,
            // A date in front of the provider's name cannot be read yet.
            None if provider.is_empty() => return None,
            None => *self.known.insert((self.zone_of)(provider, site).unwrap_or(Zone::UTC)),
        };
        Instant::parse(text, zone).ok()
    }
}

/// A period does not end before it begins.
pub(crate) fn in_order(start: Option<Instant>, end: Option<Instant>) -> bool {
    match (start, end) {
        (Some(start), Some(end)) => start <= end,
        _ => true,
    }
}

/// An order's term, out of the ways in which it may be stated. Where a unit is given, it is the provider's own way
/// of counting.
pub(crate) fn term(months: Option<u32>, unit: Option<TermUnit>, count: Option<u32>) -> Option<Term> {
    match (months, unit, count) {
        (_, Some(unit), Some(count)) => Some(Term { unit, count }),
        (Some(count), ..) => Some(Term { unit: TermUnit::Month, count }),
        _ => None,
    }
}

/// Whether payments, where there are any, are what was due.
pub(crate) fn adds_up(order: &LentOrder<'_>) -> bool {
    match (order.due, order.payments.as_deref()) {
        (None, _) | (_, None | Some([])) => true,
        (Some(due), Some(payments)) => payments.iter().map(|payment| payment.amount).sum::<Amount>() == due,
    }
}

/// Reads records quickly, one after the other.
#[derive(Debug)]
pub struct Quick {
    names: Names,
    structures: Structures,
}

impl Default for Quick {
    fn default() -> Self {
        let structures = Structures {
            order: Names::new(OrderField::WORDS),
            payment: Names::new(PaymentField::WORDS),
            commitment: Names::new(CommitmentField::WORDS),
            facts: Names::new(&FACTS.0),
            order_facts: Names::new(&FACTS.0),
            prices: Prices::default(),
        };
        Self { names: Names::new(Field::WORDS), structures }
    }
}

impl Quick {
    /// Reads a record, where it is one of those that can be read quickly. Otherwise what `into` holds means
    /// nothing.
    pub fn read<'a>(&mut self, text: &'a str, zone_of: &ZoneOf<'_>, into: &mut LentResource<'a>) -> Option<()> {
        into.clear();
        let mut cursor = Cursor::new(text);
        self.resource(&mut cursor, &mut Clock { zone_of, known: None }, into)?;
        cursor.end()
    }

    fn resource<'a>(
        &mut self,
        cursor: &mut Cursor<'a>,
        clock: &mut Clock<'_>,
        into: &mut LentResource<'a>,
    ) -> Option<()> {
        let Self { names, structures } = self;
        let mut stated = (false, false);
        object(cursor, names, |cursor, place| {
            let (provider, site) = (into.provider, into.site);
            let field = *Field::ALL.get(place)?;
            match field {
                // Whose clock it is must be known before a date was read by it.
                Field::Provider | Field::Site if clock.known.is_some() => return None,
                Field::Provider => into.provider = text(cursor)?,
                Field::Site => into.site = Some(text(cursor)?),
                Field::Account => into.account = Some(text(cursor)?),
                Field::Id => into.id = text(cursor)?,
                Field::Name => into.name = Some(text(cursor)?),
                Field::Product => into.product = text(cursor)?,
                Field::Region => into.region = Some(text(cursor)?),
                Field::Project => drop(text(cursor)?),
                Field::Billing => (into.billing, stated.0) = (word(cursor, Billing::parse)?, true),
                Field::Seller => into.seller = Some(word(cursor, Seller::parse)?),
                Field::Status => (into.status, stated.1) = (word(cursor, Status::parse)?, true),
                Field::PurchasedAt => into.purchased_at = Some(clock.instant(cursor.text()?, provider, site)?),
                Field::StartsAt => into.starts_at = Some(clock.instant(cursor.text()?, provider, site)?),
                Field::EndsAt => into.ends_at = Some(clock.instant(cursor.text()?, provider, site)?),
                Field::Primary => into.primary = Some(text(cursor)?),
                Field::Relation => into.relation = Some(word(cursor, Relation::parse)?),
                Field::Bundle => into.bundle = Some(text(cursor)?),
                Field::Quantity => into.quantity = Some(number(cursor)?),
                Field::Tags | Field::Commitment | Field::PriceTerms | Field::Orders | Field::Facts => {
                    structures.read(field, cursor, clock, into)?;
                }
                // Rare, and owned where it is.
                Field::Stated => return None,
            }
            Some(())
        })?;
        let is_whole = stated == (true, true)
            && !into.provider.is_empty()
            && !into.id.is_empty()
            && !into.product.is_empty()
            && in_order(into.starts_at, into.ends_at);
        is_whole.then_some(())
    }

    /// Reads a field that is a structure by itself, as CSV has it in a cell and Parquet some of them.
    pub(crate) fn structure<'a>(
        &mut self,
        field: Field,
        cursor: &mut Cursor<'a>,
        clock: &mut Clock<'_>,
        into: &mut LentResource<'a>,
    ) -> Option<()> {
        self.structures.read(field, cursor, clock, into)
    }
}

/// The names inside the structures of a record.
#[derive(Debug)]
struct Structures {
    order: Names,
    payment: Names,
    commitment: Names,
    facts: Names,
    order_facts: Names,
    prices: Prices,
}

impl Structures {
    fn read<'a>(
        &mut self,
        field: Field,
        cursor: &mut Cursor<'a>,
        clock: &mut Clock<'_>,
        into: &mut LentResource<'a>,
    ) -> Option<()> {
        let (provider, site) = (into.provider, into.site);
        match field {
            Field::Tags => cursor.object(|cursor, _| cursor.text().map(drop)),
            Field::Commitment => {
                into.commitment = Some(read_commitment(cursor, &mut self.commitment)?);
                Some(())
            }
            Field::PriceTerms => {
                into.price_terms = Some(Cow::Owned(self.prices.read(cursor)?));
                Some(())
            }
            Field::Orders => {
                into.orders_known = true;
                let orders = &mut into.orders;
                let Self { order: names, payment, order_facts: facts, .. } = self;
                let mut reader = Orders { names, payment, facts, provider, site };
                cursor.array(|cursor| {
                    orders.push(reader.read(cursor, clock)?);
                    (orders.len() <= limits::ORDERS).then_some(())
                })
            }
            Field::Facts => read_facts(cursor, &mut self.facts, clock, (provider, site), &mut into.facts),
            _ => None,
        }
    }
}

/// Reads the orders of one resource.
struct Orders<'n, 'a> {
    names: &'n mut Names,
    payment: &'n mut Names,
    facts: &'n mut Names,
    provider: &'a str,
    site: Option<&'a str>,
}

impl<'a> Orders<'_, 'a> {
    fn read(&mut self, cursor: &mut Cursor<'a>, clock: &mut Clock<'_>) -> Option<LentOrder<'a>> {
        let (provider, site) = (self.provider, self.site);
        let mut order = LentOrder::new(OrderKind::Purchase, OrderStatus::Paid);
        let (mut kind, mut status) = (None, None);
        let (mut months, mut unit, mut counted) = (None, None, None);
        let (payment, facts) = (&mut *self.payment, &mut *self.facts);
        object(cursor, self.names, |cursor, place| {
            match OrderField::ALL.get(place)? {
                OrderField::Id => order.id = Some(text(cursor)?),
                OrderField::Kind => kind = Some(word(cursor, OrderKind::parse)?),
                OrderField::Status => status = Some(word(cursor, OrderStatus::parse)?),
                OrderField::PlacedAt => order.placed_at = Some(clock.instant(cursor.text()?, provider, site)?),
                OrderField::PaidAt => order.paid_at = Some(clock.instant(cursor.text()?, provider, site)?),
                OrderField::StartsAt => order.starts_at = Some(clock.instant(cursor.text()?, provider, site)?),
                OrderField::EndsAt => order.ends_at = Some(clock.instant(cursor.text()?, provider, site)?),
                OrderField::TermMonths => months = Some(count(cursor)?),
                OrderField::TermUnit => unit = Some(word(cursor, TermUnit::parse)?),
                OrderField::TermCount => counted = Some(count(cursor)?),
                OrderField::Quantity => order.quantity = Some(number(cursor)?),
                OrderField::Currency => order.currency = Some(word(cursor, str::parse::<Currency>)?),
                OrderField::ListPrice => order.list_price = Some(amount(cursor)?),
                OrderField::Due => order.due = Some(amount(cursor)?),
                OrderField::Payments => {
                    let payments = order.payments.insert(SmallVec::new());
                    cursor.array(|cursor| {
                        payments.push(read_payment(cursor, payment, clock, (provider, site))?);
                        (payments.len() <= limits::PAYMENTS).then_some(())
                    })?;
                }
                OrderField::Facts => read_facts(cursor, facts, clock, (provider, site), &mut order.facts)?,
            }
            Some(())
        })?;
        (order.kind, order.status) = (kind?, status?);
        order.term = term(months, unit, counted);
        (adds_up(&order) && in_order(order.starts_at, order.ends_at)).then_some(order)
    }
}

fn read_payment(
    cursor: &mut Cursor<'_>,
    names: &mut Names,
    clock: &mut Clock<'_>,
    (provider, site): (&str, Option<&str>),
) -> Option<Payment> {
    let (mut instrument, mut paid, mut expires_at) = (None, None, None);
    object(cursor, names, |cursor, place| {
        match PaymentField::ALL.get(place)? {
            PaymentField::Instrument => instrument = Some(word(cursor, Instrument::parse)?),
            PaymentField::Amount => paid = Some(amount(cursor)?),
            PaymentField::ExpiresAt => expires_at = Some(clock.instant(cursor.text()?, provider, site)?),
        }
        Some(())
    })?;
    Some(Payment { instrument: instrument?, amount: paid?, expires_at })
}

fn read_commitment<'a>(cursor: &mut Cursor<'a>, names: &mut Names) -> Option<Commitment<'a>> {
    let mut commitment = Commitment::default();
    object(cursor, names, |cursor, place| {
        match CommitmentField::ALL.get(place)? {
            CommitmentField::TermMonths => commitment.term_months = Some(count(cursor)?),
            CommitmentField::PaymentOption => {
                commitment.payment_option = Some(word(cursor, PaymentOption::parse)?);
            }
            CommitmentField::Hourly => commitment.hourly = Some(number(cursor)?),
            CommitmentField::Currency => commitment.currency = Some(word(cursor, str::parse::<Currency>)?),
            CommitmentField::Upfront => commitment.upfront = Some(amount(cursor)?),
            CommitmentField::Recurring => commitment.recurring = Some(amount(cursor)?),
            CommitmentField::RecurringEvery => commitment.recurring_every = Some(word(cursor, Recurrence::parse)?),
            CommitmentField::Class => commitment.class = Some(word(cursor, Class::parse)?),
            CommitmentField::Unit => commitment.unit = Some(text(cursor)?),
            CommitmentField::TotalUnits => commitment.total_units = Some(number(cursor)?),
            CommitmentField::UsedUnits => commitment.used_units = Some(number(cursor)?),
            CommitmentField::UsedFraction => {
                commitment.used_fraction = Some(number(cursor).filter(|share| *share <= Number::ONE)?);
            }
        }
        Some(())
    })?;
    Some(commitment)
}

fn read_facts<'a>(
    cursor: &mut Cursor<'a>,
    names: &mut Names,
    clock: &mut Clock<'_>,
    (provider, site): (&str, Option<&str>),
    into: &mut LentFacts<'a>,
) -> Option<()> {
    let mut flags = FlagSet::EMPTY;
    object(cursor, names, |cursor, place| {
        match FACTS.1.get(place)? {
            Fact::Flag(flag) => flags.set(*flag, cursor.truth()?),
            Fact::Figure(figure) => into.figures.push((*figure, number(cursor)?)),
            Fact::Text(name) => into.texts.push((*name, cursor.text()?)),
            Fact::Moment(moment) => into.moments.push((*moment, clock.instant(cursor.text()?, provider, site)?)),
        }
        Some(())
    })?;
    into.flags = flags;
    Some(())
}
