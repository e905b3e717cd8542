//! Fields as AWS spells and types them.

use recoup_core::import::{Misfit, Place};
use recoup_core::money::{Amount, Currency, Exact, Number};
use recoup_core::record::{CommitmentRecord, OrderRecord, ResourceRecord};
use recoup_core::resource::{Payment, Term};
use recoup_core::time::{Instant, Zone};
use recoup_core::vocab::{Instrument, OrderKind, OrderStatus, PaymentOption, Status, TermUnit};
use serde_json::Value;

const MICRO_UNITS: i128 = 1_000_000_000_000;
const SECONDS_A_YEAR: i64 = 31_536_000;
const MONTHS_A_YEAR: u32 = 12;

/// A field in the spelling of the CLI or of the models, which differ in the first letter.
pub(super) fn get<'v>(place: &Place<'v>, name: &str) -> Place<'v> {
    let mut letters = name.chars();
    let other = match letters.next() {
        Some(first) if first.is_uppercase() => format!("{}{}", first.to_lowercase(), letters.as_str()),
        Some(first) => format!("{}{}", first.to_uppercase(), letters.as_str()),
        None => String::new(),
    };
    place.any(&[name, &other])
}

/// An instant: a text, or seconds since 1970 as some models have it.
pub(super) fn instant(place: &Place<'_>) -> Result<Option<Instant>, Misfit> {
    if !matches!(place.value, Some(Value::Number(_))) {
        return place.instant(Zone::UTC);
    }
    let seconds: Option<Number> = place.decimal()?;
    Ok(seconds.and_then(|seconds| i64::try_from(seconds.units() / MICRO_UNITS).ok()).map(Instant::from_micros))
}

/// A currency code.
pub(super) fn currency(place: &Place<'_>) -> Result<Option<Currency>, Misfit> {
    match place.text()? {
        None => Ok(None),
        Some(text) => match text.parse() {
            Ok(currency) => Ok(Some(currency)),
            Err(_) => Err(other(place, "a currency code such as USD", text)),
        },
    }
}

/// What stands in a place instead of what was expected.
pub(super) fn other(place: &Place<'_>, expected: &'static str, found: String) -> Misfit {
    Misfit { path: place.path.clone(), expected, found }
}

/// The state of a purchase (section 3).
pub(super) fn status(place: &Place<'_>) -> Result<Status, Misfit> {
    let state = place.required()?;
    match state.to_ascii_lowercase().as_str() {
        "payment-pending" | "pending" | "assessing" | "creating" => Ok(Status::Pending),
        "queued" | "scheduled" | "delayed" => Ok(Status::Queued),
        "active" | "exchanging" | "inservice" | "updating" => Ok(Status::Active),
        "payment-failed" | "failed" | "unsupported" => Ok(Status::Failed),
        "retired" | "expired" => Ok(Status::Expired),
        "queued-deleted" | "pending-return" | "returned" | "cancelling" | "cancelled" => Ok(Status::Released),
        "unavailable" => Ok(Status::Frozen),
        _ => Err(other(place, "a state such as active, queued or retired", state)),
    }
}

/// A payment option in any of its spellings; utilization types of old are none of these.
pub(super) fn payment_option(place: &Place<'_>) -> Result<Option<PaymentOption>, Misfit> {
    let Some(text) = place.text()? else { return Ok(None) };
    let letters: String = text.chars().filter(char::is_ascii_alphabetic).collect();
    Ok(match letters.to_ascii_lowercase().as_str() {
        "allupfront" => Some(PaymentOption::AllUpfront),
        "partialupfront" => Some(PaymentOption::PartialUpfront),
        "noupfront" => Some(PaymentOption::NoUpfront),
        _ => None,
    })
}

/// The term in months, of a duration of whole years in seconds.
pub(super) fn term_months(place: &Place<'_>) -> Result<Option<u32>, Misfit> {
    let seconds = place.whole()?;
    Ok(seconds
        .filter(|seconds| seconds % SECONDS_A_YEAR == 0)
        .and_then(|seconds| u32::try_from(seconds / SECONDS_A_YEAR).ok())
        .and_then(|years| years.checked_mul(MONTHS_A_YEAR)))
}

/// The hourly charge among recurring charges, in either family of names; nothing charged counts as zero
/// where the list is there and empty.
pub(super) fn hourly_charge(item: &Place<'_>) -> Result<Option<Amount>, Misfit> {
    let charges = get(item, "RecurringCharges");
    if charges.value.is_none() {
        return Ok(None);
    }
    let mut sum = Amount::ZERO;
    for charge in charges.items()? {
        let frequency = charge.any(&["Frequency", "frequency", "RecurringChargeFrequency"]);
        if frequency.required()? != "Hourly" {
            return Err(other(&frequency, "Hourly", frequency.required()?));
        }
        let amount: Option<Amount> = charge.any(&["Amount", "amount", "RecurringChargeAmount"]).decimal()?;
        sum += amount.unwrap_or_default();
    }
    Ok(Some(sum))
}

/// A price for each of so many.
pub(super) fn times(price: Option<Amount>, count: Option<i64>) -> Option<Amount> {
    Some(Exact::from(price?).times(count?).to_amount())
}

/// Tags as a list of pairs or as a map.
pub(super) fn tags(item: &Place<'_>) -> Result<Vec<(String, String)>, Misfit> {
    let place = item.any(&["Tags", "tags", "TagSet", "tagSet"]);
    if let Some(Value::Object(map)) = place.value {
        let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        return Ok(map.iter().map(|(name, value)| (name.clone(), text(value))).collect());
    }
    let mut tags = Vec::new();
    for tag in place.items()? {
        tags.push((get(&tag, "Key").required()?, get(&tag, "Value").text()?.unwrap_or_default()));
    }
    Ok(tags)
}

/// What an Amazon Resource Name says: site, Region and account.
pub(super) fn arn(record: &mut ResourceRecord, arn: Option<&str>) {
    let mut parts = arn.unwrap_or_default().split(':');
    let (Some("arn"), Some(partition)) = (parts.next(), parts.next()) else { return };
    let filled = |part: Option<&str>| part.filter(|part| !part.is_empty()).map(str::to_owned);
    let (region, account) = (filled(parts.nth(1)), filled(parts.next()));
    record.site = Some(if partition == "aws-cn" { "cn" } else { "intl" }.to_owned());
    record.region = record.region.take().or(region);
    record.account = record.account.take().or(account);
}

/// The Region of an Availability Zone: up to its number.
pub(super) fn region_of(zone: &str) -> Option<String> {
    let mut region = Vec::new();
    for part in zone.split('-') {
        let digits = part.trim_end_matches(|c: char| c.is_ascii_lowercase());
        if !digits.is_empty() && digits.chars().all(|c| c.is_ascii_digit()) {
            region.push(digits);
            return Some(region.join("-"));
        }
        region.push(part);
    }
    None
}

/// The site of a Region, where it shows it.
pub(super) fn site_of(record: &mut ResourceRecord) {
    if record.site.is_none() && record.region.as_deref().is_some_and(|region| region.starts_with("cn-")) {
        record.site = Some("cn".to_owned());
    }
}

/// The one order that a record of a purchase stands for: its upfront price, billed to the invoice of
/// the account. Unknown where the upfront price is, or where nothing shows whether it was paid.
pub(super) fn purchase(record: &ResourceRecord, paid: Option<OrderStatus>) -> Option<Vec<OrderRecord>> {
    let commitment: &CommitmentRecord = record.commitment.as_ref()?;
    let (upfront, paid) = (commitment.upfront?, paid?);
    let payment = Payment { instrument: Instrument::Credit, amount: upfront, expires_at: None };
    let payments = match paid {
        OrderStatus::Paid | OrderStatus::Refunded => Some(if upfront.is_zero() { Vec::new() } else { vec![payment] }),
        OrderStatus::Unpaid | OrderStatus::Cancelled => None,
    };
    Some(vec![OrderRecord {
        starts_at: record.starts_at,
        ends_at: record.ends_at,
        term: commitment.term_months.map(|count| Term { unit: TermUnit::Month, count }),
        quantity: record.quantity,
        currency: commitment.currency,
        due: Some(upfront),
        payments,
        ..OrderRecord::new(OrderKind::Purchase, paid)
    }])
}

/// Whether a purchase in a state was paid, where the state shows it. A reservation that is retired may
/// never have been (`aws.ri.retired-means-unpaid`).
pub(super) fn paid(status: Status) -> Option<OrderStatus> {
    match status {
        Status::Active => Some(OrderStatus::Paid),
        Status::Pending | Status::Queued | Status::Failed => Some(OrderStatus::Unpaid),
        Status::Expired | Status::Frozen | Status::Released => None,
    }
}
