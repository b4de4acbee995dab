//! The points at which something goes wrong: each call to the engine and each call to the store that a story makes.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use e2e::tripwire::{Mishap, Trip, WRITES};
use simdocker::{Call, FaultKind, FaultRule};

/// Where, and what.
#[derive(Clone, Debug, PartialEq)]
pub enum Point {
    /// A call to the engine is struck.
    Fault(Spot, FaultKind),
    /// The reconciler dies right before a call to the engine is carried out, or right after.
    KillAtCall(Spot, When),
    /// A call to the store goes wrong, or the reconciler dies there.
    Store(Trip),
}

/// The how-manieth call of a kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spot {
    /// `GET`, ...
    pub method: String,
    /// With `*` in the place of ids.
    pub path: String,
    /// From 1.
    pub nth: u64,
}

/// Before or after.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// It is not carried out.
    Before,
    /// It is carried out, and nobody hears of it.
    After,
}

/// What a story did when nothing went wrong.
#[derive(Clone, Debug, Default)]
pub struct Learnt {
    /// Calls to the engine, by method and path.
    pub calls: BTreeMap<(String, String), u64>,
    /// Calls to the store, by method.
    pub store: BTreeMap<&'static str, u64>,
}

/// Waits of a slow answer: one that most deadlines allow, and one that none does at this pace.
pub const SLOW: [Duration; 2] = [Duration::from_millis(120), Duration::from_millis(6_400)];

impl Learnt {
    /// From what was seen.
    pub fn new(calls: &[Call], store: BTreeMap<&'static str, u64>) -> Learnt {
        let mut learnt = Learnt { calls: BTreeMap::new(), store };
        for call in calls {
            *learnt.calls.entry((call.method.clone(), pattern(&call.path))).or_default() += 1;
        }
        learnt
    }

    /// At least what both saw.
    pub fn with(mut self, other: Learnt) -> Learnt {
        for (call, count) in other.calls {
            let known = self.calls.entry(call).or_default();
            *known = count.max(*known);
        }
        for (call, count) in other.store {
            let known = self.store.entry(call).or_default();
            *known = count.max(*known);
        }
        self
    }

    /// Every point.
    pub fn points(&self) -> Vec<Point> {
        let mut points = Vec::new();
        for ((method, path), count) in &self.calls {
            for nth in 1..=*count {
                let spot = Spot { method: method.clone(), path: path.clone(), nth };
                points.extend(faults(method, path).into_iter().map(|fault| Point::Fault(spot.clone(), fault)));
                points.push(Point::KillAtCall(spot.clone(), When::Before));
                if method != "GET" {
                    points.push(Point::KillAtCall(spot, When::After));
                }
            }
        }
        for (call, count) in &self.store {
            let mishaps: &[Mishap] = if WRITES.contains(call) {
                &[Mishap::StopBefore, Mishap::StopAfter, Mishap::Refuse, Mishap::LoseAnswer]
            } else {
                &[Mishap::Refuse]
            };
            for nth in 1..=*count {
                let trip = |mishap: &Mishap| Point::Store(Trip { call: (*call).to_owned(), nth, mishap: *mishap });
                points.extend(mishaps.iter().map(trip));
            }
        }
        points
    }
}

/// What can go wrong with a call. Those that do nothing to it (a lie where the simulated engine knows none) are left out.
fn faults(method: &str, path: &str) -> Vec<FaultKind> {
    let mut faults = vec![
        FaultKind::Refuse,
        FaultKind::Reset,
        FaultKind::Hang,
        FaultKind::error(500, "something is wrong"),
        FaultKind::Cut,
        FaultKind::LoseAnswer,
    ];
    faults.extend(SLOW.map(FaultKind::slow));
    let reads = method == "GET";
    if !reads {
        faults.push(FaultKind::Withhold);
    }
    if !reads || matches!(path, "/containers/json" | "/networks" | "/volumes" | "/images/json") {
        faults.push(FaultKind::Lie);
    }
    if matches!(path, "/containers/create" | "/containers/*/start" | "/containers/*/restart") {
        faults.push(FaultKind::DieLater { after_ms: 40, exit_code: 1 });
    }
    faults
}

/// A path with `*` in the place of what is another's each time.
fn pattern(path: &str) -> String {
    let parts: Vec<&str> = path.trim_start_matches('/').split('/').collect();
    match parts.as_slice() {
        ["images", "json"] => path.to_owned(),
        ["images", .., "json"] => "/images/*/json".to_owned(),
        ["images", ..] => "/images/*".to_owned(),
        [kind, "json" | "create"] => format!("/{kind}/{}", parts[1]),
        [kind, _] => format!("/{kind}/*"),
        [kind, _, verb] => format!("/{kind}/*/{verb}"),
        _ => path.to_owned(),
    }
}

impl Spot {
    /// The rule that strikes there.
    pub fn rule(&self, fault: FaultKind) -> FaultRule {
        FaultRule { nth: self.nth, ..FaultRule::next(&self.method, &self.path, fault) }
    }
}

impl fmt::Display for Spot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} #{}", self.method, self.path, self.nth)
    }
}

impl fmt::Display for Point {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Point::Fault(spot, fault) => write!(f, "{spot}: {fault:?}"),
            Point::KillAtCall(spot, when) => write!(f, "{spot}: killed {when:?}"),
            Point::Store(trip) => write!(f, "store {} #{}: {:?}", trip.call, trip.nth, trip.mishap),
        }
    }
}
