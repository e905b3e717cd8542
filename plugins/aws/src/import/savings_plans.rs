//! `savingsplans:DescribeSavingsPlans`.

use recoup_core::fact::Moment;
use recoup_core::import::{Misfit, Place};
use recoup_core::record::{CommitmentRecord, ResourceRecord};
use recoup_core::stated::Statement;
use recoup_core::vocab::{Billing, Exit, OrderStatus, Recurrence, Status};

use super::PROVIDER;
use super::fields::{arn, currency, get, instant, paid, payment_option, purchase, status, tags, term_months};

/// Reads a plan. Its start is printed, its purchase is not.
pub(super) fn read(item: &Place<'_>) -> Result<ResourceRecord, Misfit> {
    let state = get(item, "state");
    let status = status(&state)?;
    let id = get(item, "savingsPlanId").required()?;
    let mut record = ResourceRecord::new(PROVIDER, &id, "savingsplans", Billing::SavingsPlan, status);
    record.name = get(item, "description").text()?;
    record.region = get(item, "region").text()?;
    record.starts_at = instant(&get(item, "start"))?;
    record.ends_at = instant(&get(item, "end"))?;
    record.tags = tags(item)?;
    record.commitment = Some(CommitmentRecord {
        term_months: term_months(&get(item, "termDurationInSeconds"))?,
        payment_option: payment_option(&get(item, "paymentOption"))?,
        hourly: get(item, "commitment").decimal()?,
        currency: currency(&get(item, "currency"))?,
        upfront: get(item, "upfrontPaymentAmount").decimal()?,
        recurring: get(item, "recurringPaymentAmount").decimal()?,
        recurring_every: Some(Recurrence::Hour),
        ..CommitmentRecord::default()
    });
    let paid = match (state.required()?.as_str(), status) {
        ("returned", _) => Some(OrderStatus::Refunded),
        ("pending-return", _) | (_, Status::Expired) => Some(OrderStatus::Paid),
        ("queued-deleted", _) => Some(OrderStatus::Cancelled),
        (_, status) => paid(status),
    };
    record.orders = purchase(&record, paid);
    if let Some(until) = instant(&get(item, "returnableUntil"))? {
        record.facts.moments.push((Moment::ReturnableUntil, until));
        record.state(Statement { exit: Some(Exit::Return), until: Some(until), ..Statement::by("returnableUntil") });
    }
    arn(&mut record, get(item, "savingsPlanArn").text()?.as_deref());
    Ok(record)
}
