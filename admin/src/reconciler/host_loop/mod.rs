//! The loop around one host: waits until something may have changed, observes, plans, starts what the plan says.
//!
//! Woken by the engine's events, by actions that end, by changes in the store and by a timer. None of them carries data;
//! each only says "look again", so that missing one costs seconds. The loop owns the host's memory; actions run beside it
//! and hand their outcomes back to it, so nothing here is shared.
//!
//! The clusters' records are kept only while something is under way, to be spared reading them for each probe that ends.
//! What is done, probes and proofs apart, is decided on records that were read in the same pass, whatever was kept.

mod engine_side;
mod turn;
mod work;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use common::clock;
use common::model::{Cluster, Host, HostId, Timestamp};
use common::store::StoreError;
use engine::{EngineError, UpLimits};
use tokio::sync::watch;
use tokio::task::{self, AbortHandle, JoinSet};
use tokio::time::Instant;
use tracing::{info, warn};

use super::contact::Tries;
use super::dirty::Dirty;
use super::ends::Ends;
use super::execute::{Pulls, Tools};
use super::link::Link;
use super::outcome::Outcome;
use super::outlook::Outlooks;
use super::outlook_of;
use super::plan::{Action, Plan, Step};
use super::plan_host::{Facts, plan_host};
use super::plan_pool::Target;
use super::policy::Policy;
use super::rest::Rest;
use super::standing::{Standing, Standings};
use super::starts::Starts;
use super::turns::Turns;
use super::view::{EngineView, Memory, Seen};

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
        // On the heap while it lasts: a pass and all that it awaits is 100 KiB, which each of a thousand hosts would hold at rest.
        let wait = match Box::pin(state.pass(&orders_now, &told)).await {
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

    async fn pass(&mut self, orders: &Orders, told: &Told) -> Pass {
        while let Some(ended) = self.under_way.try_join_next_with_id() {
            self.ended(ended, &orders.policy);
        }
        let heard = self.dirty.take();
        let old = self.records.host.as_ref().is_some_and(|host| host.version < orders.version);
        if old || heard.records || self.records.good_until.is_none_or(|until| until <= Instant::now()) {
            self.records = Records::default();
            self.rest = None;
        }
        let host = match self.records.host.take() {
            Some(host) => host,
            None => match self.tools.store.host(&self.id).await {
                Ok(Some(host)) => host,
                Ok(None) => return Pass::Gone,
                Err(error) => {
                    self.dirty.put_back(heard);
                    return self.blind(&error, &told.outlooks);
                }
            },
        };
        // What operators want now is begun and ended on what is there now.
        if self.version != host.version {
            (self.version, self.seen) = (host.version, None);
            // Tries of what was wanted before say nothing of what is wanted now.
            self.memory.host_retry = None;
            self.away = None;
        }
        let rest = self.rest.take().filter(|_| !heard.look && !heard.broken);
        let looked = self.look_at_engine(&host, &heard).await;
        if let (Some(rest), Ok(Looked::No)) = (rest, &looked)
            && rest.until > clock::now()
            && self.under_way.is_empty()
        {
            return self.stay_at_rest(rest, host, &orders.policy).await;
        }
        let engine = match looked {
            Ok(_) => Ok(()),
            Err(error) => Err(error.to_string()),
        };
        // The engine first, the records after it: what is found without a record then really has none.
        let (host, clusters, read_now) = match self.records.clusters.take() {
            Some(clusters) => (host, clusters, false),
            None => match self.read().await {
                Ok(Some((host, clusters))) => (host, clusters, true),
                Ok(None) => return Pass::Gone,
                Err(error) => return self.blind(&error, &told.outlooks),
            },
        };
        let now = clock::now();
        let host = self.note_contact(host, engine.as_ref().err(), now).await;
        let mut view = self.view(host, clusters, engine);
        let mut plan = plan_host(&view, &orders.target, &orders.facts, &orders.policy, now);
        if !read_now && acts(&plan) {
            let contact = view.host.contact.clone();
            match self.read().await {
                Ok(Some((host, clusters))) => (view.host, view.clusters) = (Host { contact, ..host }, clusters),
                Ok(None) => return Pass::Gone,
                Err(error) => {
                    self.take_back(view);
                    return self.blind(&error, &told.outlooks);
                }
            }
            plan = plan_host(&view, &orders.target, &orders.facts, &orders.policy, now);
        }
        // What is wanted since the look is ended on a look of its own.
        if view.host.version != self.version && plan.steps.iter().any(|step| step.action.is_of_host()) {
            plan.steps.retain(|step| !step.action.is_of_host());
            self.dirty.set();
        }
        told.outlooks.put(&outlook_of::Pass {
            view: &view,
            plan: &plan,
            target: &orders.target,
            policy: &orders.policy,
            tries: &self.tries,
            pause: self.tries.pause(self.tools.pace),
            now,
        });
        told.standings.put(&self.id, Standing::of(&view, &orders.facts, &orders.policy, now));
        let longest = if self.tools.news.is_watching() { REST } else { TICK };
        let seen = matches!(view.engine, EngineView::Seen(_));
        self.rest =
            Rest::after(&plan, &view.clusters, now, self.jittered(longest)).filter(|_| seen && self.steps.is_empty());
        let wait = self.wait(&plan, now);
        let (host, clusters) = self.take_back(view);
        self.start(&host, &clusters, plan);
        self.records.host = Some(host);
        self.records.clusters = (!self.steps.is_empty()).then_some(clusters);
        self.dirty.looked_in_full(&heard);
        Pass::Again(wait)
    }

    fn learn_starts(&mut self, host: &Host) {
        if self.starts.learn(self.limits.take_samples()) {
            self.limits.set(self.starts.limit());
            info!(host.id = %host.id, "host {}: {}", host.settings.name, self.starts.words());
        }
        self.memory.starts = self.starts.words();
    }

    fn blind(&mut self, error: &StoreError, outlooks: &Outlooks) -> Pass {
        warn!(host.id = %self.id, "nothing is changed on the host while the store does not answer: {error}");
        outlooks.blind(&self.id, error);
        self.records = Records::default();
        Pass::Again(self.tools.pace.of(BLIND_PAUSE))
    }
}

/// Whether anything but probes and their proofs is to be done.
fn acts(plan: &Plan) -> bool {
    !plan.stops.is_empty()
        || plan.steps.iter().any(|step| !matches!(step.action, Action::Look { .. } | Action::Prove { .. }))
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
