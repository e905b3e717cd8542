//! When money should have come.
//!
//! A provider prints a time as business or calendar days. Business days are Monday to Friday on the site's
//! own calendar, unless the provider's pages say otherwise ([`Procedures::business_days`]), less the dates
//! that are named as holidays: no page names any. The days are counted from the day after the one on which
//! the unsubscription was carried out, and the money is late once the last of them is over. Where a
//! provider prints no time, nothing is ever overdue.

use chrono::{Datelike, NaiveDate};
use recoup_core::time::{Instant, Zone, day_after};
use recoup_core::vocab::DayKind;

use crate::model::{Place, Settlement};
use crate::procedure::{MONDAY_TO_FRIDAY, Procedures};

/// The most days that are counted; what is printed is far below.
const MOST_DAYS: u32 = 3_660;

/// Which days are business days.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Calendar {
    /// By day of the week, Monday first.
    pub days: [bool; 7],
    /// Dates that are none.
    pub holidays: Vec<NaiveDate>,
}

impl Default for Calendar {
    fn default() -> Self {
        Self { days: MONDAY_TO_FRIDAY, holidays: Vec::new() }
    }
}

impl Calendar {
    /// The business days of a provider. Holidays that are no dates are passed over.
    #[must_use]
    pub fn of(procedures: &dyn Procedures, place: &Place) -> Self {
        let days = procedures.business_days(place);
        // A week without a business day would never end.
        let days = if days.contains(&true) { days } else { MONDAY_TO_FRIDAY };
        let holidays = procedures.holidays(place).iter().filter_map(|date| date.parse().ok()).collect();
        Self { days, holidays }
    }

    /// Whether a day is a business day.
    #[must_use]
    pub fn is_business_day(&self, date: NaiveDate) -> bool {
        let weekday = usize::try_from(date.weekday().num_days_from_monday()).unwrap_or(0);
        self.days.get(weekday).copied().unwrap_or(true) && !self.holidays.contains(&date)
    }

    /// The last instant at which money is not late yet that should come within a time from `from`; `None`
    /// where no time is printed.
    #[must_use]
    pub fn due_by(&self, from: Instant, settlement: &Settlement, zone: Zone) -> Option<Instant> {
        let within = settlement.within_days?.min(MOST_DAYS);
        let mut date = zone.date(from);
        match settlement.day_kind.unwrap_or(DayKind::Calendar) {
            DayKind::Calendar => date = day_after(date, u64::from(within)),
            DayKind::Business => {
                let mut left = within;
                // Holidays are finite, so a business day always comes; the bound only guards the loop.
                for _ in 0..MOST_DAYS * 7 {
                    if left == 0 {
                        break;
                    }
                    date = day_after(date, 1);
                    left -= u32::from(self.is_business_day(date));
                }
            }
        }
        Some(Instant::from_micros(zone.midnight(day_after(date, 1)).micros() - 1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn within(days: u32, day_kind: DayKind) -> Settlement {
        Settlement { within_days: Some(days), day_kind: Some(day_kind) }
    }

    #[test]
    fn business_days_skip_the_week_end_on_the_sites_own_calendar() {
        let zone = Zone::fixed_hours(8);
        let calendar = Calendar::default();
        for (from, days, kind, due) in [
            // A Friday: three business days later is Wednesday, to its end.
            ("2026-03-06T10:00:00+08:00", 3, DayKind::Business, "2026-03-12T00:00:00+08:00"),
            // Friday 17:00 UTC is Saturday there; the next business day is Monday.
            ("2026-03-06T17:00:00Z", 1, DayKind::Business, "2026-03-10T00:00:00+08:00"),
            ("2026-03-06T10:00:00+08:00", 1, DayKind::Calendar, "2026-03-08T00:00:00+08:00"),
            ("2026-01-31T10:00:00+08:00", 30, DayKind::Calendar, "2026-03-03T00:00:00+08:00"),
            ("2026-03-06T10:00:00+08:00", 0, DayKind::Business, "2026-03-07T00:00:00+08:00"),
        ] {
            let from = Instant::parse(from, Zone::UTC).unwrap();
            let due_by = calendar.due_by(from, &within(days, kind), zone).unwrap();
            let late_from = Instant::from_micros(due_by.micros() + 1);
            assert_eq!(late_from.display(zone).to_string(), due, "{days} {kind}");
        }
        assert_eq!(
            calendar.due_by(Instant::from_micros(0), &Settlement { within_days: None, day_kind: None }, zone),
            None
        );
    }

    #[test]
    fn holidays_and_a_providers_own_week_count() {
        let zone = Zone::UTC;
        let from = Instant::parse("2026-03-06T10:00:00Z", zone).unwrap();
        let mut calendar = Calendar { holidays: vec!["2026-03-09".parse().unwrap()], ..Calendar::default() };
        let due = |calendar: &Calendar| {
            zone.date(calendar.due_by(from, &within(1, DayKind::Business), zone).unwrap()).to_string()
        };
        assert_eq!(due(&calendar), "2026-03-10");
        // Saturday is a business day.
        calendar.days = [true, true, true, true, false, true, false];
        assert_eq!(due(&calendar), "2026-03-07");
    }

    proptest! {
        #[test]
        fn what_is_due_by_business_days_is_due_on_one_and_never_before_calendar_days(
            day in 0_i64..20_000, days in 1_u32..200, hours in -11_i32..13,
        ) {
            let zone = Zone::fixed_hours(hours);
            let calendar = Calendar::default();
            let from = Instant::from_micros(0) + recoup_core::time::Span::days(day);
            let business = calendar.due_by(from, &within(days, DayKind::Business), zone).unwrap();
            let plain = calendar.due_by(from, &within(days, DayKind::Calendar), zone).unwrap();
            prop_assert!(calendar.is_business_day(zone.date(business)));
            prop_assert!(business >= plain && plain > from);
            let later = calendar.due_by(from, &within(days + 1, DayKind::Business), zone).unwrap();
            prop_assert!(later > business);
        }
    }
}
