//! Making a record that is wrong somehow as small as it stays wrong.

use recoup_core::fact::FlagSet;
use recoup_core::record::{CommitmentRecord, Facts, OrderRecord, ResourceRecord};
use recoup_core::resource::PriceTerms;

/// The smallest record found that `is_wrong` holds of, by leaving out part after part.
pub(super) fn shrink(mut record: ResourceRecord, is_wrong: impl Fn(&ResourceRecord) -> bool) -> ResourceRecord {
    if !is_wrong(&record) {
        // It takes more than this record alone: it is shown as it came.
        return record;
    }
    while let Some(smaller) = smaller(&record).into_iter().find(|smaller| *smaller != record && is_wrong(smaller)) {
        record = smaller;
    }
    record
}

/// The record with one part left out, for each part; the largest parts first.
fn smaller(record: &ResourceRecord) -> Vec<ResourceRecord> {
    let mut all = Vec::new();
    let mut without = |change: &dyn Fn(&mut ResourceRecord)| {
        let mut smaller = record.clone();
        change(&mut smaller);
        all.push(smaller);
    };
    let orders = record.orders.as_deref().unwrap_or_default();
    for place in 0..orders.len() {
        without(&|record| {
            record.orders.iter_mut().for_each(|orders| drop(orders.remove(place)));
        });
    }
    without(&|record| record.facts = Facts::default());
    for change in PARTS {
        without(change);
    }
    for facts in fewer_facts(&record.facts) {
        without(&|record| record.facts = facts.clone());
    }
    for (place, order) in orders.iter().enumerate() {
        for smaller in smaller_orders(order) {
            without(&|record| {
                record.orders.iter_mut().flatten().skip(place).take(1).for_each(|order| *order = smaller.clone());
            });
        }
    }
    all
}

const PARTS: &[&dyn Fn(&mut ResourceRecord)] = &[
    &|record| record.name = None,
    &|record| record.tags.clear(),
    &|record| record.region = None,
    &|record| record.project = None,
    &|record| record.primary = None,
    &|record| record.relation = None,
    &|record| record.bundle = None,
    &|record| record.account = None,
    &|record| record.seller = None,
    &|record| record.quantity = None,
    &|record| record.price_terms = None,
    &|record| record.commitment = None,
    &|record| record.price_terms = record.price_terms.take().map(|_| PriceTerms::default()),
    &|record| record.commitment = record.commitment.take().map(|_| CommitmentRecord::default()),
    &|record| record.purchased_at = None,
    &|record| record.starts_at = None,
    &|record| record.ends_at = None,
];

/// The facts without one of them, for each.
fn fewer_facts(facts: &Facts) -> Vec<Facts> {
    let mut all = Vec::new();
    for (left_out, _) in facts.flags.iter() {
        let mut flags = FlagSet::EMPTY;
        facts.flags.iter().filter(|(flag, _)| *flag != left_out).for_each(|(flag, value)| flags.set(flag, value));
        all.push(Facts { flags, ..facts.clone() });
    }
    for place in 0..facts.figures.len() {
        let mut fewer = facts.clone();
        fewer.figures.remove(place);
        all.push(fewer);
    }
    for place in 0..facts.texts.len() {
        let mut fewer = facts.clone();
        fewer.texts.remove(place);
        all.push(fewer);
    }
    for place in 0..facts.moments.len() {
        let mut fewer = facts.clone();
        fewer.moments.remove(place);
        all.push(fewer);
    }
    all
}

const ORDER_PARTS: &[&dyn Fn(&mut OrderRecord)] = &[
    &|order| order.id = None,
    &|order| order.placed_at = None,
    &|order| order.paid_at = None,
    &|order| order.quantity = None,
    &|order| order.list_price = None,
    &|order| order.due = None,
    &|order| order.term = None,
    &|order| order.payments = None,
    &|order| order.facts = Facts::default(),
];

fn smaller_orders(order: &OrderRecord) -> Vec<OrderRecord> {
    let mut all: Vec<OrderRecord> = Vec::new();
    for change in ORDER_PARTS {
        let mut smaller = order.clone();
        change(&mut smaller);
        all.push(smaller);
    }
    for place in 0..order.payments.as_ref().map_or(0, Vec::len) {
        let mut smaller = order.clone();
        if let Some(payments) = &mut smaller.payments {
            let left_out = payments.remove(place);
            smaller.due = order.due.map(|due| due - left_out.amount);
        }
        all.push(smaller);
    }
    all.extend(fewer_facts(&order.facts).into_iter().map(|facts| OrderRecord { facts, ..order.clone() }));
    all
}
