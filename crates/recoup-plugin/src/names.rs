//! Columns of texts that name one of few things: each different text gets a number, once a batch.

use std::collections::HashMap;

use arrow_array::{Array, StringArray};

/// How many texts are remembered by a place that their bytes tell, without a search.
const SLOTS: usize = 1024;
/// Whole words that are odd and look random, to spread the places.
const SPREAD: u64 = 0x9E37_79B9_7F4A_7C15;

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
        let mut slots = [0_u32; SLOTS];
        for text in texts(array) {
            let slot = slots.get_mut(slot_of(text));
            let guess = slot.as_ref().map_or(0, |slot| **slot);
            if names.distinct.get(index(guess)) == Some(&text) {
                names.numbers.push(guess);
                continue;
            }
            let next = u32::try_from(names.distinct.len()).unwrap_or(u32::MAX);
            let number = *known.entry(text).or_insert(next);
            if number == next {
                names.distinct.push(text);
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

/// The texts of a column; where none is null, nothing is asked for each.
fn texts(array: &StringArray) -> impl Iterator<Item = Option<&str>> {
    let all_there = array.null_count() == 0;
    (0..array.len()).map(move |row| (all_there || array.is_valid(row)).then(|| array.value(row)))
}

#[inline]
fn index(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

/// Where a text is looked for first: by its length and its first and last bytes.
#[inline]
fn slot_of(text: Option<&str>) -> usize {
    let bytes = text.unwrap_or_default().as_bytes();
    let ends = match (bytes.first_chunk::<8>(), bytes.last_chunk::<8>()) {
        (Some(first), Some(last)) => u64::from_le_bytes(*first) ^ u64::from_le_bytes(*last).rotate_left(23),
        _ => match (bytes.first_chunk::<4>(), bytes.last_chunk::<4>()) {
            (Some(first), Some(last)) => {
                u64::from(u32::from_le_bytes(*first)) ^ u64::from(u32::from_le_bytes(*last)).rotate_left(32)
            }
            _ => bytes.iter().fold(0, |all, byte| all << 8 | u64::from(*byte)),
        },
    };
    let mixed = (ends ^ bytes.len() as u64).wrapping_mul(SPREAD);
    usize::try_from(mixed >> (64 - SLOTS.ilog2())).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_number_stands_for_its_text(texts in prop::collection::vec(prop::option::of("[ab]{0,3}|[a-c]{7,10}"), 0..300)) {
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
