//! Assessments and policies, written for people and for programs.
//!
//! Every face is a pure function over data: no I/O but the writer that is handed in, no environment,
//! no clock. Width, colour and title are parameters ([`Look`]).
//!
//! | module | face |
//! |---|---|
//! | [`machine`] | JSON, NDJSON, CSV, for programs |
//! | [`parts`] | the same written by several threads, part by part |
//! | [`focus`] | predicted refunds as rows of FOCUS, for cost tools |
//! | [`table`] | a table on a terminal, with totals |
//! | [`markdown`] | the same as a table for an issue or a wiki |
//! | [`html`] | one self-contained page with every exit and its sources |
//! | [`explain`] | one answer, clause by clause and step by step |
//! | [`explained`] | the same with what comes, in the formats that are no plain text |
//! | [`compare`] | the same resources under several providers' rules |
//! | [`policy`] | what a provider publishes: lists, differences of editions, the policy book |
//! | [`deadlines`] | what closes, opens or changes its fee over time, and what it costs to miss it |
//! | [`ics`] | the same as a calendar |
//! | [`forecast`] | what would come back at each moment, with a [`chart`] |
//! | [`simulate`] | something not bought yet, at each provider side by side |
//! | [`timeline`] | what comes for one resource: the end of an explanation |
//! | [`rows`] | rows of any kind, for commands whose answers are no assessments |
//! | [`totals`] | sums by currency, shared by the faces |
//! | [`words`] | the words of the formats in plain English |
//! | [`sheets`] | small tables and pages for other crates |
//! | [`sample`] | an invented provider to try them on |
//!
//! Tables are drawn by this crate and not by a table library: a money column must never be cut, columns
//! leave in the order of their worth, and a reason may stand under its row where it has no room beside
//! it. Text that comes from outside is stripped of everything that would steer a terminal or a browser.
//!
//! ```
//! use recoup_report::{Format, Look, report, write_all};
//!
//! let answers = recoup_report::sample::answers()?;
//! let mut out = Vec::new();
//! write_all(report(Format::Table, &mut out, &Look { width: 120, ..Look::default() }).as_mut(), &answers)?;
//! let text = String::from_utf8(out)?;
//! assert!(text.contains("vm-1") && text.contains("1200.00 USD"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::io;

pub mod chart;
pub mod compare;
pub mod deadlines;
mod detail;
pub mod explain;
pub mod explained;
pub mod focus;
pub mod forecast;
mod grid;
pub mod html;
pub mod ics;
mod json;
mod line;
pub mod machine;
pub mod markdown;
mod page;
pub mod parts;
pub mod policy;
pub mod rows;
pub mod sample;
pub mod sheets;
pub mod simulate;
mod stated;
pub mod table;
mod text;
mod time;
pub mod timeline;
pub mod totals;
pub mod words;

pub use recoup_core::assessment::Answered;

/// How a face looks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Look {
    /// Columns of the terminal. Below [`Look::LEAST`] that many are used.
    pub width: usize,
    /// Whether outcomes and headings are coloured by ANSI sequences. Nothing depends on it.
    pub colour: bool,
    /// The heading of a page.
    pub title: String,
}

impl Look {
    /// The narrowest terminal for which nothing overflows.
    pub const LEAST: usize = 60;

    /// The columns to fill.
    pub(crate) fn columns(&self) -> usize {
        self.width.max(Self::LEAST)
    }
}

impl Default for Look {
    /// A hundred columns without colour.
    fn default() -> Self {
        Self { width: 100, colour: false, title: "What can be returned".to_owned() }
    }
}

/// Writes assessments one after the other, each as soon as the format allows.
pub trait Report {
    /// Writes what stands before the first assessment.
    ///
    /// # Errors
    /// Where the writer fails.
    fn begin(&mut self) -> io::Result<()>;

    /// Writes an assessment, or keeps what will be written of it.
    ///
    /// # Errors
    /// Where the writer fails.
    fn add(&mut self, answered: &Answered) -> io::Result<()>;

    /// Writes what stands behind the last assessment.
    ///
    /// # Errors
    /// Where the writer fails.
    fn finish(&mut self) -> io::Result<()>;
}

/// A format in which assessments are written here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// A table for a terminal.
    Table,
    /// One JSON array.
    Json,
    /// One JSON object a line.
    Ndjson,
    /// One row for every exit.
    Csv,
    /// A Markdown table.
    Markdown,
    /// One self-contained page.
    Html,
    /// Predicted refunds as rows of FOCUS.
    Focus,
}

/// The writer of a format.
#[must_use]
pub fn report<'w, W: io::Write + 'w>(format: Format, out: W, look: &Look) -> Box<dyn Report + 'w> {
    match format {
        Format::Table => Box::new(table::Table::new(out, look.clone())),
        Format::Json => Box::new(machine::Json::new(out)),
        Format::Ndjson => Box::new(machine::Ndjson::new(out)),
        Format::Csv => Box::new(machine::Csv::new(out)),
        Format::Markdown => Box::new(markdown::Markdown::new(out, look.clone())),
        Format::Html => Box::new(html::Html::new(out, look.clone())),
        Format::Focus => Box::new(focus::Focus::new(out)),
    }
}

/// Writes assessments that are all at hand.
///
/// # Errors
/// Where the writer fails.
pub fn write_all(report: &mut dyn Report, answers: &[Answered]) -> io::Result<()> {
    report.begin()?;
    for answered in answers {
        report.add(answered)?;
    }
    report.finish()
}
