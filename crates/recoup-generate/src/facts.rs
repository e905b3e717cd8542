//! What exports state beside orders, and how much of it stays unknown.

use recoup_core::fact::{Figure, Flag, Moment};
use recoup_core::money::{Amount, Exact, Number};
use recoup_core::record::Facts;
use recoup_core::time::{Instant, Span};
use recoup_core::typical::Offer;

use crate::dates::{Clock, nudged};
use crate::dice::Dice;
use crate::market::Market;
use crate::money::units;
use crate::orders::Bought;

/// How much of what could be stated is, in percent: exports are mostly whole, some have gaps, some are thin.
fn knowledge(dice: &mut Dice) -> u64 {
    *dice.commonest(&[100, 100, 100, 90, 20]).unwrap_or(&100)
}

/// What is seldom true is true once in so many times.
const SELDOM: u64 = 150;

fn state(dice: &mut Dice, facts: &mut Facts, market: &Market, flag: Flag) {
    let rare = dice.below(SELDOM) == 0;
    facts.flags.set(flag, market.typical.usually.contains(&flag) != rare);
}

/// What is stated of a resource.
pub(crate) fn of_resource(
    dice: &mut Dice,
    clock: &Clock<'_>,
    offer: &Offer,
    bought: &Bought,
    (start, end): (Instant, Instant),
) -> Facts {
    let typical = &clock.market.typical;
    let known = knowledge(dice);
    let mut facts = Facts::default();
    for flag in typical.usually.iter().chain(&typical.seldom) {
        // What the account states, an export of resources mostly leaves to it.
        let chance = if typical.of_accounts.contains(flag) { known / 4 } else { known };
        if dice.percent(chance) {
            state(dice, &mut facts, clock.market, *flag);
        }
    }
    for flag in &offer.flags {
        if dice.percent(known * 2 / 3) {
            facts.flags.set(*flag, dice.percent(40));
        }
    }
    for figure in &offer.figures {
        if dice.percent(known * 2 / 3) {
            facts.figures.push((*figure, self::figure(dice, *figure, bought, end.since(start))));
        }
    }
    for (text, words) in &offer.texts {
        if let Some(word) = dice.commonest(words).filter(|_| dice.percent(known * 3 / 4)) {
            facts.texts.push((*text, word.clone()));
        }
    }
    for moment in &offer.moments {
        if dice.percent(known / 2) {
            facts.moments.push((*moment, self::moment(dice, clock, *moment, (start, end))));
        }
    }
    facts
}

/// What is stated of an order that bought something for a while.
pub(crate) fn of_order(dice: &mut Dice, market: &Market, bought: &Bought, length: Span) -> Facts {
    let mut facts = Facts::default();
    for flag in &market.typical.of_orders {
        if dice.percent(80) {
            state(dice, &mut facts, market, *flag);
        }
    }
    for figure in &market.typical.figures_of_orders {
        if dice.percent(85) {
            facts.figures.push((*figure, self::figure(dice, *figure, bought, length)));
        }
    }
    facts
}

/// What is stated of an account.
pub(crate) fn of_account(dice: &mut Dice, market: &Market, bought: &Bought) -> Facts {
    let typical = &market.typical;
    let mut facts = Facts::default();
    for flag in &typical.of_accounts {
        if dice.percent(96) {
            state(dice, &mut facts, market, *flag);
        }
    }
    for figure in &typical.figures_of_accounts {
        if dice.percent(70) {
            facts.figures.push((*figure, self::figure(dice, *figure, bought, Span::days(30))));
        }
    }
    for (text, words) in &typical.texts_of_accounts {
        if let Some(word) = dice.commonest(words).filter(|_| dice.percent(90)) {
            facts.texts.push((*text, word.clone()));
        }
    }
    facts
}

/// A figure of the size that it has for what was bought.
fn figure(dice: &mut Dice, figure: Figure, bought: &Bought, length: Span) -> Number {
    let days = length.whole_days().max(1);
    let months = (days / 30).max(1);
    let around = *dice.one_of(&[100, 100, 100, 90, 80, 60, 120, 50, 1]).unwrap_or(&100);
    let price = |over: i64| -> Number {
        let each = Exact::from(units(bought.list, bought.currency)).times_ratio(around, 100).over(over);
        each.round(bought.currency).as_number()
    };
    let ratio = |over: i64, under: i64| Exact::ratio(over, under).to_amount().as_number();
    match figure {
        Figure::CurrentPrice
        | Figure::AskPrice
        | Figure::OrderAmount
        | Figure::AgreedRefund
        | Figure::RemainingBalance
        | Figure::TargetCommitment
        | Figure::TargetProratedUpfront => price(1),
        Figure::DailyListPrice | Figure::DailyListPriceBefore | Figure::DailyListPriceNow => price(days),
        Figure::DowngradeDailyPrice => price(days * 2),
        Figure::DowngradeMonthlyPrice => price(months * 2),
        Figure::TargetMonthly => price(months),
        Figure::TargetHourly => {
            Exact::from(units(bought.list, bought.currency)).over(days * 24).round_to(four_places()).as_number()
        }
        Figure::UsdRate => ratio(dice.between(5, 20_000), 10_000),
        Figure::QuantityLeaving => Number::whole(dice.between(1, bought.quantity + 1)),
        Figure::Vcpus => Number::whole(*dice.one_of(&[1, 2, 4, 8, 16, 64]).unwrap_or(&1)),
        Figure::UsageDiscount => ratio(*dice.one_of(&[100, 100, 95, 90, 85, 70, 50]).unwrap_or(&100), 100),
        Figure::TargetTermMonths => Number::whole(*dice.one_of(&[1, 12, 12, 36]).unwrap_or(&12)),
        Figure::WorkingDaysToStart => Number::whole(dice.between(0, 20)),
    }
}

/// The places to which hourly prices are printed.
fn four_places() -> Amount {
    Exact::ratio(1, 10_000).to_amount()
}

fn moment(dice: &mut Dice, clock: &Clock<'_>, moment: Moment, (start, end): (Instant, Instant)) -> Instant {
    match moment {
        Moment::CommitmentEndsAt | Moment::LocksAt if dice.percent(60) => end,
        Moment::RestoredAt => clock.window(dice, clock.at).max(start),
        _ if dice.percent(50) => nudged(dice, clock.at),
        _ => start + Span::seconds(dice.between(0, end.since(start).whole_seconds().max(1))),
    }
}
