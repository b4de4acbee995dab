//! What operators want of a host as a whole. A wish in its record: the reconciler carries it out, however often it is
//! restarted meanwhile, and ends those that have an end.

use serde::{Deserialize, Serialize};

use super::{Host, HostSettings, Timestamp};

/// What operators want of a host. One at a time; a new wish takes the place of the one before, but for [`HostPurpose::Leave`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "purpose", rename_all = "snake_case")]
pub enum HostPurpose {
    /// It serves the pool.
    Serve,
    /// It is filled to its capacity once, whether it is kept filled or not. Ends when it is full.
    FillUp(Asked),
    /// Its free clusters are removed; it is not kept filled from the same write on. Ends when none is left.
    Clean(Asked),
    /// Nothing is given out or made, free clusters are removed, what users hold stays. Lasts until an operator ends it.
    Drain(Asked),
    /// Everything of ours is removed, then the foreign things listed. Nothing is given out or made meanwhile. Waits for
    /// leases: it is asked only when there are none, but one may have come at that very moment. Ends when all is gone.
    Reset {
        /// By whom and when.
        #[serde(flatten)]
        asked: Asked,
        /// What the operator was shown and confirmed, at most [`MAX_FOREIGN`]; nothing else that is foreign is touched.
        #[serde(default)]
        foreign: Vec<ForeignThing>,
    },
    /// It is being deleted: its clusters go first, then its record.
    Leave {
        /// By whom and when.
        #[serde(flatten)]
        asked: Asked,
        /// Leases end as Lost, and nothing waits for an engine that does not answer.
        #[serde(default)]
        by_force: bool,
    },
}

/// Who asked, and when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    /// When.
    pub since: Timestamp,
    /// The operator's username.
    #[serde(rename = "asked_by")]
    pub by: String,
}

/// Something on an engine that is not of this pool.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ForeignThing {
    /// What it is.
    pub kind: ForeignKind,
    /// The engine's id of it.
    pub id: String,
    /// Its name, for people.
    pub name: String,
}

/// What a foreign thing is. Images and named volumes are never removed: they hold what nobody can make again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ForeignKind {
    /// A container, running or not; its anonymous volumes go with it.
    Container,
    /// A network that somebody made; not the engine's own.
    Network,
}

/// The most foreign things that one reset removes.
pub const MAX_FOREIGN: usize = 1000;

impl HostPurpose {
    /// All words of [`HostPurpose::as_str`].
    pub const WORDS: [&'static str; 6] = ["serve", "fill_up", "clean", "drain", "reset", "leave"];

    /// The word for people and JSON.
    pub fn as_str(&self) -> &'static str {
        match self {
            HostPurpose::Serve => "serve",
            HostPurpose::FillUp(_) => "fill_up",
            HostPurpose::Clean(_) => "clean",
            HostPurpose::Drain(_) => "drain",
            HostPurpose::Reset { .. } => "reset",
            HostPurpose::Leave { .. } => "leave",
        }
    }

    /// By whom and when it was asked; `None` for the ordinary service.
    pub fn asked(&self) -> Option<&Asked> {
        match self {
            HostPurpose::Serve => None,
            HostPurpose::FillUp(asked) | HostPurpose::Clean(asked) | HostPurpose::Drain(asked) => Some(asked),
            HostPurpose::Reset { asked, .. } | HostPurpose::Leave { asked, .. } => Some(asked),
        }
    }

    /// Whether the host is on its way out.
    pub fn leaves(&self) -> bool {
        matches!(self, HostPurpose::Leave { .. })
    }

    /// Whether clusters that nobody holds are to go.
    pub fn removes_free(&self) -> bool {
        match self {
            HostPurpose::Serve | HostPurpose::FillUp(_) => false,
            HostPurpose::Clean(_) | HostPurpose::Drain(_) | HostPurpose::Reset { .. } | HostPurpose::Leave { .. } => {
                true
            }
        }
    }
}

impl Host {
    /// Whether free clusters are given out, as far as operators are concerned.
    pub fn serves(&self) -> bool {
        self.settings.schedulable && !self.purpose.removes_free()
    }

    /// Whether new clusters are made, as far as operators are concerned.
    pub fn fills(&self) -> bool {
        self.serves() && (self.settings.autofill || matches!(self.purpose, HostPurpose::FillUp(_)))
    }

    /// The next version with new settings.
    pub fn configured(&self, settings: HostSettings) -> Host {
        Host { version: self.version + 1, settings, ..self.clone() }
    }

    /// The next version with another purpose. Cleaning also turns autofill off, so that what goes is not made again.
    pub fn with_purpose(&self, purpose: HostPurpose) -> Host {
        let mut next = Host { version: self.version + 1, purpose, ..self.clone() };
        if matches!(next.purpose, HostPurpose::Clean(_)) {
            next.settings.autofill = false;
        }
        next
    }

    /// The next version, on its way out.
    pub fn leave(&self, asked: Asked, by_force: bool) -> Host {
        self.with_purpose(HostPurpose::Leave { asked, by_force })
    }

    /// The next version, in which failures before now are forgotten.
    pub fn try_again(&self, now: Timestamp) -> Host {
        Host { version: self.version + 1, try_again: Some(now), ..self.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn purposes_are_kept_as_flat_records_and_older_ones_are_read() {
        let asked = Asked { since: Timestamp::from_millis(5), by: "otto".into() };
        let thing = ForeignThing { kind: ForeignKind::Container, id: "c1".into(), name: "web".into() };
        for purpose in [
            HostPurpose::Serve,
            HostPurpose::FillUp(asked.clone()),
            HostPurpose::Clean(asked.clone()),
            HostPurpose::Drain(asked.clone()),
            HostPurpose::Reset { asked: asked.clone(), foreign: vec![thing] },
            HostPurpose::Leave { asked: asked.clone(), by_force: true },
        ] {
            let json = serde_json::to_value(&purpose).unwrap();
            assert_eq!(json["purpose"], purpose.as_str());
            assert!(HostPurpose::WORDS.contains(&purpose.as_str()));
            assert_eq!(serde_json::from_value::<HostPurpose>(json).unwrap(), purpose);
        }
        let old = r#"{"purpose": "leave", "since": 5, "asked_by": "otto"}"#;
        let read: HostPurpose = serde_json::from_str(old).unwrap();
        assert_eq!(read, HostPurpose::Leave { asked, by_force: false });
    }
}
