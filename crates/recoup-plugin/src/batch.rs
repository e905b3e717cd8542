//! From records to a batch.
//!
//! A [`BatchBuilder`] takes one record after the other, whose texts are only lent to it; [`resources`] makes a
//! batch of owned records.

use std::sync::Arc;

use arrow_array::types::{UInt8Type, UInt32Type};
use arrow_array::{Array, ArrayRef, BooleanArray, StructArray};
use arrow_buffer::{BooleanBuffer, Buffer, NullBuffer};
use arrow_schema::{ArrowError, DataType, Field, Fields};
use recoup_core::fact::{Figure, Flag, FlagSet, Moment, Text};
use recoup_core::lent::{LentFacts, LentOrder, LentResource};
use recoup_core::record::ResourceRecord;
use recoup_core::resource::{Commitment, Payment};
use recoup_core::time::Instant;
use recoup_core::vocab::{Class, PaymentOption, Recurrence, Relation, Seller};

use crate::columns::{Bounds, Decimals, Presence, Texts, Times, Values, record};
use crate::prices::PriceBuilder;
use crate::rows::transpose;
use crate::schema;

type Codes = Values<UInt8Type>;
type Counts = Values<UInt32Type>;

/// The facts of some records. A fact becomes a column once a record states it; its code is its place.
#[derive(Debug, Default)]
struct FactColumns {
    flags: Vec<FlagSet>,
    figures: Vec<Option<Decimals>>,
    texts: Vec<Option<Texts>>,
    moments: Vec<Option<Times>>,
}

/// The column of a fact, begun if no record stated it before.
fn column<T: Default>(columns: &mut Vec<Option<T>>, code: u8) -> Option<&mut T> {
    let place = usize::from(code);
    if columns.len() <= place {
        columns.resize_with(place + 1, || None);
    }
    columns.get_mut(place).map(Option::get_or_insert_default)
}

impl FactColumns {
    #[inline]
    fn push(&mut self, facts: &LentFacts<'_>) {
        let row = self.flags.len();
        self.flags.push(facts.flags);
        for (figure, number) in &facts.figures {
            if let Some(column) = column(&mut self.figures, figure.code()) {
                column.put(row, number.units());
            }
        }
        for (text, words) in &facts.texts {
            if let Some(column) = column(&mut self.texts, text.code()) {
                column.put(row, words);
            }
        }
        for (moment, instant) in &facts.moments {
            if let Some(column) = column(&mut self.moments, moment.code()) {
                column.put(row, instant.micros());
            }
        }
    }

    fn finish(mut self) -> Result<StructArray, ArrowError> {
        let rows = self.flags.len();
        let (mut fields, mut columns): (Vec<Field>, Vec<ArrayRef>) = (Vec::new(), Vec::new());
        for (flag, column) in flag_columns(&self.flags) {
            fields.push(schema::optional(flag.as_str(), DataType::Boolean));
            columns.push(Arc::new(column));
        }
        for (figure, column) in Figure::ALL.iter().zip(&mut self.figures) {
            if let Some(column) = column {
                fields.push(schema::optional(figure.as_str(), schema::DECIMAL));
                columns.push(column.close(rows).finish_decimal());
            }
        }
        for (text, column) in Text::ALL.iter().zip(&mut self.texts) {
            if let Some(column) = column {
                fields.push(schema::optional(text.as_str(), DataType::Utf8));
                columns.push(column.close(rows).finish()?);
            }
        }
        for (moment, column) in Moment::ALL.iter().zip(&mut self.moments) {
            if let Some(column) = column {
                fields.push(schema::optional(moment.as_str(), schema::timestamp()));
                columns.push(column.close(rows).finish_time());
            }
        }
        record(fields.into(), columns, None, rows)
    }
}

/// A column for each flag that any row states, out of the flags of each row: squares of 64 rows by 64 flags are
/// turned over, the way back of what a reader does.
fn flag_columns(rows: &[FlagSet]) -> Vec<(Flag, BooleanArray)> {
    let stated = rows.iter().fold(0_u128, |stated, flags| stated | flags.bits().0);
    let mut columns: Vec<(Flag, Vec<u64>, Vec<u64>)> =
        Flag::ALL.iter().filter(|flag| stated >> flag.code() & 1 == 1).map(|flag| (*flag, vec![], vec![])).collect();
    for block in rows.chunks(64) {
        for (half, shift) in [(0..64, 0), (64..128, 64)] {
            if stated >> shift & u128::from(u64::MAX) == 0 {
                continue;
            }
            let (mut known, mut truth) = ([0_u64; 64], [0_u64; 64]);
            // The lower half of the bits is meant to be all that is left.
            #[allow(clippy::cast_possible_truncation, reason = "each half of the flags is a square of its own")]
            for ((known, truth), flags) in known.iter_mut().zip(&mut truth).zip(block) {
                let (all_known, all_true) = flags.bits();
                (*known, *truth) = ((all_known >> shift) as u64, (all_true >> shift) as u64);
            }
            transpose(&mut known);
            transpose(&mut truth);
            for (flag, all_known, all_true) in &mut columns {
                if half.contains(&flag.code()) {
                    let place = usize::from(flag.code() - half.start);
                    all_known.extend(known.get(place));
                    all_true.extend(truth.get(place));
                }
            }
        }
    }
    let bits = |words: Vec<u64>| BooleanBuffer::new(Buffer::from_vec(words), 0, rows.len());
    let column = |known: Vec<u64>, truth: Vec<u64>| {
        let nulls = NullBuffer::new(bits(known));
        BooleanArray::new(bits(truth), Some(nulls).filter(|nulls| nulls.null_count() > 0))
    };
    columns.into_iter().map(|(flag, known, truth)| (flag, column(known, truth))).collect()
}

#[derive(Debug, Default)]
struct PaymentColumns {
    bounds: Bounds,
    instrument: Codes,
    amount: Decimals,
    expires_at: Times,
}

impl PaymentColumns {
    #[inline]
    fn push(&mut self, payments: Option<&[Payment]>) {
        self.bounds.push(payments.map(<[Payment]>::len));
        for payment in payments.unwrap_or_default() {
            self.instrument.push(Some(payment.instrument.code()));
            self.amount.amount(Some(payment.amount));
            self.expires_at.time(payment.expires_at);
        }
    }

    fn finish(mut self) -> Result<ArrayRef, ArrowError> {
        let columns = vec![self.instrument.finish(), self.amount.finish_decimal(), self.expires_at.finish_time()];
        let items = record(schema::payment(), columns, None, self.bounds.items())?;
        self.bounds.finish(items)
    }
}

#[derive(Debug, Default)]
struct OrderColumns {
    rows: usize,
    id: Texts,
    kind: Codes,
    status: Codes,
    placed_at: Times,
    paid_at: Times,
    starts_at: Times,
    ends_at: Times,
    term_unit: Codes,
    term_count: Counts,
    quantity: Decimals,
    currency: Texts,
    list_price: Decimals,
    due: Decimals,
    payments: PaymentColumns,
    facts: FactColumns,
}

impl OrderColumns {
    #[inline]
    fn push(&mut self, order: &LentOrder<'_>) {
        self.rows += 1;
        self.id.push(order.id);
        self.kind.push(Some(order.kind.code()));
        self.status.push(Some(order.status.code()));
        self.placed_at.time(order.placed_at);
        self.paid_at.time(order.paid_at);
        self.starts_at.time(order.starts_at);
        self.ends_at.time(order.ends_at);
        self.term_unit.push(order.term.map(|term| term.unit.code()));
        self.term_count.push(order.term.map(|term| term.count));
        self.quantity.number(order.quantity);
        self.currency.push(order.currency.as_ref().map(|currency| currency.as_str()));
        self.list_price.amount(order.list_price);
        self.due.amount(order.due);
        self.payments.push(order.payments.as_deref());
        self.facts.push(&order.facts);
    }

    fn finish(mut self) -> Result<StructArray, ArrowError> {
        let facts = self.facts.finish()?;
        let fields = schema::order(facts.fields().clone());
        let columns = vec![
            self.id.finish()?,
            self.kind.finish(),
            self.status.finish(),
            self.placed_at.finish_time(),
            self.paid_at.finish_time(),
            self.starts_at.finish_time(),
            self.ends_at.finish_time(),
            self.term_unit.finish(),
            self.term_count.finish(),
            self.quantity.finish_decimal(),
            self.currency.finish()?,
            self.list_price.finish_decimal(),
            self.due.finish_decimal(),
            self.payments.finish()?,
            Arc::new(facts),
        ];
        record(fields, columns, None, self.rows)
    }
}

#[derive(Debug, Default)]
struct CommitmentColumns {
    rows: usize,
    presence: Presence,
    term_months: Counts,
    payment_option: Codes,
    hourly: Decimals,
    currency: Texts,
    upfront: Decimals,
    recurring: Decimals,
    recurring_every: Codes,
    class: Codes,
    unit: Texts,
    total_units: Decimals,
    used_units: Decimals,
    used_fraction: Decimals,
}

impl CommitmentColumns {
    /// The commitment of the next row. Few have one, so nothing is done for the cells of those without.
    #[inline]
    fn push(&mut self, commitment: Option<&Commitment<'_>>) {
        let row = self.rows;
        self.rows += 1;
        self.presence.push(commitment.is_some());
        if let Some(commitment) = commitment {
            self.put(row, commitment);
        }
    }

    fn put(&mut self, row: usize, commitment: &Commitment<'_>) {
        fn put<T: arrow_array::types::ArrowPrimitiveType>(
            column: &mut Values<T>,
            row: usize,
            value: Option<T::Native>,
        ) {
            if let Some(value) = value {
                column.put(row, value);
            }
        }
        put(&mut self.term_months, row, commitment.term_months);
        put(&mut self.payment_option, row, commitment.payment_option.map(PaymentOption::code));
        put(&mut self.recurring_every, row, commitment.recurring_every.map(Recurrence::code));
        put(&mut self.class, row, commitment.class.map(Class::code));
        for (column, number) in [
            (&mut self.hourly, commitment.hourly),
            (&mut self.total_units, commitment.total_units),
            (&mut self.used_units, commitment.used_units),
            (&mut self.used_fraction, commitment.used_fraction),
        ] {
            put(column, row, number.map(recoup_core::money::Number::units));
        }
        for (column, amount) in [(&mut self.upfront, commitment.upfront), (&mut self.recurring, commitment.recurring)] {
            put(column, row, amount.map(recoup_core::money::Amount::units));
        }
        if let Some(currency) = &commitment.currency {
            self.currency.put(row, currency.as_str());
        }
        if let Some(unit) = commitment.unit {
            self.unit.put(row, unit);
        }
    }

    fn finish(mut self) -> Result<StructArray, ArrowError> {
        let rows = self.rows;
        let columns = vec![
            self.term_months.close(rows).finish(),
            self.payment_option.close(rows).finish(),
            self.hourly.close(rows).finish_decimal(),
            self.currency.close(rows).finish()?,
            self.upfront.close(rows).finish_decimal(),
            self.recurring.close(rows).finish_decimal(),
            self.recurring_every.close(rows).finish(),
            self.class.close(rows).finish(),
            self.unit.close(rows).finish()?,
            self.total_units.close(rows).finish_decimal(),
            self.used_units.close(rows).finish_decimal(),
            self.used_fraction.close(rows).finish_decimal(),
        ];
        record(schema::commitment(), columns, self.presence.finish(), rows)
    }
}

/// A batch of resources that is being made.
#[derive(Debug, Default)]
pub struct BatchBuilder {
    rows: usize,
    site: Texts,
    account: Texts,
    id: Texts,
    product: Texts,
    region: Texts,
    billing: Codes,
    seller: Codes,
    status: Codes,
    purchased_at: Times,
    starts_at: Times,
    ends_at: Times,
    primary: Texts,
    relation: Codes,
    bundle: Texts,
    quantity: Decimals,
    commitments: CommitmentColumns,
    prices: PriceBuilder,
    order_bounds: Bounds,
    orders: OrderColumns,
    facts: FactColumns,
}

impl BatchBuilder {
    /// How many resources were added.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows
    }

    /// Whether none was added.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// Adds a resource. Its provider is that of the whole batch.
    #[inline]
    pub fn push(&mut self, resource: &LentResource<'_>) {
        self.rows += 1;
        self.site.push(resource.site);
        self.account.push(resource.account);
        self.id.push(Some(resource.id));
        self.product.push(Some(resource.product));
        self.region.push(resource.region);
        self.billing.push(Some(resource.billing.code()));
        self.seller.push(resource.seller.map(Seller::code));
        self.status.push(Some(resource.status.code()));
        self.purchased_at.time(resource.purchased_at);
        self.starts_at.time(resource.starts_at);
        self.ends_at.time(resource.ends_at);
        self.primary.push(resource.primary);
        self.relation.push(resource.relation.map(Relation::code));
        self.bundle.push(resource.bundle);
        self.quantity.number(resource.quantity);
        self.commitments.push(resource.commitment.as_ref());
        self.prices.push(resource.price_terms.as_deref());
        self.order_bounds.push(resource.orders_known.then_some(resource.orders.len()));
        for order in &resource.orders {
            self.orders.push(order);
        }
        self.facts.push(&resource.facts);
    }

    /// Closes the batch. Where `at` is given, each resource is assessed at its own instant.
    ///
    /// # Errors
    /// Where Arrow refuses the columns, because texts are too long together.
    pub fn finish(mut self, at: Option<&[Instant]>) -> Result<StructArray, ArrowError> {
        let orders = self.orders.finish()?;
        let order_facts: Fields = match orders.column_by_name("facts").map(|column| column.data_type().clone()) {
            Some(DataType::Struct(fields)) => fields,
            _ => Fields::empty(),
        };
        let facts = self.facts.finish()?;
        let mut fields: Vec<Arc<Field>> =
            schema::resource(facts.fields().clone(), order_facts).iter().cloned().collect();
        let mut columns = vec![
            self.site.finish()?,
            self.account.finish()?,
            self.id.finish()?,
            self.product.finish()?,
            self.region.finish()?,
            self.billing.finish(),
            self.seller.finish(),
            self.status.finish(),
            self.purchased_at.finish_time(),
            self.starts_at.finish_time(),
            self.ends_at.finish_time(),
            self.primary.finish()?,
            self.relation.finish(),
            self.bundle.finish()?,
            self.quantity.finish_decimal(),
            Arc::new(self.commitments.finish()?),
            Arc::new(self.prices.finish()?),
            self.order_bounds.finish(orders)?,
            Arc::new(facts) as ArrayRef,
        ];
        if let Some(instants) = at {
            let mut column = Times::default();
            instants.iter().for_each(|instant| column.time(Some(*instant)));
            fields.push(Arc::new(schema::optional("at", schema::timestamp())));
            columns.push(column.finish_time());
        }
        record(fields.into(), columns, None, self.rows)
    }
}

/// Makes a batch of owned records. Where `at` is given, each is assessed at its own instant.
///
/// # Errors
/// Where Arrow refuses the columns, because texts are too long together.
pub fn resources(all: &[ResourceRecord], at: Option<&[Instant]>) -> Result<StructArray, ArrowError> {
    let mut batch = BatchBuilder::default();
    all.iter().for_each(|record| batch.push(&record.lend()));
    batch.finish(at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn flags_of_rows_are_those_of_their_columns(
            rows in prop::collection::vec(prop::collection::vec(prop::option::of(any::<bool>()), 4), 0..200),
        ) {
            let flags = [0, 31, 62, Flag::ALL.len() - 1].map(|place| Flag::ALL[place]);
            let sets: Vec<FlagSet> = rows
                .iter()
                .map(|row| {
                    let mut set = FlagSet::EMPTY;
                    flags.iter().zip(row).filter_map(|(flag, value)| value.map(|value| (*flag, value))).for_each(|(flag, value)| set.set(flag, value));
                    set
                })
                .collect();
            let columns = flag_columns(&sets);
            for flag in Flag::ALL {
                let stated: Vec<Option<bool>> = sets.iter().map(|set| set.get(*flag)).collect();
                let column = columns.iter().find(|(other, _)| other == flag).map(|(_, column)| column.iter().collect::<Vec<_>>());
                prop_assert_eq!(column, stated.iter().any(Option::is_some).then_some(stated));
            }
        }
    }
}
