//! `recoup forecast`: what would come back if everything left at each moment from now on.

use std::io::{self, Write};
use std::sync::Mutex;

use recoup_core::assessment::Subject;
use recoup_core::time::{Instant, Span};
use recoup_engine::Engine;
use recoup_engine::timeline::{Books, CHUNK, Ruled, each};
use recoup_report::forecast::{self as report, Forecast as Told, Forecasts};
use recoup_timeline::Timeline;
use recoup_timeline::forecast::{Curve, Moments, Total, curves, figures_at, moments};
use recoup_timeline::steps::{MOST_STEPS, Movement};

use crate::cli::{Forecast, TimeAnswer, TimeFormat};
use crate::host::{Failure, Outcome, Status, look, threads};
use crate::output::{Written, place, time_format, write_text};
use crate::span::{Asked, any, ask, made, natural_end, until};

/// Steps of a piece that are listed where every one was asked for: a leap year of hours, six times over.
const EVERY_STEP: usize = 52_704;

/// Instants at which totals are told.
pub(crate) const MOST_MOMENTS: usize = 2_000;

/// Refuses what only deadlines can be written as, before any work is done.
pub(crate) fn refuse_calendar(answer: &TimeAnswer) -> Result<(), Failure> {
    match time_format(answer) {
        TimeFormat::Ics => Err(Failure::usage("--format ics: only deadlines are a calendar; see `recoup deadlines`")),
        _ => Ok(()),
    }
}

pub(crate) fn forecast(engine: &Engine, args: &Forecast) -> Outcome {
    refuse_calendar(&args.answer)?;
    let asked = ask(engine, &args.files, &args.question, args.id.as_deref(), false)?;
    any(&asked)?;
    let end = end(&asked, args.until.as_deref())?;
    let (forecasts, status) = told(&asked, &end, args.steps, threads(&args.question), false)?;
    write(&args.answer, &forecasts, "What would come back, and when")?;
    Ok(asked.status.max(status))
}

/// Until when each resource is asked about.
pub(crate) fn end(asked: &Asked<'_>, written: Option<&str>) -> Result<Vec<(Instant, Instant)>, Failure> {
    let natural = natural_end(asked);
    let Some(written) = written else { return Ok(asked.spans(|_, _| natural)) };
    let end = until("--until", written)?;
    if let Some(subject) = asked.subjects.iter().find(|subject| end(subject.zone) <= subject.at) {
        let from = subject.at.display(subject.zone);
        return Err(Failure::usage(format_args!("--until {written}: expected a time after {from}")));
    }
    Ok(asked.spans(|_, subject| end(subject.zone)))
}

/// The curves of all resources and their totals at the moments that matter.
pub(crate) fn told(
    asked: &Asked<'_>,
    spans: &[(Instant, Instant)],
    every_step: bool,
    threads: usize,
    alternatives: bool,
) -> Result<(Forecasts, Status), Failure> {
    let most = if every_step { EVERY_STEP } else { MOST_STEPS };
    let walked = each(&asked.assessor, &asked.resources, spans, threads, |rules, timelines| {
        let good: Vec<(usize, &Timeline)> = timelines
            .iter()
            .filter_map(|(place, timeline)| timeline.as_ref().ok().map(|timeline| (*place, timeline)))
            .collect();
        let mut curves = curves(rules, &good, most).into_iter();
        timelines
            .iter()
            .map(|(_, timeline)| match timeline {
                Ok(_) => curves.next().unwrap_or_else(|| Err("no answer came back".to_owned())),
                Err(what) => Err(what.clone()),
            })
            .collect()
    });
    let failed: Vec<bool> = walked.iter().map(Result::is_err).collect();
    let (curves, status) = made(walked, &asked.subjects);
    let known = |place: &usize| failed.get(*place) == Some(&false);
    let places: Vec<usize> = (0..asked.resources.len()).filter(known).collect();
    // Sites have different clocks, so a day begins at different instants: sums begin with the last.
    let from = spans.iter().map(|(from, _)| *from).max().unwrap_or_else(|| asked.from());
    let last = spans.iter().map(|(_, last)| *last).max().unwrap_or(from);
    let last = last_change(&curves).map_or(last, |change| (change + Span::days(1)).min(last)).max(from);
    let moments = moments(&curves, from, last, MOST_MOMENTS);
    let forecasts = together(asked, &places, curves, moments, threads, alternatives).map_err(Failure::input)?;
    Ok((forecasts, status))
}

/// The last instant at which anything moves: what comes after is no news.
pub(crate) fn last_change(curves: &[Curve]) -> Option<Instant> {
    let of = |curve: &Curve| {
        let last = curve.runs.last()?;
        match last.movement {
            Movement::Glides { .. } => Some(last.last),
            _ => curve.moves().last(),
        }
    };
    curves.iter().filter_map(of).max()
}

/// Adds up the figures of all curves at every moment.
fn together(
    asked: &Asked<'_>,
    places: &[usize],
    curves: Vec<Curve>,
    moments: Moments,
    threads: usize,
    alternatives: bool,
) -> Result<Forecasts, String> {
    let books = Books::of(&asked.assessor, &asked.resources);
    let rules = Ruled::new(&asked.assessor, &asked.resources, &books);
    let placed: Vec<(usize, &Curve)> = places.iter().copied().zip(&curves).collect();
    let chunks: Vec<&[(usize, &Curve)]> = placed.chunks(CHUNK).collect();
    let next = std::sync::atomic::AtomicUsize::new(0);
    let none: Vec<Total> = moments.at.iter().map(|_| Total::default()).collect();
    let sums = Mutex::new(none.clone());
    let added: Mutex<Vec<(usize, Result<Each, String>)>> = Mutex::default();
    std::thread::scope(|scope| {
        for _ in 0..threads.clamp(1, chunks.len().max(1)) {
            scope.spawn(|| {
                let mut totals = none.clone();
                loop {
                    let number = next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                    let Some(chunk) = chunks.get(number) else { break };
                    let mut each = Each::new();
                    let done = figures_at(&rules, chunk, &moments.at, |figures| {
                        for (total, figures) in totals.iter_mut().zip(&figures) {
                            figures.iter().for_each(|figures| total.add(figures));
                        }
                        if alternatives {
                            each.push(figures);
                        }
                    });
                    if let Ok(mut added) = added.lock() {
                        added.push((number, done.map(|()| each)));
                    }
                }
                if let Ok(mut sums) = sums.lock() {
                    sums.iter_mut().zip(&totals).for_each(|(sum, total)| sum.join(total));
                }
            });
        }
    });
    let totals = sums.into_inner().unwrap_or_default();
    let mut added = added.into_inner().unwrap_or_default();
    added.sort_by_key(|(number, _)| *number);
    let mut at_moments = Vec::new();
    for (_, each) in added {
        at_moments.extend(each?);
    }
    let mut at_moments = at_moments.into_iter();
    let subjects = places.iter().filter_map(|place| asked.subjects.get(*place));
    let told = subjects.zip(curves).map(|(subject, curve): (&Subject, Curve)| Told {
        label: if alternatives { subject.provider.clone() } else { subject.resource.clone() },
        subject: subject.clone(),
        curve,
        at_moments: at_moments.next().unwrap_or_default(),
    });
    Ok(Forecasts { each: told.collect(), moments: moments.at, totals, left_out: moments.left_out, alternatives })
}

/// The figures of each resource at every moment, where they are wanted one by one.
type Each = Vec<Vec<Option<recoup_timeline::Figures>>>;

pub(crate) fn write(answer: &TimeAnswer, forecasts: &Forecasts, title: &str) -> Result<(), Failure> {
    let look = look(title, answer.output.is_some());
    let streamed = |write: &dyn Fn(&mut dyn Write) -> io::Result<()>| {
        let whole = |out: &mut (dyn Write + Send)| write(out).map(|()| Written::Whole);
        place(&answer.place(), |out| whole(out).map_err(|error| Failure::output(&error)))
    };
    let text = match time_format(answer) {
        TimeFormat::Json => return streamed(&|out| report::json(forecasts, out)),
        TimeFormat::Ndjson => return streamed(&|out| report::ndjson(forecasts, out)),
        TimeFormat::Csv => return streamed(&|out| report::csv(forecasts, out)),
        TimeFormat::Table => report::table(forecasts, &look),
        TimeFormat::Markdown => report::markdown(forecasts, &look),
        TimeFormat::Html => report::html(forecasts, &look),
        TimeFormat::Ics => {
            return Err(Failure::usage("--format ics: a forecast is no calendar; `recoup deadlines` is"));
        }
    };
    write_text(&answer.place(), &text)
}
