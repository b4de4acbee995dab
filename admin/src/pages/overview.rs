//! The first page: how much of the pool is there, what is being done about it, what happened last.

use std::collections::BTreeMap;

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use common::model::{FlavorId, PhaseKind};
use common::store::{EventFilter, Page};
use serde::Serialize;

use super::events::EventView;
use super::hosts::HostView;
use super::{Ask, see_other};
use crate::access::SignedIn;
use crate::live::Asked;
use crate::problem::Problem;
use crate::server::State;

/// Events on this page; more are on their own.
const EVENTS: u32 = 10;

#[derive(Serialize)]
struct View {
    hosts: Vec<HostView>,
    hosts_active: usize,
    phases: Vec<&'static str>,
    flavors: Vec<FlavorRow>,
    totals: Vec<u64>,
    clusters: u64,
    capacity: u64,
    free: u64,
    in_use: u64,
    failed: u64,
    under_way: u64,
    explained: super::words::ExplanationView,
    events: Vec<EventView>,
}

#[derive(Serialize)]
struct FlavorRow {
    id: String,
    title: String,
    counts: Vec<u64>,
    total: u64,
}

/// `GET /admin`, `GET /index`: addresses of old.
pub async fn home() -> HttpResponse {
    see_other("/")
}

/// `GET /`
pub async fn show(req: HttpRequest, state: Data<State>, who: SignedIn) -> Result<HttpResponse, Problem> {
    let view = view(&state).await?;
    Ask { req: &req, state: &state, who: &who }.page("overview.html", "Overview", "overview", &view)
}

/// What is rendered again when the pool changes.
pub async fn live(asked: Asked) -> Result<String, Problem> {
    asked.render("live/overview.html", &view(&asked.state).await?)
}

async fn view(state: &State) -> Result<View, Problem> {
    let now = state.now();
    let rows = state.operations.hosts().await?;
    let counts = state.operations.tally.counts().await?;
    let events = state.operations.events(&EventFilter::default(), &Page::first(EVENTS + 1)).await?;

    let row = |phases: &BTreeMap<PhaseKind, u64>| -> Vec<u64> {
        PhaseKind::ALL.iter().map(|kind| phases.get(kind).copied().unwrap_or_default()).collect()
    };
    let by_flavor: BTreeMap<FlavorId, Vec<u64>> =
        counts.by_flavor.iter().map(|(flavor, phases)| (flavor.clone(), row(phases))).collect();
    let totals = row(&counts.by_phase);
    let of = |kinds: &[PhaseKind]| counts.number(kinds, None, None);
    let flavors = by_flavor.into_iter().map(|(id, counts)| FlavorRow {
        title: state.catalog.flavor(&id).map_or_else(|| id.to_string(), |flavor| flavor.title.clone()),
        id: id.to_string(),
        total: counts.iter().sum(),
        counts,
    });
    Ok(View {
        hosts_active: rows.iter().filter(|row| row.host.contact.state.is_active()).count(),
        phases: PhaseKind::ALL.iter().map(|kind| super::words::phase(*kind).text()).collect(),
        flavors: flavors.collect(),
        totals,
        clusters: of(&[]),
        capacity: rows.iter().map(|row| u64::from(row.host.settings.capacity)).sum(),
        free: of(&[PhaseKind::Free]),
        in_use: of(&[PhaseKind::InUse]),
        failed: of(&[PhaseKind::Failed, PhaseKind::Lost]),
        under_way: of(&[PhaseKind::Creating, PhaseKind::Releasing, PhaseKind::Removing]),
        explained: super::words::explanation(state.operations.explain_pool(&rows, now).await, now),
        events: events.items.iter().map(|event| EventView::of(event, now)).collect(),
        hosts: rows.iter().map(|row| HostView::of(row, now)).collect(),
    })
}
