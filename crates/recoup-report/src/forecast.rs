//! What would come back at each moment: a table, data, a chart in a page and one in a terminal.

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use recoup_core::assessment::Subject;
use recoup_core::money::{Amount, Currency};
use recoup_core::time::{Instant, Span, Zone};
use recoup_core::vocab::{Exit, Outcome};
use recoup_timeline::figures::Money;
use recoup_timeline::forecast::{Curve, Run, Total};
use recoup_timeline::steps::Movement;
use recoup_timeline::{Ends, Figures};
use serde_json::{Map, Value, json};

use crate::chart::{Chart, Series};
use crate::grid;
use crate::text::{TIE, clean, html as escape, paragraph, spaced};
use crate::{Look, page, time};

type Part = (&'static str, fn(&Money) -> Amount);

/// The parts of money that a chart shows.
pub(crate) const SHOWN: [Part; 5] = [
    ("refund", |money| money.refund),
    ("consumed", |money| money.consumed),
    ("fee", |money| money.fee),
    ("forfeited", |money| money.forfeited),
    ("released", |money| money.released),
];

/// What is nothing all the time is no line worth drawing, but for the refund itself.
pub(crate) fn is_worth_drawing(series: &Series) -> bool {
    series.label == "refund" || series.points.iter().any(|(_, amount)| amount.is_some_and(|amount| !amount.is_zero()))
}

/// The parts of figures by their names; none where nothing is known.
pub(crate) fn parts(figures: &Figures) -> [(&'static str, Option<Amount>); 9] {
    let part = |of: fn(&Money) -> Amount| figures.money.as_ref().map(of);
    [
        ("paid", part(|money| money.paid)),
        ("refund", part(|money| money.refund)),
        ("coupons", part(|money| money.coupons)),
        ("fee", part(|money| money.fee)),
        ("consumed", part(|money| money.consumed)),
        ("forfeited", part(|money| money.forfeited)),
        ("released", part(|money| money.released)),
        ("carried_over", part(|money| money.carried_over)),
        ("charge", part(|money| money.charge)),
    ]
}

/// A resource and what it would give at each moment.
#[derive(Debug, Clone)]
pub struct Forecast {
    /// Of what it speaks.
    pub subject: Subject,
    /// What it is called beside others; its id where nothing else was said.
    pub label: String,
    /// What it would give.
    pub curve: Curve,
    /// The figures at the moments of the whole, for the chart; none where it was not asked about.
    pub at_moments: Vec<Option<Figures>>,
}

/// Forecasts of some resources and of all together.
#[derive(Debug, Clone)]
pub struct Forecasts {
    /// Each resource.
    pub each: Vec<Forecast>,
    /// The instants at which all together are told, in order.
    pub moments: Vec<Instant>,
    /// What all together would give at each.
    pub totals: Vec<Total>,
    /// How many instants at which something moves are not among them.
    pub left_out: usize,
    /// Whether every resource stands for itself and is not added to the others: the same thing at
    /// several providers.
    pub alternatives: bool,
}

impl Forecasts {
    /// The currencies in which something would come back.
    #[must_use]
    pub fn currencies(&self) -> Vec<Currency> {
        let mut all: Vec<Currency> = self.totals.iter().flat_map(|total| total.money.keys().copied()).collect();
        all.sort();
        all.dedup();
        all
    }

    fn points(&self, currency: Currency, of: impl Fn(&Money) -> Amount) -> Vec<(Instant, Option<Amount>)> {
        let worth = |total: &Total| total.money.get(&currency).map_or(Amount::ZERO, &of);
        self.moments.iter().zip(&self.totals).map(|(at, total)| (*at, Some(worth(total)))).collect()
    }

    /// The chart of a currency: refund, fee and consumption of all together, or the refund of each
    /// alternative.
    #[must_use]
    pub fn chart(&self, currency: Currency) -> Chart {
        let series = if self.alternatives {
            let mine = self.each.iter().filter(|forecast| forecast.currency() == Some(currency));
            mine.map(|forecast| Series { label: forecast.label.clone(), points: forecast.points(&self.moments) })
                .collect()
        } else {
            let all = SHOWN
                .iter()
                .map(|(label, of)| Series { label: (*label).to_owned(), points: self.points(currency, of) });
            all.filter(is_worth_drawing).collect()
        };
        Chart { currency, series }
    }
}

impl Forecast {
    /// The currency of its money, where there is any.
    #[must_use]
    pub fn currency(&self) -> Option<Currency> {
        self.curve.runs.iter().find_map(|run| run.first.currency().or_else(|| run.end.currency()))
    }

    fn points(&self, moments: &[Instant]) -> Vec<(Instant, Option<Amount>)> {
        let told = moments.iter().zip(&self.at_moments);
        told.filter_map(|(at, figures)| figures.as_ref().map(|figures| (*at, figures.cash()))).collect()
    }
}

/// How a run moves, in words.
#[must_use]
pub fn pace(run: &Run) -> String {
    let every = |span: Span| {
        let (days, hours) = (span.whole_days(), span.whole_hours());
        match (days, hours) {
            (1, _) => "by the day".to_owned(),
            (2.., _) if span == Span::days(days) => format!("every {days} days"),
            (0, 1) => "by the hour".to_owned(),
            (_, 2..) if span == Span::hours(hours) => format!("every {hours} hours"),
            _ => format!("every {} seconds", span.whole_seconds()),
        }
    };
    match &run.movement {
        Movement::Still => "stays".to_owned(),
        Movement::Glides { every: None, .. } => "falls continuously".to_owned(),
        Movement::Glides { every: Some(span), .. } => every(*span),
        Movement::Steps(steps) => {
            let gaps = steps.instants().windows(2).filter_map(|pair| match pair {
                [a, b] => Some(b.since(*a)),
                _ => None,
            });
            match (steps.len(), gaps.min()) {
                (1, _) | (_, None) => "in one step".to_owned(),
                (count, Some(gap)) if (Span::days(28)..=Span::days(31)).contains(&gap) => {
                    format!("by the month, {count} steps")
                }
                (count, Some(gap)) => format!("{}, {count} steps", every(gap)),
            }
        }
    }
}

/// An instant; the neighbours of a whole second as what they are, the last moment before it and the first
/// after it.
pub(crate) fn moment(at: Instant, zone: Zone) -> String {
    const SECOND: i64 = Span::seconds(1).micros();
    match at.micros().rem_euclid(SECOND) {
        1 => format!("after {}", time::long(Instant::from_micros(at.micros() - 1), zone)),
        last if last == SECOND - 1 => format!("before {}", time::long(Instant::from_micros(at.micros() + 1), zone)),
        _ => time::long(at, zone),
    }
}

pub(crate) fn ends(run: &Run, zone: Zone) -> String {
    match run.ends {
        Ends::Before(at) => format!("before {}", time::long(at, zone)),
        Ends::Through(at) => format!("through {}", time::long(at, zone)),
        Ends::Open => format!("through {}", time::long(run.last, zone)),
    }
}

pub(crate) fn exit(figures: &Figures) -> String {
    figures.exit.map_or_else(|| "-".to_owned(), |exit| spaced(exit.as_str()))
}

fn cell(figures: &Figures, of: fn(&Money) -> Amount) -> String {
    match (figures.is_open(), figures.money) {
        (false, _) => "-".to_owned(),
        (true, None) => "unknown".to_owned(),
        (true, Some(money)) => of(&money).to_string(),
    }
}

/// From the amount at the begin to that at the end, or one amount where it stays.
fn from_to(run: &Run, of: fn(&Money) -> Amount) -> String {
    let (a, b) = (cell(&run.first, of), cell(&run.end, of));
    if a == b { a } else { format!("{a} → {b}") }
}

const HEADS: [&str; 8] = ["from", "best exit", "refund", "fee", "consumed", "forfeited", "released", "how, until"];

fn rows_of(forecast: &Forecast) -> Vec<Vec<String>> {
    let zone = forecast.subject.zone;
    let mut rows = vec![HEADS.iter().map(|head| (*head).to_owned()).collect::<Vec<_>>()];
    for run in merged(&forecast.curve.runs) {
        let run = &run;
        rows.push(vec![
            moment(run.from, zone),
            if run.first.exit == run.end.exit {
                exit(&run.first)
            } else {
                format!("{}, then {}", exit(&run.first), exit(&run.end))
            },
            from_to(run, |money| money.refund),
            from_to(run, |money| money.fee),
            from_to(run, |money| money.consumed),
            from_to(run, |money| money.forfeited),
            from_to(run, |money| money.released),
            format!("{} {}", pace(run), ends(run, zone)),
        ]);
    }
    rows
}

/// Runs in which nothing is open and that follow each other are one to somebody who asks what comes back.
fn merged(runs: &[Run]) -> Vec<Run> {
    let mut all: Vec<Run> = Vec::with_capacity(runs.len());
    for run in runs {
        match all.last_mut() {
            Some(last) if !last.first.is_open() && !run.first.is_open() => {
                (last.last, last.ends) = (run.last, run.ends);
            }
            _ => all.push(run.clone()),
        }
    }
    all
}

fn heading(forecast: &Forecast) -> String {
    let subject = &forecast.subject;
    let name = subject.name.as_deref().filter(|name| *name != subject.resource).map(|name| format!(" {name}"));
    let currency = forecast.currency().map(|currency| format!(", in {currency}")).unwrap_or_default();
    let best = best(forecast).map(|best| format!("; best {best}")).unwrap_or_default();
    format!("{} {}{}{currency}{best}", subject.provider, forecast.label, name.unwrap_or_default())
}

/// The best moment to leave and what it gives, in words.
#[must_use]
pub fn best(forecast: &Forecast) -> Option<String> {
    let (at, figures) = forecast.curve.best()?;
    let money = figures.money?;
    let from = forecast.curve.runs.first().map(|run| run.from);
    let when = match moment(at, forecast.subject.zone) {
        _ if Some(at) == from => "now".to_owned(),
        beside if beside.starts_with(['a', 'b']) => format!("right {beside}"),
        at => format!("at {at}"),
    };
    let released = if money.released.is_zero() {
        String::new()
    } else {
        format!(" and releases {} {}", money.released, money.currency)
    };
    let by = exit(&figures);
    Some(format!("{when} by {by}: {} {}{released}", money.cash(), money.currency))
}

/// The sums at the first and the last moment, and at each at which they jump, as rows.
fn total_rows(forecasts: &Forecasts, currency: Currency, most: usize) -> Vec<Vec<String>> {
    let heads = ["at (UTC)", "refund", "fee", "consumed", "forfeited", "released", "open", "no figure", "refused"];
    let mut rows = vec![heads.iter().map(|head| (*head).to_owned()).collect::<Vec<_>>()];
    let chosen = jumps(forecasts, currency, most);
    for (place, (at, total)) in forecasts.moments.iter().zip(&forecasts.totals).enumerate() {
        if !chosen.contains(&place) {
            continue;
        }
        let money = total.money.get(&currency).copied().unwrap_or_else(|| Money::nothing(currency));
        rows.push(vec![
            moment(*at, Zone::UTC),
            money.refund.to_string(),
            money.fee.to_string(),
            money.consumed.to_string(),
            money.forfeited.to_string(),
            money.released.to_string(),
            total.open.to_string(),
            total.unknown.to_string(),
            total.refused.to_string(),
        ]);
    }
    rows
}

/// The places of the moments to be shown where not all can be: the first, the last, and the two sides of
/// the boundaries at which most moves. Steps between two boundaries are many and small.
fn jumps(forecasts: &Forecasts, currency: Currency, most: usize) -> Vec<usize> {
    let worth = |total: &Total| total.money.get(&currency).map_or(Amount::ZERO, Money::worth);
    let boundaries: BTreeSet<Instant> =
        forecasts.each.iter().flat_map(|forecast| forecast.curve.runs.iter().map(|run| run.from)).collect();
    let count = forecasts.totals.len();
    let sides = forecasts.moments.windows(2).zip(forecasts.totals.windows(2)).enumerate();
    let mut sizes: Vec<(Amount, usize)> = sides
        .filter_map(|(place, sides)| match sides {
            ([_, at], [a, b]) if boundaries.contains(at) => Some(((worth(a) - worth(b)).magnitude(), place)),
            _ => None,
        })
        .filter(|(size, _)| !size.is_zero())
        .collect();
    sizes.sort_by(|a, b| b.cmp(a));
    let largest = sizes.into_iter().take(most).flat_map(|(_, place)| [place, place + 1]);
    let mut chosen: Vec<usize> = largest.chain([0, count.saturating_sub(1)]).collect();
    chosen.sort_unstable();
    chosen.dedup();
    chosen
}

/// One sentence about all together.
#[must_use]
pub fn sentence(forecasts: &Forecasts) -> String {
    let plural = if forecasts.each.len() == 1 { "" } else { "s" };
    let mut parts = vec![format!("{} resource{plural}", forecasts.each.len())];
    if let (Some(first), Some(last), false) =
        (forecasts.totals.first(), forecasts.totals.last(), forecasts.alternatives)
    {
        for currency in forecasts.currencies() {
            let refund = |total: &Total| total.money.get(&currency).map_or(Amount::ZERO, |money| money.refund);
            parts.push(format!(
                "refund {}{TIE}{currency} at first, {}{TIE}{currency} at last",
                refund(first),
                refund(last)
            ));
        }
        let conditional = first.conditional;
        if conditional > 0 {
            parts.push(format!("{conditional} of them only if what is unknown is as assumed"));
        }
        if first.unknown > 0 {
            parts.push(format!("{} with no known figure, in no sum", first.unknown));
        }
    }
    if forecasts.left_out > 0 {
        parts.push(format!("sums are told at the largest changes; {} smaller ones lie between", forecasts.left_out));
    }
    parts.join("; ")
}

/// Rows of sums that a table shows.
const MOST_ROWS: usize = 12;

/// For a terminal: a chart and sums for each currency, then every resource.
#[must_use]
pub fn table(forecasts: &Forecasts, look: &Look) -> String {
    let mut out = String::new();
    let limit = look.columns();
    for currency in forecasts.currencies() {
        out.push_str(&crate::chart::terminal(&forecasts.chart(currency), limit));
        out.push('\n');
        if !forecasts.alternatives {
            grid::sheet(&mut out, &total_rows(forecasts, currency, MOST_ROWS), 1..9, limit, look.colour);
            out.push('\n');
        }
    }
    for forecast in &forecasts.each {
        for line in crate::text::wrap(&clean(&heading(forecast)), limit) {
            out.push_str(&grid::paint(&line, grid::Tone::Head, look.colour));
            out.push('\n');
        }
        grid::sheet(&mut out, &trimmed(rows_of(forecast)), 0..0, limit, look.colour);
        out.push('\n');
    }
    paragraph(&mut out, "", &format!("{}.", sentence(forecasts)), limit);
    out
}

/// Rows without the columns in which nothing stands.
fn trimmed(rows: Vec<Vec<String>>) -> Vec<Vec<String>> {
    let is_empty = |column: usize| {
        rows.iter().skip(1).all(|row| row.get(column).is_none_or(|cell| matches!(cell.as_str(), "-" | "0.00" | "0")))
    };
    let empty: Vec<bool> = (0..HEADS.len()).map(|column| (3..7).contains(&column) && is_empty(column)).collect();
    rows.into_iter()
        .map(|row| row.into_iter().zip(&empty).filter(|(_, empty)| !**empty).map(|(cell, _)| cell).collect())
        .collect()
}

/// A Markdown document.
#[must_use]
pub fn markdown(forecasts: &Forecasts, look: &Look) -> String {
    let mut out = format!("# {}\n\n{}.\n\n", crate::text::markdown(&look.title), sentence(forecasts).replace(TIE, " "));
    if !forecasts.alternatives {
        for currency in forecasts.currencies() {
            out.push_str(&format!("## All together, {currency}\n\n"));
            out.push_str(&crate::markdown::table(&total_rows(forecasts, currency, usize::MAX), 1..9));
            out.push('\n');
        }
    }
    for forecast in &forecasts.each {
        out.push_str(&format!("## {}\n\n", crate::text::markdown(&heading(forecast))));
        out.push_str(&crate::markdown::table(&rows_of(forecast), 2..7));
        out.push('\n');
    }
    out
}

/// One self-contained page: a chart for each currency with its figures as a table, then every resource.
#[must_use]
pub fn html(forecasts: &Forecasts, look: &Look) -> String {
    let mut body = String::new();
    for currency in forecasts.currencies() {
        let what = if forecasts.alternatives { "Refund of each" } else { "All together" };
        body.push_str(&format!("<h2>{what}, {currency}</h2>\n"));
        body.push_str(&crate::chart::svg(&forecasts.chart(currency), what));
        if !forecasts.alternatives {
            grid_of_figures(&mut body, &total_rows(forecasts, currency, 200), 1..9);
        }
    }
    for forecast in &forecasts.each {
        body.push_str(&format!("<h2>{}</h2>\n", escape(&heading(forecast))));
        sheet(&mut body, &rows_of(forecast), 2..7);
    }
    let footer = "Figures are exact at every instant named. Between them they stay, or fall by the steps named: nothing is sampled. \
                  Lines are told apart by their marks and dashes, and named at their ends.";
    page::page(&look.title, &format!("{}.", sentence(forecasts).replace(TIE, " ")), &body, footer)
}

/// A table of figures that are read down and across: it keeps its columns in a narrow window, which scrolls it.
pub(crate) fn grid_of_figures(out: &mut String, rows: &[Vec<String>], right: std::ops::Range<usize>) {
    out.push_str("<div class=\"wide\">");
    rows_as(out, "list figures", rows, right);
    out.push_str("</div>\n");
}

/// A table of which each row speaks for itself: in a narrow window every row is a card.
pub(crate) fn sheet(out: &mut String, rows: &[Vec<String>], right: std::ops::Range<usize>) {
    rows_as(out, "list", rows, right);
}

fn rows_as(out: &mut String, class: &str, rows: &[Vec<String>], right: std::ops::Range<usize>) {
    out.push_str(&format!("<table class=\"{class}\">\n"));
    let heads = rows.first();
    for (index, row) in rows.iter().enumerate() {
        let tag = if index == 0 { "th" } else { "td" };
        let cells: String = row
            .iter()
            .enumerate()
            .map(|(column, cell)| {
                let class = if right.contains(&column) { " class=\"num\"" } else { "" };
                let label = heads.and_then(|heads| heads.get(column)).map_or("", String::as_str);
                let label = if index == 0 { String::new() } else { format!(" data-l=\"{}\"", escape(label)) };
                format!("<{tag}{class}{label}>{}</{tag}>", escape(cell))
            })
            .collect();
        let (open, close) = match index {
            0 => ("<thead>", "</thead>"),
            _ => ("<tbody>", "</tbody>"),
        };
        out.push_str(&format!("{open}<tr>{cells}</tr>{close}\n"));
    }
    out.push_str("</table>\n");
}

fn figures_json(map: &mut Map<String, Value>, figures: &Figures) {
    map.insert("outcome".into(), figures.outcome.as_str().into());
    map.insert("exit".into(), json!(figures.exit.map(Exit::as_str)));
    map.insert("currency".into(), json!(figures.currency().map(|currency| currency.to_string())));
    for (name, amount) in parts(figures) {
        map.insert(name.into(), amount.map_or(Value::Null, |amount| amount.to_string().into()));
    }
}

fn of_figures(figures: &Figures) -> Value {
    let mut map = Map::new();
    figures_json(&mut map, figures);
    Value::Object(map)
}

fn run_json(run: &Run, zone: Zone) -> Value {
    let text = |at: Instant| at.display(zone).to_string();
    let (movement, every, steps) = match &run.movement {
        Movement::Still => ("still", None, Value::Array(Vec::new())),
        Movement::Glides { every, .. } => ("glides", every.map(Span::whole_seconds), Value::Null),
        Movement::Steps(steps) => {
            let listed = steps.iter().map(|(at, figures)| {
                let mut map = Map::new();
                map.insert("at".into(), text(at).into());
                figures_json(&mut map, &figures);
                Value::Object(map)
            });
            ("steps", None, listed.collect())
        }
    };
    let (until, inclusive) = match run.ends {
        Ends::Before(at) => (at, false),
        Ends::Through(at) => (at, true),
        Ends::Open => (run.last, true),
    };
    json!({
        "from": text(run.from),
        "until": text(until),
        "inclusive": inclusive,
        "at_from": of_figures(&run.first),
        "at_end": of_figures(&run.end),
        "movement": movement,
        "every_seconds": every,
        "steps": steps,
    })
}

/// A resource's forecast as programs read it.
#[must_use]
pub fn to_json(forecast: &Forecast) -> Value {
    let subject = &forecast.subject;
    let best = forecast.curve.best().map(|(at, figures)| {
        let mut map = Map::new();
        map.insert("at".into(), at.display(subject.zone).to_string().into());
        figures_json(&mut map, &figures);
        Value::Object(map)
    });
    json!({
        "kind": "resource",
        "provider": subject.provider,
        "site": subject.site,
        "account": subject.account,
        "resource": subject.resource,
        "name": subject.name,
        "product": subject.product,
        "best": best,
        "runs": forecast.curve.runs.iter().map(|run| run_json(run, subject.zone)).collect::<Vec<_>>(),
    })
}

fn total_json(at: Instant, total: &Total) -> Value {
    let sums: BTreeMap<String, Value> = total
        .money
        .iter()
        .map(|(currency, money)| {
            let figures = Figures { outcome: Outcome::Allowed, exit: None, money: Some(*money) };
            let sums = parts(&figures)
                .into_iter()
                .filter_map(|(name, amount)| Some((name.to_owned(), amount?.to_string().into())));
            (currency.to_string(), Value::Object(sums.collect()))
        })
        .collect();
    json!({
        "kind": "total",
        "at": at.display(Zone::UTC).to_string(),
        "open": total.open,
        "conditional": total.conditional,
        "no_figure": total.unknown,
        "refused": total.refused,
        "sums": sums,
    })
}

fn totals(forecasts: &Forecasts) -> impl Iterator<Item = Value> + '_ {
    let told = forecasts.moments.iter().zip(&forecasts.totals).filter(|_| !forecasts.alternatives);
    told.map(|(at, total)| total_json(*at, total))
}

/// A list in a JSON object that spans lines, an item after the other: all together would be many times what they are
/// made from.
fn list(out: &mut dyn io::Write, items: impl Iterator<Item = Value>) -> io::Result<()> {
    let mut begins = "[\n    ";
    for item in items {
        write!(out, "{begins}{}", format!("{item:#}").replace('\n', "\n    "))?;
        begins = ",\n    ";
    }
    out.write_all(if begins.starts_with('[') { b"[]" } else { b"\n  ]" })
}

/// One JSON object: the resources and the totals.
///
/// # Errors
/// Where the writer fails.
pub fn json(forecasts: &Forecasts, out: &mut dyn io::Write) -> io::Result<()> {
    out.write_all(b"{\n  \"resources\": ")?;
    list(out, forecasts.each.iter().map(to_json))?;
    out.write_all(b",\n  \"totals\": ")?;
    list(out, totals(forecasts))?;
    writeln!(out, ",\n  \"totals_left_out\": {}\n}}", forecasts.left_out)
}

/// One JSON object a line: every resource, then every total.
///
/// # Errors
/// Where the writer fails.
pub fn ndjson(forecasts: &Forecasts, out: &mut dyn io::Write) -> io::Result<()> {
    forecasts.each.iter().map(to_json).chain(totals(forecasts)).try_for_each(|value| writeln!(out, "{value}"))
}

/// The columns of the CSV.
pub const CSV_COLUMNS: &[&str] = &[
    "kind",
    "provider",
    "site",
    "account",
    "resource",
    "at",
    "at_utc",
    "outcome",
    "exit",
    "currency",
    "paid",
    "refund",
    "coupons",
    "fee",
    "consumed",
    "forfeited",
    "released",
    "carried_over",
    "charge",
    "moves",
];

/// A flat table: for every resource a row at both ends of every run and at every step between, then a row
/// for the total of every currency at every moment.
///
/// # Errors
/// Where the writer fails.
pub fn csv(forecasts: &Forecasts, out: impl io::Write) -> io::Result<()> {
    let mut out = csv::Writer::from_writer(out);
    out.write_record(CSV_COLUMNS)?;
    let money = |figures: &Figures| -> Vec<String> {
        let mut cells = vec![figures.currency().map(|currency| currency.to_string()).unwrap_or_default()];
        cells.extend(
            parts(figures).into_iter().map(|(_, amount)| amount.map(|amount| amount.to_string()).unwrap_or_default()),
        );
        cells
    };
    for forecast in &forecasts.each {
        let subject = &forecast.subject;
        let mut write = |at: Instant, figures: &Figures, moves: &str| {
            let mut cells = vec![
                "resource".to_owned(),
                subject.provider.clone(),
                subject.site.clone(),
                subject.account.clone().unwrap_or_default(),
                subject.resource.clone(),
                at.display(subject.zone).to_string(),
                at.display(Zone::UTC).to_string(),
                figures.outcome.to_string(),
                figures.exit.map(|exit| exit.to_string()).unwrap_or_default(),
            ];
            cells.extend(money(figures));
            cells.push(moves.to_owned());
            out.write_record(&cells)
        };
        for run in &forecast.curve.runs {
            write(run.from, &run.first, &pace(run))?;
            if let Movement::Steps(steps) = &run.movement {
                for (at, figures) in steps.iter().filter(|(at, _)| *at < run.last) {
                    write(at, &figures, "step")?;
                }
            }
            if run.last > run.from {
                write(run.last, &run.end, "end")?;
            }
        }
    }
    if !forecasts.alternatives {
        for (at, total) in forecasts.moments.iter().zip(&forecasts.totals) {
            for sums in total.money.values() {
                let figures = Figures { outcome: Outcome::Allowed, exit: None, money: Some(*sums) };
                let utc = at.display(Zone::UTC).to_string();
                let mut cells: Vec<String> = vec!["total".to_owned()];
                cells.extend(std::iter::repeat_n(String::new(), 4));
                cells.extend([utc.clone(), utc, String::new(), String::new()]);
                cells.extend(money(&figures));
                cells.push(String::new());
                out.write_record(&cells)?;
            }
        }
    }
    out.flush()
}
