//! The pool in numbers: how hosts and clusters divide, and what users were told over an hour, a day or a week.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;

use super::Ask;
use super::curves::{CurveView, RangeLink, curves, range_links};
use crate::access::SignedIn;
use crate::curves::{Of, Range};
use crate::input::Query;
use crate::live::Asked;
use crate::operations::{Share, Shares, Stats};
use crate::problem::Problem;
use crate::server::State;

#[derive(Serialize)]
struct View {
    live: LiveView,
    ranges: Vec<RangeLink>,
    curves: Vec<CurveView>,
}

/// What changes by itself.
#[derive(Serialize)]
struct LiveView {
    range: &'static str,
    figures: Vec<Figure>,
    charts: Vec<ShareChart>,
}

#[derive(Serialize)]
struct Figure {
    label: &'static str,
    value: String,
    note: String,
}

/// How a whole divides.
#[derive(Serialize)]
struct ShareChart {
    title: &'static str,
    parts: Vec<Part>,
    total: u64,
}

#[derive(Serialize)]
struct Part {
    name: String,
    count: u64,
    percent: String,
}

/// `GET /stat`: `range`.
pub async fn show(req: HttpRequest, state: Data<State>, who: SignedIn, query: Query) -> Result<HttpResponse, Problem> {
    let range = range_of(&query)?;
    let (curves, noted) = curves(state.store.as_ref(), &Of::Pool, range, state.now()).await?;
    let live = LiveView::of(range, &Stats::of(&noted), state.operations.shares().await?);
    let view = View { live, ranges: range_links(&Range::ALL, range), curves };
    Ask { req: &req, state: &state, who: &who }.page("stat.html", "Statistics", "stat", &view)
}

/// What is rendered again when the pool changes.
pub async fn live(asked: Asked) -> Result<String, Problem> {
    #[derive(Serialize)]
    struct Only {
        live: LiveView,
    }
    let (operations, range) = (&asked.state.operations, range_of(&asked.query)?);
    let stats = operations.stats_over(range, asked.state.now()).await?;
    let live = LiveView::of(range, &stats, operations.shares().await?);
    asked.render("live/stat.html", &Only { live })
}

fn range_of(query: &Query) -> Result<Range, Problem> {
    Ok(query.get("range").map_or(Ok(Range::Hour), Range::parse)?)
}

impl LiveView {
    fn of(range: Range, stats: &Stats, shares: Shares) -> LiveView {
        let Shares { host_types, host_states, cluster_types, cluster_states } = shares;
        let charts = [
            ("Host type", host_types),
            ("Host status", host_states),
            ("Chain type", cluster_types),
            ("Chain status", cluster_states),
        ];
        LiveView {
            range: range.words(),
            figures: figures(stats),
            charts: charts.into_iter().map(|(title, parts)| ShareChart::of(title, parts)).collect(),
        }
    }
}

fn figures(stats: &Stats) -> Vec<Figure> {
    let told = &stats.told;
    let seconds = |value: f64| format!("{value:.1} s");
    let figure = |label, value: String, note: String| Figure { label, value, note };
    vec![
        figure("Applies", told.applies().to_string(), format!("{} were given one", told.given)),
        figure("Misses", told.missed.to_string(), "told that none is free".to_owned()),
        figure(
            "Hit rate",
            told.hit_rate_words().unwrap_or_else(|| "–".to_owned()),
            if told.hit_rate.is_some() { "of all applies were given one" } else { "nobody asked" }.to_owned(),
        ),
        figure("Longest wait", format!("{} min", told.longest_wait_minutes), waited(told.minutes_waited)),
        figure(
            "Time to make one",
            stats.make_seconds.map_or_else(|| "–".to_owned(), seconds),
            match stats.make_seconds_longest {
                Some(longest) => format!("{} made, the slowest in {}", stats.made, seconds(longest)),
                None => "none was made".to_owned(),
            },
        ),
    ]
}

fn waited(minutes: u64) -> String {
    match minutes {
        0 => "nobody had to wait".to_owned(),
        1 => "somebody waited in one minute".to_owned(),
        minutes => format!("somebody waited in {minutes} minutes"),
    }
}

impl ShareChart {
    fn of(title: &'static str, parts: Vec<Share>) -> ShareChart {
        let total: u64 = parts.iter().map(|part| part.count).sum();
        let percent = |count: u64| count as f64 * 100.0 / total.max(1) as f64;
        let part = |Share { name, count }| Part { name, count, percent: format!("{:.0} %", percent(count)) };
        ShareChart { title, parts: parts.into_iter().map(part).collect(), total }
    }
}
