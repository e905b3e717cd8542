//! Prices, and what paid them.

use recoup_core::money::{Amount, Currency, Exact};
use recoup_core::resource::Payment;
use recoup_core::time::{Instant, Span};
use recoup_core::vocab::Instrument;

use crate::dates::{Clock, nudged};
use crate::dice::Dice;

/// So many of a currency's smallest units.
pub(crate) fn units(count: i64, currency: Currency) -> Amount {
    Exact::from(count).times(currency.minor_unit()).to_amount()
}

/// How many of its smallest units an amount is, rounded down.
pub(crate) fn count(amount: Amount, currency: Currency) -> i64 {
    let unit = currency.minor_unit().units().max(1);
    i64::try_from(amount.units() / unit).unwrap_or(i64::MAX)
}

/// The list price of a month, in smallest units: small things, servers, clusters, and round prices.
pub(crate) fn monthly_price(dice: &mut Dice) -> i64 {
    match dice.below(10) {
        0 => dice.between(1, 500),
        1..6 => dice.between(500, 50_000),
        6 | 7 => dice.between(1, 400) * 500,
        8 => dice.between(50_000, 1_000_000),
        _ => dice.between(1_000_000, 20_000_000),
    }
}

/// What a price comes to after discounts, in smallest units.
pub(crate) fn discounted(dice: &mut Dice, list: i64) -> i64 {
    let percent = *dice.commonest(&[100, 90, 85, 83, 70, 50, 30]).unwrap_or(&100);
    match dice.below(100) {
        0 => 0,
        _ => list.saturating_mul(percent) / 100,
    }
}

/// Payments that add up to `due` smallest units: one instrument, or money and coupons.
pub(crate) fn payments(dice: &mut Dice, clock: &Clock<'_>, due: i64, currency: Currency, at: Instant) -> Vec<Payment> {
    let all = &clock.market.typical.instruments;
    let first = dice.commonest(all).copied().unwrap_or(Instrument::Cash);
    let others = if due < 2 { 0 } else { *dice.one_of(&[0, 0, 0, 0, 1, 1, 1, 2, 2, 3]).unwrap_or(&0) };
    let mut rest = due;
    let mut paid = Vec::new();
    for _ in 0..others {
        let Some(instrument) = dice.one_of(all).copied() else { break };
        let share = dice.between(0, rest.max(1));
        rest -= share;
        paid.push(payment(dice, clock, instrument, units(share, currency), at));
    }
    paid.insert(0, payment(dice, clock, first, units(rest, currency), at));
    paid
}

fn payment(dice: &mut Dice, clock: &Clock<'_>, instrument: Instrument, amount: Amount, at: Instant) -> Payment {
    let ends = !instrument.is_money() || matches!(instrument, Instrument::StoredValueCard | Instrument::FlexiCoupon);
    let expires_at = (ends && dice.percent(60)).then(|| match dice.below(3) {
        0 => nudged(dice, clock.at),
        _ => at + Span::seconds(dice.between(0, 500 * 86_400)),
    });
    Payment { instrument, amount, expires_at }
}
