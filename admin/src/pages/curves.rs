//! Curves as pages show them: a picture that needs no script, the same in words, and a table. Scripts draw over the picture.

use common::model::Timestamp;
use common::store::{Store, StoreResult};
use serde::Serialize;

use super::words::{When, when};
use crate::curves::{Curve, Measure, Noted, Of, Range, Series};
use crate::input::Query;
use crate::operations::Refusal;

/// The picture's size in its own units; the page gives it another.
const WIDE: f64 = 600.0;
const HIGH: f64 = 120.0;

/// Rows of the table: who wants every point asks the JSON.
const ROWS: usize = 12;

/// A "now" may be so many steps old.
const FRESH: usize = 3;

/// A curve, laid out.
#[derive(Serialize)]
pub struct CurveView {
    id: String,
    title: &'static str,
    measure: &'static str,
    unit: &'static str,
    /// Where scripts get it.
    src: String,
    /// Where it goes to.
    range: &'static str,
    /// The highest value that the picture has room for.
    top: String,
    /// No sample yet.
    empty: bool,
    lines: Vec<LineView>,
    rows: Vec<RowView>,
}

/// One line of a picture.
#[derive(Serialize)]
struct LineView {
    name: String,
    /// One text for each stretch without a gap: `x,y x,y`.
    stretches: Vec<String>,
    now: Option<String>,
    most: Option<String>,
    least: Option<String>,
}

#[derive(Serialize)]
struct RowView {
    at: When,
    values: Vec<String>,
}

/// A way to another range.
#[derive(Serialize)]
pub struct RangeLink {
    word: &'static str,
    title: &'static str,
    chosen: bool,
}

/// The ways to all these ranges.
pub fn range_links(ranges: &[Range], chosen: Range) -> Vec<RangeLink> {
    let link = |range: &Range| RangeLink { word: range.as_str(), title: range.words(), chosen: *range == chosen };
    ranges.iter().map(link).collect()
}

/// The range that a page of one host or cluster is asked for; what is not kept of it so long counts as the day.
pub fn range_of_one(query: &Query) -> Result<Range, Refusal> {
    match query.get("range").map(Range::parse) {
        None => Ok(Range::Hour),
        Some(Ok(Range::Week)) => Ok(Range::Day),
        Some(range) => range,
    }
}

/// All the curves there are of something, with what they are made of.
pub async fn curves(store: &dyn Store, of: &Of, range: Range, now: Timestamp) -> StoreResult<(Vec<CurveView>, Noted)> {
    let noted = Noted::read(store, of, of.measures(), range, now).await?;
    let view = |measure: &Measure| CurveView::of(&noted.curve(*measure), &source(of, *measure, range), now);
    Ok((of.measures().iter().map(view).collect(), noted))
}

fn source(of: &Of, measure: Measure, range: Range) -> String {
    let of = match of {
        Of::Pool => String::new(),
        Of::Host(id) => format!("host={id}&"),
        Of::Cluster(id) => format!("cluster={id}&"),
    };
    format!("/api/v1/samples?{of}measure={}&range={}", measure.as_str(), range.as_str())
}

impl CurveView {
    fn of(curve: &Curve, src: &str, now: Timestamp) -> CurveView {
        let top = nice(curve.series.iter().filter_map(Series::most).fold(0.0, f64::max));
        CurveView {
            id: format!("curve-{}", curve.measure),
            title: curve.title,
            measure: curve.measure,
            unit: curve.unit,
            src: src.to_owned(),
            range: Range::ALL.into_iter().find(|range| range.as_str() == curve.range).map_or("hour", Range::words),
            top: number(top, curve.unit),
            empty: curve.is_empty(),
            lines: curve.series.iter().map(|series| line(series, top, curve.unit)).collect(),
            rows: rows(curve, now),
        }
    }
}

fn line(series: &Series, top: f64, unit: &str) -> LineView {
    let words = |value: Option<f64>| value.map(|value| number(value, unit));
    LineView {
        name: series.name.clone(),
        stretches: stretches(&series.avg, top),
        now: words(series.last(FRESH)),
        most: words(series.most()),
        least: words(series.least()),
    }
}

fn stretches(values: &[Option<f64>], top: f64) -> Vec<String> {
    let step = WIDE / (values.len().max(2) - 1) as f64;
    let point = |(at, value): (usize, f64)| format!("{:.1},{:.1}", at as f64 * step, HIGH - value / top * HIGH);
    let mut stretches = vec![Vec::new()];
    for (at, value) in values.iter().enumerate() {
        match (value, stretches.last_mut()) {
            (Some(value), Some(stretch)) => stretch.push(point((at, *value))),
            (None, Some(stretch)) if !stretch.is_empty() => stretches.push(Vec::new()),
            (Some(_) | None, _) => {}
        }
    }
    let mut texts: Vec<String> = Vec::new();
    for mut stretch in stretches.into_iter().filter(|stretch| !stretch.is_empty()) {
        if let [only] = stretch.as_slice() {
            // A single point would not show.
            stretch = vec![only.clone(), only.clone()];
        }
        texts.push(stretch.join(" "));
    }
    texts
}

fn rows(curve: &Curve, now: Timestamp) -> Vec<RowView> {
    let every = (curve.times.len() / ROWS).max(1);
    let row = |at: usize| RowView {
        at: when(Timestamp::from_millis(curve.times[at] * 1000), now),
        values: curve
            .series
            .iter()
            .map(|series| series.avg[at].map_or_else(|| "–".to_owned(), |value| number(value, curve.unit)))
            .collect(),
    };
    (0..curve.times.len()).rev().step_by(every).map(row).collect()
}

/// A round number at or above a value: 1, 2 or 5 with zeros.
fn nice(value: f64) -> f64 {
    if value <= 0.0 {
        return 1.0;
    }
    let scale = 10_f64.powf(value.log10().floor());
    let steps = [1.0, 2.0, 5.0, 10.0];
    steps.into_iter().map(|step| step * scale).find(|step| *step >= value).unwrap_or(10.0 * scale)
}

/// A number with its unit, as fine as it needs to be. What is not all of a hundred does not read as all.
fn number(value: f64, unit: &str) -> String {
    let value = if unit == "%" && (99.9..100.0).contains(&value) { 99.9 } else { value };
    let digits = if value.fract() == 0.0 || value >= 100.0 {
        format!("{value:.0}")
    } else if value >= 10.0 {
        format!("{value:.1}")
    } else {
        format!("{value:.2}")
    };
    let digits = if digits.contains('.') { digits.trim_end_matches('0').trim_end_matches('.') } else { &digits };
    if unit.is_empty() { digits.to_owned() } else { format!("{digits} {unit}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gap_is_a_gap_in_the_picture_too() {
        assert_eq!(
            stretches(&[Some(0.0), Some(1.0), None, Some(2.0)], 2.0),
            ["0.0,120.0 200.0,60.0", "600.0,0.0 600.0,0.0"]
        );
        assert!(stretches(&[None, None], 1.0).is_empty());
    }

    #[test]
    fn numbers_are_as_fine_as_they_need_to_be() {
        for (value, unit, text) in [
            (0.0, "", "0"),
            (0.75, "%", "0.75 %"),
            (99.96, "%", "99.9 %"),
            (100.0, "%", "100 %"),
            (12.34, "MiB", "12.3 MiB"),
            (1234.5, "s", "1234 s"),
            (2.5, "", "2.5"),
        ] {
            assert_eq!(number(value, unit), text);
        }
        for (value, top) in [(0.0, 1.0), (0.7, 1.0), (1.1, 2.0), (37.0, 50.0), (100.0, 100.0), (501.0, 1000.0)] {
            assert!((nice(value) - top).abs() < 1e-9, "{value}");
        }
    }
}
