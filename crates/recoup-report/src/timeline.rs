//! What comes for one resource: exits opening and closing, steps of fees, the best moment. The end of an
//! explanation, in each of its formats.

use recoup_core::assessment::Subject;
use recoup_core::money::{Amount, Currency};
use recoup_core::time::{Instant, Zone};
use recoup_timeline::Figures;
use recoup_timeline::deadlines::{Deadline, Kind};
use recoup_timeline::figures::Money;
use recoup_timeline::forecast::{Curve, Run};
use serde_json::{Value, json};

use crate::chart::{self, Chart, Series};
use crate::deadlines::{clause_id, stake, verb, what, when, why, worth};
use crate::grid::{Tone, paint};
use crate::text::{clean, html as escape, markdown as escape_markdown, paragraph, spaced};
use crate::{Look, forecast, time, words};

/// What comes for one resource.
#[derive(Debug, Clone)]
pub struct Told {
    /// Of what it speaks.
    pub subject: Subject,
    /// What opens, closes or changes, in the order of time.
    pub deadlines: Vec<Deadline>,
    /// What it would give at each moment.
    pub curve: Curve,
    /// The figures at the moments that a chart shows, in the order of time.
    pub points: Vec<(Instant, Figures)>,
}

impl Told {
    fn forecast(&self) -> forecast::Forecast {
        forecast::Forecast {
            subject: self.subject.clone(),
            label: self.subject.resource.clone(),
            curve: self.curve.clone(),
            at_moments: Vec::new(),
        }
    }
}

/// Something that is told of the time that comes.
pub(crate) enum Event<'t> {
    /// Between two boundaries a figure moves.
    Moves(&'t Run),
    /// A boundary.
    Boundary(&'t Deadline),
}

impl Told {
    /// What is told, in the order of time.
    pub(crate) fn events(&self) -> Vec<Event<'_>> {
        let mut events = Vec::new();
        let mut deadlines = self.deadlines.iter().peekable();
        for run in &self.curve.runs {
            if run.first != run.end {
                events.push(Event::Moves(run));
            }
            // A boundary at which only reasons change is none to be told.
            while let Some(deadline) = deadlines.next_if(|deadline| deadline.at <= run.last || is_end_of(deadline, run))
            {
                events.push(Event::Boundary(deadline));
            }
        }
        events
    }

    /// The best moment and what it brings, in words.
    fn best(&self) -> String {
        forecast::best(&self.forecast()).unwrap_or_else(|| "none: nothing is known to come back".to_owned())
    }
}

fn both(at: Instant, zone: Zone) -> String {
    time::both(at, zone)
}

/// The timeline as plain text, wrapped to the width.
#[must_use]
pub fn text(told: &Told, look: &Look) -> String {
    let limit = look.columns();
    let zone = told.subject.zone;
    let mut out = format!("\n{}\n", paint("What comes", Tone::Head, look.colour));
    for event in told.events() {
        match event {
            Event::Moves(run) => movement(&mut out, run, limit),
            Event::Boundary(deadline) => boundary(&mut out, deadline, zone, limit),
        }
    }
    if told.deadlines.is_empty() {
        paragraph(&mut out, "  ", "Nothing opens or closes by time alone.", limit);
    }
    paragraph(&mut out, "  best moment  ", &clean(&told.best()), limit);
    out
}

fn is_end_of(deadline: &Deadline, run: &Run) -> bool {
    match run.ends {
        recoup_timeline::Ends::Before(at) => deadline.at == at && !deadline.through,
        recoup_timeline::Ends::Through(at) => deadline.at == at && deadline.through,
        recoup_timeline::Ends::Open => false,
    }
}

fn amount((amount, currency): (String, String)) -> String {
    format!("{amount} {currency}").trim().to_owned()
}

/// How the figure moves in a run.
fn movement(out: &mut String, run: &Run, limit: usize) {
    let exit = forecast::exit(&run.first);
    let (first, end) = (amount(worth(&run.first)), amount(worth(&run.end)));
    let text = format!("{exit}: from {first} to {end}, {}", forecast::pace(run));
    paragraph(out, "    ", &text, limit);
}

fn boundary(out: &mut String, deadline: &Deadline, zone: Zone, limit: usize) {
    let word = if deadline.through { "through" } else { "before" };
    paragraph(out, "  ", &format!("{word} {}", both(deadline.at, zone)), limit);
    for change in &deadline.changes {
        let amount = |quote: &Option<recoup_core::refund::RefundQuote>| {
            use recoup_core::refund::Refund as _;
            quote.as_ref().map(|quote| format!("{} {} (fee {})", quote.refund(), quote.currency(), quote.fee()))
        };
        let money = match (amount(&change.before), amount(&change.after)) {
            (Some(before), Some(after)) => format!(": {before}, then {after}"),
            (Some(one), None) | (None, Some(one)) => format!(": {one}"),
            (None, None) => String::new(),
        };
        paragraph(out, "    ", &format!("{} {}{money}", spaced(change.exit.as_str()), verb(change.kind)), limit);
        for cause in change.causes.iter().take(if change.kind == Kind::Closes { usize::MAX } else { 3 }) {
            let reason = cause.reason.map(|reason| format!("{}: ", words::reason(reason))).unwrap_or_default();
            let says = deadline.policy.clause(cause.clause).map_or("", |clause| clause.says.as_str());
            let text = format!("{reason}{} {says}", clause_id(&deadline.policy, cause));
            paragraph(out, "      - ", &clean(&text), limit);
        }
    }
    if let (Some(review), Some(by)) = (&deadline.review, deadline.submit_by) {
        let text = format!("to be over the review by {} in time, ask before {}", spaced(&review.by), both(by, zone));
        paragraph(out, "    ", &clean(&text), limit);
    }
    if let (Some(stake), Some(currency)) = (deadline.stake(), deadline.currency())
        && !stake.is_zero()
    {
        let word = if stake.is_positive() { "lost by waiting" } else { "gained by waiting" };
        paragraph(out, "    ", &format!("{word}: {} {currency}", stake.magnitude()), limit);
    }
}

/// What comes, for programs.
#[must_use]
pub fn to_json(told: &Told) -> Value {
    let forecast = forecast::to_json(&told.forecast());
    json!({
        "deadlines": told.deadlines.iter().map(crate::deadlines::to_json).collect::<Vec<_>>(),
        "runs": forecast.get("runs"),
        "best": forecast.get("best"),
    })
}

const HEADS: [&str; 6] = ["when", "what happens", "worth before", "worth after", "at stake", "why"];

/// What comes, as rows of a table under headings.
fn rows(told: &Told) -> Vec<Vec<String>> {
    let zone = told.subject.zone;
    let of_run = |run: &Run| {
        let moves = format!("{} {}", forecast::exit(&run.first), forecast::pace(run));
        let span = format!("from {}, {}", forecast::moment(run.from, zone), forecast::ends(run, zone));
        [span, moves, amount(worth(&run.first)), amount(worth(&run.end)), String::new(), String::new()]
    };
    let of_boundary = |deadline: &Deadline| {
        let (here, utc) = (when(deadline, zone), time::long(deadline.at, Zone::UTC));
        let when = if here.ends_with(&utc) { here } else { format!("{here} ({utc})") };
        let (before, after) = (amount(worth(&deadline.before)), amount(worth(&deadline.after)));
        [when, what(deadline), before, after, amount(stake(deadline)), why(deadline)]
    };
    let events = told.events().into_iter().map(|event| match event {
        Event::Moves(run) => of_run(run).to_vec(),
        Event::Boundary(deadline) => of_boundary(deadline).to_vec(),
    });
    std::iter::once(HEADS.map(str::to_owned).to_vec()).chain(events).collect()
}

fn heading(told: &Told) -> String {
    format!("What comes for {}", told.subject.resource)
}

/// What stands above the table.
fn sentence(told: &Told) -> String {
    let quiet = if told.deadlines.is_empty() { "Nothing opens or closes by time alone. " } else { "" };
    format!("{quiet}Best moment: {}.", told.best())
}

/// The timeline as Markdown, under a heading of its own.
#[must_use]
pub fn markdown(told: &Told) -> String {
    let mut out = format!("## {}\n\n{}\n", escape_markdown(&heading(told)), escape_markdown(&sentence(told)));
    let rows = rows(told);
    if rows.len() > 1 {
        out.push_str(&format!("\n{}", crate::markdown::table(&rows, 2..5)));
    }
    out
}

/// The timeline as a section of a page, with a chart for every currency in which something comes back.
#[must_use]
pub fn html(told: &Told) -> String {
    let heading = heading(told);
    let mut out =
        format!("<section class=\"timeline\">\n<h2>{}</h2>\n<p>{}</p>\n", escape(&heading), escape(&sentence(told)));
    for chart in charts(&told.points) {
        out.push_str(&chart::svg(&chart, &heading));
    }
    let rows = rows(told);
    if rows.len() > 1 {
        forecast::sheet(&mut out, &rows, 2..5);
    }
    out.push_str("</section>\n");
    out
}

/// A chart for every currency: what comes back, and what is kept of it or no longer owed.
fn charts(points: &[(Instant, Figures)]) -> Vec<Chart> {
    let mut currencies: Vec<Currency> = points.iter().filter_map(|(_, figures)| figures.currency()).collect();
    currencies.sort();
    currencies.dedup();
    currencies
        .into_iter()
        .map(|currency| {
            let series = forecast::SHOWN.iter().map(|(label, of)| Series {
                label: (*label).to_owned(),
                points: points.iter().map(|(at, figures)| (*at, shown(figures, currency, *of))).collect(),
            });
            Chart { currency, series: series.filter(forecast::is_worth_drawing).collect() }
        })
        .collect()
}

/// An amount of figures, where they are in a currency: nothing where nothing is open, none where it is not known.
fn shown(figures: &Figures, currency: Currency, of: fn(&Money) -> Amount) -> Option<Amount> {
    match figures.money {
        _ if !figures.is_open() => Some(Amount::ZERO),
        Some(money) if money.currency == currency => Some(of(&money)),
        Some(_) => Some(Amount::ZERO),
        None => None,
    }
}
