//! The traits that rules read: [`Resource`] and [`Order`].
//!
//! A rule is written once against these traits and runs over owned records
//! ([`record`](crate::record)), over rows of an Arrow batch (in `recoup-plugin`) and over a test's
//! stub. An accessor that gives `None` says *unknown*, never zero or false.

use crate::fact::{Figure, FlagSet, Moment, Text};
use crate::money::{Amount, Currency, Number};
use crate::time::{Instant, Span, Zone};
use crate::vocab::{
    Billing, Class, Instrument, InstrumentSet, OrderKind, OrderStatus, PaymentOption, Recurrence, Relation, Seller,
    Status, TermUnit,
};

/// What one instrument paid of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Payment {
    /// What paid.
    pub instrument: Instrument,
    /// How much, in the order's currency.
    pub amount: Amount,
    /// The last instant at which a coupon or card is valid, if it ends.
    pub expires_at: Option<Instant>,
}

impl Payment {
    /// Whether a coupon or card given back at `at` could still be used.
    #[must_use]
    #[inline]
    pub fn valid_at(&self, at: Instant) -> bool {
        self.expires_at.is_none_or(|end| at <= end)
    }
}

/// An order's term as the provider counts it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Term {
    /// The unit counted.
    pub unit: TermUnit,
    /// How many of them.
    pub count: u32,
}

impl Term {
    /// The term in calendar months, where its unit is one of the calendar.
    #[must_use]
    #[inline]
    pub fn months(self) -> Option<u32> {
        match self.unit {
            TermUnit::Month => Some(self.count),
            TermUnit::Year => self.count.checked_mul(12),
            TermUnit::Hour | TermUnit::Day | TermUnit::Week => None,
        }
    }

    /// The end of a term that begins at `start`.
    #[must_use]
    pub fn end(self, start: Instant, zone: Zone) -> Instant {
        let count = i64::from(self.count);
        match self.unit {
            TermUnit::Hour => start + Span::hours(count),
            TermUnit::Day => zone.add_days(start, count),
            TermUnit::Week => zone.add_days(start, count * 7),
            TermUnit::Month => zone.add_months(start, i32::try_from(count).unwrap_or(0)),
            TermUnit::Year => zone.add_months(start, i32::try_from(count * 12).unwrap_or(0)),
        }
    }
}

/// A purchase, renewal, upgrade or downgrade of a resource.
pub trait Order {
    /// The provider's number of the order.
    fn id(&self) -> Option<&str>;
    /// What the order did.
    fn kind(&self) -> OrderKind;
    /// What became of it.
    fn status(&self) -> OrderStatus;
    /// When it was placed.
    fn placed_at(&self) -> Option<Instant>;
    /// When it was paid.
    fn paid_at(&self) -> Option<Instant>;
    /// Start of the period it bought.
    fn starts_at(&self) -> Option<Instant>;
    /// End of the period it bought.
    fn ends_at(&self) -> Option<Instant>;
    /// The term it bought.
    fn term(&self) -> Option<Term>;
    /// How many it bought.
    fn quantity(&self) -> Option<Number>;
    /// The currency of its amounts.
    fn currency(&self) -> Option<Currency>;
    /// The price before any discount.
    fn list_price(&self) -> Option<Amount>;
    /// What the instruments together paid.
    fn due(&self) -> Option<Amount>;
    /// What each instrument paid; `None` where the split is unknown.
    fn payments(&self) -> Option<impl Iterator<Item = Payment> + '_>;
    /// The flags stated on the order.
    fn flags(&self) -> FlagSet;
    /// A decimal fact stated on the order.
    fn figure(&self, figure: Figure) -> Option<Number>;

    /// The instruments that paid anything; none where the split is unknown.
    #[inline]
    fn paid_with(&self) -> InstrumentSet {
        let positive = |payment: &Payment| payment.amount.is_positive();
        let payments = self.payments().into_iter().flatten().filter(positive);
        payments.fold(InstrumentSet::NONE, |all, payment| all.with(payment.instrument))
    }

    /// Whether the order was paid and neither refunded nor cancelled.
    #[inline]
    fn is_paid(&self) -> bool {
        self.status() == OrderStatus::Paid
    }

    /// The term in calendar months, where it is known in such.
    #[inline]
    fn term_months(&self) -> Option<u32> {
        self.term().and_then(Term::months)
    }

    /// Whether the order's period has begun at `at`; `None` where its start is unknown.
    #[inline]
    fn has_begun(&self, at: Instant) -> Option<bool> {
        self.starts_at().map(|start| start <= at)
    }

    /// Whether a renewal has not begun at `at`; an unknown start counts as begun.
    #[inline]
    fn is_pending_renewal(&self, at: Instant) -> bool {
        self.kind() == OrderKind::Renewal && self.starts_at().is_some_and(|start| start > at)
    }
}

/// A commitment's own terms.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[allow(missing_docs, reason = "the fields are defined by the published formats")]
pub struct Commitment<'a> {
    pub term_months: Option<u32>,
    pub payment_option: Option<PaymentOption>,
    pub hourly: Option<Number>,
    pub currency: Option<Currency>,
    pub upfront: Option<Amount>,
    pub recurring: Option<Amount>,
    pub recurring_every: Option<Recurrence>,
    pub class: Option<Class>,
    pub unit: Option<&'a str>,
    pub total_units: Option<Number>,
    pub used_units: Option<Number>,
    pub used_fraction: Option<Number>,
}

/// The provider's prices in force at the instant asked about, which some formulas need.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
#[allow(missing_docs, reason = "the fields are defined by the published formats")]
pub struct PriceTerms {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub currency: Option<Currency>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub components: Vec<PriceComponent>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub discounts: Vec<TermDiscount>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hourly_rate: Option<Number>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate: Option<Number>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unit_price: Option<Number>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub daily: Option<Number>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub current: Option<Number>,
}

impl PriceTerms {
    /// Whether any figure is below zero, which the reader of records refuses.
    #[must_use]
    pub fn has_negative(&self) -> bool {
        let own = [self.hourly_rate, self.rate, self.unit_price, self.daily, self.current];
        let of_parts = self.components.iter().map(|part| part.monthly);
        let tiers = self.components.iter().flat_map(|part| &part.hourly);
        let of_tiers = tiers.flat_map(|tier| [tier.up_to_hours, Some(tier.price)]);
        let of_discounts = self.discounts.iter().flat_map(|one| [Some(one.from_months), Some(one.rate)]);
        own.into_iter().chain(of_parts).chain(of_tiers).chain(of_discounts).flatten().any(Number::is_negative)
    }
}

/// A part of a configuration with prices of its own.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
#[allow(missing_docs, reason = "the fields are defined by the published formats")]
pub struct PriceComponent {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub monthly: Option<Number>,
    /// Hourly prices by tier, the tier without an upper bound last.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub hourly: Vec<HourlyTier>,
}

/// An hourly price up to a number of hours.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "the fields are defined by the published formats")]
pub struct HourlyTier {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub up_to_hours: Option<Number>,
    pub price: Number,
}

/// A discount factor that holds from a number of months on.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "the fields are defined by the published formats")]
pub struct TermDiscount {
    pub from_months: Number,
    pub rate: Number,
}

/// What was bought ahead from a cloud.
pub trait Resource {
    /// The type of its orders.
    type Order<'a>: Order
    where
        Self: 'a;

    /// The provider's contract, where the record names one.
    fn site(&self) -> Option<&str>;
    /// Key into the accounts.
    fn account(&self) -> Option<&str>;
    /// The provider's id of the resource.
    fn id(&self) -> &str;
    /// The provider's own service code or its usual short name.
    fn product(&self) -> &str;
    /// The region.
    fn region(&self) -> Option<&str>;
    /// How it is paid for.
    fn billing(&self) -> Billing;
    /// Who sold it; the provider where the record does not say.
    fn seller(&self) -> Seller;
    /// Where it stands in its life.
    fn status(&self) -> Status;
    /// When it was bought.
    fn purchased_at(&self) -> Option<Instant>;
    /// When it takes or took effect.
    fn starts_at(&self) -> Option<Instant>;
    /// When it ends.
    fn ends_at(&self) -> Option<Instant>;
    /// The id of the primary resource on which it hangs.
    fn primary(&self) -> Option<&str>;
    /// How it hangs on its primary.
    fn relation(&self) -> Option<Relation>;
    /// The portfolio or package that leaves only as a whole.
    fn bundle(&self) -> Option<&str>;
    /// How many; one where the record does not say.
    fn quantity(&self) -> Number;
    /// The commitment's terms.
    fn commitment(&self) -> Option<Commitment<'_>>;
    /// The provider's prices now.
    fn price_terms(&self) -> Option<&PriceTerms>;
    /// Its orders, oldest first; `None` where they are unknown. An empty list says that nothing was
    /// paid.
    fn orders(&self) -> Option<impl ExactSizeIterator<Item = Self::Order<'_>> + '_>;
    /// Those of its orders that are known: none where [`orders`](Self::orders) are unknown.
    #[inline]
    fn known_orders(&self) -> impl Iterator<Item = Self::Order<'_>> + '_ {
        self.orders().into_iter().flatten()
    }

    /// The flags stated on the resource itself.
    fn flags(&self) -> FlagSet;
    /// A decimal fact stated on the resource itself.
    fn figure(&self, figure: Figure) -> Option<Number>;
    /// A text fact stated on the resource itself.
    fn text(&self, text: Text) -> Option<&str>;
    /// An instant stated as a fact on the resource itself.
    fn moment(&self, moment: Moment) -> Option<Instant>;

    /// The orders that were paid and neither refunded nor cancelled; none where orders are unknown.
    #[inline]
    fn paid_orders(&self) -> impl Iterator<Item = Self::Order<'_>> + '_ {
        self.known_orders().filter(Order::is_paid)
    }

    /// The paid orders that bought a period: purchases and renewals.
    #[inline]
    fn periods(&self) -> impl Iterator<Item = Self::Order<'_>> + '_ {
        self.paid_orders().filter(|order| matches!(order.kind(), OrderKind::Purchase | OrderKind::Renewal))
    }

    /// The paid renewals that have not begun at `at`.
    #[inline]
    fn pending_renewals(&self, at: Instant) -> impl Iterator<Item = Self::Order<'_>> + '_ {
        self.paid_orders().filter(move |order| order.is_pending_renewal(at))
    }

    /// Whether any order is recorded as unpaid.
    #[inline]
    fn has_unpaid_order(&self) -> bool {
        self.known_orders().any(|order| order.status() == OrderStatus::Unpaid)
    }

    /// Whether a paid order was paid with `instrument`.
    #[inline]
    fn paid_with(&self, instrument: Instrument) -> bool {
        self.paid_orders().any(|order| order.paid_with().contains(instrument))
    }

    /// Whether its period is over at `at`, or its status says so.
    #[inline]
    fn has_expired(&self, at: Instant) -> bool {
        self.status() == Status::Expired || self.ends_at().is_some_and(|end| end < at)
    }
}
