//! Brings a project up, from nothing or from half-way.
//!
//! First whatever can fail without a container running: images, networks, volumes, all containers. Then the starts, in
//! parallel where the order allows. Each step looks for what is there of it already, by the cluster's label, so `up`
//! after any failure, or after the death of whoever called it, finishes what was begun.
//!
//! Races. A call whose caller died may still be carried out by the engine while the next `up` looks: what it makes then
//! shows as a conflict (the name, or the subnet), and every conflict is looked at again before it is blamed on others.
//! A container that such a late call makes after `up` or `down` have returned carries our labels: a survey finds it.

mod body;
mod containers;
mod images;
mod limits;
mod networks;
mod order;
mod start;
mod volumes;

use std::collections::BTreeMap;
use std::time::Duration;

use common::compose::Project;
use common::model::NodeName;

use crate::call::Fenced;
use crate::{Engine, EngineError, Fence, Ownership, Report};
pub use limits::{StartSample, UpLimits};

/// What is being done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Progress {
    /// An image is not on the host and is being pulled.
    Pulling {
        /// Its reference.
        image: String,
    },
    /// A network, volume or container is being made.
    Creating {
        /// Its name.
        name: String,
    },
    /// A service waits for others, or for its turn.
    Waiting {
        /// The service.
        node: NodeName,
    },
    /// A container is being started.
    Starting {
        /// The service.
        node: NodeName,
    },
    /// A container was started, ran already, or had done its one job already.
    Started {
        /// The service.
        node: NodeName,
    },
}

/// Networks, volumes and containers made or removed at once for one cluster: they are cheap beside starts, and the
/// engine takes a lock for most of each.
pub(crate) const AT_ONCE: usize = 4;

/// Pauses between looks at a name or subnet that something holds which is just being made or removed: a removal that began
/// before takes seconds.
const CONFLICT_PAUSES: [Duration; 6] = [
    Duration::from_millis(50),
    Duration::from_millis(200),
    Duration::from_millis(500),
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(4),
];

/// One `up`: what all its steps need.
#[derive(Clone, Copy)]
struct Up<'a> {
    at: Fenced<'a>,
    project: &'a Project,
    owner: &'a Ownership,
    limits: &'a UpLimits,
    report: Report<'a>,
}

impl Engine {
    /// Brings the project up and gives the containers' ids.
    ///
    /// Whatever is there of it already is kept, so it may be called again after any failure or after its caller died; a
    /// container whose configuration differs is made anew. A service that is not to be restarted and has ended with 0
    /// has done its job and is not started again.
    ///
    /// It waits no longer for services that others wait for than [`Project::create_within`]. On an error nothing is taken
    /// back: call [`Engine::down`].
    pub async fn up(
        &self,
        project: &Project,
        owner: &Ownership,
        limits: &UpLimits,
        fence: Fence<'_>,
        report: Report<'_>,
    ) -> Result<BTreeMap<NodeName, String>, EngineError> {
        order::check(&project.services)?;
        fence()?;
        self.must_be_single().await?;
        let up = Up { at: Fenced { engine: self, fence }, project, owner, limits, report };
        let image_volumes = up.images().await?;
        let networks = up.networks().await?;
        up.volumes().await?;
        let containers = up.containers(&networks, &image_volumes).await?;
        up.start(&containers).await?;
        Ok(containers.into_iter().map(|made| (made.node, made.id)).collect())
    }
}
