//! What a node wrote and writes, for pages and programs: found, bounded, and cleaned of what steers a terminal or turns
//! text around. Read over connections for looking only; any admin can.

mod clean;
mod follow;

use common::model::{Cluster, Host, HostState, NodeName, OperatorId};
use engine::{EngineError, LogFollow, LogLine};
use tokio_util::sync::CancellationToken;

pub use clean::clean;
pub use follow::stream;

use crate::operations::Refusal;
use crate::sampling::Engines;
use crate::seats::{NoSeat, Seat, Seats};
use common::store::SharedStore;

/// Lines that are shown unless another number is asked for.
pub const USUAL_TAIL: u32 = 200;

/// The most that can be asked for.
pub const LONGEST_TAIL: u32 = 2_000;

/// Followers at once of one admin. Each is a connection to an engine and one to a browser.
const FOLLOWERS: usize = 100;

/// Of those, logs that one operator follows: more windows than anybody reads at once.
const OF_ONE_OPERATOR: usize = 10;

/// Reads logs. Cheap to clone.
#[derive(Clone)]
pub struct NodeLogs {
    store: SharedStore,
    engines: Engines,
    seats: Seats,
    /// Cancelled when the server stops: followers end then.
    pub stop: CancellationToken,
}

/// A log that is being followed, and its place among the followers.
pub struct Following {
    /// The lines.
    pub lines: LogFollow,
    /// The last lines that were asked for, as far as they have not come yet.
    asked: u32,
    _seat: Seat,
}

impl NodeLogs {
    /// Followers end when `stop` is cancelled.
    pub fn new(store: SharedStore, engines: Engines, stop: CancellationToken) -> NodeLogs {
        NodeLogs { store, engines, seats: Seats::new(FOLLOWERS, OF_ONE_OPERATOR), stop }
    }

    /// The last lines of a node, cleaned.
    pub async fn last(&self, cluster: &Cluster, node: &NodeName, tail: u32) -> Result<Vec<LogLine>, Refusal> {
        let (host, container) = self.place(cluster, node).await?;
        let engine = self.engines.of(&host).await.map_err(|error| refusal(&host, node, &error))?;
        let lines = engine.logs(&container, tail).await.map_err(|error| refusal(&host, node, &error))?;
        Ok(lines.into_iter().map(cleaned).collect())
    }

    /// A place among those who follow.
    pub fn seat(&self, of: &OperatorId) -> Result<Seat, NoSeat> {
        self.seats.take(of)
    }

    /// The last lines of a node, and what it writes from then on, for whoever has a place.
    pub async fn follow(
        &self,
        seat: Seat,
        cluster: &Cluster,
        node: &NodeName,
        tail: u32,
    ) -> Result<Following, Refusal> {
        let (host, container) = self.place(cluster, node).await?;
        let engine = self.engines.of(&host).await.map_err(|error| refusal(&host, node, &error))?;
        let lines = engine.follow_logs(&container, tail).await.map_err(|error| refusal(&host, node, &error))?;
        Ok(Following { lines, asked: tail, _seat: seat })
    }

    /// Where a node's container is.
    async fn place(&self, cluster: &Cluster, node: &NodeName) -> Result<(Host, String), Refusal> {
        let found = cluster.nodes.get(node).ok_or_else(|| no_such_node(cluster))?;
        let container = found
            .container
            .clone()
            .ok_or_else(|| Refusal::Conflict(format!("{node} has no container yet, so it has written nothing")))?;
        let host = self.store.host(&cluster.host).await?.ok_or(Refusal::NoSuch("host"))?;
        if let HostState::Inactive { why, .. } = &host.contact.state {
            let name = &host.settings.name;
            return Err(Refusal::Conflict(format!(
                "the host {name} does not answer, so its logs cannot be read: {why}"
            )));
        }
        Ok((host, container))
    }
}

/// The node that a query names; without one, the first.
pub fn node_of(cluster: &Cluster, name: Option<&str>) -> Result<NodeName, Refusal> {
    let found = match name {
        None => cluster.nodes.keys().next(),
        Some(name) => cluster.nodes.keys().find(|node| node.as_str() == name),
    };
    found.cloned().ok_or_else(|| no_such_node(cluster))
}

fn no_such_node(cluster: &Cluster) -> Refusal {
    let all: Vec<&str> = cluster.nodes.keys().map(NodeName::as_str).collect();
    Refusal::field("node", format!("must be one of {}", all.join(", ")))
}

/// How many lines a query asks for.
pub fn tail_of(text: Option<&str>) -> Result<u32, Refusal> {
    let Some(text) = text else { return Ok(USUAL_TAIL) };
    match text.parse() {
        Ok(tail @ 1..=LONGEST_TAIL) => Ok(tail),
        _ => Err(Refusal::field("tail", format!("must be a whole number from 1 to {LONGEST_TAIL}"))),
    }
}

fn refusal(host: &Host, node: &NodeName, error: &EngineError) -> Refusal {
    match error {
        EngineError::Gone { .. } => Refusal::Conflict(format!("the container of {node} is gone, and its log with it")),
        other => {
            Refusal::Conflict(format!("the log of {node} cannot be read from host {}: {other}", host.settings.name))
        }
    }
}

fn cleaned(line: LogLine) -> LogLine {
    LogLine { text: clean(&line.text), ..line }
}
