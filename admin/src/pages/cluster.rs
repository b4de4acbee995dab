//! One cluster: its nodes, where it answers, who holds it, its health, what happened to it; and what can be done.

use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use common::model::{Cluster, ClusterId, Health, HostState, Phase, Role, WishChange};
use common::store::{EventFilter, Page};
use serde::Serialize;

use super::Ask;
use super::clusters::ClusterRow;
use super::curves::{self, CurveView, RangeLink, range_links};
use super::events::EventView;
use super::words::{self, Badge, When, when};
use crate::access::SignedIn;
use crate::api::life;
use crate::curves::Range;
use crate::input::{Form, Query};
use crate::live::Asked;
use crate::operations::{ClusterAction, Refusal, restarts};
use crate::problem::Problem;
use crate::server::State;

/// Events on this page; more are on their own.
const EVENTS: u32 = 20;

#[derive(Serialize)]
struct View {
    #[serde(flatten)]
    live: LiveView,
    ranges: Vec<RangeLink>,
    curves: Vec<CurveView>,
    node_names: Vec<String>,
}

/// What changes by itself.
#[derive(Serialize)]
struct LiveView {
    row: ClusterRow,
    slot: u16,
    flavor_id: String,
    created: When,
    deadline: Option<When>,
    health_since: Option<When>,
    health_times: u32,
    host_away: bool,
    proven: Option<When>,
    offered: bool,
    free: bool,
    lease: Option<LeaseView>,
    nodes: Vec<NodeView>,
    endpoints: Vec<(String, String)>,
    explained: words::ExplanationView,
    events: Vec<EventView>,
    /// It failed, and what was learnt of that is kept.
    evidence: bool,
    restarts: u64,
    may_wish: bool,
    may_release: bool,
    may_delete: bool,
}

#[derive(Serialize)]
struct LeaseView {
    id: String,
    user: String,
    applied: When,
    metadata: Vec<(String, String)>,
}

#[derive(Serialize)]
struct NodeView {
    name: String,
    state: Badge,
    want: &'static str,
    restarts: u32,
    container: Option<String>,
    stopped: bool,
}

/// `GET /clusters/{id}`
pub async fn show(
    req: HttpRequest,
    state: Data<State>,
    who: SignedIn,
    id: Path<String>,
    query: Query,
) -> Result<HttpResponse, Problem> {
    let id = ClusterId::parse(&id).map_err(|_| Refusal::NoSuch("cluster"))?;
    let ask = Ask { req: &req, state: &state, who: &who };
    let Some(cluster) = state.store.cluster(&id).await? else { return gone(&ask, &id).await };
    let range = curves::range_of_one(&query)?;
    state.sampling.touch_cluster(&id);
    let view = View {
        ranges: range_links(&[Range::Hour, Range::Day], range),
        curves: curves::of_cluster(state.store.as_ref(), &id, range, state.now()).await?,
        node_names: cluster.nodes.keys().map(ToString::to_string).collect(),
        live: live_view(&state, who.operator.role, &cluster).await?,
    };
    let title = format!("Cluster {}", cluster.name);
    ask.page("cluster.html", &title, "clusters", &view)
}

/// What is rendered again when the cluster changes.
pub async fn live(asked: Asked) -> Result<String, Problem> {
    let cluster = find(&asked.state, &asked.id).await?;
    asked.render("live/cluster.html", &live_view(&asked.state, asked.role, &cluster).await?)
}

async fn live_view(state: &State, role: Role, cluster: &Cluster) -> Result<LiveView, Problem> {
    let filter = EventFilter { cluster: Some(cluster.id.clone()), ..EventFilter::default() };
    let events = state.operations.events(&filter, &Page::first(EVENTS + 1)).await?;
    let now = state.now();
    let (_, deadline, _) = life(cluster);
    let (health_since, health_times) = match &cluster.health {
        Health::Failing { since, times, .. } => (Some(when(*since, now)), *times),
        Health::Ok | Health::Unknown => (None, 0),
    };
    let host_away = match &cluster.health {
        Health::Unknown => is_away(state, cluster).await?,
        Health::Ok | Health::Failing { .. } => false,
    };
    let may = |allowed: bool| allowed && role >= Role::Operator;
    Ok(LiveView {
        row: ClusterRow::of(cluster, &state.catalog, now),
        slot: cluster.slot.0,
        flavor_id: cluster.flavor.to_string(),
        created: when(cluster.created_at, now),
        deadline: deadline.map(|at| when(at, now)),
        health_since,
        health_times,
        host_away,
        proven: cluster.proven_at.map(|at| when(at, now)),
        offered: cluster.offer.is_some(),
        free: matches!(cluster.phase, Phase::Free { .. }),
        lease: cluster.lease().map(|lease| LeaseView {
            id: lease.id.to_string(),
            user: lease.user.to_string(),
            applied: when(lease.applied_at, now),
            metadata: lease.metadata.iter().map(|(key, value)| (key.clone(), value.clone())).collect(),
        }),
        nodes: nodes(cluster),
        endpoints: cluster
            .endpoints
            .iter()
            .map(|(name, at)| (name.clone(), format!("{}://{}", at.scheme, at.authority())))
            .collect(),
        explained: words::explanation(state.operations.explain_cluster(&cluster.id, now).await?, now),
        events: events.items.iter().map(|event| EventView::of(event, now)).collect(),
        evidence: state.store.evidence(&cluster.id).await?.is_some(),
        restarts: restarts(cluster),
        may_wish: may(matches!(cluster.phase, Phase::Free { .. } | Phase::InUse { .. })),
        may_release: may(matches!(cluster.phase, Phase::InUse { .. })),
        may_delete: may(matches!(cluster.phase, Phase::Creating { .. } | Phase::Free { .. } | Phase::Failed { .. })),
    })
}

#[derive(Serialize)]
struct GoneView {
    id: String,
    name: String,
    failed: Option<String>,
    events: Vec<EventView>,
}

/// One that is there no more, but was: its events lead here.
async fn gone(ask: &Ask<'_>, id: &ClusterId) -> Result<HttpResponse, Problem> {
    let filter = EventFilter { cluster: Some(id.clone()), ..EventFilter::default() };
    let events = ask.state.operations.events(&filter, &Page::first(EVENTS + 1)).await?.items;
    let evidence = ask.state.store.evidence(id).await?;
    let named = events.iter().find_map(|event| event.cluster.as_ref().map(|(_, name)| name.clone()));
    let name = named.or_else(|| evidence.as_ref().map(|evidence| evidence.name.to_string()));
    let name = name.ok_or(Refusal::NoSuch("cluster"))?;
    let now = ask.state.now();
    let view = GoneView {
        id: id.to_string(),
        failed: evidence.map(|evidence| evidence.why.to_string()),
        events: events.iter().map(|event| EventView::of(event, now)).collect(),
        name,
    };
    let title = format!("Cluster {} is gone", view.name);
    ask.page_as(StatusCode::NOT_FOUND, "cluster_gone.html", &title, "clusters", &view)
}

#[derive(Serialize)]
struct AskView {
    row: ClusterRow,
    action: &'static str,
}

/// `GET /clusters/{id}/release` and `/delete`: ask first.
pub async fn ask(
    req: HttpRequest,
    state: Data<State>,
    who: SignedIn,
    path: Path<(String, String)>,
) -> Result<HttpResponse, Problem> {
    let (id, action) = path.into_inner();
    let (action, title) = match action.as_str() {
        "release" => ("release", "Release a cluster"),
        "delete" => ("delete", "Delete a cluster"),
        _ => return Err(Problem::not_found()),
    };
    let cluster = find(&state, &id).await?;
    let view = AskView { row: ClusterRow::of(&cluster, &state.catalog, state.now()), action };
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
    let (id, action) = path.into_inner();
    let id = ClusterId::parse(&id).map_err(|_| Refusal::NoSuch("cluster"))?;
    let back = super::frame::back(&fields, &format!("/clusters/{id}"));
    let wish = |change| ClusterAction::wish(fields.text("node"), change, fields.text("restarts").parse().ok());
    let asked = match action.as_str() {
        "start" => wish(WishChange::Start),
        "stop" => wish(WishChange::Stop),
        "restart" => wish(WishChange::Restart),
        "release" => Ok(ClusterAction::Release),
        "delete" => Ok(ClusterAction::Delete),
        _ => return Err(Problem::not_found()),
    };
    let done = match asked {
        Ok(action) => state.operations.act(&id, &action, &who.operator.username, state.now()).await,
        Err(refusal) => Err(refusal),
    };
    match done {
        Ok(done) => Ok(ask.done(&done, &back)),
        Err(Refusal::NoSuch(what)) => Ok(ask.gone(what, "/clusters")),
        Err(refusal) => ask.refused(refusal, &back),
    }
}

fn nodes(cluster: &Cluster) -> Vec<NodeView> {
    let views = cluster.wishes.iter().map(|(name, wish)| {
        let node = cluster.nodes.get(name);
        let state = node.map_or(common::model::NodeState::Missing, |node| node.state);
        NodeView {
            name: name.to_string(),
            state: words::node(state, wish.want),
            want: crate::api::want(wish.want),
            restarts: wish.restart_seq,
            container: node.and_then(|node| node.container.as_deref()).map(|id| id.chars().take(12).collect()),
            stopped: wish.want == common::model::Want::Stopped,
        }
    });
    views.collect()
}

/// Whether the cluster's health is not known because its host does not answer.
async fn is_away(state: &State, cluster: &Cluster) -> Result<bool, Refusal> {
    let host = state.store.host(&cluster.host).await?;
    Ok(host.is_none_or(|host| matches!(host.contact.state, HostState::Inactive { .. })))
}

async fn find(state: &State, id: &str) -> Result<Cluster, Refusal> {
    let id = ClusterId::parse(id).map_err(|_| Refusal::NoSuch("cluster"))?;
    state.store.cluster(&id).await?.ok_or(Refusal::NoSuch("cluster"))
}
