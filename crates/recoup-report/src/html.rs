//! One self-contained page: style inside, no script, nothing fetched. Cards with sums, the table, and
//! behind every resource all its exits with clauses and pages.
//!
//! Ids and names come from outside, so every text is escaped, links lead only to `http` and `https`
//! addresses, and the page forbids itself to run or fetch anything.
//!
//! ```
//! use recoup_report::{Look, html::Html, write_all};
//!
//! let mut out = Vec::new();
//! write_all(&mut Html::new(&mut out, Look::default()), &recoup_report::sample::answers()?)?;
//! let page = String::from_utf8(out)?;
//! assert!(page.starts_with("<!doctype html>") && !page.contains("<script"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::fmt::Write as _;
use std::io;

use recoup_core::policy::{ClauseId, Source};
use recoup_core::refund::Refund;
use recoup_core::ruling::{RulingData, Step, Verdict};
use recoup_core::vocab::{Exit, Outcome};

use crate::detail::{about, breakdown, cited, particulars};
use crate::explain::to_check;
use crate::line::Line;
use crate::page::MORE;
use crate::text::{html as escape, spaced, web_address};
use crate::totals::Totals;
use crate::{Answered, Look, Report, stated, time, words};

/// Writes the page. The cards stand above the table and are known only after it, so the rows are kept
/// as text until then.
#[derive(Debug)]
pub struct Html<W> {
    out: W,
    look: Look,
    body: String,
    asked: Option<(String, bool)>,
    totals: Totals,
    /// Sections under the table.
    sections: String,
    open: bool,
}

impl<W: io::Write> Html<W> {
    /// Writes to `out`.
    pub fn new(out: W, look: Look) -> Self {
        let totals = Totals::default();
        Self { out, look, body: String::new(), asked: None, totals, sections: String::new(), open: false }
    }

    /// Shows all exits at once, where a page is about a few resources.
    #[must_use]
    pub fn open(mut self) -> Self {
        self.open = true;
        self
    }

    /// Puts a section, which is HTML already, under the table.
    pub fn section(&mut self, html: &str) {
        self.sections.push_str(html);
    }
}

impl<W: io::Write> Report for Html<W> {
    fn begin(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn add(&mut self, answered: &Answered) -> io::Result<()> {
        self.totals.add(answered);
        let at = time::both(answered.subject.at, answered.subject.zone);
        match &mut self.asked {
            None => self.asked = Some((at, true)),
            Some((first, same)) => *same &= *first == at,
        }
        resource(&mut self.body, answered, self.open).map_err(io::Error::other)
    }

    fn finish(&mut self) -> io::Result<()> {
        let title = escape(&self.look.title);
        let asked = match &self.asked {
            Some((at, true)) => format!(", asked at {}", escape(at)),
            // Sites have different clocks; every resource shows its own.
            Some((_, false)) | None => String::new(),
        };
        write!(
            self.out,
            "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n\
             <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
             <title>{title}</title>\n<style>\n{css}{more}</style>\n</head>\n<body>\n\
             <header><h1>{title}</h1><p class=\"soft\">{sentence}{asked}</p></header>\n",
            css = include_str!("page.css"),
            more = if self.sections.is_empty() { "" } else { MORE },
            sentence = escape(&self.totals.sentence()),
        )?;
        self.out.write_all(cards(&self.totals).as_bytes())?;
        if !self.body.is_empty() {
            self.out.write_all(
                b"<table class=\"list\">\n<thead><tr><th>provider</th><th>resource</th><th>product</th><th>outcome</th>\
                  <th>best exit</th><th class=\"num\">refund</th><th class=\"num\">kept</th><th>until</th><th>why</th>\
                  </tr></thead>\n",
            )?;
            self.out.write_all(self.body.as_bytes())?;
            self.out.write_all(b"</table>\n")?;
        }
        self.out.write_all(self.sections.as_bytes())?;
        self.out.write_all(
            "<footer>✓ allowed, ? conditional: allowed if the facts named are as stated, ✕ refused. \
             Kept is what was consumed, the fee and what is forfeited. \
             Sums of conditional refunds hold only if every condition does.</footer>\n</body>\n</html>\n"
                .as_bytes(),
        )?;
        self.out.flush()
    }
}

fn badge(outcome: Outcome) -> String {
    format!("<span class=\"badge {outcome}\">{} {outcome}</span>", words::sign(outcome))
}

fn cards(totals: &Totals) -> String {
    let mut out = String::from("<section class=\"cards\">\n");
    for (outcome, currency, sum) in totals.sums() {
        let plural = if sum.resources == 1 { "" } else { "s" };
        out.push_str(&format!(
            "<div class=\"card {outcome}\">{}<p class=\"sum\">{} {currency}</p><p class=\"soft\">comes back from {} resource{plural}</p><dl>",
            badge(outcome),
            sum.refund,
            sum.resources,
        ));
        for (label, amount, always) in [
            ("kept", sum.kept, true),
            ("coupons back", sum.coupons, false),
            ("carried over", sum.carried_over, false),
            ("charged", sum.charged, false),
            ("no longer owed", sum.released, false),
        ] {
            if always || !amount.is_zero() {
                out.push_str(&format!("<dt>{label}</dt><dd class=\"num\">{amount} {currency}</dd>"));
            }
        }
        out.push_str("</dl></div>\n");
    }
    for outcome in [Outcome::Allowed, Outcome::Conditional] {
        let gaps = totals.without_figure(outcome);
        if gaps > 0 {
            out.push_str(&format!(
                "<div class=\"card {outcome}\">{}<p class=\"sum\">{gaps}</p><p class=\"soft\">with no known figure</p></div>\n",
                badge(outcome)
            ));
        }
    }
    let refused = totals.count(Outcome::Refused);
    if refused > 0 {
        out.push_str(&format!(
            "<div class=\"card refused\">{}<p class=\"sum\">{refused}</p><p class=\"soft\">cannot be returned</p></div>\n",
            badge(Outcome::Refused)
        ));
    }
    out.push_str("</section>\n");
    out
}

fn resource(out: &mut String, answered: &Answered, open: bool) -> std::fmt::Result {
    let subject = &answered.subject;
    let line = Line::of(answered);
    let name = subject.name.as_deref().map(|name| format!("<br><bdi>{}</bdi>", escape(name))).unwrap_or_default();
    // A line may end between day and clock, but not inside either.
    let until = line.until.map_or_else(
        || "-".to_owned(),
        |until| {
            let text = time::long(until, subject.zone);
            let (day, clock) = text.split_once(' ').unwrap_or((text.as_str(), ""));
            format!("<span><span>{}</span> <span>{}</span></span>", escape(day), escape(clock))
        },
    );
    writeln!(
        out,
        "<tbody><tr><td data-l=\"provider\"><span>{}<br><span class=\"soft\">{}</span></span></td>\
         <td class=\"what\" data-l=\"resource\"><span><bdi class=\"id\">{}</bdi>{name}</span></td><td data-l=\"product\">{}</td>\
         <td data-l=\"outcome\"><span>{}</span></td><td data-l=\"best exit\">{}</td>\
         <td class=\"num\" data-l=\"refund\">{}</td><td class=\"num\" data-l=\"kept\">{}</td>\
         <td class=\"when\" data-l=\"until\">{until}</td><td class=\"why\" data-l=\"why\">{}</td></tr>",
        escape(&subject.provider),
        escape(&subject.site),
        escape(&subject.resource),
        escape(&subject.product),
        badge(line.outcome),
        line.exit(),
        line.refund,
        line.kept,
        escape(&line.why),
    )?;
    let edition = subject.edition.as_deref().map(|edition| format!(", edition {edition}")).unwrap_or_default();
    let account = subject.account.as_deref().map(|account| format!(", account {account}")).unwrap_or_default();
    let exits = answered.assessment.rulings().len();
    let plural = if exits == 1 { "" } else { "s" };
    let open = if open { " open" } else { "" };
    write!(
        out,
        "<tr class=\"more\"><td colspan=\"9\"><details{open}><summary>{exits} exit{plural}, with clauses and sources</summary>\
         <p class=\"soft\">site {}{}{}, asked at {}</p><div class=\"exits\">",
        escape(&subject.site),
        escape(&edition),
        escape(&account),
        escape(&time::both(subject.at, subject.zone)),
    )?;
    if !answered.stated.is_empty() {
        out.push_str("<section class=\"exit\"><h3>The provider's own answer</h3><dl>");
        for (label, text) in stated::lines(answered) {
            write!(out, "<dt>{label}</dt><dd>{}</dd>", escape(&text))?;
        }
        out.push_str("</dl></section>");
    }
    for ruling in answered.assessment.rulings() {
        exit(out, answered, ruling)?;
    }
    out.push_str("</div></details></td></tr></tbody>\n");
    Ok(())
}

fn source(source: &Source) -> String {
    let title = escape(&source.title);
    let title = match web_address(&source.url) {
        Some(url) => format!("<a href=\"{}\" rel=\"noreferrer\">{title}</a>", escape(url)),
        None => format!("{title} {}", escape(&source.url)),
    };
    format!("{title} ({})", escape(&about(source)))
}

/// A clause as an item of a list: what it is called, its id, what it says, its pages.
fn clause(out: &mut String, answered: &Answered, id: ClauseId, called: &str, check: &str) -> std::fmt::Result {
    let cited = cited(answered, id);
    let sources: Vec<String> = cited.sources.into_iter().map(source).collect();
    let called = if called.is_empty() { String::new() } else { format!("<b>{}</b> ", escape(called)) };
    write!(
        out,
        "<li>{called}<code>{}</code><br>{}{check}<br><span class=\"src\">{}</span></li>",
        escape(cited.id),
        escape(cited.says),
        sources.join("; "),
    )
}

fn exit(out: &mut String, answered: &Answered, ruling: &RulingData) -> std::fmt::Result {
    let outcome = ruling.outcome();
    let name = if ruling.exit == Exit::None { "no exit".to_owned() } else { spaced(ruling.exit.as_str()) };
    let best = if outcome != Outcome::Refused && answered.assessment.best() == Some(ruling.exit) {
        " <span class=\"soft\">best</span>"
    } else {
        ""
    };
    write!(out, "<section class=\"exit {outcome}\"><h3>{name} {}{best}</h3>", badge(outcome))?;
    if !ruling.refusals.is_empty() {
        out.push_str("<h4>Refused by</h4><ul>");
        for refusal in &ruling.refusals {
            clause(out, answered, refusal.clause, words::reason(refusal.reason), "")?;
        }
        out.push_str("</ul>");
    }
    if !ruling.unknowns.is_empty() {
        out.push_str("<h4>Not known</h4><ul>");
        for unknown in &ruling.unknowns {
            let check = format!("<br>Check: {}", escape(&to_check(unknown)));
            clause(out, answered, unknown.clause, words::reason(unknown.reason), &check)?;
        }
        out.push_str("</ul>");
    }
    money(out, answered, ruling)?;
    let lines: Vec<String> = ruling
        .steps
        .iter()
        .filter_map(|step| match step {
            Step::Line(label, text) => Some(format!("<li>{}: {}</li>", escape(label), escape(text))),
            Step::Clause(..) => None,
        })
        .collect();
    if !lines.is_empty() {
        write!(out, "<h4>Arithmetic</h4><ul>{}</ul>", lines.concat())?;
    }
    let applied: Vec<ClauseId> = ruling
        .steps
        .iter()
        .filter_map(|step| match step {
            Step::Clause(id, Verdict::Applies) => Some(*id),
            _ => None,
        })
        .collect();
    if !applied.is_empty() {
        out.push_str("<h4>Rules applied</h4><ul>");
        for id in applied {
            clause(out, answered, id, "", "")?;
        }
        out.push_str("</ul>");
    }
    let facts = particulars(answered, ruling);
    if !facts.is_empty() {
        out.push_str("<dl>");
        for (label, text) in facts {
            write!(out, "<dt>{label}</dt><dd>{}</dd>", escape(&text))?;
        }
        out.push_str("</dl>");
    }
    out.push_str("</section>");
    Ok(())
}

fn money(out: &mut String, answered: &Answered, ruling: &RulingData) -> std::fmt::Result {
    let outcome = ruling.outcome();
    let Some(quote) = &ruling.refund else {
        if outcome != Outcome::Refused {
            out.push_str("<h4>Money</h4><p>The figure cannot be computed from what is known.</p>");
        }
        return Ok(());
    };
    let made = breakdown(quote, answered);
    let condition = match outcome {
        Outcome::Allowed => "",
        Outcome::Conditional => ", as far as it is known",
        Outcome::Refused => ", if it were open",
    };
    write!(out, "<h4>Money in {}{condition}</h4><table class=\"money\">", quote.currency())?;
    for (label, amount) in &made.parts {
        write!(out, "<tr><td>{}</td><td class=\"num\">{amount}</td></tr>", escape(label))?;
    }
    write!(out, "<tr class=\"eq\"><td>= {}</td><td class=\"num\">{}</td></tr>", made.sum.0, made.sum.1)?;
    for (label, amount) in &made.besides {
        write!(out, "<tr><td class=\"soft\">{label}</td><td class=\"num\">{amount}</td></tr>")?;
    }
    out.push_str("</table>");
    Ok(())
}
