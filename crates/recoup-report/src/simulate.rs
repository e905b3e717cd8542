//! Something that is not bought yet, under several providers' rules: what is lost by leaving in month n.

use std::io;

use recoup_core::assessment::Subject;
use recoup_core::money::{Amount, Currency};
use recoup_core::time::{Instant, Zone};
use recoup_core::vocab::{Exit, Outcome, Reason};
use recoup_timeline::Figures;
use serde_json::{Value, json};

use crate::forecast::{Forecasts, parts};
use crate::grid;
use crate::text::{clean, html as escape, paragraph, spaced};
use crate::{Look, page, words};

/// One record under one provider's rules.
#[derive(Debug, Clone)]
pub struct Told {
    /// Of what it speaks.
    pub subject: Subject,
    /// What it is called beside the others.
    pub label: String,
    /// What is paid for it in all, where that is known.
    pub price: Option<(Amount, Currency)>,
    /// The figures at the begin of every month, counted from 0.
    pub by_month: Vec<(Instant, Figures)>,
    /// Why it cannot be left, where it cannot at some month.
    pub reasons: Vec<Reason>,
}

impl Told {
    /// What is lost by leaving at figures: what was paid and does not come back, and what leaving costs.
    /// All of it where nothing is open; unknown where a figure is.
    #[must_use]
    pub fn lost(&self, figures: &Figures) -> Option<Amount> {
        let price = self.price.map(|(paid, _)| paid);
        match figures.money {
            Some(money) if figures.is_open() => {
                // A quote speaks of what is still running; what it leaves out was paid all the same.
                let paid = price.unwrap_or(money.paid).max(money.paid);
                Some(paid - money.refund - money.coupons - money.carried_over + money.charge)
            }
            _ if figures.is_open() => None,
            _ => price,
        }
    }

    /// Whether it can never be left.
    #[must_use]
    pub fn is_locked_in(&self) -> bool {
        !self.by_month.iter().any(|(_, figures)| figures.is_open())
    }

    fn cell(&self, month: usize) -> String {
        match self.by_month.get(month) {
            None => String::new(),
            Some((_, figures)) => {
                let lost = self.lost(figures).map_or_else(|| "unknown".to_owned(), |lost| lost.to_string());
                let sign = if figures.is_open() { "" } else { "✕ " };
                format!("{sign}{lost}")
            }
        }
    }
}

/// Records that are not bought yet under rules, side by side.
#[derive(Debug, Clone)]
pub struct Simulation {
    /// Each record under each provider's rules.
    pub each: Vec<Told>,
    /// The same at every moment between, for the chart.
    pub forecasts: Forecasts,
}

impl Simulation {
    fn months(&self) -> usize {
        self.each.iter().map(|told| told.by_month.len()).max().unwrap_or(0)
    }

    fn open(&self) -> impl Iterator<Item = &Told> {
        self.each.iter().filter(|told| !told.is_locked_in())
    }

    /// A row for every month, a column for every provider at which it can be left at some time.
    fn rows(&self) -> Vec<Vec<String>> {
        let mut heads = vec!["month".to_owned()];
        heads.extend(self.open().map(|told| told.label.clone()));
        let mut rows = vec![heads];
        for month in 0..self.months() {
            let mut row = vec![month.to_string()];
            row.extend(self.open().map(|told| told.cell(month)));
            rows.push(row);
        }
        rows
    }

    /// Those at which it can never be left, by the reasons.
    fn locked_in(&self) -> Vec<String> {
        let mut by_reasons: Vec<(Vec<&str>, Vec<&str>)> = Vec::new();
        for told in self.each.iter().filter(|told| told.is_locked_in()) {
            let reasons: Vec<&str> = told.reasons.iter().map(|reason| words::reason(*reason)).collect();
            match by_reasons.iter_mut().find(|(known, _)| *known == reasons) {
                Some((_, labels)) => labels.push(&told.label),
                None => by_reasons.push((reasons, vec![&told.label])),
            }
        }
        by_reasons
            .into_iter()
            .map(|(reasons, labels)| format!("{}: {}", labels.join(", "), reasons.join(", ")))
            .collect()
    }

    /// By which exit, and on what condition, at each.
    fn exits(&self) -> Vec<String> {
        let told = self.open().map(|told| {
            let mut exits: Vec<String> = Vec::new();
            for (_, figures) in &told.by_month {
                if let Some(exit) = figures.exit {
                    let condition = if figures.outcome == Outcome::Conditional { " (conditional)" } else { "" };
                    let name = format!("{}{condition}", spaced(exit.as_str()));
                    if exits.last() != Some(&name) {
                        exits.push(name);
                    }
                }
            }
            format!("{}: {}", told.label, exits.join(", then "))
        });
        told.collect()
    }

    fn sentence(&self) -> String {
        let prices: Vec<String> = self
            .each
            .iter()
            .filter_map(|told| told.price)
            .map(|(paid, currency)| format!("{paid} {currency}"))
            .collect();
        let mut distinct = prices;
        distinct.dedup();
        let price = match distinct.as_slice() {
            [one] => format!("for {one}; "),
            _ => String::new(),
        };
        let (open, all) = (self.open().count(), self.each.len());
        format!(
            "{price}it can be left at {open} of {all}; what is lost is what was paid and does not come back, and what leaving costs"
        )
    }
}

/// For a terminal: the months side by side, then a chart.
#[must_use]
pub fn table(simulation: &Simulation, look: &Look) -> String {
    /// Providers that stand beside each other; more stand below.
    const BESIDE: usize = 7;
    let mut out = String::new();
    let limit = look.columns();
    let rows = simulation.rows();
    let columns = rows.first().map_or(0, Vec::len);
    let mut first = 1;
    while first < columns {
        let part: Vec<Vec<String>> = rows
            .iter()
            .map(|row| {
                let beside = row.iter().skip(first).take(BESIDE);
                row.iter().take(1).chain(beside).map(|cell| clean(cell)).collect()
            })
            .collect();
        grid::sheet(&mut out, &part, 0..BESIDE + 1, limit, look.colour);
        out.push('\n');
        first += BESIDE;
    }
    for currency in simulation.forecasts.currencies() {
        out.push_str(&crate::chart::terminal(&simulation.forecasts.chart(currency), limit));
        out.push('\n');
    }
    for line in simulation.exits() {
        paragraph(&mut out, "  by  ", &clean(&line), limit);
    }
    for line in simulation.locked_in() {
        paragraph(&mut out, "  never at  ", &clean(&line), limit);
    }
    paragraph(&mut out, "", &format!("{}. ✕: it cannot be left then.", capital(&simulation.sentence())), limit);
    out
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

/// A Markdown document.
#[must_use]
pub fn markdown(simulation: &Simulation, look: &Look) -> String {
    let rows = simulation.rows();
    let columns = rows.first().map_or(0, Vec::len);
    let mut out = format!(
        "# {}\n\n{}. ✕: it cannot be left then.\n\n",
        crate::text::markdown(&look.title),
        capital(&simulation.sentence())
    );
    out.push_str(&crate::markdown::table(&rows, 1..columns));
    let lists = [("By which exit", simulation.exits()), ("Never", simulation.locked_in())];
    for (heading, lines) in lists.into_iter().filter(|(_, lines)| !lines.is_empty()) {
        out.push_str(&format!("\n## {heading}\n\n"));
        lines.iter().for_each(|line| out.push_str(&format!("- {}\n", crate::text::markdown(line))));
    }
    out
}

/// One self-contained page: a chart of what would come back, and the months side by side.
#[must_use]
pub fn html(simulation: &Simulation, look: &Look) -> String {
    let mut body = String::new();
    for currency in simulation.forecasts.currencies() {
        body.push_str(&format!("<h2>What would come back, {currency}</h2>\n"));
        body.push_str(&crate::chart::svg(&simulation.forecasts.chart(currency), "What would come back"));
    }
    let rows = simulation.rows();
    let columns = rows.first().map_or(0, Vec::len);
    body.push_str("<h2>What is lost by leaving in month n</h2>\n");
    crate::forecast::grid_of_figures(&mut body, &rows, 1..columns);
    let lists = [("By which exit", simulation.exits()), ("Never", simulation.locked_in())];
    for (heading, lines) in lists.into_iter().filter(|(_, lines)| !lines.is_empty()) {
        body.push_str(&format!("<h2>{heading}</h2>\n<ul class=\"plain\">"));
        lines.iter().for_each(|line| body.push_str(&format!("<li>{}</li>", escape(line))));
        body.push_str("</ul>\n");
    }
    let sentence = format!("{}. ✕: it cannot be left then.", capital(&simulation.sentence()));
    page::page(
        &look.title,
        &sentence,
        &body,
        "Figures at the begin of a month are exact; lines between them are those of the forecast.",
    )
}

fn month_json(told: &Told, month: usize, at: Instant, figures: &Figures) -> Value {
    let mut map = serde_json::Map::new();
    map.insert("month".into(), month.into());
    map.insert("at".into(), at.display(told.subject.zone).to_string().into());
    map.insert("outcome".into(), figures.outcome.as_str().into());
    map.insert("exit".into(), json!(figures.exit.map(Exit::as_str)));
    map.insert("lost".into(), told.lost(figures).map_or(Value::Null, |lost| lost.to_string().into()));
    for (name, amount) in parts(figures) {
        map.insert(name.into(), amount.map_or(Value::Null, |amount| amount.to_string().into()));
    }
    Value::Object(map)
}

fn to_json(told: &Told) -> Value {
    let months = told.by_month.iter().enumerate();
    json!({
        "provider": told.subject.provider,
        "site": told.subject.site,
        "resource": told.subject.resource,
        "product": told.subject.product,
        "price": told.price.map(|(paid, _)| paid.to_string()),
        "currency": told.price.map(|(_, currency)| currency.to_string()),
        "months": months.map(|(month, (at, figures))| month_json(told, month, *at, figures)).collect::<Vec<_>>(),
        "refused_for": told.reasons.iter().copied().map(Reason::as_str).collect::<Vec<_>>(),
    })
}

/// One JSON array.
#[must_use]
pub fn json(simulation: &Simulation) -> String {
    format!("{:#}\n", simulation.each.iter().map(to_json).collect::<Value>())
}

/// One JSON object a line.
#[must_use]
pub fn ndjson(simulation: &Simulation) -> String {
    simulation.each.iter().map(|told| format!("{}\n", to_json(told))).collect()
}

/// The columns of the CSV.
pub const CSV_COLUMNS: &[&str] = &[
    "provider",
    "site",
    "resource",
    "product",
    "month",
    "at",
    "at_utc",
    "outcome",
    "exit",
    "currency",
    "lost",
    "paid",
    "refund",
    "coupons",
    "fee",
    "consumed",
    "forfeited",
    "released",
    "carried_over",
    "charge",
];

/// A flat table: a row for every month of every record under every provider's rules.
///
/// # Errors
/// Where the writer fails.
pub fn csv(simulation: &Simulation, out: impl io::Write) -> io::Result<()> {
    let mut out = csv::Writer::from_writer(out);
    out.write_record(CSV_COLUMNS)?;
    for told in &simulation.each {
        for (month, (at, figures)) in told.by_month.iter().enumerate() {
            let subject = &told.subject;
            let currency = figures.currency().or(told.price.map(|(_, currency)| currency));
            let mut cells = vec![
                subject.provider.clone(),
                subject.site.clone(),
                subject.resource.clone(),
                subject.product.clone(),
                month.to_string(),
                at.display(subject.zone).to_string(),
                at.display(Zone::UTC).to_string(),
                figures.outcome.to_string(),
                figures.exit.map(|exit| exit.to_string()).unwrap_or_default(),
                currency.map(|currency| currency.to_string()).unwrap_or_default(),
                told.lost(figures).map(|lost| lost.to_string()).unwrap_or_default(),
            ];
            cells.extend(
                parts(figures)
                    .into_iter()
                    .map(|(_, amount)| amount.map(|amount| amount.to_string()).unwrap_or_default()),
            );
            out.write_record(&cells)?;
        }
    }
    out.flush()
}
