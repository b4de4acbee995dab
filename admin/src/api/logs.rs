//! `/api/v1/clusters/{id}/logs`

use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::http::header;
use actix_web::web::{Data, Path};
use common::model::ClusterId;

use crate::access::{SessionWatch, SignedIn};
use crate::input::Query;
use crate::node_logs::{node_of, stream, tail_of};
use crate::operations::Refusal;
use crate::problem::Problem;
use crate::seats::NoSeat;
use crate::server::State;

/// `GET`: the last lines of a node as plain text; with `follow=true` as server-sent events, and then what it writes.
pub async fn show(state: Data<State>, who: SignedIn, id: Path<String>, query: Query) -> Result<HttpResponse, Problem> {
    query.only(&["node", "tail", "follow"])?;
    let id = ClusterId::parse(&id).map_err(|_| Refusal::NoSuch("cluster"))?;
    let cluster = state.store.cluster(&id).await?.ok_or(Refusal::NoSuch("cluster"))?;
    let (node, tail) = (node_of(&cluster, query.get("node"))?, tail_of(query.get("tail"))?);
    let follow = match query.get("follow") {
        None | Some("false") => false,
        Some("true") => true,
        Some(_) => return Err(Refusal::field("follow", "must be true or false").into()),
    };
    if !follow {
        let lines = state.node_logs.last(&cluster, &node, tail).await?;
        let text: String = lines.iter().map(|line| format!("{} {}\n", line.at, line.text)).collect();
        return Ok(HttpResponse::Ok().content_type("text/plain; charset=utf-8").body(text));
    }
    let seat = state.node_logs.seat(&who.operator.id).map_err(no_seat)?;
    let following = state.node_logs.follow(seat, &cluster, &node, tail).await?;
    let events = stream(following, SessionWatch::new(&state, &who), state.node_logs.stop.clone());
    Ok(HttpResponse::Ok()
        .content_type("text/event-stream")
        // nginx would else gather events until its buffer is full.
        .insert_header(("x-accel-buffering", "no"))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .streaming(events))
}

fn no_seat(refused: NoSeat) -> Problem {
    match refused {
        NoSeat::Hers(most) => {
            Problem::too_many_of_hers(format!("You follow {most} logs already; close the page of one of them."))
        }
        NoSeat::Full => {
            let why = "Too many logs are being followed at this moment. Close some, or try again in a few seconds.";
            Problem::busy(Duration::from_secs(10), why)
        }
    }
}
