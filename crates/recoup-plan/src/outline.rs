//! What a plan needs of a resource's timeline: between which instants which ways out stand open, quotas apart. A
//! fraction of the timeline itself, so that those of a large portfolio fit into memory together.

use std::collections::BTreeSet;

use recoup_core::context::Window;
use recoup_core::money::Number;
use recoup_core::ruling::RulingData;
use recoup_core::time::Instant;
use recoup_core::vocab::{Exit, Reason};
use recoup_engine::timeline::{Piece, Timeline};

/// A resource's timeline in outline.
#[derive(Debug, Clone, Default)]
pub(crate) struct Outline {
    /// The pieces, one after the other.
    pub(crate) stretches: Vec<Stretch>,
    /// Why exits are refused at the first instant.
    pub(crate) refused: Vec<Reason>,
    /// The quotas on which its exits draw, and how each counts.
    pub(crate) quotas: Vec<(String, Window)>,
}

/// A time in which the same ways out stand open.
#[derive(Debug, Clone)]
pub(crate) struct Stretch {
    pub(crate) from: Instant,
    pub(crate) last: Instant,
    ways: Vec<Way>,
}

/// An exit with a known figure.
#[derive(Debug, Clone)]
pub(crate) struct Way {
    refusals: Vec<Reason>,
    pub(crate) review_hours: Option<u32>,
    /// The quotas that it draws on.
    pub(crate) quotas: Vec<String>,
    /// Whether what it draws is another at the end of the stretch.
    pub(crate) shrinks: bool,
}

impl Outline {
    pub(crate) fn of(timeline: &Timeline) -> Self {
        let rulings =
            || timeline.pieces.iter().flat_map(|piece| piece.first.rulings().iter().chain(piece.end.rulings()));
        let quotas: BTreeSet<&str> =
            rulings().flat_map(|ruling| &ruling.quota).map(|draw| draw.name.as_ref()).collect();
        let window = |name: &str| {
            rulings().flat_map(|ruling| &ruling.quota).find(|draw| draw.name == name).map(|draw| draw.window)
        };
        let first = timeline.pieces.first().map(|piece| piece.first.rulings()).unwrap_or_default();
        let leaving = first.iter().filter(|ruling| ruling.exit != Exit::StopRenewal);
        Self {
            stretches: timeline.pieces.iter().map(Stretch::of).collect(),
            refused: leaving.flat_map(|ruling| ruling.refusals.iter().map(|refusal| refusal.reason)).collect(),
            quotas: quotas.into_iter().filter_map(|name| Some((name.to_owned(), window(name)?))).collect(),
        }
    }
}

impl Stretch {
    fn of(piece: &Piece) -> Self {
        let figures = piece.first.rulings().iter().filter(|ruling| has_figure(ruling));
        let ways = figures.map(|ruling| Way {
            refusals: ruling.refusals.iter().map(|refusal| refusal.reason).collect(),
            review_hours: ruling.review.as_ref().and_then(|review| review.approved_after_hours),
            quotas: ruling.quota.iter().map(|draw| draw.name.to_string()).collect(),
            shrinks: piece.end.ruling(ruling.exit).is_some_and(|end| draws(end) != draws(ruling)),
        });
        Self { from: piece.from, last: piece.last, ways: ways.collect() }
    }

    /// The ways that stand open, quotas apart, where some reasons do not count.
    pub(crate) fn open(&self, waived: &[Reason]) -> impl Iterator<Item = &Way> {
        self.ways.iter().filter(move |way| {
            let stands = |reason: &Reason| is_no_matter(*reason, waived, !way.quotas.is_empty());
            way.refusals.iter().all(stands)
        })
    }
}

fn draws(ruling: &RulingData) -> Vec<Option<Number>> {
    ruling.quota.iter().map(|draw| draw.draws).collect()
}

/// Whether a ruling is a way out of something with a known figure.
fn has_figure(ruling: &RulingData) -> bool {
    !matches!(ruling.exit, Exit::None | Exit::StopRenewal) && ruling.refund.is_some()
}

/// Whether a refusal does not stand in the way of a plan: its reason is waived, or only a quota is used up.
fn is_no_matter(reason: Reason, waived: &[Reason], has_quota: bool) -> bool {
    waived.contains(&reason) || (reason == Reason::QuotaExhausted && has_quota)
}

/// Whether a ruling is a way out with a known figure, quotas apart.
pub(crate) fn is_way(ruling: &RulingData, waived: &[Reason]) -> bool {
    let has_quota = !ruling.quota.is_empty();
    has_figure(ruling) && ruling.refusals.iter().all(|refusal| is_no_matter(refusal.reason, waived, has_quota))
}
