//! The pages that are live, a line each. Everything else about a page is in its own file in `crate::pages`.

use std::pin::Pin;

use actix_web::http::Method;
use common::model::{ClusterId, HostId, Role};

use super::{Asked, Topic};
use crate::access::Needs;
use crate::input::Query;
use crate::pages;
use crate::problem::Problem;
use crate::routes;

/// A text under way.
pub type Rendering = Pin<Box<dyn Future<Output = Result<String, Problem>> + Send>>;

/// One page that is live.
pub struct LivePage {
    /// Its path, as the table of routes has it.
    pub path: &'static str,
    /// What it tells of.
    pub topic: fn(&str) -> Topic,
    /// Its live part.
    pub render: fn(Asked) -> Rendering,
}

/// All of them. `topic` is given what stands for `{id}` in the path.
pub static PAGES: &[LivePage] = &[
    LivePage { path: "/", topic: |_| Topic::Pool, render: |asked| Box::pin(pages::overview::live(asked)) },
    LivePage { path: "/hosts", topic: |_| Topic::Pool, render: |asked| Box::pin(pages::hosts::live(asked)) },
    LivePage { path: "/hosts/{id}", topic: host, render: |asked| Box::pin(pages::host::live(asked)) },
    LivePage { path: "/clusters", topic: |_| Topic::Pool, render: |asked| Box::pin(pages::clusters::live(asked)) },
    LivePage { path: "/events", topic: |_| Topic::Events, render: |asked| Box::pin(pages::events::live(asked)) },
    LivePage { path: "/clusters/{id}", topic: cluster, render: |asked| Box::pin(pages::cluster::live(asked)) },
    LivePage { path: "/flavors", topic: |_| Topic::Pool, render: |asked| Box::pin(pages::flavors::live(asked)) },
    LivePage { path: "/flavors/{id}", topic: |_| Topic::Pool, render: |asked| Box::pin(pages::flavor::live(asked)) },
    LivePage { path: "/stat", topic: |_| Topic::Pool, render: |asked| Box::pin(pages::stat::live(asked)) },
];

/// What a page tells of if its `{id}` is a host's.
fn host(id: &str) -> Topic {
    HostId::parse(id).map_or(Topic::Nothing, Topic::Host)
}

/// The same for a cluster's.
fn cluster(id: &str) -> Topic {
    ClusterId::parse(id).map_or(Topic::Nothing, Topic::Cluster)
}

/// A live page by its address: the page, what stands for `{id}`, and the query in one form for all who mean the same.
pub fn find(address: &str) -> Option<(&'static LivePage, String, String)> {
    let (path, query) = address.split_once('?').unwrap_or((address, ""));
    let (page, id) = PAGES.iter().find_map(|page| Some((page, matched(page.path, path)?)))?;
    Some((page, id, Query::parse(query).canonical()))
}

/// What stands for `{id}` if a path is one of this pattern.
fn matched(pattern: &str, path: &str) -> Option<String> {
    match pattern.split_once("{id}") {
        None => (pattern == path).then(String::new),
        Some((before, after)) => {
            let id = path.strip_prefix(before)?.strip_suffix(after)?;
            (!id.is_empty() && !id.contains('/')).then(|| id.to_owned())
        }
    }
}

/// The role that the page itself asks for; the table of routes is the one place that says so.
pub fn needs(page: &LivePage) -> Option<Role> {
    let entry = routes::table().into_iter().find(|entry| entry.method == Method::GET && entry.path == page.path)?;
    match entry.needs {
        Needs::Role(role) => Some(role),
        Needs::Nothing | Needs::OwnForm | Needs::SignedIn | Needs::InternalSecret | Needs::MetricsToken => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_live_page_is_in_the_table_of_routes_and_asks_for_a_role() {
        for page in PAGES {
            assert!(needs(page).is_some(), "{}", page.path);
        }
    }

    #[test]
    fn a_path_is_matched_whole() {
        assert_eq!(matched("/hosts/{id}", "/hosts/h1").as_deref(), Some("h1"));
        assert_eq!(matched("/clusters/{id}/evidence", "/clusters/c1/evidence").as_deref(), Some("c1"));
        assert_eq!(matched("/hosts", "/hosts").as_deref(), Some(""));
        for (pattern, path) in [
            ("/hosts/{id}", "/hosts/"),
            ("/hosts/{id}", "/hosts/h1/configure"),
            ("/hosts", "/hosts/h1"),
            ("/clusters/{id}/evidence", "/clusters/evidence"),
        ] {
            assert_eq!(matched(pattern, path), None, "{path}");
        }
    }
}
