//! Instants, spans, zones and calendar arithmetic.
//!
//! An [`Instant`] is a point in time with microseconds; a [`Zone`] turns it into a wall clock. Rules
//! take instants as input: nothing here reads a clock. Periods are half-open: they contain their start
//! and not their end.
//!
//! ```
//! use recoup_core::time::{Instant, Zone};
//!
//! let zone = Zone::fixed_hours(8);
//! let start = Instant::parse("2024-01-31", zone)?;
//! // A month's term ends on the same day of the next month, or on the month's last.
//! assert_eq!(zone.add_months(start, 1).display(zone).to_string(), "2024-02-29T00:00:00+08:00");
//! # Ok::<(), recoup_core::time::TimeError>(())
//! ```

use std::fmt;
use std::num::NonZeroU64;
use std::ops::{Add, Sub};
use std::str::FromStr;

use chrono::{DateTime, Datelike, Days, FixedOffset, Months, NaiveDate, NaiveDateTime, Offset, TimeZone};

const MICROS: i64 = 1_000_000;
const HOUR: i64 = 3_600 * MICROS;
const DAY: i64 = 24 * HOUR;

/// A point in time, in microseconds since 1970-01-01 00:00 UTC.
///
/// An instant that may be missing takes no more room than one that is there.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant(
    /// The microseconds with their sign turned over, so that they sort and are never nothing.
    NonZeroU64,
);

const SIGN: u64 = 1 << 63;

/// A length of time, in microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span(i64);

/// A text that is no instant.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TimeError {
    /// The text has no form that is understood.
    #[error(
        "{0:?} is not an instant: expected RFC 3339 with an offset such as \"2024-01-02T00:00:00+08:00\", or a bare date"
    )]
    NotAnInstant(String),
    /// The year is outside 1970 to 2999.
    #[error("{0:?} is outside the years 1970 to 2999")]
    OutOfRange(String),
    /// The text has no form of a zone.
    #[error(
        "{0:?} is not a time zone: expected an offset such as \"+08:00\", \"UTC\" or a name such as \"Europe/Berlin\""
    )]
    NotAZone(String),
}

impl Span {
    /// A span of whole hours.
    #[must_use]
    #[inline]
    pub const fn hours(hours: i64) -> Self {
        Self(hours * HOUR)
    }

    /// A span of days of 24 hours.
    #[must_use]
    #[inline]
    pub const fn days(days: i64) -> Self {
        Self(days * DAY)
    }

    /// A span of seconds.
    #[must_use]
    #[inline]
    pub const fn seconds(seconds: i64) -> Self {
        Self(seconds * MICROS)
    }

    /// Whole hours, the rest cut off.
    #[must_use]
    #[inline]
    pub const fn whole_hours(self) -> i64 {
        self.0.div_euclid(HOUR)
    }

    /// Whole days of 24 hours, the rest cut off.
    #[must_use]
    #[inline]
    pub const fn whole_days(self) -> i64 {
        self.0.div_euclid(DAY)
    }

    /// Hours, a begun one counted whole.
    #[must_use]
    #[inline]
    pub const fn hours_begun(self) -> i64 {
        self.0.div_euclid(HOUR) + (self.0.rem_euclid(HOUR) != 0) as i64
    }

    /// Days of 24 hours, a begun one counted whole.
    #[must_use]
    #[inline]
    pub const fn days_begun(self) -> i64 {
        self.0.div_euclid(DAY) + (self.0.rem_euclid(DAY) != 0) as i64
    }

    /// Whole seconds.
    #[must_use]
    pub const fn whole_seconds(self) -> i64 {
        self.0.div_euclid(MICROS)
    }

    /// Microseconds, the unit in which proportions of time are exact.
    #[must_use]
    #[inline]
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// Whether the span is longer than nothing.
    #[must_use]
    #[inline]
    pub const fn is_positive(self) -> bool {
        self.0 > 0
    }
}

impl Add for Span {
    type Output = Self;
    #[inline]
    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl Instant {
    /// From microseconds since 1970-01-01 00:00 UTC.
    #[must_use]
    #[inline]
    pub const fn from_micros(micros: i64) -> Self {
        match NonZeroU64::new(micros.cast_unsigned() ^ SIGN) {
            Some(turned) => Self(turned),
            // The earliest instant of all; a microsecond before it is the same.
            None => Self(NonZeroU64::MIN),
        }
    }

    /// Microseconds since 1970-01-01 00:00 UTC.
    #[must_use]
    #[inline]
    pub const fn micros(self) -> i64 {
        (self.0.get() ^ SIGN).cast_signed()
    }

    /// Reads an instant: RFC 3339 with an offset, or a bare date, which is midnight in `zone`.
    /// A time without an offset is refused: nobody knows which clock it was read from.
    ///
    /// # Errors
    /// When the text has neither form, or the year is outside 1970 to 2999.
    pub fn parse(text: &str, zone: Zone) -> Result<Self, TimeError> {
        let shown = || text.chars().take(60).collect::<String>();
        let micros = if let Some(micros) = plain(text) {
            micros
        } else if text.len() == 10 {
            let date = NaiveDate::from_str(text).map_err(|_| TimeError::NotAnInstant(shown()))?;
            zone.midnight(date).micros()
        } else {
            DateTime::parse_from_rfc3339(text).map_err(|_| TimeError::NotAnInstant(shown()))?.timestamp_micros()
        };
        Self::from_micros(micros).in_range().ok_or_else(|| TimeError::OutOfRange(shown()))
    }

    /// Reads a wall-clock time as some APIs print it, `2020-01-01 00:00:00`, in `zone`.
    ///
    /// # Errors
    /// When the text does not have this form.
    pub fn parse_local(text: &str, zone: Zone) -> Result<Self, TimeError> {
        let shown = || text.chars().take(60).collect::<String>();
        ["%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M:%S%.f", "%Y/%m/%d %H:%M:%S"]
            .iter()
            .find_map(|form| NaiveDateTime::parse_from_str(text, form).ok())
            .map(|wall| zone.at_wall(wall))
            .ok_or_else(|| TimeError::NotAnInstant(shown()))?
            .in_range()
            .ok_or_else(|| TimeError::OutOfRange(shown()))
    }

    /// The instant, where its year is one that files may state.
    #[must_use]
    pub fn in_range(self) -> Option<Self> {
        // 1970-01-01 to 2999-12-31, with room for offsets.
        (-DAY..=32_503_680_000 * MICROS + DAY).contains(&self.micros()).then_some(self)
    }

    /// The instant as it is written on a wall in `zone`, RFC 3339.
    #[must_use]
    pub const fn display(self, zone: Zone) -> Display {
        Display(self, zone)
    }

    /// The time from `start` to this instant.
    #[must_use]
    #[inline]
    pub fn since(self, start: Self) -> Span {
        Span(self.micros().saturating_sub(start.micros()))
    }
}

impl Add<Span> for Instant {
    type Output = Self;
    #[inline]
    fn add(self, span: Span) -> Self {
        Self::from_micros(self.micros().saturating_add(span.0))
    }
}

impl Sub<Span> for Instant {
    type Output = Self;
    #[inline]
    fn sub(self, span: Span) -> Self {
        Self::from_micros(self.micros().saturating_sub(span.0))
    }
}

impl fmt::Debug for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Instant({})", self.micros())
    }
}

/// An instant on its way to being written. See [`Instant::display`].
#[derive(Debug, Clone, Copy)]
pub struct Display(Instant, Zone);

impl fmt::Display for Display {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(instant, zone) = *self;
        if let Some(text) = Stamp::of(instant, zone.offset_seconds(instant)) {
            return f.write_str(text.as_str());
        }
        let wall = zone.wall(instant);
        write!(f, "{}", wall.format("%Y-%m-%dT%H:%M:%S"))?;
        let micros = instant.micros().rem_euclid(MICROS);
        if micros != 0 {
            let text = format!("{micros:06}");
            write!(f, ".{}", text.trim_end_matches('0'))?;
        }
        let offset = zone.offset_seconds(instant);
        if offset == 0 {
            return f.write_str("Z");
        }
        let (sign, offset) = if offset < 0 { ('-', -offset) } else { ('+', offset) };
        write!(f, "{sign}{:02}:{:02}", offset / 3600, offset / 60 % 60)
    }
}

/// The forms in which nearly every instant is written, `2024-01-02T00:00:00Z` and the same with an offset, in
/// microseconds. What looks otherwise is left to the full reader.
fn plain(text: &str) -> Option<i64> {
    let two = |tens: u8, ones: u8| -> Option<i64> {
        let digits = tens.is_ascii_digit() && ones.is_ascii_digit();
        digits.then(|| i64::from(tens - b'0') * 10 + i64::from(ones - b'0'))
    };
    let (stamp, offset) = text.as_bytes().split_first_chunk::<19>()?;
    let [c1, c2, y1, y2, b'-', m1, m2, b'-', d1, d2, b'T', h1, h2, b':', n1, n2, b':', s1, s2] = *stamp else {
        return None;
    };
    let (year, month, day) = (two(c1, c2)? * 100 + two(y1, y2)?, two(m1, m2)?, two(d1, d2)?);
    let (hour, minute, second) = (two(h1, h2)?, two(n1, n2)?, two(s1, s2)?);
    let offset = match *offset {
        [b'Z'] => 0,
        [sign @ (b'+' | b'-'), h1, h2, b':', n1, n2] => {
            let (hours, minutes) = (two(h1, h2)?, two(n1, n2)?);
            let east = hours * 3600 + minutes * 60;
            if hours > 23 || minutes > 59 {
                return None;
            }
            if sign == b'-' { -east } else { east }
        }
        _ => return None,
    };
    let leaps = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        2 => 28 + i64::from(leaps),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    if day < 1 || day > days || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let seconds = days_from_civil(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second - offset;
    Some(seconds * MICROS)
}

/// Days from 1970-01-01 to a day of the Gregorian calendar (Howard Hinnant, "chrono-compatible low-level date
/// algorithms"): years are counted from March, so that the leap day is a year's last.
const fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// The way back: year, month and day.
const fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let (era, of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    (year + era * 400 + (month <= 2) as i64, month, day)
}

/// An instant of whole seconds in the years 0 to 9999, as it is written.
struct Stamp {
    bytes: [u8; 25],
    len: usize,
}

impl Stamp {
    fn of(instant: Instant, offset: i32) -> Option<Self> {
        let micros = instant.micros();
        if micros % MICROS != 0 || offset % 60 != 0 {
            return None;
        }
        let wall = micros / MICROS + i64::from(offset);
        let (year, month, day) = civil_from_days(wall.div_euclid(86_400));
        if !(0..=9999).contains(&year) {
            return None;
        }
        let second = wall.rem_euclid(86_400);
        let two = |value: i64| {
            let value = u8::try_from(value).unwrap_or(0);
            [b'0' + value / 10, b'0' + value % 10]
        };
        let ([c1, c2], [y1, y2], [m1, m2], [d1, d2]) = (two(year / 100), two(year % 100), two(month), two(day));
        let ([h1, h2], [n1, n2], [s1, s2]) = (two(second / 3600), two(second / 60 % 60), two(second % 60));
        let east = i64::from(offset.abs());
        let (sign, [o1, o2], [p1, p2]) = (if offset < 0 { b'-' } else { b'+' }, two(east / 3600), two(east / 60 % 60));
        let (sign, len) = if offset == 0 { (b'Z', 20) } else { (sign, 25) };
        let bytes = [
            c1, c2, y1, y2, b'-', m1, m2, b'-', d1, d2, b'T', h1, h2, b':', n1, n2, b':', s1, s2, sign, o1, o2, b':',
            p1, p2,
        ];
        Some(Self { bytes, len })
    }

    fn as_str(&self) -> &str {
        self.bytes.get(..self.len).and_then(|bytes| std::str::from_utf8(bytes).ok()).unwrap_or_default()
    }
}

/// The wall clock of a site: a fixed offset, or a named zone with its changes of summer time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Zone {
    /// Seconds east of UTC.
    Fixed(i32),
    /// A zone of the IANA data base.
    Named(chrono_tz::Tz),
}

impl Zone {
    /// UTC.
    pub const UTC: Self = Self::Fixed(0);

    /// A fixed offset in whole hours east of UTC.
    #[must_use]
    pub const fn fixed_hours(hours: i32) -> Self {
        Self::Fixed(hours * 3600)
    }

    /// Seconds east of UTC at an instant.
    #[must_use]
    #[inline]
    pub fn offset_seconds(self, instant: Instant) -> i32 {
        match self {
            Self::Fixed(seconds) => seconds,
            Self::Named(zone) => {
                let utc = utc(instant);
                zone.offset_from_utc_datetime(&utc).fix().local_minus_utc()
            }
        }
    }

    /// The wall clock at an instant.
    #[must_use]
    pub fn wall(self, instant: Instant) -> NaiveDateTime {
        utc(instant + Span::seconds(i64::from(self.offset_seconds(instant))))
    }

    /// The instant of a wall-clock time: the earlier one where the clock shows it twice, and the end
    /// of the gap where it skips it.
    #[must_use]
    pub fn at_wall(self, wall: NaiveDateTime) -> Instant {
        let as_utc = Instant::from_micros(wall.and_utc().timestamp_micros());
        match self {
            Self::Fixed(seconds) => as_utc - Span::seconds(i64::from(seconds)),
            Self::Named(zone) => match zone.from_local_datetime(&wall) {
                chrono::LocalResult::Single(one) => Instant::from_micros(one.timestamp_micros()),
                chrono::LocalResult::Ambiguous(early, _) => Instant::from_micros(early.timestamp_micros()),
                // In a gap, read with the offset of before it: this lands behind the gap.
                chrono::LocalResult::None => {
                    let before = self.offset_seconds(as_utc - Span::days(1));
                    as_utc - Span::seconds(i64::from(before))
                }
            },
        }
    }

    /// The calendar day of an instant.
    #[must_use]
    pub fn date(self, instant: Instant) -> NaiveDate {
        self.wall(instant).date()
    }

    /// The first instant of a day.
    #[must_use]
    pub fn midnight(self, date: NaiveDate) -> Instant {
        self.at_wall(date.and_time(chrono::NaiveTime::MIN))
    }

    /// The first instant of the day after an instant's.
    #[must_use]
    pub fn next_midnight(self, instant: Instant) -> Instant {
        self.midnight(day_after(self.date(instant), 1))
    }

    /// The first instant of the month after an instant's.
    #[must_use]
    pub fn next_month(self, instant: Instant) -> Instant {
        let date = self.date(instant);
        self.midnight(first_of_month(date).checked_add_months(Months::new(1)).unwrap_or(date))
    }

    /// The first instant of the year after an instant's.
    #[must_use]
    pub fn next_year(self, instant: Instant) -> Instant {
        let date = self.date(instant);
        self.midnight(NaiveDate::from_ymd_opt(date.year() + 1, 1, 1).unwrap_or(date))
    }

    /// The calendar year of an instant.
    #[must_use]
    pub fn year(self, instant: Instant) -> i32 {
        self.date(instant).year()
    }

    /// The same time of day a number of calendar months later (or earlier), on the same day of the
    /// month or on the month's last.
    #[must_use]
    pub fn add_months(self, instant: Instant, months: i32) -> Instant {
        let wall = self.wall(instant);
        let count = Months::new(months.unsigned_abs());
        let moved = if months < 0 { wall.checked_sub_months(count) } else { wall.checked_add_months(count) };
        moved.map_or(instant, |wall| self.at_wall(wall))
    }

    /// The same time of day a number of calendar days later.
    #[must_use]
    pub fn add_days(self, instant: Instant, days: i64) -> Instant {
        let wall = self.wall(instant);
        let count = Days::new(days.unsigned_abs());
        let moved = if days < 0 { wall.checked_sub_days(count) } else { wall.checked_add_days(count) };
        moved.map_or(instant, |wall| self.at_wall(wall))
    }

    /// The begin of the hour in which an instant lies, on the wall clock.
    #[must_use]
    #[inline]
    pub fn floor_hour(self, instant: Instant) -> Instant {
        let offset = i64::from(self.offset_seconds(instant)) * MICROS;
        let hours = instant.micros().saturating_add(offset).div_euclid(HOUR);
        Instant::from_micros(hours.saturating_mul(HOUR).saturating_sub(offset)).min(instant)
    }

    /// Calendar days from the day of `start` to the day of `end`.
    #[must_use]
    pub fn days_between(self, start: Instant, end: Instant) -> i64 {
        (self.date(end) - self.date(start)).num_days()
    }

    /// Whole calendar months from `start` to `end`: how often the monthly anniversary has come.
    #[must_use]
    pub fn months_between(self, start: Instant, end: Instant) -> i32 {
        let (a, b) = (self.date(start), self.date(end));
        let mut months =
            (b.year() - a.year()) * 12 + i32::try_from(b.month()).unwrap_or(0) - i32::try_from(a.month()).unwrap_or(0);
        while self.add_months(start, months) > end {
            months -= 1;
        }
        months
    }
}

fn utc(instant: Instant) -> NaiveDateTime {
    DateTime::from_timestamp_micros(instant.micros()).unwrap_or_default().naive_utc()
}

/// The first day of a day's month.
#[must_use]
pub fn first_of_month(date: NaiveDate) -> NaiveDate {
    date.with_day(1).unwrap_or(date)
}

/// The last day of a day's month.
#[must_use]
pub fn last_of_month(date: NaiveDate) -> NaiveDate {
    first_of_month(date).checked_add_months(Months::new(1)).and_then(|next| next.pred_opt()).unwrap_or(date)
}

/// The day a number of days later.
#[must_use]
pub fn day_after(date: NaiveDate, days: u64) -> NaiveDate {
    date.checked_add_days(Days::new(days)).unwrap_or(date)
}

impl FromStr for Zone {
    type Err = TimeError;

    fn from_str(text: &str) -> Result<Self, TimeError> {
        if text == "UTC" || text == "Z" {
            return Ok(Self::UTC);
        }
        if let Ok(offset) = text.parse::<FixedOffset>() {
            return Ok(Self::Fixed(offset.local_minus_utc()));
        }
        text.parse::<chrono_tz::Tz>().map(Self::Named).map_err(|_| TimeError::NotAZone(text.chars().take(60).collect()))
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fixed(0) => f.write_str("UTC"),
            Self::Fixed(seconds) => match FixedOffset::east_opt(*seconds) {
                Some(offset) => write!(f, "{offset}"),
                None => f.write_str("UTC"),
            },
            Self::Named(zone) => f.write_str(zone.name()),
        }
    }
}

impl serde::Serialize for Zone {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for Zone {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(text: &str) -> Instant {
        Instant::parse(text, Zone::UTC).unwrap()
    }

    #[test]
    fn the_hour_of_an_instant_at_the_end_of_time_overflowed() {
        for zone in [Zone::fixed_hours(8), Zone::fixed_hours(-8), Zone::UTC] {
            for instant in [i64::MIN, i64::MIN + 1, i64::MAX].map(Instant::from_micros) {
                assert!(zone.floor_hour(instant) <= instant);
            }
        }
    }

    #[test]
    fn a_bare_date_is_midnight_in_the_zone() {
        let zone = Zone::fixed_hours(8);
        assert_eq!(Instant::parse("2024-01-02", zone).unwrap(), at("2024-01-01T16:00:00Z"));
        assert_eq!(at("2024-01-01T16:00:00Z").display(zone).to_string(), "2024-01-02T00:00:00+08:00");
    }

    #[test]
    fn a_time_without_an_offset_is_refused() {
        for text in ["2024-01-02T00:00:00", "2024-1-2", "tomorrow", "", "9999-12-31T00:00:00Z", "2024-02-30"] {
            assert!(Instant::parse(text, Zone::UTC).is_err(), "{text}");
        }
    }

    #[test]
    fn named_zones_know_summer_time() {
        let berlin: Zone = "Europe/Berlin".parse().unwrap();
        assert_eq!(at("2026-06-30T22:00:00Z").display(berlin).to_string(), "2026-07-01T00:00:00+02:00");
        // 2026-03-29 02:30 does not exist in Berlin.
        let gap = berlin.at_wall(NaiveDate::from_ymd_opt(2026, 3, 29).unwrap().and_hms_opt(2, 30, 0).unwrap());
        assert_eq!(gap, at("2026-03-29T01:30:00Z"));
    }

    #[test]
    fn begun_and_whole_units() {
        let span = Span::seconds(3 * 86_400 + 1);
        assert_eq!((span.whole_days(), span.days_begun()), (3, 4));
        assert_eq!((Span::days(3).whole_days(), Span::days(3).days_begun()), (3, 3));
        assert_eq!(Span::seconds(3601).hours_begun(), 2);
    }

    #[test]
    fn units_begun_of_the_longest_span_backwards_do_not_overflow() {
        let longest = Instant::from_micros(i64::MIN).since(Instant::from_micros(0));
        assert_eq!(longest.days_begun(), i64::MIN / DAY);
        assert_eq!(longest.hours_begun(), i64::MIN / HOUR);
        assert_eq!(Span::seconds(-1).days_begun(), 0);
    }

    #[test]
    fn calendar_walked_hour_by_hour_across_leap_days_and_years() {
        let zone = Zone::fixed_hours(8);
        let mut now = Instant::parse("2023-12-30", zone).unwrap();
        let end = Instant::parse("2025-03-02", zone).unwrap();
        let start = now;
        while now < end {
            let months = zone.months_between(start, now);
            assert!(zone.add_months(start, months) <= now && now < zone.add_months(start, months + 1));
            assert_eq!(zone.floor_hour(now + Span::seconds(1799)), now);
            assert!(now < zone.next_midnight(now) && zone.next_midnight(now) <= now + Span::days(1));
            assert!(zone.next_month(now) > now && zone.next_year(now) >= zone.next_month(now));
            now = now + Span::hours(1);
        }
    }

    proptest! {
        #[test]
        fn plain_instants_are_read_as_the_full_reader_reads_them(
            text in "(19|20|29|30)[0-9]{2}-[01][0-9]-[0-3][0-9][Tt ][0-2][0-9]:[0-6][0-9]:[0-6][0-9](\\.[0-9]{1,7})?(Z|[+-][0-2][0-9]:?[0-6][0-9])?"
        ) {
            let full = DateTime::parse_from_rfc3339(&text).ok().map(|at| at.timestamp_micros());
            if let Some(micros) = plain(&text) {
                prop_assert_eq!(Some(micros), full);
            }
        }

        #[test]
        fn stamps_are_written_as_the_calendar_writes_them(seconds in -70_000_000_000_i64..260_000_000_000, minutes in -1_439_i32..1_440) {
            let (instant, zone) = (Instant::from_micros(seconds * MICROS), Zone::Fixed(minutes * 60));
            let written = DateTime::from_timestamp(seconds, 0).unwrap().with_timezone(&FixedOffset::east_opt(minutes * 60).unwrap());
            let expected = written.to_rfc3339().replace("+00:00", "Z");
            prop_assert_eq!(instant.display(zone).to_string(), expected);
        }

        #[test]
        fn what_is_written_is_read_again(micros in 0_i64..4_000_000_000_000_000, hours in -12_i32..14) {
            let instant = Instant::from_micros(micros);
            let zone = Zone::fixed_hours(hours);
            prop_assert_eq!(Instant::parse(&instant.display(zone).to_string(), Zone::UTC).unwrap(), instant);
        }
    }
}
