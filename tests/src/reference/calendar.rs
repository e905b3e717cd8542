//! The wall clock of Beijing, by which both providers' pages are dated.

use chrono::{DateTime, FixedOffset, Months, NaiveDate, NaiveDateTime, Offset, TimeDelta, Timelike, Utc};
use recoup_core::time::Instant;

/// What a clock on a wall in Beijing shows.
pub(super) fn wall(instant: Instant) -> NaiveDateTime {
    let east = FixedOffset::east_opt(8 * 3_600).unwrap_or_else(|| Utc.fix());
    DateTime::from_timestamp_micros(instant.micros()).unwrap_or_default().with_timezone(&east).naive_local()
}

/// The instant at which it shows this.
pub(super) fn instant(wall: NaiveDateTime) -> Instant {
    Instant::from_micros(wall.and_utc().timestamp_micros() - 8 * 3_600 * 1_000_000)
}

/// The instant at which a printed date begins.
pub(super) fn date(year: i32, month: u32, day: u32) -> Instant {
    instant(NaiveDate::from_ymd_opt(year, month, day).unwrap_or_default().into())
}

/// The hour that a clock is in.
pub(super) fn hour(wall: NaiveDateTime) -> NaiveDateTime {
    wall.date().and_hms_opt(wall.hour(), 0, 0).unwrap_or(wall)
}

/// So many years later, on the last of February where there is no 29th.
pub(super) fn years_later(wall: NaiveDateTime, years: u32) -> NaiveDateTime {
    wall.checked_add_months(Months::new(12 * years)).unwrap_or(wall)
}

/// An instant so many hours later.
pub(super) fn hours_later(instant: Instant, hours: i64) -> Instant {
    Instant::from_micros(instant.micros() + hours * 3_600 * 1_000_000)
}

/// How long it is from one instant to another.
pub(super) fn length(from: Instant, to: Instant) -> TimeDelta {
    TimeDelta::microseconds(to.micros() - from.micros())
}
