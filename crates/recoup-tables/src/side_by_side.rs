//! A table in parts, on several threads.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use arrow_array::RecordBatch;
use recoup_engine::Assessor;

use crate::{Assessed, Said, TableError, assess};

/// Rows that a thread takes at once.
const PART: usize = 4_096;

/// What became of a part of a table: its rulings, and what is to be said of its rows.
#[derive(Debug)]
pub struct Part {
    /// One row for each exit of each resource.
    pub rulings: RecordBatch,
    /// Rows without an answer.
    pub problems: Vec<Said>,
    /// Names that were left out of account.
    pub remarks: Vec<Said>,
}

impl Part {
    fn of(assessed: &Assessed, first: usize) -> Result<Self, TableError> {
        let of_table = |said: Said| Said { row: first + said.row, what: said.what };
        Ok(Self {
            rulings: assessed.rulings()?,
            problems: assessed.problems().map(of_table).collect(),
            remarks: assessed.remarks.iter().cloned().map(of_table).collect(),
        })
    }
}

/// The parts of the batches of a table, each with the number of its first row.
fn parts(batches: &[RecordBatch]) -> Vec<(usize, RecordBatch)> {
    let mut parts = Vec::new();
    let mut before = 0;
    for batch in batches {
        for first in (0..batch.num_rows()).step_by(PART) {
            parts.push((before + first, batch.slice(first, PART.min(batch.num_rows() - first))));
        }
        before += batch.num_rows();
    }
    parts
}

/// Assesses the batches of one table on `threads` threads; the parts come in the order of the rows. Rows
/// are counted over all batches.
///
/// # Errors
/// Where the table is no portfolio.
pub fn assess_in_parts(
    assessor: &Assessor<'_>,
    batches: &[RecordBatch],
    threads: usize,
) -> Result<Vec<Part>, TableError> {
    let parts = parts(batches);
    let next = AtomicUsize::new(0);
    let done = Mutex::new(Vec::with_capacity(parts.len()));
    let work = || {
        while let Some((place, (first, batch))) = {
            let place = next.fetch_add(1, Ordering::Relaxed);
            parts.get(place).map(|part| (place, part))
        } {
            let part = assess(assessor, batch, None).and_then(|assessed| Part::of(&assessed, *first));
            done.lock().unwrap_or_else(PoisonError::into_inner).push((place, part));
        }
    };
    let others = threads.clamp(1, parts.len().max(1)) - 1;
    thread::scope(|scope| {
        (0..others).for_each(|_| {
            scope.spawn(work);
        });
        work();
    });
    let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    done.sort_by_key(|(place, _)| *place);
    done.into_iter().map(|(_, part)| part).collect()
}
