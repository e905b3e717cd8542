//! The gateways: what is prepared, what a person ticks off, and HTTP against a server on this machine that
//! answers with the payloads that the providers publish.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod server;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use recoup_cases::gateway::dry_run::DryRun;
use recoup_cases::gateway::http::{Http, Limits, Outgoing, Signer};
use recoup_cases::gateway::worklist::{WorklistFolder, ticks, worklist_id};
use recoup_cases::gateway::{Gateway, LineResult, Results, Task, Work};
use recoup_cases::model::{Case, CaseId, CombinedOrder, LeavingReason, Line, Place};
use recoup_cases::procedure::Procedures;
use recoup_cases::published::Published;
use recoup_core::time::{Instant, Zone};
use recoup_core::vocab::Reason;
use recoup_tests::linked;
use serde_json::json;
use server::{Reply, Server};

/// What some providers publish.
fn published(providers: &[&str]) -> Published {
    let adapters = linked();
    let named = adapters.iter().filter(|adapter| providers.contains(&adapter.provider()));
    Published::new(named.map(|adapter| Arc::clone(adapter.policy())))
}

fn line(number: u32, provider: &str, resource: &str, product: &str, exit: &str, channel: &str) -> Line {
    let site = if provider == "tencent" { "cn" } else { "intl" };
    serde_json::from_value(json!({
        "number": number,
        "place": {"provider": provider, "site": site, "account": "team-1"},
        "zone": "+08:00",
        "resource": resource,
        "name": format!("name of {resource}"),
        "product": product,
        "region": "region-1",
        "billing": "subscription",
        "status": "active",
        "orders": [format!("order-of-{resource}")],
        "snapshot": "00",
        "record": {"quantity": "1"},
        "ruling": {
            "exit": exit, "outcome": "allowed", "channel": channel,
            "refund": {"currency": "USD", "paid": "100.00", "consumed": "10.00", "fee": "10.00", "forfeited": "0.00",
                "refund": "80.00", "returned": [{"instrument": "cash", "amount": "80.00", "to": "account_balance"}]}
        },
        "state": "approved"
    }))
    .unwrap()
}

fn case(lines: Vec<Line>) -> Case {
    let at = Instant::parse("2026-03-06T10:00:00+08:00", Zone::UTC).unwrap();
    let numbers = lines.iter().map(|line| line.number).collect();
    let place = lines[0].place.clone();
    let mut case: Case = serde_json::from_value(json!({
        "id": "C1", "quoted_at": at.display(Zone::UTC).to_string(), "expires_at": "2026-03-07T00:00:00Z",
        "portfolio": "00", "settled": false, "lines": []
    }))
    .unwrap();
    case.id = CaseId("C1".to_owned());
    case.lines = lines;
    case.orders = vec![CombinedOrder { id: "C1-1".to_owned(), place, lines: numbers, whole: false }];
    case.reason = LeavingReason { option: Some("5".to_owned()), text: Some("no longer needed".to_owned()) };
    case
}

fn prepare(gateway: &dyn Gateway, case: &Case) -> Vec<Task> {
    let lines: Vec<&Line> = case.lines.iter().collect();
    gateway.prepare(case, &case.orders[0], &lines).unwrap()
}

struct Token;

impl Signer for Token {
    fn sign(&self, request: &mut Outgoing) -> Result<(), String> {
        request.headers.push(("X-Auth-Token".to_owned(), "secret".to_owned()));
        Ok(())
    }
}

const QUICK: Limits = Limits {
    attempts: 3,
    first_pause: Duration::from_millis(1),
    longest_pause: Duration::from_secs(2),
    connect: Duration::from_secs(2),
    answer: Duration::from_millis(400),
};

fn http(server: &Server, provider: &str) -> Http {
    Http::with_limits(Arc::new(published(&[provider])), Arc::new(Token), QUICK).with_base(provider, server.base())
}

/// Sends one task to a server that gives these replies, and says what came of it and how often it was sent.
async fn sent(provider: &str, lines: Vec<Line>, replies: Vec<Reply>) -> (Results, Vec<server::Request>) {
    let server = Server::start(replies);
    let gateway = http(&server, provider);
    let case = case(lines);
    let tasks = prepare(&gateway, &case);
    assert_eq!(tasks.len(), 1, "{tasks:#?}");
    let results = gateway.carry_out(&tasks[0]).await;
    (results, server.requests())
}

fn two_servers() -> Vec<Line> {
    vec![
        line(1, "huawei", "vm-1", "hws.service.type.ec2", "in_use", "api"),
        line(2, "huawei", "vm-2", "hws.service.type.ec2", "in_use", "api"),
    ]
}

#[tokio::test]
async fn a_batch_is_one_call_with_the_reason_and_the_token_of_the_signer() {
    // The answer is the published one: order_ids, and the reserved list of failures.
    let (results, requests) =
        sent("huawei", two_servers(), vec![Reply::json(200, r#"{"order_ids":["CS1801271804739RJ"]}"#)]).await;
    let done = LineResult::Done { references: vec!["CS1801271804739RJ".to_owned()] };
    assert_eq!(results, [(1, done.clone()), (2, done)]);
    assert_eq!(requests.len(), 1);
    insta::assert_snapshot!(requests[0].to_string(), @r#"
    POST /v2/orders/subscriptions/resources/unsubscribe
    content-type: application/json
    x-auth-token: secret

    {"resource_ids":["vm-1","vm-2"],"unsubscribe_reason":"no longer needed","unsubscribe_reason_type":5,"unsubscribe_type":1}
    "#);
}

#[tokio::test]
async fn throttling_is_waited_for_and_bounded() {
    let throttled =
        || Reply::json(429, r#"{"error_code":"APIGW.0308","error_msg":"throttled"}"#).with("Retry-After", "1");
    let done = Reply::json(200, r#"{"order_ids":["CS1"]}"#);
    let start = std::time::Instant::now();
    let (results, requests) = sent("huawei", two_servers(), vec![throttled(), done]).await;
    assert!(matches!(results[0].1, LineResult::Done { .. }), "{results:?}");
    assert_eq!(requests.len(), 2);
    assert!(start.elapsed() >= Duration::from_secs(1), "Retry-After was not waited for");
    // Always throttled: not sent, after as many times as are allowed.
    let always = || Reply::json(429, "{}");
    let (results, requests) = sent("huawei", two_servers(), vec![always(), always(), always(), always()]).await;
    assert!(matches!(&results[1].1, LineResult::NotSent { says } if says.contains("sent 3 time(s)")), "{results:?}");
    assert_eq!(requests.len(), 3);
    // A pause longer than anybody waits is told, not waited for.
    let (results, requests) =
        sent("huawei", two_servers(), vec![Reply::json(429, "{}").with("Retry-After", "3600")]).await;
    assert!(
        matches!(&results[0].1, LineResult::NotSent { says } if says.contains("asks to wait 3600 s")),
        "{results:?}"
    );
    assert_eq!(requests.len(), 1);
}

#[tokio::test]
async fn what_may_have_happened_is_in_doubt_and_never_repeated() {
    for reply in [
        // No answer in time.
        Reply::json(200, r#"{"order_ids":["CS1"]}"#).after(Duration::from_secs(3)),
        // The connection breaks before, and in the middle of, the answer.
        Reply::cut(0),
        Reply::cut(60),
        // The server failed.
        Reply::json(500, r#"{"error_code":"CBC.0999","error_msg":"other"}"#),
        Reply::json(502, "<html>bad gateway</html>"),
        Reply::json(503, "{}"),
        Reply::json(408, "{}"),
        // Success that does not say which order, or that is no JSON.
        Reply::json(200, "{}"),
        Reply::json(200, "done"),
    ] {
        let shown = format!("{reply:?}");
        let (results, requests) =
            sent("huawei", two_servers(), vec![reply, Reply::json(200, r#"{"order_ids":["CS2"]}"#)]).await;
        assert_eq!(requests.len(), 1, "{shown} was repeated");
        for (_, result) in results {
            assert!(matches!(result, LineResult::InDoubt { .. }), "{shown}: {result:?}");
        }
    }
}

#[tokio::test]
async fn what_never_reached_anybody_is_tried_again_and_then_not_sent() {
    let closed = Server::closed_port();
    let gateway =
        Http::with_limits(Arc::new(published(&["huawei"])), Arc::new(Token), QUICK).with_base("huawei", closed);
    let case = case(two_servers());
    let tasks = prepare(&gateway, &case);
    let results = gateway.carry_out(&tasks[0]).await;
    assert!(
        matches!(&results[0].1, LineResult::NotSent { says } if says.contains("could not be reached")),
        "{results:?}"
    );
}

#[tokio::test]
async fn a_batch_half_done_is_told_line_by_line() {
    let answer = r#"{"order_ids":["CS1"],"fail_resource_infos":[
        {"resource_id":"vm-2","error_code":"CBC.99003651","error_msg":"in transaction"},
        {"resource_id":"vm-3","error_code":"CBC.99003643","error_msg":"invoiced"}]}"#;
    let mut lines = two_servers();
    lines.push(line(3, "huawei", "vm-3", "ecs", "in_use", "api"));
    let (results, _) = sent("huawei", lines, vec![Reply::json(200, answer)]).await;
    assert_eq!(results[0].1, LineResult::Done { references: vec!["CS1".to_owned()] });
    assert!(
        matches!(&results[1].1, LineResult::NotSent { says } if says.contains("Another transaction")),
        "{results:?}"
    );
    let LineResult::Failed { code, reason, says } = &results[2].1 else { panic!("{results:?}") };
    assert_eq!((code.as_deref(), *reason), (Some("CBC.99003643"), Some(Reason::Invoiced)));
    assert!(says.contains("An invoice was issued"), "{says}");
}

#[tokio::test]
async fn every_error_of_the_providers_own_lists_is_told_by_its_reason() {
    let mut asked = 0;
    for (provider, line) in [
        ("huawei", line(1, "huawei", "vm-1", "ecs", "in_use", "api")),
        ("alibaba", line(1, "alibaba", "i-1", "ecs", "in_use", "api")),
        ("aws", line(1, "aws", "sp-1", "savingsplans", "return", "api")),
        ("tencent", line(1, "tencent", "ins-1", "cvm", "in_use", "api")),
    ] {
        let all = published(&[provider]);
        for error in &all.policy(provider).unwrap().flow.errors {
            let code = error.code.replace('*', "Freezing");
            let (status, body) = match provider {
                "huawei" => (400, json!({"error_code": code, "error_msg": "said"})),
                // The published demo of a failure: success is told by Success and Code, the message says success.
                "alibaba" => {
                    (400, json!({"Message": "success", "Data": {"OrderId": 0}, "Code": code, "Success": false}))
                }
                "aws" => (400, json!({"__type": code, "message": "said"})),
                // Tencent answers errors with status 200.
                _ => (200, json!({"Response": {"Error": {"Code": code, "Message": "said"}, "RequestId": "r"}})),
            };
            let replies = (0..4).map(|_| Reply::json(status, &body.to_string())).collect();
            let (results, requests) = sent(provider, vec![line.clone()], replies).await;
            asked += 1;
            use recoup_core::flow::Verdict;
            match (error.verdict, &results[0].1) {
                (Verdict::Refused | Verdict::Gone, LineResult::Failed { code: Some(found), reason, says }) => {
                    assert_eq!((found, *reason, requests.len()), (&code, error.reason, 1));
                    assert!(says.contains(&error.says), "{says}");
                }
                (Verdict::Retry, LineResult::NotSent { .. }) => assert_eq!(requests.len(), 3),
                (Verdict::InDoubt, LineResult::InDoubt { .. }) => assert_eq!(requests.len(), 1),
                (verdict, other) => panic!("{code}: {verdict}: {other:?}"),
            }
        }
    }
    assert!(asked > 50, "{asked}");
}

#[tokio::test]
async fn a_code_that_no_list_has_is_no_success() {
    let one = || vec![line(1, "alibaba", "i-1", "ecs", "in_use", "api")];
    // Refused by status, though nobody knows why.
    let (results, _) =
        sent("alibaba", one(), vec![Reply::json(400, r#"{"Code":"NoFullRefund","Success":false}"#)]).await;
    assert!(matches!(&results[0].1, LineResult::Failed { reason: None, .. }), "{results:?}");
    // Status 200 and Success false with a string that is in no list: nobody can say.
    let (results, _) =
        sent("alibaba", one(), vec![Reply::json(200, r#"{"Code":"RefundFailed","Success":false}"#)]).await;
    assert!(matches!(&results[0].1, LineResult::InDoubt { .. }), "{results:?}");
    // The published answer of success, with an order; the number is a number there.
    let (results, requests) = sent(
        "alibaba",
        one(),
        vec![Reply::json(
            200,
            r#"{"Message":"success","Data":{"HostId":"cn","OrderId":20413515388},"Code":"200","Success":true}"#,
        )],
    )
    .await;
    assert_eq!(results[0].1, LineResult::Done { references: vec!["20413515388".to_owned()] });
    assert!(requests[0].target.contains("Action=RefundInstance&"), "{}", requests[0].target);
    assert!(requests[0].target.contains("InstanceId=i-1"), "{}", requests[0].target);
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let (results, requests) =
        sent("huawei", two_servers(), vec![Reply::json(307, "").with("Location", "http://127.0.0.1:1/elsewhere")])
            .await;
    assert!(matches!(&results[0].1, LineResult::Failed { says, .. } if says.contains("redirect")), "{results:?}");
    assert_eq!(requests.len(), 1);
}

#[tokio::test]
async fn a_long_order_is_cut_by_the_limit_of_the_call() {
    let lines: Vec<Line> =
        (1..=23).map(|number| line(number, "huawei", &format!("vm-{number}"), "ecs", "in_use", "api")).collect();
    let gateway = DryRun::new(Arc::new(published(&["huawei"])));
    let tasks = prepare(&gateway, &case(lines.clone()));
    assert_eq!(tasks.iter().map(|task| task.lines.len()).collect::<Vec<_>>(), [10, 10, 3]);
    let mut ids: Vec<&String> = tasks.iter().map(|task| &task.id).collect();
    ids.dedup();
    assert_eq!(ids.len(), 3);
    // The same question has the same answer, which is what makes a token a token.
    assert_eq!(prepare(&gateway, &case(lines)), tasks);
    assert!(tasks.iter().all(|task| task.id.len() <= 36));
}

#[tokio::test]
async fn renewals_and_resources_leave_by_calls_of_their_own() {
    let mut lines = two_servers();
    lines.push(line(3, "huawei", "vm-3", "ecs", "renewal_period", "api"));
    let tasks = prepare(&DryRun::new(Arc::new(published(&["huawei"]))), &case(lines));
    let kinds: Vec<(Vec<u32>, i64)> = tasks
        .iter()
        .map(|task| match &task.work {
            Work::Call(call) => (task.lines.clone(), call.body["unsubscribe_type"].as_i64().unwrap()),
            Work::Steps(_) => panic!("{task:?}"),
        })
        .collect();
    assert_eq!(kinds, [(vec![1, 2], 1), (vec![3], 2)]);
}

#[tokio::test]
async fn a_dry_run_sends_nothing_and_shows_everything() {
    let mut lines = two_servers();
    lines.push(line(3, "huawei", "pkg-1", "hws.service.type.obs", "inactive", "console"));
    let gateway = DryRun::new(Arc::new(published(&["huawei"])));
    assert!(!gateway.sends());
    let tasks = prepare(&gateway, &case(lines));
    let mut shown = serde_json::to_string_pretty(&tasks).unwrap();
    for (index, task) in tasks.iter().enumerate() {
        shown = shown.replace(&task.id, &format!("[id {}]", index + 1));
    }
    insta::assert_snapshot!(shown);
    for task in &tasks {
        assert!(gateway.carry_out(task).await.iter().all(|(_, result)| matches!(result, LineResult::NotSent { .. })));
    }
}

#[tokio::test]
async fn what_is_missing_is_told_before_anything_begins() {
    // No host is printed for this provider's API, and nobody named one.
    let gateway = Http::new(Arc::new(published(&["alibaba"])), Arc::new(Token));
    let alibaba = case(vec![line(1, "alibaba", "i-1", "ecs", "in_use", "api")]);
    let lines: Vec<&Line> = alibaba.lines.iter().collect();
    let error = gateway.prepare(&alibaba, &alibaba.orders[0], &lines).unwrap_err();
    assert!(error.to_string().contains("no page prints the host of RefundInstance"), "{error}");
    // No call is published where the exit is taken in the console.
    let console = case(vec![line(7, "alibaba", "i-1", "ecs", "in_use", "console")]);
    let lines: Vec<&Line> = console.lines.iter().collect();
    let error = gateway.prepare(&console, &console.orders[0], &lines).unwrap_err();
    assert!(error.to_string().starts_with("line 7: ") && error.to_string().contains("take the worklist"), "{error}");
    // A value that no record shows.
    let tencent =
        Http::new(Arc::new(published(&["tencent"])), Arc::new(Token)).with_base("tencent", "http://127.0.0.1:1");
    let waf = case(vec![line(1, "tencent", "waf-1", "waf", "in_use", "api")]);
    let lines: Vec<&Line> = waf.lines.iter().collect();
    let error = tencent.prepare(&waf, &waf.orders[0], &lines).unwrap_err();
    assert!(error.to_string().contains("needs \"ProductCode\", which no record shows"), "{error}");
    let given: BTreeMap<String, String> =
        [("ProductCode", "p_waf"), ("SubProductCode", "sp_waf")].map(|(a, b)| (a.to_owned(), b.to_owned())).into();
    let given = published(&["tencent"]).with_given(given);
    assert_eq!(given.calls(&waf, &waf.orders[0], &lines).unwrap().len(), 1);
}

#[tokio::test]
async fn a_worklist_is_written_ticked_off_and_read_back() {
    let folder = tempfile::tempdir().unwrap();
    let gateway = WorklistFolder::new(Arc::new(published(&["alibaba"])), folder.path().join("lists"));
    let case = case((1..=3).map(|n| line(n, "alibaba", &format!("i-{n}"), "ecs", "in_use", "console")).collect());
    let tasks = prepare(&gateway, &case);
    assert_eq!(tasks.len(), 1);
    let results = gateway.carry_out(&tasks[0]).await;
    let path = gateway.path(&tasks[0]);
    assert!(results.iter().all(|(_, result)| *result == LineResult::Handed { says: path.display().to_string() }));
    let page = std::fs::read_to_string(&path).unwrap();
    insta::assert_snapshot!(page.replace(&tasks[0].id, "[id]"));
    assert_eq!(worklist_id(&page), Some(tasks[0].id.as_str()));
    assert_eq!(ticks(&page).unwrap(), []);
    let ticked = page
        .replace("- [ ] line 1 (", "- [x] line 1 (")
        .replace("80.00 USD):\n- [ ] line 2", "80.00 USD): 2041, 2042\n- [-] line 2")
        .replacen("80.00 USD):\n- [ ] line 3", "80.00 USD): the amount: zero\n- [ ] line 3", 1);
    std::fs::write(&path, &ticked).unwrap();
    // Handed out again, the list is not written over.
    gateway.carry_out(&tasks[0]).await;
    let read = ticks(&std::fs::read_to_string(&path).unwrap()).unwrap();
    assert_eq!(read.len(), 2);
    assert_eq!(read[0].result, LineResult::Done { references: vec!["2041".to_owned(), "2042".to_owned()] });
    assert_eq!(read[1].result, LineResult::Failed { code: None, reason: None, says: "the amount: zero".to_owned() });
    for (text, what) in [
        ("- [x line 1", "a bracket that closes"),
        ("- [x] row 1", "expected \"line\""),
        ("- [x] line one", "the number of the line"),
        ("- [?] line 1 (a):", "expected x, -"),
        ("- [x] line 1 (a):\n- [x] line 1 (a):", "is there twice"),
    ] {
        let error = ticks(text).unwrap_err().to_string();
        assert!(error.contains(what), "{text}: {error}");
    }
}

#[test]
fn what_goes_together_is_what_the_pages_say() {
    let all = published(&["huawei", "alibaba", "tencent", "aws"]);
    let at = Instant::from_micros(0);
    let terms = |line: Line| all.batch(&line, at);
    let api = terms(line(1, "huawei", "vm-1", "ecs", "in_use", "api"));
    assert_eq!((api.at_most, api.whole, api.alone), (Some(10), false, None));
    assert_ne!(api.group, terms(line(1, "huawei", "vm-1", "ecs", "renewal_period", "api")).group);
    let cvm = terms(line(1, "tencent", "ins-1", "cvm", "in_use", "api"));
    assert_eq!((cvm.at_most, cvm.whole), (Some(100), true));
    let plan = terms(line(1, "aws", "sp-1", "savingsplans", "return", "api"));
    assert_eq!(plan.alone.unwrap().says, "One savings plan is returned or deleted at a time");
    let ecs = terms(line(1, "alibaba", "i-1", "ecs", "in_use", "console"));
    assert_eq!((ecs.at_most, ecs.alone), (Some(50), None));
    let full = terms(line(1, "alibaba", "i-1", "ecs", "full_refund", "console"));
    assert_eq!(full.alone.unwrap().clause, "ali.ecs.batch");
    let place = |provider: &str| Place { provider: provider.to_owned(), site: "intl".to_owned(), account: None };
    let reasons: Vec<String> = all.reasons(&place("huawei"), at).into_iter().map(|reason| reason.id).collect();
    assert_eq!(reasons, ["1", "2", "3", "4", "5"]);
    assert_eq!(all.longest_text(&place("huawei"), at), Some(512));
    assert!(all.reasons(&place("alibaba"), at).is_empty());
    let mut one_off = line(1, "huawei", "x", "ecs", "in_use", "console");
    one_off.billing = recoup_core::vocab::Billing::OneOff;
    assert_eq!(all.hidden(&one_off, at).unwrap().clause, "hw.hidden.one-off");
    assert_eq!(all.hidden(&line(1, "huawei", "x", "ecs", "in_use", "console"), at), None);
}
