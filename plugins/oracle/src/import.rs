//! Reads what Oracle's subscription APIs print: subscribed services of `osub_subscription` and
//! `onesubscription`, and their commitments (page, section 11), as the REST API writes their fields
//! (`timeEnd`), as the SDKs do (`time_end`) and as the CLI does (`time-end`, inside `data`).
//!
//! No operation quotes or refunds. All money fields are texts; what is left at the end of a commitment
//! is its available amount.

use recoup_core::fact::Figure;
use recoup_core::import::{ImportFile, Imported, Misfit, Place};
use recoup_core::money::Currency;
use recoup_core::record::{CommitmentRecord, ResourceRecord};
use recoup_core::time::{Instant, Zone};
use recoup_core::vocab::{Billing, Status};
use serde_json::Value;

const PROVIDER: &str = "oracle";
const CREDITS: &str = "universal-credits";
/// What the CLI prints beside `data` where a listing has further pages.
const NEXT_PAGE: &str = "opc-next-page";

/// Fields of which a payload of these APIs has several.
const TELLING: &[&str] = &[
    "availableAmount",
    "bookingOptyNumber",
    "commitmentServices",
    "csi",
    "fundedAllocationValue",
    "isIntentToPay",
    "lineNetAmount",
    "netUnitPrice",
    "operationType",
    "partnerTransactionType",
    "pricingModel",
    "programType",
    "overagePolicy",
    "serviceName",
    "subscribedServices",
    "termValueUOM",
];
/// How many of them are enough to tell these payloads from other providers'.
const ENOUGH: usize = 2;

/// A field by its name in the REST API, in the SDKs or in the CLI.
fn field<'v>(place: &Place<'v>, name: &str) -> Place<'v> {
    let (snake, kebab) = (parted(name, '_'), parted(name, '-'));
    place.any(&[name, &snake, &kebab])
}

/// `timeEnd` as `time_end` or `time-end`; capitals in a row stay together.
fn parted(name: &str, by: char) -> String {
    let mut parted = String::with_capacity(name.len() + 4);
    let mut was_capital = false;
    for letter in name.chars() {
        let is_capital = letter.is_ascii_uppercase();
        if is_capital && !was_capital {
            parted.push(by);
        }
        parted.push(letter.to_ascii_lowercase());
        was_capital = is_capital;
    }
    parted
}

/// Whether an item has enough fields that only these APIs print.
fn is_telling(item: &Place<'_>) -> bool {
    let has = |name: &str| {
        let there = |name: &str| item.value.is_some_and(|value| value.get(name).is_some());
        there(name) || there(&parted(name, '_')) || there(&parted(name, '-'))
    };
    TELLING.iter().filter(|name| has(name)).count() >= ENOUGH
        && ["timeEnd", "commitmentServices", "subscribedServices"].into_iter().any(has)
}

/// The items of a payload: an array's, those of the CLI's `data` or of a list's `items`, or the payload
/// itself.
fn items_of<'v>(root: &Place<'v>) -> Result<Vec<Place<'v>>, Misfit> {
    let data = root.get("data");
    let root = if data.value.is_some() { data } else { root.clone() };
    match root.value {
        Some(Value::Array(_)) => root.items(),
        Some(Value::Object(_)) if root.has("items") => root.get("items").items(),
        _ => Ok(vec![root]),
    }
}

/// Whether a file holds subscribed services or commitments of Oracle.
pub(crate) fn recognises(file: &ImportFile<'_>) -> bool {
    let Some(root) = file.json.map(Place::root) else { return false };
    items_of(&root).is_ok_and(|items| items.first().is_some_and(is_telling))
}

/// Reads all files of a run together; commitments are joined to the services that they stand in.
pub(crate) fn import(files: &[ImportFile<'_>]) -> Imported {
    let mut out = Imported::default();
    let (mut goes_on, mut has_last_page) = (None, false);
    for file in files {
        let Some(root) = file.json.map(Place::root) else {
            out.error(file, "", "expected JSON as Oracle's subscription APIs print it");
            continue;
        };
        match root.get(NEXT_PAGE).text() {
            Ok(Some(_)) => goes_on = Some(file),
            _ => has_last_page = true,
        }
        match items_of(&root) {
            Ok(items) => items.iter().for_each(|item| read_item(file, item, &mut out)),
            Err(misfit) => out.error(file, misfit.path.clone(), misfit.to_string()),
        }
    }
    if let (Some(file), false) = (goes_on, has_last_page) {
        out.error(file, NEXT_PAGE, "the listing goes on, expected its further pages too");
    }
    out
}

/// An item: a subscription with its services, a service, or a commitment alone.
fn read_item(file: &ImportFile<'_>, item: &Place<'_>, out: &mut Imported) {
    if let Err(misfit) = try_item(file, item, out) {
        out.error(file, misfit.path.clone(), misfit.to_string());
    }
}

fn try_item(file: &ImportFile<'_>, item: &Place<'_>, out: &mut Imported) -> Result<(), Misfit> {
    let services = field(item, "subscribedServices");
    if services.value.is_some() {
        let currency = currency_of(item)?;
        for service in services.items()? {
            add(file, read_service(&service, currency), out);
        }
    } else if is_telling(item) {
        add(file, read_service(item, currency_of(item)?), out);
    } else {
        return Err(misfit(item, "a subscribed service or a commitment of Oracle"));
    }
    Ok(())
}

fn add(file: &ImportFile<'_>, read: Result<Vec<ResourceRecord>, Misfit>, out: &mut Imported) {
    match read {
        Ok(records) => records.into_iter().for_each(|record| join(&mut out.resources, record)),
        Err(misfit) => out.error(file, misfit.path.clone(), misfit.to_string()),
    }
}

fn misfit(place: &Place<'_>, expected: &'static str) -> Misfit {
    let found = match place.value {
        None => "nothing".to_owned(),
        Some(value) => value.to_string().chars().take(60).collect(),
    };
    Misfit { path: place.path.clone(), expected, found }
}

fn currency_of(item: &Place<'_>) -> Result<Option<Currency>, Misfit> {
    let place = field(item, "currency");
    let place = if matches!(place.value, Some(Value::Object(_))) { field(&place, "isoCode") } else { place };
    match place.text()? {
        None => Ok(None),
        Some(code) => code.parse().map(Some).map_err(|_| misfit(&place, "a currency code such as USD")),
    }
}

/// Reads a subscribed service, or a commitment that stands alone. Credits are forfeited at the end of
/// each commitment, so a service with several gives a resource for each.
fn read_service(item: &Place<'_>, currency: Option<Currency>) -> Result<Vec<ResourceRecord>, Misfit> {
    let service = read_alone(item, currency)?;
    let commitments = field(item, "commitmentServices").items()?;
    if service.billing != Billing::CommittedUse || commitments.is_empty() {
        return Ok(vec![service]);
    }
    let is_only = commitments.len() == 1;
    let mut records = Vec::new();
    for (index, commitment) in commitments.iter().enumerate() {
        let mut record = service.clone();
        if !is_only {
            record.id = format!("{}/{}", service.id, index + 1);
            record.facts.figures.clear();
        }
        record.starts_at = instant(commitment, "timeStart")?.or(record.starts_at);
        record.ends_at = instant(commitment, "timeEnd")?.or(record.ends_at);
        if let Some(left) = field(commitment, "availableAmount").decimal()? {
            record.facts.figures = vec![(Figure::RemainingBalance, left)];
        }
        records.push(record);
    }
    Ok(records)
}

fn read_alone(item: &Place<'_>, currency: Option<Currency>) -> Result<ResourceRecord, Misfit> {
    let id = field(item, "id").required()?;
    let name = product_of(item)?;
    let is_payg = field(item, "isPayg").truth()? == Some(true);
    let (product, billing) = match &name {
        Some(name) if is_payg => (name.as_str(), Billing::PayAsYouGo),
        None if is_payg => ("payg", Billing::PayAsYouGo),
        _ => (CREDITS, Billing::CommittedUse),
    };
    let mut record = ResourceRecord::new(PROVIDER, &id, product, billing, status_of(item)?);
    record.starts_at = instant(item, "timeStart")?;
    record.ends_at = instant(item, "timeEnd")?;
    record.region = field(item, "dataCenterRegion").text()?;
    record.quantity = field(item, "quantity").decimal()?;
    let terms = CommitmentRecord { term_months: months_of(item)?, currency, ..CommitmentRecord::default() };
    let says_something = terms != CommitmentRecord::default();
    record.commitment = (billing == Billing::CommittedUse && says_something).then_some(terms);
    if let Some(left) = field(item, "availableAmount").decimal()? {
        record.facts.figures.push((Figure::RemainingBalance, left));
    }
    record.name = name;
    Ok(record)
}

fn instant(item: &Place<'_>, name: &str) -> Result<Option<Instant>, Misfit> {
    field(item, name).instant(Zone::UTC)
}

/// The product's name, as a text or inside an object.
fn product_of(item: &Place<'_>) -> Result<Option<String>, Misfit> {
    let product = field(item, "product");
    if matches!(product.value, Some(Value::Object(_))) { field(&product, "name").text() } else { product.text() }
}

/// A commitment that stands alone has no status: its dates say the rest.
fn status_of(item: &Place<'_>) -> Result<Status, Misfit> {
    let place = field(item, "status");
    let Some(status) = place.text()? else { return Ok(Status::Active) };
    match status.to_ascii_lowercase().replace([' ', '-'], "_").as_str() {
        "active" | "pending_termination" => Ok(Status::Active),
        "expired" | "inactive" | "closed" => Ok(Status::Expired),
        "terminated" | "superseded" | "cancelled" | "canceled" => Ok(Status::Released),
        "pending" | "draft" | "signed" | "initialized" | "provisioning" => Ok(Status::Pending),
        "hold" | "suspended" => Ok(Status::Frozen),
        _ => Err(misfit(&place, "a status such as ACTIVE, EXPIRED or TERMINATED")),
    }
}

/// The term in months, where its unit is one of months or years.
fn months_of(item: &Place<'_>) -> Result<Option<u32>, Misfit> {
    let place = field(item, "termValue");
    let Some(value) = place.whole()? else { return Ok(None) };
    let count = u32::try_from(value).map_err(|_| misfit(&place, "a number of months"))?;
    let unit = item.any(&["termValueUOM", "termValueUom", "term_value_uom", "term-value-uom", "term-value-u-o-m"]);
    match unit.text()?.unwrap_or_default().to_ascii_lowercase().as_str() {
        "" | "mon" | "month" | "months" | "mth" => Ok(Some(count)),
        "yr" | "year" | "years" => Ok(count.checked_mul(12)),
        _ => Ok(None),
    }
}

/// Adds a resource; one that is there already is filled up, not doubled.
fn join(resources: &mut Vec<ResourceRecord>, record: ResourceRecord) {
    let Some(known) = resources.iter_mut().find(|known| known.id == record.id) else {
        resources.push(record);
        return;
    };
    known.name = known.name.take().or(record.name);
    known.region = known.region.take().or(record.region);
    known.starts_at = known.starts_at.or(record.starts_at);
    known.ends_at = known.ends_at.or(record.ends_at);
    known.quantity = known.quantity.or(record.quantity);
    known.commitment = known.commitment.take().or(record.commitment);
    if known.facts.figures.is_empty() {
        known.facts.figures = record.facts.figures;
    }
}
