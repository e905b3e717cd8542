//! The quick way of reading a record and the full reader, held to each other: on every record of the fixtures,
//! and on thousands that are broken or bent.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test fails by panicking")]

mod common;

use recoup_core::lent::LentResource;
use recoup_core::record::ResourceRecord;
use recoup_portfolio::quick::Quick;
use serde_json::Value;

use crate::common::{records, zone_of};

fn texts() -> Vec<String> {
    records().iter().map(Value::to_string).collect()
}

/// Where the quick way reads a record, the full reader reads the same and has nothing to say. Gives whether it did.
fn agree(quick: &mut Quick, text: &str) -> bool {
    let json = serde_json::from_str::<Value>(text);
    let full = json.map(|json| ResourceRecord::from_json(&json, &zone_of));
    let mut lent = LentResource::default();
    if quick.read(text, &zone_of, &mut lent).is_none() {
        return false;
    }
    let full = match &full {
        Ok(Ok(full)) => full,
        Ok(Err(faults)) => panic!("{faults}: {text}"),
        Err(error) => panic!("{error}: {text}"),
    };
    assert!(full.remarks.is_empty(), "{:?}: {text}", full.remarks);
    assert_eq!(lent, full.record.lend(), "{text}");
    true
}

#[test]
fn the_records_of_the_fixtures_are_read_alike() {
    let (records, mut quick) = (texts(), Quick::default());
    let read = records.iter().filter(|record| agree(&mut quick, record)).count();
    assert!(records.len() > 1_000 && read * 10 > records.len() * 9, "{read} of {} were read quickly", records.len());
}

/// The places of all that has no parts, as JSON pointers.
fn leaves(value: &Value, at: &str, into: &mut Vec<String>) {
    match value {
        Value::Object(map) => map.iter().for_each(|(name, inner)| leaves(inner, &format!("{at}/{name}"), into)),
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(place, inner)| leaves(inner, &format!("{at}/{place}"), into));
        }
        _ => into.push(at.to_owned()),
    }
}

#[test]
fn bent_and_broken_records_are_read_alike() {
    // What else might stand in the place of a value, a name or a sign.
    const BITS: &[&str] = &[
        "null",
        "true",
        "false",
        "0",
        "-1",
        "1e2",
        "01",
        "1.",
        "12",
        "12001",
        "\"\"",
        "\"x\"",
        "\"2024-02-30\"",
        "\"2024-02-29\"",
        "\"2024-02-29T10:00:00Z\"",
        "\"2024-02-29T10:00:00.5+08:00\"",
        "\"-5\"",
        "\"5.5\"",
        "\"1e3\"",
        "\"USD\"",
        "\"usd\"",
        "[]",
        "{}",
        "[null]",
        "\"a\\u0041\"",
        "\"\u{e4}\"",
        "\u{0}",
        ",",
        ":",
        "}",
        "{",
        "]",
        "\"",
        "\\",
        " ",
        "\t",
        "\"id\":\"twice\",",
        "\"site\":\"eu\",",
        "\"provider\":\"another\",",
        "\"facts\":{},",
        "\"promotion\":null,",
    ];
    let (records, mut quick) = (texts(), Quick::default());
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    let mut below = |limit: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state % limit as u64).unwrap()
    };
    let mut read = 0;
    for _ in 0..10_000 {
        // Still JSON, with another value in one place.
        let mut json: Value = serde_json::from_str(&records[below(records.len())]).unwrap();
        let mut places = Vec::new();
        leaves(&json, "", &mut places);
        let bit = serde_json::from_str(BITS[below(BITS.len())]).unwrap_or(Value::Null);
        *json.pointer_mut(&places[below(places.len())]).unwrap() = bit;
        read += usize::from(agree(&mut quick, &json.to_string()));
    }
    for _ in 0..10_000 {
        let mut text = records[below(records.len())].clone();
        for _ in 0..=below(5) / 4 {
            // Between the signs of JSON, where something begins or ends.
            let places: Vec<usize> =
                text.char_indices().filter(|(_, sign)| ",:{}[]\"".contains(*sign)).map(|(at, _)| at).collect();
            let (from, to) = (places[below(places.len())], places[below(places.len())]);
            match below(4) {
                0 => text.insert_str(from + 1, BITS[below(BITS.len())]),
                1 if from < to => text.replace_range(from + 1..to, BITS[below(BITS.len())]),
                2 if from < to => text.replace_range(from..to, ""),
                _ => {
                    let value = places.iter().position(|place| *place == from).and_then(|place| places.get(place + 1));
                    text.replace_range(from + 1..*value.unwrap_or(&text.len()), BITS[below(BITS.len())]);
                }
            }
        }
        read += usize::from(agree(&mut quick, &text));
    }
    assert!(read > 1_000, "{read} were still read quickly");
}

#[test]
fn a_site_that_follows_a_bare_date_does_not_change_the_clock_behind_its_back() {
    let text = r#"{"provider":"p","starts_at":"2024-01-01","site":"eu","id":"1","product":"vm","billing":"subscription","status":"active"}"#;
    assert!(!agree(&mut Quick::default(), text));
}
