//! Reserved database instances, cache, warehouse and memory nodes and search instances.

use recoup_core::fact::Flag;
use recoup_core::import::{Misfit, Place};
use recoup_core::money::{Amount, Number};
use recoup_core::record::{CommitmentRecord, ResourceRecord};
use recoup_core::vocab::{Billing, Recurrence};

use super::PROVIDER;
use super::fields::{
    arn, currency, get, hourly_charge, instant, paid, payment_option, purchase, status, tags, term_months,
};
use super::kind::Kind;

/// Reads a reserved node. Its end is not printed, and is never computed from a duration.
pub(super) fn read(kind: Kind, item: &Place<'_>) -> Result<ResourceRecord, Misfit> {
    let (product, id, count) = match kind {
        Kind::DbInstance => ("rds", "ReservedDBInstanceId", "DBInstanceCount"),
        Kind::CacheNode => ("elasticache", "ReservedCacheNodeId", "CacheNodeCount"),
        Kind::WarehouseNode => ("redshift", "ReservedNodeId", "NodeCount"),
        Kind::MemoryNode => ("memorydb", "ReservationId", "NodeCount"),
        _ => ("opensearch", "ReservedInstanceId", "InstanceCount"),
    };
    let state = item.get("State");
    let id = item.get(id).required()?;
    let mut record = ResourceRecord::new(PROVIDER, &id, product, Billing::Reservation, status(&state)?);
    record.name = item.get("ReservationName").text()?;
    record.starts_at = instant(&item.get("StartTime"))?;
    record.tags = tags(item)?;
    let count = item.get(count).whole()?;
    record.quantity = count.map(Number::whole);
    // Whether a price is that of one node or of all is not printed: only of a single one it is clear.
    let clear = |price: Option<Amount>| price.filter(|price| count == Some(1) || price.is_zero());
    record.commitment = Some(CommitmentRecord {
        term_months: term_months(&item.get("Duration"))?,
        payment_option: payment_option(&item.any(&["OfferingType", "PaymentOption"]))?,
        currency: currency(&item.get("CurrencyCode"))?,
        upfront: clear(item.get("FixedPrice").decimal()?),
        recurring: clear(hourly_charge(item)?),
        recurring_every: Some(Recurrence::Hour),
        unit: get(item, "NodeType").text()?,
        ..CommitmentRecord::default()
    });
    if state.required()? == "exchanging" {
        record.facts.flags.set(Flag::TransactionInProgress, true);
    }
    record.orders = purchase(&record, paid(record.status));
    arn(&mut record, item.any(&["ReservedDBInstanceArn", "ReservationARN", "ARN"]).text()?.as_deref());
    Ok(record)
}
