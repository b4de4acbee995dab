//! What is left of a cluster that is there no more: its record, what it failed of, what happened to it.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use common::model::{ClusterId, Event};
use common::store::{Direction, EventFilter, ListPage, Page, RecordQuery, RecordSort, Search};
use serde::Serialize;

use super::Ask;
use super::cluster::EVENTS;
use super::cluster_rows::RecordRow;
use super::events::EventView;
use crate::live::Asked;
use crate::operations::Refusal;
use crate::problem::Problem;
use crate::server::State;

/// Records of clusters with its name, the latest first, among which its own is looked for. Another in its place may have been leased
/// and released since; after so many of those the list of records is the place to look.
const RECORDS: u32 = 50;

#[derive(Serialize)]
struct View {
    id: String,
    name: String,
    failed: Option<String>,
    /// Of its lease, if it had one.
    record: Option<RecordRow>,
    events: Vec<EventView>,
}

/// The page of one that is there no more, but was: its events lead here.
pub async fn page(ask: &Ask<'_>, id: &ClusterId) -> Result<HttpResponse, Problem> {
    let view = view(ask.state, id).await?;
    let title = format!("Cluster {} is gone", view.name);
    ask.page_as(StatusCode::NOT_FOUND, "cluster_gone.html", &title, "clusters", &view)
}

/// The same for who had its page open.
pub async fn live(asked: &Asked, id: &ClusterId) -> Result<String, Problem> {
    asked.render("live/cluster_gone.html", &view(&asked.state, id).await?)
}

async fn view(state: &State, id: &ClusterId) -> Result<View, Problem> {
    let filter = EventFilter { cluster: Some(id.clone()), ..EventFilter::default() };
    let events = state.operations.events(&filter, &Page::first(EVENTS + 1)).await?.items;
    let evidence = state.store.evidence(id).await?;
    let name = named(&events).or_else(|| evidence.as_ref().map(|evidence| evidence.name.to_string()));
    let name = name.ok_or(Refusal::NoSuch("cluster"))?;
    let now = state.now();
    Ok(View {
        id: id.to_string(),
        record: record(state, id, &name).await?,
        failed: evidence.map(|evidence| evidence.why.to_string()),
        events: events.iter().map(|event| EventView::of(event, now)).collect(),
        name,
    })
}

fn named(events: &[Event]) -> Option<String> {
    events.iter().find_map(|event| event.cluster.as_ref().map(|(_, name)| name.clone()))
}

async fn record(state: &State, id: &ClusterId, name: &str) -> Result<Option<RecordRow>, Problem> {
    let Ok(search) = Search::parse(name) else { return Ok(None) };
    let page = ListPage::first(RecordSort::Ended, Direction::Descending, RECORDS);
    let query = RecordQuery { user: None, host: None, flavor: None, search, page };
    let found = state.operations.find_records(&query).await?.items;
    let record = found.iter().find(|record| record.cluster == *id);
    Ok(record.map(|record| RecordRow::of(record, &state.catalog, state.now())))
}
