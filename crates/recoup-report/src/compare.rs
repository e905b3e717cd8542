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

use recoup_core::vocab::Outcome;

use crate::grid::{self, Cell, GAP, Tone};
use crate::line::{Line, Money};
use crate::text::{clean, markdown as escape, paragraph, width, wrap};
use crate::{Answered, Look};

/// What stands where a provider has no answer.
const MISSING: &str = "not assessed";

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
        let label = if several { format!("{}/{}", subject.provider, subject.site) } else { subject.provider.clone() };
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

/// The least width of a column in which reasons of a refusal stand.
const READABLE: usize = 16;

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
    let lines: Vec<Vec<Option<Line>>> = board
        .rows
        .iter()
        .map(|(_, _, cells)| {
            (0..board.providers.len()).map(|column| cells.get(&column).map(|answered| Line::of(answered))).collect()
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
    let least = |line: &Option<Line>| match line {
        None => MISSING.len(),
        Some(line) if line.outcome == Outcome::Refused => width(&line.why).min(READABLE),
        Some(line) => width(&line.exit()).max(line.refund.to_string().len()).max(line.outcome.as_str().len()),
    };
    let widths: Vec<usize> = board
        .providers
        .iter()
        .enumerate()
        .map(|(column, provider)| {
            let cells = lines.iter().filter_map(|row| row.get(column));
            cells.map(least).chain([width(provider)]).max().unwrap_or(0)
        })
        .collect();
    if first + widths.iter().map(|width| width + GAP).sum::<usize>() <= look.columns() {
        side_by_side(&mut out, &board, &lines, first, &widths, look);
    } else {
        stacked(&mut out, &board, &lines, look);
    }
    out
}

/// What a provider's column says of a resource: the outcome, then exit and refund, or the reasons.
fn cell_lines(line: Option<&Line>, width: usize) -> Vec<String> {
    let Some(line) = line else { return vec![MISSING.to_owned()] };
    let mut out = vec![line.outcome.to_string()];
    match line.outcome {
        Outcome::Refused => out.extend(wrap(&clean(&line.why), width)),
        Outcome::Allowed | Outcome::Conditional => out.extend([line.exit(), line.refund.to_string()]),
    }
    out
}

fn side_by_side(
    out: &mut String,
    board: &Board<'_>,
    lines: &[Vec<Option<Line>>],
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
    for ((resource, name, cells), row) in board.rows.iter().zip(lines) {
        // The id may take several lines; the name follows beneath it.
        let mut left = wrap(resource, first);
        if !name.is_empty() {
            left.extend(wrap(name, first));
        }
        let columns: Vec<Vec<String>> = row
            .iter()
            .zip(widths)
            .enumerate()
            .map(|(column, (line, width))| {
                let product = other_product(cells, column).map(|product| wrap(&format!("as {product}"), *width));
                cell_lines(line.as_ref(), *width).into_iter().chain(product.into_iter().flatten()).collect()
            })
            .collect();
        let height = columns.iter().map(Vec::len).chain([left.len()]).max().unwrap_or(0);
        for index in 0..height {
            let text = |lines: &[String]| lines.get(index).cloned().unwrap_or_default();
            let first_text = text(&left);
            let texts: Vec<String> = columns.iter().map(|lines| text(lines)).collect();
            let mut cells = vec![Cell { text: &first_text, width: first, right: false, tone: Tone::Plain }];
            for ((text, width), line) in texts.iter().zip(widths).zip(row) {
                let tone = line.as_ref().filter(|_| index == 0).map_or(Tone::Plain, |line| Tone::Of(line.outcome));
                cells.push(Cell { text, width: *width, right: false, tone });
            }
            grid::row(out, &cells, look.colour);
        }
    }
}

/// The product of an answer, where the resource is another product at another provider.
fn other_product(cells: &BTreeMap<usize, &Answered>, column: usize) -> Option<String> {
    let mut products = cells.values().map(|answered| &answered.subject.product);
    let first = products.next();
    let same = products.all(|product| Some(product) == first);
    cells.get(&column).filter(|_| !same).map(|answered| clean(&answered.subject.product))
}

/// What the providers are called before each resource: with the product, where it is not the same at all.
fn labels(board: &Board<'_>) -> Vec<Vec<String>> {
    let label = |cells, (column, provider): (usize, &String)| match other_product(cells, column) {
        Some(product) => format!("{provider}: {product}"),
        None => provider.clone(),
    };
    let of_row = |cells| board.providers.iter().enumerate().map(|each| label(cells, each)).collect();
    board.rows.iter().map(|(_, _, cells)| of_row(cells)).collect()
}

/// A line for every provider under each resource; columns are equally wide throughout, and reasons stand
/// under their line where they have no room beside it.
fn stacked(out: &mut String, board: &Board<'_>, lines: &[Vec<Option<Line>>], look: &Look) {
    const INDENT: &str = "  ";
    let limit = look.columns();
    let amounts: Vec<(String, String)> = lines
        .iter()
        .flatten()
        .map(|line| match line.as_ref().map(|line| line.refund) {
            Some(Money::Known(amount, currency)) => (amount.to_string(), currency.to_string()),
            Some(other) => (other.to_string(), String::new()),
            None => (String::new(), String::new()),
        })
        .collect();
    let amounts = grid::aligned(&amounts);
    let widest = |texts: &mut dyn Iterator<Item = usize>, least: usize| texts.max().unwrap_or(0).max(least);
    let exits = || lines.iter().flatten().flatten().map(Line::exit);
    let labels = labels(board);
    let mut widths = [
        widest(&mut labels.iter().flatten().map(|label| width(label)), "provider".len()).min(36),
        MISSING.len(),
        widest(&mut exits().map(|exit| width(&exit)), "best exit".len()),
        widest(&mut amounts.iter().map(|amount| width(amount)), "refund".len()),
        0,
    ];
    let used = INDENT.len() + widths.iter().sum::<usize>() + GAP * 4;
    let Some(room) = limit.checked_sub(used) else { return blocks(out, board, lines, look) };
    let beside = room >= 24;
    widths[4] = if beside { room } else { 0 };
    let cells = |texts: [&str; 5], tones: [Tone; 5]| -> String {
        let mut text = String::new();
        let mut cells: Vec<Cell<'_>> = Vec::new();
        for (place, ((text, width), tone)) in texts.into_iter().zip(widths).zip(tones).enumerate() {
            if place < 4 || beside {
                cells.push(Cell { text, width, right: place == 3, tone });
            }
        }
        grid::row(&mut text, &cells, look.colour);
        text.lines().map(|line| format!("{INDENT}{line}\n")).collect()
    };
    out.push_str(&cells(["provider", "outcome", "best exit", "refund", "why"], [Tone::Head; 5]));
    let mut amounts = amounts.iter();
    for (((resource, name, _), row), labels) in board.rows.iter().zip(lines).zip(&labels) {
        for line in wrap(format!("{resource}  {name}").trim_end(), limit) {
            out.push_str(&grid::paint(&line, Tone::Head, look.colour));
            out.push('\n');
        }
        for (provider, line) in labels.iter().zip(row) {
            let amount = amounts.next().map_or("", String::as_str);
            let Some(line) = line else {
                out.push_str(&cells([provider, MISSING, "", "", ""], [Tone::Plain; 5]));
                continue;
            };
            let why = clean(&line.why);
            let tones = [Tone::Plain, Tone::Of(line.outcome), Tone::Plain, Tone::Plain, Tone::Plain];
            out.push_str(&cells([provider, line.outcome.as_str(), &line.exit(), amount, &why], tones));
            if !beside && !why.is_empty() {
                paragraph(out, "      ", &why, limit);
            }
        }
    }
}

/// A paragraph for every provider under each resource, for amounts that have no room in columns.
fn blocks(out: &mut String, board: &Board<'_>, lines: &[Vec<Option<Line>>], look: &Look) {
    for ((resource, name, _), row) in board.rows.iter().zip(lines) {
        for line in wrap(format!("{resource}  {name}").trim_end(), look.columns()) {
            out.push_str(&grid::paint(&line, Tone::Head, look.colour));
            out.push('\n');
        }
        for (provider, line) in board.providers.iter().zip(row) {
            let text = match line {
                None => MISSING.to_owned(),
                Some(line) if line.outcome == Outcome::Refused => format!("{}; {}", line.outcome, clean(&line.why)),
                Some(line) => {
                    format!("{}, {}, refund {}; {}", line.outcome, line.exit(), line.refund, clean(&line.why))
                }
            };
            paragraph(out, "  ", &format!("{provider}: {}", text.trim_end_matches("; ")), look.columns());
        }
    }
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
                || MISSING.to_owned(),
                |answered| {
                    let line = Line::of(answered);
                    let product = other_product(cells, column).map(|product| format!("<br>as {}", escape(&product)));
                    let product = product.unwrap_or_default();
                    match line.outcome {
                        Outcome::Refused => format!("{}<br>{}{product}", line.outcome, escape(&line.why)),
                        _ => format!("{}<br>{}<br>{}{product}", line.outcome, line.exit(), line.refund),
                    }
                },
            );
            out.push_str(&format!(" {text} |"));
        }
        out.push('\n');
    }
    out
}
