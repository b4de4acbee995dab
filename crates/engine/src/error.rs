//! What can go wrong with an engine, one variant for each thing that somebody does about it.

use std::time::Duration;

/// Why a call to an engine failed. Reads as a sentence for operators.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EngineError {
    /// Nobody answers there. The host is away; try again later.
    #[error("{url} cannot be reached: {reason}")]
    Unreachable {
        /// The daemon's URL.
        url: String,
        /// In the words of the deepest source: `connection refused`, `no such file or directory`.
        reason: String,
    },
    /// The engine took the call and did not answer in time. What was asked may still happen: look again.
    #[error("{what} took longer than {} s", after.as_secs_f64())]
    Timeout {
        /// What was being done: `starting container x`.
        what: String,
        /// How long was waited.
        after: Duration,
    },
    /// The image is not on the host and cannot be pulled. Trying again helps only when a registry was away.
    #[error("image {image} is not on the host and cannot be pulled: {reason}")]
    ImageMissing {
        /// Its reference.
        image: String,
        /// In the engine's words.
        reason: String,
    },
    /// A container, network or volume of that name is there and is not this cluster's. Another slot may work.
    #[error("the name {name} is taken by {by}")]
    NameTaken {
        /// The name.
        name: String,
        /// By what, for people: `a container that PoolManager did not make`.
        by: String,
    },
    /// A port that was to be published is in use on the host. Another slot may work.
    #[error("port {port} is taken by {by}")]
    PortTaken {
        /// The port; 0 if the engine did not name it.
        port: u16,
        /// By what, for people: `container web`, or the engine's own words.
        by: String,
    },
    /// The subnet meets another network. Another slot may work.
    #[error("subnet {subnet} is taken by {by}")]
    SubnetTaken {
        /// The subnet that was asked for.
        subnet: String,
        /// By what, for people: `network web (10.0.0.0/8)`.
        by: String,
    },
    /// The host is out of something: disk, addresses, memory. Making more helps nobody.
    #[error("the host has no room: {reason}")]
    NoSpace {
        /// In the engine's words.
        reason: String,
    },
    /// It is not there any more.
    #[error("{what} is gone")]
    Gone {
        /// What.
        what: String,
    },
    /// Something of a cluster is still there after all was done to remove it. Try again later.
    #[error("could not remove {}", left.join("; "))]
    NotEmpty {
        /// Each thing that is left, with the engine's reason if it gave one.
        left: Vec<String>,
    },
    /// Of a cluster only a network is left, from which everything was disconnected and which the engine does not let go of: its
    /// count of what is connected is wrong, and stays so until the daemon starts anew (seen with 20.10, after containers
    /// were killed and removed within the same second).
    #[error(
        "network {network} stays: the engine counts something as connected to it and names nothing; restarting the Docker daemon ends that"
    )]
    NetworkStuck {
        /// Its name.
        network: String,
    },
    /// Whoever called may not act any more, so the work stopped between two calls.
    #[error("stopped: this process no longer leads")]
    Fenced,
    /// The engine refused for another reason, or answered what nobody understands.
    #[error("the engine refused {what}: {message} (status {status})")]
    Refused {
        /// What was asked.
        what: String,
        /// The HTTP status; 0 if there was none.
        status: u16,
        /// In the engine's words.
        message: String,
    },
    /// A service ended though others wait for it to work, or did not end well though others wait for that.
    #[error("{node} ended with code {code}: {last_log}")]
    Ended {
        /// The service.
        node: String,
        /// Its exit code.
        code: i64,
        /// Its last lines, at most 2 KiB.
        last_log: String,
    },
}
