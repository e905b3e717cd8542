//! The columns in which resources and assessments cross the boundary.
//!
//! Closed vocabularies travel as their stable codes, instants as microseconds in UTC, decimals as
//! `Decimal128(38, 18)`. Facts are columns named after the fact, inside a struct, and only those that a
//! batch states are there. The layout is part of the ABI: columns are only ever appended, and a reader
//! finds them by name.

use std::sync::Arc;

use arrow_schema::{DataType, Field, Fields, TimeUnit};

/// Decimals cross with this precision and scale.
pub const DECIMAL: DataType = DataType::Decimal128(38, 18);

/// Instants cross in this type.
#[must_use]
pub fn timestamp() -> DataType {
    DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()))
}

/// A column that may be null.
#[must_use]
pub fn optional(name: &str, data_type: DataType) -> Field {
    Field::new(name, data_type, true)
}

/// A column without nulls.
#[must_use]
pub fn required(name: &str, data_type: DataType) -> Field {
    Field::new(name, data_type, false)
}

/// A list of structs.
#[must_use]
pub fn list_of(fields: Fields) -> DataType {
    DataType::List(Arc::new(Field::new("item", DataType::Struct(fields), false)))
}

/// A payment of an order.
#[must_use]
pub fn payment() -> Fields {
    vec![required("instrument", DataType::UInt8), required("amount", DECIMAL), optional("expires_at", timestamp())]
        .into()
}

/// An order, with the fact columns that the batch states.
#[must_use]
pub fn order(facts: Fields) -> Fields {
    vec![
        optional("id", DataType::Utf8),
        required("kind", DataType::UInt8),
        required("status", DataType::UInt8),
        optional("placed_at", timestamp()),
        optional("paid_at", timestamp()),
        optional("starts_at", timestamp()),
        optional("ends_at", timestamp()),
        optional("term_unit", DataType::UInt8),
        optional("term_count", DataType::UInt32),
        optional("quantity", DECIMAL),
        optional("currency", DataType::Utf8),
        optional("list_price", DECIMAL),
        optional("due", DECIMAL),
        optional("payments", list_of(payment())),
        required("facts", DataType::Struct(facts)),
    ]
    .into()
}

/// A commitment.
#[must_use]
pub fn commitment() -> Fields {
    vec![
        optional("term_months", DataType::UInt32),
        optional("payment_option", DataType::UInt8),
        optional("hourly", DECIMAL),
        optional("currency", DataType::Utf8),
        optional("upfront", DECIMAL),
        optional("recurring", DECIMAL),
        optional("recurring_every", DataType::UInt8),
        optional("class", DataType::UInt8),
        optional("unit", DataType::Utf8),
        optional("total_units", DECIMAL),
        optional("used_units", DECIMAL),
        optional("used_fraction", DECIMAL),
    ]
    .into()
}

/// An hourly price up to a number of hours.
#[must_use]
pub fn price_tier() -> Fields {
    vec![optional("up_to_hours", DECIMAL), required("price", DECIMAL)].into()
}

/// A part of a configuration with prices of its own.
#[must_use]
pub fn price_component() -> Fields {
    vec![optional("name", DataType::Utf8), optional("monthly", DECIMAL), required("hourly", list_of(price_tier()))]
        .into()
}

/// A discount from a number of months on.
#[must_use]
pub fn term_discount() -> Fields {
    vec![required("from_months", DECIMAL), required("rate", DECIMAL)].into()
}

/// The provider's prices in force.
#[must_use]
pub fn price_terms() -> Fields {
    vec![
        optional("currency", DataType::Utf8),
        optional("hourly_rate", DECIMAL),
        optional("rate", DECIMAL),
        optional("unit_price", DECIMAL),
        optional("daily", DECIMAL),
        optional("current", DECIMAL),
        required("components", list_of(price_component())),
        required("discounts", list_of(term_discount())),
    ]
    .into()
}

/// A resource, with the fact columns that the batch states on resources and on orders.
#[must_use]
pub fn resource(facts: Fields, order_facts: Fields) -> Fields {
    vec![
        optional("site", DataType::Utf8),
        optional("account", DataType::Utf8),
        required("id", DataType::Utf8),
        required("product", DataType::Utf8),
        optional("region", DataType::Utf8),
        required("billing", DataType::UInt8),
        optional("seller", DataType::UInt8),
        required("status", DataType::UInt8),
        optional("purchased_at", timestamp()),
        optional("starts_at", timestamp()),
        optional("ends_at", timestamp()),
        optional("primary", DataType::Utf8),
        optional("relation", DataType::UInt8),
        optional("bundle", DataType::Utf8),
        optional("quantity", DECIMAL),
        optional("commitment", DataType::Struct(commitment())),
        optional("price_terms", DataType::Struct(price_terms())),
        optional("orders", list_of(order(order_facts))),
        required("facts", DataType::Struct(facts)),
    ]
    .into()
}

/// A refusal.
#[must_use]
pub fn refusal() -> Fields {
    vec![required("clause", DataType::UInt16), required("reason", DataType::UInt8)].into()
}

/// An unknown.
#[must_use]
pub fn unknown() -> Fields {
    vec![
        required("clause", DataType::UInt16),
        required("reason", DataType::UInt8),
        optional("fact", DataType::Utf8),
        optional("assumed", DataType::Boolean),
    ]
    .into()
}

/// An amount on its way back.
#[must_use]
pub fn returned() -> Fields {
    vec![
        required("instrument", DataType::UInt8),
        required("amount", DECIMAL),
        required("to", DataType::UInt8),
        optional("expires_at", timestamp()),
    ]
    .into()
}

/// A refund.
#[must_use]
pub fn refund() -> Fields {
    vec![
        required("currency", DataType::Utf8),
        required("paid", DECIMAL),
        optional("consumed", DECIMAL),
        required("fee", DECIMAL),
        optional("forfeited", DECIMAL),
        optional("released", DECIMAL),
        optional("carry_over", DECIMAL),
        optional("charge", DECIMAL),
        optional("proceeds", DECIMAL),
        required("returned", list_of(returned())),
    ]
    .into()
}

/// A draw on a quota.
#[must_use]
pub fn quota() -> Fields {
    vec![
        required("name", DataType::Utf8),
        optional("limit", DECIMAL),
        optional("used", DECIMAL),
        optional("draws", DECIMAL),
        optional("window", DataType::Utf8),
    ]
    .into()
}

/// A step of an explanation; the list is empty unless the run asked for a trace.
#[must_use]
pub fn step() -> Fields {
    vec![
        optional("clause", DataType::UInt16),
        optional("verdict", DataType::UInt8),
        optional("label", DataType::Utf8),
        optional("text", DataType::Utf8),
    ]
    .into()
}

/// A ruling.
#[must_use]
pub fn ruling() -> Fields {
    vec![
        required("exit", DataType::UInt8),
        optional("channel", DataType::UInt8),
        required("effects", DataType::UInt16),
        optional("until", timestamp()),
        optional("effective_at", timestamp()),
        required("refusals", list_of(refusal())),
        required("unknowns", list_of(unknown())),
        optional("refund", DataType::Struct(refund())),
        optional("review_by", DataType::Utf8),
        optional("review_clause", DataType::UInt16),
        optional("review_hours", DataType::UInt32),
        optional("settlement_days", DataType::UInt32),
        optional("settlement_kind", DataType::UInt8),
        required("quota", list_of(quota())),
        required("steps", list_of(step())),
    ]
    .into()
}

/// An assessment: one row for each row of the resources, in the same order.
#[must_use]
pub fn assessment() -> Fields {
    vec![
        // Set where the resource could not be assessed; everything else in the row then means nothing.
        optional("error", DataType::Utf8),
        optional("site", DataType::Utf8),
        optional("edition", DataType::Utf8),
        required("at", timestamp()),
        required("outcome", DataType::UInt8),
        optional("best", DataType::UInt8),
        required("rulings", list_of(ruling())),
    ]
    .into()
}
