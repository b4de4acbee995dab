//! `/api/v1/events`

use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::web::Data;
use common::store::EventFilter;
use schemars::JsonSchema;
use serde::Serialize;

use super::{Part, shapes};
use crate::access::SignedIn;
use crate::input::Query;
use crate::operations::{EventInput, LONGEST_WAIT, Refusal, limit_of, page_of};
use crate::problem::Problem;
use crate::server::State;

/// `GET`: newest first; `host`, `cluster`, `kind`, `actor`, `since`, `until`.
pub async fn list(state: Data<State>, query: Query) -> Result<HttpResponse, Problem> {
    query.only(&["host", "cluster", "kind", "actor", "since", "until", "after", "limit"])?;
    let page = page_of(query.get("after"), limit_of(query.get("limit"))?)?;
    let listed = state.operations.events(&filter(&query)?, &page).await?;
    Ok(HttpResponse::Ok().json(Part::of(listed, shapes::event)))
}

/// `GET .../tail`: what happens after a place, oldest first, waited for up to `wait` seconds; the same filters.
pub async fn tail(state: Data<State>, who: SignedIn, query: Query) -> Result<HttpResponse, Problem> {
    query.only(&["host", "cluster", "kind", "actor", "since", "until", "after", "wait"])?;
    let wait = wait_of(query.get("wait"))?;
    let (events, next) = state.operations.tail(&who.operator.id, query.get("after"), &filter(&query)?, wait).await?;
    Ok(HttpResponse::Ok().json(Tail { items: events.iter().map(shapes::event).collect(), next: next.0 }))
}

/// Events after a place.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "EventTail")]
pub struct Tail {
    /// Oldest first.
    items: Vec<shapes::EventShape>,
    /// What to pass as `after` to go on from here.
    next: String,
}

/// Which events a query asks for.
pub fn filter(query: &Query) -> Result<EventFilter, Refusal> {
    let input = EventInput {
        host: query.get("host"),
        cluster: query.get("cluster"),
        kind: query.get("kind"),
        actor: query.get("actor"),
        since: query.get("since"),
        until: query.get("until"),
    };
    input.parse()
}

fn wait_of(text: Option<&str>) -> Result<Duration, Refusal> {
    let Some(text) = text else { return Ok(Duration::ZERO) };
    let longest = LONGEST_WAIT.as_secs();
    match text.parse() {
        Ok(seconds) if seconds <= longest => Ok(Duration::from_secs(seconds)),
        _ => Err(Refusal::field("wait", format!("must be a whole number of seconds from 0 to {longest}"))),
    }
}
