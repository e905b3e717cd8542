//! EC2: Reserved Instances with their listings and quotes, Capacity Reservations and Blocks, Host
//! Reservations.

use std::collections::HashSet;

use recoup_core::fact::{Figure, Flag, Moment};
use recoup_core::import::{Misfit, Place};
use recoup_core::money::{Amount, Currency, Number};
use recoup_core::record::{CommitmentRecord, ResourceRecord};
use recoup_core::stated::Statement;
use recoup_core::vocab::{Billing, Class, Exit, PaymentOption, Recurrence, Status};

use super::PROVIDER;
use super::fields::{
    arn, currency, get, hourly_charge, instant, other, paid, payment_option, purchase, region_of, site_of, status,
    tags, term_months, times,
};

fn reservation(item: &Place<'_>, id: &str, product: &str) -> Result<ResourceRecord, Misfit> {
    let id = get(item, id).required()?;
    let status = status(&get(item, "State"))?;
    let mut record = ResourceRecord::new(PROVIDER, &id, product, Billing::Reservation, status);
    record.region = get(item, "AvailabilityZone").text()?.as_deref().and_then(region_of);
    site_of(&mut record);
    record.tags = tags(item)?;
    Ok(record)
}

/// `ec2:DescribeReservedInstances`. Prices are those of one instance. The end is the printed one.
pub(super) fn reserved_instance(item: &Place<'_>) -> Result<ResourceRecord, Misfit> {
    let mut record = reservation(item, "ReservedInstancesId", "ec2")?;
    record.starts_at = instant(&get(item, "Start"))?;
    record.ends_at = instant(&get(item, "End"))?;
    let count = get(item, "InstanceCount").whole()?;
    record.quantity = count.map(Number::whole);
    let option = payment_option(&get(item, "OfferingType"))?;
    let class = get(item, "OfferingClass");
    let fixed: Option<Amount> = get(item, "FixedPrice").decimal()?;
    // A modification leaves a fixed price of 0 whatever was paid for what was modified.
    let paid_ahead = matches!(option, Some(PaymentOption::AllUpfront | PaymentOption::PartialUpfront));
    let fixed = fixed.filter(|fixed| !(paid_ahead && fixed.is_zero()));
    record.commitment = Some(CommitmentRecord {
        term_months: term_months(&get(item, "Duration"))?,
        payment_option: option,
        currency: currency(&get(item, "CurrencyCode"))?,
        upfront: times(fixed, count),
        recurring: times(hourly_charge(item)?, count),
        recurring_every: Some(Recurrence::Hour),
        class: match class.text()?.as_deref() {
            None => None,
            Some("standard") => Some(Class::Standard),
            Some("convertible") => Some(Class::Convertible),
            Some(found) => return Err(other(&class, "standard or convertible", found.to_owned())),
        },
        ..CommitmentRecord::default()
    });
    match get(item, "Scope").text()?.as_deref() {
        Some("Region") => record.facts.flags.set(Flag::RegionalScope, true),
        Some("Availability Zone") => record.facts.flags.set(Flag::RegionalScope, false),
        _ => {}
    }
    record.orders = purchase(&record, paid(record.status));
    Ok(record)
}

/// `ec2:DescribeReservedInstancesListings`: an open listing, and the price asked for the whole.
pub(super) fn join_listing<'r>(
    item: &Place<'_>,
    find: impl FnOnce(&str) -> Option<&'r mut ResourceRecord>,
) -> Result<Option<String>, Misfit> {
    let id = get(item, "ReservedInstancesId").required()?;
    let status = get(item, "Status").required()?;
    if !matches!(status.as_str(), "active" | "pending") {
        return Ok(None);
    }
    let mut price = None;
    for schedule in get(item, "PriceSchedules").items()? {
        if get(&schedule, "Active").truth()? == Some(true) {
            price = get(&schedule, "Price").decimal::<Amount>()?;
        }
    }
    let Some(record) = find(&id) else {
        return Ok(Some(format!("the Reserved Instance {id} of this listing is in none of the files")));
    };
    record.facts.flags.set(Flag::TransactionInProgress, true);
    let count = record.quantity.and_then(Number::as_whole);
    if let (Some(asked), None) = (times(price, count), record.facts.figure(Figure::AskPrice)) {
        record.facts.figures.push((Figure::AskPrice, asked.as_number()));
    }
    Ok(None)
}

/// `ec2:GetReservedInstancesExchangeQuote`: what the target is worth, for the one Reserved Instance
/// that is exchanged.
pub(super) fn join_exchange_quote<'r>(
    item: &Place<'_>,
    find: impl FnOnce(&str) -> Option<&'r mut ResourceRecord>,
) -> Result<Option<String>, Misfit> {
    let allowed = get(item, "IsValidExchange").truth()?;
    let says = get(item, "ValidationFailureReason").text()?;
    let set = get(item, "ReservedInstanceValueSet").items()?;
    if allowed == Some(false) && set.is_empty() {
        return Ok(Some(format!("AWS says that this exchange is not valid: {}", says.unwrap_or_default())));
    }
    let [one] = set.as_slice() else {
        return Ok(Some("the quote is for several Reserved Instances together, so it is read for none".to_owned()));
    };
    let id = get(one, "ReservedInstanceId").required()?;
    let rollup = get(item, "TargetConfigurationValueRollup");
    let hourly: Option<Number> = get(&rollup, "HourlyPrice").decimal()?;
    let upfront: Option<Number> = get(&rollup, "RemainingUpfrontValue").decimal()?;
    let Some(record) = find(&id) else {
        return Ok(Some(format!("the Reserved Instance {id} of this quote is in none of the files")));
    };
    record.state(Statement {
        exit: Some(Exit::Exchange),
        allowed,
        currency: currency(&get(item, "CurrencyCode"))?,
        charge: get(item, "PaymentDue").decimal()?,
        says,
        ..Statement::by("GetReservedInstancesExchangeQuote")
    });
    if allowed == Some(false) {
        return Ok(None);
    }
    for (figure, value) in [(Figure::TargetHourly, hourly), (Figure::TargetProratedUpfront, upfront)] {
        if let (Some(value), None) = (value, record.facts.figure(figure)) {
            record.facts.figures.push((figure, value));
        }
    }
    Ok(None)
}

/// `ec2:DescribeCapacityReservations`: a plain one, a future-dated one with its commitment, or the
/// capacity of a block. Its On-Demand price is not printed.
pub(super) fn capacity_reservation(item: &Place<'_>) -> Result<ResourceRecord, Misfit> {
    let of_block = get(item, "ReservationType").text()?.as_deref() == Some("capacity-block");
    let product = if of_block { "ec2:capacity-block" } else { "ec2:capacity-reservation" };
    let mut record = reservation(item, "CapacityReservationId", product)?;
    record.account = get(item, "OwnerId").text()?;
    arn(&mut record, get(item, "CapacityReservationArn").text()?.as_deref());
    record.purchased_at = instant(&get(item, "CreateDate"))?;
    record.starts_at = instant(&get(item, "StartDate"))?;
    record.ends_at = instant(&get(item, "EndDate"))?;
    let total = get(item, "TotalInstanceCount").whole()?;
    record.quantity = total.map(Number::whole);
    if of_block {
        return Ok(record);
    }
    // Nothing is paid ahead for capacity that is billed as it is held.
    record.orders = Some(Vec::new());
    let free = get(item, "AvailableInstanceCount").whole()?;
    if let (Some(total), Some(free), Status::Active) = (total, free, record.status) {
        record.facts.flags.set(Flag::HasDependents, free < total);
    }
    let commitment = get(item, "CommitmentInfo");
    if let Some(end) = instant(&get(&commitment, "CommitmentEndDate"))? {
        record.facts.moments.push((Moment::CommitmentEndsAt, end));
        record.commitment = Some(CommitmentRecord {
            payment_option: Some(PaymentOption::NoUpfront),
            unit: Some("instances".to_owned()),
            total_units: get(&commitment, "CommittedInstanceCount").decimal()?,
            ..CommitmentRecord::default()
        });
        record.facts.flags.set(Flag::DeliveryDelayed, get(item, "State").required()? == "delayed");
    }
    Ok(record)
}

/// `ec2:CreateCapacityReservationCancellationQuote`: for how long the committed count runs on. No price is
/// printed.
pub(super) fn join_cancellation_quote<'r>(
    item: &Place<'_>,
    find: impl FnOnce(&str) -> Option<&'r mut ResourceRecord>,
) -> Result<Option<String>, Misfit> {
    let id = get(item, "CapacityReservationId").required()?;
    let state = get(item, "QuoteState").text()?;
    let mut says = None;
    for term in get(item, "CancellationTerms").items()? {
        let hours = get(&term, "ChargeCommitmentDurationHours").text()?.unwrap_or_default();
        let until = get(&term, "ChargeEndDate").text()?.unwrap_or_default();
        says = Some(format!("{hours} hours are charged, until {until}"));
    }
    let Some(record) = find(&id) else {
        return Ok(Some(format!("the Capacity Reservation {id} of this quote is in none of the files")));
    };
    record.state(Statement {
        exit: Some(Exit::CancelReservation),
        allowed: state.map(|state| state == "active"),
        at: instant(&get(item, "CreateTime"))?,
        says,
        ..Statement::by("CreateCapacityReservationCancellationQuote")
    });
    Ok(None)
}

/// `ec2:DescribeCapacityBlocks`. The reservations that are its capacity are the same purchase.
pub(super) fn capacity_block(item: &Place<'_>, of_blocks: &mut HashSet<String>) -> Result<ResourceRecord, Misfit> {
    for reservation in get(item, "CapacityReservationIds").items()? {
        of_blocks.insert(reservation.required()?);
    }
    let mut record = reservation(item, "CapacityBlockId", "ec2:capacity-block")?;
    record.purchased_at = instant(&get(item, "CreateDate"))?;
    record.starts_at = instant(&get(item, "StartDate"))?;
    record.ends_at = instant(&get(item, "EndDate"))?;
    Ok(record)
}

/// `ec2:DescribeHostReservations`. Prices are those of the whole reservation.
pub(super) fn host_reservation(item: &Place<'_>) -> Result<ResourceRecord, Misfit> {
    let mut record = reservation(item, "HostReservationId", "ec2:host-reservation")?;
    record.starts_at = instant(&get(item, "Start"))?;
    record.ends_at = instant(&get(item, "End"))?;
    record.quantity = get(item, "Count").whole()?.map(Number::whole);
    record.commitment = Some(CommitmentRecord {
        term_months: term_months(&get(item, "Duration"))?,
        payment_option: payment_option(&get(item, "PaymentOption"))?,
        currency: currency(&get(item, "CurrencyCode"))?.or(Some(Currency::USD)),
        upfront: get(item, "UpfrontPrice").decimal()?,
        recurring: get(item, "HourlyPrice").decimal()?,
        recurring_every: Some(Recurrence::Hour),
        ..CommitmentRecord::default()
    });
    record.orders = purchase(&record, paid(record.status));
    Ok(record)
}
