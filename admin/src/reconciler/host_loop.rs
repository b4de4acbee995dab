//! The loop around one host: waits until something may have changed, observes, plans, starts what the plan says.
//!
//! Woken by the engine's events, by actions that end, by rings and by a timer. None of them carries data; each only
//! says "look again", so that missing one costs seconds. The loop owns the host's memory; actions run beside it and
//! hand their outcomes back to it, so nothing here is shared.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use common::clock;
use common::model::{Actor, Cluster, ClusterId, DaemonUrl, Event, EventKind, Host, HostId, Phase, Timestamp};
use common::store::StoreError;
use engine::{EngineError, UpLimits};
use tokio::sync::watch;
use tokio::task::{self, JoinError, JoinSet};
use tokio::time::Instant;
use tracing::{info, warn};

use super::answer::{ping, while_it_lives};
use super::contact::{Tries, contact};
use super::ends::Ends;
use super::execute::{Hands, Tools, execute, without_engine};
use super::link::{Dirty, Link};
use super::memory::{Failure, Outcome};
use super::observe;
use super::outlook::Outlooks;
use super::outlook_of;
use super::plan::{Plan, Step};
use super::plan_host::{Facts, plan_host};
use super::plan_pool::Target;
use super::policy::Policy;
use super::standing::{Standing, Standings};
use super::starts::Starts;
use super::view::{EngineView, HostView, Memory, Seen};

/// The timer's turn when nothing else happens.
const TICK: Duration = Duration::from_secs(5);
/// Two passes are at least so far apart: a bring-up makes a dozen events in a moment.
const PASS_GAP: Duration = Duration::from_millis(100);
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
    /// Grows with every ring.
    pub rings: u64,
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
    let mut state = HostLoop {
        tools,
        id: host,
        limits: UpLimits::new(starts.limit()),
        starts,
        link: None,
        memory: Memory::default(),
        under_way: JoinSet::new(),
        steps: HashMap::new(),
        seen: None,
        tries: Tries::default(),
        away: None,
        ends: Ends::default(),
        version: 0,
        dirty: Arc::new(Dirty::default()),
    };
    loop {
        let orders_now = orders.borrow_and_update().clone();
        let wait = match state.pass(&orders_now, &told).await {
            Pass::Gone => break,
            Pass::Again(wait) => wait,
        };
        tokio::time::sleep(state.tools.pace.of(PASS_GAP)).await;
        tokio::select! {
            changed = orders.changed() => if changed.is_err() { break },
            () = state.dirty.notify.notified() => {}
            Some(ended) = state.under_way.join_next_with_id(), if !state.under_way.is_empty() => state.ended(ended, &orders_now.policy),
            () = tokio::time::sleep(wait) => {}
        }
    }
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

struct HostLoop {
    tools: Arc<Tools>,
    id: HostId,
    limits: UpLimits,
    starts: Starts,
    link: Option<Link>,
    memory: Memory,
    under_way: JoinSet<Ended>,
    steps: HashMap<task::Id, Step>,
    seen: Option<(Instant, Seen)>,
    tries: Tries,
    /// While the engine does not answer: when the next try is due, and how the last one ended.
    away: Option<(Instant, EngineError)>,
    ends: Ends,
    /// The host's version when it was last looked at in full.
    version: u64,
    dirty: Arc<Dirty>,
}

impl HostLoop {
    async fn pass(&mut self, orders: &Orders, told: &Told) -> Pass {
        while let Some(ended) = self.under_way.try_join_next_with_id() {
            self.ended(ended, &orders.policy);
        }
        // The engine first, the records after it: what is found without a record then really has none.
        let (url, engine_id) = match self.tools.store.host(&self.id).await {
            Ok(Some(host)) => {
                // What operators want now is begun and ended on what is there now.
                if self.version != host.version {
                    (self.version, self.seen) = (host.version, None);
                }
                (host.settings.daemon_url, host.engine_id)
            }
            Ok(None) => return Pass::Gone,
            Err(error) => return self.blind(&error, &told.outlooks),
        };
        let engine = self.look_at_engine(&url, &engine_id).await;
        let (host, clusters) = match observe::records(&self.tools.store, &self.id).await {
            Ok(Some(records)) => records,
            Ok(None) => return Pass::Gone,
            Err(error) => return self.blind(&error, &told.outlooks),
        };
        let now = clock::now();
        let host = self.note_contact(host, engine.as_ref().err(), now).await;
        let found = engine.iter().flat_map(|seen| seen.found.keys().cloned());
        let known: BTreeSet<ClusterId> = clusters.iter().map(|c| c.id.clone()).chain(found).collect();
        self.memory.keep_only(&known);
        self.memory.forgive(host.try_again);
        self.learn_starts(&host);
        let view = HostView {
            host,
            clusters,
            engine: match engine {
                Ok(seen) => EngineView::Seen(seen),
                Err(error) => EngineView::Away { why: error.to_string() },
            },
            memory: self.memory.clone(),
        };
        let plan = plan_host(&view, &orders.target, &orders.facts, &orders.policy, now);
        told.outlooks.put(&outlook_of::Pass {
            view: &view,
            plan: &plan,
            target: &orders.target,
            policy: &orders.policy,
            tries: &self.tries,
            pause: self.tries.pause(self.tools.pace),
            now,
        });
        told.standings.put(&self.id, Standing::of(&view, &orders.policy, now));
        let wait = self.wait(&plan, now);
        self.start(view, plan);
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
        Pass::Again(self.tools.pace.of(BLIND_PAUSE))
    }

    fn wait(&self, plan: &Plan, now: Timestamp) -> Duration {
        if let Some((next, _)) = &self.away {
            return next.saturating_duration_since(Instant::now());
        }
        // Not all hosts at the same moment.
        let tick = self.tools.pace.of(TICK).mul_f64(0.8 + 0.4 * rand::random::<f64>());
        plan.wake_at.map_or(tick, |at| at.since(now).min(tick))
    }

    /// A full look if something may have changed, else a ping when it is time, else what was seen last.
    async fn look_at_engine(&mut self, url: &DaemonUrl, engine_id: &str) -> Result<Seen, EngineError> {
        // Whatever woke the loop, tries are apart: one moment's trouble is one try.
        if let Some((_, error)) = self.away.as_ref().filter(|(next, _)| Instant::now() < *next) {
            return Err(error.clone());
        }
        let result = self.look_or_ping(url, engine_id).await;
        self.away = None;
        if let Err(error) = &result {
            // The next answer after a failure is a full look, over a new connection.
            self.tries.bad();
            (self.link, self.seen) = (None, None);
            self.away = Some((Instant::now() + self.tries.pause(self.tools.pace), error.clone()));
        }
        result
    }

    async fn look_or_ping(&mut self, url: &DaemonUrl, engine_id: &str) -> Result<Seen, EngineError> {
        let pace = self.tools.pace;
        let heard = self.dirty.take();
        let now = clock::now();
        heard.died.into_iter().for_each(|(cluster, how)| self.memory.suspect(cluster, how, now));
        if heard.broken || self.link.as_ref().is_some_and(|link| link.url != *url) {
            (self.link, self.seen) = (None, None);
        }
        let engine = match &self.link {
            Some(link) => link.engine.clone(),
            None => {
                let link = Link::connect(url, engine_id, self.tools.store.pool_id(), pace, &self.dirty).await?;
                self.memory.heard_since = Some(clock::now());
                self.link.insert(link).engine.clone()
            }
        };
        if let Some((at, seen)) =
            self.seen.as_ref().filter(|(at, _)| !heard.look && at.elapsed() < pace.of(SURVEY_EVERY))
        {
            let ping_every = pace.of(PING_EVERY);
            let answered = self.tries.answered.map_or(ping_every, |answered| clock::now().since(answered));
            if answered >= ping_every && at.elapsed() >= ping_every {
                ping(&engine, pace).await?;
                self.tries.good(clock::now());
            }
            return Ok(seen.clone());
        }
        let pool = self.tools.store.pool_id();
        let survey = while_it_lives(&engine, pace, engine.survey(pool, &self.tools.layout)).await?;
        self.tries.good(clock::now());
        let mut seen = observe::seen(survey);
        self.ends.tell(&engine, pool, pace, &mut seen).await;
        self.seen = Some((Instant::now(), seen.clone()));
        Ok(seen)
    }

    async fn note_contact(&mut self, mut host: Host, error: Option<&EngineError>, now: Timestamp) -> Host {
        // Who leads no more has nothing to say.
        if self.tools.term.check().is_err() {
            return host;
        }
        let words = error.map(EngineError::to_string);
        self.tries.made_at = self.memory.made_at;
        if let Some(contact) = contact(&host.contact, &self.tries, words.as_deref(), now, self.tools.pace) {
            if contact.state.is_active() != host.contact.state.is_active() {
                let reason =
                    words.as_ref().map_or_else(|| "it answers again".to_owned(), |why| format!("it is away: {why}"));
                info!(host.id = %host.id, "host {}: {reason}", host.settings.name);
                let event = Event::new(now, EventKind::HostContact, Actor::Reconciler, reason).about_host(&host.id);
                if let Err(error) = self.tools.store.append_events(&[event]).await {
                    warn!(host.id = %host.id, "the event could not be written: {error}");
                }
            }
            if let Err(error) = self.tools.store.note_contact(&host.id, &contact).await {
                warn!(host.id = %host.id, "could not record the contact with host {}: {error}", host.settings.name);
            } else {
                host.contact = contact;
            }
        }
        host
    }

    fn start(&mut self, view: HostView, plan: Plan) {
        let engine = self.link.as_ref().map(|link| link.engine.clone());
        let host = Arc::new(view.host);
        let mut clusters: BTreeMap<ClusterId, Cluster> = view.clusters.into_iter().map(|c| (c.id.clone(), c)).collect();
        for step in plan.steps {
            let cluster = step.action.cluster().and_then(|id| clusters.remove(id));
            self.memory.begin(&step, clock::now());
            let (tools, limits, host, todo) = (self.tools.clone(), self.limits.clone(), host.clone(), step.clone());
            let engine = engine.clone();
            let task = self.under_way.spawn(async move {
                let outcome = match engine {
                    Some(engine) => execute(&Hands { tools, engine, limits }, &host, cluster.as_ref(), &todo).await,
                    None => without_engine(&tools, &host, cluster.as_ref(), &todo).await,
                };
                Ended { cluster, outcome }
            });
            self.steps.insert(task.id(), step);
        }
    }

    fn ended(&mut self, ended: Result<(task::Id, Ended), JoinError>, policy: &Policy) {
        let (id, ended) = match ended {
            Ok((id, ended)) => (id, ended),
            Err(error) => {
                warn!(host.id = %self.id, "an action panicked: {error}");
                let outcome = Outcome::Failed(Failure::Later("it panicked; see the log".into()));
                (error.id(), Ended { cluster: None, outcome })
            }
        };
        let Some(step) = self.steps.remove(&id) else { return };
        let Ended { cluster, outcome } = ended;
        let lasting = cluster.as_ref().is_some_and(|c| matches!(c.phase, Phase::Free { .. } | Phase::InUse { .. }));
        // A network that does not answer may have lost nodes of which no event told.
        let bad_look = lasting && matches!(outcome, Outcome::Looked { result: Err(_), .. });
        if step.action.touches_engine() || bad_look {
            self.dirty.set();
        }
        self.memory.end(&step, cluster.as_ref(), &outcome, policy, clock::now());
    }
}
