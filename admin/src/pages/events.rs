//! What happened, newest first; the newest part follows what happens.

use std::collections::{BTreeMap, BTreeSet};

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use common::model::{Actor, Event, EventKind, Host, HostId, Timestamp};
use common::store::EventFilter;
use serde::Serialize;
use url::form_urlencoded;

use super::Ask;
use super::frame::Wrong;
use super::words::{When, when};
use crate::access::SignedIn;
use crate::api;
use crate::input::Query;
use crate::live::Asked;
use crate::operations::{EventInput, limit_of, page_of};
use crate::problem::Problem;
use crate::server::State;

/// An event in a list.
#[derive(Serialize)]
pub struct EventView {
    id: String,
    at: When,
    kind: &'static str,
    /// Something may have been kept of it.
    evidence: bool,
    actor: String,
    reason: String,
    host_id: Option<String>,
    /// The host's name, if it is still there.
    host: Option<String>,
    cluster_id: Option<String>,
    cluster: Option<String>,
    user: Option<String>,
}

impl EventView {
    /// How an event is listed.
    pub fn of(event: &Event, now: Timestamp) -> EventView {
        EventView {
            id: event.id.to_string(),
            at: when(event.at, now),
            kind: word(event.kind),
            evidence: matches!(event.kind, EventKind::Failed),
            actor: match &event.actor {
                Actor::User { id } => format!("user {id}"),
                Actor::Operator { name } => format!("operator {name}"),
                Actor::Reconciler => "the pool".into(),
            },
            reason: event.reason.clone(),
            host_id: event.host.as_ref().map(ToString::to_string),
            host: None,
            cluster_id: event.cluster.as_ref().map(|(id, _)| id.to_string()),
            cluster: event.cluster.as_ref().map(|(_, name)| name.clone()),
            user: event.user.as_ref().map(ToString::to_string),
        }
    }

    /// The same with its host's name, if that is among these.
    pub fn named(self, names: &HostNames) -> EventView {
        let host = self.host_id.as_ref().and_then(|id| names.get(id).cloned());
        EventView { host, ..self }
    }
}

/// Names of hosts by their ids.
pub type HostNames = BTreeMap<String, String>;

/// The names of the hosts that events are about and that no cluster's name tells.
pub fn host_names(hosts: &[Host], events: &[Event]) -> HostNames {
    let of_hosts = events.iter().filter(|event| event.cluster.is_none()).filter_map(|event| event.host.as_ref());
    let ids: BTreeSet<&HostId> = of_hosts.collect();
    let asked = hosts.iter().filter(|host| ids.contains(&host.id));
    asked.map(|host| (host.id.to_string(), host.settings.name.to_string())).collect()
}

/// The short word of a kind.
fn word(kind: EventKind) -> &'static str {
    match kind {
        EventKind::NodeChanged => "node",
        EventKind::HealthChanged => "health",
        EventKind::HostChanged => "host",
        EventKind::HostContact => "contact",
        EventKind::RecordDeleted => "record",
        kind => kind.as_str(),
    }
}

#[derive(Serialize)]
struct View {
    events: Vec<EventView>,
    filtered: bool,
    next: Option<String>,
    first: Option<String>,
}

/// The filters, as they are and as they can be.
#[derive(Serialize)]
struct FilterView {
    kinds: Vec<(&'static str, &'static str, bool)>,
    actor: String,
    /// As a field for a date and time takes it, in UTC; empty: none, or none that could be read.
    since: String,
    until: String,
    /// Whether anything in the form leaves fewer.
    set: bool,
    host: Option<AboutView>,
    cluster: Option<AboutView>,
    /// Why it was refused.
    wrong: Wrong,
}

/// What events are about, with the way to those of everything.
#[derive(Serialize)]
struct AboutView {
    id: String,
    name: String,
    without: String,
}

/// The whole page: the filters stay as they were typed, what is below them is live.
#[derive(Serialize)]
struct PageView {
    /// Whether it follows what happens.
    about: &'static str,
    filter: FilterView,
    #[serde(flatten)]
    list: View,
}

/// Fields that say what is wrong with them.
const FIELDS: [&str; 4] = ["kind", "actor", "since", "until"];

/// Filters that go on to the next part.
const FILTERS: [&str; 6] = ["host", "cluster", "kind", "actor", "since", "until"];

/// `GET /events?host=&cluster=&kind=&actor=&since=&until=&after=`
pub async fn list(req: HttpRequest, state: Data<State>, who: SignedIn, query: Query) -> Result<HttpResponse, Problem> {
    let ask = Ask { req: &req, state: &state, who: &who };
    match view(&state, &query).await {
        Ok(list) => {
            let about = match &list.first {
                None => "The newest first; what happens from now on appears by itself.",
                Some(_) => "Older ones; this part does not follow what happens.",
            };
            let filter = filter_view(&state, &query, Wrong::default()).await?;
            ask.page("events.html", "Events", "events", &PageView { about, filter, list })
        }
        Err(problem) => {
            let wrong = Wrong::of(problem, &FIELDS)?;
            let wrong = wrong.typed("since", query.get("since")).typed("until", query.get("until"));
            let list = View { events: Vec::new(), filtered: true, next: None, first: None };
            let filter = filter_view(&state, &query, wrong).await?;
            ask.page_as(Wrong::STATUS, "events.html", "Events", "events", &PageView { about: "", filter, list })
        }
    }
}

/// What is rendered again when something happens.
pub async fn live(asked: Asked) -> Result<String, Problem> {
    asked.render("live/events.html", &view(&asked.state, &asked.query).await?)
}

async fn view(state: &State, query: &Query) -> Result<View, Problem> {
    let now = state.now();
    let filter = api::events::filter(query)?;
    let listed = state.operations.events(&filter, &page_of(query.get("after"), limit_of(None)?)?).await?;
    let hosts = state.operations.tally.hosts().await?;
    let names = host_names(&hosts, &listed.items);
    Ok(View {
        events: listed.items.iter().map(|event| EventView::of(event, now).named(&names)).collect(),
        filtered: FILTERS.iter().any(|name| query.get(name).is_some()),
        first: query.get("after").is_some().then(|| url(query, &[])),
        next: listed.next.map(|after| url(query, &[("after", &after)])),
    })
}

/// The page with the same filters but for those named here; an empty text is none.
fn url(query: &Query, other: &[(&str, &str)]) -> String {
    let mut url = form_urlencoded::Serializer::new(String::new());
    let kept = FILTERS.iter().filter(|name| !other.iter().any(|(changed, _)| changed == *name));
    for (name, value) in kept.filter_map(|name| Some((*name, query.get(name)?))).chain(other.iter().copied()) {
        if !value.is_empty() {
            url.append_pair(name, value);
        }
    }
    format!("/events?{}", url.finish())
}

async fn filter_view(state: &State, query: &Query, wrong: Wrong) -> Result<FilterView, Problem> {
    let filter = readable(query);
    let host = match &filter.host {
        None => None,
        Some(id) => {
            let hosts = state.operations.tally.hosts().await?;
            let name = hosts.iter().find(|host| host.id == *id).map(|host| host.settings.name.to_string());
            let name = name.unwrap_or_else(|| format!("{id}, which is gone"));
            Some(AboutView { id: id.to_string(), name, without: url(query, &[("host", "")]) })
        }
    };
    let cluster = match &filter.cluster {
        None => None,
        Some(id) => {
            let name = state.store.cluster(id).await?.map(|cluster| cluster.name.to_string());
            let name = name.unwrap_or_else(|| format!("{id}, which is gone"));
            Some(AboutView { id: id.to_string(), name, without: url(query, &[("cluster", "")]) })
        }
    };
    // A claim is told of one cluster only.
    let kinds = EventKind::ALL.into_iter().filter(|kind| *kind != EventKind::Applied || cluster.is_some());
    let kinds = kinds.map(|kind| (kind.as_str(), word(kind), filter.kinds.contains(&kind))).collect();
    let (since, until) = (field_time(filter.since), field_time(filter.until));
    let set = FIELDS.iter().any(|name| query.get(name).is_some());
    let actor = query.get("actor").unwrap_or_default().to_owned();
    Ok(FilterView { kinds, actor, since, until, set, host, cluster, wrong })
}

/// What of the filter can be read, each part by itself: what was asked for is still there when another part is refused.
fn readable(query: &Query) -> EventFilter {
    let one = |input: EventInput<'_>| input.parse().unwrap_or_default();
    let (none, get) = (EventInput::default(), |name| query.get(name));
    let about = one(EventInput { cluster: get("cluster"), ..none });
    EventFilter {
        host: one(EventInput { host: get("host"), ..none }).host,
        kinds: one(EventInput { kind: get("kind"), cluster: get("cluster"), ..none }).kinds,
        since: one(EventInput { since: get("since"), ..none }).since,
        until: one(EventInput { until: get("until"), ..none }).until,
        ..about
    }
}

/// `2026-01-31T12:00:05`, in UTC.
fn field_time(at: Option<Timestamp>) -> String {
    at.and_then(|at| at.to_string().get(..19).map(str::to_owned)).unwrap_or_default()
}
