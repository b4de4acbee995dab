//! What a page tells of, and whether news concern it. Plain functions.

use std::collections::BTreeSet;

use common::model::{ClusterId, HostId};

use super::places::Places;

/// What a page tells of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Topic {
    /// The pool as a whole: every host, every cluster, what is being done, events.
    Pool,
    /// A host, what is on it, what is being done there, and its events.
    Host(HostId),
    /// A cluster, its host, and its events.
    Cluster(ClusterId),
    /// What happens, and nothing else.
    Events,
    /// Nothing that anybody tells of; it is looked at now and then, as all are.
    Nothing,
}

/// What may have changed since the last look.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct News {
    /// Something was missed: anything may have.
    pub all: bool,
    /// The records of these hosts, or what is being done there.
    pub hosts: BTreeSet<HostId>,
    /// These clusters.
    pub clusters: BTreeSet<ClusterId>,
    /// There are new events.
    pub events: bool,
    /// The pool was counted anew, and there are other numbers than before.
    pub counts: bool,
}

impl News {
    /// That anything may have changed.
    pub fn of_all() -> News {
        News { all: true, ..News::default() }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        *self == News::default()
    }

    /// Whether they concern a page. A cluster that nobody knows the place of may be anywhere.
    pub fn concern(&self, topic: &Topic, places: &Places) -> bool {
        self.all
            || match topic {
                Topic::Pool => !self.is_empty(),
                Topic::Events => self.events,
                Topic::Nothing => false,
                Topic::Host(host) => {
                    let there = |cluster| places.of(cluster).is_none_or(|at| at == host);
                    self.hosts.contains(host) || self.clusters.iter().any(there)
                }
                Topic::Cluster(cluster) => {
                    let its_host = || match places.of(cluster) {
                        Some(host) => self.hosts.contains(host),
                        None => !self.hosts.is_empty(),
                    };
                    self.clusters.contains(cluster) || its_host()
                }
            }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Case {
        places: Places,
        hosts: [HostId; 2],
        clusters: [ClusterId; 3],
    }

    /// Clusters 0 and 1 are on hosts 0 and 1; where 2 is, nobody knows.
    fn case() -> Case {
        let hosts = [HostId::random(), HostId::random()];
        let clusters = [ClusterId::random(), ClusterId::random(), ClusterId::random()];
        let mut places = Places::default();
        places.learn(&clusters[0], &hosts[0]);
        places.learn(&clusters[1], &hosts[1]);
        Case { places, hosts, clusters }
    }

    #[test]
    fn what_changes_on_one_host_does_not_concern_the_page_of_another() {
        let Case { places, hosts, clusters } = case();
        let of_host = News { hosts: [hosts[0].clone()].into(), ..News::default() };
        let of_cluster = News { clusters: [clusters[0].clone()].into(), ..News::default() };
        for news in [of_host, of_cluster] {
            assert!(news.concern(&Topic::Host(hosts[0].clone()), &places));
            assert!(!news.concern(&Topic::Host(hosts[1].clone()), &places));
            assert!(news.concern(&Topic::Cluster(clusters[0].clone()), &places));
            assert!(!news.concern(&Topic::Cluster(clusters[1].clone()), &places));
            assert!(news.concern(&Topic::Pool, &places));
            assert!(!news.concern(&Topic::Events, &places));
            assert!(!news.concern(&Topic::Nothing, &places));
        }
    }

    #[test]
    fn a_cluster_that_may_be_anywhere_concerns_every_host() {
        let Case { places, hosts, clusters } = case();
        let news = News { clusters: [clusters[2].clone()].into(), ..News::default() };
        assert!(hosts.iter().all(|host| news.concern(&Topic::Host(host.clone()), &places)));
        assert!(!news.concern(&Topic::Cluster(clusters[0].clone()), &places));
    }

    #[test]
    fn what_was_missed_concerns_all_and_no_news_concern_nobody() {
        let Case { places, hosts, clusters } = case();
        let topics = [Topic::Pool, Topic::Host(hosts[0].clone()), Topic::Cluster(clusters[0].clone()), Topic::Events];
        assert!(topics.iter().all(|topic| News::of_all().concern(topic, &places)));
        assert!(!topics.iter().any(|topic| News::default().concern(topic, &places)));
        let events = News { events: true, ..News::default() };
        assert!(events.concern(&Topic::Events, &places) && events.concern(&Topic::Pool, &places));
    }
}
