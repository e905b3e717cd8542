//! A Markdown table, as GitHub renders it, with totals by currency. Rows are written as they come.
//!
//! ```
//! use recoup_report::{Look, markdown::Markdown, write_all};
//!
//! let mut out = Vec::new();
//! write_all(&mut Markdown::new(&mut out, Look::default()), &recoup_report::sample::answers()?)?;
//! assert!(String::from_utf8(out)?.contains("| example | vm-1 | web server | vm | allowed | full refund | 1200.00 USD |"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::io;

use crate::line::Line;
use crate::text::markdown as escape;
use crate::totals::Totals;
use crate::{Answered, Look, Report, time};

/// Writes the table row by row.
#[derive(Debug)]
pub struct Markdown<W> {
    out: W,
    look: Look,
    totals: Totals,
}

impl<W: io::Write> Markdown<W> {
    /// Writes to `out`.
    pub fn new(out: W, look: Look) -> Self {
        Self { out, look, totals: Totals::default() }
    }
}

/// A Markdown table; the first row holds the headings.
pub(crate) fn table(rows: &[Vec<String>], right: std::ops::Range<usize>) -> String {
    let mut out = String::new();
    for (index, row) in rows.iter().enumerate() {
        out.push_str(&format!("| {} |\n", row.iter().map(|cell| escape(cell)).collect::<Vec<_>>().join(" | ")));
        if index == 0 {
            let rule = (0..row.len()).map(|column| if right.contains(&column) { "---:" } else { "---" });
            out.push_str(&format!("| {} |\n", rule.collect::<Vec<_>>().join(" | ")));
        }
    }
    out
}

impl<W: io::Write> Report for Markdown<W> {
    fn begin(&mut self) -> io::Result<()> {
        writeln!(self.out, "# {}\n", escape(&self.look.title))?;
        self.out.write_all(
            b"| provider | resource | name | product | outcome | best exit | refund | kept | until | why |\n\
              | --- | --- | --- | --- | --- | --- | ---: | ---: | --- | --- |\n",
        )
    }

    fn add(&mut self, answered: &Answered) -> io::Result<()> {
        let subject = &answered.subject;
        let line = Line::of(answered);
        self.totals.add(answered);
        let cells = [
            escape(&subject.provider),
            escape(&subject.resource),
            escape(subject.name.as_deref().unwrap_or_default()),
            escape(&subject.product),
            line.outcome.to_string(),
            line.exit(),
            line.refund.to_string(),
            line.kept.to_string(),
            line.until.map_or_else(|| "-".to_owned(), |until| time::long(until, subject.zone)),
            escape(&line.why),
        ];
        writeln!(self.out, "| {} |", cells.join(" | "))
    }

    fn finish(&mut self) -> io::Result<()> {
        writeln!(self.out, "\n{}.", self.totals.sentence())?;
        let sums = self.totals.rows();
        if sums.len() > 1 {
            let amounts = 2..sums.first().map_or(0, Vec::len);
            write!(self.out, "\n{}", table(&sums, amounts))?;
        }
        self.out.flush()
    }
}
