//! An invented provider, for examples and for trying the faces out: three resources of Example Cloud,
//! one of each outcome.
//!
//! ```
//! let answers = recoup_report::sample::answers()?;
//! let outcomes: Vec<&str> = answers.iter().map(|answer| answer.assessment.outcome().as_str()).collect();
//! assert_eq!(outcomes, ["allowed", "conditional", "refused"]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::error::Error;
use std::sync::Arc;

use recoup_core::adapter::Rules;
use recoup_core::context::Run;
use recoup_core::policy::Rulebook;
use recoup_core::prelude::*;
use recoup_core::record::ResourceRecord;
use serde_json::{Value, json};

use crate::Answered;

const FULL_WINDOW: ClauseId = ClauseId(0);
const FULL_QUOTA: ClauseId = ClauseId(1);
const USE_PROMOTION: ClauseId = ClauseId(2);
const USE_INVOICED: ClauseId = ClauseId(3);
const USE_FORMULA: ClauseId = ClauseId(4);
const METERED: ClauseId = ClauseId(5);
const REVIEW: ClauseId = ClauseId(6);
const SETTLEMENT: ClauseId = ClauseId(7);
const FEE: ParamId = ParamId(0);

/// The rules of Example Cloud.
#[derive(Debug, Default, Clone, Copy)]
pub struct Example;

impl Provider for Example {
    const POLICY: &'static str = include_str!("sample.json");

    fn assess<R: Resource>(resource: &R, cx: &Context<'_>, out: &mut Assessment) {
        if resource.billing().refused_outright().is_some() {
            out.exit(cx, Exit::None, |ruling| ruling.refuse(METERED));
            return;
        }
        let ledger = cx.ledger(resource, resource.paid_orders());
        out.exit(cx, Exit::FullRefund, |ruling| {
            ruling.window_before(FULL_WINDOW, "purchased_at", resource.purchased_at(), Span::days(5));
            let draw = cx.quota("five_day_returns", Some(Number::ONE), Window::CalendarYear, |_| Some(Number::ONE));
            ruling.draw(FULL_QUOTA, QuotaDraw { draws: Some(Number::ONE), ..draw });
            if let Ok(ledger) = &ledger {
                ruling.refund(
                    ledger.settle(|payment| Disposition::Back(Destination::itself(payment.instrument))).finish(),
                );
            }
            ruling.effects(&[Effect::Irreversible, Effect::DataDeleted]);
            ruling.channel(Channel::Console);
        });
        out.exit(cx, Exit::InUse, |ruling| {
            ruling.refuse_if(USE_PROMOTION, cx.flag(Flag::Promotion));
            ruling.refuse_if(USE_INVOICED, cx.flag(Flag::Invoiced));
            match (&ledger, resource.starts_at(), resource.ends_at(), cx.param(FEE)) {
                (Ok(ledger), Some(start), Some(end), Some(fee)) => {
                    let (used, days) = (cx.at.since(start).days_begun(), end.since(start).whole_days());
                    ruling.cite(USE_FORMULA);
                    let mut draft = ledger.settle(|payment| match payment.instrument.is_money() {
                        true => Disposition::Share(Destination::AccountBalance),
                        false => Disposition::Lost,
                    });
                    let consumed = draft.consume(&Exact::from(ledger.money()).times_ratio(used, days));
                    ruling.line("consumed", || format!("{} x {used} / {days} days = {consumed}", ledger.money()));
                    let kept = draft.keep_fee(&Exact::from(ledger.money()).times(fee.value));
                    ruling.line("fee", || format!("{} x {} = {kept}", ledger.money(), fee.value));
                    ruling.refund(draft.finish());
                }
                _ => ruling.no_figure(USE_FORMULA, Reason::PriceUnknown, Some("orders")),
            }
            ruling.review("account_manager", REVIEW, Some(24));
            ruling.settles_within(SETTLEMENT, 7, DayKind::Business);
            ruling.effects(&[Effect::Irreversible, Effect::DataDeleted, Effect::CouponsLost]);
            ruling.channel(Channel::Console);
        });
    }
}

/// The rulebook of Example Cloud.
///
/// # Errors
/// Never, as long as its policy is well formed.
pub fn book() -> Result<Rulebook, Box<dyn Error>> {
    Ok(Rules::<Example>::load()?.book().clone())
}

/// Assesses a resource under Example Cloud's rules on 2024-11-20 at 00:00 +08:00.
///
/// # Errors
/// Where the resource cannot be read.
pub fn answer(resource: &Value) -> Result<Answered, Box<dyn Error>> {
    let rules = Rules::<Example>::load()?;
    let at = Instant::parse("2024-11-20", Zone::fixed_hours(8))?;
    let account = json!({"provider": "example", "account": "team-1", "returns": []});
    let mut run = Run::at(at).with_accounts(vec![rules.account(&account)?]);
    run.trace = true;
    let record = ResourceRecord::from_json(resource, &|_, site| rules.zone_of(site))?.record;
    let (subject, assessment) = rules.assess_record(&run, &record)?;
    Ok(Answered { subject, assessment, policy: Arc::new(rules.book().policy().clone()), stated: Vec::new() })
}

/// A subscription bought for a year, as a portfolio writes it.
#[must_use]
pub fn subscription(id: &str, name: &str, bought: &str, paid: &str) -> Value {
    json!({
        "provider": "example", "account": "team-1", "id": id, "name": name, "product": "vm",
        "billing": "subscription", "status": "active",
        "purchased_at": bought, "starts_at": bought, "ends_at": "2025-11-01",
        "orders": [{"id": "o-1", "kind": "purchase", "status": "paid", "currency": "USD",
            "payments": [{"instrument": "cash", "amount": paid}, {"instrument": "cash_coupon", "amount": "20.00"}]}],
    })
}

/// Three resources and what the rules say of them: one of each outcome.
///
/// # Errors
/// Never, as long as the sample is well formed.
pub fn answers() -> Result<Vec<Answered>, Box<dyn Error>> {
    let mut used = subscription("vm-2", "batch worker", "2024-11-01", "365.00");
    if let Some(fields) = used.as_object_mut() {
        fields.insert("facts".into(), json!({"promotion": false}));
    }
    let mut metered = subscription("vm-3", "云服务器", "2024-11-01", "10.00");
    if let Some(fields) = metered.as_object_mut() {
        fields.insert("billing".into(), "pay_as_you_go".into());
    }
    [subscription("vm-1", "web server", "2024-11-18", "1200.00"), used, metered].iter().map(answer).collect()
}

/// The rules of Example Cloud over some records, as a timeline asks them.
#[derive(Debug)]
pub struct OverTime {
    rules: Rules<Example>,
    run: Run,
    records: Vec<ResourceRecord>,
}

impl OverTime {
    /// The rules over the sample's resources of which something may come back.
    ///
    /// # Errors
    /// Never, as long as the sample is well formed.
    pub fn new() -> Result<Self, Box<dyn Error>> {
        let rules = Rules::<Example>::load()?;
        let account = json!({"provider": "example", "account": "team-1", "returns": []});
        let from = Instant::parse("2024-11-20", Zone::fixed_hours(8))?;
        let mut run = Run::at(from).with_accounts(vec![rules.account(&account)?]);
        run.trace = true;
        run.assumed.flags.set(Flag::Invoiced, false);
        run.assumed.flags.set(Flag::Promotion, false);
        let all = [
            subscription("vm-1", "web server", "2024-11-18", "1200.00"),
            subscription("vm-2", "batch worker", "2024-11-01", "365.00"),
        ];
        let mut records = Vec::new();
        for resource in &all {
            records.push(ResourceRecord::from_json(resource, &|_, site| rules.zone_of(site))?.record);
        }
        Ok(Self { rules, run, records })
    }

    /// The timelines of the sample's resources over a year from 2024-11-20 at 00:00 +08:00 on.
    ///
    /// # Errors
    /// Never, as long as the sample is well formed.
    pub fn timelines(&self) -> Result<Vec<recoup_timeline::Timeline>, String> {
        let from = self.run.at.ok_or("no instant")?;
        let spans: Vec<_> = self.records.iter().map(|_| (from, from + Span::days(365))).collect();
        recoup_timeline::walk(self, &spans).into_iter().collect()
    }
}

impl recoup_timeline::Rules for OverTime {
    fn rule(&self, rows: &[recoup_timeline::Row]) -> Vec<Result<Answered, String>> {
        let policy = Arc::new(self.rules.book().policy().clone());
        let answer = |row: &recoup_timeline::Row| {
            let record = self.records.get(row.resource).ok_or("no such resource")?;
            let mut run = self.run.clone();
            run.at = Some(row.at);
            let (subject, assessment) = self.rules.assess_record(&run, record).map_err(|error| error.to_string())?;
            Ok(Answered { subject, assessment, policy: Arc::clone(&policy), stated: Vec::new() })
        };
        rows.iter().map(answer).collect()
    }

    fn rule_as_before(&self, _: recoup_timeline::Row) -> Option<Result<Answered, String>> {
        // Example Cloud has had one edition ever.
        None
    }

    fn rules_change_after(&self, row: recoup_timeline::Row) -> Option<Instant> {
        let record = self.records.get(row.resource)?;
        self.rules.book().site(record.site.as_deref())?.changes_after(row.at)
    }
}
