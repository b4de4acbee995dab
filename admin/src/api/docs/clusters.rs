//! What the document says of clusters, of their leases' records and of flavors.

use serde_json::json;

use super::bodies::{ClusterGiven, NodesGiven};
use super::op::Op;
use crate::api::{ListPart, Part, shapes};
use crate::explain::Explanation;
use crate::operations::Done;

/// Clusters.
pub fn clusters() -> Vec<Op> {
    vec![
        Op::get("/api/v1/clusters", "listClusters", "Clusters, by id")
            .query_of("type", vec!["active", "inused", "failed", "existing"], "one of the lists; not beside `phase`")
            .query_of("phase", shapes::phases(), "in one of these phases, parted by commas")
            .query("host", "on the host with this id")
            .query("user", "held by this user")
            .query("flavor", "of this flavor")
            .query("health", "of this health")
            .searched()
            .in_parts()
            .answers::<ListPart<shapes::ClusterShape>>(200, "A part of them"),
        Op::post("/api/v1/clusters", "createCluster", "Create a cluster on a chosen host")
            .about(
                "It is being made when this is answered, and stays: the pool's mix removes it for no other flavor. Refused where \
                 the host is full, not schedulable, away, or being drained, cleaned, reset or deleted.",
            )
            .takes::<ClusterGiven>(json!({
                "host": "0123456789abcdef01234567", "flavor": "fabric-0.6-pbft-batch-4", "id": "89abcdef0123456789abcdef",
            }))
            .answers::<shapes::ClusterShape>(201, "It is being made; `Location` is its address")
            .answers::<shapes::ClusterShape>(200, "It was asked for before, by the same `id`"),
        Op::get("/api/v1/clusters/{id}", "getCluster", "A cluster").answers::<shapes::ClusterShape>(200, "The cluster"),
        Op::delete("/api/v1/clusters/{id}", "deleteCluster", "Remove a cluster that nobody holds")
            .answers::<Done>(202, "It is being removed"),
        Op::post("/api/v1/clusters/{id}/{action}", "actOnCluster", "Start, stop, restart or release a cluster")
            .about(
                "`start`, `stop` and `restart` keep the ledger; `node` names one node. `release` takes it from its user with all \
                 that is on it, and a new one takes its place.",
            )
            .actions(&["start", "stop", "restart", "release"])
            .takes::<NodesGiven>(json!({"node": "vp0", "restarts": 0}))
            .answers::<Done>(202, "It is written down; the reconciler does it"),
        Op::get("/api/v1/clusters/{id}/explain", "explainCluster", "Why a cluster is as it is")
            .answers::<Explanation>(200, "What is wanted, is, under way, held back and next"),
        super::measured::logs(),
        Op::get("/api/v1/clusters/{id}/evidence", "getEvidence", "What was kept of a cluster that failed")
            .about("The last 500 are kept.")
            .answers::<shapes::EvidenceShape>(200, "All that was kept"),
        Op::get("/api/v1/evidence", "listEvidence", "Clusters that failed, latest first")
            .query("host", "on the host with this id")
            .query("flavor", "of this flavor")
            .searched()
            .in_parts()
            .answers::<ListPart<shapes::FailureShape>>(200, "A part of them, without logs"),
    ]
}

/// Records of ended leases.
pub fn records() -> Vec<Op> {
    vec![
        Op::get("/api/v1/records", "listRecords", "Records of ended leases, newest end first")
            .query("host", "on the host with this id")
            .query("user", "of this user")
            .query("flavor", "of this flavor")
            .searched()
            .in_parts()
            .answers::<ListPart<shapes::RecordShape>>(200, "A part of them"),
        Op::get("/api/v1/records/{id}", "getRecord", "The record of an ended lease")
            .answers::<shapes::RecordShape>(200, "The record"),
        Op::delete("/api/v1/records/{id}", "deleteRecord", "Forget the record of an ended lease")
            .answers_nothing(204, "It is forgotten"),
    ]
}

/// Flavors.
pub fn flavors() -> Vec<Op> {
    vec![
        Op::get("/api/v1/flavors", "listFlavors", "What clusters can be")
            .answers::<Part<shapes::FlavorShape>>(200, "All of them"),
        Op::get("/api/v1/flavors/{id}/explain", "explainFlavor", "Why there are as many of a flavor as there are")
            .answers::<Explanation>(200, "What is wanted, is, under way, held back and next, over all hosts"),
    ]
}
