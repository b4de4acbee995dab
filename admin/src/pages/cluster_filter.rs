//! What stands above the lists of clusters: which list it is, and what it is filtered by. It holds what was asked for, also
//! when that was refused.

use common::model::PhaseKind;
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

/// The fields that say what is wrong with them.
pub fn fields(list: ClusterList) -> &'static [&'static str] {
    match list {
        ClusterList::Existing | ClusterList::Active => &["phase", "user", "flavor", "health", "q"],
        ClusterList::InUse => &["user", "flavor", "health", "q"],
        ClusterList::Released => &["user", "flavor", "q"],
        ClusterList::Failed => &["flavor", "q"],
    }
}

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
        let healths = HealthKind::ALL
            .into_iter()
            .map(|health| Choice::of(health.as_str(), words::health_kind(health).text(), get("health")));
        let flavors = state.catalog.flavors().iter();
        // Clusters outlive a flavor that is not offered any more.
        let gone = ListInput(query).flavor().ok().flatten().filter(|id| state.catalog.flavor(id).is_none());
        Ok(Filter {
            list: list.as_str(),
            tabs: ClusterList::ALL.into_iter().map(|tab| Tab::of(tab, list)).collect(),
            q: text("q"),
            user: text("user"),
            limit: text("limit"),
            sort: text("sort"),
            dir: text("dir"),
            host: HostChip::of(state, query, &address).await?,
            phases: match list {
                ClusterList::Existing | ClusterList::Active => phase_choices(list, query),
                ClusterList::InUse | ClusterList::Released | ClusterList::Failed => Vec::new(),
            },
            flavors: flavors
                .map(|flavor| Choice::of(flavor.id.as_str(), flavor.title.clone(), get("flavor")))
                .chain(gone.map(|id| Choice::of(id.as_str(), id.to_string(), get("flavor"))))
                .collect(),
            healths: match list {
                ClusterList::Existing | ClusterList::Active | ClusterList::InUse => healths.collect(),
                ClusterList::Released | ClusterList::Failed => Vec::new(),
            },
            filtered: is_filtered(query, &FILTERS),
            narrowed: is_filtered(query, &["phase", "user", "flavor", "health"]),
            clear: address.without(&FILTERS).without(&["after", "now"]).link(),
            wrong,
        })
    }
}

/// The phases to choose from: each, those that other pages count together, and what the address has, if that can be read.
fn phase_choices(list: ClusterList, query: &Query) -> Vec<Choice> {
    let of_list = list.phases();
    let asked = ListInput(query).phases(&of_list).ok().flatten().unwrap_or_default();
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
    choices.iter().map(|phases| Choice::of(value(phases), label(phases), Some(&here))).collect()
}

impl HostChip {
    /// None for what is no host's id: that is said elsewhere.
    async fn of(state: &State, query: &Query, address: &Address) -> Result<Option<HostChip>, Problem> {
        let Ok(Some(id)) = ListInput(query).host() else { return Ok(None) };
        let hosts = state.operations.tally.hosts().await?;
        let host = hosts.iter().find(|host| host.id == id);
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
            ClusterList::Existing => "All there are",
        };
        Tab { url: format!("/clusters?type={}", tab.as_str()), title, here: tab == here }
    }
}
