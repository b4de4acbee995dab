//! What a pool remembers beside its clusters and leases: failures with their evidence, what users asked for in a week, and a
//! week's samples.

use std::collections::BTreeMap;

use anyhow::Context;
use common::model::{
    ApplyCount, Cluster, Evidence, NodeEvidence, NodeName, NodeState, SAMPLE_EVERY, Sample, Subject, Timestamp, Why,
    beginning,
};
use common::store::{APPLIES_KEPT, EVIDENCE_KEPT, SharedStore};

/// Written at once.
const AT_ONCE: usize = 512;

/// Lines of a node's log, as they are kept of one that failed.
const LINES: usize = 100;

/// Puts all of it there.
pub(super) async fn fill(store: &SharedStore, clusters: &[Cluster], now: Timestamp) -> anyhow::Result<()> {
    for (cluster, minutes_ago) in clusters.iter().zip(1..=EVIDENCE_KEPT) {
        store.put_evidence(&failure(cluster, now - SAMPLE_EVERY * minutes_ago)?).await.context("adding evidence")?;
    }
    let minutes = u32::try_from(APPLIES_KEPT.as_secs() / SAMPLE_EVERY.as_secs())?;
    let minutes: Vec<Timestamp> =
        (0..minutes).rev().map(|ago| beginning(now, SAMPLE_EVERY) - SAMPLE_EVERY * ago).collect();
    for some in minutes.chunks(AT_ONCE) {
        let asked: Vec<ApplyCount> = some.iter().zip(clusters.iter().cycle()).map(|(at, of)| asked(*at, of)).collect();
        store.count_applies(&asked).await.context("counting applies")?;
        let samples: Vec<Sample> = some.iter().map(|at| sample(*at)).collect();
        store.put_samples(&samples).await.context("adding samples")?;
    }
    Ok(())
}

/// That one like this failed before.
fn failure(like: &Cluster, at: Timestamp) -> anyhow::Result<Evidence> {
    Ok(Evidence {
        cluster: common::model::ClusterId::random(),
        name: like.name.clone(),
        host: like.host.clone(),
        host_name: like.host_name.clone(),
        flavor: like.flavor.clone(),
        why: Why::CreateFailed { error: "vp0 ended with exit code 137".into() },
        created_at: at - SAMPLE_EVERY,
        failed_at: at,
        timings: Vec::new(),
        plan: "{}".into(),
        nodes: vec![NodeEvidence {
            node: Some(NodeName::parse("vp0")?),
            container: format!("{}-vp0", like.name),
            state: NodeState::Exited,
            exit_code: Some(137),
            oom_killed: true,
            restarts: 0,
            log: vec!["a line as a peer that is about to end writes it".into(); LINES],
            inspect: "{}".into(),
        }],
        missing: Vec::new(),
    })
}

/// Some were given one, now and then one missed.
fn asked(minute: Timestamp, of: &Cluster) -> ApplyCount {
    let missed = u64::from(rand::random_range(0..20) == 0);
    ApplyCount { minute, flavor: of.flavor.clone(), given: rand::random_range(0..30), missed }
}

/// The pool's numbers of a minute.
fn sample(minute: Timestamp) -> Sample {
    let names = ["free", "in_use", "creating", "failed", "leaving", "hosts_active", "hosts_inactive", "made"];
    let mut values: BTreeMap<String, u64> = names.map(|name| (name.to_owned(), rand::random_range(0..100_000))).into();
    values.extend(["make_ms", "make_ms_longest"].map(|name| (name.to_owned(), rand::random_range(5_000..60_000))));
    Sample { subject: Subject::Pool, minute, values }
}
