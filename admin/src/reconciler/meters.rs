//! What the reconciler counts of its work, for `/metrics`. Counting costs a map's look-up, and decides nothing.

use std::collections::BTreeMap;
use std::time::Duration;

use common::metrics::{FlavorLabel, Histograms, Kind, KindAndOutcome, StoreCalls, observe, of_calls, of_makings};
use common::model::{Cluster, FlavorId, Host, Phase, Timestamp, Why};
use engine::{EngineError, Listener};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use super::execute::outcome::{Failure, Outcome};
use super::plan::Action;
use super::plan::pool::Target;

/// What got lost on its way, and is made good by a look at everything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dropped {
    /// Changes of the store that the reconciler was not told of.
    StoreChanges,
    /// An engine's events: its stream ended.
    EngineEvents,
    /// News for live pages.
    PageNews,
    /// An event that could not be written down; nothing makes it good.
    Records,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Made {
    flavor: String,
    outcome: &'static str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Removed {
    why: &'static str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct State {
    state: &'static str,
}

/// Counts what the reconciler of this process does. Cheap to clone; all clones count together.
#[derive(Clone, Debug)]
pub struct Meters {
    /// Its calls of the store, and those of the pages.
    pub store: StoreCalls,
    passes: Histogram,
    turns: Histogram,
    steps: Family<KindAndOutcome, Counter>,
    step_took: Histograms<Kind>,
    made: Family<Made, Counter>,
    make_took: Histograms<FlavorLabel>,
    removed: Family<Removed, Counter>,
    engine_calls: Family<KindAndOutcome, Counter>,
    engine_took: Histograms<Kind>,
    dropped: Family<Kind, Counter>,
    term: Gauge,
    hosts: Family<State, Gauge>,
    capacity: Family<State, Gauge>,
    wanted: Family<FlavorLabel, Gauge>,
}

impl Default for Meters {
    fn default() -> Self {
        let meters = Meters {
            store: StoreCalls::default(),
            passes: of_calls(),
            turns: of_calls(),
            steps: Family::default(),
            step_took: Family::new_with_constructor(of_calls),
            made: Family::default(),
            make_took: Family::new_with_constructor(of_makings),
            removed: Family::default(),
            engine_calls: Family::default(),
            engine_took: Family::new_with_constructor(of_calls),
            dropped: Family::default(),
            term: Gauge::default(),
            hosts: Family::default(),
            capacity: Family::default(),
            wanted: Family::default(),
        };
        // There from the beginning: an increase from nothing to one is none to a Prometheus.
        for what in [Dropped::StoreChanges, Dropped::EngineEvents, Dropped::PageNews, Dropped::Records] {
            drop(meters.dropped.get_or_create(&Kind { kind: what.word() }));
        }
        meters
    }
}

impl Meters {
    /// Names all families but the store's, which the page has anyway.
    pub fn register(&self, registry: &mut Registry) {
        macro_rules! families {
            ($($name:literal, $field:ident, $help:literal;)*) => {
                $(registry.register($name, $help, self.$field.clone());)*
            };
        }
        families! {
            "reconciler_pass_duration_seconds", passes, "Passes over one host: looked at, planned, begun";
            "reconciler_turn_duration_seconds", turns, "Turns of the leader: all hosts read and counted, targets made";
            "reconciler_steps", steps, "Steps of plans that ended, by kind and outcome";
            "reconciler_step_duration_seconds", step_took, "How long steps of plans took";
            "cluster_makes", made, "Makings of clusters that ended, by flavor and outcome";
            "cluster_make_duration_seconds", make_took, "From the intent to make a cluster to its being free";
            "cluster_removals", removed, "Clusters that are gone, by why they went";
            "engine_calls", engine_calls, "The reconciler's calls to Docker engines, by what was asked and outcome";
            "engine_call_duration_seconds", engine_took, "How long calls to Docker engines took";
            "events_dropped", dropped, "What got lost on its way, by kind; all but records is made good by a look at everything";
            "leader_term", term, "The term of the reconciler's lock while this process has it; 0 while it has not";
            "hosts", hosts, "Hosts, by whether they answer; told by the admin that leads";
            "capacity_clusters", capacity, "Clusters that hosts may hold, by whether they answer; told by the admin that leads";
            "clusters_wanted", wanted, "Free ones and ones in the making that the pool is to hold, by flavor; told by the admin that leads";
        }
    }

    /// A pass over a host ended.
    pub fn passed(&self, took: Duration) {
        observe(&self.passes, took);
    }

    /// A turn over all hosts ended: they are these, and this is wanted of them.
    pub fn turned<'a>(&self, took: Duration, hosts: &[Host], targets: impl Iterator<Item = &'a Target>) {
        observe(&self.turns, took);
        for (state, active) in [("active", true), ("inactive", false)] {
            let of_state = || hosts.iter().filter(|host| host.contact.state.is_active() == active);
            let capacity: i64 = of_state().map(|host| i64::from(host.settings.capacity)).sum();
            let count = i64::try_from(of_state().count()).unwrap_or(i64::MAX);
            self.hosts.get_or_create(&State { state }).set(count);
            self.capacity.get_or_create(&State { state }).set(capacity);
        }
        let mut wanted: BTreeMap<&FlavorId, i64> = BTreeMap::new();
        for (flavor, count) in targets.flat_map(|target| &target.want) {
            *wanted.entry(flavor).or_default() += i64::from(*count);
        }
        // A flavor that nobody wants any more is none from now on, not what it was.
        self.wanted.clear();
        for (flavor, count) in wanted {
            self.wanted.get_or_create(&label(flavor)).set(count);
        }
    }

    /// This process leads, in this term.
    pub fn leads(&self, term: u64) {
        self.term.set(i64::try_from(term).unwrap_or(i64::MAX));
    }

    /// This process leads no more: it knows nothing of the hosts.
    pub fn follows(&self) {
        self.term.set(0);
        self.hosts.clear();
        self.capacity.clear();
        self.wanted.clear();
    }

    /// Something got lost.
    pub fn dropped(&self, what: Dropped) {
        self.dropped.get_or_create(&Kind { kind: what.word() }).inc();
    }

    /// Hears each call to an engine.
    pub fn listener(&self) -> Listener {
        let meters = self.clone();
        Listener::new(move |call, took, error| meters.called(call, took, error))
    }

    /// A call to an engine ended.
    pub fn called(&self, call: &'static str, took: Duration, error: Option<&EngineError>) {
        let outcome = error.map_or("ok", EngineError::word);
        self.engine_calls.get_or_create(&KindAndOutcome { kind: call, outcome }).inc();
        observe(&self.engine_took.get_or_create(&Kind { kind: call }), took);
    }

    /// A step ended that was decided on this record.
    pub fn stepped(
        &self,
        action: &Action,
        cluster: Option<&Cluster>,
        outcome: &Outcome,
        took: Duration,
        now: Timestamp,
    ) {
        let kind = word(action);
        self.steps.get_or_create(&KindAndOutcome { kind, outcome: ended(outcome) }).inc();
        observe(&self.step_took.get_or_create(&Kind { kind }), took);
        let (Outcome::Done, Some(cluster)) = (outcome, cluster) else { return };
        let making = matches!(cluster.phase, Phase::Creating { .. });
        match action {
            Action::OfferOut { .. } if making => {
                observe(&self.make_took.get_or_create(&label(&cluster.flavor)), now.since(cluster.created_at));
                self.made(cluster, "made");
            }
            Action::Fail { .. } if making => self.made(cluster, "failed"),
            Action::Remove { .. } if making => self.made(cluster, "given_up"),
            Action::TakeDown { .. } | Action::DropRecord { .. } => {
                self.removed.get_or_create(&Removed { why: why_gone(&cluster.phase) }).inc();
            }
            _ => {}
        }
    }

    fn made(&self, cluster: &Cluster, outcome: &'static str) {
        self.made.get_or_create(&Made { flavor: cluster.flavor.to_string(), outcome }).inc();
    }
}

impl Dropped {
    fn word(self) -> &'static str {
        match self {
            Dropped::StoreChanges => "store_changes",
            Dropped::EngineEvents => "engine_events",
            Dropped::PageNews => "page_news",
            Dropped::Records => "records",
        }
    }
}

fn label(flavor: &FlavorId) -> FlavorLabel {
    FlavorLabel { flavor: flavor.to_string() }
}

fn ended(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Done => "done",
        Outcome::Stale => "stale",
        Outcome::Looked { result: Ok(()), .. } => "well",
        Outcome::Looked { result: Err(_), .. } => "ill",
        Outcome::Failed(Failure::Slot(_)) => "failed_slot",
        Outcome::Failed(Failure::Broke(_)) => "failed_broke",
        Outcome::Failed(Failure::Flavor(_)) => "failed_flavor",
        Outcome::Failed(Failure::Image(_)) => "failed_image",
        Outcome::Failed(Failure::Host(_)) => "failed_host",
        Outcome::Failed(Failure::Later(_)) => "failed_later",
        Outcome::Failed(Failure::Fenced) => "fenced",
    }
}

fn word(action: &Action) -> &'static str {
    match action {
        Action::Begin { .. } => "begin",
        Action::BringUp { .. } => "bring_up",
        Action::Look { .. } => "probe",
        Action::DeepLook { .. } => "deep_probe",
        Action::OfferOut { .. } => "offer_out",
        Action::OfferAgain { .. } => "offer_again",
        Action::Withdraw { .. } => "withdraw",
        Action::Record { .. } => "record",
        Action::ChangeNodes { .. } => "change_nodes",
        Action::Readdress { .. } => "readdress",
        Action::Fail { .. } => "fail",
        Action::Gather { .. } => "gather",
        Action::Lose { .. } => "lose",
        Action::Remove { .. } => "remove",
        Action::TakeDown { .. } => "take_down",
        Action::DropRecord { .. } => "drop_record",
        Action::Sweep { .. } => "sweep",
        Action::Prove { .. } => "prove",
        Action::EndPurpose { .. } => "end_purpose",
        Action::DeleteHost => "delete_host",
    }
}

/// Why a cluster went, by the phase that it went from.
fn why_gone(phase: &Phase) -> &'static str {
    match phase {
        Phase::Releasing { .. } => "released",
        Phase::Lost { .. } => "lost",
        Phase::Removing { why, .. } | Phase::Failed { why, .. } => match why {
            Why::Deleted { .. } => "deleted",
            Why::PoolShrunk => "pool_shrunk",
            Why::HostLeaves => "host_leaves",
            Why::HostCleared { .. } => "host_cleared",
            Why::GaveWay { .. } => "gave_way",
            Why::FlavorChanged => "flavor_changed",
            Why::CreateTimedOut { .. } => "create_timed_out",
            Why::CreateFailed { .. } => "create_failed",
            Why::Unhealthy { .. } => "unhealthy",
        },
        Phase::Creating { .. } | Phase::Free { .. } | Phase::InUse { .. } => "other",
    }
}
