//! What a backup holds, record by record, in the model's own JSON shape; and what it leaves out on purpose.
//!
//! A new table or collection belongs into [`Kind`] and [`Record`], or into [`LEFT_OUT`]: a test compares both with the
//! stores, and the compiler then names the places that read and write it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::model::{ApplyCount, Cluster, Event, Evidence, Host, LeaseRecord, Operator, Timestamp, Token};

/// One record of a store.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::store) enum Record {
    Host(Box<Host>),
    Cluster(Box<Cluster>),
    Lease(Box<LeaseRecord>),
    /// In the order of their numbers. Those from before there were numbers on MongoDB have 0 and less.
    Event {
        number: i64,
        event: Box<Event>,
    },
    Evidence(Box<Evidence>),
    Applies(ApplyCount),
    Operator(Box<Operator>),
    Token(Box<Token>),
    Samples(HourOfSamples),
}

/// What was measured of one subject within an hour, as it stands in a row of SQLite.
#[derive(Debug, Serialize, Deserialize)]
pub(in crate::store) struct HourOfSamples {
    /// The subject's key.
    pub(in crate::store) subject: String,
    pub(in crate::store) hour: Timestamp,
    /// When it is to go.
    pub(in crate::store) ends: Timestamp,
    /// By name the numbers of the minutes from the first one on, `null` where there is none.
    pub(in crate::store) values: BTreeMap<String, Vec<Option<u64>>>,
}

/// The kinds of records that a backup holds, in the order that they have in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Hosts.
    Host,
    /// Clusters, with their live leases.
    Cluster,
    /// Ended leases.
    Lease,
    /// Events.
    Event,
    /// Evidence of failed clusters.
    Evidence,
    /// Counts of applies.
    Applies,
    /// Operators, with the hashes of their passwords.
    Operator,
    /// Tokens, as hashes.
    Token,
    /// Samples, by subject and hour.
    Samples,
}

impl Kind {
    /// All of them.
    pub const ALL: [Kind; 9] = [
        Kind::Host,
        Kind::Cluster,
        Kind::Lease,
        Kind::Event,
        Kind::Evidence,
        Kind::Applies,
        Kind::Operator,
        Kind::Token,
        Kind::Samples,
    ];

    /// What people call them.
    pub fn words(self) -> &'static str {
        match self {
            Kind::Host => "hosts",
            Kind::Cluster => "clusters",
            Kind::Lease => "ended leases",
            Kind::Event => "events",
            Kind::Evidence => "bundles of evidence",
            Kind::Applies => "counts of applies",
            Kind::Operator => "operators",
            Kind::Token => "tokens",
            Kind::Samples => "hours of samples",
        }
    }

    /// The table that SQLite has for it.
    pub fn table(self) -> &'static str {
        match self {
            Kind::Host => "host",
            Kind::Cluster => "cluster",
            Kind::Lease => "lease_record",
            Kind::Event => "event",
            Kind::Evidence => "evidence",
            Kind::Applies => "apply_count",
            Kind::Operator => "operator",
            Kind::Token => "token",
            Kind::Samples => "sample",
        }
    }

    /// The collection that MongoDB has for it.
    pub fn collection(self) -> &'static str {
        match self {
            Kind::Host => "hosts",
            Kind::Cluster => "clusters",
            Kind::Lease => "leases",
            Kind::Event => "events",
            Kind::Evidence => "evidence",
            Kind::Applies => "applies",
            Kind::Operator => "operators",
            Kind::Token => "tokens",
            Kind::Samples => "samples",
        }
    }
}

/// Tables and collections that are not in a backup, each with what becomes of it at a restore.
pub const LEFT_OUT: [(&str, &str); 8] = [
    ("meta", "the pool's id and the schema's version are in the file's header"),
    ("lock", "nobody leads after a restore; the term, in the header, goes on growing"),
    ("locks", "as lock"),
    ("session", "everybody signs in again: one who signed out since must not be signed in by a restore"),
    ("sessions", "as session"),
    ("token_uses", "goes into the tokens' own records"),
    ("change_log", "for those who watch while it happens"),
    ("sqlite_sequence", "SQLite's own"),
];

/// What goes with [`Kind::ALL`] to MongoDB's staging and takes its place empty.
pub(in crate::store) const EMPTIED: [&str; 1] = ["sessions"];

impl Record {
    /// Its kind.
    pub(in crate::store) fn kind(&self) -> Kind {
        match self {
            Record::Host(_) => Kind::Host,
            Record::Cluster(_) => Kind::Cluster,
            Record::Lease(_) => Kind::Lease,
            Record::Event { .. } => Kind::Event,
            Record::Evidence(_) => Kind::Evidence,
            Record::Applies(_) => Kind::Applies,
            Record::Operator(_) => Kind::Operator,
            Record::Token(_) => Kind::Token,
            Record::Samples(_) => Kind::Samples,
        }
    }

    /// As it is restored: nothing is on offer until admin has looked at it anew.
    pub(in crate::store) fn at_rest(mut self) -> Record {
        if let Record::Cluster(cluster) = &mut self {
            cluster.offer = None;
        }
        self
    }
}
