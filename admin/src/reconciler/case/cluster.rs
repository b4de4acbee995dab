//! What a text case ([`super`]) may say of a cluster. For tests.

use std::collections::BTreeMap;
use std::time::Duration;

use common::model::*;

use super::nodes::{node_word, run};
use super::{Case, NOW, ago, flavor, node, other_flavor};
use crate::reconciler::memory::*;
use crate::reconciler::plan::Work;
use crate::reconciler::view::Found;

impl Case {
    pub(super) fn cluster(&mut self, phase: &str, more: &[&str]) {
        let slot = Slot(self.view.clusters.len() as u16);
        let id = ClusterId::parse(&format!("{:024x}", slot.0)).unwrap();
        let name = ClusterName::of(&self.view.host.settings.name, slot);
        let begun = Cluster::begin(NewCluster {
            id: id.clone(),
            name,
            host: self.view.host.id.clone(),
            host_name: self.view.host.settings.name.clone(),
            slot,
            flavor: flavor(),
            flavor_digest: "d".into(),
            size: 2,
            nodes: vec![node("vp0"), node("vp1")],
            endpoints: BTreeMap::new(),
            now: ago(100),
            deadline: NOW + Duration::from_secs(20),
        });
        let lease = Lease {
            id: LeaseId::parse(&"1".repeat(24)).unwrap(),
            user: UserId::parse("u").unwrap(),
            nth: 1,
            key: None,
            applied_at: ago(50),
            metadata: BTreeMap::new(),
        };
        let ran = |name: &str| {
            (node(name), Node { container: Some(format!("{name}-id")), state: NodeState::Running, restarted_seq: 0 })
        };
        let mut found = Found { nodes: [run("vp0"), run("vp1")].into() };
        let free = || {
            let mut free = begun.offer_out(0.5, NOW + Duration::from_secs(55), ago(5)).unwrap();
            free.nodes.extend([ran("vp0"), ran("vp1")]);
            free
        };
        let mut cluster = match phase {
            "creating" => begun.clone(),
            "free" => free(),
            "in-use" => free().claim(lease, ago(5)).unwrap(),
            "releasing" => free().claim(lease, ago(5)).unwrap().release("u", ago(2)).unwrap(),
            "removing" => free().remove(Why::PoolShrunk, ago(2)).unwrap(),
            "failed" => begun.fail(Why::CreateFailed { error: "boom".into() }, ago(2)).unwrap(),
            "lost" => free().claim(lease, ago(5)).unwrap().lose("host removed".into(), ago(2)).unwrap(),
            other => panic!("{other} is no phase and no fact"),
        };
        let mut there = !matches!(phase, "creating" | "failed");
        let good = |bad, at| Look { at, result: if bad == 0 { Ok(()) } else { Err("3 peers, not 4".into()) }, bad };
        for word in more {
            match *word {
                "up" => there = true,
                "well" => {
                    self.view.memory.looks.insert(id.clone(), good(0, NOW));
                }
                "ill-1" => {
                    self.view.memory.looks.insert(id.clone(), good(1, NOW));
                }
                "ill-3" => {
                    self.view.memory.looks.insert(id.clone(), good(3, NOW));
                }
                "busy" => {
                    self.view.memory.busy.insert(id.clone(), Busy { work: Work::Write, since: ago(1) });
                }
                "being-brought-up" => {
                    self.view.memory.busy.insert(id.clone(), Busy { work: Work::BringUp, since: ago(90) });
                }
                "pulling" => {
                    self.view.memory.pulling.insert(id.clone(), "test/peer:1".into());
                }
                "by-hand" => cluster.asked_by = Some("otto".into()),
                "late" => cluster.phase = Phase::Creating { since: ago(200), deadline: ago(1) },
                "suspect" => {
                    let seen = "a node ended".to_owned();
                    self.view.memory.suspects.insert(id.clone(), Suspicion { at: ago(1), seen, ours: false });
                }
                "long-ago-well" => {
                    self.view.memory.looks.insert(id.clone(), good(0, ago(61)));
                }
                "elsewhere" => {
                    let (node, scheme, address) = (node("vp0"), "http".to_owned(), "10.9.9.9".to_owned());
                    cluster.endpoints.insert("rest".into(), Endpoint { node, scheme, address, port: 7050 });
                }
                "unknown" => cluster.health = Health::Unknown,
                "old-proof" => cluster.proven_at = Some(ago(40)),
                "stale" => cluster.proven_at = Some(ago(70)),
                "unoffered" => cluster.offer = None,
                "old-flavor" => cluster.flavor_digest = "other".into(),
                "stop-wanted" => cluster = cluster.wish(&NodeScope::All, WishChange::Stop).unwrap().unwrap(),
                "restart-wanted" => cluster = cluster.wish(&NodeScope::All, WishChange::Restart).unwrap().unwrap(),
                "failing-once" => {
                    let retry = Retry {
                        times: 1,
                        failed_at: ago(1),
                        not_before: NOW + Duration::from_secs(1),
                        error: "timeout".into(),
                    };
                    self.view.memory.retries.insert(id.clone(), retry);
                }
                "failing-thrice" => {
                    let retry = Retry {
                        times: 3,
                        failed_at: ago(1),
                        not_before: NOW + Duration::from_secs(4),
                        error: "port taken".into(),
                    };
                    self.view.memory.retries.insert(id.clone(), retry);
                }
                "given-up" => {
                    self.view.memory.doomed.insert(id.clone(), Doom::GivesUp("no such image".into()));
                }
                "doomed" => {
                    self.view.memory.doomed.insert(id.clone(), Doom::Fails("no such image".into()));
                }
                "flavor-g" => {
                    cluster.flavor = other_flavor();
                    cluster.offer = cluster.offer.map(|offer| Offer { flavor: other_flavor(), ..offer });
                }
                other => {
                    let said = node_word(other, &mut cluster, &mut found, &mut self.view.memory);
                    assert!(said, "{other} is said of no cluster");
                }
            }
        }
        if there {
            self.seen.found.insert(id, found);
        }
        self.view.clusters.push(cluster);
    }
}
