//! Reads what Google Cloud's APIs and gcloud print: commitments and future reservations of Compute
//! Engine, capacity commitments of BigQuery, and orders of the Consumer Procurement API (page,
//! section 11). None of them shows what was paid.

mod capacity;
mod commitment;
mod future;
mod order;

use recoup_core::import::{ImportFile, Imported, Misfit, Place};
use recoup_core::record::ResourceRecord;
use serde_json::Value;

const PROVIDER: &str = "gcp";
const COMPUTE: &str = "compute.googleapis.com";

/// What an item is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Commitment,
    FutureReservation,
    Capacity,
    Order,
}

fn text_of<'v>(value: &'v Value, name: &str) -> &'v str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// What an item is, by its kind or name, else by fields that nothing else has.
fn kind_of(item: &Value) -> Option<Kind> {
    let (kind, name) = (text_of(item, "kind"), text_of(item, "name"));
    let has = |field: &str| item.get(field).is_some();
    if kind == "compute#commitment"
        || (has("endTimestamp") && has("status") && text_of(item, "plan").ends_with("_MONTH"))
    {
        Some(Kind::Commitment)
    } else if kind == "compute#futureReservation"
        || item.get("status").is_some_and(|status| status.get("procurementStatus").is_some())
    {
        Some(Kind::FutureReservation)
    } else if name.contains("/capacityCommitments/") || (has("slotCount") && has("plan") && has("state")) {
        Some(Kind::Capacity)
    } else if name.starts_with("billingAccounts/") && name.contains("/orders/") {
        Some(Kind::Order)
    } else {
        None
    }
}

/// A payload taken apart.
struct Listing<'v> {
    items: Vec<Place<'v>>,
    /// What tells this listing from others of its kind.
    of: String,
    /// Whether it is a listing of one of the kinds, even where it is empty.
    is_ours: bool,
    goes_on: bool,
    /// Scopes that could not be reached.
    unreachable: Vec<Place<'v>>,
}

fn listing<'v>(root: &Place<'v>) -> Result<Listing<'v>, Misfit> {
    let value = root.value.unwrap_or(&Value::Null);
    let kind = text_of(value, "kind");
    let mut listing = Listing {
        items: Vec::new(),
        of: text_of(value, "id").to_owned(),
        is_ours: kind.starts_with("compute#commitment") || kind.starts_with("compute#futureReservation"),
        goes_on: root.get("nextPageToken").text()?.is_some(),
        unreachable: Vec::new(),
    };
    match value {
        Value::Array(_) => listing.items = root.items()?,
        Value::Object(map) => {
            if let Some(list) = ["capacityCommitments", "orders"].into_iter().find(|name| map.contains_key(*name)) {
                listing.is_ours |= list == "capacityCommitments";
                listing.items = root.get(list).items()?;
            } else {
                match map.get("items") {
                    Some(Value::Array(_)) => listing.items = root.get("items").items()?,
                    Some(Value::Object(scopes)) => scoped(&root.get("items"), scopes, &mut listing)?,
                    _ if kind_of(value).is_some() => listing.items.push(root.clone()),
                    _ => {}
                }
            }
        }
        _ => {}
    }
    if listing.of.is_empty() {
        let first = listing.items.first().and_then(|item| item.value);
        let name = first.map(|item| text_of(item, "name")).unwrap_or_default();
        listing.of = name.rsplit_once('/').map_or(String::new(), |(parent, _)| parent.to_owned());
    }
    Ok(listing)
}

/// An aggregated listing: by region or zone, each with its items or a warning.
fn scoped<'v>(
    items: &Place<'v>,
    scopes: &'v serde_json::Map<String, Value>,
    listing: &mut Listing<'v>,
) -> Result<(), Misfit> {
    for (name, scope) in scopes {
        let scope = Place { value: Some(scope), path: format!("{}.{name}", items.path) };
        listing.items.extend(scope.get("commitments").items()?);
        listing.items.extend(scope.get("futureReservations").items()?);
        let code = scope.get("warning").get("code").text()?;
        if code.is_some_and(|code| code != "NO_RESULTS_ON_PAGE") {
            listing.unreachable.push(scope.get("warning"));
        }
    }
    Ok(())
}

/// Whether a file holds something that Google Cloud prints and these rules speak of.
pub(crate) fn recognises(file: &ImportFile<'_>) -> bool {
    let Some(root) = file.json.map(Place::root) else { return false };
    listing(&root).is_ok_and(|listing| {
        listing.is_ours || listing.items.first().and_then(|item| item.value).and_then(kind_of).is_some()
    })
}

/// Reads all files of a run together; two pages of one listing are read as one.
pub(crate) fn import(files: &[ImportFile<'_>]) -> Imported {
    let mut out = Imported::default();
    let offers = order::Offers::published();
    let mut pages: Vec<Page<'_>> = Vec::new();
    for file in files {
        let Some(root) = file.json.map(Place::root) else {
            out.error(file, "", "expected JSON as Google Cloud's APIs print it");
            continue;
        };
        let listing = match listing(&root) {
            Ok(listing) => listing,
            Err(misfit) => {
                out.error(file, misfit.path.clone(), misfit.to_string());
                continue;
            }
        };
        for scope in &listing.unreachable {
            out.error(file, scope.path.clone(), "this part of the listing could not be reached and is missing");
        }
        let kind = listing.items.first().and_then(|item| item.value).and_then(kind_of);
        for item in &listing.items {
            if let Err(misfit) = read(file, item, &offers, &mut out) {
                out.error(file, misfit.path.clone(), misfit.to_string());
            }
        }
        pages.push(Page { file, kind, of: listing.of, goes_on: listing.goes_on });
    }
    report_truncated(&pages, &mut out);
    out
}

fn read(file: &ImportFile<'_>, item: &Place<'_>, offers: &order::Offers, out: &mut Imported) -> Result<(), Misfit> {
    let records = match item.value.and_then(kind_of) {
        Some(Kind::Commitment) => vec![commitment::read(file, item, out)?],
        Some(Kind::FutureReservation) => vec![future::read(item)?],
        Some(Kind::Capacity) => vec![capacity::read(item)?],
        Some(Kind::Order) => order::read(file, item, offers, out)?,
        None => return Err(misfit(item, "a commitment, a future reservation, a capacity commitment or an order")),
    };
    for record in records {
        join(&mut out.resources, record);
    }
    Ok(())
}

/// A page of a listing.
struct Page<'f> {
    file: &'f ImportFile<'f>,
    kind: Option<Kind>,
    of: String,
    goes_on: bool,
}

/// Of the pages of a listing one is the last: where each goes on, the listing was cut.
fn report_truncated(pages: &[Page<'_>], out: &mut Imported) {
    for (index, page) in pages.iter().enumerate() {
        let same = |other: &&Page<'_>| other.kind == page.kind && other.of == page.of;
        let is_last = !pages.iter().skip(index + 1).any(|other| same(&other));
        if is_last && pages.iter().filter(same).all(|other| other.goes_on) {
            out.error(page.file, "nextPageToken", "the listing goes on, expected its further pages too");
        }
    }
}

/// Adds a resource; one that is there already is filled up, not doubled.
fn join(resources: &mut Vec<ResourceRecord>, record: ResourceRecord) {
    let same = |known: &&mut ResourceRecord| {
        known.id == record.id && known.product == record.product && known.billing == record.billing
    };
    let Some(known) = resources.iter_mut().find(same) else {
        resources.push(record);
        return;
    };
    known.name = known.name.take().or(record.name);
    known.account = known.account.take().or(record.account);
    known.region = known.region.take().or(record.region);
    known.project = known.project.take().or(record.project);
    known.purchased_at = known.purchased_at.or(record.purchased_at);
    known.starts_at = known.starts_at.or(record.starts_at);
    known.ends_at = known.ends_at.or(record.ends_at);
    known.quantity = known.quantity.or(record.quantity);
    known.commitment = known.commitment.take().or(record.commitment);
    known.facts.flags = known.facts.flags.or_else(record.facts.flags);
}

fn misfit(place: &Place<'_>, expected: &'static str) -> Misfit {
    let found = place.value.map_or_else(|| "nothing".to_owned(), |value| value.to_string().chars().take(60).collect());
    Misfit { path: place.path.clone(), expected, found }
}

/// The part of a resource name or address behind a word: `projects/p/regions/r` has `r` behind `regions`.
fn behind(name: &str, word: &str) -> Option<String> {
    let mut parts = name.split('/').skip_while(|part| *part != word);
    parts.nth(1).filter(|part| !part.is_empty()).map(str::to_owned)
}

/// The last part of a resource name or address.
fn last_part(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or(name)
}
