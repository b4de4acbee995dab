//! What the reconciler told, and whether it was to be had at all.

use common::model::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::Point;

/// Who told it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(tag = "source", rename_all = "snake_case")]
pub enum Source {
    /// This process leads.
    Here,
    /// Another admin leads, and answered.
    Leader {
        /// Where.
        address: String,
    },
    /// Another admin leads, or did, and did not answer.
    Silent {
        /// Where it was asked.
        address: String,
        /// Why there is no answer.
        why: String,
    },
    /// No admin leads.
    Nobody {
        /// In words.
        why: String,
    },
}

/// What the reconciler told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told<T> {
    /// Who told it.
    pub source: Source,
    /// What; `None` if nobody did, or nothing is known yet.
    pub outlook: Option<T>,
    /// When the leader's lock runs out unless it is renewed, while another process has it.
    pub lock_until: Option<Timestamp>,
}

impl<T> Told<T> {
    /// What comes next about the leading itself.
    pub(super) fn next(&self) -> Option<Point> {
        match &self.source {
            Source::Here => None,
            Source::Leader { .. } | Source::Silent { .. } => {
                let what = "this admin stands by, and takes over if the leader does not renew its lock by then";
                Some(Point::new(what).at(self.lock_until))
            }
            Source::Nobody { .. } => Some(Point::new("an admin that stands by takes the lock and leads within 10 s")),
        }
    }

    /// Why nothing is known of what is being done, if nothing is.
    pub(super) fn silence(&self) -> Option<Point> {
        let what = "it is not known here what is being done";
        match &self.source {
            Source::Silent { address, why } => {
                Some(Point::new(what).why(format!("the leader at {address} does not answer: {why}")))
            }
            Source::Nobody { why } => Some(Point::new("nothing is being done").why(why.clone())),
            Source::Here | Source::Leader { .. } if self.outlook.is_none() => {
                Some(Point::new(what).why("the reconciler has not looked at it yet"))
            }
            Source::Here | Source::Leader { .. } => None,
        }
    }
}
