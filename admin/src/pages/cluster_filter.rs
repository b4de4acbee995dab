//! What stands above the lists of clusters: which list it is, and what it is filtered by. It holds what was asked for, also
//! when that was refused.

use common::store::HealthKind;
use serde::Serialize;

use super::frame::{Address, Choice, Wrong, is_filtered};
use super::words;
use crate::input::Query;
use crate::operations::{ClusterList, ListInput, Refusal};
use crate::problem::Problem;
use crate::server::State;

/// What the address may hold.
const PARAMETERS: [&str; 12] =
    ["type", "phase", "host", "user", "flavor", "health", "q", "sort", "dir", "after", "limit", "now"];

/// What of it leaves fewer.
const FILTERS: [&str; 6] = ["phase", "host", "user", "flavor", "health", "q"];

/// Fields that say what is wrong with them.
pub const FIELDS: [&str; 5] = ["phase", "user", "flavor", "health", "q"];

#[derive(Serialize)]
pub struct Filter {
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
    /// Why it was refused.
    wrong: Wrong,
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

/// The address of a list as it was asked for.
pub fn address(query: &Query, list: ClusterList) -> Address {
    Address::of("/clusters", query, &PARAMETERS).with("type", list.as_str())
}

/// The list that is asked for.
pub fn list_of(query: &Query) -> Result<ClusterList, Refusal> {
    query.get("type").map_or(Ok(ClusterList::Active), ClusterList::parse)
}

impl Filter {
    /// As it was asked for, and what is wrong with that.
    pub async fn of(state: &State, query: &Query, list: ClusterList, wrong: Wrong) -> Result<Filter, Problem> {
        let address = address(query, list);
        let get = |name| query.get(name);
        let text = |name| query.get(name).unwrap_or_default().to_owned();
        let phases =
            list.phases().into_iter().map(|phase| Choice::of(phase.as_str(), words::phase(phase).text(), get("phase")));
        let healths = HealthKind::ALL
            .into_iter()
            .map(|health| Choice::of(health.as_str(), words::health_kind(health).text(), get("health")));
        let flavors = state.catalog.flavors().iter();
        Ok(Filter {
            list: list.as_str(),
            tabs: ClusterList::ALL.into_iter().map(|tab| Tab::of(tab, list)).collect(),
            q: text("q"),
            user: text("user"),
            limit: text("limit"),
            sort: text("sort"),
            dir: text("dir"),
            host: HostChip::of(state, query, &address).await?,
            phases: if list == ClusterList::Active { phases.collect() } else { Vec::new() },
            flavors: flavors
                .map(|flavor| Choice::of(flavor.id.as_str(), flavor.title.clone(), get("flavor")))
                .collect(),
            healths: if matches!(list, ClusterList::Active | ClusterList::InUse) {
                healths.collect()
            } else {
                Vec::new()
            },
            filtered: is_filtered(query, &FILTERS),
            narrowed: is_filtered(query, &["phase", "user", "flavor", "health"]),
            clear: address.without(&FILTERS).without(&["after", "now"]).link(),
            wrong,
        })
    }
}

impl HostChip {
    /// None for what is no host's id: that is said elsewhere.
    async fn of(state: &State, query: &Query, address: &Address) -> Result<Option<HostChip>, Problem> {
        let Ok(Some(id)) = ListInput(query).host() else { return Ok(None) };
        let host = state.store.host(&id).await?;
        Ok(Some(HostChip {
            name: host.map_or_else(|| "a host that is gone".into(), |host| host.settings.name.to_string()),
            id: id.to_string(),
            without: address.without(&["host", "after", "now"]).link(),
        }))
    }
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
