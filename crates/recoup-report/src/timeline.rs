//! What comes for one resource: exits opening and closing, steps of fees, the best moment. The end of an
//! explanation.

use recoup_core::assessment::Subject;
use recoup_core::time::{Instant, Zone};
use recoup_timeline::deadlines::{Deadline, Kind};
use recoup_timeline::forecast::{Curve, Run};
use serde_json::{Value, json};

use crate::deadlines::{clause_id, verb, worth};
use crate::grid::{Tone, paint};
use crate::text::{clean, paragraph, spaced};
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

fn both(at: Instant, zone: Zone) -> String {
    time::both(at, zone)
}

/// The timeline as plain text, wrapped to the width.
#[must_use]
pub fn text(told: &Told, look: &Look) -> String {
    let limit = look.columns();
    let zone = told.subject.zone;
    let mut out = format!("\n{}\n", paint("What comes", Tone::Head, look.colour));
    let mut deadlines = told.deadlines.iter().peekable();
    for run in &told.curve.runs {
        movement(&mut out, run, limit);
        // A boundary at which only reasons change is none to be told.
        while let Some(deadline) = deadlines.next_if(|deadline| deadline.at <= run.last || is_end_of(deadline, run)) {
            event(&mut out, deadline, zone, limit);
        }
    }
    if told.deadlines.is_empty() {
        paragraph(&mut out, "  ", "Nothing opens or closes by time alone.", limit);
    }
    let best = forecast::best(&told.forecast()).unwrap_or_else(|| "none: nothing is known to come back".to_owned());
    paragraph(&mut out, "  best moment  ", &clean(&best), limit);
    out
}

fn is_end_of(deadline: &Deadline, run: &Run) -> bool {
    match run.ends {
        recoup_timeline::Ends::Before(at) => deadline.at == at && !deadline.through,
        recoup_timeline::Ends::Through(at) => deadline.at == at && deadline.through,
        recoup_timeline::Ends::Open => false,
    }
}

/// How the figure moves in a run, where it does.
fn movement(out: &mut String, run: &Run, limit: usize) {
    if run.first == run.end {
        return;
    }
    let amount = |figures: &recoup_timeline::Figures| {
        let (amount, currency) = worth(figures);
        format!("{amount} {currency}").trim().to_owned()
    };
    let exit = run.first.exit.map_or_else(|| "-".to_owned(), |exit| spaced(exit.as_str()));
    let text = format!("{exit}: from {} to {}, {}", amount(&run.first), amount(&run.end), forecast::pace(run));
    paragraph(out, "    ", &text, limit);
}

fn event(out: &mut String, deadline: &Deadline, zone: Zone, limit: usize) {
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
