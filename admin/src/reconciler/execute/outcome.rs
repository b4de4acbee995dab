//! What came of an action, and what a failure says about trying again.

use common::model::Timestamp;
use engine::EngineError;

/// What came of an action.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is done.
    Done,
    /// The record was not what it was any more; the next pass decides anew.
    Stale,
    /// A probe ended.
    Looked {
        /// When it was sent.
        at: Timestamp,
        /// What was wrong, if anything.
        result: Result<(), String>,
    },
    /// It failed.
    Failed(Failure),
}

/// What a failure says about trying again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// Something stands in the slot's way: another slot may do.
    Slot(String),
    /// This one broke: another may do.
    Broke(String),
    /// The template is bad: this flavor cannot be made here.
    Flavor(String),
    /// An image is not there and cannot be had, for now.
    Image(String),
    /// The host has no room, for now.
    Host(String),
    /// The same may work later.
    Later(String),
    /// This process may not act any more.
    Fenced,
}

impl Failure {
    /// What an engine's error says about trying again.
    pub fn of_engine(error: &EngineError) -> Failure {
        match error {
            EngineError::Fenced => Failure::Fenced,
            EngineError::NameTaken { .. } | EngineError::PortTaken { .. } | EngineError::SubnetTaken { .. } => {
                Failure::Slot(error.to_string())
            }
            EngineError::ImageMissing { .. } => Failure::Image(error.to_string()),
            // What is asked for follows from the template: an engine that calls it wrong will say so again.
            EngineError::Ended { .. } | EngineError::Refused { status: 400, .. } => Failure::Flavor(error.to_string()),
            EngineError::Refused { .. } => Failure::Broke(error.to_string()),
            EngineError::NoSpace { .. } => Failure::Host(error.to_string()),
            EngineError::Unreachable { .. }
            | EngineError::Timeout { .. }
            | EngineError::Gone { .. }
            | EngineError::NotEmpty { .. }
            | EngineError::NetworkStuck { .. } => Failure::Later(error.to_string()),
        }
    }
}

impl Failure {
    /// In its own words.
    pub fn words(&self) -> String {
        match self {
            Failure::Slot(error)
            | Failure::Broke(error)
            | Failure::Flavor(error)
            | Failure::Image(error)
            | Failure::Host(error)
            | Failure::Later(error) => error.clone(),
            Failure::Fenced => "this process no longer leads".into(),
        }
    }
}
