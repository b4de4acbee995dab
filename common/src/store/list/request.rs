//! What can be asked of the lists, and what they answer. Fields that are `None` or empty do not restrict.

use std::collections::BTreeMap;

use super::{Cursor, ListPage, Search, Sort};
use crate::model::{FlavorId, HostId, PhaseKind, UserId};

macro_rules! sort {
    ($(#[$doc:meta])* $name:ident { $($(#[$of:meta])* $variant:ident = $word:literal),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $name {
            $($(#[$of])* $variant,)*
        }

        impl Sort for $name {
            const ALL: &'static [$name] = &[$($name::$variant),*];

            fn as_str(self) -> &'static str {
                match self {
                    $($name::$variant => $word,)*
                }
            }
        }
    };
}

sort!(
    /// Orders of clusters.
    ClusterSort {
        /// By their host's name at their creation, then by slot as a number.
        Name = "name",
        /// By when their making began.
        Created = "created",
        /// By flavor, then by when their making began.
        Flavor = "flavor",
        /// By when they became what they are; of those in use, by when they were given.
        Changed = "changed",
    }
);

sort!(
    /// Orders of lease records.
    RecordSort {
        /// By when they ended.
        Ended = "ended",
        /// By when they began.
        Applied = "applied",
        /// By how long they lasted.
        Held = "held",
    }
);

sort!(
    /// Orders of hosts. Those that are alike in it are by name.
    HostSort {
        /// By name, in either case.
        Name = "name",
        /// Active ones first.
        State = "state",
        /// By how many clusters they may hold.
        Capacity = "capacity",
        /// By how many clusters they hold, as [`HostQuery::counts`] says.
        Clusters = "clusters",
        /// By when they were added.
        Created = "created",
    }
);

sort!(
    /// Orders of failures.
    FailureSort {
        /// By when they failed.
        Failed = "failed",
        /// By name.
        Name = "name",
    }
);

/// A cluster's health without its data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HealthKind {
    /// Well.
    Ok,
    /// Not well.
    Failing,
    /// Not known.
    Unknown,
}

impl HealthKind {
    /// All of them.
    pub const ALL: [HealthKind; 3] = [HealthKind::Ok, HealthKind::Failing, HealthKind::Unknown];

    /// The word that the stores, JSON and URLs use.
    pub fn as_str(self) -> &'static str {
        match self {
            HealthKind::Ok => "ok",
            HealthKind::Failing => "failing",
            HealthKind::Unknown => "unknown",
        }
    }
}

/// Whether a host answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HostStateKind {
    /// It does.
    Active,
    /// It does not.
    Inactive,
}

impl HostStateKind {
    /// Both.
    pub const ALL: [HostStateKind; 2] = [HostStateKind::Active, HostStateKind::Inactive];

    /// The word that the stores, JSON and URLs use.
    pub fn as_str(self) -> &'static str {
        match self {
            HostStateKind::Active => "active",
            HostStateKind::Inactive => "inactive",
        }
    }
}

/// Which clusters, in which order.
#[derive(Clone, Debug)]
pub struct ClusterQuery {
    /// In one of these phases; empty: in any.
    pub phases: Vec<PhaseKind>,
    /// On this host.
    pub host: Option<HostId>,
    /// Held by this user, or given back by her and not gone yet.
    pub user: Option<UserId>,
    /// Of this flavor.
    pub flavor: Option<FlavorId>,
    /// Of this health.
    pub health: Option<HealthKind>,
    /// Whose name (so also its host's name), id or user begins with this.
    pub search: Option<Search>,
    /// The page.
    pub page: ListPage<ClusterSort>,
}

/// Which lease records, in which order.
#[derive(Clone, Debug)]
pub struct RecordQuery {
    /// Of this user.
    pub user: Option<UserId>,
    /// On this host.
    pub host: Option<HostId>,
    /// Of this flavor.
    pub flavor: Option<FlavorId>,
    /// Whose cluster's name (so also its host's name) or user begins with this.
    pub search: Option<Search>,
    /// The page.
    pub page: ListPage<RecordSort>,
}

/// Which hosts, in which order.
#[derive(Clone, Debug)]
pub struct HostQuery {
    /// Whose name, address or daemon URL has this in it, in either case.
    pub search: Option<Search>,
    /// In this state.
    pub state: Option<HostStateKind>,
    /// Schedulable or not.
    pub schedulable: Option<bool>,
    /// With this purpose: the word of [`crate::model::HostPurpose::as_str`].
    pub purpose: Option<&'static str>,
    /// How many clusters each has, for [`HostSort::Clusters`]; those that are not here have none. The store counts
    /// nothing for a list.
    pub counts: BTreeMap<HostId, u64>,
    /// The page.
    pub page: ListPage<HostSort>,
}

/// Which failures of those that are still known, in which order.
#[derive(Clone, Debug)]
pub struct FailureQuery {
    /// On this host.
    pub host: Option<HostId>,
    /// Of this flavor.
    pub flavor: Option<FlavorId>,
    /// Whose name (so also its host's name) or id begins with this.
    pub search: Option<Search>,
    /// The page.
    pub page: ListPage<FailureSort>,
}

/// A page of a list.
#[derive(Clone, Debug)]
pub struct Found<T> {
    /// What is on it. May be fewer than asked for, even none, though [`Found::next`] is there: so much was looked through
    /// in vain that the rest is for another call.
    pub items: Vec<T>,
    /// The page before this one, if there may be one.
    pub previous: Option<Cursor>,
    /// The page after this one, if there may be one.
    pub next: Option<Cursor>,
    /// How many match in all.
    pub total: Total,
}

/// How many items a list has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Total {
    /// So many.
    Exactly(u64),
    /// Nobody counted.
    Unknown,
}
