//! Small tables and pages, for other crates that tell people something in the look of this one.
//!
//! ```
//! use recoup_report::{Look, sheets};
//!
//! let rows = [vec!["what".to_owned(), "amount".to_owned()], vec!["vm-1".to_owned(), "12.00".to_owned()]];
//! assert_eq!(sheets::table(&rows, 1..2, &Look::default()), "what  amount\nvm-1   12.00\n");
//! assert!(sheets::html(&rows, 1..2).contains("<td class=\"num\" data-l=\"amount\">12.00</td>"));
//! ```

use std::ops::Range;

use crate::{Look, grid, page as frame, text};

/// A table for a terminal. The first row holds the headings; columns of `right` are aligned to the right, the last
/// column wraps.
#[must_use]
pub fn table(rows: &[Vec<String>], right: Range<usize>, look: &Look) -> String {
    let mut out = String::new();
    let clean: Vec<Vec<String>> = rows.iter().map(|row| row.iter().map(|cell| text::clean(cell)).collect()).collect();
    grid::sheet(&mut out, &clean, right, look.columns(), look.colour);
    out
}

/// A paragraph for a terminal, wrapped.
#[must_use]
pub fn paragraph(sentence: &str, look: &Look) -> String {
    let mut out = String::new();
    text::paragraph(&mut out, "", &text::clean(sentence), look.columns());
    out
}

/// A Markdown table.
#[must_use]
pub fn markdown(rows: &[Vec<String>], right: Range<usize>) -> String {
    let mut out = String::new();
    for (index, row) in rows.iter().enumerate() {
        let cells: Vec<String> = row.iter().map(|cell| text::markdown(cell)).collect();
        out.push_str(&format!("| {} |\n", cells.join(" | ")));
        if index == 0 {
            let rule = |column: usize| if right.contains(&column) { "---:" } else { "---" };
            let rules: Vec<&str> = (0..row.len()).map(rule).collect();
            out.push_str(&format!("| {} |\n", rules.join(" | ")));
        }
    }
    out
}

/// Text as Markdown shows it.
#[must_use]
pub fn markdown_text(sentence: &str) -> String {
    text::markdown(sentence)
}

/// A table of a page.
#[must_use]
pub fn html(rows: &[Vec<String>], right: Range<usize>) -> String {
    let mut out = String::new();
    crate::forecast::sheet(&mut out, rows, right);
    out
}

/// Text as a page shows it.
#[must_use]
pub fn html_text(sentence: &str) -> String {
    text::html(sentence)
}

/// A self-contained page: a title, a sentence under it, a body that is HTML already, a footer.
#[must_use]
pub fn page(title: &str, sentence: &str, body: &str, footer: &str) -> String {
    frame::page(title, sentence, body, footer)
}
