//! Deadlines as a calendar that a team subscribes to (iCalendar, RFC 5545).
//!
//! An event begins at the instant to act by, in UTC, which every client shows on its own clock; the
//! description has the site's clock, the money and the clauses. The id of an event rests on what it is
//! about and not on when the file was written, so that a calendar which is fetched again moves what it
//! has and doubles nothing. What loses something reminds a week and a day before.

use chrono::{DateTime, Duration, Utc};
use icalendar::{Alarm, Calendar, Component as _, Event, EventLike as _, Property};
use recoup_core::time::{Instant, Zone};
use recoup_timeline::deadlines::Deadline;

use crate::deadlines::{what, why, worth};
use crate::text::{TIE, clean};
use crate::time;

/// Days before a deadline at which a calendar reminds.
const REMIND_DAYS: [i64; 2] = [7, 1];

/// Hours after which a client should fetch a calendar again.
const REFRESH_HOURS: i64 = 6;

fn utc(at: Instant) -> DateTime<Utc> {
    DateTime::from_timestamp_micros(at.micros()).unwrap_or_default()
}

/// The calendar. `asked` is the instant from which deadlines were asked for: what is written does not
/// depend on when.
#[must_use]
pub fn calendar(deadlines: &[Deadline], title: &str, asked: Instant) -> String {
    let mut calendar = Calendar::empty();
    calendar.append_property(Property::new("VERSION", "2.0"));
    calendar.append_property(Property::new("PRODID", "-//recoup//deadlines//EN"));
    calendar.append_property(Property::new("CALSCALE", "GREGORIAN"));
    calendar.append_property(Property::new("METHOD", "PUBLISH"));
    calendar.name(title);
    calendar.ttl(&Duration::hours(REFRESH_HOURS));
    for deadline in deadlines {
        calendar.push(event(deadline, asked));
    }
    calendar.to_string()
}

/// What stays the same as long as the deadline is the same one.
fn uid(deadline: &Deadline) -> String {
    let subject = &deadline.subject;
    let exits: Vec<String> =
        deadline.changes.iter().map(|change| format!("{}-{}", change.exit, change.kind.as_str())).collect();
    let parts = [
        subject.provider.as_str(),
        &subject.site,
        subject.account.as_deref().unwrap_or_default(),
        &subject.resource,
        &deadline.at.display(Zone::UTC).to_string(),
        &exits.join("."),
    ];
    // Two ids that differ stay different: what is no letter or digit is written as its code.
    let plain = |text: &str| -> String {
        let written = text.chars().map(|c| match c {
            c if c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_') => c.to_string(),
            c => format!("%{:X}", u32::from(c)),
        });
        written.collect()
    };
    format!("{}@recoup", parts.map(plain).join("/"))
}

fn amount((amount, currency): (String, String)) -> String {
    format!("{amount} {currency}").trim().to_owned()
}

fn event(deadline: &Deadline, asked: Instant) -> Event {
    let subject = &deadline.subject;
    let name = subject.name.as_deref().filter(|name| *name != subject.resource).map(|name| format!(" ({name})"));
    let thing = clean(&format!("{}{}", subject.resource, name.unwrap_or_default()));
    let stake = match (deadline.stake(), deadline.currency()) {
        (Some(stake), Some(currency)) if stake.is_positive() => format!(", {stake} {currency} at stake"),
        (Some(stake), Some(currency)) if stake.is_negative() => {
            format!(", {} {currency} more after it", stake.magnitude())
        }
        (None, _) => ", figure not known".to_owned(),
        _ => String::new(),
    };
    let word = if deadline.through { "Through" } else { "Before" };
    let mut lines = vec![
        format!("{word} {} ({})", time::long(deadline.at, subject.zone), time::long(deadline.at, Zone::UTC)),
        format!("Best exit before: {}", best(&deadline.before)),
        format!("Best exit after: {}", best(&deadline.after)),
        why(deadline).replace(TIE, " "),
        format!(
            "{}/{}{}",
            subject.provider,
            subject.site,
            subject.account.as_ref().map(|account| format!(", account {account}")).unwrap_or_default()
        ),
    ];
    lines.retain(|line| !line.is_empty());
    let uid = uid(deadline);
    let mut event = Event::new();
    event
        .uid(&uid)
        .timestamp(utc(asked))
        .starts(utc(deadline.due()))
        .ends(utc(deadline.due()))
        .summary(&format!("{thing}: {}{stake}", what(deadline)))
        .description(&lines.iter().map(|line| clean(line)).collect::<Vec<_>>().join("\n"))
        .categories([subject.provider.as_str()])
        .add_property("TRANSP", "TRANSPARENT");
    if deadline.loses() {
        for days in REMIND_DAYS {
            // The library would stamp it with the clock and an id by chance.
            let mut alarm = Alarm::display(&format!("{thing}: {}", what(deadline)), -Duration::days(days));
            alarm.add_property("UID", format!("{days}d/{uid}"));
            alarm.add_property("DTSTAMP", utc(asked).format("%Y%m%dT%H%M%SZ").to_string());
            event.alarm(alarm);
        }
    }
    event.done()
}

fn best(figures: &recoup_timeline::Figures) -> String {
    let exit = figures.exit.map_or("none", |exit| exit.as_str()).replace('_', " ");
    if figures.is_open() { format!("{exit}, worth {}", amount(worth(figures))) } else { "none".to_owned() }
}
