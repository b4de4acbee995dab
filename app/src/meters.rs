//! What this program counts of its own, for `/metrics`.

use common::metrics::{FlavorLabel, Kind, KindAndOutcome, Outcome};
use common::model::{FlavorId, WishChange};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;

use crate::lease_ops::Wished;

/// What came of an apply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ApplyEnd {
    /// A network was given.
    Given,
    /// She has one of these already, and was told of it.
    Held,
    /// None was free.
    NoneFree,
    /// She is at her limit.
    Quota,
    /// What was asked for is nothing that there is, or not this caller's to ask for, or its key gave one that is released.
    Refused,
    /// The store did not do it.
    Failed,
}

/// What came of a release of one cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReleaseEnd {
    /// It is released.
    Released,
    /// There was nothing to release.
    Nothing,
    /// The store did not do it.
    Failed,
}

/// Counts what users do. Cheap to clone; all clones count together.
#[derive(Clone, Debug)]
pub struct Meters {
    applies: Family<Outcome, Counter>,
    releases: Family<Outcome, Counter>,
    wishes: Family<KindAndOutcome, Counter>,
    given: Family<FlavorLabel, Counter>,
    missed: Family<FlavorLabel, Counter>,
    refused_tokens: Family<Kind, Counter>,
}

impl Default for Meters {
    fn default() -> Self {
        let meters = Meters {
            applies: Family::default(),
            releases: Family::default(),
            wishes: Family::default(),
            given: Family::default(),
            missed: Family::default(),
            refused_tokens: Family::default(),
        };
        // There from the beginning: an increase from nothing to one is none to a Prometheus.
        for end in ApplyEnd::ALL {
            drop(meters.applies.get_or_create(&Outcome { outcome: end.word() }));
        }
        for end in [ReleaseEnd::Released, ReleaseEnd::Nothing, ReleaseEnd::Failed] {
            drop(meters.releases.get_or_create(&Outcome { outcome: end.word() }));
        }
        meters
    }
}

impl Meters {
    /// With the flavors that there are, so that each has its zeros.
    pub fn of<'a>(flavors: impl Iterator<Item = &'a FlavorId>) -> Meters {
        let meters = Meters::default();
        for flavor in flavors {
            drop(meters.given.get_or_create(&label(flavor)));
            drop(meters.missed.get_or_create(&label(flavor)));
        }
        meters
    }

    /// Names all families.
    pub fn register(&self, registry: &mut Registry) {
        let help = "Applies, by what came of them; refused: for what was asked, not for want of a token";
        registry.register("applies", help, self.applies.clone());
        let help = "Releases of one cluster each, by what came of them";
        registry.register("releases", help, self.releases.clone());
        let help = "Starts, stops and restarts that users wanted, by what came of them while they waited";
        registry.register("wishes", help, self.wishes.clone());
        registry.register("demand_given", "Clusters given, by flavor", self.given.clone());
        let help = "Users who would have taken this flavor and got none, each counted once a minute";
        registry.register("demand_missed", help, self.missed.clone());
        let help = "Calls without a token that is good, by what is wrong with it";
        registry.register("tokens_refused", help, self.refused_tokens.clone());
    }

    /// An apply ended.
    pub fn applied(&self, end: ApplyEnd) {
        self.applies.get_or_create(&Outcome { outcome: end.word() }).inc();
    }

    /// A release ended.
    pub fn released(&self, end: ReleaseEnd) {
        self.releases.get_or_create(&Outcome { outcome: end.word() }).inc();
    }

    /// A wish ended; `None`: the store did not do it.
    pub fn wished(&self, change: WishChange, end: Option<Wished>) {
        let kind = match change {
            WishChange::Start => "start",
            WishChange::Stop => "stop",
            WishChange::Restart => "restart",
        };
        let outcome = match end {
            Some(Wished::Done) => "done",
            Some(Wished::UnderWay) => "under_way",
            Some(Wished::Refused) => "refused",
            None => "failed",
        };
        self.wishes.get_or_create(&KindAndOutcome { kind, outcome }).inc();
    }

    /// One of this flavor was given.
    pub fn given(&self, flavor: &FlavorId) {
        self.given.get_or_create(&label(flavor)).inc();
    }

    /// One of this flavor was wanted and not there.
    pub fn missed(&self, flavor: &FlavorId) {
        self.missed.get_or_create(&label(flavor)).inc();
    }

    /// A call without a good token.
    pub fn refused_token(&self, why: &'static str) {
        self.refused_tokens.get_or_create(&Kind { kind: why }).inc();
    }
}

impl ApplyEnd {
    const ALL: [ApplyEnd; 6] =
        [ApplyEnd::Given, ApplyEnd::Held, ApplyEnd::NoneFree, ApplyEnd::Quota, ApplyEnd::Refused, ApplyEnd::Failed];

    fn word(self) -> &'static str {
        match self {
            ApplyEnd::Given => "given",
            ApplyEnd::Held => "held",
            ApplyEnd::NoneFree => "none_free",
            ApplyEnd::Quota => "quota",
            ApplyEnd::Refused => "refused",
            ApplyEnd::Failed => "failed",
        }
    }
}

impl ReleaseEnd {
    fn word(self) -> &'static str {
        match self {
            ReleaseEnd::Released => "released",
            ReleaseEnd::Nothing => "nothing",
            ReleaseEnd::Failed => "failed",
        }
    }
}

fn label(flavor: &FlavorId) -> FlavorLabel {
    FlavorLabel { flavor: flavor.to_string() }
}
