//! The loop around one host: waits until something may have changed, observes, plans, starts what the plan says.
//!
//! Woken by the engine's events, by actions that end, by changes in the store and by a timer. None of them carries data;
//! each only says "look again", so that missing one costs seconds. The loop owns the host's memory; actions run beside it
//! and hand their outcomes back to it, so nothing here is shared.
//!
//! The clusters' records are kept only while something is under way, to be spared reading them for each probe that ends.
//! What is done, probes and proofs apart, is decided on records that were read in the same pass, whatever was kept.

mod answer;
pub mod contact;
mod engine_side;
mod link;
mod pass;
mod starts;
mod turn;
mod work;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use common::model::{Cluster, Host, HostId, Timestamp};
use engine::{EngineError, UpLimits};
use tokio::sync::watch;
use tokio::task::{self, AbortHandle, JoinSet};
use tokio::time::Instant;

use self::contact::Tries;
use self::link::Link;
use self::starts::Starts;
use super::execute::outcome::Outcome;
use super::execute::{Pulls, Tools};
use super::leader::standings::Standings;
use super::memory::Memory;
use super::outlook::Outlooks;
use super::plan::Step;
use super::plan::host::Facts;
use super::plan::pool::Target;
use super::policy::Policy;
use super::view::Seen;
use super::view::ends::Ends;
use super::wake::dirty::Dirty;
use super::wake::rest::Rest;
use super::wake::turns::Turns;

/// The timer's turn while anything is held back, or changed without being waited for, or the store cannot be watched.
const TICK: Duration = Duration::from_secs(5);
/// The timer's turn at rest: changes are told, and this finds those that were not.
const REST: Duration = Duration::from_secs(90);
/// A ping this often shows that a silent event stream still stands on a living engine.
const PING_EVERY: Duration = Duration::from_secs(10);
/// A full look this often even if no event said so.
const SURVEY_EVERY: Duration = Duration::from_secs(300);
/// While the store does not answer, nothing is done; this long between tries.
const BLIND_PAUSE: Duration = Duration::from_secs(1);

/// What a host's loop is given from outside, always the latest.
#[derive(Clone, Debug, Default)]
pub struct Orders {
    /// What the pool wants of the host.
    pub target: Target,
    /// What flavors and slots there are.
    pub facts: Arc<Facts>,
    /// The numbers to go by.
    pub policy: Policy,
    /// The host's version as the leader read it: nothing is kept up on an older record of it.
    pub version: u64,
}

/// Whom a loop tells what it sees: pages and the leader.
#[derive(Clone, Debug, Default)]
pub struct Told {
    /// What pages are told.
    pub outlooks: Outlooks,
    /// What the leader is told.
    pub standings: Standings,
}

/// Runs until it is dropped or the host is gone. `max_starts` is the most container starts at once.
pub async fn run(tools: Arc<Tools>, host: HostId, max_starts: usize, mut orders: watch::Receiver<Orders>, told: Told) {
    let starts = Starts::new(max_starts);
    let dirty = Arc::new(Dirty::default());
    tools.news.join(&host, &dirty);
    let mut state = HostLoop {
        tools,
        id: host,
        limits: UpLimits::new(starts.limit()),
        starts,
        link: None,
        memory: Memory::default(),
        under_way: JoinSet::new(),
        steps: HashMap::new(),
        pulls: Pulls::default(),
        seen: None,
        tries: Tries::default(),
        away: None,
        ends: Ends::default(),
        version: 0,
        forgiven: None,
        noted: None,
        dirty,
        turns: Turns::new(Instant::now()),
        records: Records::default(),
        rest: None,
        extended: None,
    };
    loop {
        let ordered = orders.has_changed().unwrap_or(true);
        let orders_now = orders.borrow_and_update().clone();
        if ordered {
            state.rest = None;
        }
        let began = Instant::now();
        // On the heap while it lasts: a pass and all that it awaits is 100 KiB, which each of a thousand hosts would hold at rest.
        let passed = Box::pin(state.pass(&orders_now, &told)).await;
        state.tools.meters.passed(began.elapsed());
        let wait = match passed {
            Pass::Gone => break,
            Pass::Again(wait) => wait,
        };
        if !state.until_news(&mut orders, Instant::now() + wait, &orders_now.policy).await {
            break;
        }
    }
    state.tools.news.leave(&state.dirty);
    told.outlooks.remove(&state.id);
    told.standings.remove(&state.id);
}

enum Pass {
    Gone,
    Again(Duration),
}

struct Ended {
    cluster: Option<Cluster>,
    outcome: Outcome,
}

/// What the store said last.
#[derive(Default)]
struct Records {
    host: Option<Host>,
    /// Only while something is under way.
    clusters: Option<Vec<Cluster>>,
    /// After this they are read again even if nobody told of a change.
    good_until: Option<Instant>,
}

/// Whether the engine was looked at.
#[derive(PartialEq, Eq)]
enum Looked {
    InFull,
    No,
}

struct HostLoop {
    tools: Arc<Tools>,
    id: HostId,
    limits: UpLimits,
    starts: Starts,
    link: Option<Link>,
    memory: Memory,
    under_way: JoinSet<Ended>,
    /// What is under way, and how it is ended where it stands.
    steps: HashMap<task::Id, (Step, AbortHandle)>,
    /// Told by what is under way: images that are being pulled.
    pulls: Pulls,
    seen: Option<(Instant, Seen)>,
    tries: Tries,
    /// The engine's last answer as the host's record has it.
    noted: Option<Timestamp>,
    /// While the engine does not answer: when the next try is due, and how the last one ended.
    away: Option<(Instant, EngineError)>,
    ends: Ends,
    /// The host's version when it was last looked at in full.
    version: u64,
    /// The operators' last wish to try again that was heeded.
    forgiven: Option<Timestamp>,
    dirty: Arc<Dirty>,
    turns: Turns,
    records: Records,
    /// While there is nothing to do.
    rest: Option<Rest>,
    /// When the host's offers were last extended.
    extended: Option<Timestamp>,
}

impl HostLoop {
    /// Waits until something may have changed, or until then, and for the next pass' turn. False at the end of all orders.
    async fn until_news(&mut self, orders: &mut watch::Receiver<Orders>, mut until: Instant, policy: &Policy) -> bool {
        loop {
            tokio::select! {
                changed = orders.changed() => match changed {
                    // Marked again, so that the pass sees that they are new.
                    Ok(()) => { orders.mark_changed(); break }
                    Err(_) => return false,
                },
                () = self.dirty.notify.notified() => {
                    if self.dirty.is_urgent(|cluster| self.memory.busy.get(cluster).is_some_and(|busy| busy.work.ends_in_a_look())) {
                        break;
                    }
                }
                () = self.dirty.lazy.notified() => until = until.min(Instant::now() + self.jittered(TICK)),
                Some(ended) = self.under_way.join_next_with_id(), if !self.under_way.is_empty() => {
                    self.ended(ended, policy);
                    break;
                }
                () = tokio::time::sleep_until(until) => break,
            }
        }
        tokio::time::sleep(self.turns.next(Instant::now(), self.tools.pace)).await;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn size_of_answer<A, B, C, D, E, F>(_: impl Fn(A, B, C, D, E) -> F) -> usize {
        size_of::<F>()
    }

    #[test]
    fn a_host_at_rest_holds_no_room_for_what_a_pass_needs() {
        let bytes = size_of_answer(run);
        assert!(bytes < 16 * 1024, "{bytes} bytes a host");
    }
}
