//! AWS Marketplace agreements and the events about them.

use recoup_core::fact::{Figure, Flag};
use recoup_core::import::{Misfit, Place};
use recoup_core::money::{Amount, Number};
use recoup_core::record::{RefundRecord, ResourceRecord};
use recoup_core::vocab::{Billing, Seller, Status};

use super::PROVIDER;
use super::fields::{instant, other};

/// `marketplace-agreement:SearchAgreements` and `DescribeAgreement`.
pub(super) fn read(item: &Place<'_>) -> Result<ResourceRecord, Misfit> {
    let id = item.get("agreementId").required()?;
    let state = item.get("status");
    let status = match state.required()?.as_str() {
        "ACTIVE" => Status::Active,
        "EXPIRED" => Status::Expired,
        "ARCHIVED" | "CANCELLED" | "RENEWED" | "REPLACED" | "ROLLED_BACK" | "SUPERSEDED" | "TERMINATED" => {
            Status::Released
        }
        found => return Err(other(&state, "a status such as ACTIVE or EXPIRED", found.to_owned())),
    };
    let ends_at = instant(&item.get("endTime"))?;
    let resources = item.get("proposalSummary").get("resources");
    let product = match resources.items()?.first() {
        Some(first) => first.get("id").required()?,
        None => return Err(other(&resources, "the product of the agreement", "nothing".to_owned())),
    };
    let billing = if ends_at.is_some() { Billing::Subscription } else { Billing::PayAsYouGo };
    let mut record = ResourceRecord::new(PROVIDER, &id, &product, billing, status);
    record.seller = Some(Seller::Marketplace);
    record.account = item.get("acceptor").get("accountId").text()?;
    record.purchased_at = instant(&item.get("acceptanceTime"))?;
    record.starts_at = instant(&item.get("startTime"))?;
    record.ends_at = ends_at;
    Ok(record)
}

fn agreement<'r>(id: &str, resources: &'r mut [ResourceRecord]) -> Option<&'r mut ResourceRecord> {
    resources.iter_mut().find(|record| record.seller == Some(Seller::Marketplace) && record.id == id)
}

/// The event of a cancellation request: while it waits for the buyer, another cannot be made.
pub(super) fn join_request(item: &Place<'_>, resources: &mut [ResourceRecord]) -> Result<Option<String>, Misfit> {
    let detail = item.get("detail");
    let id = detail.get("agreement").get("id").required()?;
    let status = detail.get("agreementCancellationRequest").get("statusCode").required()?;
    let Some(record) = agreement(&id, resources) else {
        return Ok(Some(format!("the agreement {id} of this event is in none of the files")));
    };
    if status == "PENDING_APPROVAL" {
        record.facts.flags.set(Flag::TransactionInProgress, true);
    }
    Ok(None)
}

/// What a completed billing adjustment gave back: its amount is below zero. To an unpaid invoice, a card or a
/// credit memo, the event does not say.
pub(super) fn received(item: &Place<'_>) -> Result<Option<RefundRecord>, Misfit> {
    let completed = item.get("detail-type").text()?.is_some_and(|kind| kind.contains("Completed"));
    let detail = item.get("detail");
    let request = detail.get("billingAdjustmentRequest");
    let amount: Option<Amount> = request.get("adjustmentAmount").decimal()?;
    let code = request.get("currencyCode");
    let (Some(amount), Some(text), true) = (amount.filter(|amount| amount.is_negative()), code.text()?, completed)
    else {
        return Ok(None);
    };
    let currency = text.parse().map_err(|_| other(&code, "a currency code such as \"USD\"", text))?;
    Ok(Some(RefundRecord {
        account: item.get("account").text()?,
        resource: detail.get("agreement").get("id").text()?,
        id: request.get("id").text()?,
        at: instant(&item.get("time"))?,
        unnamed: amount.magnitude(),
        ..RefundRecord::new(currency)
    }))
}

/// The event of a billing adjustment: what the seller granted. The event prints it as a negative
/// amount.
pub(super) fn join_adjustment(item: &Place<'_>, resources: &mut [ResourceRecord]) -> Result<Option<String>, Misfit> {
    let detail = item.get("detail");
    let id = detail.get("agreement").get("id").required()?;
    let granted: Option<Number> = detail.get("billingAdjustmentRequest").get("adjustmentAmount").decimal()?;
    let Some(record) = agreement(&id, resources) else {
        return Ok(Some(format!("the agreement {id} of this event is in none of the files")));
    };
    if let (Some(granted), None) = (granted, record.facts.figure(Figure::AgreedRefund)) {
        record.facts.flags.set(Flag::AgreementGiven, true);
        record.facts.figures.push((Figure::AgreedRefund, granted.magnitude()));
    }
    Ok(None)
}
