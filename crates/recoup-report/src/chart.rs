//! Charts of amounts over time: an SVG for a page, blocks for a terminal.
//!
//! Lines are told apart by the shape of their marks and by their dashes and named where they end, so that
//! nothing depends on colour. Coordinates are whole tenths of a pixel, reckoned in integers.

use recoup_core::money::{Amount, Currency};
use recoup_core::time::{Instant, Zone};

use crate::text::{clean, html as escape, padded, right, width};
use crate::time;

/// A line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Series {
    /// Its name.
    pub label: String,
    /// Its points in the order of time. Two points a microsecond apart are a jump; where there is no amount,
    /// none is known, and the line is broken.
    pub points: Vec<(Instant, Option<Amount>)>,
}

impl Series {
    fn known(&self) -> impl Iterator<Item = (Instant, Amount)> {
        self.points.iter().filter_map(|(at, amount)| amount.map(|amount| (*at, amount)))
    }

    /// The parts of the line between its gaps.
    fn parts(&self) -> Vec<Vec<(Instant, Amount)>> {
        let parts = self.points.split(|(_, amount)| amount.is_none()).filter(|part| !part.is_empty());
        parts.map(|part| part.iter().filter_map(|(at, amount)| amount.map(|amount| (*at, amount))).collect()).collect()
    }
}

/// Lines of one currency over one span of time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chart {
    /// The currency.
    pub currency: Currency,
    /// The lines.
    pub series: Vec<Series>,
}

impl Chart {
    fn instants(&self) -> impl Iterator<Item = Instant> {
        self.series.iter().flat_map(|series| series.points.iter().map(|(at, _)| *at))
    }

    fn span(&self) -> Option<(Instant, Instant)> {
        Some((self.instants().min()?, self.instants().max()?))
    }

    /// The lowest and the highest amount, zero among them.
    fn range(&self) -> (Amount, Amount) {
        let amounts = || self.series.iter().flat_map(|series| series.known().map(|(_, amount)| amount));
        (amounts().min().unwrap_or_default().min(Amount::ZERO), amounts().max().unwrap_or_default().max(Amount::ZERO))
    }
}

/// A step of one, two or five times a power of ten that divides a length into at most `parts`.
fn nice_step(length: i128, parts: i128) -> i128 {
    let mut power = 1_i128;
    loop {
        for factor in [1, 2, 5] {
            let step = power.saturating_mul(factor);
            if step.saturating_mul(parts) >= length || step == i128::MAX {
                return step;
            }
        }
        power = power.saturating_mul(10);
    }
}

/// Tenths of a pixel as SVG writes them.
fn px(tenths: i128) -> String {
    let sign = if tenths < 0 { "-" } else { "" };
    let tenths = tenths.abs();
    format!("{sign}{}.{}", tenths / 10, tenths % 10)
}

const WIDTH: i128 = 9_600;
const HEIGHT: i128 = 3_600;
const LEFT: i128 = 1_100;
const RIGHT: i128 = 1_500;
const TOP: i128 = 200;
const BOTTOM: i128 = 400;

/// Where amounts and instants lie on the drawing.
struct Plane {
    from: i128,
    time: i128,
    low: i128,
    height: i128,
}

impl Plane {
    fn x(&self, at: Instant) -> i128 {
        LEFT + (i128::from(at.micros()) - self.from) * (WIDTH - LEFT - RIGHT) / self.time.max(1)
    }

    fn y(&self, units: i128) -> i128 {
        // Units are divided first where they are large, which loses less than a tenth of a pixel.
        let scale = (self.height / 1_000_000_000).max(1);
        let over = (units - self.low) / scale;
        HEIGHT - BOTTOM - over * (HEIGHT - TOP - BOTTOM) / (self.height / scale).max(1)
    }
}

/// The dashes of a line; lines beyond the last begin again, and their marks differ.
const DASHES: [&str; 5] = ["", "8 4", "2 4", "10 3 2 3", "16 5"];

/// Marks along a line, spread over the time, besides those at its jumps.
const MARKS: i128 = 12;

/// The points of a line that are marked: some spread over the time, the last one, and both sides of every
/// jump that the eye sees.
fn marked(known: &[(Instant, Amount)], from: Instant, last: Instant, height: i128) -> Vec<(Instant, Amount)> {
    let whole = i128::from(last.since(from).micros()).max(1);
    let part = |at: Instant| i128::from(at.since(from).micros()) * MARKS / whole;
    let mut chosen: Vec<(Instant, Amount)> = Vec::new();
    let mut latest = -1;
    for (place, (at, amount)) in known.iter().enumerate() {
        let neighbour = |other: Option<&(Instant, Amount)>| {
            other.is_some_and(|(there, value)| {
                let apart = if there < at { at.since(*there) } else { there.since(*at) };
                apart.micros() == 1 && (value.units() - amount.units()).abs() * 50 >= height
            })
        };
        let jumps =
            neighbour(place.checked_sub(1).and_then(|before| known.get(before))) || neighbour(known.get(place + 1));
        if part(*at) > latest || jumps || place + 1 == known.len() {
            latest = part(*at).max(latest);
            chosen.push((*at, *amount));
        }
    }
    chosen
}

fn mark(kind: usize, x: i128, y: i128, class: &str, title: &str) -> String {
    let shape = match kind % 5 {
        0 => format!("<circle cx=\"{}\" cy=\"{}\" r=\"4\"", px(x), px(y)),
        1 => format!("<rect x=\"{}\" y=\"{}\" width=\"7\" height=\"7\"", px(x - 35), px(y - 35)),
        2 => format!("<path d=\"M{} {}l5 9h-10z\"", px(x), px(y - 50)),
        3 => format!("<path d=\"M{} {}l5 5 -5 5 -5 -5z\"", px(x), px(y - 50)),
        _ => format!("<path d=\"M{} {}l8 8m0 -8l-8 8\"", px(x - 40), px(y - 40)),
    };
    let end = shape.split_whitespace().next().unwrap_or_default().trim_start_matches('<').to_owned();
    format!("{shape} class=\"mark {class}\"><title>{}</title></{end}>", escape(title))
}

/// The chart as inline SVG inside a figure with its caption. Every mark carries its figure as a title,
/// which a browser shows and a program reads.
#[must_use]
pub fn svg(chart: &Chart, caption: &str) -> String {
    let Some((from, last)) = chart.span() else { return String::new() };
    let (low, high) = chart.range();
    let step = nice_step((high.units() - low.units()).max(1), 5).max(chart.currency.minor_unit().units());
    let bottom = low.units().div_euclid(step) * step;
    let top = (high.units() + step - 1).div_euclid(step) * step;
    let plane = Plane {
        from: i128::from(from.micros()),
        time: i128::from(last.micros()) - i128::from(from.micros()),
        low: bottom,
        height: (top - bottom).max(1),
    };
    let named: Vec<&str> = chart.series.iter().map(|series| series.label.as_str()).collect();
    let mut out = format!(
        "<figure><figcaption>{}, {}: {}</figcaption>\n<svg viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"{}\" data-currency=\"{}\">\n",
        escape(caption),
        chart.currency,
        escape(&named.join(", ")),
        WIDTH / 10,
        HEIGHT / 10,
        escape(&format!("{caption} over time, in {}", chart.currency)),
        chart.currency,
    );
    let mut level = bottom;
    while level <= top {
        let y = plane.y(level);
        let class = if level == 0 { "axis" } else { "grid" };
        out.push_str(&format!(
            "<line class=\"{class}\" x1=\"{}\" x2=\"{}\" y1=\"{y}\" y2=\"{y}\"/><text x=\"{}\" y=\"{}\" text-anchor=\"end\">{}</text>\n",
            px(LEFT),
            px(WIDTH - RIGHT),
            px(LEFT - 80),
            px(y + 40),
            Amount::from_units(level),
            y = px(y),
        ));
        level += step;
    }
    for (at, label) in ticks(from, last) {
        let x = px(plane.x(at));
        out.push_str(&format!(
            "<line class=\"grid\" x1=\"{x}\" x2=\"{x}\" y1=\"{}\" y2=\"{}\"/><text x=\"{x}\" y=\"{}\" text-anchor=\"middle\">{label}</text>\n",
            px(TOP),
            px(HEIGHT - BOTTOM),
            px(HEIGHT - BOTTOM + 200),
        ));
    }
    let mut labels: Vec<(i128, usize, &Series)> = Vec::new();
    for (kind, series) in chart.series.iter().enumerate() {
        let class = format!("s{}", kind % 5 + 1);
        let dash = DASHES.get(kind % DASHES.len()).copied().unwrap_or_default();
        let dash = if dash.is_empty() { String::new() } else { format!(" stroke-dasharray=\"{dash}\"") };
        for part in series.parts() {
            let points: Vec<String> = part
                .iter()
                .map(|(at, amount)| format!("{},{}", px(plane.x(*at)), px(plane.y(amount.units()))))
                .collect();
            out.push_str(&format!(
                "<polyline class=\"line {class}\"{dash} data-series=\"{}\" points=\"{}\"/>\n",
                escape(&series.label),
                points.join(" "),
            ));
        }
        let known: Vec<(Instant, Amount)> = series.known().collect();
        for (at, amount) in marked(&known, from, last, plane.height) {
            let title = format!("{}: {amount} {} at {}", series.label, chart.currency, time::long(at, Zone::UTC));
            out.push_str(&mark(kind, plane.x(at), plane.y(amount.units()), &class, &title));
            out.push('\n');
        }
        if let Some((_, amount)) = known.last() {
            labels.push((plane.y(amount.units()), kind, series));
        }
    }
    names(&mut out, labels);
    out.push_str("</svg></figure>\n");
    out
}

/// The names of lines beside their ends, moved apart where they would cover each other, each with its
/// mark and a lead to its line.
fn names(out: &mut String, mut labels: Vec<(i128, usize, &Series)>) {
    const APART: i128 = 160;
    labels.sort_by_key(|(y, kind, _)| (*y, *kind));
    let mut next = TOP;
    let room = HEIGHT - BOTTOM - APART * i128::try_from(labels.len()).unwrap_or(0);
    for (place, (y, kind, series)) in labels.into_iter().enumerate() {
        let latest = room + APART * i128::try_from(place + 1).unwrap_or(0);
        let at = y.max(next).min(latest.max(TOP));
        next = at + APART;
        let x = WIDTH - RIGHT + 180;
        out.push_str(&format!(
            "<line class=\"lead\" x1=\"{}\" y1=\"{}\" x2=\"{}\" y2=\"{}\"/>{}<text x=\"{}\" y=\"{}\">{}</text>\n",
            px(WIDTH - RIGHT + 40),
            px(y),
            px(x - 60),
            px(at),
            mark(kind, x, at, &format!("s{}", kind % 5 + 1), &series.label),
            px(x + 90),
            px(at + 40),
            escape(&series.label),
        ));
    }
}

/// A few instants to be named under a chart: the first of years, months or days (UTC).
fn ticks(from: Instant, last: Instant) -> Vec<(Instant, String)> {
    const MOST: usize = 9;
    let zone = Zone::UTC;
    let months: Vec<Instant> = {
        let mut all = Vec::new();
        let mut at = zone.next_month(from);
        while at <= last && all.len() < 5_000 {
            all.push(at);
            at = zone.next_month(at);
        }
        all
    };
    if months.len() >= 3 {
        let every = [1, 2, 3, 6, 12, 24, 60, 120].into_iter().find(|every| months.len() / every <= MOST).unwrap_or(240);
        let chosen = months.into_iter().filter(|at| {
            let months_of = zone.months_between(Instant::from_micros(0), *at);
            usize::try_from(months_of).is_ok_and(|count| count % every == 0)
        });
        return chosen.map(|at| (at, time::day(at, zone).chars().take(7).collect())).collect();
    }
    let mut days = Vec::new();
    let mut at = zone.next_midnight(from);
    while at <= last && days.len() < 200 {
        days.push(at);
        at = zone.next_midnight(at);
    }
    let every = days.len().div_ceil(MOST).max(1);
    days.into_iter().step_by(every).map(|at| (at, time::day(at, zone))).collect()
}

const EIGHTHS: [char; 9] = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// The amount of a line at an instant: between two of its points on the straight line, which is what the
/// eye sees of many small steps. None before it begins and where no amount is known.
fn along(series: &Series, at: Instant) -> Option<i128> {
    let after = series.points.partition_point(|(point, _)| *point <= at);
    let (start, amount) = series.points.get(after.checked_sub(1)?)?;
    let amount = amount.as_ref()?;
    let Some((end, Some(next))) = series.points.get(after) else { return Some(amount.units()) };
    let (over, whole) = (i128::from(at.since(*start).micros()), i128::from(end.since(*start).micros()));
    let scale = (amount.units().abs().max(next.units().abs()) / 1_000_000_000_000).max(1);
    let moved = (next.units() - amount.units()) / scale * over / whole.max(1) * scale;
    Some(amount.units() + moved)
}

/// A line of blocks for every series: its name, the shape, and the amounts at both ends. The highest amount
/// of all fills a block.
#[must_use]
pub fn terminal(chart: &Chart, limit: usize) -> String {
    let Some((from, last)) = chart.span() else { return String::new() };
    let (_, high) = chart.range();
    let names: Vec<String> = chart.series.iter().map(|series| clean(&series.label)).collect();
    let label = names.iter().map(|name| width(name)).max().unwrap_or(0).min(24);
    let ends = |series: &Series| {
        let text = |point: Option<&(Instant, Option<Amount>)>| {
            point.and_then(|(_, amount)| *amount).map_or_else(|| "?".to_owned(), |amount| amount.to_string())
        };
        (text(series.points.first()), text(series.points.last()))
    };
    let widest = |of: fn((String, String)) -> String| {
        chart.series.iter().map(|series| width(&of(ends(series)))).max().unwrap_or(0)
    };
    let (left, rest) = (widest(|ends| ends.0), widest(|ends| ends.1));
    let room = limit.saturating_sub(label + left + rest + 4 + 2).clamp(10, 80);
    let columns = i64::try_from(room).unwrap_or(10);
    let mut out = format!("{} over time\n", chart.currency);
    for (series, name) in chart.series.iter().zip(&names) {
        let (first, final_amount) = ends(series);
        let blocks: String = (0..columns)
            .map(|column| {
                let at = from.micros()
                    + i64::try_from(
                        i128::from(last.since(from).micros()) * i128::from(column) / i128::from((columns - 1).max(1)),
                    )
                    .unwrap_or(0);
                match along(series, Instant::from_micros(at)) {
                    None => ' ',
                    Some(units) if units <= 0 => '·',
                    Some(units) => {
                        let scale = (high.units() / 1_000_000_000).max(1);
                        let eighths = ((units / scale) * 8 + high.units() / scale / 2) / (high.units() / scale).max(1);
                        usize::try_from(eighths.clamp(1, 8))
                            .ok()
                            .and_then(|place| EIGHTHS.get(place))
                            .copied()
                            .unwrap_or(' ')
                    }
                }
            })
            .collect();
        let shown: String = crate::text::wrap(name, label.max(2)).into_iter().next().unwrap_or_default();
        out.push_str(&format!(
            "{}  {} {blocks} {}\n",
            padded(&shown, label),
            right(&first, left),
            right(&final_amount, rest)
        ));
    }
    let (start, end) = (time::day(from, Zone::UTC), time::day(last, Zone::UTC));
    let indent = label + 2 + left + 1;
    out.push_str(&format!(
        "{}{start}{}{end}\n",
        " ".repeat(indent),
        " ".repeat(room.saturating_sub(start.len() + end.len()))
    ));
    out
}
