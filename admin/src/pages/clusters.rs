//! The lists of clusters: active, in use, released (their records), failed.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use common::compose::Catalog;
use common::model::{Cluster, Ended, Health, LeaseRecord, Timestamp, UserId};
use common::store::LeaseFilter;
use serde::Serialize;
use url::form_urlencoded;

use super::Ask;
use super::evidence::FailureRow;
use super::words::{self, Badge, When, when};
use crate::access::SignedIn;
use crate::api::life;
use crate::input::Query;
use crate::operations::{ClusterList, Refusal, cluster_filter, limit_of, page_of};
use crate::problem::Problem;
use crate::server::State;

/// A cluster in a list.
#[derive(Serialize)]
pub struct ClusterRow {
    id: String,
    name: String,
    flavor: String,
    size: u32,
    host_id: String,
    host: String,
    phase: Badge,
    since: When,
    why: Option<String>,
    health: Badge,
    health_seen: Option<String>,
    user: Option<String>,
    applied: Option<When>,
}

impl ClusterRow {
    /// How a cluster is listed.
    pub fn of(cluster: &Cluster, catalog: &Catalog, now: Timestamp) -> ClusterRow {
        let (since, _, why) = life(cluster);
        ClusterRow {
            id: cluster.id.to_string(),
            name: cluster.name.to_string(),
            flavor: words::flavor(catalog, cluster),
            size: cluster.size,
            host_id: cluster.host.to_string(),
            host: cluster.host_name.to_string(),
            phase: words::phase(cluster.phase.kind()),
            since: when(since, now),
            why,
            health: words::health(&cluster.health),
            health_seen: match &cluster.health {
                Health::Failing { seen, .. } => Some(seen.clone()),
                Health::Ok | Health::Unknown => None,
            },
            user: cluster.lease().map(|lease| lease.user.to_string()),
            applied: cluster.lease().map(|lease| when(lease.applied_at, now)),
        }
    }
}

#[derive(Serialize)]
struct RecordRow {
    lease: String,
    name: String,
    flavor: String,
    size: u32,
    host: String,
    user: String,
    applied: When,
    ended: When,
    how: String,
    duration: String,
}

impl RecordRow {
    fn of(record: &LeaseRecord, catalog: &Catalog, now: Timestamp) -> RecordRow {
        let title = catalog.flavor(&record.flavor).map(|flavor| flavor.title.clone());
        RecordRow {
            lease: record.lease.id.to_string(),
            name: record.cluster_name.to_string(),
            flavor: title.unwrap_or_else(|| record.flavor.to_string()),
            size: record.size,
            host: record.host_name.to_string(),
            user: record.lease.user.to_string(),
            applied: when(record.lease.applied_at, now),
            ended: when(record.ended.at(), now),
            how: match &record.ended {
                Ended::Released { by, .. } => format!("released by {by}"),
                Ended::Lost { reason, .. } => format!("lost: {reason}"),
            },
            duration: words::duration(record.ended.at().since(record.lease.applied_at)),
        }
    }
}

#[derive(Serialize)]
struct View {
    list: &'static str,
    tabs: Vec<Tab>,
    clusters: Vec<ClusterRow>,
    records: Vec<RecordRow>,
    failures: Vec<FailureRow>,
    more_failures: Option<String>,
    user: String,
    host: String,
    next: Option<String>,
    first: Option<String>,
}

#[derive(Serialize)]
struct Tab {
    url: String,
    title: &'static str,
    here: bool,
}

/// Failures that were, below those that are.
const FAILURES: u32 = 25;

/// `GET /clusters?type=active|inused|released|failed&user=&host=&after=`
pub async fn list(req: HttpRequest, state: Data<State>, who: SignedIn, query: Query) -> Result<HttpResponse, Problem> {
    let now = state.now();
    let list = query.get("type").map_or(Ok(ClusterList::Active), ClusterList::parse)?;
    let (user, host) = (query.get("user"), query.get("host"));
    let page = page_of(query.get("after"), limit_of(None)?)?;
    let (mut clusters, mut records) = (Vec::new(), Vec::new());
    let next = match list {
        ClusterList::Released => {
            let user = user.map(UserId::parse).transpose().map_err(|why| Refusal::field("user", why.0))?;
            let listed = state.operations.records(&LeaseFilter { user }, &page).await?;
            records = listed.items.iter().map(|record| RecordRow::of(record, &state.catalog, now)).collect();
            listed.next
        }
        ClusterList::Active | ClusterList::InUse | ClusterList::Failed => {
            let listed = state.operations.clusters(&cluster_filter(host, user, None, list.phases())?, &page).await?;
            clusters = listed.items.iter().map(|cluster| ClusterRow::of(cluster, &state.catalog, now)).collect();
            listed.next
        }
    };
    let (mut failures, mut more_failures) = (Vec::new(), None);
    if list == ClusterList::Failed {
        let listed = state.operations.evidence_list(host, &page_of(query.get("failed_after"), FAILURES)?).await?;
        failures = listed.items.iter().map(|evidence| FailureRow::of(evidence, &state.catalog, now)).collect();
        more_failures = listed.next.map(|after| {
            let host = host.map(|host| format!("&host={host}")).unwrap_or_default();
            format!("/clusters?type=failed{host}&failed_after={after}")
        });
    }
    let url = |after: Option<String>| {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.append_pair("type", list.as_str());
        for (name, value) in [("user", user), ("host", host), ("after", after.as_deref())] {
            if let Some(value) = value {
                query.append_pair(name, value);
            }
        }
        format!("/clusters?{}", query.finish())
    };
    let view = View {
        list: list.as_str(),
        tabs: ClusterList::ALL.into_iter().map(|tab| Tab::of(tab, list)).collect(),
        clusters,
        records,
        failures,
        more_failures,
        user: user.unwrap_or_default().to_owned(),
        host: host.unwrap_or_default().to_owned(),
        first: page.after.is_some().then(|| url(None)),
        next: next.map(|after| url(Some(after))),
    };
    Ask { req: &req, state: &state, who: &who }.page("clusters.html", "Clusters", "clusters", &view)
}

impl Tab {
    fn of(tab: ClusterList, here: ClusterList) -> Tab {
        let title = match tab {
            ClusterList::Active => "Active",
            ClusterList::InUse => "In use",
            ClusterList::Released => "Released",
            ClusterList::Failed => "Failed",
        };
        Tab { url: format!("/clusters?type={}", tab.as_str()), title, here: tab == here }
    }
}
