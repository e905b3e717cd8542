//! Files that show what came back, read for one case.

use recoup_cases::model::{Case, Received};

use crate::cli::Setup;
use crate::host::Failure;

/// Reads receipts: a JSON array of them, or one a line.
pub(super) fn read(_setup: &Setup, files: &[String], case: &Case) -> Result<Vec<Received>, Failure> {
    let mut all = Vec::new();
    for file in files {
        let named = |error: &dyn std::fmt::Display| Failure::input(format_args!("{file}: {error}"));
        let text = std::fs::read_to_string(file).map_err(|error| named(&error))?;
        let mut receipts: Vec<Received> = if text.trim_start().starts_with('[') {
            serde_json::from_str(&text).map_err(|error| named(&error))?
        } else {
            let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
            let read = |(index, line): (usize, &str)| {
                serde_json::from_str(line).map_err(|error| Failure::input(format_args!("{file}:{}: {error}", index + 1)))
            };
            lines.map(read).collect::<Result<_, _>>()?
        };
        for receipt in &mut receipts {
            receipt.source.clone_from(file);
            let names = |line: &&recoup_cases::model::Line| receipt.resource.as_ref() == Some(&line.resource);
            receipt.line = receipt.line.or_else(|| case.lines.iter().find(names).map(|line| line.number));
        }
        all.extend(receipts);
    }
    Ok(all)
}
