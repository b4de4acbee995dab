//! What was kept of a cluster that failed: why, how long each step took, and of each node its state and last words.

use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use common::compose::Catalog;
use common::model::{ClusterId, Failure, NodeEvidence, NodeState, Timestamp, Want};
use serde::Serialize;

use super::Ask;
use super::words::{self, Badge, When, when};
use crate::access::SignedIn;
use crate::operations::Refusal;
use crate::problem::Problem;
use crate::server::State;

/// A failure in a list.
#[derive(Serialize)]
pub struct FailureRow {
    id: String,
    name: String,
    flavor: String,
    host_id: String,
    host: String,
    why: String,
    failed: When,
    lived: String,
}

impl FailureRow {
    /// How a failure is listed.
    pub fn of(failure: &Failure, catalog: &Catalog, now: Timestamp) -> FailureRow {
        let title = catalog.flavor(&failure.flavor).map(|flavor| flavor.title.clone());
        FailureRow {
            id: failure.cluster.to_string(),
            name: failure.name.to_string(),
            flavor: title.unwrap_or_else(|| failure.flavor.to_string()),
            host_id: failure.host.to_string(),
            host: failure.host_name.to_string(),
            why: failure.why.to_string(),
            failed: when(failure.failed_at, now),
            lived: words::duration(failure.failed_at.since(failure.created_at)),
        }
    }
}

#[derive(Serialize)]
struct View {
    row: FailureRow,
    created: When,
    timings: Vec<(When, String, u64)>,
    nodes: Vec<NodeView>,
    missing: Vec<String>,
    plan: String,
}

#[derive(Serialize)]
struct NodeView {
    name: String,
    container: String,
    state: Badge,
    ended: Option<String>,
    restarts: u32,
    log: String,
    inspect: String,
}

/// `GET /clusters/{id}/evidence`
pub async fn show(
    req: HttpRequest,
    state: Data<State>,
    who: SignedIn,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let id = ClusterId::parse(&id).map_err(|_| Refusal::NoSuch("cluster"))?;
    let evidence = state.operations.evidence(&id).await?;
    let now = state.now();
    // What does not run is what one came for.
    let mut nodes: Vec<&NodeEvidence> = evidence.nodes.iter().collect();
    nodes.sort_by_key(|node| node.state == NodeState::Running);
    let timings = evidence.timings.iter().map(|timing| (when(timing.at, now), timing.what.clone(), timing.took_ms));
    let view = View {
        row: FailureRow::of(&evidence.failure(), &state.catalog, now),
        created: when(evidence.created_at, now),
        timings: timings.collect(),
        nodes: nodes.into_iter().map(node).collect(),
        missing: evidence.missing.clone(),
        plan: pretty(&evidence.plan),
    };
    let title = format!("Why {} failed", evidence.name);
    Ask { req: &req, state: &state, who: &who }.page("evidence.html", &title, "clusters", &view)
}

fn node(node: &NodeEvidence) -> NodeView {
    let ended = match (node.oom_killed, node.exit_code) {
        (true, Some(code)) => Some(format!("for want of memory, exit code {code}")),
        (true, None) => Some("for want of memory".to_owned()),
        (false, Some(code)) => Some(format!("exit code {code}")),
        (false, None) => None,
    };
    NodeView {
        name: node.node.as_ref().map_or_else(|| "started by a node itself".to_owned(), ToString::to_string),
        container: node.container.clone(),
        state: words::node(node.state, Want::Running),
        ended,
        restarts: node.restarts,
        log: node.log.join("\n"),
        inspect: pretty(&node.inspect),
    }
}

/// JSON laid out for people; what was cut is no JSON any more, and shown as it is.
fn pretty(json: &str) -> String {
    let value: Result<serde_json::Value, _> = serde_json::from_str(json);
    value.ok().and_then(|value| serde_json::to_string_pretty(&value).ok()).unwrap_or_else(|| json.to_owned())
}
