//! The lists of clusters: active, in use, released (their records), failed, all that are there.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use common::model::PhaseKind;
use common::store::{ClusterSort, Cursor, Direction, FailureSort, HealthKind, ListPage, RecordSort};
use serde::Serialize;

pub use super::cluster_rows::ClusterRow;
use super::cluster_rows::RecordRow;
use super::evidence::FailureRow;
use super::frame::{Address, Choice, Head, Pager, is_filtered};
use super::{Ask, words};
use crate::access::SignedIn;
use crate::input::Query;
use crate::live::Asked;
use crate::operations::{ClusterList, ListInput, Refusal};
use crate::problem::Problem;
use crate::server::State;

/// What the address may hold.
const PARAMETERS: [&str; 12] =
    ["type", "phase", "host", "user", "flavor", "health", "q", "sort", "dir", "after", "limit", "now"];

/// What of it leaves fewer.
const FILTERS: [&str; 6] = ["phase", "host", "user", "flavor", "health", "q"];

/// Clusters that are failed at this moment, above the failures that were.
const FAILED_NOW: u32 = 25;

#[derive(Serialize)]
struct View {
    list: &'static str,
    tabs: Vec<Tab>,
    /// What was typed.
    q: String,
    user: String,
    limit: String,
    sort: String,
    dir: String,
    host: Option<HostChip>,
    phases: Vec<Choice>,
    flavors: Vec<Choice>,
    healths: Vec<Choice>,
    filtered: bool,
    /// Whether one of the folded fields is set.
    narrowed: bool,
    /// The list without its filters.
    clear: String,
    /// Where an action of a row leads back to.
    back: String,
    heads: Vec<Head>,
    pager: Pager,
    clusters: Vec<ClusterRow>,
    records: Vec<RecordRow>,
    failures: Vec<FailureRow>,
    failed_now: Option<FailedNow>,
}

#[derive(Serialize)]
struct Tab {
    url: String,
    title: &'static str,
    here: bool,
}

/// The host that a list is of.
#[derive(Serialize)]
struct HostChip {
    id: String,
    name: String,
    without: String,
}

#[derive(Serialize)]
struct FailedNow {
    clusters: Vec<ClusterRow>,
    pager: Pager,
    heads: Vec<Head>,
}

/// What the lists have in common to show.
#[derive(Default)]
struct Rows {
    clusters: Vec<ClusterRow>,
    records: Vec<RecordRow>,
    failures: Vec<FailureRow>,
    failed_now: Option<FailedNow>,
}

/// `GET /clusters?type=active|inused|released|failed|existing&q=&host=&user=&flavor=&phase=&health=&sort=&dir=&after=&limit=`
pub async fn list(req: HttpRequest, state: Data<State>, who: SignedIn, query: Query) -> Result<HttpResponse, Problem> {
    let view = view(&state, &query).await?;
    Ask { req: &req, state: &state, who: &who }.page("clusters.html", "Clusters", "clusters", &view)
}

/// What is rendered again when the pool changes.
pub async fn live(asked: Asked) -> Result<String, Problem> {
    asked.render("live/clusters.html", &view(&asked.state, &asked.query).await?)
}

async fn view(state: &State, query: &Query) -> Result<View, Problem> {
    let list = query.get("type").map_or(Ok(ClusterList::Active), ClusterList::parse)?;
    let address = Address::of("/clusters", query, &PARAMETERS).with("type", list.as_str());
    let (heads, pager, rows) = match list {
        ClusterList::Existing | ClusterList::Active | ClusterList::InUse => {
            clusters(state, query, list, &address).await?
        }
        ClusterList::Released => records(state, query, &address).await?,
        ClusterList::Failed => failures(state, query, &address).await?,
    };
    let shown = ListInput(query).shown()?;
    let get = |name| query.get(name);
    let flavors = state.catalog.flavors().iter();
    let phases = match list {
        ClusterList::Existing | ClusterList::Active => phase_choices(list, query)?,
        ClusterList::InUse | ClusterList::Released | ClusterList::Failed => Vec::new(),
    };
    let healths = HealthKind::ALL
        .into_iter()
        .map(|health| Choice::of(health.as_str(), words::health_kind(health).text(), get("health")));
    Ok(View {
        list: list.as_str(),
        tabs: ClusterList::ALL.into_iter().map(|tab| Tab::of(tab, list)).collect(),
        q: shown.search.to_owned(),
        user: get("user").unwrap_or_default().to_owned(),
        limit: get("limit").unwrap_or_default().to_owned(),
        sort: get("sort").unwrap_or_default().to_owned(),
        dir: get("dir").unwrap_or_default().to_owned(),
        host: host_chip(state, query, &address).await?,
        phases,
        flavors: flavors.map(|flavor| Choice::of(flavor.id.as_str(), flavor.title.clone(), get("flavor"))).collect(),
        healths: match list {
            ClusterList::Existing | ClusterList::Active | ClusterList::InUse => healths.collect(),
            ClusterList::Released | ClusterList::Failed => Vec::new(),
        },
        filtered: is_filtered(query, &FILTERS),
        narrowed: is_filtered(query, &["phase", "user", "flavor", "health"]),
        clear: address.without(&FILTERS).without(&["after", "now"]).link(),
        back: address.link(),
        heads,
        pager,
        clusters: rows.clusters,
        records: rows.records,
        failures: rows.failures,
        failed_now: rows.failed_now,
    })
}

/// The phases to choose from: each, those that other pages count together, and what the address has.
fn phase_choices(list: ClusterList, query: &Query) -> Result<Vec<Choice>, Problem> {
    let of_list = list.phases();
    let asked = if query.get("phase").is_some() { ListInput(query).clusters(Some(list))?.phases } else { Vec::new() };
    let mut choices: Vec<Vec<PhaseKind>> = of_list.iter().map(|phase| vec![*phase]).collect();
    let together = [words::GOING, words::FAILED].map(<[PhaseKind]>::to_vec);
    choices.extend(together.into_iter().filter(|phases| phases.iter().all(|phase| of_list.contains(phase))));
    if !asked.is_empty() && !choices.contains(&asked) {
        choices.push(asked.clone());
    }
    let joined = |phases: &[PhaseKind], of: fn(PhaseKind) -> &'static str, by: &str| {
        phases.iter().map(|phase| of(*phase)).collect::<Vec<_>>().join(by)
    };
    let value = |phases: &[PhaseKind]| joined(phases, PhaseKind::as_str, ",");
    let label = |phases: &[PhaseKind]| joined(phases, |phase| words::phase(phase).text(), " or ");
    let here = value(&asked);
    Ok(choices.iter().map(|phases| Choice::of(value(phases), label(phases), Some(&here))).collect())
}

type Shown = (Vec<Head>, Pager, Rows);

async fn clusters(state: &State, query: &Query, list: ClusterList, address: &Address) -> Result<Shown, Problem> {
    let asked = ListInput(query).clusters(Some(list))?;
    let found = state.operations.find_clusters(&asked).await?;
    let pager = Pager::of(&found, &asked.page, address, "cluster", "clusters");
    let now = state.now();
    let clusters = found.items.iter().map(|cluster| ClusterRow::of(cluster, &state.catalog, now)).collect();
    Ok((cluster_heads(list, &asked.page, address), pager, Rows { clusters, ..Rows::default() }))
}

fn cluster_heads(list: ClusterList, page: &ListPage<ClusterSort>, address: &Address) -> Vec<Head> {
    let sorts = |label, by| Head::sorts(label, by, page, address);
    let mut heads = vec![
        sorts("Name", ClusterSort::Name),
        sorts("Kind", ClusterSort::Flavor),
        Head::plain("Size").of_numbers(),
        Head::plain("Host"),
    ];
    if list == ClusterList::InUse {
        heads.extend([Head::plain("Health"), Head::plain("User"), sorts("Applied", ClusterSort::Changed)]);
    } else {
        heads.extend([sorts("Phase", ClusterSort::Changed), Head::plain("Health"), Head::plain("User")]);
    }
    heads.push(sorts("Made", ClusterSort::Created));
    heads
}

async fn records(state: &State, query: &Query, address: &Address) -> Result<Shown, Problem> {
    let asked = ListInput(query).records()?;
    let found = state.operations.find_records(&asked).await?;
    let pager = Pager::of(&found, &asked.page, address, "record", "records");
    let now = state.now();
    let records = found.items.iter().map(|record| RecordRow::of(record, &state.catalog, now)).collect();
    let sorts = |label, by| Head::sorts(label, by, &asked.page, address);
    let heads = vec![
        Head::plain("Name"),
        Head::plain("Kind"),
        Head::plain("Size").of_numbers(),
        Head::plain("Host"),
        Head::plain("User"),
        sorts("Applied", RecordSort::Applied),
        sorts("Ended", RecordSort::Ended),
        sorts("Held for", RecordSort::Held),
    ];
    Ok((heads, pager, Rows { records, ..Rows::default() }))
}

async fn failures(state: &State, query: &Query, address: &Address) -> Result<Shown, Problem> {
    let asked = ListInput(query).failures()?;
    let found = state.operations.find_failures(&asked).await?;
    let pager = Pager::of(&found, &asked.page, address, "failure", "failures");
    let now = state.now();
    let rows = found.items.iter().map(|failure| FailureRow::of(failure, &state.catalog, now)).collect();
    let sorts = |label, by| Head::sorts(label, by, &asked.page, address);
    let heads = vec![
        sorts("Name", FailureSort::Name),
        Head::plain("Kind"),
        Head::plain("Host"),
        Head::plain("Why"),
        sorts("Failed", FailureSort::Failed),
        Head::plain("Kept"),
    ];
    let failed_now = Some(failed_now(state, query, address).await?);
    Ok((heads, pager, Rows { failures: rows, failed_now, ..Rows::default() }))
}

/// The clusters that are failed or lost at this moment. They go at once, so there are few, except while a host is away.
async fn failed_now(state: &State, query: &Query, address: &Address) -> Result<FailedNow, Problem> {
    let mut page = ListPage::first(ClusterSort::Changed, Direction::Descending, FAILED_NOW);
    let at = query.get("now").map(|text| Cursor::parse(text, page.sort, page.direction)).transpose();
    page.at = at.map_err(|why| Refusal::field("now", why.0))?;
    let filters = ListInput(query).failures()?;
    let asked = common::store::ClusterQuery {
        phases: words::FAILED.to_vec(),
        host: filters.host,
        user: None,
        flavor: filters.flavor,
        health: None,
        search: filters.search,
        page,
    };
    let found = state.operations.find_clusters(&asked).await?;
    let now = state.now();
    Ok(FailedNow {
        pager: Pager::named("now", &found, &asked.page, address, "cluster", "clusters"),
        clusters: found.items.iter().map(|cluster| ClusterRow::of(cluster, &state.catalog, now)).collect(),
        heads: vec![
            Head::plain("Name"),
            Head::plain("Kind"),
            Head::plain("Size").of_numbers(),
            Head::plain("Host"),
            Head::plain("Phase"),
            Head::plain("Health"),
            Head::plain("User"),
            Head::plain("Made"),
        ],
    })
}

async fn host_chip(state: &State, query: &Query, address: &Address) -> Result<Option<HostChip>, Problem> {
    let Some(id) = ListInput(query).host()? else { return Ok(None) };
    let hosts = state.operations.tally.hosts().await?;
    let host = hosts.iter().find(|host| host.id == id);
    Ok(Some(HostChip {
        name: host.map_or_else(|| "a host that is gone".into(), |host| host.settings.name.to_string()),
        id: id.to_string(),
        without: address.without(&["host", "after", "now"]).link(),
    }))
}

impl Tab {
    fn of(tab: ClusterList, here: ClusterList) -> Tab {
        let title = match tab {
            ClusterList::Active => "Active",
            ClusterList::InUse => "In use",
            ClusterList::Released => "Released",
            ClusterList::Failed => "Failed",
            ClusterList::Existing => "All there are",
        };
        Tab { url: format!("/clusters?type={}", tab.as_str()), title, here: tab == here }
    }
}
