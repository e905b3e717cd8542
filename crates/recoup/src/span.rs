//! Resources and the span of time over which a command asks about them.

use std::collections::VecDeque;
use std::sync::Mutex;

use recoup_core::assessment::Subject;
use recoup_core::record::ResourceRecord;
use recoup_core::time::{Instant, Span, Zone};
use recoup_engine::pipeline::Input;
use recoup_engine::timeline::end_of;
use recoup_engine::{Assessor, Engine};

use crate::assess::{each, keeps};
use crate::cli::Question;
use crate::host::{Failure, Status, open, run, say};
use crate::progress::Progress;

/// Years after which nothing is asked any more, where neither the command line nor a record says until
/// when.
const YEARS: i32 = 10;

/// Years over which something is asked about whose end no record says.
const YEARS_WITHOUT_END: i32 = 3;

/// What was asked about: resources that the rules answer for, each from its own first instant.
pub(crate) struct Asked<'e> {
    pub(crate) assessor: Assessor<'e>,
    pub(crate) resources: Vec<ResourceRecord>,
    pub(crate) subjects: Vec<Subject>,
    pub(crate) status: Status,
}

impl Asked<'_> {
    /// The first instant of all.
    pub(crate) fn from(&self) -> Instant {
        self.subjects.iter().map(|subject| subject.at).min().unwrap_or(Instant::from_micros(0))
    }

    /// For every resource the span from its first instant to `end` of it.
    pub(crate) fn spans(&self, end: impl Fn(&ResourceRecord, &Subject) -> Instant) -> Vec<(Instant, Instant)> {
        let spans = self.resources.iter().zip(&self.subjects);
        spans.map(|(resource, subject)| (subject.at, end(resource, subject).max(subject.at))).collect()
    }
}

/// Reads files and asks once about everything in them: what the rules do not answer for is said and left
/// out. `trace` has rulings keep their steps, from which causes are read.
pub(crate) fn ask<'e>(
    engine: &'e Engine,
    files: &[String],
    question: &Question,
    id: Option<&str>,
    trace: bool,
) -> Result<Asked<'e>, Failure> {
    let (run, before) = run(engine, question, trace)?;
    let (inputs, run, opened) = open(engine, files, question.provider.as_deref(), run)?;
    let assessor = Assessor::new(engine, run);
    let (resources, subjects, status) = answered(&assessor, inputs, question, id)?;
    Ok(Asked { assessor, resources, subjects, status: status.max(before).max(opened) })
}

/// The records of inputs that can be assessed, in their order, with what each answer speaks of.
pub(crate) fn answered(
    assessor: &Assessor<'_>,
    inputs: Vec<Input>,
    question: &Question,
    id: Option<&str>,
) -> Result<(Vec<ResourceRecord>, Vec<Subject>, Status), Failure> {
    let taken: Mutex<VecDeque<ResourceRecord>> = Mutex::default();
    let wanted = keeps(question, id);
    let keep = |resource: &ResourceRecord| {
        let wanted = wanted(resource);
        if wanted && let Ok(mut taken) = taken.lock() {
            taken.push_back(resource.clone());
        }
        wanted
    };
    let mut subjects: Vec<Subject> = Vec::new();
    // One thread, so that the records are taken in the order in which the answers come.
    let status = each(assessor, inputs, &keep, 1, &Progress::hidden(), |answered| {
        subjects.push(answered.subject);
        Ok(())
    })?;
    let mut taken = taken.into_inner().unwrap_or_default();
    let mut resources = Vec::with_capacity(subjects.len());
    // Some records were problems: the answers are those of the others, in the same order.
    for subject in &subjects {
        let is_it = |resource: &ResourceRecord| {
            resource.id == subject.resource
                && resource.provider == subject.provider
                && resource.account == subject.account
        };
        while let Some(resource) = taken.pop_front() {
            if is_it(&resource) {
                resources.push(resource);
                break;
            }
        }
    }
    Ok((resources, subjects, status))
}

/// What could be made of each resource, saying what is wrong with the others.
pub(crate) fn made<T>(made: Vec<Result<T, String>>, subjects: &[Subject]) -> (Vec<T>, Status) {
    let mut status = Status::Done;
    let mut good = Vec::with_capacity(made.len());
    for (item, subject) in made.into_iter().zip(subjects) {
        match item {
            Ok(item) => good.push(item),
            Err(what) => {
                say(format_args!("{}: {what}", subject.resource));
                status = Status::BadInput;
            }
        }
    }
    (good, status)
}

/// A length of time as it is written on a command line: `48h`, `30d`, `2w`, `6mo`, `1y`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Length {
    Hours(u16),
    Days(u16),
    Months(u16),
}

impl std::str::FromStr for Length {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let malformed = || format!("{text:?}: expected a length of time such as 48h, 30d, 2w, 6mo or 1y");
        let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        let (count, unit) = text.split_at_checked(digits).ok_or_else(malformed)?;
        let count: u16 = count.parse().map_err(|_| malformed())?;
        let times = |factor: u16| count.checked_mul(factor).ok_or_else(malformed);
        match unit {
            "h" => Ok(Self::Hours(count)),
            "d" => Ok(Self::Days(count)),
            "w" => times(7).map(Self::Days),
            "mo" => Ok(Self::Months(count)),
            "y" => times(12).map(Self::Months),
            _ => Err(malformed()),
        }
    }
}

impl Length {
    /// The instant so much later; months are those of the zone's calendar.
    pub(crate) fn after(self, at: Instant, zone: Zone) -> Instant {
        match self {
            Self::Hours(hours) => at + Span::hours(i64::from(hours)),
            Self::Days(days) => at + Span::days(i64::from(days)),
            Self::Months(months) => zone.add_months(at, i32::from(months)),
        }
    }
}

/// The end of a span as it is written on a command line: an instant, or a date on each site's clock.
pub(crate) fn until(flag: &str, text: &str) -> Result<impl Fn(Zone) -> Instant + use<>, Failure> {
    Instant::parse(text, Zone::UTC).map_err(|error| Failure::usage(format_args!("{flag} {error}")))?;
    let text = text.to_owned();
    Ok(move |zone: Zone| Instant::parse(&text, zone).unwrap_or(Instant::from_micros(0)))
}

/// The last instant that is worth asking about where the command line says none: the latest end of all
/// resources, so that each is told as long as any.
pub(crate) fn natural_end(asked: &Asked<'_>) -> Instant {
    let from = asked.from();
    let end = asked.resources.iter().filter_map(end_of).max().filter(|end| *end > from);
    end.unwrap_or_else(|| Zone::UTC.add_months(from, 12 * YEARS_WITHOUT_END))
        .min(Zone::UTC.add_months(from, 12 * YEARS))
}

/// Goes on where there is something to go on with.
pub(crate) fn any(asked: &Asked<'_>) -> Result<(), Failure> {
    if asked.resources.is_empty() && asked.status != Status::Done {
        return Err(Failure::input("no resource could be assessed"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_time() {
        let at = Instant::parse("2024-01-31", Zone::UTC).unwrap();
        let after = |text: &str| text.parse::<Length>().unwrap().after(at, Zone::UTC).display(Zone::UTC).to_string();
        assert_eq!(after("48h"), "2024-02-02T00:00:00Z");
        assert_eq!(after("2w"), "2024-02-14T00:00:00Z");
        assert_eq!(after("1mo"), "2024-02-29T00:00:00Z");
        assert_eq!(after("1y"), "2025-01-31T00:00:00Z");
        for wrong in ["", "h", "30", "30 d", "-1d", "1m", "99999d", "1.5h", "9999y"] {
            assert!(wrong.parse::<Length>().is_err(), "{wrong}");
        }
    }
}
