//! The accounts to which resources belong, with quotas partly used.

use recoup_core::money::{Currency, Number};
use recoup_core::record::{AccountRecord, QuotaRecord, ReturnRecord};
use recoup_core::resource::Term;
use recoup_core::time::{Instant, Span};
use recoup_core::vocab::{Exit, TermUnit};

use crate::dates::{Clock, nudged};
use crate::dice::Dice;
use crate::facts;
use crate::money::units;
use crate::orders::Bought;

/// Accounts of each site of a provider.
pub(crate) const EACH: u64 = 8;

/// What an account goes by.
pub(crate) fn name(site: &str, number: u64) -> String {
    format!("{site}-account-{number}")
}

/// One account of a site.
pub(crate) fn account(dice: &mut Dice, clock: &Clock<'_>, number: u64) -> AccountRecord {
    let currency = dice.commonest(&clock.site.currencies).copied();
    let term = Term { unit: TermUnit::Month, count: 1 };
    let bought = Bought::dice(dice, term, currency.unwrap_or(Currency::USD));
    let facts = facts::of_account(dice, clock.market, &bought);
    AccountRecord {
        provider: clock.market.provider.clone(),
        site: Some(clock.site.name.clone()),
        account: name(&clock.site.name, number),
        currency: currency.filter(|_| dice.percent(95)),
        facts,
        quotas: quotas(dice, clock),
        returns: dice.percent(75).then(|| returns(dice, clock)),
    }
}

/// Quotas that the account states itself: some untouched, some partly used, some used up.
fn quotas(dice: &mut Dice, clock: &Clock<'_>) -> Vec<QuotaRecord> {
    let mut quotas = Vec::new();
    for (name, limit) in &clock.market.typical.quotas {
        let most = limit.as_whole().unwrap_or(1);
        let mut state = |dice: &mut Dice, name: String| {
            let used = *dice.one_of(&[0, 0, most / 2, most - 1, most, dice.clone().between(0, most + 1)]).unwrap_or(&0);
            let limit = dice.percent(10).then_some(*limit);
            quotas.push(QuotaRecord { name, used: Number::whole(used), limit });
        };
        if !name.ends_with('.') {
            if dice.percent(50) {
                state(dice, name.clone());
            }
            continue;
        }
        for offer in &clock.market.typical.offers {
            for product in &offer.products {
                if dice.percent(30) {
                    state(dice, format!("{name}{product}"));
                }
            }
        }
    }
    quotas.sort_by(|one, other| one.name.cmp(&other.name));
    quotas.dedup_by(|one, other| one.name == other.name);
    quotas
}

fn returns(dice: &mut Dice, clock: &Clock<'_>) -> Vec<ReturnRecord> {
    let mut returns = Vec::new();
    for _ in 0..dice.between(0, 7) {
        let Some(currency) = dice.commonest(&clock.site.currencies).copied() else { break };
        let products = dice.one_of(&clock.market.typical.offers).map(|offer| offer.products.clone());
        returns.push(ReturnRecord {
            at: past(dice, clock),
            amount: dice.percent(95).then(|| units(dice.between(0, 2_000_000), currency)),
            currency: Some(currency),
            exit: dice.one_of(&[Exit::FullRefund, Exit::InUse, Exit::Return]).copied(),
            product: products.and_then(|products| dice.commonest(&products).cloned()),
        });
    }
    returns.sort_by_key(|entry| entry.at);
    returns
}

/// An earlier instant, often where a rolling or calendar year begins.
fn past(dice: &mut Dice, clock: &Clock<'_>) -> Instant {
    let zone = clock.zone();
    let instant = match dice.below(4) {
        0 => nudged(dice, zone.add_months(clock.at, -12)),
        1 => nudged(dice, zone.add_months(zone.next_year(clock.at), -12)),
        _ => clock.at - Span::seconds(dice.between(0, 700 * 86_400)),
    };
    instant.min(clock.at)
}
