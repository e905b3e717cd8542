//! Columns of texts that name one of few things: each different text gets a number, once a batch.

use std::collections::HashMap;

use arrow_array::{Array, StringArray};

/// How many texts are remembered by a place that their bytes tell, without a search.
const SLOTS: usize = 1024;
/// Whole words that are odd and look random, to spread the places.
const SPREAD: u64 = 0x9E37_79B9_7F4A_7C15;

/// The first sixteen bytes of a text as one number, and its length: of shorter texts that is all there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Mark {
    head: u128,
    /// One more than the length; nothing where there is no text.
    len: usize,
}

impl Mark {
    const NULL: Self = Self { head: 0, len: 0 };
    const WIDTH: usize = 16;

    /// The mark of the text between two places.
    #[inline]
    fn of(data: &[u8], start: usize, end: usize) -> Self {
        let len = end.saturating_sub(start);
        // What stands behind the text is read with it and cut off: that is one load.
        let head = match data.get(start..).and_then(|rest| rest.first_chunk::<{ Self::WIDTH }>()) {
            Some(head) => *head,
            None => Self::last_of(data, start),
        };
        let behind = Self::WIDTH.saturating_sub(len) * 8;
        let shift = u32::try_from(behind).unwrap_or(0);
        let head = u128::from_le_bytes(head).checked_shl(shift).unwrap_or(0);
        Self { head, len: len + 1 }
    }

    /// The last bytes of a column, with nothing behind them.
    #[cold]
    fn last_of(data: &[u8], start: usize) -> [u8; Self::WIDTH] {
        let mut head = [0; Self::WIDTH];
        head.iter_mut().zip(data.get(start..).unwrap_or_default()).for_each(|(place, byte)| *place = *byte);
        head
    }

    /// Whether the mark is all that there is of the text.
    #[inline]
    fn is_whole(self) -> bool {
        self.len <= Self::WIDTH + 1
    }

    /// Where the text is looked for first.
    #[inline]
    fn slot(self) -> usize {
        let [low, high] = [self.head, self.head >> 64].map(|half| half as u64);
        let mixed = (low ^ high.rotate_left(23) ^ self.len as u64).wrapping_mul(SPREAD);
        usize::try_from(mixed >> (64 - SLOTS.ilog2())).unwrap_or(0)
    }
}

/// A column whose texts have numbers.
#[derive(Debug)]
pub(crate) struct Names<'a> {
    numbers: Vec<u32>,
    distinct: Vec<Option<&'a str>>,
}

impl<'a> Names<'a> {
    /// Numbers the texts of a column, in the order in which they come first. A null is a text of its own.
    pub(crate) fn of(array: &'a StringArray) -> Self {
        let mut names = Self { numbers: Vec::with_capacity(array.len()), distinct: Vec::new() };
        if array.null_count() == array.len() {
            names.numbers.resize(array.len(), 0);
            names.distinct.push(None);
            return names;
        }
        let mut known: HashMap<Option<&'a str>, u32> = HashMap::new();
        let mut marks: Vec<Mark> = Vec::new();
        let mut slots = [0_u32; SLOTS];
        let (data, nulls) = (array.value_data(), array.nulls().filter(|nulls| nulls.null_count() > 0));
        for (row, (start, end)) in bounds(array).enumerate() {
            let is_null = nulls.is_some_and(|nulls| nulls.is_null(row));
            let mark = if is_null { Mark::NULL } else { Mark::of(data, start, end) };
            let slot = slots.get_mut(mark.slot());
            let guess = slot.as_ref().map_or(0, |slot| **slot);
            let is_same = || names.distinct.get(index(guess)).copied().flatten() == Some(array.value(row));
            if marks.get(index(guess)) == Some(&mark) && (mark.is_whole() || is_same()) {
                names.numbers.push(guess);
                continue;
            }
            let next = u32::try_from(names.distinct.len()).unwrap_or(u32::MAX);
            let text = (!is_null).then(|| array.value(row));
            let number = *known.entry(text).or_insert(next);
            if number == next {
                names.distinct.push(text);
                marks.push(mark);
            }
            if let Some(slot) = slot {
                *slot = number;
            }
            names.numbers.push(number);
        }
        names
    }

    /// The number of the text in a row.
    #[inline]
    pub(crate) fn number(&self, row: usize) -> usize {
        self.numbers.get(row).map_or(usize::MAX, |number| index(*number))
    }

    /// The text in a row.
    #[inline]
    pub(crate) fn get(&self, row: usize) -> Option<&'a str> {
        self.distinct.get(self.number(row)).copied().flatten()
    }

    /// The different texts, by number.
    pub(crate) fn distinct(&self) -> impl ExactSizeIterator<Item = Option<&'a str>> + '_ {
        self.distinct.iter().copied()
    }
}

/// Where each text of a column begins and ends among its bytes.
pub(crate) fn bounds(array: &StringArray) -> impl Iterator<Item = (usize, usize)> {
    let mut places = array.value_offsets().iter().map(|offset| index(offset.cast_unsigned()));
    let mut start = places.next().unwrap_or(0);
    places.map(move |end| (std::mem::replace(&mut start, end), end))
}

#[inline]
fn index(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_number_stands_for_its_text(texts in prop::collection::vec(prop::option::of("[ab]{0,4}|[a-c]{7,10}|aaaaaaaa[ab]{0,3}bbbbbbbb"), 0..300)) {
            let array = StringArray::from(texts.clone());
            let names = Names::of(&array);
            for (row, text) in texts.iter().enumerate() {
                prop_assert_eq!(names.get(row), text.as_deref());
            }
            let mut distinct: Vec<_> = names.distinct().collect();
            let all = distinct.len();
            distinct.sort_unstable();
            distinct.dedup();
            prop_assert_eq!(distinct.len(), all);
        }
    }
}
