//! What a plan says: the steps to take now with their reasons, what is held back and why, and when to look again.

mod action;
pub mod host;
pub mod pool;
mod work;

use std::fmt;

use common::model::{ClusterId, ClusterName, FlavorId, Timestamp};

pub use self::action::{Action, NodeChange, NodeStep};
pub use self::work::Work;

/// What to do on one host now.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Plan {
    /// What to do, all at once.
    pub steps: Vec<Step>,
    /// What is under way and is to end where it stands.
    pub stops: Vec<Stop>,
    /// What is wanted and not done now.
    pub held: Vec<Held>,
    /// Whether any of that may end though no record changes and the engine tells of nothing.
    pub ends_untold: bool,
    /// When the answer may be another even if nothing happens.
    pub wake_at: Option<Timestamp>,
}

/// One thing to do, and why.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// What.
    pub action: Action,
    /// The cluster's name, for people.
    pub name: Option<ClusterName>,
    /// Why, for people and for the event.
    pub why: String,
}

/// A making that is under way and is not wanted any more: what comes of it is taken down by a later plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stop {
    /// Of which cluster.
    pub cluster: ClusterId,
    /// Its name, for people.
    pub name: ClusterName,
    /// Why.
    pub why: String,
}

/// One thing that is not done now, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// What it is about.
    pub about: About,
    /// What is wanted.
    pub what: String,
    /// Why it waits.
    pub why: String,
    /// When it is tried again, if it waits for that.
    pub next: Option<Timestamp>,
}

/// What something that is held back is about, for whoever wants to look there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum About {
    /// The host as a whole.
    Host,
    /// One cluster.
    Cluster(ClusterId),
    /// What is to be made of a flavor.
    Flavor(FlavorId),
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.name.as_ref().map_or("a cluster without a record", ClusterName::as_str);
        match &self.action {
            Action::Begin { slot, flavor } => write!(f, "create {flavor} in slot {slot}")?,
            Action::BringUp { .. } => write!(f, "bring up {name}")?,
            Action::Look { .. } => write!(f, "probe {name}")?,
            Action::DeepLook { .. } => write!(f, "probe {name} deeply")?,
            Action::OfferOut { .. } => write!(f, "free {name}")?,
            Action::OfferAgain { .. } => write!(f, "offer {name} again")?,
            Action::Withdraw { .. } => write!(f, "withdraw {name}")?,
            Action::Record { .. } => write!(f, "record {name}")?,
            Action::ChangeNodes { changes, .. } => {
                let words: Vec<String> = changes.iter().map(|c| format!("{} {}", c.change.verb(), c.node)).collect();
                write!(f, "{} of {name}", words.join(", "))?;
            }
            Action::Readdress { address, .. } => write!(f, "tell {address} as the address of {name}")?,
            Action::Fail { .. } => write!(f, "fail {name}")?,
            Action::Gather { .. } => write!(f, "keep the evidence of {name} and remove it")?,
            Action::Lose { .. } => write!(f, "end the lease of {name}")?,
            Action::Remove { .. } => write!(f, "remove {name}")?,
            Action::TakeDown { .. } => write!(f, "take down {name}")?,
            Action::DropRecord { .. } => write!(f, "drop the record of {name}")?,
            Action::Sweep { .. } => write!(f, "sweep {name}")?,
            Action::Prove { proofs } => write!(f, "prove {}", proofs.len())?,
            Action::EndPurpose { foreign } if foreign.is_empty() => f.write_str("let the host serve again")?,
            Action::EndPurpose { foreign } => {
                write!(f, "remove {} foreign things and let the host serve again", foreign.len())?
            }
            Action::DeleteHost => f.write_str("delete the host's record")?,
        }
        write!(f, " ({})", self.why)
    }
}

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "stop bringing up {} ({})", self.name, self.why)
    }
}

impl fmt::Display for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "held back: {}: {}", self.what, self.why)
    }
}
