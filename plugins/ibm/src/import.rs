//! Readers of what IBM's APIs print: VPC reservations (also as the command line prints them), the
//! billing options and credit pools of Enterprise Billing Units, the subscriptions of Usage Reports.

use recoup_core::fact::{Figure, Flag};
use recoup_core::import::{ImportFile, Imported, Misfit, Place, distinct};
use recoup_core::record::{CommitmentRecord, ResourceRecord};
use recoup_core::time::Zone;
use recoup_core::vocab::{Billing, Status};
use serde_json::Value;

const PROVIDER: &str = "ibm";

/// What a file lists, and the field under which it does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Listing {
    Reservations,
    BillingOptions,
    CreditPools,
    Subscriptions,
}

impl Listing {
    /// Whether an element has this listing's distinctive fields.
    fn is_one(self, item: &Value) -> bool {
        let has = |name: &str| item.get(name).is_some();
        match self {
            Self::Reservations => has("committed_use") && has("capacity") && has("profile"),
            Self::BillingOptions => has("billing_unit_id") && (has("renewal_mode_code") || has("duration_in_months")),
            Self::CreditPools => has("term_credits") && has("currency_code"),
            Self::Subscriptions => has("subscription_id") && has("charge_agreement_number"),
        }
    }

    /// Whether any element is of this listing: a broken one beside it is reported, not hidden.
    fn is_among(self, items: &[Place<'_>]) -> bool {
        items.iter().any(|item| item.value.is_some_and(|value| self.is_one(value)))
    }
}

/// The elements of a file and what they are.
fn listing<'a>(file: &ImportFile<'a>) -> Option<(Listing, Vec<Place<'a>>)> {
    let root = Place::root(file.json?);
    let lists = [
        (Listing::Reservations, root.get("reservations")),
        (Listing::BillingOptions, root.get("resources")),
        (Listing::CreditPools, root.get("resources")),
        (Listing::Subscriptions, root.get("subscription").get("subscriptions")),
        (Listing::Subscriptions, root.get("subscriptions")),
    ];
    for (kind, place) in lists {
        let Ok(items) = place.items() else { continue };
        // An empty page of reservations is told by the fields around it.
        let around = ["reservations", "total_count", "first"].iter().all(|name| root.has(name));
        if kind.is_among(&items) || (kind == Listing::Reservations && items.is_empty() && around) {
            return Some((kind, items));
        }
    }
    // One reservation, or the bare array that the command line prints.
    let items = match root.value? {
        Value::Array(_) => root.items().ok()?,
        _ => vec![root],
    };
    Listing::Reservations.is_among(&items).then_some((Listing::Reservations, items))
}

pub(crate) fn recognises(file: &ImportFile<'_>) -> bool {
    listing(file).is_some()
}

pub(crate) fn import(files: &[ImportFile<'_>]) -> Imported {
    let mut out = Imported::default();
    let mut listings: Vec<Pages<'_, '_>> = Vec::new();
    for file in distinct(files) {
        let Some((kind, items)) = listing(file) else { continue };
        if kind == Listing::Reservations {
            Pages::count(&mut listings, file, items.len());
        }
        for item in items.iter().filter(|_| kind != Listing::CreditPools) {
            let read = match kind {
                Listing::Reservations => reservation(item),
                Listing::BillingOptions => billing_option(item),
                Listing::Subscriptions | Listing::CreditPools => subscription(item),
            };
            match read {
                Ok(Read::Resource(record)) => add(&mut out, *record),
                Ok(Read::LeftOut(why)) => out.remark(file, item.path.clone(), why),
                Err(misfit) => fault(&mut out, file, &misfit),
            }
        }
    }
    for Pages { total, seen, last, .. } in listings.iter().filter(|one| one.is_truncated()) {
        let total = total.map_or_else(|| "more".to_owned(), |total| total.to_string());
        let what = format!("the listing is truncated: {seen} of {total} are here; add the other pages");
        out.error(last, "reservations", what);
    }
    for file in files {
        let Some((Listing::CreditPools, pools)) = listing(file) else { continue };
        for pool in &pools {
            if let Err(misfit) = credit(&mut out, file, pool) {
                fault(&mut out, file, &misfit);
            }
        }
    }
    out
}

/// What became of an element.
enum Read {
    Resource(Box<ResourceRecord>),
    LeftOut(&'static str),
}

fn fault(out: &mut Imported, file: &ImportFile<'_>, misfit: &Misfit) {
    out.error(file, misfit.path.clone(), format!("expected {}, found {}", misfit.expected, misfit.found));
}

/// The same resource on two pages is one.
fn add(out: &mut Imported, record: ResourceRecord) {
    if !out.resources.iter().any(|other| other.id == record.id && other.product == record.product) {
        out.resources.push(record);
    }
}

/// The pages of one listing of reservations: each region has its own.
struct Pages<'f, 'v> {
    first: Option<String>,
    total: Option<i64>,
    seen: i64,
    open: i64,
    last: &'f ImportFile<'v>,
}

impl<'f, 'v> Pages<'f, 'v> {
    fn count(listings: &mut Vec<Self>, file: &'f ImportFile<'v>, items: usize) {
        let Some(root) = file.json.map(Place::root) else { return };
        let first = root.get("first").get("href").text().ok().flatten();
        let total = root.get("total_count").whole().ok().flatten();
        let index = listings.iter().position(|one| one.first == first && one.total == total).unwrap_or_else(|| {
            listings.push(Self { first, total, seen: 0, open: 0, last: file });
            listings.len() - 1
        });
        if let Some(one) = listings.get_mut(index) {
            one.seen += i64::try_from(items).unwrap_or(0);
            one.open += if root.has("next") { 1 } else { -1 };
            one.last = file;
        }
    }

    /// Whether elements are missing: by their number where that is told, else by a last page.
    fn is_truncated(&self) -> bool {
        self.total.map_or(self.open > 0, |total| self.seen < total)
    }
}

fn word<T: Copy>(place: &Place<'_>, words: &[(&str, T)], expected: &'static str) -> Result<Option<T>, Misfit> {
    let Some(text) = place.text()? else { return Ok(None) };
    let found = words.iter().find(|(word, _)| word.eq_ignore_ascii_case(&text)).map(|(_, value)| *value);
    found.map(Some).ok_or_else(|| Misfit { path: place.path.clone(), expected, found: text })
}

fn needed<T>(place: &Place<'_>, value: Option<T>, expected: &'static str) -> Result<T, Misfit> {
    value.ok_or_else(|| Misfit { path: place.path.clone(), expected, found: "nothing".to_owned() })
}

/// A reservation of the VPC API.
fn reservation(item: &Place<'_>) -> Result<Read, Misfit> {
    if !item.has("id") && !item.has("status") && item.has("committed_use") {
        return Ok(Read::LeftOut("a request to create a reservation: nothing was bought yet"));
    }
    const STATUS: &str = "one of inactive, activating, active, deactivating, expired, failed";
    let place = item.get("status");
    let status = word(
        &place,
        &[
            ("inactive", Status::Queued),
            ("activating", Status::Pending),
            ("active", Status::Active),
            ("deactivating", Status::Released),
            ("expired", Status::Expired),
            ("failed", Status::Failed),
        ],
        STATUS,
    )?;
    let status = needed(&place, status, STATUS)?;
    let id = item.get("id").required()?;
    let mut record = ResourceRecord::new(PROVIDER, &id, "is.reservation", Billing::Reservation, status);
    record.name = item.get("name").text()?;
    record.account = item.get("crn").text()?.as_deref().and_then(account_of).map(str::to_owned);
    record.project = item.get("resource_group").get("id").text()?;
    record.region = item.get("zone").get("name").text()?.as_deref().map(region_of).map(str::to_owned);
    record.purchased_at = item.get("created_at").instant(Zone::UTC)?;
    record.quantity = item.get("capacity").get("total").decimal()?;
    let term = item.get("committed_use");
    record.ends_at = term.get("expiration_at").instant(Zone::UTC)?;
    record.commitment = Some(CommitmentRecord {
        term_months: word(&term.get("term"), &[("one_year", 12), ("three_year", 36)], "one_year or three_year")?,
        ..CommitmentRecord::default()
    });
    let renews = word(&term.get("expiration_policy"), &[("renew", true), ("release", false)], "release or renew")?;
    if let Some(renews) = renews {
        record.facts.flags.set(Flag::AutoRenew, renews);
    }
    Ok(Read::Resource(Box::new(record)))
}

/// The account in a cloud resource name.
fn account_of(crn: &str) -> Option<&str> {
    crn.split(':').find_map(|part| part.strip_prefix("a/"))
}

/// The region of a zone such as `us-south-1`.
fn region_of(zone: &str) -> &str {
    match zone.rsplit_once('-') {
        Some((region, number)) if !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()) => region,
        _ => zone,
    }
}

/// A billing option of Enterprise Billing Units.
fn billing_option(item: &Place<'_>) -> Result<Read, Misfit> {
    if item.get("type").text()?.is_some_and(|kind| kind.eq_ignore_ascii_case("OFFER")) {
        return Ok(Read::LeftOut("an offer, which is no subscription"));
    }
    let category = item.get("category").text()?.unwrap_or_default();
    let (product, billing) = match category.to_ascii_uppercase().as_str() {
        "PLATFORM" => ("platform-subscription", Billing::Subscription),
        "SUPPORT" => ("support-subscription", Billing::SupportPlan),
        _ => return Ok(Read::LeftOut("a category that no published rule names, expected PLATFORM or SUPPORT")),
    };
    const STATE: &str = "one of ACTIVE, SUSPENDED, CANCELED";
    let place = item.get("state");
    let states = [("ACTIVE", Status::Active), ("SUSPENDED", Status::Frozen), ("CANCELED", Status::Released)];
    let state = needed(&place, word(&place, &states, STATE)?, STATE)?;
    let mut record = ResourceRecord::new(PROVIDER, &item.get("id").required()?, product, billing, state);
    record.project = item.get("billing_unit_id").text()?;
    record.starts_at = item.get("start_date").instant(Zone::UTC)?;
    record.ends_at = item.get("end_date").instant(Zone::UTC)?;
    let months = item.get("duration_in_months").whole()?.and_then(|months| u32::try_from(months).ok());
    record.commitment = Some(CommitmentRecord { term_months: months, ..CommitmentRecord::default() });
    Ok(Read::Resource(Box::new(record)))
}

/// A subscription of Usage Reports. That it is listed is all that is said of its state.
fn subscription(item: &Place<'_>) -> Result<Read, Misfit> {
    let kind = item.get("type").text()?.unwrap_or_default().to_ascii_uppercase();
    let (product, billing) = if kind.contains("SUPPORT") {
        ("support-subscription", Billing::SupportPlan)
    } else {
        ("platform-subscription", Billing::Subscription)
    };
    let id = item.get("subscription_id").required()?;
    let mut record = ResourceRecord::new(PROVIDER, &id, product, billing, Status::Active);
    record.starts_at = item.get("start").instant(Zone::UTC)?;
    record.ends_at = item.get("end").instant(Zone::UTC)?;
    Ok(Read::Resource(Box::new(record)))
}

/// The credit that is left of billing options.
fn credit(out: &mut Imported, file: &ImportFile<'_>, pool: &Place<'_>) -> Result<(), Misfit> {
    let place = pool.get("currency_code");
    let currency = match place.text()? {
        Some(code) => Some(code.parse().map_err(|_| Misfit {
            path: place.path.clone(),
            expected: "a currency code",
            found: code,
        })?),
        None => None,
    };
    for term in pool.get("term_credits").items()? {
        let id = term.get("billing_option_id").required()?;
        let balance = term.get("current_balance").decimal()?;
        match out.resources.iter_mut().find(|record| record.id == id) {
            Some(record) => {
                record.commitment.get_or_insert_with(CommitmentRecord::default).currency = currency;
                if let Some(balance) = balance
                    && record.facts.figure(Figure::RemainingBalance).is_none()
                {
                    record.facts.figures.push((Figure::RemainingBalance, balance));
                }
            }
            None => out.remark(file, term.path, format!("credit of {id:?}, whose billing option is in no file")),
        }
    }
    Ok(())
}
