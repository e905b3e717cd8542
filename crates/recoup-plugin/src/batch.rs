//! From owned records to a batch.

use std::sync::Arc;

use arrow_array::types::{UInt8Type, UInt32Type};
use arrow_array::{ArrayRef, StructArray};
use arrow_schema::{ArrowError, DataType, Field, Fields};
use recoup_core::fact::{Figure, Flag, Moment, Text};
use recoup_core::record::{CommitmentRecord, Facts, OrderRecord, ResourceRecord};
use recoup_core::time::Instant;
use recoup_core::vocab::{Class, PaymentOption, Recurrence, Relation, Seller};

use crate::columns::{Bounds, Decimals, Presence, Texts, Times, Truths, Values, record};
use crate::schema;

/// The facts that a batch states, one column each.
fn facts(all: &[&Facts]) -> Result<StructArray, ArrowError> {
    let (mut fields, mut columns): (Vec<Field>, Vec<ArrayRef>) = (Vec::new(), Vec::new());
    for flag in Flag::ALL.iter().filter(|flag| all.iter().any(|facts| facts.flags.get(**flag).is_some())) {
        let mut column = Truths::default();
        all.iter().for_each(|facts| column.push(facts.flags.get(*flag)));
        fields.push(schema::optional(flag.as_str(), DataType::Boolean));
        columns.push(column.finish());
    }
    for figure in Figure::ALL.iter().filter(|figure| all.iter().any(|facts| facts.figure(**figure).is_some())) {
        let mut column = Decimals::default();
        all.iter().for_each(|facts| column.number(facts.figure(*figure)));
        fields.push(schema::optional(figure.as_str(), schema::DECIMAL));
        columns.push(column.finish_decimal());
    }
    for text in Text::ALL.iter().filter(|text| all.iter().any(|facts| facts.text(**text).is_some())) {
        let mut column = Texts::default();
        all.iter().for_each(|facts| column.push(facts.text(*text)));
        fields.push(schema::optional(text.as_str(), DataType::Utf8));
        columns.push(column.finish()?);
    }
    for moment in Moment::ALL.iter().filter(|moment| all.iter().any(|facts| facts.moment(**moment).is_some())) {
        let mut column = Times::default();
        all.iter().for_each(|facts| column.time(facts.moment(*moment)));
        fields.push(schema::optional(moment.as_str(), schema::timestamp()));
        columns.push(column.finish_time());
    }
    record(fields.into(), columns, None, all.len())
}

type Codes = Values<UInt8Type>;

fn orders(all: &[&OrderRecord]) -> Result<StructArray, ArrowError> {
    let (mut id, mut currency) = (Texts::default(), Texts::default());
    let (mut kind, mut status, mut term_unit) = (Codes::default(), Codes::default(), Codes::default());
    let mut term_count = Values::<UInt32Type>::default();
    let [mut placed_at, mut paid_at, mut starts_at, mut ends_at, mut expires_at] = [(); 5].map(|()| Times::default());
    let [mut quantity, mut list_price, mut due, mut amount] = [(); 4].map(|()| Decimals::default());
    let (mut instrument, mut payments) = (Codes::default(), Bounds::default());
    let mut payment_count = 0;
    for order in all {
        id.push(order.id.as_deref());
        kind.push(Some(order.kind.code()));
        status.push(Some(order.status.code()));
        placed_at.time(order.placed_at);
        paid_at.time(order.paid_at);
        starts_at.time(order.starts_at);
        ends_at.time(order.ends_at);
        term_unit.push(order.term.map(|term| term.unit.code()));
        term_count.push(order.term.map(|term| term.count));
        quantity.number(order.quantity);
        currency.push(order.currency.as_ref().map(|currency| currency.as_str()));
        list_price.amount(order.list_price);
        due.amount(order.due);
        payments.push(order.payments.as_ref().map(Vec::len));
        for payment in order.payments.iter().flatten() {
            instrument.push(Some(payment.instrument.code()));
            amount.amount(Some(payment.amount));
            expires_at.time(payment.expires_at);
            payment_count += 1;
        }
    }
    let payment_items = record(
        schema::payment(),
        vec![instrument.finish(), amount.finish_decimal(), expires_at.finish_time()],
        None,
        payment_count,
    )?;
    let stated: Vec<&Facts> = all.iter().map(|order| &order.facts).collect();
    let facts = facts(&stated)?;
    let fields = schema::order(facts.fields().clone());
    let columns = vec![
        id.finish()?,
        kind.finish(),
        status.finish(),
        placed_at.finish_time(),
        paid_at.finish_time(),
        starts_at.finish_time(),
        ends_at.finish_time(),
        term_unit.finish(),
        term_count.finish(),
        quantity.finish_decimal(),
        currency.finish()?,
        list_price.finish_decimal(),
        due.finish_decimal(),
        payments.finish(payment_items)?,
        Arc::new(facts),
    ];
    record(fields, columns, None, all.len())
}

fn commitments(all: &[Option<&CommitmentRecord>]) -> Result<StructArray, ArrowError> {
    let mut term_months = Values::<UInt32Type>::default();
    let [mut payment_option, mut recurring_every, mut class] = [(); 3].map(|()| Codes::default());
    let [mut hourly, mut upfront, mut recurring, mut total_units, mut used_units, mut used_fraction] =
        [(); 6].map(|()| Decimals::default());
    let (mut currency, mut unit) = (Texts::default(), Texts::default());
    let mut presence = Presence::default();
    for commitment in all {
        presence.push(commitment.is_some());
        term_months.push(commitment.and_then(|c| c.term_months));
        payment_option.push(commitment.and_then(|c| c.payment_option).map(PaymentOption::code));
        hourly.number(commitment.and_then(|c| c.hourly));
        currency.push(commitment.and_then(|c| c.currency.as_ref()).map(|currency| currency.as_str()));
        upfront.amount(commitment.and_then(|c| c.upfront));
        recurring.amount(commitment.and_then(|c| c.recurring));
        recurring_every.push(commitment.and_then(|c| c.recurring_every).map(Recurrence::code));
        class.push(commitment.and_then(|c| c.class).map(Class::code));
        unit.push(commitment.and_then(|c| c.unit.as_deref()));
        total_units.number(commitment.and_then(|c| c.total_units));
        used_units.number(commitment.and_then(|c| c.used_units));
        used_fraction.number(commitment.and_then(|c| c.used_fraction));
    }
    let columns = vec![
        term_months.finish(),
        payment_option.finish(),
        hourly.finish_decimal(),
        currency.finish()?,
        upfront.finish_decimal(),
        recurring.finish_decimal(),
        recurring_every.finish(),
        class.finish(),
        unit.finish()?,
        total_units.finish_decimal(),
        used_units.finish_decimal(),
        used_fraction.finish_decimal(),
    ];
    record(schema::commitment(), columns, presence.finish(), all.len())
}

/// Makes a batch of resources. Where `at` is given, each is assessed at its own instant.
///
/// # Errors
/// Where Arrow refuses the columns, which would be a mistake of this crate.
pub fn resources(all: &[ResourceRecord], at: Option<&[Instant]>) -> Result<StructArray, ArrowError> {
    let [mut site, mut account, mut id, mut product, mut region, mut primary, mut bundle, mut price_terms] =
        [(); 8].map(|()| Texts::default());
    let [mut billing, mut seller, mut status, mut relation] = [(); 4].map(|()| Codes::default());
    let [mut purchased_at, mut starts_at, mut ends_at] = [(); 3].map(|()| Times::default());
    let (mut quantity, mut order_bounds) = (Decimals::default(), Bounds::default());
    for resource in all {
        site.push(resource.site.as_deref());
        account.push(resource.account.as_deref());
        id.push(Some(&resource.id));
        product.push(Some(&resource.product));
        region.push(resource.region.as_deref());
        billing.push(Some(resource.billing.code()));
        seller.push(resource.seller.map(Seller::code));
        status.push(Some(resource.status.code()));
        purchased_at.time(resource.purchased_at);
        starts_at.time(resource.starts_at);
        ends_at.time(resource.ends_at);
        primary.push(resource.primary.as_deref());
        relation.push(resource.relation.map(Relation::code));
        bundle.push(resource.bundle.as_deref());
        quantity.number(resource.quantity);
        let terms = resource.price_terms.as_ref().and_then(|terms| serde_json::to_string(terms).ok());
        price_terms.push(terms.as_deref());
        order_bounds.push(resource.orders.as_ref().map(Vec::len));
    }
    let order_records: Vec<&OrderRecord> = all.iter().flat_map(|resource| resource.orders.iter().flatten()).collect();
    let order_items = orders(&order_records)?;
    let order_facts: Fields = match order_items.column_by_name("facts").map(|column| column.data_type().clone()) {
        Some(DataType::Struct(fields)) => fields,
        _ => Fields::empty(),
    };
    let commitment_records: Vec<Option<&CommitmentRecord>> =
        all.iter().map(|resource| resource.commitment.as_ref()).collect();
    let commitment = commitments(&commitment_records)?;
    let stated: Vec<&Facts> = all.iter().map(|resource| &resource.facts).collect();
    let facts = facts(&stated)?;
    let mut fields: Vec<Arc<Field>> = schema::resource(facts.fields().clone(), order_facts).iter().cloned().collect();
    let mut columns = vec![
        site.finish()?,
        account.finish()?,
        id.finish()?,
        product.finish()?,
        region.finish()?,
        billing.finish(),
        seller.finish(),
        status.finish(),
        purchased_at.finish_time(),
        starts_at.finish_time(),
        ends_at.finish_time(),
        primary.finish()?,
        relation.finish(),
        bundle.finish()?,
        quantity.finish_decimal(),
        Arc::new(commitment),
        price_terms.finish()?,
        order_bounds.finish(order_items)?,
        Arc::new(facts) as ArrayRef,
    ];
    if let Some(instants) = at {
        let mut column = Times::default();
        instants.iter().for_each(|instant| column.time(Some(*instant)));
        fields.push(Arc::new(schema::optional("at", schema::timestamp())));
        columns.push(column.finish_time());
    }
    record(fields.into(), columns, None, all.len())
}
