//! One cluster: its nodes, where it answers, who holds it, its health, what happened to it.

use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use common::model::{Cluster, ClusterId, Health, NodeState, Phase, Role, Want};
use common::store::{EventFilter, Page};
use serde::Serialize;

use super::clusters::ClusterRow;
use super::curves::{self, CurveView, RangeLink, range_links};
use super::events::EventView;
use super::words::{self, Badge, When, when};
use super::{Ask, cluster_gone};
use crate::access::SignedIn;
use crate::api::life;
use crate::curves::{Of, Range};
use crate::input::Query;
use crate::live::Asked;
use crate::operations::Refusal;
use crate::problem::Problem;
use crate::server::State;

/// Events on this page; more are on their own.
pub(super) const EVENTS: u32 = 20;

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
    /// Whether the flavor has a page: what is not offered any more has none.
    flavor_offered: bool,
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
    /// Whether its nodes can be started, stopped and restarted.
    may_wish: bool,
    operates: bool,
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
    /// Whoever follows its log waits for this.
    runs: bool,
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
    let Some(cluster) = state.store.cluster(&id).await? else {
        return cluster_gone::page(&ask, &id).await;
    };
    let range = curves::range_of_one(&query)?;
    state.sampling.touch_cluster(&id);
    let view = View {
        ranges: range_links(&[Range::Hour, Range::Day], range),
        curves: curves::curves(state.store.as_ref(), &Of::Cluster(id.clone()), range, state.now()).await?.0,
        node_names: cluster.nodes.keys().map(ToString::to_string).collect(),
        live: live_view(&state, who.operator.role, &cluster).await?,
    };
    let title = format!("Cluster {}", cluster.name);
    ask.page("cluster.html", &title, "clusters", &view)
}

/// What is rendered again when the cluster changes, and when it is gone.
pub async fn live(asked: Asked) -> Result<String, Problem> {
    let id = ClusterId::parse(&asked.id).map_err(|_| Refusal::NoSuch("cluster"))?;
    let Some(cluster) = asked.state.store.cluster(&id).await? else {
        return cluster_gone::live(&asked, &id).await;
    };
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
    // Nothing is kept of any other, and a bundle of evidence is large.
    let failed = matches!(cluster.phase, Phase::Failed { .. } | Phase::Removing { .. });
    let row = ClusterRow::of(cluster, &state.catalog, now);
    let operates = role >= Role::Operator;
    Ok(LiveView {
        slot: cluster.slot.0,
        flavor_id: cluster.flavor.to_string(),
        flavor_offered: state.catalog.flavor(&cluster.flavor).is_some(),
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
        explained: words::explanation(state.operations.explain_cluster(cluster, now).await?, now),
        events: events.items.iter().map(|event| EventView::of(event, now)).collect(),
        evidence: failed && state.store.evidence(&cluster.id).await?.is_some(),
        may_wish: operates && row.may_wish(),
        operates,
        row,
    })
}

fn nodes(cluster: &Cluster) -> Vec<NodeView> {
    let views = cluster.wishes.iter().map(|(name, wish)| {
        let node = cluster.nodes.get(name);
        let state = node.map_or(NodeState::Missing, |node| node.state);
        NodeView {
            name: name.to_string(),
            state: words::node(state, wish.want),
            want: crate::api::want(wish.want),
            restarts: wish.restart_seq,
            container: node.and_then(|node| node.container.as_deref()).map(|id| id.chars().take(12).collect()),
            stopped: wish.want == Want::Stopped,
            runs: state == NodeState::Running,
        }
    });
    views.collect()
}

/// Whether the cluster's health is not known because its host does not answer.
async fn is_away(state: &State, cluster: &Cluster) -> Result<bool, Refusal> {
    let hosts = state.operations.tally.hosts().await?;
    Ok(!hosts.iter().any(|host| host.id == cluster.host && host.contact.state.is_active()))
}
