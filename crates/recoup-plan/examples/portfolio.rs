//! A large portfolio to plan with, out of the small one in `fixtures/plan`: its records again and again, with other
//! amounts and dates, in as many copies of its accounts as keep every quota full.
//! `cargo run --release -p recoup-plan --example portfolio COUNT FOLDER` writes `portfolio.ndjson` and `accounts.json`.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "an example ends where something is not as expected")]

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use recoup_core::money::Amount;
use recoup_core::time::{Instant, Span, Zone};
use serde_json::{Value, json};

/// Copies of each account, to which the resources belong in turn.
const ACCOUNTS: u64 = 20;

/// A simple generator of numbers (xorshift), the same on every machine.
struct Chance(u64);

impl Chance {
    fn below(&mut self, many: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % many
    }
}

/// Every instant of a record so many days earlier, every amount so many hundredths of what it was.
fn vary(value: &mut Value, earlier: Span, hundredths: u64) {
    const AMOUNTS: [&str; 7] = ["due", "list_price", "amount", "upfront", "recurring", "hourly", "current_price"];
    match value {
        Value::Object(map) => {
            for (name, value) in map {
                let text = value.as_str().map(str::to_owned);
                match text {
                    Some(text) if AMOUNTS.contains(&name.as_str()) => {
                        let amount = text.parse::<Amount>().unwrap();
                        let (hundredth, decimals) =
                            (amount.units() / 100, text.split_once('.').map_or(0, |(_, d)| d.len()));
                        let varied = Amount::from_units(hundredth * i128::from(hundredths));
                        *value = rounded(varied, decimals).into();
                    }
                    Some(text) if name.ends_with("_at") => {
                        let at = Instant::parse(&text, Zone::UTC).unwrap() - earlier;
                        *value = at.display(Zone::UTC).to_string().into();
                    }
                    _ => vary(value, earlier, hundredths),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| vary(item, earlier, hundredths)),
        _ => {}
    }
}

/// An amount cut to so many decimals.
fn rounded(amount: Amount, decimals: usize) -> String {
    let text = format!("{amount}");
    let (whole, part) = text.split_once('.').unwrap_or((&text, ""));
    let part: String = part.chars().chain(std::iter::repeat('0')).take(decimals).collect();
    if decimals == 0 { whole.to_owned() } else { format!("{whole}.{part}") }
}

fn copy_of(name: &Value, number: u64) -> Value {
    format!("{}-{number}", name.as_str().unwrap()).into()
}

fn main() {
    let mut args = std::env::args().skip(1);
    let count: u64 = args.next().and_then(|text| text.parse().ok()).unwrap_or(10_000);
    let folder = PathBuf::from(args.next().unwrap_or_else(|| ".".to_owned()));
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/plan");
    let records = fs::read_to_string(fixtures.join("portfolio.ndjson")).unwrap();
    let records: Vec<Value> = records.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let accounts: Vec<Value> =
        serde_json::from_str(&fs::read_to_string(fixtures.join("accounts.json")).unwrap()).unwrap();
    let mut chance = Chance(0x9E37_79B9_7F4A_7C15);
    let mut text = String::new();
    let kinds = u64::try_from(records.len()).unwrap();
    for number in 0..count {
        let mut record = records[usize::try_from(number % kinds).unwrap()].clone();
        record["id"] = copy_of(&record["id"], number);
        record["account"] = copy_of(&record["account"], number / kinds % ACCOUNTS);
        // What was bought in the days before must stay so new; of the others a year makes no difference of kind.
        let new = record["purchased_at"].as_str().unwrap() > "2025-05";
        let earlier = if new {
            Span::hours(i64::try_from(chance.below(20)).unwrap())
        } else {
            Span::days(i64::try_from(chance.below(90)).unwrap())
        };
        vary(&mut record, earlier, 20 + chance.below(400));
        writeln!(text, "{record}").unwrap();
    }
    fs::write(folder.join("portfolio.ndjson"), text).unwrap();
    let mut copies = Vec::new();
    for account in &accounts {
        for number in 0..ACCOUNTS {
            let mut copy = account.clone();
            copy["account"] = copy_of(&copy["account"], number);
            copies.push(copy);
        }
    }
    fs::write(folder.join("accounts.json"), format!("{:#}\n", json!(copies))).unwrap();
}
