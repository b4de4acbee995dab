//! The stream of events.

use std::sync::Arc;
use std::time::Duration;

use futures_util::{StreamExt, stream};

use super::Call;
use super::filters::Filters;
use super::reply::{self, ReplyResult};
use crate::clock::{self, Moment};
use crate::engine::Engine;
use crate::engine::events::Event;
use crate::error::{ApiError, ApiResult};

const FILTERS: [&str; 14] = [
    "config",
    "container",
    "daemon",
    "event",
    "image",
    "label",
    "network",
    "node",
    "plugin",
    "scope",
    "secret",
    "service",
    "type",
    "volume",
];

pub(crate) fn events(engine: &Arc<Engine>, call: &Call) -> ReplyResult {
    let filters = Filters::of(call, &FILTERS)?;
    let (since, until) = (moment(call, "since")?, moment(call, "until")?);
    let (past, live) = engine.events.listen(since);
    let before_end = move |event: &Event| until.is_none_or(|until| event.at <= until);
    let live = stream::unfold(live, |mut live| async move { Some((live.recv().await?, live)) });
    let end = until.map(|until| until.since(clock::now()));
    let live = live.take_until(async move {
        match end {
            Some(left) => tokio::time::sleep(left.min(Duration::from_secs(365 * 24 * 3600))).await,
            None => std::future::pending().await,
        }
    });
    let wanted = stream::iter(past).chain(live).filter_map(move |event| {
        let line = (before_end(&event) && matches(&event, &filters)).then(|| event.line());
        std::future::ready(line)
    });
    Ok(reply::json_stream(wanted))
}

fn matches(event: &Event, filters: &Filters) -> bool {
    let about = |kind: &str, wanted: &str| {
        let attribute = if event.kind == kind { event.attribute("name") } else { event.attribute(kind) };
        (event.kind == kind && (event.id.starts_with(wanted))) || attribute == Some(wanted)
    };
    filters.any("type", |kind| kind == event.kind)
        // `health_status` stands for `health_status: healthy`, too.
        && filters.any("event", |action| {
            *event.action == *action || event.action.strip_prefix(action).is_some_and(|rest| rest.starts_with(':'))
        })
        && filters.any("container", |wanted| about("container", wanted))
        && filters.any("network", |wanted| about("network", wanted))
        && filters.any("volume", |wanted| about("volume", wanted))
        && filters.any("image", |wanted| about("image", wanted))
        && filters.any("scope", |scope| scope == "local")
        && filters.labels(|name| event.labels.as_ref()?.get(name))
}

/// `1795345325`, `1795345325.471444812` or RFC 3339.
fn moment(call: &Call, name: &str) -> ApiResult<Option<Moment>> {
    let Some(text) = call.text(name) else { return Ok(None) };
    parse(text).map(Some).ok_or_else(|| ApiError::bad(format!("invalid value for {name}: {text}")))
}

pub(super) fn parse(text: &str) -> Option<Moment> {
    if let Ok(stamp) = text.parse::<jiff::Timestamp>() {
        return i64::try_from(stamp.as_nanosecond()).ok().map(Moment);
    }
    let (seconds, decimals) = text.split_once('.').unwrap_or((text, ""));
    let nanos: i64 = format!("{decimals:0<9}").get(..9)?.parse().ok()?;
    let seconds: i64 = seconds.parse().ok()?;
    seconds.checked_mul(1_000_000_000)?.checked_add(nanos).map(Moment)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_read_in_all_three_forms() {
        assert_eq!(parse("1795345325"), Some(Moment(1_795_345_325_000_000_000)));
        assert_eq!(parse("1795345325.5"), Some(Moment(1_795_345_325_500_000_000)));
        assert_eq!(parse("2026-11-22T11:02:05Z"), Some(Moment(1_795_345_325_000_000_000)));
        assert_eq!(parse("yesterday"), None);
    }
}
