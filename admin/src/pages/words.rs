//! Words and numbers for people.

use std::time::Duration;

use common::model::{Cluster, Health, HostPurpose, HostState, NodeState, PhaseKind, Timestamp, TokenState, Want};
use common::store::HealthKind;
use serde::Serialize;

use crate::explain::{Explanation, Filled, Point, Source};

/// A point in time, exactly. How long ago that is, and in the reader's own zone, the page's script says: a text that
/// changed with every second would make every live page another one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct When {
    iso: String,
    text: String,
}

/// A short word in a coloured frame; its sign and its text say the same without the colour.
#[derive(Clone, Debug, Serialize)]
pub struct Badge {
    tone: &'static str,
    sign: &'static str,
    text: &'static str,
}

impl Badge {
    /// The word.
    pub fn text(&self) -> &'static str {
        self.text
    }
}

const fn badge(tone: &'static str, sign: &'static str, text: &'static str) -> Badge {
    Badge { tone, sign, text }
}

/// When something was or will be; the day only if it is not today.
pub fn when(at: Timestamp, now: Timestamp) -> When {
    let iso = at.to_string();
    // 2026-01-31T12:00:05.123Z
    let text = match (iso.get(..10), iso.get(11..19), now.to_string().get(..10)) {
        (Some(day), Some(time), Some(today)) if day == today => format!("{time} UTC"),
        (Some(day), Some(time), _) => format!("{day} {time} UTC"),
        _ => iso.clone(),
    };
    When { iso, text }
}

/// An explanation, laid out.
#[derive(Serialize)]
pub struct ExplanationView {
    wanted: Vec<PointView>,
    is: Vec<PointView>,
    doing: Vec<PointView>,
    held: Vec<PointView>,
    next: Vec<PointView>,
    /// Who tells it, unless that is this process.
    standing: Option<Standing>,
    /// When the reconciler last looked, if that is long ago.
    looked: Option<When>,
    /// Clusters that are up and are to be, while some are missing.
    filling: Option<Filled>,
}

/// That another admin leads, or none.
#[derive(Serialize)]
struct Standing {
    tone: &'static str,
    text: String,
}

/// Every host is looked at every few seconds; that a look is older is worth telling.
const LONG_AGO: Duration = Duration::from_secs(30);

#[derive(Serialize)]
struct PointView {
    what: String,
    why: Option<String>,
    since: Option<When>,
    at: Option<When>,
    times: Option<u32>,
    /// Where more of it is.
    link: Option<String>,
}

/// An explanation, laid out.
pub fn explanation(of: Explanation, now: Timestamp) -> ExplanationView {
    let views = |points: Vec<Point>| {
        points.into_iter().filter(|point| !point.routine).map(|point| PointView::of(point, now)).collect()
    };
    ExplanationView {
        wanted: views(of.wanted),
        is: views(of.is),
        doing: views(of.doing),
        held: views(of.held),
        next: views(of.next),
        standing: standing(of.told_by),
        looked: of.looked_at.filter(|at| now.since(*at) > LONG_AGO).map(|at| when(at, now)),
        filling: of.filled.filter(|filled| filled.up < filled.of),
    }
}

fn standing(told_by: Source) -> Option<Standing> {
    let (tone, text) = match told_by {
        Source::Here => return None,
        Source::Leader { address } => {
            ("info", format!("This admin stands by. What is being done is told by the admin that leads, at {address}."))
        }
        Source::Silent { address, why } => {
            ("bad", format!("This admin stands by, and the one that leads, at {address}, does not answer: {why}."))
        }
        Source::Nobody { why } => ("busy", format!("No admin leads, so nothing is being done: {why}.")),
    };
    Some(Standing { tone, text })
}

impl PointView {
    fn of(point: Point, now: Timestamp) -> PointView {
        let cluster = point.cluster_id.map(|id| format!("/clusters/{id}"));
        PointView {
            link: cluster.or_else(|| point.host_id.map(|id| format!("/hosts/{id}"))),
            what: point.what,
            why: point.why.filter(|why| !why.is_empty()),
            since: point.since.map(|at| when(at, now)),
            at: point.at.map(|at| when(at, now)),
            times: point.times.filter(|times| *times > 1),
        }
    }
}

/// A length of time, in its two largest units at most.
pub fn duration(length: Duration) -> String {
    let s = length.as_secs();
    match s {
        0..60 => format!("{s} s"),
        60..3600 => format!("{} min", s / 60),
        3600..86_400 => format!("{} h {} min", s / 3600, s % 3600 / 60),
        _ => format!("{} d {} h", s / 86_400, s % 86_400 / 3600),
    }
}

/// An amount of memory.
pub fn bytes(amount: u64) -> String {
    let mib = amount / (1 << 20);
    if mib < 1024 { format!("{mib} MiB") } else { format!("{}.{} GiB", mib / 1024, mib % 1024 * 10 / 1024) }
}

/// Whether a token is good.
pub fn token(state: TokenState) -> Badge {
    match state {
        TokenState::Live => badge("good", "●", "live"),
        TokenState::Expired => badge("idle", "○", "expired"),
        TokenState::Revoked => badge("idle", "✕", "revoked"),
    }
}

/// What pages count together as being removed.
pub const GOING: &[PhaseKind] = &[PhaseKind::Releasing, PhaseKind::Removing];

/// What they count as failed.
pub const FAILED: &[PhaseKind] = &[PhaseKind::Failed, PhaseKind::Lost];

/// What a cluster is.
pub fn phase(phase: PhaseKind) -> Badge {
    match phase {
        PhaseKind::Creating => badge("busy", "◔", "creating"),
        PhaseKind::Free => badge("good", "○", "free"),
        PhaseKind::InUse => badge("good", "●", "in use"),
        PhaseKind::Releasing => badge("busy", "◑", "releasing"),
        PhaseKind::Removing => badge("busy", "◑", "removing"),
        PhaseKind::Failed => badge("bad", "✕", "failed"),
        PhaseKind::Lost => badge("bad", "✕", "lost"),
    }
}

/// Whether a cluster is well.
fn health(health: &Health) -> Badge {
    health_kind(match health {
        Health::Ok => HealthKind::Ok,
        Health::Failing { .. } => HealthKind::Failing,
        Health::Unknown => HealthKind::Unknown,
    })
}

/// The same without what was seen.
pub fn health_kind(health: HealthKind) -> Badge {
    match health {
        HealthKind::Ok => badge("good", "✓", "well"),
        HealthKind::Failing => badge("bad", "✕", "failing"),
        HealthKind::Unknown => badge("idle", "?", "unknown"),
    }
}

/// Whether a cluster is well, and how much of it somebody has stopped: a node that was stopped on purpose is not ill, so its
/// health says nothing of that.
pub fn condition(cluster: &Cluster) -> Vec<Badge> {
    let stopped = || cluster.wishes.iter().filter(|(_, wish)| wish.want == Want::Stopped);
    let runs = |name| cluster.nodes.get(name).is_some_and(|node| node.state == NodeState::Running);
    let at_rest = matches!(cluster.phase.kind(), PhaseKind::Free | PhaseKind::InUse);
    let halt = match stopped().count() {
        _ if !at_rest => None,
        0 => None,
        _ if stopped().any(|(name, _)| runs(name)) => Some(badge("busy", "◑", "stopping")),
        n if n == cluster.wishes.len() => Some(badge("idle", "■", "stopped")),
        _ => Some(badge("idle", "■", "partly stopped")),
    };
    // Nobody asks what does not run at all whether it is well.
    let moot =
        !matches!(cluster.health, Health::Failing { .. }) && halt.as_ref().is_some_and(|halt| halt.text == "stopped");
    let health = (!moot).then(|| health(&cluster.health));
    health.into_iter().chain(halt).collect()
}

/// Whether a host answers.
pub fn host_state(state: &HostState) -> Badge {
    match state {
        HostState::Active { .. } => badge("good", "✓", "active"),
        HostState::Inactive { .. } => badge("bad", "✕", "inactive"),
    }
}

/// What operators want of a host; nothing while it is the ordinary service.
pub fn purpose(purpose: &HostPurpose) -> Option<Badge> {
    Some(match purpose {
        HostPurpose::Serve => return None,
        HostPurpose::FillUp(_) => badge("busy", "◔", "being filled up"),
        HostPurpose::Clean(_) => badge("busy", "◑", "being cleaned"),
        HostPurpose::Drain(_) => badge("busy", "◑", "drained"),
        HostPurpose::Reset { .. } => badge("busy", "◑", "being reset"),
        HostPurpose::Leave { by_force: false, .. } => badge("busy", "◑", "being deleted"),
        HostPurpose::Leave { by_force: true, .. } => badge("bad", "◑", "being deleted by force"),
    })
}

/// The word of [`HostPurpose::as_str`] for people.
pub fn purpose_word(word: &str) -> &'static str {
    match word {
        "serve" => "in service",
        "fill_up" => "being filled up",
        "clean" => "being cleaned",
        "drain" => "drained",
        "reset" => "being reset",
        _ => "being deleted",
    }
}

/// What a node is, beside what is wanted of it.
pub fn node(state: NodeState, want: Want) -> Badge {
    match (state, want) {
        (NodeState::Running, Want::Running) => badge("good", "✓", "running"),
        (NodeState::Running, Want::Stopped) => badge("busy", "◑", "stopping"),
        (NodeState::Exited | NodeState::Created | NodeState::Missing, Want::Stopped) => badge("idle", "■", "stopped"),
        (NodeState::Missing, Want::Running) => badge("busy", "◔", "not made yet"),
        (NodeState::Created, Want::Running) => badge("busy", "◔", "created, not started"),
        (NodeState::Exited, Want::Running) => badge("bad", "✕", "ended"),
        (NodeState::Paused, _) => badge("bad", "✕", "paused"),
        (NodeState::Restarting, _) => badge("busy", "◔", "restarting"),
        (NodeState::Dead, _) => badge("bad", "✕", "dead"),
        (NodeState::Gone, _) => badge("bad", "✕", "gone, with its ledger"),
    }
}

/// A cluster's own kind in a line: its flavor's title, else the flavor's name when the catalog has it no more.
pub fn flavor(catalog: &common::compose::Catalog, cluster: &Cluster) -> String {
    catalog.flavor(&cluster.flavor).map_or_else(|| cluster.flavor.to_string(), |flavor| flavor.title.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_time_are_short() {
        for (seconds, text) in [(0, "0 s"), (59, "59 s"), (60, "1 min"), (3700, "1 h 1 min"), (90_000, "1 d 1 h")] {
            assert_eq!(duration(Duration::from_secs(seconds)), text);
        }
    }

    #[test]
    fn a_time_is_told_alike_all_day() {
        let noon = Timestamp::from_millis(1_769_860_805_123);
        let told = when(noon, noon);
        assert_eq!((told.iso.as_str(), told.text.as_str()), ("2026-01-31T12:00:05.123Z", "12:00:05 UTC"));
        assert_eq!(when(noon, noon + Duration::from_secs(11 * 3600)), told);
        assert_eq!(when(noon, noon + Duration::from_secs(13 * 3600)).text, "2026-01-31 12:00:05 UTC");
        assert_eq!(when(Timestamp::from_millis(1_000), noon).text, "1970-01-01 00:00:01 UTC");
    }

    #[test]
    fn memory_is_told_in_gib() {
        assert_eq!(bytes(512 << 20), "512 MiB");
        assert_eq!(bytes((15 << 30) + (1 << 29)), "15.5 GiB");
    }
}
