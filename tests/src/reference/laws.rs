//! What holds of every answer, whoever's rules gave it.

use recoup_core::fact::Flag;
use recoup_core::money::Amount;
use recoup_core::record::ResourceRecord;
use recoup_core::refund::Refund;
use recoup_core::ruling::RulingData;
use recoup_core::vocab::{Exit, OrderStatus, Outcome};

use super::Fraction;
use super::purse::{exact, show};

/// Laws that one ruling must keep by itself.
#[must_use]
pub fn of_ruling(resource: &ResourceRecord, ruling: &RulingData) -> Vec<String> {
    let mut broken = Vec::new();
    let mut check = |holds: bool, what: &str| {
        if !holds {
            broken.push(format!("{}: {what}", ruling.exit));
        }
    };
    let outcome = match (ruling.refusals.is_empty(), ruling.unknowns.is_empty()) {
        (false, _) => Outcome::Refused,
        (true, false) => Outcome::Conditional,
        (true, true) => Outcome::Allowed,
    };
    check(ruling.outcome() == outcome, "the outcome does not follow from refusals and unknowns");
    let Some(refund) = &ruling.refund else { return broken };
    let zero = Fraction::default();
    let returned: Fraction = refund.items().iter().map(|item| exact(item.amount)).sum();
    let parts =
        [refund.paid(), refund.consumed().unwrap_or_default(), refund.fee(), refund.forfeited().unwrap_or_default()];
    check(parts.into_iter().all(|part| exact(part) >= zero), "a part of the refund is below nothing");
    check(refund.items().iter().all(|item| exact(item.amount) >= zero), "a returned amount is below nothing");
    let kept: Fraction = [refund.consumed(), Some(refund.fee()), refund.forfeited(), refund.carried_over()]
        .into_iter()
        .flatten()
        .map(exact)
        .sum();
    match refund.proceeds() {
        Some(proceeds) => {
            check(exact(proceeds) == exact(refund.fee()) + &returned, "proceeds are not fee and returned");
        }
        None => {
            check(exact(refund.paid()) == kept + &returned, "paid is not consumed, fee, lost, carried and returned");
        }
    }
    let most = refund.proceeds().unwrap_or(refund.paid());
    check(exact(refund.refund()) <= exact(most), "more comes back than was paid");
    check(
        is_whole(refund.items().iter().map(|item| item.amount), refund.currency().minor_unit()),
        "a returned amount is no coin",
    );
    // Of a balance, and of what was paid and is not in the orders, the orders say nothing.
    if refund.proceeds().is_none() && ruling.exit != Exit::BalancePayout {
        broken.extend(by_instrument(resource, ruling));
    }
    broken
}

fn is_whole(amounts: impl Iterator<Item = Amount>, unit: Amount) -> bool {
    let unit = unit.units().max(1);
    amounts.into_iter().all(|amount| amount.units() % unit == 0)
}

/// No instrument gets more back than it paid, unless all that comes back comes as one other kind of money.
fn by_instrument(resource: &ResourceRecord, ruling: &RulingData) -> Option<String> {
    let refund = ruling.refund.as_ref()?;
    let mut orders = resource.orders.iter().flatten().filter(|order| order.status == OrderStatus::Paid);
    if orders.clone().any(|order| order.payments.is_none()) || orders.clone().next().is_none() {
        return None;
    }
    let currency = refund.currency();
    if orders.any(|order| order.currency.is_some_and(|other| other != currency)) {
        return None;
    }
    let payments = || {
        let paid = resource.orders.iter().flatten().filter(|order| order.status == OrderStatus::Paid);
        paid.flat_map(|order| order.payments.iter().flatten())
    };
    if refund.items().iter().all(|item| Some(item.instrument) == refund.items().first().map(|first| first.instrument)) {
        return None;
    }
    for item in refund.items() {
        let paid: Fraction = payments()
            .filter(|payment| payment.instrument == item.instrument)
            .map(|payment| exact(payment.amount))
            .sum();
        let back: Fraction = refund
            .items()
            .iter()
            .filter(|other| other.instrument == item.instrument)
            .map(|other| exact(other.amount))
            .sum();
        if back > paid {
            return Some(format!(
                "{}: {} paid {} and gets {} back",
                ruling.exit,
                item.instrument,
                show(&paid),
                show(&back)
            ));
        }
    }
    None
}

/// Laws between two answers about one thing at two instants, of which the later lies before the earlier one's
/// `until` and in the same edition: nothing opens or closes, what is used up only grows, what comes back only falls.
#[must_use]
pub fn of_waiting(resource: &ResourceRecord, now: &RulingData, later: &RulingData) -> Vec<String> {
    let mut broken = Vec::new();
    if now.outcome() != later.outcome() {
        broken.push(format!("{}: {} becomes {} before its until", now.exit, now.outcome(), later.outcome()));
    }
    // Where a price list has tiers, longer use can be cheaper than shorter.
    let by_list = resource.price_terms.is_some();
    if let (Some(one), Some(other), false) = (&now.refund, &later.refund, by_list) {
        let grows = one.consumed().map(exact) <= other.consumed().map(exact);
        // What was paid can change with what counts to it; only like is compared with like.
        let alike = one.paid() == other.paid() && one.proceeds() == other.proceeds();
        if alike && !grows {
            broken.push(format!("{}: less is used up later, within one piece", now.exit));
        }
        if alike && exact(one.refund()) < exact(other.refund()) {
            broken.push(format!("{}: more comes back later, within one piece", now.exit));
        }
    }
    broken
}

/// Laws between answers about one thing of which a fact is unknown, true and false: what is refused without the fact
/// is refused whatever it is, and what is open without it is open with one of its values.
#[must_use]
pub fn of_not_knowing(unknown: &RulingData, known: [Option<&RulingData>; 2], flag: Flag) -> Option<String> {
    let refused = |ruling: &&RulingData| ruling.outcome() == Outcome::Refused;
    let mut ruled = known.into_iter().flatten();
    match unknown.outcome() {
        Outcome::Refused => {
            let opens = ruled.any(|ruling| !refused(&ruling));
            opens.then(|| format!("{}: refused while {flag} is unknown, but open once it is known", unknown.exit))
        }
        Outcome::Allowed => {
            let closes = known.iter().flatten().count() == 2 && ruled.all(|ruling| refused(&ruling));
            closes.then(|| format!("{}: allowed while {flag} is unknown, but refused whatever it is", unknown.exit))
        }
        Outcome::Conditional => None,
    }
}

/// Laws between an answer and that with one more reason to refuse: no money is added by it.
#[must_use]
pub fn of_refusing(before: &RulingData, after: &RulingData, flag: Flag) -> Option<String> {
    if before.outcome() == Outcome::Refused || after.outcome() != Outcome::Refused {
        return None;
    }
    let (one, other) = before.refund.as_ref().zip(after.refund.as_ref())?;
    let adds = exact(one.refund()) < exact(other.refund());
    adds.then(|| format!("{}: {flag} refuses it and adds money", before.exit))
}
