//! What is done with a cluster: start, stop, restart, release, delete. What takes something from a user asks first.

use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use common::model::{Cluster, ClusterId, Phase, WishChange};
use serde::Serialize;
use url::form_urlencoded;

use super::clusters::ClusterRow;
use super::way_back::back;
use super::{Ask, see_other};
use crate::access::SignedIn;
use crate::input::{Form, Query};
use crate::operations::{ClusterAction, Refusal};
use crate::problem::Problem;
use crate::server::State;

/// What a button does.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Act {
    Start,
    Stop,
    Restart,
    Release,
    Delete,
}

impl Act {
    fn parse(word: &str) -> Result<Act, Problem> {
        Ok(match word {
            "start" => Act::Start,
            "stop" => Act::Stop,
            "restart" => Act::Restart,
            "release" => Act::Release,
            "delete" => Act::Delete,
            _ => return Err(Problem::not_found()),
        })
    }

    fn as_str(self) -> &'static str {
        match self {
            Act::Start => "start",
            Act::Stop => "stop",
            Act::Restart => "restart",
            Act::Release => "release",
            Act::Delete => "delete",
        }
    }

    /// The title of the page that asks first; nobody is asked before a start.
    fn question(self) -> Result<&'static str, Problem> {
        match self {
            Act::Start => Err(Problem::not_found()),
            Act::Stop => Ok("Stop a cluster"),
            Act::Restart => Ok("Restart a cluster"),
            Act::Release => Ok("Release a cluster"),
            Act::Delete => Ok("Delete a cluster"),
        }
    }

    /// Whether a user notices it who keeps her cluster. (Releasing asks by its link, and takes the cluster itself.)
    fn interrupts(self) -> bool {
        match self {
            Act::Stop | Act::Restart => true,
            Act::Start | Act::Release | Act::Delete => false,
        }
    }

    fn of(self, fields: &Form) -> Result<ClusterAction, Refusal> {
        let wish = |change| ClusterAction::wish(fields.text("node"), change, fields.text("restarts").parse().ok());
        match self {
            Act::Start => wish(WishChange::Start),
            Act::Stop => wish(WishChange::Stop),
            Act::Restart => wish(WishChange::Restart),
            Act::Release => Ok(ClusterAction::Release),
            Act::Delete => Ok(ClusterAction::Delete),
        }
    }
}

#[derive(Serialize)]
struct AskView {
    row: ClusterRow,
    action: &'static str,
    /// The one node that is meant; empty: all.
    node: String,
    /// The lease that the operator was shown; empty: none.
    lease: String,
}

/// `GET /clusters/{id}/release`, `/delete`, `/stop`, `/restart`: ask first. The latter two of `node` or all.
pub async fn ask(
    req: HttpRequest,
    state: Data<State>,
    who: SignedIn,
    path: Path<(String, String)>,
    query: Query,
) -> Result<HttpResponse, Problem> {
    let (id, word) = path.into_inner();
    let act = Act::parse(&word)?;
    let title = act.question()?;
    let id = cluster_id(&id)?;
    let cluster = state.store.cluster(&id).await?.ok_or(Refusal::NoSuch("cluster"))?;
    let node = query.get("node").unwrap_or_default().to_owned();
    if !node.is_empty() && !cluster.wishes.keys().any(|name| name.as_str() == node) {
        return Err(Refusal::NoSuch("node").into());
    }
    let view = AskView {
        row: ClusterRow::of(&cluster, &state.catalog, state.now()),
        action: act.as_str(),
        node,
        lease: lease_of(&cluster),
    };
    Ask { req: &req, state: &state, who: &who }.page("cluster_ask.html", title, "clusters", &view)
}

/// `POST /clusters/{id}/start`, `/stop`, `/restart`, `/release`, `/delete`
pub async fn act(
    req: HttpRequest,
    state: Data<State>,
    who: SignedIn,
    path: Path<(String, String)>,
    fields: Form,
) -> Result<HttpResponse, Problem> {
    let ask = Ask { req: &req, state: &state, who: &who };
    let (id, word) = path.into_inner();
    let act = Act::parse(&word)?;
    let id = cluster_id(&id)?;
    let back = back(&fields, &format!("/clusters/{id}"));
    // Decided by the lease that is there now: one may have been given since the page was made.
    if act.interrupts()
        && let Some(cluster) = state.store.cluster(&id).await?
        && lease_of(&cluster) != fields.text("lease")
    {
        return Ok(see_other(&question(&id, act, fields.text("node"), fields.text("back"))));
    }
    let done = match act.of(&fields) {
        Ok(action) => state.operations.act(&id, &action, &who.operator.username, state.now()).await,
        Err(refusal) => Err(refusal),
    };
    match done {
        Ok(done) => Ok(ask.done(&done, &back)),
        Err(Refusal::NoSuch(what)) => Ok(ask.gone(what, &super::way_back::back_to_list(&fields, "/clusters"))),
        Err(refusal) => ask.refused(refusal, &back),
    }
}

/// Where it is asked first.
fn question(id: &ClusterId, act: Act, node: &str, back: &str) -> String {
    let given = [("node", node), ("back", back)].into_iter().filter(|(_, text)| !text.is_empty());
    let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(given).finish();
    format!("/clusters/{id}/{}?{query}", act.as_str())
}

/// Of a cluster that somebody holds; empty of any other.
fn lease_of(cluster: &Cluster) -> String {
    match &cluster.phase {
        Phase::InUse { lease } => lease.id.to_string(),
        Phase::Creating { .. }
        | Phase::Free { .. }
        | Phase::Releasing { .. }
        | Phase::Removing { .. }
        | Phase::Failed { .. }
        | Phase::Lost { .. } => String::new(),
    }
}

fn cluster_id(text: &str) -> Result<ClusterId, Refusal> {
    ClusterId::parse(text).map_err(|_| Refusal::NoSuch("cluster"))
}
