//! Commitments and the prices in force.

use recoup_core::money::{Amount, Exact, Number};
use recoup_core::record::CommitmentRecord;
use recoup_core::resource::{HourlyTier, PriceComponent, PriceTerms, TermDiscount};
use recoup_core::time::Span;
use recoup_core::typical::Offer;
use recoup_core::vocab::{PaymentOption, Recurrence};

use crate::dice::Dice;
use crate::money::units;
use crate::orders::Bought;

/// What was committed to, where the offer is a commitment or an amount to use up.
pub(crate) fn commitment(dice: &mut Dice, offer: &Offer, bought: &Bought, length: Span) -> Option<CommitmentRecord> {
    if offer.payment_options.is_empty() && !offer.measured {
        return None;
    }
    let mut made = CommitmentRecord::default();
    if let Some(option) = dice.commonest(&offer.payment_options).copied() {
        terms(dice, &mut made, option, bought, length);
        made.class = dice.commonest(&offer.classes).copied().filter(|_| dice.percent(97));
    }
    if offer.measured && dice.percent(90) {
        usage(dice, &mut made);
    }
    Some(made)
}

fn terms(dice: &mut Dice, made: &mut CommitmentRecord, option: PaymentOption, bought: &Bought, length: Span) {
    let price = Exact::from(units(bought.list, bought.currency));
    let each = |parts: i64| price.over(parts.max(1));
    let (days, months) = (length.whole_days().max(1), bought.term.months().map_or(1, i64::from));
    made.term_months = bought.term.months().filter(|_| dice.percent(97));
    made.payment_option = Some(option).filter(|_| dice.percent(98));
    made.currency = Some(bought.currency).filter(|_| dice.percent(98));
    made.hourly = dice.percent(60).then(|| each(days * 24).round_to(Exact::ratio(1, 1000).to_amount()).as_number());
    let half = |amount: &Exact| amount.times_ratio(1, 2).round(bought.currency);
    let (upfront, by_the_hour, monthly) = match option {
        PaymentOption::AllUpfront => (Some(price.round(bought.currency)), None, None),
        PaymentOption::PartialUpfront if dice.percent(50) => (Some(half(&price)), Some(half(&each(days * 24))), None),
        PaymentOption::PartialUpfront => (Some(half(&price)), None, Some(half(&each(months)))),
        PaymentOption::NoUpfront => (Some(Amount::ZERO), Some(each(days * 24).round(bought.currency)), None),
        PaymentOption::Monthly => (None, None, Some(each(months).round(bought.currency))),
    };
    made.upfront = upfront.filter(|_| dice.percent(95));
    made.recurring = by_the_hour.or(monthly).filter(|_| dice.percent(97));
    made.recurring_every =
        by_the_hour.map(|_| Recurrence::Hour).or(monthly.map(|_| Recurrence::Month)).filter(|_| dice.percent(99));
}

/// How much of it is used up: often nothing, sometimes all.
fn usage(dice: &mut Dice, made: &mut CommitmentRecord) {
    let total = *dice.one_of(&[1, 10, 100, 500, 1_000, 10_000]).unwrap_or(&100);
    let percent = match dice.below(10) {
        0..4 => 0,
        4 => 100,
        _ => dice.between(0, 101),
    };
    if dice.percent(70) {
        made.total_units = Some(Number::whole(total));
        made.used_units = dice.percent(95).then(|| Exact::ratio(total * percent, 100).to_amount().as_number());
        made.unit = dice.percent(80).then(|| "GB".to_owned());
    }
    if dice.percent(60) {
        made.used_fraction = Some(Exact::ratio(percent, 100).to_amount().as_number());
    }
}

/// The prices in force, where an export carries them.
pub(crate) fn prices(dice: &mut Dice, offer: &Offer, bought: &Bought, length: Span) -> Option<PriceTerms> {
    if !offer.prices || dice.percent(40) {
        return None;
    }
    let days = length.whole_days().max(1);
    let places = Exact::ratio(1, 10_000).to_amount();
    let each = |parts: i64, percent: i64| -> Number {
        let price = Exact::from(units(bought.list, bought.currency)).times_ratio(percent, 100);
        price.over(parts.max(1)).round_to(places).as_number()
    };
    let months = (days / 30).max(1);
    let mut terms = PriceTerms { currency: Some(bought.currency), ..PriceTerms::default() };
    for (index, percent) in [60, 40].into_iter().enumerate().take(if dice.percent(60) { 1 } else { 2 }) {
        let tier = |up_to: Option<i64>, dearer: i64| HourlyTier {
            up_to_hours: up_to.map(Number::whole),
            price: each(days * 24, percent * dearer / 100),
        };
        terms.components.push(PriceComponent {
            name: Some(format!("part-{}", index + 1)),
            monthly: dice.percent(90).then(|| each(months, percent)),
            hourly: if dice.percent(80) { vec![tier(Some(360), 200), tier(None, 130)] } else { Vec::new() },
        });
    }
    if dice.percent(70) {
        let factor = |from: i64, percent: i64| TermDiscount {
            from_months: Number::whole(from),
            rate: Exact::ratio(percent, 100).to_amount().as_number(),
        };
        terms.discounts = vec![factor(1, 100), factor(6, 88), factor(12, 83)];
    }
    let mut now_and_then = |parts: i64| dice.percent(70).then(|| each(parts, 120));
    (terms.hourly_rate, terms.daily) = (now_and_then(days * 24), now_and_then(days));
    (terms.unit_price, terms.current) = (now_and_then(100), now_and_then(1));
    terms.rate = dice.percent(70).then(|| Exact::ratio(dice.between(50, 101), 100).to_amount().as_number());
    Some(terms)
}
