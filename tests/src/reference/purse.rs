//! What was paid, and by what.

use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::{One, Signed, Zero};
use recoup_core::money::{Amount, Currency};
use recoup_core::record::OrderRecord;
use recoup_core::resource::Payment;
use recoup_core::time::Instant;
use recoup_core::vocab::Instrument;

use super::Fraction;

/// Decimal places behind the point of an amount's own unit.
const PLACES: u32 = 18;

/// An amount as a fraction.
pub(super) fn exact(amount: Amount) -> Fraction {
    BigRational::new(BigInt::from(amount.units()), BigInt::from(10).pow(PLACES))
}

/// One whole number over another.
pub(super) fn ratio(over: i64, under: i64) -> Fraction {
    BigRational::new(over.into(), under.into())
}

/// Half up, to two decimals.
pub(super) fn cents(value: &Fraction) -> Fraction {
    let hundred = BigRational::from_integer(100.into());
    (value * &hundred + ratio(1, 2)).floor() / hundred
}

/// Not below nothing.
pub(super) fn at_least_zero(value: Fraction) -> Fraction {
    if value.is_negative() { Fraction::zero() } else { value }
}

pub(super) fn one() -> Fraction {
    Fraction::one()
}

/// A fraction as people read money, with more digits where it has them.
pub(super) fn show(value: &Fraction) -> String {
    let scaled = (value * BigRational::from_integer(BigInt::from(1_000_000))).round().to_integer();
    format!(
        "{}{}.{:06}",
        if scaled.is_negative() { "-" } else { "" },
        scaled.abs() / 1_000_000,
        scaled.abs() % 1_000_000
    )
}

/// Payments of some orders in one currency of two decimals.
#[derive(Debug, Clone)]
pub(super) struct Purse {
    pub(super) currency: Currency,
    pub(super) payments: Vec<Payment>,
}

impl Purse {
    /// What orders were paid by; `None` where any of them does not say, or they differ in currency.
    pub(super) fn of<'o>(orders: impl IntoIterator<Item = &'o OrderRecord>) -> Option<Self> {
        let mut purse: Option<Self> = None;
        for order in orders {
            let currency = order.currency.filter(has_cents)?;
            let payments = order.payments.as_ref()?;
            // A due that the payments do not come to is another page's matter.
            let sum: Amount = payments.iter().map(|payment| payment.amount).sum();
            if order.due.is_some_and(|due| due != sum) {
                return None;
            }
            let all = purse.get_or_insert_with(|| Self { currency, payments: Vec::new() });
            if all.currency != currency {
                return None;
            }
            all.payments.extend(payments);
        }
        purse
    }

    /// What the payments that are asked for come to.
    pub(super) fn sum(&self, which: impl Fn(&Payment) -> bool) -> Fraction {
        self.payments.iter().filter(|payment| which(payment)).map(|payment| exact(payment.amount)).sum()
    }

    pub(super) fn any(&self, which: impl Fn(&Payment) -> bool) -> bool {
        self.payments.iter().any(|payment| payment.amount.is_positive() && which(payment))
    }

    /// The instruments, each once.
    pub(super) fn instruments(&self) -> Vec<Instrument> {
        let mut all: Vec<Instrument> = self.payments.iter().map(|payment| payment.instrument).collect();
        all.sort_unstable();
        all.dedup();
        all
    }
}

fn has_cents(currency: &Currency) -> bool {
    exact(currency.minor_unit()) == ratio(1, 100)
}

/// Whether a coupon or card has run out: its last instant is over.
pub(super) fn has_run_out(payment: &Payment, at: Instant) -> bool {
    payment.expires_at.is_some_and(|last| last < at)
}
