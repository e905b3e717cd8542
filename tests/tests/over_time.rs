//! `recoup deadlines`, `forecast`, `simulate` and the timeline of `explain`, as their user meets them.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::io::{Read, Write};
use std::process::{Command, Output, Stdio};

use recoup_tests::dist;
use serde_json::{Value, json};

const AT: [&str; 2] = ["--at", "2026-02-22T00:00:00Z"];
const KNOWN: [&str; 12] = [
    "--assume",
    "transaction_in_progress=false",
    "--assume",
    "promotion=false",
    "--assume",
    "frozen_security=false",
    "--assume",
    "frozen_legal=false",
    "--assume",
    "unpaid_order=false",
    "--assume",
    "invoiced=false",
];

fn order(starts: &str, ends: &str, months: u32, currency: &str, due: &str) -> Value {
    json!({"kind": "purchase", "status": "paid", "placed_at": starts, "paid_at": starts, "starts_at": starts, "ends_at": ends,
        "term_months": months, "currency": currency, "due": due, "payments": [{"instrument": "cash", "amount": due}]})
}

/// A large order over three years, whose refund is reviewed for a day and whose fee falls by the year; a
/// reservation behind a pool that is nearly spent until June; a server in its first five days.
fn records() -> Vec<Value> {
    vec![
        json!({"provider": "huawei", "site": "intl", "account": "a", "id": "big", "product": "ecs", "billing": "subscription",
            "status": "active", "purchased_at": "2025-01-10T00:00:00Z", "starts_at": "2025-01-10T00:00:00Z", "ends_at": "2028-01-10T00:00:00Z",
            "orders": [order("2025-01-10T00:00:00Z", "2028-01-10T00:00:00Z", 36, "USD", "9000.00")]}),
        json!({"provider": "azure", "account": "sub", "id": "ri", "product": "virtual-machines", "billing": "reservation",
            "status": "active", "purchased_at": "2026-02-01T00:00:00Z", "starts_at": "2026-02-01T00:00:00Z", "ends_at": "2027-02-01T00:00:00Z",
            "commitment": {"term_months": 12, "payment_option": "all_upfront", "currency": "USD", "upfront": "5000.00"},
            "orders": [order("2026-02-01T00:00:00Z", "2027-02-01T00:00:00Z", 12, "USD", "5000.00")]}),
        json!({"provider": "tencent", "site": "cn", "account": "t", "id": "cvm", "product": "cvm", "billing": "subscription",
            "status": "active", "purchased_at": "2026-02-20T00:00:00Z", "starts_at": "2026-02-20T00:00:00Z", "ends_at": "2027-02-20T00:00:00Z",
            "orders": [order("2026-02-20T00:00:00Z", "2027-02-20T00:00:00Z", 12, "CNY", "3000.00")]}),
    ]
}

struct Asked {
    folder: tempfile::TempDir,
    portfolio: String,
    accounts: String,
}

impl Asked {
    fn new() -> Self {
        Self::of(&records())
    }

    fn of(records: &[Value]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let accounts = json!([
            {"provider": "huawei", "account": "a", "currency": "USD", "returns": []},
            {"provider": "tencent", "account": "t", "currency": "CNY", "returns": []},
            {"provider": "azure", "account": "sub", "currency": "USD",
                "returns": [{"at": "2025-09-01T00:00:00Z", "amount": "47000.00", "currency": "USD", "exit": "return"}]},
        ]);
        let write = |name: &str, value: &Value| {
            let path = folder.path().join(name);
            std::fs::write(&path, value.to_string()).unwrap();
            path.display().to_string()
        };
        let portfolio = write("portfolio.json", &Value::from(records.to_vec()));
        let accounts = write("accounts.json", &accounts);
        Self { folder, portfolio, accounts }
    }

    fn run(&self, command: &str, more: &[&str]) -> Output {
        Command::new(dist().join("recoup"))
            .args([command, &self.portfolio, "--accounts", &self.accounts])
            .args(AT)
            .args(KNOWN)
            .args(more)
            .output()
            .unwrap()
    }

    fn text(&self, command: &str, more: &[&str]) -> String {
        let output = self.run(command, more);
        assert!(output.status.success(), "{command} {more:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    fn json(&self, command: &str, more: &[&str]) -> Value {
        serde_json::from_str(&self.text(command, &[more, &["--format", "json"]].concat())).unwrap()
    }
}

fn of<'v>(deadlines: &'v Value, resource: &str) -> Vec<&'v Value> {
    deadlines.as_array().unwrap().iter().filter(|deadline| deadline["resource"] == resource).collect()
}

#[test]
fn waiting_for_the_fee_of_the_next_year_and_for_a_pool_gains() {
    let deadlines = Asked::new().json("deadlines", &[]);
    let fee =
        of(&deadlines, "big").into_iter().find(|deadline| deadline["changes"][0]["kind"] == "fee_changes").unwrap();
    assert!(fee["stake"].as_str().unwrap().starts_with('-'), "{fee}");
    assert_eq!(fee["loses"], false);
    let opens = of(&deadlines, "ri").into_iter().find(|deadline| deadline["changes"][0]["kind"] == "opens").unwrap();
    assert_eq!(opens["changes"][0]["exit"], "return");
    assert_eq!(opens["changes"][0]["causes"][0]["reason"], "quota_exhausted");
    assert!(opens["changes"][0]["causes"][0]["sources"][0]["url"].as_str().unwrap().starts_with("https://"));
}

#[test]
fn a_review_must_be_over_before_the_deadline() {
    let deadlines = Asked::new().json("deadlines", &[]);
    let reviewed = of(&deadlines, "big");
    assert!(!reviewed.is_empty());
    for deadline in reviewed {
        let (at, due) = (deadline["at_utc"].as_str().unwrap(), deadline["due_utc"].as_str().unwrap());
        assert_eq!(deadline["review"]["approved_after_hours"], 24);
        let instant = |text: &str| recoup_core::time::Instant::parse(text, recoup_core::time::Zone::UTC).unwrap();
        assert_eq!(instant(at).since(instant(due)), recoup_core::time::Span::hours(24));
    }
}

#[test]
fn a_window_whose_last_instant_is_inside_says_so() {
    let deadlines = Asked::new().json("deadlines", &[]);
    let closes = of(&deadlines, "cvm")[0];
    assert_eq!(closes["at_utc"], "2026-02-25T00:00:00Z");
    assert_eq!(closes["at"], "2026-02-25T08:00:00+08:00");
    assert_eq!(closes["inclusive"], true);
    assert_eq!(closes["changes"][0]["exit"], "full_refund");
}

#[test]
fn a_later_edition_that_changes_nothing_for_a_resource_is_no_deadline() {
    // Other dated rules of the provider come into force on 2026-06-24.
    let deadlines = Asked::new().json("deadlines", &[]);
    assert!(of(&deadlines, "big").iter().all(|deadline| deadline["rules_change"] == false), "{deadlines:#}");
}

#[test]
fn scripts_are_told_by_the_exit_status() {
    let asked = Asked::new();
    let code = |more: &[&str]| asked.run("deadlines", more).status.code().unwrap();
    assert_eq!(code(&["--fail-if-within", "4d"]), 1);
    assert_eq!(code(&["--fail-if-within", "48h"]), 0);
    // What only gains by waiting fails nothing.
    let gains = Asked::of(&records()[1..2]);
    assert_eq!(gains.run("deadlines", &["--fail-if-within", "20w"]).status.code(), Some(0));
}

#[test]
fn only_what_is_to_be_acted_on_within_a_time() {
    let asked = Asked::new();
    let count = |within: &str| asked.json("deadlines", &["--within", within]).as_array().unwrap().len();
    assert_eq!(count("2d"), 0);
    assert_eq!(count("3d"), 1);
    // The review begins a day before the fee changes on 2027-01-10 at 01:00 UTC.
    let big = |within: &str| of(&asked.json("deadlines", &["--within", within]), "big").len();
    assert_eq!((big("320d"), big("321d"), big("322d")), (0, 0, 1));
}

#[test]
fn every_format_has_the_same_deadlines() {
    let asked = Asked::new();
    let all = asked.json("deadlines", &[]);
    let count = all.as_array().unwrap().len();
    let lines = asked.text("deadlines", &["--format", "ndjson"]);
    assert_eq!(lines.lines().count(), count);
    assert_eq!(asked.text("deadlines", &["--format", "ics"]).matches("BEGIN:VEVENT").count(), count);
    let rows: usize =
        all.as_array().unwrap().iter().map(|deadline| deadline["changes"].as_array().unwrap().len()).sum();
    assert_eq!(asked.text("deadlines", &["--format", "csv"]).lines().count(), rows + 1);
    for (name, begin) in
        [("d.html", "<!doctype html>"), ("d.md", "# "), ("d.ics", "BEGIN:VCALENDAR"), ("d.txt", "when")]
    {
        let path = asked.folder.path().join(name);
        asked.text("deadlines", &["-o", path.to_str().unwrap()]);
        assert!(std::fs::read_to_string(path).unwrap().starts_with(begin), "{name}");
    }
    let groups = asked.text("deadlines", &["--format", "table", "--group", "provider", "--sort", "stake"]);
    let heads: Vec<&str> = groups
        .lines()
        .filter(|line| ["azure", "huawei", "tencent"].contains(&line.split(':').next().unwrap()))
        .collect();
    assert_eq!(heads.len(), 3, "{groups}");
}

#[test]
fn a_forecast_begins_with_what_assessing_says_and_ends_with_nothing() {
    let asked = Asked::new();
    let forecast = asked.json("forecast", &[]);
    let assessed = asked.json("assess", &[]);
    for (told, answer) in forecast["resources"].as_array().unwrap().iter().zip(assessed.as_array().unwrap()) {
        assert_eq!(told["resource"], answer["resource"]);
        assert_eq!(told["runs"][0]["at_from"]["refund"], answer["exits"][0]["refund"]["refund"]);
        assert_eq!(told["runs"][0]["at_from"]["consumed"], answer["exits"][0]["refund"]["consumed"]);
        let last = told["runs"].as_array().unwrap().last().unwrap();
        assert_eq!(last["at_end"]["outcome"], "refused");
    }
    let totals = forecast["totals"].as_array().unwrap();
    assert_eq!(totals[0]["open"], 3);
    assert_eq!(totals.last().unwrap()["refused"], 3);
}

#[test]
fn every_step_can_be_listed() {
    let asked = Asked::of(&records()[..1]);
    let runs = |more: &[&str]| asked.json("forecast", more)["resources"][0]["runs"].clone();
    let short = runs(&["--until", "2026-04-01T00:00:00Z"]);
    assert_eq!(short[0]["movement"], "glides");
    assert_eq!(short[0]["every_seconds"], 3600);
    let long = runs(&["--until", "2026-04-01T00:00:00Z", "--steps"]);
    let steps = long[0]["steps"].as_array().unwrap();
    assert_eq!(steps.len(), 38 * 24, "a step for every hour of 38 days");
    assert_eq!(steps[0]["at"], "2026-02-22T09:00:00+08:00");
}

#[test]
fn wrong_command_lines_are_told_apart_from_bad_input() {
    let asked = Asked::new();
    for (command, more, said) in [
        ("deadlines", &["--within", "30"][..], "expected a length of time"),
        ("deadlines", &["--sort", "size"], "possible values: time, stake"),
        ("deadlines", &["--format", "parquet"], "possible values"),
        ("forecast", &["--until", "2020-01-01"], "expected a time after"),
        ("forecast", &["--until", "tomorrow"], "expected RFC 3339"),
        ("forecast", &["--format", "ics"], "recoup deadlines"),
        ("simulate", &["--format", "ics"], "recoup deadlines"),
    ] {
        let output = asked.run(command, more);
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{command} {more:?}: {errors}");
        assert!(errors.contains(said), "{command} {more:?}: {errors}");
    }
    let mut broken = records();
    broken[1]["provider"] = "nobody".into();
    let asked = Asked::of(&broken);
    let output = asked.run("deadlines", &["--format", "json"]);
    assert_eq!(output.status.code(), Some(3));
    assert!(String::from_utf8_lossy(&output.stderr).contains("nobody"));
    let good: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(!of(&good, "big").is_empty() && !of(&good, "cvm").is_empty());
}

#[test]
fn standard_input_is_read_once_also_to_explain() {
    let mut child = Command::new(dist().join("recoup"))
        .args(["explain", "-", "--id", "big", "--format", "json"])
        .args(AT)
        .args(KNOWN)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(Value::from(records()).to_string().as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let explained: Value = serde_json::from_slice(&output.stdout).unwrap();
    let timeline = &explained[0]["timeline"];
    assert!(timeline["deadlines"].as_array().unwrap().len() > 1);
    assert_eq!(timeline["best"]["at"], "2026-02-22T08:00:00+08:00");
}

#[test]
fn explain_ends_with_what_comes() {
    let asked = Asked::new();
    let text = asked.text("explain", &["--id", "ri"]);
    let (_, comes) = text.split_once("What comes").unwrap();
    assert!(comes.contains("return opens") && comes.contains("best moment  at 2026-06-27"), "{comes}");
}

#[test]
fn every_format_of_an_explanation_says_what_comes() {
    let asked = Asked::new();
    let written = |format: &str| asked.text("explain", &["--id", "ri", "--format", format]);
    let json: Value = serde_json::from_str(&written("json")).unwrap();
    let line: Value = serde_json::from_str(&written("ndjson")).unwrap();
    assert_eq!(json[0], line);
    let timeline = &line["timeline"];
    assert_eq!(timeline["best"]["at"], "2026-06-27T00:00:00Z");
    let best = timeline["best"]["refund"].as_str().unwrap();

    let markdown = written("markdown");
    assert!(
        markdown.contains("## What comes for ri\n") && markdown.contains("Best moment: at 2026-06-27"),
        "{markdown}"
    );
    assert!(markdown.contains("return opens") && markdown.contains(best), "{markdown}");

    let page = written("html");
    assert!(page.contains("<h2>What comes for ri</h2>") && page.contains("return opens"), "{page}");
    assert!(page.contains("<svg") && page.contains("data-series=\"refund\"") && !page.contains("<script"));
    assert!(page.contains("<details open>") && page.contains(&format!("{best} USD")));

    let table = written("csv");
    let mut reader = csv::Reader::from_reader(table.as_bytes());
    let heads = reader.headers().unwrap().clone();
    let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    let cell =
        |row: &csv::StringRecord, name: &str| row[heads.iter().position(|head| head == name).unwrap()].to_owned();
    let of = |word: &str| -> Vec<&csv::StringRecord> { rows.iter().filter(|row| cell(row, "row") == word).collect() };
    assert_eq!(of("exit").len(), line["exits"].as_array().unwrap().len());
    assert_eq!(of("deadline").len(), timeline["deadlines"].as_array().unwrap().len());
    assert!(of("moves").len() > 1);
    assert_eq!(cell(of("best")[0], "worth_before"), best);
    assert!(rows.iter().all(|row| cell(row, "resource") == "ri"));
}

/// The name of a file said nothing about what was written into it: an explanation came as text.
#[test]
fn the_name_of_a_file_says_how_an_explanation_is_written() {
    let asked = Asked::new();
    let page = asked.folder.path().join("ri.html").display().to_string();
    asked.text("explain", &["--id", "ri", "-o", &page]);
    assert!(std::fs::read_to_string(&page).unwrap().starts_with("<!doctype html>"));
    let text = asked.folder.path().join("ri.txt").display().to_string();
    asked.text("explain", &["--id", "ri", "-o", &text]);
    assert!(std::fs::read_to_string(&text).unwrap().contains("best moment"));
}

#[test]
fn something_not_bought_yet_is_told_at_each_provider() {
    let asked = Asked::of(&[
        json!({"provider": "huawei", "id": "new", "product": "ecs", "billing": "subscription", "status": "pending",
        "orders": [{"kind": "purchase", "status": "unpaid", "term_months": 12, "currency": "USD", "due": "1200.00"}]}),
    ]);
    let everywhere = asked.json("simulate", &[]);
    assert!(everywhere.as_array().unwrap().len() > 15);
    let at = |provider: &str| {
        everywhere
            .as_array()
            .unwrap()
            .iter()
            .find(|told| told["provider"] == provider)
            .unwrap_or_else(|| panic!("{provider}"))
    };
    let months = at("huawei")["months"].as_array().unwrap();
    assert_eq!(months.len(), 13);
    // A tenth is kept as the fee from the begin, everything at the end; what is lost never becomes less.
    assert_eq!(months[0]["lost"], "120.00");
    assert_eq!(months[12]["lost"], "1200.00");
    let lost: Vec<recoup_core::money::Amount> =
        months.iter().map(|month| month["lost"].as_str().unwrap().parse().unwrap()).collect();
    assert!(lost.windows(2).all(|pair| pair[0] <= pair[1]), "{lost:?}");
    assert_eq!(at("vultr")["refused_for"][0], "never_cancellable");
    let given = asked.json("simulate", &["--as-given"]);
    assert_eq!(given.as_array().unwrap().len(), 1);
}

/// `-o forecast.csv.gz` was lines of JSON that were not packed.
#[test]
fn an_answer_about_time_is_packed_and_written_as_the_name_of_its_file_says() {
    let asked = Asked::new();
    for (command, begins) in [("forecast", "kind,provider,"), ("deadlines", "provider,site,")] {
        let path = asked.folder.path().join(format!("{command}.csv.gz"));
        assert_eq!(asked.text(command, &["-o", path.to_str().unwrap()]), "");
        let mut text = String::new();
        flate2::read::GzDecoder::new(std::fs::File::open(&path).unwrap()).read_to_string(&mut text).unwrap();
        assert!(text.starts_with(begins), "{text}");
    }
}
