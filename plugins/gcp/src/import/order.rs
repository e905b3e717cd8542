//! Orders of the Consumer Procurement API: spend-based commitments and Marketplace purchases.

use recoup_core::adapter::Rules;
use recoup_core::fact::Flag;
use recoup_core::import::{ImportFile, Imported, Misfit, Place};
use recoup_core::money::Number;
use recoup_core::policy::Key;
use recoup_core::record::{CommitmentRecord, ResourceRecord};
use recoup_core::time::Zone;
use recoup_core::vocab::{Billing, Seller, Status};

use super::{PROVIDER, behind, last_part};
use crate::Gcp;

/// The parameter that only offers of spend-based commitments have.
const HOURLY_COMMIT: &str = "hourly_commit";
/// The wall clock of commitments.
const PACIFIC: &str = "America/Los_Angeles";

/// The published offers of spend-based commitments, with their terms in months.
#[derive(Debug, Default)]
pub(super) struct Offers(Vec<(String, u32)>);

impl Offers {
    /// The offers that the policy lists.
    pub(super) fn published() -> Self {
        let tables = Rules::<Gcp>::policy().map(|policy| policy.tables).unwrap_or_default();
        let rows = tables.into_iter().filter(|table| table.id == "spend_offers").flat_map(|table| table.rows);
        Self(
            rows.filter_map(|row| match row.key.first() {
                Some(Key::Word(offer)) => Some((offer.clone(), u32::try_from(row.value.as_whole()?).ok()?)),
                _ => None,
            })
            .collect(),
        )
    }

    fn months(&self, offer: &str) -> Option<u32> {
        self.0.iter().find(|(known, _)| known == offer).map(|(_, months)| *months)
    }
}

/// Reads an order: one resource for each line, cancelled ones included.
pub(super) fn read(
    file: &ImportFile<'_>,
    item: &Place<'_>,
    offers: &Offers,
    out: &mut Imported,
) -> Result<Vec<ResourceRecord>, Misfit> {
    let name = item.get("name").required()?;
    let lines = item.get("lineItems").items()?;
    let gone = item.get("cancelledLineItems").items()?;
    let is_alone = lines.len() + gone.len() == 1;
    let mut records = Vec::new();
    for (line, is_gone) in lines.iter().map(|line| (line, false)).chain(gone.iter().map(|line| (line, true))) {
        match read_line(item, offers, &name, line, is_gone, is_alone) {
            Ok(record) => records.push(record),
            Err(misfit) => out.error(file, misfit.path.clone(), misfit.to_string()),
        }
    }
    Ok(records)
}

fn read_line(
    order: &Place<'_>,
    offers: &Offers,
    name: &str,
    line: &Place<'_>,
    is_gone: bool,
    is_alone: bool,
) -> Result<ResourceRecord, Misfit> {
    let order_id = last_part(name);
    let id = if is_alone { order_id.to_owned() } else { format!("{order_id}/{}", line.get("lineItemId").required()?) };
    let info = line.get("lineItemInfo");
    let change = line.get("pendingChange");
    // A line that is not there yet has its offer in the change that is to create it.
    let info = if info.value.is_some() { info } else { change.get("newLineItemInfo") };
    let offer = info.get("offer").text()?.unwrap_or_default();
    let service = behind(&offer, "services");
    let hourly = parameter(&info, HOURLY_COMMIT)?;
    let title = order.get("displayName").text()?;
    let published = offers.months(&offer);
    let is_commitment = hourly.is_some() || published.is_some();
    let product = service.or_else(|| title.clone()).unwrap_or_else(|| offer.clone());
    let billing = if is_commitment { Billing::CommittedUse } else { Billing::Subscription };
    let changes = change.get("changeState").text()?.unwrap_or_default();
    let status = if is_gone { status_of_gone(line)? } else { status_of_line(line, &change, &changes)? };
    let mut record = ResourceRecord::new(PROVIDER, &id, &product, billing, status);
    record.account = behind(name, "billingAccounts");
    record.name = title;
    record.purchased_at = order.get("createTime").instant(Zone::UTC)?;
    let subscription = info.get("subscription");
    record.starts_at = subscription.get("startTime").instant(Zone::UTC)?;
    record.ends_at = subscription.get("endTime").instant(Zone::UTC)?;
    if let Some(renews) = subscription.get("autoRenewalEnabled").truth()? {
        record.facts.flags.set(Flag::AutoRenew, renews);
    }
    if is_commitment {
        // Commitments begin and end at midnight Pacific.
        let zone = PACIFIC.parse().unwrap_or(Zone::UTC);
        let dates = record.starts_at.zip(record.ends_at);
        let by_dates = dates.and_then(|(start, end)| u32::try_from(zone.months_between(start, end)).ok());
        let term_months = published.or(by_dates.filter(|months| *months > 0));
        record.region = text_parameter(&info, "region")?;
        record.commitment = Some(CommitmentRecord { term_months, hourly, ..CommitmentRecord::default() });
    } else {
        record.seller = Some(Seller::Marketplace);
        if offer.contains("/privateOffers/") || offer.contains("/standardOffers/") {
            record.facts.flags.set(Flag::PrivateOffer, offer.contains("/privateOffers/"));
        }
        if !is_gone {
            record.facts.flags.set(Flag::TransactionInProgress, changes.ends_with("ACTIVATING"));
        }
    }
    Ok(record)
}

/// A line whose creation is not completed is not accepted yet; any other is in force.
fn status_of_line(line: &Place<'_>, change: &Place<'_>, state: &str) -> Result<Status, Misfit> {
    let is_creation = change.get("changeType").text()?.is_some_and(|kind| kind.ends_with("CREATE"));
    let is_open = ["PENDING_APPROVAL", "APPROVED", "ACTIVATING"].iter().any(|open| state.ends_with(open));
    let is_there = line.get("lineItemInfo").has("offer");
    Ok(if is_open && (is_creation || !is_there) { Status::Pending } else { Status::Active })
}

/// A cancelled line, by the reason of its last change: expired, else cancelled by the user or the system.
fn status_of_gone(line: &Place<'_>) -> Result<Status, Misfit> {
    let last = line.get("changeHistory").items()?.into_iter().next_back();
    let reason = match last {
        Some(change) => change.get("changeStateReasonType").text()?.unwrap_or_default(),
        None => String::new(),
    };
    Ok(if reason.ends_with("EXPIRED") { Status::Expired } else { Status::Released })
}

/// A parameter of the offer by name.
fn find<'v>(info: &Place<'v>, name: &str) -> Result<Option<Place<'v>>, Misfit> {
    for parameter in info.get("parameters").items()? {
        if parameter.get("name").text()?.as_deref() == Some(name) {
            let value = parameter.get("value");
            let inner = value.any(&["doubleValue", "int64Value", "stringValue"]);
            return Ok(Some(if inner.value.is_some() { inner } else { value }));
        }
    }
    Ok(None)
}

fn parameter(info: &Place<'_>, name: &str) -> Result<Option<Number>, Misfit> {
    find(info, name)?.map_or(Ok(None), |place| place.decimal())
}

fn text_parameter(info: &Place<'_>, name: &str) -> Result<Option<String>, Misfit> {
    find(info, name)?.map_or(Ok(None), |place| place.text())
}
