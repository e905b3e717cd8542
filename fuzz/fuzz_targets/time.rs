//! Texts as instants, and the calendar of every kind of zone.
#![no_main]

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use recoup_core::time::{Instant, Zone};

#[derive(Debug, Arbitrary)]
struct Input<'a> {
    text: &'a str,
    zone: &'a str,
    micros: [i64; 2],
    months: i32,
    days: i64,
}

fuzz_target!(|input: Input<'_>| {
    let zones = ["UTC", "+08:00", "Europe/Berlin", "America/New_York", "Pacific/Apia", input.zone];
    for zone in zones.into_iter().filter_map(|zone| zone.parse::<Zone>().ok()) {
        let parsed = [Instant::parse(input.text, zone), Instant::parse_local(input.text, zone)];
        for instant in parsed.into_iter().flatten() {
            let shown = instant.display(zone).to_string();
            // Offsets with seconds existed, but RFC 3339 cannot write them.
            if zone.offset_seconds(instant) % 60 == 0 {
                assert_eq!(Instant::parse(&shown, zone), Ok(instant), "{shown}");
            }
        }
        let [start, end] = input.micros.map(Instant::from_micros);
        let _ = start.display(zone).to_string();
        let _ = (zone.date(start), zone.floor_hour(start), zone.next_midnight(start), zone.next_month(start));
        let _ = (zone.next_year(start), zone.add_days(start, input.days), zone.add_months(start, input.months));
        let _ = (zone.days_between(start, end), zone.at_wall(zone.wall(end)));
        let _ = (start + end.since(start), start - end.since(start), end.since(start).days_begun());
        // Counting months walks the calendar, so only times that a record can hold.
        let held = |text: &str| Instant::parse(text, zone);
        if let (Ok(first), Ok(last)) = (held("1970-01-01"), held("2999-12-31"))
            && (first..=last).contains(&start)
            && (first..=last).contains(&end)
        {
            let months = zone.months_between(start, end);
            assert!(zone.add_months(start, months) <= end);
        }
    }
});
