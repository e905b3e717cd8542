//! Reader of what OVHcloud's API prints of subscribed savings plans
//! (`/services/{id}/savingsPlans/subscribed`).

use recoup_core::fact::Flag;
use recoup_core::import::{ImportFile, Imported, Misfit, Place};
use recoup_core::record::{CommitmentRecord, ResourceRecord};
use recoup_core::time::Zone;
use recoup_core::vocab::{Billing, Status};
use serde_json::Value;

/// The plans of a file: one, or an array of them. Three fields in this spelling are no other's.
fn plans<'a>(file: &ImportFile<'a>) -> Option<Vec<Place<'a>>> {
    let root = Place::root(file.json?);
    let items = match root.value? {
        Value::Array(_) => root.items().ok()?,
        _ => vec![root],
    };
    let is_plan =
        |item: &Place<'_>| ["periodEndAction", "periodStartDate", "periodEndDate"].iter().all(|name| item.has(name));
    items.iter().any(is_plan).then_some(items)
}

pub(crate) fn recognises(file: &ImportFile<'_>) -> bool {
    plans(file).is_some()
}

pub(crate) fn import(files: &[ImportFile<'_>]) -> Imported {
    let mut out = Imported::default();
    for file in files {
        for item in plans(file).unwrap_or_default() {
            match plan(&item) {
                Ok(record) if out.resources.iter().any(|other| other.id == record.id) => {}
                Ok(record) => out.resources.push(record),
                Err(misfit) => {
                    let what = format!("expected {}, found {}", misfit.expected, misfit.found);
                    out.error(file, misfit.path, what);
                }
            }
        }
    }
    out
}

fn plan(item: &Place<'_>) -> Result<ResourceRecord, Misfit> {
    // Bare dates are those of the European site.
    let zone: Zone = "Europe/Paris".parse().unwrap_or(Zone::UTC);
    let place = item.get("status");
    let word = place.required()?;
    let status = match word.to_ascii_uppercase().as_str() {
        "ACTIVE" => Status::Active,
        "PENDING" => Status::Queued,
        "TERMINATED" => Status::Expired,
        _ => return Err(Misfit { path: place.path, expected: "one of ACTIVE, PENDING, TERMINATED", found: word }),
    };
    let mut record =
        ResourceRecord::new("ovh", &item.get("id").required()?, "public-cloud", Billing::SavingsPlan, status);
    record.name = item.get("displayName").text()?;
    record.quantity = item.get("size").decimal()?;
    record.starts_at = item.get("startDate").instant(zone)?;
    record.ends_at = item.any(&["endDate", "periodEndDate"]).instant(zone)?;
    let place = item.get("period");
    if let Some(period) = place.text()? {
        let Some(months) = months(&period) else {
            return Err(Misfit { path: place.path, expected: "months or years such as P12M", found: period });
        };
        record.commitment = Some(CommitmentRecord { term_months: Some(months), ..CommitmentRecord::default() });
    }
    let place = item.get("periodEndAction");
    let action = place.required()?;
    let renews = match action.to_ascii_uppercase().as_str() {
        "REACTIVATE" => true,
        "TERMINATE" => false,
        _ => return Err(Misfit { path: place.path, expected: "TERMINATE or REACTIVATE", found: action }),
    };
    record.facts.flags.set(Flag::AutoRenew, renews);
    Ok(record)
}

/// The calendar months of an ISO 8601 period of months or years.
fn months(period: &str) -> Option<u32> {
    let count = period.strip_prefix('P')?;
    match count.strip_suffix('M') {
        Some(months) => months.parse().ok(),
        None => count.strip_suffix('Y')?.parse::<u32>().ok()?.checked_mul(12),
    }
}
