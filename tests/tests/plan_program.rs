//! `recoup plan` and `recoup case confirm --plan` as their user meets them: a plan made, replayed, tampered with, and
//! asked for step by step.
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

const AT: &str = "2025-06-03T00:00:00Z";
/// What the steps of the fixture's plan do besides giving money back.
const KNOWN: &str = "irreversible,data_deleted,access_lost,attached_leave_too,on_demand_rates_apply";

struct Desk(tempfile::TempDir);

impl Desk {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> String {
        self.0.path().join(name).to_string_lossy().into_owned()
    }

    fn run(&self, args: &[&str]) -> Output {
        Command::new(dist().join("recoup"))
            .current_dir(root().join("fixtures/plan"))
            .env("RECOUP_STORE", self.path("cases.db"))
            .env("RECOUP_ACTOR", "tess")
            .env("COLUMNS", "200")
            .args(args)
            .output()
            .unwrap()
    }

    /// Plans for the fixture, of which two reservations stay, and gives the plan's file.
    fn plan(&self, more: &[&str]) -> String {
        let file = self.path("plan.json");
        let args = ["plan", "portfolio.ndjson", "--accounts", "accounts.json", "--keep", "ri-2,ri-3", "-o", &file];
        let when: &[&str] = if more.contains(&"--at") { &[] } else { &["--at", AT] };
        let output = self.run(&[&args, when, more].concat());
        assert!(output.status.success(), "{}", err(&output));
        file
    }

    /// Asks for the steps of a plan, and gives exit status, answer and what was said.
    fn confirm(&self, plan: &str, at: &str, more: &[&str]) -> (i32, Value, String) {
        let args = ["case", "confirm", "--plan", plan, "--at", at, "--text", "not needed", "--format", "json"];
        let output = self.run(&[&args, more].concat());
        let json = serde_json::from_slice(&output.stdout).unwrap_or(Value::Null);
        (output.status.code().unwrap(), json, err(&output))
    }
}

fn err(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn out(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn json(file: &str) -> Value {
    serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap()
}

/// The steps of an answer as `resource became case`.
fn became(answer: &Value) -> Vec<String> {
    let word = |step: &Value, key: &str| step[key].as_str().unwrap_or("-").to_owned();
    let steps = answer["steps"].as_array().unwrap().iter();
    steps.map(|step| ["resource", "became", "case"].map(|key| word(step, key)).join(" ")).collect()
}

#[test]
fn a_plan_is_made_written_and_replayed() {
    let desk = Desk::new();
    let file = desk.plan(&[]);
    let plan = json(&file);
    assert_eq!(plan["recoup_plan"], 1);
    assert_eq!(plan["inputs"]["accounts"], "accounts.json");
    let usd = &plan["plans"][1];
    assert_eq!((&usd["currency"], &usd["gap"]), (&"USD".into(), &"0.00".into()));
    let checked = desk.run(&["plan", "--check", &file]);
    assert_eq!(checked.status.code(), Some(0), "{}", err(&checked));
    assert!(out(&checked).contains("6 step(s) replayed: every figure and quota holds"), "{}", out(&checked));
    for (format, expected) in
        [("table", "Plan in USD"), ("markdown", "| step | when |"), ("html", "<h2>Plan in USD</h2>")]
    {
        let args = ["plan", "portfolio.ndjson", "--accounts", "accounts.json", "--at", AT, "--keep", "ri-2,ri-3"];
        let output = desk.run(&[&args[..], &["--format", format]].concat());
        assert!(out(&output).contains(expected), "{format}: {}", out(&output));
    }
}

#[test]
fn rates_make_one_plan_which_is_replayed_with_them() {
    let desk = Desk::new();
    let rates = desk.path("rates.json");
    std::fs::write(&rates, r#"{"base": "USD", "rates": {"CNY": "0.14"}}"#).unwrap();
    let file = desk.plan(&["--rates", &rates, "--want", "cash"]);
    let plan = json(&file);
    assert_eq!(plan["plans"].as_array().unwrap().len(), 1);
    let steps = plan["plans"][0]["steps"].as_array().unwrap();
    let server = steps.iter().find(|step| step["leaves"][0]["resource"] == "cvm-2").unwrap();
    assert_eq!((&server["worth"], &server["leaves"][0]["refund"]), (&"168.00".into(), &"1200.00".into()));
    assert!(desk.run(&["plan", "--check", &file]).status.success());
    // Another rate makes another worth.
    let text = std::fs::read_to_string(&file).unwrap().replace("\"CNY\": \"0.14\"", "\"CNY\": \"0.15\"");
    std::fs::write(&file, text).unwrap();
    let tampered = desk.run(&["plan", "--check", &file]);
    assert_eq!(tampered.status.code(), Some(1));
    assert!(err(&tampered).contains("worth is 180.00, the plan says 168.00"), "{}", err(&tampered));
}

#[test]
fn a_plan_that_was_tampered_with_fails_its_check() {
    let desk = Desk::new();
    let file = desk.plan(&[]);
    let whole = std::fs::read_to_string(&file).unwrap();
    for (from, to, expected) in [
        ("26958.90", "26958.91", "refund is 26958.90, the plan says 26958.91"),
        ("\"used\": \"34958.9\"", "\"used\": \"1\"", "the plan says 7472.63 on 1 of 50000"),
        ("2025-09-03T00:00:00Z", "2025-08-03T00:00:00Z", "refused: quota used up"),
        ("\"resource\": \"sp-1\"", "\"resource\": \"sp-9\"", "what leaves is not in the portfolio"),
    ] {
        assert!(whole.contains(from), "{from}");
        std::fs::write(&file, whole.replace(from, to)).unwrap();
        let checked = desk.run(&["plan", "--check", &file]);
        assert_eq!(checked.status.code(), Some(1), "{from}: {}", err(&checked));
        assert!(err(&checked).contains(expected), "{from}: {}", err(&checked));
        assert!(out(&checked).contains("do not hold"), "{}", out(&checked));
    }
    for (text, expected) in [
        ("{}", "not a plan that recoup wrote: missing field"),
        ("", "not a plan that recoup wrote: EOF"),
        (&whole.replace("\"recoup_plan\": 1", "\"recoup_plan\": 7"), "a plan of version 7, expected 1"),
    ] {
        std::fs::write(&file, text).unwrap();
        let checked = desk.run(&["plan", "--check", &file]);
        assert_eq!(checked.status.code(), Some(3));
        assert!(err(&checked).contains(expected), "{}", err(&checked));
    }
}

#[test]
fn the_steps_whose_moment_has_come_become_cases_and_the_others_say_when() {
    let desk = Desk::new();
    let file = desk.plan(&[]);
    let (status, answer, said) = desk.confirm(&file, AT, &["--acknowledge", KNOWN]);
    assert_eq!(status, 0, "{said}");
    let expected =
        ["cvm-2 asked C1", "ri-1 asked C2", "sp-1 asked C3", "sp-3 asked C4", "ecs-1 asked C5", "ri-4 later -"];
    assert_eq!(became(&answer), expected);
    assert_eq!(answer["next"], "2025-09-03T00:00:00Z");
    assert!(said.contains("5 asked for, 0 before, 0 quoted and not asked for, 0 refused, 1 later"), "{said}");
    // Again: nothing is done twice.
    let (status, again, said) = desk.confirm(&file, AT, &["--acknowledge", KNOWN]);
    assert_eq!(status, 0, "{said}");
    assert_eq!(again["steps"].as_array().unwrap().iter().filter(|step| step["became"] == "before").count(), 5);
    let cases: Value = serde_json::from_str(&out(&desk.run(&["case", "show", "--format", "json"]))).unwrap();
    assert_eq!(cases.as_array().unwrap().len(), 5);
    // Its moment has come; the pool is counted with what the first step drew, as the plan says.
    let (status, later, said) = desk.confirm(&file, "2025-09-03T00:00:00Z", &["--acknowledge", KNOWN]);
    assert_eq!((status, became(&later)[5].as_str()), (0, "ri-4 asked C6"), "{said}");
    assert_eq!(later["next"], Value::Null);
    let case: Value = serde_json::from_str(&out(&desk.run(&["case", "show", "C6", "--format", "json"]))).unwrap();
    assert_eq!(case["lines"][0]["ruling"]["refund"]["refund"], "7472.63");
    let history = out(&desk.run(&["case", "history", "C6", "--format", "json"]));
    assert!(history.contains("USD step 5 of"), "{history}");
    assert!(desk.run(&["case", "verify"]).status.success());
}

#[test]
fn what_is_still_to_be_said_leaves_a_quote_that_waits_for_it() {
    let desk = Desk::new();
    let file = desk.plan(&[]);
    let (status, answer, said) = desk.confirm(&file, AT, &[]);
    assert_eq!(status, 2);
    assert!(became(&answer).contains(&"ri-1 quoted C2".to_owned()), "{:?}", became(&answer));
    assert!(said.contains("USD step 1: what cannot be undone is confirmed explicitly"), "{said}");
    // The same quotes are asked for once it is said, and no others are made.
    let (status, answer, said) = desk.confirm(&file, AT, &["--acknowledge", KNOWN]);
    assert_eq!(status, 0, "{said}");
    assert!(became(&answer).contains(&"ri-1 asked C2".to_owned()), "{:?}", became(&answer));
    let cases: Value = serde_json::from_str(&out(&desk.run(&["case", "show", "--format", "json"]))).unwrap();
    assert_eq!(cases.as_array().unwrap().len(), 5);
}

#[test]
fn what_brings_less_than_planned_is_shown_and_stays_quoted() {
    let desk = Desk::new();
    let file = desk.plan(&[]);
    let step = ["--acknowledge", KNOWN, "--step", "USD:1"];
    let (status, answer, said) = desk.confirm(&file, "2025-06-04T00:00:00Z", &step);
    assert_eq!(status, 1, "{said}");
    assert_eq!(became(&answer), ["ri-1 quoted C1"]);
    let why = answer["steps"][0]["why"].as_str().unwrap();
    assert!(why.starts_with("brings 26926.03 now, the plan says 26958.90: 32.87 less"), "{why}");
    // Again: the quote that waits is shown, and none is added.
    assert_eq!(became(&desk.confirm(&file, "2025-06-04T00:00:00Z", &step).1), ["ri-1 quoted C1"]);
    // Whoever has seen it may ask for the case, or accept so much less.
    let (status, answer, _) =
        desk.confirm(&file, "2025-06-04T00:00:00Z", &[&step[..], &["--accept-less", "32.87"]].concat());
    assert_eq!((status, became(&answer)), (0, vec!["ri-1 asked C1".to_owned()]));
    assert_eq!(answer["steps"][0]["why"], "32.87 less than planned");
}

#[test]
fn a_quota_that_was_spent_elsewhere_refuses_a_step() {
    let desk = Desk::new();
    let file = desk.plan(&[]);
    let accounts = std::fs::read_to_string(root().join("fixtures/plan/accounts.json")).unwrap();
    let mut accounts: Value = serde_json::from_str(&accounts).unwrap();
    accounts[0]["returns"].as_array_mut().unwrap().push(serde_json::json!(
        {"at": "2025-06-01T00:00:00Z", "amount": "20000.00", "currency": "USD", "exit": "return", "product": "VirtualMachines"}
    ));
    let now = desk.path("accounts.json");
    std::fs::write(&now, accounts.to_string()).unwrap();
    let step = ["--acknowledge", KNOWN, "--step", "USD:1", "--accounts", &now];
    let (status, answer, said) = desk.confirm(&file, AT, &step);
    assert_eq!((status, became(&answer)), (1, vec!["ri-1 refused -".to_owned()]), "{said}");
    let why = answer["steps"][0]["why"].as_str().unwrap();
    assert!(why.contains("50,000"), "{why}");
}

/// Two savings plans at one instant were one request, which the provider does not take.
#[test]
fn what_goes_one_at_a_time_is_a_request_of_its_own() {
    let desk = Desk::new();
    let plan = json(&desk.plan(&[]));
    let steps = plan["plans"][1]["steps"].as_array().unwrap();
    let batch = |id: &str| steps.iter().find(|step| step["leaves"][0]["resource"] == id).unwrap()["batch"].clone();
    assert_ne!(batch("sp-1"), batch("sp-3"));
}

#[test]
fn wrong_flags_say_what_is_expected() {
    let desk = Desk::new();
    let file = desk.plan(&[]);
    let broken = desk.path("broken.json");
    std::fs::write(&broken, "{\"recoup_plan\": 1").unwrap();
    let rates = desk.path("rates.json");
    std::fs::write(&rates, r#"{"base": "USD", "rates": {"CNY": "-1"}}"#).unwrap();
    let empty = desk.path("empty.json");
    std::fs::write(&empty, "[]").unwrap();
    let asked = ["portfolio.ndjson", "--accounts", "accounts.json", "--at", AT];
    for (args, status, expected) in [
        (vec!["plan"], 2, "<FILE>"),
        ([&["plan", "--by", "2025-01-01"], &asked[..]].concat(), 2, "--by is before the instant asked about"),
        ([&["plan", "--rates", &rates], &asked[..]].concat(), 3, "the rate of CNY is -1, expected one above zero"),
        ([&["plan", "--want", "gold"], &asked[..]].concat(), 2, "possible values: cash, released, both"),
        ([&["plan", "--time-limit", "soon"], &asked[..]].concat(), 2, "--time-limit"),
        (vec!["plan", "--check", &broken], 3, "not a plan that recoup wrote"),
        (vec!["plan", "--check", "/nowhere.json"], 3, "/nowhere.json"),
        (vec!["case", "confirm", "--plan", &broken, "--text", "x"], 3, "not a plan that recoup wrote"),
        (vec!["case", "confirm", "--text", "x"], 2, "CASE"),
        (vec!["case", "confirm", "C1", "--plan", &file], 2, "cannot be used with"),
        (vec!["case", "confirm", "C1", "--step", "1"], 2, "cannot be used with"),
        (vec!["case", "confirm", "C1", "--accept-less", "5"], 2, "cannot be used with"),
        (vec!["case", "confirm", "--plan", &file, "--step", "1"], 2, "expected CODE:N, for example USD:1"),
        (vec!["case", "confirm", "--plan", &file, "--step", "EUR:1"], 2, "the plan has no such step"),
        (vec!["case", "confirm", "--plan", &file, "--accept-less", "-1"], 2, "--accept-less"),
        (vec!["case", "confirm", "--plan", &file, "--idempotency-key", "k"], 2, "cannot be used with"),
    ] {
        let output = desk.run(&args);
        assert_eq!(output.status.code(), Some(status), "{args:?}: {}", err(&output));
        assert!(err(&output).contains(expected), "{args:?}: {}", err(&output));
    }
    let nothing = desk.run(&["plan", &empty, "--format", "table"]);
    assert_eq!((nothing.status.code(), out(&nothing).as_str()), (Some(0), "Nothing to give back.\n"));
}
