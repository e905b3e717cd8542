//! Rows of cells under headings, drawn in columns of given widths.

use recoup_core::vocab::Outcome;

use crate::text::{padded, right, untied, width, wrap};

/// Spaces between two columns.
pub(crate) const GAP: usize = 2;

/// What a cell's colour says; its words say it too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tone {
    Plain,
    Head,
    Of(Outcome),
}

/// The text in the colour of its tone.
pub(crate) fn paint(text: &str, tone: Tone, colour: bool) -> String {
    let code = match tone {
        _ if !colour || text.trim().is_empty() => return text.to_owned(),
        Tone::Plain => return text.to_owned(),
        Tone::Head => "1",
        // Blue, yellow and magenta are told apart by nearly every eye; green and red are not.
        Tone::Of(Outcome::Allowed) => "1;34",
        Tone::Of(Outcome::Conditional) => "33",
        Tone::Of(Outcome::Refused) => "35",
    };
    format!("\u{1b}[{code}m{text}\u{1b}[0m")
}

/// A cell on its way to the screen.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cell<'t> {
    pub(crate) text: &'t str,
    pub(crate) width: usize,
    pub(crate) right: bool,
    pub(crate) tone: Tone,
}

/// Adds a row, in as many lines as its highest cell takes.
pub(crate) fn row(out: &mut String, cells: &[Cell<'_>], colour: bool) {
    let wrapped: Vec<Vec<String>> = cells
        .iter()
        .map(|cell| if width(cell.text) <= cell.width { vec![untied(cell.text)] } else { wrap(cell.text, cell.width) })
        .collect();
    let height = wrapped.iter().map(Vec::len).max().unwrap_or(0);
    for index in 0..height {
        let mut line = String::new();
        let mut due = 0;
        for (cell, lines) in cells.iter().zip(&wrapped) {
            let text = lines.get(index).map_or("", String::as_str);
            // Padding is written only before something that is seen, so that no line ends in spaces.
            let lead = if cell.right { cell.width.saturating_sub(width(text)) } else { 0 };
            if !text.trim().is_empty() {
                line.extend(std::iter::repeat_n(' ', due + lead));
                line.push_str(&paint(text, cell.tone, colour));
                due = cell.width.saturating_sub(width(text) + lead) + GAP;
            } else {
                due += cell.width + GAP;
            }
        }
        out.push_str(line.trim_end_matches(' '));
        out.push('\n');
    }
}

/// Whether rows fit without wrapping and without becoming blocks.
pub(crate) fn fits(rows: &[Vec<String>], limit: usize) -> bool {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let used: usize = (0..columns)
        .map(|column| rows.iter().filter_map(|row| row.get(column)).map(|cell| width(cell)).max().unwrap_or(0))
        .sum();
    used + GAP * columns.saturating_sub(1) <= limit
}

/// Adds a small table whose first row holds the headings. Columns from `right_from` to `right_to` are
/// aligned to the right; the last column wraps. Where it is too wide even so, every row becomes a
/// block of lines.
pub(crate) fn sheet(
    out: &mut String,
    rows: &[Vec<String>],
    right_columns: std::ops::Range<usize>,
    limit: usize,
    colour: bool,
) {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let mut widths: Vec<usize> = (0..columns)
        .map(|column| rows.iter().filter_map(|row| row.get(column)).map(|cell| width(cell)).max().unwrap_or(0))
        .collect();
    let total = |widths: &[usize]| widths.iter().sum::<usize>() + GAP * columns.saturating_sub(1);
    let over = total(&widths).saturating_sub(limit);
    let last_may_wrap = !right_columns.contains(&columns.saturating_sub(1));
    if let Some(last) = widths.last_mut()
        && last_may_wrap
    {
        *last = last.saturating_sub(over).max(20.min(*last));
    }
    if total(&widths) > limit {
        return blocks(out, rows, limit, colour);
    }
    for (index, cells) in rows.iter().enumerate() {
        let tone = if index == 0 { Tone::Head } else { Tone::Plain };
        let cells: Vec<Cell<'_>> = cells
            .iter()
            .zip(&widths)
            .enumerate()
            .map(|(column, (text, width))| {
                let tone = match (index, Outcome::parse(text)) {
                    (1.., Ok(outcome)) => Tone::Of(outcome),
                    _ => tone,
                };
                Cell { text, width: *width, right: right_columns.contains(&column), tone }
            })
            .collect();
        row(out, &cells, colour);
    }
}

fn blocks(out: &mut String, rows: &[Vec<String>], limit: usize, colour: bool) {
    let Some((heads, rows)) = rows.split_first() else { return };
    let label = heads.iter().skip(1).map(|head| width(head.trim())).max().unwrap_or(0);
    for cells in rows {
        let mut pairs = heads.iter().zip(cells);
        if let Some((_, first)) = pairs.next() {
            for line in wrap(first, limit) {
                out.push_str(&paint(&line, Tone::Head, colour));
                out.push('\n');
            }
        }
        for (head, cell) in pairs {
            crate::text::paragraph(out, &format!("  {}  ", padded(head.trim(), label)), cell.trim(), limit);
        }
    }
}

/// Amounts with their currencies, aligned at the point, all equally wide. What is no amount stands at
/// the right.
pub(crate) fn aligned(cells: &[(String, String)]) -> Vec<String> {
    let parts = |amount: &str| -> (String, String) {
        amount.split_once('.').map_or_else(|| (amount.to_owned(), String::new()), |(a, b)| (a.to_owned(), b.to_owned()))
    };
    let amounts = || cells.iter().filter(|(_, currency)| !currency.is_empty()).map(|(amount, _)| parts(amount));
    let whole = amounts().map(|(whole, _)| whole.len()).max().unwrap_or(0);
    let fraction = amounts().map(|(_, fraction)| fraction.len()).max().unwrap_or(0);
    let written: Vec<String> = cells
        .iter()
        .map(|(amount, currency)| {
            if currency.is_empty() {
                return amount.clone();
            }
            let (a, b) = parts(amount);
            format!("{a:>whole$}.{b:<fraction$} {currency}")
        })
        .collect();
    let widest = written.iter().map(|cell| width(cell)).max().unwrap_or(0);
    written.into_iter().map(|cell| right(&cell, widest)).collect()
}
