//! The first page: how much of the pool is there, what is being done about it, what happened last.

use std::collections::BTreeMap;

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use common::model::{Host, HostPurpose, PhaseKind};
use common::store::{EventFilter, Page};
use serde::Serialize;

use super::events::{EventView, host_names};
use super::free::FreeView;
use super::hosts::HostView;
use super::{Ask, see_other, words};
use crate::access::SignedIn;
use crate::curves::Range;
use crate::live::Asked;
use crate::operations::HostRow;
use crate::problem::Problem;
use crate::server::State;
use crate::tally::Counts;

/// Events on this page; more are on their own.
const EVENTS: u32 = 8;

/// Hosts on this page, those that need looking after first; more are on their own.
const HOSTS: usize = 8;

#[derive(Serialize)]
struct View {
    hosts: Vec<HostView>,
    hosts_all: usize,
    hosts_active: usize,
    phases: Vec<&'static str>,
    flavors: Vec<FlavorRow>,
    totals: Vec<u64>,
    clusters: u64,
    capacity: u64,
    free: FreeView,
    in_use: u64,
    making: u64,
    going: u64,
    failed: u64,
    hour: Hour,
    explained: words::ExplanationView,
    events: Vec<EventView>,
}

#[derive(Serialize)]
struct FlavorRow {
    id: String,
    title: String,
    /// Whether it has a page: what is not offered any more has none.
    offered: bool,
    counts: Vec<u64>,
    total: u64,
}

/// What users asked for over the last hour, as the statistics have it.
#[derive(Serialize)]
struct Hour {
    applies: u64,
    /// `None` if there were none.
    hit_rate: Option<String>,
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
    // Out of memory: of a thousand hosts eight are shown.
    let (counts, hosts) = (state.operations.tally.counts().await?, state.operations.tally.hosts().await?);
    let events = state.operations.events(&EventFilter::default(), &Page::first(EVENTS + 1)).await?.items;
    let names = host_names(&hosts, &events);
    let told = state.operations.told_over(Range::Hour, now).await?;
    let explained = state.operations.explain_pool(&hosts, &counts, now).await;
    let (flavors, totals) = by_flavor(state, &counts);
    let of = |kinds: &[PhaseKind]| counts.number(kinds, None, None);
    Ok(View {
        hosts: neediest(&hosts, &counts).iter().map(|row| HostView::of(row, now)).collect(),
        hosts_all: hosts.len(),
        hosts_active: hosts.iter().filter(|host| host.contact.state.is_active()).count(),
        phases: PhaseKind::ALL.iter().map(|kind| words::phase(*kind).text()).collect(),
        flavors,
        totals,
        clusters: of(&[]),
        capacity: hosts.iter().map(|host| u64::from(host.settings.capacity)).sum(),
        free: FreeView::of(&hosts, &counts, explained.stopped),
        in_use: of(&[PhaseKind::InUse]),
        making: of(&[PhaseKind::Creating]),
        going: of(words::GOING),
        failed: of(words::FAILED),
        hour: Hour { applies: told.applies(), hit_rate: told.hit_rate_words() },
        explained: words::explanation(explained, now),
        events: events.iter().map(|event| EventView::of(event, now).named(&names)).collect(),
    })
}

fn by_flavor(state: &State, counts: &Counts) -> (Vec<FlavorRow>, Vec<u64>) {
    let row = |phases: &BTreeMap<PhaseKind, u64>| -> Vec<u64> {
        PhaseKind::ALL.iter().map(|kind| phases.get(kind).copied().unwrap_or_default()).collect()
    };
    let totals = row(&counts.by_phase);
    let by_flavor = counts.by_flavor.iter().map(|(flavor, phases)| (flavor.clone(), row(phases)));
    let rows = by_flavor.map(|(id, counts)| FlavorRow {
        title: state.catalog.flavor(&id).map_or_else(|| id.to_string(), |flavor| flavor.title.clone()),
        offered: state.catalog.flavor(&id).is_some(),
        id: id.to_string(),
        total: counts.iter().sum(),
        counts,
    });
    (rows.collect(), totals)
}

/// Those that need looking after most; by name among equals.
fn neediest(hosts: &[Host], counts: &Counts) -> Vec<HostRow> {
    let mut hosts: Vec<(u8, &Host)> = hosts.iter().map(|host| (need(host, counts), host)).collect();
    hosts.sort_by_key(|(need, _)| *need);
    hosts.into_iter().take(HOSTS).map(|(_, host)| HostRow::of(host.clone(), counts)).collect()
}

/// How much a host needs looking after: the least number first.
fn need(host: &Host, counts: &Counts) -> u8 {
    let count = |phases: &[PhaseKind]| counts.number(phases, None, Some(&host.id));
    let settings = &host.settings;
    if !host.contact.state.is_active() {
        0
    } else if count(words::FAILED) > 0 {
        1
    } else if host.purpose != HostPurpose::Serve {
        2
    } else if !settings.schedulable {
        3
    } else if settings.autofill && count(&[PhaseKind::Free, PhaseKind::InUse]) < u64::from(settings.capacity) {
        4
    } else {
        5
    }
}
