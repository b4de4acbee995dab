//! The only part that talks to Docker. Being built: for now it plans nothing.

use common::model::HostId;

/// A hold on the running reconciler.
#[derive(Clone, Debug, Default)]
pub struct Reconciler {}

/// What the reconciler is doing on one host, for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostOutlook {
    /// Where.
    pub host: HostId,
    /// What is being done, what is held back and why.
    pub lines: Vec<String>,
}

impl Reconciler {
    /// Look again now: something may have changed.
    pub fn ring(&self) {}

    /// What is being done, held back and why, host by host.
    pub fn outlook(&self) -> Vec<HostOutlook> {
        Vec::new()
    }
}
