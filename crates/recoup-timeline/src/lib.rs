//! What the rules say of a resource over time, walked from ruling to ruling.
//!
//! A ruling holds until its `until`; asked again there (and right after it, where the last instant of a
//! window is inside), the rules say what holds next. A [`Timeline`] is the whole of it over a span:
//! [`Piece`]s between two changes, each with the assessment at its first and at its last instant. Nothing
//! is sampled: between the two, outcome and reasons are the same and every figure moves one way.
//!
//! This crate is pure: whoever uses it hands in [`Rules`], which answer for resources at instants, many
//! rows at a time.
//!
//! | module | subject |
//! |---|---|
//! | [`walk`](mod@walk) | from ruling to ruling, many resources at once |
//! | [`figures`] | the money of the best open exit at an instant |
//! | [`steps`] | the exact instants at which a figure moves inside a piece |
//! | [`deadlines`] | what opens, closes or changes its fee, and what it costs to miss it |
//! | [`forecast`] | what would come back at each moment, of one resource and of all together |

use std::sync::Arc;

use recoup_core::assessment::{Answered, Assessment, Subject};
use recoup_core::policy::Policy;
use recoup_core::time::Instant;

pub mod deadlines;
pub mod figures;
pub mod forecast;
mod listed;
pub mod steps;
pub mod walk;

pub use figures::Figures;
pub use listed::Steps;
pub use walk::walk;

/// A resource at an instant: what rules are asked about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Row {
    /// The resource's place among those that are walked.
    pub resource: usize,
    /// The instant.
    pub at: Instant,
}

/// The rules, as something that answers for resources at instants.
pub trait Rules {
    /// The assessment of every row, in the order of the rows; what is wrong where there is none.
    fn rule(&self, rows: &[Row]) -> Vec<Result<Answered, String>>;

    /// The assessment of a row by the rules that were in force right before its instant; none where they
    /// cannot be asked.
    fn rule_as_before(&self, row: Row) -> Option<Result<Answered, String>>;

    /// The first instant after a row's at which an order of the resource begins, ends or is a month older:
    /// consumption may be counted anew there though no ruling names it.
    fn order_changes_after(&self, row: Row) -> Option<Instant> {
        let _ = row;
        None
    }

    /// The first instant after `at` from which other rules are in force for the resource: a later
    /// edition, or a dated figure.
    fn rules_change_after(&self, row: Row) -> Option<Instant>;
}

/// A time in which no exit of a resource opens, closes or changes its fee. Both ends are inside.
#[derive(Debug, Clone)]
pub struct Piece {
    /// Its first instant.
    pub from: Instant,
    /// Its last instant; the next piece begins a microsecond later.
    pub last: Instant,
    /// The edition in force.
    pub edition: Option<String>,
    /// The assessment at the first instant.
    pub first: Assessment,
    /// The assessment at the last instant.
    pub end: Assessment,
}

/// Why a piece ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ends {
    /// At this instant things are different already.
    Before(Instant),
    /// At this instant things are as before, right after it they are not.
    Through(Instant),
    /// Nobody asked further.
    Open,
}

/// What the rules say of one resource over a span of time.
#[derive(Debug, Clone)]
pub struct Timeline {
    /// Of what it speaks; its instant is the first one, its edition that of the first piece.
    pub subject: Subject,
    /// The policy whose clauses are cited.
    pub policy: Arc<Policy>,
    /// The pieces, one after the other without a gap; never empty.
    pub pieces: Vec<Piece>,
    /// The instants at which pieces end, as the rules name them; the last one is open.
    pub ends: Vec<Ends>,
    /// The first instants of those pieces that begin since other rules came into force, with what the rules
    /// before them would say of the same instant.
    pub rules_change: Vec<(Instant, Assessment)>,
}

impl Timeline {
    /// The first instant.
    #[must_use]
    pub fn from(&self) -> Instant {
        self.subject.at
    }

    /// The last instant.
    #[must_use]
    pub fn last(&self) -> Instant {
        self.pieces.last().map_or(self.subject.at, |piece| piece.last)
    }

    /// The piece in which an instant lies.
    #[must_use]
    pub fn piece(&self, at: Instant) -> Option<&Piece> {
        let after = self.pieces.partition_point(|piece| piece.from <= at);
        self.pieces.get(after.checked_sub(1)?).filter(|piece| at <= piece.last)
    }

    /// The pieces with the way each ends.
    pub fn pieces(&self) -> impl Iterator<Item = (&Piece, Ends)> {
        self.pieces.iter().zip(self.ends.iter().copied())
    }
}
