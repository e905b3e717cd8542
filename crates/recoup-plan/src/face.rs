//! A plan for people: as a table, as Markdown, as a page.

use recoup_core::money::Amount;
use recoup_report::{Look, sheets};

use crate::document::{Because, Document, Left, Plan, Stamp, Step, Want};
use crate::why::in_words;

/// Most rows of what stays that a table for a terminal shows; the file has all of them.
const MOST_LEFT: usize = 40;

const fn wanted(want: Want) -> &'static str {
    match want {
        Want::Cash => "cash",
        Want::Released => "payments no longer owed",
        Want::Both => "cash, and payments no longer owed",
    }
}

/// `2026-01-31 08:00 +08:00`: on the site's wall clock.
fn when(stamp: Stamp) -> String {
    let written = stamp.to_string();
    let (date, rest) = written.split_once('T').unwrap_or((written.as_str(), ""));
    let clock: String = rest.chars().take(5).collect();
    let offset = rest.find(['Z', '+', '-']).and_then(|at| rest.get(at..)).unwrap_or("");
    format!("{date} {clock} {}", if offset == "Z" { "UTC" } else { offset })
}

fn plural(count: usize) -> &'static str {
    if count == 1 { "" } else { "s" }
}

/// One sentence on a plan.
#[must_use]
pub fn sentence(document: &Document, plan: &Plan) -> String {
    let steps = plan.steps.len();
    let proof = if plan.gap.is_zero() {
        "no other plan brings more".to_owned()
    } else {
        format!("no plan brings more than {} ({} above this one, {} of it)", plan.bound, plan.gap, share(plan))
    };
    let more = plan.worth - plan.largest_first;
    let by_hand = if more.is_positive() {
        format!("; giving back the largest first would bring {more} less")
    } else {
        String::new()
    };
    format!(
        "{} {} in {steps} step{} until {}: {}; {proof}{by_hand}.",
        plan.worth,
        plan.currency,
        plural(steps),
        when(document.by),
        wanted(document.want),
    )
}

/// The gap as a share, in hundredths of a per cent, rounded up.
fn share(plan: &Plan) -> String {
    let whole = plan.worth.units().max(1);
    let hundredths = (plan.gap.units().saturating_mul(10_000) + whole - 1) / whole;
    format!("{}.{:02} %", hundredths / 100, hundredths % 100)
}

fn or_dash(amount: Amount) -> String {
    if amount.is_zero() { "-".to_owned() } else { amount.to_string() }
}

fn draws(step: &Step) -> String {
    let of = |quota: &crate::document::Quota| {
        format!("{}: {} of {} used, draws {}", quota.name, quota.used, quota.limit, quota.draws)
    };
    step.leaves.iter().flat_map(|leaving| &leaving.quota).map(of).collect::<Vec<_>>().join("; ")
}

fn steps(plan: &Plan) -> Vec<Vec<String>> {
    let heads = ["step", "when", "request", "account", "resource", "exit", "refund", "released", "worth", "notes"];
    let mut rows = vec![heads.map(str::to_owned).to_vec()];
    for step in &plan.steps {
        let account = step.account.as_deref().map_or(String::new(), |account| format!(" {account}"));
        let ids: Vec<&str> = step.leaves.iter().map(|leaving| leaving.resource.as_str()).collect();
        let exit = step.leaves.first().map(|leaving| leaving.exit.as_str().replace('_', " ")).unwrap_or_default();
        let refund: Amount = step.leaves.iter().map(|leaving| leaving.refund).sum();
        let released: Amount = step.leaves.iter().map(|leaving| leaving.released).sum();
        let charge: Amount = step.leaves.iter().map(|leaving| leaving.charge).sum();
        let mut notes = Vec::new();
        notes.extend(step.waits.clone());
        notes.extend(step.done_by.map(|by| format!("a review may take until {}", when(by))));
        if charge.is_positive() {
            notes.push(format!("costs {charge}"));
        }
        notes.push(draws(step));
        notes.retain(|note| !note.is_empty());
        rows.push(vec![
            step.step.to_string(),
            when(step.at),
            step.batch.to_string(),
            format!("{}/{}{account}", step.provider, step.site),
            ids.join(", "),
            exit,
            or_dash(refund),
            or_dash(released),
            step.worth.to_string(),
            notes.join("; "),
        ]);
    }
    rows
}

const fn because(because: Because) -> &'static str {
    match because {
        Because::Kept => "kept",
        Because::Quota => "quota",
        Because::Unknown => "not known",
        Because::Worthless => "worth nothing",
        Because::Refused => "refused",
        Because::Replay => "does not hold",
    }
}

fn stays(left: &[Left], most: usize) -> Vec<Vec<String>> {
    let mut rows = vec![["resource", "stays for", "worth", "why"].map(str::to_owned).to_vec()];
    for left in left.iter().take(most) {
        let instead = left.instead.as_deref().map(|instead| format!("; instead: {instead}")).unwrap_or_default();
        rows.push(vec![
            left.resources.join(", "),
            because(left.because).to_owned(),
            left.worth.map_or_else(|| "-".to_owned(), |worth| worth.to_string()),
            format!("{}{instead}", left.why),
        ]);
    }
    rows
}

fn facts(plan: &Plan) -> Vec<Vec<String>> {
    let mut rows = vec![["if", "adds", "resources"].map(str::to_owned).to_vec()];
    for fact in &plan.facts {
        rows.push(vec![in_words(&fact.facts), fact.adds.to_string(), fact.resources.to_string()]);
    }
    rows
}

/// A block of a face: a heading, a sentence, a table.
struct Block {
    heading: String,
    sentence: String,
    rows: Vec<Vec<String>>,
    right: std::ops::Range<usize>,
}

fn blocks(document: &Document, most: usize) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut add = |heading: String, sentence: String, rows: Vec<Vec<String>>, right| {
        blocks.push(Block { heading, sentence, rows, right });
    };
    for plan in &document.plans {
        add(format!("Plan in {}", plan.currency), sentence(document, plan), steps(plan), 6..9);
        if !plan.left.is_empty() {
            add(format!("What stays, in {}", plan.currency), cut(plan.left.len(), most), stays(&plan.left, most), 2..3);
        }
        if !plan.facts.is_empty() {
            add(format!("Worth finding out, in {}", plan.currency), String::new(), facts(plan), 1..3);
        }
    }
    if !document.left.is_empty() {
        let sentence = cut(document.left.len(), most);
        add("Nothing to choose".to_owned(), sentence, stays(&document.left, most), 2..3);
    }
    blocks
}

fn cut(count: usize, most: usize) -> String {
    if count > most { format!("The first {most} of {count}; JSON has all of them.") } else { String::new() }
}

/// A table for a terminal.
#[must_use]
pub fn table(document: &Document, look: &Look) -> String {
    let mut out = String::new();
    for block in blocks(document, MOST_LEFT) {
        if !out.is_empty() {
            out.push('\n');
        }
        out.push_str(&format!("{}\n", block.heading));
        if !block.sentence.is_empty() {
            out.push_str(&sheets::paragraph(&block.sentence, look));
        }
        if block.rows.len() > 1 {
            out.push('\n');
            out.push_str(&sheets::table(&block.rows, block.right, look));
        }
    }
    if out.is_empty() {
        out.push_str("Nothing to give back.\n");
    }
    out
}

/// Markdown.
#[must_use]
pub fn markdown(document: &Document) -> String {
    let mut out = String::new();
    for block in blocks(document, usize::MAX) {
        out.push_str(&format!("## {}\n\n", sheets::markdown_text(&block.heading)));
        if !block.sentence.is_empty() {
            out.push_str(&format!("{}\n\n", sheets::markdown_text(&block.sentence)));
        }
        if block.rows.len() > 1 {
            out.push_str(&sheets::markdown(&block.rows, block.right));
            out.push('\n');
        }
    }
    out
}

/// A self-contained page.
#[must_use]
pub fn html(document: &Document, look: &Look) -> String {
    let mut body = String::new();
    for block in blocks(document, usize::MAX) {
        body.push_str(&format!("<h2>{}</h2>\n", sheets::html_text(&block.heading)));
        if !block.sentence.is_empty() {
            body.push_str(&format!("<p>{}</p>\n", sheets::html_text(&block.sentence)));
        }
        if block.rows.len() > 1 {
            body.push_str(&sheets::html(&block.rows, block.right));
        }
    }
    let sentence = format!("From {} to {}.", when(document.from), when(document.by));
    let footer = "Every step was replayed through the providers' rules, each in its account as the earlier steps leave it. \
                  A request holds the steps that can be asked for together.";
    sheets::page(&look.title, &sentence, &body, footer)
}
