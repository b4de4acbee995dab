use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use super::*;
use crate::clock;
use crate::model::{ClusterId, ClusterName, HostId, HostName, LeaseId, Metadata, NewCluster, NodeName, Slot, UserId};

fn flavors(names: &[&str]) -> Flavors {
    names.iter().map(|name| FlavorId::parse(name).unwrap()).collect()
}

fn free(flavor: &str) -> Cluster {
    let (now, host) = (clock::now(), HostName::parse("h").unwrap());
    let until = now + Duration::from_secs(60);
    let begun = Cluster::begin(NewCluster {
        id: ClusterId::random(),
        name: ClusterName::of(&host, Slot(0)),
        host: HostId::random(),
        host_name: host,
        slot: Slot(0),
        flavor: FlavorId::parse(flavor).unwrap(),
        flavor_digest: String::new(),
        size: 1,
        nodes: vec![NodeName::parse("vp0").unwrap()],
        endpoints: BTreeMap::new(),
        now,
        deadline: until,
    });
    begun.offer_out(0.5, until, now).unwrap()
}

/// A round that read so many applies' worth of candidates, by set of flavors.
fn round(read: &[(&[&str], Vec<Cluster>)]) -> Round {
    let offered =
        |clusters: &Vec<Cluster>| Offered { none: clusters.is_empty(), clusters: clusters.clone().into_iter() };
    Round {
        users: HashMap::new(),
        offered: read.iter().map(|(set, clusters)| (flavors(set), offered(clusters))).collect(),
        ended: Vec::new(),
        taken: HashSet::new(),
    }
}

fn apply(user: &str, set: &[&str]) -> Waiting {
    let apply = Apply {
        user: UserId::parse(user).unwrap(),
        flavors: flavors(set).into_iter().collect(),
        holding: Holding::GiveSame,
        most: None,
        key: None,
        metadata: Metadata::default(),
        now: clock::now(),
    };
    let tell = oneshot::channel().0;
    Waiting { apply, lease: LeaseId::random(), sent_as: None, tries: 0, since: Instant::now(), tell }
}

#[test]
fn claims_of_other_flavors_keep_nobody_from_hearing_that_none_is_free() {
    let mut round = round(&[(&["a"], vec![free("a")]), (&["b"], vec![])]);
    assert!(matches!(round.decide(&apply("ann", &["a"])), Fate::Claims(..)));
    assert!(matches!(round.decide(&apply("bob", &["b"])), Fate::NoneFree));
}

/// The claim that takes it may fail, and then it is free.
#[test]
fn who_could_have_had_what_another_claims_in_this_round_waits() {
    let last = free("a");
    let mut round = round(&[(&["a"], vec![last.clone()]), (&["a", "b"], vec![last])]);
    assert!(matches!(round.decide(&apply("ann", &["a"])), Fate::Claims(..)));
    assert!(matches!(round.decide(&apply("bob", &["a"])), Fate::Waits));
    assert!(matches!(round.decide(&apply("eve", &["a", "b"])), Fate::Waits));
}
