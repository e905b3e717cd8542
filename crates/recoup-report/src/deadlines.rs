//! Deadlines of a portfolio: what closes, opens or changes its fee, when, and what it costs to miss it.
//!
//! Every face shows an instant on the site's wall clock and in UTC. Where an exit asks for a review, the
//! instant to act by is the one at which the review is over in time.
//!
//! | face | for |
//! |---|---|
//! | [`table`], [`markdown`], [`html`] | people |
//! | [`json()`], [`ndjson()`], [`csv()`] | programs |
//! | [`ics`](crate::ics) | calendars |

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::io;

use recoup_core::money::{Amount, Currency};
use recoup_core::policy::Policy;
use recoup_core::refund::RefundQuote;
use recoup_core::time::{Instant, Zone};
use recoup_core::vocab::{Exit, Outcome, Reason};
use recoup_timeline::Figures;
use recoup_timeline::deadlines::{Cause, Change, Deadline, Kind};
use serde_json::{Map, Value, json};

use crate::grid::{self, Cell, GAP, Tone};
use crate::text::{TIE, clean, html as escape, paragraph, spaced, web_address, width};
use crate::{Look, page, time, words};

/// The order of deadlines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Sort {
    /// What is due first stands first.
    #[default]
    Time,
    /// By currency, what costs most stands first; what gains by waiting stands last, and where a figure
    /// is unknown behind that.
    Stake,
}

/// What deadlines are grouped by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Group {
    /// Provider, site and account.
    Account,
    /// The provider.
    Provider,
}

/// Deadlines in groups, each with its heading; one group without a heading where none were asked for.
#[must_use]
pub fn arranged(deadlines: &[Deadline], sort: Sort, group: Option<Group>) -> Vec<(String, Vec<&Deadline>)> {
    let mut groups: BTreeMap<String, Vec<&Deadline>> = BTreeMap::new();
    for deadline in deadlines {
        let subject = &deadline.subject;
        let heading = match group {
            None => String::new(),
            Some(Group::Provider) => subject.provider.clone(),
            Some(Group::Account) => {
                let account = subject.account.as_deref().unwrap_or("no account named");
                format!("{}/{} {account}", subject.provider, subject.site)
            }
        };
        groups.entry(heading).or_default().push(deadline);
    }
    for members in groups.values_mut() {
        members.sort_by(|a, b| {
            let by_time = a.due().cmp(&b.due()).then_with(|| a.subject.resource.cmp(&b.subject.resource));
            match sort {
                Sort::Time => by_time,
                Sort::Stake => {
                    let key = |deadline: &Deadline| {
                        (deadline.stake().is_none(), deadline.currency(), Reverse(deadline.stake()))
                    };
                    key(a).cmp(&key(b)).then(by_time)
                }
            }
        });
    }
    groups.into_iter().collect()
}

/// What is at stake in all, by currency: what is lost by letting every instant pass that loses something.
#[must_use]
pub fn at_stake<'d>(deadlines: impl IntoIterator<Item = &'d Deadline>) -> BTreeMap<Currency, Amount> {
    let mut sums = BTreeMap::new();
    for deadline in deadlines {
        if let (Some(stake), Some(currency)) = (deadline.stake(), deadline.currency())
            && stake.is_positive()
        {
            *sums.entry(currency).or_insert(Amount::ZERO) += stake;
        }
    }
    sums
}

/// One sentence: how many, how many of them lose something, and what is at stake.
#[must_use]
pub fn sentence(deadlines: &[Deadline]) -> String {
    let losing = deadlines.iter().filter(|deadline| deadline.loses()).count();
    let gaps = deadlines.iter().filter(|deadline| deadline.stake().is_none()).count();
    let sums: Vec<String> =
        at_stake(deadlines).into_iter().map(|(currency, sum)| format!("{sum}{TIE}{currency}")).collect();
    let plural = if deadlines.len() == 1 { "" } else { "s" };
    let stake = if sums.is_empty() { String::new() } else { format!(", at stake {}", sums.join(" and ")) };
    let gaps = if gaps == 0 { String::new() } else { format!("; {gaps} with no known figure, in no sum") };
    let verb = if losing == 1 { "loses" } else { "lose" };
    format!("{} deadline{plural}, {losing} of which {verb} something{stake}{gaps}", deadlines.len())
}

/// A word for what happens to an exit.
#[must_use]
pub const fn verb(kind: Kind) -> &'static str {
    match kind {
        Kind::Closes => "closes",
        Kind::Opens => "opens",
        Kind::FeeChanges => "fee changes",
        Kind::AmountChanges => "amount changes",
        Kind::ConditionsChange => "conditions change",
    }
}

/// What happens, exit by exit.
#[must_use]
pub fn what(deadline: &Deadline) -> String {
    let parts: Vec<String> = deadline
        .changes
        .iter()
        .map(|change| format!("{} {}", spaced(change.exit.as_str()), verb(change.kind)))
        .collect();
    parts.join(", ")
}

pub(crate) fn clause_id(policy: &Policy, cause: &Cause) -> String {
    policy.clause(cause.clause).map_or("recoup.no-rule", |clause| clause.id.as_str()).to_owned()
}

fn causes(deadline: &Deadline) -> Vec<Cause> {
    let mut all: Vec<Cause> = deadline.changes.iter().flat_map(|change| change.causes.iter().copied()).collect();
    all.sort();
    all.dedup();
    all
}

/// Why it happens: reasons and clauses, and the review that must be over by then.
#[must_use]
pub fn why(deadline: &Deadline) -> String {
    const SHOWN: usize = 3;
    let causes = causes(deadline);
    let mut parts: Vec<String> = causes
        .iter()
        .take(SHOWN)
        .map(|cause| {
            let id = clause_id(&deadline.policy, cause);
            cause.reason.map_or_else(|| id.clone(), |reason| format!("{}: {id}", words::reason(reason)))
        })
        .collect();
    if causes.len() > SHOWN {
        parts.push(format!("{} more", causes.len() - SHOWN));
    }
    if deadline.before.outcome == Outcome::Conditional {
        parts.push("conditional".to_owned());
    }
    if deadline.rules_change {
        parts.push("other rules come into force".to_owned());
    }
    parts.extend(review(deadline));
    parts.join("; ")
}

/// What is said of the review that must be over in time.
fn review(deadline: &Deadline) -> Option<String> {
    let review = deadline.review.as_ref()?;
    let by = spaced(&review.by);
    Some(match review.approved_after_hours {
        Some(hours) => format!(
            "reviewed by {by} for up to {hours} hours, so ask before {}",
            time::long(deadline.due(), deadline.subject.zone)
        ),
        None => format!("reviewed by {by} first, and how long that takes is not published"),
    })
}

/// The instant as words: `before ...`, or `through ...` where it is itself inside.
pub(crate) fn when(deadline: &Deadline, zone: Zone) -> String {
    let word = if deadline.through { "through" } else { "before" };
    format!("{word} {}", time::long(deadline.at, zone))
}

/// What leaving is worth, as people read it.
pub(crate) fn worth(figures: &Figures) -> (String, String) {
    match (figures.is_open(), figures.money) {
        (false, _) => ("-".to_owned(), String::new()),
        (true, None) => ("unknown".to_owned(), String::new()),
        (true, Some(money)) => (money.worth().to_string(), money.currency.to_string()),
    }
}

/// What is at stake, as people read it.
pub(crate) fn stake(deadline: &Deadline) -> (String, String) {
    match (deadline.stake(), deadline.currency()) {
        (Some(stake), Some(currency)) => (stake.to_string(), currency.to_string()),
        (Some(_), None) => ("0".to_owned(), String::new()),
        (None, _) => ("unknown".to_owned(), String::new()),
    }
}

/// A table for a terminal, in groups.
#[must_use]
pub fn table(deadlines: &[Deadline], sort: Sort, group: Option<Group>, look: &Look) -> String {
    let mut out = String::new();
    let limit = look.columns();
    for (heading, members) in arranged(deadlines, sort, group) {
        if !heading.is_empty() {
            let sums: Vec<String> = at_stake(members.iter().copied())
                .into_iter()
                .map(|(currency, sum)| format!("{sum}{TIE}{currency}"))
                .collect();
            let sums = if sums.is_empty() { String::new() } else { format!(": at stake {}", sums.join(" and ")) };
            for line in crate::text::wrap(&format!("{}{sums}", clean(&heading)), limit) {
                out.push_str(&grid::paint(&line, Tone::Head, look.colour));
                out.push('\n');
            }
        }
        draw(&mut out, &members, look);
        out.push('\n');
    }
    paragraph(&mut out, "", &sentence(deadlines), limit);
    out
}

/// The columns of the table: the last one takes what is left, or stands under the row.
fn draw(out: &mut String, deadlines: &[&Deadline], look: &Look) {
    const LEAST_WHY: usize = 24;
    let heads = ["when", "resource", "what happens", "before", "after", "at stake", "why"];
    let money = |of: &dyn Fn(&Deadline) -> (String, String)| {
        grid::aligned(&deadlines.iter().map(|deadline| of(deadline)).collect::<Vec<_>>())
    };
    let before = money(&|deadline| worth(&deadline.before));
    let after = money(&|deadline| worth(&deadline.after));
    let stakes = money(&stake);
    let mut rows: Vec<[String; 7]> = Vec::with_capacity(deadlines.len());
    for (((deadline, before), after), stake) in deadlines.iter().zip(before).zip(after).zip(stakes) {
        let subject = &deadline.subject;
        let local = when(deadline, subject.zone);
        let utc = time::long(deadline.at, Zone::UTC);
        let when = if local.ends_with(&utc) { local } else { format!("{local} ({})", utc.replace(' ', "\u{a0}")) };
        let resource = format!("{} {}", clean(&subject.provider), clean(&subject.resource));
        rows.push([when, resource, what(deadline), before, after, stake, clean(&why(deadline))]);
    }
    let widest = |column: usize, most: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column)).map(|cell| width(cell)).max().unwrap_or(0);
        cells.max(heads.get(column).map_or(0, |head| head.len())).min(most)
    };
    let mut widths = [widest(0, 31), widest(1, 24), widest(2, 26), widest(3, 99), widest(4, 99), widest(5, 99), 0];
    let used: usize = widths.iter().sum::<usize>() + GAP * 6;
    let beside = used + LEAST_WHY <= look.columns();
    if !beside && used > look.columns() + GAP {
        let mut all: Vec<Vec<String>> = vec![heads.iter().map(|head| (*head).to_owned()).collect()];
        all.extend(rows.iter().map(|row| row.iter().map(|cell| cell.trim().replace('\u{a0}', " ")).collect()));
        return grid::sheet(out, &all, 3..6, look.columns().min(used), look.colour);
    }
    if let Some(last) = widths.last_mut() {
        *last = look.columns().saturating_sub(used).max(1);
    }
    let shown = if beside { 7 } else { 6 };
    grid::row(out, &cells(heads, &widths, shown, Tone::Head), look.colour);
    for row in &rows {
        let [when, resource, what, before, after, stake, why] = row;
        let texts = [when, resource, what, before, after, stake, why].map(String::as_str);
        grid::row(out, &cells(texts, &widths, shown, Tone::Plain), look.colour);
        if !beside && !why.is_empty() {
            paragraph(out, "    ", why, look.columns());
        }
    }
}

/// The first `shown` cells of a row.
fn cells<'t>(texts: [&'t str; 7], widths: &[usize; 7], shown: usize, tone: Tone) -> Vec<Cell<'t>> {
    let cell = |(column, (text, width)): (usize, (&'t str, &usize))| Cell {
        text,
        width: *width,
        right: (3..6).contains(&column),
        tone,
    };
    texts.into_iter().zip(widths).enumerate().take(shown).map(cell).collect()
}

/// A Markdown document with a table for every group.
#[must_use]
pub fn markdown(deadlines: &[Deadline], sort: Sort, group: Option<Group>, look: &Look) -> String {
    let mut out = format!("# {}\n\n", crate::text::markdown(&look.title));
    for (heading, members) in arranged(deadlines, sort, group) {
        if !heading.is_empty() {
            out.push_str(&format!("## {}\n\n", crate::text::markdown(&heading)));
        }
        let heads =
            ["when", "UTC", "provider", "account", "resource", "what happens", "before", "after", "at stake", "why"];
        let mut rows: Vec<Vec<String>> = vec![heads.iter().map(|head| (*head).to_owned()).collect()];
        for deadline in members {
            let subject = &deadline.subject;
            let amount = |(amount, currency): (String, String)| format!("{amount} {currency}").trim().to_owned();
            rows.push(vec![
                when(deadline, subject.zone),
                time::long(deadline.at, Zone::UTC),
                subject.provider.clone(),
                subject.account.clone().unwrap_or_default(),
                subject.resource.clone(),
                what(deadline),
                amount(worth(&deadline.before)),
                amount(worth(&deadline.after)),
                amount(stake(deadline)),
                why(deadline),
            ]);
        }
        out.push_str(&crate::markdown::table(&rows, 6..9));
        out.push('\n');
    }
    out.push_str(&format!("{}.\n", sentence(deadlines).replace(TIE, " ")));
    out
}

fn figures_json(figures: &Figures) -> Value {
    let mut map = Map::new();
    map.insert("outcome".into(), figures.outcome.as_str().into());
    map.insert("exit".into(), json!(figures.exit.map(Exit::as_str)));
    for (name, amount) in crate::forecast::parts(figures) {
        map.insert(name.into(), amount.map_or(Value::Null, |amount| amount.to_string().into()));
    }
    Value::Object(map)
}

fn change_json(change: &Change, deadline: &Deadline) -> Value {
    let zone = deadline.subject.zone;
    let refund = |quote: &Option<RefundQuote>| {
        quote.as_ref().map_or(Value::Null, |quote| recoup_core::assessment::refund_to_json(quote, zone))
    };
    let outcome = |outcome: Option<Outcome>| json!(outcome.map(Outcome::as_str));
    let causes: Vec<Value> = change
        .causes
        .iter()
        .map(|cause| {
            let clause = deadline.policy.clause(cause.clause);
            let sources = clause.into_iter().flat_map(|clause| &clause.sources);
            let sources = sources.filter_map(|key| deadline.policy.source(key));
            let sources: Vec<Value> =
                sources.map(|source| json!({"title": source.title, "url": source.url, "date": source.date})).collect();
            json!({
                "clause": clause_id(&deadline.policy, cause),
                "reason": cause.reason.map(Reason::as_str),
                "says": clause.map(|clause| clause.says.as_str()),
                "sources": sources,
            })
        })
        .collect();
    json!({
        "exit": change.exit.as_str(),
        "kind": change.kind.as_str(),
        "outcome_before": outcome(change.outcome_before),
        "outcome_after": outcome(change.outcome_after),
        "refund_before": refund(&change.before),
        "refund_after": refund(&change.after),
        "causes": causes,
    })
}

/// A deadline as programs read it.
#[must_use]
pub fn to_json(deadline: &Deadline) -> Value {
    let subject = &deadline.subject;
    let local = |at: Instant| at.display(subject.zone).to_string();
    let utc = |at: Instant| at.display(Zone::UTC).to_string();
    let review = deadline.review.as_ref().map(|review| {
        json!({
            "by": review.by,
            "clause": deadline.policy.clause(review.because).map(|clause| clause.id.as_str()),
            "approved_after_hours": review.approved_after_hours,
            "submit_by": deadline.submit_by.map(local),
        })
    });
    json!({
        "provider": subject.provider,
        "site": subject.site,
        "account": subject.account,
        "resource": subject.resource,
        "name": subject.name,
        "product": subject.product,
        "at": local(deadline.at),
        "at_utc": utc(deadline.at),
        "inclusive": deadline.through,
        "due": local(deadline.due()),
        "due_utc": utc(deadline.due()),
        "currency": deadline.currency().map(|currency| currency.as_str().to_owned()),
        "stake": deadline.stake().map(|stake| stake.to_string()),
        "loses": deadline.loses(),
        "before": figures_json(&deadline.before),
        "after": figures_json(&deadline.after),
        "changes": deadline.changes.iter().map(|change| change_json(change, deadline)).collect::<Vec<_>>(),
        "review": review,
        "rules_change": deadline.rules_change,
    })
}

/// One JSON array, in the order asked for.
#[must_use]
pub fn json(deadlines: &[Deadline], sort: Sort, group: Option<Group>) -> String {
    let all: Vec<Value> = in_order(deadlines, sort, group).map(to_json).collect();
    format!("{:#}\n", Value::Array(all))
}

/// One JSON object a line, in the order asked for.
#[must_use]
pub fn ndjson(deadlines: &[Deadline], sort: Sort, group: Option<Group>) -> String {
    in_order(deadlines, sort, group).map(|deadline| format!("{}\n", to_json(deadline))).collect()
}

fn in_order(deadlines: &[Deadline], sort: Sort, group: Option<Group>) -> impl Iterator<Item = &Deadline> {
    arranged(deadlines, sort, group).into_iter().flat_map(|(_, members)| members)
}

/// The columns of the CSV, one row for every exit that changes.
pub const CSV_COLUMNS: &[&str] = &[
    "provider",
    "site",
    "account",
    "resource",
    "name",
    "product",
    "at",
    "at_utc",
    "inclusive",
    "due",
    "due_utc",
    "exit",
    "kind",
    "outcome_before",
    "outcome_after",
    "currency",
    "refund_before",
    "fee_before",
    "refund_after",
    "fee_after",
    "best_before",
    "worth_before",
    "best_after",
    "worth_after",
    "stake",
    "clauses",
    "reasons",
    "review_by",
    "review_hours",
    "rules_change",
];

/// A flat table: a row for every exit that changes. What is unknown or absent is an empty cell.
///
/// # Errors
/// Where the writer fails.
pub fn csv(deadlines: &[Deadline], sort: Sort, group: Option<Group>, out: impl io::Write) -> io::Result<()> {
    let mut out = csv::Writer::from_writer(out);
    out.write_record(CSV_COLUMNS)?;
    for deadline in in_order(deadlines, sort, group) {
        let subject = &deadline.subject;
        let text = |value: &Option<String>| value.clone().unwrap_or_default();
        let amount = |value: Option<Amount>| value.map(|value| value.to_string()).unwrap_or_default();
        let best = |figures: &Figures| figures.exit.map(|exit| exit.to_string()).unwrap_or_default();
        for change in &deadline.changes {
            let outcome = |outcome: Option<Outcome>| outcome.map(|outcome| outcome.to_string()).unwrap_or_default();
            let reasons: Vec<&str> =
                change.causes.iter().filter_map(|cause| cause.reason).map(Reason::as_str).collect();
            let clauses: Vec<String> = change.causes.iter().map(|cause| clause_id(&deadline.policy, cause)).collect();
            out.write_record([
                subject.provider.clone(),
                subject.site.clone(),
                text(&subject.account),
                subject.resource.clone(),
                text(&subject.name),
                subject.product.clone(),
                deadline.at.display(subject.zone).to_string(),
                deadline.at.display(Zone::UTC).to_string(),
                deadline.through.to_string(),
                deadline.due().display(subject.zone).to_string(),
                deadline.due().display(Zone::UTC).to_string(),
                change.exit.to_string(),
                change.kind.as_str().to_owned(),
                outcome(change.outcome_before),
                outcome(change.outcome_after),
                deadline.currency().map(|currency| currency.to_string()).unwrap_or_default(),
                amount(change.before.as_ref().map(RefundQuote::refund)),
                amount(change.before.as_ref().map(RefundQuote::fee)),
                amount(change.after.as_ref().map(RefundQuote::refund)),
                amount(change.after.as_ref().map(RefundQuote::fee)),
                best(&deadline.before),
                amount(deadline.before.worth()),
                best(&deadline.after),
                amount(deadline.after.worth()),
                amount(deadline.stake()),
                clauses.join("; "),
                reasons.join("; "),
                deadline.review.as_ref().map(|review| review.by.to_string()).unwrap_or_default(),
                deadline
                    .review
                    .as_ref()
                    .and_then(|review| review.approved_after_hours)
                    .map(|hours| hours.to_string())
                    .unwrap_or_default(),
                deadline.rules_change.to_string(),
            ])?;
        }
    }
    out.flush()
}

/// One self-contained page.
#[must_use]
pub fn html(deadlines: &[Deadline], sort: Sort, group: Option<Group>, look: &Look) -> String {
    let mut body = String::from("<section class=\"cards\">\n");
    for (currency, sum) in at_stake(deadlines) {
        body.push_str(&format!(
            "<div class=\"card conditional\"><p class=\"sum\">{sum} {currency}</p><p class=\"soft\">is lost if every deadline passes</p></div>\n"
        ));
    }
    body.push_str("</section>\n");
    for (heading, members) in arranged(deadlines, sort, group) {
        if !heading.is_empty() {
            body.push_str(&format!("<h2>{}</h2>\n", escape(&heading)));
        }
        body.push_str(
            "<table class=\"list\">\n<thead><tr><th>when</th><th>provider</th><th>resource</th><th>what happens</th>\
             <th class=\"num\">before</th><th class=\"num\">after</th><th class=\"num\">at stake</th><th>why</th></tr></thead>\n",
        );
        members.iter().for_each(|deadline| row(&mut body, deadline));
        body.push_str("</table>\n");
    }
    let footer = "Before and after: what leaving by the best open exit is worth, cash less what it costs and payments no longer owed. \
                  At stake is what is lost by letting the instant pass; below zero, waiting gains.";
    page::page(&look.title, &format!("{}.", sentence(deadlines).replace(TIE, " ")), &body, footer)
}

fn row(out: &mut String, deadline: &Deadline) {
    let subject = &deadline.subject;
    let amount = |(amount, currency): (String, String)| format!("{amount} {currency}");
    let name = subject.name.as_deref().map(|name| format!("<br><bdi>{}</bdi>", escape(name))).unwrap_or_default();
    let mut clauses = String::new();
    for cause in causes(deadline) {
        let clause = deadline.policy.clause(cause.clause);
        let pages = clause.into_iter().flat_map(|clause| &clause.sources);
        let pages: Vec<String> = pages
            .filter_map(|key| deadline.policy.source(key))
            .map(|source| match web_address(&source.url) {
                Some(url) => format!("<a href=\"{}\" rel=\"noreferrer\">{}</a>", escape(url), escape(&source.title)),
                None => escape(&source.title),
            })
            .collect();
        clauses.push_str(&format!(
            "<li>{}<code>{}</code><br>{}<br><span class=\"src\">{}</span></li>",
            cause.reason.map(|reason| format!("<b>{}</b> ", words::reason(reason))).unwrap_or_default(),
            escape(&clause_id(&deadline.policy, &cause)),
            escape(clause.map_or("", |clause| clause.says.as_str())),
            pages.join("; "),
        ));
    }
    let line = |text: &str| {
        let (day, clock) = text.rsplit_once(' ').map_or((text, ""), |(front, offset)| {
            front.rsplit_once(' ').map_or((front, offset), |(day, _)| (day, text.get(day.len() + 1..).unwrap_or("")))
        });
        format!("<span>{}</span> <span>{}</span>", escape(day), escape(clock))
    };
    let count = causes(deadline).len();
    let plural = if count == 1 { "" } else { "s" };
    let more = if clauses.is_empty() {
        String::new()
    } else {
        format!(
            "<tr class=\"more\"><td colspan=\"8\"><details><summary>{count} clause{plural}, with sources</summary>\
             <ul class=\"plain\">{clauses}</ul></details></td></tr>"
        )
    };
    out.push_str(&format!(
        "<tbody><tr><td class=\"when\" data-l=\"when\"><span>{}<br><span class=\"soft\">{}</span></span></td>\
         <td data-l=\"provider\"><span>{}<br><span class=\"soft\">{}</span></span></td>\
         <td class=\"what\" data-l=\"resource\"><span><bdi class=\"id\">{}</bdi>{name}</span></td>\
         <td data-l=\"what happens\">{}</td><td class=\"num\" data-l=\"before\">{}</td>\
         <td class=\"num\" data-l=\"after\">{}</td><td class=\"num\" data-l=\"at stake\">{}</td>\
         <td class=\"why\" data-l=\"why\">{}</td></tr>{more}</tbody>\n",
        line(&when(deadline, subject.zone)),
        line(&time::long(deadline.at, Zone::UTC)),
        escape(&subject.provider),
        escape(subject.account.as_deref().unwrap_or(&subject.site)),
        escape(&subject.resource),
        escape(&what(deadline)),
        amount(worth(&deadline.before)),
        amount(worth(&deadline.after)),
        amount(stake(deadline)),
        escape(&why(deadline)),
    ));
}
