//! Carries one action out: the store's writes and the engine's calls that it stands for. Decides nothing and tries
//! nothing twice; what came of it goes into the host's memory, and the next pass plans again.

mod deep;
pub mod gate;
mod gather;
mod host;
mod look;
mod make;
mod nodes;
pub mod outcome;
pub mod placement;
pub mod probe;
mod pulls;

use std::collections::BTreeMap;
use std::sync::Arc;

use common::clock::{self, Pace};
use common::compose::{Catalog, DeepProbe, HttpProbe};
use common::model::{
    Actor, Cluster, ClusterId, Event, EventKind, FlavorId, Health, Host, IllegalMove, Node, NodeName, SlotLayout,
    Timestamp,
};
use common::store::{SharedStore, StoreError};
use engine::{Engine, EngineError, UpLimits};
use tracing::{debug, info, warn};

use self::deep::deep_look;
use self::gate::Gate;
use self::gather::gather;
use self::host::end_purpose;
use self::look::look;
use self::make::{begin, bring_up};
use self::nodes::change_nodes;
use self::outcome::{Failure, Outcome};
pub use self::pulls::Pulls;
use super::leader::term::Term;
use super::meters::Meters;
use super::plan::{Action, Step};
use super::wake::news::News;
use crate::seal::Seal;

/// What carrying out needs, the same for all hosts.
pub struct Tools {
    /// Where records are.
    pub store: SharedStore,
    /// What flavors mean.
    pub catalog: Arc<Catalog>,
    /// What slots mean.
    pub layout: SlotLayout,
    /// What proves each flavor well.
    pub probes: BTreeMap<FlavorId, Vec<HttpProbe>>,
    /// What proves it deeply, if that is wanted.
    pub deep: BTreeMap<FlavorId, DeepProbe>,
    /// The way to hosts' daemons.
    pub seal: Seal,
    /// How long everything waits.
    pub pace: Pace,
    /// For probes.
    pub http: reqwest::Client,
    /// How long this process may act.
    pub term: Term,
    /// Who is told of changes in the store.
    pub news: News,
    /// What is counted.
    pub meters: Meters,
    /// Full looks at engines go through it.
    pub surveys: Gate,
    /// So do probes.
    pub looks: Gate,
}

/// What carrying out needs on one host.
#[derive(Clone)]
pub struct Hands {
    /// The same for all hosts.
    pub tools: Arc<Tools>,
    /// The host's engine.
    pub engine: Engine,
    /// How much may start there at once.
    pub limits: UpLimits,
    /// Told of images that are pulled.
    pub pulls: Pulls,
}

/// Why an action did not get done, before it is judged.
enum Trouble {
    Store(StoreError),
    Engine(EngineError),
    Move(IllegalMove),
    Plan(String),
    Vanished,
}

impl From<StoreError> for Trouble {
    fn from(error: StoreError) -> Self {
        Trouble::Store(error)
    }
}

impl From<EngineError> for Trouble {
    fn from(error: EngineError) -> Self {
        Trouble::Engine(error)
    }
}

impl From<IllegalMove> for Trouble {
    fn from(error: IllegalMove) -> Self {
        Trouble::Move(error)
    }
}

/// Carries one step out on a host; `cluster` is the record that the step was decided on.
pub async fn execute(hands: &Hands, host: &Host, cluster: Option<&Cluster>, step: &Step) -> Outcome {
    let began = clock::now();
    if !matches!(step.action, Action::Look { .. } | Action::Prove { .. }) {
        debug!(host.id = %host.id, "{step}");
    }
    if let Action::Look { .. } = &step.action {
        return hands.tools.looks.through(look(hands, cluster)).await;
    }
    if let (Action::DeepLook { .. }, Some(cluster)) = (&step.action, cluster) {
        return deep_look(hands, cluster).await.unwrap_or_else(judge);
    }
    match act(hands, host, cluster, step).await {
        Ok(()) => {
            let took_ms = clock::now().since(began).as_millis();
            if !matches!(step.action, Action::Prove { .. }) {
                info!(host.id = %host.id, took_ms, "{}: {step}", host.settings.name);
            }
            Outcome::Done
        }
        Err(trouble) => {
            let outcome = judge(trouble);
            if let Outcome::Failed(failure) = &outcome {
                warn!(host.id = %host.id, ?failure, "{}: could not {step}", host.settings.name);
            }
            outcome
        }
    }
}

/// Carries out what is the store's business alone, while the host's engine is away; the rest is put off.
pub async fn without_engine(tools: &Tools, host: &Host, cluster: Option<&Cluster>, step: &Step) -> Outcome {
    let done = match &step.action {
        Action::Withdraw { .. }
        | Action::Record { .. }
        | Action::Lose { .. }
        | Action::Remove { .. }
        | Action::DropRecord { .. }
        | Action::DeleteHost => write_down(tools, host, cluster, step).await,
        _ => Err(Trouble::Vanished),
    };
    done.map_or_else(judge, |()| Outcome::Done)
}

/// What both with and without an engine can be written down.
async fn write_down(tools: &Tools, host: &Host, cluster: Option<&Cluster>, step: &Step) -> Result<(), Trouble> {
    tools.term.check()?;
    match &step.action {
        Action::Withdraw { .. } => {
            let from = known(cluster)?;
            Ok(tools.store.move_cluster(from, &from.withdraw()?, None).await?)
        }
        Action::Record { nodes, health, .. } => record(&tools.store, known(cluster)?, nodes, health, &step.why).await,
        Action::Lose { reason, .. } => {
            let from = known(cluster)?;
            let to = from.lose(reason.clone(), clock::now())?;
            moved(&tools.store, from, &to, EventKind::Lost, &step.why).await
        }
        Action::Remove { why, .. } => {
            let from = known(cluster)?;
            let to = from.remove(why.clone(), clock::now())?;
            moved(&tools.store, from, &to, EventKind::Removing, &step.why).await
        }
        Action::DropRecord { .. } => {
            let cluster = known(cluster)?;
            let event = event(clock::now(), EventKind::Removed, &step.why).about(cluster);
            Ok(tools.store.vanish(cluster, event).await?)
        }
        Action::DeleteHost => {
            let event = event(clock::now(), EventKind::HostChanged, &step.why).about_host(&host.id);
            Ok(tools.store.delete_host(&host.id, host.version, event).await?)
        }
        _ => Err(Trouble::Vanished),
    }
}

fn judge(trouble: Trouble) -> Outcome {
    match trouble {
        Trouble::Store(
            StoreError::Conflict(_) | StoreError::NotFound(_) | StoreError::Taken { .. } | StoreError::Full,
        )
        | Trouble::Vanished => Outcome::Stale,
        Trouble::Move(error) => {
            debug!("decided on an old record: {error}");
            Outcome::Stale
        }
        Trouble::Store(error) => Outcome::Failed(Failure::Later(error.to_string())),
        Trouble::Plan(error) => Outcome::Failed(Failure::Flavor(error)),
        Trouble::Engine(error) => Outcome::Failed(Failure::of_engine(&error)),
    }
}

async fn act(hands: &Hands, host: &Host, cluster: Option<&Cluster>, step: &Step) -> Result<(), Trouble> {
    let store = &hands.tools.store;
    let now = clock::now();
    hands.tools.term.check()?;
    match &step.action {
        Action::Begin { slot, flavor } => begin(hands, host, *slot, flavor, &step.why).await,
        Action::BringUp { .. } => bring_up(hands, host, known(cluster)?).await,
        Action::Look { .. } | Action::DeepLook { .. } => Ok(()),
        Action::OfferOut { nodes, proven, until, .. } => {
            let from = known(cluster)?;
            let mut to = from.offer_out(rand::random(), *until, now)?;
            to.proven_at = Some(*proven);
            to.nodes.extend(nodes.iter().cloned());
            moved(store, from, &to, EventKind::Ready, &step.why).await
        }
        Action::OfferAgain { proven, until, .. } => {
            let from = known(cluster)?;
            let to = from.offer_again(rand::random(), *until, *proven)?;
            Ok(store.move_cluster(from, &to, None).await?)
        }
        Action::Withdraw { .. }
        | Action::Record { .. }
        | Action::Lose { .. }
        | Action::Remove { .. }
        | Action::DropRecord { .. }
        | Action::DeleteHost => write_down(&hands.tools, host, cluster, step).await,
        Action::Gather { why, timings, .. } => gather(hands, host, known(cluster)?, why, timings).await,
        Action::EndPurpose { foreign } => end_purpose(hands, host, foreign, &step.why).await,
        Action::ChangeNodes { changes, .. } => change_nodes(hands, known(cluster)?, changes, &step.why).await,
        Action::Readdress { address, .. } => {
            let from = known(cluster)?;
            Ok(store.move_cluster(from, &from.readdressed(address), None).await?)
        }
        Action::Fail { why, .. } => {
            let from = known(cluster)?;
            moved(store, from, &from.fail(why.clone(), now)?, EventKind::Failed, &step.why).await
        }
        Action::TakeDown { .. } => {
            let cluster = known(cluster)?;
            let why = match down(hands, &cluster.id).await {
                // Nothing of it runs or holds anything. The network is swept for as what has no record, and its slot is
                // passed over meanwhile; the cluster need not wait until somebody restarts the engine.
                Err(Trouble::Engine(error @ EngineError::NetworkStuck { .. })) => format!("{}; {error}", step.why),
                outcome => outcome.map(|()| step.why.clone())?,
            };
            let event = event(now, EventKind::Removed, &why).about(cluster);
            Ok(store.vanish(cluster, event).await?)
        }
        Action::Sweep { cluster } => {
            // Only what has no record on any host: the engine of another one may answer under this one's address.
            if store.cluster(cluster).await?.is_some() {
                return Err(Trouble::Vanished);
            }
            down(hands, cluster).await?;
            hands.tools.term.check()?;
            let event = event(now, EventKind::Swept, &step.why).about_host(&host.id);
            Ok(store.append_events(&[event]).await?)
        }
        Action::Prove { proofs } => Ok(store.prove(proofs).await?),
    }
}

fn known(cluster: Option<&Cluster>) -> Result<&Cluster, Trouble> {
    cluster.ok_or(Trouble::Vanished)
}

fn event(now: Timestamp, kind: EventKind, why: &str) -> Event {
    Event::new(now, kind, Actor::Reconciler, why)
}

async fn moved(store: &SharedStore, from: &Cluster, to: &Cluster, kind: EventKind, why: &str) -> Result<(), Trouble> {
    let event = event(clock::now(), kind, why).about(to);
    Ok(store.move_cluster(from, to, Some(event)).await?)
}

async fn down(hands: &Hands, cluster: &ClusterId) -> Result<(), Trouble> {
    let fence = || hands.tools.term.check();
    // Chaincode is named after the network id, which is the cluster's id, whatever the template says.
    let prefixes = [format!("{cluster}-")];
    hands.engine.down(hands.tools.store.pool_id(), cluster, &prefixes, &fence).await?;
    Ok(())
}

async fn record(
    store: &SharedStore,
    from: &Cluster,
    nodes: &[(NodeName, Node)],
    health: &Health,
    why: &str,
) -> Result<(), Trouble> {
    let to = from.seen(nodes.to_vec(), health.clone());
    let turned = std::mem::discriminant(&from.health) != std::mem::discriminant(health);
    let event = turned.then(|| event(clock::now(), EventKind::HealthChanged, why).about(&to));
    Ok(store.move_cluster(from, &to, event).await?)
}
