//! Records of ended leases: an operator may have one forgotten.

use common::model::{Event, EventKind, LeaseId, Timestamp};

use super::{Done, Operations, Refusal, operator};

impl Operations {
    /// Forgets the record of an ended lease. A live lease has none, and is not touched.
    pub async fn delete_record(&self, id: &LeaseId, by: &str, now: Timestamp) -> Result<Done, Refusal> {
        let record = self.store.lease_record(id).await?.ok_or(Refusal::NoSuch("record"))?;
        self.store.delete_lease_record(id).await?;
        let said = format!("the record of {}'s lease of {} was deleted", record.lease.user, record.cluster_name);
        let mut event = Event::new(now, EventKind::RecordDeleted, operator(by), said);
        event.lease = Some(id.clone());
        event.user = Some(record.lease.user.clone());
        event.host = Some(record.host.clone());
        event.cluster = Some((record.cluster.clone(), record.cluster_name.to_string()));
        self.store.append_events(&[event]).await?;
        Ok(Done::said(format!("The record of {}'s lease of {} was deleted.", record.lease.user, record.cluster_name)))
    }
}
