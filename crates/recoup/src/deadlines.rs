//! `recoup deadlines`: what closes, opens or changes its fee, when, and what it costs to miss it.

use recoup_core::time::Instant;
use recoup_engine::Engine;
use recoup_engine::timeline::each;
use recoup_report::deadlines as report;
use recoup_report::ics;
use recoup_timeline::deadlines::{Deadline, deadlines as deadlines_of};

use crate::cli::{Deadlines, GroupBy, SortBy, TimeFormat};
use crate::host::{Failure, Outcome, Status, look, say, threads};
use crate::output::{time_format, write_text};
use crate::span::{Asked, Length, any, ask, made, natural_end};

pub(crate) fn deadlines(engine: &Engine, args: &Deadlines) -> Outcome {
    let asked = ask(engine, &args.files, &args.question, None, true)?;
    any(&asked)?;
    let (mut found, walked) = coming(&asked, args);
    found.sort_by_key(Deadline::due);
    write(args, &asked, &found)?;
    let status = asked.status.max(walked);
    match args.fail_if_within {
        Some(length) if loses_within(&found, length) => Ok(Status::CheckFailed),
        _ => Ok(status),
    }
}

/// The deadlines of every resource that come within the time asked about, counted by the instant to act
/// by: a review that begins within it counts.
fn coming(asked: &Asked<'_>, args: &Deadlines) -> (Vec<Deadline>, Status) {
    // A review is over some time after the instant to act by, so the walk goes a little further.
    const REVIEW: Length = Length::Days(31);
    let natural = natural_end(asked);
    let spans = asked.spans(|_, subject| match args.within {
        Some(length) => REVIEW.after(length.after(subject.at, subject.zone), subject.zone),
        None => natural,
    });
    let found = each(&asked.assessor, &asked.resources, &spans, threads(&args.question), |_, timelines| {
        timelines.into_iter().map(|(_, timeline)| timeline.map(|timeline| deadlines_of(&timeline))).collect()
    });
    let (found, status) = made(found, &asked.subjects);
    let within = |deadline: &Deadline| {
        let subject = &deadline.subject;
        args.within.is_none_or(|length| deadline.due() <= length.after(subject.at, subject.zone))
    };
    (found.into_iter().flatten().filter(within).collect(), status)
}

fn loses_within(found: &[Deadline], length: Length) -> bool {
    let soon = |deadline: &&Deadline| {
        let subject = &deadline.subject;
        deadline.loses() && deadline.due() <= length.after(subject.at, subject.zone)
    };
    let count = found.iter().filter(soon).count();
    if count > 0 {
        say(format_args!("{count} deadline(s) that lose something are due within the time given to --fail-if-within"));
    }
    count > 0
}

fn write(args: &Deadlines, asked: &Asked<'_>, found: &[Deadline]) -> Result<(), Failure> {
    let title = "What to act on, and by when";
    let look = look(title, args.answer.output.is_some());
    let sort = match args.sort {
        SortBy::Time => report::Sort::Time,
        SortBy::Stake => report::Sort::Stake,
    };
    let group = args.group.map(|group| match group {
        GroupBy::Account => report::Group::Account,
        GroupBy::Provider => report::Group::Provider,
    });
    let from: Instant = asked.from();
    let text = match time_format(&args.answer) {
        TimeFormat::Table => report::table(found, sort, group, &look),
        TimeFormat::Json => report::json(found, sort, group),
        TimeFormat::Ndjson => report::ndjson(found, sort, group),
        TimeFormat::Csv => {
            let mut out = Vec::new();
            report::csv(found, sort, group, &mut out).map_err(|error| Failure::output(&error))?;
            String::from_utf8_lossy(&out).into_owned()
        }
        TimeFormat::Markdown => report::markdown(found, sort, group, &look),
        TimeFormat::Html => report::html(found, sort, group, &look),
        TimeFormat::Ics => ics::calendar(found, "recoup deadlines", from),
    };
    write_text(&args.answer.place(), &text)
}
