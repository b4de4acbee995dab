//! Carries one action out: the store's writes and the engine's calls that it stands for. Decides nothing and tries
//! nothing twice; what came of it goes into the host's memory, and the next pass plans again.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use common::clock;
use common::compose::{Catalog, HttpProbe};
use common::model::{
    Actor, Cluster, ClusterId, ClusterName, Event, EventKind, FlavorId, Health, Host, IllegalMove, NewCluster, Node,
    NodeName, NodeState, Phase, Slot, SlotLayout, Timestamp,
};
use common::store::{SharedStore, StoreError};
use engine::{Engine, EngineError, Ownership, UpLimits};
use futures_util::future::join_all;
use tracing::{debug, info, warn};

use super::gate::Gate;
use super::memory::{Failure, Outcome};
use super::news::News;
use super::placement::{endpoints, project};
use super::plan::{Action, NodeChange, NodeStep, Step};
use super::probe;
use super::term::Term;

/// A peer writes its ledger at once and ends on the first signal; this is for one that does not.
const STOP_GRACE: Duration = Duration::from_secs(10);

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
    /// For probes.
    pub http: reqwest::Client,
    /// How long this process may act.
    pub term: Term,
    /// Who is told of changes in the store.
    pub news: News,
    /// Full looks at engines go through it.
    pub surveys: Gate,
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
        return look(hands, cluster).await;
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
        Action::Withdraw { .. } | Action::Record { .. } | Action::DeleteHost => {
            write_down(tools, host, cluster, step).await
        }
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
        Action::DeleteHost => {
            let event = event(clock::now(), EventKind::HostChanged, &step.why).about_host(&host.id);
            Ok(tools.store.delete_host(&host.id, host.version, event).await?)
        }
        _ => Err(Trouble::Vanished),
    }
}

fn judge(trouble: Trouble) -> Outcome {
    match trouble {
        Trouble::Store(StoreError::Conflict(_) | StoreError::NotFound(_) | StoreError::Taken { .. })
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
        Action::Look { .. } => Ok(()),
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
        Action::Withdraw { .. } | Action::Record { .. } | Action::DeleteHost => {
            write_down(&hands.tools, host, cluster, step).await
        }
        Action::ChangeNodes { changes, .. } => change_nodes(hands, known(cluster)?, changes, &step.why).await,
        Action::Readdress { address, .. } => {
            let from = known(cluster)?;
            Ok(store.move_cluster(from, &from.readdressed(address), None).await?)
        }
        Action::Fail { why, .. } => {
            let from = known(cluster)?;
            moved(store, from, &from.fail(why.clone(), now)?, EventKind::Failed, &step.why).await
        }
        Action::Remove { why, .. } => {
            let from = known(cluster)?;
            moved(store, from, &from.remove(why.clone(), now)?, EventKind::Removing, &step.why).await
        }
        Action::TakeDown { .. } => {
            let cluster = known(cluster)?;
            down(hands, &cluster.id).await?;
            let event = event(now, EventKind::Removed, &step.why).about(cluster);
            Ok(store.vanish(cluster, event).await?)
        }
        Action::Sweep { cluster } => {
            // Only what has no record on any host: the engine of another one may answer under this one's address.
            if store.cluster(cluster).await?.is_some() {
                return Err(Trouble::Vanished);
            }
            down(hands, cluster).await?;
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

/// Writes down the intent: from here on the next pass, of this process or another, makes it or removes it.
async fn begin(hands: &Hands, host: &Host, slot: Slot, flavor: &FlavorId, why: &str) -> Result<(), Trouble> {
    let now = clock::now();
    let flavor = hands.tools.catalog.flavor(flavor).ok_or(Trouble::Vanished)?;
    let id = ClusterId::random();
    let name = ClusterName::of(&host.settings.name, slot);
    let tools = &hands.tools;
    let project = project(&tools.catalog, &tools.layout, host, flavor, (&id, &name, slot)).map_err(Trouble::Plan)?;
    let cluster = Cluster::begin(NewCluster {
        id,
        name,
        host: host.id.clone(),
        host_name: host.settings.name.clone(),
        slot,
        flavor: flavor.id.clone(),
        flavor_digest: flavor.digest.clone(),
        size: flavor.size,
        nodes: project.lasting_nodes(),
        endpoints: endpoints(host, &project),
        now,
        deadline: now + project.create_within,
    });
    let event = event(now, EventKind::Creating, why).about(&cluster);
    Ok(hands.tools.store.insert_cluster(&cluster, event).await?)
}

async fn bring_up(hands: &Hands, host: &Host, cluster: &Cluster) -> Result<(), Trouble> {
    let flavor = hands.tools.catalog.flavor(&cluster.flavor).ok_or(Trouble::Vanished)?;
    let (tools, place) = (&hands.tools, (&cluster.id, &cluster.name, cluster.slot));
    let project = project(&tools.catalog, &tools.layout, host, flavor, place).map_err(Trouble::Plan)?;
    let owner = Ownership {
        pool: hands.tools.store.pool_id().clone(),
        cluster: cluster.id.clone(),
        host: host.id.clone(),
        slot: cluster.slot,
        flavor: cluster.flavor.clone(),
        flavor_digest: cluster.flavor_digest.clone(),
    };
    let fence = || hands.tools.term.check();
    let report = |progress: engine::Progress| {
        if let engine::Progress::Pulling { image } = &progress {
            info!("{}: pulling image {image}, which is not on the host", host.settings.name);
        } else {
            debug!("{}: {progress:?}", cluster.name);
        }
    };
    hands.engine.up(&project, &owner, &hands.limits, &fence, &report).await?;
    Ok(())
}

async fn down(hands: &Hands, cluster: &ClusterId) -> Result<(), Trouble> {
    let fence = || hands.tools.term.check();
    // Chaincode is named after the network id, which is the cluster's id, whatever the template says.
    let prefixes = [format!("{cluster}-")];
    hands.engine.down(hands.tools.store.pool_id(), cluster, &prefixes, &fence).await?;
    Ok(())
}

async fn look(hands: &Hands, cluster: Option<&Cluster>) -> Outcome {
    let Some(cluster) = cluster else { return Outcome::Stale };
    let at = clock::now();
    let leased = matches!(cluster.phase, Phase::InUse { .. });
    let result = match hands.tools.probes.get(&cluster.flavor) {
        Some(probes) => probe::ask(&hands.tools.http, &cluster.endpoints, probes).await,
        None => Err("its flavor is gone, and its probes with it".to_owned()),
    };
    // A leased cluster outlives its flavor: that its nodes run is all that can be said of it then.
    let same = hands.tools.catalog.flavor(&cluster.flavor).is_some_and(|now| now.digest == cluster.flavor_digest);
    let result = if leased && !same { Ok(()) } else { result };
    Outcome::Looked { at, result }
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

/// Changes nodes, all at once, and records those of which it is known how they are now.
async fn change_nodes(hands: &Hands, from: &Cluster, changes: &[NodeStep], why: &str) -> Result<(), Trouble> {
    let outcomes = join_all(changes.iter().map(|step| change_node(hands, step))).await;
    let (mut seen, mut words, mut failure) = (Vec::new(), Vec::new(), None);
    for (step, outcome) in changes.iter().zip(outcomes) {
        match outcome {
            Ok((state, done)) => {
                let container = Some(step.container.clone());
                seen.push((step.node.clone(), Node { container, state, restarted_seq: step.restart_seq }));
                words.push(format!("{} {done}", step.node));
            }
            Err(error) => failure = Some(error),
        }
    }
    if !seen.is_empty() {
        // What was proven of a free one before says nothing of its nodes now.
        let free = matches!(from.phase, Phase::Free { .. });
        let to = from.seen(seen, if free { Health::Unknown } else { from.health.clone() });
        let reason = format!("{}: {why}", words.join(", "));
        let event = event(clock::now(), EventKind::NodeChanged, &reason).about(&to);
        hands.tools.store.move_cluster(from, &to, Some(event)).await?;
    }
    failure.map_or(Ok(()), |error| Err(error.into()))
}

async fn change_node(hands: &Hands, step: &NodeStep) -> Result<(NodeState, &'static str), EngineError> {
    let fence = || hands.tools.term.check();
    match step.change {
        NodeChange::Start => {
            hands.engine.start_node(&step.container, &fence).await?;
            Ok((NodeState::Running, "started"))
        }
        NodeChange::Stop => {
            hands.engine.stop_node(&step.container, STOP_GRACE, &fence).await?;
            Ok((NodeState::Exited, "stopped"))
        }
        NodeChange::Restart => {
            hands.engine.restart_node(&step.container, STOP_GRACE, &fence).await?;
            Ok((NodeState::Running, "restarted"))
        }
    }
}
