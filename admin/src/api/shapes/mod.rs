//! What hosts, clusters, records and events look like in JSON. Texts and numbers only; times in RFC 3339, UTC.

mod cluster;
mod evidence;
mod history;
mod host;
mod many;
mod stranger;

pub use cluster::{cluster, life, want};
pub use evidence::{evidence, failure};
pub use history::{event, flavor, record};
pub use host::{HostShape, host, kind};
pub use many::many;
pub use stranger::stranger;
