//! What a provider publishes: which editions there are, what they say, what changed, and the policy book.
//!
//! ```
//! use recoup_report::{Look, policy};
//!
//! let book = recoup_report::sample::book()?;
//! assert!(policy::list(&[book.policy()], &Look::default()).contains("2024-10-29"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::collections::BTreeMap;

use recoup_core::policy::{
    Clause, ClauseId, ClauseKind, Edition, Epoch, Held, Key, List, ListId, Param, ParamId, Policy, ProductId, Rulebook,
    Scope, Source, Table, TableId,
};
use recoup_core::time::Instant;

use crate::detail::about;
use crate::grid::{self, Tone, paint};
use crate::markdown::table as markdown_table;
use crate::text::{clean, markdown as prose, paragraph, web_address};
use crate::{Look, words};

/// One provider a line: sites, editions, clauses.
#[must_use]
pub fn list(policies: &[&Policy], look: &Look) -> String {
    let heads = ["provider", "editions", "clauses", "sources", "newest edition", "sites", "title"];
    let mut rows = vec![heads.map(str::to_owned).to_vec()];
    for policy in policies {
        let newest = policy.editions.iter().map(|edition| day(&edition.from)).max();
        let sites: Vec<&str> = policy.sites.iter().map(|site| site.id.as_str()).collect();
        rows.push(vec![
            clean(&policy.provider),
            policy.editions.len().to_string(),
            policy.clauses.len().to_string(),
            policy.sources.len().to_string(),
            newest.unwrap_or("-").to_owned(),
            clean(&sites.join(", ")),
            clean(&policy.title),
        ]);
    }
    let mut out = String::new();
    grid::sheet(&mut out, &rows, 1..4, look.columns(), look.colour);
    out
}

/// The day of a bound, which is written as a date or as an instant.
fn day(bound: &str) -> &str {
    bound.get(..10).unwrap_or(bound)
}

/// When and where something holds.
fn holds(sites: Option<&[String]>, from: Option<&str>, until: Option<&str>) -> String {
    let place = sites.map_or_else(|| "every site".to_owned(), |sites| sites.join(", "));
    match (from, until) {
        (None, None) => format!("{place}, always"),
        (Some(from), None) => format!("{place}, from {from}"),
        (None, Some(until)) => format!("{place}, until {until}"),
        (Some(from), Some(until)) => format!("{place}, from {from} until {until}"),
    }
}

fn scopes(scopes: &[Scope]) -> String {
    if scopes.is_empty() {
        return holds(None, None, None);
    }
    let each = scopes.iter().map(|scope| holds(scope.sites.as_deref(), scope.from.as_deref(), scope.until.as_deref()));
    each.collect::<Vec<_>>().join("; ")
}

fn key(parts: &[Key]) -> String {
    let word = |part: &Key| match part {
        Key::Number(number) => number.to_string(),
        Key::Word(word) => word.clone(),
    };
    parts.iter().map(word).collect::<Vec<_>>().join(", ")
}

fn sources<'p>(policy: &'p Policy, clause: &'p Clause) -> impl Iterator<Item = &'p Source> {
    clause.sources.iter().filter_map(|key| policy.source(key))
}

fn editions_of<'p>(policy: &'p Policy, site: &'p str) -> impl Iterator<Item = &'p Edition> {
    policy.editions.iter().filter(move |edition| edition.site.as_ref().is_none_or(|name| name == site))
}

/// What stands behind a figure that rests on a team's own clause.
fn own(policy: &Policy, id: &str) -> String {
    let is_own = policy.clauses.iter().any(|clause| clause.overlay && clause.id == id);
    if is_own { format!(" ({OWN})") } else { String::new() }
}

/// What a team's own clause is called.
const OWN: &str = "the team's own";

/// The rows of a table as words, headings first.
fn table_rows(policy: &Policy, table: &Table) -> Vec<Vec<String>> {
    let mut heads: Vec<String> = table.key.clone();
    heads.push(table.unit.clone());
    heads.push("holds".to_owned());
    let mut rows = vec![heads];
    for row in &table.rows {
        let mut cells: Vec<String> = row.key.iter().map(|part| key(std::slice::from_ref(part))).collect();
        cells.push(row.value.to_string());
        let clause = row.clause.as_ref().unwrap_or(&table.clause);
        let own = match own(policy, clause) {
            own if own.is_empty() => own,
            own => format!(", by {clause}{own}"),
        };
        cells.push(format!("{}{own}", holds(row.sites.as_deref(), row.from.as_deref(), row.until.as_deref())));
        rows.push(cells);
    }
    rows
}

/// The values of a parameter as words, headings first.
fn param_rows(policy: &Policy, param: &Param) -> Vec<Vec<String>> {
    let mut rows = vec![[param.unit.as_str(), "clause", "holds"].map(str::to_owned).to_vec()];
    for value in &param.values {
        rows.push(vec![
            value.value.to_string(),
            format!("{}{}", value.clause, own(policy, &value.clause)),
            holds(value.sites.as_deref(), value.from.as_deref(), value.until.as_deref()),
        ]);
    }
    rows
}

fn indented(out: &mut String, rows: &[Vec<String>], right: std::ops::Range<usize>, look: &Look) {
    let mut sheet = String::new();
    grid::sheet(&mut sheet, rows, right, look.columns().saturating_sub(4), look.colour);
    for line in sheet.lines() {
        out.push_str(&format!("    {line}\n"));
    }
}

/// Everything that one provider publishes, as text: sites and editions, every clause with its pages,
/// dated values, tables and lists.
///
/// ```
/// use recoup_report::{Look, policy};
///
/// let book = recoup_report::sample::book()?;
/// assert!(policy::show(book.policy(), &Look::default()).contains("ex.use.invoiced (refuses: invoice issued)"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use]
pub fn show(policy: &Policy, look: &Look) -> String {
    let limit = look.columns();
    let mut out = String::new();
    let head = |out: &mut String, text: &str| {
        out.push_str(&format!("{}\n", paint(&clean(text), Tone::Head, look.colour)));
    };
    head(&mut out, &format!("{} ({})", policy.title, policy.provider));
    for site in &policy.sites {
        let default = if site.default { ", the default" } else { "" };
        out.push('\n');
        head(&mut out, &format!("site {}{default}", site.id));
        paragraph(&mut out, "  ", &format!("{}, time zone {}", clean(&site.title), site.zone), limit);
        for edition in editions_of(policy, &site.id) {
            paragraph(&mut out, &format!("  {}  ", day(&edition.from)), &clean(&edition.what), limit);
        }
    }
    out.push('\n');
    head(&mut out, &format!("{} clauses", policy.clauses.len()));
    for clause in &policy.clauses {
        let role = match (clause.reason, clause.kind) {
            (Some(reason), _) => format!(" (refuses: {})", words::reason(reason)),
            (None, ClauseKind::Text) => " (text only)".to_owned(),
            (None, ClauseKind::Rule) => String::new(),
        };
        let own = if clause.overlay { format!(" ({OWN})") } else { String::new() };
        paragraph(&mut out, "  ", &format!("{}{role}{own}", clean(&clause.id)), limit);
        paragraph(&mut out, "    ", &clean(&clause.says), limit);
        paragraph(&mut out, "    holds: ", &clean(&scopes(&clause.holds)), limit);
        if let Some(note) = &clause.note {
            paragraph(&mut out, "    note: ", &clean(note), limit);
        }
        for source in sources(policy, clause) {
            paragraph(&mut out, "    source: ", &clean(&format!("{} ({})", source.title, about(source))), limit);
            if !source.url.is_empty() {
                paragraph(&mut out, "            ", &clean(&source.url), limit);
            }
        }
    }
    for param in &policy.params {
        out.push('\n');
        head(&mut out, &format!("value {}", param.id));
        paragraph(&mut out, "  ", &clean(&param.says), limit);
        indented(&mut out, &param_rows(policy, param), 0..1, look);
    }
    for table in &policy.tables {
        out.push('\n');
        head(&mut out, &format!("table {}", table.id));
        paragraph(&mut out, "  ", &clean(&format!("{} (clause {})", table.says, table.clause)), limit);
        indented(&mut out, &table_rows(policy, table), table.key.len()..table.key.len() + 1, look);
    }
    for list in &policy.lists {
        out.push('\n');
        head(&mut out, &format!("list {}", list.id));
        paragraph(&mut out, "  ", &clean(&format!("{} (clause {})", list.says, list.clause)), limit);
        paragraph(&mut out, "  holds: ", &clean(&scopes(&list.holds)), limit);
        paragraph(&mut out, "  products: ", &clean(&list.products.join(", ")), limit);
    }
    out
}

/// The epochs of a site at two instants.
struct Two<'b> {
    policy: &'b Policy,
    before: &'b Epoch,
    after: &'b Epoch,
}

/// The index of a part of the policy, which has at most 65,536 of each kind.
fn index(place: usize) -> u16 {
    u16::try_from(place).unwrap_or(u16::MAX)
}

impl Two<'_> {
    /// Clauses that are in force in one epoch and not in the other.
    fn clauses(&self, in_force: &Epoch, not_in: &Epoch) -> Vec<&Clause> {
        let only = |place: usize| {
            let id = ClauseId(index(place));
            in_force.in_force(id) && !not_in.in_force(id)
        };
        self.policy.clauses.iter().enumerate().filter(|(place, _)| only(*place)).map(|(_, clause)| clause).collect()
    }

    /// Values and cells that differ, each with the clause that says so now, or said so last.
    fn values(&self) -> Vec<Vec<String>> {
        let mut rows = Vec::new();
        let word = |held: Option<Held>| held.map_or_else(|| "-".to_owned(), |held| held.value.to_string());
        let mut change = |what: String, before: Option<Held>, after: Option<Held>, unit: &str| {
            if before.map(|held| held.value) != after.map(|held| held.value) {
                let clause = after.or(before).and_then(|held| self.policy.clause(held.clause));
                let clause = clause.map(|clause| clause.id.clone()).unwrap_or_default();
                rows.push(vec![what, word(before), word(after), unit.to_owned(), clause]);
            }
        };
        for (place, Param { id, unit, .. }) in self.policy.params.iter().enumerate() {
            let of = |epoch: &Epoch| epoch.param(ParamId(index(place)));
            change(id.clone(), of(self.before), of(self.after), unit);
        }
        for (place, Table { id, unit, .. }) in self.policy.tables.iter().enumerate() {
            let of = |epoch: &Epoch| -> Vec<(String, Held)> {
                epoch.rows(TableId(index(place))).map(|(parts, held)| (key(parts), held)).collect()
            };
            let (before, after) = (of(self.before), of(self.after));
            let find = |rows: &[(String, Held)], wanted: &str| {
                rows.iter().find(|(key, _)| key == wanted).map(|(_, held)| *held)
            };
            for (key, held) in &before {
                change(format!("{id} [{key}]"), Some(*held), find(&after, key), unit);
            }
            for (key, held) in after.iter().filter(|(key, _)| find(&before, key).is_none()) {
                change(format!("{id} [{key}]"), None, Some(*held), unit);
            }
        }
        rows
    }

    fn lists(&self) -> Vec<String> {
        let mut out = Vec::new();
        for (place, List { id, .. }) in self.policy.lists.iter().enumerate() {
            let list = ListId(index(place));
            for (verb, here, there) in [("gains", self.after, self.before), ("loses", self.before, self.after)] {
                let products: Vec<&str> = self
                    .policy
                    .products
                    .iter()
                    .enumerate()
                    .filter(|(place, _)| {
                        let product = Some(ProductId(index(*place)));
                        here.listed(list, product) && !there.listed(list, product)
                    })
                    .map(|(_, product)| product.id.as_str())
                    .collect();
                if !products.is_empty() {
                    out.push(format!("{id} {verb} {}", products.join(", ")));
                }
            }
        }
        out
    }
}

/// What changes on a site (the default one where none is named) between two instants: clauses that come
/// and go, values and table cells that change, products that lists gain and lose. `None` where the site
/// does not exist. For the editions of two dates, give the ends of those days
/// ([`SiteRules::end_of_day`](recoup_core::policy::SiteRules::end_of_day)).
///
/// ```
/// use recoup_core::time::{Instant, Zone};
/// use recoup_report::{Look, policy};
///
/// let book = recoup_report::sample::book()?;
/// let day = |text| Instant::parse(text, Zone::fixed_hours(8));
/// let text = policy::diff(&book, None, day("2024-01-01")?, day("2024-11-01")?, &Look::default());
/// assert!(text.ok_or("no such site")?.contains("ex.use.invoiced"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use]
pub fn diff(book: &Rulebook, site: Option<&str>, before: Instant, after: Instant, look: &Look) -> Option<String> {
    let site = book.site(site)?;
    let policy = book.policy();
    let two = Two { policy, before: site.epoch(before)?, after: site.epoch(after)? };
    let limit = look.columns();
    let mut out = String::new();
    let head = |out: &mut String, text: &str| out.push_str(&format!("\n{}\n", paint(text, Tone::Head, look.colour)));
    let edition = |at| site.edition(at).unwrap_or("-");
    let title = format!("{}, site {}: {} to {}", policy.title, site.name, edition(before), edition(after));
    paragraph(&mut out, "", &clean(&title), limit);
    let (first, last) = (before.min(after), before.max(after));
    let between: Vec<&str> =
        site.editions().filter(|(from, _)| first < *from && *from <= last).map(|(_, name)| name).collect();
    for edition in editions_of(policy, &site.name).filter(|edition| {
        Instant::parse(&edition.from, site.zone)
            .is_ok_and(|from| between.contains(&site.zone.date(from).to_string().as_str()))
    }) {
        paragraph(&mut out, &format!("  {}  ", day(&edition.from)), &clean(&edition.what), limit);
    }
    let empty = out.len();
    for (verb, clauses) in [
        ("come into force", two.clauses(two.after, two.before)),
        ("no longer hold", two.clauses(two.before, two.after)),
    ] {
        if clauses.is_empty() {
            continue;
        }
        head(&mut out, &format!("clauses that {verb}"));
        for clause in clauses {
            paragraph(&mut out, "  ", &clean(&clause.id), limit);
            paragraph(&mut out, "    ", &clean(&clause.says), limit);
            for source in sources(policy, clause) {
                paragraph(&mut out, "    source: ", &clean(&format!("{} ({})", source.title, about(source))), limit);
            }
        }
    }
    let values = two.values();
    if !values.is_empty() {
        head(&mut out, "values that change");
        let mut rows = vec![["value", "before", "after", "unit", "clause"].map(str::to_owned).to_vec()];
        rows.extend(values);
        indented(&mut out, &rows, 1..3, look);
    }
    let lists = two.lists();
    if !lists.is_empty() {
        head(&mut out, "lists that change");
        for line in lists {
            paragraph(&mut out, "  ", &clean(&line), limit);
        }
    }
    if out.len() == empty {
        out.push_str("\nno clause, value or list changes\n");
    }
    Some(out)
}

/// The policy book of one provider, in Markdown: sites and editions, every clause with its pages and the
/// cases in which it bites, dated values, tables, lists and the pages themselves. `cases` holds ids of
/// cases by clause id.
///
/// ```
/// use std::collections::BTreeMap;
///
/// let book = recoup_report::sample::book()?;
/// let cases = BTreeMap::from([("ex.use.invoiced".to_owned(), vec!["ex-7".to_owned()])]);
/// assert!(recoup_report::policy::book(book.policy(), &cases).contains("Bites in: `ex-7`"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use]
pub fn book(policy: &Policy, cases: &BTreeMap<String, Vec<String>>) -> String {
    let mut out = format!("# {}\n\n", prose(&policy.title));
    out.push_str(&format!(
        "What `{}` publishes about leaving, as far as it is known: {} clauses from {} pages.\n\n## Sites and editions\n",
        policy.provider,
        policy.clauses.len(),
        policy.sources.len()
    ));
    for site in &policy.sites {
        let default = if site.default { ", the default" } else { "" };
        out.push_str(&format!("\n### `{}`{default}\n\n{}, time zone {}.\n\n", site.id, prose(&site.title), site.zone));
        let mut rows = vec![["edition", "what changed"].map(str::to_owned).to_vec()];
        rows.extend(
            editions_of(policy, &site.id).map(|edition| vec![day(&edition.from).to_owned(), edition.what.clone()]),
        );
        out.push_str(&markdown_table(&rows, 0..0));
    }
    out.push_str("\n## Clauses\n");
    for clause in &policy.clauses {
        book_clause(&mut out, policy, clause, cases);
    }
    if !policy.params.is_empty() {
        out.push_str("\n## Values\n");
    }
    for param in &policy.params {
        out.push_str(&format!("\n### `{}`\n\n{}\n\n", param.id, sentence(&param.says)));
        out.push_str(&markdown_table(&param_rows(policy, param), 0..1));
    }
    if !policy.tables.is_empty() {
        out.push_str("\n## Tables\n");
    }
    for table in &policy.tables {
        out.push_str(&format!("\n### `{}`\n\n{} Clause `{}`.\n\n", table.id, sentence(&table.says), table.clause));
        out.push_str(&markdown_table(&table_rows(policy, table), table.key.len()..table.key.len() + 1));
    }
    if !policy.lists.is_empty() {
        out.push_str("\n## Lists\n");
    }
    for list in &policy.lists {
        let products: Vec<String> = list.products.iter().map(|product| format!("`{product}`")).collect();
        out.push_str(&format!(
            "\n### `{}`\n\n{} Clause `{}`. Holds: {}.\n\n{}\n",
            list.id,
            sentence(&list.says),
            list.clause,
            prose(&scopes(&list.holds)),
            products.join(", ")
        ));
    }
    out.push_str("\n## Pages\n\n");
    for source in &policy.sources {
        out.push_str(&format!("- `{}` {}\n", source.key, page(source)));
    }
    out
}

/// Prose that begins with a capital and ends in a full stop.
fn sentence(text: &str) -> String {
    let mut chars = text.chars();
    let first: String = chars.next().into_iter().flat_map(char::to_uppercase).collect();
    let text = prose(&format!("{first}{}", chars.as_str()));
    if text.ends_with(['.', '!', '?']) { text } else { format!("{text}.") }
}

/// A page as a link with its site, date and note.
fn page(source: &Source) -> String {
    let title = prose(&source.title);
    let title = match web_address(&source.url) {
        Some(url) => {
            let url = clean(url).replace('<', "%3C").replace('>', "%3E").replace(' ', "%20");
            format!("[{title}](<{url}>)")
        }
        None => format!("{title}, {}", prose(&source.url)),
    };
    format!("{title} ({})", prose(&about(source)))
}

fn book_clause(out: &mut String, policy: &Policy, clause: &Clause, cases: &BTreeMap<String, Vec<String>>) {
    out.push_str(&format!("\n### `{}`\n\n{}\n\n", clause.id, sentence(&clause.says)));
    match (clause.reason, clause.kind) {
        (Some(reason), _) => out.push_str(&format!("- Refuses: {} (`{reason}`)\n", words::reason(reason))),
        (None, ClauseKind::Text) => out.push_str("- Text only: no assessment can show it\n"),
        (None, ClauseKind::Rule) => {}
    }
    out.push_str(&format!("- Holds: {}\n", prose(&scopes(&clause.holds))));
    if let Some(note) = &clause.note {
        out.push_str(&format!("- Note: {}\n", prose(note)));
    }
    for source in sources(policy, clause) {
        out.push_str(&format!("- Source: {}\n", page(source)));
    }
    if let Some(ids) = cases.get(&clause.id).filter(|ids| !ids.is_empty()) {
        let ids: Vec<String> = ids.iter().map(|id| format!("`{id}`")).collect();
        out.push_str(&format!("- Bites in: {}\n", ids.join(", ")));
    }
}
