//! Money that conserves by construction.
//!
//! A [`Ledger`] holds what each instrument paid. [`Ledger::settle`] opens a [`Draft`], out of which
//! consumption, fees and forfeits can only be taken while something is left, and whose rest goes back:
//! the [`RefundQuote`] that comes out always satisfies `paid = consumed + fee + forfeited +
//! sum(returned) + carry_over`, and there is no other way to build one.
//!
//! ```
//! use recoup_core::money::{Currency, Exact};
//! use recoup_core::refund::{Disposition, Ledger};
//! use recoup_core::vocab::{Destination, Instrument};
//!
//! let mut ledger = Ledger::new(Currency::USD);
//! ledger.pay(Instrument::Cash, "80.00".parse()?);
//! ledger.pay(Instrument::CashCoupon, "20.00".parse()?);
//! // Coupons are lost; cash goes back less 7 of 31 days and a fee of a tenth.
//! let mut draft = ledger.settle(|payment| match payment.instrument {
//!     Instrument::CashCoupon => Disposition::Lost,
//!     _ => Disposition::Share(Destination::AccountBalance),
//! });
//! draft.consume(&Exact::from(ledger.money()).times_ratio(7, 31));
//! draft.keep_fee(&Exact::from(ledger.money()).times_ratio(1, 10));
//! let refund = draft.finish();
//! assert_eq!(refund.refund().to_string(), "53.94");
//! assert_eq!(refund.paid(), refund.accounted_for());
//! # Ok::<(), recoup_core::money::AmountError>(())
//! ```

use std::borrow::BorrowMut;

use smallvec::SmallVec;

use crate::money::{Amount, Currency, Exact};
use crate::resource::{Order, Payment};
use crate::time::Instant;
use crate::vocab::{Destination, Instrument};

/// What comes back, whether a rule predicts it or a provider's refund order shows it.
pub trait Refund {
    /// The currency of its amounts.
    fn currency(&self) -> Currency;
    /// The fee that is kept, where it is known.
    fn fee(&self) -> Option<Amount>;
    /// What is kept for use, where it is known.
    fn consumed(&self) -> Option<Amount>;
    /// What comes back, by instrument.
    fn returned(&self) -> impl Iterator<Item = (Instrument, Amount)> + '_;

    /// What comes back by instruments that are not named: only a provider's own figures leave that open.
    fn unnamed(&self) -> Amount {
        Amount::ZERO
    }

    /// The part of what comes back that is money. What names no instrument is taken for money.
    fn money_back(&self) -> Amount {
        let named: Amount =
            self.returned().filter(|(instrument, _)| instrument.is_money()).map(|(_, amount)| amount).sum();
        named + self.unnamed()
    }
}

/// Why a figure cannot be computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Missing {
    /// The orders are unknown.
    #[error("the orders are unknown")]
    Orders,
    /// What paid an order is unknown.
    #[error("what paid an order is unknown")]
    Payments,
    /// No currency is known.
    #[error("the currency is unknown")]
    Currency,
    /// The orders have different currencies.
    #[error("the orders have different currencies")]
    OneCurrency,
}

impl Missing {
    /// The field that would settle it.
    #[must_use]
    pub const fn field(self) -> &'static str {
        match self {
            Self::Orders => "orders",
            Self::Payments => "payments",
            Self::Currency | Self::OneCurrency => "currency",
        }
    }
}

/// What an order was paid with, if it was, in a currency.
#[inline]
fn payments_in(currency: Currency, order: &impl Order) -> Result<Option<impl Iterator<Item = Payment>>, Missing> {
    if order.currency().is_some_and(|own| own != currency) {
        return Err(Missing::OneCurrency);
    }
    match order.payments() {
        Some(payments) => Ok(Some(payments)),
        // An order over nothing needs no payments to be understood.
        None if order.due() == Some(Amount::ZERO) => Ok(None),
        None => Err(Missing::Payments),
    }
}

/// What becomes of a payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Disposition {
    /// Bears its share of consumption and fee; the rest goes back, in proportion to what was paid.
    Share(Destination),
    /// Bears its share too, but the rest is forfeited: what would return to something that has lapsed.
    ShareLost,
    /// Goes back whole.
    Back(Destination),
    /// Is forfeited whole.
    Lost,
    /// Is consumed whole.
    Spent,
}

/// What each instrument paid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ledger {
    currency: Currency,
    // Few orders are paid by more instruments than this; those that are get memory of their own.
    payments: SmallVec<[Payment; 3]>,
}

impl Ledger {
    /// Nothing paid yet.
    #[must_use]
    #[inline]
    pub fn new(currency: Currency) -> Self {
        Self { currency, payments: SmallVec::new() }
    }

    /// Adds what an instrument paid.
    #[inline]
    pub fn pay(&mut self, instrument: Instrument, amount: Amount) {
        self.add(Payment { instrument, amount, expires_at: None });
    }

    /// Adds a payment.
    #[inline]
    pub fn add(&mut self, payment: Payment) {
        if payment.amount.is_positive() {
            self.payments.push(payment);
        }
    }

    /// Adds what an order was paid with.
    ///
    /// # Errors
    /// Where its payments are unknown or in another currency.
    #[inline]
    pub fn add_order(&mut self, order: &impl Order) -> Result<(), Missing> {
        payments_in(self.currency, order)?.into_iter().flatten().for_each(|payment| self.add(payment));
        Ok(())
    }

    /// The currency of its amounts.
    #[must_use]
    #[inline]
    pub fn currency(&self) -> Currency {
        self.currency
    }

    /// The payments.
    #[inline]
    pub fn payments(&self) -> impl Iterator<Item = Payment> + '_ {
        self.payments.iter().copied()
    }

    /// What all instruments paid.
    #[must_use]
    #[inline]
    pub fn paid(&self) -> Amount {
        self.payments.iter().map(|payment| payment.amount).sum()
    }

    /// What money paid, without coupons and vouchers.
    #[must_use]
    #[inline]
    pub fn money(&self) -> Amount {
        self.paid_by(Instrument::is_money)
    }

    /// What the instruments paid that `which` picks.
    #[must_use]
    #[inline]
    pub fn paid_by(&self, which: impl Fn(Instrument) -> bool) -> Amount {
        self.payments.iter().filter(|payment| which(payment.instrument)).map(|payment| payment.amount).sum()
    }

    /// The part `over / under` of every payment, rounded so that the parts add up: what a share of the
    /// quantity was paid with.
    #[must_use]
    pub fn part(&self, share: &Exact) -> Self {
        let weights: Vec<Amount> = self.payments.iter().map(|payment| payment.amount).collect();
        let whole = Exact::from(self.paid()).times(share.clone()).round(self.currency);
        let parts = whole.split(&weights, self.currency);
        let mut part = Self::new(self.currency);
        for (payment, amount) in self.payments.iter().zip(parts) {
            part.add(Payment { amount, ..*payment });
        }
        part
    }

    /// Opens a draft in which every payment has its disposition.
    #[inline]
    pub fn settle(&self, dispose: impl Fn(&Payment) -> Disposition) -> Draft {
        let mut draft = Draft { shares: SmallVec::new(), left: Amount::ZERO, quote: RefundQuote::empty(self.currency) };
        for payment in &self.payments {
            draft.settle(payment, dispose(payment));
        }
        draft
    }

    /// A quote in which nothing comes back: all that was paid is consumed.
    #[must_use]
    pub fn all_consumed(&self) -> RefundQuote {
        self.settle(|_| Disposition::Spent).finish()
    }
}

/// A payment that bears its share, and where the rest of it goes.
#[derive(Debug, Clone, Copy)]
struct Share {
    instrument: Instrument,
    paid: Amount,
    /// Nowhere where it is forfeited.
    to: Option<Destination>,
}

/// A refund on its way: what is left goes back when it is finished. It is a quote of its own, or adds to one that
/// is borrowed.
#[derive(Debug, Clone)]
#[must_use = "a draft is finished with `finish`"]
pub struct Draft<Q = RefundQuote> {
    shares: SmallVec<[Share; 3]>,
    left: Amount,
    quote: Q,
}

impl<Q: BorrowMut<RefundQuote>> Draft<Q> {
    /// Disposes of a payment.
    #[inline]
    fn settle(&mut self, payment: &Payment, disposition: Disposition) {
        let quote = self.quote.borrow_mut();
        quote.paid += payment.amount;
        let to = match disposition {
            Disposition::Share(to) => Some(to),
            Disposition::ShareLost => None,
            Disposition::Back(to) => return quote.give_back(payment.instrument, payment.amount, to, None),
            Disposition::Lost => return quote.forfeited += payment.amount,
            Disposition::Spent => return quote.consumed += payment.amount,
        };
        self.shares.push(Share { instrument: payment.instrument, paid: payment.amount, to });
        self.left += payment.amount;
    }

    /// Adds what an order was paid with, every payment with its disposition.
    ///
    /// # Errors
    /// Where its payments are unknown or in another currency.
    #[inline]
    pub fn add_order(&mut self, order: &impl Order, dispose: impl Fn(&Payment) -> Disposition) -> Result<(), Missing> {
        let currency = self.quote.borrow().currency;
        for payment in payments_in(currency, order)?.into_iter().flatten() {
            if payment.amount.is_positive() {
                self.settle(&payment, dispose(&payment));
            }
        }
        Ok(())
    }

    /// The currency of its amounts.
    #[must_use]
    #[inline]
    pub fn currency(&self) -> Currency {
        self.quote.borrow().currency
    }

    /// What is left to go back.
    #[must_use]
    #[inline]
    pub fn left(&self) -> Amount {
        self.left
    }

    #[inline]
    fn take(&mut self, amount: &Exact) -> Amount {
        let taken = amount.round(self.quote.borrow().currency).floor_zero().at_most(self.left);
        self.left -= taken;
        taken
    }

    /// Takes what was consumed, rounded once, at most what is left. Gives what was taken.
    #[inline]
    pub fn consume(&mut self, amount: &Exact) -> Amount {
        let taken = self.take(amount);
        self.quote.borrow_mut().consumed += taken;
        taken
    }

    /// Takes a fee, rounded once, at most what is left. Gives what was taken.
    #[inline]
    pub fn keep_fee(&mut self, amount: &Exact) -> Amount {
        let taken = self.take(amount);
        self.quote.borrow_mut().fee += taken;
        taken
    }

    /// Takes what is forfeited, rounded once, at most what is left. Gives what was taken.
    pub fn forfeit(&mut self, amount: &Exact) -> Amount {
        let taken = self.take(amount);
        self.quote.borrow_mut().forfeited += taken;
        taken
    }

    /// Takes what an exchange carries over, rounded once, at most what is left. Gives what was taken.
    pub fn carry_over(&mut self, amount: &Exact) -> Amount {
        let taken = self.take(amount);
        *self.quote.borrow_mut().rare_mut().carry_over.get_or_insert_default() += taken;
        taken
    }

    /// Gives back this much, rounded once, and consumes the rest: for rules that state the refund
    /// rather than what was used.
    #[inline]
    pub fn give_back_only(&mut self, amount: &Exact) -> Amount {
        let quote = self.quote.borrow_mut();
        let back = amount.round(quote.currency).floor_zero().at_most(self.left);
        quote.consumed += self.left - back;
        self.left = back;
        back
    }

    /// Returns what is left, split among the sharing payments as they paid.
    #[inline]
    fn close(&mut self) {
        let quote = self.quote.borrow_mut();
        match self.shares.as_slice() {
            [] => {}
            [only] => quote.settle_share(*only, self.left),
            shares => {
                let mut parts: SmallVec<[Amount; 3]> = shares.iter().map(|share| share.paid).collect();
                self.left.split_among(&mut parts, quote.currency);
                for (share, part) in shares.iter().zip(parts) {
                    quote.settle_share(*share, part);
                }
            }
        }
    }
}

impl Draft {
    /// Returns what is left, split among the sharing payments as they paid, and closes the quote.
    #[must_use]
    #[inline]
    pub fn finish(mut self) -> RefundQuote {
        self.close();
        self.quote
    }
}

/// An amount on its way back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Returned {
    /// What had paid.
    pub instrument: Instrument,
    /// How much comes back.
    pub amount: Amount,
    /// Where it goes.
    pub to: Destination,
    /// When it lapses, where it does.
    pub expires_at: Option<Instant>,
}

/// What a rule predicts of an exit's money. Built only from a [`Ledger`] or for a resale, so that it
/// conserves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefundQuote {
    currency: Currency,
    paid: Amount,
    consumed: Amount,
    fee: Amount,
    forfeited: Amount,
    returned: SmallVec<[Returned; 2]>,
    /// What few exits have; kept apart, so that the many others do not carry it about.
    rare: Option<Box<Rare>>,
}

/// The parts of a refund that only a resale, an exchange or a commitment has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Rare {
    /// At a resale consumption is not spoken of.
    resale: Option<Amount>,
    released: Option<Amount>,
    carry_over: Option<Amount>,
    charge: Option<Amount>,
}

impl Rare {
    /// Boxed where there is anything in it, so that equal refunds are equal.
    fn boxed(self) -> Option<Box<Self>> {
        (self != Self::default()).then(|| Box::new(self))
    }
}

/// A refund whose parts do not add up.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the refund does not conserve money: paid {paid}, accounted for {accounted}")]
pub struct NotConserved {
    /// What was paid, or the proceeds at a resale.
    pub paid: Amount,
    /// What the parts add up to.
    pub accounted: Amount,
}

/// The parts of a refund as they cross the plugin boundary, before they are checked.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "the fields are those of the published formats")]
pub struct RefundParts {
    pub currency: Currency,
    pub paid: Amount,
    pub consumed: Option<Amount>,
    pub fee: Amount,
    pub forfeited: Option<Amount>,
    pub returned: Vec<Returned>,
    pub released: Option<Amount>,
    pub carry_over: Option<Amount>,
    pub charge: Option<Amount>,
    pub proceeds: Option<Amount>,
}

impl TryFrom<RefundParts> for RefundQuote {
    type Error = NotConserved;

    fn try_from(parts: RefundParts) -> Result<Self, NotConserved> {
        let quote = Self {
            currency: parts.currency,
            paid: parts.paid,
            consumed: parts.consumed.unwrap_or_default(),
            fee: parts.fee,
            forfeited: parts.forfeited.unwrap_or_default(),
            returned: parts.returned.into(),
            rare: Rare {
                resale: parts.proceeds,
                released: parts.released,
                carry_over: parts.carry_over,
                charge: parts.charge,
            }
            .boxed(),
        };
        let expected = quote.proceeds().unwrap_or(quote.paid);
        let accounted = quote.accounted_for();
        let carry_over = quote.carried_over().unwrap_or_default();
        let negative = [quote.paid, quote.consumed, quote.fee, quote.forfeited, carry_over]
            .into_iter()
            .chain(quote.returned.iter().map(|item| item.amount))
            .any(Amount::is_negative);
        if accounted == expected && !negative { Ok(quote) } else { Err(NotConserved { paid: expected, accounted }) }
    }
}

impl RefundQuote {
    #[inline]
    fn empty(currency: Currency) -> Self {
        Self {
            currency,
            paid: Amount::ZERO,
            consumed: Amount::ZERO,
            fee: Amount::ZERO,
            forfeited: Amount::ZERO,
            returned: SmallVec::new(),
            rare: None,
        }
    }

    fn rare_mut(&mut self) -> &mut Rare {
        self.rare.get_or_insert_default()
    }

    /// Nothing was paid and nothing comes back.
    #[must_use]
    pub fn nothing(currency: Currency) -> Self {
        Self::empty(currency)
    }

    /// A resale: the buyer pays `proceeds`, of which `fee` (rounded once, at most the proceeds) is
    /// kept and the rest goes to `to`. `paid` is what had been paid to the provider.
    #[must_use]
    pub fn resale(currency: Currency, paid: Amount, proceeds: Amount, fee: &Exact, to: Destination) -> Self {
        let proceeds = proceeds.floor_zero();
        let fee = fee.round(currency).floor_zero().at_most(proceeds);
        let rare = Rare { resale: Some(proceeds), ..Rare::default() };
        let mut quote = Self { paid, fee, rare: rare.boxed(), ..Self::empty(currency) };
        quote.give_back(Instrument::Cash, proceeds - fee, to, None);
        quote
    }

    /// What is left of a share goes where it belongs.
    #[inline]
    fn settle_share(&mut self, share: Share, left: Amount) {
        match share.to {
            Some(to) => self.give_back(share.instrument, left, to, None),
            None => self.forfeited += left,
        }
    }

    #[inline]
    fn give_back(&mut self, instrument: Instrument, amount: Amount, to: Destination, expires_at: Option<Instant>) {
        if amount.is_zero() {
            return;
        }
        let same =
            |item: &&mut Returned| item.instrument == instrument && item.to == to && item.expires_at == expires_at;
        match self.returned.iter_mut().find(same) {
            Some(item) => item.amount += amount,
            None => self.returned.push(Returned { instrument, amount, to, expires_at }),
        }
    }

    /// Future payments no longer owed, rounded once.
    #[must_use]
    pub fn releasing(mut self, amount: &Exact) -> Self {
        self.rare_mut().released = Some(amount.round(self.currency));
        self
    }

    /// New money that the exit costs, rounded once. It stands outside the equation.
    #[must_use]
    pub fn charging(mut self, amount: &Exact) -> Self {
        self.rare_mut().charge = Some(amount.round(self.currency));
        self
    }

    /// Marks what comes back as credit that lapses.
    #[must_use]
    pub fn lapsing(mut self, at: Instant) -> Self {
        for item in &mut self.returned {
            item.expires_at = Some(at);
        }
        self
    }

    /// Where nothing comes back, says so for every one of these: an amount of nothing each.
    #[must_use]
    pub fn naming(mut self, kinds: impl IntoIterator<Item = (Instrument, Destination)>) -> Self {
        if self.returned.is_empty() {
            for (instrument, to) in kinds {
                if !self.returned.iter().any(|item| item.instrument == instrument) {
                    self.returned.push(Returned { instrument, amount: Amount::ZERO, to, expires_at: None });
                }
            }
        }
        self
    }

    /// States that nothing is carried over, for an exchange in which that is a figure and not a gap.
    #[must_use]
    pub fn carrying_nothing(mut self) -> Self {
        self.rare_mut().carry_over.get_or_insert(Amount::ZERO);
        self
    }

    /// Adds more that belongs to the same refund. The draft is finished here and nowhere else, so that what was
    /// paid is accounted for whatever `settle` does.
    ///
    /// # Errors
    /// Those of `settle`.
    #[inline]
    pub fn add<E>(&mut self, settle: impl FnOnce(&mut Draft<&mut Self>) -> Result<(), E>) -> Result<(), E> {
        let mut draft = Draft { shares: SmallVec::new(), left: Amount::ZERO, quote: self };
        let settled = settle(&mut draft);
        draft.close();
        settled
    }

    /// Two refunds of one exit together. Sums of what conserves conserve.
    #[must_use]
    pub fn plus(mut self, other: &Self) -> Self {
        let sum = |a: Option<Amount>, b: Option<Amount>| match (a, b) {
            (None, None) => None,
            (a, b) => Some(a.unwrap_or_default() + b.unwrap_or_default()),
        };
        self.paid += other.paid;
        self.consumed += other.consumed;
        self.fee += other.fee;
        self.forfeited += other.forfeited;
        for item in &other.returned {
            self.give_back(item.instrument, item.amount, item.to, item.expires_at);
        }
        if let Some(theirs) = other.rare.as_deref() {
            let own = self.rare_mut();
            own.resale = sum(own.resale, theirs.resale);
            own.released = sum(own.released, theirs.released);
            own.carry_over = sum(own.carry_over, theirs.carry_over);
            own.charge = sum(own.charge, theirs.charge);
        }
        self
    }

    /// What every instrument had paid.
    #[must_use]
    #[inline]
    pub fn paid(&self) -> Amount {
        self.paid
    }

    /// What is kept for use; nothing is said of it at a resale.
    #[must_use]
    #[inline]
    pub fn consumed(&self) -> Option<Amount> {
        self.proceeds().is_none().then_some(self.consumed)
    }

    /// The fee that is kept.
    #[must_use]
    #[inline]
    pub fn fee(&self) -> Amount {
        self.fee
    }

    /// What is lost; nothing is said of it at a resale.
    #[must_use]
    #[inline]
    pub fn forfeited(&self) -> Option<Amount> {
        self.proceeds().is_none().then_some(self.forfeited)
    }

    /// What comes back, by instrument and destination.
    #[must_use]
    #[inline]
    pub fn items(&self) -> &[Returned] {
        &self.returned
    }

    /// Whether it has nothing of what only a resale, an exchange or a commitment has.
    #[must_use]
    #[inline]
    pub fn is_plain(&self) -> bool {
        self.rare.is_none()
    }

    /// Future payments no longer owed.
    #[must_use]
    #[inline]
    pub fn released(&self) -> Option<Amount> {
        self.rare.as_ref().and_then(|rare| rare.released)
    }

    /// The value that an exchange takes along.
    #[must_use]
    #[inline]
    pub fn carried_over(&self) -> Option<Amount> {
        self.rare.as_ref().and_then(|rare| rare.carry_over)
    }

    /// New money that the exit costs.
    #[must_use]
    #[inline]
    pub fn charge(&self) -> Option<Amount> {
        self.rare.as_ref().and_then(|rare| rare.charge)
    }

    /// What a buyer pays at a resale.
    #[must_use]
    #[inline]
    pub fn proceeds(&self) -> Option<Amount> {
        self.rare.as_ref().and_then(|rare| rare.resale)
    }

    /// The headline: the part of what comes back that is money.
    #[must_use]
    #[inline]
    pub fn refund(&self) -> Amount {
        self.money_back()
    }

    /// The sum of all parts: what was paid, or the proceeds at a resale.
    #[must_use]
    pub fn accounted_for(&self) -> Amount {
        self.consumed
            + self.fee
            + self.forfeited
            + self.carried_over().unwrap_or_default()
            + self.returned.iter().map(|item| item.amount).sum()
    }
}

impl Refund for RefundQuote {
    #[inline]
    fn currency(&self) -> Currency {
        self.currency
    }
    #[inline]
    fn fee(&self) -> Option<Amount> {
        Some(self.fee)
    }
    #[inline]
    fn consumed(&self) -> Option<Amount> {
        Self::consumed(self)
    }
    fn returned(&self) -> impl Iterator<Item = (Instrument, Amount)> + '_ {
        self.returned.iter().map(|item| (item.instrument, item.amount))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn cents(value: i64) -> Amount {
        Exact::ratio(value, 100).to_amount()
    }

    proptest! {
        #[test]
        fn money_is_conserved_whatever_is_taken(
            payments in prop::collection::vec((0..Instrument::ALL.len(), 0_i64..10_000_000), 0..6),
            dispositions in prop::collection::vec(0_u8..5, 13),
            consumed in -100_i64..20_000_000,
            fee in -100_i64..20_000_000,
        ) {
            let mut ledger = Ledger::new(Currency::USD);
            for (instrument, amount) in &payments {
                ledger.pay(Instrument::ALL[*instrument], cents(*amount));
            }
            let mut draft = ledger.settle(|payment| match dispositions[usize::from(payment.instrument.code())] {
                0 => Disposition::Share(Destination::AccountBalance),
                1 => Disposition::Back(Destination::itself(payment.instrument)),
                2 => Disposition::Lost,
                3 => Disposition::ShareLost,
                _ => Disposition::Spent,
            });
            draft.consume(&Exact::ratio(consumed, 300));
            draft.keep_fee(&Exact::ratio(fee, 700));
            let quote = draft.finish();
            prop_assert_eq!(quote.paid(), ledger.paid());
            prop_assert_eq!(quote.accounted_for(), quote.paid());
            prop_assert!(!quote.refund().is_negative() && quote.refund() <= quote.paid());
            let twice = quote.clone().plus(&quote);
            prop_assert_eq!(twice.accounted_for(), twice.paid());
        }

        #[test]
        fn a_part_of_a_ledger_adds_up(amounts in prop::collection::vec(1_i64..1_000_000, 1..5), over in 0_i64..10, under in 1_i64..10) {
            let mut ledger = Ledger::new(Currency::EUR);
            for amount in amounts {
                ledger.pay(Instrument::Card, cents(amount));
            }
            let share = Exact::ratio(over.min(under), under);
            let part = ledger.part(&share);
            prop_assert_eq!(part.paid(), Exact::from(ledger.paid()).times(share).round(Currency::EUR));
        }
    }

    #[test]
    fn what_is_added_conserves_though_its_rule_gave_up() {
        let mut order =
            crate::record::OrderRecord::new(crate::vocab::OrderKind::Purchase, crate::vocab::OrderStatus::Paid);
        order.payments = Some(vec![Payment { instrument: Instrument::Cash, amount: cents(1_000), expires_at: None }]);
        let mut quote = RefundQuote::nothing(Currency::USD);
        let back = |_: &Payment| Disposition::Share(Destination::AccountBalance);
        let mut add = |gives_up: bool| {
            quote.add(|draft| {
                draft.add_order(&&order, back)?;
                draft.consume(&Exact::ratio(4, 1));
                if gives_up { Err(Missing::Payments) } else { Ok(()) }
            })
        };
        assert_eq!((add(false), add(true)), (Ok(()), Err(Missing::Payments)));
        assert_eq!((quote.paid(), quote.accounted_for()), (cents(2_000), cents(2_000)));
        assert_eq!(quote.refund(), cents(1_200));
    }

    #[test]
    fn a_refund_that_does_not_conserve_is_refused() {
        let parts = |refund: i64| RefundParts {
            currency: Currency::USD,
            paid: cents(100),
            consumed: Some(cents(10)),
            fee: Amount::ZERO,
            forfeited: Some(Amount::ZERO),
            returned: vec![Returned {
                instrument: Instrument::Cash,
                amount: cents(refund),
                to: Destination::AccountBalance,
                expires_at: None,
            }],
            released: None,
            carry_over: None,
            charge: None,
            proceeds: None,
        };
        assert!(RefundQuote::try_from(parts(90)).is_ok());
        assert!(RefundQuote::try_from(parts(91)).is_err());
        assert!(RefundQuote::try_from(parts(-10)).is_err());
    }
}
