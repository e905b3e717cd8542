//! What can and cannot go, in the views that providers' consoles have.

use std::cmp::Ordering;

use recoup_core::assessment::Answered;
use recoup_core::record::ResourceRecord;
use recoup_core::time::Instant;
use recoup_core::vocab::{Exit, Outcome, Status};
use serde::Serialize;

use crate::flow::Quoting;
use crate::flow::quote::{line, ruling};
use crate::model::Line;
use crate::procedure::Procedures;

/// A page of the console.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum View {
    /// What is in use.
    InUse,
    /// What was bought and has not taken effect.
    Inactive,
    /// Renewals that have not taken effect.
    Renewal,
    /// What could not be made or changed.
    Failed,
}

impl View {
    /// The word for people and files.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InUse => "in_use",
            Self::Inactive => "inactive",
            Self::Renewal => "renewal",
            Self::Failed => "failed",
        }
    }

    /// The page on which a resource stands with an exit.
    #[must_use]
    pub const fn of(exit: Exit, status: Status) -> Self {
        match (exit, status) {
            (Exit::Inactive | Exit::DeleteQueued, _) | (Exit::None, Status::Queued) => Self::Inactive,
            (Exit::RenewalPeriod | Exit::StopRenewal, _) => Self::Renewal,
            (Exit::Failed, _) | (Exit::None, Status::Failed) => Self::Failed,
            _ => Self::InUse,
        }
    }
}

/// A resource on a page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Row {
    /// The page.
    pub view: View,
    /// The resource with its best ruling of that page.
    pub line: Line,
}

/// What is looked for. Texts are compared without regard to case; a name may be a part of it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[allow(missing_docs, reason = "each field says what it is compared with")]
pub struct Filter {
    pub view: Option<View>,
    pub outcome: Option<Outcome>,
    pub name: Option<String>,
    pub order: Option<String>,
    pub id: Vec<String>,
    pub product: Option<String>,
    pub region: Option<String>,
    pub project: Option<String>,
}

/// What rows are sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Sort {
    /// As in the portfolio.
    #[default]
    Portfolio,
    /// The largest refund first, by currency; unknown ones last.
    Refund,
    /// What changes soonest first.
    Until,
    /// By name, what has none last.
    Name,
}

fn same(wanted: &Option<String>, found: Option<&str>) -> bool {
    wanted.as_ref().is_none_or(|wanted| found.is_some_and(|found| found.eq_ignore_ascii_case(wanted)))
}

impl Filter {
    /// Whether a record is looked for, before it is judged.
    #[must_use]
    pub fn takes(&self, record: &ResourceRecord) -> bool {
        let name = record.name.as_deref().unwrap_or_default().to_lowercase();
        let orders = || record.orders.iter().flatten().filter_map(|order| order.id.as_deref());
        self.name.as_ref().is_none_or(|part| name.contains(&part.to_lowercase()))
            && self.order.as_ref().is_none_or(|order| orders().any(|id| id.eq_ignore_ascii_case(order)))
            && (self.id.is_empty() || self.id.contains(&record.id))
            && same(&self.product, Some(&record.product))
            && same(&self.region, record.region.as_deref())
            && same(&self.project, record.project.as_deref())
    }

    /// Whether a row is looked for.
    #[must_use]
    pub fn shows(&self, row: &Row) -> bool {
        self.view.is_none_or(|view| view == row.view)
            && self.outcome.is_none_or(|outcome| outcome == row.line.ruling.outcome)
    }
}

/// The rows of a resource: one for each page on which it stands, with the best exit of that page. What the
/// provider's own pages hide has none.
#[must_use]
pub fn rows(record: &ResourceRecord, answered: &Answered, procedures: &dyn Procedures, at: Instant) -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    for data in answered.assessment.rulings() {
        let view = View::of(data.exit, record.status);
        if rows.iter().any(|row| row.view == view) {
            continue;
        }
        let Ok(ruling) = ruling(answered, Some(data.exit)) else { continue };
        let line = line(record, answered, ruling, &Quoting::default());
        if procedures.hidden(&line, at).is_none() {
            rows.push(Row { view, line });
        }
    }
    rows
}

/// Sorts rows; equal ones stay in the order of the portfolio.
pub fn sort(rows: &mut [Row], by: Sort) {
    fn last<T: Ord>(a: Option<T>, b: Option<T>) -> Ordering {
        match (a, b) {
            (Some(a), Some(b)) => a.cmp(&b),
            (a, b) => b.is_some().cmp(&a.is_some()),
        }
    }
    match by {
        Sort::Portfolio => {}
        Sort::Refund => rows.sort_by(|a, b| {
            let money = |row: &Row| row.line.ruling.refund.as_ref().map(|money| (money.currency, -money.refund));
            last(money(a), money(b))
        }),
        Sort::Until => rows.sort_by(|a, b| last(a.line.ruling.until, b.line.ruling.until)),
        Sort::Name => rows.sort_by(|a, b| last(a.line.name.as_ref(), b.line.name.as_ref())),
    }
}
