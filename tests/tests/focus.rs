//! FOCUS files and cost exports through the program: what is read, what is said, what is written.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::fs;
use std::process::{Command, Output};

use recoup_core::money::Amount;
use recoup_tests::{dist, root};
use serde_json::{Value, json};

const AT: [&str; 2] = ["--at", "2025-03-01T00:00:00Z"];

fn recoup(args: &[&str]) -> Output {
    Command::new(dist().join("recoup")).current_dir(root().join("fixtures")).args(args).output().unwrap()
}

fn out(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn err(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn answers(output: &Output) -> Vec<Value> {
    out(output).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn rows(text: &str) -> Vec<csv_row::Row> {
    csv_row::rows(text)
}

/// Rows of a CSV by column.
mod csv_row {
    use std::collections::BTreeMap;

    pub(super) type Row = BTreeMap<String, String>;

    pub(super) fn rows(text: &str) -> Vec<Row> {
        let mut lines = text.lines().map(cells);
        let header = lines.next().unwrap_or_default();
        lines.map(|line| header.iter().cloned().zip(line).collect()).collect()
    }

    fn cells(line: &str) -> Vec<String> {
        let (mut cells, mut quoted) = (vec![String::new()], false);
        for c in line.chars() {
            match c {
                '"' => quoted = !quoted,
                ',' if !quoted => cells.push(String::new()),
                c => cells.last_mut().unwrap().push(c),
            }
        }
        cells
    }
}

#[test]
fn the_sample_of_the_specification_is_read() {
    let output = recoup(&[&["assess", "focus/focus-1.0-sample.csv"][..], &AT].concat());
    assert_eq!(output.status.code(), Some(0), "{}", err(&output));
    let found: Vec<(String, String)> = answers(&output)
        .iter()
        .map(|answer| (answer["provider"].as_str().unwrap().to_owned(), answer["product"].as_str().unwrap().to_owned()))
        .collect();
    assert_eq!(found, vec![("aws".to_owned(), "savingsplans".to_owned()); 2]);
    assert_eq!(
        err(&output).trim(),
        "focus/focus-1.0-sample.csv: FOCUS rows: 1000; used: 4 (usage under a commitment 4); not used: 996 (usage 993, \
         credits or refunds without a resource id 1, credits or adjustments that give nothing back 2); 2 resource(s) read"
    );
}

#[test]
fn purchases_find_their_adapters_by_the_names_that_exports_use() {
    let output = recoup(
        &[
            &[
                "assess",
                "focus/focus-1.2-purchases.csv",
                "focus/focus-1.3-purchases.csv",
                "focus/focus-1.4-commitments.csv",
            ][..],
            &AT,
        ]
        .concat(),
    );
    // A bad row and an unknown provider are said; everything else is assessed.
    assert_eq!(output.status.code(), Some(3), "{}", err(&output));
    let found: Vec<String> = answers(&output)
        .iter()
        .map(|answer| format!("{} {}", answer["provider"].as_str().unwrap(), answer["resource"].as_str().unwrap()))
        .collect();
    assert_eq!(
        found,
        [
            "azure vm-1",
            "azure /Reservations/RI-1",
            "aws sp-1",
            "azure db-1",
            "azure ip-1",
            "oracle cc-1",
            "oracle vol-1",
            "aws sp-all",
            "aws ri-part",
            "gcp cud-later",
            "gcp cud-over",
            "gcp cud-gone",
        ]
    );
    let said = err(&output);
    assert!(said.contains("focus/focus-1.2-purchases.csv:15: \"BilledCost\": \"five\" is not a decimal"), "{said}");
    assert!(said.contains("providers not served: \"Unheard-of Cloud\""), "{said}");
    assert!(said.contains("note: ip-1: a refund of 12.00 USD (Adjustment) matches no purchase of it"), "{said}");
}

#[test]
fn a_data_set_that_names_no_provider_takes_the_one_that_is_named() {
    let unnamed = recoup(&[&["assess", "focus/focus-1.3-commitments.csv"][..], &AT].concat());
    assert_eq!(unnamed.status.code(), Some(3));
    assert!(err(&unnamed).contains("without a provider's name 2"), "{}", err(&unnamed));
    let named = recoup(&[&["assess", "focus/focus-1.3-commitments.csv", "--provider", "oracle"][..], &AT].concat());
    assert_eq!((named.status.code(), answers(&named).len()), (Some(0), 2), "{}", err(&named));
}

#[test]
fn cost_exports_that_are_no_focus_are_refused_with_what_is_needed_instead() {
    // All in one run: each file is answered for itself.
    let names = [
        ("sample-anonymous-aws-export-dataset.csv", "identity/LineItemId, identity/TimeInterval"),
        ("reports_cost-csv.csv", "lineItem/referenceNo, lineItem/tenantId"),
    ];
    let files: Vec<String> = names.iter().map(|(name, _)| format!("exports/{name}")).collect();
    let mut args = vec!["assess"];
    args.extend(files.iter().map(String::as_str));
    let output = recoup(&[&args[..], &AT].concat());
    assert_eq!(output.status.code(), Some(3), "{}", err(&output));
    assert!(out(&output).is_empty());
    let said = err(&output);
    for (name, first) in names {
        let line = said.lines().find(|line| line.contains(name)).unwrap_or_else(|| panic!("{said}"));
        for expected in [
            &format!("first columns: {first}"),
            "it looks like a cost export",
            "recoup needs what was bought",
            "or a FOCUS export",
        ] {
            assert!(line.contains(expected), "{line}");
        }
    }
}

#[test]
fn cost_exports_that_an_adapter_reads_are_its_own() {
    let names = ["EA_ActualCost_Small.csv", "EA_AmortizedCost_Small.csv", "sample-anonymous-ea-export-dataset.csv"];
    let files: Vec<String> = names.iter().map(|name| format!("exports/{name}")).collect();
    let mut args = vec!["assess"];
    args.extend(files.iter().map(String::as_str));
    let output = recoup(&[&args[..], &AT].concat());
    assert_eq!(output.status.code(), Some(0), "{}", err(&output));
    assert!(err(&output).contains("read as azure"), "{}", err(&output));
}

#[test]
fn predicted_refunds_are_written_as_focus_and_read_back() {
    let folder = tempfile::tempdir().unwrap();
    let portfolio = folder.path().join("p.ndjson");
    let cases: Vec<Value> =
        serde_json::from_str(&fs::read_to_string(root().join("fixtures/huawei/cases/own.json")).unwrap()).unwrap();
    // Resources of the cases, so that there are fees, coupons and refusals among them.
    let mut lines = String::new();
    for (index, case) in cases.iter().filter(|case| case["resource"]["orders"].is_array()).take(60).enumerate() {
        let mut resource = case["resource"].clone();
        resource["id"] = json!(format!("r-{index}"));
        lines.push_str(&format!("{resource}\n"));
    }
    fs::write(&portfolio, lines).unwrap();
    let portfolio = portfolio.to_string_lossy().into_owned();
    let assessed = recoup(&["assess", &portfolio, "--at", "2025-03-01T00:00:00Z", "--format", "ndjson"]);
    let written = recoup(&["assess", &portfolio, "--at", "2025-03-01T00:00:00Z", "--format", "focus"]);
    let rows = rows(&out(&written));

    let mut expected = Amount::ZERO;
    let (mut items, mut fees, mut without) = (0, 0, 0);
    for answer in answers(&assessed) {
        let best = answer["exits"].as_array().unwrap().iter().find(|exit| exit["exit"] == answer["best"]);
        let refund = best
            .filter(|exit| exit["outcome"] != "refused")
            .map(|exit| &exit["refund"])
            .filter(|refund| !refund.is_null());
        let returned = refund.map_or(0, |refund| refund["returned"].as_array().unwrap().len());
        let fee = refund.is_some_and(|refund| refund["fee"] != "0.00");
        expected += refund.map_or(Amount::ZERO, |refund| refund["refund"].as_str().unwrap().parse().unwrap());
        items += returned;
        fees += usize::from(fee);
        without += usize::from(returned == 0 && !fee);
    }
    assert!(items > 0 && without > 0, "{items} {fees} {without}");
    let part = |part: &str| rows.iter().filter(|row| row["x_RecoupPart"] == part).count();
    assert_eq!((part("returned"), part("fee")), (items, fees));
    assert!(err(&written).contains(&format!("note: {without} resource(s) have no row")), "{}", err(&written));
    let billed: Amount = rows.iter().map(|row| row["BilledCost"].parse::<Amount>().unwrap()).sum();
    assert_eq!(billed, -expected);
    for row in &rows {
        assert_eq!(row["ProviderName"], "Huawei Cloud");
        assert_eq!(row["ChargeCategory"], if row["x_RecoupPart"] == "fee" { "Adjustment" } else { "Credit" });
        assert!(
            ["ResourceId", "BillingCurrency", "ChargePeriodStart", "x_RecoupExit"]
                .iter()
                .all(|column| !row[*column].is_empty())
        );
    }

    let file = folder.path().join("refunds.csv");
    fs::write(&file, out(&written)).unwrap();
    let back = recoup(&["assess", &file.to_string_lossy()]);
    assert_eq!(back.status.code(), Some(0), "{}", err(&back));
    let money = rows.iter().filter(|row| row["BilledCost"].starts_with('-')).count();
    assert!(err(&back).contains(&format!("used: {money} (predicted refunds {money})")), "{}", err(&back));
    assert!(out(&back).is_empty());
}

#[test]
fn services_become_the_products_of_the_adapter_and_unknown_ones_are_said() {
    let output = recoup(&[&["assess", "focus/focus-1.2-purchases.csv"][..], &AT].concat());
    let products: std::collections::BTreeSet<(String, String)> = answers(&output)
        .iter()
        .map(|answer| (answer["provider"].as_str().unwrap().into(), answer["product"].as_str().unwrap().into()))
        .collect();
    let product = |provider: &str, name: &str| (provider.to_owned(), name.to_owned());
    for known in [product("aws", "savingsplans"), product("azure", "VirtualMachines"), product("azure", "SqlDatabases")]
    {
        assert!(products.contains(&known), "{products:?}");
    }
    // No policy page speaks of it: it stays what the file calls it, and that is said.
    assert!(products.contains(&product("azure", "IP Addresses")), "{products:?}");
    let said = err(&output);
    assert!(
        said.contains("1 resource(s) of the service \"IP Addresses\": no product of azure is known by that name"),
        "{said}"
    );
}

#[test]
fn a_service_code_or_meter_names_the_product_where_the_service_does_not() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("focus.csv");
    let header = "ChargeCategory,BilledCost,BillingCurrency,ChargePeriodStart,ChargePeriodEnd,ChargeFrequency,ResourceId,ServiceName,ProviderName";
    for (column, value, provider, expected) in [
        ("x_ServiceCode", "AmazonElastiCache", "AWS", "elasticache"),
        ("x_SkuMeterCategory", "Virtual Machines", "Microsoft", "VirtualMachines"),
        ("SkuMeter", "SQL Database", "Microsoft", "SqlDatabases"),
        ("ResourceType", "microsoft.compute/virtualMachines", "Microsoft", "VirtualMachines"),
        ("x_Other", "Virtual Machines", "Microsoft", "Some new name"),
    ] {
        let row = format!("Purchase,120.00,USD,2025-01-01,2026-01-01,One-Time,r-1,Some new name,{provider}");
        fs::write(&path, format!("{header},{column}\n{row},{value}\n")).unwrap();
        let output = recoup(&[&["assess", path.to_str().unwrap()][..], &AT].concat());
        assert_eq!(answers(&output)[0]["product"], expected, "{column}");
    }
}
