//! Bedrock Provisioned Throughput.

use recoup_core::fact::Moment;
use recoup_core::import::{Misfit, Place};
use recoup_core::record::{CommitmentRecord, ResourceRecord};
use recoup_core::vocab::Billing;

use super::PROVIDER;
use super::fields::{arn, instant, other, status};

/// Reads a throughput; one without a commitment is metered.
pub(super) fn read(item: &Place<'_>) -> Result<ResourceRecord, Misfit> {
    let id = item.get("provisionedModelArn").required()?;
    let duration = item.get("commitmentDuration");
    let months = match duration.text()?.as_deref() {
        None => None,
        Some("OneMonth") => Some(1),
        Some("SixMonths") => Some(6),
        Some(found) => return Err(other(&duration, "OneMonth or SixMonths", found.to_owned())),
    };
    let billing = if months.is_some() { Billing::CommittedUse } else { Billing::PayAsYouGo };
    let mut record = ResourceRecord::new(PROVIDER, &id, "bedrock", billing, status(&item.get("status"))?);
    record.name = item.get("provisionedModelName").text()?;
    record.purchased_at = instant(&item.get("creationTime"))?;
    record.commitment =
        months.map(|months| CommitmentRecord { term_months: Some(months), ..CommitmentRecord::default() });
    if let Some(end) = instant(&item.get("commitmentExpirationTime"))? {
        record.facts.moments.push((Moment::CommitmentEndsAt, end));
    }
    arn(&mut record, Some(&id));
    Ok(record)
}
