//! A pool in memory: its hosts, their engines and users, and the reconciler's plans carried out on them. For tests.
//!
//! What takes the place of store and engine here does what they do and no more: a write is refused if the record changed
//! meanwhile, a making takes its time and may fail in every way there is, an engine that is away answers nothing. Chance
//! comes from a seed, so that a run can be had again.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use common::model::*;
use common::store::ClusterCounts;

use super::memory::{Failure, Outcome};
use super::plan::{Action, NodeChange, Step};
use super::plan_demand::{Demand, Mix};
use super::plan_give_way::Patience;
use super::plan_host::{Facts, plan_host};
use super::plan_pool::{Target, plan_pool};
use super::policy::Policy;
use super::rooms::rooms;
use super::standing::{Standing, Standings};
use super::view::{EngineView, Found, FoundNode, HostView, Memory, Seen};

/// What can be wrong with a host.
#[derive(Clone, Debug, Default)]
pub struct Faults {
    /// Its engine does not answer.
    pub away: bool,
    /// Its disk is full.
    pub full: bool,
    /// These flavors' images cannot be had.
    pub no_image: BTreeSet<FlavorId>,
    /// Of a hundred makings, so many break.
    pub breaks: u64,
}

/// One host.
pub struct SimHost {
    pub host: Host,
    pub clusters: BTreeMap<ClusterId, Cluster>,
    pub engine: BTreeMap<ClusterId, Found>,
    pub faults: Faults,
    pub memory: Memory,
    target: Target,
    under_way: Vec<Task>,
    silent: u32,
}

struct Task {
    began: Timestamp,
    ends: Timestamp,
    step: Step,
    cluster: Option<Cluster>,
}

/// The pool.
pub struct Sim {
    pub now: Timestamp,
    pub hosts: Vec<SimHost>,
    pub mix: Mix,
    /// Templates that are bad.
    pub bad: BTreeSet<FlavorId>,
    /// What users hold.
    pub leases: BTreeMap<LeaseId, ClusterId>,
    /// Steps of the last turn that were no probes.
    pub steps: Vec<String>,
    policy: Policy,
    facts: Facts,
    standings: Standings,
    patience: Patience,
    applies: Vec<ApplyCount>,
    chance: u64,
}

pub fn flavor(name: &str) -> FlavorId {
    FlavorId::parse(name).unwrap()
}

impl Sim {
    pub fn new(seed: u64, mix: Mix) -> Sim {
        let flavors = mix.iter().map(|share| (share.flavor.clone(), "d".to_owned())).collect();
        Sim {
            now: Timestamp::from_millis(1_000_000_000),
            hosts: Vec::new(),
            mix,
            bad: BTreeSet::new(),
            leases: BTreeMap::new(),
            steps: Vec::new(),
            policy: Policy::default(),
            facts: Facts { flavors, slots: 12 },
            standings: Standings::default(),
            patience: Patience::default(),
            applies: Vec::new(),
            chance: seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1,
        }
    }

    /// A number below `n`.
    pub fn draw(&mut self, n: usize) -> usize {
        self.chance ^= self.chance << 13;
        self.chance ^= self.chance >> 7;
        self.chance ^= self.chance << 17;
        (self.chance >> 11) as usize % n.max(1)
    }

    fn id(&mut self) -> String {
        format!("{:012x}{:012x}", self.draw(1 << 40), self.draw(1 << 40))
    }

    pub fn add_host(&mut self, capacity: u16) {
        let id = HostId::parse(&self.id()).unwrap();
        let settings = HostSettings {
            name: HostName::parse(&format!("h{}", self.hosts.len())).unwrap(),
            daemon_url: DaemonUrl::parse("tcp://127.0.0.1:1").unwrap(),
            address: "127.0.0.1".into(),
            bind_address: std::net::IpAddr::from([127, 0, 0, 1]),
            capacity,
            log_level: LogLevel::Info,
            log_target: LogTarget::Local,
            schedulable: true,
            autofill: true,
            mix: Vec::new(),
            chaincode_endpoint: None,
        };
        let contact = Contact {
            state: HostState::Active { since: self.now },
            last_answer: self.now,
            engine_version: "20.10".into(),
            cpus: 2,
            memory: 1,
            made_at: None,
        };
        let host = Host {
            id: id.clone(),
            version: 1,
            settings,
            engine_id: id.to_string(),
            kind: HostKind::Single,
            purpose: HostPurpose::Serve,
            try_again: None,
            contact,
            created_at: self.now,
        };
        self.hosts.push(SimHost {
            host,
            clusters: BTreeMap::new(),
            engine: BTreeMap::new(),
            faults: Faults::default(),
            memory: Memory::default(),
            target: Target::default(),
            under_way: Vec::new(),
            silent: 0,
        });
    }

    /// A user takes one of these, if one is on offer.
    pub fn apply(&mut self, flavor: &FlavorId) -> bool {
        let now = self.now;
        let lease = LeaseId::parse(&self.id()).unwrap();
        let mut all = self.hosts.iter_mut().flat_map(|host| host.clusters.values_mut());
        let free = all.find(|cluster| cluster.flavor == *flavor && cluster.takeable(now));
        let given = free.map(|cluster| {
            let user = UserId::parse("u").unwrap();
            let lease =
                Lease { id: lease.clone(), user, nth: 1, key: None, applied_at: now, metadata: BTreeMap::new() };
            *cluster = cluster.claim(lease, now).unwrap();
            cluster.id.clone()
        });
        let (given, missed) = (u64::from(given.is_some()), given.map(|id| self.leases.insert(lease, id)).is_none());
        let count = ApplyCount { minute: now, flavor: flavor.clone(), given, missed: u64::from(missed) };
        self.applies.push(count);
        !missed
    }

    /// A user gives back what she holds longest.
    pub fn release(&mut self) {
        let Some((lease, id)) = self.leases.pop_first() else { return };
        let now = self.now;
        for cluster in self.hosts.iter_mut().filter_map(|host| host.clusters.get_mut(&id)) {
            if cluster.lease().is_some_and(|held| held.id == lease) && cluster.phase.kind() == PhaseKind::InUse {
                *cluster = cluster.release("u", now).unwrap();
            }
        }
    }

    /// One second passes.
    pub fn turn(&mut self) {
        self.now = self.now + Duration::from_secs(1);
        self.steps.clear();
        for i in 0..self.hosts.len() {
            self.finish(i);
        }
        self.hosts.retain(|host| host.host.version > 0);
        let records: Vec<Host> = self.hosts.iter().map(|host| host.host.clone()).collect();
        let mut counts = ClusterCounts::new();
        for cluster in self.hosts.iter().flat_map(|host| host.clusters.values()) {
            let key = (cluster.host.clone(), cluster.flavor.clone(), cluster.phase.kind());
            *counts.entry(key).or_default() += 1;
        }
        let rooms = rooms(&records, &counts, &self.standings, |flavor| self.facts.flavors.contains_key(flavor));
        let demand = Demand::of(&self.applies, self.now);
        let mut plan = plan_pool(&rooms, &self.mix, &demand);
        assert_eq!(plan, plan_pool(&rooms, &self.mix, &demand), "the same state gives the same plan");
        self.patience.settle(&mut plan, self.policy.give_way_every, self.now);
        for i in 0..self.hosts.len() {
            self.hosts[i].target = plan.targets.remove(&self.hosts[i].host.id).unwrap();
            self.pass(i);
        }
    }

    fn pass(&mut self, i: usize) {
        let (now, host) = (self.now, &mut self.hosts[i]);
        let contact = &mut host.host.contact;
        host.silent = if host.faults.away { host.silent + 1 } else { 0 };
        contact.made_at = host.memory.made_at;
        match &contact.state {
            HostState::Active { .. } if host.silent >= 3 => {
                contact.state = HostState::Inactive { since: now, why: "refused".into() };
            }
            HostState::Inactive { .. } if host.silent == 0 => contact.state = HostState::Active { since: now },
            HostState::Active { .. } | HostState::Inactive { .. } => {}
        }
        let engine = if host.faults.away {
            EngineView::Away { why: "refused".into() }
        } else {
            contact.last_answer = now;
            EngineView::Seen(Seen { found: host.engine.clone(), blocked: BTreeMap::new() })
        };
        host.memory.keep_only(&host.clusters.keys().chain(host.engine.keys()).collect());
        host.memory.forgive(host.host.try_again);
        let mut clusters: Vec<Cluster> = host.clusters.values().cloned().collect();
        clusters.sort_by_key(|cluster| cluster.slot);
        let view = HostView { host: host.host.clone(), clusters, engine, memory: host.memory.clone() };
        let plan = plan_host(&view, &host.target, &self.facts, &self.policy, now);
        assert_eq!(plan, plan_host(&view, &host.target, &self.facts, &self.policy, now), "the same plan again");
        self.standings.put(&view.host.id, Standing::of(&view, &self.policy, now));
        for step in plan.steps {
            if !matches!(step.action, Action::Look { .. } | Action::Prove { .. }) {
                self.steps.push(step.to_string());
            }
            let longest = match &step.action {
                Action::BringUp { .. } => 8,
                Action::TakeDown { .. } | Action::Sweep { .. } => 3,
                _ => 1,
            };
            let ends = now + Duration::from_secs(1 + self.draw(longest) as u64);
            let host = &mut self.hosts[i];
            let cluster = step.action.cluster().and_then(|id| host.clusters.get(id)).cloned();
            host.memory.begin(&step, now);
            host.under_way.push(Task { began: now, ends, step, cluster });
        }
    }

    fn finish(&mut self, i: usize) {
        let now = self.now;
        let all = std::mem::take(&mut self.hosts[i].under_way);
        let (done, left): (Vec<Task>, Vec<Task>) = all.into_iter().partition(|task| task.ends <= now);
        self.hosts[i].under_way = left;
        for task in done {
            let outcome = self.carry_out(i, &task);
            let policy = &self.policy;
            self.hosts[i].memory.end(&task.step, task.cluster.as_ref(), &outcome, policy, now);
        }
    }

    fn carry_out(&mut self, i: usize, task: &Task) -> Outcome {
        let (chance, draw) = (self.draw(100) as u64, self.draw(4));
        let (now, new_id) = (self.now, self.id());
        let (bad, facts) = (&self.bad, &self.facts);
        let host = &mut self.hosts[i];
        let later = || Outcome::Failed(Failure::Later("refused".into()));
        if host.faults.away && !task.step.action.only_writes() {
            return match task.step.action {
                Action::Look { .. } => Outcome::Looked { at: task.began, result: Err("refused".into()) },
                _ => later(),
            };
        }
        let from = task.cluster.as_ref();
        let known = from.filter(|from| host.clusters.get(&from.id).is_some_and(|now| now.version == from.version));
        let moved = |host: &mut SimHost, to: Result<Cluster, IllegalMove>| match (known, to) {
            (Some(_), Ok(to)) => {
                host.clusters.insert(to.id.clone(), to);
                Outcome::Done
            }
            (_, _) => Outcome::Stale,
        };
        match &task.step.action {
            Action::Begin { slot, flavor } => {
                if host.clusters.values().any(|cluster| cluster.slot == *slot) {
                    return Outcome::Stale;
                }
                let id = ClusterId::parse(&new_id).unwrap();
                let cluster = Cluster::begin(NewCluster {
                    id: id.clone(),
                    name: ClusterName::of(&host.host.settings.name, *slot),
                    host: host.host.id.clone(),
                    host_name: host.host.settings.name.clone(),
                    slot: *slot,
                    flavor: flavor.clone(),
                    flavor_digest: facts.flavors[flavor].clone(),
                    size: 1,
                    nodes: vec![NodeName::parse("vp0").unwrap()],
                    endpoints: BTreeMap::new(),
                    now,
                    deadline: now + Duration::from_secs(60),
                });
                host.clusters.insert(id, cluster);
                Outcome::Done
            }
            Action::BringUp { .. } => {
                let Some(from) = from else { return Outcome::Stale };
                let failure = if bad.contains(&from.flavor) {
                    Some(Failure::Flavor("no such command".into()))
                } else if host.faults.no_image.contains(&from.flavor) {
                    Some(Failure::Image("no such image".into()))
                } else if host.faults.full {
                    Some(Failure::Host("no space left on device".into()))
                } else if chance < host.faults.breaks {
                    let words = || "it broke".to_owned();
                    let all = [Failure::Broke(words()), Failure::Slot(words()), Failure::Later(words())];
                    all.get(draw).cloned()
                } else {
                    None
                };
                let container = FoundNode {
                    container: from.id.to_string(),
                    state: NodeState::Running,
                    ended: None,
                    unhealthy: false,
                };
                let nodes = from.nodes.keys().map(|node| (node.clone(), container.clone())).collect();
                host.engine.insert(from.id.clone(), Found { nodes });
                failure.map_or(Outcome::Done, Outcome::Failed)
            }
            Action::Look { cluster } => {
                let runs = host.engine.get(cluster).is_some_and(|found| {
                    !found.nodes.is_empty() && found.nodes.values().all(|node| node.state == NodeState::Running)
                });
                let result = if runs { Ok(()) } else { Err("no answer".into()) };
                Outcome::Looked { at: task.began, result }
            }
            Action::OfferOut { nodes, proven, until, .. } => moved(
                host,
                from.unwrap().offer_out(0.5, *until, now).map(|mut to| {
                    to.proven_at = Some(*proven);
                    to.nodes.extend(nodes.iter().cloned());
                    to
                }),
            ),
            Action::OfferAgain { proven, until, .. } => moved(host, from.unwrap().offer_again(0.5, *until, *proven)),
            Action::Withdraw { .. } => moved(host, from.unwrap().withdraw()),
            Action::Record { nodes, health, .. } => moved(host, Ok(from.unwrap().seen(nodes.clone(), health.clone()))),
            Action::Fail { why, .. } => moved(host, from.unwrap().fail(why.clone(), now)),
            Action::Gather { why, .. } => moved(host, from.unwrap().remove(why.clone(), now)),
            Action::Lose { reason, .. } => moved(host, from.unwrap().lose(reason.clone(), now)),
            Action::Remove { why, .. } => moved(host, from.unwrap().remove(why.clone(), now)),
            Action::Readdress { address, .. } => moved(host, Ok(from.unwrap().readdressed(address))),
            Action::ChangeNodes { cluster, changes } => {
                let mut seen = Vec::new();
                for change in changes {
                    let state = match change.change {
                        NodeChange::Start | NodeChange::Restart => NodeState::Running,
                        NodeChange::Stop => NodeState::Exited,
                    };
                    let found = host.engine.get_mut(cluster).and_then(|found| found.nodes.get_mut(&change.node));
                    found.map(|node| node.state = state);
                    let container = Some(change.container.clone());
                    let node = Node { container, state, restarted_seq: change.restart_seq };
                    seen.push((change.node.clone(), node));
                }
                moved(host, Ok(from.unwrap().seen(seen, Health::Unknown)))
            }
            Action::TakeDown { cluster } | Action::DropRecord { cluster } => {
                if matches!(task.step.action, Action::TakeDown { .. }) {
                    host.engine.remove(cluster);
                }
                assert!(from.unwrap().may_vanish(), "{} is no cluster to drop", task.step);
                if known.is_none() {
                    return Outcome::Stale;
                }
                host.clusters.remove(cluster);
                Outcome::Done
            }
            Action::Sweep { cluster } => {
                if host.clusters.contains_key(cluster) {
                    return Outcome::Stale;
                }
                host.engine.remove(cluster);
                Outcome::Done
            }
            Action::Prove { proofs } => {
                for proof in proofs {
                    let Some(cluster) = host.clusters.get_mut(&proof.cluster) else { continue };
                    cluster.proven_at = Some(proof.at);
                    if let Some(offer) = &mut cluster.offer {
                        offer.until = proof.offer_until;
                    }
                }
                Outcome::Done
            }
            Action::EndPurpose { .. } => {
                host.host = host.host.with_purpose(HostPurpose::Serve);
                Outcome::Done
            }
            Action::DeleteHost => {
                assert!(host.clusters.is_empty(), "a host that is deleted has no clusters");
                host.host.version = 0;
                Outcome::Done
            }
        }
    }
}
