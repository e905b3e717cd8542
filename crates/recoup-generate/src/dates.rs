//! When things were bought: mostly at any time, and often right at an instant at which rules or calendars
//! change their answer.

use recoup_core::resource::Term;
use recoup_core::time::{Instant, Span, Zone};
use recoup_core::vocab::Status;

use crate::dice::Dice;
use crate::market::{Market, SiteMarket, days_to_mind};

const DAY: i64 = 86_400;

/// The instant asked about, as seen from one site.
#[derive(Clone, Copy)]
pub(crate) struct Clock<'m> {
    pub(crate) at: Instant,
    pub(crate) market: &'m Market,
    pub(crate) site: &'m SiteMarket,
}

impl Clock<'_> {
    pub(crate) fn zone(&self) -> Zone {
        self.site.zone
    }

    /// When the term began that a thing of this state is in, or will be in.
    pub(crate) fn term_begins(&self, dice: &mut Dice, status: Status, term: Term) -> Instant {
        let length = self.end(self.at, term).since(self.at).whole_seconds().max(1);
        match status {
            Status::Queued | Status::Pending if dice.percent(85) => self.soon(dice),
            Status::Expired | Status::Released => {
                let ended = self.at - Span::seconds(dice.between(0, 120 * DAY));
                self.begin_of(if dice.percent(20) { nudged(dice, self.at) } else { ended }, term)
            }
            _ => match dice.below(20) {
                0..6 => {
                    let begin = self.window(dice, self.at);
                    nudged(dice, begin)
                }
                6..9 => self.calendar_day(dice).filter(|day| *day <= self.at).unwrap_or(self.at),
                9..11 => self.edge(dice).unwrap_or_else(|| self.begin_of(self.at, term)),
                11..13 => self.nearly_over(dice, term),
                13..15 => self.anniversary(dice, term),
                _ => self.at - Span::seconds(dice.between(0, length)),
            },
        }
    }

    /// The end of a term.
    pub(crate) fn end(&self, start: Instant, term: Term) -> Instant {
        term.end(start, self.zone())
    }

    /// A beginning of which the term ends at `end`, as far as calendars allow.
    pub(crate) fn begin_of(&self, end: Instant, term: Term) -> Instant {
        match term.months().and_then(|months| i32::try_from(months).ok()) {
            Some(months) => self.zone().add_months(end, -months),
            None => end - Span::seconds(self.end(end, term).since(end).whole_seconds()),
        }
    }

    /// An instant before or after which a window of the rules reaches to `instant`.
    pub(crate) fn window(&self, dice: &mut Dice, instant: Instant) -> Instant {
        let days = || Span::days(5);
        dice.one_of(&self.market.windows).map_or_else(|| instant - days(), |reach| reach.before(instant, self.zone()))
    }

    fn soon(&self, dice: &mut Dice) -> Instant {
        let ahead = match dice.one_of(&self.market.windows) {
            Some(reach) if dice.percent(50) => reach.after(self.at, self.zone()),
            _ => self.at + Span::seconds(dice.between(1, 60 * DAY)),
        };
        nudged(dice, ahead)
    }

    fn nearly_over(&self, dice: &mut Dice, term: Term) -> Instant {
        let end = match dice.one_of(&self.market.windows) {
            Some(reach) if dice.percent(60) => reach.after(self.at, self.zone()),
            _ => self.at,
        };
        nudged(dice, self.begin_of(end, term))
    }

    fn anniversary(&self, dice: &mut Dice, term: Term) -> Instant {
        let months = term.months().map_or(1, i64::from);
        let passed = dice.between(0, months.saturating_add(1));
        nudged(dice, self.zone().add_months(self.at, -i32::try_from(passed).unwrap_or(0)))
    }

    /// The end of a month, a leap day, the turn of a year, at an hour at which days change.
    fn calendar_day(&self, dice: &mut Dice) -> Option<Instant> {
        let days = days_to_mind(self.zone().date(self.at));
        let midnight = self.zone().midnight(*dice.one_of(&days)?);
        Some(match dice.below(4) {
            0 => midnight,
            1 => midnight + Span::seconds(DAY - 1),
            _ => midnight + Span::seconds(dice.between(0, DAY)),
        })
    }

    /// A change of anything dated, near enough to be found in a portfolio.
    fn edge(&self, dice: &mut Dice) -> Option<Instant> {
        let near = |edge: &&Instant| **edge <= self.at && self.at.since(**edge).whole_days() < 4 * 366;
        let edges: Vec<Instant> = self.site.edges.iter().filter(near).copied().collect();
        let edge = *dice.one_of(&edges)?;
        Some(nudged(dice, edge))
    }
}

/// An instant, or one right before or after it.
pub(crate) fn nudged(dice: &mut Dice, instant: Instant) -> Instant {
    match dice.below(10) {
        0 | 1 => instant,
        2 => instant + Span::seconds(1),
        3 => instant - Span::seconds(1),
        4 => Instant::from_micros(instant.micros().saturating_add(dice.between(-2, 3))),
        5 => instant + Span::hours(dice.between(-2, 3)),
        6 => instant + Span::days(dice.between(-1, 2)),
        7 => instant - Span::seconds(dice.between(0, 3_600)),
        _ => instant + Span::seconds(dice.between(-DAY, DAY)),
    }
}
