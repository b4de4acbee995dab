//! What a failure to make a cluster says about making the next one. Plain functions on a host's memory.
//!
//! Three answers. **Replace**: this one broke, another is made at once; three in a row of a flavor hold it back, three in
//! a row whatever the flavor hold the host back. **Hold**: the host lacks something (an image, disk, addresses), so it
//! waits, later and later. **Stop**: the template is bad; a breaker for the flavor on this host, later and later.
//! When a wait is over exactly one is tried; its success ends the matter.
//!
//! Makings that began before the last failure were under way together with it: they say the same thing once more, so their
//! failure makes no wait longer.

use std::collections::BTreeSet;
use std::time::Duration;

use common::model::{Cluster, FlavorId, Host, HostState, Timestamp};

use super::{Memory, Retry};
use crate::reconciler::execute::outcome::Failure;
use crate::reconciler::policy::Policy;

/// So many failures in a row are no accident.
pub const LONG: u32 = 3;

/// Recent failures that are kept; more say nothing new.
const KEPT: usize = 10;

/// Makings that failed since the last one that succeeded.
#[derive(Clone, Debug, Default)]
pub struct Row {
    /// Those of which the host may be the cause, whatever the flavor; of those that were under way together, one.
    failed: u32,
    /// When the last of them failed.
    at: Option<Timestamp>,
    /// When the last of all failed.
    last: Option<Timestamp>,
    /// Flavors that could not be made: one of them is its template's fault, several are the host's.
    flavors: BTreeSet<FlavorId>,
}

impl Row {
    fn counts(&self) -> u32 {
        self.failed + self.flavors.len() as u32
    }
}

impl Memory {
    /// A making failed, and with it the cluster; `began` is when its making began.
    pub fn making_failed(
        &mut self,
        flavor: &FlavorId,
        began: Timestamp,
        failure: &Failure,
        policy: &Policy,
        now: Timestamp,
    ) {
        let backoff = &policy.flavor_backoff;
        let before = self.failures.get(flavor);
        match failure {
            Failure::Broke(error) => {
                let retry = Retry::again(before, began, error.clone(), now, |times| {
                    if times < LONG { Duration::ZERO } else { backoff.wait(times - LONG + 1) }
                });
                self.failures.insert(flavor.clone(), retry);
                if self.row.at.is_none_or(|at| began > at) {
                    self.row.failed += 1;
                    self.row.at = Some(now);
                }
            }
            Failure::Flavor(error) | Failure::Image(error) => {
                let retry = Retry::again(before, began, error.clone(), now, |times| backoff.wait(times));
                self.failures.insert(flavor.clone(), retry);
                self.row.flavors.insert(flavor.clone());
            }
            Failure::Host(error) => self.hold_host(began, error.clone(), policy, now),
            // Another slot, a later try, or another process: nothing is wrong with making.
            Failure::Slot(_) | Failure::Later(_) | Failure::Fenced => return,
        }
        self.row.last = Some(now);
        self.mishaps.retain(|at| *at + policy.lately > now);
        if self.mishaps.len() < KEPT {
            self.mishaps.push(now);
        }
        let in_a_row = self.row.counts();
        if in_a_row >= LONG && !matches!(failure, Failure::Host(_)) {
            let error = format!("{in_a_row} makings in a row failed, last: {}", failure.words());
            self.hold_host(began, error, policy, now);
        }
    }

    fn hold_host(&mut self, began: Timestamp, error: String, policy: &Policy, now: Timestamp) {
        let wait = |times| policy.flavor_backoff.wait(times);
        self.host_hold = Some(Retry::again(self.host_hold.as_ref(), began, error, now, wait));
    }

    /// One was made, from begin to proof.
    pub fn making_succeeded(&mut self, cluster: &Cluster, now: Timestamp) {
        // It says nothing about what went wrong after it began and is waited for.
        let settles = |retry: &Retry| cluster.created_at > retry.failed_at || retry.not_before <= retry.failed_at;
        if self.failures.get(&cluster.flavor).is_some_and(settles) {
            self.failures.remove(&cluster.flavor);
        }
        if self.host_hold.as_ref().is_some_and(settles) {
            self.host_hold = None;
        }
        self.row = Row::default();
        self.made_at = Some(now);
    }

    /// Whether one is made at a time until one succeeded: the engine's answer proves less. A new host is believed; so is one
    /// on which nothing went wrong for a while, for a full host makes none by which it could be proven.
    pub fn is_careful(&self, host: &Host, policy: &Policy, now: Timestamp) -> bool {
        let lately = |at: Timestamp| at + policy.lately > now;
        let proven_since = |at: Timestamp| host.contact.made_at.max(self.made_at).is_some_and(|made| made >= at);
        let came_back = match host.contact.state {
            HostState::Active { since } => since > host.created_at && lately(since) && !proven_since(since),
            HostState::Inactive { .. } => false,
        };
        let held = self.host_hold.as_ref().is_some_and(|hold| lately(hold.not_before));
        let failed = self.row.last.is_some_and(lately) && (self.row.failed > 0 || self.row.flavors.len() > 1);
        came_back || held || failed
    }

    /// How many makings failed lately.
    pub fn failed_lately(&self, policy: &Policy, now: Timestamp) -> u32 {
        self.mishaps.iter().filter(|at| **at + policy.lately > now).count() as u32
    }

    /// An operator asked to try again what was held back: failures up to then count no more.
    pub fn forgive(&mut self, asked: Option<Timestamp>) {
        let Some(asked) = asked else { return };
        let stands = |retry: &Retry| retry.failed_at > asked;
        self.failures.retain(|_, retry| stands(retry));
        self.refused_slots.retain(|_, retry| stands(retry));
        self.retries.retain(|_, retry| stands(retry));
        self.host_hold = self.host_hold.take().filter(stands);
        self.mishaps.retain(|at| *at > asked);
        if self.row.last.is_none_or(|at| at <= asked) {
            self.row = Row::default();
        }
    }
}
