//! What a provider's pages say of the procedure itself: the reasons on its form, what may go together,
//! what it does not show.
//!
//! The flows ask; adapters answer as data that crosses the boundary with their policies.

use recoup_core::time::Instant;

use crate::model::{Line, Place, Refusal};

/// The business days where no provider says otherwise, Monday first.
pub const MONDAY_TO_FRIDAY: [bool; 7] = [true, true, true, true, true, false, false];

/// A reason on the provider's form.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct ReasonOption {
    /// Its id, as the provider's API writes it.
    pub id: String,
    /// The reason in one line.
    pub says: String,
    /// Whether words of one's own must stand beside it.
    #[serde(default)]
    pub needs_text: bool,
}

/// How a line may go together with others.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct BatchTerms {
    /// Lines with the same word may stand in one combined order; the word means nothing else.
    pub group: String,
    /// Most lines of one combined order; no limit is known where absent.
    pub at_most: Option<u32>,
    /// Whether one line that fails sinks the whole order.
    pub whole: bool,
    /// Why the line cannot go together with any other, where it cannot.
    pub alone: Option<Refusal>,
}

/// What providers say of the procedure. Everything is asked as of an instant.
pub trait Procedures: Send + Sync {
    /// The reasons on the form; empty where no list is published, and words of one's own are enough.
    fn reasons(&self, place: &Place, at: Instant) -> Vec<ReasonOption>;

    /// Most characters of words of one's own, where it is printed.
    fn longest_text(&self, place: &Place, at: Instant) -> Option<usize>;

    /// How a line may go together with others.
    fn batch(&self, line: &Line, at: Instant) -> BatchTerms;

    /// Why the provider's own list does not show such a resource, where it does not.
    fn hidden(&self, line: &Line, at: Instant) -> Option<Refusal>;

    /// Which days of the week are business days, Monday first. Monday to Friday, unless the provider says
    /// otherwise.
    fn business_days(&self, _place: &Place) -> [bool; 7] {
        MONDAY_TO_FRIDAY
    }

    /// Dates (ISO 8601) that are no business days although their day of the week is one.
    fn holidays(&self, _place: &Place) -> Vec<String> {
        Vec::new()
    }
}

/// Nothing is known of the procedure: no list of reasons, no limits.
#[derive(Debug, Clone, Copy, Default)]
pub struct Unpublished;

impl Procedures for Unpublished {
    fn reasons(&self, _place: &Place, _at: Instant) -> Vec<ReasonOption> {
        Vec::new()
    }

    fn longest_text(&self, _place: &Place, _at: Instant) -> Option<usize> {
        None
    }

    fn batch(&self, _line: &Line, _at: Instant) -> BatchTerms {
        BatchTerms::default()
    }

    fn hidden(&self, _line: &Line, _at: Instant) -> Option<Refusal> {
        None
    }
}
