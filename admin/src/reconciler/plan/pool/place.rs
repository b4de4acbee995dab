//! Decides which host makes the next cluster. Part of [`super`]: as plain as it.
//!
//! The cheapest host takes it. What a place costs grows with every one that is given away, so each flavor keeps its hosts
//! in a queue by what they cost last, and only the head is looked at again.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

use common::model::FlavorId;

use super::HostRoom;

/// A full host costs this for its fullness alone; all other costs are measured by it.
const FULL: u64 = 1000;
/// The last free place of a host; with `n` left, an n-th of it: big hosts before small ones of equal fullness.
const LAST_PLACE: u64 = 250;
/// A host whose clusters all were of this flavor: its loss should take as little of one flavor as possible.
const SAME_FLAVOR: u64 = 1000;
/// Each one that is being made there already, or is to be: it waits its turn.
const MAKING: u64 = 100;
/// Each making that failed there lately, up to five.
const FAILED: u64 = 300;
/// A host that makes one at a time until one succeeded.
const CAREFUL: u64 = 3000;
/// A host that holds this flavor back for a short while.
const FLAVOR_HELD: u64 = 5000;
/// A host on which nothing is begun for now: only what nobody else takes.
const HELD: u64 = 100_000;

/// Hosts in the order of what a flavor cost there when it was last looked at.
pub(super) type Queue = BinaryHeap<Reverse<(u64, usize)>>;

/// What is wanted of each host so far, and the room that is left.
pub(super) struct Places<'a> {
    hosts: &'a [HostRoom],
    wants: Vec<BTreeMap<FlavorId, u32>>,
    left: Vec<u32>,
    placed: Vec<u32>,
}

impl<'a> Places<'a> {
    pub fn new(hosts: &'a [HostRoom]) -> Places<'a> {
        let left = |host: &HostRoom| {
            let waiting: u32 = host.waiting.values().sum();
            if host.fills { host.capacity.saturating_sub(host.in_use).saturating_sub(waiting) } else { 0 }
        };
        Places {
            hosts,
            wants: hosts.iter().map(|host| host.waiting.clone()).collect(),
            left: hosts.iter().map(left).collect(),
            placed: vec![0; hosts.len()],
        }
    }

    /// The hosts among these that may take one of this flavor.
    pub fn queue(&self, among: &[usize], flavor: &FlavorId) -> Queue {
        among.iter().filter(|i| self.left[**i] > 0).map(|i| Reverse((self.cost(*i, flavor), *i))).collect()
    }

    /// Places one of this flavor, on the cheapest host; `None` if no host takes it.
    pub fn take(&mut self, queue: &mut Queue, flavor: &FlavorId) -> Option<usize> {
        while let Some(Reverse((cost, host))) = queue.pop() {
            if self.left[host] == 0 || !self.may_try(host, flavor) {
                continue;
            }
            let now = self.cost(host, flavor);
            if now > cost && queue.peek().is_some_and(|Reverse(next)| *next < (now, host)) {
                queue.push(Reverse((now, host)));
                continue;
            }
            self.left[host] -= 1;
            self.placed[host] += 1;
            *self.wants[host].entry(flavor.clone()).or_default() += 1;
            queue.push(Reverse((now, host)));
            return Some(host);
        }
        None
    }

    /// Whether a host makes none of this flavor for now.
    pub fn is_held(&self, host: usize, flavor: &FlavorId) -> bool {
        let standing = &self.hosts[host].standing;
        standing.held.is_some() || standing.flavors.contains_key(flavor)
    }

    /// The flavor of which one is wanted there that has most of something; the first by name among equals.
    pub fn most<T: Ord>(&self, host: usize, of: impl Fn(&FlavorId) -> T) -> Option<FlavorId> {
        let wanted = self.wants[host].iter().filter(|(_, count)| **count > 0).map(|(flavor, _)| flavor);
        wanted.max_by_key(|flavor| (of(flavor), Reverse(*flavor))).cloned()
    }

    /// One less of this flavor is wanted there.
    pub fn give_up(&mut self, host: usize, flavor: &FlavorId) {
        if let Some(count) = self.wants[host].get_mut(flavor) {
            *count = count.saturating_sub(1);
        }
    }

    pub fn into_wants(self) -> Vec<BTreeMap<FlavorId, u32>> {
        self.wants
    }

    /// A flavor that could not be made there again and again keeps one place for the next try; the rest goes to others.
    fn may_try(&self, host: usize, flavor: &FlavorId) -> bool {
        let room = &self.hosts[host];
        if !room.standing.flavors.get(flavor).is_some_and(|held| held.for_long) {
            return true;
        }
        self.wants[host].get(flavor).copied().unwrap_or(0) <= room.free.get(flavor).copied().unwrap_or(0)
    }

    /// What it costs to give this flavor a place there. Grows with every place that is given away.
    fn cost(&self, host: usize, flavor: &FlavorId) -> u64 {
        let (room, left) = (&self.hosts[host], self.left[host].max(1));
        let (standing, capacity) = (&room.standing, u64::from(room.capacity.max(1)));
        let part = |of: u64, n: u64| of * n.min(capacity) / capacity;
        let when = |yes: bool, cost: u64| if yes { cost } else { 0 };
        let same = self.wants[host].get(flavor).copied().unwrap_or(0);
        let making: u32 = room.waiting.values().sum::<u32>().saturating_sub(room.free.values().sum());
        part(FULL, u64::from(room.capacity.saturating_sub(left) + 1))
            + LAST_PLACE / u64::from(left)
            + part(SAME_FLAVOR, u64::from(same))
            + MAKING * u64::from(making + self.placed[host])
            + FAILED * u64::from(standing.failed.min(5))
            + when(standing.careful, CAREFUL)
            + when(standing.flavors.contains_key(flavor), FLAVOR_HELD)
            + when(standing.held.is_some(), HELD)
    }
}
