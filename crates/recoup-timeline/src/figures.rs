//! The money of the best open exit at an instant.

use recoup_core::assessment::Assessment;
use recoup_core::money::{Amount, Currency};
use recoup_core::refund::{Refund, RefundQuote};
use recoup_core::ruling::RulingData;
use recoup_core::vocab::{Exit, Outcome};

/// What the best exit gives at an instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Figures {
    /// Whether it is open.
    pub outcome: Outcome,
    /// The exit; none where nothing is open.
    pub exit: Option<Exit>,
    /// Its money; none where nothing is open, or where the figure is not known.
    pub money: Option<Money>,
}

/// How many parts money has.
pub(crate) const PARTS: usize = 9;

/// The parts of a refund, in one currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Money {
    /// The currency.
    pub currency: Currency,
    /// What had been paid.
    pub paid: Amount,
    /// What comes back as money.
    pub refund: Amount,
    /// What comes back as coupons and vouchers.
    pub coupons: Amount,
    /// The fee that is kept.
    pub fee: Amount,
    /// What was used up; zero at a resale, which does not speak of it.
    pub consumed: Amount,
    /// What is lost; zero at a resale.
    pub forfeited: Amount,
    /// Future payments no longer owed; zero where the exit has no such part.
    pub released: Amount,
    /// What an exchange carries over.
    pub carried_over: Amount,
    /// New money that the exit costs.
    pub charge: Amount,
}

impl Money {
    /// The parts of a quote.
    #[must_use]
    pub fn of(quote: &RefundQuote) -> Self {
        let coupons = quote.items().iter().filter(|item| !item.instrument.is_money()).map(|item| item.amount).sum();
        Self {
            currency: quote.currency(),
            paid: quote.paid(),
            refund: quote.refund(),
            coupons,
            fee: quote.fee(),
            consumed: quote.consumed().unwrap_or_default(),
            forfeited: quote.forfeited().unwrap_or_default(),
            released: quote.released().unwrap_or_default(),
            carried_over: quote.carried_over().unwrap_or_default(),
            charge: quote.charge().unwrap_or_default(),
        }
    }

    /// Nothing, in a currency.
    #[must_use]
    pub const fn nothing(currency: Currency) -> Self {
        Self::made(currency, [Amount::ZERO; PARTS])
    }

    /// The parts, in their order.
    pub(crate) const fn parts(&self) -> [Amount; PARTS] {
        let Self { paid, refund, coupons, fee, consumed, forfeited, released, carried_over, charge, .. } = *self;
        [paid, refund, coupons, fee, consumed, forfeited, released, carried_over, charge]
    }

    /// Money of parts, in their order.
    pub(crate) const fn made(currency: Currency, parts: [Amount; PARTS]) -> Self {
        let [paid, refund, coupons, fee, consumed, forfeited, released, carried_over, charge] = parts;
        Self { currency, paid, refund, coupons, fee, consumed, forfeited, released, carried_over, charge }
    }

    /// What leaving is worth in cash: what comes back less what it costs.
    #[must_use]
    pub fn cash(&self) -> Amount {
        self.refund - self.charge
    }

    /// What leaving is worth in all: cash, and what is no longer owed.
    #[must_use]
    pub fn worth(&self) -> Amount {
        self.cash() + self.released
    }

    /// Adds another's parts, of the same currency.
    pub fn add(&mut self, other: &Self) {
        self.paid += other.paid;
        self.refund += other.refund;
        self.coupons += other.coupons;
        self.fee += other.fee;
        self.consumed += other.consumed;
        self.forfeited += other.forfeited;
        self.released += other.released;
        self.carried_over += other.carried_over;
        self.charge += other.charge;
    }
}

/// The ruling of the best exit, where it is open.
#[must_use]
pub fn best_open(assessment: &Assessment) -> Option<&RulingData> {
    let ruling = assessment.ruling(assessment.best()?)?;
    (ruling.outcome() != Outcome::Refused).then_some(ruling)
}

impl Figures {
    /// Nothing is open.
    pub const REFUSED: Self = Self { outcome: Outcome::Refused, exit: None, money: None };

    /// The figures of an assessment.
    #[must_use]
    pub fn of(assessment: &Assessment) -> Self {
        match best_open(assessment) {
            None => Self::REFUSED,
            Some(ruling) => Self {
                outcome: ruling.outcome(),
                exit: Some(ruling.exit),
                money: ruling.refund.as_ref().map(Money::of),
            },
        }
    }

    /// Whether something is open.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.outcome != Outcome::Refused
    }

    /// What leaving is worth, see [`Money::worth`]: nothing where nothing is open, unknown where the
    /// figure is.
    #[must_use]
    pub fn worth(&self) -> Option<Amount> {
        if self.is_open() { self.money.map(|money| money.worth()) } else { Some(Amount::ZERO) }
    }

    /// What leaving is worth in cash, see [`Money::cash`].
    #[must_use]
    pub fn cash(&self) -> Option<Amount> {
        if self.is_open() { self.money.map(|money| money.cash()) } else { Some(Amount::ZERO) }
    }

    /// The currency, where there is money.
    #[must_use]
    pub fn currency(&self) -> Option<Currency> {
        self.money.map(|money| money.currency)
    }
}
