//! What was bought, gathered from the rows that speak of it.

use std::cmp::Ordering;

use recoup_core::fact::Flag;
use recoup_core::money::{Amount, Currency, Number};
use recoup_core::record::{CommitmentRecord, OrderRecord, ResourceRecord};
use recoup_core::time::{Instant, Span, Zone};
use recoup_core::vocab::{
    Billing, Exit, Instrument, OrderKind, OrderStatus, PaymentOption, Recurrence, Seller, Status,
};

/// The longest commitment that is understood as a term in months.
const LONGEST_TERM: i32 = 240;

/// In which of the forms in use a refund was shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefundForm {
    /// A negative Purchase, mostly of the class Correction.
    Purchase,
    /// A Credit.
    Credit,
    /// An Adjustment.
    Adjustment,
}

impl RefundForm {
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Purchase => "negative Purchase",
            Self::Credit => "Credit",
            Self::Adjustment => "Adjustment",
        }
    }
}

/// Money that came back for a resource, as a row of FOCUS shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FocusRefund {
    /// The adapter that serves the provider.
    pub provider: String,
    /// The resource.
    pub resource: String,
    /// The currency, where the row says it.
    pub currency: Option<Currency>,
    /// How much came back: above nothing.
    pub amount: Amount,
    /// From when on it was charged back.
    pub at: Option<Instant>,
    /// In which form it was shown.
    pub form: RefundForm,
    /// The instrument: only recoup's own rows say it.
    pub instrument: Option<Instrument>,
    /// The exit: only recoup's own rows say it. Such a row is a prediction and changes no order.
    pub exit: Option<Exit>,
}

/// How often a charge is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Frequency {
    OneTime,
    Recurring,
    Other,
}

/// What was charged for a resource over one period.
#[derive(Debug, Clone)]
pub(crate) struct Charge {
    pub(crate) start: Option<Instant>,
    pub(crate) end: Option<Instant>,
    pub(crate) frequency: Frequency,
    pub(crate) currency: Option<Currency>,
    pub(crate) list: Option<Amount>,
    pub(crate) due: Option<Amount>,
    pub(crate) refunded: bool,
}

impl Charge {
    /// How long it is for. A period of a day or less is when it was charged, not for how long.
    fn lasting(&self) -> Option<(Instant, Instant)> {
        let (start, end) = (self.start?, self.end?);
        (end.since(start) > Span::days(1)).then_some((start, end))
    }

    fn is_like(&self, other: &Self) -> bool {
        self.frequency == other.frequency && self.currency == other.currency && self.refunded == other.refunded
    }

    fn take(&mut self, other: &Self) {
        let sum = |a: Option<Amount>, b: Option<Amount>| Some(a? + b?);
        self.list = sum(self.list, other.list);
        self.due = sum(self.due, other.due);
    }

    fn order(&self) -> OrderRecord {
        let status = if self.refunded { OrderStatus::Refunded } else { OrderStatus::Paid };
        let mut order = OrderRecord::new(OrderKind::Purchase, status);
        order.starts_at = self.start;
        order.ends_at = self.lasting().map(|(_, end)| end);
        order.currency = self.currency;
        order.list_price = self.list;
        order.due = self.due;
        order
    }
}

/// What the Contract Commitment data set says.
#[derive(Debug, Clone, Default)]
pub(crate) struct Contract {
    pub(crate) status: Option<Status>,
    pub(crate) exhausted: bool,
    pub(crate) starts_at: Option<Instant>,
    pub(crate) ends_at: Option<Instant>,
    pub(crate) payment_option: Option<PaymentOption>,
    pub(crate) cost: Option<Amount>,
    pub(crate) currency: Option<Currency>,
}

/// What was bought.
#[derive(Debug, Clone)]
pub(crate) struct Thing {
    pub(crate) provider: String,
    pub(crate) id: String,
    pub(crate) account: Option<String>,
    pub(crate) name: Option<String>,
    pub(crate) product: Option<String>,
    /// Whether the product stands in a row of the purchase itself and not in one of its use.
    pub(crate) product_is_sure: bool,
    /// Every name by which the same row speaks of the product, the most telling first.
    pub(crate) services: Vec<String>,
    pub(crate) region: Option<String>,
    pub(crate) project: Option<String>,
    pub(crate) tags: Vec<(String, String)>,
    pub(crate) billing: Option<Billing>,
    pub(crate) is_commitment: bool,
    pub(crate) seller: Option<Seller>,
    pub(crate) unit: Option<String>,
    pub(crate) units: Option<Number>,
    pub(crate) charges: Vec<Charge>,
    pub(crate) refunds: Vec<FocusRefund>,
    /// Whether a row of its use shows that it is there.
    pub(crate) shown: bool,
    /// Whether a row says that it was used.
    pub(crate) used: bool,
    pub(crate) contract: Option<Contract>,
}

/// Keeps what is known, takes what is not.
pub(crate) fn fill<T>(place: &mut Option<T>, value: Option<T>) {
    if place.is_none() {
        *place = value;
    }
}

impl Thing {
    pub(crate) fn new(provider: String, id: String) -> Self {
        Self {
            provider,
            id,
            account: None,
            name: None,
            product: None,
            product_is_sure: false,
            services: Vec::new(),
            region: None,
            project: None,
            tags: Vec::new(),
            billing: None,
            is_commitment: false,
            seller: None,
            unit: None,
            units: None,
            charges: Vec::new(),
            refunds: Vec::new(),
            shown: false,
            used: false,
            contract: None,
        }
    }

    /// Takes the product of a row; that of a purchase wins over that of a use.
    pub(crate) fn product(&mut self, product: Option<String>, services: Vec<String>, is_sure: bool) {
        if product.is_some() && (self.product.is_none() || (is_sure && !self.product_is_sure)) {
            self.product = product;
            self.services = services;
            self.product_is_sure = is_sure;
        }
    }

    /// Adds a charge; several of one period are one order.
    pub(crate) fn charge(&mut self, charge: Charge) {
        let same =
            |other: &&mut Charge| other.is_like(&charge) && other.start == charge.start && other.end == charge.end;
        // A period's rows mostly stand together, so the search is short; what is missed meets its like at the end.
        match self.charges.iter_mut().rev().take(64).find(same) {
            Some(other) => other.take(&charge),
            None => self.charges.push(charge),
        }
    }

    /// Marks the orders that were given back; gives the refunds that match none.
    fn settle(&mut self) -> Vec<FocusRefund> {
        let real = |refund: &&FocusRefund| refund.exit.is_none();
        let mut open = Vec::new();
        for refund in self.refunds.iter().filter(real) {
            let fits = |charge: &&mut Charge| {
                !charge.refunded && charge.due == Some(refund.amount) && charge.currency == refund.currency
            };
            let same_period = |charge: &&mut Charge| charge.start == refund.at;
            let found = match self.charges.iter_mut().find(|charge| fits(charge) && same_period(charge)) {
                Some(charge) => Some(charge),
                None => self.charges.iter_mut().find(fits),
            };
            match found {
                Some(charge) => charge.refunded = true,
                None => open.push(refund.clone()),
            }
        }
        // One refund for several orders, or several for one: where they add up to all that was due.
        let currency = open.first().and_then(|refund| refund.currency);
        let one_currency = open.iter().all(|refund| refund.currency == currency)
            && self.charges.iter().all(|charge| charge.currency == currency);
        let due: Option<Amount> = self
            .charges
            .iter()
            .filter(|charge| !charge.refunded)
            .map(|charge| charge.due)
            .try_fold(Amount::ZERO, |sum, due| due.map(|due| sum + due));
        let back: Amount = open.iter().map(|refund| refund.amount).sum();
        if one_currency && !open.is_empty() && due == Some(back) {
            self.charges.iter_mut().for_each(|charge| charge.refunded = true);
            open.clear();
        }
        open
    }

    /// Puts charges in order of time and joins those by the hour or the day into one order a run.
    fn in_order(&mut self) {
        let by_time = |a: &Charge, b: &Charge| a.start.cmp(&b.start).then(a.end.cmp(&b.end)).then(Ordering::Equal);
        self.charges.sort_by(by_time);
        let mut joined: Vec<Charge> = Vec::with_capacity(self.charges.len());
        for charge in self.charges.drain(..) {
            let short = charge.frequency == Frequency::Recurring && charge.lasting().is_none();
            match joined.last_mut() {
                Some(last) if last.is_like(&charge) && last.start == charge.start && last.end == charge.end => {
                    last.take(&charge);
                }
                Some(last) if short && last.is_like(&charge) && last.end.is_some() && last.end == charge.start => {
                    last.take(&charge);
                    last.end = charge.end;
                }
                _ => joined.push(charge),
            }
        }
        self.charges = joined;
    }

    /// The recurring price, where every charge by the hour or the calendar month is the same.
    fn recurring(&self) -> Option<(Amount, Recurrence)> {
        let mut found = None;
        for charge in self.charges.iter().filter(|charge| charge.frequency == Frequency::Recurring && !charge.refunded)
        {
            let (start, end) = (charge.start?, charge.end?);
            let every = if end.since(start) == Span::hours(1) {
                Recurrence::Hour
            } else if Zone::UTC.add_months(start, 1) == end {
                Recurrence::Month
            } else {
                return None;
            };
            let price = (charge.due?, every);
            if *found.get_or_insert(price) != price {
                return None;
            }
        }
        found
    }

    fn commitment(&self) -> CommitmentRecord {
        let mut record = CommitmentRecord { unit: self.unit.clone(), total_units: self.units, ..Default::default() };
        let once: Vec<&Charge> =
            self.charges.iter().filter(|charge| charge.frequency == Frequency::OneTime && !charge.refunded).collect();
        if let [only] = once.as_slice() {
            record.upfront = only.due;
            record.currency = only.currency;
            record.term_months = only.lasting().and_then(|(start, end)| months(start, end));
        }
        if let Some((price, every)) = self.recurring() {
            record.recurring = Some(price);
            record.recurring_every = Some(every);
            fill(&mut record.currency, self.charges.first().and_then(|charge| charge.currency));
        }
        if let Some(contract) = &self.contract {
            record.payment_option = contract.payment_option;
            fill(&mut record.currency, contract.currency);
            if let (Some(start), Some(end)) = (contract.starts_at, contract.ends_at) {
                record.term_months = months(start, end).or(record.term_months);
            }
            if contract.exhausted {
                record.used_fraction = Some(Number::ONE);
            }
            // A commitment to spend is counted in its currency.
            if record.total_units.is_none()
                && let (Some(cost), Some(currency)) = (contract.cost, contract.currency)
            {
                record.total_units = Some(cost.as_number());
                record.unit = Some(currency.to_string());
            }
        }
        record
    }

    /// The record, and the refunds that match no order of it; none where nothing shows the purchase.
    pub(crate) fn record(mut self) -> (Option<ResourceRecord>, Vec<FocusRefund>) {
        let open = self.settle();
        let bought = !self.charges.is_empty() || self.shown || self.contract.is_some();
        let (Some(billing), true) = (self.billing, bought) else { return (None, open) };
        let commitment = self.is_commitment.then(|| self.commitment());
        self.in_order();
        let taken_back = !self.charges.is_empty()
            && self.charges.iter().all(|charge| charge.refunded)
            && self.refunds.iter().any(|refund| refund.form == RefundForm::Purchase && refund.exit.is_none());
        let status = self.contract.as_ref().and_then(|contract| contract.status);
        let status = if taken_back { Status::Released } else { status.unwrap_or(Status::Active) };
        let product = self.product.take().unwrap_or_else(|| billing.to_string());
        let mut record = ResourceRecord::new(&self.provider, &self.id, &product, billing, status);
        // The fee of one month of a commitment says nothing of when the commitment ends.
        let terms: Vec<(Instant, Instant)> = self
            .charges
            .iter()
            .filter(|charge| !charge.refunded && (!self.is_commitment || charge.frequency == Frequency::OneTime))
            .filter_map(Charge::lasting)
            .collect();
        let once = self.charges.iter().filter(|charge| charge.frequency == Frequency::OneTime);
        record.starts_at = once.filter_map(|charge| charge.start).min();
        record.ends_at = terms.iter().map(|(_, end)| *end).max();
        if let Some(contract) = &self.contract {
            record.starts_at = contract.starts_at.or(record.starts_at);
            record.ends_at = contract.ends_at.or(record.ends_at);
            if contract.exhausted {
                record.facts.flags.set(Flag::Used, true);
            }
        } else if self.used {
            record.facts.flags.set(Flag::Used, true);
        }
        record.account = self.account;
        record.name = self.name;
        record.region = self.region;
        record.project = self.project;
        record.tags = self.tags;
        record.seller = self.seller;
        record.commitment = commitment;
        record.orders = (!self.charges.is_empty()).then(|| self.charges.iter().map(Charge::order).collect());
        (Some(record), open)
    }
}

/// A period as whole calendar months.
fn months(start: Instant, end: Instant) -> Option<u32> {
    (1..=LONGEST_TERM)
        .find(|months| Zone::UTC.add_months(start, *months) >= end)
        .filter(|months| Zone::UTC.add_months(start, *months) == end)
        .map(i32::unsigned_abs)
}
