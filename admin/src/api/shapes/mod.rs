//! What hosts, clusters, records and events look like in JSON. Texts and numbers only; times in RFC 3339, UTC.

mod cluster;
mod evidence;
mod history;
mod host;
mod many;
pub(crate) mod of_model;
mod stranger;

pub(crate) use cluster::phases;
pub use cluster::{ClusterShape, cluster, life, want};
pub use evidence::{EvidenceShape, FailureShape, evidence, failure};
pub(crate) use history::kinds;
pub use history::{EventShape, FlavorShape, RecordShape, event, flavor, record};
pub use host::{HostShape, host, kind};
pub use many::{ManyShape, many};
pub use stranger::{StrangerShape, stranger};
