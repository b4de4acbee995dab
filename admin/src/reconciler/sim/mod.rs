//! A pool in memory: its hosts, their engines and users, and the reconciler's plans carried out on them. For tests.
//!
//! What takes the place of store and engine here does what they do and no more: a write is refused if the record changed
//! meanwhile, a making takes its time and may fail in every way there is, an engine that is away answers nothing. Chance
//! comes from a seed, so that a run can be had again.

mod carry;
mod sim_test;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use common::model::*;
use common::store::ClusterCounts;

use super::memory::Memory;
use super::plan::host::{Facts, plan_host};
use super::plan::pool::demand::{Demand, Mix};
use super::plan::pool::give_way::Patience;
use super::plan::pool::rooms::rooms;
use super::plan::pool::standing::Standing;
use super::plan::pool::{Target, plan_pool};
use super::plan::{Action, Step};
use super::policy::Policy;
use super::view::{EngineView, Found, HostView, Seen};

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

/// An action under way.
pub struct Task {
    pub began: Timestamp,
    ends: Timestamp,
    pub step: Step,
    pub cluster: Option<Cluster>,
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
    pub facts: Facts,
    standings: BTreeMap<HostId, Standing>,
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
            facts: Facts { flavors, slots: 12, ..Facts::default() },
            standings: BTreeMap::new(),
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

    pub fn id(&mut self) -> String {
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
            tls: None,
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
        let standing = |host: &HostId| self.standings.get(host).cloned().unwrap_or_default();
        let rooms = rooms(&records, &counts, standing, |flavor| self.facts.flavors.contains_key(flavor));
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
        self.standings.insert(view.host.id.clone(), Standing::of(&view, &self.facts, &self.policy, now));
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
}
