//! Growing columns: plain vectors, assembled into Arrow arrays at the end of a batch.
//!
//! Most cells of an assessment are empty: few exits have a review, fewer a charge. So nothing is done for
//! an empty cell: the vectors catch up when the next cell is filled ([`Values::put`]), and what was left
//! out is remembered as a gap.

use std::sync::Arc;

use arrow_array::types::{ArrowPrimitiveType, Decimal128Type, TimestampMicrosecondType};
use arrow_array::{Array, ArrayRef, BooleanArray, ListArray, PrimitiveArray, StringArray, StructArray};
use arrow_buffer::{BooleanBuffer, BooleanBufferBuilder, Buffer, NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow_schema::{ArrowError, DataType, Field, Fields};
use recoup_core::money::{Amount, Number};
use recoup_core::time::Instant;

/// Runs of rows that are missing, as half-open ranges in order.
#[derive(Debug, Default)]
struct Gaps(Vec<(usize, usize)>);

impl Gaps {
    #[inline]
    fn add(&mut self, from: usize, to: usize) {
        self.0.push((from, to));
    }

    /// As Arrow wants it: nothing where no row is missing.
    fn finish(self, len: usize) -> Option<NullBuffer> {
        if self.0.is_empty() {
            return None;
        }
        let mut bits = BooleanBufferBuilder::new(len);
        for (from, to) in self.0 {
            bits.append_n(from.saturating_sub(bits.len()), true);
            bits.append_n(to.saturating_sub(from), false);
        }
        bits.append_n(len.saturating_sub(bits.len()), true);
        Some(NullBuffer::new(bits.finish()))
    }
}

/// A row of bits.
#[derive(Debug, Default)]
struct Bits {
    words: Vec<u64>,
    /// The bits that do not fill a word yet.
    last: u64,
    len: usize,
}

impl Bits {
    #[inline]
    fn push(&mut self, bit: bool) {
        let place = self.len % 64;
        self.last |= u64::from(bit) << place;
        self.len += 1;
        if place == 63 {
            self.words.push(std::mem::take(&mut self.last));
        }
    }

    fn finish(&mut self) -> BooleanBuffer {
        let Self { mut words, last, len } = std::mem::take(self);
        words.push(last);
        BooleanBuffer::new(Buffer::from_vec(words), 0, len)
    }

    /// As Arrow wants validity: nothing where every bit is set.
    fn finish_nulls(&mut self) -> Option<NullBuffer> {
        Some(NullBuffer::new(self.finish())).filter(|nulls| nulls.null_count() > 0)
    }
}

/// A column of fixed-width values.
#[derive(Debug)]
pub(crate) struct Values<T: ArrowPrimitiveType> {
    values: Vec<T::Native>,
    gaps: Gaps,
    len: usize,
}

pub(crate) type Decimals = Values<Decimal128Type>;
pub(crate) type Times = Values<TimestampMicrosecondType>;

impl<T: ArrowPrimitiveType> Default for Values<T> {
    fn default() -> Self {
        Self { values: Vec::new(), gaps: Gaps::default(), len: 0 }
    }
}

impl<T: ArrowPrimitiveType> Values<T> {
    #[inline]
    pub(crate) fn push(&mut self, value: Option<T::Native>) {
        if let Some(value) = value {
            self.put(self.len, value);
        }
        self.len += 1;
    }

    /// Fills the cell of a row after those filled before; the rows between are empty. A column that is
    /// filled like this is closed with its number of rows.
    #[inline]
    pub(crate) fn put(&mut self, row: usize, value: T::Native) {
        if self.values.len() < row {
            self.catch_up(row);
        }
        self.values.push(value);
    }

    /// States how many rows there are, the last of which may be empty.
    pub(crate) fn close(&mut self, rows: usize) -> &mut Self {
        self.len = rows;
        self
    }

    #[inline]
    fn catch_up(&mut self, to: usize) {
        let from = self.values.len();
        if from < to {
            self.gaps.add(from, to);
            self.values.extend(std::iter::repeat_n(T::Native::default(), to - from));
        }
    }

    /// Makes room, so that a column of known length does not grow step by step.
    pub(crate) fn reserve(&mut self, rows: usize) {
        self.values.reserve(rows);
    }

    fn finish_as(&mut self, data_type: DataType) -> ArrayRef {
        let mut own = std::mem::take(self);
        own.catch_up(own.len);
        let values = ScalarBuffer::from(own.values);
        Arc::new(PrimitiveArray::<T>::new(values, own.gaps.finish(own.len)).with_data_type(data_type))
    }

    pub(crate) fn finish(&mut self) -> ArrayRef {
        self.finish_as(T::DATA_TYPE)
    }
}

impl Decimals {
    #[inline]
    pub(crate) fn amount(&mut self, value: Option<Amount>) {
        self.push(value.map(Amount::units));
    }

    #[inline]
    pub(crate) fn number(&mut self, value: Option<Number>) {
        self.push(value.map(Number::units));
    }

    pub(crate) fn finish_decimal(&mut self) -> ArrayRef {
        self.finish_as(crate::schema::DECIMAL)
    }
}

impl Times {
    #[inline]
    pub(crate) fn time(&mut self, value: Option<Instant>) {
        self.push(value.map(Instant::micros));
    }

    pub(crate) fn finish_time(&mut self) -> ArrayRef {
        self.finish_as(crate::schema::timestamp())
    }
}

/// A column of texts.
#[derive(Debug, Default)]
pub(crate) struct Texts {
    bytes: Vec<u8>,
    /// Where each text ends.
    ends: Vec<i32>,
    gaps: Gaps,
    len: usize,
}

impl Texts {
    /// Makes room for texts of so many bytes each.
    pub(crate) fn reserve(&mut self, rows: usize, bytes: usize) {
        self.ends.reserve(rows);
        self.bytes.reserve(rows.saturating_mul(bytes));
    }

    #[inline]
    pub(crate) fn push(&mut self, value: Option<&str>) {
        if let Some(text) = value {
            self.put(self.len, text);
        }
        self.len += 1;
    }

    /// As [`Values::put`].
    #[inline]
    pub(crate) fn put(&mut self, row: usize, text: &str) {
        if self.ends.len() < row {
            self.catch_up(row);
        }
        self.bytes.extend_from_slice(text.as_bytes());
        self.ends.push(self.end());
    }

    /// As [`Values::close`].
    pub(crate) fn close(&mut self, rows: usize) -> &mut Self {
        self.len = rows;
        self
    }

    #[inline]
    fn end(&self) -> i32 {
        // What does not fit is refused when the column is closed.
        i32::try_from(self.bytes.len()).unwrap_or(i32::MAX)
    }

    fn catch_up(&mut self, to: usize) {
        if self.ends.len() < to {
            self.gaps.add(self.ends.len(), to);
            self.ends.resize(to, self.end());
        }
    }

    /// Closes the column.
    ///
    /// # Errors
    /// Where the texts are longer together than a column of Arrow may be.
    pub(crate) fn finish(&mut self) -> Result<ArrayRef, ArrowError> {
        let mut own = std::mem::take(self);
        own.catch_up(own.len);
        let mut offsets = Vec::with_capacity(own.ends.len() + 1);
        offsets.push(0);
        offsets.extend_from_slice(&own.ends);
        let (offsets, bytes) = (OffsetBuffer::new(ScalarBuffer::from(offsets)), Buffer::from_vec(own.bytes));
        Ok(Arc::new(StringArray::try_new(offsets, bytes, own.gaps.finish(own.len))?))
    }
}

/// A column of yes and no.
#[derive(Debug, Default)]
pub(crate) struct Truths {
    values: Bits,
    known: Bits,
}

impl Truths {
    #[inline]
    pub(crate) fn push(&mut self, value: Option<bool>) {
        self.values.push(value.unwrap_or(false));
        self.known.push(value.is_some());
    }

    pub(crate) fn finish(&mut self) -> ArrayRef {
        Arc::new(BooleanArray::new(self.values.finish(), self.known.finish_nulls()))
    }
}

/// The bounds of a column of lists.
#[derive(Debug, Default)]
pub(crate) struct Bounds {
    /// Where each list ends.
    ends: Vec<i32>,
    items: usize,
    gaps: Gaps,
    len: usize,
}

impl Bounds {
    /// Makes room.
    pub(crate) fn reserve(&mut self, rows: usize) {
        self.ends.reserve(rows);
    }

    #[inline]
    fn end(&self) -> i32 {
        i32::try_from(self.items).unwrap_or(i32::MAX)
    }

    /// Closes a row that has `count` elements; `None` is a list that is unknown.
    #[inline]
    pub(crate) fn push(&mut self, count: Option<usize>) {
        match count {
            None => {
                self.gaps.add(self.len, self.len + 1);
            }
            Some(count) => self.put(self.len, count),
        }
        self.len += 1;
    }

    /// Closes a row after those closed before, that has `count` elements; the lists between are empty.
    #[inline]
    pub(crate) fn put(&mut self, row: usize, count: usize) {
        if count > 0 {
            if self.ends.len() < row {
                self.ends.resize(row, self.end());
            }
            self.items = self.items.saturating_add(count);
            self.ends.push(self.end());
        }
    }

    /// As [`Values::close`].
    pub(crate) fn close(&mut self, rows: usize) -> &mut Self {
        self.len = rows;
        self
    }

    /// How many elements there are in all lists.
    #[inline]
    pub(crate) fn items(&self) -> usize {
        self.items
    }

    pub(crate) fn finish(&mut self, items: StructArray) -> Result<ArrayRef, ArrowError> {
        let mut own = std::mem::take(self);
        own.ends.resize(own.len, own.end());
        let mut offsets = Vec::with_capacity(own.len + 1);
        offsets.push(0);
        offsets.extend_from_slice(&own.ends);
        let field = Arc::new(Field::new("item", items.data_type().clone(), false));
        let offsets = OffsetBuffer::new(ScalarBuffer::from(offsets));
        Ok(Arc::new(ListArray::try_new(field, offsets, Arc::new(items), own.gaps.finish(own.len))?))
    }
}

/// A column of which rows of a struct are there at all.
#[derive(Debug, Default)]
pub(crate) struct Presence(Bits);

impl Presence {
    #[inline]
    pub(crate) fn push(&mut self, present: bool) {
        self.0.push(present);
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len
    }

    pub(crate) fn finish(&mut self) -> Option<NullBuffer> {
        self.0.finish_nulls()
    }
}

/// A struct of columns, whose length is stated so that it may have no columns at all.
pub(crate) fn record(
    fields: Fields,
    columns: Vec<ArrayRef>,
    nulls: Option<NullBuffer>,
    len: usize,
) -> Result<StructArray, ArrowError> {
    StructArray::try_new_with_length(fields, columns, nulls, len)
}
