//! The faces of deadlines and forecasts as people see them, and the calendar as a calendar library reads it.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use ical::IcalParser;
use recoup_core::money::{Amount, Currency};
use recoup_core::time::{Instant, Span, Zone};
use recoup_report::chart::{self, Chart, Series};
use recoup_report::deadlines::{self as faces, Group, Sort};
use recoup_report::forecast::{self, Forecast, Forecasts};
use recoup_report::sample::OverTime;
use recoup_report::timeline::{self, Told};
use recoup_report::{Look, ics};
use recoup_timeline::deadlines::{Deadline, Kind, deadlines};
use recoup_timeline::forecast::{Curve, Total, curves, figures_at, moments};
use recoup_timeline::{Row, Rules as _, Timeline};
use unicode_width::UnicodeWidthStr;

fn look(width: usize) -> Look {
    Look { width, title: "What to act on".to_owned(), ..Look::default() }
}

fn walked() -> (OverTime, Vec<Timeline>) {
    let rules = OverTime::new().unwrap();
    let timelines = rules.timelines().unwrap();
    (rules, timelines)
}

fn all() -> Vec<Deadline> {
    walked().1.iter().flat_map(deadlines).collect()
}

fn forecasts(alternatives: bool) -> Forecasts {
    let (rules, timelines) = walked();
    let placed: Vec<(usize, &Timeline)> = timelines.iter().enumerate().collect();
    let curves: Vec<Curve> = curves(&rules, &placed, 740).into_iter().map(Result::unwrap).collect();
    let moments = moments(&curves, timelines[0].from(), timelines[0].last(), 2_000);
    let placed: Vec<(usize, &Curve)> = curves.iter().enumerate().collect();
    let mut figures = Vec::new();
    figures_at(&rules, &placed, &moments.at, |of_curve| figures.push(of_curve)).unwrap();
    let totals = (0..moments.at.len()).map(|place| {
        let mut total = Total::default();
        figures.iter().filter_map(|resource| resource[place].as_ref()).for_each(|figures| total.add(figures));
        total
    });
    let totals = totals.collect();
    let each = timelines.iter().zip(&curves).zip(figures).map(|((timeline, curve), at_moments)| Forecast {
        subject: timeline.subject.clone(),
        label: timeline.subject.resource.clone(),
        curve: curve.clone(),
        at_moments,
    });
    Forecasts { each: each.collect(), moments: moments.at, totals, left_out: moments.left_out, alternatives }
}

#[test]
fn deadlines_on_a_terminal() {
    insta::assert_snapshot!("deadlines_120", faces::table(&all(), Sort::Time, None, &look(120)));
    insta::assert_snapshot!(
        "deadlines_by_account_80",
        faces::table(&all(), Sort::Stake, Some(Group::Account), &look(80))
    );
}

#[test]
fn deadlines_in_an_issue() {
    insta::assert_snapshot!("deadlines_markdown", faces::markdown(&all(), Sort::Time, None, &look(80)));
}

#[test]
fn deadlines_for_programs() {
    let first = faces::to_json(&all()[0]);
    insta::assert_snapshot!("deadline_json", format!("{first:#}"));
    let mut out = Vec::new();
    faces::csv(&all(), Sort::Time, None, &mut out).unwrap();
    let mut read = csv::Reader::from_reader(out.as_slice());
    assert_eq!(read.headers().unwrap().iter().collect::<Vec<_>>(), faces::CSV_COLUMNS);
    assert_eq!(read.records().count(), all().iter().map(|deadline| deadline.changes.len()).sum::<usize>());
}

#[test]
fn nothing_is_wider_than_the_terminal() {
    for width in [60, 80, 100, 120, 160, 200] {
        let told = forecasts(false);
        for text in [
            faces::table(&all(), Sort::Time, None, &look(width)),
            faces::table(&all(), Sort::Stake, Some(Group::Provider), &look(width)),
            forecast::table(&told, &look(width)),
        ] {
            for line in text.lines() {
                assert!(line.width() <= width, "{width}: {line}");
            }
        }
    }
}

#[test]
fn a_window_that_closes_costs_what_the_next_best_exit_gives_less() {
    let all = all();
    let closes = all.iter().find(|deadline| deadline.changes.iter().any(|change| change.kind == Kind::Closes)).unwrap();
    assert_eq!(closes.at.display(Zone::fixed_hours(8)).to_string(), "2024-11-23T00:00:00+08:00");
    assert!(!closes.through && closes.loses());
    assert_eq!(closes.stake().unwrap(), closes.before.worth().unwrap() - closes.after.worth().unwrap());
    assert!(closes.stake().unwrap().is_positive());
}

#[test]
fn money_at_stake_is_never_added_across_currencies_and_sorts_largest_first() {
    let all = all();
    let (_, mut sorted) = faces::arranged(&all, Sort::Stake, None).remove(0);
    sorted.retain(|deadline| deadline.stake().is_some());
    let stakes: Vec<Amount> = sorted.iter().filter_map(|deadline| deadline.stake()).collect();
    assert!(stakes.windows(2).all(|pair| pair[0] >= pair[1]), "{stakes:?}");
}

/// The value of a property of an event.
fn value(event: &ical::parser::ical::component::IcalEvent, name: &str) -> String {
    let found = event.properties.iter().find(|property| property.name == name);
    found.and_then(|property| property.value.clone()).unwrap_or_default()
}

#[test]
fn a_calendar_library_reads_the_calendar_back() {
    let all = all();
    let asked = Instant::parse("2024-11-20T00:00:00+08:00", Zone::UTC).unwrap();
    let written = ics::calendar(&all, "recoup deadlines", asked);
    assert_eq!(
        written,
        ics::calendar(&all, "recoup deadlines", asked),
        "a calendar does not depend on when it is written"
    );
    assert!(written.split("\r\n").all(|line| line.len() <= 75), "lines are folded at 75 octets");
    let calendars: Vec<_> = IcalParser::new(written.as_bytes()).map(Result::unwrap).collect();
    assert_eq!(calendars.len(), 1);
    let events = &calendars[0].events;
    assert_eq!(events.len(), all.len());
    let mut ids: Vec<String> = events.iter().map(|event| value(event, "UID")).collect();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), all.len(), "every event has an id of its own");
    for (event, deadline) in events.iter().zip(&all) {
        let due = deadline.due().display(Zone::UTC).to_string().replace(['-', ':'], "");
        assert_eq!(value(event, "DTSTART"), due);
        assert!(value(event, "SUMMARY").contains(&deadline.subject.resource));
        assert_eq!(event.alarms.len(), if deadline.loses() { 2 } else { 0 });
    }
    let first = events.iter().find(|event| value(event, "SUMMARY").starts_with("vm-1")).unwrap();
    insta::assert_snapshot!(
        "calendar_event",
        first
            .properties
            .iter()
            .map(|property| { format!("{}: {}\n", property.name, property.value.as_deref().unwrap_or_default()) })
            .collect::<String>()
    );
}

#[test]
fn an_id_in_a_calendar_stays_as_long_as_the_deadline_does() {
    let all = all();
    let ids = |asked: &str| -> Vec<String> {
        let asked = Instant::parse(asked, Zone::UTC).unwrap();
        let written = ics::calendar(&all, "recoup deadlines", asked);
        let calendar = IcalParser::new(written.as_bytes()).next().unwrap().unwrap();
        calendar.events.iter().map(|event| value(event, "UID")).collect()
    };
    assert_eq!(ids("2024-11-20T00:00:00Z"), ids("2024-11-21T00:00:00Z"));
}

#[test]
fn a_forecast_on_a_terminal() {
    insta::assert_snapshot!("forecast_120", forecast::table(&forecasts(false), &look(120)));
}

#[test]
fn a_forecast_has_every_step_and_nothing_between() {
    let (rules, timelines) = walked();
    let placed: Vec<(usize, &Timeline)> = timelines.iter().enumerate().collect();
    for (place, curve) in curves(&rules, &placed, 740).into_iter().enumerate() {
        let curve = curve.unwrap();
        assert!(curve.moves().count() > 300, "consumption moves by the day");
        let (mut at, last) = (timelines[place].from(), timelines[place].last());
        while at <= last {
            let answer = rules.rule(&[Row { resource: place, at }]).remove(0).unwrap();
            assert_eq!(curve.figures(at).unwrap(), recoup_timeline::Figures::of(&answer.assessment));
            at = at + Span::hours(7);
        }
    }
}

#[test]
fn a_total_is_the_sum_of_its_resources_at_every_moment() {
    let told = forecasts(true);
    let usd = Currency::USD;
    for (place, total) in told.totals.iter().enumerate() {
        let sum: Amount =
            told.each.iter().filter_map(|each| each.at_moments[place]?.money).map(|money| money.refund).sum();
        assert_eq!(total.money.get(&usd).map(|money| money.refund).unwrap_or_default(), sum);
        for money in total.money.values() {
            let parts = money.refund + money.coupons + money.fee + money.consumed + money.forfeited;
            assert_eq!(parts, money.paid, "a total conserves money");
        }
    }
}

#[test]
fn what_comes_ends_an_explanation() {
    let (rules, timelines) = walked();
    let curve = curves(&rules, &[(0, &timelines[0])], 740).remove(0).unwrap();
    let span = (timelines[0].from(), timelines[0].last());
    let at = moments(std::slice::from_ref(&curve), span.0, span.1, 100).at;
    let mut figures = Vec::new();
    figures_at(&rules, &[(0, &curve)], &at, |of_curve| figures = of_curve).unwrap();
    let points = at.into_iter().zip(figures).filter_map(|(at, figures)| Some((at, figures?))).collect();
    let told = Told { subject: timelines[0].subject.clone(), deadlines: deadlines(&timelines[0]), curve, points };
    insta::assert_snapshot!("what_comes_80", timeline::text(&told, &look(80)));
    insta::assert_snapshot!("what_comes_markdown", timeline::markdown(&told));
    let section = timeline::html(&told);
    assert!(section.contains("<h2>What comes for") && section.contains("data-series=\"refund\""), "{section}");
}

fn series(label: &str, amounts: &[Option<&str>]) -> Series {
    let from = Instant::parse("2026-01-01", Zone::UTC).unwrap();
    let points = amounts.iter().enumerate().map(|(day, amount)| {
        (from + Span::days(30 * i64::try_from(day).unwrap()), amount.map(|amount| amount.parse().unwrap()))
    });
    Series { label: label.to_owned(), points: points.collect() }
}

#[test]
fn a_chart_leaves_a_gap_where_nothing_is_known() {
    let chart = Chart {
        currency: Currency::USD,
        series: vec![
            series("all known", &[Some("100.00"), Some("60.00"), Some("20.00"), Some("0.00")]),
            series("<b>gap</b>", &[Some("80.00"), None, None, Some("10.00")]),
        ],
    };
    let svg = chart::svg(&chart, "What would come back");
    assert_eq!(svg.matches("<polyline").count(), 3, "the broken line has two parts");
    assert!(!svg.contains("<b>"), "a name is text");
    insta::assert_snapshot!("chart_terminal", chart::terminal(&chart, 80));
}

#[test]
fn a_chart_of_nothing_or_of_huge_amounts_is_drawn() {
    let usd = Currency::USD;
    assert_eq!(chart::svg(&Chart { currency: usd, series: Vec::new() }, "nothing"), "");
    for amounts in [["0.00", "0.00"], ["-5.00", "999999999999999.99"], ["0.01", "0.00"]] {
        let chart = Chart { currency: usd, series: vec![series("one", &amounts.map(Some))] };
        assert!(chart::svg(&chart, "it").contains("<polyline"), "{amounts:?}");
        assert!(chart::terminal(&chart, 60).lines().all(|line| line.width() <= 60), "{amounts:?}");
    }
}

#[test]
fn pages_run_and_fetch_nothing() {
    for page in [faces::html(&all(), Sort::Time, None, &look(80)), forecast::html(&forecasts(false), &look(80))] {
        assert!(page.starts_with("<!doctype html>") && page.contains("default-src 'none'"));
        for wrong in ["<script", "src=", "url(", "@import", "onload"] {
            assert!(!page.contains(wrong), "{wrong}");
        }
    }
}
