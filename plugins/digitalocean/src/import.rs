//! Readers of what DigitalOcean's API prints: the items of invoices, the billing history, the balance.

use recoup_core::fact::Figure;
use recoup_core::import::{ImportFile, Imported, Listings, Misfit, Place, distinct};
use recoup_core::money::Number;
use recoup_core::record::ResourceRecord;
use recoup_core::time::Zone;
use recoup_core::vocab::{Billing, Status};
use serde_json::Value;

const PROVIDER: &str = "digitalocean";

/// The types of the billing history. Refunds occur although none are offered: goodwill.
const HISTORY_TYPES: &[&str] = &[
    "ACHFailure",
    "Adjustment",
    "AttemptFailed",
    "Chargeback",
    "Credit",
    "CreditExpiration",
    "Invoice",
    "Payment",
    "Refund",
    "Reversal",
];

/// What a file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    InvoiceItems,
    History,
    Balance,
}

fn kind(json: &Value) -> Option<Kind> {
    let root = Place::root(json);
    if root.has("month_to_date_balance") && root.has("account_balance") {
        return Some(Kind::Balance);
    }
    // One such element is enough: a broken one beside it is reported, not hidden.
    let some = |name: &str, fields: &[&str]| {
        let items = root.get(name).items().unwrap_or_default();
        items.iter().any(|item| fields.iter().all(|field| item.has(field)))
    };
    if some("billing_history", &["description", "amount", "date", "type"]) {
        // Another provider prints a history of the same name, but with a running balance in it.
        let typed =
            root.get("billing_history").items().is_ok_and(|items| items.iter().all(|item| !item.has("balance")));
        return typed.then_some(Kind::History);
    }
    some("invoice_items", &["product", "amount", "duration_unit", "start_time"]).then_some(Kind::InvoiceItems)
}

pub(crate) fn recognises(file: &ImportFile<'_>) -> bool {
    file.json.is_some_and(|json| kind(json).is_some())
}

pub(crate) fn import(files: &[ImportFile<'_>]) -> Imported {
    let mut out = Imported::default();
    for (wanted, name) in [(Kind::InvoiceItems, "invoice_items"), (Kind::History, "billing_history")] {
        let mut listings = Listings::default();
        for file in distinct(files) {
            let Some(root) = file.json.filter(|json| kind(json) == Some(wanted)).map(Place::root) else { continue };
            let items = root.get(name).items().unwrap_or_default();
            listings.page(file, root.get("meta").get("total").whole().ok().flatten(), items.len());
            for item in &items {
                let read = match wanted {
                    Kind::InvoiceItems => service(item).map(|record| out.add_line(record)),
                    Kind::History | Kind::Balance => entry(item).map(|refund| {
                        if let Some(amount) = refund {
                            out.remark(
                                file,
                                item.path.clone(),
                                format!("a refund of {amount}: goodwill, no rule promises it"),
                            );
                        }
                    }),
                };
                if let Err(misfit) = read {
                    out.misfit(file, misfit);
                }
            }
        }
        listings.report_truncated(name, &mut out);
        if let (Kind::History, Some(file)) = (wanted, listings.last()) {
            out.remark(file, name, "a history of bills and payments names no resource");
        }
    }
    for file in files {
        let Some(root) = file.json.filter(|json| kind(json) == Some(Kind::Balance)).map(Place::root) else { continue };
        let read = balance(&root).map(|record| out.resources.extend(record));
        if let Err(misfit) = read {
            out.misfit(file, misfit);
        }
    }
    out
}

/// A line of an invoice: a metered resource. Nothing was paid ahead.
fn service(item: &Place<'_>) -> Result<ResourceRecord, Misfit> {
    let id = item.any(&["resource_uuid", "resource_id"]).required()?;
    let product = item.get("product").required()?.to_lowercase();
    let mut record = ResourceRecord::new(PROVIDER, &id, &product, Billing::PayAsYouGo, Status::Active);
    record.name = item.get("description").text()?;
    record.project = item.get("project_name").text()?;
    record.starts_at = item.get("start_time").instant(Zone::UTC)?;
    record.orders = Some(Vec::new());
    Ok(record)
}

/// An entry of the history; the amount where it is a refund.
fn entry(item: &Place<'_>) -> Result<Option<String>, Misfit> {
    let place = item.get("type");
    let kind = place.required()?;
    if !HISTORY_TYPES.contains(&kind.as_str()) {
        return Err(Misfit { path: place.path, expected: "a type of the billing history", found: kind });
    }
    let amount: Option<Number> = item.get("amount").decimal()?;
    item.get("date").instant(Zone::UTC)?;
    Ok(amount.filter(|_| kind == "Refund").map(|amount| amount.magnitude().to_string()))
}

/// The balance: below zero it is credit, which was paid ahead. A debt is no purchase.
fn balance(root: &Place<'_>) -> Result<Option<ResourceRecord>, Misfit> {
    let balance: Option<Number> = root.get("account_balance").decimal()?;
    let Some(credit) = balance.filter(|balance| balance.is_negative()) else { return Ok(None) };
    let mut record = ResourceRecord::new(PROVIDER, "account", "account", Billing::PrepaidBalance, Status::Active);
    record.facts.figures.push((Figure::RemainingBalance, credit.magnitude()));
    Ok(Some(record))
}
