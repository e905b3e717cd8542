//! Rows of CSV as JSON: a dotted column name is a path, and what stands for a structure is JSON text.

use serde_json::{Map, Value};

/// Columns whose cells are JSON text rather than a plain value.
fn is_structure(path: &[&str]) -> bool {
    matches!(
        path,
        ["orders" | "facts" | "tags" | "commitment" | "price_terms" | "stated"]
            | ["price_terms", "components" | "discounts"]
    )
}

fn cell(path: &[&str], text: &str) -> Result<Value, String> {
    if is_structure(path) {
        return serde_json::from_str(text).map_err(|error| format!("\"{}\": expected JSON, {error}", path.join(".")));
    }
    Ok(match (path, text) {
        // The only plain cells that are not texts: facts that are true or false.
        (["facts", _], "true" | "TRUE" | "True") => Value::Bool(true),
        (["facts", _], "false" | "FALSE" | "False") => Value::Bool(false),
        _ => Value::String(text.to_owned()),
    })
}

/// A row as a JSON object; empty cells are absent.
pub(crate) fn object(header: &csv::StringRecord, row: &csv::StringRecord) -> Result<Value, String> {
    let mut object = Map::new();
    for (name, text) in header.iter().zip(row.iter()) {
        if text.is_empty() {
            continue;
        }
        let path: Vec<&str> = name.trim().split('.').collect();
        let value = cell(&path, text)?;
        let mut place = &mut object;
        let Some((last, parents)) = path.split_last() else { continue };
        for parent in parents {
            let entry = place.entry((*parent).to_owned()).or_insert_with(|| Value::Object(Map::new()));
            match entry {
                Value::Object(inner) => place = inner,
                _ => return Err(format!("the columns \"{parent}\" and \"{name}\" contradict each other")),
            }
        }
        place.insert((*last).to_owned(), value);
    }
    Ok(Value::Object(object))
}
