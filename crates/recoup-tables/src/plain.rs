//! A portfolio's columns as the boundary's, without a record in between.
//!
//! What is read here means what `recoup_core::record` reads in it, or its row is marked and read there:
//! a negative amount, an end before its start, a word that nobody knows.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{
    Array, ArrayRef, BooleanArray, Decimal128Array, ListArray, StringArray, StructArray, TimestampMicrosecondArray,
    UInt8Array, UInt32Array, new_null_array,
};
use arrow_buffer::{OffsetBuffer, ScalarBuffer};
use arrow_schema::{DataType, Field, Fields};
use arrow_select::nullif::nullif;
use recoup_core::fact::{Figure, Flag, Moment, Text};
use recoup_core::money::Number;
use recoup_core::record::{ZoneOf, limits};
use recoup_core::time::Zone;
use recoup_core::vocab::{
    Billing, Class, Instrument, OrderKind, OrderStatus, PaymentOption, Recurrence, Relation, Seller, Status, TermUnit,
};
use recoup_plugin::schema;
use serde_json::{Map, Value};

use crate::cells;
use crate::odd::{Marks, Unplain, owner};

type Plainly<T> = Result<T, Unplain>;

/// A table whose rows were taken as they are, but for those that are marked.
pub(crate) struct Plain {
    pub(crate) provider: StringArray,
    /// The boundary's columns.
    pub(crate) columns: StructArray,
    pub(crate) marks: Marks,
}

/// The code of a word, where its vocabulary knows it.
macro_rules! code {
    ($vocabulary:ty) => {
        |word: &str| <$vocabulary>::parse(word).ok().map(<$vocabulary>::code)
    };
}

/// A struct of columns, or the items of a list, on the way to being read.
struct Part<'a> {
    array: &'a StructArray,
    marks: Marks,
    zone_of: &'a dyn Fn(usize) -> Zone,
}

impl<'a> Part<'a> {
    fn new(array: &'a StructArray, zone_of: &'a dyn Fn(usize) -> Zone) -> Self {
        Self { array, marks: Marks::new(array.len()), zone_of }
    }

    fn len(&self) -> usize {
        self.array.len()
    }

    /// A column. Where its struct is null, so is everything in it.
    fn column(&self, name: &str) -> ArrayRef {
        match self.array.column_by_name(name) {
            None => cells::missing(self.len()),
            Some(column) => self.masked(column),
        }
    }

    fn masked(&self, column: &ArrayRef) -> ArrayRef {
        let Some(nulls) = self.array.nulls().filter(|nulls| nulls.null_count() > 0) else {
            return Arc::clone(column);
        };
        let absent = BooleanArray::new(!nulls.inner(), None);
        nullif(column.as_ref(), &absent).unwrap_or_else(|_| Arc::clone(column))
    }

    fn texts(&mut self, name: &str) -> Plainly<StringArray> {
        cells::texts(&self.column(name), &mut self.marks)
    }

    fn required_texts(&mut self, name: &str) -> Plainly<StringArray> {
        cells::required_texts(&self.column(name), &mut self.marks)
    }

    fn codes(&mut self, name: &str, parse: impl Fn(&str) -> Option<u8>) -> Plainly<UInt8Array> {
        cells::codes(&self.column(name), parse, &mut self.marks)
    }

    fn required_codes(&mut self, name: &str, parse: impl Fn(&str) -> Option<u8>) -> Plainly<UInt8Array> {
        cells::required_codes(&self.column(name), parse, &mut self.marks)
    }

    fn currencies(&mut self, name: &str) -> Plainly<StringArray> {
        cells::currencies(&self.column(name), &mut self.marks)
    }

    fn decimals(&mut self, name: &str) -> Plainly<Decimal128Array> {
        cells::decimals(&self.column(name), &mut self.marks)
    }

    fn counts(&mut self, name: &str) -> Plainly<UInt32Array> {
        cells::counts(&self.column(name), &mut self.marks)
    }

    fn instants(&mut self, name: &str) -> Plainly<TimestampMicrosecondArray> {
        cells::instants(&self.column(name), self.zone_of, &mut self.marks)
    }

    /// Marks rows that say something which is only understood, or refused, where the record is read.
    fn odd_where_stated(&mut self, column: &dyn Array) {
        if *column.data_type() != DataType::Null {
            (0..column.len()).filter(|row| column.is_valid(*row)).for_each(|row| self.marks.odd(row));
        }
    }

    /// Has a name that is not understood be remarked upon, where a row states it.
    fn remark_on_unknown(&mut self, known: &[Field]) {
        for (field, column) in self.array.fields().iter().zip(self.array.columns()) {
            if !known.iter().any(|known| known.name() == field.name()) {
                self.remark_where_stated(column);
            }
        }
    }

    fn remark_where_stated(&mut self, column: &ArrayRef) {
        let column = self.masked(column);
        if *column.data_type() != DataType::Null
            && let Some(row) = (0..column.len()).find(|row| column.is_valid(*row))
        {
            self.marks.curious(row);
        }
    }

    /// Where both ends of a period are there, it may not end before it begins.
    fn period(&mut self, starts_at: &TimestampMicrosecondArray, ends_at: &TimestampMicrosecondArray) {
        for (row, (start, end)) in starts_at.values().iter().zip(ends_at.values()).enumerate() {
            if end < start && starts_at.is_valid(row) && ends_at.is_valid(row) {
                self.marks.odd(row);
            }
        }
    }

    /// The facts that rows, or orders, state.
    fn facts(&mut self) -> Plainly<StructArray> {
        let column = self.column("facts");
        let (mut fields, mut columns): (Vec<Field>, Vec<ArrayRef>) = (Vec::new(), Vec::new());
        match column.as_struct_opt() {
            Some(facts) => {
                let mut part = Part::new(facts, self.zone_of);
                for name in facts.column_names() {
                    let column = part.column(name);
                    // Of most facts nothing is stated by anybody.
                    if column.logical_null_count() == column.len() {
                        continue;
                    }
                    if let Some(read) = part.fact(name, &column)? {
                        fields.push(schema::optional(name, read.data_type().clone()));
                        columns.push(read);
                    } else {
                        part.remark_where_stated(&column);
                    }
                }
                self.marks.join(&part.marks);
            }
            // JSON text, or a map, or something that is refused.
            None => self.odd_where_stated(column.as_ref()),
        }
        StructArray::try_new_with_length(fields.into(), columns, None, self.len()).map_err(|_| Unplain)
    }

    /// A fact; none where no fact has the name.
    fn fact(&mut self, name: &str, column: &ArrayRef) -> Plainly<Option<ArrayRef>> {
        Ok(Some(if Flag::parse(name).is_ok() {
            Arc::new(cells::truths(column)?)
        } else if Figure::parse(name).is_ok() {
            Arc::new(cells::decimals(column, &mut self.marks)?)
        } else if Text::parse(name).is_ok() {
            Arc::new(cells::long_texts(column)?)
        } else if Moment::parse(name).is_ok() {
            Arc::new(cells::instants(column, self.zone_of, &mut self.marks)?)
        } else {
            return Ok(None);
        }))
    }

    /// A list of structs: its bounds, and its items alone.
    fn list(&mut self, name: &str, limit: usize) -> Option<(ListArray, StructArray)> {
        let column = self.column(name);
        let Some(list) = short_list(&column).filter(|list| list.values().as_struct_opt().is_some()) else {
            // JSON text, or something that is refused. What nobody states is a list that is unknown.
            self.odd_where_stated(column.as_ref());
            return None;
        };
        for row in 0..list.len() {
            let length = usize::try_from(list.value_length(row)).unwrap_or(usize::MAX);
            if length > limit || (list.is_null(row) && length > 0) {
                self.marks.odd(row);
            }
        }
        let (first, last) = match list.value_offsets() {
            [first, .., last] => (*first, *last),
            _ => (0, 0),
        };
        let [start, length] = [first, last.saturating_sub(first)].map(|bound| usize::try_from(bound).unwrap_or(0));
        let items = list.values().as_struct().slice(start, length);
        Some((rebased(&list, first), items))
    }
}

/// A list with the boundary's kind of offsets, where they are small enough for it.
fn short_list(column: &ArrayRef) -> Option<ListArray> {
    let Some(long) = column.as_list_opt::<i64>() else { return column.as_list_opt::<i32>().cloned() };
    let (field, offsets, values, nulls) = long.clone().into_parts();
    let offsets: Option<Vec<i32>> = offsets.iter().map(|offset| i32::try_from(*offset).ok()).collect();
    ListArray::try_new(field, OffsetBuffer::new(ScalarBuffer::from(offsets?)), values, nulls).ok()
}

/// The list with offsets that begin at nothing, as its items do once they stand alone.
fn rebased(list: &ListArray, first: i32) -> ListArray {
    if first == 0 {
        return list.clone();
    }
    let (field, offsets, values, nulls) = list.clone().into_parts();
    let moved: Vec<i32> = offsets.iter().map(|offset| offset.saturating_sub(first)).collect();
    let length = usize::try_from(first).map_or(0, |first| values.len().saturating_sub(first));
    let values = values.slice(values.len().saturating_sub(length), length);
    ListArray::new(field, OffsetBuffer::new(ScalarBuffer::from(moved)), values, nulls)
}

/// A list of items that have been read.
fn list_of(bounds: &ListArray, items: StructArray) -> Plainly<ArrayRef> {
    let field = Arc::new(Field::new("item", items.data_type().clone(), false));
    let list = ListArray::try_new(field, bounds.offsets().clone(), Arc::new(items), bounds.nulls().cloned());
    list.map(|list| Arc::new(list) as ArrayRef).map_err(|_| Unplain)
}

fn record(fields: &Fields, columns: Vec<ArrayRef>, rows: usize) -> Plainly<StructArray> {
    // What may not be missing is missing only in marked rows, which do not cross.
    let fields: Fields = fields.iter().map(|field| field.as_ref().clone().with_nullable(true)).collect();
    StructArray::try_new_with_length(fields, columns, None, rows).map_err(|_| Unplain)
}

fn payments(items: &StructArray, zone_of: &dyn Fn(usize) -> Zone) -> Plainly<(StructArray, Marks)> {
    let mut part = Part::new(items, zone_of);
    mark_nulls(&mut part);
    part.remark_on_unknown(&schema::payment().iter().map(|field| field.as_ref().clone()).collect::<Vec<_>>());
    let columns: Vec<ArrayRef> = vec![
        Arc::new(part.required_codes("instrument", code!(Instrument))?),
        Arc::new(cells::required_decimals(&part.column("amount"), &mut part.marks)?),
        Arc::new(part.instants("expires_at")?),
    ];
    Ok((record(&schema::payment(), columns, items.len())?, part.marks))
}

/// Items that are missing altogether are no items.
fn mark_nulls(part: &mut Part<'_>) {
    for row in (0..part.len()).filter(|row| part.array.is_null(*row)) {
        part.marks.odd(row);
    }
}

/// Marks orders whose payments do not add up to what was due. No payments at all stand beside a price
/// that is still to be paid.
fn sums(part: &mut Part<'_>, due: &Decimal128Array, bounds: &ListArray, amounts: &Decimal128Array) {
    for (order, ends) in bounds.value_offsets().windows(2).enumerate() {
        let [start, end] = [0, 1].map(|side| ends.get(side).and_then(|end| usize::try_from(*end).ok()).unwrap_or(0));
        if start == end || due.is_null(order) || bounds.is_null(order) {
            continue;
        }
        let paid = amounts.values().get(start..end).unwrap_or_default();
        let sum = paid.iter().try_fold(0_i128, |sum, amount| sum.checked_add(*amount));
        if sum != due.values().get(order).copied() {
            part.marks.odd(order);
        }
    }
}

/// The term of orders: months, or a count of the provider's own unit, which wins.
fn terms(part: &mut Part<'_>) -> Plainly<(UInt8Array, UInt32Array)> {
    let months = part.counts("term_months")?;
    let units = part.codes("term_unit", code!(TermUnit))?;
    let counts = part.counts("term_count")?;
    if months.null_count() == months.len() && units.nulls() == counts.nulls() {
        return Ok((units, counts));
    }
    let term = |order: usize| {
        let unit = units.is_valid(order).then(|| units.value(order));
        let count = counts.is_valid(order).then(|| counts.value(order));
        unit.zip(count).or_else(|| months.is_valid(order).then(|| (TermUnit::Month.code(), months.value(order))))
    };
    let terms: Vec<Option<(u8, u32)>> = (0..part.len()).map(term).collect();
    let units = terms.iter().map(|term| term.map(|(unit, _)| unit)).collect();
    Ok((units, terms.iter().map(|term| term.map(|(_, count)| count)).collect()))
}

fn orders(items: &StructArray, zone_of: &dyn Fn(usize) -> Zone) -> Plainly<(StructArray, Marks)> {
    let mut part = Part::new(items, zone_of);
    mark_nulls(&mut part);
    let mut known: Vec<Field> = schema::order(Fields::empty()).iter().map(|field| field.as_ref().clone()).collect();
    known.push(schema::optional("term_months", DataType::UInt32));
    part.remark_on_unknown(&known);
    let (starts_at, ends_at) = (part.instants("starts_at")?, part.instants("ends_at")?);
    part.period(&starts_at, &ends_at);
    let (term_unit, term_count) = terms(&mut part)?;
    let due = part.decimals("due")?;
    let payments: ArrayRef = match part.list("payments", limits::PAYMENTS) {
        None => new_null_array(&schema::list_of(schema::payment()), items.len()),
        Some((bounds, paid)) => {
            let zone_of_payment = |payment: usize| zone_of(owner(bounds.value_offsets(), payment).unwrap_or(0));
            let (paid, marks) = payments(&paid, &zone_of_payment)?;
            part.marks.fold(&marks, bounds.value_offsets());
            if let Some(amounts) = paid.column_by_name("amount") {
                sums(&mut part, &due, &bounds, amounts.as_primitive());
            }
            list_of(&bounds, paid)?
        }
    };
    let facts = part.facts()?;
    let columns: Vec<ArrayRef> = vec![
        Arc::new(part.texts("id")?),
        Arc::new(part.required_codes("kind", code!(OrderKind))?),
        Arc::new(part.required_codes("status", code!(OrderStatus))?),
        Arc::new(part.instants("placed_at")?),
        Arc::new(part.instants("paid_at")?),
        Arc::new(starts_at),
        Arc::new(ends_at),
        Arc::new(term_unit),
        Arc::new(term_count),
        Arc::new(part.decimals("quantity")?),
        Arc::new(part.currencies("currency")?),
        Arc::new(part.decimals("list_price")?),
        Arc::new(due),
        payments,
        Arc::new(facts.clone()),
    ];
    let fields = with_type_of(&schema::order(facts.fields().clone()), &columns);
    Ok((record(&fields, columns, items.len())?, part.marks))
}

/// The fields with the types that the columns turned out to have: fact columns differ by table, and a
/// list's items are nullable where only marked rows have nulls.
fn with_type_of(fields: &Fields, columns: &[ArrayRef]) -> Fields {
    let typed = fields.iter().zip(columns).map(|(field, column)| {
        let field = field.as_ref().clone();
        field.with_data_type(column.data_type().clone())
    });
    typed.collect()
}

fn commitments(array: &StructArray, zone_of: &dyn Fn(usize) -> Zone) -> Plainly<(StructArray, Marks)> {
    let mut part = Part::new(array, zone_of);
    part.remark_on_unknown(&schema::commitment().iter().map(|field| field.as_ref().clone()).collect::<Vec<_>>());
    let used_fraction = part.decimals("used_fraction")?;
    for (row, fraction) in used_fraction.iter().enumerate() {
        if fraction.is_some_and(|fraction| fraction > Number::ONE.units()) {
            part.marks.odd(row);
        }
    }
    let columns: Vec<ArrayRef> = vec![
        Arc::new(part.counts("term_months")?),
        Arc::new(part.codes("payment_option", code!(PaymentOption))?),
        Arc::new(part.decimals("hourly")?),
        Arc::new(part.currencies("currency")?),
        Arc::new(part.decimals("upfront")?),
        Arc::new(part.decimals("recurring")?),
        Arc::new(part.codes("recurring_every", code!(Recurrence))?),
        Arc::new(part.codes("class", code!(Class))?),
        Arc::new(part.texts("unit")?),
        Arc::new(part.decimals("total_units")?),
        Arc::new(part.decimals("used_units")?),
        Arc::new(used_fraction),
    ];
    let nulls = array.nulls().cloned();
    let read = StructArray::try_new_with_length(schema::commitment(), columns, nulls, array.len());
    Ok((read.map_err(|_| Unplain)?, part.marks))
}

/// Names of a portfolio's columns that no rule reads.
const UNREAD: [&str; 5] = ["provider", "name", "project", "tags", "stated"];

/// Zones of the rows, asked for once for each provider and site.
struct Zones<'a> {
    zone_of: &'a ZoneOf<'a>,
    provider: StringArray,
    site: StringArray,
    seen: RefCell<HashMap<(String, Option<String>), Zone>>,
}

impl Zones<'_> {
    fn of(&self, row: usize) -> Zone {
        let cell =
            |texts: &StringArray| (row < texts.len() && texts.is_valid(row)).then(|| texts.value(row).to_owned());
        let (provider, site) = (cell(&self.provider).unwrap_or_default(), cell(&self.site));
        let mut seen = self.seen.borrow_mut();
        let zone = || (self.zone_of)(&provider, site.as_deref()).unwrap_or(Zone::UTC);
        let zone = seen.get(&(provider.clone(), site.clone())).copied().unwrap_or_else(zone);
        seen.insert((provider, site), zone);
        zone
    }
}

/// Tags are not read, but a record whose tags are no map is refused.
fn tags(part: &mut Part<'_>) {
    let column = part.column("tags");
    if matches!(column.data_type(), DataType::Map(_, _) | DataType::Struct(_)) {
        return;
    }
    match cells::long_texts(&column) {
        Ok(texts) => {
            let is_map = |text: &str| serde_json::from_str::<Map<String, Value>>(text).is_ok();
            let wrong = texts.iter().enumerate().filter(|(_, text)| text.is_some_and(|text| !is_map(text)));
            wrong.for_each(|(row, _)| part.marks.odd(row));
        }
        Err(Unplain) => part.odd_where_stated(column.as_ref()),
    }
}

/// Reads a table.
pub(crate) fn read(table: &StructArray, zone_of: &ZoneOf<'_>) -> Plainly<Plain> {
    let mut marks = Marks::new(table.len());
    let whole = Part::new(table, &|_| Zone::UTC);
    let provider = cells::required_texts(&whole.column("provider"), &mut marks)?;
    let site = cells::texts(&whole.column("site"), &mut marks)?;
    let zones = Zones { zone_of, provider: provider.clone(), site: site.clone(), seen: RefCell::default() };
    let zone_of = |row: usize| zones.of(row);
    let mut part = Part { array: table, marks, zone_of: &zone_of };
    let mut known: Vec<Field> =
        schema::resource(Fields::empty(), Fields::empty()).iter().map(|field| field.as_ref().clone()).collect();
    known.extend(UNREAD.iter().map(|name| schema::optional(name, DataType::Utf8)));
    part.remark_on_unknown(&known);
    tags(&mut part);
    part.texts("name")?;
    part.texts("project")?;
    for name in ["price_terms", "stated"] {
        let column = part.column(name);
        part.odd_where_stated(column.as_ref());
    }
    let (starts_at, ends_at) = (part.instants("starts_at")?, part.instants("ends_at")?);
    part.period(&starts_at, &ends_at);
    let orders: ArrayRef = match part.list("orders", limits::ORDERS) {
        None => {
            let (none, _) = orders(&new_null_struct(0), &zone_of)?;
            new_null_array(&schema::list_of(none.fields().clone()), table.len())
        }
        Some((bounds, items)) => {
            let zone_of_order = |order: usize| zone_of(owner(bounds.value_offsets(), order).unwrap_or(0));
            let (items, marks) = orders(&items, &zone_of_order)?;
            part.marks.fold(&marks, bounds.value_offsets());
            list_of(&bounds, items)?
        }
    };
    let stated = part.column("commitment");
    let commitment = match stated.as_struct_opt() {
        Some(commitment) => {
            let (commitment, marks) = commitments(commitment, &zone_of)?;
            part.marks.join(&marks);
            commitment
        }
        None => {
            part.odd_where_stated(stated.as_ref());
            new_null_array(&DataType::Struct(schema::commitment()), table.len()).as_struct().clone()
        }
    };
    let facts = part.facts()?;
    let columns: Vec<ArrayRef> = vec![
        Arc::new(site),
        Arc::new(part.texts("account")?),
        Arc::new(part.required_texts("id")?),
        Arc::new(part.required_texts("product")?),
        Arc::new(part.texts("region")?),
        Arc::new(part.required_codes("billing", code!(Billing))?),
        Arc::new(part.codes("seller", code!(Seller))?),
        Arc::new(part.required_codes("status", code!(Status))?),
        Arc::new(part.instants("purchased_at")?),
        Arc::new(starts_at),
        Arc::new(ends_at),
        Arc::new(part.texts("primary")?),
        Arc::new(part.codes("relation", code!(Relation))?),
        Arc::new(part.texts("bundle")?),
        Arc::new(part.decimals("quantity")?),
        Arc::new(commitment),
        // Prices are read where the record is.
        new_null_array(&DataType::Struct(schema::price_terms()), table.len()),
        orders,
        Arc::new(facts),
    ];
    let fields = with_type_of(&schema::resource(Fields::empty(), Fields::empty()), &columns);
    Ok(Plain { provider, columns: record(&fields, columns, table.len())?, marks: part.marks })
}

/// A struct without columns.
fn new_null_struct(rows: usize) -> StructArray {
    StructArray::new_empty_fields(rows, None)
}
