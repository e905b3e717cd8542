//! Which rows of a table cannot be taken as they are.

/// The table holds columns of a type that only reading row by row understands, or refuses.
#[derive(Debug)]
pub(crate) struct Unplain;

/// Marks on the rows of a table, or on the items of a list of it.
#[derive(Debug)]
pub(crate) struct Marks {
    odd: Vec<bool>,
    count: usize,
    /// Rows with something that is not understood and left out of account; one a name is enough to say so.
    curious: Vec<usize>,
}

impl Marks {
    pub(crate) fn new(rows: usize) -> Self {
        Self { odd: vec![false; rows], count: 0, curious: Vec::new() }
    }

    /// Marks a row that must be read on its own, because what is wrong with it, or how it is to be
    /// understood, is known there.
    pub(crate) fn odd(&mut self, row: usize) {
        if let Some(mark) = self.odd.get_mut(row)
            && !std::mem::replace(mark, true)
        {
            self.count += 1;
        }
    }

    pub(crate) fn curious(&mut self, row: usize) {
        self.curious.push(row);
    }

    pub(crate) fn is_odd(&self, row: usize) -> bool {
        self.odd.get(row).copied().unwrap_or(true)
    }

    pub(crate) fn none_is_odd(&self) -> bool {
        self.count == 0
    }

    pub(crate) fn curious_rows(&self) -> &[usize] {
        &self.curious
    }

    /// Adds the marks of columns of the same rows.
    pub(crate) fn join(&mut self, other: &Self) {
        let odd = other.odd.iter().enumerate().filter(|(_, odd)| **odd);
        odd.for_each(|(row, _)| self.odd(row));
        self.curious.extend(&other.curious);
    }

    /// Puts the marks of the items of a list on the rows whose lists they stand in.
    pub(crate) fn fold(&mut self, items: &Self, offsets: &[i32]) {
        if items.count > 0 {
            let odd = items.odd.iter().enumerate().filter(|(_, odd)| **odd);
            odd.filter_map(|(item, _)| owner(offsets, item)).for_each(|row| self.odd(row));
        }
        self.curious.extend(items.curious.iter().filter_map(|item| owner(offsets, *item)));
    }
}

/// The row in whose list an item stands.
pub(crate) fn owner(offsets: &[i32], item: usize) -> Option<usize> {
    let begins_before = |offset: &i32| usize::try_from(*offset).is_ok_and(|offset| offset <= item);
    offsets.partition_point(begins_before).checked_sub(1)
}
