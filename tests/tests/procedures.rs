//! Every procedure sentence of the required documents, each by a test that names it: the rows marked as flow
//! in the last tables of the two policy pages, in our own words. All of it runs on the providers' real rules.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::collections::BTreeSet;
use std::sync::Arc;

use recoup_cases::flow::{Confirmation, Execution, FlowError, Flows, Quoting, draft};
use recoup_cases::gateway::worklist::WorklistFolder;
use recoup_cases::gateway::{LineResult, Work};
use recoup_cases::journal::Act;
use recoup_cases::listing::{Filter, Row, View, rows};
use recoup_cases::model::{Case, CaseId, CaseState, LeavingReason, LineState};
use recoup_cases::published::Published;
use recoup_cases::store::{Store, open};
use recoup_core::assessment::Answered;
use recoup_core::context::Run;
use recoup_core::record::{AccountRecord, ResourceRecord};
use recoup_core::time::{Instant, Span, Zone};
use recoup_core::vocab::Effect;
use recoup_engine::{Assessor, Engine};
use recoup_tests::linked;
use serde_json::{Value, json};

const BEIJING: Zone = Zone::fixed_hours(8);

/// A desk: a store, the adapters, what they publish.
struct Desk {
    flows: Flows,
    published: Arc<Published>,
    engine: Engine,
    accounts: Vec<AccountRecord>,
    folder: tempfile::TempDir,
}

impl Desk {
    async fn new() -> Self {
        let adapters = linked();
        let published = Arc::new(Published::new(adapters.iter().map(|adapter| Arc::clone(adapter.policy()))));
        let engine = Engine::from_adapters(adapters);
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("cases.db");
        let store: Arc<dyn Store> = Arc::new(open(&file.to_string_lossy()).await.unwrap());
        Self { flows: Flows::new(store, Arc::clone(&published) as _), published, engine, accounts: Vec::new(), folder }
    }

    fn record(&self, json: &Value) -> ResourceRecord {
        ResourceRecord::from_json(json, &|provider, site| self.engine.zone_of(provider, site)).unwrap().record
    }

    fn judge(&self, at: Instant, records: Vec<ResourceRecord>) -> Vec<Result<Answered, String>> {
        let mut run = Run::at(at).with_accounts(self.accounts.clone());
        run.trace = true;
        let answers = Assessor::new(&self.engine, run).assess(records);
        answers.into_iter().map(|answer| answer.map_err(|error| error.to_string())).collect()
    }

    fn list(&self, at: Instant, records: &[ResourceRecord], filter: &Filter) -> Vec<Row> {
        let wanted: Vec<ResourceRecord> = records.iter().filter(|record| filter.takes(record)).cloned().collect();
        let answers = self.judge(at, wanted.clone());
        let all = wanted
            .iter()
            .zip(&answers)
            .flat_map(|(record, answer)| rows(record, answer.as_ref().unwrap(), self.published.as_ref(), at));
        all.filter(|row| filter.shows(row)).collect()
    }

    async fn quote(&self, at: Instant, records: &[ResourceRecord]) -> CaseId {
        let all = (0..records.len()).collect();
        self.quote_some(at, records, &all).await
    }

    async fn quote_some(&self, at: Instant, records: &[ResourceRecord], chosen: &BTreeSet<usize>) -> CaseId {
        let mut judge = |records| self.judge(at, records);
        let drafted = draft(records, chosen, None, &Quoting::default(), &mut judge);
        assert!(drafted.problems.is_empty(), "{:?}", drafted.problems);
        self.flows.quote(&act(at), drafted, &Quoting::default()).await.unwrap().case
    }

    async fn case(&self, id: &CaseId) -> Case {
        self.flows.case(id).await.unwrap()
    }

    /// Carries a case out by hand.
    async fn by_hand(&self, at: Instant, id: &CaseId) {
        let worklist = WorklistFolder::new(Arc::clone(&self.published), self.folder.path());
        self.flows.execute(&act(at), id, &Execution::default(), &worklist).await.unwrap();
        let numbers: Vec<u32> = self.case(id).await.lines.iter().map(|line| line.number).collect();
        let done = LineResult::Done { references: vec!["CS-done".to_owned()] };
        self.flows.tick_off(&act(at), id, &numbers, &done).await.unwrap();
    }
}

fn at(text: &str) -> Instant {
    Instant::parse(text, BEIJING).unwrap()
}

fn act(at: Instant) -> Act {
    Act { at, actor: "tess".to_owned(), because: String::new(), key: None }
}

fn yes(option: Option<&str>) -> Confirmation {
    Confirmation {
        reason: LeavingReason { option: option.map(str::to_owned), text: Some("not needed".to_owned()) },
        acknowledged: Effect::ALL.iter().copied().collect(),
        ..Confirmation::default()
    }
}

/// Facts that leave nothing open.
fn calm() -> Value {
    json!({"transaction_in_progress": false, "special_request_open": false, "promotion": false, "invoiced": false,
        "paid_by_partner": false, "frozen_legal": false, "frozen_security": false, "unpaid_order": false, "archived": false,
        "trial_benefit_used": false, "sales_contract": false, "stored_value_card_before_reseller": false})
}

/// A package bought again that takes effect in February 2025.
fn package(site: &str, id: &str, paid: &str) -> Value {
    let currency = if site == "cn" { "CNY" } else { "USD" };
    json!({"provider": "huawei", "site": site, "account": "team-1", "id": id, "name": format!("package {id}"),
        "product": "hws.service.type.obs", "region": "ap-southeast-1", "project": format!("project of {id}"),
        "billing": "package", "status": "queued", "purchased_at": "2024-12-01", "starts_at": "2025-02-01", "ends_at": "2026-02-01",
        "facts": calm(),
        "orders": [{"id": format!("CS-{id}"), "kind": "renewal", "status": "paid", "placed_at": "2024-12-01", "paid_at": "2024-12-01",
            "starts_at": "2025-02-01", "ends_at": "2026-02-01", "term_months": 12, "currency": currency, "list_price": paid, "due": paid,
            "payments": [{"instrument": "cash", "amount": paid}]}]})
}

/// A server in use, within its five-year term on the Chinese site (whose fee for it is printed).
fn in_use(id: &str, product: &str) -> Value {
    json!({"provider": "huawei", "site": "intl", "account": "team-1", "id": id, "name": format!("server {id}"), "product": product,
        "region": "ap-southeast-1", "billing": "subscription", "status": "active", "purchased_at": "2024-01-01", "starts_at": "2024-01-01",
        "ends_at": "2025-01-01", "facts": calm(),
        "orders": [{"id": format!("CS-{id}"), "kind": "purchase", "status": "paid", "placed_at": "2024-01-01", "paid_at": "2024-01-01",
            "starts_at": "2024-01-01", "ends_at": "2025-01-01", "term_months": 12, "currency": "USD", "list_price": "366.00",
            "due": "366.00", "payments": [{"instrument": "cash", "amount": "366.00"}]}]})
}

#[tokio::test]
async fn huawei_cn_inactive_list_of_what_may_go_single_or_batch_expand_for_details_reason_confirm() {
    let desk = Desk::new().await;
    let now = at("2025-01-10");
    let records = [desk.record(&package("cn", "p-1", "100.00")), desk.record(&package("cn", "p-2", "50.00"))];
    // The list of what may be unsubscribed.
    let listed = desk.list(now, &records, &Filter { view: Some(View::Inactive), ..Filter::default() });
    assert_eq!(listed.iter().map(|row| row.line.resource.as_str()).collect::<Vec<_>>(), ["p-1", "p-2"]);
    // One by one, or several together.
    let one = desk.quote_some(now, &records, &BTreeSet::from([0])).await;
    let both = desk.quote(now, &records).await;
    assert_eq!((desk.case(&one).await.lines.len(), desk.case(&both).await.lines.len()), (1, 2));
    // Expanded for the details: what comes back, of which order, by which clauses.
    let case = desk.case(&both).await;
    assert_eq!(case.lines[0].orders, ["CS-p-1"]);
    assert_eq!(case.lines[0].ruling.refund.as_ref().unwrap().refund.to_string(), "100.00");
    assert!(case.lines[0].ruling.clauses().iter().any(|clause| clause.starts_with("hw.inactive.")));
    // A reason of the list is given, and then it is confirmed.
    let silent = desk.flows.confirm(&act(now), &both, &yes(None)).await.unwrap_err();
    assert!(matches!(silent, FlowError::Reason { .. }), "{silent}");
    let did = desk.flows.confirm(&act(now), &both, &yes(Some("5"))).await.unwrap();
    assert_eq!(did.state, CaseState::Approved);
}

#[tokio::test]
async fn huawei_intl_inactive_search_by_name_order_number_id_filter_by_product_region_project() {
    let desk = Desk::new().await;
    let now = at("2025-01-10");
    let mut other = package("intl", "p-2", "50.00");
    other["region"] = "eu-west-101".into();
    other["product"] = "hws.service.type.cdn".into();
    let records = [desk.record(&package("intl", "p-1", "100.00")), desk.record(&other)];
    let found = |filter: Filter| -> Vec<String> {
        desk.list(now, &records, &filter).into_iter().map(|row| row.line.resource).collect()
    };
    let text = |text: &str| Some(text.to_owned());
    assert_eq!(found(Filter { name: text("PACKAGE P-1"), ..Filter::default() }), ["p-1"]);
    assert_eq!(found(Filter { order: text("CS-p-2"), ..Filter::default() }), ["p-2"]);
    assert_eq!(found(Filter { id: vec!["p-2".to_owned()], ..Filter::default() }), ["p-2"]);
    assert_eq!(found(Filter { product: text("hws.service.type.obs"), ..Filter::default() }), ["p-1"]);
    assert_eq!(found(Filter { region: text("eu-west-101"), ..Filter::default() }), ["p-2"]);
    assert_eq!(found(Filter { project: text("project of p-1"), ..Filter::default() }), ["p-1"]);
    assert!(found(Filter { project: text("another"), ..Filter::default() }).is_empty());
}

#[tokio::test]
async fn huawei_intl_inactive_a_batch_makes_one_combined_order_each_refund_under_its_own_order_number() {
    let desk = Desk::new().await;
    let now = at("2025-01-10");
    let records = ["p-1", "p-2", "p-3"].map(|id| desk.record(&package("intl", id, "100.00")));
    let id = desk.quote(now, &records).await;
    desk.flows.confirm(&act(now), &id, &yes(Some("5"))).await.unwrap();
    let case = desk.case(&id).await;
    assert_eq!(case.orders.len(), 1);
    assert_eq!(case.orders[0].lines, [1, 2, 3]);
    for (line, id) in case.lines.iter().zip(["p-1", "p-2", "p-3"]) {
        assert_eq!(line.orders, [format!("CS-{id}")]);
        assert_eq!(line.ruling.refund.as_ref().unwrap().refund.to_string(), "100.00");
    }
}

#[tokio::test]
async fn huawei_intl_inactive_refund_shown_reason_chosen_confirm() {
    let desk = Desk::new().await;
    let now = at("2025-01-10");
    let id = desk.quote(now, &[desk.record(&package("intl", "p-1", "100.00"))]).await;
    assert_eq!(desk.case(&id).await.lines[0].ruling.refund.as_ref().unwrap().refund.to_string(), "100.00");
    let wrong = desk.flows.confirm(&act(now), &id, &yes(Some("9"))).await.unwrap_err();
    assert!(wrong.to_string().contains("1 (Hard to use)"), "{wrong}");
    desk.flows.confirm(&act(now), &id, &yes(Some("1"))).await.unwrap();
    desk.by_hand(now, &id).await;
    assert_eq!(desk.case(&id).await.state(), CaseState::Settling);
}

#[tokio::test]
async fn huawei_intl_an_order_above_usd_1000_is_reviewed_and_after_24_hours_approved_by_itself() {
    let desk = Desk::new().await;
    let now = at("2025-01-10");
    let records = [desk.record(&package("intl", "p-1", "1000.00")), desk.record(&package("intl", "p-2", "1000.01"))];
    let id = desk.quote(now, &records).await;
    desk.flows.confirm(&act(now), &id, &yes(Some("5"))).await.unwrap();
    let states = |case: Case| case.lines.iter().map(|line| line.state).collect::<Vec<_>>();
    assert_eq!(states(desk.case(&id).await), [LineState::Approved, LineState::InReview]);
    desk.flows.tick(&act(at("2025-01-10T23:59:59+08:00"))).await.unwrap();
    assert_eq!(states(desk.case(&id).await), [LineState::Approved, LineState::InReview]);
    desk.flows.tick(&act(at("2025-01-11"))).await.unwrap();
    assert_eq!(states(desk.case(&id).await), [LineState::Approved, LineState::Approved]);
}

#[tokio::test]
async fn huawei_not_list_one_off_products_and_reserved_instances_are_not_shown() {
    let desk = Desk::new().await;
    let now = at("2024-06-01");
    let with = |id: &str, billing: &str| {
        let mut json = in_use(id, "ecs");
        json["billing"] = billing.into();
        desk.record(&json)
    };
    let records = [with("report", "one_off"), with("ri", "reservation"), with("vm", "subscription")];
    let shown = desk.list(now, &records, &Filter::default());
    assert!(shown.iter().all(|row| row.line.resource == "vm") && !shown.is_empty());
}

#[tokio::test]
async fn huawei_resource_batch_possible_for_ecs_evs_rds_vpc_cce() {
    let desk = Desk::new().await;
    let now = at("2024-06-01");
    for product in ["ecs", "evs", "rds", "vpc", "cce"] {
        let ids = [format!("{product}-1"), format!("{product}-2")];
        let records = ids.clone().map(|id| desk.record(&in_use(&id, product)));
        let id = desk.quote(now, &records).await;
        let did = desk.flows.confirm(&act(now), &id, &yes(Some("5"))).await.unwrap();
        assert_eq!(did.state, CaseState::Approved, "{product}: {:?}", did.lines);
        assert_eq!(desk.case(&id).await.orders.len(), 1, "{product}");
    }
}

#[tokio::test]
async fn huawei_resource_procedure_list_of_active_resources_single_or_batch_check_confirm() {
    let desk = Desk::new().await;
    let now = at("2024-06-01");
    let records = [desk.record(&in_use("vm-1", "ecs")), desk.record(&in_use("vm-2", "ecs"))];
    let listed = desk.list(now, &records, &Filter { view: Some(View::InUse), ..Filter::default() });
    assert_eq!(listed.len(), 2);
    let id = desk.quote(now, &records).await;
    // What is checked: access and data are lost, and it cannot be undone.
    let silent = Confirmation { acknowledged: BTreeSet::new(), ..yes(Some("5")) };
    let error = desk.flows.confirm(&act(now), &id, &silent).await.unwrap_err().to_string();
    for effect in ["irreversible", "data_deleted", "access_lost"] {
        assert!(error.contains(effect), "{error}");
    }
    desk.flows.confirm(&act(now), &id, &yes(Some("5"))).await.unwrap();
    desk.by_hand(now, &id).await;
    assert!(desk.case(&id).await.lines.iter().all(|line| line.state == LineState::Executed));
}

#[tokio::test]
async fn huawei_portfolios_only_as_a_whole_and_bound_resources_with_their_primary() {
    let desk = Desk::new().await;
    let now = at("2024-06-01");
    let part = |id: &str| {
        let mut json = in_use(id, "ecs");
        json["bundle"] = "solution-1".into();
        desk.record(&json)
    };
    let mut disk = in_use("disk-1", "evs");
    disk["primary"] = "vm-1".into();
    disk["relation"] = "bound".into();
    let records = [part("part-1"), part("part-2"), desk.record(&in_use("vm-1", "ecs")), desk.record(&disk)];
    // One part asked for brings the other; the server brings its disk.
    let id = desk.quote_some(now, &records, &BTreeSet::from([0, 2])).await;
    let case = desk.case(&id).await;
    assert_eq!(
        case.lines.iter().map(|line| line.resource.as_str()).collect::<Vec<_>>(),
        ["part-1", "part-2", "vm-1", "disk-1"]
    );
    assert!(case.lines.iter().all(|line| line.state == LineState::Quoted), "{:#?}", case.lines);
    assert_eq!(case.lines[3].follows, Some(3));
    desk.flows.confirm(&act(now), &id, &yes(Some("5"))).await.unwrap();
    // A part by itself is refused, as its page says.
    let alone = desk.quote(at("2024-06-02"), &[part("part-3")]).await;
    let refused = &desk.case(&alone).await.lines[0];
    assert_eq!(refused.state, LineState::Refused);
    assert!(refused.refused.iter().any(|refusal| refusal.reason.as_str() == "part_of_bundle"));
}

/// The resource of the case for the document's own formula, and when it is asked about.
fn alibaba(desk: &Desk, id: &str) -> (ResourceRecord, Instant) {
    let cases = recoup_tests::cases("alibaba");
    let case = cases.iter().find(|case| case.id == "alibaba.faq.in-use-allowed").unwrap();
    let mut json = case.resource().clone();
    json["id"] = id.into();
    (desk.record(&json), Instant::parse(case.json["at"].as_str().unwrap(), BEIJING).unwrap())
}

/// A desk with an account at the other provider, and a case carried out there.
async fn carried_out() -> (Desk, CaseId, Instant) {
    let mut desk = Desk::new().await;
    let cases = recoup_tests::cases("alibaba");
    let case = cases.iter().find(|case| case.id == "alibaba.faq.in-use-allowed").unwrap();
    let zone_of = |_: &str, _: Option<&str>| Some(BEIJING);
    if let Some(account) = case.json.get("account").filter(|account| account.is_object()) {
        desk.accounts.push(AccountRecord::from_json(account, &zone_of).unwrap().record);
    }
    let (record, now) = alibaba(&desk, "rm-1");
    let id = desk.quote(now, &[record]).await;
    let case = desk.case(&id).await;
    let facts = case.lines[0].ruling.unknowns.iter();
    let checked = facts.map(|unknown| unknown.fact.clone().unwrap_or_else(|| unknown.reason.to_string())).collect();
    assert_eq!(case.lines[0].state, LineState::Quoted, "{:#?}", case.lines[0].refused);
    let option = desk.flows.procedures().reasons(&case.lines[0].place, now).first().map(|option| option.id.clone());
    let said = Confirmation { checked, ..yes(option.as_deref()) };
    desk.flows.confirm(&act(now), &id, &said).await.unwrap();
    desk.by_hand(now, &id).await;
    (desk, id, now)
}

#[tokio::test]
async fn alibaba_after_30_business_days_without_the_money_a_ticket() {
    let (desk, id, now) = carried_out().await;
    let due = desk.flows.due(now, Some(&id)).await.unwrap();
    assert!(!due.is_empty() && due.iter().all(|due| !due.overdue && due.due_by.is_some()), "{due:#?}");
    // Thirty business days are six weeks; the last day still counts.
    let done = desk.case(&id).await.lines[0].executed_at.unwrap();
    let weekday = (Span::days(4) + (done + Span::hours(8)).since(Instant::from_micros(0))).whole_days().rem_euclid(7);
    assert!((1..=5).contains(&weekday), "the case is asked about on a working day");
    let last = BEIJING.next_midnight(BEIJING.add_days(done, 42));
    assert!(desk.flows.due(last - Span::seconds(1), Some(&id)).await.unwrap().iter().all(|due| !due.overdue));
    let late = desk.flows.due(last, Some(&id)).await.unwrap();
    assert!(!late.is_empty() && late.iter().all(|due| due.overdue && !due.clauses.is_empty()), "{late:#?}");
}

#[tokio::test]
async fn alibaba_a_successful_unsubscription_cannot_be_cancelled_and_the_resource_is_checked_twice_beforehand() {
    let (desk, id, now) = carried_out().await;
    let error = desk.flows.withdraw(&act(now), &id, Some(&[1])).await.unwrap_err();
    assert!(error.to_string().contains("after success an unsubscription cannot be taken back"), "{error}");
    // Before it, the irreversible effect had to be acknowledged.
    let case = desk.case(&id).await;
    assert!(case.lines[0].ruling.effects.contains(&Effect::Irreversible));
}

#[tokio::test]
async fn alibaba_the_worklist_says_to_open_a_ticket_at_once_after_an_accident() {
    let (desk, id, now) = carried_out().await;
    let case = desk.case(&id).await;
    // The sentence is carried by the clause that every such ruling rests on.
    let policy = desk.published.policy("alibaba").unwrap();
    let clause = policy.clauses.iter().find(|clause| clause.id == "ali.after.irreversible").unwrap();
    assert!(clause.says.to_lowercase().contains("ticket"), "{}", clause.says);
    // And by the steps that a person follows.
    let again = desk.quote(now, &[alibaba(&desk, "rm-2").0]).await;
    let other = desk.case(&again).await;
    let order = recoup_cases::model::CombinedOrder {
        id: "x".to_owned(),
        place: other.lines[0].place.clone(),
        lines: vec![1],
        whole: false,
    };
    let tasks = desk.published.steps(&case, &order, &[&other.lines[0]]).unwrap();
    let Work::Steps(steps) = &tasks[0].work else { panic!("no steps") };
    assert!(steps.steps.len() > 1 && steps.link.is_some(), "{steps:#?}");
}
