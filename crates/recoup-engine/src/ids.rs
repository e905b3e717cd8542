//! Which resources were there before: one that stands in the input twice would be counted twice.

use std::collections::HashSet;
use std::hash::{BuildHasher, BuildHasherDefault, Hasher};
use std::sync::{Condvar, Mutex, PoisonError};

use foldhash::quality::RandomState;

/// Most resources whose ids are remembered; far larger portfolios are checked up to here, so that memory
/// stays bounded.
pub const MOST_IDS: usize = 4_000_000;

/// A hash that is its own hash.
#[derive(Default)]
struct Itself(u64);

impl Hasher for Itself {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.0 = self.0.rotate_left(8) ^ u64::from(*byte));
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}

#[derive(Default)]
struct Seen {
    ids: HashSet<u64, BuildHasherDefault<Itself>>,
    /// The chunk whose turn it is.
    turn: u64,
}

impl Seen {
    fn is_new(&mut self, id: u64) -> bool {
        self.ids.len() >= MOST_IDS || self.ids.insert(id)
    }
}

/// The ids that were seen so far, asked about in the order of the input by whichever thread has it.
pub(crate) struct Ids {
    hasher: RandomState,
    seen: Mutex<Seen>,
    moved: Condvar,
}

impl Ids {
    pub(crate) fn new() -> Self {
        Self { hasher: RandomState::default(), seen: Mutex::default(), moved: Condvar::new() }
    }

    /// What a resource is known by.
    pub(crate) fn of(&self, provider: &str, site: &str, account: Option<&str>, resource: &str) -> u64 {
        self.hasher.hash_one((provider, site, account, resource))
    }

    /// The turn of a chunk. Every chunk takes its turn, if only by dropping it.
    pub(crate) fn turn(&self, number: u64) -> Turn<'_> {
        Turn { ids: self, number }
    }
}

/// What is said of a resource that was there before.
pub(crate) fn there_before(resource: &str) -> String {
    format!("{resource}: a resource of this provider, site, account and id was there before; this one is left out")
}

/// A chunk's turn to ask.
pub(crate) struct Turn<'i> {
    ids: &'i Ids,
    number: u64,
}

impl Turn<'_> {
    /// Which of some ids are new, once every chunk before has asked. What has no id counts as new.
    pub(crate) fn are_new(self, ids: &[Option<u64>]) -> Vec<bool> {
        let mut seen = self.ids.seen.lock().unwrap_or_else(PoisonError::into_inner);
        while seen.turn < self.number {
            seen = self.ids.moved.wait(seen).unwrap_or_else(PoisonError::into_inner);
        }
        ids.iter().map(|id| id.is_none_or(|id| seen.is_new(id))).collect()
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let mut seen = self.ids.seen.lock().unwrap_or_else(PoisonError::into_inner);
        while seen.turn < self.number {
            seen = self.ids.moved.wait(seen).unwrap_or_else(PoisonError::into_inner);
        }
        seen.turn = self.number + 1;
        drop(seen);
        self.ids.moved.notify_all();
    }
}
