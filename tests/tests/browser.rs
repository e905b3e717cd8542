//! The HTML reports in a real browser: what a reader sees on the page and in its chart is what the data say.
//!
//! `cargo xtask test --browser` runs it; it needs Chromium, which is named by `RECOUP_BROWSER`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::float_arithmetic,
    reason = "a test fails by panicking, and a browser measures in floats"
)]

use std::path::Path;
use std::process::Command;

use recoup_core::time::{Instant, Span, Zone};
use recoup_tests::{dist, root};
use serde_json::Value;

/// A page that opens a report in a frame and writes down what is seen there: the cells of its tables, and for
/// every chart the labels of its axis and its marks with their places on the screen.
const READER: &str = r#"<!doctype html><meta charset="utf-8"><body><iframe id="report" width="1200" height="6000" src="REPORT"></iframe>
<script>
const places = line => { const screen = line.getScreenCTM(); return [...line.points].map(point => point.matrixTransform(screen)).map(({x, y}) => ({x, y})); };
const middle = element => { const box = element.getBoundingClientRect(); return {x: box.x + box.width / 2, y: box.y + box.height / 2, seen: box.width > 0 && box.height > 0}; };
document.getElementById("report").onload = () => {
  const page = document.getElementById("report").contentDocument;
  const tables = [...page.querySelectorAll("table")].map(table => [...table.rows].map(row => [...row.cells].map(cell => cell.innerText.trim())));
  const charts = [...page.querySelectorAll("svg")].map(svg => ({
    currency: svg.dataset.currency,
    labels: [...svg.querySelectorAll("text")].map(text => ({text: text.textContent, ...middle(text)})),
    lines: [...svg.querySelectorAll("polyline")].map(line => ({series: line.dataset.series, dash: page.defaultView.getComputedStyle(line).strokeDasharray, points: places(line), ...middle(line)})),
    marks: [...svg.querySelectorAll(".mark")].map(mark => ({title: mark.querySelector("title").textContent, shape: mark.tagName, ...middle(mark)})),
  }));
  const wide = page.documentElement.scrollWidth > page.documentElement.clientWidth;
  const out = document.createElement("pre");
  out.id = "out";
  out.textContent = JSON.stringify({title: page.title, tables, charts, wide});
  document.body.appendChild(out);
};
</script>"#;

fn recoup(args: &[&str]) -> String {
    let output = Command::new(dist().join("recoup")).current_dir(root().join("fixtures")).args(args).output().unwrap();
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// What the browser saw of a report.
fn seen(folder: &Path, report: &Path) -> Value {
    let browser = std::env::var("RECOUP_BROWSER").expect("RECOUP_BROWSER names Chromium: cargo xtask test --browser");
    let reader = folder.join("reader.html");
    std::fs::write(&reader, READER.replace("REPORT", &format!("file://{}", report.display()))).unwrap();
    let output = Command::new(browser)
        .args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--allow-file-access-from-files",
            "--virtual-time-budget=10000",
        ])
        .arg(format!("--user-data-dir={}", folder.join("profile").display()))
        .args(["--dump-dom", &format!("file://{}", reader.display())])
        .output()
        .unwrap();
    let dom = String::from_utf8_lossy(&output.stdout).into_owned();
    let (_, rest) = dom.split_once("<pre id=\"out\">").unwrap_or_else(|| panic!("the browser read nothing: {dom}"));
    let (json, _) = rest.split_once("</pre>").unwrap();
    let json = json.replace("&lt;", "<").replace("&gt;", ">").replace("&nbsp;", "\u{a0}").replace("&amp;", "&");
    serde_json::from_str(&json).unwrap()
}

/// The arguments of files with figures over several years.
fn portfolio(folder: &Path) -> String {
    let records = r#"[
 {"provider":"huawei","site":"intl","account":"a","id":"vm-1","product":"ecs","billing":"subscription","status":"active","purchased_at":"2026-01-01T00:00:00Z","starts_at":"2026-01-01T00:00:00Z","ends_at":"2027-01-01T00:00:00Z",
  "orders":[{"kind":"purchase","status":"paid","placed_at":"2026-01-01T00:00:00Z","starts_at":"2026-01-01T00:00:00Z","ends_at":"2027-01-01T00:00:00Z","term_months":12,"currency":"USD","due":"1200.00","payments":[{"instrument":"cash","amount":"1200.00"}]}]},
 {"provider":"ucloud","id":"host-1","product":"uhost","billing":"subscription","status":"active","purchased_at":"2026-01-01T00:00:00Z","starts_at":"2026-01-01T00:00:00Z","ends_at":"2027-01-01T00:00:00Z",
  "orders":[{"kind":"purchase","status":"paid","placed_at":"2026-01-01T00:00:00Z","starts_at":"2026-01-01T00:00:00Z","ends_at":"2027-01-01T00:00:00Z","term_months":12,"currency":"USD","due":"600.00","payments":[{"instrument":"cash","amount":"600.00"}]}]}
]"#;
    let path = folder.join("portfolio.json");
    std::fs::write(&path, records).unwrap();
    path.display().to_string()
}

fn number(text: &str) -> f64 {
    text.parse().unwrap_or_else(|_| panic!("{text} is no number"))
}

/// The amount that a height on the screen stands for, by the labels of the axis.
fn amount_at(chart: &Value, y: f64) -> f64 {
    let mut axis: Vec<(f64, f64)> = Vec::new();
    for label in chart["labels"].as_array().unwrap() {
        if let (Ok(amount), Some(at)) = (label["text"].as_str().unwrap().parse::<f64>(), label["y"].as_f64()) {
            axis.push((amount, at));
        }
    }
    axis.sort_by(|a, b| a.0.total_cmp(&b.0));
    let ((low, bottom), (high, top)) = (axis[0], *axis.last().unwrap());
    assert!(bottom > top && high > low, "{axis:?}");
    low + (bottom - y) / (bottom - top) * (high - low)
}

/// The instant of a mark, by its title; none of a mark beside a name.
fn instant_of(mark: &Value) -> Option<Instant> {
    let (_, at) = mark["title"].as_str()?.split_once(" at ")?;
    let at = at.trim_end_matches(" UTC").replace(' ', "T");
    // Whole minutes are written without their seconds.
    [format!("{at}Z"), format!("{at}:00Z")].iter().find_map(|text| Instant::parse(text, Zone::UTC).ok())
}

/// Where on the screen an instant lies, by the first and the last mark of a chart.
fn place_of(chart: &Value, at: Instant) -> f64 {
    let marks = chart["marks"].as_array().unwrap().iter();
    let known: Vec<(Instant, f64)> = marks.filter_map(|mark| Some((instant_of(mark)?, mark["x"].as_f64()?))).collect();
    let (from, left) = *known.iter().min_by_key(|(at, _)| *at).unwrap();
    let (last, right) = *known.iter().max_by_key(|(at, _)| *at).unwrap();
    let micros = |span: Span| span.micros() as f64;
    left + micros(at.since(from)) / micros(last.since(from)) * (right - left)
}

/// Whether the line of a series has a corner at an instant with an amount, as far as the eye can tell.
fn passes(chart: &Value, series: &str, at: Instant, amount: f64) -> bool {
    let x = place_of(chart, at);
    let lines = chart["lines"].as_array().unwrap().iter().filter(|line| line["series"] == series);
    let mut corners = lines.flat_map(|line| line["points"].as_array().unwrap());
    corners.any(|corner| {
        let there = amount_at(chart, corner["y"].as_f64().unwrap());
        (corner["x"].as_f64().unwrap() - x).abs() < 1.0 && (there - amount).abs() < 5.0
    })
}

/// Every mark stands where its figure is, and lines are told apart without colour.
fn check_chart(chart: &Value) -> Vec<(String, f64, String)> {
    let mut told = Vec::new();
    let top =
        chart["labels"].as_array().unwrap().iter().filter_map(|label| label["text"].as_str()?.parse::<f64>().ok());
    let top = top.fold(0.0, f64::max);
    for mark in chart["marks"].as_array().unwrap() {
        assert_eq!(mark["seen"], true, "{mark}");
        let title = mark["title"].as_str().unwrap();
        // A mark beside a name has no figure.
        let Some((series, rest)) = title.split_once(": ") else { continue };
        let (amount, rest) = rest.split_once(' ').unwrap();
        let (_, at) = rest.split_once(" at ").unwrap();
        let there = amount_at(chart, mark["y"].as_f64().unwrap());
        assert!((there - number(amount)).abs() <= top / 60.0, "{title} stands at {there}");
        told.push((series.to_owned(), number(amount), at.to_owned()));
    }
    let mut dashes: Vec<&str> =
        chart["lines"].as_array().unwrap().iter().map(|line| line["dash"].as_str().unwrap()).collect();
    let lines: std::collections::BTreeSet<&str> =
        chart["lines"].as_array().unwrap().iter().map(|line| line["series"].as_str().unwrap()).collect();
    dashes.sort_unstable();
    dashes.dedup();
    assert_eq!(dashes.len(), lines.len(), "two lines have the same dashes");
    told
}

#[test]
#[ignore = "needs a browser: cargo xtask test --browser"]
fn a_forecast_is_seen_as_its_data_say() {
    let folder = tempfile::tempdir().unwrap();
    let portfolio = portfolio(folder.path());
    let report = folder.path().join("forecast.html");
    let asked = ["forecast", &portfolio, "--at", "2026-01-03", "--assume", "promotion=false"];
    recoup(&[&asked[..], &["-o", report.to_str().unwrap()]].concat());
    let data: Value = serde_json::from_str(&recoup(&[&asked[..], &["--format", "json"]].concat())).unwrap();
    let seen = seen(folder.path(), &report);
    assert_eq!(seen["wide"], false, "the page is wider than the window");

    let totals = data["totals"].as_array().unwrap();
    let told = check_chart(&seen["charts"][0]);
    assert!(told.len() > 20, "{told:?}");
    for (series, amount, at) in &told {
        let same = |total: &&Value| {
            let written = total["at"].as_str().unwrap().replace('T', " ").replace('Z', "");
            let at = at.trim_end_matches(" UTC");
            written == *at || written == format!("{at}:00")
        };
        let total = totals.iter().find(same).unwrap_or_else(|| panic!("no total at {at}"));
        assert!(
            (number(total["sums"]["USD"][series.as_str()].as_str().unwrap_or("0")) - amount).abs() < 0.001,
            "{series} at {at}"
        );
    }

    // The first table has the sums of the chart's currency, every later one a resource.
    let sums = seen["tables"][0].as_array().unwrap();
    let first = totals[0]["sums"]["USD"].as_object().unwrap();
    assert_eq!(sums[1][1].as_str().unwrap(), first["refund"].as_str().unwrap());
    assert_eq!(sums[1][3].as_str().unwrap(), first["consumed"].as_str().unwrap());
    assert_eq!(seen["tables"].as_array().unwrap().len(), 1 + data["resources"].as_array().unwrap().len());
}

#[test]
#[ignore = "needs a browser: cargo xtask test --browser"]
fn deadlines_are_seen_as_their_data_say() {
    let folder = tempfile::tempdir().unwrap();
    let portfolio = portfolio(folder.path());
    let report = folder.path().join("deadlines.html");
    let asked = ["deadlines", &portfolio, "--at", "2026-01-03", "--assume", "promotion=false"];
    recoup(&[&asked[..], &["-o", report.to_str().unwrap()]].concat());
    let data: Value = serde_json::from_str(&recoup(&[&asked[..], &["--format", "json"]].concat())).unwrap();
    let seen = seen(folder.path(), &report);
    assert_eq!(seen["wide"], false, "the page is wider than the window");
    let rows = seen["tables"][0].as_array().unwrap();
    let shown: Vec<&Value> = rows.iter().skip(1).filter(|row| row.as_array().unwrap().len() == 8).collect();
    let deadlines = data.as_array().unwrap();
    assert_eq!(shown.len(), deadlines.len());
    for (row, deadline) in shown.iter().zip(deadlines) {
        assert!(row[2].as_str().unwrap().contains(deadline["resource"].as_str().unwrap()), "{row}");
        if let (Some(stake), Some(currency)) = (deadline["stake"].as_str(), deadline["currency"].as_str()) {
            assert_eq!(row[6].as_str().unwrap(), format!("{stake} {currency}"));
        }
    }
}

#[test]
#[ignore = "needs a browser: cargo xtask test --browser"]
fn what_comes_for_one_resource_is_seen_as_its_data_say() {
    let folder = tempfile::tempdir().unwrap();
    let portfolio = portfolio(folder.path());
    let report = folder.path().join("vm-1.html");
    let asked = ["explain", &portfolio, "--id", "vm-1", "--at", "2026-01-03", "--assume", "promotion=false"];
    recoup(&[&asked[..], &["-o", report.to_str().unwrap()]].concat());
    let data: Value = serde_json::from_str(&recoup(&[&asked[..], &["--format", "json"]].concat())).unwrap();
    let timeline = &data[0]["timeline"];
    let seen = seen(folder.path(), &report);
    assert_eq!(seen["wide"], false, "the page is wider than the window");

    // Where a run begins and ends, the line of the chart has the refund of it, whether it jumps there or not.
    let chart = &seen["charts"][0];
    check_chart(chart);
    for run in timeline["runs"].as_array().unwrap() {
        for (at, figures) in [("from", "at_from"), ("until", "at_end")] {
            let at = Instant::parse(run[at].as_str().unwrap(), Zone::UTC).unwrap();
            let Some(refund) = run[figures]["refund"].as_str() else { continue };
            assert!(passes(chart, "refund", at, number(refund)), "{refund} at {at:?} in {chart:#}");
        }
    }

    // The last table says what happens when; every deadline with money stands there with its stake.
    let rows = seen["tables"].as_array().unwrap().last().unwrap().as_array().unwrap();
    assert_eq!(rows[0][1], "what happens");
    for deadline in timeline["deadlines"].as_array().unwrap() {
        let (stake, currency) = (deadline["stake"].as_str().unwrap(), deadline["currency"].as_str().unwrap());
        let is_it = |row: &&Value| row[4].as_str() == Some(&format!("{stake} {currency}"));
        assert!(rows.iter().any(|row| is_it(&row)), "{stake} {currency} in {rows:?}");
    }
}
