//! Instants as people read them.

use recoup_core::time::{Instant, Zone};

/// `2024-01-04 00:00 +08:00`: on the site's wall clock, without seconds where there are none.
pub(crate) fn long(instant: Instant, zone: Zone) -> String {
    let written = instant.display(zone).to_string();
    let (date, rest) = written.split_once('T').unwrap_or((written.as_str(), ""));
    let cut = rest.find(['Z', '+', '-']).unwrap_or(rest.len());
    let (clock, offset) = rest.split_at_checked(cut).unwrap_or((rest, ""));
    let clock = clock.strip_suffix(":00").filter(|clock| clock.len() == 5).unwrap_or(clock);
    let offset = if offset == "Z" { "UTC" } else { offset };
    format!("{date} {clock} {offset}")
}

/// `2024-01-04`: the day on the site's wall clock.
pub(crate) fn day(instant: Instant, zone: Zone) -> String {
    zone.date(instant).to_string()
}

/// On the site's wall clock and in UTC, where the two differ.
pub(crate) fn both(instant: Instant, zone: Zone) -> String {
    let (here, utc) = (long(instant, zone), long(instant, Zone::UTC));
    if here == utc { here } else { format!("{here} ({utc})") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn site_time_and_utc() {
        let at = Instant::parse("2024-01-04T00:00:00+08:00", Zone::UTC).unwrap();
        assert_eq!(both(at, Zone::fixed_hours(8)), "2024-01-04 00:00 +08:00 (2024-01-03 16:00 UTC)");
        let at = Instant::parse("2024-01-04T23:59:59.999Z", Zone::UTC).unwrap();
        assert_eq!(both(at, Zone::UTC), "2024-01-04 23:59:59.999 UTC");
    }
}
