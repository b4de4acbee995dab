//! Hosts and failures: picked from all of them, for hosts are some thousand at most and failures some hundred.

use std::collections::{BTreeMap, HashMap};

use serde::Deserialize;

use super::key::{number, time};
use super::look::page_of_all;
use super::plan::descending;
use super::request::{FailureQuery, FailureSort, Found, HostQuery, HostSort};
use crate::model::{Failure, HostId, Timestamp};

/// What hosts are picked by.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct HostBrief {
    pub(crate) id: HostId,
    pub(crate) name: String,
    pub(crate) address: String,
    pub(crate) url: String,
    pub(crate) state: String,
    pub(crate) schedulable: bool,
    pub(crate) purpose: String,
    pub(crate) capacity: u16,
    pub(crate) created_at: Timestamp,
}

impl HostBrief {
    fn matches(&self, query: &HostQuery) -> bool {
        let searched = [&self.name, &self.address, &self.url];
        query.search.as_ref().is_none_or(|search| searched.iter().any(|text| search.is_in(text)))
            && query.state.is_none_or(|state| state.as_str() == self.state)
            && query.schedulable.is_none_or(|schedulable| schedulable == self.schedulable)
            && query.purpose.is_none_or(|purpose| purpose == self.purpose)
    }

    fn key(&self, query: &HostQuery) -> String {
        let name = format!("{} {}", self.name.to_ascii_lowercase(), self.id);
        match query.page.sort {
            HostSort::Name => name,
            HostSort::State => format!("{} {name}", self.state),
            HostSort::Capacity => format!("{} {name}", number(self.capacity.into())),
            HostSort::Clusters => {
                format!("{} {name}", number(query.counts.get(&self.id).copied().unwrap_or_default()))
            }
            HostSort::Created => format!("{}{}", time(self.created_at), self.id),
        }
    }
}

/// The ids of a page of hosts.
pub(crate) fn pick_hosts(all: &[HostBrief], query: &HostQuery) -> Found<String> {
    let keys = all.iter().filter(|host| host.matches(query)).map(|host| host.key(query)).collect();
    page_of_all(keys, &query.page, descending(&query.page))
}

/// A page of failures.
pub(crate) fn pick_failures(all: Vec<Failure>, query: &FailureQuery) -> Found<Failure> {
    let matches = |failure: &Failure| {
        query.host.as_ref().is_none_or(|host| *host == failure.host)
            && query.flavor.as_ref().is_none_or(|flavor| *flavor == failure.flavor)
            && query
                .search
                .as_ref()
                .is_none_or(|search| search.begins(failure.name.as_str()) || search.begins(failure.cluster.as_str()))
    };
    let key = |failure: &Failure| match query.page.sort {
        FailureSort::Failed => format!("{}{}", time(failure.failed_at), failure.cluster),
        FailureSort::Name => format!("{} {}", failure.name.as_str().to_ascii_lowercase(), failure.cluster),
    };
    let mut by_key: HashMap<String, Failure> =
        all.into_iter().filter(matches).map(|failure| (key(&failure), failure)).collect();
    let page = page_of_all(by_key.keys().cloned().collect(), &query.page, descending(&query.page));
    page.map(|keys| keys.iter().filter_map(|key| by_key.remove(key)).collect())
}

impl<T> Found<T> {
    /// The same page with other items.
    pub(crate) fn map<U>(self, items: impl FnOnce(Vec<T>) -> Vec<U>) -> Found<U> {
        Found { items: items(self.items), previous: self.previous, next: self.next, total: self.total }
    }
}

impl Found<String> {
    /// The ids that its keys end with.
    pub(crate) fn ids(&self) -> Vec<String> {
        self.items.iter().map(|key| super::key::id_of(key).to_owned()).collect()
    }

    /// The records of these ids, in this order. One that has gone meanwhile is not there.
    pub(crate) fn with<T>(self, mut by_id: BTreeMap<String, T>) -> Found<T> {
        let ids = self.ids();
        self.map(|_| ids.iter().filter_map(|id| by_id.remove(id)).collect())
    }
}
