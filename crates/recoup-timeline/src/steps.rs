//! The exact instants at which a figure moves inside a piece.
//!
//! Consumption is counted by hours, days, months, or continuously, as each rule says; no ruling names
//! that pace, and none is needed: inside a piece every figure moves one way only (what is used up grows),
//! so that two instants with the same figures have them at every instant between. The first steps are
//! found by search down to the microsecond. The grid on which they lie is then only a guess about where
//! the others are, and every guess is proved: the figures right before a supposed step must be those
//! right after the one before it; where they are not, the step between is searched for, and the grid
//! becomes finer.

use recoup_core::assessment::Answered;
use recoup_core::time::{Instant, Span};

use crate::walk::{after, before};
use crate::{Figures, Piece, Row, Rules, Steps};

/// Steps of a piece that are listed one by one unless the caller asks for more or fewer: two years of days.
pub const MOST_STEPS: usize = 740;

/// Points of a grid that are asked about in one round.
const GRID_POINTS: i64 = 512;

/// Rows that are asked about at once: their answers are in memory together.
pub(crate) const ROWS_AT_ONCE: usize = 8_192;

/// Points at which one round of a search asks.
const FAN: i64 = 7;

/// Steps closer than this come from a rule that counts continuously: what is seen are its minor units.
const FINEST: i64 = Span::seconds(60).micros();

/// How the figures of the best exit move inside a piece.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Movement {
    /// They do not move.
    Still,
    /// They move at these instants and at no other; each with the figures from then on.
    Steps(Steps),
    /// They move at more instants than were to be listed.
    Glides {
        /// The first instant at which they move.
        first: Instant,
        /// A length of time of which the distances of the first steps are multiples, where they are
        /// counted by minutes or longer; none where they move continuously, a minor unit at a time.
        every: Option<Span>,
    },
}

/// How the figures move inside each of some pieces, in their order; the pieces of several resources go
/// through the rules together. No more than `most` steps of a piece are listed.
pub fn movements(rules: &dyn Rules, pieces: &[(usize, &Piece)], most: usize) -> Vec<Result<Movement, String>> {
    let mut searchers: Vec<Result<Searcher, String>> =
        pieces.iter().map(|(resource, piece)| Ok(Searcher::new(*resource, piece, most))).collect();
    while round(rules, &mut searchers) {}
    searchers.into_iter().map(|searcher| searcher.map(Searcher::finish)).collect()
}

/// Has every searcher ask once, some thousand rows at a time; whether any had something to ask.
fn round(rules: &dyn Rules, searchers: &mut [Result<Searcher, String>]) -> bool {
    let mut asked = false;
    let mut rest = searchers;
    while !rest.is_empty() {
        let mut rows = Vec::new();
        let mut counts = Vec::new();
        for searcher in rest.iter_mut() {
            let before = rows.len();
            if let Ok(searcher) = searcher {
                searcher.ask(&mut rows);
            }
            counts.push(rows.len() - before);
            if rows.len() >= ROWS_AT_ONCE {
                break;
            }
        }
        let (now, later) = rest.split_at_mut(counts.len());
        rest = later;
        if rows.is_empty() {
            continue;
        }
        asked = true;
        let mut answers = rules.rule(&rows).into_iter();
        for (slot, count) in now.iter_mut().zip(counts) {
            let mine: Result<Vec<Answered>, String> = answers.by_ref().take(count).collect();
            match (slot.as_mut(), mine) {
                (Ok(searcher), Ok(mine)) => searcher.hear(&mine),
                (Ok(_), Err(what)) => *slot = Err(what),
                (Err(_), _) => {}
            }
        }
    }
    asked
}

enum State {
    /// The first step after what is held is searched for, at or before `high`.
    Search {
        high: (Instant, Figures),
    },
    /// Points of the grid are asked about.
    Grid {
        every: i64,
    },
    Done(Option<Movement>),
}

struct Searcher {
    resource: usize,
    last: (Instant, Figures),
    /// The latest instant up to which every step is known, and its figures.
    held: (Instant, Figures),
    steps: Vec<(Instant, Figures)>,
    /// The grid, once it is known.
    every: Option<i64>,
    most: usize,
    state: State,
}

fn common(mut a: i64, mut b: i64) -> i64 {
    while b != 0 {
        (a, b) = (b, a.rem_euclid(b));
    }
    a
}

/// Whole seconds of some microseconds.
const fn seconds(micros: i64) -> Span {
    Span::seconds(micros / Span::seconds(1).micros())
}

impl Searcher {
    fn new(resource: usize, piece: &Piece, most: usize) -> Self {
        let (first, last) = (Figures::of(&piece.first), Figures::of(&piece.end));
        let mut searcher = Self {
            resource,
            last: (piece.last, last),
            held: (piece.from, first),
            steps: Vec::new(),
            every: None,
            most,
            state: State::Done(None),
        };
        searcher.go_on();
        searcher
    }

    /// What comes after a step was found.
    fn go_on(&mut self) {
        let first = self.steps.first().map_or(self.held.0, |(at, _)| *at);
        self.state = if self.held.1 == self.last.1 {
            State::Done(None)
        } else if let [(a, _), (b, _), (c, _)] = self.steps.as_slice()
            && self.every.is_none()
        {
            let every = common(b.since(*a).micros(), c.since(*b).micros());
            self.every = Some(every);
            self.grid(first, every)
        } else if let Some(every) = self.every {
            let every = common(every, self.held.0.since(first).micros());
            self.every = Some(every);
            self.grid(first, every)
        } else {
            State::Search { high: self.last }
        };
    }

    fn grid(&self, first: Instant, every: i64) -> State {
        let glides = |every: Option<Span>| State::Done(Some(Movement::Glides { first, every }));
        if every < FINEST {
            return glides(None);
        }
        let points = self.last.0.since(first).micros() / every;
        if usize::try_from(points).is_ok_and(|points| points > self.most) {
            return glides(Some(seconds(every)));
        }
        State::Grid { every }
    }

    /// The points of the grid after what is held, at most so many as one round takes.
    fn points(&self, every: i64) -> Vec<Instant> {
        let first = self.steps.first().map_or(self.held.0, |(at, _)| *at);
        let over = self.held.0.since(first).micros() / every;
        (over + 1..=over + GRID_POINTS)
            .map(|count| Instant::from_micros(first.micros().saturating_add(every.saturating_mul(count))))
            .take_while(|at| *at <= self.last.0)
            .collect()
    }

    fn between(&self, high: Instant) -> Vec<Instant> {
        let (low, high) = (self.held.0.micros(), high.micros());
        let width = high - low;
        let mut points: Vec<i64> = (1..=FAN)
            .map(|part| low + i64::try_from(i128::from(width) * i128::from(part) / i128::from(FAN + 1)).unwrap_or(0))
            .collect();
        points.dedup();
        points.into_iter().filter(|point| *point > low && *point < high).map(Instant::from_micros).collect()
    }

    fn ask(&mut self, rows: &mut Vec<Row>) {
        let resource = self.resource;
        let row = |at: Instant| Row { resource, at };
        // A search whose bounds are neighbours has found its step.
        while let State::Search { high } = self.state {
            if high.0 > after(self.held.0) {
                break;
            }
            self.found(high);
        }
        match &self.state {
            State::Search { high } => rows.extend(self.between(high.0).into_iter().map(row)),
            State::Grid { every } => {
                let points = self.points(*every);
                if points.is_empty() {
                    // Behind the grid's last point only the end of the piece is left.
                    self.state = State::Search { high: self.last };
                    self.ask(rows);
                } else {
                    for at in points {
                        rows.extend([row(before(at)), row(at)]);
                    }
                }
            }
            State::Done(_) => {}
        }
    }

    fn found(&mut self, step: (Instant, Figures)) {
        self.held = step;
        self.steps.push(step);
        if self.steps.len() > self.most {
            let first = self.steps.first().map_or(step.0, |(at, _)| *at);
            let every = self.every.filter(|every| *every >= FINEST).map(seconds);
            self.state = State::Done(Some(Movement::Glides { first, every }));
        } else {
            self.go_on();
        }
    }

    fn hear(&mut self, answers: &[Answered]) {
        let mut heard = answers.iter().map(|answered| (answered.subject.at, Figures::of(&answered.assessment)));
        match self.state {
            State::Done(_) => {}
            State::Search { mut high } => {
                for (at, figures) in heard {
                    if figures == self.held.1 {
                        self.held.0 = at;
                    } else {
                        high = (at, figures);
                        break;
                    }
                }
                self.state = State::Search { high };
            }
            State::Grid { .. } => {
                while let (Some(early), Some(point)) = (heard.next(), heard.next()) {
                    if early.1 != self.held.1 {
                        // A step between two points: the grid is finer.
                        self.state = State::Search { high: early };
                        return;
                    }
                    self.held.0 = point.0;
                    if point.1 != self.held.1 {
                        self.held = point;
                        self.steps.push(point);
                        if self.steps.len() > self.most {
                            self.steps.pop();
                            self.found(point);
                            return;
                        }
                    }
                }
                if self.held.1 == self.last.1 {
                    self.state = State::Done(None);
                }
            }
        }
    }

    fn finish(self) -> Movement {
        match self.state {
            State::Done(Some(movement)) => movement,
            _ if self.steps.is_empty() => Movement::Still,
            _ => Movement::Steps(Steps::of(&self.steps)),
        }
    }
}
