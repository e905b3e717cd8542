//! Readers of what Linode's API prints: the items of invoices and the payments into an account.

use recoup_core::import::{ImportFile, Imported, Misfit, Place, distinct};
use recoup_core::record::{OrderRecord, ResourceRecord};
use recoup_core::time::Zone;
use recoup_core::vocab::{Billing, OrderKind, OrderStatus, Status};

const PROVIDER: &str = "linode";

/// What a file lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Listing {
    InvoiceItems,
    Payments,
}

/// The elements of a page and what they are; a page has its place among the pages beside them.
fn listing<'a>(file: &ImportFile<'a>) -> Option<(Listing, Vec<Place<'a>>)> {
    let root = Place::root(file.json?);
    if !(root.has("page") && root.has("pages") && root.has("results")) {
        return None;
    }
    let items = root.get("data").items().ok().filter(|items| !items.is_empty())?;
    // One such element is enough: a broken one beside it is reported, not hidden.
    let some = |names: &[&str]| items.iter().any(|item| names.iter().all(|name| item.has(name)));
    if some(&["label", "quantity", "amount", "from", "total"]) {
        return Some((Listing::InvoiceItems, items));
    }
    some(&["id", "date", "usd"]).then_some((Listing::Payments, items))
}

pub(crate) fn recognises(file: &ImportFile<'_>) -> bool {
    listing(file).is_some()
}

pub(crate) fn import(files: &[ImportFile<'_>]) -> Imported {
    let mut out = Imported::default();
    let mut payments: Vec<OrderRecord> = Vec::new();
    let mut listings: Vec<Pages<'_, '_>> = Vec::new();
    for file in distinct(files) {
        let Some((kind, items)) = listing(file) else { continue };
        Pages::count(&mut listings, kind, file);
        for item in &items {
            let read = match kind {
                Listing::InvoiceItems => service(item).map(|record| out.add_line(record)),
                Listing::Payments => payment(item).map(|order| {
                    if !payments.iter().any(|other| other.id == order.id) {
                        payments.push(order);
                    }
                }),
            };
            if let Err(misfit) = read {
                out.misfit(file, misfit);
            }
        }
    }
    for Pages { pages, seen, last, .. } in listings {
        if pages > 0 && seen % pages != 0 {
            let what = format!("the listing is truncated: {seen} of {pages} pages are here; add the others");
            out.error(last, "data", what);
        }
    }
    if !payments.is_empty() {
        payments.sort_by_key(|order| order.paid_at);
        let mut account = ResourceRecord::new(PROVIDER, "account", "account", Billing::PrepaidBalance, Status::Active);
        account.orders = Some(payments);
        out.resources.push(account);
    }
    out
}

/// The pages of one listing, as far as its size tells listings apart.
struct Pages<'f, 'v> {
    kind: Listing,
    pages: i64,
    results: i64,
    seen: i64,
    last: &'f ImportFile<'v>,
}

impl<'f, 'v> Pages<'f, 'v> {
    fn count(listings: &mut Vec<Self>, kind: Listing, file: &'f ImportFile<'v>) {
        let root = file.json.map(Place::root);
        let number = |name| root.as_ref().and_then(|root| root.get(name).whole().ok().flatten()).unwrap_or(0);
        let (pages, results) = (number("pages"), number("results"));
        match listings.iter_mut().find(|one| one.kind == kind && one.pages == pages && one.results == results) {
            Some(one) => (one.seen, one.last) = (one.seen + 1, file),
            None => listings.push(Self { kind, pages, results, seen: 1, last: file }),
        }
    }
}

/// A line of an invoice: a metered service, whose label begins with its kind. Nothing was paid ahead.
fn service(item: &Place<'_>) -> Result<ResourceRecord, Misfit> {
    let label = item.get("label").required()?;
    let product = label.split_whitespace().next().unwrap_or(&label).to_lowercase();
    let mut record = ResourceRecord::new(PROVIDER, &label, &product, Billing::PayAsYouGo, Status::Active);
    record.name = Some(label);
    record.region = item.get("region").text()?;
    record.starts_at = item.get("from").instant(Zone::UTC)?;
    record.orders = Some(Vec::new());
    Ok(record)
}

/// A payment into the account. What paid it is not said.
fn payment(item: &Place<'_>) -> Result<OrderRecord, Misfit> {
    let mut order = OrderRecord::new(OrderKind::Purchase, OrderStatus::Paid);
    order.id = Some(item.get("id").required()?);
    order.paid_at = item.get("date").instant(Zone::UTC)?;
    order.placed_at = order.paid_at;
    order.currency = "USD".parse().ok();
    order.due = item.get("usd").decimal()?;
    Ok(order)
}
