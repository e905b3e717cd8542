//! The subscription resource.

use recoup_core::fact::{Flag, Moment};
use recoup_core::import::{ImportFile, Imported, Misfit, Place};
use recoup_core::record::{CommitmentRecord, ResourceRecord};
use recoup_core::stated::Statement;
use recoup_core::time::{Instant, Zone};
use recoup_core::vocab::{Billing, Exit, PaymentOption, Seller, Status};
use serde_json::Value;

use super::{PROVIDER, field};

/// What beginnings of offers say where a resource does not name its product type: software of
/// Microsoft, and online services of the New Commerce catalogue.
const SOFTWARE_OFFERS: &str = "DG7GMGF0";
const ONLINE_SERVICE_OFFERS: &str = "CFQ7TTC0";

/// Reads a subscription.
pub(super) fn read(file: &ImportFile<'_>, item: &Place<'_>, out: &mut Imported) -> Result<ResourceRecord, Misfit> {
    let id = field(item, "id").required()?;
    let (product, billing) = product_of(item)?;
    let status = status_of(item, product)?;
    let mut record = ResourceRecord::new(PROVIDER, &id, product, billing, status);
    record.name = field(item, "friendlyName").text()?.or(field(item, "offerName").text()?);
    record.account = customer_of(item)?;
    record.seller = (product == "marketplace-saas").then_some(Seller::Marketplace);
    record.starts_at = field(item, "effectiveStartDate").instant(Zone::UTC)?;
    record.purchased_at = field(item, "creationDate").instant(Zone::UTC)?.or(record.starts_at);
    record.ends_at = field(item, "commitmentEndDate").instant(Zone::UTC)?;
    record.quantity = field(item, "quantity").decimal()?;
    record.primary = field(item, "parentSubscriptionId").text()?;
    record.commitment = commitment_of(item)?;
    if let Some(renews) = field(item, "autoRenewEnabled").truth()? {
        record.facts.flags.set(Flag::AutoRenew, renews);
    }
    let cancellable = cancellable_until(item, product)?;
    statement(item, product, &cancellable).into_iter().for_each(|statement| record.state(statement));
    match cancellable {
        Cancellable::Unknown => {}
        Cancellable::Never => {
            record.facts.flags.set(Flag::RefundNotSupported, true);
            if field(&field(item, "refundableQuantity"), "totalQuantity").whole()?.is_some_and(|seats| seats > 0) {
                let what = "the subscription cannot be cancelled, but seats that were added still can: \
                            give their orders to have them ruled on";
                out.remark(file, field(item, "refundableQuantity").path, what);
            }
        }
        Cancellable::Until(end) => {
            record.facts.flags.set(Flag::RefundNotSupported, false);
            record.facts.moments.push((Moment::ReturnableUntil, end));
        }
    }
    Ok(record)
}

/// The API's own answer, beside the window that the rules count.
fn statement(item: &Place<'_>, product: &str, cancellable: &Cancellable) -> Option<Statement> {
    let by = if field(item, "cancellationAllowedUntilDate").value.is_some()
        || is_null(item, &["cancellationAllowedUntilDate", "CancellationAllowedUntilDate"])
    {
        "cancellationAllowedUntilDate"
    } else {
        "refundOptions"
    };
    let exit = Some(if product == "marketplace-saas" { Exit::Marketplace } else { Exit::InUse });
    match cancellable {
        Cancellable::Unknown => None,
        Cancellable::Never => Some(Statement { exit, allowed: Some(false), ..Statement::by(by) }),
        Cancellable::Until(end) => Some(Statement { exit, until: Some(*end), ..Statement::by(by) }),
    }
}

fn misfit(place: &Place<'_>, expected: &'static str) -> Misfit {
    let found = place.value.map_or_else(|| "nothing".to_owned(), |value| value.to_string().chars().take(60).collect());
    Misfit { path: place.path.clone(), expected, found }
}

/// Which of the page's products it is: by how it is billed, who published it and the product type,
/// else by the form of the offer's id. Legacy offers have a GUID.
fn product_of(item: &Place<'_>) -> Result<(&'static str, Billing), Misfit> {
    let billed = field(item, "billingType").text()?.unwrap_or_default().to_lowercase();
    let kind_place = field(&field(item, "productType"), "id");
    let kind = kind_place.text()?.unwrap_or_default().to_lowercase();
    let offer_place = field(item, "offerId");
    let offer = offer_place.text()?.unwrap_or_default();
    let is_trial = field(item, "isTrial").truth()? == Some(true);
    let or_trial = |billing| if is_trial { Billing::Trial } else { billing };
    if billed == "usage" {
        return Ok(("azure-plan", Billing::PayAsYouGo));
    }
    if field(item, "isMicrosoftProduct").truth()? == Some(false) || kind == "saas" {
        return Ok(("marketplace-saas", or_trial(Billing::Subscription)));
    }
    let is_guid = offer.len() == 36 && offer.bytes().filter(|byte| *byte == b'-').count() == 4;
    match kind.as_str() {
        "software" => Ok(("software-subscription", or_trial(Billing::Subscription))),
        "onlineservicesnce" => Ok(("nce-license", or_trial(Billing::License))),
        _ if is_guid => Ok(("legacy-license", or_trial(Billing::License))),
        _ if offer.starts_with(SOFTWARE_OFFERS) => Ok(("software-subscription", or_trial(Billing::Subscription))),
        _ if offer.starts_with(ONLINE_SERVICE_OFFERS) => Ok(("nce-license", or_trial(Billing::License))),
        "" => Err(misfit(&offer_place, "the offer of a licence, of software or of third-party SaaS")),
        _ => Err(misfit(&kind_place, "a product type of a licence, of software or of third-party SaaS")),
    }
}

/// Suspending a legacy licence ends it; suspending anything else does not stop its billing.
fn status_of(item: &Place<'_>, product: &str) -> Result<Status, Misfit> {
    let place = field(item, "status");
    match place.required()?.to_lowercase().as_str() {
        "active" => Ok(Status::Active),
        "none" | "pending" => Ok(Status::Pending),
        "suspended" if product == "legacy-license" => Ok(Status::Released),
        "suspended" | "disabled" => Ok(Status::Frozen),
        "deleted" => Ok(Status::Released),
        "expired" => Ok(Status::Expired),
        _ => Err(misfit(&place, "one of none, active, pending, suspended, deleted, expired, disabled")),
    }
}

/// The customer, out of the link to the resource itself.
fn customer_of(item: &Place<'_>) -> Result<Option<String>, Misfit> {
    let link = field(&field(&field(item, "links"), "self"), "uri").text()?;
    Ok(link.and_then(|link| {
        let mut parts = link.split('/').skip_while(|part| *part != "customers");
        parts.nth(1).filter(|customer| !customer.is_empty()).map(str::to_owned)
    }))
}

/// Term and billing cycle. A cycle as long as the term is paid at once; one of a year in a longer term
/// has no word in the formats.
fn commitment_of(item: &Place<'_>) -> Result<Option<CommitmentRecord>, Misfit> {
    let (term, cycle) = (field(item, "termDuration"), field(item, "billingCycle"));
    let term_months = match term.text()? {
        None => None,
        Some(text) => Some(months_of(&text).ok_or_else(|| misfit(&term, "a term such as P1M, P1Y or P3Y"))?),
    };
    let payment_option = match cycle.text()?.unwrap_or_default().to_lowercase().as_str() {
        "monthly" => Some(PaymentOption::Monthly),
        "annual" if term_months.is_none_or(|months| months <= 12) => Some(PaymentOption::AllUpfront),
        "triennial" | "one_time" | "onetime" => Some(PaymentOption::AllUpfront),
        _ => None,
    };
    let known = term_months.is_some() || payment_option.is_some();
    Ok(known.then(|| CommitmentRecord { term_months, payment_option, ..CommitmentRecord::default() }))
}

fn months_of(term: &str) -> Option<u32> {
    let period = term.strip_prefix('P')?;
    match period.strip_suffix('Y') {
        Some(years) => years.parse::<u32>().ok()?.checked_mul(12),
        None => period.strip_suffix('M')?.parse().ok(),
    }
}

/// What the API says of the time until which the subscription can be cancelled.
enum Cancellable {
    /// Nothing.
    Unknown,
    /// A null: never.
    Never,
    /// Before this instant.
    Until(Instant),
}

/// `cancellationAllowedUntilDate`, else the last of the refund options; third-party SaaS comes back in
/// full only. A field that is there and null says never.
fn cancellable_until(item: &Place<'_>, product: &str) -> Result<Cancellable, Misfit> {
    let date = field(item, "cancellationAllowedUntilDate");
    if let Some(end) = date.instant(Zone::UTC)? {
        return Ok(Cancellable::Until(end));
    }
    if is_null(item, &["cancellationAllowedUntilDate", "CancellationAllowedUntilDate"]) {
        return Ok(Cancellable::Never);
    }
    let mut latest = None;
    let mut never = false;
    for option in field(item, "refundOptions").items()? {
        let kind = field(&option, "type").text()?.unwrap_or_default().to_lowercase();
        if product == "marketplace-saas" && kind != "full" {
            continue;
        }
        let end = field(&option, "expiresAt").instant(Zone::UTC)?;
        never |= end.is_none() && is_null(&option, &["expiresAt", "ExpiresAt"]);
        latest = latest.max(end);
    }
    Ok(match latest {
        Some(end) => Cancellable::Until(end),
        None if never => Cancellable::Never,
        None => Cancellable::Unknown,
    })
}

/// Whether a field is there and null, which is not the same as absent.
fn is_null(place: &Place<'_>, names: &[&str]) -> bool {
    names.iter().any(|name| place.value.and_then(|value| value.get(*name)).is_some_and(Value::is_null))
}
