//! Whether a record is what a write wanted it to be: the write was asked for twice, because its first answer was lost.

use crate::model::{Cluster, Host, Timestamp};

/// They differ in nothing but what proofs change.
pub(super) fn cluster(found: &Cluster, wanted: &Cluster) -> bool {
    let unproven = |cluster: &Cluster| {
        let mut cluster = cluster.clone();
        cluster.proven_at = None;
        if let Some(offer) = &mut cluster.offer {
            offer.until = Timestamp::from_millis(0);
        }
        cluster
    };
    unproven(found) == unproven(wanted)
}

/// They differ in nothing but what admin saw.
pub(super) fn host(found: &Host, wanted: &Host) -> bool {
    *found == Host { contact: found.contact.clone(), ..wanted.clone() }
}
