//! Reconciliation: what should have come against what came.
#![allow(
    clippy::unwrap_used,
    clippy::needless_pass_by_value,
    reason = "a test fails by panicking; `json!` gives values away"
)]

use std::collections::BTreeMap;

use proptest::prelude::*;
use recoup_cases::reconcile::predicted::{from_assessment, is_assessment};
use recoup_cases::reconcile::received::{as_received, read};
use recoup_cases::reconcile::{Prediction, Receipt, Reconciliation, Status, reconcile};
use recoup_core::money::{Amount, Exact};
use recoup_core::receipt;
use recoup_core::refund::Refund;
use recoup_core::time::Zone;
use recoup_core::vocab::{Destination, Instrument};
use serde_json::{Value, json};

fn cents(value: i64) -> Amount {
    Exact::ratio(value, 100).to_amount()
}

/// A prediction of amounts by instrument, in cents.
fn prediction(resource: &str, returned: &[(&str, i64)]) -> Prediction {
    let items: Vec<Value> = returned
        .iter()
        .map(|(instrument, amount)| {
            let to = Destination::itself(Instrument::parse(instrument).unwrap());
            json!({"instrument": instrument, "amount": cents(*amount).to_string(), "to": to.as_str()})
        })
        .collect();
    let paid: i64 = returned.iter().map(|(_, amount)| amount).sum();
    let money: i64 = returned
        .iter()
        .filter(|(instrument, _)| Instrument::parse(instrument).unwrap().is_money())
        .map(|(_, amount)| amount)
        .sum();
    let assessment = json!({
        "provider": "acme", "site": "global", "account": null, "resource": resource, "product": "vm",
        "at": "2026-03-06T00:00:00Z", "outcome": "allowed", "best": "in_use",
        "exits": [{
            "exit": "in_use", "outcome": "allowed", "refusals": [], "unknowns": [],
            "refund": {"currency": "USD", "paid": cents(paid).to_string(), "consumed": "0.00", "fee": "0.00",
                "forfeited": "0.00", "refund": cents(money).to_string(), "returned": items},
            "steps": [{"clause": "acme.refund", "verdict": "applies"}, {"clause": "acme.other", "verdict": "passes"}]
        }]
    });
    assert!(is_assessment(&assessment));
    from_assessment(&assessment, &format!("assessments:{resource}")).unwrap()
}

fn came(fields: Value) -> Receipt {
    Receipt { refund: receipt::from_json(&fields, Zone::UTC).unwrap(), source: "receipts".to_owned() }
}

fn statuses(result: &Reconciliation) -> Vec<(Option<&str>, Option<&'static str>, Status, String)> {
    let row = |row: &recoup_cases::reconcile::Row| row.difference.to_string();
    result
        .rows
        .iter()
        .map(|found| (found.resource.as_deref(), found.instrument.map(Instrument::as_str), found.status, row(found)))
        .collect()
}

#[test]
fn every_status_with_the_clause_that_says_what_should_have_come() {
    let predictions = [
        prediction("a", &[("cash", 8000), ("cash_coupon", 2000)]),
        prediction("b", &[("cash", 8000)]),
        prediction("c", &[("cash", 8000)]),
        prediction("d", &[("card", 5000)]),
        prediction("e", &[("cash", 100), ("bonus", 50)]),
    ];
    let receipts = [
        came(
            json!({"resource": "a", "currency": "USD", "returned": [{"instrument": "cash", "amount": "80"}, {"instrument": "cash_coupon", "amount": "20"}]}),
        ),
        came(json!({"resource": "b", "currency": "USD", "amount": "79.99", "instrument": "cash"})),
        came(json!({"resource": "c", "currency": "USD", "amount": "80.01", "instrument": "cash"})),
        // By another instrument than was predicted: the one is missing, the other one too many.
        came(json!({"resource": "e", "currency": "USD", "amount": "1.00", "instrument": "cash"})),
        came(json!({"resource": "e", "currency": "USD", "amount": "0.50", "instrument": "voucher"})),
        came(json!({"resource": "zzz", "reference": "R-9", "currency": "USD", "amount": "5"})),
    ];
    let result = reconcile(&predictions, &receipts);
    assert_eq!(
        statuses(&result),
        [
            (Some("a"), Some("cash"), Status::Matched, "0.00".to_owned()),
            (Some("a"), Some("cash_coupon"), Status::Matched, "0.00".to_owned()),
            (Some("b"), Some("cash"), Status::Short, "-0.01".to_owned()),
            (Some("c"), Some("cash"), Status::Over, "0.01".to_owned()),
            (Some("d"), Some("card"), Status::Missing, "-50.00".to_owned()),
            (Some("e"), Some("cash"), Status::Matched, "0.00".to_owned()),
            (Some("e"), Some("bonus"), Status::Missing, "-0.50".to_owned()),
            (Some("e"), Some("voucher"), Status::Over, "0.50".to_owned()),
            (Some("zzz"), None, Status::Unexplained, "5.00".to_owned()),
        ]
    );
    assert!(!result.holds());
    let short = &result.rows[2];
    assert_eq!(short.clauses.iter().map(|said| said.clause.as_str()).collect::<Vec<_>>(), ["acme.refund"]);
    assert_eq!(short.to, [Destination::AccountBalance]);
    assert_eq!(result.rows[8].receipts[0].reference.as_deref(), Some("R-9"));
}

#[test]
fn what_names_no_instrument_goes_to_the_money_that_is_still_to_come() {
    let predictions = [prediction("a", &[("cash", 6000), ("cash_coupon", 1000), ("credit", 4000)])];
    let unnamed =
        |amount: &str| came(json!({"resource": "a", "reference": amount, "currency": "USD", "amount": amount}));
    let cash = came(json!({"resource": "a", "currency": "USD", "amount": "60", "instrument": "cash"}));
    // Named receipts count first, whatever their order.
    let result = reconcile(&predictions, &[unnamed("40.00"), cash.clone()]);
    assert_eq!(
        statuses(&result).iter().map(|row| row.2).collect::<Vec<_>>(),
        [Status::Matched, Status::Missing, Status::Matched]
    );
    // In two parts, over two instruments.
    let result = reconcile(&predictions, &[unnamed("99.99"), unnamed("0.01")]);
    assert_eq!(statuses(&result).iter().filter(|row| row.2 == Status::Matched).count(), 2);
    // What is too much is on the first.
    let result = reconcile(&predictions, &[unnamed("101.00")]);
    assert_eq!(result.rows[0].difference, cents(100));
    // A coupon is no money: it takes none of it.
    assert_eq!(result.rows[1].status, Status::Missing);
    // Taken back again.
    let result = reconcile(&predictions, &[unnamed("100.00"), unnamed("-1.00")]);
    assert_eq!(result.totals.iter().map(|total| total.received).sum::<Amount>(), cents(9900));
}

#[test]
fn a_refund_finds_its_resource_by_resource_order_or_unsubscription() {
    let mut predictions = [prediction("vm-1", &[("cash", 8000)]), prediction("vm-2", &[("cash", 5000)])];
    predictions[0].orders = vec!["CS-1".to_owned(), "U-1".to_owned()];
    predictions[1].orders = vec!["CS-1".to_owned(), "U-2".to_owned()];
    let of = |fields: Value| {
        let result = reconcile(&predictions, &[came(fields)]);
        let row = result.rows.iter().find(|row| !row.receipts.is_empty()).unwrap();
        (row.resource.clone(), row.status)
    };
    let usd = |field: &str, value: &str, amount: &str| json!({field: value, "currency": "USD", "amount": amount});
    assert_eq!(of(usd("resource", "VM-1", "80")), (Some("vm-1".to_owned()), Status::Matched));
    // One order bought both: the amount tells them apart.
    assert_eq!(of(usd("order", "CS-1", "50")), (Some("vm-2".to_owned()), Status::Matched));
    assert_eq!(of(usd("order", "CS-1", "80")), (Some("vm-1".to_owned()), Status::Matched));
    assert_eq!(of(usd("reference", "U-2", "50")), (Some("vm-2".to_owned()), Status::Matched));
    assert_eq!(of(usd("order", "CS-2", "50")).1, Status::Unexplained);
    // Another provider, another account: another resource, whatever its id.
    assert_eq!(
        of(json!({"provider": "other", "resource": "vm-1", "currency": "USD", "amount": "80"})).1,
        Status::Unexplained
    );
    // Both parts of one order, without a resource, each find their own.
    let both = [came(usd("order", "CS-1", "50")), came(usd("order", "CS-1", "80"))];
    assert!(reconcile(&predictions, &both).holds());
}

#[test]
fn another_currency_and_an_unknown_figure_explain_nothing() {
    let mut unknown = prediction("b", &[("cash", 100)]);
    unknown.money = None;
    let predictions = [prediction("a", &[("cash", 8000)]), unknown];
    let result = reconcile(
        &predictions,
        &[
            came(json!({"resource": "a", "currency": "CNY", "amount": "80"})),
            came(json!({"resource": "b", "currency": "USD", "amount": "1"})),
        ],
    );
    let notes: Vec<_> = result.rows.iter().map(|row| (row.status, row.note.clone().unwrap_or_default())).collect();
    assert_eq!(
        notes,
        [
            (Status::Missing, String::new()),
            (Status::Unexplained, "came in CNY, predicted in USD".to_owned()),
            (Status::Unexplained, "no figure was predicted".to_owned()),
        ]
    );
}

#[test]
fn the_same_receipt_twice_counts_once_and_two_alike_count_twice() {
    let predictions = [prediction("a", &[("cash", 8000)])];
    let with = |reference: Option<&str>| {
        came(json!({"resource": "a", "reference": reference, "currency": "USD", "amount": "40"}))
    };
    let once = reconcile(&predictions, &[with(Some("R-1")), with(Some("R-1"))]);
    assert_eq!((once.rows[0].status, once.remarks.len()), (Status::Short, 1));
    assert!(reconcile(&predictions, &[with(Some("R-1")), with(Some("R-2"))]).holds());
    assert!(reconcile(&predictions, &[with(None), with(None)]).holds());
}

#[test]
fn of_two_predictions_the_later_counts() {
    let mut later = prediction("a", &[("cash", 7000)]);
    later.at = later.at.map(|at| at + recoup_core::time::Span::days(1));
    let receipts = [came(json!({"resource": "a", "currency": "USD", "amount": "70"}))];
    for predictions in
        [[prediction("a", &[("cash", 8000)]), later.clone()], [later, prediction("a", &[("cash", 8000)])]]
    {
        let result = reconcile(&predictions, &receipts);
        assert!(result.holds(), "{result:#?}");
        assert!(result.remarks[0].contains("predicted twice"));
    }
}

#[test]
fn a_fee_that_differs_is_noted() {
    let mut receipt = came(json!({"resource": "a", "currency": "USD", "amount": "70", "fee": "10"}));
    let predictions = [prediction("a", &[("cash", 8000)])];
    let result = reconcile(&predictions, &[receipt.clone()]);
    assert_eq!(result.rows[0].note.as_deref(), Some("a fee of 10.00 was kept, 0.00 was predicted"));
    receipt.refund.fee = Some(Amount::ZERO);
    assert_eq!(reconcile(&predictions, &[receipt]).rows[0].note, None);
}

#[test]
fn eight_decimals_match_to_the_minor_unit_and_are_not_lost() {
    let predictions = [prediction("a", &[("cash", 8043), ("bonus", 46)])];
    let receipts = [came(json!({"resource": "a", "currency": "USD", "returned": [
        {"instrument": "cash", "amount": "80.43264806"}, {"instrument": "bonus", "amount": "0.45735194"}]}))];
    let result = reconcile(&predictions, &receipts);
    assert!(result.holds(), "{result:#?}");
    assert_eq!(result.rows[0].difference.to_string(), "0.00264806");
}

#[test]
fn lists_of_receipts_are_read_in_three_forms() {
    let ndjson = "{\"resource\":\"a\",\"currency\":\"USD\",\"amount\":\"1\"}\n\n{\"resource\":\"b\",\"currency\":\"USD\"}\n{broken\n";
    let found = read("r.ndjson", ndjson).unwrap();
    assert_eq!(found.receipts.len(), 1);
    assert_eq!(found.receipts[0].source, "r.ndjson:1");
    assert!(found.faults[0].starts_with("r.ndjson:3: \"amount\": expected a decimal"), "{:?}", found.faults);
    assert!(found.faults[1].starts_with("r.ndjson:4: not JSON"), "{:?}", found.faults);
    let array = "[{\"order\":\"a\",\"currency\":\"USD\",\"amount\":1.10}]";
    assert_eq!(read("r.json", array).unwrap().receipts[0].refund.money_back().to_string(), "1.10");
    let csv = "\u{feff}Resource,Currency,Amount,Instrument,At,Comment\nvm-1,USD,80.00,cash,2026-03-06,ok\nvm-2,USD,,,,\n,,,,,\n";
    let found = read("r.csv", csv).unwrap();
    assert_eq!(found.receipts[0].refund.returned, [(Instrument::Cash, cents(8000))]);
    assert_eq!(found.faults, ["r.csv:3: \"amount\": expected a decimal, found nothing"]);
    assert_eq!(found.unknown, ["comment"]);
    assert_eq!(as_received(&found.receipts[0].refund, "r.csv:2")[0].amount, cents(8000));
    for other in
        ["", "{\"resource\":\"a\",\"exits\":[]}", "BilledCost,Currency\n1,USD\n", "[{\"provider\":\"a\"}]", "{", "[1"]
    {
        assert_eq!(read("other", other), None, "{other}");
    }
}

#[test]
fn an_assessment_that_is_none_is_told() {
    for (json, what) in [
        (json!({"id": "a"}), "is no assessment"),
        (json!({"resource": "a", "exits": [{"exit": "out"}]}), "an exit of a cannot be read"),
        (json!({"resource": "a", "exits": []}), "names no provider"),
    ] {
        let error = from_assessment(&json, "x").unwrap_err().to_string();
        assert!(error.contains(what), "{error}");
    }
    // Where all is refused, nothing is predicted, and the refusals say why.
    let refused = json!({"provider": "acme", "resource": "a", "best": null, "exits": [{"exit": "none", "outcome": "refused",
        "refusals": [{"clause": "acme.no", "reason": "free", "says": "Free."}], "refund": null}]});
    let prediction = from_assessment(&refused, "x").unwrap();
    assert_eq!((prediction.money, prediction.exit, prediction.clauses[0].says.as_str()), (None, None, "Free."));
}

const INSTRUMENTS: [&str; 4] = ["cash", "card", "cash_coupon", "bonus"];

proptest! {
    /// Whatever comes for whatever was predicted: over all rows, by currency, the expected amounts add up to
    /// the predictions, the received ones to the receipts, and the differences to what lies between; and the
    /// totals say the same as the rows.
    #[test]
    fn nothing_is_lost_between_predicted_and_received(
        predicted in prop::collection::vec(prop::collection::vec((0..4_usize, 1_i64..100_000), 0..4), 0..5),
        received in prop::collection::vec((0..7_usize, prop::option::of(0..4_usize), -5_000_i64..150_000, prop::bool::ANY), 0..14),
    ) {
        let predictions: Vec<Prediction> = predicted
            .iter()
            .enumerate()
            .map(|(index, items)| {
                let items: Vec<(&str, i64)> = items.iter().map(|(name, amount)| (INSTRUMENTS[*name], *amount)).collect();
                prediction(&format!("r-{index}"), &items)
            })
            .collect();
        let receipts: Vec<Receipt> = received
            .iter()
            .enumerate()
            .map(|(index, (resource, instrument, amount, dollars))| {
                let currency = if *dollars { "USD" } else { "EUR" };
                let mut fields = json!({"resource": format!("r-{resource}"), "reference": index.to_string(),
                    "currency": currency, "amount": cents(*amount).to_string()});
                if let Some(instrument) = instrument {
                    fields["instrument"] = json!(INSTRUMENTS[*instrument]);
                }
                came(fields)
            })
            .collect();
        let result = reconcile(&predictions, &receipts);
        let mut expected = BTreeMap::new();
        let mut came = BTreeMap::new();
        for money in predictions.iter().filter_map(|prediction| prediction.money.as_ref()) {
            for (_, amount) in money.returned() {
                *expected.entry(money.currency().to_string()).or_insert(Amount::ZERO) += amount;
            }
        }
        let mut named = BTreeMap::new();
        for refund in receipts.iter().map(|receipt| &receipt.refund) {
            let all: Amount = refund.returned().map(|(_, amount)| amount).sum::<Amount>() + refund.unnamed();
            *came.entry(refund.currency().to_string()).or_insert(Amount::ZERO) += all;
            for (instrument, amount) in refund.returned() {
                *named.entry((refund.currency().to_string(), instrument)).or_insert(Amount::ZERO) += amount;
            }
        }
        for currency in ["USD", "EUR"] {
            let rows = || result.rows.iter().filter(|row| row.currency.as_str() == currency);
            let totals = || result.totals.iter().filter(|total| total.currency.as_str() == currency);
            let should = expected.get(currency).copied().unwrap_or_default();
            let did = came.get(currency).copied().unwrap_or_default();
            prop_assert_eq!(rows().map(|row| row.expected).sum::<Amount>(), should);
            prop_assert_eq!(rows().map(|row| row.received).sum::<Amount>(), did);
            prop_assert_eq!(rows().map(|row| row.difference).sum::<Amount>(), did - should);
            prop_assert_eq!(totals().map(|total| total.difference).sum::<Amount>(), did - should);
            // What named a coupon stays with it: nothing moves between instruments that are no money.
            let coupons = named.get(&(currency.to_owned(), Instrument::CashCoupon)).copied().unwrap_or_default();
            let found: Amount =
                rows().filter(|row| row.instrument == Some(Instrument::CashCoupon)).map(|row| row.received).sum();
            prop_assert_eq!(found, coupons);
        }
        for row in &result.rows {
            prop_assert_eq!(row.received, row.receipts.iter().map(|came| came.amount).sum::<Amount>());
            let difference = row.received - row.expected;
            prop_assert_eq!(row.difference, difference);
            match row.status {
                Status::Matched => prop_assert!(difference.is_zero()),
                Status::Short | Status::Missing => prop_assert!(difference.is_negative()),
                Status::Over => prop_assert!(difference.is_positive()),
                Status::Unexplained => prop_assert!(row.expected.is_zero()),
            }
        }
        let counted: usize = result.totals.iter().flat_map(|total| total.rows.values()).sum();
        prop_assert_eq!(counted, result.rows.len());
    }
}
