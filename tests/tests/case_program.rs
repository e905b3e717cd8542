//! `recoup case` as its user meets it: the whole flow in five commands, wrong flags, exit codes.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::process::{Command, Output};

use recoup_tests::{dist, root};
use serde_json::Value;

struct Desk(tempfile::TempDir);

impl Desk {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn store(&self) -> String {
        self.0.path().join("cases.db").to_string_lossy().into_owned()
    }

    fn run(&self, args: &[&str]) -> Output {
        let mut command = Command::new(dist().join("recoup"));
        command
            .current_dir(self.0.path())
            .env_remove("USER")
            .env("RECOUP_STORE", self.store())
            .env("RECOUP_ACTOR", "tess");
        command.args(["case"]).args(args).output().unwrap()
    }

    /// Runs a command that must end with a status, and gives its JSON.
    fn json(&self, status: i32, args: &[&str]) -> Value {
        let mut all = args.to_vec();
        all.extend(["--format", "json"]);
        let output = self.run(&all);
        assert_eq!(output.status.code(), Some(status), "{args:?}: {}", err(&output));
        serde_json::from_slice(&output.stdout).unwrap_or(Value::Null)
    }

    /// Quotes one package of 100.00 USD.
    fn quote(&self, more: &[&str]) -> Value {
        let facts = [
            "transaction_in_progress",
            "promotion",
            "frozen_legal",
            "paid_by_partner",
            "invoiced",
            "special_request_open",
        ];
        let facts: Vec<String> = facts.iter().map(|fact| format!("{fact}=false")).collect();
        let payloads = root().join("fixtures/huawei/payloads/v2");
        let mut files: Vec<String> = std::fs::read_dir(payloads)
            .unwrap()
            .map(|entry| entry.unwrap().path().to_string_lossy().into_owned())
            .collect();
        files.sort();
        let mut args = vec!["quote", "--at", "2025-09-20", "--id", "pkg-1"];
        args.extend(files.iter().map(String::as_str));
        facts.iter().for_each(|fact| args.extend(["--assume", fact]));
        args.extend(more);
        self.json(0, &args)
    }
}

fn err(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn out(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

const CONFIRM: &[&str] =
    &["confirm", "C1", "--at", "2025-09-20", "--reason", "5", "--text", "moved", "--acknowledge", "irreversible"];

#[test]
fn the_whole_flow_in_five_commands() {
    let desk = Desk::new();
    let quoted = desk.quote(&[]);
    assert_eq!(quoted["state"], "quoted");
    assert_eq!(quoted["lines"][0]["ruling"]["refund"]["refund"], "100.00");
    assert!(quoted["assumed"].as_array().unwrap().contains(&"promotion=false".into()));
    assert_eq!(desk.json(0, CONFIRM)["state"], "approved");
    let listed =
        desk.json(0, &["execute", "C1", "--at", "2025-09-20", "--gateway", "worklist", "--worklists", "lists"]);
    assert_eq!(listed["lines"][0]["state"], "executing");
    assert_eq!(std::fs::read_dir(desk.0.path().join("lists")).unwrap().count(), 1);
    let ticked = desk.json(0, &["execute", "C1", "--at", "2025-09-20", "--tick", "done", "--reference", "CS-1"]);
    assert_eq!((&ticked["state"], &ticked["lines"][0]["state"]), (&"settling".into(), &"executed".into()));
    let settle = |amount: &str, reference: &str| {
        let flags = ["settle", "C1", "--at", "2025-09-22", "--line", "1", "--instrument", "cash", "--currency", "USD"];
        let more = ["--amount", amount, "--reference", reference];
        desk.json(0, &[&flags[..], &more[..]].concat())
    };
    assert_eq!(settle("99.99", "r-1")["state"], "settling");
    let due = desk.json(0, &["settle", "--at", "2025-09-23"]);
    assert_eq!(due[0]["left"], "0.01");
    assert_eq!(settle("0.01", "r-2")["state"], "settled");
    let verified = desk.json(0, &["verify"]);
    assert_eq!(verified["problems"], serde_json::json!([]));
    let history = desk.json(0, &["history", "C1"]);
    let words: Vec<&str> = history.as_array().unwrap().iter().map(|entry| entry["event"].as_str().unwrap()).collect();
    assert_eq!(words, ["quoted", "confirmed", "begun", "ended", "ended", "received", "received"]);
    assert!(history.as_array().unwrap().iter().all(|entry| entry["actor"] == "tess"));
    // For an auditor: the cases as they stand, and the journal with its hashes.
    assert_eq!(
        desk.json(0, &["export"])[0]["case"].as_str().or(desk.json(0, &["export"])[0]["id"].as_str()),
        Some("C1")
    );
    assert_eq!(desk.json(0, &["export", "--journal"]).as_array().unwrap().len(), 8);
    assert_eq!(desk.json(0, &["show"])[0]["state"], "settled");
}

#[test]
fn help_shows_the_five_commands_in_order() {
    let help = out(&Desk::new().run(&["--help"]));
    let places: Vec<usize> =
        ["1. what comes back", "2. ask for it", "3. do it", "4. tick it off", "5. book what came back"]
            .iter()
            .map(|step| help.find(step).unwrap_or_else(|| panic!("{step}: {help}")))
            .collect();
    assert!(places.is_sorted(), "{help}");
}

#[test]
fn what_is_missing_is_said_with_what_would_be_understood() {
    let desk = Desk::new();
    assert!(err(&desk.run(&["show"])).contains("there is no store"));
    assert_eq!(desk.run(&["show"]).status.code(), Some(4));
    desk.quote(&[]);
    for (args, status, expected) in [
        (vec!["confirm", "C7", "--reason", "5"], 2, "there is no case C7; `recoup case show` lists them"),
        (vec!["confirm", "C1", "--at", "2025-09-20"], 2, "the provider's list: 1 (Hard to use)"),
        (vec!["confirm", "C1", "--at", "2025-09-20", "--reason", "5"], 2, "--acknowledge EFFECT,EFFECT"),
        (vec!["confirm", "C1", "--acknowledge", "data_delete"], 2, "did you mean \"data_deleted\"?"),
        (vec!["confirm", "C1", "--at", "2025-09-19"], 4, "the clock went back"),
        (
            vec!["confirm", "C1", "--at", "2025-09-22", "--reason", "5"],
            1,
            "the quote C1 lapsed at 2025-09-21T08:00:00+08:00; quote again",
        ),
        (vec!["execute", "C1", "--at", "2025-09-22"], 1, "C1 has no line to carry out"),
        (vec!["settle", "--amount", "1.00", "--currency", "USD"], 2, "name the case that it came for"),
        (vec!["settle", "C1", "--at", "2025-09-22", "--amount", "1,00", "--currency", "USD"], 2, "--amount"),
        (vec!["show", "C1", "--format", "parquet"], 2, "expected table, json, ndjson, csv, markdown or html"),
    ] {
        let output = desk.run(&args);
        assert!(err(&output).contains(expected), "{args:?}: {}", err(&output));
        assert_eq!(output.status.code(), Some(status), "{args:?}: {}", err(&output));
    }
    let nobody = Command::new(dist().join("recoup"))
        .env_remove("USER")
        .env_remove("RECOUP_ACTOR")
        .args(["case", "withdraw", "C1", "--store", &desk.store()])
        .output()
        .unwrap();
    assert!(err(&nobody).contains("--actor"), "{}", err(&nobody));
}

#[test]
fn the_same_key_has_the_same_answer_and_another_request_is_an_error() {
    let desk = Desk::new();
    let first = desk.quote(&["--idempotency-key", "k-1"]);
    assert_eq!(desk.quote(&["--idempotency-key", "k-1"])["id"], first["id"]);
    let with_key: Vec<&str> = [CONFIRM, &["--idempotency-key", "k-2"]].concat();
    assert_eq!(desk.json(0, &with_key), desk.json(0, &with_key));
    let other = desk.run(&["withdraw", "C1", "--at", "2025-09-20", "--idempotency-key", "k-2"]);
    assert_eq!(other.status.code(), Some(2));
    assert!(err(&other).contains("was used before for another request"), "{}", err(&other));
}

#[test]
fn a_journal_that_was_changed_fails_the_check() {
    let desk = Desk::new();
    desk.quote(&[]);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        use sqlx::Connection as _;
        sqlx::any::install_default_drivers();
        let mut connection = sqlx::AnyConnection::connect(&format!("sqlite://{}", desk.store())).await.unwrap();
        for statement in ["DROP TRIGGER journal_kept", "UPDATE journal SET body = replace(body, '100.00', '900.00')"] {
            sqlx::query(statement).execute(&mut connection).await.unwrap();
        }
        connection.close().await.unwrap();
    });
    let output = desk.run(&["verify"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(out(&output).contains("it was changed"), "{}", out(&output));
}

#[test]
fn every_format_says_the_same_case() {
    let desk = Desk::new();
    desk.quote(&[]);
    for (format, expected) in [
        ("table", "inactive"),
        ("json", "\"resource\": \"pkg-1\""),
        ("ndjson", "\"resource\":\"pkg-1\""),
        ("csv", "line,provider,resource,"),
        ("markdown", "| pkg-1 |"),
        ("html", "<td>pkg-1</td>"),
    ] {
        let output = desk.run(&["show", "C1", "--format", format]);
        assert!(output.status.success());
        assert!(out(&output).contains(expected), "{format}: {}", out(&output));
    }
}

#[cfg(unix)]
#[test]
fn the_demo_goes_from_a_list_to_a_reconciled_refund() {
    let output = Command::new("sh").arg(root().join("docs/demo-flows.sh")).arg(dist()).output().unwrap();
    let text = out(&output);
    assert!(output.status.success(), "{text}{}", err(&output));
    for expected in
        ["C1: approved", "a dry run: nothing was done", "C1: settled", "everything holds", "missing", "matched"]
    {
        assert!(text.contains(expected), "{expected}: {text}");
    }
}
