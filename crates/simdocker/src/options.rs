//! How a simulated host is set up.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use rand::RngExt;

use crate::image::SimImage;
pub use crate::ports::SharedPorts;

/// Everything about a simulated host.
#[derive(Clone, Debug)]
pub struct SimOptions {
    /// Where its API is.
    pub listen: Listen,
    /// The host's own address, where published ports answer; one of 127.0.0.0/8.
    pub address: Ipv4Addr,
    /// What the engine calls itself in `info`.
    pub name: String,
    /// The images it has or can pull.
    pub images: Vec<SimImage>,
    /// How slow every call is.
    pub latency: Latency,
    /// How long the engine's own doings take.
    pub timing: Timing,
    /// How published ports are listened on.
    pub ports: PortMode,
    /// What `info` says of the swarm.
    pub swarm: SimSwarm,
    /// Processors, which bounds `NanoCpus`.
    pub cpus: u32,
    /// Memory of the host, in bytes.
    pub memory: u64,
}

/// Where the API is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Listen {
    /// On this address; port 0 takes a free one.
    Tcp(SocketAddr),
    /// On a Unix socket at this path, which is removed at the end.
    Unix(PathBuf),
    /// On this port of the host's own address, through the listener that hosts of [`PortMode::Shared`] have in
    /// common; so a thousand hosts need one descriptor for all their APIs.
    Shared(u16),
}

/// How published ports are listened on.
#[derive(Clone, Debug, Default)]
pub enum PortMode {
    /// A listener for each published port, on the host's own address.
    #[default]
    Exact,
    /// A listener for each port number, for all hosts that hold the same [`SharedPorts`]: the address that a
    /// connection was made to tells the host. For many hosts, since it saves descriptors.
    Shared(SharedPorts),
}

/// How slow every call is: between `least` and `least + jitter`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Latency {
    /// At least this.
    pub least: Duration,
    /// And up to this more, drawn anew for each call.
    pub jitter: Duration,
}

/// How long the engine's own doings take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timing {
    /// Before the first restart of a container that died; doubles with each restart, up to a minute, and falls
    /// back once a container ran for ten seconds. A real engine has 100 ms.
    pub restart_delay: Duration,
    /// How long a container takes to start.
    pub start: Duration,
    /// How long a container takes to end when asked to. Longer than the asked grace means that it is killed.
    pub stop: Duration,
    /// From a container's start to its first good health check.
    pub health: Duration,
    /// Between two samples of a statistics stream. A real engine has a second.
    pub stats_interval: Duration,
}

/// What `info` says of the swarm. The swarm's own objects are not simulated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SimSwarm {
    /// A single engine.
    #[default]
    Inactive,
    /// A manager of a swarm.
    Manager,
    /// A worker of a swarm.
    Worker,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            restart_delay: Duration::from_millis(100),
            start: Duration::ZERO,
            stop: Duration::ZERO,
            health: Duration::from_millis(50),
            stats_interval: Duration::from_secs(1),
        }
    }
}

impl Timing {
    /// As short as it can be, for tests.
    pub fn instant() -> Self {
        Self {
            restart_delay: Duration::from_millis(1),
            start: Duration::ZERO,
            stop: Duration::ZERO,
            health: Duration::from_millis(1),
            stats_interval: Duration::from_millis(10),
        }
    }
}

impl SimOptions {
    /// A host of its own: a random loopback address, a free port there, default images, short times.
    ///
    /// The address is drawn from some eight million, so tests that run side by side do not meet.
    pub fn fresh() -> Self {
        let mut rng = rand::rng();
        let address =
            Ipv4Addr::new(127, rng.random_range(16..=250), rng.random_range(0..=255), rng.random_range(2..=254));
        Self { timing: Timing::instant(), ..Self::at(address) }
    }

    /// A host at an address, its API on a free port there.
    pub fn at(address: Ipv4Addr) -> Self {
        Self {
            listen: Listen::Tcp(SocketAddr::new(address.into(), 0)),
            address,
            name: format!("sim-{}", address.to_string().replace('.', "-")),
            images: SimImage::defaults(),
            latency: Latency::default(),
            timing: Timing::default(),
            ports: PortMode::Exact,
            swarm: SimSwarm::Inactive,
            cpus: 8,
            memory: 32 << 30,
        }
    }
}
