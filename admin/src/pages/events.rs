//! What happened, newest first.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use common::model::{Actor, Event, EventKind, Timestamp};
use serde::Serialize;

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
            kind: kind(event.kind),
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

fn kind(kind: EventKind) -> &'static str {
    match kind {
        EventKind::Creating => "creating",
        EventKind::Ready => "ready",
        EventKind::Applied => "applied",
        EventKind::Released => "released",
        EventKind::RecordDeleted => "record",
        EventKind::Failed => "failed",
        EventKind::Removing => "removing",
        EventKind::Removed => "removed",
        EventKind::Lost => "lost",
        EventKind::Wished => "wished",
        EventKind::NodeChanged => "node",
        EventKind::HealthChanged => "health",
        EventKind::HostChanged => "host",
        EventKind::HostContact => "contact",
        EventKind::Swept => "swept",
        EventKind::Access => "access",
    }
}

#[derive(Serialize)]
struct View {
    events: Vec<EventView>,
    filtered: bool,
    next: Option<String>,
}

/// `GET /events?host=&cluster=&after=`
pub async fn list(req: HttpRequest, state: Data<State>, who: SignedIn, query: Query) -> Result<HttpResponse, Problem> {
    let now = state.now();
    let filter = api::events::filter(&query)?;
    let listed = state.operations.events(&filter, &page_of(query.get("after"), limit_of(None)?)?).await?;
    // Ids are hexadecimal, so they go into a query as they are.
    let mut base = String::from("/events?");
    for (name, id) in [("host", query.get("host")), ("cluster", query.get("cluster"))] {
        if let Some(id) = id {
            base.push_str(&format!("{name}={id}&"));
        }
    }
    let view = View {
        events: listed.items.iter().map(|event| EventView::of(event, now)).collect(),
        filtered: filter.host.is_some() || filter.cluster.is_some(),
        next: listed.next.map(|after| format!("{base}after={after}")),
    };
    Ask { req: &req, state: &state, who: &who }.page("events.html", "Events", "events", &view)
}
