//! The flows step by step, on both stores.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod common;

use std::collections::BTreeMap;

use common::*;
use recoup_cases::flow::{Confirmation, Execution, FlowError, Quoting};
use recoup_cases::gateway::LineResult;
use recoup_cases::model::{CaseId, CaseState, LeavingReason, LineState, Received};
use recoup_cases::procedure::ReasonOption;
use recoup_cases::store::StoreError;
use recoup_core::time::Span;
use recoup_core::vocab::{Effect, Instrument};
use serde_json::json;

fn receipt(line: u32, amount: &str, instrument: Instrument, reference: &str) -> Received {
    Received {
        id: String::new(),
        line: Some(line),
        instrument: Some(instrument),
        currency: "USD".parse().unwrap(),
        amount: amount.parse().unwrap(),
        to: None,
        at: None,
        reference: Some(reference.to_owned()),
        resource: None,
        order: None,
        source: "by hand".to_owned(),
    }
}

#[tokio::test]
async fn a_case_from_quote_to_the_last_cent() {
    on_each(|store| async move {
        let flows = flows(&store);
        let id = quoted(&flows, vec![line("vm-1"), line("vm-2")]).await;
        assert_eq!(id.0, "C1");
        let did = flows.confirm(&act(1), &id, &yes()).await.unwrap();
        assert_eq!(did.state, CaseState::Approved);
        assert_eq!(did.lines.iter().map(|line| line.order.as_deref().unwrap()).collect::<Vec<_>>(), ["C1-1", "C1-1"]);
        let provider = Provider::default();
        let did = flows.execute(&act(2), &id, &Execution::default(), &provider).await.unwrap();
        assert_eq!(did.state, CaseState::Settling);
        assert_eq!(*provider.did.lock().unwrap(), ["vm-1", "vm-2"]);
        let due = flows.due(hour(3), None).await.unwrap();
        assert_eq!(due.len(), 4);
        // Monday noon: three business days later is Thursday, to its end on the site's clock.
        assert!(due.iter().all(|due| !due.overdue && due.clauses == ["acme.refund"]));
        assert_eq!(
            flows.due(instant("2026-03-05T16:00:00Z"), None).await.unwrap().iter().filter(|due| due.overdue).count(),
            4
        );
        assert_eq!(
            flows.due(instant("2026-03-05T15:59:59Z"), None).await.unwrap().iter().filter(|due| due.overdue).count(),
            0
        );
        // Partly, then late, then the rest.
        let some = vec![receipt(1, "80.00", Instrument::Cash, "r-1"), receipt(2, "79.99", Instrument::Cash, "r-2")];
        assert_eq!(flows.receive(&act(24), &id, some).await.unwrap().state, CaseState::Settling);
        let rest = vec![
            receipt(2, "0.01", Instrument::Cash, "r-3"),
            receipt(1, "20.00", Instrument::CashCoupon, "r-4"),
            receipt(2, "20.00", Instrument::CashCoupon, "r-5"),
            receipt(1, "80.00", Instrument::Cash, "r-1"),
        ];
        let did = flows.receive(&act(25), &id, rest).await.unwrap();
        assert_eq!(did.state, CaseState::Settled);
        assert!(did.notes.iter().any(|note| note.contains("booked before") && note.contains("r-1")), "{:?}", did.notes);
        assert!(flows.due(hour(400), None).await.unwrap().is_empty());
        holds(&flows).await;
    })
    .await;
}

#[tokio::test]
async fn what_cannot_be_undone_is_acknowledged_one_by_one() {
    on_each(|store| async move {
        let flows = flows(&store);
        let other = line_with("vm-2", &[("/ruling/effects", json!(["access_lost"]))]);
        let id = quoted(&flows, vec![line("vm-1"), other]).await;
        let some = Confirmation { acknowledged: [Effect::Irreversible].into(), ..yes() };
        let error = flows.confirm(&act(1), &id, &some).await.unwrap_err();
        assert_eq!(
            error.to_string(),
            "what cannot be undone is confirmed explicitly; not acknowledged: data_deleted (line 1); access_lost (line 2)"
        );
        assert_eq!(states(&flows, &id).await, ["quoted", "quoted"]);
    })
    .await;
}

#[tokio::test]
async fn a_condition_is_vouched_for_or_not_confirmed() {
    on_each(|store| async move {
        let flows = flows(&store);
        let unknown =
            json!([{"clause": "acme.promotion", "reason": "promotion", "fact": "promotion", "assumed": false}]);
        let line = line_with("vm-1", &[("/ruling/outcome", json!("conditional")), ("/ruling/unknowns", unknown)]);
        let id = quoted(&flows, vec![line]).await;
        let error = flows.confirm(&act(1), &id, &yes()).await.unwrap_err();
        assert_eq!(error, FlowError::NotChecked(vec!["promotion".to_owned()]));
        let checked = Confirmation { checked: ["promotion".to_owned()].into(), ..yes() };
        assert_eq!(flows.confirm(&act(1), &id, &checked).await.unwrap().state, CaseState::Approved);
    })
    .await;
}

#[tokio::test]
async fn the_reason_is_one_of_the_providers_list() {
    on_each(|store| async move {
        let reasons = vec![
            ReasonOption { id: "1".into(), says: "Hard to use".into(), needs_text: false },
            ReasonOption { id: "5".into(), says: "Other".into(), needs_text: true },
        ];
        let flows = flows_with(&store, Rules { reasons, ..Rules::default() });
        let id = quoted(&flows, vec![line("vm-1")]).await;
        let with = |option: Option<&str>, text: Option<&str>| Confirmation {
            reason: LeavingReason { option: option.map(str::to_owned), text: text.map(str::to_owned) },
            ..yes()
        };
        for (said, expected) in [
            (with(None, Some("because")), "acme/global/a-1 asks for a reason of its own list; the provider's list: 1 (Hard to use), 5 (Other)"),
            (with(Some("9"), None), "acme/global/a-1 has no reason \"9\" in its list; the provider's list: 1 (Hard to use), 5 (Other)"),
            (with(Some("5"), Some("  ")), "the reason \"5\" needs words of one's own beside it; the provider's list: 1 (Hard to use), 5 (Other)"),
            (with(Some("5"), Some("more than twenty characters")), "acme/global/a-1 takes at most 20 characters of words of one's own; the provider's list: 1 (Hard to use), 5 (Other)"),
        ] {
            assert_eq!(flows.confirm(&act(1), &id, &said).await.unwrap_err().to_string(), expected);
        }
        flows.confirm(&act(1), &id, &with(Some("5"), Some("moved away"))).await.unwrap();
        assert_eq!(flows.case(&id).await.unwrap().reason.text.as_deref(), Some("moved away"));
    })
    .await;
}

#[tokio::test]
async fn a_batch_is_split_where_the_provider_limits_it() {
    on_each(|store| async move {
        let flows = flows_with(&store, Rules { at_most: Some(2), ..Rules::default() });
        let mut lines: Vec<_> = (1..=5).map(|n| line(&format!("vm-{n}"))).collect();
        lines.push(line_with("disk-1", &[("/product", json!("disk"))]));
        let id = quoted(&flows, lines).await;
        flows.confirm(&act(1), &id, &yes()).await.unwrap();
        let case = flows.case(&id).await.unwrap();
        let orders: Vec<(&str, &[u32])> =
            case.orders.iter().map(|order| (order.id.as_str(), order.lines.as_slice())).collect();
        assert_eq!(orders, [("C1-1", &[1, 2][..]), ("C1-2", &[3, 4]), ("C1-3", &[5]), ("C1-4", &[6])]);
        holds(&flows).await;
    })
    .await;
}

#[tokio::test]
async fn what_leaves_one_at_a_time_is_refused_in_a_batch_and_sinks_nothing() {
    on_each(|store| async move {
        let flows = flows_with(&store, Rules { alone: ["host".to_owned()].into(), ..Rules::default() });
        let host = |id: &str| line_with(id, &[("/product", json!("host"))]);
        let id = quoted(&flows, vec![line("vm-1"), host("host-1")]).await;
        let did = flows.confirm(&act(1), &id, &yes()).await.unwrap();
        assert_eq!(did.lines[0].state, LineState::Approved);
        assert_eq!(did.lines[1].state, LineState::Refused);
        assert_eq!(did.lines[1].refused[0].clause, "acme.alone");
        let alone = flows.quote(&act(1), draft(vec![host("host-1")]), &Quoting::default()).await.unwrap().case;
        assert_eq!(flows.confirm(&act(1), &alone, &yes()).await.unwrap().lines[0].state, LineState::Approved);
    })
    .await;
}

#[tokio::test]
async fn bound_resources_leave_with_their_primary_and_count_once() {
    on_each(|store| async move {
        let flows = flows_with(&store, Rules { at_most: Some(1), ..Rules::default() });
        let quota = quota("returns", 1, 0);
        let follower = line_with("disk-1", &[("/follows", json!(1)), quota.clone()]);
        let id = quoted(&flows, vec![line_with("vm-1", &[quota]), follower]).await;
        let did = flows.confirm(&act(1), &id, &yes()).await.unwrap();
        assert_eq!(did.lines.iter().map(|line| line.order.as_deref()).collect::<Vec<_>>(), [Some("C1-1"); 2]);
        assert_eq!(flows.drawn().await.unwrap().values().map(Vec::len).sum::<usize>(), 1);
        let provider = Provider::default();
        flows.execute(&act(2), &id, &Execution::default(), &provider).await.unwrap();
        // The provider is told of the primary alone.
        assert_eq!(*provider.did.lock().unwrap(), ["vm-1"]);
        assert_eq!(states(&flows, &id).await, ["executed", "executed"]);
        assert_eq!(flows.due(hour(3), None).await.unwrap().len(), 4);
        holds(&flows).await;
    })
    .await;
}

#[tokio::test]
async fn a_bundle_leaves_whole_or_not_at_all() {
    on_each(|store| async move {
        let flows = flows(&store);
        let part = |id: &str| line_with(id, &[("/bundle", json!("b-1"))]);
        let first = quoted(&flows, vec![part("vm-2")]).await;
        flows.confirm(&act(1), &first, &yes()).await.unwrap();
        let id = quoted(&flows, vec![part("vm-1"), part("vm-2"), line("vm-3")]).await;
        let did = flows.confirm(&act(1), &id, &yes()).await.unwrap();
        assert_eq!(states(&flows, &id).await, ["refused", "refused", "approved"]);
        assert_eq!(did.lines[0].refused[0].clause, "recoup.together");
        assert_eq!(did.lines[1].refused[0].clause, "recoup.asked-for");
        // One of a bundle cannot be taken back by itself.
        flows.withdraw(&act(2), &first, None).await.unwrap();
        let again = quoted(&flows, vec![part("vm-1"), part("vm-2")]).await;
        flows.confirm(&act(2), &again, &yes()).await.unwrap();
        flows.withdraw(&act(3), &again, Some(&[1])).await.unwrap();
        assert_eq!(states(&flows, &again).await, ["withdrawn", "withdrawn"]);
        holds(&flows).await;
    })
    .await;
}

#[tokio::test]
async fn quotas_are_drawn_in_order_and_the_line_that_exceeds_is_refused() {
    on_each(|store| async move {
        let flows = flows(&store);
        let with = |id: &str| line_with(id, &[quota("five_day_returns", 10, 8)]);
        let id = quoted(&flows, vec![with("a"), with("b"), with("c"), line("d")]).await;
        let did = flows.confirm(&act(1), &id, &yes()).await.unwrap();
        assert_eq!(states(&flows, &id).await, ["approved", "approved", "refused", "approved"]);
        assert_eq!(
            did.lines[2].refused[0].says,
            "10 of 10 of five_day_returns are used (calendar_year); this draws 1. Another exit may be open: quote again."
        );
        // What is taken back gives its draw back; next year the window is new.
        flows.withdraw(&act(2), &id, Some(&[1])).await.unwrap();
        let second = flows.quote(&act(3), draft(vec![with("c"), with("e")]), &Quoting::default()).await.unwrap().case;
        flows.confirm(&act(3), &second, &yes()).await.unwrap();
        assert_eq!(states(&flows, &second).await, ["approved", "refused"]);
        let next_year = 24 * 320;
        let third = line_with("e", &[quota("five_day_returns", 10, 0)]);
        let third = flows.quote(&act(next_year), draft(vec![third]), &Quoting::default()).await.unwrap().case;
        assert_eq!(flows.confirm(&act(next_year), &third, &yes()).await.unwrap().lines[0].state, LineState::Approved);
        holds(&flows).await;
    })
    .await;
}

#[tokio::test]
async fn draws_that_the_accounts_file_counts_already_are_not_counted_twice() {
    on_each(|store| async move {
        let flows = flows(&store);
        let first = quoted(&flows, vec![line_with("a", &[quota("q", 2, 0)])]).await;
        flows.confirm(&act(1), &first, &yes()).await.unwrap();
        let stale = line_with("b", &[quota("q", 2, 1)]);
        let fresh = line_with("b", &[quota("q", 2, 1), ("/quotas_as_of", json!("2026-03-02T20:00:00Z"))]);
        let stale = flows.quote(&act(10), draft(vec![stale]), &Quoting::default()).await.unwrap().case;
        assert_eq!(flows.confirm(&act(10), &stale, &yes()).await.unwrap().lines[0].state, LineState::Refused);
        let fresh = flows.quote(&act(10), draft(vec![fresh]), &Quoting::default()).await.unwrap().case;
        assert_eq!(flows.confirm(&act(10), &fresh, &yes()).await.unwrap().lines[0].state, LineState::Approved);
    })
    .await;
}

#[tokio::test]
async fn a_review_is_approved_by_itself_when_the_providers_time_has_passed() {
    on_each(|store| async move {
        let flows = flows(&store);
        let lines = vec![line_with("a", &[reviewed(Some(24))]), line_with("b", &[reviewed(None)]), line("c")];
        let id = quoted(&flows, lines).await;
        assert_eq!(flows.confirm(&act(1), &id, &yes()).await.unwrap().state, CaseState::InReview);
        assert_eq!(states(&flows, &id).await, ["in_review", "in_review", "approved"]);
        assert_eq!(flows.tick(&act(24)).await.unwrap().approved, 0);
        assert_eq!(flows.tick(&act(25)).await.unwrap().approved, 1);
        assert_eq!(states(&flows, &id).await, ["approved", "in_review", "approved"]);
        // Nobody approves for the reviewer who has no time limit.
        assert_eq!(flows.tick(&act(2_500)).await.unwrap().approved, 0);
        flows.review(&act(2_500), &id, Some(&[2]), false).await.unwrap();
        assert_eq!(states(&flows, &id).await, ["approved", "rejected", "approved"]);
        let error = flows.review(&act(2_500), &id, Some(&[1]), true).await.unwrap_err();
        assert!(matches!(error, FlowError::State { line: 1, .. }), "{error}");
        holds(&flows).await;
    })
    .await;
}

#[tokio::test]
async fn a_quote_lapses_when_its_ruling_ends_or_its_time_comes() {
    on_each(|store| async move {
        let flows = flows(&store);
        let until =
            |hours: i64| ("/ruling/until", json!(hour(hours).display(recoup_core::time::Zone::UTC).to_string()));
        let soon = quoted(&flows, vec![line_with("a", &[until(3)]), line("b")]).await;
        let later = quoted(&flows, vec![line_with("c", &[until(300)])]).await;
        assert_eq!(flows.case(&soon).await.unwrap().expires_at, hour(3));
        assert_eq!(flows.case(&later).await.unwrap().expires_at, hour(24));
        let error = flows.confirm(&act(3), &soon, &yes()).await.unwrap_err();
        assert_eq!(error.to_string(), "the quote C1 lapsed at 2026-03-02T23:00:00+08:00; quote again");
        assert_eq!(states(&flows, &soon).await, ["expired", "expired"]);
        assert_eq!(flows.case(&soon).await.unwrap().state(), CaseState::Expired);
        assert_eq!(flows.tick(&act(24)).await.unwrap().lapsed, 1);
        let short = Quoting { valid_for: Span::hours(2), ..Quoting::default() };
        let short = flows.quote(&act(30), draft(vec![line("d")]), &short).await.unwrap().case;
        assert_eq!(flows.case(&short).await.unwrap().expires_at, hour(32));
        holds(&flows).await;
    })
    .await;
}

#[tokio::test]
async fn what_a_ruling_allowed_only_until_then_is_not_carried_out_after_it() {
    on_each(|store| async move {
        let flows = flows(&store);
        let until = ("/ruling/until", json!("2026-03-02T15:00:00Z"));
        let id = quoted(&flows, vec![line_with("a", &[until])]).await;
        flows.confirm(&act(1), &id, &yes()).await.unwrap();
        let provider = Provider::default();
        let error = flows.execute(&act(4), &id, &Execution::default(), &provider).await.unwrap_err();
        assert!(error.to_string().contains("held only until 2026-03-02T23:00:00+08:00"), "{error}");
        assert!(provider.did.lock().unwrap().is_empty());
        let anyway = Execution { past_until: true, ..Execution::default() };
        assert_eq!(flows.execute(&act(4), &id, &anyway, &provider).await.unwrap().state, CaseState::Settling);
    })
    .await;
}

#[tokio::test]
async fn a_line_that_fails_does_not_sink_the_others_and_one_in_doubt_is_never_tried_again() {
    on_each(|store| async move {
        let flows = flows(&store);
        let id = quoted(&flows, ["a", "b", "c", "d"].map(line).to_vec()).await;
        flows.confirm(&act(1), &id, &yes()).await.unwrap();
        let says = |text: &str| text.to_owned();
        let failed = LineResult::Failed { code: Some(says("ACME.1")), reason: None, says: says("no") };
        let provider = Provider {
            answers: BTreeMap::from([
                (says("a"), failed),
                (says("b"), LineResult::InDoubt { says: says("no answer in 30 s") }),
                (says("c"), LineResult::NotSent { says: says("throttled") }),
            ]),
            ..Provider::default()
        };
        flows.execute(&act(2), &id, &Execution::default(), &provider).await.unwrap();
        assert_eq!(states(&flows, &id).await, ["failed", "in_doubt", "approved", "executed"]);
        let now_fine = Provider::default();
        flows.execute(&act(3), &id, &Execution::default(), &now_fine).await.unwrap();
        assert_eq!(*now_fine.did.lock().unwrap(), ["c"]);
        let error =
            flows.execute(&act(4), &id, &Execution { lines: Some(vec![2]), past_until: false }, &now_fine).await;
        assert!(error.unwrap_err().to_string().contains("it may have happened"));
        let done = LineResult::Done { references: vec![says("found-1")] };
        flows.tick_off(&act(5), &id, &[2], &done).await.unwrap();
        let case = flows.case(&id).await.unwrap();
        assert_eq!(
            (case.lines[1].state, case.lines[1].references.as_slice()),
            (LineState::Executed, &[says("found-1")][..])
        );
        // What failed gives its resource free; what left does not.
        let again = flows.quote(&act(6), draft(vec![line("a"), line("b")]), &Quoting::default()).await.unwrap().case;
        let did = flows.confirm(&act(6), &again, &yes()).await.unwrap();
        assert_eq!(did.lines[0].state, LineState::Approved);
        assert_eq!(did.lines[1].refused[0].says, "It was unsubscribed before.");
        holds(&flows).await;
    })
    .await;
}

#[tokio::test]
async fn an_order_that_goes_only_whole_sinks_with_one_line() {
    on_each(|store| async move {
        let flows = flows_with(&store, Rules { whole: true, ..Rules::default() });
        let id = quoted(&flows, ["a", "b", "c"].map(line).to_vec()).await;
        flows.confirm(&act(1), &id, &yes()).await.unwrap();
        let failed = LineResult::Failed { code: None, reason: None, says: "no".to_owned() };
        let provider = Provider { answers: BTreeMap::from([("a".to_owned(), failed)]), ..Provider::default() };
        flows.execute(&act(2), &id, &Execution::default(), &provider).await.unwrap();
        assert_eq!(*provider.did.lock().unwrap(), ["a"]);
        assert_eq!(states(&flows, &id).await, ["failed"; 3]);
        // And at the confirmation: one that is taken takes the others with it.
        let other = quoted(&flows, vec![line("d")]).await;
        flows.confirm(&act(3), &other, &yes()).await.unwrap();
        let id = flows.quote(&act(3), draft(["d", "e"].map(line).to_vec()), &Quoting::default()).await.unwrap().case;
        let error = flows.confirm(&act(3), &id, &yes()).await.unwrap();
        assert!(error.lines.iter().all(|line| line.state == LineState::Refused));
        holds(&flows).await;
    })
    .await;
}

#[tokio::test]
async fn after_success_nothing_is_taken_back_and_before_it_everything_is() {
    on_each(|store| async move {
        let flows = flows(&store);
        let id = quoted(&flows, ["a", "b"].map(line).to_vec()).await;
        flows.confirm(&act(1), &id, &yes()).await.unwrap();
        let first = Execution { lines: Some(vec![1]), past_until: false };
        flows.execute(&act(2), &id, &first, &Provider::default()).await.unwrap();
        let error = flows.withdraw(&act(3), &id, Some(&[1])).await.unwrap_err();
        assert_eq!(error.to_string(), "line 1 of C1 is executed: after success an unsubscription cannot be taken back");
        flows.withdraw(&act(3), &id, None).await.unwrap();
        assert_eq!(states(&flows, &id).await, ["executed", "withdrawn"]);
        let error = flows.withdraw(&act(3), &id, None).await.unwrap_err();
        assert!(error.to_string().ends_with("after success an unsubscription cannot be taken back"), "{error}");
        holds(&flows).await;
    })
    .await;
}

#[tokio::test]
async fn the_same_request_with_the_same_key_is_done_once() {
    on_each(|store| async move {
        let flows = flows(&store);
        let quote = |key: &'static str| {
            let flows = flows.clone();
            async move { flows.quote(&keyed(0, key), draft(vec![line("a")]), &Quoting::default()).await }
        };
        let first = quote("k-1").await.unwrap();
        assert_eq!(quote("k-1").await.unwrap(), first);
        assert_eq!(quote("k-2").await.unwrap().case.0, "C2");
        let said = flows.confirm(&keyed(1, "k-3"), &first.case, &yes()).await.unwrap();
        assert_eq!(flows.confirm(&keyed(5, "k-3"), &first.case, &yes()).await.unwrap(), said);
        let other = Confirmation { reason: LeavingReason { option: None, text: Some("other".into()) }, ..yes() };
        let error = flows.confirm(&keyed(5, "k-3"), &first.case, &other).await.unwrap_err();
        assert_eq!(error, FlowError::KeyUsed { key: "k-3".into() });
        let provider = Provider::default();
        flows.execute(&keyed(6, "k-4"), &first.case, &Execution::default(), &provider).await.unwrap();
        flows.execute(&keyed(7, "k-4"), &first.case, &Execution::default(), &provider).await.unwrap();
        assert_eq!(provider.did.lock().unwrap().len(), 1);
        // Answers are part of the journal too.
        flows.rebuild().await.unwrap();
        assert_eq!(flows.confirm(&keyed(9, "k-3"), &first.case, &yes()).await.unwrap(), said);
        holds(&flows).await;
    })
    .await;
}

#[tokio::test]
async fn a_receipt_that_was_wrong_is_struck_and_stays_in_the_journal() {
    on_each(|store| async move {
        let flows = flows(&store);
        let id = quoted(&flows, vec![line("a")]).await;
        flows.confirm(&act(1), &id, &yes()).await.unwrap();
        flows.execute(&act(2), &id, &Execution::default(), &Provider::default()).await.unwrap();
        let both = vec![receipt(1, "80.00", Instrument::Cash, "x"), receipt(1, "20.00", Instrument::CashCoupon, "y")];
        assert_eq!(flows.receive(&act(3), &id, both).await.unwrap().state, CaseState::Settled);
        let wrong = flows.case(&id).await.unwrap().received[0].id.clone();
        assert_eq!(flows.strike(&act(4), &id, &wrong).await.unwrap().state, CaseState::Settling);
        // Its reference may be booked again, rightly.
        let right = vec![receipt(1, "80.00", Instrument::Cash, "x")];
        assert_eq!(flows.receive(&act(5), &id, right).await.unwrap().state, CaseState::Settled);
        let entries = store.entries(1, 100, Some(&id)).await.unwrap();
        let words: Vec<_> = entries.iter().map(|entry| entry.event().unwrap().word()).collect();
        assert_eq!(words, ["quoted", "confirmed", "begun", "ended", "received", "struck", "received"]);
        holds(&flows).await;
    })
    .await;
}

#[tokio::test]
async fn a_renewal_given_back_is_not_given_back_again_but_a_later_one_is() {
    on_each(|store| async move {
        let flows = flows(&store);
        let renewal = |orders: &[&str], note: &str| {
            line_with(
                "vm-1",
                &[("/ruling/exit", json!("renewal_period")), ("/orders", json!(orders)), ("/snapshot", json!(note))],
            )
        };
        let go = |line| {
            let flows = flows.clone();
            async move {
                let id = quoted(&flows, vec![line]).await;
                let did = flows.confirm(&act(1), &id, &yes()).await.unwrap();
                if did.lines[0].state == LineState::Approved {
                    flows.execute(&act(1), &id, &Execution::default(), &Provider::default()).await.unwrap();
                }
                did.lines[0].state
            }
        };
        assert_eq!(go(renewal(&["o-1", "o-2"], "first")).await, LineState::Approved);
        assert_eq!(go(renewal(&["o-1", "o-2"], "read again")).await, LineState::Refused);
        assert_eq!(go(renewal(&["o-1", "o-2", "o-3"], "renewed again")).await, LineState::Approved);
        // The resource itself can still go, once.
        assert_eq!(go(line("vm-1")).await, LineState::Approved);
        assert_eq!(go(renewal(&["o-4"], "after the end")).await, LineState::Refused);
        holds(&flows).await;
    })
    .await;
}

#[tokio::test]
async fn a_clock_that_goes_back_is_an_error_and_one_a_little_behind_is_not() {
    on_each(|store| async move {
        let flows = flows(&store);
        let id = flows.quote(&act(10), draft(vec![line("a")]), &Quoting::default()).await.unwrap().case;
        let error = flows.confirm(&act(9), &id, &yes()).await.unwrap_err();
        assert_eq!(error, FlowError::Store(StoreError::ClockWentBack { now: hour(9), newest: hour(10) }));
        assert_eq!(states(&flows, &id).await, ["quoted"]);
        let mut behind = act(10);
        behind.at = behind.at - Span::seconds(60);
        flows.confirm(&behind, &id, &yes()).await.unwrap();
        holds(&flows).await;
    })
    .await;
}

#[tokio::test]
async fn what_is_asked_of_a_case_that_is_not_there_is_said() {
    on_each(|store| async move {
        let flows = flows(&store);
        let no = CaseId("C9".to_owned());
        assert_eq!(flows.confirm(&act(0), &no, &yes()).await.unwrap_err(), FlowError::NoCase(no.clone()));
        let id = quoted(&flows, vec![line("a")]).await;
        let error = flows.withdraw(&act(0), &id, Some(&[7])).await.unwrap_err();
        assert_eq!(error.to_string(), "C1 has no line 7; it has 1");
        let nobody = recoup_cases::journal::Act { actor: " ".into(), ..act(0) };
        assert!(flows.tick(&nobody).await.is_ok());
        assert!(flows.withdraw(&nobody, &id, None).await.unwrap_err().to_string().contains("--actor"));
    })
    .await;
}

#[tokio::test]
async fn steps_with_notes_for_each_line_could_be_written_and_not_read_again() {
    use recoup_cases::gateway::{Steps, Task, Work};
    use recoup_cases::journal::{Entry, Event, Head};
    let steps = Steps { about: BTreeMap::from([(1, "vm-1".to_owned())]), ..Steps::default() };
    let task = Task { id: "t".to_owned(), lines: vec![1], work: Work::Steps(steps) };
    let event = Event::Begun { gateway: "worklist".to_owned(), task, lines: vec![1] };
    let entry = Entry::after(&Head::default(), &act(0), None, &event).unwrap();
    assert_eq!(entry.event().unwrap(), event);
}
