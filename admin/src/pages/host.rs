//! One host: what it is, what is on it, what the reconciler makes of it; deleting it.

use std::collections::BTreeMap;

use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use common::model::{Cluster, HostId, HostPurpose, LogTarget, PhaseKind, Timestamp};
use common::store::{ClusterQuery, ClusterSort, Direction, EventFilter, ListPage, Page};
use serde::Serialize;

use super::Ask;
use super::clusters::ClusterRow;
use super::curves::{self, CurveView, RangeLink, range_links};
use super::events::EventView;
use super::hosts::HostView;
use super::words::{self, When, when};
use crate::access::SignedIn;
use crate::curves::{Of, Range};
use crate::input::{Form, Query};
use crate::live::Asked;
use crate::operations::{Holders, HostRow, Refusal, mix_text};
use crate::problem::Problem;
use crate::server::State;

/// The page: what changes by itself, and the curves, which scripts bring up to date.
#[derive(Serialize)]
struct WholeView {
    #[serde(flatten)]
    live: View,
    ranges: Vec<RangeLink>,
    curves: Vec<CurveView>,
}

#[derive(Serialize)]
struct View {
    host: HostView,
    address: String,
    bind_address: String,
    log_level: &'static str,
    log: String,
    chaincode_endpoint: Option<String>,
    engine_id: String,
    engine_version: String,
    cpus: u32,
    memory: String,
    last_answer: Option<When>,
    created: When,
    version: u64,
    mix: String,
    made: Option<When>,
    leaving: bool,
    serving: bool,
    purpose: Option<PurposeView>,
    explained: words::ExplanationView,
    phases: Vec<PhaseCount>,
    clusters: Vec<ClusterRow>,
    events: Vec<EventView>,
}

/// Clusters on this page; all of them are in the list.
const CLUSTERS: u32 = 10;

/// Events on this page; more are on their own.
const EVENTS: u32 = 5;

/// How many of its clusters are in a phase, and where those are.
#[derive(Serialize)]
struct PhaseCount {
    badge: words::Badge,
    count: u64,
    link: String,
}

impl PhaseCount {
    fn of(phase: PhaseKind, count: u64, host: &HostId) -> PhaseCount {
        let link = format!("/clusters?type=existing&phase={}&host={host}", phase.as_str());
        PhaseCount { badge: words::phase(phase), count, link }
    }
}

/// What operators want of the host, and how far that is.
#[derive(Serialize)]
struct PurposeView {
    what: &'static str,
    by: String,
    since: When,
    left: String,
}

impl PurposeView {
    fn of(row: &HostRow, now: Timestamp) -> Option<PurposeView> {
        let host = &row.host;
        let count = |phases: &[PhaseKind]| -> u64 { phases.iter().filter_map(|phase| row.phases.get(phase)).sum() };
        let held = count(&[PhaseKind::InUse]);
        let going = row.clusters() - held;
        let (what, left) = match &host.purpose {
            HostPurpose::Serve => return None,
            HostPurpose::FillUp(_) => {
                let there = count(&[PhaseKind::Free, PhaseKind::InUse]);
                ("This host is being filled up", format!("{there} of {} clusters are there", host.settings.capacity))
            }
            HostPurpose::Clean(_) => {
                ("This host is being cleaned", format!("{going} left to remove; {held} in use stay"))
            }
            HostPurpose::Drain(_) => ("This host is drained", format!("{going} left to remove; {held} in use stay")),
            HostPurpose::Reset { foreign, .. } => {
                let and =
                    if foreign.is_empty() { String::new() } else { format!(", then {} foreign things", foreign.len()) };
                ("This host is being reset", format!("{} clusters left to remove{and}", row.clusters()))
            }
            HostPurpose::Leave { by_force: false, .. } => (
                "This host is being deleted",
                format!("its clusters go first ({going} left to remove, {held} in use), then the host"),
            ),
            HostPurpose::Leave { by_force: true, .. } => {
                ("This host is being deleted by force", format!("{} clusters left", row.clusters()))
            }
        };
        let asked = host.purpose.asked()?;
        Some(PurposeView { what, by: asked.by.clone(), since: when(asked.since, now), left })
    }
}

/// `GET /hosts/{id}`
pub async fn show(
    req: HttpRequest,
    state: Data<State>,
    who: SignedIn,
    id: Path<String>,
    query: Query,
) -> Result<HttpResponse, Problem> {
    let host = host_id(&id)?;
    let range = curves::range_of_one(&query)?;
    state.sampling.touch_host(&host);
    let view = WholeView {
        live: view(&state, &id).await?,
        ranges: range_links(&[Range::Hour, Range::Day], range),
        curves: curves::curves(state.store.as_ref(), &Of::Host(host.clone()), range, state.now()).await?.0,
    };
    let title = format!("Host {}", view.live.host.name());
    Ask { req: &req, state: &state, who: &who }.page("host.html", &title, "hosts", &view)
}

/// What is rendered again when something about the host changes.
pub async fn live(asked: Asked) -> Result<String, Problem> {
    asked.render("live/host.html", &view(&asked.state, &asked.id).await?)
}

async fn view(state: &State, id: &str) -> Result<View, Problem> {
    let now = state.now();
    let id = host_id(id)?;
    let row = state.operations.host(&id).await?;
    let clusters = some_clusters(state, &id).await?;
    let filter = EventFilter { host: Some(id.clone()), ..EventFilter::default() };
    let events = state.operations.events(&filter, &Page::first(EVENTS + 1)).await?.items;
    let names = BTreeMap::from([(id.to_string(), row.host.settings.name.to_string())]);
    let explained = words::explanation(state.operations.explain_host(&row, now).await, now);
    let host = &row.host;
    let settings = &host.settings;
    Ok(View {
        address: settings.address.clone(),
        bind_address: settings.bind_address.to_string(),
        log_level: settings.log_level.as_str(),
        log: match &settings.log_target {
            LogTarget::Local => "files on the host, rotated".into(),
            LogTarget::Syslog { server } => format!("syslog at {server}"),
        },
        chaincode_endpoint: settings.chaincode_endpoint.clone(),
        engine_id: host.engine_id.clone(),
        engine_version: host.contact.engine_version.clone(),
        cpus: host.contact.cpus,
        memory: words::bytes(host.contact.memory),
        // While it answers, that was within the last seconds, and is another time whenever somebody looks.
        last_answer: (!host.contact.state.is_active()).then(|| when(host.contact.last_answer, now)),
        created: when(host.created_at, now),
        version: host.version,
        mix: mix_text(&settings.mix),
        made: host.contact.made_at.map(|at| when(at, now)),
        leaving: host.purpose.leaves(),
        serving: host.purpose == HostPurpose::Serve,
        purpose: PurposeView::of(&row, now),
        explained,
        phases: row.phases.iter().map(|(phase, n)| PhaseCount::of(*phase, *n, &id)).collect(),
        clusters: clusters.iter().map(|cluster| ClusterRow::of(cluster, &state.catalog, now)).collect(),
        events: events.iter().map(|event| EventView::of(event, now).named(&names)).collect(),
        host: HostView::of(&row, now),
    })
}

/// The first clusters of a host, by slot. Where there are more than are shown, those on their way or in trouble have room before
/// those at rest.
async fn some_clusters(state: &State, host: &HostId) -> Result<Vec<Cluster>, Problem> {
    let at_rest = [PhaseKind::Free, PhaseKind::InUse];
    let moving = PhaseKind::ALL.into_iter().filter(|phase| !at_rest.contains(phase)).collect();
    let mut clusters = first_by_name(state, host, moving, CLUSTERS).await?;
    let left = CLUSTERS.saturating_sub(u32::try_from(clusters.len()).unwrap_or(CLUSTERS));
    if left > 0 {
        clusters.extend(first_by_name(state, host, at_rest.to_vec(), left).await?);
    }
    clusters.sort_by_key(|cluster| cluster.slot);
    Ok(clusters)
}

async fn first_by_name(
    state: &State,
    host: &HostId,
    phases: Vec<PhaseKind>,
    limit: u32,
) -> Result<Vec<Cluster>, Problem> {
    let (host, page) = (Some(host.clone()), ListPage::first(ClusterSort::Name, Direction::Ascending, limit));
    let query = ClusterQuery { phases, host, user: None, flavor: None, health: None, search: None, page };
    Ok(state.store.find_clusters(&query).await?.items)
}

/// What deleting or resetting a host would mean, for the page that asks first.
#[derive(Serialize)]
pub struct HoldersView {
    id: String,
    name: String,
    version: u64,
    url: String,
    clusters: u64,
    free: u64,
    held: u64,
    holders: Vec<(String, String)>,
    /// Holders beyond those.
    more: u64,
    answers: bool,
    autofill: bool,
}

impl HoldersView {
    /// Of a host and those who hold clusters there.
    pub fn of(there: Holders) -> HoldersView {
        let Holders { host, clusters, free, held, holders } = there;
        let more = held.saturating_sub(holders.len() as u64);
        HoldersView {
            id: host.id.to_string(),
            name: host.settings.name.to_string(),
            version: host.version,
            url: host.settings.daemon_url.to_string(),
            clusters,
            free,
            held,
            holders: holders.into_iter().map(|(name, user)| (name.to_string(), user)).collect(),
            more,
            answers: host.contact.state.is_active(),
            autofill: host.settings.autofill,
        }
    }
}

/// `GET /hosts/{id}/delete`: asks first.
pub async fn ask_delete(
    req: HttpRequest,
    state: Data<State>,
    who: SignedIn,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let view = HoldersView::of(state.operations.holders(&host_id(&id)?).await?);
    let title = format!("Delete host {}", view.name);
    Ask { req: &req, state: &state, who: &who }.page("host_delete.html", &title, "hosts", &view)
}

/// `POST /hosts/{id}/delete`
pub async fn delete(
    req: HttpRequest,
    state: Data<State>,
    who: SignedIn,
    id: Path<String>,
    fields: Form,
) -> Result<HttpResponse, Problem> {
    let id = host_id(&id)?;
    let ask = Ask { req: &req, state: &state, who: &who };
    match state.operations.delete_host(&id, Some(fields.version()?), &who.operator.username, state.now()).await {
        Ok(done) => Ok(ask.done(&done, "/hosts")),
        Err(Refusal::NoSuch(what)) => Ok(ask.gone(what, "/hosts")),
        Err(refusal) => ask.refused(refusal, &format!("/hosts/{id}")),
    }
}

pub(super) fn host_id(text: &str) -> Result<HostId, Refusal> {
    HostId::parse(text).map_err(|_| Refusal::NoSuch("host"))
}
