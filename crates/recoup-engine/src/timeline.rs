//! Timelines of a portfolio: every resource walked from ruling to ruling, batched and in parallel.
//!
//! What a timeline is stands in `recoup-timeline`; here the rules are a run's sessions. A worker takes a
//! chunk of resources, walks them together (one batch asks about thousands of rows, each at its own
//! instant), and hands every timeline to a function that makes of it what is needed, so that the memory
//! of a portfolio's timelines is that of a few chunks.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use chrono::NaiveDate;
use recoup_core::policy::{Rulebook, SiteRules};
use recoup_core::record::ResourceRecord;
use recoup_core::time::{Instant, Span};
pub use recoup_timeline::{Ends, Figures, Piece, Row, Rules, Timeline};

use crate::{Answered, Assessor};

/// Resources that are walked together.
pub const CHUNK: usize = 256;

/// Rows that are asked about in one batch at most.
const MOST_ROWS: usize = 8_192;

/// Resources under a run's rules.
#[derive(Debug)]
pub struct Ruled<'a> {
    assessor: &'a Assessor<'a>,
    resources: &'a [ResourceRecord],
    books: &'a Books<'a>,
}

/// The rulebooks of the providers of some resources: when their rules change.
#[derive(Debug)]
pub struct Books<'a> {
    books: HashMap<String, Rulebook>,
    fixed: bool,
    assessor: &'a Assessor<'a>,
    /// The same run by the rules of an earlier day.
    earlier: Mutex<HashMap<NaiveDate, Arc<Assessor<'a>>>>,
}

impl<'a> Books<'a> {
    /// The rulebooks that a run judges resources by. A provider that no adapter serves has none; its
    /// resources are problems anyway.
    #[must_use]
    pub fn of(assessor: &'a Assessor<'a>, resources: &[ResourceRecord]) -> Self {
        let mut books = HashMap::new();
        for resource in resources {
            if !books.contains_key(&resource.provider)
                && let Ok(policy) = assessor.engine().policy(&resource.provider)
                && let Ok(book) = Rulebook::new((*policy).clone())
            {
                books.insert(resource.provider.clone(), book);
            }
        }
        // Where an edition was asked for, it holds at every instant.
        Self { books, fixed: assessor.run().edition.is_some(), assessor, earlier: Mutex::default() }
    }

    /// The run by the rules in force at the end of a day.
    fn by_rules_of(&self, day: NaiveDate) -> Arc<Assessor<'a>> {
        let mut earlier = self.earlier.lock().unwrap_or_else(PoisonError::into_inner);
        let made = earlier.entry(day).or_insert_with(|| {
            let mut run = self.assessor.run().clone();
            run.edition = Some(day);
            Arc::new(Assessor::new(self.assessor.engine(), run))
        });
        Arc::clone(made)
    }

    fn site(&self, resource: &ResourceRecord) -> Option<&SiteRules> {
        self.books.get(&resource.provider)?.site(resource.site.as_deref())
    }
}

impl<'a> Ruled<'a> {
    /// Resources under a run's rules.
    #[must_use]
    pub fn new(assessor: &'a Assessor<'a>, resources: &'a [ResourceRecord], books: &'a Books<'a>) -> Self {
        Self { assessor, resources, books }
    }
}

impl Rules for Ruled<'_> {
    fn rule(&self, rows: &[Row]) -> Vec<Result<Answered, String>> {
        let mut answers = Vec::with_capacity(rows.len());
        for rows in rows.chunks(MOST_ROWS) {
            let asked: Vec<(&ResourceRecord, Instant)> = rows
                .iter()
                .filter_map(|row| self.resources.get(row.resource).map(|resource| (resource, row.at)))
                .collect();
            let found = self.assessor.assess_at(&asked);
            answers.extend(found.into_iter().map(|answer| answer.map_err(|error| error.to_string())));
        }
        answers
    }

    fn rule_as_before(&self, row: Row) -> Option<Result<Answered, String>> {
        let resource = self.resources.get(row.resource)?;
        let site = self.books.site(resource)?;
        let day = site.zone.date(Instant::from_micros(row.at.micros() - 1));
        // Rules change at midnight; what changed at another time of day cannot be asked for by date.
        if site.end_of_day(day) >= row.at {
            return None;
        }
        let answer = self.books.by_rules_of(day).assess_at(&[(resource, row.at)]).into_iter().next()?;
        Some(answer.map_err(|error| error.to_string()))
    }

    fn order_changes_after(&self, row: Row) -> Option<Instant> {
        let resource = self.resources.get(row.resource)?;
        let zone = self.books.site(resource)?.zone;
        let orders = resource.orders.iter().flatten();
        let spans = orders.map(|order| (order.starts_at, order.ends_at));
        let next = spans.chain([(resource.starts_at, resource.ends_at)]).filter_map(|(starts, ends)| {
            let start = starts?;
            let end = ends.unwrap_or(start);
            let month = || zone.add_months(start, zone.months_between(start, row.at).saturating_add(1));
            let next = if row.at < start { start } else { month().min(end) };
            (next > row.at).then_some(next)
        });
        next.min()
    }

    fn rules_change_after(&self, row: Row) -> Option<Instant> {
        if self.books.fixed {
            return None;
        }
        self.books.site(self.resources.get(row.resource)?)?.changes_after(row.at)
    }
}

/// Walks every resource over its span (both ends inside) and gives what `make` makes of its timeline, in
/// the order of the resources. `make` gets the rules too, to ask further, under the row that is named.
pub fn each<T: Send>(
    assessor: &Assessor<'_>,
    resources: &[ResourceRecord],
    spans: &[(Instant, Instant)],
    threads: usize,
    make: impl Fn(&dyn Rules, Vec<(usize, Result<Timeline, String>)>) -> Vec<T> + Sync,
) -> Vec<T> {
    let books = Books::of(assessor, resources);
    let chunks: Vec<_> = resources.chunks(CHUNK).zip(spans.chunks(CHUNK)).collect();
    let next = AtomicUsize::new(0);
    let made: Mutex<Vec<(usize, Vec<T>)>> = Mutex::default();
    thread::scope(|scope| {
        for _ in 0..threads.clamp(1, chunks.len().max(1)) {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    let Some((resources, spans)) = chunks.get(number) else { break };
                    let ruled = Ruled::new(assessor, resources, &books);
                    let timelines = recoup_timeline::walk(&ruled, spans).into_iter().enumerate().collect();
                    let mine = make(&ruled, timelines);
                    if let Ok(mut made) = made.lock() {
                        made.push((number, mine));
                    }
                }
            });
        }
    });
    let mut made = made.into_inner().unwrap_or_default();
    made.sort_by_key(|(number, _)| *number);
    made.into_iter().flat_map(|(_, mine)| mine).collect()
}

/// The timelines of a few resources, kept whole.
#[must_use]
pub fn timelines(
    assessor: &Assessor<'_>,
    resources: &[ResourceRecord],
    spans: &[(Instant, Instant)],
    threads: usize,
) -> Vec<Result<Timeline, String>> {
    each(assessor, resources, spans, threads, |_, timelines| {
        timelines.into_iter().map(|(_, timeline)| timeline).collect()
    })
}

/// The last instant at which anything that a record names can change what it is worth: the end of the
/// resource or of its orders, and a day more, so that what comes after the end is seen too.
#[must_use]
pub fn end_of(resource: &ResourceRecord) -> Option<Instant> {
    let orders = resource.orders.iter().flatten().filter_map(|order| order.ends_at);
    orders.chain(resource.ends_at).max().map(|end| end + Span::days(1))
}
