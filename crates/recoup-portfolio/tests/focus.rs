//! FOCUS files: those of the fixtures, and many made up.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::{ArrayRef, Decimal128Array, Float64Array, RecordBatch, StringArray, TimestampMicrosecondArray};
use parquet::arrow::ArrowWriter;
use proptest::prelude::*;
use recoup_core::record::ResourceRecord;
use recoup_core::time::{Instant, Zone};
use recoup_core::vocab::{Billing, OrderStatus, PaymentOption, Recurrence, Seller, Status};
use recoup_portfolio::focus::{DataSet, Focus, FocusRead, Left, RefundForm, Use};
use recoup_portfolio::read::{Opened, from_reader, open};

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/focus").join(name)
}

/// Every provider but one is served, under its first word in small letters.
fn provider_of(name: &str) -> Option<String> {
    (!name.starts_with("Unheard")).then(|| name.split([' ', ',']).next().unwrap_or_default().to_lowercase())
}

fn read_all(opened: Vec<Opened>, only: Option<&str>) -> (FocusRead, Vec<(u64, String)>) {
    let mut focus = Focus::new(&provider_of, only);
    let mut bad = Vec::new();
    for opened in opened {
        let Opened::Focus(source) = opened else { panic!("not recognised: {opened:?}") };
        focus.read(source, &mut |line, what| bad.push((line, what))).unwrap();
    }
    (focus.finish(), bad)
}

fn read_text(text: &str) -> (FocusRead, Vec<(u64, String)>) {
    read_all(vec![from_reader("f.csv", Box::new(std::io::Cursor::new(text.to_owned().into_bytes()))).unwrap()], None)
}

fn read_fixture(name: &str, only: Option<&str>) -> (FocusRead, Vec<(u64, String)>) {
    read_all(vec![open(&fixture(name).to_string_lossy()).unwrap()], only)
}

fn record<'r>(read: &'r FocusRead, id: &str) -> &'r ResourceRecord {
    read.records.iter().find(|record| record.id.eq_ignore_ascii_case(id)).unwrap_or_else(|| panic!("{id} is missing"))
}

fn time(text: &str) -> Option<Instant> {
    Some(Instant::parse(text, Zone::UTC).unwrap())
}

#[test]
fn the_sample_of_the_specification() {
    let (read, bad) = read_fixture("focus-1.0-sample.csv", None);
    assert!(bad.is_empty(), "{bad:?}");
    assert_eq!(
        read.counts.to_string(),
        "FOCUS rows: 1000; used: 4 (usage under a commitment 4); not used: 996 (usage 993, \
         credits or refunds without a resource id 1, credits or adjustments that give nothing back 2)"
    );
    assert_eq!(read.records.len(), 2);
    for record in &read.records {
        assert_eq!((record.billing, record.status), (Billing::SavingsPlan, Status::Active));
        assert_eq!(record.product, "Savings Plan");
        assert_eq!(record.account.as_deref(), Some("1234567890123"));
        // One row of September says nothing of when the plan began or ends, or what it cost.
        assert!(record.orders.is_none() && record.starts_at.is_none() && record.ends_at.is_none());
        assert!(record.site.is_none() && record.region.is_none());
    }
    assert!(read.refunds.is_empty() && read.remarks.is_empty());
}

#[test]
fn purchases_and_their_refunds_in_three_forms() {
    let (read, bad) = read_fixture("focus-1.2-purchases.csv", None);
    assert_eq!(bad.len(), 1);
    assert_eq!(bad[0].0, 15);
    assert!(bad[0].1.starts_with("\"BilledCost\": \"five\" is not a decimal"), "{}", bad[0].1);
    assert_eq!(
        read.counts.to_string(),
        "FOCUS rows: 14; used: 9 (purchases 6, refunds 3); not used: 5 (usage 1, tax 1, \
         purchases without a resource or commitment id 1, of a provider that no adapter serves 1, unreadable 1); \
         providers not served: \"Unheard-of Cloud\""
    );
    assert_eq!(read.counts.lost(), 3);

    let server = record(&read, "vm-1");
    assert_eq!((server.billing, server.status), (Billing::Subscription, Status::Active));
    assert_eq!((server.starts_at, server.ends_at), (time("2025-01-10T08:00:00Z"), time("2026-01-10T08:00:00Z")));
    assert_eq!((server.name.as_deref(), server.project.as_deref()), (Some("web"), Some("sub-1")));
    assert_eq!(server.tags, [("team".to_owned(), "web".to_owned())]);
    assert_eq!(server.seller, Some(Seller::Provider));
    let order = &server.orders.as_ref().unwrap()[0];
    assert_eq!((order.status, order.due.unwrap().to_string()), (OrderStatus::Paid, "1200.00".to_owned()));
    assert_eq!(order.list_price.unwrap().to_string(), "1500.00");
    assert_eq!(order.currency.unwrap().to_string(), "USD");
    assert!(order.payments.is_none() && order.placed_at.is_none());

    // Ids differ in letter case between the purchase and its refund; the refund is a negative purchase.
    let reservation = record(&read, "/reservations/ri-1");
    assert_eq!((reservation.billing, reservation.status), (Billing::Reservation, Status::Released));
    assert_eq!(reservation.orders.as_ref().unwrap()[0].status, OrderStatus::Refunded);
    assert_eq!(reservation.ends_at, None);

    let plan = record(&read, "sp-1");
    let commitment = plan.commitment.as_ref().unwrap();
    assert_eq!(plan.provider, "amazon");
    assert_eq!(
        (commitment.recurring.unwrap().to_string(), commitment.recurring_every),
        ("0.10".to_owned(), Some(Recurrence::Hour))
    );
    // Two hours that follow each other are one order.
    let orders = plan.orders.as_ref().unwrap();
    assert_eq!((orders.len(), orders[0].due.unwrap().to_string()), (1, "0.20".to_owned()));

    let database = record(&read, "db-1");
    assert_eq!(database.orders.as_ref().unwrap()[0].status, OrderStatus::Refunded);
    assert_eq!((database.status, database.seller), (Status::Active, Some(Seller::Marketplace)));

    let address = record(&read, "ip-1");
    assert_eq!(address.orders.as_ref().unwrap()[0].status, OrderStatus::Paid);
    assert_eq!(
        read.remarks,
        ["ip-1: a refund of 12.00 USD (Adjustment) matches no purchase of it, so its orders are left as they are"]
    );
    let forms: Vec<RefundForm> = read.refunds.iter().map(|refund| refund.form).collect();
    assert_eq!(forms, [RefundForm::Purchase, RefundForm::Credit, RefundForm::Adjustment]);
}

#[test]
fn columns_of_1_3_in_any_letter_case() {
    let (read, bad) = read_fixture("focus-1.3-purchases.csv", None);
    assert!(bad.is_empty(), "{bad:?}");
    let credits = record(&read, "cc-1");
    assert_eq!((credits.provider.as_str(), credits.billing), ("oci", Billing::CommittedUse));
    assert_eq!(credits.commitment.as_ref().unwrap().recurring_every, Some(Recurrence::Month));
    // What is not stated is unknown, not nothing.
    let volume = record(&read, "vol-1");
    let order = &volume.orders.as_ref().unwrap()[0];
    assert_eq!((order.due, order.list_price), (None, None));
    assert_eq!((order.starts_at, order.ends_at), (time("2025-01-03T00:00:00Z"), None));
}

#[test]
fn contract_commitments_of_1_3_name_no_provider() {
    let (read, bad) = read_fixture("focus-1.3-commitments.csv", None);
    assert!(bad.is_empty() && read.records.is_empty());
    assert_eq!(read.counts.left.get(&Left::NoProvider), Some(&2));

    let (read, _) = read_fixture("focus-1.3-commitments.csv", Some("acme"));
    assert_eq!(read.counts.used.get(&Use::Contract), Some(&2));
    let spend = record(&read, "cc-1");
    let commitment = spend.commitment.as_ref().unwrap();
    assert_eq!((spend.provider.as_str(), spend.billing, spend.status), ("acme", Billing::CommittedUse, Status::Active));
    assert_eq!(
        (commitment.total_units.unwrap().to_string(), commitment.unit.as_deref()),
        ("120000".to_owned(), Some("USD"))
    );
    assert_eq!(commitment.term_months, Some(12));
    let cores = record(&read, "cc-2");
    assert_eq!(cores.billing, Billing::Reservation);
    let commitment = cores.commitment.as_ref().unwrap();
    assert_eq!(
        (commitment.total_units.unwrap().to_string(), commitment.unit.as_deref()),
        ("64".to_owned(), Some("Cores"))
    );
    assert_eq!(commitment.term_months, Some(36));
    assert!(cores.orders.is_none());
}

#[test]
fn contract_commitments_of_1_4_in_each_station() {
    let (read, bad) = read_fixture("focus-1.4-commitments.csv", None);
    assert_eq!(bad.len(), 1);
    assert!(bad[0].1.contains("\"Sleeping\" is not known, expected one of Proposed, Pending"), "{}", bad[0].1);
    assert_eq!(read.counts.left.get(&Left::Proposed), Some(&1));
    let found: Vec<(&str, Billing, Status, Option<PaymentOption>)> = read
        .records
        .iter()
        .map(|record| {
            (record.id.as_str(), record.billing, record.status, record.commitment.as_ref().unwrap().payment_option)
        })
        .collect();
    assert_eq!(
        found,
        [
            ("sp-all", Billing::SavingsPlan, Status::Active, Some(PaymentOption::AllUpfront)),
            ("ri-part", Billing::Reservation, Status::Active, Some(PaymentOption::PartialUpfront)),
            ("cud-later", Billing::CommittedUse, Status::Queued, Some(PaymentOption::NoUpfront)),
            ("cud-over", Billing::CommittedUse, Status::Expired, Some(PaymentOption::NoUpfront)),
            ("cud-gone", Billing::CommittedUse, Status::Released, Some(PaymentOption::NoUpfront)),
        ]
    );
    let all = record(&read, "sp-all");
    assert_eq!(all.orders.as_ref().unwrap()[0].due.unwrap().to_string(), "8760.00");
    assert!(record(&read, "ri-part").orders.is_none());
    assert_eq!(record(&read, "ri-part").commitment.as_ref().unwrap().used_fraction.unwrap().to_string(), "1");
}

#[test]
fn a_purchase_and_its_refund_may_stand_in_different_files() {
    let text = |amount: &str, category: &str| {
        format!(
            "ChargeCategory,BilledCost,BillingCurrency,ChargePeriodStart,ChargePeriodEnd,ChargeFrequency,ResourceId,ProviderName\n{category},{amount},USD,2025-01-01,2026-01-01,One-Time,r-1,Acme\n"
        )
    };
    let opened = |text: String| from_reader("f.csv", Box::new(std::io::Cursor::new(text.into_bytes()))).unwrap();
    for category in ["Purchase", "Credit", "Adjustment"] {
        let (read, bad) = read_all(vec![opened(text("-10.00", category)), opened(text("10.00", "Purchase"))], None);
        assert!(bad.is_empty() && read.remarks.is_empty(), "{read:?}");
        assert_eq!(read.records[0].orders.as_ref().unwrap()[0].status, OrderStatus::Refunded, "{category}");
        let (read, _) = read_text(&text("-10.00", category));
        assert!(read.records.is_empty());
        assert_eq!(read.refunds[0].amount.to_string(), "10.00");
        assert!(read.remarks[0].contains("stands in none of these files"), "{:?}", read.remarks);
    }
}

#[test]
fn bad_rows_are_said_and_the_others_read() {
    let text = "ChargeCategory,BilledCost,BillingCurrency,ChargePeriodStart,ChargePeriodEnd,ResourceId,ServiceName,ProviderName\n\
        Purchase,1,USD,2025-01-01,2026-01-01,good-1,S,Acme\n\
        Purchase,1,USD,2025-01-01\n\
        Sale,1,USD,2025-01-01,2026-01-01,bad,S,Acme\n\
        ,1,USD,2025-01-01,2026-01-01,bad,S,Acme\n\
        Purchase,1,US,2025-01-01,2026-01-01,bad,S,Acme\n\
        Purchase,1,USD,2026-01-01,2025-01-01,bad,S,Acme\n\
        Purchase,1,USD,1/2/2025,2026-01-01,bad,S,Acme\n\
        Purchase,1,USD,2025-01-01,2026-01-01,good-2,S,Acme\n";
    let (read, bad) = read_text(text);
    assert_eq!(read.records.iter().map(|record| record.id.as_str()).collect::<Vec<_>>(), ["good-1", "good-2"]);
    let lines: Vec<u64> = bad.iter().map(|(line, _)| *line).collect();
    assert_eq!(lines, [3, 4, 5, 6, 7, 8]);
    for ((_, what), expected) in bad.iter().zip([
        "has 4 cells, the header has 8",
        "\"ChargeCategory\": \"sale\" is not known, expected one of Usage",
        "\"ChargeCategory\": is missing",
        "\"BillingCurrency\": ",
        "\"ChargePeriodEnd\": is before \"ChargePeriodStart\"",
        "\"ChargePeriodStart\": \"1/2/2025\" is not an instant",
    ]) {
        assert!(what.contains(expected), "{what}");
    }
}

#[test]
fn parquet_with_decimals_and_with_floats() {
    let folder = tempfile::tempdir().unwrap();
    let texts = |values: [&str; 2]| Arc::new(StringArray::from(values.to_vec())) as ArrayRef;
    let day = time("2025-01-01").unwrap().micros();
    let start = Arc::new(TimestampMicrosecondArray::from(vec![day, day]).with_timezone("UTC")) as ArrayRef;
    let exact = Arc::new(Decimal128Array::from(vec![Some(12_345_678), None]).with_precision_and_scale(38, 5).unwrap())
        as ArrayRef;
    let float = Arc::new(Float64Array::from(vec![Some(123.456_78), None])) as ArrayRef;
    for (name, cost, remarks) in [("exact", exact, 0), ("float", float, 1)] {
        let batch = RecordBatch::try_from_iter([
            ("x_first", texts(["a", "b"])),
            ("ChargeCategory", texts(["Purchase", "Purchase"])),
            ("BilledCost", cost),
            ("BillingCurrency", texts(["EUR", "EUR"])),
            ("ChargePeriodStart", Arc::clone(&start)),
            ("ResourceId", texts(["r-1", "r-2"])),
            ("ProviderName", texts(["Acme", "Acme"])),
        ])
        .unwrap();
        let path = folder.path().join(format!("{name}.parquet"));
        let mut writer = ArrowWriter::try_new(File::create(&path).unwrap(), batch.schema(), None).unwrap();
        writer.write(&batch).unwrap();
        writer.close().unwrap();
        let (read, bad) = read_all(vec![open(&path.to_string_lossy()).unwrap()], None);
        assert!(bad.is_empty(), "{bad:?}");
        let due: Vec<_> = read
            .records
            .iter()
            .map(|record| record.orders.as_ref().unwrap()[0].due.map(|due| due.to_string()))
            .collect();
        assert_eq!(due, [Some("123.45678".to_owned()), None]);
        assert_eq!(read.remarks.len(), remarks, "{:?}", read.remarks);
        assert_eq!(read.records[0].orders.as_ref().unwrap()[0].starts_at, time("2025-01-01"));
    }
}

#[test]
fn what_is_no_focus_is_not_taken_for_it() {
    for header in
        ["provider,id,product,billing,status", "Date,Cost,ResourceId,ChargeType", "ChargeCategory,Team,Owner,Note"]
    {
        let text = format!("{header}\n1,2,3,4\n");
        let opened = from_reader("f.csv", Box::new(std::io::Cursor::new(text.into_bytes())));
        assert!(!matches!(opened, Ok(Opened::Focus(_))), "{header}");
    }
    let Opened::Focus(source) = open(&fixture("focus-1.4-commitments.csv").to_string_lossy()).unwrap() else {
        panic!("not recognised")
    };
    assert_eq!(source.data_set(), DataSet::ContractCommitment);
}

/// A purchase as cells by column.
fn cells(cents: i64) -> Vec<(&'static str, String)> {
    vec![
        ("ChargeCategory", "Purchase".to_owned()),
        ("BilledCost", format!("{}.{:02}", cents / 100, cents % 100)),
        ("ListCost", "NULL".to_owned()),
        ("BillingCurrency", "USD".to_owned()),
        ("ChargePeriodStart", "2025-01-01 00:00:00".to_owned()),
        ("ChargePeriodEnd", "2026-01-01 00:00:00".to_owned()),
        ("ChargeFrequency", "One-Time".to_owned()),
        ("ResourceId", "r-1".to_owned()),
        ("ServiceName", "Servers".to_owned()),
        ("ProviderName", "Acme".to_owned()),
        ("RegionName", "north".to_owned()),
        ("BillingAccountId", "acct".to_owned()),
    ]
}

fn spelled(name: &str, way: u8) -> String {
    match way % 4 {
        0 => name.to_owned(),
        1 => name.to_lowercase(),
        2 => name.to_uppercase(),
        _ => name.char_indices().fold(String::new(), |mut out, (at, c)| {
            if at > 0 && c.is_uppercase() {
                out.push('_');
            }
            out.extend(c.to_lowercase());
            out
        }),
    }
}

proptest! {
    #[test]
    fn letter_case_order_and_extra_columns_change_nothing(
        cents in 0_i64..10_000_000,
        ways in prop::collection::vec(0_u8..4, 13),
        order in Just((0..13_usize).collect::<Vec<_>>()).prop_shuffle(),
        null in prop::sample::select(vec!["NULL", "null", "", "Null"]),
    ) {
        let mut row = cells(cents);
        row.push(("x_Extra", null.to_owned()));
        let plain = |row: &[(&str, String)]| {
            let names: Vec<&str> = row.iter().map(|(name, _)| *name).collect();
            let values: Vec<&str> = row.iter().map(|(_, value)| value.as_str()).collect();
            format!("{}\n{}\n", names.join(","), values.join(","))
        };
        let (expected, _) = read_text(&plain(&row));
        let names: Vec<String> = row.iter().zip(&ways).map(|((name, _), way)| spelled(name, *way)).collect();
        let mixed: Vec<(&str, String)> = order
            .iter()
            .map(|place| (names[*place].as_str(), if row[*place].1 == "NULL" { null.to_owned() } else { row[*place].1.clone() }))
            .collect();
        let (read, bad) = read_text(&plain(&mixed));
        prop_assert!(bad.is_empty(), "{bad:?}");
        prop_assert_eq!(read.records, expected.records);
    }

    #[test]
    fn a_missing_column_or_value_leaves_a_field_unknown_and_the_rest_as_it_was(gone in 4_usize..12, whole in any::<bool>()) {
        // Without provider or id there is no resource; all else is only unknown.
        let mut row = cells(1_000);
        prop_assume!(!["ResourceId", "ProviderName"].contains(&row[gone].0));
        if whole { row.remove(gone); } else { row[gone].1 = "NULL".to_owned(); }
        let names: Vec<&str> = row.iter().map(|(name, _)| *name).collect();
        let values: Vec<&str> = row.iter().map(|(_, value)| value.as_str()).collect();
        let (read, bad) = read_text(&format!("{}\n{}\n", names.join(","), values.join(",")));
        prop_assert!(bad.is_empty(), "{bad:?}");
        prop_assert_eq!(read.records.len(), 1);
        let orders = read.records[0].orders.as_ref().unwrap();
        prop_assert_eq!(orders[0].due.unwrap().to_string(), "10.00");
    }
}
