//! A case of a host's plan, read from text: what stands in its slots, and facts about the host. For tests.
//!
//! A case is a list of clusters, in the order of slots, and of facts, parted by `;`. The time is 1,000 s.

mod cluster;
mod nodes;
pub mod told;

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use common::model::*;

use self::nodes::tried;
use super::memory::*;
use super::plan::Plan;
use super::plan::host::{DeepFacts, Facts, plan_host};
use super::plan::pool::Target;
use super::policy::Policy;
use super::view::*;

pub const NOW: Timestamp = Timestamp::from_millis(1_000_000);

fn ago(seconds: u64) -> Timestamp {
    NOW - Duration::from_secs(seconds)
}

fn flavor() -> FlavorId {
    FlavorId::parse("f").unwrap()
}

fn node(name: &str) -> NodeName {
    NodeName::parse(name).unwrap()
}

/// A flavor of which nothing is wanted.
fn other_flavor() -> FlavorId {
    FlavorId::parse("g").unwrap()
}

/// What has no record.
fn orphan() -> ClusterId {
    ClusterId::parse(&"f".repeat(24)).unwrap()
}

fn asked() -> Asked {
    Asked { since: ago(9), by: "otto".into() }
}

fn host(capacity: u16) -> Host {
    Host {
        id: HostId::parse(&"a".repeat(24)).unwrap(),
        version: 1,
        settings: HostSettings {
            name: HostName::parse("h").unwrap(),
            daemon_url: DaemonUrl::parse("tcp://127.0.0.1:1").unwrap(),
            address: "127.0.0.1".into(),
            bind_address: IpAddr::from([127, 0, 0, 1]),
            capacity,
            log_level: LogLevel::Info,
            log_target: LogTarget::Local,
            schedulable: true,
            autofill: true,
            mix: Vec::new(),
            chaincode_endpoint: None,
        },
        engine_id: "e".into(),
        kind: HostKind::Single,
        purpose: HostPurpose::Serve,
        try_again: None,
        tls: None,
        contact: Contact {
            state: HostState::Active { since: ago(900) },
            last_answer: NOW,
            engine_version: "20.10".into(),
            cpus: 2,
            memory: 1 << 30,
            made_at: None,
        },
        created_at: ago(900),
    }
}

/// The state of a case while its text is read.
pub struct Case {
    pub view: HostView,
    pub seen: Seen,
    want: u32,
    give_way: Option<(FlavorId, FlavorId)>,
    pub policy: Policy,
    deep: BTreeMap<FlavorId, DeepFacts>,
}

impl Case {
    fn new() -> Case {
        let view = HostView {
            host: host(9),
            clusters: Vec::new(),
            engine: EngineView::Seen(Seen::default()),
            memory: Memory::default(),
        };
        Case { view, seen: Seen::default(), want: 0, give_way: None, policy: Policy::default(), deep: BTreeMap::new() }
    }

    /// Reads a case.
    pub fn read(text: &str) -> Case {
        let mut case = Case::new();
        for part in text.split(';').map(str::trim).filter(|part| !part.is_empty()) {
            let words: Vec<&str> = part.split_whitespace().collect();
            match words[..] {
                ["capacity", n] => case.view.host.settings.capacity = n.parse().unwrap(),
                ["want", n] => case.want = n.parse().unwrap(),
                ["filling"] => case.view.host.purpose = HostPurpose::FillUp(asked()),
                // Cleaning turns autofill off by the same write.
                ["cleaning"] => case.view.host = case.view.host.with_purpose(HostPurpose::Clean(asked())),
                ["draining"] => case.view.host.purpose = HostPurpose::Drain(asked()),
                ["resetting", ref names @ ..] => {
                    let container = |name: &&str| ForeignThing {
                        kind: ForeignKind::Container,
                        id: "x".into(),
                        name: (*name).into(),
                    };
                    let foreign = names.iter().map(container).collect();
                    case.view.host.purpose = HostPurpose::Reset { asked: asked(), foreign };
                }
                ["gives-way"] => case.give_way = Some((flavor(), FlavorId::parse("g").unwrap())),
                ["tried-again"] => case.view.memory.forgive(Some(NOW)),
                ["came-back"] => case.view.host.contact.state = HostState::Active { since: ago(5) },
                ["made", seconds] => case.view.host.contact.made_at = Some(ago(seconds.parse().unwrap())),
                ["host-hold", seconds] => {
                    let not_before = NOW + Duration::from_secs(seconds.parse().unwrap());
                    let error = "no space left on device".to_owned();
                    case.view.memory.host_hold = Some(Retry { times: 1, failed_at: ago(9), not_before, error });
                }
                ["leaving"] => case.view.host.purpose = HostPurpose::Leave { asked: asked(), by_force: false },
                ["leaving-by-force"] => case.view.host.purpose = HostPurpose::Leave { asked: asked(), by_force: true },
                ["host-fails", times, seconds] => {
                    let tried = tried(times.parse().unwrap(), "web is in use", seconds.parse().unwrap());
                    case.view.memory.host_retry = Some(tried);
                }
                ["deep", seconds] => {
                    let every = Duration::from_secs(seconds.parse().unwrap());
                    case.deep.insert(flavor(), DeepFacts { every, needs_chaincode: false });
                }
                ["reached", seconds] => case.view.memory.heard_since = Some(ago(seconds.parse().unwrap())),
                ["beginning", slot] => {
                    case.view.memory.beginning.insert(Slot(slot.parse().unwrap()), flavor());
                }
                ["host-step"] => case.view.memory.host_step = Some(ago(1)),
                ["cordoned"] => case.view.host.settings.schedulable = false,
                ["by-hand"] => case.view.host.settings.autofill = false,
                ["away"] => case.view.engine = EngineView::Away { why: "refused".into() },
                ["inactive"] => {
                    case.view.engine = EngineView::Away { why: "refused".into() };
                    case.view.host.contact.state = HostState::Inactive { since: ago(9), why: "refused".into() };
                }
                ["blocked", slot] => {
                    case.seen.blocked.insert(Slot(slot.parse().unwrap()), "port 7050 is published by web".into());
                }
                ["at-once", n] => case.policy.bring_up_at_once = n.parse().unwrap(),
                ["orphan"] => {
                    case.seen.found.insert(orphan(), Found::default());
                }
                ["orphan-stays"] => {
                    case.seen.found.insert(orphan(), Found::default());
                    case.view.memory.retries.insert(orphan(), tried(3, "in use", 4));
                }
                ["write-hold"] => {
                    let not_before = NOW + Duration::from_secs(2);
                    case.view.memory.write_hold =
                        Some(Retry { times: 1, failed_at: ago(1), not_before, error: "disk full".into() });
                }
                ["flavor-fails", seconds] => {
                    let not_before = NOW + Duration::from_secs(seconds.parse().unwrap());
                    let retry = Retry { times: 2, failed_at: ago(1), not_before, error: "no such image".into() };
                    case.view.memory.failures.insert(flavor(), retry);
                }
                [phase, ref more @ ..] => case.cluster(phase, more),
                [] => {}
            }
        }
        if matches!(case.view.engine, EngineView::Seen(_)) {
            case.view.engine = EngineView::Seen(case.seen.clone());
        }
        case
    }

    /// What the pool wants of the host.
    pub fn target(&self) -> Target {
        Target { want: [(flavor(), self.want)].into(), give_way: self.give_way.clone() }
    }

    /// What is planned for it.
    pub fn plan(&self) -> Plan {
        let target = self.target();
        let facts = Facts {
            flavors: [(flavor(), "d".into()), (other_flavor(), "d".into())].into(),
            slots: 12,
            deep: self.deep.clone(),
        };
        plan_host(&self.view, &target, &facts, &self.policy, NOW)
    }
}

/// That the plan of a case is these lines: what is stopped, its steps, then what is held back.
pub fn check(case: &str, expected: &str) {
    let plan = Case::read(case).plan();
    let (stops, steps) = (plan.stops.iter().map(ToString::to_string), plan.steps.iter().map(ToString::to_string));
    let lines: Vec<String> = stops.chain(steps).chain(plan.held.iter().map(ToString::to_string)).collect();
    let expected: Vec<&str> = expected.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    assert_eq!(lines, expected, "{case}");
}
