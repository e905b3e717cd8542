//! The provider's own answers beside what the rules say without them.
//!
//! An importer states what a payload prints twice: as facts, since the rules go by them where the pages
//! say so, and as statements, to be compared. What the rules alone say is asked for in a second batch
//! of the few resources that carry statements, without those facts; otherwise every statement would
//! agree with itself.

use recoup_core::assessment::Assessment;
use recoup_core::fact::{Flag, FlagSet, Moment};
use recoup_core::record::ResourceRecord;
use recoup_core::stated::Compared;
use recoup_core::time::Instant;
use recoup_core::vocab::{Exit, Outcome};
use recoup_plugin::session::check_answers;
use recoup_plugin::{CallError, Session};

use crate::Answered;

/// The resource without the facts that repeat what is stated; none where no fact does.
fn without_statements(resource: &ResourceRecord) -> Option<ResourceRecord> {
    let until = |moment: Moment| {
        resource.facts.moment(moment).filter(|at| resource.stated.iter().any(|one| one.until == Some(*at)))
    };
    let is_repeated = until(Moment::ReturnableUntil).is_some();
    let is_closed = resource.facts.flags.get(Flag::RefundNotSupported).is_some()
        && resource.stated.iter().any(|one| one.allowed.is_some() || one.until.is_some());
    if !is_repeated && !is_closed {
        return None;
    }
    let mut alone = resource.clone();
    if is_repeated {
        alone.facts.moments.retain(|(moment, _)| *moment != Moment::ReturnableUntil);
    }
    if is_closed {
        let mut flags = FlagSet::default();
        let others = alone.facts.flags.iter().filter(|(flag, _)| *flag != Flag::RefundNotSupported);
        others.for_each(|(flag, value)| flags.set(flag, value));
        alone.facts.flags = flags;
    }
    Some(alone)
}

/// Opens a session of the same run at another instant.
pub(crate) type SessionAt<'a> = dyn Fn(Instant) -> Result<Box<dyn Session>, CallError> + 'a;

/// The rulings of one session on a few resources; `None` where it refuses to rule on one.
fn rule(
    provider: &str,
    session: &dyn Session,
    records: &[ResourceRecord],
) -> Result<Vec<Option<Assessment>>, CallError> {
    let malformed = |what: String| CallError::Malformed { provider: provider.to_owned(), what };
    let batch = recoup_plugin::batch::resources(records, None).map_err(|error| malformed(error.to_string()))?;
    let answers = session.assess(batch)?;
    let answers = check_answers(provider, records.len(), session.clauses(), &answers)?;
    let one = |row| answers.get(row).map_err(|error| malformed(error.to_string()));
    (0..records.len()).map(|row| Ok(one(row)?.ok().map(|answer| answer.assessment))).collect()
}

/// Puts the statements of `group` beside what the rules say, in the answers to it.
///
/// # Errors
/// Where the adapter fails.
pub(crate) fn compare<E>(
    provider: &str,
    session: &dyn Session,
    session_at: &SessionAt<'_>,
    group: &[ResourceRecord],
    answers: &mut [Result<Answered, E>],
) -> Result<(), CallError> {
    let stating = || group.iter().enumerate().filter(|(_, one)| !one.stated.is_empty());
    let alone: Vec<(usize, ResourceRecord)> =
        stating().filter_map(|(place, one)| without_statements(one).map(|alone| (place, alone))).collect();
    let (places, records): (Vec<usize>, Vec<ResourceRecord>) = alone.into_iter().unzip();
    let ruled = if records.is_empty() { Vec::new() } else { rule(provider, session, &records)? };
    for (place, resource) in stating() {
        let Some(Ok(answered)) = answers.get_mut(place) else { continue };
        let second = places.iter().position(|other| *other == place);
        // What cannot be ruled on without the facts is compared with the answer that rests on them.
        let own = second.and_then(|second| ruled.get(second)).and_then(Option::as_ref);
        let record = second.and_then(|second| records.get(second)).unwrap_or(resource);
        let closes = |exit: Exit, until: Instant| {
            let then =
                session_at(until).and_then(|session| rule(provider, session.as_ref(), std::slice::from_ref(record)));
            let then = then.ok().and_then(|mut ruled| ruled.pop()?);
            then.is_some_and(|then| then.ruling(exit).is_none_or(|ruling| ruling.outcome() == Outcome::Refused))
        };
        let at = answered.subject.at;
        let own = own.unwrap_or(&answered.assessment);
        answered.stated = resource.stated.iter().map(|one| Compared::of(one, own, at, closes)).collect();
    }
    Ok(())
}
