//! Readers of what Vultr's API prints: the items of invoices and the billing history.

use recoup_core::fact::Figure;
use recoup_core::import::{ImportFile, Imported, Listings, Misfit, Place, distinct};
use recoup_core::money::Number;
use recoup_core::record::ResourceRecord;
use recoup_core::time::{Instant, Zone};
use recoup_core::vocab::{Billing, Status};
use serde_json::Value;

const PROVIDER: &str = "vultr";

/// What a file lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    InvoiceItems,
    History,
}

fn kind(json: &Value) -> Option<Kind> {
    let root = Place::root(json);
    // One such element is enough: a broken one beside it is reported, not hidden.
    let some = |name: &str, fields: &[&str]| {
        let items = root.get(name).items().unwrap_or_default();
        items.iter().any(|item| fields.iter().all(|field| item.has(field)))
    };
    if some("billing_history", &["id", "date", "type", "amount", "balance"]) {
        return Some(Kind::History);
    }
    some("invoice_items", &["product", "start_date", "unit_type", "unit_price", "total"]).then_some(Kind::InvoiceItems)
}

pub(crate) fn recognises(file: &ImportFile<'_>) -> bool {
    file.json.is_some_and(|json| kind(json).is_some())
}

pub(crate) fn import(files: &[ImportFile<'_>]) -> Imported {
    let mut out = Imported::default();
    let mut newest: Option<(Instant, Number)> = None;
    for (wanted, name) in [(Kind::InvoiceItems, "invoice_items"), (Kind::History, "billing_history")] {
        let mut listings = Listings::default();
        for file in distinct(files) {
            let Some(root) = file.json.filter(|json| kind(json) == Some(wanted)).map(Place::root) else { continue };
            let items = root.get(name).items().unwrap_or_default();
            listings.page(file, root.get("meta").get("total").whole().ok().flatten(), items.len());
            for item in &items {
                let read = match wanted {
                    Kind::InvoiceItems => service(item).map(|record| out.add_line(record)),
                    Kind::History => entry(item).map(|entry| {
                        if newest.is_none_or(|newest| newest.0 <= entry.0) {
                            newest = Some(entry);
                        }
                    }),
                };
                if let Err(misfit) = read {
                    out.misfit(file, misfit);
                }
            }
        }
        listings.report_truncated(name, &mut out);
    }
    // A balance below zero after the newest entry is credit, which was paid ahead.
    if let Some((_, balance)) = newest.filter(|(_, balance)| balance.is_negative()) {
        let mut record = ResourceRecord::new(PROVIDER, "account", "account", Billing::PrepaidBalance, Status::Active);
        record.facts.figures.push((Figure::RemainingBalance, balance.magnitude()));
        out.resources.push(record);
    }
    out
}

/// A line of an invoice: something metered, known by its description. Nothing was paid ahead.
fn service(item: &Place<'_>) -> Result<ResourceRecord, Misfit> {
    let id = item.get("description").required()?;
    let product = item.get("product").required()?.to_lowercase();
    let mut record = ResourceRecord::new(PROVIDER, &id, &product, Billing::PayAsYouGo, Status::Active);
    record.name = Some(id);
    record.starts_at = item.get("start_date").instant(Zone::UTC)?;
    record.orders = Some(Vec::new());
    Ok(record)
}

/// An entry of the history: when, and the balance after it.
fn entry(item: &Place<'_>) -> Result<(Instant, Number), Misfit> {
    let (date, balance) = (item.get("date"), item.get("balance"));
    let missing = |place: Place<'_>, expected| Misfit { path: place.path, expected, found: "nothing".to_owned() };
    let at = date.instant(Zone::UTC)?.ok_or_else(|| missing(date, "an instant"))?;
    let left = balance.decimal()?.ok_or_else(|| missing(balance, "a decimal"))?;
    Ok((at, left))
}
