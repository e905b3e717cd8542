//! Growing columns: plain vectors, assembled into Arrow arrays at the end of a batch.
//!
//! Most cells of an assessment are empty: few exits have a review, fewer a charge. So nothing is done for
//! an empty cell: the vectors catch up when the next cell is filled ([`Values::put`]), and only from the
//! first gap on does a column note which of its cells are there ([`Filled`]).

#![allow(unsafe_code, reason = "texts that come from `str` are not checked to be UTF-8 once more")]

use std::sync::Arc;

use arrow_array::types::{ArrowPrimitiveType, Decimal128Type, TimestampMicrosecondType};
use arrow_array::{Array, ArrayRef, ListArray, PrimitiveArray, StringArray, StructArray};
use arrow_buffer::{BooleanBuffer, Buffer, NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow_schema::{ArrowError, DataType, Field, Fields};
use recoup_core::money::{Amount, Number};
use recoup_core::time::Instant;

/// Which cells of a column are filled. Costs next to nothing while all are.
#[derive(Debug, Default)]
struct Filled(Option<Bits>);

impl Filled {
    /// The next cell is filled.
    #[inline]
    fn put(&mut self) {
        if let Some(bits) = &mut self.0 {
            bits.push(true);
        }
    }

    /// The cells from `from` to `to` are empty, all before are noted.
    fn skip(&mut self, from: usize, to: usize) {
        let bits = self.0.get_or_insert_with(|| Bits::of_ones(from));
        bits.push_zeros(to.saturating_sub(from));
    }

    /// As Arrow wants it: nothing where no cell is empty.
    fn finish(self) -> Option<NullBuffer> {
        self.0.map(|mut bits| NullBuffer::new(bits.finish()))
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
    fn of_ones(len: usize) -> Self {
        Self { words: vec![u64::MAX; len / 64], last: (1 << (len % 64)) - 1, len }
    }

    #[inline]
    fn push(&mut self, bit: bool) {
        let place = self.len % 64;
        self.last |= u64::from(bit) << place;
        self.len += 1;
        if place == 63 {
            self.words.push(std::mem::take(&mut self.last));
        }
    }

    fn push_zeros(&mut self, count: usize) {
        let to = self.len + count;
        if to / 64 > self.len / 64 {
            self.words.push(std::mem::take(&mut self.last));
            self.words.resize(to / 64, 0);
        }
        self.len = to;
    }

    fn flip(&mut self, place: usize) {
        if let Some(word) = self.words.get_mut(place / 64) {
            *word ^= 1 << (place % 64);
        } else {
            self.last ^= 1 << (place % 64);
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
    filled: Filled,
    len: usize,
}

pub(crate) type Decimals = Values<Decimal128Type>;
pub(crate) type Times = Values<TimestampMicrosecondType>;

impl<T: ArrowPrimitiveType> Default for Values<T> {
    fn default() -> Self {
        Self { values: Vec::new(), filled: Filled::default(), len: 0 }
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
        self.filled.put();
        self.values.push(value);
    }

    /// States how many rows there are, the last of which may be empty.
    pub(crate) fn close(&mut self, rows: usize) -> &mut Self {
        self.len = rows;
        self
    }

    #[inline(never)]
    fn catch_up(&mut self, to: usize) {
        self.filled.skip(self.values.len(), to);
        self.values.resize(to, T::Native::default());
    }

    /// Makes room, so that a column of known length does not grow step by step.
    pub(crate) fn reserve(&mut self, rows: usize) {
        self.values.reserve(rows);
    }

    /// Whether no cell was ever filled.
    pub(crate) fn is_blank(&self) -> bool {
        self.values.is_empty()
    }

    fn finish_as(&mut self, data_type: DataType) -> ArrayRef {
        let mut own = std::mem::take(self);
        if own.values.is_empty() && own.len > 0 {
            return Arc::new(PrimitiveArray::<T>::new_null(own.len).with_data_type(data_type));
        }
        if own.values.len() < own.len {
            own.catch_up(own.len);
        }
        let values = ScalarBuffer::from(own.values);
        Arc::new(PrimitiveArray::<T>::new(values, own.filled.finish()).with_data_type(data_type))
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

/// Which of some rows are there: those at these places.
pub(crate) fn only(rows: usize, places: impl Iterator<Item = usize>) -> Option<NullBuffer> {
    let mut bits = Bits { words: vec![0; rows / 64], last: 0, len: rows };
    places.for_each(|place| bits.flip(place));
    bits.finish_nulls()
}

/// Which of some rows are there: all but those at these places.
pub(crate) fn all_but(rows: usize, places: impl Iterator<Item = usize>) -> Option<NullBuffer> {
    let mut places = places.peekable();
    places.peek()?;
    let mut bits = Bits::of_ones(rows);
    places.for_each(|place| bits.flip(place));
    bits.finish_nulls()
}

/// A column of texts.
#[derive(Debug)]
pub(crate) struct Texts {
    bytes: Vec<u8>,
    /// Where each text begins, and where the last one ends.
    offsets: Vec<i32>,
    filled: Filled,
    len: usize,
}

impl Default for Texts {
    fn default() -> Self {
        Self { bytes: Vec::new(), offsets: vec![0], filled: Filled::default(), len: 0 }
    }
}

impl Texts {
    /// Makes room for texts of so many bytes each.
    pub(crate) fn reserve(&mut self, rows: usize, bytes: usize) {
        self.offsets.reserve(rows);
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
        if self.offsets.len() <= row {
            self.catch_up(row);
        }
        self.filled.put();
        self.bytes.extend_from_slice(text.as_bytes());
        self.offsets.push(offset(self.bytes.len()));
    }

    /// As [`Values::close`].
    pub(crate) fn close(&mut self, rows: usize) -> &mut Self {
        self.len = rows;
        self
    }

    #[inline(never)]
    fn catch_up(&mut self, to: usize) {
        self.filled.skip(self.offsets.len() - 1, to);
        self.offsets.resize(to + 1, offset(self.bytes.len()));
    }

    /// Closes the column.
    ///
    /// # Errors
    /// Where the texts are longer together than a column of Arrow may be.
    pub(crate) fn finish(&mut self) -> Result<ArrayRef, ArrowError> {
        let mut own = std::mem::take(self);
        if own.offsets.len() <= own.len {
            own.catch_up(own.len);
        }
        whole(own.bytes.len())?;
        let (offsets, bytes) = (OffsetBuffer::new(ScalarBuffer::from(own.offsets)), Buffer::from_vec(own.bytes));
        // SAFETY: the offsets grow, end at the length of the bytes, which fits them, and lie between whole texts,
        // since bytes come in only as whole `str`s; there is a bit for each text, where there are bits.
        Ok(Arc::new(unsafe { StringArray::new_unchecked(offsets, bytes, own.filled.finish()) }))
    }
}

/// A place in a column, as Arrow counts. What does not fit is refused when the column is closed.
#[inline]
fn offset(place: usize) -> i32 {
    i32::try_from(place).unwrap_or(i32::MAX)
}

/// Refuses a column that is longer than its offsets can say.
fn whole(len: usize) -> Result<(), ArrowError> {
    i32::try_from(len).map(|_| ()).map_err(|_| ArrowError::OffsetOverflowError(len))
}

/// A column of texts that say one of few things, such as the site of a resource: every row is the number of a
/// label, and empty where there is none.
///
/// # Errors
/// As [`Texts::finish`].
pub(crate) fn labelled(
    rows: &(impl ExactSizeIterator<Item = usize> + Clone),
    labels: &[Option<&str>],
) -> Result<ArrayRef, ArrowError> {
    const SHORT: usize = 16;
    let mut texts = Texts::default();
    texts.reserve(rows.len().saturating_add(1), SHORT);
    if labels.iter().flatten().all(|label| label.len() <= SHORT) {
        // A short label is copied with what stands behind it, which the next one covers: that is a single move.
        let padded = |label: &Option<&str>| {
            let bytes = label.unwrap_or_default().as_bytes();
            let mut padded = [0; SHORT];
            padded.iter_mut().zip(bytes).for_each(|(place, byte)| *place = *byte);
            (padded, bytes.len())
        };
        let padded: Vec<([u8; SHORT], usize)> = labels.iter().map(padded).collect();
        for row in rows.clone() {
            let (label, len) = padded.get(row).unwrap_or(&([0; SHORT], 0));
            let end = texts.bytes.len() + len;
            texts.bytes.extend_from_slice(label);
            texts.bytes.truncate(end);
            texts.offsets.push(offset(end));
        }
    } else {
        for row in rows.clone() {
            let label = labels.get(row).copied().flatten().unwrap_or_default();
            texts.bytes.extend_from_slice(label.as_bytes());
            texts.offsets.push(offset(texts.bytes.len()));
        }
    }
    let is_missing = |row: usize| labels.get(row).is_none_or(Option::is_none);
    if labels.contains(&None) || rows.clone().any(is_missing) {
        let mut bits = Bits::default();
        rows.clone().for_each(|row| bits.push(!is_missing(row)));
        texts.filled = Filled(Some(bits));
    }
    texts.close(rows.len()).finish()
}

/// A column of short texts that stand in some rows, in order; the others are empty, and none is missing.
///
/// # Errors
/// As [`Texts::finish`].
pub(crate) fn labels_at<'l>(
    rows: usize,
    labels: impl Iterator<Item = (usize, &'l str)>,
) -> Result<ArrayRef, ArrowError> {
    let mut texts = Texts::default();
    texts.offsets.reserve(rows);
    for (row, label) in labels {
        texts.offsets.resize(row + 1, offset(texts.bytes.len()));
        texts.bytes.extend_from_slice(label.as_bytes());
        texts.offsets.push(offset(texts.bytes.len()));
    }
    texts.offsets.resize(rows + 1, offset(texts.bytes.len()));
    texts.close(rows).finish()
}

/// A column of lists, none of them unknown, by where each ends among their elements.
///
/// # Errors
/// Where there are more elements than a column may hold.
pub(crate) fn lists(ends: impl Iterator<Item = i32>, items: StructArray) -> Result<ArrayRef, ArrowError> {
    whole(items.len())?;
    let offsets: Vec<i32> = std::iter::once(0).chain(ends).collect();
    let field = Arc::new(Field::new("item", items.data_type().clone(), false));
    let offsets = OffsetBuffer::new(ScalarBuffer::from(offsets));
    Ok(Arc::new(ListArray::try_new(field, offsets, Arc::new(items), None)?))
}

/// The bounds of a column of lists.
#[derive(Debug)]
pub(crate) struct Bounds {
    /// Where each list begins, and where the last one ends.
    offsets: Vec<i32>,
    items: usize,
    filled: Filled,
    len: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { offsets: vec![0], items: 0, filled: Filled::default(), len: 0 }
    }
}

impl Bounds {
    /// Closes a row that has `count` elements; `None` is a list that is unknown.
    #[inline]
    pub(crate) fn push(&mut self, count: Option<usize>) {
        match count {
            None => self.filled.skip(self.len, self.len + 1),
            Some(_) => self.filled.put(),
        }
        self.len += 1;
        self.add(count.unwrap_or(0));
    }

    /// Closes the next row of a column in which none is unknown.
    #[inline]
    pub(crate) fn add(&mut self, count: usize) {
        self.items = self.items.saturating_add(count);
        self.offsets.push(offset(self.items));
    }

    /// Closes a row after those closed before, that has `count` elements; the lists between are empty. A column
    /// that is filled like this has no unknown lists.
    #[inline]
    pub(crate) fn put(&mut self, row: usize, count: usize) {
        if count > 0 {
            if self.offsets.len() <= row {
                self.offsets.resize(row + 1, offset(self.items));
            }
            self.add(count);
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
        whole(own.items)?;
        own.offsets.resize(own.len + 1, offset(own.items));
        let field = Arc::new(Field::new("item", items.data_type().clone(), false));
        let offsets = OffsetBuffer::new(ScalarBuffer::from(own.offsets));
        Ok(Arc::new(ListArray::try_new(field, offsets, Arc::new(items), own.filled.finish())?))
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
