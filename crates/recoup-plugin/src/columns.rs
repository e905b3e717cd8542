//! Growing columns: plain vectors with validity, assembled into Arrow arrays at the end of a batch.

use std::sync::Arc;

use arrow_array::builder::StringBuilder;
use arrow_array::types::{ArrowPrimitiveType, Decimal128Type, TimestampMicrosecondType};
use arrow_array::{Array, ArrayRef, BooleanArray, ListArray, PrimitiveArray, StructArray};
use arrow_buffer::{BooleanBuffer, Buffer, NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow_schema::{ArrowError, DataType, Field, Fields};
use recoup_core::money::{Amount, Number};
use recoup_core::time::Instant;

/// Which rows of a column are there, as a bit each.
#[derive(Debug, Default)]
pub(crate) struct Validity {
    words: Vec<u64>,
    /// The bits that do not fill a word yet.
    last: u64,
    len: usize,
}

impl Validity {
    #[inline]
    pub(crate) fn push(&mut self, valid: bool) {
        let place = self.len % 64;
        self.last |= u64::from(valid) << place;
        self.len += 1;
        if place == 63 {
            self.words.push(std::mem::take(&mut self.last));
        }
    }

    fn reserve(&mut self, rows: usize) {
        self.words.reserve(rows / 64 + 1);
    }

    fn bits(&mut self) -> BooleanBuffer {
        let Self { mut words, last, len } = std::mem::take(self);
        words.push(last);
        BooleanBuffer::new(Buffer::from_vec(words), 0, len)
    }

    /// As Arrow wants it: nothing where no row is missing.
    fn finish(&mut self) -> Option<NullBuffer> {
        Some(NullBuffer::new(self.bits())).filter(|nulls| nulls.null_count() > 0)
    }
}

/// A column of fixed-width values.
#[derive(Debug)]
pub(crate) struct Values<T: ArrowPrimitiveType> {
    values: Vec<T::Native>,
    nulls: Validity,
}

pub(crate) type Decimals = Values<Decimal128Type>;
pub(crate) type Times = Values<TimestampMicrosecondType>;

impl<T: ArrowPrimitiveType> Default for Values<T> {
    fn default() -> Self {
        Self { values: Vec::new(), nulls: Validity::default() }
    }
}

impl<T: ArrowPrimitiveType> Values<T> {
    #[inline]
    pub(crate) fn push(&mut self, value: Option<T::Native>) {
        self.values.push(value.unwrap_or_default());
        self.nulls.push(value.is_some());
    }

    /// Makes room, so that a column of known length does not grow step by step.
    pub(crate) fn reserve(&mut self, rows: usize) {
        self.values.reserve(rows);
        self.nulls.reserve(rows);
    }

    fn finish_as(&mut self, data_type: DataType) -> ArrayRef {
        let values = ScalarBuffer::from(std::mem::take(&mut self.values));
        Arc::new(PrimitiveArray::<T>::new(values, self.nulls.finish()).with_data_type(data_type))
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
pub(crate) struct Texts(StringBuilder);

impl Texts {
    /// Makes room for texts of so many bytes each.
    pub(crate) fn reserve(&mut self, rows: usize, bytes: usize) {
        self.0 = StringBuilder::with_capacity(rows, rows * bytes);
    }

    #[inline]
    pub(crate) fn push(&mut self, value: Option<&str>) {
        self.0.append_option(value);
    }

    pub(crate) fn finish(&mut self) -> ArrayRef {
        Arc::new(self.0.finish())
    }
}

/// A column of yes and no.
#[derive(Debug, Default)]
pub(crate) struct Truths {
    values: Validity,
    nulls: Validity,
}

impl Truths {
    pub(crate) fn push(&mut self, value: Option<bool>) {
        self.values.push(value.unwrap_or(false));
        self.nulls.push(value.is_some());
    }

    pub(crate) fn finish(&mut self) -> ArrayRef {
        Arc::new(BooleanArray::new(self.values.bits(), self.nulls.finish()))
    }
}

/// The bounds of a column of lists.
#[derive(Debug)]
pub(crate) struct Bounds {
    offsets: Vec<i32>,
    nulls: Validity,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { offsets: vec![0], nulls: Validity::default() }
    }
}

impl Bounds {
    /// Makes room.
    pub(crate) fn reserve(&mut self, rows: usize) {
        self.offsets.reserve(rows);
        self.nulls.reserve(rows);
    }

    /// Closes a row that has `count` elements; `None` is a list that is unknown.
    pub(crate) fn push(&mut self, count: Option<usize>) {
        let last = self.offsets.last().copied().unwrap_or(0);
        let count_here = i32::try_from(count.unwrap_or(0)).unwrap_or(0);
        self.offsets.push(last.saturating_add(count_here));
        self.nulls.push(count.is_some());
    }

    pub(crate) fn finish(&mut self, items: StructArray) -> Result<ArrayRef, ArrowError> {
        let offsets = std::mem::replace(&mut self.offsets, vec![0]);
        let field = Arc::new(Field::new("item", items.data_type().clone(), false));
        Ok(Arc::new(ListArray::try_new(
            field,
            OffsetBuffer::new(ScalarBuffer::from(offsets)),
            Arc::new(items),
            self.nulls.finish(),
        )?))
    }
}

/// A column of which rows of a struct are there at all.
#[derive(Debug, Default)]
pub(crate) struct Presence(Validity);

impl Presence {
    #[inline]
    pub(crate) fn push(&mut self, present: bool) {
        self.0.push(present);
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len
    }

    pub(crate) fn finish(&mut self) -> Option<NullBuffer> {
        self.0.finish()
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
