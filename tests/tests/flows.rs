//! One and the same flow against every adapter: every case of every provider, from the quote to the last
//! cent, by the provider's own rulings and procedure.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use recoup_cases::flow::{Confirmation, Draft, Execution, FlowError, Flows, Quoting, draft};
use recoup_cases::gateway::dry_run::DryRun;
use recoup_cases::gateway::worklist::WorklistFolder;
use recoup_cases::gateway::{LineResult, Work};
use recoup_cases::journal::Act;
use recoup_cases::model::{Case, CaseId, CaseState, LeavingReason, LineState, Received};
use recoup_cases::published::Published;
use recoup_cases::reconcile::predicted::{from_case, receipts_of};
use recoup_cases::reconcile::reconcile;
use recoup_cases::store::{Store, open};
use recoup_conformance as _;
use recoup_core::context::Run;
use recoup_core::money::Amount;
use recoup_core::record::ResourceRecord;
use recoup_core::time::Instant;
use recoup_core::vocab::{Effect, Outcome};
use recoup_engine::{Assessor, Engine};
use recoup_plugin::Adapter;
use recoup_plugin::host::PluginDir;
use recoup_tests::{cases, dist, linked, quick_folder};
use serde_json::Value;

/// Something that a provider's cases ask about.
struct Asked {
    id: String,
    at: Instant,
    run: Run,
    record: ResourceRecord,
}

/// The cases of a provider in the order of their instants, each with a resource and an account of its own.
fn asked(adapter: &Arc<dyn Adapter>) -> Vec<Asked> {
    let zone_of = |_: &str, site: Option<&str>| adapter.zone_of(site);
    let mut all = Vec::new();
    for (index, mut case) in cases(adapter.provider()).into_iter().enumerate() {
        let own = format!("account-{index}");
        if case.json.get("account").is_some_and(Value::is_object) {
            case.json["account"]["account"] = own.clone().into();
        }
        let Ok(run) = case.run(&zone_of) else { continue };
        let Ok(read) = ResourceRecord::from_json(case.resource(), &zone_of) else { continue };
        let mut record = read.record;
        record.account = Some(own);
        record.id = format!("{}-{index}", record.id);
        all.push(Asked { id: case.id.clone(), at: run.at.unwrap(), run, record });
    }
    all.sort_by_key(|asked| asked.at);
    all
}

fn act(at: Instant) -> Act {
    Act { at, actor: "tess".to_owned(), because: "the same flow for all".to_owned(), key: None }
}

fn quote(engine: &Engine, asked: &Asked) -> Draft {
    let assessor = Assessor::new(engine, asked.run.clone());
    let mut judge = |records: Vec<ResourceRecord>| {
        assessor.assess(records).into_iter().map(|answer| answer.map_err(|error| error.to_string())).collect()
    };
    draft(std::slice::from_ref(&asked.record), &BTreeSet::from([0]), None, &Quoting::default(), &mut judge)
}

/// What somebody says who has looked at everything.
fn said(flows: &Flows, case: &Case, at: Instant) -> Confirmation {
    let options = flows.procedures().reasons(&case.lines[0].place, at);
    let checked = case.lines.iter().flat_map(|line| &line.ruling.unknowns);
    Confirmation {
        reason: LeavingReason {
            option: options.last().map(|option| option.id.clone()),
            text: Some("not needed any more".to_owned()),
        },
        acknowledged: Effect::ALL.iter().copied().collect(),
        checked: checked.map(|unknown| unknown.fact.clone().unwrap_or_else(|| unknown.reason.to_string())).collect(),
        ..Confirmation::default()
    }
}

/// Takes a case from its quote to where it ends. Says where.
async fn whole_flow(
    flows: &Flows,
    published: &Arc<Published>,
    engine: &Engine,
    asked: &Asked,
    lists: &std::path::Path,
) -> CaseState {
    let drafted = quote(engine, asked);
    assert!(drafted.problems.is_empty(), "{}: {:?}", asked.id, drafted.problems);
    let now = act(asked.at);
    let id: CaseId = flows.quote(&now, drafted, &Quoting::default()).await.unwrap().case;
    let case = flows.case(&id).await.unwrap();
    let ruling = &case.lines[0].ruling;
    let said = said(flows, &case, asked.at);
    if ruling.outcome == Outcome::Refused {
        // Every reason, not the first; and nothing to confirm.
        assert_eq!(case.lines[0].refused, ruling.refusals, "{}", asked.id);
        assert!(matches!(flows.confirm(&now, &id, &said).await, Err(FlowError::Nothing(_))), "{}", asked.id);
        return flows.case(&id).await.unwrap().state();
    }
    if !ruling.effects.is_empty() {
        let silent = Confirmation { acknowledged: BTreeSet::new(), ..said.clone() };
        assert!(matches!(flows.confirm(&now, &id, &silent).await, Err(FlowError::NotAcknowledged(_))), "{}", asked.id);
    }
    let unknown = !ruling.unknowns.is_empty();
    assert_eq!(unknown, ruling.outcome == Outcome::Conditional, "{}", asked.id);
    if unknown {
        let silent = Confirmation { checked: BTreeSet::new(), ..said.clone() };
        assert!(matches!(flows.confirm(&now, &id, &silent).await, Err(FlowError::NotChecked(_))), "{}", asked.id);
    }
    let did = flows.confirm(&now, &id, &said).await.unwrap_or_else(|error| panic!("{}: {error}", asked.id));
    if did.lines[0].state == LineState::Refused {
        // A quota that an earlier condition took for free.
        assert_eq!(did.lines[0].refused[0].clause, "recoup.quota", "{}", asked.id);
        return did.state;
    }
    if ruling.review.is_some() {
        assert_eq!(did.state, CaseState::InReview, "{}", asked.id);
        flows.review(&now, &id, None, true).await.unwrap();
    }
    let all = Execution::default();
    let plan = flows.plan(asked.at, &id, &all, &DryRun::new(Arc::clone(published))).await;
    match plan {
        Ok(plan) => assert_eq!(plan.tasks.iter().flat_map(|task| &task.lines).count(), 1, "{}", asked.id),
        // A call needs what no record of the case shows; the error says what.
        Err(FlowError::Gateway(error)) => {
            let said = error.to_string();
            let missing = ["which is not known here", "it must be given"].iter().any(|what| said.contains(what));
            assert!(missing, "{}: {said}", asked.id);
        }
        Err(error) => panic!("{}: {error}", asked.id),
    }
    let worklist = WorklistFolder::new(Arc::clone(published), lists);
    let listed = flows.plan(asked.at, &id, &all, &worklist).await.unwrap();
    let Work::Steps(steps) = &listed.tasks[0].work else { panic!("{}: a worklist of calls", asked.id) };
    assert!(!steps.steps.is_empty(), "{}", asked.id);
    flows.execute(&now, &id, &all, &worklist).await.unwrap();
    let refused = flows.withdraw(&now, &id, None).await.unwrap_err();
    assert!(matches!(refused, FlowError::Nothing(_)), "{}: {refused}", asked.id);
    let done = LineResult::Done { references: vec![format!("order of {}", asked.id)] };
    flows.tick_off(&now, &id, &[1], &done).await.unwrap();
    settle(flows, &id, asked).await;
    flows.case(&id).await.unwrap().state()
}

/// What was predicted comes, exactly, and is reconciled.
async fn settle(flows: &Flows, id: &CaseId, asked: &Asked) {
    let case = flows.case(id).await.unwrap();
    let line = &case.lines[0];
    let predicted =
        line.ruling.refund.iter().flat_map(|money| &money.returned).fold(Amount::ZERO, |sum, item| sum + item.amount);
    let expected = line.expected.iter().fold(Amount::ZERO, |sum, item| sum + item.amount);
    assert_eq!(predicted, expected, "{}", asked.id);
    let receipts: Vec<Received> = line
        .expected
        .iter()
        .enumerate()
        .map(|(index, expected)| Received {
            id: String::new(),
            line: Some(1),
            instrument: Some(expected.instrument),
            currency: expected.currency,
            amount: expected.amount,
            to: Some(expected.to),
            at: Some(asked.at),
            reference: Some(format!("{}-{index}", asked.id)),
            resource: Some(line.resource.clone()),
            order: None,
            source: "the test".to_owned(),
        })
        .collect();
    if !receipts.is_empty() {
        flows.receive(&act(asked.at), id, receipts).await.unwrap();
    }
    let case = flows.case(id).await.unwrap();
    let found = reconcile(&from_case(&case).collect::<Vec<_>>(), &receipts_of(&case).collect::<Vec<_>>());
    assert!(found.holds() || case.lines[0].ruling.refund.is_none(), "{}: {found:#?}", asked.id);
}

#[tokio::test]
async fn one_and_the_same_flow_runs_against_every_loaded_adapter() {
    let engine = Engine::from_plugins(PluginDir::open(&dist().join("plugins")).unwrap());
    let adapters: Vec<_> = engine.providers().iter().map(|provider| engine.adapter(provider).unwrap()).collect();
    assert_eq!(adapters.len(), linked().len(), "every adapter is installed");
    let published = Arc::new(Published::new(adapters.iter().map(|adapter| Arc::clone(adapter.policy()))));
    let mut ends: BTreeMap<String, BTreeMap<String, usize>> = BTreeMap::new();
    for adapter in &adapters {
        let folder = tempfile::tempdir_in(quick_folder()).unwrap();
        let file = folder.path().join("cases.db");
        let store: Arc<dyn Store> = Arc::new(open(&file.to_string_lossy()).await.unwrap());
        let flows = Flows::new(Arc::clone(&store), Arc::clone(&published) as _);
        let all = asked(adapter);
        assert!(!all.is_empty(), "{} has no cases", adapter.provider());
        for asked in &all {
            let end = whole_flow(&flows, &published, &engine, asked, folder.path()).await;
            *ends.entry(adapter.provider().to_owned()).or_default().entry(end.to_string()).or_default() += 1;
        }
        let report = flows.verify(None).await.unwrap();
        assert!(report.holds(), "{}: {:#?}", adapter.provider(), report.problems);
        assert_eq!(report.cases, all.len());
        store.close().await;
    }
    eprintln!("{ends:#?}");
    assert_eq!(ends.len(), adapters.len());
    // A case ends refused, settled, or awaits a sum that no page prints.
    let known = ["closed", "settled", "settling"];
    assert!(ends.values().flat_map(BTreeMap::keys).all(|end| known.contains(&end.as_str())), "{ends:#?}");
    assert!(ends.values().filter(|ends| ends.contains_key("settled")).count() > 10, "{ends:#?}");
}
