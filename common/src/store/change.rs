//! Changes of clusters and hosts, as a watch tells of them.

use std::pin::Pin;

use futures_util::Stream;

use crate::model::{ClusterId, HostId};

/// Something changed. Carries no data: look again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// This cluster was made, changed or went.
    Cluster(ClusterId),
    /// This host was made, changed or went.
    Host(HostId),
    /// Something was missed: look at everything.
    Missed,
}

/// Where a watch has got to; opaque. A later watch can go on from it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WatchCursor(pub String);

/// Changes as they come. Ends only with the process; a broken connection is mended inside and shows as [`Change::Missed`].
pub type ChangeStream = Pin<Box<dyn Stream<Item = (Change, WatchCursor)> + Send>>;
