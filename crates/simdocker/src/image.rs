//! The images that a simulated engine has or can pull, and what a container of each does.

use std::collections::BTreeMap;
use std::time::Duration;

/// The image whose containers are Fabric peers, as the template names it by default.
pub(crate) const FABRICSIM: &str = "poolmanager/fabricsim:0.6";
/// The image whose containers are peers that start a chaincode container beside themselves.
pub(crate) const CHAINCODE_STARTER: &str = "poolmanager/chaincode-starter:test";

/// An image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SimImage {
    /// `name:tag`.
    pub reference: String,
    /// What its containers do.
    pub behaviour: Behaviour,
    /// Whether it is there from the start, and what a pull of it does.
    pub pull: PullOutcome,
    /// `7050/tcp`, ...: what it exposes.
    pub exposed: Vec<String>,
    /// What it runs before the command.
    pub entrypoint: Vec<String>,
    /// What it runs if the container does not say.
    pub command: Vec<String>,
    /// `NAME=value`.
    pub environment: Vec<String>,
    /// Paths for which every container gets an anonymous volume.
    pub volumes: Vec<String>,
    /// Labels, which every container has as well.
    pub labels: BTreeMap<String, String>,
    /// The user in its containers; empty: root.
    pub user: String,
    /// What ends its containers; empty: not said.
    pub stop_signal: String,
}

/// What a container does once started. Environment variables of the container (`SIMDOCKER_*`, see
/// `docs/simdocker.md`) say more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Behaviour {
    /// A Fabric 0.6 peer: answers on its published ports, sees the peers of its network.
    Peer,
    /// A peer that starts a chaincode container beside itself, as Fabric does.
    ChaincodeStarter,
    /// Sleeps; a connection to a published port is accepted and closed.
    Idle,
    /// Ends by itself.
    Exits {
        /// This long after its start.
        after: Duration,
        /// With this code.
        code: i64,
    },
}

/// What a pull of an image does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PullOutcome {
    /// It is there from the start.
    Present,
    /// It is not there, and a pull brings it.
    Pullable,
    /// It is not there, and a pull begins with status 200 and then breaks off with this message in the stream.
    BreaksMidway(String),
}

impl SimImage {
    /// A stand-in Fabric peer under a name of your choice, e.g. that of the real image.
    pub fn peer(reference: impl Into<String>) -> Self {
        Self {
            reference: reference.into(),
            behaviour: Behaviour::Peer,
            pull: PullOutcome::Present,
            exposed: ["7050/tcp", "7051/tcp", "7052/tcp", "7053/tcp"].map(str::to_owned).to_vec(),
            entrypoint: vec!["/fabricsim".to_owned()],
            command: ["peer", "node", "start"].map(str::to_owned).to_vec(),
            environment: vec!["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin".to_owned()],
            volumes: Vec::new(),
            labels: BTreeMap::new(),
            user: "65532:65532".to_owned(),
            stop_signal: "SIGTERM".to_owned(),
        }
    }

    /// A peer that starts an unlabelled chaincode container beside itself.
    pub fn chaincode_starter(reference: impl Into<String>) -> Self {
        Self { behaviour: Behaviour::ChaincodeStarter, ..Self::peer(reference) }
    }

    /// An image whose containers do something else.
    pub fn other(reference: impl Into<String>, behaviour: Behaviour) -> Self {
        Self {
            behaviour,
            exposed: Vec::new(),
            entrypoint: Vec::new(),
            command: vec!["sleep".to_owned(), "infinity".to_owned()],
            user: String::new(),
            stop_signal: String::new(),
            ..Self::peer(reference)
        }
    }

    /// The same image, not there until somebody pulls it.
    pub fn pullable(self) -> Self {
        Self { pull: PullOutcome::Pullable, ..self }
    }

    /// What an engine has if nothing else is said.
    pub fn defaults() -> Vec<Self> {
        vec![Self::peer(FABRICSIM), Self::chaincode_starter(CHAINCODE_STARTER)]
    }
}
