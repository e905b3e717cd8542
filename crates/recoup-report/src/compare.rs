//! The same resources under several providers' rules, side by side.
//!
//! ```
//! use recoup_report::{Look, compare::compare};
//!
//! let mut answers = recoup_report::sample::answers()?;
//! for answered in recoup_report::sample::answers()? {
//!     let mut other = answered;
//!     other.subject.provider = "another".to_owned();
//!     answers.push(other);
//! }
//! let text = compare(&answers, &Look::default());
//! assert!(text.starts_with("resource"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::collections::{BTreeMap, HashMap};

use crate::grid::{self, Cell, GAP, Tone};
use crate::line::Line;
use crate::text::{clean, markdown as escape, paragraph, width};
use crate::{Answered, Look};

/// Answers by resource and provider.
struct Board<'a> {
    providers: Vec<String>,
    rows: Vec<(String, String, BTreeMap<usize, &'a Answered>)>,
}

/// Sorts answers into rows of resources, in the order in which they first appear, and columns of
/// providers, a column for each site where a provider answers for several.
fn board(answers: &[Answered]) -> Board<'_> {
    let mut site_of: HashMap<&str, &str> = HashMap::new();
    let several = answers.iter().any(|answered| {
        let subject = &answered.subject;
        *site_of.entry(&subject.provider).or_insert(&subject.site) != subject.site
    });
    let mut providers: Vec<String> = Vec::new();
    let mut places: HashMap<(&Option<String>, &str), usize> = HashMap::new();
    let mut rows: Vec<(String, String, BTreeMap<usize, &Answered>)> = Vec::new();
    for answered in answers {
        let subject = &answered.subject;
        let label =
            if several { format!("{}/{}", subject.provider, subject.site) } else { subject.provider.clone() };
        let label = clean(&label);
        let column = providers.iter().position(|provider| *provider == label).unwrap_or_else(|| {
            providers.push(label);
            providers.len() - 1
        });
        let place = *places.entry((&subject.account, &subject.resource)).or_insert_with(|| {
            let name = subject.name.as_deref().map(clean).unwrap_or_default();
            rows.push((clean(&subject.resource), name, BTreeMap::new()));
            rows.len() - 1
        });
        if let Some((_, _, cells)) = rows.get_mut(place) {
            cells.insert(column, answered);
        }
    }
    Board { providers, rows }
}

/// The comparison as a table that fits the width; where there are too many providers for columns, each
/// resource becomes a block with a line for every provider.
#[must_use]
pub fn compare(answers: &[Answered], look: &Look) -> String {
    let board = board(answers);
    let mut out = String::new();
    if board.rows.is_empty() {
        out.push_str("0 resources\n");
        return out;
    }
    let lines: Vec<Vec<Option<[String; 3]>>> = board
        .rows
        .iter()
        .map(|(_, _, cells)| {
            (0..board.providers.len())
                .map(|column| {
                    cells.get(&column).map(|answered| {
                        let line = Line::of(answered);
                        [line.outcome.to_string(), line.exit(), line.refund.to_string()]
                    })
                })
                .collect()
        })
        .collect();
    let first = board
        .rows
        .iter()
        .flat_map(|(resource, name, _)| [width(resource), width(name)])
        .chain(["resource".len()])
        .max()
        .unwrap_or(0)
        .min(24);
    let widths: Vec<usize> = board
        .providers
        .iter()
        .enumerate()
        .map(|(column, provider)| {
            let texts = lines.iter().filter_map(|row| row.get(column)?.as_ref()).flatten();
            texts.map(|text| width(text)).chain([width(provider)]).max().unwrap_or(0)
        })
        .collect();
    if first + widths.iter().map(|width| width + GAP).sum::<usize>() <= look.columns() {
        side_by_side(&mut out, &board, &lines, first, &widths, look);
    } else {
        stacked(&mut out, &board, look);
    }
    out
}

fn side_by_side(
    out: &mut String,
    board: &Board<'_>,
    lines: &[Vec<Option<[String; 3]>>],
    first: usize,
    widths: &[usize],
    look: &Look,
) {
    let mut heads = vec![Cell { text: "resource", width: first, right: false, tone: Tone::Head }];
    heads.extend(board.providers.iter().zip(widths).map(|(provider, width)| Cell {
        text: provider,
        width: *width,
        right: false,
        tone: Tone::Head,
    }));
    grid::row(out, &heads, look.colour);
    let rule: Vec<String> = std::iter::once(&first).chain(widths).map(|width| "─".repeat(*width)).collect();
    out.push_str(&rule.join("  "));
    out.push('\n');
    for ((resource, name, answered), row) in board.rows.iter().zip(lines) {
        // The id may take several lines; the name follows beneath it.
        let mut left = crate::text::wrap(resource, first);
        if !name.is_empty() {
            left.extend(crate::text::wrap(name, first));
        }
        for index in 0..left.len().max(3) {
            let mut cells = vec![Cell {
                text: left.get(index).map_or("", String::as_str),
                width: first,
                right: false,
                tone: Tone::Plain,
            }];
            for (column, (texts, width)) in row.iter().zip(widths).enumerate() {
                let missing = if index == 0 { "not assessed" } else { "" };
                let text = texts.as_ref().map_or(missing, |texts| texts.get(index).map_or("", String::as_str));
                let outcome = answered.get(&column).map(|answered| answered.assessment.outcome());
                let tone = outcome.filter(|_| index == 0).map_or(Tone::Plain, Tone::Of);
                cells.push(Cell { text, width: *width, right: false, tone });
            }
            grid::row(out, &cells, look.colour);
        }
    }
}

fn stacked(out: &mut String, board: &Board<'_>, look: &Look) {
    let limit = look.columns();
    for (resource, name, cells) in &board.rows {
        for line in crate::text::wrap(format!("{resource}  {name}").trim_end(), limit) {
            out.push_str(&grid::paint(&line, Tone::Head, look.colour));
            out.push('\n');
        }
        let mut rows = vec![["provider", "outcome", "best exit", "refund", "why"].map(str::to_owned).to_vec()];
        for (column, provider) in board.providers.iter().enumerate() {
            rows.push(cells.get(&column).map_or_else(
                || vec![provider.clone(), "not assessed".to_owned()],
                |answered| {
                    let line = Line::of(answered);
                    let exit = line.exit();
                    vec![provider.clone(), line.outcome.to_string(), exit, line.refund.to_string(), line.why]
                },
            ));
        }
        let amounts: Vec<(String, String)> = rows
            .iter()
            .map(|row| {
                let cell = row.get(3).cloned().unwrap_or_default();
                cell.rsplit_once(' ').map_or((cell.clone(), String::new()), |(a, b)| (a.to_owned(), b.to_owned()))
            })
            .collect();
        for (row, amount) in rows.iter_mut().zip(grid::aligned(&amounts)) {
            if let Some(cell) = row.get_mut(3) {
                *cell = amount;
            }
        }
        let mut block = String::new();
        grid::sheet(&mut block, &rows, 3..4, limit.saturating_sub(2), look.colour);
        for line in block.lines() {
            out.push_str(&format!("  {line}\n"));
        }
    }
    paragraph(out, "", &format!("{} resources, {} providers", board.rows.len(), board.providers.len()), limit);
}

/// The comparison as a Markdown table.
#[must_use]
pub fn compare_markdown(answers: &[Answered]) -> String {
    let board = board(answers);
    let mut out = format!(
        "| resource | {} |\n| --- |{}\n",
        board.providers.iter().map(|provider| escape(provider)).collect::<Vec<_>>().join(" | "),
        " --- |".repeat(board.providers.len())
    );
    for (resource, name, cells) in &board.rows {
        out.push_str(&format!("| {} |", escape(format!("{resource} {name}").trim_end())));
        for column in 0..board.providers.len() {
            let text = cells.get(&column).map_or_else(
                || "not assessed".to_owned(),
                |answered| {
                    let line = Line::of(answered);
                    format!("{}<br>{}<br>{}", line.outcome, line.exit(), line.refund)
                },
            );
            out.push_str(&format!(" {text} |"));
        }
        out.push('\n');
    }
    out
}
