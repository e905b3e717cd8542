//! The exported functions, called through their table as a host calls them, without a library: this is
//! what Miri can run.
#![allow(unsafe_code, reason = "the boundary is called as a host calls it")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests fail as tests do"
)]

use std::ffi::c_void;
use std::sync::Arc;

use arrow_array::ffi::{FFI_ArrowArray, FFI_ArrowSchema, from_ffi, to_ffi};
use arrow_array::{Array, ArrayRef, StructArray, UInt8Array};
use recoup_core::adapter::Rules;
use recoup_core::context::Run;
use recoup_core::prelude::*;
use recoup_core::record::{CommitmentRecord, OrderRecord, ResourceRecord};
use recoup_core::resource::Term;
use recoup_plugin::abi::{AdapterTable, BAD_INPUT, OK, POISONED, Text as BoundaryText};
use recoup_plugin::export::{Exported, State, TableOf};
use recoup_plugin::rows::Rows;
use recoup_plugin::session::check_answers;
use recoup_plugin::{Adapter, Linked, batch};

const POLICY: &str = r#"{"provider":"toy","title":"Toy","site":[{"id":"one","title":"One","zone":"+08:00","default":true}],
"edition":[{"from":"2020-01-01","what":"all"}],"source":[{"key":"page","title":"Page","url":"https://example.org"}],
"clause":[{"id":"toy.promotion","reason":"promotion","says":"no promotions","sources":["page"]},
{"id":"toy.quota","reason":"quota_exhausted","says":"ten a year","sources":["page"]},
{"id":"toy.review","says":"reviewed","sources":["page"]}]}"#;

/// Uses every column of an answer.
#[derive(Debug, Default)]
struct Toy;

impl Provider for Toy {
    const POLICY: &'static str = POLICY;

    fn assess<R: Resource>(resource: &R, cx: &Context<'_>, out: &mut Assessment) {
        assert!(resource.product() != "panic", "the rules panicked");
        out.exit(cx, Exit::InUse, |ruling| {
            ruling.refuse_if(ClauseId(0), cx.flag(Flag::Promotion));
            let count = cx.quota("toy", Some(Number::whole(10)), Window::CalendarYear, |_| Some(Number::ONE));
            ruling.draw(ClauseId(1), count);
            ruling.review("account_manager", ClauseId(2), Some(24));
            ruling.settles_within(ClauseId(2), 7, DayKind::Business);
            ruling.effects(&[Effect::Irreversible, Effect::DataDeleted]);
            ruling.channel(Channel::Console);
            ruling.line("price", || format!("{:?}", resource.price_terms()));
            ruling.line("commitment", || format!("{:?}", resource.commitment()));
            ruling.line("facts", || {
                format!("{:?} {:?}", cx.text(resource, Text::Plan), cx.moment(resource, Moment::LocksAt))
            });
            if let Some(end) = resource.ends_at() {
                ruling.changes_at(end);
                ruling.takes_effect_at(end);
            }
            match cx.ledger(resource, resource.paid_orders()) {
                Ok(ledger) => {
                    let mut draft = ledger.settle(|payment| {
                        if payment.valid_at(cx.at) {
                            Disposition::Share(Destination::itself(payment.instrument))
                        } else {
                            Disposition::Lost
                        }
                    });
                    draft.consume(&Exact::from(ledger.paid()).times_ratio(1, 3));
                    ruling.refund(draft.finish());
                }
                Err(missing) => ruling.missing(ClauseId(0), missing),
            }
        });
        out.exit(cx, Exit::StopRenewal, |ruling| ruling.refuse_if(ClauseId(0), !cx.flag(Flag::AutoRenew)));
    }

    fn recognises(file: &recoup_core::import::ImportFile<'_>) -> bool {
        file.text.contains("toy")
    }
}

static TOY: State<Toy> = State::new();

impl Exported for Toy {
    fn state() -> &'static State<Self> {
        &TOY
    }
}

/// A toy of its own, so that its panic poisons nobody else's tests.
#[derive(Debug, Default)]
struct Fragile;

impl Provider for Fragile {
    const POLICY: &'static str = POLICY;

    fn assess<R: Resource>(resource: &R, cx: &Context<'_>, out: &mut Assessment) {
        Toy::assess(resource, cx, out);
    }
}

static FRAGILE: State<Fragile> = State::new();

impl Exported for Fragile {
    fn state() -> &'static State<Self> {
        &FRAGILE
    }
}

fn take(table: &AdapterTable, mut text: BoundaryText) -> String {
    if text.data.is_null() {
        return String::new();
    }
    // SAFETY: the adapter gave `len` bytes at `data`.
    let shown = String::from_utf8_lossy(unsafe { std::slice::from_raw_parts(text.data, text.len) }).into_owned();
    // SAFETY: the text is the adapter's own, given back once.
    unsafe { table.free_text.unwrap()(&raw mut text) };
    shown
}

fn open(table: &AdapterTable, run: &str) -> Result<*mut c_void, (i32, String)> {
    let (mut session, mut error) = (std::ptr::null_mut(), BoundaryText::empty());
    // SAFETY: the run lives as long as the call; session and error may be written.
    let code = unsafe { table.open.unwrap()(run.as_ptr(), run.len(), &raw mut session, &raw mut error) };
    let message = take(table, error);
    if code == OK { Ok(session) } else { Err((code, message)) }
}

fn assess(table: &AdapterTable, session: *mut c_void, resources: &StructArray) -> Result<StructArray, (i32, String)> {
    let (mut array, schema) = to_ffi(&resources.to_data()).unwrap();
    let (mut out, mut out_schema) = (FFI_ArrowArray::empty(), FFI_ArrowSchema::empty());
    let mut error = BoundaryText::empty();
    // SAFETY: the session is open, the array is given away, everything else lives as long as the call.
    let code = unsafe {
        table.assess.unwrap()(
            session,
            &raw mut array,
            &raw const schema,
            &raw mut out,
            &raw mut out_schema,
            &raw mut error,
        )
    };
    let message = take(table, error);
    if code != OK {
        return Err((code, message));
    }
    // SAFETY: the adapter wrote an array and a schema of the Arrow C data interface.
    let data = unsafe { from_ffi(out, &out_schema) }.unwrap();
    Ok(StructArray::from(data))
}

fn close(table: &AdapterTable, session: *mut c_void) {
    // SAFETY: the session was opened by the table and is closed once.
    unsafe { table.close.unwrap()(session) };
}

fn instant(text: &str) -> Instant {
    Instant::parse(text, Zone::UTC).unwrap()
}

/// Resources that fill every column, and one that fills none.
fn resources() -> Vec<ResourceRecord> {
    let mut full = ResourceRecord::new("toy", "full", "vm", Billing::Subscription, Status::Active);
    full.site = Some("one".into());
    full.account = Some("acct".into());
    full.region = Some("here".into());
    full.seller = Some(Seller::Marketplace);
    (full.purchased_at, full.starts_at, full.ends_at) =
        (Some(instant("2025-01-01")), Some(instant("2025-01-02")), Some(instant("2026-06-01")));
    full.primary = Some("other".into());
    full.relation = Some(Relation::Bound);
    full.bundle = Some("bundle".into());
    full.quantity = Some("2.5".parse().unwrap());
    full.commitment = Some(CommitmentRecord {
        term_months: Some(12),
        payment_option: Some(PaymentOption::PartialUpfront),
        hourly: Some("0.0123456789".parse().unwrap()),
        currency: Some(Currency::USD),
        class: Some(Class::Convertible),
        unit: Some("GB".into()),
        ..CommitmentRecord::default()
    });
    full.price_terms =
        Some(recoup_core::resource::PriceTerms { rate: Some("0.5".parse().unwrap()), ..Default::default() });
    full.facts.flags.set(Flag::Promotion, false);
    full.facts.figures.push((Figure::AskPrice, "12.34".parse().unwrap()));
    full.facts.texts.push((Text::Plan, "business".into()));
    full.facts.moments.push((Moment::LocksAt, instant("2026-01-01")));
    let mut order = OrderRecord::new(OrderKind::Purchase, OrderStatus::Paid);
    order.id = Some("o-1".into());
    order.term = Some(Term { unit: TermUnit::Month, count: 12 });
    order.currency = Some(Currency::USD);
    let payment = |instrument, amount: &str, end: Option<&str>| Payment {
        instrument,
        amount: amount.parse().unwrap(),
        expires_at: end.map(instant),
    };
    order.payments = Some(vec![
        payment(Instrument::Cash, "80.00", None),
        payment(Instrument::CashCoupon, "20.00", Some("2025-02-01")),
        payment(Instrument::StoredValueCard, "0.01", Some("2030-01-01")),
    ]);
    order.facts.flags.set(Flag::Invoiced, true);
    order.facts.figures.push((Figure::UsageDiscount, "0.85".parse().unwrap()));
    let mut renewal = OrderRecord::new(OrderKind::Renewal, OrderStatus::Unpaid);
    renewal.payments = None;
    full.orders = Some(vec![order, renewal]);
    let mut nothing_paid = full.clone();
    nothing_paid.id = "nothing-paid".into();
    nothing_paid.orders = Some(Vec::new());
    let mut elsewhere = ResourceRecord::new("toy", "elsewhere", "vm", Billing::Subscription, Status::Active);
    elsewhere.site = Some("nowhere".into());
    let bare = ResourceRecord::new("toy", "bare", "vm", Billing::PayAsYouGo, Status::Expired);
    vec![full, elsewhere, bare, nothing_paid]
}

const RUN: &str = r#"{"at":"2026-01-15T00:00:00Z","trace":true,"assumed":{"auto_renew":true},
"accounts":[{"provider":"toy","account":"acct","currency":"USD","returns":[{"at":"2026-01-02"}]}]}"#;

#[test]
fn what_crosses_the_boundary_is_what_the_rules_said() {
    let table = TableOf::<Toy>::TABLE;
    let session = open(&table, RUN).unwrap();
    let resources = resources();
    let batch = batch::resources(&resources, None).unwrap();
    let answers = assess(&table, session, &batch).unwrap();
    close(&table, session);
    let answers = check_answers("toy", resources.len(), 3, &answers).unwrap();

    let rules = Rules::<Toy>::load().unwrap();
    let json: serde_json::Value = serde_json::from_str(RUN).unwrap();
    let run = Run::from_json(&json, &|_, site| rules.zone_of(site)).unwrap();
    let mut assessed = 0;
    for (row, resource) in resources.iter().enumerate() {
        match (answers.get(row).unwrap(), rules.assess_record(&run, resource)) {
            (Ok(answer), Ok((subject, assessment))) => {
                assert_eq!(answer.assessment.rulings(), assessment.rulings(), "{}", resource.id);
                assert_eq!(answer.assessment.outcome(), assessment.outcome());
                assert_eq!((answer.site, answer.edition, answer.at), (subject.site, subject.edition, subject.at));
                assessed += 1;
            }
            (Err(said), Err(error)) => assert_eq!(said, error.to_string()),
            (a, b) => panic!("{}: {a:?} over the boundary, {b:?} beside it", resource.id),
        }
    }
    assert_eq!(assessed, 3);
}

#[test]
fn a_row_reads_as_the_record_it_was_made_of() {
    let records = resources();
    let batch = batch::resources(&records, Some(&[instant("2026-01-15"); 4])).unwrap();
    let rows = Rows::new(&batch).unwrap();
    assert_eq!(rows.at(0), Some(instant("2026-01-15")));
    for (index, record) in records.iter().enumerate() {
        let row = rows.row(index);
        assert_eq!(
            (row.id(), row.product(), row.site(), row.account(), row.region()),
            (record.id(), record.product(), record.site(), Resource::account(record), record.region())
        );
        assert_eq!(
            (row.billing(), row.seller(), row.status(), row.relation()),
            (record.billing(), record.seller(), record.status(), record.relation())
        );
        assert_eq!(
            (row.purchased_at(), row.starts_at(), row.ends_at()),
            (record.purchased_at(), record.starts_at(), record.ends_at())
        );
        assert_eq!(
            (row.primary(), row.bundle(), row.quantity()),
            (record.primary(), record.bundle(), record.quantity())
        );
        assert_eq!((row.commitment(), row.price_terms()), (record.commitment(), record.price_terms()));
        assert_eq!((row.flags(), row.figure(Figure::AskPrice)), (record.flags(), record.figure(Figure::AskPrice)));
        assert_eq!(
            (row.text(Text::Plan), row.moment(Moment::LocksAt)),
            (record.text(Text::Plan), record.moment(Moment::LocksAt))
        );
        assert_eq!(row.orders().map(|orders| orders.len()), record.orders().map(|orders| orders.len()));
        for (a, b) in row.orders().into_iter().flatten().zip(record.orders().into_iter().flatten()) {
            assert_eq!(
                (a.id(), a.kind(), a.status(), a.term(), a.currency()),
                (b.id(), b.kind(), b.status(), b.term(), b.currency())
            );
            assert_eq!((a.flags(), a.figure(Figure::UsageDiscount)), (b.flags(), b.figure(Figure::UsageDiscount)));
            let pair = (a.payments().map(Iterator::collect::<Vec<_>>), b.payments().map(Iterator::collect::<Vec<_>>));
            assert_eq!(pair.0, pair.1);
        }
    }
}

#[test]
fn a_panic_is_caught_and_poisons_the_adapter() {
    let table = TableOf::<Fragile>::TABLE;
    let session = open(&table, RUN).unwrap();
    let broken = ResourceRecord::new("toy", "r", "panic", Billing::Subscription, Status::Active);
    let batch = batch::resources(&[broken], None).unwrap();
    assert_eq!(assess(&table, session, &batch).unwrap_err(), (POISONED, "the rules panicked".to_owned()));
    let sound = batch::resources(&resources(), None).unwrap();
    assert_eq!(assess(&table, session, &sound).unwrap_err(), (POISONED, "it panicked before".to_owned()));
    assert_eq!(open(&table, RUN).unwrap_err().0, POISONED);
    close(&table, session);
}

#[test]
fn a_run_that_is_not_understood_is_refused_with_its_place() {
    let table = TableOf::<Toy>::TABLE;
    for (run, expected) in [
        ("{", "not JSON"),
        (r#"{"at":"yesterday"}"#, "\"at\": \"yesterday\" is not an instant"),
        (r#"{"edition":"2024"}"#, "\"edition\": \"2024\" is not a date"),
        (r#"{"assumed":{"promotion":"no"}}"#, "expected true, false or null"),
        (r#"{"accounts":[{"provider":"toy"}]}"#, "\"account\": is missing"),
    ] {
        let (code, message) = open(&table, run).unwrap_err();
        assert_eq!(code, BAD_INPUT);
        assert!(message.contains(expected), "{message}");
    }
}

#[test]
fn a_batch_that_is_not_understood_is_refused_with_its_column() {
    let table = TableOf::<Toy>::TABLE;
    let session = open(&table, RUN).unwrap();
    let good = batch::resources(&resources(), None).unwrap();
    let without = |name: &str| {
        let (fields, columns): (Vec<_>, Vec<ArrayRef>) = good
            .fields()
            .iter()
            .cloned()
            .zip(good.columns().iter().cloned())
            .filter(|(field, _)| field.name() != name)
            .unzip();
        StructArray::new(fields.into(), columns, None)
    };
    let with_codes = |name: &str, code: u8| {
        let columns: Vec<ArrayRef> = good
            .fields()
            .iter()
            .zip(good.columns())
            .map(|(field, column)| {
                if field.name() == name {
                    Arc::new(UInt8Array::from(vec![code; column.len()])) as ArrayRef
                } else {
                    Arc::clone(column)
                }
            })
            .collect();
        StructArray::new(good.fields().clone(), columns, None)
    };
    for (batch, expected) in [
        (without("status"), "the column \"status\" is missing"),
        (without("orders"), "the column \"orders\" is missing"),
        (with_codes("billing", 99), "the column \"billing\", row 0: 99 is not a known code"),
    ] {
        let (code, message) = assess(&table, session, &batch).unwrap_err();
        assert_eq!((code, message.as_str()), (BAD_INPUT, expected));
    }
    close(&table, session);
}

#[test]
fn payloads_are_recognised_over_the_boundary_and_beside_it() {
    let files = r#"[{"name":"a","text":"toy"},{"name":"b","text":"other"}]"#;
    let table = TableOf::<Toy>::TABLE;
    let mut out = BoundaryText::empty();
    // SAFETY: the input lives as long as the call, and `out` may be written.
    let code = unsafe { table.recognise.unwrap()(files.as_ptr(), files.len(), &raw mut out) };
    assert_eq!((code, take(&table, out).as_str()), (OK, "[true,false]"));
    let linked = Linked::<Toy>::new().unwrap();
    let files = [("a", "toy"), ("b", "other")].map(|(name, text)| recoup_plugin::messages::FileText::new(name, text));
    assert_eq!(linked.recognise(&files).unwrap(), [true, false]);
}
