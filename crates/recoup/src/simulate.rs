//! `recoup simulate`: something that is not bought yet, and what is lost by leaving it in month n.

use recoup_core::money::Amount;
use recoup_core::record::{OrderRecord, ResourceRecord};
use recoup_core::resource::Payment;
use recoup_core::time::{Instant, Zone};
use recoup_core::vocab::{Instrument, OrderStatus, Status as ResourceStatus};
use recoup_engine::pipeline::Input;
use recoup_engine::timeline::{Books, Row, Ruled, Rules as _};
use recoup_engine::{Assessor, Engine};
use recoup_report::simulate::{self as report, Simulation, Told};
use recoup_timeline::Figures;

use crate::cli::{Simulate, TimeFormat};
use crate::forecast::{refuse_calendar, told};
use crate::host::{Failure, Outcome, Status, look, say, threads};
use crate::output::{time_format, write_text};
use crate::span::{Asked, answered, ask};

/// Months over which a purchase without a known term is followed.
const MONTHS_WITHOUT_TERM: i32 = 12;

/// Most months that are told.
const MOST_MONTHS: i32 = 120;

pub(crate) fn simulate(engine: &Engine, args: &Simulate) -> Outcome {
    refuse_calendar(&args.answer)?;
    let read = ask(engine, &args.files, &args.question, args.id.as_deref(), false)?;
    if read.resources.is_empty() {
        return Err(Failure::input("there is no record to simulate"));
    }
    let mut records = Vec::new();
    for (resource, subject) in read.resources.iter().zip(&read.subjects) {
        if let Some(what) = missing(resource) {
            say(format_args!("{}: {what}", resource.id));
        }
        if args.as_given {
            records.push(bought(resource, subject.at, subject.zone));
            continue;
        }
        for provider in engine.providers() {
            let there = as_if(resource, &provider);
            let zone = engine.zone_of(&provider, there.site.as_deref()).unwrap_or(subject.zone);
            records.push(bought(&there, subject.at, zone));
        }
    }
    let input = Input::Records { file: std::sync::Arc::from("simulate"), records };
    let assessor = Assessor::new(engine, read.assessor.run().clone());
    let mut everywhere = args.question.clone();
    everywhere.provider = None;
    let (resources, subjects, status) = answered(&assessor, vec![input], &everywhere, None)?;
    let asked = Asked { assessor, resources, subjects, status };
    let simulation = simulated(&asked, read.resources.len() > 1, threads(&args.question))?;
    write(args, &simulation)?;
    Ok(read.status.max(asked.status))
}

/// The same thing at another provider: what belongs to the one it would be bought from is left out.
fn as_if(resource: &ResourceRecord, provider: &str) -> ResourceRecord {
    if resource.provider == provider {
        return resource.clone();
    }
    ResourceRecord { provider: provider.to_owned(), site: None, account: None, ..resource.clone() }
}

/// What a record does not say of a purchase, so that its figures stay unknown.
fn missing(resource: &ResourceRecord) -> Option<String> {
    match &resource.orders {
        None if resource.commitment.is_none() => {
            Some("\"orders\": expected the purchase with its price and term; without it no figure is known".to_owned())
        }
        Some(orders) if orders.iter().any(|order| order.due.is_none() && order.payments.is_none()) => Some(
            "\"orders\": expected \"due\" or \"payments\" in every order; without them no figure is known".to_owned(),
        ),
        _ => None,
    }
}

fn months(order: &OrderRecord) -> Option<i32> {
    order.term?.months().and_then(|months| i32::try_from(months).ok())
}

/// The term in months: that of the orders together, else that of the commitment.
fn term(resource: &ResourceRecord) -> Option<i32> {
    let orders: Option<i32> = resource.orders.iter().flatten().map(months).sum();
    let commitment = || resource.commitment.as_ref()?.term_months.and_then(|months| i32::try_from(months).ok());
    orders.filter(|months| *months > 0).or_else(commitment)
}

/// A record as it will stand once it is bought at an instant: what says when is filled in, what was due is
/// paid in cash unless the record says by what.
fn bought(resource: &ResourceRecord, at: Instant, zone: Zone) -> ResourceRecord {
    let mut bought = resource.clone();
    bought.status = ResourceStatus::Active;
    let start = *bought.starts_at.get_or_insert(at);
    bought.purchased_at.get_or_insert(start);
    if bought.ends_at.is_none() {
        bought.ends_at = term(resource).map(|months| zone.add_months(start, months));
    }
    let (ends, mut from) = (bought.ends_at, start);
    let orders = bought.orders.iter_mut().flatten();
    for order in orders {
        order.status = OrderStatus::Paid;
        order.placed_at.get_or_insert(start);
        order.paid_at = order.paid_at.or(order.placed_at);
        let begin = *order.starts_at.get_or_insert(from);
        if order.ends_at.is_none() {
            order.ends_at = months(order).map(|months| zone.add_months(begin, months)).or(ends);
        }
        from = order.ends_at.unwrap_or(from);
        if let (None, Some(due)) = (&order.payments, order.due) {
            order.payments = Some(vec![Payment { instrument: Instrument::Cash, amount: due, expires_at: None }]);
        }
    }
    bought
}

fn simulated(asked: &Asked<'_>, many: bool, threads: usize) -> Result<Simulation, Failure> {
    let length = |resource: &ResourceRecord, zone: Zone| {
        let span = resource.starts_at.zip(resource.ends_at).map(|(start, end)| zone.months_between(start, end));
        span.or_else(|| term(resource)).unwrap_or(MONTHS_WITHOUT_TERM).clamp(1, MOST_MONTHS)
    };
    let starts: Vec<Instant> = asked
        .resources
        .iter()
        .zip(&asked.subjects)
        .map(|(resource, subject)| resource.starts_at.unwrap_or(subject.at).max(subject.at))
        .collect();
    let mut spans = Vec::new();
    let mut rows = Vec::new();
    let mut counts = Vec::new();
    for (place, ((resource, subject), start)) in asked.resources.iter().zip(&asked.subjects).zip(&starts).enumerate() {
        let zone = subject.zone;
        let count = length(resource, zone);
        let instants: Vec<Instant> = (0..=count).map(|month| zone.add_months(*start, month)).collect();
        spans.push((*start, instants.last().copied().unwrap_or(*start)));
        rows.extend(instants.iter().map(|at| Row { resource: place, at: *at }));
        counts.push(instants);
    }
    let books = Books::of(&asked.assessor, &asked.resources);
    let rules = Ruled::new(&asked.assessor, &asked.resources, &books);
    let mut answers = rules.rule(&rows).into_iter();
    let mut each = Vec::new();
    for ((resource, subject), instants) in asked.resources.iter().zip(&asked.subjects).zip(counts) {
        let mut by_month = Vec::new();
        let mut reasons = Vec::new();
        for at in instants {
            let answered =
                answers.next().ok_or_else(|| Failure::input("no answer came back"))?.map_err(Failure::input)?;
            if reasons.is_empty() && answered.assessment.outcome() == recoup_core::vocab::Outcome::Refused {
                let refusals = answered.assessment.rulings().iter().flat_map(|ruling| &ruling.refusals);
                reasons = refusals.map(|refusal| refusal.reason).collect();
                reasons.sort();
                reasons.dedup();
            }
            by_month.push((at, Figures::of(&answered.assessment)));
        }
        let label = if many { format!("{} {}", subject.provider, resource.id) } else { subject.provider.clone() };
        each.push(Told { subject: subject.clone(), label, price: price(resource), by_month, reasons });
    }
    let (mut forecasts, status) = told(asked, &spans, false, threads, true)?;
    if status != Status::Done {
        return Err(Failure::input("a record could not be followed over time"));
    }
    for (forecast, told) in forecasts.each.iter_mut().zip(&each) {
        forecast.label.clone_from(&told.label);
    }
    Ok(Simulation { each, forecasts })
}

/// What is paid for it in all, where that is known.
fn price(resource: &ResourceRecord) -> Option<(Amount, recoup_core::money::Currency)> {
    let orders = resource.orders.as_ref()?;
    let currency = orders.iter().find_map(|order| order.currency)?;
    let paid = |order: &OrderRecord| {
        let payments = order.payments.as_ref().map(|payments| payments.iter().map(|payment| payment.amount).sum());
        order.due.or(payments)
    };
    let amounts: Option<Vec<Amount>> = orders.iter().map(paid).collect();
    Some((amounts?.into_iter().sum(), currency))
}

fn write(args: &Simulate, simulation: &Simulation) -> Result<(), Failure> {
    let look = look("What is lost by leaving in month n", args.answer.output.is_some());
    let text = match time_format(&args.answer) {
        TimeFormat::Table => report::table(simulation, &look),
        TimeFormat::Json => report::json(simulation),
        TimeFormat::Ndjson => report::ndjson(simulation),
        TimeFormat::Csv => {
            let mut out = Vec::new();
            report::csv(simulation, &mut out).map_err(|error| Failure::output(&error))?;
            String::from_utf8_lossy(&out).into_owned()
        }
        TimeFormat::Markdown => report::markdown(simulation, &look),
        TimeFormat::Html | TimeFormat::Ics => report::html(simulation, &look),
    };
    write_text(&args.answer.place(), &text)
}
