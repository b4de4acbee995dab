//! `/api/v1/samples`, `/api/v1/stats`

use std::collections::BTreeMap;

use actix_web::HttpResponse;
use actix_web::web::Data;
use common::model::{ClusterId, HostId};
use schemars::JsonSchema;
use serde::Serialize;

use crate::curves::{Measure, Noted, Of, Range};
use crate::input::Query;
use crate::operations::{Refusal, Shares, Stats};
use crate::problem::Problem;
use crate::sampling::Measured;
use crate::server::State;

/// The pool in numbers.
#[derive(Serialize, JsonSchema)]
pub struct StatsShape {
    /// How hosts and clusters divide now.
    shares: Shares,
    /// What happened over `1h`, `24h`, `7d`.
    ranges: BTreeMap<&'static str, Stats>,
    /// What the last minute's sampling came to on this admin.
    sampling: Measured,
}

/// `GET`: curves of `cluster`, `host`, or without either of the pool; `measure`, `range`. What is asked for counts as open.
pub async fn samples(state: Data<State>, query: Query) -> Result<HttpResponse, Problem> {
    query.only(&["cluster", "node", "host", "measure", "range"])?;
    let of = match (query.get("cluster"), query.get("host")) {
        (None, None) => Of::Pool,
        (Some(id), None) => {
            let id = ClusterId::parse(id).map_err(|why| Refusal::field("cluster", why.to_string()))?;
            state.sampling.touch_cluster(&id);
            Of::Cluster(id)
        }
        (None, Some(id)) => {
            let id = HostId::parse(id).map_err(|why| Refusal::field("host", why.to_string()))?;
            state.sampling.touch_host(&id);
            Of::Host(id)
        }
        (Some(_), Some(_)) => return Err(Refusal::field("host", "cannot be given beside cluster").into()),
    };
    let measures = of.measures();
    let measure = query.get("measure").map_or(Ok(measures[0]), |word| Measure::parse(word, measures))?;
    let range = query.get("range").map_or(Ok(Range::Hour), Range::parse)?;
    if range == Range::Week && of != Of::Pool {
        return Err(Refusal::field("range", "may be 1h or 24h: a week is kept of the pool alone").into());
    }
    let noted = Noted::read(state.store.as_ref(), &of, &[measure], range, state.now()).await?;
    let mut curve = noted.curve(measure);
    if let Some(node) = query.get("node") {
        curve.series.retain(|series| series.name == node);
    }
    Ok(HttpResponse::Ok().json(curve))
}

/// `GET`: the numbers of the Statistics page.
pub async fn stats(state: Data<State>, query: Query) -> Result<HttpResponse, Problem> {
    query.only(&[])?;
    let now = state.now();
    let mut ranges = BTreeMap::new();
    for range in Range::ALL {
        ranges.insert(range.as_str(), state.operations.stats_over(range, now).await?);
    }
    let (shares, sampling) = (state.operations.shares().await?, state.sampling.last());
    Ok(HttpResponse::Ok().json(StatsShape { shares, ranges, sampling }))
}
