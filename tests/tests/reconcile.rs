//! `recoup reconcile` end to end: assessments against receipts, costs, and what providers printed.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use recoup_tests::{dist, root};
use serde_json::{Value, json};

fn recoup(args: &[&str]) -> Output {
    Command::new(dist().join("recoup")).args(args).env_remove("RECOUP_PLUGINS").output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Two resources of one account: one in use, one inactive package, with what must be known of them.
fn portfolio() -> String {
    let facts = json!({"transaction_in_progress": false, "promotion": false, "archived": false, "frozen_security": false,
        "frozen_legal": false, "unpaid_order": false, "trial_benefit_used": false, "sales_contract": false,
        "special_request_open": false, "invoiced": false, "paid_by_partner": false});
    let vm = json!({"provider": "huawei", "site": "intl", "account": "team-1", "id": "vm-1", "product": "ecs",
        "billing": "subscription", "status": "active", "starts_at": "2026-01-01T00:00:00+08:00",
        "ends_at": "2026-12-31T23:59:59+08:00", "facts": facts, "orders": [{"id": "CS-1", "kind": "purchase", "status": "paid",
            "starts_at": "2026-01-01T00:00:00+08:00", "ends_at": "2026-12-31T23:59:59+08:00", "term_months": 12,
            "currency": "USD", "due": "1200.00", "payments": [{"instrument": "cash", "amount": "1100.00"},
                {"instrument": "cash_coupon", "amount": "100.00"}]}]});
    let package = json!({"provider": "huawei", "site": "intl", "account": "team-1", "id": "pkg-1", "product": "obs",
        "billing": "package", "status": "queued", "starts_at": "2026-12-01T00:00:00+08:00",
        "ends_at": "2027-11-30T23:59:59+08:00", "facts": facts, "orders": [{"id": "CS-2", "kind": "purchase",
            "status": "paid", "currency": "USD", "due": "100.00", "payments": [{"instrument": "cash", "amount": "80.00"},
                {"instrument": "cash_coupon", "amount": "20.00"}]}]});
    format!("{vm}\n{package}\n")
}

fn write(folder: &Path, name: &str, text: &str) -> String {
    let path = folder.join(name);
    fs::write(&path, text).unwrap();
    path.to_string_lossy().into_owned()
}

struct Desk {
    folder: tempfile::TempDir,
    portfolio: String,
    assessments: String,
}

impl Desk {
    fn new(steps: bool) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let portfolio = write(folder.path(), "portfolio.ndjson", &portfolio());
        let assessments = folder.path().join("assessments.ndjson").to_string_lossy().into_owned();
        let mut args = vec!["assess", &portfolio, "--at", "2026-03-06", "-o", &assessments];
        args.extend(steps.then_some("--steps"));
        let assessed = recoup(&args);
        assert!(assessed.status.success(), "{}", text(&assessed.stderr));
        Self { folder, portfolio, assessments }
    }

    fn file(&self, name: &str, text: &str) -> String {
        write(self.folder.path(), name, text)
    }

    fn reconcile(&self, more: &[&str]) -> (i32, String, String) {
        let args = [&["reconcile", &self.assessments, "--portfolio", &self.portfolio], more].concat();
        let done = recoup(&args);
        (done.status.code().unwrap(), text(&done.stdout), text(&done.stderr))
    }
}

#[test]
fn every_kind_of_difference_is_told_with_its_clause() {
    for steps in [true, false] {
        let desk = Desk::new(steps);
        let receipts = desk.file(
            "receipts.csv",
            "reference,resource,order,at,currency,instrument,amount,fee\n\
             R-1,vm-1,,2026-03-07,USD,cash,790.00,100.00\n\
             R-3,,CS-2,2026-03-07,USD,,80.00,\n\
             R-5,other,,2026-03-08,USD,,5.00,\n",
        );
        let (code, table, said) = desk.reconcile(&["--received", &receipts, "--format", "table"]);
        assert_eq!(code, 1, "{said}");
        assert!(
            said.contains("2 prediction(s), 3 receipt(s): 1 matched, 1 short, 0 over, 1 missing, 1 unexplained"),
            "{said}"
        );
        insta::with_settings!({ description => "the same with and without the steps of the assessments" }, {
            insta::assert_snapshot!("differences", table);
        });
        let (_, json, _) = desk.reconcile(&["--received", &receipts, "--format", "json"]);
        let result: Value = serde_json::from_str(&json).unwrap();
        assert_eq!(result["rows"][0]["clauses"][0]["clause"], "hw.in-use.formula");
        assert!(result["rows"][0]["clauses"][0]["says"].as_str().unwrap().starts_with("Refund = paid"));
        assert_eq!(result["totals"].as_array().unwrap().len(), 3);
        let (_, csv, _) = desk.reconcile(&["--received", &receipts, "--format", "csv"]);
        assert_eq!(csv.lines().count(), 5, "{csv}");
    }
}

#[test]
fn what_the_provider_printed_is_read_by_its_adapter() {
    let desk = Desk::new(false);
    let refunds = desk.file(
        "refunds.json",
        &json!({"total_count": 2, "refund_infos": [
            {"id": "U-1", "amount": -797.12, "measure_id": "1", "base_order_id": "CS-1", "resource_type_code": "hws.resource.type.vm"},
            {"id": "U-2", "amount": -80, "measure_id": "1", "base_order_id": "CS-2", "resource_type_code": "hws.resource.type.obs"}]})
        .to_string(),
    );
    let details = |id: &str, service: &str| {
        json!({"total_count": 1, "order_info": {"order_id": id, "order_type": 1, "status": 5, "amount_after_discount": 100,
                "measure_id": 1, "currency": "USD", "create_time": "2026-01-01T00:00:00Z",
                "payment_time": "2026-01-01T00:00:00Z", "service_type_code": service},
            "order_line_items": [{"order_line_item_id": format!("{id}-1"), "order_id": id, "service_type_code": service,
                "period_type": 3, "period_num": 1, "effective_time": "2026-01-01T00:00:00Z",
                "expire_time": "2027-01-01T00:00:00Z", "subscription_num": 1, "amount_after_discount": 100, "currency": "USD"}]})
        .to_string()
    };
    let (first, second) = (
        desk.file("first.json", &details("CS-1", "hws.service.type.ec2")),
        desk.file("second.json", &details("CS-2", "hws.service.type.obs")),
    );
    // The coupon comes back too, which no refund order shows: a receipt of one's own.
    let coupon = desk.file(
        "coupon.ndjson",
        "{\"resource\":\"pkg-1\",\"currency\":\"USD\",\"amount\":\"20\",\"instrument\":\"cash_coupon\"}\n",
    );
    let (code, out, said) = desk.reconcile(&["--received", &refunds, &first, &second, &coupon, "--format", "ndjson"]);
    assert_eq!(code, 0, "{out}{said}");
    assert!(out.lines().all(|line| line.contains("\"status\":\"matched\"")), "{out}");
    assert!(said.contains("2 refund(s) read as huawei"), "{said}");
}

#[test]
fn refunds_in_focus_are_read_in_their_three_forms() {
    let desk = Desk::new(false);
    let head = "BilledCost,BillingCurrency,ChargeCategory,ChargeFrequency,ChargePeriodStart,ChargePeriodEnd,ProviderName,ResourceId,ServiceName\n";
    let row = |category: &str, cost: &str, id: &str| {
        format!("{cost},USD,{category},One-Time,2026-03-07T00:00:00Z,2026-03-07T01:00:00Z,Huawei Cloud,{id},compute\n")
    };
    let costs = desk.file(
        "costs.csv",
        &(head.to_owned()
            + &row("Purchase", "-400.00", "vm-1")
            + &row("Credit", "-300.00", "vm-1")
            + &row("Adjustment", "-97.12", "vm-1")
            + &row("Credit", "-80.00", "pkg-1")),
    );
    let (code, out, said) = desk.reconcile(&["--received", &costs, "--format", "ndjson"]);
    let rows: Vec<Value> = out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let found: Vec<_> =
        rows.iter().map(|row| (row["resource"].as_str().unwrap(), row["status"].as_str().unwrap())).collect();
    // Costs show no coupons.
    assert_eq!(found, [("vm-1", "matched"), ("pkg-1", "matched"), ("pkg-1", "missing")], "{said}");
    assert_eq!((code, rows[0]["receipts"].as_array().unwrap().len()), (1, 3));
}

#[test]
fn what_cannot_be_read_is_told_and_the_rest_compared() {
    let desk = Desk::new(false);
    let receipts = desk.file("receipts.ndjson", "{\"resource\":\"vm-1\",\"currency\":\"USD\",\"amount\":\"797.12\"}\n{\"resource\":\"pkg-1\",\"currency\":\"USD\"}\n");
    let (code, out, said) = desk.reconcile(&["--received", &receipts, "--format", "csv"]);
    assert_eq!(code, 3, "{said}");
    assert!(said.contains("receipts.ndjson:2: \"amount\": expected a decimal, found nothing"), "{said}");
    assert!(out.lines().nth(1).unwrap().starts_with("matched,huawei,intl,team-1,vm-1"), "{out}");
    let (code, _, said) = desk.reconcile(&["--received", &desk.portfolio]);
    assert_eq!(code, 3);
    assert!(said.contains("a portfolio shows what was bought, not what came back"), "{said}");
    let nothing = recoup(&["reconcile", &desk.portfolio, "--received", &receipts]);
    assert_eq!(nothing.status.code(), Some(3));
    assert!(text(&nothing.stderr).contains("is no assessment"), "{}", text(&nothing.stderr));
    for args in [vec!["reconcile"], vec!["reconcile", "a"], vec!["reconcile", "-", "--received", "-"]] {
        assert_eq!(recoup(&args).status.code(), Some(2), "{args:?}");
    }
}

#[test]
fn an_empty_file_of_assessments_was_taken_for_nothing_predicted() {
    let folder = tempfile::tempdir().unwrap();
    let empty = write(folder.path(), "empty.ndjson", "");
    let received = write(folder.path(), "received.csv", "at,currency,amount,instrument,order\n");
    let output = recoup(&["reconcile", &empty, "--received", &received]);
    assert_eq!(output.status.code(), Some(3));
    assert!(text(&output.stderr).contains("the file is empty, expected assessments"), "{}", text(&output.stderr));
}

#[test]
fn the_receipts_of_the_document_are_read() {
    let document = fs::read_to_string(root().join("docs/reconcile.md")).unwrap();
    let block = document.split("```csv\n").nth(1).unwrap().split("```").next().unwrap();
    let csv: String = block.lines().map(|line| format!("{}\n", line.trim())).collect();
    let desk = Desk::new(false);
    let receipts = desk.file("receipts.csv", &csv);
    let (code, _, said) = desk.reconcile(&["--received", &receipts]);
    assert_eq!(code, 1);
    assert!(said.contains("2 receipt(s)"), "{said}");
}
