//! The numbers that the plans go by, each with its reason.

use std::time::Duration;

use common::clock::Pace;

use super::memory::Backoff;

/// What the plans go by.
#[derive(Clone, Debug)]
pub struct Policy {
    /// A cluster may be given out so long after its last good probe. One minute while the pool needs at most
    /// [`Self::PROBES_PER_SECOND`], stretched beyond.
    pub max_proof_age: Duration,
    /// A probe is repeated after this: half the age, so that one late probe withdraws nothing.
    pub probe_every: Duration,
    /// A leased cluster's probe is repeated after this; nothing waits for it but the page that shows it.
    pub probe_leased_every: Duration,
    /// Offers hold so long after the engine's last answer.
    pub host_silence: Duration,
    /// A new cluster that was not ready is probed again after this: Fabric 0.6 needs some 2 s, so a quarter second adds little.
    pub probe_new_every: Duration,
    /// A cluster may take so long from the last container's start to its proof even when the making as a whole is late,
    /// because an image had to be pulled: Fabric 0.6 was seen to need 7 s.
    pub settle: Duration,
    /// So many bad probes in a row, of a cluster whose nodes all run, make it broken: one may be a slow moment.
    pub bad_looks: u32,
    /// Clusters brought up at once on a host. Their container starts share the engine's own limit, so this bounds
    /// only how many are half-way at a crash.
    pub bring_up_at_once: usize,
    /// Clusters taken down at once on a host.
    pub take_down_at_once: usize,
    /// Probes at once on a host.
    pub looks_at_once: usize,
    /// Between tries of an action on a cluster.
    pub retry: Backoff,
    /// Between tries of a flavor that could not be made on a host.
    pub flavor_backoff: Backoff,
    /// A slot in which the engine refused something is passed over so long.
    pub slot_backoff: Backoff,
    /// A making that failed counts so long among a host's recent failures, by which hosts are chosen.
    pub lately: Duration,
    /// A flavor must have been short so long before a free cluster of another gives way to it, since most shortages end by a
    /// release or by a making that is on its way; and between two that give way in the whole pool: longer than a making
    /// takes, so that the first is seen to help.
    pub give_way_every: Duration,
}

impl Policy {
    /// Probes that the whole pool may cost: some 50 small HTTP requests a second are a few percent of one processor.
    pub const PROBES_PER_SECOND: u64 = 50;

    /// The policy for a pool with so many clusters that are probed, free and leased: beyond 1,500 of them proofs get older
    /// instead of more frequent.
    pub fn for_pool(probed: u64) -> Policy {
        let every = Duration::from_secs((probed / Self::PROBES_PER_SECOND).max(30));
        Policy { max_proof_age: every * 2, probe_every: every, probe_leased_every: every, ..Policy::default() }
    }

    /// Whether the other one is the same but for a small step of a pool that grows or shrinks: that is no reason to plan
    /// every host anew.
    pub fn is_much_like(&self, other: &Policy) -> bool {
        self.probe_every.abs_diff(other.probe_every) <= self.probe_every / 20
    }

    /// The same, with every wait as long as this pace makes it.
    pub fn at(self, pace: Pace) -> Policy {
        let backoff = |own: Backoff| Backoff { first: pace.of(own.first), limit: pace.of(own.limit) };
        Policy {
            max_proof_age: pace.of(self.max_proof_age),
            probe_every: pace.of(self.probe_every),
            probe_leased_every: pace.of(self.probe_leased_every),
            host_silence: pace.of(self.host_silence),
            probe_new_every: pace.of(self.probe_new_every),
            settle: pace.of(self.settle),
            retry: backoff(self.retry),
            flavor_backoff: backoff(self.flavor_backoff),
            slot_backoff: backoff(self.slot_backoff),
            lately: pace.of(self.lately),
            give_way_every: pace.of(self.give_way_every),
            ..self
        }
    }
}

impl Default for Policy {
    fn default() -> Self {
        let seconds = Duration::from_secs;
        Self {
            max_proof_age: seconds(60),
            probe_every: seconds(30),
            probe_leased_every: seconds(30),
            host_silence: seconds(60),
            probe_new_every: Duration::from_millis(250),
            settle: seconds(60),
            bad_looks: 3,
            bring_up_at_once: 4,
            take_down_at_once: 4,
            looks_at_once: 8,
            retry: Backoff { first: seconds(1), limit: seconds(60) },
            flavor_backoff: Backoff { first: seconds(5), limit: seconds(300) },
            slot_backoff: Backoff { first: seconds(60), limit: seconds(600) },
            lately: seconds(600),
            give_way_every: seconds(60),
        }
    }
}
