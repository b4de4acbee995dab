//! Records as documents: the model's own JSON shape, with its id as `_id`.

use mongodb::bson::{
    Bson, Document, RawDocumentBuf, cstr, deserialize_from_document, deserialize_from_slice, serialize_to_document,
};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::model::{Cluster, ClusterId, Evidence, Lease, LeaseRecord, Metadata, Phase};
use crate::store::list::{ClusterKeys, RecordKeys, changed};
use crate::store::{StoreError, StoreResult};

/// A record with an `id` as a document.
pub(super) fn write<T: Serialize>(record: &T) -> StoreResult<Document> {
    let fault = |error| StoreError::Broken(format!("a record cannot be written: {error}"));
    let mut document = serialize_to_document(record).map_err(fault)?;
    match document.remove("id") {
        Some(id) => {
            document.insert("_id", id);
        }
        None => return Err(StoreError::Broken("a record has no id".into())),
    }
    Ok(document)
}

/// A document as the record that it was.
pub(super) fn read<T: DeserializeOwned>(mut document: Document) -> StoreResult<T> {
    let id = document.remove("_id").unwrap_or(Bson::Null);
    let name = id.to_string();
    document.insert("id", id);
    deserialize_from_document(document)
        .map_err(|error| StoreError::Broken(format!("the record {name} cannot be read: {error}")))
}

/// A cluster as a document: without an `offer` rather than with an empty one, so that no index has it.
pub(super) fn write_cluster(cluster: &Cluster) -> StoreResult<Document> {
    let mut cluster = cluster.clone();
    on_lease(&mut cluster.phase, escape_keys);
    let mut document = write(&cluster)?;
    document.insert("list", keys(&ClusterKeys::of(&cluster))?);
    if cluster.offer.is_none() {
        document.remove("offer");
    }
    Ok(document)
}

/// A document as the cluster that it was.
pub(super) fn read_cluster(document: Document) -> StoreResult<Cluster> {
    let mut cluster: Cluster = read(document)?;
    on_lease(&mut cluster.phase, unescape_keys);
    Ok(cluster)
}

/// Those of them that can be read: what is wrong with one must not keep the others from anybody.
///
/// Read straight from the bytes: a tree of values in between was half of what a claim cost.
pub(super) fn read_clusters(documents: Vec<RawDocumentBuf>) -> Vec<Cluster> {
    let read = |document| read_bytes(document).inspect_err(|error| tracing::error!(%error, "a cluster is passed over"));
    documents.into_iter().filter_map(|document| read(document).ok()).collect()
}

fn read_bytes(mut document: RawDocumentBuf) -> StoreResult<Cluster> {
    let id = document.get_str("_id").unwrap_or_default().to_owned();
    document.append(cstr!("id"), id.as_str());
    let mut cluster: Cluster = deserialize_from_slice(document.as_bytes())
        .map_err(|error| StoreError::Broken(format!("the record {id:?} cannot be read: {error}")))?;
    on_lease(&mut cluster.phase, unescape_keys);
    Ok(cluster)
}

/// The phase InUse, as it stands in a cluster's document.
pub(super) fn write_hold(lease: &Lease) -> StoreResult<Document> {
    let mut lease = lease.clone();
    escape_keys(&mut lease.metadata);
    serialize_to_document(&Phase::InUse { lease })
        .map_err(|error| StoreError::Broken(format!("a lease cannot be written: {error}")))
}

/// What a cluster in use is listed by, see [`ClusterKeys`].
pub(super) fn held_since(lease: &Lease, id: &ClusterId) -> String {
    changed(&Phase::InUse { lease: lease.clone() }, id.as_str())
}

/// What a record is listed by, as a document.
pub(super) fn keys<T: Serialize>(keys: &T) -> StoreResult<Document> {
    serialize_to_document(keys).map_err(|error| StoreError::Broken(format!("keys cannot be written: {error}")))
}

/// An ended lease as a document; its id is the lease's.
pub(super) fn write_record(record: &LeaseRecord) -> StoreResult<Document> {
    let mut record = record.clone();
    escape_keys(&mut record.lease.metadata);
    let mut document = serialize_to_document(&record)
        .map_err(|error| StoreError::Broken(format!("a lease record cannot be written: {error}")))?;
    document.insert("_id", record.lease.id.as_str());
    document.insert("list", keys(&RecordKeys::of(&record))?);
    Ok(document)
}

/// Evidence as a document; its id is its cluster's.
pub(super) fn write_evidence(evidence: &Evidence) -> StoreResult<Document> {
    let mut document = serialize_to_document(evidence)
        .map_err(|error| StoreError::Broken(format!("evidence cannot be written: {error}")))?;
    document.insert("_id", evidence.cluster.as_str());
    Ok(document)
}

/// A document as the ended lease that it was.
pub(super) fn read_record(document: Document) -> StoreResult<LeaseRecord> {
    let mut record: LeaseRecord = read(document)?;
    unescape_keys(&mut record.lease.metadata);
    Ok(record)
}

fn on_lease(phase: &mut Phase, change: fn(&mut Metadata)) {
    match phase {
        Phase::InUse { lease } | Phase::Releasing { lease, .. } | Phase::Lost { lease, .. } => {
            change(&mut lease.metadata);
        }
        Phase::Creating { .. } | Phase::Free { .. } | Phase::Removing { .. } | Phase::Failed { .. } => {}
    }
}

/// What a field's name may not have (NUL), or what means something in one: `.` and `$`. `%` because it escapes.
const ESCAPED: [(char, &str); 4] = [('%', "%25"), ('\0', "%00"), ('.', "%2e"), ('$', "%24")];

/// A user's metadata may have any key; MongoDB's fields may not.
fn escape_keys(metadata: &mut Metadata) {
    if metadata.keys().any(|key| key.contains(['%', '\0', '.', '$'])) {
        let escape = |key: String| ESCAPED.iter().fold(key, |key, (plain, coded)| key.replace(*plain, coded));
        *metadata = std::mem::take(metadata).into_iter().map(|(key, value)| (escape(key), value)).collect();
    }
}

fn unescape_keys(metadata: &mut Metadata) {
    if metadata.keys().any(|key| key.contains('%')) {
        let plain =
            |key: String| ESCAPED.iter().rev().fold(key, |key, (plain, coded)| key.replace(coded, &plain.to_string()));
        *metadata = std::mem::take(metadata).into_iter().map(|(key, value)| (plain(key), value)).collect();
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::model::{
        ClusterName, Endpoint, FlavorId, HostId, HostName, LeaseId, NewCluster, NodeName, Slot, Timestamp, UserId,
    };

    #[test]
    fn a_cluster_is_read_from_bytes_as_it_was_written() {
        let now = Timestamp::from_millis(1_464_603_010_000);
        let (host_name, node) = (HostName::parse("h1").unwrap(), NodeName::parse("vp0").unwrap());
        let at = Endpoint { node: node.clone(), scheme: "http".into(), address: "10.0.0.1".into(), port: 7050 };
        let made = Cluster::begin(NewCluster {
            id: ClusterId::random(),
            name: ClusterName::of(&host_name, Slot(3)),
            host: HostId::random(),
            host_name,
            slot: Slot(3),
            flavor: FlavorId::parse("f").unwrap(),
            flavor_digest: "digest".into(),
            size: 4,
            nodes: vec![node],
            endpoints: [("rest".to_owned(), at)].into(),
            now,
            deadline: now,
        });
        let free = made.offer_out(0.5, now, now).unwrap();
        let lease = Lease {
            id: LeaseId::random(),
            user: UserId::parse("alice").unwrap(),
            nth: 1,
            key: None,
            applied_at: now,
            metadata: [("a.b".to_owned(), "c".to_owned())].into(),
        };
        let held = free.claim(lease, now - Duration::from_secs(1)).unwrap();
        let worse = Cluster { health: held.worse("no answer".into(), now), ..held.clone() };
        for cluster in [made, free, held, worse] {
            let bytes = RawDocumentBuf::try_from(&write_cluster(&cluster).unwrap()).unwrap();
            assert_eq!(read_clusters(vec![bytes]), [cluster]);
        }
    }

    #[test]
    fn any_key_of_metadata_survives() {
        let keys = ["", "a", "a.b", "$set", "%", "%2e", "%25", "a\0b", "%%00.$"];
        let plain: Metadata = keys.iter().map(|key| ((*key).to_owned(), "value".to_owned())).collect();
        let mut metadata = plain.clone();
        escape_keys(&mut metadata);
        assert!(metadata.keys().all(|key| !key.contains(['\0', '.', '$'])), "{metadata:?}");
        assert_eq!(metadata.len(), keys.len());
        unescape_keys(&mut metadata);
        assert_eq!(metadata, plain);
    }
}
