//! What a text case ([`super`]) may say of a cluster's nodes. For tests.

use std::time::Duration;

use common::model::*;

use super::{NOW, ago, node};
use crate::reconciler::memory::*;
use crate::reconciler::plan::Work;
use crate::reconciler::view::*;

/// A node that runs.
pub(super) fn run(name: &str) -> (NodeName, FoundNode) {
    let container = format!("{name}-id");
    (node(name), FoundNode { container, state: NodeState::Running, ended: None, unhealthy: false })
}

/// Something that failed so often and is not tried for so many seconds.
pub(super) fn tried(times: u32, error: &str, seconds: u64) -> Retry {
    let backoff = Backoff { first: Duration::ZERO, limit: Duration::ZERO };
    let mut retry = Retry::after(None, error.into(), &backoff, ago(1));
    (retry.times, retry.not_before) = (times, NOW + Duration::from_secs(seconds));
    retry
}

/// Makes it so; false if this is said of no node.
pub(super) fn node_word(word: &str, cluster: &mut Cluster, found: &mut Found, memory: &mut Memory) -> bool {
    let vp1 = node("vp1");
    let is = |state, ended| FoundNode { state, ended, ..run("vp1").1 };
    let end = |code, oom| Some(End { code: Some(code), oom });
    let mut seen = |now: FoundNode| {
        found.nodes.insert(vp1.clone(), now);
    };
    let mut known = |state, words: Option<&str>| {
        cluster.nodes.get_mut(&vp1).unwrap().state = state;
        if let Some(words) = words {
            cluster.health = Health::Failing { since: ago(1), times: 1, seen: words.into() };
        }
    };
    match word {
        "dead-vp1" => seen(is(NodeState::Exited, None)),
        "crashed-vp1" => seen(is(NodeState::Exited, end(2, false))),
        "oom-vp1" => seen(is(NodeState::Exited, end(137, true))),
        "paused-vp1" => seen(is(NodeState::Paused, None)),
        "restarting-vp1" => seen(is(NodeState::Restarting, end(1, false))),
        "sick-vp1" => seen(FoundNode { unhealthy: true, ..run("vp1").1 }),
        "gone-vp1" => {
            found.nodes.remove(&vp1);
        }
        "known-dead-vp1" => {
            seen(is(NodeState::Exited, None));
            known(NodeState::Exited, Some("vp1 is not running"));
        }
        "known-stopped-vp1" => {
            seen(is(NodeState::Exited, None));
            known(NodeState::Exited, None);
        }
        "known-paused-vp1" => {
            seen(is(NodeState::Paused, None));
            known(NodeState::Paused, Some("vp1 is paused"));
        }
        "revived-vp1" => {
            let retry = tried(3, "it did not stay up", 4);
            memory.revivals.insert(cluster.id.clone(), [(vp1, retry)].into());
        }
        "died-twice" => {
            memory.deaths.insert(cluster.id.clone(), 2);
        }
        "died-thrice" => {
            memory.deaths.insert(cluster.id.clone(), 3);
        }
        "committing" => {
            memory.busy.insert(cluster.id.clone(), Busy { work: Work::Deep, since: ago(1) });
        }
        "stuck-now" | "stuck" | "stuck-thrice" => {
            let (at, bad) = match word {
                "stuck-now" => (ago(5), 1),
                "stuck" => (ago(10), 1),
                _ => (ago(10), 3),
            };
            memory.deep.insert(cluster.id.clone(), Look { at, result: Err("/height is 1".into()), bad });
        }
        "commits" => {
            memory.deep.insert(cluster.id.clone(), Look { at: ago(5), result: Ok(()), bad: 0 });
        }
        _ => return false,
    }
    true
}
