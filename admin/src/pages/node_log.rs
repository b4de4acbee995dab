//! What a node wrote: the last lines as a page that needs no script; with scripts the page goes on by itself.

use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use common::model::ClusterId;
use engine::{LogLine, LogStream};
use serde::Serialize;

use super::Ask;
use crate::access::SignedIn;
use crate::input::Query;
use crate::node_logs::{node_of, tail_of};
use crate::operations::Refusal;
use crate::problem::Problem;
use crate::server::State;

#[derive(Serialize)]
struct View {
    id: String,
    name: String,
    nodes: Vec<String>,
    node: String,
    tail: u32,
    lines: Vec<LineView>,
    /// Why there are none.
    trouble: Option<String>,
}

#[derive(Serialize)]
struct LineView {
    at: String,
    text: String,
    error: bool,
}

/// `GET /clusters/{id}/logs`: `node`, `tail`.
pub async fn show(
    req: HttpRequest,
    state: Data<State>,
    who: SignedIn,
    id: Path<String>,
    query: Query,
) -> Result<HttpResponse, Problem> {
    let id = ClusterId::parse(&id).map_err(|_| Refusal::NoSuch("cluster"))?;
    let cluster = state.store.cluster(&id).await?.ok_or(Refusal::NoSuch("cluster"))?;
    let (node, tail) = (node_of(&cluster, query.get("node"))?, tail_of(query.get("tail"))?);
    // The page stays one: another node can be chosen, and this one may come back.
    let (lines, trouble) = match state.node_logs.last(&cluster, &node, tail).await {
        Ok(lines) => (lines, None),
        Err(Refusal::Conflict(why)) => (Vec::new(), Some(why)),
        Err(other) => return Err(other.into()),
    };
    let title = format!("Log of {node} in {}", cluster.name);
    let view = View {
        id: id.to_string(),
        name: cluster.name.to_string(),
        nodes: cluster.nodes.keys().map(ToString::to_string).collect(),
        node: node.to_string(),
        tail,
        lines: lines.into_iter().map(LineView::of).collect(),
        trouble,
    };
    Ask { req: &req, state: &state, who: &who }.page("node_log.html", &title, "clusters", &view)
}

impl LineView {
    fn of(line: LogLine) -> LineView {
        // 2026-11-22T11:02:05.468617280Z: the time of day, to the millisecond.
        let at = line.at.get(11..23).unwrap_or(&line.at).to_owned();
        LineView { at, text: line.text, error: line.stream == LogStream::Stderr }
    }
}
