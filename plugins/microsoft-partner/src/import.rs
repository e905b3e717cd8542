//! Reads what Partner Center's REST API prints: subscription resources and orders, single or in
//! collections (page, section 11). There is no quote operation; the refund options of a subscription
//! are the nearest thing to one.

mod order;
mod subscription;

use recoup_core::import::{ImportFile, Imported, Misfit, Place};
use recoup_core::record::ResourceRecord;
use serde_json::Value;

const PROVIDER: &str = "microsoft-partner";

/// What a payload shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Subscription,
    Order,
}

/// A field by its name in JSON, `offerId`, or as the SDK's models print it, `OfferId`.
fn field<'v>(place: &Place<'v>, name: &str) -> Place<'v> {
    let mut letters = name.chars();
    let pascal: String = letters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(letters).collect();
    place.any(&[name, &pascal])
}

/// What an item is, by the type that it names, else by fields that nothing else has.
fn kind_of(item: &Place<'_>) -> Option<Kind> {
    let named = field(&field(item, "attributes"), "objectType").value.and_then(Value::as_str);
    let has = |name: &str| field(item, name).value.is_some();
    match named {
        Some("Subscription") => return Some(Kind::Subscription),
        Some("Order") => return Some(Kind::Order),
        _ => {}
    }
    if has("offerId") && (has("billingType") || has("commitmentEndDate") || has("cancellationAllowedUntilDate")) {
        return Some(Kind::Subscription);
    }
    let first = field(item, "lineItems").items().ok().and_then(|items| items.into_iter().next());
    first
        .is_some_and(|line| field(&line, "lineItemNumber").value.is_some() && field(&line, "offerId").value.is_some())
        .then_some(Kind::Order)
}

/// The items of a payload: a collection's, an array's, or the payload itself.
fn items_of<'v>(root: &Place<'v>) -> Result<Vec<Place<'v>>, Misfit> {
    match root.value {
        Some(Value::Array(_)) => root.items(),
        Some(Value::Object(_)) if field(root, "items").value.is_some() => field(root, "items").items(),
        _ => Ok(vec![root.clone()]),
    }
}

/// Whether a file holds subscriptions or orders of Partner Center.
pub(crate) fn recognises(file: &ImportFile<'_>) -> bool {
    let Some(root) = file.json.map(Place::root) else { return false };
    items_of(&root).is_ok_and(|items| match items.first() {
        Some(item) => kind_of(item).is_some(),
        None => {
            field(&field(&root, "attributes"), "objectType").value.and_then(Value::as_str) == Some("Collection")
                && field(&root, "totalCount").value.is_some()
        }
    })
}

/// Reads all files of a run together; orders are joined to the subscriptions that they bought.
pub(crate) fn import(files: &[ImportFile<'_>]) -> Imported {
    let mut out = Imported::default();
    let mut orders = Vec::new();
    let mut collections = Vec::new();
    for file in files {
        let Some(root) = file.json.map(Place::root) else {
            out.error(file, "", "expected JSON as Partner Center's API prints it");
            continue;
        };
        let items = match items_of(&root) {
            Ok(items) => items,
            Err(misfit) => {
                out.error(file, misfit.path.clone(), misfit.to_string());
                continue;
            }
        };
        let first = items.first().and_then(kind_of);
        collections.push(Collection::of(file, &root, first, items.len()));
        for item in &items {
            let read = match kind_of(item) {
                Some(Kind::Subscription) => {
                    subscription::read(file, item, &mut out).map(|record| join(&mut out.resources, record))
                }
                Some(Kind::Order) => order::read(file, item).map(|order| orders.push(order)),
                None => {
                    out.error(file, item.path.clone(), "expected a subscription or an order of Partner Center");
                    continue;
                }
            };
            if let Err(misfit) = read {
                out.error(file, misfit.path.clone(), misfit.to_string());
            }
        }
    }
    order::attach(orders, &mut out);
    report_truncated(&collections, &mut out);
    out
}

/// What a listing says of its own size.
struct Collection<'f> {
    file: &'f ImportFile<'f>,
    kind: Option<Kind>,
    total: Option<i64>,
    there: usize,
    has_next: bool,
}

impl<'f> Collection<'f> {
    fn of(file: &'f ImportFile<'f>, root: &Place<'_>, kind: Option<Kind>, there: usize) -> Self {
        let total = field(root, "totalCount").whole().ok().flatten();
        let has_next = field(&field(root, "links"), "next").value.is_some();
        Self { file, kind, total, there, has_next }
    }
}

/// A listing that is not there to its end is an error: two pages of one listing count together.
fn report_truncated(collections: &[Collection<'_>], out: &mut Imported) {
    for (index, collection) in collections.iter().enumerate() {
        let same = |other: &&Collection<'_>| other.kind == collection.kind && other.total == collection.total;
        let is_last = !collections.iter().skip(index + 1).any(|other| same(&other));
        let there: usize = collections.iter().filter(same).map(|other| other.there).sum();
        match collection.total {
            Some(total) if is_last && i64::try_from(there).is_ok_and(|there| there < total) => {
                let what = format!("the listing says {total} items, found {there}: add the missing pages");
                out.error(collection.file, "totalCount", what);
            }
            None if is_last && collections.iter().filter(same).all(|other| other.has_next) && collection.has_next => {
                out.error(collection.file, "links.next", "the listing goes on, expected its further pages too");
            }
            _ => {}
        }
    }
}

/// Adds a resource; one that is there already is filled up, not doubled.
fn join(resources: &mut Vec<ResourceRecord>, record: ResourceRecord) {
    let Some(known) = resources.iter_mut().find(|known| known.id == record.id) else {
        resources.push(record);
        return;
    };
    known.name = known.name.take().or(record.name);
    known.account = known.account.take().or(record.account);
    known.purchased_at = known.purchased_at.or(record.purchased_at);
    known.starts_at = known.starts_at.or(record.starts_at);
    known.ends_at = known.ends_at.or(record.ends_at);
    known.quantity = known.quantity.or(record.quantity);
    known.commitment = known.commitment.take().or(record.commitment);
    known.facts.flags = known.facts.flags.or_else(record.facts.flags);
    for (moment, at) in record.facts.moments {
        if known.facts.moment(moment).is_none() {
            known.facts.moments.push((moment, at));
        }
    }
}
