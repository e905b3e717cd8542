//! What is read from payloads as Azure prints them. Sources: `fixtures/azure/README.md`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use recoup_azure::Azure;
use recoup_core::adapter::Provider;
use recoup_core::import::{ImportFile, Imported};
use recoup_core::time::Zone;
use serde_json::{Value, json};

struct File {
    name: String,
    text: String,
    json: Option<Value>,
}

impl File {
    fn made(name: &str, text: String) -> Self {
        let json = serde_json::from_str(&text).ok();
        Self { name: name.to_owned(), text, json }
    }

    #[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    fn payload(name: &str) -> Self {
        Self::made(name, recoup_conformance::payloads::text(env!("CARGO_MANIFEST_DIR"), name))
    }

    fn given(&self) -> ImportFile<'_> {
        ImportFile { name: &self.name, json: self.json.as_ref(), text: &self.text }
    }
}

fn import(files: &[File]) -> Imported {
    let given: Vec<ImportFile<'_>> = files.iter().map(File::given).collect();
    recoup_conformance::payloads::import_files::<Azure>(&given)
}

fn payloads(names: &[&str]) -> Imported {
    import(&names.iter().map(|name| File::payload(name)).collect::<Vec<_>>())
}

fn errors(imported: &Imported) -> Vec<String> {
    let errors = imported.remarks.iter().filter(|remark| remark.is_error);
    errors.map(|remark| format!("{}: {}", remark.path, remark.what)).collect()
}

fn resources(imported: &Imported) -> Value {
    recoup_conformance::payloads::records(imported, Zone::UTC).into()
}

fn accounts(imported: &Imported) -> Value {
    imported.accounts.iter().map(|account| account.to_json(Zone::UTC)).collect()
}

const VM: &str = "/providers/Microsoft.Capacity/reservationOrders/50000000-aaaa-bbbb-cccc-100000000004/reservations/40000000-aaaa-bbbb-cccc-100000000000";
const RHEL: &str = "/providers/Microsoft.Capacity/reservationOrders/1f14354c-dc12-4c8d-8090-6f295a3a34aa/reservations/c8c926bd-fc5d-4e29-9d43-b68340ac23a6";

#[test]
fn a_listing_an_order_and_a_quote_are_one_reservation() {
    let imported = payloads(&["calculate_refund.json", "reservations.json", "order_schedule.json"]);
    assert_eq!(errors(&imported), Vec::<String>::new());
    let expected = json!([
        {
            "provider": "azure", "account": "profile-7", "id": VM, "name": "web-frontend", "product": "VirtualMachines",
            "region": "uksouth", "project": "/subscriptions/ed3a1871-612d-abcd-a849-c2542a68be83",
            "billing": "reservation", "status": "active", "quantity": "1",
            "purchased_at": "2023-06-01T08:30:00Z", "starts_at": "2023-06-01T08:30:00Z", "ends_at": "2024-06-01T08:30:00Z",
            "commitment": {"term_months": 12, "payment_option": "all_upfront", "currency": "GBP", "upfront": "24.00"},
            "orders": [{
                "id": "50000000-aaaa-bbbb-cccc-100000000004", "kind": "purchase", "status": "paid", "quantity": "1",
                "placed_at": "2023-06-01T08:30:00Z", "starts_at": "2023-06-01T08:30:00Z", "ends_at": "2024-06-01T08:30:00Z",
                "currency": "GBP", "due": "24.00",
            }],
            "facts": {"archived": false, "auto_renew": false, "refund_not_supported": true, "usd_rate": "1.202702702702702703"},
            "stated": [{
                "by": "billingRefundAmount", "exit": "return", "allowed": false, "currency": "GBP", "refund": "20.72",
                "says": "SelfServiceRefundNotSupported",
            }],
        },
        {
            "provider": "azure", "id": RHEL, "name": "rhel", "product": "RedHat", "region": "westus",
            "billing": "reservation", "status": "released", "quantity": "7",
            "purchased_at": "2019-08-30T03:51:49Z", "starts_at": "2019-08-30T03:51:49Z", "ends_at": "2020-08-30T03:51:49Z",
            "commitment": {"term_months": 12, "payment_option": "monthly"},
        },
    ]);
    assert_eq!(resources(&imported), expected);
    let expected = json!([{
        "provider": "azure", "account": "profile-7",
        "quotas": [{"name": "cancelled_commitment", "used": "83.69", "limit": "50000"}],
    }]);
    assert_eq!(accounts(&imported), expected);
    assert!(imported.remarks.iter().any(|remark| remark.what.starts_with("SelfServiceRefundNotSupported")));
}

#[test]
fn a_quote_alone_says_what_it_says() {
    let imported = payloads(&["return.json"]);
    assert_eq!(errors(&imported), Vec::<String>::new());
    let expected = json!([{
        "provider": "azure", "account": "reservationOrders/50000000-aaaa-bbbb-cccc-100000000004", "id": VM,
        "product": "reservation", "billing": "reservation", "status": "active", "quantity": "1",
        "commitment": {"payment_option": "all_upfront", "currency": "GBP"},
        "orders": [{
            "id": "50000000-aaaa-bbbb-cccc-100000000004", "kind": "purchase", "status": "paid", "quantity": "1",
            "currency": "GBP", "due": "24.00",
        }],
        "facts": {"refund_not_supported": false, "usd_rate": "1.202729044834307992"},
        "stated": [{"by": "billingRefundAmount", "exit": "return", "allowed": true, "currency": "GBP", "refund": "20.52"}],
    }]);
    assert_eq!(resources(&imported), expected);
    assert!(imported.remarks.iter().any(|remark| remark.what.contains("answer to a return")));
}

#[test]
fn an_order_that_expires_before_it_was_created_keeps_no_expiry() {
    let imported = payloads(&["reservation_order.json"]);
    assert_eq!(errors(&imported).len(), 1);
    assert!(errors(&imported)[0].starts_with("properties.expiryDateTime: expires on 2018-08-30T03:51:49Z"));
    let expected = json!([{
        "provider": "azure", "account": "23456", "id": "/providers/microsoft.capacity/reservationOrders/1f14354c-dc12-4c8d-8090-6f295a3a34aa",
        "name": "cabri", "product": "reservation", "billing": "reservation", "status": "active", "quantity": "7",
        "purchased_at": "2019-08-30T03:51:49Z", "starts_at": "2019-08-30T03:51:49Z",
        "commitment": {"term_months": 12, "payment_option": "monthly", "currency": "USD", "recurring": "466.00", "recurring_every": "month"},
        "orders": [{
            "id": "1f14354c-dc12-4c8d-8090-6f295a3a34aa", "kind": "purchase", "status": "paid", "quantity": "7",
            "placed_at": "2019-08-30T03:51:49Z", "starts_at": "2019-08-30T03:51:49Z", "currency": "USD", "due": "466.00",
        }],
    }]);
    assert_eq!(resources(&imported), expected);
    assert!(imported.remarks.iter().any(|remark| remark.what == "this payment of 466.00 failed PaymentDeclined"));
}

#[test]
fn an_exchange_names_what_would_be_bought() {
    let imported = payloads(&["reservations.json", "calculate_exchange.json"]);
    assert_eq!(errors(&imported), Vec::<String>::new());
    let rhel = imported.resources[1].to_json(Zone::UTC);
    assert_eq!(
        rhel["facts"],
        json!({"target_product": "VirtualMachines", "target_term_months": "12", "target_commitment": "19800",
            "target_payment_option": "all_upfront", "quantity_leaving": "1"})
    );
    // The quote speaks of one of seven: what was paid for all is not said.
    assert_eq!((&rhel["quantity"], &rhel["orders"]), (&json!("7"), &Value::Null));
    let alone = payloads(&["calculate_exchange.json"]);
    assert_eq!(alone.resources[0].to_json(Zone::UTC)["orders"][0]["due"], "19800.00");
}

#[test]
fn refunds_of_the_bill_are_earlier_returns() {
    let imported = payloads(&["reservation_transactions.json", "purchase_transactions.json"]);
    assert_eq!(errors(&imported), Vec::<String>::new());
    let expected = json!([
        {
            "provider": "azure", "account": "123456", "currency": "USD",
            "returns": [{"at": "2019-09-09T19:19:04Z", "currency": "USD", "exit": "return"}],
        },
        {
            "provider": "azure", "account": "profile-7", "currency": "USD",
            "returns": [{"at": "2026-03-10T10:00:00Z", "amount": "120.25", "currency": "USD", "exit": "return"}],
        },
    ]);
    assert_eq!(accounts(&imported), expected);
    let expected = json!([{
        "provider": "azure", "account": "profile-7", "id": "/providers/Microsoft.Capacity/reservationOrders/60000000-aaaa-0000-0000-000000000006",
        "name": "batch", "product": "reservation", "region": "westeurope", "billing": "reservation", "status": "active", "quantity": "2",
        "purchased_at": "2026-03-01T10:00:00Z",
        "commitment": {"term_months": 12, "payment_option": "all_upfront", "currency": "USD"},
        "orders": [{
            "id": "60000000-aaaa-0000-0000-000000000006", "kind": "purchase", "status": "paid", "quantity": "2",
            "placed_at": "2026-03-01T10:00:00Z", "currency": "USD", "due": "730.50",
        }],
        "facts": {"billing_channel": "mca"},
    }]);
    assert_eq!(resources(&imported), expected);
}

#[test]
fn the_same_page_twice_doubles_nothing() {
    let names = ["purchase_transactions.json", "reservations.json", "savings_plans.json", "ea_actual_cost.csv"];
    let once = payloads(&names);
    let twice = payloads(&[names, names].concat());
    assert_eq!(resources(&once), resources(&twice));
    assert_eq!(accounts(&once), accounts(&twice));
}

#[test]
fn a_savings_plan_has_its_hourly_commitment() {
    let imported = payloads(&["savings_plans.json"]);
    assert_eq!(errors(&imported), Vec::<String>::new());
    let expected = json!([{
        "provider": "azure", "account": "profile-7",
        "id": "/providers/Microsoft.BillingBenefits/savingsPlanOrders/20000000-0000-0000-0000-000000000001/savingsPlans/30000000-0000-0000-0000-000000000001",
        "name": "Compute_SavingsPlan_04-01-2026", "product": "SavingsPlan", "project": "/subscriptions/10000000-0000-0000-0000-000000000000",
        "billing": "savings_plan", "status": "active",
        "purchased_at": "2026-04-01T00:00:00Z", "starts_at": "2026-04-01T00:00:00Z", "ends_at": "2027-04-01T00:00:00Z",
        "commitment": {"term_months": 12, "payment_option": "monthly", "hourly": "2.5", "currency": "USD"},
        "facts": {"auto_renew": true},
    }]);
    assert_eq!(resources(&imported), expected);
}

#[test]
fn a_cost_export_names_the_order_and_its_instalment() {
    let imported = payloads(&["ea_actual_cost.csv"]);
    assert_eq!(errors(&imported), Vec::<String>::new());
    let expected = json!([{
        "provider": "azure", "account": "8611537", "id": "/providers/Microsoft.Capacity/reservationOrders/49ed0e4d-8e0c-4f1f-af2c-67c865056615",
        "name": "VM_RI_06-21-2023_18-56", "product": "VirtualMachines", "region": "uksouth", "project": "1caaa5a3-2b66-438e-8ab4-bce37d518c5d",
        "billing": "reservation", "status": "active", "quantity": "1",
        "commitment": {"term_months": 36, "payment_option": "monthly", "currency": "USD", "recurring": "3.25", "recurring_every": "month"},
        "orders": [{
            "id": "49ed0e4d-8e0c-4f1f-af2c-67c865056615", "kind": "purchase", "status": "paid", "quantity": "1",
            "currency": "USD", "due": "3.25",
        }],
        "facts": {"billing_channel": "ea"},
    }]);
    assert_eq!(resources(&imported), expected);
}

#[test]
fn other_spellings_are_the_same_reservation() {
    let api = File::payload("reservations.json");
    let item = &api.json.as_ref().unwrap()["value"][0];
    let mut flat = item["properties"].clone();
    for name in ["id", "type", "location"] {
        flat[name] = item[name].clone();
    }
    let respelled = |spell: fn(&str) -> String| {
        let map = flat.as_object().unwrap().iter().map(|(name, value)| (spell(name), value.clone()));
        File::made("spelled.json", Value::Array(vec![Value::Object(map.collect())]).to_string())
    };
    let pascal = respelled(|name| name[..1].to_uppercase() + &name[1..]);
    let snake = respelled(|name| {
        name.chars().map(|c| if c.is_uppercase() { format!("_{}", c.to_lowercase()) } else { c.to_string() }).collect()
    });
    let expected = import(&[api]).resources[0].to_json(Zone::UTC);
    for file in [pascal, snake] {
        let imported = import(&[file]);
        assert_eq!(errors(&imported), Vec::<String>::new());
        assert_eq!(resources(&imported), json!([expected]));
    }
}

#[test]
fn a_bad_item_is_reported_and_the_others_are_read() {
    let api = File::payload("reservations.json");
    let mut json = api.json.unwrap();
    json["value"][0]["properties"]["quantity"] = json!("seven");
    let imported = import(&[File::made("bad.json", json.to_string())]);
    assert_eq!(errors(&imported), ["value[0].properties.quantity: expected a decimal, found \"seven\""]);
    assert_eq!(imported.resources.len(), 1);
    json["value"][0]["properties"]["quantity"] = json!(1);
    json["value"][0]["properties"]["provisioningState"] = json!("Sleeping");
    let imported = import(&[File::made("bad.json", json.to_string())]);
    assert!(errors(&imported)[0].contains("expected a provisioning state"));
    assert_eq!(imported.resources.len(), 1);
}

#[test]
fn a_listing_that_is_cut_short_says_so() {
    let api = File::payload("reservations.json");
    let whole = api.json.unwrap();
    let mut first = whole.clone();
    first["value"].as_array_mut().unwrap().truncate(1);
    let imported = import(&[File::made("counted.json", first.to_string())]);
    assert_eq!(errors(&imported), ["summary: counts 2 items, expected them in the files, found 1"]);
    first["nextLink"] = json!("https://management.azure.com/next");
    let mut second = whole;
    second["value"].as_array_mut().unwrap().remove(0);
    let pages = || [File::made("1.json", first.to_string()), File::made("2.json", second.to_string())];
    let imported = import(&pages());
    assert_eq!(errors(&imported), Vec::<String>::new());
    assert_eq!(imported.resources.len(), 2);
    let [first, _] = pages();
    assert!(errors(&import(&[first]))[0].starts_with("nextLink: the listing goes on"));
}

#[test]
fn other_files_are_not_claimed() {
    for text in [
        r#"{"value": [{"id": "vm-1", "type": "Microsoft.Compute/virtualMachines", "properties": {"provisioningState": "Succeeded"}}]}"#,
        r#"{"ReservedInstances": [{"ReservedInstancesId": "x", "State": "active"}]}"#,
        r#"{"orders": [{"id": "1", "quantity": 1}]}"#,
        "[]",
        "{}",
        "\"text\"",
        "BillingAccountId,ChargeType,EffectiveCost\n1,Usage,2\n",
    ] {
        assert!(!Azure::recognises(&File::made("other", text.to_owned()).given()), "{text}");
    }
}

#[test]
fn a_refund_transaction_shows_what_came_back() {
    let imported = import(&[File::payload("reservation_transactions.json")]);
    let refunds: Vec<_> = imported
        .refunds
        .iter()
        .map(|refund| (refund.order.clone().unwrap(), refund.currency.to_string(), refund.unnamed.to_string()))
        .collect();
    assert!(
        refunds.contains(&("00000000-0000-0000-0000-000000000000".to_owned(), "USD".to_owned(), "21.00".to_owned())),
        "{refunds:?}"
    );
    assert!(imported.refunds.iter().all(|refund| refund.returned.is_empty()), "no transaction names an instrument");
}
