//! Rows of any kind, in every format: for commands whose answers are no assessments.
//!
//! ```
//! use recoup_report::rows::{Form, Rows};
//!
//! let mut rows = Rows::new("Cases", &["case", "state"]);
//! rows.add(vec!["C1".to_owned(), "quoted".to_owned()], serde_json::json!({"case": "C1", "state": "quoted"}));
//! assert_eq!(rows.write(Form::Table, &recoup_report::Look { width: 80, ..Default::default() })?, "case  state\nC1    quoted\n");
//! assert_eq!(rows.write(Form::Csv, &Default::default())?, "case,state\nC1,quoted\n");
//! # Ok::<(), std::io::Error>(())
//! ```

use std::io;
use std::ops::Range;

use serde_json::Value;

use crate::text::html;
use crate::{Look, grid, markdown};

/// The formats of rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the formats' own names")]
pub enum Form {
    Table,
    Json,
    Ndjson,
    Csv,
    Markdown,
    Html,
}

/// Rows under headings, each also as JSON.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rows {
    title: String,
    cells: Vec<Vec<String>>,
    right: Range<usize>,
    json: Vec<Value>,
    whole: Option<Value>,
}

impl Rows {
    /// No rows yet.
    #[must_use]
    pub fn new(title: &str, headings: &[&str]) -> Self {
        let headings = headings.iter().map(|heading| (*heading).to_owned()).collect();
        Self { title: title.to_owned(), cells: vec![headings], right: 0..0, json: Vec::new(), whole: None }
    }

    /// Aligns some columns to the right.
    #[must_use]
    pub fn right(mut self, columns: Range<usize>) -> Self {
        self.right = columns;
        self
    }

    /// What JSON and NDJSON hold instead of the rows: one value that says more than they do.
    #[must_use]
    pub fn whole(mut self, whole: Value) -> Self {
        self.whole = Some(whole);
        self
    }

    /// Adds a row.
    pub fn add(&mut self, cells: Vec<String>, json: Value) {
        self.cells.push(cells);
        self.json.push(json);
    }

    /// How many rows there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.json.len()
    }

    /// The rows in a format.
    ///
    /// # Errors
    /// Where CSV cannot be written, which memory always lets it be.
    pub fn write(&self, form: Form, look: &Look) -> io::Result<String> {
        Ok(match form {
            Form::Table => {
                let mut out = String::new();
                if self.json.is_empty() {
                    out.push_str("nothing\n");
                } else {
                    let (cells, right) = self.filled();
                    grid::sheet(&mut out, &cells, right, look.width, look.colour);
                }
                out
            }
            Form::Json => {
                let all = || Value::Array(self.json.clone());
                let mut out = serde_json::to_string_pretty(&self.whole.clone().unwrap_or_else(all))?;
                out.push('\n');
                out
            }
            Form::Ndjson => match &self.whole {
                Some(whole) => format!("{whole}\n"),
                None => self.json.iter().map(|row| format!("{row}\n")).collect(),
            },
            Form::Csv => {
                let mut writer = csv::Writer::from_writer(Vec::new());
                for row in &self.cells {
                    writer.write_record(row)?;
                }
                let bytes = writer.into_inner().map_err(|error| io::Error::other(error.to_string()))?;
                String::from_utf8_lossy(&bytes).into_owned()
            }
            Form::Markdown => format!("# {}\n\n{}", self.title, markdown::table(&self.cells, self.right.clone())),
            Form::Html => self.page(),
        })
    }

    /// The rows without the columns in which nothing stands, and which of the rest are aligned to the right.
    fn filled(&self) -> (Vec<Vec<String>>, Range<usize>) {
        let columns = self.cells.iter().map(Vec::len).max().unwrap_or(0);
        let stands =
            |column: usize| self.cells.iter().skip(1).any(|row| row.get(column).is_some_and(|cell| !cell.is_empty()));
        let kept: Vec<usize> = (0..columns).filter(|column| stands(*column)).collect();
        let cells = self.cells.iter().map(|row| kept.iter().filter_map(|column| row.get(*column)).cloned().collect());
        let place = |end: usize| kept.iter().filter(|column| **column < end).count();
        (cells.collect(), place(self.right.start)..place(self.right.end))
    }

    fn page(&self) -> String {
        let row = |tag: &str, row: &[String]| {
            let cells: String = row.iter().map(|cell| format!("<{tag}>{}</{tag}>", html(cell))).collect();
            format!("<tr>{cells}</tr>\n")
        };
        let (head, body) = self.cells.split_first().map_or((String::new(), String::new()), |(head, body)| {
            (row("th", head), body.iter().map(|cells| row("td", cells)).collect())
        });
        format!(
            "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<title>{title}</title>\n<style>body{{font:14px sans-serif}}table{{border-collapse:collapse}}td,th{{padding:.2em .6em;text-align:left;border-bottom:1px solid #ccc}}</style>\n<h1>{title}</h1>\n<table>\n<thead>{head}</thead>\n<tbody>\n{body}</tbody>\n</table>\n</html>\n",
            title = html(&self.title)
        )
    }
}
