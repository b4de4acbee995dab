//! What happened, newest first.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use common::model::{Actor, Event, EventKind, Timestamp};
use serde::Serialize;
use url::form_urlencoded;

use super::Ask;
use super::words::{When, when};
use crate::access::SignedIn;
use crate::api;
use crate::input::Query;
use crate::operations::{limit_of, page_of};
use crate::problem::Problem;
use crate::server::State;

/// An event in a list.
#[derive(Serialize)]
pub struct EventView {
    at: When,
    kind: &'static str,
    /// Something may have been kept of it.
    evidence: bool,
    actor: String,
    reason: String,
    host_id: Option<String>,
    cluster_id: Option<String>,
    cluster: Option<String>,
    user: Option<String>,
}

impl EventView {
    /// How an event is listed.
    pub fn of(event: &Event, now: Timestamp) -> EventView {
        EventView {
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
            cluster_id: event.cluster.as_ref().map(|(id, _)| id.to_string()),
            cluster: event.cluster.as_ref().map(|(_, name)| name.clone()),
            user: event.user.as_ref().map(ToString::to_string),
        }
    }
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
    kinds: Vec<(&'static str, &'static str, bool)>,
    host: String,
    cluster: String,
    filtered: bool,
    next: Option<String>,
    first: Option<String>,
}

/// Filters that go on to the next part.
const FILTERS: [&str; 6] = ["host", "cluster", "kind", "actor", "since", "until"];

/// `GET /events?host=&cluster=&kind=&actor=&since=&until=&after=`
pub async fn list(req: HttpRequest, state: Data<State>, who: SignedIn, query: Query) -> Result<HttpResponse, Problem> {
    let now = state.now();
    let filter = api::events::filter(&query)?;
    let listed = state.operations.events(&filter, &page_of(query.get("after"), limit_of(None)?)?).await?;
    let url = |after: Option<&str>| {
        let mut url = form_urlencoded::Serializer::new(String::new());
        for (name, value) in FILTERS.iter().map(|name| (*name, query.get(name))).chain([("after", after)]) {
            if let Some(value) = value {
                url.append_pair(name, value);
            }
        }
        format!("/events?{}", url.finish())
    };
    let chosen = |kind: &EventKind| filter.kinds.contains(kind);
    let kinds = EventKind::ALL.into_iter().filter(|kind| *kind != EventKind::Applied);
    let view = View {
        events: listed.items.iter().map(|event| EventView::of(event, now)).collect(),
        kinds: kinds.map(|kind| (kind.as_str(), word(kind), chosen(&kind))).collect(),
        host: query.get("host").unwrap_or_default().to_owned(),
        cluster: query.get("cluster").unwrap_or_default().to_owned(),
        filtered: FILTERS.iter().any(|name| query.get(name).is_some()),
        first: query.get("after").is_some().then(|| url(None)),
        next: listed.next.map(|after| url(Some(&after))),
    };
    Ask { req: &req, state: &state, who: &who }.page("events.html", "Events", "events", &view)
}
