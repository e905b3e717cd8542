//! A table for a terminal: one line for every resource, then totals by currency.
//!
//! It fits the width it is given. Where there is room, the reason stands beside its row; where there is
//! less, under it, together with whatever column had to leave; on the narrowest terminals every
//! resource is a block of lines. An amount is never cut.
//!
//! ```
//! use recoup_report::{Look, table::Table, write_all};
//!
//! let mut out = Vec::new();
//! let look = Look { width: 140, ..Look::default() };
//! write_all(&mut Table::new(&mut out, look), &recoup_report::sample::answers()?)?;
//! let text = String::from_utf8(out)?;
//! assert!(text.lines().all(|line| line.chars().count() <= 140));
//! assert!(text.contains("3 resources: 1 allowed, 1 conditional, 1 refused"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::collections::BTreeMap;
use std::io;

use recoup_core::vocab::Outcome;

use crate::grid::{self, Cell, GAP, Tone};
use crate::line::{Line, Money};
use crate::text::{TIE, clean, paragraph, width, wrap};
use crate::totals::Totals;
use crate::{Answered, Look, Report, time};

/// What is kept of a resource until the widths are known.
#[derive(Debug)]
struct Row {
    provider: String,
    site: String,
    resource: String,
    name: String,
    product: String,
    outcome: Outcome,
    best: String,
    refund: Money,
    kept: Money,
    until: Option<(String, String)>,
    why: String,
}

/// Writes the table when the last resource is known.
#[derive(Debug)]
pub struct Table<W> {
    out: W,
    look: Look,
    rows: Vec<Row>,
    totals: Totals,
}

impl<W: io::Write> Table<W> {
    /// Writes to `out`.
    pub fn new(out: W, look: Look) -> Self {
        Self { out, look, rows: Vec::new(), totals: Totals::default() }
    }
}

impl<W: io::Write> Report for Table<W> {
    fn begin(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn add(&mut self, answered: &Answered) -> io::Result<()> {
        let Answered { subject, .. } = answered;
        let line = Line::of(answered);
        self.totals.add(answered);
        self.rows.push(Row {
            provider: clean(&subject.provider),
            site: clean(&subject.site),
            resource: clean(&subject.resource),
            name: subject.name.as_deref().filter(|name| *name != subject.resource).map(clean).unwrap_or_default(),
            product: clean(&subject.product),
            outcome: line.outcome,
            best: line.exit(),
            refund: line.refund,
            kept: line.kept,
            until: line.until.map(|until| (time::long(until, subject.zone), time::day(until, subject.zone))),
            why: clean(&line.why),
        });
        Ok(())
    }

    fn finish(&mut self) -> io::Result<()> {
        let mut text = String::new();
        if !self.rows.is_empty() {
            draw(&mut text, &self.rows, &self.look);
            text.push('\n');
        }
        let limit = self.look.columns();
        paragraph(&mut text, "", &self.totals.sentence(), limit);
        let sums = self.totals.rows();
        if sums.len() > 1 {
            text.push('\n');
            sheet_of_sums(&mut text, &sums, limit, self.look.colour);
        }
        self.out.write_all(text.as_bytes())?;
        self.out.flush()
    }
}

/// The sums as a small table; where it is too wide, the columns behind refund and kept become notes.
fn sheet_of_sums(out: &mut String, sums: &[Vec<String>], limit: usize, colour: bool) {
    const SHOWN: usize = 5;
    if grid::fits(sums, limit) {
        return grid::sheet(out, sums, 2..sums.first().map_or(0, Vec::len), limit, colour);
    }
    let short: Vec<Vec<String>> = sums.iter().map(|row| row.iter().take(SHOWN).cloned().collect()).collect();
    grid::sheet(out, &short, 2..SHOWN, limit, colour);
    let Some((heads, rows)) = sums.split_first() else { return };
    for row in rows {
        if let [outcome, currency, ..] = row.as_slice() {
            for (head, cell) in heads.iter().zip(row).skip(SHOWN).filter(|(_, cell)| *cell != "-") {
                paragraph(out, "", &format!("{outcome}: {head} {cell} {currency}"), limit);
            }
        }
    }
}

/// What a column shows, in the order in which columns stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Provider,
    Resource,
    Name,
    Product,
    Outcome,
    Best,
    Refund,
    Kept,
    Until,
    Day,
    Why,
}

impl Kind {
    const fn title(self) -> &'static str {
        match self {
            Self::Provider => "provider",
            Self::Resource => "resource",
            Self::Name => "name",
            Self::Product => "product",
            Self::Outcome => "outcome",
            Self::Best => "best exit",
            Self::Refund => "refund",
            Self::Kept => "kept",
            Self::Until | Self::Day => "until",
            Self::Why => "why",
        }
    }

    const fn is_money(self) -> bool {
        matches!(self, Self::Refund | Self::Kept)
    }

    /// The width below which the column is not worth its place; what is wider wraps. Amounts and days
    /// are always shown whole.
    fn least(self, natural: usize) -> usize {
        match self {
            Self::Resource => natural.min(14),
            Self::Name | Self::Best | Self::Provider => natural.min(12),
            Self::Product => natural.min(10),
            Self::Why => natural.clamp(3, 24),
            Self::Outcome | Self::Refund | Self::Kept | Self::Until | Self::Day => natural,
        }
    }
}

/// Columns of text that are read with ease.
const READABLE: usize = 40;

/// Columns from the widest choice to the narrowest.
const CHOICES: &[&[Kind]] = {
    use Kind::{Best, Day, Kept, Name, Outcome, Product, Provider, Refund, Resource, Until, Why};
    &[
        &[Provider, Resource, Name, Product, Outcome, Best, Refund, Kept, Until, Why],
        &[Provider, Resource, Name, Product, Outcome, Best, Refund, Kept, Day, Why],
        &[Provider, Resource, Name, Outcome, Best, Refund, Kept, Day, Why],
        &[Provider, Resource, Name, Product, Outcome, Best, Refund, Kept, Day],
        &[Provider, Resource, Name, Outcome, Best, Refund, Kept, Day],
        &[Provider, Resource, Outcome, Best, Refund, Kept, Day],
        &[Provider, Resource, Outcome, Best, Refund, Day],
        &[Resource, Outcome, Best, Refund, Day],
        &[Resource, Outcome, Best, Refund],
    ]
};

struct Column {
    kind: Kind,
    cells: Vec<String>,
    natural: usize,
}

fn column(kind: Kind, rows: &[Row], sites: bool) -> Column {
    let text = |of: fn(&Row) -> &str| rows.iter().map(|row| of(row).to_owned()).collect::<Vec<_>>();
    let money = |of: fn(&Row) -> Money| {
        let cells: Vec<(String, String)> = rows
            .iter()
            .map(|row| match of(row) {
                Money::Known(amount, currency) => (amount.to_string(), currency.to_string()),
                other => (other.to_string(), String::new()),
            })
            .collect();
        grid::aligned(&cells)
    };
    let until = |of: fn(&(String, String)) -> &str| {
        rows.iter().map(|row| row.until.as_ref().map_or("-", of).to_owned()).collect::<Vec<_>>()
    };
    let cells = match kind {
        Kind::Provider if sites => rows.iter().map(|row| format!("{}/{}", row.provider, row.site)).collect(),
        Kind::Provider => text(|row| &row.provider),
        Kind::Resource => text(|row| &row.resource),
        Kind::Name => text(|row| &row.name),
        Kind::Product => text(|row| &row.product),
        Kind::Outcome => text(|row| row.outcome.as_str()),
        Kind::Best => text(|row| &row.best),
        Kind::Refund => money(|row| row.refund),
        Kind::Kept => money(|row| row.kept),
        Kind::Until => until(|(long, _)| long),
        Kind::Day => until(|(_, day)| day),
        Kind::Why => text(|row| &row.why),
    };
    let natural = cells.iter().map(|cell| width(cell)).max().unwrap_or(0).max(kind.title().len());
    Column { kind, cells, natural }
}

/// Widths for the columns, if they fit.
fn widths(columns: &[&Column], limit: usize) -> Option<Vec<usize>> {
    let mut widths: Vec<usize> = columns.iter().map(|column| column.kind.least(column.natural)).collect();
    let used = widths.iter().sum::<usize>() + GAP * columns.len().saturating_sub(1);
    let mut slack = limit.checked_sub(used)?;
    // The reason has its readable width before other columns grow, and what they leave.
    let reserve = |column: &Column, now: usize| column.natural.min(READABLE).saturating_sub(now);
    let mut reserved = columns
        .iter()
        .zip(&widths)
        .find(|(column, _)| column.kind == Kind::Why)
        .map_or(0, |(column, now)| reserve(column, *now))
        .min(slack);
    slack -= reserved;
    for (column, width) in columns.iter().zip(&mut widths) {
        if column.kind == Kind::Why {
            slack += std::mem::take(&mut reserved);
        }
        let more = column.natural.saturating_sub(*width).min(slack);
        *width += more;
        slack -= more;
    }
    Some(widths)
}

fn draw(out: &mut String, rows: &[Row], look: &Look) {
    let limit = look.columns();
    let mut site_of: BTreeMap<&str, &str> = BTreeMap::new();
    let sites = rows.iter().any(|row| *site_of.entry(&row.provider).or_insert(&row.site) != row.site);
    let one_provider = !sites && site_of.len() == 1;
    let named = rows.iter().any(|row| !row.name.is_empty());
    let mut made: Vec<Column> = Vec::new();
    for kind in CHOICES.iter().copied().flatten() {
        if made.iter().all(|column| column.kind != *kind) {
            made.push(column(*kind, rows, sites));
        }
    }
    for (index, choice) in CHOICES.iter().enumerate() {
        // What is the same in every row stands above the table where its column has no room.
        let above = one_provider && index > 0;
        let columns: Vec<&Column> = choice
            .iter()
            .filter(|kind| (named || **kind != Kind::Name) && !(above && **kind == Kind::Provider))
            .filter_map(|kind| made.iter().find(|column| column.kind == *kind))
            .collect();
        if let Some(widths) = widths(&columns, limit) {
            let lost: Vec<&Column> = made
                .iter()
                .filter(|column| is_lost(column.kind, choice) && !(above && column.kind == Kind::Provider))
                .collect();
            if let Some(row) = rows.first().filter(|_| above) {
                paragraph(out, "", &format!("{}, site {}", row.provider, row.site), limit);
                out.push('\n');
            }
            return in_columns(out, rows, &columns, &widths, &lost, look);
        }
    }
    in_blocks(out, rows, sites, look);
}

/// Whether a column that left is shown under the row: only where the reason stands there too.
fn is_lost(kind: Kind, choice: &[Kind]) -> bool {
    let day_shown = choice.contains(&Kind::Day) || choice.contains(&Kind::Until);
    !choice.contains(&Kind::Why) && !choice.contains(&kind) && kind != Kind::Until && (kind != Kind::Day || !day_shown)
}

fn in_columns(out: &mut String, rows: &[Row], columns: &[&Column], widths: &[usize], lost: &[&Column], look: &Look) {
    let heads: Vec<Cell<'_>> = columns
        .iter()
        .zip(widths)
        .map(|(column, width)| Cell {
            text: column.kind.title(),
            width: *width,
            right: column.kind.is_money(),
            tone: Tone::Head,
        })
        .collect();
    grid::row(out, &heads, look.colour);
    let rule: Vec<String> = widths.iter().map(|width| "─".repeat(*width)).collect();
    out.push_str(&rule.join("  "));
    out.push('\n');
    for (index, row) in rows.iter().enumerate() {
        let cells: Vec<Cell<'_>> = columns
            .iter()
            .zip(widths)
            .map(|(column, width)| Cell {
                text: column.cells.get(index).map_or("", String::as_str),
                width: *width,
                right: column.kind.is_money(),
                tone: if column.kind == Kind::Outcome { Tone::Of(row.outcome) } else { Tone::Plain },
            })
            .collect();
        grid::row(out, &cells, look.colour);
        let mut below = Vec::new();
        for column in lost {
            let text = column.cells.get(index).map_or("", |cell| cell.trim());
            if !matches!(text, "" | "-" | "unknown") {
                match column.kind {
                    Kind::Kept => below.push(format!("kept {}", text.replace(' ', &TIE.to_string()))),
                    Kind::Day => below.push(format!("until {text}")),
                    Kind::Product => below.push(format!("product {text}")),
                    _ => below.push(text.to_owned()),
                }
            }
        }
        if !below.is_empty() {
            paragraph(out, "    ", &below.join("; "), look.columns());
        }
    }
}

fn in_blocks(out: &mut String, rows: &[Row], sites: bool, look: &Look) {
    let limit = look.columns();
    for row in rows {
        let site = if sites { format!("/{}", row.site) } else { String::new() };
        let head = format!("{}{site} {} {}", row.provider, row.resource, row.name);
        for line in wrap(head.trim_end(), limit) {
            out.push_str(&grid::paint(&line, Tone::Head, look.colour));
            out.push('\n');
        }
        let outcome = grid::paint(row.outcome.as_str(), Tone::Of(row.outcome), look.colour);
        out.push_str(&format!("  outcome  {outcome}\n"));
        for (label, value) in [
            ("exit   ", row.best.clone()),
            ("product", row.product.clone()),
            ("refund ", row.refund.to_string()),
            ("kept   ", row.kept.to_string()),
            ("until  ", row.until.as_ref().map(|(long, _)| long.clone()).unwrap_or_default()),
            ("why    ", row.why.clone()),
        ] {
            if !value.is_empty() && value != "-" {
                paragraph(out, &format!("  {label}  "), &value, limit);
            }
        }
    }
}
