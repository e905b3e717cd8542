//! One resource of a portfolio.

use recoup_core::money::{Currency, Number};
use recoup_core::record::{OrderRecord, ResourceRecord};
use recoup_core::resource::Term;
use recoup_core::typical::Offer;
use recoup_core::vocab::{Billing, Relation, Seller, Status, TermUnit};

use crate::dates::Clock;
use crate::dice::Dice;
use crate::orders::{self, Bought};
use crate::{accounts, commitment, facts};

const STATES: &[(u64, Status)] = &[
    (84, Status::Active),
    (5, Status::Queued),
    (3, Status::Expired),
    (2, Status::Frozen),
    (2, Status::Failed),
    (2, Status::Pending),
    (2, Status::Released),
];

/// The id of a resource: that of no other number of the same seed.
fn id(seed: u64, number: u64) -> String {
    let random = Dice::of(seed ^ 0x1D, number).roll();
    format!("{:08x}-{:04x}-4{:03x}-{number:012x}", random >> 32, (random >> 16) & 0xFFFF, random & 0xFFF)
}

/// The `number`th resource of a seed, on a site of a provider.
pub(crate) fn resource(seed: u64, number: u64, dice: &mut Dice, clock: &Clock<'_>) -> Option<ResourceRecord> {
    let offer = dice.weighted(&clock.market.typical.offers, |offer| u64::from(offer.weight))?;
    let status = dice.weighted(STATES, |(weight, _)| *weight).map_or(Status::Active, |(_, status)| *status);
    // Things are also bought in ways in which they are mostly not.
    let odd = dice.below(60) == 0;
    let billing = if odd { dice.one_of(Billing::ALL).copied()? } else { offer.billing };
    let mut made =
        ResourceRecord::new(&clock.market.provider, &id(seed, number), &product(dice, clock, offer), billing, status);
    made.site = Some(clock.site.name.clone()).filter(|_| !clock.site.is_default || dice.percent(90));
    made.account = match dice.below(50) {
        0 => None,
        1 => Some("unlisted".to_owned()),
        _ => Some(accounts::name(&clock.site.name, dice.below(accounts::EACH))),
    };
    describe(dice, clock, number, &mut made);
    made.seller = match offer.seller {
        Some(seller) => Some(seller),
        None if dice.percent(1) => Some(Seller::Marketplace),
        None => dice.percent(90).then_some(Seller::Provider),
    };
    hang(seed, number, dice, &mut made);
    buy(dice, clock, offer, &mut made);
    Some(made)
}

fn product(dice: &mut Dice, clock: &Clock<'_>, offer: &Offer) -> String {
    let any = offer.products.is_empty() || dice.percent(10);
    let named = if any { dice.one_of(&clock.market.products) } else { dice.commonest(&offer.products) };
    match named {
        Some(name) if dice.below(100) > 0 => name.clone(),
        _ => "something-new".to_owned(),
    }
}

/// Names and tags, which no rule reads.
fn describe(dice: &mut Dice, clock: &Clock<'_>, number: u64, made: &mut ResourceRecord) {
    let role = *dice.one_of(&["web", "db", "queue", "batch", "cache", "build"]).unwrap_or(&"web");
    let stage = *dice.commonest(&["prod", "test", "dev"]).unwrap_or(&"prod");
    made.name = dice.percent(90).then(|| format!("{role}-{stage}-{number:06}"));
    made.region = dice.commonest(&clock.market.typical.regions).cloned();
    made.project = dice.percent(70).then(|| format!("project-{}", dice.below(20)));
    if dice.percent(40) {
        made.tags = vec![("role".to_owned(), role.to_owned()), ("stage".to_owned(), stage.to_owned())];
    }
}

/// What it hangs on: a primary resource of the same portfolio, or a bundle.
fn hang(seed: u64, number: u64, dice: &mut Dice, made: &mut ResourceRecord) {
    made.relation = match dice.below(40) {
        0 => Some(Relation::Bound),
        1 | 2 => Some(Relation::Attached),
        _ => None,
    };
    if made.relation.is_some() {
        let before = number.saturating_sub(dice.below(50) + 1);
        made.primary = dice.percent(95).then(|| id(seed, before));
    }
    made.bundle = (dice.below(40) == 0).then(|| format!("bundle-{}", number / 40));
}

fn term(dice: &mut Dice, offer: &Offer) -> Term {
    let all: Vec<Term> = offer
        .terms
        .iter()
        .flat_map(|(unit, counts)| counts.iter().map(|count| Term { unit: *unit, count: *count }))
        .collect();
    dice.one_of(&all)
        .copied()
        .unwrap_or(Term { unit: TermUnit::Month, count: *dice.one_of(&[1, 12, 12, 36]).unwrap_or(&12) })
}

/// When it was bought, for how long and for how much, and what is stated of it.
fn buy(dice: &mut Dice, clock: &Clock<'_>, offer: &Offer, made: &mut ResourceRecord) {
    let term = term(dice, offer);
    let currency = dice.commonest(&clock.site.currencies).copied().unwrap_or(Currency::USD);
    let bought = Bought::dice(dice, term, currency);
    let start = clock.term_begins(dice, made.status, term);
    let end = clock.end(start, term);
    let length = end.since(start);
    let mut orders = orders::orders(dice, clock, &bought, start);
    let paid_ahead = orders::paid(&orders, currency) > 0;
    let first = orders.first().map_or(start, |order| order.starts_at.unwrap_or(start));
    let last = orders.iter().filter_map(|order| order.ends_at).max().unwrap_or(end);
    made.purchased_at = dice.percent(96).then(|| orders.first().and_then(|order| order.placed_at)).flatten();
    made.starts_at = dice.percent(98).then_some(first);
    made.ends_at = dice.percent(97).then_some(last.max(first));
    if dice.below(40) == 0 {
        undate(made, &mut orders);
    }
    made.quantity = dice.percent(90).then(|| Number::whole(bought.quantity));
    made.commitment = commitment::commitment(dice, offer, &bought, length);
    made.price_terms = commitment::prices(dice, offer, &bought, length);
    made.facts = facts::of_resource(dice, clock, offer, &bought, (start, end));
    made.orders = match dice.below(60) {
        0 => None,
        1 if !paid_ahead => Some(Vec::new()),
        2 => Some(Vec::new()),
        _ => Some(orders),
    };
}

/// Some lists of what is owned say nothing of when.
fn undate(made: &mut ResourceRecord, orders: &mut [OrderRecord]) {
    (made.purchased_at, made.starts_at) = (None, None);
    for order in orders {
        (order.placed_at, order.paid_at, order.starts_at) = (None, None, None);
    }
}
