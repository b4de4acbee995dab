//! The lists of clusters: active, in use, released (their records), failed, all that are there.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use common::store::{ClusterSort, Cursor, Direction, FailureSort, ListPage, RecordSort};
use serde::Serialize;

use super::cluster_filter::{Filter, address, fields, list_of};
pub use super::cluster_rows::ClusterRow;
use super::cluster_rows::RecordRow;
use super::evidence::FailureRow;
use super::frame::{Address, Head, Pager, Wrong};
use super::{Ask, words};
use crate::access::SignedIn;
use crate::input::Query;
use crate::live::Asked;
use crate::operations::{ClusterList, ListInput, Refusal};
use crate::problem::Problem;
use crate::server::State;

/// Clusters that are failed at this moment, above the failures that were.
const FAILED_NOW: u32 = 25;

#[derive(Serialize)]
struct View {
    #[serde(flatten)]
    filter: Filter,
    /// Where an action of a row leads back to.
    back: String,
    heads: Vec<Head>,
    pager: Pager,
    #[serde(flatten)]
    rows: Rows,
}

#[derive(Serialize)]
struct FailedNow {
    clusters: Vec<ClusterRow>,
    pager: Pager,
    heads: Vec<Head>,
}

/// What the lists have in common to show.
#[derive(Default, Serialize)]
struct Rows {
    clusters: Vec<ClusterRow>,
    records: Vec<RecordRow>,
    failures: Vec<FailureRow>,
    failed_now: Option<FailedNow>,
}

/// `GET /clusters?type=active|inused|released|failed|existing&q=&host=&user=&flavor=&phase=&health=&sort=&dir=&after=&limit=`
pub async fn list(req: HttpRequest, state: Data<State>, who: SignedIn, query: Query) -> Result<HttpResponse, Problem> {
    let ask = Ask { req: &req, state: &state, who: &who };
    match view(&state, &query).await {
        Ok(view) => ask.page("clusters.html", "Clusters", "clusters", &view),
        Err(problem) => {
            let list = list_of(&query).unwrap_or(ClusterList::Active);
            let wrong = Wrong::of(problem, fields(list))?;
            let filter = Filter::of(&state, &query, list, wrong).await?;
            ask.page_as(Wrong::STATUS, "clusters.html", "Clusters", "clusters", &filter)
        }
    }
}

/// What is rendered again when the pool changes.
pub async fn live(asked: Asked) -> Result<String, Problem> {
    asked.render("live/clusters.html", &view(&asked.state, &asked.query).await?)
}

async fn view(state: &State, query: &Query) -> Result<View, Problem> {
    let list = list_of(query)?;
    let address = address(query, list);
    let (heads, pager, rows) = match list {
        ClusterList::Existing | ClusterList::Active | ClusterList::InUse => {
            clusters(state, query, list, &address).await?
        }
        ClusterList::Released => records(state, query, &address).await?,
        ClusterList::Failed => failures(state, query, &address).await?,
    };
    let filter = Filter::of(state, query, list, Wrong::default()).await?;
    Ok(View { filter, back: address.link(), heads, pager, rows })
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
        sorts("Flavor", ClusterSort::Flavor),
        Head::plain("Size").of_numbers(),
        Head::plain("Host"),
    ];
    if list == ClusterList::InUse {
        heads.extend([Head::plain("Health"), Head::plain("User"), sorts("Applied", ClusterSort::Changed)]);
    } else {
        heads.extend([sorts("Phase", ClusterSort::Changed), Head::plain("Health"), Head::plain("User")]);
    }
    heads.push(sorts("Created", ClusterSort::Created));
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
        Head::plain("Flavor"),
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
        Head::plain("Flavor"),
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
            Head::plain("Flavor"),
            Head::plain("Size").of_numbers(),
            Head::plain("Host"),
            Head::plain("Phase"),
            Head::plain("Health"),
            Head::plain("User"),
            Head::plain("Created"),
        ],
    })
}
